//! Typing: into the prompt, into the fields, into a dialog.

use std::collections::BTreeSet;

use crate::domain::{FieldKind, Secret};
use crate::keys::{Action, Chord, Key};

use super::super::dialog::{Dialog, Setup, Test};
use super::super::editor::{TextPane, choices, read_value};
use super::super::kin::KinDialog;
use super::super::line::Line;
use super::super::listing::Listing;
use super::super::models::unknown_name;
use super::super::state::{Pane, State};
use super::{Effect, dialogs, listing, many, writing};

/// A key that is no action here.
pub(super) fn typed(state: &mut State, chord: Chord) {
    match &mut state.dialog {
        None if state.pane == Pane::Editor => state.editor.key(chord, state.now),
        None if state.pane == Pane::Form => type_number(state, chord),
        None => {}
        Some(Dialog::Models { query, cursor } | Dialog::Kin(KinDialog::Target { query, cursor, .. })) => {
            let changed = query.key(chord);
            *cursor = if changed { 0 } else { *cursor };
        }
        Some(Dialog::Shelf(shelf)) => {
            shelf.query.key(chord);
            (shelf.cursor, shelf.sure) = (0, None);
            shelf.narrow();
        }
        Some(Dialog::Input { text, .. }) => {
            text.key(chord);
            check_typed(state);
        }
        Some(Dialog::List(list)) => listing::typed(list, chord),
        Some(Dialog::Text { pane, .. }) => {
            if let Some(typed) = chord.typed().filter(|c| !c.is_control()) {
                pane.type_char(typed);
                keep_text(state);
            }
        }
        Some(Dialog::Number { text, fault, .. }) => {
            text.key(chord);
            *fault = None;
        }
        Some(Dialog::Confirm { .. }) => many::rename(state, |name| _ = name.key(chord)),
        Some(Dialog::Setup(setup)) => {
            type_key(setup, chord);
            setup.test = Test::None;
        }
        Some(
            Dialog::Help { .. }
            | Dialog::Detail { .. }
            | Dialog::Batch { .. }
            | Dialog::AskBatch(_)
            | Dialog::Viewer(_)
            | Dialog::Choices { .. }
            | Dialog::Expansions { .. }
            | Dialog::Settle(_)
            | Dialog::Kin(_),
        ) => {}
    }
}

/// The few keys that the line for the API key knows. No [`Line`]: what edits text may remember it.
fn type_key(setup: &mut Setup, chord: Chord) {
    let mut typed = setup.typed.expose().to_owned();
    match chord.key {
        Key::Char('u') if chord.ctrl => typed.clear(),
        Key::Backspace => {
            typed.pop();
        }
        _ => typed.extend(chord.typed().filter(|c| !c.is_control() && typed.len() < 4096)),
    }
    setup.typed = Secret::new(typed);
}

/// Pasted text goes where text goes, and never means an action.
pub(super) fn paste(state: &mut State, pasted: &str) -> Vec<Effect> {
    match &mut state.dialog {
        None => {
            state.pane = Pane::Editor;
            if state.editor.paste(pasted, state.now) {
                state.warn(writing::LEFT_OUT);
            }
        }
        Some(Dialog::Shelf(shelf)) => {
            shelf.query.insert(pasted.trim());
            shelf.cursor = 0;
            shelf.narrow();
        }
        Some(Dialog::Models { query, cursor } | Dialog::Kin(KinDialog::Target { query, cursor, .. })) => {
            query.insert(pasted.trim());
            *cursor = 0;
        }
        Some(Dialog::Input { text, .. }) => {
            text.insert(pasted.trim());
            check_typed(state);
        }
        Some(Dialog::List(_)) => return listing::paste(state, pasted),
        Some(Dialog::Text { pane, .. }) => {
            let cut = pane.paste(pasted);
            keep_text(state);
            if cut {
                state.warn(writing::LEFT_OUT);
            }
        }
        Some(Dialog::Number { text, .. }) => text.insert(pasted.trim()),
        Some(Dialog::Confirm { .. }) => many::rename(state, |name| name.insert(pasted.trim())),
        // A key with a line break inside is not joined up: the test says what is wrong with it.
        Some(Dialog::Setup(setup)) => {
            setup.typed = Secret::new(format!("{}{}", setup.typed.expose(), pasted.trim()));
            setup.test = Test::None;
        }
        Some(_) => {}
    }
    Vec::new()
}

/// Steps the value of the chosen field; a field without a round of values opens for typing.
pub(super) fn step_value(state: &mut State, by: isize) {
    if state.editor.field(&state.catalogue).is_none() {
        step_model(state, by);
    } else if !state.editor.step_value(by, &state.catalogue, state.now) {
        edit_field(state);
    }
}

/// The next model that still works.
fn step_model(state: &mut State, by: isize) {
    let names: Vec<String> =
        state.catalogue.models().iter().filter(|m| m.is_current()).map(|m| m.name.clone()).collect();
    let at = names.iter().position(|name| name == state.editor.model()).unwrap_or(0);
    let next = (at + names.len()).saturating_add_signed(by) % names.len().max(1);
    if let Some(name) = names.get(next) {
        choose_model(state, name);
    }
}

/// Writes for another model from now on.
pub(super) fn choose_model(state: &mut State, name: &str) {
    if state.editor.set_model(name, &state.catalogue, state.now) {
        state.say("the draft kept for this model is back; the one before stays with its own");
    }
}

/// Opens the chosen field: a list where there are choices, a line where there are none.
pub(super) fn edit_field(state: &mut State) {
    let Some(field) = state.editor.field(&state.catalogue) else {
        return dialogs::open_models(state);
    };
    let name = field.name.clone();
    let values = choices(field);
    state.dialog = Some(if field.is_list() {
        Dialog::List(Listing::new(name))
    } else if field.is_long() {
        Dialog::Text { pane: TextPane::new(&state.editor.field_text(&name)), field: name }
    } else if values.is_empty() {
        let text = Line::new(state.editor.field_text(&name));
        Dialog::Input { field: name, text, fault: None }
    } else {
        let set = state.editor.values(&name);
        let ticked: BTreeSet<usize> = set.iter().filter_map(|v| values.iter().position(|c| c == v)).collect();
        Dialog::Choices { field: name, cursor: ticked.first().map_or(0, |index| index + 1), ticked }
    });
}

/// The field has what stands in its editor; nothing at all leaves it to the service.
pub(super) fn keep_text(state: &mut State) {
    let Some(Dialog::Text { field, pane }) = &state.dialog else { return };
    let (field, text) = (field.clone(), pane.text().as_str().to_owned());
    let value = (!text.is_empty()).then(|| text.into());
    state.editor.set_field(&field, value, state.now);
}

/// An action of writing in the editor of a field, if that is open.
pub(super) fn text_act(state: &mut State, action: Action) -> bool {
    let Some(Dialog::Text { pane, .. }) = &mut state.dialog else { return false };
    let done = pane.act(action);
    if done {
        keep_text(state);
    }
    done
}

/// A number is typed where it stands: the first figure opens the line.
fn type_number(state: &mut State, chord: Chord) {
    let numeric = |kind| matches!(kind, FieldKind::Integer | FieldKind::Number);
    let Some(field) = state.editor.field(&state.catalogue).filter(|field| field.choices.is_none()) else { return };
    if let Some(c) = chord.typed().filter(|c| (c.is_ascii_digit() || *c == '-') && numeric(field.kind)) {
        state.dialog = Some(Dialog::Input { field: field.name.clone(), text: Line::new(c.to_string()), fault: None });
        check_typed(state);
    }
}

/// What is wrong with what is being typed for a field, at once.
fn check_typed(state: &mut State) {
    let Some(Dialog::Input { field, text, fault }) = &mut state.dialog else { return };
    let spec = state.editor.spec(&state.catalogue);
    let wrong = spec.and_then(|spec| spec.field(field)).and_then(|field| read_value(field, text.text()).err());
    // A sign is the beginning of a number, and nothing at all leaves the field to the service.
    let begun = matches!(text.text().trim(), "" | "-");
    // Several values with commas between them are read one by one when they are taken.
    let several = state.editor.several_typed(field, text.text().trim_end_matches([',', ' ']), &state.catalogue);
    *fault = wrong.filter(|_| !begun && several.is_none()).map(|why| why.to_string());
}

/// Writes for a model that the catalogue does not know.
pub(super) fn choose_unknown(state: &mut State, query: &Line) {
    let Some(name) = unknown_name(query.text(), &state.catalogue) else { return };
    if state.editor.set_raw_model(name, &state.catalogue, state.now) {
        state.dialog = None;
        state.pane = Pane::Editor;
        state.say("nothing is known of this model: its input is written as JSON and sent as it stands");
    }
}

/// Shows the input as JSON, or as prompt and fields again.
pub(super) fn toggle_json(state: &mut State) {
    state.pane = Pane::Editor;
    match state.editor.toggle_raw(&state.catalogue) {
        Some(words) => state.warn(words),
        None if state.editor.is_raw() => state.say("what would be sent, to edit; alt-j again: prompt and fields"),
        None => {}
    }
}

/// Leaves the chosen field to the service.
pub(super) fn default_field(state: &mut State) {
    if let Some(name) = state.editor.field(&state.catalogue).map(|field| field.name.clone()) {
        state.editor.set_field(&name, None, state.now);
    }
}
