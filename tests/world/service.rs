//! A model of the service: a ledger by idempotency key, a list whose pages shift, an exact rate limit, and moods.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use plantain::domain::{
    Accepted, Answer, Failure, Limits, LocalId, Output, OutputState, Page, Problem, Report, Source, Status, TaskId,
};
use plantain::time::Wall;

/// What it answers to everything for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Connections are refused.
    Down,
    /// Requests vanish; some after they were carried out.
    Hangs,
    /// 429 to most.
    Storm429,
    /// 5xx to most, some after they were carried out.
    Storm5xx,
    /// 401.
    KeyRevoked,
    /// 402 to creations.
    NoCredits,
}

/// A task that exists, and was paid for once.
#[derive(Clone, Debug)]
pub struct Entry {
    pub body: String,
    pub task_id: TaskId,
    pub created: Wall,
    pub takes_ms: i64,
    pub fails: bool,
    /// A link works so long after the end.
    pub link_ms: i64,
    /// A second link is given when the first was refused, for a while.
    pub links: u32,
}

impl Entry {
    pub fn ended(&self) -> Wall {
        Wall(self.created.0 + self.takes_ms)
    }

    pub fn expires(&self) -> Wall {
        Wall(self.ended().0 + self.link_ms)
    }

    fn status(&self, now: Wall) -> Status {
        let age = now.0 - self.created.0;
        match (age >= self.takes_ms, self.fails) {
            (true, true) => Status::Failed(Failure { code: Some("TASK_FAILED".into()), message: None }),
            (true, false) => Status::Success,
            _ if age * 5 < self.takes_ms => Status::Queued,
            _ if age * 3 < self.takes_ms * 2 => Status::Handling,
            _ if age * 10 < self.takes_ms * 9 => Status::Unknown("polishing".into()),
            _ => Status::Archiving,
        }
    }

    fn report(&self, now: Wall, source: Source) -> Report {
        let status = self.status(now);
        let output = Output {
            url: format!("https://files.example/{}/{}.png", self.task_id, self.links),
            role: "image".into(),
            expires: Some(self.expires()),
            state: OutputState::Away,
        };
        let outputs = if status == Status::Success { vec![output] } else { Vec::new() };
        let completed = status.is_final().then(|| self.ended());
        let created = Some(self.created);
        Report { task_id: self.task_id.clone(), model: "m".into(), status, outputs, created, completed, source }
    }
}

/// The service. Its own clock never jumps: all times here are true times.
#[derive(Clone, Debug)]
pub struct Service {
    pub ledger: BTreeMap<LocalId, Entry>,
    by_task_id: HashMap<TaskId, LocalId>,
    /// Oldest first; `None` is a task of another program.
    order: Vec<Option<LocalId>>,
    pub mood: Mood,
    /// Rows a page, whatever is asked for.
    pub page_size: u32,
    pub per_minute: usize,
    /// Whether answers say how much is left.
    pub tells_limits: bool,
    window: VecDeque<i64>,
    /// When a request was one too many.
    pub refused: Vec<i64>,
}

impl Service {
    pub fn new(page_size: u32, per_minute: usize, tells_limits: bool) -> Self {
        Self {
            ledger: BTreeMap::new(),
            by_task_id: HashMap::new(),
            order: Vec::new(),
            mood: Mood::Well,
            page_size,
            per_minute,
            tells_limits,
            window: VecDeque::new(),
            refused: Vec::new(),
        }
    }

    /// Counts a request. `Err` when it is one too many.
    pub fn admit(&mut self, now: Wall) -> Result<(), Problem> {
        while self.window.front().is_some_and(|at| now.0 - at >= 60_000) {
            self.window.pop_front();
        }
        if self.window.len() >= self.per_minute {
            self.refused.push(now.0);
            let wait = 60_000 - (now.0 - self.window.front().copied().unwrap_or(now.0));
            return Err(Problem::Limit { retry_after: u32::try_from(wait / 1000 + 1).ok() });
        }
        self.window.push_back(now.0);
        Ok(())
    }

    pub fn limits(&self) -> Option<Limits> {
        let left = self.per_minute.saturating_sub(self.window.len());
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        self.tells_limits.then(|| Limits { limit: number(self.per_minute), remaining: number(left), reset: None })
    }

    /// A creation arrived whole. `make` says what the new task will be like.
    pub fn post(
        &mut self,
        key: LocalId,
        body: &str,
        now: Wall,
        make: impl FnOnce(TaskId) -> Entry,
    ) -> Result<Accepted, Problem> {
        if let Some(entry) = self.ledger.get(&key) {
            return if entry.body == body {
                Ok(Accepted { task_id: entry.task_id.clone(), replay: true })
            } else {
                Err(Problem::Mismatch { message: "other bytes".into() })
            };
        }
        if body.contains("forbidden fruit") {
            return Err(Problem::Rejected { status: 400, code: None, message: "prompt".into() });
        }
        let task_id: TaskId = format!("tk-{:05}", self.order.len()).parse().expect("an id");
        let entry = Entry { body: body.to_owned(), task_id: task_id.clone(), created: now, ..make(task_id.clone()) };
        self.ledger.insert(key, entry);
        self.by_task_id.insert(task_id.clone(), key);
        self.order.push(Some(key));
        Ok(Accepted { task_id, replay: false })
    }

    /// Another program of the account creates a task: every page shifts.
    pub fn foreign(&mut self) {
        self.order.push(None);
    }

    pub fn task(&self, id: &TaskId, now: Wall) -> Result<Report, Problem> {
        let entry = self.by_task_id.get(id).and_then(|key| self.ledger.get(key));
        entry.map(|e| e.report(now, Source::Task)).ok_or(Problem::NotFound { message: "unknown".into() })
    }

    pub fn page(&self, page: u32, now: Wall) -> Page {
        let skip = (page.max(1) as usize - 1) * self.page_size as usize;
        let rows = self.order.iter().enumerate().rev().skip(skip).take(self.page_size as usize);
        let report = |(place, row): (usize, &Option<LocalId>)| match row {
            Some(key) => self.ledger[key].report(now, Source::Page),
            None => Report {
                task_id: format!("xx-{place:05}").parse().expect("an id"),
                model: "other".into(),
                status: Status::Success,
                outputs: Vec::new(),
                created: None,
                completed: None,
                source: Source::Page,
            },
        };
        let reports = rows.map(report).collect();
        Page { page, size: self.page_size, total: self.order.len() as u64, reports }
    }

    /// A link was refused for no good reason: the next look brings another.
    pub fn renew_link(&mut self, key: LocalId) {
        if let Some(entry) = self.ledger.get_mut(&key) {
            entry.links += 1;
        }
    }

    /// What was paid for, by key.
    pub fn paid(&self) -> BTreeSet<LocalId> {
        self.ledger.keys().copied().collect()
    }
}

/// An answer with the headers of the moment.
pub fn answer<T>(result: Result<T, Problem>, limits: Option<Limits>) -> Answer<T> {
    Answer { result, limits, date: None }
}
