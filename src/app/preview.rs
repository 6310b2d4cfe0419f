//! The preview: which picture is wanted, how well it is to look, and how far it is.
//!
//! A picture comes in levels: a first look at once, then one that takes half a second of the line, and when nothing
//! else happens one that looks like the picture. A near or fast terminal gets everything at the second level.

use std::time::Duration;

use ratatui::layout::Size;

use crate::config::PictureQuality;
use crate::domain::View;
use crate::time::{Mono, Now};

use super::effect::Effect;
use super::msg::LineFacts;

/// The selection must rest this long before a picture is decoded: holding a key down costs nothing.
const REST: Duration = Duration::from_millis(70);
/// The same on a line where a picture takes its time.
const LONG_REST: Duration = Duration::from_millis(150);
/// The same for a first look that needs the file itself, since there is no thumbnail.
const FIRST_REST: Duration = Duration::from_millis(40);
/// Another part of the same picture is wanted by somebody who waits for it.
const LOOK_REST: Duration = Duration::from_millis(20);
/// Nothing else must have happened for so long before a picture gets sharper by itself.
const CALM: Duration = Duration::from_secs(2);
/// How long until a busy line is looked at again.
const AGAIN: Duration = Duration::from_secs(1);
/// Bytes of a picture that looks like the whole one, about; where half a second carries that, it is all there is.
const LOOKS_ALIKE: u64 = 440_000;
/// No first look where the picture itself is there within 0.3 s: half a second carries this then.
const HURRIED: u64 = LOOKS_ALIKE * 5 / 3;

/// How well a picture is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Something to see at once.
    First,
    /// What half a second of the line carries; everything on a fast one.
    Fit,
    /// What looks like the whole picture, at the price of a palette.
    Alike,
    /// Everything.
    Full,
}

impl Level {
    /// From the best to the first look.
    pub const BEST_FIRST: [Self; 4] = [Self::Full, Self::Alike, Self::Fit, Self::First];
}

/// The name of a picture to show: this file at this size in cells, this well.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Want {
    /// Absolute path.
    pub file: String,
    /// SHA-256 of its content: two tasks with the same picture share one.
    pub sha256: String,
    /// Its pixels, if they are known.
    pub pixels: Option<(u32, u32)>,
    /// The cells it may fill.
    pub cells: Size,
    /// The part to be seen; `None` for all of it.
    pub view: Option<View>,
    /// How well.
    pub level: Level,
}

impl Want {
    /// The same picture at another level.
    #[must_use]
    pub fn at(&self, level: Level) -> Self {
        Self { level, ..self.clone() }
    }

    /// The same picture in the same cells, at whatever level.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.sha256 == other.sha256 && self.cells == other.cells && self.view == other.view && self.file == other.file
    }
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

/// How far one of the other levels is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Step {
    #[default]
    Idle,
    /// Asked for, or there.
    Asked,
    /// A first look was asked for, and there is no thumbnail.
    NoThumbnail,
}

/// The preview pane.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// What is wanted now, at the level it settles at.
    pub want: Option<Want>,
    /// How far it is.
    pub slot: Slot,
    /// Since when it is wanted.
    since: Now,
    /// Since when it is there.
    ready: Mono,
    first: Step,
    sharper: Step,
    /// What was shown before in the same cells: another part of the same picture.
    before: Option<Want>,
    /// When anything last happened that a person did.
    touched: Mono,
    /// The line is not looked at again before this.
    again: Mono,
    /// Neighbours were asked for ahead.
    ahead: bool,
    /// The setting.
    pub quality: PictureQuality,
    /// Everything is to be shown, whatever it takes, for as long as the user likes.
    pub full: bool,
    /// What is known of the line.
    pub line: LineFacts,
}

impl Preview {
    /// The level a picture settles at.
    #[must_use]
    pub fn level(&self) -> Level {
        match self.quality {
            _ if self.full => Level::Full,
            PictureQuality::Full => Level::Full,
            PictureQuality::Lean if self.line.half_second.is_none_or(|bytes| bytes >= LOOKS_ALIKE) => Level::Alike,
            PictureQuality::Auto | PictureQuality::Lean => Level::Fit,
        }
    }

    /// Says what is wanted now. What was wanted before is forgotten, and its answer will be ignored.
    pub fn wish(&mut self, want: Option<Want>, now: Now) {
        if self.want == want {
            return;
        }
        let same = |old: &Want, new: &Want| old.sha256 == new.sha256 && old.cells == new.cells;
        let shown = match (&self.want, &want) {
            (Some(old), Some(new)) if same(old, new) => {
                if self.slot == Slot::Ready {
                    self.want.take()
                } else {
                    self.before.take()
                }
            }
            _ => None,
        };
        self.before = shown;
        self.slot = if want.is_some() { Slot::Resting } else { Slot::Empty };
        self.want = want;
        self.begin(now);
    }

    fn begin(&mut self, now: Now) {
        self.since = now;
        self.first = Step::Idle;
        self.sharper = Step::Idle;
        self.ahead = false;
    }

    /// What may be shown, the best first: every level of what is wanted, then what was there before in its cells.
    pub fn candidates(&self) -> impl Iterator<Item = Want> + '_ {
        let levels = |want: &Want| Level::BEST_FIRST.map(|level| want.at(level));
        self.want.iter().flat_map(levels).chain(self.before.iter().flat_map(levels))
    }

    /// For how long it has been wanted.
    #[must_use]
    pub fn waited(&self, now: Now) -> Duration {
        now.mono.since(self.since.mono)
    }

    /// A person did something.
    pub fn touch(&mut self, now: Now) {
        self.touched = now.mono;
    }

    /// A first look is worth its bytes: the picture itself would take longer than one likes to wait.
    fn hurried(&self) -> bool {
        !self.line.text_only && self.line.half_second.is_some_and(|bytes| bytes < HURRIED)
    }

    /// It gets better by itself once it is there.
    fn sharpens(&self) -> bool {
        let settles = self.want.as_ref().is_some_and(|want| want.level == Level::Fit);
        let auto = self.quality == PictureQuality::Auto;
        settles && auto && !self.line.text_only && self.line.half_second.is_some_and(|bytes| bytes < LOOKS_ALIKE)
    }

    fn rest(&self) -> Duration {
        if self.before.is_some() {
            LOOK_REST
        } else if self.hurried() {
            LONG_REST
        } else {
            REST
        }
    }

    /// When something is to be begun.
    #[must_use]
    pub fn due(&self) -> Option<Mono> {
        match self.slot {
            Slot::Resting => {
                let first = match self.first {
                    Step::Idle if self.hurried() => Some(self.since.mono),
                    Step::NoThumbnail => Some(self.since.mono + FIRST_REST),
                    _ => None,
                };
                let rested = self.since.mono + self.rest();
                Some(first.map_or(rested, |first| first.min(rested)))
            }
            Slot::Ready if self.sharpens() && self.sharper == Step::Idle => {
                Some((self.ready.max(self.touched) + CALM).max(self.again))
            }
            _ => None,
        }
    }

    /// What is to be begun now.
    pub fn start(&mut self, now: Now) -> Vec<Effect> {
        let due = self.due().is_some_and(|due| due <= now.mono);
        let Some(want) = self.want.clone().filter(|_| due) else { return Vec::new() };
        let mut effects = Vec::new();
        if self.slot == Slot::Ready {
            if self.line.busy {
                self.again = now.mono + AGAIN;
            } else {
                self.sharper = Step::Asked;
                effects.push(Effect::Encode(want.at(Level::Alike)));
            }
            return effects;
        }
        let waited = self.waited(now);
        if self.hurried() && want.view.is_none() {
            match self.first {
                Step::Idle => {
                    self.first = Step::Asked;
                    effects.push(Effect::Glance(want.at(Level::First)));
                }
                Step::NoThumbnail if waited >= FIRST_REST => {
                    self.first = Step::Asked;
                    effects.push(Effect::Encode(want.at(Level::First)));
                }
                _ => {}
            }
        } else {
            self.first = Step::Asked;
        }
        if waited >= self.rest() {
            self.slot = Slot::Encoding;
            effects.push(Effect::Encode(want));
        }
        effects
    }

    /// Nothing is waited for, and the neighbours may be made ahead: true once for each picture.
    pub fn ahead(&mut self) -> bool {
        self.slot == Slot::Ready && !std::mem::replace(&mut self.ahead, self.slot == Slot::Ready)
    }

    /// The level at which neighbours are made ahead: on a slow line only something to see at once.
    #[must_use]
    pub fn ahead_level(&self) -> Level {
        if self.hurried() { Level::First } else { self.level() }
    }

    /// Everything that was shown must be made again: the terminal forgot it, or shows pictures another way.
    pub fn renew(&mut self, now: Now) {
        if self.want.is_some() {
            self.slot = Slot::Resting;
            self.before = None;
            self.begin(now);
        }
    }

    /// There is no thumbnail for a first look.
    pub fn no_thumbnail(&mut self, want: &Want) {
        if self.first == Step::Asked && self.want.as_ref().is_some_and(|now| now.is_like(want)) {
            self.first = Step::NoThumbnail;
        }
    }

    /// An answer came. Returns whether it was for what is wanted now. While the selection rests nothing was asked,
    /// so an answer then is from before: for another terminal, or another look at the same picture.
    pub fn answered(&mut self, want: &Want, slot: Slot, now: Now) -> bool {
        let current = self.slot == Slot::Encoding && self.want.as_ref() == Some(want);
        if current {
            self.before = None;
            self.ready = now.mono;
            self.slot = slot;
        }
        current
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Wall;

    fn at(ms: u64) -> Now {
        Now { wall: Wall(0), mono: Mono(10_000 + ms) }
    }

    fn want(name: &str) -> Want {
        Want {
            file: format!("/p/{name}.png"),
            sha256: name.into(),
            pixels: Some((1024, 1024)),
            cells: Size::new(40, 20),
            view: None,
            level: Level::Fit,
        }
    }

    fn slow() -> Preview {
        let line = LineFacts { half_second: Some(16_000), ..LineFacts::default() };
        Preview { line, ..Preview::default() }
    }

    #[test]
    fn a_near_terminal_gets_everything_after_a_short_rest() {
        let mut preview = Preview::default();
        preview.wish(Some(want("a")), at(0));
        assert!(preview.start(at(69)).is_empty());
        assert_eq!(preview.start(at(70)), [Effect::Encode(want("a"))]);
        assert!(preview.answered(&want("a"), Slot::Ready, at(90)));
        assert_eq!(preview.due(), None, "and then nothing happens by itself");
        assert!(preview.ahead() && !preview.ahead());
    }

    #[test]
    fn a_slow_line_gets_a_first_look_the_picture_and_then_a_sharper_one() {
        let mut preview = slow();
        preview.wish(Some(want("a")), at(0));
        assert_eq!(preview.start(at(0)), [Effect::Glance(want("a").at(Level::First))]);
        assert!(preview.start(at(40)).is_empty(), "the thumbnail is on its way");
        preview.no_thumbnail(&want("a").at(Level::First));
        assert_eq!(preview.start(at(41)), [Effect::Encode(want("a").at(Level::First))]);
        assert!(preview.start(at(149)).is_empty());
        assert_eq!(preview.start(at(150)), [Effect::Encode(want("a"))]);
        preview.answered(&want("a"), Slot::Ready, at(200));
        preview.touch(at(1_000));
        preview.line.busy = true;
        assert_eq!(preview.due(), Some(at(3_000).mono), "after the last key");
        assert!(preview.start(at(3_000)).is_empty());
        assert_eq!(preview.due(), Some(at(4_000).mono), "a busy line is looked at again, no sooner");
        preview.line.busy = false;
        assert_eq!(preview.start(at(4_000)), [Effect::Encode(want("a").at(Level::Alike))]);
        assert_eq!(preview.due(), None);
    }

    #[test]
    fn a_held_key_asks_for_thumbnails_only() {
        let mut preview = slow();
        for step in 0..50 {
            preview.wish(Some(want(&step.to_string())), at(step * 33));
            for effect in preview.start(at(step * 33)) {
                assert!(matches!(effect, Effect::Glance(_)), "{effect:?}");
            }
            preview.no_thumbnail(&want(&step.to_string()));
        }
    }

    #[test]
    fn the_setting_fixes_the_level() {
        let mut preview = slow();
        preview.quality = PictureQuality::Lean;
        preview.wish(Some(want("a")), at(0));
        preview.start(at(150));
        preview.answered(&want("a"), Slot::Ready, at(200));
        assert_eq!(preview.due(), None, "lean never gets sharper");
        assert_eq!(preview.level(), Level::Fit);
        preview.line.half_second = None;
        assert_eq!(preview.level(), Level::Alike);
        preview.full = true;
        assert_eq!(preview.level(), Level::Full);
        preview.full = false;
        preview.quality = PictureQuality::Full;
        assert_eq!(preview.level(), Level::Full);
    }

    #[test]
    fn another_part_is_shown_over_the_one_before() {
        let mut preview = Preview::default();
        preview.wish(Some(want("a")), at(0));
        preview.start(at(70));
        preview.answered(&want("a"), Slot::Ready, at(80));
        let room = crate::domain::Room { picture: (1024, 1024), pixels: (400, 400) };
        let closer = |steps| Want { view: Some(room.zoomed(&room.fit(), steps)), ..want("a") };
        for steps in 1..5 {
            preview.wish(Some(closer(steps)), at(100));
            let shown: Vec<_> = preview.candidates().filter(|c| c.level == Level::Fit).collect();
            assert_eq!(shown, [closer(steps), want("a")], "the last that was there stays until the new one is");
        }
        preview.wish(Some(want("b")), at(120));
        assert!(preview.candidates().all(|c| c.sha256 == "b"), "never another picture");
    }

    #[test]
    fn late_answers_are_nobodys() {
        let mut preview = Preview::default();
        preview.wish(Some(want("a")), at(0));
        preview.start(at(70));
        preview.wish(Some(want("b")), at(80));
        assert!(!preview.answered(&want("a"), Slot::Failed("no".into()), at(90)));
        assert_eq!(preview.slot, Slot::Resting);
    }
}
