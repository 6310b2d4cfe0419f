//! The fleet without a screen: for commands. The same orders, the same hands, no terminal.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::Signal;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::api::webhook::{Tally, WebhookConfig, WebhookError};
use crate::app::Msg;
use crate::config::{Allowance, Places};
use crate::domain::{AssetId, Catalogue, Change, Home, LocalId, OutputState, Problem, Stage, Standing, Task, Wish};
use crate::fleet::{Fleet, FleetMsg, Order, durations, granted};
use crate::store::{Heard, Store};

use super::callbacks::{Ear, Listening};
use super::clock::{self, Clock, sleep_until};
use super::copies::Copies;
use super::hands::{Hands, Note, deliver};
use super::service::{Downloads, Service};
use super::signals::stops;
use super::start::RunError;

/// A fleet and the hands that carry out its orders.
#[derive(Debug)]
pub struct Driver {
    fleet: Fleet,
    hands: Hands,
    inbox: mpsc::Receiver<Note>,
    clock: Clock,
    standing: Standing,
    caution: Option<String>,
    /// The store refused something that a command cannot go on without.
    trouble: Option<String>,
    /// Why nothing goes on, though it will by itself: an output cannot be put on the disk, another window hangs.
    hitch: Option<String>,
    ear: Ear,
    copies: Copies,
    /// Tasks that may have changed since they were last looked through.
    touched: BTreeSet<LocalId>,
    /// Ctrl-Z in the shell.
    stops: Signal,
}

impl Driver {
    /// A driver over an open store. If another window holds the lease, it follows that one's work.
    ///
    /// # Errors
    /// When the store cannot be written, or the other window talks to another service.
    pub fn new(
        store: Store,
        service: Arc<Service>,
        downloads: Arc<Downloads>,
        places: &Places,
        allowance: Allowance,
    ) -> Result<Self, RunError> {
        let (notes, inbox) = mpsc::channel(4096);
        let outputs = places.outputs.clone();
        tokio::task::spawn_blocking(move || crate::api::sweep_parts(&outputs, std::time::SystemTime::now()));
        let ears = notes.clone();
        store.introduce(|salt| service.key().name(salt))?;
        let standing = store.join(service.address(), true, move |heard| deliver(&ears, Note::Heard(heard)))?;
        super::start::same_service(&standing, service.address())?;
        let caution = super::start::caution(&store, &standing);
        let learned = super::lessons::read(&store);
        let mut hands = Hands::new(Some(service), downloads, places.outputs.clone(), notes);
        hands.open(store, !standing.holds);
        let mut fleet = Fleet::new(allowance, clock::seed());
        fleet.know(durations::kinds(&Catalogue::built_in()));
        fleet.mirror_pause(standing.paused.clone());
        fleet.mirror_retried(&standing.retried);
        let (clock, ear) = (Clock::start(), Ear::default());
        fleet.handle_watching(learned, clock.now());
        fleet.handle_watching(FleetMsg::Resting(standing.resting.clone()), clock.now());
        Ok(Self {
            fleet,
            hands,
            inbox,
            clock,
            standing,
            caution,
            trouble: None,
            hitch: None,
            ear,
            copies: Copies::default(),
            touched: BTreeSet::new(),
            stops: stops()?,
        })
    }

    /// How this program stands to the others on the store.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The clock that tasks are dated with.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The fleet, to look at.
    #[must_use]
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// The store, to read from.
    #[must_use]
    pub fn store(&self) -> Option<&Store> {
        self.hands.store()
    }

    /// What the user should know about the place of the store.
    #[must_use]
    pub fn caution(&self) -> Option<&str> {
        self.caution.as_deref()
    }

    /// Why the store refused something, if it did.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Receives callbacks from now on.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn receive(&mut self, config: WebhookConfig) -> Result<SocketAddr, WebhookError> {
        let listen = config.listen;
        self.ear = Ear::new(Some(config));
        let address = self.ear.open(self.hands.inbox(), &mut self.fleet, self.clock.now())?;
        Ok(address.unwrap_or(listen))
    }

    /// How callbacks were answered, if they are received here.
    #[must_use]
    pub fn tally(&self) -> Option<Tally> {
        self.ear.tally()
    }

    /// A sentence for the user, when callbacks have begun to seem dead.
    pub fn alarm(&mut self) -> Option<&'static str> {
        self.ear.alarm(&self.fleet, self.clock.now())
    }

    /// Outputs of the tasks that this program was started for go into this folder, whoever fetches them. All others
    /// go where they always go.
    pub fn deliver_to(&mut self, dir: PathBuf) {
        self.hands.deliver_to(dir);
    }

    /// This program was started for these tasks.
    pub fn own(&mut self, ids: &[LocalId]) {
        ids.iter().for_each(|id| self.hands.own(*id));
    }

    /// Asks for everything that is unfinished to be watched, by whoever talks to the service.
    pub fn watch_everything(&self) {
        if !self.standing.holds
            && let Some(store) = self.hands.store()
        {
            store.apply(Change::Wish(Wish::WatchAll), |result| {
                if let Err(problem) = result {
                    tracing::warn!(%problem, "the other window could not be asked to watch everything");
                }
            });
        }
        self.watch_all();
    }

    /// The tasks that may have changed since [`Self::run`] last asked: most of what happens is about one.
    fn touch(&mut self, msg: &FleetMsg) {
        match msg {
            FleetMsg::Stored { id, .. } | FleetMsg::Submitted { id, .. } => {
                self.touched.insert(*id);
            }
            FleetMsg::Fetched { asset, .. } => {
                self.touched.insert(asset.task);
            }
            FleetMsg::Add(task) => {
                self.touched.insert(task.id);
            }
            FleetMsg::Restored(tasks) => self.touched.extend(tasks.iter().map(|task| task.id)),
            _ => {}
        }
    }

    /// Hands a message to the fleet and carries out what it wants.
    pub fn handle(&mut self, msg: FleetMsg) {
        if let FleetMsg::Stored { result: Err(problem), .. } = &msg {
            self.trouble = Some(problem.sentence());
        }
        if let FleetMsg::Fetched { result: Err(problem @ Problem::Local { .. }), .. } = &msg {
            self.hitch = Some(format!("an output cannot be saved: {}; trying again", problem.sentence()));
        }
        if matches!(msg, FleetMsg::Submitted { .. }) {
            self.hands.submission_ended();
        }
        self.touch(&msg);
        let now = self.clock.now();
        let orders =
            if self.standing.holds { self.fleet.handle(msg, now) } else { self.fleet.handle_watching(msg, now) };
        self.carry_out(orders);
    }

    fn carry_out(&mut self, orders: Vec<Order>) {
        for order in orders {
            if let Order::Save(change) = &order {
                self.touched.extend(change.written().map(|(id, _)| id));
            }
            self.hands.order(order, &self.fleet);
        }
        self.hands.publish(self.fleet.blocked());
    }

    /// What comes from the other programs on the store.
    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Took { unfinished } => {
                self.hitch = None;
                self.standing = Standing::default();
                self.hands.hold();
                self.hands.recall();
                let orders = self.fleet.took_over(unfinished, self.clock.now());
                self.carry_out(orders);
            }
            Heard::News { mut tasks, gone, standing, .. } if !self.standing.holds => {
                tasks.iter_mut().for_each(|task| self.copies.fetched(task, &mut self.hands));
                self.touched.extend(tasks.iter().map(|task| task.id).chain(gone.iter().copied()));
                self.fleet.mirror(tasks, &gone);
                self.stands(standing);
            }
            Heard::News { .. } => {}
            Heard::Found(found) => {
                found.into_iter().for_each(|found| self.handle(FleetMsg::Found(Box::new(found))));
            }
            Heard::Resting(batches) => self.handle(FleetMsg::Resting(batches)),
            Heard::Wishes(wishes) => {
                for (wish, task) in wishes {
                    if wish == Wish::WatchAll {
                        self.watch_all();
                    }
                    granted(wish, task).into_iter().for_each(|msg| self.handle(msg));
                }
            }
        }
    }

    /// How this program stands to the others has changed.
    fn stands(&mut self, standing: Standing) {
        self.fleet.mirror_pause(standing.paused.clone());
        self.fleet.mirror_retried(&standing.retried);
        let _ = self.fleet.handle_watching(FleetMsg::Resting(standing.resting.clone()), self.clock.now());
        self.hitch = standing.holder.as_ref().filter(|holder| holder.quiet).map(|holder| {
            let words = "the plantain that sends does not respond; continue or end it";
            format!("{words} (process {})", holder.pid)
        });
        self.standing = standing;
    }

    /// A copy was made, or was not: what was held back is shown.
    fn copied(&mut self, asset: AssetId, (from, result): (Home, Result<Home, Problem>)) {
        let home = result.unwrap_or_else(|problem| {
            self.trouble = Some(format!("{}; it is at {}", problem.sentence(), from.file));
            from.clone()
        });
        self.copies.ended(asset, from, home.clone());
        // A holder fetches for itself.
        let Some(task) = self.fleet.task(asset.task).filter(|_| !self.standing.holds) else { return };
        let mut task = Task::clone(task);
        if let Some(output) = task.outputs.get_mut(usize::from(asset.index)) {
            output.state = OutputState::Home(home);
            self.touched.insert(task.id);
            self.fleet.mirror(vec![task], &[]);
        }
    }

    /// Somebody looks at everything, and this program is the one that asks.
    fn watch_all(&self) {
        if let Some(store) = self.hands.store() {
            let inbox = self.hands.inbox();
            store.unfinished_then(move |result| match result {
                Ok(tasks) => deliver(&inbox, Note::Msg(Msg::Fleet(FleetMsg::Restored(tasks)))),
                Err(problem) => tracing::warn!(%problem, "the unfinished tasks cannot be read"),
            });
        }
    }

    /// Begins a task.
    pub fn add(&mut self, task: Task) {
        self.hands.own(task.id);
        self.handle(FleetMsg::Add(Box::new(task)));
    }

    /// Runs until `go_on` says no; it is asked after every turn, and told why nothing goes on, if so.
    pub async fn run(&mut self, mut go_on: impl FnMut(&Fleet, Option<&str>) -> bool) {
        self.run_by(|fleet, _, hitch| go_on(fleet, hitch)).await;
    }

    /// The same; it is also told which tasks may have changed since it was last asked. Most that did are among them,
    /// but not surely all.
    pub async fn run_by(&mut self, mut go_on: impl FnMut(&Fleet, &BTreeSet<LocalId>, Option<&str>) -> bool) {
        while go_on(&self.fleet, &std::mem::take(&mut self.touched), self.hitch.as_deref()) {
            let due = self.fleet.next_due(self.clock.now()).map(|at| Instant::from_std(self.clock.instant(at)));
            tokio::select! { biased;
                note = self.inbox.recv() => match note {
                    Some(Note::Msg(msg)) => self.give(msg),
                    Some(Note::Heard(heard)) => self.hear(heard),
                    Some(Note::Called(delivery)) => self.called(delivery),
                    Some(Note::Looked(looked)) => self.looked(looked),
                    Some(Note::Copied(asset, ended)) => self.copied(asset, *ended),
                    Some(_) => {}
                    None => return,
                },
                Some(()) = self.stops.recv() => self.stop(),
                () = sleep_until(due) => self.handle(FleetMsg::Woke),
            }
        }
    }

    /// Stops, as the shell asks. A program that is stopped sends nothing: the lease is left to others, and taken up
    /// again, if nobody took it, as if nothing had happened.
    fn stop(&mut self) {
        let Some(store) = self.hands.store() else { return };
        store.release();
        crate::terminal::stop();
        match store.reclaim() {
            Ok(None) => {}
            Ok(Some(standing)) => {
                self.hands.step_down();
                let orders = self.fleet.step_down();
                self.stands(standing);
                self.carry_out(orders);
                self.watch_everything();
            }
            Err(problem) => self.trouble = Some(problem.to_string()),
        }
    }

    /// Begins nothing new, waits a moment for what is being sent, then for the store. After that another window
    /// may hold the lease.
    pub async fn finish(mut self) {
        let stop = Instant::now() + std::time::Duration::from_secs(3);
        let leaving = Problem::Local { message: "this program is ending".to_owned() };
        self.fleet.handle(FleetMsg::Block(leaving), self.clock.now());
        while self.standing.holds && self.is_sending() {
            match tokio::time::timeout_at(stop, self.inbox.recv()).await {
                Ok(Some(Note::Msg(Msg::Fleet(msg)))) => {
                    if matches!(msg, FleetMsg::Submitted { .. }) {
                        self.hands.submission_ended();
                    }
                    for order in self.fleet.handle(msg, self.clock.now()) {
                        if matches!(&order, Order::Save(Change::New(_) | Change::Progress(_)) | Order::Submit(..)) {
                            self.hands.order(order, &self.fleet);
                        }
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        if let Some(order) = self.fleet.leave().filter(|_| self.standing.holds) {
            self.hands.order(order, &self.fleet);
        }
        if let Some(store) = self.hands.store() {
            store.flush();
        }
    }

    /// Something is on its way to the service, or its way there is being written down.
    fn is_sending(&self) -> bool {
        self.hands.submissions() > 0 || self.fleet.tasks().any(|task| task.status.stage() == Stage::Sending)
    }
}

impl Listening for Driver {
    fn give(&mut self, msg: Msg) {
        match msg {
            Msg::Fleet(msg) => self.handle(msg),
            Msg::Unfinished(tasks) => self.handle(FleetMsg::Restored(tasks)),
            Msg::Told(text) => self.trouble = Some(text),
            _ => {}
        }
    }

    fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    fn hands(&self) -> &Hands {
        &self.hands
    }
}
