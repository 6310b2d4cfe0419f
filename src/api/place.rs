//! A fetched file on its way to its place: the part with a name of its own, the final name, and that nothing is
//! ever overwritten.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

/// What every unfinished file's name begins with.
const PART: &str = ".plantain-part-";
/// Longest stem of a final name, in bytes.
const MAX_STEM: usize = 120;
/// Names tried before giving up: `x`, `x-2`, … `x-1000`.
const MAX_TRIES: u32 = 1000;
/// A part older than this belongs to no running program.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// Makes a name that is safe in any folder: letters, digits, `.`, `_` and `-`, at most 120 bytes, no dot or dash
/// at the start, no dot at the end, none of the names some systems keep for devices.
pub(super) fn safe_stem(wish: &str) -> String {
    let mut stem: String =
        wish.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' }).collect();
    stem.truncate(MAX_STEM);
    let stem = stem.trim_start_matches(['.', '-']).trim_end_matches(['.', '-']);
    let first = stem.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = |word: &str| {
        first.strip_prefix(word).is_some_and(|digit| digit.len() == 1 && digit.bytes().all(|b| b.is_ascii_digit()))
    };
    if stem.is_empty() {
        "output".to_owned()
    } else if matches!(first.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt") {
        format!("_{stem}")
    } else {
        stem.to_owned()
    }
}

/// Makes a folder if it is missing, and tries whether files can be made in it: better known before something is
/// paid for than after.
///
/// # Errors
/// What the system said.
pub fn try_folder(dir: &Path) -> io::Result<()> {
    Part::create(dir, "try").map(|_| ())
}

/// An unfinished file. It is removed when dropped, unless it came to its place.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    dir: PathBuf,
    stem: String,
    placed: bool,
}

impl Part {
    /// Makes the folder if it is missing, and in it a file that did not exist before; links are not followed.
    pub(super) fn create(dir: &Path, stem: &str) -> io::Result<(Self, File)> {
        fs::create_dir_all(dir)?;
        let stem = safe_stem(stem);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o644).custom_flags(libc::O_NOFOLLOW);
        }
        let path = dir.join(format!("{PART}{stem}-{}", uuid::Uuid::now_v7().simple()));
        let file = options.open(&path)?;
        Ok((Self { path, dir: dir.to_owned(), stem, placed: false }, file))
    }

    /// Gives the finished, synced file its name. An older file of that name stays as it is: if it is the same, it
    /// is the result (a crash may have come between naming and noting it), else the next free name is taken.
    pub(super) fn place(mut self, extension: &str, bytes: u64, sha256: &str) -> io::Result<PathBuf> {
        for n in 1..=MAX_TRIES {
            let name =
                if n == 1 { format!("{}.{extension}", self.stem) } else { format!("{}-{n}.{extension}", self.stem) };
            let target = self.dir.join(name);
            match put(&self.path, &target) {
                Ok(()) => {
                    crate::step::step("download: named, folder not synced");
                    self.placed = true;
                    sync_dir(&self.dir)?;
                    return Ok(target);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if is_same(&target, bytes, sha256) {
                        sync_dir(&self.dir)?;
                        return Ok(target);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "a thousand files of this name exist already"))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.placed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Moves a file to a name that must be free.
fn put(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => {
            crate::step::step("download: two names");
            // The file has its name; a second one that stays behind does no harm and is swept later.
            let _ = fs::remove_file(from);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // A file system without hard links: take the name first, so that the move replaces only our own file.
        Err(_) => {
            drop(OpenOptions::new().write(true).create_new(true).open(to)?);
            fs::rename(from, to).inspect_err(|_| {
                let _ = fs::remove_file(to);
            })
        }
    }
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

/// Whether a plain file of exactly this content is there.
fn is_same(path: &Path, bytes: u64, sha256: &str) -> bool {
    let plain = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() == bytes);
    plain && digest_of(path).is_ok_and(|digest| digest == sha256)
}

fn digest_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hex(&digest.finalize())),
            n => digest.update(&piece[..n]),
        }
    }
}

/// Bytes as lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Removes the unfinished files that a killed program left in a folder: those untouched for a day. Returns how
/// many there were. What cannot be read or removed is left.
pub fn sweep_parts(dir: &Path, now: SystemTime) -> usize {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let is_stale = |entry: &fs::DirEntry| {
        entry.file_name().to_string_lossy().starts_with(PART)
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
    use std::io::Write;

    #[test]
    fn hostile_names_become_plain_ones() {
        for (wish, name) in [
            ("fox-1", "fox-1"),
            ("../../etc/passwd", "etc-passwd"),
            ("/abs", "abs"),
            ("..", "output"),
            ("", "output"),
            ("-rf", "rf"),
            ("~x", "x"),
            (".hidden", "hidden"),
            ("a\0b\nc\u{1b}d", "a-b-c-d"),
            ("ends. ", "ends"),
            ("\u{202e}gnp", "gnp"),
            ("CON", "_CON"),
            ("com1.x", "_com1.x"),
            ("console", "console"),
        ] {
            assert_eq!(safe_stem(wish), name, "{wish:?}");
        }
        assert_eq!(safe_stem(&"é".repeat(300)), "output");
        assert_eq!(safe_stem(&"x".repeat(300)).len(), MAX_STEM);
    }

    proptest::proptest! {
        #[test]
        fn any_name_stays_in_its_folder(wish in "\\PC*") {
            let stem = safe_stem(&wish);
            let path = Path::new("/out").join(format!("{stem}.png"));
            assert_eq!(path.parent(), Some(Path::new("/out")));
            assert!(!stem.starts_with(['.', '-']) && stem.len() <= MAX_STEM + 1 && !stem.is_empty());
        }
    }

    fn placed(dir: &Path, stem: &str, content: &[u8]) -> PathBuf {
        let (part, mut file) = Part::create(dir, stem).expect("a part");
        file.write_all(content).expect("written");
        part.place("png", content.len() as u64, &hex(&Sha256::digest(content))).expect("placed")
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_is_kept_twice() {
        let dir = tempfile::tempdir().expect("a folder");
        let first = placed(dir.path(), "a", b"one");
        let second = placed(dir.path(), "a", b"two");
        assert_eq!(placed(dir.path(), "a", b"two"), second);
        assert_eq!(placed(dir.path(), "a", b"one"), first);
        assert_eq!((fs::read(&first).expect("one"), fs::read(&second).expect("two")), (b"one".into(), b"two".into()));
        assert_eq!(second.file_name().and_then(|n| n.to_str()), Some("a-2.png"));
        assert_eq!(fs::read_dir(dir.path()).expect("list").count(), 2, "no part is left");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_way_is_not_followed() {
        let dir = tempfile::tempdir().expect("a folder");
        let outside = dir.path().join("outside");
        std::os::unix::fs::symlink(&outside, dir.path().join("a.png")).expect("a link");
        let file = placed(dir.path(), "a", b"one");
        assert_eq!(file.file_name().and_then(|n| n.to_str()), Some("a-2.png"));
        assert!(!outside.exists());
    }

    #[test]
    fn parts_go_away_and_old_ones_are_swept() {
        let dir = tempfile::tempdir().expect("a folder");
        let (part, _file) = Part::create(dir.path(), "a").expect("a part");
        let path = part.path.clone();
        assert_eq!(sweep_parts(dir.path(), SystemTime::now()), 0, "it may be another program's");
        drop(part);
        assert!(!path.exists());
        std::mem::forget(Part::create(dir.path(), "b").expect("a part"));
        fs::write(dir.path().join("b.png"), b"x").expect("a file");
        assert_eq!(sweep_parts(dir.path(), SystemTime::now() + 2 * STALE), 1);
        assert!(dir.path().join("b.png").exists());
    }
}
