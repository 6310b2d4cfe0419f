//! The signals of the system, in our words.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals we answer to.
pub(super) struct Signals {
    window: Signal,
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    goes_on: Signal,
    stop: Signal,
}

/// What a signal means.
pub(super) enum Told {
    /// The window has another size.
    Window,
    /// We were stopped and go on: whoever had the terminal meanwhile may have changed it.
    Continued,
    /// Somebody wants us stopped, as Ctrl-Z in the screen does.
    Stop,
    /// From the keyboard of whoever has the terminal.
    Interrupt,
    /// All others mean to leave.
    Leave,
}

impl Signals {
    /// Starts to listen; until then a signal does what it always does.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            window: signal(SignalKind::window_change())?,
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            goes_on: signal(SignalKind::from_raw(libc::SIGCONT))?,
            stop: stops()?,
        })
    }

    /// The next one.
    pub(super) async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.window.recv() => Told::Window,
            _ = self.goes_on.recv() => Told::Continued,
            _ = self.stop.recv() => Told::Stop,
            _ = self.hangup.recv() => Told::Leave,
            _ = self.terminate.recv() => Told::Leave,
            _ = self.interrupt.recv() => Told::Interrupt,
            _ = self.quit.recv() => Told::Interrupt,
        }
    }
}

/// The signal by which a shell stops a program. Whoever listens has to stop itself.
pub(super) fn stops() -> io::Result<Signal> {
    signal(SignalKind::from_raw(libc::SIGTSTP))
}
