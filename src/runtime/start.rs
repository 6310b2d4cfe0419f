//! How the screen comes up: the terminal first, then one frame, then the store and everything else.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use ratatui::layout::Size;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::api::ApiKey;
use crate::api::webhook::WebhookConfig;
use crate::app::state::Start;
use crate::app::{Msg, State};
use crate::config::{Allowance, Budgets, Confirm, PictureQuality, Places};
use crate::domain::{Catalogue, Draft, Problem, Secret, Stage, Standing, Task};
use crate::fleet::FleetMsg;
use crate::graphics::Thumbs;
use crate::store::{Store, StoreError, StoreProblem};
use crate::terminal::{self, Caps, Choice, Env, Input, Output, Reader, Screen};

use super::asking::Asking;
use super::callbacks::Ear;
use super::clock::{self, Clock};
use super::colours::theme;
use super::hands::{Hands, Note, deliver};
use super::pace::Pace;
use super::pictures::Pictures;
use super::screen::{PATIENCE, Program};
use super::service::{Downloads, Service};
use super::wallet::Wallet;

/// Older tasks that are read at a time. The first screen reads no more than it shows.
pub(super) const PAGE: usize = 200;
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
    /// How much a picture may cost.
    pub quality: PictureQuality,
    /// What the header calls the service.
    pub service: String,
    /// The demonstration.
    pub demo: bool,
    /// Sent at the start, if the history is empty.
    pub batch: Vec<Draft>,
    /// Receives callbacks.
    pub webhook: Option<WebhookConfig>,
    /// Where the limits of what may be spent stand, and what they are; none: nothing is counted.
    pub purse: Option<(Wallet, Budgets)>,
    /// What is sent only with the user's word.
    pub confirm: Confirm,
    /// The address that the service is asked to call. Whoever knows it can call it too.
    pub callback: Option<Secret>,
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
    /// Another window has the folder open for another service.
    #[error(
        "another plantain (process {pid}) uses this data folder for {service}; end it, or choose another --data-dir"
    )]
    OtherService {
        /// The other program.
        pid: u32,
        /// The service it talks to.
        service: String,
    },
    /// Another window has the folder open with another key.
    #[error(
        "another plantain (process {pid}) uses this data folder with another API key; end it, or choose another \
         --data-dir"
    )]
    OtherKey {
        /// The other program.
        pid: u32,
    },
    /// The store cannot be read.
    #[error("the history cannot be read: {0}")]
    Read(#[from] StoreProblem),
}

/// The store, and what the first screen needs of it.
#[derive(Debug)]
pub struct Opened(pub(super) Result<Contents, RunError>);

#[derive(Debug)]
pub(super) struct Contents {
    pub store: Store,
    pub standing: Standing,
    /// The last one in the editor first.
    pub drafts: Vec<Draft>,
    pub newest: Vec<Task>,
    pub counts: Vec<(Stage, u64)>,
    /// The history ends with them.
    pub last: bool,
}

/// What would be sent through another window must be meant for the service and the account it talks to.
pub(super) fn same_service(standing: &Standing, service: &str) -> Result<(), RunError> {
    match &standing.holder {
        Some(holder) if holder.service != service => {
            Err(RunError::OtherService { pid: holder.pid, service: holder.service.clone() })
        }
        Some(holder) if holder.other_key => Err(RunError::OtherKey { pid: holder.pid }),
        _ => Ok(()),
    }
}

/// What the user should know once about the place of the store.
pub(super) fn caution(store: &Store, standing: &Standing) -> Option<String> {
    let lockless = "files cannot be locked in the data folder: keep to one window";
    let stranger = "this data folder was last used with another API key: if that is of another account, its tasks \
        cannot be watched or fetched with this one";
    let said = [(standing.stranger, stranger), (standing.lockless, lockless)];
    said.into_iter().find(|(is, _)| *is).map(|(_, text)| text.to_owned()).or_else(|| store.caution())
}

/// What opening the store needs.
struct Opening {
    places: Places,
    /// Of the service.
    address: String,
    key: Option<ApiKey>,
    /// Tasks that fit on the screen.
    rows: usize,
}

fn open_store(opening: &Opening, notes: mpsc::Sender<Note>) -> Result<Contents, RunError> {
    let Opening { places, address, key, rows } = opening;
    let store = Store::open(&places.data)?;
    key.as_ref().map_or(Ok(()), |key| store.introduce(|salt| key.name(salt)))?;
    // Without a key nothing could be asked: then another window shall do it.
    let standing = store.join(address, key.is_some(), move |heard| deliver(&notes, Note::Heard(heard)))?;
    same_service(&standing, address)?;
    let drafts = store.drafts()?;
    let newest = store.newest(*rows, None)?;
    let last = newest.len() < *rows;
    let counts = store.counts()?;
    Ok(Contents { store, standing, drafts, newest, counts, last })
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
    let caps = Caps::new(env, window);
    let (notes, inbox) = mpsc::channel(4096);
    let (keys, input) = mpsc::channel(1024);
    let output = {
        // The reader may be blocked behind a full channel when the writer notices that the terminal is gone.
        let gone = keys.clone();
        Output::start(tty.try_clone()?, caps.settings(), Some(screen.gate()), move || {
            let _ = gone.blocking_send(Input::Closed);
        })?
    };
    let reader = Reader::start_beside(tty.try_clone()?, keys.clone(), output.fences())?;

    let thumbs = options.places.data.join("thumbs");
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
        pictures: Pictures::new(notes.clone(), Some(Arc::new(Thumbs::new(thumbs)))),
        pace: Pace::new(caps.over_ssh()),
        choice: options.graphics,
        patience: Some(Instant::now() + PATIENCE),
        asking: Asking::new(),
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
        keys,
        composing: None,
        failure: None,
        batch: options.batch,
        unheard: Vec::new(),
        ear: Ear::new(options.webhook),
    };
    program.state.callback = options.callback;
    program.state.utc_offset = program.theme.utc_offset;
    program.state.key = program.key.as_ref().map(|key| key.fingerprint(clock::seed()));
    program.state.confirm = options.confirm;
    if let Some((wallet, limits)) = options.purse {
        program.hands.carry(wallet);
        program.state.fleet.keep_purse(limits);
    }
    program.state.preview.quality = options.quality;
    // The history is on its way; until it is here, an empty table is not yet an empty history.
    program.state.table.loading = true;
    program.draw();
    program.ask_terminal();

    let rows = usize::from(window.rows).max(1);
    let opening = Opening { places: options.places, address: program.base.to_string(), key: program.key.clone(), rows };
    tokio::task::spawn_blocking(move || {
        let opened = Opened(open_store(&opening, notes.clone()));
        let _ = notes.blocking_send(Note::Opened(Box::new(opened)));
        crate::api::sweep_parts(&opening.places.outputs, std::time::SystemTime::now());
    });
    if let Err(reason) = options.key {
        program.take(Msg::Fleet(FleetMsg::Block(Problem::NoKey { message: reason })), true);
    }
    program.run(inbox, input).await
}
