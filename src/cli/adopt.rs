//! `plantain adopt`: tasks that other programs of the account created are watched and fetched like ours.

use color_eyre::eyre::{Report, eyre};

use crate::domain::{Browse, LocalId, TaskId};
use crate::fleet::FleetMsg;
use crate::runtime::Driver;

use super::args::{Adopt, Global};
use super::follow::{Style, Until, follow};
use super::{DONE, ERROR, complain, context, remote};

pub(super) async fn run(global: &Global, args: Adopt) -> Result<u8, Report> {
    let mut driver = context::driver(global, args.out, args.wait)?;
    let (mut ids, mut code) = (Vec::new(), DONE);
    for task_id in &args.task_ids {
        let store = driver.store().ok_or_else(|| eyre!("the store is not open"))?;
        if let Some(id) = store.known(task_id)? {
            complain(&format!("{task_id} is known here already, as {}", id.short()));
            // It is followed all the same: whoever repeats the command wants to see it end.
            let known = store.task(id)?;
            driver.handle(FleetMsg::Restored(known.into_iter().collect()));
            ids.push(id);
            continue;
        }
        match find(&mut driver, task_id).await {
            Ok(id) => {
                driver.handle(FleetMsg::Adopt(id));
                ids.push(id);
            }
            Err(why) => {
                complain(&format!("{task_id}: {why}"));
                code = ERROR;
            }
        }
    }
    if ids.is_empty() {
        driver.finish().await;
        return Ok(code);
    }
    let until = if args.wait { Until::Home } else { Until::Accepted };
    let followed = follow(driver, &ids, until, Style { json: args.json, changes: false }).await?;
    Ok(if followed == DONE { code } else { followed })
}

/// Asks the service about a task that is not ours. Its name here, or why it cannot be had.
pub(super) async fn find(driver: &mut Driver, task_id: &TaskId) -> Result<LocalId, String> {
    remote::ask(driver, Browse::One(task_id.clone())).await;
    let strays = driver.fleet().strays();
    match (strays.named(task_id), strays.not_found(task_id)) {
        (Some(task), _) => Ok(task.id),
        (None, Some(problem)) => Err(problem.sentence()),
        (None, None) => Err("it is one of ours already".to_owned()),
    }
}
