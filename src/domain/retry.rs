//! Whether a task that ended without a result may be sent once more as it is. A repetition is a new task with a key of
//! its own, and is paid for again; where the cause lies in the request, it would only fail again.

use super::{Status, Task, explain};
use crate::time::Wall;

/// Codes of failures that pass by themselves \[C\]. The list of codes is open; any other is taken for one that stays.
const PASSING: [&str; 3] = ["TASK_TIMEOUT", "STORAGE_UNAVAILABLE", "MODEL_UNAVAILABLE"];

/// Why a task is not sent once more as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRetried {
    /// Another program created it: its request is not known here.
    #[error("another program created it: nothing is ever sent for it here")]
    Elsewhere,
    /// It was never sent. It is sent for the first time, as the same task.
    #[error("it was never sent: it can be sent as it is")]
    Held,
    /// Nobody knows whether it was accepted: the same key settles that.
    #[error("nobody knows whether it was accepted: the same key settles that")]
    Unsure,
    /// It is on its way, or at the service.
    #[error("it is on its way already")]
    NotEnded,
    /// It has a result.
    #[error("it is done")]
    Done,
    /// It was given up: it may have been accepted.
    #[error("it was given up and is never sent again")]
    GivenUp,
    /// The cause lies in the request; in plain words what it was. May hold text from outside; it is not cleaned.
    #[error("{0}; unchanged it would most likely fail again")]
    Unchanged(String),
}

/// A failure with this code of the service's may be gone the next time.
#[must_use]
pub fn is_passing(code: &str) -> bool {
    PASSING.contains(&code.trim())
}

/// Whether sending the same request again, as a new task, makes sense.
///
/// # Errors
/// Why not, if not.
pub fn may_retry(task: &Task) -> Result<(), NotRetried> {
    if task.is_elsewhere() {
        return Err(NotRetried::Elsewhere);
    }
    let code = match &task.status {
        Status::Failed(failure) => failure.code.as_deref(),
        Status::Refused(problem) if problem.is_passing() => return Ok(()),
        Status::Refused(problem) => problem.code(),
        Status::Held(_) => return Err(NotRetried::Held),
        Status::Unsure(_) => return Err(NotRetried::Unsure),
        Status::Success => return Err(NotRetried::Done),
        Status::GivenUp(_) => return Err(NotRetried::GivenUp),
        _ => return Err(NotRetried::NotEnded),
    };
    if code.is_some_and(is_passing) {
        return Ok(());
    }
    // For a failure the explanation knows no clock.
    Err(NotRetried::Unchanged(explain(task, Wall(0), Wall(0)).what))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{Failure, LocalId, Problem, Request};

    fn verdict(status: Status) -> Result<(), NotRetried> {
        let request = Request::new("m", None, serde_json::Map::new(), String::new(), String::new(), None);
        let mut task = Task::new(LocalId::from_random(7), Arc::new(request), Wall(0));
        task.set(status, Wall(0));
        may_retry(&task)
    }

    fn failed(code: Option<&str>) -> Status {
        Status::Failed(Failure { code: code.map(str::to_owned), message: Some("no".into()) })
    }

    fn rejected(code: &str) -> Status {
        Status::Refused(Problem::Rejected { status: 400, code: Some(code.into()), message: "no".into() })
    }

    #[test]
    fn what_passes_may_be_sent_again_and_nothing_else() {
        for code in ["TASK_TIMEOUT", "STORAGE_UNAVAILABLE", " MODEL_UNAVAILABLE "] {
            assert_eq!(verdict(failed(Some(code))), Ok(()), "{code}");
        }
        assert_eq!(verdict(rejected("MODEL_UNAVAILABLE")), Ok(()));
        for status in [failed(Some("TASK_FAILED")), failed(None), failed(Some("E_MOON")), rejected("INVALID_REQUEST")] {
            let found = verdict(status.clone());
            assert!(matches!(&found, Err(NotRetried::Unchanged(why)) if why.contains("no")), "{status:?}: {found:?}");
        }
    }

    #[test]
    fn what_has_not_failed_is_not_repeated() {
        assert_eq!(verdict(Status::Held(None)), Err(NotRetried::Held));
        assert_eq!(verdict(Status::Unsure(None)), Err(NotRetried::Unsure));
        assert_eq!(verdict(Status::Success), Err(NotRetried::Done));
        assert_eq!(verdict(Status::GivenUp(crate::domain::GivenUp::default())), Err(NotRetried::GivenUp));
        for status in [Status::Saved, Status::Sending, Status::Handling, Status::Handling.missed()] {
            assert_eq!(verdict(status), Err(NotRetried::NotEnded));
        }
    }
}
