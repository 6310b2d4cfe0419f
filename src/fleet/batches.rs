//! What was sent together: resting, going on, dropping what was not sent, and when the last of it should end.

use std::collections::BTreeSet;
use std::time::Duration;

use super::expect::LATE;
use super::{Fleet, Order};
use crate::domain::{Change, LocalId, Status, Task};
use crate::time::Now;

impl Fleet {
    /// The batches of which nothing is sent until the user says so.
    #[must_use]
    pub fn resting(&self) -> &BTreeSet<String> {
        &self.resting
    }

    /// The task waits to be sent, and its batch rests.
    #[must_use]
    pub fn rests(&self, id: LocalId) -> bool {
        let unsent = |task: &Task| matches!(task.status, Status::Saved | Status::Held(_));
        self.tasks.get(&id).is_some_and(|task| unsent(task) && self.batch_rests(task))
    }

    pub(super) fn batch_rests(&self, task: &Task) -> bool {
        task.mark.as_ref().is_some_and(|mark| self.resting.contains(&mark.batch))
    }

    /// The user lets a batch rest, or go on.
    pub(super) fn pause(&mut self, batch: String, on: bool, now: Now, orders: &mut Vec<Order>) {
        let mut resting = self.resting.clone();
        if on {
            resting.insert(batch.clone())
        } else {
            resting.remove(&batch)
        };
        self.rest(resting, now, orders);
        orders.push(Order::Save(Change::Batch { name: batch, paused: on }));
    }

    /// These rest, and no others. What goes on takes along what a restart had held: the user's word is for all of it.
    pub(super) fn rest(&mut self, resting: BTreeSet<String>, now: Now, orders: &mut Vec<Order>) {
        let before = std::mem::replace(&mut self.resting, resting);
        if self.resting.difference(&before).next().is_some() {
            // What is unsure goes on: the sooner it is settled, the better.
            let parks = |id: &LocalId| {
                self.tasks.get(id).is_some_and(|task| task.status == Status::Saved && self.batch_rests(task))
            };
            let resting: Vec<LocalId> = self.queue.ids().filter(parks).collect();
            resting.into_iter().for_each(|id| self.queue.park(id));
        }
        let awake: BTreeSet<&String> = before.difference(&self.resting).collect();
        if awake.is_empty() {
            return;
        }
        let goes_on = |task: &Task| task.mark.as_ref().is_some_and(|mark| awake.contains(&mark.batch));
        let unsent = |task: &Task| matches!(task.status, Status::Saved | Status::Held(_));
        let ids: Vec<LocalId> =
            self.tasks.values().filter(|task| goes_on(task) && unsent(task)).map(|task| task.id).collect();
        for id in ids {
            self.queue.unpark(id);
            self.send(id, now, orders);
        }
    }

    /// The user gives up whatever of a batch was never sent.
    pub(super) fn drop_unsent(&mut self, batch: &str, orders: &mut Vec<Order>) {
        let ids = self.unsent_of(batch);
        for id in &ids {
            self.let_go(*id);
        }
        if !ids.is_empty() {
            orders.push(Order::Save(Change::Drop(ids)));
        }
    }

    /// What of a batch was surely never sent, and is not being sent.
    #[must_use]
    pub fn unsent_of(&self, batch: &str) -> Vec<LocalId> {
        let member = |task: &Task| task.mark.as_ref().is_some_and(|mark| mark.batch == batch);
        let members = self.tasks.values().filter(|task| member(task) && self.may_forget(task.id));
        members.map(|task| task.id).collect()
    }

    /// In how long the last of these has most likely ended: of some that run, and those up to `last` that wait to be
    /// sent. None when there is nothing to expect, or nothing moves.
    #[must_use]
    pub fn done_in(&self, running: &[LocalId], last: Option<LocalId>, now: Now) -> Option<Duration> {
        if self.blocked().is_some() || self.silence().is_some() {
            return None;
        }
        let tasks: Vec<&Task> = running.iter().filter_map(|id| self.tasks.get(id)).map(AsRef::as_ref).collect();
        let running = self.last_end(&tasks, now);
        let waiting = last.and_then(|id| Some((self.tasks.get(&id)?, self.queue.before(id)? + 1)));
        let sent = waiting.map(|(task, turn)| {
            let took = LATE * self.curve_of(task).left(Duration::ZERO).as_secs_f64();
            Duration::from_secs_f64(self.sent_in(turn, now) + took)
        });
        running.max(sent)
    }
}
