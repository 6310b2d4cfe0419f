//! From the canvas to a file: film grain, then PNG, JPEG or WebP.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageResult};
use tiny_skia::Pixmap;

use super::super::random::mix;
use super::{Format, Picture};

/// Strongest grain, in levels of brightness up and down.
const GRAIN: i16 = 5;

/// Encodes the canvas, which must be opaque.
pub(crate) fn encode(canvas: &Pixmap, picture: &Picture) -> ImageResult<Vec<u8>> {
    let pixels = grained(canvas, picture.seed);
    let (width, height) = (canvas.width(), canvas.height());
    let colour = ExtendedColorType::Rgb8;
    let mut bytes = Vec::with_capacity(pixels.len() / 2);
    match picture.format {
        Format::Png => PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Paeth)
            .write_image(&pixels, width, height, colour)?,
        Format::Jpeg => JpegEncoder::new_with_quality(&mut bytes, 92).write_image(&pixels, width, height, colour)?,
        Format::WebP => {
            WebPEncoder::new_lossless(&mut bytes).write_image(&pixels, width, height, colour)?;
        }
    }
    Ok(bytes)
}

/// Opaque RGB with a fine grain, the same on all three colours like silver in film. It breaks up the bands of gradients and
/// gives the files the weight of real pictures.
fn grained(canvas: &Pixmap, seed: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(canvas.data().len() / 4 * 3);
    let mut state = mix(seed) | 1;
    let mut noise = 0_u64;
    for (at, pixel) in canvas.data().chunks_exact(4).enumerate() {
        if at % 8 == 0 {
            // A new word of noise for eight pixels (xorshift).
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            noise = state;
        }
        // The sum of two four-bit numbers is a triangle: small steps are common, large ones rare.
        let sum = ((noise & 15) + (noise >> 4 & 15)) as i16;
        noise >>= 8;
        let step = (sum - 15) * GRAIN / 15;
        for channel in pixel.iter().take(3) {
            let lit = i16::from(*channel) + step;
            out.push(lit.clamp(0, 255) as u8);
        }
    }
    out
}
