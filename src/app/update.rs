//! The one function that changes the state: routing only, the work is in the modules.

use crate::domain::{Change, How, Output, OutputState, Stage, Status, Task};
use crate::fleet::{FleetMsg, Order};
use crate::keys::{Action, Chord, resolve};
use crate::time::Now;

use super::dialog::{Dialog, Setup, Test};
use super::effect::Effect;
use super::kin::KinDialog;
use super::layout::{long_text, long_text_body, panes};
use super::msg::{AssetMsg, Msg};
use super::preview::Slot;
use super::state::{Pane, State};

mod batches;
mod dialogs;
mod files;
mod forms;
mod guard;
mod kin;
mod listing;
mod looking;
mod many;
mod settle;
mod shelf;
mod tasks;
mod twice;
mod windows;
mod writing;

pub use batches::Retry;

/// Takes in a message and says what to do now.
pub fn update(state: &mut State, msg: Msg, now: Now) -> Vec<Effect> {
    state.now = now;
    if matches!(msg, Msg::Key(_) | Msg::Paste(_) | Msg::Resized(_)) {
        state.preview.touch(now);
    }
    let mut effects = match msg {
        Msg::Key(chord) => key(state, chord),
        Msg::Paste(text) => forms::paste(state, &text),
        Msg::Resized(size) => {
            state.area = size;
            Vec::new()
        }
        Msg::Fleet(msg) => fleet(state, msg),
        Msg::Asset(AssetMsg::Encoded(want)) => {
            state.preview.answered(&want, Slot::Ready, now);
            Vec::new()
        }
        Msg::Asset(AssetMsg::NoThumbnail(want)) => {
            state.preview.no_thumbnail(&want);
            Vec::new()
        }
        Msg::Line(line) => {
            state.preview.line = line;
            Vec::new()
        }
        Msg::Asset(AssetMsg::Failed(want, why)) => {
            // The commonest reason is that the file is not there any more.
            if state.preview.answered(&want, Slot::Failed(why), now) { files::check(state, false) } else { Vec::new() }
        }
        Msg::PicturesKnown(way) => {
            if state.pictures.as_ref() != Some(&way) {
                state.pictures = Some(way);
                state.preview.renew(now);
            }
            Vec::new()
        }
        Msg::Checked { task, gone, again } => files::checked(state, task, gone, again),
        Msg::NotOlder(why) => {
            // Not asked again by itself: the next scroll there does.
            state.table.loading = false;
            state.table.more = false;
            state.warn(why);
            Vec::new()
        }
        Msg::Unfinished(tasks) | Msg::Relatives(tasks) => tasks::restore(state, tasks),
        Msg::Older { tasks, last } => tasks::older(state, tasks, last),
        Msg::Batch { name, members, failed } => batches::learned(state, &name, &members, failed),
        Msg::Drafted(draft) => {
            // What was typed before the disk answered goes behind what was there: neither is lost.
            let typed = if state.editor.is_untouched() { String::new() } else { state.editor.draft().prompt };
            state.editor = super::editor::Editor::new(&draft, &state.catalogue);
            if !typed.is_empty() {
                state.editor.paste(&typed, now);
            }
            Vec::new()
        }
        Msg::Kept(drafts) => {
            state.editor.keep(drafts);
            Vec::new()
        }
        Msg::Begin(drafts) => tasks::begin(state, &drafts),
        Msg::Counted(counts) => {
            state.table.unloaded = counts.into_iter().collect();
            let loaded: Vec<Stage> = state.fleet.tasks().map(|task| task.status.stage()).collect();
            loaded.into_iter().for_each(|stage| tasks::less_one(state, stage));
            Vec::new()
        }
        Msg::Stands(standing) => windows::stands(state, standing),
        Msg::Mirrored { tasks, gone, standing } => windows::mirrored(state, tasks, &gone, standing),
        Msg::SteppedDown(standing) => windows::stepped_down(state, standing),
        Msg::TookOver(unfinished) => windows::took_over(state, unfinished),
        Msg::Wished(wishes) => windows::wished(state, wishes),
        Msg::FileRead { field, result } => {
            listing::file_read(state, &field, result);
            Vec::new()
        }
        Msg::Lists { names, found } => many::lists(state, &names, found),
        Msg::KeyChecked(result) => dialogs::key_checked(state, result),
        Msg::Recalled(kind, result) => {
            shelf::recalled(state, kind, result);
            Vec::new()
        }
        Msg::Composed(result) => {
            writing::composed(state, result);
            Vec::new()
        }
        Msg::Woke => fleet(state, FleetMsg::Woke),
        Msg::Told(text) => {
            state.warn(text);
            Vec::new()
        }
        Msg::InputClosed => quit(state),
    };
    settle(state, &mut effects);
    effects
}

/// What follows from any change: old notices go, the window follows the cursor, the right picture is wanted.
fn settle(state: &mut State, effects: &mut Vec<Effect>) {
    let now = state.now;
    settle::sync(state, false);
    state.editor.forget_origin_if_empty(&state.catalogue);
    if let Some(Dialog::Settle(settling)) = &state.dialog
        && !state.fleet.task(settling.id).is_some_and(|task| matches!(task.status, Status::Unsure(_)))
    {
        state.dialog = None;
    }
    effects.extend(many::go_on(state));
    state.editor.reckon(&state.catalogue);
    effects.extend(state.editor.wanted_lists().map(Effect::Lists));
    state.notice.take_if(|notice| notice.until <= now.mono);
    guard::watch(state);
    // Those of other models go first: the last one that is saved is the one in the editor.
    let mut drafts = state.editor.parted();
    drafts.extend(state.editor.unsaved(now, state.leaving));
    let drafts = drafts.into_iter().map(|draft| guard::without_key(state, draft));
    effects.extend(drafts.map(|draft| Effect::Fleet(Order::Save(Change::Draft(draft)))));
    if state.leaving && state.standing.holds {
        effects.extend(state.fleet.leave().map(Effect::Fleet));
    }
    let panes = panes(state);
    state.editor.lay(panes.prompt);
    if let Some(Dialog::Text { pane, .. }) = &mut state.dialog {
        pane.lay(long_text_body(long_text(&panes)));
    }
    batches::follow(state, effects);
    let height = usize::from(panes.rows.height);
    if state.table.wants_more(height) {
        state.table.loading = true;
        effects.push(Effect::Older(state.table.frontier));
    }
    state.fleet.select(state.chosen());
    let want = state.wanted_picture();
    state.preview.wish(want, now);
    effects.extend(state.preview.start(now));
    if state.preview.ahead() {
        let neighbours = state.neighbours();
        if !neighbours.is_empty() {
            effects.push(Effect::Ahead(neighbours));
        }
    }
}

/// Hands a message to the fleet; says in the footer what nobody would otherwise see.
fn fleet(state: &mut State, msg: FleetMsg) -> Vec<Effect> {
    let news = tasks::worth_saying(state, &msg);
    let listed = matches!(msg, FleetMsg::Browsed { .. } | FleetMsg::Sifted(_) | FleetMsg::Found(_));
    let blocked = state.fleet.blocked().cloned();
    let orders = if state.standing.holds {
        state.fleet.handle(msg, state.now)
    } else {
        state.fleet.handle_watching(msg, state.now)
    };
    if let Some(text) = news {
        state.warn(text);
    } else if let Some(text) = state.fleet.wrong_clock(state.now).filter(|_| !state.clock_told) {
        state.clock_told = true;
        state.warn(text);
    } else if listed {
        settle::found(state);
    }
    match state.fleet.blocked() {
        Some(problem) if blocked.as_ref() != Some(problem) => {
            let problem = problem.clone();
            state.warn(format!("{} – nothing more is sent; R goes on", problem.sentence()));
            // Whoever is writing would go on writing, into the line for the key.
            let writing = state.pane == Pane::Editor && !state.editor.text().is_empty();
            if problem.needs_key() && state.dialog.is_none() && writing {
                state.warn(format!("{} – K in the table takes another key", problem.sentence()));
            } else if problem.needs_key() && state.dialog.is_none() {
                let reason = problem.sentence();
                state.dialog = Some(Dialog::Setup(Setup { reason, test: Test::None, ..Setup::default() }));
            }
        }
        _ => {}
    }
    orders.into_iter().map(Effect::Fleet).collect()
}

fn quit(state: &mut State) -> Vec<Effect> {
    state.leaving = true;
    vec![Effect::Quit]
}

fn key(state: &mut State, chord: Chord) -> Vec<Effect> {
    match resolve(chord, state.place()) {
        Some(action) => act(state, action),
        None => {
            forms::typed(state, chord);
            Vec::new()
        }
    }
}

fn act(state: &mut State, action: Action) -> Vec<Effect> {
    twice::once(state, action, |state| perform(state, action))
}

fn perform(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        _ if forms::text_act(state, action) => {}
        Action::Quit => return quit(state),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Repaint => {
            state.preview.renew(state.now);
            return vec![Effect::Repaint];
        }
        Action::Demo => {
            state.leaving = true;
            return vec![Effect::Demo];
        }
        Action::Submit if listing::has_ended(state) => {}
        Action::Reuse
        | Action::Look
        | Action::Fetch
        | Action::Settle
        | Action::Adopt
        | Action::Again
        | Action::Promote
        | Action::Reference
        | Action::Star
        | Action::Family
            if state.batch().is_some() =>
        {
            state.say("that is about one task: choose one of the batch");
        }
        Action::Submit => return tasks::submit(state),
        Action::Send if matches!(state.dialog, Some(Dialog::Kin(_))) => return kin::send_cause(state),
        Action::Send => return batches::send(state).unwrap_or_else(|| tasks::send(state)),
        Action::Resume => {
            state.say("going on");
            return fleet(state, FleetMsg::Resume);
        }
        Action::Look => {
            if let Some(id) = state.chosen() {
                return fleet(state, FleetMsg::Look(id));
            }
        }
        Action::Fetch => return files::check(state, true),
        Action::Forget if batches::ask_drop(state) => {}
        Action::Forget if matches!(state.dialog, Some(Dialog::Kin(_))) => return kin::drop_cause(state),
        Action::Forget => return tasks::forget(state),
        Action::Fold => batches::fold(state),
        Action::FoldAll => batches::fold_all(state),
        Action::Shut => batches::shut(state),
        Action::Pause => return batches::pause(state),
        Action::Check => return dialogs::try_key(state),
        Action::Key => dialogs::open_setup(state),
        Action::Write => state.pane = Pane::Editor,
        Action::Leave => {
            state.editor.select_nothing();
            state.pane = Pane::Table;
        }
        Action::NextPane => {
            state.pane = match state.pane {
                Pane::Editor => Pane::Form,
                Pane::Form => Pane::Table,
                Pane::Table => Pane::Editor,
            }
        }
        Action::PreviousPane => {
            state.pane = match state.pane {
                Pane::Editor => Pane::Table,
                Pane::Form => Pane::Editor,
                Pane::Table => Pane::Form,
            }
        }
        Action::Open if batches::open(state) => {}
        Action::Reuse => match &state.dialog {
            Some(Dialog::Kin(KinDialog::Carried(_))) => kin::edit_carried(state),
            Some(Dialog::Kin(KinDialog::Causes { .. })) => kin::edit_cause(state),
            _ => kin::edit(state),
        },
        Action::Again => return kin::again(state),
        Action::Promote => kin::choose_model(state, How::Promote),
        Action::Reference => kin::choose_model(state, How::Reference),
        Action::Star => return kin::star(state),
        Action::Family => return kin::show_family(state),
        Action::Causes => kin::show_causes(state),
        Action::Open => {
            if let Some(id) = state.table.cursor() {
                state.dialog = Some(Dialog::Detail { id, scroll: 0 });
                return files::check(state, false);
            }
        }
        Action::Help => dialogs::open_help(state),
        Action::View
        | Action::NextOutput
        | Action::PreviousOutput
        | Action::NextPicture
        | Action::PreviousPicture
        | Action::ZoomIn
        | Action::ZoomOut
        | Action::Actual
        | Action::WholePicture
        | Action::Info
        | Action::Right
        | Action::Left
        | Action::FullQuality
        | Action::Line
        | Action::Where => looking::act(state, action),
        Action::Close => dialogs::close(state),
        Action::Accept if matches!(state.dialog, Some(Dialog::Settle(_))) => return settle::accept(state),
        Action::Accept if matches!(state.dialog, Some(Dialog::List(_))) => return listing::accept(state),
        Action::Accept if matches!(state.dialog, Some(Dialog::Confirm { .. })) => return many::agree(state),
        Action::Accept if matches!(state.dialog, Some(Dialog::AskBatch(_))) => return batches::accept(state),
        Action::Accept if matches!(state.dialog, Some(Dialog::Kin(_))) => return kin::accept(state),
        Action::Accept if matches!(state.dialog, Some(Dialog::Shelf(_))) => return shelf::accept(state),
        Action::Accept => dialogs::accept(state),
        Action::Add | Action::FromTask | Action::Remove | Action::Raise | Action::Lower => listing::act(state, action),
        Action::Edit if matches!(state.dialog, Some(Dialog::List(_))) => listing::act(state, action),
        Action::Expand => many::step_mode(state),
        Action::Repeats => many::open_repeats(state),
        Action::Expansions => many::open_expansions(state),
        Action::Tick => many::tick(state),
        Action::Settle => return settle::open(state),
        Action::Others => return settle::toggle_others(state),
        Action::MoreOthers => return settle::more_others(state),
        Action::Adopt => return settle::adopt(state),
        Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::Top | Action::Bottom => {
            dialogs::go(state, action);
        }
        Action::Model => dialogs::open_models(state),
        Action::NextField => state.editor.step_chip(1, &state.catalogue),
        Action::PreviousField => state.editor.step_chip(-1, &state.catalogue),
        Action::NextValue => forms::step_value(state, 1),
        Action::PreviousValue => forms::step_value(state, -1),
        Action::Edit => forms::edit_field(state),
        Action::Default => forms::default_field(state),
        Action::Json => forms::toggle_json(state),
        Action::Undo => state.editor.undo(state.now),
        Action::Redo => state.editor.redo(state.now),
        Action::NewLine
        | Action::Go(_)
        | Action::Select(_)
        | Action::Erase(_)
        | Action::SelectAll
        | Action::Copy
        | Action::Cut
        | Action::PasteBack => writing::act(state, action),
        Action::History
        | Action::Snippets
        | Action::Earlier
        | Action::Later
        | Action::KeepSnippet
        | Action::RenameSnippet
        | Action::RemoveSnippet => return shelf::act(state, action),
        Action::Compose => return writing::compose(state),
    }
    Vec::new()
}

/// The task has an output that is neither here nor given up.
fn is_coming(task: &Task) -> bool {
    task.outputs.iter().any(|output: &Output| output.state == OutputState::Away)
}
