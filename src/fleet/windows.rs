//! The fleet of a window that only watches, and what a window that holds the lease does for the others.

use std::sync::Arc;

use super::{Fleet, FleetMsg, Order};
use crate::domain::{Change, LocalId, Problem, Settle, Stage, Status, Task, Wish};
use crate::time::Now;

impl Fleet {
    /// Takes over what another window wrote: the tasks as they are, and why it sends nothing, if so. Nothing is
    /// begun, nothing is asked.
    pub fn mirror(&mut self, tasks: Vec<Task>, gone: &[LocalId]) {
        for task in tasks {
            let doubtful = matches!(task.status, Status::Saved | Status::Sending | Status::Unsure(_));
            let mismatch = matches!(&task.status, Status::Unsure(Some(Problem::Mismatch { .. })));
            if !doubtful || mismatch {
                self.wished.remove(&task.id);
            }
            self.unborn.remove(&task.id);
            if let Some(task_id) = &task.task_id {
                self.strays.own(task_id);
            }
            self.tasks.insert(task.id, Arc::new(task));
        }
        for id in gone {
            self.wished.remove(id);
            self.tasks.remove(id);
        }
    }

    /// The window that sends is paused for this reason, or is not.
    pub fn mirror_pause(&mut self, paused: Option<Problem>) {
        match paused {
            Some(problem) => self.queue.block(problem),
            None => self.queue.unblock(),
        }
    }

    /// [`Fleet::handle`] of a window that only watches: what the user wants becomes an intent or a wish for the
    /// holder of the lease.
    pub fn handle_watching(&mut self, msg: FleetMsg, now: Now) -> Vec<Order> {
        let wish = |wish| vec![Order::Save(Change::Wish(wish))];
        match msg {
            FleetMsg::Restored(tasks) => self.mirror(tasks, &[]),
            FleetMsg::Add(task) => {
                self.wished.insert(task.id);
                self.tasks.insert(task.id, Arc::new(Task::clone(&task)));
                return vec![Order::Save(Change::Intent(task))];
            }
            // It is not on the disk, so nobody will send it.
            FleetMsg::Stored { id, stage: Stage::Saved, result: Err(problem) } => {
                self.wished.remove(&id);
                if let Some(task) = self.tasks.get_mut(&id) {
                    Arc::make_mut(task).set(Status::Held(Some(problem)), now.wall);
                }
            }
            FleetMsg::Send(ids) => {
                return ids.into_iter().flat_map(|id| self.wish_sent(id)).collect();
            }
            FleetMsg::Resume => return wish(Wish::Resume),
            FleetMsg::Look(id) => return wish(Wish::Look(id)),
            // A callback came to the wrong window: the right one asks.
            FleetMsg::Report(report) => {
                let about = self.tasks.values().find(|task| task.task_id.as_ref() == Some(&report.task_id));
                return about.map_or_else(Vec::new, |task| wish(Wish::Look(task.id)));
            }
            FleetMsg::Forget(id) => return wish(Wish::Forget(id)),
            FleetMsg::Browse(browse) => return self.wish_browsed(browse),
            FleetMsg::Found(found) => self.found(*found, now),
            FleetMsg::Adopt(id) => return self.wish_adopted(id),
            FleetMsg::Settle { id, how } => return self.wish_settled(id, how, now),
            FleetMsg::Block(problem) => self.queue.block(problem),
            // Nothing was asked, so nothing is answered.
            _ => {}
        }
        Vec::new()
    }

    fn wish_sent(&mut self, id: LocalId) -> Option<Order> {
        let task = self.tasks.get(&id)?;
        let settled = matches!(&task.status, Status::Unsure(Some(Problem::Mismatch { .. })));
        if settled || !matches!(task.status, Status::Held(_) | Status::Unsure(_)) || self.wished.contains(&id) {
            return None;
        }
        self.wished.insert(id);
        Some(Order::Save(Change::Wish(Wish::Send(id))))
    }

    fn wish_settled(&mut self, id: LocalId, how: Settle, now: Now) -> Vec<Order> {
        if !self.is_undecided(id) {
            return Vec::new();
        }
        let mut orders = Vec::new();
        let wish = match how {
            Settle::Adopt(task_id) => Wish::Adopt { task: id, task_id },
            Settle::GiveUp { anew } => Wish::GiveUp { task: id, anew },
            Settle::Anew(task) => {
                let anew = Some(task.id);
                orders.extend(self.handle_watching(FleetMsg::Add(task), now));
                Wish::GiveUp { task: id, anew }
            }
        };
        self.wished.insert(id);
        orders.push(Order::Save(Change::Wish(wish)));
        orders
    }

    /// This window holds the lease from now on. Like a restart: what was waiting is held, what was being sent is
    /// unsure, all that runs is watched. What this window's own user wants sent is sent, as if asked for again; the
    /// wishes of other living windows come by the store.
    pub fn took_over(&mut self, unfinished: Vec<Task>, now: Now) -> Vec<Order> {
        let mut tasks = std::mem::take(&mut self.tasks);
        let wished = std::mem::take(&mut self.wished);
        let callbacks = std::mem::take(&mut self.callbacks);
        let durations = std::mem::take(self.watch.durations_mut());
        let strays = std::mem::take(&mut self.strays);
        *self = Self { callbacks, strays, ..Self::new(self.allowance, self.chance.bits()) };
        *self.watch.durations_mut() = durations;
        tasks.extend(unfinished.into_iter().map(|task| (task.id, Arc::new(task))));
        self.strays.ask_again();
        let mut orders = self.handle(FleetMsg::Restored(tasks.into_values().map(Arc::unwrap_or_clone).collect()), now);
        orders.extend(self.handle(FleetMsg::Send(wished.into_iter().collect()), now));
        orders
    }
}

/// What another window's wish means here; the task is the store's, in case it is not loaded.
#[must_use]
pub fn granted(wish: Wish, task: Option<Task>) -> Vec<FleetMsg> {
    let first = FleetMsg::Restored(task.into_iter().collect());
    match wish {
        Wish::Send(id) => vec![first, FleetMsg::Send(vec![id])],
        Wish::Look(id) => vec![first, FleetMsg::Look(id)],
        Wish::Forget(id) => vec![first, FleetMsg::Forget(id)],
        Wish::GiveUp { task, anew } => vec![first, FleetMsg::Settle { id: task, how: Settle::GiveUp { anew } }],
        Wish::Adopt { task, task_id } => vec![first, FleetMsg::Settle { id: task, how: Settle::Adopt(task_id) }],
        Wish::Browse(browse) => vec![FleetMsg::BrowseFor(browse)],
        Wish::Resume => vec![FleetMsg::Resume],
        Wish::WatchAll => Vec::new(),
    }
}
