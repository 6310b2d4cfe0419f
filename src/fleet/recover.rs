//! What a restart means for each status: watching goes on by itself, sending never does.

use crate::domain::{Status, Task};

/// Brings a task from the store into this run.
///
/// What was waiting is surely unsent and is held. What was being sent may have been accepted: only the same key
/// and bytes settle it, and only when the user says so. The store is not touched: another running program may
/// still be at work on the very same task.
#[must_use]
pub fn recover(mut task: Task) -> Task {
    task.status = match task.status {
        Status::Saved => Status::Held(None),
        Status::Sending => Status::Unsure(None),
        other => other,
    };
    task
}
