//! The models and their fields, as data. No model name and no field name stands in code: what a field means to
//! the screen is its [`Role`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a field means to the screen, whatever its name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The text that says what to make.
    Prompt,
    /// The aspect ratio.
    Shape,
    /// The file format.
    Format,
    /// The resolution, as a tier or in pixels.
    Size,
    /// The quality tier.
    Quality,
    /// Reference pictures.
    References,
    /// The length in seconds.
    Seconds,
    /// The seed.
    Seed,
    /// What not to make.
    Negative,
    /// A second long text, such as lyrics.
    LongText,
    /// Width in pixels.
    Width,
    /// Height in pixels.
    Height,
}

/// The JSON type of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FieldKind {
    /// Text.
    #[serde(rename = "string")]
    Text,
    /// A whole number.
    #[serde(rename = "integer")]
    Integer,
    /// Any number.
    #[serde(rename = "number")]
    Number,
    /// Yes or no.
    #[serde(rename = "boolean")]
    Switch,
    /// A list of texts.
    #[serde(rename = "string[]")]
    Texts,
}

/// One input field of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name in the request's `input`.
    pub name: String,
    /// The type of its value.
    #[serde(rename = "type")]
    pub kind: FieldKind,
    /// What it means to the screen.
    #[serde(default)]
    pub role: Option<Role>,
    /// The service refuses a request without it.
    #[serde(default)]
    pub required: bool,
    /// What the service takes when it is left out. Shown, not sent.
    #[serde(default)]
    pub default: Option<Value>,
    /// The only values allowed, exactly so.
    #[serde(default, rename = "enum")]
    pub choices: Option<Vec<Value>>,
    /// Shortest text, in Unicode scalar values.
    #[serde(default)]
    pub min_length: Option<usize>,
    /// Longest text, in Unicode scalar values.
    #[serde(default)]
    pub max_length: Option<usize>,
    /// Fewest items of a list.
    #[serde(default)]
    pub min_items: Option<usize>,
    /// Most items of a list.
    #[serde(default)]
    pub max_items: Option<usize>,
    /// Least number.
    #[serde(default)]
    pub min: Option<f64>,
    /// Greatest number.
    #[serde(default)]
    pub max: Option<f64>,
    /// How far a key press moves the number; 1 where nothing is said. Values between are allowed.
    #[serde(default)]
    pub step: Option<f64>,
    /// The field takes URLs of this kind of file: `image`, `video`, `audio`.
    #[serde(default)]
    pub media: Option<String>,
    /// It also takes a `data:` URI, the file itself \[C\].
    #[serde(default)]
    pub data_uri: bool,
    /// For people.
    pub description: String,
}

impl Field {
    /// A text so long that a line is too small for it: it gets an editor of its own.
    #[must_use]
    pub fn is_long(&self) -> bool {
        const MANY: usize = 400;
        self.kind == FieldKind::Text
            && self.choices.is_none()
            && self.media.is_none()
            && (matches!(self.role, Some(Role::LongText | Role::Negative))
                || self.max_length.is_some_and(|max| max > MANY))
    }

    /// Its value is a list, or one address that is chosen like those of a list.
    #[must_use]
    pub fn is_list(&self) -> bool {
        self.choices.is_none() && (self.kind == FieldKind::Texts || self.media.is_some())
    }
}

/// A rule across fields: when the condition holds, the requirement must.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constraint {
    /// Field values that trigger the rule; `"present"` means that the field is sent.
    pub when: BTreeMap<String, Condition>,
    /// By field: the allowed values, or `"present"`; `<field>_not`: the forbidden ones; `absent`: fields not to send.
    pub require: BTreeMap<String, Condition>,
    /// For people.
    pub text: String,
}

/// One side of a [`Constraint`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Condition {
    /// `"present"`.
    Word(String),
    /// One of these values (or field names, for `absent`).
    OneOf(Vec<Value>),
}

/// A channel of a model with its own price and capacity; it may change the fields \[C\].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Its name, for the request's `route`.
    pub route: String,
    /// The fields through this channel, where they differ.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// The rules through this channel.
    #[serde(default)]
    pub constraints: Vec<Constraint>,
    /// For people.
    #[serde(default)]
    pub notes: Option<String>,
}

/// A list of prices as once seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// When they were seen.
    pub date: String,
    /// What is charged for: image, second, song, …
    pub unit: String,
    /// USD, by the value of the field that decides; `base` otherwise.
    pub values: BTreeMap<String, f64>,
    /// For people.
    #[serde(default)]
    pub note: Option<String>,
}

/// A model: its name, its fields, their limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// Exact, case-sensitive \[D\].
    pub name: String,
    /// For people.
    pub title: String,
    /// `text-to-image`, `edit`, `video`, `audio`.
    pub kind: String,
    /// `current` or `retired`.
    pub status: String,
    /// How sure the facts are.
    pub confidence: String,
    /// The roles its outputs can have.
    pub output_types: Vec<String>,
    /// Older names that still work.
    pub aliases: Vec<String>,
    /// For people.
    pub description: String,
    /// For people.
    #[serde(default)]
    pub notes: Option<String>,
    /// Prices as once seen.
    #[serde(default)]
    pub price: Option<Price>,
    /// Input fields, in the order they are sent.
    pub fields: Vec<Field>,
    /// Rules across fields.
    pub constraints: Vec<Constraint>,
    /// Other channels.
    pub routes: Vec<Route>,
}

impl ModelSpec {
    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The first field of this role.
    #[must_use]
    pub fn with_role(&self, role: Role) -> Option<&Field> {
        self.fields.iter().find(|field| field.role == Some(role))
    }

    /// The field that takes the prompt, if the model has one.
    #[must_use]
    pub fn prompt(&self) -> Option<&Field> {
        self.with_role(Role::Prompt)
    }

    /// The service still accepts it.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.status == "current"
    }

    /// The model as it is through one of its routes.
    fn through(&self, route: &Route) -> Self {
        let mut spec = self.clone();
        spec.name = format!("{}@{}", self.name, route.route);
        if !route.fields.is_empty() {
            spec.fields.clone_from(&route.fields);
            spec.constraints.clone_from(&route.constraints);
        }
        spec.price = None;
        spec.routes.clear();
        spec
    }
}

#[derive(Deserialize)]
struct File {
    schema: u32,
    default_model: String,
    models: Vec<ModelSpec>,
}

/// Every model known. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Catalogue {
    models: Arc<Vec<Arc<ModelSpec>>>,
    /// Models through a route, by `model@route`, and older names.
    others: Arc<BTreeMap<String, Arc<ModelSpec>>>,
    default_model: Arc<str>,
}

/// A catalogue file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCatalogue {
    /// Not the JSON this program expects.
    #[error("the model catalogue cannot be read: {0}")]
    Unreadable(String),
    /// Written for another version of the program.
    #[error("the model catalogue has schema {0}, this program knows 1")]
    Schema(u32),
    /// The default model is not in it.
    #[error("the model catalogue names {0} as its default but does not describe it")]
    Default(String),
}

impl Catalogue {
    /// The catalogue that is part of the program.
    ///
    /// # Panics
    /// Never in a released program: the file is compiled in, and a test reads it.
    #[must_use]
    pub fn built_in() -> Self {
        match Self::parse(include_str!("models.json")) {
            Ok(catalogue) => catalogue,
            Err(why) => unreachable!("{why}"),
        }
    }

    /// Reads a catalogue.
    ///
    /// # Errors
    /// When the text is no catalogue of schema 1, or lacks its own default model.
    pub fn parse(text: &str) -> Result<Self, BadCatalogue> {
        let file: File = serde_json::from_str(text).map_err(|e| BadCatalogue::Unreadable(e.to_string()))?;
        if file.schema != 1 {
            return Err(BadCatalogue::Schema(file.schema));
        }
        let models: Vec<_> = file.models.into_iter().map(Arc::new).collect();
        let mut others = BTreeMap::new();
        for model in &models {
            for route in &model.routes {
                let spec = Arc::new(model.through(route));
                others.insert(spec.name.clone(), spec);
            }
            for alias in &model.aliases {
                others.insert(alias.clone(), Arc::clone(model));
            }
        }
        if !models.iter().any(|m| m.name == file.default_model) {
            return Err(BadCatalogue::Default(file.default_model));
        }
        Ok(Self { models: Arc::new(models), others: Arc::new(others), default_model: file.default_model.into() })
    }

    /// Every model, current ones and retired ones, in the order of the file.
    #[must_use]
    pub fn models(&self) -> &[Arc<ModelSpec>] {
        &self.models
    }

    /// The model of this exact name, older name, or `model@route`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<ModelSpec>> {
        self.models.iter().find(|m| m.name == name).or_else(|| self.others.get(name))
    }

    /// The model to start with.
    ///
    /// # Panics
    /// Never: [`Catalogue::parse`] refuses a file that lacks it.
    #[must_use]
    pub fn default_model(&self) -> &Arc<ModelSpec> {
        self.get(&self.default_model).expect("parse() checked it")
    }

    /// The models through one of their routes, by `model@route`, in the order of the names.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<ModelSpec>> {
        self.others.iter().filter(|(name, spec)| **name == spec.name).map(|(_, spec)| spec)
    }

    /// Up to three names that look like this one, best first.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Vec<String> {
        nearest(name, self.models.iter().filter(|m| m.is_current()).map(|m| m.name.as_str()))
    }
}

/// Up to three candidates that look like `word`, best first; letter case does not count.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Vec<String> {
    let lower = word.to_lowercase();
    let mut scored: Vec<(f64, &str)> = candidates
        .map(|c| {
            let candidate = c.to_lowercase();
            let bonus = if !lower.is_empty() && candidate.contains(&lower) { 0.3 } else { 0.0 };
            (strsim::jaro_winkler(&lower, &candidate) + bonus, c)
        })
        .filter(|(score, _)| *score > 0.72)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, c)| c.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_catalogue_is_whole() {
        let catalogue = Catalogue::built_in();
        assert_eq!(catalogue.models().len(), 37);
        assert_eq!(catalogue.models().iter().filter(|m| !m.is_current()).count(), 3);
        let first = catalogue.default_model();
        assert_eq!(first.name, "Nano-Banana");
        assert_eq!(first.prompt().and_then(|f| f.max_length), Some(5000));
        for model in catalogue.models() {
            for field in &model.fields {
                let fits = |v: &Value| match field.kind {
                    FieldKind::Text => v.is_string(),
                    FieldKind::Integer => v.is_i64(),
                    FieldKind::Number => v.is_number(),
                    FieldKind::Switch => v.is_boolean(),
                    FieldKind::Texts => v.is_array(),
                };
                assert!(field.default.iter().all(fits), "{} {}", model.name, field.name);
                assert!(field.choices.iter().flatten().all(fits), "{} {}", model.name, field.name);
                if let (Some(default), Some(choices)) = (&field.default, &field.choices) {
                    assert!(choices.contains(default), "{} {}", model.name, field.name);
                }
            }
        }
    }

    #[test]
    fn names_are_exact_but_older_ones_and_routes_work() {
        let catalogue = Catalogue::built_in();
        assert!(catalogue.get("nano-banana").is_none());
        assert_eq!(catalogue.nearest("nano-banana")[0], "Nano-Banana");
        assert_eq!(catalogue.get("gpt-image-2").map(|m| m.name.as_str()), Some("gpt-image-2/text-to-image"));
        let beta = catalogue.get("gpt-image-2/text-to-image@beta").expect("a route");
        assert!(beta.with_role(Role::Shape).is_none());
    }
}
