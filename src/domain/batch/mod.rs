//! From one prompt to many tasks: rows of a file, templates, a matrix of field values, repeats. What it comes to in
//! number and price is known before anything is expanded.

mod bill;
mod csv;
mod file;
mod many;
mod matrix;
mod plan;
mod row;
mod tally;

pub use bill::{Bill, Cost, cost};
pub use file::{BadRow, Form, RowFault, read};
pub use many::{Many, Mode};
pub use matrix::{BadMatrix, Matrix};
pub use plan::{Expand, Item, Plan, Row, Walk, Words};
pub use row::Rows;
pub use tally::{Member, Price, Sum, Tally};

use serde::{Deserialize, Serialize};

/// Most tasks of one plan.
pub const MOST: u128 = 10_000;

/// How a task belongs to what was sent together. A batch sends each of its rows once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The name of the batch.
    pub batch: String,
    /// What the row says, as a digest: the same content in the same batch is the same row.
    pub row: String,
    /// The seed its prompt was drawn with, if it was.
    pub seed: Option<u64>,
}

/// Stands between what a row says and which attempt at it this is. No digest has it.
const ATTEMPT: char = '~';

impl Mark {
    /// The same row once more, after it failed. Whoever tries again does so under this one name, so two programs that
    /// do it at the same time pay for it once.
    #[must_use]
    pub fn again(&self) -> Self {
        if self.row.is_empty() {
            return self.clone();
        }
        let (row, attempt) = self.attempt().unwrap_or((&self.row, 1));
        Self { row: format!("{row}{ATTEMPT}{}", attempt.saturating_add(1)), ..self.clone() }
    }

    fn attempt(&self) -> Option<(&str, u32)> {
        let (row, attempt) = self.row.rsplit_once(ATTEMPT)?;
        Some((row, attempt.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_attempt_at_a_row_has_a_name_of_its_own() {
        let first = Mark { batch: "b".into(), row: "0a1b".into(), seed: Some(7) };
        let second = first.again();
        assert_eq!((second.row.as_str(), second.again().row.as_str()), ("0a1b~2", "0a1b~3"));
        assert_eq!(second.seed, Some(7));
        let bare = Mark { row: String::new(), ..first };
        assert_eq!(bare.again(), bare, "it has no rows");
    }
}
