//! Writing: drafts, a second press, the key in the prompt, the user's own editor.

use plantain::app::dialog::Dialog;
use plantain::app::{Msg, Pane};
use plantain::domain::{Fingerprint, Problem, Stage};

use crate::support::{Desk, secs};

const KEY: &str = "sk-canary-0123456789";

fn guarded() -> Desk {
    let mut desk = Desk::new();
    desk.state.key = Some(Fingerprint::of(KEY, 99));
    desk
}

fn notice(desk: &Desk) -> &str {
    desk.state.notice.as_ref().map_or("", |notice| notice.text.as_str())
}

#[test]
fn each_model_keeps_its_draft_over_a_restart() {
    let mut desk = Desk::new();
    desk.by_itself();
    let first = desk.state.editor.model().to_owned();
    desk.typed("a fox").press("tab j");
    let second = desk.state.editor.model().to_owned();
    assert_ne!(first, second);
    assert_eq!(desk.state.editor.prompt(), "a fox", "the text goes along");
    desk.press("tab tab").typed(" in snow").later(secs(2));
    let mut again = desk.killed();
    assert_eq!((again.state.editor.model(), again.state.editor.prompt().as_str()), (second.as_str(), "a fox in snow"));
    again.press("tab k");
    assert_eq!((again.state.editor.model(), again.state.editor.prompt().as_str()), (first.as_str(), "a fox"));
    assert!(notice(&again).contains("is back"), "{}", notice(&again));
    again.press("tab tab ctrl-u");
    assert_eq!(again.state.editor.prompt(), "a fox in snow", "and that can be undone");
}

/// G1: a key that is pressed twice, or held down, sends once.
#[test]
fn a_second_press_sends_nothing_new() {
    let mut desk = Desk::new();
    desk.typed("a fox").press("ctrl-s ctrl-s ctrl-s");
    desk.expect_but_drafts(["new A saved"]);
    assert!(notice(&desk).contains("already sent 0.0 s ago"), "{}", notice(&desk));
    assert!(desk.state.editor.fault().is_none(), "nothing is wrong with an empty prompt that was just sent");
    desk.typed("an owl").press("ctrl-s").expect_but_drafts(["new B saved"]);
    desk.typed("a fox").press("ctrl-s").expect_but_drafts(["new C saved"]);
    desk.press("ctrl-u ctrl-s").expect_but_drafts(["new D saved"]);
}

/// G1: a held key goes on being the same press; after a second of rest it is a new one.
#[test]
fn a_held_key_sends_once() {
    let mut desk = Desk::new();
    desk.by_itself();
    desk.typed("a fox").press("ctrl-s ctrl-u");
    desk.press("ctrl-s");
    let count = desk.state.fleet.tasks().count();
    for _ in 0..40 {
        desk.later(std::time::Duration::from_millis(90)).press("ctrl-s");
    }
    assert_eq!(desk.state.fleet.tasks().count(), count);
    assert!(desk.state.editor.fault().is_none());
}

/// G1, for a key that acts on a task.
#[test]
fn a_second_press_on_a_held_task_sends_nothing_new() {
    let mut desk = Desk::new();
    desk.typed("a fox").press("ctrl-s").not_stored();
    desk.press("esc").seen();
    desk.press("r").seen();
    desk.press("r").expect([]);
    assert!(notice(&desk).contains("already sent"), "{}", notice(&desk));
}

/// G8: noticed with its last letter; not sent; not on the disk.
#[test]
fn a_key_in_the_prompt_is_noticed_and_not_sent() {
    let mut desk = guarded();
    desk.typed("a fox ").typed(&KEY[..KEY.len() - 1]);
    assert!(!notice(&desk).contains("API key"));
    desk.typed(&KEY[KEY.len() - 1..]);
    assert!(notice(&desk).contains("API key stands in the prompt"), "{}", notice(&desk));
    desk.press("ctrl-s").later(secs(2));
    let seen = desk.seen();
    assert!(seen.iter().all(|words| words.starts_with("draft ") && !words.contains("canary")), "{seen:?}");
    desk.typed(" in snow").press("home");
    desk.press("delete delete delete delete delete delete");
    assert!(notice(&desk).contains("API key stands in the prompt"), "it is still there");
    desk.press("delete ctrl-s").expect_but_drafts(["new A saved"]);
}

#[test]
fn a_key_is_noticed_wherever_it_is_put_together() {
    let mut desk = guarded();
    desk.typed(&KEY[..8]).typed("\u{e9}").typed(&KEY[8..]);
    assert!(!notice(&desk).contains("API key"));
    for _ in 8..KEY.len() {
        desk.press("left");
    }
    desk.press("backspace");
    assert!(notice(&desk).contains("API key stands in the prompt"), "{}", notice(&desk));
    let shown = format!("{:?}", desk.state.key);
    assert!(!shown.contains("canary"), "{shown}");
}

/// G8: in a field it is found before the request is made.
#[test]
fn a_key_in_a_field_is_not_sent() {
    let mut desk = guarded();
    desk.typed("a fox");
    let name = {
        let spec = desk.state.editor.spec(&desk.state.catalogue).expect("a model");
        spec.fields.iter().find(|field| field.choices.is_none() && field.role.is_none()).map(|field| field.name.clone())
    };
    let Some(name) = name else { return };
    let (now, value) = (desk.now, serde_json::Value::from(KEY));
    desk.state.editor.set_field(&name, Some(value), now);
    desk.press("ctrl-s").later(secs(2));
    assert!(desk.seen().iter().all(|words| words.starts_with("draft ")));
}

/// B5: who is writing is not thrown into another line.
#[test]
fn a_refused_key_does_not_interrupt_writing() {
    let refused = || Problem::Auth { message: "invalid key".into() };
    let mut desk = Desk::new();
    desk.typed("a fox").press("ctrl-s").stored().stored();
    desk.typed("an ow").refused("A", refused());
    assert!(desk.state.dialog.is_none(), "{:?}", desk.state.dialog);
    desk.typed("l");
    assert_eq!((desk.state.editor.prompt().as_str(), desk.state.pane), ("an owl", Pane::Editor));
    assert_eq!(desk.stage("A"), Stage::Held);
    let mut desk = Desk::new();
    desk.typed("a fox").press("ctrl-s").stored().stored().press("esc").refused("A", refused());
    assert!(matches!(desk.state.dialog, Some(Dialog::Setup(_))));
}

/// E14: what the user's own editor leaves is an edit like any other; what it does not leave changes nothing.
#[test]
fn the_users_own_editor() {
    let mut desk = Desk::new();
    desk.typed("a fox").seen();
    desk.press("alt-e").expect(["compose \"a fox\""]);
    desk.press("alt-e").expect([]);
    desk.hear(Msg::Composed(Ok("a fox\r\nin\tsnow\u{7}\n".into())));
    assert_eq!(desk.state.editor.prompt(), "a fox\nin    snow");
    assert!(notice(&desk).contains("control characters"), "{}", notice(&desk));
    desk.press("ctrl-u");
    assert_eq!(desk.state.editor.prompt(), "a fox");
    let why = "the editor failed with code 1".to_owned();
    for left in [Err(why), Ok("\n".into()), Ok("a fox\n".into())] {
        desk.press("alt-e").hear(Msg::Composed(left));
        assert_eq!(desk.state.editor.prompt(), "a fox");
        assert!(!notice(&desk).is_empty());
    }
    desk.hear(Msg::Composed(Ok("not asked for".into())));
    assert_eq!(desk.state.editor.prompt(), "a fox");
}

#[test]
fn a_selection_is_typed_over_cut_and_pasted() {
    let mut desk = Desk::new();
    desk.typed("a red fox").press("ctrl-shift-left ctrl-x home ctrl-y");
    assert_eq!(desk.state.editor.prompt(), "foxa red ");
    desk.press("ctrl-a alt-c end ctrl-y ctrl-y");
    assert_eq!(desk.state.editor.prompt(), "foxa red foxa red foxa red ");
    desk.press("ctrl-a").typed("x");
    assert_eq!(desk.state.editor.prompt(), "x");
    desk.press("ctrl-u ctrl-u");
    assert_eq!(desk.state.editor.prompt(), "foxa red foxa red ");
    desk.press("ctrl-r ctrl-r");
    assert_eq!(desk.state.editor.prompt(), "x");
}

/// E10: a megabyte is taken in at once, with a sensible place for the cursor.
#[test]
fn a_large_paste_is_text_like_any_other() {
    let mut desk = Desk::new();
    desk.paste(&"a fox in snow 🦊\n".repeat(55_000)).typed("!");
    assert_eq!(desk.state.editor.length(), 55_000 * 16 + 1);
    desk.press("ctrl-u ctrl-u");
    assert_eq!(desk.state.editor.prompt(), "");
}
