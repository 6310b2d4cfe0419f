//! The terminal: raw mode and back, keys in, frames and pictures out.
//!
//! [`Screen`] enters and leaves. [`Reader`] waits for input on a thread of its own and tells keys
//! from the terminal's answers, which [`Caps`] turns into what the terminal can do. [`Output`] owns
//! the way out on another thread: it always draws the newest frame, in one write, and sends pictures
//! in slices between frames. None of the three ever makes its caller wait for the terminal.

mod caps;
mod colour;
mod exam;
mod fences;
mod held;
mod input;
mod keys;
mod lane;
mod line;
mod output;
mod paint;
mod questions;
mod replies;
mod screen;
mod scribe;
mod speed;
mod split;
mod strips;
mod tty;
mod writer;

pub use caps::{Brand, Caps, CellSource, Choice, Env};
pub use colour::Depth;
pub use exam::{Exam, examine};
pub use fences::Fences;
pub use input::{Input, PASTE_LIMIT, Reader};
pub use output::{Frame, Output, RAW_MOST, Settings, Stats};
pub use questions::questions;
pub use replies::{Layer, Reply};
pub use screen::{Gate, Screen, TELL_FOCUS};
pub use scribe::{Next, Scribe};
pub use speed::{Answers, LineState};
pub use tty::{WindowSize, hung_up, open, size, stop};
