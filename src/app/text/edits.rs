//! What was done to a text, to take it back and to do it again. What belongs together is one edit.

use std::collections::VecDeque;

/// Most edits that can be taken back.
const MOST: usize = 1000;
/// Most bytes of text that they may hold together; the last one is always kept.
const MOST_BYTES: usize = 16 << 20;

/// Some text was replaced by another.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub at: usize,
    pub removed: String,
    pub added: String,
    /// Where the cursor was, and the other end of what was selected.
    pub cursor: usize,
    pub anchor: Option<usize>,
}

impl Edit {
    fn bytes(&self) -> usize {
        self.removed.len() + self.added.len()
    }
}

/// How it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A character was typed.
    Typed,
    /// A character before the cursor was removed.
    Back,
    /// A character behind the cursor was removed.
    Ahead,
    /// Anything else: it stands for itself.
    Other,
}

/// Edits done, and edits taken back.
#[derive(Clone, Debug, Default)]
pub(super) struct Edits {
    done: VecDeque<Edit>,
    undone: Vec<Edit>,
    bytes: usize,
    /// How the last one may be gone on with.
    open: Option<Kind>,
}

impl Edits {
    /// The next edit does not join the last one.
    pub(super) fn seal(&mut self) {
        self.open = None;
    }

    pub(super) fn add(&mut self, edit: Edit, kind: Kind) {
        self.bytes -= self.undone.drain(..).map(|edit| edit.bytes()).sum::<usize>();
        self.bytes += edit.bytes();
        let open = self.open.replace(kind);
        match self.done.back_mut() {
            Some(last) if open == Some(kind) && joins(last, &edit, kind) => match kind {
                Kind::Typed => last.added.push_str(&edit.added),
                Kind::Ahead => last.removed.push_str(&edit.removed),
                Kind::Back | Kind::Other => {
                    last.at = edit.at;
                    last.removed.insert_str(0, &edit.removed);
                }
            },
            _ => self.done.push_back(edit),
        }
        while self.done.len() > MOST || (self.bytes > MOST_BYTES && self.done.len() > 1) {
            self.bytes -= self.done.pop_front().map_or(0, |edit| edit.bytes());
        }
    }

    /// The edit to take back now.
    pub(super) fn undo(&mut self) -> Option<Edit> {
        self.seal();
        let edit = self.done.pop_back()?;
        self.undone.push(edit.clone());
        Some(edit)
    }

    /// The edit to do again now.
    pub(super) fn redo(&mut self) -> Option<Edit> {
        self.seal();
        let edit = self.undone.pop()?;
        self.done.push_back(edit.clone());
        Some(edit)
    }
}

fn joins(last: &Edit, edit: &Edit, kind: Kind) -> bool {
    let blank = |text: &str| text.chars().next_back().is_some_and(char::is_whitespace);
    match kind {
        // Each word is one edit, with the blanks behind it.
        Kind::Typed => {
            edit.removed.is_empty()
                && last.at + last.added.len() == edit.at
                && (!blank(&last.added) || blank(&edit.added))
        }
        Kind::Back => last.added.is_empty() && edit.at + edit.removed.len() == last.at,
        Kind::Ahead => last.added.is_empty() && edit.at == last.at,
        Kind::Other => false,
    }
}
