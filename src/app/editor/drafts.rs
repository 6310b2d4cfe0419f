//! A draft for each model: what goes along to another one, what stays behind, what comes back.

use crate::domain::validate::find_model;
use crate::domain::{Catalogue, Draft};
use crate::time::Now;

use super::Editor;

impl Editor {
    /// Takes in the drafts of all models, as they were stored.
    pub fn keep(&mut self, drafts: Vec<Draft>) {
        let others = drafts.into_iter().filter(|draft| draft.model != self.model && !draft.is_empty());
        self.kept.extend(others.map(|draft| (draft.model.clone(), draft)));
    }

    /// Drafts that were left for another model since the last call: they are to be saved.
    pub fn parted(&mut self) -> Vec<Draft> {
        std::mem::take(&mut self.parted)
    }

    /// Leaves the present model. What was typed for it stays with it; what had only come along does not.
    pub(super) fn part(&mut self) {
        let draft = self.draft();
        let model = draft.model.clone();
        let kept = if self.own { Some(draft) } else { self.kept.remove(&model) };
        let kept = kept.unwrap_or_else(|| Draft { model: model.clone(), ..Draft::default() });
        self.parted.push(kept.clone());
        if !kept.is_empty() {
            self.kept.insert(model, kept);
        }
    }

    /// Writes for another model from now on. A text that was typed for it before comes back, as an edit that can be
    /// undone, and its fields with it; without one the present text goes along, and fields that the other one has
    /// keep their value if it allows it. Says whether a text came back.
    pub fn set_model(&mut self, name: &str, catalogue: &Catalogue, now: Now) -> bool {
        let Ok(spec) = find_model(name, catalogue) else { return false };
        let name = spec.name.clone();
        if name == self.model {
            return false;
        }
        self.part();
        self.close_raw();
        self.model.clone_from(&name);
        let kept = self.kept.remove(&name).unwrap_or_default();
        let back = !kept.prompt.trim().is_empty() && kept.prompt != self.text.as_str();
        if kept.fields.is_empty() && kept.many.values.is_empty() && !back {
            self.fields.retain(|field, value| {
                spec.field(field).is_some_and(|f| f.choices.as_ref().is_none_or(|choices| choices.contains(value)))
            });
        } else {
            self.fields.clone_from(&kept.fields);
            self.many.clone_from(&kept.many);
        }
        self.many.fit(spec);
        if back {
            self.origin = kept.origin;
            self.replace(&kept.prompt);
        }
        self.chip = 0;
        self.touch(now);
        self.own = !kept.is_empty();
        back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn editor() -> (Editor, Catalogue, Vec<String>) {
        let catalogue = Catalogue::built_in();
        let names = catalogue.models().iter().filter(|m| m.is_current() && m.prompt().is_some());
        let names: Vec<String> = names.map(|m| m.name.clone()).take(3).collect();
        let mut editor = Editor::new(&Draft::default(), &catalogue);
        editor.set_model(&names[0], &catalogue, Now::default());
        (editor, catalogue, names)
    }

    #[test]
    fn a_text_goes_along_and_is_left_where_it_was_typed() {
        let (mut editor, catalogue, names) = editor();
        let now = Now::default();
        editor.paste("a fox", now);
        assert!(!editor.set_model(&names[1], &catalogue, now), "it came along, nothing came back");
        assert!(!editor.set_model(&names[2], &catalogue, now));
        assert_eq!(editor.prompt(), "a fox");
        editor.paste(" in snow", now);
        assert!(editor.set_model(&names[0], &catalogue, now));
        assert_eq!(editor.prompt(), "a fox");
        editor.undo(now);
        assert_eq!(editor.prompt(), "a fox in snow", "what comes back is an edit like any other");
        editor.redo(now);
        assert!(!editor.set_model(&names[1], &catalogue, now), "nothing was ever typed for the second");
        assert!(editor.set_model(&names[2], &catalogue, now));
        assert_eq!(editor.prompt(), "a fox in snow");
    }

    #[test]
    fn what_was_sent_leaves_room_for_what_comes_along() {
        let (mut editor, catalogue, names) = editor();
        let now = Now::default();
        editor.paste("a fox", now);
        editor.set_model(&names[1], &catalogue, now);
        editor.set_model(&names[0], &catalogue, now);
        editor.sent(now);
        editor.paste("an owl", now);
        editor.set_model(&names[1], &catalogue, now);
        assert_eq!(editor.prompt(), "an owl");
    }

    #[test]
    fn what_is_left_is_saved_and_comes_back_after_a_restart() {
        let (mut editor, catalogue, names) = editor();
        let now = Now::default();
        editor.parted();
        editor.paste("a fox", now);
        editor.set_model(&names[1], &catalogue, now);
        let parted = editor.parted();
        assert_eq!(
            parted.iter().map(|d| (d.model.as_str(), d.prompt.as_str())).collect::<Vec<_>>(),
            [(names[0].as_str(), "a fox")]
        );
        editor.paste(" in snow", now);
        let mut drafts = vec![editor.draft()];
        drafts.extend(parted);
        let mut again = Editor::new(&drafts[0], &catalogue);
        again.keep(drafts);
        assert_eq!((again.model(), again.prompt().as_str()), (names[1].as_str(), "a fox in snow"));
        assert!(again.set_model(&names[0], &catalogue, now));
        assert_eq!(again.prompt(), "a fox");
    }

    #[test]
    fn a_task_that_is_edited_again_does_not_push_a_draft_aside() {
        let (mut editor, catalogue, names) = editor();
        let now = Now::default();
        editor.paste("a fox", now);
        let task = Draft { model: names[1].clone(), prompt: "an owl".into(), ..Draft::default() };
        editor.load(&task, &catalogue, now);
        assert_eq!((editor.model(), editor.prompt().as_str()), (names[1].as_str(), "an owl"));
        assert!(editor.set_model(&names[0], &catalogue, now));
        assert_eq!(editor.prompt(), "a fox");
    }
}
