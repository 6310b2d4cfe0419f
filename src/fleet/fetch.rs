//! Which outputs to bring home next.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::{AssetId, LocalId, Problem};
use crate::time::{Chance, Mono, Wall};

use super::backoff;

/// Attempts for a file that arrives but is no picture.
const ODD_ATTEMPTS: u32 = 3;
/// A disk that refused is asked again this much later.
const DISK_WAIT: Duration = Duration::from_secs(30);
/// And a host that could not prove who it is.
const DISTRUST_WAIT: Duration = Duration::from_secs(600);

#[derive(Clone, Debug)]
struct Wish {
    next: Mono,
    expires: Option<Wall>,
    attempts: u32,
    /// A fresh link was asked for already; a second refusal is final.
    renewed: bool,
    /// The link that was last tried, and the one that was refused.
    tried: Option<String>,
    refused: Option<String>,
    /// Looks at its task that left before it was refused, and may tell the old link.
    stale: u32,
}

/// What to do after a download failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is tried again by itself.
    Later,
    /// Ask the service for a fresh link first.
    Renew,
    /// It will not come any more.
    Lost,
}

/// Outputs that are wanted here and not here yet.
#[derive(Clone, Debug, Default)]
pub struct Fetches {
    wishes: BTreeMap<AssetId, Wish>,
    /// Those that may go, soonest deadline first.
    ready: BTreeSet<(bool, Option<Wall>, Mono, AssetId)>,
    /// Those that wait, by when they may go.
    later: BTreeSet<(Mono, AssetId)>,
    open: BTreeSet<AssetId>,
    /// Looks at one task alone that are under way.
    asked: BTreeMap<LocalId, u32>,
}

impl Fetches {
    /// Wants an output.
    pub fn want(&mut self, id: AssetId, expires: Option<Wall>, now: Mono) {
        if !self.open.contains(&id) && !self.wishes.contains_key(&id) {
            self.wishes.insert(
                id,
                Wish { next: now, expires, attempts: 0, renewed: false, tried: None, refused: None, stale: 0 },
            );
            self.later.insert((now, id));
        }
    }

    fn unlist(&mut self, id: AssetId) {
        if let Some(wish) = self.wishes.get(&id) {
            self.ready.remove(&rank(id, wish));
            self.later.remove(&(wish.next, id));
        }
    }

    fn put_off(&mut self, id: AssetId, until: Mono) {
        self.unlist(id);
        if let Some(wish) = self.wishes.get_mut(&id) {
            wish.next = until;
            self.later.insert((until, id));
        }
    }

    fn of(&self, task: LocalId) -> impl Iterator<Item = (&AssetId, &Wish)> {
        self.wishes.range(AssetId { task, index: 0 }..=AssetId { task, index: u16::MAX })
    }

    fn waiting(&self, task: LocalId) -> Vec<AssetId> {
        self.of(task).filter(|(_, wish)| wish.renewed && wish.next.0 == u64::MAX).map(|(id, _)| *id).collect()
    }

    /// The service was asked about this task alone.
    pub fn asks(&mut self, task: LocalId) {
        *self.asked.entry(task).or_default() += 1;
    }

    /// A question about this task alone was answered, or was not: links may be new, so what waited for one may go,
    /// unless the question had left before the old one was refused.
    pub fn answered(&mut self, task: LocalId, well: bool, now: Mono) {
        let open = self.asked.remove(&task).unwrap_or(0).saturating_sub(1);
        if open > 0 {
            self.asked.insert(task, open);
        }
        for id in self.waiting(task) {
            match self.wishes.get_mut(&id) {
                // Which of several failed nobody knows: the older one may still come.
                Some(wish) if wish.stale > 0 => wish.stale = (wish.stale - u32::from(well)).min(open),
                _ if well => self.put_off(id, now),
                _ => {}
            }
        }
    }

    /// A link came that was not refused, by whatever door.
    pub fn has_link(&mut self, id: AssetId, now: Mono) {
        if self.waiting(id.task).contains(&id) {
            self.put_off(id, now);
        }
    }

    /// A fresh link is waited for.
    #[must_use]
    pub fn wants_link(&self, task: LocalId) -> bool {
        self.of(task).any(|(_, wish)| wish.next.0 == u64::MAX)
    }

    /// No fresh link will come for these outputs of a task: they are not wanted any more.
    pub fn give_up(&mut self, task: LocalId) -> Vec<AssetId> {
        let waiting: Vec<AssetId> =
            self.of(task).filter(|(_, wish)| wish.next.0 == u64::MAX).map(|(id, _)| *id).collect();
        waiting.iter().for_each(|id| self.done(*id));
        waiting
    }

    /// The next output to fetch, soonest deadline first.
    pub fn next(&mut self, slots: u32, now: Mono) -> Option<AssetId> {
        if self.open.len() >= slots as usize {
            return None;
        }
        while let Some((_, id)) = self.later.first().copied().filter(|(at, _)| *at <= now) {
            self.later.pop_first();
            if let Some(wish) = self.wishes.get(&id) {
                self.ready.insert(rank(id, wish));
            }
        }
        let (.., id) = self.ready.pop_first()?;
        self.open.insert(id);
        Some(id)
    }

    /// It is fetched from this link.
    pub fn tries(&mut self, id: AssetId, link: &str) {
        if let Some(wish) = self.wishes.get_mut(&id) {
            wish.tried = Some(link.to_owned());
        }
    }

    /// This link was refused, and a fresh one was asked for: a late answer may still name it.
    #[must_use]
    pub fn was_refused(&self, id: AssetId, link: &str) -> bool {
        self.wishes.get(&id).is_some_and(|wish| wish.refused.as_deref() == Some(link))
    }

    /// It is here.
    pub fn done(&mut self, id: AssetId) {
        self.open.remove(&id);
        self.unlist(id);
        self.wishes.remove(&id);
    }

    /// It did not come.
    pub fn failed(&mut self, id: AssetId, problem: &Problem, now: Mono, chance: &mut Chance) -> Next {
        self.open.remove(&id);
        let Some(wish) = self.wishes.get_mut(&id) else { return Next::Lost };
        wish.attempts += 1;
        let next = match problem {
            Problem::Forbidden { .. } | Problem::NotFound { .. } | Problem::Rejected { .. } if wish.renewed => {
                Next::Lost
            }
            Problem::Forbidden { .. } | Problem::NotFound { .. } | Problem::Rejected { .. } => Next::Renew,
            Problem::Odd { .. } if wish.attempts >= ODD_ATTEMPTS => Next::Lost,
            _ => Next::Later,
        };
        match next {
            Next::Lost => {
                self.wishes.remove(&id);
            }
            Next::Renew => {
                wish.renewed = true;
                wish.refused = wish.tried.take();
                wish.stale = self.asked.get(&id.task).copied().unwrap_or(0);
                self.put_off(id, Mono(u64::MAX));
            }
            Next::Later if matches!(problem, Problem::Local { .. }) => self.put_off(id, now + DISK_WAIT),
            // Nobody mends a certificate within seconds.
            Next::Later if matches!(problem, Problem::Certificate { .. }) => self.put_off(id, now + DISTRUST_WAIT),
            Next::Later => {
                let wait = backoff::delay(wish.attempts, Some(problem), chance);
                self.put_off(id, now + wait);
            }
        }
        next
    }

    /// When something here becomes due by itself.
    #[must_use]
    pub fn due(&self, slots: u32) -> Option<Mono> {
        if self.open.len() >= slots as usize {
            return None;
        }
        let ready = self.ready.first().map(|(_, _, at, _)| *at);
        let later = self.later.first().map(|(at, _)| *at).filter(|at| at.0 != u64::MAX);
        ready.into_iter().chain(later).min()
    }

    /// It is being fetched now.
    #[must_use]
    pub fn is_open(&self, id: AssetId) -> bool {
        self.open.contains(&id)
    }

    /// Nothing is wanted.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.wishes.is_empty()
    }
}

/// Soonest deadline first; what never expires last.
fn rank(id: AssetId, wish: &Wish) -> (bool, Option<Wall>, Mono, AssetId) {
    (wish.expires.is_none(), wish.expires, wish.next, id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(n: u128) -> AssetId {
        AssetId { task: LocalId::from_random(n << 64), index: 0 }
    }

    #[test]
    fn the_soonest_deadline_goes_first() {
        let mut fetches = Fetches::default();
        fetches.want(asset(1), None, Mono(0));
        fetches.want(asset(2), Some(Wall(9000)), Mono(0));
        fetches.want(asset(3), Some(Wall(5000)), Mono(0));
        let order: Vec<_> = std::iter::from_fn(|| fetches.next(9, Mono(1))).collect();
        assert_eq!(order, [asset(3), asset(2), asset(1)]);
    }

    #[test]
    fn a_refused_link_is_renewed_once() {
        let (mut fetches, mut chance) = (Fetches::default(), Chance::new(1));
        let gone = Problem::Forbidden { message: String::new() };
        fetches.want(asset(1), None, Mono(0));
        assert_eq!(fetches.next(3, Mono(0)), Some(asset(1)));
        assert_eq!(fetches.failed(asset(1), &gone, Mono(1), &mut chance), Next::Renew);
        assert_eq!(fetches.next(3, Mono(100_000)), None, "not before there is a fresh link");
        fetches.answered(asset(1).task, true, Mono(2));
        assert_eq!(fetches.next(3, Mono(3)), Some(asset(1)));
        assert_eq!(fetches.failed(asset(1), &gone, Mono(4), &mut chance), Next::Lost);
        assert!(fetches.is_idle());
    }

    #[test]
    fn a_full_disk_is_not_the_end() {
        let (mut fetches, mut chance) = (Fetches::default(), Chance::new(1));
        fetches.want(asset(1), None, Mono(0));
        for round in 0..20 {
            let now = Mono(round * 60_000);
            assert_eq!(fetches.next(3, now), Some(asset(1)));
            let full = Problem::Local { message: "disk full".into() };
            assert_eq!(fetches.failed(asset(1), &full, now, &mut chance), Next::Later);
        }
    }

    /// A13 and B15: what left before the refusal brings nothing fresh.
    #[test]
    fn an_older_look_is_not_taken_for_a_fresh_link() {
        let (mut fetches, mut chance) = (Fetches::default(), Chance::new(1));
        let gone = Problem::Forbidden { message: String::new() };
        fetches.want(asset(1), None, Mono(0));
        fetches.asks(asset(1).task);
        assert_eq!(fetches.next(3, Mono(0)), Some(asset(1)));
        assert_eq!(fetches.failed(asset(1), &gone, Mono(1), &mut chance), Next::Renew);
        fetches.asks(asset(1).task);
        fetches.asks(asset(1).task);
        fetches.answered(asset(1).task, false, Mono(2));
        fetches.answered(asset(1).task, true, Mono(2));
        assert!(fetches.wants_link(asset(1).task));
        assert_eq!(fetches.next(3, Mono(3)), None);
        fetches.answered(asset(1).task, true, Mono(4));
        assert_eq!(fetches.next(3, Mono(5)), Some(asset(1)));
    }
}
