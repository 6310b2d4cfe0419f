//! Where a task stands in plain words, and what to do next. For the screen and for the commands alike, so it names
//! no keys.

use std::time::Duration;

use super::cause::{self, Kind};
use super::retry::is_passing;
use super::{Failure, Outcome, Output, OutputState, Problem, Stage, Status, Task};
use crate::time::Wall;

/// How long the service keeps an idempotency key for sure: it says about 24 hours, careful clients use 23 \[C\].
/// So long the same key and bytes settle an unsure sending.
pub const KEY_LIFETIME: Duration = Duration::from_secs(23 * 3600);
/// Longer than this is unusual even for films.
const LONG: Duration = Duration::from_secs(30 * 60);

/// What happened, and what to do about it. May contain text from outside; it is not cleaned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What happened, or is happening.
    pub what: String,
    /// What to do, where there is something to do or to know.
    pub next: Option<String>,
}

fn says(what: impl Into<String>, next: &str) -> Explanation {
    Explanation { what: what.into(), next: (!next.is_empty()).then(|| next.to_owned()) }
}

/// Explains where a task stands; `service` is the same moment by the service's clock, by which links end.
#[must_use]
pub fn explain(task: &Task, now: Wall, service: Wall) -> Explanation {
    match &task.status {
        Status::Saved => says("waiting for its turn to be sent", ""),
        Status::Held(None) => says("not sent when the program ended", "nothing sends it until you say so"),
        Status::Held(Some(problem)) => says(format!("not sent: {}", problem.sentence()), problem.advice()),
        Status::Sending => says("being handed to the service", ""),
        Status::Unsure(problem) => unsure(problem.as_ref(), task, now),
        Status::Queued => says("accepted; waiting in the service's queue", long(task, now)),
        Status::Handling => says("being generated", long(task, now)),
        Status::Unknown(word) => says(
            format!("the service calls it {word:?}; that counts as running"),
            "it is watched until the service says that it ended",
        ),
        Status::Archiving => says("generated; the service is storing the files", long(task, now)),
        Status::Missing(_) => says(
            "the service says that it does not know this task",
            "it is looked for now and then; a key of another account would explain it, or the service has deleted it",
        ),
        Status::GivenUp(given) => given_up(given),
        Status::Refused(problem @ Problem::Rejected { .. }) => {
            says(problem.sentence(), next(cause::kind(task).unwrap_or(Kind::Input), problem.code()))
        }
        Status::Refused(problem) => says(problem.sentence(), problem.advice()),
        Status::Failed(failure) => failed(failure, cause::kind(task).unwrap_or(Kind::Unknown)),
        Status::Success => success(task, service),
    }
}

fn long(task: &Task, now: Wall) -> &'static str {
    let since = task.accepted().map(|at| now.since(at)).unwrap_or_default();
    if since > LONG { "it takes unusually long; it is watched until the service says that it ended" } else { "" }
}

fn unsure(problem: Option<&Problem>, task: &Task, now: Wall) -> Explanation {
    let what = match problem {
        None => "it may or may not have been accepted: the answer never came".to_owned(),
        Some(problem) => format!("it may or may not have been accepted: {}", problem.sentence()),
    };
    let sent = task.times.at(Stage::Sending).unwrap_or(task.created);
    let lives = now.since(sent) < KEY_LIFETIME;
    let next = match problem {
        Some(problem @ Problem::Mismatch { .. }) => problem.advice(),
        Some(problem) if problem.outcome() == Outcome::Refused => {
            "that was the answer to a repetition; whether the first sending was taken it does not say. Decide: adopt a \
             task of the account, send it anew, or give it up"
        }
        _ if !lives => {
            "its key is too old to settle that. Decide: adopt a task of the account, send it anew, or give it up"
        }
        _ => "sending it again with the same key and content settles it; it is not paid twice",
    };
    says(what, next)
}

fn given_up(given: &super::status::GivenUp) -> Explanation {
    let cause = given.problem.as_ref().map_or_else(|| "the answer never came".to_owned(), Problem::sentence);
    let what = match given.anew {
        Some(anew) => format!("given up, and sent anew as {}: {cause}", anew.short()),
        None => format!("given up: {cause}"),
    };
    says(what, "nobody knows whether it was accepted; it is never sent again")
}

/// Codes as in the protocol \[C\]; the list is open, so anything else is told as it came.
fn failed(failure: &Failure, kind: Kind) -> Explanation {
    let message = failure.message.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let bare = message.is_none_or(|text| text.eq_ignore_ascii_case("task failed"));
    let with = |head: &str| match message {
        Some(message) if !bare => format!("{head}: {message}"),
        _ => head.to_owned(),
    };
    let head = match failure.code.as_deref().map(str::trim).filter(|code| !code.is_empty()) {
        Some("TASK_FAILED") | None if bare => "the service could not make it and does not say why".to_owned(),
        Some("TASK_FAILED") | None => with("the service could not make it"),
        Some("TASK_TIMEOUT") => with("the service took too long and gave up"),
        Some("STORAGE_UNAVAILABLE") => with("it was generated, but the service could not store the result"),
        Some("MODEL_UNAVAILABLE") => with("the model is not available now"),
        Some(code) => with(&format!("the service ended it with {code}")),
    };
    says(head, next(kind, failure.code.as_deref()))
}

/// What to do. That it may work unchanged is said only where it may be sent unchanged.
fn next(kind: Kind, code: Option<&str>) -> &'static str {
    match kind {
        Kind::Capacity | Kind::Timeout if !code.is_some_and(is_passing) => {
            "the service does not say that this passes: change the request, or choose another model"
        }
        kind => kind.advice(),
    }
}

fn success(task: &Task, now: Wall) -> Explanation {
    let all = task.outputs.len();
    if all == 0 {
        return says("finished, nothing delivered", Kind::Nothing.advice());
    }
    let count = |test: &dyn Fn(&Output) -> bool| task.outputs.iter().filter(|output| test(output)).count();
    let files = |n: usize| if n == 1 { "1 file".to_owned() } else { format!("{n} files") };
    let expired = count(&|o| o.state == OutputState::Away && o.expires.is_some_and(|at| at <= now));
    let away = count(&|o| o.state == OutputState::Away) - expired;
    let lost = task.outputs.iter().find_map(|output| match &output.state {
        OutputState::Lost { why } => Some(why),
        _ => None,
    });
    match lost {
        Some(why) => says(
            format!("finished, but {} of {} could not be fetched: {why}", all - count(&|o| o.home().is_some()), all),
            "send the prompt again to have it made anew",
        ),
        None if expired > 0 => says(
            format!("finished, but the link of {} expired before it was fetched", files(expired)),
            "asking the service again may bring a fresh link",
        ),
        None if away > 0 => says(format!("finished; {} to fetch", files(away)), ""),
        None => says(format!("finished; {} on the disk", files(all)), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Home, LocalId, Request};
    use std::sync::Arc;

    fn task(status: Status) -> Task {
        let request = Request::new("m", None, serde_json::Map::new(), String::new(), String::new(), None);
        let mut task = Task::new(LocalId::from_random(7), Arc::new(request), Wall(0));
        task.set(status, Wall(0));
        task
    }

    fn failure(code: &str, message: &str) -> Status {
        Status::Failed(Failure { code: Some(code.into()), message: Some(message.into()) })
    }

    #[test]
    fn codes_become_words_and_unknown_ones_stay() {
        let what = |status| explain(&task(status), Wall(0), Wall(0)).what;
        assert_eq!(what(failure("TASK_FAILED", "no faces")), "the service could not make it: no faces");
        assert!(what(failure("TASK_FAILED", "task failed")).ends_with("does not say why"));
        assert!(what(Status::Failed(Failure::default())).ends_with("does not say why"));
        assert!(what(failure("TASK_TIMEOUT", "")).contains("took too long"));
        assert_eq!(what(failure("E_MOON", "full moon")), "the service ended it with E_MOON: full moon");
    }

    #[test]
    fn an_old_key_settles_nothing() {
        let unsure = task(Status::Unsure(None));
        let next = |now| explain(&unsure, now, Wall(0)).next.unwrap_or_default();
        assert!(next(Wall(1000)).contains("not paid twice"));
        assert!(next(Wall(24 * 3_600_000)).contains("too old"));
    }

    #[test]
    fn outputs_are_counted() {
        let mut done = task(Status::Success);
        let what = |task: &Task| explain(task, Wall(0), Wall(1000)).what;
        assert_eq!(what(&done), "finished, nothing delivered");
        let output = |state| Output { url: String::new(), role: "image".into(), expires: Some(Wall(5000)), state };
        done.outputs = vec![output(OutputState::Away)];
        assert_eq!(what(&done), "finished; 1 file to fetch");
        done.outputs[0].expires = Some(Wall(10));
        assert!(what(&done).contains("expired before"));
        let home = Home {
            file: "/x".into(),
            bytes: 1,
            sha256: String::new(),
            format: "png".into(),
            width: None,
            height: None,
        };
        done.outputs = vec![output(OutputState::Home(home)), output(OutputState::Lost { why: "gone".into() })];
        assert_eq!(what(&done), "finished, but 1 of 2 could not be fetched: gone");
        done.outputs.pop();
        assert_eq!(what(&done), "finished; 1 file on the disk");
    }
}
