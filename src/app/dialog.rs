//! What can lie over the panes: one thing at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::{LocalId, Problem, Secret};
use crate::keys::Place;

use super::editor::TextPane;
use super::groups::Name;
use super::kin::KinDialog;
use super::line::Line;
use super::listing::{Listing, Mode};
use super::looking::Viewer;
use super::sending::Example;
use super::settle::Settling;
use super::shelf::Shelf;

/// What lies over the panes.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialog {
    /// The keys of a place.
    Help {
        /// Whose keys.
        place: Place,
        /// Lines scrolled away at the top.
        scroll: u16,
    },
    /// Everything about a task.
    Detail {
        /// Which one.
        id: LocalId,
        /// Lines scrolled away at the top.
        scroll: u16,
    },
    /// Everything about a batch.
    Batch {
        /// Which one.
        name: Name,
        /// Lines scrolled away at the top.
        scroll: u16,
    },
    /// Whether something is to be done to a batch.
    AskBatch(AskBatch),
    /// A picture fills the screen.
    Viewer(Viewer),
    /// A list of models; typing narrows it.
    Models {
        /// What was typed.
        query: Line,
        /// The chosen row among those that match.
        cursor: usize,
    },
    /// The allowed values of a field.
    Choices {
        /// The field.
        field: String,
        /// The chosen row; 0 is the service's default.
        cursor: usize,
        /// The values that are ticked, from 0: several make tasks of their own each.
        ticked: BTreeSet<usize>,
    },
    /// A line to type the value of a field.
    Input {
        /// The field.
        field: String,
        /// What was typed.
        text: Line,
        /// Why it cannot be taken.
        fault: Option<String>,
    },
    /// A long text of a field, in an editor of its own.
    Text {
        /// The field.
        field: String,
        /// The text; the field always has what stands here.
        pane: TextPane,
    },
    /// The addresses, or texts, of a field.
    List(Listing),
    /// A line to type how many.
    Number {
        /// Of what.
        what: Number,
        /// What was typed.
        text: Line,
        /// Why it cannot be taken.
        fault: Option<String>,
    },
    /// The first tasks that a template and a matrix come to.
    Expansions {
        /// They.
        rows: Arc<Vec<Example>>,
        /// The chosen one.
        cursor: usize,
    },
    /// Whether all that is in `State::sending` is wanted; typing changes the name of the batch.
    Confirm {
        /// Why it cannot be so.
        fault: Option<String>,
    },
    /// What to do about a creation whose outcome nobody knows.
    Settle(Settling),
    /// Where tasks come from and what comes of them.
    Kin(KinDialog),
    /// Text that was written before.
    Shelf(Box<Shelf>),
    /// How to set an API key.
    Setup(Setup),
}

/// What a number is typed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// How often each task is made.
    Repeats,
    /// How many prompts chance makes, and with what seed.
    Draws,
}

/// Whether something is to be done to a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskBatch {
    /// Which one.
    pub batch: Name,
    /// What.
    pub deed: Deed,
    /// The chosen answer.
    pub yes: bool,
}

/// What can be done to a batch, and is asked about first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Drop what was never sent.
    Drop,
    /// Send once more what failed for a reason that passes.
    Retry,
}

/// The screen that says how to set a key, and takes one for this run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setup {
    /// What was typed or pasted; never shown.
    pub typed: Secret,
    /// Why the screen is here.
    pub reason: String,
    /// Where the test stands.
    pub test: Test,
}

/// Where the test of a key stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Test {
    /// Not begun.
    #[default]
    None,
    /// Asked, not answered.
    Asked,
    /// Refused, or no answer.
    Failed(Problem),
}

impl Dialog {
    /// Where the keyboard is while this is open.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Help { .. } => Place::Help,
            Self::Detail { .. } | Self::Batch { .. } => Place::Detail,
            Self::Viewer(_) => Place::Viewer,
            Self::Models { .. } | Self::Expansions { .. } | Self::Settle(_) | Self::AskBatch(_) => Place::Picker,
            Self::Choices { .. } => Place::Choices,
            Self::Input { .. } | Self::Number { .. } => Place::Input,
            Self::Confirm { .. } => Place::Confirm,
            Self::Kin(dialog) => dialog.place(),
            Self::Shelf(shelf) => shelf.place(),
            Self::Setup(_) => Place::Setup,
            Self::Text { .. } => Place::Text,
            Self::List(listing) => match &listing.mode {
                Mode::Look => Place::List,
                Mode::Type { .. } => Place::Input,
                Mode::Pick { .. } => Place::Picker,
            },
        }
    }
}
