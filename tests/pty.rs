//! The real program on a pseudo-terminal, against the real simulated service. Nothing sleeps: conditions on the
//! screen are waited for.

use kit::service::{self, KEY, Service};
use kit::terminal::{self, Terminal, program};
use portable_pty::CommandBuilder;

const CTRL_D: &str = "\x04";
const CTRL_Q: &str = "\x11";
const ESC: &str = "\x1b";

/// A row of the table in which all of these words stand.
fn row(terminal: &Terminal, words: &[&str]) {
    terminal.until(&format!("there is a row with {words:?}"), |seen| {
        seen.screen().contents().lines().any(|line| words.iter().all(|word| line.contains(word)))
    });
}

/// Types a prompt and sends it.
fn submit(terminal: &Terminal, prompt: &str) {
    terminal.submit(prompt);
    terminal.until_text("describe the picture");
}

fn leave(terminal: &Terminal) {
    terminal.send(CTRL_Q);
    assert_eq!(terminal.given_back().exit_code(), 0);
}

fn holds(raw: &[u8], part: &[u8]) -> bool {
    raw.windows(part.len()).any(|window| window == part)
}

#[test]
fn the_demonstration_from_beginning_to_end() {
    let home = tempfile::tempdir().expect("a directory");
    let scratch = tempfile::tempdir().expect("a directory");
    let mut command = program(&["demo", "--speed", "50"], home.path());
    command.env("TMPDIR", scratch.path());
    let terminal = Terminal::start(command, 110, 34);
    terminal.until_text("lighthouse");
    terminal.until("the batch has ended", |seen| {
        let text = seen.screen().contents();
        text.matches("success").count() >= 5 && text.contains("failed")
    });
    // Nothing is counted twice: not what the store holds, and not what was begun while it was opened.
    terminal.until_text(" of 6 ");
    submit(&terminal, "a green frog on a leaf");
    row(&terminal, &["success", "green frog"]);
    terminal.until_text("▀");
    leave(&terminal);
    let left = |dir: &std::path::Path| std::fs::read_dir(dir).expect("it is readable").count();
    assert_eq!(left(home.path()), 0, "the demonstration keeps out of the folder of the real history");
    assert_eq!(left(scratch.path()), 0, "and takes its own away");
}

#[test]
fn everything_is_still_there_after_closing() {
    let service = Service::start();
    let terminal = service.open();
    submit(&terminal, "a red fox in snow");
    row(&terminal, &["success", "red fox"]);
    terminal.until_text("▄");
    terminal.send("half a thought");
    terminal.until_text("half a thought");
    leave(&terminal);

    let again = service.open();
    row(&again, &["success", "red fox"]);
    again.until_text("half a thought");
    again.until_text("▄");
    leave(&again);
    assert_eq!(service.paid(), ["a red fox in snow"]);
}

#[test]
fn a_kill_loses_no_draft() {
    let service = Service::start();
    let terminal = service.open();
    terminal.send("what I was just writing");
    terminal.until_text("what I was just writing");
    // Saved within two seconds: seen by somebody who looks into the database, not by a clock.
    let database = service.path("data/plantain.db-wal");
    let end = std::time::Instant::now() + terminal::PATIENCE;
    while !std::fs::read(&database).is_ok_and(|bytes| holds(&bytes, b"what I was just writing")) {
        assert!(std::time::Instant::now() < end, "the draft was not saved");
        std::thread::yield_now();
    }
    terminal.signal(libc::SIGKILL);
    terminal.end();

    let again = service.open();
    again.until_text("what I was just writing");
    leave(&again);
    assert!(service.paid().is_empty());
}

#[test]
fn a_kill_in_flight_sends_nothing_by_itself() {
    let service = Service::start();
    let saved = |prompt: &str, step: &str| {
        let output = service.command(&["submit", prompt]).env("PLANTAIN_KILL_AT", step).output().expect("it runs");
        assert!(!output.status.success(), "it was killed");
    };
    let stage = || {
        let output = service.command(&["list", "--json"]).output().expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().next().map(|line| {
            let task: serde_json::Value = serde_json::from_str(line).expect("JSON");
            task["status"].as_str().expect("a word").to_owned()
        })
    };
    // Killed later and later, until there is a task that may or may not have been sent.
    let mut step = 1;
    while stage().as_deref() != Some("sending") {
        saved(&format!("killed at {step}"), &step.to_string());
        step += 1;
        assert!(step < 40, "no step leaves a task in doubt");
    }
    let before = service.paid();

    let terminal = service.open();
    row(&terminal, &["unsure", "killed at"]);
    row(&terminal, &["held", "killed at"]);
    terminal.until_text("when the program ended; r on a task goes on with it");
    terminal.quiet();
    assert_eq!(service.paid(), before, "a restart sends nothing by itself");
    let unsure = format!("killed at {}", step - 1);
    terminal.send(ESC);
    // To the newest row, which is the one in doubt.
    terminal.until_text("new prompt");
    terminal.send("g");
    terminal.send("r");
    row(&terminal, &["success", &unsure]);
    assert_eq!(service.paid().iter().filter(|prompt| **prompt == unsure).count(), 1, "paid once");
    assert_eq!(service.paid().len(), before.len().max(1), "the held ones still wait");
    leave(&terminal);
}

#[test]
fn without_a_key_the_screen_says_how_to_set_one() {
    let service = Service::start();
    let mut command = service.screen(&[]);
    command.env_remove("HIAPI_API_KEY");
    let terminal = Terminal::start(command, 110, 34);
    terminal.until_text("API key");
    terminal.until_text("HIAPI_API_KEY is not set");
    terminal.send("\x1b[200~sk-wrong\x1b[201~");
    terminal.until_text("••••");
    terminal.send("\r");
    terminal.until_text("refused the API key");
    assert!(!terminal.text().contains("sk-wrong"), "a key is never shown");
    terminal.send("\x15");
    terminal.until_gone("••••");
    // Two keys at once are not joined up.
    terminal.send("\x1b[200~sk-one\nsk-two\x1b[201~\r");
    terminal.until_text("line break");
    terminal.send("\x15");
    terminal.until_gone("••••");
    terminal.send(format!("\x1b[200~ {KEY}\n\x1b[201~\r"));
    terminal.until_text("the key works");
    submit(&terminal, "a fox with a key");
    row(&terminal, &["success", "a fox with a key"]);
    leave(&terminal);
    assert!(!holds(&terminal.seen().raw, KEY.as_bytes()), "nowhere on the terminal");
    assert!(service::files_with(&service.path("data"), KEY).is_empty(), "nor on the disk");
}

#[test]
fn from_the_key_screen_to_the_demonstration_and_to_the_history() {
    let service = Service::start();
    let sent = service.command(&["submit", "an old fox", "--wait"]).output().expect("it runs");
    assert!(sent.status.success());
    let mut command = service.screen(&[]);
    command.env_remove("HIAPI_API_KEY");
    let terminal = Terminal::start(command.clone(), 110, 34);
    terminal.until_text("HIAPI_API_KEY is not set");
    terminal.send(ESC);
    terminal.until_gone("looks around");
    row(&terminal, &["success", "an old fox"]);
    leave(&terminal);

    let terminal = Terminal::start(command, 110, 34);
    terminal.until_text("HIAPI_API_KEY is not set");
    terminal.send(CTRL_D);
    terminal.until_text("lighthouse");
    assert!(!terminal.text().contains("an old fox"), "the demonstration has a history of its own");
    leave(&terminal);
    let list = service.command(&["list"]).output().expect("it runs");
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(list.contains("an old fox") && !list.contains("lighthouse"), "{list}");
}

#[test]
fn the_window_may_have_any_size() {
    let service = Service::start();
    let terminal = service.open();
    submit(&terminal, "a fox in many sizes");
    for (columns, rows) in [(60, 15), (20, 5), (1, 1), (300, 90), (2, 40), (200, 2), (20, 5)] {
        terminal.resize(columns, rows);
        terminal.send("x\x7f");
    }
    terminal.until_text("plantain needs 40");
    terminal.resize(110, 34);
    row(&terminal, &["success", "a fox in many sizes"]);
    terminal.until_text("describe the picture");
    terminal.until_text("▄");
    leave(&terminal);
}

#[test]
fn signals_end_it_in_good_order() {
    let service = Service::start();
    for signal in [libc::SIGTERM, libc::SIGHUP, libc::SIGINT, libc::SIGQUIT] {
        let terminal = service.open();
        terminal.until_text("model");
        terminal.send(format!("draft {signal}"));
        terminal.until_text(&format!("draft {signal}"));
        terminal.signal(signal);
        let status = terminal.given_back();
        assert_eq!((status.exit_code(), status.signal()), (0, None), "signal {signal}");
        let again = service.open();
        again.until_text(&format!("draft {signal}"));
        again.send("\x1b[200~\x1b[201~");
        for _ in 0..9 {
            again.send("\x7f");
        }
        leave(&again);
    }
}

#[test]
fn a_closed_terminal_ends_it_and_harms_nothing() {
    let service = Service::start();
    let mut terminal = service.open();
    submit(&terminal, "a fox on a dying line");
    terminal.until("the service has taken it", |seen| {
        let text = seen.screen().contents();
        text.lines().any(|line| {
            let word =
                ["queued", "handling", "archiving", "fetching", "success"].iter().any(|word| line.contains(word));
            word && line.contains("a fox on a dying line")
        })
    });
    terminal.send("unfinished");
    terminal.until_text("unfinished");
    terminal.hang_up();
    terminal.end();
    let again = service.open();
    again.until_text("unfinished");
    row(&again, &["success", "a fox on a dying line"]);
    assert_eq!(service.paid().len(), 1);
    leave(&again);
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_fg_takes_it_again() {
    let service = Service::start();
    let mut command = CommandBuilder::new("sh");
    let script = "set -m; \"$0\"; echo STOPPED-$?; read line; fg >/dev/null; echo ENDED-$?";
    command.args(["-c".as_ref(), script.as_ref(), service::plantain().as_os_str()]);
    terminal::surroundings(&mut command, &service.path("data"));
    service.introduce(&mut command);
    let terminal = Terminal::start(command, 110, 34);
    terminal.until_text("describe the picture");
    terminal.send("before the break");
    terminal.until_text("before the break");
    terminal.send("\x1a");
    terminal.until_text("STOPPED-");
    {
        let seen = terminal.seen();
        assert!(!seen.screen().alternate_screen() && !seen.screen().bracketed_paste() && !seen.screen().hide_cursor());
    }
    terminal.send("\n");
    terminal.until("the whole screen is back", |seen| {
        let text = seen.screen().contents();
        seen.screen().alternate_screen() && text.contains("before the break") && text.contains("ctrl-s")
    });
    terminal.send(", and after");
    terminal.until_text("before the break, and after");
    terminal.send(CTRL_Q);
    terminal.until_text("ENDED-0");
    terminal.given_back();
}

#[test]
fn a_stop_from_outside_is_survived() {
    let service = Service::start();
    let terminal = service.open();
    terminal.until_text("describe the picture");
    terminal.quiet();
    // Whoever stopped it used the terminal meanwhile.
    terminal.signal(libc::SIGSTOP);
    terminal.spoil();
    terminal.signal(libc::SIGCONT);
    terminal.until_text("describe the picture");
    terminal.send("typed after");
    terminal.until_text("typed after");
    leave(&terminal);
}

#[test]
fn a_paste_is_text_and_never_an_action() {
    let service = Service::start();
    let terminal = service.open();
    terminal.until_text("describe the picture");
    terminal.send("\x1b[200~first line\r\nsecond \x1b[31mline\x13\x11\x03\x1b]0;owned\x07 end\x1b[201~!");
    terminal.until_text("first line");
    terminal.until_text("end!");
    // From the table, too: letters are actions there.
    terminal.send(ESC);
    terminal.until_text("new prompt");
    terminal.send("\x1b[200~qqq\x1b[201~");
    terminal.until_text("qqq");
    // The own key does not go where it would be saved.
    terminal.send(format!("\x1b[200~see {KEY}\x1b[201~"));
    terminal.until_text("holds your API key");
    leave(&terminal);
    assert!(service.paid().is_empty(), "a paste sends nothing");
    assert!(service::files_with(&service.path("data"), KEY).is_empty());
}

#[test]
fn answers_of_the_terminal_are_never_typed_text() {
    let service = Service::start();
    let sent = service.command(&["submit", "a fox in pixels", "--wait"]).output().expect("it runs");
    assert!(sent.status.success());
    // One that answers at once, as a terminal with sixel pictures; its name and colours come along.
    let answers = "\x1bP>|XTerm(390)\x1b\\\x1b[6;20;10t\x1b[4;680;1100t\x1b[8;34;110t\x1b[?2;0;1100;680S\
                   \x1b]10;rgb:dddd/dddd/dddd\x1b\\\x1b]11;rgb:1111/1111/1111\x07\x1b[?2026;2$y\x1b[?62;4;22c";
    let prompt = service.open();
    prompt.until("it has asked", |seen| holds(&seen.raw, b"\x1b[c"));
    prompt.send(answers);
    prompt.until("a sixel picture comes", |seen| holds(&seen.raw, b"\x1bP"));
    prompt.send("ok");
    prompt.until_text("│ ok ");
    leave(&prompt);

    // One that answers late, in pieces, between keys.
    let late = service.open();
    late.until_text("▄");
    late.send("ab");
    late.until_text("│ okab ");
    for piece in answers.as_bytes().chunks(3) {
        late.send(piece);
    }
    late.send("cd");
    late.until("a sixel picture comes", |seen| holds(&seen.raw, b"\x1bP"));
    late.until_text("│ okabcd ");
    leave(&late);
}

#[test]
fn nothing_is_written_while_nothing_changes_and_little_when_something_does() {
    let service = Service::start();
    for prompt in ["one fox", "two foxes", "three foxes"] {
        assert!(service.command(&["submit", prompt, "--wait"]).output().expect("it runs").status.success());
    }
    let terminal = Terminal::start(service.screen(&["--graphics", "off"]), 120, 40);
    row(&terminal, &["success", "one fox"]);
    terminal.send(ESC);
    terminal.until_text("new prompt");

    // Keys that mean nothing here, then one that does: only that one costs anything.
    let cycle = |before: &str| {
        let start = terminal.quiet();
        terminal.send(before);
        terminal.send("?");
        terminal.until_text("keys in the table");
        let open = terminal.quiet();
        terminal.send(ESC);
        terminal.until_gone("keys in the table");
        terminal.quiet();
        open - start
    };
    let alone = cycle("");
    assert!(alone > 100, "the help costs something: {alone}");
    let with_dead_keys = cycle(&"\x1b[24~;@Y\x1b[99;99Q".repeat(20));
    assert!(with_dead_keys <= alone, "dead keys wrote {} bytes", with_dead_keys - alone);

    // A move of the cursor.
    let start = terminal.quiet();
    terminal.send("j");
    terminal.until("another task is shown", |seen| seen.screen().contents().contains("2 of 3"));
    let moved = terminal.quiet() - start;
    assert!(moved < 400, "a move of the cursor wrote {moved} bytes");

    // A hundred keys at once.
    terminal.send("n");
    terminal.until_text("ctrl-s send  ");
    let start = terminal.quiet();
    terminal.send("the quick brown fox ".repeat(5));
    terminal.until_text("100/5,000");
    let typed = terminal.quiet() - start;
    assert!(typed < 6_000, "a hundred keys wrote {typed} bytes");
    leave(&terminal);
}

#[test]
fn a_change_of_status_writes_little() {
    let service = Service::with(&["--speed", "20"]);
    // So narrow that there is no preview: the text about a picture comes with the picture.
    let terminal = Terminal::start(service.screen(&["--graphics", "off"]), 70, 24);
    terminal.until_text("describe the picture");
    for prompt in ["fox number one", "fox number two", "fox number three"] {
        submit(&terminal, prompt);
        row(&terminal, &["success", "fox number"]);
        row(&terminal, &["success", prompt]);
    }
    terminal.quiet();
    let seen = terminal.seen();
    let words = ["queued", "handling", "archiving", "fetching", "success"];
    let mut costs: Vec<(usize, &str)> = Vec::new();
    for pair in seen.frames.windows(2) {
        let [(before, old), (after, new)] = pair else { continue };
        let count = |text: &str, word: &str| text.lines().filter(|line| line.contains(word)).count();
        let more = words.iter().find(|word| count(new, word) > count(old, word));
        if let Some(to) = more.filter(|_| words.iter().any(|word| count(new, word) < count(old, word))) {
            costs.push((after - before, to));
        }
    }
    for word in ["fetching", "success"] {
        // The least: two frames that were read at once count as one.
        let least = costs.iter().filter(|(_, to)| *to == word).map(|(cost, _)| *cost).min();
        assert!(least.is_some_and(|cost| cost < 200), "{word}: {costs:?}");
    }
    drop(seen);
    leave(&terminal);
}

#[test]
fn hostile_words_steer_nothing() {
    let pages = tempfile::tempdir().expect("a directory");
    let scenario = pages.path().join("hostile.toml");
    let evil = r"\u001b]0;owned\u0007\u001b[31;7;5mX\u009b5mY\u202e\u001bP0p\u001b\\";
    let page = format!(
        "name = \"hostile\"\n[[words]]\nword = \"[evil-fail]\"\ndo = \"fail\"\ncode = \"{evil}\"\nmessage = \"m{evil}\"\n\
         [[words]]\nword = \"[evil-refuse]\"\ndo = \"refuse\"\nstatus = 400\ncode = \"INVALID_REQUEST\"\n\
         message = \"m{evil}\"\n"
    );
    std::fs::write(&scenario, page).expect("it can be written");
    let service = Service::with(&["--scenario", scenario.to_str().expect("text")]);
    let evil = "\x1b]0;owned\x07\x1b[31;7;5mX\u{9b}5mY\u{202e}\x1bP0p\x1b\\";
    let prompts = [format!("one {evil}"), "two [evil-fail]".to_owned(), "three [evil-refuse]".to_owned()];
    for prompt in prompts.iter().map(String::as_str).chain(["four [strange]"]) {
        service.command(&["submit", prompt, "--wait"]).output().expect("it runs");
    }
    let terminal = Terminal::start(service.screen(&["--graphics", "off"]), 120, 40);
    row(&terminal, &["success", "four"]);
    row(&terminal, &["failed", "two"]);
    row(&terminal, &["refused", "three"]);
    terminal.send(ESC);
    terminal.until_text("new prompt");
    // Through every task, in detail, and into the editor.
    for prompt in ["four", "three", "two", "one"] {
        terminal.send("\r");
        terminal.until("the detail is open", |seen| {
            let text = seen.screen().contents();
            text.contains("close") && text.contains(prompt)
        });
        terminal.send(ESC);
        terminal.until_text("new prompt");
        terminal.send("e");
        terminal.until_text("ctrl-s send  ");
        terminal.send(ESC);
        terminal.until_text("new prompt");
        terminal.send("j");
    }
    leave(&terminal);
    let seen = terminal.seen();
    let text = String::from_utf8_lossy(&seen.raw).into_owned();
    for bad in ["\x07", "\x1b]0;", "\x1b[31;7", "\u{9b}", "\u{202e}", "\x1bP"] {
        assert!(!text.contains(bad), "{bad:?} reached the terminal");
    }
    assert!(text.contains("owned"), "the harmless part was shown");
}

/// E1: a terminal that answers nothing keeps nobody waiting for good, and is named.
#[test]
fn the_doctor_and_a_mute_terminal() {
    let service = Service::start();
    let terminal = Terminal::start(service.screen(&["doctor"]), 100, 40);
    assert_eq!(terminal.given_back().exit_code(), 0);
    for words in ["it answers nothing", "half blocks", "100 × 40 cells", "guessed", "there is one", "network disk"] {
        assert!(terminal.text().contains(words), "{words:?} in {}", terminal.text());
    }
    assert!(!holds(&terminal.seen().raw, KEY.as_bytes()), "the key is never said");
}

#[test]
fn the_doctor_and_a_terminal_that_answers() {
    let service = Service::start();
    let terminal = Terminal::start(service.screen(&["doctor", "--online"]), 100, 40);
    terminal.until("it has asked", |seen| holds(&seen.raw, b"\x1b[c"));
    terminal.send("\x1bP>|kitty(0.41.1)\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[6;20;10t\x1b]11;rgb:1111/1111/1111\x07\x1b[?2026;2$y\x1b[?62c");
    // Three round trips, and three loads that are all gone too fast to tell.
    for n in 1..=6 {
        let asked = |raw: &[u8]| raw.windows(4).filter(|window| window == b"\x1b[5n").count();
        terminal.until("it asks how far the terminal is", |seen| {
            asked(&seen.raw) >= n || seen.screen().contents().contains("round trip")
        });
        terminal.send("\x1b[0n");
    }
    assert_eq!(terminal.given_back().exit_code(), 0);
    for words in ["kitty, under the text", "10 × 20 pixels, the terminal said so", "dark", "the key works", "KB/s"] {
        assert!(terminal.text().contains(words), "{words:?} in {}", terminal.text());
    }
}
