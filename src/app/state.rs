//! Everything the program knows. The focus is derived from what is open, never stored twice.

use std::collections::BTreeSet;

use ratatui::layout::Size;

use crate::config::{Allowance, Confirm};
use crate::domain::{AssetId, Catalogue, Draft, Fingerprint, LocalId, Secret, Standing, Task};
use crate::fleet::{Fleet, durations};
use crate::keys::Place;
use crate::time::{Chance, Now};

use super::dialog::Dialog;
use super::editor::Editor;
use super::layout::SMALLEST;
use super::looking::Viewer;
use super::msg::PictureWay;
use super::notice::{Notice, Tone};
use super::preview::Preview;
use super::sending::Sending;
use super::settle::Settling;
use super::shelf::Walk;
use super::table::Table;
use super::writing::{Composing, JustSent};

/// The pane that has the keyboard when nothing lies over it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// The prompt.
    #[default]
    Editor,
    /// The fields under it.
    Form,
    /// The table.
    Table,
}

/// Everything the program knows.
#[derive(Clone, Debug)]
pub struct State {
    /// The tasks, and all that is known of asking for them.
    pub fleet: Fleet,
    /// The models.
    pub catalogue: Catalogue,
    /// The screen, in cells.
    pub area: Size,
    /// The pane that has the keyboard.
    pub pane: Pane,
    /// The task table.
    pub table: Table,
    /// The prompt editor.
    pub editor: Editor,
    /// Many tasks on their way from there to the queue.
    pub sending: Option<Box<Sending>>,
    /// What is sent only after a word of the user.
    pub confirm: Confirm,
    /// Seconds that the user's clocks are ahead of UTC.
    pub utc_offset: i32,
    /// The preview.
    pub preview: Preview,
    /// The output of a task that is looked at instead of its first.
    pub picked: Option<(LocalId, usize)>,
    /// The header says how good the line is.
    pub show_line: bool,
    /// How the terminal shows pictures; `None`: not known yet, or not at all.
    pub pictures: Option<PictureWay>,
    /// What lies over the panes.
    pub dialog: Option<Dialog>,
    /// The picture that the help was opened over.
    pub under: Option<Viewer>,
    /// How far the page in the dialog can be scrolled, as its last drawing found.
    pub page_end: Option<u16>,
    /// A message in the footer.
    pub notice: Option<Notice>,
    /// The service, for the header: its host, or `demo`.
    pub service: String,
    /// The demonstration: nothing costs anything.
    pub demo: bool,
    /// Outputs whose files were not where they were put when that was last looked at.
    pub gone: BTreeSet<AssetId>,
    /// How this window stands to the others on the same history; alone until the store says otherwise.
    pub standing: Standing,
    /// Another window has held the lease while this one was open.
    pub followed: bool,
    /// Where the service is asked to call when a task ends.
    pub callback: Option<Secret>,
    /// What the API key is known by: it must not be sent, or stored, as a part of a prompt.
    pub key: Option<Fingerprint>,
    /// The last thing that was sent by hand, so that a second press of the key is known as one.
    pub sent: Option<JustSent>,
    /// Where the walk through what was sent stands.
    pub walk: Walk,
    /// What the user's own editor has now, if it was called.
    pub composing: Option<Composing>,
    /// The moment of the last message.
    pub now: Now,
    /// Ids are drawn from it.
    pub chance: Chance,
    /// It was said that this machine's clock is wrong.
    pub clock_told: bool,
    /// The loop ends.
    pub leaving: bool,
}

/// What a run starts from.
#[derive(Clone, Debug)]
pub struct Start {
    /// The models.
    pub catalogue: Catalogue,
    /// How much may be asked.
    pub allowance: Allowance,
    /// The service, for the header.
    pub service: String,
    /// The demonstration.
    pub demo: bool,
    /// The screen.
    pub area: Size,
    /// Chance for ids and jitter.
    pub seed: u128,
}

impl State {
    /// A fresh state: no tasks yet, they come from the store.
    #[must_use]
    pub fn new(start: Start, now: Now) -> Self {
        let mut chance = Chance::new(start.seed);
        let mut fleet = Fleet::new(start.allowance, chance.bits());
        fleet.know(durations::kinds(&start.catalogue));
        fleet.know_prices(start.catalogue.clone());
        let editor = Editor::new(&Draft::default(), &start.catalogue);
        let mut state = Self {
            fleet,
            catalogue: start.catalogue,
            area: start.area,
            pane: Pane::default(),
            table: Table::default(),
            editor,
            sending: None,
            confirm: Confirm::default(),
            utc_offset: 0,
            preview: Preview::default(),
            picked: None,
            show_line: false,
            pictures: None,
            dialog: None,
            under: None,
            page_end: None,
            notice: None,
            service: start.service,
            demo: start.demo,
            gone: BTreeSet::new(),
            standing: Standing::default(),
            followed: false,
            callback: None,
            key: None,
            sent: None,
            walk: Walk::default(),
            composing: None,
            now,
            chance,
            clock_told: false,
            leaving: false,
        };
        let prompt = super::layout::panes(&state).prompt;
        state.editor.lay(prompt);
        state
    }

    /// Where the keyboard is.
    #[must_use]
    pub fn place(&self) -> Place {
        match (&self.dialog, self.pane) {
            (Some(dialog), _) => dialog.place(),
            (None, Pane::Table) => Place::Table,
            (None, Pane::Editor) => Place::Editor,
            (None, Pane::Form) => Place::Form,
        }
    }

    /// The screen is too small for anything but saying so.
    #[must_use]
    pub fn too_small(&self) -> bool {
        self.area.width < SMALLEST.0 || self.area.height < SMALLEST.1
    }

    /// The task that keys act on: the one of the detail view, or the chosen one. None where they act on a batch.
    #[must_use]
    pub fn chosen(&self) -> Option<LocalId> {
        match &self.dialog {
            Some(Dialog::Detail { id, .. } | Dialog::Settle(Settling { id, .. })) => Some(*id),
            Some(Dialog::Viewer(open)) => Some(open.id),
            Some(Dialog::Batch { .. } | Dialog::AskBatch(_)) => None,
            Some(Dialog::Kin(dialog)) => dialog.about().or(self.table.cursor()),
            Some(Dialog::Help { .. }) => self.under.as_ref().map(|open| open.id).or(self.table.cursor()),
            _ => self.table.cursor(),
        }
    }

    /// The chosen task.
    #[must_use]
    pub fn task(&self) -> Option<&Task> {
        self.chosen().and_then(|id| self.fleet.task(id)).map(AsRef::as_ref)
    }

    /// The task whose picture is seen: the chosen one, or the newest of the chosen batch that has one.
    #[must_use]
    pub fn seen(&self) -> Option<&Task> {
        let of_batch = || self.batch().and_then(|name| self.table.group(&name)?.result());
        self.chosen().or_else(of_batch).and_then(|id| self.fleet.task(id)).map(AsRef::as_ref)
    }

    /// Says something in the footer.
    pub fn say(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice::new(text, Tone::Info, self.now));
    }

    /// Warns in the footer.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.notice = Some(Notice::new(text, Tone::Warning, self.now));
    }
}
