//! Bringing outputs home: what is wanted, and what a download that ended means.

use std::sync::Arc;

use crate::domain::{AssetId, Home, OutputState, Problem, Task};
use crate::time::Now;

use super::fetch::Next;
use super::{Fleet, Order};

impl Fleet {
    pub(super) fn want_outputs(&mut self, task: &Task, now: Now) {
        for (asset, output) in task.assets() {
            if output.state == OutputState::Away {
                self.fetches.want(asset, output.expires, now.mono);
            }
        }
    }

    pub(super) fn fetched(&mut self, asset: AssetId, result: Result<Home, Problem>, now: Now, orders: &mut Vec<Order>) {
        let state = match result {
            Ok(home) => {
                self.fetches.done(asset);
                OutputState::Home(home)
            }
            Err(problem) => {
                let next = self.fetches.failed(asset, &problem, now.mono, &mut self.chance);
                match next {
                    Next::Later => return,
                    Next::Renew => {
                        self.watch.look_now(asset.task, now.mono);
                        return;
                    }
                    Next::Lost => OutputState::Lost { why: lost_words(&problem) },
                }
            }
        };
        let Some(task) = self.tasks.get_mut(&asset.task) else { return };
        if let Some(output) = Arc::make_mut(task).outputs.get_mut(usize::from(asset.index)) {
            output.state = state;
            self.save(asset.task, orders);
        }
    }

    /// Gives out the downloads that may start now.
    pub(super) fn pump_fetches(&mut self, now: Now, orders: &mut Vec<Order>) {
        while let Some(asset) = self.fetches.next(self.allowance.downloads, now.mono) {
            let output = self.tasks.get(&asset.task).and_then(|t| t.outputs.get(usize::from(asset.index)));
            match output {
                Some(output) => {
                    self.fetches.tries(asset, &output.url);
                    orders.push(Order::Fetch { asset, url: output.url.clone() });
                }
                None => self.fetches.done(asset),
            }
        }
    }
}

fn lost_words(problem: &Problem) -> String {
    match problem {
        Problem::Forbidden { .. } | Problem::NotFound { .. } | Problem::Rejected { .. } => {
            "the link has expired; the service keeps outputs for about seven days".to_owned()
        }
        other => other.sentence(),
    }
}
