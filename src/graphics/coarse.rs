//! A rough sixel picture for a first look: blocks of a few colours, as many as the budget pays for.
//!
//! Sixel cannot be scaled by the terminal, but a run costs five letters however long it is. Each band of six pixel rows is
//! one row of blocks; which colour each block takes is found so that error and runs together are least
//! (Viterbi's method, a row at a time), and the price of a run such that the budget is met.

use image::RgbImage;

use super::colours::{Colour, Grid, apart};
use super::encode::EncodeError;
use super::sixel::run;

/// Blocks across of a first look.
pub(super) const COLUMNS: usize = 100;
/// Bytes that a run costs about.
const RUN: usize = 7;
/// Attempts at the price of a run.
const ATTEMPTS: usize = 7;

/// Blocks, by number of their colour.
pub(super) struct Coarse {
    pub palette: Vec<Colour>,
    blocks: Vec<u8>,
    width: usize,
}

impl Coarse {
    /// The blocks of a band.
    pub(super) fn row(&self, band: usize) -> &[u8] {
        self.blocks.chunks(self.width.max(1)).nth(band).unwrap_or_default()
    }
}

/// `pixels` has one pixel for each block.
pub(super) fn encode(pixels: &RgbImage, colours: u16, budget: usize) -> Result<Coarse, EncodeError> {
    let grid = Grid::new(pixels);
    let palette = grid.palette(pixels, colours)?;
    let width = pixels.width().max(1) as usize;
    let most = (budget / RUN).max(1);
    let raw = pixels.as_raw();
    let errors: Vec<i32> =
        raw.chunks_exact(3).flat_map(|pixel| palette.iter().map(|colour| apart(*colour, pixel))).collect();
    let at = |price: i32| -> Vec<u8> {
        errors.chunks(width * palette.len()).flat_map(|row| cheapest(row, palette.len(), price)).collect()
    };
    let runs = |blocks: &[u8]| -> usize { blocks.chunks(width).map(|row| row.chunk_by(|a, b| a == b).count()).sum() };
    let mut blocks = at(0);
    if runs(&blocks) > most {
        let (mut low, mut high) = (1_f64, 4_000_000_f64);
        blocks = at(high as i32);
        for _ in 0..ATTEMPTS {
            let price = (low * high).sqrt();
            let made = at(price as i32);
            let many = runs(&made);
            if many <= most {
                blocks = made;
                high = price;
                if many * 20 >= most * 17 {
                    break;
                }
            } else {
                low = price;
            }
        }
    }
    Ok(Coarse { palette, blocks, width })
}

/// For each block of a row its colour, so that errors and `price` for each change of colour are least together.
fn cheapest(errors: &[i32], colours: usize, price: i32) -> Vec<u8> {
    let columns = errors.len() / colours.max(1);
    let mut costs = vec![0_i32; colours];
    // Where the best way to each colour of each column came from: the same colour, or the best of the column before.
    let mut stayed = vec![false; errors.len()];
    let mut bests = Vec::with_capacity(columns);
    for (errors, stayed) in errors.chunks_exact(colours).zip(stayed.chunks_exact_mut(colours)) {
        let best = (0..colours).min_by_key(|colour| costs[*colour]).unwrap_or(0);
        let change = costs[best].saturating_add(price);
        for ((cost, error), stayed) in costs.iter_mut().zip(errors).zip(stayed) {
            *stayed = *cost <= change;
            *cost = (*cost).min(change).saturating_add(*error);
        }
        bests.push(best);
    }
    let mut colour = (0..colours).min_by_key(|colour| costs[*colour]).unwrap_or(0);
    let mut out = vec![0; columns];
    for column in (0..columns).rev() {
        out[column] = colour as u8;
        if !stayed[column * colours + colour] {
            colour = bests[column];
        }
    }
    out
}

/// One band: runs of blocks, each `block` pixels wide, in all `width`; `mask` says which of the six rows there are.
pub(super) fn write(out: &mut Vec<u8>, row: &[u8], block: usize, width: usize, mask: u8) {
    let mut left = width;
    let mut pen = None;
    for same in row.chunk_by(|a, b| a == b) {
        let long = (same.len() * block).min(left);
        left -= long;
        if long == 0 {
            break;
        }
        if pen != Some(same[0]) {
            out.extend(format!("#{}", same[0]).into_bytes());
            pen = Some(same[0]);
        }
        run(out, mask, long);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_bought_within_the_budget() {
        let noise = |x: u32, y: u32| ((x * 7919 + y * 104_729 + x * y * 31) % 256) as u8;
        let pixels = RgbImage::from_fn(100, 50, |x, y| image::Rgb([noise(x, y), noise(y, x), noise(x + 9, y)]));
        let error = |coarse: &Coarse| -> i64 {
            let seen = coarse.blocks.iter().zip(pixels.pixels());
            seen.map(|(block, pixel)| i64::from(apart(coarse.palette[usize::from(*block)], &pixel.0))).sum()
        };
        let mut before = i64::MAX;
        for budget in [1_000, 5_000, 15_000, 60_000] {
            let coarse = encode(&pixels, 16, budget).expect("encodes");
            let runs: usize = (0..50).map(|band| coarse.row(band).chunk_by(|a, b| a == b).count()).sum();
            assert!(runs * RUN <= budget, "{runs} runs for {budget}");
            assert!(error(&coarse) < before, "more bytes must look better");
            before = error(&coarse);
        }
    }

    #[test]
    fn the_cheapest_way_is_found() {
        // Two colours: an outlier is not worth two changes at a high price.
        let errors = [0, 9, 0, 9, 9, 0, 0, 9, 0, 9];
        assert_eq!(cheapest(&errors, 2, 0), [0, 0, 1, 0, 0]);
        assert_eq!(cheapest(&errors, 2, 4), [0, 0, 1, 0, 0]);
        assert_eq!(cheapest(&errors, 2, 5), [0, 0, 0, 0, 0]);
    }
}
