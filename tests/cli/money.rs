//! Money on the command line: budgets that hold over several programs, what was spent, the file that says the limits.

use std::process::{Child, Stdio};

use serde_json::Value;

use kit::service::Service;

/// Five cents a picture, by the catalogue.
const MODEL: &str = "seedream-5.0-pro/text-to-image";

/// What these tests do with a service.
trait Money {
    fn settings(&self, text: &str);
    fn start_submit(&self, prompt: &str, repeat: &str) -> Child;
    fn sum(&self, args: &[&str]) -> Value;
}

impl Money for Service {
    fn settings(&self, text: &str) {
        let folder = self.path("config");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("config.toml"), text).expect("written");
    }

    fn start_submit(&self, prompt: &str, repeat: &str) -> Child {
        let mut command = self.command(&["submit", prompt, "-m", MODEL, "--repeat", repeat, "--json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    }

    fn sum(&self, args: &[&str]) -> Value {
        self.run(&[&["costs", "--json"], args].concat()).exits(0).json().pop().expect("a sum")
    }
}

/// G7: four programs at once, twenty tasks of five cents, a limit of 32 cents: six are created, whoever sends them.
#[test]
fn parallel_submits_share_one_purse() {
    let service = Service::with(&["--speed", "50", "--rate-limit", "0"]);
    service.settings("[budget]\nday = 0.32\n");
    let running: Vec<Child> =
        ["fox a", "fox b", "fox c", "fox d"].map(|prompt| service.start_submit(prompt, "5")).into();
    let mut held = Vec::new();
    for process in running {
        let output = process.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
        held.extend(lines.filter(|task| task["status"] == "held"));
    }
    assert_eq!(service.paid().len(), 6, "{:#?}", service.paid());
    assert!(!held.is_empty());
    for task in &held {
        let why = task["error"]["message"].as_str().unwrap_or_default();
        assert!(why.contains("the budget of the day is $0.32"), "{why}");
    }
    let sum = service.sum(&[]);
    assert_eq!((&sum["tasks"], &sum["today_usd"], &sum["budget_day"]), (&6.into(), &0.3.into(), &0.32.into()), "{sum}");
    // A raised limit, and a word for what was held: four more, and no fifth.
    let said = service.run(&["send", "--all", "--budget-day", "0.52"]).exits(1);
    assert!(said.err.contains("10 not sent"), "{said:?}");
    assert_eq!(service.paid().len(), 10);
}

/// A batch has a limit of its own, over all the runs of its file.
#[test]
fn a_batch_stops_at_its_own_limit() {
    let service = Service::start();
    let file = service.path("prompts.txt");
    std::fs::write(&file, "one fox\ntwo foxes\nthree foxes\n").expect("written");
    let file = file.to_str().expect("text");
    let args = ["submit", "--from", file, "-m", MODEL, "--budget-batch"];
    service.run(&[&args[..], &["0.10"]].concat()).exits(1).complains(&["1 not sent"]);
    service.run(&[&args[..], &["0.14"]].concat()).exits(1).complains(&["1 not sent"]);
    assert_eq!(service.paid().len(), 2);
    service.run(&[&args[..], &["0.15"]].concat()).exits(0);
    assert_eq!(service.paid().len(), 3);
    let lines = service.run(&["costs", "--by", "batch", "--json"]).exits(0).json();
    assert_eq!(
        (&lines[0]["batch"], &lines[0]["tasks"], &lines[0]["usd"]),
        (&"prompts.txt".into(), &3.into(), &0.15.into())
    );
    let said = service.run(&["costs", "--by", "model"]).exits(0);
    assert!(said.out.contains(MODEL) && said.out.contains("3 tasks  $0.15"), "{}", said.out);
}

/// What the service refuses for sure is not spent; what has no price is told as such, and held under a limit.
#[test]
fn refused_is_not_spent_and_unknown_is_unknown() {
    let service = Service::with(&["--scenario", "refusing"]);
    service.run(&["submit", "a person", "-m", MODEL]);
    assert_eq!((&service.sum(&[])["tasks"], service.paid().len()), (&0.into(), 0));
    let service = Service::start();
    service.run(&["submit", "a fox"]).exits(0);
    let sum = service.sum(&[]);
    assert_eq!((&sum["tasks"], &sum["unknown"], &sum["usd"]), (&1.into(), &1.into(), &0.0.into()));
    service.settings("[budget]\nday = 5\n");
    let said = service.run(&["submit", "a fox", "--json"]).exits(1);
    let why = said.json()[0]["error"]["message"].to_string();
    assert!(why.contains("nobody knows what this costs"), "{why}");
    service.settings("[budget]\nday = 5\nunknown = \"allow\"\n");
    service.run(&["send", "--all"]).exits(0);
    assert_eq!(service.paid().len(), 2);
}

/// A limit of its own cannot be handed to a window that sends with another one; with the same it can.
#[test]
fn a_limit_on_the_command_line_is_not_given_to_a_window_that_has_another() {
    let service = Service::with(&["--speed", "0.05", "--rate-limit", "0"]);
    let mut command =
        service.command(&["submit", "a slow fox", "-m", MODEL, "--wait", "--json", "--budget-day", "0.10"]);
    let mut first = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    while service.paid().is_empty() {
        std::thread::yield_now();
    }
    let submit = ["submit", "another fox", "-m", MODEL, "--budget-day"];
    service
        .run(&[&submit[..], &["0.20"]].concat())
        .exits(1)
        .complains(&["another plantain (process", "nothing was sent"]);
    service.run(&[&submit[..], &["0.10"]].concat()).exits(0);
    service.run(&[&submit[..], &["0.10"]].concat()).exits(1).complains(&["1 not sent"]);
    assert_eq!(service.paid(), ["a slow fox", "another fox"]);
    first.kill().expect("killed");
    first.wait().expect("ended");
}

/// A word that is not understood stops every command that could spend, with its line; nothing is sent.
#[test]
fn settings_that_are_not_understood_stop_the_program() {
    let service = Service::start();
    service.settings("[budget]\nday = 5\nbach = 1\n");
    service.run(&["submit", "a fox"]).exits(1).complains(&["config.toml, line 3", "bach"]);
    let said = service.run(&["doctor"]);
    assert!(said.out.contains("config.toml, line 3"), "{said:?}");
    assert_eq!(service.paid(), [""; 0]);
    service.settings("[budget]\nday = 5\n[confirm]\ntasks = 1\n[limits]\nrequests_per_minute = 30\n");
    let said = service.run(&["doctor", "--json"]);
    let doctor = &said.json()[0];
    assert_eq!(
        (&doctor["budget"]["day_usd"], &doctor["requests"]["per_minute"]),
        (&5.0.into(), &30.into()),
        "{doctor}"
    );
    let two = ["submit", "{a|b} fox", "--expand", "all", "-m", MODEL];
    service.run(&two).exits(2).complains(&["2 tasks", "--yes"]);
}
