//! The invariants: what is checked after every message, and the accounts at the end of the day.

use plantain::domain::{OutputState, Problem, Stage, Status};

use super::day::{Checked, MINUTE, World, must};

impl World {
    /// (3) In no minute more than allowed, and never more at once.
    pub fn count_request(&mut self, life: u32) -> Checked {
        let (now, limit) = (self.now, self.allowance.per_minute as usize);
        let Some(program) = self.program(life) else { return Ok(()) };
        program.sent.retain(|at| now - at < MINUTE);
        program.sent.push_back(now);
        must!(program.sent.len() <= limit, "{} requests in a minute", program.sent.len());
        Ok(())
    }

    /// (3), (4) and (6): after every message.
    pub fn watch_over(&mut self, life: u32) -> Checked {
        let (allowance, tasks, wishes) = (self.allowance, self.born as usize, self.disk.wishes());
        let Some(program) = self.program(life) else { return Ok(()) };
        let open = program.creations + program.looks;
        must!(open <= allowance.at_once as usize, "{open} requests at once");
        must!(program.creations <= allowance.creations as usize, "{} creations at once", program.creations);
        must!(program.fetches <= allowance.downloads as usize, "{} downloads at once", program.fetches);
        must!(program.coming.len() <= 3 * tasks + 8, "{} writes wait", program.coming.len());
        must!(wishes <= 2 * tasks + 64, "{wishes} wishes wait");
        for task in program.fleet.tasks() {
            let stage = task.status.stage();
            let before = program.ranks.get(&task.id).copied();
            if let Some(before) = before {
                must!(
                    task.task_id.is_none() || stage.rank() >= before.rank(),
                    "{:?} goes back from {before:?} to {stage:?}",
                    task.id
                );
                must!(!before.is_final() || before == stage, "{:?} was {before:?} and is {stage:?}", task.id);
            }
            if task.task_id.is_some() && before != Some(stage) {
                program.ranks.insert(task.id, stage);
            }
        }
        Ok(())
    }

    /// (3) over all programs: whoever takes the lease does not know what the last one sent in the minute before. It
    /// learns of that from the service, at the price of a few refusals, and never again. (An account that allows
    /// less than we were told is another matter.)
    fn refusals(&self) -> Checked {
        if self.service.per_minute != self.allowance.per_minute as usize {
            return Ok(());
        }
        let mut tenures = self.tenures.iter().enumerate().peekable();
        while let Some((nth, from)) = tenures.next() {
            let to = tenures.peek().map_or(i64::MAX, |(_, next)| **next);
            let refused: Vec<i64> =
                self.service.refused.iter().filter(|at| (*from..to).contains(*at)).copied().collect();
            must!(nth > 0 || refused.is_empty(), "one program alone was refused {} times", refused.len());
            must!(
                refused.len() <= self.allowance.at_once as usize,
                "refused {} times by one change of hands",
                refused.len()
            );
            must!(refused.iter().all(|at| at - from < 2 * MINUTE), "refused long after the lease changed hands");
        }
        Ok(())
    }

    /// (1), (2), (3) and (5), at the end of the day.
    pub fn settle(&self) -> Checked {
        self.refusals()?;
        for (id, entry) in &self.service.ledger {
            let task = self.disk.tasks.get(id).ok_or_else(|| format!("{id:?} was paid for and is not known"))?;
            must!(self.left.get(id).is_some_and(|(body, _)| *body == entry.body), "{id:?}: other bytes were paid for");
            must!(task.task_id.as_ref() == Some(&entry.task_id), "{id:?} has a wrong name");
            let want = if entry.fails { Stage::Failed } else { Stage::Success };
            must!(task.status.stage() == want, "{id:?} ended and is {:?}", task.status);
            must!(entry.fails || !task.outputs.is_empty(), "{id:?} has no outputs");
            for output in &task.outputs {
                match &output.state {
                    OutputState::Home(_) => {}
                    OutputState::Away => return Err(format!("{id:?}: an output is not home")),
                    OutputState::Lost { why } => {
                        must!(self.now >= entry.expires().0, "{id:?}: given up ({why}), and it could be had");
                    }
                }
            }
        }
        must!(self.programs().filter(|program| program.holds).count() == 1, "not one program holds the lease");
        for program in self.programs() {
            must!(program.fleet.is_idle(), "something waits for ever");
            // All windows show the same, and what is shown is on the disk.
            for task in program.fleet.tasks() {
                let stored = self.disk.tasks.get(&task.id).map(|task| task.status.stage());
                let shown = task.status.stage();
                must!(stored == Some(shown), "{:?} is {stored:?} and shown as {shown:?}", task.id);
                must!(
                    !task.status.is_final() || !program.fleet.will_send(task.id),
                    "{:?} is to be sent still",
                    task.id
                );
            }
        }
        let paid = self.service.paid();
        for task in self.disk.tasks.values() {
            // The first sending is unsure and the second is refused: only a person can say what that means.
            if matches!(&task.status, Status::Unsure(Some(Problem::Rejected { .. }))) && !paid.contains(&task.id) {
                continue;
            }
            must!(task.status.is_final(), "{:?} is left as {:?}", task.id, task.status);
            must!(
                paid.contains(&task.id) == (task.status.stage() != Stage::Refused),
                "{:?} is {:?}, paid: {}",
                task.id,
                task.status.stage(),
                paid.contains(&task.id)
            );
        }
        Ok(())
    }
}
