//! What a user does to tasks that are over: fetching again what was moved, deleted or did not come; stars.

use super::{Fleet, Order};
use crate::domain::{AssetId, LocalId, OutputState};
use crate::time::Now;

impl Fleet {
    /// Stars one of our tasks, or takes the star away; says whether that changed anything.
    pub(super) fn star(&mut self, id: LocalId, on: bool) -> bool {
        let Some(task) = self.tasks.get_mut(&id).filter(|task| task.starred != on) else { return false };
        std::sync::Arc::make_mut(task).starred = on;
        true
    }

    /// Wants these outputs once more. What has no working link any more stays as it is: its note and its sum are worth
    /// more than a second refusal.
    pub(super) fn again(&mut self, assets: &[AssetId], now: Now, orders: &mut Vec<Order>) {
        for asset in assets {
            let Some(task) = self.tasks.get_mut(&asset.task) else { continue };
            let Some(output) = task.outputs.get(usize::from(asset.index)) else { continue };
            if output.state == OutputState::Away {
                continue;
            }
            if !output.link_lives(self.skew.service(now)) {
                // Whoever wished for it in another window hears that nothing changed.
                self.save(asset.task, orders);
                continue;
            }
            let expires = output.expires;
            if let Some(output) = std::sync::Arc::make_mut(task).outputs.get_mut(usize::from(asset.index)) {
                output.state = OutputState::Away;
            }
            self.fetches.want(*asset, expires, now.mono);
            self.save(asset.task, orders);
        }
    }
}
