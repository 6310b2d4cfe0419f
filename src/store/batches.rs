//! What was sent together: its rows, where its tasks stand, whether it rests.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::read::{select_tasks, tasks};
use super::{Read, Store, rows};
use crate::domain::batch::{Member, Price, cost};
use crate::domain::{Catalogue, LocalId, Request, Stage, Task};
use crate::time::Wall;

const ROWS: &str = "SELECT row, id, stage FROM tasks WHERE batch = ?1 AND row IS NOT NULL";
/// With each failure whether it was tried again.
const MEMBERS: &str = "SELECT id, stage, body, stage IN ('fail', 'refused')
        AND EXISTS (SELECT 1 FROM tasks AS next WHERE next.parent = tasks.id AND next.how = 'retry')
    FROM tasks WHERE batch = ?1";
const FAILED: &str = select_tasks!("WHERE batch = ?1 AND stage IN ('fail', 'refused') ORDER BY created DESC, id DESC");
const ALL: &str = "SELECT name, created, paused FROM batches ORDER BY created DESC, name DESC LIMIT ?1";
const ONE: &str = "SELECT name, created, paused FROM batches WHERE name = ?1";
const RESTING: &str = "SELECT name FROM batches WHERE paused = 1 ORDER BY name";
const REST: &str = "UPDATE batches SET paused = ?2 WHERE name = ?1";
const DROP: &str = "DELETE FROM tasks WHERE id = ?1 AND stage IN ('saved', 'held')";

/// Every statement of this file, for a check at the start.
pub(super) const STATEMENTS: &[&str] = &[ROWS, MEMBERS, FAILED, ALL, ONE, RESTING, REST, DROP];

/// A row of a batch that was given before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its digest.
    pub row: String,
    /// The task it became.
    pub id: LocalId,
    /// How that stands.
    pub stage: Stage,
}

/// A batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its name.
    pub name: String,
    /// When its first task was made.
    pub created: Wall,
    /// Nothing of it is sent until somebody says so.
    pub paused: bool,
}

impl Store {
    /// The rows of a batch that were given before. Blocks.
    pub fn given(&self, name: &str) -> Read<Vec<Given>> {
        let name = name.to_owned();
        self.wait(move |conn| given(conn, &name))
    }

    /// The newest batches, newest first. Blocks.
    pub fn batches(&self, limit: usize) -> Read<Vec<Batch>> {
        self.wait(move |conn| newest(conn, limit))
    }

    /// The batch of this name. Blocks.
    pub fn batch(&self, name: &str) -> Read<Option<Batch>> {
        let name = name.to_owned();
        self.wait(move |conn| named(conn, &name))
    }

    /// All tasks of a batch: where they stand, and what they may cost by this catalogue. Blocks.
    pub fn members(&self, name: &str, catalogue: &Catalogue) -> Read<Vec<Member>> {
        let (name, catalogue) = (name.to_owned(), catalogue.clone());
        self.wait(move |conn| members(conn, &name, &catalogue))
    }

    /// Those tasks of a batch that ended without a result, newest first. Blocks.
    pub fn failed(&self, name: &str) -> Read<Vec<Task>> {
        let name = name.to_owned();
        self.wait(move |conn| failed(conn, &name))
    }

    /// Like [`Self::members`] and [`Self::failed`] together, with a callback on the store's thread.
    pub fn batch_then(
        &self,
        name: &str,
        catalogue: &Catalogue,
        then: impl FnOnce(Read<(Vec<Member>, Vec<Task>)>) + Send + 'static,
    ) {
        let (name, catalogue) = (name.to_owned(), catalogue.clone());
        self.later(move |conn| Ok((members(conn, &name, &catalogue)?, failed(conn, &name)?)), then);
    }
}

pub(super) fn given(conn: &Connection, name: &str) -> rusqlite::Result<Vec<Given>> {
    let mut statement = conn.prepare_cached(ROWS)?;
    let rows =
        statement.query_map([name], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)))?;
    let mut given = Vec::new();
    for found in rows {
        let (row, id, stage) = found?;
        // What this program does not understand was given all the same.
        if let Ok(id) = id.parse() {
            given.push(Given { row, id, stage: rows::stage(&stage).unwrap_or(Stage::Unknown) });
        }
    }
    Ok(given)
}

/// All tasks of a batch, with what they may cost by this catalogue.
pub(super) fn members(conn: &Connection, name: &str, catalogue: &Catalogue) -> rusqlite::Result<Vec<Member>> {
    let mut statement = conn.prepare_cached(MEMBERS)?;
    let mut rows = statement.query([name])?;
    let mut members = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, stage): (String, String) = (row.get(0)?, row.get(1)?);
        let request = Request::from_stored(row.get(2)?, String::new(), String::new());
        let price = request.ok().and_then(|request| cost(&request, catalogue));
        if let (Ok(id), Some(stage)) = (id.parse(), rows::stage(&stage)) {
            let retried = row.get::<_, Option<bool>>(3)?.unwrap_or(false);
            members.push(Member { id, stage, price: Price::from(price), retried });
        }
    }
    Ok(members)
}

/// Those of its tasks that ended without a result, newest first.
pub(super) fn failed(conn: &Connection, name: &str) -> rusqlite::Result<Vec<Task>> {
    tasks(conn, FAILED, [name])
}

/// The newest batches, newest first.
pub(super) fn newest(conn: &Connection, limit: usize) -> rusqlite::Result<Vec<Batch>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    conn.prepare_cached(ALL)?.query_map([limit], batch)?.collect()
}

pub(super) fn named(conn: &Connection, name: &str) -> rusqlite::Result<Option<Batch>> {
    conn.prepare_cached(ONE)?.query_row([name], batch).optional()
}

fn batch(row: &rusqlite::Row<'_>) -> rusqlite::Result<Batch> {
    Ok(Batch { name: row.get(0)?, created: Wall(row.get(1)?), paused: row.get(2)? })
}

/// The names of those that rest.
pub(super) fn resting(conn: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    conn.prepare_cached(RESTING)?.query_map([], |row| row.get(0))?.collect()
}

/// What rests now, if that is not what is known already.
pub(super) fn news(conn: &Connection, known: &mut BTreeSet<String>) -> rusqlite::Result<Option<BTreeSet<String>>> {
    let resting = resting(conn)?;
    let new = resting != *known;
    known.clone_from(&resting);
    Ok(new.then_some(resting))
}

pub(super) fn rest(conn: &Connection, name: &str, paused: bool) -> rusqlite::Result<()> {
    conn.prepare_cached(REST)?.execute(params![name, paused]).map(|_| ())
}

/// What was sent meanwhile stays.
pub(super) fn drop_unsent(conn: &Connection, ids: &[LocalId]) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(DROP)?;
    for id in ids {
        statement.execute([id.to_string()])?;
    }
    Ok(())
}
