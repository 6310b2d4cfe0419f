//! What can be seen of a task: which of its outputs is looked at, and how closely.

use ratatui::layout::Size;

use crate::domain::{Home, LocalId, Output, Room, Task, View};

use super::dialog::Dialog;
use super::layout::{panes, viewer};
use super::preview::Want;
use super::state::State;

/// Part of what is seen that one step of panning moves.
const PAN: f64 = 0.25;

/// The picture that fills the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Viewer {
    /// The task.
    pub id: LocalId,
    /// What is known of the picture stands beside it.
    pub info: bool,
    /// The part to be seen; `None` for all of it.
    pub view: Option<View>,
    /// It was opened from the details, and goes back there.
    pub from_detail: bool,
}

/// A picture we can decode.
fn is_picture(home: &Home) -> bool {
    matches!(home.format.as_str(), "png" | "jpeg" | "webp" | "gif")
}

/// The output that is shown first: the first image at home, or else a frame of a film, or else the first that is here.
#[must_use]
pub fn first_shown(task: &Task) -> usize {
    let home = |output: &Output| output.home().is_some_and(is_picture);
    let outputs = &task.outputs;
    let image = outputs.iter().position(|output| output.role == "image" && home(output));
    let any = || outputs.iter().position(home);
    let here = || outputs.iter().position(|output| output.home().is_some());
    image.or_else(any).or_else(here).unwrap_or(0)
}

impl State {
    /// Which output of the chosen task is looked at, and of how many.
    #[must_use]
    pub fn looked_at(&self) -> Option<(usize, usize)> {
        let task = self.seen()?;
        let count = task.outputs.len();
        let picked = self.picked.filter(|(id, index)| *id == task.id && *index < count).map(|(_, index)| index);
        (count > 0).then(|| (picked.unwrap_or_else(|| first_shown(task)), count))
    }

    /// The output that is looked at.
    #[must_use]
    pub fn output(&self) -> Option<&Output> {
        self.seen()?.outputs.get(self.looked_at()?.0)
    }

    /// Its file, if that is a picture.
    #[must_use]
    pub fn picture(&self) -> Option<&Home> {
        self.output()?.home().filter(|home| is_picture(home))
    }

    /// The picture that should be on the screen now.
    #[must_use]
    pub fn wanted_picture(&self) -> Option<Want> {
        self.shows_pictures().then_some(())?;
        let (cells, view) = match &self.dialog {
            Some(Dialog::Viewer(open)) => (viewer(self).picture.as_size(), open.view),
            _ => (panes(self).picture?.as_size(), None),
        };
        self.want(self.picture()?, cells, view)
    }

    /// The terminal shows pictures, as far as is known.
    #[must_use]
    pub fn shows_pictures(&self) -> bool {
        self.pictures.as_ref().is_some_and(|way| way.protocol.is_some())
    }

    fn want(&self, home: &Home, cells: Size, view: Option<View>) -> Option<Want> {
        (cells.width > 1 && cells.height > 1).then(|| Want {
            file: home.file.clone(),
            sha256: home.sha256.clone(),
            pixels: home.width.zip(home.height),
            cells,
            view,
            level: self.preview.level(),
        })
    }

    /// The pictures of the rows after and before the chosen one, to be made ahead.
    #[must_use]
    pub fn neighbours(&self) -> Vec<Want> {
        let Some(cells) = self.preview.want.as_ref().map(|want| want.cells) else { return Vec::new() };
        let level = self.preview.ahead_level();
        let Some(here) = self.seen().map(|task| task.id) else { return Vec::new() };
        let ids = [1, -1].into_iter().filter_map(|by| self.table.neighbour(here, by));
        let homes = ids.filter_map(|id| {
            let task = self.fleet.task(id)?;
            task.outputs.get(first_shown(task))?.home().filter(|home| is_picture(home))
        });
        homes.filter_map(|home| self.want(home, cells, None).map(|want| want.at(level))).collect()
    }

    /// The picture and the pixels it has in the viewer, for zooming.
    #[must_use]
    pub fn room(&self) -> Option<Room> {
        let home = self.picture()?;
        let picture = home.width.zip(home.height).filter(|(width, height)| *width > 0 && *height > 0)?;
        let (wide, high) = self.pictures.as_ref()?.cell;
        let cells = viewer(self).picture;
        let pixels = (u32::from(cells.width) * u32::from(wide), u32::from(cells.height) * u32::from(high));
        Some(Room { picture, pixels })
    }

    /// Another output of the same task.
    pub fn step_output(&mut self, by: isize) {
        let Some((task, (at, count))) = self.seen().map(|task| task.id).zip(self.looked_at()) else { return };
        let count_signed = isize::try_from(count).unwrap_or(1).max(1);
        let at = isize::try_from(at).unwrap_or(0);
        self.picked = Some((task, usize::try_from((at + by).rem_euclid(count_signed)).unwrap_or(0)));
        self.see(None);
    }

    /// Another part of the picture in the viewer.
    pub fn see(&mut self, view: Option<View>) {
        if let Some(Dialog::Viewer(open)) = &mut self.dialog {
            open.view = view;
        }
    }

    /// Changes what is seen in the viewer, where the picture's size is known.
    pub fn look(&mut self, change: impl FnOnce(&Room, &View) -> View) {
        let Some(room) = self.room() else { return };
        let Some(Dialog::Viewer(open)) = &mut self.dialog else { return };
        let fit = room.fit();
        let view = change(&room, &open.view.unwrap_or(fit));
        open.view = (view != fit).then_some(view);
    }

    /// Moves over the picture where there is more of it than is seen. False if all of it is.
    pub fn pan(&mut self, right: f64, down: f64) -> bool {
        let Some(Dialog::Viewer(Viewer { view: Some(_), .. })) = &self.dialog else { return false };
        self.look(|room, view| room.panned(view, right * PAN, down * PAN));
        true
    }

    /// The next task of the list that has a picture, or the one before.
    pub fn step_picture(&mut self, by: isize) {
        let Some(from) = self.chosen() else { return };
        let mut at = from;
        while let Some(next) = self.table.neighbour(at, by) {
            let has = self.fleet.task(next).is_some_and(|task| task.outputs.iter().any(|o| o.home().is_some()));
            if has {
                self.table.choose(next);
                if let Some(Dialog::Viewer(open)) = &mut self.dialog {
                    open.id = next;
                    open.view = None;
                }
                return;
            }
            at = next;
        }
        self.say(if by > 0 { "that was the last picture" } else { "that was the first picture" });
    }
}
