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
mod tests {
    use std::num::NonZeroU16;

    use proptest::prelude::*;
    use ratatui::style::Style;

    use super::*;

    const AREA: Rect = Rect::new(0, 0, 24, 5);

    fn terminal(area: Rect) -> vt100::Parser {
        let side = |side: u16| NonZeroU16::new(side).expect("not empty");
        vt100::Parser::new(side(area.height), side(area.width), 0)
    }

    fn painter() -> Painter {
        let mut painter = Painter::new();
        painter.depth = Depth::True;
        painter
    }

    fn paint(painter: &mut Painter, next: &Buffer, cursor: Option<Position>) -> Vec<u8> {
        let mut out = Vec::new();
        painter.paint(next, cursor, &mut out, |_, _| {});
        out
    }

    fn seen(colour: Color) -> vt100::Color {
        match colour {
            Color::Reset => vt100::Color::Default,
            Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
            Color::Indexed(index) => vt100::Color::Idx(index),
            Color::Red => vt100::Color::Idx(1),
            Color::LightCyan => vt100::Color::Idx(14),
            other => panic!("{other} is not used here"),
        }
    }

    /// The terminal shows what the buffer holds.
    fn compare(terminal: &vt100::Parser, buffer: &Buffer) -> Result<(), TestCaseError> {
        let mut covered = 0;
        for at in buffer.area.positions() {
            let meant = &buffer[at];
            let cell = terminal.screen().cell(at.y, at.x).expect("inside");
            if at.x == 0 {
                covered = 0;
            }
            if covered > 0 {
                covered -= 1;
                continue;
            }
            covered = width(meant) - 1;
            let symbol = if meant.symbol() == HOLE { " " } else { meant.symbol() };
            let shown = if cell.has_contents() { cell.contents() } else { " " };
            prop_assert_eq!(shown, symbol, "at {:?}", at);
            prop_assert_eq!(cell.bgcolor(), seen(meant.bg), "at {:?}", at);
            let has = |modifier| meant.modifier.contains(modifier);
            prop_assert_eq!(cell.inverse(), has(Modifier::REVERSED), "at {:?}", at);
            prop_assert_eq!(cell.underline(), has(Modifier::UNDERLINED), "at {:?}", at);
            if symbol != " " {
                prop_assert_eq!(cell.fgcolor(), seen(meant.fg), "at {:?}", at);
                // The oracle knows one intensity, the last one set.
                if !has(Modifier::BOLD | Modifier::DIM) {
                    prop_assert_eq!(cell.bold(), has(Modifier::BOLD), "at {:?}", at);
                    prop_assert_eq!(cell.dim(), has(Modifier::DIM), "at {:?}", at);
                }
                prop_assert_eq!(cell.italic(), has(Modifier::ITALIC), "at {:?}", at);
            }
        }
        Ok(())
    }

    fn style() -> impl Strategy<Value = Style> {
        let colour = || {
            prop_oneof![
                3 => Just(Color::Reset),
                1 => Just(Color::Red),
                1 => Just(Color::LightCyan),
                1 => Just(Color::Indexed(200)),
                1 => Just(Color::Rgb(1, 2, 3)),
            ]
        };
        let modifier = prop::sample::select(vec![
            Modifier::empty(),
            Modifier::BOLD,
            Modifier::DIM,
            Modifier::BOLD | Modifier::DIM,
            Modifier::ITALIC | Modifier::UNDERLINED,
            Modifier::REVERSED,
        ]);
        (colour(), colour(), modifier).prop_map(|(fg, bg, modifier)| Style::new().fg(fg).bg(bg).add_modifier(modifier))
    }

    fn buffer() -> impl Strategy<Value = Buffer> {
        let text = prop::sample::select(vec![
            "plain text",
            "                        ",
            "            x",
            "wide 漢字 text",
            "e\u{301}tude",
            "\u{a0}\u{a0}\u{a0}",
            "─────────────",
        ]);
        prop::collection::vec((0..AREA.width, 0..AREA.height, text, style()), 0..12).prop_map(|writes| {
            let mut buffer = Buffer::empty(AREA);
            for (x, y, text, style) in writes {
                buffer.set_string(x, y, text, style);
            }
            // As ratatui has it: behind a wide character stands a blank of the same style.
            for y in 0..AREA.height {
                for x in 0..AREA.width {
                    if width(&buffer[(x, y)]) == 2 {
                        if x + 1 == AREA.width {
                            buffer[(x, y)].set_symbol(" ");
                        } else {
                            let style = buffer[(x, y)].style();
                            buffer[(x + 1, y)].set_symbol(" ").set_style(style);
                        }
                    }
                }
            }
            buffer
        })
    }

    proptest! {
        #[test]
        fn the_terminal_shows_what_was_meant(
            frames in prop::collection::vec(
                (buffer(), prop::option::of((0..AREA.width, 0..AREA.height))),
                1..5,
            ),
            erase_fills in any::<bool>(),
            forget in prop::option::of((0_u16..20, 0_u16..4, 1_u16..9, 1_u16..4)),
        ) {
            let mut painter = painter();
            painter.erase_fills = erase_fills;
            let mut terminal = terminal(AREA);
            terminal.process(b"rubbish\x1b[31;4mmore");
            for (buffer, cursor) in frames {
                let cursor = cursor.map(Position::from);
                terminal.process(&paint(&mut painter, &buffer, cursor));
                compare(&terminal, &buffer)?;
                prop_assert_eq!(terminal.screen().hide_cursor(), cursor.is_none());
                if let Some(at) = cursor {
                    prop_assert_eq!(terminal.screen().cursor_position(), (at.y, at.x));
                }
                prop_assert_eq!(paint(&mut painter, &buffer, cursor), b"", "the same again");
                if let Some((x, y, width, height)) = forget {
                    painter.forget(Rect::new(x, y, width, height));
                    terminal.process(&paint(&mut painter, &buffer, cursor));
                    compare(&terminal, &buffer)?;
                }
            }
        }
    }

    #[test]
    fn small_changes_cost_little() {
        let area = Rect::new(0, 0, 120, 40);
        let row = |buffer: &mut Buffer, y: u16, status: &str, chosen: bool| {
            let style = if chosen { Style::new().bg(Color::Rgb(40, 44, 60)) } else { Style::new() };
            buffer.set_style(Rect::new(1, y, 70, 1), style);
            let text = format!("{status:<12} 12 s  nano-banana    16:9  a red fox in the snow");
            buffer.set_string(2, y, text, style.fg(Color::Rgb(200, 200, 200)));
        };
        let mut painter = painter();
        painter.erase_fills = true;
        let mut first = Buffer::empty(area);
        for y in 2..30 {
            row(&mut first, y, "queued", y == 9);
        }
        paint(&mut painter, &first, None);

        let mut next = first.clone();
        row(&mut next, 12, "handling", false);
        let status = paint(&mut painter, &next, None);
        assert!(status.len() < 30, "{}", status.escape_ascii());

        let mut moved = next.clone();
        row(&mut moved, 9, "queued", false);
        row(&mut moved, 10, "queued", true);
        let cursor = paint(&mut painter, &moved, None);
        assert!(cursor.len() < 200, "{} bytes", cursor.len());

        assert_eq!(paint(&mut painter, &moved, None), b"");
    }

    #[test]
    fn a_new_size_is_drawn_anew() {
        let mut painter = painter();
        for (width, height) in [(10, 3), (1, 1), (200, 60), (0, 0), (5, 2)] {
            let area = Rect::new(0, 0, width, height);
            let mut buffer = Buffer::empty(area);
            if area.area() > 0 {
                buffer.set_string(0, 0, "hello", Style::new());
            }
            let out = paint(&mut painter, &buffer, Some(Position::new(9, 9)));
            assert!(out.starts_with(b"\x1b[m\x1b[2J"));
            if area.area() > 0 {
                let mut terminal = terminal(area);
                terminal.process(&out);
                assert!(compare(&terminal, &buffer).is_ok());
            }
        }
    }

    #[test]
    fn nothing_is_erased_beside_a_picture_in_tmux() {
        let area = Rect::new(0, 0, 80, 3);
        let mut first = Buffer::empty(area);
        for y in 0..3 {
            first.set_string(0, y, "a".repeat(40), Style::new());
        }
        first[(70, 1)].set_symbol(HOLE);
        let mut next = Buffer::empty(area);
        next[(70, 1)].set_symbol(HOLE);
        for (tmux, erased) in [(false, 3), (true, 2)] {
            let mut painter = painter();
            painter.tmux = tmux;
            paint(&mut painter, &first, None);
            let out = paint(&mut painter, &next, None);
            let mut terminal = terminal(area);
            terminal.process(&paint(&mut self::painter(), &first, None));
            terminal.process(&out);
            assert_eq!(terminal.screen().contents().trim(), "");
            assert_eq!(out.windows(4).filter(|bytes| *bytes == b"[40X").count(), erased);
        }
    }

    #[test]
    fn a_cell_cannot_steer_the_terminal() {
        let mut buffer = Buffer::empty(AREA);
        buffer[(0, 0)].set_symbol("\x1b]0;hi\x07");
        buffer[(1, 0)].set_symbol("\u{9b}31m");
        disarm(&mut buffer);
        let out = paint(&mut painter(), &buffer, None);
        let text = String::from_utf8(out).expect("text");
        assert!(text.ends_with("\u{fffd}\u{fffd}"), "{text:?}");
    }

    #[test]
    fn placeholders_keep_their_number_without_colours() {
        let mut buffer = Buffer::empty(AREA);
        buffer[(0, 0)].set_symbol("\u{10EEEE}\u{305}\u{305}").set_fg(Color::Rgb(1, 2, 3));
        let mut painter = painter();
        painter.depth = Depth::None;
        let out = paint(&mut painter, &buffer, None);
        assert!(out.escape_ascii().to_string().contains("38;2;1;2;3m"));
    }
}
