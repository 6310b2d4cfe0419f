//! `plantain list`: tasks, newest first.

use color_eyre::eyre::Report;

use crate::domain::Task;
use crate::domain::text::one_line;
use crate::runtime::files::is_gone;

use super::args::{Global, List};
use super::{DONE, context, json, say};

pub(super) fn run(global: &Global, args: &List) -> Result<u8, Report> {
    let store = context::store(global)?;
    for task in store.newest(args.limit, None)? {
        if args.json {
            say(&json::line(&task))?;
        } else {
            let made = jiff::Timestamp::from_second(task.created.secs()).unwrap_or_default();
            let made = made.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
            let prompt = if task.is_elsewhere() { "(adopted)" } else { &task.request.prompt };
            let star = if task.starred { "★ " } else { "" };
            let prompt: String = one_line(prompt).chars().take(60).collect();
            let (word, model) = (one_line(word(&task)), one_line(&task.request.model));
            say(&format!("{}  {made}  {word:<9}  {model:<20}  {star}{prompt}", task.id.short()))?;
        }
    }
    Ok(DONE)
}

/// Where it stands; for what was here once, whether it still is.
fn word(task: &Task) -> &str {
    let gone = task.outputs.iter().filter_map(|output| output.home()).any(|home| is_gone(&home.file));
    if gone { "file gone" } else { task.status.word() }
}
