//! A budget in bytes: how large a picture may be so that its encoded form fits.

use image::{DynamicImage, RgbImage};

use super::encode::EncodeError;
use super::resize::{Backdrop, scale};
use super::view::Crop;

/// What a picture is encoded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Purpose {
    /// Something to see at once: few pixels and colours, scaled up by the terminal where it can.
    FirstLook,
    /// The picture.
    #[default]
    Full,
}

/// Long side of a first look, pixels.
pub(super) const FIRST_SIDE: u32 = 128;
/// No attempt to fit a budget makes the long side shorter than this.
const LEAST_SIDE: f64 = 8.0;
/// A longer side is first tried at this length: that costs little and tells how the picture compresses.
const PROBE_SIDE: f64 = 256.0;
/// Attempts at one budget.
const ATTEMPTS: usize = 12;
/// Bytes of a palette PNG or a JPEG grow with this power of its side, as measured with photos.
const GROWTH: f64 = 1.6;
/// A result that leaves more of its budget unused than the rest of this is tried again, larger.
const WELL_USED: f64 = 0.8;

/// The pixels to be encoded, at whatever size is asked for.
pub(super) struct Source<'a> {
    pub pixels: &'a DynamicImage,
    pub part: Crop,
    pub behind: Backdrop,
}

impl Source<'_> {
    pub(super) fn at(&self, width: u32, height: u32) -> Result<RgbImage, EncodeError> {
        scale(self.pixels, self.part, width, height, self.behind)
    }

    /// At a share of `full`, both sides at least one pixel.
    pub(super) fn shrunk(&self, full: (u32, u32), share: f64) -> Result<RgbImage, EncodeError> {
        let side = |length: u32| ((f64::from(length) * share).round() as u32).clamp(1, length.max(1));
        self.at(side(full.0), side(full.1))
    }
}

/// The largest form of at most `budget` bytes that a few attempts find.
///
/// `encode` makes it at a share of the full side and `wire` says its bytes on the line. If even the smallest
/// does not fit, the smallest is the answer.
pub(super) fn fit<T>(
    budget: usize,
    long_side: u32,
    encode: impl Fn(f64) -> Result<T, EncodeError>,
    wire: impl Fn(&T) -> usize,
) -> Result<T, EncodeError> {
    let long = f64::from(long_side.max(1));
    let least = (LEAST_SIDE / long).min(1.0);
    let aim = |share: f64, bytes: usize, growth: f64| {
        let ratio = budget as f64 * 0.97 / bytes.max(1) as f64;
        (share * ratio.powf(1.0 / growth)).clamp(least, 1.0)
    };
    let mut share = 1.0;
    let mut last: Option<(f64, usize)> = None;
    if long > PROBE_SIDE * 1.25 {
        let probe = PROBE_SIDE / long;
        let bytes = wire(&encode(probe)?);
        share = aim(probe, bytes, GROWTH);
        last = Some((probe, bytes));
    }
    let mut best: Option<(f64, T)> = None;
    for _ in 0..ATTEMPTS {
        let made = encode(share)?;
        let bytes = wire(&made);
        let growth = match last {
            Some((other, others)) if (other - share).abs() > 0.01 && others > 0 && bytes > 0 => {
                ((bytes as f64 / others as f64).ln() / (share / other).ln()).clamp(0.7, 2.2)
            }
            _ => GROWTH,
        };
        last = Some((share, bytes));
        let fits = bytes <= budget;
        let next = aim(share, bytes, growth);
        if fits {
            let enough = share >= 1.0 || bytes as f64 >= budget as f64 * WELL_USED || next < share * 1.05;
            if enough || best.as_ref().is_some_and(|(other, _)| *other >= share) {
                return Ok(made);
            }
            best = Some((share, made));
        } else if let Some((_, best)) = best {
            // What was found before fits, and this was to be a little better: enough.
            return Ok(best);
        } else if share <= least {
            return Ok(made);
        }
        share = if fits { next } else { next.min(share * 0.95).max(least) };
    }
    match best {
        Some((_, best)) => Ok(best),
        None => encode(least),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_that_fits_is_found() {
        for power in [1.0_f64, 1.6, 2.0] {
            for budget in [100, 1_000, 20_000, 150_000, 5_000_000] {
                let bytes = |share: f64| (share.powf(power) * 300_000.0) as usize;
                let share = fit(budget, 800, Ok, |share| bytes(*share)).expect("fits");
                let best = (budget as f64 / 300_000.0).powf(1.0 / power);
                assert!(bytes(share) <= budget || share <= LEAST_SIDE / 800.0, "{power} {budget} {share}");
                assert!(
                    share >= (best * 0.75).clamp(LEAST_SIDE / 800.0, 1.0) - 1e-9,
                    "{power} {budget} {share} {best}"
                );
            }
        }
    }

    #[test]
    fn a_picture_that_never_fits_is_made_as_small_as_it_goes() {
        let share = fit(10, 800, Ok, |_| 1_000).expect("an answer");
        assert!((share - LEAST_SIDE / 800.0).abs() < 1e-9);
    }
}
