//! A task as one line of JSON. The form is a promise: fields are only ever added, `schema` counts the rest.

use serde_json::{Value, json};

use crate::domain::cause;
use crate::domain::text::is_harmless;
use crate::domain::{GivenUp, Output, Status, Task};
use crate::runtime::files::is_gone;

/// A task as one line of JSON; times are Unix seconds.
pub(super) fn line(task: &Task) -> String {
    escaped(&self::task(task))
}

/// JSON in one line. What could steer a terminal is escaped: the usual escapes stop at U+001F, while many terminals
/// obey U+009B as they obey ESC [.
pub(super) fn escaped(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().all(is_harmless) {
        return text;
    }
    let mut safe = String::with_capacity(text.len() + 64);
    for c in text.chars() {
        // Outside of strings there is only ASCII, so an escape is always inside of one.
        if is_harmless(c) {
            safe.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| safe.push_str(&format!("\\u{unit:04x}")));
        }
    }
    safe
}

/// A task as JSON, to add to.
pub(super) fn task(task: &Task) -> Value {
    let mut line = json!({
        "schema": 1,
        "id": task.id.to_string(),
        "task_id": task.task_id.as_ref().map(ToString::to_string),
        "model": task.request.full_model(),
        "status": task.status.word(),
        "prompt": task.request.prompt,
        "input": task.request.input,
        "created": task.created.secs(),
        "completed": task.ended().map(|at| at.secs()),
        "outputs": task.outputs.iter().map(output).collect::<Vec<_>>(),
        "error": error(&task.status),
    });
    // Only where it is so: the promised fields are the same for every task.
    if task.is_elsewhere() {
        line["origin"] = "elsewhere".into();
    }
    if task.request.template != task.request.prompt && !task.request.template.is_empty() {
        line["template"] = task.request.template.as_str().into();
    }
    if let Some(mark) = &task.mark {
        line["batch"] = mark.batch.as_str().into();
        if let Some(seed) = mark.seed {
            line["seed"] = seed.into();
        }
    }
    if task.starred {
        line["starred"] = true.into();
    }
    if let Some(kin) = task.kin {
        line["from"] = json!({ "id": kin.parent.to_string(), "how": kin.how.word() });
    }
    if let Some(kind) = cause::kind(task) {
        line["kind"] = kind.word().into();
    }
    if let Status::GivenUp(GivenUp { anew: Some(anew), .. }) = &task.status {
        line["sent_anew_as"] = anew.to_string().into();
    }
    line
}

fn output(output: &Output) -> Value {
    let home = output.home();
    let mut line = json!({
        "url": output.url,
        "type": output.role,
        "expire_at": output.expires.map(|at| at.secs()),
        "file": home.map(|home| &home.file),
        "sha256": home.map(|home| &home.sha256),
        "width": home.and_then(|home| home.width),
        "height": home.and_then(|home| home.height),
    });
    // Only where it is so: the promised fields are the same for every output.
    if home.is_some_and(|home| is_gone(&home.file)) {
        line["gone"] = true.into();
    }
    line
}

fn error(status: &Status) -> Value {
    match status {
        Status::Failed(failure) => json!({ "code": failure.code, "message": failure.message }),
        Status::GivenUp(GivenUp { problem: Some(problem), .. })
        | Status::Refused(problem)
        | Status::Held(Some(problem))
        | Status::Unsure(Some(problem)) => {
            json!({ "code": problem.code(), "message": problem.sentence() })
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{LocalId, Request};
    use crate::time::Wall;

    #[test]
    fn nothing_in_a_line_steers_a_terminal_and_nothing_is_lost() {
        let prompt = "a\u{1b}[2Jb\u{9b}31m\u{7f}c\u{202e}d\u{e0041}e\nf 狐 \u{1F98A}";
        let request = Request::new("m", None, serde_json::Map::new(), prompt.into(), prompt.into(), None);
        let line = line(&Task::new(LocalId::from_random(7), std::sync::Arc::new(request), Wall::from_secs(9)));
        assert!(line.chars().all(is_harmless), "{line:?}");
        assert!(line.contains("狐 \u{1F98A}"), "what is harmless stays readable: {line}");
        let back: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(back["prompt"], prompt);
    }
}
