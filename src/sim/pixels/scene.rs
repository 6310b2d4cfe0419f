//! A landscape: sky, light and clouds; then the land, the things in it, the weather.

use super::super::random::Dice;
use super::brush::{Brush, circle, oval, polygon, rect};
use super::land::land;
use super::nature::{flowers, weather};
use super::palette::{Mood, Palette, Tone, WHITE};
use super::things;
use super::words::{Ask, Ground, Thing};

/// Draws everything but the lettering. Returns the height at which the foreground begins and its colour.
pub(super) fn paint(brush: &mut Brush, ask: &Ask, palette: &Palette, dice: &mut Dice) -> (f32, Tone) {
    // Somebody who sits needs land to sit on, and snow lies better on hills than on waves.
    let dry = ask.has(Thing::Snow) || ask.things.iter().any(|thing| thing.sits());
    let grounds = [Ground::Hills, Ground::Mountains, Ground::Mountains, Ground::Dunes, Ground::Sea];
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
    if ground == Ground::Meadow || (ask.has(Thing::Flowers) && ground != Ground::Sea) {
        flowers(brush, palette, front, dice);
    }
    weather(brush, ask, palette, dice);
    (front, near)
}

/// The sun or the moon, and its light. Returns where it stands.
fn light(brush: &mut Brush, ask: &Ask, palette: &Palette, horizon: f32, ground: Ground, dice: &mut Dice) -> (f32, f32) {
    let moon = ask.has(Thing::Moon) || palette.mood == Mood::Night;
    let low = matches!(palette.mood, Mood::Dusk | Mood::Dawn | Mood::Neon) || ask.has(Thing::Sun);
    let big = dice.chance(0.4) && !moon;
    let radius = brush.unit * if big { dice.between(0.14, 0.2) } else { dice.between(0.06, 0.095) };
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
            brush.fill(circle(at, radius * (1.0 + 0.42 * ring as f32)), palette.sun, 0.1);
        }
    }
    brush.fill(circle(at, radius), palette.sun.to(WHITE, 0.15), 0.97);
    if moon {
        let shade = palette.sun.to(palette.sky[1], 0.22);
        for (x, y, r) in [(-0.3, -0.25, 0.2), (0.28, 0.1, 0.27), (-0.15, 0.42, 0.15), (0.2, -0.48, 0.1)] {
            brush.fill(circle((at.0 + x * radius, at.1 + y * radius), r * radius), shade, 0.55);
        }
    } else if palette.mood == Mood::Neon {
        // The slatted sun of its genre.
        for slat in 0..5 {
            let part = slat as f32 / 5.0;
            let y = at.1 + radius * (0.05 + 0.9 * part);
            let cover = palette.sky[1].to(palette.sky[2], 0.55);
            brush.fill(rect(at.0 - radius * 1.02, y, radius * 2.04, radius * (0.03 + 0.08 * part)), cover, 1.0);
        }
    }
    at
}

fn stars(brush: &mut Brush, palette: &Palette, horizon: f32, dice: &mut Dice) {
    let count = (brush.width * horizon / (brush.unit * brush.unit) * 170.0).clamp(40.0, 900.0) as usize;
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
        let at = (brush.width * dice.between(0.05, 0.95), horizon * dice.between(0.04, 0.5));
        let arm = brush.unit * dice.between(0.006, 0.013);
        let thin = arm * 0.1;
        brush.glow(at, arm * 1.6, WHITE, 0.35);
        brush.fill(
            polygon(&[(at.0 - arm, at.1), (at.0, at.1 - thin), (at.0 + arm, at.1), (at.0, at.1 + thin)]),
            WHITE,
            0.9,
        );
        brush.fill(
            polygon(&[(at.0, at.1 - arm), (at.0 + thin, at.1), (at.0, at.1 + arm), (at.0 - thin, at.1)]),
            WHITE,
            0.9,
        );
    }
}

fn clouds(brush: &mut Brush, palette: &Palette, horizon: f32, dice: &mut Dice) {
    let tone = if palette.is_dark() { palette.sky[2] } else { WHITE };
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
