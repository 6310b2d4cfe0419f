//! The command line: the screen by default, and everything it does as commands.

mod adopt;
mod args;
mod batches;
mod context;
mod costs;
mod demo;
mod doctor;
mod dry_run;
mod fetch;
mod follow;
mod json;
mod list;
mod listen;
mod log;
mod models;
mod promote;
mod prompts;
mod refresh;
mod remote;
mod repair;
mod retry;
mod send;
mod settle;
mod show;
mod sim;
mod submit;
mod tui;
mod watch;

use std::io::Write as _;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _};
use color_eyre::eyre::Report;

use args::{Args, Command};

/// Done, and well.
const DONE: u8 = 0;
/// Something went wrong.
const ERROR: u8 = 1;
/// The command was not understood, or its request would be refused.
const USAGE: u8 = 2;
/// The service ended a task without a result.
const TASK_FAILED: u8 = 3;

/// Runs the program and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let args = match parse() {
        Ok(args) => args,
        Err(why) => {
            let code = if why.use_stderr() { USAGE } else { DONE };
            // It repeats what was typed, and leaves in what is no ESC. A closed pipe (`plantain --help | head`) is
            // nobody's fault.
            let text = why.render().to_string();
            let clean = crate::domain::text::lines(&text);
            let _ = if clean == text { why.print() } else { write!(std::io::stderr(), "{clean}") };
            return ExitCode::from(code);
        }
    };
    if let Err(why) = color_eyre::install() {
        return fail(&why);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(why) => return fail(&Report::new(why)),
    };
    let result = runtime.block_on(run(args));
    // Jobs that still wait for the network are of no use any more.
    runtime.shutdown_background();
    match result {
        Ok(code) => ExitCode::from(code),
        Err(why) if is_broken_pipe(&why) => ExitCode::from(DONE),
        Err(why) => fail(&why),
    }
}

fn parse() -> Result<Args, clap::Error> {
    let matches = Args::command().try_get_matches()?;
    let mut args = Args::from_arg_matches(&matches)?;
    // An option that may stand anywhere is found at every level; the innermost knows where it came from.
    let mut level = Some(&matches);
    while let Some(at) = level {
        args.global.data_dir_said |= at.value_source("data_dir") == Some(ValueSource::CommandLine);
        level = at.subcommand().map(|(_, inner)| inner);
    }
    Ok(args)
}

async fn run(args: Args) -> Result<u8, Report> {
    let global = args.global;
    match args.command {
        None => tui::run(&global).await,
        Some(Command::Demo(args)) => demo::run(&global, &args).await,
        Some(Command::Submit(args)) => submit::run(&global, args).await,
        Some(Command::Watch(args)) => watch::run(&global, &args).await,
        Some(Command::Listen(args)) => listen::run(&global, &args).await,
        Some(Command::Send(args)) => send::run(&global, &args).await,
        Some(Command::Retry(args)) => retry::run(&global, args).await,
        Some(Command::Promote(args)) => promote::run(&global, args).await,
        Some(Command::Settle(args)) => settle::run(&global, &args).await,
        Some(Command::Adopt(args)) => adopt::run(&global, args).await,
        Some(Command::Fetch(args)) => fetch::run(&global, args).await,
        Some(Command::Batches(args)) => batches::run(&global, &args).await,
        Some(Command::List(args)) if args.remote => remote::run(&global, &args).await,
        Some(Command::List(args)) => list::run(&global, &args),
        Some(Command::Show(args)) => show::run(&global, &args),
        Some(Command::Costs(args)) => costs::run(&global, &args),
        Some(Command::Models(args)) if args.refresh => refresh::run(&global, &args).await,
        Some(Command::Models(args)) => models::run(&global, &args),
        Some(Command::Doctor(args)) => doctor::run(&global, &args).await,
        Some(Command::Repair) => repair::run(&global),
        Some(Command::Sim(args)) => sim::run(args).await,
    }
}

/// One sentence, cleaned, on standard error.
fn fail(why: &Report) -> ExitCode {
    complain(&why.chain().map(ToString::to_string).collect::<Vec<_>>().join(": "));
    ExitCode::from(ERROR)
}

/// Says what is wrong on standard error.
fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "plantain: {}", crate::domain::text::one_line(text));
}

/// Prints a line on standard output.
///
/// # Errors
/// When it cannot be written; a closed pipe ends the command quietly.
fn say(line: &str) -> Result<(), Report> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

fn is_broken_pipe(why: &Report) -> bool {
    let broken = |io: &std::io::Error| io.kind() == std::io::ErrorKind::BrokenPipe;
    why.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(broken))
}
