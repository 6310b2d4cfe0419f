//! What is on disk: tasks, their outputs and what is being typed, in one SQLite database that one thread owns.
//!
//! Everything given to [`Store`] is done in the order it was given, writes and reads alike, so a read sees every
//! write before it. Nothing here blocks its caller, except where the name or the text says so. Several programs may
//! have the same database open.

mod answers;
mod backup;
mod batches;
mod company;
mod lease;
mod network;
mod open;
mod pulse;
mod read;
mod relatives;
pub mod repair;
mod reserve;
mod rows;
mod thread;
mod write;
mod writing;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::domain::{Change, Draft, Found, Lesson, LocalId, Problem, Stage, Standing, Task, TaskId, Wish};
use crate::time::Wall;
use company::Company;
use reserve::Reserve;
use thread::{Done, Job};

/// Changes and reads that may wait. Beyond it they are refused, not queued: something is wrong with the disk.
const WAITING: usize = 10_000;
/// The name of the database in its folder.
pub const FILE: &str = "plantain.db";

/// Why the database cannot be opened. Nothing was overwritten or moved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A newer Plantain wrote it.
    #[error(
        "{} was written by a newer Plantain (format {version}); use that, or another data folder", .path.display()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        version: i64,
    },
    /// It is damaged, or no database of ours.
    #[error("{} cannot be read: {why}; it was left as it is, `plantain repair` saves what can be read", .path.display())]
    Broken {
        /// The database.
        path: PathBuf,
        /// In what way.
        why: String,
    },
    /// The folder or file cannot be made or written.
    #[error("{} cannot be written: {why}; choose another folder with --data-dir", .path.display())]
    Unwritable {
        /// The folder or file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
}

/// Why a change or a read was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreProblem {
    /// Too much is waiting already.
    #[error("the disk is too slow: {WAITING} changes are waiting")]
    Full,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The task, or another with the same name at the service, is there already.
    #[error("the task is stored already")]
    Exists(LocalId),
    /// The task is not there: another window may have forgotten it.
    #[error("the task is not stored")]
    Missing(LocalId),
    /// Only a task that was never sent can be forgotten.
    #[error("the task was sent; it cannot be forgotten")]
    Sent(LocalId),
    /// Another window holds the lease: it sends, this one must not.
    #[error("another window does the sending now")]
    NotOurs,
    /// It was sent with another API key: to another account the same request would be a new one.
    #[error("it was sent with another API key; only that one settles it without paying twice")]
    OtherKey,
    /// Another program kept the database locked for too long.
    #[error("the database is in use by another program")]
    Busy,
    /// A part of the database is damaged.
    #[error("the history is damaged; end every plantain on it, then `plantain repair` saves what can be read")]
    Damaged,
    /// The disk has no room.
    #[error("the disk is full")]
    NoRoom,
    /// The disk has room for what is under way alone.
    #[error("the disk is full: what is under way is still written down, nothing new is sent until there is room")]
    Reserved,
    /// Anything else that SQLite says.
    #[error("the database failed: {0}")]
    Disk(String),
}

impl From<StoreProblem> for Problem {
    fn from(problem: StoreProblem) -> Self {
        let message = problem.to_string();
        match problem {
            // It does not pass by itself, as a full disk may.
            StoreProblem::OtherKey => Self::Forbidden { message },
            _ => Self::Local { message },
        }
    }
}

/// What comes from the other programs on the database.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "a few a second at most, each moved twice")]
pub enum Heard {
    /// This program holds the lease from now on.
    Took {
        /// All tasks with work left, as they are to be taken from the last holder.
        unfinished: Vec<Task>,
    },
    /// The holder of the lease, or another window, changed something.
    News {
        /// The tasks that changed, as they are now.
        tasks: Vec<Task>,
        /// Tasks that are no more.
        gone: Vec<LocalId>,
        /// How many tasks are in each stage.
        counts: Vec<(Stage, u64)>,
        /// How this program stands to the others.
        standing: Standing,
    },
    /// The holder of the lease has looked into the account's list for a window that only watches.
    Found(Vec<Found>),
    /// Another window let batches rest, or go on: these rest now.
    Resting(BTreeSet<String>),
    /// Other windows want something of this one, which holds the lease; with the task each wish is about.
    Wishes(Vec<(Wish, Option<Task>)>),
}

/// What a read brought.
pub type Read<T> = Result<T, StoreProblem>;

/// The database. Shared behind an `Arc`; when the last owner drops it, everything given is made durable first.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// The name of its file system, if that is on another machine.
    remote: Option<String>,
    /// The name of the API key in use.
    account: Mutex<Option<String>>,
    jobs: Option<SyncSender<Job>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The name of the file system that a folder is on, or would be on, if that is on another machine.
#[must_use]
pub fn remote_file_system(dir: &Path) -> Option<String> {
    // It may not be there yet; then its parent tells.
    dir.ancestors().find(|place| place.exists()).and_then(network::remote)
}

impl Store {
    /// Opens the database in a folder, making both if they are missing (for this user alone), and brings it to
    /// the present format. Blocks for as long as that takes: a few milliseconds, unless another program is
    /// doing the same.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(FILE);
        let remote = remote_file_system(dir);
        let conn = open::open(dir, &path, remote.as_deref())?;
        let (jobs, inbox) = mpsc::sync_channel(WAITING);
        let folder = dir.to_owned();
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || thread::run(conn, Reserve::of(&folder), &inbox))
            .map_err(|error| StoreError::Unwritable { path: path.clone(), why: error.to_string() })?;
        Ok(Self { path, remote, account: Mutex::new(None), jobs: Some(jobs), thread: Mutex::new(Some(thread)) })
    }

    /// Where the database is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the user should know about the place it is in, in one sentence: windows on several machines cannot be
    /// relied on to see each other.
    #[must_use]
    pub fn caution(&self) -> Option<String> {
        let kind = self.remote.as_ref()?;
        Some(format!(
            "the data folder is on a network file system ({kind}): slower, and best used from one machine at a time"
        ))
    }

    /// Makes a change durable. `done` is called exactly once, when it is on disk or has failed, mostly on the
    /// store's thread: it should only pass the news on. Changes that wait are committed together; the callbacks
    /// run in the order of the changes.
    pub fn apply(&self, change: Change, done: impl FnOnce(Result<(), StoreProblem>) + Send + 'static) {
        self.give(Job::Change(change, Done::new(done)));
    }

    /// Joins the other programs on the database: says to which service this one talks, takes the lease if it is
    /// free and wanted, and hears of the others from now on, on the store's thread. Once for each store. Blocks.
    ///
    /// # Errors
    /// When the folder or the database cannot be written.
    pub fn join(&self, service: &str, wants: bool, listener: impl FnMut(Heard) + Send + 'static) -> Read<Standing> {
        let dir = self.path.parent().unwrap_or(Path::new(".")).to_owned();
        let account = self.account.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let service = (service.to_owned(), account);
        let (answer, inbox) = mpsc::sync_channel(1);
        let job = Job::Company(Box::new(move |given| {
            let joined = given.and_then(|(conn, company)| {
                let joined = Company::join(conn, &dir, service, wants, Box::new(listener))?;
                let standing = joined.standing().clone();
                *company = Some(joined);
                Ok(standing)
            });
            let _ = answer.send(joined);
        }));
        let jobs = self.jobs.as_ref().ok_or(StoreProblem::Closed)?;
        jobs.send(job).map_err(|_| StoreProblem::Closed)?;
        inbox.recv().unwrap_or(Err(StoreProblem::Closed))
    }

    /// Says with which API key this program talks to the service: a name for it, made with a salt that is kept here.
    /// Before [`Self::join`]. Blocks.
    ///
    /// # Errors
    /// When the salt cannot be read.
    pub fn introduce(&self, name: impl FnOnce(&[u8]) -> String) -> Read<()> {
        let name = name(&self.wait(read::salt)?);
        *self.account.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(name);
        Ok(())
    }

    /// From now on the lease is taken when it is free; `name` names the API key as for [`Self::introduce`].
    pub fn want_lease(&self, name: impl FnOnce(&[u8]) -> String + Send + 'static) {
        self.give(Job::Company(Box::new(|given| {
            if let Ok((conn, Some(company))) = given {
                match read::salt(conn) {
                    Ok(salt) => company.want(name(&salt)),
                    Err(error) => tracing::warn!(%error, "the lease is left to others"),
                }
            }
        })));
    }

    /// Leaves the lease to the others, for this program is about to be stopped: makes everything given before durable
    /// first. Blocks.
    pub fn release(&self) {
        let _ = self.gather(|conn, company| company.release(conn));
    }

    /// The program goes on after [`Self::release`]. Nothing: all is as it was. Otherwise another program has held the
    /// lease, and this one only watches until it hears [`Heard::Took`]. Blocks.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn reclaim(&self) -> Read<Option<Standing>> {
        self.gather(|conn, company| Ok(if company.reclaim(conn)? { None } else { Some(company.standing().clone()) }))
    }

    /// Something about the other programs, after everything that was given before. Blocks.
    fn gather<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Connection, &mut Company) -> Read<T> + Send + 'static,
    ) -> Read<T> {
        let (answer, inbox) = mpsc::sync_channel(1);
        let job = Job::Company(Box::new(move |given| {
            let _ = answer.send(given.and_then(|(conn, company)| match company {
                Some(company) => job(conn, company),
                None => Err(StoreProblem::Closed),
            }));
        }));
        let jobs = self.jobs.as_ref().ok_or(StoreProblem::Closed)?;
        jobs.send(job).map_err(|_| StoreProblem::Closed)?;
        inbox.recv().unwrap_or(Err(StoreProblem::Closed))
    }

    /// Waits until everything given before is durable, or has failed. Blocks.
    pub fn flush(&self) {
        let _ = self.wait(|_| Ok(()));
    }

    /// Drains what is waiting and closes the database. Blocks; the same happens on drop.
    pub fn close(self) {
        drop(self);
    }

    /// The newest tasks, newest first; with `before`, those older than the one with that time and id. Blocks.
    pub fn newest(&self, limit: usize, before: Option<(Wall, LocalId)>) -> Read<Vec<Task>> {
        self.wait(move |conn| read::newest(conn, limit, before))
    }

    /// Like [`Self::newest`], with a callback on the store's thread.
    pub fn newest_then(
        &self,
        limit: usize,
        before: Option<(Wall, LocalId)>,
        then: impl FnOnce(Read<Vec<Task>>) + Send + 'static,
    ) {
        self.later(move |conn| read::newest(conn, limit, before), then);
    }

    /// Tasks with work left: those that have not ended, and successes with outputs still to be fetched; newest
    /// first. Blocks.
    pub fn unfinished(&self) -> Read<Vec<Task>> {
        self.wait(read::unfinished)
    }

    /// Like [`Self::unfinished`], with a callback on the store's thread.
    pub fn unfinished_then(&self, then: impl FnOnce(Read<Vec<Task>>) + Send + 'static) {
        self.later(read::unfinished, then);
    }

    /// Tasks whose own id or service's id begins with the text, at most [`FOUND`]; an exact match comes alone.
    /// Empty or impossible text finds nothing. Blocks.
    pub fn find(&self, prefix: &str) -> Read<Vec<Task>> {
        let prefix = prefix.to_owned();
        self.wait(move |conn| read::find(conn, &prefix))
    }

    /// Like [`Self::find`], with a callback on the store's thread.
    pub fn find_then(&self, prefix: &str, then: impl FnOnce(Read<Vec<Task>>) + Send + 'static) {
        let prefix = prefix.to_owned();
        self.later(move |conn| read::find(conn, &prefix), then);
    }

    /// One task. Blocks.
    pub fn task(&self, id: LocalId) -> Read<Option<Task>> {
        self.wait(move |conn| read::task(conn, id))
    }

    /// Like [`Self::task`], with a callback on the store's thread.
    pub fn task_then(&self, id: LocalId, then: impl FnOnce(Read<Option<Task>>) + Send + 'static) {
        self.later(move |conn| read::task(conn, id), then);
    }

    /// Which of the service's tasks are stored here, and under which own id. Blocks.
    pub fn known(&self, task_id: &TaskId) -> Read<Option<LocalId>> {
        let task_id = task_id.clone();
        self.wait(move |conn| read::known(conn, &task_id))
    }

    /// Which of these tasks of the service are stored here, with a callback on the store's thread.
    pub fn known_of_then(&self, task_ids: Vec<TaskId>, then: impl FnOnce(Read<Vec<TaskId>>) + Send + 'static) {
        self.later(move |conn| read::known_of(conn, &task_ids), then);
    }

    /// How many tasks are in each stage; stages without any are left out. Blocks.
    pub fn counts(&self) -> Read<Vec<(Stage, u64)>> {
        self.wait(read::counts)
    }

    /// Like [`Self::counts`], with a callback on the store's thread.
    pub fn counts_then(&self, then: impl FnOnce(Read<Vec<(Stage, u64)>>) + Send + 'static) {
        self.later(read::counts, then);
    }

    /// What was last in the editor. Blocks.
    pub fn draft(&self) -> Read<Option<Draft>> {
        Ok(self.drafts()?.into_iter().next())
    }

    /// What was being typed, one draft for each model; the one that was last in the editor comes first. Blocks.
    pub fn drafts(&self) -> Read<Vec<Draft>> {
        self.wait(writing::drafts)
    }

    /// What was learned of how long tasks take. Blocks.
    pub fn learned(&self) -> Read<Vec<Lesson>> {
        self.wait(read::learned)
    }

    /// Like [`Self::learned`], with a callback on the store's thread.
    pub fn learned_then(&self, then: impl FnOnce(Read<Vec<Lesson>>) + Send + 'static) {
        self.later(read::learned, then);
    }

    fn give(&self, job: Job) {
        let Some(jobs) = &self.jobs else { return };
        match jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(job)) => job.fail(StoreProblem::Full),
            Err(TrySendError::Disconnected(job)) => job.fail(StoreProblem::Closed),
        }
    }

    fn later<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        then: impl FnOnce(Read<T>) + Send + 'static,
    ) {
        self.give(thread::reading(read, then));
    }

    fn wait<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Read<T> {
        let (answer, inbox) = mpsc::sync_channel(1);
        let job = thread::reading(read, move |result| {
            let _ = answer.send(result);
        });
        let jobs = self.jobs.as_ref().ok_or(StoreProblem::Closed)?;
        jobs.send(job).map_err(|_| StoreProblem::Closed)?;
        inbox.recv().unwrap_or(Err(StoreProblem::Closed))
    }
}

pub use batches::{Batch, Given};
pub use read::FOUND;

impl Drop for Store {
    fn drop(&mut self) {
        // Without a sender the thread ends after the last waiting job.
        self.jobs = None;
        let thread = self.thread.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // The last owner may be a callback, on the thread itself.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}
