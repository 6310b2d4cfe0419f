//! The two clocks, and the system's chance: read here and nowhere else.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::time::{Mono, Now, Wall};

/// The clocks of this process.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// Starts counting.
    #[must_use]
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// The present moment.
    #[must_use]
    pub fn now(self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let mono = self.origin.elapsed().as_millis();
        Now { wall: Wall(i64::try_from(wall).unwrap_or(i64::MAX)), mono: Mono(u64::try_from(mono).unwrap_or(u64::MAX)) }
    }

    /// The instant that a moment of the pure storey means.
    #[must_use]
    pub fn instant(self, at: Mono) -> Instant {
        self.origin + std::time::Duration::from_millis(at.0)
    }
}

/// Waits until then; for ever, if there is no such moment.
pub(super) async fn sleep_until(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// 128 bits nobody can guess, from the system.
#[must_use]
pub fn seed() -> u128 {
    uuid::Uuid::new_v4().as_u128() ^ (u128::from(std::process::id()) << 64)
}
