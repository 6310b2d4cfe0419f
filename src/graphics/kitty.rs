//! Kitty graphics: the placeholder cells that show a picture, and the commands around it.
//!
//! A picture is transmitted once under its id; cells that hold U+10EEEE with the id as their
//! foreground colour and row and column as combining marks then show that part of it. Popups and
//! scrolling need nothing special, since the cells are text.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Size;
use ratatui::style::Color;

use super::view::Crop;

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

/// The number a combining mark stands for.
fn number(mark: char) -> Option<u16> {
    let code = u32::from(mark);
    let mut before = 0;
    for (first, last) in MARKS {
        if (*first..=*last).contains(&code) {
            return u16::try_from(before + code - first).ok();
        }
        before += last - first + 1;
    }
    None
}

/// Row and column of a placeholder that names both.
fn part(cell: &Cell) -> Option<(u16, u16)> {
    let mut marks = cell.symbol().chars().skip(1).map(number);
    Some((marks.next()??, marks.next()??))
}

/// Leaves out what a placeholder can take from its left neighbour, if that is the part before it of the same
/// picture: a third of the bytes. To be called on a whole frame, with whatever lies over the picture, so that
/// the first cell right of a popup names its part again.
///
/// kitty and Ghostty read this form; it stands in the protocol beside the long one.
pub fn shorten(buffer: &mut Buffer) {
    let width = usize::from(buffer.area.width.max(1));
    for row in buffer.content.chunks_mut(width) {
        let mut left: Option<(u32, u16, u16)> = None;
        for cell in row {
            let here = placeholder_id(cell).and_then(|id| part(cell).map(|(row, column)| (id, row, column)));
            if let (Some((id, row, column)), Some(left)) = (here, left)
                && (id, row, column) == (left.0, left.1, left.2.saturating_add(1))
            {
                cell.set_symbol(PLACEHOLDER.encode_utf8(&mut [0; 4]));
            }
            left = here;
        }
    }
}

/// The layer of directly placed pictures: below cells with a background of their own, so that popups
/// cover them, as measured in kitty and Konsole.
pub const UNDER_TEXT: i32 = -1_073_741_900;

/// Shows a picture that the terminal holds at the cursor, which stays where it is, in `cells`; of the picture
/// the part `of` (its own pixels) or all of it. Shown again under the same `placement`, it moves.
pub fn show(id: u32, placement: u32, cells: Size, of: Option<Crop>) -> String {
    let (columns, rows) = (cells.width, cells.height);
    let of =
        of.map_or_else(String::new, |part| format!(",x={},y={},w={},h={}", part.x, part.y, part.width, part.height));
    format!("\x1b_Ga=p,q=2,i={id},p={placement},c={columns},r={rows},C=1,z={UNDER_TEXT}{of}\x1b\\")
}

/// Takes a placement off the screen; the terminal keeps the picture.
pub fn hide(id: u32, placement: u32) -> String {
    format!("\x1b_Ga=d,d=i,q=2,i={id},p={placement}\x1b\\")
}

/// The keys of the first command of a transfer: to be shown by placeholders in `cells`, or only to be kept
/// for [`show`]. The file follows in base64, `m=1` as long as more comes.
pub fn transmit(id: u32, placeholders: Option<Size>) -> String {
    match placeholders {
        Some(cells) => format!("a=T,U=1,f=100,t=d,q=2,i={id},c={},r={}", cells.width, cells.height),
        None => format!("a=t,f=100,t=d,q=2,i={id}"),
    }
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

    fn picture(columns: u16, rows: u16) -> Buffer {
        let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, columns, rows));
        for row in 0..rows {
            for column in 0..columns {
                set_placeholder(&mut buffer[(column, row)], 77, column, row);
            }
        }
        buffer
    }

    #[test]
    fn marks_can_be_read_back() {
        for n in 0..MOST {
            assert_eq!(mark(n).and_then(number), Some(n));
        }
        assert_eq!(number('x'), None);
    }

    #[test]
    fn only_the_first_of_a_row_names_its_part() {
        let mut buffer = picture(80, 40);
        shorten(&mut buffer);
        let bytes: usize = buffer.content.iter().map(|cell| cell.symbol().len()).sum();
        assert!(bytes <= 13_000, "{bytes}");
        assert_eq!(part(&buffer[(0, 39)]), Some((39, 0)));
        assert_eq!(buffer[(1, 39)].symbol(), PLACEHOLDER.to_string());
        assert_eq!(placeholder_id(&buffer[(79, 39)]), Some(77));
    }

    #[test]
    fn right_of_a_popup_the_part_is_named_again() {
        let mut buffer = picture(20, 3);
        for column in 5..9 {
            buffer[(column, 1)].reset();
        }
        // A second picture beside the first, and a part that does not follow.
        set_placeholder(&mut buffer[(3, 2)], 78, 3, 2);
        set_placeholder(&mut buffer[(8, 0)], 77, 2, 0);
        shorten(&mut buffer);
        for (at, meant) in [((9, 1), (1, 9)), ((3, 2), (2, 3)), ((4, 2), (2, 4)), ((8, 0), (0, 2)), ((9, 0), (0, 9))] {
            assert_eq!(part(&buffer[at]), Some(meant), "{at:?}");
        }
        assert_eq!(part(&buffer[(10, 1)]), None);
    }

    #[test]
    fn showing_again_costs_little() {
        let whole = show(0xff_ffff, 4_000_000_000, Size::new(297, 297), None);
        let of = Some(Crop { x: 30_000, y: 30_000, width: 30_000, height: 30_000 });
        let part = show(0xff_ffff, 4_000_000_000, Size::new(297, 297), of);
        assert!(whole.len() < 90 && part.len() <= 200, "{} {}", whole.len(), part.len());
        assert_eq!(show(5, 1, Size::new(80, 40), None), "\x1b_Ga=p,q=2,i=5,p=1,c=80,r=40,C=1,z=-1073741900\x1b\\");
        assert_eq!(hide(5, 1), "\x1b_Ga=d,d=i,q=2,i=5,p=1\x1b\\");
        assert_eq!(transmit(5, None), "a=t,f=100,t=d,q=2,i=5");
        assert_eq!(transmit(5, Some(Size::new(8, 4))), "a=T,U=1,f=100,t=d,q=2,i=5,c=8,r=4");
    }
}
