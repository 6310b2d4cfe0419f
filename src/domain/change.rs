//! What the store is asked to make durable.

use super::{Draft, LocalId, Task};

/// One change of what is on disk. Changes are applied in the order they were given.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A task that did not exist before: the exact bytes to send, the key, everything.
    New(Box<Task>),
    /// The task as it stands now. Its request never changes and is not written again.
    Progress(Box<Task>),
    /// The draft in the editor.
    Draft(Draft),
    /// A task that was never sent leaves the table for good.
    Forget(LocalId),
}
