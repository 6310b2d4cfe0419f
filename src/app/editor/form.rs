//! The form under the prompt: the model and its fields, what they stand at, how they change.

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::Editor;
use crate::domain::validate::parse_value;
use crate::domain::{Catalogue, Field, FieldKind, Invalid, Role, request, text};
use crate::time::Now;

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

impl Editor {
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
            let several = self.several(&field.name);
            let set = self.fields.get(&field.name);
            let shown = several.clone().or_else(|| set.or(field.default.as_ref()).map(request::plain));
            let value = shown.filter(|v| !v.is_empty()).unwrap_or_else(|| "–".into());
            Chip {
                label: field.name.replace('_', " "),
                shape: (field.role == Some(Role::Shape)).then(|| ratio(&value)).flatten(),
                value: text::cut(&text::one_line(&value), 40).into_owned(),
                set: set.is_some() || several.is_some(),
                missing: field.required && set.is_none() && several.is_none() && field.default.is_none(),
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
        self.many.set_values(&name, Vec::new());
        match next.checked_sub(1).and_then(|i| values.get(i)) {
            Some(value) => self.fields.insert(name, value.clone()),
            None => self.fields.shift_remove(&name),
        };
        self.touch(now);
        true
    }

    /// Sets a field, or leaves it to the service.
    pub fn set_field(&mut self, name: &str, value: Option<Value>, now: Now) {
        self.many.set_values(name, Vec::new());
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
        self.several(name).or_else(|| self.fields.get(name).map(request::plain)).unwrap_or_default()
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
