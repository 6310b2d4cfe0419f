//! The examples of `docs/prompts.md`, run as they stand there.

use std::path::Path;
use std::process::Command;

use kit::service::Service;

/// Takes a line of a shell apart; the page uses double quotes and nothing else.
fn words(line: &str) -> Vec<String> {
    let quoted = line.split('"').enumerate();
    let words = quoted.flat_map(|(i, part)| {
        if i % 2 == 1 { vec![part.to_owned()] } else { part.split_whitespace().map(str::to_owned).collect() }
    });
    words.collect()
}

#[test]
fn the_examples_do_what_is_written() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/prompts.md");
    // A package may be without its pages.
    let Ok(page) = std::fs::read_to_string(page) else { return };
    let home = tempfile::tempdir().expect("a folder");
    let mut ran = 0;
    let mut sessions = 0;
    for block in page.split("\n```").skip(1).step_by(2) {
        let (head, body) = block.split_once('\n').expect("a block");
        if head == "session" {
            session(body);
            sessions += 1;
            continue;
        }
        if let Some((_, name)) = head.split_once(' ') {
            std::fs::write(home.path().join(name), body).expect("it can be written");
            continue;
        }
        for line in body.lines() {
            let (command, wanted) = line.split_once("      # ").expect("an example says what it comes to");
            let output = Command::new(kit::service::plantain())
                .args(&words(command)[1..])
                .arg("--dry-run")
                .current_dir(home.path())
                .env("PLANTAIN_DATA_DIR", home.path().join("data"))
                .env_remove("HIAPI_API_KEY")
                .output()
                .expect("it runs");
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            let last = said.lines().last().unwrap_or_default();
            assert!(last.starts_with(&format!("{wanted}, ")), "{command}: {last} {:?}", output.stderr);
            let tasks: usize = wanted.split(' ').next().and_then(|n| n.parse().ok()).expect("a number");
            assert_eq!(said.lines().filter(|line| line.starts_with('{')).count(), tasks, "{command}");
            ran += 1;
        }
    }
    assert!(ran >= 5 && sessions >= 2, "the examples are found");
}

/// Lines that belong together, against a simulated service: `LAST` is the task that was made last, the number is the exit
/// code.
fn session(body: &str) {
    let service = Service::start();
    let mut last = String::new();
    for line in body.lines() {
        let (command, wanted) = line.split_once("      # ").expect("an example says how it ends");
        let words: Vec<String> = words(command)
            .iter()
            .skip(1)
            .map(|word| if word == "LAST" { last.clone() } else { word.clone() })
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        service.run(&words).exits(wanted.parse().expect("a number"));
        let newest = service.run(&["list", "-n", "1", "--json"]).exits(0).json();
        last = newest[0]["id"].as_str().expect("an id").to_owned();
    }
}
