//! What the tests of the pure storey share: a desk that drives the whole machine in memory, and a small world.
#![allow(dead_code, unused_imports, reason = "every test file uses its own part of this")]

pub mod desk;
pub mod world;

pub use desk::{Desk, secs};
