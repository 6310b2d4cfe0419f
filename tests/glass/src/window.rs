//! The real program in a window of glass: its output is fed to the glass, the glass's answers and the keys to it.
//! Nothing sleeps: what has to happen is waited for.

use std::num::NonZero;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::Glass;
use super::brand::TMUX;

/// For anything that has to happen; only reached when something is broken.
const PATIENCE: Duration = Duration::from_secs(20);
/// A program that is silent for so long has nothing more to say. Only used where something is known to fail: to wait
/// too little would not make it work.
const SILENCE: Duration = Duration::from_millis(400);

/// See the module.
pub struct Window {
    master: Box<dyn MasterPty + Send>,
    fd: RawFd,
    child: Box<dyn Child + Send + Sync>,
    /// What is seen.
    pub glass: Glass,
    /// A terminal that knows no pictures and gets the same bytes: what its text is, the glass's text has to be.
    shadow: vt100::Parser,
    closed: bool,
}

fn some(cells: u16) -> NonZero<u16> {
    NonZero::new(cells).expect("not nothing")
}

impl Window {
    /// Starts a program in this window; `command` gets the environment that goes with it.
    pub fn open(mut command: CommandBuilder, glass: Glass) -> Self {
        let surroundings = glass.brand.env.iter().chain(if glass.has_tmux() { TMUX.env } else { &[] });
        for (name, value) in surroundings {
            command.env(name, value);
        }
        if glass.has_tmux() {
            command.env("TMUX", "/nowhere,1,0");
        }
        let pair = native_pty_system().openpty(size(&glass)).expect("a pseudo-terminal");
        let fd = pair.master.as_raw_fd().expect("a descriptor");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let (columns, rows) = (glass.grid().columns, glass.grid().rows);
        let shadow = vt100::Parser::new(some(rows), some(columns), 0);
        Self { master: pair.master, fd, child, glass, shadow, closed: false }
    }

    /// Types.
    pub fn send(&self, bytes: impl AsRef<[u8]>) {
        let mut bytes = bytes.as_ref();
        while !bytes.is_empty() {
            // SAFETY: the kernel reads at most `bytes.len()` bytes from its start; the descriptor is open, since
            // we hold its owner.
            let many = unsafe { libc::write(self.fd, bytes.as_ptr().cast(), bytes.len()) };
            bytes = &bytes[usize::try_from(many).expect("the terminal takes it")..];
        }
    }

    /// Gives the window another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.glass.resize(columns, rows);
        self.shadow.screen_mut().set_size(some(rows), some(columns));
        self.master.resize(size(&self.glass)).expect("it takes a size");
    }

    /// Takes in what the program writes until it writes nothing for so long; false if nothing came at all.
    fn pump(&mut self, wait: Duration) -> bool {
        let mut came = false;
        let mut wait = wait;
        while !self.closed {
            let mut wanted = libc::pollfd { fd: self.fd, events: libc::POLLIN, revents: 0 };
            let millis = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
            // SAFETY: one pollfd, which outlives the call.
            if unsafe { libc::poll(&mut wanted, 1, millis) } <= 0 {
                break;
            }
            let mut buffer = [0_u8; 65_536];
            // SAFETY: the kernel writes at most `buffer.len()` bytes to its start.
            let many = unsafe { libc::read(self.fd, buffer.as_mut_ptr().cast(), buffer.len()) };
            match usize::try_from(many) {
                Ok(many) if many > 0 => {
                    self.glass.feed(&buffer[..many]);
                    self.shadow.process(&buffer[..many]);
                    let answers = self.glass.take_answers();
                    self.send(answers);
                    came = true;
                    wait = Duration::ZERO;
                }
                // Nobody has the other end open any more.
                _ => self.closed = true,
            }
        }
        came
    }

    /// Waits until this holds; it says why not. A failure that is `known` is only given the time until the program
    /// falls silent.
    pub fn until<T>(&mut self, known: bool, mut holds: impl FnMut(&Glass) -> Result<T, String>) -> Result<T, String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let why = match holds(&self.glass) {
                Ok(found) => return Ok(found),
                Err(why) => why,
            };
            let wait = if known { SILENCE } else { Duration::from_millis(200) };
            let came = self.pump(wait);
            if !came && known || self.closed || Instant::now() > end {
                // What came last may have been what was awaited.
                return holds(&self.glass).map_err(|_| {
                    format!(
                        "{why}; {:?} came, {:?}",
                        self.glass.bytes,
                        self.glass.grid().line(self.glass.grid().rows - 1)
                    )
                });
            }
        }
    }

    /// The text is what it would be without any pictures.
    pub fn same_text(&self) -> Result<(), String> {
        let columns = self.glass.grid().columns;
        for (y, line) in (0_u16..).zip(self.shadow.screen().rows(0, columns)) {
            let seen = self.glass.grid().line(y);
            let (seen, meant) = (seen.replace('\u{a0}', " "), line.replace('\u{a0}', " "));
            if seen.trim_end() != meant.trim_end() {
                return Err(format!("row {y} is\n  {seen:?}, but without pictures it were\n  {meant:?}"));
            }
        }
        Ok(())
    }

    /// Waits until the program has ended, and takes in all that it wrote.
    pub fn end(&mut self) -> Result<u32, String> {
        let end = Instant::now() + PATIENCE;
        loop {
            self.pump(Duration::from_millis(20));
            if let Some(status) = self.child.try_wait().map_err(|why| why.to_string())? {
                while self.pump(Duration::from_millis(20)) {}
                return Ok(status.exit_code());
            }
            if Instant::now() > end {
                return Err("the program does not end".into());
            }
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(glass: &Glass) -> PtySize {
    let ((wide, high), grid) = (glass.cell_size(), glass.grid());
    let pixels = |cells: u16, side: u32| u16::try_from(u32::from(cells) * side).expect("a window");
    PtySize {
        rows: grid.rows,
        cols: grid.columns,
        pixel_width: pixels(grid.columns, wide),
        pixel_height: pixels(grid.rows, high),
    }
}
