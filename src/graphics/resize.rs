//! Cutting out and scaling pixels, and what stands behind transparent ones.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, RgbImage};

use super::encode::EncodeError;
use super::view::Crop;

/// Side of a checker square, pixels.
const CHECKER: u32 = 8;

/// What is seen through transparent pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Backdrop {
    /// Squares of two greys.
    #[default]
    Checker,
    /// The terminal's background, red, green, blue.
    Colour([u8; 3]),
}

impl Backdrop {
    fn at(self, x: u32, y: u32) -> [u8; 3] {
        match self {
            Self::Colour(colour) => colour,
            Self::Checker if (x / CHECKER + y / CHECKER).is_multiple_of(2) => [0x66; 3],
            Self::Checker => [0x99; 3],
        }
    }
}

/// Scales a part of a picture to exactly `width` x `height` with Lanczos3.
///
/// Opaque pictures go through with a full alpha channel: the resizer is compiled for one kind of pixel only.
/// Sources much larger than what is wanted are averaged by whole squares first, so that no large copy of
/// them is ever made.
pub(super) fn scale(
    pixels: &DynamicImage,
    part: Crop,
    width: u32,
    height: u32,
    behind: Backdrop,
) -> Result<RgbImage, EncodeError> {
    let (width, height) = (width.max(1), height.max(1));
    let part = part.within((pixels.width(), pixels.height()));
    let by = (part.width / (2 * width)).min(part.height / (2 * height)).clamp(1, 64);
    let (raw, size, transparent) = match pixels {
        DynamicImage::ImageRgb8(image) => {
            let gathered = gather::<3>(image.as_raw(), image.width(), part, by);
            (gathered.0, gathered.1, false)
        }
        DynamicImage::ImageRgba8(image) => {
            let gathered = gather::<4>(image.as_raw(), image.width(), part, by);
            (gathered.0, gathered.1, true)
        }
        other => {
            let image = other.to_rgba8();
            let gathered = gather::<4>(image.as_raw(), image.width(), part, by);
            (gathered.0, gathered.1, other.color().has_alpha())
        }
    };
    let raw = run(raw, size, (width, height), transparent)?;
    let mut flat = Vec::with_capacity(raw.len() / 4 * 3);
    if transparent {
        for (at, rgba) in raw.chunks_exact(4).enumerate() {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            let back = behind.at(at % width, at / width);
            let alpha = u32::from(rgba[3]);
            flat.extend(rgba.iter().zip(back).map(|(from, back)| {
                let mixed = (u32::from(*from) * alpha + u32::from(back) * (255 - alpha) + 127) / 255;
                u8::try_from(mixed).unwrap_or(u8::MAX)
            }));
        }
    } else {
        flat.extend(raw.chunks_exact(4).flat_map(|rgba| [rgba[0], rgba[1], rgba[2]]));
    }
    RgbImage::from_raw(width, height, flat).ok_or(EncodeError::Size)
}

/// Cuts `part` out and makes each square of `by` pixels one; always four channels.
fn gather<const N: usize>(raw: &[u8], width: u32, part: Crop, by: u32) -> (Vec<u8>, (u32, u32)) {
    let line = width as usize * N;
    let (left, top) = (part.x as usize * N, part.y as usize);
    let (wide, high) = ((part.width / by).max(1), (part.height / by).max(1));
    let mut out = Vec::with_capacity(wide as usize * high as usize * 4);
    if by == 1 {
        for row in raw.chunks_exact(line).skip(top).take(high as usize) {
            let cut = row.get(left..left + wide as usize * N).unwrap_or_default();
            out.extend(cut.chunks_exact(N).flat_map(|p| [p[0], p[1], p[2], if N == 4 { p[N - 1] } else { 255 }]));
        }
        return (out, (wide, high));
    }
    let by = by as usize;
    // Of large squares not every row: some rows of all columns are as good a mean.
    let step = by / 4 + 1;
    let area = (by * by.div_ceil(step)) as u32;
    let mut sums = vec![[0_u32; 4]; wide as usize];
    for rows in raw.chunks_exact(line).skip(top).take(high as usize * by).collect::<Vec<_>>().chunks_exact(by) {
        sums.fill([0; 4]);
        for row in rows.iter().step_by(step) {
            let cut = row.get(left..left + wide as usize * by * N).unwrap_or_default();
            for (sum, square) in sums.iter_mut().zip(cut.chunks_exact(by * N)) {
                for p in square.chunks_exact(N) {
                    // What cannot be seen has no say in the colour.
                    let alpha = if N == 4 { u32::from(p[N - 1]) } else { 1 };
                    for (sum, part) in sum.iter_mut().zip(&p[..3]) {
                        *sum += u32::from(*part) * alpha;
                    }
                    sum[3] += alpha;
                }
            }
        }
        out.extend(sums.iter().flat_map(|sum| {
            let weight = sum[3].max(1);
            let alpha = if N == 4 { (sum[3] + area / 2) / area } else { 255 };
            let mean = |part: u32| u8::try_from((part + weight / 2) / weight).unwrap_or(u8::MAX);
            [mean(sum[0]), mean(sum[1]), mean(sum[2]), u8::try_from(alpha).unwrap_or(u8::MAX)]
        }));
    }
    (out, (wide, high))
}

fn run(raw: Vec<u8>, from: (u32, u32), to: (u32, u32), transparent: bool) -> Result<Vec<u8>, EncodeError> {
    if from == to {
        return Ok(raw);
    }
    let source = ImageRef::new(from.0, from.1, &raw, PixelType::U8x4).map_err(|_| EncodeError::Size)?;
    let mut target = Image::new(to.0, to.1, PixelType::U8x4);
    let convolution = ResizeAlg::Convolution(FilterType::Lanczos3);
    let options = ResizeOptions::new().resize_alg(convolution).use_alpha(transparent);
    Resizer::new().resize(&source, &mut target, &options).map_err(|_| EncodeError::Size)?;
    Ok(target.into_vec())
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::*;

    fn whole(width: u32, height: u32) -> Crop {
        Crop { x: 0, y: 0, width, height }
    }

    #[test]
    fn a_part_is_that_part() {
        let image = RgbImage::from_fn(100, 80, |x, y| image::Rgb([x as u8, y as u8, 7]));
        let part = Crop { x: 30, y: 40, width: 20, height: 10 };
        let cut = scale(&DynamicImage::ImageRgb8(image), part, 20, 10, Backdrop::Checker).expect("scales");
        assert_eq!((cut.get_pixel(0, 0).0, cut.get_pixel(19, 9).0), ([30, 40, 7], [49, 49, 7]));
    }

    #[test]
    fn transparency_shows_what_is_behind() {
        let image = DynamicImage::ImageRgba8(RgbaImage::from_pixel(64, 64, Rgba([200, 100, 0, 0])));
        let on = |behind| scale(&image, whole(64, 64), 32, 32, behind).expect("scales");
        assert_eq!(on(Backdrop::Colour([1, 2, 3])).get_pixel(9, 9).0, [1, 2, 3]);
        let checker = on(Backdrop::Checker);
        assert_eq!((checker.get_pixel(0, 0).0, checker.get_pixel(8, 0).0), ([0x66; 3], [0x99; 3]));
        let half = DynamicImage::ImageRgba8(RgbaImage::from_pixel(600, 600, Rgba([200, 100, 0, 128])));
        let seen = scale(&half, whole(600, 600), 10, 10, Backdrop::Colour([0, 0, 100])).expect("scales");
        assert_eq!(seen.get_pixel(5, 5).0, [100, 50, 50]);
    }

    #[test]
    fn squares_first_is_nearly_the_same() {
        let image = RgbImage::from_fn(900, 900, |x, y| {
            let wave = (f64::from(x) / 40.0).sin() + (f64::from(y) / 60.0).cos();
            image::Rgb([(128.0 + 60.0 * wave) as u8, (x / 4) as u8, (y / 4) as u8])
        });
        let image = DynamicImage::ImageRgb8(image);
        let quick = scale(&image, whole(900, 900), 100, 100, Backdrop::Checker).expect("scales");
        let rgba = image.to_rgba8().into_raw();
        let exact = run(rgba, (900, 900), (100, 100), false).expect("scales");
        let apart =
            quick.pixels().zip(exact.chunks(4)).flat_map(|(a, b)| [a.0[0].abs_diff(b[0]), a.0[1].abs_diff(b[1])]);
        assert!(apart.max() <= Some(3));
    }
}
