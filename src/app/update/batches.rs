//! What the user does to a batch as a whole: folding, resting, dropping what was not sent, trying again what failed. And
//! keeping its row up to date.

use std::sync::Arc;

use crate::domain::batch::{Member, Price, Sum, Tally, cost};
use crate::domain::{How, Kin, LocalId, NotRetried, Problem, Stage, Status, Task, may_retry};
use crate::fleet::FleetMsg;
use crate::time::Wall;

use super::super::dialog::{AskBatch, Deed, Dialog};
use super::super::effect::Effect;
use super::super::groups::Name;
use super::super::layout::panes;
use super::super::state::State;
use super::super::table::Line;
use super::fleet;

/// Counts what has changed, and asks for what is not known of the groups in sight.
pub(super) fn follow(state: &mut State, effects: &mut Vec<Effect>) {
    for id in state.fleet.take_touched() {
        let kin = state.fleet.task(id).and_then(|task| task.kin).filter(|kin| kin.how == How::Retry);
        if let Some((kin, name)) = kin.and_then(|kin| Some((kin, state.table.group_of(kin.parent)?.0.clone()))) {
            state.table.change(&name, |group| group.tried_again(kin.parent));
        }
        let Some(name) = state.table.group_of(id).map(|(name, _)| name.clone()) else { continue };
        match state.fleet.task(id).map(Arc::clone) {
            Some(task) => state.table.change(&name, |group| group.note(&task, &state.catalogue)),
            None => state.table.remove(id),
        }
    }
    let height = usize::from(panes(state).rows.height);
    state.table.scroll(height);
    let open = match &state.dialog {
        Some(Dialog::Batch { name, .. } | Dialog::AskBatch(AskBatch { batch: name, .. })) => Some(name.clone()),
        _ => None,
    };
    if open.as_ref().is_some_and(|name| state.table.group(name).is_none()) {
        state.dialog = None;
    }
    let (lines, _) = state.table.window(height);
    let mut seen: Vec<Name> = lines
        .iter()
        .filter_map(|line| match line {
            Line::Group(name) => Some(name.clone()),
            Line::Task(id) => state.table.group_of(*id).map(|(name, _)| name.clone()),
        })
        .chain(open)
        .collect();
    seen.dedup();
    for name in seen {
        let (fleet, now) = (&state.fleet, state.now);
        state.table.change(&name, |group| {
            if !std::mem::replace(&mut group.asked, true) {
                effects.push(Effect::Batch(name.to_string()));
            }
            group.reckon(now.mono, |running, last| fleet.done_in(running, last, now));
        });
    }
}

/// The store told of all tasks of a batch, and of those that failed.
pub(super) fn learned(state: &mut State, name: &str, members: &[Member], failed: Vec<Task>) -> Vec<Effect> {
    state.table.change(name, |group| group.learn(members));
    super::tasks::restore(state, failed)
}

/// Folds the group under the cursor, or unfolds it.
pub(super) fn fold(state: &mut State) {
    let Some(name) = state.table.group_here() else {
        return state.say("there is nothing to fold here: only batches are groups");
    };
    let folded = state.table.group(&name).is_some_and(|group| group.is_folded());
    set_fold(state, &name, !folded);
}

fn set_fold(state: &mut State, name: &Name, folded: bool) {
    state.table.change(name, |group| group.set_fold(folded));
    if folded {
        state.table.choose_group(name);
    }
}

/// Folds the group that the cursor is on or in.
pub(super) fn shut(state: &mut State) {
    if let Some(name) = state.table.group_here() {
        set_fold(state, &name, true);
    }
}

/// Folds all groups if one is open, or else unfolds them.
pub(super) fn fold_all(state: &mut State) {
    if !state.table.has_groups() {
        return state.say("there is nothing to fold: only batches are groups");
    }
    let folded = state.table.any_open();
    state.table.fold_all(folded);
}

/// Opens a folded group, or the page about an open one. False if the cursor is on a task.
pub(super) fn open(state: &mut State) -> bool {
    let Some(name) = state.table.group_at().cloned() else { return false };
    if state.table.group(&name).is_some_and(|group| group.is_folded()) {
        set_fold(state, &name, false);
    } else {
        state.dialog = Some(Dialog::Batch { name, scroll: 0 });
    }
    true
}

/// Lets the batch rest, or go on.
pub(super) fn pause(state: &mut State) -> Vec<Effect> {
    let of_task = || state.chosen().and_then(|id| state.table.group_of(id)).map(|(name, _)| name.clone());
    let Some(name) = state.batch().or_else(of_task) else {
        state.say("it belongs to no batch; only a batch can be paused");
        return Vec::new();
    };
    let on = !state.fleet.resting().contains(&*name);
    let unsent = state.table.group(&name).map_or(0, |group| unsent(group.tally()));
    state.say(match (on, unsent) {
        (true, 0) => "paused; nothing of it waits to be sent".to_owned(),
        (true, n) => format!("paused: {n} of it are not sent before P lets it go on"),
        (false, 0) => "it goes on; nothing of it waits to be sent".to_owned(),
        (false, n) => format!("it goes on: {n} are sent"),
    });
    fleet(state, FleetMsg::Pause { batch: name.to_string(), on })
}

fn unsent(tally: &Tally) -> u64 {
    tally.sum_of(&[Stage::Saved, Stage::Held])
}

/// Asks whether what was not sent is to be dropped. False if the keys act on a task.
pub(super) fn ask_drop(state: &mut State) -> bool {
    let Some(batch) = state.batch() else { return false };
    if state.fleet.unsent_of(&batch).is_empty() {
        state.say("nothing of it waits to be sent: there is nothing to drop");
    } else {
        state.dialog = Some(Dialog::AskBatch(AskBatch { batch, deed: Deed::Drop, yes: false }));
    }
    true
}

/// What can be sent of a batch that stands still.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Retry {
    /// Never sent, or perhaps: they go on as they are, with their keys.
    pub held: Vec<LocalId>,
    /// Failed for a reason that passes: each is sent once more as a new task.
    pub again: Vec<LocalId>,
    /// Failed for a reason that does not: they need another request.
    pub fixed: usize,
    /// What sending them again may cost.
    pub price: Sum,
}

impl State {
    /// The batch that keys act on: the one of the page that is open, or the one whose row is chosen.
    #[must_use]
    pub fn batch(&self) -> Option<Name> {
        match &self.dialog {
            Some(Dialog::Batch { name, .. }) => Some(name.clone()),
            Some(Dialog::AskBatch(ask)) => Some(ask.batch.clone()),
            None => self.table.group_at().cloned(),
            Some(_) => None,
        }
    }

    /// What of a batch could be sent now, for the first time or again.
    #[must_use]
    pub fn retry_of(&self, batch: &str) -> Retry {
        let mut found = Retry::default();
        let mut tally = Tally::default();
        let Some(group) = self.table.group(batch) else { return found };
        for task in group.members().filter_map(|id| self.fleet.task(id)) {
            let settled = matches!(&task.status, Status::Unsure(Some(Problem::Mismatch { .. })));
            match may_retry(task) {
                Err(NotRetried::Held) => found.held.push(task.id),
                Err(NotRetried::Unsure) if !settled && !self.fleet.will_send(task.id) => found.held.push(task.id),
                Ok(()) if !group.is_retried(task.id) => {
                    tally.add(Stage::Saved, Price::from(cost(&task.request, &self.catalogue)));
                    found.again.push(task.id);
                }
                Err(NotRetried::Unchanged(_)) => found.fixed += 1,
                _ => {}
            }
        }
        found.price = tally.total();
        found
    }
}

/// Sends what is held of the batch, and asks before what failed is paid for once more. False if the keys act on a task.
pub(super) fn send(state: &mut State) -> Option<Vec<Effect>> {
    let batch = state.batch()?;
    let Retry { held, again, fixed, .. } = state.retry_of(&batch);
    let need = |n: usize| if n == 1 { "1 needs".to_owned() } else { format!("{n} need") };
    if !again.is_empty() {
        state.dialog = Some(Dialog::AskBatch(AskBatch { batch, deed: Deed::Retry, yes: false }));
        return Some(Vec::new());
    }
    if held.is_empty() {
        state.say(match fixed {
            0 => "nothing of it is held, and nothing failed for a reason that passes".to_owned(),
            n => format!("unchanged they would fail again: {} a change, e takes one into the editor", need(n)),
        });
        return Some(Vec::new());
    }
    let rests = if state.fleet.resting().contains(&*batch) { "; it is paused, P lets it go on" } else { "" };
    state.say(format!("{} of it go on now{rests}", held.len()));
    Some(fleet(state, FleetMsg::Send(held)))
}

/// Enter in the question.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    let Some(Dialog::AskBatch(AskBatch { batch, deed, yes })) = state.dialog.take() else { return Vec::new() };
    if !yes {
        return Vec::new();
    }
    match deed {
        Deed::Drop => drop_unsent(state, &batch),
        Deed::Retry => retry(state, &batch),
    }
}

fn drop_unsent(state: &mut State, batch: &Name) -> Vec<Effect> {
    let before = state.fleet.unsent_of(batch).len();
    let effects = fleet(state, FleetMsg::DropUnsent(batch.to_string()));
    state.say(if state.standing.holds {
        format!("dropped {before}; they were never sent")
    } else {
        "the other window drops what was never sent".to_owned()
    });
    effects
}

fn retry(state: &mut State, batch: &Name) -> Vec<Effect> {
    let Retry { held, again, fixed, .. } = state.retry_of(batch);
    let mut effects = if held.is_empty() { Vec::new() } else { fleet(state, FleetMsg::Send(held)) };
    let failed: Vec<Arc<Task>> = again.iter().filter_map(|id| state.fleet.task(*id)).map(Arc::clone).collect();
    let tasks: Vec<Task> = failed.iter().map(|task| once_more(state, task)).collect();
    state.table.add(tasks.iter());
    let fixed = if fixed == 0 { String::new() } else { format!("; {fixed} failed for a reason that stays") };
    state.say(format!("{} sent once more{fixed}", tasks.len()));
    for task in tasks {
        effects.extend(fleet(state, FleetMsg::Add(Box::new(task))));
    }
    effects
}

/// The same request as a new task of the same batch.
fn once_more(state: &mut State, failed: &Task) -> Task {
    let newest = state.table.newest().map_or(state.now.wall, |newest| Wall(newest.0 + 1));
    let id = LocalId::from_random(state.chance.bits());
    let mut task = Task::new(id, Arc::clone(&failed.request), state.now.wall.max(newest));
    task.kin = Some(Kin { parent: failed.id, how: How::Retry });
    task.mark = failed.mark.as_ref().map(|mark| Arc::new(mark.again()));
    task
}
