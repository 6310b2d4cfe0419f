//! Files by the names that people and tasks have for them: whether they are still there, and what is in them.

use std::io;
use std::path::PathBuf;

use crate::domain::{AssetId, OutputState, Task};

/// Whether no file is there any more. What cannot be looked at counts as there: it may only be out of reach.
#[must_use]
pub fn is_gone(file: &str) -> bool {
    match std::fs::metadata(file) {
        Ok(about) => !about.is_file(),
        Err(why) => matches!(why.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
    }
}

/// Those of a task's files that are gone.
pub(super) async fn gone(files: Vec<(AssetId, String)>) -> Vec<AssetId> {
    let look = move || files.into_iter().filter(|(_, file)| is_gone(file)).map(|(asset, _)| asset).collect();
    tokio::task::spawn_blocking(look).await.unwrap_or_default()
}

/// A file that somebody named, as a `data:` URI, or why not.
pub(super) async fn inline(typed: String, media: String) -> Result<String, String> {
    let path = match typed.strip_prefix("file://") {
        Some(_) => url::Url::parse(&typed).ok().and_then(|url| url.to_file_path().ok()),
        None => match (typed.strip_prefix("~/"), etcetera::home_dir()) {
            (Some(rest), Ok(home)) => Some(home.join(rest)),
            _ => Some(PathBuf::from(&typed)),
        },
    };
    let path = path.ok_or_else(|| "this is neither an address nor a path".to_owned())?;
    let read = move || crate::api::data_uri(&path, &media).map_err(|why| why.to_string());
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|_| Err("reading it was cut short".to_owned()))
}

/// The outputs of a task that are not on this disk: gone, or never come.
#[must_use]
pub fn missing(task: &Task) -> Vec<AssetId> {
    let is_missing = |state: &OutputState| match state {
        OutputState::Home(home) => is_gone(&home.file),
        OutputState::Lost { .. } => true,
        OutputState::Away => false,
    };
    task.assets().filter(|(_, output)| is_missing(&output.state)).map(|(asset, _)| asset).collect()
}
