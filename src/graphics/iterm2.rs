//! iTerm2 inline images: a JPEG, which the terminal scales to the cells, in one sequence or in several.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::RgbImage;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use ratatui::layout::Size;

use super::budget::{FIRST_SIDE, Purpose, Source, fit};
use super::encode::EncodeError;

/// Quality on a line without a budget.
const BEST: u8 = 90;
/// Qualities that are tried at full size, with the bytes they cost compared with the first.
const QUALITIES: &[(u8, f64)] = &[(85, 1.0), (75, 0.72), (65, 0.58), (55, 0.48)];
/// Quality of a picture of fewer pixels than its room has.
const SCALED: u8 = 65;
/// Quality of a first look.
const FIRST: u8 = 70;
/// A first look costs no more bytes.
const FIRST_BYTES: usize = 8_000;
/// What stands before the file.
const START: &[u8] = b"\x1b]1337;File=";

/// One complete sequence of at most `budget` bytes.
pub(super) fn encode(
    source: &Source<'_>,
    full: (u32, u32),
    cells: Size,
    budget: Option<usize>,
    purpose: Purpose,
) -> Result<Vec<u8>, EncodeError> {
    let long = full.0.max(full.1).max(1);
    let bytes = |sequence: &Vec<u8>| sequence.len();
    if purpose == Purpose::FirstLook {
        let share = (f64::from(FIRST_SIDE) / f64::from(long)).min(1.0);
        let budget = budget.unwrap_or(FIRST_BYTES).min(FIRST_BYTES);
        let make = |part: f64| sequence(&source.shrunk(full, share * part)?, cells, FIRST);
        return fit(budget, long.min(FIRST_SIDE), make, bytes);
    }
    let pixels = source.at(full.0, full.1)?;
    let Some(budget) = budget else {
        return sequence(&pixels, cells, BEST);
    };
    let best = sequence(&pixels, cells, BEST)?;
    if best.len() <= budget {
        return Ok(best);
    }
    // One attempt at the quality that should fit, one at the next below.
    let first = sequence(&pixels, cells, QUALITIES[0].0)?;
    let fitting = QUALITIES.iter().filter(|(_, share)| first.len() as f64 * share * 0.97 <= budget as f64);
    for (quality, _) in fitting.take(2) {
        let made = sequence(&pixels, cells, *quality)?;
        if made.len() <= budget {
            return Ok(made);
        }
    }
    drop(pixels);
    fit(budget, long, |share| sequence(&source.shrunk(full, share)?, cells, SCALED), bytes)
}

fn sequence(pixels: &RgbImage, cells: Size, quality: u8) -> Result<Vec<u8>, EncodeError> {
    let failed = |error: jpeg_encoder::EncodingError| EncodeError::Failed(error.to_string());
    let sides = (u16::try_from(pixels.width()), u16::try_from(pixels.height()));
    let (Ok(width), Ok(height)) = sides else { return Err(EncodeError::Size) };
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, quality);
    // Colour at half the resolution: a quarter fewer bytes, invisible at this size. Not progressive, for that
    // costs more bytes here.
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(pixels.as_raw(), width, height, ColorType::Rgb).map_err(failed)?;
    let mut out = Vec::with_capacity(jpeg.len() * 4 / 3 + 128);
    out.extend(START);
    let _ = write!(
        out,
        "inline=1;size={};width={};height={};preserveAspectRatio=1;doNotMoveCursor=1:",
        jpeg.len(),
        cells.width,
        cells.height
    );
    out.extend(STANDARD.encode(&jpeg).into_bytes());
    out.push(0x07);
    Ok(out)
}

/// The same picture as several sequences, so that text may go between them: `MultipartFile` with what is to
/// be known, a `FilePart` for at most `most` letters each, `FileEnd` \[D\]. The first one is sent with the cursor at the picture's
/// place; what was begun is dropped by the terminal when another `MultipartFile` comes.
///
/// Empty if `sequence` is not one of ours.
pub fn iterm2_parts(sequence: &[u8], most: usize) -> Vec<Vec<u8>> {
    let Some(body) = sequence.strip_prefix(START).and_then(|rest| rest.strip_suffix(b"\x07")) else {
        return Vec::new();
    };
    let Some(colon) = body.iter().position(|byte| *byte == b':') else { return Vec::new() };
    let (keys, letters) = (&body[..colon], &body[colon + 1..]);
    // Whole groups of four letters, so that each part can also be decoded by itself.
    let most = (most / 4).max(1) * 4;
    let part = |name: &[u8], data: &[u8]| [b"\x1b]1337;".as_slice(), name, data, b"\x07"].concat();
    let mut out = vec![part(b"MultipartFile=", keys)];
    out.extend(letters.chunks(most).map(|letters| part(b"FilePart=", letters)));
    out.push(part(b"FileEnd", b""));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_the_same_file() {
        let pixels = RgbImage::from_fn(200, 100, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8]));
        let whole = sequence(&pixels, Size::new(20, 5), 75).expect("encodes");
        let parts = iterm2_parts(&whole, 1001);
        let keys = "inline=1;size=";
        assert!(parts[0].starts_with(format!("\x1b]1337;MultipartFile={keys}").as_bytes()));
        assert_eq!(parts.last().map(Vec::as_slice), Some(b"\x1b]1337;FileEnd\x07".as_slice()));
        let mut file = Vec::new();
        for part in &parts[1..parts.len() - 1] {
            assert!(part.len() <= 1000 + 18);
            let letters = part.strip_prefix(b"\x1b]1337;FilePart=").and_then(|rest| rest.strip_suffix(b"\x07"));
            file.extend(STANDARD.decode(letters.expect("a part")).expect("decodes by itself"));
        }
        let back = image::load_from_memory(&file).expect("a JPEG");
        assert_eq!((back.width(), back.height()), (200, 100));
        assert!(iterm2_parts(b"\x1b]1337;File=x\x07", 100).is_empty() && iterm2_parts(b"", 0).is_empty());
    }
}
