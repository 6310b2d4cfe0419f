//! Pictures: from the bytes of a file to something a terminal can show.
//!
//! [`decode()`] reads a file under limits, [`encode()`] fits it into cells and makes the bytes of one
//! [`Protocol`], [`Gallery`] keeps the results within a budget, [`place`] puts a finished [`Picture`]
//! into a buffer. Everything here is plain blocking code without state of its own: callers run
//! decoding and encoding away from the loop. Nothing here writes to a terminal.

mod blocks;
mod decode;
mod encode;
mod gallery;
mod iterm2;
mod kitty;
mod picture;
mod resize;
mod sixel;
mod widget;

pub use decode::{DecodeError, Decoded, Kind, MAX_PIXELS, MAX_SIDE, decode, decode_file, probe};
pub use encode::{EncodeError, Shape, encode, fit};
pub use gallery::{GALLERY_BYTES, Gallery};
pub use kitty::{PLACEHOLDER, placeholder_id};
pub use picture::{Body, CellSize, Picture, PictureKey, Protocol, Quality, Strip};
pub use widget::{HOLE, Placed, place};
