//! The part that touches the world: it performs what the pure storey wants, and feeds back what happened.

mod about;
pub mod brief;
mod callbacks;
pub mod clock;
mod compose;
mod copies;
pub mod files;
pub mod hands;
pub mod headless;
mod keyboard;
mod lessons;
mod line;
pub mod lists;
mod opened;
pub mod pace;
pub mod pictures;
pub mod screen;
pub mod service;
mod signals;
pub mod start;

pub use clock::Clock;
pub use hands::{Hands, Note};
pub use headless::Driver;
pub use service::{Downloads, Service};
pub use start::{Exit, RunError, ScreenOptions, run_screen};
