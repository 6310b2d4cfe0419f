//! What the tests and the benches share: desks that drive the pure machine, the simulated service as a process, a
//! pseudo-terminal, a server of raw bytes, pictures and an eye for them.
//!
//! A crate of its own, so that it is compiled once and not anew into each test.

#![warn(missing_docs)]

pub mod desk;
pub mod eye;
pub mod fleet;
pub mod photo;
pub mod raw;
pub mod said;
pub mod service;
pub mod support;
pub mod terminal;
