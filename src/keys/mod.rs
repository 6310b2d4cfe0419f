//! Keys and what they mean: our own chord type and the one table of actions.

pub mod actions;
pub mod chord;
pub mod manual;

pub use actions::{ACTIONS, Action, Place, Spec, resolve};
pub use chord::{Chord, Key};
