//! The part that touches the world: it performs what the pure storey wants, and feeds back what happened.

mod about;
mod asking;
pub mod brief;
mod callbacks;
pub mod catalogue;
pub mod clock;
mod colours;
mod compose;
mod copies;
pub mod files;
pub mod hands;
pub mod headless;
mod keyboard;
mod leave;
mod lessons;
mod line;
pub mod lists;
mod opened;
pub mod pace;
pub mod pictures;
pub mod screen;
pub mod service;
pub mod settings;
mod signals;
pub mod start;
pub mod wallet;

pub use clock::Clock;
pub use hands::{Hands, Note};
pub use headless::Driver;
pub use service::{Downloads, Service};
pub use start::{Exit, RunError, ScreenOptions, run_screen};
pub use wallet::Wallet;
