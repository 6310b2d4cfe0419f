//! What a file's name and the note beside it tell: the one place where our times become days, which needs a time zone.

use serde_json::{Map, Value, json};

use crate::domain::naming::{Facts, slug};
use crate::domain::{AssetId, Stage, Task};
use crate::time::Wall;

/// What fills the template of names.
pub(super) fn facts(task: &Task, index: u16) -> Facts {
    let made = task.times.at(Stage::Saved).unwrap_or(task.created);
    Facts {
        date: time(made, "%Y-%m-%d"),
        model: task.request.full_model(),
        slug: slug(&task.request.prompt),
        id: task.id.short(),
        number: u32::from(index) + 1,
    }
}

/// For an output of a task that is not loaded.
pub(super) fn bare(asset: AssetId) -> Facts {
    Facts { id: asset.task.to_string(), number: u32::from(asset.index) + 1, ..Facts::default() }
}

/// What is noted beside an output, so that a picture explains itself years later. The form is a promise: fields are
/// only ever added, `schema` counts the rest. What the file is like is added where it is named.
pub(super) fn note(task: &Task, index: u16) -> Map<String, Value> {
    const DETAIL: &str = "%Y-%m-%dT%H:%M:%S%:z";
    let request = &task.request;
    let mut times: Map<String, Value> =
        task.times.iter().map(|(stage, at)| (stage.word().to_owned(), time(at, DETAIL).into())).collect();
    if let Some(at) = task.completed {
        times.insert("completed".to_owned(), time(at, DETAIL).into());
    }
    let mut note = Map::new();
    let template = Some(&request.template).filter(|template| **template != request.prompt);
    for (name, value) in [
        ("schema", json!(1)),
        ("made_with", json!(concat!("plantain ", env!("CARGO_PKG_VERSION")))),
        ("prompt", json!(request.prompt)),
        ("template", json!(template)),
        ("model", json!(request.model)),
        ("route", json!(request.route)),
        ("input", json!(request.input)),
        ("id", json!(task.id.to_string())),
        ("task_id", json!(task.task_id.as_ref().map(ToString::to_string))),
        ("output", json!(u32::from(index) + 1)),
        ("outputs", json!(task.outputs.len())),
        ("type", json!(task.outputs.get(usize::from(index)).map(|output| &output.role))),
        ("times", Value::Object(times)),
    ] {
        note.insert(name.to_owned(), value);
    }
    note
}

fn time(at: Wall, form: &str) -> String {
    jiff::Timestamp::from_second(at.secs())
        .map(|at| at.to_zoned(jiff::tz::TimeZone::system()).strftime(form).to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::domain::naming::Template;
    use crate::domain::{LocalId, Request};

    #[test]
    fn a_file_tells_what_is_inside() {
        let input = json!({ "words": "A fox" }).as_object().cloned().expect("an object");
        let request = Request::new("m", Some("r"), input, "A {fox}".into(), "A fox".into(), None);
        let id = LocalId::from_random(0xabcd_ef01 << 96);
        let task = Task::new(id, Arc::new(request), Wall::from_secs(1_777_282_033));
        let name = Template::default().name(&facts(&task, 1), "png").to_string();
        assert!(name.starts_with("2026-04-2") && name.ends_with("-a-fox-abcdef0-2"), "{name}");
        let note = note(&task, 1);
        assert_eq!((note["prompt"].as_str(), note["template"].as_str()), (Some("A fox"), Some("A {fox}")));
        assert_eq!((note["model"].as_str(), note["route"].as_str()), (Some("m"), Some("r")));
        assert_eq!((note["output"].as_u64(), note["input"]["words"].as_str()), (Some(2), Some("A fox")));
        assert!(note["times"]["saved"].as_str().is_some_and(|time| time.starts_with("2026-04-2")), "{note:?}");
    }
}
