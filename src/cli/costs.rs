//! `plantain costs`: what was spent, by the estimates that the tasks were sent with.

use std::collections::BTreeMap;

use color_eyre::eyre::{Report, eyre};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use crate::domain::money::{Usd, seen};
use crate::domain::text::one_line;
use crate::runtime::{Clock, wallet};
use crate::store::{FILE, Spent, Store};
use crate::time::Wall;

use super::args::{By, Costs, Global};
use super::json::escaped;
use super::{DONE, context, say};

/// A line of the sum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Line {
    tasks: u64,
    usd: Usd,
    unknown: u64,
    at_most: bool,
    failed: Usd,
    seen: Option<String>,
}

impl Line {
    fn add(&mut self, spent: &Spent) {
        self.tasks += spent.tasks;
        self.usd = self.usd.plus(spent.sum.usd);
        self.unknown += spent.sum.unknown;
        self.at_most |= spent.at_most;
        self.failed = self.failed.plus(spent.failed);
        if let Some(date) = &spent.seen
            && self.seen.as_ref().is_none_or(|seen| date < seen)
        {
            self.seen = Some(date.clone());
        }
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "schema": 1, "tasks": self.tasks, "usd": self.usd.dollars(), "at_most": self.at_most,
            "unknown": self.unknown, "failed_usd": self.failed.dollars(), "prices_seen": self.seen,
        })
    }

    fn words(&self) -> String {
        let most = if self.at_most { "at most " } else { "" };
        let mut text = format!("{:>5} tasks  {most}{:.2}", self.tasks, self.usd);
        if self.unknown > 0 {
            text += &format!(", and {} of unknown price", self.unknown);
        }
        if self.failed > Usd::ZERO {
            text += &format!(", {:.2} of it for tasks that failed", self.failed);
        }
        text
    }
}

pub(super) fn run(global: &Global, args: &Costs) -> Result<u8, Report> {
    let places = context::places(global)?;
    let limits = context::settings(global)?.budgets;
    let (now, zone) = (Clock::start().now().wall, TimeZone::system());
    let today = wallet::day(now, &zone).ok_or_else(|| eyre!("the clock of this machine shows no day"))?;
    let since = first_day(today.0, args.days, &zone).unwrap_or(today.0);
    // Only a look: it makes no database.
    let spending =
        if places.data.join(FILE).exists() { Store::open(&places.data)?.spending(since)? } else { Vec::new() };
    let (mut lines, mut all, mut of_today) = (BTreeMap::<String, Line>::new(), Line::default(), Line::default());
    for spent in &spending {
        let name = match args.by {
            By::Day => date(spent.at, &zone),
            By::Model => spent.model.clone(),
            By::Batch => spent.batch.clone().unwrap_or_default(),
        };
        lines.entry(name).or_default().add(spent);
        all.add(spent);
        if (today.0..today.1).contains(&spent.at) {
            of_today.add(spent);
        }
    }
    if args.json {
        let key = match args.by {
            By::Day => "day",
            By::Model => "model",
            By::Batch => "batch",
        };
        for (name, line) in &lines {
            let mut value = line.json();
            value[key] = if name.is_empty() { serde_json::Value::Null } else { name.as_str().into() };
            say(&escaped(&value))?;
        }
        let mut sum = all.json();
        sum["sum"] = true.into();
        sum["days"] = args.days.into();
        sum["today_usd"] = of_today.usd.dollars().into();
        sum["budget_day"] = json!(limits.day.map(Usd::dollars));
        sum["budget_batch"] = json!(limits.batch.map(Usd::dollars));
        say(&escaped(&sum))?;
        return Ok(DONE);
    }
    let wide = lines.keys().map(|name| name.chars().count()).max().unwrap_or(0).clamp(10, 40);
    for (name, line) in &lines {
        let name = if name.is_empty() { "no batch" } else { name };
        say(&format!("{:<wide$}  {}", one_line(name), line.words()))?;
    }
    say(&format!("{:<wide$}  {}", "together", all.words()))?;
    let of = |limit: Option<Usd>| limit.map_or(", no limit".to_owned(), |limit| format!(" of {limit}"));
    say(&format!("today {:.2}{}", of_today.usd, of(limits.day)))?;
    if let Some(date) = &all.seen {
        let note = "estimates; the account's own sum may differ";
        say(&format!("{note}; the oldest price was seen {}", one_line(&seen(date, now))))?;
    }
    Ok(DONE)
}

/// When the first of so many days began, the last of which began then.
fn first_day(today: Wall, days: u32, zone: &TimeZone) -> Option<Wall> {
    let today = Timestamp::from_millisecond(today.0).ok()?.to_zoned(zone.clone());
    let first = today.checked_sub((i64::from(days) - 1).days()).ok()?.start_of_day().ok()?;
    Some(Wall(first.timestamp().as_millisecond()))
}

fn date(at: Wall, zone: &TimeZone) -> String {
    let at = Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(zone.clone());
    at.strftime("%Y-%m-%d").to_string()
}
