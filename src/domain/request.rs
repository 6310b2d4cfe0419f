//! From what is being typed to the exact bytes that will be sent.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Kin;
use super::batch::Many;
use super::catalogue::{Catalogue, Role};

/// What is being typed: not validated, never sent as it is. It is stored as JSON; what an older program did not know
/// is left at its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Draft {
    /// Name of the model.
    pub model: String,
    /// The prompt as typed.
    pub prompt: String,
    /// Fields the user set, besides the prompt.
    pub fields: Map<String, Value>,
    /// What makes several tasks of it.
    #[serde(default, skip_serializing_if = "Many::is_default")]
    pub many: Many,
    /// The task it was taken from, and what for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Kin>,
}

impl Draft {
    /// Nothing was typed and nothing was set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prompt.trim().is_empty() && self.fields.is_empty() && self.many.values.is_empty()
    }
}
/// The longest body that is sent, in bytes \[D\]; newer tools of the service send more \[C\], which nobody promises.
pub const LONGEST_BODY: usize = 10_000_000;

/// What was validated and may be sent. Its bytes never change again: the service compares a retry with the
/// first sending byte by byte \[C\].
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Name of the model, as sent.
    pub model: String,
    /// The channel of the model, if one was chosen.
    pub route: Option<String>,
    /// The fields sent.
    pub input: Map<String, Value>,
    /// The prompt as typed, before anything in it was expanded.
    pub template: String,
    /// The prompt as sent; empty for models without one.
    pub prompt: String,
    /// The body, byte for byte.
    pub body: String,
}

/// A stored body that is not the JSON of a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored request cannot be read: {0}")]
pub struct BadBody(pub String);

impl Request {
    /// Lays out the body: model, route, input in the given order, callback. Absent parts are left out, for
    /// the service refuses fields it does not expect, and defaults are its own business.
    #[must_use]
    pub fn new(
        model: &str,
        route: Option<&str>,
        input: Map<String, Value>,
        template: String,
        prompt: String,
        callback: Option<&str>,
    ) -> Self {
        let mut body = Map::new();
        body.insert("model".into(), model.into());
        if let Some(route) = route {
            body.insert("route".into(), route.into());
        }
        body.insert("input".into(), Value::Object(input.clone()));
        if let Some(url) = callback {
            body.insert("callback".into(), serde_json::json!({ "url": url, "when": "final" }));
        }
        let body = Value::Object(body).to_string();
        Self { model: model.to_owned(), route: route.map(str::to_owned), input, template, prompt, body }
    }

    /// Lays out the body around an input that is sent as it was typed, byte for byte; `input` is what it says.
    #[must_use]
    pub fn raw(model: &str, typed: &str, input: Map<String, Value>, callback: Option<&str>) -> Self {
        let typed = typed.trim();
        let mut body = format!("{{\"model\":{},\"input\":{typed}", Value::from(model));
        if let Some(url) = callback {
            body.push_str(&format!(",\"callback\":{}", serde_json::json!({ "url": url, "when": "final" })));
        }
        body.push('}');
        let prompt = likely_prompt(&input);
        Self { model: model.to_owned(), route: None, input, template: typed.to_owned(), prompt, body }
    }

    /// Brings a stored request back. The body is kept as it was, byte for byte.
    ///
    /// # Errors
    /// When the body is not a JSON object with `model` and `input`.
    pub fn from_stored(body: String, template: String, prompt: String) -> Result<Self, BadBody> {
        let parsed: Value = serde_json::from_str(&body).map_err(|e| BadBody(e.to_string()))?;
        let text = |name: &str| parsed.get(name).and_then(Value::as_str).map(str::to_owned);
        let model = text("model").ok_or_else(|| BadBody("it names no model".into()))?;
        let route = text("route");
        let input =
            parsed.get("input").and_then(Value::as_object).cloned().ok_or_else(|| BadBody("it has no input".into()))?;
        Ok(Self { model, route, input, template, prompt, body })
    }

    /// The request of a task that another program created: the service tells its model and nothing else \[C\].
    #[must_use]
    pub fn elsewhere(model: &str) -> Self {
        let (name, route) = model.split_once('@').map_or((model, None), |(name, route)| (name, Some(route)));
        Self {
            model: name.to_owned(),
            route: route.map(str::to_owned),
            input: Map::new(),
            template: String::new(),
            prompt: String::new(),
            body: String::new(),
        }
    }

    /// Its bytes are known here. Nothing else is ever sent.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        !self.body.is_empty()
    }

    /// The service was, or will be, asked to call back when the task ends. (In a JSON text a quotation mark is always
    /// escaped, so no prompt can look like this; and what stands inside the input is closed by one more brace.)
    #[must_use]
    pub fn has_callback(&self) -> bool {
        let Some((_, rest)) = self.body.rsplit_once(r#","callback":{"url":""#) else { return false };
        rest.strip_suffix(r#"","when":"final"}}"#).is_some_and(|url| !url.contains('"'))
    }

    /// The name the catalogue knows this model by.
    #[must_use]
    pub fn full_model(&self) -> String {
        match &self.route {
            Some(route) => format!("{}@{route}", self.model),
            None => self.model.clone(),
        }
    }

    /// The value that was sent for a role, as text; `None` where the service's default applies.
    #[must_use]
    pub fn value(&self, role: Role, catalogue: &Catalogue) -> Option<String> {
        let spec = catalogue.get(&self.full_model())?;
        let value = self.input.get(&spec.with_role(role)?.name)?;
        Some(plain(value))
    }

    /// What would have to be typed to get this request again.
    #[must_use]
    pub fn draft(&self, catalogue: &Catalogue) -> Draft {
        let model = self.full_model();
        let mut fields = self.input.clone();
        if catalogue.get(&model).is_none() {
            // Nobody knows its fields: what was typed is the JSON of the input.
            let typed = serde_json::from_str::<Value>(&self.template).is_ok_and(|v| v.as_object() == Some(&self.input));
            let prompt = if typed { self.template.clone() } else { pretty(&self.input) };
            return Draft { model, prompt, ..Draft::default() };
        }
        if let Some(field) = catalogue.get(&model).and_then(|spec| spec.prompt().map(|f| f.name.clone())) {
            fields.shift_remove(&field);
        }
        // What a template became, not the template: typed again it would stand for something else.
        let prompt = if self.prompt.is_empty() { &self.template } else { &self.prompt };
        Draft { model, prompt: prompt.clone(), fields, ..Draft::default() }
    }
}

/// An object as JSON for people, over several lines.
#[must_use]
pub fn pretty(object: &Map<String, Value>) -> String {
    serde_json::to_string_pretty(object).unwrap_or_default()
}

/// Where nobody knows the fields: the longest text that is no address, for what people see of the task.
fn likely_prompt(input: &Map<String, Value>) -> String {
    let texts =
        input.values().filter_map(Value::as_str).filter(|text| !text.contains("://") && !text.starts_with("data:"));
    texts.max_by_key(|text| text.len()).unwrap_or_default().to_owned()
}

/// A JSON value as a person would write it: text without quotes.
#[must_use]
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_survives_the_store_byte_for_byte() {
        let input = serde_json::json!({"prompt": "a \u{1F98A} in snow", "aspect_ratio": "16:9"});
        let input = input.as_object().cloned().unwrap_or_default();
        let request = Request::new("m", None, input, "t".into(), "p".into(), Some("https://x.example/h"));
        assert!(request.body.starts_with(r#"{"model":"m","input":{"prompt":"#), "{}", request.body);
        let back = Request::from_stored(request.body.clone(), "t".into(), "p".into());
        assert_eq!(back, Ok(request));
    }

    #[test]
    fn a_callback_is_known_and_not_imitated() {
        let with = |prompt: &str, callback| {
            let input = serde_json::json!({"prompt": prompt}).as_object().cloned().unwrap_or_default();
            Request::new("m", None, input, String::new(), String::new(), callback).has_callback()
        };
        assert!(with("a fox", Some("https://x.example/h")));
        assert!(!with("a fox", None) && !with(r#"","callback":{"url":"https://x.example"#, None));
    }

    #[test]
    fn a_raw_input_is_sent_as_it_was_typed() {
        let typed = "{ \"strength\": 1.50,\n  \"text\": \"a fox\", \"seed\": 12345678901234567890123 }";
        let input = serde_json::from_str(typed).expect("an object");
        let request = Request::raw("new/model", &format!("\n{typed} "), input, Some("https://x.example/h"));
        let body = format!(
            r#"{{"model":"new/model","input":{typed},"callback":{{"url":"https://x.example/h","when":"final"}}}}"#
        );
        assert_eq!((request.body.as_str(), request.has_callback()), (body.as_str(), true));
        assert_eq!(request.prompt, "a fox", "people see a text they know");
        let back = Request::from_stored(request.body.clone(), request.template.clone(), request.prompt.clone());
        assert_eq!(back.as_ref(), Ok(&request));
        assert_eq!(request.draft(&Catalogue::built_in()).prompt, typed);
        let lookalike = r#"{"a":1,"callback":{"url":"https://x.example/h","when":"final"}}"#;
        let input = serde_json::from_str(lookalike).expect("an object");
        assert!(!Request::raw("m", lookalike, input, None).has_callback());
    }

    #[test]
    fn what_was_made_elsewhere_has_a_model_and_no_bytes() {
        let request = Request::elsewhere("m/x@beta");
        assert_eq!((request.full_model().as_str(), request.is_ours()), ("m/x@beta", false));
        assert_eq!(Request::elsewhere("m").full_model(), "m");
    }

    #[test]
    fn what_is_no_request_is_an_error() {
        for bad in ["", "[]", r#"{"model":"m"}"#, r#"{"input":{}}"#] {
            assert!(Request::from_stored(bad.into(), String::new(), String::new()).is_err(), "{bad}");
        }
    }
}
