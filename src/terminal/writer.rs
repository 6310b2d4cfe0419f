//! What the writing thread does: runs the scribe, writes what it says, and waits.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::output::{Frame, GLANCE, Phase, Settings, Shared};
use super::screen::Gate;
use super::scribe::{Next, Scribe};
use super::tty;

/// See the module.
pub(super) struct Writer {
    shared: Arc<Shared>,
    tty: OwnedFd,
    gate: Option<Gate>,
    scribe: Scribe,
    /// Times are counted from here.
    began: Instant,
    hung_up: Option<Box<dyn FnOnce() + Send>>,
}

/// What to do next.
enum Job {
    Answers(Vec<Instant>),
    Forget,
    Raw(Vec<(Vec<u8>, bool)>),
    Settings(Settings),
    Frame(Frame),
    /// It is time for a piece of a picture.
    Picture,
    Pause,
    End,
}

/// What is known of pictures.
#[derive(Clone, Copy)]
enum Pictures {
    /// There may be a piece to send.
    Ask,
    /// Not before this.
    Wait(Instant),
    None,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        tty: OwnedFd,
        gate: Option<Gate>,
        settings: Settings,
        hung_up: Box<dyn FnOnce() + Send>,
    ) -> Self {
        let (scribe, began) = (Scribe::new(settings), Instant::now());
        Self { shared, tty, gate, scribe, began, hung_up: Some(hung_up) }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Until it is told to end, or the terminal is gone.
    pub(super) fn run(&mut self) {
        let mut pictures = Pictures::None;
        loop {
            let job = self.take(pictures);
            let ending = matches!(job, Job::End);
            // Whatever happens may allow or need another piece.
            pictures = Pictures::Ask;
            let now = self.now();
            let result = match job {
                Job::Answers(times) => self.answers(&times),
                Job::Forget => {
                    let bytes = self.scribe.forget(now);
                    self.write(&bytes)
                }
                Job::Raw(pieces) => self.raw(pieces),
                Job::Settings(settings) => {
                    let bytes = self.scribe.configure(settings, now);
                    self.write(&bytes)
                }
                Job::Frame(frame) => {
                    let bytes = self.scribe.show(frame, now);
                    self.write(&bytes)
                }
                Job::Picture => match self.scribe.next(now) {
                    Next::Write(bytes) => {
                        let result = self.write(&bytes);
                        if let Some(gate) = &self.gate {
                            gate.set_farewell(self.scribe.farewell());
                        }
                        result
                    }
                    Next::Wait(until) => {
                        pictures = Pictures::Wait(self.began + until);
                        Ok(())
                    }
                    Next::Idle => {
                        pictures = Pictures::None;
                        Ok(())
                    }
                },
                Job::Pause => self.pause(),
                Job::End => self.take_back(),
            };
            self.publish();
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
    fn take(&self, pictures: Pictures) -> Job {
        let mut slot = self.shared.slot();
        loop {
            let open = self.gate.as_ref().is_none_or(Gate::is_open);
            if !slot.answers.is_empty() {
                return Job::Answers(std::mem::take(&mut slot.answers));
            }
            if let Some(settings) = slot.settings.take() {
                return Job::Settings(settings);
            }
            if std::mem::take(&mut slot.doubt) {
                return Job::Forget;
            }
            let raw = !slot.raw.is_empty() && open && !(slot.raw_waits && slot.frame.is_some());
            let mut wait = None;
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
            } else {
                match pictures {
                    Pictures::Ask => return Job::Picture,
                    Pictures::Wait(until) => match until.checked_duration_since(Instant::now()) {
                        Some(left) if !left.is_zero() => wait = Some(left),
                        _ => return Job::Picture,
                    },
                    Pictures::None => {}
                }
            }
            slot = match wait {
                None => self.shared.work.wait(slot).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    let result = self.shared.work.wait_timeout(slot, left);
                    result.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Tells the others what was done.
    fn publish(&self) {
        let (stats, line) = (self.scribe.stats(), self.scribe.line(self.now()));
        let drained = self.scribe.drained().and_then(|at| self.began.checked_add(at));
        let mut slot = self.shared.slot();
        slot.stats = super::Stats { frames: slot.stats.frames, skipped: slot.stats.skipped, ..stats };
        (slot.line, slot.drained) = (line, drained);
    }

    fn answers(&mut self, times: &[Instant]) -> io::Result<()> {
        for time in times {
            let bytes = self.scribe.answered(time.saturating_duration_since(self.began));
            self.write(&bytes)?;
        }
        Ok(())
    }

    fn raw(&mut self, pieces: Vec<(Vec<u8>, bool)>) -> io::Result<()> {
        let now = self.now();
        let mut bytes = Vec::new();
        for (piece, disturbing) in pieces {
            bytes.extend(self.scribe.raw(&piece, disturbing, now));
        }
        self.write(&bytes)
    }

    fn take_back(&mut self) -> io::Result<()> {
        let bytes = self.scribe.farewell();
        self.write(&bytes)?;
        if let Some(gate) = &self.gate {
            gate.set_farewell(Vec::new());
        }
        Ok(())
    }

    fn pause(&mut self) -> io::Result<()> {
        let (bytes, frame) = self.scribe.leave(self.now());
        self.write(&bytes)?;
        if let Some(gate) = &self.gate {
            gate.set_farewell(Vec::new());
        }
        let mut slot = self.shared.slot();
        if slot.phase == Phase::Pausing {
            slot.phase = Phase::Paused;
        }
        // Whatever comes after is drawn anew; if nothing comes, the same again.
        if slot.frame.is_none() {
            slot.frame = frame;
        }
        drop(slot);
        self.shared.done.notify_all();
        Ok(())
    }

    fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        if !self.gate.as_ref().is_none_or(Gate::is_open) {
            return Ok(());
        }
        // Before the answers can come.
        self.shared.fences.sent(self.scribe.fences(), Instant::now());
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
