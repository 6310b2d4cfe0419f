//! Looking at the glass: which picture a cell shows, what the whole window looks like, what changed, how alike
//! pictures are.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

use image::imageops::FilterType;
use image::{DynamicImage, RgbaImage};

use super::grid::{Cell, Paint, Rect};
use super::holders::{HOLDER, Line, Part, marks};
use super::kitty::Place;
use super::plane::copy;
use super::{Glass, Way};

/// Below this a placement lies under the background of cells, too.
const UNDER_ALL: i32 = -0x4000_0000;

/// How the window looked at some time.
#[derive(Debug)]
pub struct Mark {
    shot: RgbaImage,
    cells: (u16, u16),
    cell: (u32, u32),
}

impl Mark {
    /// The pixels of these cells.
    pub fn pixels(&self, area: Rect) -> RgbaImage {
        crop(&self.shot, area, self.cell)
    }
}

impl Glass {
    /// What each placeholder of this row stands for.
    fn parts(&self, y: u16) -> Vec<Option<Part>> {
        let columns = self.grid().columns;
        if !self.brand.placeholders || !(0..columns).any(|x| self.grid().cell(x, y).text.starts_with(HOLDER)) {
            return vec![None; usize::from(columns)];
        }
        let mut line = Line::new(marks());
        (0..columns).map(|x| line.next(self.grid().cell(x, y))).collect()
    }

    /// The placement that a placeholder shows a part of, and the part's corner in pixels.
    fn held(&self, part: Part) -> Option<(&Place, (u32, u32))> {
        let place =
            self.store().places.iter().find(|place| {
                place.virtual_ && place.id == part.id && (part.place == 0 || place.place == part.place)
            })?;
        let inside = part.column < place.cells.0 && part.row < place.cells.1;
        let cell = self.cell_size();
        inside.then_some((place, (u32::from(part.column) * cell.0, u32::from(part.row) * cell.1)))
    }

    /// The picture that shows in each cell, row by row: its number among all that came.
    pub fn owners(&self) -> Vec<Vec<Option<usize>>> {
        let grid = self.grid();
        let row = |y: u16| {
            let parts = self.parts(y);
            (0..grid.columns).map(|x| self.owner(x, y, parts[usize::from(x)])).collect()
        };
        (0..grid.rows).map(row).collect()
    }

    fn owner(&self, x: u16, y: u16, part: Option<Part>) -> Option<usize> {
        let cell = self.grid().cell(x, y);
        let mut owner = None;
        for place in self.lying(x, y) {
            let (wide, high) = self.cell_size();
            let side = |first: i32, cell: u32, at: u16| (i32::from(at) - first).cast_unsigned() * cell;
            let corner = (side(place.at.0, wide, x), side(place.at.1, high, y));
            let drawn =
                corner.0 < place.offset.0 + place.pixels.width() && corner.1 < place.offset.1 + place.pixels.height();
            if drawn && (place.z >= UNDER_ALL || self.clear(cell)) {
                owner = Some(place.serial);
            }
        }
        if let Some((place, _)) = part.and_then(|part| self.held(part)) {
            owner = Some(place.serial);
        }
        if !self.brand.pictures_under || self.clear(cell) && cell.is_blank() {
            owner = self.screen().plane.owner(x, y).or(owner);
        }
        owner
    }

    /// The cell has the terminal's own background.
    fn clear(&self, cell: &Cell) -> bool {
        cell.pen.bg == Paint::Default && !cell.pen.reversed()
    }

    /// Placements here, the lowest first.
    fn lying(&self, x: u16, y: u16) -> Vec<&Place> {
        let on = |place: &&Place| {
            let (columns, rows) = (i32::from(place.cells.0), i32::from(place.cells.1));
            !place.virtual_
                && (place.at.0..place.at.0 + columns).contains(&i32::from(x))
                && (place.at.1..place.at.1 + rows).contains(&i32::from(y))
        };
        let mut places: Vec<&Place> = self.store().places.iter().filter(on).collect();
        places.sort_by_key(|place| place.z);
        places
    }

    /// The cells in which a picture shows that came in this way, as a rectangle around them; `None` if there are none.
    pub fn around(&self, wanted: impl Fn(usize) -> bool) -> Option<Rect> {
        let mut found: Option<(u16, u16, u16, u16)> = None;
        for (y, row) in (0_u16..).zip(self.owners()) {
            for (x, owner) in (0_u16..).zip(row) {
                if owner.is_some_and(&wanted) {
                    let (left, top, right, bottom) = found.unwrap_or((x, y, x, y));
                    found = Some((left.min(x), top.min(y), right.max(x), bottom.max(y)));
                }
            }
        }
        found.map(|(left, top, right, bottom)| Rect { left, top, columns: right - left + 1, rows: bottom - top + 1 })
    }

    /// The ways in which the pictures came that show now.
    pub fn ways(&self) -> Vec<Way> {
        let mut ways = Vec::new();
        for owner in self.owners().into_iter().flatten().flatten() {
            let way = self.arrived[owner].way;
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
        ways
    }

    /// Placeholders that stand for nothing: boxes, to whoever sees them.
    pub fn boxes(&self) -> usize {
        let mut many = 0;
        for y in 0..self.grid().rows {
            for (x, part) in (0..).zip(self.parts(y)) {
                let holder = self.grid().cell(x, y).text.starts_with(HOLDER);
                many += usize::from(holder && part.is_none_or(|part| self.held(part).is_none()));
            }
        }
        many
    }

    /// The whole window.
    pub fn shot(&self) -> RgbaImage {
        let (grid, cell) = (self.grid(), self.cell_size());
        let (wide, high) = cell;
        let mut shot = RgbaImage::new(u32::from(grid.columns) * wide, u32::from(grid.rows) * high);
        let (fore, back) = self.brand.colours.unwrap_or(([229; 3], [0; 3]));
        let plane = &self.screen().plane;
        for y in 0..grid.rows {
            let parts = self.parts(y);
            for x in 0..grid.columns {
                let corner = (u32::from(x) * wide, u32::from(y) * high);
                let text = grid.cell(x, y);
                let part = parts[usize::from(x)].and_then(|part| self.held(part));
                let colour = |paint, own| rgb(paint, own);
                let (mut fg, mut bg) = (colour(text.pen.fg, fore), colour(text.pen.bg, back));
                if text.pen.reversed() {
                    (fg, bg) = (bg, fg);
                }
                let lying = self.lying(x, y);
                let paint = |place: &Place, shot: &mut RgbaImage| {
                    let from = |first: i32, side: u32, at: u16| (i32::from(at) - first).cast_unsigned() * side;
                    let inner = (from(place.at.0, wide, x), from(place.at.1, high, y));
                    let mut patch = RgbaImage::new(wide, high);
                    for (px, py, pixel) in patch.enumerate_pixels_mut() {
                        let (Some(px), Some(py)) =
                            ((inner.0 + px).checked_sub(place.offset.0), (inner.1 + py).checked_sub(place.offset.1))
                        else {
                            continue;
                        };
                        if let Some(found) = place.pixels.get_pixel_checked(px, py) {
                            *pixel = *found;
                        }
                    }
                    copy(&patch, shot, corner);
                };
                if self.clear(text) {
                    fill(&mut shot, corner, cell, bg);
                    lying.iter().filter(|place| place.z < UNDER_ALL).for_each(|place| paint(place, &mut shot));
                } else {
                    fill(&mut shot, corner, cell, bg);
                }
                lying
                    .iter()
                    .filter(|place| (UNDER_ALL..0).contains(&place.z))
                    .for_each(|place| paint(place, &mut shot));
                if self.brand.pictures_under && self.clear(text) && plane.owner(x, y).is_some() {
                    copy(&crop_px(plane.pixels(), corner, cell), &mut shot, corner);
                }
                match part {
                    Some((place, inner)) => copy(&crop_px(&place.pixels, inner, cell), &mut shot, corner),
                    None => glyph(&mut shot, corner, cell, text, fg),
                }
                if !self.brand.pictures_under && plane.owner(x, y).is_some() {
                    copy(&crop_px(plane.pixels(), corner, cell), &mut shot, corner);
                }
                lying.iter().filter(|place| place.z >= 0).for_each(|place| paint(place, &mut shot));
            }
        }
        shot
    }

    /// Notes how the window looks.
    pub fn mark(&self) -> Mark {
        Mark { shot: self.shot(), cells: (self.grid().columns, self.grid().rows), cell: self.cell_size() }
    }

    /// The cells outside of `area` that look different now.
    pub fn changed_outside(&self, area: Option<Rect>, mark: &Mark) -> Vec<(u16, u16)> {
        assert_eq!(mark.cells, (self.grid().columns, self.grid().rows), "the same size");
        let now = self.shot();
        let all = Rect { left: 0, top: 0, columns: mark.cells.0, rows: mark.cells.1 };
        let one = |x, y| Rect { left: x, top: y, columns: 1, rows: 1 };
        all.cells()
            .filter(|(x, y)| area.is_none_or(|area| !area.has(*x, *y)))
            .filter(|(x, y)| crop(&now, one(*x, *y), mark.cell) != mark.pixels(one(*x, *y)))
            .collect()
    }

    /// The pixels of these cells.
    pub fn pixels(&self, area: Rect) -> RgbaImage {
        crop(&self.shot(), area, self.cell_size())
    }
}

/// The pixels of cells.
fn crop(shot: &RgbaImage, area: Rect, cell: (u32, u32)) -> RgbaImage {
    let corner = (u32::from(area.left) * cell.0, u32::from(area.top) * cell.1);
    crop_px(shot, corner, (u32::from(area.columns) * cell.0, u32::from(area.rows) * cell.1))
}

fn crop_px(from: &RgbaImage, corner: (u32, u32), size: (u32, u32)) -> RgbaImage {
    let mut part = RgbaImage::new(size.0, size.1);
    let wide = from.width().saturating_sub(corner.0).min(size.0) as usize * 4;
    let (stride, into) = (from.width() as usize * 4, size.0 as usize * 4);
    let target: &mut [u8] = &mut part;
    for y in 0..from.height().saturating_sub(corner.1).min(size.1) as usize {
        let start = (corner.1 as usize + y) * stride + corner.0 as usize * 4;
        target[y * into..y * into + wide].copy_from_slice(&from.as_raw()[start..start + wide]);
    }
    part
}

fn fill(shot: &mut RgbaImage, corner: (u32, u32), size: (u32, u32), [r, g, b]: [u8; 3]) {
    let stride = shot.width() as usize * 4;
    let target: &mut [u8] = shot;
    for y in 0..size.1 as usize {
        let start = (corner.1 as usize + y) * stride + corner.0 as usize * 4;
        for pixel in target[start..start + size.0 as usize * 4].chunks_exact_mut(4) {
            pixel.copy_from_slice(&[r, g, b, 255]);
        }
    }
}

/// Half blocks as they are; for all other characters a pattern of their own.
fn glyph(shot: &mut RgbaImage, corner: (u32, u32), cell: (u32, u32), text: &Cell, colour: [u8; 3]) {
    let half = cell.1 / 2;
    match text.text.as_str() {
        "▀" => fill(shot, corner, (cell.0, half), colour),
        "▄" => fill(shot, (corner.0, corner.1 + half), (cell.0, cell.1 - half), colour),
        "█" => fill(shot, corner, cell, colour),
        _ if text.is_blank() => {}
        letter => {
            let mut hasher = DefaultHasher::new();
            (letter, text.tail, text.pen.attributes).hash(&mut hasher);
            let pattern = hasher.finish() | 1;
            let (wide, high) = ((cell.0 / 8).max(1), (cell.1 / 8).max(1));
            for bit in 0..64 {
                let (x, y) = (bit % 8 * wide, bit / 8 * high);
                if pattern >> bit & 1 == 1 && x + wide <= cell.0 && y + high <= cell.1 {
                    fill(shot, (corner.0 + x, corner.1 + y), (wide, high), colour);
                }
            }
        }
    }
}

/// A colour of text as it looks. The sixteen are xterm's; Plantain has the same table, and the two must not be one.
pub fn rgb(paint: Paint, own: [u8; 3]) -> [u8; 3] {
    const BASE: [[u8; 3]; 16] = [
        [0, 0, 0],
        [205, 0, 0],
        [0, 205, 0],
        [205, 205, 0],
        [0, 0, 238],
        [205, 0, 205],
        [0, 205, 205],
        [229, 229, 229],
        [127, 127, 127],
        [255, 0, 0],
        [0, 255, 0],
        [255, 255, 0],
        [92, 92, 255],
        [255, 0, 255],
        [0, 255, 255],
        [255, 255, 255],
    ];
    match paint {
        Paint::Default => own,
        Paint::Rgb(rgb) => rgb,
        Paint::Index(index @ 0..=15) => BASE[usize::from(index)],
        Paint::Index(index @ 16..=231) => {
            let level = |number: u8| if number == 0 { 0 } else { 55 + number * 40 };
            let index = index - 16;
            [level(index / 36), level(index / 6 % 6), level(index % 6)]
        }
        Paint::Index(index) => [8 + (index - 232) * 10; 3],
    }
}

/// How alike two pictures of the same size are, in decibels; 99 if they are the same.
pub fn psnr(a: &RgbaImage, b: &RgbaImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions(), "pictures of one size");
    let mut sum = 0_u64;
    for (a, b) in a.as_raw().chunks_exact(4).zip(b.as_raw().chunks_exact(4)) {
        for (a, b) in a[..3].iter().zip(b) {
            let off = u32::from(a.abs_diff(*b));
            sum += u64::from(off * off);
        }
    }
    if sum == 0 {
        return 99.0;
    }
    let mean = sum as f64 / (a.as_raw().len() / 4 * 3) as f64;
    10.0 * (255.0 * 255.0 / mean).log10()
}

/// A picture as it is on the disk.
#[derive(Debug)]
pub struct Original {
    pixels: DynamicImage,
    /// At the sizes that were asked for: scaling is what takes longest.
    scaled: RefCell<HashMap<(u32, u32), RgbaImage>>,
}

impl Original {
    /// Reads a file.
    pub fn load(file: &Path) -> Self {
        let pixels = image::open(file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
        Self { pixels, scaled: RefCell::default() }
    }

    /// Its pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.pixels.width(), self.pixels.height())
    }

    /// How alike it is to the pixels of `shown` from `corner` on if it were `size` large, in decibels.
    pub fn likeness(&self, shown: &RgbaImage, corner: (u32, u32), size: (u32, u32)) -> f64 {
        let mut scaled = self.scaled.borrow_mut();
        let wanted = scaled
            .entry(size)
            .or_insert_with(|| self.pixels.resize_exact(size.0, size.1, FilterType::Lanczos3).into_rgba8());
        psnr(&crop_px(shown, corner, size), wanted)
    }
}
