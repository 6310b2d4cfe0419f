//! The addresses of a field: adding, changing, moving, removing; what a task delivered; a file in place of an address.

use serde_json::Value;

use crate::domain::validate::is_reference;
use crate::domain::{Field, FieldKind};
use crate::keys::{Action, Chord};

use super::super::dialog::Dialog;
use super::super::editor::media;
use super::super::effect::Effect;
use super::super::line::Line;
use super::super::listing::{Life, Listing, Mode, offers, origin};
use super::super::state::{Pane, State};

/// The field of the list that is open.
fn field(state: &State) -> Option<Field> {
    let Some(Dialog::List(listing)) = &state.dialog else { return None };
    state.editor.spec(&state.catalogue)?.field(&listing.field).cloned()
}

fn listing(state: &mut State) -> Option<&mut Listing> {
    match &mut state.dialog {
        Some(Dialog::List(listing)) => Some(listing),
        _ => None,
    }
}

/// What stands in the list.
pub(super) fn items(state: &State, field: &str) -> Vec<String> {
    let value = state.editor.value(field);
    value.map(|value| media::items(value).into_iter().map(str::to_owned).collect()).unwrap_or_default()
}

/// Takes over a changed list.
fn keep(state: &mut State, field: &Field, mut items: Vec<String>) {
    let value = match field.kind {
        FieldKind::Texts => (!items.is_empty()).then(|| Value::from(items)),
        _ => items.pop().map(Value::from),
    };
    state.editor.set_field(&field.name, value, state.now);
}

/// Rows that can be chosen now.
pub(super) fn rows(state: &State, listing: &Listing) -> usize {
    match &listing.mode {
        Mode::Look => items(state, &listing.field).len(),
        Mode::Type { .. } => 0,
        Mode::Pick { query, .. } => {
            let field = state.editor.spec(&state.catalogue).and_then(|spec| spec.field(&listing.field));
            field.map_or(0, |field| offers(state, field, query.text()).len())
        }
    }
}

/// The keys that change the list.
pub(super) fn act(state: &mut State, action: Action) {
    let Some(field) = field(state) else { return };
    let mut all = items(state, &field.name);
    let Some(listing) = listing(state) else { return };
    listing.fault = None;
    let at = listing.cursor.min(all.len().saturating_sub(1));
    let chosen = all.get(at).cloned();
    let single = field.kind != FieldKind::Texts;
    match action {
        Action::Add => {
            let replaces = (single && chosen.is_some()).then_some(at);
            listing.mode = Mode::Type { line: Line::default(), at: replaces };
        }
        Action::FromTask if field.media.is_none() => listing.fault = Some("this list takes words, not outputs".into()),
        Action::FromTask => listing.mode = Mode::Pick { cursor: 0, query: Line::default() },
        Action::Edit => {
            // A file that stands in the list itself is no line to edit.
            let text = chosen.as_deref().filter(|text| !text.starts_with("data:")).unwrap_or_default();
            listing.mode = Mode::Type { line: Line::new(text), at: chosen.is_some().then_some(at) };
        }
        Action::Remove if chosen.is_some() => {
            all.remove(at);
            listing.cursor = at.min(all.len().saturating_sub(1));
            keep(state, &field, all);
        }
        Action::Raise if chosen.is_some() && at > 0 => {
            all.swap(at, at - 1);
            listing.cursor = at - 1;
            keep(state, &field, all);
        }
        Action::Lower if at + 1 < all.len() => {
            all.swap(at, at + 1);
            listing.cursor = at + 1;
            keep(state, &field, all);
        }
        _ => {}
    }
}

/// A key that is no action.
pub(super) fn typed(listing: &mut Listing, chord: Chord) {
    match &mut listing.mode {
        Mode::Look => {}
        Mode::Type { line, .. } => {
            line.key(chord);
            listing.fault = None;
        }
        Mode::Pick { query, cursor } => {
            if query.key(chord) {
                *cursor = 0;
            }
            listing.fault = None;
        }
    }
}

/// Pasted text: into the line, or one address a line into the list.
pub(super) fn paste(state: &mut State, pasted: &str) -> Vec<Effect> {
    let Some(listing) = listing(state) else { return Vec::new() };
    match &mut listing.mode {
        Mode::Type { line, .. } => line.insert(pasted.trim()),
        Mode::Pick { query, cursor } => {
            query.insert(pasted.trim());
            *cursor = 0;
        }
        Mode::Look => {
            const MOST: usize = 100;
            let mut lines = pasted.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty());
            let taken: Vec<String> = lines.by_ref().take(MOST).map(str::to_owned).collect();
            return taken.into_iter().flat_map(|text| take(state, &text, None)).collect();
        }
    }
    Vec::new()
}

/// Enter in the line or among what tasks delivered.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    let (Some(field), Some(Dialog::List(listing))) = (field(state), state.dialog.clone()) else { return Vec::new() };
    match listing.mode {
        Mode::Look => {}
        Mode::Type { line, at } => {
            let effects = take(state, line.text().trim(), at);
            if let Some(listing) = self::listing(state)
                && listing.fault.is_none()
            {
                listing.mode = Mode::Look;
            }
            return effects;
        }
        Mode::Pick { cursor, query } => {
            let Some(offer) = offers(state, &field, query.text()).into_iter().nth(cursor) else { return Vec::new() };
            let at = (field.kind != FieldKind::Texts).then_some(0);
            let effects = take(state, &offer.url, at);
            if let Some(listing) = self::listing(state)
                && listing.fault.is_none()
            {
                listing.mode = Mode::Look;
                if let Life::Short(left) = offer.life {
                    let minutes = left.as_secs() / 60;
                    state.warn(format!("this link works for {minutes} more minutes: send soon"));
                }
            }
            return effects;
        }
    }
    Vec::new()
}

/// Goes to the field that leads to the output of a task whose link has ended, and says so: the service could not
/// fetch it any more, and a request that fails for it may cost.
pub(super) fn has_ended(state: &mut State) -> bool {
    let Some(spec) = state.editor.spec(&state.catalogue) else { return false };
    let fields = spec.fields.iter().filter(|field| field.media.is_some());
    let over = |url: &str| origin(state, url).is_some_and(|offer| offer.life == Life::Over);
    let mut ended = fields.filter(|field| items(state, &field.name).iter().any(|url| over(url)));
    let Some(name) = ended.next().map(|field| field.name.clone()) else { return false };
    state.editor.go_to(&name, &state.catalogue);
    (state.dialog, state.pane) = (None, Pane::Form);
    state.warn(format!("{name}: a link in it has ended, the service could not fetch it; enter shows which"));
    true
}

/// Takes one into the list, or says why not.
fn take(state: &mut State, text: &str, at: Option<usize>) -> Vec<Effect> {
    let Some(field) = field(state) else { return Vec::new() };
    if text.is_empty() {
        return Vec::new();
    }
    let refuse = |state: &mut State, why: String| {
        if let Some(listing) = listing(state) {
            listing.fault = Some(why);
        }
        Vec::new()
    };
    if let Some(kind) = &field.media {
        if origin(state, text).is_some_and(|offer| offer.life == Life::Over) {
            return refuse(state, "its link has ended: the service could not fetch it".into());
        }
        if !is_reference(text) && field.data_uri {
            if let Some(listing) = listing(state) {
                (listing.reading, listing.fault) = (true, None);
            }
            return vec![Effect::ReadFile { field: field.name.clone(), path: text.to_owned(), media: kind.clone() }];
        }
        if !is_reference(text) {
            let words = "the service cannot see files of this machine: it takes http or https addresses; \
                         the output of a finished task is one (esc, then t)";
            return refuse(state, words.into());
        }
    }
    put(state, &field, text, at);
    Vec::new()
}

fn put(state: &mut State, field: &Field, text: &str, at: Option<usize>) {
    let mut all = items(state, &field.name);
    let place = match at {
        Some(at) if at < all.len() => {
            text.clone_into(&mut all[at]);
            at
        }
        _ => {
            all.push(text.to_owned());
            all.len() - 1
        }
    };
    if let Some(listing) = listing(state) {
        (listing.cursor, listing.fault) = (place, None);
    }
    keep(state, field, all);
}

/// A file was read for a field. Whoever has closed the list meanwhile does not want it any more.
pub(super) fn file_read(state: &mut State, name: &str, result: Result<String, String>) {
    let Some(field) = field(state).filter(|field| field.name == name) else { return };
    if let Some(listing) = listing(state) {
        listing.reading = false;
    }
    match result {
        Ok(uri) => put(state, &field, &uri, (field.kind != FieldKind::Texts).then_some(0)),
        Err(why) => {
            if let Some(listing) = listing(state) {
                listing.fault = Some(why);
            }
        }
    }
}
