//! Several programs on one data folder: what one may ask of another, and who holds the lease.

use serde::{Deserialize, Serialize};

use super::{AssetId, LocalId, Problem};

/// What a window that only watches asks of the one that holds the lease. It travels through the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "word", content = "task", rename_all = "snake_case")]
pub enum Wish {
    /// The user wants this sent.
    Send(LocalId),
    /// The user wants news of this now.
    Look(LocalId),
    /// The user gives up this, which was never sent.
    Forget(LocalId),
    /// The user wants a paused queue to go on.
    Resume,
    /// The user wants this output fetched once more. From the moment it is written, the output counts as away.
    Again(AssetId),
    /// Somebody looks at the whole history: all that is unfinished is to be watched.
    WatchAll,
}

impl Wish {
    /// The task it is about.
    #[must_use]
    pub fn task(self) -> Option<LocalId> {
        match self {
            Self::Send(id) | Self::Look(id) | Self::Forget(id) => Some(id),
            Self::Again(asset) => Some(asset.task),
            Self::Resume | Self::WatchAll => None,
        }
    }
}

/// The program that holds the lease, as it named itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Its process on its host.
    pub pid: u32,
    /// Its host; empty if that has no name.
    pub host: String,
    /// The address of the service it talks to.
    pub service: String,
    /// It talks to it with another API key than this program.
    pub other_key: bool,
    /// It has not moved for ten seconds: it was stopped, or hangs. It keeps the lease.
    pub quiet: bool,
}

/// How this window stands to the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// It holds the lease: it alone talks to the service.
    pub holds: bool,
    /// Who holds it otherwise; none if nobody does.
    pub holder: Option<Holder>,
    /// Why the holder sends nothing, if so.
    pub paused: Option<Problem>,
    /// Files cannot be locked here: nothing keeps a second window from taking itself for the holder, but for the
    /// check before each sending.
    pub lockless: bool,
    /// The folder was last used with another API key, which may be of another account.
    pub stranger: bool,
    /// What is unsure and is settled by the holder without a further word.
    pub retried: Vec<LocalId>,
}

impl Default for Standing {
    /// Alone.
    fn default() -> Self {
        Self { holds: true, holder: None, paused: None, lockless: false, stranger: false, retried: Vec::new() }
    }
}
