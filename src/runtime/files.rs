//! Whether files are still where they were put.

use std::io;

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
