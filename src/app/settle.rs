//! The dialog about a creation whose outcome nobody knows: what can be chosen, in which order.

use crate::domain::{LocalId, TaskId};

use super::state::State;

/// The dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settling {
    /// The task it is about.
    pub id: LocalId,
    /// What is chosen: not a row, for rows come and go while the list is read. Nothing yet is the first one.
    pub at: Option<Choice>,
    /// What was chosen and is asked about once more.
    pub confirm: Option<Choice>,
}

/// One row of the dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The same key and bytes once more: never paid twice.
    Again,
    /// It became this task of the account.
    Adopt(TaskId),
    /// Read this page of the account's list, for more to adopt.
    Further(u32),
    /// A new task with a key of its own.
    Anew,
    /// Never send it again.
    GiveUp,
    /// Not after all.
    Back,
    /// Yes, do it.
    Yes,
}

impl Settling {
    /// The dialog, just opened, or asking once more.
    #[must_use]
    pub fn new(id: LocalId, confirm: Option<Choice>) -> Self {
        Self { id, at: None, confirm }
    }

    /// The chosen row among these.
    #[must_use]
    pub fn row(&self, rows: &[Choice]) -> usize {
        let same = |row: &Choice| match (row, &self.at) {
            (Choice::Further(_), Some(Choice::Further(_))) => true,
            (row, at) => Some(row) == at.as_ref(),
        };
        rows.iter().position(same).unwrap_or(0)
    }
}

/// The rows, from the safest to the last resort.
#[must_use]
pub fn choices(state: &State, settling: &Settling) -> Vec<Choice> {
    if settling.confirm.is_some() {
        return vec![Choice::Back, Choice::Yes];
    }
    let again = state.fleet.may_repeat(settling.id, state.now).then_some(Choice::Again);
    let fitting = state.fleet.candidates(settling.id).into_iter().filter_map(|task| task.task_id.clone());
    let further = state.fleet.strays().next_page().filter(|_| !state.fleet.strays().is_asking());
    let rows = again.into_iter().chain(fitting.map(Choice::Adopt)).chain(further.map(Choice::Further));
    rows.chain([Choice::Anew, Choice::GiveUp]).collect()
}
