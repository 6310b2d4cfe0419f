//! The few system calls on the terminal's file descriptor.

use std::fs::OpenOptions;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

/// The terminal's size. Zero means that it does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WindowSize {
    /// Columns of cells.
    pub cols: u16,
    /// Rows of cells.
    pub rows: u16,
    /// Pixels across, all columns together.
    pub width_px: u16,
    /// Pixels down.
    pub height_px: u16,
}

/// Opens the controlling terminal anew, for reading and writing. The file is our own, so that making
/// it non-blocking does not disturb whoever shares standard input.
///
/// # Errors
/// If there is no controlling terminal.
pub fn open() -> io::Result<OwnedFd> {
    let file =
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY | libc::O_NONBLOCK).open("/dev/tty")?;
    Ok(file.into())
}

/// Asks the kernel for the window's size.
///
/// # Errors
/// If `fd` is no terminal, or gone.
pub fn size(fd: BorrowedFd<'_>) -> io::Result<WindowSize> {
    let mut size = MaybeUninit::<libc::winsize>::zeroed();
    // SAFETY: TIOCGWINSZ writes one winsize, for which there is room; all its bit patterns are valid.
    let size = unsafe {
        if libc::ioctl(fd.as_raw_fd(), libc::TIOCGWINSZ, size.as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        size.assume_init()
    };
    Ok(WindowSize { cols: size.ws_col, rows: size.ws_row, width_px: size.ws_xpixel, height_px: size.ws_ypixel })
}

/// True once the other end of the terminal is gone.
pub fn hung_up(fd: BorrowedFd<'_>) -> bool {
    let seen = poll(&mut [(fd, 0)], Some(Duration::ZERO)).unwrap_or_default();
    seen.first().is_some_and(|bits| bits & (libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) != 0)
}

/// Waits for one of the events, or for the time to pass. Answers what happened to each descriptor. A
/// signal ends the wait with an error that is [`again`].
pub(super) fn poll(wanted: &mut [(BorrowedFd<'_>, i16)], limit: Option<Duration>) -> io::Result<Vec<i16>> {
    let mut fds: Vec<libc::pollfd> =
        wanted.iter().map(|(fd, events)| libc::pollfd { fd: fd.as_raw_fd(), events: *events, revents: 0 }).collect();
    // Rounded up: a wait that ends early would make its caller spin.
    let millis = limit.map_or(-1, |limit| i32::try_from(limit.as_micros().div_ceil(1000)).unwrap_or(i32::MAX));
    // SAFETY: the pointer and the length are those of `fds`, which outlives the call.
    let many = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, millis) };
    if many < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(fds.iter().map(|fd| fd.revents).collect())
}

/// One read. An end of file is 0.
pub(super) fn read(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the kernel writes at most `buffer.len()` bytes to the start of `buffer`.
    let many = unsafe { libc::read(fd.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
    usize::try_from(many).map_err(|_| io::Error::last_os_error())
}

/// One write of as much as the terminal takes.
pub(super) fn write(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the kernel reads at most `bytes.len()` bytes from the start of `bytes`.
    let many = unsafe { libc::write(fd.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
    usize::try_from(many).map_err(|_| io::Error::last_os_error())
}

/// Writes everything, or gives up after `limit`: for the few bytes of entering and leaving.
pub(super) fn write_within(fd: BorrowedFd<'_>, mut bytes: &[u8], limit: Duration) -> io::Result<()> {
    let end = Instant::now() + limit;
    while !bytes.is_empty() {
        let left = end.saturating_duration_since(Instant::now());
        let seen = match poll(&mut [(fd, libc::POLLOUT)], Some(left)) {
            Err(error) if again(&error) => continue,
            other => other?,
        };
        if seen[0] & (libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) != 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if seen[0] & libc::POLLOUT == 0 {
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            continue;
        }
        match write(fd, bytes) {
            Ok(many) => bytes = &bytes[many..],
            Err(error) if again(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// True for errors that only mean "try once more".
pub(super) fn again(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// The line discipline's settings, to be put back.
#[derive(Clone, Copy)]
pub(super) struct Modes(libc::termios);

impl Modes {
    /// Reads the present settings.
    pub(super) fn of(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let mut modes = MaybeUninit::<libc::termios>::zeroed();
        // SAFETY: tcgetattr fills the termios it is given; zeroes are valid for it too.
        let modes = unsafe {
            if libc::tcgetattr(fd.as_raw_fd(), modes.as_mut_ptr()) != 0 {
                return Err(io::Error::last_os_error());
            }
            modes.assume_init()
        };
        Ok(Self(modes))
    }

    /// The same without line editing, echo, signals and translation.
    pub(super) fn raw(mut self) -> Self {
        // SAFETY: cfmakeraw only changes the termios it is given.
        unsafe { libc::cfmakeraw(&mut self.0) };
        self
    }

    /// Sets them.
    pub(super) fn apply(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        // SAFETY: tcsetattr only reads the termios.
        if unsafe { libc::tcsetattr(fd.as_raw_fd(), libc::TCSANOW, &self.0) } == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Sets them, and drops what came before: it was not meant for whoever reads next.
    pub(super) fn give_back(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        // Not with TCSAFLUSH, which would wait for a terminal that takes nothing.
        // SAFETY: tcflush takes no memory.
        let _ = unsafe { libc::tcflush(fd.as_raw_fd(), libc::TCIFLUSH) };
        self.apply(fd)
    }

    /// True if this terminal's Backspace key sends Ctrl-H.
    pub(super) fn backspace_is_ctrl_h(&self) -> bool {
        self.0.c_cc[libc::VERASE] == 0x08
    }
}

/// Stops the whole process group, as Ctrl-Z would; returns when it is continued. Where no shell
/// could continue us, the kernel ignores the signal, which is why it is not SIGSTOP.
pub(super) fn stop_group() {
    // The others first, and we are not among them: of a signal to the group nobody could say when it comes here.
    let before = set_stop(libc::SIG_IGN);
    // SAFETY: a signal to our own process group.
    unsafe { libc::kill(0, libc::SIGTSTP) };
    stop();
    restore_stop(before);
}

/// Stops this program, as the system would if it did not answer to SIGTSTP; returns when it is continued.
pub fn stop() {
    let before = set_stop(libc::SIG_DFL);
    // SAFETY: raise has no preconditions. The signal is for this thread, so it has come before this returns.
    unsafe { libc::raise(libc::SIGTSTP) };
    restore_stop(before);
}

fn set_stop(to: libc::sighandler_t) -> Option<libc::sigaction> {
    // SAFETY: zeroes are valid for a sigaction; the kernel reads one and fills the other.
    unsafe {
        let (mut new, mut old): (libc::sigaction, libc::sigaction) = (std::mem::zeroed(), std::mem::zeroed());
        new.sa_sigaction = to;
        (libc::sigaction(libc::SIGTSTP, &raw const new, &raw mut old) == 0).then_some(old)
    }
}

fn restore_stop(before: Option<libc::sigaction>) {
    if let Some(before) = before {
        // SAFETY: the kernel reads one sigaction, which it has filled itself.
        unsafe { libc::sigaction(libc::SIGTSTP, &raw const before, std::ptr::null_mut()) };
    }
}
