//! Names of things: our own for a task, the service's for the same task, and one for each of its outputs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Our own name for a task, made before anything is sent. It is also the `Idempotency-Key` of its creation
/// (36 bytes, far below the limit of 255 \[C\]), so it must never be used for a second request.
///
/// It is random from its first digit on, not time-ordered: users type prefixes of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LocalId(Uuid);

impl LocalId {
    /// Makes an id from 128 random bits that the caller draws.
    #[must_use]
    pub fn from_random(bits: u128) -> Self {
        Self(uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid())
    }

    /// The first seven digits: what is shown where room is scarce.
    #[must_use]
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(7);
        text
    }
}

impl fmt::Display for LocalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for LocalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

impl FromStr for LocalId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// The service's name for a task, such as `tk-hiapi-01HZ…` \[D\]. Opaque; only its alphabet is checked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId(String);

/// Text that cannot be a task id: empty, too long, or with characters outside `[A-Za-z0-9_-]` \[C\].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a task id")]
pub struct NotATaskId;

impl TaskId {
    /// The id as text, safe in a URL path and in a file name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TaskId {
    type Error = NotATaskId;
    fn try_from(text: String) -> Result<Self, NotATaskId> {
        let first = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        let rest = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if first && rest && text.len() <= 200 { Ok(Self(text)) } else { Err(NotATaskId) }
    }
}

impl FromStr for TaskId {
    type Err = NotATaskId;
    fn from_str(text: &str) -> Result<Self, NotATaskId> {
        Self::try_from(text.to_owned())
    }
}

impl From<TaskId> for String {
    fn from(id: TaskId) -> Self {
        id.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One output of a task: the task and the position in `output[]`, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AssetId {
    /// Whose output.
    pub task: LocalId,
    /// Which one.
    pub index: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_id_is_safe_in_paths() {
        assert!(TaskId::from_str("tk-hiapi-01HZTQ8BX2N3GM3YFK4Z9D7VQR").is_ok());
        for bad in ["", "../x", "a/b", "a b", "-a", "a\n", "é"] {
            assert_eq!(TaskId::from_str(bad), Err(NotATaskId), "{bad:?}");
        }
        assert!(TaskId::from_str(&"a".repeat(201)).is_err());
    }

    #[test]
    fn a_local_id_survives_its_text() {
        let id = LocalId::from_random(0x1234_5678_9abc_def0_1234_5678_9abc_def0);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.short().len(), 7);
        assert!(id.to_string().starts_with(&id.short()));
    }
}
