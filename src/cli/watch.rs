//! `plantain watch`: go on with everything in flight.

use color_eyre::eyre::Report;

use crate::domain::{LocalId, Task};
use crate::fleet::FleetMsg;

use super::args::{Global, Watch};
use super::follow::{Style, Until, follow};
use super::{DONE, complain, context};

pub(super) async fn run(global: &Global, args: &Watch) -> Result<u8, Report> {
    let mut driver = context::driver(global, None, true)?;
    let (tasks, chosen) = {
        let store = driver.store().ok_or_else(|| color_eyre::eyre::eyre!("the store is not open"))?;
        let mut tasks: Vec<Task> = store.unfinished()?;
        let chosen = context::find_all(store, &args.ids)?;
        for id in &chosen {
            if !tasks.iter().any(|task| task.id == *id) {
                tasks.extend(store.task(*id)?);
            }
        }
        (tasks, chosen)
    };
    let ids: Vec<LocalId> = if chosen.is_empty() { tasks.iter().map(|task| task.id).collect() } else { chosen };
    if ids.is_empty() {
        complain("nothing is in flight");
        return Ok(DONE);
    }
    let wanted = tasks.into_iter().filter(|task| ids.contains(&task.id)).collect();
    driver.handle(FleetMsg::Restored(wanted));
    if !driver.standing().holds {
        driver.watch_everything();
    }
    follow(driver, &ids, Until::Home, Style { json: args.json, changes: true }).await
}
