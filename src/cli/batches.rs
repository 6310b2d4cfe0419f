//! `plantain batches`: what was sent together, and what the user wants done with all of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use color_eyre::eyre::{Report, eyre};
use serde_json::{Value, json};

use crate::domain::batch::{Bill, Member, Tally, cost};
use crate::domain::text::one_line;
use crate::domain::{Catalogue, Change, How, Kin, LocalId, NotRetried, Problem, Stage, Status, Task, Wish, may_retry};
use crate::fleet::FleetMsg;
use crate::runtime::clock;
use crate::store::{Batch, Store};
use crate::time::Chance;

use super::args::{Batches, Global};
use super::follow::{Style, Until, follow};
use super::{DONE, ERROR, USAGE, complain, context, json, say, submit};

/// So long the window that sends may take to drop what it was asked to.
const PATIENCE: Duration = Duration::from_secs(15);
/// What was surely never sent.
const UNSENT: [Stage; 2] = [Stage::Saved, Stage::Held];

pub(super) async fn run(global: &Global, args: &Batches) -> Result<u8, Report> {
    let Some(name) = &args.name else { return list(&context::store(global)?, args) };
    if args.retry {
        return retry(global, args, name).await;
    }
    let store = context::store(global)?;
    named(&store, name)?;
    let code = if args.pause || args.resume {
        apply(&store, Change::Batch { name: name.clone(), paused: args.pause })?;
        DONE
    } else if args.drop {
        drop_unsent(&store, name, context::base(global)?.as_str())?
    } else {
        DONE
    };
    let (batch, members) = named(&store, name)?;
    show(&batch, &members, args.json)?;
    let held = members.iter().filter(|member| member.stage == Stage::Held).count();
    if args.resume && held > 0 {
        complain(&format!("{held} are held: `plantain batches NAME --retry` or a window that is open sends them"));
    }
    Ok(code)
}

fn list(store: &Store, args: &Batches) -> Result<u8, Report> {
    for batch in store.batches(args.limit)? {
        let members = store.members(&batch.name, &Catalogue::built_in())?;
        if !members.is_empty() {
            show(&batch, &members, args.json)?;
        }
    }
    Ok(DONE)
}

fn named(store: &Store, name: &str) -> Result<(Batch, Vec<Member>), Report> {
    let batch = store.batch(name)?.ok_or_else(|| eyre!("there is no batch {name:?}; `plantain batches` shows them"))?;
    let members = store.members(name, &Catalogue::built_in())?;
    Ok((batch, members))
}

fn show(batch: &Batch, members: &[Member], as_json: bool) -> Result<(), Report> {
    let tally: Tally = members.iter().copied().collect();
    let stages = Stage::ALL.into_iter().filter(|stage| tally.count(*stage) > 0);
    let (so_far, total) = (tally.so_far(), tally.total());
    if as_json {
        let counts: BTreeMap<&str, u64> = stages.map(|stage| (stage.word(), tally.count(stage))).collect();
        let line: Value = json!({
            "schema": 1,
            "name": batch.name,
            "created": batch.created.0 as f64 / 1000.0,
            "paused": batch.paused,
            "tasks": tally.tasks(),
            "counts": counts,
            "usd_so_far": so_far.usd,
            "usd": total.usd,
            "at_most": total.at_most,
            "unknown": total.unknown,
        });
        return say(&json::escaped(&line));
    }
    let made = jiff::Timestamp::from_second(batch.created.secs()).unwrap_or_default();
    let made = made.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string();
    let counts: Vec<String> = stages.map(|stage| format!("{} {}", tally.count(stage), stage.word())).collect();
    let paused = if batch.paused { "  paused" } else { "" };
    let price = if so_far == total { total.words() } else { format!("{} of {}", so_far.words(), total.words()) };
    say(&format!("{}  {made}  {} tasks: {}  {price}{paused}", one_line(&batch.name), tally.tasks(), counts.join(", ")))
}

fn apply(store: &Store, change: Change) -> Result<(), Report> {
    let (answer, inbox) = std::sync::mpsc::sync_channel(1);
    store.apply(change, move |result| {
        let _ = answer.send(result);
    });
    Ok(inbox.recv().map_err(|_| eyre!("the store is closed"))??)
}

/// Whoever sends drops it; if nobody does, this program. No lease is taken for it, and no key is needed.
fn drop_unsent(store: &Store, name: &str, service: &str) -> Result<u8, Report> {
    let standing = store.join(service, false, |_| {})?;
    let unsent = || -> Result<Vec<LocalId>, Report> {
        let members = store.members(name, &Catalogue::built_in())?;
        Ok(members.iter().filter(|member| UNSENT.contains(&member.stage)).map(|member| member.id).collect())
    };
    let before = unsent()?;
    match standing.holder {
        None => apply(store, Change::Drop(before.clone()))?,
        Some(holder) if holder.service != service => {
            return Err(eyre!("process {} sends, and to another service: {}", holder.pid, holder.service));
        }
        Some(_) if before.is_empty() => {}
        Some(_) => {
            apply(store, Change::Wish(Wish::Drop(name.to_owned())))?;
            let end = Instant::now() + PATIENCE;
            while !unsent()?.is_empty() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
    let left = unsent()?.len();
    complain(&format!("{} dropped; they were never sent", before.len().saturating_sub(left)));
    if left > 0 {
        complain(&format!("{left} are not dropped: the window that sends is sending them, or does not respond"));
        return Ok(ERROR);
    }
    Ok(DONE)
}

/// Sends once more what failed for a reason that passes, and what was held for the first time.
async fn retry(global: &Global, args: &Batches, name: &str) -> Result<u8, Report> {
    let catalogue = Catalogue::built_in();
    let (batch, held, failed, fixed) = {
        let store = context::store(global)?;
        let (batch, members) = named(&store, name)?;
        let retried = |id| members.iter().any(|member| member.id == id && member.retried);
        let mut held = store.unfinished()?;
        let settled = |task: &Task| matches!(&task.status, Status::Unsure(Some(Problem::Mismatch { .. })));
        held.retain(|task| task.mark.as_ref().is_some_and(|mark| mark.batch == name));
        held.retain(|task| matches!(may_retry(task), Err(NotRetried::Held | NotRetried::Unsure)) && !settled(task));
        let all = store.failed(name)?;
        let fixed = all.iter().filter(|task| matches!(may_retry(task), Err(NotRetried::Unchanged(_)))).count();
        let failed: Vec<Task> = all.into_iter().filter(|task| may_retry(task).is_ok() && !retried(task.id)).collect();
        (batch, held, failed, fixed)
    };
    if fixed > 0 {
        complain(&format!("{fixed} failed for a reason that stays: they need a change, and are left alone"));
    }
    if held.is_empty() && failed.is_empty() {
        complain("nothing of it is held, and nothing failed for a reason that passes; nothing was sent");
        return Ok(DONE);
    }
    let mut bill = Bill::default();
    failed.iter().for_each(|task| bill.add(1, cost(&task.request, &catalogue).as_ref()));
    if !submit::consent(&bill, true, args.yes, args.max_cost)? {
        return Ok(USAGE);
    }
    if batch.paused {
        complain("the batch is paused; what is sent again waits until `plantain batches NAME --resume`");
    }
    let mut driver = context::driver(global, None, args.wait)?;
    let mut ids: Vec<LocalId> = held.iter().map(|task| task.id).collect();
    driver.handle(FleetMsg::Restored(held));
    driver.own(&ids);
    driver.handle(FleetMsg::Send(ids.clone()));
    let mut chance = Chance::new(clock::seed());
    for failure in failed {
        let id = LocalId::from_random(chance.bits());
        let mut task = Task::new(id, failure.request, driver.clock().now().wall);
        task.kin = Some(Kin { parent: failure.id, how: How::Retry });
        task.mark = failure.mark.map(|mark| std::sync::Arc::new(mark.again()));
        ids.push(id);
        driver.add(task);
    }
    let until = if args.wait { Until::Home } else { Until::Accepted };
    follow(driver, &ids, until, Style { json: args.json, changes: false }).await
}
