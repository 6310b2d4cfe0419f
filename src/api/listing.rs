//! What the public pages say, in the words of the domain: offers with their prices, fields and rules from a JSON Schema.
//! What is not understood is an error with a reason, never a guess.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::catalogue::{Condition, Constraint, Field, FieldKind};
use crate::domain::price::{Match, Policy};
use crate::domain::refresh::{Offer, Schema};
use crate::domain::text::is_harmless;

/// Most offers, fields of a model, choices of a field, policies of a price.
const MOST: usize = 500;
/// Longest name, in characters.
const LONGEST: usize = 200;

#[derive(Deserialize)]
struct List {
    data: Vec<Value>,
}

#[derive(Deserialize)]
struct Item {
    model_name: String,
    #[serde(default)]
    subcategory: Option<String>,
    #[serde(default)]
    output_type: Option<String>,
    #[serde(default)]
    description: Option<Value>,
    #[serde(default)]
    supported_endpoint_types: Option<Vec<String>>,
    #[serde(default)]
    base_usd_value: Option<f64>,
    #[serde(default)]
    base_display_unit: Option<Value>,
    #[serde(default)]
    policies: Option<Vec<Listed>>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    rule: BTreeMap<String, Rule>,
    #[serde(default)]
    usd_value: Option<f64>,
    #[serde(default)]
    times: Option<f64>,
    #[serde(default)]
    pricing_value: Option<f64>,
}

#[derive(Deserialize)]
struct Rule {
    #[serde(default, rename = "match")]
    equals: Option<Value>,
    #[serde(default)]
    with: Option<bool>,
}

/// A name that may be shown and compared.
fn named(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= LONGEST && text.chars().all(is_harmless)
}

/// Text for people: in English, if it comes in several languages, whether as an object or as the text of one \[C\].
fn english(value: Option<&Value>) -> String {
    let text = match value {
        Some(Value::String(text)) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ Value::Object(_)) => return english(Some(&inner)),
            _ => text.clone(),
        },
        Some(Value::Object(all)) => all.get("en").and_then(Value::as_str).unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    text.chars().filter(|c| is_harmless(*c)).take(2000).collect()
}

/// An offer that is not understood: its name, and why.
pub type Odd = (String, String);

/// The offers of the list of prices that this API can take; and the names of those that are not understood, with the
/// reason.
///
/// # Errors
/// When it is no such list at all.
pub fn offers(bytes: &[u8]) -> Result<(Vec<Offer>, Vec<Odd>), String> {
    let list: List = serde_json::from_slice(bytes).map_err(|why| format!("it is no list of prices: {why}"))?;
    if list.data.len() > MOST {
        return Err(format!("it lists more than {MOST} models"));
    }
    let (mut offers, mut odd) = (Vec::new(), Vec::new());
    for value in list.data {
        let name: String = value["model_name"].as_str().unwrap_or("?").chars().take(LONGEST).collect();
        match serde_json::from_value::<Item>(value).map_err(|why| why.to_string()).and_then(offer) {
            Ok(found) => offers.extend(found),
            Err(why) => odd.push((name, why)),
        }
    }
    Ok((offers, odd))
}

fn offer(item: Item) -> Result<Option<Offer>, String> {
    if !named(&item.model_name) {
        return Err("its name is none".into());
    }
    // Without the field it is not said that it is for another API.
    if item.supported_endpoint_types.is_some_and(|types| !types.iter().any(|kind| kind == "task")) {
        return Ok(None);
    }
    let sound = |usd: f64| (usd.is_finite() && (0.0..1e6).contains(&usd)).then_some(usd).ok_or("a price is none");
    let base = item.base_usd_value.map(sound).transpose()?;
    let mut prices: Vec<Policy> =
        base.map(|usd| Policy { route: None, rule: BTreeMap::new(), usd }).into_iter().collect();
    let policies = item.policies.unwrap_or_default();
    if policies.len() > MOST {
        return Err("it has too many prices".into());
    }
    for listed in policies {
        let factor = listed.times.or(listed.pricing_value);
        let usd = listed.usd_value.or(base.zip(factor).map(|(base, factor)| base * factor));
        let usd = sound(usd.ok_or("a price has no amount")?)?;
        let mut rule = BTreeMap::new();
        for (field, on) in listed.rule {
            let on = match (on.equals, on.with) {
                (Some(value), _) => Match::Equals(value),
                (None, Some(true)) => Match::Present,
                _ => return Err(format!("the price by {field:?} is not understood")),
            };
            rule.insert(field, on);
        }
        prices.push(Policy { route: None, rule, usd });
    }
    let unit = english(item.base_display_unit.as_ref()).to_lowercase();
    let unit = unit.trim().trim_start_matches("per ").trim().to_owned();
    Ok(Some(Offer {
        name: item.model_name,
        kind: item.subcategory.filter(|kind| named(kind)),
        output: item.output_type.filter(|kind| named(kind)),
        description: english(item.description.as_ref()),
        unit: if unit.is_empty() { "image".into() } else { unit },
        prices,
    }))
}

/// The fields and rules on the page of a model.
///
/// # Errors
/// What is not understood, in a sentence.
pub fn schema(bytes: &[u8]) -> Result<Schema, String> {
    let page: Value = serde_json::from_slice(bytes).map_err(|why| format!("its page is no JSON: {why}"))?;
    let schema = page.pointer("/data/input_schema").ok_or("its page has no schema")?;
    // Some pages carry the schema as text.
    let parsed = schema.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let schema = parsed.as_ref().unwrap_or(schema);
    let properties = schema["properties"].as_object().ok_or("its schema has no properties")?;
    if properties.len() > MOST {
        return Err("its schema has too many fields".into());
    }
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    // `model` is sent beside the input, not in it [C].
    let sent = properties.iter().filter(|(name, _)| *name != "model");
    let fields = sent.map(|(name, property)| field(name, property, required.contains(&name.as_str())));
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let rules: Option<Vec<Constraint>> = schema["allOf"].as_array().into_iter().flatten().map(rule).collect();
    Ok(Schema { fields, constraints: rules })
}

fn field(name: &str, property: &Value, required: bool) -> Result<Field, String> {
    let odd = |what: &str| format!("the field {name:?} {what}");
    if !named(name) || !property.is_object() {
        return Err(odd("is none"));
    }
    let choices = match (&property["enum"], &property["const"]) {
        (Value::Array(values), _) if values.len() <= MOST => Some(values.clone()),
        (Value::Null, Value::Null) => None,
        (Value::Null, value) => Some(vec![value.clone()]),
        _ => return Err(odd("has choices that are not understood")),
    };
    let kind = match property["type"].as_str() {
        Some("string") => FieldKind::Text,
        Some("integer") => FieldKind::Integer,
        Some("number") => FieldKind::Number,
        Some("boolean") => FieldKind::Switch,
        Some("array") if property["items"]["type"] == "string" => FieldKind::Texts,
        None if choices.as_ref().is_some_and(|all| all.iter().all(Value::is_string)) => FieldKind::Text,
        _ => return Err(odd("has a type that is not understood")),
    };
    let size = |name: &str| property[name].as_u64().and_then(|n| usize::try_from(n).ok());
    Ok(Field {
        name: name.to_owned(),
        kind,
        role: None,
        required,
        default: property.get("default").filter(|value| !value.is_null()).cloned(),
        choices,
        min_length: size("minLength"),
        max_length: size("maxLength"),
        min_items: size("minItems"),
        max_items: size("maxItems"),
        min: property["minimum"].as_f64(),
        max: property["maximum"].as_f64(),
        step: property["multipleOf"].as_f64(),
        media: None,
        // The pages do not say it in a way that could be relied on.
        data_uri: false,
        description: english(property.get("description")),
    })
}

/// A rule across fields; none if it says more than can be said here.
fn rule(value: &Value) -> Option<Constraint> {
    let only = |value: &Value, allowed: &[&str]| {
        value.as_object().filter(|object| object.keys().all(|key| allowed.contains(&key.as_str()))).cloned()
    };
    let all = only(value, &["if", "then", "description", "$comment"])?;
    let names = |value: Option<&Value>| -> Option<Vec<String>> {
        value.map_or(Some(Vec::new()), |value| {
            value.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
        })
    };
    let one_of = |property: &Value| match (&property["enum"], &property["const"]) {
        (Value::Array(values), Value::Null) => Some(values.clone()),
        (Value::Null, value) if !value.is_null() => Some(vec![value.clone()]),
        _ => None,
    };
    let present = || Condition::Word("present".to_owned());
    let mut when = BTreeMap::new();
    let cause = only(all.get("if")?, &["properties", "required"])?;
    for name in names(cause.get("required"))? {
        when.insert(name, present());
    }
    let none = Map::new();
    for (name, property) in cause.get("properties").map_or(Some(&none), Value::as_object)? {
        // Without `required` it would hold for a field that is not sent, too.
        when.get(name)?;
        when.insert(name.clone(), Condition::OneOf(one_of(property)?));
    }
    let mut require = BTreeMap::new();
    let then = only(all.get("then")?, &["properties", "required", "not"])?;
    for (name, property) in then.get("properties").map_or(Some(&none), Value::as_object)? {
        match property.get("not") {
            Some(not) => require.insert(format!("{name}_not"), Condition::OneOf(one_of(not)?)),
            None => require.insert(name.clone(), Condition::OneOf(one_of(property)?)),
        };
    }
    for name in names(then.get("required"))? {
        require.entry(name).or_insert_with(present);
    }
    if let Some(not) = then.get("not") {
        let each = not["anyOf"].as_array().cloned().unwrap_or_else(|| vec![not.clone()]);
        let mut absent = Vec::new();
        for one in each {
            let [name] = &names(only(&one, &["required"])?.get("required"))?[..] else { return None };
            absent.push(Value::from(name.as_str()));
        }
        require.insert("absent".to_owned(), Condition::OneOf(absent));
    }
    let said = ["description", "$comment"].iter().find_map(|key| all.get(*key));
    let text = english(said);
    let fields = || when.keys().chain(require.keys()).cloned().collect::<Vec<_>>().join(", ");
    let text = if text.is_empty() { format!("a rule about {}", fields()) } else { text };
    (!when.is_empty() && !require.is_empty()).then_some(Constraint { when, require, text })
}
