//! From a failure to its fix, and from a picture to the next.

use kit::support::{Desk, desk, secs};
use plantain::app::kin::{KinDialog, failures, members};
use plantain::app::{Dialog, Msg, Pane};
use plantain::domain::cause::Kind;
use plantain::domain::promote::Fate;
use plantain::domain::{Change, Failure, How, Kin, LocalId, Output, Problem, Stage, Status};
use plantain::fleet::{FleetMsg, Order};
use plantain::time::Wall;

fn failed(code: &str, message: &str) -> Status {
    Status::Failed(Failure { code: Some(code.into()), message: Some(message.into()) })
}

fn rejected(message: &str) -> Problem {
    Problem::Rejected { status: 400, code: Some("INVALID_REQUEST".into()), message: message.into() }
}

/// A task at the service that ends so.
fn ended(desk: &mut Desk, name: &str, prompt: &str, status: Status) {
    desk.submit(prompt).stored().stored().accepted(name).stored().later(secs(3));
    desk.told(&[(name, status)]).stored();
    desk.seen();
}

fn kin(desk: &Desk, name: &str) -> Option<(LocalId, How)> {
    desk.task(name).kin.map(|kin| (kin.parent, kin.how))
}

fn notice(desk: &Desk) -> String {
    desk.state.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default()
}

/// B8, B9: refused for a field, mended there, sent again, and the two are kin.
#[test]
fn from_a_failure_to_its_fix_to_a_success() {
    let mut desk = Desk::new();
    desk.submit("a fox").stored().stored();
    desk.refused("A", rejected("aspect_ratio must be one of these")).stored();
    desk.press("esc e");
    assert_eq!(desk.state.pane, Pane::Form, "the field is under the cursor");
    let field = desk.state.editor.field(&desk.state.catalogue).map(|field| field.name.clone());
    assert_eq!(field.as_deref(), Some("aspect_ratio"));
    assert_eq!(desk.state.editor.origin(), Some(Kin { parent: desk.id("A"), how: How::Fix }));
    assert!(notice(&desk).contains("aspect_ratio must be"), "{}", notice(&desk));
    desk.press("space ctrl-s").stored();
    assert_eq!(kin(&desk, "B"), Some((desk.id("A"), How::Fix)));
    assert_eq!(desk.state.editor.origin(), None, "the next prompt comes from nowhere");
    desk.stored().accepted("B").stored().later(secs(3));
    desk.told(&[("B", Status::Success)]).stored();
    assert_eq!(desk.stage("B"), Stage::Success);
    desk.seen();
    desk.press("esc F").expect_but_drafts(["family of B"]);
    let shown: Vec<LocalId> = members(&desk.state, desk.id("B")).iter().map(|member| member.id).collect();
    assert_eq!(shown, [desk.id("A"), desk.id("B")]);
    // The family can be walked, and left for one of it.
    desk.press("up enter");
    assert_eq!((desk.state.dialog.is_none(), desk.state.table.cursor()), (true, Some(desk.id("A"))));
}

/// The prompt is what a policy is about, and what it came from survives a restart with the task.
#[test]
fn a_policy_failure_opens_in_the_prompt_and_stays_kin_over_a_restart() {
    let mut desk = Desk::new();
    ended(&mut desk, "A", "an actor", failed("TASK_FAILED", "upstream rejected the prompt"));
    desk.press("esc e");
    assert_eq!(desk.state.pane, Pane::Editor);
    desk.typed(" of wax").press("ctrl-s").stored();
    let again = desk.killed();
    assert_eq!(again.task("B").kin, Some(Kin { parent: again.id("A"), how: How::Fix }));
}

#[test]
fn the_unchanged_request_of_a_failure_is_refused_with_the_reason() {
    let mut desk = Desk::new();
    ended(&mut desk, "A", "an actor", failed("TASK_FAILED", "no faces"));
    desk.press("esc e ctrl-s").expect_but_drafts([]);
    assert!(notice(&desk).contains("no faces") && notice(&desk).contains("change it first"), "{}", notice(&desk));
    assert_eq!(desk.state.editor.prompt(), "an actor", "nothing is lost");
    // Typed anew it is the same request.
    desk.press("esc i ctrl-s").expect_but_drafts([]);
    desk.press("esc .").expect_but_drafts([]);
    assert!(notice(&desk).contains("no faces"), "{}", notice(&desk));
    // Another word is another request.
    desk.press("i").typed("s").press("ctrl-s").expect_but_drafts(["new B saved"]);
}

#[test]
fn what_passes_by_itself_may_go_again() {
    for code in ["TASK_TIMEOUT", "STORAGE_UNAVAILABLE", "MODEL_UNAVAILABLE"] {
        let mut desk = Desk::new();
        ended(&mut desk, "A", "a fox", failed(code, "later"));
        desk.press("esc e ctrl-s").expect_but_drafts(["new B saved"]);
        assert_eq!(kin(&desk, "B"), Some((desk.id("A"), How::Fix)));
        let mut desk = Desk::new();
        ended(&mut desk, "A", "a fox", failed(code, "later"));
        desk.press("esc .").expect_but_drafts(["new B saved"]);
        assert_eq!(kin(&desk, "B"), Some((desk.id("A"), How::Retry)));
        assert_eq!(desk.task("B").request, desk.task("A").request, "the same bytes, another key");
    }
}

#[test]
fn again_makes_another_picture_of_the_same_request() {
    let mut desk = Desk::new();
    desk.at_home("A").press("esc").seen();
    desk.press(".").expect_but_drafts(["new B saved"]);
    assert_eq!(kin(&desk, "B"), Some((desk.id("A"), How::Again)));
    assert!(notice(&desk).contains("paid again"), "{}", notice(&desk));
    // The cursor is on the new one, which has not ended: a key that repeats pays nothing.
    desk.press(". . .").expect_but_drafts([]);
}

#[test]
fn an_emptied_draft_comes_from_nowhere() {
    let mut desk = Desk::new();
    desk.at_home("A").press("esc e");
    assert_eq!(desk.state.editor.origin().map(|kin| kin.how), Some(How::Vary));
    desk.press("backspace");
    assert_eq!(desk.state.editor.origin(), None);
    desk.typed("a hen").press("ctrl-s");
    assert_eq!(desk.task("B").kin, None);
}

/// What a draft came from is kept with it.
#[test]
fn the_origin_is_in_the_draft() {
    let mut desk = Desk::new();
    desk.at_home("A").press("esc e").later(secs(2)).stored();
    let draft = desk.store.draft.clone().expect("a draft");
    assert_eq!(draft.origin, Some(Kin { parent: desk.id("A"), how: How::Vary }));
    let text = serde_json::to_string(&draft).expect("JSON");
    assert_eq!(serde_json::from_str::<plantain::domain::Draft>(&text).ok(), Some(draft));
    let mut again = desk.killed();
    again.press("ctrl-s");
    assert_eq!(again.task("B").kin.map(|kin| kin.how), Some(How::Vary));
}

#[test]
fn from_one_model_to_another_whose_shapes_differ() {
    let mut desk = Desk::new();
    // 21:9, the last choice.
    desk.typed("a fox").press("tab right up ctrl-s").stored().stored().accepted("A").stored().later(secs(3));
    desk.told(&[("A", Status::Success)]).stored().seen();
    desk.press("esc p").typed("happyhorse-1-0").press("enter");
    let Some(Dialog::Kin(KinDialog::Carried(promotion))) = &desk.state.dialog else { panic!("no dialog") };
    let changed = promotion.carried.entries.iter().find(|entry| entry.from == "21:9").expect("the shape");
    assert_eq!(changed.fate, Fate::Changed { to: "16:9".into() }, "said before it is sent");
    desk.expect_but_drafts([]);
    desk.press("enter").expect_but_drafts(["new B saved"]);
    let sent = desk.task("B");
    assert!(
        sent.request.body.starts_with(r#"{"model":"happyhorse-1-0","input":{"prompt":"a fox","aspect_ratio":"16:9""#)
    );
    assert_eq!(kin(&desk, "B"), Some((desk.id("A"), How::Promote)));
}

/// What is missing is said, and Enter opens it in the editor; `e` does that anyway.
#[test]
fn a_promotion_that_lacks_something_is_mended_in_the_editor() {
    let mut desk = Desk::new();
    desk.at_home("A").press("esc p").typed("gpt-image-2/image-to-image").press("enter").seen();
    let Some(Dialog::Kin(KinDialog::Carried(promotion))) = &desk.state.dialog else { panic!("no dialog") };
    assert!(!promotion.carried.is_whole());
    desk.press("enter").expect_but_drafts([]);
    assert_eq!((desk.state.pane, desk.state.editor.model()), (Pane::Form, "gpt-image-2/image-to-image"));
    assert_eq!(desk.state.editor.origin(), Some(Kin { parent: desk.id("A"), how: How::Promote }));
    assert!(desk.state.editor.field(&desk.state.catalogue).is_some_and(|field| field.required));
}

fn with_output(desk: &mut Desk, name: &str, left: u64) {
    let url = "https://files.example/x.png".to_owned();
    let expires = Some(Wall(desk.now.wall.0 + i64::try_from(left * 1000).expect("a number")));
    let state = plantain::domain::OutputState::Away;
    let mut report = desk::report(name, Status::Success);
    report.outputs = vec![Output { url, role: "image".into(), expires, state }];
    desk.fleet(FleetMsg::Report(Box::new(report))).stored().seen();
}

#[test]
fn an_output_becomes_the_input_of_another_model_while_its_link_lives() {
    let mut desk = Desk::new();
    desk.running("A");
    with_output(&mut desk, "A", 3600);
    desk.press("esc y").typed("remover").press("enter enter").expect_but_drafts(["new B saved"]);
    assert!(desk.task("B").request.body.contains("https://files.example/x.png"));
    assert_eq!(kin(&desk, "B"), Some((desk.id("A"), How::Reference)));
    // The service has to fetch it: a link that ends first is of no use.
    let mut desk = Desk::new();
    desk.running("A");
    with_output(&mut desk, "A", 500);
    desk.press("esc y");
    assert!(desk.state.dialog.is_none());
    assert!(notice(&desk).contains("less than 9 minutes"), "{}", notice(&desk));
}

/// A long dialog: the link may end while it is open.
#[test]
fn a_link_that_ends_while_the_dialog_is_open_is_not_sent() {
    let mut desk = Desk::new();
    desk.running("A");
    with_output(&mut desk, "A", 700);
    desk.press("esc y").typed("remover").press("enter").later(secs(300)).seen();
    desk.press("enter").expect_but_drafts([]);
    assert!(notice(&desk).contains("works for less than"), "{}", notice(&desk));
}

#[test]
fn a_star_is_kept_and_taken_back() {
    let mut desk = Desk::new();
    desk.at_home("A").press("esc s").expect_but_drafts(["star A true"]);
    assert!(desk.task("A").starred);
    desk.stored();
    assert!(desk.killed().task("A").starred);
    desk.press("s").expect_but_drafts(["star A false"]);
}

/// In a window that only watches the star is a wish, and so is a new task; both say where they came from.
#[test]
fn a_window_that_only_watches_knows_stars_and_kin_too() {
    let mut desk = Desk::new();
    desk.at_home("A").press("esc");
    desk.state.standing.holds = false;
    desk.press("s");
    let star = |order: Option<&Order>| match order {
        Some(Order::Save(Change::Wish(wish))) => Some(wish.clone()),
        _ => None,
    };
    let wish = star(desk.last_order()).expect("a wish");
    assert!(desk.task("A").starred);
    desk.press(".");
    let Some(Order::Save(Change::Intent(task))) = desk.last_order() else { panic!("{:?}", desk.last_order()) };
    assert_eq!(task.kin, Some(Kin { parent: desk.id("A"), how: How::Again }));
    // The holder grants it.
    let mut holder = desk.killed();
    let task = holder.task("A").clone();
    assert!(!task.starred);
    holder.hear(Msg::Wished(vec![(wish, Some(task))]));
    assert!(holder.task("A").starred);
}

/// B6: one cause, one decision for all.
#[test]
fn what_is_held_for_one_cause_goes_on_together() {
    let mut desk = Desk::new();
    for n in 0..5 {
        desk.submit(&format!("fox {n}"));
    }
    desk.stored().stored().refused("A", Problem::Balance { message: "insufficient balance".into() });
    desk.refused("B", Problem::Balance { message: "insufficient balance".into() }).stored();
    desk.seen();
    let causes = failures(&desk.state);
    assert_eq!(causes.len(), 1);
    assert_eq!((causes[0].kind, causes[0].tasks.len()), (Kind::Quota, 2), "the others were not burnt");
    assert!(causes[0].next.as_ref().is_some_and(|next| next.contains("top up")));
    desk.press("esc E r");
    assert_eq!(desk.state.fleet.blocked(), None);
    assert!(desk.state.fleet.will_send(desk.id("A")) || desk.stage("A") == Stage::Saved);
    assert!(notice(&desk).contains("2 sent again"), "{}", notice(&desk));
    assert!(desk.state.dialog.is_none());
}

/// G5: decided for each at the moment it is done.
#[test]
fn what_moved_on_meanwhile_is_told_and_not_sent_twice() {
    let mut desk = Desk::new();
    for (name, n) in [("A", 1), ("B", 2), ("C", 3)] {
        ended(&mut desk, name, &format!("fox {n}"), failed("TASK_TIMEOUT", "too slow"));
    }
    desk.press("esc E");
    desk.press("r").expect_but_drafts([]);
    assert!(notice(&desk).contains("3 new tasks, each paid for"), "{}", notice(&desk));
    // Meanwhile another window has sent one of them again, and dropped none.
    let mut other = plantain::domain::Task::new(
        LocalId::from_random(99 << 64),
        std::sync::Arc::clone(&desk.task("A").request),
        desk.now.wall,
    );
    other.kin = Some(Kin { parent: desk.id("A"), how: How::Retry });
    desk.hear(Msg::Relatives(vec![other])).seen();
    desk.press("r");
    assert_eq!(desk.seen().iter().filter(|words| words.starts_with("new ")).count(), 2);
    assert!(notice(&desk).contains("2 sent again, 1 moved on already"), "{}", notice(&desk));
}

#[test]
fn causes_that_would_fail_again_are_not_repeated() {
    let mut desk = Desk::new();
    ended(&mut desk, "A", "fox 1", failed("TASK_FAILED", "no faces"));
    ended(&mut desk, "B", "fox 2", failed("TASK_FAILED", "no faces"));
    desk.press("esc E r r").expect_but_drafts([]);
    assert!(notice(&desk).contains("would most likely fail again"), "{}", notice(&desk));
    assert!(desk.state.dialog.is_some());
    desk.press("e");
    assert_eq!(desk.state.editor.origin(), Some(Kin { parent: desk.id("B"), how: How::Fix }));
}

#[test]
fn the_unsent_of_a_cause_are_dropped_together() {
    let mut desk = Desk::new();
    desk.submit("fox 1").submit("fox 2").stored().stored();
    for name in ["A", "B"] {
        desk.refused(name, Problem::Balance { message: "no".into() });
    }
    desk.stored().press("esc E X").seen();
    assert!(desk.state.table.is_empty() && desk.state.dialog.is_none());
}

/// B11: a success without an output is a failure of its own.
#[test]
fn nothing_delivered_is_a_cause_of_its_own() {
    let mut desk = Desk::new();
    desk.running("A").later(secs(3));
    let mut report = desk::report("A", Status::Success);
    report.outputs.clear();
    desk.fleet(FleetMsg::Report(Box::new(report))).stored().seen();
    let causes = failures(&desk.state);
    assert_eq!(causes.first().map(|cause| cause.kind), Some(Kind::Nothing));
    desk.press("esc E r");
    assert_eq!(kin(&desk, "B"), Some((desk.id("A"), How::Retry)));
}

/// D5: nothing of a message from outside steers anything; what it names may be anything.
#[test]
fn a_hostile_message_is_only_text() {
    let mut desk = Desk::new();
    let nasty = "\u{1b}[2Jaspect_ratio\u{202e} x".repeat(5000);
    ended(&mut desk, "A", "a fox", failed("E\u{1b}]0;x\u{7}", &nasty));
    desk.press("esc E e");
    assert_eq!(desk.state.editor.origin().map(|kin| kin.how), Some(How::Fix));
}
