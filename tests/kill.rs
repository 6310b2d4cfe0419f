//! The real program, killed at every step of a submission, against the real simulated service: no task is lost,
//! none is paid twice, and the service's own ledger is the witness.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const PLANTAIN: &str = env!("CARGO_BIN_EXE_plantain");
/// Far more steps than a submission has; reaching it means that the program never ends by itself.
const TOO_MANY: u64 = 500;

struct Service {
    process: Child,
    base_url: String,
}

impl Service {
    fn start(ledger: &Path) -> Self {
        let mut process = Command::new(PLANTAIN)
            .args([
                "sim",
                "--speed",
                "200",
                "--rate-limit",
                "0",
                "--longest-side",
                "64",
                "--key",
                "sk-kill",
                "--ledger",
            ])
            .arg(ledger)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the simulated service starts");
        let mut line = String::new();
        let stdout = process.stdout.take().expect("it has an output");
        BufReader::new(stdout).read_line(&mut line).expect("it says when it is ready");
        let ready: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
        Self { process, base_url: ready["base_url"].as_str().expect("a base_url").to_owned() }
    }

    fn plantain(&self, data: &Path, args: &[&str], kill_at: Option<u64>) -> Output {
        let mut command = Command::new(PLANTAIN);
        command
            .args(args)
            .env("HIAPI_API_KEY", "sk-kill")
            .env("HIAPI_BASE_URL", &self.base_url)
            .env("PLANTAIN_DATA_DIR", data)
            .stdin(Stdio::null());
        if let Some(step) = kill_at {
            command.env("PLANTAIN_KILL_AT", step.to_string());
        }
        command.output().expect("plantain runs")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The tasks of the ledger that were created for this prompt.
fn paid(ledger: &Path, prompt: &str) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(ledger).unwrap_or_default();
    let lines = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines.filter(|line| line["event"] == "created" && line["input"]["prompt"] == prompt).collect()
}

fn tasks(output: &Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// Kills a submission at one step and lets the user clean up. Returns where it was killed, or `None` if it came to
/// its end first.
fn killed_at(step: u64, service: &Service, home: &Path, ledger: &Path) -> Option<String> {
    let data = home.join(format!("data-{step}"));
    let prompt = format!("killed at step {step}");
    let killed = service.plantain(&data, &["submit", &prompt, "--wait"], Some(step));
    let before = paid(ledger, &prompt).len();
    let saved = tasks(&service.plantain(&data, &["list", "--json"], None));
    assert!(saved.len() <= 1, "step {step}: {saved:?}");
    assert!(before <= saved.len(), "step {step}: paid for, but not on our disk");

    // A restart spends nothing by itself: watching settles what the service has, and no more.
    service.plantain(&data, &["watch"], None);
    assert_eq!(paid(ledger, &prompt).len(), before, "step {step}: watching sent something");

    // The user's word brings everything to its end.
    service.plantain(&data, &["send", "--all", "--wait"], None);
    let ended = tasks(&service.plantain(&data, &["list", "--json"], None));
    assert_eq!(ended.len(), saved.len(), "step {step}: a task was lost");
    let bills = paid(ledger, &prompt);
    assert_eq!(bills.len(), ended.len(), "step {step}: one bill a task: {bills:?}");
    for task in &ended {
        assert_eq!(task["status"], "success", "step {step}: {task}");
        assert_eq!(task["id"], bills[0]["idempotency_key"], "step {step}");
        let file = task["outputs"][0]["file"].as_str().expect("a file");
        assert!(Path::new(file).is_file(), "step {step}: {file}");
    }
    let files = std::fs::read_dir(data.join("outputs")).into_iter().flatten().flatten();
    let names: Vec<String> = files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
    let notes = names.iter().filter(|name| name.ends_with(".json")).count();
    // No part is left either: what was cut was gone on with.
    assert_eq!((notes, names.len() - notes), (ended.len(), ended.len()), "step {step}: a file and a note: {names:?}");
    (!killed.status.success()).then(|| String::from_utf8_lossy(&killed.stderr).trim().to_owned())
}

#[test]
fn killed_at_every_step_nothing_is_lost_and_nothing_is_paid_twice() {
    let home = tempfile::tempdir().expect("a directory");
    let ledger = home.path().join("ledger");
    let service = Service::start(&ledger);
    // Each step is a life of its own; most of a life is waiting for the service, so several are lived at once.
    let next = AtomicU64::new(1);
    let finished = AtomicBool::new(false);
    let steps = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while !finished.load(Ordering::SeqCst) {
                    let step = next.fetch_add(1, Ordering::SeqCst);
                    assert!(step < TOO_MANY, "it never came to its end: {steps:?}");
                    match killed_at(step, &service, home.path(), &ledger) {
                        Some(place) => steps.lock().expect("no panic").push(place),
                        None => finished.store(true, Ordering::SeqCst),
                    }
                }
            });
        }
    });
    let steps = steps.into_inner().expect("no panic");
    assert!(steps.len() >= 15, "only {} steps were tried: {steps:?}", steps.len());
}
