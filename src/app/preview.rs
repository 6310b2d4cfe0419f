//! The preview: which picture is wanted, and how far it is.

use std::time::Duration;

use ratatui::layout::Size;

use crate::domain::{Home, Task};
use crate::time::Now;

/// The selection must rest this long before a picture is decoded: holding a key down costs nothing.
const REST: Duration = Duration::from_millis(70);

/// The name of a picture to show: this file at this size in cells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Want {
    /// Absolute path.
    pub file: String,
    /// SHA-256 of its content: two tasks with the same picture share one.
    pub sha256: String,
    /// The cells it may fill.
    pub cells: Size,
}

/// How far the wanted picture is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Slot {
    /// Nothing is wanted.
    #[default]
    Empty,
    /// Wanted; the selection has not rested yet.
    Resting,
    /// Being decoded and encoded.
    Encoding,
    /// In the gallery.
    Ready,
    /// Cannot be shown; why.
    Failed(String),
}

/// The preview pane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// What is wanted now.
    pub want: Option<Want>,
    /// How far it is.
    pub slot: Slot,
    /// Since when it is wanted.
    since: Now,
}

impl Preview {
    /// Says what is wanted now. What was wanted before is forgotten, and its answer will be ignored.
    pub fn wish(&mut self, want: Option<Want>, now: Now) {
        if self.want != want {
            self.slot = if want.is_some() { Slot::Resting } else { Slot::Empty };
            self.want = want;
            self.since = now;
        }
    }

    /// For how long it has been wanted.
    #[must_use]
    pub fn waited(&self, now: Now) -> Duration {
        now.mono.since(self.since.mono)
    }

    /// When the selection will have rested.
    #[must_use]
    pub fn due(&self) -> Option<crate::time::Mono> {
        (self.slot == Slot::Resting).then(|| self.since.mono + REST)
    }

    /// The picture to encode now, if its time has come.
    pub fn start(&mut self, now: Now) -> Option<Want> {
        if self.due().is_some_and(|due| due <= now.mono) {
            self.slot = Slot::Encoding;
            return self.want.clone();
        }
        None
    }

    /// Everything that was shown must be made again: the terminal forgot it, or shows pictures another way.
    pub fn renew(&mut self, now: Now) {
        if self.want.is_some() {
            self.slot = Slot::Resting;
            self.since = now;
        }
    }

    /// An answer came. Returns whether it was for what is wanted now. While the selection rests nothing was asked,
    /// so an answer then is from before: for another terminal, or another look at the same picture.
    pub fn answered(&mut self, want: &Want, slot: Slot) -> bool {
        let current = self.slot == Slot::Encoding && self.want.as_ref() == Some(want);
        if current {
            self.slot = slot;
        }
        current
    }
}

/// The picture of a task that is worth showing: the first image at home, or else a frame of a film.
#[must_use]
pub fn picture_of(task: &Task) -> Option<&Home> {
    let images = |home: &&Home| matches!(home.format.as_str(), "png" | "jpeg" | "webp");
    let homes = || task.outputs.iter().filter_map(|output| Some((output, output.home()?)));
    let first = homes().filter(|(output, _)| output.role == "image").map(|(_, home)| home).find(images);
    first.or_else(|| homes().map(|(_, home)| home).find(images))
}
