//! Everything we can want from the world.

use std::collections::BTreeSet;

use crate::domain::{AssetId, LocalId, Secret};
use crate::fleet::Order;
use crate::time::Wall;

use super::preview::Want;
use super::shelf::ShelfKind;

/// A wish to the outside world, as data.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// What the fleet wants.
    Fleet(Order),
    /// Tasks older than this one, from the store; answered by `Msg::Older`.
    Older(Option<(Wall, LocalId)>),
    /// All that the store holds of the batch of this name; answered by `Msg::Batch`.
    Batch(String),
    /// The family of this task, from the store; answered by `Msg::Relatives`.
    Family(LocalId),
    /// This picture, encoded for this terminal; answered by `Msg::Asset`. A newer wish replaces it.
    Encode(Want),
    /// A first look of this picture, if there is a thumbnail of it; answered by `Msg::Asset`.
    Glance(Want),
    /// These pictures when there is nothing else to do; not answered, for nobody waits for them.
    Ahead(Vec<Want>),
    /// Look whether these files of a task are still there; answered by `Msg::Checked`.
    Check {
        /// The task.
        task: LocalId,
        /// Its files.
        files: Vec<(AssetId, String)>,
        /// What is gone is to be fetched again.
        again: bool,
    },
    /// Read this file for a field that takes files in place of addresses; answered by `Msg::FileRead`.
    ReadFile {
        /// The field.
        field: String,
        /// What was typed: a path, perhaps with `~`, or a `file:` URL.
        path: String,
        /// The kind of file that the field takes.
        media: String,
    },
    /// The lists of these names, and those that they name, from the folder of lists; answered by `Msg::Lists`.
    Lists(BTreeSet<String>),
    /// Use this key for this run and see whether the service takes it; answered by `Msg::KeyChecked`.
    TryKey(Secret),
    /// Text that was written before; answered by `Msg::Recalled`.
    Recall(ShelfKind),
    /// Give the terminal to the user's own editor with this text; answered by `Msg::Composed`.
    Compose(String),
    /// Paint everything again, as if nothing were on the screen.
    Repaint,
    /// Back to the shell until it brings us back.
    Suspend,
    /// Leave, and start the demonstration instead.
    Demo,
    /// Leave.
    Quit,
}
