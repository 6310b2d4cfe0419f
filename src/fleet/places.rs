//! On which page of the list a task must be: from the order in which tasks were accepted, and from where the last
//! pages showed them.

use std::collections::HashMap;

use crate::domain::LocalId;
use crate::time::Wall;

/// Tasks next to each other in the list that are planned for together.
pub const BLOCK: usize = 50;

/// The order of all tasks known to be at the service. A place counts from the oldest, so it stays when tasks are
/// created; a rank counts from the newest, as the list does.
#[derive(Clone, Debug, Default)]
pub struct Places {
    rows: Vec<(Wall, LocalId)>,
    places: HashMap<LocalId, usize>,
    /// By block: how many tasks of others (or of ours, not known here) stand before it in the list.
    shifts: HashMap<usize, i64>,
    /// The latest of those.
    shift: i64,
    /// Rows on a page, as the service says it; 0: as asked.
    page_size: usize,
}

impl Places {
    /// A task was accepted now: it is the newest.
    pub fn push(&mut self, id: LocalId, at: Wall) {
        // The calendar may jump; the list does not.
        let at = self.rows.last().map_or(at, |(last, _)| at.max(*last));
        if self.places.insert(id, self.rows.len()).is_none() {
            self.rows.push((at, id));
        }
    }

    /// Tasks came from the store, in any order. Says whether places of other tasks have changed.
    pub fn extend(&mut self, tasks: Vec<(Wall, LocalId)>) -> bool {
        let before = self.rows.last().map(|(at, _)| *at);
        let mut fresh: Vec<_> = tasks.into_iter().filter(|(_, id)| !self.places.contains_key(id)).collect();
        fresh.sort_unstable();
        let moved = before.is_some_and(|last| fresh.first().is_some_and(|(at, _)| *at < last));
        self.rows.extend(fresh);
        // Stable: those of one moment stay in the order in which they were accepted.
        self.rows.sort_by_key(|(at, _)| *at);
        self.places = self.rows.iter().enumerate().map(|(place, (_, id))| (*id, place)).collect();
        if moved {
            self.shifts.clear();
        }
        moved
    }

    /// The place of a task.
    #[must_use]
    pub fn of(&self, id: LocalId) -> Option<usize> {
        self.places.get(&id).copied()
    }

    fn size(&self) -> usize {
        if self.page_size == 0 { super::watch::PAGE_SIZE as usize } else { self.page_size }
    }

    fn shift(&self, block: usize) -> i64 {
        self.shifts.get(&block).copied().unwrap_or(self.shift)
    }

    /// The page, counted from 1, on which this place must be.
    #[must_use]
    #[allow(
        clippy::cast_possible_wrap,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "row counts"
    )]
    pub fn page(&self, place: usize) -> u32 {
        let rank = self.rows.len() as i64 - 1 - place as i64 + self.shift(place / BLOCK);
        (rank.max(0) as usize / self.size()) as u32 + 1
    }

    /// The places that must be on a page, as the neighbourhood of this block sees it.
    #[must_use]
    #[allow(clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "row counts")]
    pub fn on_page(&self, page: u32, block: usize) -> std::ops::Range<usize> {
        let newest = self.rows.len() as i64 + self.shift(block);
        let skipped = i64::from(page.max(1) - 1) * self.size() as i64;
        let (from, to) = (newest - skipped - self.size() as i64, newest - skipped);
        // What should stand before the first row of the list stands on its first page.
        let to = if page <= 1 { self.rows.len() as i64 } else { to };
        from.max(0) as usize..to.clamp(0, self.rows.len() as i64) as usize
    }

    /// A page was read: these of ours stood in these rows of it, counted from 0.
    #[allow(clippy::cast_possible_wrap, reason = "row counts")]
    pub fn seen(&mut self, page: u32, size: u32, hits: &[(LocalId, usize)]) {
        if (1..=super::watch::PAGE_SIZE).contains(&size) {
            self.page_size = size as usize;
        }
        for (id, row) in hits {
            let Some(place) = self.of(*id) else { continue };
            let rank = i64::from(page.max(1) - 1) * self.size() as i64 + *row as i64;
            self.shift = rank - (self.rows.len() as i64 - 1 - place as i64);
            self.shifts.insert(place / BLOCK, self.shift);
        }
    }

    /// A full page showed none of those that should have been on it: they have been pushed down.
    #[allow(clippy::cast_possible_wrap, reason = "row counts")]
    pub fn pushed_down(&mut self, place: usize) {
        let block = place / BLOCK;
        self.shifts.insert(block, self.shift(block) + self.size() as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> LocalId {
        LocalId::from_random(n << 64)
    }

    #[test]
    fn pages_follow_from_what_was_created_later() {
        let mut places = Places::default();
        (0..250).for_each(|n| places.push(id(n), Wall(5)));
        assert_eq!((places.page(249), places.page(149), places.page(0)), (1, 2, 3));
        assert_eq!(places.on_page(3, 0), 0..50);
        assert_eq!(places.on_page(1, 4), 150..250);
    }

    #[test]
    fn tasks_of_others_are_learned_of() {
        let mut places = Places::default();
        (0..10).for_each(|n| places.push(id(n), Wall(5)));
        places.seen(1, 100, &[(id(9), 95)]);
        assert_eq!((places.page(9), places.page(0)), (1, 2));
        assert_eq!(places.on_page(1, 0), 5..10);
        places.pushed_down(3);
        assert_eq!(places.page(9), 2);
    }

    #[test]
    fn older_tasks_may_come_later() {
        let mut places = Places::default();
        places.push(id(1), Wall(50));
        assert!(places.extend(vec![(Wall(10), id(2)), (Wall(50), id(1))]));
        assert_eq!((places.of(id(2)), places.of(id(1))), (Some(0), Some(1)));
    }

    /// While the calendar stands still, or runs behind, tasks are accepted at one moment. Their order stays.
    #[test]
    fn those_of_one_moment_keep_their_places() {
        let mut places = Places::default();
        (0..5).rev().for_each(|n| places.push(id(n), Wall(50)));
        assert!(!places.extend(vec![(Wall(60), id(9)), (Wall(50), id(7))]));
        assert_eq!([4, 3, 2, 1, 0, 7, 9].map(|n| places.of(id(n))), [0, 1, 2, 3, 4, 5, 6].map(Some));
    }
}
