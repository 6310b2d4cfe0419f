//! Reproducible chance: everything the simulator "throws dice" for comes from a seed through these few functions.

/// The finaliser of SplitMix64: turns any number into a well-spread one.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A 64-bit hash of bytes under a seed (FNV-1a, then [`mix`]). Stable over versions: pictures depend on it.
pub(crate) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ mix(seed);
    let folded = bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    mix(folded)
}

/// A small generator of numbers, advanced by every question.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice for one purpose; different `purpose` words give independent sequences.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        Self(hash(seed, purpose.as_bytes()))
    }

    /// The next 64 random bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number from 0 (included) to 1 (excluded).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number between two bounds.
    pub(crate) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit() as f32
    }

    /// True in the given fraction of cases.
    pub(crate) fn chance(&mut self, fraction: f64) -> bool {
        self.unit() < fraction
    }

    /// A whole number below `count`; 0 for 0.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        if count == 0 {
            return 0;
        }
        (self.next() % count as u64) as usize
    }

    /// A standard normal variate (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// A log-normal variate with the given median; `spread` is the sigma of its logarithm.
    pub(crate) fn log_normal(&mut self, median: f64, spread: f64) -> f64 {
        median * (spread * self.normal()).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (mut a, mut b) = (Dice::new(7, "x"), Dice::new(7, "x"));
        assert!((0..50).all(|_| a.next() == b.next()));
        assert_ne!(Dice::new(7, "x").next(), Dice::new(7, "y").next());
        assert_ne!(Dice::new(7, "x").next(), Dice::new(8, "x").next());
    }

    #[test]
    fn the_median_of_log_normal_is_the_median() {
        let mut dice = Dice::new(1, "median");
        let low = (0..4000).filter(|_| dice.log_normal(12.0, 0.5) < 12.0).count();
        assert!((1850..2150).contains(&low), "{low}");
    }
}
