//! A fetched file on its way to its place: the final name, the note beside it, and that nothing is ever overwritten.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::folder::Folder;
use super::part::{PREFIX, Part};
use crate::domain::naming::Name;

/// Names tried before giving up: `x`, `x-2`, … `x-1000`.
const MAX_TRIES: u32 = 1000;
/// A part older than this is of no use: links work for about seven days \[B\].
const STALE: Duration = Duration::from_secs(8 * 24 * 3600);
/// Largest note that is read to see whether it is ours.
const MAX_NOTE: u64 = 4 << 20;

/// Makes a folder if it is missing, and tries whether files can be made in it: better known before something is
/// paid for than after.
///
/// # Errors
/// What the system said.
pub fn try_folder(dir: &Path) -> io::Result<()> {
    let folder = Folder::open(dir)?;
    let name = format!("{PREFIX}try-{}", uuid::Uuid::now_v7().simple());
    folder.fresh(&name, 0o600)?;
    folder.remove(&name)
}

/// A file in its place.
#[derive(Debug)]
pub(super) struct Placed {
    folder: Folder,
    /// Its name in that folder.
    name: String,
}

impl Placed {
    /// Where it is.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }
}

/// Gives a complete, synced part its name; the name of a part stays until [`Part::finish`]. An older file of that name stays as it is: if it is the same, it is the
/// result (a crash may have come between naming and noting it), else the next free name is taken.
pub(super) fn place(part: &Part, wish: &Name, extension: &str) -> io::Result<Placed> {
    let mut folder = Folder::open(part.folder.path())?;
    for name in &wish.folders {
        folder = folder.below(name)?;
    }
    let sha256 = part.sha256();
    let stem = &wish.stem;
    for n in 1..=MAX_TRIES {
        let name = if n == 1 { format!("{stem}.{extension}") } else { format!("{stem}-{n}.{extension}") };
        match put(part, &folder, &name) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if !is_same(&folder, &name, part.length, &sha256) {
                    continue;
                }
            }
            Err(error) => return Err(error),
        }
        crate::step::step("download: named, folder not synced");
        folder.sync()?;
        return Ok(Placed { folder, name });
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "a thousand files of this name exist already"))
}

/// Gives a part a name that must be free.
fn put(part: &Part, folder: &Folder, name: &str) -> io::Result<()> {
    match part.folder.link(&part.name, folder, name) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        // A file system without hard links: take the name first, so that the move replaces only our own file.
        Err(_) => {
            drop(folder.fresh(name, 0o644)?);
            part.folder.rename(&part.name, folder, name).inspect_err(|_| {
                let _ = folder.remove(name);
            })?;
        }
    }
    // Somebody may have put something else under the part's name: only what we wrote is the result.
    if folder.is(name, &part.file)? {
        crate::step::step("download: two names");
        Ok(())
    } else {
        let _ = folder.remove(name);
        Err(io::Error::other("the part was replaced by another file"))
    }
}

/// Whether a plain file of exactly this content is there.
fn is_same(folder: &Folder, name: &str, bytes: u64, sha256: &str) -> bool {
    let Ok(mut file) = folder.existing(name) else { return false };
    if !file.metadata().is_ok_and(|about| about.len() == bytes) {
        return false;
    }
    let mut digest = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return hex(&digest.finalize()) == sha256,
            Ok(n) => digest.update(&piece[..n]),
            Err(_) => return false,
        }
    }
}

/// Writes the note beside a picture, `fox.png.json`: private, complete or not at all, and never over another file. A
/// note of ours about the same file is as good.
pub(super) fn note(part: &Part, placed: &Placed, about: &Map<String, Value>) -> io::Result<()> {
    let (Placed { folder, name }, root) = (placed, &part.folder);
    let mut text = serde_json::to_string_pretty(about)?;
    text.push('\n');
    let new = format!("{}-note", part.name);
    // Left by a kill; nobody else writes it, for the part is ours.
    let _ = root.remove(&new);
    let mut file = root.fresh(&new, 0o600)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| {
        crate::step::step("download: note written, not named");
        for n in 1..=MAX_TRIES {
            let target = if n == 1 { format!("{name}.json") } else { format!("{name}-{n}.json") };
            match rename_free(root, &new, folder, &target) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if tells_of(folder, &target, about) {
                        return Ok(());
                    }
                }
                done => return done,
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    });
    let _ = root.remove(&new);
    written.and_then(|()| folder.sync())
}

/// Moves a file to a name that must be free.
fn rename_free(root: &Folder, from: &str, folder: &Folder, to: &str) -> io::Result<()> {
    match root.link(from, folder, to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            drop(folder.fresh(to, 0o600)?);
            root.rename(from, folder, to)
        }
        done => done,
    }
}

/// Whether a note is about the same output of the same task, with the same content.
fn tells_of(folder: &Folder, name: &str, about: &Map<String, Value>) -> bool {
    let mut text = String::new();
    let Ok(file) = folder.existing(name) else { return false };
    if file.take(MAX_NOTE).read_to_string(&mut text).is_err() {
        return false;
    }
    let Ok(Value::Object(there)) = serde_json::from_str(&text) else { return false };
    ["id", "output", "sha256"].iter().all(|field| there.get(*field) == about.get(*field))
}

/// Bytes as lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Removes the unfinished files in a folder that no program will go on with: untouched for longer than links work.
/// Returns how many there were. What cannot be read or removed is left.
pub fn sweep_parts(dir: &Path, now: SystemTime) -> usize {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let is_stale = |entry: &fs::DirEntry| {
        entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.metadata().is_ok_and(|meta| {
                let age = meta.modified().ok().and_then(|at| now.duration_since(at).ok());
                meta.is_file() && age.is_some_and(|age| age > STALE)
            })
    };
    entries.flatten().filter(is_stale).filter(|entry| fs::remove_file(entry.path()).is_ok()).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wish(text: &str) -> Name {
        let mut folders: Vec<String> = text.split('/').map(str::to_owned).collect();
        let stem = folders.pop().expect("a stem");
        Name { folders, stem }
    }

    fn placed(dir: &Path, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        let mut part = Part::claim(Folder::open(dir)?, "k").expect("a part");
        part.write(content)?;
        let placed = place(&part, &wish(name), "png");
        part.finish();
        placed.map(|placed| placed.path())
    }

    fn count(dir: &Path) -> usize {
        fs::read_dir(dir).expect("a list").count()
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_is_kept_twice() {
        let dir = tempfile::tempdir().expect("a folder");
        let put = |content: &[u8]| placed(dir.path(), "a", content).expect("placed");
        let (first, second) = (put(b"one"), put(b"two"));
        assert_eq!((put(b"two"), put(b"one")), (second.clone(), first.clone()));
        assert_eq!((fs::read(&first).expect("one"), fs::read(&second).expect("two")), (b"one".into(), b"two".into()));
        assert_eq!(second.file_name().and_then(|n| n.to_str()), Some("a-2.png"));
        assert_eq!(count(dir.path()), 2, "no part is left");
    }

    #[test]
    fn a_link_in_the_way_is_not_followed() {
        let dir = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("another");
        std::os::unix::fs::symlink(outside.path().join("x"), dir.path().join("a.png")).expect("a link");
        let file = placed(dir.path(), "a", b"one").expect("placed");
        assert_eq!(file.file_name().and_then(|n| n.to_str()), Some("a-2.png"));
        std::os::unix::fs::symlink(outside.path(), dir.path().join("way")).expect("a link");
        assert!(placed(dir.path(), "way/b", b"one").is_err());
        assert_eq!(count(outside.path()), 0);
        assert_eq!(placed(dir.path(), "in/here/b", b"one").expect("placed"), dir.path().join("in/here/b.png"));
    }

    #[test]
    fn a_part_that_was_replaced_is_not_placed() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut part = Part::claim(Folder::open(dir.path()).expect("open"), "k").expect("a part");
        part.write(b"ours").expect("written");
        let name = dir.path().join(&part.name);
        fs::remove_file(&name).expect("removed");
        std::os::unix::fs::symlink("/etc/passwd", &name).expect("a link");
        assert!(place(&part, &wish("a"), "png").is_err());
        drop(part);
        assert_eq!(count(dir.path()), 0);
    }

    #[test]
    fn a_note_is_private_and_overwrites_nothing() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a folder");
        let placed = Placed { folder: Folder::open(dir.path()).expect("open"), name: "a.png".into() };
        let about = |sha: &str| json!({ "id": "1", "output": 1, "sha256": sha }).as_object().cloned().expect("one");
        let part = Part::claim(Folder::open(dir.path()).expect("open"), "k").expect("a part");
        fs::write(dir.path().join("a.png.json"), "mine").expect("a file");
        for sha in ["x", "x", "y"] {
            note(&part, &placed, &about(sha)).expect("noted");
        }
        assert_eq!(fs::read(dir.path().join("a.png.json")).expect("there"), b"mine");
        let second = dir.path().join("a.png-2.json");
        assert_eq!(fs::metadata(&second).expect("there").permissions().mode() & 0o777, 0o600);
        assert!(fs::read_to_string(second).expect("there").contains("\"x\""));
        drop(part);
        assert_eq!(count(dir.path()), 3, "the same note is not kept twice, another is");
    }

    #[test]
    fn old_parts_are_swept() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join(format!("{PREFIX}b")), b"x").expect("a part");
        fs::write(dir.path().join("b.png"), b"x").expect("a file");
        assert_eq!(sweep_parts(dir.path(), SystemTime::now()), 0, "the link may still work");
        assert_eq!(sweep_parts(dir.path(), SystemTime::now() + 2 * STALE), 1);
        assert!(dir.path().join("b.png").exists());
    }
}
