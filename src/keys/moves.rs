//! The ways a cursor goes through a text that is being written.

/// A way for the cursor to go, or to remove along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Move {
    /// A character back.
    Left,
    /// A character on.
    Right,
    /// To the beginning of the word, or of the one before.
    WordLeft,
    /// To the end of the word, or of the next one.
    WordRight,
    /// A row up.
    Up,
    /// A row down.
    Down,
    /// To the beginning of the row; from there, of the line.
    Home,
    /// To the end of the row; from there, of the line.
    End,
    /// To the end of the line.
    LineEnd,
    /// As many rows up as are in sight.
    PageUp,
    /// As many rows down.
    PageDown,
    /// To the beginning of the text.
    Start,
    /// To the end of the text.
    Finish,
}
