//! Sixel: a writer of our own, for none of the libraries comes near its size.
//!
//! A picture is cut into strips of whole cell rows, each a complete sequence with the colours it
//! needs. Strips can be sent with text between them, left out, or repeated alone after a popup.
//! Within a band of six pixel rows, colours that do not overlap share a pass; runs are counted and
//! blanks at the end of a pass are not written.

use std::io::Write as _;

use image::RgbImage;
use ratatui::layout::Size;

use super::encode::{EncodeError, Fit, palette};
use super::picture::{CellSize, Quality, Strip};

/// Cell rows in a strip: fewer would make popups cheaper and repeat the palette more often. Six make
/// every strip a whole number of bands, whatever a cell measures; tmux leaves black lines otherwise.
const STRIP_ROWS: usize = 6;

/// Pixel rows that are written together.
const BAND: usize = 6;

/// Shortens a picture to whole bands, by less than one: Konsole and tmux round up instead, and blank
/// the row of text beneath.
pub(super) fn whole_bands(fit: Fit, cell: CellSize) -> Fit {
    let height = (fit.height / BAND as u32 * BAND as u32).max(1);
    let rows = height.div_ceil(u32::from(cell.height)) as u16;
    Fit { height, cells: Size::new(fit.cells.width, rows), ..fit }
}

pub(super) fn strips(pixels: &RgbImage, cell: CellSize, quality: Quality) -> Result<Vec<Strip>, EncodeError> {
    let colours = match quality {
        Quality::Full => 256,
        Quality::Lean => 64,
    };
    let (palette, indices) = palette(pixels, colours)?;
    let width = pixels.width() as usize;
    let cell = usize::from(cell.height.max(1));
    let mut strips = Vec::new();
    for (number, part) in indices.chunks(width * cell * STRIP_ROWS).enumerate() {
        let height = part.len() / width;
        strips.push(Strip {
            row: u16::try_from(number * STRIP_ROWS).map_err(|_| EncodeError::Size)?,
            rows: u16::try_from(height.div_ceil(cell)).map_err(|_| EncodeError::Size)?,
            data: strip(part, width, height, &palette),
        });
    }
    Ok(strips)
}

fn strip(indices: &[u8], width: usize, height: usize, palette: &[[u8; 3]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(indices.len() / 2 + 256);
    // P2=1: pixels that are not set stay as they are.
    let _ = write!(out, "\x1bP0;1q\"1;1;{width};{height}");
    let mut used = [false; 256];
    for index in indices {
        used[usize::from(*index)] = true;
    }
    for (number, colour) in palette.iter().enumerate().filter(|(number, _)| used[*number]) {
        let [r, g, b] = colour.map(|part| (u32::from(part) * 100 + 127) / 255);
        let _ = write!(out, "#{number};2;{r};{g};{b}");
    }
    let mut band = Band::new(width);
    let many = indices.chunks(width * BAND).len();
    for (number, rows) in indices.chunks(width * BAND).enumerate() {
        band.fill(rows);
        band.write(&mut out);
        if number + 1 < many {
            out.push(b'-');
        }
    }
    out.extend(b"\x1b\\");
    out.shrink_to_fit();
    out
}

/// Six pixel rows, by colour.
struct Band {
    width: usize,
    /// For each colour a row of six-bit masks; only the rows of `spans` are meaningful.
    masks: Vec<u8>,
    /// Colour, first and last column.
    spans: Vec<(u8, usize, usize)>,
    /// Where a colour stands in `spans`.
    place: [Option<u16>; 256],
}

impl Band {
    fn new(width: usize) -> Self {
        Self { width, masks: vec![0; width * 256], spans: Vec::with_capacity(256), place: [None; 256] }
    }

    fn fill(&mut self, rows: &[u8]) {
        for (colour, ..) in self.spans.drain(..) {
            let start = usize::from(colour) * self.width;
            self.masks[start..start + self.width].fill(0);
            self.place[usize::from(colour)] = None;
        }
        for (bit, row) in rows.chunks(self.width).enumerate() {
            for (x, colour) in row.iter().enumerate() {
                self.masks[usize::from(*colour) * self.width + x] |= 1 << bit;
                match self.place[usize::from(*colour)] {
                    Some(at) => {
                        let (_, first, last) = &mut self.spans[usize::from(at)];
                        *first = (*first).min(x);
                        *last = (*last).max(x);
                    }
                    None => {
                        self.place[usize::from(*colour)] = Some(self.spans.len() as u16);
                        self.spans.push((*colour, x, x));
                    }
                }
            }
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let mut left = self.spans.clone();
        left.sort_unstable_by_key(|(_, first, _)| *first);
        let mut first_pass = true;
        while !left.is_empty() {
            if !first_pass {
                out.push(b'$');
            }
            first_pass = false;
            let mut at = 0;
            // Greedy: of the spans sorted by their start, each that begins where the pen is or
            // later goes into this pass.
            left.retain(|(colour, first, last)| {
                if *first < at {
                    return true;
                }
                let _ = write!(out, "#{colour}");
                run(out, 0, *first - at);
                let start = usize::from(*colour) * self.width;
                runs(out, &self.masks[start + first..=start + last]);
                at = last + 1;
                false
            });
        }
    }
}

fn runs(out: &mut Vec<u8>, masks: &[u8]) {
    for same in masks.chunk_by(|a, b| a == b) {
        run(out, same[0], same.len());
    }
}

fn run(out: &mut Vec<u8>, mask: u8, length: usize) {
    let letter = b'?' + mask;
    if length > 3 {
        let _ = write!(out, "!{length}");
        out.push(letter);
    } else {
        out.extend(std::iter::repeat_n(letter, length));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small reader of sixel, apart from the writer: pixels by colour number.
    fn read(data: &[u8], width: usize, height: usize) -> Vec<Option<[u8; 3]>> {
        let text = std::str::from_utf8(data).expect("ascii");
        let body = text.strip_prefix("\x1bP0;1q").expect("start");
        let body = body.strip_suffix("\x1b\\").expect("end");
        let mut colours = std::collections::HashMap::new();
        let mut pixels = vec![None; width * height];
        let (mut x, mut y, mut pen, mut count) = (0, 0, 0_usize, 1);
        let mut chars = body.chars().peekable();
        let number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut value = 0;
            while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                value = value * 10 + digit as usize;
                chars.next();
            }
            value
        };
        while let Some(letter) = chars.next() {
            match letter {
                '"' => {
                    while chars.peek().is_some_and(|c| c.is_ascii_digit() || *c == ';') {
                        chars.next();
                    }
                }
                '#' => {
                    pen = number(&mut chars);
                    let mut parts = Vec::new();
                    while chars.peek() == Some(&';') {
                        chars.next();
                        parts.push(number(&mut chars));
                    }
                    if let [2, r, g, b] = parts[..] {
                        let colour = [r, g, b].map(|part| (part * 255 / 100) as u8);
                        colours.insert(pen, colour);
                    }
                }
                '!' => count = number(&mut chars),
                '$' => x = 0,
                '-' => (x, y) = (0, y + 6),
                mask => {
                    for _ in 0..count {
                        for bit in 0..6 {
                            if (mask as u32 - 63) >> bit & 1 == 1 {
                                pixels[(y + bit) * width + x] = Some(colours[&pen]);
                            }
                        }
                        x += 1;
                    }
                    count = 1;
                }
            }
        }
        pixels
    }

    #[test]
    fn what_is_written_is_what_was_meant() {
        // Few colours, far apart: the palette is then exact, and only the rounding to hundredths is lost.
        let pixels = RgbImage::from_fn(90, 250, |x, y| {
            let red = (x / 30 * 100) as u8;
            let green = (y / 50 * 60) as u8;
            image::Rgb([red, green, ((x ^ y) & 0x10) as u8 * 8])
        });
        let strips = strips(&pixels, CellSize::GUESS, Quality::Full).expect("encodes");
        assert_eq!(strips.iter().map(|s| s.rows).collect::<Vec<_>>(), [6, 6, 1]);
        assert_eq!(strips.iter().map(|s| s.row).collect::<Vec<_>>(), [0, 6, 12]);
        let mut worst = 0;
        for strip in &strips {
            let top = usize::from(strip.row) * 20;
            let height = (250 - top).min(120);
            for (at, seen) in read(&strip.data, 90, height).iter().enumerate() {
                let meant = pixels.get_pixel((at % 90) as u32, (top + at / 90) as u32);
                let seen = seen.expect("every pixel is set");
                for (a, b) in seen.iter().zip(meant.0) {
                    worst = worst.max(a.abs_diff(b));
                }
            }
        }
        assert!(worst <= 4, "colours are off by {worst}");
    }

    #[test]
    fn strips_are_whole_bands() {
        for height in 1..=40 {
            let cell = CellSize { width: 10, height };
            let fit = Fit { cells: Size::new(30, 20), width: 300, height: u32::from(height) * 20 - 1 };
            let fit = whole_bands(fit, cell);
            assert!(fit.height.is_multiple_of(6));
            let pixels = RgbImage::new(6, fit.height);
            let strips = strips(&pixels, cell, Quality::Lean).expect("encodes");
            assert_eq!(strips.iter().map(|strip| strip.rows).sum::<u16>(), fit.cells.height);
        }
    }
}
