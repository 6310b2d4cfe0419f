//! Files that were here: whether they still are, and fetching them again.

use crate::domain::{AssetId, LocalId, OutputState};
use crate::fleet::FleetMsg;

use super::super::effect::Effect;
use super::super::state::State;
use super::fleet;

/// Looks whether the files of a task are still there. With `again`, what is gone is fetched again.
pub(super) fn check(state: &mut State, again: bool) -> Vec<Effect> {
    let Some(task) = state.task() else { return Vec::new() };
    let id = task.id;
    let files: Vec<_> = task.assets().filter_map(|(id, output)| Some((id, output.home()?.file.clone()))).collect();
    let lost = task.outputs.iter().any(|output| matches!(output.state, OutputState::Lost { .. }));
    if again && files.is_empty() && !lost {
        state.say("there is nothing to fetch again");
    }
    if files.is_empty() && !(again && lost) {
        return Vec::new();
    }
    vec![Effect::Check { task: id, files, again }]
}

/// It was looked. What is gone is fetched again if that was wanted, and so is what never came.
pub(super) fn checked(state: &mut State, id: LocalId, gone: Vec<AssetId>, again: bool) -> Vec<Effect> {
    state.gone.retain(|asset| asset.task != id);
    state.gone.extend(gone.iter().copied());
    let Some(task) = state.fleet.task(id).filter(|_| again) else { return Vec::new() };
    let lost = |state: &OutputState| matches!(state, OutputState::Lost { .. });
    let wanted: Vec<(AssetId, bool)> = task
        .assets()
        .filter(|(asset, output)| gone.contains(asset) || lost(&output.state))
        .map(|(asset, output)| (asset, output.link_lives(state.now.wall)))
        .collect();
    let alive: Vec<AssetId> = wanted.iter().filter(|(_, lives)| *lives).map(|(asset, _)| *asset).collect();
    match (wanted.is_empty(), alive.is_empty()) {
        (true, _) => state.say("its files are where they were put"),
        (false, true) => state.warn("the link has expired; the service keeps outputs for about seven days"),
        (false, false) => state.say("it is fetched again"),
    }
    state.gone.retain(|asset| !alive.contains(asset));
    if alive.is_empty() { Vec::new() } else { fleet(state, FleetMsg::Again(alive)) }
}
