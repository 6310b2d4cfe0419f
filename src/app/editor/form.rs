//! The form under the prompt: the model and its fields, what they stand at, how they change.

use ratatui::buffer::CellWidth;
use serde_json::{Number, Value};
use unicode_segmentation::UnicodeSegmentation;

use super::Editor;
use super::media;
use crate::domain::validate::{broken, check_value, parse_value};
use crate::domain::{Catalogue, Field, FieldKind, Invalid, Role, request, text};
use crate::time::Now;

/// The longest value that is shown whole, in cells.
const LONGEST_VALUE: usize = 40;

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
    /// The last attempt was refused because of it, or a rule is broken that has to do with it.
    pub fault: bool,
    /// Width to height, for a field that means the shape.
    pub shape: Option<(u32, u32)>,
}

impl Chip {
    /// Cells on the screen: label, space, a small drawing of the shape, value, and two to the next one.
    #[must_use]
    pub fn width(&self) -> u16 {
        let drawing = if self.shape.is_some() { 3 } else { 0 };
        let mark = usize::from(self.missing);
        let text = cells(&self.label) + mark + 1 + drawing + cells(&self.value) + 3;
        u16::try_from(text).unwrap_or(u16::MAX)
    }
}

impl Editor {
    /// The form: the model, then every field but the prompt.
    #[must_use]
    pub fn chips(&self, catalogue: &Catalogue) -> Vec<Chip> {
        let broken = self.broken(catalogue);
        let fault = |field: Option<&str>| {
            let is_it = |fault: &Invalid| fault.field.as_deref() == field;
            self.fault.as_ref().is_some_and(is_it)
                || broken.as_ref().is_some_and(|fault| field.is_some() && is_it(fault))
        };
        let model = Chip {
            field: None,
            label: "model".into(),
            value: self.model.clone(),
            set: true,
            missing: false,
            fault: fault(None),
            shape: None,
        };
        let fields = self.spec(catalogue).into_iter().flat_map(|spec| &spec.fields);
        let fields = fields.filter(|field| field.role != Some(Role::Prompt)).map(|field| {
            let several = self.several(&field.name);
            let set = self.fields.get(&field.name);
            let shown = several.clone().or_else(|| set.or(field.default.as_ref()).map(|value| shown(field, value)));
            let value = shown.filter(|v| !v.is_empty()).unwrap_or_else(|| "–".into());
            Chip {
                label: field.name.replace('_', " "),
                shape: (field.role == Some(Role::Shape)).then(|| ratio(&value)).flatten(),
                value: cut(&text::one_line(&value), LONGEST_VALUE),
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

    /// The first rule that what is set breaks already, whatever is still missing.
    #[must_use]
    pub fn broken(&self, catalogue: &Catalogue) -> Option<Invalid> {
        broken(self.spec(catalogue)?, &self.fields)
    }

    /// The value after, or before, the one the chosen field has; the service's default is one of the round. A number
    /// goes up or down by its step and stays in its range. Returns false where there is nothing to step through.
    pub fn step_value(&mut self, by: isize, catalogue: &Catalogue, now: Now) -> bool {
        let Some(field) = self.field(catalogue) else { return false };
        let values = choices(field);
        if let Some(value) = stepped(field, self.fields.get(&field.name), by).filter(|_| values.is_empty()) {
            let name = field.name.clone();
            self.set_field(&name, Some(value), now);
            return true;
        }
        if values.is_empty() {
            return false;
        }
        let at = self.fields.get(&field.name).and_then(|v| values.iter().position(|c| c == v)).map_or(0, |i| i + 1);
        let round = values.len() + 1;
        let next = (at + round).saturating_add_signed(by) % round;
        let name = field.name.clone();
        self.set_field(&name, next.checked_sub(1).and_then(|i| values.get(i)).cloned(), now);
        true
    }

    /// Sets a field, or leaves it to the service.
    pub fn set_field(&mut self, name: &str, value: Option<Value>, now: Now) {
        self.many.set_values(name, Vec::new());
        match value {
            Some(value) => self.fields.insert(name.to_owned(), value),
            None => self.fields.shift_remove(name),
        };
        self.write_raw();
        self.touch(now);
    }

    /// Reads what was typed for a field and sets it; empty text leaves it to the service.
    ///
    /// # Errors
    /// When the text is not of the field's type.
    pub fn type_field(&mut self, name: &str, typed: &str, catalogue: &Catalogue, now: Now) -> Result<(), Invalid> {
        let field = self.spec(catalogue).and_then(|spec| spec.field(name));
        let value = match field {
            Some(field) if !typed.trim().is_empty() => Some(read_value(field, typed)?),
            _ => None,
        };
        self.set_field(name, value, now);
        Ok(())
    }

    /// What a field was set to.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
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

/// Reads what was typed for a field, and checks it against the rules of the field alone.
///
/// # Errors
/// The rule that it breaks.
pub fn read_value(field: &Field, typed: &str) -> Result<Value, Invalid> {
    let value = parse_value(field, typed)?;
    check_value(field, &value)?;
    Ok(value)
}

/// The number one step on, within its range; from nothing it begins at the default or the nearest to zero.
fn stepped(field: &Field, set: Option<&Value>, by: isize) -> Option<Value> {
    if !matches!(field.kind, FieldKind::Integer | FieldKind::Number) {
        return None;
    }
    let (least, most) = (field.min.unwrap_or(f64::MIN), field.max.unwrap_or(f64::MAX));
    let step = field.step.filter(|step| *step > 0.0).unwrap_or(1.0);
    #[allow(clippy::cast_precision_loss, reason = "steps are few")]
    let next = match set.or(field.default.as_ref()).and_then(Value::as_f64) {
        Some(now) => now + step * by as f64,
        None => 0.0,
    };
    let next = next.clamp(least, most.max(least));
    #[allow(clippy::cast_possible_truncation, reason = "checked to be whole and small enough")]
    match field.kind {
        // Beyond this not every whole number is one of these.
        FieldKind::Integer if next.abs() < 9e15 => Some(Value::from(next.round() as i64)),
        FieldKind::Integer => set.cloned(),
        // Sums of tenths are not to grow tails.
        _ => Number::from_f64((next * 1e6).round() / 1e6).map(Value::Number),
    }
}

/// A value in the form: a list of addresses in few words, anything else as it is.
fn shown(field: &Field, value: &Value) -> String {
    if field.media.is_some() { media::in_words(field, value) } else { request::plain(value) }
}

/// What is allowed in a field, in few words: its range, its length, how many.
#[must_use]
pub fn limits(field: &Field) -> String {
    let mut parts = Vec::new();
    match (field.min, field.max) {
        (Some(min), Some(max)) => parts.push(format!("{min} to {max}")),
        (Some(min), None) => parts.push(format!("at least {min}")),
        (None, Some(max)) => parts.push(format!("at most {max}")),
        (None, None) => {}
    }
    parts.extend(field.step.map(|step| format!("steps of {step}")));
    let noun = |count: usize| format!("{count} {}", media::noun(field.media.as_deref(), count != 1));
    match (field.min_items, field.max_items) {
        (Some(min), Some(max)) if min == max => parts.push(format!("exactly {}", noun(min))),
        (Some(min), Some(max)) => parts.push(format!("{min} to {}", noun(max))),
        (Some(min), None) => parts.push(format!("at least {}", noun(min))),
        (None, Some(max)) => parts.push(format!("at most {}", noun(max))),
        (None, None) => {}
    }
    parts.extend(field.max_length.map(|max| format!("at most {max} characters")));
    let default = field.default.as_ref().map(request::plain).filter(|text| !text.is_empty());
    parts.extend(default.map(|value| format!("default {value}")));
    parts.join(", ")
}

/// Cells that this text takes.
fn cells(text: &str) -> usize {
    text.graphemes(true).map(|grapheme| usize::from(grapheme.cell_width())).sum()
}

/// Cuts text to so many cells; the last one is then an ellipsis.
fn cut(text: &str, most: usize) -> String {
    if cells(text) <= most {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |grapheme: &&str| {
        used += usize::from(grapheme.cell_width());
        used <= most
    };
    text.graphemes(true).take_while(fits).collect::<String>() + "…"
}

/// Width and height of a ratio such as `16:9`.
#[must_use]
pub fn ratio(text: &str) -> Option<(u32, u32)> {
    let (w, h) = text.split_once(':')?;
    let (w, h) = (w.parse().ok()?, h.parse().ok()?);
    (w > 0 && h > 0).then_some((w, h))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Draft;

    fn number(field: &str) -> Field {
        serde_json::from_str(&format!(r#"{{"name":"n","type":"integer","description":"",{field}}}"#)).expect("a field")
    }

    #[test]
    fn numbers_step_within_their_range() {
        let field = number(r#""min":256,"max":1440,"step":16"#);
        assert_eq!(stepped(&field, None, 1), Some(256.into()));
        assert_eq!(stepped(&field, Some(&256.into()), 1), Some(272.into()));
        assert_eq!(stepped(&field, Some(&1430.into()), 1), Some(1440.into()));
        assert_eq!(stepped(&field, Some(&1440.into()), 1), Some(1440.into()));
        let field = number(r#""default":5,"min":4,"max":15"#);
        assert_eq!(stepped(&field, None, 1), Some(6.into()));
        assert_eq!(stepped(&field, None, -1), Some(4.into()));
        let field = number(r#""role":"seed""#);
        assert_eq!(
            (stepped(&field, None, 1), stepped(&field, Some(&0.into()), -1)),
            (Some(0.into()), Some((-1).into()))
        );
        assert_eq!(stepped(&field, Some(&i64::MAX.into()), 1), Some(i64::MAX.into()));
        let mut field = number(r#""step":0.1"#);
        field.kind = FieldKind::Number;
        assert_eq!(stepped(&field, Some(&0.2.into()), 1), Some(0.3.into()));
    }

    #[test]
    fn what_is_typed_is_checked() {
        let field = number(r#""min":1,"max":9"#);
        let words = |typed: &str| read_value(&field, typed).map_err(|why| why.to_string());
        assert_eq!(words(" 4 "), Ok(4.into()));
        assert_eq!(words("10"), Err("n must be from 1 to 9".into()));
        assert_eq!(words("many"), Err("n must be a whole number".into()));
        assert_eq!(limits(&field), "1 to 9");
    }

    #[test]
    fn a_broken_rule_marks_its_field_while_typing() {
        let catalogue = Catalogue::built_in();
        let spec = catalogue.models().iter().find(|spec| spec.constraints.len() > 3).expect("a model with rules");
        let mut editor = Editor::new(&Draft { model: spec.name.clone(), ..Draft::default() }, &catalogue);
        assert_eq!(editor.broken(&catalogue), None);
        editor.set_field("resolution", Some("4K".into()), Now::default());
        editor.set_field("aspect_ratio", Some("3:1".into()), Now::default());
        assert!(editor.broken(&catalogue).is_some_and(|fault| fault.to_string().contains("unavailable at 4K")));
        assert_eq!(editor.chips(&catalogue).iter().filter(|chip| chip.fault).count(), 1);
    }

    #[test]
    fn values_are_cut_by_their_cells() {
        assert_eq!(cut("長い長い", 5), "長い…");
        assert_eq!(cells(&cut(&"👩‍🚀".repeat(50), LONGEST_VALUE)), 39);
        assert_eq!(cut("short", 5), "short");
    }
}
