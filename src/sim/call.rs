//! The parts of a creation as they were sent: headers and the fields beside `input`.

use axum::body::Body;
use axum::http::{HeaderMap, Response, header};
use serde_json::{Map, Value};

use super::wire;

/// The `error_code` of everything that is wrong with a request. \[D\]
pub(super) const INVALID: Option<&str> = Some("INVALID_REQUEST");
/// Longest `Idempotency-Key` in bytes. \[C\]
const LONGEST_KEY: usize = 255;

/// An answer that is not "created".
pub(super) type Refusal = Box<Response<Body>>;

/// `application/json` with any parameters, or no header at all. \[C\]
pub(super) fn check_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Box::new(wire::flat(415, None, "Content-Type must be application/json")))
}

/// The key, if there is one: at most 255 bytes of UTF-8 without control characters. \[C\]
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let invalid = |why: &str| Box::new(wire::flat(400, INVALID, why));
    let key = std::str::from_utf8(value.as_bytes()).map_err(|_| invalid("Idempotency-Key is not valid UTF-8"))?;
    if key.len() > LONGEST_KEY {
        return Err(invalid("Idempotency-Key is longer than 255 bytes"));
    }
    if key.chars().any(char::is_control) {
        return Err(invalid("Idempotency-Key has control characters"));
    }
    Ok(Some(key.to_owned()).filter(|key| !key.is_empty()))
}

/// The parts of the request's body.
pub(super) struct Call {
    pub(super) model: String,
    pub(super) input: Map<String, Value>,
    /// Only if it says something: `""` and `"default"` count as absent. \[C\]
    pub(super) route: Option<String>,
    pub(super) callback: Option<String>,
    pub(super) persistent: bool,
}

impl Call {
    /// Reads and checks everything but the model and its input.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        let invalid = |why: &str| Box::new(wire::flat(400, INVALID, why));
        let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(body) else {
            return Err(invalid("the request body must be a JSON object"));
        };
        let Some(Value::String(model)) = fields.remove("model") else {
            return Err(invalid("missing required property 'model'"));
        };
        let Some(Value::Object(input)) = fields.remove("input") else {
            return Err(invalid("missing required property 'input'"));
        };
        let route = match fields.remove("route") {
            None => None,
            Some(Value::String(route)) => Some(route).filter(|route| !route.is_empty() && route != "default"),
            Some(_) => return Err(invalid("property 'route' must be of type string")),
        };
        let persistent = match fields.remove("storage") {
            None => false,
            Some(Value::String(tier)) if tier == "temp" => false,
            Some(Value::String(tier)) if tier == "persistent" => true,
            Some(_) => {
                return Err(invalid("property 'storage' must be one of: temp, persistent"));
            }
        };
        let callback = match fields.remove("callback") {
            None => None,
            Some(value) => Some(callback_url(value).map_err(invalid)?),
        };
        // Not documented for the top level; strict is what finds mistakes. [I]
        if let Some((name, _)) = fields.iter().next() {
            return Err(invalid(&format!("additional properties '{name}' not allowed")));
        }
        Ok(Self { model, input, route, callback, persistent })
    }

    /// The model as given, or with an explicit route the full name. \[C\]
    pub(super) fn full_name(&self) -> String {
        match &self.route {
            Some(route) if !self.model.contains('@') => format!("{}@{route}", self.model),
            _ => self.model.clone(),
        }
    }
}

fn callback_url(value: Value) -> Result<String, &'static str> {
    let Value::Object(mut fields) = value else {
        return Err("property 'callback' must be of type object");
    };
    let Some(Value::String(address)) = fields.remove("url") else {
        return Err("missing required property 'callback.url'");
    };
    match fields.remove("when") {
        None => {}
        Some(Value::String(when)) if when == "final" => {}
        Some(_) => return Err("property 'callback.when' must be one of: final"),
    }
    if !fields.is_empty() {
        return Err("additional properties in 'callback' not allowed");
    }
    let usable = url::Url::parse(&address).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if usable { Ok(address) } else { Err("property 'callback.url' must be a valid http(s) URL") }
}
