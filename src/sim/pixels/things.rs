//! What a prompt names: animals, houses, ships. Flat shapes, each in a box of its own from 0 to 1.

use tiny_skia::PathBuilder;

use super::super::random::Dice;
use super::brush::{Brush, circle, oval, polygon, rect, soft};
use super::palette::{Palette, Tone, WHITE};
use super::words::{Ask, Ground, Thing};

const DARK: Tone = Tone::hex(0x1c1620);
const CREAM: Tone = Tone::hex(0xfff4e4);

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
    let sky_spot = |dice: &mut Dice, brush: &Brush| {
        (
            brush.width * dice.between(0.15, 0.85),
            horizon * dice.between(0.35, 0.7),
        )
    };
    // "Three boats" are three of the first thing, the others a little smaller.
    let first =
        ask.things.iter().copied().find(|thing| {
            thing.sits() || matches!(thing, Thing::Boat | Thing::House | Thing::Tree)
        });
    let more = first.into_iter().cycle().take(ask.count.saturating_sub(1));
    for (at, thing) in ask.things.iter().copied().chain(more).enumerate() {
        let unit = unit * if at < ask.things.len() { 1.0 } else { 0.78 };
        let stands = thing.sits()
            || matches!(
                thing,
                Thing::House
                    | Thing::Lighthouse
                    | Thing::Castle
                    | Thing::Tree
                    | Thing::Boat
                    | Thing::Whale
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
            Thing::Boat => boat(
                brush,
                palette,
                (x, horizon + (front - horizon) * 0.62),
                unit * 0.2,
                near,
            ),
            Thing::Whale => whale(brush, palette, (x, front - unit * 0.01), unit * 0.34, near),
            _ => {}
        }
    }
}

/// An animal that sits and looks at us.
struct Sitter {
    coat: Tone,
    light: Tone,
    socks: Tone,
    eyes: Tone,
    /// Height of the tips of the ears above the head, width of the ears, roundness.
    ears: (f32, f32, bool),
    /// How far the face comes to a point.
    snout: f32,
    tail: Tail,
}

enum Tail {
    Brush,
    Thin,
    None,
}

const FOX: Sitter = Sitter {
    coat: Tone::hex(0xd9622b),
    light: CREAM,
    socks: Tone::hex(0x2a1a1c),
    eyes: DARK,
    ears: (0.0, 0.2, false),
    snout: 0.57,
    tail: Tail::Brush,
};
const WOLF: Sitter = Sitter {
    coat: Tone::hex(0x5d6675),
    light: Tone::hex(0xe6e8ea),
    socks: Tone::hex(0x434a57),
    eyes: Tone::hex(0xf2c14e),
    ears: (0.02, 0.18, false),
    snout: 0.56,
    tail: Tail::Brush,
};
const CAT: Sitter = Sitter {
    coat: Tone::hex(0x2b2833),
    light: Tone::hex(0x4b4657),
    socks: Tone::hex(0x1d1b24),
    eyes: Tone::hex(0xe9c46a),
    ears: (0.05, 0.2, false),
    snout: 0.5,
    tail: Tail::Thin,
};
const BEAR: Sitter = Sitter {
    coat: Tone::hex(0x6b4630),
    light: Tone::hex(0xc09a74),
    socks: Tone::hex(0x4a2f20),
    eyes: DARK,
    ears: (0.13, 0.1, true),
    snout: 0.52,
    tail: Tail::None,
};
const RABBIT: Sitter = Sitter {
    coat: Tone::hex(0xb59a86),
    light: Tone::hex(0xf4e9de),
    socks: Tone::hex(0x8f7563),
    eyes: DARK,
    ears: (-0.16, 0.09, true),
    snout: 0.5,
    tail: Tail::None,
};

fn sitter(brush: &mut Brush, foot: (f32, f32), size: f32, animal: &Sitter) {
    let flip = false;
    let mut put = |path: PathBuilder, tone: Tone| brush.place(path, foot, size, flip, tone);
    let shade = animal.coat.to(DARK, 0.22);
    put(oval((0.52, 1.0), 0.42, 0.025), DARK.to(animal.coat, 0.15));
    match animal.tail {
        Tail::Brush => {
            put(
                soft(&[
                    (0.6, 1.0),
                    (0.92, 1.08),
                    (1.12, 0.86),
                    (1.06, 0.6),
                    (0.9, 0.42),
                    (0.88, 0.7),
                    (0.74, 0.84),
                ]),
                shade.to(animal.coat, 0.45),
            );
            put(
                soft(&[(1.02, 0.62), (0.9, 0.4), (0.88, 0.58), (0.95, 0.64)]),
                animal.light,
            );
        }
        Tail::Thin => put(
            soft(&[
                (0.6, 0.98),
                (0.95, 1.04),
                (1.0, 0.82),
                (0.94, 0.8),
                (0.88, 0.94),
                (0.66, 0.9),
            ]),
            animal.coat,
        ),
        Tail::None => {}
    }
    // Haunches, body, chest, front legs.
    put(oval((0.3, 0.86), 0.15, 0.14), shade);
    put(oval((0.7, 0.86), 0.15, 0.14), shade);
    put(
        soft(&[
            (0.34, 0.36),
            (0.66, 0.36),
            (0.74, 0.7),
            (0.74, 1.06),
            (0.26, 1.06),
            (0.26, 0.7),
        ]),
        animal.coat,
    );
    put(
        soft(&[
            (0.36, 0.44),
            (0.64, 0.44),
            (0.62, 0.72),
            (0.5, 0.92),
            (0.38, 0.72),
        ]),
        animal.light,
    );
    for x in [0.415, 0.585] {
        put(
            soft(&[
                (x - 0.07, 0.72),
                (x + 0.07, 0.72),
                (x + 0.065, 1.02),
                (x - 0.065, 1.02),
            ]),
            animal.coat,
        );
        put(
            soft(&[
                (x - 0.068, 0.86),
                (x + 0.068, 0.86),
                (x + 0.07, 1.03),
                (x - 0.07, 1.03),
            ]),
            animal.socks,
        );
    }
    // Ears behind the head.
    let (tip, wide, round) = animal.ears;
    for (side, sign) in [(0.5, -1.0_f32), (0.5, 1.0)] {
        let at = |x: f32, y: f32| (side + sign * x, y);
        if round {
            put(
                soft(&[
                    at(0.06, 0.26),
                    at(0.1, tip - 0.03),
                    at(0.1 + wide * 1.5, tip - 0.03),
                    at(0.14 + wide, 0.28),
                ]),
                animal.coat,
            );
            put(
                soft(&[
                    at(0.1, 0.24),
                    at(0.12, tip + 0.03),
                    at(0.08 + wide * 1.4, tip + 0.03),
                    at(0.1 + wide, 0.24),
                ]),
                animal.light.to(animal.coat, 0.5),
            );
        } else {
            put(
                polygon(&[
                    at(0.04, 0.2),
                    at(0.1 + wide * 0.6, tip),
                    at(0.1 + wide, 0.27),
                ]),
                animal.coat,
            );
            put(
                polygon(&[
                    at(0.1, 0.19),
                    at(0.1 + wide * 0.57, tip + 0.06),
                    at(0.06 + wide, 0.24),
                ]),
                animal.socks.to(animal.coat, 0.25),
            );
        }
    }
    // The head: a kite with soft cheeks.
    let s = animal.snout;
    put(
        soft(&[
            (0.34, 0.13),
            (0.66, 0.13),
            (0.84, 0.3),
            (0.78, 0.44),
            (0.56, s + 0.03),
            (0.44, s + 0.03),
            (0.22, 0.44),
            (0.16, 0.3),
        ]),
        animal.coat,
    );
    for sign in [-1.0_f32, 1.0] {
        let at = |x: f32, y: f32| (0.5 + sign * x, y);
        put(
            soft(&[
                at(0.31, 0.34),
                at(0.25, 0.45),
                at(0.04, s + 0.025),
                at(0.0, s - 0.02),
                at(0.05, 0.42),
                at(0.16, 0.36),
            ]),
            animal.light,
        );
        put(oval(at(0.135, 0.325), 0.028, 0.034), animal.eyes);
        if animal.eyes != DARK {
            put(oval(at(0.135, 0.325), 0.011, 0.03), DARK);
        }
        put(circle(at(0.127, 0.314), 0.009), WHITE);
    }
    put(
        soft(&[
            (0.45, s - 0.06),
            (0.55, s - 0.06),
            (0.53, s + 0.005),
            (0.47, s + 0.005),
        ]),
        DARK,
    );
}

fn birds(brush: &mut Brush, palette: &Palette, horizon: f32, dice: &mut Dice) {
    let centre = (
        brush.width * dice.between(0.25, 0.75),
        horizon * dice.between(0.3, 0.55),
    );
    let tone = palette.near.to(
        palette.far,
        if palette.near.light() > 0.6 {
            0.0
        } else {
            0.25
        },
    );
    let tone = if tone.light() > 0.6 {
        DARK.to(palette.sky[0], 0.4)
    } else {
        tone
    };
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

fn house(brush: &mut Brush, palette: &Palette, foot: (f32, f32), size: f32, near: Tone) {
    let wall = if near.light() > 0.6 {
        Tone::hex(0x6b3a32)
    } else {
        near.to(palette.far, 0.35)
    };
    let roof = if near.light() > 0.6 {
        WHITE
    } else {
        palette.accent.to(DARK, 0.25)
    };
    let lamp = palette.sun.to(Tone::hex(0xffc860), 0.6);
    brush.place(
        rect(0.68, 0.12, 0.09, 0.3),
        foot,
        size,
        false,
        wall.to(DARK, 0.2),
    );
    brush.place(rect(0.12, 0.48, 0.76, 0.53), foot, size, false, wall);
    brush.place(
        polygon(&[(0.02, 0.52), (0.5, 0.14), (0.98, 0.52)]),
        foot,
        size,
        false,
        roof,
    );
    brush.place(
        rect(0.42, 0.68, 0.17, 0.33),
        foot,
        size,
        false,
        wall.to(DARK, 0.4),
    );
    for x in [0.2, 0.67] {
        let at = (foot.0 + (x + 0.065 - 0.5) * size, foot.1 - 0.34 * size);
        brush.glow(at, size * 0.3, lamp, 0.5);
        brush.place(rect(x, 0.6, 0.13, 0.14), foot, size, false, lamp);
        brush.place(rect(x + 0.06, 0.6, 0.012, 0.14), foot, size, false, wall);
    }
    for puff in 0..5 {
        let part = puff as f32;
        let at = (
            foot.0 + size * (0.23 + 0.05 * part + 0.012 * part * part),
            foot.1 - size * (0.93 + 0.11 * part),
        );
        brush.fill(
            circle(at, size * (0.035 + 0.017 * part)),
            palette.sky[2].to(WHITE, 0.5),
            0.34 - 0.05 * part,
        );
    }
}

fn castle(brush: &mut Brush, palette: &Palette, foot: (f32, f32), size: f32, near: Tone) {
    let stone = if near.light() > 0.6 {
        palette.far.to(DARK, 0.5)
    } else {
        near.to(palette.far, 0.4)
    };
    brush.place(rect(0.14, 0.62, 0.72, 0.5), foot, size, false, stone);
    for (x, wide, top) in [
        (0.06, 0.16, 0.42),
        (0.78, 0.16, 0.42),
        (0.4, 0.2, 0.2),
        (0.28, 0.1, 0.36),
        (0.63, 0.1, 0.34),
    ] {
        brush.place(
            rect(x, top, wide, 1.1 - top),
            foot,
            size,
            false,
            stone.to(DARK, wide * 0.6),
        );
        let roof = [
            (x - 0.025, top + 0.005),
            (x + wide / 2.0, top - wide * 1.25),
            (x + wide + 0.025, top + 0.005),
        ];
        brush.place(
            polygon(&roof),
            foot,
            size,
            false,
            palette.accent.to(DARK, 0.35),
        );
        brush.place(
            rect(x + wide * 0.4, top + 0.08, wide * 0.2, 0.06),
            foot,
            size,
            false,
            palette.sun,
        );
    }
    for tooth in 0..9 {
        brush.place(
            rect(0.22 + 0.063 * tooth as f32, 0.585, 0.032, 0.05),
            foot,
            size,
            false,
            stone,
        );
    }
}

fn tree(
    brush: &mut Brush,
    palette: &Palette,
    foot: (f32, f32),
    size: f32,
    near: Tone,
    dice: &mut Dice,
) {
    let bark = if near.light() > 0.6 {
        DARK.to(palette.far, 0.2)
    } else {
        near.to(DARK, 0.2)
    };
    brush.place(
        soft(&[
            (0.44, 0.4),
            (0.56, 0.4),
            (0.55, 0.8),
            (0.6, 1.06),
            (0.4, 1.06),
            (0.45, 0.8),
        ]),
        foot,
        size,
        false,
        bark,
    );
    let leaf = if near.light() > 0.6 {
        palette.far.to(DARK, 0.2)
    } else {
        palette.accent.to(near, 0.35)
    };
    for layer in 0..26 {
        let angle = dice.between(0.0, std::f32::consts::TAU);
        let reach = dice.between(0.0, 1.0).sqrt();
        let at = (
            0.5 + angle.cos() * reach * 0.33,
            0.32 + angle.sin() * reach * 0.24,
        );
        let light = leaf
            .to(palette.sun, 0.02 * layer as f32 * (0.6 - angle.sin() * 0.4))
            .to(near, 0.18 * (1.0 + angle.sin()) * 0.5);
        brush.place(
            circle(at, dice.between(0.08, 0.15)),
            foot,
            size,
            false,
            light,
        );
    }
}

fn lighthouse(
    brush: &mut Brush,
    palette: &Palette,
    foot: (f32, f32),
    size: f32,
    near: Tone,
    ground: Ground,
) {
    let rock = if near.light() > 0.6 {
        palette.far.to(DARK, 0.55)
    } else {
        near.to(DARK, 0.3)
    };
    if ground == Ground::Sea {
        brush.place(
            soft(&[
                (0.1, 1.0),
                (0.24, 0.86),
                (0.46, 0.82),
                (0.68, 0.85),
                (0.86, 0.95),
                (1.0, 1.1),
                (0.0, 1.1),
            ]),
            foot,
            size,
            false,
            rock,
        );
    }
    let lamp = (foot.0, foot.1 - size * 0.93);
    for sign in [-1.0_f32, 1.0] {
        let far = lamp.0 + sign * size * 9.0;
        let beam = polygon(&[
            lamp,
            (far, lamp.1 - size * 0.62),
            (far, lamp.1 + size * 0.3),
        ]);
        brush.fill(beam, palette.sun, 0.09);
    }
    let (base, top) = (0.9, 0.17);
    let half = |y: f32| 0.05 + 0.055 * (y - top) / (base - top);
    for stripe in 0..6 {
        let y = top + (base - top) * stripe as f32 / 6.0;
        let next = top + (base - top) * (stripe + 1) as f32 / 6.0 + 0.002;
        let tone = if stripe % 2 == 0 {
            WHITE.to(palette.sky[1], 0.12)
        } else {
            palette.accent
        };
        let side = polygon(&[
            (0.5 - half(y), y),
            (0.5 + half(y), y),
            (0.5 + half(next), next),
            (0.5 - half(next), next),
        ]);
        brush.place(side, foot, size, false, tone);
        let shade = polygon(&[
            (0.5 + half(y) * 0.35, y),
            (0.5 + half(y), y),
            (0.5 + half(next), next),
            (0.5 + half(next) * 0.35, next),
        ]);
        brush.place(shade, foot, size, false, tone.to(DARK, 0.2));
    }
    brush.place(rect(0.43, 0.145, 0.14, 0.03), foot, size, false, DARK);
    brush.place(rect(0.46, 0.05, 0.08, 0.1), foot, size, false, palette.sun);
    brush.place(
        polygon(&[(0.44, 0.055), (0.5, 0.0), (0.56, 0.055)]),
        foot,
        size,
        false,
        palette.accent.to(DARK, 0.3),
    );
    brush.glow(lamp, size * 0.3, palette.sun, 0.9);
}

fn boat(brush: &mut Brush, palette: &Palette, foot: (f32, f32), size: f32, near: Tone) {
    let hull = if near.light() > 0.6 {
        DARK
    } else {
        near.to(DARK, 0.3)
    };
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
        brush.fill(
            oval((foot.0, y), size * (0.42 - 0.05 * part), size * 0.009),
            sail,
            0.32 - 0.045 * part,
        );
    }
}

fn whale(brush: &mut Brush, palette: &Palette, foot: (f32, f32), size: f32, near: Tone) {
    let skin = near.to(palette.far, 0.3);
    let back = soft(&[
        (0.0, 1.0),
        (0.04, 0.7),
        (0.26, 0.56),
        (0.56, 0.62),
        (0.8, 0.84),
        (0.92, 1.02),
        (0.4, 1.04),
    ]);
    brush.place(back, foot, size, false, skin);
    brush.place(
        soft(&[(0.0, 1.0), (0.06, 0.86), (0.3, 0.88), (0.5, 1.0)]),
        foot,
        size,
        false,
        skin.to(WHITE, 0.45),
    );
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
        let (start, bend, end) = (
            at(0.26, 0.58),
            at(0.26 + sign * 0.02, 0.28),
            at(0.26 + sign * 0.16, 0.36),
        );
        spout.move_to(start.0, start.1);
        spout.quad_to(bend.0, bend.1, end.0, end.1);
        brush.line(spout, size * 0.022, WHITE, 0.8);
    }
    for row in 0..5 {
        let part = row as f32;
        let y = foot.1 + size * 0.035 * part;
        brush.fill(
            oval(
                (foot.0 + size * 0.05, y),
                size * (0.72 - 0.07 * part),
                size * 0.012,
            ),
            palette.sky[2],
            0.5 - 0.08 * part,
        );
    }
}

fn balloon(brush: &mut Brush, palette: &Palette, at: (f32, f32), size: f32) {
    let foot = (at.0, at.1 + size / 2.0);
    let tones = [
        palette.accent,
        CREAM.to(palette.sun, 0.3),
        palette.accent.to(DARK, 0.2),
    ];
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
    brush.place(
        rect(0.41, 0.88, 0.18, 0.11),
        foot,
        size,
        false,
        Tone::hex(0x6a4428),
    );
}

fn rocket(brush: &mut Brush, palette: &Palette, at: (f32, f32), size: f32) {
    let foot = (at.0, at.1 + size / 2.0);
    brush.glow(
        (foot.0, foot.1 + size * 0.1),
        size * 0.7,
        palette.accent,
        0.8,
    );
    brush.place(
        soft(&[
            (0.42, 0.84),
            (0.58, 0.84),
            (0.54, 1.1),
            (0.5, 1.45),
            (0.46, 1.1),
        ]),
        foot,
        size,
        false,
        Tone::hex(0xffd27a),
    );
    for sign in [-1.0_f32, 1.0] {
        let fin = polygon(&[
            (0.5 + sign * 0.1, 0.55),
            (0.5 + sign * 0.27, 0.92),
            (0.5 + sign * 0.1, 0.82),
        ]);
        brush.place(fin, foot, size, false, palette.accent);
    }
    brush.place(
        soft(&[
            (0.5, -0.06),
            (0.64, 0.2),
            (0.63, 0.7),
            (0.56, 0.9),
            (0.44, 0.9),
            (0.37, 0.7),
            (0.36, 0.2),
        ]),
        foot,
        size,
        false,
        CREAM,
    );
    brush.place(
        circle((0.5, 0.36), 0.07),
        foot,
        size,
        false,
        palette.accent.to(DARK, 0.3),
    );
    brush.place(
        circle((0.5, 0.36), 0.048),
        foot,
        size,
        false,
        palette.sky[2].to(WHITE, 0.3),
    );
}
