//! What was spent: sums of the estimates of what was sent and not surely refused.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::thread::{self, Job};
use super::{Read, Store};
use crate::domain::money::{Sum, Usd};
use crate::time::Wall;

/// Length of a [`Spent`] line in milliseconds. Days begin on such a mark in every time zone.
const QUARTER: i64 = 900_000;

const BETWEEN: &str =
    "SELECT coalesce(sum(cost), 0), count(*) - count(cost) FROM tasks WHERE spent >= ?1 AND spent < ?2";
const OF_BATCH: &str =
    "SELECT coalesce(sum(cost), 0), count(*) - count(cost) FROM tasks WHERE batch = ?1 AND spent IS NOT NULL";
const LINES: &str = "SELECT spent / ?2, model, route, batch, count(*), coalesce(sum(cost), 0), count(*) - count(cost),
        max(cost_most), coalesce(sum(CASE WHEN stage = 'failed' THEN cost END), 0), min(priced)
    FROM tasks WHERE spent >= ?1 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4";

const BUDGET: &str = "UPDATE lease SET budget = ?1 WHERE window = ?2";
const ITS_BUDGET: &str = "SELECT budget FROM lease WHERE one = 1";

/// Every statement of this file, for a check at the start.
pub(super) const STATEMENTS: &[&str] = &[BETWEEN, OF_BATCH, LINES, BUDGET, ITS_BUDGET];

/// Whose spending is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of the time from the first moment up to, not including, the second.
    Between(Wall, Wall),
    /// Of a batch, whenever that was.
    Batch(String),
}

/// What was spent for one model of one batch in a quarter of an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// When that quarter began.
    pub at: Wall,
    /// The model, with its route.
    pub model: String,
    /// The batch, if there is one.
    pub batch: Option<String>,
    /// How many tasks.
    pub tasks: u64,
    /// The estimates together.
    pub sum: Sum,
    /// Some are the dearest that can be meant.
    pub at_most: bool,
    /// The part of tasks that failed: whether they are billed the service does not say.
    pub failed: Usd,
    /// When the oldest of the prices was seen.
    pub seen: Option<String>,
}

impl Store {
    /// What was spent. Blocks.
    pub fn spent(&self, whose: Whose) -> Read<Sum> {
        self.wait(move |conn| spent(conn, &whose))
    }

    /// Like [`Self::spent`], with a callback on the store's thread.
    pub fn spent_then(&self, whose: Whose, then: impl FnOnce(Read<Sum>) + Send + 'static) {
        self.later(move |conn| spent(conn, &whose), then);
    }

    /// Says to the other programs what this one may spend, if it holds the lease.
    pub fn say_budget(&self, text: String) {
        self.give(Job::Company(Box::new(move |given| {
            let Ok((conn, Some(company))) = given else { return };
            let said = company.pay(conn).and_then(|()| {
                let said = conn.execute(BUDGET, params![text, company.token()]);
                said.map_err(|error| thread::problem(&error))
            });
            if let Err(problem) = said {
                tracing::warn!(%problem, "the others are not told what may be spent");
            }
        })));
    }

    /// What the holder of the lease may spend, as it said; none before it has said so. Blocks.
    pub fn its_budget(&self) -> Read<Option<String>> {
        self.wait(|conn| Ok(conn.query_row(ITS_BUDGET, [], |row| row.get(0)).optional()?.flatten()))
    }

    /// What was spent since a moment, for models, batches and quarters of an hour. Blocks.
    pub fn spending(&self, since: Wall) -> Read<Vec<Spent>> {
        self.wait(move |conn| {
            conn.prepare_cached(LINES)?.query_map(params![since.0, QUARTER], line)?.collect::<Result<_, _>>()
        })
    }
}

fn spent(conn: &Connection, whose: &Whose) -> rusqlite::Result<Sum> {
    let sum = |row: &Row<'_>| Ok(Sum { usd: Usd(row.get(0)?), unknown: number(row.get(1)?) });
    match whose {
        Whose::Between(from, until) => conn.prepare_cached(BETWEEN)?.query_row([from.0, until.0], sum),
        Whose::Batch(name) => conn.prepare_cached(OF_BATCH)?.query_row([name], sum),
    }
}

fn line(row: &Row<'_>) -> rusqlite::Result<Spent> {
    let (model, route): (String, Option<String>) = (row.get(1)?, row.get(2)?);
    Ok(Spent {
        at: Wall(row.get::<_, i64>(0)?.saturating_mul(QUARTER)),
        model: route.map_or(model.clone(), |route| format!("{model}@{route}")),
        batch: row.get(3)?,
        tasks: number(row.get(4)?),
        sum: Sum { usd: Usd(row.get(5)?), unknown: number(row.get(6)?) },
        at_most: row.get(7)?,
        failed: Usd(row.get(8)?),
        seen: row.get(9)?,
    })
}

fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
