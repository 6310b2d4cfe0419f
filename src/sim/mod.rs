//! The simulated service: HiAPI's task protocol on a local port, as strict as the real one, with pictures it draws itself.
//!
//! Nothing here imports another module of this program. The protocol is written down a second time, so that a misreading of
//! it in the client cannot pass a test against this server.

mod call;
mod callback;
mod catalogue;
mod clock;
mod create;
mod door;
mod files;
mod gate;
mod ledger;
mod media;
mod pages;
mod pixels;
mod random;
mod read;
mod results;
mod scenario;
mod shape;
mod task;
mod validate;
mod wire;
mod world;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use axum::Router;
use axum::routing::{get, post};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use clock::SimClock;
pub use ledger::{CreatedTask, Delivery, Kind, Ledger};
pub use scenario::{
    Action, Callbacks, Faults, Files, Outcomes, RetryAfter, Rule, Scenario, ScenarioError, Span, Steps,
};

use catalogue::Catalogue;
use door::{Door, Scissors};
use ledger::Book;
use world::World;

/// How long running requests may take to end after [`Sim::stop`].
const GRACE: Duration = Duration::from_millis(500);

/// What the simulator is told at the start.
#[derive(Clone)]
pub struct SimConfig {
    /// Where to listen; port 0 = any free one.
    pub listen: SocketAddr,
    /// How many times faster than the real service everything runs: steps, answers, the minute of the allowance, the
    /// retries of callbacks, the day idempotency keys live. `expireAt` and time stamps stay true wall clock times.
    pub speed: f64,
    /// Requests per minute and account; none = no limit and no headers about it.
    pub rate_limit: Option<u32>,
    /// Requests at once per account.
    pub concurrency: Option<u32>,
    /// The one accepted key; none = every key that looks like `sk-…`, each an account of its own.
    pub key: Option<String>,
    /// Signs callbacks; none = unsigned.
    pub webhook_secret: Option<String>,
    /// How long links work after the end of a task; not scaled.
    pub expire_after: Duration,
    /// Chooses all that is random.
    pub seed: u64,
    /// Longest side of pictures in pixels, for quick tests.
    pub longest_side: Option<u32>,
    /// How the service behaves.
    pub scenario: Scenario,
    /// Receives a JSON line per request, created task, replay and callback attempt.
    pub ledger_file: Option<PathBuf>,
    /// The time; tests may put in one that they move themselves.
    pub clock: SimClock,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            speed: 1.0,
            rate_limit: Some(60),
            concurrency: Some(10),
            key: None,
            webhook_secret: None,
            expire_after: Duration::from_secs(7 * 86_400),
            seed: 1,
            longest_side: None,
            scenario: Scenario::default(),
            ledger_file: None,
            clock: SimClock::real(),
        }
    }
}

impl fmt::Debug for SimConfig {
    /// Without the key and the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimConfig")
            .field("listen", &self.listen)
            .field("speed", &self.speed)
            .field("rate_limit", &self.rate_limit)
            .field("concurrency", &self.concurrency)
            .field("seed", &self.seed)
            .field("scenario", &self.scenario.name)
            .finish_non_exhaustive()
    }
}

/// Why the simulator could not start.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The wanted address.
        address: SocketAddr,
        /// What the system said.
        reason: io::Error,
    },
    /// The speed is not a positive number.
    #[error("the speed must be a positive number, not {0}")]
    Speed(f64),
    /// The ledger file cannot be opened.
    #[error("cannot write the ledger {}: {reason}", path.display())]
    Ledger {
        /// The wanted file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// The built-in catalogue cannot be read: a fault of this program.
    #[error("the built-in model catalogue is broken: {0}")]
    Catalogue(#[from] serde_json::Error),
    /// No HTTP client for callbacks.
    #[error("no client for callbacks: {0}")]
    Client(#[from] reqwest::Error),
}

/// A running simulator. Dropping it stops it too, only less gently than [`Sim::stop`].
pub struct Sim {
    world: Arc<World>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// Binds, starts serving in the background, returns at once.
///
/// # Errors
/// [`SimError`].
pub async fn start(config: SimConfig) -> Result<Sim, SimError> {
    if !(config.speed.is_finite() && config.speed > 0.0) {
        return Err(SimError::Speed(config.speed));
    }
    let catalogue = Catalogue::load()?;
    let book = Book::open(config.ledger_file.as_deref())
        .map_err(|reason| SimError::Ledger { path: config.ledger_file.clone().unwrap_or_default(), reason })?;
    let listen = |reason| SimError::Listen { address: config.listen, reason };
    let socket = tokio::net::TcpListener::bind(config.listen).await.map_err(listen)?;
    let base = format!("http://{}", reachable(socket.local_addr().map_err(listen)?));
    let world = Arc::new(World::new(config, catalogue, base, book, sender()?));
    let (stop, mut stopped) = watch::channel(false);
    let service = router(Arc::clone(&world)).into_make_service_with_connect_info::<Scissors>();
    let server = tokio::spawn(async move {
        let ended = axum::serve(Door(socket), service)
            .with_graceful_shutdown(async move {
                let _ = stopped.wait_for(|stop| *stop).await;
            })
            .await;
        if let Err(error) = ended {
            tracing::warn!(%error, "the simulator stopped");
        }
    });
    Ok(Sim { world, stop, server })
}

/// Runs a simulator until `shutdown` is ready. `ready` is called with [`Sim::ready_line`] once it listens.
///
/// # Errors
/// [`SimError`] if it cannot start.
pub async fn run_until(
    config: SimConfig,
    ready: impl FnOnce(&str),
    shutdown: impl Future<Output = ()>,
) -> Result<Ledger, SimError> {
    let sim = start(config).await?;
    ready(&sim.ready_line());
    shutdown.await;
    let ledger = sim.ledger();
    sim.stop().await;
    Ok(ledger)
}

impl Sim {
    /// `http://127.0.0.1:port/v1`
    pub fn base_url(&self) -> String {
        format!("{}/v1", self.world.base)
    }

    /// One line of JSON for the program that started us.
    pub fn ready_line(&self) -> String {
        let config = &self.world.config;
        serde_json::json!({
            "base_url": self.base_url(),
            "scenario": config.scenario.name,
            "speed": config.speed,
            "seed": config.seed,
            "pid": std::process::id(),
        })
        .to_string()
    }

    /// What has happened so far.
    pub fn ledger(&self) -> Ledger {
        self.world.book().ledger.clone()
    }

    /// Stops listening, lets running requests end for a moment, forgets waiting callbacks.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        self.world.stop_jobs();
        if tokio::time::timeout(GRACE, &mut self.server).await.is_err() {
            self.server.abort();
        }
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("base_url", &self.base_url()).finish_non_exhaustive()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.world.stop_jobs();
        self.server.abort();
    }
}

fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/v1/tasks", post(create::create).get(read::list))
        .route("/v1/tasks/{id}", get(read::one))
        .route("/v1/models", get(read::models))
        .route("/files/{task}/{name}", get(files::file))
        .fallback(read::nothing)
        .method_not_allowed_fallback(read::wrong_method)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&world), gate::pass))
        .route("/api/pricing", get(pages::pricing))
        .route("/api/models/content", get(pages::content))
        .with_state(world)
}

/// The client that sends callbacks. It asks no proxy: receivers are on this machine or near it.
fn sender() -> Result<reqwest::Client, reqwest::Error> {
    // Fails only if a provider is installed already, which is just as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(callback::PATIENCE)
        .user_agent("hiapi-callback/1")
        .build()
}

/// An address a client can connect to: "any" becomes this machine.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
