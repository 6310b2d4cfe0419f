//! From the wire to the words of the domain: what an answer's status, headers and body mean together.

use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::http;
use super::wire::{self, Envelope, Fault, Listing};
use crate::domain::{Accepted, Failure, Output, OutputState, Page, Problem, Report, Source, Status, TaskId, text};
use crate::time::Wall;

/// Longest text kept of what the service says, in bytes.
const MAX_MESSAGE: usize = 4096;
/// Longest code kept, in characters.
const MAX_CODE: usize = 128;
/// Longest status word kept, in characters.
const MAX_WORD: usize = 64;
/// Longest link taken, in bytes.
const MAX_URL: usize = 16 * 1024;

/// An answer whose body was read.
pub(super) struct Reply<'a> {
    pub(super) status: u16,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl Reply<'_> {
    /// The answer to a creation. Any answer from which no task id can be read leaves its outcome open.
    pub(super) fn accepted(&self) -> Result<Accepted, Problem> {
        let envelope = self.opened()?;
        let task = envelope.data.0.ok_or_else(|| self.odd("it holds no data"))?;
        let task_id = task_id(&task).ok_or_else(|| self.odd("it names no task"))?;
        let replay = self.headers.get("idempotent-replay").is_some_and(|v| v.as_bytes().eq_ignore_ascii_case(b"true"));
        Ok(Accepted { task_id, replay })
    }

    /// The answer to a question about one task; an answer about another is none.
    pub(super) fn report(&self, asked: &TaskId) -> Result<Report, Problem> {
        let envelope = self.opened()?;
        let task = envelope.data.0.ok_or_else(|| self.odd("it holds no data"))?;
        if task_id(&task).is_some_and(|id| id != *asked) {
            return Err(self.odd("it is about another task"));
        }
        report(&task, Source::Task).ok_or_else(|| self.odd("it has no task id or no status"))
    }

    /// A page of the list. What the service does not say of it is taken from the question.
    pub(super) fn page(&self, page: u32, size: u32) -> Result<Page, Problem> {
        self.opened()?;
        let listing: Listing = wire::read(self.body).map_err(|_| self.odd("its list cannot be read"))?;
        let data = listing.data.0.ok_or_else(|| self.odd("it holds no data"))?;
        let said = |n: wire::Int, asked: u32| n.positive().and_then(|n| u32::try_from(n).ok()).unwrap_or(asked);
        Ok(Page {
            page: said(data.page, page),
            size: said(data.size, size),
            total: data.total.positive().and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
            reports: data.tasks.0.iter().filter_map(|task| report(task, Source::Page)).collect(),
        })
    }

    /// The envelope of a success; everything else is a problem.
    fn opened(&self) -> Result<Envelope, Problem> {
        let read = wire::read::<Envelope>(self.body);
        if !(200..300).contains(&self.status) {
            return Err(self.problem(self.status, read.as_ref().ok()));
        }
        let envelope = read.map_err(|error| {
            if self.looks_like_html() {
                self.odd("a web page came back; is this the right address, and is a login page in between?")
            } else if self.body.iter().all(u8::is_ascii_whitespace) {
                self.odd("it is empty")
            } else if error.is_eof() {
                self.odd("it was cut off")
            } else {
                self.odd("it is not JSON, or damaged")
            }
        })?;
        // The code repeats the HTTP status [D]; where a proxy hid the real status, the code tells it.
        if envelope.data.0.is_none() {
            if let Some(code) = envelope.code.0.and_then(|c| u16::try_from(c).ok()).filter(|c| (400..600).contains(c)) {
                return Err(self.problem(code, Some(&envelope)));
            }
            if let Some(fault) = &envelope.error.0 {
                let message = fault_message(fault).unwrap_or_else(|| "an error without a message".into());
                return Err(self.odd(&message));
            }
        }
        Ok(envelope)
    }

    /// What a status that is no success means; api reference, section 9.
    fn problem(&self, status: u16, read: Option<&Envelope>) -> Problem {
        let message = self.message(status, read);
        let code = read.and_then(code);
        let is = |word: &str| code.as_deref().is_some_and(|code| code.eq_ignore_ascii_case(word));
        let retry_after = http::retry_after(self.headers);
        match status {
            300..=399 => self.odd("it leads to another address; use that as the base address"),
            400..=499 if status == 402 || is("INSUFFICIENT_QUOTA") => Problem::Balance { message },
            401 => Problem::Auth { message },
            403 => Problem::Forbidden { message },
            404 => Problem::NotFound { message },
            // A proxy on our side; it let nothing through.
            407 => Problem::Network {
                sent: false,
                message: "the proxy on the way wants a name and a password (407)".into(),
            },
            // Whether a creation happened is open after these [C].
            408 | 425 => Problem::Server { status, message },
            409 => Problem::Processing { retry_after, task_id: read.and_then(|e| task_id(e.data.0.as_deref()?)) },
            422 if !is("INVALID_REQUEST") => Problem::Mismatch { message },
            429 => Problem::Limit { retry_after },
            // Rejected before processing, if it is the service that says so and not a proxy that lost it.
            503 if read.is_some_and(is_ours) || retry_after.is_some() => Problem::Busy { retry_after, message },
            400..=499 => Problem::Rejected { status, code, message },
            500..=599 => Problem::Server { status, message },
            _ => self.odd("its status makes no sense"),
        }
    }

    /// From `error.message`, then `message`, then the raw body, then the status \[C\].
    fn message(&self, status: u16, read: Option<&Envelope>) -> String {
        if let Some(read) = read {
            let nested = read.error.0.as_deref().and_then(fault_message);
            if let Some(message) = nested.or_else(|| read.message.get().map(kept)) {
                return message;
            }
        }
        if self.looks_like_html() {
            return format!("HTTP {status}, with a web page");
        }
        let body = String::from_utf8_lossy(&self.body[..self.body.len().min(2 * MAX_MESSAGE)]);
        match body.trim() {
            "" => format!("HTTP {status}"),
            body => kept(body),
        }
    }

    fn looks_like_html(&self) -> bool {
        let typed = self.headers.get(CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"text/html"));
        typed || self.body.trim_ascii_start().starts_with(b"<")
    }

    fn odd(&self, message: &str) -> Problem {
        Problem::Odd { status: self.status, message: message.to_owned() }
    }
}

/// Whether an error came in one of the two shapes of the service.
fn is_ours(envelope: &Envelope) -> bool {
    envelope.code.0.is_some() || envelope.error.0.is_some() || envelope.error_code.get().is_some()
}

fn code(envelope: &Envelope) -> Option<String> {
    let nested = || envelope.error.0.as_ref()?.code.get();
    envelope.error_code.get().or_else(nested).map(|code| cut_chars(code, MAX_CODE))
}

fn fault_message(fault: &Fault) -> Option<String> {
    let message = fault.message.get().or(fault.bare.get())?;
    // Support asks for the request id [B].
    let id = fault.request_id.get().map(|id| format!(" (request {})", cut_chars(id, MAX_CODE)));
    Some(kept(message) + id.as_deref().unwrap_or_default())
}

/// `taskId`; older spellings are tolerated \[C\].
fn task_id(task: &wire::Task) -> Option<TaskId> {
    let text = task.task_id.get().or(task.task_id_older.get()).or(task.id_older.get())?;
    text.parse().ok()
}

/// A task as an observation; none without an id or a status.
fn report(task: &wire::Task, source: Source) -> Option<Report> {
    let status = status(task)?;
    let moment = |secs: wire::Int| secs.positive().map(Wall::from_secs);
    let items = if task.output.0.is_empty() { &task.outputs_older.0 } else { &task.output.0 };
    let outputs = if status == Status::Success { items.iter().filter_map(output).collect() } else { Vec::new() };
    let completed = if status.is_final() { moment(task.completed) } else { None };
    Some(Report {
        task_id: task_id(task)?,
        model: cut_chars(task.model.get().unwrap_or_default(), 256),
        outputs,
        created: moment(task.created),
        completed,
        source,
        status,
    })
}

/// Final only by the words known to be final; what has no word here counts as running \[C\].
fn status(task: &wire::Task) -> Option<Status> {
    let word = task.status.get()?;
    Some(match word {
        "queued" => Status::Queued,
        "handling" => Status::Handling,
        "archiving" => Status::Archiving,
        "success" | "succeeded" | "completed" => Status::Success,
        "fail" | "failed" | "cancelled" | "canceled" => Status::Failed(failure(task, word)),
        other => Status::Unknown(cut_chars(other, MAX_WORD)),
    })
}

fn failure(task: &wire::Task, word: &str) -> Failure {
    let fault = task.error.0.as_deref();
    let code = fault.and_then(|f| f.code.get()).map(|code| cut_chars(code, MAX_CODE));
    let message = fault
        .and_then(fault_message)
        .or_else(|| task.fail_reason_older.get().map(kept))
        .or_else(|| word.starts_with("cancel").then(|| word.to_owned()));
    Failure { code, message }
}

fn output(item: &wire::Item) -> Option<Output> {
    let url = item.url.get().filter(|url| url.len() <= MAX_URL)?;
    Some(Output {
        url: url.to_owned(),
        role: cut_chars(item.role.get().unwrap_or("file"), MAX_WORD),
        expires: item.expires.positive().map(Wall::from_secs),
        state: OutputState::Away,
    })
}

/// The body of a callback: the bare task, without the envelope \[D\]. Only ends are told, so anything else is none.
pub(super) fn called_back(body: &[u8]) -> Option<Report> {
    let task: wire::Task = wire::read(body).ok()?;
    report(&task, Source::Callback).filter(|report| report.status.is_final())
}

fn kept(message: &str) -> String {
    text::cut(message.trim(), MAX_MESSAGE).into_owned()
}

fn cut_chars(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}

#[cfg(test)]
mod tests;
