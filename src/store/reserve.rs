//! The reserve: a file that takes up room beside the database, to be given up when the disk is full. What is under way
//! has been paid for, so what becomes of it must still be written down then; nothing new is begun with that room.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Its name.
const NAME: &str = "plantain.reserve";
/// Bytes it takes up: some thousand changes of a status.
const SIZE: u64 = 1 << 20;
/// It is made only where as much again stays free, so that it does not come and go at the brink.
const ROOM: u64 = 2 * SIZE;

/// The reserve of one data folder, shared by all programs on it: whether it is there is asked of the folder.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    /// It has been there, or can be: without room nothing new is begun.
    counts: bool,
}

impl Reserve {
    /// That of the folder, made if there is room.
    pub(super) fn of(dir: &Path) -> Self {
        let mut reserve = Self { path: dir.join(NAME), counts: true };
        reserve.keep();
        reserve
    }

    /// Whether something new may be begun: the reserve is there, or could be made again. Where none can be made for
    /// another reason than room, that is no obstacle.
    pub(super) fn keep(&mut self) -> bool {
        if !self.counts || self.is_there() {
            return true;
        }
        match make(&self.path) {
            Ok(()) => true,
            Err(error) if is_room(&error) => {
                let _ = fs::remove_file(&self.path);
                false
            }
            Err(error) => {
                tracing::debug!(%error, "no reserve can be kept");
                let _ = fs::remove_file(&self.path);
                self.counts = false;
                true
            }
        }
    }

    /// Gives it up; says whether that has made room.
    pub(super) fn give_up(&mut self) -> bool {
        let gave = self.counts && self.is_there() && fs::remove_file(&self.path).is_ok();
        if gave {
            tracing::warn!("the disk is full: the reserve is given up, nothing new is sent until there is room");
        }
        gave
    }

    fn is_there(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok_and(|about| about.is_file() && about.len() == SIZE)
    }
}

fn make(path: &Path) -> io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let disk = rustix::fs::statvfs(dir)?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < ROOM {
        return Err(io::ErrorKind::StorageFull.into());
    }
    fill(&super::open::private(path)?)
}

/// Takes the room for good, without holes.
#[cfg(target_os = "linux")]
fn fill(file: &File) -> io::Result<()> {
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, SIZE) {
        Err(error) if error == rustix::io::Errno::OPNOTSUPP => write(file),
        done => Ok(done?),
    }
}

#[cfg(not(target_os = "linux"))]
fn fill(file: &File) -> io::Result<()> {
    write(file)
}

/// The slow way.
fn write(mut file: &File) -> io::Result<()> {
    let block = [0xa5; 1 << 14];
    for _ in 0..SIZE / (1 << 14) {
        io::Write::write_all(&mut file, &block)?;
    }
    Ok(())
}

fn is_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    /// C5.
    #[test]
    fn the_reserve_takes_up_room_until_it_is_given_up() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut reserve = Reserve::of(dir.path());
        let about = fs::metadata(dir.path().join(NAME)).expect("it is there");
        assert_eq!(about.len(), SIZE);
        assert!(about.blocks() * 512 >= SIZE, "without holes: {} blocks", about.blocks());
        assert!(reserve.give_up() && !reserve.is_there());
        assert!(!reserve.give_up(), "there is but one");
        assert!(reserve.keep() && reserve.is_there(), "with room it is made again");
        let slow = File::create(dir.path().join("slow")).expect("made");
        write(&slow).expect("written");
        assert_eq!(slow.metadata().expect("there").len(), SIZE);
    }

    /// Where it cannot be made, tasks are sent as ever.
    #[test]
    fn a_reserve_that_cannot_be_made_is_done_without() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::create_dir(dir.path().join(NAME)).expect("in the way");
        let mut reserve = Reserve::of(dir.path());
        assert!(reserve.keep() && !reserve.give_up());
    }
}
