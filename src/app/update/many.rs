//! One prompt, many tasks: how it is expanded, what comes of it, asking before it is dear, and the way into the queue.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::domain::batch::{self, Mark, Mode};
use crate::domain::{Draft, Kin, LocalId, Request, Secret, Task};
use crate::fleet::FleetMsg;
use crate::time::Wall;

use super::super::dialog::{Dialog, Number};
use super::super::editor::{Count, Found};
use super::super::effect::Effect;
use super::super::line::Line;
use super::super::sending::{Sending, batch_name, examples};
use super::super::state::{Pane, State};
use super::{fleet, guard, tasks};

/// Expansions in the list of the first ones.
const SHOWN: usize = 50;
/// Longest name of a batch, in characters.
const LONGEST_NAME: usize = 100;

/// The prompt is as it stands, a template for all its prompts, or for some by chance; and around again.
pub(super) fn step_mode(state: &mut State) {
    if state.editor.is_raw() {
        return state.warn("the input as JSON is sent as it stands: alt-j goes back to the prompt");
    }
    let next = match state.editor.many().mode {
        Mode::Off => Mode::All,
        Mode::All => Mode::Random,
        Mode::Random => Mode::Off,
    };
    let drawn = draw_seed(state);
    let change = |many: &mut batch::Many| {
        many.mode = next;
        if !many.said && next == Mode::Random {
            many.seed = drawn;
        }
    };
    state.editor.change_many(change, state.now);
    state.editor.refresh_lists();
    if next == Mode::Random {
        let many = state.editor.many();
        let said = if many.said { format!(" {}", many.seed) } else { String::new() };
        let text = Line::new(format!("{}{said}", many.each));
        state.dialog = Some(Dialog::Number { what: Number::Draws, text, fault: None });
    }
}

/// Few enough digits to be typed.
fn draw_seed(state: &mut State) -> u64 {
    u64::try_from(state.chance.bits() >> 108).unwrap_or(1)
}

pub(super) fn open_repeats(state: &mut State) {
    let text = Line::new(state.editor.many().repeat.to_string());
    state.dialog = Some(Dialog::Number { what: Number::Repeats, text, fault: None });
}

/// Enter in the line for a number.
pub(super) fn accept_number(state: &mut State, what: Number, text: Line) {
    let most = u32::try_from(batch::MOST).unwrap_or(u32::MAX);
    let count = |word: Option<&str>| word.and_then(|word| word.parse::<u32>().ok()).filter(|n| (1..=most).contains(n));
    let mut words = text.text().split_whitespace();
    let taken = match (what, count(words.next()), words.next(), words.next()) {
        (Number::Repeats, Some(repeat), None, None) => {
            state.editor.change_many(|many| many.repeat = repeat, state.now);
            true
        }
        (Number::Draws, Some(each), seed, None) => match seed.map(str::parse::<u64>) {
            None => {
                let drawn = draw_seed(state);
                let change = |many: &mut batch::Many| {
                    many.each = each;
                    many.seed = if many.said { drawn } else { many.seed };
                    many.said = false;
                };
                state.editor.change_many(change, state.now);
                true
            }
            Some(Ok(seed)) => {
                state.editor.change_many(|many| (many.each, many.seed, many.said) = (each, seed, true), state.now);
                true
            }
            Some(Err(_)) => false,
        },
        _ => false,
    };
    let wanted = match what {
        Number::Repeats => format!("a number from 1 to {most}"),
        Number::Draws => format!("a number from 1 to {most}, and a seed behind it if you like"),
    };
    state.dialog = (!taken).then_some(Dialog::Number { what, text, fault: Some(wanted) });
}

/// Shows the first tasks that it comes to.
pub(super) fn open_expansions(state: &mut State) {
    state.editor.refresh_lists();
    state.editor.reckon(&state.catalogue);
    if let Some(Count::Broken { why, .. }) = state.editor.outlook().map(|outlook| &outlook.count) {
        return state.warn(why.clone());
    }
    if state.editor.many().is_one() {
        let hint = state.editor.outlook().is_some_and(|outlook| outlook.hint);
        let words = if hint {
            "the braces stand as typed; alt-x makes a template of it"
        } else {
            "one task, as it stands; alt-x makes a template of it"
        };
        return state.say(words);
    }
    let plan = state.editor.plan();
    let rows = plan.map(|plan| examples(&state.editor.draft(), &plan, SHOWN)).unwrap_or_default();
    if rows.is_empty() {
        return state.say("its lists are being read; once more in a moment");
    }
    let rows = Arc::new(rows);
    state.dialog = Some(Dialog::Expansions { rows, cursor: 0 });
}

/// Takes one of the expansions into the editor, instead of the template. Undo brings that back.
pub(super) fn take_expansion(state: &mut State, cursor: usize) {
    state.dialog = None;
    let Some(plan) = state.editor.plan() else { return };
    let draft = state.editor.draft();
    let again = draft.many.repeat.max(1) as usize;
    let Some(item) = plan.items().step_by(again).nth(cursor) else { return };
    let draft = Draft { prompt: item.draft.prompt, fields: item.draft.fields, many: batch::Many::default(), ..draft };
    state.editor.load(&draft, &state.catalogue, state.now);
    state.pane = Pane::Editor;
}

/// Ticks a value of the list of choices, or takes the tick away. The first row is no value.
pub(super) fn tick(state: &mut State) {
    if let Some(Dialog::Choices { cursor, ticked, .. }) = &mut state.dialog
        && let Some(index) = cursor.checked_sub(1)
        && !ticked.remove(&index)
    {
        ticked.insert(index);
    }
}

/// The values of a list of choices that are to be taken, if there are several.
pub(super) fn several<T: Clone>(values: &[T], ticked: &BTreeSet<usize>) -> Option<Vec<T>> {
    let values: Vec<T> = ticked.iter().filter_map(|index| values.get(*index).cloned()).collect();
    (values.len() > 1).then_some(values)
}

/// Lists came for the template in the editor.
pub(super) fn lists(state: &mut State, names: &BTreeSet<String>, found: Found) -> Vec<Effect> {
    if state.editor.take_lists(names, found)
        && let Some(Dialog::Expansions { .. }) = &state.dialog
    {
        // They may have changed while the first ones were shown.
        state.editor.reckon(&state.catalogue);
        if let Some(plan) = state.editor.plan() {
            let fresh = Arc::new(examples(&state.editor.draft(), &plan, SHOWN));
            let last = fresh.len().saturating_sub(1);
            if let Some(Dialog::Expansions { rows, cursor }) = &mut state.dialog {
                (*rows, *cursor) = (fresh, (*cursor).min(last));
            }
        }
    }
    Vec::new()
}

/// Sends all that is in the editor, or says why not.
pub(super) fn submit(state: &mut State) -> Vec<Effect> {
    if let Some(sending) = &state.sending {
        let text = format!("the batch before is being added, {} of {}", sending.added(), sending.total);
        state.warn(text);
        return Vec::new();
    }
    state.editor.reckon(&state.catalogue);
    let bill = match state.editor.outlook().map(|outlook| outlook.count.clone()) {
        Some(Count::Known(bill)) => bill,
        Some(Count::Broken { at, why }) => {
            state.editor.put_cursor(at);
            state.pane = Pane::Editor;
            state.warn(format!("{why}; nothing was sent"));
            return Vec::new();
        }
        Some(Count::TooMany(count)) => {
            let most = batch::MOST;
            let number = if count == crate::domain::template::BEYOND {
                "more tasks than can be counted".to_owned()
            } else {
                format!("{count} tasks")
            };
            state.warn(format!("it would be {number}; at most {most} are sent at once"));
            return Vec::new();
        }
        Some(Count::Reading) | None => {
            state.say("its lists are being read; once more in a moment");
            return Vec::new();
        }
    };
    let (draft, Some(plan)) = (state.editor.draft(), state.editor.plan()) else { return Vec::new() };
    if guard::refuses(state, &draft.prompt) || guard::refuses(state, &Value::Object(draft.fields.clone()).to_string()) {
        return Vec::new();
    }
    let first = plan.items().next().map(|item| item.draft.prompt).unwrap_or_default();
    let name = free_name(state, &batch_name(&first, &draft.model, state.now.wall, state.utc_offset));
    let mut sending = Sending::new(&draft, plan, bill, name, state.now);
    let callback = state.callback.as_ref().map(Secret::expose);
    // The first ones at once: what is wrong with one is mostly wrong with all.
    sending.check(&state.catalogue, callback);
    sending.agreed = sending.is_checked() && !sending.must_ask(state.confirm);
    if sending.fault().is_some() {
        return refuse(state, &sending);
    }
    let agreed = sending.agreed;
    state.sending = Some(Box::new(sending));
    if agreed {
        return portion(state);
    }
    state.dialog = Some(Dialog::Confirm { fault: None });
    Vec::new()
}

/// One of them cannot be sent: then none is, and the cursor goes to the field.
fn refuse(state: &mut State, sending: &Sending) -> Vec<Effect> {
    answered(state);
    let Some((number, why)) = sending.fault() else { return Vec::new() };
    state.editor.refused(why, &state.catalogue);
    state.pane = if state.editor.fault_in_text(&state.catalogue) { Pane::Editor } else { Pane::Form };
    let which = if sending.total > 1 { format!("task {number} of {}: ", sending.total) } else { String::new() };
    state.warn(format!("{which}{why}; nothing was sent"));
    Vec::new()
}

/// The question is not open any more.
fn answered(state: &mut State) {
    if matches!(state.dialog, Some(Dialog::Confirm { .. })) {
        state.dialog = None;
    }
}

/// A name that no batch has of which tasks are loaded.
fn free_name(state: &State, name: &str) -> String {
    let numbered = |n: u32| if n == 1 { name.to_owned() } else { format!("{name} ({n})") };
    let names = (1..=u32::MAX).map(numbered);
    let mut free = names.filter(|name| !is_taken(state, name));
    free.next().unwrap_or_else(|| name.to_owned())
}

fn is_taken(state: &State, name: &str) -> bool {
    state.fleet.tasks().any(|task| task.mark.as_ref().is_some_and(|mark| mark.batch == name))
}

/// Typing in the question before sending: it is the name of the batch.
pub(super) fn rename(state: &mut State, edit: impl FnOnce(&mut Line)) {
    if let (Some(sending), Some(Dialog::Confirm { fault })) = (&mut state.sending, &mut state.dialog)
        && !sending.agreed
    {
        edit(&mut sending.name);
        sending.name.hold(LONGEST_NAME);
        *fault = None;
    }
}

/// Enter: they are wanted.
pub(super) fn agree(state: &mut State) -> Vec<Effect> {
    let Some(name) = state.sending.as_ref().map(|sending| sending.name.text().trim().to_owned()) else {
        state.dialog = None;
        return Vec::new();
    };
    let fault = if name.is_empty() {
        Some("a batch needs a name".to_owned())
    } else if is_taken(state, &name) {
        Some("there is a batch of this name; it needs another".to_owned())
    } else {
        None
    };
    if fault.is_some() {
        state.dialog = Some(Dialog::Confirm { fault });
        return Vec::new();
    }
    let Some(sending) = &mut state.sending else { return Vec::new() };
    sending.name = Line::new(name);
    sending.agreed = true;
    // Where not all are checked yet, the question stays until they are.
    if sending.is_checked() { portion(state) } else { Vec::new() }
}

/// Nobody wants them: nothing was added, and the editor is as it was.
pub(super) fn withdraw(state: &mut State) {
    state.sending.take_if(|sending| sending.added() == 0);
}

/// Goes on with what is on its way, when the next portion is due.
pub(super) fn go_on(state: &mut State) -> Vec<Effect> {
    let Some(sending) = &state.sending else { return Vec::new() };
    let asked = matches!(state.dialog, Some(Dialog::Confirm { .. } | Dialog::Help { .. }));
    if !sending.agreed && !asked {
        state.sending = None;
        return Vec::new();
    }
    if state.leaving {
        let mut effects = Vec::new();
        while state.sending.as_ref().is_some_and(|sending| sending.agreed) {
            effects.extend(portion(state));
        }
        return effects;
    }
    if sending.due().is_some_and(|due| due <= state.now.mono) { portion(state) } else { Vec::new() }
}

/// One portion: checked, or if all are, added.
fn portion(state: &mut State) -> Vec<Effect> {
    let Some(mut sending) = state.sending.take() else { return Vec::new() };
    if !sending.is_checked() {
        sending.check(&state.catalogue, state.callback.as_ref().map(Secret::expose));
    }
    if sending.fault().is_some() {
        return refuse(state, &sending);
    }
    if sending.agreed && sending.is_checked() && sending.added() == 0 {
        // From here on they are sent, and the editor is free for the next prompt.
        answered(state);
        tasks::sent(state);
    }
    let ready = sending.take();
    // Whoever moves the cursor meanwhile has it where they want it.
    let follow = sending.put.is_none() || sending.put == state.table.cursor();
    let mut effects = Vec::new();
    if !ready.is_empty() {
        (effects, sending.put) = add(state, ready, sending.origin, follow);
    }
    if !sending.is_done() {
        sending.rest(state.now);
        state.sending = Some(sending);
    } else if sending.total > 1 {
        let seed = sending.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
        state.say(format!("{} tasks are in the queue{seed}", sending.total));
    }
    effects
}

/// New tasks, with the cursor on the last of them if that is wanted.
fn add(
    state: &mut State,
    ready: Vec<(Arc<Request>, Arc<Mark>)>,
    origin: Option<Kin>,
    choose: bool,
) -> (Vec<Effect>, Option<LocalId>) {
    // Each a millisecond after the one before, so that they keep their order.
    let newest = state.table.newest().map_or(state.now.wall, |newest| Wall(newest.0 + 1));
    let first = state.now.wall.max(newest);
    let mut made: Vec<Task> = Vec::with_capacity(ready.len());
    for (after, (request, mark)) in (0i64..).zip(ready) {
        let id = LocalId::from_random(state.chance.bits());
        let mut task = Task::new(id, request, Wall(first.0.saturating_add(after)));
        task.mark = Some(mark);
        task.kin = origin;
        made.push(task);
    }
    state.table.add(made.iter());
    let last = made.last().map(|task| task.id);
    if choose && let Some(last) = last {
        state.table.choose(last);
    }
    (made.into_iter().flat_map(|task| fleet(state, FleetMsg::Add(Box::new(task)))).collect(), last)
}
