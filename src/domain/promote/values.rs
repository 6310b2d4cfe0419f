//! The nearest value that a field of another model allows.

use serde_json::{Number, Value};

use crate::domain::catalogue::{Field, FieldKind, Role};
use crate::domain::request::plain;

/// The value for this field that is nearest to the one that was set, or why there is none.
///
/// # Errors
/// Why it cannot be carried, in plain words.
pub(super) fn fit(value: &Value, source: Option<&Field>, field: &Field) -> Result<Value, String> {
    match field.kind {
        FieldKind::Text => text(value, field),
        FieldKind::Texts => texts(value, field),
        FieldKind::Integer | FieldKind::Number => number(value, source, field),
        FieldKind::Switch => value.as_bool().map(Value::Bool).ok_or_else(|| "it takes yes or no".to_owned()),
    }
}

fn text(value: &Value, field: &Field) -> Result<Value, String> {
    // Several files for a place that takes one: the first.
    let text = match value {
        Value::Array(items) => items.first().map(plain).unwrap_or_default(),
        other => plain(other),
    };
    if text.is_empty() {
        return Err("there was nothing in it".to_owned());
    }
    let Some(choices) = &field.choices else {
        let free = field.role != Some(Role::Shape) || proportion(&text).is_some();
        return free.then(|| Value::from(text)).ok_or_else(|| "it takes proportions only".to_owned());
    };
    let found = choices
        .iter()
        .find(|choice| plain(choice) == text)
        .or_else(|| choices.iter().find(|choice| same(&plain(choice), &text)))
        .or_else(|| nearest(&text, choices, field.role));
    found.cloned().ok_or_else(|| format!("it does not know {text:?}"))
}

/// Two spellings of one thing.
fn same(one: &str, other: &str) -> bool {
    let word = |text: &str| text.to_lowercase().replace("jpeg", "jpg").replace("adaptive", "auto");
    word(one) == word(other)
}

/// The nearest of the choices, by what their role measures.
fn nearest<'a>(text: &str, choices: &'a [Value], role: Option<Role>) -> Option<&'a Value> {
    let measure: fn(&str) -> Option<f64> = match role? {
        Role::Shape => proportion,
        Role::Quality => rung,
        // A shape can only be said in pixels where sizes are pixels.
        Role::Size if proportion(text).is_some_and(|_| text.contains(':')) => proportion,
        Role::Size => pixels,
        _ => return None,
    };
    let wanted = measure(text)?;
    let far = |choice: &&Value| measure(&plain(choice)).map(|is| (is / wanted).ln().abs());
    choices.iter().filter(|choice| far(choice).is_some()).min_by(|a, b| {
        let distance = |choice| far(choice).unwrap_or(f64::INFINITY);
        distance(a).total_cmp(&distance(b))
    })
}

/// Two numbers with something between them.
fn pair(text: &str) -> Option<(f64, f64)> {
    let (one, other) = text.split_once([':', 'x', 'X', '*', '×'])?;
    let (one, other): (f64, f64) = (one.trim().parse().ok()?, other.trim().parse().ok()?);
    (one > 0.0 && other > 0.0 && one.is_finite() && other.is_finite()).then_some((one, other))
}

/// Width to height.
fn proportion(text: &str) -> Option<f64> {
    pair(text).map(|(width, height)| width / height)
}

/// The length of a side in pixels: of `2K`, `1080p`, `1024x1536`.
fn pixels(text: &str) -> Option<f64> {
    if let Some((width, height)) = pair(text).filter(|_| !text.contains(':')) {
        return Some((width * height).sqrt());
    }
    let lower = text.trim().to_lowercase();
    let (digits, times) = match (lower.strip_suffix('k'), lower.strip_suffix('p')) {
        (Some(digits), _) => (digits, 1024.0),
        (None, Some(digits)) => (digits, 1.0),
        (None, None) => return None,
    };
    digits.parse::<f64>().ok().map(|number| number * times).filter(|number| *number > 0.0)
}

/// How far up the ladder of qualities a word stands.
fn rung(text: &str) -> Option<f64> {
    let place = match text.to_lowercase().as_str() {
        "low" | "draft" => 1.0,
        "basic" | "standard" | "medium" => 2.0,
        "high" | "hd" => 4.0,
        "xhigh" => 8.0,
        "max" => 16.0,
        _ => return None,
    };
    Some(place)
}

/// Its sizes are given in pixels, so that they say a shape as well.
pub(super) fn in_pixels(field: &Field) -> bool {
    field.choices.iter().flatten().any(|choice| pair(&plain(choice)).is_some())
}

fn texts(value: &Value, field: &Field) -> Result<Value, String> {
    let mut items: Vec<Value> = match value {
        Value::Array(items) => items.clone(),
        Value::String(text) if !text.is_empty() => vec![value.clone()],
        _ => Vec::new(),
    };
    items.truncate(field.max_items.unwrap_or(usize::MAX));
    if items.is_empty() || field.min_items.is_some_and(|least| items.len() < least) {
        return Err("it takes more of them".to_owned());
    }
    Ok(Value::Array(items))
}

fn number(value: &Value, source: Option<&Field>, field: &Field) -> Result<Value, String> {
    let typed = || plain(value).trim().parse().ok();
    let wanted = value.as_f64().or_else(typed).filter(|number: &f64| number.is_finite());
    let wanted = wanted.ok_or_else(|| "it takes a number".to_owned())?;
    if let Some(choices) = &field.choices {
        let far = |choice: &Value| choice.as_f64().map_or(f64::INFINITY, |is| (is - wanted).abs());
        let found = choices.iter().min_by(|a, b| far(a).total_cmp(&far(b)));
        return found.cloned().ok_or_else(|| "it allows no number".to_owned());
    }
    // A number below nothing is no length but a word: the service chooses. Only who knows the word gets it.
    if wanted < 0.0
        && source.is_some_and(|source| source.min.is_some_and(|min| min < 0.0))
        && field.min.is_some_and(|min| min >= 0.0)
    {
        return Err("there it leaves the choice to the service".to_owned());
    }
    let mut fitted = wanted;
    if let Some(min) = field.min {
        fitted = fitted.max(min);
    }
    if let Some(max) = field.max {
        fitted = fitted.min(max);
    }
    if field.kind == FieldKind::Integer {
        // A seed is a name: what is whole stays exactly as it was.
        if let Some(whole) = value.as_i64().filter(|_| (fitted - wanted).abs() < f64::EPSILON) {
            return Ok(whole.into());
        }
        #[allow(clippy::cast_possible_truncation, reason = "saturating, and the limits are whole")]
        return Ok((fitted.round() as i64).into());
    }
    Number::from_f64(fitted).map(Value::Number).ok_or_else(|| "it takes a number".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(role: Role, words: &[&str]) -> Field {
        let field = serde_json::json!({
            "name": "f", "type": "string", "role": role, "enum": words, "description": ""
        });
        serde_json::from_value(field).expect("a field")
    }

    fn fitted(field: &Field, text: &str) -> Option<String> {
        fit(&text.into(), None, field).ok().map(|value| plain(&value))
    }

    #[test]
    fn the_nearest_shape_is_taken() {
        let field = choices(Role::Shape, &["1:1", "16:9", "9:16", "4:3", "auto"]);
        for (from, to) in [
            ("21:9", Some("16:9")),
            ("9:21", Some("9:16")),
            ("5:4", Some("4:3")),
            ("1536x1024", Some("4:3")),
            ("adaptive", Some("auto")),
            ("custom", None),
        ] {
            assert_eq!(fitted(&field, from).as_deref(), to, "{from}");
        }
        let bare = choices(Role::Shape, &["1:1", "16:9"]);
        assert_eq!(fitted(&bare, "auto"), None);
    }

    #[test]
    fn sizes_are_compared_in_pixels() {
        let tiers = choices(Role::Size, &["1K", "2K", "4K"]);
        for (from, to) in [("2688*1536", "2K"), ("720p", "1K"), ("1080p", "1K"), ("4k", "4K"), ("8K", "4K")] {
            assert_eq!(fitted(&tiers, from).as_deref(), Some(to), "{from}");
        }
        let exact = choices(Role::Size, &["2688*1536", "2048*2048", "1536*2688"]);
        assert_eq!(fitted(&exact, "16:9").as_deref(), Some("2688*1536"), "a shape in pixels");
        assert!(in_pixels(&exact) && !in_pixels(&tiers));
        let films = choices(Role::Size, &["480p", "720p", "1080p"]);
        assert_eq!(fitted(&films, "4K").as_deref(), Some("1080p"));
    }

    #[test]
    fn spellings_ladders_and_numbers() {
        assert_eq!(fitted(&choices(Role::Format, &["png", "jpg"]), "jpeg").as_deref(), Some("jpg"));
        assert_eq!(fitted(&choices(Role::Format, &["png", "jpg"]), "webp"), None);
        assert_eq!(fitted(&choices(Role::Quality, &["basic", "high"]), "max").as_deref(), Some("high"));
        assert_eq!(fitted(&choices(Role::Quality, &["low", "medium", "high"]), "basic").as_deref(), Some("medium"));
        let field = |json: Value| serde_json::from_value::<Field>(json).expect("a field");
        let seconds = field(serde_json::json!({"name":"s","type":"integer","min":4.0,"max":15.0,"description":""}));
        let fitted = |value: Value| fit(&value, None, &seconds).ok();
        assert_eq!(fitted(30.into()), Some(15.into()));
        assert_eq!(fitted(1.into()), Some(4.into()));
        assert_eq!(fitted("7".into()), Some(7.into()));
        assert_eq!(fitted("soon".into()), None);
        let seed = field(serde_json::json!({"name":"s","type":"integer","description":""}));
        assert_eq!(fit(&9_007_199_254_740_993i64.into(), None, &seed).ok(), Some(9_007_199_254_740_993i64.into()));
    }

    #[test]
    fn files_are_as_many_as_there_is_room_for() {
        let field = |json: Value| serde_json::from_value::<Field>(json).expect("a field");
        let two = field(serde_json::json!({"name":"f","type":"string[]","max_items":2,"description":""}));
        let one = field(serde_json::json!({"name":"f","type":"string","description":""}));
        let three = serde_json::json!(["a", "b", "c"]);
        assert_eq!(fit(&three, None, &two).ok(), Some(serde_json::json!(["a", "b"])));
        assert_eq!(fit(&three, None, &one).ok(), Some("a".into()));
        assert_eq!(fit(&"a".into(), None, &two).ok(), Some(serde_json::json!(["a"])));
    }
}
