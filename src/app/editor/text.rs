//! The text of the prompt: typing, pasting, undo, and what is known of it.

use tui_textarea::{Input, TextArea, WrapMode};

use super::Editor;
use crate::domain::{Catalogue, ModelSpec, text};
use crate::keys::{Chord, Key};
use crate::time::Now;

/// The longest text that may be pasted at once, in bytes.
pub const LONGEST_PASTE: usize = 1 << 20;

pub(super) fn new_text(lines: Vec<String>) -> TextArea<'static> {
    let mut text = TextArea::new(lines);
    text.set_wrap_mode(WrapMode::WordOrGlyph);
    text.set_cursor_line_style(ratatui::style::Style::default());
    // The terminal's own cursor is used; it blinks for free.
    text.set_cursor_style(ratatui::style::Style::default());
    text.set_max_histories(500);
    text
}

pub(super) fn split_lines(text: &str) -> Vec<String> {
    text.split('\n').map(str::to_owned).collect()
}

/// Pasted text as it may be inserted, and whether that is all of it.
pub(super) fn clean_paste(pasted: &str) -> (String, bool) {
    // Terminals send a carriage return for a line end.
    let end = pasted.floor_char_boundary(LONGEST_PASTE);
    let lines = pasted[..end].replace("\r\n", "\n").replace('\r', "\n").replace('\t', "    ");
    let clean: String = lines.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    let whole = end == pasted.len() && clean.len() == lines.len();
    (text::lines(&clean).into_owned(), whole)
}

impl Editor {
    /// The text widget, for drawing.
    #[must_use]
    pub fn text(&self) -> &TextArea<'static> {
        &self.text
    }

    /// The prompt as typed.
    #[must_use]
    pub fn prompt(&self) -> String {
        self.text.lines().join("\n")
    }

    /// Characters typed, in Unicode scalar values, as the service counts them.
    #[must_use]
    pub fn length(&self) -> usize {
        let lines = self.text.lines();
        lines.iter().map(|line| line.chars().count()).sum::<usize>() + lines.len().saturating_sub(1)
    }

    /// The most characters the model takes, where that is known.
    #[must_use]
    pub fn limit(&self, catalogue: &Catalogue) -> Option<usize> {
        if self.is_raw() {
            return None;
        }
        self.spec(catalogue).and_then(ModelSpec::prompt).and_then(|field| field.max_length)
    }

    /// A key that is no action.
    pub fn key(&mut self, chord: Chord, now: Now) {
        if self.text.input(input(chord)) {
            self.touch(now);
        }
    }

    /// Inserts pasted text. Returns whether something had to be left out.
    pub fn paste(&mut self, pasted: &str, now: Now) -> bool {
        let (clean, whole) = clean_paste(pasted);
        self.text.insert_str(clean);
        self.touch(now);
        !whole
    }

    /// Takes the last edit back.
    pub fn undo(&mut self, now: Now) {
        if self.text.undo() {
            self.touch(now);
        }
    }

    /// Does it again.
    pub fn redo(&mut self, now: Now) {
        if self.text.redo() {
            self.touch(now);
        }
    }

    /// The broken rule is about the text itself.
    #[must_use]
    pub fn fault_in_text(&self, catalogue: &Catalogue) -> bool {
        let prompt = self.spec(catalogue).and_then(ModelSpec::prompt).map(|field| field.name.as_str());
        self.fault.as_ref().is_some_and(|fault| fault.field.as_deref() == prompt || self.raw_fault().is_some())
    }
}

pub(super) fn input(chord: Chord) -> Input {
    use tui_textarea::Key as K;
    let key = match chord.key {
        Key::Char(c) => K::Char(c),
        Key::F(n) => K::F(n),
        Key::Enter => K::Enter,
        Key::Esc => K::Esc,
        Key::Tab => K::Tab,
        Key::Backspace => K::Backspace,
        Key::Delete => K::Delete,
        Key::Insert => K::Null,
        Key::Home => K::Home,
        Key::End => K::End,
        Key::PageUp => K::PageUp,
        Key::PageDown => K::PageDown,
        Key::Up => K::Up,
        Key::Down => K::Down,
        Key::Left => K::Left,
        Key::Right => K::Right,
    };
    Input { key, ctrl: chord.ctrl, alt: chord.alt, shift: chord.shift }
}
