//! The part that touches the world: it performs what the pure storey wants, and feeds back what happened.

pub mod clock;
pub mod hands;
pub mod headless;
pub mod pace;
pub mod pictures;
pub mod screen;
pub mod service;

pub use clock::Clock;
pub use hands::{Hands, Note};
pub use headless::Driver;
pub use screen::{Exit, RunError, ScreenOptions, run_screen};
pub use service::{Downloads, Service};
