//! The thread that owns the database: takes what waits, commits changes together, answers reads in between.

use std::sync::mpsc::Receiver;

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::{Read, StoreProblem, write};
use crate::domain::Change;

/// Most changes in one transaction.
const BATCH: usize = 500;

/// Something to do.
pub(super) enum Job {
    Change(Change, Done),
    Read(Box<dyn FnOnce(Result<&Connection, StoreProblem>) + Send>),
}

impl Job {
    /// Ends it without doing it.
    pub(super) fn fail(self, problem: StoreProblem) {
        match self {
            Self::Change(_, done) => done.call(Err(problem)),
            Self::Read(read) => read(Err(problem)),
        }
    }
}

type Callback = Box<dyn FnOnce(Result<(), StoreProblem>) + Send>;

/// A callback that is called once, come what may: if it is dropped, the thread is gone and the change with it.
pub(super) struct Done(Option<Callback>);

impl Done {
    pub(super) fn new(callback: impl FnOnce(Result<(), StoreProblem>) + Send + 'static) -> Self {
        Self(Some(Box::new(callback)))
    }

    fn call(mut self, result: Result<(), StoreProblem>) {
        if let Some(callback) = self.0.take() {
            callback(result);
        }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        if let Some(callback) = self.0.take() {
            callback(Err(StoreProblem::Closed));
        }
    }
}

/// A read and what to do with what it brings.
pub(super) fn reading<T>(
    read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    then: impl FnOnce(Read<T>) + Send + 'static,
) -> Job {
    Job::Read(Box::new(move |conn| {
        then(conn.and_then(|conn| {
            // One transaction, so that a task and its outputs are of the same moment.
            let moment = conn.unchecked_transaction().map_err(|error| problem(&error))?;
            read(&moment).map_err(|error| problem(&error))
        }));
    }))
}

/// Works until every sender is gone and nothing waits any more.
pub(super) fn run(mut conn: Connection, inbox: &Receiver<Job>) {
    let mut next = inbox.recv().ok();
    while let Some(job) = next.take() {
        match job {
            Job::Read(read) => read(Ok(&conn)),
            Job::Change(change, done) => {
                let mut batch = vec![(change, done)];
                while batch.len() < BATCH {
                    match inbox.try_recv() {
                        Ok(Job::Change(change, done)) => batch.push((change, done)),
                        Ok(other) => {
                            next = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                commit(&mut conn, batch);
            }
        }
        next = next.or_else(|| inbox.recv().ok());
    }
}

/// One transaction for all; a change that is wrong in itself fails alone.
fn commit(conn: &mut Connection, batch: Vec<(Change, Done)>) {
    let result = try_commit(conn, &batch);
    match result {
        Ok(results) => {
            for ((_, done), result) in batch.into_iter().zip(results) {
                done.call(result);
            }
        }
        Err(problem) => {
            for (_, done) in batch {
                done.call(Err(problem.clone()));
            }
        }
    }
}

fn try_commit(conn: &mut Connection, batch: &[(Change, Done)]) -> Result<Vec<Result<(), StoreProblem>>, StoreProblem> {
    let sql = |error: rusqlite::Error| problem(&error);
    // Immediate: what is read before a write must not change until it is written.
    let mut all = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
    let mut results = Vec::with_capacity(batch.len());
    for (change, _) in batch {
        results.push(alone(&mut all, change)?);
    }
    all.commit().map_err(sql)?;
    Ok(results)
}

/// The outer error is the database's and ends the whole transaction, the inner one is the change's own.
fn alone(all: &mut Transaction<'_>, change: &Change) -> Result<Result<(), StoreProblem>, StoreProblem> {
    let sql = |error: rusqlite::Error| problem(&error);
    let one = all.savepoint().map_err(sql)?;
    match write::apply(&one, change) {
        Ok(()) => one.commit().map(Ok).map_err(sql),
        Err(write::Fault::Own(problem)) => one.finish().map(|()| Err(problem)).map_err(sql),
        Err(write::Fault::Sql(error)) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            one.finish().map(|()| Err(problem(&error))).map_err(sql)
        }
        Err(write::Fault::Sql(error)) => Err(problem(&error)),
    }
}

pub(super) fn problem(error: &rusqlite::Error) -> StoreProblem {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreProblem::Busy,
        Some(ErrorCode::DiskFull) => StoreProblem::NoRoom,
        _ => StoreProblem::Disk(error.to_string()),
    }
}
