//! Settings, after they were read and checked. Where they come from is the business of the command line.

use std::path::PathBuf;

/// The address of the service when nothing else is said \[D\].
pub const DEFAULT_BASE_URL: &str = "https://api.hiapi.ai";

/// How much may be asked of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests in any 60 seconds \[D\]: 60.
    pub per_minute: u32,
    /// Requests at once \[D\]: 10.
    pub at_once: u32,
    /// Creations at once; around ten can trip a new account, four is what the vendor advises \[B\].
    pub creations: u32,
    /// Downloads at once; they go to other hosts and do not count.
    pub downloads: u32,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { per_minute: 60, at_once: 10, creations: 4, downloads: 3 }
    }
}

pub use crate::domain::advice::KEY_LIFETIME;

/// Where things are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Database and logs.
    pub data: PathBuf,
    /// Pictures.
    pub outputs: PathBuf,
}

/// What is sent only after a word of the user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Confirm {
    /// More tasks at once than these.
    pub tasks: u32,
    /// More USD at once than these.
    pub usd: f64,
    /// More tasks at once than these whose price nobody knows.
    pub unknown: u32,
}

impl Default for Confirm {
    fn default() -> Self {
        Self { tasks: 20, usd: 1.0, unknown: 5 }
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
