//! A line that somebody types: one row of the text area's, its cursor, the keys it knows.

use std::fmt;

use tui_textarea::{CursorMove, TextArea};
use unicode_segmentation::UnicodeSegmentation;

use crate::keys::{Chord, Key};

/// The longest line, in bytes: signed addresses are long.
const LONGEST: usize = 8192;

/// A line that somebody types.
///
/// The text area steps over characters and words of characters; here no step ends inside of a grapheme.
#[derive(Clone)]
pub struct Line {
    /// Large for something that lies in dialogs.
    area: Box<TextArea<'static>>,
}

impl Line {
    /// A line with this text, but for its controls, and the cursor behind it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let mut area = Box::new(TextArea::new(vec![clean(&text.into())]));
        // No key takes an edit back, so none is kept.
        area.set_max_histories(0);
        area.move_cursor(CursorMove::End);
        Self { area }
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    /// What stands before the cursor.
    #[must_use]
    pub fn before(&self) -> &str {
        self.text().get(..self.at()).unwrap_or_default()
    }

    /// Characters before the cursor.
    fn column(&self) -> usize {
        self.area.cursor().1
    }

    /// Bytes before the cursor.
    fn at(&self) -> usize {
        let text = self.text();
        text.char_indices().nth(self.column()).map_or(text.len(), |(at, _)| at)
    }

    fn put(&mut self, column: usize) {
        self.area.move_cursor(CursorMove::Jump(0, u16::try_from(column).unwrap_or(u16::MAX)));
        for _ in self.column()..column {
            self.area.move_cursor(CursorMove::Forward);
        }
    }

    fn left(&mut self) {
        let last = self.before().graphemes(true).next_back().map_or(0, |grapheme| grapheme.chars().count());
        self.put(self.column().saturating_sub(last));
    }

    fn right(&mut self) {
        let next = self.text()[self.at()..].graphemes(true).next().map_or(0, |grapheme| grapheme.chars().count());
        self.put(self.column() + next);
    }

    fn word_left(&mut self) {
        self.area.move_cursor(CursorMove::WordBack);
        let (at, text) = (self.at(), self.text());
        let border = text.grapheme_indices(true).map(|(start, _)| start).take_while(|start| *start <= at).last();
        self.put(text[..border.unwrap_or(0)].chars().count());
    }

    /// To the end of a word, which the text area does not know: it knows where the next one begins.
    fn word_right(&mut self) {
        let from = self.column();
        if self.text()[self.at()..].starts_with(char::is_whitespace) {
            self.area.move_cursor(CursorMove::WordForward);
        }
        self.area.move_cursor(CursorMove::WordForward);
        let word = self.before().trim_end();
        let end = if word.chars().count() > from { word.len() } else { self.at() };
        let text = self.text();
        let border = text.grapheme_indices(true).map(|(start, _)| start).find(|start| *start >= end);
        self.put(text[..border.unwrap_or(text.len())].chars().count());
    }

    /// Takes out what a step goes over.
    fn cut(&mut self, step: fn(&mut Self)) {
        let from = self.column();
        step(self);
        let to = self.column();
        self.put(from.min(to));
        self.area.delete_str(from.abs_diff(to));
    }

    /// Takes in a key. Returns whether the text changed.
    pub fn key(&mut self, chord: Chord) -> bool {
        let length = self.text().len();
        let far = chord.ctrl || chord.alt;
        match chord.key {
            Key::Left if far => self.word_left(),
            Key::Left => self.left(),
            Key::Right if far => self.word_right(),
            Key::Right => self.right(),
            Key::Home => self.area.move_cursor(CursorMove::Head),
            Key::End => self.area.move_cursor(CursorMove::End),
            Key::Char('a') if chord.ctrl => self.area.move_cursor(CursorMove::Head),
            Key::Char('e') if chord.ctrl => self.area.move_cursor(CursorMove::End),
            Key::Char('u') if chord.ctrl => _ = self.area.delete_line_by_head(),
            Key::Char('k') if chord.ctrl => _ = self.area.delete_line_by_end(),
            Key::Char('w') if chord.ctrl => self.cut(Self::word_left),
            Key::Backspace if far => self.cut(Self::word_left),
            Key::Backspace => self.cut(Self::left),
            Key::Delete => self.cut(Self::right),
            _ => {
                if let Some(c) = chord.typed() {
                    self.insert(c.encode_utf8(&mut [0; 4]));
                }
            }
        }
        self.text().len() != length
    }

    /// Inserts text, without its controls and line breaks.
    pub fn insert(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.text().len());
        let clean = clean(text);
        self.area.insert_str(&clean[..clean.floor_char_boundary(room)]);
    }

    /// Takes out what is too much before the cursor, for a line that is shorter than others.
    pub fn hold(&mut self, characters: usize) {
        let over = self.text().chars().count().saturating_sub(characters);
        let mut gone = 0;
        for grapheme in self.before().graphemes(true).rev() {
            if gone >= over {
                break;
            }
            gone += grapheme.chars().count();
        }
        self.put(self.column() - gone);
        self.area.delete_str(gone);
    }

    /// Nothing was typed.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

impl Default for Line {
    fn default() -> Self {
        Self::new("")
    }
}

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        (self.text(), self.column()) == (other.text(), other.column())
    }
}

impl Eq for Line {}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("typed", &self.text()).field("at", &self.at()).finish()
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

    #[test]
    fn a_word_ends_where_a_grapheme_ends() {
        let at = |keys: &str, text: &str| {
            let mut line = Line::new(text);
            for key in keys.split_whitespace() {
                line.key(key.parse().expect("a chord"));
            }
            (line.before().to_owned(), line.text().to_owned())
        };
        assert_eq!(at("ctrl-left", "a #\u{fe0f}\u{20e3}").0, "a ", "a sign with a frame is one step");
        assert_eq!(at("home ctrl-right", "#\u{fe0f}\u{20e3} a").0, "#\u{fe0f}\u{20e3}");
        assert_eq!(at("home ctrl-right ctrl-right", "a  ").0, "a  ");
        assert_eq!(at("home ctrl-right", "a b").0, "a");
        assert_eq!(at("ctrl-w ctrl-w", "https://a.example/x").1, "https://a.example");
        assert_eq!(at("home ctrl-u end ctrl-k", "a"), ("a".into(), "a".into()));
    }

    #[test]
    fn a_shorter_line_loses_what_came_last() {
        let mut line = Line::new("ab");
        line.key(Chord::plain(Key::Left));
        line.insert("12é👩‍🚀");
        line.hold(6);
        assert_eq!((line.before(), line.text()), ("a12é", "a12éb"), "no half of an emoji");
        line.clear();
        assert_eq!(line, Line::default());
    }

    #[test]
    fn lines_are_the_same_with_the_same_text_and_cursor() {
        let (a, mut b) = (Line::new("ab"), Line::new("a"));
        assert_ne!(a, b);
        b.insert("b");
        assert_eq!(a, b);
        b.key(Chord::plain(Key::Home));
        assert_ne!(a, b);
        assert_eq!(format!("{b:?}"), "Line { typed: \"ab\", at: 0 }");
    }

    proptest::proptest! {
        #[test]
        fn any_keys_leave_the_cursor_between_graphemes(
            steps in proptest::collection::vec((0..14_usize, "[a .#é👩🚀\u{200d}\u{fe0f}\u{20e3}\u{301}🇩🇪\n]{0,3}"), 0..40),
        ) {
            const KEYS: [&str; 13] = [
                "left", "right", "ctrl-left", "ctrl-right", "home", "end", "backspace", "delete", "ctrl-w", "alt-backspace",
                "ctrl-a", "ctrl-u", "ctrl-k",
            ];
            let mut line = Line::default();
            for (step, text) in steps {
                let before = line.clone();
                match KEYS.get(step) {
                    Some(key) => {
                        let changed = line.key(key.parse().expect("a chord"));
                        assert_eq!(changed, line.text() != before.text());
                        // What is typed or cut out may join two graphemes; a step may not end inside of one.
                        let at = line.before().len();
                        let borders = line.text().grapheme_indices(true).map(|(start, _)| start);
                        assert!(
                            changed || line == before || borders.chain([line.text().len()]).any(|start| start == at),
                            "{key}: {line:?}"
                        );
                    }
                    None => line.insert(&text),
                }
                assert!(!line.text().contains(char::is_control));
            }
        }
    }
}
