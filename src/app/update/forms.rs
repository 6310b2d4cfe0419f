//! Typing: into the prompt, into the fields, into a dialog.

use std::collections::BTreeSet;

use crate::keys::{Chord, Key};

use super::super::dialog::{Dialog, Test};
use super::super::editor::choices;
use super::super::kin::KinDialog;
use super::super::state::{Pane, State};
use super::{Effect, dialogs, many, writing};

/// A key that is no action here.
pub(super) fn typed(state: &mut State, chord: Chord) {
    match &mut state.dialog {
        None if state.pane == Pane::Editor => state.editor.key(chord, state.now),
        None => {}
        Some(Dialog::Models { query, cursor } | Dialog::Kin(KinDialog::Target { query, cursor, .. })) => {
            edit_line(query, chord);
            *cursor = 0;
        }
        Some(Dialog::Input { text, fault, .. } | Dialog::Number { text, fault, .. }) => {
            edit_line(text, chord);
            *fault = None;
        }
        Some(Dialog::Confirm { .. }) => many::rename(state, |name| edit_line(name, chord)),
        Some(Dialog::Setup(setup)) => {
            let mut typed = setup.typed.expose().to_owned();
            edit_line(&mut typed, chord);
            setup.typed = crate::domain::Secret::new(typed);
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

/// The few keys that a line of text knows.
fn edit_line(line: &mut String, chord: Chord) {
    match chord.key {
        Key::Char('u') if chord.ctrl => line.clear(),
        Key::Backspace => {
            line.pop();
        }
        _ => line.extend(chord.typed().filter(|c| !c.is_control() && line.len() < 4096)),
    }
}

/// Pasted text goes where text goes, and never means an action.
pub(super) fn paste(state: &mut State, pasted: &str) -> Vec<Effect> {
    let one_line = || pasted.trim().chars().filter(|c| !c.is_control()).take(4096);
    match &mut state.dialog {
        None => {
            state.pane = Pane::Editor;
            if state.editor.paste(pasted, state.now) {
                state.warn(writing::LEFT_OUT);
            }
        }
        Some(Dialog::Models { query, .. } | Dialog::Kin(KinDialog::Target { query, .. })) => query.extend(one_line()),
        Some(Dialog::Input { text, .. } | Dialog::Number { text, .. }) => text.extend(one_line()),
        Some(Dialog::Confirm { .. }) => many::rename(state, |name| name.extend(one_line())),
        // A key with a line break inside is not joined up: the test says what is wrong with it.
        Some(Dialog::Setup(setup)) => {
            setup.typed = crate::domain::Secret::new(format!("{}{}", setup.typed.expose(), pasted.trim()));
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
    state.dialog = Some(if values.is_empty() {
        let text = state.editor.field_text(&name);
        Dialog::Input { field: name, text, fault: None }
    } else {
        let set = state.editor.values(&name);
        let ticked: BTreeSet<usize> = set.iter().filter_map(|v| values.iter().position(|c| c == v)).collect();
        Dialog::Choices { field: name, cursor: ticked.first().map_or(0, |index| index + 1), ticked }
    });
}

/// Leaves the chosen field to the service.
pub(super) fn default_field(state: &mut State) {
    if let Some(name) = state.editor.field(&state.catalogue).map(|field| field.name.clone()) {
        state.editor.set_field(&name, None, state.now);
    }
}
