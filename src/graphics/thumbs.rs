//! Small pictures on disk, so that a first look needs no decoding of a large one.
//!
//! Each is a file named by the hash of the picture it was made of. None is needed: whatever is wrong with one, it is
//! as if it were not there.

use std::io::{self, Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use image::{DynamicImage, ImageFormat};

use super::decode::{Decoded, decode};
use super::encode::EncodeError;
use super::resize::{Backdrop, scale};
use super::view::Crop;

/// Long side in pixels: twice that of a first look.
const SIDE: u32 = 256;
/// Files that are kept.
pub const THUMBS_MOST: usize = 4_000;
/// Bytes that are kept.
pub const THUMBS_BYTES: u64 = 64 << 20;
/// A file with more bytes is none of ours.
const FILE_MOST: u64 = 512 << 10;
/// After so many new ones it is counted again.
const ROUND: usize = 100;

/// A folder of thumbnails.
#[derive(Debug)]
pub struct Thumbs {
    dir: PathBuf,
    most: usize,
    bytes: u64,
    /// New ones until the next count; the lock also keeps two from counting at once.
    left: Mutex<usize>,
}

impl Thumbs {
    /// Thumbnails in this folder, which is made when the first one is.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self::bounded(dir, THUMBS_MOST, THUMBS_BYTES)
    }

    /// The same with other bounds.
    #[must_use]
    pub fn bounded(dir: PathBuf, most: usize, bytes: u64) -> Self {
        Self { dir, most, bytes, left: Mutex::new(0) }
    }

    /// Where the one of this picture is; `None` for what is no hash, for it becomes a name.
    fn path(&self, sha256: &str) -> Option<PathBuf> {
        let hash = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        hash.then(|| self.dir.join(sha256))
    }

    /// There is one of this picture.
    #[must_use]
    pub fn has(&self, sha256: &str) -> bool {
        self.path(sha256).is_some_and(|path| path.is_file())
    }

    /// The thumbnail of this picture. A broken one is removed.
    #[must_use]
    pub fn get(&self, sha256: &str) -> Option<Decoded> {
        let path = self.path(sha256)?;
        let about = std::fs::symlink_metadata(&path).ok()?;
        if !about.is_file() {
            return None;
        }
        let small = about.len() <= FILE_MOST;
        let decoded = small.then(|| std::fs::read(&path).ok()).flatten().and_then(|bytes| decode(&bytes).ok());
        let decoded = decoded.filter(|decoded| decoded.size().0.max(decoded.size().1) <= SIDE);
        if decoded.is_none() {
            let _ = std::fs::remove_file(&path);
        }
        decoded
    }

    /// Keeps a thumbnail of this picture.
    ///
    /// # Errors
    /// When it cannot be made or written; nothing depends on it.
    pub fn put(&self, sha256: &str, picture: &Decoded) -> io::Result<()> {
        let path = self.path(sha256).ok_or(io::ErrorKind::InvalidInput)?;
        let bytes = shrunk(picture).map_err(|why| io::Error::other(why.to_string()))?;
        make_dir(&self.dir)?;
        // Named when it is complete. It need not survive a power failure.
        let part = self.dir.join(format!("{sha256}.{}.part", std::process::id()));
        let written = private(&part).and_then(|mut file| file.write_all(&bytes));
        let named = written.and_then(|()| std::fs::rename(&part, &path));
        if named.is_err() {
            let _ = std::fs::remove_file(&part);
        }
        named?;
        if let Ok(mut left) = self.left.try_lock() {
            if *left == 0 {
                self.tidy();
                *left = ROUND.min(self.most / 4);
            } else {
                *left -= 1;
            }
        }
        Ok(())
    }

    /// Removes the oldest beyond the bounds, and what another program left half written.
    fn tidy(&self) {
        let Ok(entries) = std::fs::read_dir(&self.dir) else { return };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
            .flatten()
            .filter_map(|entry| {
                let about = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
                Some((about.modified().ok()?, about.len(), entry.path()))
            })
            .collect();
        let hour_ago = SystemTime::now() - std::time::Duration::from_secs(3600);
        files.retain(|(made, _, path)| {
            let stale = path.extension().is_some_and(|ext| ext == "part") && *made < hour_ago;
            if stale {
                let _ = std::fs::remove_file(path);
            }
            !stale
        });
        files.sort_unstable();
        let (mut count, mut bytes) = (files.len(), files.iter().map(|(_, length, _)| length).sum::<u64>());
        for (_, length, path) in &files {
            if count <= self.most && bytes <= self.bytes {
                break;
            }
            if std::fs::remove_file(path).is_ok() {
                count -= 1;
                bytes -= length;
            }
        }
    }
}

/// A small copy as a file: JPEG, or PNG if it is transparent or tiny.
fn shrunk(picture: &Decoded) -> Result<Vec<u8>, EncodeError> {
    let (width, height) = picture.size();
    let long = width.max(height).max(1);
    let side = |length: u32| if long <= SIDE { length } else { (length * SIDE / long).max(1) };
    let whole = Crop { x: 0, y: 0, width, height };
    let failed = |why: image::ImageError| EncodeError::Failed(why.to_string());
    let mut out = Cursor::new(Vec::new());
    if picture.pixels.color().has_alpha() {
        // What is behind is chosen when it is shown.
        let small = picture.pixels.thumbnail(SIDE.min(width), SIDE.min(height));
        small.write_to(&mut out, ImageFormat::Png).map_err(failed)?;
    } else {
        let small = scale(&picture.pixels, whole, side(width), side(height), Backdrop::default())?;
        DynamicImage::ImageRgb8(small).write_to(&mut out, ImageFormat::Jpeg).map_err(failed)?;
    }
    Ok(out.into_inner())
}

fn make_dir(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn private(path: &Path) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let _ = std::fs::remove_file(path);
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphics::Kind;

    fn picture(alpha: bool, side: u32) -> Decoded {
        let image = image::RgbaImage::from_fn(side, side / 2, |x, y| {
            image::Rgba([(x % 256) as u8, (y % 256) as u8, 90, if alpha { 128 } else { 255 }])
        });
        let image = DynamicImage::ImageRgba8(image);
        let pixels = if alpha { image } else { DynamicImage::ImageRgb8(image.into_rgb8()) };
        Decoded { kind: Kind::Png, pixels }
    }

    fn hash(n: usize) -> String {
        format!("{n:064x}")
    }

    #[test]
    fn what_was_put_is_there_and_small() {
        let dir = tempfile::tempdir().expect("a folder");
        let thumbs = Thumbs::new(dir.path().join("thumbs"));
        assert!(thumbs.get(&hash(1)).is_none() && !thumbs.has(&hash(1)));
        for (n, alpha) in [(1, false), (2, true)] {
            thumbs.put(&hash(n), &picture(alpha, 1000)).expect("put");
            let small = thumbs.get(&hash(n)).expect("there");
            assert_eq!(small.size(), (256, 128));
            assert_eq!(small.pixels.color().has_alpha(), alpha);
        }
        thumbs.put(&hash(3), &picture(false, 40)).expect("put");
        assert_eq!(thumbs.get(&hash(3)).expect("there").size(), (40, 20), "nothing is blown up");
    }

    #[cfg(unix)]
    #[test]
    fn they_are_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("a folder");
        let thumbs = Thumbs::new(dir.path().join("thumbs"));
        thumbs.put(&hash(1), &picture(false, 100)).expect("put");
        let mode = |path: PathBuf| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(dir.path().join("thumbs")), 0o700);
        assert_eq!(mode(dir.path().join("thumbs").join(hash(1))), 0o600);
    }

    #[test]
    fn broken_ones_are_as_if_they_were_not_there() {
        let dir = tempfile::tempdir().expect("a folder");
        let thumbs = Thumbs::new(dir.path().to_owned());
        for bytes in [&b""[..], b"no picture", b"\xff\xd8\xff"] {
            std::fs::write(dir.path().join(hash(1)), bytes).expect("written");
            assert!(thumbs.get(&hash(1)).is_none());
            assert!(!thumbs.has(&hash(1)), "and it is gone");
        }
        assert!(thumbs.get("../../etc/passwd").is_none());
        assert!(thumbs.put("../x", &picture(false, 10)).is_err());
        std::fs::create_dir(dir.path().join(hash(2))).expect("made");
        assert!(thumbs.get(&hash(2)).is_none());
        assert!(thumbs.put(&hash(2), &picture(false, 10)).is_err(), "a folder is in the way");
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let dir = tempfile::tempdir().expect("a folder");
        let thumbs = Thumbs::bounded(dir.path().to_owned(), 8, 1 << 20);
        for n in 0..40 {
            thumbs.put(&hash(n), &picture(false, 20)).expect("put");
            let path = dir.path().join(hash(n));
            let file = std::fs::File::options().write(true).open(path).expect("there");
            file.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(n as u64)).expect("dated");
        }
        let count = std::fs::read_dir(dir.path()).expect("a folder").count();
        assert!(count <= 8 + 3, "{count}");
        assert!(thumbs.has(&hash(39)) && !thumbs.has(&hash(0)));
    }
}
