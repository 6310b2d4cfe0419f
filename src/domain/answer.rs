//! What the service answers, in our own words: the adapters translate into these, the fleet reads them.

use super::{Problem, Report, TaskId};
use crate::time::Wall;

/// An answer to one request: what it said, and what its headers told besides.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<T> {
    /// What was asked for, or why it did not come.
    pub result: Result<T, Problem>,
    /// `X-RateLimit-*`, if the answer had them \[D\].
    pub limits: Option<Limits>,
    /// The service's clock, from the `Date` header.
    pub date: Option<Dated>,
}

impl<T> Answer<T> {
    /// An answer without headers worth keeping.
    #[must_use]
    pub fn bare(result: Result<T, Problem>) -> Self {
        Self { result, limits: None, date: None }
    }
}

/// A moment by the service's clock, between two by ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated {
    /// What its clock said, in whole seconds: it was up to a second later.
    pub at: Wall,
    /// When the question left, by our clock.
    pub sent: Wall,
    /// When the answer began, by our clock.
    pub heard: Wall,
}

/// What the service says of its rate limit \[D\].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests allowed in a window.
    pub limit: u32,
    /// Requests left in it.
    pub remaining: u32,
    /// When the window ends.
    pub reset: Option<Wall>,
}

/// A creation that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The service's name for the task.
    pub task_id: TaskId,
    /// The service had it already (`Idempotent-Replay`): nothing new was created or billed \[C\].
    pub replay: bool,
}

/// A page of the list \[D\].
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Counted from 1, as the service says it.
    pub page: u32,
    /// Rows a page, as the service says it: out-of-range wishes are silently replaced \[D\].
    pub size: u32,
    /// Tasks of the account.
    pub total: u64,
    /// Newest first. Entries that cannot be read are left out.
    pub reports: Vec<Report>,
}
