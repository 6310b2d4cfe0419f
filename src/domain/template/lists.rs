//! Lists that templates name as `__name__`: given as text, read once, looked up by many templates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::error::{Fault, Place, TemplateError};
use super::link::{Linked, Seq, choice};
use super::parse::{self, Branch, Piece};
use super::{DEEPEST, link};

/// Longest name of a list.
pub(super) const LONGEST_NAME: usize = 100;

/// A line of a list that counts, with its number in the file, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListLine {
    /// From 1.
    pub number: usize,
    /// A template; it may begin with a weight.
    pub text: String,
}

/// Every list that some templates need, ready to be used.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    ready: BTreeMap<String, Arc<Linked>>,
}

/// The lines of a list's text: neither blank nor a comment.
#[must_use]
pub fn lines(text: &str) -> Vec<ListLine> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let numbered = (1..).zip(text.lines()).map(|(number, line)| ListLine { number, text: line.trim().to_owned() });
    numbered.filter(|line| !line.text.is_empty() && !line.text.starts_with('#')).collect()
}

/// The lists that a template, or a line of a list, names itself.
///
/// # Errors
/// When it is no template.
pub fn names(text: &str) -> Result<BTreeSet<String>, TemplateError> {
    let mut found = BTreeSet::new();
    collect(&parse::line(text)?.pieces, &mut found);
    Ok(found)
}

fn collect(pieces: &[Piece], found: &mut BTreeSet<String>) {
    for piece in pieces {
        match piece {
            Piece::Text(_) => {}
            Piece::List { name, .. } => {
                found.insert(name.clone());
            }
            Piece::Choice(choice) => choice.options.iter().for_each(|option| collect(&option.pieces, found)),
        }
    }
}

/// Letters, digits, `-` and single `_`, in folders if there is a `/`: nothing that leads out of a folder.
pub(super) fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        part.starts_with(char::is_alphanumeric) && part.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
    };
    name.len() <= LONGEST_NAME && !name.contains("__") && name.split('/').all(part)
}

impl Lists {
    /// Reads lists. What they name must be among them.
    ///
    /// # Errors
    /// A line that is no template, a list that is missing, empty, or leads back to itself.
    pub fn link(raw: &BTreeMap<String, Vec<ListLine>>) -> Result<Self, TemplateError> {
        let mut lists = Self::default();
        let mut open = Vec::new();
        for name in raw.keys() {
            lists.add(name, raw, &mut open)?;
        }
        Ok(lists)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Arc<Linked>> {
        self.ready.get(name)
    }

    fn add(
        &mut self,
        name: &str,
        raw: &BTreeMap<String, Vec<ListLine>>,
        open: &mut Vec<String>,
    ) -> Result<(), TemplateError> {
        let whole = |fault: Fault| TemplateError { at: Place::default(), list: Some((name.to_owned(), 0)), fault };
        if self.ready.contains_key(name) {
            return Ok(());
        }
        if open.iter().any(|other| other == name) {
            return Err(whole(Fault::Circle(name.to_owned())));
        }
        if open.len() >= DEEPEST {
            return Err(whole(Fault::TooDeep));
        }
        // Named, and not there: whoever names it says so, with the place.
        let Some(lines) = raw.get(name) else { return Ok(()) };
        if lines.is_empty() {
            return Err(whole(Fault::EmptyList(name.to_owned())));
        }
        open.push(name.to_owned());
        let mut options = Vec::with_capacity(lines.len());
        for line in lines {
            let here = |error: TemplateError| match error.list {
                Some(_) => error,
                None => {
                    let at = Place::of(&line.text, error.at.byte);
                    TemplateError { at, list: Some((name.to_owned(), line.number)), ..error }
                }
            };
            let branch: Branch = parse::line(&line.text).map_err(here)?;
            let mut named = BTreeSet::new();
            collect(&branch.pieces, &mut named);
            for other in &named {
                self.add(other, raw, open)?;
            }
            let seq: Seq = link::seq(&branch.pieces, self).map_err(here)?;
            options.push((branch.weight, Arc::new(seq)));
        }
        open.pop();
        let ready = choice(1, 1, String::new(), options).map_err(whole)?;
        self.ready.insert(name.to_owned(), Arc::new(ready));
        Ok(())
    }
}
