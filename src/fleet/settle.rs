//! The user's decision about a creation whose outcome nobody knows: adopt a task of the account, send it anew, or give
//! it up.

use std::sync::Arc;

use super::submission::key_lives;
use super::{Fleet, Order};
use crate::config::KEY_LIFETIME;
use crate::domain::{GivenUp, LocalId, Problem, Settle, Stage, Status, Task, TaskId};
use crate::time::Now;

/// How far the service's clock may be from ours.
const SKEW: std::time::Duration = std::time::Duration::from_secs(300);
/// More than these are not offered.
const MOST_CANDIDATES: usize = 50;

impl Fleet {
    /// It may be decided about: its outcome is unknown, and no answer is on its way.
    #[must_use]
    pub fn is_undecided(&self, id: LocalId) -> bool {
        self.tasks.get(&id).is_some_and(|task| matches!(task.status, Status::Unsure(_))) && !self.queue.is_under_way(id)
    }

    /// The same key and bytes may settle it.
    #[must_use]
    pub fn may_repeat(&self, id: LocalId, now: Now) -> bool {
        let task = self.tasks.get(&id).filter(|_| self.is_undecided(id));
        task.is_some_and(|task| {
            !matches!(task.status, Status::Unsure(Some(Problem::Mismatch { .. }))) && key_lives(task, now)
        })
    }

    /// Tasks of the account that this one may have become, the likeliest first: the same model, created after it was
    /// first sent and while its key lived, and not ours.
    #[must_use]
    pub fn candidates(&self, id: LocalId) -> Vec<Arc<Task>> {
        let Some(task) = self.tasks.get(&id).filter(|task| matches!(task.status, Status::Unsure(_))) else {
            return Vec::new();
        };
        let sent = task.times.at(Stage::Sending).unwrap_or(task.created);
        let fits = |stray: &&Arc<Task>| {
            let model = [&task.request.model, &task.request.full_model()].contains(&&stray.request.full_model());
            let (early, late) = (sent.since(stray.created), stray.created.since(sent));
            model && early <= SKEW && late <= KEY_LIFETIME + SKEW
        };
        let mut fitting: Vec<Arc<Task>> = self.strays.iter().filter(fits).cloned().collect();
        fitting.sort_by_key(|stray| (stray.created.0.abs_diff(sent.0), stray.id));
        fitting.truncate(MOST_CANDIDATES);
        fitting
    }

    pub(super) fn settle(&mut self, id: LocalId, how: Settle, now: Now, orders: &mut Vec<Order>) {
        if !self.is_undecided(id) {
            return;
        }
        match how {
            Settle::Adopt(task_id) => self.settle_by(id, task_id, now, orders),
            Settle::Anew(task) => {
                let same = self.tasks.get(&id).is_some_and(|old| old.request == task.request);
                if same && !self.tasks.contains_key(&task.id) && task.status == Status::Saved {
                    // In this order: a crash in between leaves both to the user.
                    let anew = task.id;
                    self.add(*task, orders);
                    self.give_up(id, Some(anew), now, orders);
                }
            }
            Settle::GiveUp { anew } => self.give_up(id, anew, now, orders),
        }
    }

    fn give_up(&mut self, id: LocalId, anew: Option<LocalId>, now: Now, orders: &mut Vec<Order>) {
        let Some(Status::Unsure(problem)) = self.tasks.get(&id).map(|task| task.status.clone()) else { return };
        self.queue.remove(id);
        self.set(id, Status::GivenUp(GivenUp { problem, anew }), now, orders);
    }

    /// The user knows which task of the account it became.
    fn settle_by(&mut self, id: LocalId, task_id: TaskId, now: Now, orders: &mut Vec<Order>) {
        if self.by_task_id.contains_key(&task_id) {
            return;
        }
        self.queue.remove(id);
        let stray = self.strays.own(&task_id);
        self.by_task_id.insert(task_id.clone(), id);
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let task = Arc::make_mut(task);
        task.task_id = Some(task_id);
        task.set(Status::Queued, stray.as_ref().map_or(now.wall, |stray| stray.created));
        if let Some(stray) = stray {
            continue_as(task, &stray, now);
        }
        self.adopting.insert(id);
        self.save(id, orders);
    }
}

/// It is where the task is that it became.
fn continue_as(task: &mut Task, stray: &Task, now: Now) {
    task.status = task.status.clone().join(stray.status.clone());
    task.times.note(task.status.stage(), stray.completed.unwrap_or(now.wall));
    task.completed = stray.completed;
    task.outputs.clone_from(&stray.outputs);
}
