//! A text that is being written: what stands there, the cursor, what is selected, and every edit, to take it back.
//!
//! Offsets are bytes. An edit costs what it changes, not what stands there.

mod edits;
mod moves;
mod rows;

use std::ops::Range;

use crate::keys::Move;
use edits::{Edit, Edits, Kind};
use rows::Rows;
pub use rows::{cells, glyph, glyphs};

/// The longest text, in bytes. What would go beyond it is not taken in.
pub const LONGEST: usize = 4 << 20;

/// A text that is being written.
#[derive(Clone, Debug)]
pub struct Text {
    text: String,
    /// Unicode scalar values, as the service counts them.
    chars: usize,
    cursor: usize,
    /// The other end of what is selected.
    anchor: Option<usize>,
    /// The column that moves up and down keep to.
    goal: Option<usize>,
    edits: Edits,
    rows: Rows,
    /// The first row that is in sight, and how many are.
    top: usize,
    height: usize,
    /// What was cut or copied last.
    clipboard: String,
    /// What changed since somebody last asked.
    changed: Option<Range<usize>>,
}

impl Text {
    /// A text with the cursor at its end.
    #[must_use]
    pub fn new(text: String) -> Self {
        let rows = Rows::lay(&text, 80);
        Self {
            chars: text.chars().count(),
            cursor: text.len(),
            anchor: None,
            goal: None,
            edits: Edits::default(),
            rows,
            top: 0,
            height: 1,
            clipboard: String::new(),
            changed: (!text.is_empty()).then_some(0..text.len()),
            text,
        }
    }

    /// All of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Nothing stands there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Unicode scalar values, as the service counts them.
    #[must_use]
    pub fn chars(&self) -> usize {
        self.chars
    }

    /// Where the cursor is.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// What is selected, if that is more than nothing.
    #[must_use]
    pub fn selection(&self) -> Option<Range<usize>> {
        let anchor = self.anchor.filter(|anchor| *anchor != self.cursor)?;
        Some(anchor.min(self.cursor)..anchor.max(self.cursor))
    }

    /// The text that is selected.
    #[must_use]
    pub fn selected(&self) -> Option<&str> {
        self.selection().map(|range| &self.text[range])
    }

    /// Selects everything.
    pub fn select_all(&mut self) {
        self.anchor = Some(0);
        self.set_cursor(self.text.len());
    }

    /// Nothing is selected any more.
    pub fn select_nothing(&mut self) {
        self.anchor = None;
    }

    /// Puts the cursor there, or at the next place where one can stand.
    pub fn set_cursor(&mut self, at: usize) {
        self.cursor = self.snap(at);
        self.goal = None;
        self.edits.seal();
    }

    /// A character that was typed. It joins the edit before it if it goes on with a word.
    pub fn type_char(&mut self, typed: char) -> bool {
        let mut bytes = [0; 4];
        let kind = if typed == '\n' { Kind::Other } else { Kind::Typed };
        self.insert(typed.encode_utf8(&mut bytes), kind)
    }

    /// Text at the cursor, or instead of what is selected, as one edit. False: it would be too much.
    pub fn insert_str(&mut self, text: &str) -> bool {
        self.insert(text, Kind::Other)
    }

    fn insert(&mut self, text: &str, kind: Kind) -> bool {
        let range = self.selection().unwrap_or(self.cursor..self.cursor);
        if self.text.len() - range.len() + text.len() > LONGEST {
            return false;
        }
        self.edit(range, text, kind);
        true
    }

    /// Another text instead of all this, as one edit.
    pub fn replace_all(&mut self, text: &str) {
        if self.text != text {
            self.edit(0..self.text.len(), text, Kind::Other);
        }
    }

    /// Removes what is selected, or else what lies between the cursor and where a move would take it. Says whether
    /// that was anything.
    pub fn erase(&mut self, by: Move) -> bool {
        let range = self.selection().unwrap_or_else(|| {
            let to = self.target(by);
            to.min(self.cursor)..to.max(self.cursor)
        });
        if range.is_empty() {
            return false;
        }
        let kind = match by {
            Move::Left if self.selection().is_none() => Kind::Back,
            Move::Right if self.selection().is_none() => Kind::Ahead,
            _ => Kind::Other,
        };
        self.edit(range, "", kind);
        true
    }

    /// Keeps what is selected for [`Text::paste`]. Says whether anything was.
    pub fn copy(&mut self) -> bool {
        let Some(selected) = self.selected().map(str::to_owned) else { return false };
        self.clipboard = selected;
        true
    }

    /// Like [`Text::copy`], and removes it.
    pub fn cut(&mut self) -> bool {
        self.copy() && self.erase(Move::Left)
    }

    /// Inserts what was cut or copied last. Says whether there was anything, and room for it.
    pub fn paste(&mut self) -> bool {
        let text = self.clipboard.clone();
        !text.is_empty() && self.insert_str(&text)
    }

    /// Takes the last edit back. Says whether there was one.
    pub fn undo(&mut self) -> bool {
        let Some(edit) = self.edits.undo() else { return false };
        self.splice(edit.at..edit.at + edit.added.len(), &edit.removed);
        self.anchor = edit.anchor;
        (self.cursor, self.goal) = (edit.cursor, None);
        true
    }

    /// Does it again. Says whether there was anything to do.
    pub fn redo(&mut self) -> bool {
        let Some(edit) = self.edits.redo() else { return false };
        let end = self.splice(edit.at..edit.at + edit.removed.len(), &edit.added);
        (self.anchor, self.goal) = (None, None);
        self.cursor = self.snap(end);
        true
    }

    /// What changed since the last call, as a range of the present text.
    pub fn take_changed(&mut self) -> Option<Range<usize>> {
        self.changed.take()
    }

    fn edit(&mut self, range: Range<usize>, text: &str, kind: Kind) {
        let edit = Edit {
            at: range.start,
            removed: self.text[range.clone()].to_owned(),
            added: text.to_owned(),
            cursor: self.cursor,
            anchor: self.anchor,
        };
        let end = self.splice(range, text);
        self.edits.add(edit, kind);
        (self.anchor, self.goal) = (None, None);
        self.cursor = self.snap(end);
    }

    /// Replaces a range; everything that is derived follows. Returns where the new text ends.
    fn splice(&mut self, range: Range<usize>, text: &str) -> usize {
        let (at, removed) = (range.start, range.len());
        self.chars -= self.text[range.clone()].chars().count();
        self.chars += text.chars().count();
        self.text.replace_range(range, text);
        self.rows.edited(&self.text, at, removed, text.len());
        // Two changes between two questions are rare: then everything counts as changed.
        self.changed = Some(if self.changed.is_some() { 0..self.text.len() } else { at..at + text.len() });
        at + text.len()
    }

    /// Lays the text out for a window of so many cells and rows, and scrolls so far that the cursor is in it.
    pub fn lay(&mut self, width: u16, height: u16) {
        let width = usize::from(width.max(1));
        if self.rows.width() != width {
            self.rows = Rows::lay(&self.text, width);
        }
        self.height = usize::from(height.max(1));
        let row = self.rows.of(self.cursor);
        let least = (row + 1).saturating_sub(self.height);
        // Nothing empty at the bottom while there is more above.
        self.top = self.top.clamp(least, row).min(self.rows.count().saturating_sub(self.height)).max(least);
    }

    /// It is laid out for such a window.
    #[must_use]
    pub fn fits(&self, width: u16, height: u16) -> bool {
        self.rows.width() == usize::from(width.max(1)) && self.height == usize::from(height.max(1))
    }

    /// The rows in sight, as ranges of the text.
    pub fn visible(&self) -> impl Iterator<Item = Range<usize>> {
        let end = (self.top + self.height).min(self.rows.count());
        (self.top..end).map(|row| self.rows.range(row, &self.text))
    }

    /// Where the cursor is in the window: column and row. The column may be one beyond the last.
    #[must_use]
    pub fn cursor_cell(&self) -> (usize, usize) {
        let row = self.rows.of(self.cursor);
        let start = self.rows.range(row, &self.text).start;
        (rows::width(&self.text[start..self.cursor.max(start)]), row.saturating_sub(self.top))
    }

    /// The rows of the whole text, and the first one in sight.
    #[must_use]
    pub fn extent(&self) -> (usize, usize) {
        (self.rows.count(), self.top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &mut Text, what: &str) {
        what.chars().for_each(|c| assert!(text.type_char(c)));
    }

    #[test]
    fn words_are_taken_back_one_by_one() {
        let mut text = Text::new(String::new());
        typed(&mut text, "a red fox");
        for left in ["a red ", "a ", ""] {
            assert!(text.undo());
            assert_eq!(text.as_str(), left);
        }
        assert!(!text.undo());
        assert!(text.redo() && text.redo());
        assert_eq!((text.as_str(), text.cursor()), ("a red ", 6));
        typed(&mut text, "owl");
        assert!(!text.redo(), "what is typed after an undo replaces what could be done again");
        assert_eq!(text.as_str(), "a red owl");
    }

    #[test]
    fn a_run_of_erasing_is_one_edit() {
        let mut text = Text::new("a fox in snow".into());
        (0..4).for_each(|_| assert!(text.erase(Move::Left)));
        assert_eq!(text.as_str(), "a fox in ");
        text.set_cursor(0);
        (0..2).for_each(|_| assert!(text.erase(Move::Right)));
        assert_eq!(text.as_str(), "fox in ");
        assert!(text.undo());
        assert_eq!(text.as_str(), "a fox in ");
        assert!(text.undo());
        assert_eq!((text.as_str(), text.cursor()), ("a fox in snow", 13));
    }

    #[test]
    fn what_is_selected_is_replaced_and_comes_back() {
        let mut text = Text::new("a fox".into());
        text.go(Move::WordLeft, true);
        assert_eq!(text.selected(), Some("fox"));
        typed(&mut text, "owl");
        assert_eq!(text.as_str(), "a owl");
        assert!(text.undo());
        assert_eq!((text.as_str(), text.selected()), ("a fox", Some("fox")));
        assert!(text.cut() && text.as_str() == "a ");
        assert!(text.paste() && text.paste());
        assert_eq!((text.as_str(), text.chars()), ("a foxfox", 8));
    }

    #[test]
    fn a_grapheme_is_one_step_and_one_erasure() {
        let mut text = Text::new("a👩‍👩‍👧e\u{301}狐".into());
        text.lay(20, 3);
        assert_eq!(text.cursor_cell(), (6, 0));
        text.go(Move::Left, false);
        assert_eq!(text.cursor_cell(), (4, 0));
        assert!(text.erase(Move::Left));
        assert_eq!(text.as_str(), "a👩‍👩‍👧狐");
        assert!(text.erase(Move::Left));
        assert_eq!((text.as_str(), text.chars()), ("a狐", 2));
    }

    #[test]
    fn the_cursor_stays_in_sight() {
        let mut text = Text::new("one\ntwo\nthree\nfour".into());
        text.lay(10, 2);
        let seen = |text: &Text| text.visible().map(|row| text.as_str()[row].to_owned()).collect::<Vec<_>>();
        assert_eq!(seen(&text), ["three", "four"]);
        text.go(Move::Start, false);
        text.lay(10, 2);
        assert_eq!((seen(&text), text.cursor_cell()), (vec!["one".into(), "two".into()], (0, 0)));
        text.go(Move::Down, false);
        text.go(Move::Down, false);
        text.lay(10, 2);
        assert_eq!((seen(&text), text.cursor_cell()), (vec!["two".into(), "three".into()], (0, 1)));
        text.lay(10, 9);
        assert_eq!(seen(&text).len(), 4);
    }

    #[test]
    fn there_is_a_longest_text() {
        let mut text = Text::new(String::new());
        assert!(text.insert_str(&"x".repeat(LONGEST)));
        assert!(!text.type_char('y') && !text.insert_str("y"));
        assert!(text.erase(Move::Left) && text.type_char('y'));
    }

    #[test]
    fn what_changed_is_told_once() {
        let mut text = Text::new("a fox".into());
        assert_eq!(text.take_changed(), Some(0..5));
        assert_eq!(text.take_changed(), None);
        text.set_cursor(2);
        typed(&mut text, "x");
        assert_eq!(text.take_changed(), Some(2..3));
    }
}
