//! `plantain promote`: the same prompt on another model, with what could be carried.

use std::sync::Arc;

use color_eyre::eyre::{Report, eyre};
use serde_json::{Value, json};

use crate::domain::batch::cost;
use crate::domain::promote::{Carried, Entry, Fate, live_link, promote, reference};
use crate::domain::text::one_line;
use crate::domain::validate::{find_model, validate};
use crate::domain::{Catalogue, How, Kin, Secret, Task, price};
use crate::runtime::Clock;

use super::args::{Global, Promote};
use super::json::escaped;
use super::retry::{self, Next};
use super::{DONE, USAGE, complain, context, say};

pub(super) async fn run(global: &Global, args: Promote) -> Result<u8, Report> {
    let catalogue = Catalogue::built_in();
    let task = context::find(&context::store(global)?, &args.id)?;
    if task.is_elsewhere() {
        complain("another program created it: its prompt is not known here");
        return Ok(USAGE);
    }
    let how = if args.reference { How::Reference } else { How::Promote };
    let mut carried = match carry(&task, &args, how, &catalogue) {
        Ok(carried) => carried,
        Err(why) => {
            complain(&format!("{why}; nothing was sent"));
            return Ok(USAGE);
        }
    };
    if let Err(why) = retry::change(&mut carried.draft, &args.fields, args.prompt.as_deref(), &catalogue) {
        complain(&format!("{why}; nothing was sent"));
        return Ok(USAGE);
    }
    let places = context::places(global)?;
    let callback = context::callback(global, &places)?;
    let request = validate(&carried.draft, &catalogue, callback.as_ref().map(Secret::expose));
    carried.faults = request.as_ref().err().cloned().unwrap_or_default();
    let quote = request.as_ref().ok().map(|request| price::words(price::quote(request, &catalogue).as_ref()));
    if args.dry_run && args.json {
        let body = request.as_ref().ok().and_then(|request| serde_json::from_str::<Value>(&request.body).ok());
        let usd = request.as_ref().ok().and_then(|request| cost(request, &catalogue)).map(|cost| cost.usd);
        say(&escaped(&json!({
            "schema": 1,
            "from": { "id": task.id.to_string(), "how": how.word() },
            "model": carried.draft.model,
            "request": body,
            "usd": usd,
            "carried": carried.entries.iter().map(entry).collect::<Vec<_>>(),
            "missing": carried.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })))?;
    } else {
        // With --json standard output belongs to the task.
        for line in carried.entries.iter().map(words) {
            if args.dry_run { say(&line)? } else { complain(&line) }
        }
    }
    let request = match request {
        Ok(request) => request,
        Err(faults) => {
            faults.iter().for_each(|fault| complain(&fault.to_string()));
            complain("nothing was sent; --set FIELD=VALUE and --prompt TEXT say what is missing");
            return Ok(USAGE);
        }
    };
    if args.dry_run {
        if !args.json {
            say(&one_line(&request.body))?;
            say(&format!("1 task, {}; nothing was sent", quote.unwrap_or_default()))?;
        }
        return Ok(DONE);
    }
    if context::needed_key()?.is_in(&request.body) {
        complain("the prompt or a field holds your API key; nothing was saved or sent");
        return Ok(USAGE);
    }
    let next = Next { request: Arc::new(request), kin: Kin { parent: task.id, how } };
    retry::send(global, vec![next], args.wait, args.json).await
}

fn carry(task: &Task, args: &Promote, how: How, catalogue: &Catalogue) -> Result<Carried, Report> {
    let spec = find_model(&args.model, catalogue).map_err(|fault| eyre!("{fault}"))?;
    let origin = Some(Kin { parent: task.id, how });
    let draft = task.request.draft(catalogue);
    if how == How::Promote {
        return Ok(promote(&draft, spec, origin, catalogue));
    }
    let output = task.outputs.first().ok_or_else(|| eyre!("it has no output to go on from"))?;
    let link = live_link(output, Clock::start().now().wall).map_err(|why| eyre!("{why}"))?;
    reference(&draft, link, spec, origin, catalogue)
        .ok_or_else(|| eyre!("{} takes no such file; `plantain models NAME` lists what it takes", spec.name))
}

fn entry(entry: &Entry) -> Value {
    let (fate, to, why) = match &entry.fate {
        Fate::Kept => ("kept", Some(&entry.from), None),
        Fate::Changed { to } => ("changed", Some(to), None),
        Fate::Added { to } => ("added", Some(to), None),
        Fate::Dropped { why } => ("dropped", None, Some(why)),
    };
    let there = entry.renamed.as_ref().unwrap_or(&entry.field);
    json!({ "field": entry.field, "as": to.map(|_| there), "from": entry.from, "fate": fate, "to": to, "why": why })
}

/// What became of a field, in a line.
fn words(entry: &Entry) -> String {
    let short = |text: &str| -> String { one_line(text).chars().take(60).collect() };
    let name = match &entry.renamed {
        Some(there) => format!("{} as {there}", entry.field),
        None => entry.field.clone(),
    };
    let from = short(&entry.from);
    match &entry.fate {
        Fate::Kept => format!("carried      {name}: {from}"),
        Fate::Changed { to } => format!("changed      {name}: {from} became {}", short(to)),
        Fate::Added { to } => format!("added        {name}: {}", short(to)),
        Fate::Dropped { why } => format!("not carried  {name}: {from} ({})", one_line(why)),
    }
}
