//! The simulator's clock: Unix milliseconds, either real or moved by hand in tests.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// Where the simulator reads the time. The real clock starts at the wall clock's time and runs by the monotonic clock, so
/// that a step of the wall clock moves no task backwards. The manual clock stands still until it is told to move.
#[derive(Debug, Clone)]
pub struct SimClock(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Real { from: Instant, wall_ms: u64 },
    Manual(Arc<watch::Sender<u64>>),
}

impl SimClock {
    /// The real time.
    pub fn real() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Kind::Real { from: Instant::now(), wall_ms: millis(wall) })
    }

    /// A clock that stands at `unix_seconds` until [`SimClock::advance`] moves it. Answer times are skipped with it.
    pub fn manual(unix_seconds: u64) -> Self {
        Self(Kind::Manual(Arc::new(watch::Sender::new(unix_seconds.saturating_mul(1000)))))
    }

    /// Moves a manual clock; does nothing to a real one.
    pub fn advance(&self, by: Duration) {
        if let Kind::Manual(now) = &self.0 {
            now.send_modify(|ms| *ms = ms.saturating_add(millis(by)));
        }
    }

    /// Unix milliseconds.
    pub fn now_ms(&self) -> u64 {
        match &self.0 {
            Kind::Real { from, wall_ms } => wall_ms.saturating_add(millis(from.elapsed())),
            Kind::Manual(now) => *now.borrow(),
        }
    }

    /// Waits until the clock shows `at` Unix milliseconds.
    pub(crate) async fn until(&self, at: u64) {
        match &self.0 {
            Kind::Real { .. } => {
                let wait = at.saturating_sub(self.now_ms());
                tokio::time::sleep(Duration::from_millis(wait)).await;
            }
            Kind::Manual(now) => {
                let mut seen = now.subscribe();
                // An error means that the clock is gone, and with it everybody who could be waiting for us.
                let _ = seen.wait_for(|ms| *ms >= at).await;
            }
        }
    }

    /// Lets a little time pass, as a busy server does before it answers. A manual clock does not wait.
    pub(crate) async fn linger(&self, time: Duration) {
        if matches!(self.0, Kind::Real { .. }) && !time.is_zero() {
            tokio::time::sleep(time).await;
        }
    }
}

impl Default for SimClock {
    fn default() -> Self {
        Self::real()
    }
}

/// Whole milliseconds of a duration.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
