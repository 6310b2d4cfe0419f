//! Many tasks from the command line: files, templates, matrices; what is refused, what is asked, what is sent once.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use kit::service::Service;

fn rows(count: usize) -> String {
    (0..count).fold("prompt,output_format\n".to_owned(), |text, n| text + &format!("\"fox {n}, in snow\",jpeg\n"))
}

/// A line for each request and one for the sum; nothing is sent, nothing is made on the disk.
#[test]
fn five_hundred_rows_and_two_shapes_are_a_thousand_requests() {
    let service = Service::start();
    let file = service.file("prompts.csv", &rows(500));
    let args = ["--from", &file, "--matrix", "aspect_ratio=1:1,16:9", "--dry-run", "--json"];
    let dear = ["-m", "seedream-5.0-pro/text-to-image"];
    let lines = service.submit(&[&args[..], &dear[..]].concat()).exits(0).json();
    let sum = lines.last().expect("a sum");
    assert_eq!((&sum["tasks"], &sum["usd"], &sum["unknown"]), (&1000.into(), &50.0.into(), &0.into()), "{sum}");
    let lines = service.submit(&args).exits(0).json();
    let (sum, requests) = lines.split_last().expect("a sum");
    assert_eq!((requests.len(), &sum["tasks"]), (1000, &1000.into()));
    let input = serde_json::json!({"prompt": "fox 0, in snow", "aspect_ratio": "16:9", "output_format": "jpeg"});
    assert_eq!(requests[1]["request"]["input"], input);
    assert_eq!((&sum["price"], &sum["unknown"]), (&"price unknown".into(), &1000.into()));
    let curl = sum["curl"].as_str().expect("a command");
    assert!(curl.contains("$HIAPI_API_KEY") && curl.contains("fox 0") && curl.contains("/v1/tasks'"), "{curl}");
    assert!(service.ledger().is_empty() && !service.path("data/plantain.db").exists());
}

/// Killed half-way and run again: every row once.
#[test]
fn a_file_that_is_run_again_sends_the_rest() {
    let service = Service::with(&["--rate-limit", "100000"]);
    let file = service.file("prompts.csv", &rows(60));
    let args = ["submit", "--from", &file, "--matrix", "aspect_ratio=1:1,16:9", "--yes", "--json"];
    let mut first = service.command(&args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
    let mut lines = BufReader::new(first.stdout.take().expect("an output")).lines();
    for _ in 0..40 {
        lines.next().expect("it goes on").expect("text");
    }
    first.kill().expect("it can be killed");
    first.wait().expect("it ends");
    let before = service.paid().len();
    assert!((40..120).contains(&before), "{before}");

    service.submit(&args[1..]).exits(0).complains(&["were sent before"]);
    let mut paid: BTreeMap<String, usize> = BTreeMap::new();
    for line in service.ledger().iter().filter(|line| line["event"] == "created") {
        *paid.entry(line["input"].to_string()).or_default() += 1;
    }
    assert_eq!((paid.len(), paid.values().max()), (120, Some(&1)));

    // A third time there is nothing left; a new row is a row, wherever it stands; a batch of another name is another.
    service.submit(&args[1..]).exits(0).complains(&["120 of batch \"prompts.csv\" were sent before"]);
    assert_eq!(service.paid().len(), 120);
    let grown = rows(60).replacen('\n', "\na hen,\n", 1);
    service.file("prompts.csv", &grown);
    service.submit(&args[1..]).exits(0);
    assert_eq!(service.paid().len(), 122);
    let few = service.file("few.txt", "a cow\n\na cow\na pig\n");
    service.submit(&["--from", &few]).exits(0);
    service.submit(&["--from", &few]).exits(0);
    assert_eq!(service.paid().len(), 125, "the same line twice is two tasks, once");
    service.submit(&["--from", &few, "--batch", "more"]).exits(0);
    assert_eq!(service.paid().len(), 128);
}

/// G4: a broken row is named by its line, before anything is sent; or passed over, if that was asked for.
#[test]
fn broken_files_are_refused_as_a_whole() {
    let service = Service::start();
    let cases: &[(&str, &str, &[&str])] = &[
        ("a.csv", "prompt,shape\nx,1:1\n", &["line 1", "shape"]),
        ("b.csv", "prompt,aspect_ratio\nx,1:1\ny,17:9\nz\n", &["line 3", "17:9", "line 4", "1 cells for 2 columns"]),
        ("c.csv", "prompt\n\"x\n", &["line 2", "never closed"]),
        ("d.csv", "prompt,prompt\nx,y\n", &["twice"]),
        ("e.jsonl", "{\"prompt\":\"x\"}\n{\"prompt\":\n[]\n", &["line 2", "no JSON", "line 3", "object"]),
        ("f.jsonl", "{\"prompt\":\"x\",\"aspect_ration\":\"1:1\"}\n", &["line 1", "aspect_ration", "aspect_ratio"]),
        (
            "g.jsonl",
            "{\"prompt\":7}\n{\"prompt\":\"x\",\"model\":\"nobody\"}\n",
            &["line 1", "text", "line 2", "nobody"],
        ),
        ("h.txt", "\n\n", &["nothing"]),
        ("i.txt", "a \0 b\n", &["no text"]),
    ];
    for (name, text, words) in cases {
        let file = service.file(name, text);
        let said = service.submit(&["--from", &file]);
        assert!(said.code == 2 || said.code == 1, "{name}: {}", said.err);
        said.complains(words);
    }
    service.submit(&["--from", "nowhere.txt"]).exits(1).complains(&["nowhere.txt"]);
    assert!(service.paid().is_empty());
    let file = service.file("b.csv", "prompt,aspect_ratio\nx,1:1\ny,17:9\nz\n");
    service.submit(&["--from", &file, "--keep-going"]).exits(2).complains(&["line 3", "line 4"]);
    assert_eq!(service.paid(), ["x"]);
}

/// G2: number and price are asked about, and beyond a limit nothing helps.
#[test]
fn many_and_dear_is_asked_about() {
    let service = Service::start();
    let said = service.submit(&["a fox", "--matrix", "aspect_ratio=1:1,16:9,4:3", "--repeat", "7"]).exits(2);
    said.complains(&["21 tasks", "--yes", "nothing was sent"]);
    service.submit(&["a fox", "--repeat", "21", "--dry-run"]).exits(0);
    service.submit(&["{a|b}{a|b}{a|b}{a|b}{a|b}", "--expand", "all"]).exits(2).complains(&["32 tasks"]);
    let twenty = "{a|b}".repeat(20);
    service.submit(&[&twenty, "--expand", "all", "--yes"]).exits(2).complains(&["1048576 tasks", "10000"]);
    service.submit(&["a {fox|hen", "--expand", "all"]).exits(2).complains(&["character 3", "never closed"]);
    service.submit(&["x", "--matrix", "aspect_ration=1:1"]).exits(2).complains(&["aspect_ratio"]);
    service.submit(&["x", "--matrix", "aspect_ratio=1:1,1:1"]).exits(2).complains(&["twice"]);
    service.submit(&["x", "--matrix", "aspect_ratio=1:1,17:9"]).exits(2).complains(&["17:9"]);
    service.submit(&["x", "--set", "aspect_ratio=1:1", "--matrix", "aspect_ratio=1:1,16:9"]).exits(2);
    let priced = |more: &[&str]| {
        service.submit(&[&["a fox", "-m", "seedream-5.0-pro/text-to-image", "--repeat"][..], more].concat())
    };
    priced(&["3", "--max-cost", "0.14"]).exits(2).complains(&["$0.15", "more than --max-cost 0.14"]);
    priced(&["20", "--set", "quality=high"]).exits(2).complains(&["20 tasks, $2.00", "--yes"]);
    service.submit(&["x", "--max-cost", "100"]).exits(2).complains(&["price unknown", "nobody can say"]);
    assert!(service.paid().is_empty());
    priced(&["3", "--max-cost", "0.16"]).exits(0);
    assert_eq!(service.paid(), ["a fox", "a fox", "a fox"]);
}

#[test]
fn a_brace_is_a_brace_unless_templates_are_asked_for() {
    let service = Service::start();
    service.submit(&["a {red|blue} fox, __x__"]).exits(0);
    assert_eq!(service.paid(), ["a {red|blue} fox, __x__"]);
    let lists = service.path("lists");
    service.file("lists/animals.txt", "# animals\nfox\nhen\n");
    let args = ["a {red|blue} __animals__", "--expand", "all", "--lists", lists.to_str().expect("text"), "--json"];
    let tasks = service.submit(&args).exits(0).json();
    let mut paid = service.paid().split_off(1);
    paid.sort();
    assert_eq!(paid, ["a blue fox", "a blue hen", "a red fox", "a red hen"]);
    assert!(tasks.iter().all(|task| task["template"] == "a {red|blue} __animals__"));
    let drawn = |seed: &str| {
        let args = ["{a|b|c|d} {a|b|c|d}", "--expand", "random:9", "--seed", seed, "--dry-run", "--json"];
        service.submit(&args).exits(0).out
    };
    assert_eq!(drawn("5"), drawn("5"));
    assert_ne!(drawn("5"), drawn("6"));
}

/// G3: lists are read once, whole, and from their folder only.
#[test]
fn lists_that_cannot_be_used_stop_everything() {
    let service = Service::start();
    service.file("lists/empty.txt", "# nothing\n");
    service.file("lists/round.txt", "__round__\n");
    service.file("lists/huge.txt", &"x\n".repeat(600_000));
    std::fs::write(service.path("lists/binary.txt"), b"a\xff\x00").expect("it can be written");
    let secret = service.file("secret.txt", "mine");
    std::os::unix::fs::symlink(secret, service.path("lists/away.txt")).expect("a link");
    let lists = service.path("lists");
    for (name, words) in [
        ("missing", "cannot be read"),
        ("empty", "is empty"),
        ("round", "leads back"),
        ("huge", "larger than"),
        ("binary", "no text"),
        ("away", "leads out"),
    ] {
        let template = format!("a __{name}__");
        let args = [&template, "--expand", "all", "--lists", lists.to_str().expect("text")];
        service.submit(&args).exits(2).complains(&[name, words]);
    }
    assert!(service.paid().is_empty());
}
