//! The files behind `__name__` in templates: each read once, whole, and only from inside of its folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use crate::domain::batch::Row;
use crate::domain::template::{ListLine, Lists, lines, names};

/// Largest list, in bytes.
const LARGEST: u64 = 1 << 20;
/// Most lists.
const MOST: usize = 1000;

/// A list that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadList {
    #[error("there is no folder for lists; say where they are with --lists")]
    NoFolder,
    #[error("the list {0:?} cannot be read from {1}: {2}")]
    Unreadable(String, String, String),
    #[error("the list {0:?} is larger than {LARGEST} bytes")]
    Huge(String),
    #[error("the list {0:?} is no text in UTF-8")]
    Binary(String),
    #[error("the list {0:?} is a link that leads out of {1}")]
    Outside(String, String),
    #[error("more than {MOST} lists")]
    Many,
    #[error("{0}")]
    Template(#[from] crate::domain::template::TemplateError),
}

/// Reads the lists that these rows need, and those that the lists need. Rows that are no templates name none: they
/// are told of later, with their line.
pub(super) fn read(rows: &[Row], folder: Option<&Path>) -> Result<Lists, BadList> {
    let mut wanted: BTreeSet<String> = BTreeSet::new();
    for row in rows {
        wanted.extend(names(&row.draft.prompt).unwrap_or_default());
    }
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

fn default_folder() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join("plantain").join("lists"))
}

fn one(name: &str, folder: &Path) -> Result<String, BadList> {
    let file = folder.join(format!("{name}.txt"));
    let unreadable =
        |why: std::io::Error| BadList::Unreadable(name.into(), file.display().to_string(), why.to_string());
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
