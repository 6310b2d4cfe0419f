//! The family of a task, read from the database: what it came from, and what came of it.

use rusqlite::{Connection, params};

use super::read::{select_tasks, tasks};
use super::{Read, Store};
use crate::domain::kin::MOST;
use crate::domain::{LocalId, Task};

/// Up to the eldest, and from there down; a ring, which nothing here makes, ends by the union.
const FAMILY: &str = select_tasks!(
    "WHERE id IN (
        WITH RECURSIVE
            up(id, parent) AS (
                SELECT id, parent FROM tasks WHERE id = ?1
                UNION SELECT tasks.id, tasks.parent FROM tasks JOIN up ON tasks.id = up.parent),
            down(id) AS (
                SELECT id FROM up
                UNION SELECT tasks.id FROM tasks JOIN down ON tasks.parent = down.id
                LIMIT ?2)
        SELECT id FROM down)
     ORDER BY created DESC, id DESC"
);

/// Every statement of this file, for a check at the start.
pub(super) const STATEMENTS: &[&str] = &[FAMILY];

fn family(conn: &Connection, id: LocalId) -> rusqlite::Result<Vec<Task>> {
    let limit = i64::try_from(MOST).unwrap_or(i64::MAX);
    tasks(conn, FAMILY, params![id.to_string(), limit])
}

impl Store {
    /// A task, all it came from and all that came of these, at most [`MOST`], newest first. Blocks.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn family(&self, id: LocalId) -> Read<Vec<Task>> {
        self.wait(move |conn| family(conn, id))
    }

    /// Like [`Self::family`], with a callback on the store's thread.
    pub fn family_then(&self, id: LocalId, then: impl FnOnce(Read<Vec<Task>>) + Send + 'static) {
        self.later(move |conn| family(conn, id), then);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open;

    #[test]
    fn a_family_is_found_by_its_index() {
        let dir = tempfile::tempdir().expect("a folder");
        let conn = open::open(dir.path(), &dir.path().join("x.db"), None).expect("opens");
        let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {FAMILY}")).expect("explains");
        let plan: Vec<String> = explain
            .query_map(params!["x", 1], |row| row.get(3))
            .expect("a plan")
            .map(|row| row.expect("a row"))
            .collect();
        assert!(plan.iter().any(|step| step.contains("USING INDEX tasks_by_parent (parent=?)")), "{plan:#?}");
        assert!(plan.iter().all(|step| !step.starts_with("SCAN tasks")), "{plan:#?}");
    }
}
