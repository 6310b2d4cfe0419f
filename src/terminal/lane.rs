//! The pictures' lane: what the terminal has of the pictures, and which bytes go next.
//!
//! Bytes come in slices, each a whole sequence, so that text may go between them. A kitty picture is
//! sent once and shown by text cells; those stay blank until the terminal has all of it, so that a
//! picture that was only passed by costs one slice and no placeholders. Sixel and iTerm2 pictures are
//! drawn over blank cells, strip by strip, where nothing covers them, and again where text was.

use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::graphics::{Body, HOLE, Picture, Placed, placeholder_id};

/// Bytes of a picture in one kitty command; base64 makes 4096 letters of them.
const CHUNK: usize = 3072;

/// A piece of a picture, to be written in one go.
#[derive(Debug)]
pub(super) enum Slice {
    /// Wherever the cursor is.
    Anywhere(Vec<u8>),
    /// With the cursor here.
    At(Position, Arc<Picture>, usize),
    /// Nothing to write, but the frame looks different now.
    Repaint,
}

#[derive(Debug)]
struct Held {
    picture: Arc<Picture>,
    /// What the terminal keeps for it, about.
    bytes: usize,
    used: u64,
}

#[derive(Debug)]
struct Sending {
    picture: Arc<Picture>,
    sent: usize,
}

/// A picture that is not made of text.
#[derive(Debug)]
struct Drawn {
    placed: Placed,
    /// For each strip, whether it is on the screen in full.
    done: Vec<bool>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Lane {
    held: Vec<Held>,
    sending: Option<Sending>,
    /// Ids to be deleted, and a transfer to be broken off.
    orders: Vec<Vec<u8>>,
    wanted: Vec<Arc<Picture>>,
    drawn: Vec<Drawn>,
    turn: u64,
    fresh: bool,
    pub(super) tmux: bool,
    /// Bytes the terminal may keep for us.
    pub(super) most: usize,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self {
            held: Vec::new(),
            sending: None,
            orders: Vec::new(),
            wanted: Vec::new(),
            drawn: Vec::new(),
            turn: 0,
            fresh: false,
            tmux: false,
            most: 100 << 20,
        }
    }

    /// The frame to come has these pictures. Answers the areas whose pixels must be wiped.
    pub(super) fn want(&mut self, placed: &[Placed]) -> Vec<Rect> {
        self.turn += 1;
        self.wanted = placed
            .iter()
            .filter(|placed| matches!(placed.picture.body, Body::Kitty(_)))
            .map(|placed| Arc::clone(&placed.picture))
            .collect();
        for held in &mut self.held {
            if self.wanted.iter().any(|picture| picture.id == held.picture.id) {
                held.used = self.turn;
            }
        }
        if let Some(sending) = &self.sending
            && !self.wanted.iter().any(|picture| same(picture, &sending.picture))
        {
            let id = sending.picture.id;
            self.order(b"\x1b_Gm=0,q=2\x1b\\");
            self.delete(id);
            self.sending = None;
        }
        let mut wipe = Vec::new();
        let drawings: Vec<&Placed> =
            placed.iter().filter(|placed| matches!(placed.picture.body, Body::Sixel(_) | Body::Iterm2(_))).collect();
        self.drawn.retain(|drawn| {
            let stays = drawings
                .iter()
                .any(|placed| placed.area == drawn.placed.area && same(&placed.picture, &drawn.placed.picture));
            if !stays {
                wipe.extend(edges(drawn.placed.area));
            }
            stays
        });
        for placed in drawings {
            if self.drawn.iter().any(|drawn| drawn.placed.area == placed.area) {
                continue;
            }
            let strips = match &placed.picture.body {
                Body::Sixel(strips) => strips.len(),
                _ => 1,
            };
            if !wipe.is_empty() {
                wipe.extend(edges(placed.area));
            }
            self.drawn.push(Drawn { placed: placed.clone(), done: vec![false; strips] });
        }
        wipe
    }

    /// Blanks the placeholders of pictures that the terminal does not have yet.
    pub(super) fn veil(&self, buffer: &mut Buffer) {
        for cell in &mut buffer.content {
            if let Some(id) = placeholder_id(cell)
                && !self.held.iter().any(|held| held.picture.id == id)
            {
                cell.reset();
            }
        }
    }

    /// A cell was written: what was drawn there is gone.
    pub(super) fn touched(&mut self, at: Position, width: u16) {
        let cell = Rect::new(at.x, at.y, width, 1);
        for drawn in &mut self.drawn {
            if !drawn.placed.area.intersects(cell) {
                continue;
            }
            for (strip, done) in drawn.done.iter_mut().enumerate() {
                *done &= !strip_area(&drawn.placed, strip).intersects(cell);
            }
        }
    }

    /// Something that is drawn would have text over it in `next`.
    pub(super) fn covered(&self, next: &Buffer) -> bool {
        self.drawn.iter().any(|drawn| {
            let strips = drawn.done.iter().enumerate();
            let mut shown = strips.filter(|(_, done)| **done);
            shown.any(|(strip, _)| !free(next, strip_area(&drawn.placed, strip)))
        })
    }

    /// The screen was cleared.
    pub(super) fn cleared(&mut self) {
        for drawn in &mut self.drawn {
            drawn.done.fill(false);
        }
    }

    /// The terminal may have lost everything: after a suspension, a clear by somebody else, or an
    /// attach. What it may still have is deleted first.
    pub(super) fn forget(&mut self) {
        let farewell = self.farewell();
        if !farewell.is_empty() {
            self.orders.push(farewell);
        }
        self.held.clear();
        self.sending = None;
        self.cleared();
    }

    /// What deletes all that the terminal has of us.
    pub(super) fn farewell(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.sending.is_some() {
            self.wrap(&mut out, b"\x1b_Gm=0,q=2\x1b\\");
        }
        let sending = self.sending.iter().map(|sending| sending.picture.id);
        for id in self.held.iter().map(|held| held.picture.id).chain(sending) {
            self.wrap(&mut out, &delete(id));
        }
        out
    }

    /// True once after the pictures that the terminal has changed.
    pub(super) fn changed(&mut self) -> bool {
        std::mem::take(&mut self.fresh)
    }

    /// The next piece, if anything is left to do. `screen` is what is written.
    pub(super) fn next(&mut self, screen: &Buffer) -> Option<Slice> {
        if !self.orders.is_empty() {
            self.fresh = true;
            return Some(Slice::Anywhere(self.orders.remove(0)));
        }
        self.next_chunk().or_else(|| self.next_strip(screen))
    }

    fn next_chunk(&mut self) -> Option<Slice> {
        if self.sending.is_none() {
            let held = &self.held;
            let missing = self.wanted.iter().find(|picture| !held.iter().any(|held| same(&held.picture, picture)))?;
            let picture = Arc::clone(missing);
            // Another picture of the same number: rare, but it must not be shown instead.
            if let Some(at) = self.held.iter().position(|held| held.picture.id == picture.id) {
                self.held.remove(at);
                self.delete(picture.id);
                return Some(Slice::Repaint);
            }
            self.sending = Some(Sending { picture, sent: 0 });
            self.fresh = true;
        }
        let sending = self.sending.as_mut()?;
        let picture = Arc::clone(&sending.picture);
        let Body::Kitty(data) = &picture.body else {
            self.sending = None;
            return Some(Slice::Repaint);
        };
        let end = data.len().min(sending.sent + CHUNK);
        let more = u8::from(end < data.len());
        let mut command = Vec::with_capacity(CHUNK * 4 / 3 + 80);
        let _ = if sending.sent == 0 {
            let (id, cells) = (picture.id, picture.cells);
            let (columns, rows) = (cells.width, cells.height);
            write!(command, "\x1b_Ga=T,U=1,f=100,t=d,q=2,i={id},c={columns},r={rows},m={more};")
        } else {
            write!(command, "\x1b_Gm={more},q=2;")
        };
        command.extend(STANDARD.encode(&data[sending.sent..end]).bytes());
        command.extend(b"\x1b\\");
        sending.sent = end;
        if more == 0 {
            self.sending = None;
            self.fresh = true;
            let bytes = kept(data);
            self.held.push(Held { picture, bytes, used: self.turn });
            self.evict();
        }
        let mut out = Vec::new();
        self.wrap(&mut out, &command);
        Some(Slice::Anywhere(out))
    }

    fn next_strip(&mut self, screen: &Buffer) -> Option<Slice> {
        for drawn in &mut self.drawn {
            for strip in 0..drawn.done.len() {
                let area = strip_area(&drawn.placed, strip);
                if drawn.done[strip] || !free(screen, area) {
                    continue;
                }
                drawn.done[strip] = true;
                let at = area.as_position();
                return Some(Slice::At(at, Arc::clone(&drawn.placed.picture), strip));
            }
        }
        None
    }

    fn evict(&mut self) {
        while self.held.iter().map(|held| held.bytes).sum::<usize>() > self.most {
            let oldest = self
                .held
                .iter()
                .enumerate()
                .filter(|(_, held)| held.used != self.turn)
                .min_by_key(|(_, held)| held.used);
            let Some(at) = oldest.map(|(at, _)| at) else {
                break;
            };
            let gone = self.held.remove(at);
            self.delete(gone.picture.id);
        }
    }

    fn delete(&mut self, id: u32) {
        self.order(&delete(id));
    }

    fn order(&mut self, command: &[u8]) {
        let mut out = Vec::new();
        self.wrap(&mut out, command);
        self.orders.push(out);
    }

    fn wrap(&self, out: &mut Vec<u8>, command: &[u8]) {
        if self.tmux {
            pass_through(out, command);
        } else {
            out.extend(command);
        }
    }
}

/// The bytes of strip `strip`.
pub(super) fn strip_bytes(picture: &Picture, strip: usize) -> &[u8] {
    match &picture.body {
        Body::Sixel(strips) => strips.get(strip).map_or(&[], |strip| &strip.data),
        Body::Iterm2(data) => data,
        Body::Kitty(_) | Body::Blocks(_) => &[],
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

fn delete(id: u32) -> Vec<u8> {
    format!("\x1b_Ga=d,d=I,i={id},q=2\x1b\\").into_bytes()
}

fn same(a: &Arc<Picture>, b: &Arc<Picture>) -> bool {
    Arc::ptr_eq(a, b)
}

/// A terminal keeps a picture unpacked; its size stands at a fixed place in a PNG.
fn kept(png: &[u8]) -> usize {
    let number = |at: usize| {
        let bytes = png.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        bytes.map_or(0, |bytes| u32::from_be_bytes(bytes) as usize)
    };
    number(16).saturating_mul(number(20)).saturating_mul(4)
}

fn strip_area(placed: &Placed, strip: usize) -> Rect {
    match &placed.picture.body {
        Body::Sixel(strips) => strips.get(strip).map_or(Rect::ZERO, |strip| {
            let rows = Rect { y: placed.area.y.saturating_add(strip.row), height: strip.rows, ..placed.area };
            rows.intersection(placed.area)
        }),
        _ => placed.area,
    }
}

/// Nothing covers the cells, and they are not in the last row, where drawing may scroll.
fn free(screen: &Buffer, area: Rect) -> bool {
    area.bottom() < screen.area.bottom()
        && area.positions().all(|at| screen.cell(at).is_some_and(|cell| cell.symbol() == HOLE))
}

/// The last row and column, which a picture need not fill to the last pixel: what was there before
/// it would show.
fn edges(area: Rect) -> [Rect; 2] {
    let row = Rect::new(area.x, area.bottom().saturating_sub(1), area.width, 1);
    let column = Rect::new(area.right().saturating_sub(1), area.y, 1, area.height);
    [row, column]
}
