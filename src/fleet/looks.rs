//! Asking: which questions go out, and what their answers mean.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Answer, AssetId, Dated, LocalId, Problem, Report, Source, Task, TaskId};
use crate::time::Now;

use super::budget::Kind;
use super::plan::{Pace, Plan};
use super::{Fleet, News, Order, Question, Silence, backoff};

/// Between looks that fail for a reason that does not pass by itself.
const SLOWLY: Duration = Duration::from_secs(60);

impl Fleet {
    pub(super) fn answered(&mut self, question: &Question, answer: Answer<News>, now: Now, orders: &mut Vec<Order>) {
        self.budget.give_back(Kind::Look, now.mono);
        if let Some(limits) = answer.limits {
            self.budget.learn(limits, now);
        }
        self.note_date(answer.date, answer.result.as_ref().err(), now);
        self.note_contact(answer.result.as_ref().err(), now);
        let asked: Vec<LocalId> = match question {
            Question::Task(id, _) => vec![*id],
            Question::Page(_, ids) => ids.to_vec(),
        };
        match answer.result {
            Ok(News::Task(report)) => {
                self.report(&report, now, orders);
                if let Question::Task(id, _) = question {
                    self.fetches.answered(*id, true, now.mono);
                    self.heard(*id, now);
                }
            }
            Ok(News::Page(page)) => {
                let mut missing: BTreeSet<LocalId> = asked.into_iter().collect();
                let mut hits = Vec::new();
                for (row, report) in page.reports.iter().enumerate() {
                    if let Some(id) = self.by_task_id.get(&report.task_id).copied() {
                        hits.push((id, row));
                        missing.remove(&id);
                        self.report(report, now, orders);
                        self.heard(id, now);
                    } else {
                        self.strays.refresh(report, now.wall);
                    }
                }
                let missing: Vec<LocalId> = missing.into_iter().collect();
                self.watch.page_read(&page, &hits, &missing, now.mono);
            }
            Err(problem) => {
                if let Question::Task(id, _) = question {
                    self.fetches.answered(*id, false, now.mono);
                }
                let unknown = match (question, &problem) {
                    (Question::Task(id, _), Problem::NotFound { .. }) => Some(self.unknown(*id, now, orders)),
                    _ => None,
                };
                self.not_answered(&asked, &problem, unknown, now);
            }
        }
    }

    /// A callback came.
    pub(super) fn called(&mut self, report: Report, now: Now, orders: &mut Vec<Order>) {
        self.callbacks.came(now.mono);
        self.watch.trust_callbacks(self.callbacks.arrive());
        match self.by_task_id.get(&report.task_id).copied() {
            Some(id) => {
                self.report(&report, now, orders);
                self.heard(id, now);
            }
            None => self.callbacks.keep(report),
        }
    }

    /// What a callback told of this task before we knew whose it was.
    pub(super) fn overtaken(&mut self, id: LocalId, task_id: Option<&TaskId>, now: Now, orders: &mut Vec<Order>) {
        if let Some(report) = task_id.and_then(|task_id| self.callbacks.kept(task_id)) {
            self.report(&report, now, orders);
            self.heard(id, now);
        }
    }

    /// One observation that nobody here has asked for by name.
    pub(super) fn observed(&mut self, report: &Report, now: Now, orders: &mut Vec<Order>) {
        if let Some(id) = self.by_task_id.get(&report.task_id).copied() {
            self.report(report, now, orders);
            self.heard(id, now);
        }
    }

    fn heard(&mut self, id: LocalId, now: Now) {
        self.absences.over(id);
        match self.tasks.get(&id).filter(|task| task.status.is_final()) {
            Some(task) => {
                // A page may have left before a link was refused: only a look of its own brings a fresh one for sure.
                let keep = self.fetches.wants_link(id);
                self.watch.ended(id, task.took(), keep);
            }
            None => self.watch.heard(id, now.mono),
        }
    }

    fn not_answered(&mut self, asked: &[LocalId], problem: &Problem, rest: Option<Duration>, now: Now) {
        let failures = self.silence.as_ref().map_or(1, |s| s.failures);
        let wait = backoff::delay(failures, Some(problem), &mut self.chance);
        if matches!(problem, Problem::Limit { .. }) {
            self.budget.refused(now.mono);
        }
        match problem {
            Problem::Limit { .. } | Problem::Busy { .. } => self.budget.hold(wait, now.mono),
            Problem::Auth { .. } | Problem::NoKey { .. } => self.queue.block(problem.clone()),
            _ => {}
        }
        for id in asked {
            // What does not pass by itself is asked about slowly.
            let wait = rest.unwrap_or(if problem.is_passing() { wait } else { wait.max(SLOWLY) });
            self.watch.failed(*id, now.mono, wait);
        }
    }

    /// Keeps count of how long the service has not answered at all.
    pub(super) fn note_contact(&mut self, problem: Option<&Problem>, now: Now) {
        match problem {
            Some(
                problem @ (Problem::Network { .. }
                | Problem::Certificate { .. }
                | Problem::Odd { .. }
                | Problem::Server { .. }),
            ) => {
                let silence = self.silence.get_or_insert(Silence { since: now, failures: 0, problem: problem.clone() });
                silence.failures += 1;
                silence.problem = problem.clone();
            }
            _ => self.silence = None,
        }
    }

    /// Learns how far the clocks are apart. An answer that is not the service's has no say.
    pub(super) fn note_date(&mut self, date: Option<Dated>, problem: Option<&Problem>, now: Now) {
        if let Some(dated) = date.filter(|_| !matches!(problem, Some(Problem::Network { .. } | Problem::Odd { .. }))) {
            self.skew.heard(dated, now);
        }
    }

    /// One observation, by whatever door it came.
    fn report(&mut self, report: &Report, now: Now, orders: &mut Vec<Order>) {
        let Some(id) = self.by_task_id.get(&report.task_id).copied() else { return };
        let Some(task) = self.tasks.get_mut(&id) else { return };
        // Most looks bring nothing new: do not copy the task for those.
        let mut seen = Task::clone(task);
        let ran = !seen.status.is_final();
        let before = seen.outputs.clone();
        if seen.observe(&self.skew.told(report, now), now.wall) {
            // A late answer does not bring back a link that was refused meanwhile.
            for (index, old) in (0u16..).zip(before) {
                let asset = AssetId { task: id, index };
                let Some(new) = seen.outputs.get_mut(usize::from(index)).filter(|new| new.url != old.url) else {
                    continue;
                };
                if self.fetches.was_refused(asset, &new.url) {
                    *new = old;
                } else {
                    self.fetches.has_link(asset, now.mono);
                }
            }
            if ran && seen.status.is_final() && report.source != Source::Callback && seen.request.has_callback() {
                self.callbacks.missed();
                self.watch.trust_callbacks(self.callbacks.arrive());
            }
            *task = Arc::new(seen.clone());
            self.want_outputs(&seen, now);
            self.save(id, orders);
        }
    }

    pub(super) fn pump_looks(&mut self, now: Now, orders: &mut Vec<Order>) {
        if self.queue.blocked().is_some_and(Problem::needs_key) {
            return;
        }
        loop {
            let pace = self.pace(now);
            let Some(plan) = self.watch.plan(now.mono, pace) else { return };
            let question = match &plan {
                Plan::One(id) => match self.tasks.get(id).and_then(|t| t.task_id.clone()) {
                    Some(task_id) => Question::Task(*id, task_id),
                    None => {
                        self.watch.stop(*id);
                        continue;
                    }
                },
                Plan::Page(page, ids) => Question::Page(*page, Arc::new(ids.clone())),
            };
            if !self.budget.take(Kind::Look, now.mono) {
                return;
            }
            self.watch.asked(&plan, now.mono, pace);
            if let Plan::One(id) = &plan {
                self.fetches.asks(*id);
            }
            orders.push(Order::Ask(question));
        }
    }

    /// How much may be asked: little while more creations wait than the allowance has room for; else a third of it,
    /// or more when there are many pages to read.
    fn pace(&self, now: Now) -> Pace {
        let dared = self.budget.dared(now.mono);
        let used = self.budget.looks(now.mono);
        let free = dared.saturating_sub(u32::try_from(self.budget.used(now.mono)).unwrap_or(u32::MAX));
        let reserve = self.budget.reserve(now.mono);
        let crowded = self.queue.waiting() > free.saturating_sub(reserve) as usize;
        let quota = if crowded {
            reserve
        } else {
            let most = dared - dared / 20;
            (self.watch.pages().saturating_mul(40).saturating_sub(20))
                .clamp(dared / 3, most.max(dared / 3))
                .min(used + free)
        };
        Pace { quota: quota.max(1), used, crowded }
    }
}
