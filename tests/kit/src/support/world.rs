//! A store and a service in a few lines, for machines that run in virtual time.
//!
//! The service keeps a ledger by idempotency key, as the real one does: a key it knows with the same bytes is a
//! replay, with other bytes a mismatch, and every line of the ledger was paid for once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use plantain::domain::{
    Accepted, Change, Draft, Failure, Home, LocalId, Output, OutputState, Page, Problem, Report, Source, Stage, Status,
    Task, TaskId,
};
use plantain::time::{Now, Wall};

/// What is on the disk.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// Tasks as they were written last.
    pub tasks: BTreeMap<LocalId, Task>,
    /// The draft that was written last.
    pub draft: Option<Draft>,
    /// The drafts of all models.
    pub drafts: BTreeMap<String, Draft>,
    /// What was learned, by what it is about.
    pub learned: BTreeMap<String, String>,
    /// Batches that rest.
    pub resting: BTreeSet<String>,
}

impl Store {
    /// Applies a change; a task that was written is answered for.
    pub fn write(&mut self, change: &Change) -> Option<(LocalId, Stage)> {
        match change {
            Change::New(task) | Change::Intent(task) | Change::Progress(task) => {
                self.tasks.insert(task.id, Task::clone(task));
            }
            Change::Draft(draft) => {
                self.draft = Some(draft.clone());
                self.drafts.insert(draft.model.clone(), draft.clone());
            }
            Change::Forget(id) => drop(self.tasks.remove(id)),
            Change::Star(id, on) => {
                if let Some(task) = self.tasks.get_mut(id) {
                    task.starred = *on;
                }
            }
            Change::Learned(lessons) => {
                self.learned.extend(lessons.iter().map(|lesson| (lesson.about.clone(), lesson.text.clone())));
            }
            Change::Drop(ids) => ids.iter().for_each(|id| drop(self.tasks.remove(id))),
            Change::Batch { name, paused: true } => drop(self.resting.insert(name.clone())),
            Change::Batch { name, .. } => drop(self.resting.remove(name)),
            Change::Wish(_) | Change::Found(_) | Change::Paused(_) => {}
        }
        change.written()
    }
}

/// One line of the ledger: a task that exists, and is paid for.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The bytes that created it.
    pub body: String,
    /// What the service calls it.
    pub task_id: TaskId,
    /// When it began.
    pub accepted: Wall,
    /// How long it takes.
    pub ends: Duration,
    /// How it ends.
    pub fails: bool,
}

impl Entry {
    /// Where it stands now.
    pub fn status(&self, now: Now) -> Status {
        let age = now.wall.since(self.accepted);
        match (age >= self.ends, self.fails) {
            (true, true) => Status::Failed(Failure { code: Some("TASK_FAILED".into()), message: None }),
            (true, false) => Status::Success,
            _ if age * 3 < self.ends => Status::Queued,
            _ if age * 10 < self.ends * 9 => Status::Handling,
            _ => Status::Archiving,
        }
    }

    /// What the service says of it now.
    pub fn report(&self, now: Now, source: Source) -> Report {
        let status = self.status(now);
        let outputs = if status == Status::Success { vec![output(self.task_id.as_str())] } else { Vec::new() };
        let completed =
            status.is_final().then(|| Wall(self.accepted.0 + i64::try_from(self.ends.as_millis()).unwrap()));
        let created = Some(self.accepted);
        Report { task_id: self.task_id.clone(), model: "m".into(), status, outputs, created, completed, source }
    }
}

/// The service: its ledger, and every body it ever got.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// The tasks by their keys.
    pub ledger: BTreeMap<LocalId, Entry>,
    /// Bodies by key, accepted or not, in the order they came.
    pub bodies: BTreeMap<LocalId, Vec<String>>,
    /// Keys in the order they were accepted.
    order: Vec<LocalId>,
    /// How long the next ones take; ten seconds if nothing is said.
    pub takes: Option<Duration>,
    /// Whether the next ones fail.
    pub fails: bool,
}

impl Service {
    /// A creation arrived whole.
    pub fn post(&mut self, key: LocalId, body: &str, now: Now) -> Result<Accepted, Problem> {
        self.bodies.entry(key).or_default().push(body.to_owned());
        if let Some(entry) = self.ledger.get(&key) {
            return if entry.body == body {
                Ok(Accepted { task_id: entry.task_id.clone(), replay: true })
            } else {
                Err(Problem::Mismatch { message: "other bytes".into() })
            };
        }
        let task_id: TaskId = format!("tk-{:03}", self.order.len()).parse().expect("an id");
        let ends = self.takes.unwrap_or(Duration::from_secs(10));
        let entry =
            Entry { body: body.to_owned(), task_id: task_id.clone(), accepted: now.wall, ends, fails: self.fails };
        self.ledger.insert(key, entry);
        self.order.push(key);
        Ok(Accepted { task_id, replay: false })
    }

    /// `GET /v1/tasks/{id}`.
    pub fn task(&self, id: &TaskId, now: Now) -> Result<Report, Problem> {
        let entry = self.ledger.values().find(|entry| entry.task_id == *id);
        entry.map(|e| e.report(now, Source::Task)).ok_or(Problem::NotFound { message: "unknown".into() })
    }

    /// `GET /v1/tasks`: newest first, a hundred a page.
    pub fn page(&self, page: u32, now: Now) -> Page {
        let skip = (page.max(1) as usize - 1) * 100;
        let keys = self.order.iter().rev().skip(skip).take(100);
        let reports = keys.map(|key| self.ledger[key].report(now, Source::Page)).collect();
        Page { page, size: 100, total: self.order.len() as u64, reports }
    }
}

/// An image at the service.
pub fn output(name: &str) -> Output {
    Output {
        url: format!("https://files.example/{name}.png"),
        role: "image".into(),
        expires: None,
        state: OutputState::Away,
    }
}

/// The file that a download makes of it.
pub fn home(name: &str) -> Home {
    Home {
        file: format!("/pictures/{name}.png"),
        bytes: 1_000_000,
        sha256: format!("{:0>64}", name.len()),
        format: "png".into(),
        width: Some(1024),
        height: Some(1024),
    }
}
