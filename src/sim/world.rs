//! Everything the running simulator knows: configuration, catalogue, tasks, keys of idempotency, allowances, ledger.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

use super::SimConfig;
use super::catalogue::Catalogue;
use super::files::Shelf;
use super::ledger::Book;
use super::media::Media;
use super::pixels::Picture;
use super::random::{Dice, hash, mix};
use super::task::{Order, Setting, Task};

/// Idempotency keys are remembered for about a day. \[C\]
const KEY_LIFE_MS: u64 = 86_400_000;
/// Most keys, counters and accounts remembered; beyond it the simulator forgets, as nobody runs it that long.
const REMEMBERED: usize = 200_000;
/// The allowance's period at speed 1. \[D\]
const MINUTE_MS: u64 = 60_000;

/// The shared state behind every handler.
pub(crate) struct World {
    pub(crate) config: SimConfig,
    pub(crate) catalogue: Catalogue,
    /// `http://host:port`
    pub(crate) base: String,
    pub(crate) shelf: Shelf,
    pub(crate) sender: reqwest::Client,
    state: Mutex<State>,
    book: Mutex<Book>,
    jobs: Mutex<JoinSet<()>>,
}

#[derive(Default)]
pub(crate) struct State {
    /// In the order of creation.
    pub(crate) tasks: Vec<Arc<Task>>,
    by_id: HashMap<String, usize>,
    pub(crate) keys: HashMap<(u64, String), KeyUse>,
    attempts: HashMap<u64, u32>,
    windows: HashMap<u64, Window>,
    in_flight: HashMap<u64, u32>,
    requests: u64,
    created: u64,
}

/// The first use of an idempotency key.
#[derive(Debug, Clone)]
pub(crate) struct KeyUse {
    pub(crate) body: [u8; 32],
    pub(crate) task: String,
    pub(crate) since_ms: u64,
    /// Until then the first request counts as being handled.
    pub(crate) busy_until_ms: u64,
}

/// One account's allowance for the running minute.
#[derive(Debug, Clone, Copy)]
struct Window {
    ends_ms: u64,
    used: u32,
}

/// What the allowance says to one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) ends_ms: u64,
    pub(crate) granted: bool,
}

impl World {
    pub(crate) fn new(
        config: SimConfig,
        catalogue: Catalogue,
        base: String,
        book: Book,
        sender: reqwest::Client,
    ) -> Self {
        let world = Self {
            config,
            catalogue,
            base,
            shelf: Shelf::default(),
            sender,
            state: Mutex::default(),
            book: Mutex::new(book),
            jobs: Mutex::default(),
        };
        world.remember_history();
        world
    }

    /// The state. Nothing that panics runs under this lock, so a poisoned lock still holds good data.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ledger.
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Unix milliseconds.
    pub(crate) fn now_ms(&self) -> u64 {
        self.config.clock.now_ms()
    }

    /// A time of the real service, in milliseconds, at our speed.
    pub(crate) fn scaled(&self, ms: u64) -> u64 {
        (ms as f64 / self.config.speed) as u64
    }

    /// Waits as long as a real server would take, at our speed.
    pub(crate) async fn linger(&self, ms: u64) {
        let time = Duration::from_millis(self.scaled(ms));
        self.config.clock.linger(time).await;
    }

    /// Dice for one request; the number is the request's.
    pub(crate) fn dice(&self, number: u64, purpose: &str) -> Dice {
        Dice::new(self.config.seed ^ mix(number), purpose)
    }

    /// Runs something beside the requests; it ends with the simulator.
    pub(crate) fn spawn(&self, job: impl Future<Output = ()> + Send + 'static) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        while jobs.try_join_next().is_some() {}
        jobs.spawn(job);
    }

    /// Ends everything that was spawned.
    pub(crate) fn stop_jobs(&self) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.abort_all();
    }

    /// The account behind a key. With one accepted key there is one account; otherwise every key is an account of its own,
    /// so that the 404 for somebody else's task can be seen.
    pub(crate) fn account(&self, key: &str) -> u64 {
        match self.config.key {
            Some(_) => 0,
            None => hash(0, key.as_bytes()),
        }
    }

    /// Whether the key is accepted.
    pub(crate) fn accepts(&self, key: &str) -> bool {
        match &self.config.key {
            Some(only) => key == only,
            None => key.strip_prefix("sk-").is_some_and(|rest| !rest.is_empty()),
        }
    }

    fn remember_history(&self) {
        let count = u64::from(self.config.scenario.history.min(50_000));
        let now = self.now_ms();
        let mut state = self.state();
        let Some(model) = self.catalogue.names().next() else {
            return;
        };
        for number in 0..count {
            let seed = hash(self.config.seed ^ number, b"history");
            let picture = Picture {
                prompt: String::new(),
                seed,
                width: self.config.longest_side.unwrap_or(1024).min(1024),
                height: self.config.longest_side.unwrap_or(1024).min(1024),
                format: super::pixels::Format::Png,
            };
            let order = Order {
                account: None,
                model: model.to_owned(),
                route: None,
                persistent: false,
                callback: None,
                results: vec![("image".to_owned(), Media::Picture(picture))],
            };
            let setting = Setting {
                scenario: &self.config.scenario,
                rules: &[],
                // Three minutes apart; the newest was an hour ago.
                now_ms: now.saturating_sub(3_600_000 + (count - number) * 180_000),
                speed: self.config.speed,
                expire_after_ms: super::clock::millis(self.config.expire_after),
                seed: self.config.seed,
                number: u64::MAX - number,
            };
            state.add(Task::new(order, &setting));
        }
    }
}

impl State {
    /// The number of this request, from 1.
    pub(crate) fn next_request(&mut self) -> u64 {
        self.requests += 1;
        self.requests
    }

    /// The number of the next task, from 1.
    pub(crate) fn next_task(&mut self) -> u64 {
        self.created += 1;
        self.created
    }

    /// Stores a task.
    pub(crate) fn add(&mut self, task: Task) -> Arc<Task> {
        let task = Arc::new(task);
        self.by_id.insert(task.id.clone(), self.tasks.len());
        self.tasks.push(Arc::clone(&task));
        task
    }

    /// Any account's task.
    pub(crate) fn task(&self, id: &str) -> Option<&Arc<Task>> {
        self.by_id.get(id).and_then(|index| self.tasks.get(*index))
    }

    /// How many times this has been tried before; counts the present one.
    pub(crate) fn attempt(&mut self, what: u64) -> u32 {
        if self.attempts.len() > REMEMBERED {
            self.attempts.clear();
        }
        let tried = self.attempts.entry(what).or_insert(0);
        *tried = tried.saturating_add(1);
        *tried - 1
    }

    /// Forgets keys that are older than a day.
    pub(crate) fn forget_old_keys(&mut self, now_ms: u64, speed: f64) {
        let life = (KEY_LIFE_MS as f64 / speed) as u64;
        let alive = |used: &KeyUse| now_ms < used.since_ms.saturating_add(life);
        if self.keys.len() > REMEMBERED || self.keys.len().is_multiple_of(64) {
            self.keys.retain(|_, used| alive(used));
        }
    }

    /// The first use of a key, if it is remembered.
    pub(crate) fn key_use(&self, account: u64, key: &str, now_ms: u64, speed: f64) -> Option<KeyUse> {
        let life = (KEY_LIFE_MS as f64 / speed) as u64;
        let found = self.keys.get(&(account, key.to_owned()))?;
        (now_ms < found.since_ms.saturating_add(life)).then(|| found.clone())
    }

    /// Takes one request from the account's allowance.
    pub(crate) fn spend(&mut self, account: u64, limit: u32, now_ms: u64, speed: f64) -> Allowance {
        if self.windows.len() > REMEMBERED {
            self.windows.clear();
        }
        let length = ((MINUTE_MS as f64 / speed) as u64).max(1);
        let fresh = Window { ends_ms: now_ms + length, used: 0 };
        let window = self.windows.entry(account).or_insert(fresh);
        if now_ms >= window.ends_ms {
            *window = fresh;
        }
        let granted = window.used < limit;
        if granted {
            window.used += 1;
        }
        Allowance { limit, remaining: limit.saturating_sub(window.used), ends_ms: window.ends_ms, granted }
    }

    /// Counts a request as running; false if the account has as many as it may.
    pub(crate) fn enter(&mut self, account: u64, most: Option<u32>) -> bool {
        let running = self.in_flight.entry(account).or_insert(0);
        if most.is_some_and(|most| *running >= most) {
            return false;
        }
        *running += 1;
        true
    }

    /// The end of a running request.
    pub(crate) fn leave(&mut self, account: u64) {
        if let Some(running) = self.in_flight.get_mut(&account) {
            *running = running.saturating_sub(1);
            if *running == 0 {
                self.in_flight.remove(&account);
            }
        }
    }
}
