//! The service over HTTP: asking the API, reading its answers, fetching what it delivers.
//!
//! Wire types stop here: everything handed out is in the words of [`crate::domain`]. No error, log line or `Debug`
//! of this module holds the API key, and no error holds a URL.

mod client;
mod convert;
mod copy;
mod download;
mod finish;
mod folder;
mod http;
mod inline;
mod key;
pub mod listing;
mod mishap;
mod pages;
mod part;
mod place;
mod reach;
mod resume;
mod sniff;
pub mod webhook;
mod wire;

pub use client::{Client, ClientError};
pub use copy::copy_home;
pub use download::{DownloadLimits, Fetcher, Pace, Wanted, sweep_parts};
pub use http::Timeouts;
pub use inline::{InlineError, LARGEST, data_uri};
pub use key::{ApiKey, BadBaseUrl, BadKey, base_url};
pub use pages::Pages;
pub use place::try_folder;
