//! From a failure to its fix, and from a picture to the next: again, another model, the output as an input, stars,
//! the family, the causes of failures.

use std::sync::Arc;

use crate::domain::cause::{self, may_repeat, unchanged};
use crate::domain::promote::{promote, reference};
use crate::domain::request::Draft;
use crate::domain::validate::{find_model, validate};
use crate::domain::{How, Kin, LocalId, NotRetried, Outcome, Request, Secret, Status, Task, explain};
use crate::fleet::FleetMsg;

use super::super::dialog::Dialog;
use super::super::effect::Effect;
use super::super::kin::{KinDialog, Promotion, failures, members, output_of, row_of, targets};
use super::super::state::{Pane, State};
use super::{fleet, tasks};

/// More than so many are made anew only after a second press, for each is paid for.
const ASKED: usize = 1;

/// The chosen task, if it is ours: of others the request is not known.
fn ours(state: &mut State) -> Option<Arc<Task>> {
    let task = state.chosen().and_then(|id| state.fleet.task(id)).cloned()?;
    if task.is_elsewhere() {
        state.say("another program created it: its prompt is not known here");
        return None;
    }
    Some(task)
}

/// A new task for the very same request.
pub(super) fn again(state: &mut State) -> Vec<Effect> {
    let Some(task) = ours(state) else { return Vec::new() };
    let (how, words) = match &task.status {
        Status::Success => (How::Again, "sent again: a new picture, paid again"),
        Status::Failed(_) | Status::Refused(_) => match may_repeat(&task) {
            Ok(()) => (How::Retry, "sent once more, as a new task: what it failed for may have passed"),
            Err(why) => {
                state.warn(format!("{why}; e opens it to be changed"));
                return Vec::new();
            }
        },
        Status::Held(_) => {
            state.say("it was never sent; r sends it");
            return Vec::new();
        }
        Status::Unsure(_) | Status::GivenUp(_) => {
            state.say("nobody knows what became of it; u decides, e takes it into the editor");
            return Vec::new();
        }
        _ => {
            state.say("it has not ended yet; e takes it into the editor");
            return Vec::new();
        }
    };
    if let Some(spec) = state.catalogue.get(&task.request.full_model()).filter(|spec| !spec.is_current()) {
        let text = format!("the service has retired {}; p takes it to another model", spec.name);
        state.warn(text);
        return Vec::new();
    }
    state.dialog = None;
    state.say(words);
    tasks::add_kin(state, Arc::clone(&task.request), Some(Kin { parent: task.id, how }))
}

/// Why the request in the editor is not sent as it is, if so: it failed just so before.
pub(super) fn refuses(state: &mut State, request: &Request) -> bool {
    let Some((id, why)) = unchanged(request, state.fleet.tasks().map(AsRef::as_ref)) else { return false };
    if let Some(field) = state.fleet.task(id).and_then(|task| cause::field(task, &state.catalogue)) {
        let name = field.name.clone();
        state.pane = if state.editor.go_to(&name, &state.catalogue) { Pane::Form } else { Pane::Editor };
    }
    let why = match why {
        NotRetried::Unchanged(what) => format!("{} failed with this very request: {what}; change it first", id.short()),
        why => format!("{} was this very request: {why}", id.short()),
    };
    state.warn(why);
    true
}

/// Takes a task into the editor: a failure to be mended, with the cursor where it is about; anything else to be varied.
pub(super) fn edit(state: &mut State) {
    let Some(task) = ours(state) else { return };
    edit_task(state, &task);
}

fn edit_task(state: &mut State, task: &Task) {
    let failed = matches!(&task.status, Status::Failed(_) | Status::Refused(_));
    let how = if failed { How::Fix } else { How::Vary };
    let origin = Some(Kin { parent: task.id, how });
    let draft = Draft { origin, ..task.request.draft(&state.catalogue) };
    state.editor.load(&draft, &state.catalogue, state.now);
    state.dialog = None;
    state.pane = Pane::Editor;
    if !failed {
        return;
    }
    if let Some(name) = cause::field(task, &state.catalogue).map(|field| field.name.clone())
        && state.editor.go_to(&name, &state.catalogue)
    {
        state.pane = Pane::Form;
    }
    let what = explain(task, state.now.wall, state.now.wall).what;
    state.warn(what);
}

/// Stars the task, or takes the star away.
pub(super) fn star(state: &mut State) -> Vec<Effect> {
    let Some(id) = state.chosen() else { return Vec::new() };
    if state.fleet.is_stray(id) {
        state.say("another program created it; a adopts it first");
        return Vec::new();
    }
    let Some(on) = state.fleet.task(id).map(|task| !task.starred) else { return Vec::new() };
    fleet(state, FleetMsg::Star(id, on))
}

/// Opens the list of models to go on with.
pub(super) fn choose_model(state: &mut State, how: How) {
    let Some(task) = ours(state) else { return };
    if how == How::Reference {
        match output_of(state, &task) {
            None => return state.say("it has no output to go on from"),
            Some(Err(why)) => return state.warn(why),
            Some(Ok(_)) => {}
        }
    }
    let dialog = KinDialog::Target { of: task.id, how, query: String::new(), cursor: 0 };
    state.dialog = Some(Dialog::Kin(dialog));
}

/// What would be sent to this model, if the task is still there.
fn promotion(state: &State, of: LocalId, how: How, model: &str) -> Result<Promotion, String> {
    let task = state.fleet.task(of).ok_or("the task is gone")?;
    let spec = find_model(model, &state.catalogue).map_err(|fault| fault.to_string())?;
    let origin = Some(Kin { parent: of, how });
    let draft = task.request.draft(&state.catalogue);
    let carried = match how {
        How::Reference => {
            let link = output_of(state, task).ok_or("it has no output")??;
            reference(&draft, link, spec, origin, &state.catalogue).ok_or("this model takes no such file")?
        }
        _ => promote(&draft, spec, origin, &state.catalogue),
    };
    Ok(Promotion { of, how, carried, scroll: 0 })
}

/// Enter in one of these dialogs.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    let Some(Dialog::Kin(dialog)) = state.dialog.clone() else { return Vec::new() };
    match dialog {
        KinDialog::Target { of, how, query, cursor } => {
            let Some(model) = targets(state, of, how, &query).get(cursor).map(|spec| spec.name.clone()) else {
                return Vec::new();
            };
            match promotion(state, of, how, &model) {
                Ok(promotion) => state.dialog = Some(Dialog::Kin(KinDialog::Carried(Box::new(promotion)))),
                Err(why) => state.warn(why),
            }
            Vec::new()
        }
        KinDialog::Carried(promotion) => send_carried(state, &promotion),
        KinDialog::Family { at, .. } => {
            jump(state, at);
            Vec::new()
        }
        KinDialog::Causes { at, .. } => {
            let causes = failures(state);
            if let Some(id) = causes.get(row_of(&causes, at)).and_then(|cause| cause.tasks.first()) {
                jump(state, *id);
            }
            Vec::new()
        }
    }
}

fn jump(state: &mut State, id: LocalId) {
    state.dialog = None;
    state.pane = Pane::Table;
    state.table.choose(id);
}

/// Sends what is carried; what cannot be sent as it is opens in the editor.
fn send_carried(state: &mut State, promotion: &Promotion) -> Vec<Effect> {
    if promotion.how == How::Reference {
        let task = state.fleet.task(promotion.of).cloned();
        if let Some(Err(why)) = task.as_ref().and_then(|task| output_of(state, task)) {
            // The dialog may have been open for long.
            state.warn(why);
            return Vec::new();
        }
    }
    let callback = state.callback.as_ref().map(Secret::expose);
    let Ok(request) = validate(&promotion.carried.draft, &state.catalogue, callback) else {
        edit_carried(state);
        return Vec::new();
    };
    if refuses(state, &request) {
        return Vec::new();
    }
    state.dialog = None;
    state.pane = Pane::Table;
    state.say(format!("sent to {}", request.full_model()));
    tasks::add_kin(state, Arc::new(request), promotion.carried.draft.origin)
}

/// Opens what is carried in the editor.
pub(super) fn edit_carried(state: &mut State) {
    let Some(Dialog::Kin(KinDialog::Carried(promotion))) = &state.dialog else { return };
    let draft = promotion.carried.draft.clone();
    let missing = promotion.carried.faults.first().cloned();
    state.editor.load(&draft, &state.catalogue, state.now);
    state.dialog = None;
    state.pane = Pane::Editor;
    if let Some(fault) = missing {
        if let Some(field) = &fault.field
            && state.editor.go_to(field, &state.catalogue)
        {
            state.pane = Pane::Form;
        }
        state.warn(fault.to_string());
    }
}

/// Shows what the task came from, and what came of it; what is not loaded is asked for.
pub(super) fn show_family(state: &mut State) -> Vec<Effect> {
    let Some(task) = state.chosen().and_then(|id| state.fleet.task(id)) else { return Vec::new() };
    let id = task.id;
    if state.fleet.is_stray(id) {
        state.say("another program created it: where it came from is not known here");
        return Vec::new();
    }
    state.dialog = Some(Dialog::Kin(KinDialog::Family { at: id }));
    vec![Effect::Family(id)]
}

/// Shows what failed, by cause.
pub(super) fn show_causes(state: &mut State) {
    let causes = failures(state);
    if causes.is_empty() {
        return state.say("nothing failed that was not sent again since");
    }
    let at = state.chosen().filter(|id| causes.iter().any(|cause| cause.tasks.contains(id)));
    let at = at.or_else(|| causes.first().and_then(|cause| cause.tasks.first()).copied());
    state.dialog = Some(Dialog::Kin(KinDialog::Causes { at, sure: None }));
}

/// Moves through the rows of one of these dialogs.
pub(super) fn step(state: &mut State, by: isize) {
    let Some(Dialog::Kin(dialog)) = state.dialog.clone() else { return };
    let moved = |row: usize, rows: usize| row.saturating_add_signed(by).min(rows.saturating_sub(1));
    let next = match dialog {
        KinDialog::Target { of, how, query, cursor } => {
            let cursor = moved(cursor, targets(state, of, how, &query).len());
            KinDialog::Target { of, how, query, cursor }
        }
        KinDialog::Carried(mut promotion) => {
            let by = i16::try_from(by.clamp(-1000, 1000)).unwrap_or(0);
            promotion.scroll = promotion.scroll.saturating_add_signed(by).min(state.page_end.unwrap_or(1000));
            KinDialog::Carried(promotion)
        }
        KinDialog::Family { at } => {
            let members = members(state, at);
            let row = members.iter().position(|member| member.id == at).unwrap_or(0);
            KinDialog::Family { at: members.get(moved(row, members.len())).map_or(at, |member| member.id) }
        }
        KinDialog::Causes { at, .. } => {
            let causes = failures(state);
            let row = moved(row_of(&causes, at), causes.len());
            let at = causes.get(row).and_then(|cause| cause.tasks.first()).copied();
            KinDialog::Causes { at, sure: None }
        }
    };
    state.dialog = Some(Dialog::Kin(next));
}

/// The tasks of the chosen cause.
fn chosen_cause(state: &State) -> Option<cause::Cause> {
    let Some(Dialog::Kin(KinDialog::Causes { at, .. })) = &state.dialog else { return None };
    let mut causes = failures(state);
    let row = row_of(&causes, *at);
    (row < causes.len()).then(|| causes.swap_remove(row))
}

/// Opens the newest task of the chosen cause in the editor.
pub(super) fn edit_cause(state: &mut State) {
    let task = chosen_cause(state).and_then(|cause| state.fleet.task(*cause.tasks.first()?).cloned());
    if let Some(task) = task {
        edit_task(state, &task);
    }
}

/// One decision for all of the chosen cause: send them again. What makes new tasks is asked about once more.
pub(super) fn send_cause(state: &mut State) -> Vec<Effect> {
    let Some(Dialog::Kin(KinDialog::Causes { at, sure })) = state.dialog.clone() else { return Vec::new() };
    let ids = match sure {
        Some(ids) => ids,
        None => {
            let Some(cause) = chosen_cause(state) else { return Vec::new() };
            let anew = cause.tasks.iter().filter(|id| !is_held(state, **id) && may_go(state, **id).is_ok()).count();
            if anew > ASKED {
                let sure = Some(cause.tasks);
                state.dialog = Some(Dialog::Kin(KinDialog::Causes { at, sure }));
                state.warn(format!("{anew} new tasks, each paid for: r again sends them"));
                return Vec::new();
            }
            cause.tasks
        }
    };
    send_all(state, &ids)
}

fn is_held(state: &State, id: LocalId) -> bool {
    state.fleet.task(id).is_some_and(|task| matches!(task.status, Status::Held(_)))
}

fn may_go(state: &State, id: LocalId) -> Result<(), NotRetried> {
    match state.fleet.task(id) {
        Some(task) if task.status == Status::Success && task.outputs.is_empty() => Ok(()),
        Some(task) => may_repeat(task),
        None => Err(NotRetried::NotEnded),
    }
}

/// Decided for each when it comes to it: meanwhile some may have moved on, or be gone.
fn send_all(state: &mut State, ids: &[LocalId]) -> Vec<Effect> {
    let (mut sent, mut moved, mut gone, mut refused) = (0usize, 0usize, 0usize, None);
    let mut effects = Vec::new();
    let answered: std::collections::BTreeSet<LocalId> =
        state.fleet.tasks().filter_map(|task| task.kin).map(|kin| kin.parent).collect();
    let mut resumed = false;
    let mut anew = Vec::new();
    let mut held = Vec::new();
    for id in ids {
        let Some(task) = state.fleet.task(*id).cloned() else {
            gone += 1;
            continue;
        };
        match &task.status {
            Status::Held(problem) => {
                resumed |= problem.as_ref().is_some_and(|problem| problem.outcome() == Outcome::Blocked);
                held.push(*id);
            }
            _ if answered.contains(id) => moved += 1,
            _ => match may_go(state, *id) {
                Ok(()) => anew.push(task),
                Err(NotRetried::NotEnded | NotRetried::Done) => moved += 1,
                Err(why) => refused = refused.or(Some(why)),
            },
        }
    }
    sent += held.len() + anew.len();
    if resumed {
        effects.extend(fleet(state, FleetMsg::Resume));
    }
    if !held.is_empty() {
        effects.extend(fleet(state, FleetMsg::Send(held)));
    }
    for task in anew {
        let kin = Some(Kin { parent: task.id, how: How::Retry });
        effects.extend(tasks::add_kin(state, Arc::clone(&task.request), kin));
    }
    let mut parts = Vec::new();
    for (count, words) in [(sent, "sent again"), (moved, "moved on already"), (gone, "gone")] {
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    match (sent, refused) {
        (0, Some(why)) => state.warn(format!("{why}; e opens one of them to be changed")),
        _ => {
            state.say(parts.join(", "));
            state.dialog = None;
        }
    }
    effects
}

/// Drops those of the chosen cause that were never sent.
pub(super) fn drop_cause(state: &mut State) -> Vec<Effect> {
    let Some(cause) = chosen_cause(state) else { return Vec::new() };
    let held: Vec<LocalId> = cause.tasks.into_iter().filter(|id| is_held(state, *id)).collect();
    if held.is_empty() {
        state.say("these were sent, and stay in the history; only what was never sent can be dropped");
        return Vec::new();
    }
    let mut effects = Vec::new();
    let count = held.len();
    for id in held {
        effects.extend(fleet(state, FleetMsg::Forget(id)));
        if state.fleet.task(id).is_none() {
            state.table.remove(id);
        }
    }
    state.say(format!("{count} dropped; they were never sent"));
    if failures(state).is_empty() {
        state.dialog = None;
    }
    effects
}
