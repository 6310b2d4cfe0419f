//! `plantain sim` as a process of its own, and commands against it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// The program.
pub const PLANTAIN: &str = env!("CARGO_BIN_EXE_plantain");
/// The key that the service accepts; no output, log or database may ever hold it.
pub const KEY: &str = "sk-canary-7f3a9c";

/// A simulated service, with a folder for whatever the test keeps.
pub struct Service {
    process: Child,
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
        let home = tempfile::tempdir().expect("a directory");
        let mut process = Command::new(PLANTAIN)
            .args(["sim", "--key", KEY])
            .args(if more.contains(&"--rate-limit") { &[][..] } else { &["--rate-limit", "0"][..] })
            .args(if more.contains(&"--longest-side") { &[][..] } else { &["--longest-side", "256"][..] })
            .args(if more.contains(&"--speed") { &[][..] } else { &["--speed", "50"][..] })
            .arg("--ledger")
            .arg(home.path().join("ledger"))
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the simulated service starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it has an output");
        BufReader::new(stdout).read_line(&mut line).expect("it says when it is ready");
        let ready: Value = serde_json::from_str(&line).expect("a line of JSON");
        let base_url = ready["base_url"].as_str().expect("a base_url").to_owned();
        Self { process, base_url, home }
    }

    /// A file or folder of this test.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The program, told where the service is; its data lie in the folder `data`.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PLANTAIN);
        command
            .args(args)
            .env("HIAPI_API_KEY", KEY)
            .env("HIAPI_BASE_URL", &self.base_url)
            .env("PLANTAIN_DATA_DIR", self.path("data"))
            .env("PLANTAIN_CONFIG_DIR", self.path("config"))
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null());
        command
    }

    /// Every line of the ledger.
    pub fn ledger(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("ledger")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The prompts of the tasks that were created, in order.
    pub fn paid(&self) -> Vec<String> {
        let created = self.ledger().into_iter().filter(|line| line["event"] == "created");
        created.map(|line| line["input"]["prompt"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
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
