//! When to draw: at once for people, at a bounded rate for machines.

use std::time::Duration;

use tokio::time::Instant;

/// Decides when a changed screen is drawn.
#[derive(Debug)]
pub struct Pace {
    gap: Duration,
    last: Option<Instant>,
    stale: bool,
    urgent: bool,
}

impl Pace {
    /// At most 30 frames a second on a local terminal, 12 over SSH, for what nobody pressed a key for.
    #[must_use]
    pub fn new(over_ssh: bool) -> Self {
        let gap = Duration::from_millis(if over_ssh { 83 } else { 33 });
        Self { gap, last: None, stale: true, urgent: true }
    }

    /// Something changed; `by_hand` if a person did it.
    pub fn changed(&mut self, by_hand: bool) {
        self.stale = true;
        self.urgent |= by_hand;
    }

    /// When to draw, if there is anything to draw.
    #[must_use]
    pub fn due(&self, now: Instant) -> Option<Instant> {
        let gap_over = self.last.map_or(now, |last| last + self.gap);
        self.stale.then_some(if self.urgent { now } else { gap_over })
    }

    /// It was drawn.
    pub fn drawn(&mut self, now: Instant) {
        self.last = Some(now);
        self.stale = false;
        self.urgent = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_wait_and_people_do_not() {
        let start = Instant::now();
        let mut pace = Pace::new(false);
        assert_eq!(pace.due(start), Some(start));
        pace.drawn(start);
        assert_eq!(pace.due(start), None, "nothing changed, nothing is drawn");
        pace.changed(false);
        assert_eq!(pace.due(start), Some(start + Duration::from_millis(33)));
        pace.changed(true);
        assert_eq!(pace.due(start), Some(start));
    }

    #[test]
    fn a_key_among_a_thousand_reports_is_in_the_very_next_frame() {
        let start = Instant::now();
        let (mut pace, mut frames, keys) = (Pace::new(true), 0, 20);
        for ms in 0..1000 {
            let now = start + Duration::from_millis(ms);
            let key = ms % 50 == 7;
            pace.changed(key);
            let draws = pace.due(now).is_some_and(|due| due <= now);
            assert!(draws || !key, "the key at {ms} ms waits");
            if draws {
                pace.drawn(now);
                frames += 1;
            }
        }
        assert!(frames <= 12 + 1 + keys, "{frames}");
    }

    #[test]
    fn a_thousand_reports_a_second_are_thirty_frames() {
        let start = Instant::now();
        let (mut pace, mut frames) = (Pace::new(false), 0);
        for ms in 0..1000 {
            let now = start + Duration::from_millis(ms);
            pace.changed(false);
            if pace.due(now).is_some_and(|due| due <= now) {
                pace.drawn(now);
                frames += 1;
            }
        }
        assert!((29..=31).contains(&frames), "{frames}");
    }
}
