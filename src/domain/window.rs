//! Several programs on one data folder: what one may ask of another, and who holds the lease.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{AssetId, LocalId, Problem, Report, Task, TaskId};
use crate::time::Wall;

/// What a window that only watches asks of the one that holds the lease. It travels through the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", content = "task", rename_all = "snake_case")]
pub enum Wish {
    /// The user wants this sent.
    Send(LocalId),
    /// The user wants news of this now.
    Look(LocalId),
    /// The user gives up this, which was never sent.
    Forget(LocalId),
    /// The user wants a paused queue to go on.
    Resume,
    /// The user wants this output fetched once more. From the moment it is written, the output counts as away.
    Again(AssetId),
    /// The user gives up this, whose outcome nobody knows; it may have been sent anew.
    GiveUp {
        /// Which one.
        task: LocalId,
        /// What was sent in its place.
        anew: Option<LocalId>,
    },
    /// The user says which task of the account this, whose outcome nobody knows, became.
    Adopt {
        /// Which one.
        task: LocalId,
        /// What it became.
        task_id: TaskId,
    },
    /// The user stars this, or takes the star away. From the moment it is written it is so.
    Star {
        /// Which one.
        task: LocalId,
        /// With a star.
        on: bool,
    },
    /// The user wants to see what the account holds besides our own tasks.
    Browse(Browse),
    /// The user gives up what of this batch was never sent.
    Drop(String),
    /// Somebody looks at the whole history: all that is unfinished is to be watched.
    WatchAll,
}

impl Wish {
    /// The task it is about.
    #[must_use]
    pub fn task(&self) -> Option<LocalId> {
        match self {
            Self::Send(id) | Self::Look(id) | Self::Forget(id) => Some(*id),
            Self::Again(asset) => Some(asset.task),
            Self::GiveUp { task, .. } | Self::Adopt { task, .. } | Self::Star { task, .. } => Some(*task),
            Self::Resume | Self::Browse(_) | Self::Drop(_) | Self::WatchAll => None,
        }
    }
}

/// How the user decides about a creation whose outcome nobody knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Settle {
    /// It became this task of the account.
    Adopt(TaskId),
    /// Send the same request once more as this task, with a key of its own. It may be paid a second time.
    Anew(Box<Task>),
    /// It is never sent again.
    GiveUp {
        /// What was sent in its place.
        anew: Option<LocalId>,
    },
}

/// A look at what the account holds besides our own tasks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Browse {
    /// A page of the list, counted from 1.
    Page(u32),
    /// One task.
    One(TaskId),
}

/// What such a look has found, for the window that wanted it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// What was looked at.
    pub browse: Browse,
    /// The list goes on after it.
    pub more: bool,
    /// When the oldest task on it was created, ours or not.
    pub oldest: Option<Wall>,
    /// The tasks that are not ours.
    pub reports: Vec<Report>,
    /// Why it could not be read, if so.
    pub problem: Option<Problem>,
}

/// The program that holds the lease, as it named itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Its process on its host.
    pub pid: u32,
    /// Its host; empty if that has no name.
    pub host: String,
    /// The address of the service it talks to.
    pub service: String,
    /// It talks to it with another API key than this program.
    pub other_key: bool,
    /// It has not moved for ten seconds: it was stopped, or hangs. It keeps the lease.
    pub quiet: bool,
}

/// How this window stands to the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// It holds the lease: it alone talks to the service.
    pub holds: bool,
    /// Who holds it otherwise; none if nobody does.
    pub holder: Option<Holder>,
    /// Why the holder sends nothing, if so.
    pub paused: Option<Problem>,
    /// Files cannot be locked here: nothing keeps a second window from taking itself for the holder, but for the
    /// check before each sending.
    pub lockless: bool,
    /// The folder was last used with another API key, which may be of another account.
    pub stranger: bool,
    /// What is unsure and is settled by the holder without a further word.
    pub retried: Vec<LocalId>,
    /// The batches of which nothing is sent until the user says so.
    pub resting: BTreeSet<String>,
}

impl Default for Standing {
    /// Alone.
    fn default() -> Self {
        Self {
            holds: true,
            holder: None,
            paused: None,
            lockless: false,
            stranger: false,
            retried: Vec::new(),
            resting: BTreeSet::new(),
        }
    }
}
