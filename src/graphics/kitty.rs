//! Kitty graphics: the PNG that is sent, and the placeholder cells that show it.
//!
//! A picture is transmitted once under its id; cells that hold U+10EEEE with the id as their
//! foreground colour and row and column as combining marks then show that part of it. Popups and
//! scrolling need nothing special, since the cells are text.

use image::RgbImage;
use ratatui::buffer::Cell;
use ratatui::style::Color;

use super::encode::{EncodeError, palette};
use super::picture::Quality;

/// The character that stands for a part of a picture.
pub const PLACEHOLDER: char = '\u{10EEEE}';

/// Combining marks that stand for the numbers 0, 1, 2 … (class 230 marks without decomposition, in
/// the order the protocol fixes). 297 of them: as many rows or columns can be addressed.
const MARKS: &[(u32, u32)] = &[
    (0x305, 0x305),
    (0x30d, 0x30e),
    (0x310, 0x310),
    (0x312, 0x312),
    (0x33d, 0x33f),
    (0x346, 0x346),
    (0x34a, 0x34c),
    (0x350, 0x352),
    (0x357, 0x357),
    (0x35b, 0x35b),
    (0x363, 0x36f),
    (0x483, 0x487),
    (0x592, 0x595),
    (0x597, 0x599),
    (0x59c, 0x5a1),
    (0x5a8, 0x5a9),
    (0x5ab, 0x5ac),
    (0x5af, 0x5af),
    (0x5c4, 0x5c4),
    (0x610, 0x617),
    (0x657, 0x65b),
    (0x65d, 0x65e),
    (0x6d6, 0x6dc),
    (0x6df, 0x6e2),
    (0x6e4, 0x6e4),
    (0x6e7, 0x6e8),
    (0x6eb, 0x6ec),
    (0x730, 0x730),
    (0x732, 0x733),
    (0x735, 0x736),
    (0x73a, 0x73a),
    (0x73d, 0x73d),
    (0x73f, 0x741),
    (0x743, 0x743),
    (0x745, 0x745),
    (0x747, 0x747),
    (0x749, 0x74a),
    (0x7eb, 0x7f1),
    (0x7f3, 0x7f3),
    (0x816, 0x819),
    (0x81b, 0x823),
    (0x825, 0x827),
    (0x829, 0x82d),
    (0x951, 0x951),
    (0x953, 0x954),
    (0xf82, 0xf83),
    (0xf86, 0xf87),
    (0x135d, 0x135f),
    (0x17dd, 0x17dd),
    (0x193a, 0x193a),
    (0x1a17, 0x1a17),
    (0x1a75, 0x1a7c),
    (0x1b6b, 0x1b6b),
    (0x1b6d, 0x1b73),
    (0x1cd0, 0x1cd2),
    (0x1cda, 0x1cdb),
    (0x1ce0, 0x1ce0),
    (0x1dc0, 0x1dc1),
    (0x1dc3, 0x1dc9),
    (0x1dcb, 0x1dcc),
    (0x1dd1, 0x1de6),
    (0x1dfe, 0x1dfe),
    (0x20d0, 0x20d1),
    (0x20d4, 0x20d7),
    (0x20db, 0x20dc),
    (0x20e1, 0x20e1),
    (0x20e7, 0x20e7),
    (0x20e9, 0x20e9),
    (0x20f0, 0x20f0),
    (0x2cef, 0x2cf1),
    (0x2de0, 0x2dff),
    (0xa66f, 0xa66f),
    (0xa67c, 0xa67d),
    (0xa6f0, 0xa6f1),
    (0xa8e0, 0xa8f1),
    (0xaab0, 0xaab0),
    (0xaab2, 0xaab3),
    (0xaab7, 0xaab8),
    (0xaabe, 0xaabf),
    (0xaac1, 0xaac1),
    (0xfe20, 0xfe26),
    (0x10a0f, 0x10a0f),
    (0x10a38, 0x10a38),
    (0x1d185, 0x1d189),
    (0x1d1aa, 0x1d1ad),
    (0x1d242, 0x1d244),
];

/// Rows and columns that placeholders can name.
pub(super) const MOST: u16 = 297;

fn mark(number: u16) -> Option<char> {
    let mut left = u32::from(number);
    for (first, last) in MARKS {
        let many = last - first + 1;
        if left < many {
            return char::from_u32(first + left);
        }
        left -= many;
    }
    None
}

/// The picture id a cell shows a part of, if it is a placeholder.
pub fn placeholder_id(cell: &Cell) -> Option<u32> {
    if !cell.symbol().starts_with(PLACEHOLDER) {
        return None;
    }
    match cell.fg {
        Color::Rgb(r, g, b) => Some(u32::from_be_bytes([0, r, g, b])),
        _ => None,
    }
}

/// Makes a cell show one part of picture `id`. Every cell names both row and column: a shorter form
/// leans on its left neighbour, which a popup may cover.
pub(super) fn set_placeholder(cell: &mut Cell, id: u32, column: u16, row: u16) {
    let (Some(row), Some(column)) = (mark(row), mark(column)) else {
        return;
    };
    let mut symbol = String::with_capacity(12);
    symbol.extend([PLACEHOLDER, row, column]);
    let [_, r, g, b] = id.to_be_bytes();
    cell.reset();
    cell.set_symbol(&symbol).set_fg(Color::Rgb(r, g, b));
}

/// The picture as a PNG file: all colours, or a palette of 256.
pub(super) fn png(pixels: &RgbImage, quality: Quality) -> Result<Vec<u8>, EncodeError> {
    let failed = |error: png::EncodingError| EncodeError::Failed(error.to_string());
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, pixels.width(), pixels.height());
    encoder.set_depth(png::BitDepth::Eight);
    match quality {
        Quality::Full => {
            encoder.set_color(png::ColorType::Rgb);
            encoder.set_compression(png::Compression::Fast);
            encoder.set_filter(png::Filter::Adaptive);
            let mut writer = encoder.write_header().map_err(failed)?;
            writer.write_image_data(pixels.as_raw()).map_err(failed)?;
            writer.finish().map_err(failed)?;
        }
        Quality::Lean => {
            let (colours, indices) = palette(pixels, 256)?;
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_palette(colours.concat());
            encoder.set_compression(png::Compression::Balanced);
            // Neighbouring indices have nothing to do with each other: prediction only hurts.
            encoder.set_filter(png::Filter::NoFilter);
            let mut writer = encoder.write_header().map_err(failed)?;
            writer.write_image_data(&indices).map_err(failed)?;
            writer.finish().map_err(failed)?;
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_those_of_the_protocol() {
        assert_eq!(mark(0), Some('\u{305}'));
        assert_eq!(mark(1), Some('\u{30d}'));
        assert_eq!(mark(2), Some('\u{30e}'));
        assert_eq!(mark(MOST - 1), Some('\u{1d244}'));
        assert_eq!(mark(MOST), None);
    }

    #[test]
    fn a_placeholder_says_whose_it_is() {
        let mut cell = Cell::default();
        set_placeholder(&mut cell, 0x01_02_03, 4, 5);
        assert_eq!(placeholder_id(&cell), Some(0x01_02_03));
        cell.set_symbol("x");
        assert_eq!(placeholder_id(&cell), None);
    }
}
