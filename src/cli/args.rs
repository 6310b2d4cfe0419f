//! What can be said on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::domain::TaskId;
use crate::domain::naming::{DEFAULT_TEMPLATE, Template};
use crate::domain::text::is_harmless;
use crate::fleet::strays::MOST_PAGES;

/// A terminal for HiAPI's asynchronous image generation.
///
/// Without a command it opens the screen. The API key is taken from HIAPI_API_KEY and from nowhere else.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub(super) struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Global {
    /// Where tasks, drafts and the log are kept
    #[arg(long, global = true, env = "PLANTAIN_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// The folder stands on the command line, not in the environment
    #[arg(skip)]
    pub data_dir_said: bool,
    /// Address of the service, with or without /v1
    #[arg(long, global = true, env = "HIAPI_BASE_URL", value_name = "URL")]
    pub base_url: Option<String>,
    /// What is written to the log in the data directory
    #[arg(long, global = true, default_value = "warn", value_name = "LEVEL")]
    pub log_level: Level,
    /// Receive callbacks at this address; their secret is taken from HIAPI_WEBHOOK_SECRET
    #[arg(long, global = true, env = "PLANTAIN_WEBHOOK_LISTEN", value_name = "ADDRESS")]
    pub webhook_listen: Option<SocketAddr>,
    /// Have the service call back here when a task ends: the public address of a receiver
    #[arg(long, global = true, env = "PLANTAIN_CALLBACK_URL", hide_env_values = true, value_name = "URL")]
    pub callback_url: Option<String>,
    /// How pictures are shown
    #[arg(long, global = true, default_value = "auto", value_name = "WAY")]
    pub graphics: Graphics,
    /// How much a picture may cost on the line: half a second of it and more when nothing else happens, little, all
    #[arg(long, global = true, env = "PLANTAIN_PICTURE_QUALITY", default_value = "auto", value_name = "QUALITY")]
    pub picture_quality: Quality,
    /// Names of output files, from {date} {model} {slug} {id} {n} {ext}; a / makes folders
    #[arg(long, global = true, env = "PLANTAIN_NAME_TEMPLATE", value_name = "TEMPLATE",
        default_value = DEFAULT_TEMPLATE, value_parser = Template::parse)]
    pub name_template: Template,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Level {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Graphics {
    Auto,
    Kitty,
    Sixel,
    Iterm2,
    Blocks,
    Off,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Quality {
    Auto,
    Lean,
    Full,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Open the screen against a simulated service: no key, no cost
    Demo(Demo),
    /// Send prompts
    Submit(Submit),
    /// Go on with everything in flight until nothing is left
    Watch(Watch),
    /// Receive callbacks, and watch everything in flight
    Listen(Listen),
    /// Send what was held, and settle what is unsure, with the same key: never paid twice
    Send(Send),
    /// Send a task once more: as it is where that makes sense, or with something changed
    Retry(Retry),
    /// Send the prompt of a task to another model, with the fields that can be carried
    Promote(Promote),
    /// Decide about a task of which nobody knows whether it was accepted
    Settle(Settle),
    /// Watch and fetch tasks that other programs of the account created, like ours
    Adopt(Adopt),
    /// Fetch again what was moved, deleted, or did not come, while its link works
    Fetch(Fetch),
    /// What was sent together: list batches; pause, resume, drop, retry one
    Batches(Batches),
    /// List tasks, newest first
    List(List),
    /// Show everything about a task
    Show(Show),
    /// List the models, or the fields of one
    Models(Models),
    /// Say what is found here: terminal, line, data folder, key; fails if something does not work
    Doctor(Doctor),
    /// Set a broken history aside, and save what can be read of it
    Repair,
    /// Run the simulated service by itself
    Sim(Sim),
}

#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// How many times faster than the real service
    #[arg(long, default_value_t = 2.0)]
    pub speed: f64,
}

#[derive(Debug, clap::Args)]
pub(super) struct Submit {
    /// The prompts, one task each; - reads one from standard input
    #[arg(value_name = "PROMPT")]
    pub prompts: Vec<String>,
    /// The model
    #[arg(long, short)]
    pub model: Option<String>,
    /// Set a field of the model; may be given many times
    #[arg(long = "set", short, value_name = "FIELD=VALUE")]
    pub fields: Vec<String>,
    /// Send each prompt so many times; every one is a task of its own, and paid for
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
    #[command(flatten)]
    pub many: Many,
    /// Wait until the tasks have ended and their outputs are here
    #[arg(long, short)]
    pub wait: bool,
    /// Folder for the outputs
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

/// From one prompt to many tasks.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Many tasks")]
pub(super) struct Many {
    /// Prompts from a file: .csv (columns are fields), .jsonl (an object a line), anything else is a prompt a line.
    /// Run again, it sends what was not sent before
    #[arg(long, value_name = "FILE", conflicts_with = "prompts")]
    pub from: Option<PathBuf>,
    /// Send the good rows of the file although others are broken
    #[arg(long, requires = "from")]
    pub keep_going: bool,
    /// Prompts are templates, {a|b}: make all of each, or so many of each by chance
    #[arg(long, value_name = "all|random[:N]", value_parser = Expansion::parse)]
    pub expand: Option<Expansion>,
    /// Decides what chance makes of templates
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Lists for __name__ in templates: NAME.txt in this folder
    #[arg(long, value_name = "DIR", env = "PLANTAIN_LISTS")]
    pub lists: Option<PathBuf>,
    /// Several values for a field; may be given many times, every combination is a task
    #[arg(long, value_name = "FIELD=A,B")]
    pub matrix: Vec<String>,
    /// A name for what is sent together; a batch sends each of its rows once
    #[arg(long, value_name = "NAME", value_parser = batch_name)]
    pub batch: Option<String>,
    /// Show the requests, their number and price, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask, however many and however dear
    #[arg(long, short)]
    pub yes: bool,
    /// Send nothing if it may cost more than this, or if nobody knows
    #[arg(long, value_name = "USD", value_parser = dollars)]
    pub max_cost: Option<f64>,
}

/// What to make of templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expansion {
    All,
    Random(u32),
}

impl Expansion {
    fn parse(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().ok().filter(|n| (1..=10_000).contains(n));
        match text.split_once(':') {
            None if text == "all" => Ok(Self::All),
            None if text == "random" => Ok(Self::Random(1)),
            Some(("random", n)) => number(n).map(Self::Random).ok_or_else(|| "N is from 1 to 10000".to_owned()),
            _ => Err("all, random, or random:N".to_owned()),
        }
    }
}

fn batch_name(text: &str) -> Result<String, String> {
    let good = !text.trim().is_empty() && text.chars().count() <= 100 && text.chars().all(is_harmless);
    if good { Ok(text.trim().to_owned()) } else { Err("1 to 100 characters, in one line".to_owned()) }
}

fn dollars(text: &str) -> Result<f64, String> {
    text.trim_start_matches('$')
        .parse()
        .ok()
        .filter(|usd: &f64| usd.is_finite() && *usd >= 0.0)
        .ok_or_else(|| "an amount in USD, such as 2.50".to_owned())
}

#[derive(Debug, clap::Args)]
pub(super) struct Watch {
    /// Only these; a unique prefix is enough
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// One JSON object a line, one line a change
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Listen {
    /// One JSON object a line: first where it listens, then one line a change
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Send {
    /// Which tasks; a unique prefix is enough
    #[arg(value_name = "ID", required_unless_present = "all")]
    pub ids: Vec<String>,
    /// All that are held or unsure
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
    /// Wait until the tasks have ended and their outputs are here
    #[arg(long, short)]
    pub wait: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Retry {
    /// Which tasks; a unique prefix is enough
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    /// Set a field; may be given many times. Without a value it is left to the service
    #[arg(long = "set", short, value_name = "FIELD=VALUE")]
    pub fields: Vec<String>,
    /// Another prompt
    #[arg(long, value_name = "TEXT")]
    pub prompt: Option<String>,
    /// Do not ask, however many and however dear; also another picture of what is done
    #[arg(long, short)]
    pub yes: bool,
    /// Wait until the tasks have ended and their outputs are here
    #[arg(long, short)]
    pub wait: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Promote {
    /// Which task; a unique prefix is enough
    pub id: String,
    /// The model to send it to
    #[arg(long, short)]
    pub model: String,
    /// Give that model its output to work on, while the link lives
    #[arg(long)]
    pub reference: bool,
    /// Set a field of that model; may be given many times. Without a value it is left to the service
    #[arg(long = "set", short, value_name = "FIELD=VALUE")]
    pub fields: Vec<String>,
    /// Another prompt
    #[arg(long, value_name = "TEXT")]
    pub prompt: Option<String>,
    /// Show what is carried and the request, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Wait until the task has ended and its outputs are here
    #[arg(long, short)]
    pub wait: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("decision").args(["adopt", "anew", "give_up"])))]
pub(super) struct Settle {
    /// Which task; a unique prefix is enough. Without a decision it says what can be decided
    pub id: String,
    /// It became this task of the account
    #[arg(long, value_name = "TASK_ID")]
    pub adopt: Option<TaskId>,
    /// Send the same request as a new task, with a key of its own: it may be paid a second time
    #[arg(long)]
    pub anew: bool,
    /// Yes, it may be paid a second time
    #[arg(long, requires = "anew")]
    pub yes: bool,
    /// Never send it again
    #[arg(long)]
    pub give_up: bool,
    /// Pages of the account's list to look through for what it may have become
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_PAGES)))]
    pub pages: u32,
    /// Wait until the task has ended and its outputs are here
    #[arg(long, short)]
    pub wait: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Adopt {
    /// Which tasks, by the service's ids
    #[arg(value_name = "TASK_ID", required = true)]
    pub task_ids: Vec<TaskId>,
    /// Wait until the tasks have ended and their outputs are here
    #[arg(long, short)]
    pub wait: bool,
    /// Folder for the outputs
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Fetch {
    /// Which tasks; a unique prefix is enough
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    /// Folder for the outputs
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("deed").args(["pause", "resume", "drop", "retry"]).requires("name")))]
pub(super) struct Batches {
    /// Only this one
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Send nothing more of it until somebody says so, in whichever window
    #[arg(long)]
    pub pause: bool,
    /// Let it go on
    #[arg(long)]
    pub resume: bool,
    /// Drop what of it was never sent
    #[arg(long)]
    pub drop: bool,
    /// Send once more what failed for a reason that passes, and what was held
    #[arg(long)]
    pub retry: bool,
    /// Do not ask, however many and however dear
    #[arg(long, short, requires = "retry")]
    pub yes: bool,
    /// Send nothing if it may cost more than this, or if nobody knows
    #[arg(long, value_name = "USD", value_parser = dollars, requires = "retry")]
    pub max_cost: Option<f64>,
    /// Wait until the tasks have ended and their outputs are here
    #[arg(long, short, requires = "retry")]
    pub wait: bool,
    /// How many at most, the newest first
    #[arg(long, short = 'n', default_value_t = 50)]
    pub limit: usize,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// How many at most
    #[arg(long, short = 'n', default_value_t = 50)]
    pub limit: usize,
    /// Those that other programs of the account created, from the service's list
    #[arg(long)]
    pub remote: bool,
    /// Pages of a hundred tasks to read there; each is a request
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_PAGES)))]
    pub pages: u32,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// Our id or the service's; a unique prefix is enough
    pub id: String,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Models {
    /// Only this one, with its fields
    pub name: Option<String>,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// Also ask the service whether the key works, and compare clocks: one request
    #[arg(long)]
    pub online: bool,
    /// One JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Sim {
    /// Address to listen on; port 0 takes any free one
    #[arg(long, default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// How many times faster than the real service
    #[arg(long, default_value_t = 1.0)]
    pub speed: f64,
    /// Requests a minute; 0 is no limit. The minute passes faster with the speed
    #[arg(long, default_value_t = 60)]
    pub rate_limit: u32,
    /// Requests at once; 0 is no limit
    #[arg(long, default_value_t = 10)]
    pub concurrency: u32,
    /// The one key it accepts; without it every key that begins with sk-
    #[arg(long, env = "PLANTAIN_SIM_KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// Sign callbacks with this secret
    #[arg(long, env = "PLANTAIN_SIM_WEBHOOK_SECRET", hide_env_values = true)]
    pub webhook_secret: Option<String>,
    /// How long links work, in seconds
    #[arg(long, default_value_t = 7 * 86_400)]
    pub expire_after: u64,
    /// Chooses everything that is random
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Longest side of pictures in pixels, for quick tests
    #[arg(long)]
    pub longest_side: Option<u32>,
    /// How it behaves: the name of a built-in scenario, or a TOML file
    #[arg(long, default_value = "realistic")]
    pub scenario: String,
    /// Append one JSON line for each request and each task
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<PathBuf>,
}
