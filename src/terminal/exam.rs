//! An examination of the terminal, for `plantain doctor`: asks everything, measures the line, gives it back. It takes
//! no longer than [`LONGEST`], whatever the terminal does.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use super::caps::{Caps, Env};
use super::lane::pass_through;
use super::replies::Reply;
use super::screen::Screen;
use super::split::{Splitter, Token};
use super::tty::{self, WindowSize};

/// How long the terminal may take for all its answers.
const ANSWERS: Duration = Duration::from_millis(1500);
/// After this it is asked again, if tmux may have dropped the questions: it does while a terminal attaches.
const AGAIN: Duration = Duration::from_millis(400);
/// And for one answer of a round trip.
const TRIP: Duration = Duration::from_millis(1500);
/// And for taking in what the rate is measured with.
const LOAD: Duration = Duration::from_secs(3);
/// An examination is over by then.
pub const LONGEST: Duration = Duration::from_secs(10);
/// Round trips; the shortest counts.
const TRIPS: usize = 3;
/// Bytes that the rate is measured with, the next more only if the ones before were gone too fast to tell.
const LOADS: [usize; 3] = [2 << 10, 16 << 10, 128 << 10];
/// What is faster than this beyond the round trip tells nothing.
const TELLING: Duration = Duration::from_millis(60);

/// What was found.
#[derive(Debug)]
pub struct Exam {
    /// The window.
    pub window: WindowSize,
    /// What the terminal can do.
    pub caps: Caps,
    /// It answered at all.
    pub answered: bool,
    /// Of an empty line.
    pub round_trip: Option<Duration>,
    /// Bytes a second, about; `None` if it was too fast to tell, or did not answer.
    pub rate: Option<u64>,
    /// It is at least this fast.
    pub at_least: Option<u64>,
}

struct Doctor<'a> {
    tty: BorrowedFd<'a>,
    splitter: Splitter,
    end: Instant,
}

/// Examines the terminal, on its other screen.
///
/// # Errors
/// If it is no terminal or is gone. A terminal that does not answer is no error.
pub fn examine(tty: OwnedFd, env: Env) -> io::Result<Exam> {
    let window = tty::size(tty.as_fd())?;
    let screen = Screen::enter(tty.try_clone()?)?;
    let mut doctor = Doctor { tty: tty.as_fd(), splitter: Splitter::new(0), end: Instant::now() + LONGEST };
    let mut exam =
        Exam { window, caps: Caps::new(env, window), answered: false, round_trip: None, rate: None, at_least: None };
    let found = doctor.examine(&mut exam);
    screen.leave();
    found.map(|()| exam)
}

impl Doctor<'_> {
    fn examine(&mut self, exam: &mut Exam) -> io::Result<()> {
        self.write(&exam.caps.questions())?;
        let end = Instant::now() + ANSWERS;
        let mut again = Instant::now() + AGAIN;
        while !exam.caps.complete() {
            if let Some(reply) = self.hear(end.min(again))? {
                exam.answered = true;
                exam.caps.learn(&reply);
            } else if self.left(end).is_zero() {
                break;
            } else {
                again = Instant::now() + AGAIN;
                if exam.caps.in_tmux() {
                    exam.caps.asked_again();
                    self.write(&exam.caps.questions())?;
                }
            }
        }
        if !exam.answered {
            return Ok(());
        }
        let tmux = exam.caps.in_tmux();
        for _ in 0..TRIPS {
            let Some(trip) = self.trip(&[], tmux, TRIP)? else { return Ok(()) };
            exam.round_trip = Some(exam.round_trip.map_or(trip, |best| best.min(trip)));
        }
        let empty = exam.round_trip.unwrap_or_default();
        for load in LOADS {
            // Colours set back to what they are: nothing is printed, whoever reads it.
            let bytes = b"\x1b[0m".repeat(load / 4);
            let Some(trip) = self.trip(&bytes, tmux, LOAD)? else { return Ok(()) };
            let took = trip.saturating_sub(empty).max(Duration::from_micros(100));
            let rate = (load as f64 / took.as_secs_f64()) as u64;
            if took >= TELLING {
                (exam.rate, exam.at_least) = (Some(rate), None);
                return Ok(());
            }
            exam.at_least = Some((load as f64 / TELLING.as_secs_f64()) as u64);
        }
        Ok(())
    }

    /// Writes something and the question whether it was taken in; how long that took, if it was answered.
    fn trip(&mut self, before: &[u8], tmux: bool, limit: Duration) -> io::Result<Option<Duration>> {
        const ASK: &[u8] = b"\x1b[5n";
        let mut bytes = before.to_vec();
        if tmux {
            pass_through(&mut bytes, ASK)
        } else {
            bytes.extend(ASK)
        }
        let start = Instant::now();
        self.write(&bytes)?;
        while let Some(reply) = self.hear(start + limit)? {
            if reply == Reply::Ready {
                return Ok(Some(start.elapsed()));
            }
        }
        Ok(None)
    }

    fn left(&self, end: Instant) -> Duration {
        end.min(self.end).saturating_duration_since(Instant::now())
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match tty::write_within(self.tty, bytes, self.left(self.end).min(LOAD)) {
            // A terminal that takes nothing is mute, too.
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Ok(()),
            other => other,
        }
    }

    /// The next answer, if one comes in time. Keys are nobody's here.
    fn hear(&mut self, end: Instant) -> io::Result<Option<Reply>> {
        loop {
            let left = self.left(end);
            if left.is_zero() {
                return Ok(None);
            }
            let seen = match tty::poll(&mut [(self.tty, libc::POLLIN)], Some(left)) {
                Err(error) if tty::again(&error) => continue,
                other => other?,
            };
            if seen[0] & libc::POLLIN == 0 {
                if seen[0] != 0 {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                continue;
            }
            // Byte by byte: what comes after an answer belongs to the next question.
            let mut byte = [0];
            let mut tokens = Vec::new();
            match tty::read(self.tty, &mut byte) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => self.splitter.feed(byte[0], &mut tokens),
                Err(error) if tty::again(&error) => {}
                Err(error) => return Err(error),
            }
            for token in tokens {
                if let Token::Reply(reply) = token {
                    return Ok(Some(reply));
                }
            }
        }
    }
}
