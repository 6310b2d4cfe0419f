//! The pictures' lane: which piece of which picture goes next.
//!
//! Pieces are whole sequences, so that text may go between them. What the terminal keeps is in `held.rs`, what
//! is drawn on the screen and lost with it in `strips.rs`.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::colour::Depth;
use super::held::Store;
use super::strips::Strips;
use crate::graphics::{Picture, Placed};

/// A piece of a picture, to be written in one go.
#[derive(Debug)]
pub(super) struct Piece {
    /// Where the cursor has to be, if that matters.
    pub at: Option<Position>,
    pub bytes: Vec<u8>,
    /// The last one of its picture.
    pub end: bool,
}

impl Piece {
    pub(super) fn anywhere(bytes: Vec<u8>) -> Self {
        Self { at: None, bytes, end: false }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) store: Store,
    pub(super) strips: Strips,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self { store: Store::new(), strips: Strips::default() }
    }

    /// The frame to come has these pictures. Answers the areas whose pixels must be wiped.
    pub(super) fn want(&mut self, placed: &[Placed]) -> Vec<Rect> {
        self.store.want(placed);
        self.strips.want(placed)
    }

    /// The screen was cleared.
    pub(super) fn cleared(&mut self) {
        self.store.cleared();
        self.strips.cleared();
    }

    /// The terminal may have lost everything: after a suspension, a clear by somebody else, or an
    /// attach.
    pub(super) fn forget(&mut self) {
        self.store.forget();
        self.strips.cleared();
    }

    /// Whether there is a piece to send, and its size if it cannot be cut.
    pub(super) fn pending(&self, screen: &Buffer) -> Option<Option<usize>> {
        if self.store.pending() { Some(None) } else { self.strips.pending(screen) }
    }

    /// The next piece, of about `size` bytes. `screen` is what is written.
    pub(super) fn next(&mut self, screen: &Buffer, size: usize) -> Option<Piece> {
        self.store.next(size).or_else(|| self.strips.next(screen, size))
    }

    /// See [`Store::place`].
    pub(super) fn place(&mut self, screen: &Buffer, depth: Depth) -> Vec<(Option<Position>, Vec<u8>)> {
        self.store.place(screen, depth)
    }
}

/// Has tmux hand a sequence to the terminal behind it as it is.
pub(super) fn pass_through(out: &mut Vec<u8>, sequence: &[u8]) {
    if sequence.is_empty() {
        return;
    }
    out.extend(b"\x1bPtmux;");
    for byte in sequence {
        if *byte == 0x1b {
            out.push(0x1b);
        }
        out.push(*byte);
    }
    out.extend(b"\x1b\\");
}

/// The sequence as the terminal itself will get it.
pub(super) fn wrap(tmux: bool, sequence: &[u8]) -> Vec<u8> {
    if !tmux {
        return sequence.to_vec();
    }
    let mut out = Vec::with_capacity(sequence.len() + 16);
    pass_through(&mut out, sequence);
    out
}

pub(super) fn same(a: &Arc<Picture>, b: &Arc<Picture>) -> bool {
    Arc::ptr_eq(a, b)
}
