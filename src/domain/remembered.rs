//! Text that was written before: what was sent, and pieces with a name.

use crate::time::Wall;

/// A text that was written before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// The name of a snippet; what was sent has none.
    pub name: Option<String>,
    /// The text.
    pub text: String,
    /// When it was last sent, or kept.
    pub at: Wall,
    /// It was made from a template that is remembered, too.
    pub made: bool,
}
