//! Pictures: from the bytes of a file to something a terminal can show.
//!
//! [`decode()`] reads a file under limits, [`encode()`] fits it into cells and makes the bytes of one
//! [`Protocol`], [`Gallery`] keeps the results within a budget, [`place`] puts a finished [`Picture`]
//! into a buffer. Everything here is plain blocking code without state of its own: callers run
//! decoding and encoding away from the loop. Nothing here writes to a terminal.

mod blocks;
mod budget;
mod coarse;
mod colours;
mod decode;
mod encode;
mod gallery;
mod guard;
mod iterm2;
mod kitty;
mod media;
mod picture;
mod png;
mod profile;
mod resize;
mod sixel;
mod thrift;
mod thumbs;
mod view;
mod widget;

pub use budget::Purpose;
pub use decode::{DecodeError, Decoded, Kind, MAX_PIXELS, MAX_SIDE, MAX_TIME, decode, decode_file, probe};
pub use encode::{Ask, EncodeError, Shape, encode, encode_for, fit};
pub use gallery::{GALLERY_BYTES, Gallery};
pub use guard::{guarded, is_guarded};
pub use iterm2::iterm2_parts;
pub use kitty::{PLACEHOLDER, UNDER_TEXT, hide, placeholder_id, shorten, show, transmit};
pub use picture::{Body, CellSize, Picture, PictureKey, Protocol, Quality, Strip};
pub use resize::Backdrop;
pub use thumbs::{THUMBS_BYTES, THUMBS_MOST, Thumbs};
pub use view::{Crop, MAX_SCALE, Stage, View, ZOOM_STEP};
pub use widget::{HOLE, Placed, place};
