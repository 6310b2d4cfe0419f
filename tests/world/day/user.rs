//! The user: sends prompts, looks at a screen now and then and does what it advises.

use std::sync::Arc;

use plantain::domain::{LocalId, Request, Stage, Status, Task};
use plantain::fleet::FleetMsg;
use serde_json::Map;

use super::{Checked, START, World};

impl World {
    /// One of the windows at which a user can sit.
    pub(super) fn window(&mut self) -> Option<u32> {
        let open: Vec<u32> = self.programs().filter(|program| !program.leaves).map(|program| program.life).collect();
        let pick = (self.dice.unit() * open.len() as f64) as usize;
        open.get(pick).copied()
    }

    pub(super) fn submit(&mut self, count: u32) -> Checked {
        let Some(life) = self.window() else { return Ok(()) };
        for _ in 0..count {
            self.born += 1;
            let id = LocalId::from_random(self.dice.bits());
            let what = if self.dice.unit() < 0.04 { "forbidden fruit" } else { "fox" };
            let prompt = format!("{what} {}", self.born);
            let mut input = Map::new();
            input.insert("prompt".into(), prompt.clone().into());
            let request = Request::new("m", None, input, prompt.clone(), prompt, None);
            self.wanted.entry(life).or_default().insert(id);
            let task = Task::new(id, Arc::new(request), self.clock(START).wall);
            self.tell(life, FleetMsg::Add(Box::new(task)))?;
        }
        Ok(())
    }

    /// The user does what the screen advises: resumes a paused queue, sends what was held or is unsure.
    pub(super) fn care(&mut self) -> Checked {
        let Some(life) = self.window() else { return Ok(()) };
        let Some(program) = self.program(life) else { return Ok(()) };
        let blocked = program.fleet.blocked().is_some();
        let open: Vec<(LocalId, bool)> = program
            .fleet
            .tasks()
            .filter(|task| matches!(task.status, Status::Held(_) | Status::Unsure(_)))
            .map(|task| (task.id, task.status.stage() == Stage::Held))
            .collect();
        let ids: Vec<LocalId> = open.iter().map(|(id, _)| *id).collect();
        if blocked {
            // It sends what was held for this reason; the window may not have heard of all of that.
            let known: Vec<LocalId> = self.disk.tasks.keys().copied().chain(ids.iter().copied()).collect();
            self.wanted.entry(life).or_default().extend(known);
            self.tell(life, FleetMsg::Resume)?;
        }
        let held = open.iter().find(|(_, held)| *held).map(|(id, _)| *id);
        if let Some(id) = held.filter(|_| self.dice.unit() < 0.1) {
            self.dropped.insert(id);
            return self.tell(life, FleetMsg::Forget(id));
        }
        if !ids.is_empty() {
            self.wanted.entry(life).or_default().extend(ids.iter().copied());
            self.tell(life, FleetMsg::Send(ids))?;
        }
        Ok(())
    }
}
