//! Unicode placeholders: which part of which picture a cell of text stands for.

use super::grid::{Cell, Paint};

/// The character that stands for a part of a picture.
pub const HOLDER: char = '\u{10eeee}';

/// The marks that count 0, 1, 2 …, as the protocol lists them, in hexadecimal.
const MARKS: &str = "305 30d-30e 310 312 33d-33f 346 34a-34c 350-352 357 35b 363-36f 483-487 592-595 597-599 59c-5a1 5a8-5a9 \
    5ab-5ac 5af 5c4 610-617 657-65b 65d-65e 6d6-6dc 6df-6e2 6e4 6e7-6e8 6eb-6ec 730 732-733 735-736 73a 73d \
    73f-741 743 745 747 749-74a 7eb-7f1 7f3 816-819 81b-823 825-827 829-82d 951 953-954 f82-f83 f86-f87 \
    135d-135f 17dd 193a 1a17 1a75-1a7c 1b6b 1b6d-1b73 1cd0-1cd2 1cda-1cdb 1ce0 1dc0-1dc1 1dc3-1dc9 1dcb-1dcc \
    1dd1-1de6 1dfe 20d0-20d1 20d4-20d7 20db-20dc 20e1 20e7 20e9 20f0 2cef-2cf1 2de0-2dff a66f a67c-a67d \
    a6f0-a6f1 a8e0-a8f1 aab0 aab2-aab3 aab7-aab8 aabe-aabf aac1 fe20-fe26 10a0f 10a38 1d185-1d189 1d1aa-1d1ad \
    1d242-1d244";

/// The marks by number.
pub fn marks() -> Vec<char> {
    let number = |text: &str| u32::from_str_radix(text, 16).expect("hexadecimal");
    MARKS
        .split_whitespace()
        .flat_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            number(first)..=number(last)
        })
        .filter_map(char::from_u32)
        .collect()
}

/// A part of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The picture's id.
    pub id: u32,
    /// The placement's id, or 0.
    pub place: u32,
    /// Which row of the picture.
    pub row: u16,
    /// Which column.
    pub column: u16,
}

/// Reads the placeholders of one line of text, from left to right: what a cell does not say it takes from its left
/// neighbour.
#[derive(Debug)]
pub struct Line {
    marks: Vec<char>,
    before: Option<(Paint, Paint, Part)>,
}

impl Line {
    /// At the beginning of a line.
    pub fn new(marks: Vec<char>) -> Self {
        Self { marks, before: None }
    }

    /// The next cell.
    pub fn next(&mut self, cell: &Cell) -> Option<Part> {
        let mut letters = cell.text.chars();
        if letters.next() != Some(HOLDER) {
            self.before = None;
            return None;
        }
        let mut said = letters.map(|mark| self.marks.iter().position(|known| *known == mark));
        let mut said = || said.next().flatten().and_then(|number| u16::try_from(number).ok());
        let (row, column, high) = (said(), said(), said());
        let colours = (cell.pen.fg, cell.pen.line);
        let left = self.before.filter(|(fg, line, _)| (*fg, *line) == colours).map(|(_, _, part)| part);
        let left = left.filter(|left| row.is_none_or(|row| row == left.row));
        let left = left.filter(|left| column.is_none_or(|column| column == left.column + 1));
        let high = match (high, left) {
            (Some(high), _) => u32::from(high),
            (None, Some(left)) => left.id >> 24,
            (None, None) => 0,
        };
        let part = Part {
            id: number(cell.pen.fg) | high << 24,
            place: number(cell.pen.line),
            row: row.or(left.map(|left| left.row)).unwrap_or(0),
            column: column.or(left.map(|left| left.column + 1)).unwrap_or(0),
        };
        self.before = Some((colours.0, colours.1, part));
        Some(part)
    }
}

/// A colour as a number.
fn number(paint: Paint) -> u32 {
    match paint {
        Paint::Default => 0,
        Paint::Index(index) => u32::from(index),
        Paint::Rgb([r, g, b]) => u32::from_be_bytes([0, r, g, b]),
    }
}
