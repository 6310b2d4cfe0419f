//! Orders of the fleet, carried out: the only match on [`Order`]. Each becomes a job or a note to the store, and
//! each answers with a message.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::api::Wanted;
use crate::api::webhook::Delivery;
use crate::app::Msg;
use crate::domain::{Answer, AssetId, Browse, Change, Home, LocalId, Problem, Request, Stage, Task, TaskId, Wish};
use crate::fleet::{Fleet, FleetMsg, News, Order, Question, watch};
use crate::store::{Heard, Store};

use super::about;
use super::callbacks::Looked;
use super::service::{Downloads, Service};

/// What the jobs bring to the loop.
#[derive(Debug)]
pub enum Note {
    /// A message for `update`.
    Msg(Msg),
    /// A picture was encoded, or was not.
    Picture(Box<super::pictures::Made>),
    /// The store is open, with what the first screen needs.
    Opened(Box<super::start::Opened>),
    /// Something came from the other windows.
    Heard(Heard),
    /// A callback came.
    Called(Delivery),
    /// The store was asked for the task of a callback.
    Looked(Looked),
    /// What another window fetched was copied into the folder of this program, or was not.
    Copied(AssetId, Box<(Home, Result<Home, Problem>)>),
    /// The user's own editor has ended.
    Composed(Result<String, String>),
    /// A key was tried.
    Key(Result<(u64, Arc<Service>), Problem>),
}

/// Carries out orders.
#[derive(Debug)]
pub struct Hands {
    store: Option<Store>,
    /// Orders that came before the store was open.
    early: Vec<(Order, Option<Arc<Task>>)>,
    service: Option<Arc<Service>>,
    downloads: Arc<Downloads>,
    outputs: PathBuf,
    /// Where the outputs of some tasks go instead.
    elsewhere: Option<(PathBuf, BTreeSet<LocalId>)>,
    inbox: mpsc::Sender<Note>,
    jobs: JoinSet<()>,
    submissions: usize,
    /// Another window holds the lease: this one asks nothing of the service.
    watching: bool,
    /// Why nothing is sent, as the other windows were last told.
    paused: Option<Problem>,
}

impl Hands {
    /// Hands without a store: what needs one waits for [`Hands::open`].
    #[must_use]
    pub fn new(
        service: Option<Arc<Service>>,
        downloads: Arc<Downloads>,
        outputs: PathBuf,
        inbox: mpsc::Sender<Note>,
    ) -> Self {
        Self {
            store: None,
            early: Vec::new(),
            service,
            downloads,
            outputs,
            elsewhere: None,
            inbox,
            jobs: JoinSet::new(),
            submissions: 0,
            watching: false,
            paused: None,
        }
    }

    /// Gives them the store, and carries out what waited for it. With `watching`, another window talks to the
    /// service, until [`Hands::hold`].
    pub fn open(&mut self, store: Store, watching: bool) {
        self.store = Some(store);
        self.watching = watching;
        for (order, task) in std::mem::take(&mut self.early) {
            self.carry_out(order, task);
        }
    }

    /// This window holds the lease from now on.
    pub fn hold(&mut self) {
        self.watching = false;
    }

    /// Another window has held the lease, and may still: this one only watches, until [`Hands::hold`].
    pub fn step_down(&mut self) {
        self.watching = true;
        self.paused = None;
    }

    /// Tells the other windows why nothing is sent, if that has changed.
    pub fn publish(&mut self, paused: Option<&Problem>) {
        if !self.watching && self.store.is_some() && self.paused.as_ref() != paused {
            self.paused = paused.cloned();
            self.save(Change::Paused(self.paused.clone()));
        }
    }

    /// Something was ordered that waits for the store to be open.
    #[must_use]
    pub fn waits_for_store(&self) -> bool {
        !self.early.is_empty()
    }

    /// The store, once it is open.
    #[must_use]
    pub fn store(&self) -> Option<&Store> {
        self.store.as_ref()
    }

    /// Talks to another service from now on, or with another key.
    pub fn use_service(&mut self, service: Arc<Service>) {
        self.service = Some(service);
    }

    /// Outputs of the tasks that are named to [`Hands::own`] go into this folder.
    pub fn deliver_to(&mut self, dir: PathBuf) {
        self.elsewhere = Some((dir, BTreeSet::new()));
    }

    /// This program was started for this task.
    pub fn own(&mut self, id: LocalId) {
        if let Some((_, ids)) = &mut self.elsewhere {
            ids.insert(id);
        }
    }

    /// The folder for the outputs of this task, where it has one of its own.
    #[must_use]
    pub fn elsewhere(&self, id: LocalId) -> Option<&Path> {
        self.elsewhere.as_ref().filter(|(_, ids)| ids.contains(&id)).map(|(dir, _)| dir.as_path())
    }

    /// Where notes go.
    #[must_use]
    pub fn inbox(&self) -> mpsc::Sender<Note> {
        self.inbox.clone()
    }

    /// Carries out an order.
    pub fn order(&mut self, order: Order, fleet: &Fleet) {
        let task = match &order {
            Order::Fetch { asset, .. } => fleet.task(asset.task).cloned(),
            _ => None,
        };
        self.carry_out(order, task);
    }

    fn carry_out(&mut self, order: Order, task: Option<Arc<Task>>) {
        while self.jobs.try_join_next().is_some() {}
        match order {
            order if self.store.is_none() => self.early.push((order, task)),
            // It was begun before it was known that another window holds the lease.
            Order::Save(Change::New(task)) if self.watching => self.save(Change::Intent(task)),
            Order::Save(change) => self.save(change),
            order if self.watching => tracing::error!(?order, "a window that only watches does not do this"),
            Order::Submit(id, request) => self.submit(id, request),
            Order::Ask(question) => self.ask(question),
            Order::Browse(browse) => self.browse(browse),
            Order::Sift(task_ids) => self.sift(task_ids),
            Order::Fetch { asset, url } => self.fetch(asset, url, task),
        }
    }

    fn save(&self, change: Change) {
        let Some(store) = &self.store else { return };
        let about = change.written();
        let quiet = matches!(change, Change::Learned(_));
        let wished = if let Change::Wish(Wish::Send(id)) = &change { Some(*id) } else { None };
        let several = matches!(change, Change::Drop(_));
        let (inbox, dropped) = (self.inbox.clone(), if let Change::Forget(id) = &change { Some(*id) } else { None });
        store.apply(change, move |result| {
            let result = result.map_err(Problem::from);
            let msg = match (about, result) {
                (Some((id, stage)), result) => Msg::Fleet(FleetMsg::Stored { id, stage, result }),
                (None, Err(problem)) if quiet => return tracing::warn!(?problem, "what was learned is not kept"),
                (None, Err(problem)) if let Some(id) = wished => {
                    Msg::Fleet(FleetMsg::Stored { id, stage: Stage::Held, result: Err(problem) })
                }
                (None, Err(problem)) => Msg::Told(problem.sentence()),
                (None, Ok(())) => return,
            };
            deliver(&inbox, Note::Msg(msg));
        });
        if several {
            // So does what was sent after all.
            let inbox = self.inbox.clone();
            store.unfinished_then(move |found| {
                if let Ok(tasks) = found {
                    deliver(&inbox, Note::Msg(Msg::Unfinished(tasks)));
                }
            });
        }
        if let Some(id) = dropped {
            // What could not be dropped is there again.
            let inbox = self.inbox.clone();
            store.task_then(id, move |found| {
                if let Ok(Some(task)) = found {
                    deliver(&inbox, Note::Msg(Msg::Unfinished(vec![task])));
                }
            });
        }
    }

    fn submit(&mut self, id: LocalId, request: Arc<Request>) {
        let (service, inbox) = (self.service.clone(), self.inbox.clone());
        self.submissions += 1;
        self.jobs.spawn(async move {
            let answer = match connect(service.as_ref()).await {
                Ok(client) => client.create(id, &request.body).await,
                Err(problem) => Answer::bare(Err(problem)),
            };
            tell(&inbox, FleetMsg::Submitted { id, answer }).await;
        });
    }

    fn ask(&mut self, question: Question) {
        let (service, inbox) = (self.service.clone(), self.inbox.clone());
        self.jobs.spawn(async move {
            let answer = match (connect(service.as_ref()).await, &question) {
                (Err(problem), _) => Answer::bare(Err(problem)),
                (Ok(client), Question::Task(_, task_id)) => {
                    let Answer { result, limits, date } = client.task(task_id).await;
                    Answer { result: result.map(News::Task), limits, date }
                }
                (Ok(client), Question::Page(page, _)) => {
                    let Answer { result, limits, date } = client.page(*page, watch::PAGE_SIZE).await;
                    Answer { result: result.map(News::Page), limits, date }
                }
            };
            tell(&inbox, FleetMsg::Answered { question, answer }).await;
        });
    }

    fn browse(&mut self, browse: Browse) {
        let (service, inbox) = (self.service.clone(), self.inbox.clone());
        self.jobs.spawn(async move {
            let answer = match (connect(service.as_ref()).await, &browse) {
                (Err(problem), _) => Answer::bare(Err(problem)),
                (Ok(client), Browse::One(task_id)) => {
                    let Answer { result, limits, date } = client.task(task_id).await;
                    Answer { result: result.map(News::Task), limits, date }
                }
                (Ok(client), Browse::Page(page)) => {
                    let Answer { result, limits, date } = client.page(*page, watch::PAGE_SIZE).await;
                    Answer { result: result.map(News::Page), limits, date }
                }
            };
            tell(&inbox, FleetMsg::Browsed { browse, answer }).await;
        });
    }

    fn sift(&self, task_ids: Vec<TaskId>) {
        let Some(store) = &self.store else { return };
        let inbox = self.inbox.clone();
        store.known_of_then(task_ids, move |known| {
            let msg = FleetMsg::Sifted(known.map_err(Problem::from));
            deliver(&inbox, Note::Msg(Msg::Fleet(msg)));
        });
    }

    fn fetch(&mut self, asset: AssetId, url: String, task: Option<Arc<Task>>) {
        let (downloads, inbox) = (Arc::clone(&self.downloads), self.inbox.clone());
        let wanted = self.wanted(asset, url, task.as_deref());
        self.jobs.spawn(async move {
            let result = match downloads.fetcher().await {
                Ok(fetcher) => fetcher.fetch(&wanted, None).await,
                Err(problem) => Err(problem),
            };
            tell(&inbox, FleetMsg::Fetched { asset, result }).await;
        });
    }

    fn wanted(&self, asset: AssetId, url: String, task: Option<&Task>) -> Wanted {
        let about = task.map(|task| (about::facts(task, asset.index), about::note(task, asset.index)));
        let (facts, about) = about.map_or_else(|| (about::bare(asset), None), |(facts, about)| (facts, Some(about)));
        let (key, names) = (format!("{}-{}", asset.task, asset.index), self.downloads.names().clone());
        let dir = self.elsewhere(asset.task).unwrap_or(&self.outputs).to_owned();
        Wanted { url, dir, key, names, facts, about }
    }

    /// Puts a copy of what another window has fetched where it belongs; answers with [`Note::Copied`].
    pub fn copy(&mut self, asset: AssetId, home: Home, task: &Task) {
        let inbox = self.inbox.clone();
        let url = task.outputs.get(usize::from(asset.index)).map(|output| output.url.clone()).unwrap_or_default();
        let wanted = self.wanted(asset, url, Some(task));
        self.jobs.spawn(async move {
            let result = crate::api::copy_home(&home, &wanted).await;
            let _ = inbox.send(Note::Copied(asset, Box::new((home, result)))).await;
        });
    }

    /// Looks whether files are still there.
    pub fn check(&mut self, task: LocalId, files: Vec<(AssetId, String)>, again: bool) {
        let inbox = self.inbox.clone();
        self.jobs.spawn(async move {
            let gone = super::files::gone(files).await;
            let _ = inbox.send(Note::Msg(Msg::Checked { task, gone, again })).await;
        });
    }

    /// A creation was answered.
    pub fn submission_ended(&mut self) {
        self.submissions = self.submissions.saturating_sub(1);
    }

    /// Creations whose answer has not come: worth waiting for a moment before leaving.
    #[must_use]
    pub fn submissions(&self) -> usize {
        self.submissions
    }

    /// Runs something else beside the loop.
    pub fn spawn(&mut self, job: impl Future<Output = ()> + Send + 'static) {
        self.jobs.spawn(job);
    }
}

/// Hands on a note from the store. Its own thread may wait for room; when the store refuses at once, the answer
/// comes on the loop's thread, which may not.
pub(super) fn deliver(inbox: &mpsc::Sender<Note>, note: Note) {
    // A loop that has ended does not care.
    if tokio::runtime::Handle::try_current().is_ok() {
        let inbox = inbox.clone();
        tokio::spawn(async move {
            let _ = inbox.send(note).await;
        });
    } else {
        let _ = inbox.blocking_send(note);
    }
}

async fn connect(service: Option<&Arc<Service>>) -> Result<&crate::api::Client, Problem> {
    match service {
        Some(service) => service.client().await,
        None => Err(Problem::NoKey { message: "HIAPI_API_KEY is not set".to_owned() }),
    }
}

async fn tell(inbox: &mpsc::Sender<Note>, msg: FleetMsg) {
    crate::step::step("job: done, not told");
    // A loop that has ended does not listen; what it missed is on the disk or can be asked again.
    let _ = inbox.send(Note::Msg(Msg::Fleet(msg))).await;
}
