//! `plantain models --refresh`: what the service offers today, from its public pages, without the key.

use std::collections::BTreeMap;

use color_eyre::eyre::{Report, WrapErr as _, eyre};
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use crate::api::{Pages, Timeouts, listing};
use crate::domain::refresh::{News, Schema, refreshed};
use crate::domain::text::one_line;
use crate::domain::{Problem, money};
use crate::runtime::{Clock, catalogue};

use super::args::{Global, Models};
use super::json::escaped;
use super::{DONE, complain, context, say};

/// Pages asked for at once.
const AT_ONCE: usize = 4;

pub(super) async fn run(global: &Global, args: &Models) -> Result<u8, Report> {
    let data = context::places(global)?.data;
    let pages = Pages::of(&context::base(global)?, Timeouts::default())?;
    let (known, bad) = catalogue::load(&data);
    if let Some(bad) = bad {
        complain(&bad.to_string());
    }
    let stays = "what was known stays";
    let failed =
        |problem: Problem| eyre!("the prices cannot be read from {}: {}; {stays}", pages.host(), problem.sentence());
    let list = pages.prices().await.map_err(failed)?;
    let (offers, odd) = listing::offers(&list).map_err(|why| eyre!("{why}; {stays}"))?;
    let names: Vec<String> = offers.iter().map(|offer| offer.name.clone()).collect();
    let read = |name: String| async {
        let page = pages.model(&name).await;
        let schema = page.map_err(|problem| problem.sentence()).and_then(|page| listing::schema(&page));
        (name, schema)
    };
    let schemas: BTreeMap<String, Result<Schema, String>> =
        stream::iter(names).map(read).buffer_unordered(AT_ONCE).collect().await;
    if !schemas.is_empty() && schemas.values().all(Result::is_err) {
        return Err(eyre!("no page of a model can be read from {}; {stays}", pages.host()));
    }
    let date = money::date(Clock::start().now().wall);
    let (fresh, mut news) = refreshed(&known, &offers, &schemas, &date).map_err(|why| eyre!("{why}; {stays}"))?;
    news.extend(odd.into_iter().map(|(model, why)| News::Kept { model, why }));
    catalogue::save(&data, &fresh)
        .wrap_err_with(|| format!("{} cannot be written; {stays}", catalogue::path(&data).display()))?;
    for one in &news {
        say(&if args.json { escaped(&value(one)) } else { one_line(&words(one)).into_owned() })?;
    }
    let current = fresh.models().iter().filter(|model| model.is_current()).count();
    let priced = fresh.models().iter().filter(|model| model.is_current() && model.price.is_some()).count();
    let sum = if args.json {
        escaped(&json!({
            "schema": 1, "models": current, "priced": priced, "news": news.len(), "date": date,
            "file": catalogue::path(&data).display().to_string(),
        }))
    } else {
        let changed = if news.is_empty() { "nothing changed" } else { "the rest is as it was" };
        format!("{current} models, {priced} with prices, as of today; {changed}")
    };
    say(&sum)?;
    Ok(DONE)
}

fn words(news: &News) -> String {
    match news {
        News::New(model) => format!("new      {model}"),
        News::Gone(model) => format!("gone     {model}"),
        News::Changed { model, what } => format!("changed  {model}: {what}"),
        News::Price { model, was, is } => format!("price    {model}: {is}; it was {was}"),
        News::Kept { model, why } => format!("kept     {model}: {why}"),
    }
}

fn value(news: &News) -> serde_json::Value {
    match news {
        News::New(model) => json!({ "schema": 1, "event": "new", "model": model }),
        News::Gone(model) => json!({ "schema": 1, "event": "gone", "model": model }),
        News::Changed { model, what } => json!({ "schema": 1, "event": "changed", "model": model, "what": what }),
        News::Price { model, was, is } => {
            json!({ "schema": 1, "event": "price", "model": model, "was": was, "is": is })
        }
        News::Kept { model, why } => json!({ "schema": 1, "event": "kept", "model": model, "why": why }),
    }
}
