//! The thread that waits for input.

use std::io::{self, PipeWriter, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use super::fences::Fences;
use super::keys::Keys;
use super::replies::Reply;
use super::split::{Splitter, Token};
use super::tty;

/// Bytes of a paste that are kept; the rest is dropped and counted.
pub const PASTE_LIMIT: usize = 1 << 20;
/// Answers are waited for with more patience for this long after the question.
const ANSWERING: Duration = Duration::from_secs(5);
/// Between two tries to hand on an event while nobody takes them.
const FULL: Duration = Duration::from_millis(5);

/// What the terminal sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key press, a paste (line ends are `\n`, other control characters are gone), or a change of
    /// focus. Sizes do not come this way.
    Event(Event),
    /// The paste just reported was longer than [`PASTE_LIMIT`] by so many bytes.
    PasteCut(usize),
    /// An answer to a question.
    Reply(Reply),
    /// The terminal is gone. Nothing follows.
    Closed,
}

#[derive(Debug, Default)]
struct Asked {
    /// Closing answers still to come.
    fences: AtomicU8,
    /// Set when a question was asked, taken by the thread.
    fresh: AtomicBool,
}

/// The running thread. Dropping it stops it.
#[derive(Debug)]
pub struct Reader {
    asked: Arc<Asked>,
    fences: Arc<Fences>,
    wake: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// Starts to read `tty`, which is best one of [`open`](super::open). Everything goes into
    /// `sender`; while that is full, the thread waits and the terminal keeps the rest.
    ///
    /// # Errors
    /// If there are no descriptors or threads left.
    pub fn start(tty: OwnedFd, sender: Sender<Input>) -> io::Result<Self> {
        Self::start_beside(tty, sender, Arc::default())
    }

    /// The same beside a writer, whose fences are answered.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_beside(tty: OwnedFd, sender: Sender<Input>, fences: Arc<Fences>) -> io::Result<Self> {
        let (woken, wake) = io::pipe()?;
        let asked = Arc::new(Asked::default());
        let (theirs, beside) = (Arc::clone(&asked), Arc::clone(&fences));
        let thread = std::thread::Builder::new().name("input".into()).spawn(move || {
            let ctrl_h = tty::Modes::of(tty.as_fd()).is_ok_and(|m| m.backspace_is_ctrl_h());
            let mut work = Work {
                splitter: Splitter::new(PASTE_LIMIT),
                keys: Keys::new(ctrl_h),
                asked: theirs,
                fences: beside,
                patient_until: None,
                sender,
                woken: woken.into(),
            };
            if work.run(tty.as_fd()) == Verdict::Closed {
                work.fences.close();
                let _ = work.send(Input::Closed);
            }
        })?;
        Ok(Self { asked, fences, wake: Some(wake), thread: Some(thread) })
    }

    /// Says that questions are about to be asked, the answers to which end with `fences` device attributes
    /// (one, or two through tmux). Until then half-arrived answers get more patience.
    pub fn expect(&self, fences: u8) {
        self.fences.asked(fences, Instant::now());
        self.asked.fences.store(fences, Ordering::Relaxed);
        self.asked.fresh.store(true, Ordering::Release);
        if let Some(mut wake) = self.wake.as_ref() {
            let _ = wake.write_all(b"?");
        }
    }

    /// Stops reading: before a child process gets the terminal. Bytes not read stay where they are.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.end();
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Stopped,
    Closed,
}

struct Work {
    splitter: Splitter,
    keys: Keys,
    asked: Arc<Asked>,
    fences: Arc<Fences>,
    patient_until: Option<Instant>,
    sender: Sender<Input>,
    woken: OwnedFd,
}

impl Work {
    fn run(&mut self, tty: BorrowedFd<'_>) -> Verdict {
        let mut buffer = [0; 4096];
        let mut tokens = Vec::new();
        loop {
            self.settle_patience();
            let seen =
                tty::poll(&mut [(tty, libc::POLLIN), (self.woken.as_fd(), libc::POLLIN)], self.splitter.patience());
            let seen = match seen {
                Ok(seen) => seen,
                Err(error) if tty::again(&error) => continue,
                Err(_) => return Verdict::Closed,
            };
            if seen[1] & libc::POLLIN != 0 {
                // A question was asked. Its byte is taken out; nothing else is ever written.
                let _ = tty::read(self.woken.as_fd(), &mut [0; 1]);
            } else if seen[1] != 0 {
                return Verdict::Stopped;
            }
            if seen[0] & libc::POLLIN != 0 {
                match tty::read(tty, &mut buffer) {
                    Ok(0) => return Verdict::Closed,
                    Ok(many) => {
                        // A question may have been asked since the wait began.
                        self.settle_patience();
                        for byte in &buffer[..many] {
                            self.splitter.feed(*byte, &mut tokens);
                        }
                    }
                    Err(error) if tty::again(&error) => {}
                    Err(_) => return Verdict::Closed,
                }
            } else if seen[0] != 0 {
                return Verdict::Closed;
            } else if seen[1] == 0 {
                self.splitter.expire(&mut tokens);
            }
            for token in tokens.drain(..) {
                if let Some(verdict) = self.hand_on(token) {
                    return verdict;
                }
            }
        }
    }

    fn settle_patience(&mut self) {
        if self.asked.fresh.swap(false, Ordering::Acquire) {
            self.patient_until = Some(Instant::now() + ANSWERING);
        }
        if self
            .patient_until
            .is_some_and(|until| self.asked.fences.load(Ordering::Relaxed) == 0 || Instant::now() > until)
        {
            self.patient_until = None;
        }
        self.splitter.expect(self.patient_until.is_some() || self.fences.outstanding(Instant::now()));
    }

    fn hand_on(&mut self, token: Token) -> Option<Verdict> {
        let input = match token {
            Token::Key(bytes) => Input::Event(Event::Key(self.keys.read(&bytes)?)),
            Token::Focus(true) => Input::Event(Event::FocusGained),
            Token::Focus(false) => Input::Event(Event::FocusLost),
            Token::Paste(bytes, cut) => {
                if self.fences.typed(false) {
                    return None;
                }
                let verdict = self.send(Input::Event(Event::Paste(clean(&bytes))));
                if verdict.is_some() || cut == 0 {
                    return verdict;
                }
                Input::PasteCut(cut)
            }
            Token::Reply(reply) => {
                if matches!(reply, Reply::Attributes(_)) {
                    let fences = &self.asked.fences;
                    let _ = fences.try_update(Ordering::Relaxed, Ordering::Relaxed, |many| many.checked_sub(1));
                    self.fences.round_ended();
                }
                if reply == Reply::Ready {
                    self.fences.answered();
                }
                Input::Reply(reply)
            }
        };
        if let Input::Event(event) = &input
            && self.fences.typed(ends(event))
        {
            return None;
        }
        self.send(input)
    }

    /// Waits while the channel is full, but not longer than until it is told to stop.
    fn send(&self, mut input: Input) -> Option<Verdict> {
        loop {
            match self.sender.try_send(input) {
                Ok(()) => return None,
                Err(TrySendError::Closed(_)) => return Some(Verdict::Stopped),
                Err(TrySendError::Full(back)) => input = back,
            }
            let seen = tty::poll(&mut [(self.woken.as_fd(), 0)], Some(FULL));
            if seen.is_ok_and(|seen| seen[0] & libc::POLLHUP != 0) {
                return Some(Verdict::Stopped);
            }
        }
    }
}

/// The keys that end the program, wherever it is.
fn ends(event: &Event) -> bool {
    let Event::Key(key) = event else { return false };
    let ctrl = key.modifiers.contains(KeyModifiers::CONTROL) && key.kind != KeyEventKind::Release;
    ctrl && matches!(key.code, KeyCode::Char('c' | 'q'))
}

/// Terminals send a carriage return for each line end; other control characters have no place in
/// text, and none of them may reach a terminal again.
fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n");
    let keep = |letter: &char| !letter.is_control() || matches!(letter, '\n' | '\t');
    text.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(fences: &Arc<Fences>) -> Work {
        Work {
            splitter: Splitter::new(PASTE_LIMIT),
            keys: Keys::new(false),
            asked: Arc::default(),
            fences: Arc::clone(fences),
            patient_until: None,
            sender: tokio::sync::mpsc::channel(8).0,
            woken: io::pipe().expect("a pipe").0.into(),
        }
    }

    /// How long the rest of what begins with an escape byte is waited for.
    fn patience(work: &mut Work) -> Duration {
        work.settle_patience();
        work.splitter.feed(0x1b, &mut Vec::new());
        let patience = work.splitter.patience().expect("something has begun");
        work.splitter.feed(b'x', &mut Vec::new());
        patience
    }

    #[test]
    fn the_answer_of_a_fence_may_come_torn() {
        let fences = Arc::new(Fences::default());
        let mut work = work(&fences);
        let short = patience(&mut work);
        fences.sent(1, Instant::now());
        let long = patience(&mut work);
        assert!(long >= short * 4, "{short:?} {long:?}");
        let mut tokens = Vec::new();
        for byte in b"\x1b[0n" {
            work.settle_patience();
            work.splitter.feed(*byte, &mut tokens);
        }
        assert_eq!(tokens, [Token::Reply(Reply::Ready)]);
        for token in tokens {
            let _ = work.hand_on(token);
        }
        assert_eq!(patience(&mut work), short, "the Escape key is quick again");
    }

    /// Torn so long that the escape byte was given away as a key: the rest is no typing.
    #[test]
    fn the_rest_of_a_late_answer_is_no_text() {
        let fences = Arc::new(Fences::default());
        let mut work = work(&fences);
        fences.sent(1, Instant::now());
        let mut tokens = Vec::new();
        work.settle_patience();
        work.splitter.feed(0x1b, &mut tokens);
        work.splitter.expire(&mut tokens);
        for byte in b"[0n" {
            work.settle_patience();
            work.splitter.feed(*byte, &mut tokens);
        }
        assert_eq!(tokens, [Token::Key(vec![0x1b]), Token::Reply(Reply::Ready)]);
    }
}
