//! The tasks that are loaded, and which of them may have changed since somebody last looked.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use crate::domain::{LocalId, Task};

/// A map that remembers which of its entries were given out to be changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Tasks {
    all: BTreeMap<LocalId, Arc<Task>>,
    touched: BTreeSet<LocalId>,
}

impl Deref for Tasks {
    type Target = BTreeMap<LocalId, Arc<Task>>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl Tasks {
    pub fn get_mut(&mut self, id: &LocalId) -> Option<&mut Arc<Task>> {
        let task = self.all.get_mut(id);
        if task.is_some() {
            self.touched.insert(*id);
        }
        task
    }

    pub fn insert(&mut self, id: LocalId, task: Arc<Task>) {
        self.touched.insert(id);
        self.all.insert(id, task);
    }

    pub fn remove(&mut self, id: &LocalId) {
        self.touched.insert(*id);
        self.all.remove(id);
    }

    /// All of them; none are left.
    pub fn take(&mut self) -> BTreeMap<LocalId, Arc<Task>> {
        self.touched.extend(self.all.keys());
        std::mem::take(&mut self.all)
    }

    /// Those that may have changed, come or gone since this was last asked.
    pub fn take_touched(&mut self) -> BTreeSet<LocalId> {
        std::mem::take(&mut self.touched)
    }
}
