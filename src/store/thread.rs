//! The thread that owns the database: takes what waits, commits changes together, answers reads in between.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvError, RecvTimeoutError};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::company::Company;
use super::reserve::Reserve;
use super::{Read, StoreProblem, write};
use crate::domain::{Change, Stage};

/// Most changes in one transaction.
const BATCH: usize = 500;

/// A read together with its callback; given no connection, it fails.
type Question = Box<dyn FnOnce(Result<&Connection, StoreProblem>) + Send>;

/// Something about the other programs on the database; given no connection, it fails.
type Gathering = Box<dyn FnOnce(Result<(&mut Connection, &mut Option<Company>), StoreProblem>) + Send>;

/// Something to do.
pub(super) enum Job {
    Change(Change, Done),
    Read(Question),
    Company(Gathering),
}

impl Job {
    /// Ends it without doing it.
    pub(super) fn fail(self, problem: StoreProblem) {
        match self {
            Self::Change(_, done) => done.call(Err(problem)),
            Self::Read(read) => read(Err(problem)),
            Self::Company(job) => job(Err(problem)),
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
        self.tell(result);
    }

    fn tell(&mut self, result: Result<(), StoreProblem>) {
        if let Some(callback) = self.0.take() {
            guarded(|| callback(result));
        }
    }
}

/// A callback that panics must not take the store, and what others gave it, along. The panic hook has told of it.
fn guarded(callback: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(callback));
}

impl Drop for Done {
    fn drop(&mut self) {
        self.tell(Err(StoreProblem::Closed));
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

/// Works until every sender is gone and nothing waits any more. Then the lease, if it is ours, is free.
pub(super) fn run(mut conn: Connection, mut reserve: Reserve, inbox: &Receiver<Job>) {
    let mut company: Option<Company> = None;
    let mut next = None;
    loop {
        let job = match next.take() {
            Some(job) => job,
            None => match wait(inbox, company.as_ref()) {
                Ok(Some(job)) => job,
                Ok(None) => {
                    look_around(&mut conn, company.as_mut());
                    continue;
                }
                Err(RecvError) => return,
            },
        };
        match job {
            Job::Read(read) => guarded(|| read(Ok(&conn))),
            Job::Company(job) => guarded(|| job(Ok((&mut conn, &mut company)))),
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
                commit(&mut conn, batch, company.as_mut(), &mut reserve);
            }
        }
        look_around(&mut conn, company.as_mut());
    }
}

/// The next job; none when the others are to be looked at first.
fn wait(inbox: &Receiver<Job>, company: Option<&Company>) -> Result<Option<Job>, RecvError> {
    match company {
        None => inbox.recv().map(Some),
        Some(company) => match inbox.recv_timeout(company.wait()) {
            Ok(job) => Ok(Some(job)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(RecvError),
        },
    }
}

fn look_around(conn: &mut Connection, company: Option<&mut Company>) {
    if let Some(company) = company {
        guarded(|| company.poll(conn));
    }
}

/// One transaction for all; a change that is wrong in itself fails alone. On a full disk the reserve is given up, for
/// what is under way.
fn commit(conn: &mut Connection, batch: Vec<(Change, Done)>, mut company: Option<&mut Company>, reserve: &mut Reserve) {
    let kept = reserve.keep();
    let goes_on = batch.iter().any(|(change, _)| !begins(change));
    let mut result = try_commit(conn, &batch, company.as_deref_mut(), kept);
    if matches!(result, Err(StoreProblem::NoRoom)) && goes_on && reserve.give_up() {
        result = try_commit(conn, &batch, company, false);
    }
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

/// What is not about something under way: new tasks, what is about to be sent, and what can be missed.
fn begins(change: &Change) -> bool {
    match change {
        Change::New(task) | Change::Intent(task) => task.task_id.is_none(),
        Change::Progress(task) => task.status.stage() == Stage::Sending,
        Change::Draft(_) | Change::Learned(_) | Change::Found(_) => true,
        Change::Forget(_) | Change::Drop(_) | Change::Batch { .. } => false,
        Change::Star(..) | Change::Wish(_) | Change::Paused(_) => false,
    }
}

/// Without the reserve nothing new is begun.
fn try_commit(
    conn: &mut Connection,
    batch: &[(Change, Done)],
    mut company: Option<&mut Company>,
    reserved: bool,
) -> Result<Vec<Result<(), StoreProblem>>, StoreProblem> {
    let sql = |error: rusqlite::Error| problem(&error);
    if let Some(company) = company.as_mut() {
        company.pay(conn)?;
        if batch.iter().any(|(change, _)| matches!(change, Change::Intent(_) | Change::Wish(_))) {
            company.wished();
        }
        if batch.iter().any(|(change, _)| matches!(change, Change::Batch { .. })) {
            // Another window may have said otherwise at the same moment: what holds is what is written.
            company.wished();
        }
    }
    let company = company.as_deref();
    // Immediate: what is read before a write must not change until it is written.
    let mut all = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(sql)?;
    let mut results = Vec::with_capacity(batch.len());
    for (change, _) in batch {
        let result =
            if !reserved && begins(change) { Err(StoreProblem::Reserved) } else { alone(&mut all, change, company)? };
        results.push(result);
    }
    crate::step::step("store: before the commit");
    all.commit().map_err(sql)?;
    crate::step::step("store: committed, not reported");
    Ok(results)
}

/// The outer error is the database's and ends the whole transaction, the inner one is the change's own.
fn alone(
    all: &mut Transaction<'_>,
    change: &Change,
    company: Option<&Company>,
) -> Result<Result<(), StoreProblem>, StoreProblem> {
    let sql = |error: rusqlite::Error| problem(&error);
    let one = all.savepoint().map_err(sql)?;
    match write::apply(&one, change, company) {
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
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreProblem::Damaged,
        _ => StoreProblem::Disk(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::domain::Draft;
    use crate::store::{open, writing};

    fn draft(prompt: &str) -> Change {
        Change::Draft(Draft { prompt: prompt.into(), ..Draft::default() })
    }

    fn last(conn: &Connection) -> String {
        writing::drafts(conn).expect("a read").remove(0).prompt
    }

    /// Commits the changes together and says what each was told.
    fn told(conn: &mut Connection, changes: Vec<Change>) -> Vec<Result<(), StoreProblem>> {
        let (sender, inbox) = mpsc::channel();
        let batch = changes.into_iter().map(|change| {
            let sender = sender.clone();
            (change, Done::new(move |result| sender.send(result).expect("a listener")))
        });
        let dir = tempfile::tempdir().expect("a folder");
        commit(conn, batch.collect(), None, &mut Reserve::of(dir.path()));
        drop(sender);
        inbox.iter().collect()
    }

    /// C5: on a full disk everybody in the batch is told, nothing is half done, and room makes it work again.
    #[test]
    fn a_full_disk_fails_the_whole_batch() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut conn = open::open(dir.path(), &dir.path().join("x.db"), None).expect("opens");
        assert_eq!(told(&mut conn, vec![draft("old")]), [Ok(())]);
        let pages: i64 = conn.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("a count");
        let limit = |conn: &Connection, pages: i64| {
            conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).expect("a limit");
        };
        limit(&conn, pages);
        let huge = "x".repeat(1 << 20);
        let full = Err(StoreProblem::NoRoom);
        assert_eq!(
            told(&mut conn, vec![draft("new"), draft(&huge), draft("newer")]),
            [full.clone(), full.clone(), full]
        );
        assert_eq!(last(&conn), "old");
        limit(&conn, 1 << 20);
        assert_eq!(told(&mut conn, vec![draft(&huge)]), [Ok(())]);
        assert_eq!(last(&conn), huge);
    }

    /// Another program that does not let go is waited for, and then named.
    #[test]
    fn a_locked_database_is_said_to_be_busy() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("x.db");
        let mut conn = open::open(dir.path(), &path, None).expect("opens");
        let other = open::open(dir.path(), &path, None).expect("opens");
        conn.busy_timeout(std::time::Duration::ZERO).expect("set");
        other.execute_batch("BEGIN IMMEDIATE").expect("locked");
        assert_eq!(told(&mut conn, vec![draft("a")]), [Err(StoreProblem::Busy)]);
        other.execute_batch("COMMIT").expect("unlocked");
        assert_eq!(told(&mut conn, vec![draft("a")]), [Ok(())]);
    }

    /// C13: on a file system of another machine there is no shared memory for a log, also for what was made locally.
    #[test]
    fn on_another_machine_there_is_no_log() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("x.db");
        for (remote, journal) in [(None, "wal"), (Some("nfs4"), "delete"), (None, "wal")] {
            let mut conn = open::open(dir.path(), &path, remote).expect("opens");
            let mode: String = conn.query_row("PRAGMA journal_mode", [], |row| row.get(0)).expect("a mode");
            assert_eq!(mode, journal);
            assert_eq!(told(&mut conn, vec![draft("kept")]), [Ok(())]);
        }
    }

    #[test]
    fn a_callback_that_is_dropped_is_called() {
        let (sender, inbox) = mpsc::channel();
        drop(Done::new(move |result| sender.send(result).expect("a listener")));
        assert_eq!(inbox.recv(), Ok(Err(StoreProblem::Closed)));
    }
}
