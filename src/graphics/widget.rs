//! Puts a finished picture into a buffer.

use std::sync::Arc;

use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::{Position, Rect};

use super::kitty;
use super::picture::{Body, Picture};

/// What a cell holds whose pixels come from a picture that is no text: a blank that differs from
/// every blank of a popup, so that the writer knows where the picture may be drawn.
pub const HOLE: &str = "\u{a0}";

/// A picture and the cells it has on the screen.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Exactly the picture's cells.
    pub area: Rect,
    /// The picture.
    pub picture: Arc<Picture>,
    /// What may be shown until the terminal has all of the picture: a smaller form of the same asset, made for
    /// the same cells.
    pub instead: Option<Arc<Picture>>,
}

impl Placed {
    /// With a stand-in, which is taken only if it fills the same cells in the same way.
    #[must_use]
    pub fn or(self, instead: Option<&Arc<Picture>>) -> Self {
        let fits = |other: &&Arc<Picture>| {
            other.cells == self.picture.cells
                && other.protocol() == self.picture.protocol()
                && !Arc::ptr_eq(other, &self.picture)
        };
        Self { instead: instead.filter(fits).map(Arc::clone), ..self }
    }
}

/// Draws `picture` in the middle of `area`.
///
/// Half blocks are then complete. The others also need what is returned to be handed to the
/// terminal's writer with the frame. Nothing is drawn, and `None` returned, if the picture was made
/// for more room than there is now: a new one will be on its way.
pub fn place(picture: &Arc<Picture>, area: Rect, buf: &mut Buffer) -> Option<Placed> {
    let cells = picture.cells;
    let area = area.intersection(buf.area);
    if cells.width > area.width || cells.height > area.height || cells.area() == 0 {
        return None;
    }
    let area = Rect::new(
        area.x + (area.width - cells.width) / 2,
        area.y + (area.height - cells.height) / 2,
        cells.width,
        cells.height,
    );
    for row in 0..cells.height {
        for column in 0..cells.width {
            let Some(cell) = buf.cell_mut(Position::new(area.x + column, area.y + row)) else {
                continue;
            };
            match &picture.body {
                Body::Kitty(_) => kitty::set_placeholder(cell, picture.id, column, row),
                Body::KittyDirect(_) | Body::Sixel(_) | Body::Iterm2(_) => {
                    cell.reset();
                    cell.set_symbol(HOLE);
                }
                Body::Blocks(blocks) => {
                    if let Some(block) = blocks.cell((column, row)) {
                        *cell = block.clone();
                        cell.set_diff_option(CellDiffOption::None);
                    }
                }
            }
        }
    }
    Some(Placed { area, picture: Arc::clone(picture), instead: None })
}
