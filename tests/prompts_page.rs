//! The examples of `docs/prompts.md`, run as they stand there.

use std::path::Path;
use std::process::Command;

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
    for block in page.split("\n```").skip(1).step_by(2) {
        let (head, body) = block.split_once('\n').expect("a block");
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
    assert!(ran >= 5, "the examples are found");
}
