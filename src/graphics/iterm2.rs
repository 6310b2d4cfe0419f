//! iTerm2 inline images: one sequence with a JPEG, which the terminal scales to the cells.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use image::codecs::jpeg::JpegEncoder;
use ratatui::layout::Size;

use super::encode::EncodeError;
use super::picture::Quality;

pub(super) fn sequence(pixels: &RgbImage, cells: Size, quality: Quality) -> Result<Vec<u8>, EncodeError> {
    let quality = match quality {
        Quality::Full => 90,
        Quality::Lean => 75,
    };
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, quality)
        .encode_image(pixels)
        .map_err(|error| EncodeError::Failed(error.to_string()))?;
    let mut out = Vec::with_capacity(jpeg.len() * 4 / 3 + 128);
    let _ = write!(
        out,
        "\x1b]1337;File=inline=1;size={};width={};height={};preserveAspectRatio=1;doNotMoveCursor=1:",
        jpeg.len(),
        cells.width,
        cells.height
    );
    out.extend(STANDARD.encode(&jpeg).into_bytes());
    out.push(0x07);
    Ok(out)
}
