//! A text of several lines that is not the prompt, with the same keys: for popups.

use ratatui::layout::Rect;

use super::text::clean;
use crate::app::Text;
use crate::keys::Action;

/// A text of several lines.
#[derive(Clone, Debug)]
pub struct TextPane {
    text: Text,
}

impl PartialEq for TextPane {
    fn eq(&self, other: &Self) -> bool {
        self.text.as_str() == other.text.as_str() && self.text.cursor() == other.text.cursor()
    }
}

impl TextPane {
    /// A pane with this text and the cursor behind it.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { text: Text::new(text.to_owned()) }
    }

    /// The text, for drawing.
    #[must_use]
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// Another text instead, as an edit that can be undone.
    pub fn set_text(&mut self, text: &str) {
        self.text.replace_all(text);
    }

    /// Lays the text out for the place where it is drawn.
    pub fn lay(&mut self, area: Rect) {
        self.text.lay(area.width, area.height);
    }

    /// A character that was typed.
    pub fn type_char(&mut self, typed: char) {
        self.text.type_char(typed);
    }

    /// Inserts pasted text. Returns whether something had to be left out.
    pub fn paste(&mut self, pasted: &str) -> bool {
        let (clean, cut) = clean(pasted);
        !self.text.insert_str(&clean) || cut
    }

    /// An action of writing. Returns whether it is one that works here.
    pub fn act(&mut self, action: Action) -> bool {
        let text = &mut self.text;
        match action {
            Action::NewLine => drop(text.type_char('\n')),
            Action::Go(by) => text.go(by, false),
            Action::Select(by) => text.go(by, true),
            Action::Erase(by) => drop(text.erase(by)),
            Action::SelectAll => text.select_all(),
            Action::Copy => drop(text.copy()),
            Action::Cut => drop(text.cut()),
            Action::PasteBack => drop(text.paste()),
            Action::Undo => drop(text.undo()),
            Action::Redo => drop(text.redo()),
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pane_edits_and_undoes() {
        let mut pane = TextPane::new("[verse]\nein 長い");
        assert_eq!(pane.text().chars(), 14);
        pane.type_char('x');
        assert_eq!(pane.text().as_str(), "[verse]\nein 長いx");
        assert!(pane.act(Action::Undo) && !pane.paste("\r\ny"));
        assert_eq!(pane.text().as_str(), "[verse]\nein 長い\ny");
        assert!(pane.paste("\u{1b}"), "controls are left out");
        pane.set_text("new");
        pane.act(Action::Undo);
        assert!(pane.text().as_str().ends_with('y'));
        pane.act(Action::Redo);
        assert_eq!(pane.text().as_str(), "new");
        assert!(!pane.act(Action::Quit));
    }
}
