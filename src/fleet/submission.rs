//! Sending: what an answer to a creation means, second attempts, what the user says to them.

use std::sync::Arc;

use crate::config::KEY_LIFETIME;
use crate::domain::{Accepted, Answer, Change, LocalId, Outcome, Problem, Stage, Status, Task, TaskId};
use crate::time::Now;

use super::budget::Kind;
use super::{Fleet, Order, backoff};

impl Fleet {
    pub(super) fn submitted(&mut self, id: LocalId, answer: Answer<Accepted>, now: Now, orders: &mut Vec<Order>) {
        self.budget.give_back(Kind::Create, now.mono);
        if let Some(limits) = answer.limits {
            self.budget.learn(limits, now);
        }
        self.note_date(answer.date, answer.result.as_ref().err(), now);
        self.note_contact(answer.result.as_ref().err(), now);
        match answer.result {
            Ok(accepted) => self.accept(id, accepted.task_id, now, orders),
            Err(Problem::Processing { task_id: Some(task_id), .. }) => self.accept(id, task_id, now, orders),
            Err(problem) => self.not_accepted(id, problem, now, orders),
        }
    }

    fn accept(&mut self, id: LocalId, task_id: TaskId, now: Now, orders: &mut Vec<Order>) {
        self.queue.done(id);
        let Some(task) = self.tasks.get_mut(&id) else { return };
        let task = Arc::make_mut(task);
        task.task_id = Some(task_id.clone());
        task.set(Status::Queued, now.wall);
        let at = task.accepted().unwrap_or(task.created);
        self.watch.accepted(id, at);
        self.by_task_id.insert(task_id.clone(), id);
        self.strays.own(&task_id);
        self.save(id, orders);
        self.overtaken(id, Some(&task_id), now, orders);
    }

    fn not_accepted(&mut self, id: LocalId, problem: Problem, now: Now, orders: &mut Vec<Order>) {
        let Some(task) = self.tasks.get(&id) else { return };
        let was_unsure = matches!(task.status, Status::Unsure(_));
        let key_lives = key_lives(task, now);
        let attempt = self.queue.attempt(id);
        let wait = backoff::delay(attempt, Some(&problem), &mut self.chance);
        if matches!(problem, Problem::Limit { .. } | Problem::Busy { .. }) {
            self.budget.hold(wait, now.mono);
        }
        if matches!(problem, Problem::Limit { .. }) {
            self.budget.refused(now.mono);
        }
        match problem.outcome() {
            // Whatever a later attempt says, the first one may have been accepted.
            Outcome::NotCreated | Outcome::Unknown if was_unsure && key_lives => {
                self.queue.again(id, now.mono + wait);
                self.set(id, Status::Unsure(Some(problem)), now, orders);
            }
            _ if was_unsure => {
                self.queue.remove(id);
                if problem.outcome() == Outcome::Blocked {
                    self.queue.block(problem.clone());
                }
                self.set(id, Status::Unsure(Some(problem)), now, orders);
            }
            Outcome::NotCreated => {
                self.queue.again(id, now.mono + wait);
                self.set(id, Status::Saved, now, orders);
            }
            Outcome::Unknown => {
                self.queue.again(id, now.mono + wait);
                self.set(id, Status::Unsure(Some(problem)), now, orders);
            }
            Outcome::Refused => {
                self.queue.remove(id);
                self.set(id, Status::Refused(problem), now, orders);
            }
            Outcome::Blocked => {
                self.queue.remove(id);
                self.queue.block(problem.clone());
                self.set(id, Status::Held(Some(problem)), now, orders);
            }
            Outcome::Conflict => {
                self.queue.remove(id);
                self.set(id, Status::Unsure(Some(problem)), now, orders);
            }
        }
    }

    pub(super) fn send(&mut self, id: LocalId, now: Now, orders: &mut Vec<Order>) {
        let Some(task) = self.tasks.get(&id) else { return };
        if self.queue.holds(id) {
            return;
        }
        match &task.status {
            Status::Held(_) => self.set(id, Status::Saved, now, orders),
            Status::Unsure(Some(Problem::Mismatch { .. })) => {}
            Status::Unsure(_) if key_lives(task, now) => self.queue.push(id),
            _ => {}
        }
    }

    pub(super) fn resume(&mut self, now: Now, orders: &mut Vec<Order>) {
        self.queue.unblock();
        self.queue.hurry(now.mono);
        self.budget.release();
        let held: Vec<LocalId> = self
            .tasks
            .values()
            .filter(|t| matches!(&t.status, Status::Held(Some(p)) if p.outcome() == Outcome::Blocked))
            .map(|t| t.id)
            .collect();
        held.into_iter().for_each(|id| self.send(id, now, orders));
    }

    pub(super) fn forget(&mut self, id: LocalId, orders: &mut Vec<Order>) {
        if self.may_forget(id) {
            self.let_go(id);
            orders.push(Order::Save(Change::Forget(id)));
        }
    }

    /// It was never sent, and is not being sent.
    pub(super) fn may_forget(&self, id: LocalId) -> bool {
        let never_sent = |task: &Arc<Task>| matches!(task.status, Status::Held(_) | Status::Saved);
        self.tasks.get(&id).is_some_and(never_sent) && !self.queue.is_under_way(id)
    }

    pub(super) fn let_go(&mut self, id: LocalId) {
        self.queue.remove(id);
        self.tasks.remove(&id);
        self.unborn.remove(&id);
        self.unwritten.remove(&id);
    }

    pub(super) fn pump_queue(&mut self, now: Now, orders: &mut Vec<Order>) {
        while let Some(id) = self.queue.next(self.allowance.creations, now.mono) {
            // An attempt may have waited for long: behind a closed lid, in a blocked queue.
            let sendable = |t: &Arc<Task>| match t.status {
                Status::Saved => true,
                Status::Unsure(_) => key_lives(t, now),
                _ => false,
            };
            if !self.tasks.get(&id).is_some_and(sendable) {
                self.queue.done(id);
                continue;
            }
            if self.rests(id) {
                self.queue.put_back(id);
                self.queue.park(id);
                continue;
            }
            if !self.budget.take(Kind::Create, now.mono) {
                self.queue.put_back(id);
                return;
            }
            match self.tasks.get(&id).map(|t| t.status.clone()) {
                // Already durable as unsure; writing it again keeps one path for both.
                Some(Status::Unsure(problem)) => self.set(id, Status::Unsure(problem), now, orders),
                _ => self.set(id, Status::Sending, now, orders),
            }
        }
    }
}

/// The service still knows the key of this task, so sending the same bytes with it cannot make a second task.
pub(super) fn key_lives(task: &Task, now: Now) -> bool {
    let first_sent = task.times.at(Stage::Sending).unwrap_or(task.created);
    now.wall.since(first_sent) < KEY_LIFETIME
}
