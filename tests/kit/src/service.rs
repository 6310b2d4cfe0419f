//! `plantain sim` as a process of its own, and commands against it.

use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use plantain::store::Store;
use portable_pty::CommandBuilder;
use serde_json::Value;

use crate::said::{Said, lines, said};
use crate::terminal::{Terminal, program};

/// The key that the service accepts; no output, log or database may ever hold it.
pub const KEY: &str = "sk-canary-7f3a9c";

/// Only a test that fails waits for so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program under test.
pub fn plantain() -> PathBuf {
    assert_cmd::cargo::cargo_bin("plantain")
}

/// A program that runs until this is dropped.
pub struct Running {
    process: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts it; nobody types anything.
    pub fn start(command: &mut Command) -> Self {
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it starts");
        let said = BufReader::new(process.stdout.take().expect("it has an output")).lines();
        Self { process, said }
    }

    /// Waits for the next line that it says.
    #[track_caller]
    pub fn line(&mut self) -> String {
        self.said.next().expect("it says something").expect("text")
    }

    /// Waits for the next line that it says, which is JSON.
    #[track_caller]
    pub fn json(&mut self) -> Value {
        serde_json::from_str(&self.line()).expect("a line of JSON")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A simulated service, with a folder for whatever the test keeps.
pub struct Service {
    _process: Running,
    /// Where it is.
    pub base_url: String,
    home: tempfile::TempDir,
}

impl Service {
    /// Fifty times as fast as the real one, with small pictures.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// The same with more arguments; the last of two that contradict each other must not be ours.
    pub fn with(more: &[&str]) -> Self {
        Self::within(more, &[])
    }

    /// The same with more variables in its environment.
    pub fn within(more: &[&str], variables: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let mut command = Command::new(plantain());
        command.args(["sim", "--key", KEY]).arg("--ledger").arg(home.path().join("ledger")).stderr(Stdio::null());
        command.envs(variables.iter().copied());
        for (option, usual) in [("--rate-limit", "0"), ("--longest-side", "256"), ("--speed", "50")] {
            if !more.contains(&option) {
                command.args([option, usual]);
            }
        }
        let mut process = Running::start(command.args(more));
        let base_url = process.json()["base_url"].as_str().expect("it says where it is").to_owned();
        Self { _process: process, base_url, home }
    }

    /// A file or folder of this test.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The data folder of whoever is not told another.
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// Writes a file of this test. Its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        std::fs::write(&path, text).expect("it can be written");
        path.to_str().expect("text").to_owned()
    }

    /// The program, told where the service is; its data lie in [`Self::data`].
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(plantain());
        command
            .args(args)
            .env("HIAPI_API_KEY", KEY)
            .env("HIAPI_BASE_URL", &self.base_url)
            .env("PLANTAIN_DATA_DIR", self.data())
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null());
        command
    }

    /// The same to be started: what it says is kept for its end.
    pub fn piped(&self, args: &[&str]) -> Command {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Said {
        said(&mut self.command(args))
    }

    /// Runs `plantain submit` to its end.
    #[track_caller]
    pub fn submit(&self, args: &[&str]) -> Said {
        said(self.command(&["submit"]).args(args))
    }

    /// The screen against this service.
    pub fn screen(&self, args: &[&str]) -> CommandBuilder {
        let mut command = program(args, &self.data());
        self.introduce(&mut command);
        command
    }

    /// The screen, opened, at a size that shows everything.
    #[track_caller]
    pub fn open(&self) -> Terminal {
        let terminal = Terminal::start(self.screen(&[]), 110, 34);
        terminal.until_text("plantain");
        terminal
    }

    /// Tells a command for a terminal where the service is, and the key.
    pub fn introduce(&self, command: &mut CommandBuilder) {
        command.env("HIAPI_API_KEY", KEY);
        command.env("HIAPI_BASE_URL", &self.base_url);
    }

    /// Every line of the ledger.
    pub fn ledger(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("ledger")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The lines of the ledger about tasks that were created, and so paid for, in order.
    pub fn created(&self) -> Vec<Value> {
        self.ledger().into_iter().filter(|line| line["event"] == "created").collect()
    }

    /// The prompts of the tasks that were created, in order.
    pub fn paid(&self) -> Vec<String> {
        let prompt = |line: Value| line["input"]["prompt"].as_str().unwrap_or_default().to_owned();
        self.created().into_iter().map(prompt).collect()
    }

    /// The tasks that the program lists.
    #[track_caller]
    pub fn tasks(&self) -> Vec<Value> {
        let output = self.command(&["list", "--json"]).output().expect("it runs");
        lines(&String::from_utf8_lossy(&output.stdout))
    }

    /// Waits until the stored tasks are so, as one of the windows that only watch.
    #[track_caller]
    pub fn until(&self, what: &str, is: impl Fn(&[Value]) -> bool) {
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
    pub fn expect_each_once(&self, prompts: &[&str]) {
        let (tasks, paid) = (self.tasks(), self.created());
        assert_eq!(tasks.len(), prompts.len(), "{tasks:#?}");
        assert_eq!(paid.len(), prompts.len(), "{paid:#?}");
        for prompt in prompts {
            let task = tasks.iter().find(|task| task["prompt"] == *prompt).expect("the task is stored");
            assert_eq!(task["status"], "success", "{task}");
            let bills: Vec<_> = paid.iter().filter(|line| line["input"]["prompt"] == *prompt).collect();
            assert_eq!(bills.len(), 1, "{prompt}: {paid:#?}");
            assert!(task["id"].is_string() && task["id"] == bills[0]["idempotency_key"], "{prompt}: {paid:#?}");
            let file = task["outputs"][0]["file"].as_str().expect("a file");
            assert!(Path::new(file).is_file(), "{file}");
        }
    }
}

/// The files below a folder that hold this text.
pub fn files_with(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if std::fs::read(&path).is_ok_and(|bytes| bytes.windows(text.len()).any(|w| w == text.as_bytes())) {
            found.push(path);
        }
    }
    found
}
