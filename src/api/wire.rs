//! The service's JSON as it comes over the wire, read as leniently as it can be: unknown fields are passed over,
//! numbers may be text, lists may be null, a repeated key counts the last time. Only broken JSON is an error.
//!
//! No value tree is built on the way, so that 16 MiB of brackets cannot become a gigabyte of memory.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Writes the methods of a visitor that read what it does not want as nothing.
macro_rules! nothing_from {
    ($($kind:ident)*) => { $(nothing_from!(@ $kind);)* };
    (@ unit) => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> { Ok(Default::default()) }
    };
    (@ bool) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> { Ok(Default::default()) }
    };
    (@ numbers) => {
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> { Ok(Default::default()) }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> { Ok(Default::default()) }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> { Ok(Default::default()) }
    };
    (@ str) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> { Ok(Default::default()) }
    };
    (@ seq) => {
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
    (@ map) => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Default::default())
        }
    };
}

/// Declares an object of the wire: each field with the key it is read from.
macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident { $($key:literal => $field:ident: $kind:ty,)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub(super) struct $name { $(pub(super) $field: $kind,)* }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Reader;
                impl<'de> Visitor<'de> for Reader {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("an object") }
                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut read = $name::default();
                        while let Some(key) = map.next_key::<String>()? {
                            match key.as_str() {
                                $($key => read.$field = map.next_value()?,)*
                                _ => { map.next_value::<IgnoredAny>()?; }
                            }
                        }
                        Ok(read)
                    }
                    nothing_from!(unit bool numbers str seq);
                }
                from.deserialize_any(Reader)
            }
        }
    )* };
}

objects! {
    /// Both shapes of an answer's outside, the task service's envelope and the gateway's error, around one task or
    /// the answer to a creation.
    Envelope {
        "code" => code: Int,
        "message" => message: Text,
        "data" => data: Maybe<Task>,
        "error_code" => error_code: Text,
        "error" => error: Maybe<Fault>,
    }

    /// The inside of [`Envelope`] once more, when it is a page.
    Listing {
        "data" => data: Maybe<Page>,
    }

    /// A task, or what a creation says of it.
    Task {
        "taskId" => task_id: Text,
        "task_id" => task_id_older: Text,
        "id" => id_older: Text,
        "model" => model: Text,
        "status" => status: Text,
        "created" => created: Int,
        "completed" => completed: Int,
        "output" => output: List<Item, 64>,
        "outputs" => outputs_older: List<Item, 64>,
        "error" => error: Maybe<Fault>,
        "fail_reason" => fail_reason_older: Text,
    }

    /// A page of the list.
    Page {
        "page" => page: Int,
        "size" => size: Int,
        "total" => total: Int,
        "tasks" => tasks: List<Task, 1000>,
    }

    /// One entry of `output[]`.
    Item {
        "url" => url: Text,
        "type" => role: Text,
        "expireAt" => expires: Int,
    }

    /// An error of the gateway, or of a failed task.
    Fault {
        "code" => code: Text,
        "message" => message: Text,
        "request_id" => request_id: Text,
        "" => bare: Text,
    }
}

/// Text, or a number that is written out. Anything else is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Text(pub(super) Option<String>);

impl Text {
    /// The text, unless it is missing or blank.
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text")
            }
            fn visit_str<E>(self, text: &str) -> Result<Text, E> {
                Ok(Text(Some(text.to_owned())))
            }
            fn visit_string<E>(self, text: String) -> Result<Text, E> {
                Ok(Text(Some(text)))
            }
            fn visit_i64<E>(self, n: i64) -> Result<Text, E> {
                Ok(Text(Some(n.to_string())))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Text, E> {
                Ok(Text(Some(n.to_string())))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Text, E> {
                Ok(Text(Some(n.to_string())))
            }
            nothing_from!(unit bool seq map);
        }
        from.deserialize_any(Reader)
    }
}

/// A whole number, or text or a fraction that stands for one. Anything else is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Int(pub(super) Option<i64>);

impl Int {
    /// The number, if it is above zero: the service writes 0 for "not yet" \[D\].
    pub(super) fn positive(self) -> Option<i64> {
        self.0.filter(|n| *n > 0)
    }
}

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Int;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_i64<E>(self, n: i64) -> Result<Int, E> {
                Ok(Int(Some(n)))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Int, E> {
                Ok(Int(i64::try_from(n).ok()))
            }
            #[allow(clippy::cast_possible_truncation, reason = "the range is checked")]
            fn visit_f64<E>(self, n: f64) -> Result<Int, E> {
                Ok(Int((n.abs() < 9e15).then_some(n as i64)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Int, E> {
                Ok(Int(text.trim().parse().ok()))
            }
            nothing_from!(unit bool seq map);
        }
        from.deserialize_any(Reader)
    }
}

/// An object that may be missing, null or something else.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Maybe<T>(pub(super) Option<Box<T>>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de> + FromText> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de> + FromText> Visitor<'de> for Reader<T> {
            type Value = Maybe<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Maybe<T>, A::Error> {
                let inner = T::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
                Ok(Maybe(Some(Box::new(inner))))
            }
            fn visit_str<E>(self, text: &str) -> Result<Maybe<T>, E> {
                Ok(Maybe(T::from_text(text).map(Box::new)))
            }
            nothing_from!(unit bool numbers seq);
        }
        from.deserialize_any(Reader(PhantomData))
    }
}

/// What bare text stands for where an object belongs.
pub(super) trait FromText: Sized {
    /// Nothing, unless there is a meaning.
    fn from_text(_text: &str) -> Option<Self> {
        None
    }
}

impl FromText for Task {}

impl FromText for Page {}

impl FromText for Fault {
    /// `"error": "it broke"` is a message.
    fn from_text(text: &str) -> Option<Self> {
        Some(Self { bare: Text(Some(text.to_owned())), ..Self::default() })
    }
}

/// A list of objects, of which at most `MAX` are kept. Null, or anything that is no list, is an empty one; entries
/// that are no objects are empty objects.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct List<T, const MAX: usize>(pub(super) Vec<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader<T, const MAX: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for Reader<T, MAX> {
            type Value = List<T, MAX>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T, MAX>, A::Error> {
                let mut items = Vec::new();
                while items.len() < MAX {
                    match seq.next_element()? {
                        Some(item) => items.push(item),
                        None => return Ok(List(items)),
                    }
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(List(items))
            }
            nothing_from!(unit bool numbers str map);
        }
        from.deserialize_any(Reader(PhantomData))
    }
}

/// Reads an answer's body; broken encoding in it becomes replacement characters, as in a browser.
pub(super) fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    let text = String::from_utf8_lossy(body);
    serde_json::from_str(text.trim_start_matches('\u{feff}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_types_are_read_as_nothing_or_what_they_stand_for() {
        let body = br#"{"code":"200","message":7,"extra":{"a":[1,{"b":null}]},"data":{"taskId":["x"],
            "created":"1777282033","completed":1.5e9,"status":{"a":1},"error":"it broke","tasks":{"0":{}},
            "output":[null,3,"x",{"url":1},[{}],{"url":"u","expireAt":"x"}],
            "page":true,"size":-1,"total":99999999999999999999}}"#;
        let envelope: Envelope = read(body).expect("JSON");
        assert_eq!(envelope.code, Int(Some(200)));
        assert_eq!(envelope.message.get(), Some("7"));
        let task = envelope.data.0.expect("data");
        assert_eq!((task.task_id.get(), task.status.get()), (None, None));
        assert_eq!((task.created, task.completed), (Int(Some(1_777_282_033)), Int(Some(1_500_000_000))));
        let urls: Vec<_> = task.output.0.iter().filter_map(|item| item.url.get()).collect();
        assert_eq!(urls, ["1", "u"]);
        assert_eq!(task.error.0.expect("an error").bare.get(), Some("it broke"));
        let page = read::<Listing>(body).expect("JSON").data.0.expect("data");
        assert_eq!((page.page, page.size.positive(), page.total), (Int(None), None, Int(None)));
        assert!(page.tasks.0.is_empty());
    }

    #[test]
    fn a_repeated_key_counts_the_last_time() {
        let envelope: Envelope = read(b"\xef\xbb\xbf{\"message\":\"a\",\"message\":\"b\"}").expect("JSON");
        assert_eq!(envelope.message.get(), Some("b"));
    }

    #[test]
    fn what_is_no_object_is_an_empty_one_and_what_is_no_json_an_error() {
        for empty in ["null", "[]", "3", "\"x\"", "true", "{}"] {
            assert_eq!(read::<Envelope>(empty.as_bytes()).expect(empty), Envelope::default(), "{empty}");
        }
        for broken in ["", "<html>", "{", "{\"a\":}", "{\"message\":\"\\ud800\"}", "NaN"] {
            assert!(read::<Envelope>(broken.as_bytes()).is_err(), "{broken}");
        }
        assert!(read::<Envelope>("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn lists_are_bounded() {
        let body = format!("{{\"data\":{{\"tasks\":[{}{{}}]}}}}", "{},".repeat(5000));
        let page = read::<Listing>(body.as_bytes()).expect("JSON").data.0.expect("data");
        assert_eq!(page.tasks.0.len(), 1000);
    }
}
