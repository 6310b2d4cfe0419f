//! From the arguments of `plantain submit` to requests that were checked: every one, before the first is sent.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use color_eyre::eyre::{Report, WrapErr as _, eyre};
use serde_json::{Map, Value};

use crate::app::editor::LONGEST_PASTE;
use crate::domain::batch::{self, BadRow, Bill, Expand, Form, Mark, Plan, Row, RowFault, Rows, cost};
use crate::domain::validate::{find_model, parse_value, validate};
use crate::domain::{Catalogue, Draft, Invalid, Request};
use crate::runtime::{clock, lists};

use super::args::{Expansion, Submit};

/// Largest file of prompts, in bytes.
const LARGEST: u64 = 64 << 20;
/// Most complaints about one file; the rest is counted.
const COMPLAINTS: usize = 20;

/// A request that was checked.
#[derive(Debug)]
pub(super) struct Ready {
    /// What to send.
    pub request: Arc<Request>,
    /// How it belongs to its batch, if there is one.
    pub mark: Option<Arc<Mark>>,
}

/// All of them, or what is wrong.
#[derive(Debug)]
pub(super) struct Checked {
    /// In order.
    pub ready: Vec<Ready>,
    /// Sentences.
    pub faults: Vec<String>,
    /// The seed, if chance was asked for.
    pub seed: Option<u64>,
}

/// Number and price of some requests.
pub(super) fn bill<'a>(requests: impl Iterator<Item = &'a Ready>, catalogue: &Catalogue) -> Bill {
    sum(requests.map(|ready| ready.request.as_ref()), catalogue)
}

/// The same, of requests alone.
pub(super) fn sum<'a>(requests: impl Iterator<Item = &'a Request>, catalogue: &Catalogue) -> Bill {
    let mut bill = Bill::default();
    requests.for_each(|request| bill.add(1, cost(request, catalogue).as_ref()));
    bill
}

/// Reads, expands and checks everything.
pub(super) fn check(args: &Submit, catalogue: &Catalogue, callback: Option<&str>) -> Result<Checked, Report> {
    let mut checked = Checked { ready: Vec::new(), faults: Vec::new(), seed: None };
    let model = args.model.clone().unwrap_or_else(|| catalogue.default_model().name.clone());
    let fields = match fields(&args.fields, &model, catalogue) {
        Ok(fields) => fields,
        Err(fault) => {
            checked.faults.push(fault);
            return Ok(checked);
        }
    };
    let base = Draft { model, fields, ..Draft::default() };
    let (rows, mut bad) = match &args.many.from {
        Some(file) => batch::read(&text(file)?, Form::of(&file.to_string_lossy()), &base, catalogue),
        None => (typed(&args.prompts, &base)?, Vec::new()),
    };
    let expand = match args.many.expand {
        None => Expand::Off,
        Some(Expansion::All) => Expand::All,
        Some(Expansion::Random(each)) => {
            #[allow(clippy::cast_possible_truncation, reason = "some bits; few enough to be typed")]
            let seed = args.many.seed.unwrap_or_else(|| u64::from((clock::seed() >> 32) as u32));
            checked.seed = Some(seed);
            Expand::Random { each, seed }
        }
    };
    let lists = match expand {
        Expand::Off => Ok(crate::domain::template::Lists::default()),
        _ => lists::read(rows.iter().map(|row| row.draft.prompt.as_str()), args.many.lists.as_deref()),
    };
    let planned = lists.map_err(|why| why.to_string()).and_then(|lists| {
        Plan::new(rows, expand, &lists, &args.many.matrix, args.repeat, catalogue).map_err(|why| why.to_string())
    });
    let plan = match planned {
        Ok((plan, more)) => {
            bad.extend(more);
            plan
        }
        Err(why) => {
            checked.faults.push(why);
            return Ok(checked);
        }
    };
    let count = plan.count();
    if count > batch::MOST {
        let number =
            if count == crate::domain::template::BEYOND { "too many to count".into() } else { count.to_string() };
        checked.faults.push(format!("it would be {number} tasks; at most {} are sent at once", batch::MOST));
        return Ok(checked);
    }
    let mut rows = Rows::default();
    let batch = batch_name(args);
    for item in plan.items() {
        let (line, template) = (item.line, item.template);
        match validate(&item.draft, catalogue, callback) {
            Err(found) => bad.extend(found.into_iter().map(|fault| BadRow { line, fault: RowFault::Invalid(fault) })),
            Ok(mut request) => {
                request.template = template;
                let mark = batch.as_ref().map(|batch| {
                    let row = rows.name(&request, checked.seed.is_some(), catalogue);
                    Arc::new(Mark { batch: batch.clone(), row, seed: checked.seed })
                });
                checked.ready.push(Ready { request: Arc::new(request), mark });
            }
        }
    }
    checked.faults = sentences(bad, args.many.from.as_deref());
    Ok(checked)
}

/// What was asked for, or the file's name: what is sent from one file belongs together.
fn batch_name(args: &Submit) -> Option<String> {
    let named = || args.many.from.as_ref()?.file_name().map(|name| name.to_string_lossy().into_owned());
    args.many.batch.clone().or_else(named)
}

fn sentences(mut bad: Vec<BadRow>, file: Option<&Path>) -> Vec<String> {
    bad.sort_by_key(|bad| bad.line);
    let mut faults: Vec<String> = match file {
        Some(file) => bad.iter().map(|bad| format!("{}, {bad}", file.display())).collect(),
        None => bad.iter().map(|bad| bad.fault.to_string()).collect(),
    };
    faults.dedup();
    let more = faults.len().saturating_sub(COMPLAINTS);
    if more > 0 {
        faults.truncate(COMPLAINTS);
        faults.push(format!("and {more} more"));
    }
    faults
}

/// Prompts from the command line.
fn typed(prompts: &[String], base: &Draft) -> Result<Vec<Row>, Report> {
    let mut rows = Vec::new();
    for (line, prompt) in (1..).zip(prompts) {
        let prompt = if prompt == "-" { read_prompt()? } else { prompt.clone() };
        rows.push(Row { line, draft: Draft { prompt, ..base.clone() } });
    }
    if rows.is_empty() {
        // Some models take no prompt; for the others the check says that it is missing.
        rows.push(Row { line: 1, draft: base.clone() });
    }
    Ok(rows)
}

/// The whole of a file of prompts.
fn text(file: &Path) -> Result<String, Report> {
    let name = file.display();
    let mut bytes = Vec::new();
    let open = File::open(file).wrap_err_with(|| format!("{name} cannot be read"))?;
    open.take(LARGEST + 1).read_to_end(&mut bytes).wrap_err_with(|| format!("{name} cannot be read"))?;
    if bytes.len() as u64 > LARGEST {
        return Err(eyre!("{name} is larger than {LARGEST} bytes; nothing was sent"));
    }
    let text = String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'));
    text.ok_or_else(|| eyre!("{name} is no text in UTF-8; nothing was sent"))
}

fn fields(settings: &[String], model: &str, catalogue: &Catalogue) -> Result<Map<String, Value>, String> {
    let spec = find_model(model, catalogue).map_err(|fault| fault.to_string())?;
    let mut fields = Map::new();
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
