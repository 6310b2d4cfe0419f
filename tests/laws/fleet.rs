//! The fleet under a random schedule: slow and failing disks, lost answers, refusals of every kind, a user who
//! presses keys, kills at any moment. Money and pictures are the service's ledger's business; it is the witness.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::Map;

use plantain::config::Allowance;
use plantain::domain::{Answer, AssetId, Change, LocalId, OutputState, Problem, Request, Stage, Task};
use plantain::fleet::{Fleet, FleetMsg, News, Order, Question};
use plantain::time::{Mono, Now, Wall};

use super::law;
use kit::support::world::{Service, Store, home};

#[derive(Clone, Copy, Debug)]
enum Submitted {
    Accepted,
    LostBefore,
    LostOnTheWay,
    LostAfter,
    Late,
    Failed,
    Cut,
    Limit,
    Busy,
    Processing,
    Key,
    Balance,
    Rejected,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Add,
    Write,
    NotWritten,
    Submitted(usize, Submitted),
    Answered(usize, u8),
    Fetched(usize, u8),
    GhostArrives(usize),
    Wait(u64),
    Send(usize),
    Resume,
    Look(usize),
    Forget(usize),
    /// So many of the waiting writes reach the disk, and nobody is told.
    Kill(usize),
    EndBadly(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let pick = || 0usize..8;
    let submitted = prop_oneof![
        4 => Just(Submitted::Accepted),
        1 => Just(Submitted::LostBefore),
        1 => Just(Submitted::LostOnTheWay),
        2 => Just(Submitted::LostAfter),
        1 => Just(Submitted::Late),
        1 => Just(Submitted::Failed),
        1 => Just(Submitted::Cut),
        1 => Just(Submitted::Limit),
        1 => Just(Submitted::Busy),
        1 => Just(Submitted::Processing),
        1 => Just(Submitted::Key),
        1 => Just(Submitted::Balance),
        1 => Just(Submitted::Rejected),
    ];
    prop_oneof![
        4 => Just(Step::Add),
        16 => Just(Step::Write),
        2 => Just(Step::NotWritten),
        10 => (pick(), submitted).prop_map(|(n, what)| Step::Submitted(n, what)),
        6 => (pick(), 0u8..12).prop_map(|(n, what)| Step::Answered(n, what)),
        3 => (pick(), 0u8..8).prop_map(|(n, what)| Step::Fetched(n, what)),
        2 => pick().prop_map(Step::GhostArrives),
        12 => (0u64..4_000).prop_map(Step::Wait),
        2 => pick().prop_map(Step::Send),
        2 => Just(Step::Resume),
        1 => pick().prop_map(Step::Look),
        1 => pick().prop_map(Step::Forget),
        1 => pick().prop_map(Step::Kill),
        1 => any::<bool>().prop_map(Step::EndBadly),
    ]
}

struct World {
    fleet: Fleet,
    now: Now,
    store: Store,
    service: Service,
    writes: VecDeque<Change>,
    submits: Vec<(LocalId, Arc<Request>)>,
    asks: Vec<Question>,
    fetches: Vec<AssetId>,
    /// Bodies that left and whose sender gave up on them: they may still arrive.
    ghosts: Vec<(LocalId, String)>,
    /// What ever left, by key.
    bodies: BTreeMap<LocalId, String>,
    /// What the user asked to be sent in this life.
    wanted: BTreeSet<LocalId>,
    /// Dropped by the user, and still on a disk that refused: there again after a restart, unsent.
    undead: BTreeSet<LocalId>,
    /// How far each task was seen to be.
    ranks: BTreeMap<LocalId, (Stage, u8)>,
    born: u128,
    lives: u128,
}

type Checked = Result<(), TestCaseError>;

impl World {
    fn new() -> Self {
        Self {
            fleet: Fleet::new(Allowance::default(), 1),
            now: Now { wall: Wall(1_750_000_000_000), mono: Mono(1_000) },
            store: Store::default(),
            service: Service::default(),
            writes: VecDeque::new(),
            submits: Vec::new(),
            asks: Vec::new(),
            fetches: Vec::new(),
            ghosts: Vec::new(),
            bodies: BTreeMap::new(),
            wanted: BTreeSet::new(),
            undead: BTreeSet::new(),
            ranks: BTreeMap::new(),
            born: 0,
            lives: 1,
        }
    }

    /// Hands a message in, and looks at what comes out.
    fn tell(&mut self, msg: FleetMsg) -> Checked {
        let orders = self.fleet.handle(msg, self.now);
        for order in orders {
            match order {
                Order::Save(change) => {
                    if let Change::Forget(id) = &change {
                        let sent = self.service.ledger.contains_key(id) || self.ghosts.iter().any(|(g, _)| g == id);
                        prop_assert!(!sent, "{:?} is forgotten, and may have been paid for", id);
                        prop_assert!(self.submits.iter().all(|(other, _)| other != id));
                    }
                    self.writes.push_back(change);
                }
                Order::Submit(id, request) => {
                    let stage = self.store.tasks.get(&id).map(|task| task.status.stage());
                    let durable = matches!(stage, Some(Stage::Sending | Stage::Unsure));
                    prop_assert!(durable, "{:?} goes out and is {:?} on the disk", id, stage);
                    prop_assert!(self.submits.iter().all(|(other, _)| *other != id), "{:?} is out twice", id);
                    prop_assert!(self.wanted.contains(&id), "{:?} goes out and nobody asked for it", id);
                    let first = self.bodies.entry(id).or_insert_with(|| request.body.clone());
                    prop_assert_eq!(&*first, &request.body, "one key, two bodies");
                    self.submits.push((id, request));
                }
                Order::Ask(question) => self.asks.push(question),
                Order::Browse(_) | Order::Sift(_) => unreachable!("nobody looks for the tasks of others"),
                Order::Fetch { asset, .. } => {
                    prop_assert!(!self.fetches.contains(&asset), "fetched twice at once");
                    self.fetches.push(asset);
                }
            }
        }
        let allowance = Allowance::default();
        prop_assert!(self.submits.len() + self.asks.len() <= allowance.at_once as usize);
        prop_assert!(self.submits.len() <= allowance.creations as usize);
        prop_assert!(self.fetches.len() <= allowance.downloads as usize);
        prop_assert!(self.fleet.budget().used(self.now.mono) <= allowance.per_minute as usize);
        for task in self.fleet.tasks() {
            let stage = task.status.stage();
            let (before, rank) = self.ranks.get(&task.id).copied().unwrap_or((stage, 0));
            if task.task_id.is_some() {
                prop_assert!(stage.rank() >= rank, "{:?} goes back from {:?} to {:?}", task.id, before, stage);
                prop_assert!(!before.is_final() || before == stage);
                self.ranks.insert(task.id, (stage, stage.rank()));
            }
            let paid = self.service.ledger.contains_key(&task.id);
            prop_assert!(!(paid && stage == Stage::Refused), "{:?} exists, and is shown as refused", task.id);
        }
        Ok(())
    }

    fn wake(&mut self) -> Checked {
        self.tell(FleetMsg::Woke)?;
        let next = self.fleet.next_due(self.now);
        prop_assert!(next.is_none_or(|at| at > self.now.mono), "woken, and wants to be woken at once again");
        Ok(())
    }

    fn wait(&mut self, millis: u64) -> Checked {
        let end = self.now.mono + Duration::from_millis(millis);
        while let Some(at) = self.fleet.next_due(self.now).filter(|at| *at <= end) {
            self.jump(at);
            self.wake()?;
        }
        self.jump(end);
        Ok(())
    }

    fn jump(&mut self, to: Mono) {
        let span = i64::try_from(to.since(self.now.mono).as_millis()).expect("short");
        self.now = Now { wall: Wall(self.now.wall.0 + span), mono: self.now.mono.max(to) };
    }

    fn add(&mut self) -> Checked {
        self.born += 1;
        let id = LocalId::from_random(self.born.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        let prompt = format!("fox {}", self.born);
        let mut input = Map::new();
        input.insert("prompt".into(), prompt.clone().into());
        let request = Request::new("m", None, input, prompt.clone(), prompt, None);
        self.wanted.insert(id);
        self.tell(FleetMsg::Add(Box::new(Task::new(id, Arc::new(request), self.now.wall))))
    }

    fn write(&mut self, works: bool) -> Checked {
        let Some(change) = self.writes.pop_front() else { return Ok(()) };
        let written = if works { self.store.write(&change) } else { change.written() };
        let full = || Problem::Local { message: "the disk is full".into() };
        let result = if works { Ok(()) } else { Err(full()) };
        if let (Change::Forget(id), false) = (&change, works) {
            self.undead.insert(*id);
        }
        match written {
            Some((id, stage)) => self.tell(FleetMsg::Stored { id, stage, result }),
            None => Ok(()),
        }
    }

    fn submitted(&mut self, pick: usize, what: Submitted) -> Checked {
        if self.submits.is_empty() {
            return Ok(());
        }
        let (id, request) = self.submits.remove(pick % self.submits.len());
        let body = request.body.clone();
        let known = self.service.ledger.contains_key(&id);
        let words = || "words".to_owned();
        let gone = |sent| Problem::Network { sent, message: "reset".into() };
        let arrives = matches!(
            what,
            Submitted::Accepted | Submitted::LostAfter | Submitted::Failed | Submitted::Cut | Submitted::Processing
        );
        let answer = if arrives { Some(self.service.post(id, &body, self.now)) } else { None };
        let result = match what {
            Submitted::Accepted => answer.expect("it arrived"),
            Submitted::LostBefore => Err(gone(false)),
            Submitted::LostOnTheWay | Submitted::LostAfter => Err(gone(true)),
            Submitted::Late => {
                self.ghosts.push((id, body));
                Err(gone(true))
            }
            Submitted::Failed => Err(Problem::Server { status: 502, message: words() }),
            Submitted::Cut => Err(Problem::Odd { status: 200, message: words() }),
            Submitted::Limit => Err(Problem::Limit { retry_after: Some(3) }),
            Submitted::Busy => Err(Problem::Busy { retry_after: None, message: words() }),
            Submitted::Processing => {
                let task_id = self.service.ledger.get(&id).map(|entry| entry.task_id.clone()).filter(|_| pick > 3);
                Err(Problem::Processing { retry_after: Some(2), task_id })
            }
            Submitted::Key => Err(Problem::Auth { message: words() }),
            Submitted::Balance => Err(Problem::Balance { message: words() }),
            // A key that is known is answered before the request is looked at.
            Submitted::Rejected if known => self.service.post(id, &body, self.now),
            Submitted::Rejected => Err(Problem::Rejected { status: 400, code: None, message: words() }),
        };
        self.tell(FleetMsg::Submitted { id, answer: Answer::bare(result) })
    }

    fn answered(&mut self, pick: usize, what: u8) -> Checked {
        if self.asks.is_empty() {
            return Ok(());
        }
        let question = self.asks.remove(pick % self.asks.len());
        let result = match (what, &question) {
            (0, _) => Err(Problem::Network { sent: true, message: "reset".into() }),
            (1, _) => Err(Problem::NotFound { message: "unknown".into() }),
            (2, _) => Err(Problem::Limit { retry_after: Some(1) }),
            (3, _) if pick == 0 => Err(Problem::Auth { message: "revoked".into() }),
            (_, Question::Task(_, id)) => self.service.task(id, self.now).map(News::Task),
            (what, Question::Page(page, _)) => {
                let mut page = self.service.page(*page, self.now);
                if what == 4 {
                    page.reports.truncate(1);
                }
                Ok(News::Page(page))
            }
        };
        self.tell(FleetMsg::Answered { question, answer: Answer::bare(result) })
    }

    fn fetched(&mut self, pick: usize, what: u8) -> Checked {
        if self.fetches.is_empty() {
            return Ok(());
        }
        let asset = self.fetches.remove(pick % self.fetches.len());
        let result = match what {
            0 => Err(Problem::Forbidden { message: "expired".into() }),
            1 => Err(Problem::Network { sent: true, message: "reset".into() }),
            2 => Err(Problem::Odd { status: 200, message: "HTML".into() }),
            3 => Err(Problem::Local { message: "the disk is full".into() }),
            _ => Ok(home(&asset.task.short())),
        };
        self.tell(FleetMsg::Fetched { asset, result })
    }

    fn some(&self, pick: usize) -> Option<LocalId> {
        let count = self.fleet.tasks().count();
        (count > 0).then(|| self.fleet.tasks().nth(pick % count).expect("there").id)
    }

    /// A few of the waiting writes are on the disk, the rest and everything in memory is gone.
    fn kill(&mut self, done: usize) -> Checked {
        for _ in 0..done {
            if let Some(change) = self.writes.pop_front() {
                self.store.write(&change);
            }
        }
        self.writes.clear();
        self.ghosts.extend(self.submits.drain(..).map(|(id, request)| (id, request.body.clone())));
        self.asks.clear();
        self.fetches.clear();
        self.wanted.clear();
        self.ranks.clear();
        self.undead.clear();
        for id in self.service.ledger.keys().chain(self.ghosts.iter().map(|(id, _)| id)) {
            prop_assert!(self.store.tasks.contains_key(id), "{:?} may be paid for and is not on the disk", id);
        }
        self.lives += 1;
        self.fleet = Fleet::new(Allowance::default(), self.lives);
        self.now.mono = Mono(10);
        let tasks = self.store.tasks.values().cloned().collect();
        self.tell(FleetMsg::Restored(tasks))
    }

    fn take(&mut self, step: Step) -> Checked {
        match step {
            Step::Add if self.born < 12 => self.add(),
            Step::Add => Ok(()),
            Step::Write => self.write(true),
            Step::NotWritten => self.write(false),
            Step::Submitted(pick, what) => self.submitted(pick, what),
            Step::Answered(pick, what) => self.answered(pick, what),
            Step::Fetched(pick, what) => self.fetched(pick, what),
            Step::GhostArrives(pick) => {
                if !self.ghosts.is_empty() {
                    let (id, body) = self.ghosts.remove(pick % self.ghosts.len());
                    let _ = self.service.post(id, &body, self.now);
                }
                Ok(())
            }
            Step::Wait(millis) => self.wait(millis),
            Step::Send(pick) => match self.some(pick) {
                Some(id) => {
                    self.wanted.insert(id);
                    self.tell(FleetMsg::Send(vec![id]))
                }
                None => Ok(()),
            },
            Step::Resume => {
                self.want_all();
                self.tell(FleetMsg::Resume)
            }
            Step::Look(pick) => self.some(pick).map_or(Ok(()), |id| self.tell(FleetMsg::Look(id))),
            Step::Forget(pick) => self.some(pick).map_or(Ok(()), |id| self.tell(FleetMsg::Forget(id))),
            Step::Kill(done) => self.kill(done),
            Step::EndBadly(fails) => {
                self.service.fails = fails;
                Ok(())
            }
        }
    }

    /// What the queue held back because of a refusal goes on at the user's word.
    fn want_all(&mut self) {
        let held = self.fleet.tasks().filter(|t| t.status.stage() == Stage::Held).map(|t| t.id).collect::<Vec<_>>();
        self.wanted.extend(held);
    }

    /// From here on everything works, and the user wants everything.
    fn heal(&mut self) -> Checked {
        for (id, body) in std::mem::take(&mut self.ghosts) {
            let _ = self.service.post(id, &body, self.now);
        }
        for round in 0..3_000 {
            if round % 500 == 0 {
                let ids: Vec<LocalId> = self.fleet.tasks().map(|task| task.id).collect();
                self.wanted.extend(ids.iter().copied());
                self.tell(FleetMsg::Resume)?;
                self.tell(FleetMsg::Send(ids))?;
            }
            while !(self.writes.is_empty()
                && self.submits.is_empty()
                && self.asks.is_empty()
                && self.fetches.is_empty())
            {
                self.write(true)?;
                self.submitted(0, Submitted::Accepted)?;
                self.answered(1, 9)?;
                self.fetched(0, 9)?;
            }
            match self.fleet.next_due(self.now) {
                Some(at) => {
                    self.jump(at);
                    self.wake()?;
                }
                None => self.jump(self.now.mono + Duration::from_secs(1)),
            }
            if self.fleet.is_idle() && self.writes.is_empty() && round % 500 > 20 {
                break;
            }
        }
        Ok(())
    }

    /// The ledger and the disk say the same.
    fn settle_accounts(&self) -> Checked {
        prop_assert!(self.fleet.is_idle(), "{:?}", self.fleet.tasks().map(|t| (t.id, &t.status)).collect::<Vec<_>>());
        for (id, entry) in &self.service.ledger {
            let task = self.store.tasks.get(id);
            prop_assert!(task.is_some(), "{:?} was paid for and is not known", id);
            let task = task.expect("just seen");
            prop_assert_eq!(task.status.stage(), entry.status(self.now).stage(), "{:?}", id);
            prop_assert_eq!(task.task_id.as_ref(), Some(&entry.task_id));
            prop_assert!(task.outputs.iter().all(|output| output.state != OutputState::Away));
            prop_assert!(self.service.bodies[id].iter().all(|body| *body == entry.body));
        }
        for task in self.store.tasks.values().filter(|task| !self.undead.contains(&task.id)) {
            let paid = self.service.ledger.contains_key(&task.id);
            prop_assert!(task.status.is_final(), "{:?} is left as {:?}", task.id, task.status);
            prop_assert_eq!(paid, task.status.stage() != Stage::Refused);
        }
        Ok(())
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_paid_twice() {
    law(400, &prop::collection::vec(step(), 20..220), |steps| {
        let mut world = World::new();
        for step in steps {
            world.take(step)?;
        }
        world.heal()?;
        world.settle_accounts()
    });
}

/// A kill after each single step of an otherwise quiet life, with each number of writes that reached the disk.
#[test]
fn a_kill_at_every_step() {
    let life = [
        Step::Add,
        Step::Write,
        Step::Write,
        Step::Submitted(0, Submitted::LostAfter),
        Step::Write,
        Step::Wait(2_000),
        Step::Write,
        Step::Submitted(0, Submitted::Accepted),
        Step::Write,
        Step::Wait(4_000),
        Step::Answered(1, 9),
        Step::Write,
        Step::Wait(20_000),
        Step::Answered(1, 9),
        Step::Write,
        Step::Fetched(0, 9),
        Step::Write,
    ];
    for at in 0..=life.len() {
        for done in 0..3 {
            let run = || -> Checked {
                let mut world = World::new();
                for step in &life[..at] {
                    world.take(*step)?;
                }
                let before = world.submits.len();
                world.kill(done)?;
                prop_assert!(before <= 1 && world.submits.is_empty());
                world.wait(600_000)?;
                prop_assert!(world.submits.is_empty(), "a restart sends nothing by itself");
                world.heal()?;
                world.settle_accounts()?;
                prop_assert!(world.service.ledger.len() <= 1);
                Ok(())
            };
            if let Err(why) = run() {
                panic!("killed after {at} steps, {done} writes done: {why}");
            }
        }
    }
}
