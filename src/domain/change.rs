//! What the store is asked to make durable.

use super::{Draft, Found, LocalId, Problem, Stage, Task, Wish};

/// One change of what is on disk. Changes are applied in the order they were given.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A task that did not exist before: the exact bytes to send, the key, everything.
    New(Box<Task>),
    /// The task as it stands now. Its request never changes and is not written again.
    Progress(Box<Task>),
    /// The draft in the editor; each model has one, and the latest was the last in the editor.
    Draft(Draft),
    /// A task that was never sent leaves the table for good.
    Forget(LocalId),
    /// The user stars a task, or takes the star away.
    Star(LocalId, bool),
    /// Like [`Self::New`], by a window that only watches: with the user's word that the holder of the lease send it.
    Intent(Box<Task>),
    /// Something else that a window which only watches wants of the holder.
    Wish(Wish),
    /// What was learned of how long tasks take; of each kind of task there is one lesson, the latest.
    Learned(Vec<Lesson>),
    /// What the holder of the lease found in the account's list for another window.
    Found(Box<Found>),
    /// A batch rests, or does not: nothing of it is sent until the user says so, in whichever window.
    Batch {
        /// Its name.
        name: String,
        /// It rests.
        paused: bool,
    },
    /// Those of these tasks that were never sent leave the table for good.
    Drop(Vec<LocalId>),
    /// Why the holder of the lease sends nothing, if so: for the other windows to show.
    Paused(Option<Problem>),
}

impl Change {
    /// The task that it writes, and at which stage; whoever gave it wants to hear that it is durable.
    #[must_use]
    pub fn written(&self) -> Option<(LocalId, Stage)> {
        match self {
            Self::New(task) | Self::Intent(task) | Self::Progress(task) => Some((task.id, task.status.stage())),
            Self::Draft(_)
            | Self::Forget(_)
            | Self::Drop(_)
            | Self::Batch { .. }
            | Self::Star(..)
            | Self::Learned(_)
            | Self::Wish(_)
            | Self::Found(_)
            | Self::Paused(_) => None,
        }
    }
}

/// What was learned of one kind of task, as text that only the one who learns reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// The kind: the model, and the values of the fields that decide.
    pub about: String,
    /// What was learned.
    pub text: String,
}
