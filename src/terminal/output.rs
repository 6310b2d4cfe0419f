//! The thread that writes: always the newest frame, each in one write, pictures in slices between.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::colour::Depth;
use super::lane::{Lane, Slice, strip_bytes};
use super::paint::{Painter, disarm};
use super::screen::Gate;
use super::tty;
use crate::graphics::Placed;

/// Larger frames are not held back by the terminal: it might end the wait half way.
const SYNC_MOST: usize = 65_536;
/// How often a blocked write looks whether it is still wanted.
const GLANCE: Duration = Duration::from_millis(50);

const SYNC_BEGIN: &[u8] = b"\x1b[?2026h";
const SYNC_END: &[u8] = b"\x1b[?2026l";

/// Everything the screen is to show.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The text; its area is the whole screen. Colours are mapped to the terminal's depth here.
    pub buffer: Buffer,
    /// The cursor, if it is to show.
    pub cursor: Option<Position>,
    /// What [`place`](crate::graphics::place) gave while the buffer was drawn.
    pub pictures: Vec<Placed>,
    /// Draw everything anew, and send pictures again.
    pub repaint: bool,
}

/// How to write, from [`Caps`](super::Caps). May change at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Colours the terminal has.
    pub depth: Depth,
    /// Kitty graphics have to be passed through tmux.
    pub tmux: bool,
    /// Frames are bracketed as one update. Terminals that do not know this ignore it.
    pub sync: bool,
    /// Erasing fills with the background colour; if unsure, no.
    pub erase_fills: bool,
    /// Pixels stay under text that is written over them: the whole screen has to be cleared.
    pub pixels_stick: bool,
    /// Bytes of pixels that the terminal may keep for us.
    pub pictures: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            depth: Depth::Ansi256,
            tmux: false,
            sync: true,
            erase_fills: false,
            pixels_stick: false,
            pictures: 100 << 20,
        }
    }
}

/// What was written so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Frames that were shown.
    pub frames: u64,
    /// Frames that changed something on the screen: each was one write.
    pub written: u64,
    /// Frames replaced by newer ones before their turn came.
    pub skipped: u64,
    /// Bytes of text.
    pub text_bytes: u64,
    /// Bytes of pictures.
    pub picture_bytes: u64,
    /// Pieces in which pictures were sent.
    pub slices: u64,
}

/// The running thread. Nothing here waits for the terminal, except [`pause`](Self::pause) and
/// [`finish`](Self::finish), which wait as long as they are told.
#[derive(Debug)]
pub struct Output {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    slot: Mutex<Slot>,
    /// For the thread: there is something to do.
    work: Condvar,
    /// For the others: the thread has done what it was told.
    done: Condvar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    #[default]
    Running,
    Pausing,
    Paused,
    Ending,
    Ended,
}

#[derive(Debug, Default)]
struct Slot {
    frame: Option<Frame>,
    /// Bytes, and whether they may have disturbed the first row.
    raw: Vec<(Vec<u8>, bool)>,
    settings: Option<Settings>,
    phase: Phase,
    /// Nobody waits any more: let go of the terminal even in the middle of a write.
    abandoned: bool,
    gone: bool,
    stats: Stats,
}

impl Shared {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        // A panic while holding it leaves nothing half done that would matter.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Output {
    /// Starts to write to `tty`, which is best one of [`open`](super::open): it may then be
    /// non-blocking. With a `gate` nothing is written while the screen is not ours. `hung_up` is
    /// called once, on the thread, when the terminal is gone.
    ///
    /// # Errors
    /// If there are no threads left.
    pub fn start(
        tty: OwnedFd,
        settings: Settings,
        gate: Option<Gate>,
        hung_up: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("output".into())
            .spawn(move || {
                let mut writer = Writer {
                    shared: theirs,
                    tty,
                    gate,
                    painter: Painter::new(),
                    lane: Lane::new(),
                    settings,
                    frame: None,
                    hung_up: Some(Box::new(hung_up)),
                };
                writer.apply(settings);
                writer.run();
            })?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Shows a frame. Only the newest counts; older ones that were not written yet are dropped.
    pub fn show(&self, mut frame: Frame) {
        let mut slot = self.shared.slot();
        slot.stats.frames += 1;
        if let Some(old) = slot.frame.take() {
            slot.stats.skipped += 1;
            frame.repaint |= old.repaint;
        }
        slot.frame = Some(frame);
        self.shared.work.notify_one();
    }

    /// Writes bytes that print nothing (a title, a clipboard), before the next frame.
    pub fn write_raw(&self, bytes: Vec<u8>) {
        self.shared.slot().raw.push((bytes, false));
        self.shared.work.notify_one();
    }

    /// Writes questions. Should the terminal print some of them, they go to the first row, which is
    /// drawn again at once.
    pub fn ask(&self, questions: Vec<u8>) {
        self.shared.slot().raw.push((questions, true));
        self.shared.work.notify_one();
    }

    /// Writes in another way from now on.
    pub fn configure(&self, settings: Settings) {
        self.shared.slot().settings = Some(settings);
        self.shared.work.notify_one();
    }

    /// What was written so far.
    pub fn stats(&self) -> Stats {
        self.shared.slot().stats
    }

    /// The terminal is gone.
    pub fn is_hung_up(&self) -> bool {
        self.shared.slot().gone
    }

    /// Finishes what is being written, takes back pictures and then writes nothing until
    /// [`resume`](Self::resume). False if the terminal did not take it within `limit`.
    pub fn pause(&self, limit: Duration) -> bool {
        self.settle(Phase::Pausing, Phase::Paused, limit)
    }

    /// Goes on after [`pause`](Self::pause), drawing everything anew.
    pub fn resume(&self) {
        let mut slot = self.shared.slot();
        if matches!(slot.phase, Phase::Pausing | Phase::Paused) {
            slot.phase = Phase::Running;
        }
        self.shared.work.notify_one();
    }

    /// Writes the last frame, takes back pictures and ends. A terminal that takes nothing for
    /// `limit` is left alone.
    pub fn finish(mut self, limit: Duration) -> Stats {
        self.end(limit);
        self.stats()
    }

    fn end(&mut self, limit: Duration) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        if !self.settle(Phase::Ending, Phase::Ended, limit) {
            self.shared.slot().abandoned = true;
        }
        // Within a glance, whatever the terminal does; a blocking descriptor may take longer, and
        // then the thread ends with the process.
        if self.settle(Phase::Ending, Phase::Ended, GLANCE * 4) {
            let _ = thread.join();
        }
    }

    fn settle(&self, order: Phase, goal: Phase, limit: Duration) -> bool {
        let mut slot = self.shared.slot();
        if slot.phase == goal || slot.phase == Phase::Ended {
            return true;
        }
        slot.phase = order;
        self.shared.work.notify_one();
        let (slot, _) = self
            .shared
            .done
            .wait_timeout_while(slot, limit, |slot| {
                slot.phase != goal && slot.phase != Phase::Ended
            })
            .unwrap_or_else(PoisonError::into_inner);
        slot.phase == goal || slot.phase == Phase::Ended
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.end(GLANCE);
    }
}

struct Writer {
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
    fn run(&mut self) {
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
            if slot.phase == Phase::Paused {
                // Kept for later; only the end is of interest.
            } else if !slot.raw.is_empty() && open {
                return Job::Raw(std::mem::take(&mut slot.raw));
            } else if let Some(frame) = slot.frame.take() {
                return Job::Frame(frame);
            } else if slot.phase == Phase::Pausing {
                return Job::Pause;
            } else if slot.phase == Phase::Ending {
                return Job::End;
            } else if pictures {
                return Job::Picture;
            }
            slot = self
                .shared
                .work
                .wait(slot)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn apply(&mut self, settings: Settings) {
        if settings.depth != self.settings.depth {
            self.painter.lose();
        }
        self.settings = settings;
        self.painter.depth = settings.depth;
        self.painter.erase_fills = settings.erase_fills;
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
        let anew = self.painter.paint(&buffer, cursor, &mut out, |at, width| {
            lane.touched(at, width)
        });
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
                self.painter
                    .draw_at(at, strip_bytes(&picture, strip), &mut out);
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
