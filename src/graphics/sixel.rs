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
use super::resize::Backdrop;
use super::thrift;

/// Cell rows in a strip: fewer would make popups cheaper and repeat the palette more often. Six make
/// every strip a whole number of bands, whatever a cell measures.
const STRIP_ROWS: usize = 6;

/// Strips of a picture in tmux, which keeps no more than nine pictures of a pane.
const TMUX_STRIPS: usize = 9;

/// Pixel rows that are written together.
pub(super) const BAND: usize = 6;

/// Stands for no colour, where there may be pixels that are not set.
const CLEAR: u8 = 255;

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
    /// Cell rows of the picture.
    cells: usize,
    /// Cell rows of a strip.
    rows: usize,
    filled: Option<Filled>,
}

/// What tmux needs: strips that are painted to their last pixel. It takes what it gets for whole bands, these for
/// whole cells, and draws whole bands of that; what is not set then becomes black in some terminals. Only what is whole in
/// both comes out as it went in.
#[derive(Debug, Clone, Copy)]
struct Filled {
    /// Pixels across.
    wide: usize,
    /// What is beside the picture, if that is known.
    colour: Option<Colour>,
}

/// Part of a picture: a strip's first row of pixels, how many are the picture's, and all that it has.
#[derive(Debug, Clone, Copy)]
struct Part {
    top: usize,
    height: usize,
    whole: usize,
}

/// Cell rows that are whole bands.
fn period(cell: usize) -> usize {
    (1..BAND).find(|rows| (rows * cell).is_multiple_of(BAND)).unwrap_or(BAND)
}

/// In tmux a picture has at least as many rows as make whole bands, if there is room for them.
pub(super) fn whole_rows(fit: Fit, cell: CellSize, room: Size) -> Fit {
    let rows = (period(usize::from(cell.height.max(1))) as u16).min(room.height).max(fit.cells.height);
    Fit { cells: Size::new(fit.cells.width, rows), ..fit }
}

impl Cut {
    /// For a picture of this size on this terminal; `behind` is the colour of its background, if that is known.
    pub(super) fn new(fit: Fit, shape: &Shape, behind: Backdrop) -> Self {
        let (cell, cells) = (usize::from(shape.cell.height.max(1)), usize::from(fit.cells.height));
        let wide = usize::from(fit.cells.width) * usize::from(shape.cell.width);
        let colour = match behind {
            Backdrop::Colour(colour) => Some(colour),
            Backdrop::Checker => None,
        };
        let filled = shape.tmux.then_some(Filled { wide: wide.max(fit.width as usize), colour });
        let rows = if shape.tmux {
            let period = period(cell);
            let most = STRIP_ROWS * cells.div_ceil(STRIP_ROWS * TMUX_STRIPS).max(1);
            most.min((cells / period).max(1) * period)
        } else {
            STRIP_ROWS
        };
        Self { cell, cells, rows, filled }
    }

    /// How many strips there are.
    fn many(self, height: usize) -> usize {
        if self.filled.is_some() { self.cells.div_ceil(self.rows) } else { height.div_ceil(self.rows * self.cell) }
    }

    /// First row and rows of a strip. In tmux the last one begins over the one before, if it were not whole bands.
    fn place(self, number: usize) -> (usize, usize) {
        let first = number * self.rows;
        let rows = self.rows.min(self.cells.saturating_sub(first));
        if self.filled.is_none() {
            return (first, rows);
        }
        let rows = rows.next_multiple_of(period(self.cell)).min(self.cells);
        (self.cells - rows.max(self.cells.saturating_sub(first)), rows)
    }

    /// Strips, each made from its part of a picture of so many pixel rows.
    fn strips(self, height: usize, make: impl Fn(Part) -> Vec<u8>) -> Result<Vec<Strip>, EncodeError> {
        (0..self.many(height))
            .map(|number| {
                let (row, rows) = self.place(number);
                let top = row * self.cell;
                let own = height.saturating_sub(top).min(rows * self.cell);
                // tmux rounds up what is no whole band.
                let whole = if self.filled.is_some() { (rows * self.cell / BAND * BAND).max(1) } else { own };
                let mut data = make(Part { top, height: own.min(whole), whole });
                data.shrink_to_fit();
                Ok(Strip {
                    row: u16::try_from(row).map_err(|_| EncodeError::Size)?,
                    rows: u16::try_from(rows).map_err(|_| EncodeError::Size)?,
                    data,
                })
            })
            .collect()
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
    // One number is left for what is beside the picture.
    let most = if cut.filled.is_some() { rung.0.min(u16::from(CLEAR)) } else { rung.0 };
    let mut palette = grid.palette(pixels, most)?;
    // What the terminal will show, not what was meant.
    for colour in &mut palette {
        *colour = hundredths(*colour).map(|part| ((u32::from(part) * 255 + 50) / 100) as u8);
    }
    let choices = grid.choices(&mut palette);
    let mut indices = thrift::choose(pixels, &grid, &choices, &palette, rung.1);
    refit(pixels, &mut indices, &mut palette);
    let width = pixels.width() as usize;
    let Some(filled) = cut.filled else {
        return cut.strips(pixels.height() as usize, |part| {
            strip(&indices[part.top * width..(part.top + part.height) * width], width, &palette, false)
        });
    };
    let beside = match filled.colour {
        Some(colour) => {
            palette.push(colour);
            (palette.len() - 1) as u8
        }
        None => CLEAR,
    };
    cut.strips(pixels.height() as usize, |part| {
        let rows = indices[part.top * width..(part.top + part.height) * width].chunks(width.max(1));
        let mut all = Vec::with_capacity(filled.wide * part.whole);
        for row in rows {
            all.extend(row);
            all.resize(all.len() + filled.wide - width, beside);
        }
        all.resize(filled.wide * part.whole, beside);
        strip(&all, filled.wide, &palette, filled.colour.is_none())
    })
}

/// Much fewer pixels than the screen has, as large blocks.
fn rough(source: &Source<'_>, fit: Fit, cut: Cut, budget: usize) -> Result<Vec<Strip>, EncodeError> {
    let (width, height) = (fit.width as usize, fit.height as usize);
    // What the heads of the strips take.
    let rich = budget > 2 * FIRST_BYTES;
    let (mut columns, colours) = if rich { (width.div_ceil(3), 32) } else { (coarse::COLUMNS, 16) };
    let heads = cut.many(height) * (usize::from(colours) * 16 + 40);
    let mut budget = budget.saturating_sub(heads);
    loop {
        let block = width.div_ceil(columns).max(1);
        let small = source.at(width.div_ceil(block) as u32, height.div_ceil(BAND) as u32)?;
        let mut picture = coarse::encode(&small, colours, budget)?;
        let beside = picture.palette.len();
        let colour = cut.filled.and_then(|filled| filled.colour);
        picture.palette.extend(colour);
        let wide = cut.filled.map_or(width, |filled| filled.wide);
        let made = cut.strips(height, |part| {
            let mut out = head(wide, part.whole, &picture.palette);
            for line in (0..part.whole).step_by(BAND) {
                if line > 0 {
                    out.push(b'-');
                }
                let rows = part.height.saturating_sub(line).min(BAND);
                let own = ((1_u16 << rows) - 1) as u8;
                if rows > 0 {
                    // Where a strip begins within a band, the nearest.
                    let band = (part.top + line + BAND / 2).min(height - 1) / BAND;
                    coarse::write(&mut out, picture.row(band), block, width, own);
                }
                if colour.is_some() && (wide > width || rows < BAND) {
                    let _ = write!(out, "#{beside}");
                    if rows < BAND {
                        let below = ((1_u16 << (part.whole - line).min(BAND)) - 1) as u8 & !own;
                        out.push(b'$');
                        run(&mut out, below, width);
                        run(&mut out, below | own, wide - width);
                    } else {
                        run(&mut out, own, wide - width);
                    }
                }
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

/// With `clear` pixels of the colour [`CLEAR`] are not set.
fn strip(indices: &[u8], width: usize, palette: &[Colour], clear: bool) -> Vec<u8> {
    let mut used = [0_u32; 256];
    for index in indices {
        used[usize::from(*index)] += 1;
    }
    // The colours that are called most get the shortest numbers.
    if clear {
        used[usize::from(CLEAR)] = 0;
    }
    let mut order: Vec<u8> = (0..=255).filter(|index| used[usize::from(*index)] > 0).collect();
    order.sort_by_key(|index| Reverse(used[usize::from(*index)]));
    let mut number = [CLEAR; 256];
    for (at, index) in order.iter().enumerate() {
        number[usize::from(*index)] = at as u8;
    }
    let colours: Vec<Colour> = order.iter().filter_map(|index| palette.get(usize::from(*index)).copied()).collect();
    let indices: Vec<u8> = indices.iter().map(|index| number[usize::from(*index)]).collect();
    let mut out = head(width, indices.len() / width.max(1), &colours);
    let mut band = Band::new(width, clear);
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
    /// Pixels of the colour [`CLEAR`] are not set.
    clear: bool,
    /// For each colour a row of six-bit masks; only the rows of `spans` are meaningful.
    masks: Vec<u8>,
    /// Colour, first and last column.
    spans: Vec<(u8, usize, usize)>,
    /// Where a colour stands in `spans`.
    place: [Option<u16>; 256],
}

impl Band {
    fn new(width: usize, clear: bool) -> Self {
        Self { width, clear, masks: vec![0; width * 256], spans: Vec::with_capacity(256), place: [None; 256] }
    }

    fn fill(&mut self, rows: &[u8]) {
        for (colour, ..) in self.spans.drain(..) {
            let start = usize::from(colour) * self.width;
            self.masks[start..start + self.width].fill(0);
            self.place[usize::from(colour)] = None;
        }
        for (bit, row) in rows.chunks(self.width).enumerate() {
            for (x, colour) in row.iter().enumerate() {
                if self.clear && *colour == CLEAR {
                    continue;
                }
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

    fn cut_for(cell: CellSize, (width, height): (u32, u32), tmux: Option<Backdrop>) -> Cut {
        let cells =
            Size::new(width.div_ceil(u32::from(cell.width)) as u16, height.div_ceil(u32::from(cell.height)) as u16);
        let shape = Shape { protocol: Protocol::Sixel, cell, quality: Quality::Full, tmux: tmux.is_some() };
        let fit = Fit { cells, width, height };
        let fit = if tmux.is_some() { whole_rows(fit, cell, Size::new(80, 80)) } else { fit };
        Cut::new(fit, &shape, tmux.unwrap_or_default())
    }

    #[test]
    fn what_is_written_is_what_was_meant() {
        // Few colours, far apart: the palette is then exact, and only the rounding to hundredths is lost.
        let pixels = RgbImage::from_fn(90, 250, |x, y| {
            let red = (x / 30 * 100) as u8;
            let green = (y / 50 * 60) as u8;
            image::Rgb([red, green, ((x ^ y) & 0x10) as u8 * 8])
        });
        let strips = strips(&pixels, cut_for(CellSize::GUESS, (90, 250), None), RUNGS[0]).expect("encodes");
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

    /// Its size as it says itself.
    fn size(strip: &Strip) -> (usize, usize) {
        let head = String::from_utf8_lossy(&strip.data[..40]).into_owned();
        let mut numbers = head.split(['#', ';']).skip(3).map_while(|number| number.parse().ok());
        (numbers.next().expect("a width"), numbers.next().expect("a height"))
    }

    #[test]
    fn tmux_can_draw_strips_as_they_are() {
        let behind = [51, 102, 153];
        for (height, many) in (1..=40_u16).zip([90, 198, 402, 600, 1002].iter().cycle()) {
            let cell = CellSize { width: 10, height };
            // So few colours that one more or less is no matter.
            let pixels =
                RgbImage::from_fn(9, *many, |_, y| image::Rgb([(y % 7 * 36) as u8, (y / 7 % 7 * 36) as u8, 0]));
            let plain = strips(&pixels, cut_for(cell, (9, *many), None), RUNGS[0]).expect("encodes");
            let plain: Vec<_> = plain.iter().flat_map(|strip| read(&strip.data, 9, size(strip).1)).collect();
            for back in [Backdrop::Colour(behind), Backdrop::Checker] {
                let cut = cut_for(cell, (9, *many), Some(back));
                let made = strips(&pixels, cut, RUNGS[0]).expect("encodes");
                assert!(made.len() <= TMUX_STRIPS);
                let mut rows = vec![None; cut.cells];
                for strip in &made {
                    let (wide, high) = size(strip);
                    assert_eq!((wide, high % BAND, high), (10, 0, usize::from(strip.rows * height)), "whole in both");
                    let seen = read(&strip.data, wide, high);
                    for (line, seen) in seen.chunks(10).enumerate() {
                        let at = usize::from(strip.row * height) + line;
                        let beside = match back {
                            Backdrop::Colour(_) => Some(behind),
                            Backdrop::Checker => None,
                        };
                        let below = [beside; 9];
                        let meant = plain.get(at * 9..at * 9 + 9).unwrap_or(&below);
                        assert!(seen[..9] == *meant && seen[9] == beside, "line {at}, cells {height}, {many} in all");
                    }
                    rows[usize::from(strip.row)..usize::from(strip.row + strip.rows)].fill(Some(()));
                }
                assert!(rows.iter().all(Option::is_some), "no row is left out");
            }
        }
    }

    #[test]
    fn a_low_picture_in_tmux_gets_rows_that_are_whole_bands() {
        let low = Fit { cells: Size::new(30, 2), width: 300, height: 30 };
        let rows = |height, room| whole_rows(low, CellSize { width: 10, height }, Size::new(80, room)).cells.height;
        assert_eq!([rows(19, 40), rows(20, 40), rows(24, 40), rows(19, 4)], [6, 3, 2, 4]);
        // In a room too low for that: still whole bands, so that it is not taken for a row more.
        let fit = Fit { cells: Size::new(3, 4), width: 30, height: 76 };
        let cut =
            Cut { cells: 4, rows: 4, ..cut_for(CellSize { width: 10, height: 19 }, (30, 76), Some(Backdrop::Checker)) };
        let made = strips(&RgbImage::new(fit.width, fit.height), cut, RUNGS[5]).expect("encodes");
        assert_eq!((made.len(), made[0].rows, size(&made[0])), (1, 4, (30, 72)));
    }

    #[test]
    fn a_first_look_in_tmux_is_painted_to_its_edges() {
        let image =
            image::DynamicImage::ImageRgb8(RgbImage::from_fn(130, 266, |x, y| image::Rgb([x as u8, y as u8, 7])));
        let part = super::super::view::Crop { x: 0, y: 0, width: 130, height: 266 };
        let behind = Backdrop::Colour([51, 102, 153]);
        let source = Source { pixels: &image, part, behind };
        let (cell, fit) =
            (CellSize { width: 9, height: 19 }, Fit { cells: Size::new(15, 14), width: 130, height: 264 });
        let made = rough(&source, fit, cut_for(cell, (130, 264), Some(behind)), FIRST_BYTES).expect("encodes");
        assert_eq!(made.iter().map(|strip| (strip.row, strip.rows)).collect::<Vec<_>>(), [(0, 6), (6, 6), (8, 6)]);
        for strip in &made {
            assert_eq!(size(strip), (135, 114));
            let seen = read(&strip.data, 135, 114);
            assert!(seen.iter().all(Option::is_some));
            for (at, seen) in seen.iter().enumerate() {
                let beside = at % 135 >= 130 || usize::from(strip.row) * 19 + at / 135 >= 264;
                assert_eq!(*seen == Some([51, 102, 153]), beside, "{at}");
            }
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
            let strips = strips(&pixels, cut_for(cell, (6, fit.height), None), RUNGS[5]).expect("encodes");
            assert_eq!(strips.iter().map(|strip| strip.rows).sum::<u16>(), fit.cells.height);
        }
    }
}
