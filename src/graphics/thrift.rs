//! Which palette colour each pixel of a sixel picture takes, so that the bytes stay few.
//!
//! A letter of sixel is one colour in one column of six pixels. What a band costs is therefore how many colours
//! its columns hold, and how far each colour is from where it was last used in the band. So a pixel takes the colour with
//! the least sum of squared error and price, where the price is nothing for a colour that its column has
//! already. At the same number of bytes that is worth two decibels over the nearest colour.

use image::RgbImage;

use super::colours::{CHOICES, Colour, Grid, apart};
use super::sixel::BAND;

/// Letters that a colour costs in a column, in halves, by the distance from the column it was last used in.
fn letters(gap: usize) -> i32 {
    match gap {
        0..=4 => gap as i32 * 2,
        5..=12 => 9,
        13..=100 => 11,
        _ => 13,
    }
}

/// Chooses for every pixel. `price` is the squared error that a letter is worth; at 0 it is the nearest colour.
pub(super) fn choose(
    pixels: &RgbImage,
    grid: &Grid,
    choices: &[[u8; CHOICES]],
    palette: &[Colour],
    price: i32,
) -> Vec<u8> {
    let width = pixels.width().max(1) as usize;
    let raw = pixels.as_raw();
    let mut indices: Vec<u8> = grid.of.iter().map(|cell| choices[*cell as usize][0]).collect();
    if price == 0 {
        return indices;
    }
    let high = indices.len() / width;
    for top in (0..high).step_by(BAND) {
        let rows = BAND.min(high - top);
        // The column after the one in which a colour was last used; 0 if it was not.
        let mut last = [0_u32; 256];
        let mut before = [0_u8; BAND];
        for x in 0..width {
            let mut column = [0_u8; BAND];
            let mut held = [0_u8; 256];
            for (row, index) in column.iter_mut().enumerate().take(rows) {
                *index = indices[(top + row) * width + x];
                held[usize::from(*index)] += 1;
            }
            for row in 0..rows {
                let at = (top + row) * width + x;
                let pixel = &raw[at * 3..at * 3 + 3];
                let own = column[row];
                held[usize::from(own)] -= 1;
                // The nearest colour, and for nothing.
                if held[usize::from(own)] > 0 && own == choices[grid.of[at] as usize][0] {
                    held[usize::from(own)] += 1;
                    continue;
                }
                let cost = |index: u8| {
                    let colour = usize::from(index);
                    let error = apart(palette[colour], pixel);
                    if held[colour] > 0 {
                        return error;
                    }
                    let gap = match last[colour] {
                        0 => usize::MAX,
                        column => x + 1 - column as usize,
                    };
                    error + letters(gap) * price / 2
                };
                let mut best = (cost(own), own);
                let near = &choices[grid.of[at] as usize];
                let others = column[..rows].iter().chain(&before[..if x > 0 { rows } else { 0 }]).chain(near);
                for index in others {
                    if *index != best.1 {
                        let cost = cost(*index);
                        if cost < best.0 {
                            best = (cost, *index);
                        }
                    }
                }
                column[row] = best.1;
                held[usize::from(best.1)] += 1;
            }
            for (row, index) in column.iter().enumerate().take(rows) {
                indices[(top + row) * width + x] = *index;
                last[usize::from(*index)] = x as u32 + 1;
            }
            before = column;
        }
    }
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_price_means_fewer_colours_in_a_column() {
        let noise = |x: u32, y: u32| (x * 7919 + y * 104_729 + x * y * 31) % 61;
        let pixels =
            RgbImage::from_fn(60, 36, |x, y| image::Rgb([(noise(x, y) * 3) as u8, 90, (noise(y, x) * 2) as u8]));
        let grid = Grid::new(&pixels);
        let mut palette = grid.palette(&pixels, 64).expect("a palette");
        let choices = grid.choices(&mut palette);
        let mut before = usize::MAX;
        for price in [0, 20, 200, 100_000] {
            let indices = choose(&pixels, &grid, &choices, &palette, price);
            let mut many = 0;
            for (band, x) in (0..6).flat_map(|band| (0..60).map(move |x| (band, x))) {
                let mut column: Vec<u8> = (0..6).map(|row| indices[(band * 6 + row) * 60 + x]).collect();
                column.sort_unstable();
                column.dedup();
                many += column.len();
            }
            assert!(many < before, "{price}: {many}");
            before = many;
        }
        assert!(before <= 360 * 3, "two or three colours a column in the end: {before}");
    }
}
