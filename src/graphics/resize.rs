//! Scaling pixels, and what stands behind transparent ones.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, RgbImage};

use super::encode::EncodeError;

/// Side of a checker square, pixels.
const CHECKER: u32 = 8;

/// Scales to exactly `width` x `height` with Lanczos3; transparent pictures come out on a checker.
///
/// Opaque pictures go the same way with a full alpha channel: the resizer is compiled for one kind of pixel only.
pub(super) fn scale(pixels: &DynamicImage, width: u32, height: u32) -> Result<RgbImage, EncodeError> {
    let (width, height) = (width.max(1), height.max(1));
    if let (DynamicImage::ImageRgb8(image), true) = (pixels, (pixels.width(), pixels.height()) == (width, height)) {
        return Ok(image.clone());
    }
    let transparent = pixels.color().has_alpha();
    let image = pixels.to_rgba8();
    let raw = run(image.as_raw(), image.dimensions(), (width, height), transparent)?;
    let mut flat = RgbImage::new(width, height);
    for ((x, y, pixel), rgba) in flat.enumerate_pixels_mut().zip(raw.chunks_exact(4)) {
        let light = (x / CHECKER + y / CHECKER).is_multiple_of(2);
        let back = if light { 0x66_u32 } else { 0x99 };
        let alpha = u32::from(rgba[3]);
        for (to, from) in pixel.0.iter_mut().zip(rgba) {
            let mixed = (u32::from(*from) * alpha + back * (255 - alpha) + 127) / 255;
            *to = u8::try_from(mixed).unwrap_or(u8::MAX);
        }
    }
    Ok(flat)
}

fn run(raw: &[u8], from: (u32, u32), to: (u32, u32), transparent: bool) -> Result<Vec<u8>, EncodeError> {
    if from == to {
        return Ok(raw.to_vec());
    }
    let source = ImageRef::new(from.0, from.1, raw, PixelType::U8x4).map_err(|_| EncodeError::Size)?;
    let mut target = Image::new(to.0, to.1, PixelType::U8x4);
    let convolution = ResizeAlg::Convolution(FilterType::Lanczos3);
    let options = ResizeOptions::new().resize_alg(convolution).use_alpha(transparent);
    Resizer::new().resize(&source, &mut target, &options).map_err(|_| EncodeError::Size)?;
    Ok(target.into_vec())
}
