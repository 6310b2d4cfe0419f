//! The history of prompts and the snippets: opening, taking, keeping, renaming, removing, walking.

use crate::domain::{Change, Remembered};
use crate::fleet::Order;
use crate::keys::Action;

use super::super::dialog::Dialog;
use super::super::effect::Effect;
use super::super::line::Line;
use super::super::shelf::{Shelf, ShelfKind, name_of};
use super::super::state::State;
use super::guard;

fn keep(name: String, text: Option<String>) -> Effect {
    Effect::Fleet(Order::Save(Change::Snippet { name, text }))
}

/// An action of the history or the snippets.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::History => open(state, ShelfKind::History),
        Action::Snippets => open(state, ShelfKind::Snippets),
        Action::Earlier => walk(state, 1),
        Action::Later => walk(state, -1),
        Action::KeepSnippet => keep_present(state),
        Action::RenameSnippet => {
            if let Some(Dialog::Shelf(shelf)) = &mut state.dialog
                && let Some(name) = shelf.chosen().and_then(|item| item.name.clone())
            {
                shelf.query = Line::new(name.as_str());
                shelf.renaming = Some(name);
                state.say("type another name; enter takes it");
            }
            Vec::new()
        }
        Action::RemoveSnippet => remove(state),
        _ => Vec::new(),
    }
}

fn open(state: &mut State, kind: ShelfKind) -> Vec<Effect> {
    state.dialog = Some(Dialog::Shelf(Box::new(Shelf::new(kind))));
    vec![Effect::Recall(kind)]
}

/// It came from the disk.
pub(super) fn recalled(state: &mut State, kind: ShelfKind, result: Result<Vec<Remembered>, String>) {
    let items = match result {
        Ok(items) => items,
        Err(why) => {
            state.walk.waits = None;
            return state.warn(why);
        }
    };
    if kind == ShelfKind::History {
        state.walk.fill(&items);
        if let Some(by) = state.walk.waits.take() {
            walk(state, by);
        }
    }
    if let Some(Dialog::Shelf(shelf)) = &mut state.dialog
        && shelf.kind == kind
    {
        shelf.fill(items);
    }
}

fn walk(state: &mut State, by: isize) -> Vec<Effect> {
    if state.walk.is_empty() {
        state.walk.waits = Some(by);
        return vec![Effect::Recall(ShelfKind::History)];
    }
    match state.walk.step(by, state.editor.text().as_str()) {
        Some(text) => state.editor.compose(&text, state.now),
        None if by > 0 => state.say("nothing older was sent"),
        None => state.say("this is the text you are writing"),
    }
    Vec::new()
}

/// Enter: the text goes into the editor, as an edit that can be taken back; or a name is taken.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    let Some(Dialog::Shelf(shelf)) = &mut state.dialog else { return Vec::new() };
    if let Some(old) = shelf.renaming.clone() {
        return rename(state, &old);
    }
    let Some(item) = shelf.chosen().cloned() else { return Vec::new() };
    let kind = shelf.kind;
    state.dialog = None;
    match kind {
        ShelfKind::History => state.editor.compose(&item.text, state.now),
        ShelfKind::Snippets => {
            state.editor.paste(&item.text, state.now);
        }
    }
    Vec::new()
}

fn rename(state: &mut State, old: &str) -> Vec<Effect> {
    let Some(Dialog::Shelf(shelf)) = &mut state.dialog else { return Vec::new() };
    let Some(name) = name_of(shelf.query.text()) else { return Vec::new() };
    let others = (0..shelf.counts().1).filter_map(|row| shelf.row(row));
    let mut found = None;
    for item in others {
        if item.name.as_deref() == Some(old) {
            found = Some(item.text.clone());
        } else if item.name.as_deref() == Some(name.as_str()) {
            state.warn("there is a snippet of that name already");
            return Vec::new();
        }
    }
    shelf.renaming = None;
    shelf.query.clear();
    let Some(text) = found.filter(|_| name != old) else {
        shelf.narrow();
        return Vec::new();
    };
    // The new one first: whatever happens in between, the text is there.
    vec![keep(name, Some(text)), keep(old.to_owned(), None), Effect::Recall(ShelfKind::Snippets)]
}

/// Keeps what is selected, or else the whole prompt, under the name that was typed.
fn keep_present(state: &mut State) -> Vec<Effect> {
    let Some(Dialog::Shelf(shelf)) = &state.dialog else { return Vec::new() };
    let text = state.editor.text();
    let text = text.selected().unwrap_or(text.as_str()).to_owned();
    let Some(name) = name_of(shelf.query.text()) else {
        state.say("type a name for it first");
        return Vec::new();
    };
    if text.trim().is_empty() {
        state.say("the prompt is empty; there is nothing to keep");
        return Vec::new();
    }
    if guard::refuses(state, &text) {
        return Vec::new();
    }
    if let Some(Dialog::Shelf(shelf)) = &mut state.dialog {
        shelf.query.clear();
    }
    state.say(format!("kept as {name}"));
    vec![keep(name, Some(text)), Effect::Recall(ShelfKind::Snippets)]
}

fn remove(state: &mut State) -> Vec<Effect> {
    let Some(Dialog::Shelf(shelf)) = &mut state.dialog else { return Vec::new() };
    let Some(name) = shelf.chosen().and_then(|item| item.name.clone()) else { return Vec::new() };
    if shelf.sure.as_ref() != Some(&name) {
        state.say(format!("press again to remove {name}"));
        if let Some(Dialog::Shelf(shelf)) = &mut state.dialog {
            shelf.sure = Some(name);
        }
        return Vec::new();
    }
    shelf.sure = None;
    state.say(format!("{name} is removed"));
    vec![keep(name, None), Effect::Recall(ShelfKind::Snippets)]
}
