//! A line that somebody types: its text, its cursor, the keys it knows.

use unicode_segmentation::UnicodeSegmentation;

use crate::keys::{Chord, Key};

/// The longest line, in bytes: signed addresses are long.
const LONGEST: usize = 8192;

/// A line that somebody types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    text: String,
    /// Bytes before the cursor; a border between graphemes.
    at: usize,
}

impl Line {
    /// A line with this text and the cursor behind it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { at: text.len(), text }
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    #[must_use]
    pub fn before(&self) -> &str {
        self.text.get(..self.at).unwrap_or_default()
    }

    fn after(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn left(&self) -> usize {
        self.before().graphemes(true).next_back().map_or(self.at, |grapheme| self.at - grapheme.len())
    }

    fn right(&self) -> usize {
        self.after().graphemes(true).next().map_or(self.at, |grapheme| self.at + grapheme.len())
    }

    fn word_left(&self) -> usize {
        let trimmed = self.before().trim_end_matches(|c: char| !c.is_alphanumeric());
        trimmed.trim_end_matches(char::is_alphanumeric).len()
    }

    fn word_right(&self) -> usize {
        let rest = self.after().trim_start_matches(|c: char| !c.is_alphanumeric());
        self.text.len() - rest.trim_start_matches(char::is_alphanumeric).len()
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.at = from;
    }

    /// Takes in a key. Returns whether the text changed.
    pub fn key(&mut self, chord: Chord) -> bool {
        let length = self.text.len();
        let far = chord.ctrl || chord.alt;
        match chord.key {
            Key::Left => self.at = if far { self.word_left() } else { self.left() },
            Key::Right => self.at = if far { self.word_right() } else { self.right() },
            Key::Home => self.at = 0,
            Key::End => self.at = self.text.len(),
            Key::Char('a') if chord.ctrl => self.at = 0,
            Key::Char('e') if chord.ctrl => self.at = self.text.len(),
            Key::Char('u') if chord.ctrl => self.remove(0, self.at),
            Key::Char('k') if chord.ctrl => self.text.truncate(self.at),
            Key::Char('w') if chord.ctrl => self.remove(self.word_left(), self.at),
            Key::Backspace if far => self.remove(self.word_left(), self.at),
            Key::Backspace => self.remove(self.left(), self.at),
            Key::Delete => self.remove(self.at, self.right()),
            _ => {
                if let Some(c) = chord.typed() {
                    self.insert(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
        self.text.len() != length
    }

    /// Inserts text, without its controls and line breaks.
    pub fn insert(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.text.len());
        let clean: String = text.chars().filter(|c| !c.is_control()).collect();
        let clean = &clean[..clean.floor_char_boundary(room)];
        self.text.insert_str(self.at, clean);
        self.at += clean.len();
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> Line {
        let mut line = Line::new("ein 長い fox👩‍🚀");
        for key in keys.split_whitespace() {
            line.key(key.parse().expect("a chord"));
        }
        line
    }

    #[test]
    fn a_line_is_edited_where_the_cursor_is() {
        assert_eq!(typed("backspace").text(), "ein 長い fox");
        assert_eq!(typed("left left Y").text(), "ein 長い foYx👩‍🚀");
        assert_eq!(typed("home delete E").text(), "Ein 長い fox👩‍🚀");
        assert_eq!(typed("ctrl-left ctrl-w").text(), "ein fox👩‍🚀");
        assert_eq!(typed("home right ctrl-k").text(), "e");
        assert_eq!(typed("left ctrl-u").text(), "👩‍🚀");
        assert_eq!(typed("home backspace left end delete right").before(), "ein 長い fox👩‍🚀");
        assert_eq!(typed("home ctrl-right ctrl-right").before(), "ein 長い");
    }

    #[test]
    fn a_line_has_an_end_and_no_controls() {
        let mut line = Line::default();
        line.insert("a\r\nb\u{1b}[c");
        assert_eq!(line.text(), "ab[c");
        line.insert(&"é".repeat(LONGEST));
        assert!(line.text().len() <= LONGEST);
        line.key(Chord::plain(Key::Char('x')));
        assert!(line.text().len() <= LONGEST);
    }
}
