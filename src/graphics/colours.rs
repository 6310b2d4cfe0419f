//! Palettes: which colours stand for a picture, and which of them come into question for a pixel.
//!
//! Pixels are first sorted into a grid of six bits a channel; everything that is asked of every colour is
//! then asked of the few ten thousand cells of the grid that occur, not of every pixel. Wu's method (quantette)
//! gives the first palette, two rounds of k-means over the cells improve it by half a decibel to one.

use image::RgbImage;
use quantette::deps::palette::Srgb;
use quantette::{PaletteSize, Pipeline};

use super::encode::EncodeError;

/// Colours of the palette that come into question for a cell of the grid, the nearest first.
pub(super) const CHOICES: usize = 6;
/// Rounds of k-means.
const ROUNDS: usize = 2;
/// Wu's method looks at no more pixels than this; more do not change its boxes.
const LOOKED_AT: usize = 60_000;

/// A colour, red, green, blue.
pub(super) type Colour = [u8; 3];

/// The colours of a picture, by cells of a grid.
pub(super) struct Grid {
    count: Vec<f32>,
    mean: Vec<[f32; 3]>,
    /// The cell of each pixel.
    pub of: Vec<u32>,
}

impl Grid {
    pub(super) fn new(pixels: &RgbImage) -> Self {
        let mut slot = vec![u32::MAX; 1 << 18];
        let mut sums: Vec<[u32; 4]> = Vec::new();
        let mut of = Vec::with_capacity(pixels.as_raw().len() / 3);
        for p in pixels.as_raw().chunks_exact(3) {
            let key = (usize::from(p[0] >> 2) << 12) | (usize::from(p[1] >> 2) << 6) | usize::from(p[2] >> 2);
            if slot[key] == u32::MAX {
                slot[key] = sums.len() as u32;
                sums.push([0; 4]);
            }
            let cell = slot[key];
            // A picture has at most 30,000 x 30,000 pixels, but those that are encoded fit a screen.
            let sum = &mut sums[cell as usize];
            for (sum, part) in sum.iter_mut().zip(p) {
                *sum = sum.saturating_add(u32::from(*part));
            }
            sum[3] += 1;
            of.push(cell);
        }
        let count = sums.iter().map(|sum| sum[3] as f32).collect();
        let mean = sums.iter().map(|s| [s[0], s[1], s[2]].map(|part| part as f32 / s[3] as f32)).collect();
        Self { count, mean, of }
    }

    /// Cells that occur.
    pub(super) fn len(&self) -> usize {
        self.mean.len()
    }

    /// At most `colours` (1 to 256) colours for these pixels, sorted by green.
    pub(super) fn palette(&self, pixels: &RgbImage, colours: u16) -> Result<Vec<Colour>, EncodeError> {
        let size = PaletteSize::try_from(colours).map_err(|_| EncodeError::Size)?;
        let raw = pixels.as_raw();
        // An odd stride, so that it does not stay in a column.
        let stride = (raw.len() / 3 / LOOKED_AT) | 1;
        let seen: Vec<Srgb<u8>> = raw.chunks_exact(3).step_by(stride).map(|p| Srgb::new(p[0], p[1], p[2])).collect();
        let pipeline = Pipeline::new().palette_size(size).input_slice(&seen).map_err(|_| EncodeError::Size)?;
        let first = pipeline.output_srgb8_palette();
        let mut palette: Vec<Colour> = first.iter().map(|c| [c.red, c.green, c.blue]).collect();
        for _ in 0..ROUNDS {
            let near = Near::new(&mut palette);
            let mut sums = vec![[0.0_f32; 4]; palette.len()];
            for (mean, count) in self.mean.iter().zip(&self.count) {
                let sum = &mut sums[usize::from(near.nearest(&palette, *mean))];
                for (sum, part) in sum.iter_mut().zip(mean) {
                    *sum += part * count;
                }
                sum[3] += count;
            }
            for (colour, sum) in palette.iter_mut().zip(sums) {
                if sum[3] > 0.0 {
                    *colour = [sum[0], sum[1], sum[2]].map(|part| (part / sum[3]).round() as u8);
                }
            }
        }
        palette.sort_unstable_by_key(|colour| colour[1]);
        palette.dedup();
        Ok(palette)
    }

    /// For each cell the colours of `palette` next to it. Sorts the palette.
    pub(super) fn choices(&self, palette: &mut [Colour]) -> Vec<[u8; CHOICES]> {
        let near = Near::new(palette);
        self.mean.iter().map(|mean| near.several(palette, *mean)).collect()
    }
}

/// Finds near colours in a palette sorted by green, from the same green outwards.
struct Near {
    start: [u16; 257],
}

impl Near {
    fn new(palette: &mut [Colour]) -> Self {
        palette.sort_unstable_by_key(|colour| colour[1]);
        let mut start = [0; 257];
        for (green, start) in start.iter_mut().enumerate() {
            *start = palette.partition_point(|colour| usize::from(colour[1]) < green) as u16;
        }
        Self { start }
    }

    /// Calls `visit` with places and distances until what it answers, the farthest distance that still
    /// matters, cannot be met any more.
    fn walk(&self, palette: &[Colour], at: [f32; 3], mut visit: impl FnMut(usize, f32) -> f32) {
        let mut above = usize::from(self.start[(at[1] as usize).min(255)]);
        let mut below = above;
        let mut most = f32::MAX;
        loop {
            let up = palette.get(above).map_or(f32::MAX, |colour| (f32::from(colour[1]) - at[1]).abs());
            let down = below.checked_sub(1).map_or(f32::MAX, |place| (f32::from(palette[place][1]) - at[1]).abs());
            let place = if up <= down { above } else { below - 1 };
            let green = up.min(down);
            if green == f32::MAX || green * green >= most {
                return;
            }
            if up <= down {
                above += 1
            } else {
                below -= 1
            }
            let [red, _, blue] = palette[place].map(f32::from);
            let apart = (red - at[0]).powi(2) + green * green + (blue - at[2]).powi(2);
            most = visit(place, apart);
        }
    }

    fn nearest(&self, palette: &[Colour], at: [f32; 3]) -> u8 {
        let mut best = (f32::MAX, 0);
        self.walk(palette, at, |place, apart| {
            if apart < best.0 {
                best = (apart, place);
            }
            best.0
        });
        best.1 as u8
    }

    fn several(&self, palette: &[Colour], at: [f32; 3]) -> [u8; CHOICES] {
        let mut best = [(f32::MAX, 0_usize); CHOICES];
        self.walk(palette, at, |place, apart| {
            if apart < best[CHOICES - 1].0 {
                let to = best.iter().position(|(other, _)| apart < *other).unwrap_or(CHOICES - 1);
                best[to..].rotate_right(1);
                best[to] = (apart, place);
            }
            best[CHOICES - 1].0
        });
        // A palette of fewer colours: the nearest stands for what is missing.
        best.map(|(apart, place)| if apart == f32::MAX { best[0].1 as u8 } else { place as u8 })
    }
}

/// Distance of a colour from a pixel, squared.
#[inline]
pub(super) fn apart(colour: Colour, pixel: &[u8]) -> i32 {
    colour.iter().zip(pixel).map(|(a, b)| (i32::from(*a) - i32::from(*b)).pow(2)).sum()
}

/// Each colour becomes the mean of the pixels it stands for; colours that stand for none are dropped.
pub(super) fn refit(pixels: &RgbImage, indices: &mut [u8], palette: &mut Vec<Colour>) {
    let mut sums = vec![[0_u64; 4]; palette.len()];
    for (index, pixel) in indices.iter().zip(pixels.as_raw().chunks_exact(3)) {
        let sum = &mut sums[usize::from(*index)];
        for (sum, part) in sum.iter_mut().zip(pixel) {
            *sum += u64::from(*part);
        }
        sum[3] += 1;
    }
    let mut to = [0_u8; 256];
    palette.clear();
    for (sum, to) in sums.iter().zip(&mut to).filter(|(sum, _)| sum[3] > 0) {
        *to = palette.len() as u8;
        palette.push([sum[0], sum[1], sum[2]].map(|part| ((part + sum[3] / 2) / sum[3]) as u8));
    }
    for index in indices {
        *index = to[usize::from(*index)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_the_nearest() {
        let pixels =
            RgbImage::from_fn(64, 64, |x, y| image::Rgb([(x * 4) as u8, (y * 4) as u8, ((x * y) % 256) as u8]));
        let grid = Grid::new(&pixels);
        let mut palette = grid.palette(&pixels, 40).expect("a palette");
        assert!(palette.len() <= 40 && palette.len() > 20);
        let choices = grid.choices(&mut palette);
        for (mean, choices) in grid.mean.iter().zip(&choices) {
            let far =
                |colour: &Colour| -> f32 { colour.iter().zip(mean).map(|(a, b)| (f32::from(*a) - b).powi(2)).sum() };
            let mut all: Vec<f32> = palette.iter().map(far).collect();
            all.sort_by(f32::total_cmp);
            for (choice, best) in choices.iter().zip(all) {
                assert!((far(&palette[usize::from(*choice)]) - best).abs() < 0.01);
            }
        }
    }

    #[test]
    fn few_colours_are_kept_as_they_are() {
        let colours = [[0, 0, 0], [255, 255, 255], [200, 30, 30], [30, 30, 200]];
        let pixels = RgbImage::from_fn(40, 40, |x, y| image::Rgb(colours[((x / 10 + y / 10) % 4) as usize]));
        let grid = Grid::new(&pixels);
        let mut palette = grid.palette(&pixels, 256).expect("a palette");
        let choices = grid.choices(&mut palette);
        let mut indices: Vec<u8> = grid.of.iter().map(|cell| choices[*cell as usize][0]).collect();
        refit(&pixels, &mut indices, &mut palette);
        assert_eq!(palette.len(), 4);
        let seen = indices.iter().map(|index| palette[usize::from(*index)]);
        assert!(seen.zip(pixels.pixels()).all(|(seen, meant)| seen == meant.0));
    }
}
