//! What lies over the panes: opening, moving, taking, closing.

use crate::domain::{Problem, Secret};
use crate::fleet::FleetMsg;
use crate::keys::Action;

use super::super::dialog::{Dialog, Setup, Test};
use super::super::editor::choices;
use super::super::effect::Effect;
use super::super::layout::panes;
use super::super::line::Line;
use super::super::listing::{Listing, Mode};
use super::super::models::{matching_models, unknown_name};
use super::super::state::{Pane, State};
use super::{fleet, forms, listing, looking, many};

pub(super) fn open_help(state: &mut State) {
    let place = state.place();
    state.dialog = match state.dialog.take() {
        Some(Dialog::Help { .. }) => under_help(state),
        over => {
            state.under = match over {
                Some(Dialog::Viewer(open)) => Some(open),
                _ => None,
            };
            Some(Dialog::Help { place, scroll: 0 })
        }
    };
}

/// What the help was opened over, where that comes back.
fn under_help(state: &mut State) -> Option<Dialog> {
    let asked = state.sending.as_ref().is_some_and(|sending| !sending.agreed);
    let question = asked.then_some(Dialog::Confirm { fault: None });
    state.under.take().map(Dialog::Viewer).or(question)
}

pub(super) fn open_models(state: &mut State) {
    let rows = matching_models("", &state.catalogue);
    let cursor = rows.iter().position(|m| m.name == state.editor.model()).unwrap_or(0);
    state.dialog = Some(Dialog::Models { query: Line::default(), cursor });
}

pub(super) fn open_setup(state: &mut State) {
    let reason = state.fleet.blocked().map(Problem::sentence).unwrap_or_default();
    state.dialog = Some(Dialog::Setup(Setup { reason, ..Setup::default() }));
}

/// Closes what lies over the panes; the picture goes back to the details it was opened from.
pub(super) fn close(state: &mut State) {
    state.dialog = match state.dialog.take() {
        Some(Dialog::Help { .. }) => under_help(state),
        Some(Dialog::List(mut listing)) if listing.mode != Mode::Look => {
            (listing.mode, listing.fault) = (Mode::Look, None);
            Some(Dialog::List(listing))
        }
        Some(Dialog::Confirm { .. }) => {
            many::withdraw(state);
            None
        }
        Some(Dialog::Viewer(open)) if open.from_detail => Some(Dialog::Detail { id: open.id, scroll: 0 }),
        _ => None,
    };
}

/// Up and down, by line, by page, to the ends: whatever has the keyboard.
pub(super) fn go(state: &mut State, action: Action) {
    let panes = panes(state);
    let page = isize::try_from(panes.rows.height.max(2) - 1).unwrap_or(1);
    let by = match action {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -page,
        Action::PageDown => page,
        Action::Top => isize::MIN,
        _ => isize::MAX,
    };
    let rows = match &state.dialog {
        Some(Dialog::Models { query, .. }) => {
            let unknown = unknown_name(query.text(), &state.catalogue);
            matching_models(query.text(), &state.catalogue).len() + usize::from(unknown.is_some())
        }
        Some(Dialog::Choices { field, .. }) => {
            let spec = state.editor.spec(&state.catalogue);
            spec.and_then(|spec| spec.field(field)).map_or(0, |field| choices(field).len()) + 1
        }
        Some(Dialog::Expansions { rows, .. }) => rows.len(),
        Some(Dialog::Settle(_)) => return super::settle::step(state, by),
        Some(Dialog::List(list)) => listing::rows(state, list),
        Some(Dialog::Kin(_)) => return super::kin::step(state, by),
        Some(Dialog::Shelf(shelf)) => shelf.counts().1,
        _ => 0,
    };
    match &mut state.dialog {
        None => match action {
            Action::Top => state.table.jump(false),
            Action::Bottom => state.table.jump(true),
            _ => state.table.step(by),
        },
        Some(Dialog::Models { cursor, .. } | Dialog::Choices { cursor, .. } | Dialog::Expansions { cursor, .. }) => {
            *cursor = cursor.saturating_add_signed(by).min(rows.saturating_sub(1));
        }
        Some(Dialog::List(
            Listing { mode: Mode::Look, cursor, .. } | Listing { mode: Mode::Pick { cursor, .. }, .. },
        )) => {
            *cursor = cursor.saturating_add_signed(by).min(rows.saturating_sub(1));
        }
        Some(Dialog::AskBatch(ask)) => ask.yes = by > 0,
        Some(Dialog::Help { scroll, .. } | Dialog::Detail { scroll, .. } | Dialog::Batch { scroll, .. }) => {
            let by = i16::try_from(by.clamp(-1000, 1000)).unwrap_or(0);
            // How long the text is shows when it is drawn; until then it only must not run away.
            *scroll = scroll.saturating_add_signed(by).min(state.page_end.unwrap_or(1000));
        }
        Some(Dialog::Viewer(_)) => looking::along(state, by > 0),
        Some(Dialog::Shelf(shelf)) if shelf.renaming.is_none() => {
            shelf.cursor = shelf.cursor.saturating_add_signed(by).min(rows.saturating_sub(1));
            shelf.sure = None;
        }
        Some(
            Dialog::Shelf(_)
            | Dialog::Input { .. }
            | Dialog::Number { .. }
            | Dialog::Confirm { .. }
            | Dialog::Setup(_)
            | Dialog::Settle(_)
            | Dialog::Kin(_)
            | Dialog::List(_)
            | Dialog::Text { .. },
        ) => {}
    }
}

/// Enter in a list or a line.
pub(super) fn accept(state: &mut State) {
    match state.dialog.clone() {
        Some(Dialog::Models { query, cursor }) => {
            let rows = matching_models(query.text(), &state.catalogue);
            match rows.get(cursor) {
                Some(model) if model.is_current() => {
                    forms::choose_model(state, &model.name);
                    state.dialog = None;
                    state.pane = if state.pane == Pane::Table { Pane::Editor } else { state.pane };
                }
                Some(model) => state.warn(format!("the service has retired {}", model.name)),
                None => forms::choose_unknown(state, &query),
            }
        }
        Some(Dialog::Choices { field, cursor, ticked }) => {
            let spec = state.editor.spec(&state.catalogue);
            let values = spec.and_then(|spec| spec.field(&field)).map(choices).unwrap_or_default();
            let one = cursor.checked_sub(1).and_then(|index| values.get(index).cloned());
            let taken = many::several(&values, &ticked).filter(|_| cursor > 0);
            state.editor.set_values(&field, taken.unwrap_or_else(|| one.into_iter().collect()), state.now);
            state.dialog = None;
        }
        Some(Dialog::Number { what, text, .. }) => many::accept_number(state, what, text),
        Some(Dialog::Expansions { cursor, .. }) => many::take_expansion(state, cursor),
        Some(Dialog::Input { field, text, .. })
            if let Some(values) = state.editor.several_typed(&field, text.text(), &state.catalogue) =>
        {
            state.editor.set_values(&field, values, state.now);
            state.dialog = None;
        }
        Some(Dialog::Input { field, text, .. }) => {
            match state.editor.type_field(&field, text.text(), &state.catalogue, state.now) {
                Ok(()) => state.dialog = None,
                Err(why) => state.dialog = Some(Dialog::Input { field, text, fault: Some(why.to_string()) }),
            }
        }
        _ => {}
    }
}

/// Tests the key that was typed.
pub(super) fn try_key(state: &mut State) -> Vec<Effect> {
    let Some(Dialog::Setup(setup)) = &mut state.dialog else { return Vec::new() };
    if setup.typed.expose().trim().is_empty() || setup.test == Test::Asked {
        return Vec::new();
    }
    setup.test = Test::Asked;
    vec![Effect::TryKey(Secret::new(setup.typed.expose().to_owned()))]
}

/// The service answered whether the key is good.
pub(super) fn key_checked(state: &mut State, result: Result<u64, Problem>) -> Vec<Effect> {
    match result {
        Ok(total) => {
            if matches!(state.dialog, Some(Dialog::Setup(_))) {
                state.dialog = None;
            }
            state.say(format!("the key works; the account has {total} tasks. Set HIAPI_API_KEY to keep it"));
            fleet(state, FleetMsg::Resume)
        }
        Err(problem) => {
            match &mut state.dialog {
                Some(Dialog::Setup(setup)) => setup.test = Test::Failed(problem),
                _ => state.warn(problem.sentence()),
            }
            Vec::new()
        }
    }
}
