//! What belongs to writing: drafts, one for each model, and pieces of text with a name.

use rusqlite::{Connection, params};

use super::rows;
use super::write::Fault;
use crate::domain::Draft;

const DRAFT: &str = "INSERT INTO drafts (model, draft, at)
    VALUES (?1, ?2, (SELECT coalesce(max(at), 0) + 1 FROM drafts))
    ON CONFLICT (model) DO UPDATE SET draft = excluded.draft, at = excluded.at";
/// More models than there are.
const DRAFTS: &str = "SELECT draft FROM drafts ORDER BY at DESC LIMIT 500";

/// Every statement of this file, for a check at the start.
pub(super) const STATEMENTS: &[&str] = &[DRAFT, DRAFTS];

pub(super) fn draft(conn: &Connection, draft: &Draft) -> Result<(), Fault> {
    conn.prepare_cached(DRAFT)?.execute(params![draft.model, rows::json(draft)?])?;
    Ok(())
}

/// The last one in the editor first. What cannot be read is left out.
pub(super) fn drafts(conn: &Connection) -> rusqlite::Result<Vec<Draft>> {
    let mut statement = conn.prepare_cached(DRAFTS)?;
    let texts = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut drafts = Vec::new();
    for text in texts {
        match serde_json::from_str(&text?) {
            Ok(draft) => drafts.push(draft),
            Err(error) => tracing::warn!(%error, "a draft cannot be read"),
        }
    }
    Ok(drafts)
}
