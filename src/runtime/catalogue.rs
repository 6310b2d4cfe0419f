//! The catalogue in use: the one that was last brought from the service, if it is good, else the one in the program.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::domain::Catalogue;

/// The name of the file in the data folder.
pub const FILE: &str = "catalogue.json";
/// Largest file, in bytes.
const LARGEST: u64 = 8 << 20;

/// Why the file that is there is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file} is not used, the catalogue in the program is: {why}; `plantain models --refresh` makes it anew")]
pub struct BadFile {
    /// Which file.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
}

/// Where it is kept.
#[must_use]
pub fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// The catalogue in use, and what is wrong with the file, if something is.
#[must_use]
pub fn load(data: &Path) -> (Catalogue, Option<BadFile>) {
    match read(&path(data)) {
        Ok(Some(catalogue)) => (catalogue, None),
        Ok(None) => (Catalogue::built_in(), None),
        Err(why) => (Catalogue::built_in(), Some(BadFile { file: path(data).display().to_string(), why })),
    }
}

fn read(path: &Path) -> Result<Option<Catalogue>, String> {
    let mut text = String::new();
    match File::open(path) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(why.to_string()),
        Ok(file) => file.take(LARGEST + 1).read_to_string(&mut text).map_err(|why| why.to_string())?,
    };
    if text.len() as u64 > LARGEST {
        return Err(format!("it is larger than {LARGEST} bytes"));
    }
    let catalogue = Catalogue::parse(&text).map_err(|why| why.to_string())?;
    catalogue.check().map(|()| Some(catalogue))
}

/// Keeps a catalogue, whole or not at all.
///
/// # Errors
/// When it cannot be written; then the old one stays.
pub fn save(data: &Path, catalogue: &Catalogue) -> io::Result<()> {
    let text = catalogue.text().map_err(io::Error::other)?;
    fs::create_dir_all(data)?;
    let new = data.join(format!(".{FILE}-{}", std::process::id()));
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let kept = written.and_then(|()| fs::rename(&new, path(data)));
    if kept.is_err() {
        let _ = fs::remove_file(&new);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_file_is_told_and_not_used() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(load(dir.path()).1.is_none(), "without one all is well");
        save(dir.path(), &Catalogue::built_in()).expect("kept");
        let (catalogue, bad) = load(dir.path());
        assert_eq!((catalogue.models(), bad), (Catalogue::built_in().models(), None));
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 1, "nothing is left over");
        let whole = fs::read_to_string(path(dir.path())).expect("read");
        let upside_down = whole.replacen("\"max_length\": 5000", "\"max_length\": 5000, \"min_length\": 9000", 1);
        let half = &whole[..whole.len() / 2];
        for broken in ["", "{", "{\"schema\":2,\"default_model\":\"\",\"models\":[]}", half, &upside_down] {
            fs::write(path(dir.path()), broken).expect("written");
            let (catalogue, bad) = load(dir.path());
            assert_eq!(catalogue.models().len(), 37);
            assert!(bad.is_some_and(|bad| bad.to_string().contains(FILE)), "{broken:.40}");
        }
    }
}
