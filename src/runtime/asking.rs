//! When the terminal is asked once more what it can do.
//!
//! tmux drops what is passed through while no terminal is attached, and the one that attaches may be another. So
//! questions that got no answer are repeated a few times, and all of them after an event that may have been an attach.
//! Between these nothing is written.

use std::time::Duration;

use tokio::time::Instant;

/// How long answers are waited for before the questions are repeated.
const AGAIN: Duration = Duration::from_millis(1500);
/// After an event: a resize seldom comes alone.
const SETTLED: Duration = Duration::from_millis(300);
/// Repetitions after the start, or after an event.
const TRIES: u8 = 2;

/// See the module.
#[derive(Debug)]
pub(super) struct Asking {
    due: Option<Instant>,
    left: u8,
}

impl Asking {
    /// Nothing was asked yet.
    pub(super) fn new() -> Self {
        Self { due: None, left: TRIES }
    }

    /// The questions were sent.
    pub(super) fn asked(&mut self, now: Instant) {
        self.due = (self.left > 0).then(|| now + AGAIN);
    }

    /// All answers are there.
    pub(super) fn answered(&mut self) {
        self.due = None;
    }

    /// Another terminal may be there now.
    pub(super) fn doubt(&mut self, now: Instant) {
        *self = Self { due: Some(now + SETTLED), left: TRIES + 1 };
    }

    /// When the next repetition is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// True if the questions are to be sent now.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let due = self.due.is_some_and(|due| due <= now);
        if due {
            self.due = None;
            self.left = self.left.saturating_sub(1);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often it asks if nothing is ever answered, and until when.
    fn silence(asking: &mut Asking, start: Instant) -> (usize, Duration) {
        let (mut many, mut now) = (0, start);
        while let Some(due) = asking.due() {
            now = due;
            assert!(asking.take(now) && !asking.take(now));
            many += 1;
            asking.asked(now);
        }
        (many, now - start)
    }

    #[test]
    fn a_silent_terminal_is_asked_a_few_times() {
        let start = Instant::now();
        let mut asking = Asking::new();
        assert_eq!(asking.due(), None);
        asking.asked(start);
        assert!(!asking.take(start + AGAIN - Duration::from_millis(1)));
        assert_eq!(silence(&mut asking, start), (2, AGAIN * 2));
        asking.doubt(start);
        asking.doubt(start + SETTLED / 2);
        assert_eq!(silence(&mut asking, start), (3, SETTLED * 3 / 2 + AGAIN * 2));
    }

    #[test]
    fn whoever_answers_is_left_alone() {
        let start = Instant::now();
        let mut asking = Asking::new();
        asking.asked(start);
        asking.answered();
        assert_eq!(asking.due(), None);
        asking.doubt(start);
        assert!(asking.take(start + SETTLED));
        asking.asked(start + SETTLED);
        asking.answered();
        assert_eq!(silence(&mut asking, start), (0, Duration::ZERO));
    }
}
