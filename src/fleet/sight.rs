//! What others may see of the fleet.

use std::sync::Arc;
use std::time::Duration;

use super::{Budget, Fleet, Silence};
use crate::domain::{AssetId, LocalId, Problem, Task, TaskId};
use crate::time::Now;

impl Fleet {
    /// Our name for a task of the service, if it is one of ours and loaded.
    #[must_use]
    pub fn local_id(&self, task_id: &TaskId) -> Option<LocalId> {
        self.by_task_id.get(task_id).copied()
    }

    /// A task; also one that another program created and that is shown.
    #[must_use]
    pub fn task(&self, id: LocalId) -> Option<&Arc<Task>> {
        self.tasks.get(&id).or_else(|| self.strays.get(id))
    }

    /// All tasks of ours that are loaded, in no useful order.
    pub fn tasks(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.tasks.values()
    }

    /// For how much longer a running task should take: the median of what was learned, given its age.
    #[must_use]
    pub fn expected_left(&self, id: LocalId, now: Now) -> Option<Duration> {
        self.tasks.get(&id).filter(|task| task.status.is_running())?;
        self.watch.left(id, now.mono)
    }

    /// It has been running for longer than ninety-nine of a hundred of its kind.
    #[must_use]
    pub fn is_outlier(&self, id: LocalId, now: Now) -> bool {
        self.tasks.get(&id).is_some_and(|task| task.status.is_running()) && self.watch.is_outlier(id, now.mono)
    }

    /// The allowance, for showing.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Why nothing is sent, if so.
    #[must_use]
    pub fn blocked(&self) -> Option<&Problem> {
        self.queue.blocked()
    }

    /// Since when the service does not answer, if so.
    #[must_use]
    pub fn silence(&self) -> Option<&Silence> {
        self.silence.as_ref().filter(|silence| silence.failures >= 2)
    }

    /// It is being brought home right now.
    #[must_use]
    pub fn is_fetching(&self, asset: AssetId) -> bool {
        self.fetches.is_open(asset)
    }

    /// It will be sent, or is being sent, without a further word of the user.
    #[must_use]
    pub fn will_send(&self, id: LocalId) -> bool {
        self.queue.holds(id) || self.wished.contains(&id) || self.is_retried(id)
    }

    /// Nothing is under way that would go on by itself: no sending, no watching, no fetching.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let stuck = self.queue.blocked().is_some();
        (self.queue.is_idle() || stuck)
            && (self.watch.is_empty() || self.queue.blocked().is_some_and(Problem::needs_key))
            && self.fetches.is_idle()
            && self.unwritten.is_empty()
            && self.unborn.is_empty()
            && !self.strays.is_asking()
    }
}
