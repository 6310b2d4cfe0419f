//! The stores of the programs: what they write when, and what they hear of each other.

use std::collections::BTreeSet;

use plantain::domain::{Change, Stage, Wish};
use plantain::fleet::FleetMsg;
use plantain::store::Heard;

use super::super::program::Note;
use super::{Checked, Event, PACE, World, must};

impl World {
    pub(super) fn save(&mut self, life: u32, change: Change) {
        let Some(program) = self.program(life) else { return };
        program.coming.push_back(change);
        if !std::mem::replace(&mut program.syncing, true) {
            let span = 1 + (self.dice.unit() * 6.0) as i64;
            self.later(span, Event::Sync { life });
        }
    }

    /// The store's thread tells a program something: in order, a moment later.
    pub(super) fn bring(&mut self, life: u32, note: Note) {
        let at = self.now + (self.dice.unit() * 3.0) as i64;
        let Some(program) = self.program(life) else { return };
        program.note_at = program.note_at.max(at);
        program.notes += 1;
        let at = program.note_at;
        self.later(at - self.now, Event::Told { life, note });
    }

    /// Makes the oldest write of a program durable, or refuses it, and says so.
    pub(super) fn sync_one(&mut self, life: u32) -> Checked {
        let Some(change) = self.program(life).and_then(|program| program.coming.pop_front()) else { return Ok(()) };
        let about = change.written();
        let wished = if let Change::Wish(Wish::Send(id)) = &change { Some(*id) } else { None };
        let dropped = if let Change::Forget(id) = &change { Some(*id) } else { None };
        let before =
            about.and_then(|(id, _)| self.disk.tasks.get(&id)).map(|task| (task.status.stage(), task.task_id.clone()));
        let result = self.disk.apply(life, change);
        if let (Some((id, _)), Some((stage, name))) = (about, before) {
            // (4) On the disk too.
            let task = self.disk.tasks.get(&id).ok_or("a write has taken a task from the disk")?;
            let is = task.status.stage();
            must!(!stage.is_final() || is == stage, "{id:?} was {stage:?} and is {is:?} on the disk");
            must!(name.is_none() || task.task_id == name, "{id:?} has another name on the disk");
            must!(name.is_none() || is.rank() >= stage.rank(), "{id:?} goes back to {is:?} on the disk");
        }
        if result.is_ok() {
            self.stir(life);
        }
        if let Some(task) = dropped.and_then(|id| self.disk.tasks.get(&id).cloned()) {
            self.bring(life, Note::Msg(Box::new(FleetMsg::Restored(vec![task]))));
        }
        // A wish is spoken of only when it could not be written down.
        let wished = wished.filter(|_| result.is_err()).map(|id| (id, Stage::Held));
        if let Some((id, stage)) = about.or(wished) {
            self.bring(life, Note::Msg(Box::new(FleetMsg::Stored { id, stage, result })));
        }
        Ok(())
    }

    pub(super) fn sync(&mut self, life: u32) -> Checked {
        self.sync_one(life)?;
        let Some(program) = self.program(life) else { return Ok(()) };
        program.syncing = !program.coming.is_empty();
        if program.syncing {
            let span = 1 + (self.dice.unit() * 6.0) as i64;
            self.later(span, Event::Sync { life });
        }
        Ok(())
    }

    /// The store has changed, or the lease is free: all others see it when they look next.
    pub(super) fn stir(&mut self, by: u32) {
        let others: Vec<u32> =
            self.programs().filter(|p| p.life != by && !p.polls).map(|program| program.life).collect();
        for life in others {
            self.poll_later(life);
        }
    }

    pub(super) fn poll_later(&mut self, life: u32) {
        let span = 1 + (self.dice.unit() * PACE) as i64;
        if let Some(program) = self.program(life) {
            program.polls = true;
            self.later(span, Event::Poll { life });
        }
    }

    /// A program's store looks at the others.
    pub(super) fn poll(&mut self, life: u32) -> Checked {
        let living = self.living();
        let Some(program) = self.slots.iter_mut().flatten().find(|program| program.life == life) else { return Ok(()) };
        program.polls = false;
        let free = self.disk.lock.is_none_or(|holder| holder == life);
        if !program.took && free {
            // What the last holder did is heard to its end first.
            self.disk.lock = Some(life);
            self.news(life, &living);
            if self.disk.full {
                self.poll_later(life);
                return Ok(());
            }
            self.take_over(life, &living);
            let unfinished = self.disk.unfinished();
            self.bring(life, Note::Heard(Box::new(Heard::Took { unfinished })));
            self.stir(life);
        } else if !program.took {
            self.news(life, &living);
            return Ok(());
        }
        if self.disk.has_wishes() {
            if self.disk.full {
                self.poll_later(life);
                return Ok(());
            }
            let wishes = self.disk.take_wishes();
            self.bring(life, Note::Heard(Box::new(Heard::Wishes(wishes))));
        }
        Ok(())
    }

    /// The lease is this program's: who died before does not want anything any more.
    pub(super) fn take_over(&mut self, life: u32, living: &BTreeSet<u32>) {
        self.disk.take_over(life, living);
        self.wanted.retain(|window, _| living.contains(window));
        self.tenures.push(self.now);
        if let Some(program) = self.program(life) {
            program.took = true;
        }
    }

    /// Tells a program what others changed.
    pub(super) fn news(&mut self, life: u32, living: &BTreeSet<u32>) {
        let (number, standing) = (self.disk.number(), self.disk.standing(life, living));
        let Some(program) = self.slots.iter_mut().flatten().find(|program| program.life == life) else { return };
        let (tasks, gone) = self.disk.since(program.seen);
        program.seen = number;
        if !tasks.is_empty() || !gone.is_empty() || program.standing != standing {
            program.standing = standing.clone();
            let heard = Heard::News { tasks, gone, counts: Vec::new(), standing };
            self.bring(life, Note::Heard(Box::new(heard)));
        }
    }
}
