//! A file that is not here completely: claimed by one program, kept across failures and restarts as long as its rest
//! can be asked for, and never longer than what surely belongs together.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use sha2::{Digest, Sha256};

use super::folder::Folder;
use super::resume::{self, Mark};
use super::sniff;

/// What every unfinished file's name begins with.
pub(super) const PREFIX: &str = ".plantain-part-";
/// What is added for the file that tells about it.
const MARK: &str = ".mark";
/// Bytes after which what came is made durable on the way.
const CHECKPOINT: u64 = 8 << 20;
/// Largest file that tells about a part.
const MAX_MARK: u64 = 16 << 10;
/// Names and files change while they are claimed; this often it is tried again.
const TRIES: usize = 8;

/// Why a part cannot be had.
#[derive(Debug)]
pub(super) enum Unclaimed {
    /// Another program is fetching it.
    Taken,
    /// The disk.
    Io(io::Error),
}

impl From<io::Error> for Unclaimed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A part that only we write. When it is dropped its lock goes, and the file too unless the rest can be asked for.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) folder: Folder,
    pub(super) name: String,
    pub(super) file: File,
    /// Bytes here.
    pub(super) length: u64,
    /// The first of them.
    pub(super) head: Vec<u8>,
    digest: Sha256,
    /// How to ask for the rest, if that is possible.
    mark: Option<Mark>,
    /// Nobody else can write it, so it may be found again.
    claimed: bool,
    /// It has its final name, or must not be found again.
    finished: bool,
}

impl Part {
    /// Takes the part of this name, with what is there of it. Nobody else has it until it is dropped.
    pub(super) fn claim(folder: Folder, key: &str) -> Result<Self, Unclaimed> {
        let name = format!("{PREFIX}{key}");
        for _ in 0..TRIES {
            let file = match folder.file(&name, 0o644) {
                Ok(file) => file,
                // A link, or a socket: nothing of ours, under a name that is.
                Err(error) if matches!(error.raw_os_error(), Some(libc::ELOOP | libc::ENXIO)) => {
                    folder.remove(&name)?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if !file.metadata()?.is_file() {
                folder.remove(&name)?;
                continue;
            }
            match file.try_lock() {
                Ok(()) => {}
                Err(std::fs::TryLockError::WouldBlock) => return Err(Unclaimed::Taken),
                // Where files cannot be locked, a name that nobody else has must do; it is not found again.
                Err(std::fs::TryLockError::Error(_)) => return Ok(Self::private(folder, key)?),
            }
            // Before it was ours it may have become a finished file, or been taken away.
            if !folder.is(&name, &file).unwrap_or(false) {
                continue;
            }
            // Killed between naming and this: the finished file has this name too, and must not be touched.
            if std::os::unix::fs::MetadataExt::nlink(&file.metadata()?) > 1 {
                folder.remove(&name)?;
                continue;
            }
            return Ok(Self::with(folder, name, file, true).found()?);
        }
        Err(io::Error::other("a part changes all the time").into())
    }

    fn private(folder: Folder, key: &str) -> io::Result<Self> {
        let name = format!("{PREFIX}{key}-{}", uuid::Uuid::now_v7().simple());
        let file = folder.fresh(&name, 0o644)?;
        Ok(Self::with(folder, name, file, false))
    }

    fn with(folder: Folder, name: String, file: File, claimed: bool) -> Self {
        let (digest, head) = (Sha256::new(), Vec::new());
        Self { folder, name, file, length: 0, head, digest, mark: None, claimed, finished: false }
    }

    /// Takes up what is there: as much of it as is surely what was received.
    fn found(mut self) -> io::Result<Self> {
        let there = self.file.metadata()?.len();
        let mark = self.read_mark();
        let sure = mark.as_ref().map_or(0, |mark| match &mark.boot {
            // After a power cut a file can be long and empty; within one run of the machine it cannot.
            Some(boot) if resume::boot().as_ref() == Some(boot) => there,
            _ => there.min(mark.synced),
        });
        if sure == 0 || mark.as_ref().and_then(|mark| mark.total).is_some_and(|total| sure > total) {
            self.restart()?;
            return Ok(self);
        }
        self.file.set_len(sure)?;
        self.file.seek(SeekFrom::Start(0))?;
        let mut piece = vec![0; 1 << 16];
        loop {
            match self.file.read(&mut piece)? {
                0 => break,
                n => self.took(&piece[..n]),
            }
        }
        self.mark = mark;
        Ok(self)
    }

    fn took(&mut self, bytes: &[u8]) {
        let missing = sniff::HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..missing]);
        self.digest.update(bytes);
        self.length += bytes.len() as u64;
    }

    /// How to ask for the rest, if some of it is here and the rest can be asked for.
    pub(super) fn mark(&self) -> Option<&Mark> {
        self.mark.as_ref().filter(|_| self.length > 0)
    }

    /// Forgets what is here.
    pub(super) fn restart(&mut self) -> io::Result<()> {
        // First the file, then what tells of it: never the other way round, or old bytes would count as new ones.
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        (self.length, self.mark) = (0, None);
        self.head.clear();
        self.digest = Sha256::new();
        if self.claimed {
            gone(self.folder.remove(&self.mark_name()))?;
        }
        Ok(())
    }

    /// Notes how to ask for the rest, should it not come now. Before the first byte, for bytes without it are void.
    pub(super) fn set_mark(&mut self, mark: Mark) -> io::Result<()> {
        if self.claimed {
            self.mark = Some(Mark { boot: resume::boot(), synced: 0, ..mark });
            self.write_mark()?;
        }
        Ok(())
    }

    /// Puts bytes behind what is here. After an error the part is as it was before.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(bytes) {
            // What cannot be cut off again is found and cut off by its length, or not found at all.
            let _ = self.file.set_len(self.length);
            let _ = self.file.seek(SeekFrom::Start(self.length));
            return Err(error);
        }
        self.took(bytes);
        if let Some(mark) = &self.mark
            && self.length - mark.synced >= CHECKPOINT
        {
            self.file.sync_data()?;
            let synced = self.length;
            self.mark.iter_mut().for_each(|mark| mark.synced = synced);
            self.write_mark()?;
        }
        Ok(())
    }

    /// SHA-256 of what is here, as hex digits.
    pub(super) fn sha256(&self) -> String {
        super::place::hex(&self.digest.clone().finalize())
    }

    /// It has its final name now, or is void: nothing of it stays under the name of a part.
    pub(super) fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            let _ = self.folder.remove(&self.name);
            if self.claimed {
                let _ = self.folder.remove(&self.mark_name());
            }
        }
    }

    fn mark_name(&self) -> String {
        format!("{}{MARK}", self.name)
    }

    fn read_mark(&self) -> Option<Mark> {
        let file = self.folder.existing(&self.mark_name()).ok()?;
        let mut text = String::new();
        file.take(MAX_MARK).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn write_mark(&self) -> io::Result<()> {
        let Some(mark) = &self.mark else { return Ok(()) };
        let (name, new) = (self.mark_name(), format!("{}{MARK}-new", self.name));
        gone(self.folder.remove(&new))?;
        let written = self
            .folder
            .fresh(&new, 0o600)
            .and_then(|mut file| file.write_all(serde_json::to_string(mark)?.as_bytes()))
            .and_then(|()| self.folder.rename(&new, &self.folder, &name));
        written.inspect_err(|_| {
            let _ = self.folder.remove(&new);
        })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.mark().is_none() || !self.claimed {
            self.finish();
        }
    }
}

/// It is as good if there was nothing to take away.
fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn mark() -> Mark {
        let text = str::to_owned;
        Mark {
            validator: text("\"a\""),
            total: Some(100),
            asked: text("x"),
            led: text("x"),
            synced: 9,
            boot: text("never").into(),
        }
    }

    fn claim(dir: &Path) -> Part {
        Part::claim(Folder::open(dir).expect("a folder"), "k").expect("a part")
    }

    fn names(dir: &Path) -> usize {
        std::fs::read_dir(dir).expect("a list").count()
    }

    #[test]
    fn a_part_is_found_again_if_its_rest_can_be_asked_for() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut part = claim(dir.path());
        part.write(b"lost").expect("written");
        drop(part);
        assert_eq!(names(dir.path()), 0, "without a validator there is no rest");
        let mut part = claim(dir.path());
        part.set_mark(mark()).expect("noted");
        part.write(b"kept").expect("written");
        drop(part);
        let mut part = claim(dir.path());
        assert_eq!((part.length, part.head.as_slice()), (4, &b"kept"[..]));
        assert_eq!(part.mark().map(|m| m.validator.as_str()), Some("\"a\""));
        part.write(b" on").expect("written");
        assert_eq!(part.sha256(), super::super::place::hex(&Sha256::digest(b"kept on")));
        part.restart().expect("restarted");
        assert_eq!((part.length, part.mark()), (0, None));
        drop(part);
        assert_eq!(names(dir.path()), 0);
    }

    #[test]
    fn after_a_power_cut_only_what_was_synced_counts() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut part = claim(dir.path());
        part.set_mark(mark()).expect("noted");
        part.write(b"0123456789").expect("written");
        part.mark.iter_mut().for_each(|mark| (mark.boot, mark.synced) = (Some("another".into()), 7));
        part.write_mark().expect("noted");
        drop(part);
        assert_eq!(claim(dir.path()).length, 7);
        std::fs::write(dir.path().join(format!("{PREFIX}k{MARK}")), b"{ torn").expect("torn");
        assert_eq!(claim(dir.path()).length, 0);
    }

    #[test]
    fn two_never_write_the_same_part() {
        let dir = tempfile::tempdir().expect("a folder");
        let part = claim(dir.path());
        let again = || Part::claim(Folder::open(dir.path()).expect("a folder"), "k");
        assert!(matches!(again(), Err(Unclaimed::Taken)));
        drop(part);
        assert!(again().is_ok());
    }

    #[test]
    fn what_is_no_part_of_ours_is_not_written() {
        let dir = tempfile::tempdir().expect("a folder");
        let (name, outside) = (dir.path().join(format!("{PREFIX}k")), dir.path().join("outside"));
        std::fs::write(&outside, b"mine").expect("a file");
        std::os::unix::fs::symlink(&outside, &name).expect("a link");
        claim(dir.path()).write(b"x").expect("written");
        // A second name of a finished file, left by a kill.
        std::fs::hard_link(&outside, &name).expect("a name");
        claim(dir.path()).write(b"x").expect("written");
        assert_eq!(std::fs::read(&outside).expect("there"), b"mine");
        std::fs::create_dir(&name).expect("a folder");
        assert!(Part::claim(Folder::open(dir.path()).expect("a folder"), "k").is_err());
    }
}
