//! The simulated world: the real fleet, a store that loses what was not synced, a service with a ledger, and a
//! network between them, under one seeded virtual clock. One program runs on the store, or several do. Each seed is
//! another day with other misfortunes.
//!
//! `PLANTAIN_SEEDS=n` runs so many seeds, `PLANTAIN_SEED=k` runs one and prints its trace.

mod day;
mod disk;
mod network;
mod program;
mod service;
mod settle;
mod words;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use day::{Checked, World};

/// Lives one day. On failure: why, and the trace if it was wanted.
fn live(seed: u64, traced: bool) -> (Checked, Option<String>) {
    let mut world = World::new(seed, traced);
    let result = catch_unwind(AssertUnwindSafe(|| world.run()));
    let result = result.unwrap_or_else(|_| Err("a panic".into()));
    (result, world.trace)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.trim().parse().ok()
}

/// Lives so many days, on as many cores as there are: no day knows of another. Says what went wrong, by seed.
fn live_all(seeds: u64) -> Vec<(u64, String)> {
    let next = AtomicU64::new(0);
    let some = || {
        let draw = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed < seeds);
        std::iter::from_fn(draw).filter_map(|seed| live(seed, false).0.err().map(|why| (seed, why))).collect()
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut failed: Vec<(u64, String)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(some)).collect();
        threads.into_iter().flat_map(|thread| -> Vec<_> { thread.join().expect("a day's panic is caught") }).collect()
    });
    failed.sort();
    failed
}

#[test]
fn six_invariants_hold_on_every_day() {
    if let Some(seed) = number("PLANTAIN_SEED") {
        let (result, trace) = live(seed, true);
        println!("{}", trace.unwrap_or_default());
        assert_eq!(result, Ok(()), "seed {seed}");
        return;
    }
    let failed = live_all(number("PLANTAIN_SEEDS").unwrap_or(500));
    let told: Vec<String> = failed
        .iter()
        .take(20)
        .map(|(seed, why)| {
            format!("seed {seed}: {why}\n  PLANTAIN_SEED={seed} cargo test --test world six_invariants -- --nocapture")
        })
        .collect();
    assert!(failed.is_empty(), "{} days went wrong:\n{}", failed.len(), told.join("\n"));
}

/// The same seed is the same day, to the letter.
#[test]
fn a_day_can_be_lived_again() {
    for seed in [3, 11, 12] {
        assert!(live(seed, true).1 == live(seed, true).1, "seed {seed} went another way");
    }
}

/// The figures of docs/benchmarks.md that are exact.
#[test]
fn the_promised_figures_are_kept() {
    kit::fleet::measure(false);
}
