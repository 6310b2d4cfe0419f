//! The fleet of a window that only watches, and what a window that holds the lease does for the others.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::submission::key_lives;
use super::{Fleet, FleetMsg, Order};
use crate::config::KEY_LIFETIME;
use crate::domain::{AssetId, Change, LocalId, Outcome, OutputState, Problem, Settle, Stage, Status, Task, Wish};
use crate::time::{Mono, Now};

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

    /// What is unsure and the window that sends settles without a further word.
    pub fn mirror_retried(&mut self, ids: &[LocalId]) {
        self.retried = ids.iter().copied().collect();
    }

    /// The window that sends asks about this again by itself.
    pub(super) fn is_retried(&self, id: LocalId) -> bool {
        let asks = |problem: &Problem| matches!(problem.outcome(), Outcome::NotCreated | Outcome::Unknown);
        self.retried.contains(&id)
            && self.tasks.get(&id).is_some_and(|task| matches!(&task.status, Status::Unsure(Some(why)) if asks(why)))
    }

    /// The store tells something that this window does not know: a task that is not loaded, or the service's name for
    /// one whose answer came to a window that had just lost the lease.
    pub(super) fn is_news(&self, task: &Task) -> bool {
        self.tasks.get(&task.id).is_none_or(|mine| mine.task_id.is_none() && task.task_id.is_some())
    }

    /// [`Fleet::handle`] of a window that only watches: what the user wants becomes an intent or a wish for the
    /// holder of the lease.
    pub fn handle_watching(&mut self, msg: FleetMsg, now: Now) -> Vec<Order> {
        let wish = |wish| vec![Order::Save(Change::Wish(wish))];
        match msg {
            FleetMsg::Restored(tasks) => self.mirror(tasks, &[]),
            FleetMsg::Add(task) => {
                self.tasks.insert(task.id, Arc::new(Task::clone(&task)));
                self.unborn.insert(task.id);
                return vec![self.intend(task)];
            }
            FleetMsg::Stored { id, stage: Stage::Saved, result: Ok(()) } => {
                self.unborn.remove(&id);
            }
            // It is not on the disk, so nobody will send it.
            FleetMsg::Stored { id, stage: Stage::Saved, result: Err(problem) } => {
                self.wished.remove(&id);
                if let Some(task) = self.tasks.get_mut(&id).filter(|_| self.unborn.contains(&id)) {
                    Arc::make_mut(task).set(Status::Held(Some(problem)), now.wall);
                }
            }
            // A wish that could not be written down: the user may wish again.
            FleetMsg::Stored { id, stage: Stage::Held, result: Err(_) } => {
                self.wished.remove(&id);
            }
            FleetMsg::Send(ids) => {
                return ids.into_iter().filter_map(|id| self.wish_sent(id, now)).collect();
            }
            FleetMsg::Resume => return wish(Wish::Resume),
            FleetMsg::Look(id) => return wish(Wish::Look(id)),
            // A callback came to the wrong window: the right one asks.
            FleetMsg::Report(report) => {
                let about = self.tasks.values().find(|task| task.task_id.as_ref() == Some(&report.task_id));
                return about.map_or_else(Vec::new, |task| wish(Wish::Look(task.id)));
            }
            // Nobody else knows of it.
            FleetMsg::Forget(id) if self.unborn.contains(&id) && !self.wished.contains(&id) => {
                self.unborn.remove(&id);
                self.tasks.remove(&id);
            }
            FleetMsg::Forget(id) => return wish(Wish::Forget(id)),
            FleetMsg::Star(id, on) if self.star(id, on) => return wish(Wish::Star { task: id, on }),
            FleetMsg::Star(..) => {}
            FleetMsg::Browse(browse) => return self.wish_browsed(browse),
            FleetMsg::Found(found) => self.found(*found, now),
            FleetMsg::Adopt(id) => return self.wish_adopted(id),
            FleetMsg::Settle { id, how } => return self.wish_settled(id, how, now),
            FleetMsg::Pause { batch, on } => {
                if on {
                    self.resting.insert(batch.clone())
                } else {
                    self.resting.remove(&batch)
                };
                return vec![Order::Save(Change::Batch { name: batch, paused: on })];
            }
            FleetMsg::Resting(batches) => self.resting = batches,
            FleetMsg::DropUnsent(batch) => return wish(Wish::Drop(batch)),
            FleetMsg::Block(problem) => self.queue.block(problem),
            FleetMsg::Learned(learned) => self.learned_before(learned),
            FleetMsg::Again(assets) => {
                return assets.into_iter().filter_map(|asset| self.wish_again(asset, now)).collect();
            }
            FleetMsg::Stored { .. } => {}
            FleetMsg::Submitted { id, answer } => {
                let accepted = match answer.result {
                    Ok(accepted) => Some(accepted.task_id),
                    Err(Problem::Processing { task_id, .. }) => task_id,
                    Err(_) => None,
                };
                if let Some(task_id) = accepted {
                    return self.ended_late(id, |task| {
                        task.task_id = Some(task_id);
                        task.set(Status::Queued, now.wall);
                    });
                }
            }
            FleetMsg::Fetched { asset, result: Ok(home) } => {
                return self.ended_late(asset.task, |task| {
                    if let Some(output) = task.outputs.get_mut(usize::from(asset.index)) {
                        output.state = OutputState::Home(home);
                    }
                });
            }
            // Nothing was asked, so nothing is answered, and nothing becomes due; or it was asked long ago.
            FleetMsg::Answered { .. }
            | FleetMsg::Fetched { .. }
            | FleetMsg::BrowseFor(_)
            | FleetMsg::Browsed { .. }
            | FleetMsg::Sifted(_)
            | FleetMsg::Woke => {}
        }
        Vec::new()
    }

    /// What has no working link is not wished for: see [`FleetMsg::Again`].
    fn wish_again(&mut self, asset: AssetId, now: Now) -> Option<Order> {
        let task = self.tasks.get_mut(&asset.task)?;
        let output = task.outputs.get(usize::from(asset.index))?;
        if output.state == OutputState::Away || !output.link_lives(now.wall) {
            return None;
        }
        // The same as the store does with the wish: the row tells at once that something is on its way.
        if let Some(output) = Arc::make_mut(task).outputs.get_mut(usize::from(asset.index)) {
            output.state = OutputState::Away;
        }
        Some(Order::Save(Change::Wish(Wish::Again(asset))))
    }

    fn intend(&mut self, task: Box<Task>) -> Order {
        self.wished.insert(task.id);
        Order::Save(Change::Intent(task))
    }

    fn wish_sent(&mut self, id: LocalId, now: Now) -> Option<Order> {
        let task = self.tasks.get(&id)?;
        let settled = matches!(&task.status, Status::Unsure(Some(Problem::Mismatch { .. })));
        if settled || !matches!(task.status, Status::Held(_) | Status::Unsure(_)) || self.wished.contains(&id) {
            return None;
        }
        if matches!(task.status, Status::Unsure(_)) && !key_lives(task, now) {
            // Nobody would send it.
            return None;
        }
        if self.unborn.contains(&id) {
            // The holder cannot know it: there was no room for it on the disk.
            let task = Arc::make_mut(self.tasks.get_mut(&id)?);
            task.set(Status::Saved, now.wall);
            let task = Box::new(task.clone());
            return Some(self.intend(task));
        }
        self.wished.insert(id);
        Some(Order::Save(Change::Wish(Wish::Send(id))))
    }

    /// When the key of something that the holder settles gets too old: from then on it is not waited for, and the
    /// holder says nothing.
    pub(super) fn keys_end(&self, now: Now) -> Option<Mono> {
        let waits = self.wished.iter().chain(&self.retried).filter_map(|id| self.tasks.get(id));
        let unsure = waits.filter(|task| matches!(task.status, Status::Unsure(_)) && key_lives(task, now));
        let left = |task: &Arc<Task>| {
            let sent = task.times.at(Stage::Sending).unwrap_or(task.created);
            KEY_LIFETIME.saturating_sub(now.wall.since(sent))
        };
        unsure.map(left).min().map(|left| now.mono + left)
    }

    /// This window has lost the lease, for it was stopped. It only watches from now on. What waited here with its
    /// user's word is wished from the new holder; what is out is doubtful until its answer comes.
    pub fn step_down(&mut self) -> Vec<Order> {
        let waits = |task: &&Arc<Task>| self.queue.holds(task.id) && !self.queue.is_out(task.id);
        let wished: BTreeSet<LocalId> = self.tasks.values().filter(waits).map(|task| task.id).collect();
        let orders = wished.iter().map(|id| Order::Save(Change::Wish(Wish::Send(*id)))).collect();
        self.begin_anew();
        self.wished = wished;
        orders
    }

    /// Forgets what it was about to do, and keeps what it knows.
    fn begin_anew(&mut self) {
        let resting = std::mem::take(&mut self.resting);
        let (tasks, by_task_id) = (std::mem::take(&mut self.tasks), std::mem::take(&mut self.by_task_id));
        let (callbacks, unborn) = (std::mem::take(&mut self.callbacks), std::mem::take(&mut self.unborn));
        let strays = std::mem::take(&mut self.strays);
        let durations = std::mem::take(self.watch.durations_mut());
        let (skew, lessons) = (self.skew, self.lessons);
        let fresh = Self::new(self.allowance, self.chance.bits());
        *self = Self { tasks, by_task_id, callbacks, unborn, skew, lessons, strays, resting, ..fresh };
        *self.watch.durations_mut() = durations;
    }

    /// What was begun before this window lost the lease comes to its end: it is written down, and whoever sends now
    /// is told of it.
    fn ended_late(&mut self, id: LocalId, change: impl FnOnce(&mut Task)) -> Vec<Order> {
        let Some(task) = self.tasks.get_mut(&id) else { return Vec::new() };
        let task = Arc::make_mut(task);
        change(task);
        let task = Box::new(task.clone());
        vec![Order::Save(Change::Progress(task)), Order::Save(Change::Wish(Wish::Look(id)))]
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
        let wished = std::mem::take(&mut self.wished);
        // Their intents are on their way to the disk: they wait for that, like any new task.
        let coming: Vec<LocalId> = wished.intersection(&self.unborn).copied().collect();
        self.begin_anew();
        self.by_task_id.clear();
        let mut tasks = self.tasks.take();
        tasks.extend(unfinished.into_iter().map(|task| (task.id, Arc::new(task))));
        self.strays.ask_again();
        let mut orders = self.handle(FleetMsg::Restored(tasks.into_values().map(Arc::unwrap_or_clone).collect()), now);
        for id in coming {
            if let Some(task) = self.tasks.get_mut(&id) {
                Arc::make_mut(task).set(Status::Saved, now.wall);
            }
        }
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
        Wish::Again(asset) => vec![first, FleetMsg::Again(vec![asset])],
        Wish::GiveUp { task, anew } => vec![first, FleetMsg::Settle { id: task, how: Settle::GiveUp { anew } }],
        Wish::Adopt { task, task_id } => vec![first, FleetMsg::Settle { id: task, how: Settle::Adopt(task_id) }],
        Wish::Star { task, on } => vec![first, FleetMsg::Star(task, on)],
        Wish::Browse(browse) => vec![FleetMsg::BrowseFor(browse)],
        Wish::Resume => vec![FleetMsg::Resume],
        Wish::Drop(batch) => vec![FleetMsg::DropUnsent(batch)],
        Wish::WatchAll => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Allowance;
    use crate::domain::Request;
    use crate::time::Wall;

    fn viewer() -> (Fleet, LocalId, Box<Task>) {
        let request = Request::new("m", None, serde_json::Map::new(), "t".into(), "p".into(), None);
        let id = LocalId::from_random(1 << 64);
        (Fleet::new(Allowance::default(), 7), id, Box::new(Task::new(id, Arc::new(request), Now::default().wall)))
    }

    fn refused(id: LocalId, stage: Stage) -> FleetMsg {
        FleetMsg::Stored { id, stage, result: Err(Problem::Local { message: "full".into() }) }
    }

    fn stage(fleet: &Fleet, id: LocalId) -> Option<Stage> {
        fleet.task(id).map(|task| task.status.stage())
    }

    /// C5: what did not reach the disk is nobody's but this window's; it is written as an intent again.
    #[test]
    fn an_intent_that_found_no_room_can_be_given_again() {
        let (mut fleet, id, task) = viewer();
        let now = Now::default();
        fleet.handle_watching(FleetMsg::Add(task), now);
        fleet.handle_watching(refused(id, Stage::Saved), now);
        assert_eq!((stage(&fleet, id), fleet.will_send(id)), (Some(Stage::Held), false));
        let orders = fleet.handle_watching(FleetMsg::Send(vec![id]), now);
        assert!(matches!(&orders[..], [Order::Save(Change::Intent(task))] if task.id == id), "{orders:?}");
        assert!(fleet.will_send(id));
        fleet.handle_watching(refused(id, Stage::Saved), now);
        assert_eq!(fleet.handle_watching(FleetMsg::Forget(id), now), []);
        assert_eq!(stage(&fleet, id), None, "the holder cannot drop what it does not know");
    }

    /// C5 and C14: the window that could not write it down takes over.
    #[test]
    fn an_heir_writes_what_found_no_room() {
        let (mut fleet, id, task) = viewer();
        let now = Now::default();
        fleet.handle_watching(FleetMsg::Add(task), now);
        fleet.handle_watching(refused(id, Stage::Saved), now);
        fleet.took_over(Vec::new(), now);
        let orders = fleet.handle(FleetMsg::Send(vec![id]), now);
        assert!(matches!(&orders[..], [Order::Save(Change::New(task))] if task.id == id), "{orders:?}");
    }

    /// C14: the intent is behind the taking of the lease in the store's queue. It is not written a second time.
    #[test]
    fn an_heir_waits_for_its_own_intent() {
        let (mut fleet, id, task) = viewer();
        let now = Now::default();
        fleet.handle_watching(FleetMsg::Add(task), now);
        assert_eq!(fleet.took_over(Vec::new(), now), []);
        assert_eq!(stage(&fleet, id), Some(Stage::Saved));
        let orders = fleet.handle(FleetMsg::Stored { id, stage: Stage::Saved, result: Ok(()) }, now);
        assert!(matches!(&orders[..], [Order::Save(Change::Progress(_))]), "{orders:?}");
        assert_eq!(stage(&fleet, id), Some(Stage::Sending));
    }

    /// C14: the holder asks no more when the 23 hours are over, and does not say so.
    #[test]
    fn what_is_unsure_is_waited_for_as_long_as_its_key_lives() {
        let (mut fleet, id, mut task) = viewer();
        let hour = std::time::Duration::from_secs(3600);
        let at = |hours: i64| Now { wall: Wall(hours * 3_600_000), mono: Mono(5) };
        task.set(Status::Sending, at(0).wall);
        task.set(Status::Unsure(None), at(1).wall);
        fleet.mirror(vec![*task], &[]);
        assert_eq!(fleet.next_due(at(3)), None);
        assert!(!fleet.handle_watching(FleetMsg::Send(vec![id]), at(3)).is_empty());
        assert_eq!(fleet.next_due(at(3)), Some(Mono(5) + hour * 20));
        assert!(fleet.may_repeat(id, at(22)) && !fleet.may_repeat(id, at(23)));
        assert_eq!(fleet.next_due(at(23)), None, "woken once");
        fleet.handle_watching(refused(id, Stage::Held), at(23));
        assert_eq!(fleet.handle_watching(FleetMsg::Send(vec![id]), at(23)), [], "nobody would send it");
    }

    /// C5: a wish that was not written down is not waited for.
    #[test]
    fn a_wish_that_found_no_room_can_be_given_again() {
        let (mut fleet, id, mut task) = viewer();
        let now = Now::default();
        task.set(Status::Unsure(None), now.wall);
        fleet.mirror(vec![*task], &[]);
        let wish = vec![Order::Save(Change::Wish(Wish::Send(id)))];
        assert_eq!(fleet.handle_watching(FleetMsg::Send(vec![id]), now), wish);
        assert_eq!(fleet.handle_watching(FleetMsg::Send(vec![id]), now), [], "once is enough");
        fleet.handle_watching(refused(id, Stage::Held), now);
        assert_eq!((stage(&fleet, id), fleet.will_send(id)), (Some(Stage::Unsure), false));
        assert_eq!(fleet.handle_watching(FleetMsg::Send(vec![id]), now), wish);
    }
}
