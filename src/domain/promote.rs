//! The same prompt on another model: fields are carried by what they mean, the nearest allowed value is taken where it
//! differs, and what could not be carried is told. And an output as the input of a model that takes pictures.

use std::time::Duration;

use serde_json::{Map, Value};

use super::catalogue::{Catalogue, Field, FieldKind, ModelSpec, Role};
use super::request::{Draft, plain};
use super::validate::{Fault, validate};
use super::{Invalid, Kin, Output};
use crate::time::Wall;

mod values;

/// What became of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Carried as it was.
    Kept,
    /// Carried, with another value.
    Changed {
        /// The value now.
        to: String,
    },
    /// Not carried.
    Dropped {
        /// Why, in plain words.
        why: String,
    },
    /// It was not there before.
    Added {
        /// The value now.
        to: String,
    },
}

/// A line of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The field's name on the model it comes from; on the new one, if it is new.
    pub field: String,
    /// Its name there, where that differs.
    pub renamed: Option<String>,
    /// The value it had.
    pub from: String,
    /// What became of it.
    pub fate: Fate,
}

/// What was carried, and what was not.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    /// What would be sent.
    pub draft: Draft,
    /// What became of the prompt and of each field that was set, in the order of the old request.
    pub entries: Vec<Entry>,
    /// What still keeps it from being sent.
    pub faults: Vec<Invalid>,
}

impl Carried {
    /// It can be sent as it is.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }
}

/// The most rules that are mended before it is given up to be mended by hand.
const ROUNDS: usize = 12;

/// Carries a draft to another model. The draft's own model may be unknown: then only names count.
#[must_use]
pub fn promote(draft: &Draft, to: &ModelSpec, origin: Option<Kin>, catalogue: &Catalogue) -> Carried {
    let mut entries = Vec::new();
    let fields = Map::new();
    let mut new = Draft { model: to.name.clone(), prompt: draft.prompt.clone(), fields, origin, ..Draft::default() };
    if !draft.prompt.trim().is_empty() {
        let old = catalogue.get(&draft.model).and_then(|spec| spec.prompt()).map(|field| field.name.clone());
        let there = to.prompt().map(|field| field.name.clone());
        let field = old.clone().or_else(|| there.clone()).unwrap_or_default();
        let fate = match there {
            Some(_) => Fate::Kept,
            None => Fate::Dropped { why: "this model takes none".to_owned() },
        };
        if to.prompt().is_none() {
            new.prompt.clear();
        }
        let renamed = there.filter(|there| old.is_some_and(|old| old != *there));
        entries.push(Entry { field, renamed, from: draft.prompt.clone(), fate });
    }
    let from = catalogue.get(&draft.model);
    // In the order of the new model's fields two of one meaning would fight for the same place; first come, first
    // served is the order of the request.
    for (name, value) in &draft.fields {
        let source = from.and_then(|spec| spec.field(name));
        let entry = carry(name, value, source, to, &mut new.fields);
        entries.push(entry);
    }
    let faults = mend(&mut new, &mut entries, to, catalogue);
    Carried { draft: new, entries, faults }
}

/// Makes a link the input of a model that takes this kind of file; prompt and fields are carried, other files are not.
///
/// Nothing, if the model takes no such file.
#[must_use]
pub fn reference(
    draft: &Draft,
    (url, media): (&str, &str),
    to: &ModelSpec,
    origin: Option<Kin>,
    catalogue: &Catalogue,
) -> Option<Carried> {
    let into = takes(to, media)?;
    let mut carried = promote(draft, to, origin, catalogue);
    for entry in &mut carried.entries {
        let there = entry.renamed.as_ref().unwrap_or(&entry.field);
        if to.field(there).is_some_and(|field| field.media.is_some()) && !matches!(entry.fate, Fate::Dropped { .. }) {
            carried.draft.fields.shift_remove(there);
            entry.fate = Fate::Dropped { why: "the output takes its place".to_owned() };
        }
    }
    let value = match into.kind {
        FieldKind::Texts => Value::from(vec![url.to_owned()]),
        _ => Value::from(url),
    };
    carried.draft.fields.insert(into.name.clone(), value);
    let fate = Fate::Added { to: url.to_owned() };
    carried.entries.push(Entry { field: into.name.clone(), renamed: None, from: String::new(), fate });
    carried.faults = mend(&mut carried.draft, &mut carried.entries, to, catalogue);
    Some(carried)
}

/// So long a link must work to be handed to the service, which fetches it itself when the task's turn comes.
pub const LINK_LIVES: Duration = Duration::from_secs(600);

/// The link of an output, and the kind of file behind it; or why it cannot be the input of another task. `now` is by
/// the service's clock.
///
/// # Errors
/// In plain words: the service takes links only, and this one does not live long enough.
pub fn live_link(output: &Output, now: Wall) -> Result<(&str, &'static str), String> {
    const ONLY: &str = "the service takes links and fetches them itself, so a file on the disk is of no use to it";
    if output.url.is_empty() {
        return Err(format!("its output has no link; {ONLY}"));
    }
    match output.expires {
        Some(at) if at <= now => return Err(format!("the link of its output has expired; {ONLY}")),
        Some(at) if at.since(now) < LINK_LIVES => {
            let minutes = at.since(now).as_secs() / 60;
            return Err(format!("the link of its output works for less than {} minutes more; {ONLY}", minutes + 1));
        }
        _ => {}
    }
    // Roles such as a first frame are pictures; the list may grow [D].
    let media = match output.role.as_str() {
        role if role.contains("video") => "video",
        role if role.contains("audio") => "audio",
        _ => "image",
    };
    Ok((&output.url, media))
}

/// The field of a model that takes one file of this kind: one that is for references rather than another.
#[must_use]
pub fn takes<'a>(spec: &'a ModelSpec, media: &str) -> Option<&'a Field> {
    let fits = |field: &&Field| field.media.as_deref() == Some(media) && field.min_items.is_none_or(|least| least <= 1);
    let mut fields: Vec<&Field> = spec.fields.iter().filter(fits).collect();
    fields.sort_by_key(|field| (!field.required, field.role != Some(Role::References), field.kind != FieldKind::Texts));
    fields.first().copied()
}

/// Finds the place of a field on the new model and puts its value there.
fn carry(name: &str, value: &Value, source: Option<&Field>, to: &ModelSpec, into: &mut Map<String, Value>) -> Entry {
    let from = plain(value);
    let role = source.and_then(|field| field.role);
    let entry = |renamed: Option<String>, fate| Entry { field: name.to_owned(), renamed, from: from.clone(), fate };
    let dropped = |why: &str| entry(None, Fate::Dropped { why: why.to_owned() });
    let mut places: Vec<&Field> = to.fields.iter().filter(|field| is_place(field, name, source)).collect();
    // The same name is surest; for several files a list is better than a place for one.
    let many = value.as_array().is_some_and(|items| items.len() > 1);
    places.sort_by_key(|field| (field.name != name, (field.kind != FieldKind::Texts) == many));
    let stands_in =
        |field: &&Field| role == Some(Role::Shape) && field.role == Some(Role::Size) && values::in_pixels(field);
    let shape = places.is_empty().then(|| to.fields.iter().find(stands_in)).flatten();
    let Some(field) = places.into_iter().chain(shape).find(|field| !into.contains_key(&field.name)) else {
        return dropped("this model has no such field");
    };
    let renamed = (field.name != name).then(|| field.name.clone());
    match values::fit(value, source, field) {
        Ok(fitted) => {
            let now = plain(&fitted);
            let fate = if now == from { Fate::Kept } else { Fate::Changed { to: now } };
            into.insert(field.name.clone(), fitted);
            entry(renamed, fate)
        }
        Err(why) => dropped(&why),
    }
}

/// A field of the new model may take what a field of the old one had.
fn is_place(field: &Field, name: &str, source: Option<&Field>) -> bool {
    if field.role == Some(Role::Prompt) {
        return false;
    }
    let Some(source) = source else { return field.name == name };
    if field.media != source.media {
        return false;
    }
    match (source.role, field.role) {
        (Some(old), Some(new)) => old == new,
        (None, None) => field.name == source.name && alike(field.kind, source.kind),
        // One of the two is a plain field: its name and its kind tell.
        _ => field.name == source.name && field.kind == source.kind,
    }
}

fn alike(one: FieldKind, other: FieldKind) -> bool {
    let number = |kind| matches!(kind, FieldKind::Integer | FieldKind::Number);
    one == other || (number(one) && number(other))
}

/// Leaves out what breaks a rule of the new model, as long as something can be left out. Returns what is left to mend.
fn mend(draft: &mut Draft, entries: &mut [Entry], to: &ModelSpec, catalogue: &Catalogue) -> Vec<Invalid> {
    for _ in 0..ROUNDS {
        let Err(faults) = validate(draft, catalogue, None) else { return Vec::new() };
        let Some((field, why)) = faults.iter().find_map(|fault| to_leave_out(fault, draft, to)) else { return faults };
        draft.fields.shift_remove(&field);
        let at = entries.iter_mut().find(|entry| {
            entry.renamed.as_ref().unwrap_or(&entry.field) == &field && !matches!(entry.fate, Fate::Dropped { .. })
        });
        if let Some(entry) = at {
            entry.fate = Fate::Dropped { why };
        }
    }
    validate(draft, catalogue, None).err().unwrap_or_default()
}

/// Which of the carried fields a broken rule costs, and why.
fn to_leave_out(fault: &Invalid, draft: &Draft, to: &ModelSpec) -> Option<(String, String)> {
    let Fault::Together(text) = &fault.fault else {
        // One field's own rule; a prompt that is too long is for the user to cut.
        let name = fault.field.clone().filter(|name| draft.fields.contains_key(name))?;
        return Some((name, fault.to_string()));
    };
    let rule = to.constraints.iter().find(|rule| rule.text == *text)?;
    // What the user chose by its shape counts more than what was chosen with it: the other side goes first.
    let sides = fault.field.iter().chain(rule.when.keys()).chain(rule.require.keys());
    let mut set: Vec<&String> = sides.filter(|name| draft.fields.contains_key(*name)).collect();
    set.sort_by_key(|name| {
        to.field(name).is_some_and(|field| matches!(field.role, Some(Role::Shape | Role::References)))
    });
    set.first().map(|name| ((*name).clone(), text.clone()))
}

#[cfg(test)]
mod tests;
