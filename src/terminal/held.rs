//! What the terminal holds of kitty pictures: sent once, in slices, and shown again for a few bytes.
//!
//! Some are shown by placeholders, which are text; those stay blank until the terminal has all of the picture, so
//! that one that was only passed by costs one slice. Others are placed under blank cells: a placement comes and goes
//! with the frame, the picture stays. What was used longest ago is deleted when it becomes too much.

use std::io::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Color;

use super::colour::{self, Depth};
use super::lane::{Piece, same, wrap};
use crate::graphics::{Body, HOLE, Picture, Placed, placeholder_id};

/// Bytes of a picture in one kitty command, at most; base64 makes 4096 letters of them.
const CHUNK: usize = 3072;
/// Bytes of a command besides its letters, about.
const FRAME: usize = 40;
/// Far below the text: cells with a background of their own cover it, as measured in kitty and Konsole.
const UNDER_TEXT: i32 = -1_073_741_900;
/// Ends a transfer that was begun: the terminal drops it.
const BREAK_OFF: &[u8] = b"\x1b_Gm=0,q=2\x1b\\";

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

/// See the module.
#[derive(Debug)]
pub(super) struct Store {
    held: Vec<Held>,
    sending: Option<Sending>,
    /// Ids to be deleted, and a transfer to be broken off.
    orders: Vec<Vec<u8>>,
    /// What the frame shows, in the order in which it is to be sent.
    wanted: Vec<Arc<Picture>>,
    /// The frame's pictures.
    placed: Vec<Placed>,
    /// Placements on the screen: which picture, and where.
    shown: Vec<(u32, Rect)>,
    turn: u64,
    /// What the terminal has changed.
    fresh: bool,
    pub(super) tmux: bool,
    /// Bytes the terminal may keep for us.
    pub(super) most: usize,
}

impl Store {
    pub(super) fn new() -> Self {
        Self {
            held: Vec::new(),
            sending: None,
            orders: Vec::new(),
            wanted: Vec::new(),
            placed: Vec::new(),
            shown: Vec::new(),
            turn: 0,
            fresh: false,
            tmux: false,
            most: 100 << 20,
        }
    }

    /// The frame to come has these pictures. A transfer that is no longer wanted is broken off.
    pub(super) fn want(&mut self, placed: &[Placed]) {
        self.turn += 1;
        self.placed = placed.iter().filter(|placed| data(&placed.picture).is_some()).cloned().collect();
        self.wanted.clear();
        for placed in &self.placed {
            // Until the picture is there something stands in for it, and comes first if it is not there either.
            if let Some(instead) = &placed.instead
                && !self.holds(&placed.picture)
                && data(instead).is_some()
            {
                self.wanted.push(Arc::clone(instead));
            }
            self.wanted.push(Arc::clone(&placed.picture));
        }
        for held in &mut self.held {
            if self.wanted.iter().any(|picture| picture.id == held.picture.id) {
                held.used = self.turn;
            }
        }
        if let Some(sending) = &self.sending
            && !self.wanted.iter().any(|picture| same(picture, &sending.picture))
        {
            let id = sending.picture.id;
            self.order(BREAK_OFF);
            self.delete(id);
            self.sending = None;
        }
    }

    /// Of pictures that the terminal does not have yet, the placeholders become those of a stand-in, or blank.
    pub(super) fn veil(&self, buffer: &mut Buffer) {
        for cell in &mut buffer.content {
            let Some(id) = placeholder_id(cell) else { continue };
            if self.held.iter().any(|held| held.picture.id == id) {
                continue;
            }
            let instead = self.placed.iter().find(|placed| placed.picture.id == id).and_then(|placed| {
                let instead = placed.instead.as_ref()?;
                (self.holds(instead) && instead.cells == placed.picture.cells).then_some(instead.id)
            });
            match instead {
                Some(other) => {
                    let [_, r, g, b] = other.to_be_bytes();
                    cell.set_fg(Color::Rgb(r, g, b));
                }
                None => cell.reset(),
            }
        }
    }

    /// Brings the placements up to the frame: first what comes, then what goes, so that there is no gap. Each is to
    /// be written with the cursor at the position, if there is one. Where text without a background of its own lies
    /// over a picture, that is not shown, for it would show through.
    pub(super) fn place(&mut self, screen: &Buffer, depth: Depth) -> Vec<(Option<Position>, Vec<u8>)> {
        let mut next = Vec::new();
        for placed in &self.placed {
            if !matches!(placed.picture.body, Body::KittyDirect(_)) || !clear(screen, placed.area, depth) {
                continue;
            }
            let candidates = [Some(&placed.picture), placed.instead.as_ref()];
            if let Some(picture) = candidates.into_iter().flatten().find(|picture| self.holds(picture)) {
                next.push((picture.id, placed.area));
            }
        }
        let mut out = Vec::new();
        for (id, area) in next.iter().filter(|place| !self.shown.contains(place)) {
            let (columns, rows) = (area.width, area.height);
            let show = format!("\x1b_Ga=p,i={id},p=1,c={columns},r={rows},C=1,z={UNDER_TEXT},q=2\x1b\\");
            out.push((Some(area.as_position()), self.wrapped(show.as_bytes())));
        }
        for (id, _) in self.shown.iter().filter(|(id, _)| !next.iter().any(|(other, _)| other == id)) {
            out.push((None, self.wrapped(format!("\x1b_Ga=d,d=i,i={id},p=1,q=2\x1b\\").as_bytes())));
        }
        self.shown = next;
        out
    }

    /// The screen was cleared: kitty drops with its placements what was placed there.
    pub(super) fn cleared(&mut self) {
        let gone: Vec<u32> =
            self.held.iter().filter(|held| direct(&held.picture)).map(|held| held.picture.id).collect();
        for id in gone {
            self.delete(id);
        }
        self.held.retain(|held| !direct(&held.picture));
        self.shown.clear();
    }

    /// The terminal may have lost everything. What it may still have is deleted first.
    pub(super) fn forget(&mut self) {
        let farewell = self.farewell();
        if !farewell.is_empty() {
            self.orders.push(farewell);
        }
        self.held.clear();
        self.shown.clear();
        self.sending = None;
    }

    /// What deletes all that the terminal has of us.
    pub(super) fn farewell(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.sending.is_some() {
            out.extend(self.wrapped(BREAK_OFF));
        }
        let sending = self.sending.iter().map(|sending| sending.picture.id);
        for id in self.held.iter().map(|held| held.picture.id).chain(sending) {
            out.extend(self.wrapped(&delete(id)));
        }
        out
    }

    /// True once after what the terminal has changed.
    pub(super) fn changed(&mut self) -> bool {
        std::mem::take(&mut self.fresh)
    }

    /// There is something to send.
    pub(super) fn pending(&self) -> bool {
        !self.orders.is_empty() || self.sending.is_some() || self.wanted.iter().any(|picture| !self.holds(picture))
    }

    /// Breaks off what is being sent, which begins again later: nothing else may be asked of a terminal within a
    /// transfer. Answers what has to be written before.
    pub(super) fn interrupt(&mut self) -> Vec<u8> {
        let Some(sending) = self.sending.take() else { return Vec::new() };
        [self.wrapped(BREAK_OFF), self.wrapped(&delete(sending.picture.id))].concat()
    }

    /// A picture was begun and is not whole yet.
    pub(super) fn under_way(&self) -> bool {
        self.sending.is_some()
    }

    /// The next piece, of about `size` bytes.
    pub(super) fn next(&mut self, size: usize) -> Option<Piece> {
        if !self.orders.is_empty() {
            self.fresh = true;
            return Some(Piece::anywhere(self.orders.remove(0)));
        }
        if self.sending.is_none() {
            let missing = self.wanted.iter().find(|picture| !self.holds(picture))?;
            let picture = Arc::clone(missing);
            self.fresh = true;
            // Another picture of the same number: rare, but it must not be shown instead.
            if let Some(at) = self.held.iter().position(|held| held.picture.id == picture.id) {
                self.held.remove(at);
                self.delete(picture.id);
                return self.next(size);
            }
            self.sending = Some(Sending { picture, sent: 0 });
        }
        let sending = self.sending.as_mut()?;
        let picture = Arc::clone(&sending.picture);
        let data = data(&picture).unwrap_or_default();
        let chunk = (size.saturating_sub(FRAME) / 4 * 3).clamp(3, CHUNK);
        let end = data.len().min(sending.sent + chunk);
        let more = u8::from(end < data.len());
        let mut command = Vec::with_capacity(chunk / 3 * 4 + 100);
        let (id, cells) = (picture.id, picture.cells);
        let _ = if sending.sent > 0 {
            write!(command, "\x1b_Gm={more},q=2;")
        } else if direct(&picture) {
            write!(command, "\x1b_Ga=t,f=100,t=d,q=2,i={id},m={more};")
        } else {
            let (columns, rows) = (cells.width, cells.height);
            write!(command, "\x1b_Ga=T,U=1,f=100,t=d,q=2,i={id},c={columns},r={rows},m={more};")
        };
        command.extend(STANDARD.encode(&data[sending.sent..end]).bytes());
        command.extend(b"\x1b\\");
        sending.sent = end;
        if more == 0 {
            self.sending = None;
            self.fresh = true;
            let bytes = kept(data);
            // Under its number there is another picture now.
            self.shown.retain(|(other, _)| *other != id);
            self.held.push(Held { picture, bytes, used: self.turn });
            self.evict();
        }
        Some(Piece { end: more == 0, ..Piece::anywhere(self.wrapped(&command)) })
    }

    fn holds(&self, picture: &Arc<Picture>) -> bool {
        self.held.iter().any(|held| same(&held.picture, picture))
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
            self.shown.retain(|(id, _)| *id != gone.picture.id);
            self.delete(gone.picture.id);
        }
    }

    fn delete(&mut self, id: u32) {
        self.order(&delete(id));
    }

    fn order(&mut self, command: &[u8]) {
        let order = self.wrapped(command);
        self.orders.push(order);
    }

    fn wrapped(&self, command: &[u8]) -> Vec<u8> {
        wrap(self.tmux, command)
    }
}

fn delete(id: u32) -> Vec<u8> {
    format!("\x1b_Ga=d,d=I,i={id},q=2\x1b\\").into_bytes()
}

fn direct(picture: &Picture) -> bool {
    matches!(picture.body, Body::KittyDirect(_))
}

/// The file of a kitty picture.
fn data(picture: &Picture) -> Option<&[u8]> {
    match &picture.body {
        Body::Kitty(data) | Body::KittyDirect(data) => Some(data),
        _ => None,
    }
}

/// Nothing lies over the cells but what hides the picture by its background.
fn clear(screen: &Buffer, area: Rect, depth: Depth) -> bool {
    area.positions().all(|at| {
        screen.cell(at).is_some_and(|cell| cell.symbol() == HOLE || colour::map(cell.bg, depth) != Color::Reset)
    })
}

/// A terminal keeps a picture unpacked; its size stands at a fixed place in a PNG.
fn kept(png: &[u8]) -> usize {
    let number = |at: usize| {
        let bytes = png.get(at..at + 4).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
        bytes.map_or(0, |bytes| u32::from_be_bytes(bytes) as usize)
    };
    number(16).saturating_mul(number(20)).saturating_mul(4)
}
