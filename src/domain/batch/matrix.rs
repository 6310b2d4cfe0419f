//! Several values for a field: every combination of them becomes a task.

use serde_json::Value;

use crate::domain::catalogue::{ModelSpec, Role, nearest};
use crate::domain::validate::{Invalid, parse_value};

/// Fields with their values, for one model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    axes: Vec<(String, Vec<Value>)>,
}

/// A matrix that cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BadMatrix {
    /// Not `FIELD=a,b`.
    #[error("--matrix takes FIELD=a,b, not {0:?}")]
    Form(String),
    /// The model has no such field; the nearest names.
    #[error("this model has no field {0:?}{near}", near = near(.1))]
    NoField(String, Vec<String>),
    /// Prompts are not a field to vary.
    #[error("{0} is the prompt; give several, or a template")]
    Prompt(String),
    /// The same field in two places.
    #[error("{0} has its values already")]
    Twice(String),
    /// The same value twice: it would be paid twice.
    #[error("{0} has the value {1} twice; --repeat sends the same again")]
    Same(String, String),
    /// A value that is not of the field's type.
    #[error("{0}")]
    Value(String),
}

fn near(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!("; did you mean {}?", names.join(", ")) }
}

impl From<Invalid> for BadMatrix {
    fn from(fault: Invalid) -> Self {
        Self::Value(fault.to_string())
    }
}

impl Matrix {
    /// Reads `FIELD=a,b`, once for each field. A comma in a value is written `\,`; or the values are a JSON list.
    ///
    /// # Errors
    /// See [`BadMatrix`].
    pub fn parse(settings: &[String], spec: &ModelSpec) -> Result<Self, BadMatrix> {
        let mut axes: Vec<(String, Vec<Value>)> = Vec::new();
        for setting in settings {
            let (name, text) = setting.split_once('=').ok_or_else(|| BadMatrix::Form(setting.clone()))?;
            let Some(field) = spec.field(name) else {
                let near = nearest(name, spec.fields.iter().map(|field| field.name.as_str()));
                return Err(BadMatrix::NoField(name.to_owned(), near));
            };
            if field.role == Some(Role::Prompt) {
                return Err(BadMatrix::Prompt(name.to_owned()));
            }
            if axes.iter().any(|(other, _)| other == name) {
                return Err(BadMatrix::Twice(name.to_owned()));
            }
            let values = match serde_json::from_str::<Vec<Value>>(text) {
                Ok(values) => values,
                Err(_) => split(text).iter().map(|value| parse_value(field, value)).collect::<Result<_, _>>()?,
            };
            if values.is_empty() {
                return Err(BadMatrix::Form(setting.clone()));
            }
            if let Some((_, twice)) = values.iter().enumerate().find(|(i, value)| values[..*i].contains(value)) {
                return Err(BadMatrix::Same(name.to_owned(), twice.to_string()));
            }
            axes.push((name.to_owned(), values));
        }
        Ok(Self { axes })
    }

    /// Of values that were chosen, not typed. A field without any is left out.
    #[must_use]
    pub fn of(values: &[(String, Vec<Value>)]) -> Self {
        Self { axes: values.iter().filter(|(_, values)| !values.is_empty()).cloned().collect() }
    }

    /// How many combinations there are; saturating.
    #[must_use]
    pub fn count(&self) -> u128 {
        self.axes.iter().fold(1u128, |count, (_, values)| count.saturating_mul(values.len() as u128))
    }

    /// A combination by its number, from 0; the last field changes fastest.
    pub fn at(&self, mut index: u128) -> impl Iterator<Item = (&str, &Value)> {
        let mut picks = Vec::with_capacity(self.axes.len());
        for (name, values) in self.axes.iter().rev() {
            let count = (values.len() as u128).max(1);
            let digit = usize::try_from(index % count).unwrap_or(0);
            index /= count;
            picks.extend(values.get(digit).map(|value| (name.as_str(), value)));
        }
        picks.into_iter().rev()
    }

    /// The fields that vary.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.axes.iter().map(|(name, _)| name.as_str())
    }
}

/// At commas, but not at `\,`.
fn split(text: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut value = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.next_if_eq(&',').is_some() => value.push(','),
            ',' => values.push(std::mem::take(&mut value)),
            c => value.push(c),
        }
    }
    values.push(value);
    values
}
