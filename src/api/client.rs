//! Questions to the API, one method each. Nothing here repeats a request: that is decided elsewhere.

use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use url::Url;

use super::convert::Reply;
use super::http::{self, Body, Kind, Timeouts};
use super::key::{ApiKey, is_loopback};
use crate::domain::{Accepted, Answer, LocalId, Page, Problem, Report, TaskId};

/// Largest answer read, in bytes.
const MAX_ANSWER: usize = 16 << 20;
/// The slowest line on which a large body may still be sent, in bytes a second.
const SLOWEST: u64 = 8 * 1024;

/// The API of one account. Cheap to share behind a reference; connections are pooled inside.
pub struct Client {
    http: reqwest::Client,
    base: Url,
    key: ApiKey,
    timeouts: Timeouts,
}

/// Why no client could be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// Mostly: the system has no certificates to check the service's with.
    #[error(
        "secure connections are not possible here: {0}; install the system's CA certificates (package ca-certificates)"
    )]
    Tls(String),
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// Prepares to talk to the service at an address from [`super::base_url`]. Nothing is sent yet.
    ///
    /// # Errors
    /// When the system offers no way to check certificates.
    pub fn new(base: Url, key: ApiKey, timeouts: Timeouts) -> Result<Self, ClientError> {
        let plain = base.scheme() == "http" && base.host().is_some_and(|host| is_loopback(&host));
        let kind = if plain { Kind::Plain } else { Kind::Service };
        let http = http::build(timeouts, kind).map_err(|error| ClientError::Tls(http::words(&error)))?;
        Ok(Self { http, base, key, timeouts })
    }

    /// The address of the service.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// `POST /v1/tasks`: creates a task, or learns of the one this key created before. The body must be the same
    /// bytes each time a key is used \[C\].
    pub async fn create(&self, key: LocalId, body: &str) -> Answer<Accepted> {
        let request = self
            .http
            .post(self.url(&["v1", "tasks"]))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("idempotency-key", key.to_string())
            .body(Bytes::copy_from_slice(body.as_bytes()));
        let sending = Duration::from_secs(body.len() as u64 / SLOWEST);
        self.ask(request, sending, |reply| reply.accepted()).await
    }

    /// `GET /v1/tasks/{taskId}`: one task. An answer about another task is [`Problem::Odd`].
    pub async fn task(&self, id: &TaskId) -> Answer<Report> {
        let request = self.http.get(self.url(&["v1", "tasks", id.as_str()]));
        self.ask(request, Duration::ZERO, |reply| reply.report(id)).await
    }

    /// `GET /v1/tasks`: a page of the list, newest first. Pages count from 1, sizes go up to 100; the service
    /// replaces what is out of range by its defaults \[D\].
    pub async fn page(&self, page: u32, size: u32) -> Answer<Page> {
        let mut url = self.url(&["v1", "tasks"]);
        url.query_pairs_mut().append_pair("page", &page.to_string()).append_pair("size", &size.to_string());
        self.ask(self.http.get(url), Duration::ZERO, |reply| reply.page(page, size)).await
    }

    /// Asks for the shortest page: free, and it shows whether the key is taken \[C\].
    pub async fn check_key(&self) -> Answer<Page> {
        self.page(1, 1).await
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        // Encodes each segment, so that nothing in an id can leave its place. http and https always have a path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    async fn ask<T>(
        &self,
        request: RequestBuilder,
        sending: Duration,
        read: impl FnOnce(&Reply<'_>) -> Result<T, Problem>,
    ) -> Answer<T> {
        let request = request
            .header(AUTHORIZATION, self.key.bearer())
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        crate::step::step("api: before the first byte");
        let left = Instant::now();
        let response = match http::within(self.timeouts.answer + sending, request.send()).await {
            Ok(response) => response,
            Err(silence) => return Answer::bare(Err(silence.problem())),
        };
        crate::step::step("api: answered, not read");
        let status = response.status();
        let headers = response.headers().clone();
        let (limits, date) = (http::limits(&headers), http::dated(&headers, left.elapsed()));
        let Body { bytes, end } = http::read(response, MAX_ANSWER, self.timeouts.between).await;
        let result = match end {
            // What failed, failed, even if its explanation was cut off.
            Err(problem) if status.is_success() => Err(problem),
            _ => read(&Reply { status: status.as_u16(), headers: &headers, body: &bytes }),
        };
        Answer { result, limits, date }
    }
}
