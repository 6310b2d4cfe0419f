//! The lease: which of several programs on one data folder talks to the service.
//!
//! It is a lock on a file. The system lets go of it when its owner ends, however that happens, so there is nothing
//! that could be stale: no process numbers that were given away again, no clocks. Each program also keeps a lock on a
//! file of its own in `windows/`, by which the others see that it lives.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use super::pulse::BEAT;

/// A lock on it is the lease.
pub(super) const LEASE: &str = "plantain.lease";
/// One file for each program.
const WINDOWS: &str = "windows";

/// This program among those on the folder.
#[derive(Debug)]
pub(super) struct Seat {
    dir: PathBuf,
    token: String,
    own: File,
    lease: File,
    locked: bool,
    /// When it last showed that it moves.
    beaten: Option<Instant>,
    /// Locks do not work here.
    lockless: bool,
}

impl Seat {
    /// Sits down. Blocks while another program does the same.
    pub(super) fn take(dir: &Path) -> io::Result<Self> {
        let token = uuid::Uuid::new_v4().simple().to_string();
        let _door = door(dir)?;
        let windows = dir.join(WINDOWS);
        super::open::make_dir(&windows)?;
        let own = super::open::private(&windows.join(&token))?;
        let lockless = matches!(own.try_lock(), Err(TryLockError::Error(_)));
        let lease = super::open::private(&dir.join(LEASE))?;
        Ok(Self { dir: dir.to_owned(), token, own, lease, locked: false, beaten: None, lockless })
    }

    /// The name of this program among them.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// Takes the lease if nobody has it; says whether it is ours.
    pub(super) fn hold(&mut self) -> bool {
        if !self.locked {
            self.locked = match self.lease.try_lock() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock) => false,
                // Where there are no locks, one program must do; the fence in the store finds a second one.
                Err(TryLockError::Error(error)) => {
                    tracing::warn!(%error, "files cannot be locked here");
                    self.lockless = true;
                    true
                }
            };
        }
        self.locked
    }

    /// Leaves the lease to others.
    pub(super) fn let_go(&mut self) {
        if std::mem::take(&mut self.locked) {
            let _ = self.lease.unlock();
        }
    }

    /// Shows the others that it moves, if it is time again. What cannot be shown is not missed.
    pub(super) fn beat(&mut self, now: Instant) {
        if self.beaten.is_none_or(|last| now.duration_since(last) >= BEAT) {
            self.beaten = Some(now);
            let _ = self.own.set_modified(SystemTime::now());
        }
    }

    /// When another window last showed that it moves.
    pub(super) fn last_beat(&self, token: &str) -> Option<SystemTime> {
        fs::metadata(self.dir.join(WINDOWS).join(token)).and_then(|about| about.modified()).ok()
    }

    /// Locks do not work here: only one window may be open.
    pub(super) fn lockless(&self) -> bool {
        self.lockless
    }

    /// The programs that live, this one included. The files of those that do not are removed.
    pub(super) fn living(&self) -> io::Result<Vec<String>> {
        let _door = door(&self.dir)?;
        let mut living = vec![self.token.clone()];
        for entry in fs::read_dir(self.dir.join(WINDOWS))?.flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name == self.token {
                continue;
            }
            match OpenOptions::new().read(true).write(true).open(entry.path()).map(|file| file.try_lock()) {
                Ok(Ok(())) => {
                    let _ = fs::remove_file(entry.path());
                }
                Ok(Err(_)) => living.push(name),
                // Gone meanwhile, or not ours to open.
                Err(_) => {}
            }
        }
        Ok(living)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.dir.join(WINDOWS).join(&self.token));
        let _ = self.own.unlock();
    }
}

/// Nobody else sits down or counts meanwhile.
fn door(dir: &Path) -> io::Result<File> {
    let door = super::open::private(&dir.join(super::open::DOOR))?;
    let _ = door.lock();
    Ok(door)
}

/// Two keys that are surely not the same.
pub(super) fn differ(one: Option<&str>, other: Option<&str>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_and_the_next_follows_at_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut seats: Vec<Seat> = (0..5).map(|_| Seat::take(dir.path()).expect("a seat")).collect();
        let held: Vec<bool> = seats.iter_mut().map(Seat::hold).collect();
        assert_eq!(held, [true, false, false, false, false]);
        assert!(seats[0].hold(), "it stays ours");
        drop(seats.remove(0));
        assert!(!seats[3].lockless() && seats[3].hold() && !seats[0].hold());
    }

    #[test]
    fn the_dead_are_not_counted() {
        let dir = tempfile::tempdir().expect("a folder");
        let (one, two) = (Seat::take(dir.path()).expect("a seat"), Seat::take(dir.path()).expect("a seat"));
        // A program that was killed leaves its file, but no lock.
        fs::write(dir.path().join(WINDOWS).join("dead"), "").expect("written");
        let mut living = one.living().expect("counted");
        living.sort();
        let mut expected = [one.token().to_owned(), two.token().to_owned()];
        expected.sort();
        assert_eq!(living, expected);
        assert!(!dir.path().join(WINDOWS).join("dead").exists());
        drop(two);
        assert_eq!(one.living().expect("counted"), [one.token()]);
    }
}
