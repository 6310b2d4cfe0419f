//! Requests whose input somebody wrote as JSON, for models that the catalogue does not know. Nothing is checked but
//! that it is an object of a size that is sent.

use serde_json::{Map, Value};

use super::request::{LONGEST_BODY, Request};
use super::validate::{Fault, Invalid, fit, is_callback};

/// The longest name of a model that is sent, in bytes; those that are known have at most 40.
pub const LONGEST_NAME: usize = 200;

/// Whether this can be the name of a model that nobody here knows.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST_NAME && !name.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// A request for a model that the catalogue does not know. What was typed must be a JSON object of a size that is
/// sent; nothing else about it is known here, and it goes out byte for byte.
///
/// # Errors
/// What makes it no request at all.
pub fn validate_raw(model: &str, typed: &str, callback: Option<&str>) -> Result<Request, Vec<Invalid>> {
    let whole = |fault| vec![Invalid { field: None, fault }];
    if !is_name(model) {
        return Err(whole(Fault::Name));
    }
    if callback.is_some_and(|url| !is_callback(url)) {
        return Err(whole(Fault::Callback));
    }
    let input = read_object(typed).map_err(whole)?;
    fit(Request::raw(model, typed, input, callback))
}

/// Reads the JSON of an input.
///
/// # Errors
/// [`Fault::Json`] with the place, [`Fault::NotObject`], [`Fault::TooLarge`].
pub fn read_object(typed: &str) -> Result<Map<String, Value>, Fault> {
    if typed.len() > LONGEST_BODY {
        return Err(Fault::TooLarge(typed.len(), LONGEST_BODY));
    }
    match serde_json::from_str::<Value>(typed) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err(Fault::NotObject),
        Err(why) => {
            let words = why.to_string();
            let what = words.rsplit_once(" at line ").map_or(words.as_str(), |(what, _)| what);
            let (line, column) = place(typed, why.line(), why.column());
            Err(Fault::Json(line, column, plainly(what)))
        }
    }
}

/// Line and column as people count them: both from 1, the column in characters, and a line break belongs to the line
/// that it ends.
fn place(typed: &str, line: usize, column: usize) -> (usize, usize) {
    let at = |line: usize| typed.split('\n').nth(line.saturating_sub(1)).unwrap_or_default();
    if column == 0 && line > 1 {
        return (line - 1, at(line - 1).chars().count() + 1);
    }
    let text = at(line);
    let before = text.floor_char_boundary(column.saturating_sub(1).min(text.len()));
    (line.max(1), text[..before].chars().count() + 1)
}

/// What the reader of JSON says, for people.
fn plainly(what: &str) -> String {
    let words = match what {
        "expected ident" => "only true, false and null stand without quotes",
        "expected value" => "a value is missing here",
        "key must be a string" => "a name stands in double quotes",
        "trailing characters" => "something stands behind the end of the object",
        "trailing comma" => "a comma stands before the end",
        "recursion limit exceeded" => "it is nested too deeply",
        "control character (\\u0000-\\u001F) found while parsing a string" => {
            "a line break inside a text is written \\n"
        }
        what if what.starts_with("EOF while parsing a string") => "a text has no closing quotation mark",
        what if what.starts_with("EOF") => "it ends too early",
        what => return what.to_owned(),
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(model: &str, typed: &str) -> String {
        match validate_raw(model, typed, None) {
            Ok(request) => request.body,
            Err(faults) => faults[0].to_string(),
        }
    }

    #[test]
    fn a_model_that_nobody_knows_needs_an_object_and_no_more() {
        assert_eq!(words("x/y@z", r#"{"a": 1.0}"#), r#"{"model":"x/y@z","input":{"a": 1.0}}"#);
        assert_eq!(words("m", "[1]"), "the input must be a JSON object: { … }");
        assert!(words("two words", "{}").contains("no blanks") && words("", "{}").contains("no blanks"));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(LONGEST_BODY));
        assert!(words("m", &long).contains("at most 10000 kB"));
    }

    #[test]
    fn what_is_no_json_says_where_and_what() {
        assert_eq!(
            words("m", "{\n  \"a\": tru\n}"),
            "line 2, column 11: only true, false and null stand without quotes"
        );
        assert_eq!(words("m", ""), "line 1, column 1: it ends too early");
        assert_eq!(words("m", "{\"長\": }"), "line 1, column 7: a value is missing here");
        assert_eq!(words("m", "{\"a\": \"b"), "line 1, column 8: a text has no closing quotation mark");
        assert_eq!(words("m", "{a: 1}"), "line 1, column 2: a name stands in double quotes");
        assert!(words("m", "{\"a\": \"b\nc\"}").contains("a line break inside a text"));
        assert!(words("m", &"{\"a\":".repeat(5000)).contains("nested too deeply"));
        for (line, column) in [(0, 0), (1, 99), (9, 9), (2, 0)] {
            let (line, column) = place("é\n", line, column);
            assert!(line >= 1 && column >= 1);
        }
    }
}
