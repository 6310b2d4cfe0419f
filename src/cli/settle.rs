//! `plantain settle`: the user decides about a task of which nobody knows whether it was accepted.

use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::{Report, eyre};
use serde_json::json;

use crate::domain::{Catalogue, How, Kin, LocalId, Settle as Decision, Stage, Status, Task, TaskId, explain, price};
use crate::fleet::{Fleet, FleetMsg};
use crate::runtime::{Driver, clock};
use crate::time::Chance;

use super::args::{Global, Settle};
use super::follow::{Style, Until, follow};
use super::{DONE, ERROR, USAGE, adopt, complain, context, json, remote, say};

/// So long the window that sends may take to carry a decision out.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) async fn run(global: &Global, args: &Settle) -> Result<u8, Report> {
    let mut driver = context::driver(global, None, args.wait)?;
    let task = {
        let store = driver.store().ok_or_else(|| eyre!("the store is not open"))?;
        context::find(store, &args.id)?
    };
    let id = task.id;
    driver.handle(FleetMsg::Restored(vec![task]));
    let Some(task) = driver.fleet().task(id).cloned().filter(|task| matches!(task.status, Status::Unsure(_))) else {
        complain(&format!("{}: there is nothing to decide; its outcome is known", id.short()));
        return Ok(ERROR);
    };
    let cost = price::words(price::quote(&task.request, &Catalogue::built_in()).as_ref());
    let mut ids = vec![id];
    let how = match (&args.adopt, args.anew, args.give_up) {
        (Some(task_id), ..) => match stray(&mut driver, &task, task_id).await {
            Ok(()) => Decision::Adopt(task_id.clone()),
            Err(why) => {
                complain(&format!("{task_id}: {why}; nothing was changed"));
                driver.finish().await;
                return Ok(ERROR);
            }
        },
        (None, true, _) if !args.yes => {
            complain(&format!(
                "if the first sending was accepted, both are paid: {cost}. Say --yes to send it anew; nothing was sent"
            ));
            driver.finish().await;
            return Ok(USAGE);
        }
        (None, true, _) => {
            let anew = LocalId::from_random(Chance::new(clock::seed()).bits());
            ids.push(anew);
            let now = driver.clock().now().wall;
            let mut new = Task::new(anew, Arc::clone(&task.request), now);
            new.kin = Some(Kin { parent: id, how: How::Retry });
            Decision::Anew(Box::new(new))
        }
        (None, false, true) => Decision::GiveUp { anew: None },
        (None, false, false) => return choices(driver, &task, &cost, args).await,
    };
    let given_up = matches!(how, Decision::GiveUp { .. } | Decision::Anew(_));
    driver.handle(FleetMsg::Settle { id, how });
    // Another window may have to carry it out. One that does not answer, or has an answer of the service on its way
    // and so refuses, is not waited for without end.
    let same = |fleet: &Fleet, _: Option<&str>| fleet.task(id).is_some_and(|now| now.status == task.status);
    let _ = tokio::time::timeout(PATIENCE, driver.run(same)).await;
    if driver.fleet().task(id).is_some_and(|task| matches!(task.status, Status::Unsure(_))) {
        complain(&format!(
            "{}: the plantain that sends has not carried it out; `plantain show {}` says how it stands",
            id.short(),
            id.short()
        ));
        driver.finish().await;
        return Ok(ERROR);
    }
    // The old task is at its end as the user wanted; what is followed is what goes on.
    if given_up {
        if let Some(old) = driver.fleet().task(id) {
            say(&if args.json { json::line(old) } else { super::follow::line(old) })?;
        }
        ids.retain(|other| *other != id);
    }
    if ids.is_empty() {
        driver.finish().await;
        return Ok(DONE);
    }
    let until = if args.wait { Until::Home } else { Until::Accepted };
    follow(driver, &ids, until, Style { json: args.json, changes: false }).await
}

/// Whether this task of the account may be what became of ours.
async fn stray(driver: &mut Driver, task: &Task, task_id: &TaskId) -> Result<(), String> {
    let known = driver.store().map(|store| store.known(task_id)).transpose().map_err(|why| why.to_string())?.flatten();
    if let Some(id) = known {
        return Err(format!("it is another task of ours, {}", id.short()));
    }
    let found = adopt::find(driver, task_id).await?;
    let model = driver.fleet().task(found).map(|stray| stray.request.full_model()).unwrap_or_default();
    if model != task.request.full_model() && model != task.request.model {
        return Err(format!("it is of another model, {model}"));
    }
    Ok(())
}

/// What can be decided, and the tasks of the account that it may have become.
async fn choices(mut driver: Driver, task: &Task, cost: &str, args: &Settle) -> Result<u8, Report> {
    let id = task.id;
    let sent = task.times.at(Stage::Sending).unwrap_or(task.created);
    // Pages that are older than the sending cannot hold it.
    let young = |driver: &Driver| driver.fleet().strays().oldest().is_none_or(|oldest| oldest >= sent);
    let problem = remote::read(&mut driver, args.pages, young).await;
    let now = driver.clock().now();
    let fitting = driver.fleet().candidates(id);
    let repeat = driver.fleet().may_repeat(id, now);
    let said = explain(task, now.wall, driver.fleet().at_service(now));
    if args.json {
        let mut line = json::task(task);
        let quote = price::quote(&task.request, &Catalogue::built_in());
        line["may_repeat"] = repeat.into();
        line["price"] = quote.map_or(
            serde_json::Value::Null,
            |quote| json!({ "usd": quote.usd, "at_most": quote.at_most, "unit": quote.unit, "seen": quote.seen }),
        );
        line["candidates"] = fitting
            .iter()
            .map(|stray| {
                let mut stray = json::task(stray);
                stray["id"] = serde_json::Value::Null;
                stray
            })
            .collect();
        say(&json::escaped(&line))?;
    } else {
        say(&format!("{}  {}", id.short(), crate::domain::text::one_line(&said.what)))?;
        if repeat {
            say(&format!("  plantain send {}                 the same key again: never paid twice", id.short()))?;
        }
        for stray in &fitting {
            let task_id = stray.task_id.as_ref().map(TaskId::as_str).unwrap_or_default();
            say(&format!("  plantain settle {} --adopt {task_id}", id.short()))?;
            say(&format!("      {}", remote::line(stray, false)))?;
        }
        say(&format!("  plantain settle {} --anew --yes  a second task; {cost}", id.short()))?;
        say(&format!("  plantain settle {} --give-up     never sent again", id.short()))?;
    }
    driver.finish().await;
    match problem {
        Some(problem) => {
            complain(&format!("the account's list cannot be read: {}; {}", problem.sentence(), problem.advice()));
            Ok(ERROR)
        }
        None => Ok(DONE),
    }
}
