//! Journeys of money: what is reserved, what comes back, what a limit holds back, and that a restart remembers.

use plantain::config::Budgets;
use plantain::domain::money::Sum;
use plantain::domain::{Budget, Catalogue, LocalId, Problem, Stage, Status, Usd};
use plantain::fleet::{FleetMsg, Order, Tallied, Tally};
use plantain::time::Wall;

use crate::support::{Desk, secs};

/// What each of the tasks here costs: the catalogue of these tests knows one price.
const EACH: Usd = Usd(50_000);

fn catalogue(priced: bool) -> Catalogue {
    let built_in = include_str!("../../src/domain/models.json");
    let mut file: serde_json::Value = serde_json::from_str(built_in).expect("JSON");
    if priced {
        file["models"][0]["price"] =
            serde_json::json!({"date": "2025-06-01", "unit": "image", "values": {"base": 0.05}});
    }
    Catalogue::parse(&file.to_string()).expect("a catalogue")
}

fn day(usd: f64) -> Budgets {
    Budgets { day: Usd::new(usd), ..Budgets::default() }
}

/// A desk whose purse is open, and what its store says when it is asked.
struct Till {
    desk: Desk,
    asked: Option<(Tally, u64)>,
    limits: Budgets,
}

impl Till {
    fn new(limits: Budgets) -> Self {
        Self::over(Desk::new(), limits)
    }

    fn over(mut desk: Desk, limits: Budgets) -> Self {
        desk.state.catalogue = catalogue(true);
        desk.state.fleet.know_prices(catalogue(true));
        desk.state.fleet.keep_purse(limits);
        Self { desk, asked: None, limits }
    }

    /// Takes note of the question for the store, and of nothing else.
    fn look(&mut self) -> &mut Self {
        if let Some(Order::Tally(tally, serial)) = self.desk.last_tally() {
            self.asked = Some((tally.clone(), *serial));
        }
        self.desk.seen();
        self
    }

    /// The store answers, from its rows as they are.
    fn told(&mut self) -> &mut Self {
        self.look();
        let (tally, serial) = self.asked.take().expect("the store was asked");
        let noon = self.desk.now.wall;
        let spent = self.desk.store.tasks.values().filter(|task| task.spent.is_some());
        let sum = spent.fold(Sum::default(), |sum, task| match &task.cost {
            Some(cost) => Sum { usd: sum.usd.plus(cost.usd), ..sum },
            None => Sum { unknown: sum.unknown + 1, ..sum },
        });
        let told = Tallied { sum, from: Wall(noon.0 - 1000), until: Wall(noon.0 + 3_600_000) };
        self.desk.fleet(FleetMsg::Limited(self.limits));
        self.desk.fleet(FleetMsg::Tallied { tally, serial, result: Ok(told) });
        self.look()
    }

    fn submit(&mut self, prompt: &str) -> &mut Self {
        self.desk.submit(prompt).stored().stored();
        self.look()
    }

    fn today(&self) -> Usd {
        self.desk.state.fleet.purse().today(self.desk.now).expect("it is known").usd
    }

    fn held_by(&self, name: &str) -> Option<&Problem> {
        match &self.desk.task(name).status {
            Status::Held(why) => why.as_ref(),
            _ => None,
        }
    }
}

/// G7: nothing leaves before the store has said what is spent; then as much leaves as the limit allows, and what is
/// held back says why.
#[test]
fn the_limit_of_a_day_stops_before_the_first_byte() {
    let mut till = Till::new(day(0.12));
    till.submit("one").submit("two").submit("three");
    assert_eq!(till.desk.stage("A"), Stage::Saved, "nothing is sent while the sum is not known");
    till.told();
    till.desk.stored();
    till.look();
    assert_eq!(["A", "B", "C"].map(|name| till.desk.stage(name)), [Stage::Sending, Stage::Sending, Stage::Held]);
    assert_eq!(till.today(), EACH.times(2));
    let limit = Usd::new(0.12).expect("an amount");
    let why = Problem::Budget { of: Budget::Day, limit, sum: EACH.times(2), cost: EACH };
    assert_eq!(till.held_by("C"), Some(&why));
    assert!(why.sentence().contains("$0.12") && why.sentence().contains("$0.10"), "{}", why.sentence());
    assert!(till.desk.store.tasks[&till.desk.id("A")].spent.is_some(), "the reservation is on the disk");
}

/// A refusal that is known gives the money back; an answer that never came does not.
#[test]
fn a_known_refusal_gives_the_reservation_back() {
    let mut till = Till::new(day(0.10));
    till.submit("one").told();
    till.submit("two").desk.stored();
    till.look();
    assert_eq!(till.today(), EACH.times(2));
    till.desk.refused("A", Problem::Rejected { status: 400, code: None, message: "no".into() }).stored();
    assert_eq!(till.today(), EACH);
    assert_eq!((till.desk.task("A").spent, till.desk.store.tasks[&till.desk.id("A")].spent), (None, None));
    till.desk.refused("B", Problem::Network { sent: true, message: "cut".into() }).stored();
    assert_eq!(till.today(), EACH, "it may have been taken");
    till.submit("three").desk.stored();
    till.submit("four").desk.stored();
    assert_eq!((till.desk.stage("C"), till.desk.stage("D")), (Stage::Sending, Stage::Held));
    // Turned away as one too many: the money is free again until its next turn.
    till.desk.refused("C", Problem::Limit { retry_after: Some(5) }).stored();
    assert_eq!(till.today(), EACH);
    till.desk.later(secs(30)).stored();
    till.look();
    assert_eq!((till.desk.stage("C"), till.today()), (Stage::Sending, EACH.times(2)));
    // A write that failed: nothing was sent, nothing is spent.
    assert!(till.desk.task("B").spent.is_some());
}

/// Killed and started again: what was spent is read from the disk, before anything is sent.
#[test]
fn a_restart_remembers_what_was_spent() {
    let mut till = Till::new(day(0.10));
    till.submit("one").told();
    till.submit("two").desk.stored().accepted("A").stored().accepted("B").stored();
    let mut next = Till::over(till.desk.killed(), day(0.10));
    next.submit("three");
    assert_eq!(next.desk.stage("C"), Stage::Saved);
    next.told();
    assert_eq!((next.desk.stage("C"), next.today()), (Stage::Held, EACH.times(2)));
    // The user raises the limit, and says so with the same key that sends anything held.
    next.limits = day(0.15);
    let id = next.desk.id("C");
    next.desk.fleet(FleetMsg::Send(vec![id])).stored();
    next.told();
    next.desk.stored();
    assert_eq!((next.desk.stage("C"), next.today()), (Stage::Sending, EACH.times(3)));
}

/// R goes on with all that a limit held back, as far as the raised limit allows.
#[test]
fn a_raised_limit_goes_on_with_what_was_held() {
    let mut till = Till::new(day(0.04));
    till.submit("one").told();
    till.submit("two").desk.stored();
    assert_eq!(["A", "B"].map(|name| till.desk.stage(name)), [Stage::Held, Stage::Held]);
    till.limits = day(0.05);
    till.desk.press("esc R").stored();
    till.told();
    till.desk.stored();
    let stages = ["A", "B"].map(|name| till.desk.stage(name));
    assert_eq!(stages.iter().filter(|stage| **stage == Stage::Sending).count(), 1, "{stages:?}");
    assert_eq!(stages.iter().filter(|stage| **stage == Stage::Held).count(), 1, "{stages:?}");
}

/// Without a price nothing is sent under a limit, unless the user says that it may.
#[test]
fn an_unknown_price_is_held_under_a_limit() {
    let mut till = Till::new(day(1.0));
    till.desk.state.fleet.know_prices(catalogue(false));
    till.submit("one").told();
    till.submit("two");
    assert_eq!(till.held_by("A"), Some(&Problem::Unpriced));
    let mut free = Till::new(Budgets { unknown: true, ..day(1.0) });
    free.desk.state.fleet.know_prices(catalogue(false));
    free.submit("one").told();
    free.desk.stored();
    assert_eq!((free.desk.stage("A"), free.desk.task("A").cost.clone()), (Stage::Sending, None));
    let sum = free.desk.state.fleet.purse().today(free.desk.now).expect("it is known");
    assert_eq!(sum, Sum { usd: Usd::ZERO, unknown: 1 });
    // And without a limit nobody asks.
    let mut open = Till::new(Budgets::default());
    open.desk.state.fleet.know_prices(catalogue(false));
    open.submit("one").desk.stored();
    assert_eq!(open.desk.stage("A"), Stage::Sending);
}

/// A store that cannot say what was spent is asked again; meanwhile nothing leaves, and nobody spins.
#[test]
fn without_a_sum_nothing_leaves() {
    let mut till = Till::new(day(1.0));
    till.submit("one");
    let (tally, serial) = till.asked.take().expect("asked");
    let broken = Err(Problem::Local { message: "the disk fails".into() });
    till.desk.fleet(FleetMsg::Tallied { tally, serial, result: broken });
    till.look();
    assert!(till.asked.is_none());
    till.desk.later(secs(3));
    till.told();
    till.desk.stored();
    assert_eq!(till.desk.stage("A"), Stage::Sending);
    // What it wrote down says what it cost, and of when the price is.
    let cost = till.desk.task("A").cost.clone().expect("a price");
    assert_eq!((cost.usd, cost.seen.as_str()), (EACH, "2025-06-01"));
}

/// A write that failed reserved nothing.
#[test]
fn what_could_not_be_written_down_is_not_spent() {
    let mut till = Till::new(day(0.05));
    till.desk.submit("one").stored();
    till.told();
    till.desk.not_stored();
    till.look();
    assert_eq!((till.desk.stage("A"), till.desk.task("A").spent), (Stage::Held, None));
    till.submit("two");
    till.told();
    till.desk.stored();
    assert_eq!(till.desk.stage("B"), Stage::Sending);
    assert!(matches!(till.desk.store.tasks[&till.desk.id("B")], ref task if task.spent.is_some()));
}

/// Whoever takes over counts nothing by heart: the store says what is spent, with what the last holder was sending.
#[test]
fn a_new_holder_asks_what_was_spent() {
    let mut till = Till::new(day(0.10));
    till.submit("one").told().desk.stored();
    assert_eq!((till.desk.stage("A"), till.today()), (Stage::Sending, EACH));
    let now = till.desk.now;
    let mut unfinished = till.desk.store.tasks[&till.desk.id("A")].clone();
    unfinished.status = Status::Unsure(None);
    let orders = till.desk.state.fleet.took_over(vec![unfinished], now);
    assert_eq!(till.desk.state.fleet.purse().today(now), None, "it counts nothing by heart");
    let asked = orders.iter().find_map(|order| match order {
        Order::Tally(tally, serial) => Some((tally.clone(), *serial)),
        _ => None,
    });
    // Somebody else spent the rest meanwhile, which only the store knows.
    let mut other = till.desk.task("A").clone();
    other.id = LocalId::from_random(9);
    till.desk.store.tasks.insert(other.id, other);
    till.submit("two");
    assert_eq!(till.desk.stage("B"), Stage::Saved, "nothing leaves before the store has answered");
    till.asked = asked;
    till.told();
    assert_eq!((till.desk.stage("B"), till.today()), (Stage::Held, EACH.times(2)));
}
