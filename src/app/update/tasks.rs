//! What the user does to tasks, and what comes of them.

use std::sync::Arc;

use crate::domain::validate::validate;
use crate::domain::{Draft, Kin, LocalId, Outcome, Problem, Request, Secret, Stage, Status, Task};
use crate::fleet::FleetMsg;
use crate::time::Wall;

use super::super::dialog::Dialog;
use super::super::effect::Effect;
use super::super::shelf::Walk;
use super::super::state::{Pane, State};
use super::{fleet, guard, is_coming, kin, many};

/// Sends what is in the editor, or says why not and goes to the field. The one way in.
pub(super) fn submit(state: &mut State) -> Vec<Effect> {
    if !state.editor.many().is_one() {
        return many::submit(state);
    }
    let callback = state.callback.as_ref().map(Secret::expose);
    let request = match state.editor.request(&state.catalogue, callback) {
        Ok(request) => request,
        Err(fault) => {
            state.pane = if state.editor.fault_in_text(&state.catalogue) { Pane::Editor } else { Pane::Form };
            state.warn(fault.to_string());
            return Vec::new();
        }
    };
    if guard::refuses(state, &request.body) || kin::refuses(state, &request) {
        return Vec::new();
    }
    let origin = state.editor.origin();
    if let Some(kin) = origin {
        // Instead of what was said when it was taken into the editor.
        state.say(format!("sent: {kin}"));
    }
    sent(state);
    add_kin(state, Arc::new(request), origin)
}

/// What was in the editor is sent, as one task or as many.
pub(super) fn sent(state: &mut State) {
    state.editor.sent(state.now);
    state.walk = Walk::default();
}

/// A new task that came from none, with the cursor on it.
fn add(state: &mut State, request: Request) -> Vec<Effect> {
    add_kin(state, Arc::new(request), None)
}

/// A new task, and where it came from, with the cursor on it.
pub(super) fn add_kin(state: &mut State, request: Arc<Request>, kin: Option<Kin>) -> Vec<Effect> {
    let id = LocalId::from_random(state.chance.bits());
    // Tasks that are made within the same millisecond keep their order, and so do tasks after a clock was set back.
    let newest = state.table.newest().map_or(state.now.wall, |newest| Wall(newest.0 + 1));
    let mut task = Task::new(id, request, state.now.wall.max(newest));
    task.kin = kin;
    state.table.add(std::iter::once(&task));
    state.table.choose(id);
    fleet(state, FleetMsg::Add(Box::new(task)))
}

/// Sends a batch that was not typed. What is not valid is left out.
pub(super) fn begin(state: &mut State, drafts: &[Draft]) -> Vec<Effect> {
    let requests: Vec<Request> = drafts.iter().filter_map(|d| validate(d, &state.catalogue, None).ok()).collect();
    requests.into_iter().flat_map(|request| add(state, request)).collect()
}

/// Sends a held task, or settles an unsure one.
pub(super) fn send(state: &mut State) -> Vec<Effect> {
    let Some(task) = state.task() else { return Vec::new() };
    let id = task.id;
    if task.is_elsewhere() {
        state.say("another program created it: nothing is ever sent for it here");
        return Vec::new();
    }
    let words = match &task.status {
        Status::Held(_) => "it is sent now",
        Status::Unsure(Some(Problem::Mismatch { .. })) => {
            "its key was used for other content; sending it again would not settle that, u decides"
        }
        Status::Unsure(_) => "asked again with the same key: it is not paid twice",
        Status::GivenUp(_) => "it was given up and is never sent again; e takes it into the editor",
        Status::Failed(_) | Status::Refused(_) => {
            "a failed request is not repeated unchanged; e takes it into the editor, . repeats what may have passed"
        }
        Status::Success => "it is done; . sends it again, e takes it into the editor",
        _ => "it is on its way already",
    };
    let in_doubt =
        matches!(&task.status, Status::Unsure(problem) if !matches!(problem, Some(Problem::Mismatch { .. })));
    state.say(words);
    let effects = fleet(state, FleetMsg::Send(vec![id]));
    if in_doubt && !state.fleet.will_send(id) {
        state.warn("its key is too old to settle that, it could be paid twice; u decides what becomes of it");
    }
    effects
}

/// Drops a task that was never sent.
pub(super) fn forget(state: &mut State) -> Vec<Effect> {
    let Some(id) = state.chosen() else { return Vec::new() };
    if state.fleet.is_stray(id) {
        state.say("another program created it; o hides those");
        return Vec::new();
    }
    let effects = fleet(state, FleetMsg::Forget(id));
    if !state.standing.holds && state.fleet.task(id).is_some() {
        // The row goes when the other window has dropped it, and stays if that was too late.
        state.say("the other window drops it, if it was never sent");
        return effects;
    }
    if state.fleet.task(id).is_some() {
        state.warn("only a task that was never sent can be dropped; this one stays in the history");
    } else {
        state.table.remove(id);
        if matches!(state.dialog, Some(Dialog::Detail { .. } | Dialog::Viewer(_))) {
            state.dialog = None;
        }
        state.say("dropped; it was never sent");
    }
    effects
}

/// Older tasks came from the store.
pub(super) fn older(state: &mut State, tasks: Vec<Task>, last: bool) -> Vec<Effect> {
    state.table.loading = false;
    state.table.more = !last;
    state.table.frontier = tasks.last().map(|task| (task.created, task.id)).or(state.table.frontier);
    restore(state, tasks)
}

/// Tasks came from the store, wherever they are in the history.
pub(super) fn restore(state: &mut State, tasks: Vec<Task>) -> Vec<Effect> {
    let fresh: Vec<Task> = tasks.into_iter().filter(|task| state.fleet.task(task.id).is_none()).collect();
    fresh.iter().for_each(|task| less_one(state, task.status.stage()));
    let had_rows = !state.table.is_empty();
    state.table.add(fresh.iter());
    let effects = fleet(state, FleetMsg::Restored(fresh));
    if !had_rows && let Some(text) = after_restart(state) {
        state.warn(text);
    }
    effects
}

/// One task of this stage is not unloaded any more. A restart calls some stages by another name than the store.
pub(super) fn less_one(state: &mut State, stage: Stage) {
    let stored = match stage {
        Stage::Held => [Stage::Held, Stage::Saved],
        Stage::Unsure => [Stage::Unsure, Stage::Sending],
        other => [other, other],
    };
    let mut counts = stored.into_iter().filter(|stage| state.table.unloaded.get(stage).is_some_and(|n| *n > 0));
    if let Some(count) = counts.next().and_then(|stage| state.table.unloaded.get_mut(&stage)) {
        *count -= 1;
    }
}

/// After a restart: what needs a word of the user.
fn after_restart(state: &State) -> Option<String> {
    let count = |stage| state.fleet.tasks().filter(|task| task.status.stage() == stage).count();
    match (count(Stage::Held), count(Stage::Unsure)) {
        (0, 0) => None,
        (held, 0) => Some(format!("{held} not sent when the program ended; r on a task sends it")),
        (0, unsure) => {
            Some(format!("{unsure} may or may not have been accepted; r on a task settles it, never paid twice"))
        }
        (held, unsure) => {
            Some(format!("{held} not sent, {unsure} unsure when the program ended; r on a task goes on with it"))
        }
    }
}

fn unread(problem: &Problem) -> String {
    format!("the account's list cannot be read: {}", problem.sentence())
}

/// What the table alone would not tell.
pub(super) fn worth_saying(state: &State, msg: &FleetMsg) -> Option<String> {
    match msg {
        FleetMsg::Stored { result: Err(problem), .. } => Some(problem.sentence()),
        FleetMsg::Submitted { answer, .. } => match &answer.result {
            Err(problem) if problem.outcome() == Outcome::Refused => Some(problem.sentence()),
            _ => None,
        },
        FleetMsg::Browsed { answer, .. } => answer.result.as_ref().err().map(unread),
        FleetMsg::Found(found) => found.problem.as_ref().map(unread),
        FleetMsg::Fetched { asset, result: Err(problem @ Problem::Local { .. }) } => {
            let task = state.fleet.task(asset.task)?;
            is_coming(task).then(|| format!("a picture could not be saved: {}", problem.sentence()))
        }
        _ => None,
    }
}
