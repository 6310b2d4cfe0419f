//! The user decides about a creation whose outcome nobody knows, and about tasks that other programs created.

use std::sync::Arc;

use crate::domain::{Browse, How, Kin, LocalId, Settle, Status, Task};
use crate::fleet::FleetMsg;
use crate::time::Wall;

use super::super::dialog::Dialog;
use super::super::effect::Effect;
use super::super::settle::{Choice, Settling, choices};
use super::super::state::State;
use super::fleet;

/// Opens the dialog, and looks into the account's list for tasks that it may have become.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let Some(task) = state.task() else { return Vec::new() };
    let id = task.id;
    if !matches!(task.status, Status::Unsure(_)) {
        state.say("there is nothing to decide: only tasks of which nobody knows whether they were accepted");
        return Vec::new();
    }
    state.dialog = Some(Dialog::Settle(Settling::new(id, None)));
    browse(state, Browse::Page(1))
}

fn browse(state: &mut State, browse: Browse) -> Vec<Effect> {
    fleet(state, FleetMsg::Browse(browse))
}

/// Moves through the rows of the dialog.
pub(super) fn step(state: &mut State, by: isize) {
    let Some(Dialog::Settle(settling)) = &state.dialog else { return };
    let rows = choices(state, settling);
    let row = settling.row(&rows).saturating_add_signed(by).min(rows.len().saturating_sub(1));
    let at = rows.into_iter().nth(row);
    if let Some(Dialog::Settle(settling)) = &mut state.dialog {
        settling.at = at;
    }
}

/// Enter in the dialog.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    let Some(Dialog::Settle(settling)) = state.dialog.clone() else { return Vec::new() };
    let rows = choices(state, &settling);
    let Some(choice) = rows.get(settling.row(&rows)).cloned() else { return Vec::new() };
    let id = settling.id;
    match (choice, settling.confirm) {
        (Choice::Further(page), _) => browse(state, Browse::Page(page)),
        (Choice::Back, _) => {
            state.dialog = Some(Dialog::Settle(Settling::new(id, None)));
            Vec::new()
        }
        (choice @ (Choice::Anew | Choice::GiveUp), _) => {
            state.dialog = Some(Dialog::Settle(Settling::new(id, Some(choice))));
            Vec::new()
        }
        (Choice::Again, _) => {
            state.dialog = None;
            state.say("asked again with the same key: it is not paid twice");
            fleet(state, FleetMsg::Send(vec![id]))
        }
        (Choice::Adopt(task_id), _) => {
            decide(state, id, Settle::Adopt(task_id), "adopted: it is watched and fetched from now on")
        }
        (Choice::Yes, Some(Choice::Anew)) => anew(state, id),
        (Choice::Yes, _) => decide(state, id, Settle::GiveUp { anew: None }, "given up; it is never sent again"),
    }
}

fn decide(state: &mut State, id: LocalId, how: Settle, words: &str) -> Vec<Effect> {
    if !state.fleet.is_undecided(id) {
        state.warn("an answer is on its way; wait for it");
        return Vec::new();
    }
    state.dialog = None;
    state.say(words);
    fleet(state, FleetMsg::Settle { id, how })
}

fn anew(state: &mut State, id: LocalId) -> Vec<Effect> {
    let Some(request) = state.fleet.task(id).map(|task| Arc::clone(&task.request)) else { return Vec::new() };
    let newest = state.table.newest().map_or(state.now.wall, |newest| Wall(newest.0 + 1));
    let mut task = Task::new(LocalId::from_random(state.chance.bits()), request, state.now.wall.max(newest));
    task.kin = Some(Kin { parent: id, how: How::Retry });
    let shown = task.clone();
    let effects = decide(state, id, Settle::Anew(Box::new(task)), "sent anew as a task of its own");
    if state.fleet.task(shown.id).is_some() {
        state.table.add(std::iter::once(&shown));
        state.table.choose(shown.id);
    }
    effects
}

/// Shows, or hides, the tasks that other programs created.
pub(super) fn toggle_others(state: &mut State) -> Vec<Effect> {
    state.table.others.shown = !state.table.others.shown;
    sync(state, true);
    if !state.table.others.shown {
        state.say("only our own tasks");
        return Vec::new();
    }
    state.say("looking into the account's list…");
    browse(state, Browse::Page(1))
}

/// Reads the next page of the account's list.
pub(super) fn more_others(state: &mut State) -> Vec<Effect> {
    if !state.table.others.shown {
        return toggle_others(state);
    }
    match state.fleet.strays().next_page() {
        Some(page) => browse(state, Browse::Page(page)),
        None => {
            state.say("the list goes no further, or not further than is read here");
            Vec::new()
        }
    }
}

/// Takes over the chosen task of another program.
pub(super) fn adopt(state: &mut State) -> Vec<Effect> {
    let Some(id) = state.chosen() else { return Vec::new() };
    if !state.fleet.is_stray(id) {
        state.say("it is ours already; o shows the tasks of other programs");
        return Vec::new();
    }
    state.say("adopted: it is watched and fetched from now on");
    fleet(state, FleetMsg::Adopt(id))
}

/// Keeps the rows of other programs' tasks as the fleet knows them.
pub(super) fn sync(state: &mut State, at_once: bool) {
    let version = state.fleet.strays().version();
    if !at_once && (!state.table.others.shown || state.table.others.version == version) {
        return;
    }
    state.table.others.version = version;
    let shown = state.table.others.shown;
    let there: std::collections::BTreeSet<LocalId> =
        if shown { state.fleet.strays().iter().map(|task| task.id).collect() } else { Default::default() };
    let before = std::mem::replace(&mut state.table.others.rows, there);
    for id in before {
        let ours = state.fleet.task(id).is_some() && !state.fleet.is_stray(id);
        if !ours && !state.table.others.rows.contains(&id) {
            state.table.remove(id);
        }
    }
    let strays: Vec<Arc<Task>> = if shown { state.fleet.strays().iter().cloned().collect() } else { Vec::new() };
    state.table.add(strays.iter().map(AsRef::as_ref));
}

/// What the list has shown, when it was read.
pub(super) fn found(state: &mut State) {
    let strays = state.fleet.strays();
    if !state.table.others.shown || strays.is_asking() || strays.problem().is_some() {
        return;
    }
    let (count, pages) = (strays.iter().count(), strays.pages());
    let more = if strays.next_page().is_some() { "; O reads on" } else { "" };
    let of = if pages == 1 { "the first page".to_owned() } else { format!("{pages} pages") };
    state.say(format!("{count} made elsewhere on {of} of the list; a adopts one{more}"));
}
