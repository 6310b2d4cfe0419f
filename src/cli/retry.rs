//! `plantain retry`: a task once more, as it is where that makes sense, or with something changed.

use std::sync::Arc;

use color_eyre::eyre::Report;
use serde_json::{Map, Value};

use crate::domain::cause::{may_repeat, unchanged};
use crate::domain::validate::{find_model, parse_value, validate};
use crate::domain::{Catalogue, Draft, How, Kin, LocalId, NotRetried, Request, Secret, Status, Task};
use crate::runtime::clock;
use crate::time::Chance;

use super::args::{Global, Retry};
use super::follow::{Style, Until, follow};
use super::{USAGE, complain, context, prompts};

/// What is sent for one of the tasks.
pub(super) struct Next {
    /// The request.
    pub request: Arc<Request>,
    /// Where it came from.
    pub kin: Kin,
}

pub(super) async fn run(global: &Global, args: Retry) -> Result<u8, Report> {
    let catalogue = context::catalogue(global)?;
    let places = context::places(global)?;
    let callback = context::callback(global, &places)?;
    let key = context::needed_key()?;
    let mut next = Vec::new();
    let mut good = true;
    {
        let store = context::store(global)?;
        for id in &args.ids {
            let task = context::find(&store, id)?;
            let relatives = store.family(task.id)?;
            let made = one(&task, &relatives, &args, &catalogue, callback.as_ref().map(Secret::expose));
            match made {
                Ok(one) if next.iter().any(|other: &Next| other.kin == one.kin) => {}
                Ok(one) => next.push(one),
                Err(faults) => {
                    faults.iter().for_each(|fault| complain(&format!("{}: {fault}", task.id.short())));
                    good = false;
                }
            }
        }
    }
    if !good {
        complain("nothing was sent");
        return Ok(USAGE);
    }
    if next.iter().any(|one| key.is_in(&one.request.body)) {
        complain("the prompt or a field holds your API key; nothing was saved or sent");
        return Ok(USAGE);
    }
    let bill = prompts::sum(next.iter().map(|one| one.request.as_ref()), &catalogue);
    let limit = context::settings(global)?.confirm;
    if !args.yes && (bill.tasks > u128::from(limit.tasks) || bill.usd > limit.usd) {
        complain(&format!("{} tasks, {}: say --yes to send them; nothing was sent", bill.tasks, bill.price()));
        return Ok(USAGE);
    }
    send(global, next, args.wait, args.json).await
}

/// Sends these as new tasks, and follows them.
pub(super) async fn send(global: &Global, next: Vec<Next>, wait: bool, json: bool) -> Result<u8, Report> {
    let mut driver = context::driver(global, None, wait)?;
    let mut chance = Chance::new(clock::seed());
    let mut ids = Vec::new();
    for one in next {
        let id = LocalId::from_random(chance.bits());
        ids.push(id);
        let mut task = Task::new(id, one.request, driver.clock().now().wall);
        task.kin = Some(one.kin);
        driver.add(task);
    }
    let until = if wait { Until::Home } else { Until::Accepted };
    follow(driver, &ids, until, Style { json, changes: false }).await
}

/// What is to be sent for this task, or everything that speaks against it.
fn one(
    task: &Task,
    relatives: &[Task],
    args: &Retry,
    catalogue: &Catalogue,
    callback: Option<&str>,
) -> Result<Next, Vec<String>> {
    if task.is_elsewhere() {
        return Err(vec![NotRetried::Elsewhere.to_string()]);
    }
    let failed = matches!(task.status, Status::Failed(_) | Status::Refused(_));
    let kin = |how| Kin { parent: task.id, how };
    if args.fields.is_empty() && args.prompt.is_none() {
        let again = matches!(&task.status, Status::Success if args.yes);
        let how = if again { How::Again } else { How::Retry };
        let verdict = if again { Ok(()) } else { may_repeat(task) };
        find_model(&task.request.full_model(), catalogue).map_err(|fault| vec![fault.to_string()])?;
        // What its repetition met counts as much as what it met itself.
        let verdict = verdict.and_then(|()| match unchanged(&task.request, relatives.iter()) {
            Some((_, why)) if !again => Err(why),
            _ => Ok(()),
        });
        return match verdict {
            Ok(()) => Ok(Next { request: Arc::clone(&task.request), kin: kin(how) }),
            Err(why) => Err(vec![format!("{why}{}", way_out(&why))]),
        };
    }
    let mut draft = task.request.draft(catalogue);
    change(&mut draft, &args.fields, args.prompt.as_deref(), catalogue).map_err(|fault| vec![fault])?;
    let request = validate(&draft, catalogue, callback)
        .map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    if let Some((_, why)) = unchanged(&request, relatives.iter()) {
        return Err(vec![format!("that is the same request; {why}")]);
    }
    let how = if failed { How::Fix } else { How::Vary };
    Ok(Next { request: Arc::new(request), kin: kin(how) })
}

fn way_out(why: &NotRetried) -> &'static str {
    match why {
        NotRetried::Unchanged(_) => "; --set FIELD=VALUE or --prompt TEXT changes it",
        NotRetried::Held => "; `plantain send ID` sends it",
        NotRetried::Unsure => "; `plantain send ID` asks with it, `plantain settle ID` decides",
        NotRetried::Done => "; --yes makes another picture of it, paid again",
        NotRetried::Elsewhere | NotRetried::NotEnded | NotRetried::GivenUp => "",
    }
}

/// Changes a draft as the command line says. An empty value leaves the field to the service.
pub(super) fn change(
    draft: &mut Draft,
    settings: &[String],
    prompt: Option<&str>,
    catalogue: &Catalogue,
) -> Result<(), String> {
    let spec = find_model(&draft.model, catalogue).map_err(|fault| fault.to_string())?;
    let mut set: Map<String, Value> = Map::new();
    for setting in settings {
        let (name, text) =
            setting.split_once('=').ok_or_else(|| format!("--set takes FIELD=VALUE, not {setting:?}"))?;
        match spec.field(name) {
            _ if text.is_empty() => {
                draft.fields.shift_remove(name);
            }
            Some(field) => {
                set.insert(name.to_owned(), parse_value(field, text).map_err(|fault| fault.to_string())?);
            }
            // The check of the whole names the nearest one.
            None => {
                set.insert(name.to_owned(), text.into());
            }
        }
    }
    draft.fields.extend(set);
    if let Some(prompt) = prompt {
        prompt.clone_into(&mut draft.prompt);
    }
    Ok(())
}
