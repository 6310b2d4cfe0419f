//! Where a task stands, and the rule that it only moves forward.

use serde::{Deserialize, Serialize};

use super::Problem;

/// Why the service says that a task failed. Either part may be missing in the answer \[C\].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Such as `TASK_FAILED`, `TASK_TIMEOUT`, `STORAGE_UNAVAILABLE`; the list is open \[C\].
    pub code: Option<String>,
    /// For people; may be as bare as "task failed".
    pub message: Option<String>,
}

/// Where a task stands. The order of the variants is the order of a task's life.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "word", content = "data", rename_all = "snake_case")]
pub enum Status {
    /// The request is, or is being, stored; surely not sent. It waits for its turn.
    Saved,
    /// Stored, surely not sent, and nothing will send it until the user says so.
    Held(Option<Problem>),
    /// Bytes may have left; nobody knows the outcome yet.
    Sending,
    /// Bytes may have left and the answer never came. The same key and bytes settle it.
    Unsure(Option<Problem>),
    /// Accepted, waiting \[D\].
    Queued,
    /// Being generated \[D\].
    Handling,
    /// Accepted and in a state this program has no word for; counts as running \[C\].
    Unknown(String),
    /// Generated, files being stored; no outputs yet \[D\].
    Archiving,
    /// The service did not take the request: no task exists.
    Refused(Problem),
    /// Ended without a result \[D\].
    Failed(Failure),
    /// Ended with outputs \[D\].
    Success,
}

/// The step of life a status stands for, without its data. Later is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are those of Status")]
pub enum Stage {
    Saved,
    Held,
    Sending,
    Unsure,
    Queued,
    Handling,
    Unknown,
    Archiving,
    Refused,
    Failed,
    Success,
}

impl Stage {
    /// All stages, in the order of a task's life.
    pub const ALL: [Self; 11] = [
        Self::Saved,
        Self::Held,
        Self::Sending,
        Self::Unsure,
        Self::Queued,
        Self::Handling,
        Self::Unknown,
        Self::Archiving,
        Self::Refused,
        Self::Failed,
        Self::Success,
    ];

    /// How far along: stages of equal rank do not replace each other.
    #[must_use]
    pub fn rank(self) -> u8 {
        match self {
            Self::Saved | Self::Held => 0,
            Self::Sending | Self::Unsure => 1,
            Self::Queued => 2,
            Self::Handling => 3,
            Self::Unknown => 4,
            Self::Archiving => 5,
            Self::Refused | Self::Failed | Self::Success => 6,
        }
    }

    /// The word for it in the store and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::Held => "held",
            Self::Sending => "sending",
            Self::Unsure => "unsure",
            Self::Queued => "queued",
            Self::Handling => "handling",
            Self::Unknown => "unknown",
            Self::Archiving => "archiving",
            Self::Refused => "refused",
            Self::Failed => "fail",
            Self::Success => "success",
        }
    }

    /// Nothing will change any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Refused | Self::Failed | Self::Success)
    }

    /// The service has it and has not ended it.
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Self::Queued | Self::Handling | Self::Unknown | Self::Archiving)
    }
}

impl Status {
    /// The status without its data.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self {
            Self::Saved => Stage::Saved,
            Self::Held(_) => Stage::Held,
            Self::Sending => Stage::Sending,
            Self::Unsure(_) => Stage::Unsure,
            Self::Queued => Stage::Queued,
            Self::Handling => Stage::Handling,
            Self::Unknown(_) => Stage::Unknown,
            Self::Archiving => Stage::Archiving,
            Self::Refused(_) => Stage::Refused,
            Self::Failed(_) => Stage::Failed,
            Self::Success => Stage::Success,
        }
    }

    /// Takes in an observation: whichever is further along wins, and a final one never changes again
    /// (a terminal state of the service never changes \[C\]).
    #[must_use]
    pub fn join(self, seen: Self) -> Self {
        if seen.stage().rank() > self.stage().rank() { seen } else { self }
    }

    /// The service has it and has not ended it.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.stage().is_running()
    }

    /// Nothing will change any more.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.stage().is_final()
    }

    /// The word to show: the service's own for what we have no word for.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Unknown(word) => word,
            other => other.stage().word(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_status_never_changes() {
        let end = Status::Failed(Failure::default());
        assert_eq!(end.clone().join(Status::Success), end);
        assert_eq!(end.clone().join(Status::Queued), end);
    }

    #[test]
    fn steps_may_be_skipped_but_not_undone() {
        assert_eq!(Status::Queued.join(Status::Success), Status::Success);
        assert_eq!(Status::Archiving.join(Status::Handling), Status::Archiving);
        assert_eq!(Status::Sending.join(Status::Queued), Status::Queued);
    }
}
