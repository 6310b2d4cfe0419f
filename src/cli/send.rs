//! `plantain send`: the user's word for tasks that a restart left held or unsure.

use color_eyre::eyre::Report;

use crate::domain::{LocalId, Status};
use crate::fleet::FleetMsg;

use super::args::{Global, Send};
use super::follow::{Style, Until, follow};
use super::{DONE, complain, context};

pub(super) async fn run(global: &Global, args: &Send) -> Result<u8, Report> {
    let mut driver = context::driver(global, None, args.wait)?;
    let tasks = {
        let store = driver.store().ok_or_else(|| color_eyre::eyre::eyre!("the store is not open"))?;
        let chosen = context::find_all(store, &args.ids)?;
        let wants = |id: LocalId| args.all || chosen.contains(&id);
        let mut tasks = store.unfinished()?;
        tasks.retain(|task| wants(task.id));
        tasks
    };
    driver.handle(FleetMsg::Restored(tasks));
    let waiting = |status: &Status| matches!(status, Status::Held(_) | Status::Unsure(_));
    let ids: Vec<LocalId> = driver.fleet().tasks().filter(|task| waiting(&task.status)).map(|task| task.id).collect();
    if ids.is_empty() {
        complain("none of them is held or unsure");
        return Ok(DONE);
    }
    driver.handle(FleetMsg::Send(ids.clone()));
    let until = if args.wait { Until::Home } else { Until::Accepted };
    follow(driver, &ids, until, Style { json: args.json, changes: false }).await
}
