//! Rows and what they stand for. A row is never lost because a part of it cannot be read: what can be told from
//! the rest is told.

use std::sync::Arc;

use rusqlite::Row;
use serde::Serialize;
use serde_json::Map;

use crate::domain::batch::Mark;
use crate::domain::{
    Failure, GivenUp, Home, How, Kin, Output, OutputState, Problem, Request, Stage, Status, Task, Times,
};
use crate::time::Wall;

/// A value as JSON text.
pub(super) fn json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// The stage a word stands for.
pub(super) fn stage(word: &str) -> Option<Stage> {
    Stage::ALL.into_iter().find(|stage| stage.word() == word)
}

/// A task without its outputs; none if not even its own id can be read.
pub(super) fn task(row: &Row<'_>) -> rusqlite::Result<Option<Task>> {
    let id: String = row.get(0)?;
    let Ok(id) = id.parse() else {
        tracing::warn!("a stored task has an id that cannot be read; it is passed over");
        return Ok(None);
    };
    let word: String = row.get(7)?;
    let stored: String = row.get(8)?;
    let status = serde_json::from_str(&stored).unwrap_or_else(|error| {
        tracing::warn!(task = %id, %error, "a stored status cannot be read");
        status_by_word(&word)
    });
    let times: String = row.get(9)?;
    Ok(Some(Task {
        id,
        task_id: row.get::<_, Option<String>>(1)?.and_then(|text| text.parse().ok()),
        request: Arc::new(request(row)?),
        status,
        times: serde_json::from_str::<Times>(&times).unwrap_or_default(),
        created: Wall(row.get(10)?),
        completed: row.get::<_, Option<i64>>(11)?.map(Wall),
        outputs: Vec::new(),
        mark: mark(row)?.map(Arc::new),
        kin: kin(row)?,
        starred: row.get(17)?,
    }))
}

fn mark(row: &Row<'_>) -> rusqlite::Result<Option<Mark>> {
    let (batch, digest): (Option<String>, Option<String>) = (row.get(12)?, row.get(13)?);
    let seed = row.get::<_, Option<i64>>(14)?.map(i64::cast_unsigned);
    Ok(batch.map(|batch| Mark { batch, row: digest.unwrap_or_default(), seed }))
}

/// A way that this program does not know is told as the commonest one: the parent counts.
fn kin(row: &Row<'_>) -> rusqlite::Result<Option<Kin>> {
    let (parent, how): (Option<String>, Option<String>) = (row.get(15)?, row.get(16)?);
    let parent = parent.and_then(|parent| parent.parse().ok());
    Ok(parent.map(|parent| Kin { parent, how: how.and_then(|how| how.parse().ok()).unwrap_or(How::Vary) }))
}

fn request(row: &Row<'_>) -> rusqlite::Result<Request> {
    let (body, template, prompt): (String, String, String) = (row.get(4)?, row.get(5)?, row.get(6)?);
    match Request::from_stored(body.clone(), template.clone(), prompt.clone()) {
        Ok(request) => Ok(request),
        // The bytes still count: they are what was sent.
        Err(_) => Ok(Request { model: row.get(2)?, route: row.get(3)?, input: Map::new(), template, prompt, body }),
    }
}

/// The most careful status that the word alone allows: nothing is sent by itself, nothing is taken for lost.
fn status_by_word(word: &str) -> Status {
    let unreadable = || Problem::Local { message: "its stored status cannot be read".into() };
    match stage(word) {
        Some(Stage::Queued) => Status::Queued,
        Some(Stage::Handling) => Status::Handling,
        Some(Stage::Archiving) => Status::Archiving,
        Some(Stage::Success) => Status::Success,
        Some(Stage::Failed) => Status::Failed(Failure::default()),
        Some(Stage::GivenUp) => Status::GivenUp(GivenUp::default()),
        Some(Stage::Refused) => Status::Refused(unreadable()),
        Some(Stage::Saved | Stage::Held) => Status::Held(Some(unreadable())),
        Some(Stage::Sending | Stage::Unsure) => Status::Unsure(Some(unreadable())),
        Some(Stage::Unknown) | None => Status::Unknown(word.chars().take(64).collect()),
    }
}

/// An output.
pub(super) fn output(row: &Row<'_>) -> rusqlite::Result<Output> {
    let place: String = row.get(3)?;
    let state = match place.as_str() {
        "home" => OutputState::Home(Home {
            file: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
            bytes: row.get::<_, Option<i64>>(6)?.and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
            sha256: row.get::<_, Option<String>>(7)?.unwrap_or_default(),
            format: row.get::<_, Option<String>>(8)?.unwrap_or_default(),
            width: row.get(9)?,
            height: row.get(10)?,
        }),
        "lost" => OutputState::Lost { why: row.get::<_, Option<String>>(4)?.unwrap_or_default() },
        _ => OutputState::Away,
    };
    Ok(Output { url: row.get(0)?, role: row.get(1)?, expires: row.get::<_, Option<i64>>(2)?.map(Wall), state })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_has_a_word_that_leads_back() {
        for one in Stage::ALL {
            assert_eq!(stage(one.word()), Some(one));
            assert_eq!(status_by_word(one.word()).is_final(), one.is_final());
        }
        assert_eq!(status_by_word("melted"), Status::Unknown("melted".into()));
    }
}
