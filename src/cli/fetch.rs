//! `plantain fetch`: bring home once more what is not here any more, or never came.

use color_eyre::eyre::{Report, eyre};

use crate::domain::{LocalId, OutputState, Task};
use crate::fleet::FleetMsg;
use crate::runtime::files;

use super::args::{Fetch, Global};
use super::follow::{Style, Until, follow};
use super::{DONE, ERROR, complain, context};

pub(super) async fn run(global: &Global, args: Fetch) -> Result<u8, Report> {
    let mut driver = context::driver(global, args.out, false)?;
    let tasks: Vec<Task> = {
        let store = driver.store().ok_or_else(|| eyre!("the store is not open"))?;
        args.ids.iter().map(|id| context::find(store, id)).collect::<Result<_, _>>()?
    };
    let now = driver.clock().now().wall;
    let (mut wanted, mut ids, mut code) = (Vec::new(), Vec::<LocalId>::new(), DONE);
    for task in &tasks {
        let missing = files::missing(task);
        let lives = |asset: &crate::domain::AssetId| {
            task.outputs.get(usize::from(asset.index)).is_some_and(|output| output.link_lives(now))
        };
        let (alive, expired): (Vec<_>, Vec<_>) = missing.into_iter().partition(lives);
        if !expired.is_empty() {
            complain(&format!(
                "{}: the link has expired; the service keeps outputs for about seven days",
                task.id.short()
            ));
            code = ERROR;
        }
        let coming = task.outputs.iter().any(|output| output.state == OutputState::Away);
        if coming || !alive.is_empty() {
            ids.push(task.id);
        } else if expired.is_empty() {
            complain(&format!("{}: nothing of it is missing", task.id.short()));
        }
        wanted.extend(alive);
    }
    if ids.is_empty() {
        return Ok(code);
    }
    driver.own(&ids);
    driver.handle(FleetMsg::Restored(tasks.into_iter().filter(|task| ids.contains(&task.id)).collect()));
    driver.handle(FleetMsg::Again(wanted));
    let followed = follow(driver, &ids, Until::Home, Style { json: args.json, changes: false }).await?;
    Ok(if followed == DONE { code } else { followed })
}
