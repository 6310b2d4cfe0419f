//! What the terminal can do, from its answers, the environment and the window's size. Pure.
//!
//! Nothing is believed without an answer: a terminal that says nothing gets half blocks. Answers are
//! judged by brand where the brand is known to promise too much.

use super::colour::Depth;
use super::output::Settings;
use super::questions::{QUERY_ID, questions};
use super::replies::{Layer, Reply};
use super::tty::WindowSize;
use crate::graphics::{CellSize, Protocol};

/// The part of the environment that says something about the terminal. Over ssh little of it arrives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Env {
    /// `TERM`.
    pub term: String,
    /// `COLORTERM`.
    pub colorterm: String,
    /// `TERM_PROGRAM`.
    pub term_program: String,
    /// `LC_TERMINAL`, which iTerm2 sets so that it survives ssh.
    pub lc_terminal: String,
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `TMUX` is set.
    pub tmux: bool,
    /// `SSH_CONNECTION` or `SSH_TTY` is set.
    pub ssh: bool,
}

impl Env {
    /// Reads it through `get`, which is `std::env::var` or a test's table.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let word = |name| get(name).unwrap_or_default();
        let set = |name| get(name).is_some_and(|value| !value.is_empty());
        Self {
            term: word("TERM"),
            colorterm: word("COLORTERM"),
            term_program: word("TERM_PROGRAM"),
            lc_terminal: word("LC_TERMINAL"),
            no_color: set("NO_COLOR"),
            tmux: set("TMUX"),
            ssh: set("SSH_CONNECTION") || set("SSH_TTY"),
        }
    }

    /// tmux stands between us and the terminal.
    pub fn in_tmux(&self) -> bool {
        self.tmux || self.term.starts_with("tmux") || self.term_program == "tmux"
    }
}

/// Who made the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "names of terminals")]
pub enum Brand {
    Kitty,
    Ghostty,
    WezTerm,
    Iterm2,
    Konsole,
    Foot,
    Xterm,
    Mlterm,
    Contour,
    Mintty,
    /// VS Code's terminal and others made of xterm.js.
    XtermJs,
    Tmux,
    /// It gave a name that is not in this list, or none.
    Unknown,
}

impl Brand {
    fn of(version: &str) -> Self {
        let version = version.to_ascii_lowercase();
        let table = [
            ("kitty", Self::Kitty),
            ("ghostty", Self::Ghostty),
            ("wezterm", Self::WezTerm),
            ("iterm2", Self::Iterm2),
            ("konsole", Self::Konsole),
            ("foot", Self::Foot),
            ("xterm.js", Self::XtermJs),
            ("xterm", Self::Xterm),
            ("mlterm", Self::Mlterm),
            ("contour", Self::Contour),
            ("mintty", Self::Mintty),
            ("tmux", Self::Tmux),
        ];
        table.into_iter().find(|(name, _)| version.starts_with(name)).map_or(Self::Unknown, |(_, brand)| brand)
    }
}

/// What the user wants pictures to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "the protocols by name")]
pub enum Choice {
    /// Whatever the terminal does best.
    #[default]
    Auto,
    Kitty,
    Sixel,
    Iterm2,
    Blocks,
    Off,
}

/// Where the size of a cell is known from; better sources come later in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CellSource {
    /// Nobody said: 10x20.
    Guess,
    /// The size sixel pictures may have, divided by the cells.
    SixelSize,
    /// The kernel's window size.
    Kernel,
    /// The text area in pixels, divided by the cells.
    Area,
    /// The terminal said it.
    Terminal,
}

/// What the terminal can do, as far as it has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caps {
    env: Env,
    window: WindowSize,
    /// The terminal itself, behind tmux if that is there.
    pub brand: Brand,
    /// The first two numbers of its version, if it told them.
    version: (u32, u32),
    /// It says that it knows kitty graphics.
    pub kitty_graphics: bool,
    /// It knows synchronized output.
    pub sync_output: bool,
    /// It knows the kitty keyboard protocol.
    pub keyboard: bool,
    /// Its background.
    pub background: Option<[u8; 3]>,
    /// Its text colour.
    pub foreground: Option<[u8; 3]>,
    /// One list for each answer: tmux answers for itself, too.
    attributes: Vec<Vec<u16>>,
    /// What answers to repeated questions have said so far: it counts when it is complete.
    next: Option<Round>,
    cell: Option<CellSize>,
    area: Option<(u16, u16)>,
    cells: Option<(u16, u16)>,
    sixel_size: Option<(u16, u16)>,
}

/// What answers say of who is there. A terminal that attaches to tmux may be another than the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Round {
    name: Option<(Brand, (u32, u32))>,
    kitty_graphics: bool,
    attributes: Vec<Vec<u16>>,
}

impl Caps {
    /// What is known before any answer.
    pub fn new(env: Env, window: WindowSize) -> Self {
        let brand = first_guess(&env);
        Self {
            env,
            window,
            brand,
            version: (0, 0),
            kitty_graphics: false,
            sync_output: false,
            keyboard: false,
            background: None,
            foreground: None,
            attributes: Vec::new(),
            next: None,
            cell: None,
            area: None,
            cells: None,
            sixel_size: None,
        }
    }

    /// Takes an answer in; true if something is known that was not.
    pub fn learn(&mut self, reply: &Reply) -> bool {
        let before = self.clone();
        match reply {
            Reply::Attributes(list) => self.learn_attributes(list),
            Reply::Version(version) => match (Brand::of(version), &mut self.next) {
                (Brand::Tmux, _) => self.env.tmux = true,
                (brand, Some(next)) => next.name = Some((brand, numbers(version))),
                (brand, None) => (self.brand, self.version) = (brand, numbers(version)),
            },
            Reply::Graphics { id, ok } if *ok && *id == QUERY_ID => match &mut self.next {
                Some(next) => next.kitty_graphics = true,
                None => self.kitty_graphics = true,
            },
            Reply::Graphics { .. } => {}
            Reply::Cell(width, height) => self.cell = CellSize::new(*width, *height),
            Reply::Area(width, height) => self.area = Some((*width, *height)),
            Reply::Cells(columns, rows) => self.cells = Some((*columns, *rows)),
            Reply::Colour(Layer::Background, rgb) => self.background = Some(*rgb),
            Reply::Colour(Layer::Foreground, rgb) => self.foreground = Some(*rgb),
            Reply::Mode(2026, state) => self.sync_output = matches!(state, 1..=3),
            Reply::SixelSize(width, height) => self.sixel_size = Some((*width, *height)),
            Reply::Keyboard(_) => self.keyboard = true,
            Reply::Mode(..) | Reply::Ready => {}
        }
        *self != before
    }

    fn learn_attributes(&mut self, list: &[u16]) {
        let fences = usize::from(self.fences());
        let attributes = self.next.as_mut().map_or(&mut self.attributes, |next| &mut next.attributes);
        if attributes.len() < fences {
            attributes.push(list.to_vec());
        }
        if let Some(next) = self.next.take_if(|next| next.attributes.len() >= fences) {
            (self.brand, self.version) = next.name.unwrap_or((first_guess(&self.env), (0, 0)));
            self.kitty_graphics = next.kitty_graphics;
            self.attributes = next.attributes;
        }
    }

    /// The questions are sent again. What was answered before holds until they are answered.
    pub fn asked_again(&mut self) {
        if self.complete() {
            self.next = Some(Round::default());
        } else {
            self.attributes.clear();
            self.next = None;
        }
    }

    /// Answers are still to come to what was asked last.
    pub fn waits(&self) -> bool {
        !self.complete() || self.next.is_some()
    }

    /// See [`questions`].
    pub fn questions(&self) -> Vec<u8> {
        questions(&self.env)
    }

    /// The window has another size. A cell size that was told is forgotten if the kernel's pixels say
    /// that it changed: ask anew then ([`questions`]); true means that.
    pub fn resized(&mut self, window: WindowSize) -> bool {
        let (before, _) = self.cell();
        self.window = window;
        self.area = None;
        self.cells = None;
        self.sixel_size = None;
        match kernel_cell(window) {
            Some(now) if now != before => {
                self.cell = None;
                true
            }
            _ => false,
        }
    }

    /// All answers are there that will come.
    pub fn complete(&self) -> bool {
        self.attributes.len() >= usize::from(self.fences())
    }

    /// Closing answers to be expected, for [`Reader::expect`](super::Reader::expect).
    pub fn fences(&self) -> u8 {
        fences(&self.env)
    }

    /// The size of a cell, and how we know.
    pub fn cell(&self) -> (CellSize, CellSource) {
        let (columns, rows) = self.cells.unwrap_or((self.window.cols, self.window.rows));
        let divide =
            |(width, height): (u16, u16)| CellSize::new(width.checked_div(columns)?, height.checked_div(rows)?);
        let known = (self.cell.map(|cell| (cell, CellSource::Terminal)))
            .or_else(|| Some((divide(self.area?)?, CellSource::Area)))
            .or_else(|| Some((kernel_cell(self.window)?, CellSource::Kernel)))
            .or_else(|| {
                // Konsole's 16384 is a limit, no size.
                let size = self.sixel_size.filter(|(width, height)| *width.max(height) < 16_384);
                Some((divide(size?)?, CellSource::SixelSize))
            });
        known.unwrap_or((CellSize::GUESS, CellSource::Guess))
    }

    /// Sixel is understood by all who would have to: the terminal, and tmux if it is there.
    pub fn sixel(&self) -> bool {
        self.complete() && self.attributes.iter().all(|list| list.contains(&4))
            // Without any answer nothing is promised.
            && !self.attributes.is_empty()
    }

    /// tmux stands in between.
    pub fn in_tmux(&self) -> bool {
        self.env.in_tmux()
    }

    /// We run on the far side of an ssh connection.
    pub fn over_ssh(&self) -> bool {
        self.env.ssh
    }

    /// Erasing fills with the present background. All brands we know do so, and tmux.
    pub fn erase_fills(&self) -> bool {
        self.brand != Brand::Unknown || self.in_tmux()
    }

    /// Pixels stay under text that is written over them, see [`Settings`].
    pub fn pixels_stick(&self) -> bool {
        self.brand == Brand::Konsole
    }

    /// It takes iTerm2 pictures in parts \[D\].
    pub fn parts(&self) -> bool {
        self.brand == Brand::Iterm2 && self.version >= (3, 5) && !self.in_tmux()
    }

    /// How to write to this terminal.
    pub fn settings(&self) -> Settings {
        Settings {
            depth: self.depth(),
            tmux: self.in_tmux(),
            erase_fills: self.erase_fills(),
            pixels_stick: self.pixels_stick(),
            remote: self.over_ssh(),
            parts: self.parts(),
            cell: self.cell().0,
            ..Settings::default()
        }
    }

    /// True if the background is light, false if dark, `None` if it was not told.
    pub fn light(&self) -> Option<bool> {
        let [r, g, b] = self.background?.map(u32::from);
        Some(r * 299 + g * 587 + b * 114 > 127_500)
    }

    /// How many colours to use.
    pub fn depth(&self) -> Depth {
        let term = self.env.term.as_str();
        let truecolour = matches!(self.env.colorterm.as_str(), "truecolor" | "24bit")
            || term.contains("direct")
            || ["xterm-kitty", "xterm-ghostty", "foot", "alacritty", "wezterm", "contour"]
                .iter()
                .any(|name| term.starts_with(name))
            || (!self.in_tmux() && self.brand_has_all_colours());
        if self.env.no_color || term == "dumb" {
            Depth::None
        } else if truecolour {
            Depth::True
        } else if matches!(term, "linux" | "vt100" | "vt220" | "ansi" | "xterm-16color" | "") {
            Depth::Ansi16
        } else {
            Depth::Ansi256
        }
    }

    fn brand_has_all_colours(&self) -> bool {
        !matches!(self.brand, Brand::Unknown | Brand::Tmux | Brand::Mlterm)
    }

    /// How pictures go to this terminal. The user's choice is obeyed, whatever the terminal says.
    pub fn protocol(&self, choice: Choice) -> Protocol {
        match choice {
            // More terminals know this way than placeholders; tmux only lets those through.
            Choice::Kitty => self.kitty(),
            Choice::Sixel => Protocol::Sixel,
            Choice::Iterm2 => Protocol::Iterm2,
            Choice::Blocks => Protocol::Blocks,
            Choice::Off => Protocol::Off,
            Choice::Auto => self.best(),
        }
    }

    fn best(&self) -> Protocol {
        let measured = self.cell().1 != CellSource::Guess;
        let blocks = if self.depth() == Depth::None { Protocol::Off } else { Protocol::Blocks };
        let sixel = self.sixel() && measured;
        match self.brand {
            // The only ones that draw placeholders, for tmux. Konsole also says OK, and draws boxes.
            Brand::Kitty | Brand::Ghostty if self.kitty_graphics => self.kitty(),
            // More bytes than as a JPEG, but they can be cut into slices, and shown again for nothing.
            Brand::Konsole if self.kitty_graphics && !self.in_tmux() => Protocol::KittyDirect,
            // Fewer bytes than sixel, but tmux neither keeps nor clips these.
            Brand::Iterm2 | Brand::WezTerm | Brand::Mintty | Brand::Konsole if !self.in_tmux() => Protocol::Iterm2,
            // Pictures are an add-on here; where it is, it also does sixel.
            Brand::XtermJs if sixel && !self.in_tmux() => Protocol::Iterm2,
            _ if sixel => Protocol::Sixel,
            // Nobody we know: what it says is better than half blocks.
            Brand::Unknown if self.kitty_graphics && !self.in_tmux() => Protocol::KittyDirect,
            _ => blocks,
        }
    }

    fn kitty(&self) -> Protocol {
        if self.in_tmux() { Protocol::Kitty } else { Protocol::KittyDirect }
    }
}

fn kernel_cell(window: WindowSize) -> Option<CellSize> {
    // OpenSSH for Windows says 640x480 for any window.
    let believable = (window.width_px, window.height_px) != (640, 480);
    let width = window.width_px.checked_div(window.cols)?;
    let height = window.height_px.checked_div(window.rows)?;
    CellSize::new(width, height).filter(|_| believable)
}

/// The first two numbers in a name and version.
fn numbers(version: &str) -> (u32, u32) {
    let mut parts = version.split(|letter: char| !letter.is_ascii_digit()).filter(|part| !part.is_empty());
    // The 2 of the name is none.
    if version.to_ascii_lowercase().starts_with("iterm2") {
        parts.next();
    }
    let mut number = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    (number(), number())
}

/// Who it is, before any answer.
fn first_guess(env: &Env) -> Brand {
    if env.lc_terminal.eq_ignore_ascii_case("iterm2") { Brand::Iterm2 } else { Brand::Unknown }
}

fn fences(env: &Env) -> u8 {
    if env.in_tmux() { 2 } else { 1 }
}

#[cfg(test)]
mod tests;
