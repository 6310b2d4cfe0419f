//! `plantain show`: everything about one task.

use color_eyre::eyre::Report;

use crate::domain::request::plain;
use crate::domain::text::{lines, one_line};
use crate::domain::{OutputState, Problem, Status, Task, advice};
use crate::runtime::Clock;
use crate::runtime::files::is_gone;
use crate::time::Wall;

use super::args::{Global, Show};
use super::{DONE, context, json, say};

pub(super) fn run(global: &Global, args: &Show) -> Result<u8, Report> {
    let task = context::find(&context::store(global)?, &args.id)?;
    if args.json {
        say(&json::line(&task))?;
    } else {
        words(&task)?;
    }
    Ok(DONE)
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
    row("model", &task.request.full_model())?;
    if !task.is_elsewhere() {
        let now = Clock::start().now().wall;
        row("price", &task.cost.as_ref().map_or_else(|| "not known".to_owned(), |cost| cost.words(now)))?;
    }
    for (name, value) in task.request.input.iter().filter(|(_, value)| plain(value) != task.request.prompt) {
        row(name, &plain(value))?;
    }
    let now = Clock::start().now().wall;
    let explained = advice::explain(task, now, now);
    row("status", &format!("{} – {}", task.status.word(), explained.what))?;
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
