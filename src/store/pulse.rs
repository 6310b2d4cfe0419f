//! Whether the holder of the lease still moves. A program that was stopped keeps its locks, so nobody can take its
//! place; but it can be said.

use std::time::{Duration, Instant, SystemTime};

/// A holder that has not moved for so long is said not to respond.
const QUIET: Duration = Duration::from_secs(10);
/// How often the holder shows that it moves.
pub(super) const BEAT: Duration = Duration::from_secs(3);

/// What was seen of the holder.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// Whose it is.
    pub(super) window: String,
    /// Its last movement, by a clock that may jump; and when that was first seen, by one that does not, and that
    /// stands still while the machine sleeps.
    seen: Option<(SystemTime, Instant)>,
}

impl Pulse {
    /// That of another window from now on, if it is another.
    pub(super) fn of(&mut self, window: String) -> &mut Self {
        if self.window != window {
            *self = Self { window, seen: None };
        }
        self
    }

    /// Whether it has been quiet for too long, given its last movement. What cannot be seen is not blamed.
    pub(super) fn is_quiet(&mut self, beat: Option<SystemTime>, now: Instant) -> bool {
        let Some(beat) = beat else { return false };
        match self.seen {
            Some((last, since)) if last == beat => now.duration_since(since) >= QUIET,
            _ => {
                self.seen = Some((beat, now));
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_is_who_has_not_moved_for_ten_seconds_of_ours() {
        let (start, mut pulse) = (Instant::now(), Pulse::default());
        let at = |secs: u64| start + Duration::from_secs(secs);
        let beat = |secs: u64| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(secs));
        pulse.of("a".to_owned());
        assert!(!pulse.is_quiet(beat(5), at(0)));
        assert!(!pulse.is_quiet(beat(5), at(9)));
        assert!(pulse.is_quiet(beat(5), at(10)));
        assert!(!pulse.is_quiet(beat(4), at(11)), "its clock was set back, but it moves");
        assert!(!pulse.is_quiet(None, at(40)), "what cannot be seen");
        assert!(pulse.is_quiet(beat(4), at(41)));
        assert!(!pulse.of("b".to_owned()).is_quiet(beat(4), at(42)), "another one begins anew");
    }
}
