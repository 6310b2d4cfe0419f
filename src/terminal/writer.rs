//! What the writing thread does: one write a frame, then a piece of a picture, then the next frame.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, PoisonError};

use super::lane::{Lane, Slice, strip_bytes};
use super::output::{Frame, GLANCE, Phase, Settings, Shared};
use super::paint::{Painter, disarm};
use super::screen::Gate;
use super::tty;

/// Larger frames are not held back by the terminal: it might end the wait half way.
const SYNC_MOST: usize = 65_536;

const SYNC_BEGIN: &[u8] = b"\x1b[?2026h";
const SYNC_END: &[u8] = b"\x1b[?2026l";

/// See the module.
pub(super) struct Writer {
    shared: Arc<Shared>,
    tty: OwnedFd,
    gate: Option<Gate>,
    painter: Painter,
    lane: Lane,
    settings: Settings,
    /// The newest frame, as it was given.
    frame: Option<Frame>,
    hung_up: Option<Box<dyn FnOnce() + Send>>,
}

/// What to do next.
enum Job {
    Raw(Vec<(Vec<u8>, bool)>),
    Settings(Settings),
    Frame(Frame),
    Picture,
    Pause,
    End,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        tty: OwnedFd,
        gate: Option<Gate>,
        settings: Settings,
        hung_up: Box<dyn FnOnce() + Send>,
    ) -> Self {
        let mut writer = Self {
            shared,
            tty,
            gate,
            painter: Painter::new(),
            lane: Lane::new(),
            settings,
            frame: None,
            hung_up: Some(hung_up),
        };
        writer.apply(settings);
        writer
    }

    /// Until it is told to end, or the terminal is gone.
    pub(super) fn run(&mut self) {
        let mut pictures = false;
        loop {
            let job = self.take(pictures);
            let ending = matches!(job, Job::End);
            let result = match job {
                Job::Raw(pieces) => self.raw(pieces),
                Job::Settings(settings) => {
                    self.apply(settings);
                    self.redraw()
                }
                Job::Frame(frame) => {
                    self.frame = Some(frame);
                    self.redraw()
                }
                Job::Picture => self.slice(&mut pictures),
                Job::Pause => self.pause(),
                Job::End => self.take_back(),
            };
            if !matches!(result, Ok(Step::Idle)) {
                pictures = true;
            }
            if result.is_err() || ending {
                let gone = result.is_err() && !self.shared.slot().abandoned;
                let mut slot = self.shared.slot();
                slot.gone |= gone;
                slot.phase = Phase::Ended;
                slot.frame = None;
                drop(slot);
                self.shared.done.notify_all();
                if gone && let Some(call) = self.hung_up.take() {
                    call();
                }
                return;
            }
        }
    }

    /// Waits for something to do. Text goes before pictures, the newest text alone counts.
    fn take(&self, pictures: bool) -> Job {
        let mut slot = self.shared.slot();
        loop {
            let open = self.gate.as_ref().is_none_or(Gate::is_open);
            if let Some(settings) = slot.settings.take() {
                return Job::Settings(settings);
            }
            let raw = !slot.raw.is_empty() && open && !(slot.raw_waits && slot.frame.is_some());
            if slot.phase == Phase::Paused {
                // Kept for later; only the end is of interest.
            } else if raw {
                return Job::Raw(std::mem::take(&mut slot.raw));
            } else if let Some(frame) = slot.frame.take() {
                slot.raw_waits = false;
                return Job::Frame(frame);
            } else if slot.phase == Phase::Pausing {
                return Job::Pause;
            } else if slot.phase == Phase::Ending {
                return Job::End;
            } else if pictures {
                return Job::Picture;
            }
            slot = self.shared.work.wait(slot).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn apply(&mut self, settings: Settings) {
        if settings.depth != self.settings.depth {
            self.painter.lose();
        }
        self.settings = settings;
        self.painter.depth = settings.depth;
        self.painter.erase_fills = settings.erase_fills;
        self.painter.tmux = settings.tmux;
        self.lane.tmux = settings.tmux;
        self.lane.most = settings.pictures;
    }

    fn raw(&mut self, pieces: Vec<(Vec<u8>, bool)>) -> io::Result<Step> {
        let mut bytes = Vec::new();
        let disturbing = pieces.iter().any(|(_, disturbing)| *disturbing);
        for (piece, disturbing) in pieces {
            if disturbing {
                bytes.extend(b"\x1b[H");
            }
            bytes.extend(piece);
        }
        self.write(&bytes)?;
        if disturbing {
            self.painter.disturbed();
            return self.redraw();
        }
        Ok(Step::More)
    }

    /// Brings the screen up to the newest frame, in one write or none.
    fn redraw(&mut self) -> io::Result<Step> {
        let Some(frame) = &mut self.frame else {
            return Ok(Step::Idle);
        };
        if std::mem::take(&mut frame.repaint) {
            self.painter.lose();
            self.lane.forget();
        }
        let mut buffer = frame.buffer.clone();
        let wipe = self.lane.want(&frame.pictures);
        if self.settings.pixels_stick && (!wipe.is_empty() || self.lane.covered(&buffer)) {
            self.painter.lose();
        }
        for area in wipe {
            self.painter.forget(area);
        }
        self.lane.veil(&mut buffer);
        disarm(&mut buffer);
        let mut out = Vec::new();
        let lane = &mut self.lane;
        let cursor = frame.cursor;
        let anew = self.painter.paint(&buffer, cursor, &mut out, |at, width| lane.touched(at, width));
        if anew {
            self.lane.cleared();
        }
        if out.is_empty() {
            return Ok(Step::More);
        }
        if self.settings.sync && out.len() <= SYNC_MOST {
            out = [SYNC_BEGIN, &out, SYNC_END].concat();
        }
        self.write(&out)?;
        let mut slot = self.shared.slot();
        slot.stats.written += 1;
        slot.stats.text_bytes += out.len() as u64;
        Ok(Step::More)
    }

    fn slice(&mut self, pictures: &mut bool) -> io::Result<Step> {
        let bytes = match self.lane.next(self.painter.screen()) {
            None => {
                *pictures = false;
                return Ok(Step::Idle);
            }
            Some(Slice::Repaint) => Vec::new(),
            Some(Slice::Anywhere(bytes)) => bytes,
            Some(Slice::At(at, picture, strip)) => {
                let mut out = Vec::new();
                self.painter.draw_at(at, strip_bytes(&picture, strip), &mut out);
                out
            }
        };
        self.write(&bytes)?;
        {
            let mut slot = self.shared.slot();
            slot.stats.slices += 1;
            slot.stats.picture_bytes += bytes.len() as u64;
        }
        if self.lane.changed() {
            if let Some(gate) = &self.gate {
                gate.set_farewell(self.lane.farewell());
            }
            return self.redraw();
        }
        Ok(Step::More)
    }

    fn take_back(&mut self) -> io::Result<Step> {
        let bytes = self.lane.farewell();
        self.write(&bytes)?;
        if let Some(gate) = &self.gate {
            gate.set_farewell(Vec::new());
        }
        Ok(Step::Idle)
    }

    fn pause(&mut self) -> io::Result<Step> {
        self.take_back()?;
        self.lane = Lane::new();
        self.apply(self.settings);
        self.painter = Painter::new();
        self.apply(self.settings);
        let mut slot = self.shared.slot();
        if slot.phase == Phase::Pausing {
            slot.phase = Phase::Paused;
        }
        // Whatever comes after is drawn anew; if nothing comes, the same again.
        if slot.frame.is_none() {
            slot.frame = self.frame.take();
        }
        drop(slot);
        self.shared.done.notify_all();
        Ok(Step::Idle)
    }

    fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        if !self.gate.as_ref().is_none_or(Gate::is_open) {
            return Ok(());
        }
        while !bytes.is_empty() {
            match tty::write(self.tty.as_fd(), bytes) {
                Ok(many) => bytes = &bytes[many..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait()?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Until the terminal takes more, is gone, or nobody wants it any more.
    fn wait(&self) -> io::Result<()> {
        loop {
            let seen = match tty::poll(&mut [(self.tty.as_fd(), libc::POLLOUT)], Some(GLANCE)) {
                Err(error) if tty::again(&error) => continue,
                other => other?,
            };
            if seen[0] & libc::POLLOUT != 0 {
                return Ok(());
            }
            if seen[0] != 0 || self.shared.slot().abandoned {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
        }
    }
}

impl Drop for Writer {
    /// A panic of this thread leaves nobody to write: for the others that is the same as a hang-up.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut slot = self.shared.slot();
            slot.gone = true;
            slot.phase = Phase::Ended;
            drop(slot);
            self.shared.done.notify_all();
            if let Some(call) = self.hung_up.take() {
                call();
            }
        }
    }
}

/// Whether there may be something left to send.
enum Step {
    More,
    Idle,
}
