//! On which page of the list a task must be: from the order in which tasks were accepted, and from where the last
//! pages showed them.

use std::collections::{HashMap, HashSet};

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
        let before = self.rows.last().copied();
        let fresh: Vec<_> = tasks.into_iter().filter(|(_, id)| !self.places.contains_key(id)).collect();
        let moved = before.is_some_and(|(last, _)| fresh.iter().any(|(at, _)| *at < last));
        // Stable: of what was accepted in the same moment, the order that was learned stays.
        self.rows.extend(fresh);
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

    /// A page was read: these of ours stood in these rows of it, counted from 0, and the account has so many tasks in
    /// all. Says whether places have changed: what was accepted in the same moment has no order before it was seen.
    #[allow(clippy::cast_possible_wrap, reason = "row counts")]
    pub fn seen(&mut self, page: u32, size: u32, total: u64, hits: &[(LocalId, usize)]) -> bool {
        if (1..=super::watch::PAGE_SIZE).contains(&size) {
            self.page_size = size as usize;
        }
        let first = i64::from(page.max(1) - 1) * self.size() as i64;
        let newest = self.rows.len() as i64 - 1;
        // The rank of each, and its place.
        let mut seen: Vec<(i64, usize)> =
            hits.iter().filter_map(|(id, row)| Some((first + *row as i64, self.of(*id)?))).collect();
        seen.sort_unstable();
        // Tasks of others may stand between ours; ours that are thought to stand between them and do not, stand
        // elsewhere.
        let in_order =
            |pair: &[(i64, usize)]| pair[1].1 < pair[0].1 && (pair[0].1 - pair[1].1) as i64 <= pair[1].0 - pair[0].0;
        let moved = !seen.windows(2).all(in_order) && {
            let shift = self.shift_seen(&seen, newest, total);
            self.reorder(&mut seen, newest, shift)
        };
        for (rank, place) in seen {
            self.shift = rank - (newest - place as i64);
            self.shifts.insert(place / BLOCK, self.shift);
        }
        moved
    }

    /// How many rows of others stand before the middle one of these, when their order was not what we thought.
    #[allow(clippy::cast_possible_wrap, reason = "row counts")]
    fn shift_seen(&self, seen: &[(i64, usize)], newest: i64, total: u64) -> i64 {
        let mut shifts: Vec<i64> = seen.iter().map(|(rank, place)| rank - (newest - *place as i64)).collect();
        shifts.sort_unstable();
        let (low, middle, high) = (shifts[shifts.len() / 4], shifts[shifts.len() / 2], shifts[shifts.len() * 3 / 4]);
        // A few out of order say where the page is; when all are, on the first page the
        // first of ours is the newest, and on others only what was known before helps.
        let shift = if high - low < self.size() as i64 / 2 {
            middle
        } else if seen[0].0 < self.size() as i64 {
            seen[0].0
        } else {
            self.shift
        };
        let others = i64::try_from(total).unwrap_or(i64::MAX).saturating_sub(newest + 1);
        shift.clamp(others.min(0), others.max(0))
    }

    /// Puts these where they were seen, next to each other; the others keep their order around them.
    #[allow(clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "row counts")]
    fn reorder(&mut self, seen: &mut [(i64, usize)], newest: i64, shift: i64) -> bool {
        let middle = seen.len() / 2;
        let top = newest - (seen[middle].0 - shift) + middle as i64;
        let top = top.clamp(seen.len() as i64 - 1, newest) as usize;
        let bottom = top + 1 - seen.len();
        // Oldest first, as the rows are.
        let ids: Vec<LocalId> = seen.iter().rev().map(|(_, place)| self.rows[*place].1).collect();
        let away: HashSet<LocalId> = ids.iter().copied().collect();
        let mut order: Vec<LocalId> = self.rows.iter().map(|(_, id)| *id).filter(|id| !away.contains(id)).collect();
        order.splice(bottom..bottom, ids);
        // A time stays at its place: it only says where other tasks belong that come from the store.
        let moved = order.iter().zip(&self.rows).any(|(new, (_, old))| new != old);
        self.rows.iter_mut().zip(order).for_each(|(row, id)| row.1 = id);
        self.places = self.rows.iter().enumerate().map(|(place, (_, id))| (*id, place)).collect();
        for (n, row) in seen.iter_mut().enumerate() {
            row.1 = top - n;
        }
        moved
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
        places.seen(1, 100, 96, &[(id(9), 95)]);
        assert_eq!((places.page(9), places.page(0)), (1, 2));
        assert_eq!(places.on_page(1, 0), 5..10);
        places.pushed_down(3);
        assert_eq!(places.page(9), 2);
    }

    #[test]
    fn tasks_of_one_moment_are_put_where_they_were_seen() {
        let mut places = Places::default();
        (0..250).for_each(|n| places.push(id(n), Wall(5)));
        let page: Vec<(LocalId, usize)> = (0..100).map(|row| (id((row as u128 * 7) % 250), row)).collect();
        assert!(places.seen(1, 100, 250, &page));
        assert!(!places.seen(1, 100, 250, &page), "nothing new");
        assert!(page.iter().all(|(id, row)| places.of(*id) == Some(249 - row)));
        let all: HashSet<usize> = (0..250).filter_map(|n| places.of(id(n))).collect();
        assert_eq!(all.len(), 250, "nobody is lost");
    }

    #[test]
    fn tasks_of_others_in_between_change_no_order() {
        let mut places = Places::default();
        (0..10).for_each(|n| places.push(id(n), Wall(5)));
        assert!(!places.seen(1, 100, 14, &[(id(9), 0), (id(8), 1), (id(7), 5), (id(6), 6)]));
        assert_eq!((places.of(id(9)), places.of(id(6)), places.page(0)), (Some(9), Some(6), 1));
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
