//! What can be wrong with a template, and where.

use std::fmt;

use super::{DEEPEST, LONGEST};

/// A place in a text, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// In bytes.
    pub byte: usize,
    /// In Unicode scalar values.
    pub char: usize,
}

impl Place {
    /// The place of a byte; one inside of a character counts as that character's.
    #[must_use]
    pub fn of(text: &str, byte: usize) -> Self {
        let byte = text.floor_char_boundary(byte);
        Self { byte, char: text.get(..byte).map_or(0, |before| before.chars().count()) }
    }
}

/// A template that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct TemplateError {
    /// Where in the template, or in the line of the list.
    pub at: Place,
    /// The list it is in, and the number of the line, from 1; 0 is the list as a whole.
    pub list: Option<(String, usize)>,
    /// What is wrong there.
    pub fault: Fault,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A brace is never closed.
    #[error("this {{ is never closed; \\{{ is a brace as it is")]
    Unclosed,
    /// A brace is closed that was never opened.
    #[error("this }} closes nothing; \\}} is a brace as it is")]
    Unopened,
    /// Braces around nothing.
    #[error("there is nothing between these braces")]
    Nothing,
    /// Nested too deep.
    #[error("nested deeper than {DEEPEST}")]
    TooDeep,
    /// More are wanted than there are.
    #[error("{wanted} are wanted of {there}")]
    TooFew {
        /// Wanted at most.
        wanted: usize,
        /// Options.
        there: usize,
    },
    /// `3-2$$`.
    #[error("{0} to {1} is no range")]
    Range(usize, usize),
    /// Too many options of which several are taken.
    #[error("too many options to take several of")]
    TooWide,
    /// Chance could not choose.
    #[error("too few options have a weight above 0")]
    Weightless,
    /// No such list.
    #[error("there is no list {0:?}")]
    NoList(String),
    /// A list leads back to itself.
    #[error("the list {0:?} leads back to itself")]
    Circle(String),
    /// A list without a line.
    #[error("the list {0:?} is empty")]
    EmptyList(String),
    /// The template, or what it may become.
    #[error("longer than {LONGEST} bytes")]
    TooLong,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.char + 1;
        match &self.list {
            None => write!(f, "character {at}: {}", self.fault),
            Some((list, 0)) => write!(f, "list {list:?}: {}", self.fault),
            Some((list, line)) => write!(f, "list {list:?}, line {line}, character {at}: {}", self.fault),
        }
    }
}
