//! The prompt editor: a text, a model, and the fields the user set.

use std::time::Duration;

use serde_json::{Map, Value};
use tui_textarea::{CursorMove, Input, TextArea, WrapMode};
use unicode_width::UnicodeWidthStr;

use crate::domain::validate::{find_model, parse_value, validate};
use crate::domain::{Catalogue, Draft, Field, FieldKind, Invalid, ModelSpec, Request, Role, request, text};
use crate::keys::{Chord, Key};
use crate::time::{Mono, Now};

/// A draft is on its way to the disk this long after the first change that is not there yet, however fast
/// somebody goes on typing: a kill loses less than two seconds.
const AUTOSAVE: Duration = Duration::from_millis(1000);
/// The longest text that may be pasted at once, in bytes.
pub const LONGEST_PASTE: usize = 1 << 20;

/// The prompt editor.
#[derive(Clone, Debug)]
pub struct Editor {
    text: TextArea<'static>,
    model: String,
    fields: Map<String, Value>,
    /// The chosen chip: 0 is the model, then the fields.
    chip: usize,
    /// What the last attempt to send was refused for.
    fault: Option<Invalid>,
    changed: Option<Mono>,
}

/// One entry of the form under the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    /// The field; `None` is the model.
    pub field: Option<String>,
    /// What it is called on the screen.
    pub label: String,
    /// What stands there: what was set, or the service's default.
    pub value: String,
    /// The user set it.
    pub set: bool,
    /// The service refuses a request without it, and it has no default.
    pub missing: bool,
    /// The last attempt was refused because of it.
    pub fault: bool,
    /// Width to height, for a field that means the shape.
    pub shape: Option<(u32, u32)>,
}

impl Chip {
    /// Cells on the screen: label, space, a small drawing of the shape, value, and two to the next one.
    #[must_use]
    pub fn width(&self) -> u16 {
        let drawing = if self.shape.is_some() { 3 } else { 0 };
        let text = self.label.width() + 1 + drawing + self.value.width() + 3;
        u16::try_from(text).unwrap_or(u16::MAX)
    }
}

fn new_text(lines: Vec<String>) -> TextArea<'static> {
    let mut text = TextArea::new(lines);
    text.set_wrap_mode(WrapMode::WordOrGlyph);
    text.set_cursor_line_style(ratatui::style::Style::default());
    // The terminal's own cursor is used; it blinks for free.
    text.set_cursor_style(ratatui::style::Style::default());
    text.set_max_histories(500);
    text
}

fn split_lines(text: &str) -> Vec<String> {
    text.split('\n').map(str::to_owned).collect()
}

impl Editor {
    /// An editor that holds this draft.
    #[must_use]
    pub fn new(draft: &Draft, catalogue: &Catalogue) -> Self {
        let known = catalogue.get(&draft.model).is_some();
        let model = if known { draft.model.clone() } else { catalogue.default_model().name.clone() };
        let mut text = new_text(split_lines(&draft.prompt));
        text.move_cursor(CursorMove::Bottom);
        text.move_cursor(CursorMove::End);
        let fields = if known { draft.fields.clone() } else { Map::new() };
        Self { text, model, fields, chip: 0, fault: None, changed: None }
    }

    /// What is being typed.
    #[must_use]
    pub fn draft(&self) -> Draft {
        Draft { model: self.model.clone(), prompt: self.prompt(), fields: self.fields.clone() }
    }

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
        self.spec(catalogue).and_then(ModelSpec::prompt).and_then(|field| field.max_length)
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The model.
    #[must_use]
    pub fn spec<'a>(&self, catalogue: &'a Catalogue) -> Option<&'a ModelSpec> {
        catalogue.get(&self.model).map(AsRef::as_ref)
    }

    /// What the last attempt was refused for.
    #[must_use]
    pub fn fault(&self) -> Option<&Invalid> {
        self.fault.as_ref()
    }

    /// Takes a draft in, as an edit that can be undone.
    pub fn load(&mut self, draft: &Draft, catalogue: &Catalogue, now: Now) {
        if catalogue.get(&draft.model).is_some() {
            self.model.clone_from(&draft.model);
            self.fields.clone_from(&draft.fields);
        }
        self.text.clear();
        self.text.insert_str(&draft.prompt);
        self.touch(now);
    }

    /// Empties the text after it was sent. Undo brings it back; model and fields stay for the next one.
    pub fn sent(&mut self, now: Now) {
        self.text.clear();
        self.touch(now);
    }

    fn touch(&mut self, now: Now) {
        self.fault = None;
        self.changed.get_or_insert(now.mono);
    }

    /// A key that is no action.
    pub fn key(&mut self, chord: Chord, now: Now) {
        if self.text.input(input(chord)) {
            self.touch(now);
        }
    }

    /// Inserts pasted text. Returns whether something had to be left out.
    pub fn paste(&mut self, pasted: &str, now: Now) -> bool {
        // Terminals send a carriage return for a line end.
        let end = pasted.floor_char_boundary(LONGEST_PASTE);
        let lines = pasted[..end].replace("\r\n", "\n").replace('\r', "\n").replace('\t', "    ");
        let clean: String = lines.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
        self.text.insert_str(text::lines(&clean).as_ref());
        self.touch(now);
        end < pasted.len() || clean.len() < lines.len()
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

    /// Checks everything. A broken rule moves the cursor to its field.
    ///
    /// # Errors
    /// The first broken rule.
    pub fn request(&mut self, catalogue: &Catalogue, callback: Option<&str>) -> Result<Request, Invalid> {
        validate(&self.draft(), catalogue, callback).map_err(|faults| {
            let first = faults
                .into_iter()
                .next()
                .unwrap_or(Invalid { field: None, fault: crate::domain::validate::Fault::Missing });
            self.fault = Some(first.clone());
            if let Some(chip) = self.chips(catalogue).iter().position(|chip| chip.field == first.field) {
                self.chip = chip;
            }
            first
        })
    }

    /// The broken rule is about the text itself.
    #[must_use]
    pub fn fault_in_text(&self, catalogue: &Catalogue) -> bool {
        let prompt = self.spec(catalogue).and_then(ModelSpec::prompt).map(|field| field.name.as_str());
        self.fault.as_ref().is_some_and(|fault| fault.field.as_deref() == prompt)
    }

    /// The form: the model, then every field but the prompt.
    #[must_use]
    pub fn chips(&self, catalogue: &Catalogue) -> Vec<Chip> {
        let Some(spec) = self.spec(catalogue) else { return Vec::new() };
        let fault = |field: Option<&str>| self.fault.as_ref().is_some_and(|fault| fault.field.as_deref() == field);
        let model = Chip {
            field: None,
            label: "model".into(),
            value: self.model.clone(),
            set: true,
            missing: false,
            fault: fault(None),
            shape: None,
        };
        let fields = spec.fields.iter().filter(|field| field.role != Some(Role::Prompt)).map(|field| {
            let set = self.fields.get(&field.name);
            let shown = set.or(field.default.as_ref()).map(request::plain);
            let value = shown.filter(|v| !v.is_empty()).unwrap_or_else(|| "–".into());
            Chip {
                label: field.name.replace('_', " "),
                shape: (field.role == Some(Role::Shape)).then(|| ratio(&value)).flatten(),
                value: text::cut(&text::one_line(&value), 40).into_owned(),
                set: set.is_some(),
                missing: field.required && set.is_none() && field.default.is_none(),
                fault: fault(Some(&field.name)),
                field: Some(field.name.clone()),
            }
        });
        std::iter::once(model).chain(fields).collect()
    }

    /// Lays the chips out in lines of this width: the indices of each line.
    #[must_use]
    pub fn form_rows(chips: &[Chip], width: u16) -> Vec<Vec<usize>> {
        let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
        let mut used = 0u16;
        for (index, chip) in chips.iter().enumerate() {
            let wide = chip.width();
            // Behind the last one of a line no gap is needed.
            if used > 0 && used.saturating_add(wide) > width.saturating_add(1) {
                rows.push(Vec::new());
                used = 0;
            }
            if let Some(row) = rows.last_mut() {
                row.push(index);
            }
            used = used.saturating_add(wide);
        }
        rows
    }

    /// Lines the form takes at this width.
    #[must_use]
    pub fn form_lines(&self, width: u16, catalogue: &Catalogue) -> u16 {
        u16::try_from(Self::form_rows(&self.chips(catalogue), width).len()).unwrap_or(u16::MAX)
    }

    /// The chosen chip.
    #[must_use]
    pub fn chip(&self) -> usize {
        self.chip
    }

    /// Chooses the chip before or after, going around.
    pub fn step_chip(&mut self, by: isize, catalogue: &Catalogue) {
        let count = self.chips(catalogue).len().max(1);
        self.chip = (self.chip.min(count - 1) + count).saturating_add_signed(by) % count;
    }

    /// The field of the chosen chip; `None` is the model.
    #[must_use]
    pub fn field<'a>(&self, catalogue: &'a Catalogue) -> Option<&'a Field> {
        let chips = self.chips(catalogue);
        let name = chips.get(self.chip)?.field.as_deref()?;
        self.spec(catalogue)?.field(name)
    }

    /// The value after, or before, the one the chosen field has; the service's default is one of the round.
    /// Returns false where there is nothing to step through.
    pub fn step_value(&mut self, by: isize, catalogue: &Catalogue, now: Now) -> bool {
        let Some(field) = self.field(catalogue) else { return false };
        let values = choices(field);
        if values.is_empty() {
            return false;
        }
        let at = self.fields.get(&field.name).and_then(|v| values.iter().position(|c| c == v)).map_or(0, |i| i + 1);
        let round = values.len() + 1;
        let next = (at + round).saturating_add_signed(by) % round;
        let name = field.name.clone();
        match next.checked_sub(1).and_then(|i| values.get(i)) {
            Some(value) => self.fields.insert(name, value.clone()),
            None => self.fields.shift_remove(&name),
        };
        self.touch(now);
        true
    }

    /// Sets a field, or leaves it to the service.
    pub fn set_field(&mut self, name: &str, value: Option<Value>, now: Now) {
        match value {
            Some(value) => self.fields.insert(name.to_owned(), value),
            None => self.fields.shift_remove(name),
        };
        self.touch(now);
    }

    /// Reads what was typed for a field and sets it; empty text leaves it to the service.
    ///
    /// # Errors
    /// When the text is not of the field's type.
    pub fn type_field(&mut self, name: &str, typed: &str, catalogue: &Catalogue, now: Now) -> Result<(), Invalid> {
        let field = self.spec(catalogue).and_then(|spec| spec.field(name));
        let value = match field {
            Some(field) if !typed.trim().is_empty() => Some(parse_value(field, typed)?),
            _ => None,
        };
        self.set_field(name, value, now);
        Ok(())
    }

    /// The value of a field as text, for editing it.
    #[must_use]
    pub fn field_text(&self, name: &str) -> String {
        self.fields.get(name).map(request::plain).unwrap_or_default()
    }

    /// Changes the model. Fields that the new one has keep their value if it allows it.
    pub fn set_model(&mut self, name: &str, catalogue: &Catalogue, now: Now) {
        let Ok(spec) = find_model(name, catalogue) else { return };
        self.model = spec.name.clone();
        self.fields.retain(|field, value| {
            spec.field(field).is_some_and(|f| f.choices.as_ref().is_none_or(|choices| choices.contains(value)))
        });
        self.chip = 0;
        self.touch(now);
    }

    /// Nothing was typed or set since it was opened.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.changed.is_none() && self.text.is_empty() && self.fields.is_empty()
    }

    /// When the draft must be saved, if it changed.
    #[must_use]
    pub fn due(&self) -> Option<Mono> {
        self.changed.map(|at| at + AUTOSAVE)
    }

    /// The draft to save, if it changed; `force` does not wait.
    pub fn unsaved(&mut self, now: Now, force: bool) -> Option<Draft> {
        if self.changed.is_some() && (force || self.due().is_some_and(|due| due <= now.mono)) {
            self.changed = None;
            return Some(self.draft());
        }
        None
    }
}

/// The values a field can be stepped through.
#[must_use]
pub fn choices(field: &Field) -> Vec<Value> {
    match (&field.choices, field.kind) {
        (Some(choices), _) => choices.clone(),
        (None, FieldKind::Switch) => vec![Value::Bool(true), Value::Bool(false)],
        _ => Vec::new(),
    }
}

/// Width and height of a ratio such as `16:9`.
#[must_use]
pub fn ratio(text: &str) -> Option<(u32, u32)> {
    let (w, h) = text.split_once(':')?;
    let (w, h) = (w.parse().ok()?, h.parse().ok()?);
    (w > 0 && h > 0).then_some((w, h))
}

fn input(chord: Chord) -> Input {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn editor() -> (Editor, Catalogue) {
        let catalogue = Catalogue::built_in();
        (Editor::new(&Draft::default(), &catalogue), catalogue)
    }

    #[test]
    fn values_go_round_and_the_default_is_one_of_them() {
        let (mut editor, catalogue) = editor();
        editor.step_chip(1, &catalogue);
        assert!(!editor.chips(&catalogue)[1].set);
        let mut seen = Vec::new();
        for _ in 0..12 {
            assert!(editor.step_value(1, &catalogue, Now::default()));
            seen.push(editor.chips(&catalogue)[1].clone());
        }
        assert!(!seen[11].set, "after eleven values comes the default again");
        assert_eq!((seen[2].value.as_str(), seen[2].shape), ("16:9", Some((16, 9))));
        editor.step_value(-1, &catalogue, Now::default());
        assert_eq!(editor.chips(&catalogue)[1].value, "21:9");
    }

    #[test]
    fn a_sent_prompt_can_be_undone() {
        let (mut editor, _) = editor();
        editor.paste("a fox\r\nin snow", Now::default());
        assert_eq!((editor.prompt().as_str(), editor.length()), ("a fox\nin snow", 13));
        editor.sent(Now::default());
        assert_eq!(editor.prompt(), "");
        editor.undo(Now::default());
        assert_eq!(editor.prompt(), "a fox\nin snow");
    }

    #[test]
    fn pasted_controls_stay_out() {
        let (mut editor, _) = editor();
        assert!(editor.paste("a\u{1b}[31mb\u{7}", Now::default()));
        assert_eq!(editor.prompt(), "a[31mb");
    }

    #[test]
    fn a_broken_rule_moves_to_its_field() {
        let (mut editor, catalogue) = editor();
        assert!(editor.request(&catalogue, None).is_err());
        assert!(editor.fault_in_text(&catalogue));
        editor.paste("x", Now::default());
        editor.set_field("output_format", Some("bmp".into()), Now::default());
        assert!(editor.request(&catalogue, None).is_err());
        assert_eq!(editor.field(&catalogue).map(|f| f.name.as_str()), Some("output_format"));
    }

    #[test]
    fn the_draft_is_saved_soon_after_the_last_key() {
        let (mut editor, _) = editor();
        let now = Now { mono: Mono(10_000), ..Now::default() };
        editor.paste("x", now);
        assert_eq!(editor.unsaved(now, false), None);
        let later = Now { mono: now.mono + AUTOSAVE, ..now };
        assert_eq!(editor.unsaved(later, false).map(|d| d.prompt), Some("x".into()));
        assert_eq!(editor.unsaved(later, true), None);
    }
}
