//! The purse: what may be spent in a day and by a batch, and what is spent or reserved already.
//!
//! Everything that is sent goes through one fleet, the one that holds the lease, so there is one purse. An estimate is
//! taken out of it before the status that allows the first byte is written, and comes back only when the service said
//! that it did not take the task. What was spent before this run the store says, once for each day and each batch; until
//! it has said so nothing goes out that a limit could forbid. Whether failed tasks are billed nobody says \[I\], so they
//! count.

use std::collections::HashMap;
use std::time::Duration;

use crate::config::Budgets;
use crate::domain::money::{Sum, Usd};
use crate::domain::{Budget, Catalogue, Cost, LocalId, Problem, Status, Task, batch};
use crate::time::{Mono, Now, Wall};

use super::{Fleet, Order};

/// A store that could not say what was spent is asked again this much later.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// What the store is asked to sum up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tally {
    /// The calendar day, where the user is, that holds this moment.
    Day(Wall),
    /// A batch.
    Batch(String),
}

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tallied {
    /// What was spent.
    pub sum: Sum,
    /// When the day began.
    pub from: Wall,
    /// When it ends. For a batch the two are as far apart as can be.
    pub until: Wall,
}

/// What is known of one sum.
#[derive(Clone, Debug, Default)]
struct Account {
    known: Option<Tallied>,
    /// The number of the question that is on its way.
    asked: Option<u64>,
    /// What was taken out and put back since: the store's answer does not hold it.
    since: (i64, i64),
    /// Not before this moment again.
    retry: Option<Mono>,
}

impl Account {
    fn add(&mut self, cost: Option<Usd>, sign: i64) {
        let (usd, unknown) = cost.map_or((0, sign), |cost| (cost.0.saturating_mul(sign), 0));
        if self.asked.is_some() {
            self.since = (self.since.0.saturating_add(usd), self.since.1 + unknown);
        }
        if let Some(known) = &mut self.known {
            known.sum = moved(known.sum, usd, unknown);
        }
    }

    fn at(&self, wall: Wall) -> Option<Tallied> {
        self.known.filter(|known| (known.from..known.until).contains(&wall))
    }
}

fn moved(sum: Sum, usd: i64, unknown: i64) -> Sum {
    Sum { usd: Usd(sum.usd.0.saturating_add(usd).max(0)), unknown: sum.unknown.saturating_add_signed(unknown) }
}

/// Whether a task may be sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// It may.
    Go,
    /// It is not known yet: the store is asked.
    Wait,
    /// It may not.
    Hold(Problem),
}

/// What may be spent, and what is.
#[derive(Clone, Debug, Default)]
pub struct Purse {
    /// What requests may cost.
    prices: Option<Catalogue>,
    /// What is spent is counted.
    open: bool,
    limits: Budgets,
    day: Account,
    batches: HashMap<String, Account>,
    /// Something waits for the store's answer.
    waiting: bool,
    /// How many questions were asked.
    asked: u64,
}

impl Purse {
    /// What is spent or reserved today, if that is known.
    #[must_use]
    pub fn today(&self, now: Now) -> Option<Sum> {
        self.day.at(now.wall).map(|known| known.sum)
    }

    /// What may be spent.
    #[must_use]
    pub fn limits(&self) -> Budgets {
        self.limits
    }

    fn price(&self, task: &Task) -> Option<Cost> {
        task.cost.clone().or_else(|| batch::cost(&task.request, self.prices.as_ref()?))
    }

    /// Whether this task, which has not been paid for, may be sent. Orders what it needs to know.
    fn check(&mut self, task: &Task, now: Now, orders: &mut Vec<Order>) -> Verdict {
        let batch = task.mark.as_ref().map(|mark| mark.batch.clone()).filter(|_| self.limits.batch.is_some());
        if self.limits.day.is_none() && batch.is_none() {
            return Verdict::Go;
        }
        let Some(cost) = self.price(task).map(|cost| cost.usd).or(self.limits.unknown.then_some(Usd::ZERO)) else {
            return Verdict::Hold(Problem::Unpriced);
        };
        let mut sums = Vec::new();
        if let Some(limit) = self.limits.day {
            sums.push((Tally::Day(now.wall), Budget::Day, limit));
        }
        if let (Some(limit), Some(batch)) = (self.limits.batch, batch) {
            sums.push((Tally::Batch(batch), Budget::Batch, limit));
        }
        let mut verdict = Verdict::Go;
        for (tally, of, limit) in sums {
            let Some(sum) = self.ask(tally, now, orders) else { return Verdict::Wait };
            if sum.usd.plus(cost) > limit && verdict == Verdict::Go {
                verdict = Verdict::Hold(Problem::Budget { of, limit, sum: sum.usd, cost });
            }
        }
        verdict
    }

    fn account(&mut self, tally: &Tally) -> &mut Account {
        match tally {
            Tally::Day(_) => &mut self.day,
            Tally::Batch(name) => self.batches.entry(name.clone()).or_default(),
        }
    }

    /// What is known of a sum; if nothing is, the store is asked.
    fn ask(&mut self, tally: Tally, now: Now, orders: &mut Vec<Order>) -> Option<Sum> {
        let serial = self.asked + 1;
        let account = self.account(&tally);
        if let Some(known) = account.at(now.wall) {
            return Some(known.sum);
        }
        let due = account.retry.is_none_or(|at| at <= now.mono);
        if account.asked.is_none() && due {
            *account = Account { asked: Some(serial), ..Account::default() };
            self.asked = serial;
            orders.push(Order::Tally(tally, serial));
        }
        None
    }

    fn told(&mut self, tally: &Tally, serial: u64, result: Result<Tallied, Problem>, now: Now) {
        let account = self.account(tally);
        if account.asked != Some(serial) {
            return;
        }
        account.asked = None;
        match result {
            Ok(told) => {
                account.known = Some(Tallied { sum: moved(told.sum, account.since.0, account.since.1), ..told });
            }
            Err(_) => account.retry = Some(now.mono + ASK_AGAIN),
        }
        self.waiting = false;
    }

    /// Takes a price out, or puts it back.
    fn count(&mut self, task: &Task, sign: i64) {
        let cost = task.cost.as_ref().map(|cost| cost.usd);
        let of = |day: Tallied| task.spent.is_some_and(|at| (day.from..day.until).contains(&at));
        // What comes back before the answer does may be of another day: then the sum is rather too high.
        let day = self.day.known.map_or(sign > 0, of);
        if day {
            self.day.add(cost, sign);
        }
        if let Some(account) = task.mark.as_ref().and_then(|mark| self.batches.get_mut(&mark.batch)) {
            account.add(cost, sign);
        }
    }

    /// What was known of the sums may be wrong: the store is asked anew, and the limits are read anew with it.
    pub(super) fn forget(&mut self) {
        self.day = Account::default();
        self.batches.clear();
        self.waiting = false;
    }

    /// Nothing can be sent before the store has answered; if it could not, it is asked again then.
    pub(super) fn waits(&self) -> Option<Option<Mono>> {
        let accounts = || std::iter::once(&self.day).chain(self.batches.values());
        self.waiting.then(|| accounts().filter(|one| one.asked.is_none()).filter_map(|one| one.retry).min())
    }
}

impl Fleet {
    /// Says what requests may cost: each task keeps the estimate it was made with.
    pub fn know_prices(&mut self, catalogue: Catalogue) {
        self.purse.prices = Some(catalogue);
    }

    /// From now on what is spent is counted, and never exceeds this.
    pub fn keep_purse(&mut self, limits: Budgets) {
        (self.purse.open, self.purse.limits) = (true, limits);
    }

    /// What may be spent, and what is.
    #[must_use]
    pub fn purse(&self) -> &Purse {
        &self.purse
    }

    /// A new task is given its estimate.
    pub(super) fn price(&self, task: &mut Task) {
        if task.cost.is_none() && !task.is_elsewhere() {
            task.cost = self.purse.price(task);
        }
    }

    /// Whether its price may be spent. What is over a limit is held.
    pub(super) fn affords(&mut self, id: LocalId, now: Now, orders: &mut Vec<Order>) -> bool {
        let Some(task) = self.tasks.get(&id).filter(|task| task.spent.is_none()) else { return true };
        match self.purse.check(task, now, orders) {
            Verdict::Go => true,
            Verdict::Wait => {
                self.purse.waiting = true;
                self.queue.put_back(id);
                false
            }
            Verdict::Hold(problem) => {
                self.queue.remove(id);
                self.set(id, Status::Held(Some(problem)), now, orders);
                false
            }
        }
    }

    /// Takes the estimate of a task out of the purse, once.
    pub(super) fn reserve(&mut self, id: LocalId, now: Now) {
        let Some(task) = self.tasks.get_mut(&id).filter(|task| task.spent.is_none()) else { return };
        let task = std::sync::Arc::make_mut(task);
        task.spent = Some(now.wall);
        if task.cost.is_none() {
            task.cost = self.purse.price(task);
        }
        self.purse.count(task, 1);
    }

    /// The service did not take the task: its estimate comes back. To be written with the next status.
    pub(super) fn release(&mut self, id: LocalId) {
        let Some(task) = self.tasks.get_mut(&id).filter(|task| task.spent.is_some()) else { return };
        let task = std::sync::Arc::make_mut(task);
        self.purse.count(task, -1);
        task.spent = None;
    }

    /// That its price was taken out did not reach the disk: what the store knows counts.
    pub(super) fn not_reserved(&mut self, id: LocalId) {
        if let Some(task) = self.tasks.get_mut(&id) {
            std::sync::Arc::make_mut(task).spent = None;
        }
        self.purse.forget();
    }

    /// The user wants to go on with what a limit holds back: it may be another one by now.
    pub(super) fn look_into_purse(&mut self) {
        self.purse.forget();
    }

    pub(super) fn tallied(&mut self, tally: &Tally, serial: u64, result: Result<Tallied, Problem>, now: Now) {
        self.purse.told(tally, serial, result, now);
    }

    /// The limits as they stand now, where the user writes them.
    pub(super) fn limited(&mut self, limits: Budgets) {
        if self.purse.open {
            self.purse.limits = limits;
        }
    }

    /// Asks once a day what was spent, for showing.
    pub(super) fn pump_purse(&mut self, now: Now, orders: &mut Vec<Order>) {
        if self.purse.open {
            self.purse.ask(Tally::Day(now.wall), now, orders);
        }
    }
}
