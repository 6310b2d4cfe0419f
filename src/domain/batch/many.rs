//! How one draft becomes several tasks: its prompt as a template, several values for fields, repeats. Plain data, kept
//! with the draft.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::MOST;
use super::plan::Expand;
use crate::domain::catalogue::{ModelSpec, Role};

/// So many prompts are drawn when nothing else was said.
const DRAWS: u32 = 4;

/// Whether the prompt is a template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It is what it says, braces and all.
    #[default]
    Off,
    /// All its prompts.
    All,
    /// Some of them, by chance.
    Random,
}

/// What makes several tasks of a draft.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Many {
    /// Whether the prompt is a template.
    pub mode: Mode,
    /// How many prompts chance makes, from 1.
    pub each: u32,
    /// What decides them.
    pub seed: u64,
    /// The user said the seed: the next prompt has it, too.
    pub said: bool,
    /// How often each task is made, from 1.
    pub repeat: u32,
    /// Fields with several values, in the order they were chosen in. What stands here is not among the draft's fields.
    pub values: Vec<(String, Vec<Value>)>,
}

impl Default for Many {
    fn default() -> Self {
        Self { mode: Mode::Off, each: DRAWS, seed: 0, said: false, repeat: 1, values: Vec::new() }
    }
}

impl Many {
    /// A single task, its prompt as typed.
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.mode == Mode::Off && self.repeat == 1 && self.values.is_empty()
    }

    /// Nothing to keep.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// How prompts are expanded.
    #[must_use]
    pub fn expand(&self) -> Expand {
        match self.mode {
            Mode::Off => Expand::Off,
            Mode::All => Expand::All,
            Mode::Random => Expand::Random { each: self.each, seed: self.seed },
        }
    }

    /// The values of a field, where it has several.
    #[must_use]
    pub fn values_of(&self, field: &str) -> Option<&[Value]> {
        self.values.iter().find(|(name, _)| name == field).map(|(_, values)| values.as_slice())
    }

    /// Gives a field several values; with fewer than two it has none here.
    pub fn set_values(&mut self, field: &str, values: Vec<Value>) {
        match self.values.iter_mut().find(|(name, _)| name == field) {
            _ if values.len() < 2 => self.values.retain(|(name, _)| name != field),
            Some((_, old)) => *old = values,
            None => self.values.push((field.to_owned(), values)),
        }
    }

    /// Leaves nothing that this model does not take, and no number out of bounds: it may come from a file.
    pub fn fit(&mut self, spec: &ModelSpec) {
        let most = u32::try_from(MOST).unwrap_or(u32::MAX);
        self.repeat = self.repeat.clamp(1, most);
        self.each = self.each.clamp(1, most);
        for (name, values) in &mut self.values {
            let field = spec.field(name).filter(|field| field.role != Some(Role::Prompt));
            let allowed = |value: &Value| {
                field.is_some_and(|field| field.choices.as_ref().is_none_or(|choices| choices.contains(value)))
            };
            let mut kept: Vec<Value> = Vec::new();
            for value in std::mem::take(values) {
                if allowed(&value) && !kept.contains(&value) && !value.is_null() {
                    kept.push(value);
                }
            }
            *values = kept;
        }
        self.values.retain(|(_, values)| values.len() > 1);
    }

    /// What stays for the next prompt after this one was sent: the values, which the form shows, and a seed that was
    /// said. What the prompt is taken for goes with it.
    #[must_use]
    pub fn after_sending(&self) -> Self {
        let seed = if self.said { self.seed } else { 0 };
        Self { mode: Mode::Off, repeat: 1, seed, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Catalogue, Draft};

    #[test]
    fn it_survives_as_json_and_what_is_missing_is_the_default() {
        let mut many = Many { mode: Mode::Random, each: 7, seed: u64::MAX, said: true, repeat: 3, ..Many::default() };
        many.set_values("a", vec!["1:1".into(), 5.into()]);
        let draft = Draft { many: many.clone(), ..Draft::default() };
        let text = serde_json::to_string(&draft).expect("JSON");
        assert_eq!(serde_json::from_str::<Draft>(&text).expect("a draft"), draft);
        assert_eq!(serde_json::from_str::<Many>("{}").expect("JSON"), Many::default());
        let old: Draft = serde_json::from_str(r#"{"model":"m","prompt":"p","fields":{}}"#).expect("a draft");
        assert!(old.many.is_one());
        assert!(!serde_json::to_string(&old).expect("JSON").contains("many"), "what says nothing is not written");
    }

    #[test]
    fn what_a_model_does_not_take_is_dropped() {
        let catalogue = Catalogue::built_in();
        let spec = catalogue.default_model();
        let field = spec.fields.iter().find(|field| field.choices.is_some()).expect("a field with choices");
        let choices = field.choices.clone().unwrap_or_default();
        let prompt = spec.prompt().expect("a prompt").name.clone();
        let twice = vec![choices[0].clone(), choices[0].clone(), choices[1].clone(), "nonsense".into()];
        let values = vec![
            (field.name.clone(), twice),
            ("nobody".into(), vec![1.into(), 2.into()]),
            (prompt, vec!["a".into(), "b".into()]),
        ];
        let mut many = Many { repeat: 0, each: u32::MAX, values, ..Many::default() };
        many.fit(spec);
        assert_eq!((many.repeat, many.each), (1, 10_000));
        assert_eq!(many.values, [(field.name.clone(), choices[..2].to_vec())]);
        many.set_values(&field.name, vec![choices[0].clone()]);
        assert!(many.values.is_empty(), "one value is no matrix");
    }

    #[test]
    fn the_next_prompt_is_no_template() {
        let mut many = Many { mode: Mode::Random, seed: 5, repeat: 9, ..Many::default() };
        many.set_values("a", vec![1.into(), 2.into()]);
        let next = many.after_sending();
        assert_eq!((next.mode, next.repeat, next.seed, next.values.len()), (Mode::Off, 1, 0, 1));
        assert_eq!(Many { said: true, ..many }.after_sending().seed, 5);
    }
}
