//! What the machine remembers of writing besides the text: what was just sent, what the user's own editor has.

use crate::domain::LocalId;
use crate::keys::Action;
use crate::time::Mono;

/// Something was sent by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JustSent {
    /// By this.
    pub action: Action,
    /// When, or when it was last tried again.
    pub at: Mono,
    /// The task that was chosen before, and the one that is since.
    pub tasks: [Option<LocalId>; 2],
    /// The state of the editor's content after it.
    pub revision: u64,
}

/// The text that the user's own editor was called for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Composing {
    /// The prompt.
    Prompt,
    /// The line of a field.
    Field(String),
}
