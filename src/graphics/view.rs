//! A closer look at a picture in cells. What is not seen is cut away before anything is encoded, so that it costs the
//! same bytes; the geometry is in [`crate::domain::look`].

use ratatui::layout::Size;

pub(super) use crate::domain::look::MAX_FIT;
use crate::domain::look::Room;
pub use crate::domain::look::{Crop, MAX_SCALE, View, ZOOM_STEP};

use super::picture::CellSize;

/// A picture and the cells there are for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// Pixels of the picture, upright.
    pub picture: (u32, u32),
    /// Cells there are.
    pub room: Size,
    /// Pixels of a cell.
    pub cell: CellSize,
}

impl Stage {
    fn inside(&self) -> Room {
        let wide = u32::from(self.room.width) * u32::from(self.cell.width);
        let high = u32::from(self.room.height) * u32::from(self.cell.height);
        Room { picture: self.picture, pixels: (wide, high) }
    }

    /// The whole picture.
    pub fn fit(&self) -> View {
        self.inside().fit()
    }

    /// The picture at `scale` with the pixel `centre` in the middle, as far as its edges allow.
    pub fn at(&self, scale: f64, centre: (f64, f64)) -> View {
        self.inside().at(scale, centre)
    }

    /// 100 %: a pixel for a pixel, around the middle of `view`.
    pub fn actual(&self, view: &View) -> View {
        self.inside().actual(view)
    }

    /// Closer by so many steps of [`ZOOM_STEP`], or further away if negative; never smaller than fitted.
    pub fn zoomed(&self, view: &View, steps: i32) -> View {
        self.inside().zoomed(view, steps)
    }

    /// Moved by parts of what is seen: 0.5 to the right is half a screen.
    pub fn panned(&self, view: &View, right: f64, down: f64) -> View {
        self.inside().panned(view, right, down)
    }
}
