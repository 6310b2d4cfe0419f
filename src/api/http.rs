//! What every HTTP exchange of ours shares: how clients are built, how long they wait, how bodies are read under a
//! limit, and how a library's error becomes plain words.

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::sync::Once;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use rustls::CertificateError;

use super::reach;
use crate::domain::{Dated, Limits, Problem};
use crate::time::Wall;

/// Longest wait the service can ask of us, in seconds; what is absurd is cut to it.
const MAX_RETRY_AFTER: u32 = 3600;

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For name lookup, connection and TLS together.
    pub connect: Duration,
    /// For the headers of an answer, from the start of the request; sending a large body adds to it.
    pub answer: Duration,
    /// Between two pieces of a body. There is no limit for the whole: a slow line is not a fault.
    pub between: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let long = Duration::from_secs(30);
        Self { connect: Duration::from_secs(10), answer: long, between: long }
    }
}

/// Whom a client is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The service, at the address the user gave.
    Service,
    /// Hosts that answers name: only on the open internet.
    Foreign,
    /// This machine, by http.
    Plain,
}

/// The one place where an HTTP client is built.
pub(super) fn build(timeouts: Timeouts, kind: Kind) -> Result<reqwest::Client, reqwest::Error> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // An error says that another provider is installed already; then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("plantain/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(timeouts.connect)
        .pool_idle_timeout(Duration::from_secs(60))
        .tcp_keepalive(Duration::from_secs(30))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_keep_alive_timeout(Duration::from_secs(10));
    match kind {
        Kind::Service => {}
        Kind::Foreign if reach::looks_up_here() => builder = builder.dns_resolver(reach::PublicOnly),
        Kind::Foreign => {}
        // No proxy leads here; and no certificates are looked for, as the simulated service must run without any.
        Kind::Plain => builder = builder.no_proxy().tls_certs_only([]),
    }
    builder.build()
}

/// Why a request brought no answer.
#[derive(Debug)]
pub(super) enum Silence {
    /// The library's error.
    Failed(reqwest::Error),
    /// Nothing came in time.
    TimedOut,
}

impl Silence {
    /// In the words of the domain. Whether bytes may have left decides over money, so only what surely came
    /// before the first byte counts as not sent.
    pub(super) fn problem(self) -> Problem {
        match self {
            Self::TimedOut => Problem::Network { sent: true, message: "no answer came in time".into() },
            Self::Failed(error) if error.is_builder() => {
                Problem::Local { message: format!("the request could not be put together: {}", words(&error)) }
            }
            Self::Failed(error) => match (error.is_connect(), distrust(&error)) {
                (true, Some(message)) => {
                    let host = error.url().and_then(url::Url::host_str).unwrap_or("the host").to_owned();
                    Problem::Certificate { host, message }
                }
                (connecting, _) => Problem::Network { sent: !connecting, message: words(&error) },
            },
        }
    }
}

/// Waits for an answer's headers, or anything else, for a bounded time.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, reqwest::Error>>,
) -> Result<T, Silence> {
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Silence::Failed(error)),
        Err(_) => Err(Silence::TimedOut),
    }
}

/// A body that was read: all of it, or up to where something went wrong.
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) end: Result<(), Problem>,
}

/// Reads a body in pieces. What came before a fault or the limit is kept: an error's page may still say something.
pub(super) async fn read(mut response: reqwest::Response, limit: usize, between: Duration) -> Body {
    let mut bytes = Vec::new();
    loop {
        match within(between, response.chunk()).await {
            Ok(None) => return Body { bytes, end: Ok(()) },
            Ok(Some(piece)) if bytes.len() + piece.len() > limit => {
                bytes.extend_from_slice(&piece[..limit - bytes.len()]);
                let message = format!("its answer is larger than {} MiB", limit >> 20);
                return Body { bytes, end: Err(Problem::Odd { status: response.status().as_u16(), message }) };
            }
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Err(Silence::TimedOut) => {
                let message = "the answer stopped in the middle".into();
                return Body { bytes, end: Err(Problem::Network { sent: true, message }) };
            }
            Err(Silence::Failed(error)) => {
                let message = format!("the answer was cut off: {}", words(&error));
                return Body { bytes, end: Err(Problem::Network { sent: true, message }) };
            }
        }
    }
}

/// Why the other end's certificate was not taken, if that is what failed.
fn distrust(error: &reqwest::Error) -> Option<String> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(at) = cause {
        if let Some(rustls::Error::InvalidCertificate(why)) = at.downcast_ref::<rustls::Error>() {
            return Some(certificate_words(why));
        }
        cause = match at.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => at.source(),
        };
    }
    None
}

fn certificate_words(why: &CertificateError) -> String {
    match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired".into(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet".into()
        }
        CertificateError::UnknownIssuer => "its certificate comes from an authority that is not trusted here".into(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name".into()
        }
        CertificateError::Revoked => "its certificate was revoked".into(),
        other => format!("its certificate was not taken ({})", short(&other.to_string())),
    }
}

/// A library's error in plain words: never with a URL, for that may be a secret, and short.
pub(super) fn words(error: &reqwest::Error) -> String {
    let mut root: Option<&(dyn std::error::Error + 'static)> = error.source();
    let mut deepest = String::new();
    let mut kind = None;
    while let Some(cause) = root {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            kind = Some(io.kind());
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return format!("the secure connection failed: {}", short(&tls.to_string()));
        }
        deepest = cause.to_string();
        // An io error hides its inner one from `source` where it wraps a TLS error.
        root = match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        };
    }
    if error.is_dns() {
        return "the name of the host could not be looked up".into();
    }
    if error.is_timeout() {
        return if error.is_connect() { "connecting took too long" } else { "no answer came in time" }.into();
    }
    match kind {
        Some(io::ErrorKind::ConnectionRefused) => "the connection was refused".into(),
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionAborted) => {
            "the connection was broken".into()
        }
        Some(io::ErrorKind::UnexpectedEof) => "the connection was closed too early".into(),
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => "the host is unreachable".into(),
        _ if deepest.is_empty() || deepest.contains("://") => "the exchange failed".into(),
        _ => short(&deepest),
    }
}

fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

/// The service's clock, from `Date`.
pub(super) fn date(headers: &HeaderMap) -> Option<Wall> {
    let text = headers.get(DATE)?.to_str().ok()?;
    wall(httpdate::parse_http_date(text.trim()).ok()?)
}

/// The service's clock against ours; the question left so long ago, and the answer began now.
pub(super) fn dated(headers: &HeaderMap, since: Duration) -> Option<Dated> {
    let at = date(headers)?;
    let heard = wall(SystemTime::now())?;
    // Not by the calendar: it may have jumped meanwhile.
    let sent = Wall(heard.0.saturating_sub(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)));
    Some(Dated { at, sent, heard })
}

fn wall(at: SystemTime) -> Option<Wall> {
    i64::try_from(at.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok().map(Wall)
}

/// `Retry-After`, in seconds or as a date \[C\]; a date counts from the answer's own `Date`, for our clock may be
/// wrong. Cut to 0..=3600.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<u32> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(at) = httpdate::parse_http_date(text) {
        let now = date(headers).or_else(|| wall(SystemTime::now())).unwrap_or_default();
        let wait = wall(at).unwrap_or_default().since(now).as_millis().div_ceil(1000);
        return Some(u32::try_from(wait).unwrap_or(u32::MAX).min(MAX_RETRY_AFTER));
    }
    let seconds: f64 = text.parse().ok()?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    (!seconds.is_nan()).then(|| seconds.ceil().clamp(0.0, f64::from(MAX_RETRY_AFTER)) as u32)
}

/// `X-RateLimit-*`, if limit and rest are both there \[D\].
pub(super) fn limits(headers: &HeaderMap) -> Option<Limits> {
    let number = |name: &str| -> Option<i64> { headers.get(name)?.to_str().ok()?.trim().parse().ok() };
    let small = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
    Some(Limits {
        limit: small(number("x-ratelimit-limit")?),
        remaining: small(number("x-ratelimit-remaining")?),
        reset: number("x-ratelimit-reset").filter(|at| *at > 0).map(Wall::from_secs),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_str(v).expect("a header value")))
            .collect()
    }

    #[test]
    fn retry_after_in_all_its_forms() {
        let date = "Mon, 27 Apr 2026 09:27:13 GMT";
        for (text, expected) in [
            ("5", Some(5)),
            (" 12 ", Some(12)),
            ("0", Some(0)),
            ("-5", Some(0)),
            ("2.5", Some(3)),
            ("99999999999999999999999", Some(3600)),
            ("inf", Some(3600)),
            ("Mon, 27 Apr 2026 09:27:43 GMT", Some(30)),
            ("Mon, 27 Apr 2026 09:00:00 GMT", Some(0)),
            ("Thu, 27 Apr 2090 09:00:00 GMT", Some(3600)),
            ("NaN", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after(&headers(&[("retry-after", text), ("date", date)])), expected, "{text}");
        }
        assert_eq!(retry_after(&headers(&[])), None);
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_in_words() {
        for (why, word) in [
            (CertificateError::Expired, "expired"),
            (CertificateError::NotValidYet, "not valid yet"),
            (CertificateError::UnknownIssuer, "not trusted"),
            (CertificateError::NotValidForName, "another name"),
            (CertificateError::BadSignature, "was not taken"),
        ] {
            let words = certificate_words(&why);
            assert!(words.contains(word) && words.contains("certificate"), "{words}");
        }
    }

    #[test]
    fn limits_need_both_numbers() {
        let full = [("x-ratelimit-limit", "60"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1777282033")];
        let expected = Limits { limit: 60, remaining: 0, reset: Some(Wall(1_777_282_033_000)) };
        assert_eq!(limits(&headers(&full)), Some(expected));
        assert_eq!(limits(&headers(&full[..2])), Some(Limits { reset: None, ..expected }));
        assert_eq!(limits(&headers(&full[..1])), None);
        let odd = [("x-ratelimit-limit", "99999999999"), ("x-ratelimit-remaining", "-3")];
        assert_eq!(limits(&headers(&odd)), Some(Limits { limit: u32::MAX, remaining: 0, reset: None }));
    }

    #[test]
    fn the_date_header() {
        assert_eq!(date(&headers(&[("date", "Mon, 27 Apr 2026 09:27:13 GMT")])), Some(Wall(1_777_282_033_000)));
        assert_eq!(date(&headers(&[("date", "yesterday")])), None);
    }
}
