//! A key that sends, pressed twice or held down, sends once.

use std::time::Duration;

use crate::domain::Stage;
use crate::keys::Action;

use super::super::effect::Effect;
use super::super::state::State;
use super::super::writing::JustSent;

/// For so long after the last press the same key means the same press.
const SPAN: Duration = Duration::from_secs(1);

/// Actions that create tasks, or have them sent.
fn sends(action: Action) -> bool {
    matches!(action, Action::Submit | Action::Send)
}

/// The same was sent a moment ago, and nothing was typed and no other task chosen since: a quiet word says so. A key
/// that is held down goes on being the same press.
pub(super) fn is_again(state: &mut State, action: Action) -> bool {
    let chosen = state.chosen();
    // What came to nothing may be tried again at once.
    let held = state.task().is_some_and(|task| task.status.stage() == Stage::Held);
    let revision = state.editor.revision();
    let now = state.now.mono;
    let Some(sent) = &mut state.sent else { return false };
    let same = match action {
        Action::Submit => sent.revision == revision,
        _ => !held && sent.tasks.contains(&chosen),
    };
    let again = sent.action == action && same && now.since(sent.at) < SPAN;
    if again {
        let ago = now.since(sent.at).as_millis() / 100;
        sent.at = now;
        state.say(format!("already sent {}.{} s ago; the same again only after a second", ago / 10, ago % 10));
    }
    again
}

/// Does it, and remembers it if something was sent.
pub(super) fn once(state: &mut State, action: Action, act: impl FnOnce(&mut State) -> Vec<Effect>) -> Vec<Effect> {
    if !sends(action) {
        return act(state);
    }
    if is_again(state, action) {
        return Vec::new();
    }
    let before = state.chosen();
    let effects = act(state);
    if !effects.is_empty() {
        let tasks = [before, state.chosen()];
        state.sent = Some(JustSent { action, at: state.now.mono, tasks, revision: state.editor.revision() });
    }
    effects
}
