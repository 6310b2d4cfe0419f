//! What the keys of the prompt editor do.

use crate::keys::Action;

use super::super::state::State;

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
