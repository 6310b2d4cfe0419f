//! Fences that the writer sent and the terminal has not answered yet: the reader waits longer for the rest of a
//! torn answer while there are some.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An answer that takes longer is not waited for.
const LOST: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug, Default)]
pub struct Fences(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    sent: u64,
    answered: u64,
    /// When the last one was sent.
    at: Option<Instant>,
}

impl Fences {
    fn open(&self) -> MutexGuard<'_, Open> {
        // Nothing is ever half done here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many were sent by now, in all.
    pub(super) fn sent(&self, many: u64, now: Instant) {
        let mut open = self.open();
        if many > open.sent {
            open.sent = many;
            open.at = Some(now);
        }
    }

    /// One was answered.
    pub(super) fn answered(&self) {
        let mut open = self.open();
        open.answered = (open.answered + 1).min(open.sent);
    }

    /// Answers are to be expected.
    pub(super) fn outstanding(&self, now: Instant) -> bool {
        let mut open = self.open();
        if open.at.is_some_and(|at| now.saturating_duration_since(at) > LOST) {
            open.answered = open.sent;
        }
        open.answered < open.sent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
