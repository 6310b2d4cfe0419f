//! Which question to ask next: one task, a page of the list, or nothing yet.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::domain::LocalId;
use crate::time::Mono;

use super::places::BLOCK;
use super::watch::Watch;
use super::worth::price;

/// Between questions about single tasks.
const SINGLE_GAP: Duration = Duration::from_secs(1);
/// Nothing is looked into again sooner than this.
const SOON: Duration = Duration::from_millis(50);

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
    pub(super) fn is_even(self) -> bool {
        !self.crowded && self.quota >= 100
    }
}

impl Watch {
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
        self.price = price(pace);
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
}

#[cfg(test)]
mod tests {
    use super::super::watch::PAGE_SIZE;
    use super::*;
    use crate::domain::{Page, Report, Source, Status};
    use crate::time::Wall;

    const EASY: Pace = Pace { quota: 20, used: 0, crowded: false };

    fn id(n: u128) -> LocalId {
        LocalId::from_random(n << 64)
    }

    fn secs(s: u64) -> Mono {
        Mono(s * 1000)
    }

    /// A page with so many rows that nobody reads.
    fn page(page: u32, rows: usize, total: u64) -> Page {
        let report = |n: usize| Report {
            task_id: format!("tk-{n}").parse().expect("an id"),
            model: "m".into(),
            status: Status::Handling,
            outputs: Vec::new(),
            created: None,
            completed: None,
            source: Source::Page,
        };
        Page { page, size: PAGE_SIZE, total, reports: (0..rows).map(report).collect() }
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
        watch.page_read(&page(1, 1, 1), &[(ids[0], 0)], &[ids[1]], secs(5));
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
