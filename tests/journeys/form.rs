//! The fields of every model on the screen: numbers, texts, lists, JSON, and models that nobody knows.

use std::sync::Arc;

use plantain::app::listing::Mode;
use plantain::app::{Dialog, Msg};
use plantain::domain::{Field, FieldKind, LocalId, ModelSpec, Output, OutputState, Request, Role, Status, Task};
use plantain::keys::Place;
use plantain::time::Wall;

use kit::support::{Desk, secs};

/// A model of the catalogue with a field like this, and the field.
fn with(desk: &Desk, wanted: impl Fn(&Field) -> bool) -> (ModelSpec, Field) {
    let models = desk.state.catalogue.models().iter().filter(|model| model.is_current());
    let mut found = models
        .filter_map(|model| Some((model, model.fields.iter().find(|f| f.role != Some(Role::Prompt) && wanted(f))?)));
    let (model, field) = found.next().expect("a model with such a field");
    (ModelSpec::clone(model), field.clone())
}

/// Chooses the model with a field like this, and goes to the field.
fn at(desk: &mut Desk, wanted: impl Fn(&Field) -> bool) -> Field {
    let (model, field) = with(desk, wanted);
    desk.press("ctrl-o").paste(&model.name).press("enter");
    assert_eq!(desk.state.editor.model(), model.name);
    desk.press("tab");
    go_to(desk, &field);
    field
}

fn go_to(desk: &mut Desk, field: &Field) {
    for _ in 0..40 {
        if desk.state.editor.field(&desk.state.catalogue).is_some_and(|now| now.name == field.name) {
            return;
        }
        desk.press("right");
    }
    panic!("{} is not in the form", field.name);
}

fn set(desk: &Desk, field: &Field) -> Option<serde_json::Value> {
    desk.state.editor.value(&field.name).cloned()
}

fn many_urls(field: &Field) -> bool {
    field.kind == FieldKind::Texts && field.media.as_deref() == Some("image") && !field.data_uri
}

#[test]
fn every_field_of_every_model_opens_and_closes() {
    let mut desk = Desk::new();
    let models: Vec<_> = desk.state.catalogue.models().iter().filter(|m| m.is_current()).cloned().collect();
    for model in models {
        desk.press("ctrl-o").paste(&model.name).press("enter tab");
        assert_eq!(desk.state.editor.model(), model.name);
        for _ in desk.state.editor.chips(&desk.state.catalogue) {
            desk.press("right");
            if desk.state.editor.field(&desk.state.catalogue).is_none() {
                continue;
            }
            desk.press("enter esc");
            assert_eq!(desk.state.place(), Place::Form, "{}", model.name);
            desk.press("down");
            if desk.state.dialog.is_some() {
                desk.press("esc");
            }
            desk.press("backspace");
        }
        assert!(desk.state.editor.draft().fields.is_empty(), "what was left to the service is not sent");
        desk.press("esc n");
    }
}

#[test]
fn a_number_steps_and_is_typed_where_it_stands() {
    let mut desk = Desk::new();
    let field = at(&mut desk, |field| field.step.is_some());
    let (least, step) = (field.min.expect("a range"), field.step.expect("a step"));
    desk.press("up");
    assert_eq!(set(&desk, &field).and_then(|v| v.as_f64()), Some(least), "from nothing to the least");
    desk.press("down");
    assert_eq!(set(&desk, &field).and_then(|v| v.as_f64()), Some(least + step));
    desk.press("9");
    let Some(Dialog::Input { fault: Some(fault), .. }) = &desk.state.dialog else { panic!("{:?}", desk.state.dialog) };
    assert!(fault.contains("must be from"), "{fault}");
    desk.press("enter");
    assert!(desk.state.dialog.is_some(), "what is out of range is not taken");
    desk.press("9 9 enter");
    assert_eq!(set(&desk, &field), Some(999.into()));
    desk.press("enter ctrl-u x");
    assert!(matches!(&desk.state.dialog, Some(Dialog::Input { fault: Some(_), .. })));
    desk.press("backspace enter");
    assert_eq!(set(&desk, &field), None, "nothing leaves it to the service");
}

#[test]
fn a_long_text_has_an_editor_of_its_own() {
    let mut desk = Desk::new();
    let field = at(&mut desk, Field::is_long);
    desk.press("enter");
    assert_eq!(desk.state.place(), Place::Text);
    desk.typed("one").press("enter").paste("two\r\nthree");
    assert_eq!(set(&desk, &field), Some("one\ntwo\nthree".into()));
    desk.press("ctrl-u");
    assert_eq!(set(&desk, &field), Some("one\n".into()), "undo reaches the field");
    desk.press("ctrl-r esc");
    assert_eq!((desk.state.place(), set(&desk, &field)), (Place::Form, Some("one\ntwo\nthree".into())));
    desk.press("enter").typed("!").press("ctrl-s");
    assert_eq!(set(&desk, &field), Some("one\ntwo\nthree!".into()), "it goes on where it ended");
    desk.expect_but_drafts([]);
}

#[test]
fn addresses_are_added_changed_moved_and_removed() {
    let mut desk = Desk::new();
    let field = at(&mut desk, many_urls);
    desk.press("enter");
    assert_eq!(desk.state.place(), Place::List);
    desk.press("a").typed("https://x.example/a.png").press("enter");
    desk.paste("https://x.example/b.png\nhttps://x.example/c.png\n");
    let all = |desk: &Desk| {
        let value = set(desk, &field).unwrap_or_default();
        let letters = value.as_array().into_iter().flatten().filter_map(|url| url.as_str()?.chars().rev().nth(4));
        letters.collect::<String>()
    };
    assert_eq!(all(&desk), "abc");
    desk.press("K K");
    assert_eq!(all(&desk), "cab");
    desk.press("J");
    assert_eq!(all(&desk), "acb");
    desk.press("enter backspace backspace backspace backspace backspace").typed("z.png").press("enter");
    assert_eq!(all(&desk), "azb");
    desk.press("end d d");
    assert_eq!(all(&desk), "a");
    desk.press("d d esc");
    assert_eq!((set(&desk, &field), desk.state.place()), (None, Place::Form));
}

#[test]
fn a_file_of_this_machine_gets_an_honest_answer() {
    let mut desk = Desk::new();
    let field = at(&mut desk, many_urls);
    desk.press("enter a").typed("~/cat.png").press("enter").expect_but_drafts([]);
    let Some(Dialog::List(list)) = &desk.state.dialog else { panic!("{:?}", desk.state.dialog) };
    assert!(list.fault.as_ref().is_some_and(|words| words.contains("cannot see files")), "{:?}", list.fault);
    assert!(matches!(list.mode, Mode::Type { .. }), "what was typed stays");
    assert_eq!(set(&desk, &field), None);
}

#[test]
fn a_file_goes_into_the_request_where_the_field_takes_it() {
    let mut desk = Desk::new();
    let field = at(&mut desk, |field| field.data_uri && field.kind == FieldKind::Texts);
    desk.press("enter a").typed("~/cat.png").press("enter");
    let read = format!("read ~/cat.png as image for {}", field.name);
    desk.expect_but_drafts([read.as_str()]);
    let none = Err("cat.png cannot be read".to_owned());
    desk.hear(Msg::FileRead { field: field.name.clone(), result: none });
    assert!(matches!(&desk.state.dialog, Some(Dialog::List(list)) if list.fault.is_some() && !list.reading));
    let uri = "data:image/png;base64,AAAA".to_owned();
    desk.hear(Msg::FileRead { field: field.name.clone(), result: Ok(uri.clone()) });
    assert_eq!(set(&desk, &field), Some(vec![uri.clone()].into()));
    desk.press("esc").hear(Msg::FileRead { field: field.name.clone(), result: Ok(uri) });
    assert_eq!(set(&desk, &field).and_then(|v| v.as_array().map(Vec::len)), Some(1), "nobody waits for it any more");
}

#[test]
fn what_a_task_delivered_is_taken_while_its_link_lives() {
    let mut desk = Desk::new();
    let url = "https://files.example/a.png".to_owned();
    let request = Request::elsewhere(desk.state.editor.model());
    let mut task = Task::new(LocalId::from_random(5), Arc::new(request), desk.now.wall);
    task.status = Status::Success;
    let end = Some(Wall(desk.now.wall.0 + 7_200_000));
    let state = OutputState::Lost { why: "a test".into() };
    task.outputs = vec![Output { url: url.clone(), role: "image".into(), expires: end, state }];
    desk.hear(Msg::Unfinished(vec![task]));
    let field = at(&mut desk, many_urls);
    desk.press("enter t").typed("nothing like this").press("enter");
    assert_eq!(set(&desk, &field), None);
    desk.press("ctrl-u enter");
    assert_eq!(set(&desk, &field), Some(vec![url.clone()].into()));
    assert_eq!(desk.state.place(), Place::List);
    // In its last hour it is still taken, with a warning; then not any more.
    desk.press("d").later(secs(6000));
    desk.press("t enter");
    assert_eq!(set(&desk, &field), Some(vec![url.clone()].into()));
    assert!(desk.state.notice.as_ref().is_some_and(|n| n.text.contains("send soon")), "{:?}", desk.state.notice);
    desk.later(secs(1300)).press("esc tab tab").typed("a fox").press("ctrl-s").expect_but_drafts([]);
    assert_eq!(desk.state.place(), Place::Form, "it is not sent any more");
    assert_eq!(desk.state.editor.field(&desk.state.catalogue).map(|f| f.name.clone()), Some(field.name.clone()));
    desk.press("enter d t enter");
    assert_eq!(set(&desk, &field), None);
    assert!(
        matches!(&desk.state.dialog, Some(Dialog::List(l)) if l.fault.as_ref().is_some_and(|f| f.contains("ended")))
    );
}

#[test]
fn a_model_that_nobody_knows_is_sent_as_it_was_typed() {
    let mut desk = Desk::new();
    desk.typed("a fox").press("ctrl-o").typed("new/model").press("end enter");
    assert_eq!((desk.state.editor.model(), desk.state.place()), ("new/model", Place::Editor));
    desk.press("down end");
    for _ in 0..60 {
        desk.press("backspace");
    }
    desk.typed("{\"strength\": 1.50, \"text\": \"an owl\"").press("ctrl-s").expect_but_drafts([]);
    assert!(desk.state.editor.fault().is_some_and(|fault| fault.to_string().contains("line 1")));
    desk.typed("}").press("ctrl-s").expect_but_drafts(["new A saved"]);
    assert_eq!(desk.task("A").request.body, r#"{"model":"new/model","input":{"strength": 1.50, "text": "an owl"}}"#);
    assert_eq!(desk.task("A").request.prompt, "an owl");
    desk.press("ctrl-s").expect_but_drafts([]);
    desk.press("esc e");
    assert_eq!(desk.state.editor.prompt(), r#"{"strength": 1.50, "text": "an owl"}"#, "it can be edited again");
}

#[test]
fn a_rule_across_fields_is_told_at_once_and_stops_nobody() {
    let mut desk = Desk::new();
    let models = desk.state.catalogue.models().to_vec();
    let model = models.iter().find(|m| m.is_current() && m.constraints.len() > 1).expect("a model with rules");
    let rule = model.constraints.iter().find(|rule| rule.when.len() == 1).expect("a rule");
    desk.press("ctrl-o").paste(&model.name).press("enter tab");
    let mut seen = false;
    for field in &model.fields {
        if field.choices.is_none() {
            continue;
        }
        go_to(&mut desk, field);
        for _ in 0..field.choices.iter().flatten().count() {
            desk.press("down");
            seen |= desk.state.editor.broken(&desk.state.catalogue).is_some();
        }
    }
    assert!(seen, "{rule:?}");
    desk.press("esc n").typed("a fox");
    assert_eq!(desk.state.editor.prompt(), "a fox", "typing goes on");
}

#[test]
fn the_input_can_be_seen_and_edited_as_json() {
    let mut desk = Desk::new();
    desk.typed("a fox").press("tab right down alt-j");
    assert!(desk.state.editor.is_raw());
    assert!(desk.state.editor.prompt().contains("a fox"));
    desk.press("alt-j");
    assert_eq!((desk.state.editor.is_raw(), desk.state.editor.prompt().as_str()), (false, "a fox"));
    desk.press("alt-j ctrl-s").expect_but_drafts(["new A saved"]);
    assert!(desk.task("A").request.body.contains("a fox"));
    desk.press("ctrl-s").expect_but_drafts([]);
}
