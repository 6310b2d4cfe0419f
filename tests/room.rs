//! The real program on a disk that is full: a small file system of its own, in a namespace where anybody may mount.
//! Nothing is sent that cannot be written down, and with room again everything goes on, paid once.

use std::process::{Command, Stdio};

use kit::said::lines;
use kit::service::{KEY, Service, plantain};
use serde_json::Value;

const SCRIPT: &str = r#"
set -e
mount -t tmpfs -o size=24m tmpfs "$ROOM"
mkdir "$ROOM/data"
"$PLANTAIN" submit before --wait >&2
head -c 90000000 /dev/zero > "$ROOM/fill" 2>/dev/null || true
if "$PLANTAIN" submit "no room" >&2; then echo '"sent without room"'; fi
rm "$ROOM/fill"
"$PLANTAIN" send --all --wait >&2 || true
"$PLANTAIN" submit after --wait >&2
"$PLANTAIN" list --json
"#;

/// With which option of `unshare` anything can be mounted where nobody else sees it: as an ordinary user, or as root
/// where users cannot have namespaces.
fn may_mount() -> Option<&'static str> {
    let tries = |how: &&str| {
        let line = [*how, "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"];
        Command::new("unshare").args(line).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let how = ["-rm", "-m"].into_iter().find(tries);
    if how.is_none() {
        eprintln!("SKIPPED: nothing can be mounted here, so there is no full disk to try");
    }
    how
}

/// Runs a script against a service of its own. What was said, the tasks it listed, and what was paid for.
fn lived(script: &str, service: &[&str]) -> Option<(String, Vec<Value>, Vec<String>)> {
    let how = may_mount()?;
    let service = Service::with(service);
    let room = service.path("room");
    std::fs::create_dir(&room).expect("made");
    let output = Command::new("unshare")
        .args([how, "sh", "-c", script])
        .env("ROOM", &room)
        .env("PLANTAIN", plantain())
        .env("HIAPI_API_KEY", KEY)
        .env("HIAPI_BASE_URL", &service.base_url)
        .env("PLANTAIN_DATA_DIR", room.join("data"))
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).expect("text");
    Some((said, lines(&text), service.paid()))
}

/// What is under way when the disk fills up.
const MIDST: &str = r#"
set -e
mount -t tmpfs -o size=24m tmpfs "$ROOM"
mkdir "$ROOM/data"
# As long as it takes, and no longer than the test may.
await() { for _ in $(seq 300); do if eval "$1"; then return; fi; sleep 0.1; done; echo "never: $1" >&2; exit 1; }
stage() { "$PLANTAIN" list --json | grep -q '"status":"'"$1"; }
"$PLANTAIN" submit midst --wait >&2 &
await 'stage queued || stage handling || stage archiving'
test -f "$ROOM/data/plantain.reserve"
head -c 90000000 /dev/zero > "$ROOM/fill" 2>/dev/null || true
await 'stage success'
test ! -e "$ROOM/data/plantain.reserve"
if "$PLANTAIN" submit "no room" >&2; then echo '"sent without room"'; fi
rm "$ROOM/fill"
kill -9 $!
wait $! || true
"$PLANTAIN" watch >&2
"$PLANTAIN" submit after --wait >&2
test -f "$ROOM/data/plantain.reserve"
"$PLANTAIN" list --json
"#;

/// C5: what has been paid for is written down on the full disk, and nothing new is begun there.
#[test]
fn what_is_under_way_is_written_down_without_room() {
    let Some((said, tasks, paid)) = lived(MIDST, &["--speed", "4", "--longest-side", "64"]) else { return };
    assert!(said.contains("nothing new is sent until there is room"), "it says what it does: {said}");
    assert_eq!(paid, ["midst", "after"], "{said}");
    let known: Vec<&Value> = tasks.iter().filter(|task| task["prompt"] != "no room").collect();
    assert!(known.len() == 2 && known.iter().all(|task| task["status"] == "success"), "{tasks:#?}");
    assert!(known.iter().all(|task| task["outputs"][0]["file"].is_string()), "{tasks:#?}");
}

/// C5.
#[test]
fn on_a_full_disk_nothing_is_sent_and_nothing_is_lost() {
    let Some((said, tasks, paid)) = lived(SCRIPT, &["--longest-side", "64"]) else { return };
    assert!(said.contains("full"), "it says why: {said}");
    assert_eq!(paid.len(), tasks.len(), "{paid:?} {tasks:#?}");
    for task in &tasks {
        assert_eq!(task["status"], "success", "{task}");
        assert_eq!(paid.iter().filter(|prompt| task["prompt"] == prompt.as_str()).count(), 1, "{paid:?}");
    }
    assert!(["before", "after"].iter().all(|prompt| paid.iter().any(|paid| paid == prompt)), "{paid:?}");
}
