//! The real program, killed at every step of a submission, against the real simulated service: no task is lost,
//! none is paid twice, and the service's own ledger is the witness.

use std::path::Path;
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use kit::said::lines;
use kit::service::Service;

/// Far more steps than a submission has; reaching it means that the program never ends by itself.
const TOO_MANY: u64 = 500;

fn plantain(service: &Service, data: &Path, args: &[&str], kill_at: Option<u64>) -> Output {
    let mut command = service.command(args);
    command.env("PLANTAIN_DATA_DIR", data);
    if let Some(step) = kill_at {
        command.env("PLANTAIN_KILL_AT", step.to_string());
    }
    command.output().expect("plantain runs")
}

/// The tasks of the ledger that were created for this prompt.
fn paid(service: &Service, prompt: &str) -> Vec<serde_json::Value> {
    service.created().into_iter().filter(|line| line["input"]["prompt"] == prompt).collect()
}

fn tasks(output: &Output) -> Vec<serde_json::Value> {
    lines(&String::from_utf8_lossy(&output.stdout))
}

/// Kills a submission at one step and lets the user clean up. Returns where it was killed, or `None` if it came to
/// its end first.
fn killed_at(step: u64, service: &Service) -> Option<String> {
    let data = service.path(&format!("data-{step}"));
    let prompt = format!("killed at step {step}");
    let killed = plantain(service, &data, &["submit", &prompt, "--wait"], Some(step));
    let before = paid(service, &prompt).len();
    let saved = tasks(&plantain(service, &data, &["list", "--json"], None));
    assert!(saved.len() <= 1, "step {step}: {saved:?}");
    assert!(before <= saved.len(), "step {step}: paid for, but not on our disk");

    // A restart spends nothing by itself: watching settles what the service has, and no more.
    plantain(service, &data, &["watch"], None);
    assert_eq!(paid(service, &prompt).len(), before, "step {step}: watching sent something");

    // The user's word brings everything to its end.
    plantain(service, &data, &["send", "--all", "--wait"], None);
    let ended = tasks(&plantain(service, &data, &["list", "--json"], None));
    assert_eq!(ended.len(), saved.len(), "step {step}: a task was lost");
    let bills = paid(service, &prompt);
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
    let service = Service::with(&["--speed", "200", "--longest-side", "64"]);
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
                    match killed_at(step, &service) {
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
