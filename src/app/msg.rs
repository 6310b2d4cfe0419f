//! Everything that can happen.

use std::collections::BTreeSet;
use std::time::Duration;

use ratatui::layout::Size;

use crate::domain::batch::Member;
use crate::domain::{AssetId, Draft, LocalId, Problem, Remembered, Stage, Standing, Task, Wish};
use crate::fleet::FleetMsg;
use crate::keys::Chord;

use super::editor::Found;
use super::preview::Want;
use super::shelf::ShelfKind;

/// Everything that can happen.
#[derive(Clone, Debug, PartialEq)]
pub enum Msg {
    /// A key was pressed.
    Key(Chord),
    /// Text was pasted, as the terminal gave it.
    Paste(String),
    /// The terminal has this size now, in cells.
    Resized(Size),
    /// For the fleet.
    Fleet(FleetMsg),
    /// Of a picture.
    Asset(AssetMsg),
    /// The terminal told what it can show; pictures are to be made for it.
    PicturesKnown(PictureWay),
    /// What is known of the line to the terminal has changed.
    Line(LineFacts),
    /// Tasks from the store that were asked for, newest first; `last` says that there are no older ones.
    Older {
        /// The tasks.
        tasks: Vec<Task>,
        /// The end of the history.
        last: bool,
    },
    /// What the store holds of a batch.
    Batch {
        /// Its name.
        name: String,
        /// All its tasks.
        members: Vec<Member>,
        /// Those that ended without a result.
        failed: Vec<Task>,
    },
    /// Older tasks were asked for and cannot be read; why.
    NotOlder(String),
    /// Tasks from the store that are not over: they are watched and fetched from now on, however old they are.
    Unfinished(Vec<Task>),
    /// Relatives of a task from the store, wherever they are in the history.
    Relatives(Vec<Task>),
    /// What was being typed when the program last ended.
    Drafted(Draft),
    /// What was being typed for the models, one draft each.
    Kept(Vec<Draft>),
    /// Send these, as if they had been typed: the first batch of the demonstration.
    Begin(Vec<Draft>),
    /// The store is open, and how this window stands to the others on it.
    Stands(Standing),
    /// Another window changed something.
    Mirrored {
        /// The tasks that changed, as they are now.
        tasks: Vec<Task>,
        /// Tasks that are no more.
        gone: Vec<LocalId>,
        /// How this window stands to the others.
        standing: Standing,
    },
    /// This window was stopped and goes on; meanwhile another one has held the lease.
    SteppedDown(Standing),
    /// This window holds the lease from now on; all that is unfinished.
    TookOver(Vec<Task>),
    /// Other windows want something of this one, which holds the lease.
    Wished(Vec<(Wish, Option<Task>)>),
    /// How many tasks the store holds, by stage.
    Counted(Vec<(Stage, u64)>),
    /// It was looked whether files of a task are still there.
    Checked {
        /// The task.
        task: LocalId,
        /// Those that are not.
        gone: Vec<AssetId>,
        /// They are to be fetched again.
        again: bool,
    },
    /// A file was read for a field: it as a `data:` URI, or why not.
    FileRead {
        /// The field.
        field: String,
        /// The URI.
        result: Result<String, String>,
    },
    /// Lists that a template names were read.
    Lists {
        /// Those that were asked for.
        names: BTreeSet<String>,
        /// They, and those that they name.
        found: Found,
    },
    /// The service answered whether the key is good: the number of tasks of the account.
    KeyChecked(Result<u64, Problem>),
    /// Text that was written before, or why it cannot be read.
    Recalled(ShelfKind, Result<Vec<Remembered>, String>),
    /// The user's own editor has ended: the text as it left it, or why there is none.
    Composed(Result<String, String>),
    /// A moment came that a source asked for.
    Woke,
    /// Something outside wants the user to know.
    Told(String),
    /// The terminal is gone.
    InputClosed,
}

/// What became of a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum AssetMsg {
    /// It is encoded for this terminal and in the gallery.
    Encoded(Want),
    /// There is no thumbnail to make a first look of.
    NoThumbnail(Want),
    /// It cannot be shown; why, in plain words.
    Failed(Want, String),
}

/// What is known of the line to the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineFacts {
    /// Bytes a second, as learned.
    pub rate: Option<u64>,
    /// Of an empty line.
    pub round_trip: Option<Duration>,
    /// Bytes that it carries in half a second; `None` where nothing has to be spared.
    pub half_second: Option<u64>,
    /// Something is still on its way.
    pub busy: bool,
    /// Pictures are made of text there: a first look would cost as much as the picture.
    pub text_only: bool,
}

/// How this terminal shows pictures, in words for people, and the pixels of a cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PictureWay {
    /// The protocol's name; `None`: no pictures at all.
    pub protocol: Option<String>,
    /// Width and height of a cell in pixels.
    pub cell: (u16, u16),
}
