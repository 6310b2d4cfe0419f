//! What kind of failure it is, which field it is about, and which failures have the same cause.
//!
//! The service tells a code, from an open list, and words for people \[C\]. The code decides where it is known; where
//! it is not, the words do, as far as they are plain. What cannot be told is said to be unknown, never guessed away.

use std::collections::BTreeMap;

use super::{Catalogue, Field, LocalId, NotRetried, Problem, Request, Role, Stage, Status, Task, explain, may_retry};
use crate::time::Wall;

/// The kinds of failure, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The request is not as the service wants it: a field, a value, a model.
    Input,
    /// The service does not make this: its rules about content.
    Policy,
    /// The service could not, for reasons of its own: no room, a fault, too much to do.
    Capacity,
    /// The account has no money or no allowance left.
    Quota,
    /// The service waited too long for whoever makes it.
    Timeout,
    /// The API key is wrong, or may not do this.
    Access,
    /// It ended well, and delivered nothing.
    Nothing,
    /// Something of ours, or between us and the service.
    Here,
    /// It was never sent, and nothing is wrong with it.
    Unsent,
    /// The service does not say, or says what this program does not know.
    Unknown,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Input,
        Self::Policy,
        Self::Capacity,
        Self::Quota,
        Self::Timeout,
        Self::Access,
        Self::Nothing,
        Self::Here,
        Self::Unsent,
        Self::Unknown,
    ];

    /// One word for it, in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Policy => "policy",
            Self::Capacity => "capacity",
            Self::Quota => "quota",
            Self::Timeout => "timeout",
            Self::Access => "access",
            Self::Nothing => "nothing_delivered",
            Self::Here => "local",
            Self::Unsent => "unsent",
            Self::Unknown => "unknown",
        }
    }

    /// What it is, for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Input => "the input",
            Self::Policy => "content policy",
            Self::Capacity => "the service's capacity",
            Self::Quota => "quota",
            Self::Timeout => "upstream time-out",
            Self::Access => "the API key",
            Self::Nothing => "nothing delivered",
            Self::Here => "on this side",
            Self::Unsent => "never sent",
            Self::Unknown => "unknown",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Input => "mend the field that it names and send it anew; unchanged it would be refused again",
            Self::Policy => {
                "change the words, or the reference pictures, and send it anew; unchanged it would be \
                refused again"
            }
            Self::Capacity => "it may work unchanged; send it anew a little later, or choose another model",
            Self::Quota => "top up the account, then send again; nothing was made",
            Self::Timeout => "it may work unchanged; send it anew",
            Self::Access => "use a key that may do this, or another model",
            Self::Nothing => {
                "the service should know more: ask it with the task id; sending it anew makes another \
                picture, and costs another"
            }
            Self::Here => "mend the cause, then send it; it did not reach the service",
            Self::Unsent => "send it, or drop it; nothing sends it by itself",
            Self::Unknown => {
                "change the prompt or the fields and send it anew; unchanged it would most likely fail \
                again"
            }
        }
    }
}

/// Words that tell a kind, looked for in this order in code and message, in lower case, `_` as a blank.
const SIGNS: &[(Kind, &[&str])] = &[
    (
        Kind::Policy,
        &[
            "policy",
            "moderat",
            "safety",
            "sensitive",
            "nsfw",
            "prohibited",
            "inappropriate",
            "violat",
            "copyright",
            "content filter",
            "rejected the prompt",
            "prompt was rejected",
        ],
    ),
    (Kind::Quota, &["insufficient", "not enough balance", "quota", "credits"]),
    (Kind::Timeout, &["timed out", "timeout", "time-out", "in time", "deadline"]),
    (Kind::Capacity, &["overload", "capacity", "too many", "busy", "unavailable", "rate limit", "try again"]),
    (
        Kind::Input,
        &[
            "invalid",
            "required",
            "must be",
            "must have",
            "not allowed",
            "not supported",
            "unsupported",
            "too long",
            "too short",
            "too large",
            "too small",
            "out of range",
            "malformed",
            "missing",
            "does not exist",
        ],
    ),
];

/// The codes with a meaning of their own \[C\].
fn by_code(code: &str) -> Option<Kind> {
    match code.trim() {
        "TASK_TIMEOUT" => Some(Kind::Timeout),
        "STORAGE_UNAVAILABLE" | "MODEL_UNAVAILABLE" => Some(Kind::Capacity),
        "INSUFFICIENT_QUOTA" => Some(Kind::Quota),
        _ => None,
    }
}

fn by_words(code: &str, message: &str) -> Option<Kind> {
    // A message may be as long as the service likes; what it is about stands at its beginning.
    let some = &message[..message.floor_char_boundary(4000)];
    let text = format!("{code} {some}").to_lowercase().replace('_', " ");
    SIGNS.iter().find(|(_, signs)| signs.iter().any(|sign| text.contains(sign))).map(|(kind, _)| *kind)
}

fn by_problem(problem: &Problem) -> Kind {
    match problem {
        Problem::Auth { .. } | Problem::NoKey { .. } | Problem::Forbidden { .. } => Kind::Access,
        Problem::Balance { .. } => Kind::Quota,
        Problem::Limit { .. } | Problem::Busy { .. } | Problem::Server { .. } => Kind::Capacity,
        Problem::Rejected { code, message, .. } => {
            let code = code.as_deref().unwrap_or_default();
            // A 4xx is about the request unless it says otherwise [D].
            by_code(code).or_else(|| by_words(code, message)).unwrap_or(Kind::Input)
        }
        Problem::NotFound { .. } | Problem::Mismatch { .. } => Kind::Input,
        Problem::Network { .. }
        | Problem::Certificate { .. }
        | Problem::Odd { .. }
        | Problem::Local { .. }
        | Problem::Budget { .. }
        | Problem::Unpriced => Kind::Here,
        Problem::Processing { .. } => Kind::Unknown,
    }
}

/// What kind of failure a task is, if it is one: it ended without a result, or was kept from being sent.
#[must_use]
pub fn kind(task: &Task) -> Option<Kind> {
    match &task.status {
        Status::Failed(failure) => {
            let code = failure.code.as_deref().unwrap_or_default();
            let message = failure.message.as_deref().unwrap_or_default();
            Some(by_code(code).or_else(|| by_words(code, message)).unwrap_or(Kind::Unknown))
        }
        Status::Refused(problem) | Status::Held(Some(problem)) => Some(by_problem(problem)),
        Status::Success if task.outputs.is_empty() => Some(Kind::Nothing),
        _ => None,
    }
}

/// The service's own words on why it failed.
#[must_use]
pub fn message(task: &Task) -> Option<&str> {
    match &task.status {
        Status::Failed(failure) => failure.message.as_deref(),
        Status::Refused(problem) | Status::Held(Some(problem)) => problem.message(),
        _ => None,
    }
}

/// The field that a failure is about: the one that the service names; else, where the kind tells it, the prompt.
/// A failure that is not in the request has none.
#[must_use]
pub fn field<'a>(task: &Task, catalogue: &'a Catalogue) -> Option<&'a Field> {
    let spec = catalogue.get(&task.request.full_model())?;
    let kind = kind(task)?;
    if !matches!(kind, Kind::Input | Kind::Policy | Kind::Unknown) {
        return None;
    }
    let text = message(task).unwrap_or_default();
    let some = &text[..text.floor_char_boundary(4000)];
    let named = spec.fields.iter().filter(|field| names(some, &field.name));
    // The longest name: `resolution_mode` is not about `resolution`.
    let named = named.max_by_key(|field| (field.role != Some(Role::Prompt), field.name.len()));
    named.or_else(|| spec.prompt())
}

/// A text has this name in it as a word of its own.
fn names(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let before = |at: usize| text[..at].chars().next_back().is_none_or(|c| !part(c));
    let after = |at: usize| text[at..].chars().next().is_none_or(|c| !part(c));
    text.match_indices(name).any(|(at, _)| before(at) && after(at + name.len()))
}

/// Whether a task that came to nothing may be sent once more as it is, as a new task: what passes by itself, and what
/// only lacked money.
///
/// # Errors
/// Why not, if not.
pub fn may_repeat(task: &Task) -> Result<(), NotRetried> {
    may_retry(task).or_else(|why| match why {
        NotRetried::Unchanged(_) if kind(task) == Some(Kind::Quota) => Ok(()),
        why => Err(why),
    })
}

/// Why this request is not sent as it is: it was, and the last time it failed for a reason that is in it. Nothing, if
/// it never was, or ever came to something.
#[must_use]
pub fn unchanged<'a>(request: &Request, tasks: impl Iterator<Item = &'a Task>) -> Option<(LocalId, NotRetried)> {
    let same = |task: &&Task| {
        let old = &task.request;
        old.is_ours() && old.model == request.model && old.route == request.route && old.input == request.input
    };
    let mut last: Option<&Task> = None;
    for task in tasks.filter(same) {
        if task.status == Status::Success && !task.outputs.is_empty() {
            return None;
        }
        if last.is_none_or(|last| (last.created, last.id) < (task.created, task.id)) {
            last = Some(task);
        }
    }
    let last = last.filter(|task| matches!(task.status, Status::Failed(_) | Status::Refused(_)))?;
    may_repeat(last).err().map(|why| (last.id, why))
}

/// Failures with one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What kind it is.
    pub kind: Kind,
    /// What happened, as told of the newest of them. May hold text from outside; it is not cleaned.
    pub what: String,
    /// What to do about it.
    pub next: Option<String>,
    /// Which tasks, newest first.
    pub tasks: Vec<LocalId>,
}

/// Longest part of a message that tells causes apart, in characters.
const TELLING: usize = 160;

/// Groups what failed, was refused, is held, or delivered nothing, by its cause; the largest group first. What has been
/// sent again since, by whatever way, is answered and left out.
#[must_use]
pub fn causes<'a>(tasks: impl Iterator<Item = &'a Task> + Clone) -> Vec<Cause> {
    use super::How;
    let answered: std::collections::BTreeSet<LocalId> = tasks
        .clone()
        .filter_map(|task| task.kin)
        .filter(|kin| matches!(kin.how, How::Fix | How::Retry | How::Again))
        .map(|kin| kin.parent)
        .collect();
    let mut groups: BTreeMap<(Kind, String), Vec<&Task>> = BTreeMap::new();
    for task in tasks.filter(|task| !task.is_elsewhere() && !answered.contains(&task.id)) {
        let unsent = (task.status == Status::Held(None)).then_some(Kind::Unsent);
        if let Some(kind) = kind(task).or(unsent) {
            groups.entry((kind, telling(task))).or_default().push(task);
        }
    }
    let mut causes: Vec<(Cause, Wall)> = Vec::new();
    for ((kind, _), mut group) in groups {
        group.sort_unstable_by_key(|task| std::cmp::Reverse((task.created, task.id)));
        let Some(newest) = group.first() else { continue };
        let (said, at) = (explain(newest, newest.created, newest.created), newest.created);
        let tasks = group.iter().map(|task| task.id).collect();
        causes.push((Cause { kind, what: said.what, next: said.next, tasks }, at));
    }
    causes.sort_by_key(|(cause, at)| std::cmp::Reverse((cause.tasks.len(), *at)));
    causes.into_iter().map(|(cause, _)| cause).collect()
}

/// What tells one cause from another: the code and the words, without what is different each time (numbers, ids).
fn telling(task: &Task) -> String {
    let code = match &task.status {
        Status::Failed(failure) => failure.code.as_deref(),
        Status::Refused(problem) | Status::Held(Some(problem)) => problem.code(),
        _ => None,
    };
    let stage = if task.status.stage() == Stage::Success { "empty" } else { "" };
    let mut words = String::new();
    for word in message(task).unwrap_or_default().split_whitespace() {
        // A request id is another one for each.
        let plain = if word.chars().any(|c| c.is_ascii_digit()) { "#" } else { word };
        words.push_str(plain);
        words.push(' ');
        if words.len() > TELLING {
            break;
        }
    }
    format!("{}|{stage}|{words}", code.unwrap_or_default().trim())
}

#[cfg(test)]
mod tests;
