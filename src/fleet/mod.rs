//! The fleet: the one brain behind the screen, the commands and watching in the background.
//!
//! It decides what is sent, when who is asked, and what is fetched. It does none of it itself: messages come in,
//! orders go out, time and chance are given.
//!
//! The order of a submission is the promise of the program: the request is durable (`Save`) before it waits, the
//! fact that it may leave is durable before the first byte goes out (`Save`, then `Submit`), the service's id is
//! durable before anything is done with it.

mod again;
pub mod backoff;
pub mod budget;
pub mod callbacks;
pub mod fetch;
mod msg;
pub mod queue;
pub mod recover;
pub mod watch;
mod windows;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::config::{Allowance, KEY_LIFETIME};
use crate::domain::{
    Accepted, Answer, AssetId, Change, Home, LocalId, Outcome, OutputState, Problem, Report, Source, Stage, Status,
    Task, TaskId,
};
use crate::time::{Chance, Mono, Now, Wall};

pub use budget::Budget;
pub use msg::{FleetMsg, News, Order, Question};
pub use windows::granted;

use budget::Kind;
use callbacks::Callbacks;
use fetch::{Fetches, Next};
use queue::Queue;
use watch::{Plan, Watch};

/// A store that refused is asked again this much later.
const STORE_WAIT: Duration = Duration::from_secs(2);

/// All tasks that are loaded, and everything that is known about asking for them.
#[derive(Clone, Debug)]
pub struct Fleet {
    tasks: BTreeMap<LocalId, Arc<Task>>,
    by_task_id: HashMap<TaskId, LocalId>,
    /// Tasks at the service by when they were accepted: their order tells on which page of the list they are.
    accepted: BTreeSet<(Wall, LocalId)>,
    allowance: Allowance,
    budget: Budget,
    queue: Queue,
    watch: Watch,
    fetches: Fetches,
    /// Durable stages that could not be written, and when to try again.
    unwritten: BTreeMap<LocalId, Mono>,
    /// Tasks whose very first writing has not succeeded: they exist in memory only.
    unborn: BTreeSet<LocalId>,
    /// In a window that only watches: what its user wants sent, and the window that sends has not settled.
    wished: BTreeSet<LocalId>,
    /// Consecutive failures to reach the service, and since when.
    silence: Option<Silence>,
    callbacks: Callbacks,
    chance: Chance,
}

/// The service does not answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    /// Since when.
    pub since: Now,
    /// Failures in a row.
    pub failures: u32,
    /// The latest one.
    pub problem: Problem,
}

impl Fleet {
    /// An empty fleet. `seed` feeds its jitter.
    #[must_use]
    pub fn new(allowance: Allowance, seed: u128) -> Self {
        Self {
            tasks: BTreeMap::new(),
            by_task_id: HashMap::new(),
            accepted: BTreeSet::new(),
            allowance,
            budget: Budget::new(allowance),
            queue: Queue::default(),
            watch: Watch::default(),
            fetches: Fetches::default(),
            unwritten: BTreeMap::new(),
            unborn: BTreeSet::new(),
            wished: BTreeSet::new(),
            silence: None,
            callbacks: Callbacks::default(),
            chance: Chance::new(seed),
        }
    }

    /// Takes in a message and says what to do now.
    pub fn handle(&mut self, msg: FleetMsg, now: Now) -> Vec<Order> {
        let mut orders = Vec::new();
        match msg {
            FleetMsg::Restored(tasks) => tasks.into_iter().for_each(|task| self.restore(task, now, &mut orders)),
            FleetMsg::Add(task) => self.add(*task, &mut orders),
            FleetMsg::Stored { id, stage, result } => self.stored(id, stage, result, now, &mut orders),
            FleetMsg::Submitted { id, answer } => self.submitted(id, answer, now, &mut orders),
            FleetMsg::Answered { question, answer } => self.answered(&question, answer, now, &mut orders),
            FleetMsg::Fetched { asset, result } => self.fetched(asset, result, now, &mut orders),
            FleetMsg::Send(ids) => ids.into_iter().for_each(|id| self.send(id, now, &mut orders)),
            FleetMsg::Resume => self.resume(now, &mut orders),
            FleetMsg::Report(report) => self.called(*report, now, &mut orders),
            FleetMsg::Look(id) => {
                if self.tasks.get(&id).is_some_and(|t| t.task_id.is_some() && !t.status.is_final()) {
                    self.watch.look_now(id, now.mono);
                }
            }
            FleetMsg::Block(problem) => self.queue.block(problem),
            FleetMsg::Again(assets) => self.again(&assets, now, &mut orders),
            FleetMsg::Forget(id) => self.forget(id, &mut orders),
            FleetMsg::Woke => {}
        }
        self.pump(now, &mut orders);
        orders
    }

    fn restore(&mut self, task: Task, now: Now, orders: &mut Vec<Order>) {
        if self.tasks.contains_key(&task.id) {
            return;
        }
        let task = recover::recover(task);
        if task.task_id.is_some() && task.status.is_running() {
            if task.request.has_callback() {
                self.watch.promise(task.id);
            }
            self.watch.start(task.id, Mono(0), now.mono, &mut self.chance);
        }
        self.want_outputs(&task, now);
        self.index(&task);
        let (id, task_id) = (task.id, task.task_id.clone());
        self.tasks.insert(id, Arc::new(task));
        self.overtaken(id, task_id.as_ref(), now, orders);
    }

    fn index(&mut self, task: &Task) {
        if let Some(task_id) = &task.task_id {
            self.by_task_id.insert(task_id.clone(), task.id);
            self.accepted.insert((task.accepted().unwrap_or(task.created), task.id));
        }
    }

    fn want_outputs(&mut self, task: &Task, now: Now) {
        for (asset, output) in task.assets() {
            if output.state == OutputState::Away {
                self.fetches.want(asset, output.expires, now.mono);
            }
        }
    }

    fn add(&mut self, task: Task, orders: &mut Vec<Order>) {
        self.unborn.insert(task.id);
        orders.push(Order::Save(Change::New(Box::new(task.clone()))));
        self.tasks.insert(task.id, Arc::new(task));
    }

    /// Sets a status of our own and asks for it to be made durable.
    fn set(&mut self, id: LocalId, status: Status, now: Now, orders: &mut Vec<Order>) {
        if let Some(task) = self.tasks.get_mut(&id) {
            Arc::make_mut(task).set(status, now.wall);
            self.save(id, orders);
        }
    }

    fn save(&mut self, id: LocalId, orders: &mut Vec<Order>) {
        if let Some(task) = self.tasks.get(&id) {
            let task = Box::new(Task::clone(task));
            let change = if self.unborn.contains(&id) { Change::New(task) } else { Change::Progress(task) };
            orders.push(Order::Save(change));
        }
    }

    fn stored(&mut self, id: LocalId, stage: Stage, result: Result<(), Problem>, now: Now, orders: &mut Vec<Order>) {
        let Some(task) = self.tasks.get(&id) else { return };
        let (current, request, accepted) = (task.status.stage(), Arc::clone(&task.request), task.task_id.is_some());
        match result {
            Ok(()) => {
                self.unborn.remove(&id);
                if current == stage {
                    self.unwritten.remove(&id);
                }
                match stage {
                    Stage::Saved if current == Stage::Saved => self.queue.push(id),
                    // Only now may the first byte leave.
                    Stage::Sending | Stage::Unsure if current == stage && self.queue.may_go(id) => {
                        orders.push(Order::Submit(id, request));
                    }
                    stage if stage.is_running() && accepted && !current.is_final() => {
                        if request.has_callback() {
                            self.watch.promise(id);
                        }
                        self.watch.start(id, now.mono, now.mono, &mut self.chance);
                    }
                    _ => {}
                }
            }
            // Nothing may be sent that is not on the disk. But what is out already was, with an earlier write of
            // the same stage: then this one is only written again.
            Err(problem)
                if matches!(stage, Stage::Saved | Stage::Sending) && stage == current && !self.queue.is_out(id) =>
            {
                if self.queue.is_under_way(id) {
                    self.budget.give_back();
                }
                self.queue.remove(id);
                if let Some(task) = self.tasks.get_mut(&id) {
                    Arc::make_mut(task).set(Status::Held(Some(problem)), now.wall);
                }
            }
            Err(_) => {
                if self.queue.is_under_way(id) && stage == current && !self.queue.is_out(id) {
                    self.budget.give_back();
                    self.queue.again(id, now.mono + STORE_WAIT);
                }
                self.unwritten.insert(id, now.mono + STORE_WAIT);
            }
        }
    }

    fn submitted(&mut self, id: LocalId, answer: Answer<Accepted>, now: Now, orders: &mut Vec<Order>) {
        self.budget.give_back();
        if let Some(limits) = answer.limits {
            self.budget.learn(limits, now);
        }
        self.note_contact(answer.result.as_ref().err(), now);
        match answer.result {
            Ok(accepted) => self.accept(id, accepted.task_id, now, orders),
            Err(Problem::Processing { task_id: Some(task_id), .. }) => self.accept(id, task_id, now, orders),
            Err(problem) => self.not_accepted(id, problem, now, orders),
        }
    }

    fn accept(&mut self, id: LocalId, task_id: TaskId, now: Now, orders: &mut Vec<Order>) {
        self.queue.done(id);
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let task = Arc::make_mut(task);
        task.task_id = Some(task_id.clone());
        task.set(Status::Queued, now.wall);
        let copy = task.clone();
        self.index(&copy);
        self.save(id, orders);
        self.overtaken(id, Some(&task_id), now, orders);
    }

    /// A callback came.
    fn called(&mut self, report: Report, now: Now, orders: &mut Vec<Order>) {
        self.callbacks.came(now.mono);
        self.watch.trust_callbacks(self.callbacks.arrive());
        match self.by_task_id.get(&report.task_id).copied() {
            Some(id) => {
                self.report(&report, now, orders);
                self.heard(id, now);
            }
            None => self.callbacks.keep(report),
        }
    }

    /// What a callback told of this task before we knew whose it was.
    fn overtaken(&mut self, id: LocalId, task_id: Option<&TaskId>, now: Now, orders: &mut Vec<Order>) {
        if let Some(report) = task_id.and_then(|task_id| self.callbacks.kept(task_id)) {
            self.report(&report, now, orders);
            self.heard(id, now);
        }
    }

    fn not_accepted(&mut self, id: LocalId, problem: Problem, now: Now, orders: &mut Vec<Order>) {
        let Some(task) = self.tasks.get(&id) else { return };
        let was_unsure = matches!(task.status, Status::Unsure(_));
        let key_lives = key_lives(task, now);
        let attempt = self.queue.attempt(id);
        let wait = backoff::delay(attempt, Some(&problem), &mut self.chance);
        if matches!(problem, Problem::Limit { .. } | Problem::Busy { .. }) {
            self.budget.hold(wait, now.mono);
        }
        match problem.outcome() {
            // Whatever a later attempt says, the first one may have been accepted.
            Outcome::NotCreated | Outcome::Unknown if was_unsure && key_lives => {
                self.queue.again(id, now.mono + wait);
                self.set(id, Status::Unsure(Some(problem)), now, orders);
            }
            _ if was_unsure => {
                self.queue.remove(id);
                if problem.outcome() == Outcome::Blocked {
                    self.queue.block(problem.clone());
                }
                self.set(id, Status::Unsure(Some(problem)), now, orders);
            }
            Outcome::NotCreated => {
                self.queue.again(id, now.mono + wait);
                self.set(id, Status::Saved, now, orders);
            }
            Outcome::Unknown => {
                self.queue.again(id, now.mono + wait);
                self.set(id, Status::Unsure(Some(problem)), now, orders);
            }
            Outcome::Refused => {
                self.queue.remove(id);
                self.set(id, Status::Refused(problem), now, orders);
            }
            Outcome::Blocked => {
                self.queue.remove(id);
                self.queue.block(problem.clone());
                self.set(id, Status::Held(Some(problem)), now, orders);
            }
            Outcome::Conflict => {
                self.queue.remove(id);
                self.set(id, Status::Unsure(Some(problem)), now, orders);
            }
        }
    }

    fn answered(&mut self, question: &Question, answer: Answer<News>, now: Now, orders: &mut Vec<Order>) {
        self.budget.give_back();
        if let Some(limits) = answer.limits {
            self.budget.learn(limits, now);
        }
        self.note_contact(answer.result.as_ref().err(), now);
        let asked: Vec<LocalId> = match question {
            Question::Task(id, _) => vec![*id],
            Question::Page(_, ids) => ids.to_vec(),
        };
        match answer.result {
            Ok(News::Task(report)) => {
                self.report(&report, now, orders);
                if let Question::Task(id, _) = question {
                    self.fetches.renewed(*id, now.mono);
                    self.heard(*id, now);
                }
            }
            Ok(News::Page(page)) => {
                let mut missing: BTreeSet<LocalId> = asked.into_iter().collect();
                for report in &page.reports {
                    if let Some(id) = self.by_task_id.get(&report.task_id).copied() {
                        missing.remove(&id);
                        self.report(report, now, orders);
                        self.heard(id, now);
                    }
                }
                missing.into_iter().for_each(|id| self.watch.missed(id, now.mono));
            }
            Err(problem) => self.not_answered(&asked, &problem, now),
        }
    }

    fn heard(&mut self, id: LocalId, now: Now) {
        if self.tasks.get(&id).is_none_or(|task| task.status.is_final()) {
            // A page may have left before a link was refused: only a look of its own brings a fresh one for sure.
            if !self.fetches.wants_link(id) {
                self.watch.stop(id);
            }
        } else {
            self.watch.heard(id, now.mono, &mut self.chance);
        }
    }

    fn not_answered(&mut self, asked: &[LocalId], problem: &Problem, now: Now) {
        let failures = self.silence.as_ref().map_or(1, |s| s.failures);
        let wait = backoff::delay(failures, Some(problem), &mut self.chance);
        match problem {
            Problem::Limit { .. } | Problem::Busy { .. } => self.budget.hold(wait, now.mono),
            Problem::Auth { .. } | Problem::NoKey { .. } => self.queue.block(problem.clone()),
            _ => {}
        }
        for id in asked {
            // What the service does not know now it may know later (a fresh id, another replica): ask slowly.
            let wait = if problem.is_passing() { wait } else { wait.max(Duration::from_secs(20)) };
            self.watch.failed(*id, now.mono, wait);
        }
    }

    /// Keeps count of how long the service has not answered at all.
    fn note_contact(&mut self, problem: Option<&Problem>, now: Now) {
        match problem {
            Some(problem @ (Problem::Network { .. } | Problem::Odd { .. } | Problem::Server { .. })) => {
                let silence = self.silence.get_or_insert(Silence { since: now, failures: 0, problem: problem.clone() });
                silence.failures += 1;
                silence.problem = problem.clone();
            }
            _ => self.silence = None,
        }
    }

    /// One observation, by whatever door it came.
    fn report(&mut self, report: &Report, now: Now, orders: &mut Vec<Order>) {
        let Some(id) = self.by_task_id.get(&report.task_id).copied() else { return };
        let Some(task) = self.tasks.get_mut(&id) else { return };
        // Most looks bring nothing new: do not copy the task for those.
        let mut seen = Task::clone(task);
        let ran = !seen.status.is_final();
        if seen.observe(report, now.wall) {
            *task = Arc::new(seen.clone());
            if ran && seen.status.is_final() && report.source != Source::Callback && seen.request.has_callback() {
                self.callbacks.missed();
                self.watch.trust_callbacks(self.callbacks.arrive());
            }
            self.want_outputs(&seen, now);
            self.save(id, orders);
        }
    }

    fn fetched(&mut self, asset: AssetId, result: Result<Home, Problem>, now: Now, orders: &mut Vec<Order>) {
        let state = match result {
            Ok(home) => {
                self.fetches.done(asset);
                OutputState::Home(home)
            }
            Err(problem) => {
                let next = self.fetches.failed(asset, &problem, now.mono, &mut self.chance);
                match next {
                    Next::Later => return,
                    Next::Renew => {
                        self.watch.look_now(asset.task, now.mono);
                        return;
                    }
                    Next::Lost => OutputState::Lost { why: lost_words(&problem) },
                }
            }
        };
        let Some(task) = self.tasks.get_mut(&asset.task) else { return };
        if let Some(output) = Arc::make_mut(task).outputs.get_mut(usize::from(asset.index)) {
            output.state = state;
            self.save(asset.task, orders);
        }
    }

    fn send(&mut self, id: LocalId, now: Now, orders: &mut Vec<Order>) {
        let Some(task) = self.tasks.get(&id) else { return };
        if self.queue.holds(id) {
            return;
        }
        match &task.status {
            Status::Held(_) => self.set(id, Status::Saved, now, orders),
            Status::Unsure(Some(Problem::Mismatch { .. })) => {}
            Status::Unsure(_) if key_lives(task, now) => self.queue.push(id),
            _ => {}
        }
    }

    fn resume(&mut self, now: Now, orders: &mut Vec<Order>) {
        self.queue.unblock();
        self.budget.release();
        let held: Vec<LocalId> = self
            .tasks
            .values()
            .filter(|t| matches!(&t.status, Status::Held(Some(p)) if p.outcome() == Outcome::Blocked))
            .map(|t| t.id)
            .collect();
        held.into_iter().for_each(|id| self.send(id, now, orders));
    }

    fn forget(&mut self, id: LocalId, orders: &mut Vec<Order>) {
        let never_sent = |task: &Arc<Task>| matches!(task.status, Status::Held(_) | Status::Saved);
        if self.tasks.get(&id).is_some_and(never_sent) && !self.queue.is_under_way(id) {
            self.queue.remove(id);
            self.tasks.remove(&id);
            self.unborn.remove(&id);
            self.unwritten.remove(&id);
            orders.push(Order::Save(Change::Forget(id)));
        }
    }

    /// Gives out what may go out now.
    fn pump(&mut self, now: Now, orders: &mut Vec<Order>) {
        let late: Vec<LocalId> = self.unwritten.iter().filter(|(_, at)| **at <= now.mono).map(|(id, _)| *id).collect();
        for id in late {
            self.unwritten.remove(&id);
            self.save(id, orders);
        }
        self.pump_looks(now, orders);
        self.pump_queue(now, orders);
        while let Some(asset) = self.fetches.next(self.allowance.downloads, now.mono) {
            let output = self.tasks.get(&asset.task).and_then(|t| t.outputs.get(usize::from(asset.index)));
            match output {
                Some(output) => orders.push(Order::Fetch { asset, url: output.url.clone() }),
                None => self.fetches.done(asset),
            }
        }
    }

    fn pump_looks(&mut self, now: Now, orders: &mut Vec<Order>) {
        if self.queue.blocked().is_some_and(Problem::needs_key) {
            return;
        }
        while self.watch.due().is_some_and(|due| due <= now.mono) {
            let newest_first: Vec<LocalId> = self.accepted.iter().rev().map(|(_, id)| *id).collect();
            let Some(plan) = self.watch.plan(now.mono, &newest_first) else { return };
            let question = match &plan {
                Plan::One(id) => match self.tasks.get(id).and_then(|t| t.task_id.clone()) {
                    Some(task_id) => Question::Task(*id, task_id),
                    None => {
                        self.watch.stop(*id);
                        continue;
                    }
                },
                Plan::Page(page, ids) => Question::Page(*page, Arc::new(ids.clone())),
            };
            if !self.budget.take(Kind::Look, now.mono) {
                return;
            }
            // Looks take at most half of the allowance, evenly spread.
            let gap = Duration::from_secs(120) / self.budget.per_minute();
            self.watch.asked(&plan, now.mono, gap);
            orders.push(Order::Ask(question));
        }
    }

    fn pump_queue(&mut self, now: Now, orders: &mut Vec<Order>) {
        while let Some(id) = self.queue.next(self.allowance.creations, now.mono) {
            // An attempt may have waited for long: behind a closed lid, in a blocked queue.
            let sendable = |t: &Arc<Task>| match t.status {
                Status::Saved => true,
                Status::Unsure(_) => key_lives(t, now),
                _ => false,
            };
            if !self.tasks.get(&id).is_some_and(sendable) {
                self.queue.done(id);
                continue;
            }
            if !self.budget.take(Kind::Create, now.mono) {
                self.queue.put_back(id);
                return;
            }
            match self.tasks.get(&id).map(|t| t.status.clone()) {
                // Already durable as unsure; writing it again keeps one path for both.
                Some(Status::Unsure(problem)) => self.set(id, Status::Unsure(problem), now, orders),
                _ => self.set(id, Status::Sending, now, orders),
            }
        }
    }

    /// When [`FleetMsg::Woke`] should come, if nothing else happens before.
    #[must_use]
    pub fn next_due(&self, now: Now) -> Option<Mono> {
        let looks_blocked = self.queue.blocked().is_some_and(Problem::needs_key);
        let look = self.watch.due().filter(|_| !looks_blocked);
        let look = look.and_then(|due| Some(due.max(self.budget.free_at(Kind::Look, now.mono.max(due))?)));
        let send = self.queue.due(self.allowance.creations, now.mono);
        let send = send.and_then(|due| Some(due.max(self.budget.free_at(Kind::Create, now.mono.max(due))?)));
        let fetch = self.fetches.due(self.allowance.downloads);
        let write = self.unwritten.values().min().copied();
        [look, send, fetch, write].into_iter().flatten().min()
    }

    /// Callbacks are, or are not, received here: while they arrive, tasks that have one are looked at slowly.
    pub fn set_callbacks(&mut self, on: bool, now: Now) {
        self.callbacks.set(on, now.mono);
        self.watch.trust_callbacks(self.callbacks.arrive());
    }

    /// Callbacks should come and do not: tasks ended without them for minutes.
    #[must_use]
    pub fn callbacks_seem_dead(&self, now: Now) -> bool {
        self.callbacks.seem_dead(now.mono)
    }

    /// Our name for a task of the service, if it is one of ours and loaded.
    #[must_use]
    pub fn local_id(&self, task_id: &TaskId) -> Option<LocalId> {
        self.by_task_id.get(task_id).copied()
    }

    /// A task.
    #[must_use]
    pub fn task(&self, id: LocalId) -> Option<&Arc<Task>> {
        self.tasks.get(&id)
    }

    /// All tasks that are loaded, in no useful order.
    pub fn tasks(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.tasks.values()
    }

    /// The allowance, for showing.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Why nothing is sent, if so.
    #[must_use]
    pub fn blocked(&self) -> Option<&Problem> {
        self.queue.blocked()
    }

    /// Since when the service does not answer, if so.
    #[must_use]
    pub fn silence(&self) -> Option<&Silence> {
        self.silence.as_ref().filter(|silence| silence.failures >= 2)
    }

    /// It is being brought home right now.
    #[must_use]
    pub fn is_fetching(&self, asset: AssetId) -> bool {
        self.fetches.is_open(asset)
    }

    /// It will be sent, or is being sent, without a further word of the user.
    #[must_use]
    pub fn will_send(&self, id: LocalId) -> bool {
        self.queue.holds(id) || self.wished.contains(&id)
    }

    /// Nothing is under way that would go on by itself: no sending, no watching, no fetching.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        let stuck = self.queue.blocked().is_some();
        (self.queue.is_idle() || stuck)
            && (self.watch.is_empty() || self.queue.blocked().is_some_and(Problem::needs_key))
            && self.fetches.is_idle()
            && self.unwritten.is_empty()
            && self.unborn.is_empty()
    }
}

/// The service still knows the key of this task, so sending the same bytes with it cannot make a second task.
fn key_lives(task: &Task, now: Now) -> bool {
    let first_sent = task.times.at(Stage::Sending).unwrap_or(task.created);
    now.wall.since(first_sent) < KEY_LIFETIME
}

fn lost_words(problem: &Problem) -> String {
    match problem {
        Problem::Forbidden { .. } | Problem::NotFound { .. } | Problem::Rejected { .. } => {
            "the link has expired; the service keeps outputs for about seven days".to_owned()
        }
        other => other.sentence(),
    }
}
