//! The receiver of callbacks: a small server that believes what is signed, and hands it on as a report like any other.
//!
//! It answers 204 to what is stored or known already, 400 to a body that is no ended task, 401 to what is not proven,
//! 404 to every other path and method, 408 to a body that does not come, 413 to one that is too large, and 500 when it
//! could not be stored: the service then tries again \[C\]. Each connection carries one request and lives for seconds.

mod path;
mod signature;

use std::collections::{HashSet, VecDeque};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use futures_util::StreamExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout};

use super::convert;
use crate::domain::{Report, TaskId};

pub use path::{BadCallbackUrl, HookPath};
pub use signature::{BadSecret, TOLERANCE, Unproven, WebhookSecrets};

/// Largest body, in bytes; the official examples take as much \[C\].
pub const LARGEST_BODY: usize = 1 << 20;
/// Of a body that is too large this much is still read, so that its sender hears the answer.
const LARGEST_WASTE: usize = 8 << 20;
/// Connections at once; more wait in the system's queue.
const CONNECTIONS: usize = 64;
/// Time for the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// Time for its body.
const BODY_TIME: Duration = Duration::from_secs(5);
/// Time for the store. With it we answer within the 10 s that the service waits \[C\], unless the request itself is slow.
const STORE_TIME: Duration = Duration::from_secs(4);
/// Time for all of a connection.
const CONNECTION_TIME: Duration = Duration::from_secs(20);
/// Bytes of a request's head, and headers in it.
const LARGEST_HEAD: usize = 16 * 1024;
const MOST_HEADERS: usize = 64;
/// Ends that are remembered, so that a repetition is answered without asking anybody.
const REMEMBERED: usize = 4096;
/// Looks that unsigned callbacks can cause, each minute: they cost requests of the allowance.
const HINTS: usize = 6;
const HINT_WINDOW: Duration = Duration::from_secs(60);

/// What the receiver is told at the start.
#[derive(Clone, Debug)]
pub struct WebhookConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The path to listen on.
    pub path: HookPath,
    /// What callbacks are signed with; none: every callback is only a hint.
    pub secrets: WebhookSecrets,
}

/// The receiver cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("callbacks cannot be received at {address}: {reason}")]
pub struct WebhookError {
    /// The wanted address.
    pub address: SocketAddr,
    /// What the system said.
    pub reason: io::Error,
}

/// What a callback brings.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// It is proven: an observation like that of a look.
    Report(Box<Report>),
    /// It is not: at most a reason to look.
    Hint(TaskId),
}

impl Heard {
    /// The task it is about, in the service's words.
    #[must_use]
    pub fn task_id(&self) -> &TaskId {
        match self {
            Self::Report(report) => &report.task_id,
            Self::Hint(task_id) => task_id,
        }
    }
}

/// A callback on its way to the fleet, and the way back for its answer.
#[derive(Debug)]
pub struct Delivery {
    /// What it brings.
    pub heard: Heard,
    /// Wants to know what became of it.
    pub receipt: Receipt,
}

/// Answers a callback. Dropped, it says that the callback could not be stored.
#[derive(Debug)]
pub struct Receipt(oneshot::Sender<()>);

impl Receipt {
    /// What the callback brought is on the disk, or changed nothing.
    pub fn stored(self) {
        // A sender that has gone will come again.
        let _ = self.0.send(());
    }
}

/// How callbacks were answered, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// With 204.
    pub taken: u64,
    /// With 401.
    pub unproven: u64,
    /// With anything else.
    pub refused: u64,
}

/// Listens until it is dropped.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    counts: Arc<Counts>,
    server: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counts {
    taken: AtomicU64,
    unproven: AtomicU64,
    refused: AtomicU64,
}

impl Receiver {
    /// Starts listening, on the tokio runtime it is called on. `deliver` hands a callback to whoever can store it and
    /// must not block; `false` says that there is no room.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn start(
        config: WebhookConfig,
        deliver: impl Fn(Delivery) -> bool + Send + Sync + 'static,
    ) -> Result<Self, WebhookError> {
        let failed = |reason| WebhookError { address: config.listen, reason };
        let listener = std::net::TcpListener::bind(config.listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let counts = Arc::new(Counts::default());
        let desk = Arc::new(Desk {
            path: config.path,
            secrets: config.secrets,
            deliver: Box::new(deliver),
            ended: Mutex::default(),
            hints: Mutex::default(),
            counts: Arc::clone(&counts),
        });
        Ok(Self { address, counts, server: tokio::spawn(accept(listener, desk)) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How callbacks were answered.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counts { taken, unproven, refused } = &*self.counts;
        Tally { taken: read(taken), unproven: read(unproven), refused: read(refused) }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let desk = Arc::clone(&desk);
                open.spawn(async move {
                    let _place = place;
                    let _ = timeout(CONNECTION_TIME, serve(stream, desk)).await;
                });
            }
            // Out of file descriptors, or the peer left at once: neither is a reason to stop listening.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn serve(stream: TcpStream, desk: Arc<Desk>) {
    let service = service_fn(move |request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(desk.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // A connection that breaks is its sender's loss; the service tries again.
    let _ = connection.await;
}

/// Why a callback is answered with something else than 204.
enum Refusal {
    Place,
    Slow,
    Large,
    Unproven(Unproven),
    Payload,
    NotStored,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Place => StatusCode::NOT_FOUND,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Large => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unproven(_) => StatusCode::UNAUTHORIZED,
            Self::Payload => StatusCode::BAD_REQUEST,
            Self::NotStored => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Place => "it came to another path or with another method".into(),
            Self::Slow => "its body did not come in time".into(),
            Self::Large => "its body is too large".into(),
            Self::Unproven(why) => why.to_string(),
            Self::Payload => "its body is not that of an ended task".into(),
            Self::NotStored => "it could not be stored".into(),
        }
    }
}

/// What all connections share.
struct Desk {
    path: HookPath,
    secrets: WebhookSecrets,
    deliver: Box<dyn Fn(Delivery) -> bool + Send + Sync>,
    ended: Mutex<Ended>,
    hints: Mutex<VecDeque<(Instant, TaskId)>>,
    counts: Arc<Counts>,
}

/// Tasks whose end was stored, oldest first.
#[derive(Default)]
struct Ended {
    ids: HashSet<TaskId>,
    order: VecDeque<TaskId>,
}

impl Desk {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (status, count) = match self.take(request).await {
            Ok(()) => (StatusCode::NO_CONTENT, &self.counts.taken),
            Err(refusal) => {
                let proven = !matches!(refusal, Refusal::Unproven(_));
                let count = if proven { &self.counts.refused } else { &self.counts.unproven };
                // A flood must not fill the log: the first, then the second, the fourth, the eighth …
                let times = count.load(Ordering::Relaxed) + 1;
                if times.is_power_of_two() {
                    tracing::warn!(why = refusal.sentence(), times, "a callback was refused");
                }
                (refusal.status(), count)
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        response
    }

    async fn take(&self, request: Request<Incoming>) -> Result<(), Refusal> {
        let (parts, body) = request.into_parts();
        if parts.method != Method::POST || !self.path.is(parts.uri.path()) {
            return Err(Refusal::Place);
        }
        let body = timeout(BODY_TIME, read(body)).await.map_err(|_| Refusal::Slow)??;
        let proven = match self.prove(&parts.headers, &body) {
            Ok(()) => true,
            // The account has no secret, or so it seems: worth a look, and not believed.
            Err(Unproven::Unsigned) if self.secrets.is_empty() => false,
            Err(why) => return Err(Refusal::Unproven(why)),
        };
        let report = convert::called_back(&body).ok_or(Refusal::Payload)?;
        let task_id = report.task_id.clone();
        if proven {
            // An end never changes [C]: what was stored once needs no second thought.
            if lock(&self.ended).ids.contains(&task_id) {
                return Ok(());
            }
            self.hand_on(Heard::Report(Box::new(report))).await?;
            self.remember(task_id);
        } else if self.may_hint(&task_id) {
            self.hand_on(Heard::Hint(task_id)).await?;
        }
        Ok(())
    }

    fn prove(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Unproven> {
        let all = |name: &str| headers.get_all(name).iter().map(|value| value.as_bytes()).collect::<Vec<_>>();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        self.secrets.verify(&all("x-hiapi-timestamp"), &all("x-hiapi-signature"), body, now)
    }

    /// Waits until the disk has it.
    async fn hand_on(&self, heard: Heard) -> Result<(), Refusal> {
        let (receipt, stored) = oneshot::channel();
        if !(self.deliver)(Delivery { heard, receipt: Receipt(receipt) }) {
            return Err(Refusal::NotStored);
        }
        match timeout(STORE_TIME, stored).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Refusal::NotStored),
        }
    }

    fn remember(&self, task_id: TaskId) {
        let mut ended = lock(&self.ended);
        if ended.ids.insert(task_id.clone()) {
            ended.order.push_back(task_id);
            if ended.order.len() > REMEMBERED
                && let Some(oldest) = ended.order.pop_front()
            {
                ended.ids.remove(&oldest);
            }
        }
    }

    /// One look for a task in a minute, and few for all of them.
    fn may_hint(&self, task_id: &TaskId) -> bool {
        let mut hints = lock(&self.hints);
        let now = Instant::now();
        while hints.front().is_some_and(|(at, _)| now.duration_since(*at) >= HINT_WINDOW) {
            hints.pop_front();
        }
        let may = hints.len() < HINTS && hints.iter().all(|(_, id)| id != task_id);
        if may {
            hints.push_back((now, task_id.clone()));
        }
        may
    }
}

/// The raw bytes, before anything is parsed.
async fn read(body: Incoming) -> Result<Vec<u8>, Refusal> {
    let mut stream = Body::new(body).into_data_stream();
    let mut bytes = Vec::new();
    let mut total = 0usize;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| Refusal::Payload)?;
        total = total.saturating_add(chunk.len());
        if total <= LARGEST_BODY {
            bytes.extend_from_slice(&chunk);
        } else if total > LARGEST_WASTE {
            break;
        }
    }
    if total > LARGEST_BODY { Err(Refusal::Large) } else { Ok(bytes) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
