//! What tmux 3.5a does with sixel: it keeps the pictures of its pane, and draws them again from what it kept.
//!
//! A picture is dropped whole as soon as text is written over a part of it, or as a line that it touches is erased,
//! scrolled or shifted, in whatever columns; the pane is then drawn anew with what is left. No more than nine are kept.

use image::{Rgba, RgbaImage};

use super::grid::{Rect, Touch};

/// With the tenth picture the first is forgotten.
const MOST: usize = 10;
/// Longer strings are thrown away.
pub const LONGEST: usize = 1 << 20;

/// A picture of the pane.
#[derive(Debug)]
pub struct Held {
    /// Which of all pictures that ever came.
    pub serial: usize,
    /// Its cells.
    pub area: Rect,
    /// As drawn on the terminal behind.
    pub pixels: RgbaImage,
}

/// The pictures of the pane.
#[derive(Debug, Default)]
pub struct Pane {
    held: Vec<Held>,
    /// Everything has to be drawn anew.
    pub stale: bool,
}

impl Pane {
    /// The pictures, oldest first.
    pub fn held(&self) -> &[Held] {
        &self.held
    }

    /// Another picture.
    pub fn add(&mut self, held: Held) {
        self.held.push(held);
        if self.held.len() == MOST {
            self.held.remove(0);
        }
    }

    /// Everything is forgotten.
    pub fn forget(&mut self) {
        self.stale |= !self.held.is_empty();
        self.held.clear();
    }

    /// Something happened to the text.
    pub fn touched(&mut self, touch: Touch, columns: u16) {
        let before = self.held.len();
        match touch {
            Touch::Written(area) => self.held.retain(|held| !held.area.meets(&area)),
            Touch::Erased(area) => {
                let lines = Rect { left: 0, columns, ..area };
                self.held.retain(|held| !held.area.meets(&lines));
            }
            Touch::Cleared => self.held.clear(),
            Touch::Scrolled(top, end, by) => {
                let lines = Rect { left: 0, top, columns, rows: end - top };
                // Up, they go along if the whole screen does; otherwise they are lost.
                if top == 0 && by > 0 {
                    let by = u16::try_from(by).unwrap_or(u16::MAX);
                    self.stale |= !self.held.is_empty();
                    self.held.retain(|held| held.area.top >= by);
                    self.held.iter_mut().for_each(|held| held.area.top -= by);
                } else {
                    self.held.retain(|held| !held.area.meets(&lines));
                }
            }
        }
        self.stale |= self.held.len() != before;
    }
}

/// A picture as tmux takes it in, in whole bands of six pixels, and the cells it gives it.
pub fn taken(picture: &RgbaImage, bands: u32, cell: (u32, u32)) -> (u16, u16) {
    let cells = |pixels: u32, side: u32| u16::try_from(pixels.div_ceil(side)).unwrap_or(u16::MAX);
    (cells(picture.width(), cell.0), cells(picture.height().max(bands), cell.1))
}

/// A picture as tmux hands it on: these whole cells, squeezed to a multiple of six pixels. What was not set is not set
/// again, but it no longer says that it is to stay as it was.
pub fn again(picture: &RgbaImage, cells: (u16, u16), cell: (u32, u32)) -> RgbaImage {
    let wide = u32::from(cells.0) * cell.0;
    let high = u32::from(cells.1) * cell.1;
    let squeezed = high / 6 * 6;
    let clear = Rgba([0, 0, 0, 0]);
    RgbaImage::from_fn(wide, squeezed.max(1), |x, y| {
        let y = (f64::from(y) * f64::from(high) / f64::from(squeezed.max(1))) as u32;
        picture.get_pixel_checked(x, y).copied().unwrap_or(clear)
    })
}
