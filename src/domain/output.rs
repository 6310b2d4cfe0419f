//! What a finished task delivers, and whether it is on our disk yet.

use serde::{Deserialize, Serialize};

use crate::time::Wall;

/// One item of a task's `output[]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Direct link; needs no key, and works until `expires` \[D\].
    pub url: String,
    /// The role the service gives it: `image`, `video`, `audio`, `first_frame`, … The list may grow \[D\].
    pub role: String,
    /// Last moment the link works \[D\].
    pub expires: Option<Wall>,
    /// Where it is.
    pub state: OutputState,
}

/// Where an output is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum OutputState {
    /// Only at the service; it will be fetched.
    Away,
    /// On our disk, complete and checked.
    Home(Home),
    /// Fetching it will not succeed any more, or not without the user.
    Lost {
        /// Why, in plain words.
        why: String,
    },
}

/// A file that was fetched, checked and given its final name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// Absolute path.
    pub file: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the content, 64 lower-case hex digits.
    pub sha256: String,
    /// By its first bytes: `png`, `jpeg`, `webp`, `mp4`, `mp3`, …
    pub format: String,
    /// Pixels, for pictures.
    pub width: Option<u32>,
    /// Pixels, for pictures.
    pub height: Option<u32>,
}

impl Output {
    /// Whether its link can still be tried: nobody said that it has ended. `now` is by the service's clock.
    #[must_use]
    pub fn link_lives(&self, now: Wall) -> bool {
        self.expires.is_none_or(|at| at > now)
    }

    /// The file, if it is here.
    #[must_use]
    pub fn home(&self) -> Option<&Home> {
        match &self.state {
            OutputState::Home(home) => Some(home),
            _ => None,
        }
    }
}
