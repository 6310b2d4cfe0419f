//! A task as one line of JSON. The form is a promise: fields are only ever added, `schema` counts the rest.

use serde_json::{Value, json};

use crate::domain::{Output, Status, Task};
use crate::runtime::files::is_gone;

/// A task as JSON; times are Unix seconds.
pub(super) fn task(task: &Task) -> Value {
    json!({
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
    })
}

fn output(output: &Output) -> Value {
    let home = output.home();
    json!({
        "url": output.url,
        "type": output.role,
        "expire_at": output.expires.map(|at| at.secs()),
        "file": home.map(|home| &home.file),
        "gone": home.is_some_and(|home| is_gone(&home.file)),
        "sha256": home.map(|home| &home.sha256),
        "width": home.and_then(|home| home.width),
        "height": home.and_then(|home| home.height),
    })
}

fn error(status: &Status) -> Value {
    match status {
        Status::Failed(failure) => json!({ "code": failure.code, "message": failure.message }),
        Status::Refused(problem) | Status::Held(Some(problem)) | Status::Unsure(Some(problem)) => {
            json!({ "code": problem.code(), "message": problem.sentence() })
        }
        _ => Value::Null,
    }
}
