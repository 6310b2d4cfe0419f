//! A text of several lines that is not the prompt, with the same keys: for popups.

use tui_textarea::{CursorMove, TextArea};

use super::text::{clean_paste, input, new_text, split_lines};
use crate::keys::Chord;

/// A text of several lines.
#[derive(Clone, Debug)]
pub struct TextPane {
    text: TextArea<'static>,
}

impl PartialEq for TextPane {
    fn eq(&self, other: &Self) -> bool {
        self.text.lines() == other.text.lines() && self.text.cursor() == other.text.cursor()
    }
}

impl TextPane {
    /// A pane with this text and the cursor behind it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut text = new_text(split_lines(text));
        text.move_cursor(CursorMove::Bottom);
        text.move_cursor(CursorMove::End);
        Self { text }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> String {
        self.text.lines().join("\n")
    }

    /// Another text instead, as an edit that can be undone in two steps.
    pub fn set_text(&mut self, text: &str) {
        self.text.select_all();
        self.text.insert_str(text);
    }

    /// Characters, in Unicode scalar values, as the service counts them.
    #[must_use]
    pub fn length(&self) -> usize {
        let lines = self.text.lines();
        lines.iter().map(|line| line.chars().count()).sum::<usize>() + lines.len().saturating_sub(1)
    }

    /// The widget, for drawing.
    #[must_use]
    pub fn widget(&self) -> &TextArea<'static> {
        &self.text
    }

    /// Takes in a key. Returns whether the text changed.
    pub fn key(&mut self, chord: Chord) -> bool {
        self.text.input(input(chord))
    }

    /// Inserts pasted text. Returns whether something had to be left out.
    pub fn paste(&mut self, pasted: &str) -> bool {
        let (clean, whole) = clean_paste(pasted);
        self.text.insert_str(clean);
        !whole
    }

    /// Takes the last edit back. Returns whether there was one.
    pub fn undo(&mut self) -> bool {
        self.text.undo()
    }

    /// Does it again. Returns whether there was something.
    pub fn redo(&mut self) -> bool {
        self.text.redo()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pane_edits_and_undoes() {
        let mut pane = TextPane::new("[verse]\nein 長い");
        assert_eq!(pane.length(), 14);
        assert!(pane.key("x".parse().expect("a chord")));
        assert_eq!(pane.text(), "[verse]\nein 長いx");
        assert!(pane.undo() && !pane.paste("\r\ny"));
        assert_eq!(pane.text(), "[verse]\nein 長い\ny");
        assert!(pane.paste("\u{1b}"), "controls are left out");
        pane.set_text("new");
        assert!(pane.undo() && pane.undo() && pane.text().ends_with('y') && pane.redo() && pane.redo());
        assert_eq!(pane.text(), "new");
    }
}
