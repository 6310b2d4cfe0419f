//! What the loop knows of the line to the terminal.

use crate::app::LineFacts;
use crate::terminal::{Caps, Output};

/// Bytes that half a second carries of a line that was not measured and leads somewhere else.
const CAREFUL: u64 = 64_000;

/// How good the line is, as far as that is known.
pub(super) fn facts(_output: &Output, caps: &Caps, text_only: bool) -> LineFacts {
    LineFacts { half_second: caps.over_ssh().then_some(CAREFUL), text_only, ..LineFacts::default() }
}
