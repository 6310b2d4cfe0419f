//! PNG files for kitty: all colours for a fast line, a palette for the others.
//!
//! Bytes of a palette PNG depend on how surprising its indices are. So each pixel takes not simply the nearest
//! colour, but the one with the least sum of error and price: colours that are frequent in this part of the
//! picture, or that would go on from the left or from above, are cheaper. That saves a quarter of the
//! bytes for half a decibel, where fewer colours or pixels would cost two.

use image::RgbImage;
use png::{BitDepth, ColorType, Compression, DeflateCompression, Encoder, EncodingError, Filter};

use super::budget::{FIRST_SIDE, Purpose, Source, fit};
use super::colours::{CHOICES, Colour, Grid, apart, refit};
use super::encode::EncodeError;

/// Squared error that a bit is worth.
const BIT: f32 = 24.0;
/// The share of the price that is left off for the colour of the pixel to the left; half of it for the one above.
const RUN: f32 = 0.5;
/// Rows whose frequencies are counted together; about what a block of the compression holds.
const ROWS: usize = 16;
/// Of the compression: at 6 it takes twice the time for two hundredths of the bytes.
const LEVEL: u8 = 5;
/// A first look costs no more bytes.
const FIRST_BYTES: usize = 12_000;
/// Bytes of a file in one command of the protocol, and the bytes around it.
const CHUNK: usize = 3072;
const AROUND: usize = 24;

/// A file that takes at most `budget` bytes on the line; without a budget, every pixel in every colour.
pub(super) fn encode(
    source: &Source<'_>,
    full: (u32, u32),
    budget: Option<usize>,
    purpose: Purpose,
) -> Result<Vec<u8>, EncodeError> {
    let long = full.0.max(full.1).max(1);
    let bytes = |file: &Vec<u8>| wire(file.len());
    if purpose == Purpose::FirstLook {
        let share = (f64::from(FIRST_SIDE) / f64::from(long)).min(1.0);
        let budget = budget.unwrap_or(FIRST_BYTES).min(FIRST_BYTES);
        return fit(budget, long.min(FIRST_SIDE), |part| palette(&source.shrunk(full, share * part)?), bytes);
    }
    let Some(budget) = budget else {
        return all_colours(&source.at(full.0, full.1)?);
    };
    let pixels = full.0 as usize * full.1 as usize;
    if budget >= pixels {
        let file = all_colours(&source.at(full.0, full.1)?)?;
        if wire(file.len()) <= budget {
            return Ok(file);
        }
    }
    // A photo with much grain takes half a byte for a pixel: then there is no need to feel the way.
    if budget * 10 >= pixels * 6 {
        let file = palette(&source.at(full.0, full.1)?)?;
        if wire(file.len()) <= budget {
            return Ok(file);
        }
    }
    fit(budget, long, |share| palette(&source.shrunk(full, share)?), bytes)
}

/// Bytes on the line for a file of so many, placement not counted.
pub(super) fn wire(file: usize) -> usize {
    file.div_ceil(3) * 4 + file.div_ceil(CHUNK).max(1) * AROUND + 60
}

fn failed(error: EncodingError) -> EncodeError {
    EncodeError::Failed(error.to_string())
}

fn all_colours(pixels: &RgbImage) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, pixels.width(), pixels.height());
    encoder.set_depth(BitDepth::Eight);
    encoder.set_color(ColorType::Rgb);
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Adaptive);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(pixels.as_raw()).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(out)
}

fn palette(pixels: &RgbImage) -> Result<Vec<u8>, EncodeError> {
    // The palette itself costs a kilobyte: few pixels are better off with few colours.
    let colours = match pixels.as_raw().len() / 3 {
        0..=6_000 => 32,
        6_001..=25_000 => 64,
        25_001..=60_000 => 128,
        _ => 256,
    };
    let grid = Grid::new(pixels);
    let mut palette = grid.palette(pixels, colours)?;
    let choices = grid.choices(&mut palette);
    let mut indices = thrifty(pixels, &grid, &choices, &palette);
    refit(pixels, &mut indices, &mut palette);
    let mut out = Vec::new();
    let mut encoder = Encoder::new(&mut out, pixels.width(), pixels.height());
    encoder.set_color(ColorType::Indexed);
    let depth = match palette.len() {
        0..=2 => BitDepth::One,
        3..=4 => BitDepth::Two,
        5..=16 => BitDepth::Four,
        _ => BitDepth::Eight,
    };
    encoder.set_depth(depth);
    encoder.set_palette(palette.concat());
    encoder.set_deflate_compression(DeflateCompression::Level(LEVEL));
    // Neighbouring indices have nothing to do with each other: prediction only hurts.
    encoder.set_filter(Filter::NoFilter);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(&packed(&indices, pixels.width() as usize, depth)).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(out)
}

/// Several indices to a byte, each row from a new one.
fn packed(indices: &[u8], width: usize, depth: BitDepth) -> Vec<u8> {
    let bits = depth as usize;
    let each = 8 / bits;
    let byte =
        |part: &[u8]| part.iter().enumerate().fold(0, |byte, (at, index)| byte | (index << (8 - bits * (at + 1))));
    indices.chunks(width.max(1)).flat_map(|row| row.chunks(each).map(byte)).collect()
}

fn thrifty(pixels: &RgbImage, grid: &Grid, choices: &[[u8; CHOICES]], palette: &[Colour]) -> Vec<u8> {
    let width = pixels.width().max(1) as usize;
    let raw = pixels.as_raw();
    let mut indices: Vec<u8> = grid.of.iter().map(|cell| choices[*cell as usize][0]).collect();
    let mut block = 0_u32;
    // What a cell takes in the block it was last asked in.
    let mut taken = vec![(0_u32, 0_u8); grid.len()];
    for start in (0..indices.len()).step_by(width * ROWS) {
        let end = (start + width * ROWS).min(indices.len());
        block += 1;
        let mut count = [0.125_f32; 256];
        for index in &indices[start..end] {
            count[usize::from(*index)] += 1.0;
        }
        let all = (end - start) as f32;
        let price = count.map(|count| (all / count).log2().max(0.0) * BIT);
        for at in start..end {
            let cell = grid.of[at] as usize;
            let pixel = &raw[at * 3..at * 3 + 3];
            if taken[cell].0 != block {
                let cost = |index: u8| apart(palette[usize::from(index)], pixel) as f32 + price[usize::from(index)];
                let cheapest = choices[cell].into_iter().min_by(|a, b| cost(*a).total_cmp(&cost(*b)));
                taken[cell] = (block, cheapest.unwrap_or(0));
            }
            let own = taken[cell].1;
            let mut best = (apart(palette[usize::from(own)], pixel) as f32 + price[usize::from(own)], own);
            let left = (at > 0).then(|| (indices[at - 1], RUN));
            let above = (at >= width).then(|| (indices[at - width], RUN / 2.0));
            for (index, off) in left.into_iter().chain(above) {
                let colour = usize::from(index);
                let cost = apart(palette[colour], pixel) as f32 + price[colour] * (1.0 - off);
                if cost < best.0 {
                    best = (cost, index);
                }
            }
            indices[at] = best.1;
        }
    }
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_colours_take_few_bits_and_come_back() {
        for colours in [1_u32, 2, 3, 7, 16, 17] {
            let shade = |x: u32, y: u32| {
                let n = (x / 3 + y / 2) % colours;
                image::Rgb([(n * 53 % 256) as u8, (n * 29 % 256) as u8, (n * 101 % 256) as u8])
            };
            let pixels = RgbImage::from_fn(61, 40, shade);
            let file = palette(&pixels).expect("encodes");
            let back = image::load_from_memory(&file).expect("a PNG").into_rgb8();
            let wrong = back.pixels().zip(pixels.pixels()).filter(|(a, b)| apart(a.0, &b.0) > 400).count();
            assert_eq!((back.dimensions(), wrong), ((61, 40), 0), "{colours} colours");
        }
    }
}
