//! What the holder of the lease found in the account's list for windows that only watch.

use rusqlite::{Connection, params};

use super::rows;
use super::write::Fault;
use crate::domain::Found;

/// Answers that are kept: whoever asked reads them within a second.
const KEPT: i64 = 32;

const LAST: &str = "SELECT coalesce(max(seq), 0) FROM answers";
const TELL: &str = "INSERT INTO answers (answer) VALUES (?1)";
const OLD: &str = "DELETE FROM answers WHERE seq <= (SELECT max(seq) FROM answers) - ?1";
const SINCE: &str = "SELECT seq, answer FROM answers WHERE seq > ?1 ORDER BY seq LIMIT ?2";

/// Every statement of this file, for a check at the start.
pub(super) const STATEMENTS: &[&str] = &[LAST, TELL, OLD, SINCE];

/// The number of the latest answer.
pub(super) fn last(conn: &Connection) -> rusqlite::Result<i64> {
    conn.query_row(LAST, [], |row| row.get(0))
}

/// Writes an answer down.
pub(super) fn tell(conn: &Connection, found: &Found) -> Result<(), Fault> {
    conn.prepare_cached(TELL)?.execute([rows::json(found)?])?;
    conn.prepare_cached(OLD)?.execute([KEPT])?;
    Ok(())
}

/// The answers after this one, and the number of the last of them.
pub(super) fn since(conn: &Connection, seen: i64) -> rusqlite::Result<(Vec<Found>, i64)> {
    let mut statement = conn.prepare_cached(SINCE)?;
    let mut rows = statement.query(params![seen, KEPT])?;
    let (mut answers, mut last) = (Vec::new(), seen);
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        match serde_json::from_str(&row.get::<_, String>(1)?) {
            Ok(found) => answers.push(found),
            Err(error) => tracing::warn!(%error, "an answer for this window cannot be read"),
        }
    }
    Ok((answers, last))
}
