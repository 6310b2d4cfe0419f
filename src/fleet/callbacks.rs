//! Whether callbacks can be relied on, and what they told of tasks that nobody here knew yet.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::{Report, TaskId};
use crate::time::Mono;

/// Ends that no callback told of before callbacks are no longer relied on.
const MISSES: u32 = 3;
/// Silence, while tasks ended, after which the user is told.
const DEAD_AFTER: Duration = Duration::from_secs(300);
/// Callbacks about unknown tasks that are kept: they may overtake the answer to the creation.
const KEPT: usize = 256;

/// What is known of callbacks.
#[derive(Clone, Debug, Default)]
pub struct Callbacks {
    /// Since when they are received here, if they are.
    since: Option<Mono>,
    /// The latest one.
    last: Option<Mono>,
    /// Ends since then that a look found and no callback had told of.
    missed: u32,
    early: VecDeque<Report>,
}

impl Callbacks {
    /// They are, or are not, received here from now on.
    pub fn set(&mut self, on: bool, now: Mono) {
        self.since = on.then_some(now);
    }

    /// One came: they arrive.
    pub fn came(&mut self, now: Mono) {
        self.last = Some(now);
        self.missed = 0;
    }

    /// A look found the end of a task whose callback should have told of it.
    pub fn missed(&mut self) {
        if self.since.is_some() {
            self.missed = self.missed.saturating_add(1);
        }
    }

    /// They are received and arrive: looking may be slow. Not before the first one has come, for an address that
    /// cannot be reached looks like a quiet hour; nor after several ends of which none told.
    #[must_use]
    pub fn arrive(&self) -> bool {
        self.since.is_some() && self.last.is_some() && self.missed < MISSES
    }

    /// Tasks ended, and for five minutes no callback has come.
    #[must_use]
    pub fn seem_dead(&self, now: Mono) -> bool {
        let heard = self.since.max(self.last);
        self.since.is_some() && self.missed > 0 && heard.is_some_and(|at| now.since(at) >= DEAD_AFTER)
    }

    /// Keeps a report about a task that is not known yet.
    pub fn keep(&mut self, report: Report) {
        self.early.retain(|other| other.task_id != report.task_id);
        if self.early.len() >= KEPT {
            self.early.pop_front();
        }
        self.early.push_back(report);
    }

    /// What came about this task before it was known.
    pub fn kept(&mut self, task_id: &TaskId) -> Option<Report> {
        let at = self.early.iter().position(|report| report.task_id == *task_id)?;
        self.early.remove(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(s: u64) -> Mono {
        Mono(s * 1000)
    }

    #[test]
    fn nothing_is_relied_on_before_it_has_come() {
        let mut callbacks = Callbacks::default();
        callbacks.came(secs(1));
        assert!(!callbacks.arrive(), "not received here");
        let mut callbacks = Callbacks::default();
        callbacks.set(true, secs(0));
        assert!(!callbacks.arrive());
        callbacks.came(secs(1));
        assert!(callbacks.arrive());
        (0..3).for_each(|_| callbacks.missed());
        assert!(!callbacks.arrive(), "three ends in a row were not told");
        callbacks.came(secs(2));
        assert!(callbacks.arrive());
    }

    #[test]
    fn silence_is_told_only_while_tasks_end() {
        let mut callbacks = Callbacks::default();
        callbacks.set(true, secs(100));
        assert!(!callbacks.seem_dead(secs(1000)), "nothing ended");
        callbacks.missed();
        assert!(!callbacks.seem_dead(secs(399)));
        assert!(callbacks.seem_dead(secs(400)));
        callbacks.came(secs(400));
        assert!(!callbacks.seem_dead(secs(1000)));
    }
}
