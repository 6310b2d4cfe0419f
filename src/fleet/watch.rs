//! The tasks under way at the service: what is known of each, where in the list it is, and when it may be asked about.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use crate::domain::{LocalId, Page, Request};
use crate::time::{Mono, Wall};

use super::durations::Durations;
use super::places::{BLOCK, Places};

/// Rows on a page of the list: the most the service gives \[D\].
pub const PAGE_SIZE: u32 = 100;
/// Pages that did not show a task before it is asked for by name.
const MISSES: u8 = 2;
/// Pages whose order was not what we thought, and that do not count as such.
const MOVES: u8 = 40;

/// What is known of one task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) curve: usize,
    /// Its age, in seconds, at the moment `base`.
    pub(super) age: f64,
    pub(super) base: Mono,
    /// Its age when it was last heard of.
    pub(super) seen: f64,
    /// Not to be asked about before this.
    pub(super) ready: Mono,
    pub(super) asked: bool,
    /// It is one of a block: its curve and its ages mean something.
    pub(super) running: bool,
    /// To be asked for by name, at this moment.
    pub(super) single: Option<Mono>,
    pub(super) misses: u8,
    /// How often it turned out to have been looked for in the wrong place.
    pub(super) moves: u8,
}

impl Look {
    /// Its age now, in seconds.
    pub(super) fn age(&self, now: Mono) -> f64 {
        self.age + now.since(self.base).as_secs_f64()
    }
}

/// The tasks under way at the service, and when each is looked at next.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    pub(super) looks: HashMap<LocalId, Look>,
    pub(super) places: Places,
    /// Tasks that run, by block of the list.
    pub(super) blocks: BTreeMap<usize, Vec<LocalId>>,
    /// When to look into a block again.
    pub(super) due: BTreeSet<(Mono, usize)>,
    pub(super) due_of: HashMap<usize, Mono>,
    pub(super) singles: BTreeSet<(Mono, LocalId)>,
    pub(super) dirty: BTreeSet<usize>,
    /// No page before this.
    pub(super) not_before: Mono,
    /// No single task before this.
    pub(super) single_from: Mono,
    pub(super) price: f64,
    pub(super) durations: Durations,
    pub(super) selected: Option<LocalId>,
    /// Callbacks arrive.
    pub(super) callbacks: bool,
    /// Tasks that have one.
    pub(super) promised: HashSet<LocalId>,
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

    pub(super) fn touch(&mut self, id: LocalId) {
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
