//! What windows that only watch want of the holder: written down by them, taken by it.

use rusqlite::{Connection, TransactionBehavior, params};

use super::{Company, SLICE};
use crate::domain::{Task, Wish};
use crate::store::write::Fault;
use crate::store::{read, rows, write};

const WISH: &str = "INSERT INTO wishes (window, service, task, send, wish, account) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
const WISHES: &str = "SELECT id, send, wish FROM wishes WHERE taken = 0 AND service = ?1
    AND (account IS NULL OR ?3 IS NULL OR account = ?3) ORDER BY id LIMIT ?2";
const TAKEN: &str = "UPDATE wishes SET taken = 1 WHERE id = ?1";
const GRANTED: &str = "DELETE FROM wishes WHERE id = ?1";
const AWAY: &str = "UPDATE outputs SET place = 'away' WHERE task = ?1 AND idx = ?2";

/// Every statement of this file, for a check at the start.
pub(in crate::store) const STATEMENTS: &[&str] = &[WISH, WISHES, TAKEN, GRANTED, AWAY];

impl Company {
    /// What others wish that has not been taken yet, with the tasks it is about.
    pub(super) fn take_wishes(&self, conn: &mut Connection) -> rusqlite::Result<Vec<(Wish, Option<Task>)>> {
        let limit = i64::try_from(SLICE).unwrap_or(i64::MAX);
        // Mostly there is nothing, and then nothing is written.
        let any = conn.prepare_cached(WISHES)?.exists(params![self.service, limit, self.account])?;
        if !any {
            return Ok(Vec::new());
        }
        let all = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let waiting: Vec<(i64, bool, String)> = all
            .prepare_cached(WISHES)?
            .query_map(params![self.service, limit, self.account], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
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

    /// Writes a wish down, for the holder.
    pub(in crate::store) fn wish(&self, conn: &Connection, wish: &Wish) -> Result<(), Fault> {
        let send = matches!(wish, Wish::Send(_));
        let task = wish.task().map(|id| id.to_string());
        let text = rows::json(wish)?;
        if let Wish::Again(asset) = wish {
            // So that a holder which dies over it leaves it to the next one, and everybody knows.
            conn.prepare_cached(AWAY)?.execute(params![task, asset.index])?;
        }
        if let Wish::Star { task, on } = wish {
            // It costs nobody anything, so it does not wait for the holder, who only hears of it.
            write::star(conn, *task, *on)?;
        }
        conn.prepare_cached(WISH)?.execute(params![self.seat.token(), self.service, task, send, text, self.account])?;
        Ok(())
    }
}
