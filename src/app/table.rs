//! The task table: order, cursor, visible window. The cursor is a task, not a row.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{LocalId, Stage, Task};
use crate::fleet::Fleet;
use crate::time::Wall;

/// Which tasks are shown, and where the cursor is.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Newest first.
    rows: Vec<(Wall, LocalId)>,
    /// The chosen task.
    cursor: Option<LocalId>,
    /// The first visible row.
    top: usize,
    /// The last task of the pages that came from the store; older ones continue here.
    pub frontier: Option<(Wall, LocalId)>,
    /// The history goes on beyond the last row.
    pub more: bool,
    /// Older rows were asked for and have not come.
    pub loading: bool,
    /// Tasks in the store that are not loaded, by stage.
    pub unloaded: BTreeMap<Stage, u64>,
    /// Tasks that other programs created.
    pub others: Others,
}

/// The rows of tasks that other programs created.
#[derive(Clone, Debug, Default)]
pub struct Others {
    /// They are to be shown.
    pub shown: bool,
    /// Those that are.
    pub rows: BTreeSet<LocalId>,
    /// The state of the fleet's knowledge that they show.
    pub version: u64,
}

impl Table {
    /// Takes in tasks; those that are there already are left alone.
    pub fn add<'a>(&mut self, tasks: impl Iterator<Item = &'a Task>) {
        let before = self.rows.len();
        for task in tasks {
            self.rows.push((task.created, task.id));
        }
        if self.rows.len() > before {
            self.rows.sort_unstable_by(|a, b| b.cmp(a));
            self.rows.dedup();
        }
        if self.cursor.is_none() {
            self.cursor = self.rows.first().map(|(_, id)| *id);
        }
    }

    /// Takes a task out; the cursor moves to its neighbour.
    pub fn remove(&mut self, id: LocalId) {
        if let Some(index) = self.index_of(id) {
            self.rows.remove(index);
            if self.cursor == Some(id) {
                let next = index.min(self.rows.len().saturating_sub(1));
                self.cursor = self.rows.get(next).map(|(_, id)| *id);
            }
        }
    }

    fn index_of(&self, id: LocalId) -> Option<usize> {
        self.rows.iter().position(|(_, row)| *row == id)
    }

    /// The chosen task.
    #[must_use]
    pub fn cursor(&self) -> Option<LocalId> {
        self.cursor
    }

    /// The row of the chosen task.
    #[must_use]
    pub fn index(&self) -> Option<usize> {
        self.cursor.and_then(|id| self.index_of(id))
    }

    /// Chooses a task.
    pub fn choose(&mut self, id: LocalId) {
        self.cursor = Some(id);
    }

    /// The task so many rows below this one, or above it.
    #[must_use]
    pub fn neighbour(&self, id: LocalId, by: isize) -> Option<LocalId> {
        let at = self.index_of(id)?.checked_add_signed(by)?;
        self.rows.get(at).map(|(_, id)| *id)
    }

    /// Moves the cursor by rows.
    pub fn step(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        let index = self.index().unwrap_or(0).saturating_add_signed(by).min(last);
        self.cursor = self.rows.get(index).map(|(_, id)| *id);
    }

    /// Moves the cursor to the first or the last row.
    pub fn jump(&mut self, to_end: bool) {
        let row = if to_end { self.rows.last() } else { self.rows.first() };
        self.cursor = row.map(|(_, id)| *id);
    }

    /// Moves the window so that the cursor is inside it.
    pub fn scroll(&mut self, height: usize) {
        let index = self.index().unwrap_or(0);
        let furthest = self.rows.len().saturating_sub(height);
        let lowest = (index + 1).saturating_sub(height);
        self.top = self.top.clamp(lowest.min(index), index).min(furthest.max(lowest));
    }

    /// The rows of the window and the position of the cursor among them.
    #[must_use]
    pub fn window(&self, height: usize) -> (Vec<LocalId>, Option<usize>) {
        let ids = self.rows.iter().skip(self.top).take(height).map(|(_, id)| *id).collect();
        (ids, self.index().and_then(|index| index.checked_sub(self.top)).filter(|index| *index < height))
    }

    /// The first visible row.
    #[must_use]
    pub fn top(&self) -> usize {
        self.top
    }

    /// When the newest task was made.
    #[must_use]
    pub fn newest(&self) -> Option<Wall> {
        self.rows.first().map(|(created, _)| *created)
    }

    /// The newest task.
    #[must_use]
    pub fn newest_row(&self) -> Option<LocalId> {
        self.rows.first().map(|(_, id)| *id)
    }

    /// Rows loaded.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// No rows at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The window is near the end of what is loaded, and there is more.
    #[must_use]
    pub fn wants_more(&self, height: usize) -> bool {
        self.more && !self.loading && self.top + 3 * height.max(20) > self.rows.len()
    }
}

/// How many tasks stand where, loaded or not.
#[must_use]
pub fn counts(fleet: &Fleet, table: &Table) -> BTreeMap<Stage, u64> {
    let mut counts = table.unloaded.clone();
    for task in fleet.tasks() {
        *counts.entry(task.status.stage()).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Request;
    use std::sync::Arc;

    fn task(n: u128) -> Task {
        let request = Request::new("m", None, serde_json::Map::new(), String::new(), String::new(), None);
        Task::new(LocalId::from_random(n << 64), Arc::new(request), Wall(i64::try_from(n).unwrap_or(0)))
    }

    #[test]
    fn the_cursor_sticks_to_the_task() {
        let tasks: Vec<Task> = (1..=5).map(task).collect();
        let mut table = Table::default();
        table.add(tasks[..3].iter());
        table.step(1);
        let chosen = table.cursor();
        assert_eq!((chosen, table.index()), (Some(tasks[1].id), Some(1)));
        table.add(tasks[3..].iter());
        assert_eq!((table.cursor(), table.index()), (chosen, Some(3)));
    }

    #[test]
    fn the_window_follows_the_cursor_and_no_more() {
        let tasks: Vec<Task> = (1..=50).map(task).collect();
        let mut table = Table::default();
        table.add(tasks.iter());
        for height in [1, 3, 10, 100] {
            table.jump(true);
            table.scroll(height);
            assert!(table.window(height).1.is_some(), "{height}");
            table.jump(false);
            table.scroll(height);
            assert_eq!(table.top(), 0);
        }
        table.step(4);
        table.scroll(10);
        assert_eq!(table.top(), 0, "no scrolling while the cursor is inside");
        table.scroll(0);
    }

    #[test]
    fn removing_the_chosen_task_chooses_its_neighbour() {
        let tasks: Vec<Task> = (1..=3).map(task).collect();
        let mut table = Table::default();
        table.add(tasks.iter());
        table.jump(true);
        table.remove(tasks[0].id);
        assert_eq!(table.cursor(), Some(tasks[1].id));
        table.remove(tasks[1].id);
        table.remove(tasks[2].id);
        assert_eq!(table.cursor(), None);
    }
}
