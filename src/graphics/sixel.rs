//! Sixel: a writer of our own, for none of the libraries comes near its size.
//!
//! A picture is cut into strips of whole cell rows, each a complete sequence with the colours it
//! needs. Strips can be sent with text between them, left out, or repeated alone after a popup.
//! Within a band of six pixel rows, colours that do not overlap share a pass; runs are counted and
//! blanks at the end of a pass are not written. Which colours a band is made of is chosen in `thrift.rs`.

use std::cmp::Reverse;
use std::io::Write as _;

use image::RgbImage;
use ratatui::layout::Size;

use super::budget::{Purpose, Source};
use super::coarse;
use super::colours::{Colour, Grid, refit};
use super::encode::{EncodeError, Fit, Shape};
use super::picture::{CellSize, Strip};
use super::thrift;

/// Cell rows in a strip: fewer would make popups cheaper and repeat the palette more often. Six make
/// every strip a whole number of bands, whatever a cell measures; tmux leaves black lines otherwise.
const STRIP_ROWS: usize = 6;

/// Strips of a picture in tmux, which keeps no more than nine pictures of a pane.
const TMUX_STRIPS: usize = 9;

/// Pixel rows that are written together.
pub(super) const BAND: usize = 6;

/// A first look costs no more bytes.
const FIRST_BYTES: usize = 30_000;

/// Colours, price of a letter (see [`thrift`]), and the bytes that gives compared with the fourth; from measuring
/// a noisy photo. Best first.
const RUNGS: &[(u16, i32, f64)] = &[
    (256, 10, 1.27),
    (256, 40, 1.14),
    (192, 70, 1.03),
    (128, 20, 1.0),
    (128, 70, 0.91),
    (96, 40, 0.87),
    (64, 40, 0.79),
    (48, 70, 0.71),
    (32, 40, 0.64),
    (24, 100, 0.5),
    (16, 150, 0.38),
];
/// The rung that a sample is made with.
const SAMPLE: usize = 3;
/// Every so many bands are in the sample.
const SPARSE: usize = 12;

/// Shortens a picture to whole bands, by less than one: Konsole and tmux round up instead, and blank
/// the row of text beneath.
pub(super) fn whole_bands(fit: Fit, cell: CellSize) -> Fit {
    let height = (fit.height / BAND as u32 * BAND as u32).max(1);
    let rows = height.div_ceil(u32::from(cell.height)) as u16;
    Fit { height, cells: Size::new(fit.cells.width, rows), ..fit }
}

/// How a picture is cut into strips.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// Pixel rows of a cell.
    cell: usize,
    /// Cell rows of a strip.
    rows: usize,
    /// tmux draws whole cells of whatever it gets, squeezed into whole bands.
    squeezed: bool,
}

impl Cut {
    /// For a picture of this size on this terminal.
    pub(super) fn new(fit: Fit, shape: &Shape) -> Self {
        let (cell, cells) = (usize::from(shape.cell.height.max(1)), usize::from(fit.cells.height));
        let times = if shape.tmux { cells.div_ceil(STRIP_ROWS * TMUX_STRIPS).max(1) } else { 1 };
        Self { cell, rows: STRIP_ROWS * times, squeezed: shape.tmux }
    }

    /// Strips, each made from its first pixel row, its height, and the pixel rows to write for that height.
    fn strips(self, height: usize, make: impl Fn(usize, usize, usize) -> Vec<u8>) -> Result<Vec<Strip>, EncodeError> {
        let most = self.cell * self.rows;
        let tops = (0..height).step_by(most).enumerate();
        tops.map(|(number, top)| {
            let height = (height - top).min(most);
            let mut data = make(top, height, self.lines(height));
            data.shrink_to_fit();
            Ok(Strip {
                row: u16::try_from(number * self.rows).map_err(|_| EncodeError::Size)?,
                rows: u16::try_from(height.div_ceil(self.cell)).map_err(|_| EncodeError::Size)?,
                data,
            })
        })
        .collect()
    }

    /// Whole cells for so many pixel rows, and what tmux makes of them.
    fn squeeze(self, height: usize) -> (usize, usize) {
        let whole = height.div_ceil(self.cell) * self.cell;
        (whole, whole / BAND * BAND)
    }

    /// Pixel rows to write so that `height` of them show.
    fn lines(self, height: usize) -> usize {
        let (whole, drawn) = self.squeeze(height);
        if !self.squeezed || whole == drawn || height > drawn { height } else { height * whole / drawn }
    }

    /// Which of `height` pixel rows each of the `lines` to write is: some come twice, and of those tmux drops one.
    fn stretched(self, height: usize, lines: usize) -> impl Iterator<Item = usize> {
        let (whole, drawn) = self.squeeze(height);
        (0..lines).map(move |line| (((line + 1) * drawn - 1) / whole).min(height - 1))
    }
}

/// Strips that together take at most `budget` bytes; no terminal scales sixel, so the pixels are always all there.
pub(super) fn encode(
    source: &Source<'_>,
    fit: Fit,
    cut: Cut,
    budget: Option<usize>,
    purpose: Purpose,
) -> Result<Vec<Strip>, EncodeError> {
    if purpose == Purpose::FirstLook {
        return rough(source, fit, cut, budget.unwrap_or(FIRST_BYTES).min(FIRST_BYTES));
    }
    let pixels = source.at(fit.width, fit.height)?;
    let Some(budget) = budget else { return strips(&pixels, cut, RUNGS[0]) };
    // A photo with much grain takes a byte for a pixel: then there is no need for a sample.
    if budget * 3 >= pixels.as_raw().len() {
        let made = strips(&pixels, cut, RUNGS[0])?;
        if bytes(&made) <= budget {
            return Ok(made);
        }
    }
    let sample = every(&pixels, SPARSE);
    let share = pixels.as_raw().len() as f64 / sample.as_raw().len().max(1) as f64;
    let sampled = bytes(&strips(&sample, cut, RUNGS[SAMPLE])?) as f64 * share;
    // A sample is a little off, and the estimate of another rung more so.
    let fits = |rung: &&(u16, i32, f64)| sampled * rung.2 * 1.02 <= budget as f64;
    for rung in RUNGS.iter().filter(fits).take(3) {
        let made = strips(&pixels, cut, *rung)?;
        if bytes(&made) <= budget {
            return Ok(made);
        }
    }
    drop(pixels);
    rough(source, fit, cut, budget)
}

fn bytes(strips: &[Strip]) -> usize {
    strips.iter().map(|strip| strip.data.len()).sum()
}

/// Every `sparse`th band, one beneath the other.
fn every(pixels: &RgbImage, sparse: usize) -> RgbImage {
    let line = pixels.width() as usize * 3;
    let bands = pixels.as_raw().chunks_exact((line * BAND).max(1));
    let raw: Vec<u8> = bands.skip(sparse / 2).step_by(sparse).flatten().copied().collect();
    let height = (raw.len() / line.max(1)) as u32;
    match RgbImage::from_raw(pixels.width(), height, raw) {
        Some(sample) if height > 0 => sample,
        _ => pixels.clone(),
    }
}

/// One shade of a terminal, hundredths, as close as it gets.
fn hundredths(colour: Colour) -> [u8; 3] {
    colour.map(|part| ((u32::from(part) * 100 + 127) / 255) as u8)
}

fn strips(pixels: &RgbImage, cut: Cut, rung: (u16, i32, f64)) -> Result<Vec<Strip>, EncodeError> {
    let grid = Grid::new(pixels);
    let mut palette = grid.palette(pixels, rung.0)?;
    // What the terminal will show, not what was meant.
    for colour in &mut palette {
        *colour = hundredths(*colour).map(|part| ((u32::from(part) * 255 + 50) / 100) as u8);
    }
    let choices = grid.choices(&mut palette);
    let mut indices = thrift::choose(pixels, &grid, &choices, &palette, rung.1);
    refit(pixels, &mut indices, &mut palette);
    let width = pixels.width() as usize;
    cut.strips(pixels.height() as usize, |top, height, lines| {
        let indices = &indices[top * width..(top + height) * width];
        if lines == height {
            return strip(indices, width, &palette);
        }
        let rows = cut.stretched(height, lines).map(|row| &indices[row * width..(row + 1) * width]);
        strip(&rows.collect::<Vec<_>>().concat(), width, &palette)
    })
}

/// Much fewer pixels than the screen has, as large blocks.
fn rough(source: &Source<'_>, fit: Fit, cut: Cut, budget: usize) -> Result<Vec<Strip>, EncodeError> {
    let (width, height) = (fit.width as usize, fit.height as usize);
    // What the heads of the strips take.
    let rich = budget > 2 * FIRST_BYTES;
    let (mut columns, colours) = if rich { (width.div_ceil(3), 32) } else { (coarse::COLUMNS, 16) };
    let heads = height.div_ceil(cut.rows * cut.cell) * (usize::from(colours) * 16 + 40);
    let mut budget = budget.saturating_sub(heads);
    loop {
        let block = width.div_ceil(columns).max(1);
        let small = source.at(width.div_ceil(block) as u32, height.div_ceil(BAND) as u32)?;
        let picture = coarse::encode(&small, colours, budget)?;
        let made = cut.strips(height, |top, height, _| {
            let mut out = head(width, height, &picture.palette);
            for band in top / BAND..(top + height).div_ceil(BAND) {
                if band > top / BAND {
                    out.push(b'-');
                }
                let rows = (top + height - band * BAND).min(BAND);
                coarse::write(&mut out, picture.row(band), block, width, 0b11_1111 >> (BAND - rows));
            }
            out.extend(b"\x1b\\");
            out
        })?;
        if bytes(&made) <= budget + heads || columns <= 4 {
            return Ok(made);
        }
        columns /= 2;
        budget = budget / 10 * 9;
    }
}

/// The beginning of a strip and the colours that are used in it.
fn head(width: usize, height: usize, palette: &[Colour]) -> Vec<u8> {
    let mut out = Vec::with_capacity(width * height / 2 + 256);
    // P2=1: pixels that are not set stay as they are.
    let _ = write!(out, "\x1bP0;1q\"1;1;{width};{height}");
    for (number, colour) in palette.iter().enumerate() {
        let [r, g, b] = hundredths(*colour);
        let _ = write!(out, "#{number};2;{r};{g};{b}");
    }
    out
}

fn strip(indices: &[u8], width: usize, palette: &[Colour]) -> Vec<u8> {
    let mut used = [0_u32; 256];
    for index in indices {
        used[usize::from(*index)] += 1;
    }
    // The colours that are called most get the shortest numbers.
    let mut order: Vec<u8> = (0..=255).filter(|index| used[usize::from(*index)] > 0).collect();
    order.sort_by_key(|index| Reverse(used[usize::from(*index)]));
    let mut number = [0_u8; 256];
    for (at, index) in order.iter().enumerate() {
        number[usize::from(*index)] = at as u8;
    }
    let colours: Vec<Colour> = order.iter().filter_map(|index| palette.get(usize::from(*index)).copied()).collect();
    let indices: Vec<u8> = indices.iter().map(|index| number[usize::from(*index)]).collect();
    let mut out = head(width, indices.len() / width.max(1), &colours);
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

pub(super) fn run(out: &mut Vec<u8>, mask: u8, length: usize) {
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
    use crate::graphics::{Protocol, Quality};

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

    fn cut_for(cell: CellSize, height: u32, tmux: bool) -> Cut {
        let rows = height.div_ceil(u32::from(cell.height)) as u16;
        let fit = Fit { cells: Size::new(30, rows), width: 300, height };
        Cut::new(fit, &Shape { protocol: Protocol::Sixel, cell, quality: Quality::Full, tmux })
    }

    #[test]
    fn what_is_written_is_what_was_meant() {
        // Few colours, far apart: the palette is then exact, and only the rounding to hundredths is lost.
        let pixels = RgbImage::from_fn(90, 250, |x, y| {
            let red = (x / 30 * 100) as u8;
            let green = (y / 50 * 60) as u8;
            image::Rgb([red, green, ((x ^ y) & 0x10) as u8 * 8])
        });
        let strips = strips(&pixels, cut_for(CellSize::GUESS, 250, false), RUNGS[0]).expect("encodes");
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
    fn what_tmux_makes_of_strips_is_the_picture() {
        for (height, many) in (1..=40).zip([90, 198, 402, 600].iter().cycle()) {
            let cell = CellSize { width: 10, height };
            let pixels =
                RgbImage::from_fn(9, *many, |x, y| image::Rgb([(y % 25 * 10) as u8, (y / 25 * 10) as u8, x as u8]));
            let colours = |tmux| strips(&pixels, cut_for(cell, *many, tmux), RUNGS[0]).expect("encodes");
            let lines = |strip: &Strip| {
                let head = String::from_utf8_lossy(&strip.data[..40]).into_owned();
                let high = head.split(['#', ';']).nth(4).and_then(|high| high.parse().ok()).expect("a height");
                (read(&strip.data, 9, high), high)
            };
            let plain: Vec<_> = colours(false).iter().flat_map(|strip| lines(strip).0).collect();
            let strips = colours(true);
            assert!(strips.len() <= TMUX_STRIPS);
            let mut shown = Vec::new();
            for strip in &strips {
                let (pixels, high) = lines(strip);
                let whole = usize::from(strip.rows * height);
                assert_eq!(high.div_ceil(usize::from(height)), usize::from(strip.rows));
                let drawn = whole / BAND * BAND;
                let from = (0..drawn).map(|line| line * whole / drawn).filter(|line| *line < high);
                shown.extend(from.flat_map(|line| pixels[line * 9..(line + 1) * 9].to_vec()));
            }
            assert!(shown == plain, "cells {height} high, a picture {many} high");
        }
    }

    #[test]
    fn strips_are_whole_bands() {
        for height in 1..=40 {
            let cell = CellSize { width: 10, height };
            let fit = Fit { cells: Size::new(30, 20), width: 300, height: u32::from(height) * 20 - 1 };
            let fit = whole_bands(fit, cell);
            assert!(fit.height.is_multiple_of(6));
            let pixels = RgbImage::new(6, fit.height);
            let strips = strips(&pixels, cut_for(cell, fit.height, false), RUNGS[5]).expect("encodes");
            assert_eq!(strips.iter().map(|strip| strip.rows).sum::<u16>(), fit.cells.height);
        }
    }
}
