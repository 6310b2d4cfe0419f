//! Folders by handle: what is made, opened and named below one stays below it, whatever is done to the path meanwhile.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, Stat};

/// How folders are opened.
const AS_FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    handle: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens the output folder, and makes it if it is missing. The user chose its path: links in it are followed.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let handle = rustix::fs::open(path, AS_FOLDER, Mode::empty())?;
        Ok(Self { handle, path: path.to_owned() })
    }

    /// Opens the folder of this name in it, and makes it if it is missing. A link there is not followed.
    pub(super) fn below(&self, name: &str) -> io::Result<Self> {
        match rustix::fs::mkdirat(&self.handle, name, Mode::from_raw_mode(0o777)) {
            Ok(()) => self.sync()?,
            Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        let handle = rustix::fs::openat(&self.handle, name, AS_FOLDER | OFlags::NOFOLLOW, Mode::empty())?;
        Ok(Self { handle, path: self.path.join(name) })
    }

    /// Where it was when it was opened: for people, and for what is noted down.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file, for reading and writing, and makes it if it is missing. A link fails, a pipe does not wait.
    pub(super) fn file(&self, name: &str, mode: u32) -> io::Result<File> {
        self.with(name, OFlags::CREATE | OFlags::NONBLOCK, mode)
    }

    /// Makes a file that did not exist before.
    pub(super) fn fresh(&self, name: &str, mode: u32) -> io::Result<File> {
        self.with(name, OFlags::CREATE | OFlags::EXCL, mode)
    }

    /// Opens a file for reading, if there is one.
    pub(super) fn existing(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::openat(&self.handle, name, flags, Mode::empty())?);
        if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
    }

    fn with(&self, name: &str, more: OFlags, mode: u32) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | more;
        #[allow(clippy::useless_conversion, reason = "the type of a mode differs between systems")]
        let mode = Mode::from_raw_mode(mode.try_into().unwrap_or_default());
        Ok(rustix::fs::openat(&self.handle, name, flags, mode)?.into())
    }

    /// What is there under this name; a link is seen as a link.
    pub(super) fn look(&self, name: &str) -> io::Result<Stat> {
        Ok(rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    /// Whether this name stands for this very file.
    pub(super) fn is(&self, name: &str, file: &File) -> io::Result<bool> {
        let (there, here) = (self.look(name)?, rustix::fs::fstat(file)?);
        Ok((there.st_dev, there.st_ino) == (here.st_dev, here.st_ino))
    }

    /// Takes a name away.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.handle, name, AtFlags::empty())?)
    }

    /// Gives a file a second name, which must be free.
    pub(super) fn link(&self, name: &str, to: &Self, target: &str) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.handle, name, &to.handle, target, AtFlags::empty())?)
    }

    /// Gives a file another name and replaces what had it.
    pub(super) fn rename(&self, name: &str, to: &Self, target: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.handle, name, &to.handle, target)?)
    }

    /// Makes names durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.handle)?)
    }

    /// Bytes that may still be written here.
    pub(super) fn room(&self) -> io::Result<u64> {
        let about = rustix::fs::fstatvfs(&self.handle)?;
        Ok(about.f_bavail.saturating_mul(about.f_frsize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_lead_nowhere() {
        let dir = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("another");
        symlink(outside.path(), dir.path().join("way")).expect("a link");
        symlink(outside.path().join("new"), dir.path().join("file")).expect("a link");
        let folder = Folder::open(dir.path()).expect("open");
        assert!(folder.below("way").is_err());
        assert!(folder.file("file", 0o600).is_err() && folder.fresh("file", 0o600).is_err());
        assert!(folder.existing("file").is_err() && folder.existing(".").is_err());
        assert_eq!(fs::read_dir(outside.path()).expect("a list").count(), 0);
        // A folder that is moved away while it is open takes what is written along: nothing appears in its old place.
        let below = folder.below("a").expect("made");
        fs::rename(dir.path().join("a"), dir.path().join("b")).expect("moved");
        symlink(outside.path(), dir.path().join("a")).expect("a link");
        below.fresh("x", 0o600).expect("a file");
        assert!(dir.path().join("b/x").exists() && !outside.path().join("x").exists());
        assert!(folder.room().expect("a number") > 0);
    }
}
