//! The service's check of a task's `input`: the first broken rule, in the service's words.

use serde_json::{Map, Value};

use super::catalogue::{Constraint, Field, Target};

/// Checks an input object against a model's fields. The error is the message of the 400 answer.
pub(crate) fn check(target: &Target<'_>, input: &Map<String, Value>) -> Result<(), String> {
    for name in input.keys() {
        if !target.fields.iter().any(|field| field.name == *name) {
            // The one message that is documented word for word. [B]/[C]
            return Err(format!("additional properties '{name}' not allowed"));
        }
    }
    for field in target.fields {
        match input.get(&field.name) {
            None if field.required => {
                return Err(format!("missing required property '{}'", field.name));
            }
            None => {}
            Some(value) => check_value(field, value)?,
        }
    }
    for constraint in target.constraints {
        check_constraint(target, constraint, input)?;
    }
    Ok(())
}

fn check_value(field: &Field, value: &Value) -> Result<(), String> {
    let name = &field.name;
    let fits = match field.kind.as_str() {
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "string[]" => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
        _ => true,
    };
    if !fits {
        return Err(format!("property '{name}' must be of type {}", field.kind));
    }
    if let Some(allowed) = &field.allowed
        && !allowed.contains(value)
    {
        let list: Vec<String> = allowed.iter().map(plain).collect();
        return Err(format!("property '{name}' must be one of: {}", list.join(", ")));
    }
    if let Some(text) = value.as_str() {
        // Lengths count Unicode scalar values, not bytes and not what a reader sees as one character. [D]
        let length = text.chars().count();
        let shortest = field.min_length.unwrap_or(usize::from(field.required));
        if length < shortest {
            return Err(format!("property '{name}' is shorter than {shortest}"));
        }
        if let Some(longest) = field.max_length
            && length > longest
        {
            return Err(format!("property '{name}' is longer than {longest}"));
        }
    }
    if let Some(items) = value.as_array() {
        if field.min_items.is_some_and(|least| items.len() < least) {
            return Err(format!("property '{name}' has too few items"));
        }
        if field.max_items.is_some_and(|most| items.len() > most) {
            return Err(format!("property '{name}' has too many items"));
        }
    }
    if let Some(number) = value.as_f64() {
        if let Some(least) = field.min.filter(|least| number < *least) {
            return Err(format!("property '{name}' must be at least {least}"));
        }
        if let Some(most) = field.max.filter(|most| number > *most) {
            return Err(format!("property '{name}' must be at most {most}"));
        }
    }
    if field.media.is_some() || field.role.as_deref() == Some("references") {
        check_media(name, value)?;
    }
    Ok(())
}

/// Media fields take http(s) URLs, `data:` URIs and `asset://` handles. \[C\]
fn check_media(name: &str, value: &Value) -> Result<(), String> {
    let one = std::slice::from_ref(value);
    for item in value.as_array().map_or(one, Vec::as_slice) {
        let text = item.as_str().unwrap_or_default();
        let known =
            ["http://", "https://", "data:", "asset://"].iter().any(|start| text.get(..start.len()) == Some(*start));
        if !known && !text.is_empty() {
            return Err(format!("property '{name}' must be a valid URL"));
        }
        if text.starts_with("data:image/svg") {
            return Err(format!("property '{name}': SVG is not supported"));
        }
    }
    Ok(())
}

/// A rule between fields. A field that was not sent counts with its default, as the service would use it. \[I\]
fn check_constraint(target: &Target<'_>, constraint: &Constraint, input: &Map<String, Value>) -> Result<(), String> {
    let sent = |name: &str| {
        input.get(name).is_some_and(|value| !value.is_null() && value.as_array().is_none_or(|a| !a.is_empty()))
    };
    let effective = |name: &str| {
        let field = target.fields.iter().find(|field| field.name == name);
        input.get(name).or_else(|| field.and_then(|field| field.default.as_ref()))
    };
    let holds = |name: &str, wanted: &Value| match wanted {
        Value::Array(values) => effective(name).is_some_and(|value| values.contains(value)),
        Value::String(word) if word == "present" => sent(name),
        _ => true,
    };
    if !constraint.when.iter().all(|(name, on)| holds(name, on)) {
        return Ok(());
    }
    let kept = constraint.require.iter().all(|(name, wanted)| {
        let values = wanted.as_array();
        if name == "absent" {
            let mut names = values.into_iter().flatten().filter_map(Value::as_str);
            return !names.any(sent);
        }
        if let (Some(name), Some(values)) = (name.strip_suffix("_not"), values) {
            return effective(name).is_none_or(|value| !values.contains(value));
        }
        // What is required must hold only if there is a value at all: no value and no default breaks no rule.
        holds(name, wanted) || (values.is_some() && effective(name).is_none())
    });
    if kept { Ok(()) } else { Err(constraint.text.clone()) }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::catalogue::Catalogue;
    use super::*;

    fn verdict(model: &str, route: Option<&str>, input: Value) -> Result<(), String> {
        let catalogue = Catalogue::load().expect("readable");
        let target = catalogue.resolve(model, route).expect("known model");
        check(&target, input.as_object().expect("an object"))
    }

    #[test]
    fn unknown_fields_have_the_documented_message() {
        let got = verdict("Nano-Banana", None, json!({"prompt": "x", "seed": 3}));
        assert_eq!(got.unwrap_err(), "additional properties 'seed' not allowed");
    }

    #[test]
    fn lengths_count_scalar_values() {
        let fits = "é".repeat(5000);
        assert_eq!(verdict("Nano-Banana", None, json!({ "prompt": fits })), Ok(()));
        let long = "é".repeat(5001);
        let got = verdict("Nano-Banana", None, json!({ "prompt": long }));
        assert_eq!(got.unwrap_err(), "property 'prompt' is longer than 5000");
        assert!(verdict("Nano-Banana", None, json!({"prompt": ""})).is_err());
        assert!(verdict("Nano-Banana", None, json!({})).is_err());
    }

    #[test]
    fn enums_are_exact_and_types_strict() {
        let with = |field: &str, value: Value| verdict("Nano-Banana-2", None, json!({"prompt": "x", (field): value}));
        assert_eq!(with("resolution", json!("2K")), Ok(()));
        assert!(with("resolution", json!("2k")).is_err());
        assert!(with("resolution", json!(2)).is_err());
        assert!(with("image_input", json!("https://example.org/a.png")).is_err());
        assert_eq!(with("image_input", json!(["https://example.org/a.png"])), Ok(()));
        assert!(with("image_input", json!(["a.png"])).is_err());
    }

    #[test]
    fn rules_between_fields_hold() {
        let model = "gpt-image-2/text-to-image";
        let with = |input: Value| verdict(model, None, input);
        assert!(with(json!({"prompt": "x", "aspect_ratio": "auto", "resolution": "2K"})).is_err());
        assert!(with(json!({"prompt": "x", "aspect_ratio": "5:4", "resolution": "2K"})).is_err());
        assert_eq!(with(json!({"prompt": "x", "aspect_ratio": "16:9", "resolution": "2K"})), Ok(()));
        assert_eq!(with(json!({"prompt": "x", "background": "opaque"})), Ok(()));
    }

    #[test]
    fn a_whole_number_is_not_a_fraction() {
        let with = |seed: Value| verdict("qwen-image-2.0", None, json!({"prompt": "x", "seed": seed}));
        assert_eq!(with(json!(0)), Ok(()));
        assert!(with(json!(1.5)).is_err());
        assert!(with(json!(-1)).is_err());
        assert!(with(json!(2_147_483_648_u64)).is_err());
    }
}
