//! One-line messages that go away by themselves.

use std::time::Duration;

use crate::time::{Mono, Now};

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good to know.
    Info,
    /// Something was refused or went wrong.
    Warning,
}

/// A message in the footer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it says.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// Until when it stands.
    pub until: Mono,
}

impl Notice {
    /// Says something for as long as it takes to read it, four seconds at least.
    #[must_use]
    pub fn new(text: impl Into<String>, tone: Tone, now: Now) -> Self {
        let text = text.into();
        let span = Duration::from_secs(4) + Duration::from_millis(50) * u32::try_from(text.len().min(200)).unwrap_or(0);
        Self { text, tone, until: now.mono + span }
    }
}
