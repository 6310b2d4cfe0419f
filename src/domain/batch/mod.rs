//! From one prompt to many tasks: rows of a file, templates, a matrix of field values, repeats. What it comes to in
//! number and price is known before anything is expanded.

mod bill;
mod csv;
mod file;
mod many;
mod matrix;
mod plan;
mod row;

pub use bill::{Bill, cost};
pub use file::{BadRow, Form, RowFault, read};
pub use many::{Many, Mode};
pub use matrix::{BadMatrix, Matrix};
pub use plan::{Expand, Item, Plan, Row, Walk, Words};
pub use row::Rows;

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
