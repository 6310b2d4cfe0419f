//! `plantain` alone: the screen.

use std::io::IsTerminal as _;

use color_eyre::eyre::Report;

use crate::runtime::{Exit, RunError, ScreenOptions, run_screen};

use super::args::Global;
use super::{DONE, USAGE, complain, context, demo};

pub(super) async fn run(global: &Global) -> Result<u8, Report> {
    if !on_a_terminal() {
        return Ok(USAGE);
    }
    let base = context::base(global)?;
    let places = context::places(global)?;
    let settings = context::settings(global)?;
    let webhook = global.webhook_listen.map(|listen| context::webhook(listen, &places)).transpose()?;
    let options = ScreenOptions {
        catalogue: context::catalogue(global)?,
        webhook,
        callback: context::callback(global, &places)?,
        places,
        key: context::key(),
        downloads: context::downloads(global, &base),
        allowance: settings.allowance(),
        purse: Some((context::wallet(global), settings.budgets)),
        confirm: settings.confirm,
        graphics: context::choice(global.graphics),
        quality: context::quality(global.picture_quality),
        service: base.host_str().unwrap_or_default().to_owned(),
        demo: false,
        batch: Vec::new(),
        base,
    };
    match screen(options).await? {
        Exit::Quit => Ok(DONE),
        Exit::Demo => demo::run_apart(global).await,
    }
}

/// The screen, with what went wrong as a report.
pub(super) async fn screen(options: ScreenOptions) -> Result<Exit, Report> {
    run_screen(options).await.map_err(|why: RunError| Report::new(why))
}

/// Whether there is a screen to draw on; if not, says what works without one.
pub(super) fn on_a_terminal() -> bool {
    let yes = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if !yes {
        complain("this is not a terminal; `plantain submit`, `watch`, `list` and `show` work without one");
    }
    yes
}
