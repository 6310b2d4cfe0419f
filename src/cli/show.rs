//! `plantain show`: everything about one task.

use color_eyre::eyre::Report;
use serde_json::{Value, json};

use crate::domain::kin::{self, Member};
use crate::domain::request::plain;
use crate::domain::text::{lines, one_line};
use crate::domain::{LocalId, OutputState, Problem, Status, Task, advice, cause};
use crate::runtime::Clock;
use crate::runtime::files::is_gone;
use crate::time::Wall;

use super::args::{Global, Show};
use super::{DONE, context, json as form, say};

pub(super) fn run(global: &Global, args: &Show) -> Result<u8, Report> {
    let store = context::store(global)?;
    let task = context::find(&store, &args.id)?;
    let relatives = store.family(task.id)?;
    let family = kin::family(relatives.iter(), task.id);
    if args.json {
        let mut line = form::task(&task);
        if family.len() > 1 {
            line["family"] = family.iter().filter_map(|member| relative(member, &relatives)).collect();
        }
        say(&form::escaped(&line))?;
    } else {
        words(&task)?;
        if family.len() > 1 {
            say("")?;
            for member in &family {
                say(&branch(member, &relatives, task.id))?;
            }
        }
    }
    Ok(DONE)
}

fn find(id: LocalId, tasks: &[Task]) -> Option<&Task> {
    tasks.iter().find(|task| task.id == id)
}

/// A member of the family, as JSON.
fn relative(member: &Member, tasks: &[Task]) -> Option<Value> {
    let task = find(member.id, tasks)?;
    Some(json!({
        "id": member.id.to_string(),
        "parent": task.kin.map(|kin| kin.parent.to_string()),
        "how": task.kin.map(|kin| kin.how.word()),
        "generation": member.lines.len(),
        "model": task.request.full_model(),
        "status": task.status.word(),
        "starred": task.starred,
    }))
}

/// A member of the family, as a line of the tree.
fn branch(member: &Member, tasks: &[Task], of: LocalId) -> String {
    let mut line = String::new();
    if let Some((more, before)) = member.lines.split_last() {
        before.iter().for_each(|more| line.push_str(if *more { "│  " } else { "   " }));
        line.push_str(if *more { "├─ " } else { "└─ " });
    }
    let how = member.how.map(|how| format!("{} ", how.word())).unwrap_or_default();
    let here = if member.id == of { "  (this one)" } else { "" };
    let task = find(member.id, tasks);
    let (word, model) =
        task.map_or((String::new(), String::new()), |task| (task.status.word().to_owned(), task.request.full_model()));
    let star = if task.is_some_and(|task| task.starred) { "  starred" } else { "" };
    format!("{line}{how}{}  {}  {}{star}{here}", member.id.short(), one_line(&word), one_line(&model))
}

fn row(name: &str, value: &str) -> Result<(), Report> {
    say(&format!("{name:<11}{}", one_line(value)))
}

fn words(task: &Task) -> Result<(), Report> {
    row("id", &task.id.to_string())?;
    if let Some(id) = &task.task_id {
        row("task", id.as_str())?;
    }
    if task.is_elsewhere() {
        row("origin", "another program of the account created it; its prompt is not known")?;
    }
    if let Some(kin) = task.kin {
        row("from", &kin.to_string())?;
    }
    row("model", &task.request.full_model())?;
    for (name, value) in task.request.input.iter().filter(|(_, value)| plain(value) != task.request.prompt) {
        row(name, &plain(value))?;
    }
    let now = Clock::start().now().wall;
    let explained = advice::explain(task, now, now);
    row("status", &format!("{} – {}", task.status.word(), explained.what))?;
    if let Some(kind) = cause::kind(task) {
        row("kind", kind.title())?;
    }
    if let Some(next) = explained.next {
        row("next", &next)?;
    }
    if matches!(task.status, Status::Unsure(Some(Problem::Mismatch { .. }))) {
        row("sent", &task.request.body)?;
    }
    for (stage, at) in task.times.iter() {
        row("", &format!("{}  {}", time(at), stage.word()))?;
    }
    for output in &task.outputs {
        row(
            "output",
            &match &output.state {
                OutputState::Home(home) if is_gone(&home.file) => {
                    format!("{}  file gone; `plantain fetch ID` fetches it again while its link works", home.file)
                }
                OutputState::Home(home) => format!("{}  {} bytes  sha256 {}", home.file, home.bytes, home.sha256),
                OutputState::Lost { why } => format!("lost: {why}"),
                OutputState::Away => "not fetched yet".to_owned(),
            },
        )?;
        if let Some(at) = output.expires {
            row("", &format!("link works until {}", time(at)))?;
        }
    }
    if !task.request.prompt.is_empty() {
        say("")?;
        say(&lines(&task.request.prompt))?;
    }
    Ok(())
}

fn time(at: Wall) -> String {
    let at = jiff::Timestamp::from_second(at.secs()).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
