//! A landscape in layers: sky, light, clouds, land from far to near, weather.

use std::f32::consts::TAU;

use tiny_skia::PathBuilder;

use super::super::random::{Dice, mix};
use super::brush::{Brush, circle, oval, polygon, rect};
use super::palette::{Mood, Palette, Tone, WHITE};
use super::things;
use super::words::{Ask, Ground, Thing};

/// Draws everything but the lettering. Returns the height at which the foreground begins and its colour.
pub(super) fn paint(
    brush: &mut Brush,
    ask: &Ask,
    palette: &Palette,
    dice: &mut Dice,
) -> (f32, Tone) {
    // Somebody who sits needs land to sit on, and snow lies better on hills than on waves.
    let dry = ask.has(Thing::Snow) || ask.things.iter().any(|thing| thing.sits());
    let grounds = [
        Ground::Hills,
        Ground::Mountains,
        Ground::Mountains,
        Ground::Dunes,
        Ground::Sea,
    ];
    let choice = dice.below(if dry { 3 } else { grounds.len() });
    let ground = ask.ground.unwrap_or(grounds[choice]);
    let horizon = brush.height * dice.between(0.56, 0.62);
    brush.sky(palette.sky, horizon * 1.05);
    let sun = light(brush, ask, palette, horizon, ground, dice);
    if palette.is_dark() || ask.has(Thing::Stars) {
        stars(brush, palette, horizon, dice);
    }
    if ask.has(Thing::Clouds) || dice.chance(0.65) {
        clouds(brush, palette, horizon, dice);
    }
    let front = brush.height * 0.735;
    let near = land(brush, ground, palette, (horizon, front), sun, dice);
    things::paint(brush, ask, palette, (horizon, front), near, ground, dice);
    if ground == Ground::Meadow || ask.has(Thing::Flowers) {
        flowers(brush, palette, front, dice);
    }
    weather(brush, ask, palette, dice);
    (front, near)
}

/// The sun or the moon, and its light. Returns where it stands.
fn light(
    brush: &mut Brush,
    ask: &Ask,
    palette: &Palette,
    horizon: f32,
    ground: Ground,
    dice: &mut Dice,
) -> (f32, f32) {
    let moon = ask.has(Thing::Moon) || palette.mood == Mood::Night;
    let low = matches!(palette.mood, Mood::Dusk | Mood::Dawn | Mood::Neon) || ask.has(Thing::Sun);
    let big = dice.chance(0.4) && !moon;
    let radius = brush.unit
        * if big {
            dice.between(0.14, 0.2)
        } else {
            dice.between(0.06, 0.095)
        };
    let height = if big || (low && ground == Ground::Sea) {
        horizon - radius * dice.between(0.3, 0.9)
    } else if low {
        horizon - brush.height * dice.between(0.1, 0.2)
    } else {
        horizon * dice.between(0.26, 0.42)
    };
    let at = (brush.width * dice.between(0.24, 0.76), height);
    let strength = if moon { 0.5 } else { 0.85 };
    brush.glow(at, brush.unit * 0.95, palette.sun, strength * 0.55);
    brush.glow(at, radius * 2.6, palette.sun, strength * 0.7);
    if palette.mood == Mood::Storm && !ask.has(Thing::Sun) {
        return at;
    }
    if dice.chance(0.35) && !moon {
        for ring in 1..4 {
            brush.fill(
                circle(at, radius * (1.0 + 0.42 * ring as f32)),
                palette.sun,
                0.1,
            );
        }
    }
    brush.fill(circle(at, radius), palette.sun.to(WHITE, 0.15), 0.97);
    if moon {
        let shade = palette.sun.to(palette.sky[1], 0.22);
        for (x, y, r) in [
            (-0.3, -0.25, 0.2),
            (0.28, 0.1, 0.27),
            (-0.15, 0.42, 0.15),
            (0.2, -0.48, 0.1),
        ] {
            brush.fill(
                circle((at.0 + x * radius, at.1 + y * radius), r * radius),
                shade,
                0.55,
            );
        }
    } else if palette.mood == Mood::Neon {
        // The slatted sun of its genre.
        for slat in 0..5 {
            let part = slat as f32 / 5.0;
            let y = at.1 + radius * (0.05 + 0.9 * part);
            let cover = palette.sky[1].to(palette.sky[2], 0.55);
            brush.fill(
                rect(
                    at.0 - radius * 1.02,
                    y,
                    radius * 2.04,
                    radius * (0.03 + 0.08 * part),
                ),
                cover,
                1.0,
            );
        }
    }
    at
}

fn stars(brush: &mut Brush, palette: &Palette, horizon: f32, dice: &mut Dice) {
    let count =
        (brush.width * horizon / (brush.unit * brush.unit) * 170.0).clamp(40.0, 900.0) as usize;
    for _ in 0..count {
        let height = dice.between(0.0, 1.0).powf(1.4);
        let at = (brush.width * dice.between(0.0, 1.0), horizon * height);
        let size = brush.unit * 0.0007 * dice.between(0.7, 2.6);
        brush.fill(
            circle(at, size.max(0.35)),
            palette.sun.to(WHITE, 0.5),
            dice.between(0.25, 0.95) * (1.0 - height * 0.7),
        );
    }
    for _ in 0..5 {
        let at = (
            brush.width * dice.between(0.05, 0.95),
            horizon * dice.between(0.04, 0.5),
        );
        let arm = brush.unit * dice.between(0.006, 0.013);
        let thin = arm * 0.1;
        brush.glow(at, arm * 1.6, WHITE, 0.35);
        brush.fill(
            polygon(&[
                (at.0 - arm, at.1),
                (at.0, at.1 - thin),
                (at.0 + arm, at.1),
                (at.0, at.1 + thin),
            ]),
            WHITE,
            0.9,
        );
        brush.fill(
            polygon(&[
                (at.0, at.1 - arm),
                (at.0 + thin, at.1),
                (at.0, at.1 + arm),
                (at.0 - thin, at.1),
            ]),
            WHITE,
            0.9,
        );
    }
}

fn clouds(brush: &mut Brush, palette: &Palette, horizon: f32, dice: &mut Dice) {
    let tone = if palette.is_dark() {
        palette.sky[2]
    } else {
        WHITE
    };
    let banks = 2 + dice.below(3);
    for _ in 0..banks {
        let centre = brush.width * dice.between(0.0, 1.0);
        let y = horizon * dice.between(0.2, 0.78);
        let size = brush.unit * dice.between(0.16, 0.34);
        let alpha = dice.between(0.16, 0.38);
        for _ in 0..7 {
            // Long flat streaks that share a base line, as evening clouds do.
            let across = size * dice.between(0.35, 1.0);
            let x = centre + size * dice.between(-1.0, 1.0);
            let lift = size * dice.between(0.0, 0.16);
            let down = size * dice.between(0.022, 0.06);
            brush.fade(
                oval((x, y - lift), across, down),
                (y - lift - down, tone, alpha),
                (y - lift + down, tone, alpha * 0.15),
            );
        }
    }
}

/// Where a layer of land has its edge.
struct Ridge {
    seed: u64,
    base: f32,
    rise: f32,
    /// Length of the coarsest feature, in pixels.
    length: f32,
    kind: Line,
}

#[derive(Clone, Copy, PartialEq)]
enum Line {
    Sharp,
    Round,
    Dune,
}

impl Ridge {
    fn at(&self, x: f32) -> f32 {
        let noise = |octave: u32| {
            let scale = 2_f32.powi(octave as i32);
            value_noise(
                self.seed.wrapping_add(u64::from(octave)),
                x / self.length * scale,
            )
        };
        let height = match self.kind {
            Line::Sharp => {
                let coarse = 1.0 - (2.0 * noise(0) - 1.0).abs();
                coarse * 0.62
                    + (1.0 - (2.0 * noise(1) - 1.0).abs()) * 0.22
                    + noise(3) * 0.1
                    + noise(4) * 0.06
            }
            Line::Round => noise(0) * 0.75 + noise(1) * 0.25,
            Line::Dune => {
                // A long climb on the windward side, a short fall on the other.
                let along = x / self.length * 1.6 + (self.seed % 97) as f32 * 0.1;
                let part = along - along.floor();
                let rise = if part < 0.68 {
                    part / 0.68
                } else {
                    (1.0 - part) / 0.32
                };
                rise * rise * (3.0 - 2.0 * rise) * 0.6 * (0.4 + noise(0)) + noise(0) * 0.3
            }
        };
        self.base - self.rise * height
    }

    fn outline(&self, brush: &Brush) -> PathBuilder {
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
fn land(
    brush: &mut Brush,
    ground: Ground,
    palette: &Palette,
    (horizon, front): (f32, f32),
    sun: (f32, f32),
    dice: &mut Dice,
) -> Tone {
    let unit = brush.unit;
    let snowy = palette.near.light() > 0.6;
    let middle = if snowy {
        palette.far.to(palette.sky[0], 0.25)
    } else {
        palette.near
    };
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
            haze.to(palette.far, (part * 2.0).min(1.0))
                .to(middle, (part * 1.15 - 0.25).clamp(0.0, 0.85))
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
        (
            line + ridge.rise * 0.3,
            WHITE.to(palette.sky[2], 0.5),
            alpha * 0.25,
        ),
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
        let gap = if last {
            dice.between(0.5, 1.9)
        } else {
            dice.between(0.16, 0.34)
        };
        let foot = ridge.at(x) + height * 0.08;
        let half = height * dice.between(0.17, 0.23);
        trees.move_to(x, foot - height);
        for tier in 1..=4_u8 {
            let part = f32::from(tier) / 4.0;
            trees.line_to(
                x + half * part,
                foot - height * (1.0 - part) - height * 0.02,
            );
            trees.line_to(
                x + half * part * 0.55,
                foot - height * (1.0 - part) - height * 0.04,
            );
        }
        trees.line_to(x, foot);
        for tier in (1..=4_u8).rev() {
            let part = f32::from(tier) / 4.0;
            trees.line_to(
                x - half * part * 0.55,
                foot - height * (1.0 - part) - height * 0.04,
            );
            trees.line_to(
                x - half * part,
                foot - height * (1.0 - part) - height * 0.02,
            );
        }
        trees.close();
        x += height * gap;
    }
    brush.fill(trees, shade, 1.0);
}

/// Houses in a row, some with lit windows.
fn skyline(
    brush: &mut Brush,
    palette: &Palette,
    tone: Tone,
    base: f32,
    layer: usize,
    dice: &mut Dice,
) {
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
            0 => brush.fill(
                rect(
                    x + width * 0.46,
                    top - tall * 0.18,
                    width * 0.06,
                    tall * 0.2,
                ),
                tone,
                1.0,
            ),
            1 => brush.fill(
                polygon(&[
                    (x, top + 1.0),
                    (x + width / 2.0, top - width * 0.4),
                    (x + width, top + 1.0),
                ]),
                tone,
                1.0,
            ),
            2 => brush.fill(
                rect(x + width * 0.2, top - tall * 0.06, width * 0.6, tall * 0.08),
                tone,
                1.0,
            ),
            _ => {}
        }
        if layer >= 2 {
            let pane = unit * 0.0085;
            let columns = ((width / pane / 2.0) as usize).saturating_sub(1);
            for row in 0..(tall / pane / 2.2) as usize {
                for column in 0..columns {
                    if dice.chance(0.3) {
                        let at = (
                            x + pane * (1.0 + 2.0 * column as f32),
                            top + pane * (1.5 + 2.2 * row as f32),
                        );
                        brush.fill(
                            rect(at.0, at.1, pane, pane * 1.2),
                            lit,
                            dice.between(0.3, 0.95),
                        );
                    }
                }
            }
        }
        x += width * dice.between(0.92, 1.25);
    }
}

/// Water from the horizon down, with the path of light on it.
fn sea(brush: &mut Brush, palette: &Palette, horizon: f32, sun: (f32, f32), dice: &mut Dice) {
    let (width, height, unit) = (brush.width, brush.height, brush.unit);
    let far = palette.sky[2].to(palette.far, 0.6);
    if dice.chance(0.7) {
        let coast = Ridge {
            seed: dice.next(),
            base: horizon + unit * 0.005,
            rise: unit * 0.1,
            length: unit * 0.55,
            kind: Line::Round,
        };
        let haze = palette.far.to(palette.sky[2], 0.35);
        brush.fade(
            coast.outline(brush),
            (horizon - unit * 0.1, palette.far, 0.85),
            (horizon, haze, 0.85),
        );
    }
    let water = rect(0.0, horizon, width, height - horizon);
    brush.fade(
        water,
        (horizon, far, 1.0),
        (height * 0.9, palette.near, 1.0),
    );
    for _ in 0..260 {
        // Glints: short near the horizon, long in front, gathered under the light.
        let part = dice.between(0.0, 1.0).powf(1.5);
        let y = horizon + (height - horizon) * part * 0.75 + unit * 0.004;
        let spread = unit * (0.03 + 0.3 * part);
        let x = sun.0 + dice.normal() as f32 * spread * 0.6;
        let long = unit * (0.006 + 0.05 * part) * dice.between(0.4, 1.3);
        brush.fill(
            oval((x, y), long, unit * (0.0007 + 0.0032 * part)),
            palette.sun,
            dice.between(0.18, 0.75) * (1.0 - part * 0.6),
        );
    }
    for band in 0..7 {
        let part = band as f32 / 6.0;
        let y = horizon + (height - horizon) * (0.1 + 0.72 * part.powf(1.35));
        let swell = Ridge {
            seed: dice.next(),
            base: y,
            rise: unit * (0.006 + 0.02 * part),
            length: unit * (0.12 + 0.3 * part),
            kind: Line::Round,
        };
        let crest = palette.sky[2].to(palette.far, 0.4);
        let depth = unit * (0.03 + 0.05 * part);
        brush.fade(
            swell.outline(brush),
            (y - swell.rise, crest, 0.16),
            (y + depth, palette.near, 0.2),
        );
    }
}

/// Flowers in the foreground, larger towards the viewer.
fn flowers(brush: &mut Brush, palette: &Palette, front: f32, dice: &mut Dice) {
    let unit = brush.unit;
    let count = (brush.width / unit * 95.0) as usize;
    let colours = [
        palette.accent,
        palette.accent.to(WHITE, 0.45),
        palette.sun,
        palette.accent.to(palette.sky[0], 0.3),
    ];
    for at in 0..count {
        let depth = at as f32 / count as f32;
        let x = brush.width * dice.between(-0.02, 1.02);
        let y = front - unit * 0.06 + unit * 0.085 * depth + unit * dice.between(0.0, 0.02);
        let size = unit * (0.005 + 0.012 * depth) * dice.between(0.7, 1.2);
        let stem = size * dice.between(2.5, 4.5);
        let lean = size * dice.between(-0.8, 0.8);
        let mut stalk = PathBuilder::new();
        stalk.move_to(x, y + stem);
        stalk.quad_to(x, y + stem * 0.4, x + lean, y);
        brush.line(
            stalk,
            size * 0.16,
            palette.near.to(Tone::hex(0x6d9a63), 0.45),
            0.9,
        );
        let tone = colours[dice.below(colours.len())];
        let turn = dice.between(0.0, TAU);
        for petal in 0..5 {
            let angle = turn + TAU * petal as f32 / 5.0;
            let tip = (
                x + lean + angle.cos() * size * 0.55,
                y + angle.sin() * size * 0.5,
            );
            brush.fill(circle(tip, size * 0.46), tone, 0.95);
        }
        brush.fill(
            circle((x + lean, y), size * 0.28),
            palette.near.to(palette.accent, 0.3),
            1.0,
        );
    }
}

/// What falls or floats in the air, in front of everything.
fn weather(brush: &mut Brush, ask: &Ask, palette: &Palette, dice: &mut Dice) {
    let (width, height, unit) = (brush.width, brush.height, brush.unit);
    let area = width * height / (unit * unit);
    if ask.has(Thing::Snow) {
        for _ in 0..(area * 230.0).min(1500.0) as usize {
            let at = (
                width * dice.between(0.0, 1.0),
                height * dice.between(0.0, 0.86),
            );
            let near = dice.between(0.0, 1.0).powi(4);
            let size = unit * (0.0012 + 0.0075 * near);
            if near > 0.5 {
                brush.glow(at, size * 2.2, WHITE, 0.75);
            } else {
                brush.fill(circle(at, size), WHITE, dice.between(0.45, 0.95));
            }
        }
    }
    if ask.has(Thing::Rain) {
        for _ in 0..(area * 260.0).min(1500.0) as usize {
            let (x, y) = (
                width * dice.between(0.0, 1.05),
                height * dice.between(-0.05, 0.95),
            );
            let long = unit * dice.between(0.015, 0.05);
            let mut drop = PathBuilder::new();
            drop.move_to(x, y);
            drop.line_to(x - long * 0.22, y + long);
            brush.line(drop, unit * 0.0014, WHITE, dice.between(0.12, 0.4));
        }
    }
    if ask.has(Thing::Lights) {
        for _ in 0..(area * 34.0).min(220.0) as usize {
            let at = (
                width * dice.between(0.0, 1.0),
                height * dice.between(0.35, 0.85),
            );
            let size = unit * dice.between(0.006, 0.016);
            brush.glow(at, size * 2.0, palette.accent.to(palette.sun, 0.4), 0.7);
            brush.fill(circle(at, size * 0.22), WHITE, 0.9);
        }
    }
}
