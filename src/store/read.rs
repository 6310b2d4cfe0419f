//! Questions to the database. Each is answered from an index; none reads the whole table.

use rusqlite::{Connection, OptionalExtension, Params, params};

use super::rows;
use crate::domain::{Lesson, LocalId, Output, Stage, Task, TaskId};
use crate::time::Wall;

/// Most tasks a prefix finds.
pub const FOUND: usize = 20;

macro_rules! select_tasks {
    ($rest:literal) => {
        concat!(
            "SELECT id, task_id, model, route, body, template, prompt, stage, status, times, created, completed, ",
            "batch, row, seed, parent, how, starred ",
            "FROM tasks ",
            $rest
        )
    };
}
pub(super) use select_tasks;

const NEWEST: &str = select_tasks!("ORDER BY created DESC, id DESC LIMIT ?1");
const OLDER: &str = select_tasks!("WHERE (created, id) < (?2, ?3) ORDER BY created DESC, id DESC LIMIT ?1");
const UNFINISHED: &str = select_tasks!(
    "WHERE id IN (
        SELECT id FROM tasks WHERE stage IN
            ('saved', 'held', 'sending', 'unsure', 'queued', 'handling', 'unknown', 'archiving')
        UNION SELECT task FROM outputs WHERE place = 'away')
     ORDER BY created DESC, id DESC"
);
const ONE: &str = select_tasks!("WHERE id = ?1");
const BY_TASK_ID: &str = select_tasks!("WHERE task_id = ?1");
const BY_PREFIX: &str = select_tasks!("WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3");
const BY_TASK_PREFIX: &str = select_tasks!("WHERE task_id >= ?1 AND task_id < ?2 ORDER BY task_id LIMIT ?3");
const KNOWN: &str = "SELECT id FROM tasks WHERE task_id = ?1";
const COUNTS: &str = "SELECT stage, count(*) FROM tasks GROUP BY stage";
const OUTPUTS: &str = "SELECT url, role, expires, place, why, file, bytes, sha256, format, width, height
    FROM outputs WHERE task = ?1 ORDER BY idx";
/// More kinds than are ever kept.
const LEARNED: &str = "SELECT about, lesson FROM learned LIMIT 2000";

const SALT: &str = "SELECT bytes FROM salt WHERE one = 1";

/// Every statement of this file, for a check at the start.
pub(super) const STATEMENTS: &[&str] =
    &[NEWEST, OLDER, UNFINISHED, ONE, BY_TASK_ID, BY_PREFIX, BY_TASK_PREFIX, KNOWN, COUNTS, OUTPUTS, LEARNED, SALT];

pub(super) fn newest(conn: &Connection, limit: usize, before: Option<(Wall, LocalId)>) -> rusqlite::Result<Vec<Task>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    match before {
        None => tasks(conn, NEWEST, [limit]),
        Some((at, id)) => tasks(conn, OLDER, params![limit, at.0, id.to_string()]),
    }
}

pub(super) fn unfinished(conn: &Connection) -> rusqlite::Result<Vec<Task>> {
    tasks(conn, UNFINISHED, [])
}

pub(super) fn task(conn: &Connection, id: LocalId) -> rusqlite::Result<Option<Task>> {
    Ok(tasks(conn, ONE, [id.to_string()])?.pop())
}

pub(super) fn known(conn: &Connection, task_id: &TaskId) -> rusqlite::Result<Option<LocalId>> {
    let id: Option<String> = conn.prepare_cached(KNOWN)?.query_row([task_id.as_str()], |row| row.get(0)).optional()?;
    Ok(id.and_then(|id| id.parse().ok()))
}

/// Those of these that are stored.
pub(super) fn known_of(conn: &Connection, task_ids: &[TaskId]) -> rusqlite::Result<Vec<TaskId>> {
    let mut statement = conn.prepare_cached(KNOWN)?;
    let mut found = Vec::new();
    for task_id in task_ids {
        if statement.exists([task_id.as_str()])? {
            found.push(task_id.clone());
        }
    }
    Ok(found)
}

pub(super) fn find(conn: &Connection, prefix: &str) -> rusqlite::Result<Vec<Task>> {
    let prefix = prefix.trim();
    // What is in no id would find nothing; and the ranges below rely on '~' being after all that is.
    if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return Ok(Vec::new());
    }
    let limit = i64::try_from(FOUND).unwrap_or(i64::MAX);
    let own = prefix.to_ascii_lowercase();
    for (exact, key) in [(ONE, own.as_str()), (BY_TASK_ID, prefix)] {
        let found = tasks(conn, exact, [key])?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    let mut found = tasks(conn, BY_PREFIX, params![own, format!("{own}~"), limit])?;
    for task in tasks(conn, BY_TASK_PREFIX, params![prefix, format!("{prefix}~"), limit])? {
        if !found.iter().any(|other| other.id == task.id) {
            found.push(task);
        }
    }
    found.truncate(FOUND);
    Ok(found)
}

pub(super) fn counts(conn: &Connection) -> rusqlite::Result<Vec<(Stage, u64)>> {
    let mut statement = conn.prepare_cached(COUNTS)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    let mut counts = Vec::new();
    for row in rows {
        let (word, count) = row?;
        if let Some(stage) = rows::stage(&word) {
            counts.push((stage, u64::try_from(count).unwrap_or(0)));
        }
    }
    counts.sort();
    Ok(counts)
}

/// What cannot be read is left out: it is learned anew.
pub(super) fn learned(conn: &Connection) -> rusqlite::Result<Vec<Lesson>> {
    let mut statement = conn.prepare_cached(LEARNED)?;
    let rows = statement.query_map([], |row| {
        let lesson = row.get(0).and_then(|about| Ok(Lesson { about, text: row.get(1)? }));
        Ok(lesson.inspect_err(|error| tracing::warn!(%error, "what was learned of durations cannot be read")).ok())
    })?;
    rows.filter_map(Result::transpose).collect()
}

/// What names of API keys are made with.
pub(super) fn salt(conn: &Connection) -> rusqlite::Result<Vec<u8>> {
    conn.prepare_cached(SALT)?.query_row([], |row| row.get(0))
}

/// Tasks with their outputs, in the order of the statement.
pub(super) fn tasks(conn: &Connection, statement: &str, params: impl Params) -> rusqlite::Result<Vec<Task>> {
    let mut statement = conn.prepare_cached(statement)?;
    let mut found =
        statement.query_map(params, rows::task)?.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()?;
    let mut outputs = conn.prepare_cached(OUTPUTS)?;
    for task in &mut found {
        let rows = outputs.query_map([task.id.to_string()], rows::output)?;
        task.outputs = rows.collect::<Result<Vec<Output>, _>>()?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rusqlite::StatementStatus;

    use super::*;
    use crate::domain::{Change, Request};
    use crate::store::{open, write};

    /// Ten thousand tasks of the past.
    fn full(dir: &std::path::Path) -> Connection {
        let mut conn = open::open(dir, &dir.join("x.db"), None).expect("opens");
        let all = conn.transaction().expect("begins");
        let request = Arc::new(Request::new("m", None, serde_json::Map::new(), "t".into(), "p".into(), None));
        let mut first = Task::new(LocalId::from_random(0), request, Wall(0));
        assert!(write::apply(&all, &Change::New(Box::new(first.clone())), None).is_ok());
        first.set(crate::domain::Status::Success, Wall(1));
        assert!(write::apply(&all, &Change::Progress(Box::new(first)), None).is_ok());
        all.execute_batch(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 9999)
             INSERT INTO tasks (id, task_id, model, route, body, template, prompt, stage, status, times, created, completed)
             SELECT lower(hex(randomblob(4))) || '-0000-4000-8000-' || printf('%012x', x), 'tk-' || x,
                model, route, body, template, prompt, stage, status, times, x, x FROM tasks, n;
             INSERT INTO outputs SELECT id, 0, 'u', 'image', NULL, 'home', NULL, 'f', 1, 's', 'png', 1, 1 FROM tasks;
             UPDATE tasks SET stage = 'queued', status = '{\"word\":\"queued\"}' WHERE created = 5000;",
        )
        .expect("filled");
        all.commit().expect("commits");
        conn
    }

    #[test]
    fn no_question_reads_the_whole_table() {
        let dir = tempfile::tempdir().expect("a folder");
        let conn = full(dir.path());
        for (statement, index) in [
            (NEWEST, "SCAN tasks USING INDEX tasks_by_age"),
            (OLDER, "SEARCH tasks USING INDEX tasks_by_age ((created,id)<(?,?))"),
            (UNFINISHED, "SEARCH tasks USING INDEX tasks_by_stage (stage=?)"),
            (UNFINISHED, "INDEX outputs_away"),
            (BY_PREFIX, "SEARCH tasks USING INDEX sqlite_autoindex_tasks_1 (id>? AND id<?)"),
            (BY_TASK_PREFIX, "SEARCH tasks USING INDEX sqlite_autoindex_tasks_2 (task_id>? AND task_id<?)"),
            (COUNTS, "SCAN tasks USING COVERING INDEX tasks_by_stage"),
            (OUTPUTS, "SEARCH outputs USING PRIMARY KEY (task=?)"),
        ] {
            let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).expect("explains");
            let count = explain.parameter_count();
            let nulls = rusqlite::params_from_iter(vec![rusqlite::types::Null; count]);
            let plan: Vec<String> =
                explain.query_map(nulls, |row| row.get(3)).expect("a plan").map(|row| row.expect("a row")).collect();
            assert!(plan.iter().any(|step| step.contains(index)), "{index} is not in {plan:#?}");
            let sorts = plan.iter().any(|step| step.contains("USE TEMP B-TREE"));
            assert!(!sorts || statement == UNFINISHED, "{plan:#?}");
        }
    }

    /// Work counted in steps of SQLite's machine: it grows with what is asked for, not with what is stored.
    #[test]
    fn the_first_page_costs_no_more_than_itself() {
        let dir = tempfile::tempdir().expect("a folder");
        let conn = full(dir.path());
        assert_eq!(newest(&conn, 200, None).expect("a page").len(), 200);
        assert_eq!(unfinished(&conn).expect("a list").len(), 1);
        assert_eq!(find(&conn, "tk-").expect("some").len(), FOUND);
        for (statement, limit) in [(NEWEST, 200 * 40), (UNFINISHED, 2000), (BY_TASK_PREFIX, 2000)] {
            let cached = conn.prepare_cached(statement).expect("prepared");
            let steps = cached.get_status(StatementStatus::VmStep);
            assert!(steps > 0 && steps < limit, "{steps} steps for {statement}");
        }
    }
}
