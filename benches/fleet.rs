//! What watching costs and how soon ends are known, in virtual time and therefore exact; beside it a model of the
//! usual way, one look per task every three seconds. And, by the real clock, what one message costs.
//!
//! `cargo bench --bench fleet`

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Map;

use plantain::config::Allowance;
use plantain::domain::{
    Accepted, Answer, Change, Home, Limits, LocalId, Output, OutputState, Page, Problem, Report, Request, Source,
    Status, Task, TaskId,
};
use plantain::fleet::durations::{Class, Kind};
use plantain::fleet::{Fleet, FleetMsg, News, Order, Question};
use plantain::time::{Chance, Mono, Now, Wall};

const START: i64 = 1_750_000_000_000;
const MINUTE: i64 = 60_000;

struct Case {
    name: &'static str,
    per_minute: u32,
    /// Created by us now.
    create: usize,
    /// Created already.
    running: usize,
    class: Class,
    median_s: f64,
    sigma: f64,
}

#[derive(Default)]
struct Figures {
    delays: Vec<f64>,
    creations: usize,
    looks: usize,
    most_looks_in_a_minute: usize,
    refused: usize,
    last_home_s: f64,
    tasks: usize,
}

impl Figures {
    fn quantile(&mut self, p: f64) -> f64 {
        self.delays.sort_by(f64::total_cmp);
        let last = self.delays.len().saturating_sub(1);
        self.delays.get((p * last as f64).round() as usize).copied().unwrap_or(f64::NAN)
    }
}

struct Entry {
    key: LocalId,
    created: i64,
    ends: i64,
}

/// The service: an exact window, and a list.
struct Service {
    per_minute: usize,
    window: VecDeque<i64>,
    entries: Vec<Entry>,
    by_key: HashMap<LocalId, usize>,
}

impl Service {
    fn admit(&mut self, now: i64) -> Result<(), u32> {
        while self.window.front().is_some_and(|at| now - at >= MINUTE) {
            self.window.pop_front();
        }
        match self.window.front() {
            Some(first) if self.window.len() >= self.per_minute => Err(((MINUTE - (now - first)) / 1000 + 1) as u32),
            _ => {
                self.window.push_back(now);
                Ok(())
            }
        }
    }

    fn create(&mut self, key: LocalId, now: i64, takes: i64) -> TaskId {
        let index = self.entries.len();
        self.by_key.insert(key, index);
        self.entries.push(Entry { key, created: now, ends: now + takes });
        name(index)
    }

    fn report(&self, index: usize, now: i64, source: Source) -> Report {
        let entry = &self.entries[index];
        let over = now >= entry.ends;
        let output = Output {
            url: format!("https://files.example/{index}.png"),
            role: "image".into(),
            expires: Some(Wall(entry.ends + 7 * 86_400_000)),
            state: OutputState::Away,
        };
        Report {
            task_id: name(index),
            model: "m".into(),
            status: if over { Status::Success } else { Status::Handling },
            outputs: if over { vec![output] } else { Vec::new() },
            // The service tells whole seconds.
            created: Some(Wall(entry.created / 1000 * 1000)),
            completed: over.then_some(Wall(entry.ends / 1000 * 1000)),
            source,
        }
    }

    fn page(&self, page: u32, now: i64) -> Page {
        let rows = (0..self.entries.len()).rev().skip((page as usize - 1) * 100).take(100);
        let reports = rows.map(|index| self.report(index, now, Source::Page)).collect();
        Page { page, size: 100, total: self.entries.len() as u64, reports }
    }
}

fn name(index: usize) -> TaskId {
    format!("tk-{index:06}").parse().expect("an id")
}

fn index(id: &TaskId) -> usize {
    id.as_str()[3..].parse().expect("ours")
}

fn request() -> Arc<Request> {
    Arc::new(Request::new("m", None, Map::new(), String::new(), String::new(), None))
}

fn normal(dice: &mut Chance) -> f64 {
    let (a, b) = (dice.unit().max(1e-12), dice.unit());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

enum Event {
    Wake(u64),
    Hear(Box<FleetMsg>),
    Post(LocalId),
    Get(Question),
}

struct Sim<'a> {
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

impl<'a> Sim<'a> {
    fn new(case: &'a Case) -> Self {
        let allowance = Allowance { per_minute: case.per_minute, ..Allowance::default() };
        let mut fleet = Fleet::new(allowance, 7);
        fleet.know([("m".to_owned(), Kind { class: case.class, deciding: Vec::new() })]);
        Self {
            case,
            dice: Chance::new(11),
            now: START,
            heap: BinaryHeap::new(),
            events: HashMap::new(),
            seq: 0,
            alarm: 0,
            fleet,
            service: Service {
                per_minute: case.per_minute as usize,
                window: VecDeque::new(),
                entries: Vec::new(),
                by_key: HashMap::new(),
            },
            figures: Figures::default(),
            looked: VecDeque::new(),
            known: 0,
            wanted: case.create + case.running,
        }
    }

    fn takes(&mut self) -> i64 {
        (self.case.median_s * 1000.0 * (self.case.sigma * normal(&mut self.dice)).exp()) as i64
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

    fn run(mut self) -> Figures {
        let mut tasks = Vec::new();
        for n in 0..self.case.running {
            let (key, takes) = (LocalId::from_random(self.dice.bits()), self.takes());
            // One after the other, a hundredth of a second apart.
            let at = self.now - 10 * (self.case.running - n) as i64;
            let task_id = self.service.create(key, at, takes);
            let mut task = Task::new(key, request(), Wall(at));
            task.task_id = Some(task_id);
            task.set(Status::Queued, Wall(at));
            tasks.push(task);
        }
        self.tell(FleetMsg::Restored(tasks));
        for _ in 0..self.case.create {
            let key = LocalId::from_random(self.dice.bits());
            self.tell(FleetMsg::Add(Box::new(Task::new(key, request(), Wall(self.now)))));
        }
        while let Some(Reverse((at, seq))) = self.heap.pop() {
            self.now = self.now.max(at);
            match self.events.remove(&seq).expect("booked") {
                Event::Wake(alarm) if alarm == self.alarm => self.tell(FleetMsg::Woke),
                Event::Wake(_) => {}
                Event::Hear(msg) => self.tell(*msg),
                Event::Post(id) => {
                    let result =
                        self.service.admit(self.now).map_err(|secs| Problem::Limit { retry_after: Some(secs) });
                    self.figures.refused += usize::from(result.is_err());
                    let takes = self.takes();
                    let now = self.now;
                    let result =
                        result.map(|()| Accepted { task_id: self.service.create(id, now, takes), replay: false });
                    let (span, limits) = (self.way(), self.limits());
                    let answer = Answer { result, limits, date: None };
                    self.later(span, Event::Hear(Box::new(FleetMsg::Submitted { id, answer })));
                }
                Event::Get(question) => {
                    let admitted =
                        self.service.admit(self.now).map_err(|secs| Problem::Limit { retry_after: Some(secs) });
                    self.figures.refused += usize::from(admitted.is_err());
                    let result = admitted.map(|()| match &question {
                        Question::Task(_, id) => News::Task(self.service.report(index(id), self.now, Source::Task)),
                        Question::Page(page, _) => News::Page(self.service.page(*page, self.now)),
                    });
                    let (span, limits) = (self.way(), self.limits());
                    let answer = Answer { result, limits, date: None };
                    self.later(span, Event::Hear(Box::new(FleetMsg::Answered { question, answer })));
                }
            }
            if self.known >= self.wanted && self.fleet.is_idle() || self.now - START > 6 * 3_600_000 {
                break;
            }
        }
        self.figures.tasks = self.wanted;
        self.figures
    }

    fn limits(&self) -> Option<Limits> {
        let limit = self.case.per_minute;
        Some(Limits { limit, remaining: limit.saturating_sub(self.service.window.len() as u32), reset: None })
    }

    fn tell(&mut self, msg: FleetMsg) {
        let now = self.clock();
        let ended = |report: &Report| report.status.is_final().then(|| index(&report.task_id));
        let ended: Vec<usize> = match &msg {
            FleetMsg::Answered { answer: Answer { result: Ok(News::Task(report)), .. }, .. } => {
                ended(report).into_iter().collect()
            }
            FleetMsg::Answered { answer: Answer { result: Ok(News::Page(page)), .. }, .. } => {
                page.reports.iter().filter_map(ended).collect()
            }
            _ => Vec::new(),
        };
        for index in ended {
            let entry = &self.service.entries[index];
            if self.fleet.task(entry.key).is_some_and(|task| !task.status.is_final()) {
                self.figures.delays.push((self.now - entry.ends) as f64 / 1e3);
                self.known += 1;
            }
        }
        let home = matches!(msg, FleetMsg::Fetched { .. });
        let orders = self.fleet.handle(msg, now);
        if home {
            self.figures.last_home_s = (self.now - START) as f64 / 1e3;
        }
        for order in orders {
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
                    let most = &mut self.figures.most_looks_in_a_minute;
                    *most = (*most).max(self.looked.len());
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
        self.alarm += 1;
        if let Some(at) = self.fleet.next_due(now) {
            let (span, alarm) = (at.since(now.mono).as_millis() as i64, self.alarm);
            self.later(span, Event::Wake(alarm));
        }
    }
}

/// The usual way: each task is created and then looked at every three seconds, each for itself; a 429 is waited out
/// as the answer says, with the client's exponential pause on top when it comes again.
fn usual(case: &Case) -> Figures {
    let mut dice = Chance::new(11);
    let (mut window, mut figures) = (VecDeque::<i64>::new(), Figures::default());
    let takes = |dice: &mut Chance| (case.median_s * 1000.0 * (case.sigma * normal(dice)).exp()) as i64;
    // (moment, task, its end if it was created, refusals in a row)
    let mut heap = BinaryHeap::new();
    for task in 0..case.create {
        heap.push(Reverse((START, task, None::<i64>, 0u32)));
    }
    for task in 0..case.running {
        let end = START + takes(&mut dice);
        heap.push(Reverse((START + (dice.unit() * 3000.0) as i64, task, Some(end), 0)));
    }
    figures.tasks = case.create + case.running;
    while let Some(Reverse((at, task, end, refusals))) = heap.pop() {
        if at - START > 24 * 3_600_000 {
            break;
        }
        while window.front().is_some_and(|sent| at - sent >= MINUTE) {
            window.pop_front();
        }
        if window.len() >= case.per_minute as usize {
            figures.refused += 1;
            let asked = MINUTE - (at - window.front().copied().unwrap_or(at));
            let pause = (500.0 * f64::from(2u32.pow(refusals.min(4)))) * (0.75 + 0.5 * dice.unit());
            heap.push(Reverse((at + asked.max(pause as i64), task, end, refusals + 1)));
            continue;
        }
        window.push_back(at);
        match end {
            None => {
                figures.creations += 1;
                heap.push(Reverse((at + 3000, task, Some(at + 100 + takes(&mut dice)), 0)));
            }
            Some(end) => {
                figures.looks += 1;
                if at >= end {
                    figures.delays.push((at + 200 - end) as f64 / 1e3);
                    figures.last_home_s = (at + 1200 - START) as f64 / 1e3;
                } else {
                    heap.push(Reverse((at + 3000, task, Some(end), 0)));
                }
            }
        }
    }
    figures
}

fn row(name: &str, figures: &mut Figures) {
    let looks = figures.looks as f64 / figures.tasks as f64;
    let requests = (figures.looks + figures.creations) as f64 / figures.tasks as f64;
    let (median, late) = (figures.quantile(0.5), figures.quantile(0.95));
    println!(
        "| {name} | {} of {} | {:.0} | {requests:.2} | {looks:.2} | {} | {median:.2} | {late:.2} | {} |",
        figures.delays.len(),
        figures.tasks,
        figures.last_home_s,
        figures.most_looks_in_a_minute,
        figures.refused,
    );
}

const CASES: [Case; 3] = [
    Case {
        name: "500 pictures at once, 60 a minute",
        per_minute: 60,
        create: 500,
        running: 0,
        class: Class::Picture,
        median_s: 12.0,
        sigma: 0.5,
    },
    Case {
        name: "2,000 created already, 600 a minute",
        per_minute: 600,
        create: 0,
        running: 2000,
        class: Class::Video,
        median_s: 180.0,
        sigma: 0.5,
    },
    Case {
        name: "20 in flight",
        per_minute: 60,
        create: 0,
        running: 20,
        class: Class::Picture,
        median_s: 12.0,
        sigma: 0.5,
    },
];

/// What one message costs with so many tasks in flight, in microseconds: answers about single tasks, writes that
/// were done, wakes, in turn.
fn cost(tasks: usize) -> f64 {
    let mut dice = Chance::new(3);
    let mut fleet = Fleet::new(Allowance { per_minute: 600, ..Allowance::default() }, 1);
    let now = Now { wall: Wall(START), mono: Mono(1000) };
    let mut ids = Vec::new();
    let restored = (0..tasks).map(|n| {
        let key = LocalId::from_random(dice.bits());
        let mut task = Task::new(key, request(), Wall(START - 1000));
        task.task_id = Some(name(n));
        task.set(Status::Queued, Wall(START - 1000));
        ids.push(key);
        task
    });
    let restored: Vec<Task> = restored.collect();
    let _ = fleet.handle(FleetMsg::Restored(restored), now);
    let rounds = 3_000;
    let mut msgs = Vec::new();
    for round in 0..rounds {
        let n = (dice.unit() * tasks as f64) as usize;
        let mono = Mono(1000 + round as u64 * 7);
        let now = Now { wall: Wall(START + round * 7), mono };
        let status = if round % 4 == 0 { Status::Archiving } else { Status::Handling };
        let report = Report {
            task_id: name(n),
            model: "m".into(),
            status: status.clone(),
            outputs: Vec::new(),
            created: None,
            completed: None,
            source: Source::Task,
        };
        let question = Question::Task(ids[n], name(n));
        msgs.push((FleetMsg::Answered { question, answer: Answer::bare(Ok(News::Task(report))) }, now));
        msgs.push((FleetMsg::Stored { id: ids[n], stage: status.stage(), result: Ok(()) }, now));
        msgs.push((FleetMsg::Woke, now));
    }
    let count = msgs.len();
    let mut best = Duration::MAX;
    // The same again on copies; the quickest run is the one least disturbed.
    for _ in 0..5 {
        let (mut fleet, msgs) = (fleet.clone(), msgs.clone());
        let begun = Instant::now();
        for (msg, now) in msgs {
            std::hint::black_box(fleet.handle(msg, now));
            std::hint::black_box(fleet.next_due(now));
        }
        best = best.min(begun.elapsed());
    }
    best.as_secs_f64() * 1e6 / count as f64
}

/// Runs the cases, prints them if wanted, and holds the figures against what is promised.
pub fn measure(print: bool) {
    let mut all: Vec<Figures> = CASES.iter().map(|case| Sim::new(case).run()).collect();
    if print {
        println!(
            "| case | ends known | last home s | requests per task | looks per task | most looks in a minute | delay median s | 95 % s | 429 |"
        );
        println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        for (case, figures) in CASES.iter().zip(&mut all) {
            row(case.name, figures);
            row("  the usual way", &mut usual(case));
        }
        println!();
    }
    for (case, figures) in CASES.iter().zip(&all) {
        assert_eq!(figures.delays.len(), figures.tasks, "{}: every end is known", case.name);
        assert_eq!(figures.refused, 0, "{}: no 429", case.name);
    }
    let [batch, many, few] = all.as_mut_slice() else { return };
    // 500 creations in windows of 60 are eight full minutes and a rest: the last leaves after 480 s.
    assert!(batch.last_home_s <= 1.2 * 480.0, "the last picture is home after {} s", batch.last_home_s);
    let requests = (batch.looks + batch.creations) as f64 / batch.tasks as f64;
    assert!(requests <= 1.15, "{requests} requests a task");
    // 95 % within 5 s is what is wanted; see docs/benchmarks.md for what stands against it.
    assert!(many.quantile(0.5) <= 2.0 && many.quantile(0.95) <= 6.5, "{:?}", (many.quantile(0.5), many.quantile(0.95)));
    assert!(many.looks <= 2 * many.tasks, "{} looks", many.looks);
    assert!(few.quantile(0.5) <= 1.5, "{} s", few.quantile(0.5));
    assert!(few.most_looks_in_a_minute <= 20, "{} looks in a minute", few.most_looks_in_a_minute);
}

/// What one message costs, by the real clock.
fn costs() {
    println!("| tasks in flight | \u{b5}s a message | times |");
    println!("| --- | --- | --- |");
    let mut before = None;
    for tasks in [1_000, 10_000, 100_000] {
        let now = cost(tasks);
        println!("| {tasks} | {now:.2} | {} |", before.map_or_else(String::new, |b: f64| format!("{:.2}", now / b)));
        before = Some(now);
    }
}

fn main() {
    costs();
    println!();
    measure(true);
}
