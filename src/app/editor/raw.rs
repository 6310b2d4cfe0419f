//! The input of a request as JSON, instead of the prompt: all there is for a model that the catalogue does not know,
//! and another view of the fields of one that it does.

use serde_json::{Map, Value};

use super::Editor;
use crate::app::Text;
use crate::domain::batch::Many;
use crate::domain::raw::{is_name, read_object};
use crate::domain::validate::Fault;
use crate::domain::{Catalogue, Draft, ModelSpec, Role, request};
use crate::time::Now;

/// What stands behind the JSON while it is in the editor's text.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    /// The prompt that the JSON took the place of.
    aside: Text,
    /// The catalogue knows the model: what the JSON says are its fields.
    known: bool,
    /// The field that takes the prompt.
    prompt: Option<String>,
    /// Why the text is no input.
    fault: Option<Fault>,
}

impl Editor {
    /// The text is the JSON of the input, not a prompt. Nothing in it is a template.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.raw.is_some()
    }

    /// Why the JSON cannot be read.
    #[must_use]
    pub fn raw_fault(&self) -> Option<&Fault> {
        self.raw.as_ref().and_then(|raw| raw.fault.as_ref())
    }

    /// Shows the fields of a known model as JSON, or as prompt and fields again. Returns what the user should know.
    pub fn toggle_raw(&mut self, catalogue: &Catalogue) -> Option<&'static str> {
        let broken = self.raw_fault().is_some();
        match &self.raw {
            Some(raw) if !raw.known => Some("the catalogue does not know this model: its input is written as JSON"),
            Some(_) => {
                self.close_raw();
                broken.then_some("the JSON was not complete; prompt and fields are as it last said")
            }
            None => {
                let prompt = self.spec(catalogue).and_then(ModelSpec::prompt).map(|field| field.name.clone());
                let text = request::pretty(&self.input(catalogue));
                self.show_raw(&text, true, prompt);
                None
            }
        }
    }

    /// Writes for a model that the catalogue does not know. What was typed for it before comes back; else the JSON
    /// begins with what stood in the editor. Returns false where this cannot be a model's name.
    pub fn set_raw_model(&mut self, name: &str, catalogue: &Catalogue, now: Now) -> bool {
        if !is_name(name) || catalogue.get(name).is_some() {
            return false;
        }
        if name == self.model {
            return true;
        }
        let present = match self.spec(catalogue) {
            Some(_) => request::pretty(&self.input(catalogue)),
            None => self.prompt(),
        };
        self.part();
        self.close_raw();
        name.clone_into(&mut self.model);
        let kept = self.kept.remove(name).unwrap_or_default();
        let text = if kept.prompt.trim().is_empty() { present } else { kept.prompt };
        self.fields = Map::new();
        self.many = Many::default();
        self.chip = 0;
        self.show_raw(&text, false, None);
        self.touch(now);
        true
    }

    /// Takes in what was written for a model that the catalogue does not know, if it can be that.
    pub(super) fn load_raw(&mut self, draft: &Draft, catalogue: &Catalogue) -> bool {
        if !is_raw_draft(draft, catalogue) {
            return false;
        }
        self.close_raw();
        self.model.clone_from(&draft.model);
        self.fields = Map::new();
        self.many = Many::default();
        self.chip = 0;
        self.show_raw(&draft.prompt, false, None);
        true
    }

    fn show_raw(&mut self, text: &str, known: bool, prompt: Option<String>) {
        let mut json = Text::new(text.to_owned());
        // Where one goes on writing: behind the last value, not behind the brace.
        json.set_cursor(text.rfind('\n').unwrap_or(text.len()));
        let aside = std::mem::replace(&mut self.text, json);
        self.raw = Some(Raw { aside, known, prompt, fault: read_object(text).err() });
    }

    /// There is no prompt behind the JSON.
    pub(super) fn forget_aside(&mut self) {
        if let Some(raw) = &mut self.raw {
            raw.aside = Text::new(String::new());
        }
    }

    /// The prompt takes its place again.
    pub(super) fn close_raw(&mut self) {
        if let Some(raw) = self.raw.take() {
            self.text = raw.aside;
        }
    }

    /// The draft, where the text is JSON.
    pub(super) fn raw_draft(&self) -> Option<Draft> {
        let raw = self.raw.as_ref()?;
        let model = self.model.clone();
        Some(if raw.known {
            let draft = Draft { model, prompt: raw.aside.as_str().to_owned(), ..Draft::default() };
            Draft { fields: self.fields.clone(), many: self.many.clone(), origin: self.origin, ..draft }
        } else {
            Draft { model, prompt: self.prompt(), origin: self.origin, ..Draft::default() }
        })
    }

    /// What would be sent as it stands, right or wrong.
    fn input(&self, catalogue: &Catalogue) -> Map<String, Value> {
        let mut input = Map::new();
        let text = self.raw.as_ref().map_or(&self.text, |raw| &raw.aside);
        let prompt = text.as_str();
        for field in self.spec(catalogue).into_iter().flat_map(|spec| &spec.fields) {
            match field.role {
                Some(Role::Prompt) => {
                    input.insert(field.name.clone(), prompt.into());
                }
                _ => input.extend(self.fields.get(&field.name).map(|value| (field.name.clone(), value.clone()))),
            }
        }
        for (name, value) in &self.fields {
            input.entry(name.clone()).or_insert_with(|| value.clone());
        }
        input
    }

    /// The text was edited: what it says now are the fields of a known model.
    pub(super) fn read_raw(&mut self) {
        let Some(raw) = &mut self.raw else { return };
        match read_object(self.text.as_str()) {
            Ok(mut fields) => {
                raw.fault = None;
                if !raw.known {
                    return;
                }
                // What is no text stays a field, and is refused as such.
                let name = raw.prompt.as_deref().filter(|name| fields.get(*name).is_none_or(Value::is_string));
                let value = name.and_then(|name| fields.shift_remove(name));
                let prompt = value.as_ref().and_then(Value::as_str).unwrap_or_default();
                raw.aside.replace_all(prompt);
                self.fields = fields;
            }
            Err(fault) => raw.fault = Some(fault),
        }
    }

    /// A field was set beside the JSON: it is written anew, in its order, with the cursor about where it was.
    pub(super) fn write_raw(&mut self) {
        let Some(raw) = self.raw.as_ref().filter(|raw| raw.known) else { return };
        let is_prompt = |name: &str| raw.prompt.as_deref() == Some(name);
        let mut input = read_object(self.text.as_str()).unwrap_or_default();
        input.retain(|name, _| is_prompt(name) || self.fields.contains_key(name));
        for name in raw.prompt.iter().filter(|name| !self.fields.contains_key(*name)) {
            input.insert(name.clone(), raw.aside.as_str().into());
        }
        input.extend(self.fields.iter().map(|(name, value)| (name.clone(), value.clone())));
        let at = self.text.cursor();
        self.text.replace_all(&request::pretty(&input));
        self.text.set_cursor(at.min(self.text.as_str().len()));
    }

    /// What was written was sent: the prompt is empty, or all of it where nobody knows what is the prompt.
    pub(super) fn sent_raw(&mut self) {
        let Some(raw) = &mut self.raw else { return };
        if !raw.known {
            self.text.replace_all("");
            return;
        }
        raw.aside.replace_all("");
        let Ok(mut input) = read_object(self.text.as_str()) else { return };
        if let Some(value) = raw.prompt.as_deref().and_then(|name| input.get_mut(name)) {
            *value = "".into();
        }
        self.text.replace_all(&request::pretty(&input));
    }

    /// Goes to the place where the JSON cannot be read.
    pub(super) fn go_to_fault(&mut self) {
        let Some(Fault::Json(line, column, _)) = self.raw_fault() else { return };
        let at = (line.saturating_sub(1), column.saturating_sub(1));
        self.put_cursor(at);
    }
}

/// What was written for a model that the catalogue does not know.
pub(super) fn is_raw_draft(draft: &Draft, catalogue: &Catalogue) -> bool {
    let written = draft.fields.is_empty() && draft.prompt.trim_start().starts_with('{');
    catalogue.get(&draft.model).is_none() && is_name(&draft.model) && written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Catalogue;

    fn editor() -> (Editor, Catalogue) {
        let catalogue = Catalogue::built_in();
        (Editor::new(&Draft::default(), &catalogue), catalogue)
    }

    #[test]
    fn the_fields_of_a_known_model_can_be_written_as_json() {
        let (mut editor, catalogue) = editor();
        let now = Now::default();
        editor.paste("a fox", now);
        editor.set_field("aspect_ratio", Some("16:9".into()), now);
        assert_eq!(editor.toggle_raw(&catalogue), None);
        assert_eq!(editor.prompt(), "{\n  \"prompt\": \"a fox\",\n  \"aspect_ratio\": \"16:9\"\n}");
        editor.text.select_all();
        editor.paste(r#"{"prompt": "an owl", "output_format": "jpeg"}"#, now);
        let draft = editor.draft();
        assert_eq!((draft.prompt.as_str(), draft.fields.len()), ("an owl", 1));
        assert_eq!(editor.chips(&catalogue)[2].value, "jpeg");
        editor.set_field("aspect_ratio", Some("1:1".into()), now);
        assert!(editor.prompt().contains("\"aspect_ratio\": \"1:1\""), "{}", editor.prompt());
        editor.go(crate::keys::Move::Finish, false);
        editor.paste("x", now);
        assert!(matches!(editor.raw_fault(), Some(Fault::Json(..))));
        assert!(editor.request(&catalogue, None).is_err(), "what does not parse is not sent");
        assert!(editor.toggle_raw(&catalogue).is_some_and(|words| words.contains("not complete")));
        assert_eq!(editor.prompt(), "an owl");
        assert!(editor.request(&catalogue, None).is_ok_and(|request| request.body.contains("jpeg")));
    }

    #[test]
    fn a_prompt_that_is_no_text_is_refused() {
        let (mut editor, catalogue) = editor();
        editor.toggle_raw(&catalogue);
        editor.text.select_all();
        editor.paste(r#"{"prompt": 5}"#, Now::default());
        assert!(editor.request(&catalogue, None).is_err());
    }

    #[test]
    fn a_model_that_nobody_knows_is_written_for_in_json() {
        let (mut editor, catalogue) = editor();
        let now = Now::default();
        editor.paste("a fox", now);
        assert!(!editor.set_raw_model("two words", &catalogue, now));
        assert!(editor.set_raw_model("new/model", &catalogue, now));
        assert_eq!(editor.prompt(), "{\n  \"prompt\": \"a fox\"\n}", "it begins with what was there");
        assert!(editor.toggle_raw(&catalogue).is_some(), "there is no other way to see it");
        let request = editor.request(&catalogue, None).expect("an object");
        assert_eq!(request.body, "{\"model\":\"new/model\",\"input\":{\n  \"prompt\": \"a fox\"\n}}");
        let draft = editor.draft();
        let again = Editor::new(&draft, &catalogue);
        assert_eq!((again.model(), again.is_raw(), again.prompt()), ("new/model", true, draft.prompt.clone()));
        editor.sent(now);
        assert_eq!(editor.prompt(), "");
        assert!(editor.request(&catalogue, None).is_err(), "a second press sends nothing");
        editor.undo(now);
        assert!(editor.prompt().contains("a fox"));
        let name = catalogue.default_model().name.clone();
        editor.set_model(&name, &catalogue, now);
        assert_eq!((editor.is_raw(), editor.prompt().as_str()), (false, "a fox"), "the prompt is where it was");
        assert!(editor.set_raw_model("new/model", &catalogue, now));
        assert!(editor.prompt().contains("a fox"), "and so is the JSON");
    }

    #[test]
    fn the_place_of_a_mistake_is_gone_to() {
        let (mut editor, catalogue) = editor();
        let now = Now::default();
        editor.set_raw_model("new/model", &catalogue, now);
        editor.text.select_all();
        editor.paste("{\n  \"a\": 1,\n  b: 2\n}", now);
        assert!(editor.request(&catalogue, None).is_err());
        assert!(editor.prompt()[editor.text.cursor()..].starts_with("b: 2"));
    }
}
