//! Many tasks of one prompt: its template, several values for a field, repeats, and what that comes to, reckoned without
//! expanding anything and only when something has changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Editor, Found};
use crate::domain::batch::{self, Bill, Many, Mode, Plan};
use crate::domain::template::{self, Fault, TemplateError};
use crate::domain::validate::parse_value;
use crate::domain::{Catalogue, FieldKind, request};
use crate::time::Now;

/// How many tasks what is typed comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Count {
    /// Number and price.
    Known(Bill),
    /// Lists that it names are being read.
    Reading,
    /// More than are sent at once.
    TooMany(u128),
    /// The template cannot be used.
    Broken {
        /// Line and column in the prompt, in characters from 0.
        at: (usize, usize),
        /// What is wrong there.
        why: String,
    },
}

/// What is typed, as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Outlook {
    /// What it comes to.
    pub count: Count,
    /// It stands as typed, and would be something else as a template.
    pub hint: bool,
}

/// An outlook and what it was made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Reckoned {
    outlook: Option<(u64, Outlook)>,
    plan: Option<Arc<Plan>>,
    price: Option<Price>,
}

/// What one prompt costs with every combination of values, and for what fields that holds.
#[derive(Clone, Debug)]
struct Price {
    model: String,
    fields: Map<String, Value>,
    values: Vec<(String, Vec<Value>)>,
    bill: Bill,
}

impl Editor {
    /// What makes several tasks of it.
    #[must_use]
    pub fn many(&self) -> &Many {
        &self.many
    }

    /// What it comes to. It is as of the last [`Self::reckon`].
    #[must_use]
    pub fn outlook(&self) -> Option<&Outlook> {
        self.reckoned.outlook.as_ref().map(|(_, outlook)| outlook)
    }

    /// All tasks that it comes to, unexpanded; made when somebody wants to see or send them.
    #[must_use]
    pub fn plan(&self) -> Option<Arc<Plan>> {
        match &self.reckoned.plan {
            Some(plan) => Some(Arc::clone(plan)),
            None => Plan::one(self.draft(), self.shelf.lists()).ok().map(Arc::new),
        }
    }

    /// Changes what makes several tasks of it.
    pub fn change_many(&mut self, change: impl FnOnce(&mut Many), now: Now) {
        change(&mut self.many);
        self.touch(now);
    }

    pub(super) fn take_many(&mut self, many: &Many, catalogue: &Catalogue) {
        self.many = many.clone();
        if let Some(spec) = catalogue.get(&self.model) {
            self.many.fit(spec);
        }
    }

    /// Gives a field several values, or one, or none.
    pub fn set_values(&mut self, field: &str, mut values: Vec<Value>, now: Now) {
        if values.len() > 1 {
            self.fields.shift_remove(field);
            self.many.set_values(field, values);
            self.touch(now);
        } else {
            self.set_field(field, values.pop(), now);
        }
    }

    /// The values that a field has: one, several, or none that were said.
    #[must_use]
    pub fn values(&self, field: &str) -> Vec<Value> {
        match self.many.values_of(field) {
            Some(values) => values.to_vec(),
            None => self.fields.get(field).cloned().into_iter().collect(),
        }
    }

    /// The values of a field that has several, as text.
    pub(super) fn several(&self, field: &str) -> Option<String> {
        let values = self.many.values_of(field)?;
        Some(values.iter().map(request::plain).collect::<Vec<_>>().join(", "))
    }

    /// Several numbers with commas between them, typed for a field that takes one. `None`: it is something else.
    #[must_use]
    pub fn several_typed(&self, field: &str, typed: &str, catalogue: &Catalogue) -> Option<Vec<Value>> {
        let field = self.spec(catalogue)?.field(field)?;
        let number = matches!(field.kind, FieldKind::Integer | FieldKind::Number);
        if !number || !typed.contains(',') {
            return None;
        }
        let values: Option<Vec<Value>> = typed.split(',').map(|one| parse_value(field, one).ok()).collect();
        let values = values?;
        let twice = values.iter().enumerate().any(|(i, value)| values[..i].contains(value));
        (!twice).then_some(values)
    }

    /// Puts the cursor of the text at a line and a column, in characters from 0.
    pub fn put_cursor(&mut self, at: (usize, usize)) {
        self.text.set_cursor(self.byte(at));
    }

    /// The byte at a line and a column, in characters from 0.
    #[must_use]
    pub fn byte(&self, (line, column): (usize, usize)) -> usize {
        let text = self.text.as_str();
        let begins = match line.checked_sub(1) {
            None => 0,
            Some(nth) => text.match_indices('\n').nth(nth).map_or(text.len(), |(at, _)| at + 1),
        };
        let rest = text.get(begins..).unwrap_or_default();
        begins + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
    }

    /// Lists came. Returns whether they are those that are wanted.
    pub fn take_lists(&mut self, names: &BTreeSet<String>, found: Found) -> bool {
        let wanted = self.shelf.take(names, found);
        if wanted {
            self.revision += 1;
        }
        wanted
    }

    /// The lists may have changed since they were read.
    pub fn refresh_lists(&mut self) {
        self.shelf.refresh();
        self.revision += 1;
    }

    /// The lists that have to be read; says so once.
    pub fn wanted_lists(&mut self) -> Option<BTreeSet<String>> {
        self.shelf.ask()
    }

    /// Reckons what it comes to, if anything has changed.
    pub fn reckon(&mut self, catalogue: &Catalogue) {
        if self.reckoned.outlook.as_ref().is_some_and(|(revision, _)| *revision == self.revision) {
            return;
        }
        self.reckoned.plan = None;
        let outlook = match self.many.mode {
            Mode::Off => {
                let tasks = self.price(catalogue).times(u128::from(self.many.repeat));
                Outlook { count: counted(tasks), hint: !self.is_raw() && template::is_suspect(self.text.as_str()) }
            }
            Mode::All | Mode::Random => Outlook { count: self.expanded(catalogue), hint: false },
        };
        self.reckoned.outlook = Some((self.revision, outlook));
    }

    /// The prompt as a template, counted.
    fn expanded(&mut self, catalogue: &Catalogue) -> Count {
        let draft = self.draft();
        // Reading it twice is worth avoiding where it cannot name a list.
        if !draft.prompt.contains("__") {
            self.shelf.want(BTreeSet::new());
        } else if let Ok(names) = template::names(&draft.prompt) {
            self.shelf.want(names);
        }
        if self.shelf.waits() {
            return Count::Reading;
        }
        let text = draft.prompt.clone();
        match Plan::one(draft, self.shelf.lists()) {
            Ok(plan) => {
                let plan = self.reckoned.plan.insert(Arc::new(plan));
                let tasks = plan.count();
                let combinations = self.many.values.iter().fold(1u128, |n, (_, values)| n * values.len() as u128);
                if tasks > batch::MOST {
                    return Count::TooMany(tasks);
                }
                counted(self.price(catalogue).times(tasks / combinations.max(1)))
            }
            Err(why) => {
                let (byte, why) = self.trouble(&text, &why);
                Count::Broken { at: spot(&text, byte), why }
            }
        }
    }

    /// Where in the prompt something is wrong, as a byte, and what.
    fn trouble(&self, text: &str, why: &TemplateError) -> (usize, String) {
        let place = |name: &str| text.find(&format!("__{name}__"));
        if let Fault::NoList(name) = &why.fault {
            if let Some(bad) = self.shelf.why(name) {
                return (why.at.byte, bad.to_owned());
            }
            // It was read; then one of the lists is broken, this one or another.
            if let Some(broken) = self.shelf.broken() {
                let named = broken.list.as_ref().and_then(|(list, _)| place(list));
                // A list that only another list names cannot be read: that is the reason.
                let inner = match &broken.fault {
                    Fault::NoList(inner) => self.shelf.why(inner),
                    _ => None,
                };
                return (named.unwrap_or(why.at.byte), inner.map_or_else(|| broken.to_string(), str::to_owned));
            }
        }
        (why.at.byte, why.fault.to_string())
    }

    /// One prompt, with every combination of values.
    fn price(&mut self, catalogue: &Catalogue) -> Bill {
        let price = self.reckoned.price.take().filter(|price| {
            price.model == self.model && price.fields == self.fields && price.values == self.many.values
        });
        let price = price.unwrap_or_else(|| {
            let (model, fields) = (self.model.clone(), self.fields.clone());
            let values = self.many.values.clone();
            let combinations = values.iter().fold(1u128, |n, (_, values)| n.saturating_mul(values.len() as u128));
            let many = Many { values: values.clone(), ..Many::default() };
            let draft =
                crate::domain::Draft { model: model.clone(), fields: fields.clone(), many, ..Default::default() };
            let bill = match Plan::one(draft, &template::Lists::default()) {
                Ok(plan) if combinations <= batch::MOST => plan.bill(catalogue),
                // It is refused for its number; what it would cost does not matter.
                _ => Bill { tasks: combinations, unknown: combinations, ..Bill::default() },
            };
            Price { model, fields, values, bill }
        });
        self.reckoned.price.insert(price).bill.clone()
    }
}

fn counted(bill: Bill) -> Count {
    if bill.tasks > batch::MOST { Count::TooMany(bill.tasks) } else { Count::Known(bill) }
}

/// Line and column of a byte.
fn spot(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..text.floor_char_boundary(byte)).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count(), line.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::template::lines;
    use crate::domain::{Draft, Usd};

    fn editor(prompt: &str, mode: Mode) -> (Editor, Catalogue) {
        let catalogue = Catalogue::built_in();
        let mut editor = Editor::new(&Draft::default(), &catalogue);
        editor.paste(prompt, Now::default());
        editor.change_many(|many| many.mode = mode, Now::default());
        (editor, catalogue)
    }

    fn count(editor: &mut Editor, catalogue: &Catalogue) -> Count {
        editor.reckon(catalogue);
        editor.outlook().expect("reckoned").count.clone()
    }

    fn tasks(editor: &mut Editor, catalogue: &Catalogue) -> u128 {
        match count(editor, catalogue) {
            Count::Known(bill) => bill.tasks,
            other => panic!("{other:?}"),
        }
    }

    fn broken(editor: &mut Editor, catalogue: &Catalogue) -> ((usize, usize), String) {
        match count(editor, catalogue) {
            Count::Broken { at, why } => (at, why),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn braces_stand_as_typed_until_somebody_says_otherwise() {
        let (mut editor, catalogue) = editor("a {red|blue} fox", Mode::Off);
        assert_eq!(tasks(&mut editor, &catalogue), 1);
        assert!(editor.outlook().is_some_and(|outlook| outlook.hint));
        editor.change_many(|many| many.mode = Mode::All, Now::default());
        assert_eq!(tasks(&mut editor, &catalogue), 2);
        assert!(editor.outlook().is_some_and(|outlook| !outlook.hint));
        for plain in [r#"{"prompt": "a fox", "b": [1]}"#, "a | b", "a fox # comment", "snake_case__", "{"] {
            let (mut editor, catalogue) = self::editor(plain, Mode::Off);
            editor.reckon(&catalogue);
            assert!(editor.outlook().is_some_and(|outlook| !outlook.hint), "{plain}");
        }
    }

    #[test]
    fn values_templates_and_repeats_multiply_and_so_does_the_price() {
        let (mut editor, catalogue) = editor("a {red|blue} fox", Mode::All);
        let priced = |spec: &&Arc<crate::domain::ModelSpec>| {
            let choices = |field: &crate::domain::Field| field.choices.as_ref().is_some_and(|all| all.len() > 2);
            spec.is_current() && spec.price.is_some() && spec.fields.iter().any(choices)
        };
        let model = catalogue.models().iter().find(priced).expect("a model with a price").name.clone();
        editor.set_model(&model, &catalogue, Now::default());
        let field = editor
            .spec(&catalogue)
            .and_then(|spec| spec.fields.iter().find(|field| super::super::choices(field).len() > 2));
        let (name, choices) = field.map(|field| (field.name.clone(), super::super::choices(field))).expect("choices");
        editor.set_field(&name, Some(choices[2].clone()), Now::default());
        editor.set_values(&name, choices[..3].to_vec(), Now::default());
        editor.change_many(|many| many.repeat = 2, Now::default());
        let Count::Known(bill) = count(&mut editor, &catalogue) else { panic!("not known") };
        assert_eq!((bill.tasks, bill.unknown), (12, 0));
        let plan = editor.plan().expect("a plan");
        let whole = plan.bill(&catalogue);
        assert!(whole.usd == bill.usd && whole.tasks == 12 && bill.usd > Usd::ZERO);
        assert_eq!(plan.items().count(), 12);
        let chip = editor.chips(&catalogue).into_iter().find(|chip| chip.field.as_deref() == Some(&name)).expect("it");
        assert!(chip.set && chip.value.matches(", ").count() == 2, "{}", chip.value);
        editor.set_field(&name, Some(choices[0].clone()), Now::default());
        assert_eq!(tasks(&mut editor, &catalogue), 4, "one value is no matrix");
        editor.change_many(|many| (many.mode, many.each) = (Mode::Random, 7), Now::default());
        assert_eq!(tasks(&mut editor, &catalogue), 14);
    }

    #[test]
    fn a_mistake_has_a_line_and_a_column() {
        let (mut editor, catalogue) = editor("a fox\n狐 in {snow|rain", Mode::All);
        let (at, why) = broken(&mut editor, &catalogue);
        assert_eq!((at, why.starts_with("this { is never closed")), ((1, 5), true), "{why}");
        editor.change_many(|many| many.mode = Mode::Off, Now::default());
        assert_eq!(tasks(&mut editor, &catalogue), 1, "as typed it is no mistake");
    }

    #[test]
    fn more_than_can_be_sent_is_counted_all_the_same() {
        let (mut editor, catalogue) = editor(&"{0|1|2|3|4|5|6|7|8|9}".repeat(12), Mode::All);
        assert_eq!(count(&mut editor, &catalogue), Count::TooMany(1_000_000_000_000));
        editor.change_many(|many| (many.mode, many.repeat) = (Mode::Random, 2_501), Now::default());
        assert_eq!(count(&mut editor, &catalogue), Count::TooMany(10_004));
    }

    /// G3: missing, too large, broken: told at the place where the prompt names the list.
    #[test]
    fn lists_are_asked_for_once_and_what_is_wrong_is_told_at_their_place() {
        let (mut editor, catalogue) = editor("a __colour__ fox", Mode::All);
        assert_eq!(count(&mut editor, &catalogue), Count::Reading);
        let wanted = editor.wanted_lists().expect("lists are wanted");
        editor.paste(", sleeping", Now::default());
        assert_eq!(count(&mut editor, &catalogue), Count::Reading);
        assert_eq!(editor.wanted_lists(), None, "the same lists are not asked for at every key");
        let told = |editor: &mut Editor, all: &[(&str, Result<&str, &str>)]| {
            let found = all.iter().map(|(name, one)| ((*name).to_owned(), one.map(lines).map_err(str::to_owned)));
            assert!(editor.take_lists(&wanted, found.collect()));
            count(editor, &catalogue)
        };
        let Count::Known(bill) = told(&mut editor, &[("colour", Ok("red\nblue\n{pale|dark} green"))]) else { panic!() };
        assert_eq!(bill.tasks, 4);
        let huge = "the list \"colour\" is larger than 1 MiB".to_owned();
        assert_eq!(told(&mut editor, &[("colour", Err(&huge))]), Count::Broken { at: (0, 2), why: huge.clone() });
        let Count::Broken { at, why } = told(&mut editor, &[("colour", Ok("red\n{blue"))]) else { panic!() };
        assert_eq!((at, why.contains("line 2, character 1")), ((0, 2), true), "{why}");
        let inner = [("colour", Ok("__shade__")), ("shade", Err("the list \"shade\" is no text"))];
        let Count::Broken { at, why } = told(&mut editor, &inner) else { panic!() };
        assert_eq!((at, why.as_str()), ((0, 2), "the list \"shade\" is no text"));
        assert!(!editor.take_lists(&["other".to_owned()].into(), Found::new()), "an old answer changes nothing");
        editor.refresh_lists();
        assert_eq!(editor.wanted_lists(), Some(wanted));
    }

    #[test]
    fn what_was_sent_takes_its_template_along() {
        let (mut editor, catalogue) = editor("a {red|blue} fox", Mode::All);
        editor.change_many(|many| many.repeat = 5, Now::default());
        editor.sent(Now::default());
        assert!(editor.many().is_one());
        editor.undo(Now::default());
        assert_eq!(tasks(&mut editor, &catalogue), 1, "the text is back, and stands as typed");
    }

    #[test]
    fn several_numbers_can_be_typed() {
        let catalogue = Catalogue::built_in();
        let of = |kind: FieldKind| {
            let has = |spec: &&Arc<crate::domain::ModelSpec>| {
                spec.is_current() && spec.fields.iter().any(|field| field.kind == kind && field.choices.is_none())
            };
            let spec = catalogue.models().iter().find(has).expect("a model").clone();
            let field = spec.fields.iter().find(|field| field.kind == kind && field.choices.is_none());
            let editor = Editor::new(&Draft { model: spec.name.clone(), ..Draft::default() }, &catalogue);
            (editor, field.expect("a field").name.clone())
        };
        let (editor, name) = of(FieldKind::Integer);
        assert_eq!(editor.several_typed(&name, "1, 2,3", &catalogue).map(|values| values.len()), Some(3));
        for bad in ["1", "1, x", "1, 1", ","] {
            assert_eq!(editor.several_typed(&name, bad, &catalogue), None, "{bad}");
        }
        let (editor, name) = of(FieldKind::Texts);
        assert_eq!(editor.several_typed(&name, "https://a.example,https://b.example", &catalogue), None);
    }
}
