//! The public pages: prices, and the schema of each model. They ask for no key and count against no allowance.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::Response;
use axum::response::IntoResponse as _;
use serde_json::{Map, Value, json};

use super::catalogue::{Constraint, Field, Target};
use super::wire;
use super::world::World;

/// `GET /api/pricing` \[C\]
pub(crate) async fn pricing(State(world): State<Arc<World>>) -> Response<Body> {
    Json(json!({ "data": world.catalogue.offers() })).into_response()
}

/// `GET /api/models/content?name=…` \[C\]
pub(crate) async fn content(State(world): State<Arc<World>>, RawQuery(query): RawQuery) -> Response<Body> {
    let query = query.unwrap_or_default();
    let name = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "name").map(|(_, name)| name);
    match name.and_then(|name| world.catalogue.resolve(&name, None).ok()) {
        Some(target) => Json(json!({ "data": { "input_schema": schema(target) } })).into_response(),
        None => wire::flat(404, None, "model not found"),
    }
}

/// A line of the list of prices; `price` is as the data file has it.
pub(crate) fn offer(name: &str, about: Value, price: Option<&Value>, fields: &[Field]) -> Value {
    let mut offer = about;
    offer["model_name"] = name.into();
    offer["supported_endpoint_types"] = json!(["task"]);
    let Some(price) = price else { return offer };
    let unit = price["unit"].as_str().unwrap_or("image");
    offer["base_display_unit"] = json!({ "en": format!("per {unit}"), "zh": unit });
    let values = price["values"].as_object().cloned().unwrap_or_default();
    let channel = name.split_once('@').map(|(_, route)| format!("@{route}"));
    if let Some(usd) = channel.as_ref().and_then(|route| values.get(route)).or_else(|| values.get("base")) {
        offer["base_usd_value"] = usd.clone();
    }
    let decides = |value: &str| {
        let has = |field: &&Field| field.allowed.iter().flatten().any(|one| one.as_str() == Some(value));
        fields.iter().find(has).map(|field| field.name.clone())
    };
    let policies: Vec<Value> = values
        .iter()
        .filter_map(|(value, usd)| {
            let field = decides(value)?;
            Some(json!({ "name": value, "rule": { field: { "match": value } }, "usd_value": usd }))
        })
        .collect();
    offer["policies"] = policies.into();
    offer
}

/// The JSON Schema of a model's input. `model` stands among the properties although it is sent elsewhere \[C\].
fn schema(target: Target<'_>) -> Value {
    let mut properties = Map::new();
    properties.insert("model".into(), json!({ "type": "string" }));
    properties.extend(target.fields.iter().map(|field| (field.name.clone(), property(field))));
    let required: Vec<&str> = target.fields.iter().filter(|f| f.required).map(|f| f.name.as_str()).collect();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
        "properties": properties, "required": required,
    });
    if !target.constraints.is_empty() {
        schema["allOf"] = target.constraints.iter().map(rule).collect();
    }
    schema
}

fn property(field: &Field) -> Value {
    let mut property = match field.kind.as_str() {
        "string[]" => json!({ "type": "array", "items": { "type": "string" } }),
        kind => json!({ "type": kind }),
    };
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            property[name] = value;
        }
    };
    set("enum", field.allowed.clone().map(Value::Array));
    set("default", field.default.clone());
    set("minLength", field.min_length.map(Value::from));
    set("maxLength", field.max_length.map(Value::from));
    set("minItems", field.min_items.map(Value::from));
    set("maxItems", field.max_items.map(Value::from));
    set("minimum", field.min.map(Value::from));
    set("maximum", field.max.map(Value::from));
    property
}

fn rule(rule: &Constraint) -> Value {
    let mut when = json!({ "properties": {}, "required": rule.when.keys().collect::<Vec<_>>() });
    for (field, values) in rule.when.iter().filter(|(_, values)| values.is_array()) {
        when["properties"][field] = json!({ "enum": values });
    }
    let mut then = json!({});
    for (field, values) in &rule.require {
        if field == "absent" {
            let names = values.as_array().cloned().unwrap_or_default();
            then["not"] =
                json!({ "anyOf": names.iter().map(|name| json!({ "required": [name] })).collect::<Vec<_>>() });
        } else if let Some(field) = field.strip_suffix("_not") {
            then["properties"][field] = json!({ "not": { "enum": values } });
        } else if values.is_array() {
            then["properties"][field] = json!({ "enum": values });
        } else {
            let mut all = then["required"].as_array().cloned().unwrap_or_default();
            all.push(field.as_str().into());
            then["required"] = all.into();
        }
    }
    json!({ "description": rule.text, "if": when, "then": then })
}
