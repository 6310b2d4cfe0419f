//! Asking: which questions go out, and what their answers mean.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Answer, LocalId, Problem, Report, Task};
use crate::time::Now;

use super::budget::Kind;
use super::watch::Plan;
use super::{Fleet, News, Order, Question, Silence, backoff};

impl Fleet {
    pub(super) fn answered(&mut self, question: &Question, answer: Answer<News>, now: Now, orders: &mut Vec<Order>) {
        self.budget.give_back(Kind::Look, now.mono);
        if let Some(limits) = answer.limits {
            self.budget.learn(limits, now);
        }
        self.note_contact(answer.result.as_ref().err(), now);
        let asked: Vec<LocalId> = match question {
            Question::Task(id, _) => vec![*id],
            Question::Page(_, ids) => ids.to_vec(),
        };
        match answer.result {
            Ok(News::Task(report)) => {
                self.report(&report, now, orders);
                if let Question::Task(id, _) = question {
                    self.fetches.renewed(*id, now.mono);
                    self.heard(*id, now);
                }
            }
            Ok(News::Page(page)) => {
                let mut missing: BTreeSet<LocalId> = asked.into_iter().collect();
                for report in &page.reports {
                    if let Some(id) = self.by_task_id.get(&report.task_id).copied() {
                        missing.remove(&id);
                        self.report(report, now, orders);
                        self.heard(id, now);
                    }
                }
                missing.into_iter().for_each(|id| self.watch.missed(id, now.mono));
            }
            Err(problem) => self.not_answered(&asked, &problem, now),
        }
    }

    fn heard(&mut self, id: LocalId, now: Now) {
        if self.tasks.get(&id).is_none_or(|task| task.status.is_final()) {
            // A page may have left before a link was refused: only a look of its own brings a fresh one for sure.
            if !self.fetches.wants_link(id) {
                self.watch.stop(id);
            }
        } else {
            self.watch.heard(id, now.mono, &mut self.chance);
        }
    }

    fn not_answered(&mut self, asked: &[LocalId], problem: &Problem, now: Now) {
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
            // What the service does not know now it may know later (a fresh id, another replica): ask slowly.
            let wait = if problem.is_passing() { wait } else { wait.max(Duration::from_secs(20)) };
            self.watch.failed(*id, now.mono, wait);
        }
    }

    /// Keeps count of how long the service has not answered at all.
    pub(super) fn note_contact(&mut self, problem: Option<&Problem>, now: Now) {
        match problem {
            Some(problem @ (Problem::Network { .. } | Problem::Odd { .. } | Problem::Server { .. })) => {
                let silence = self.silence.get_or_insert(Silence { since: now, failures: 0, problem: problem.clone() });
                silence.failures += 1;
                silence.problem = problem.clone();
            }
            _ => self.silence = None,
        }
    }

    /// One observation, by whatever door it came.
    fn report(&mut self, report: &Report, now: Now, orders: &mut Vec<Order>) {
        let Some(id) = self.by_task_id.get(&report.task_id).copied() else { return };
        let Some(task) = self.tasks.get_mut(&id) else { return };
        // Most looks bring nothing new: do not copy the task for those.
        let mut seen = Task::clone(task);
        if seen.observe(report, now.wall) {
            *task = Arc::new(seen.clone());
            self.want_outputs(&seen, now);
            self.save(id, orders);
        }
    }

    pub(super) fn pump_looks(&mut self, now: Now, orders: &mut Vec<Order>) {
        if self.queue.blocked().is_some_and(Problem::needs_key) {
            return;
        }
        while self.watch.due().is_some_and(|due| due <= now.mono) {
            let newest_first: Vec<LocalId> = self.accepted.iter().rev().map(|(_, id)| *id).collect();
            let Some(plan) = self.watch.plan(now.mono, &newest_first) else { return };
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
            // Looks take at most half of the allowance, evenly spread.
            let gap = Duration::from_secs(120) / self.budget.per_minute();
            self.watch.asked(&plan, now.mono, gap);
            orders.push(Order::Ask(question));
        }
    }
}
