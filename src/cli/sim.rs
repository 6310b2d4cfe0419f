//! `plantain sim`: the simulated service by itself.

use std::time::Duration;

use color_eyre::eyre::Report;
use tokio::signal::unix::{SignalKind, signal};

use crate::sim::{self, Scenario, SimConfig};

use super::{DONE, args, complain, say};

pub(super) async fn run(args: args::Sim) -> Result<u8, Report> {
    let limit = |value: u32| (value > 0).then_some(value);
    let config = SimConfig {
        listen: args.listen,
        speed: args.speed,
        rate_limit: limit(args.rate_limit),
        concurrency: limit(args.concurrency),
        key: args.key,
        webhook_secret: args.webhook_secret,
        expire_after: Duration::from_secs(args.expire_after),
        seed: args.seed,
        longest_side: args.longest_side,
        scenario: Scenario::load(&args.scenario)?,
        ledger_file: args.ledger,
        ..SimConfig::default()
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    let ready = |line: &str| {
        if let Err(why) = say(line) {
            complain(&why.to_string());
        }
    };
    sim::run_until(config, ready, stop).await?;
    Ok(DONE)
}
