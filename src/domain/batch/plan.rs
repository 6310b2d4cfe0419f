//! Rows, templates, a matrix and repeats, multiplied: counted and priced at once, made one by one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::bill::{Bill, cost};
use super::file::{BadRow, RowFault};
use super::many::Many;
use super::matrix::{BadMatrix, Matrix};
use crate::domain::catalogue::Catalogue;
use crate::domain::request::{Draft, Request};
use crate::domain::template::{Lists, Template, TemplateError};
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

/// How far a plan was walked along. It belongs to the plan it was used with, and can rest between two tasks.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    entry: usize,
    prompt: u128,
    combination: u128,
    repeat: u32,
    /// The prompt of this number.
    words: Option<String>,
    /// Of this entry, where chance makes the prompts.
    chance: Option<Chance>,
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

    /// The plan of a single draft, with what the draft itself says of templates, values and repeats.
    ///
    /// # Errors
    /// When its prompt is a template that cannot be used.
    pub fn one(draft: Draft, lists: &Lists) -> Result<Self, TemplateError> {
        let Draft { many, mut prompt, .. } = draft;
        let expand = many.expand();
        let words = match expand {
            Expand::Off => Words::Plain(std::mem::take(&mut prompt)),
            Expand::All | Expand::Random { .. } => Words::Template(Box::new(Template::parse(&prompt, lists)?)),
        };
        let matrix = Arc::new(Matrix::of(&many.values));
        let mut draft = Draft { prompt: String::new(), many: Many::default(), ..draft };
        draft.fields.retain(|field, _| matrix.fields().all(|varied| varied != field));
        Ok(Self { entries: vec![Entry { line: 1, draft, words, matrix }], expand, repeat: many.repeat })
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
            entry.price(tasks, catalogue, &mut bill);
        }
        bill
    }

    /// The next task. All of them come in order: row by row, prompt by prompt, combination by combination, repeats
    /// last.
    pub fn next(&self, walk: &mut Walk) -> Option<Item> {
        loop {
            let entry = self.entries.get(walk.entry)?;
            let combinations = entry.matrix.count();
            if walk.prompt >= self.prompts(entry) || combinations == 0 || self.repeat == 0 {
                *walk = Walk { entry: walk.entry + 1, ..Walk::default() };
                continue;
            }
            let prompt = match &walk.words {
                Some(prompt) => prompt.clone(),
                None => walk.words.insert(self.words(entry, walk.entry, walk.prompt, &mut walk.chance)).clone(),
            };
            let mut draft = Draft { prompt, ..entry.draft.clone() };
            let varied = entry.matrix.at(walk.combination);
            draft.fields.extend(varied.map(|(name, value)| (name.to_owned(), value.clone())));
            let template = match &entry.words {
                Words::Plain(prompt) => prompt.clone(),
                Words::Template(template) => template.text().to_owned(),
            };
            walk.repeat += 1;
            if walk.repeat >= self.repeat {
                walk.repeat = 0;
                walk.combination += 1;
            }
            if walk.combination >= combinations {
                walk.combination = 0;
                walk.prompt += 1;
                walk.words = None;
            }
            return Some(Item { line: entry.line, template, draft });
        }
    }

    /// Every task, in order. The caller has looked at [`Self::count`].
    pub fn items(&self) -> impl Iterator<Item = Item> {
        let mut walk = Walk::default();
        std::iter::from_fn(move || self.next(&mut walk))
    }

    /// The names of the fields that vary, of all rows.
    pub fn varied(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().flat_map(|entry| entry.matrix.fields())
    }

    fn prompts(&self, entry: &Entry) -> u128 {
        match (&entry.words, self.expand) {
            (Words::Template(_), Expand::Random { each, .. }) => u128::from(each),
            (Words::Template(template), _) => template.count(),
            (Words::Plain(_), _) => 1,
        }
    }

    /// The prompt of this number. By chance they come one after the other.
    fn words(&self, entry: &Entry, number: usize, prompt: u128, chance: &mut Option<Chance>) -> String {
        match (&entry.words, self.expand) {
            (Words::Plain(prompt), _) => prompt.clone(),
            (Words::Template(template), Expand::Random { seed, .. }) => {
                // Each row has chances of its own, so that one more draw of a row changes no other.
                let row = u64::try_from(number).unwrap_or(u64::MAX);
                let own = seed.wrapping_add(row.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32));
                template.draw(chance.get_or_insert_with(|| Chance::new(u128::from(own) << 64)))
            }
            (Words::Template(template), _) => template.at(prompt).unwrap_or_default(),
        }
    }
}

impl Entry {
    /// Adds so many tasks of each combination.
    fn price(&self, tasks: u128, catalogue: &Catalogue, bill: &mut Bill) {
        for combination in 0..self.matrix.count() {
            let mut input = self.draft.fields.clone();
            input.extend(self.matrix.at(combination).map(|(name, value)| (name.to_owned(), value.clone())));
            let request = Request::new(&self.draft.model, None, input, String::new(), String::new(), None);
            bill.add(tasks, cost(&request, catalogue).as_ref());
        }
    }
}

/// A row with nothing but a comment is no prompt.
fn is_comment(template: &Template) -> bool {
    template.text().trim_start().starts_with('#') && template.at(0).is_some_and(|text| text.trim().is_empty())
}
