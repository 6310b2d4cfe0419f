//! A batch as a group of rows: which tasks belong to it, whether it is folded, and what it comes to. Everything that its
//! row shows is kept up to date a task at a time.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::batch::{Member, Price, Tally, cost};
use crate::domain::{Catalogue, LocalId, Stage, Task};
use crate::time::{Mono, Wall};

/// The name of a batch.
pub type Name = Arc<str>;
/// What orders tasks: when they were made, and their names for those of the same moment.
pub type Key = (Wall, LocalId);

/// Larger groups are folded until the user says otherwise.
pub const LARGE: usize = 10;
/// How often the end of a batch is foretold anew.
const RECKON: Duration = Duration::from_secs(1);

/// A batch, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// Those of its tasks that are loaded, newest first.
    members: BTreeSet<Reverse<Key>>,
    /// All its tasks, loaded or not, as they are counted.
    counted: HashMap<LocalId, (Stage, Price)>,
    tally: Tally,
    /// What the user said of folding it.
    fold: Option<bool>,
    /// The store was asked what else belongs to it.
    pub asked: bool,
    /// At the service.
    running: BTreeSet<LocalId>,
    /// To be sent.
    waiting: BTreeSet<Key>,
    /// Those with a result here, by their ends.
    results: BTreeSet<(Wall, LocalId)>,
    /// Failures that were tried again.
    retried: HashSet<LocalId>,
    left: Option<Duration>,
    reckoned: Option<Mono>,
}

impl Group {
    /// The loaded tasks, newest first.
    pub fn members(&self) -> impl DoubleEndedIterator<Item = LocalId> {
        self.members.iter().map(|Reverse((_, id))| *id)
    }

    /// Its newest task that is loaded.
    #[must_use]
    pub fn newest(&self) -> Option<Key> {
        self.members.first().map(|Reverse(key)| *key)
    }

    /// Its tasks, loaded or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counted.len().max(self.members.len())
    }

    /// There is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// It has a row of its own: a single task stands for itself.
    #[must_use]
    pub fn has_row(&self) -> bool {
        self.len() > 1
    }

    /// Its tasks are hidden behind its row.
    #[must_use]
    pub fn is_folded(&self) -> bool {
        self.has_row() && self.fold.unwrap_or(self.len() > LARGE)
    }

    /// The user folds or unfolds it.
    pub fn set_fold(&mut self, folded: bool) {
        self.fold = Some(folded);
    }

    /// What it comes to.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// In how long its last task has most likely ended.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        self.left
    }

    /// Its newest task with a result that is on the disk.
    #[must_use]
    pub fn result(&self) -> Option<LocalId> {
        self.results.last().map(|(_, id)| *id)
    }

    /// Something of it has not ended.
    #[must_use]
    pub fn is_open(&self) -> bool {
        let ended = [Stage::Success, Stage::Failed, Stage::Refused, Stage::GivenUp];
        self.tally.tasks() > self.tally.sum_of(&ended)
    }

    /// Something of it is at the service.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// The loaded task below this one, or above it.
    #[must_use]
    pub fn beside(&self, key: Key, down: bool) -> Option<LocalId> {
        let key = Reverse(key);
        let found = if down {
            self.members.range((std::ops::Bound::Excluded(key), std::ops::Bound::Unbounded)).next()
        } else {
            self.members.range(..key).next_back()
        };
        found.map(|Reverse((_, id))| *id)
    }

    /// A task of it is loaded.
    pub(super) fn add(&mut self, key: Key) {
        self.members.insert(Reverse(key));
    }

    /// A task of it is no more.
    pub(super) fn remove(&mut self, key: Key) {
        self.members.remove(&Reverse(key));
        self.forget(key.1);
        self.running.remove(&key.1);
        self.waiting.remove(&key);
        self.results.retain(|(_, id)| *id != key.1);
    }

    fn forget(&mut self, id: LocalId) {
        if let Some((stage, price)) = self.counted.remove(&id) {
            self.tally.take(stage, price);
        }
    }

    fn count(&mut self, id: LocalId, stage: Stage, price: Price) {
        self.forget(id);
        self.counted.insert(id, (stage, price));
        self.tally.add(stage, price);
    }

    /// Counts a loaded task as it stands now. What it may cost is reckoned once: its request never changes.
    pub fn note(&mut self, task: &Task, catalogue: &Catalogue) {
        let stage = task.status.stage();
        match self.counted.get(&task.id) {
            Some((before, _)) if *before == stage => {}
            Some((_, price)) => {
                let price = *price;
                self.count(task.id, stage, price);
            }
            None => self.count(task.id, stage, Price::from(cost(&task.request, catalogue))),
        }
        let key = (task.created, task.id);
        let waits = matches!(stage, Stage::Saved | Stage::Sending);
        if waits {
            self.waiting.insert(key)
        } else {
            self.waiting.remove(&key)
        };
        if stage.is_running() {
            self.running.insert(task.id)
        } else {
            self.running.remove(&task.id)
        };
        if let Some(ended) = task.ended().filter(|_| task.outputs.iter().any(|output| output.home().is_some())) {
            self.results.insert((ended, task.id));
        }
    }

    /// The store tells of all its tasks; those that are not loaded count as it says.
    pub fn learn(&mut self, members: &[Member]) {
        let loaded: HashSet<LocalId> = self.members().collect();
        let there: HashSet<LocalId> = members.iter().map(|member| member.id).collect();
        let gone: Vec<LocalId> =
            self.counted.keys().filter(|id| !loaded.contains(id) && !there.contains(id)).copied().collect();
        gone.into_iter().for_each(|id| self.forget(id));
        for member in members.iter().filter(|member| !loaded.contains(&member.id)) {
            self.count(member.id, member.stage, member.price);
        }
        self.retried.extend(members.iter().filter(|member| member.retried).map(|member| member.id));
    }

    /// This failure was tried again.
    #[must_use]
    pub fn is_retried(&self, id: LocalId) -> bool {
        self.retried.contains(&id)
    }

    /// This failure is tried again.
    pub(super) fn tried_again(&mut self, id: LocalId) {
        self.retried.insert(id);
    }

    /// Foretells its end anew, if that was not done within the last second.
    pub fn reckon(&mut self, now: Mono, done_in: impl FnOnce(&[LocalId], Option<LocalId>) -> Option<Duration>) {
        if self.reckoned.is_some_and(|at| now.since(at) < RECKON) {
            return;
        }
        self.reckoned = Some(now);
        let running: Vec<LocalId> = self.running.iter().copied().collect();
        self.left = done_in(&running, self.waiting.last().map(|(_, id)| *id));
    }
}
