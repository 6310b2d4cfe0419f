//! Several real programs on one data folder, against the real simulated service: one sends, the others show it and
//! say what they want, a dead one is replaced, and the service's own ledger is the witness that nothing was sent
//! twice.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use kit::said::lines;
use kit::service::{self, KEY, Service};
use kit::terminal::{self, Terminal};
use plantain::domain::{
    AssetId, Change, Home, LocalId, Output, OutputState, Problem, Request, Stage, Standing, Status, Task, Wish,
};
use plantain::store::{Heard, Store, StoreProblem};
use plantain::time::Wall;

/// Only a test that fails waits for so long.
const PATIENCE: Duration = Duration::from_secs(60);

fn service(speed: &str) -> Service {
    Service::with(&["--speed", speed])
}

/// The screen on a terminal of its own.
fn screen(service: &Service) -> Terminal {
    Terminal::start(service.screen(&[]), 140, 30)
}

/// Everything that was paid for: prompt and key.
fn bills(service: &Service) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let bill = |line: serde_json::Value| (text(&line["input"]["prompt"]), text(&line["idempotency_key"]));
    service.created().into_iter().map(bill).collect()
}

fn ended(process: Child) {
    let output = process.wait_with_output().expect("it ends");
    let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(output.status.success(), "{said:?}");
}

fn stage_of<'a>(tasks: &'a [serde_json::Value], prompt: &str) -> Option<&'a str> {
    tasks.iter().find(|task| task["prompt"] == prompt)?["status"].as_str()
}

fn is_running(tasks: &[serde_json::Value], prompt: &str) -> bool {
    matches!(stage_of(tasks, prompt), Some("queued" | "handling" | "archiving"))
}

/// C14: five at once on a folder that does not exist yet.
#[test]
fn five_at_once_send_each_of_their_tasks_once() {
    let service = service("100");
    let prompts = ["one", "two", "three", "four", "five"];
    let all: Vec<Child> =
        prompts.map(|prompt| service.piped(&["submit", prompt, "--wait"]).spawn().expect("it starts")).into();
    all.into_iter().for_each(ended);
    service.expect_each_once(&prompts);
}

/// C14, F3: the command that holds the lease is killed while its task and another's are running.
#[test]
fn a_killed_command_is_replaced_by_the_one_that_waits() {
    let service = service("4");
    let mut holder = service.piped(&["submit", "first", "--wait"]).spawn().expect("it starts");
    service.until("accepted", |tasks| is_running(tasks, "first"));
    let other = service.piped(&["submit", "second", "--wait"]).spawn().expect("it starts");
    service.until("accepted", |tasks| is_running(tasks, "second"));
    holder.kill().expect("it runs");
    let _ = holder.wait();
    ended(other);
    ended(service.piped(&["watch"]).spawn().expect("it starts"));
    service.expect_each_once(&["first", "second"]);
}

/// The screen holds the lease; a command beside it hands its task over, follows it, and takes over when the screen is
/// killed.
#[test]
fn a_command_beside_a_screen_takes_over_when_that_is_killed() {
    let service = service("4");
    let screen = screen(&service);
    screen.until_text("plantain");
    screen.submit("typed on the screen");
    service.until("accepted", |tasks| is_running(tasks, "typed on the screen"));
    let command = service.piped(&["submit", "from a command", "--wait"]).spawn().expect("it starts");
    screen.until_text("from a command");
    service.until("accepted", |tasks| is_running(tasks, "from a command"));
    screen.kill();
    ended(command);
    ended(service.piped(&["watch"]).spawn().expect("it starts"));
    service.expect_each_once(&["typed on the screen", "from a command"]);
}

/// Two screens: the second watches, submits through the first, and goes on alone when that is killed.
#[test]
fn a_screen_watches_submits_and_takes_over() {
    let service = service("4");
    let first = screen(&service);
    first.until_text("plantain");
    first.submit("from the first");
    service.until("accepted", |tasks| is_running(tasks, "from the first"));
    let second = screen(&service);
    second.until_text("watches");
    second.until_text("from the first");
    second.submit("from the second");
    first.until_text("from the second");
    service.until("accepted", |tasks| is_running(tasks, "from the second"));
    first.kill();
    second.until_text("goes on with everything");
    service.until("home", |tasks| tasks.iter().all(|task| task["outputs"][0]["file"].is_string()));
    service.expect_each_once(&["from the first", "from the second"]);
    second.kill();
}

/// The holder dies at every step of its submission, with another program beside it: that one's task ends by itself,
/// the dead one's with the user's word, and each is paid once.
#[test]
fn killed_at_any_step_beside_another_window() {
    let service = service("100");
    let next = AtomicU64::new(1);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let step = next.fetch_add(1, Ordering::SeqCst);
                    if step > 24 {
                        return;
                    }
                    killed_beside(&service, step);
                }
            });
        }
    });
}

fn killed_beside(service: &Service, step: u64) {
    let data = service.path(&format!("data-{step}"));
    let (dies, lives) = (format!("dies at {step}"), format!("lives at {step}"));
    let run = |args: &[&str]| {
        let mut command = service.piped(args);
        command.env("PLANTAIN_DATA_DIR", &data);
        command
    };
    let mut holder = run(&["submit", &dies, "--wait"])
        .env("PLANTAIN_KILL_AT", step.to_string())
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    ended(run(&["submit", &lives, "--wait"]).spawn().expect("it starts"));
    let _ = holder.wait();
    ended(run(&["send", "--all", "--wait"]).spawn().expect("it starts"));
    run(&["watch"]).output().expect("it ends");
    let listed = run(&["list", "--json"]).output().expect("plantain runs");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let tasks = lines(&listed);
    let paid = bills(service);
    for task in &tasks {
        assert_eq!(task["status"], "success", "step {step}: {task}");
        let bill: Vec<_> = paid.iter().filter(|(prompt, _)| task["prompt"] == prompt.as_str()).collect();
        assert_eq!(bill.len(), 1, "step {step}: {bill:?}");
        assert_eq!(task["id"], bill[0].1.as_str(), "step {step}");
    }
    assert_eq!(stage_of(&tasks, &lives), Some("success"), "step {step}");
    let paid_for_the_dead = paid.iter().filter(|(prompt, _)| *prompt == dies).count();
    assert_eq!(paid_for_the_dead, usize::from(stage_of(&tasks, &dies).is_some()), "step {step}");
}

fn task(n: u128) -> Task {
    let request = Request::new("m", None, serde_json::Map::new(), "t".into(), "p".into(), None);
    Task::new(LocalId::from_random(n << 64), std::sync::Arc::new(request), Wall(1))
}

fn apply(store: &Store, change: Change) -> Result<(), StoreProblem> {
    let (answer, inbox) = mpsc::channel();
    store.apply(change, move |result| answer.send(result).expect("a listener"));
    inbox.recv().expect("an answer")
}

/// A store in company, and what it hears.
fn joined(dir: &Path, wants: bool) -> (Store, bool, Receiver<Heard>) {
    let store = Store::open(dir).expect("opens");
    let (heard, ears) = mpsc::channel();
    let standing = store.join("http://service/", wants, move |news| drop(heard.send(news))).expect("joins");
    (store, standing.holds, ears)
}

fn with_status(task: &Task, status: Status) -> Change {
    let mut task = task.clone();
    task.set(status, Wall(2));
    Change::Progress(Box::new(task))
}

/// Intents and wishes reach the holder, what it does reaches the others, and each change only once.
#[test]
fn wishes_go_one_way_and_news_the_other() {
    let dir = tempfile::tempdir().expect("a folder");
    let (holder, holds, wishes) = joined(dir.path(), true);
    let (viewer, watches, news) = joined(dir.path(), true);
    assert!(holds && !watches);
    let task = task(1);
    apply(&viewer, Change::Intent(Box::new(task.clone()))).expect("stored");
    assert_eq!(wishes.recv_timeout(PATIENCE), Ok(Heard::Wishes(vec![(Wish::Send(task.id), Some(task.clone()))])));
    apply(&holder, with_status(&task, Status::Sending)).expect("the holder may");
    let hears = |stage: Stage| loop {
        match news.recv_timeout(PATIENCE).expect("news") {
            Heard::News { tasks, .. } if tasks.iter().any(|task| task.status.stage() == stage) => return,
            Heard::News { .. } => {}
            other => panic!("{other:?}"),
        }
    };
    hears(Stage::Sending);
    // The claim to send is one transaction, and it is the holder's alone.
    assert_eq!(apply(&viewer, with_status(&task, Status::Sending)), Err(StoreProblem::NotOurs));
    apply(&viewer, Change::Wish(Wish::Resume)).expect("stored");
    assert_eq!(wishes.recv_timeout(PATIENCE), Ok(Heard::Wishes(vec![(Wish::Resume, None)])));
}

/// What the dead holder was sending is unsure, what waited is held, and the word of a living window still counts.
#[test]
fn a_new_holder_starts_as_after_a_restart_but_for_the_living() {
    let dir = tempfile::tempdir().expect("a folder");
    let (holder, _, wishes) = joined(dir.path(), true);
    let (viewer, _, news) = joined(dir.path(), true);
    let (waiting, sending, wished) = (task(1), task(2), task(3));
    apply(&holder, Change::New(Box::new(waiting.clone()))).expect("stored");
    apply(&holder, Change::New(Box::new(sending.clone()))).expect("stored");
    apply(&holder, with_status(&sending, Status::Sending)).expect("stored");
    apply(&viewer, Change::Intent(Box::new(wished.clone()))).expect("stored");
    assert!(matches!(wishes.recv_timeout(PATIENCE), Ok(Heard::Wishes(_))));
    drop(holder);
    let unfinished = loop {
        match news.recv_timeout(PATIENCE).expect("news") {
            Heard::Took { unfinished } => break unfinished,
            Heard::News { .. } | Heard::Found(_) | Heard::Resting(_) => {}
            Heard::Wishes(wishes) => panic!("too early: {wishes:?}"),
        }
    };
    let status = |id| unfinished.iter().find(|task| task.id == id).map(|task| task.status.clone());
    assert_eq!(status(waiting.id), Some(Status::Held(None)));
    assert_eq!(status(sending.id), Some(Status::Unsure(None)));
    assert_eq!(status(wished.id), Some(Status::Saved));
    assert_eq!(news.recv_timeout(PATIENCE), Ok(Heard::Wishes(vec![(Wish::Send(wished.id), Some(wished.clone()))])));
    // When its window is gone too, nobody's word is left.
    drop(viewer);
    let (last, holds, _) = joined(dir.path(), true);
    assert!(holds);
    // It is written down before anything else is.
    apply(&last, Change::Paused(None)).expect("stored");
    assert_eq!(last.task(wished.id).expect("a read").map(|task| task.status), Some(Status::Held(None)));
}

/// Whoever has no key leaves the lease to others, until there is one.
#[test]
fn without_a_key_the_lease_is_left_to_others() {
    let dir = tempfile::tempdir().expect("a folder");
    let (keyless, holds, ears) = joined(dir.path(), false);
    assert!(!holds);
    let (other, holds, _) = joined(dir.path(), true);
    assert!(holds);
    drop(other);
    keyless.want_lease(|_| "a".to_owned());
    loop {
        if let Heard::Took { unfinished } = ears.recv_timeout(PATIENCE).expect("the lease") {
            assert!(unfinished.is_empty());
            return;
        }
    }
}

/// What another window fetched is copied into the folder that was asked for; other tasks stay out of it.
#[test]
fn outputs_come_to_the_folder_that_was_named_whoever_fetches_them() {
    let service = service("20");
    let (mine, yours) = (service.path("mine"), service.path("yours"));
    let (mine, yours) = (mine.to_str().expect("Unicode"), yours.to_str().expect("Unicode"));
    let listen = ["listen", "--json", "--webhook-listen", "127.0.0.1:0"];
    let mut holder = service.piped(&listen).spawn().expect("it starts");
    let mut line = String::new();
    let said = holder.stdout.take().expect("an output");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(said), &mut line).expect("it is ready");
    let submit = |prompt: &str, more: &[&str]| {
        let output = service.piped(&[&["submit", prompt, "--wait", "--json"], more].concat()).output();
        let output = output.expect("plantain runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let line: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
        PathBuf::from(line["outputs"][0]["file"].as_str().expect("a file"))
    };
    let files = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().count();
    let copied = submit("beside another", &["--out", mine]);
    assert!(copied.starts_with(mine) && copied.is_file(), "{}", copied.display());
    assert_eq!(files(Path::new(mine)), 2, "the picture and its note");
    let standard = submit("as always", &[]);
    assert!(standard.starts_with(service.data()) && standard.is_file(), "{}", standard.display());
    holder.kill().expect("it runs");
    let _ = holder.wait();
    // The holder has a folder for its own task alone.
    let holder = service.piped(&["submit", "long", "--wait", "--out", yours]).spawn().expect("it starts");
    service.until("accepted", |tasks| is_running(tasks, "long"));
    let short = submit("beside one with a folder", &[]);
    assert!(short.starts_with(service.data()), "{}", short.display());
    ended(holder);
    assert_eq!(files(Path::new(yours)), 2, "the picture and its note");
}

/// A deleted picture is fetched again by the window that talks to the service, and every window knows that it is
/// wanted: a holder that dies over it leaves it to the next.
#[test]
fn fetching_again_goes_through_the_holder() {
    let service = service("100");
    ended(service.piped(&["submit", "a fox", "--wait"]).spawn().expect("it starts"));
    let file = service.tasks()[0]["outputs"][0]["file"].as_str().expect("a file").to_owned();
    let holder = screen(&service);
    holder.until_text("a fox");
    std::fs::remove_file(&file).expect("removed");
    let id = service.tasks()[0]["id"].as_str().expect("an id").to_owned();
    let output = service.piped(&["fetch", &id, "--json"]).output().expect("plantain runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
    let again = line["outputs"][0]["file"].as_str().expect("a file");
    assert!(Path::new(again).is_file(), "{again}");
    holder.kill();
}

/// A wish to fetch again is durable: it outlives the holder that took it.
#[test]
fn what_is_fetched_again_counts_as_away_at_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let (holder, _, wishes) = joined(dir.path(), true);
    let (viewer, _, _) = joined(dir.path(), true);
    let mut task = task(1);
    task.set(Status::Success, Wall(2));
    let home = Home { file: "/gone.png".into(), bytes: 1, sha256: "0".into(), ..home() };
    let state = OutputState::Home(home);
    task.outputs.push(Output { url: "https://x/".into(), role: "image".into(), expires: None, state });
    apply(&holder, Change::New(Box::new(task.clone()))).expect("stored");
    let asset = AssetId { task: task.id, index: 0 };
    apply(&viewer, Change::Wish(Wish::Again(asset))).expect("stored");
    task.outputs[0].state = OutputState::Away;
    assert_eq!(wishes.recv_timeout(PATIENCE), Ok(Heard::Wishes(vec![(Wish::Again(asset), Some(task.clone()))])));
    assert_eq!(viewer.unfinished().expect("read"), [task]);
}

/// A star of a window that only watches is on the disk at once, also if the holder dies over it, and the holder hears.
#[test]
fn a_star_is_there_for_everybody() {
    let dir = tempfile::tempdir().expect("a folder");
    let (holder, _, wishes) = joined(dir.path(), true);
    let (viewer, _, _) = joined(dir.path(), true);
    let mut task = task(1);
    apply(&holder, Change::New(Box::new(task.clone()))).expect("stored");
    let wish = Wish::Star { task: task.id, on: true };
    apply(&viewer, Change::Wish(wish.clone())).expect("stored");
    task.starred = true;
    assert_eq!(wishes.recv_timeout(PATIENCE), Ok(Heard::Wishes(vec![(wish, Some(task.clone()))])));
    assert_eq!(viewer.task(task.id).expect("read"), Some(task));
}

fn home() -> Home {
    Home { file: String::new(), bytes: 0, sha256: String::new(), format: "png".into(), width: None, height: None }
}

/// A window that is stopped leaves the lease to the others; when it goes on it watches. If nobody took the lease, all
/// is as it was.
#[test]
fn a_stopped_window_leaves_the_lease() {
    let service = service("4");
    // In a shell with jobs: the kernel does not stop whom nobody could continue.
    let mut command = portable_pty::CommandBuilder::new("sh");
    let twice = "set -m; \"$0\"; echo STOPPED-1; read line; fg; echo STOPPED-2; read line; fg";
    command.args(["-c".as_ref(), twice.as_ref(), service::plantain().as_os_str()]);
    terminal::surroundings(&mut command, &service.data());
    service.introduce(&mut command);
    let first = Terminal::start(command, 140, 30);
    first.until_text("describe the picture");
    first.submit("from the first");
    service.until("accepted", |tasks| is_running(tasks, "from the first"));
    first.send("\x1a");
    first.until_text("STOPPED-1");
    // Nobody else is there: it goes on as before.
    first.send("\n");
    first.until_text("from the first");
    first.submit("once more");
    service.until("accepted", |tasks| is_running(tasks, "once more"));
    let second = screen(&service);
    second.until_text("watches");
    first.send("\x1a");
    second.until_text("goes on with everything");
    first.until_text("STOPPED-2");
    second.submit("from the second");
    service.until("accepted", |tasks| is_running(tasks, "from the second"));
    first.send("\n");
    first.until_text("watches");
    first.until_text("from the second");
    first.submit("through the second");
    service.until("home", |tasks| tasks.len() == 4 && tasks.iter().all(|task| task["outputs"][0]["file"].is_string()));
    service.expect_each_once(&["from the first", "once more", "from the second", "through the second"]);
    first.kill();
    second.kill();
}

/// Whoever is stopped the hard way keeps its locks; the others say so, and until when.
#[test]
fn a_holder_that_does_not_move_is_named() {
    let service = service("4");
    let first = screen(&service);
    first.until_text("plantain");
    // Only then it surely holds the lease.
    first.submit("from the first");
    service.until("accepted", |tasks| is_running(tasks, "from the first"));
    let second = screen(&service);
    second.until_text("watches");
    first.signal(libc::SIGSTOP);
    second.until_text("does not respond");
    first.signal(libc::SIGCONT);
    second.until_gone("does not respond");
    second.until_text("watches");
    first.kill();
    second.kill();
}

/// A holder that asks no more, or refuses, says nothing; whoever watches notices by itself.
#[test]
fn what_the_holder_does_not_do_is_not_waited_for() {
    let service = service("50");
    let address = plantain::api::base_url(&service.base_url).expect("an address");
    let holder = Store::open(&service.data()).expect("opens");
    let (heard, ears) = mpsc::channel();
    let standing = holder.join(address.as_str(), true, move |news| drop(heard.send(news))).expect("joins");
    assert!(standing.holds);
    let task = task(1);
    let late = |message: &str| Status::Unsure(Some(Problem::Network { message: message.into(), sent: true }));
    apply(&holder, Change::New(Box::new(task.clone()))).expect("stored");
    apply(&holder, with_status(&task, Status::Sending)).expect("the holder may");
    apply(&holder, with_status(&task, late("no answer"))).expect("stored");
    // It was sent in 1970: its key is too old.
    let id = task.id.to_string();
    let sent = service.piped(&["send", &id, "--wait"]).output().expect("it ends");
    let said = String::from_utf8_lossy(&sent.stderr).into_owned();
    assert!(said.contains("plantain settle ID"), "{said}");
    // The holder has an answer of the service on its way, and so does not carry out what it is told.
    let settling = service.piped(&["settle", &id, "--give-up"]).spawn().expect("it runs");
    loop {
        let Heard::Wishes(wishes) = ears.recv_timeout(PATIENCE).expect("a wish") else { continue };
        if wishes.iter().any(|(wish, _)| matches!(wish, Wish::GiveUp { .. })) {
            break;
        }
    }
    apply(&holder, with_status(&task, late("no answer again"))).expect("stored");
    let settled = settling.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&settled.stderr).into_owned();
    assert!(settled.status.code() == Some(1) && said.contains("has not carried it out"), "{said}");
}

/// A store in company, with a key of this name.
fn with_key(dir: &Path, key: &'static str) -> (Store, Standing) {
    let store = Store::open(dir).expect("opens");
    store.introduce(move |salt| format!("{key}{salt:?}")).expect("introduced");
    let standing = store.join("http://service/", true, |_| {}).expect("joins");
    (store, standing)
}

/// B18: another key on the folder is noticed, at once and later, and what was sent with one is not sent with the other.
#[test]
fn two_keys_are_told_apart() {
    let dir = tempfile::tempdir().expect("a folder");
    let (holder, standing) = with_key(dir.path(), "one");
    assert!(standing.holds && !standing.stranger);
    // Its name is written down before anything else is.
    apply(&holder, Change::Paused(None)).expect("stored");
    let other = |key| with_key(dir.path(), key).1.holder.map(|holder| holder.other_key);
    assert_eq!((other("one"), other("two")), (Some(false), Some(true)));
    let (sent, waiting) = (task(1), task(2));
    for task in [&sent, &waiting] {
        apply(&holder, Change::New(Box::new(task.clone()))).expect("stored");
    }
    apply(&holder, with_status(&sent, Status::Sending)).expect("stored");
    drop(holder);
    let (stranger, standing) = with_key(dir.path(), "two");
    assert!(standing.holds && standing.stranger);
    assert_eq!(apply(&stranger, with_status(&sent, Status::Unsure(None))), Err(StoreProblem::OtherKey));
    assert_eq!(apply(&stranger, with_status(&waiting, Status::Sending)), Ok(()), "never sent before");
    drop(stranger);
    let (first, standing) = with_key(dir.path(), "one");
    assert!(standing.stranger, "told again");
    assert_eq!(apply(&first, with_status(&sent, Status::Unsure(None))), Ok(()));
    drop(first);
    assert!(!with_key(dir.path(), "one").1.stranger, "once");
}

/// The real program beside one with another key: it is refused, and neither key is anywhere on the disk.
#[test]
fn another_key_on_the_folder_is_refused_while_the_first_is_at_work() {
    let service = service("4");
    let holder = screen(&service);
    holder.until_text("plantain");
    holder.submit("a fox");
    service.until("accepted", |tasks| is_running(tasks, "a fox"));
    let other = "sk-another-3c1d";
    let refused = service.piped(&["submit", "an owl"]).env("HIAPI_API_KEY", other).output().expect("it runs");
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && words.contains("with another API key"), "{words}");
    holder.kill();
    assert_eq!(service.created().len(), 1);
    let said = service.piped(&["watch"]).env("HIAPI_API_KEY", other).output().expect("it runs");
    assert!(String::from_utf8_lossy(&said.stderr).contains("last used with another API key"), "{said:?}");
    for key in [KEY, other] {
        assert_eq!(service::files_with(&service.data(), key), Vec::<PathBuf>::new());
    }
}
