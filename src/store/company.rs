//! Several programs on one database: taking the lease over, hearing what others changed, passing wishes on.
//!
//! All of it happens on the store's thread, between jobs. Looking whether anything changed is one number of SQLite's;
//! rows are read only when it moved, and only those that changed.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, named_params, params};

use super::lease::{Seat, differ};
use super::pulse::Pulse;
use super::write::Fault;
use super::{Heard, StoreProblem, answers, batches, read, rows};
use crate::domain::{Holder, LocalId, Problem, Stage, Standing, Status};

mod wishes;

pub(super) use wishes::STATEMENTS as OF_WISHES;

/// How often the others are looked at while something happens.
const PACE: Duration = Duration::from_millis(300);
/// How long reads may go before the writing that taking the lease wants: the first screen is waiting for them.
const PATIENCE: Duration = Duration::from_millis(50);
/// How often while nothing does. A dead holder is replaced, and news are heard, within this time.
const CALM: Duration = Duration::from_secs(1);
/// For how long after a change more of them are expected.
const STIR: Duration = Duration::from_secs(10);
/// Most rows and wishes taken at once.
const SLICE: usize = 500;

const NUMBER: &str = "SELECT coalesce(max(seq), 0) FROM changes";
const CHANGED: &str = "SELECT seq, task FROM changes WHERE seq > ?1 ORDER BY seq LIMIT ?2";
const HOLDER: &str = "SELECT window, pid, host, service, paused, account, since FROM lease WHERE one = 1";
const HOLD: &str = "INSERT INTO lease (one, window, pid, host, service, account)
    VALUES (1, :window, :pid, :host, :service, :account)
    ON CONFLICT (one) DO UPDATE SET window = excluded.window, pid = excluded.pid, host = excluded.host,
        service = excluded.service, account = excluded.account, paused = NULL, budget = NULL";
const SINCE: &str = "UPDATE lease SET since = (SELECT coalesce(max(seq), 0) FROM changes) WHERE window = ?1";
const LAST_KEY: &str = "SELECT account FROM lease WHERE one = 1 AND account IS NOT NULL";
const RETRIED: &str = "SELECT id FROM tasks JOIN changes ON task = id WHERE stage = 'unsure' AND seq > ?1 LIMIT ?2";
const SENT_BY: &str = "SELECT account FROM tasks WHERE id = ?1";
const SEND_BY: &str = "UPDATE tasks SET account = ?1 WHERE id = ?2 AND account IS NOT ?1";
const PAUSED: &str = "UPDATE lease SET paused = ?1 WHERE window = ?2";
const OWNERS: &str = "SELECT DISTINCT window FROM wishes";
const ORPHANED: &str = "DELETE FROM wishes WHERE window = ?1";
const OVER: &str = "DELETE FROM wishes WHERE taken = 1 AND (send = 0 OR task NOT IN
    (SELECT id FROM tasks WHERE stage IN ('saved', 'sending', 'unsure')))";
const ANEW: &str = "UPDATE wishes SET taken = 0";
const LEFT: &str = "UPDATE tasks SET stage = ?1, status = ?2 WHERE stage = ?3
    AND (?3 = 'sending' OR id NOT IN (SELECT task FROM wishes WHERE send = 1))";

/// Every statement of this file, for a check at the start.
pub(super) const STATEMENTS: &[&str] = &[
    NUMBER, CHANGED, HOLDER, HOLD, SINCE, LAST_KEY, RETRIED, SENT_BY, SEND_BY, PAUSED, OWNERS, ORPHANED, OVER, ANEW,
    LEFT,
];

/// What is told to whoever joined.
type Listener = Box<dyn FnMut(Heard) + Send>;

/// This program among those on the database.
pub(super) struct Company {
    seat: Seat,
    service: String,
    /// The name of its API key, if it has one.
    account: Option<String>,
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
    /// It has left the lease to others and is about to be stopped.
    away: bool,
    /// When something last happened.
    stirred: Instant,
    /// Whether the holder moves.
    pulse: Pulse,
    standing: Standing,
    /// The lease is ours, and that is not in the database yet.
    owed: bool,
}

impl Company {
    /// Joins the others, and takes the lease if it is free. What that changes in the database is written with
    /// [`Self::pay`], before any other change.
    pub(super) fn join(
        conn: &Connection,
        dir: &Path,
        (service, account): (String, Option<String>),
        wants: bool,
        listener: Listener,
    ) -> Result<Self, StoreProblem> {
        let sql = |error: rusqlite::Error| super::thread::problem(&error);
        let seat = Seat::take(dir).map_err(|error| StoreProblem::Disk(error.to_string()))?;
        let seen = conn.query_row(NUMBER, [], |row| row.get(0)).map_err(sql)?;
        let answered = answers::last(conn).map_err(sql)?;
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned();
        let standing = Standing::default();
        let (stirred, pulse, version) = (Instant::now(), Pulse::default(), -1);
        let (next, away, owed) = (stirred + PATIENCE, false, false);
        #[rustfmt::skip]
        let mut company = Self {
            seat, service, account, host, wants, listener, version, seen, answered, next, away, stirred, pulse, standing, owed,
        };
        if wants && company.seat.hold() {
            company.owed = true;
            let last: Option<String> = conn.query_row(LAST_KEY, [], |row| row.get(0)).optional().map_err(sql)?;
            let stranger = differ(last.as_deref(), company.account.as_deref());
            let resting = batches::resting(conn).map_err(sql)?;
            company.standing = Standing { stranger, resting, ..company.alone() };
        } else {
            company.standing = company.look(conn).map_err(sql)?;
        }
        Ok(company)
    }

    /// Writes down that the lease is ours, if that was put off.
    pub(super) fn pay(&mut self, conn: &mut Connection) -> Result<(), StoreProblem> {
        if self.owed { self.take_over(conn) } else { Ok(()) }
    }

    /// How this program stands to the others.
    pub(super) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// From now on it takes the lease when it can, and talks to the service with this key.
    pub(super) fn want(&mut self, account: String) {
        self.account = Some(account);
        self.wants = true;
        self.next = Instant::now();
    }

    /// Leaves the lease to others, for this program is about to be stopped.
    pub(super) fn release(&mut self, conn: &mut Connection) -> Result<(), StoreProblem> {
        self.pay(conn)?;
        if self.standing.holds {
            // What others change from here on is news.
            let number = conn.query_row(NUMBER, [], |row| row.get(0));
            self.seen = number.map_err(|error| super::thread::problem(&error))?;
        }
        self.away = true;
        self.seat.let_go();
        Ok(())
    }

    /// The program goes on. If nobody else has held the lease meanwhile, it is as if nothing had happened; says
    /// whether it is so.
    pub(super) fn reclaim(&mut self, conn: &mut Connection) -> Result<bool, StoreProblem> {
        (self.away, self.next) = (false, Instant::now());
        if !self.standing.holds {
            return Ok(true);
        }
        let sql = |error: rusqlite::Error| super::thread::problem(&error);
        if self.seat.hold() {
            if self.is_holder(conn).map_err(sql)? {
                return Ok(true);
            }
            self.seat.let_go();
        }
        self.standing = self.look(conn).map_err(sql)?;
        self.version = -1;
        Ok(false)
    }

    /// How long until the others are to be looked at.
    pub(super) fn wait(&self) -> Duration {
        if self.away { CALM } else { self.next.saturating_duration_since(Instant::now()) }
    }

    /// Looks at the others, if it is time.
    pub(super) fn poll(&mut self, conn: &mut Connection) {
        if self.away || !self.wait().is_zero() {
            return;
        }
        let now = Instant::now();
        self.next = now + if now.duration_since(self.stirred) < STIR { PACE } else { CALM };
        if let Err(problem) = self.try_poll(conn) {
            // Nothing is lost: it is looked at again.
            tracing::debug!(%problem, "the other windows cannot be heard");
            self.version = -1;
        }
    }

    fn try_poll(&mut self, conn: &mut Connection) -> Result<(), StoreProblem> {
        let sql = |error: rusqlite::Error| super::thread::problem(&error);
        self.pay(conn)?;
        if !self.standing.holds && self.wants && self.seat.hold() {
            // What the last holder did is heard to its end first: it does not come again.
            while self.hear(conn).map_err(sql)? == SLICE {}
            self.take_over(conn)?;
            let unfinished = read::unfinished(conn).map_err(sql)?;
            (self.listener)(Heard::Took { unfinished });
        }
        let now = Instant::now();
        if self.standing.holds {
            self.seat.beat(now);
        } else if let Some(holder) = &mut self.standing.holder {
            let quiet = self.pulse.is_quiet(self.seat.last_beat(&self.pulse.window), now);
            if quiet != holder.quiet {
                holder.quiet = quiet;
                // Told even if nothing else changes: a holder that is stopped changes nothing.
                let (standing, counts) = (self.standing.clone(), read::counts(conn).map_err(sql)?);
                (self.listener)(Heard::News { tasks: Vec::new(), gone: Vec::new(), counts, standing });
            }
        }
        let version: i64 = conn.query_row("PRAGMA data_version", [], |row| row.get(0)).map_err(sql)?;
        if version == self.version {
            return Ok(());
        }
        self.stirred = now;
        self.next = self.next.min(now + PACE);
        let taken = if self.standing.holds {
            let wishes = self.take_wishes(conn).map_err(sql)?;
            let taken = wishes.len();
            if taken > 0 {
                (self.listener)(Heard::Wishes(wishes));
            }
            if let Some(resting) = batches::news(conn, &mut self.standing.resting).map_err(sql)? {
                (self.listener)(Heard::Resting(resting));
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
        let sql = |error: rusqlite::Error| super::thread::problem(&error);
        // First who wished, then who lives: whoever comes after that is not taken for dead.
        let mut dead = owners(conn).map_err(sql)?;
        let living = self.seat.living().map_err(|error| StoreProblem::Disk(error.to_string()))?;
        dead.retain(|owner| !living.contains(owner));
        let stranger = self.settle(conn, &dead).map_err(sql)?;
        let resting = batches::resting(conn).map_err(sql)?;
        self.standing = Standing { stranger, resting, ..self.alone() };
        self.seat.beat(Instant::now());
        self.version = -1;
        self.owed = false;
        tracing::info!("this window holds the lease");
        Ok(())
    }

    /// How the holder of the lease stands.
    fn alone(&self) -> Standing {
        Standing { lockless: self.seat.lockless(), ..Standing::default() }
    }

    /// Says whether the last holder had another key.
    fn settle(&self, conn: &mut Connection, dead: &[String]) -> rusqlite::Result<bool> {
        let all = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let last: Option<String> = all.query_row(LAST_KEY, [], |row| row.get(0)).optional()?;
        let stranger = differ(last.as_deref(), self.account.as_deref());
        all.execute(
            HOLD,
            named_params! {
                ":window": self.seat.token(), ":pid": std::process::id(), ":host": self.host, ":service": self.service,
                ":account": self.account.as_ref().or(last.as_ref()),
            },
        )?;
        for owner in dead {
            all.execute(ORPHANED, [owner])?;
        }
        all.execute(OVER, [])?;
        all.execute(ANEW, [])?;
        for (was, is) in [(Stage::Saved, Status::Held(None)), (Stage::Sending, Status::Unsure(None))] {
            all.execute(LEFT, params![is.stage().word(), rows::json(&is)?, was.word()])?;
        }
        all.execute(SINCE, [self.seat.token()])?;
        all.commit()?;
        Ok(stranger)
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
    fn look(&mut self, conn: &Connection) -> rusqlite::Result<Standing> {
        let found = conn
            .prepare_cached(HOLDER)?
            .query_row([], |row| {
                let account: Option<String> = row.get(5)?;
                let other_key = differ(account.as_deref(), self.account.as_deref());
                let holder =
                    Holder { pid: row.get(1)?, host: row.get(2)?, service: row.get(3)?, other_key, quiet: false };
                Ok((row.get::<_, String>(0)?, holder, row.get::<_, Option<String>>(4)?, row.get::<_, i64>(6)?))
            })
            .optional()?;
        let resting = batches::resting(conn)?;
        let nobody = Standing { holds: false, lockless: self.seat.lockless(), resting, ..Standing::default() };
        // A holder that has left keeps its row until the next one writes its own.
        let living = self.seat.living().unwrap_or_default();
        let alive = |window: &String| living.contains(window) && window != self.seat.token();
        let Some((window, mut holder, paused, since)) = found.filter(|(window, ..)| alive(window)) else {
            return Ok(nobody);
        };
        let now = Instant::now();
        let beat = self.seat.last_beat(&window);
        holder.quiet = self.pulse.of(window).is_quiet(beat, now);
        let limit = i64::try_from(SLICE).unwrap_or(i64::MAX);
        // What became unsure under this holder is settled by it; what it found so waits for a word.
        let retried = conn
            .prepare_cached(RETRIED)?
            .query_map(params![since, limit], |row| row.get::<_, String>(0))?
            .filter_map(|id| id.map(|id| id.parse().ok()).transpose())
            .collect::<Result<Vec<LocalId>, _>>()?;
        let paused = paused.and_then(|text| serde_json::from_str(&text).ok());
        Ok(Standing { holder: Some(holder), paused, retried, ..nobody })
    }

    /// A wish is about to be written here. Should the lease have come meanwhile, the holder is this program, and
    /// what it writes itself does not move SQLite's number.
    pub(super) fn wished(&mut self) {
        self.version = -1;
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
        if self.is_holder(conn)? { Ok(()) } else { Err(Fault::Own(StoreProblem::NotOurs)) }
    }

    fn is_holder(&self, conn: &Connection) -> rusqlite::Result<bool> {
        let holder: Option<String> = conn.prepare_cached(HOLDER)?.query_row([], |row| row.get(0)).optional()?;
        Ok(holder.as_deref() == Some(self.seat.token()))
    }

    /// The name of this program among those on the database.
    pub(super) fn token(&self) -> &str {
        self.seat.token()
    }

    /// Notes with which key a task is sent for the first time.
    pub(super) fn sign(&self, conn: &Connection, id: LocalId) -> Result<(), Fault> {
        if let Some(account) = &self.account {
            conn.prepare_cached(SEND_BY)?.execute(params![account, id.to_string()])?;
        }
        Ok(())
    }

    /// What was sent with another key must not be sent again with this one: to another account it would be new.
    pub(super) fn same_key(&self, conn: &Connection, id: LocalId) -> Result<(), Fault> {
        let sent: Option<Option<String>> =
            conn.prepare_cached(SENT_BY)?.query_row([id.to_string()], |row| row.get(0)).optional()?;
        let other = differ(sent.flatten().as_deref(), self.account.as_deref());
        if other { Err(Fault::Own(StoreProblem::OtherKey)) } else { Ok(()) }
    }
}

/// The windows that have wished for something that is not done.
fn owners(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    conn.prepare(OWNERS)?.query_map([], |row| row.get(0))?.collect()
}
