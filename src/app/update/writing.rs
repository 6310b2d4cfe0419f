//! What the keys of the prompt editor do.

use crate::keys::Action;

use super::super::dialog::Dialog;
use super::super::editor::clean;
use super::super::effect::Effect;
use super::super::state::State;
use super::super::writing::Composing;

/// What may have been left out of text from outside.
pub(super) const LEFT_OUT: &str = "control characters, or what is beyond 1 MiB, were left out of the paste";

/// An action of the prompt editor.
pub(super) fn act(state: &mut State, action: Action) {
    let (editor, now) = (&mut state.editor, state.now);
    match action {
        Action::NewLine => editor.type_char('\n', now),
        Action::Go(by) => editor.go(by, false),
        Action::Select(by) => editor.go(by, true),
        Action::Erase(by) => editor.erase(by, now),
        Action::SelectAll => editor.select_all(),
        Action::Copy if editor.copy() => state.say("kept; ctrl-y pastes it"),
        Action::Cut if editor.cut(now) => state.say("cut; ctrl-y pastes it"),
        Action::Copy | Action::Cut => state.say("nothing is selected; shift and the arrow keys select"),
        Action::PasteBack if !editor.paste_back(now) => state.say("nothing was cut or copied here yet"),
        _ => {}
    }
}

/// Gives the text under the cursor to the user's own editor.
pub(super) fn compose(state: &mut State) -> Vec<Effect> {
    let (what, text) = match &state.dialog {
        None => (Composing::Prompt, state.editor.prompt()),
        Some(Dialog::Input { field, text, .. }) => (Composing::Field(field.clone()), text.clone()),
        Some(_) => return Vec::new(),
    };
    if state.composing.is_some() {
        return Vec::new();
    }
    state.composing = Some(what);
    vec![Effect::Compose(text)]
}

/// The user's own editor has ended. What it left is taken in like a paste, as one edit; otherwise all stays as it was.
pub(super) fn composed(state: &mut State, result: Result<String, String>) {
    let Some(what) = state.composing.take() else { return };
    let outside = match result {
        Ok(outside) => outside,
        Err(why) => return state.warn(format!("{why}; the text is as it was")),
    };
    let (text, cut) = clean(&outside);
    let before = match (&what, &state.dialog) {
        (Composing::Field(name), Some(Dialog::Input { field, text, .. })) if field == name => text.clone(),
        (Composing::Field(_), _) => return state.warn("the field is not open any more; the text is as it was"),
        (Composing::Prompt, _) => state.editor.prompt(),
    };
    // Editors end the last line even where nobody did.
    let text = if before.ends_with('\n') { text.as_str() } else { text.strip_suffix('\n').unwrap_or(&text) };
    if text == before {
        return state.say("nothing was changed in the editor");
    }
    if text.trim().is_empty() {
        return state.warn("the editor left nothing; the text is as it was");
    }
    match (what, &mut state.dialog) {
        (Composing::Field(_), Some(Dialog::Input { text: line, fault, .. })) => {
            text.clone_into(line);
            *fault = None;
        }
        _ => state.editor.compose(text, state.now),
    }
    if cut {
        state.warn("control characters were left out of what the editor left");
    }
}
