//! The lists that a template names, as they came from the folder: which are wanted, which are there, what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::template::{ListLine, Lists, TemplateError};

/// What reading lists brought: each its lines, or why it cannot be read. Lists that are named by lists are among them.
pub type Found = BTreeMap<String, Result<Vec<ListLine>, String>>;

/// The lists at hand.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    /// What the template names.
    wanted: BTreeSet<String>,
    /// They have come, perhaps not in their latest state.
    there: bool,
    /// To be asked for, whether they are there or not.
    stale: bool,
    lists: Lists,
    /// What cannot be read, and why.
    bad: BTreeMap<String, String>,
    /// One of them is no list of templates.
    broken: Option<TemplateError>,
}

impl Shelf {
    /// The template names these now. Others than before have to be read.
    pub(super) fn want(&mut self, names: BTreeSet<String>) {
        if self.wanted != names {
            *self = Self { stale: !names.is_empty(), wanted: names, ..Self::default() };
        }
    }

    /// The files may have changed: they are read again.
    pub(super) fn refresh(&mut self) {
        self.stale = !self.wanted.is_empty();
    }

    /// What is to be read now; says so once.
    pub(super) fn ask(&mut self) -> Option<BTreeSet<String>> {
        std::mem::take(&mut self.stale).then(|| self.wanted.clone())
    }

    /// Lists came. What was asked for names that are not wanted any more is old.
    pub(super) fn take(&mut self, names: &BTreeSet<String>, found: Found) -> bool {
        if *names != self.wanted {
            return false;
        }
        self.there = true;
        self.bad.clear();
        let mut raw = BTreeMap::new();
        for (name, one) in found {
            match one {
                Ok(lines) => drop(raw.insert(name, lines)),
                Err(why) => drop(self.bad.insert(name, why)),
            }
        }
        (self.lists, self.broken) = match Lists::link(&raw) {
            Ok(lists) => (lists, None),
            Err(why) => (Lists::default(), Some(why)),
        };
        true
    }

    /// Something that is wanted has not come.
    pub(super) fn waits(&self) -> bool {
        !self.there && !self.wanted.is_empty()
    }

    /// The lists that can be used.
    pub(super) fn lists(&self) -> &Lists {
        &self.lists
    }

    /// Why a list cannot be read.
    pub(super) fn why(&self, name: &str) -> Option<&str> {
        self.bad.get(name).map(String::as_str)
    }

    /// What is wrong with the lists themselves.
    pub(super) fn broken(&self) -> Option<&TemplateError> {
        self.broken.as_ref()
    }
}
