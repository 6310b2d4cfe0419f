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

#[derive(Clone, Copy, Debug)]
struct Wish {
    next: Mono,
    expires: Option<Wall>,
    attempts: u32,
    /// A fresh link was asked for already; a second refusal is final.
    renewed: bool,
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
    open: BTreeSet<AssetId>,
}

impl Fetches {
    /// Wants an output.
    pub fn want(&mut self, id: AssetId, expires: Option<Wall>, now: Mono) {
        if !self.open.contains(&id) {
            self.wishes.entry(id).or_insert(Wish { next: now, expires, attempts: 0, renewed: false });
        }
    }

    /// A fresh answer about this task came in: links may be new, so what waited for one may go.
    pub fn renewed(&mut self, task: LocalId, now: Mono) {
        for (id, wish) in &mut self.wishes {
            if id.task == task && wish.renewed && wish.next.0 == u64::MAX {
                wish.next = now;
            }
        }
    }

    /// A fresh link is waited for.
    #[must_use]
    pub fn wants_link(&self, task: LocalId) -> bool {
        self.wishes.iter().any(|(id, wish)| id.task == task && wish.next.0 == u64::MAX)
    }

    /// The next output to fetch, soonest deadline first.
    pub fn next(&mut self, slots: u32, now: Mono) -> Option<AssetId> {
        if self.open.len() >= slots as usize {
            return None;
        }
        let id = self
            .wishes
            .iter()
            .filter(|(id, wish)| wish.next <= now && !self.open.contains(id))
            .min_by_key(|(_, wish)| (wish.expires.is_none(), wish.expires, wish.next))
            .map(|(id, _)| *id)?;
        self.open.insert(id);
        Some(id)
    }

    /// It is here.
    pub fn done(&mut self, id: AssetId) {
        self.open.remove(&id);
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
                wish.next = Mono(u64::MAX);
            }
            Next::Later if matches!(problem, Problem::Local { .. }) => wish.next = now + DISK_WAIT,
            Next::Later => wish.next = now + backoff::delay(wish.attempts, Some(problem), chance),
        }
        next
    }

    /// When something here becomes due by itself.
    #[must_use]
    pub fn due(&self, slots: u32) -> Option<Mono> {
        if self.open.len() >= slots as usize {
            return None;
        }
        let waiting = self.wishes.iter().filter(|(id, _)| !self.open.contains(id));
        waiting.map(|(_, wish)| wish.next).min().filter(|at| at.0 != u64::MAX)
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
        fetches.renewed(asset(1).task, Mono(2));
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
}
