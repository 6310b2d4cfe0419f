//! `plantain submit`: check everything, say what it comes to, then send.

use std::collections::HashMap;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

use color_eyre::eyre::Report;

use crate::config::Settings;
use crate::domain::batch::Bill;
use crate::domain::{LocalId, Secret, Stage, Task};
use crate::fleet::FleetMsg;
use crate::runtime::clock;
use crate::store::{FILE, Given, Store};
use crate::time::Chance;

use super::args::{Global, Submit};
use super::follow::{Style, Until, follow};
use super::prompts::{self, Checked, Ready};
use super::{DONE, USAGE, complain, context, dry_run};

pub(super) async fn run(global: &Global, mut args: Submit) -> Result<u8, Report> {
    let catalogue = context::catalogue(global)?;
    let settings = context::settings(global)?;
    if args.many.lists.is_none() {
        args.many.lists = context::config_dir(global).map(|dir| dir.join("lists"));
    }
    let places = context::places(global)?;
    let callback = context::callback(global, &places)?;
    let Checked { ready, faults, seed } = prompts::check(&args, &catalogue, callback.as_ref().map(Secret::expose))?;
    faults.iter().for_each(|fault| complain(fault));
    if !faults.is_empty() && (!args.many.keep_going || ready.is_empty()) {
        if args.many.from.is_some() {
            complain("nothing was sent");
        }
        return Ok(USAGE);
    }
    if ready.is_empty() {
        complain("there is nothing to send");
        return Ok(USAGE);
    }
    let broken = if faults.is_empty() { DONE } else { USAGE };
    let key = if args.many.dry_run { context::key().ok() } else { Some(context::needed_key()?) };
    if key.is_some_and(|key| ready.iter().any(|ready| key.is_in(&ready.request.body))) {
        complain("the prompt or a field holds your API key; nothing was saved or sent");
        return Ok(USAGE);
    }
    // A run before this one may have sent some of it. Only a look: a dry run makes no database.
    let batch = ready.iter().find_map(|ready| ready.mark.as_ref()).map(|mark| mark.batch.clone());
    let given = match &batch {
        Some(batch) if places.data.join(FILE).exists() => Store::open(&places.data)?.given(batch)?,
        _ => Vec::new(),
    };
    let Sorted { fresh, again, running, done } = sort(&ready, given);
    let paid = || fresh.iter().copied().chain(again.iter().map(|(_, ready)| *ready));
    let bill = prompts::bill(paid(), &catalogue);
    if let Some(batch) = batch.filter(|_| running.len() + done > 0) {
        let number = running.len() + done;
        complain(&format!("{number} of batch {batch:?} were sent before; --batch with another name sends them again"));
    }
    if args.many.dry_run {
        let all: Vec<&Ready> = paid().collect();
        let address = context::base(global)?;
        dry_run::print(&all, &bill, seed, address.as_str(), &catalogue, args.json)?;
        return Ok(broken);
    }
    // Where templates, lists and files make the number, it may surprise; `--repeat` is a number that was said.
    let many = &args.many;
    let made = many.from.is_some() || many.expand.is_some() || !many.matrix.is_empty();
    if !consent(&bill, made, many.yes, many.max_cost, &settings)? {
        return Ok(USAGE);
    }
    if let Some(seed) = seed.filter(|_| !args.json) {
        complain(&format!("seed {seed}"));
    }
    if args.out.is_some() && !args.wait {
        complain("--out is of use only with --wait; `plantain watch` puts outputs into the data folder");
    }
    let mut driver = context::driver(global, args.out.clone(), args.wait)?;
    let mut chance = Chance::new(clock::seed());
    let mut ids: Vec<LocalId> = again.iter().map(|(id, _)| *id).collect();
    if !ids.is_empty() || (args.wait && !running.is_empty()) {
        let wanted = |id: &LocalId| ids.contains(id) || (args.wait && running.contains(id));
        let mut tasks = driver.store().map_or_else(|| Ok(Vec::new()), Store::unfinished)?;
        tasks.retain(|task| wanted(&task.id));
        driver.handle(FleetMsg::Restored(tasks));
        driver.own(&ids);
        driver.handle(FleetMsg::Send(ids.clone()));
        if args.wait {
            driver.own(&running);
            ids.extend(&running);
        }
    }
    for ready in fresh {
        let id = LocalId::from_random(chance.bits());
        ids.push(id);
        let now = driver.clock().now().wall;
        let mut task = Task::new(id, std::sync::Arc::clone(&ready.request), now);
        task.mark.clone_from(&ready.mark);
        driver.add(task);
    }
    let until = if args.wait { Until::Home } else { Until::Accepted };
    let code = follow(driver, &ids, until, Style { json: args.json, changes: false }).await?;
    Ok(if code == DONE { broken } else { code })
}

/// What a run before this one has left of the rows.
struct Sorted<'a> {
    /// Never given before.
    fresh: Vec<&'a Ready>,
    /// Given and not sent, or perhaps sent: they go on with the same key.
    again: Vec<(LocalId, &'a Ready)>,
    /// The service has them.
    running: Vec<LocalId>,
    /// How many have ended.
    done: usize,
}

fn sort(ready: &[Ready], given: Vec<Given>) -> Sorted<'_> {
    let given: HashMap<String, (LocalId, Stage)> = given.into_iter().map(|g| (g.row, (g.id, g.stage))).collect();
    let mut sorted = Sorted { fresh: Vec::new(), again: Vec::new(), running: Vec::new(), done: 0 };
    for one in ready {
        match one.mark.as_ref().and_then(|mark| given.get(&mark.row)) {
            None => sorted.fresh.push(one),
            Some((id, Stage::Saved | Stage::Held | Stage::Sending | Stage::Unsure)) => sorted.again.push((*id, one)),
            Some((_, stage)) if stage.is_final() => sorted.done += 1,
            Some((id, _)) => sorted.running.push(*id),
        }
    }
    sorted
}

/// The user wants so many, and so dear.
pub(super) fn consent(
    bill: &Bill,
    made: bool,
    yes: bool,
    max_cost: Option<f64>,
    settings: &Settings,
) -> Result<bool, Report> {
    let sum = format!("{} tasks, {}", bill.tasks, bill.price());
    if let Some(most) = max_cost
        && (bill.usd > most || bill.unknown > 0)
    {
        let why = if bill.usd > most { "that is more than" } else { "nobody can say that it is within" };
        complain(&format!("{sum}: {why} --max-cost {most}; nothing was sent"));
        return Ok(false);
    }
    let limit = settings.confirm;
    if yes || ((bill.tasks <= u128::from(limit.tasks) || !made) && bill.usd <= limit.usd) {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        complain(&format!("{sum}: say --yes to send them; nothing was sent"));
        return Ok(false);
    }
    write!(std::io::stderr(), "plantain: {sum}. Send them? [y/N] ")?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    let yes = matches!(answer.trim().to_lowercase().as_str(), "y" | "yes");
    if !yes {
        complain("nothing was sent");
    }
    Ok(yes)
}
