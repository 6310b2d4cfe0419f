//! The text of the prompt: typing, pasting, undo, and what is known of it.

use ratatui::layout::Rect;

use super::Editor;
use crate::app::Text;
use crate::domain::{Catalogue, Fingerprint, ModelSpec, text};
use crate::keys::{Chord, Move};
use crate::time::Now;

/// The longest text that may be pasted at once, in bytes.
pub const LONGEST_PASTE: usize = 1 << 20;

/// Text from outside as it may stand in a prompt: line ends as one character, nothing that steers or hides. Says
/// whether something had to be left out. Nothing of what is beyond the longest paste is looked at.
#[must_use]
pub fn clean(outside: &str) -> (String, bool) {
    let end = outside.floor_char_boundary(LONGEST_PASTE);
    // Terminals send a carriage return for a line end.
    let lines = outside[..end].replace("\r\n", "\n").replace('\r', "\n").replace('\t', "    ");
    let clean: String = lines.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    let cut = end < outside.len() || clean.len() < lines.len();
    (text::lines(&clean).into_owned(), cut)
}

impl Editor {
    /// The text, for drawing.
    #[must_use]
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// The prompt as typed.
    #[must_use]
    pub fn prompt(&self) -> String {
        self.text.as_str().to_owned()
    }

    /// Characters typed, in Unicode scalar values, as the service counts them.
    #[must_use]
    pub fn length(&self) -> usize {
        self.text.chars()
    }

    /// Lays the text out for the place where it is drawn.
    pub fn lay(&mut self, area: Rect) {
        self.text.lay(area.width, area.height);
    }

    /// The most characters the model takes, where that is known.
    #[must_use]
    pub fn limit(&self, catalogue: &Catalogue) -> Option<usize> {
        self.spec(catalogue).and_then(ModelSpec::prompt).and_then(|field| field.max_length)
    }

    /// A key that is no action: what it types.
    pub fn key(&mut self, chord: Chord, now: Now) {
        if let Some(typed) = chord.typed().filter(|c| !c.is_control()) {
            self.type_char(typed, now);
        }
    }

    /// A character that was typed.
    pub fn type_char(&mut self, typed: char, now: Now) {
        if self.text.type_char(typed) {
            self.touch(now);
        }
    }

    /// Moves the cursor; `select`: what it passes is selected.
    pub fn go(&mut self, by: Move, select: bool) {
        self.text.go(by, select);
    }

    /// Removes what is selected, or else what lies between the cursor and where a move would take it.
    pub fn erase(&mut self, by: Move, now: Now) {
        if self.text.erase(by) {
            self.touch(now);
        }
    }

    /// Selects everything.
    pub fn select_all(&mut self) {
        self.text.select_all();
    }

    /// Nothing is selected any more.
    pub fn select_nothing(&mut self) {
        self.text.select_nothing();
    }

    /// Keeps what is selected for pasting. Says whether anything was.
    pub fn copy(&mut self) -> bool {
        self.text.copy()
    }

    /// Like [`Editor::copy`], and removes it.
    pub fn cut(&mut self, now: Now) -> bool {
        let cut = self.text.cut();
        if cut {
            self.touch(now);
        }
        cut
    }

    /// Inserts what was kept last. Says whether there was anything, and room for it.
    pub fn paste_back(&mut self, now: Now) -> bool {
        let pasted = self.text.paste();
        if pasted {
            self.touch(now);
        }
        pasted
    }

    /// Inserts text from outside. Returns whether something had to be left out.
    pub fn paste(&mut self, pasted: &str, now: Now) -> bool {
        let (clean, cut) = clean(pasted);
        let taken = self.text.insert_str(&clean);
        self.touch(now);
        cut || !taken
    }

    /// Another text instead of this one, as an edit that can be taken back.
    pub fn compose(&mut self, text: &str, now: Now) {
        self.replace(text);
        self.touch(now);
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

    /// Looks for a secret in what changed since the last look; `None` if nothing did. Where it was found before, the
    /// whole text is looked at, until it is gone.
    pub fn look_for(&mut self, secret: &Fingerprint) -> Option<bool> {
        let changed = self.text.take_changed()?;
        let text = self.text.as_str();
        let window = if self.leaks {
            text
        } else {
            let reach = secret.length();
            let start = text.floor_char_boundary(changed.start.saturating_sub(reach));
            let end = text.ceil_char_boundary((changed.end + reach).min(text.len()));
            &text[start..end]
        };
        self.leaks = secret.find(window).is_some();
        Some(self.leaks)
    }

    /// The broken rule is about the text itself.
    #[must_use]
    pub fn fault_in_text(&self, catalogue: &Catalogue) -> bool {
        let prompt = self.spec(catalogue).and_then(ModelSpec::prompt).map(|field| field.name.as_str());
        self.fault.as_ref().is_some_and(|fault| fault.field.as_deref() == prompt)
    }
}
