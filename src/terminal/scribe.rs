//! What is written next, and when: text at once, pictures as the line allows. No thread, no terminal, no clock.
//!
//! [`Output`](super::Output)'s thread runs a [`Scribe`] and writes what it says; tests play one against a line of
//! their own. All bytes it answers must be written, in order; it takes them for written at the time it was given.

use std::time::Duration;

use super::lane::{Lane, wrap};
use super::line::Line;
use super::output::{Frame, Settings, Stats};
use super::paint::{Painter, disarm};
use super::speed::{Grant, LineState};
use crate::graphics::shorten;

/// Larger frames are not held back by the terminal: it might end the wait half way.
const SYNC_MOST: usize = 65_536;

const SYNC_BEGIN: &[u8] = b"\x1b[?2026h";
const SYNC_END: &[u8] = b"\x1b[?2026l";
/// Is answered with `CSI 0 n` when all before it has been taken in.
const FENCE: &[u8] = b"\x1b[5n";

/// On a slow line a picture that was begun goes on after this: with a key held down it is no longer wanted by
/// then, and costs one slice.
const PASSING: Duration = Duration::from_millis(40);

/// What is to be done for pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Write this, then ask again.
    Write(Vec<u8>),
    /// Nothing before this time, an answer, or another frame.
    Wait(Duration),
    /// Nothing before something else happens.
    Idle,
}

/// See the module. Times are counted from any fixed moment.
#[derive(Debug)]
pub struct Scribe {
    painter: Painter,
    lane: Lane,
    line: Line,
    settings: Settings,
    /// The newest frame, as it was given.
    frame: Option<Frame>,
    /// When the first slice of a picture was sent last.
    begun_at: Option<Duration>,
    stats: Stats,
    /// Fences that were written.
    fences: u64,
}

impl Scribe {
    /// For an empty screen.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let line = Line::new(settings.remote);
        let (painter, lane) = (Painter::new(), Lane::new());
        let (frame, begun_at, stats) = (None, None, Stats::default());
        let mut scribe = Self { painter, lane, line, settings, frame, begun_at, stats, fences: 0 };
        scribe.apply();
        scribe
    }

    /// Writes in another way from now on.
    pub fn configure(&mut self, settings: Settings, now: Duration) -> Vec<u8> {
        if settings.depth != self.settings.depth {
            self.painter.lose();
        }
        // Pictures made for other cells are of no use any more.
        if settings.cell != self.settings.cell || settings.tmux != self.settings.tmux {
            self.lane.forget();
        }
        self.settings = settings;
        self.apply();
        self.redraw(now)
    }

    fn apply(&mut self) {
        let settings = self.settings;
        self.painter.depth = settings.depth;
        self.painter.erase_fills = settings.erase_fills;
        self.painter.tmux = settings.tmux;
        self.lane.store.tmux = settings.tmux;
        self.lane.store.most = settings.pictures;
        self.lane.strips.parts = settings.parts;
        self.line.set_remote(settings.remote);
    }

    /// The text of a frame, as far as it differs from what the screen shows.
    pub fn show(&mut self, frame: Frame, now: Duration) -> Vec<u8> {
        self.frame = Some(frame);
        self.redraw(now)
    }

    /// Bytes that print nothing, or, if `disturbing`, may print something in the first row.
    pub fn raw(&mut self, bytes: &[u8], disturbing: bool, now: Duration) -> Vec<u8> {
        if !disturbing {
            self.line.sent(bytes.len(), now);
            return bytes.to_vec();
        }
        let mut out = [&self.lane.store.interrupt()[..], b"\x1b[H", bytes].concat();
        self.line.sent(out.len(), now);
        self.painter.disturbed();
        out.extend(self.redraw(now));
        out
    }

    /// The next piece of a picture, as the line allows.
    pub fn next(&mut self, now: Duration) -> Next {
        loop {
            let Some(atomic) = self.lane.pending(self.painter.screen()) else {
                self.line.idle(now);
                return Next::Idle;
            };
            let under_way = self.lane.store.under_way();
            let passing = self.begun_at.map(|at| at + PASSING).filter(|until| *until > now);
            if let Some(until) = passing
                && under_way
                && self.line.is_slow()
            {
                return Next::Wait(until);
            }
            let size = match self.line.grant(atomic, now) {
                Grant::Wait(until) => return Next::Wait(until),
                Grant::Fence => {
                    let mut out = Vec::new();
                    self.fence(&mut out, now);
                    self.stats.picture_bytes += out.len() as u64;
                    return Next::Write(out);
                }
                Grant::Go(size) => size,
            };
            let mut out = Vec::new();
            if self.line.wants_probe(now) {
                self.fence(&mut out, now);
            }
            let Some(piece) = self.lane.next(self.painter.screen(), size) else {
                return if out.is_empty() { Next::Idle } else { Next::Write(out) };
            };
            if !under_way && self.lane.store.under_way() {
                self.begun_at = Some(now);
            }
            let before = out.len();
            match piece.at {
                Some(at) => self.painter.draw_at(at, &piece.bytes, &mut out),
                None => out.extend(&piece.bytes),
            }
            self.line.sent(out.len() - before, now);
            if self.line.wants_fence(piece.end) {
                self.fence(&mut out, now);
            }
            self.stats.slices += 1;
            self.stats.picture_bytes += out.len() as u64;
            if self.lane.store.changed() {
                out.extend(self.redraw(now));
            }
            if !out.is_empty() {
                return Next::Write(out);
            }
        }
    }

    /// The terminal has answered a fence.
    pub fn answered(&mut self, now: Duration) -> Vec<u8> {
        let came_back = self.line.answered(now);
        // tmux drops what is passed through while nobody looks: what was sent in silence may be lost.
        if came_back && self.settings.tmux {
            return self.forget(now);
        }
        Vec::new()
    }

    /// The terminal may not have our pictures any more: they come again on demand.
    pub fn forget(&mut self, now: Duration) -> Vec<u8> {
        self.lane.forget();
        self.redraw(now)
    }

    /// Takes our pictures back and begins with an unknown screen: somebody else will have the terminal. Answers the
    /// frame that was shown.
    pub fn leave(&mut self, now: Duration) -> (Vec<u8>, Option<Frame>) {
        let bytes = self.farewell();
        self.line.sent(bytes.len(), now);
        self.line.interrupted(now);
        self.lane = Lane::new();
        self.painter = Painter::new();
        self.apply();
        (bytes, self.frame.take())
    }

    /// What deletes all that the terminal has of us.
    #[must_use]
    pub fn farewell(&self) -> Vec<u8> {
        self.lane.store.farewell()
    }

    /// What is known of the line.
    #[must_use]
    pub fn line(&self, now: Duration) -> LineState {
        self.line.state(now)
    }

    /// When the line is free if nothing else is written or answered.
    #[must_use]
    pub fn drained(&self) -> Option<Duration> {
        self.line.drained()
    }

    /// Fences in all that was to be written.
    #[must_use]
    pub fn fences(&self) -> u64 {
        self.fences
    }

    /// What was written; frames are counted by whoever gives them.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.stats
    }

    fn fence(&mut self, out: &mut Vec<u8>, now: Duration) {
        let fence = wrap(self.settings.tmux, FENCE);
        self.line.sent(fence.len(), now);
        self.line.fenced(now);
        self.fences += 1;
        out.extend(fence);
    }

    /// Brings the screen up to the newest frame, in one write or none.
    fn redraw(&mut self, now: Duration) -> Vec<u8> {
        let Some(frame) = &mut self.frame else {
            return Vec::new();
        };
        if std::mem::take(&mut frame.repaint) {
            self.painter.lose();
            self.lane.forget();
        }
        let mut buffer = frame.buffer.clone();
        let wipe = self.lane.want(&frame.pictures);
        if self.settings.pixels_stick && (!wipe.is_empty() || self.lane.strips.covered(&buffer)) {
            self.painter.lose();
        }
        for area in wipe {
            self.painter.forget(area);
        }
        if self.painter.clears(&buffer) {
            self.lane.cleared();
            // What has to be sent again, and in which order, is another matter now.
            self.lane.store.want(&frame.pictures);
        }
        self.lane.store.veil(&mut buffer);
        shorten(&mut buffer);
        disarm(&mut buffer);
        let mut out = Vec::new();
        let strips = &mut self.lane.strips;
        let cursor = frame.cursor;
        self.painter.paint(&buffer, cursor, &mut out, |at, width| strips.touched(at, width));
        for (at, bytes) in self.lane.place(&buffer, self.settings.depth) {
            match at {
                Some(at) => self.painter.draw_at(at, &bytes, &mut out),
                None => out.extend(bytes),
            }
        }
        if out.is_empty() {
            return out;
        }
        if self.settings.sync && out.len() <= SYNC_MOST {
            out = [SYNC_BEGIN, &out, SYNC_END].concat();
        }
        self.line.sent(out.len(), now);
        self.stats.written += 1;
        self.stats.text_bytes += out.len() as u64;
        out
    }
}
