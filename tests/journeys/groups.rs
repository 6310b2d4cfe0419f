//! Batches as groups: folding, counting, resting, dropping, trying again.

use std::collections::BTreeSet;
use std::sync::Arc;

use plantain::app::table::Line;
use plantain::app::{Dialog, Msg};
use plantain::domain::batch::{Mark, Member, Price};
use plantain::domain::{Failure, Holder, LocalId, Request, Stage, Standing, Status, Task, Wish};
use plantain::fleet::FleetMsg;
use plantain::time::Wall;

use kit::support::{Desk, secs};

fn id(n: u128) -> LocalId {
    LocalId::from_random(n << 64)
}

/// A task of a batch, or of none, as the store has it.
fn task(n: u128, batch: &str, status: Status) -> Task {
    let request = Request::new("m", None, serde_json::Map::new(), String::new(), format!("fox {n}"), None);
    let at = Wall(1_750_000_000_000 + i64::try_from(n).expect("small"));
    let mut task = Task::new(id(n), Arc::new(request), at);
    let mark = Mark { batch: batch.into(), row: format!("row{n}"), seed: Some(7) };
    task.mark = (!batch.is_empty()).then(|| Arc::new(mark));
    if status.stage() > Stage::Unsure && !matches!(status, Status::Refused(_)) {
        task.task_id = Some(format!("tk-{n}").parse().expect("an id"));
        task.times.note(Stage::Queued, at);
    }
    task.set(status, at);
    task
}

fn failed(code: &str) -> Status {
    Status::Failed(Failure { code: Some(code.into()), message: None })
}

/// A desk with these tasks on the disk, and the cursor in the table.
fn with(mut tasks: Vec<Task>) -> Desk {
    let mut desk = Desk::new();
    tasks.sort_by_key(|task| std::cmp::Reverse((task.created, task.id)));
    desk.store.tasks = tasks.iter().map(|task| (task.id, task.clone())).collect();
    desk.hear(Msg::Older { tasks, last: true }).press("esc");
    desk.seen();
    desk
}

/// So many of a batch that a restart has held.
fn held(count: u128) -> Desk {
    with((1..=count).map(|n| task(n, "foxes", Status::Saved)).collect())
}

fn rows(desk: &Desk) -> String {
    let (lines, cursor) = desk.state.table.window(50);
    let words = lines.iter().enumerate().map(|(at, line)| {
        let word = match line {
            Line::Group(name) => name.to_string(),
            Line::Task(id) => desk.state.fleet.task(*id).map(|t| t.request.prompt.clone()).unwrap_or_default(),
        };
        if cursor == Some(at) { format!("[{word}]") } else { word }
    });
    words.collect::<Vec<_>>().join(", ")
}

fn counts(desk: &Desk, batch: &str) -> Vec<(Stage, u64)> {
    let tally = desk.state.table.group(batch).expect("a group").tally();
    Stage::ALL.into_iter().map(|stage| (stage, tally.count(stage))).filter(|(_, count)| *count > 0).collect()
}

fn said(desk: &Desk) -> &str {
    desk.state.notice.as_ref().map_or("", |notice| notice.text.as_str())
}

#[test]
fn small_batches_are_open_and_fold() {
    let mut desk = with(vec![
        task(1, "", Status::Success),
        task(2, "hens", Status::Success),
        task(3, "foxes", Status::Success),
        task(4, "foxes", Status::Success),
    ]);
    desk.press("home");
    assert_eq!(rows(&desk), "[foxes], fox 4, fox 3, fox 2, fox 1", "a batch of one is a task");
    assert_eq!((desk.state.chosen(), desk.state.task()), (None, None));
    desk.press("j j space");
    assert_eq!(rows(&desk), "[foxes], fox 2, fox 1", "from a member, too");
    desk.press("j k enter j h");
    assert_eq!(rows(&desk), "[foxes], fox 2, fox 1");
    desk.press("z");
    assert_eq!(rows(&desk), "[foxes], fox 4, fox 3, fox 2, fox 1");
    desk.press("j z");
    assert_eq!(rows(&desk), "[foxes], fox 2, fox 1");
    desk.press("end space");
    assert!(said(&desk).contains("nothing to fold here"), "{}", said(&desk));
}

#[test]
fn large_ones_are_folded_and_what_comes_does_not_unfold_them() {
    let mut desk = held(11);
    assert_eq!(rows(&desk), "[foxes]");
    let more = task(12, "foxes", Status::Saved);
    desk.hear(Msg::Wished(vec![(Wish::Send(more.id), Some(more))]));
    assert_eq!((rows(&desk).as_str(), counts(&desk, "foxes")), ("[foxes]", vec![(Stage::Saved, 1), (Stage::Held, 11)]));
    desk.press("enter j enter");
    assert!(matches!(&desk.state.dialog, Some(Dialog::Detail { id: open, .. }) if *open == id(12)));
    desk.press("esc k enter");
    assert!(matches!(&desk.state.dialog, Some(Dialog::Batch { .. })), "a page about an open one");
    desk.press("q left");
    assert_eq!(rows(&desk), "[foxes]");
}

/// Only a part of it is loaded; what it comes to is right all the same, and stays so while more is loaded.
#[test]
fn what_is_not_loaded_counts() {
    let mut desk = Desk::new();
    let all: Vec<Task> = (1..=1000).map(|n| task(n, "foxes", Status::Success)).collect();
    let member = |task: &Task| Member {
        id: task.id,
        stage: task.status.stage(),
        price: Price { micros: Some(40_000), at_most: false },
        retried: false,
    };
    let page = |from: usize| all[from - 200..from].iter().rev().cloned().collect::<Vec<_>>();
    desk.press("esc").seen();
    desk.hear(Msg::Older { tasks: page(1000), last: false });
    assert!(desk.seen().contains(&"batch foxes".to_owned()));
    assert_eq!(counts(&desk, "foxes"), [(Stage::Success, 200)]);
    let members: Vec<Member> = all.iter().map(member).collect();
    let answer = Msg::Batch { name: "foxes".into(), members, failed: Vec::new() };
    desk.hear(answer.clone());
    assert_eq!(counts(&desk, "foxes"), [(Stage::Success, 1000)]);
    desk.hear(Msg::Older { tasks: page(800), last: false });
    assert_eq!(counts(&desk, "foxes"), [(Stage::Success, 1000)], "nobody is counted twice");
    desk.hear(answer);
    let tally = desk.state.table.group("foxes").expect("a group").tally();
    assert_eq!((tally.tasks(), tally.total().unknown), (1000, 200), "those that came first have no price here");
    assert!(!desk.seen().contains(&"batch foxes".to_owned()), "it is asked once");
}

#[test]
fn a_batch_rests_and_goes_on() {
    let mut desk = held(12);
    desk.press("r");
    desk.stored().stored().seen();
    assert_eq!(counts(&desk, "foxes"), [(Stage::Saved, 8), (Stage::Sending, 4)]);
    desk.press("P").expect(["rest foxes true"]);
    assert!(said(&desk).starts_with("paused: 8 "), "{}", said(&desk));
    let sending: Vec<LocalId> =
        desk.state.fleet.tasks().filter(|task| task.status == Status::Sending).map(|task| task.id).collect();
    for (n, id) in sending.iter().enumerate() {
        let accepted = plantain::domain::Accepted { task_id: format!("tk-{n}").parse().expect("an id"), replay: false };
        desk.fleet(FleetMsg::Submitted { id: *id, answer: plantain::domain::Answer::bare(Ok(accepted)) });
    }
    desk.stored().stored().later(secs(60));
    let all = counts(&desk, "foxes");
    assert!(all.contains(&(Stage::Saved, 8)) && all.iter().map(|(_, n)| n).sum::<u64>() == 12, "{all:?}");
    desk.seen();
    // A task on its own is not in its way.
    desk.submit("a hen").stored().stored();
    assert!(desk.seen().iter().any(|words| words.starts_with("submit ")));
    desk.press("esc").hear(Msg::Woke);
    desk.state.table.choose(id(1));
    desk.press("P");
    assert!(said(&desk).starts_with("it goes on: 8 "), "{}", said(&desk));
    desk.stored().stored();
    let submitted = desk.seen().iter().filter(|words| words.starts_with("submit ")).count();
    assert!(submitted > 0, "they go on in their turn");
}

/// The word holds over a restart; going on takes along what the restart has held.
#[test]
fn what_rests_still_rests_after_a_restart() {
    let resting: BTreeSet<String> = ["foxes".to_owned()].into();
    let mut desk = Desk::new();
    desk.hear(Msg::Stands(Standing { resting: resting.clone(), ..Standing::default() }));
    let tasks = (1..=3).map(|n| task(n, "foxes", Status::Saved)).collect();
    desk.hear(Msg::Older { tasks, last: true }).press("esc home").seen();
    desk.press("r");
    assert!(said(&desk).contains("P lets it go on"), "{}", said(&desk));
    desk.stored().stored().later(secs(60)).stored();
    assert!(!desk.seen().iter().any(|words| words.starts_with("submit ")));
    desk.press("P").stored().stored();
    assert_eq!(desk.seen().iter().filter(|words| words.starts_with("submit ")).count(), 3);

    let mut desk = Desk::new();
    desk.hear(Msg::Stands(Standing { resting, ..Standing::default() }));
    let tasks = (1..=3).map(|n| task(n, "foxes", Status::Saved)).collect();
    desk.hear(Msg::Older { tasks, last: true }).press("esc home P").stored().stored();
    assert_eq!(desk.seen().iter().filter(|words| words.starts_with("submit ")).count(), 3);
}

/// Another program says so; the queue of this one stops and goes on.
#[test]
fn another_window_lets_a_batch_rest() {
    let mut desk = held(12);
    desk.fleet(FleetMsg::Resting(["foxes".to_owned()].into())).press("r").stored().stored().later(secs(60));
    assert_eq!(counts(&desk, "foxes"), [(Stage::Saved, 12)]);
    desk.fleet(FleetMsg::Resting(BTreeSet::new())).stored();
    assert_eq!(counts(&desk, "foxes"), [(Stage::Saved, 8), (Stage::Sending, 4)]);
}

#[test]
fn the_unsent_are_dropped_after_a_question() {
    let mut desk = held(12);
    desk.press("r").stored().stored().seen();
    desk.press("X enter").expect([]);
    assert_eq!(counts(&desk, "foxes"), [(Stage::Saved, 8), (Stage::Sending, 4)], "no is the first answer");
    desk.press("X down enter").expect(["drop 8"]);
    assert_eq!((rows(&desk).matches("fox").count(), counts(&desk, "foxes")), (5, vec![(Stage::Sending, 4)]));
    assert!(said(&desk).starts_with("dropped 8"), "{}", said(&desk));
    desk.press("home X").expect([]);
    assert!(desk.state.dialog.is_none() && said(&desk).contains("nothing to drop"), "{}", said(&desk));
}

/// What failed for a reason that passes is sent once more, under new names; the rest is said to need a change.
#[test]
fn failures_that_pass_are_tried_again_once() {
    let codes = ["TASK_TIMEOUT", "TASK_FAILED", "STORAGE_UNAVAILABLE"];
    let mut desk =
        with((1..=12).map(|n| task(n, "foxes", failed(codes[usize::try_from(n % 3).expect("small")]))).collect());
    assert_eq!(rows(&desk), "[foxes]");
    desk.press("r enter").expect([]);
    assert!(desk.state.dialog.is_none(), "no is the first answer");
    desk.press("r down enter");
    let made: Vec<&Task> =
        desk.state.fleet.tasks().filter(|task| task.status == Status::Saved).map(AsRef::as_ref).collect();
    assert_eq!((made.len(), counts(&desk, "foxes")), (8, vec![(Stage::Saved, 8), (Stage::Failed, 12)]));
    for task in &made {
        let mark = task.mark.as_ref().expect("of the same batch");
        assert!(mark.row.ends_with("~2") && mark.batch == "foxes" && mark.seed == Some(7), "{mark:?}");
        assert!(task.id != id(1) && task.task_id.is_none());
    }
    assert!(said(&desk).contains("8 sent once more") && said(&desk).contains('4'), "{}", said(&desk));
    assert_eq!(desk.seen().iter().filter(|words| words.starts_with("new ")).count(), 8);
    desk.press("r").expect([]);
    assert!(said(&desk).contains("4 need a change"), "{}", said(&desk));
    // After a restart the store says so.
    let tasks: Vec<Task> = (1..=12).map(|n| task(n, "foxes", failed("TASK_TIMEOUT"))).collect();
    let member =
        |task: &Task| Member { id: task.id, stage: Stage::Failed, price: Price::default(), retried: task.id == id(1) };
    let members = tasks.iter().map(member).collect();
    let mut desk = with(tasks);
    desk.hear(Msg::Batch { name: "foxes".into(), members, failed: Vec::new() });
    assert_eq!(desk.state.retry_of("foxes").again.len(), 11);
}

/// The failures come with the counts, however old they are.
#[test]
fn failures_that_are_not_loaded_are_brought() {
    let mut desk = with(vec![task(20, "foxes", Status::Success), task(19, "foxes", Status::Success)]);
    let old: Vec<Task> = (1..=12).map(|n| task(n, "foxes", failed("TASK_TIMEOUT"))).collect();
    let members =
        old.iter().map(|task| Member { id: task.id, stage: Stage::Failed, price: Price::default(), retried: false });
    desk.hear(Msg::Batch { name: "foxes".into(), members: members.collect(), failed: old.clone() });
    assert_eq!(counts(&desk, "foxes"), [(Stage::Failed, 12), (Stage::Success, 2)]);
    assert_eq!(desk.state.retry_of("foxes").again.len(), 12);
}

fn watching(desk: &mut Desk) {
    let holder = Holder { pid: 7, ..Holder::default() };
    desk.hear(Msg::Stands(Standing { holds: false, holder: Some(holder), ..Standing::default() })).seen();
}

/// A window that only watches says what its user wants; what rests is written for all.
#[test]
fn a_window_that_watches_leaves_it_to_the_holder() {
    let mut desk = held(12);
    watching(&mut desk);
    desk.press("P").expect(["rest foxes true"]);
    desk.press("P").expect(["rest foxes false"]);
    desk.press("X down enter").expect(["wish Drop(\"foxes\")"]);
    assert!(said(&desk).contains("the other window"), "{}", said(&desk));
    desk.press("r");
    assert_eq!(desk.seen().iter().filter(|words| words.starts_with("wish Send")).count(), 12);
    let holder = Holder { pid: 7, ..Holder::default() };
    let standing = Standing { holds: false, holder: Some(holder), ..Standing::default() };
    let gone: Vec<LocalId> = (1..=10).map(id).collect();
    desk.hear(Msg::Mirrored { tasks: Vec::new(), gone, standing: standing.clone() });
    assert_eq!(counts(&desk, "foxes"), [(Stage::Held, 2)]);
    let resting = ["foxes".to_owned()].into();
    desk.hear(Msg::Mirrored { tasks: Vec::new(), gone: Vec::new(), standing: Standing { resting, ..standing } });
    assert!(desk.state.fleet.resting().contains("foxes"));
    // Whoever takes over knows what rests.
    desk.hear(Msg::TookOver((11..=12).map(|n| task(n, "foxes", Status::Held(None))).collect()));
    desk.press("r").stored().stored().later(secs(60));
    assert!(!desk.seen().iter().any(|words| words.starts_with("submit ")), "it still rests");
}

#[test]
fn the_holder_drops_for_others() {
    let mut desk = held(12);
    desk.hear(Msg::Wished(vec![(Wish::Drop("foxes".into()), None)])).expect(["drop 12"]);
    assert_eq!((rows(&desk).as_str(), desk.state.table.len()), ("", 0));
    assert_eq!(desk.state.table.at(), None);
}

#[test]
fn what_is_about_one_task_says_so() {
    let mut desk = held(12);
    for key in ["e", "f", "d", "u", "a"] {
        desk.press(key).expect([]);
        assert!(said(&desk).contains("about one task"), "{key}: {}", said(&desk));
        assert!(desk.state.dialog.is_none());
    }
}
