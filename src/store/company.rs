//! Several programs on one database: taking the lease over, hearing what others changed, passing wishes on.
//!
//! All of it happens on the store's thread, between jobs. Looking whether anything changed is one number of SQLite's;
//! rows are read only when it moved, and only those that changed.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, named_params, params};

use super::lease::Seat;
use super::write::Fault;
use super::{Heard, StoreProblem, answers, read, rows};
use crate::domain::{Holder, LocalId, Problem, Stage, Standing, Status, Task, Wish};

/// How often the others are looked at. A dead holder is replaced within this time.
const PACE: Duration = Duration::from_millis(300);
/// Most rows and wishes taken at once.
const SLICE: usize = 500;

const NUMBER: &str = "SELECT coalesce(max(seq), 0) FROM changes";
const CHANGED: &str = "SELECT seq, task FROM changes WHERE seq > ?1 ORDER BY seq LIMIT ?2";
const HOLDER: &str = "SELECT window, pid, host, service, paused FROM lease WHERE one = 1";
const HOLD: &str = "INSERT INTO lease (one, window, pid, host, service) VALUES (1, :window, :pid, :host, :service)
    ON CONFLICT (one) DO UPDATE SET window = excluded.window, pid = excluded.pid, host = excluded.host,
        service = excluded.service, paused = NULL";
const PAUSED: &str = "UPDATE lease SET paused = ?1 WHERE window = ?2";
const WISH: &str = "INSERT INTO wishes (window, service, task, send, wish) VALUES (?1, ?2, ?3, ?4, ?5)";
const WISHES: &str = "SELECT id, send, wish FROM wishes WHERE taken = 0 AND service = ?1 ORDER BY id LIMIT ?2";
const TAKEN: &str = "UPDATE wishes SET taken = 1 WHERE id = ?1";
const GRANTED: &str = "DELETE FROM wishes WHERE id = ?1";
const OWNERS: &str = "SELECT DISTINCT window FROM wishes";
const ORPHANED: &str = "DELETE FROM wishes WHERE window = ?1";
const OVER: &str = "DELETE FROM wishes WHERE taken = 1 AND (send = 0 OR task NOT IN
    (SELECT id FROM tasks WHERE stage IN ('saved', 'sending', 'unsure')))";
const ANEW: &str = "UPDATE wishes SET taken = 0";
const LEFT: &str = "UPDATE tasks SET stage = ?1, status = ?2 WHERE stage = ?3
    AND (?3 = 'sending' OR id NOT IN (SELECT task FROM wishes WHERE send = 1))";

/// Every statement of this file, for a check at the start.
pub(super) const STATEMENTS: &[&str] =
    &[NUMBER, CHANGED, HOLDER, HOLD, PAUSED, WISH, WISHES, TAKEN, GRANTED, OWNERS, ORPHANED, OVER, ANEW, LEFT];

/// What is told to whoever joined.
type Listener = Box<dyn FnMut(Heard) + Send>;

/// This program among those on the database.
pub(super) struct Company {
    seat: Seat,
    service: String,
    host: String,
    /// It takes the lease when it can.
    wants: bool,
    listener: Listener,
    /// SQLite's number of the last change by another connection that was looked at.
    version: i64,
    /// The last change that was read.
    seen: i64,
    /// The last answer that was read.
    answered: i64,
    next: Instant,
    standing: Standing,
}

impl Company {
    /// Joins the others, and takes the lease if it is free.
    pub(super) fn join(
        conn: &mut Connection,
        dir: &Path,
        service: String,
        wants: bool,
        listener: Listener,
    ) -> Result<Self, StoreProblem> {
        let sql = |error: rusqlite::Error| super::thread::problem(&error);
        let seat = Seat::take(dir).map_err(|error| StoreProblem::Disk(error.to_string()))?;
        let seen = conn.query_row(NUMBER, [], |row| row.get(0)).map_err(sql)?;
        let answered = answers::last(conn).map_err(sql)?;
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
        let standing = Standing::default();
        let next = Instant::now() + PACE;
        let mut company = Self { seat, service, host, wants, listener, version: -1, seen, answered, next, standing };
        if wants && company.seat.hold() {
            company.take_over(conn)?;
        } else {
            company.standing = company.look(conn).map_err(sql)?;
        }
        Ok(company)
    }

    /// How this program stands to the others.
    pub(super) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// From now on it takes the lease when it can.
    pub(super) fn want(&mut self) {
        self.wants = true;
        self.next = Instant::now();
    }

    /// How long until the others are to be looked at.
    pub(super) fn wait(&self) -> Duration {
        self.next.saturating_duration_since(Instant::now())
    }

    /// Looks at the others, if it is time.
    pub(super) fn poll(&mut self, conn: &mut Connection) {
        if !self.wait().is_zero() {
            return;
        }
        self.next = Instant::now() + PACE;
        if let Err(problem) = self.try_poll(conn) {
            // Nothing is lost: it is looked at again.
            tracing::debug!(%problem, "the other windows cannot be heard");
            self.version = -1;
        }
    }

    fn try_poll(&mut self, conn: &mut Connection) -> Result<(), StoreProblem> {
        let sql = |error: rusqlite::Error| super::thread::problem(&error);
        if !self.standing.holds && self.wants && self.seat.hold() {
            // What the last holder did is heard to its end first: it does not come again.
            while self.hear(conn).map_err(sql)? == SLICE {}
            self.take_over(conn)?;
            let unfinished = read::unfinished(conn).map_err(sql)?;
            (self.listener)(Heard::Took { unfinished });
        }
        let version: i64 = conn.query_row("PRAGMA data_version", [], |row| row.get(0)).map_err(sql)?;
        if version == self.version {
            return Ok(());
        }
        let taken = if self.standing.holds {
            let wishes = self.take_wishes(conn).map_err(sql)?;
            let taken = wishes.len();
            if taken > 0 {
                (self.listener)(Heard::Wishes(wishes));
            }
            taken
        } else {
            self.hear(conn).map_err(sql)?
        };
        if taken < SLICE {
            self.version = version;
        } else {
            // There is more.
            self.version = -1;
            self.next = Instant::now();
        }
        Ok(())
    }

    /// The lease is ours: what the last holder was sending is in doubt, what waited with it is held, unless the
    /// window whose user gave the word lives.
    fn take_over(&mut self, conn: &mut Connection) -> Result<(), StoreProblem> {
        let living = self.seat.living().map_err(|error| StoreProblem::Disk(error.to_string()))?;
        self.settle(conn, &living).map_err(|error| super::thread::problem(&error))?;
        self.standing = Standing { lockless: self.seat.lockless(), ..Standing::default() };
        self.version = -1;
        tracing::info!("this window holds the lease");
        Ok(())
    }

    fn settle(&self, conn: &mut Connection, living: &[String]) -> rusqlite::Result<()> {
        let all = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        all.execute(
            HOLD,
            named_params! {
                ":window": self.seat.token(), ":pid": std::process::id(), ":host": self.host, ":service": self.service,
            },
        )?;
        let owners = all.prepare(OWNERS)?.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        for owner in owners.iter().filter(|owner| !living.contains(owner)) {
            all.execute(ORPHANED, [owner])?;
        }
        all.execute(OVER, [])?;
        all.execute(ANEW, [])?;
        for (was, is) in [(Stage::Saved, Status::Held(None)), (Stage::Sending, Status::Unsure(None))] {
            all.execute(LEFT, params![is.stage().word(), rows::json(&is)?, was.word()])?;
        }
        all.commit()
    }

    /// What others wish that has not been taken yet, with the tasks it is about.
    fn take_wishes(&self, conn: &mut Connection) -> rusqlite::Result<Vec<(Wish, Option<Task>)>> {
        let limit = i64::try_from(SLICE).unwrap_or(i64::MAX);
        // Mostly there is nothing, and then nothing is written.
        let any = conn.prepare_cached(WISHES)?.exists(params![self.service, limit])?;
        if !any {
            return Ok(Vec::new());
        }
        let all = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let waiting: Vec<(i64, bool, String)> = all
            .prepare_cached(WISHES)?
            .query_map(params![self.service, limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        let mut wishes = Vec::with_capacity(waiting.len());
        for (id, send, wish) in waiting {
            all.prepare_cached(if send { TAKEN } else { GRANTED })?.execute([id])?;
            match serde_json::from_str::<Wish>(&wish) {
                Ok(wish) => {
                    let task = wish.task().map(|id| read::task(&all, id)).transpose()?.flatten();
                    wishes.push((wish, task));
                }
                Err(error) => tracing::warn!(%error, "a wish of another window cannot be read"),
            }
        }
        all.commit()?;
        Ok(wishes)
    }

    /// Tells what others changed; says how many tasks that were.
    fn hear(&mut self, conn: &Connection) -> rusqlite::Result<usize> {
        let moment = conn.unchecked_transaction()?;
        let limit = i64::try_from(SLICE).unwrap_or(i64::MAX);
        let changed: Vec<(i64, String)> = moment
            .prepare_cached(CHANGED)?
            .query_map(params![self.seen, limit], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let (mut tasks, mut gone) = (Vec::new(), Vec::new());
        for id in changed.iter().filter_map(|(_, id)| id.parse::<LocalId>().ok()) {
            match read::task(&moment, id)? {
                Some(task) => tasks.push(task),
                None => gone.push(id),
            }
        }
        let standing = self.look(&moment)?;
        let counts = read::counts(&moment)?;
        let (found, answered) = answers::since(&moment, self.answered)?;
        drop(moment);
        self.answered = answered;
        if let Some((last, _)) = changed.last() {
            self.seen = *last;
        }
        if !changed.is_empty() || standing != self.standing {
            self.standing = standing.clone();
            (self.listener)(Heard::News { tasks, gone, counts, standing });
        }
        if !found.is_empty() {
            (self.listener)(Heard::Found(found));
        }
        Ok(changed.len())
    }

    /// Who holds the lease, seen from a window that does not.
    fn look(&self, conn: &Connection) -> rusqlite::Result<Standing> {
        let found = conn
            .prepare_cached(HOLDER)?
            .query_row([], |row| {
                let holder = Holder { pid: row.get(1)?, host: row.get(2)?, service: row.get(3)? };
                Ok((row.get::<_, String>(0)?, holder, row.get::<_, Option<String>>(4)?))
            })
            .optional()?;
        // A holder that has left keeps its row until the next one writes its own.
        let living = self.seat.living().unwrap_or_default();
        Ok(match found.filter(|(window, ..)| living.contains(window) && window != self.seat.token()) {
            Some((_, holder, paused)) => {
                let paused = paused.and_then(|text| serde_json::from_str(&text).ok());
                Standing { holds: false, holder: Some(holder), paused, lockless: self.seat.lockless() }
            }
            None => Standing { holds: false, holder: None, paused: None, lockless: self.seat.lockless() },
        })
    }

    /// Writes a wish down, for the holder.
    pub(super) fn wish(&self, conn: &Connection, wish: &Wish) -> Result<(), Fault> {
        let send = matches!(wish, Wish::Send(_));
        let task = wish.task().map(|id| id.to_string());
        let text = rows::json(wish)?;
        conn.prepare_cached(WISH)?.execute(params![self.seat.token(), self.service, task, send, text])?;
        Ok(())
    }

    /// Says to the others why nothing is sent.
    pub(super) fn pause(&self, conn: &Connection, why: Option<&Problem>) -> Result<(), Fault> {
        let text = why.map(rows::json).transpose()?;
        conn.prepare_cached(PAUSED)?.execute(params![text, self.seat.token()])?;
        Ok(())
    }

    /// Whoever is about to send holds the lease, in the very transaction that says that it sends. The lock alone
    /// would do; this holds even where locks do not work.
    pub(super) fn fence(&self, conn: &Connection) -> Result<(), Fault> {
        let holder: Option<String> = conn.prepare_cached(HOLDER)?.query_row([], |row| row.get(0)).optional()?;
        if holder.as_deref() == Some(self.seat.token()) { Ok(()) } else { Err(Fault::Own(StoreProblem::NotOurs)) }
    }
}
