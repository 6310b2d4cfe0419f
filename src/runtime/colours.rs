//! The colours for this terminal, and the hours that its user lives by.

use crate::terminal::{Caps, Depth};
use crate::ui::{ColourDepth, Theme};

/// The colours for this terminal. Before it has told its background, its own sixteen are used.
pub(super) fn theme(caps: &Caps) -> Theme {
    let depth = match caps.depth() {
        Depth::True => ColourDepth::True,
        Depth::Ansi256 => ColourDepth::Ansi256,
        Depth::Ansi16 => ColourDepth::Ansi16,
        Depth::None => ColourDepth::None,
    };
    let offset = jiff::tz::TimeZone::system().to_offset(jiff::Timestamp::now()).seconds();
    Theme { utc_offset: offset, ..Theme::new(depth, caps.light()) }
}
