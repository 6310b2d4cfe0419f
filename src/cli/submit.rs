//! `plantain submit`: check everything, then send.

use std::io::Read as _;
use std::sync::Arc;

use color_eyre::eyre::{Report, WrapErr as _};

use crate::app::editor::LONGEST_PASTE;
use crate::domain::validate::{find_model, parse_value, validate};
use crate::domain::{Catalogue, Draft, Invalid, LocalId, Request, Secret, Task};

use super::args::{Global, Submit};
use super::follow::{Style, Until, follow};
use super::{USAGE, complain, context};
use crate::runtime::clock;
use crate::time::Chance;

pub(super) async fn run(global: &Global, args: Submit) -> Result<u8, Report> {
    let catalogue = Catalogue::built_in();
    let callback = context::callback(global, &context::places(global)?)?;
    let requests = match requests(&args, &catalogue, callback.as_ref().map(Secret::expose))? {
        Ok(requests) => requests,
        Err(faults) => {
            faults.iter().for_each(|fault| complain(fault));
            return Ok(USAGE);
        }
    };
    let key = context::needed_key()?;
    if requests.iter().any(|request| key.is_in(&request.body)) {
        complain("the prompt or a field holds your API key; nothing was saved or sent");
        return Ok(USAGE);
    }
    if args.out.is_some() && !args.wait {
        complain("--out is of use only with --wait; `plantain watch` puts outputs into the data folder");
    }
    let mut driver = context::driver(global, args.out.clone(), args.wait)?;
    let mut chance = Chance::new(clock::seed());
    let mut ids = Vec::new();
    for request in requests.into_iter().map(Arc::new) {
        for _ in 0..args.repeat {
            let id = LocalId::from_random(chance.bits());
            ids.push(id);
            let now = driver.clock().now().wall;
            driver.add(Task::new(id, Arc::clone(&request), now));
        }
    }
    let until = if args.wait { Until::Home } else { Until::Accepted };
    follow(driver, &ids, until, Style { json: args.json, changes: false }).await
}

/// Everything checked before anything is sent: the requests, or all that is wrong.
fn requests(
    args: &Submit,
    catalogue: &Catalogue,
    callback: Option<&str>,
) -> Result<Result<Vec<Request>, Vec<String>>, Report> {
    let model = args.model.clone().unwrap_or_else(|| catalogue.default_model().name.clone());
    let fields = match fields(&args.fields, &model, catalogue) {
        Ok(fields) => fields,
        Err(fault) => return Ok(Err(vec![fault])),
    };
    let mut prompts = Vec::new();
    for prompt in &args.prompts {
        prompts.push(if prompt == "-" { read_prompt()? } else { prompt.clone() });
    }
    if prompts.is_empty() {
        // Some models take no prompt; for the others the check below says that it is missing.
        prompts.push(String::new());
    }
    let mut requests = Vec::new();
    let mut faults = Vec::new();
    for prompt in prompts {
        let draft = Draft { model: model.clone(), prompt, fields: fields.clone() };
        match validate(&draft, catalogue, callback) {
            Ok(request) => requests.push(request),
            Err(found) => faults.extend(found.iter().map(ToString::to_string)),
        }
    }
    faults.dedup();
    Ok(if faults.is_empty() { Ok(requests) } else { Err(faults) })
}

fn fields(
    settings: &[String],
    model: &str,
    catalogue: &Catalogue,
) -> Result<serde_json::Map<String, serde_json::Value>, String> {
    let spec = find_model(model, catalogue).map_err(|fault| fault.to_string())?;
    let mut fields = serde_json::Map::new();
    for setting in settings {
        let (name, text) =
            setting.split_once('=').ok_or_else(|| format!("--set takes FIELD=VALUE, not {setting:?}"))?;
        let value = match spec.field(name) {
            Some(field) => parse_value(field, text).map_err(|fault: Invalid| fault.to_string())?,
            // Unknown here; the check of the whole names it together with the nearest known one.
            None => text.into(),
        };
        fields.insert(name.to_owned(), value);
    }
    Ok(fields)
}

fn read_prompt() -> Result<String, Report> {
    let mut text = String::new();
    let limit = u64::try_from(LONGEST_PASTE).unwrap_or(u64::MAX);
    std::io::stdin().take(limit).read_to_string(&mut text).wrap_err("the prompt cannot be read as UTF-8 text")?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}
