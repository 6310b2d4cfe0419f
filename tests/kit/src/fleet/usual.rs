//! A model of the usual way: one look per task every three seconds.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use plantain::time::Chance;

use super::run::{Case, Figures, START, takes};
use super::service::MINUTE;

/// The usual way: each task is created and then looked at every three seconds, each for itself; a 429 is waited out
/// as the answer says, with the client's exponential pause on top when it comes again.
pub fn usual(case: &Case) -> Figures {
    let mut dice = Chance::new(11);
    let mut window = VecDeque::<i64>::new();
    let mut figures = Figures { tasks: case.create + case.running, ..Figures::default() };
    // (moment, task, its end if it was created, refusals in a row)
    let mut heap = BinaryHeap::new();
    for task in 0..case.create {
        heap.push(Reverse((START + case.every_ms * task as i64, task, None::<i64>, 0u32)));
    }
    for task in 0..case.running {
        let end = START + takes(case, &mut dice);
        heap.push(Reverse((START + (dice.unit() * 3000.0) as i64, task, Some(end), 0)));
    }
    while let Some(Reverse((at, task, end, refusals))) = heap.pop() {
        if at - START > 24 * 3_600_000 {
            break;
        }
        while window.front().is_some_and(|sent| at - sent >= MINUTE) {
            window.pop_front();
        }
        if window.len() >= case.allowed as usize {
            figures.refused += 1;
            let asked = MINUTE - (at - window.front().copied().unwrap_or(at));
            let pause = (500.0 * f64::from(2u32.pow(refusals.min(4)))) * (0.75 + 0.5 * dice.unit());
            heap.push(Reverse((at + asked.max(pause as i64), task, end, refusals + 1)));
            continue;
        }
        window.push_back(at);
        match end {
            None => {
                figures.creations += 1;
                heap.push(Reverse((at + 3000, task, Some(at + 100 + takes(case, &mut dice)), 0)));
            }
            Some(end) => {
                figures.looks += 1;
                if at >= end {
                    figures.delays.push((at + 200 - end) as f64 / 1e3);
                    figures.last_home_s = (at + 1200 - START) as f64 / 1e3;
                } else {
                    heap.push(Reverse((at + 3000, task, Some(end), 0)));
                }
            }
        }
    }
    figures
}
