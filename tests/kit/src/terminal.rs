//! A pseudo-terminal with the real program on it: what it writes is counted, kept, and shown on a screen.

use std::num::NonZero;
use std::os::fd::RawFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use super::service::plantain;

/// For anything that has to happen; only reached when something is broken.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How long a terminal is silent when nothing changes on it. Only upper bounds are asserted after it.
const SILENCE: Duration = Duration::from_millis(250);

/// What the program wrote so far.
pub struct Seen {
    parser: vt100::Parser,
    /// Every byte.
    pub raw: Vec<u8>,
    /// How many bytes there were, and what was on the screen, after each piece that was read.
    pub frames: Vec<(usize, String)>,
    closed: bool,
}

impl Seen {
    /// The screen.
    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }
}

struct Shared {
    seen: Mutex<Seen>,
    news: Condvar,
    stop: AtomicBool,
}

/// A running program on its terminal.
pub struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    fd: RawFd,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
    ended: mpsc::Receiver<ExitStatus>,
    /// The process on the terminal.
    pub pid: i32,
    before: Vec<u8>,
}

fn some(cells: u16) -> NonZero<u16> {
    NonZero::new(cells).expect("not nothing")
}

/// The modes of the line, as the kernel keeps them.
fn modes(fd: RawFd) -> Vec<u8> {
    // SAFETY: tcgetattr fills the termios it is given, and zeroes are valid for it.
    let modes = unsafe {
        let mut modes: libc::termios = std::mem::zeroed();
        assert_eq!(libc::tcgetattr(fd, &mut modes), 0, "the modes can be read");
        modes
    };
    format!("{:?} {:?}", (modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag), modes.c_cc).into_bytes()
}

impl Terminal {
    /// Starts a command on a terminal of this many columns and rows.
    pub fn start(command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let fd = pair.master.as_raw_fd().expect("a descriptor");
        let before = modes(fd);
        let mut child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let pid = i32::try_from(child.process_id().expect("a process")).expect("a small number");
        let (tell, ended) = mpsc::channel();
        std::thread::spawn(move || {
            let _ = tell.send(child.wait().expect("it can be waited for"));
        });
        let shared = Arc::new(Shared {
            seen: Mutex::new(Seen {
                parser: vt100::Parser::new(some(rows), some(columns), 0),
                raw: Vec::new(),
                frames: Vec::new(),
                closed: false,
            }),
            news: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        let reader = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || read(fd, &shared))
        };
        Self { master: Some(pair.master), fd, shared, reader: Some(reader), ended, pid, before }
    }

    /// What there is to see.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The text on the screen.
    pub fn text(&self) -> String {
        self.seen().screen().contents()
    }

    /// Waits until this holds.
    #[track_caller]
    pub fn until(&self, what: &str, holds: impl Fn(&Seen) -> bool) {
        let end = Instant::now() + PATIENCE;
        let mut seen = self.seen();
        while !holds(&seen) {
            let left = end.saturating_duration_since(Instant::now());
            let over = left.is_zero() || seen.closed;
            assert!(!over, "waited in vain until {what}; on the screen:\n{}", seen.screen().contents());
            seen = self.shared.news.wait_timeout(seen, left).expect("no panic while reading").0;
        }
    }

    /// Waits until this text is on the screen.
    #[track_caller]
    pub fn until_text(&self, text: &str) {
        self.until(&format!("{text:?} is there"), |seen| seen.screen().contents().contains(text));
    }

    /// Waits until this text is gone from the screen.
    #[track_caller]
    pub fn until_gone(&self, text: &str) {
        self.until(&format!("{text:?} is gone"), |seen| !seen.screen().contents().contains(text));
    }

    /// Waits until nothing comes any more, and says how many bytes there are then.
    pub fn quiet(&self) -> usize {
        let end = Instant::now() + PATIENCE;
        let mut seen = self.seen();
        loop {
            let before = seen.raw.len();
            let waited = self.shared.news.wait_timeout_while(seen, SILENCE, |seen| seen.raw.len() == before);
            seen = waited.expect("no panic while reading").0;
            if seen.raw.len() == before {
                return before;
            }
            assert!(Instant::now() < end, "it never stops writing");
        }
    }

    /// Types, pastes or answers.
    pub fn send(&self, bytes: impl AsRef<[u8]>) {
        let mut bytes = bytes.as_ref();
        while !bytes.is_empty() {
            // SAFETY: the kernel reads at most `bytes.len()` bytes from its start; the descriptor is open, since
            // we hold its owner.
            let many = unsafe { libc::write(self.fd, bytes.as_ptr().cast(), bytes.len()) };
            bytes = &bytes[usize::try_from(many).expect("the terminal takes it")..];
        }
    }

    /// Types a prompt and sends it.
    #[track_caller]
    pub fn submit(&self, prompt: &str) {
        self.send(prompt);
        self.until_text(prompt);
        self.send("\u{13}");
    }

    /// Gives the window another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.seen().parser.screen_mut().set_size(some(rows), some(columns));
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().expect("it is open").resize(size).expect("it takes a size");
    }

    /// Does to the terminal what a shell and its commands would: other modes, other text, the first screen.
    pub fn spoil(&self) {
        let mut seen = self.seen();
        seen.parser.process(b"\x1b[?1049l\x1b[?25h\x1b[2J");
        // SAFETY: the kernel fills and reads one termios, for which zeroes are valid.
        unsafe {
            let mut modes: libc::termios = std::mem::zeroed();
            assert_eq!(libc::tcgetattr(self.fd, &mut modes), 0);
            modes.c_lflag |= libc::ICANON | libc::ECHO | libc::ISIG;
            assert_eq!(libc::tcsetattr(self.fd, libc::TCSANOW, &modes), 0);
        }
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: i32) {
        // SAFETY: a signal to a process that we started and have not waited for.
        unsafe { libc::kill(self.pid, signal) };
    }

    /// Ends the program, as hard as it gets.
    #[track_caller]
    pub fn kill(&self) {
        self.signal(libc::SIGKILL);
        self.end();
    }

    /// Waits for the program's end.
    #[track_caller]
    pub fn end(&self) -> ExitStatus {
        self.ended.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("it does not end; on the screen:\n{}", self.text()))
    }

    /// Closes the terminal under the program.
    pub fn hang_up(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.master = None;
    }

    /// Waits for the end, and until everything written before it has been read; the terminal must be as it was.
    #[track_caller]
    pub fn given_back(&self) -> ExitStatus {
        let status = self.end();
        self.until("everything is read", |seen| {
            let screen = seen.screen();
            !screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste()
        });
        assert_eq!(
            String::from_utf8_lossy(&modes(self.fd)),
            String::from_utf8_lossy(&self.before),
            "the line's modes are as before"
        );
        status
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.ended.try_recv().is_err() {
            self.signal(libc::SIGKILL);
        }
        self.hang_up();
    }
}

/// Reads until told to stop. Not a blocking read: the terminal can only be hung up when nobody holds it.
fn read(fd: RawFd, shared: &Shared) {
    let mut buffer = [0_u8; 65_536];
    while !shared.stop.load(Ordering::Acquire) {
        let mut wanted = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd, which outlives the call.
        if unsafe { libc::poll(&mut wanted, 1, 20) } <= 0 {
            continue;
        }
        // SAFETY: the kernel writes at most `buffer.len()` bytes to its start.
        let many = unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) };
        let mut seen = shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match usize::try_from(many) {
            Ok(many) if many > 0 => {
                seen.raw.extend_from_slice(&buffer[..many]);
                seen.parser.process(&buffer[..many]);
                let frame = (seen.raw.len(), seen.screen().contents());
                seen.frames.push(frame);
            }
            // Nobody has the other end open any more.
            _ => seen.closed = true,
        }
        let closed = seen.closed;
        drop(seen);
        shared.news.notify_all();
        if closed {
            return;
        }
    }
}

/// The program as a command for a terminal, in an environment of its own.
pub fn program(args: &[&str], data: &Path) -> CommandBuilder {
    let mut command = CommandBuilder::new(plantain());
    command.args(args);
    surroundings(&mut command, data);
    command
}

/// Nothing of whoever runs the tests: no key, no terminal's name, no home.
pub fn surroundings(command: &mut CommandBuilder, data: &Path) {
    command.env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("TERM", "xterm-256color");
    command.env("LANG", "C.UTF-8");
    command.env("TZ", "UTC");
    // Where the data folder may not be yet, its parent is.
    let home = data.parent().expect("a folder within a folder");
    command.env("HOME", home);
    command.cwd(home);
    command.env("PLANTAIN_DATA_DIR", data);
}
