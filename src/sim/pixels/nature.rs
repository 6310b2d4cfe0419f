//! Water, flowers and weather.

use std::f32::consts::TAU;

use tiny_skia::PathBuilder;

use super::super::random::Dice;
use super::brush::{Brush, circle, oval, rect};
use super::land::{Line, Ridge};
use super::palette::{Palette, Tone, WHITE};
use super::words::{Ask, Thing};

/// Water from the horizon down, with the path of light on it.
pub(super) fn sea(brush: &mut Brush, palette: &Palette, horizon: f32, sun: (f32, f32), dice: &mut Dice) {
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
        brush.fade(coast.outline(brush), (horizon - unit * 0.1, palette.far, 0.85), (horizon, haze, 0.85));
    }
    let water = rect(0.0, horizon, width, height - horizon);
    brush.fade(water, (horizon, far, 1.0), (height * 0.9, palette.near, 1.0));
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
        brush.fade(swell.outline(brush), (y - swell.rise, crest, 0.16), (y + depth, palette.near, 0.2));
    }
}

/// Flowers in the foreground, larger towards the viewer.
pub(super) fn flowers(brush: &mut Brush, palette: &Palette, front: f32, dice: &mut Dice) {
    let unit = brush.unit;
    let count = (brush.width / unit * 95.0) as usize;
    let colours = [palette.accent, palette.accent.to(WHITE, 0.45), palette.sun, palette.accent.to(palette.sky[0], 0.3)];
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
        brush.line(stalk, size * 0.16, palette.near.to(Tone::hex(0x6d9a63), 0.45), 0.9);
        let tone = colours[dice.below(colours.len())];
        let turn = dice.between(0.0, TAU);
        for petal in 0..5 {
            let angle = turn + TAU * petal as f32 / 5.0;
            let tip = (x + lean + angle.cos() * size * 0.55, y + angle.sin() * size * 0.5);
            brush.fill(circle(tip, size * 0.46), tone, 0.95);
        }
        brush.fill(circle((x + lean, y), size * 0.28), palette.near.to(palette.accent, 0.3), 1.0);
    }
}

/// What falls or floats in the air, in front of everything.
pub(super) fn weather(brush: &mut Brush, ask: &Ask, palette: &Palette, dice: &mut Dice) {
    let (width, height, unit) = (brush.width, brush.height, brush.unit);
    let area = width * height / (unit * unit);
    if ask.has(Thing::Snow) {
        for _ in 0..(area * 230.0).min(1500.0) as usize {
            let at = (width * dice.between(0.0, 1.0), height * dice.between(0.0, 0.86));
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
            let (x, y) = (width * dice.between(0.0, 1.05), height * dice.between(-0.05, 0.95));
            let long = unit * dice.between(0.015, 0.05);
            let mut drop = PathBuilder::new();
            drop.move_to(x, y);
            drop.line_to(x - long * 0.22, y + long);
            brush.line(drop, unit * 0.0014, WHITE, dice.between(0.12, 0.4));
        }
    }
    if ask.has(Thing::Lights) {
        for _ in 0..(area * 34.0).min(220.0) as usize {
            let at = (width * dice.between(0.0, 1.0), height * dice.between(0.35, 0.85));
            let size = unit * dice.between(0.006, 0.016);
            brush.glow(at, size * 2.0, palette.accent.to(palette.sun, 0.4), 0.7);
            brush.fill(circle(at, size * 0.22), WHITE, 0.9);
        }
    }
}
