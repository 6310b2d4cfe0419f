//! From two buffers to the fewest bytes that turn one into the other on the screen.
//!
//! ratatui's diff says which cells; what is written for them is decided here rather than by its
//! crossterm back end, which resets all attributes after every frame and knows no erasing: a status
//! change would cost twice as much.

use std::io::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::colour::{self, Depth};
use crate::graphics::{HOLE, placeholder_id};

/// Blanks in a row from which on erasing is shorter than writing them.
const ERASE: u16 = 9;
/// Attributes that show on a blank.
const ON_BLANK: Modifier = Modifier::REVERSED.union(Modifier::UNDERLINED).union(Modifier::CROSSED_OUT);
/// In a buffer of what is on the screen: something unknown. A noncharacter, which no frame holds.
const UNKNOWN: &str = "\u{fdd0}";

const MODIFIERS: [(Modifier, u8, u8); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl Pen {
    const PLAIN: Self = Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };
}

/// What the screen shows and how the terminal's pen stands.
#[derive(Debug)]
pub(super) struct Painter {
    /// As last written.
    screen: Buffer,
    /// Where the cursor is if anybody knows.
    at: Option<Position>,
    /// The cursor, if it shows.
    cursor: Option<Position>,
    pen: Pen,
    /// Nothing is known of the screen.
    lost: bool,
    pub(super) depth: Depth,
    /// Erasing fills with the background colour.
    pub(super) erase_fills: bool,
    /// tmux stands in between: it drops every picture of a line in which something is erased.
    pub(super) tmux: bool,
}

impl Painter {
    /// A painter for an empty screen of unknown size, with the cursor hidden.
    pub(super) fn new() -> Self {
        Self {
            screen: Buffer::empty(Rect::ZERO),
            at: None,
            cursor: None,
            pen: Pen::PLAIN,
            lost: true,
            depth: Depth::default(),
            erase_fills: false,
            tmux: false,
        }
    }

    /// Somebody else wrote to the screen, or cleared it: everything is drawn anew.
    pub(super) fn lose(&mut self) {
        self.lost = true;
    }

    /// What is on the screen in `area` is to be written again even if it does not change.
    pub(super) fn forget(&mut self, area: Rect) {
        let area = area.intersection(self.screen.area);
        for at in area.positions() {
            self.forget_behind(at);
            self.screen[at].set_symbol(UNKNOWN);
        }
    }

    /// Forgets what the wide character here covers besides its own cell: once that is overwritten,
    /// terminals leave there what they like.
    fn forget_behind(&mut self, at: Position) {
        for x in at.x + 1..at.x + width(&self.screen[at]) {
            if let Some(cell) = self.screen.cell_mut((x, at.y)) {
                cell.set_symbol(UNKNOWN);
            }
        }
    }

    /// What the screen shows.
    pub(super) fn screen(&self) -> &Buffer {
        &self.screen
    }

    /// Whether painting `next` begins with clearing the screen.
    pub(super) fn clears(&self, next: &Buffer) -> bool {
        self.lost || self.screen.area != next.area
    }

    /// Makes the screen show `next`. Appends to `out`, nothing at all if nothing changes; answers
    /// whether all was drawn anew. `touched` hears of every cell written.
    pub(super) fn paint(
        &mut self,
        next: &Buffer,
        cursor: Option<Position>,
        out: &mut Vec<u8>,
        mut touched: impl FnMut(Position, u16),
    ) -> bool {
        let anew = self.clears(next);
        if anew {
            // The pen may stand anywhere: after a resume, or a foreign write.
            out.extend(b"\x1b[m\x1b[2J");
            self.pen = Pen::PLAIN;
            self.at = None;
            self.screen = Buffer::empty(next.area);
            self.lost = false;
            if cursor.is_none() {
                out.extend(b"\x1b[?25l");
                self.cursor = None;
            }
        }
        for at in next.area.positions() {
            // Letters and blanks, that is nearly all, are known to be narrow without a look.
            if self.screen[at].symbol().len() > 1 && self.screen[at] != next[at] {
                self.forget_behind(at);
            }
        }
        let updates = self.screen.diff(next);
        let pictures = if self.tmux { lines_of_pictures(next) } else { Vec::new() };
        let mut erased = 0;
        for (index, (x, y, cell)) in updates.iter().enumerate() {
            let at = Position::new(*x, *y);
            touched(at, width(cell));
            if erased > 0 {
                erased -= 1;
                continue;
            }
            self.go(at, next.area, out);
            let blanks = if pictures.contains(y) { 0 } else { self.blanks(&updates[index..]) };
            if blanks >= ERASE {
                self.set_pen(cell, out);
                let _ = write!(out, "\x1b[{blanks}X");
                erased = blanks - 1;
                continue;
            }
            self.set_pen(cell, out);
            self.put(cell, next.area, out);
        }
        self.set_cursor(cursor, next.area, out);
        self.screen.clone_from(next);
        anew
    }

    /// How many cells from here on can be erased together.
    fn blanks(&self, updates: &[(u16, u16, &Cell)]) -> u16 {
        let Some((x, y, first)) = updates.first() else {
            return 0;
        };
        let plain = |cell: &Cell| cell.symbol() == " " && !cell.modifier.intersects(ON_BLANK);
        if !plain(first) || !(first.bg == Color::Reset || self.erase_fills) {
            return 0;
        }
        let mut many = 0;
        for (at, row, cell) in updates {
            if *row != *y || *at != *x + many || !plain(cell) || cell.bg != first.bg {
                break;
            }
            many += 1;
        }
        many
    }

    /// Moves the cursor in the shortest way.
    fn go(&mut self, to: Position, area: Rect, out: &mut Vec<u8>) {
        if self.at == Some(to) {
            return;
        }
        let _ = match self.at {
            Some(at) if at.y == to.y && at.x < to.x && to.x - at.x == 1 => write!(out, "\x1b[C"),
            Some(at) if at.y == to.y && at.x < to.x => write!(out, "\x1b[{}C", to.x - at.x),
            Some(at) if to.x == 0 && at.y + 1 == to.y && to.y < area.bottom() => {
                write!(out, "\r\n")
            }
            _ if to.x == 0 && to.y == 0 => write!(out, "\x1b[H"),
            _ if to.x == 0 => write!(out, "\x1b[{}H", to.y + 1),
            _ => write!(out, "\x1b[{};{}H", to.y + 1, to.x + 1),
        };
        self.at = Some(to);
    }

    fn put(&mut self, cell: &Cell, area: Rect, out: &mut Vec<u8>) {
        let symbol = match cell.symbol() {
            "" | HOLE => " ",
            symbol => symbol,
        };
        out.extend(symbol.bytes());
        // Where terminals may disagree about the width, nothing is taken for granted afterwards.
        let sure = symbol.chars().nth(1).is_none() || placeholder_id(cell).is_some();
        let width = width(cell);
        self.at = self.at.filter(|_| sure).and_then(|at| {
            let x = at.x + width;
            // In the last column the cursor hangs between two lines.
            (x < area.right()).then_some(Position::new(x, at.y))
        });
    }

    fn set_pen(&mut self, cell: &Cell, out: &mut Vec<u8>) {
        let picture = placeholder_id(cell).is_some();
        let blank = matches!(cell.symbol(), " " | "" | HOLE);
        let mut want = Pen {
            // The colour of a placeholder is the number of a picture.
            fg: if picture { cell.fg } else { colour::map(cell.fg, self.depth) },
            bg: colour::map(cell.bg, self.depth),
            modifier: cell.modifier,
        };
        if blank && !cell.modifier.intersects(ON_BLANK) {
            // Of what does not show, nothing is changed.
            want.fg = self.pen.fg;
            want.modifier = self.pen.modifier.difference(ON_BLANK);
        }
        if want == self.pen {
            return;
        }
        let change = change(self.pen, want);
        let afresh = change_from_plain(want);
        out.extend(b"\x1b[");
        out.extend(if afresh.len() < change.len() { &afresh } else { &change });
        out.push(b'm');
        self.pen = want;
    }

    fn set_cursor(&mut self, cursor: Option<Position>, area: Rect, out: &mut Vec<u8>) {
        let cursor = cursor.filter(|at| area.contains(*at));
        match cursor {
            Some(to) => {
                self.go(to, area, out);
                if self.cursor.is_none() {
                    out.extend(b"\x1b[?25h");
                }
            }
            None if self.cursor.is_some() => out.extend(b"\x1b[?25l"),
            None => {}
        }
        self.cursor = cursor;
    }

    /// Wraps a picture's bytes so that they begin at `at`, and puts the cursor back where it shows.
    pub(super) fn draw_at(&mut self, at: Position, bytes: &[u8], out: &mut Vec<u8>) {
        let _ = write!(out, "\x1b[{};{}H", at.y + 1, at.x + 1);
        out.extend(bytes);
        self.at = None;
        if let Some(cursor) = self.cursor {
            let _ = write!(out, "\x1b[{};{}H", cursor.y + 1, cursor.x + 1);
            self.at = Some(cursor);
        }
    }

    /// Bytes that may have moved the cursor or printed something in the first row were written.
    pub(super) fn disturbed(&mut self) {
        let row = Rect { height: 1, ..self.screen.area };
        self.forget(row);
        self.at = None;
    }
}

/// Whatever comes from outside, a cell cannot steer the terminal.
pub(super) fn disarm(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        if cell.symbol().chars().any(char::is_control) {
            cell.set_symbol("\u{fffd}");
        }
    }
}

/// The lines of which a part is left blank for a picture.
fn lines_of_pictures(buffer: &Buffer) -> Vec<u16> {
    let area = buffer.area;
    let has = |y: &u16| (area.left()..area.right()).any(|x| buffer[(x, *y)].symbol() == HOLE);
    area.rows().map(|row| row.y).filter(has).collect()
}

fn width(cell: &Cell) -> u16 {
    cell.symbol().width().max(1) as u16
}

fn change(from: Pen, to: Pen) -> Vec<u8> {
    let mut out = Vec::new();
    let gone = from.modifier.difference(to.modifier);
    let mut come = to.modifier.difference(from.modifier);
    let mut ended = 0;
    for (modifier, _, end) in MODIFIERS {
        if gone.contains(modifier) && ended != end {
            number(&mut out, end);
            ended = end;
            // One number ends both of a pair; the one that stays has to be set again.
            for (other, _, same) in MODIFIERS {
                if same == end && to.modifier.contains(other) {
                    come.insert(other);
                }
            }
        }
    }
    finish(out, come, from, to)
}

fn change_from_plain(to: Pen) -> Vec<u8> {
    // "0" may be left out, but only if nothing follows.
    let mut out = Vec::new();
    if to != Pen::PLAIN {
        number(&mut out, 0);
    }
    finish(out, to.modifier, Pen::PLAIN, to)
}

fn finish(mut out: Vec<u8>, come: Modifier, from: Pen, to: Pen) -> Vec<u8> {
    for (modifier, start, _) in MODIFIERS {
        if come.contains(modifier) {
            number(&mut out, start);
        }
    }
    for (before, after, base) in [(from.fg, to.fg, 30), (from.bg, to.bg, 40)] {
        if before != after {
            if !out.is_empty() {
                out.push(b';');
            }
            colour::push(&mut out, after, base);
        }
    }
    out
}

fn number(out: &mut Vec<u8>, number: u8) {
    if !out.is_empty() {
        out.push(b';');
    }
    let _ = write!(out, "{number}");
}

#[cfg(test)]
mod tests;
