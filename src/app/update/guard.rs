//! The API key does not belong into a prompt: it is noticed there as soon as its last letter is, nothing is sent with
//! it, and it does not go to the disk.

use serde_json::Value;

use crate::domain::Draft;

use super::super::state::State;

const WORDS: &str = "your API key stands in the prompt; take it out: nothing is sent with it";

/// Looks at what changed in the text. The cost is that of the change, not of the text.
pub(super) fn watch(state: &mut State) {
    let Some(key) = state.key else { return };
    if let Some(found) = state.editor.look_for(&key)
        && found
    {
        state.warn(WORDS);
    }
}

/// Whether a text holds the key; then it is said why nothing is sent.
pub(super) fn refuses(state: &mut State, text: &str) -> bool {
    let holds = state.key.is_some_and(|key| key.find(text).is_some());
    if holds {
        state.warn(WORDS);
    }
    holds
}

/// A draft as it may be stored.
pub(super) fn without_key(state: &State, mut draft: Draft) -> Draft {
    let Some(key) = state.key else { return draft };
    if let Some(clean) = key.taken_out(&draft.prompt) {
        draft.prompt = clean;
    }
    for value in draft.fields.values_mut() {
        if let Some(clean) = key.taken_out(&value.to_string()) {
            // In a JSON text the stand-in is as harmless as the key was; what cannot be read again is left out.
            *value = serde_json::from_str(&clean).unwrap_or(Value::Null);
        }
    }
    draft
}
