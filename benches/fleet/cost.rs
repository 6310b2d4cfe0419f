//! What one message through the fleet costs, by the real clock.

use std::time::{Duration, Instant};

use plantain::config::Allowance;
use plantain::domain::{Answer, LocalId, Report, Source, Status, Task};
use plantain::fleet::{Fleet, FleetMsg, News, Question};
use plantain::time::{Chance, Mono, Now, Wall};

use kit::fleet::run::{START, request};
use kit::fleet::service::name;

const ROUNDS: usize = 3_000;

/// A fleet with so many tasks in flight, and messages to it: answers about single tasks, writes that were done,
/// wakes, in turn.
fn prepared(tasks: usize) -> (Fleet, Vec<(FleetMsg, Now)>) {
    let mut dice = Chance::new(3);
    let mut fleet = Fleet::new(Allowance { per_minute: 600, ..Allowance::default() }, 1);
    let now = Now { wall: Wall(START), mono: Mono(1000) };
    let keys: Vec<LocalId> = (0..tasks).map(|_| LocalId::from_random(dice.bits())).collect();
    let restored = keys.iter().enumerate().map(|(n, key)| {
        let mut task = Task::new(*key, request(false), Wall(START - 1000));
        task.task_id = Some(name(n));
        task.set(Status::Queued, Wall(START - 1000));
        task
    });
    let _ = fleet.handle(FleetMsg::Restored(restored.collect()), now);
    let mut msgs = Vec::new();
    for round in 0..ROUNDS {
        let n = (dice.unit() * tasks as f64) as usize;
        let now = Now { wall: Wall(START + round as i64 * 7), mono: Mono(1000 + round as u64 * 7) };
        let status = if round % 4 == 0 { Status::Archiving } else { Status::Handling };
        let stage = status.stage();
        let report = Report {
            task_id: name(n),
            model: "m".into(),
            status,
            outputs: Vec::new(),
            created: None,
            completed: None,
            source: Source::Task,
        };
        let question = Question::Task(keys[n], name(n));
        msgs.push((FleetMsg::Answered { question, answer: Answer::bare(Ok(News::Task(report))) }, now));
        msgs.push((FleetMsg::Stored { id: keys[n], stage, result: Ok(()) }, now));
        msgs.push((FleetMsg::Woke, now));
    }
    (fleet, msgs)
}

/// What one message costs with so many tasks in flight, in microseconds. The sizes take turns, so that what else the
/// machine does meets all of them; of each the quickest run counts, it was the least disturbed.
pub fn costs<const N: usize>(sizes: [usize; N]) -> [f64; N] {
    let prepared = sizes.map(prepared);
    let mut best = [Duration::MAX; N];
    for _ in 0..9 {
        for ((fleet, msgs), best) in prepared.iter().zip(&mut best) {
            let (mut fleet, msgs) = (fleet.clone(), msgs.clone());
            let begun = Instant::now();
            for (msg, now) in msgs {
                std::hint::black_box(fleet.handle(msg, now));
                std::hint::black_box(fleet.next_due(now));
            }
            *best = begun.elapsed().min(*best);
        }
    }
    best.map(|best| best.as_secs_f64() * 1e6 / (3 * ROUNDS) as f64)
}
