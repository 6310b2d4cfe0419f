//! The terminals: what each answers and can. Answers as measured from the real ones (kitty 0.41, xterm 398, foot 1.21,
//! Konsole 25.04, tmux 3.5a), for iTerm2 and WezTerm from their documentation.

/// What is answered to the question after the size of sixel pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SixelSize {
    /// Nothing.
    None,
    /// The text area in pixels.
    Area,
    /// Always this.
    Fixed(u32),
    /// An answer that means no.
    Malformed,
}

/// A terminal.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "a table of who can what")]
pub struct Brand {
    /// For messages.
    pub name: &'static str,
    /// The environment that is left of it on the far side of ssh.
    pub env: &'static [(&'static str, &'static str)],
    /// It answers at all.
    pub answers: bool,
    /// Primary attributes.
    pub attributes: &'static str,
    /// Its name.
    pub version: Option<&'static str>,
    /// It tells sizes (`CSI 14 t`, `16 t`, `18 t`).
    pub sizes: bool,
    /// `CSI ? 2 ; 1 ; 0 S`.
    pub sixel_size: SixelSize,
    /// What it says of synchronized output, if it says something.
    pub sync: Option<u8>,
    /// The kitty keyboard protocol.
    pub keyboard: bool,
    /// Text and background colour, if it tells them.
    pub colours: Option<([u8; 3], [u8; 3])>,
    /// Kitty graphics: says OK to the question, and draws.
    pub kitty: bool,
    /// It draws unicode placeholders.
    pub placeholders: bool,
    /// Sixel.
    pub sixel: bool,
    /// What pixels that a sixel picture does not set become, if that is not the background.
    pub sixel_back: Option<[u8; 3]>,
    /// iTerm2's pictures.
    pub iterm2: bool,
    /// iTerm2's pictures in parts.
    pub multipart: bool,
    /// Sixel and iTerm2 pictures lie under the text instead of in its cells: blanks let them through, and only
    /// clearing the screen takes them away. Heights are rounded up to six pixels.
    pub pictures_under: bool,
}

const BLACK: [u8; 3] = [0; 3];
const GREY: [u8; 3] = [229; 3];

const NOTHING: Brand = Brand {
    name: "",
    env: &[("TERM", "xterm-256color")],
    answers: true,
    attributes: "64;1;2;6;9;15;16;17;18;21;22;28",
    version: None,
    sizes: false,
    sixel_size: SixelSize::None,
    sync: None,
    keyboard: false,
    colours: Some((GREY, BLACK)),
    kitty: false,
    placeholders: false,
    sixel: false,
    sixel_back: None,
    iterm2: false,
    multipart: false,
    pictures_under: false,
};

/// kitty 0.41.1.
pub const KITTY: Brand = Brand {
    name: "kitty",
    env: &[("TERM", "xterm-kitty")],
    attributes: "62;",
    version: Some("kitty(0.41.1)"),
    sizes: true,
    sync: Some(2),
    keyboard: true,
    kitty: true,
    placeholders: true,
    ..NOTHING
};
/// xterm 398 as a VT340.
pub const XTERM: Brand = Brand {
    name: "xterm",
    env: &[("TERM", "xterm")],
    attributes: "63;1;2;4;6;9;15;16;22;28",
    version: Some("XTerm(398)"),
    sixel_size: SixelSize::Area,
    sync: Some(0),
    sixel: true,
    ..NOTHING
};
/// foot 1.21.0.
pub const FOOT: Brand = Brand {
    name: "foot",
    env: &[("TERM", "foot")],
    attributes: "62;4;22;28",
    version: Some("foot(1.21.0)"),
    sizes: true,
    sixel_size: SixelSize::Area,
    sync: Some(2),
    keyboard: true,
    colours: Some((GREY, [0x24; 3])),
    sixel: true,
    sixel_back: Some(BLACK),
    ..NOTHING
};
/// Konsole 25.04.2.
pub const KONSOLE: Brand = Brand {
    name: "konsole",
    attributes: "62;1;4",
    version: Some("Konsole 25.04.2"),
    sizes: true,
    sixel_size: SixelSize::Fixed(16_384),
    kitty: true,
    sixel: true,
    iterm2: true,
    pictures_under: true,
    ..NOTHING
};
/// iTerm2 3.5.
pub const ITERM2: Brand = Brand {
    name: "iterm2",
    env: &[("TERM", "xterm-256color"), ("LC_TERMINAL", "iTerm2"), ("LC_TERMINAL_VERSION", "3.5.14")],
    attributes: "64;1;2;4;6;17;18;21;22;52",
    version: Some("iTerm2 3.5.14"),
    sizes: true,
    sixel_size: SixelSize::Area,
    sync: Some(2),
    keyboard: true,
    sixel: true,
    iterm2: true,
    multipart: true,
    ..NOTHING
};
/// WezTerm.
pub const WEZTERM: Brand = Brand {
    name: "wezterm",
    attributes: "65;4;6;18;22;52",
    version: Some("WezTerm 20240203-110809-5046fc22"),
    sizes: true,
    sync: Some(2),
    kitty: true,
    sixel: true,
    iterm2: true,
    ..NOTHING
};
/// xterm as it is by default: no pictures.
pub const PLAIN: Brand = Brand { name: "plain", version: Some("XTerm(398)"), sync: Some(0), ..NOTHING };
/// Answers nothing, as over a broken line.
pub const MUTE: Brand = Brand { name: "mute", answers: false, colours: None, ..NOTHING };

/// All of them.
pub const ALL: [&Brand; 8] = [&KITTY, &XTERM, &FOOT, &KONSOLE, &ITERM2, &WEZTERM, &PLAIN, &MUTE];

/// What tmux 3.5a says of itself.
pub const TMUX: Brand = Brand {
    name: "tmux",
    env: &[("TERM", "tmux-256color"), ("TERM_PROGRAM", "tmux"), ("TERM_PROGRAM_VERSION", "3.5a")],
    attributes: "1;2;4",
    version: Some("tmux 3.5a"),
    sizes: true,
    sixel_size: SixelSize::Malformed,
    colours: None,
    sixel: true,
    ..NOTHING
};
