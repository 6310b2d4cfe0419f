//! The store from outside: what was written is there again, whatever happened in between.

use std::path::Path;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use plantain::domain::{
    Change, Draft, Failure, GivenUp, Home, How, Kin, Lesson, LocalId, Output, OutputState, Problem, Request, Stage,
    Status, Task, TaskId,
};
use plantain::store::{FILE, FOUND, Store, StoreError, StoreProblem};
use plantain::time::Wall;
use proptest::prelude::*;
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn open(dir: &Path) -> Store {
    Store::open(dir).expect("a store")
}

fn request(prompt: &str) -> Arc<Request> {
    let input = serde_json::json!({ "prompt": prompt, "n": 1.5, "ref": ["https://x.example/é"] });
    let input = input.as_object().cloned().unwrap_or_default();
    Arc::new(Request::new("m/text", Some("ext"), input, format!("{prompt} {{a|b}}"), prompt.into(), None))
}

fn task(n: u128) -> Task {
    // Multiplied so that the ids differ from their first digits on.
    let id = LocalId::from_random(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    Task::new(id, request(&format!("fox {n}")), Wall(1000 + i64::try_from(n).expect("small")))
}

fn in_stage(n: u128, status: Status) -> Task {
    let mut task = task(n);
    task.set(status, Wall(5000));
    task
}

/// Applies a change and waits for what comes of it.
fn apply(store: &Store, change: Change) -> Result<(), StoreProblem> {
    let (sender, inbox) = mpsc::channel();
    store.apply(change, move |result| sender.send(result).expect("a listener"));
    inbox.recv().expect("an answer")
}

fn add(store: &Store, task: &Task) {
    apply(store, Change::New(Box::new(task.clone()))).expect("stored");
}

fn progress(store: &Store, task: &Task) -> Result<(), StoreProblem> {
    apply(store, Change::Progress(Box::new(task.clone())))
}

fn get(store: &Store, id: LocalId) -> Task {
    store.task(id).expect("a read").expect("a task")
}

fn problems() -> Vec<Problem> {
    let m = || "mes\"sage\u{1b}[2J\n".to_owned();
    let tk: TaskId = "tk-hiapi-1".parse().expect("an id");
    vec![
        Problem::Auth { message: m() },
        Problem::Forbidden { message: m() },
        Problem::Balance { message: m() },
        Problem::Limit { retry_after: Some(3) },
        Problem::Limit { retry_after: None },
        Problem::Busy { retry_after: None, message: m() },
        Problem::Processing { retry_after: Some(5), task_id: Some(tk) },
        Problem::Processing { retry_after: None, task_id: None },
        Problem::Mismatch { message: m() },
        Problem::Rejected { status: 400, code: Some("X".into()), message: m() },
        Problem::Rejected { status: 413, code: None, message: String::new() },
        Problem::NotFound { message: m() },
        Problem::Server { status: 502, message: m() },
        Problem::Network { sent: true, message: m() },
        Problem::Certificate { host: m(), message: m() },
        Problem::Network { sent: false, message: m() },
        Problem::Odd { status: 200, message: m() },
        Problem::Local { message: m() },
    ]
}

fn statuses() -> Vec<Status> {
    let mut all = vec![
        Status::Saved,
        Status::Held(None),
        Status::Sending,
        Status::Unsure(None),
        Status::Queued,
        Status::Handling,
        Status::Unknown("melting".into()),
        Status::Archiving,
        Status::Handling.missed(),
        Status::Unknown("melting".into()).missed(),
        Status::GivenUp(GivenUp::default()),
        Status::GivenUp(GivenUp { problem: Some(problems().remove(0)), anew: Some(LocalId::from_random(7)) }),
        Status::Failed(Failure::default()),
        Status::Failed(Failure { code: Some("TASK_FAILED".into()), message: Some("no".into()) }),
        Status::Success,
    ];
    for problem in problems() {
        all.push(Status::Held(Some(problem.clone())));
        all.push(Status::Unsure(Some(problem.clone())));
        all.push(Status::Refused(problem));
    }
    all
}

fn output(state: OutputState) -> Output {
    Output { url: "https://x.example/0".into(), role: "image".into(), expires: Some(Wall(9_000)), state }
}

fn home(file: &str) -> OutputState {
    OutputState::Home(Home {
        file: file.into(),
        bytes: 1 << 40,
        sha256: "ab".repeat(32),
        format: "png".into(),
        width: Some(5),
        height: None,
    })
}

#[test]
fn every_status_and_output_comes_back_as_it_was() {
    let dir = folder();
    let mut written = Vec::new();
    {
        let store = open(dir.path());
        for (n, status) in (0..).zip(statuses()) {
            let mut task = in_stage(n, status);
            task.outputs = vec![
                output(OutputState::Away),
                output(home("/out/fox.png")),
                output(OutputState::Lost { why: "expired".into() }),
                Output { expires: None, ..output(OutputState::Away) },
            ];
            task.task_id = (n % 2 == 0).then(|| format!("tk-{n}").parse().expect("an id"));
            task.completed = (n % 3 == 0).then_some(Wall(7));
            add(&store, &task);
            written.push(task);
        }
    }
    let store = open(dir.path());
    for task in &written {
        assert_eq!(&get(&store, task.id), task);
    }
    written.sort_by_key(|task| std::cmp::Reverse((task.created, task.id)));
    assert_eq!(store.newest(usize::MAX, None).expect("a read"), written);
}

#[test]
fn progress_is_kept_and_the_request_is_not_touched() {
    let (dir, store) = {
        let dir = folder();
        let store = open(dir.path());
        (dir, store)
    };
    let mut task = task(1);
    add(&store, &task);
    for status in [Status::Sending, Status::Saved, Status::Sending, Status::Unsure(None), Status::Queued] {
        task.set(status, Wall(2000));
        progress(&store, &task).expect("stored");
        assert_eq!(get(&store, task.id), task);
    }
    task.task_id = Some("tk-1".parse().expect("an id"));
    task.set(Status::Success, Wall(3000));
    task.outputs = vec![output(OutputState::Away)];
    task.completed = Some(Wall(2900));
    progress(&store, &task).expect("stored");
    task.outputs[0].state = home("/out/a.png");
    progress(&store, &task).expect("stored");
    assert_eq!(get(&store, task.id), task);
    drop(store);
    assert_eq!(get(&open(dir.path()), task.id), task);
}

/// A13, across windows: what ended stays ended, what is accepted stays accepted, what is here stays here.
#[test]
fn a_status_never_goes_back() {
    let dir = folder();
    let (store, other) = (open(dir.path()), open(dir.path()));
    let task_id: TaskId = "tk-1".parse().expect("an id");
    let mut mine = in_stage(1, Status::Queued);
    mine.task_id = Some(task_id.clone());
    add(&store, &mine);
    for old in [Status::Saved, Status::Held(None), Status::Sending, Status::Unsure(None)] {
        let mut stale = in_stage(1, old);
        stale.task_id = None;
        progress(&other, &stale).expect("ignored");
        assert_eq!(get(&store, mine.id), mine);
    }
    mine.set(Status::Success, Wall(6000));
    mine.outputs = vec![output(home("/out/a.png"))];
    progress(&store, &mine).expect("stored");
    for old in [Status::Handling, Status::Unknown("x".into()), Status::Failed(Failure::default())] {
        progress(&other, &in_stage(1, old)).expect("ignored");
        assert_eq!(get(&store, mine.id), mine);
    }
    // A fresh link from a window that has not heard of the file.
    let mut stale = mine.clone();
    stale.outputs = vec![output(OutputState::Away)];
    progress(&other, &stale).expect("stored");
    assert_eq!(get(&store, mine.id), mine);
    // One key, two names at the service: a person must look.
    let mut odd = mine.clone();
    odd.task_id = Some("tk-2".parse().expect("an id"));
    assert!(matches!(progress(&store, &odd), Err(StoreProblem::Disk(_))));
    assert_eq!(store.known(&task_id), Ok(Some(mine.id)));
    assert_eq!(get(&store, mine.id), mine);
}

#[test]
fn a_bad_change_fails_alone() {
    let (_dir, store) = {
        let dir = folder();
        let store = open(dir.path());
        (dir, store)
    };
    add(&store, &task(1));
    let results = Arc::new(Mutex::new(Vec::new()));
    let mut twin = task(3);
    twin.task_id = Some("tk-1".parse().expect("an id"));
    let mut first = task(2);
    first.task_id = twin.task_id.clone();
    let changes = [
        Change::New(Box::new(first)),
        Change::New(Box::new(task(1))),
        Change::New(Box::new(twin)),
        Change::Progress(Box::new(task(99))),
        Change::Forget(task(98).id),
        Change::New(Box::new(task(4))),
    ];
    for (n, change) in changes.into_iter().enumerate() {
        let results = Arc::clone(&results);
        store.apply(change, move |result| results.lock().expect("a list").push((n, result)));
    }
    store.flush();
    let expected = vec![
        (0, Ok(())),
        (1, Err(StoreProblem::Exists(task(1).id))),
        (2, Err(StoreProblem::Exists(task(3).id))),
        (3, Err(StoreProblem::Missing(task(99).id))),
        (4, Ok(())),
        (5, Ok(())),
    ];
    assert_eq!(*results.lock().expect("a list"), expected);
    assert_eq!(store.newest(10, None).expect("a read").len(), 3);
}

#[test]
fn only_what_was_never_sent_is_forgotten() {
    let (_dir, store) = {
        let dir = folder();
        let store = open(dir.path());
        (dir, store)
    };
    for (n, status) in (0..).zip(statuses()) {
        let mut task = in_stage(n, status);
        task.outputs = vec![output(OutputState::Away)];
        add(&store, &task);
        let expected = if matches!(task.status.stage(), Stage::Saved | Stage::Held) {
            Ok(())
        } else {
            Err(StoreProblem::Sent(task.id))
        };
        assert_eq!(apply(&store, Change::Forget(task.id)), expected, "{:?}", task.status);
        assert_eq!(store.task(task.id).expect("a read").is_none(), expected.is_ok());
    }
}

#[test]
fn pages_follow_each_other_without_gaps() {
    let (_dir, store) = {
        let dir = folder();
        let store = open(dir.path());
        (dir, store)
    };
    let mut ids = Vec::new();
    for n in 0..50 {
        let mut task = task(n);
        task.created = Wall(i64::try_from(n / 7).expect("small"));
        store.apply(Change::New(Box::new(task.clone())), |result| result.expect("stored"));
        ids.push((task.created, task.id));
    }
    ids.sort_by(|a, b| b.cmp(a));
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = store.newest(8, before).expect("a read");
        let Some(last) = page.last() else { break };
        before = Some((last.created, last.id));
        seen.extend(page.iter().map(|task| (task.created, task.id)));
    }
    assert_eq!(seen, ids);
    assert!(store.newest(0, None).expect("a read").is_empty());
}

#[test]
fn the_unfinished_and_the_counts() {
    let (_dir, store) = {
        let dir = folder();
        let store = open(dir.path());
        (dir, store)
    };
    let mut expected = Vec::new();
    let mut n = 0;
    for stage in Stage::ALL {
        let status = statuses().into_iter().find(|s| s.stage() == stage).expect("a status");
        add(&store, &in_stage(n, status));
        if !stage.is_final() {
            expected.push(task(n).id);
        }
        n += 1;
    }
    for (state, unfinished) in
        [(OutputState::Away, true), (home("/a"), false), (OutputState::Lost { why: "gone".into() }, false)]
    {
        let mut task = in_stage(n, Status::Success);
        task.outputs = vec![output(home("/b")), output(state)];
        add(&store, &task);
        if unfinished {
            expected.push(task.id);
        }
        n += 1;
    }
    expected.reverse();
    let found: Vec<_> = store.unfinished().expect("a read").iter().map(|task| task.id).collect();
    assert_eq!(found, expected);
    let mut counts: Vec<_> = Stage::ALL.iter().map(|stage| (*stage, 1)).collect();
    counts.last_mut().expect("success").1 = 4;
    assert_eq!(store.counts(), Ok(counts));
}

#[test]
fn tasks_are_found_by_the_beginning_of_a_name() {
    let (_dir, store) = {
        let dir = folder();
        let store = open(dir.path());
        (dir, store)
    };
    for n in 0..60 {
        let mut task = task(n);
        task.task_id = Some(format!("tk-hiapi-{n:03}").parse().expect("an id"));
        store.apply(Change::New(Box::new(task)), |result| result.expect("stored"));
    }
    let ids = |prefix: &str| -> Vec<_> { store.find(prefix).expect("a read").iter().map(|task| task.id).collect() };
    let seven = task(7).id;
    assert_eq!(ids(&seven.to_string()), [seven]);
    assert_eq!(ids(&format!(" {} ", seven.short().to_uppercase())), [seven]);
    assert_eq!(ids("tk-hiapi-007"), [seven]);
    assert_eq!(ids("tk-hiapi-00").len(), 10);
    assert_eq!(ids("tk-").len(), FOUND);
    for nothing in ["", "  ", "tk-hiapi-x", "%", "_", "' OR 1", "ü"] {
        assert!(ids(nothing).is_empty(), "{nothing}");
    }
}

#[test]
fn every_model_has_a_draft_and_the_latest_comes_first() {
    let dir = folder();
    let store = open(dir.path());
    assert_eq!(store.draft(), Ok(None));
    let fields = serde_json::json!({ "z": 1, "a": "x" }).as_object().cloned().unwrap_or_default();
    for prompt in ["a fox", "a fox in snow\n\u{1F98A}"] {
        let draft = Draft { model: "m".into(), prompt: prompt.into(), fields: fields.clone(), ..Draft::default() };
        apply(&store, Change::Draft(draft.clone())).expect("stored");
        assert_eq!(store.draft(), Ok(Some(draft)));
    }
    let other = Draft { model: "n".into(), prompt: "an owl".into(), ..Draft::default() };
    apply(&store, Change::Draft(other.clone())).expect("stored");
    drop(store);
    // What cannot be read, and what a newer program added, do no harm.
    sql(dir.path(), "INSERT INTO drafts VALUES ('o', '{', 90), ('p', '{\"prompt\":\"p\",\"mood\":1}', 91)");
    let drafts = open(dir.path()).drafts().expect("a read");
    let seen: Vec<_> = drafts.iter().map(|draft| (draft.model.as_str(), draft.prompt.as_str())).collect();
    assert_eq!(seen, [("", "p"), ("n", "an owl"), ("m", "a fox in snow\n\u{1F98A}")]);
    assert_eq!(drafts[2].fields, fields);
}

/// What was given before the end is there after it; what was flushed is there without an end.
#[test]
fn nothing_given_is_lost() {
    let dir = folder();
    let store = open(dir.path());
    let count = Arc::new(Mutex::new(0));
    for n in 0..1200 {
        let count = Arc::clone(&count);
        store.apply(Change::New(Box::new(task(n))), move |result| {
            result.expect("stored");
            *count.lock().expect("a count") += 1;
        });
    }
    store.close();
    assert_eq!(*count.lock().expect("a count"), 1200);

    let store = open(dir.path());
    add(&store, &task(5000));
    // As a killed program would: nothing is closed.
    std::mem::forget(store);
    let store = open(dir.path());
    assert_eq!(get(&store, task(5000).id), task(5000));
    assert_eq!(store.newest(5000, None).expect("a read").len(), 1201);
}

/// I9: a queue has an end; what is beyond it is told so at once, and the rest is done.
#[test]
fn what_does_not_fit_is_refused_at_once() {
    let dir = folder();
    let store = open(dir.path());
    let (go, wait) = mpsc::channel::<()>();
    store.apply(Change::New(Box::new(task(1))), move |_| wait.recv().expect("a sign"));
    let (sender, results) = mpsc::channel();
    let mut given = 0;
    let refused = loop {
        let sender = sender.clone();
        store.apply(Change::Draft(Draft::default()), move |result| sender.send(result).expect("a listener"));
        given += 1;
        // Only a refusal can answer while the thread stands still.
        if let Ok(result) = results.try_recv() {
            break result;
        }
    };
    assert_eq!(refused, Err(StoreProblem::Full));
    assert!(given >= 10_000);
    go.send(()).expect("a listener");
    drop((sender, store));
    let done = results.iter().collect::<Vec<_>>();
    assert_eq!(done, vec![Ok(()); given - 1]);
}

/// The last owner may be a callback.
#[test]
fn a_store_may_be_dropped_on_its_own_thread() {
    let dir = folder();
    let store = Arc::new(open(dir.path()));
    let (sender, inbox) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    let last = Arc::clone(&store);
    store.apply(Change::New(Box::new(task(1))), move |result| {
        let _ = wait.recv();
        drop(last);
        let _ = sender.send(result);
    });
    drop(store);
    go.send(()).expect("a listener");
    assert_eq!(inbox.recv(), Ok(Ok(())));
}

#[test]
fn reads_with_a_callback_see_what_was_written_before() {
    let (_dir, store) = {
        let dir = folder();
        let store = open(dir.path());
        (dir, store)
    };
    let (sender, inbox) = mpsc::channel();
    store.apply(Change::New(Box::new(task(1))), |_| {});
    let id = task(1).id;
    let send = |sender: &mpsc::Sender<usize>| {
        let sender = sender.clone();
        move |n: usize| sender.send(n).expect("a listener")
    };
    let tell = send(&sender);
    store.newest_then(10, None, move |tasks| tell(tasks.expect("a read").len()));
    let tell = send(&sender);
    store.unfinished_then(move |tasks| tell(tasks.expect("a read").len()));
    let tell = send(&sender);
    store.find_then(&id.short(), move |tasks| tell(tasks.expect("a read").len()));
    let tell = send(&sender);
    store.counts_then(move |counts| tell(counts.expect("a read").len()));
    let tell = send(&sender);
    store.task_then(id, move |task| tell(usize::from(task.expect("a read").is_some())));
    drop(sender);
    assert_eq!(inbox.iter().take(5).collect::<Vec<_>>(), [1; 5]);
}

/// C14, in small: several windows write at once, and nobody loses anything.
#[test]
fn two_stores_on_one_folder() {
    let dir = folder();
    let path = dir.path().to_owned();
    std::thread::scope(|scope| {
        for window in 0..4u128 {
            let path = path.clone();
            scope.spawn(move || {
                let store = open(&path);
                for n in 0..25 {
                    add(&store, &task(window * 100 + n));
                }
            });
        }
    });
    assert_eq!(open(&path).newest(1000, None).expect("a read").len(), 100);
}

fn sql(dir: &Path, text: &str) {
    rusqlite::Connection::open(dir.join(FILE)).expect("opens").execute_batch(text).expect("runs");
}

/// C12: what cannot be read is named and left as it is.
#[test]
fn files_that_are_not_ours() {
    let dir = folder();
    let file = dir.path().join(FILE);
    let refused = |what: &str| {
        let before = std::fs::read(&file).expect("a file");
        let error = Store::open(dir.path()).expect_err(what);
        assert!(std::fs::read(&file).expect("a file") == before, "{what} was changed");
        error
    };

    drop(open(dir.path()));
    sql(dir.path(), "PRAGMA journal_mode=delete; PRAGMA user_version = 99;");
    assert_eq!(refused("newer"), StoreError::Newer { path: file.clone(), version: 99 });

    sql(dir.path(), "PRAGMA user_version = 1; DROP TABLE outputs;");
    assert!(matches!(refused("a table is missing"), StoreError::Broken { .. }));

    std::fs::remove_file(&file).expect("gone");
    sql(dir.path(), "CREATE TABLE bookmarks (x); PRAGMA user_version = 0;");
    let error = refused("of another program");
    assert!(matches!(&error, StoreError::Broken { why, .. } if why.contains("another program")), "{error}");

    for junk in [&b"this is no database, but it is long enough to look at"[..], &[0xff; 8192]] {
        std::fs::write(&file, junk).expect("written");
        let error = refused("junk");
        assert!(matches!(&error, StoreError::Broken { why, .. } if why.contains("not a database")), "{error}");
    }

    // An empty file holds nothing that could be lost.
    std::fs::write(&file, b"").expect("written");
    drop(open(dir.path()));
}

/// A database whose end is missing is refused or readable in part, but never a panic and never rewritten.
#[test]
fn a_torn_file_is_no_panic() {
    let dir = folder();
    let store = open(dir.path());
    for n in 0..200 {
        store.apply(Change::New(Box::new(task(n))), |_| {});
    }
    store.close();
    let file = dir.path().join(FILE);
    let whole = std::fs::read(&file).expect("a file");
    for keep in [100, 4096, whole.len() / 2, whole.len() - 4096] {
        std::fs::write(&file, &whole[..keep]).expect("written");
        match Store::open(dir.path()) {
            Ok(store) => {
                let _ = (store.newest(1000, None), store.unfinished(), store.counts());
            }
            Err(error) => assert!(matches!(error, StoreError::Broken { .. }), "{error}"),
        }
        for rest in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(dir.path().join(format!("{FILE}{rest}")));
        }
    }
}

/// C6, C18: places where nothing can be written.
#[test]
fn places_that_cannot_be_written() {
    let dir = folder();
    std::fs::write(dir.path().join("file"), "x").expect("written");
    for place in ["file", "file/below"] {
        let error = Store::open(&dir.path().join(place)).expect_err("no folder");
        assert!(matches!(error, StoreError::Unwritable { .. }), "{error}");
    }
    std::fs::create_dir_all(dir.path().join("odd").join(FILE)).expect("a folder");
    let error = Store::open(&dir.path().join("odd")).expect_err("no file");
    assert!(matches!(error, StoreError::Unwritable { .. }), "{error}");
}

/// I-3: nobody else reads the prompts.
#[cfg(unix)]
#[test]
fn the_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder();
    let place = dir.path().join("a/b");
    let store = open(&place);
    add(&store, &task(1));
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&place), 0o700);
    for entry in std::fs::read_dir(&place).expect("a list") {
        let path = entry.expect("an entry").path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

/// A row is not lost because a part of it cannot be read.
#[test]
fn what_was_learned_is_replaced_and_comes_back() {
    let dir = folder();
    let lesson = |about: &str, text: &str| Lesson { about: about.into(), text: text.into() };
    {
        let store = open(dir.path());
        assert_eq!(store.learned(), Ok(Vec::new()));
        apply(&store, Change::Learned(vec![lesson("a", "1"), lesson("b\u{1f}2K", "2")])).expect("stored");
        apply(&store, Change::Learned(vec![lesson("a", "3")])).expect("stored");
    }
    // A row that is no text is passed over.
    sql(dir.path(), "INSERT INTO learned VALUES ('c', x'ff00')");
    assert_eq!(open(dir.path()).learned(), Ok(vec![lesson("a", "3"), lesson("b\u{1f}2K", "2")]));
}

/// A database of the format before: nothing in it is lost.
#[test]
fn an_older_database_learns_what_came_later() {
    let (dir, now) = (folder(), folder());
    add(&open(now.path()), &task(1));
    let first = include_str!("../src/store/migrations/001-tasks.sql");
    let second = include_str!("../src/store/migrations/002-windows.sql");
    let old = "id, task_id, model, route, body, template, prompt, stage, status, times, created, completed";
    sql(
        dir.path(),
        &format!(
            "{first}; {second}; PRAGMA user_version = 2; ATTACH '{}' AS now;
            INSERT INTO tasks ({old}) SELECT {old} FROM now.tasks;
            INSERT INTO draft VALUES (1, 'm', 'a fox', '{{\"n\":1}}')",
            now.path().join(FILE).display()
        ),
    );
    let store = open(dir.path());
    assert_eq!(get(&store, task(1).id), task(1));
    let drafts = store.drafts().expect("drafts");
    assert_eq!(drafts.iter().map(|draft| (draft.model.as_str(), draft.prompt.as_str())).next(), Some(("m", "a fox")));
    apply(&store, Change::Learned(vec![Lesson { about: "a".into(), text: "1".into() }])).expect("stored");
    assert_eq!(store.learned().map(|all| all.len()), Ok(1));
}

#[test]
fn where_a_task_came_from_is_written_once_and_a_star_by_itself() {
    let dir = folder();
    let store = open(dir.path());
    let child = |n: u128, parent: u128| {
        let mut child = task(n);
        child.kin = Some(Kin { parent: task(parent).id, how: How::Promote });
        child
    };
    for task in [task(1), child(2, 1), child(3, 2), child(4, 1), task(5)] {
        add(&store, &task);
    }
    apply(&store, Change::Star(task(2).id, true)).expect("stored");
    // Whoever writes a status knows nothing of the star, and changes nothing of the parent.
    let mut known = task(2);
    known.set(Status::Sending, Wall(9));
    apply(&store, Change::Progress(Box::new(known))).expect("stored");
    let found = get(&store, task(2).id);
    assert_eq!((found.starred, found.kin), (true, child(2, 1).kin));
    let family = |n: u128| -> Vec<LocalId> {
        store.family(task(n).id).expect("a read").into_iter().map(|task| task.id).collect()
    };
    let mut whole: Vec<LocalId> = [1u128, 2, 3, 4].map(|n| task(n).id).into();
    whole.sort();
    for n in [1, 3, 4] {
        let mut found = family(n);
        found.sort();
        assert_eq!(found, whole, "of {n}");
    }
    assert_eq!(family(5), [task(5).id]);
    assert_eq!(family(77), []);
    apply(&store, Change::Star(task(2).id, false)).expect("stored");
    apply(&store, Change::Star(task(99).id, true)).expect("nobody is there to be starred");
    assert!(!get(&store, task(2).id).starred);
    store.close();
    // A ring, and words of a newer program: what can be read is.
    let parent = task(3).id;
    sql(dir.path(), &format!("UPDATE tasks SET parent = '{parent}', how = 'cloned' WHERE parent IS NULL"));
    let store = open(dir.path());
    assert_eq!(store.family(task(1).id).map(|all| all.len()), Ok(5));
    assert_eq!(get(&store, task(1).id).kin, Some(Kin { parent, how: How::Vary }));
}

#[test]
fn damaged_rows_are_read_as_far_as_they_go() {
    let dir = folder();
    let store = open(dir.path());
    for (n, status) in [(1, Status::Sending), (2, Status::Success), (3, Status::Queued), (4, Status::Saved)] {
        add(&store, &in_stage(n, status));
    }
    store.close();
    sql(dir.path(), "UPDATE tasks SET status = '{', times = 'x', body = 'torn', task_id = '../x' WHERE rowid = 1");
    sql(dir.path(), "UPDATE tasks SET status = '{\"word\":\"new\"}' WHERE rowid IN (2, 3)");
    sql(dir.path(), "UPDATE tasks SET id = 'nonsense' WHERE rowid = 4");
    let store = open(dir.path());
    let found = store.newest(10, None).expect("a read");
    assert_eq!(
        found.iter().map(|t| t.status.stage()).collect::<Vec<_>>(),
        [Stage::Queued, Stage::Success, Stage::Unsure]
    );
    assert_eq!((found[2].request.body.as_str(), found[2].request.model.as_str()), ("torn", "m/text"));
    assert_eq!(found[2].task_id, None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Any order and any repeats of the same news, from two windows, end in the same stage.
    #[test]
    fn news_in_any_order_end_alike(order in proptest::collection::vec((0usize..5, any::<bool>()), 1..20)) {
        let dir = folder();
        let windows = [open(dir.path()), open(dir.path())];
        add(&windows[0], &in_stage(1, Status::Sending));
        let news = [Status::Sending, Status::Queued, Status::Handling, Status::Archiving, Status::Success];
        let mut best = Stage::Sending;
        for (n, second) in order {
            progress(&windows[usize::from(second)], &in_stage(1, news[n].clone())).expect("stored or ignored");
            best = best.max(news[n].stage());
        }
        prop_assert_eq!(get(&windows[1], task(1).id).status.stage(), best);
    }

    /// Text comes back byte for byte, whatever is in it.
    #[test]
    fn any_text_comes_back(prompt in any::<String>(), why in any::<String>()) {
        let dir = folder();
        let store = open(dir.path());
        let mut task = Task::new(task(1).id, request(&prompt), Wall(i64::MIN));
        task.set(Status::Refused(Problem::Auth { message: why.clone() }), Wall(i64::MAX));
        task.outputs = vec![output(OutputState::Lost { why })];
        add(&store, &task);
        prop_assert_eq!(get(&store, task.id), task);
    }
}

/// F10: before the format changes, a copy of the old one is kept, and only one.
#[test]
fn a_copy_is_kept_before_the_format_changes() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(plantain::store::FILE);
    let old = rusqlite::Connection::open(&path).expect("opens");
    old.execute_batch(include_str!("../src/store/migrations/001-tasks.sql")).expect("made");
    old.execute_batch(
        "INSERT INTO draft (one, model, prompt, fields) VALUES (1, 'm', 'an old draft', '{}');
         PRAGMA user_version = 1;",
    )
    .expect("filled");
    drop(old);
    std::fs::write(dir.path().join("plantain.db.before-0"), "older").expect("written");
    let store = Store::open(dir.path()).expect("opens");
    assert_eq!(store.draft().expect("read").map(|draft| draft.prompt).as_deref(), Some("an old draft"));
    drop(store);
    let mut names: Vec<String> = std::fs::read_dir(dir.path())
        .expect("listed")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("before"))
        .collect();
    names.sort();
    assert_eq!(names, ["plantain.db.before-1"]);
    let copy = dir.path().join("plantain.db.before-1");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&copy).expect("there").permissions());
    assert_eq!(mode & 0o077, 0, "for this user alone");
    let copy = rusqlite::Connection::open(copy).expect("opens");
    let (version, prompt): (i64, String) = copy
        .query_row("SELECT (SELECT user_version FROM pragma_user_version), prompt FROM draft", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .expect("read");
    assert_eq!((version, prompt.as_str()), (1, "an old draft"));
    drop(Store::open(dir.path()).expect("opens"));
    assert!(dir.path().join("plantain.db.before-1").exists(), "opening again changes nothing");
}

/// C12: what can be read of a broken database is saved, the old one is kept, and what is whole is left alone.
#[test]
fn a_broken_database_is_set_aside_and_what_can_be_read_is_saved() {
    use plantain::store::repair::{RepairError, repair};
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(FILE);
    assert_eq!(repair(dir.path(), "now"), Err(RepairError::Missing(dir.path().to_owned())));
    let store = Store::open(dir.path()).expect("opens");
    let standing = store.join("http://service/", true, |_| {}).expect("joins");
    assert!(standing.holds);
    assert_eq!(repair(dir.path(), "now"), Err(RepairError::InUse));
    drop(store);
    assert_eq!(repair(dir.path(), "now"), Err(RepairError::Whole(path.clone())));
    sql(
        dir.path(),
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2000)
        INSERT INTO tasks (id, task_id, model, body, template, prompt, stage, status, times, created)
        SELECT '00000000-0000-4000-8000-' || printf('%012x', x), 'tk-' || x, 'm', '{}', 't', hex(randomblob(200)),
            'queued', '{\"word\":\"queued\"}', '[]', x FROM n;
        PRAGMA wal_checkpoint(TRUNCATE);",
    );
    let mut bytes = std::fs::read(&path).expect("read");
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 8 * 4096].fill(0xff);
    std::fs::write(&path, &bytes).expect("written");
    let repaired = repair(dir.path(), "now").expect("repaired");
    assert!(repaired.torn && (1000..2000).contains(&repaired.tasks), "{repaired:?}");
    assert_eq!(repaired.aside, dir.path().join("plantain.db.broken-now"));
    assert_eq!(std::fs::read(&repaired.aside).expect("kept").len(), bytes.len());
    let store = Store::open(dir.path()).expect("opens");
    let unfinished = store.unfinished().expect("read");
    assert_eq!(unfinished.len() as u64, repaired.tasks, "what is in flight is watched again");
    drop(store);
    // Nothing at all can be read: even that is kept, and under a name of its own.
    std::fs::write(&path, vec![7; 9000]).expect("written");
    let repaired = repair(dir.path(), "now").expect("repaired");
    assert_eq!((repaired.tasks, repaired.torn), (0, true));
    assert_eq!(repaired.aside, dir.path().join("plantain.db.broken-now-2"));
    drop(Store::open(dir.path()).expect("opens"));
}
