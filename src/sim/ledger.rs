//! What the service saw: counts of requests, the tasks it created, the callbacks it delivered. Tests prove by it that nothing
//! was paid twice. Keys of accounts are never written down.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

/// Entries of each list that are kept; the counts go on.
const KEPT: usize = 100_000;

/// The kinds of requests the ledger tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `POST /v1/tasks`
    Create,
    /// `GET /v1/tasks/{id}`
    Get,
    /// `GET /v1/tasks`
    List,
    /// `GET /v1/models`
    Models,
    /// Downloads.
    File,
    /// Everything else.
    Other,
}

/// One created task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CreatedTask {
    /// The task's id.
    pub id: String,
    /// Model as given or resolved.
    pub model: String,
    /// The `Idempotency-Key` of the creation.
    pub idempotency_key: Option<String>,
    /// How often the creation was asked for again with the same key and answered with this task.
    pub replays: u32,
    /// The `input` object; long `data:` URIs are shortened.
    pub input: Value,
}

/// One attempt to deliver a callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The task.
    pub task_id: String,
    /// From 1 to 4.
    pub attempt: u32,
    /// The receiver's answer; none for a network fault or a time-out.
    pub status: Option<u16>,
}

/// Everything the simulator has noted, as of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    /// Requests by kind and HTTP status; status 0 = the connection was cut instead of answered.
    pub requests: BTreeMap<(Kind, u16), u64>,
    /// Tasks in the order of creation. Tasks of a scenario's history are not in it.
    pub created: Vec<CreatedTask>,
    /// Answers with 429.
    pub too_many: u64,
    /// Attempts to deliver callbacks, in order.
    pub deliveries: Vec<Delivery>,
    /// Downloads that carried an `Authorization` header, which they must not.
    pub downloads_with_key: u64,
}

impl Ledger {
    /// Requests of a kind with a status.
    pub fn count(&self, kind: Kind, status: u16) -> u64 {
        self.requests.get(&(kind, status)).copied().unwrap_or(0)
    }

    /// All requests of a kind.
    pub fn total(&self, kind: Kind) -> u64 {
        let of_kind = self.requests.iter().filter(|((k, _), _)| *k == kind);
        of_kind.map(|(_, count)| count).sum()
    }
}

/// The ledger being written, with its file if there is one.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) ledger: Ledger,
    file: Option<File>,
}

impl Book {
    pub(crate) fn open(path: Option<&Path>) -> std::io::Result<Self> {
        let file = path.map(|path| File::options().create(true).append(true).open(path)).transpose()?;
        Ok(Self { ledger: Ledger::default(), file })
    }

    pub(crate) fn request(&mut self, kind: Kind, method: &str, path: &str, status: u16) {
        *self.ledger.requests.entry((kind, status)).or_insert(0) += 1;
        if status == 429 {
            self.ledger.too_many += 1;
        }
        self.write(&json!({
            "event": "request", "kind": kind, "method": method, "path": path, "status": status,
        }));
    }

    pub(crate) fn created(&mut self, task: CreatedTask) {
        self.write(&json!({
            "event": "created", "task_id": task.id, "model": task.model,
            "idempotency_key": task.idempotency_key, "input": task.input,
        }));
        if self.ledger.created.len() < KEPT {
            self.ledger.created.push(task);
        }
    }

    pub(crate) fn replayed(&mut self, id: &str) {
        self.write(&json!({ "event": "replayed", "task_id": id }));
        let mut newest_first = self.ledger.created.iter_mut().rev();
        if let Some(task) = newest_first.find(|task| task.id == id) {
            task.replays += 1;
        }
    }

    pub(crate) fn delivered(&mut self, delivery: Delivery) {
        self.write(&json!({
            "event": "callback", "task_id": delivery.task_id,
            "attempt": delivery.attempt, "status": delivery.status,
        }));
        if self.ledger.deliveries.len() < KEPT {
            self.ledger.deliveries.push(delivery);
        }
    }

    /// One line, written at once: the reader may be a test that has just killed somebody. A full disk must not stop the service.
    fn write(&mut self, line: &Value) {
        if let Some(file) = &mut self.file {
            let written = file.write_all(format!("{line}\n").as_bytes());
            if let Err(error) = written {
                tracing::warn!(%error, "the ledger file cannot be written; going on without it");
                self.file = None;
            }
        }
    }
}

/// A copy of an input that is fit for keeping: long `data:` URIs become their length.
pub(crate) fn shortened(input: &Value) -> Value {
    match input {
        Value::String(text) if text.starts_with("data:") && text.len() > 1024 => {
            Value::String(format!("data: ({} bytes)", text.len()))
        }
        Value::Array(items) => items.iter().map(shortened).collect(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), shortened(value)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}
