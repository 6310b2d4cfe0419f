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

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Creating a task.
    Create,
    /// Looking at tasks. A part of the allowance is kept for it, so that a long queue never blinds us.
    Look,
}

/// Counts requests in a sliding window, exactly, and requests under way.
#[derive(Clone, Debug)]
pub struct Budget {
    per_minute: u32,
    at_once: u32,
    sent: VecDeque<Mono>,
    open: u32,
    wait_until: Option<Mono>,
}

impl Budget {
    /// A full allowance.
    #[must_use]
    pub fn new(allowance: Allowance) -> Self {
        Self {
            per_minute: allowance.per_minute.max(2),
            at_once: allowance.at_once.max(1),
            sent: VecDeque::new(),
            open: 0,
            wait_until: None,
        }
    }

    fn forget_old(&mut self, now: Mono) {
        while self.sent.front().is_some_and(|at| now.since(*at) >= WINDOW) {
            self.sent.pop_front();
        }
    }

    /// Looks may use everything, creations leave a fifth of it to them.
    fn ceiling(&self, kind: Kind) -> usize {
        let all = self.per_minute as usize;
        match kind {
            Kind::Look => all,
            Kind::Create => all - (all / 5).max(1),
        }
    }

    /// Takes one request out of the allowance, if there is one.
    pub fn take(&mut self, kind: Kind, now: Mono) -> bool {
        self.forget_old(now);
        let allowed = self.open < self.at_once
            && self.wait_until.is_none_or(|until| until <= now)
            && self.sent.len() < self.ceiling(kind);
        if allowed {
            self.sent.push_back(now);
            self.open += 1;
        }
        allowed
    }

    /// A request came back.
    pub fn give_back(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// When a request that was not allowed may be tried again. `None`: when one that is under way comes back.
    #[must_use]
    pub fn free_at(&self, kind: Kind, now: Mono) -> Option<Mono> {
        if self.open >= self.at_once {
            return None;
        }
        let held = self.wait_until.filter(|until| *until > now);
        let live: Vec<Mono> = self.sent.iter().copied().filter(|at| now.since(*at) < WINDOW).collect();
        let over = (live.len() + 1).saturating_sub(self.ceiling(kind));
        let full = (over > 0).then(|| live[over - 1] + WINDOW);
        held.max(full).or(Some(now))
    }

    /// Learns from `X-RateLimit-*`: the account may have another limit, or another program may use it too \[D\].
    pub fn learn(&mut self, limits: Limits, now: Now) {
        if limits.limit > 0 {
            self.per_minute = limits.limit.clamp(2, 100_000);
        }
        self.forget_old(now.mono);
        let ours = self.per_minute.saturating_sub(u32::try_from(self.sent.len()).unwrap_or(u32::MAX));
        for _ in limits.remaining.min(ours)..ours {
            self.sent.push_back(now.mono);
        }
    }

    /// The service asked us to wait, all of us.
    pub fn hold(&mut self, span: Duration, now: Mono) {
        let until = now + span.min(LONGEST_WAIT);
        self.wait_until = self.wait_until.max(Some(until));
    }

    /// The user wants to go on at once.
    pub fn release(&mut self) {
        self.wait_until = None;
    }

    /// Requests in the last minute, by everything that shares this allowance.
    #[must_use]
    pub fn used(&self, now: Mono) -> usize {
        self.sent.iter().filter(|at| now.since(**at) < WINDOW).count()
    }

    /// Requests allowed in a minute.
    #[must_use]
    pub fn per_minute(&self) -> u32 {
        self.per_minute
    }

    /// Until when everything waits, if it does.
    #[must_use]
    pub fn waiting_until(&self, now: Mono) -> Option<Mono> {
        self.wait_until.filter(|until| *until > now)
    }
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
                budget.give_back();
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
        assert_eq!((creations, looks), (48, 12));
        assert_eq!(budget.free_at(Kind::Look, secs(2)), Some(secs(61)));
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
    fn absurd_waits_are_capped() {
        let mut budget = Budget::new(Allowance::default());
        budget.hold(Duration::from_secs(1_000_000), secs(0));
        assert!(!budget.take(Kind::Look, secs(59)));
        assert!(budget.take(Kind::Look, secs(60)));
    }
}
