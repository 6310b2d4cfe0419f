//! What the tests of the pure storey share: a desk that drives the whole machine in memory, and a small world.

pub mod desk;
pub mod world;

pub use desk::{Desk, secs};
