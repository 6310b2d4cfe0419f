//! The loop of the screen: wait, drain, update, perform, draw.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::Event;
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::api::ApiKey;
use crate::app::msg::PictureWay;
use crate::app::{Effect, Msg, Source, State, sources, update};
use crate::domain::{Draft, Problem, Secret};
use crate::fleet::FleetMsg;
use crate::graphics::{Protocol, Quality, Shape};
use crate::keys::Place;
use crate::store::Heard;
use crate::terminal::{self, Caps, Choice, Frame, Input, Output, Reader, Reply, Screen};
use crate::ui::{Theme, view};

use super::asking::Asking;
use super::brief::name_of;
use super::callbacks::{Ear, Listening};
use super::clock::{self, Clock, sleep_until};
use super::colours::theme;
use super::compose::Composing;
use super::hands::{Hands, Note, deliver};
use super::keyboard::chord;
use super::pace::Pace;
use super::pictures::Pictures;
use super::service::Service;
use super::signals::{Signals, Told};
use super::start::{Exit, PAGE, RunError};

/// How long messages are taken in before a frame is drawn.
const SLICE: Duration = Duration::from_millis(4);
/// A terminal that answered nothing by then gets half blocks; a late answer still improves on that.
pub(super) const PATIENCE: Duration = Duration::from_millis(300);
/// How long a terminal may take the last bytes.
pub(super) const LAST_WORDS: Duration = Duration::from_millis(300);

/// Everything that runs.
pub(super) struct Program {
    pub(super) state: State,
    pub(super) base: url::Url,
    /// The key in use, if there is one.
    pub(super) key: Option<ApiKey>,
    pub(super) pictures: Pictures,
    pub(super) pace: Pace,
    pub(super) choice: Choice,
    /// Until when answers of the terminal are waited for.
    pub(super) patience: Option<Instant>,
    pub(super) asking: Asking,
    pub(super) caps: Caps,
    pub(super) theme: Theme,
    pub(super) hands: Hands,
    pub(super) clock: Clock,
    /// The writer, until we leave.
    pub(super) output: Option<Output>,
    pub(super) repaint: bool,
    pub(super) exit: Option<Exit>,
    pub(super) tty: OwnedFd,
    pub(super) screen: Screen,
    pub(super) reader: Option<Reader>,
    /// Where a reader puts what it reads.
    pub(super) keys: mpsc::Sender<Input>,
    /// The user's own editor has the terminal.
    pub(super) composing: Option<Composing>,
    pub(super) failure: Option<RunError>,
    pub(super) batch: Vec<Draft>,
    /// What other windows said before the store was ours to use.
    pub(super) unheard: Vec<Heard>,
    /// For callbacks, once the store is open.
    pub(super) ear: Ear,
}

impl Program {
    pub(super) async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Note>,
        mut input: mpsc::Receiver<Input>,
    ) -> Result<Exit, RunError> {
        let mut signals = Signals::listen()?;
        while self.exit.is_none() {
            let now = Instant::now();
            if self.pace.due(now).is_some_and(|due| due <= now) {
                self.draw();
                continue;
            }
            tokio::select! { biased;
                Some(event) = input.recv() => self.input(event),
                told = signals.next() => self.signal(told),
                Some(note) = inbox.recv() => self.note(note),
                () = sleep_until(self.wake(now)) => self.woke(),
            }
            // Whatever else is waiting is taken in before one frame is drawn for all of it: people first.
            let stop = Instant::now() + SLICE;
            while self.exit.is_none() && Instant::now() < stop {
                if let Ok(event) = input.try_recv() {
                    self.input(event);
                } else if let Ok(note) = inbox.try_recv() {
                    self.note(note);
                } else {
                    break;
                }
            }
        }
        self.leave(inbox).await
    }

    fn wake(&self, now: Instant) -> Option<Instant> {
        let due = sources(&self.state).map(|Source::Wake(at)| Instant::from_std(self.clock.instant(at)).max(now));
        [due, self.pace.due(now), self.patience, self.asking.due()].into_iter().flatten().min()
    }

    fn woke(&mut self) {
        if self.patience.is_some_and(|until| until <= Instant::now()) {
            self.patience = None;
            self.tell_pictures();
        }
        if self.asking.take(Instant::now()) {
            self.caps.asked_again();
            self.ask_terminal();
        }
        self.look_at_line();
        let due = matches!(sources(&self.state), Some(Source::Wake(at)) if at <= self.clock.now().mono);
        if due {
            self.take(Msg::Woke, false);
        }
    }

    fn signal(&mut self, told: Told) {
        match told {
            Told::Window => self.resized(),
            // Then it is the editor's business.
            Told::Continued | Told::Interrupt if self.composing.is_some() => {}
            Told::Continued => self.away(|screen| {
                screen.leave();
                screen.enter_again()
            }),
            Told::Stop => self.suspend(),
            Told::Interrupt | Told::Leave => self.take(Msg::InputClosed, true),
        }
    }

    pub(super) fn resized(&mut self) {
        let Ok(window) = terminal::size(self.tty.as_fd()) else { return };
        if self.caps.resized(window) {
            self.caps.asked_again();
            self.ask_terminal();
        }
        self.perhaps_attached();
        if let Some(output) = &self.output {
            output.configure(self.caps.settings());
        }
        self.take(Msg::Resized(Size::new(window.cols, window.rows)), true);
        self.tell_pictures();
    }

    /// A paste with the API key in it is not taken in, but where a key is asked for: the draft goes to the disk.
    fn paste(&mut self, text: String) {
        let holds_key = self.key.as_ref().is_some_and(|key| key.is_in(&text));
        if holds_key && self.state.place() != Place::Setup {
            self.take(Msg::Told("the paste holds your API key; it was not taken in".to_owned()), true);
        } else {
            self.take(Msg::Paste(text), true);
        }
    }

    fn input(&mut self, input: Input) {
        match input {
            Input::Event(Event::Key(key)) => {
                if let Some(chord) = chord(key) {
                    self.take(Msg::Key(chord), true);
                }
            }
            Input::Event(Event::Paste(text)) => self.paste(text),
            Input::Event(Event::FocusGained) => self.perhaps_attached(),
            Input::Event(_) => {}
            Input::PasteCut(bytes) => self.take(Msg::Told(format!("the paste was cut: {bytes} bytes too long")), true),
            Input::Reply(Reply::Ready) => self.output.iter().for_each(Output::answered),
            Input::Reply(reply) => {
                let before = (self.caps.protocol(self.choice), self.caps.cell());
                if self.caps.learn(&reply) {
                    self.theme = theme(&self.caps);
                    if let Some(output) = &self.output {
                        output.configure(self.caps.settings());
                        if self.caps.keyboard {
                            output.write_raw(self.screen.keyboard_known().to_vec());
                        }
                    }
                    if self.caps.complete() {
                        self.patience = None;
                    }
                    if !self.caps.waits() {
                        self.asking.answered();
                    } else if self.caps.in_tmux() && self.asking.due().is_none() {
                        // Nobody but its own answer said so: who is behind it was not asked.
                        self.asking.asked(Instant::now());
                    }
                    if self.patience.is_none() || before != (self.caps.protocol(self.choice), self.caps.cell()) {
                        self.tell_pictures();
                    }
                    self.pace.changed(false);
                }
            }
            Input::Closed => self.take(Msg::InputClosed, true),
        }
    }

    fn note(&mut self, note: Note) {
        match note {
            Note::Msg(msg) => {
                if matches!(msg, Msg::Fleet(FleetMsg::Submitted { .. })) {
                    self.hands.submission_ended();
                }
                self.take(msg, false);
            }
            Note::Picture(made) => {
                if let Some(msg) = self.pictures.ended(*made) {
                    self.take(msg, false);
                }
            }
            Note::Opened(opened) => match opened.0 {
                Ok(contents) => self.opened(contents),
                Err(why) => {
                    self.failure = Some(why);
                    self.exit = Some(Exit::Quit);
                }
            },
            Note::Heard(heard) => self.heard(heard),
            Note::Composed(result) => self.composed(result),
            Note::Called(delivery) => self.called(delivery),
            Note::Looked(looked) => self.looked(looked),
            // Only commands have a folder of their own.
            Note::Copied(..) => {}
            Note::Key(Ok((total, service))) => {
                let key = service.key().clone();
                self.state.key = Some(key.fingerprint(clock::seed()));
                self.key = Some(key.clone());
                self.hands.use_service(service);
                if let Some(store) = self.hands.store() {
                    store.want_lease(move |salt| key.name(salt));
                }
                self.take(Msg::KeyChecked(Ok(total)), true);
            }
            Note::Key(Err(problem)) => self.take(Msg::KeyChecked(Err(problem)), true),
        }
        if let Some(text) = self.ear.alarm(&self.state.fleet, self.clock.now()) {
            self.take(Msg::Told(text.to_owned()), false);
        }
    }

    /// One message through the machine, and what comes of it.
    pub(super) fn take(&mut self, msg: Msg, by_hand: bool) {
        let before = self.clock.now();
        let name = name_of(&msg);
        for effect in update(&mut self.state, msg, before) {
            self.perform(effect);
        }
        self.hands.publish(self.state.fleet.blocked());
        self.hands.publish_limits(self.state.fleet.purse().limits());
        self.pace.changed(by_hand);
        let turn = self.clock.now().mono.since(before.mono);
        if turn > Duration::from_millis(20) {
            tracing::warn!(?turn, msg = name, "slow turn");
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Fleet(order) => self.hands.order(order, &self.state.fleet),
            Effect::Older(before) => {
                if let Some(store) = self.hands.store() {
                    let inbox = self.hands.inbox();
                    store.newest_then(PAGE, before, move |result| {
                        let msg = match result {
                            Ok(tasks) => Msg::Older { last: tasks.len() < PAGE, tasks },
                            Err(why) => Msg::NotOlder(why.to_string()),
                        };
                        deliver(&inbox, Note::Msg(msg));
                    });
                }
            }
            Effect::Batch(name) => self.read_batch(name),
            Effect::Family(id) => self.hands.relatives(id),
            Effect::Encode(want) => {
                if let Some(msg) = self.pictures.want(want) {
                    self.take(msg, true);
                }
            }
            Effect::Glance(want) => {
                if let Some(msg) = self.pictures.glance(want) {
                    self.take(msg, true);
                }
            }
            Effect::Ahead(wants) => self.pictures.ahead(wants),
            Effect::Check { task, files, again } => self.hands.check(task, files, again),
            Effect::ReadFile { field, path, media } => self.hands.read_file(field, path, media),
            Effect::Lists(names) => super::lists::answer(names, self.hands.inbox()),
            Effect::TryKey(secret) => self.try_key(&secret),
            Effect::Recall(kind) => self.recall(kind),
            Effect::Compose(text) => self.compose(&text),
            Effect::Repaint => self.repaint = true,
            Effect::Suspend => self.suspend(),
            Effect::Demo => self.exit = Some(Exit::Demo),
            Effect::Quit => self.exit = Some(Exit::Quit),
        }
    }

    fn try_key(&mut self, secret: &Secret) {
        let inbox = self.hands.inbox();
        let key = match ApiKey::parse(secret.expose()) {
            Ok(key) => key,
            Err(why) => {
                let problem = Problem::NoKey { message: why.to_string() };
                return self.take(Msg::KeyChecked(Err(problem)), true);
            }
        };
        let service = Arc::new(Service::new(self.base.clone(), key));
        self.hands.spawn(async move {
            let checked = match service.client().await {
                Ok(client) => client.check_key().await.result.map(|page| page.total),
                Err(problem) => Err(problem),
            };
            let _ = inbox.send(Note::Key(checked.map(|total| (total, service)))).await;
        });
    }

    /// Gives the terminal away and takes it again; everything on it is drawn anew.
    pub(super) fn away(&mut self, trip: impl FnOnce(&Screen) -> io::Result<()>) {
        let Some(output) = &self.output else { return };
        output.pause(LAST_WORDS);
        if trip(&self.screen).is_err() {
            // The kernel tells of a hang-up with SIGCONT, too: leave by the usual door, which saves the draft.
            return self.take(Msg::InputClosed, true);
        }
        output.resume();
        self.repaint = true;
        self.resized();
        self.caps.asked_again();
        self.ask_terminal();
    }

    pub(super) fn ask_terminal(&mut self) {
        if let Some(reader) = &self.reader {
            reader.expect(self.caps.fences());
        }
        if let Some(output) = &self.output {
            output.ask(self.caps.questions());
            if self.caps.in_tmux() {
                self.asking.asked(Instant::now());
                output.write_raw(terminal::TELL_FOCUS.to_vec());
            }
        }
    }

    /// Somebody else may look at tmux now: an attach comes as a resize, or as the focus.
    fn perhaps_attached(&mut self) {
        if self.caps.in_tmux() {
            self.output.iter().for_each(Output::forget_pictures);
            self.asking.doubt(Instant::now());
        }
    }

    /// Tells the state how pictures are shown, once that is known.
    fn tell_pictures(&mut self) {
        if self.patience.is_some() && self.choice == Choice::Auto {
            return;
        }
        let protocol = self.caps.protocol(self.choice);
        let cell = self.caps.cell().0;
        // How many bytes one may take is said with each; this is for what is not measured.
        let quality = if self.caps.over_ssh() { Quality::Lean } else { Quality::Full };
        self.pictures.shape(Shape { protocol, cell, quality, tmux: self.caps.in_tmux() }, self.caps.background);
        self.look_at_line();
        let named = (protocol != Protocol::Off).then(|| protocol.name().to_owned());
        let way = PictureWay { protocol: named, cell: (cell.width, cell.height) };
        self.take(Msg::PicturesKnown(way), true);
    }

    pub(super) fn draw(&mut self) {
        if self.composing.is_some() {
            return self.pace.drawn(Instant::now());
        }
        let area = Rect::new(0, 0, self.state.area.width, self.state.area.height);
        let mut buffer = Buffer::empty(area);
        let scene = view(&self.state, self.pictures.gallery(), &self.theme, &mut buffer);
        self.state.page_end = scene.page_end;
        let repaint = std::mem::take(&mut self.repaint);
        if let Some(output) = &self.output {
            output.show(Frame { buffer, cursor: scene.cursor, pictures: scene.pictures, repaint });
        }
        self.pace.drawn(Instant::now());
    }
}
