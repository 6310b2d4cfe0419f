//! Rows, templates, a matrix and repeats, multiplied: counted and priced at once, made one by one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bill::{Bill, cost};
use super::file::{BadRow, RowFault};
use super::matrix::{BadMatrix, Matrix};
use crate::domain::catalogue::Catalogue;
use crate::domain::request::{Draft, Request};
use crate::domain::template::{Lists, Template};
use crate::domain::validate::find_model;
use crate::time::Chance;

/// What was typed, or stands in one row of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The number of its line, from 1.
    pub line: usize,
    /// Its model, prompt and fields; nothing is expanded.
    pub draft: Draft,
}

/// Whether prompts are templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expand {
    /// Every prompt stands for itself.
    Off,
    /// All prompts of each template.
    All,
    /// So many by chance of each template.
    Random {
        /// How many.
        each: u32,
        /// Decides all of them.
        seed: u64,
    },
}

/// A prompt, or a template for several.
#[derive(Clone, Debug)]
pub enum Words {
    /// It stands for itself.
    Plain(String),
    /// It is expanded.
    Template(Box<Template>),
}

#[derive(Clone, Debug)]
struct Entry {
    line: usize,
    /// Without the prompt.
    draft: Draft,
    words: Words,
    matrix: Arc<Matrix>,
}

/// What is to be sent, before it is expanded.
#[derive(Clone, Debug)]
pub struct Plan {
    entries: Vec<Entry>,
    expand: Expand,
    repeat: u32,
}

/// One task to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The line of its row.
    pub line: usize,
    /// The prompt as typed.
    pub template: String,
    /// What to send, not validated.
    pub draft: Draft,
}

impl Plan {
    /// Puts a plan together; rows whose template cannot be used are told apart.
    ///
    /// # Errors
    /// When the matrix cannot be used with some row.
    pub fn new(
        rows: Vec<Row>,
        expand: Expand,
        lists: &Lists,
        matrix: &[String],
        repeat: u32,
        catalogue: &Catalogue,
    ) -> Result<(Self, Vec<BadRow>), BadMatrix> {
        let mut matrices: BTreeMap<String, Arc<Matrix>> = BTreeMap::new();
        let (mut entries, mut bad) = (Vec::with_capacity(rows.len()), Vec::new());
        for Row { line, mut draft } in rows {
            let prompt = std::mem::take(&mut draft.prompt);
            let words = match expand {
                Expand::Off => Words::Plain(prompt),
                Expand::All | Expand::Random { .. } => match Template::parse(&prompt, lists) {
                    Ok(template) if is_comment(&template) => continue,
                    Ok(template) => Words::Template(Box::new(template)),
                    Err(error) => {
                        bad.push(BadRow { line, fault: RowFault::Template(error.to_string()) });
                        continue;
                    }
                },
            };
            let matrix = match matrices.get(&draft.model) {
                Some(matrix) => Arc::clone(matrix),
                None => {
                    let spec = match find_model(&draft.model, catalogue) {
                        Ok(spec) => spec,
                        Err(fault) => {
                            bad.push(BadRow { line, fault: RowFault::Invalid(fault) });
                            continue;
                        }
                    };
                    let made = Arc::new(Matrix::parse(matrix, spec)?);
                    matrices.insert(draft.model.clone(), Arc::clone(&made));
                    made
                }
            };
            if let Some(field) = matrix.fields().find(|field| draft.fields.contains_key(*field)) {
                return Err(BadMatrix::Twice(field.to_owned()));
            }
            entries.push(Entry { line, draft, words, matrix });
        }
        Ok((Self { entries, expand, repeat }, bad))
    }

    /// How many tasks it comes to, without expanding anything; saturating.
    #[must_use]
    pub fn count(&self) -> u128 {
        let of = |entry: &Entry| self.prompts(entry).saturating_mul(entry.matrix.count());
        let sum = self.entries.iter().fold(0u128, |sum, entry| sum.saturating_add(of(entry)));
        sum.saturating_mul(u128::from(self.repeat))
    }

    /// Number and price, without expanding any prompt. It takes as long as there are rows times combinations.
    #[must_use]
    pub fn bill(&self, catalogue: &Catalogue) -> Bill {
        let mut bill = Bill::default();
        for entry in &self.entries {
            let tasks = self.prompts(entry).saturating_mul(u128::from(self.repeat));
            for combination in 0..entry.matrix.count() {
                let mut input = entry.draft.fields.clone();
                input.extend(entry.matrix.at(combination).map(|(name, value)| (name.to_owned(), value.clone())));
                let request = Request::new(&entry.draft.model, None, input, String::new(), String::new(), None);
                bill.add(tasks, cost(&request, catalogue).as_ref());
            }
        }
        bill
    }

    /// Every task, in order: row by row, prompt by prompt, combination by combination, repeats last. The caller has
    /// looked at [`Self::count`].
    pub fn items(&self) -> impl Iterator<Item = Item> {
        (0u64..).zip(&self.entries).flat_map(move |(number, entry)| {
            self.expanded(number, entry).flat_map(move |(template, prompt)| {
                (0..entry.matrix.count()).flat_map(move |combination| {
                    let mut draft = Draft { prompt: prompt.clone(), ..entry.draft.clone() };
                    draft.fields.extend(entry.matrix.at(combination).map(|(name, value)| (name.into(), value.clone())));
                    let item = Item { line: entry.line, template: template.to_owned(), draft };
                    (0..self.repeat).map(move |_| item.clone())
                })
            })
        })
    }

    fn prompts(&self, entry: &Entry) -> u128 {
        match (&entry.words, self.expand) {
            (Words::Template(_), Expand::Random { each, .. }) => u128::from(each),
            (Words::Template(template), _) => template.count(),
            (Words::Plain(_), _) => 1,
        }
    }

    fn expanded<'a>(&'a self, number: u64, entry: &'a Entry) -> Box<dyn Iterator<Item = (&'a str, String)> + 'a> {
        match (&entry.words, self.expand) {
            (Words::Plain(prompt), _) => Box::new(std::iter::once((prompt.as_str(), prompt.clone()))),
            (Words::Template(template), Expand::Random { each, seed }) => {
                // Each row has chances of its own, so that one more draw of a row changes no other.
                let own = seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32));
                let mut chance = Chance::new(u128::from(own) << 64);
                Box::new((0..each).map(move |_| (template.text(), template.draw(&mut chance))))
            }
            (Words::Template(template), _) => Box::new(template.all().map(|prompt| (template.text(), prompt))),
        }
    }
}

/// A row with nothing but a comment is no prompt.
fn is_comment(template: &Template) -> bool {
    template.text().trim_start().starts_with('#') && template.at(0).is_some_and(|text| text.trim().is_empty())
}
