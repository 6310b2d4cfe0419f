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
mod batches;
pub mod budget;
pub mod callbacks;
mod curve;
pub mod durations;
mod expect;
pub mod fetch;
mod lessons;
mod looks;
mod missing;
mod msg;
mod outputs;
pub mod places;
pub mod plan;
pub mod purse;
pub mod queue;
pub mod recover;
mod settle;
mod sight;
mod skew;
pub mod strays;
mod submission;
mod tasks;
pub mod watch;
mod windows;
mod worth;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::config::Allowance;
use crate::domain::{Change, LocalId, Outcome, Problem, Stage, Status, Task, TaskId};
use crate::time::{Chance, Mono, Now};

pub use budget::Budget;
pub use expect::{Outlook, Wait};
pub use msg::{FleetMsg, News, Order, Question};
pub use purse::{Purse, Tallied, Tally};
pub use windows::granted;

use budget::Kind;
use callbacks::Callbacks;
use fetch::Fetches;
use lessons::Lessons;
use missing::Absences;
use queue::Queue;
use skew::Skew;
use strays::Strays;
use tasks::Tasks;
use watch::Watch;

/// A store that refused is asked again this much later.
const STORE_WAIT: Duration = Duration::from_secs(2);

/// All tasks that are loaded, and everything that is known about asking for them.
#[derive(Clone, Debug)]
pub struct Fleet {
    tasks: Tasks,
    by_task_id: HashMap<TaskId, LocalId>,
    allowance: Allowance,
    budget: Budget,
    queue: Queue,
    watch: Watch,
    fetches: Fetches,
    callbacks: Callbacks,
    skew: Skew,
    lessons: Lessons,
    purse: Purse,
    /// Durable stages that could not be written, and when to try again.
    unwritten: BTreeMap<LocalId, Mono>,
    /// Tasks whose very first writing has not succeeded: they exist in memory only.
    unborn: BTreeSet<LocalId>,
    /// Tasks that the service did not know when it was last asked.
    absences: Absences,
    /// Tasks of the account that other programs created.
    strays: Strays,
    /// Adopted, and not on the disk yet.
    adopting: BTreeSet<LocalId>,
    /// In a window that only watches: what its user wants sent, and the window that sends has not settled.
    wished: BTreeSet<LocalId>,
    /// There too: what is unsure and the window that sends settles by itself.
    retried: BTreeSet<LocalId>,
    /// Batches of which nothing is sent until the user says so.
    resting: BTreeSet<String>,
    /// Consecutive failures to reach the service, and since when.
    silence: Option<Silence>,
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
            tasks: Tasks::default(),
            by_task_id: HashMap::new(),
            allowance,
            budget: Budget::new(allowance),
            queue: Queue::default(),
            watch: Watch::default(),
            fetches: Fetches::default(),
            callbacks: Callbacks::default(),
            skew: Skew::default(),
            lessons: Lessons::default(),
            purse: Purse::default(),
            unwritten: BTreeMap::new(),
            unborn: BTreeSet::new(),
            absences: Absences::default(),
            strays: Strays::default(),
            adopting: BTreeSet::new(),
            wished: BTreeSet::new(),
            retried: BTreeSet::new(),
            resting: BTreeSet::new(),
            silence: None,
            chance: Chance::new(seed),
        }
    }

    /// Takes in a message and says what to do now.
    pub fn handle(&mut self, msg: FleetMsg, now: Now) -> Vec<Order> {
        let mut orders = Vec::new();
        match msg {
            FleetMsg::Restored(tasks) => self.restore(tasks, now, &mut orders),
            FleetMsg::Report(report) => self.called(*report, now, &mut orders),
            FleetMsg::Add(task) => self.add(*task, &mut orders),
            FleetMsg::Stored { id, stage, result } => self.stored(id, stage, result, now, &mut orders),
            FleetMsg::Submitted { id, answer } => self.submitted(id, answer, now, &mut orders),
            FleetMsg::Answered { question, answer } => self.answered(&question, answer, now, &mut orders),
            FleetMsg::Fetched { asset, result } => self.fetched(asset, result, now, &mut orders),
            FleetMsg::Send(ids) => ids.into_iter().for_each(|id| self.send(id, now, &mut orders)),
            FleetMsg::Resume => self.resume(now, &mut orders),
            FleetMsg::Look(id) => {
                if self.tasks.get(&id).is_some_and(|t| t.task_id.is_some() && !t.status.is_final()) {
                    self.watch.look_now(id, now.mono);
                }
            }
            FleetMsg::Block(problem) => self.queue.block(problem),
            FleetMsg::Again(assets) => self.again(&assets, now, &mut orders),
            FleetMsg::Forget(id) => self.forget(id, &mut orders),
            FleetMsg::Star(id, on) => {
                if self.star(id, on) {
                    orders.push(Order::Save(Change::Star(id, on)));
                }
            }
            FleetMsg::Learned(learned) => self.learned_before(learned),
            FleetMsg::Settle { id, how } => self.settle(id, how, now, &mut orders),
            FleetMsg::Browse(browse) => self.browse(browse),
            FleetMsg::BrowseFor(browse) => self.browse_for(browse),
            FleetMsg::Found(_) => {}
            FleetMsg::Browsed { browse, answer } => self.browsed(&browse, answer, now, &mut orders),
            FleetMsg::Sifted(known) => self.sifted(known, now, &mut orders),
            FleetMsg::Pause { batch, on } => self.pause(batch, on, now, &mut orders),
            FleetMsg::Resting(batches) => self.rest(batches, now, &mut orders),
            FleetMsg::DropUnsent(batch) => self.drop_unsent(&batch, &mut orders),
            FleetMsg::Adopt(id) => self.adopt(id, &mut orders),
            FleetMsg::Tallied { tally, serial, result } => self.tallied(&tally, serial, result, now),
            FleetMsg::Limited(limits) => self.limited(limits),
            FleetMsg::Woke => {}
        }
        self.pump(now, &mut orders);
        orders
    }

    fn restore(&mut self, tasks: Vec<Task>, now: Now, orders: &mut Vec<Order>) {
        let fresh = tasks.into_iter().filter(|task| self.is_news(task));
        let fresh: Vec<Task> = fresh.map(recover::recover).collect();
        let accepted = |task: &Task| (task.accepted().unwrap_or(task.created), task.id);
        self.watch.placed(fresh.iter().filter(|task| task.task_id.is_some()).map(accepted).collect());
        for task in fresh {
            if task.task_id.is_some() {
                self.queue.remove(task.id);
            }
            if let Some(task_id) = &task.task_id {
                self.by_task_id.insert(task_id.clone(), task.id);
                self.strays.own(task_id);
                let curve = self.watch.curve(&task.request);
                if task.status.is_running() {
                    if task.request.has_callback() {
                        self.watch.promise(task.id);
                    }
                    // What it was when it was last heard of is not known: it is due at once.
                    let age = now.wall.since(accepted(&task).0);
                    self.watch.start(task.id, curve, age, Duration::ZERO, now.mono);
                    self.watch.look_soon(task.id);
                } else if let Some(took) = task.took().filter(|_| task.status.is_final())
                    && !self.watch.durations().is_kept(curve)
                {
                    self.watch.durations_mut().get_mut(curve).ended(Duration::ZERO, took);
                }
            }
            self.want_outputs(&task, now);
            let (id, task_id) = (task.id, task.task_id.clone());
            self.tasks.insert(id, Arc::new(task));
            self.overtaken(id, task_id.as_ref(), now, orders);
        }
    }

    fn add(&mut self, mut task: Task, orders: &mut Vec<Order>) {
        self.price(&mut task);
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
                if stage.rank() >= Stage::Queued.rank() && self.adopting.remove(&id) {
                    return self.adopted(id, now);
                }
                if current == stage {
                    self.unwritten.remove(&id);
                }
                match stage {
                    Stage::Saved if current == Stage::Saved => {
                        self.queue.push(id);
                        if self.rests(id) {
                            self.queue.park(id);
                        }
                    }
                    // Only now may the first byte leave.
                    Stage::Sending | Stage::Unsure if current == stage && self.queue.may_go(id) => {
                        orders.push(Order::Submit(id, request));
                    }
                    stage if stage.is_running() && accepted && !current.is_final() => {
                        if request.has_callback() {
                            self.watch.promise(id);
                        }
                        let curve = self.watch.curve(&request);
                        let age = self.tasks.get(&id).and_then(|task| task.accepted());
                        let age = age.map_or(Duration::ZERO, |at| now.wall.since(at));
                        self.watch.start(id, curve, age, Duration::ZERO, now.mono);
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
                    self.budget.give_back_unsent(Kind::Create);
                }
                if stage == Stage::Sending {
                    self.not_reserved(id);
                }
                self.queue.remove(id);
                if let Some(task) = self.tasks.get_mut(&id) {
                    Arc::make_mut(task).set(Status::Held(Some(problem)), now.wall);
                }
            }
            Err(problem) => {
                if self.queue.is_under_way(id) && stage == current && !self.queue.is_out(id) {
                    self.budget.give_back_unsent(Kind::Create);
                    if problem.outcome() == Outcome::Refused {
                        // It was sent with another key. That does not pass by itself.
                        self.queue.remove(id);
                        if let Some(task) = self.tasks.get_mut(&id) {
                            Arc::make_mut(task).set(Status::Unsure(Some(problem)), now.wall);
                        }
                        return;
                    }
                    self.queue.again(id, now.mono + STORE_WAIT);
                }
                self.unwritten.insert(id, now.mono + STORE_WAIT);
            }
        }
    }

    /// Gives out what may go out now.
    fn pump(&mut self, now: Now, orders: &mut Vec<Order>) {
        let late: Vec<LocalId> = self.unwritten.iter().filter(|(_, at)| **at <= now.mono).map(|(id, _)| *id).collect();
        for id in late {
            self.unwritten.remove(&id);
            self.save(id, orders);
        }
        self.pump_browse(now, orders);
        self.pump_looks(now, orders);
        self.pump_purse(now, orders);
        self.pump_queue(now, orders);
        self.pump_fetches(now, orders);
        self.pump_lessons(now, orders);
    }

    /// When [`FleetMsg::Woke`] should come, if nothing else happens before.
    #[must_use]
    pub fn next_due(&self, now: Now) -> Option<Mono> {
        let looks_blocked = self.queue.blocked().is_some_and(Problem::needs_key);
        let look = self.watch.due().filter(|_| !looks_blocked);
        let look = look.and_then(|due| Some(due.max(self.budget.free_at(Kind::Look, now.mono.max(due))?)));
        let send = match self.purse.waits() {
            None => self.queue.due(self.allowance.creations, now.mono),
            Some(retry) => retry,
        };
        let send = send.and_then(|due| Some(due.max(self.budget.free_at(Kind::Create, now.mono.max(due))?)));
        let fetch = self.fetches.due(self.allowance.downloads);
        let write = self.unwritten.values().min().copied();
        let browse = self.browse_due(now).filter(|_| !looks_blocked);
        [look, send, fetch, write, browse, self.lessons.due(), self.keys_end(now)].into_iter().flatten().min()
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

    /// The tasks that may have changed, come or gone since this was last asked.
    pub fn take_touched(&mut self) -> BTreeSet<LocalId> {
        self.tasks.take_touched()
    }

    /// Says what the models are: what they make, and which of their fields decide how long that takes.
    pub fn know(&mut self, kinds: impl IntoIterator<Item = (String, durations::Kind)>) {
        self.watch.durations_mut().know(kinds);
    }

    /// What was learned of durations, as plain data.
    #[must_use]
    pub fn learned(&self) -> Vec<(String, durations::Curve)> {
        self.watch.durations().export()
    }

    /// Takes in what was learned in an earlier run.
    pub fn learn(&mut self, learned: Vec<(String, durations::Curve)>) {
        self.watch.durations_mut().import(learned);
    }

    /// The user looks at this task: it counts for more than the others.
    pub fn select(&mut self, id: Option<LocalId>) {
        self.watch.select(id);
    }
}
