//! One allowance of requests for everything that asks the service, whoever wants it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::config::Allowance;
use crate::domain::Limits;
use crate::time::{Mono, Now};

/// The window in which requests are counted \[D\].
const WINDOW: Duration = Duration::from_secs(60);
/// The longest wait we accept from the service for reads and sends; longer ones are tried again then.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// In this time a share of the limit grows from nothing to the whole.
const REGAIN: Duration = Duration::from_secs(600);
/// Refusals this close together have one cause.
const ONE_STORM: Duration = Duration::from_secs(10);

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Creating a task.
    Create,
    /// Looking at tasks. A part of the allowance is kept for it, so that a long queue never blinds us.
    Look,
}

/// Counts requests in a sliding window, exactly, and requests under way.
///
/// A request that is under way counts, and it counts for a whole window after its answer came: when the service
/// counted it nobody knows, but it was before that. So the service's own window never overflows on our account,
/// however uneven the network is.
#[derive(Clone, Debug)]
pub struct Budget {
    /// What the service allows, as far as is known.
    limit: u32,
    /// What the user allows at most.
    ceiling: u32,
    at_once: u32,
    ended: VecDeque<(Mono, Kind)>,
    /// How many of `ended` were looks.
    looks: u32,
    open: u32,
    open_looks: u32,
    wait_until: Option<Mono>,
    /// The share of the limit we dare to use since this moment; it grows back to the whole.
    cut: Option<(Mono, f64)>,
}

impl Budget {
    /// A full allowance.
    #[must_use]
    pub fn new(allowance: Allowance) -> Self {
        Self {
            limit: allowance.per_minute.max(2),
            ceiling: allowance.ceiling.clamp(2, 100_000),
            at_once: allowance.at_once.max(1),
            ended: VecDeque::new(),
            looks: 0,
            open: 0,
            open_looks: 0,
            wait_until: None,
            cut: None,
        }
    }

    fn forget_old(&mut self, now: Mono) {
        while let Some((_, kind)) = self.ended.front().filter(|(at, _)| now.since(*at) >= WINDOW) {
            self.looks -= u32::from(*kind == Kind::Look);
            self.ended.pop_front();
        }
        if self.cut.is_some() && self.share(now) >= 1.0 {
            self.cut = None;
        }
    }

    fn share(&self, now: Mono) -> f64 {
        self.cut.map_or(1.0, |(since, share)| (share + now.since(since).as_secs_f64() / REGAIN.as_secs_f64()).min(1.0))
    }

    /// Requests that we dare to send in a minute, now.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small number")]
    pub fn dared(&self, now: Mono) -> u32 {
        ((f64::from(self.limit) * self.share(now)) as u32).max(2)
    }

    /// How many looks a minute are surely left when creations take what they can get.
    #[must_use]
    pub fn reserve(&self, now: Mono) -> u32 {
        reserve(self.dared(now))
    }

    /// Takes one request out of the allowance, if there is one.
    pub fn take(&mut self, kind: Kind, now: Mono) -> bool {
        self.forget_old(now);
        let allowed = self.free_at(kind, now) == Some(now);
        if allowed {
            self.open += 1;
            self.open_looks += u32::from(kind == Kind::Look);
        }
        allowed
    }

    /// A request came back, or was given up.
    pub fn give_back(&mut self, kind: Kind, now: Mono) {
        self.give_back_unsent(kind);
        self.note(kind, now);
    }

    /// A request that was taken never left.
    pub fn give_back_unsent(&mut self, kind: Kind) {
        self.open = self.open.saturating_sub(1);
        self.open_looks = self.open_looks.saturating_sub(u32::from(kind == Kind::Look));
    }

    fn note(&mut self, kind: Kind, now: Mono) {
        self.ended.push_back((now, kind));
        self.looks += u32::from(kind == Kind::Look);
    }

    /// When a request that was not allowed may be tried again. `None`: when one that is under way comes back.
    #[must_use]
    pub fn free_at(&self, kind: Kind, now: Mono) -> Option<Mono> {
        if self.open >= self.at_once {
            return None;
        }
        let held = self.wait_until.filter(|until| *until > now);
        let all = self.dared(now);
        let old = self.ended.partition_point(|(at, _)| now.since(*at) >= WINDOW);
        let live = || self.ended.iter().skip(old).map(|(at, _)| *at);
        let mut full = freed(self.ended.len() - old, self.open, all, live)?;
        if kind == Kind::Create {
            // Looks may use everything, creations leave some of it to them.
            let creations = || self.ended.iter().skip(old).filter(|(_, kind)| *kind == Kind::Create).map(|(at, _)| *at);
            let share = all - reserve(all);
            if self.open as usize + self.ended.len() - old >= share as usize {
                let open = self.open - self.open_looks;
                full = full.max(freed(creations().count(), open, share, creations)?);
            }
        }
        held.max(full).or(Some(now))
    }

    /// Learns from `X-RateLimit-*`: the account may have another limit, or another program may use it too \[D\].
    pub fn learn(&mut self, limits: Limits, now: Now) {
        if limits.limit > 0 {
            self.limit = limits.limit.clamp(2, self.ceiling);
        }
        self.forget_old(now.mono);
        let mine = u32::try_from(self.ended.len()).unwrap_or(u32::MAX).saturating_add(self.open);
        let ours = self.limit.saturating_sub(mine);
        for _ in limits.remaining.min(ours)..ours {
            self.note(Kind::Create, now.mono);
        }
    }

    /// The service asked us to wait, all of us.
    pub fn hold(&mut self, span: Duration, now: Mono) {
        let until = now + span.min(LONGEST_WAIT);
        self.wait_until = self.wait_until.max(Some(until));
    }

    /// The service refused a request as one too many: from here on we dare half, and the rest comes back slowly.
    /// Several refusals of one moment count once.
    pub fn refused(&mut self, now: Mono) {
        self.forget_old(now);
        if self.cut.is_none_or(|(since, _)| now.since(since) >= ONE_STORM) {
            self.cut = Some((now, (self.share(now) / 2.0).max(1.0 / 16.0)));
        }
    }

    /// The user wants to go on at once.
    pub fn release(&mut self) {
        self.wait_until = None;
    }

    /// Requests in the last minute, by everything that shares this allowance.
    #[must_use]
    pub fn used(&self, now: Mono) -> usize {
        let old = self.ended.partition_point(|(at, _)| now.since(*at) >= WINDOW);
        self.ended.len() - old + self.open as usize
    }

    /// Looks among them.
    #[must_use]
    pub fn looks(&self, now: Mono) -> u32 {
        let gone = self.ended.iter().take_while(|(at, _)| now.since(*at) >= WINDOW);
        let gone = gone.filter(|(_, kind)| *kind == Kind::Look).count();
        (self.looks + self.open_looks).saturating_sub(u32::try_from(gone).unwrap_or(u32::MAX))
    }

    /// Requests allowed in a minute.
    #[must_use]
    pub fn per_minute(&self) -> u32 {
        self.limit
    }

    /// Until when everything waits, if it does.
    #[must_use]
    pub fn waiting_until(&self, now: Mono) -> Option<Mono> {
        self.wait_until.filter(|until| *until > now)
    }
}

/// With so many counted and so many under way: from when on one more fits below the ceiling. `Some(None)`: now;
/// `None`: not before one that is under way comes back.
#[allow(clippy::option_option, reason = "never, now, and later")]
fn freed<I: Iterator<Item = Mono>>(
    live: usize,
    open: u32,
    ceiling: u32,
    times: impl Fn() -> I,
) -> Option<Option<Mono>> {
    match (open as usize + live + 1).saturating_sub(ceiling as usize) {
        0 => Some(None),
        over => times().nth(over - 1).map(|at| Some(at + WINDOW)),
    }
}

/// A fifteenth: one page every fifteen seconds at sixty a minute, and the rest may create.
fn reserve(all: u32) -> u32 {
    (all / 15).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(s: u64) -> Mono {
        Mono(s * 1000)
    }

    #[test]
    fn never_more_than_allowed_in_any_window() {
        let mut budget = Budget::new(Allowance { at_once: 1000, ..Allowance::default() });
        let mut taken = Vec::new();
        for tick in 0..3000 {
            let now = Mono(tick * 100);
            if budget.take(Kind::Look, now) {
                taken.push(now);
                budget.give_back(Kind::Look, now);
            }
        }
        for (i, first) in taken.iter().enumerate() {
            let inside = taken[i..].iter().take_while(|at| at.since(*first) < WINDOW).count();
            assert!(inside <= 60, "{inside} requests within a minute of {first:?}");
        }
        assert!(taken.len() >= 300, "and no less than is allowed: {}", taken.len());
    }

    #[test]
    fn creations_leave_room_for_looks() {
        let mut budget = Budget::new(Allowance { at_once: 1000, ..Allowance::default() });
        let creations = (0..100).filter(|_| budget.take(Kind::Create, secs(1))).count();
        let looks = (0..100).filter(|_| budget.take(Kind::Look, secs(1))).count();
        assert_eq!((creations, looks), (56, 4));
        assert_eq!(budget.free_at(Kind::Look, secs(2)), None, "all that counts is under way");
        budget.give_back(Kind::Look, secs(2));
        assert_eq!(budget.free_at(Kind::Look, secs(3)), Some(secs(62)));
    }

    #[test]
    fn a_refusal_halves_what_is_dared_and_it_comes_back() {
        let mut budget = Budget::new(Allowance::default());
        budget.refused(secs(0));
        budget.refused(secs(1));
        assert_eq!(budget.dared(secs(1)), 30);
        budget.refused(secs(20));
        assert!((15..=17).contains(&budget.dared(secs(20))));
        assert!(budget.dared(secs(200)) > 30);
        assert_eq!((budget.dared(secs(600)), budget.per_minute()), (60, 60));
    }

    #[test]
    fn other_users_of_the_account_are_counted() {
        let mut budget = Budget::new(Allowance::default());
        let now = Now { mono: secs(1), ..Now::default() };
        budget.learn(Limits { limit: 60, remaining: 1, reset: None }, now);
        assert!(budget.take(Kind::Look, secs(1)));
        assert!(!budget.take(Kind::Look, secs(1)));
        assert!(budget.take(Kind::Look, secs(61)));
    }

    #[test]
    fn the_service_does_not_raise_what_the_user_allows() {
        let settings = crate::config::Settings { requests_per_minute: Some(30), ..Default::default() };
        let mut budget = Budget::new(settings.allowance());
        assert_eq!(budget.per_minute(), 30);
        for (says, holds) in [(120, 30), (20, 20), (45, 30)] {
            budget.learn(Limits { limit: says, remaining: says, reset: None }, Now::default());
            assert_eq!(budget.per_minute(), holds);
        }
    }

    #[test]
    fn absurd_waits_are_capped() {
        let mut budget = Budget::new(Allowance::default());
        budget.hold(Duration::from_secs(1_000_000), secs(0));
        assert!(!budget.take(Kind::Look, secs(59)));
        assert!(budget.take(Kind::Look, secs(60)));
    }
}
