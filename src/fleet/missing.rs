//! Tasks of which the service says that it does not know them: looked for with patience, then called missing, which is
//! no end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Fleet, Order};
use crate::domain::{LocalId, OutputState};
use crate::time::{Mono, Now};

/// Answers of "unknown" in a row, and over what time, before a task counts as missing: a replica may be behind.
const TIMES: u32 = 3;
const SPAN: Duration = Duration::from_secs(60);
/// The same before a paid output is given up, whose link was to be renewed: that takes more.
const LAST_TIMES: u32 = 8;
const LAST_SPAN: Duration = Duration::from_secs(1800);
/// Between the first looks.
const FIRST: Duration = Duration::from_secs(20);
/// Between looks at what is missing: from this, doubling, to that.
const RARELY: Duration = Duration::from_secs(600);
const RAREST: Duration = Duration::from_secs(3600);

/// Who was not known, how often in a row, and since when.
#[derive(Clone, Debug, Default)]
pub(super) struct Absences(HashMap<LocalId, (u32, Mono)>);

impl Absences {
    /// Counts one more. Says how many there were, this one included, and over what time.
    fn note(&mut self, id: LocalId, now: Mono) -> (u32, Duration) {
        let (times, since) = self.0.entry(id).or_insert((0, now));
        *times = times.saturating_add(1);
        (*times, now.since(*since))
    }

    /// There was news of it.
    pub(super) fn over(&mut self, id: LocalId) {
        self.0.remove(&id);
    }
}

impl Fleet {
    /// The service does not know this task. Says when to ask for it again.
    pub(super) fn unknown(&mut self, id: LocalId, now: Now, orders: &mut Vec<Order>) -> Duration {
        let (times, span) = self.absences.note(id, now.mono);
        let ended = self.tasks.get(&id).is_some_and(|task| task.status.is_final());
        if ended && (times < LAST_TIMES || span < LAST_SPAN) {
            return (FIRST * 2u32.saturating_pow((times - 1).min(8))).min(RARELY);
        }
        if times < TIMES || span < SPAN {
            return FIRST;
        }
        if let Some(task) = self.tasks.get_mut(&id) {
            if task.status.is_final() {
                // It ended well and a link was to be renewed: that will not come any more.
                self.no_link(id, orders);
            } else {
                let missed = task.status.clone().missed();
                if missed != task.status {
                    Arc::make_mut(task).status = missed;
                    self.save(id, orders);
                }
            }
        }
        (RARELY * 2u32.saturating_pow((times - TIMES).min(8))).min(RAREST)
    }

    fn no_link(&mut self, id: LocalId, orders: &mut Vec<Order>) {
        let given_up = self.fetches.give_up(id);
        self.watch.stop(id);
        self.absences.over(id);
        let Some(task) = self.tasks.get_mut(&id).filter(|_| !given_up.is_empty()) else { return };
        for asset in given_up {
            if let Some(output) = Arc::make_mut(task).outputs.get_mut(usize::from(asset.index)) {
                let why = "the link has expired, and the service does not know the task any more".to_owned();
                output.state = OutputState::Lost { why };
            }
        }
        self.save(id, orders);
    }
}
