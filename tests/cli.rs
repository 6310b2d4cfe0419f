//! The commands, as scripts use them: exit codes, what is printed where, and what is never printed.

use std::path::Path;
use std::process::Stdio;

use assert_cmd::assert::OutputAssertExt as _;
use kit::said::{Said, said};
use kit::service::{KEY, Service, files_with, plantain};
use serde_json::Value;

fn file(task: &Value, index: usize) -> &Path {
    Path::new(task["outputs"][index]["file"].as_str().expect("a file"))
}

fn sha256(path: &Path) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(std::fs::read(path).expect("it can be read"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn submit_wait_json_is_the_promised_line() {
    let service = Service::start();
    let args = ["submit", "a red fox in snow", "--set", "aspect_ratio=16:9", "--wait", "--json"];
    let said = service.run(&args).exits(0);
    assert_eq!(said.err, "");
    let [task] = &said.json()[..] else { panic!("one line: {said:?}") };
    let names = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(task),
        ["schema", "id", "task_id", "model", "status", "prompt", "input", "created", "completed", "outputs", "error"]
    );
    assert_eq!(names(&task["outputs"][0]), ["url", "type", "expire_at", "file", "sha256", "width", "height"]);
    assert_eq!((&task["schema"], &task["status"], &task["error"]), (&1.into(), &"success".into(), &Value::Null));
    assert_eq!(task["prompt"], "a red fox in snow");
    assert_eq!(task["input"], serde_json::json!({"prompt": "a red fox in snow", "aspect_ratio": "16:9"}));
    assert!(task["created"].as_i64() <= task["completed"].as_i64() && task["created"].as_i64() > Some(1_700_000_000));
    let output = &task["outputs"][0];
    assert_eq!(output["type"], "image");
    assert_eq!(output["width"].as_u64().map(|w| w * 9), output["height"].as_u64().map(|h| h * 16));
    assert_eq!(output["sha256"], sha256(file(task, 0)));
    assert_eq!(&std::fs::read(file(task, 0)).expect("it can be read")[..4], b"\x89PNG");

    // The same task by every command, by its own id, by the service's, and by a prefix.
    let id = task["id"].as_str().expect("an id");
    for name in [id, &id[..7], task["task_id"].as_str().expect("an id")] {
        assert_eq!(service.run(&["show", name, "--json"]).exits(0).json(), std::slice::from_ref(task));
    }
    assert_eq!(service.run(&["list", "--json"]).exits(0).json(), std::slice::from_ref(task));
    let shown = service.run(&["show", &id[..7]]).exits(0).out;
    for part in [id, "success", "16:9", "a red fox in snow", output["sha256"].as_str().expect("a hash")] {
        assert!(shown.contains(part), "{part:?} in {shown}");
    }
    service.run(&["watch"]).exits(0).complains(&["nothing is in flight"]);
    assert_eq!(service.paid().len(), 1);
}

#[test]
fn other_formats_and_another_folder() {
    let service = Service::start();
    let out = service.path("pictures/of/foxes");
    let out = out.to_str().expect("text");
    let args = ["submit", "a fox", "--set", "output_format=jpeg", "--wait", "--json", "--out", out];
    let tasks = service.run(&args).exits(0).json();
    assert!(file(&tasks[0], 0).starts_with(out));
    assert_eq!(&std::fs::read(file(&tasks[0], 0)).expect("it can be read")[..3], b"\xff\xd8\xff");
    let tasks = service.run(&["submit", "[two] foxes", "a hen", "--wait", "--json"]).exits(0).json();
    assert_eq!(tasks.len(), 2);
    let two = tasks.iter().find(|task| task["prompt"] == "[two] foxes").expect("it is there");
    assert_eq!(two["outputs"].as_array().map(Vec::len), Some(2));
    assert_ne!(file(two, 0), file(two, 1));
    // A folder that is none is known before anything is paid for.
    std::fs::write(service.path("occupied"), "mine").expect("it can be written");
    let occupied = service.path("occupied");
    let args = ["submit", "never sent", "--wait", "--out", occupied.to_str().expect("text")];
    service.run(&args).exits(1).complains(&["occupied", "nothing was sent"]);
    assert_eq!(std::fs::read(&occupied).expect("it can be read"), b"mine");
    service.run(&["submit", "without waiting", "--out", out]).exits(0).complains(&["only with --wait"]);
    assert_eq!(service.paid().len(), 4);
}

#[test]
fn what_would_be_refused_is_not_sent() {
    let service = Service::start();
    let long = "x".repeat(5001);
    let with_key = format!("my key is {KEY}");
    let cases: &[(&[&str], &[&str])] = &[
        (&["submit", "x", "--set", "aspect_ratio=17:9"], &["aspect_ratio", "17:9", "16:9"]),
        (&["submit", "x", "--set", "aspect_ration=16:9"], &["aspect_ration", "aspect_ratio"]),
        (&["submit", "x", "--set", "aspect_ratio"], &["FIELD=VALUE"]),
        (&["submit", "x", "--model", "nano-bananna"], &["nano-bananna", "Nano-Banana"]),
        (&["submit", &long], &["5000"]),
        (&["submit", ""], &["prompt"]),
        (&["submit"], &["prompt"]),
        (&["submit", "good", ""], &["prompt"]),
        (&["submit", &with_key], &["API key"]),
        (&["submit", "x", "--no-such-option"], &["--no-such-option"]),
        (&["models", "nano-bananna"], &["nano-bananna", "Nano-Banana"]),
        (&["send"], &["ID"]),
        (&["no-such-command"], &["no-such-command"]),
    ];
    for (args, words) in cases {
        let said = service.run(args).exits(2).complains(words);
        assert_eq!(said.out, "");
    }
    assert!(service.ledger().is_empty(), "{:?}", service.ledger());
    assert_eq!(service.run(&["list"]).exits(0).out, "");
    // Exactly as much as fits does fit, whatever it is in bytes.
    service.run(&["submit", &"狐".repeat(5000)]).exits(0);
    assert_eq!(service.paid().len(), 1);
}

#[test]
fn a_prompt_comes_from_standard_input() {
    let service = Service::start();
    let mut command = assert_cmd::Command::from_std(service.command(&["submit", "-", "--wait", "--json"]));
    let output = command.write_stdin("a fox\nin two lines\n").output().expect("it runs");
    let tasks = Said::from(output).exits(0).json();
    assert_eq!(tasks[0]["prompt"], "a fox\nin two lines");
    let mut command = assert_cmd::Command::from_std(service.command(&["submit", "-"]));
    Said::from(command.write_stdin(&b"\xff\xfe"[..]).output().expect("it runs")).exits(1).complains(&["UTF-8"]);
    service.command(&["submit", "-"]).assert().code(2);
    assert_eq!(service.paid().len(), 1);
}

#[test]
fn keys_that_are_none_and_keys_that_are_refused() {
    let service = Service::start();
    let with = |key: Option<&str>, args: &[&str]| {
        let mut command = service.command(args);
        match key {
            Some(key) => command.env("HIAPI_API_KEY", key),
            None => command.env_remove("HIAPI_API_KEY"),
        };
        said(&mut command)
    };
    with(None, &["submit", "x"]).exits(1).complains(&["HIAPI_API_KEY is not set", "plantain demo"]);
    with(Some(""), &["submit", "x"]).exits(1).complains(&["HIAPI_API_KEY", "empty"]);
    with(Some("sk-a\nX-Evil: 1"), &["submit", "x"]).exits(1).complains(&["line break"]);
    with(Some("Bearer sk-a"), &["submit", "x"]).exits(1).complains(&["Bearer"]);
    assert!(service.ledger().is_empty());
    assert_eq!(with(None, &["list"]).exits(0).out, "", "what needs no key works without");
    with(None, &["models"]).exits(0);

    let refused = with(Some("sk-other"), &["submit", "one", "two", "three", "--wait", "--json"]).exits(1);
    assert!(!refused.err.contains("sk-other") && !refused.out.contains("sk-other"));
    let refused = refused.complains(&["refused the API key", "3 not sent, 0 unsure"]);
    assert_eq!(refused.json().len(), 3, "a line for each: {refused:#?}");
    assert!(service.paid().is_empty());
    // With the right key everything goes on.
    let sent = service.run(&["send", "--all", "--wait", "--json"]).exits(0).json();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|task| task["status"] == "success"), "{sent:?}");
    // A key with white space around it is the key.
    with(Some(&format!(" {KEY}\n")), &["submit", "four", "--wait"]).exits(0);
    assert_eq!(service.paid().len(), 4);
    for key in [KEY, "sk-other"] {
        assert_eq!(files_with(&service.path("data"), key), [] as [&Path; 0]);
    }
}

#[test]
fn failures_have_their_exit_codes_and_words() {
    let service = Service::start();
    let cases: &[(&str, i32, &str, &str)] = &[
        ("a fox [fail]", 3, "fail", "upstream rejected the prompt"),
        ("a fox [fail-bare]", 3, "fail", "does not say why"),
        ("a fox [refuse]", 3, "refused", "content policy"),
        ("a fox [denied]", 3, "refused", "may not use this model"),
        ("a fox [empty]", 1, "success", ""),
        ("a fox [expired]", 1, "success", "expired"),
        ("a fox [broken]", 0, "success", ""),
        ("a fox [busy]", 0, "success", ""),
        ("a fox [limited]", 0, "success", ""),
        ("a fox [error]", 0, "success", ""),
        ("a fox [html]", 0, "success", ""),
        ("a fox [truncated]", 0, "success", ""),
        ("a fox [cut]", 0, "success", ""),
        ("a fox [cut-file]", 0, "success", ""),
        ("a fox [strange]", 0, "success", ""),
    ];
    std::thread::scope(|scope| {
        for (prompt, code, status, words) in cases {
            let service = &service;
            scope.spawn(move || {
                // A data folder each: they run at the same time, and one pause of the queue is not for all.
                let data = service.path(&format!("data {prompt}"));
                let run = |args: &[&str]| {
                    let output = service.command(args).env("PLANTAIN_DATA_DIR", &data).output().expect("it runs");
                    Said::from(output)
                };
                let tasks = run(&["submit", prompt, "--wait", "--json"]).exits(*code).json();
                assert_eq!((tasks.len(), &tasks[0]["status"]), (1, &Value::from(*status)), "{prompt}: {tasks:?}");
                assert_eq!(tasks[0]["error"].is_null(), *status == "success", "{prompt}: {tasks:?}");
                let shown = run(&["show", tasks[0]["id"].as_str().expect("an id")]).exits(0).out;
                assert!(shown.contains(words), "{prompt}: {words:?} in {shown}");
            });
        }
    });
    let paid = service.paid();
    for (prompt, ..) in cases {
        let bills = paid.iter().filter(|paid| paid == prompt).count();
        let expected = usize::from(!["[refuse]", "[denied]"].iter().any(|word| prompt.contains(word)));
        assert_eq!(bills, expected, "{prompt}: {paid:?}");
    }
}

#[test]
fn an_empty_account_stops_the_queue_and_loses_nothing() {
    let service = Service::start();
    let prompts = ["one [broke]", "two", "three", "four", "five", "six", "seven", "eight"];
    let args: Vec<&str> = ["submit"].into_iter().chain(prompts).chain(["--wait", "--json"]).collect();
    let said = service.run(&args).exits(1).complains(&["not enough balance", "plantain send"]);
    let told = said.json();
    assert_eq!(told.len(), prompts.len(), "a line for each");
    let stored = service.run(&["list", "--json"]).exits(0).json();
    assert_eq!(stored.len(), prompts.len());
    for task in &stored {
        let word = task["status"].as_str().expect("a word");
        assert!(["held", "saved", "queued", "handling", "success"].contains(&word), "in no doubt: {task}");
        let sent = service.paid().iter().any(|prompt| task["prompt"] == **prompt);
        assert_eq!(sent, !["held", "saved"].contains(&word), "{task}");
    }
    let held = stored.iter().filter(|task| ["held", "saved"].contains(&task["status"].as_str().expect("a word")));
    assert!(said.err.contains(&format!("{} not sent, 0 unsure", held.count())), "{}", said.err);
    // Watching sends nothing.
    let before = service.paid();
    service.run(&["watch"]).exits(1);
    assert_eq!(service.paid(), before);
}

#[test]
fn the_folder_and_the_database_may_be_anything() {
    let service = Service::start();
    let with = |data: &Path, args: &[&str]| said(service.command(args).env("PLANTAIN_DATA_DIR", data));
    let occupied = service.path("occupied");
    std::fs::write(&occupied, "mine").expect("it can be written");
    for data in [&occupied, &occupied.join("below")] {
        for args in [&["submit", "x"][..], &["list"]] {
            with(data, args).exits(1).complains(&["occupied", "cannot be written", "--data-dir"]);
        }
    }
    // A database that is none, one that is cut short, and one from the future: said with its path, left as it is.
    let good = service.path("good");
    with(&good, &["submit", "x", "--wait"]).exits(0);
    let broken = |name: &str, change: &dyn Fn(&Path), words: &[&str]| {
        let data = service.path(name);
        std::fs::create_dir(&data).expect("it can be made");
        let path = data.join("plantain.db");
        std::fs::copy(good.join("plantain.db"), &path).expect("it can be copied");
        change(&path);
        let before = sha256(&path);
        for args in [&["submit", "x"][..], &["list"], &["watch"], &["show", "a"]] {
            let said = with(&data, args).exits(1).complains(words);
            assert!(said.err.contains(path.to_str().expect("text")), "{said:?}");
        }
        assert_eq!(sha256(&path), before, "{name} was changed");
    };
    broken("none", &|path| std::fs::write(path, "no database at all").expect("written"), &["cannot be read"]);
    broken(
        "short",
        &|path| {
            let file = std::fs::File::options().write(true).open(path).expect("it opens");
            let size = file.metadata().expect("a size").len();
            file.set_len(size / 2).expect("it is cut");
        },
        &["cannot be read"],
    );
    broken(
        "future",
        &|path| {
            let database = rusqlite::Connection::open(path).expect("it opens");
            database.pragma_update(None, "user_version", 99).expect("a newer format");
            database.close().expect("it closes");
        },
        &["newer Plantain", "99"],
    );
    assert_eq!(service.paid().len(), 1);
}

#[test]
fn ids_may_be_short_but_not_ambiguous() {
    let service = Service::start();
    service.run(&["submit", "one", "two", "--wait"]).exits(0);
    service.run(&["show", "tk-hiapi-"]).exits(1).complains(&["could be", " or ", "more of it"]);
    service.run(&["show", "zzzz"]).exits(1).complains(&["zzzz", "plantain list"]);
    service.run(&["show", ""]).exits(1);
    service.run(&["show", "%"]).exits(1);
    service.run(&["watch", "zzzz"]).exits(1);
    service.run(&["send", "zzzz"]).exits(1);
    let id = service.run(&["list", "--json", "-n", "1"]).exits(0).json()[0]["id"].as_str().expect("an id").to_owned();
    service.run(&["send", &id]).exits(0).complains(&["none of them is held"]);
    assert_eq!(service.run(&["watch", &id, "--json"]).exits(0).json()[0]["id"], id);
    assert_eq!(service.run(&["list", "-n", "0"]).exits(0).out, "");
    assert_eq!(service.run(&["list"]).exits(0).out.lines().count(), 2);
}

#[test]
fn foreign_text_steers_nothing() {
    // `run` looks at everything that is printed.
    let service = Service::start();
    let evil = "fox \x1b]0;owned\x07\x1b[2J\u{9b}31m\x7f\u{202e}\u{e0041} end";
    let tasks = service.run(&["submit", evil, "--wait", "--json"]).exits(0).json();
    assert_eq!(tasks[0]["prompt"], evil, "JSON loses nothing");
    let name = file(&tasks[0], 0).file_name().expect("a name").to_str().expect("text");
    assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c)), "{name}");
    let id = tasks[0]["id"].as_str().expect("an id");
    for args in [&["list"][..], &["list", "--json"], &["show", id], &["show", id, "--json"], &["watch", id]] {
        assert!(service.run(args).exits(0).out.contains("fox"));
    }
    service.run(&["submit", "x", "--set", &format!("{evil}=1")]).exits(2);
    service.run(&["submit", "x", "--set", &format!("aspect_ratio={evil}")]).exits(2);
    service.run(&["submit", "x", "--model", evil]).exits(2);
    service.run(&["models", evil]).exits(2);
    service.run(&["show", evil]).exits(1);
    service.run(&["list", "--base-url", evil]).exits(0);
    service.run(&["submit", "x", "--base-url", evil]).exits(1);
    service.run(&["list", &format!("--{evil}")]).exits(2);
    service.run(&[evil]).exits(2);
}

#[test]
fn a_reader_that_closes_early_is_nobodys_fault() {
    let service = Service::start();
    for args in [&["models"][..], &["models", "--json"], &["--help"], &["submit", "a fox", "--wait", "--json"]] {
        let mut child = service.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert_eq!((output.status.code(), &output.stderr[..]), (Some(0), &b""[..]), "{args:?}");
    }
}

#[test]
fn without_a_terminal_there_is_a_hint() {
    let service = Service::start();
    for args in [&[][..], &["demo"]] {
        service.run(args).exits(2).complains(&["not a terminal", "plantain submit"]);
    }
    assert!(!service.path("data").exists(), "nothing was made");
    said(std::process::Command::new(plantain()).arg("--help")).exits(0);
    said(std::process::Command::new(plantain()).arg("--version")).exits(0);
}

#[test]
fn models_for_people_and_for_programs() {
    let service = Service::start();
    let all = service.run(&["models", "--json"]).exits(0).json();
    assert_eq!(all.len(), 37);
    assert_eq!(service.run(&["models"]).exits(0).out.lines().count(), 37);
    let one = service.run(&["models", "Nano-Banana", "--json"]).exits(0).json();
    assert!(all.contains(&one[0]));
    let words = service.run(&["models", "Nano-Banana"]).exits(0).out;
    assert!(words.contains("aspect_ratio") && words.contains("16:9") && words.contains("5000"), "{words}");
}

#[test]
fn two_programs_share_one_folder() {
    let service = Service::start();
    let start = |prompt: &str| {
        let mut command = service.command(&["submit", prompt, "--wait", "--json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    };
    let programs: Vec<_> = ["one", "two", "three", "four"].into_iter().map(start).collect();
    for program in programs {
        let tasks = Said::from(program.wait_with_output().expect("it ends")).exits(0).json();
        assert_eq!((tasks.len(), &tasks[0]["status"]), (1, &"success".into()));
    }
    assert_eq!(service.run(&["list"]).exits(0).out.lines().count(), 4);
    let mut paid = service.paid();
    paid.sort_unstable();
    assert_eq!(paid, ["four", "one", "three", "two"]);
}

#[test]
fn a_service_that_is_not_there_is_said() {
    let service = Service::start();
    // Nobody listens on a port that was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let mut child = service
        .command(&["submit", "a fox", "--wait", "--json", "--base-url", &format!("http://{free}")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let mut reader = std::io::BufReader::new(child.stderr.take().expect("an output"));
    std::io::BufRead::read_line(&mut reader, &mut line).expect("it says something");
    assert!(line.contains("trying again"), "{line}");
    // Ctrl-C leaves with the task's line and a word on how to go on.
    // SAFETY: a signal to a process that we started and have not waited for.
    unsafe { libc::kill(i32::try_from(child.id()).expect("a small number"), libc::SIGINT) };
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    let task: Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
    assert_eq!(task["prompt"], "a fox");
    // With the same key against the service that is there.
    let tasks = service.run(&["send", "--all", "--wait", "--json"]).exits(0).json();
    assert_eq!((&tasks[0]["id"], &tasks[0]["status"]), (&task["id"], &"success".into()));
    assert_eq!(service.paid(), ["a fox"]);
}

/// A command that has no terminal at all, not even one behind its redirected streams.
fn alone(mut command: std::process::Command) -> Said {
    use std::os::unix::process::CommandExt as _;
    // SAFETY: setsid is safe to call between fork and exec, and touches no memory.
    unsafe {
        command.pre_exec(|| if libc::setsid() < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) });
    }
    said(&mut command)
}

#[test]
fn the_doctor_without_a_terminal_says_so_and_fails() {
    let service = Service::start();
    let said = alone(service.command(&["doctor", "--json", "--online"])).exits(1);
    let [found] = &said.json()[..] else { panic!("one line: {said:?}") };
    assert_eq!((&found["terminal"], &found["key"]), (&Value::Null, &true.into()));
    assert_eq!(found["account"], 0);
    assert!(found["clock"].as_f64().is_some_and(|offset| offset.abs() < 3600.0), "{found}");
    assert_eq!(found["wrong"].as_array().map(Vec::len), Some(1), "{found}");
    let words = alone(service.command(&["doctor"])).exits(1).out;
    assert!(words.contains("not run on a terminal") && words.contains("there is one"), "{words}");
    assert!(service.paid().is_empty());
}

#[test]
fn the_doctor_finds_a_folder_that_cannot_be_used() {
    let service = Service::start();
    std::fs::create_dir_all(service.path("data")).expect("made");
    std::fs::write(service.path("data").join("plantain.db"), "no database").expect("written");
    let said = alone(service.command(&["doctor", "--json"])).exits(1);
    let found = &said.json()[0];
    assert_eq!(found["history"], Value::Null);
    assert_eq!(found["wrong"].as_array().map(Vec::len), Some(2), "{found}");
}

/// From a failure to its fix and on to another model: what would fail again is not sent, and all are one family.
#[test]
fn a_failure_is_mended_and_taken_to_another_model() {
    let service = Service::start();
    let failed = service.run(&["submit", "a forbidden fox", "--wait", "--json"]).exits(3).json().remove(0);
    assert_eq!((&failed["status"], &failed["kind"]), (&"fail".into(), &"policy".into()));
    let id = |task: &Value| task["id"].as_str().expect("an id").to_owned();
    let first = id(&failed);

    // Unchanged, and changed into itself: nothing is sent.
    service.run(&["retry", &first]).exits(2).complains(&[
        "upstream rejected the prompt",
        "--prompt",
        "nothing was sent",
    ]);
    service.run(&["retry", &first, "--prompt", "a forbidden fox"]).exits(2).complains(&["that is the same request"]);
    service.run(&["retry", &first, "--set", "aspect_ratio=9:1"]).exits(2).complains(&["cannot be", "nothing was sent"]);
    service.run(&["retry", &first, "--set", "shape=1:1"]).exits(2).complains(&["no field"]);
    assert_eq!(service.paid().len(), 1);

    let args = ["retry", &first, "--prompt", "a fox", "--set", "aspect_ratio=21:9", "--wait", "--json"];
    let fixed = service.run(&args).exits(0).json().remove(0);
    assert_eq!(fixed["from"], serde_json::json!({ "id": first, "how": "fix" }));
    assert_eq!(fixed["input"], serde_json::json!({ "prompt": "a fox", "aspect_ratio": "21:9" }));
    let second = id(&fixed);
    service.run(&["retry", &second]).exits(2).complains(&["it is done", "--yes"]);

    let model = "happyhorse-1-0";
    let dry = service.run(&["promote", &second, "--model", model, "--dry-run", "--json"]).exits(0).json().remove(0);
    assert_eq!(dry["request"]["input"], serde_json::json!({ "prompt": "a fox", "aspect_ratio": "16:9" }));
    assert_eq!(dry["carried"][1]["fate"], "changed");
    service.run(&["promote", &second, "--model", "nobody"]).exits(2).complains(&["there is no model"]);
    let missing = service.run(&["promote", &second, "--model", "gpt-image-2/image-to-image"]).exits(2);
    missing.complains(&["input_urls is required", "nothing was sent"]);
    assert_eq!(service.paid().len(), 2);
    let third = service.run(&["promote", &second, "--model", model, "--json"]).exits(0).json().remove(0);
    assert_eq!(third["from"], serde_json::json!({ "id": second, "how": "promote" }));

    let shown = service.run(&["show", &second, "--json"]).exits(0).json().remove(0);
    let family: Vec<(&str, u64)> = shown["family"]
        .as_array()
        .expect("a family")
        .iter()
        .map(|one| (one["id"].as_str().expect("an id"), one["generation"].as_u64().expect("a number")))
        .collect();
    assert_eq!(family, [(first.as_str(), 0), (second.as_str(), 1), (id(&third).as_str(), 2)]);
    let words = service.run(&["show", &second]).exits(0).out;
    assert!(words.contains("fix of") && words.contains("└─ promote"), "{words}");
    assert_eq!(service.paid().len(), 3);

    // A picture as the input of another model, and a time-out that may go again as it is.
    let used = service
        .run(&["promote", &second, "--model", "851-labs/background-remover", "--reference", "--dry-run", "--json"])
        .exits(0)
        .json()
        .remove(0);
    assert_eq!(used["request"]["input"]["image_url"], fixed["outputs"][0]["url"]);
    let late = service.run(&["submit", "timeout", "--wait", "--json"]).exits(3).json().remove(0);
    let again = service.run(&["retry", &id(&late), "--wait", "--json"]).exits(3).json().remove(0);
    assert_eq!(again["from"], serde_json::json!({ "id": id(&late), "how": "retry" }));
    let bodies: Vec<_> = service.paid();
    assert_eq!(bodies.len(), 5);
}
