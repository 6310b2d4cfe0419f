//! The real program on a disk that is full: a small file system of its own, in a namespace where anybody may mount.
//! Nothing is sent that cannot be written down, and with room again everything goes on, paid once.

#[path = "support_pty/service.rs"]
#[allow(dead_code, reason = "every test file uses its own part of this")]
mod service;

use std::process::{Command, Stdio};

use serde_json::Value;
use service::{KEY, PLANTAIN, Service};

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

/// C5.
#[test]
fn on_a_full_disk_nothing_is_sent_and_nothing_is_lost() {
    let Some(how) = may_mount() else { return };
    let service = Service::with(&["--longest-side", "64"]);
    let room = service.path("room");
    std::fs::create_dir(&room).expect("made");
    let output = Command::new("unshare")
        .args([how, "sh", "-c", SCRIPT])
        .env("ROOM", &room)
        .env("PLANTAIN", PLANTAIN)
        .env("HIAPI_API_KEY", KEY)
        .env("HIAPI_BASE_URL", &service.base_url)
        .env("PLANTAIN_DATA_DIR", room.join("data"))
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).expect("text");
    let tasks: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(said.contains("full"), "it says why: {said}");
    let paid = service.paid();
    assert_eq!(paid.len(), tasks.len(), "{paid:?} {tasks:#?}");
    for task in &tasks {
        assert_eq!(task["status"], "success", "{task}");
        assert_eq!(paid.iter().filter(|prompt| task["prompt"] == prompt.as_str()).count(), 1, "{paid:?}");
    }
    assert!(["before", "after"].iter().all(|prompt| paid.iter().any(|paid| paid == prompt)), "{paid:?}");
}
