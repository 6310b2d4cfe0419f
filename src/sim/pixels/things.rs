//! What a prompt names: where it stands; and what flies and swims. Flat shapes, each in a box of its own from 0 to 1.

use tiny_skia::PathBuilder;

use super::super::random::Dice;
use super::animals::{BEAR, CAT, FOX, RABBIT, WOLF, sitter};
use super::brush::{Brush, circle, oval, polygon, rect, soft};
use super::buildings::{castle, house, lighthouse, tree};
use super::palette::{CREAM, DARK, Palette, Tone, WHITE};
use super::words::{Ask, Ground, Thing};

/// Draws the things that have a place: at most three on the ground, in the order of the words.
pub(super) fn paint(
    brush: &mut Brush,
    ask: &Ask,
    palette: &Palette,
    (horizon, front): (f32, f32),
    near: Tone,
    ground: Ground,
    dice: &mut Dice,
) {
    let unit = brush.unit;
    let mut places = [0.66, 0.3, 0.86].into_iter();
    let sky_spot =
        |dice: &mut Dice, brush: &Brush| (brush.width * dice.between(0.15, 0.85), horizon * dice.between(0.35, 0.7));
    // "Three boats" are three of the first thing, the others a little smaller.
    let first = ask
        .things
        .iter()
        .copied()
        .find(|thing| thing.sits() || matches!(thing, Thing::Boat | Thing::House | Thing::Tree));
    let more = first.into_iter().cycle().take(ask.count.saturating_sub(1));
    for (at, thing) in ask.things.iter().copied().chain(more).enumerate() {
        let unit = unit * if at < ask.things.len() { 1.0 } else { 0.78 };
        let stands = thing.sits()
            || matches!(
                thing,
                Thing::House | Thing::Lighthouse | Thing::Castle | Thing::Tree | Thing::Boat | Thing::Whale
            );
        if !stands {
            match thing {
                Thing::Birds => birds(brush, palette, horizon, dice),
                Thing::Balloon => {
                    let at = sky_spot(dice, brush);
                    balloon(brush, palette, at, unit * 0.2);
                    let second = sky_spot(dice, brush);
                    balloon(brush, palette, second, unit * 0.1);
                }
                Thing::Rocket => {
                    let at = sky_spot(dice, brush);
                    rocket(brush, palette, at, unit * 0.24);
                }
                _ => {}
            }
            continue;
        }
        let Some(place) = places.next() else { break };
        let x = brush.width * (place + dice.between(-0.03, 0.03));
        let foot = (x, front + unit * 0.022);
        match thing {
            Thing::Fox => sitter(brush, foot, unit * 0.33, &FOX),
            Thing::Wolf => sitter(brush, foot, unit * 0.34, &WOLF),
            Thing::Cat => sitter(brush, foot, unit * 0.27, &CAT),
            Thing::Bear => sitter(brush, foot, unit * 0.36, &BEAR),
            Thing::Rabbit => sitter(brush, foot, unit * 0.24, &RABBIT),
            Thing::House => house(brush, palette, foot, unit * 0.2, near),
            Thing::Castle => castle(brush, palette, (x, front - unit * 0.04), unit * 0.3, near),
            Thing::Tree => tree(brush, palette, foot, unit * 0.36, near, dice),
            Thing::Lighthouse => lighthouse(brush, palette, (x, front), unit * 0.42, near, ground),
            Thing::Boat => boat(brush, palette, (x, horizon + (front - horizon) * 0.62), unit * 0.2, near),
            Thing::Whale => whale(brush, palette, (x, front - unit * 0.01), unit * 0.34, near),
            _ => {}
        }
    }
}

fn birds(brush: &mut Brush, palette: &Palette, horizon: f32, dice: &mut Dice) {
    let centre = (brush.width * dice.between(0.25, 0.75), horizon * dice.between(0.3, 0.55));
    let tone = palette.near.to(palette.far, if palette.near.light() > 0.6 { 0.0 } else { 0.25 });
    let tone = if tone.light() > 0.6 { DARK.to(palette.sky[0], 0.4) } else { tone };
    for _ in 0..9 + dice.below(6) {
        let span = brush.unit * dice.between(0.012, 0.034);
        let x = centre.0 + brush.unit * dice.normal() as f32 * 0.16;
        let y = centre.1 + brush.unit * dice.normal() as f32 * 0.06;
        let lift = span * dice.between(0.25, 0.6);
        let mut wing = PathBuilder::new();
        wing.move_to(x - span, y - lift);
        wing.quad_to(x - span * 0.35, y - lift * 0.9, x, y);
        wing.quad_to(x + span * 0.35, y - lift * 0.9, x + span, y - lift);
        wing.quad_to(x + span * 0.4, y - lift * 0.35, x, y + span * 0.14);
        wing.quad_to(x - span * 0.4, y - lift * 0.35, x - span, y - lift);
        wing.close();
        brush.fill(wing, tone, 0.92);
    }
}

fn boat(brush: &mut Brush, palette: &Palette, foot: (f32, f32), size: f32, near: Tone) {
    let hull = if near.light() > 0.6 { DARK } else { near.to(DARK, 0.3) };
    let sail = WHITE.to(palette.sun, 0.5);
    let mut main = PathBuilder::new();
    main.move_to(0.5, 0.02);
    main.quad_to(0.84, 0.4, 0.86, 0.78);
    main.line_to(0.5, 0.78);
    main.close();
    brush.place(main, foot, size, false, sail);
    let mut jib = PathBuilder::new();
    jib.move_to(0.46, 0.1);
    jib.quad_to(0.3, 0.5, 0.14, 0.78);
    jib.line_to(0.46, 0.78);
    jib.close();
    brush.place(jib, foot, size, false, palette.accent);
    brush.place(rect(0.472, 0.0, 0.016, 0.86), foot, size, false, hull);
    let mut body = PathBuilder::new();
    body.move_to(0.02, 0.83);
    body.line_to(0.98, 0.83);
    body.quad_to(0.9, 1.0, 0.74, 1.0);
    body.line_to(0.24, 1.0);
    body.quad_to(0.1, 0.98, 0.02, 0.83);
    body.close();
    brush.place(body, foot, size, false, hull);
    for row in 0..6 {
        let part = row as f32;
        let y = foot.1 + size * (0.03 + 0.05 * part);
        brush.fill(oval((foot.0, y), size * (0.42 - 0.05 * part), size * 0.009), sail, 0.32 - 0.045 * part);
    }
}

fn whale(brush: &mut Brush, palette: &Palette, foot: (f32, f32), size: f32, near: Tone) {
    let skin = near.to(palette.far, 0.3);
    let back = soft(&[(0.0, 1.0), (0.04, 0.7), (0.26, 0.56), (0.56, 0.62), (0.8, 0.84), (0.92, 1.02), (0.4, 1.04)]);
    brush.place(back, foot, size, false, skin);
    brush.place(soft(&[(0.0, 1.0), (0.06, 0.86), (0.3, 0.88), (0.5, 1.0)]), foot, size, false, skin.to(WHITE, 0.45));
    brush.place(circle((0.2, 0.8), 0.015), foot, size, false, DARK);
    brush.place(
        soft(&[
            (1.02, 1.0),
            (1.06, 0.8),
            (0.96, 0.62),
            (1.1, 0.62),
            (1.14, 0.7),
            (1.2, 0.6),
            (1.34, 0.6),
            (1.2, 0.8),
            (1.14, 1.0),
        ]),
        foot,
        size,
        false,
        skin,
    );
    for sign in [-1.0_f32, 1.0] {
        let mut spout = PathBuilder::new();
        let at = |x: f32, y: f32| (foot.0 + (x - 0.5) * size, foot.1 - (1.0 - y) * size);
        let (start, bend, end) = (at(0.26, 0.58), at(0.26 + sign * 0.02, 0.28), at(0.26 + sign * 0.16, 0.36));
        spout.move_to(start.0, start.1);
        spout.quad_to(bend.0, bend.1, end.0, end.1);
        brush.line(spout, size * 0.022, WHITE, 0.8);
    }
    for row in 0..5 {
        let part = row as f32;
        let y = foot.1 + size * 0.035 * part;
        brush.fill(
            oval((foot.0 + size * 0.05, y), size * (0.72 - 0.07 * part), size * 0.012),
            palette.sky[2],
            0.5 - 0.08 * part,
        );
    }
}

fn balloon(brush: &mut Brush, palette: &Palette, at: (f32, f32), size: f32) {
    let foot = (at.0, at.1 + size / 2.0);
    let tones = [palette.accent, CREAM.to(palette.sun, 0.3), palette.accent.to(DARK, 0.2)];
    let skin = |squeeze: f32| {
        let x = |x: f32| 0.5 + (x - 0.5) * squeeze;
        let mut path = PathBuilder::new();
        path.move_to(x(0.5), 0.0);
        path.cubic_to(x(0.98), 0.0, x(0.95), 0.44, x(0.6), 0.76);
        path.line_to(x(0.4), 0.76);
        path.cubic_to(x(0.05), 0.44, x(0.02), 0.0, x(0.5), 0.0);
        path.close();
        path
    };
    for (gore, squeeze) in [1.0, 0.68, 0.3].into_iter().enumerate() {
        brush.place(skin(squeeze), foot, size, false, tones[gore % tones.len()]);
    }
    for x in [0.42, 0.58] {
        brush.place(rect(x - 0.004, 0.75, 0.008, 0.14), foot, size, false, DARK);
    }
    brush.place(rect(0.41, 0.88, 0.18, 0.11), foot, size, false, Tone::hex(0x6a4428));
}

fn rocket(brush: &mut Brush, palette: &Palette, at: (f32, f32), size: f32) {
    let foot = (at.0, at.1 + size / 2.0);
    brush.glow((foot.0, foot.1 + size * 0.1), size * 0.7, palette.accent, 0.8);
    brush.place(
        soft(&[(0.42, 0.84), (0.58, 0.84), (0.54, 1.1), (0.5, 1.45), (0.46, 1.1)]),
        foot,
        size,
        false,
        Tone::hex(0xffd27a),
    );
    for sign in [-1.0_f32, 1.0] {
        let fin = polygon(&[(0.5 + sign * 0.1, 0.55), (0.5 + sign * 0.27, 0.92), (0.5 + sign * 0.1, 0.82)]);
        brush.place(fin, foot, size, false, palette.accent);
    }
    brush.place(
        soft(&[(0.5, -0.06), (0.64, 0.2), (0.63, 0.7), (0.56, 0.9), (0.44, 0.9), (0.37, 0.7), (0.36, 0.2)]),
        foot,
        size,
        false,
        CREAM,
    );
    brush.place(circle((0.5, 0.36), 0.07), foot, size, false, palette.accent.to(DARK, 0.3));
    brush.place(circle((0.5, 0.36), 0.048), foot, size, false, palette.sky[2].to(WHITE, 0.3));
}
