//! Entering the terminal's other screen, and giving the terminal back in whatever way we leave.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::tty::{self, Modes};

/// Other screen, no cursor, pastes in brackets.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// Ends whatever string was being sent, then undoes everything, the cursor last of all.
const LEAVE: &str = "\x1b\\\x1b[?2026l\x1b[0m\x1b[?1004l\x1b[?2004l\x1b[?1049l\x1b[?25h";
/// Has the terminal tell when the window is looked at again. Leaving ends it.
pub const TELL_FOCUS: &[u8] = b"\x1b[?1004h";
/// Keys that would otherwise look the same are told apart. Each screen of the terminal has a stack of
/// its own, so this comes after entering and goes before leaving.
const KEYBOARD_PUSH: &str = "\x1b[>1u";
const KEYBOARD_POP: &str = "\x1b[<u";
/// A terminal that does not take the last bytes within this is left as it is.
const LIMIT: Duration = Duration::from_millis(300);

/// The screen, entered. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Screen {
    gate: Gate,
}

/// Shared by everybody who writes: whether the screen is ours at present.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    tty: OwnedFd,
    before: Modes,
    entered: AtomicBool,
    keyboard: AtomicBool,
    /// What the writer wants sent before leaving: it takes back pictures.
    farewell: Mutex<Vec<u8>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("entered", &self.entered).finish_non_exhaustive()
    }
}

impl Screen {
    /// Switches the terminal to raw mode and to its other screen.
    ///
    /// # Errors
    /// If `tty` is no terminal or is gone; it is then as it was.
    pub fn enter(tty: OwnedFd) -> io::Result<Self> {
        let before = Modes::of(tty.as_fd())?;
        let gate = Gate(Arc::new(Inner {
            tty,
            before,
            entered: AtomicBool::new(false),
            keyboard: AtomicBool::new(false),
            farewell: Mutex::new(Vec::new()),
        }));
        gate.enter()?;
        Ok(Self { gate })
    }

    /// For the writer, which must be silent while the screen is not ours.
    pub fn gate(&self) -> Gate {
        self.gate.clone()
    }

    /// Gives the terminal back. Also done by dropping; a second time does nothing.
    pub fn leave(&self) {
        self.gate.leave();
    }

    /// Enters again after [`leave`](Self::leave), for instance when an editor has ended.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn enter_again(&self) -> io::Result<()> {
        self.gate.enter()
    }

    /// What Ctrl-Z does: gives the terminal back, stops the process group, and enters again when it
    /// is continued. Pause the writer before and have everything redrawn after.
    ///
    /// # Errors
    /// If the terminal is gone by then.
    pub fn suspend(&self) -> io::Result<()> {
        self.gate.leave();
        tty::stop_group();
        self.gate.enter()
    }

    /// The terminal knows the kitty keyboard protocol, as its answer showed: makes use of it from now
    /// on. It is not sent unasked, since some older terminals misread it. Answers what has to be
    /// written; entering again and leaving then see to themselves.
    #[must_use]
    pub fn keyboard_known(&self) -> &'static [u8] {
        if self.gate.0.keyboard.swap(true, Ordering::AcqRel) { b"" } else { KEYBOARD_PUSH.as_bytes() }
    }

    /// Makes panics give the terminal back before they are reported. Install after other hooks: the
    /// one before is called then, unless the terminal is gone and nobody could read it.
    pub fn install_panic_hook(&self) {
        let gate = self.gate();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // It is caught, and told where the picture would be.
            if crate::graphics::is_guarded() {
                return;
            }
            gate.leave();
            if !tty::hung_up(gate.0.tty.as_fd()) {
                before(info);
            }
        }));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.gate.leave();
    }
}

impl Gate {
    /// True while the screen is ours.
    pub fn is_open(&self) -> bool {
        self.0.entered.load(Ordering::Acquire)
    }

    /// Sets what is to be sent before leaving.
    pub(super) fn set_farewell(&self, bytes: Vec<u8>) {
        if let Ok(mut farewell) = self.0.farewell.lock() {
            *farewell = bytes;
        }
    }

    fn enter(&self) -> io::Result<()> {
        let inner = &self.0;
        if inner.entered.load(Ordering::Acquire) {
            return Ok(());
        }
        inner.before.raw().apply(inner.tty.as_fd())?;
        let mut bytes = ENTER.to_owned();
        if inner.keyboard.load(Ordering::Acquire) {
            bytes.push_str(KEYBOARD_PUSH);
        }
        if let Err(error) = tty::write_within(inner.tty.as_fd(), bytes.as_bytes(), LIMIT) {
            let _ = inner.before.apply(inner.tty.as_fd());
            return Err(error);
        }
        inner.entered.store(true, Ordering::Release);
        Ok(())
    }

    /// Never panics, never waits long, and does its work once.
    fn leave(&self) {
        let inner = &self.0;
        if !inner.entered.swap(false, Ordering::AcqRel) {
            return;
        }
        let mut bytes = Vec::new();
        // Not `lock`: this may run in a panic of the very thread that holds it.
        if let Ok(mut farewell) = inner.farewell.try_lock()
            && !farewell.is_empty()
        {
            bytes.extend(b"\x1b\\");
            bytes.append(&mut farewell);
        }
        if inner.keyboard.load(Ordering::Acquire) {
            bytes.extend(KEYBOARD_POP.bytes());
        }
        bytes.extend(LEAVE.bytes());
        let _ = tty::write_within(inner.tty.as_fd(), &bytes, LIMIT);
        let _ = inner.before.give_back(inner.tty.as_fd());
    }
}
