//! Animals that sit and look at us: one figure, five coats.

use tiny_skia::PathBuilder;

use super::brush::{Brush, circle, oval, polygon, soft};
use super::palette::{CREAM, DARK, Tone, WHITE};

/// An animal that sits and looks at us.
pub(super) struct Sitter {
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

pub(super) const FOX: Sitter = Sitter {
    coat: Tone::hex(0xd9622b),
    light: CREAM,
    socks: Tone::hex(0x2a1a1c),
    eyes: DARK,
    ears: (0.0, 0.2, false),
    snout: 0.57,
    tail: Tail::Brush,
};
pub(super) const WOLF: Sitter = Sitter {
    coat: Tone::hex(0x5d6675),
    light: Tone::hex(0xe6e8ea),
    socks: Tone::hex(0x434a57),
    eyes: Tone::hex(0xf2c14e),
    ears: (0.02, 0.18, false),
    snout: 0.56,
    tail: Tail::Brush,
};
pub(super) const CAT: Sitter = Sitter {
    coat: Tone::hex(0x2b2833),
    light: Tone::hex(0x4b4657),
    socks: Tone::hex(0x1d1b24),
    eyes: Tone::hex(0xe9c46a),
    ears: (0.05, 0.2, false),
    snout: 0.5,
    tail: Tail::Thin,
};
pub(super) const BEAR: Sitter = Sitter {
    coat: Tone::hex(0x6b4630),
    light: Tone::hex(0xc09a74),
    socks: Tone::hex(0x4a2f20),
    eyes: DARK,
    ears: (0.13, 0.1, true),
    snout: 0.52,
    tail: Tail::None,
};
pub(super) const RABBIT: Sitter = Sitter {
    coat: Tone::hex(0xb59a86),
    light: Tone::hex(0xf4e9de),
    socks: Tone::hex(0x8f7563),
    eyes: DARK,
    ears: (-0.16, 0.09, true),
    snout: 0.5,
    tail: Tail::None,
};

/// Draws one; its feet are at `foot`.
pub(super) fn sitter(brush: &mut Brush, foot: (f32, f32), size: f32, animal: &Sitter) {
    let flip = false;
    let mut put = |path: PathBuilder, tone: Tone| brush.place(path, foot, size, flip, tone);
    let shade = animal.coat.to(DARK, 0.22);
    put(oval((0.52, 1.0), 0.42, 0.025), DARK.to(animal.coat, 0.15));
    match animal.tail {
        Tail::Brush => {
            put(
                soft(&[(0.6, 1.0), (0.92, 1.08), (1.12, 0.86), (1.06, 0.6), (0.9, 0.42), (0.88, 0.7), (0.74, 0.84)]),
                shade.to(animal.coat, 0.45),
            );
            put(soft(&[(1.02, 0.62), (0.9, 0.4), (0.88, 0.58), (0.95, 0.64)]), animal.light);
        }
        Tail::Thin => {
            put(soft(&[(0.6, 0.98), (0.95, 1.04), (1.0, 0.82), (0.94, 0.8), (0.88, 0.94), (0.66, 0.9)]), animal.coat)
        }
        Tail::None => {}
    }
    // Haunches, body, chest, front legs.
    put(oval((0.3, 0.86), 0.15, 0.14), shade);
    put(oval((0.7, 0.86), 0.15, 0.14), shade);
    put(soft(&[(0.34, 0.36), (0.66, 0.36), (0.74, 0.7), (0.74, 1.06), (0.26, 1.06), (0.26, 0.7)]), animal.coat);
    put(soft(&[(0.36, 0.44), (0.64, 0.44), (0.62, 0.72), (0.5, 0.92), (0.38, 0.72)]), animal.light);
    for x in [0.415, 0.585] {
        put(soft(&[(x - 0.07, 0.72), (x + 0.07, 0.72), (x + 0.065, 1.02), (x - 0.065, 1.02)]), animal.coat);
        put(soft(&[(x - 0.068, 0.86), (x + 0.068, 0.86), (x + 0.07, 1.03), (x - 0.07, 1.03)]), animal.socks);
    }
    // Ears behind the head.
    let (tip, wide, round) = animal.ears;
    for (side, sign) in [(0.5, -1.0_f32), (0.5, 1.0)] {
        let at = |x: f32, y: f32| (side + sign * x, y);
        if round {
            put(
                soft(&[at(0.06, 0.26), at(0.1, tip - 0.03), at(0.1 + wide * 1.5, tip - 0.03), at(0.14 + wide, 0.28)]),
                animal.coat,
            );
            put(
                soft(&[at(0.1, 0.24), at(0.12, tip + 0.03), at(0.08 + wide * 1.4, tip + 0.03), at(0.1 + wide, 0.24)]),
                animal.light.to(animal.coat, 0.5),
            );
        } else {
            put(polygon(&[at(0.04, 0.2), at(0.1 + wide * 0.6, tip), at(0.1 + wide, 0.27)]), animal.coat);
            put(
                polygon(&[at(0.1, 0.19), at(0.1 + wide * 0.57, tip + 0.06), at(0.06 + wide, 0.24)]),
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
    put(soft(&[(0.45, s - 0.06), (0.55, s - 0.06), (0.53, s + 0.005), (0.47, s + 0.005)]), DARK);
}
