//! The pixels of sixel and iTerm2 pictures, and which picture each cell shows.

use image::{Rgba, RgbaImage};

use super::grid::Rect;

/// Puts one picture over another, pixels that are not transparent only; what does not fit is cut.
pub fn copy(from: &RgbaImage, to: &mut RgbaImage, at: (u32, u32)) {
    let (wide, high) = (to.width() as usize, to.height() as usize);
    let columns = (from.width() as usize).min(wide.saturating_sub(at.0 as usize));
    let rows = (from.height() as usize).min(high.saturating_sub(at.1 as usize));
    let (stride, source) = (from.width() as usize * 4, from.as_raw());
    let target: &mut [u8] = to;
    for y in 0..rows {
        let line = &source[y * stride..y * stride + columns * 4];
        let start = ((at.1 as usize + y) * wide + at.0 as usize) * 4;
        let into = &mut target[start..start + columns * 4];
        if line.chunks_exact(4).all(|pixel| pixel[3] == 255) {
            into.copy_from_slice(line);
            continue;
        }
        for (into, pixel) in into.chunks_exact_mut(4).zip(line.chunks_exact(4)) {
            if pixel[3] == 255 || into[3] == 0 {
                into.copy_from_slice(pixel);
            } else if pixel[3] > 0 {
                let alpha = u32::from(pixel[3]);
                for (into, part) in into[..3].iter_mut().zip(pixel) {
                    *into = ((u32::from(*part) * alpha + u32::from(*into) * (255 - alpha)) / 255) as u8;
                }
            }
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Plane {
    cell: (u32, u32),
    cells: (u16, u16),
    pixels: RgbaImage,
    owners: Vec<Option<usize>>,
}

impl Plane {
    /// Nothing is drawn.
    pub fn new(cell: (u32, u32), cells: (u16, u16)) -> Self {
        let pixels = RgbaImage::new(cell.0 * u32::from(cells.0), cell.1 * u32::from(cells.1));
        Self { cell, cells, pixels, owners: vec![None; usize::from(cells.0) * usize::from(cells.1)] }
    }

    fn index(&self, x: u16, y: u16) -> usize {
        usize::from(y) * usize::from(self.cells.0) + usize::from(x)
    }

    /// All pixels; transparent where nothing is drawn.
    pub fn pixels(&self) -> &RgbaImage {
        &self.pixels
    }

    /// The picture that was drawn last here.
    pub fn owner(&self, x: u16, y: u16) -> Option<usize> {
        self.owners[self.index(x, y)]
    }

    /// Draws picture number `serial` from the corner of a cell on.
    pub fn draw(&mut self, serial: usize, picture: &RgbaImage, at: (u16, u16)) {
        copy(picture, &mut self.pixels, (u32::from(at.0) * self.cell.0, u32::from(at.1) * self.cell.1));
        for (x, y) in cells(picture, self.cell, at).cells() {
            if x < self.cells.0 && y < self.cells.1 {
                let index = self.index(x, y);
                self.owners[index] = Some(serial);
            }
        }
    }

    /// Takes the pixels of these cells away.
    pub fn erase(&mut self, area: Rect) {
        for (x, y) in area.cells() {
            if x >= self.cells.0 || y >= self.cells.1 || self.owner(x, y).is_none() {
                continue;
            }
            let index = self.index(x, y);
            self.owners[index] = None;
            let (left, top) = (u32::from(x) * self.cell.0, u32::from(y) * self.cell.1);
            for y in top..top + self.cell.1 {
                for x in left..left + self.cell.0 {
                    self.pixels.put_pixel(x, y, Rgba([0; 4]));
                }
            }
        }
    }

    /// Takes everything away.
    pub fn clear(&mut self) {
        *self = Self::new(self.cell, self.cells);
    }

    /// Rows from `top` to before `end` move up.
    pub fn scroll(&mut self, top: u16, end: u16, by: i32) {
        if self.owners.iter().all(Option::is_none) {
            return;
        }
        let old = self.clone();
        self.erase(Rect { left: 0, top, columns: self.cells.0, rows: end - top });
        for y in top..end {
            let Ok(from) = u16::try_from(i32::from(y) + by) else { continue };
            if !(top..end).contains(&from) {
                continue;
            }
            for x in 0..self.cells.0 {
                let index = self.index(x, y);
                self.owners[index] = old.owner(x, from);
            }
            let row = image::imageops::crop_imm(
                &old.pixels,
                0,
                u32::from(from) * self.cell.1,
                old.pixels.width(),
                self.cell.1,
            );
            copy(&row.to_image(), &mut self.pixels, (0, u32::from(y) * self.cell.1));
        }
    }

    /// Another size in cells; what no longer fits is lost.
    pub fn resize(&mut self, cells: (u16, u16)) {
        let mut new = Self::new(self.cell, cells);
        copy(&self.pixels, &mut new.pixels, (0, 0));
        for y in 0..cells.1.min(self.cells.1) {
            for x in 0..cells.0.min(self.cells.0) {
                let index = new.index(x, y);
                new.owners[index] = self.owner(x, y);
            }
        }
        *self = new;
    }
}

/// The cells that a picture touches.
pub fn cells(picture: &RgbaImage, cell: (u32, u32), at: (u16, u16)) -> Rect {
    let side = |pixels: u32, cell: u32| u16::try_from(pixels.div_ceil(cell)).unwrap_or(u16::MAX);
    Rect { left: at.0, top: at.1, columns: side(picture.width(), cell.0), rows: side(picture.height(), cell.1) }
}
