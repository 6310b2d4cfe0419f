//! The real program, killed at every step of a submission, against the real simulated service: no task is lost,
//! none is paid twice, and the service's own ledger is the witness.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

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

#[test]
fn killed_at_every_step_nothing_is_lost_and_nothing_is_paid_twice() {
    let home = tempfile::tempdir().expect("a directory");
    let ledger = home.path().join("ledger");
    let service = Service::start(&ledger);
    let mut steps = Vec::new();
    for step in 1..=TOO_MANY {
        let data = home.path().join(format!("data-{step}"));
        let prompt = format!("killed at step {step}");
        let killed = service.plantain(&data, &["submit", &prompt, "--wait"], Some(step));
        let before = paid(&ledger, &prompt).len();
        let saved = tasks(&service.plantain(&data, &["list", "--json"], None));
        assert!(saved.len() <= 1, "step {step}: {saved:?}");
        assert!(before <= saved.len(), "step {step}: paid for, but not on our disk");

        // A restart spends nothing by itself: watching settles what the service has, and no more.
        service.plantain(&data, &["watch"], None);
        assert_eq!(paid(&ledger, &prompt).len(), before, "step {step}: watching sent something");

        // The user's word brings everything to its end.
        service.plantain(&data, &["send", "--all", "--wait"], None);
        let ended = tasks(&service.plantain(&data, &["list", "--json"], None));
        assert_eq!(ended.len(), saved.len(), "step {step}: a task was lost");
        let bills = paid(&ledger, &prompt);
        assert_eq!(bills.len(), ended.len(), "step {step}: one bill a task: {bills:?}");
        for task in &ended {
            assert_eq!(task["status"], "success", "step {step}: {task}");
            assert_eq!(task["id"], bills[0]["idempotency_key"], "step {step}");
            let file = task["outputs"][0]["file"].as_str().expect("a file");
            assert!(Path::new(file).is_file(), "step {step}: {file}");
        }
        let outputs = data.join("outputs");
        let pictures = std::fs::read_dir(&outputs)
            .map_or(0, |files| files.flatten().filter(|f| !f.file_name().to_string_lossy().starts_with('.')).count());
        assert_eq!(pictures, ended.len(), "step {step}: one file a task");
        if killed.status.success() {
            let passed = steps.len();
            assert!(passed >= 15, "only {passed} steps were tried: {steps:?}");
            return;
        }
        steps.push(String::from_utf8_lossy(&killed.stderr).trim().to_owned());
    }
    panic!("it never came to its end: {steps:?}");
}
