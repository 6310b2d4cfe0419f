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

    fn learn_trip(&mut self, fence: &Fence, trip: Duration, now: Time) {
        if fence.clean {
            self.probed_at = Some(now);
        }
        if fence.clean || self.base().is_none_or(|base| trip < base) {
            if self.trips.len() >= TRIPS {
                self.trips.pop_front();
            }
            self.trips.push_back(trip);
        }
    }

    fn learn_rate(&mut self, fence: &Fence, trip: Duration, now: Time) {
        let arrived = fence.total - fence.delivered;
        let took = now.saturating_sub(fence.delivered_at).max(fence.at.saturating_sub(fence.first_sent_at));
        let news = fence.total.saturating_sub(self.delivered);
        self.delivered = self.delivered.max(fence.total);
        self.backlog = (self.sent - self.delivered) as f64;
        self.backlog_at = now;
        // As long as more was under way whenever an answer came, the time between answers is the line's own.
        match self.train {
            Some((at, total)) if fence.at <= self.answered_at => {
                let span = now.saturating_sub(at);
                if span >= TRAIN && self.growing.is_some() {
                    self.push_rate((self.delivered - total) as f64 / span.as_secs_f64(), true, now);
                }
            }
            _ => self.train = Some((now, self.delivered)),
        }
        self.delivered_at = now;
        self.first_sent_at = fence.at;
        if arrived as usize >= SLICE_LEAST / 2 && took > Duration::ZERO {
            // What waited as long as this was held up by the line, not by us.
            let slow = self.base().is_some_and(|base| trip > base * 2 + QUEUE_MOST);
            self.push_rate(arrived as f64 / took.as_secs_f64(), fence.limited && !slow, now);
        }
        let full = !self.rates.is_empty() && self.base().is_some_and(|base| trip > base + FULL);
        let most = (self.model() * 2.0).max(FIRST[usize::from(!self.remote)]);
        self.growing = self.growing.filter(|_| !full).map(|window| (window + news as f64).min(most));
    }

    fn push_rate(&mut self, rate: f64, limited: bool, now: Time) {
        if limited && self.rate().is_some_and(|before| rate <= before) {
            return;
        }
        if !limited {
            let window = RATE_WINDOW.max(self.base().unwrap_or_default() * 4);
            while self.rates.front().is_some_and(|(at, _)| now.saturating_sub(*at) > window) {
                self.rates.pop_front();
            }
        }
        if self.rates.len() >= MOST {
            self.rates.pop_front();
        }
        self.rates.push_back((now, rate.min(1e9)));
    }

    fn retire(&mut self) {
        self.late.extend(self.open.drain(..).map(|fence| fence.at));
        while self.late.len() > MOST {
            self.late.pop_front();
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    const FENCE: usize = 4;

    /// A line of one rate with a delay each way, and a terminal that answers what arrives.
    struct Wire {
        rate: f64,
        way: Duration,
        answering: bool,
        /// When the last byte sent so far has left the line's queue.
        free: Time,
        /// Answers on their way.
        back: VecDeque<Time>,
        most_queue: Duration,
    }

    impl Wire {
        fn new(rate: f64, trip_ms: u64) -> Self {
            let way = Duration::from_millis(trip_ms) / 2;
            Self { rate, way, answering: true, free: Time::ZERO, back: VecDeque::new(), most_queue: Duration::ZERO }
        }

        fn write(&mut self, bytes: usize, now: Time) {
            self.free = self.free.max(now) + Duration::from_secs_f64(bytes as f64 / self.rate);
        }

        fn queue(&self, now: Time) -> Duration {
            self.free.saturating_sub(now)
        }
    }

    struct Play {
        line: Line,
        wire: Wire,
        now: Time,
        fences: usize,
        slices: usize,
        wakes: usize,
    }

    const STEP: Duration = Duration::from_micros(500);

    impl Play {
        fn new(remote: bool, wire: Wire) -> Self {
            Self { line: Line::new(remote), wire, now: Duration::from_secs(5), fences: 0, slices: 0, wakes: 0 }
        }

        fn write(&mut self, bytes: usize) {
            self.wire.write(bytes, self.now);
            self.line.sent(bytes, self.now);
        }

        fn fence(&mut self) {
            self.write(FENCE);
            self.line.fenced(self.now);
            self.fences += 1;
            if self.wire.answering {
                self.wire.back.push_back(self.wire.free + self.wire.way * 2);
            }
        }

        fn hear(&mut self) {
            while self.wire.back.front().is_some_and(|at| *at <= self.now) {
                self.wire.back.pop_front();
                self.line.answered(self.now);
            }
        }

        /// Sends a picture of `bytes`, with a key's echo now and then; answers how long it took.
        fn picture(&mut self, bytes: usize) -> Duration {
            let (begun, mut left) = (self.now, bytes);
            let mut echo = 0;
            while left > 0 {
                self.hear();
                echo += 1;
                if echo % 60 == 0 {
                    self.write(40);
                }
                let mut busy = 0;
                while left > 0 {
                    match self.line.grant(None, self.now) {
                        Grant::Go(slice) => {
                            if self.line.wants_probe(self.now) {
                                self.fence();
                            }
                            let slice = slice.min(left);
                            left -= slice;
                            self.write(slice);
                            self.slices += 1;
                            if self.line.wants_fence(left == 0) {
                                self.fence();
                            }
                        }
                        Grant::Fence => self.fence(),
                        Grant::Wait(until) => {
                            assert!(until > self.now, "a wait that has passed");
                            break;
                        }
                    }
                    self.wire.most_queue = self.wire.most_queue.max(self.wire.queue(self.now));
                    busy += 1;
                    assert!(busy < 100_000, "it never waits");
                }
                self.wakes += 1;
                self.now += STEP;
            }
            self.line.idle(self.now);
            self.now - begun
        }

        fn rest(&mut self, time: Duration) {
            let end = self.now + time;
            while self.now < end {
                self.now += STEP;
                self.hear();
            }
        }

        fn queue_within(&mut self, limit: Duration) {
            assert!(self.wire.most_queue <= limit, "a queue of {:?}", self.wire.most_queue);
            self.wire.most_queue = Duration::ZERO;
        }
    }

    const KBIT: f64 = 125.0;

    #[test]
    fn lines_are_learned_and_filled_but_not_flooded() {
        for (name, remote, rate, trip) in [
            ("256 kbit/s", true, 256.0 * KBIT, 150),
            ("1 Mbit/s", true, 1000.0 * KBIT, 80),
            ("10 Mbit/s", true, 10_000.0 * KBIT, 40),
            ("far", true, 10_000.0 * KBIT, 300),
            ("near", false, 40e6, 1),
        ] {
            let mut play = Play::new(remote, Wire::new(rate, trip));
            // Four seconds of the line, from nothing known.
            let first = play.picture((rate * 4.0).min(20e6) as usize);
            let most = Duration::from_millis(160).max(Duration::from_millis(trip / 2));
            eprintln!("{name}: {:?} queue {:?} {:?}", first, play.wire.most_queue, play.line.state(play.now));
            play.queue_within(most);
            play.rest(Duration::from_secs(2));
            let bytes = (rate * 10.0).min(40e6);
            let took = play.picture(bytes as usize);
            let share = bytes / rate / took.as_secs_f64();
            assert!(share > 0.8, "{name}: {share:.2} of the line");
            play.queue_within(Duration::from_millis(150));
            play.rest(Duration::from_secs(1));
            let state = play.line.state(play.now);
            let learned = state.rate.expect("a rate") as f64;
            assert!((0.8..1.3).contains(&(learned / rate)), "{name}: {state:?}");
            let round = state.round_trip.expect("a round trip");
            assert!(round.abs_diff(Duration::from_millis(trip)) < Duration::from_millis(10), "{name}: {state:?}");
            assert_eq!((state.answers, state.outstanding), (Answers::Yes, 0), "{name}");
        }
    }

    #[test]
    fn it_is_known_when_text_has_left_the_line() {
        let mut play = Play::new(true, Wire::new(256.0 * KBIT, 150));
        play.picture(50_000);
        play.rest(Duration::from_secs(1));
        play.write(3_000);
        let drained = play.line.drained().expect("it is known");
        let just_before = drained - Duration::from_millis(5);
        assert!(just_before > play.now && play.line.state(just_before).outstanding > 0);
        assert_eq!(play.line.state(drained).outstanding, 0);
        play.fence();
        assert_eq!(play.line.drained(), Some(play.now + play.line.patience()), "an answer that never comes");
    }

    #[test]
    fn a_first_look_on_an_unknown_slow_line_is_quick() {
        let mut play = Play::new(true, Wire::new(256.0 * KBIT, 150));
        let took = play.picture(12_000) + play.wire.queue(play.now) + play.wire.way;
        assert!(took < Duration::from_millis(800), "{took:?}");
    }

    #[test]
    fn slices_and_fences_suit_the_line() {
        let mut play = Play::new(true, Wire::new(256.0 * KBIT, 150));
        play.picture(100_000);
        let (fences, slices) = (play.fences, play.slices);
        play.picture(100_000);
        let (fences, slices) = (play.fences - fences, play.slices - slices);
        assert!((50..110).contains(&slices) && fences * 3 >= slices, "{slices} slices, {fences} fences");
        let mut play = Play::new(false, Wire::new(40e6, 1));
        play.picture(5_000_000);
        let (fences, slices) = (play.fences, play.slices);
        play.picture(5_000_000);
        let (fences, slices) = (play.fences - fences, play.slices - slices);
        assert!(slices <= 5_000_000 / SLICE_MOST + 1 && fences < slices / 20, "{slices} slices, {fences} fences");
    }

    #[test]
    fn a_mute_terminal_gets_a_careful_pace() {
        for (remote, pace) in [(true, CAREFUL[0]), (false, CAREFUL[1])] {
            let mut play = Play::new(remote, Wire { answering: false, ..Wire::new(50e6, 1) });
            play.picture(1_000_000);
            assert_eq!(play.line.state(play.now).answers, Answers::No);
            let fences = play.fences;
            let took = play.picture((pace * 2.0) as usize).as_secs_f64();
            assert!((1.9..2.1).contains(&took), "{took}");
            assert!(play.fences - fences <= 3);
        }
    }

    #[test]
    fn answers_that_cease_and_come_again() {
        let mut play = Play::new(true, Wire::new(1000.0 * KBIT, 80));
        play.picture(200_000);
        play.wire.answering = false;
        let took = play.picture(400_000).as_secs_f64();
        // Some seconds of patience, then the pace.
        assert!((5.5..7.5).contains(&took), "{took}");
        assert_eq!(play.line.state(play.now).answers, Answers::No);
        play.rest(Duration::from_secs(10));
        play.wire.answering = true;
        play.picture(20_000);
        play.rest(Duration::from_secs(1));
        assert_eq!(play.line.state(play.now).answers, Answers::Yes);
        let took = play.picture(500_000).as_secs_f64();
        assert!(took < 500_000.0 / (1000.0 * KBIT) * 1.25, "{took}");
    }

    #[test]
    fn a_stopped_terminal_is_waited_for() {
        let mut play = Play::new(true, Wire::new(1000.0 * KBIT, 80));
        play.picture(200_000);
        // Stopped for two seconds: all that was sent, and all answers, come later.
        play.wire.free = play.now + Duration::from_secs(2);
        let took = play.picture(250_000).as_secs_f64();
        assert!((3.5..4.8).contains(&took), "{took}");
        assert_eq!(play.line.state(play.now).answers, Answers::Yes);
    }

    #[test]
    fn another_rate_is_learned() {
        let mut play = Play::new(true, Wire::new(10_000.0 * KBIT, 80));
        play.picture(3_000_000);
        play.wire.rate = 1000.0 * KBIT;
        play.picture(500_000);
        play.wire.most_queue = Duration::ZERO;
        play.picture(500_000);
        play.queue_within(Duration::from_millis(150));
        play.wire.rate = 10_000.0 * KBIT;
        play.picture(3_000_000);
        let took = play.picture(3_000_000).as_secs_f64();
        assert!(took < 3.0, "{took}");
    }

    #[test]
    fn stale_answers_are_not_taken_for_new_ones() {
        let mut line = Line::new(true);
        let ms = Duration::from_millis;
        for _ in 0..3 {
            line.sent(1000, ms(1000));
            line.fenced(ms(1000));
        }
        line.interrupted(ms(1100));
        line.sent(FENCE, ms(1150));
        line.fenced(ms(1150));
        line.sent(2000, ms(1150));
        line.fenced(ms(1150));
        for _ in 0..3 {
            line.answered(ms(1200));
            assert_eq!(line.state(ms(1200)).round_trip, None);
        }
        line.answered(ms(1350));
        assert_eq!(line.state(ms(1350)).round_trip, Some(ms(200)));
        line.answered(ms(1400));
        assert_eq!(line.state(ms(1400)).outstanding, 0);
        // One more than was asked for.
        line.answered(ms(1500));
        assert_eq!(line.state(ms(1500)).round_trip, Some(ms(200)));
    }
}
