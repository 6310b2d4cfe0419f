//! The loop of the screen: wait, drain, update, perform, draw.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, KeyEvent, KeyEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::api::ApiKey;
use crate::app::msg::PictureWay;
use crate::app::state::Start;
use crate::app::{Effect, Msg, Source, State, sources, update};
use crate::config::{Allowance, Places};
use crate::domain::{Catalogue, Draft, Problem, Secret, Stage, Task};
use crate::fleet::FleetMsg;
use crate::graphics::{Protocol, Quality, Shape};
use crate::keys::{Chord, Key, Place};
use crate::store::{Store, StoreError, StoreProblem};
use crate::terminal::{self, Caps, Choice, Depth, Env, Frame, Input, Output, Reader, Screen, Settings};
use crate::ui::{ColourDepth, Theme, view};

use super::clock::{self, Clock};
use super::hands::{Hands, Note, deliver};
use super::pace::Pace;
use super::pictures::Pictures;
use super::service::{Downloads, Service};

/// Tasks that the first screen needs.
const FIRST: usize = 200;
/// How long messages are taken in before a frame is drawn.
const SLICE: Duration = Duration::from_millis(4);
/// A terminal that answered nothing by then gets half blocks; a late answer still improves on that.
const PATIENCE: Duration = Duration::from_millis(300);
/// How long leaving waits for creations whose answer has not come.
const FAREWELL: Duration = Duration::from_secs(3);
/// How long a terminal may take the last bytes.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// What the screen is started with.
#[derive(Debug)]
pub struct ScreenOptions {
    /// The models.
    pub catalogue: Catalogue,
    /// Where things are kept.
    pub places: Places,
    /// The address of the service.
    pub base: url::Url,
    /// The key, or why there is none.
    pub key: Result<ApiKey, String>,
    /// Downloads.
    pub downloads: Arc<Downloads>,
    /// How much may be asked.
    pub allowance: Allowance,
    /// How pictures are shown.
    pub graphics: Choice,
    /// What the header calls the service.
    pub service: String,
    /// The demonstration.
    pub demo: bool,
    /// Sent at the start, if the history is empty.
    pub batch: Vec<Draft>,
}

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The user, a signal or a hang-up.
    Quit,
    /// The user wants to see the demonstration.
    Demo,
}

/// Why there is no screen.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Nothing to draw on.
    #[error("this is not a terminal; try `plantain submit`, `plantain list` or `plantain watch`")]
    NoTerminal,
    /// The terminal failed.
    #[error("the terminal failed: {0}")]
    Terminal(#[from] io::Error),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store cannot be read.
    #[error("the history cannot be read: {0}")]
    Read(#[from] StoreProblem),
}

/// The store, and what the first screen needs of it.
#[derive(Debug)]
pub struct Opened(Result<Contents, RunError>);

#[derive(Debug)]
struct Contents {
    store: Store,
    draft: Option<Draft>,
    newest: Vec<Task>,
    unfinished: Vec<Task>,
    counts: Vec<(Stage, u64)>,
}

fn open_store(places: &Places) -> Result<Contents, RunError> {
    let store = Store::open(&places.data)?;
    let draft = store.draft()?;
    let newest = store.newest(FIRST, None)?;
    let unfinished = store.unfinished()?;
    let counts = store.counts()?;
    crate::api::sweep_parts(&places.outputs, std::time::SystemTime::now());
    Ok(Contents { store, draft, newest, unfinished, counts })
}

/// Runs the screen until the user leaves.
///
/// # Errors
/// When there is no terminal, or the store cannot be opened. The terminal is given back before that is reported.
pub async fn run_screen(options: ScreenOptions) -> Result<Exit, RunError> {
    let tty = terminal::open().map_err(|_| RunError::NoTerminal)?;
    let window = terminal::size(tty.as_fd()).map_err(|_| RunError::NoTerminal)?;
    let screen = Screen::enter(tty.try_clone()?)?;
    screen.install_panic_hook();
    let env = Env::read(|name| std::env::var(name).ok());
    let caps = Caps::new(env.clone(), window);
    let (notes, inbox) = mpsc::channel(4096);
    let (keys, input) = mpsc::channel(1024);
    let output = Output::start(tty.try_clone()?, settings(&caps), Some(screen.gate()), || {})?;
    let reader = Reader::start(tty.try_clone()?, keys)?;

    let clock = Clock::start();
    let start = Start {
        catalogue: options.catalogue,
        allowance: options.allowance,
        service: options.service,
        demo: options.demo,
        area: Size::new(window.cols, window.rows),
        seed: clock::seed(),
    };
    let service = options.key.as_ref().ok().map(|key| Arc::new(Service::new(options.base.clone(), key.clone())));
    let hands = Hands::new(service, options.downloads, options.places.outputs.clone(), notes.clone());
    let mut program = Program {
        state: State::new(start, clock.now()),
        base: options.base,
        key: options.key.as_ref().ok().cloned(),
        pictures: Pictures::new(notes.clone()),
        pace: Pace::new(caps.over_ssh()),
        choice: options.graphics,
        patience: Some(Instant::now() + PATIENCE),
        env,
        theme: theme(&caps),
        caps,
        hands,
        clock,
        output: Some(output),
        repaint: false,
        exit: None,
        tty,
        screen,
        reader: Some(reader),
        failure: None,
        batch: options.batch,
    };
    program.draw();
    program.ask_terminal();

    let places = options.places;
    tokio::task::spawn_blocking(move || {
        let opened = Opened(open_store(&places));
        let _ = notes.blocking_send(Note::Opened(Box::new(opened)));
    });
    if let Err(reason) = options.key {
        program.take(Msg::Fleet(FleetMsg::Block(Problem::NoKey { message: reason })), true);
    }
    program.run(inbox, input).await
}

/// Everything that runs.
struct Program {
    state: State,
    base: url::Url,
    /// The key in use, if there is one.
    key: Option<ApiKey>,
    pictures: Pictures,
    pace: Pace,
    choice: Choice,
    /// Until when answers of the terminal are waited for.
    patience: Option<Instant>,
    env: Env,
    caps: Caps,
    theme: Theme,
    hands: Hands,
    clock: Clock,
    /// The writer, until we leave.
    output: Option<Output>,
    repaint: bool,
    exit: Option<Exit>,
    tty: OwnedFd,
    screen: Screen,
    reader: Option<Reader>,
    failure: Option<RunError>,
    batch: Vec<Draft>,
}

/// The signals we answer to.
struct Signals {
    window: Signal,
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    goes_on: Signal,
}

/// What a signal means.
enum Told {
    /// The window has another size.
    Window,
    /// We were stopped and go on: whoever had the terminal meanwhile may have changed it.
    Continued,
    /// All others mean to leave.
    Leave,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            window: signal(SignalKind::window_change())?,
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            goes_on: signal(SignalKind::from_raw(libc::SIGCONT))?,
        })
    }

    /// The next one.
    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.window.recv() => Told::Window,
            _ = self.goes_on.recv() => Told::Continued,
            _ = self.hangup.recv() => Told::Leave,
            _ = self.terminate.recv() => Told::Leave,
            _ = self.interrupt.recv() => Told::Leave,
            _ = self.quit.recv() => Told::Leave,
        }
    }
}

impl Program {
    async fn run(
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
        let due =
            sources(&self.state).map(|Source::Wake(at)| Instant::from_std(self.clock.instant(at)).max(now));
        [due, self.pace.due(now), self.patience].into_iter().flatten().min()
    }

    fn woke(&mut self) {
        if self.patience.is_some_and(|until| until <= Instant::now()) {
            self.patience = None;
            self.tell_pictures();
        }
        let due = matches!(sources(&self.state), Some(Source::Wake(at)) if at <= self.clock.now().mono);
        if due {
            self.take(Msg::Woke, false);
        }
    }

    fn signal(&mut self, told: Told) {
        match told {
            Told::Window => self.resized(),
            Told::Continued => self.away(|screen| {
                screen.leave();
                screen.enter_again()
            }),
            Told::Leave => self.take(Msg::InputClosed, true),
        }
    }

    fn resized(&mut self) {
        let Ok(window) = terminal::size(self.tty.as_fd()) else { return };
        if self.caps.resized(window) {
            self.ask_terminal();
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
            Input::Event(_) => {}
            Input::PasteCut(bytes) => self.take(Msg::Told(format!("the paste was cut: {bytes} bytes too long")), true),
            Input::Reply(reply) => {
                if self.caps.learn(&reply) {
                    self.theme = theme(&self.caps);
                    if let Some(output) = &self.output {
                        output.configure(settings(&self.caps));
                        if self.caps.keyboard {
                            output.write_raw(self.screen.keyboard_known().to_vec());
                        }
                    }
                    if self.caps.complete() {
                        self.patience = None;
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
            Note::Picture(era, want, made) => {
                if let Some(msg) = self.pictures.ended(era, want, made) {
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
            Note::Key(Ok((total, service))) => {
                self.key = Some(service.key().clone());
                self.hands.use_service(service);
                self.take(Msg::KeyChecked(Ok(total)), true);
            }
            Note::Key(Err(problem)) => self.take(Msg::KeyChecked(Err(problem)), true),
        }
    }

    fn opened(&mut self, contents: Contents) {
        self.hands.open(contents.store);
        if let Some(draft) = contents.draft {
            self.take(Msg::Drafted(draft), true);
        }
        self.take(Msg::Counted(contents.counts), true);
        let last = contents.newest.len() < FIRST;
        self.take(Msg::Older { tasks: contents.newest, last }, true);
        self.take(Msg::Unfinished(contents.unfinished), true);
        if self.state.table.is_empty() && !self.batch.is_empty() {
            let batch = std::mem::take(&mut self.batch);
            self.take(Msg::Begin(batch), true);
        }
    }

    /// One message through the machine, and what comes of it.
    fn take(&mut self, msg: Msg, by_hand: bool) {
        let before = self.clock.now();
        let name = name_of(&msg);
        for effect in update(&mut self.state, msg, before) {
            self.perform(effect);
        }
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
                    store.newest_then(FIRST, before, move |result| {
                        let msg = match result {
                            Ok(tasks) => Msg::Older { last: tasks.len() < FIRST, tasks },
                            Err(why) => Msg::Told(why.to_string()),
                        };
                        deliver(&inbox, Note::Msg(msg));
                    });
                }
            }
            Effect::Encode(want) => {
                if let Some(msg) = self.pictures.want(want) {
                    self.take(msg, true);
                }
            }
            Effect::TryKey(secret) => self.try_key(&secret),
            Effect::Repaint => self.repaint = true,
            Effect::Suspend => self.away(Screen::suspend),
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
    fn away(&mut self, trip: impl FnOnce(&Screen) -> io::Result<()>) {
        let Some(output) = &self.output else { return };
        output.pause(LAST_WORDS);
        if trip(&self.screen).is_err() {
            // The kernel tells of a hang-up with SIGCONT, too: leave by the usual door, which saves the draft.
            return self.take(Msg::InputClosed, true);
        }
        output.resume();
        self.repaint = true;
        self.resized();
        self.ask_terminal();
    }

    fn ask_terminal(&mut self) {
        if let Some(output) = &self.output {
            output.ask(terminal::questions(&self.env));
        }
        if let Some(reader) = &self.reader {
            reader.expect(self.caps.fences());
        }
    }

    /// Tells the state how pictures are shown, once that is known.
    fn tell_pictures(&mut self) {
        if self.patience.is_some() && self.choice == Choice::Auto {
            return;
        }
        let protocol = self.caps.protocol(self.choice);
        let cell = self.caps.cell().0;
        let quality = if self.caps.over_ssh() { Quality::Lean } else { Quality::Full };
        self.pictures.shape(Shape { protocol, cell, quality });
        let named = (protocol != Protocol::Off).then(|| protocol.name().to_owned());
        let way = PictureWay { protocol: named, cell: (cell.width, cell.height) };
        self.take(Msg::PicturesKnown(way), true);
    }

    fn draw(&mut self) {
        let area = Rect::new(0, 0, self.state.area.width, self.state.area.height);
        let mut buffer = Buffer::empty(area);
        let scene = view(&self.state, self.pictures.gallery(), &self.theme, &mut buffer);
        let repaint = std::mem::take(&mut self.repaint);
        if let Some(output) = &self.output {
            output.show(Frame { buffer, cursor: scene.cursor, pictures: scene.pictures, repaint });
        }
        self.pace.drawn(Instant::now());
    }

    /// Gives the terminal back at once; then waits a moment for creations that are under way, so that fewer
    /// tasks are left unsure, and for the store.
    async fn leave(mut self, mut inbox: mpsc::Receiver<Note>) -> Result<Exit, RunError> {
        if let Some(reader) = self.reader.take() {
            reader.stop();
        }
        if let Some(output) = self.output.take() {
            output.finish(LAST_WORDS);
        }
        self.screen.leave();
        let stop = Instant::now() + FAREWELL;
        // Whoever types and leaves before the store is open loses nothing either.
        while self.hands.waits_for_store() && self.failure.is_none() {
            match tokio::time::timeout_at(stop, inbox.recv()).await {
                Ok(Some(Note::Opened(opened))) => match opened.0 {
                    Ok(contents) => {
                        if let Some(draft) = contents.draft {
                            self.take(Msg::Drafted(draft), false);
                        }
                        self.hands.open(contents.store);
                    }
                    Err(why) => self.failure = Some(why),
                },
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        while self.hands.submissions() > 0 {
            match tokio::time::timeout_at(stop, inbox.recv()).await {
                Ok(Some(Note::Msg(Msg::Fleet(msg @ FleetMsg::Submitted { .. })))) => {
                    self.hands.submission_ended();
                    self.after_leaving(msg);
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        if let Some(store) = self.hands.store() {
            store.flush();
        }
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.exit.unwrap_or(Exit::Quit)),
        }
    }

    /// The answer of a creation is still made durable; nothing new is begun.
    fn after_leaving(&mut self, msg: FleetMsg) {
        let orders = self.state.fleet.handle(msg, self.clock.now());
        for order in orders {
            if matches!(order, crate::fleet::Order::Save(_)) {
                self.hands.order(order, &self.state.fleet);
            }
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn settings(caps: &Caps) -> Settings {
    Settings { depth: caps.depth(), tmux: caps.in_tmux(), erase_fills: caps.erase_fills(), ..Settings::default() }
}

/// The colours for this terminal. Before it has told its background, its own sixteen are used.
fn theme(caps: &Caps) -> Theme {
    let depth = match caps.depth() {
        Depth::True => ColourDepth::True,
        Depth::Ansi256 => ColourDepth::Ansi256,
        Depth::Ansi16 => ColourDepth::Ansi16,
        Depth::None => ColourDepth::None,
    };
    let offset = jiff::tz::TimeZone::system().to_offset(jiff::Timestamp::now()).seconds();
    Theme { utc_offset: offset, ..Theme::new(depth, caps.light()) }
}

/// The name of a message, for the log. Its content may be private.
fn name_of(msg: &Msg) -> &'static str {
    match msg {
        Msg::Key(_) => "key",
        Msg::Paste(_) => "paste",
        Msg::Resized(_) => "resized",
        Msg::Fleet(_) => "fleet",
        Msg::Asset(_) => "asset",
        Msg::PicturesKnown(_) => "pictures known",
        Msg::Older { .. } | Msg::Unfinished(_) => "tasks",
        Msg::Drafted(_) => "draft",
        Msg::Begin(_) => "batch",
        Msg::Counted(_) => "counts",
        Msg::KeyChecked(_) => "key checked",
        Msg::Woke => "woke",
        Msg::Told(_) => "told",
        Msg::InputClosed => "input closed",
    }
}

/// A key press in our words; releases and unknown keys are none.
fn chord(event: KeyEvent) -> Option<Chord> {
    use crossterm::event::{KeyCode, KeyModifiers};
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let mut shift = event.modifiers.contains(KeyModifiers::SHIFT);
    let key = match event.code {
        KeyCode::Char(c) => {
            // Shift is in the character already.
            shift = false;
            Key::Char(c)
        }
        KeyCode::BackTab => {
            shift = true;
            Key::Tab
        }
        KeyCode::F(n) => Key::F(n),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Delete => Key::Delete,
        KeyCode::Insert => Key::Insert,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        _ => return None,
    };
    let (ctrl, alt) = (event.modifiers.contains(KeyModifiers::CONTROL), event.modifiers.contains(KeyModifiers::ALT));
    Some(Chord { key, ctrl, alt, shift })
}
