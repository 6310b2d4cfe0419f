//! Where the cursor goes: by characters as people see them, words, rows, lines.

use unicode_segmentation::GraphemeCursor;

use super::Text;
use super::rows::{at_column, width};
use crate::keys::Move;

/// What words are made of.
#[derive(PartialEq, Eq)]
enum Class {
    Blank,
    Word,
    Mark,
}

fn class(c: char) -> Class {
    match c {
        c if c.is_whitespace() => Class::Blank,
        c if c.is_alphanumeric() || c == '_' || c == '\'' => Class::Word,
        _ => Class::Mark,
    }
}

impl Text {
    /// Moves the cursor; `select`: what it passes is selected.
    pub fn go(&mut self, by: Move, select: bool) {
        let column = matches!(by, Move::Up | Move::Down | Move::PageUp | Move::PageDown).then(|| self.column());
        let to = match (self.selection(), by) {
            // Without going on to select, the nearer end of what is selected is far enough.
            (Some(range), Move::Left) if !select => range.start,
            (Some(range), Move::Right) if !select => range.end,
            _ => self.target(by),
        };
        self.anchor = if select { self.anchor.or(Some(self.cursor)) } else { None };
        self.set_cursor(to);
        self.goal = column;
    }

    /// Where a move leads.
    pub(super) fn target(&self, by: Move) -> usize {
        let (text, at) = (&self.text, self.cursor);
        match by {
            Move::Left => self.boundary(at, false),
            Move::Right => self.boundary(at, true),
            Move::WordLeft => {
                let head = &text[..at];
                let word = head.trim_end();
                let kind = word.chars().next_back().map(class);
                word.trim_end_matches(|c| Some(class(c)) == kind).len()
            }
            Move::WordRight => {
                let tail = text[at..].trim_start();
                let kind = tail.chars().next().map(class);
                text.len() - tail.trim_start_matches(|c| Some(class(c)) == kind).len()
            }
            Move::Up => self.by_rows(-1),
            Move::Down => self.by_rows(1),
            Move::PageUp => self.by_rows(-self.page()),
            Move::PageDown => self.by_rows(self.page()),
            Move::Home => {
                let start = self.rows.range(self.rows.of(at), text).start;
                if start < at { start } else { text[..at].rfind('\n').map_or(0, |end| end + 1) }
            }
            Move::End => {
                let end = self.row_end(self.rows.of(at));
                if end > at { end } else { self.target(Move::LineEnd) }
            }
            Move::LineEnd => text[at..].find('\n').map_or(text.len(), |end| at + end),
            Move::Start => 0,
            Move::Finish => text.len(),
        }
    }

    fn page(&self) -> isize {
        isize::try_from(self.height.saturating_sub(1).max(1)).unwrap_or(1)
    }

    /// The last place of a row where the cursor is still in it.
    fn row_end(&self, row: usize) -> usize {
        let range = self.rows.range(row, &self.text);
        if self.rows.is_soft(row, &self.text) { self.boundary(range.end, false).max(range.start) } else { range.end }
    }

    fn column(&self) -> usize {
        self.goal.unwrap_or_else(|| {
            let start = self.rows.range(self.rows.of(self.cursor), &self.text).start;
            width(&self.text[start..self.cursor])
        })
    }

    fn by_rows(&self, by: isize) -> usize {
        let row = self.rows.of(self.cursor);
        let last = self.rows.count() - 1;
        match row.checked_add_signed(by) {
            _ if by < 0 && row == 0 => 0,
            _ if by > 0 && row == last => self.text.len(),
            to => {
                let to = to.unwrap_or(0).min(last);
                let range = self.rows.range(to, &self.text);
                let at = range.start + at_column(&self.text[range], self.column());
                at.min(self.row_end(to))
            }
        }
    }

    /// The next place where the cursor can stand, or the one before.
    fn boundary(&self, at: usize, ahead: bool) -> usize {
        let mut cursor = GraphemeCursor::new(at, self.text.len(), true);
        let found = if ahead { cursor.next_boundary(&self.text, 0) } else { cursor.prev_boundary(&self.text, 0) };
        // The whole text is given, so nothing can be missing.
        found.ok().flatten().unwrap_or(at)
    }

    /// This place, or the next one where the cursor can stand.
    pub(super) fn snap(&self, at: usize) -> usize {
        let at = self.text.ceil_char_boundary(at.min(self.text.len()));
        let mut cursor = GraphemeCursor::new(at, self.text.len(), true);
        if cursor.is_boundary(&self.text, 0).unwrap_or(true) { at } else { self.boundary(at, true) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, cursor: usize, by: Move) -> usize {
        let mut text = Text::new(text.into());
        text.lay(6, 3);
        text.set_cursor(cursor);
        text.go(by, false);
        text.cursor()
    }

    #[test]
    fn by_words() {
        assert_eq!(at("a red, fox", 10, Move::WordLeft), 7);
        assert_eq!(at("a red, fox", 7, Move::WordLeft), 5);
        assert_eq!(at("a red, fox", 0, Move::WordRight), 1);
        assert_eq!(at("a red, fox", 1, Move::WordRight), 5);
        assert_eq!(at("a\n\nb", 1, Move::WordRight), 4);
        assert_eq!(at("", 0, Move::WordRight), 0);
        assert_eq!(at("", 0, Move::WordLeft), 0);
    }

    /// Rows: "a fox ", "in ", "snow".
    #[test]
    fn by_rows_and_lines() {
        let text = "a fox in snow\nb";
        assert_eq!(at(text, 0, Move::Down), 6);
        assert_eq!(at(text, 4, Move::Down), 8, "the end of a shorter row, and still in it");
        assert_eq!(at(text, 13, Move::Up), 8);
        assert_eq!(at(text, 13, Move::Down), 15);
        assert_eq!(at(text, 15, Move::Down), 15);
        assert_eq!(at(text, 3, Move::Up), 0);
        assert_eq!(at(text, 8, Move::Home), 6);
        assert_eq!(at(text, 6, Move::Home), 0);
        assert_eq!(at(text, 6, Move::End), 8);
        assert_eq!(at(text, 8, Move::End), 13);
        assert_eq!(at(text, 0, Move::PageDown), 9);
        assert_eq!((at(text, 5, Move::Finish), at(text, 5, Move::Start)), (15, 0));
    }

    #[test]
    fn a_column_is_kept_through_shorter_rows() {
        let mut text = Text::new("abcde\nx\nabcde".into());
        text.lay(9, 9);
        text.set_cursor(4);
        text.go(Move::Down, false);
        assert_eq!(text.cursor(), 7);
        text.go(Move::Down, true);
        assert_eq!((text.cursor(), text.selected()), (12, Some("\nabcd")));
        text.go(Move::Left, false);
        assert_eq!((text.cursor(), text.selection()), (7, None), "to the nearer end of what was selected");
    }
}
