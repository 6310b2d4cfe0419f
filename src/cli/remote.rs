//! `plantain list --remote`: the account's tasks that other programs created.

use std::sync::Arc;

use color_eyre::eyre::Report;

use crate::domain::text::one_line;
use crate::domain::{Browse, Problem, Task};
use crate::fleet::FleetMsg;
use crate::runtime::Driver;

use super::args::{Global, List};
use super::{DONE, ERROR, complain, context, json, say};

pub(super) async fn run(global: &Global, args: &List) -> Result<u8, Report> {
    let mut driver = context::driver(global, None, false)?;
    let problem = read(&mut driver, args.pages, |_| true).await;
    let mut found: Vec<Arc<Task>> = driver.fleet().strays().iter().cloned().collect();
    found.sort_by_key(|task| std::cmp::Reverse((task.created, task.id)));
    found.truncate(args.limit);
    for task in &found {
        say(&line(task, args.json))?;
    }
    if let Some(page) = driver.fleet().strays().next_page().filter(|_| problem.is_none()) {
        complain(&format!("the list goes on; --pages {page} reads more of it"));
    }
    driver.finish().await;
    match problem {
        Some(problem) => {
            complain(&format!("{}; {}", problem.sentence(), problem.advice()));
            Ok(ERROR)
        }
        None => Ok(DONE),
    }
}

/// A task of another program in one line. It has no name here until it is adopted.
pub(super) fn line(task: &Task, as_json: bool) -> String {
    if as_json {
        let mut line = json::task(task);
        line["id"] = serde_json::Value::Null;
        return json::escaped(&line);
    }
    let made = jiff::Timestamp::from_second(task.created.secs()).unwrap_or_default();
    let made = made.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
    let name = task.task_id.as_ref().map(|id| id.as_str()).unwrap_or_default();
    let model = task.request.full_model();
    format!("{name}  {made}  {:<9}  {:<20}  (made elsewhere)", one_line(task.status.word()), one_line(&model))
}

/// Reads pages of the list, as long as they are wanted. Says why it stopped, if it had to.
pub(super) async fn read(driver: &mut Driver, pages: u32, wanted: impl Fn(&Driver) -> bool) -> Option<Problem> {
    for _ in 0..pages {
        let Some(page) = driver.fleet().strays().next_page().filter(|_| wanted(driver)) else { break };
        ask(driver, Browse::Page(page)).await;
        if let Some(problem) = driver.fleet().strays().problem() {
            return Some(problem.clone());
        }
    }
    None
}

/// Asks, and waits for the answer.
pub(super) async fn ask(driver: &mut Driver, browse: Browse) {
    driver.handle(FleetMsg::Browse(browse));
    driver.run(|fleet, _| fleet.strays().is_asking()).await;
}
