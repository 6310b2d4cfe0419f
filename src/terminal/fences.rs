//! Fences and questions that the terminal has not answered yet: the reader waits longer for the rest of a torn answer
//! while fences are out, and nobody gives the terminal away before it has answered, or the shell would show the answer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The answer to a fence that takes longer is not waited for.
const LOST: Duration = Duration::from_secs(5);
/// The same for questions: tmux may drop them, and then nothing ever comes.
const UNHEARD: Duration = Duration::from_secs(2);
/// How long answers are waited for before the terminal is given away, at least and at most.
const LAST_ANSWERS: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(1)];
/// What an answer may take beyond the round trip.
const SPARE: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug, Default)]
pub struct Fences {
    open: Mutex<Open>,
    /// An answer has come, or none is wanted any more.
    news: Condvar,
}

#[derive(Debug, Default)]
struct Open {
    fences: Count,
    /// One for each answer that closes a round of questions.
    rounds: Count,
    /// The terminal is about to be given away: what is typed is nobody's.
    leaving: bool,
    /// Nobody wants to wait.
    hurry: bool,
    /// Nobody hears answers any more.
    closed: bool,
}

#[derive(Debug, Default)]
struct Count {
    sent: u64,
    answered: u64,
    /// When the last one was sent.
    at: Option<Instant>,
}

impl Count {
    fn sent(&mut self, many: u64, now: Instant) {
        if many > self.sent {
            self.sent = many;
            self.at = Some(now);
        }
    }

    fn answered(&mut self) {
        self.answered = (self.answered + 1).min(self.sent);
    }

    fn outstanding(&mut self, now: Instant, lost: Duration) -> bool {
        if self.at.is_some_and(|at| now.saturating_duration_since(at) > lost) {
            self.answered = self.sent;
        }
        self.answered < self.sent
    }
}

impl Open {
    fn any(&mut self, now: Instant) -> bool {
        self.fences.outstanding(now, LOST) || self.rounds.outstanding(now, UNHEARD)
    }
}

/// How long the last answers of a terminal with this round trip are waited for.
pub(super) fn last_answers(round_trip: Option<Duration>) -> Duration {
    let [least, most] = LAST_ANSWERS;
    round_trip.map_or(least, |trip| trip.saturating_add(SPARE).clamp(least, most))
}

impl Fences {
    fn open(&self) -> MutexGuard<'_, Open> {
        // Nothing is ever half done here.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many were sent by now, in all.
    pub(super) fn sent(&self, many: u64, now: Instant) {
        self.open().fences.sent(many, now);
    }

    /// One was answered.
    pub(super) fn answered(&self) {
        self.open().fences.answered();
        self.news.notify_all();
    }

    /// Questions are about to be sent whose answers end with so many closing ones.
    pub(super) fn asked(&self, closing: u8, now: Instant) {
        let mut open = self.open();
        let many = open.rounds.sent + u64::from(closing);
        open.rounds.sent(many, now);
    }

    /// A closing answer came.
    pub(super) fn round_ended(&self) {
        self.open().rounds.answered();
        self.news.notify_all();
    }

    /// The answers to fences are to be expected.
    pub(super) fn outstanding(&self, now: Instant) -> bool {
        self.open().fences.outstanding(now, LOST)
    }

    /// Something was typed; `ends` if it says to end. True if it is nobody's, since the terminal is given away.
    pub(super) fn typed(&self, ends: bool) -> bool {
        let mut open = self.open();
        let leaving = open.leaving;
        open.hurry |= leaving && ends;
        drop(open);
        self.news.notify_all();
        leaving
    }

    /// The terminal is gone: nothing will be answered.
    pub(super) fn close(&self) {
        self.open().closed = true;
        self.news.notify_all();
    }

    /// Waits until everything is answered: before the terminal is given away, when nothing is asked any more and
    /// while the reader still reads. Not longer than `limit`, nor when the user says again that it shall end; what
    /// else is typed meanwhile is dropped. At once if nothing is to come. False if an answer may still come.
    pub fn settle(&self, limit: Duration) -> bool {
        let mut open = self.open();
        (open.leaving, open.hurry) = (true, false);
        let waits = |open: &mut Open| !open.hurry && !open.closed && open.any(Instant::now());
        let waited = self.news.wait_timeout_while(open, limit, waits);
        open = waited.unwrap_or_else(PoisonError::into_inner).0;
        open.leaving = false;
        !open.any(Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread::{self, JoinHandle};

    use super::*;

    /// Longer than any test takes: whoever waits for this, hangs.
    const FOR_EVER: Duration = Duration::from_secs(3600);

    /// Somebody who leaves, and is seen to wait.
    fn leaving(fences: &Arc<Fences>) -> JoinHandle<bool> {
        let theirs = Arc::clone(fences);
        let thread = thread::spawn(move || theirs.settle(FOR_EVER));
        while !fences.open().leaving {
            thread::yield_now();
        }
        thread
    }

    #[test]
    fn fences_are_outstanding_until_they_are_answered_or_lost() {
        let (fences, now) = (Fences::default(), Instant::now());
        fences.answered();
        assert!(!fences.outstanding(now));
        fences.sent(2, now);
        fences.sent(2, now + LOST * 2);
        fences.answered();
        assert!(fences.outstanding(now));
        fences.answered();
        fences.answered();
        assert!(!fences.outstanding(now));
        fences.sent(3, now);
        assert!(fences.outstanding(now + LOST) && !fences.outstanding(now + LOST + Duration::from_millis(1)));
        fences.sent(4, now + LOST * 2);
        assert!(fences.outstanding(now + LOST * 2), "those that were lost are not waited for again");
        fences.answered();
        assert!(!fences.outstanding(now + LOST * 2));
    }

    #[test]
    fn questions_are_out_until_each_round_is_closed_or_lost() {
        let (fences, now) = (Fences::default(), Instant::now());
        fences.asked(2, now);
        fences.asked(2, now);
        for _ in 0..3 {
            fences.round_ended();
            assert!(fences.open().any(now) && !fences.outstanding(now));
        }
        fences.round_ended();
        assert!(!fences.open().any(now));
        fences.asked(1, now);
        assert!(fences.open().any(now + UNHEARD) && !fences.open().any(now + UNHEARD + Duration::from_millis(1)));
    }

    #[test]
    fn whoever_leaves_waits_for_the_last_answer_and_drops_what_is_typed() {
        let (fences, now) = (Arc::new(Fences::default()), Instant::now() + FOR_EVER);
        fences.sent(2, now);
        fences.asked(1, now);
        assert!(!fences.typed(true), "that is how it began");
        let thread = leaving(&fences);
        fences.answered();
        fences.round_ended();
        assert!(fences.typed(false));
        assert!(fences.open().leaving, "a fence is out");
        fences.answered();
        assert!(thread.join().expect("no panic"));
        assert!(!fences.typed(false), "whoever comes back reads again");
    }

    #[test]
    fn nobody_waits_for_nothing_nor_when_told_twice_nor_for_a_terminal_that_is_gone() {
        let (fences, now) = (Arc::new(Fences::default()), Instant::now() + FOR_EVER);
        assert!(fences.settle(FOR_EVER));
        fences.asked(1, now);
        assert!(!fences.settle(Duration::ZERO), "it never answers");
        let thread = leaving(&fences);
        assert!(fences.typed(true));
        assert!(!thread.join().expect("no panic"));
        let thread = leaving(&fences);
        fences.close();
        assert!(!thread.join().expect("no panic"));
        assert!(!fences.settle(FOR_EVER));
    }

    #[test]
    fn a_long_line_is_given_longer_but_not_for_ever() {
        let wait = |trip: u64| last_answers(Some(Duration::from_millis(trip))).as_millis();
        assert_eq!(last_answers(None).as_millis(), 300);
        assert_eq!([0, 200, 201, 600, 900, 30_000].map(wait), [300, 300, 301, 700, 1000, 1000]);
    }
}
