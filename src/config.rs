//! Settings, after they were read and checked. Where they come from is the business of the command line.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::domain::Usd;

/// The address of the service when nothing else is said \[D\].
pub const DEFAULT_BASE_URL: &str = "https://api.hiapi.ai";

/// How much may be asked of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests in any 60 seconds \[D\]: 60.
    pub per_minute: u32,
    /// Never more than these in 60 seconds, even if the service says that it allows more.
    pub ceiling: u32,
    /// Requests at once \[D\]: 10.
    pub at_once: u32,
    /// Creations at once; around ten can trip a new account, four is what the vendor advises \[B\].
    pub creations: u32,
    /// Downloads at once; they go to other hosts and do not count.
    pub downloads: u32,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { per_minute: 60, ceiling: 100_000, at_once: 10, creations: 4, downloads: 3 }
    }
}

pub use crate::domain::advice::KEY_LIFETIME;

/// What may be spent, by the estimates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budgets {
    /// In a calendar day.
    pub day: Option<Usd>,
    /// By one batch, ever.
    pub batch: Option<Usd>,
    /// Tasks whose price nobody knows are sent although there is a limit; they count as nothing.
    pub unknown: bool,
}

/// What `config.toml` says, or the usual where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// What may be spent.
    pub budgets: Budgets,
    /// What is sent only with the user's word.
    pub confirm: Confirm,
    /// Never more requests in a minute, whatever the service allows.
    pub requests_per_minute: Option<u32>,
    /// Never more requests at once.
    pub requests_at_once: Option<u32>,
}

impl Settings {
    /// How much may be asked of the service.
    #[must_use]
    pub fn allowance(&self) -> Allowance {
        let usual = Allowance::default();
        let ceiling = self.requests_per_minute.unwrap_or(usual.ceiling);
        let at_once = self.requests_at_once.unwrap_or(usual.at_once).min(usual.at_once);
        let creations = usual.creations.min(at_once);
        Allowance { per_minute: usual.per_minute.min(ceiling), ceiling, at_once, creations, ..usual }
    }
}

/// Where things are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Database and logs.
    pub data: PathBuf,
    /// Pictures.
    pub outputs: PathBuf,
}

/// What is sent only after a word of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// More tasks at once than these.
    pub tasks: u32,
    /// More USD at once than these.
    pub usd: Usd,
    /// More tasks at once than these whose price nobody knows.
    pub unknown: u32,
}

impl Default for Confirm {
    fn default() -> Self {
        Self { tasks: 20, usd: Usd(1_000_000), unknown: 5 }
    }
}

/// How much a picture may cost on the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PictureQuality {
    /// About half a second of the line, and more when nothing else happens.
    #[default]
    Auto,
    /// Never more than what looks the same, and on a slow line never more than half a second of it.
    Lean,
    /// Everything, whatever it takes.
    Full,
}
