//! Where a task stands, and the rule that it only moves forward.

use serde::{Deserialize, Serialize};

use super::{LocalId, Problem};

/// Why the service says that a task failed. Either part may be missing in the answer \[C\].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Such as `TASK_FAILED`, `TASK_TIMEOUT`, `STORAGE_UNAVAILABLE`; the list is open \[C\].
    pub code: Option<String>,
    /// For people; may be as bare as "task failed".
    pub message: Option<String>,
}

/// What is left of a task that was given up: nobody ever learned whether it was accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUp {
    /// Why its outcome was unknown.
    pub problem: Option<Problem>,
    /// The task that was sent in its place, with a key of its own.
    pub anew: Option<LocalId>,
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
    /// It was running, as here, when it was last heard of; since then the service says that it does not know it. That
    /// is no end: the stage is still that of the last news, and any report brings it back.
    Missing(Box<Status>),
    /// The service did not take the request: no task exists.
    Refused(Problem),
    /// The user gave it up while its outcome was unknown. It is never sent again.
    GivenUp(GivenUp),
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
    GivenUp,
    Failed,
    Success,
}

impl Stage {
    /// All stages, in the order of a task's life.
    pub const ALL: [Self; 12] = [
        Self::Saved,
        Self::Held,
        Self::Sending,
        Self::Unsure,
        Self::Queued,
        Self::Handling,
        Self::Unknown,
        Self::Archiving,
        Self::Refused,
        Self::GivenUp,
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
            Self::Refused | Self::GivenUp | Self::Failed | Self::Success => 6,
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
            Self::GivenUp => "given_up",
            Self::Failed => "fail",
            Self::Success => "success",
        }
    }

    /// Nothing will change any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Refused | Self::GivenUp | Self::Failed | Self::Success)
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
            Self::Missing(last) => last.stage(),
            Self::Refused(_) => Stage::Refused,
            Self::GivenUp(_) => Stage::GivenUp,
            Self::Failed(_) => Stage::Failed,
            Self::Success => Stage::Success,
        }
    }

    /// Takes in an observation: whichever is further along wins, and a final one never changes again
    /// (a terminal state of the service never changes \[C\]).
    #[must_use]
    pub fn join(self, seen: Self) -> Self {
        match self {
            // News of any kind: it is not missing.
            Self::Missing(last) => last.join(seen),
            _ if seen.stage().rank() > self.stage().rank() => seen,
            _ => self,
        }
    }

    /// The same, but the service says that it does not know it. Only what runs can be missed.
    #[must_use]
    pub fn missed(self) -> Self {
        match self {
            Self::Missing(_) => self,
            _ if self.is_running() => Self::Missing(Box::new(self)),
            _ => self,
        }
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
            Self::Missing(_) => "missing",
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
    fn what_is_missing_comes_back_with_any_news_and_not_behind_them() {
        let missing = Status::Archiving.missed();
        assert_eq!((missing.word(), missing.is_final()), ("missing", false));
        assert_eq!(missing.clone().missed(), missing);
        assert_eq!(missing.clone().join(Status::Handling), Status::Archiving);
        assert_eq!(missing.join(Status::Success), Status::Success);
        assert_eq!(Status::Success.missed(), Status::Success);
        assert_eq!(Status::Unsure(None).missed(), Status::Unsure(None));
    }

    #[test]
    fn steps_may_be_skipped_but_not_undone() {
        assert_eq!(Status::Queued.join(Status::Success), Status::Success);
        assert_eq!(Status::Archiving.join(Status::Handling), Status::Archiving);
        assert_eq!(Status::Sending.join(Status::Queued), Status::Queued);
    }
}
