//! `plantain listen`: receive callbacks, and watch everything in flight, until told to stop.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use color_eyre::eyre::Report;
use serde_json::json as value;
use tokio::signal::unix::{SignalKind, signal};

use crate::domain::{LocalId, OutputState, Secret, Task};
use crate::fleet::Fleet;

use super::args::{Global, Listen};
use super::{DONE, complain, context, follow, json, say};

/// Where it listens unless told otherwise: this machine only, a tunnel or a proxy leads here.
const ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8787);
/// How often it is looked whether callbacks are as they should be.
const CHECK: Duration = Duration::from_secs(5);

pub(super) async fn run(global: &Global, args: &Listen) -> Result<u8, Report> {
    let places = context::places(global)?;
    let config = context::webhook(global.webhook_listen.unwrap_or(ADDRESS), &places)?;
    let callback = context::callback(global, &places)?;
    let (path, signed) = (config.path.clone(), !config.secrets.is_empty());
    let mut driver = context::driver(global, None, false)?;
    let address = driver.receive(config)?;
    ready(args, address, path.as_str(), callback.as_ref(), signed)?;

    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut printer = Printer { json: args.json, seen: BTreeMap::new(), broken: None, said: None };
    let mut refused = 0;
    // What others begin later comes by itself: they ask the one that talks to the service.
    driver.watch_everything();
    while printer.broken.is_none() {
        tokio::select! {
            () = driver.run(|fleet, hitch| printer.turn(fleet, hitch)) => {}
            () = tokio::time::sleep(CHECK) => {}
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
        }
        if let Some(text) = driver.alarm() {
            complain(text);
        }
        let unproven = driver.tally().map_or(0, |tally| tally.unproven);
        if unproven > refused {
            complain(&format!("{} callbacks were refused as not proven; the log says why", unproven - refused));
            refused = unproven;
        }
    }
    driver.finish().await;
    printer.broken.map_or(Ok(DONE), Err)
}

/// Says where it listens and what the service is to call. That address is as good as a password, so it is shown here
/// and nowhere else.
fn ready(
    args: &Listen,
    address: SocketAddr,
    path: &str,
    callback: Option<&Secret>,
    signed: bool,
) -> Result<(), Report> {
    let callback = callback.map(Secret::expose);
    if args.json {
        return say(&value!({
            "schema": 1, "event": "ready", "address": address.to_string(), "path": path, "callback_url": callback,
            "signed": signed,
        })
        .to_string());
    }
    say(&format!("listening on {address}"))?;
    match callback {
        Some(url) => say(&format!("the service calls {url}"))?,
        None => say(&format!("path {path}; give the public address that leads here with --callback-url"))?,
    }
    if !signed {
        complain("HIAPI_WEBHOOK_SECRET is not set: callbacks are not believed, they only make us look sooner");
    }
    Ok(())
}

/// Prints a line for each change.
struct Printer {
    json: bool,
    seen: BTreeMap<LocalId, Arc<Task>>,
    broken: Option<Report>,
    /// Why nothing goes on, as it was said.
    said: Option<String>,
}

impl Printer {
    /// Whether to go on.
    fn turn(&mut self, fleet: &Fleet, hitch: Option<&str>) -> bool {
        if let Some(why) = hitch.filter(|why| self.said.as_deref() != Some(*why)) {
            complain(why);
        }
        self.said = hitch.map(str::to_owned);
        for task in fleet.tasks() {
            let old = self.seen.get(&task.id);
            if old.is_some_and(|old| Arc::ptr_eq(old, task)) {
                continue;
            }
            let news = match old {
                // What is only now read from the store is no change, unless it has just ended.
                None => task.status.is_final(),
                Some(old) => old.status.word() != task.status.word() || is_home(old) != is_home(task),
            };
            let told = if !news {
                Ok(())
            } else if self.json {
                let mut line = json::task(task);
                line["event"] = "task".into();
                say(&json::escaped(&line))
            } else {
                say(&follow::line(task))
            };
            self.seen.insert(task.id, Arc::clone(task));
            if let Err(why) = told {
                self.broken = Some(why);
                return false;
            }
        }
        true
    }
}

fn is_home(task: &Task) -> bool {
    task.outputs.iter().all(|output| output.state != OutputState::Away)
}
