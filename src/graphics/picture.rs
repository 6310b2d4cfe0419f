//! What an encoded picture is, and how it is named.

use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use super::budget::Purpose;
use super::png;

/// How a terminal is given pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Kitty graphics with unicode placeholders.
    Kitty,
    /// Kitty graphics placed under the text: a few bytes to show one again. Not through tmux.
    KittyDirect,
    /// Sixel, as strips of cell rows.
    Sixel,
    /// iTerm2 inline images.
    Iterm2,
    /// Half blocks, two pixels a cell, in any terminal with colours.
    Blocks,
    /// No pictures.
    Off,
}

impl Protocol {
    /// The word used in settings and on the screen.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kitty | Self::KittyDirect => "kitty",
            Self::Sixel => "sixel",
            Self::Iterm2 => "iterm2",
            Self::Blocks => "blocks",
            Self::Off => "off",
        }
    }
}

/// How many bytes a picture may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Quality {
    /// A local terminal: all colours.
    #[default]
    Full,
    /// A slow line: a palette, a stronger compression, the same number of pixels.
    Lean,
}

/// The size of one character cell in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CellSize {
    /// Pixels across, at least 1.
    pub width: u16,
    /// Pixels down, at least 1.
    pub height: u16,
}

impl CellSize {
    /// What is assumed of a terminal that tells nothing.
    pub const GUESS: Self = Self { width: 10, height: 20 };

    /// A cell size if both sides are believable (1 to 255 pixels).
    pub fn new(width: u16, height: u16) -> Option<Self> {
        let believable = 1..=255;
        (believable.contains(&width) && believable.contains(&height)).then_some(Self { width, height })
    }
}

/// The name of an encoded picture: which asset, in how many cells.
///
/// Protocol, quality and cell size are not part of it: when one of them changes, the whole
/// [`Gallery`](super::Gallery) is stale and is cleared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PictureKey {
    /// Identifies the pixels, for instance a content hash.
    pub asset: String,
    /// The cells it was asked to fit into (not the cells it fills).
    pub cells: Size,
}

/// A picture ready for one terminal.
#[derive(Debug)]
pub struct Picture {
    /// What was asked for.
    pub key: PictureKey,
    /// The name of these very bytes towards the terminal: 24 bits, never 0.
    pub id: u32,
    /// What it was made for.
    pub purpose: Purpose,
    /// The cells it fills.
    pub cells: Size,
    /// The bytes.
    pub body: Body,
}

/// The encoded form.
#[derive(Debug)]
pub enum Body {
    /// A PNG file, to be sent once and shown by placeholders.
    Kitty(Vec<u8>),
    /// The same, to be shown by placing it under blank cells.
    KittyDirect(Vec<u8>),
    /// Complete sixel sequences, from top to bottom; together they fill the picture's cells.
    Sixel(Vec<Strip>),
    /// One complete iTerm2 sequence, to be written at the top left cell.
    Iterm2(Vec<u8>),
    /// The cells themselves.
    Blocks(Buffer),
}

/// Some rows of a sixel picture, drawable without the others.
#[derive(Debug)]
pub struct Strip {
    /// First row, counted from the picture's top.
    pub row: u16,
    /// Number of rows.
    pub rows: u16,
    /// A whole device control string.
    pub data: Vec<u8>,
}

impl Picture {
    pub(super) fn new(key: PictureKey, purpose: Purpose, cells: Size, body: Body) -> Self {
        let id = name(&key, purpose, cells, &body);
        Self { key, id, purpose, cells, body }
    }

    /// The protocol it was encoded for.
    pub fn protocol(&self) -> Protocol {
        match self.body {
            Body::Kitty(_) => Protocol::Kitty,
            Body::KittyDirect(_) => Protocol::KittyDirect,
            Body::Sixel(_) => Protocol::Sixel,
            Body::Iterm2(_) => Protocol::Iterm2,
            Body::Blocks(_) => Protocol::Blocks,
        }
    }

    /// Bytes it takes on the line, without the cells that show it and what tmux adds. Nothing for half blocks, which
    /// are text.
    pub fn wire(&self) -> usize {
        match &self.body {
            Body::Kitty(data) | Body::KittyDirect(data) => png::wire(data.len()),
            Body::Iterm2(data) => data.len(),
            Body::Sixel(strips) => strips.iter().map(|strip| strip.data.len()).sum(),
            Body::Blocks(_) => 0,
        }
    }

    /// Memory held, in bytes.
    pub fn bytes(&self) -> usize {
        let body = match &self.body {
            Body::Kitty(data) | Body::KittyDirect(data) | Body::Iterm2(data) => data.capacity(),
            Body::Sixel(strips) => strips.iter().map(|strip| strip.data.capacity() + 32).sum(),
            Body::Blocks(buffer) => buffer.content.len() * std::mem::size_of::<ratatui::buffer::Cell>(),
        };
        body + std::mem::size_of::<Self>() + self.key.asset.capacity()
    }
}

/// FNV-1a over what distinguishes two pictures, folded to 24 bits. A collision only costs a second
/// transfer, for whoever sends also compares the pictures themselves.
fn name(key: &PictureKey, purpose: Purpose, cells: Size, body: &Body) -> u32 {
    // Looks of the same cells at other parts of a picture differ in nothing but their bytes; a few of them tell.
    let (length, some) = match body {
        Body::Kitty(data) | Body::KittyDirect(data) | Body::Iterm2(data) => (data.len(), sum(data)),
        Body::Sixel(strips) => (strips.len(), strips.iter().fold(0, |all, strip| all ^ sum(&strip.data))),
        Body::Blocks(buffer) => (buffer.content.len(), 0),
    };
    let numbers = [
        u64::from(key.cells.width),
        u64::from(key.cells.height),
        u64::from(cells.width),
        u64::from(cells.height),
        u64::from(purpose == Purpose::FirstLook),
        length as u64,
        some,
    ];
    let hash = fnv(key.asset.bytes().chain(numbers.iter().flat_map(|n| n.to_le_bytes())));
    let folded = (hash ^ (hash >> 24) ^ (hash >> 48)) & 0xff_ffff;
    // Ids below 2^16 have a zero byte in front, which as a colour is fine, but 0 means "no id".
    folded.max(1) as u32
}

/// Over at most a few hundred bytes, from all of the data.
fn sum(data: &[u8]) -> u64 {
    fnv(data.iter().copied().step_by(data.len() / 256 + 1))
}

fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
