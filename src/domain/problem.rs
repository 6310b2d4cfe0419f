//! What can go wrong between us and the service, sorted by what it means for money and for the next step.

use serde::{Deserialize, Serialize};

use super::TaskId;

/// A failed exchange with the service. Comparable, storable, free of secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Problem {
    /// 401, or a gateway's `permission_denied` with it: the key is missing, wrong or revoked \[D\].
    Auth {
        /// The service's words.
        message: String,
    },
    /// There is no key to ask with.
    NoKey {
        /// Why not: not set, or not of a key's form.
        message: String,
    },
    /// 403: the key may not do this \[D\].
    Forbidden {
        /// The service's words.
        message: String,
    },
    /// 402: not enough balance; nothing was created or billed \[C\].
    Balance {
        /// The service's words.
        message: String,
    },
    /// 429: rejected before processing, safe to send again \[C\].
    Limit {
        /// Seconds the service asks us to wait.
        retry_after: Option<u32>,
    },
    /// 503: rejected before processing, safe to send again \[D\]\[C\].
    Busy {
        /// Seconds the service asks us to wait.
        retry_after: Option<u32>,
        /// The service's words.
        message: String,
    },
    /// 409 `IDEMPOTENCY_KEY_PROCESSING`: the first sending is still being worked on \[C\].
    Processing {
        /// Seconds the service asks us to wait; normally 5 \[C\].
        retry_after: Option<u32>,
        /// The answer may name the task already \[C\].
        task_id: Option<TaskId>,
    },
    /// 422 `IDEMPOTENCY_KEY_MISMATCH`: our key was used with other bytes. Never sent again \[C\].
    Mismatch {
        /// The service's words.
        message: String,
    },
    /// 400, 413, 415 and other 4xx: this request will never be accepted as it is \[D\].
    Rejected {
        /// HTTP status.
        status: u16,
        /// `error_code` or the gateway's `error.code`.
        code: Option<String>,
        /// The service's words; they name the field \[D\].
        message: String,
    },
    /// 404: unknown task, or a model that is retired \[D\]\[B\].
    NotFound {
        /// The service's words.
        message: String,
    },
    /// Other 5xx: a fault at the other end; a creation may have happened \[C\].
    Server {
        /// HTTP status.
        status: u16,
        /// The service's words.
        message: String,
    },
    /// No answer at all.
    Network {
        /// Whether any byte of the request may have reached the service.
        sent: bool,
        /// What failed, in plain words.
        message: String,
    },
    /// The other end could not prove who it is: nothing was sent to it.
    Certificate {
        /// The host that was asked for.
        host: String,
        /// Why its certificate was not taken, in plain words.
        message: String,
    },
    /// An answer that is not of this API: HTML, cut JSON, a missing task id, another task's id.
    Odd {
        /// HTTP status.
        status: u16,
        /// What was wrong with it.
        message: String,
    },
    /// Something of ours failed: the disk, the database, a file.
    Local {
        /// What failed, in plain words.
        message: String,
    },
}

/// What a problem says about a creation that was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No task was made, and the same request may simply be sent again.
    NotCreated,
    /// Nobody knows whether a task was made. Only the same key and bytes may follow.
    Unknown,
    /// No task was made and the same request would be refused again.
    Refused,
    /// No task was made, and no other request would fare better: stop sending.
    Blocked,
    /// Our key was used for other bytes: a person must look.
    Conflict,
}

impl Problem {
    /// What this says about a creation. `\[C\]`: 408, 409, 422, 425, 429, 5xx and network failures leave it open;
    /// of those, 429 and 503 are declared as rejected before processing.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Limit { .. } | Self::Busy { .. } => Outcome::NotCreated,
            Self::Network { sent: false, .. } | Self::Local { .. } => Outcome::NotCreated,
            Self::Network { sent: true, .. } | Self::Server { .. } | Self::Processing { .. } | Self::Odd { .. } => {
                Outcome::Unknown
            }
            Self::Auth { .. } | Self::NoKey { .. } | Self::Balance { .. } | Self::Certificate { .. } => {
                Outcome::Blocked
            }
            Self::Forbidden { .. } | Self::Rejected { .. } | Self::NotFound { .. } => Outcome::Refused,
            Self::Mismatch { .. } => Outcome::Conflict,
        }
    }

    /// A fault that goes away by itself: asking again later is right.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Limit { .. }
                | Self::Busy { .. }
                | Self::Processing { .. }
                | Self::Server { .. }
                | Self::Network { .. }
                | Self::Odd { .. }
        )
    }

    /// No request can succeed before there is another key.
    #[must_use]
    pub fn needs_key(&self) -> bool {
        matches!(self, Self::Auth { .. } | Self::NoKey { .. })
    }

    /// Seconds the service asked us to wait, if it did.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Limit { retry_after } | Self::Busy { retry_after, .. } | Self::Processing { retry_after, .. } => {
                *retry_after
            }
            _ => None,
        }
    }

    /// The service's own code for it, if there was one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Rejected { code, .. } => code.as_deref(),
            _ => None,
        }
    }

    /// The service's own words, or the system's, if there are any. Text from outside; it is not cleaned.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::Auth { message }
            | Self::NoKey { message }
            | Self::Forbidden { message }
            | Self::Balance { message }
            | Self::Busy { message, .. }
            | Self::Mismatch { message }
            | Self::Rejected { message, .. }
            | Self::NotFound { message }
            | Self::Server { message, .. }
            | Self::Network { message, .. }
            | Self::Certificate { message, .. }
            | Self::Odd { message, .. } => Some(message.as_str()).filter(|text| !text.is_empty()),
            Self::Limit { .. } | Self::Processing { .. } | Self::Local { .. } => None,
        }
    }

    /// One sentence on what happened. Text from outside in it is not cleaned.
    #[must_use]
    pub fn sentence(&self) -> String {
        let with = |head: &str, tail: &str| {
            if tail.is_empty() { head.to_owned() } else { format!("{head}: {tail}") }
        };
        match self {
            Self::Auth { message } => with("the service refused the API key", message),
            Self::NoKey { message } => with("no API key", message),
            Self::Forbidden { message } => with("this key may not do that", message),
            Self::Balance { message } => with("not enough balance", message),
            Self::Limit { retry_after: Some(s) } => {
                format!("the service's rate limit was reached; it asks to wait {s} s")
            }
            Self::Limit { retry_after: None } => "the service's rate limit was reached".to_owned(),
            Self::Busy { message, .. } => with("the service is busy", message),
            Self::Processing { .. } => "the service is still working on the first sending".to_owned(),
            Self::Mismatch { message } => with("the key of this task was used for other content", message),
            Self::Rejected { message, .. } => with("the service refused the request", message),
            Self::NotFound { message } => with("the service does not know it", message),
            Self::Server { status, message } => with(&format!("the service failed ({status})"), message),
            Self::Network { message, .. } => with("no connection", message),
            Self::Certificate { host, message } => with(&format!("{host} could not prove who it is"), message),
            Self::Odd { status, message } => with(&format!("the answer is not from this API ({status})"), message),
            Self::Local { message } => message.clone(),
        }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Auth { .. } => "set a valid key in HIAPI_API_KEY and start again; nothing was lost",
            Self::NoKey { .. } => "set HIAPI_API_KEY, or try `plantain demo`, which needs none",
            Self::Forbidden { .. } => "use a key that is allowed to use this model, or another model",
            Self::Balance { .. } => "top up the account, then resume the queue; nothing was billed",
            Self::Limit { .. } | Self::Busy { .. } => "nothing to do: it is sent again by itself",
            Self::Processing { .. } => "nothing to do: it is asked again by itself",
            Self::Mismatch { .. } => "do not send it again; compare both requests first",
            Self::Rejected { .. } => "edit the request and send it anew; nothing was created",
            Self::NotFound { .. } => "check the model's name; it may be retired",
            Self::Server { .. } | Self::Network { sent: true, .. } | Self::Odd { .. } => {
                "it may have been accepted: the same request with the same key settles it without paying twice"
            }
            Self::Certificate { .. } => {
                "nothing was sent; check the clock of this machine and the network (a proxy or a login page may be in \
                 between). If your network has a certificate authority of its own, add it to the system's, or name its \
                 file in SSL_CERT_FILE, and start again"
            }
            Self::Network { sent: false, .. } => "check the connection; nothing was sent",
            Self::Local { .. } => "mend the cause, then send it again; nothing was sent",
        }
    }
}
