//! The land, in layers from far to near, and what grows and stands along its edges.

use tiny_skia::PathBuilder;

use super::super::random::{Dice, mix};
use super::brush::{Brush, polygon, rect};
use super::nature::sea;
use super::palette::{Palette, Tone, WHITE};
use super::words::Ground;

/// Where a layer of land has its edge.
pub(super) struct Ridge {
    pub(super) seed: u64,
    pub(super) base: f32,
    pub(super) rise: f32,
    /// Length of the coarsest feature, in pixels.
    pub(super) length: f32,
    pub(super) kind: Line,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Line {
    Sharp,
    Round,
    Dune,
}

impl Ridge {
    fn at(&self, x: f32) -> f32 {
        let noise = |octave: u32| {
            let scale = 2_f32.powi(octave as i32);
            value_noise(self.seed.wrapping_add(u64::from(octave)), x / self.length * scale)
        };
        let height = match self.kind {
            Line::Sharp => {
                let coarse = 1.0 - (2.0 * noise(0) - 1.0).abs();
                coarse * 0.62 + (1.0 - (2.0 * noise(1) - 1.0).abs()) * 0.22 + noise(3) * 0.1 + noise(4) * 0.06
            }
            Line::Round => noise(0) * 0.75 + noise(1) * 0.25,
            Line::Dune => {
                // A long climb on the windward side, a short fall on the other.
                let along = x / self.length * 1.6 + (self.seed % 97) as f32 * 0.1;
                let part = along - along.floor();
                let rise = if part < 0.68 { part / 0.68 } else { (1.0 - part) / 0.32 };
                rise * rise * (3.0 - 2.0 * rise) * 0.6 * (0.4 + noise(0)) + noise(0) * 0.3
            }
        };
        self.base - self.rise * height
    }

    /// From the edge down to the foot of the picture.
    pub(super) fn outline(&self, brush: &Brush) -> PathBuilder {
        let mut path = PathBuilder::new();
        path.move_to(-2.0, brush.height + 2.0);
        let step = (brush.unit / 220.0).max(1.0);
        let count = (brush.width / step) as usize + 2;
        for at in 0..=count {
            let x = at as f32 * step;
            path.line_to(x, self.at(x));
        }
        path.line_to(brush.width + step * 2.0, brush.height + 2.0);
        path.close();
        path
    }
}

/// Smooth noise from 0 to 1 along a line.
fn value_noise(seed: u64, x: f32) -> f32 {
    let cell = x.floor();
    let corner = |at: f32| (mix(seed ^ mix(at as i64 as u64)) >> 40) as f32 / (1_u64 << 24) as f32;
    let part = x - cell;
    let eased = part * part * (3.0 - 2.0 * part);
    corner(cell) + (corner(cell + 1.0) - corner(cell)) * eased
}

/// All layers of the ground; returns the colour of the nearest.
pub(super) fn land(
    brush: &mut Brush,
    ground: Ground,
    palette: &Palette,
    (horizon, front): (f32, f32),
    sun: (f32, f32),
    dice: &mut Dice,
) -> Tone {
    let unit = brush.unit;
    let snowy = palette.near.light() > 0.6;
    let middle = if snowy { palette.far.to(palette.sky[0], 0.25) } else { palette.near };
    if ground == Ground::Sea {
        sea(brush, palette, horizon, sun, dice);
        return palette.near;
    }
    let layers = 5;
    for layer in 0..layers {
        let part = layer as f32 / (layers - 1) as f32;
        let last = layer == layers - 1;
        let base = horizon + (front - horizon) * part.powf(0.9) + unit * 0.03;
        let kind = match ground {
            Ground::Mountains if layer < 3 => Line::Sharp,
            Ground::Dunes => Line::Dune,
            _ => Line::Round,
        };
        let rise = match (kind, last) {
            (_, true) => 0.05,
            (Line::Sharp, _) => 0.36 - 0.09 * layer as f32,
            (Line::Dune, _) => 0.12 - 0.02 * layer as f32,
            (Line::Round, _) => 0.15 - 0.02 * layer as f32,
        };
        let ridge = Ridge {
            seed: dice.next(),
            base: base + if last { unit * 0.01 } else { 0.0 },
            rise: unit * rise,
            length: unit
                * match kind {
                    Line::Sharp => 0.42,
                    Line::Round => 0.5,
                    Line::Dune => 0.9 - 0.1 * layer as f32,
                },
            kind,
        };
        let tone = if last {
            palette.near
        } else {
            let haze = palette.far.to(palette.sky[2], 0.45);
            haze.to(palette.far, (part * 2.0).min(1.0)).to(middle, (part * 1.15 - 0.25).clamp(0.0, 0.85))
        };
        if ground == Ground::City && layer > 0 && !last {
            skyline(brush, palette, tone, base, layer, dice);
        }
        let foot = ridge.base + unit * 0.16;
        // Mist gathers at the foot of every layer but the last.
        let lower = if last {
            tone.to(Tone(0.0, 0.0, 0.0), if snowy { 0.06 } else { 0.35 })
        } else {
            tone.to(palette.sky[2], 0.42)
        };
        brush.fade(
            ridge.outline(brush),
            (ridge.base - ridge.rise, tone, 1.0),
            (if last { brush.height } else { foot }, lower, 1.0),
        );
        if kind == Line::Sharp && layer < 2 && (snowy || dice.chance(0.6)) {
            caps(brush, &ridge, palette, 0.75 - 0.2 * layer as f32);
        }
        if ground == Ground::Forest && layer > 0
            || (ground == Ground::Mountains && layer == 3)
            || (snowy && layer == 3 && ground != Ground::City)
        {
            firs(brush, &ridge, tone, layer, last, dice);
        }
    }
    palette.near
}

/// Light on the upper parts of a range.
fn caps(brush: &mut Brush, ridge: &Ridge, palette: &Palette, alpha: f32) {
    let line = ridge.base - ridge.rise * 0.56;
    let step = (brush.unit / 220.0).max(1.0);
    let mut path = PathBuilder::new();
    path.move_to(-2.0, line);
    let count = (brush.width / step) as usize + 2;
    for at in 0..=count {
        let x = at as f32 * step;
        path.line_to(x, ridge.at(x).min(line));
    }
    for at in (0..=count).rev() {
        // The lower edge runs in teeth, as snow lies in gullies.
        let x = at as f32 * step;
        let top = ridge.at(x);
        let lower = if top < line {
            let tooth = value_noise(ridge.seed ^ 77, x / (brush.unit * 0.022));
            let deep = ((line - top) * 0.55).min(ridge.rise * 0.2);
            line - deep * (1.0 - 2.0 * tooth)
        } else {
            line
        };
        path.line_to(x, lower.max(top.min(line)));
    }
    path.close();
    brush.fade(
        path,
        (ridge.base - ridge.rise, WHITE, alpha),
        (line + ridge.rise * 0.3, WHITE.to(palette.sky[2], 0.5), alpha * 0.25),
    );
}

/// A row of firs along a ridge.
fn firs(brush: &mut Brush, ridge: &Ridge, tone: Tone, layer: usize, last: bool, dice: &mut Dice) {
    let unit = brush.unit;
    let scale = 0.05 + 0.028 * layer as f32;
    let mut x = -unit * 0.05;
    let shade = if last && tone.light() > 0.6 {
        tone.to(Tone::hex(0x2c4a5c), 0.75)
    } else {
        tone.to(Tone(0.0, 0.02, 0.03), 0.12)
    };
    let mut trees = PathBuilder::new();
    while x < brush.width + unit * 0.05 {
        let height = unit * scale * dice.between(0.55, 1.25);
        let gap = if last { dice.between(0.5, 1.9) } else { dice.between(0.16, 0.34) };
        let foot = ridge.at(x) + height * 0.08;
        let half = height * dice.between(0.17, 0.23);
        trees.move_to(x, foot - height);
        for tier in 1..=4_u8 {
            let part = f32::from(tier) / 4.0;
            trees.line_to(x + half * part, foot - height * (1.0 - part) - height * 0.02);
            trees.line_to(x + half * part * 0.55, foot - height * (1.0 - part) - height * 0.04);
        }
        trees.line_to(x, foot);
        for tier in (1..=4_u8).rev() {
            let part = f32::from(tier) / 4.0;
            trees.line_to(x - half * part * 0.55, foot - height * (1.0 - part) - height * 0.04);
            trees.line_to(x - half * part, foot - height * (1.0 - part) - height * 0.02);
        }
        trees.close();
        x += height * gap;
    }
    brush.fill(trees, shade, 1.0);
}

/// Houses in a row, some with lit windows.
fn skyline(brush: &mut Brush, palette: &Palette, tone: Tone, base: f32, layer: usize, dice: &mut Dice) {
    let unit = brush.unit;
    let mut x = -unit * 0.02;
    let lit = palette.accent.to(palette.sun, 0.6);
    while x < brush.width {
        let width = unit * dice.between(0.045, 0.1);
        let tall = unit * dice.between(0.1, 0.34) * (1.25 - 0.22 * layer as f32);
        let top = base - tall;
        brush.fade(
            rect(x, top, width, tall + unit * 0.2),
            (top, tone, 1.0),
            (base + unit * 0.1, tone.to(palette.sky[2], 0.3), 1.0),
        );
        match dice.below(4) {
            0 => brush.fill(rect(x + width * 0.46, top - tall * 0.18, width * 0.06, tall * 0.2), tone, 1.0),
            1 => brush.fill(
                polygon(&[(x, top + 1.0), (x + width / 2.0, top - width * 0.4), (x + width, top + 1.0)]),
                tone,
                1.0,
            ),
            2 => brush.fill(rect(x + width * 0.2, top - tall * 0.06, width * 0.6, tall * 0.08), tone, 1.0),
            _ => {}
        }
        if layer >= 2 {
            let pane = unit * 0.0085;
            let columns = ((width / pane / 2.0) as usize).saturating_sub(1);
            for row in 0..(tall / pane / 2.2) as usize {
                for column in 0..columns {
                    if dice.chance(0.3) {
                        let at = (x + pane * (1.0 + 2.0 * column as f32), top + pane * (1.5 + 2.2 * row as f32));
                        brush.fill(rect(at.0, at.1, pane, pane * 1.2), lit, dice.between(0.3, 0.95));
                    }
                }
            }
        }
        x += width * dice.between(0.92, 1.25);
    }
}
