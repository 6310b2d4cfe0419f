//! A terminal made of glass: it takes what a program writes, answers as the real ones do, and lets tests look at
//! every cell and pixel. It shares no code with what it checks.
//!
//! It plays the terminals of [`brand`], with or without tmux in between. What a program does wrong with pictures is
//! noted as a complaint, for real terminals keep silent about it.

#![warn(missing_docs)]

pub mod brand;
mod draw;
pub mod grid;
pub mod holders;
pub mod iterm2;
pub mod kitty;
pub mod look;
pub mod parse;
pub mod plane;
pub mod sixel;
pub mod tmux;
pub mod window;

use brand::{Brand, SixelSize, TMUX};
use grid::{Grid, Touch};
use parse::{Csi, Parser, Piece};
use plane::Plane;
use tmux::Pane;

/// How a picture came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Kitty graphics.
    Kitty,
    /// Sixel.
    Sixel,
    /// iTerm2.
    Iterm2,
}

/// A picture that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// In which way.
    pub way: Way,
    /// Its pixels, before scaling.
    pub size: (u32, u32),
    /// Bytes that had come until then.
    pub at: usize,
}

/// Bytes by what they were for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// All of them.
    pub all: usize,
    /// Kitty commands.
    pub kitty: usize,
    /// Sixel strings.
    pub sixel: usize,
    /// iTerm2 strings.
    pub iterm2: usize,
}

/// Modes that a program sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    /// The cursor does not show.
    pub no_cursor: bool,
    /// Pastes come in brackets.
    pub paste: bool,
    /// What is written is held back.
    pub held_back: bool,
    /// Keys are told in the new way.
    pub keyboard: i32,
}

/// One of the two screens.
#[derive(Debug)]
struct Screen {
    grid: Grid,
    plane: Plane,
    store: kitty::Store,
}

impl Screen {
    fn new(cell: (u32, u32), columns: u16, rows: u16) -> Self {
        let store = kitty::Store::default();
        Self { grid: Grid::new(columns, rows), plane: Plane::new(cell, (columns, rows)), store }
    }
}

/// tmux in between.
#[derive(Debug)]
struct Between {
    /// `allow-passthrough`.
    passes: bool,
    parser: Parser,
    pane: Pane,
}

/// See the module.
#[derive(Debug)]
pub struct Glass {
    /// Which terminal.
    pub brand: &'static Brand,
    cell: (u32, u32),
    between: Option<Between>,
    parser: Parser,
    screens: [Screen; 2],
    other: bool,
    parts: iterm2::Parts,
    answers: Vec<u8>,
    /// Every picture that came.
    pub arrived: Vec<Arrival>,
    /// What was done wrong.
    pub complaints: Vec<String>,
    /// What came.
    pub bytes: Bytes,
    /// As set now.
    pub modes: Modes,
    /// How often the whole screen was cleared.
    pub clears: usize,
    /// Rows by which pictures scrolled the screen.
    pub pushed: usize,
}

/// Who reads a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Terminal,
    Tmux,
}

impl Glass {
    /// A terminal of this many columns and rows.
    pub fn new(brand: &'static Brand, columns: u16, rows: u16, cell: (u32, u32)) -> Self {
        Self {
            brand,
            cell,
            between: None,
            parser: Parser::default(),
            screens: [Screen::new(cell, columns, rows), Screen::new(cell, columns, rows)],
            other: false,
            parts: iterm2::Parts::default(),
            answers: Vec::new(),
            arrived: Vec::new(),
            complaints: Vec::new(),
            bytes: Bytes::default(),
            modes: Modes::default(),
            clears: 0,
            pushed: 0,
        }
    }

    /// With tmux in between; `passes` is its `allow-passthrough`.
    pub fn in_tmux(mut self, passes: bool) -> Self {
        self.between = Some(Between { passes, parser: Parser::of_tmux(), pane: Pane::default() });
        self
    }

    /// tmux is in between.
    pub fn has_tmux(&self) -> bool {
        self.between.is_some()
    }

    /// Pixels of a cell.
    pub fn cell_size(&self) -> (u32, u32) {
        self.cell
    }

    fn screen(&self) -> &Screen {
        &self.screens[usize::from(self.other)]
    }

    fn screen_mut(&mut self) -> &mut Screen {
        &mut self.screens[usize::from(self.other)]
    }

    /// The text.
    pub fn grid(&self) -> &Grid {
        &self.screen().grid
    }

    /// The other screen is shown, the one without a history.
    pub fn on_other_screen(&self) -> bool {
        self.other
    }

    /// Kitty's pictures of the screen that is shown.
    pub fn store(&self) -> &kitty::Store {
        &self.screen().store
    }

    /// For tests that want less than 320 MB.
    pub fn set_quota(&mut self, bytes: usize) {
        for screen in &mut self.screens {
            screen.store.quota = bytes;
        }
    }

    /// Kitty pictures that are kept, of both screens.
    pub fn kept(&self) -> Vec<u32> {
        self.screens.iter().flat_map(|screen| screen.store.ids()).collect()
    }

    /// What the program can read now.
    pub fn take_answers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.answers)
    }

    /// No sequence, transfer or update is half done.
    pub fn at_rest(&self) -> bool {
        self.parser.at_rest()
            && self.between.as_ref().is_none_or(|between| between.parser.at_rest())
            && self.parts.at_rest()
            && self.screens.iter().all(|screen| screen.store.at_rest())
            && !self.modes.held_back
    }

    /// Another size of the window.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        for screen in &mut self.screens {
            screen.grid.resize(columns, rows);
            screen.plane.resize((columns, rows));
        }
        if let Some(between) = &mut self.between {
            between.pane.forget();
        }
        self.settle();
    }

    /// Takes what the program writes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.bytes.all += bytes.len();
        let mut pieces = Vec::new();
        if let Some(between) = &mut self.between {
            between.parser.feed(bytes, |piece| pieces.push(piece));
            pieces.into_iter().for_each(|piece| self.by_tmux(piece));
            self.settle();
        } else {
            self.parser.feed(bytes, |piece| pieces.push(piece));
            pieces.into_iter().for_each(|piece| self.by_terminal(piece));
        }
    }

    fn complain(&mut self, why: impl Into<String>) {
        if self.complaints.len() < 100 {
            self.complaints.push(why.into());
        }
    }

    /// tmux reads it; what is text looks the same on the terminal behind.
    fn by_tmux(&mut self, piece: Piece) {
        let Some(between) = &self.between else { return };
        match piece {
            Piece::Dcs(body) | Piece::Osc(body) | Piece::Apc(body) if body.len() > tmux::LONGEST => {
                self.complain(format!("tmux throws {} bytes away", body.len()));
            }
            Piece::Dcs(body) => {
                if let Some(passed) = body.strip_prefix(b"tmux;") {
                    if between.passes {
                        let mut pieces = Vec::new();
                        self.parser.feed(passed, |piece| pieces.push(piece));
                        pieces.into_iter().for_each(|piece| self.by_terminal(piece));
                    }
                } else if sixel::head(&body).is_some() {
                    self.sixel_in_tmux(&body);
                }
            }
            // It has asked the terminal for its colours, and knows them.
            Piece::Osc(body) if body.ends_with(b";?") => self.osc(&body),
            Piece::Osc(_) | Piece::Apc(_) => {}
            other => self.text(other, Reader::Tmux),
        }
    }

    fn by_terminal(&mut self, piece: Piece) {
        match piece {
            Piece::Apc(body) => self.kitty(&body),
            Piece::Dcs(body) => {
                if sixel::head(&body).is_some() {
                    self.bytes.sixel += body.len() + 4;
                    if self.brand.sixel {
                        self.sixel(&body);
                    } else {
                        self.complain("sixel, which this terminal does not know");
                    }
                } else if body.starts_with(b"tmux;") {
                    self.complain("meant for tmux, which is not there");
                }
            }
            Piece::Osc(body) => self.osc(&body),
            Piece::Broken(bytes) => self.complain(format!("a string was cut short after {bytes} bytes")),
            other => self.text(other, Reader::Terminal),
        }
    }

    fn text(&mut self, piece: Piece, reader: Reader) {
        if reader == Reader::Terminal && self.between.is_some() && !matches!(piece, Piece::Csi(_)) {
            return self.complain(format!("{piece:?} was passed through tmux"));
        }
        let plain = !matches!(&piece, Piece::Text(letter) if !letter.is_ascii());
        let screen = self.screen_mut();
        match piece {
            Piece::Text(letter) => screen.grid.put(letter),
            Piece::Control(byte) => screen.grid.control(byte),
            Piece::Escape(between, last) if between.is_empty() => screen.grid.escape(last),
            Piece::Csi(csi) => self.sequence(&csi, reader),
            _ => {}
        }
        self.touched(plain);
    }

    fn sequence(&mut self, csi: &Csi, reader: Reader) {
        let done = self.asked(csi, reader) || self.mode(csi);
        if !done {
            self.screen_mut().grid.csi(csi);
        }
    }

    /// Pictures follow what happened to the text. What tmux looks at is `plain`: letters of ASCII, and sequences.
    fn touched(&mut self, plain: bool) {
        let stick = self.brand.pictures_under;
        let columns = self.grid().columns;
        let screen = &mut self.screens[usize::from(self.other)];
        for touch in std::mem::take(&mut screen.grid.touched) {
            match touch {
                Touch::Written(area) | Touch::Erased(area) if !stick => screen.plane.erase(area),
                Touch::Written(_) | Touch::Erased(_) => {}
                Touch::Cleared => {
                    self.clears += 1;
                    screen.plane.clear();
                    screen.store.cleared();
                }
                Touch::Scrolled(top, end, by) => {
                    screen.plane.scroll(top, end, by);
                    screen.store.scrolled(top, end, by);
                }
            }
            if let Some(between) = self.between.as_mut().filter(|_| plain) {
                between.pane.touched(touch, columns);
            }
        }
    }

    /// tmux draws the pane anew if it has to: the text, which wipes pictures, then the pictures it still knows.
    fn settle(&mut self) {
        let screen = &mut self.screens[usize::from(self.other)];
        let Some(between) = &mut self.between else { return };
        if std::mem::take(&mut between.pane.stale) && self.brand.sixel {
            screen.plane.clear();
            for held in between.pane.held() {
                screen.plane.draw(held.serial, &held.pixels, (held.area.left, held.area.top));
            }
        }
    }

    /// Answers questions; true if it was one.
    fn asked(&mut self, csi: &Csi, reader: Reader) -> bool {
        let brand = if reader == Reader::Tmux { &TMUX } else { self.brand };
        let (columns, rows) = (u32::from(self.grid().columns), u32::from(self.grid().rows));
        let (wide, high) = (columns * self.cell.0, rows * self.cell.1);
        let first = csi.number(0, 0);
        let answer = match (csi.prefix, &csi.between[..], csi.last) {
            (None, [], b'c') if first == 0 => Some(format!("\x1b[?{}c", brand.attributes)),
            (Some(b'>'), [], b'q') => brand.version.map(|version| format!("\x1bP>|{version}\x1b\\")),
            (None, [], b'n') if first == 5 => Some("\x1b[0n".into()),
            (None, [], b'n') if first == 6 => {
                let (x, y) = self.grid().cursor;
                Some(format!("\x1b[{};{}R", y + 1, x + 1))
            }
            (None, [], b't') => match first {
                14 => brand.sizes.then(|| format!("\x1b[4;{high};{wide}t")),
                16 => brand.sizes.then(|| format!("\x1b[6;{};{}t", self.cell.1, self.cell.0)),
                18 => brand.sizes.then(|| format!("\x1b[8;{rows};{columns}t")),
                _ => None,
            },
            (Some(b'?'), [], b'S') if (first, csi.number(1, 0)) == (2, 1) => match brand.sixel_size {
                SixelSize::None => None,
                SixelSize::Area => Some(format!("\x1b[?2;0;{wide};{high}S")),
                SixelSize::Fixed(side) => Some(format!("\x1b[?2;0;{side};{side}S")),
                SixelSize::Malformed => Some("\x1b[?2;3;0S".into()),
            },
            (Some(b'?'), b"$", b'p') if first == 2026 => brand.sync.map(|state| format!("\x1b[?2026;{state}$y")),
            (Some(b'?'), [], b'u') => brand.keyboard.then(|| "\x1b[?0u".into()),
            _ => return false,
        };
        self.answer(answer, brand);
        true
    }

    fn answer(&mut self, answer: Option<String>, brand: &Brand) {
        if let Some(answer) = answer.filter(|_| brand.answers) {
            self.answers.extend(answer.into_bytes());
        }
    }

    /// Sets modes; true if it was about them.
    fn mode(&mut self, csi: &Csi) -> bool {
        match (csi.prefix, csi.last) {
            (Some(b'?'), b'h' | b'l') => {
                let on = csi.last == b'h';
                for at in 0..csi.numbers.len() {
                    match csi.number(at, 0) {
                        25 => self.modes.no_cursor = !on,
                        2004 => self.modes.paste = on,
                        2026 => self.modes.held_back = on,
                        1049 if on != self.other => self.switch(on),
                        _ => {}
                    }
                }
                true
            }
            (Some(b'>'), b'u') => {
                self.modes.keyboard += 1;
                true
            }
            (Some(b'<'), b'u') => {
                self.modes.keyboard -= 1;
                true
            }
            _ => csi.prefix.is_some(),
        }
    }

    fn switch(&mut self, other: bool) {
        self.other = other;
        if let Some(between) = &mut self.between {
            between.pane.forget();
        }
        if other {
            let (columns, rows) = (self.grid().columns, self.grid().rows);
            let screen = self.screen_mut();
            screen.grid = Grid::new(columns, rows);
            screen.plane.clear();
            screen.store.cleared();
        }
    }
}
