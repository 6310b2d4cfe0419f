//! `plantain doctor`: what the program finds here: the terminal, the line to it, the data folder, the key.

use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use color_eyre::eyre::Report;
use serde_json::{Map, Value, json};

use crate::domain::Usd;
use crate::domain::text::one_line;
use crate::graphics::Protocol;
use crate::runtime::Service;
use crate::runtime::settings::FILE;
use crate::store::{Store, remote_file_system};
use crate::terminal::{self, Brand, Caps, CellSource, Choice, Depth, Env, Exam};

use super::args::{Doctor, Global};
use super::{DONE, ERROR, context, json as lines, say};

/// Everything that was found, in the order it is said.
#[derive(Default)]
struct Findings {
    rows: Vec<(&'static str, String)>,
    json: Map<String, Value>,
    /// What does not work.
    wrong: Vec<String>,
}

impl Findings {
    fn add(&mut self, name: &'static str, words: impl Into<String>, value: impl Into<Value>) {
        self.rows.push((name, words.into()));
        self.json.insert(name.replace([' ', '-'], "_"), value.into());
    }

    fn wrong(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }
}

pub(super) async fn run(global: &Global, args: &Doctor) -> Result<u8, Report> {
    let mut found = Findings::default();
    found.add("version", env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_VERSION"));
    let env = Env::read(|name| std::env::var(name).ok());
    let choice = context::choice(global.graphics);
    let examined = match terminal::open() {
        Ok(tty) => tokio::task::spawn_blocking(move || terminal::examine(tty, env)).await?,
        Err(why) => Err(why),
    };
    match examined {
        Ok(exam) => screen(&exam, choice, &mut found),
        Err(_) => {
            found.add("terminal", "none: this is not run on a terminal", Value::Null);
            found.wrong("there is no terminal; `plantain submit`, `watch`, `list` and `show` work without one");
        }
    }
    folder(global, &mut found)?;
    settings(global, &mut found);
    service(global, args.online, &mut found).await?;
    report(&found, args.json)
}

fn report(found: &Findings, as_json: bool) -> Result<u8, Report> {
    if as_json {
        let mut object = found.json.clone();
        object.insert("schema".to_owned(), 1.into());
        object.insert("wrong".to_owned(), json!(found.wrong));
        say(&lines::escaped(&Value::Object(object)))?;
    } else {
        for (name, words) in &found.rows {
            say(&format!("{name:<16}{}", one_line(words)))?;
        }
        for what in &found.wrong {
            say(&format!("! {}", one_line(what)))?;
        }
    }
    Ok(if found.wrong.is_empty() { DONE } else { ERROR })
}

fn screen(exam: &Exam, choice: Choice, found: &mut Findings) {
    let caps = &exam.caps;
    let (cell, source) = caps.cell();
    let brand = format!("{:?}", caps.brand).to_lowercase();
    let window = exam.window;
    match (exam.answered, caps.brand) {
        (false, _) => found.add("terminal", "it answers nothing", "mute"),
        (true, Brand::Unknown) => found.add("terminal", "it answers, but does not say its name", "unknown"),
        (true, _) => found.add("terminal", brand.as_str(), brand.as_str()),
    }
    found.add("window", format!("{} × {} cells", window.cols, window.rows), json!([window.cols, window.rows]));
    let protocol = caps.protocol(choice);
    let way = match protocol {
        Protocol::Kitty => "kitty, with placeholders",
        Protocol::KittyDirect => "kitty, under the text",
        Protocol::Blocks => "half blocks",
        Protocol::Off => "none",
        other => other.name(),
    };
    let why = reason(exam, choice, protocol);
    found.add("pictures", format!("{way}: {why}"), json!({ "protocol": protocol.name(), "why": why }));
    let from = match source {
        CellSource::Terminal => "the terminal said so",
        CellSource::Area => "from the text area in pixels",
        CellSource::Kernel => "from the kernel's window size",
        CellSource::SixelSize => "from the size of sixel pictures",
        CellSource::Guess => "guessed",
    };
    let sides = json!({ "pixels": [cell.width, cell.height], "source": from });
    found.add("cell", format!("{} × {} pixels, {from}", cell.width, cell.height), sides);
    let (words, count) = match caps.depth() {
        Depth::True => ("all", 1 << 24),
        Depth::Ansi256 => ("256", 256),
        Depth::Ansi16 => ("16", 16),
        Depth::None => ("none", 0),
    };
    found.add("colours", words, count);
    let light = caps.light().map(|light| if light { "light" } else { "dark" });
    found.add("back colour", light.unwrap_or("not told"), json!(light));
    let passes = caps.in_tmux().then(|| caps.brand != Brand::Unknown);
    let tmux = match passes {
        None => "no",
        Some(true) => "yes, and it lets pictures through",
        Some(false) => "yes, and nothing passes through it: tmux set -g allow-passthrough on",
    };
    found.add("tmux", tmux, json!({ "inside": passes.is_some(), "passthrough": passes }));
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    found.add("ssh", yes(caps.over_ssh()), caps.over_ssh());
    found.add("sync output", yes(caps.sync_output), caps.sync_output);
    found.add("keyboard", if caps.keyboard { "tells all keys apart" } else { "as ever" }, caps.keyboard);
    let millis = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    let trip = exam.round_trip;
    let as_millis = json!(trip.map(|trip| (trip.as_secs_f64() * 10_000.0).round() / 10.0));
    found.add("round trip", trip.map_or_else(|| "no answer".to_owned(), millis), as_millis);
    let kilobytes = |rate: u64| format!("{} KB/s", rate / 1000);
    let words = match (exam.rate, exam.at_least) {
        (Some(rate), _) => format!("about {}", kilobytes(rate)),
        (None, Some(rate)) => format!("more than {}", kilobytes(rate)),
        (None, None) => "not measured".to_owned(),
    };
    found.add("line rate", words, json!({ "bytes_per_second": exam.rate, "at_least": exam.at_least }));
}

/// Why pictures are shown this way.
fn reason(exam: &Exam, choice: Choice, protocol: Protocol) -> &'static str {
    let caps: &Caps = &exam.caps;
    let measured = caps.cell().1 != CellSource::Guess;
    match protocol {
        _ if choice != Choice::Auto => "--graphics says so",
        Protocol::KittyDirect => "the terminal said that it knows kitty graphics",
        Protocol::Kitty => "the terminal behind tmux knows kitty graphics",
        Protocol::Iterm2 => "this terminal is known for it",
        Protocol::Sixel => "the terminal said that it knows sixel",
        Protocol::Off => "there are no colours",
        Protocol::Blocks if !exam.answered => "the terminal answers nothing",
        Protocol::Blocks if caps.in_tmux() && caps.brand == Brand::Unknown => "tmux lets nothing through",
        Protocol::Blocks if caps.sixel() && !measured => "the size of a cell is not known",
        Protocol::Blocks => "the terminal knows nothing better",
    }
}

fn folder(global: &Global, found: &mut Findings) -> Result<(), Report> {
    let data = context::places(global)?.data;
    let shown = data.display().to_string();
    found.add("data folder", shown.as_str(), shown.as_str());
    if !data.is_dir() {
        found.add("history", "none yet", Value::Null);
    } else {
        match locks(&data) {
            Ok(()) => found.add("locks", "files can be locked there", true),
            Err(why) => {
                found.add("locks", format!("files cannot be locked there: {why}"), false);
                found.wrong("files cannot be made or locked in the data folder: keep to one window, and see that it can be written");
            }
        }
        match Store::open(&data)
            .map_err(|why| why.to_string())
            .and_then(|store| store.counts().map_err(|why| why.to_string()))
        {
            Ok(counts) => {
                let count: u64 = counts.iter().map(|(_, count)| count).sum();
                found.add("history", format!("{count} tasks"), count);
            }
            Err(why) => {
                found.add("history", why.as_str(), Value::Null);
                found.wrong(why);
            }
        }
    }
    let network = remote_file_system(&data);
    let words = network.as_ref().map(|kind| format!("yes ({kind}): best used from one machine at a time"));
    found.add("network disk", words.unwrap_or_else(|| "no".to_owned()), json!(network));
    Ok(())
}

/// What `config.toml` and the command line say.
fn settings(global: &Global, found: &mut Findings) {
    let file = context::config_dir(global).map(|dir| dir.join(FILE));
    let there = file.as_ref().is_some_and(|file| file.exists());
    let shown = file.map(|file| file.display().to_string());
    let words = shown.clone().map(|file| if there { file } else { format!("{file} is not there: the usual holds") });
    found.add("settings", words.unwrap_or_else(|| "no folder for them".to_owned()), json!(shown));
    let settings = match context::settings(global) {
        Ok(settings) => settings,
        Err(why) => return found.wrong(why.to_string()),
    };
    let limits = settings.budgets;
    let amount = |limit: Option<Usd>| limit.map_or("no limit".to_owned(), |limit| limit.to_string());
    let unknown = if limits.unknown { ", unknown prices allowed" } else { "" };
    let value = json!({
        "day_usd": limits.day.map(Usd::dollars), "batch_usd": limits.batch.map(Usd::dollars),
        "unknown": if limits.unknown { "allow" } else { "hold" },
    });
    found.add("budget", format!("day: {}, batch: {}{unknown}", amount(limits.day), amount(limits.batch)), value);
    let (tasks, usd) = (settings.confirm.tasks, settings.confirm.usd);
    let value = json!({ "tasks": tasks, "usd": usd.dollars() });
    found.add("confirm", format!("more than {tasks} tasks, or more than {usd}"), value);
    let allowance = settings.allowance();
    let most = settings.requests_per_minute;
    let words = match most {
        Some(most) => format!("never more than {most} a minute, {} at once", allowance.at_once),
        None => format!("as many a minute as the service says, {} at once", allowance.at_once),
    };
    found.add("requests", words, json!({ "per_minute": most, "at_once": allowance.at_once }));
}

/// Makes a file in the folder, locks it and takes it away again.
fn locks(data: &Path) -> io::Result<()> {
    let path = data.join(format!(".doctor-{}", std::process::id()));
    let file = File::options().write(true).create_new(true).open(&path)?;
    let locked = file.lock();
    let removed = std::fs::remove_file(&path);
    locked.and(removed)
}

/// The key is never said, nor any part of it.
async fn service(global: &Global, online: bool, found: &mut Findings) -> Result<(), Report> {
    let base = context::base(global)?;
    found.add("service", base.as_str(), base.as_str());
    let key = match context::key() {
        Ok(key) => {
            found.add("key", "there is one", true);
            key
        }
        Err(why) => {
            found.add("key", why, false);
            return Ok(());
        }
    };
    if !online {
        found.add("clock", "not compared; --online asks the service", Value::Null);
        return Ok(());
    }
    let service = Service::new(base, key);
    let answer = match service.client().await {
        Ok(client) => client.check_key().await,
        Err(problem) => crate::domain::Answer::bare(Err(problem)),
    };
    match answer.date {
        Some(date) => {
            // Its clock shows whole seconds, and the answer was on its way: the middle of what is possible.
            let ours = (date.sent.0 + date.heard.0) / 2;
            let ahead = date.at.0 + 500 - ours;
            let seconds = ahead as f64 / 1000.0;
            found.add("clock", format!("the service's is {seconds:+.1} s from ours"), seconds);
        }
        None => found.add("clock", "the service did not tell its own", Value::Null),
    }
    match answer.result {
        Ok(page) => found.add("account", format!("the key works; {} tasks", page.total), page.total),
        Err(problem) => {
            found.add("account", problem.sentence(), Value::Null);
            found.wrong(problem.sentence());
        }
    }
    Ok(())
}
