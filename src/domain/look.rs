//! Which part of a picture is looked at, and how large: fitting, 100 %, zoom steps, panning. Pure geometry.

use std::hash::{Hash, Hasher};

/// Small pictures are not blown up beyond this to fill their room.
pub const MAX_FIT: f64 = 4.0;
/// The largest scale a zoom reaches, screen pixels for a picture's pixel.
pub const MAX_SCALE: f64 = 16.0;
/// One step of zoom: two of them double.
pub const ZOOM_STEP: f64 = std::f64::consts::SQRT_2;

/// A rectangle of a picture's own pixels, upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crop {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
}

impl Crop {
    /// The part that lies inside a picture of `size`; never empty, for the last pixel is taken then.
    #[must_use]
    pub fn within(self, size: (u32, u32)) -> Self {
        let x = self.x.min(size.0.saturating_sub(1));
        let y = self.y.min(size.1.saturating_sub(1));
        Self {
            x,
            y,
            width: self.width.clamp(1, (size.0 - x).max(1)),
            height: self.height.clamp(1, (size.1 - y).max(1)),
        }
    }
}

/// A look at a picture. Two are equal if every bit of them is.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// What is seen.
    pub rect: Crop,
    /// Screen pixels for one of the picture's; 1.0 is 100 %.
    pub scale: f64,
}

impl PartialEq for View {
    fn eq(&self, other: &Self) -> bool {
        self.rect == other.rect && self.scale.to_bits() == other.scale.to_bits()
    }
}

impl Eq for View {}

impl Hash for View {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rect.hash(state);
        self.scale.to_bits().hash(state);
    }
}

/// A picture and the pixels there are for it: what every change of a [`View`] depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Pixels of the picture, upright.
    pub picture: (u32, u32),
    /// Pixels of the screen.
    pub pixels: (u32, u32),
}

impl Room {
    fn pixels(&self) -> (f64, f64) {
        (f64::from(self.pixels.0.max(1)), f64::from(self.pixels.1.max(1)))
    }

    /// The scale at which all of the picture just fits.
    #[must_use]
    pub fn fitting(&self) -> f64 {
        let (wide, high) = self.pixels();
        let (width, height) = (f64::from(self.picture.0.max(1)), f64::from(self.picture.1.max(1)));
        (wide / width).min(high / height).min(MAX_FIT)
    }

    /// The whole picture.
    #[must_use]
    pub fn fit(&self) -> View {
        let rect = Crop { x: 0, y: 0, width: self.picture.0.max(1), height: self.picture.1.max(1) };
        View { rect, scale: self.fitting() }
    }

    /// The picture at `scale` with the pixel `centre` in the middle, as far as its edges allow.
    #[must_use]
    pub fn at(&self, scale: f64, centre: (f64, f64)) -> View {
        let least = self.fitting().min(1.0);
        let scale = if scale.is_finite() { scale.clamp(least, MAX_SCALE) } else { 1.0 };
        let (wide, high) = self.pixels();
        let side = |room: f64, length: u32, middle: f64| {
            let length = length.max(1);
            let seen = ((room / scale).round().max(1.0) as u32).min(length);
            let first = (middle - f64::from(seen) / 2.0).round().max(0.0) as u32;
            (first.min(length - seen), seen)
        };
        let (x, width) = side(wide, self.picture.0, centre.0);
        let (y, height) = side(high, self.picture.1, centre.1);
        View { rect: Crop { x, y, width, height }, scale }
    }

    /// 100 %: a pixel for a pixel, around the middle of `view`.
    #[must_use]
    pub fn actual(&self, view: &View) -> View {
        self.at(1.0, view.centre())
    }

    /// Closer by so many steps of [`ZOOM_STEP`], or further away if negative; never smaller than fitted.
    #[must_use]
    pub fn zoomed(&self, view: &View, steps: i32) -> View {
        let scale = view.scale * ZOOM_STEP.powi(steps.clamp(-64, 64));
        // 100 % is met exactly on the way, whatever it started from.
        let passes = (view.scale < 0.999 && scale > 1.001) || (view.scale > 1.001 && scale < 0.999);
        let scale = if passes { 1.0 } else { scale };
        if scale <= self.fitting() * 1.001 { self.fit() } else { self.at(scale, view.centre()) }
    }

    /// Moved by parts of what is seen: 0.5 to the right is half a screen.
    #[must_use]
    pub fn panned(&self, view: &View, right: f64, down: f64) -> View {
        let (x, y) = view.centre();
        let x = x + right * f64::from(view.rect.width);
        let y = y + down * f64::from(view.rect.height);
        if x.is_finite() && y.is_finite() { self.at(view.scale, (x, y)) } else { *view }
    }
}

impl View {
    /// The pixel of the picture in the middle.
    #[must_use]
    pub fn centre(&self) -> (f64, f64) {
        let rect = self.rect;
        (f64::from(rect.x) + f64::from(rect.width) / 2.0, f64::from(rect.y) + f64::from(rect.height) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { picture: (3840, 2160), pixels: (800, 800) };

    #[test]
    fn a_hundred_percent_is_a_pixel_for_a_pixel() {
        let fitted = ROOM.fit();
        assert!((fitted.scale - 800.0 / 3840.0).abs() < 1e-9);
        let actual = ROOM.actual(&fitted);
        assert_eq!(actual, View { rect: Crop { x: 1520, y: 680, width: 800, height: 800 }, scale: 1.0 });
    }

    #[test]
    fn panning_stops_at_the_edges() {
        let mut view = ROOM.actual(&ROOM.fit());
        for _ in 0..20 {
            view = ROOM.panned(&view, 0.5, -0.5);
            assert!(view.rect.x + view.rect.width <= 3840 && view.rect.y + view.rect.height <= 2160);
        }
        assert_eq!((view.rect.x, view.rect.y), (3040, 0));
        assert_eq!(ROOM.panned(&view, f64::NAN, 0.0), view);
    }

    #[test]
    fn zooming_passes_a_hundred_percent_and_comes_back_to_fitted() {
        let mut view = ROOM.fit();
        let mut scales = Vec::new();
        for _ in 0..20 {
            view = ROOM.zoomed(&view, 1);
            scales.push(view.scale);
        }
        assert!(scales.contains(&1.0), "{scales:?}");
        assert_eq!(view.scale, MAX_SCALE);
        assert_eq!((view.rect.width, view.rect.height), (50, 50));
        assert_eq!(ROOM.zoomed(&view, -64).scale, 1.0, "a long step stops at 100 %");
        for _ in 0..20 {
            view = ROOM.zoomed(&view, -1);
        }
        assert_eq!(view, ROOM.fit());
    }

    #[test]
    fn nothing_is_never_shown() {
        let nothing = Room { picture: (0, 0), pixels: (0, 0) };
        for view in [nothing.fit(), nothing.at(f64::NAN, (9.0, 9.0)), nothing.zoomed(&nothing.fit(), 3)] {
            assert!(view.rect.width > 0 && view.rect.height > 0 && view.scale > 0.0);
        }
        let beyond = Crop { x: 90, y: 90, width: 9, height: 9 }.within((10, 5));
        assert_eq!(beyond, Crop { x: 9, y: 4, width: 1, height: 1 });
    }
}
