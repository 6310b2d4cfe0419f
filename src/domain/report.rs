//! One observation of a task at the service.

use serde::{Deserialize, Serialize};

use super::{Output, Status, TaskId};
use crate::time::Wall;

/// By which door an observation came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// `GET /v1/tasks/{id}`.
    Task,
    /// A page of `GET /v1/tasks`.
    Page,
    /// A callback.
    Callback,
}

/// One observation of a task: what the service said of it at some moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Whose.
    pub task_id: TaskId,
    /// The service's name of the model; with a route it is `model@route` \[C\].
    pub model: String,
    /// Where it stands. Never one of our own stages (saved, held, sending, unsure).
    pub status: Status,
    /// Outputs, on success.
    pub outputs: Vec<Output>,
    /// When the service created it.
    pub created: Option<Wall>,
    /// When it ended.
    pub completed: Option<Wall>,
    /// By which door it came.
    pub source: Source,
}
