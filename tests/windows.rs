//! Several real programs on one data folder, against the real simulated service: one sends, the others show it and
//! say what they want, a dead one is replaced, and the service's own ledger is the witness that nothing was sent
//! twice.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use plantain::domain::{Change, LocalId, Request, Stage, Status, Task, Wish};
use plantain::store::{Heard, Store, StoreProblem};
use plantain::time::Wall;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const PLANTAIN: &str = env!("CARGO_BIN_EXE_plantain");
/// Only a test that fails waits for so long.
const PATIENCE: Duration = Duration::from_secs(60);

struct Service {
    process: Child,
    base_url: String,
    home: tempfile::TempDir,
}

impl Service {
    fn start(speed: &str) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let mut process = Command::new(PLANTAIN)
            .args(["sim", "--speed", speed, "--rate-limit", "0", "--longest-side", "64", "--key", "sk-windows"])
            .arg("--ledger")
            .arg(home.path().join("ledger"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("the simulated service starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it has an output");
        BufReader::new(stdout).read_line(&mut line).expect("it says when it is ready");
        let ready: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
        Self { process, base_url: ready["base_url"].as_str().expect("a base_url").to_owned(), home }
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn plantain(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PLANTAIN);
        command
            .args(args)
            .env("HIAPI_API_KEY", "sk-windows")
            .env("HIAPI_BASE_URL", &self.base_url)
            .env("PLANTAIN_DATA_DIR", self.data())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// The screen on a terminal of its own.
    fn screen(&self) -> Screen {
        let pty = native_pty_system()
            .openpty(PtySize { rows: 30, cols: 140, pixel_width: 0, pixel_height: 0 })
            .expect("a terminal");
        let mut command = CommandBuilder::new(PLANTAIN);
        command.env("HIAPI_API_KEY", "sk-windows");
        command.env("HIAPI_BASE_URL", &self.base_url);
        command.env("PLANTAIN_DATA_DIR", self.data());
        command.env("TERM", "xterm-256color");
        let process = pty.slave.spawn_command(command).expect("the screen starts");
        drop(pty.slave);
        let mut output = pty.master.try_clone_reader().expect("a reader");
        let (bytes, drawn) = mpsc::channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                if bytes.send(buffer[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keys = pty.master.take_writer().expect("a writer");
        let (rows, columns) = (NonZero::<u16>::new(30).expect("rows"), NonZero::<u16>::new(140).expect("columns"));
        Screen { process, keys, drawn, cells: vt100::Parser::new(rows, columns, 0), _master: pty.master }
    }

    /// Everything that was paid for: prompt and key.
    fn paid(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(self.home.path().join("ledger")).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        lines
            .filter(|line| line["event"] == "created")
            .map(|line| (text(&line["input"]["prompt"]), text(&line["idempotency_key"])))
            .collect()
    }

    fn tasks(&self) -> Vec<serde_json::Value> {
        let output = self.plantain(&["list", "--json"]).output().expect("plantain runs");
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// Waits until the store says so, as one of the windows that only watch.
    #[track_caller]
    fn until(&self, what: &str, is: impl Fn(&[serde_json::Value]) -> bool) {
        let (changed, news) = mpsc::channel();
        let store = Store::open(&self.data()).expect("opens");
        store.join(&self.base_url, false, move |_| changed.send(()).unwrap_or_default()).expect("joins");
        loop {
            let tasks = self.tasks();
            if is(&tasks) {
                return;
            }
            assert!(news.recv_timeout(PATIENCE).is_ok(), "never {what}: {tasks:#?}");
        }
    }

    /// Every task ended well, was paid once, and its file is here once.
    #[track_caller]
    fn expect_each_once(&self, prompts: &[&str]) {
        let (tasks, paid) = (self.tasks(), self.paid());
        assert_eq!(tasks.len(), prompts.len(), "{tasks:#?}");
        assert_eq!(paid.len(), prompts.len(), "{paid:#?}");
        for prompt in prompts {
            let task = tasks.iter().find(|task| task["prompt"] == *prompt).expect("the task is stored");
            assert_eq!(task["status"], "success", "{task}");
            let bill: Vec<_> = paid.iter().filter(|(of, _)| of == prompt).collect();
            assert_eq!(bill.len(), 1, "{prompt}: {paid:#?}");
            assert_eq!(task["id"], bill[0].1.as_str());
            let file = task["outputs"][0]["file"].as_str().expect("a file");
            assert!(Path::new(file).is_file(), "{file}");
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Screen {
    process: Box<dyn portable_pty::Child + Send + Sync>,
    keys: Box<dyn std::io::Write + Send>,
    drawn: Receiver<Vec<u8>>,
    cells: vt100::Parser,
    _master: Box<dyn portable_pty::MasterPty + Send>,
}

impl Screen {
    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("the terminal takes keys");
        self.keys.flush().expect("the terminal takes keys");
    }

    #[track_caller]
    fn until(&mut self, text: &str) -> &mut Self {
        while !self.cells.screen().contents().contains(text) {
            match self.drawn.recv_timeout(PATIENCE) {
                Ok(bytes) => self.cells.process(&bytes),
                Err(_) => panic!("never {text:?}:\n{}", self.cells.screen().contents()),
            }
        }
        self
    }

    fn send(&mut self, prompt: &str) {
        self.press(prompt);
        self.until(prompt);
        self.press("\u{13}");
    }

    /// As hard as it gets.
    fn kill(mut self) {
        self.process.kill().expect("it runs");
        let _ = self.process.wait();
    }
}

fn ended(process: Child) {
    let output = process.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
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
    let service = Service::start("100");
    let prompts = ["one", "two", "three", "four", "five"];
    let all: Vec<Child> =
        prompts.map(|prompt| service.plantain(&["submit", prompt, "--wait"]).spawn().expect("it starts")).into();
    all.into_iter().for_each(ended);
    service.expect_each_once(&prompts);
}

/// C14, F3: the command that holds the lease is killed while its task and another's are running.
#[test]
fn a_killed_command_is_replaced_by_the_one_that_waits() {
    let service = Service::start("4");
    let mut holder = service.plantain(&["submit", "first", "--wait"]).spawn().expect("it starts");
    service.until("accepted", |tasks| is_running(tasks, "first"));
    let other = service.plantain(&["submit", "second", "--wait"]).spawn().expect("it starts");
    service.until("accepted", |tasks| is_running(tasks, "second"));
    holder.kill().expect("it runs");
    let _ = holder.wait();
    ended(other);
    ended(service.plantain(&["watch"]).spawn().expect("it starts"));
    service.expect_each_once(&["first", "second"]);
}

/// The screen holds the lease; a command beside it hands its task over, follows it, and takes over when the screen is
/// killed.
#[test]
fn a_command_beside_a_screen_takes_over_when_that_is_killed() {
    let service = Service::start("4");
    let mut screen = service.screen();
    screen.until("plantain");
    screen.send("typed on the screen");
    service.until("accepted", |tasks| is_running(tasks, "typed on the screen"));
    let command = service.plantain(&["submit", "from a command", "--wait"]).spawn().expect("it starts");
    screen.until("from a command");
    service.until("accepted", |tasks| is_running(tasks, "from a command"));
    screen.kill();
    ended(command);
    ended(service.plantain(&["watch"]).spawn().expect("it starts"));
    service.expect_each_once(&["typed on the screen", "from a command"]);
}

/// Two screens: the second watches, submits through the first, and goes on alone when that is killed.
#[test]
fn a_screen_watches_submits_and_takes_over() {
    let service = Service::start("4");
    let mut first = service.screen();
    first.until("plantain");
    first.send("from the first");
    service.until("accepted", |tasks| is_running(tasks, "from the first"));
    let mut second = service.screen();
    second.until("watches").until("from the first");
    second.send("from the second");
    first.until("from the second");
    service.until("accepted", |tasks| is_running(tasks, "from the second"));
    first.kill();
    second.until("goes on with everything");
    service.until("home", |tasks| tasks.iter().all(|task| task["outputs"][0]["file"].is_string()));
    service.expect_each_once(&["from the first", "from the second"]);
    second.kill();
}

/// The holder dies at every step of its submission, with another program beside it: that one's task ends by itself,
/// the dead one's with the user's word, and each is paid once.
#[test]
fn killed_at_any_step_beside_another_window() {
    let service = Service::start("100");
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
    let data = service.home.path().join(format!("data-{step}"));
    let (dies, lives) = (format!("dies at {step}"), format!("lives at {step}"));
    let run = |args: &[&str]| {
        let mut command = service.plantain(args);
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
    let tasks: Vec<serde_json::Value> =
        listed.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let paid = service.paid();
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
            Heard::News { .. } | Heard::Found(_) => {}
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
    keyless.want_lease();
    loop {
        if let Heard::Took { unfinished } = ears.recv_timeout(PATIENCE).expect("the lease") {
            assert!(unfinished.is_empty());
            return;
        }
    }
}
