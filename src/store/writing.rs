//! What belongs to writing: drafts, one for each model, and pieces of text with a name.

use rusqlite::{Connection, params};

use super::write::Fault;
use super::{Read, Store, rows};
use std::collections::BTreeSet;

use crate::domain::{Draft, Remembered};
use crate::time::Wall;

const DRAFT: &str = "INSERT INTO drafts (model, draft, at)
    VALUES (?1, ?2, (SELECT coalesce(max(at), 0) + 1 FROM drafts))
    ON CONFLICT (model) DO UPDATE SET draft = excluded.draft, at = excluded.at";
/// More models than there are.
const DRAFTS: &str = "SELECT draft FROM drafts ORDER BY at DESC LIMIT 500";

const KEEP: &str = "INSERT INTO snippets (name, text, at)
    VALUES (?1, ?2, (SELECT coalesce(max(at), 0) + 1 FROM snippets))
    ON CONFLICT (name) DO UPDATE SET text = excluded.text, at = excluded.at";
const DROP: &str = "DELETE FROM snippets WHERE name = ?1";
const SNIPPETS: &str = "SELECT name, text, at FROM snippets ORDER BY name LIMIT 1000";
/// As many of the latest tasks as are looked through for different texts.
const SENT: &str = "SELECT template, prompt, created FROM tasks ORDER BY created DESC, id DESC LIMIT 5000";
/// Most texts that are remembered, and most bytes of them together.
const TEXTS: usize = 500;
const BYTES: usize = 4 << 20;

/// Every statement of this file, for a check at the start.
pub(super) const STATEMENTS: &[&str] = &[DRAFT, DRAFTS, KEEP, DROP, SNIPPETS, SENT];

impl Store {
    /// What was sent, each text once, the latest first, with a callback on the store's thread. What was made from a
    /// template follows it. Bounded: of a long history the older part is not looked at.
    pub fn sent_then(&self, then: impl FnOnce(Read<Vec<Remembered>>) + Send + 'static) {
        self.later(sent, then);
    }

    /// The texts with a name, by name, with a callback on the store's thread.
    pub fn snippets_then(&self, then: impl FnOnce(Read<Vec<Remembered>>) + Send + 'static) {
        self.later(snippets, then);
    }

    /// What was last in the editor. Blocks.
    pub fn draft(&self) -> Read<Option<Draft>> {
        Ok(self.drafts()?.into_iter().next())
    }

    /// What was being typed, one draft for each model; the one that was last in the editor comes first. Blocks.
    pub fn drafts(&self) -> Read<Vec<Draft>> {
        self.wait(drafts)
    }
}

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

/// Keeps a text under a name, or drops what is kept under it.
pub(super) fn snippet(conn: &Connection, name: &str, text: Option<&str>) -> Result<(), Fault> {
    match text {
        Some(text) => conn.prepare_cached(KEEP)?.execute([name, text])?,
        None => conn.prepare_cached(DROP)?.execute([name])?,
    };
    Ok(())
}

fn snippets(conn: &Connection) -> rusqlite::Result<Vec<Remembered>> {
    let mut statement = conn.prepare_cached(SNIPPETS)?;
    let rows = statement.query_map([], |row| {
        Ok(Remembered { name: row.get(0)?, text: row.get(1)?, at: Wall(row.get(2)?), made: false })
    })?;
    rows.collect()
}

fn sent(conn: &Connection) -> rusqlite::Result<Vec<Remembered>> {
    let mut statement = conn.prepare_cached(SENT)?;
    let mut rows = statement.query([])?;
    let (mut seen, mut found, mut bytes) = (BTreeSet::new(), Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let (template, prompt, at): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let made = !template.is_empty() && template != prompt;
        for (text, made) in [(template, false), (prompt, made)] {
            if text.trim().is_empty() || seen.contains(&text) {
                continue;
            }
            bytes += text.len();
            if found.len() >= TEXTS || bytes > BYTES {
                return Ok(found);
            }
            seen.insert(text.clone());
            found.push(Remembered { name: None, text, at: Wall(at), made });
        }
    }
    Ok(found)
}
