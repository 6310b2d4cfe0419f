//! The files behind `__name__` in templates: each read once, whole, and only from inside of its folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use tokio::sync::mpsc;

use crate::app::Msg;
use crate::app::editor::Found;
use crate::domain::template::{ListLine, Lists, lines, names};

use super::Note;

/// Largest list, in bytes.
const LARGEST: u64 = 1 << 20;
/// Most lists.
const MOST: usize = 1000;
/// All lists of a template that is typed together, in bytes: it is read again while it is.
const ROOM: usize = 16 << 20;

/// A list that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BadList {
    /// Nobody knows where they are.
    #[error("there is no folder for lists; say where they are with --lists")]
    NoFolder,
    /// There is no such file.
    #[error("the list {0:?} cannot be read: there is no {1}")]
    Missing(String, String),
    /// The system says no: name, file, and why.
    #[error("the list {0:?} cannot be read from {1}: {2}")]
    Unreadable(String, String, String),
    /// Larger than a list may be.
    #[error("the list {0:?} is larger than {LARGEST} bytes")]
    Huge(String),
    /// No text.
    #[error("the list {0:?} is no text in UTF-8")]
    Binary(String),
    /// Name and folder.
    #[error("the list {0:?} is a link that leads out of {1}")]
    Outside(String, String),
    /// Too many.
    #[error("more than {MOST} lists")]
    Many,
    /// Too much together.
    #[error("the lists are larger than {ROOM} bytes together")]
    Room,
    /// A line is no template.
    #[error("{0}")]
    Template(#[from] crate::domain::template::TemplateError),
}

/// Reads the lists that these prompts need, and those that the lists need. Prompts that are no templates name none: they
/// are told of later, with their line.
///
/// # Errors
/// The first list that cannot be read.
pub fn read<'a>(prompts: impl Iterator<Item = &'a str>, folder: Option<&Path>) -> Result<Lists, BadList> {
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    prompts.for_each(|prompt| wanted.extend(names(prompt).unwrap_or_default()));
    if wanted.is_empty() {
        return Ok(Lists::default());
    }
    let folder = match folder {
        Some(folder) => folder.to_owned(),
        None => default_folder().ok_or(BadList::NoFolder)?,
    };
    let mut raw: BTreeMap<String, Vec<ListLine>> = BTreeMap::new();
    while let Some(name) = wanted.pop_first() {
        if raw.len() >= MOST {
            return Err(BadList::Many);
        }
        let list = lines(&one(&name, &folder)?);
        for line in &list {
            wanted.extend(names(&line.text).unwrap_or_default());
        }
        raw.insert(name, list);
        wanted.retain(|name| !raw.contains_key(name));
    }
    Ok(Lists::link(&raw)?)
}

/// The same for a template that is being typed: each list, or why it cannot be read.
#[must_use]
pub fn read_each(names: &BTreeSet<String>, folder: Option<&Path>) -> Found {
    let folder = folder.map(Path::to_owned).or_else(default_folder);
    let (mut wanted, mut found, mut room) = (names.clone(), Found::new(), ROOM);
    while let Some(name) = wanted.pop_first() {
        let text = match &folder {
            _ if found.len() >= MOST => Err(BadList::Many),
            None => Err(BadList::NoFolder),
            Some(folder) => one(&name, folder),
        };
        let text = text.and_then(|text| {
            room = room.checked_sub(text.len()).ok_or(BadList::Room)?;
            Ok(text)
        });
        let list = text.map(|text| lines(&text)).map_err(|why| why.to_string());
        for line in list.iter().flatten() {
            wanted.extend(self::names(&line.text).unwrap_or_default());
        }
        let full = found.len() >= MOST;
        found.insert(name, list);
        wanted.retain(|name| !full && !found.contains_key(name));
    }
    found
}

/// Reads lists for the screen, beside the loop.
pub(super) fn answer(names: BTreeSet<String>, inbox: mpsc::Sender<Note>) {
    tokio::task::spawn_blocking(move || {
        let found = read_each(&names, None);
        // A loop that has ended needs none.
        let _ = inbox.blocking_send(Note::Msg(Msg::Lists { names, found }));
    });
}

fn default_folder() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join("plantain").join("lists"))
}

fn one(name: &str, folder: &Path) -> Result<String, BadList> {
    let file = folder.join(format!("{name}.txt"));
    let unreadable = |why: std::io::Error| match why.kind() {
        std::io::ErrorKind::NotFound => BadList::Missing(name.into(), file.display().to_string()),
        _ => BadList::Unreadable(name.into(), file.display().to_string(), why.to_string()),
    };
    let (real, root) = (file.canonicalize().map_err(unreadable)?, folder.canonicalize().map_err(unreadable)?);
    if !real.starts_with(&root) {
        return Err(BadList::Outside(name.into(), root.display().to_string()));
    }
    if !real.is_file() {
        return Err(unreadable(std::io::Error::other("it is no file")));
    }
    let mut bytes = Vec::new();
    File::open(&real).map_err(unreadable)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(BadList::Huge(name.into()));
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or_else(|| BadList::Binary(name.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// G3
    #[test]
    fn each_list_comes_or_says_why_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let put =
            |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(format!("{name}.txt")), bytes).expect("written");
        put("colour", b"red\n__shade__ blue\n");
        put("shade", b"pale\n");
        put("binary", b"a\0b\n");
        put("huge", &vec![b'x'; (1 << 20) + 1]);
        let names: BTreeSet<String> = ["colour", "binary", "huge", "gone"].map(str::to_owned).into();
        let found = read_each(&names, Some(dir.path()));
        assert_eq!(found.len(), 5, "and the one that a list names: {found:?}");
        assert_eq!(found["colour"].as_ref().map(Vec::len), Ok(2));
        assert_eq!(found["shade"].as_ref().map(Vec::len), Ok(1));
        for (name, words) in [("binary", "no text"), ("huge", "larger than"), ("gone", "there is no /")] {
            assert!(found[name].as_ref().is_err_and(|why| why.contains(words)), "{:?}", found[name]);
        }
    }
}
