//! Scaling pixels, and what stands behind transparent ones.

use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, RgbImage};

use super::encode::EncodeError;

/// Side of a checker square, pixels.
const CHECKER: u32 = 8;

/// Scales to exactly `width` x `height` with Lanczos3; transparent pictures come out on a checker.
pub(super) fn scale(
    pixels: &DynamicImage,
    width: u32,
    height: u32,
) -> Result<RgbImage, EncodeError> {
    let (width, height) = (width.max(1), height.max(1));
    match pixels {
        DynamicImage::ImageRgb8(image) => {
            let raw = run(
                image.as_raw(),
                image.dimensions(),
                (width, height),
                PixelType::U8x3,
            )?;
            RgbImage::from_raw(width, height, raw).ok_or(EncodeError::Size)
        }
        other => {
            let image = other.to_rgba8();
            let raw = run(
                image.as_raw(),
                image.dimensions(),
                (width, height),
                PixelType::U8x4,
            )?;
            let mut flat = RgbImage::new(width, height);
            for ((x, y, pixel), rgba) in flat.enumerate_pixels_mut().zip(raw.chunks_exact(4)) {
                let light = (x / CHECKER + y / CHECKER).is_multiple_of(2);
                let back = if light { 0x66_u32 } else { 0x99 };
                let alpha = u32::from(rgba[3]);
                for (to, from) in pixel.0.iter_mut().zip(rgba) {
                    let mixed = (u32::from(*from) * alpha + back * (255 - alpha) + 127) / 255;
                    *to = mixed.min(255) as u8;
                }
            }
            Ok(flat)
        }
    }
}

fn run(
    raw: &[u8],
    from: (u32, u32),
    to: (u32, u32),
    kind: PixelType,
) -> Result<Vec<u8>, EncodeError> {
    if from == to {
        return Ok(raw.to_vec());
    }
    let source = fast_image_resize::images::ImageRef::new(from.0, from.1, raw, kind)
        .map_err(|_| EncodeError::Size)?;
    let mut target = Image::new(to.0, to.1, kind);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    Resizer::new()
        .resize(&source, &mut target, &options)
        .map_err(|_| EncodeError::Size)?;
    Ok(target.into_vec())
}
