//! The whole pure machine at a desk: keys and messages in, effects out, virtual time.
//!
//! By hand, every effect is looked at (`expect`) and answered by the test; after [`Desk::by_itself`] a store and
//! a service answer at once. Tasks are called `A`, `B`, `C` in the order in which they were made.

use std::collections::VecDeque;
use std::time::Duration;

use ratatui::layout::Size;

use plantain::app::msg::PictureWay;
use plantain::app::state::Start;
use plantain::app::{Effect, Msg, Source, State, sources, update};
use plantain::config::Allowance;
use plantain::domain::{
    Accepted, Answer, AssetId, Browse, Catalogue, Change, LocalId, Output, Page, Problem, Report, Stage, Status, Task,
    TaskId,
};
use plantain::fleet::{FleetMsg, News, Order, Question};
use plantain::time::{Mono, Now, Wall};

use super::world::{Service, Store, home, output};

/// Seconds.
pub fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The desk.
pub struct Desk {
    /// All there is.
    pub state: State,
    /// Moved by [`Desk::later`] alone.
    pub now: Now,
    /// What is on the disk, when it answers by itself.
    pub store: Store,
    /// The other end, when it answers by itself.
    pub service: Service,
    /// Effects that nobody has looked at.
    effects: Vec<Effect>,
    /// Writes that nobody has answered, in order.
    writes: VecDeque<Change>,
    /// Questions that nobody has answered, in order.
    questions: VecDeque<Question>,
    names: Vec<LocalId>,
    answers_itself: bool,
    seed: u128,
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

impl Desk {
    /// An empty history, no pictures, 100 columns and 30 lines.
    pub fn new() -> Self {
        let mut desk = Self::bare(100, 30, Store::default(), 7);
        desk.hear(Msg::Older { tasks: Vec::new(), last: true });
        desk
    }

    /// Before anything came from the store.
    pub fn bare(width: u16, height: u16, store: Store, seed: u128) -> Self {
        let now = Now { wall: Wall(1_750_000_000_000), mono: Mono(1_000_000) };
        let start = Start {
            catalogue: Catalogue::built_in(),
            allowance: Allowance::default(),
            service: "api.example".into(),
            demo: false,
            area: Size { width, height },
            seed,
        };
        let state = State::new(start, now);
        let names = Vec::new();
        Self {
            state,
            now,
            store,
            service: Service::default(),
            effects: Vec::new(),
            writes: VecDeque::new(),
            questions: VecDeque::new(),
            names,
            answers_itself: false,
            seed,
        }
    }

    /// From here on the store and the service answer at once, and effects need not be looked at.
    pub fn by_itself(&mut self) -> &mut Self {
        self.answers_itself = true;
        self.serve();
        self
    }

    /// Killed without a word, and started again on the same disk.
    pub fn killed(&self) -> Self {
        let mut desk = Self::bare(self.state.area.width, self.state.area.height, self.store.clone(), self.seed + 1);
        desk.now = Now { wall: self.now.wall, mono: Mono(50) };
        desk.service = self.service.clone();
        desk.names.clone_from(&self.names);
        if let Some(draft) = desk.store.draft.clone() {
            desk.hear(Msg::Drafted(draft));
            desk.hear(Msg::Kept(desk.store.drafts.values().cloned().collect()));
        }
        let mut tasks: Vec<Task> = desk.store.tasks.values().cloned().collect();
        tasks.sort_by_key(|task| std::cmp::Reverse((task.created, task.id)));
        desk.hear(Msg::Older { tasks, last: true });
        desk
    }

    /// A terminal that shows pictures.
    pub fn with_pictures(&mut self) -> &mut Self {
        self.hear(Msg::PicturesKnown(PictureWay { protocol: Some("kitty".into()), cell: (10, 20) }))
    }

    /// Keys by their names, with blanks between them.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        for key in keys.split(' ') {
            self.hear(Msg::Key(key.parse().expect("a chord")));
        }
        self
    }

    /// Letters.
    pub fn typed(&mut self, text: &str) -> &mut Self {
        for c in text.chars() {
            self.hear(Msg::Key(plantain::keys::Chord::plain(plantain::keys::Key::Char(c))));
        }
        self
    }

    /// A bracketed paste.
    pub fn paste(&mut self, text: &str) -> &mut Self {
        self.hear(Msg::Paste(text.into()))
    }

    /// A prompt, sent.
    pub fn submit(&mut self, prompt: &str) -> &mut Self {
        self.press("esc n").typed(prompt).press("ctrl-s")
    }

    /// Any message.
    pub fn hear(&mut self, msg: Msg) -> &mut Self {
        let effects = update(&mut self.state, msg, self.now);
        for effect in effects {
            if let Effect::Fleet(Order::Save(Change::New(task) | Change::Intent(task))) = &effect
                && !self.names.contains(&task.id)
            {
                self.names.push(task.id);
            }
            match &effect {
                Effect::Fleet(Order::Save(change)) => self.writes.push_back(change.clone()),
                Effect::Fleet(Order::Ask(question)) => self.questions.push_back(question.clone()),
                _ => {}
            }
            self.effects.push(effect);
        }
        if self.answers_itself {
            self.serve();
        }
        self
    }

    /// A message for the fleet.
    pub fn fleet(&mut self, msg: FleetMsg) -> &mut Self {
        self.hear(Msg::Fleet(msg))
    }

    /// Lets time pass, and wakes the machine whenever it wanted to be woken.
    pub fn later(&mut self, span: Duration) -> &mut Self {
        let end = self.now.mono + span;
        while let Some(Source::Wake(at)) = sources(&self.state)
            && at <= end
        {
            self.jump(at);
            self.hear(Msg::Woke);
            if let Some(Source::Wake(next)) = sources(&self.state) {
                assert!(next > self.now.mono, "woken at {:?}, and wants to be woken at {next:?} again", self.now.mono);
            }
        }
        self.jump(end);
        self
    }

    fn jump(&mut self, to: Mono) {
        let span = to.since(self.now.mono);
        self.now.mono = self.now.mono.max(to);
        self.now.wall = Wall(self.now.wall.0 + i64::try_from(span.as_millis()).expect("a short span"));
        // The state learns the time with its next message, as in the program.
    }

    /// What was wanted since the last look, in words.
    pub fn seen(&mut self) -> Vec<String> {
        let effects = std::mem::take(&mut self.effects);
        effects.iter().map(|effect| self.words(effect)).collect()
    }

    /// The latest question for what was spent that nobody has looked at.
    pub fn last_tally(&self) -> Option<&Order> {
        self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Fleet(order @ Order::Tally(..)) => Some(order),
            _ => None,
        })
    }

    /// The latest order that nobody has looked at.
    pub fn last_order(&self) -> Option<&Order> {
        self.effects.iter().rev().find_map(|effect| match effect {
            Effect::Fleet(order) => Some(order),
            _ => None,
        })
    }

    /// Exactly this was wanted since the last look.
    #[track_caller]
    pub fn expect<const N: usize>(&mut self, wanted: [&str; N]) -> &mut Self {
        assert_eq!(self.seen(), wanted);
        self
    }

    /// Exactly this was wanted since the last look, drafts apart.
    #[track_caller]
    pub fn expect_but_drafts<const N: usize>(&mut self, wanted: [&str; N]) -> &mut Self {
        let seen: Vec<String> = self.seen().into_iter().filter(|words| !words.starts_with("draft ")).collect();
        assert_eq!(seen, wanted);
        self
    }

    /// An effect in words.
    pub fn words(&self, effect: &Effect) -> String {
        match effect {
            Effect::Fleet(Order::Save(Change::New(task))) => {
                format!("new {} {}", self.name(task.id), task.status.stage().word())
            }
            Effect::Fleet(Order::Save(Change::Progress(task))) => {
                format!("save {} {}", self.name(task.id), task.status.stage().word())
            }
            Effect::Fleet(Order::Save(Change::Draft(draft))) => format!("draft {:?}", draft.prompt),
            Effect::Fleet(Order::Save(Change::Forget(id))) => format!("forget {}", self.name(*id)),
            Effect::Fleet(Order::Save(Change::Snippet { name, text })) => format!("snippet {name} {text:?}"),
            Effect::Fleet(Order::Save(Change::Star(id, on))) => format!("star {} {on}", self.name(*id)),
            Effect::Fleet(Order::Save(Change::Intent(task))) => format!("intent {}", self.name(task.id)),
            Effect::Fleet(Order::Save(Change::Wish(wish))) => format!("wish {wish:?}"),
            Effect::Fleet(Order::Save(Change::Learned(lessons))) => format!("learned {}", lessons.len()),
            Effect::Fleet(Order::Save(Change::Found(found))) => format!("found {:?}", found.browse),
            Effect::Fleet(Order::Save(Change::Drop(ids))) => format!("drop {}", ids.len()),
            Effect::Fleet(Order::Save(Change::Batch { name, paused })) => format!("rest {name} {paused}"),
            Effect::Batch(name) => format!("batch {name}"),
            Effect::Fleet(Order::Save(Change::Paused(why))) => format!("paused {}", why.is_some()),
            Effect::Fleet(Order::Submit(id, _)) => format!("submit {}", self.name(*id)),
            Effect::Fleet(Order::Ask(Question::Task(id, task_id))) => format!("ask {} as {task_id}", self.name(*id)),
            Effect::Fleet(Order::Ask(Question::Page(page, ids))) => {
                let mut names: Vec<String> = ids.iter().map(|id| self.name(*id)).collect();
                names.sort();
                format!("page {page} for {}", names.join(" "))
            }
            Effect::Fleet(Order::Browse(Browse::Page(page))) => format!("browse page {page}"),
            Effect::Fleet(Order::Browse(Browse::One(task_id))) => format!("browse {task_id}"),
            Effect::Fleet(Order::Tally(tally, _)) => format!("tally {tally:?}"),
            Effect::Fleet(Order::Sift(ids)) => {
                format!("sift {}", ids.iter().map(TaskId::as_str).collect::<Vec<_>>().join(" "))
            }
            Effect::Fleet(Order::Fetch { asset, .. }) => format!("fetch {}/{}", self.name(asset.task), asset.index),
            Effect::Older(None) => "older".into(),
            Effect::Older(Some((_, id))) => format!("older than {}", self.name(*id)),
            Effect::Family(id) => format!("family of {}", self.name(*id)),
            Effect::Encode(want) => format!("encode {}", want.file),
            Effect::Glance(want) => format!("glance {}", want.file),
            Effect::Ahead(wants) => format!("ahead {}", wants.len()),
            Effect::Check { task, files, again } => {
                format!("check {} of {}{}", files.len(), self.name(*task), if *again { " again" } else { "" })
            }
            Effect::Recall(kind) => format!("recall {kind:?}"),
            Effect::ReadFile { field, path, media } => format!("read {path} as {media} for {field}"),
            Effect::Lists(names) => format!("lists {}", names.iter().cloned().collect::<Vec<_>>().join(" ")),
            Effect::Compose(text) => format!("compose {text:?}"),
            Effect::TryKey(_) => "try key".into(),
            Effect::Repaint => "repaint".into(),
            Effect::Suspend => "suspend".into(),
            Effect::Demo => "demo".into(),
            Effect::Quit => "quit".into(),
        }
    }

    fn name(&self, id: LocalId) -> String {
        let letter =
            |at: usize| u8::try_from(at).ok().filter(|at| *at < 26).map(|at| char::from(b'A' + at).to_string());
        let at = self.names.iter().position(|other| *other == id);
        at.and_then(letter).unwrap_or_else(|| id.short())
    }

    /// The id of a task by its letter.
    pub fn id(&self, name: &str) -> LocalId {
        let at = usize::from(name.as_bytes()[0] - b'A');
        self.names[at]
    }

    /// The task of this letter.
    pub fn task(&self, name: &str) -> &Task {
        self.state.fleet.task(self.id(name)).expect("it is loaded")
    }

    /// Where the task of this letter stands.
    pub fn stage(&self, name: &str) -> Stage {
        self.task(name).status.stage()
    }

    /// The store has done everything it was asked for.
    pub fn stored(&mut self) -> &mut Self {
        for change in std::mem::take(&mut self.writes) {
            if let Some((id, stage)) = self.store.write(&change) {
                self.fleet(FleetMsg::Stored { id, stage, result: Ok(()) });
            }
        }
        self
    }

    /// The store could not do what it was asked for.
    pub fn not_stored(&mut self) -> &mut Self {
        let full = Problem::Local { message: "the disk is full".into() };
        for change in std::mem::take(&mut self.writes) {
            if let Some((id, stage)) = change.written() {
                self.fleet(FleetMsg::Stored { id, stage, result: Err(full.clone()) });
            }
        }
        self
    }

    /// The creation of this task was accepted, as `tk-A`.
    pub fn accepted(&mut self, name: &str) -> &mut Self {
        let id = self.id(name);
        let accepted = Accepted { task_id: task_id(name), replay: false };
        self.fleet(FleetMsg::Submitted { id, answer: Answer::bare(Ok(accepted)) })
    }

    /// The creation of this task was answered so, or not at all.
    pub fn refused(&mut self, name: &str, problem: Problem) -> &mut Self {
        let id = self.id(name);
        self.fleet(FleetMsg::Submitted { id, answer: Answer::bare(Err(problem)) })
    }

    /// The oldest question is answered with these tasks.
    #[track_caller]
    pub fn told(&mut self, news: &[(&str, Status)]) -> &mut Self {
        let question = self.questions.pop_front().expect("nothing was asked");
        let mut reports = news.iter().map(|(name, status)| report(name, status.clone()));
        let news = match &question {
            Question::Task(..) => News::Task(reports.next().expect("one task")),
            Question::Page(page, _) => {
                News::Page(Page { page: *page, size: 100, total: 100, reports: reports.collect() })
            }
        };
        self.fleet(FleetMsg::Answered { question, answer: Answer::bare(Ok(news)) })
    }

    /// The oldest question is not answered.
    #[track_caller]
    pub fn not_told(&mut self, problem: Problem) -> &mut Self {
        let question = self.questions.pop_front().expect("nothing was asked");
        self.fleet(FleetMsg::Answered { question, answer: Answer::bare(Err(problem)) })
    }

    /// The first output of this task is here, or is not.
    pub fn fetched(&mut self, name: &str, result: Result<(), Problem>) -> &mut Self {
        let asset = AssetId { task: self.id(name), index: 0 };
        self.fleet(FleetMsg::Fetched { asset, result: result.map(|()| home(name)) })
    }

    /// A task that is at the service, by hand.
    pub fn running(&mut self, name: &str) -> &mut Self {
        self.submit(name).stored().stored().accepted(name).stored();
        self.seen();
        self
    }

    /// A task that succeeded and is at home, by hand.
    pub fn at_home(&mut self, name: &str) -> &mut Self {
        self.running(name).later(secs(3));
        self.told(&[(name, Status::Success)]).stored();
        self.fetched(name, Ok(())).stored();
        self.seen();
        self
    }

    /// Answers everything as a healthy world would, until nothing is wanted any more.
    fn serve(&mut self) {
        self.writes.clear();
        self.questions.clear();
        while !self.effects.is_empty() {
            for effect in std::mem::take(&mut self.effects) {
                let answer = match effect {
                    Effect::Fleet(Order::Save(change)) => {
                        self.store.write(&change).map(|(id, stage)| FleetMsg::Stored { id, stage, result: Ok(()) })
                    }
                    Effect::Fleet(Order::Submit(id, request)) => {
                        let result = self.service.post(id, &request.body, self.now);
                        Some(FleetMsg::Submitted { id, answer: Answer::bare(result) })
                    }
                    Effect::Fleet(Order::Ask(question)) => {
                        let result = match &question {
                            Question::Task(_, id) => self.service.task(id, self.now).map(News::Task),
                            Question::Page(page, _) => Ok(News::Page(self.service.page(*page, self.now))),
                        };
                        Some(FleetMsg::Answered { question, answer: Answer::bare(result) })
                    }
                    Effect::Fleet(Order::Fetch { asset, .. }) => {
                        Some(FleetMsg::Fetched { asset, result: Ok(home(&asset.task.short())) })
                    }
                    _ => None,
                };
                if let Some(msg) = answer {
                    for effect in update(&mut self.state, Msg::Fleet(msg), self.now) {
                        if let Effect::Fleet(Order::Save(Change::New(task) | Change::Intent(task))) = &effect
                            && !self.names.contains(&task.id)
                        {
                            self.names.push(task.id);
                        }
                        self.effects.push(effect);
                    }
                }
            }
        }
    }
}

/// The service's id of the task of this letter.
pub fn task_id(name: &str) -> TaskId {
    format!("tk-{name}").parse().expect("an id")
}

/// A report of the task of this letter.
pub fn report(name: &str, status: Status) -> Report {
    let outputs: Vec<Output> = if status == Status::Success { vec![output(name)] } else { Vec::new() };
    Report {
        task_id: task_id(name),
        model: "m".into(),
        status,
        outputs,
        created: None,
        completed: None,
        source: plantain::domain::Source::Task,
    }
}
