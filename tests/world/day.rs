//! A day: who does what when, what goes wrong, and what each program makes of it.

mod destiny;
mod lives;
mod user;
mod writes;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::fmt::Write as _;

use plantain::config::{Allowance, KEY_LIFETIME};
use plantain::domain::{Change, LocalId, Problem, Stage, Status, Task};
use plantain::fleet::{FleetMsg, Order, Question, granted};
use plantain::store::Heard;
use plantain::time::{Chance, Mono, Now, Wall};

use super::disk::Disk;
use super::program::{Note, Program};
use super::service::{Mood, Service};
use super::words::{brief, brief_heard, brief_order};

pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
/// The program gives up on an answer after this long.
pub const PATIENCE: i64 = 60 * SECOND;
/// A program looks at the store this often.
const PACE: f64 = 300.0;
/// A program that leaves waits so long for what it has begun.
const FAREWELL: i64 = 3 * SECOND;
/// A dead holder is replaced within this time.
const HEIR: i64 = 10 * SECOND;
/// True time at the start.
const START: i64 = 1_750_000_000_000;

/// What happens at some moment.
#[derive(Clone, Debug)]
pub enum Event {
    /// A program's alarm.
    Wake {
        life: u32,
        alarm: u64,
    },
    /// Something that was asked of the service, or of a server of outputs, reaches the program.
    Hear {
        life: u32,
        msg: Box<FleetMsg>,
    },
    /// The store's thread reaches the program.
    Told {
        life: u32,
        note: Note,
    },
    /// The store gets to the program's next write.
    Sync {
        life: u32,
    },
    /// A program looks what others did.
    Poll {
        life: u32,
    },
    /// A creation reaches the service; the sender waits for an answer unless it gave up.
    Post {
        life: u32,
        id: LocalId,
        body: String,
        waits: bool,
    },
    /// A question reaches the service.
    Get {
        life: u32,
        question: Question,
    },
    Mood(Mood),
    DiskFull(bool),
    /// The calendar jumps.
    Jump(i64),
    /// A program is killed.
    Crash,
    /// A program is left by its user.
    Leave,
    /// A program that was left has waited long enough.
    Gone {
        life: u32,
    },
    /// A program is started.
    Start(usize),
    Foreign(u32),
    /// The user sends so many, in one of the windows.
    Submit(u32),
    /// The user looks at a screen and does what it advises.
    Care,
}

#[derive(Debug)]
struct Ahead {
    at: i64,
    seq: u64,
    event: Event,
}

impl PartialEq for Ahead {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.seq) == (other.at, other.seq)
    }
}
impl Eq for Ahead {}
impl PartialOrd for Ahead {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Ahead {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.seq).cmp(&(other.at, other.seq))
    }
}

pub type Checked = Result<(), String>;

macro_rules! must {
    ($holds:expr, $($words:tt)*) => {
        if !$holds {
            return Err(format!($($words)*));
        }
    };
}
pub(crate) use must;

pub struct World {
    pub dice: Chance,
    /// True time.
    pub now: i64,
    /// How far the calendar of this machine is off.
    skew: i64,
    ahead: BinaryHeap<Reverse<Ahead>>,
    seq: u64,
    pub allowance: Allowance,
    /// The windows: in each a program runs, or none does.
    pub slots: Vec<Option<Program>>,
    lives: u32,
    pub disk: Disk,
    pub service: Service,
    /// From here on nothing fails any more.
    pub healed: bool,
    /// How often a message is lost, late or doubled.
    pub loss: f64,
    pub median_ms: f64,
    pub link_ms: i64,
    pub born: u32,
    /// What left, by key: the bytes and when, by the calendar of the machine, for the first time.
    pub left: BTreeMap<LocalId, (String, Wall)>,
    /// What the user asked to be sent, by the life of the window in which he did.
    wanted: BTreeMap<u32, BTreeSet<LocalId>>,
    /// What the user has dropped.
    dropped: BTreeSet<LocalId>,
    /// Since when nobody holds the lease though somebody could.
    vacant: Option<i64>,
    /// When the lease was taken, each time.
    pub tenures: Vec<i64>,
    events: u64,
    pub trace: Option<String>,
}

impl World {
    pub fn new(seed: u64, traced: bool) -> Self {
        let mut dice = Chance::new(u128::from(seed) << 64 | 0x5eed);
        let per_minute = if dice.unit() < 0.7 { 60 } else { 20 + (dice.unit() * 580.0) as u32 };
        let allowance = Allowance { per_minute, ..Allowance::default() };
        let page_size = if dice.unit() < 0.7 { 100 } else { 10 };
        // The account may allow less than we think.
        let real = if dice.unit() < 0.85 { per_minute } else { per_minute / 2 };
        let tells = dice.unit() < 0.7;
        let windows = match dice.unit() {
            one if one < 0.5 => 1,
            two if two < 0.85 => 2,
            _ => 3,
        };
        let mut world = Self {
            now: START,
            skew: 0,
            ahead: BinaryHeap::new(),
            seq: 0,
            allowance,
            slots: (0..windows).map(|_| None).collect(),
            lives: 0,
            disk: Disk::default(),
            service: Service::new(page_size, real as usize, tells),
            healed: false,
            loss: if dice.unit() < 0.3 { 0.0 } else { dice.unit() * 0.15 },
            median_ms: if dice.unit() < 0.7 { 12_000.0 } else { 120_000.0 },
            link_ms: if dice.unit() < 0.8 { 7 * 24 * HOUR } else { 4 * MINUTE },
            born: 0,
            left: BTreeMap::new(),
            wanted: BTreeMap::new(),
            dropped: BTreeSet::new(),
            vacant: None,
            tenures: Vec::new(),
            events: 0,
            trace: traced.then(String::new),
            dice,
        };
        for slot in 0..windows {
            let at = (slot as i64) * (world.dice.unit() * 20_000.0) as i64;
            world.later(at, Event::Start(slot));
        }
        world.destiny();
        world
    }

    pub fn later(&mut self, span: i64, event: Event) {
        self.seq += 1;
        self.ahead.push(Reverse(Ahead { at: self.now + span, seq: self.seq, event }));
    }

    pub fn say(&mut self, life: u32, words: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let secs = (self.now - START) as f64 / 1e3;
            let _ = writeln!(trace, "{secs:10.3} [{life}] {}", words());
        }
    }

    /// A short answer time most of the time, a long one now and then.
    pub fn latency(&mut self) -> i64 {
        let long = !self.healed && self.dice.unit() < 0.03;
        let base = if long { 30_000.0 } else { 300.0 };
        20 + (self.dice.unit() * base) as i64
    }

    pub fn misfortune(&mut self) -> bool {
        !self.healed && self.dice.unit() < self.loss
    }

    /// The program of this life, if it still runs.
    pub fn program(&mut self, life: u32) -> Option<&mut Program> {
        self.slots.iter_mut().flatten().find(|program| program.life == life)
    }

    pub fn lives(&self, life: u32) -> bool {
        self.programs().any(|program| program.life == life)
    }

    /// The programs that run.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.slots.iter().flatten()
    }

    fn living(&self) -> BTreeSet<u32> {
        self.programs().map(|program| program.life).collect()
    }

    /// The present as a program born then sees it.
    fn clock(&self, born_ms: i64) -> Now {
        let mono = Mono(u64::try_from(self.now - born_ms).expect("born before now"));
        Now { wall: Wall(self.now + self.skew), mono }
    }

    pub fn run(&mut self) -> Checked {
        let heal_at = START + 2 * HOUR;
        let end = START + 8 * HOUR;
        while let Some(Reverse(next)) = self.ahead.pop() {
            if !self.healed && next.at > heal_at {
                self.heal();
            }
            if next.at > end {
                break;
            }
            self.now = self.now.max(next.at);
            self.events += 1;
            must!(self.events < 600_000, "events without end");
            self.happen(next.event)?;
            let vacant = self.vacant.is_some_and(|since| self.now - since > HEIR);
            must!(!vacant || self.disk.full, "nobody has taken the lease for ten seconds");
            if self.healed && self.is_quiet() {
                break;
            }
        }
        self.settle()
    }

    fn heal(&mut self) {
        self.say(0, || "from here on nothing fails".into());
        self.healed = true;
        self.service.mood = Mood::Well;
        self.room(false);
    }

    /// The disk is full, or has room again: then the lease can be written down.
    fn room(&mut self, full: bool) {
        self.disk.full = full;
        self.vacant = self.vacant.map(|_| self.now);
        self.stir(0);
    }

    fn is_quiet(&self) -> bool {
        let ended = |task: &Task| {
            task.status.is_final() || matches!(&task.status, Status::Unsure(Some(Problem::Rejected { .. })))
        };
        self.slots.iter().all(Option::is_some)
            && self.programs().any(|program| program.holds)
            && self.programs().all(|program| {
                program.rests()
                    && program.fleet.is_idle()
                    && program.fleet.blocked().is_none()
                    && program.fleet.tasks().all(|task| ended(task))
            })
            && self.disk.tasks.values().all(ended)
    }

    fn happen(&mut self, event: Event) -> Checked {
        match event {
            Event::Wake { life, alarm } => {
                if self.program(life).is_some_and(|program| program.alarm == alarm) {
                    return self.wake(life);
                }
            }
            Event::Hear { life, msg } => {
                if let Some(program) = self.program(life) {
                    match &*msg {
                        FleetMsg::Submitted { .. } => program.creations -= 1,
                        FleetMsg::Answered { .. } => program.looks -= 1,
                        _ => program.fetches -= 1,
                    }
                    return self.tell(life, *msg);
                }
            }
            Event::Told { life, note } => {
                if let Some(program) = self.program(life) {
                    program.notes -= 1;
                    return match note {
                        Note::Msg(msg) => self.tell(life, *msg),
                        Note::Heard(heard) => self.hear(life, *heard),
                    };
                }
            }
            Event::Sync { life } => return self.sync(life),
            Event::Poll { life } => return self.poll(life),
            Event::Post { life, id, body, waits } => self.arrive(life, id, body, waits),
            Event::Get { life, question } => self.look_up(life, question),
            Event::Mood(mood) if !self.healed => {
                self.say(0, || format!("the service: {mood:?}"));
                self.service.mood = mood;
            }
            Event::DiskFull(full) if !self.healed => {
                self.say(0, || format!("the disk is full: {full}"));
                self.room(full);
            }
            Event::Jump(by) if !self.healed => {
                self.say(0, || format!("the calendar jumps by {} s", by / SECOND));
                self.skew += by;
            }
            Event::Mood(_) | Event::DiskFull(_) | Event::Jump(_) => {}
            Event::Crash if !self.healed => return self.crash(),
            Event::Leave if !self.healed => return self.leave(),
            Event::Crash | Event::Leave => {}
            Event::Gone { life } => return self.gone(life),
            Event::Start(slot) => return self.start(slot),
            Event::Foreign(count) => (0..count).for_each(|_| self.service.foreign()),
            Event::Submit(count) => return self.submit(count),
            Event::Care => return self.care(),
        }
        Ok(())
    }

    fn wake(&mut self, life: u32) -> Checked {
        if let Some(program) = self.program(life) {
            program.alarm_at = None;
        }
        self.tell(life, FleetMsg::Woke)?;
        let Some(program) = self.programs().find(|program| program.life == life) else { return Ok(()) };
        let now = self.clock(program.born_ms);
        let again = program.fleet.next_due(now).is_some_and(|at| at <= now.mono);
        must!(!again, "woken, and wants to be woken at once again");
        Ok(())
    }

    /// Hands a message to a program's fleet and follows its orders.
    fn tell(&mut self, life: u32, msg: FleetMsg) -> Checked {
        self.say(life, || format!("hears {}", brief(&msg)));
        self.with_fleet(life, |program, now| match program.holds {
            true => program.fleet.handle(msg, now),
            false => program.fleet.handle_watching(msg, now),
        })
    }

    /// What a program hears of the others.
    fn hear(&mut self, life: u32, heard: Heard) -> Checked {
        self.say(life, || format!("hears {}", brief_heard(&heard)));
        if self.program(life).is_some_and(|program| program.leaves) {
            return Ok(());
        }
        match heard {
            Heard::Took { unfinished } => {
                self.vacant = None;
                self.with_fleet(life, |program, now| {
                    program.holds = true;
                    program.fleet.took_over(unfinished, now)
                })
            }
            Heard::News { tasks, gone, standing, .. } => self.with_fleet(life, |program, _| {
                if !program.holds {
                    program.fleet.mirror(tasks, &gone);
                    if standing.holder.is_some() {
                        program.fleet.mirror_pause(standing.paused);
                    }
                }
                Vec::new()
            }),
            Heard::Found(_) => Err("nobody wants to see the tasks of others".into()),
            Heard::Resting(_) => Err("nobody lets a batch rest".into()),
            Heard::Wishes(wishes) => {
                for (wish, task) in wishes {
                    for msg in granted(wish, task) {
                        self.tell(life, msg)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Lets a program's fleet do something, carries out its orders, sets its alarm.
    fn with_fleet(&mut self, life: u32, act: impl FnOnce(&mut Program, Now) -> Vec<Order>) -> Checked {
        let Some(born_ms) = self.program(life).map(|program| program.born_ms) else { return Ok(()) };
        let now = self.clock(born_ms);
        let Some(program) = self.program(life) else { return Ok(()) };
        let mut orders = act(program, now);
        if program.leaves {
            let ends =
                |order: &Order| matches!(order, Order::Save(Change::New(_) | Change::Progress(_)) | Order::Submit(..));
            orders.retain(ends);
        }
        for order in orders {
            self.say(life, || format!("  wants {}", brief_order(&order)));
            self.carry_out(life, order, now)?;
        }
        let Some(program) = self.program(life) else { return Ok(()) };
        let paused = program.fleet.blocked().cloned();
        if program.holds && !program.leaves && program.paused != paused {
            program.paused.clone_from(&paused);
            self.save(life, Change::Paused(paused));
        }
        self.watch_over(life)?;
        let Some(program) = self.program(life) else { return Ok(()) };
        let due = program.fleet.next_due(now);
        if due != program.alarm_at {
            program.alarm += 1;
            program.alarm_at = due;
            let alarm = program.alarm;
            if let Some(at) = due.filter(|at| at.0 < u64::MAX / 4) {
                let span = i64::try_from(at.0).expect("soon") - i64::try_from(now.mono.0).expect("soon");
                self.later(span.max(0), Event::Wake { life, alarm });
            }
        }
        if self.program(life).is_some_and(|program| program.leaves && !program.is_sending()) {
            return self.gone(life);
        }
        Ok(())
    }

    fn carry_out(&mut self, life: u32, order: Order, now: Now) -> Checked {
        let watches = self.program(life).is_some_and(|program| !program.holds);
        must!(!watches || matches!(order, Order::Save(_)), "a window that only watches does {order:?}");
        match order {
            Order::Save(change) => self.save(life, change),
            Order::Submit(id, request) => {
                // (1) Nothing leaves that is not on the disk as leaving, or that nobody asked for.
                must!(self.disk.lock == Some(life), "{id:?} leaves without the lease");
                let durable = self.disk.tasks.get(&id).map(|task| task.status.stage());
                must!(
                    matches!(durable, Some(Stage::Sending | Stage::Unsure)),
                    "{id:?} leaves and is {durable:?} on the disk"
                );
                must!(self.wanted.values().any(|ids| ids.contains(&id)), "{id:?} leaves and nobody asked for it");
                let (body, first) = self.left.entry(id).or_insert_with(|| (request.body.clone(), now.wall));
                must!(*body == request.body, "{id:?}: one key, two bodies");
                let first = *first;
                must!(now.wall.since(first) < KEY_LIFETIME, "{id:?} leaves again when its key may be forgotten");
                self.count_request(life)?;
                if let Some(program) = self.program(life) {
                    program.creations += 1;
                }
                self.send_creation(life, id, &request.body);
            }
            Order::Ask(question) => {
                must!(self.disk.lock == Some(life), "asks without the lease");
                if let Question::Task(id, task_id) = &question {
                    let task = self.program(life).and_then(|program| program.fleet.task(*id).cloned());
                    let known = task.and_then(|task| task.task_id.clone());
                    must!(known.as_ref() == Some(task_id), "asks for {task_id}, which is not that of {id:?}");
                }
                self.count_request(life)?;
                if let Some(program) = self.program(life) {
                    program.looks += 1;
                }
                self.send_question(life, question);
            }
            Order::Browse(_) | Order::Sift(_) => return Err("nobody wants to see the tasks of others".into()),
            Order::Fetch { asset, url } => {
                if let Some(program) = self.program(life) {
                    program.fetches += 1;
                }
                self.download(life, asset, &url);
            }
        }
        Ok(())
    }

    /// A normally distributed number.
    pub fn normal(&mut self) -> f64 {
        let (a, b) = (self.dice.unit().max(1e-12), self.dice.unit());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}
