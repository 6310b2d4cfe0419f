//! Prompt templates: one text that stands for many prompts, in the common subset of dynamic prompts.
//!
//! `{a|b}` one of them, `{0.7::a|b}` with weights for chance, `{2$$ and $$a|b|c}` two of them joined, `{1-2$$a|b}` one
//! or two, `__name__` a line of a list, `# …` a comment, `\` before any of `{ } | # _ $ : \` takes it as it is.
//! A text without any of this stands for itself. Nothing is a template unless the user says so: see `docs/prompts.md`.

mod error;
mod expand;
mod link;
mod lists;
mod parse;

pub use error::{Fault, Place, TemplateError};
pub use expand::Expansions;
pub use link::Template;
pub use lists::{ListLine, Lists, lines, names};

/// The text would be something else as a template: it has a choice of several, or names a list. A pair of braces
/// alone, as JSON has it, does not count.
#[must_use]
pub fn is_suspect(text: &str) -> bool {
    fn telling(pieces: &[parse::Piece]) -> bool {
        pieces.iter().any(|piece| match piece {
            parse::Piece::Text(_) => false,
            parse::Piece::List { .. } => true,
            parse::Piece::Choice(one) => {
                one.options.len() > 1 || one.options.iter().any(|option| telling(&option.pieces))
            }
        })
    }
    // Most texts have nothing of it, and this is asked at every key press.
    let may_be = text.contains("__") || (text.contains('{') && text.contains('|'));
    may_be && parse::template(text).is_ok_and(|pieces| telling(&pieces))
}

/// Deepest nesting of braces, and of lists that name lists.
pub const DEEPEST: usize = 32;
/// Longest template, and longest expansion, in bytes.
pub const LONGEST: usize = 1 << 20;
/// A count at this value is "more than can be counted".
pub const BEYOND: u128 = u128::MAX;
