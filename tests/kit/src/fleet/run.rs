//! One case, played through in virtual time with the real fleet.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use serde_json::Map;

use plantain::config::Allowance;
use plantain::domain::{Accepted, Answer, Change, Home, LocalId, Problem, Report, Request, Source, Status, Task};
use plantain::fleet::durations::{Class, Kind};
use plantain::fleet::{Fleet, FleetMsg, News, Order, Question};
use plantain::time::{Chance, Mono, Now, Wall};

use super::service::{MINUTE, Service, index};

/// When a case begins, in milliseconds since 1970.
pub const START: i64 = 1_750_000_000_000;

/// What is played through.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its heading.
    pub name: &'static str,
    /// What we believe is allowed.
    pub believed: u32,
    /// What is.
    pub allowed: u32,
    /// Tasks that we create.
    pub create: usize,
    /// The time between two of them, in milliseconds.
    pub every_ms: i64,
    /// Tasks that were created already.
    pub running: usize,
    /// The time between two of them, in milliseconds.
    pub apart_ms: i64,
    /// What they make.
    pub class: Class,
    /// How long half of them take at the most, in seconds.
    pub median_s: f64,
    /// How far the times scatter: the deviation of their logarithms.
    pub sigma: f64,
    /// Callbacks tell the ends, but for this share of them.
    pub lost: Option<f64>,
}

/// Pictures, all of them created now, under the documented allowance.
pub const PICTURES: Case = Case {
    name: "",
    believed: 60,
    allowed: 60,
    create: 0,
    every_ms: 0,
    running: 0,
    apart_ms: 10,
    class: Class::Picture,
    median_s: 12.0,
    sigma: 0.5,
    lost: None,
};

/// What came of it.
#[derive(Default)]
pub struct Figures {
    /// From the end of each task to our knowing, in seconds.
    pub delays: Vec<f64>,
    /// Creations asked for.
    pub creations: usize,
    /// Questions about tasks.
    pub looks: usize,
    /// The most of them in any minute.
    pub most_looks_in_a_minute: Option<usize>,
    /// Answers of 429.
    pub refused: usize,
    /// When the last output was here, in seconds from the start.
    pub last_home_s: f64,
    /// Tasks in all.
    pub tasks: usize,
}

impl Figures {
    /// The delay that this share of the tasks did not exceed, in seconds.
    pub fn quantile(&mut self, p: f64) -> f64 {
        self.delays.sort_by(f64::total_cmp);
        let last = self.delays.len().saturating_sub(1);
        self.delays.get((p * last as f64).round() as usize).copied().unwrap_or(f64::NAN)
    }

    /// Questions for each task.
    pub fn looks_per_task(&self) -> f64 {
        self.looks as f64 / self.tasks as f64
    }

    /// Requests for each task.
    pub fn requests_per_task(&self) -> f64 {
        (self.looks + self.creations) as f64 / self.tasks as f64
    }
}

/// A request without content, with the address of a callback or without.
pub fn request(callback: bool) -> Arc<Request> {
    let callback = callback.then_some("https://example.org/hooks/x");
    Arc::new(Request::new("m", None, Map::new(), String::new(), String::new(), callback))
}

fn normal(dice: &mut Chance) -> f64 {
    let (a, b) = (dice.unit().max(1e-12), dice.unit());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// How long one task takes, in milliseconds.
pub fn takes(case: &Case, dice: &mut Chance) -> i64 {
    (case.median_s * 1000.0 * (case.sigma * normal(dice)).exp()) as i64
}

enum Event {
    Wake(u64),
    Add,
    Hear(Box<FleetMsg>),
    /// A task ended, and its callback is on its way.
    Call(usize),
    Post(LocalId),
    Get(Question),
}

/// The fleet, the service, and what is on its way between them.
pub struct Run<'a> {
    case: &'a Case,
    dice: Chance,
    now: i64,
    heap: BinaryHeap<Reverse<(i64, u64)>>,
    events: HashMap<u64, Event>,
    seq: u64,
    alarm: u64,
    fleet: Fleet,
    service: Service,
    figures: Figures,
    looked: VecDeque<i64>,
    known: usize,
    wanted: usize,
}

impl<'a> Run<'a> {
    /// A fleet that has never heard of anything, and the dice of this seed.
    pub fn new(case: &'a Case, seed: u128) -> Self {
        let allowance = Allowance { per_minute: case.believed, ..Allowance::default() };
        let mut fleet = Fleet::new(allowance, 7);
        fleet.know([("m".to_owned(), Kind { class: case.class, deciding: Vec::new() })]);
        Self {
            case,
            dice: Chance::new(seed),
            now: START,
            heap: BinaryHeap::new(),
            events: HashMap::new(),
            seq: 0,
            alarm: 0,
            fleet,
            service: Service::new(case.allowed as usize),
            figures: Figures { tasks: case.create + case.running, ..Figures::default() },
            looked: VecDeque::new(),
            known: 0,
            wanted: case.create + case.running,
        }
    }

    fn clock(&self) -> Now {
        Now { wall: Wall(self.now), mono: Mono((self.now - START + 1000) as u64) }
    }

    fn later(&mut self, span: i64, event: Event) {
        self.seq += 1;
        self.heap.push(Reverse((self.now + span, self.seq)));
        self.events.insert(self.seq, event);
    }

    /// One way through the network.
    fn way(&mut self) -> i64 {
        50 + (self.dice.unit() * 150.0) as i64
    }

    /// The service has a new task from this moment on.
    fn create(&mut self, key: LocalId, at: i64) -> Accepted {
        let takes = takes(self.case, &mut self.dice);
        let task_id = self.service.create(key, at, takes);
        if let Some(lost) = self.case.lost
            && self.dice.unit() >= lost
        {
            let span = (at + takes - self.now).max(0) + self.way();
            self.later(span, Event::Call(index(&task_id)));
        }
        Accepted { task_id, replay: false }
    }

    fn begin(&mut self) {
        if self.case.lost.is_some() {
            let now = self.clock();
            self.fleet.set_callbacks(true, now);
        }
        let mut tasks = Vec::new();
        for n in 0..self.case.running {
            let key = LocalId::from_random(self.dice.bits());
            let at = self.now - self.case.apart_ms * (self.case.running - n) as i64;
            let accepted = self.create(key, at);
            let mut task = Task::new(key, request(self.case.lost.is_some()), Wall(at));
            task.task_id = Some(accepted.task_id);
            task.set(Status::Queued, Wall(at));
            tasks.push(task);
        }
        self.tell(FleetMsg::Restored(tasks));
        for n in 0..self.case.create {
            self.later(self.case.every_ms * n as i64, Event::Add);
        }
    }

    /// Plays until every end is known, or for a day.
    pub fn run(mut self) -> Figures {
        self.begin();
        while let Some(Reverse((at, seq))) = self.heap.pop() {
            self.now = self.now.max(at);
            match self.events.remove(&seq).expect("booked") {
                Event::Wake(alarm) if alarm == self.alarm => self.tell(FleetMsg::Woke),
                Event::Wake(_) => {}
                Event::Add => {
                    let key = LocalId::from_random(self.dice.bits());
                    let task = Task::new(key, request(self.case.lost.is_some()), Wall(self.now));
                    self.tell(FleetMsg::Add(Box::new(task)));
                }
                Event::Hear(msg) => self.tell(*msg),
                Event::Call(index) => {
                    let report = self.service.report(index, self.now, Source::Callback);
                    self.tell(FleetMsg::Report(Box::new(report)));
                }
                Event::Post(id) => {
                    let admitted = self.admit();
                    let result = admitted.map(|()| self.create(id, self.now));
                    let (span, limits) = (self.way(), self.service.limits());
                    let answer = Answer { result, limits, date: None };
                    self.later(span, Event::Hear(Box::new(FleetMsg::Submitted { id, answer })));
                }
                Event::Get(question) => {
                    let result = self.admit().map(|()| match &question {
                        Question::Task(_, id) => News::Task(self.service.report(index(id), self.now, Source::Task)),
                        Question::Page(page, _) => News::Page(self.service.page(*page, self.now)),
                    });
                    let (span, limits) = (self.way(), self.service.limits());
                    let answer = Answer { result, limits, date: None };
                    self.later(span, Event::Hear(Box::new(FleetMsg::Answered { question, answer })));
                }
            }
            if self.known >= self.wanted && self.fleet.is_idle() || self.now - START > 24 * 60 * MINUTE {
                break;
            }
        }
        self.figures
    }

    fn admit(&mut self) -> Result<(), Problem> {
        let admitted = self.service.admit(self.now);
        self.figures.refused += usize::from(admitted.is_err());
        admitted.map_err(|secs| Problem::Limit { retry_after: Some(secs) })
    }

    /// Counts the ends that this message is the first to tell.
    fn count(&mut self, msg: &FleetMsg) {
        let ended = |report: &Report| report.status.is_final().then(|| index(&report.task_id));
        let ended: Vec<usize> = match msg {
            FleetMsg::Answered { answer: Answer { result: Ok(News::Task(report)), .. }, .. } => {
                ended(report).into_iter().collect()
            }
            FleetMsg::Answered { answer: Answer { result: Ok(News::Page(page)), .. }, .. } => {
                page.reports.iter().filter_map(ended).collect()
            }
            FleetMsg::Report(report) => ended(report).into_iter().collect(),
            _ => Vec::new(),
        };
        for index in ended {
            let entry = &self.service.entries[index];
            if self.fleet.task(entry.key).is_some_and(|task| !task.status.is_final()) {
                self.figures.delays.push((self.now - entry.ends) as f64 / 1e3);
                self.known += 1;
            }
        }
    }

    fn tell(&mut self, msg: FleetMsg) {
        let now = self.clock();
        self.count(&msg);
        if matches!(msg, FleetMsg::Fetched { .. }) {
            self.figures.last_home_s = (self.now - START) as f64 / 1e3;
        }
        for order in self.fleet.handle(msg, now) {
            self.carry_out(order);
        }
        self.alarm += 1;
        if let Some(at) = self.fleet.next_due(now) {
            let (span, alarm) = (at.since(now.mono).as_millis() as i64, self.alarm);
            self.later(span, Event::Wake(alarm));
        }
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Save(Change::New(task) | Change::Progress(task)) => {
                let (id, stage) = (task.id, task.status.stage());
                self.later(3, Event::Hear(Box::new(FleetMsg::Stored { id, stage, result: Ok(()) })));
            }
            Order::Save(_) => {}
            Order::Submit(id, _) => {
                self.figures.creations += 1;
                let span = self.way();
                self.later(span, Event::Post(id));
            }
            Order::Ask(question) => {
                self.figures.looks += 1;
                self.looked.push_back(self.now);
                while self.looked.front().is_some_and(|at| self.now - at >= MINUTE) {
                    self.looked.pop_front();
                }
                let most = self.figures.most_looks_in_a_minute.max(Some(self.looked.len()));
                self.figures.most_looks_in_a_minute = most;
                let span = self.way();
                self.later(span, Event::Get(question));
            }
            Order::Browse(_) | Order::Sift(_) => unreachable!("nobody looks for the tasks of others"),
            Order::Fetch { asset, .. } => {
                let file = Home {
                    file: "/p.png".into(),
                    bytes: 1,
                    sha256: "0".repeat(64),
                    format: "png".into(),
                    width: None,
                    height: None,
                };
                self.later(1000, Event::Hear(Box::new(FleetMsg::Fetched { asset, result: Ok(file) })));
            }
        }
    }
}
