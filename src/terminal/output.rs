//! The way out, as the rest of the program sees it: a slot for the newest frame, and orders.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Position;

use super::colour::Depth;
use super::fences::{Fences, last_answers};
use super::screen::Gate;
use super::speed::LineState;
use super::writer::Writer;
use crate::graphics::{CellSize, Placed};

/// How often a blocked write looks whether it is still wanted.
pub(super) const GLANCE: Duration = Duration::from_millis(50);

/// Answers that may wait for the thread, which is held up while the terminal takes nothing.
const ANSWERS_MOST: usize = 1024;

/// Orders of raw bytes that may wait for a terminal that takes nothing.
pub const RAW_MOST: usize = 64;

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
    /// The terminal is behind ssh: until its line is known, a slow one is assumed.
    pub remote: bool,
    /// iTerm2 pictures are taken in parts.
    pub parts: bool,
    /// Pixels of a cell. When they change, pictures that the terminal holds are deleted.
    pub cell: CellSize,
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
            remote: false,
            parts: false,
            cell: CellSize::GUESS,
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
pub(super) struct Shared {
    pub(super) slot: Mutex<Slot>,
    pub(super) fences: Arc<Fences>,
    /// For the thread: there is something to do.
    pub(super) work: Condvar,
    /// For the others: the thread has done what it was told.
    pub(super) done: Condvar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    #[default]
    Running,
    Pausing,
    Paused,
    Ending,
    Ended,
}

#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) frame: Option<Frame>,
    /// Bytes, and whether they may have disturbed the first row.
    pub(super) raw: Vec<(Vec<u8>, bool)>,
    /// The frame at hand goes before them.
    pub(super) raw_waits: bool,
    pub(super) settings: Option<Settings>,
    /// When answers came that were not looked at yet.
    pub(super) answers: Vec<Instant>,
    /// What the terminal held may be gone.
    pub(super) doubt: bool,
    pub(super) phase: Phase,
    /// Nobody waits any more: let go of the terminal even in the middle of a write.
    pub(super) abandoned: bool,
    pub(super) gone: bool,
    pub(super) stats: Stats,
    pub(super) line: LineState,
    /// When nothing of what was written is in the line any more.
    pub(super) drained: Option<Instant>,
}

impl Shared {
    pub(super) fn slot(&self) -> MutexGuard<'_, Slot> {
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
        let thread = std::thread::Builder::new().name("output".into()).spawn(move || {
            let mut writer = Writer::new(theirs, tty, gate, settings, Box::new(hung_up));
            writer.run();
        })?;
        Ok(Self { shared, thread: Some(thread) })
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

    /// Writes bytes that print nothing (a title, a clipboard), after the frame shown last and before
    /// the next one. More than [`RAW_MOST`] waiting are dropped.
    pub fn write_raw(&self, bytes: Vec<u8>) {
        self.push_raw(bytes, false);
    }

    /// Writes questions, in the same order. Should the terminal print some of them, they go to the
    /// first row, which is drawn again at once.
    pub fn ask(&self, questions: Vec<u8>) {
        self.push_raw(questions, true);
    }

    fn push_raw(&self, bytes: Vec<u8>, disturbing: bool) {
        let mut slot = self.shared.slot();
        if slot.raw.len() < RAW_MOST {
            slot.raw_waits |= slot.frame.is_some();
            slot.raw.push((bytes, disturbing));
        }
        drop(slot);
        self.shared.work.notify_one();
    }

    /// Writes in another way from now on.
    pub fn configure(&self, settings: Settings) {
        self.shared.slot().settings = Some(settings);
        self.shared.work.notify_one();
    }

    /// The terminal sent `CSI 0 n` ([`Reply::Ready`](super::Reply::Ready)): tells the writer how far it has come.
    pub fn answered(&self) {
        let mut slot = self.shared.slot();
        if slot.answers.len() < ANSWERS_MOST {
            slot.answers.push(Instant::now());
        }
        drop(slot);
        self.shared.work.notify_one();
    }

    /// The terminal may not have our pictures any more, for instance after an attach: they are sent again on
    /// demand.
    pub fn forget_pictures(&self) {
        self.shared.slot().doubt = true;
        self.shared.work.notify_one();
    }

    /// The fences it writes, for [`Reader::start_beside`](super::Reader::start_beside).
    pub fn fences(&self) -> Arc<Fences> {
        Arc::clone(&self.shared.fences)
    }

    /// What is known of the line, as of the last time something was written or answered; what was written then has
    /// left it by and by.
    pub fn line(&self) -> LineState {
        let slot = self.shared.slot();
        let gone = slot.drained.is_some_and(|at| at <= Instant::now());
        LineState { outstanding: if gone { 0 } else { slot.line.outstanding }, ..slot.line }
    }

    /// How long to [`settle`](Fences::settle) before the terminal is given away.
    pub fn last_answers(&self) -> Duration {
        last_answers(self.line().round_trip)
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
            .wait_timeout_while(slot, limit, |slot| slot.phase != goal && slot.phase != Phase::Ended)
            .unwrap_or_else(PoisonError::into_inner);
        slot.phase == goal || slot.phase == Phase::Ended
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.end(GLANCE);
    }
}
