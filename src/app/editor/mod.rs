//! The prompt editor: a text, a model, and the fields the user set.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::batch::Many;
use crate::domain::raw::validate_raw;
use crate::domain::validate::validate;
use crate::domain::{Catalogue, Draft, Invalid, Kin, ModelSpec, Request};
use crate::time::{Mono, Now};
use serde_json::{Map, Value};

use super::text::Text;

mod drafts;
mod form;
mod many;
pub mod media;
mod pane;
mod raw;
mod shelf;
mod text;

pub use form::{Chip, choices, limits, ratio, read_value};
use many::Reckoned;
pub use many::{Count, Outlook};
pub use pane::TextPane;
use raw::{Raw, is_raw_draft};
pub use shelf::{Found, Shelf};
pub use text::{LONGEST_PASTE, clean};

/// A draft is on its way to the disk this long after the first change that is not there yet, however fast
/// somebody goes on typing: a kill loses less than two seconds.
const AUTOSAVE: Duration = Duration::from_millis(1000);
/// The prompt editor.
#[derive(Clone, Debug)]
pub struct Editor {
    text: Text,
    /// The text is the JSON of the input.
    raw: Option<Raw>,
    model: String,
    fields: Map<String, Value>,
    /// The chosen chip: 0 is the model, then the fields.
    chip: usize,
    /// What the last attempt to send was refused for.
    fault: Option<Invalid>,
    changed: Option<Mono>,
    /// What makes several tasks of it.
    many: Many,
    /// The lists that its template names.
    shelf: Shelf,
    /// What it comes to, as last reckoned.
    reckoned: Reckoned,
    /// Counts what was typed and set.
    revision: u64,
    /// The API key stands in the text.
    leaks: bool,
    /// The task that the draft was taken from.
    origin: Option<Kin>,
    /// Something was typed or set for the present model; otherwise what is here came along from another one.
    own: bool,
    /// The drafts of the other models.
    kept: BTreeMap<String, Draft>,
    /// Drafts that were left and are not on the disk yet.
    parted: Vec<Draft>,
}

impl Editor {
    /// An editor that holds this draft.
    #[must_use]
    pub fn new(draft: &Draft, catalogue: &Catalogue) -> Self {
        let known = catalogue.get(&draft.model).is_some();
        let model = if known { draft.model.clone() } else { catalogue.default_model().name.clone() };
        let text = Text::new(draft.prompt.clone());
        let fields = if known { draft.fields.clone() } else { Map::new() };
        let mut many = if known { draft.many.clone() } else { Many::default() };
        catalogue.get(&model).iter().for_each(|spec| many.fit(spec));
        let mut editor = Self {
            text,
            raw: None,
            model,
            fields,
            chip: 0,
            fault: None,
            changed: None,
            many,
            shelf: Shelf::default(),
            reckoned: Reckoned::default(),
            revision: 0,
            leaks: false,
            origin: draft.origin,
            own: !draft.is_empty(),
            kept: BTreeMap::new(),
            parted: Vec::new(),
        };
        if editor.load_raw(draft, catalogue) {
            // What the JSON took the place of is no prompt.
            editor.forget_aside();
        }
        editor
    }

    /// What is being typed.
    #[must_use]
    pub fn draft(&self) -> Draft {
        if let Some(draft) = self.raw_draft() {
            return draft;
        }
        let (model, prompt, fields) = (self.model.clone(), self.prompt(), self.fields.clone());
        Draft { model, prompt, fields, many: self.many.clone(), origin: self.origin }
    }

    /// The model's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The model.
    #[must_use]
    pub fn spec<'a>(&self, catalogue: &'a Catalogue) -> Option<&'a ModelSpec> {
        catalogue.get(&self.model).map(AsRef::as_ref)
    }

    /// The task that the draft was taken from, and what for.
    #[must_use]
    pub fn origin(&self) -> Option<Kin> {
        self.origin
    }

    /// What was emptied comes from nowhere. Some models need no prompt: there the fields count.
    pub fn forget_origin_if_empty(&mut self, catalogue: &Catalogue) {
        let needed = self.spec(catalogue).and_then(ModelSpec::prompt).is_some_and(|field| field.required);
        if self.origin.is_some() && self.text.is_empty() && (needed || self.fields.is_empty()) {
            self.origin = None;
        }
    }

    /// Puts the cursor on a field. Returns whether it is one of the form; the prompt is not.
    pub fn go_to(&mut self, field: &str, catalogue: &Catalogue) -> bool {
        let at = self.chips(catalogue).iter().position(|chip| chip.field.as_deref() == Some(field));
        self.chip = at.unwrap_or(self.chip);
        at.is_some()
    }

    /// What the last attempt was refused for.
    #[must_use]
    pub fn fault(&self) -> Option<&Invalid> {
        self.fault.as_ref()
    }

    /// Takes a draft in, as an edit that can be undone.
    pub fn load(&mut self, draft: &Draft, catalogue: &Catalogue, now: Now) {
        if catalogue.get(&draft.model).is_some() {
            if draft.model != self.model {
                self.part();
            }
            self.close_raw();
            self.model.clone_from(&draft.model);
            self.fields.clone_from(&draft.fields);
        } else if draft.model != self.model && is_raw_draft(draft, catalogue) {
            self.part();
            self.load_raw(draft, catalogue);
            self.origin = draft.origin;
            return self.touch(now);
        }
        self.take_many(&draft.many, catalogue);
        self.origin = draft.origin;
        self.replace(&draft.prompt);
        self.touch(now);
    }

    /// Another text instead of the present one, as one edit.
    fn replace(&mut self, text: &str) {
        self.text.replace_all(text);
    }

    /// Empties the text after it was sent. Undo brings it back; model and fields stay for the next one.
    pub fn sent(&mut self, now: Now) {
        if self.is_raw() {
            self.sent_raw();
        } else {
            self.text.replace_all("");
        }
        self.many = self.many.after_sending();
        self.origin = None;
        self.touch(now);
    }

    fn touch(&mut self, now: Now) {
        self.read_raw();
        self.fault = None;
        self.own = true;
        self.revision += 1;
        self.changed.get_or_insert(now.mono);
    }

    /// Checks everything. A broken rule moves the cursor to its field.
    ///
    /// # Errors
    /// The first broken rule.
    pub fn request(&mut self, catalogue: &Catalogue, callback: Option<&str>) -> Result<Request, Invalid> {
        let found = match (self.spec(catalogue), self.raw_fault()) {
            (None, _) => validate_raw(&self.model, &self.prompt(), callback),
            (_, Some(fault)) => Err(vec![Invalid { field: None, fault: fault.clone() }]),
            _ => validate(&self.draft(), catalogue, callback),
        };
        found.map_err(|faults| {
            let first = faults
                .into_iter()
                .next()
                .unwrap_or(Invalid { field: None, fault: crate::domain::validate::Fault::Missing });
            self.refused(&first, catalogue);
            first
        })
    }

    /// It cannot be sent because of this: the cursor goes to its field.
    pub fn refused(&mut self, why: &Invalid, catalogue: &Catalogue) {
        self.fault = Some(why.clone());
        self.go_to_fault();
        if let Some(chip) = self.chips(catalogue).iter().position(|chip| chip.field == why.field) {
            self.chip = chip;
        }
    }

    /// A number that is another one after everything that is typed or set.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Nothing was typed or set since it was opened.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.changed.is_none() && self.text.is_empty() && self.fields.is_empty() && self.many.is_one()
    }

    /// When the draft must be saved, if it changed.
    #[must_use]
    pub fn due(&self) -> Option<Mono> {
        self.changed.map(|at| at + AUTOSAVE)
    }

    /// The draft to save, if it changed; `force` does not wait.
    pub fn unsaved(&mut self, now: Now, force: bool) -> Option<Draft> {
        if self.changed.is_some() && (force || self.due().is_some_and(|due| due <= now.mono)) {
            self.changed = None;
            return Some(self.draft());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn editor() -> (Editor, Catalogue) {
        let catalogue = Catalogue::built_in();
        (Editor::new(&Draft::default(), &catalogue), catalogue)
    }

    #[test]
    fn values_go_round_and_the_default_is_one_of_them() {
        let (mut editor, catalogue) = editor();
        editor.step_chip(1, &catalogue);
        assert!(!editor.chips(&catalogue)[1].set);
        let mut seen = Vec::new();
        for _ in 0..12 {
            assert!(editor.step_value(1, &catalogue, Now::default()));
            seen.push(editor.chips(&catalogue)[1].clone());
        }
        assert!(!seen[11].set, "after eleven values comes the default again");
        assert_eq!((seen[2].value.as_str(), seen[2].shape), ("16:9", Some((16, 9))));
        editor.step_value(-1, &catalogue, Now::default());
        assert_eq!(editor.chips(&catalogue)[1].value, "21:9");
    }

    #[test]
    fn a_sent_prompt_can_be_undone() {
        let (mut editor, _) = editor();
        editor.paste("a fox\r\nin snow", Now::default());
        assert_eq!((editor.prompt().as_str(), editor.length()), ("a fox\nin snow", 13));
        editor.sent(Now::default());
        assert_eq!(editor.prompt(), "");
        editor.undo(Now::default());
        assert_eq!(editor.prompt(), "a fox\nin snow");
    }

    #[test]
    fn pasted_controls_stay_out() {
        let (mut editor, _) = editor();
        assert!(editor.paste("a\u{1b}[31mb\u{7}", Now::default()));
        assert_eq!(editor.prompt(), "a[31mb");
    }

    #[test]
    fn a_broken_rule_moves_to_its_field() {
        let (mut editor, catalogue) = editor();
        assert!(editor.request(&catalogue, None).is_err());
        assert!(editor.fault_in_text(&catalogue));
        editor.paste("x", Now::default());
        editor.set_field("output_format", Some("bmp".into()), Now::default());
        assert!(editor.request(&catalogue, None).is_err());
        assert_eq!(editor.field(&catalogue).map(|f| f.name.as_str()), Some("output_format"));
    }

    #[test]
    fn the_draft_is_saved_soon_after_the_last_key() {
        let (mut editor, _) = editor();
        let now = Now { mono: Mono(10_000), ..Now::default() };
        editor.paste("x", now);
        assert_eq!(editor.unsaved(now, false), None);
        let later = Now { mono: now.mono + AUTOSAVE, ..now };
        assert_eq!(editor.unsaved(later, false).map(|d| d.prompt), Some("x".into()));
        assert_eq!(editor.unsaved(later, true), None);
    }
}
