//! A task: one request, what became of it, and when.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::batch::Mark;
use super::{AssetId, Kin, LocalId, Output, Report, Request, Stage, Status, TaskId};
use crate::time::Wall;

/// When a task was first seen in each stage of its life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Times(Vec<(Stage, Wall)>);

impl Times {
    /// Notes the first moment of a stage; later ones are ignored.
    pub fn note(&mut self, stage: Stage, at: Wall) {
        if self.at(stage).is_none() {
            self.0.push((stage, at));
        }
    }

    /// When the stage was first seen.
    #[must_use]
    pub fn at(&self, stage: Stage) -> Option<Wall> {
        self.0.iter().find(|(s, _)| *s == stage).map(|(_, at)| *at)
    }

    /// The stages in the order they were seen.
    pub fn iter(&self) -> impl Iterator<Item = (Stage, Wall)> + '_ {
        self.0.iter().copied()
    }
}

/// A task, from the moment it is saved here until long after it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Our name for it; also its idempotency key.
    pub id: LocalId,
    /// The service's name, once it was accepted.
    pub task_id: Option<TaskId>,
    /// What was, or will be, sent.
    pub request: Arc<Request>,
    /// Where it stands.
    pub status: Status,
    /// When it was seen in which stage, by our clock.
    pub times: Times,
    /// When it was saved here.
    pub created: Wall,
    /// When the service says it ended, by our clock.
    pub completed: Option<Wall>,
    /// What it delivered.
    pub outputs: Vec<Output>,
    /// How it belongs to what was sent together, if it does.
    pub mark: Option<Arc<Mark>>,
    /// Which task it came from, and how. It never changes.
    pub kin: Option<Kin>,
    /// The user has starred it.
    pub starred: bool,
}

impl Task {
    /// A new task that exists only here.
    #[must_use]
    pub fn new(id: LocalId, request: Arc<Request>, now: Wall) -> Self {
        let mut times = Times::default();
        times.note(Stage::Saved, now);
        let status = Status::Saved;
        Self {
            id,
            task_id: None,
            request,
            status,
            times,
            created: now,
            completed: None,
            outputs: Vec::new(),
            mark: None,
            kin: None,
            starred: false,
        }
    }

    /// A task that another program created, as the service tells of it. Its request is not known here, so nothing
    /// can be sent for it.
    #[must_use]
    pub fn elsewhere(id: LocalId, report: &Report, now: Wall) -> Self {
        let created = report.created.unwrap_or(now);
        let mut times = Times::default();
        times.note(Stage::Queued, created);
        let request = Arc::new(Request::elsewhere(&report.model));
        let task_id = Some(report.task_id.clone());
        let (completed, outputs) = (None, Vec::new());
        let (mark, kin, starred, status) = (None, None, false, Status::Queued);
        let mut task = Self { id, task_id, request, status, times, created, completed, outputs, mark, kin, starred };
        task.observe(report, report.completed.unwrap_or(now));
        task
    }

    /// Another program created it.
    #[must_use]
    pub fn is_elsewhere(&self) -> bool {
        !self.request.is_ours()
    }

    /// Sets a status of our own making (saved, held, sending, unsure, refused, queued on acceptance).
    pub fn set(&mut self, status: Status, now: Wall) {
        self.times.note(status.stage(), now);
        self.status = status;
    }

    /// Takes in an observation. Returns whether anything changed.
    pub fn observe(&mut self, report: &Report, now: Wall) -> bool {
        let before = self.status.stage();
        let joined = self.status.clone().join(report.status.clone());
        let mut changed = joined != self.status;
        self.status = joined;
        if self.status.stage() != before {
            self.times.note(self.status.stage(), now);
        }
        if self.status == Status::Success && report.status == Status::Success {
            changed |= self.take_outputs(&report.outputs);
        }
        if self.completed.is_none() && self.status.is_final() && report.completed.is_some() {
            self.completed = report.completed;
            changed = true;
        }
        changed
    }

    /// A newer answer may bring fresh links; what is already here stays as it is.
    fn take_outputs(&mut self, seen: &[Output]) -> bool {
        let mut changed = false;
        for (index, output) in seen.iter().enumerate() {
            match self.outputs.get_mut(index) {
                None => {
                    self.outputs.push(output.clone());
                    changed = true;
                }
                Some(mine) if mine.url != output.url || mine.expires != output.expires => {
                    mine.url.clone_from(&output.url);
                    mine.expires = output.expires;
                    changed = true;
                }
                Some(_) => {}
            }
        }
        changed
    }

    /// When it ended: by the service's clock if it said so, else when we saw it.
    #[must_use]
    pub fn ended(&self) -> Option<Wall> {
        self.completed.or_else(|| self.status.is_final().then(|| self.times.at(self.status.stage())).flatten())
    }

    /// When it began to count as under way at the service, by our clock.
    #[must_use]
    pub fn accepted(&self) -> Option<Wall> {
        self.times.iter().find(|(stage, _)| stage.is_running()).map(|(_, at)| at)
    }

    /// How long the service took. Its clock counts only where it agrees with ours about the order of things.
    #[must_use]
    pub fn took(&self) -> Option<Duration> {
        let accepted = self.accepted()?;
        let seen = self.status.is_final().then(|| self.times.at(self.status.stage())).flatten();
        let by_service = self.completed.filter(|at| *at >= accepted && seen.is_none_or(|seen| *at <= seen));
        by_service.or(seen).map(|ended| ended.since(accepted))
    }

    /// Names its outputs.
    pub fn assets(&self) -> impl Iterator<Item = (AssetId, &Output)> {
        let task = self.id;
        (0u16..).zip(&self.outputs).map(move |(index, output)| (AssetId { task, index }, output))
    }
}
