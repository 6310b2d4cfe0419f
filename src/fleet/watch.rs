//! Which question to ask next: one task, a page of the list, or nothing yet.
//!
//! Not knowing costs: of a task seen running a while ago, the delay to expect from not having asked grows with the
//! likelihood that it has ended since. A question is worth its price when the expected delay of all tasks it would
//! tell about adds up to that price; and the price rises as the allowance runs low. For steady ends that is the
//! classic rule of inspection: ask at the square root of the hazard.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use crate::domain::{LocalId, Page, Request};
use crate::time::{Mono, Wall};

use super::durations::Durations;
use super::places::{BLOCK, Places};

/// Rows on a page of the list: the most the service gives \[D\].
pub const PAGE_SIZE: u32 = 100;
/// What a question costs while the allowance is idle, in seconds of expected delay.
const PRICE: f64 = 0.2;
/// And when a large allowance is spread evenly.
const EVEN_PRICE: f64 = 0.25;
/// The task the user looks at counts as so many.
const SELECTED: f64 = 3.0;
/// No answer is put off longer than this, in seconds: while nothing was learned and nothing else is to do; and
/// otherwise, from what age on how slowly.
const CURIOUS: (f64, f64) = (2.9, 15.0);
const PATIENT: (f64, f64) = (10.0, 60.0);
/// Between looks at a task whose end a callback will tell: what was not delivered is found within a minute.
const RECONCILE: f64 = 50.0;
/// Between questions about single tasks.
const SINGLE_GAP: Duration = Duration::from_secs(1);
/// Nothing is looked into again sooner than this.
const SOON: Duration = Duration::from_millis(50);
/// Pages that did not show a task before it is asked for by name.
const MISSES: u8 = 2;
/// Pages whose order was not what we thought, and that do not count as such.
const MOVES: u8 = 40;

#[derive(Clone, Copy, Debug)]
struct Look {
    curve: usize,
    /// Its age, in seconds, at the moment `base`.
    age: f64,
    base: Mono,
    /// Its age when it was last heard of.
    seen: f64,
    /// Not to be asked about before this.
    ready: Mono,
    asked: bool,
    /// It is one of a block: its curve and its ages mean something.
    running: bool,
    /// To be asked for by name, at this moment.
    single: Option<Mono>,
    misses: u8,
    /// How often it turned out to have been looked for in the wrong place.
    moves: u8,
}

impl Look {
    fn age(&self, now: Mono) -> f64 {
        self.age + now.since(self.base).as_secs_f64()
    }
}

/// What is due, as seen by the planner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Ask for this one.
    One(LocalId),
    /// Ask for this page of the list, counted from 1, on behalf of these.
    Page(u32, Vec<LocalId>),
}

/// How much may be asked at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Looks in a minute.
    pub quota: u32,
    /// Looks in the last minute.
    pub used: u32,
    /// Creations wait for the same allowance.
    pub crowded: bool,
}

impl Pace {
    /// So much may be asked that a minute need not be planned.
    fn is_even(self) -> bool {
        !self.crowded && self.quota >= 100
    }
}

/// The tasks under way at the service, and when each is looked at next.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    looks: HashMap<LocalId, Look>,
    places: Places,
    /// Tasks that run, by block of the list.
    blocks: BTreeMap<usize, Vec<LocalId>>,
    /// When to look into a block again.
    due: BTreeSet<(Mono, usize)>,
    due_of: HashMap<usize, Mono>,
    singles: BTreeSet<(Mono, LocalId)>,
    dirty: BTreeSet<usize>,
    /// No page before this.
    not_before: Mono,
    /// No single task before this.
    single_from: Mono,
    price: f64,
    durations: Durations,
    selected: Option<LocalId>,
    /// Callbacks arrive.
    callbacks: bool,
    /// Tasks that have one.
    promised: HashSet<LocalId>,
}

impl Watch {
    /// What was learned of durations.
    #[must_use]
    pub fn durations(&self) -> &Durations {
        &self.durations
    }

    /// What was learned of durations, to add to it.
    pub fn durations_mut(&mut self) -> &mut Durations {
        &mut self.durations
    }

    /// The curve for a request.
    pub fn curve(&mut self, request: &Request) -> usize {
        self.durations.curve(&request.full_model(), &request.input)
    }

    /// A callback will tell the end of this task. To be said before [`Watch::start`].
    pub fn promise(&mut self, id: LocalId) {
        self.promised.insert(id);
    }

    /// Callbacks arrive, or do not: tasks that have one are looked at slowly while they do.
    pub fn trust_callbacks(&mut self, yes: bool) {
        if self.callbacks != yes {
            self.callbacks = yes;
            self.dirty.extend(self.blocks.keys());
        }
    }

    /// The user looks at this task.
    pub fn select(&mut self, id: Option<LocalId>) {
        if self.selected != id {
            let both = [self.selected, id];
            self.selected = id;
            both.into_iter().flatten().for_each(|id| self.touch(id));
        }
    }

    /// A task was accepted now.
    pub fn accepted(&mut self, id: LocalId, at: Wall) {
        self.places.push(id, at);
    }

    /// Tasks that were accepted earlier came from the store.
    pub fn placed(&mut self, tasks: Vec<(Wall, LocalId)>) {
        if self.places.extend(tasks) {
            self.enlist_all();
        }
    }

    /// Places have changed.
    fn enlist_all(&mut self) {
        let running: Vec<LocalId> = std::mem::take(&mut self.blocks).into_values().flatten().collect();
        self.due.clear();
        self.due_of.clear();
        running.into_iter().for_each(|id| self.enlist(id));
    }

    fn enlist(&mut self, id: LocalId) {
        if let Some(place) = self.places.of(id) {
            self.blocks.entry(place / BLOCK).or_default().push(id);
            self.dirty.insert(place / BLOCK);
        }
    }

    fn touch(&mut self, id: LocalId) {
        if let Some(place) = self.places.of(id) {
            self.dirty.insert(place / BLOCK);
        }
    }

    /// Starts watching a task of this age that was accepted, or restored, now. `seen` is its age when it was last
    /// heard of.
    pub fn start(&mut self, id: LocalId, curve: usize, age: Duration, seen: Duration, now: Mono) {
        let (age, seen) = (age.as_secs_f64(), seen.as_secs_f64());
        let old = self.looks.get(&id).copied();
        if old.is_some_and(|look| look.running) {
            return;
        }
        // Somebody may have asked for it by name already.
        let (asked, single) = old.map_or((false, None), |look| (look.asked, look.single));
        let look = Look { curve, age, base: now, seen, ready: now, asked, running: true, single, misses: 0, moves: 0 };
        self.looks.insert(id, look);
        self.enlist(id);
    }

    fn set_single(&mut self, id: LocalId, at: Option<Mono>) {
        if let Some(look) = self.looks.get_mut(&id) {
            if let Some(old) = look.single.take() {
                self.singles.remove(&(old, id));
            }
            look.single = at;
            if let Some(at) = at.filter(|_| !look.asked) {
                self.singles.insert((at, id));
            }
        }
    }

    /// Wants one look at this task alone, as soon as may be.
    pub fn look_now(&mut self, id: LocalId, now: Mono) {
        self.looks.entry(id).or_insert(Look {
            curve: 0,
            age: 0.0,
            base: now,
            seen: 0.0,
            ready: now,
            asked: false,
            running: false,
            single: None,
            misses: 0,
            moves: 0,
        });
        self.set_single(id, Some(now));
        self.single_from = self.single_from.min(now);
    }

    /// Its news are overdue, whatever its age: a page will do.
    pub fn look_soon(&mut self, id: LocalId) {
        if let Some(look) = self.looks.get_mut(&id) {
            look.seen = f64::NEG_INFINITY;
            self.touch(id);
        }
    }

    /// Stops watching.
    pub fn stop(&mut self, id: LocalId) {
        self.set_single(id, None);
        self.looks.remove(&id);
        self.promised.remove(&id);
        self.delist(id);
    }

    fn delist(&mut self, id: LocalId) {
        let Some(place) = self.places.of(id) else { return };
        let Some(block) = self.blocks.get_mut(&(place / BLOCK)) else { return };
        block.retain(|other| *other != id);
        if block.is_empty() {
            self.blocks.remove(&(place / BLOCK));
        }
        self.dirty.insert(place / BLOCK);
    }

    /// It ended, after so long if that is known; a look of its own may still be wanted.
    pub fn ended(&mut self, id: LocalId, took: Option<Duration>, keep: bool) {
        let look = self.looks.get(&id).copied().filter(|look| look.running);
        if let (Some(look), Some(took)) = (look, took) {
            let seen = Duration::from_secs_f64(look.seen.max(0.0));
            self.durations.get_mut(look.curve).ended(seen, took);
        }
        if keep {
            self.delist(id);
            if let Some(look) = self.looks.get_mut(&id) {
                look.asked = false;
                look.running = false;
                let again = look.single;
                self.set_single(id, again);
            }
        } else {
            self.stop(id);
        }
    }

    /// It was seen running.
    pub fn heard(&mut self, id: LocalId, now: Mono) {
        let Some(look) = self.looks.get_mut(&id) else { return };
        let age = look.age(now);
        let span = (Duration::from_secs_f64(look.seen.max(0.0)), Duration::from_secs_f64(age.max(0.0)));
        look.seen = age;
        look.asked = false;
        look.misses = 0;
        look.moves = 0;
        look.ready = now;
        if look.running {
            self.durations.get_mut(look.curve).ran(span.0, span.1);
        }
        self.set_single(id, None);
        self.touch(id);
    }

    /// A page was read: these of ours stood in these rows of it, and these should have been there and were not.
    pub fn page_read(&mut self, page: &Page, hits: &[(LocalId, usize)], missing: &[LocalId], now: Mono) {
        let moved = self.places.seen(page.page, page.size, page.total, hits);
        if moved {
            self.enlist_all();
        }
        let full = page.reports.len() >= page.size as usize;
        // Few are asked for by name at once. Many means that the page was the wrong one.
        let many = missing.len() > 3.max(hits.len() / 4);
        let mut pushed = BTreeSet::new();
        for id in missing {
            let Some(look) = self.looks.get_mut(id) else { continue };
            look.asked = false;
            if moved && many && look.moves < MOVES {
                // It was looked for in the wrong place, and that is better known now.
                look.moves += 1;
                self.touch(*id);
                continue;
            }
            look.misses = look.misses.saturating_add(1);
            if !many || look.misses > MISSES {
                look.misses = 0;
                self.set_single(*id, Some(now));
            } else if let Some(place) = self.places.of(*id).filter(|_| full && hits.is_empty())
                && pushed.insert(place / BLOCK)
            {
                self.places.pushed_down(place);
            }
            self.touch(*id);
        }
    }

    /// The question failed; it is asked again after `wait`.
    pub fn failed(&mut self, id: LocalId, now: Mono, wait: Duration) {
        let Some(look) = self.looks.get_mut(&id) else { return };
        look.asked = false;
        look.ready = now + wait;
        let alone = look.single.is_some() || !look.running;
        self.set_single(id, alone.then_some(now + wait));
        self.touch(id);
    }

    /// How long news of this task may be put off, in seconds, and how much its delay counts.
    fn patience(&self, id: LocalId, look: &Look, age: f64) -> (f64, f64) {
        if self.callbacks && self.promised.contains(&id) {
            return (RECONCILE, 0.0);
        }
        let weight = if self.selected == Some(id) { SELECTED } else { 1.0 };
        let curious = self.price < 2.0 * PRICE && !self.durations.get(look.curve).is_known();
        let (least, most) = if curious { CURIOUS } else { PATIENT };
        ((age / 3.0).clamp(least, most), weight)
    }

    /// What not having asked about these costs by now, in seconds of expected delay, and when they are due.
    fn weigh(&self, ids: impl Iterator<Item = LocalId>, now: Mono) -> (f64, Option<Mono>) {
        let (mut ends, mut delay, mut hazard) = (0.0, 0.0, 0.0);
        let (mut latest, mut young, mut ready) = (f64::INFINITY, f64::INFINITY, None::<Mono>);
        for id in ids {
            let Some(look) = self.looks.get(&id).filter(|look| !look.asked && look.single.is_none()) else { continue };
            if look.ready > now {
                ready = Some(ready.map_or(look.ready, |at| at.min(look.ready)));
                continue;
            }
            let age = look.age(now);
            let curve = self.durations.get(look.curve);
            let (patience, weight) = self.patience(id, look, age);
            latest = latest.min(look.seen + patience - age);
            if weight > 0.0 {
                let (e, d) = curve.unseen(look.seen.max(0.0), age);
                ends += weight * e;
                delay += weight * d;
                hazard += weight * curve.hazard(age);
                young = young.min(age);
            }
        }
        if latest <= 0.0 {
            return (f64::INFINITY, Some(now));
        }
        let lack = self.price - delay;
        let wait = if lack <= 0.0 {
            0.0
        } else if hazard > 1e-9 {
            ((ends * ends + 2.0 * hazard * lack).sqrt() - ends) / hazard
        } else {
            f64::INFINITY
        };
        // Hazards change with age: look into it again before long.
        let wait = wait.min(latest).min((young / 4.0).max(1.0)).min(3600.0);
        let due = (latest.is_finite()).then(|| now + Duration::from_secs_f64(wait));
        (delay, due.into_iter().chain(ready).min())
    }

    fn schedule(&mut self, block: usize, at: Option<Mono>) {
        if let Some(old) = self.due_of.remove(&block) {
            self.due.remove(&(old, block));
        }
        if let Some(at) = at {
            self.due_of.insert(block, at);
            self.due.insert((at, block));
        }
    }

    fn weigh_block(&self, block: usize, now: Mono) -> (f64, Option<Mono>) {
        self.blocks.get(&block).map_or((0.0, None), |ids| self.weigh(ids.iter().copied(), now))
    }

    /// The next question, if one is worth its price.
    pub fn plan(&mut self, now: Mono, pace: Pace) -> Option<Plan> {
        let quota = f64::from(pace.quota.max(1));
        let free = (1.0 - f64::from(pace.used) / quota).max(0.02);
        // A small allowance is spent where it is worth most, and dearer as it runs low; a large one is spread evenly.
        self.price = if pace.is_even() { EVEN_PRICE } else { PRICE * (0.6 / free).max(1.0) };
        for block in std::mem::take(&mut self.dirty) {
            let (_, due) = self.weigh_block(block, now);
            self.schedule(block, due);
        }
        if let Some((at, id)) = self.singles.first().copied()
            && at.max(self.single_from) <= now
        {
            return Some(Plan::One(id));
        }
        if now < self.not_before {
            return None;
        }
        if pace.used >= pace.quota {
            self.not_before = now + Duration::from_secs(1);
            return None;
        }
        while let Some((_, block)) = self.due.first().copied().filter(|(at, _)| *at <= now) {
            let (delay, due) = self.weigh_block(block, now);
            if delay >= self.price
                && let Some(plan) = self.choose(block, now)
            {
                return Some(plan);
            }
            self.schedule(block, due.map(|due| due.max(now + SOON)));
        }
        None
    }

    /// The page that tells most about this block, and all whom it tells about.
    fn choose(&self, block: usize, now: Mono) -> Option<Plan> {
        let ready = |id: &LocalId| {
            self.looks.get(id).is_some_and(|look| !look.asked && look.single.is_none() && look.ready <= now)
        };
        let mut pages: BTreeMap<u32, Vec<LocalId>> = BTreeMap::new();
        for id in self.blocks.get(&block)?.iter().copied().filter(|id| ready(id)) {
            pages.entry(self.places.page(self.places.of(id)?)).or_default().push(id);
        }
        let worth = |ids: &[LocalId]| self.weigh(ids.iter().copied(), now).0;
        let (page, mine) = pages
            .into_iter()
            .max_by(|a, b| worth(&a.1).total_cmp(&worth(&b.1)).then(a.1.len().cmp(&b.1.len())).then(b.0.cmp(&a.0)))?;
        let range = self.places.on_page(page, block);
        let blocks = self.blocks.range(range.start / BLOCK..=range.end.saturating_sub(1) / BLOCK);
        let others = blocks
            .flat_map(|(_, ids)| ids)
            .copied()
            .filter(|id| ready(id) && self.places.of(*id).is_some_and(|place| range.contains(&place)));
        let all: BTreeSet<LocalId> = mine.into_iter().chain(others).collect();
        // One task on a page of its own is cheaper to ask for by name, and surer.
        match all.len() {
            0 => None,
            1 => all.first().copied().map(Plan::One),
            _ => Some(Plan::Page(page, all.into_iter().collect())),
        }
    }

    /// Notes that the plan is carried out.
    pub fn asked(&mut self, plan: &Plan, now: Mono, pace: Pace) {
        let ids = match plan {
            Plan::One(id) => std::slice::from_ref(id),
            Plan::Page(_, ids) => ids,
        };
        for id in ids {
            if let Some(look) = self.looks.get_mut(id) {
                look.asked = true;
                if let Some(at) = look.single {
                    self.singles.remove(&(at, *id));
                }
            }
            self.touch(*id);
        }
        let minute = Duration::from_secs(60);
        let quota = pace.quota.max(1);
        let gap = if pace.crowded || pace.is_even() { minute / quota } else { minute / (3 * quota) };
        self.not_before = now + gap;
        self.single_from = now + if pace.crowded { gap } else { SINGLE_GAP.min(gap) };
    }

    /// When the next look is due.
    #[must_use]
    pub fn due(&self) -> Option<Mono> {
        let page = self.due.first().map(|(at, _)| (*at).max(self.not_before));
        let single = self.singles.first().map(|(at, _)| (*at).max(self.single_from));
        page.into_iter().chain(single).min()
    }

    /// For how much longer a task should run; `None` when it does not.
    #[must_use]
    pub fn left(&self, id: LocalId, now: Mono) -> Option<Duration> {
        let look = self.looks.get(&id).filter(|look| look.running)?;
        Some(self.durations.get(look.curve).left(Duration::from_secs_f64(look.age(now).max(0.0))))
    }

    /// It runs longer than ninety-nine of a hundred of its kind.
    #[must_use]
    pub fn is_outlier(&self, id: LocalId, now: Mono) -> bool {
        let age = |look: &Look| Duration::from_secs_f64(look.age(now).max(0.0));
        self.looks.get(&id).is_some_and(|look| look.running && self.durations.get(look.curve).is_outlier(age(look)))
    }

    /// Pages of the list that it takes to see all of them.
    #[must_use]
    pub fn pages(&self) -> u32 {
        u32::try_from((self.blocks.len() * BLOCK).div_ceil(PAGE_SIZE as usize)).unwrap_or(u32::MAX)
    }

    /// Tasks being watched.
    #[must_use]
    pub fn len(&self) -> usize {
        self.looks.len()
    }

    /// Nothing is being watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.looks.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EASY: Pace = Pace { quota: 20, used: 0, crowded: false };

    fn id(n: u128) -> LocalId {
        LocalId::from_random(n << 64)
    }

    fn secs(s: u64) -> Mono {
        Mono(s * 1000)
    }

    /// Newest first.
    fn watching(n: u128) -> (Watch, Vec<LocalId>) {
        let mut watch = Watch::default();
        let curve = watch.durations_mut().curve("m", &serde_json::Map::new());
        for n in 1..=n {
            watch.accepted(id(n), Wall(0));
            watch.start(id(n), curve, Duration::ZERO, Duration::ZERO, secs(0));
        }
        (watch, (1..=n).rev().map(id).collect())
    }

    fn sorted(ids: &[LocalId]) -> Vec<LocalId> {
        let set: BTreeSet<LocalId> = ids.iter().copied().collect();
        set.into_iter().collect()
    }

    #[test]
    fn one_task_is_asked_for_by_name_and_two_by_page() {
        let (mut watch, ids) = watching(1);
        assert_eq!(watch.plan(secs(0), EASY), None, "not the moment it was accepted");
        assert_eq!(watch.plan(secs(3), EASY), Some(Plan::One(ids[0])));
        let (mut watch, ids) = watching(2);
        assert_eq!(watch.plan(secs(3), EASY), Some(Plan::Page(1, sorted(&ids))));
    }

    #[test]
    fn the_page_follows_from_what_was_created_later() {
        let (mut watch, ids) = watching(250);
        for id in &ids[..200] {
            watch.heard(*id, secs(30));
        }
        assert_eq!(watch.plan(secs(30), EASY), Some(Plan::Page(3, sorted(&ids[200..]))));
    }

    #[test]
    fn nothing_is_asked_twice_at_once() {
        let (mut watch, _) = watching(3);
        let plan = watch.plan(secs(4), EASY).expect("due");
        watch.asked(&plan, secs(4), EASY);
        assert_eq!(watch.plan(secs(60), EASY), None);
    }

    #[test]
    fn absence_from_a_page_is_no_news() {
        let (mut watch, ids) = watching(2);
        let plan = watch.plan(secs(4), EASY).expect("due");
        watch.asked(&plan, secs(4), EASY);
        watch.heard(ids[0], secs(5));
        watch.page_read(&page(1, 1), &[(ids[0], 0)], &[ids[1]], secs(5));
        assert_eq!(watch.plan(secs(5), EASY), Some(Plan::One(ids[1])));
    }

    /// B14
    #[test]
    fn stragglers_are_asked_about_slowly_and_marked() {
        let (mut watch, ids) = watching(1);
        let (mut now, mut looks) = (secs(0), 0);
        while now < secs(7200) {
            now = watch.due().unwrap_or(now).max(now + SOON);
            if let Some(plan) = watch.plan(now, EASY) {
                watch.asked(&plan, now, EASY);
                watch.heard(ids[0], now);
                let _ = watch.plan(now, EASY);
                looks += u32::from(now > secs(3600));
            }
        }
        assert!((50..=260).contains(&looks), "{looks} looks in an hour");
        assert!(watch.is_outlier(ids[0], now) && !watch.is_outlier(ids[0], secs(10)));
    }

    #[test]
    fn looks_are_dear_when_creations_wait() {
        let (mut watch, ids) = watching(40);
        let pace = Pace { quota: 4, used: 0, crowded: true };
        let mut looks = Vec::new();
        for tenth in 0..600 {
            let now = Mono(tenth * 100);
            if let Some(plan) = watch.plan(now, pace) {
                watch.asked(&plan, now, pace);
                ids.iter().for_each(|id| watch.heard(*id, now));
                looks.push(now);
            }
        }
        assert!((3..=5).contains(&looks.len()), "{looks:?}");
    }
}
