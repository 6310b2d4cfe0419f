//! Keys and what they mean: our own chord type and the one table of actions.

pub mod actions;
pub mod chord;
pub mod manual;
pub mod moves;
mod place;
mod writing;

pub use actions::{Action, Spec, resolve};
pub use chord::{Chord, Key};
pub use moves::Move;
pub use place::Place;
