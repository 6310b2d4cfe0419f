//! A command with an output folder of its own, beside another window that fetches: what that one brings home is copied
//! into the folder, and counts as on its way until it is there.

use std::collections::BTreeMap;
use std::path::Path;

use crate::domain::{AssetId, Home, OutputState, Task};

use super::hands::Hands;

/// What was, or is being, copied.
#[derive(Debug, Default)]
pub(super) struct Copies(BTreeMap<AssetId, Copy>);

#[derive(Debug)]
struct Copy {
    from: Home,
    /// Where it is now; nothing while it is under way.
    to: Option<Home>,
}

impl Copies {
    /// Another window says how a task stands. Of what it fetched, a copy is made if this program has another place for
    /// it; the task is changed so that it tells of the copy.
    pub(super) fn fetched(&mut self, task: &mut Task, hands: &mut Hands) {
        let Some(dir) = hands.elsewhere(task.id).map(Path::to_owned) else { return };
        let homes: Vec<(AssetId, Home)> =
            task.assets().filter_map(|(asset, output)| Some((asset, output.home()?.clone()))).collect();
        for (asset, from) in homes.into_iter().filter(|(_, home)| !Path::new(&home.file).starts_with(&dir)) {
            let known = self.0.get(&asset).filter(|copy| copy.from == from);
            let to = known.map(|copy| copy.to.clone());
            if to.is_none() {
                hands.copy(asset, from.clone(), task);
                self.0.insert(asset, Copy { from, to: None });
            }
            if let Some(output) = task.outputs.get_mut(usize::from(asset.index)) {
                output.state = to.flatten().map_or(OutputState::Away, OutputState::Home);
            }
        }
    }

    /// It is there now, or stays where it was.
    pub(super) fn ended(&mut self, asset: AssetId, from: Home, to: Home) {
        self.0.insert(asset, Copy { from, to: Some(to) });
    }
}
