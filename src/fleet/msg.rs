//! What the fleet hears and what it wants.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::durations::Curve;
use crate::domain::{
    Accepted, Answer, AssetId, Browse, Change, Found, Home, LocalId, Page, Problem, Report, Request, Settle, Stage,
    Task, TaskId,
};

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum FleetMsg {
    /// Tasks came from the store: at the start, or older ones when somebody scrolled there.
    Restored(Vec<Task>),
    /// The user sends this.
    Add(Box<Task>),
    /// The store has, or has not, made this stage of this task durable.
    Stored {
        /// Which task.
        id: LocalId,
        /// The stage that was written. Of a wish to send that could not be written down: `Held`.
        stage: Stage,
        /// Whether it is on the disk.
        result: Result<(), Problem>,
    },
    /// A creation was answered, or was not.
    Submitted {
        /// Which task.
        id: LocalId,
        /// What came back.
        answer: Answer<Accepted>,
    },
    /// A question was answered, or was not.
    Answered {
        /// What was asked.
        question: Question,
        /// What came back.
        answer: Answer<News>,
    },
    /// A download ended.
    Fetched {
        /// Which output.
        asset: AssetId,
        /// The file, or why there is none.
        result: Result<Home, Problem>,
    },
    /// The user wants these sent: what is held for the first time, what is unsure with the same key and bytes.
    Send(Vec<LocalId>),
    /// The user wants a blocked queue, and blocked looks, to go on.
    Resume,
    /// Nothing can be sent, for this reason, until the user says so.
    Block(Problem),
    /// A proven callback: one observation, like those that answer a question.
    Report(Box<Report>),
    /// The user wants news of this task now.
    Look(LocalId),
    /// The user wants these fetched once more: they are not on the disk any more, or never came.
    Again(Vec<AssetId>),
    /// The user gives up a task that was never sent.
    Forget(LocalId),
    /// The user stars a task, or takes the star away.
    Star(LocalId, bool),
    /// What earlier runs learned of durations came from the store. From here on what is new is kept there.
    Learned(Vec<(String, Curve)>),
    /// The user decides about a creation whose outcome nobody knows.
    Settle {
        /// Which task.
        id: LocalId,
        /// How.
        how: Settle,
    },
    /// The user wants to see what the account holds besides our own tasks.
    Browse(Browse),
    /// Another window's user wants that: what is found is for it.
    BrowseFor(Browse),
    /// In a window that only watches: what was found for it.
    Found(Box<Found>),
    /// That was answered, or was not.
    Browsed {
        /// What was asked.
        browse: Browse,
        /// What came back.
        answer: Answer<News>,
    },
    /// Which of the tasks that were seen there are stored here after all.
    Sifted(Result<Vec<TaskId>, Problem>),
    /// The user lets a batch rest, or go on.
    Pause {
        /// Its name.
        batch: String,
        /// It rests.
        on: bool,
    },
    /// The store tells which batches rest.
    Resting(BTreeSet<String>),
    /// The user gives up what of this batch was never sent.
    DropUnsent(String),
    /// The user takes over a task that another program created.
    Adopt(LocalId),
    /// A moment came for which [`Fleet::next_due`](super::Fleet::next_due) asked.
    Woke,
}

/// What to ask the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// One task.
    Task(LocalId, TaskId),
    /// A page of the list, counted from 1, on behalf of these tasks.
    Page(u32, Arc<Vec<LocalId>>),
}

/// What a question can bring.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// Of one task.
    Task(Report),
    /// A page of the list.
    Page(Page),
}

/// What the fleet wants from the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Make this durable; answer with [`FleetMsg::Stored`].
    Save(Change),
    /// Send these bytes, with the id as idempotency key; answer with [`FleetMsg::Submitted`].
    Submit(LocalId, Arc<Request>),
    /// Ask this; answer with [`FleetMsg::Answered`].
    Ask(Question),
    /// Ask this, of tasks that may not be ours; answer with [`FleetMsg::Browsed`].
    Browse(Browse),
    /// Say which of these the store knows; answer with [`FleetMsg::Sifted`].
    Sift(Vec<TaskId>),
    /// Bring this home; answer with [`FleetMsg::Fetched`].
    Fetch {
        /// Which output.
        asset: AssetId,
        /// The link. It is a bearer secret for as long as it works.
        url: String,
    },
}
