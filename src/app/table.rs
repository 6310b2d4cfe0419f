//! The task table: order, groups, cursor, visible window. The cursor is a task or a group, not a row.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use super::groups::{Group, Key, Name};
use crate::domain::{LocalId, Stage, Task};
use crate::fleet::Fleet;
use crate::time::Wall;

/// What a row of the table shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A task.
    Task(LocalId),
    /// What was sent together.
    Group(Name),
}

/// Which tasks are shown, and where the cursor is.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Where each task belongs.
    places: HashMap<LocalId, (Wall, Option<Name>)>,
    /// What stands at the first level, newest first: tasks on their own, and groups at the place of their newest.
    heads: BTreeMap<Reverse<Key>, Option<Name>>,
    groups: HashMap<Name, Group>,
    /// What is to be seen when nothing is cut off; made anew from the above when that has changed.
    lines: Vec<Line>,
    stale: bool,
    cursor: Option<Line>,
    /// Where the cursor was when it was last seen: what is there now takes over from what is gone.
    spot: usize,
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

/// The place of a line: of its head, then whether it stands below that, then among its fellows.
type Order = (Reverse<Key>, bool, Reverse<Key>);

impl Table {
    /// Takes in tasks; those that are there already are left alone.
    pub fn add<'a>(&mut self, tasks: impl Iterator<Item = &'a Task>) {
        for task in tasks {
            if self.places.contains_key(&task.id) {
                continue;
            }
            let key = (task.created, task.id);
            let name = task.mark.as_ref().map(|mark| mark.batch.as_str()).filter(|name| !name.is_empty());
            let name = name.map(|name| self.name(name));
            self.places.insert(task.id, (task.created, name.clone()));
            self.stale = true;
            let Some(name) = name else {
                self.heads.insert(Reverse(key), None);
                continue;
            };
            let group = self.groups.entry(name.clone()).or_default();
            let before = group.newest();
            group.add(key);
            self.move_head(name, before);
        }
        if self.cursor.is_none() {
            self.refresh();
            self.cursor = self.lines.first().cloned();
        }
    }

    fn name(&self, name: &str) -> Name {
        self.groups.get_key_value(name).map_or_else(|| Name::from(name), |(known, _)| known.clone())
    }

    /// The newest task of a group may be another one than before.
    fn move_head(&mut self, name: Name, before: Option<Key>) {
        let now = self.groups.get(&name).and_then(Group::newest);
        if now != before {
            before.map(|key| self.heads.remove(&Reverse(key)));
            now.map(|key| self.heads.insert(Reverse(key), Some(name)));
        }
    }

    /// Takes a task out; the cursor moves to its neighbour.
    pub fn remove(&mut self, id: LocalId) {
        if self.cursor == Some(Line::Task(id)) {
            self.refresh();
            let index = self.index().unwrap_or(self.spot);
            let above = index.checked_sub(1);
            self.cursor = self.lines.get(index + 1).or_else(|| self.lines.get(above?)).cloned();
        }
        let Some((created, name)) = self.places.remove(&id) else { return };
        self.stale = true;
        let key = (created, id);
        let Some(name) = name else {
            self.heads.remove(&Reverse(key));
            return;
        };
        if let Some(group) = self.groups.get_mut(&name) {
            let before = group.newest();
            group.remove(key);
            let empty = group.is_empty();
            self.move_head(name.clone(), before);
            if empty {
                self.groups.remove(&name);
            }
        }
    }

    /// Makes the lines anew if something has changed, and lets the cursor be on one of them.
    fn refresh(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        self.lines.clear();
        for (Reverse((_, id)), name) in &self.heads {
            match name.as_ref().and_then(|name| self.groups.get_key_value(name)).filter(|(_, group)| group.has_row()) {
                None => self.lines.push(Line::Task(*id)),
                Some((name, group)) => {
                    self.lines.push(Line::Group(name.clone()));
                    if !group.is_folded() {
                        self.lines.extend(group.members().map(Line::Task));
                    }
                }
            }
        }
        let Some(cursor) = &self.cursor else { return };
        let there = match cursor {
            Line::Task(id) => self.places.contains_key(id).then(|| self.line_of(*id)),
            Line::Group(name) => match self.groups.get(name) {
                Some(group) if !group.has_row() => group.newest().map(|(_, id)| Line::Task(id)),
                found => found.map(|_| cursor.clone()),
            },
        };
        let last = self.lines.len().saturating_sub(1);
        self.cursor = there.or_else(|| self.lines.get(self.spot.min(last)).cloned());
    }

    /// The line that a task is seen in: its own, or that of its group.
    fn line_of(&self, id: LocalId) -> Line {
        match self.group_of(id) {
            Some((name, group)) if group.is_folded() => Line::Group(name.clone()),
            _ => Line::Task(id),
        }
    }

    fn order(&self, line: &Line) -> Option<Order> {
        match line {
            Line::Group(name) => {
                let head = Reverse(self.groups.get(name)?.newest()?);
                Some((head, false, head))
            }
            Line::Task(id) => {
                let (created, _) = self.places.get(id)?;
                let own = Reverse((*created, *id));
                match self.group_of(*id).filter(|(_, group)| group.has_row()) {
                    Some((_, group)) => Some((Reverse(group.newest()?), true, own)),
                    None => Some((own, false, own)),
                }
            }
        }
    }

    /// The chosen task; none while the cursor is on a group.
    #[must_use]
    pub fn cursor(&self) -> Option<LocalId> {
        match &self.cursor {
            Some(Line::Task(id)) => Some(*id),
            _ => None,
        }
    }

    /// What the cursor is on.
    #[must_use]
    pub fn at(&self) -> Option<&Line> {
        self.cursor.as_ref()
    }

    /// The group that the cursor is on.
    #[must_use]
    pub fn group_at(&self) -> Option<&Name> {
        match &self.cursor {
            Some(Line::Group(name)) => Some(name),
            _ => None,
        }
    }

    /// The group that the cursor is on, or in.
    #[must_use]
    pub fn group_here(&self) -> Option<Name> {
        match &self.cursor {
            Some(Line::Group(name)) => Some(name.clone()),
            Some(Line::Task(id)) => {
                self.group_of(*id).filter(|(_, group)| group.has_row()).map(|(name, _)| name.clone())
            }
            None => None,
        }
    }

    /// The group a task belongs to, also one that has no row because it is the only one.
    #[must_use]
    pub fn group_of(&self, id: LocalId) -> Option<(&Name, &Group)> {
        let (_, name) = self.places.get(&id)?;
        self.groups.get_key_value(name.as_ref()?)
    }

    /// A group.
    #[must_use]
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    /// A group, to be changed; what is to be seen is made anew.
    pub fn change(&mut self, name: &str, change: impl FnOnce(&mut Group)) {
        if let Some(group) = self.groups.get_mut(name) {
            let before = (group.has_row(), group.is_folded());
            change(group);
            self.stale |= before != (group.has_row(), group.is_folded());
        }
    }

    /// Folds all groups, or unfolds them.
    pub fn fold_all(&mut self, folded: bool) {
        self.groups.values_mut().for_each(|group| group.set_fold(folded));
        self.stale = true;
    }

    /// Some group is open.
    #[must_use]
    pub fn any_open(&self) -> bool {
        self.groups.values().any(|group| group.has_row() && !group.is_folded())
    }

    /// There are groups with a row of their own.
    #[must_use]
    pub fn has_groups(&self) -> bool {
        self.groups.values().any(Group::has_row)
    }

    /// The row of the cursor.
    #[must_use]
    pub fn index(&self) -> Option<usize> {
        let order = self.order(self.cursor.as_ref()?)?;
        self.lines.binary_search_by(|line| self.order(line).cmp(&Some(order))).ok()
    }

    /// Chooses a task; in a folded group, the group.
    pub fn choose(&mut self, id: LocalId) {
        self.cursor = Some(self.line_of(id));
    }

    /// Chooses a group.
    pub fn choose_group(&mut self, name: &Name) {
        self.cursor = Some(Line::Group(name.clone()));
        self.stale = true;
    }

    /// The task so many places below this one, or above it, groups or not.
    #[must_use]
    pub fn neighbour(&self, id: LocalId, by: isize) -> Option<LocalId> {
        (0..by.unsigned_abs()).try_fold(id, |id, _| self.beside(id, by > 0))
    }

    fn beside(&self, id: LocalId, down: bool) -> Option<LocalId> {
        let key = (self.places.get(&id)?.0, id);
        let group = self.group_of(id).map(|(_, group)| group);
        if let Some(next) = group.and_then(|group| group.beside(key, down)) {
            return Some(next);
        }
        let head = Reverse(group.and_then(Group::newest).unwrap_or(key));
        let (Reverse((_, id)), name) = if down {
            self.heads.range((Bound::Excluded(head), Bound::Unbounded)).next()
        } else {
            self.heads.range(..head).next_back()
        }?;
        let group = name.as_ref().and_then(|name| self.groups.get(name));
        group.and_then(|group| if down { group.members().next() } else { group.members().next_back() }).or(Some(*id))
    }

    /// Moves the cursor by rows.
    pub fn step(&mut self, by: isize) {
        self.refresh();
        let last = self.lines.len().saturating_sub(1);
        let index = self.index().unwrap_or(0).saturating_add_signed(by).min(last);
        self.cursor = self.lines.get(index).cloned();
    }

    /// Moves the cursor to the first or the last row.
    pub fn jump(&mut self, to_end: bool) {
        self.refresh();
        self.cursor = if to_end { self.lines.last() } else { self.lines.first() }.cloned();
    }

    /// Moves the window so that the cursor is inside it.
    pub fn scroll(&mut self, height: usize) {
        self.refresh();
        let index = self.index().unwrap_or(0);
        self.spot = index;
        let furthest = self.lines.len().saturating_sub(height);
        let lowest = (index + 1).saturating_sub(height);
        self.top = self.top.clamp(lowest.min(index), index).min(furthest.max(lowest));
    }

    /// The lines of the window and the position of the cursor among them.
    #[must_use]
    pub fn window(&self, height: usize) -> (Vec<Line>, Option<usize>) {
        let lines = self.lines.iter().skip(self.top).take(height).cloned().collect();
        (lines, self.index().and_then(|index| index.checked_sub(self.top)).filter(|index| *index < height))
    }

    /// The first visible row.
    #[must_use]
    pub fn top(&self) -> usize {
        self.top
    }

    /// When the newest task was made.
    #[must_use]
    pub fn newest(&self) -> Option<Wall> {
        self.heads.first_key_value().map(|(Reverse((created, _)), _)| *created)
    }

    /// Tasks loaded.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Rows to scroll through.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// No tasks at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The window is near the end of what is loaded, and there is more.
    #[must_use]
    pub fn wants_more(&self, height: usize) -> bool {
        self.more && !self.loading && self.top + 3 * height.max(20) > self.lines.len()
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
mod tests;
