//! What is learned of a line from answers that come late, early, or not at all.

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
