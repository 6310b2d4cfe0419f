//! What to expect: when a task ends, when all of them have, and how long everything waits for the allowance.

use std::time::Duration;

use crate::domain::{LocalId, Task};
use crate::time::{Mono, Now, Wall};

use super::Fleet;
use super::budget::Kind;
use super::durations::Curve;

/// Running tasks that are looked into for the end of all; of more, every so many-th.
const SAMPLE: usize = 64;
/// The last one sent has most likely ended after so many times what is usual.
pub(super) const LATE: f64 = 2.0;
/// Nothing is foretold beyond this.
const FARTHEST: f64 = 86_400.0;

/// What is to be expected of a running task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// How long half of its kind take.
    pub usual: Duration,
    /// For how much longer it should run, given that it still does.
    pub left: Duration,
    /// It runs longer than ninety-nine of a hundred of its kind.
    pub slow: bool,
}

/// Why nothing goes out at present, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The service asked for it.
    Asked(Mono),
    /// The requests of this minute are used up, and somebody waits for the next.
    Full(Mono),
    /// All that is to be sent waits for its next attempt.
    Again(Mono),
}

impl Wait {
    /// Until when.
    #[must_use]
    pub fn until(self) -> Mono {
        match self {
            Self::Asked(at) | Self::Full(at) | Self::Again(at) => at,
        }
    }
}

fn age(task: &Task, now: Now) -> Duration {
    now.wall.since(task.accepted().unwrap_or(task.created))
}

impl Fleet {
    pub(super) fn curve_of(&self, task: &Task) -> &Curve {
        self.watch.durations().find(&task.request.full_model(), &task.request.input)
    }

    /// What is to be expected of a running task; `None` of others.
    #[must_use]
    pub fn outlook(&self, id: LocalId, now: Now) -> Option<Outlook> {
        let task = self.tasks.get(&id).filter(|task| task.status.is_running())?;
        let curve = self.curve_of(task);
        // A window that only watches asks nothing, so it has only its calendar.
        let (left, slow) = match self.expected_left(id, now) {
            Some(left) => (left, self.is_outlier(id, now)),
            None => (curve.left(age(task, now)), curve.is_outlier(age(task, now))),
        };
        Some(Outlook { usual: curve.left(Duration::ZERO), left, slow })
    }

    /// In how long everything that is under way, or waits to be sent, has most likely ended. Those that run unusually
    /// long are left out: nobody knows. `None` when there is nothing to expect, or nothing moves.
    #[must_use]
    pub fn all_done_in(&self, now: Now) -> Option<Duration> {
        if self.blocked().is_some() || self.silence().is_some() {
            return None;
        }
        let running: Vec<&Task> =
            self.tasks.values().filter(|task| task.status.is_running()).map(AsRef::as_ref).collect();
        let running = self.last_end(&running, now);
        let mut end = running.unwrap_or_default().as_secs_f64();
        let unsent = self.queue.unsent();
        if let Some(task) = self.queue.any().and_then(|id| self.tasks.get(&id)) {
            end = end.max(self.sent_in(unsent, now) + LATE * self.curve_of(task).left(Duration::ZERO).as_secs_f64());
        }
        (unsent > 0 || running.is_some()).then(|| Duration::from_secs_f64(end.min(FARTHEST)))
    }

    /// In how long the last of these, which run, has most likely ended; none if all run unusually long.
    pub(super) fn last_end(&self, running: &[&Task], now: Now) -> Option<Duration> {
        let step = running.len().div_ceil(SAMPLE).max(1);
        let known = running.iter().step_by(step).map(|task| (self.curve_of(task), age(task, now)));
        let known: Vec<(&Curve, f64)> = known
            .filter(|(curve, age)| !curve.is_outlier(*age))
            .map(|(curve, age)| (curve, age.as_secs_f64()))
            .collect();
        // For each picked one there are so many like it.
        #[allow(clippy::cast_precision_loss, reason = "a small number")]
        let each = step as f64;
        (!known.is_empty()).then(|| Duration::from_secs_f64(last_of(&known, each).min(FARTHEST)))
    }

    /// In how many seconds so many have left, if creations get what looks leave them.
    #[allow(clippy::cast_precision_loss, reason = "thousands at most")]
    pub(super) fn sent_in(&self, unsent: usize, now: Now) -> f64 {
        let pace = (self.budget.dared(now.mono).saturating_sub(self.budget.reserve(now.mono))).max(1) as usize;
        let at_once = pace.saturating_sub(self.budget.used(now.mono)).max(1);
        let first = self
            .budget
            .free_at(Kind::Create, now.mono)
            .max(self.queue.again_at().filter(|_| self.queue.waiting() == 0));
        let first = first.map_or(0.0, |at| at.since(now.mono).as_secs_f64());
        first + unsent.saturating_sub(at_once) as f64 * 60.0 / pace as f64
    }

    /// Why nothing goes out at present, and until when, if somebody waits for it.
    #[must_use]
    pub fn waits(&self, now: Now) -> Option<Wait> {
        if let Some(until) = self.budget.waiting_until(now.mono) {
            return Some(Wait::Asked(until));
        }
        if self.blocked().is_some() {
            return None;
        }
        if self.queue.waiting() > 0 {
            let free = self.budget.free_at(Kind::Create, now.mono).filter(|at| *at > now.mono);
            return free.map(Wait::Full);
        }
        self.queue.again_at().filter(|at| *at > now.mono).map(Wait::Again)
    }

    /// This moment by the service's clock, by which its deadlines are to be judged.
    #[must_use]
    pub fn at_service(&self, now: Now) -> Wall {
        self.skew.service(now)
    }

    /// A sentence for the user when this machine's clock is wrong by more than a few minutes.
    #[must_use]
    pub fn wrong_clock(&self, now: Now) -> Option<String> {
        let (by, ahead) = self.skew.far(now)?;
        let (by, unit) = match by.as_secs() {
            secs @ 0..7200 => ((secs + 30) / 60, "minutes"),
            secs @ 7200..172_800 => ((secs + 1800) / 3600, "hours"),
            secs => ((secs + 43_200) / 86_400, "days"),
        };
        let side = if ahead { "ahead of" } else { "behind" };
        Some(format!("the clock of this machine is {by} {unit} {side} the service's; deadlines go by the service's"))
    }
}

/// In how many seconds the last of these has ended, as likely as not; each stands for `each` like it.
fn last_of(tasks: &[(&Curve, f64)], each: f64) -> f64 {
    if tasks.is_empty() {
        return 0.0;
    }
    // The likelihood that all have ended is the product of their own; it should be a half.
    let all_ended = |after: f64| {
        let ended = |(curve, age): &(&Curve, f64)| -(-curve.unseen(*age, age + after).0).exp_m1();
        tasks.iter().map(|task| ended(task).max(1e-12).ln() * each).sum::<f64>() >= -std::f64::consts::LN_2
    };
    let (mut low, mut high) = (0.0, 1.0);
    while !all_ended(high) && high < FARTHEST {
        (low, high) = (high, high * 2.0);
    }
    while high - low > 0.25 + low / 50.0 {
        let middle = f64::midpoint(low, high);
        if all_ended(middle) { high = middle } else { low = middle }
    }
    high
}
