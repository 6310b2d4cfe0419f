//! Kinds of failure, fields, and causes, from what the service says.

use std::sync::Arc;

use super::*;
use crate::domain::{Failure, How, Kin, Request};

fn task(n: u128, status: Status) -> Task {
    let model = Catalogue::built_in().default_model().name.clone();
    let request = Request::new(&model, None, serde_json::Map::new(), String::new(), "a fox".into(), None);
    let mut task =
        Task::new(LocalId::from_random(n << 64), Arc::new(request), Wall(i64::try_from(n).unwrap_or_default()));
    task.set(status, Wall(9));
    task
}

fn failed(code: &str, message: &str) -> Status {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Status::Failed(Failure { code: some(code), message: some(message) })
}

fn refused(code: &str, message: &str) -> Status {
    Status::Refused(Problem::Rejected { status: 400, code: Some(code.into()), message: message.into() })
}

/// B9: every code, and an invented one.
#[test]
fn the_kind_is_told_by_the_code_and_then_by_the_words() {
    for (status, wanted) in [
        (failed("TASK_TIMEOUT", "content policy"), Kind::Timeout),
        (failed("STORAGE_UNAVAILABLE", ""), Kind::Capacity),
        (failed("MODEL_UNAVAILABLE", ""), Kind::Capacity),
        (failed("INSUFFICIENT_QUOTA", ""), Kind::Quota),
        (failed("TASK_FAILED", "task failed"), Kind::Unknown),
        (failed("TASK_FAILED", "upstream rejected the prompt"), Kind::Policy),
        (failed("TASK_FAILED", "the image is too large"), Kind::Input),
        (failed("E_MOON", "full moon"), Kind::Unknown),
        (failed("CONTENT_POLICY_VIOLATION", ""), Kind::Policy),
        (failed("", ""), Kind::Unknown),
        (refused("INVALID_REQUEST", "additional properties 'seed' not allowed"), Kind::Input),
        (refused("INVALID_REQUEST", "the prompt was refused by the content policy"), Kind::Policy),
        (refused("MODEL_UNAVAILABLE", ""), Kind::Capacity),
        (refused("E_MOON", "full moon"), Kind::Input),
        (Status::Held(Some(Problem::Balance { message: String::new() })), Kind::Quota),
        (Status::Held(Some(Problem::Local { message: String::new() })), Kind::Here),
        (Status::Refused(Problem::Forbidden { message: String::new() }), Kind::Access),
        (Status::Refused(Problem::NotFound { message: String::new() }), Kind::Input),
        (Status::Success, Kind::Nothing),
    ] {
        assert_eq!(kind(&task(1, status.clone())), Some(wanted), "{status:?}");
    }
    for status in [Status::Handling, Status::Held(None)] {
        assert_eq!(kind(&task(1, status)), None);
    }
}

/// B8: the field that the service names, as a whole word; else the prompt.
#[test]
fn the_field_is_the_one_that_is_named() {
    let catalogue = Catalogue::built_in();
    let of = |status| field(&task(1, status), &catalogue).map(|field| field.name.clone());
    let named = |message: &str| of(refused("INVALID_REQUEST", message));
    assert_eq!(named("aspect_ratio must be one of 1:1, 16:9").as_deref(), Some("aspect_ratio"));
    assert_eq!(named("input.output_format: bad value for this prompt").as_deref(), Some("output_format"));
    assert_eq!(named("my_aspect_ratios is wrong").as_deref(), Some("prompt"));
    assert_eq!(of(failed("TASK_FAILED", "content policy")).as_deref(), Some("prompt"));
    assert_eq!(of(failed("TASK_TIMEOUT", "aspect_ratio")), None, "it is not in the request");
    assert_eq!(of(Status::Success), None);
}

#[test]
fn the_same_cause_is_told_once() {
    let broke = || Status::Held(Some(Problem::Balance { message: "insufficient balance (request 81)".into() }));
    let mut tasks: Vec<Task> = (1..=5).map(|n| task(n, broke())).collect();
    tasks.push(task(6, Status::Held(Some(Problem::Balance { message: "insufficient balance (request 9)".into() }))));
    tasks.extend((7..=8).map(|n| task(n, failed("TASK_FAILED", "no faces"))));
    tasks.push(task(9, failed("TASK_FAILED", "no hands")));
    tasks.push(task(10, Status::Handling));
    let found = causes(tasks.iter());
    let told: Vec<(Kind, usize)> = found.iter().map(|cause| (cause.kind, cause.tasks.len())).collect();
    assert_eq!(told, [(Kind::Quota, 6), (Kind::Unknown, 2), (Kind::Unknown, 1)]);
    assert_eq!(found[0].tasks[0], tasks[5].id, "the newest first");
    // What was sent again is answered.
    let mut fix = task(11, Status::Queued);
    fix.kin = Some(Kin { parent: tasks[8].id, how: How::Fix });
    tasks.push(fix);
    assert_eq!(causes(tasks.iter()).len(), 2);
}

#[test]
fn what_failed_for_what_it_says_is_not_sent_unchanged() {
    let no_hands = failed("TASK_FAILED", "no hands");
    let tasks = [task(1, no_hands.clone())];
    let request = Request::clone(&tasks[0].request);
    let verdict = |tasks: &[Task]| unchanged(&request, tasks.iter()).map(|(id, _)| id);
    assert_eq!(verdict(&tasks), Some(tasks[0].id));
    let mut other = request.clone();
    other.input.insert("x".into(), 1.into());
    assert_eq!(unchanged(&other, tasks.iter()), None);
    // Passing, out of money, under way, or once successful: it may go.
    for status in [failed("TASK_TIMEOUT", ""), failed("INSUFFICIENT_QUOTA", ""), Status::Handling] {
        assert_eq!(verdict(&[tasks[0].clone(), task(2, status.clone())]), None, "{status:?}");
    }
    let mut done = task(0, Status::Success);
    assert_eq!(verdict(&[done.clone(), tasks[0].clone()]), Some(tasks[0].id), "it delivered nothing");
    done.outputs.push(crate::domain::Output {
        url: String::new(),
        role: String::new(),
        expires: None,
        state: crate::domain::OutputState::Away,
    });
    assert_eq!(verdict(&[done, tasks[0].clone()]), None);
}

#[test]
fn every_kind_is_said_and_answered() {
    for kind in Kind::ALL {
        assert!(!kind.title().is_empty() && !kind.advice().is_empty() && !kind.word().contains(' '));
    }
}
