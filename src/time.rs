//! Time as a value: the pure storey never reads a clock, it is told.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment of the calendar: milliseconds since 1970 UTC. For showing, storing and comparing with the service's
/// times; it may jump, so no interval is measured with it that matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wall(pub i64);

impl Wall {
    /// From Unix seconds, as the service gives them.
    #[must_use]
    pub fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Whole Unix seconds, rounded down.
    #[must_use]
    pub fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Time since `earlier`, never negative.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A moment of this process: milliseconds on a clock that never jumps. All intervals are measured with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(pub u64);

impl Mono {
    /// Time since `earlier`, never negative.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Mono {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Duration> for Mono {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// The present moment on both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For showing and storing.
    pub wall: Wall,
    /// For measuring.
    pub mono: Mono,
}

/// A seeded source of chance: jitter and ids are drawn from it, so that a run can be repeated exactly.
/// (SplitMix64; two of them side by side make an id.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chance {
    state: [u64; 2],
}

impl Chance {
    /// Starts from 128 bits that the caller draws from the system, or fixes in a test.
    #[must_use]
    pub fn new(seed: u128) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "the two halves are wanted")]
        let state = [(seed >> 64) as u64, seed as u64];
        Self { state }
    }

    fn step(&mut self, lane: usize) -> u64 {
        self.state[lane] = self.state[lane].wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state[lane];
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 128 random bits.
    pub fn bits(&mut self) -> u128 {
        u128::from(self.step(0)) << 64 | u128::from(self.step(1))
    }

    /// A number from 0 up to, not including, 1.
    #[allow(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    pub fn unit(&mut self) -> f64 {
        (self.step(0) >> 11) as f64 / (1u64 << 53) as f64
    }
}
