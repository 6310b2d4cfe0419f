//! Draft against model: everything that would be refused is found here, before anything is sent.

use std::fmt;

use serde_json::{Map, Value};

use super::catalogue::{Catalogue, Condition, Field, FieldKind, ModelSpec, Role, nearest};
use super::raw::LONGEST_NAME;
use super::request::{Draft, LONGEST_BODY, Request, plain};

/// One broken rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Invalid {
    /// The field whose rule it is: `None` for the model itself.
    pub field: Option<String>,
    /// The rule.
    pub fault: Fault,
}

/// The rules that can be broken.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// No such model; the nearest names.
    UnknownModel(String, Vec<String>),
    /// The service has retired it.
    RetiredModel(String),
    /// No such field; the nearest names.
    UnknownField(Vec<String>),
    /// A required field is missing or empty.
    Missing,
    /// Not of the field's type.
    Type(FieldKind),
    /// Not one of the allowed values; these are.
    NotAllowed(String, Vec<String>),
    /// Too long: so many of so many characters.
    TooLong(usize, usize),
    /// Too short.
    TooShort(usize, usize),
    /// Too many items.
    TooMany(usize, usize),
    /// Too few items.
    TooFew(usize, usize),
    /// Below the least or above the greatest number.
    Range(Option<f64>, Option<f64>),
    /// Not an http(s) URL.
    NotUrl,
    /// A rule across fields, in the catalogue's words.
    Together(String),
    /// The callback URL is not https.
    Callback,
    /// The input that was typed is not JSON: line and column, both from 1, and what the reader says.
    Json(usize, usize, String),
    /// It is JSON, but no object.
    NotObject,
    /// The request is too large: so many of so many bytes.
    TooLarge(usize, usize),
    /// Not the name of a model: empty, too long, or with blanks in it.
    Name,
}

impl Invalid {
    fn of(field: &Field, fault: Fault) -> Self {
        Self { field: Some(field.name.clone()), fault }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field.as_deref().unwrap_or("request");
        let hint = |names: &[String]| match names {
            [] => String::new(),
            names => format!("; did you mean {}?", names.join(", ")),
        };
        match &self.fault {
            Fault::UnknownModel(name, near) => write!(f, "there is no model {name:?}{}", hint(near)),
            Fault::RetiredModel(name) => write!(f, "the service has retired the model {name}"),
            Fault::UnknownField(near) => write!(f, "this model has no field {field:?}{}", hint(near)),
            Fault::Missing => write!(f, "{field} is required"),
            Fault::Type(kind) => write!(f, "{field} must be {}", kind_words(*kind)),
            Fault::NotAllowed(value, allowed) => {
                write!(f, "{field} cannot be {value:?}; it is one of {}", allowed.join(", "))
            }
            Fault::TooLong(is, max) => write!(f, "{field} has {is} characters, at most {max} are allowed"),
            Fault::TooShort(is, min) => write!(f, "{field} has {is} characters, at least {min} are needed"),
            Fault::TooMany(is, max) => write!(f, "{field} has {is} items, at most {max} are allowed"),
            Fault::TooFew(is, min) => write!(f, "{field} has {is} items, at least {min} are needed"),
            Fault::Range(Some(min), Some(max)) => write!(f, "{field} must be from {min} to {max}"),
            Fault::Range(Some(min), None) => write!(f, "{field} must be at least {min}"),
            Fault::Range(None, Some(max)) => write!(f, "{field} must be at most {max}"),
            Fault::Range(None, None) => write!(f, "{field} is out of range"),
            Fault::NotUrl => write!(f, "{field} takes http or https URLs; the service cannot see local files"),
            Fault::Together(text) => write!(f, "{text}"),
            Fault::Callback => write!(f, "the callback URL must be an https URL"),
            Fault::Json(line, column, what) => write!(f, "line {line}, column {column}: {what}"),
            Fault::NotObject => write!(f, "the input must be a JSON object: {{ … }}"),
            Fault::TooLarge(is, max) => {
                write!(f, "the request has {} kB, at most {} kB are sent", is / 1000, max / 1000)
            }
            Fault::Name => write!(f, "a model's name has no blanks and at most {LONGEST_NAME} characters"),
        }
    }
}

fn kind_words(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "text",
        FieldKind::Integer => "a whole number",
        FieldKind::Number => "a number",
        FieldKind::Switch => "true or false",
        FieldKind::Texts => "a list of texts",
    }
}

/// Reads what somebody typed for a field: `true`, `5`, `16:9`, a list with spaces or as JSON.
///
/// # Errors
/// When the text is not of the field's type. Allowed values are checked by [`validate`].
pub fn parse_value(field: &Field, text: &str) -> Result<Value, Invalid> {
    let wrong = || Invalid::of(field, Fault::Type(field.kind));
    match field.kind {
        FieldKind::Text => Ok(Value::String(text.to_owned())),
        FieldKind::Integer => text.trim().parse::<i64>().map(Value::from).map_err(|_| wrong()),
        FieldKind::Number => {
            let number = text.trim().parse::<f64>().map_err(|_| wrong())?;
            serde_json::Number::from_f64(number).map(Value::Number).ok_or_else(wrong)
        }
        FieldKind::Switch => text.trim().parse::<bool>().map(Value::Bool).map_err(|_| wrong()),
        FieldKind::Texts if text.trim_start().starts_with('[') => {
            serde_json::from_str::<Vec<String>>(text).map(Value::from).map_err(|_| wrong())
        }
        FieldKind::Texts => {
            Ok(text.split([' ', ',', '\n']).filter(|s| !s.is_empty()).map(str::to_owned).collect::<Vec<_>>().into())
        }
    }
}

/// Finds the model of a draft.
///
/// # Errors
/// When there is none of that name, or it is retired.
pub fn find_model<'a>(name: &str, catalogue: &'a Catalogue) -> Result<&'a ModelSpec, Invalid> {
    let fault = match catalogue.get(name) {
        None => Fault::UnknownModel(name.to_owned(), catalogue.nearest(name)),
        Some(spec) if !spec.is_current() => Fault::RetiredModel(spec.name.clone()),
        Some(spec) => return Ok(spec),
    };
    Err(Invalid { field: None, fault })
}

/// Turns a draft into a request, or says everything that is wrong with it, first field first.
///
/// # Errors
/// All broken rules.
pub fn validate(draft: &Draft, catalogue: &Catalogue, callback: Option<&str>) -> Result<Request, Vec<Invalid>> {
    let spec = find_model(&draft.model, catalogue).map_err(|e| vec![e])?;
    let mut faults = Vec::new();
    let mut input = Map::new();
    for field in &spec.fields {
        let set = match field.role {
            Some(Role::Prompt) if !draft.prompt.trim().is_empty() => Some(Value::String(draft.prompt.clone())),
            Some(Role::Prompt) => None,
            _ => draft.fields.get(&field.name).filter(|v| !is_empty(v)).cloned(),
        };
        let value = match set {
            None if field.required => match field.default.clone() {
                None => {
                    faults.push(Invalid::of(field, Fault::Missing));
                    continue;
                }
                default => default,
            },
            set => set,
        };
        if let Some(value) = value {
            check(field, &value, &mut faults);
            input.insert(field.name.clone(), value);
        }
    }
    for name in draft.fields.keys() {
        let known = spec.field(name);
        if known.is_none() {
            let near = nearest(name, spec.fields.iter().map(|f| f.name.as_str()));
            faults.push(Invalid { field: Some(name.clone()), fault: Fault::UnknownField(near) });
        }
    }
    if faults.is_empty() {
        together(spec, &|name| input.get(name), &mut faults);
    }
    if callback.is_some_and(|url| !is_callback(url)) {
        faults.push(Invalid { field: None, fault: Fault::Callback });
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let prompt = spec.prompt().and_then(|f| input.get(&f.name)).map(plain).unwrap_or_default();
    let (model, route) = match spec.name.rsplit_once('@') {
        // A name with @ that is a model of its own is sent whole; only a route of a known model is split off.
        Some((model, route)) if catalogue.models().iter().all(|m| m.name != spec.name) => (model, Some(route)),
        _ => (spec.name.as_str(), None),
    };
    fit(Request::new(model, route, input, draft.prompt.clone(), prompt, callback))
}

/// A request of a size that the service takes.
pub(super) fn fit(request: Request) -> Result<Request, Vec<Invalid>> {
    let size = request.body.len();
    if size > LONGEST_BODY {
        return Err(vec![Invalid { field: None, fault: Fault::TooLarge(size, LONGEST_BODY) }]);
    }
    Ok(request)
}

/// The first broken rule among the fields that are set: what is known to be wrong while somebody is still typing.
/// What is missing is not wrong yet.
#[must_use]
pub fn broken(spec: &ModelSpec, fields: &Map<String, Value>) -> Option<Invalid> {
    let mut faults = Vec::new();
    for (name, value) in fields.iter().filter(|(_, value)| !is_empty(value)) {
        match spec.field(name) {
            Some(field) if field.role == Some(Role::Prompt) => {}
            Some(field) => check(field, value, &mut faults),
            None => {
                let near = nearest(name, spec.fields.iter().map(|f| f.name.as_str()));
                faults.push(Invalid { field: Some(name.clone()), fault: Fault::UnknownField(near) });
            }
        }
    }
    if faults.is_empty() {
        let sent = |name: &str| {
            let required = || spec.field(name).filter(|field| field.required).and_then(|field| field.default.as_ref());
            fields.get(name).filter(|value| !is_empty(value)).or_else(required)
        };
        together(spec, &sent, &mut faults);
    }
    faults.into_iter().next()
}

/// The rules of one field, for one value.
///
/// # Errors
/// The first that is broken.
pub fn check_value(field: &Field, value: &Value) -> Result<(), Invalid> {
    let mut faults = Vec::new();
    check(field, value, &mut faults);
    faults.into_iter().next().map_or(Ok(()), Err)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// The rules of one field.
fn check(field: &Field, value: &Value, faults: &mut Vec<Invalid>) {
    let mut broken = |fault| faults.push(Invalid::of(field, fault));
    let fits = match field.kind {
        FieldKind::Text => value.is_string(),
        FieldKind::Integer => value.is_i64() || value.is_u64(),
        FieldKind::Number => value.is_number(),
        FieldKind::Switch => value.is_boolean(),
        FieldKind::Texts => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
    };
    if !fits {
        return broken(Fault::Type(field.kind));
    }
    if let Some(allowed) = &field.choices
        && !allowed.contains(value)
    {
        return broken(Fault::NotAllowed(plain(value), allowed.iter().map(plain).collect()));
    }
    if let Some(text) = value.as_str().filter(|_| field.max_length.is_some() || field.min_length.is_some()) {
        let length = text.chars().count();
        if let Some(max) = field.max_length.filter(|max| length > *max) {
            broken(Fault::TooLong(length, max));
        }
        if let Some(min) = field.min_length.filter(|min| length < *min) {
            broken(Fault::TooShort(length, min));
        }
    }
    if let Some(items) = value.as_array() {
        if let Some(max) = field.max_items.filter(|max| items.len() > *max) {
            broken(Fault::TooMany(items.len(), max));
        }
        if let Some(min) = field.min_items.filter(|min| items.len() < *min) {
            broken(Fault::TooFew(items.len(), min));
        }
    }
    if let Some(number) = value.as_f64()
        && (field.min.is_some_and(|min| number < min) || field.max.is_some_and(|max| number > max))
    {
        broken(Fault::Range(field.min, field.max));
    }
    if field.media.is_some() {
        let urls: Vec<&str> = value
            .as_str()
            .into_iter()
            .chain(value.as_array().into_iter().flatten().filter_map(Value::as_str))
            .collect();
        if !urls.iter().all(|url| is_reference(url)) {
            broken(Fault::NotUrl);
        }
    }
}

/// Media fields take http(s) URLs; several models also take `data:` URIs and `asset://` handles \[C\].
#[must_use]
pub fn is_reference(text: &str) -> bool {
    // The file itself may be megabytes long: it is not taken apart.
    if text.starts_with("data:") {
        return true;
    }
    url::Url::parse(text).is_ok_and(|url| match url.scheme() {
        "http" | "https" => url.has_host(),
        "data" | "asset" => true,
        _ => false,
    })
}

/// https; http only to this machine itself, where nobody but the simulated service can call.
pub(super) fn is_callback(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        let here = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => return false,
        };
        url.scheme() == "https" || (url.scheme() == "http" && here)
    })
}

/// The rules across fields.
fn together<'a>(spec: &'a ModelSpec, sent: &dyn Fn(&str) -> Option<&'a Value>, faults: &mut Vec<Invalid>) {
    // A default counts as the value of a field that was left out: the service fills it in before it checks.
    let value = |name: &str| sent(name).or_else(|| spec.field(name).and_then(|f| f.default.as_ref()));
    for rule in &spec.constraints {
        let applies = rule.when.iter().all(|(name, condition)| match condition {
            Condition::Word(_) => sent(name).is_some(),
            Condition::OneOf(values) => value(name).is_some_and(|v| values.contains(v)),
        });
        if !applies {
            continue;
        }
        for (name, condition) in &rule.require {
            let (field, holds) = match (name.strip_suffix("_not"), condition) {
                _ if name == "absent" => match condition {
                    Condition::OneOf(names) => {
                        let one = names.iter().filter_map(Value::as_str).find(|n| sent(n).is_some());
                        (one.unwrap_or_default().to_owned(), one.is_none())
                    }
                    Condition::Word(word) => (word.clone(), sent(word).is_none()),
                },
                (Some(field), Condition::OneOf(values)) => {
                    (field.to_owned(), !value(field).is_some_and(|v| values.contains(v)))
                }
                (_, Condition::OneOf(values)) => (name.clone(), value(name).is_none_or(|v| values.contains(v))),
                (_, Condition::Word(_)) => (name.clone(), sent(name).is_some()),
            };
            if !holds {
                faults.push(Invalid { field: Some(field), fault: Fault::Together(rule.text.clone()) });
            }
        }
    }
}

#[cfg(test)]
mod tests;
