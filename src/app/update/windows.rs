//! Several windows on one history: one talks to the service, the others show what it does and say what they want.

use crate::domain::{LocalId, Standing, Task, Wish};
use crate::fleet::{FleetMsg, granted};

use super::super::dialog::Dialog;
use super::super::effect::Effect;
use super::super::state::State;
use super::{fleet, tasks};
use crate::domain::Change;
use crate::fleet::Order;

/// The store is open. Whoever only watches asks that everything be watched for it.
pub(super) fn stands(state: &mut State, standing: Standing) -> Vec<Effect> {
    let watches = standing.holder.is_some();
    let effects = set(state, standing);
    if !watches {
        return effects;
    }
    if matches!(state.dialog, Some(Dialog::Setup(_))) {
        // The other window has a key.
        state.dialog = None;
    }
    vec![Effect::Fleet(Order::Save(Change::Wish(Wish::WatchAll)))]
}

fn set(state: &mut State, standing: Standing) -> Vec<Effect> {
    // Where nobody holds the lease, this window has no key and says so itself.
    if standing.holder.is_some() {
        state.fleet.mirror_pause(standing.paused.clone());
        state.followed = true;
        state.fleet.mirror_retried(&standing.retried);
    }
    let resting = standing.resting.clone();
    state.standing = standing;
    if *state.fleet.resting() == resting { Vec::new() } else { fleet(state, FleetMsg::Resting(resting)) }
}

/// Another window changed something.
pub(super) fn mirrored(state: &mut State, tasks: Vec<Task>, gone: &[LocalId], standing: Standing) -> Vec<Effect> {
    if state.standing.holds {
        // It was on its way when this window took the lease.
        return Vec::new();
    }
    let effects = set(state, standing);
    state.table.add(tasks.iter());
    state.fleet.mirror(tasks, gone);
    gone.iter().for_each(|id| drop_row(state, *id));
    effects
}

fn drop_row(state: &mut State, id: LocalId) {
    let open = matches!(&state.dialog, Some(Dialog::Detail { id: open, .. }) if *open == id)
        || matches!(&state.dialog, Some(Dialog::Viewer(open)) if open.id == id);
    if open {
        state.dialog = None;
    }
    state.table.remove(id);
}

/// This window holds the lease from now on.
pub(super) fn took_over(state: &mut State, unfinished: Vec<Task>) -> Vec<Effect> {
    state.standing = Standing::default();
    let fresh: Vec<_> = unfinished.iter().filter(|task| state.fleet.task(task.id).is_none()).collect();
    let stages: Vec<_> = fresh.iter().map(|task| task.status.stage()).collect();
    state.table.add(fresh.into_iter());
    stages.into_iter().for_each(|stage| tasks::less_one(state, stage));
    // Without one, this window only waited for a key.
    if std::mem::take(&mut state.followed) {
        state.say("the other window is gone; this one goes on with everything");
    }
    state.fleet.took_over(unfinished, state.now).into_iter().map(Effect::Fleet).collect()
}

/// This window was stopped; meanwhile another one has held the lease. What its user wanted sent is still wanted.
pub(super) fn stepped_down(state: &mut State, standing: Standing) -> Vec<Effect> {
    let orders = state.fleet.step_down();
    let _ = set(state, standing);
    state.say("another window sends now; this one watches");
    let watch = Order::Save(Change::Wish(Wish::WatchAll));
    orders.into_iter().chain([watch]).map(Effect::Fleet).collect()
}

/// Other windows want something of this one.
pub(super) fn wished(state: &mut State, wishes: Vec<(Wish, Option<Task>)>) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (wish, task) in wishes {
        state.table.add(task.iter());
        let forgotten = if let Wish::Forget(id) = wish { Some(id) } else { None };
        let msgs = granted(wish, task);
        effects.extend(msgs.into_iter().flat_map(|msg| fleet(state, msg)));
        if let Some(id) = forgotten.filter(|id| state.fleet.task(*id).is_none()) {
            drop_row(state, id);
        }
    }
    effects
}
