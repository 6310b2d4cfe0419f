//! A file that another program fetched, copied to where this one wants it: named, checked and noted as if it had come
//! from the service.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;

use super::download::Wanted;
use super::finish::Complete;
use super::folder::Folder;
use super::mishap::disk;
use super::part::{Part, Unclaimed};
use super::sniff;
use crate::domain::{Home, Problem};

/// Bytes copied at a time.
const PIECE: usize = 256 * 1024;

/// Copies a file that is at home into the folder of `wanted`. What is there already stays as it is, as with
/// [`Fetcher::fetch`](super::Fetcher::fetch).
///
/// # Errors
/// [`Problem::Local`] when it cannot be read or written, or is not what was fetched any more.
pub async fn copy_home(home: &Home, wanted: &Wanted) -> Result<Home, Problem> {
    let (home, wanted, dir) = (home.clone(), wanted.clone(), wanted.dir.clone());
    let done = tokio::task::spawn_blocking(move || copy(&home, &wanted));
    done.await.unwrap_or_else(|_| Err(disk(&dir, &io::Error::other("it was interrupted"), None)))
}

fn copy(home: &Home, wanted: &Wanted) -> Result<Home, Problem> {
    let local = |message: String| Problem::Local { message };
    let unreadable = |error: io::Error| local(format!("{} cannot be read: {error}", home.file));
    let unwritable = |error: io::Error| disk(&wanted.dir, &error, None);
    // Whatever has taken the place of our file must not block us.
    let mut file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&home.file).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(local(format!("{} is no file", home.file)));
    }
    let folder = Folder::open(&wanted.dir).map_err(unwritable)?;
    let mut part = match Part::claim(folder, &wanted.key) {
        Ok(part) => part,
        Err(Unclaimed::Taken) => return Err(local("another Plantain is putting it there".to_owned())),
        Err(Unclaimed::Io(error)) => return Err(unwritable(error)),
    };
    part.restart().map_err(unwritable)?;
    let mut piece = vec![0; PIECE];
    // One byte more than there should be shows that it has grown.
    while part.length <= home.bytes {
        match file.read(&mut piece).map_err(unreadable)? {
            0 => break,
            n => part.write(&piece[..n]).map_err(unwritable)?,
        }
    }
    let format = sniff::format(&part.head);
    match format {
        Ok(format) if part.length == home.bytes && part.sha256() == home.sha256 => {
            Complete { part, format, framed: true, status: 200 }.finish(wanted)
        }
        _ => {
            part.finish();
            Err(local(format!("{} was changed since it was fetched", home.file)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::naming::{Facts, Template};

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

    fn home(file: &std::path::Path, content: &[u8]) -> Home {
        use sha2::{Digest as _, Sha256};
        std::fs::write(file, content).expect("written");
        let sha256 = super::super::place::hex(&Sha256::digest(content));
        let file = file.to_str().expect("Unicode").to_owned();
        Home { file, bytes: content.len() as u64, sha256, format: "png".into(), width: None, height: None }
    }

    fn wanted(dir: std::path::PathBuf) -> Wanted {
        let facts = Facts { slug: "a-fox".into(), number: 1, ..Facts::default() };
        let names = Template::parse("{slug}.{ext}").expect("a template");
        Wanted { url: "https://example.com/x".into(), dir, key: "k-0".into(), names, facts, about: None }
    }

    #[test]
    fn a_copy_is_named_by_our_template_and_overwrites_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let from = home(&dir.path().join("there.png"), PNG);
        let wanted = wanted(dir.path().join("here"));
        std::fs::create_dir(&wanted.dir).expect("made");
        std::fs::write(wanted.dir.join("a-fox.png"), "another").expect("written");
        let copied = copy(&from, &wanted).expect("copied");
        assert!(copied.file.ends_with("here/a-fox-2.png"), "{}", copied.file);
        assert_eq!(std::fs::read(&copied.file).expect("read"), PNG);
        assert_eq!(std::fs::read(wanted.dir.join("a-fox.png")).expect("read"), b"another");
        assert_eq!(copy(&from, &wanted).expect("again").file, copied.file, "the same twice is one file");
        let names = std::fs::read_dir(&wanted.dir).expect("listed").count();
        assert_eq!(names, 2, "nothing is left over");
    }

    #[test]
    fn what_is_not_what_was_fetched_is_not_copied() {
        let dir = tempfile::tempdir().expect("a folder");
        let from = home(&dir.path().join("there.png"), PNG);
        let wanted = wanted(dir.path().join("here"));
        for content in [&PNG[..PNG.len() - 1], &[PNG, b"x"].concat(), &[&PNG[..20], &[7; 13]].concat()] {
            std::fs::write(&from.file, content).expect("written");
            assert!(matches!(copy(&from, &wanted), Err(Problem::Local { .. })));
        }
        std::fs::remove_file(&from.file).expect("removed");
        assert!(matches!(copy(&from, &wanted), Err(Problem::Local { .. })));
        assert_eq!(std::fs::read_dir(&wanted.dir).expect("listed").count(), 0);
    }
}
