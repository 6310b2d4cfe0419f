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
mod tests;
