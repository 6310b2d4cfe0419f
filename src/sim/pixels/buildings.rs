//! What is built or rooted: house, castle, lighthouse, tree.

use super::super::random::Dice;
use super::brush::{Brush, circle, polygon, rect, soft};
use super::palette::{DARK, Palette, Tone, WHITE};
use super::words::Ground;

pub(super) fn house(brush: &mut Brush, palette: &Palette, foot: (f32, f32), size: f32, near: Tone) {
    let wall = if near.light() > 0.6 { Tone::hex(0x6b3a32) } else { near.to(palette.far, 0.35) };
    let roof = if near.light() > 0.6 { WHITE } else { palette.accent.to(DARK, 0.25) };
    let lamp = palette.sun.to(Tone::hex(0xffc860), 0.6);
    brush.place(rect(0.68, 0.12, 0.09, 0.3), foot, size, false, wall.to(DARK, 0.2));
    brush.place(rect(0.12, 0.48, 0.76, 0.53), foot, size, false, wall);
    brush.place(polygon(&[(0.02, 0.52), (0.5, 0.14), (0.98, 0.52)]), foot, size, false, roof);
    brush.place(rect(0.42, 0.68, 0.17, 0.33), foot, size, false, wall.to(DARK, 0.4));
    for x in [0.2, 0.67] {
        let at = (foot.0 + (x + 0.065 - 0.5) * size, foot.1 - 0.34 * size);
        brush.glow(at, size * 0.3, lamp, 0.5);
        brush.place(rect(x, 0.6, 0.13, 0.14), foot, size, false, lamp);
        brush.place(rect(x + 0.06, 0.6, 0.012, 0.14), foot, size, false, wall);
    }
    for puff in 0..5 {
        let part = puff as f32;
        let at = (foot.0 + size * (0.23 + 0.05 * part + 0.012 * part * part), foot.1 - size * (0.93 + 0.11 * part));
        brush.fill(circle(at, size * (0.035 + 0.017 * part)), palette.sky[2].to(WHITE, 0.5), 0.34 - 0.05 * part);
    }
}

pub(super) fn castle(brush: &mut Brush, palette: &Palette, foot: (f32, f32), size: f32, near: Tone) {
    let stone = if near.light() > 0.6 { palette.far.to(DARK, 0.5) } else { near.to(palette.far, 0.4) };
    brush.place(rect(0.14, 0.62, 0.72, 0.5), foot, size, false, stone);
    for (x, wide, top) in
        [(0.06, 0.16, 0.42), (0.78, 0.16, 0.42), (0.4, 0.2, 0.2), (0.28, 0.1, 0.36), (0.63, 0.1, 0.34)]
    {
        brush.place(rect(x, top, wide, 1.1 - top), foot, size, false, stone.to(DARK, wide * 0.6));
        let roof = [(x - 0.025, top + 0.005), (x + wide / 2.0, top - wide * 1.25), (x + wide + 0.025, top + 0.005)];
        brush.place(polygon(&roof), foot, size, false, palette.accent.to(DARK, 0.35));
        brush.place(rect(x + wide * 0.4, top + 0.08, wide * 0.2, 0.06), foot, size, false, palette.sun);
    }
    for tooth in 0..9 {
        brush.place(rect(0.22 + 0.063 * tooth as f32, 0.585, 0.032, 0.05), foot, size, false, stone);
    }
}

pub(super) fn tree(brush: &mut Brush, palette: &Palette, foot: (f32, f32), size: f32, near: Tone, dice: &mut Dice) {
    let bark = if near.light() > 0.6 { DARK.to(palette.far, 0.2) } else { near.to(DARK, 0.2) };
    brush.place(
        soft(&[(0.44, 0.4), (0.56, 0.4), (0.55, 0.8), (0.6, 1.06), (0.4, 1.06), (0.45, 0.8)]),
        foot,
        size,
        false,
        bark,
    );
    let leaf = if near.light() > 0.6 { palette.far.to(DARK, 0.2) } else { palette.accent.to(near, 0.35) };
    for layer in 0..26 {
        let angle = dice.between(0.0, std::f32::consts::TAU);
        let reach = dice.between(0.0, 1.0).sqrt();
        let at = (0.5 + angle.cos() * reach * 0.33, 0.32 + angle.sin() * reach * 0.24);
        let light = leaf
            .to(palette.sun, 0.02 * layer as f32 * (0.6 - angle.sin() * 0.4))
            .to(near, 0.18 * (1.0 + angle.sin()) * 0.5);
        brush.place(circle(at, dice.between(0.08, 0.15)), foot, size, false, light);
    }
}

pub(super) fn lighthouse(
    brush: &mut Brush,
    palette: &Palette,
    foot: (f32, f32),
    size: f32,
    near: Tone,
    ground: Ground,
) {
    let rock = if near.light() > 0.6 { palette.far.to(DARK, 0.55) } else { near.to(DARK, 0.3) };
    if ground == Ground::Sea {
        brush.place(
            soft(&[(0.1, 1.0), (0.24, 0.86), (0.46, 0.82), (0.68, 0.85), (0.86, 0.95), (1.0, 1.1), (0.0, 1.1)]),
            foot,
            size,
            false,
            rock,
        );
    }
    let lamp = (foot.0, foot.1 - size * 0.93);
    for sign in [-1.0_f32, 1.0] {
        let far = lamp.0 + sign * size * 9.0;
        let beam = polygon(&[lamp, (far, lamp.1 - size * 0.62), (far, lamp.1 + size * 0.3)]);
        brush.fill(beam, palette.sun, 0.09);
    }
    let (base, top) = (0.9, 0.17);
    let half = |y: f32| 0.05 + 0.055 * (y - top) / (base - top);
    for stripe in 0..6 {
        let y = top + (base - top) * stripe as f32 / 6.0;
        let next = top + (base - top) * (stripe + 1) as f32 / 6.0 + 0.002;
        let tone = if stripe % 2 == 0 { WHITE.to(palette.sky[1], 0.12) } else { palette.accent };
        let side =
            polygon(&[(0.5 - half(y), y), (0.5 + half(y), y), (0.5 + half(next), next), (0.5 - half(next), next)]);
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
    brush.place(polygon(&[(0.44, 0.055), (0.5, 0.0), (0.56, 0.055)]), foot, size, false, palette.accent.to(DARK, 0.3));
    brush.glow(lamp, size * 0.3, palette.sun, 0.9);
}
