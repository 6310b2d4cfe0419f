//! Tasks of the account that other programs created: looked for when the user asks, a page of the list at a time, and
//! taken over when the user says so. Nothing is ever sent for them.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::budget::Kind;
use super::{Fleet, News, Order, backoff};
use crate::domain::{Answer, Browse, Change, Found, LocalId, Problem, Report, Task, TaskId, Wish};
use crate::time::{Mono, Now, Wall};

/// Pages that are read at most, of a hundred tasks each.
pub const MOST_PAGES: u32 = 10;
/// Strays that are kept, and questions that may wait.
const MOST: usize = 1000;

/// What is known of the account's tasks that are not ours.
#[derive(Clone, Debug, Default)]
pub struct Strays {
    tasks: BTreeMap<LocalId, Arc<Task>>,
    by_task_id: HashMap<TaskId, LocalId>,
    wanted: VecDeque<Browse>,
    /// Asked, not answered, or answered and not compared with the store.
    open: Option<Browse>,
    sieve: Vec<Report>,
    /// What else the page that is in the sieve told.
    page: (bool, Option<Wall>),
    /// Wanted by other windows.
    for_others: Vec<Browse>,
    pages: u32,
    more: bool,
    oldest: Option<Wall>,
    problem: Option<Problem>,
    not_found: BTreeMap<TaskId, Problem>,
    version: u64,
}

impl Strays {
    /// A task of another program, by the name it has here while it is shown.
    #[must_use]
    pub fn get(&self, id: LocalId) -> Option<&Arc<Task>> {
        self.tasks.get(&id)
    }

    /// The same by the service's name.
    #[must_use]
    pub fn named(&self, task_id: &TaskId) -> Option<&Arc<Task>> {
        self.by_task_id.get(task_id).and_then(|id| self.tasks.get(id))
    }

    /// All that were found, in no useful order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.tasks.values()
    }

    /// Something is being asked, or will be.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.open.is_some() || !self.wanted.is_empty()
    }

    /// How many pages of the list were read, from the first on.
    #[must_use]
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// The next page of the list, if there is one that may be read.
    #[must_use]
    pub fn next_page(&self) -> Option<u32> {
        (self.pages == 0 || self.more && self.pages < MOST_PAGES).then_some(self.pages + 1)
    }

    /// When the oldest task of the pages that were read was created; none while nothing was read.
    #[must_use]
    pub fn oldest(&self) -> Option<Wall> {
        self.oldest
    }

    /// Why the list could not be read the last time, if so.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    /// Why this task was not found, if it was looked for.
    #[must_use]
    pub fn not_found(&self, task_id: &TaskId) -> Option<&Problem> {
        self.not_found.get(task_id)
    }

    /// It moves whenever what is shown changes.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// This task is ours now: it strays no more.
    pub(super) fn own(&mut self, task_id: &TaskId) -> Option<Arc<Task>> {
        let id = self.by_task_id.remove(task_id)?;
        self.version += 1;
        self.tasks.remove(&id)
    }

    fn want(&mut self, browse: Browse) {
        if self.wanted.len() < MOST && !self.wanted.contains(&browse) && self.open.as_ref() != Some(&browse) {
            if let Browse::One(task_id) = &browse {
                self.not_found.remove(task_id);
            }
            self.wanted.push_back(browse);
            self.version += 1;
        }
    }

    /// News of a task that strays; new ones only if `fresh` names them.
    fn take(&mut self, report: &Report, fresh: Option<LocalId>, now: Wall) {
        let known = self.by_task_id.get(&report.task_id).copied();
        if let Some(task) = known.and_then(|id| self.tasks.get_mut(&id)) {
            let mut seen = Task::clone(task);
            if seen.observe(report, now) {
                *task = Arc::new(seen);
                self.version += 1;
            }
        } else if let Some(id) = fresh.filter(|_| self.tasks.len() < MOST) {
            self.tasks.insert(id, Arc::new(Task::elsewhere(id, report, now)));
            self.by_task_id.insert(report.task_id.clone(), id);
            self.version += 1;
        }
    }

    pub(super) fn refresh(&mut self, report: &Report, now: Wall) {
        if !self.by_task_id.is_empty() {
            self.take(report, None, now);
        }
    }

    /// It is known what the page, or the task, in question is.
    fn found(&mut self, found: &Found, mut name: impl FnMut() -> LocalId, now: Wall) {
        match (&found.browse, &found.problem) {
            (Browse::Page(number), None) => {
                self.pages = self.pages.max(*number);
                if *number == self.pages {
                    self.more = found.more;
                }
                self.oldest = self.oldest.into_iter().chain(found.oldest).min();
            }
            (Browse::One(task_id), Some(problem)) if self.not_found.len() < MOST => {
                self.not_found.insert(task_id.clone(), problem.clone());
            }
            _ => {}
        }
        for report in &found.reports {
            self.take(report, Some(name()), now);
        }
        self.problem.clone_from(&found.problem);
        if self.open.as_ref() == Some(&found.browse) {
            self.open = None;
        }
        self.wanted.retain(|browse| *browse != found.browse);
        self.version += 1;
    }

    /// Whoever was to answer is gone.
    pub(super) fn ask_again(&mut self) {
        if let Some(browse) = self.open.take() {
            self.wanted.push_front(browse);
        }
    }
}

impl Fleet {
    /// What is known of tasks that other programs created.
    #[must_use]
    pub fn strays(&self) -> &Strays {
        &self.strays
    }

    /// Another program created it, and nobody here has adopted it.
    #[must_use]
    pub fn is_stray(&self, id: LocalId) -> bool {
        self.strays.get(id).is_some()
    }

    /// The user wants to see what else there is.
    pub(super) fn browse(&mut self, browse: Browse) {
        self.strays.want(browse);
    }

    /// Another window's user wants to.
    pub(super) fn browse_for(&mut self, browse: Browse) {
        if self.strays.for_others.len() < MOST {
            self.strays.for_others.push(browse.clone());
        }
        self.strays.want(browse);
    }

    /// In a window that only watches: the holder of the lease is to look.
    pub(super) fn wish_browsed(&mut self, browse: Browse) -> Vec<Order> {
        let waiting = self.strays.wanted.len();
        self.strays.want(browse.clone());
        if self.strays.wanted.len() == waiting {
            return Vec::new();
        }
        vec![Order::Save(Change::Wish(Wish::Browse(browse)))]
    }

    /// In a window that only watches: the holder of the lease has looked, for this window or another.
    pub(super) fn found(&mut self, mut found: Found, now: Now) {
        let wanted = self.strays.wanted.contains(&found.browse) || self.strays.open.as_ref() == Some(&found.browse);
        if wanted {
            found
                .reports
                .retain(|report| !self.tasks.values().any(|task| task.task_id.as_ref() == Some(&report.task_id)));
            let chance = &mut self.chance;
            self.strays.found(&found, || LocalId::from_random(chance.bits()), now.wall);
        }
    }

    /// In a window that only watches: this task is stored as ours, and the holder of the lease goes on with it.
    pub(super) fn wish_adopted(&mut self, id: LocalId) -> Vec<Order> {
        let Some(task_id) = self.strays.get(id).and_then(|task| task.task_id.clone()) else { return Vec::new() };
        let Some(task) = self.strays.own(&task_id) else { return Vec::new() };
        self.tasks.insert(id, Arc::clone(&task));
        vec![Order::Save(Change::Intent(Box::new(Task::clone(&task))))]
    }

    /// What was asked is answered: shown here, and told to whoever else wanted it.
    fn looked(&mut self, reports: Vec<Report>, problem: Option<Problem>, now: Now, orders: &mut Vec<Order>) {
        let Some(browse) = self.strays.open.clone() else { return };
        let (more, oldest) = std::mem::take(&mut self.strays.page);
        let found = Found { browse, more, oldest, reports, problem };
        let chance = &mut self.chance;
        self.strays.found(&found, || LocalId::from_random(chance.bits()), now.wall);
        let before = self.strays.for_others.len();
        self.strays.for_others.retain(|browse| *browse != found.browse);
        if self.strays.for_others.len() < before {
            orders.push(Order::Save(Change::Found(Box::new(found))));
        }
    }

    /// When the next page can be asked for.
    pub(super) fn browse_due(&self, now: Now) -> Option<Mono> {
        let waits = self.strays.open.is_none() && !self.strays.wanted.is_empty();
        waits.then(|| self.budget.free_at(Kind::Look, now.mono)).flatten()
    }

    pub(super) fn pump_browse(&mut self, now: Now, orders: &mut Vec<Order>) {
        if self.strays.open.is_some() || self.strays.wanted.is_empty() {
            return;
        }
        if let Some(problem) = self.queue.blocked().filter(|problem| problem.needs_key()).cloned() {
            for browse in std::mem::take(&mut self.strays.wanted) {
                self.strays.open = Some(browse);
                self.looked(Vec::new(), Some(problem.clone()), now, orders);
            }
            return;
        }
        if self.budget.take(Kind::Look, now.mono)
            && let Some(browse) = self.strays.wanted.pop_front()
        {
            self.strays.open = Some(browse.clone());
            orders.push(Order::Browse(browse));
        }
    }

    pub(super) fn browsed(&mut self, browse: &Browse, answer: Answer<News>, now: Now, orders: &mut Vec<Order>) {
        self.budget.give_back(Kind::Look, now.mono);
        if let Some(limits) = answer.limits {
            self.budget.learn(limits, now);
        }
        self.note_contact(answer.result.as_ref().err(), now);
        if self.strays.open.as_ref() != Some(browse) {
            return;
        }
        let reports = match answer.result {
            Ok(News::Task(report)) => vec![report],
            Ok(News::Page(page)) => {
                let more = page.reports.len() >= page.size.max(1) as usize;
                self.strays.page = (more, page.reports.iter().filter_map(|report| report.created).min());
                page.reports
            }
            Err(problem) => {
                let wait = backoff::delay(0, Some(&problem), &mut self.chance);
                match &problem {
                    Problem::Limit { .. } => {
                        self.budget.refused(now.mono);
                        self.budget.hold(wait, now.mono);
                    }
                    Problem::Busy { .. } => self.budget.hold(wait, now.mono),
                    problem if problem.needs_key() => self.queue.block(problem.clone()),
                    _ => {}
                }
                return self.looked(Vec::new(), Some(problem), now, orders);
            }
        };
        // What is ours gets its news from here as well: the page was paid for.
        let (ours, others): (Vec<Report>, Vec<Report>) =
            reports.into_iter().partition(|report| self.by_task_id.contains_key(&report.task_id));
        for report in &ours {
            self.observed(report, now, orders);
        }
        let ids: Vec<TaskId> = others.iter().map(|report| report.task_id.clone()).collect();
        if ids.is_empty() {
            return self.looked(Vec::new(), None, now, orders);
        }
        self.strays.sieve = others;
        orders.push(Order::Sift(ids));
    }

    /// The store has said which of them are ours after all.
    pub(super) fn sifted(&mut self, known: Result<Vec<TaskId>, Problem>, now: Now, orders: &mut Vec<Order>) {
        let mut reports = std::mem::take(&mut self.strays.sieve);
        match known {
            Ok(known) => {
                reports.retain(|report| {
                    !known.contains(&report.task_id) && !self.by_task_id.contains_key(&report.task_id)
                });
                self.looked(reports, None, now, orders);
            }
            // Then nobody can say what is ours: nothing is shown rather than something wrong.
            Err(problem) => self.looked(Vec::new(), Some(problem), now, orders),
        }
    }

    /// The user takes over a task of another program: from now on it is watched and fetched like ours.
    pub(super) fn adopt(&mut self, id: LocalId, orders: &mut Vec<Order>) {
        let Some(task_id) = self.strays.get(id).and_then(|task| task.task_id.clone()) else { return };
        let Some(task) = self.strays.own(&task_id).filter(|_| !self.by_task_id.contains_key(&task_id)) else { return };
        self.by_task_id.insert(task_id, id);
        self.adopting.insert(id);
        self.unborn.insert(id);
        orders.push(Order::Save(Change::New(Box::new(Task::clone(&task)))));
        self.tasks.insert(id, task);
    }

    /// An adopted task is on the disk: only now is anything done with it.
    pub(super) fn adopted(&mut self, id: LocalId, now: Now) {
        let Some(task) = self.tasks.get(&id).cloned() else { return };
        self.watch.placed(vec![(task.accepted().unwrap_or(task.created), id)]);
        if task.status.is_running() {
            let curve = self.watch.curve(&task.request);
            let age = now.wall.since(task.accepted().unwrap_or(task.created));
            self.watch.start(id, curve, age, Duration::ZERO, now.mono);
            self.watch.look_soon(id);
        }
        self.want_outputs(&task, now);
    }
}
