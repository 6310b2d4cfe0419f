//! Which question to ask next: one task, a page of the list, or nothing yet.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::LocalId;
use crate::time::{Chance, Mono};

/// Rows on a page of the list: the most the service gives \[D\].
pub const PAGE_SIZE: u32 = 100;
/// Tasks that will be due this soon are asked about together with those that are.
const SLACK: Duration = Duration::from_millis(1000);
const SHORTEST: Duration = Duration::from_millis(2500);
const LONGEST: Duration = Duration::from_secs(15);
/// Between looks at a task whose end a callback will tell: with its jitter, and a little for the answer, what was not
/// delivered is found within a minute.
const RECONCILE: Duration = Duration::from_secs(50);

#[derive(Clone, Copy, Debug)]
struct Look {
    next: Mono,
    /// When it was accepted, or first seen running in this run.
    since: Mono,
    /// A page on which it should have been did not show it: ask for it alone. Absence is no news \[I\].
    alone: bool,
    asked: bool,
}

/// What is due, as seen by the planner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Ask for this one.
    One(LocalId),
    /// Ask for this page of the list, counted from 1, on behalf of these.
    Page(u32, Vec<LocalId>),
}

/// The tasks under way at the service, and when each is looked at next.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    looks: BTreeMap<LocalId, Look>,
    /// No look before this: they are spaced so that creations always find room.
    not_before: Mono,
    /// Callbacks arrive.
    callbacks: bool,
    /// Tasks that have one.
    promised: BTreeSet<LocalId>,
}

impl Watch {
    /// A callback will tell the end of this task. To be said before [`Watch::start`].
    pub fn promise(&mut self, id: LocalId) {
        self.promised.insert(id);
    }

    /// Callbacks arrive, or do not: tasks that have one are looked at slowly while they do.
    pub fn trust_callbacks(&mut self, yes: bool) {
        self.callbacks = yes;
    }

    /// How long after it was last heard of a task is looked at again.
    fn pause(&self, id: LocalId, age: Duration, chance: &mut Chance) -> Duration {
        if self.callbacks && self.promised.contains(&id) {
            RECONCILE.mul_f64(0.9 + 0.2 * chance.unit())
        } else {
            interval(age, chance)
        }
    }

    /// Starts watching a task that was accepted at `since`, or wants a look right now.
    pub fn start(&mut self, id: LocalId, since: Mono, now: Mono, chance: &mut Chance) {
        let next = now.max(since + self.pause(id, Duration::ZERO, chance));
        self.looks.entry(id).or_insert(Look { next, since, alone: false, asked: false });
    }

    /// Wants one look at this task alone, as soon as may be.
    pub fn look_now(&mut self, id: LocalId, now: Mono) {
        let look = self.looks.entry(id).or_insert(Look { next: now, since: now, alone: true, asked: false });
        look.next = now;
        look.alone = true;
    }

    /// Stops watching.
    pub fn stop(&mut self, id: LocalId) {
        self.looks.remove(&id);
        self.promised.remove(&id);
    }

    /// Something was heard of this task.
    pub fn heard(&mut self, id: LocalId, now: Mono, chance: &mut Chance) {
        let Some(since) = self.looks.get(&id).map(|look| look.since) else { return };
        let pause = self.pause(id, now.since(since), chance);
        if let Some(look) = self.looks.get_mut(&id) {
            look.next = now + pause;
            look.alone = false;
            look.asked = false;
        }
    }

    /// The answer came and did not tell anything of this task.
    pub fn missed(&mut self, id: LocalId, now: Mono) {
        if let Some(look) = self.looks.get_mut(&id) {
            look.asked = false;
            look.alone = true;
            look.next = now;
        }
    }

    /// The question failed; it is asked again after `wait`.
    pub fn failed(&mut self, id: LocalId, now: Mono, wait: Duration) {
        if let Some(look) = self.looks.get_mut(&id) {
            look.asked = false;
            look.next = now + wait;
        }
    }

    /// The next question, if one is due. `newest_first` are all tasks known to be at the service, newest first:
    /// from their order follows on which page a task must be.
    pub fn plan(&self, now: Mono, newest_first: &[LocalId]) -> Option<Plan> {
        if now < self.not_before {
            return None;
        }
        let idle = || self.looks.iter().filter(|(_, look)| !look.asked);
        let (first, look) = idle().min_by_key(|(_, look)| look.next).filter(|(_, look)| look.next <= now)?;
        if look.alone {
            return Some(Plan::One(*first));
        }
        let due: BTreeSet<LocalId> =
            idle().filter(|(_, look)| !look.alone && look.next <= now + SLACK).map(|(id, _)| *id).collect();
        if due.len() < 2 {
            return Some(Plan::One(*first));
        }
        let mut pages: BTreeMap<u32, Vec<LocalId>> = BTreeMap::new();
        for (rank, id) in (0u32..).zip(newest_first) {
            if due.contains(id) {
                pages.entry(rank / PAGE_SIZE + 1).or_default().push(*id);
            }
        }
        let (page, ids) = pages.into_iter().max_by_key(|(page, ids)| (ids.len(), std::cmp::Reverse(*page)))?;
        // One task on a page of its own is cheaper to ask for by name, and surer.
        Some(if let [only] = ids.as_slice() { Plan::One(*only) } else { Plan::Page(page, ids) })
    }

    /// Notes that the plan is carried out.
    pub fn asked(&mut self, plan: &Plan, now: Mono, gap: Duration) {
        let ids = match plan {
            Plan::One(id) => std::slice::from_ref(id),
            Plan::Page(_, ids) => ids,
        };
        for id in ids {
            if let Some(look) = self.looks.get_mut(id) {
                look.asked = true;
            }
        }
        self.not_before = now + gap;
    }

    /// When the next look is due.
    #[must_use]
    pub fn due(&self) -> Option<Mono> {
        let next = self.looks.values().filter(|look| !look.asked).map(|look| look.next).min()?;
        Some(next.max(self.not_before))
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

/// Often while an image may end any moment, slower the longer it takes: a third of its age, give or take a
/// tenth so that tasks sent together do not stay in step for ever.
fn interval(age: Duration, chance: &mut Chance) -> Duration {
    (age / 3).clamp(SHORTEST, LONGEST).mul_f64(0.9 + 0.2 * chance.unit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> LocalId {
        LocalId::from_random(n << 64)
    }

    fn secs(s: u64) -> Mono {
        Mono(s * 1000)
    }

    fn watching(n: u128) -> (Watch, Vec<LocalId>, Chance) {
        let mut chance = Chance::new(1);
        let mut watch = Watch::default();
        let ids: Vec<LocalId> = (1..=n).rev().map(id).collect();
        for id in &ids {
            watch.start(*id, secs(0), secs(0), &mut chance);
        }
        (watch, ids, chance)
    }

    #[test]
    fn one_task_is_asked_for_by_name_and_two_by_page() {
        let (watch, ids, _) = watching(1);
        assert_eq!(watch.plan(secs(0), &ids), None, "not the moment it was accepted");
        assert_eq!(watch.plan(secs(4), &ids), Some(Plan::One(ids[0])));
        let (watch, ids, _) = watching(2);
        assert_eq!(watch.plan(secs(4), &ids), Some(Plan::Page(1, ids.clone())));
    }

    #[test]
    fn the_page_follows_from_what_was_created_later() {
        let (mut watch, ids, mut chance) = watching(250);
        for id in &ids[..200] {
            watch.heard(*id, secs(30), &mut chance);
        }
        assert_eq!(watch.plan(secs(30), &ids), Some(Plan::Page(3, ids[200..].to_vec())));
    }

    #[test]
    fn nothing_is_asked_twice_at_once() {
        let (mut watch, ids, _) = watching(3);
        let plan = watch.plan(secs(4), &ids).expect("due");
        watch.asked(&plan, secs(4), Duration::ZERO);
        assert_eq!(watch.plan(secs(60), &ids), None);
    }

    #[test]
    fn absence_from_a_page_is_no_news() {
        let (mut watch, ids, mut chance) = watching(2);
        let plan = watch.plan(secs(4), &ids).expect("due");
        watch.asked(&plan, secs(4), Duration::ZERO);
        watch.heard(ids[0], secs(5), &mut chance);
        watch.missed(ids[1], secs(5));
        assert_eq!(watch.plan(secs(5), &ids), Some(Plan::One(ids[1])));
    }
}
