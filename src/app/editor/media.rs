//! Addresses of pictures, clips and sounds, in few words.

use serde_json::Value;

use crate::domain::Field;

/// What a field takes, for people: one of it, or several.
#[must_use]
pub fn noun(media: Option<&str>, several: bool) -> &'static str {
    match (media, several) {
        (Some("image"), false) => "picture",
        (Some("image"), true) => "pictures",
        (Some("video"), false) => "clip",
        (Some("video"), true) => "clips",
        (Some("audio"), false) => "recording",
        (Some("audio"), true) => "recordings",
        (_, false) => "item",
        (_, true) => "items",
    }
}

/// The value of a field of addresses: the one there is, or how many.
#[must_use]
pub fn in_words(field: &Field, value: &Value) -> String {
    match items(value).as_slice() {
        [] => String::new(),
        [one] => short(one),
        several => format!("{} {}", several.len(), noun(field.media.as_deref(), true)),
    }
}

/// The addresses of a value, be it one or a list.
#[must_use]
pub fn items(value: &Value) -> Vec<&str> {
    match value {
        Value::String(one) if !one.is_empty() => vec![one],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// An address, or a file that stands in its place, in as few letters as say which one it is.
#[must_use]
pub fn short(address: &str) -> String {
    if let Some(rest) = address.strip_prefix("data:") {
        let kind = rest.split([';', ',']).next().filter(|kind| !kind.is_empty() && kind.len() < 60).unwrap_or("file");
        // Four letters for three bytes.
        let bytes = rest.split_once(',').map_or(0, |(_, text)| text.len() / 4 * 3);
        return format!("{kind} inside, {} kB", bytes.div_ceil(1000));
    }
    let path = address.split(['?', '#']).next().unwrap_or(address).trim_end_matches('/');
    let last = path.rsplit('/').next().filter(|last| !last.is_empty()).unwrap_or(path);
    last.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_short() {
        assert_eq!(short("https://cdn.example/tasks/tk-1/0.png?sig=abc"), "0.png");
        assert_eq!(short("https://cdn.example/"), "cdn.example");
        assert_eq!(short("data:image/png;base64,AAAABBBB"), "image/png inside, 1 kB");
        assert_eq!(short("data:"), "file inside, 0 kB");
        assert_eq!(short("asset://abc"), "abc");
        assert_eq!(short(""), "");
    }
}
