//! A model of the line to the terminal: how many bytes may be under way so that no key waits behind them.
//!
//! Behind pieces of pictures goes a fence, a question that every terminal answers (`CSI 5 n`, `CSI 0 n` \[B\]), so that
//! each answer says how far the terminal has come. Rate and round trip are learned from the answers, much as BBR
//! does it: the largest rate of late and the smallest round trip, and of the line's own queue no more than
//! [`QUEUE`]. Pure: time is an argument, counted from any fixed moment.

use std::collections::VecDeque;
use std::time::Duration;

use super::speed::{Answers, CAREFUL, Grant, LineState, SLICE_LEAST};

/// Time since a moment that does not change.
pub type Time = Duration;

/// Queue that pictures may cause, at least; a quarter of a long round trip otherwise.
const QUEUE: Duration = Duration::from_millis(80);
/// The same, at most.
const QUEUE_MOST: Duration = Duration::from_millis(150);
/// Time of the line that a slice takes.
const SLICE: f64 = 0.03;
/// Bytes of a slice, at most.
pub const SLICE_MOST: usize = 4096;
/// Bytes that may be under way before the first answer, behind ssh and near.
const FIRST: [f64; 2] = [4_096.0, 262_144.0];
/// A terminal that has never answered is mute after this.
const MUTE: Duration = Duration::from_secs(1);
/// One that has answered before is given longer: somebody may have stopped it.
const LOST: Duration = Duration::from_secs(3);
/// The round trip is measured on an empty line from time to time, even if that has to be made empty.
const PROBE: Duration = Duration::from_secs(10);
/// For so long the line is left to become empty.
const LULL: Duration = Duration::from_secs(1);
/// And, when it is empty anyway, as often as this.
const PROBE_EMPTY: Duration = Duration::from_secs(1);
/// Samples of the round trip that are kept.
const TRIPS: usize = 5;
/// Samples of the rate are kept this long at least.
const RATE_WINDOW: Duration = Duration::from_millis(500);
/// A delay beyond the round trip that shows that the line is full.
const FULL: Duration = Duration::from_millis(40);
/// Answers over less than this are no train yet.
const TRAIN: Duration = Duration::from_millis(30);
/// Slices go together that would otherwise come this close.
const TICK: Duration = Duration::from_millis(10);
/// So much faster than the learned rate slices may follow each other, that a higher one is found.
const PACE: f64 = 1.25;
/// Time of the line that may be written in one go.
const BURST: f64 = 0.06;
/// Answers that are remembered as outstanding.
const MOST: usize = 256;

#[derive(Debug, Clone, Copy)]
struct Fence {
    at: Time,
    /// Bytes sent up to here.
    total: u64,
    /// What was known to have arrived when it was sent, and since when.
    delivered: u64,
    delivered_at: Time,
    first_sent_at: Time,
    /// There was too little to send: the line may be faster than this shows.
    limited: bool,
    /// The line was empty before.
    clean: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Line {
    remote: bool,
    answers: Answers,
    sent: u64,
    delivered: u64,
    delivered_at: Time,
    first_sent_at: Time,
    /// Up to here too little was sent to fill the line.
    limited_to: u64,
    open: VecDeque<Fence>,
    /// When fences were sent whose answers may still come but mean nothing.
    late: VecDeque<Time>,
    rates: VecDeque<(Time, f64)>,
    trips: VecDeque<Duration>,
    probed_at: Option<Time>,
    answered_at: Time,
    fenced_at: Time,
    /// The window of the beginning: it doubles until the line is full.
    growing: Option<f64>,
    /// Bytes had arrived at that time, and more was under way all the time since.
    train: Option<(Time, u64)>,
    /// What may be in the line as far as fences do not tell.
    backlog: f64,
    backlog_at: Time,
    /// Bytes that went faster than [`PACE`] times the rate: an empty line is not filled in one go, for all of that
    /// would wait in its queue.
    burst: f64,
    burst_at: Time,
    /// To a mute terminal nothing goes before this.
    free_at: Time,
}

impl Line {
    /// Nothing known; `remote` if the terminal is behind ssh.
    pub(super) fn new(remote: bool) -> Self {
        Self {
            remote,
            answers: Answers::Unknown,
            sent: 0,
            delivered: 0,
            delivered_at: Time::ZERO,
            first_sent_at: Time::ZERO,
            limited_to: 0,
            open: VecDeque::new(),
            late: VecDeque::new(),
            rates: VecDeque::new(),
            trips: VecDeque::new(),
            probed_at: None,
            answered_at: Time::ZERO,
            fenced_at: Time::ZERO,
            growing: Some(FIRST[usize::from(!remote)]),
            train: None,
            backlog: 0.0,
            backlog_at: Time::ZERO,
            burst: 0.0,
            burst_at: Time::ZERO,
            free_at: Time::ZERO,
        }
    }

    /// Where the terminal is, should that become known later.
    pub(super) fn set_remote(&mut self, remote: bool) {
        if self.remote != remote {
            self.remote = remote;
            self.growing = self.growing.map(|_| FIRST[usize::from(!remote)]);
        }
    }

    /// For others.
    pub(super) fn state(&self, now: Time) -> LineState {
        LineState {
            rate: self.rate().map(|rate| rate as u64),
            round_trip: self.base(),
            answers: self.answers,
            outstanding: self.outstanding(now) as u64,
            remote: self.remote,
        }
    }

    /// These bytes were written, whatever they are.
    pub(super) fn sent(&mut self, bytes: usize, now: Time) {
        self.backlog = self.leaked(now);
        self.backlog_at = now;
        if self.open.is_empty() && self.backlog <= 0.0 {
            self.delivered = self.sent;
        }
        if self.sent == self.delivered {
            self.delivered_at = now;
            self.first_sent_at = now;
            self.train = None;
            // Until the line is full again, nothing shows how fast it is.
            let pipe = self.rate().unwrap_or(0.0) * self.base().unwrap_or_default().as_secs_f64();
            self.limited_to = self.sent + pipe as u64;
        }
        self.sent += bytes as u64;
        self.backlog += bytes as f64;
        self.burst = self.bursting(now) + bytes as f64;
        self.burst_at = now;
        self.free_at = self.free_at.max(now) + Duration::from_secs_f64(bytes as f64 / self.careful());
    }

    /// A fence was written, and its bytes told to [`sent`](Self::sent).
    pub(super) fn fenced(&mut self, now: Time) {
        if self.open.len() >= MOST {
            self.open.pop_front();
        }
        let clean = self.open.is_empty() && self.sent - self.delivered < 64;
        self.open.push_back(Fence {
            at: now,
            total: self.sent,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent_at: self.first_sent_at,
            limited: clean || self.limited_to > self.delivered,
            clean,
        });
        self.fenced_at = now;
    }

    /// There is nothing more to send at present, though more might go.
    pub(super) fn idle(&mut self, now: Time) {
        if self.outstanding(now) < self.window() {
            self.limited_to = self.limited_to.max(self.sent);
        }
    }

    /// An answer came. True if the terminal had been thought mute or gone: what was sent meanwhile may not have
    /// reached it.
    pub(super) fn answered(&mut self, now: Time) -> bool {
        let patience = self.patience();
        self.late.retain(|at| now.saturating_sub(*at) <= patience);
        if self.answers == Answers::No {
            if self.late.pop_front().is_none() {
                self.open.pop_front();
            }
            self.begin_again(now);
            return true;
        }
        if self.late.pop_front().is_some() {
            return false;
        }
        let Some(fence) = self.open.front().copied() else {
            return false;
        };
        let trip = now.saturating_sub(fence.at);
        if self.base().is_some_and(|base| base > FULL && trip < base / 2) {
            // Too soon: an answer to something else, or to a fence given up long ago.
            return false;
        }
        self.open.pop_front();
        self.answers = Answers::Yes;
        self.learn_trip(&fence, trip, now);
        self.learn_rate(&fence, trip, now);
        self.answered_at = now;
        false
    }

    /// What may be done. `atomic` says how long the next piece is if it cannot be made shorter. A fence that was
    /// waited for in vain makes the terminal a mute one here.
    pub(super) fn grant(&mut self, atomic: Option<usize>, now: Time) -> Grant {
        let limit = if self.answers == Answers::Unknown { MUTE } else { self.patience() };
        let waited_until = self.open.front().map(|fence| fence.at.max(self.answered_at) + limit);
        if waited_until.is_some_and(|until| until <= now) {
            self.answers = Answers::No;
            self.free_at = now;
            self.retire();
        }
        let slice = self.slice();
        if self.answers == Answers::No {
            return if self.free_at <= now + TICK { Grant::Go(slice) } else { Grant::Wait(self.free_at - TICK / 2) };
        }
        let outstanding = self.outstanding(now);
        // For a second: text that keeps coming must not keep pictures away for good.
        let probe_due = self.probed_at.is_some_and(|at| (at + PROBE..at + PROBE + LULL).contains(&now));
        if outstanding <= 0.0 {
            return Grant::Go(slice);
        }
        if let Some(rate) = self.rate() {
            let (over, pace) = (self.bursting(now), rate * PACE);
            if over > 0.0 && over + atomic.unwrap_or(slice) as f64 > rate * BURST {
                let size = (rate * BURST - atomic.unwrap_or(slice) as f64).max(0.0);
                return Grant::Wait(now + Duration::from_secs_f64((over - size) / pace) + TICK / 8);
            }
        }
        // Half a slice more or less: it is the mean that fills the line.
        let size = atomic.unwrap_or(slice / 2) as f64;
        // What is under way but not waiting in the line.
        let pipe = self.rate().unwrap_or(0.0) * self.base().unwrap_or_default().as_secs_f64();
        if !probe_due && (outstanding + size <= self.window() || (atomic.is_some() && outstanding <= pipe)) {
            return Grant::Go(slice);
        }
        match waited_until {
            Some(until) if !self.open.is_empty() => Grant::Wait(until),
            _ => Grant::Fence,
        }
    }

    /// A fence is due before the next piece: the line is empty, and its round trip not fresh.
    pub(super) fn wants_probe(&self, now: Time) -> bool {
        match self.answers {
            Answers::No => self.open.is_empty() && self.fenced_at + MUTE <= now,
            _ => {
                self.open.is_empty()
                    && self.outstanding(now) <= 0.0
                    && self.probed_at.is_none_or(|at| at + PROBE_EMPTY <= now)
            }
        }
    }

    /// A fence is due behind the piece just sent; `end` if it was the last of a picture.
    pub(super) fn wants_fence(&self, end: bool) -> bool {
        let unfenced = self.sent - self.open.back().map_or(self.delivered, |fence| fence.total);
        match self.answers {
            Answers::No => end && self.open.is_empty(),
            _ => end || unfenced as f64 * 8.0 >= self.window(),
        }
    }

    /// Somebody else had the terminal: answers outstanding mean nothing any more.
    pub(super) fn interrupted(&mut self, now: Time) {
        let answers = self.answers;
        self.begin_again(now);
        self.answers = answers;
    }

    /// So slow that slices are made smaller for it; a line that was not measured counts by where it leads.
    pub(super) fn is_slow(&self) -> bool {
        self.slice() < SLICE_MOST
    }

    /// Bytes of a slice.
    fn slice(&self) -> usize {
        let rate = match (self.answers, self.rate()) {
            (Answers::No, _) => self.careful(),
            (_, Some(rate)) => rate,
            // A quarter of the first window.
            (_, None) => FIRST[usize::from(!self.remote)] / 4.0 / SLICE,
        };
        ((rate * SLICE) as usize).clamp(SLICE_LEAST, SLICE_MOST)
    }

    /// Bytes that may be under way.
    fn window(&self) -> f64 {
        self.model().max(self.growing.unwrap_or(0.0)).max(SLICE_LEAST as f64)
    }

    /// The same, by what was learned.
    fn model(&self) -> f64 {
        let base = self.base().unwrap_or_default();
        let queue = (base / 4).clamp(QUEUE, QUEUE_MOST);
        self.rate().unwrap_or(0.0) * (base + queue).as_secs_f64()
    }

    fn rate(&self) -> Option<f64> {
        self.rates.iter().map(|(_, rate)| *rate).reduce(f64::max)
    }

    fn base(&self) -> Option<Duration> {
        self.trips.iter().copied().min()
    }

    fn careful(&self) -> f64 {
        CAREFUL[usize::from(!self.remote)]
    }

    fn patience(&self) -> Duration {
        LOST.max(self.base().unwrap_or_default() * 8)
    }

    fn outstanding(&self, now: Time) -> f64 {
        if self.open.is_empty() { self.leaked(now) } else { (self.sent - self.delivered) as f64 }
    }

    /// When nothing is outstanding any more, should nothing else be sent or answered.
    pub(super) fn drained(&self) -> Option<Time> {
        if let Some(fence) = self.open.front() {
            // An answer that does not come by then is lost, or was taken for another's.
            return Some(fence.at.max(self.answered_at) + self.patience());
        }
        let rate = self.rate().unwrap_or(self.careful()) * 0.8;
        // A microsecond more than it takes, for what is rounded off.
        let left = Duration::try_from_secs_f64(self.backlog / rate.max(1.0)).ok()? + Duration::from_micros(1);
        Some(self.backlog_at + left)
    }

    /// What is left of the backlog, if the line drains it a little slower than it can.
    fn leaked(&self, now: Time) -> f64 {
        let rate = self.rate().unwrap_or(self.careful()) * 0.8;
        (self.backlog - rate * now.saturating_sub(self.backlog_at).as_secs_f64()).max(0.0)
    }

    /// What is left of the burst.
    fn bursting(&self, now: Time) -> f64 {
        let pace = self.rate().unwrap_or(self.careful()) * PACE;
        (self.burst - pace * now.saturating_sub(self.burst_at).as_secs_f64()).max(0.0)
    }

    fn begin_again(&mut self, now: Time) {
        self.retire();
        let late = std::mem::take(&mut self.late);
        *self = Self {
            answers: Answers::Yes,
            sent: self.sent,
            delivered: self.sent,
            limited_to: self.sent,
            delivered_at: now,
            first_sent_at: now,
            answered_at: now,
            fenced_at: self.fenced_at,
            backlog_at: now,
            late,
            ..Self::new(self.remote)
        };
    }
}

mod learn;
#[cfg(test)]
mod tests;
