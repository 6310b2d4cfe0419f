//! How programs begin and end: started, left by their users, killed.

use plantain::domain::{Change, Problem, Task, Wish};
use plantain::fleet::FleetMsg;

use super::super::program::{Note, Program};
use super::{Checked, Event, FAREWELL, MINUTE, SECOND, World, must};

impl World {
    /// A program starts in this window.
    pub(super) fn start(&mut self, slot: usize) -> Checked {
        if self.slots[slot].is_some() {
            return Ok(());
        }
        let free = self.disk.lock.is_none();
        if free && self.disk.full {
            // It says that the store cannot be written; the user tries again.
            self.later(SECOND, Event::Start(slot));
            return Ok(());
        }
        self.lives += 1;
        let life = self.lives;
        // A clock of its own.
        let mut program = Program::new(self.allowance, life, self.now - 10, self.dice.bits());
        program.seen = self.disk.number();
        self.slots[slot] = Some(program);
        let living = self.living();
        if free {
            self.disk.lock = Some(life);
            self.take_over(life, &living);
            self.vacant = None;
        }
        let standing = self.disk.standing(life, &living);
        let tasks: Vec<Task> = self.disk.tasks.values().cloned().collect();
        self.say(life, || format!("started, {}", if free { "holds the lease" } else { "watches" }));
        if let Some(program) = self.program(life) {
            program.holds = free;
            program.standing = standing.clone();
            if standing.holder.is_some() {
                program.fleet.mirror_pause(standing.paused);
            }
        }
        if !free {
            self.save(life, Change::Wish(Wish::WatchAll));
        }
        self.bring(life, Note::Msg(Box::new(FleetMsg::Restored(tasks))));
        self.stir(life);
        self.poll_later(life);
        Ok(())
    }

    /// Mostly the one that holds the lease.
    pub(super) fn victim(&mut self) -> Option<u32> {
        let holder = self.disk.lock.filter(|life| self.lives(*life));
        if self.dice.unit() < 0.7 { holder } else { self.window() }
    }

    /// A program is killed: what was not synced is gone, what left is on its way. Later another starts.
    pub(super) fn crash(&mut self) -> Checked {
        let Some(life) = self.victim() else { return Ok(()) };
        for _ in 0..(self.dice.unit() * 4.0) as u32 {
            self.sync_one(life)?;
        }
        self.say(life, || "is killed".into());
        self.bury(life);
        for id in self.left.keys() {
            // Only what is known not to be paid for can be dropped.
            let kept =
                self.disk.tasks.contains_key(id) || self.dropped.contains(id) && !self.service.ledger.contains_key(id);
            must!(kept, "{id:?} may be paid for and is not on the disk");
        }
        Ok(())
    }

    /// Its user leaves a program: nothing new is begun, what is being sent is waited for.
    pub(super) fn leave(&mut self) -> Checked {
        let Some(life) = self.victim() else { return Ok(()) };
        let Some(born_ms) = self.program(life).filter(|program| !program.leaves).map(|program| program.born_ms) else {
            return Ok(());
        };
        self.say(life, || "is left".into());
        let now = self.clock(born_ms);
        let Some(program) = self.program(life) else { return Ok(()) };
        program.leaves = true;
        let leaving = Problem::Local { message: "this program is ending".into() };
        program.fleet.handle(FleetMsg::Block(leaving), now);
        if !program.holds || !program.is_sending() {
            return self.gone(life);
        }
        self.later(FAREWELL, Event::Gone { life });
        Ok(())
    }

    /// A program that was left ends, when its store has done everything it was given.
    pub(super) fn gone(&mut self, life: u32) -> Checked {
        while self.program(life).is_some_and(|program| !program.coming.is_empty()) {
            self.sync_one(life)?;
        }
        if self.lives(life) {
            self.say(life, || "has ended".into());
            self.bury(life);
        }
        Ok(())
    }

    pub(super) fn bury(&mut self, life: u32) {
        let Some(slot) = self.slots.iter().position(|p| p.as_ref().is_some_and(|program| program.life == life)) else {
            return;
        };
        self.slots[slot] = None;
        if self.disk.lock == Some(life) {
            self.disk.lock = None;
            self.vacant = Some(self.now);
        }
        let heirs = self.programs().any(|program| !program.leaves);
        self.vacant = self.vacant.filter(|_| heirs);
        self.stir(0);
        // Alone, it comes back at once: the requests of the last minute are forgotten by it, not by the service.
        let soon = self.slots.len() == 1 || self.dice.unit() < 0.3;
        let span = if soon { 10 } else { (self.dice.unit() * 10.0 * MINUTE as f64) as i64 };
        self.later(span, Event::Start(slot));
    }
}
