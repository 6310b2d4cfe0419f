//! Colours: moods of light, each a sky of three tones, a light in it, and a land from far to near.

use tiny_skia::Color;

use super::super::random::Dice;

/// An opaque colour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tone(pub(super) f32, pub(super) f32, pub(super) f32);

impl Tone {
    /// From `0xrrggbb`.
    pub(super) const fn hex(value: u32) -> Self {
        Self((value >> 16 & 255) as f32 / 255.0, (value >> 8 & 255) as f32 / 255.0, (value & 255) as f32 / 255.0)
    }

    /// A part of the way to another colour.
    pub(super) fn to(self, other: Self, part: f32) -> Self {
        let mix = |a: f32, b: f32| (a + (b - a) * part).clamp(0.0, 1.0);
        Self(mix(self.0, other.0), mix(self.1, other.1), mix(self.2, other.2))
    }

    pub(super) fn alpha(self, alpha: f32) -> Color {
        let part = |value: f32| value.clamp(0.0, 1.0);
        Color::from_rgba(part(self.0), part(self.1), part(self.2), part(alpha)).unwrap_or(Color::BLACK)
    }

    /// Brightness as the eye sees it, 0 to 1.
    pub(super) fn light(self) -> f32 {
        0.2126 * self.0 + 0.7152 * self.1 + 0.0722 * self.2
    }
}

pub(super) const WHITE: Tone = Tone(1.0, 1.0, 1.0);
pub(super) const DARK: Tone = Tone::hex(0x1c1620);
pub(super) const CREAM: Tone = Tone::hex(0xfff4e4);

/// What the light is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Dawn,
    Day,
    Dusk,
    Night,
    Winter,
    Spring,
    Autumn,
    Heat,
    Woods,
    Water,
    Storm,
    Neon,
}

/// The colours of one picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    pub(super) mood: Mood,
    /// Top, middle, horizon.
    pub(super) sky: [Tone; 3],
    pub(super) sun: Tone,
    pub(super) far: Tone,
    pub(super) near: Tone,
    /// For flowers, sails, windows, roofs.
    pub(super) accent: Tone,
}

impl Palette {
    /// Whether stars can be seen.
    pub(super) fn is_dark(&self) -> bool {
        self.sky[0].light() < 0.13
    }
}

const fn row(mood: Mood, sky: [u32; 3], sun: u32, far: u32, near: u32, accent: u32) -> Palette {
    Palette {
        mood,
        sky: [Tone::hex(sky[0]), Tone::hex(sky[1]), Tone::hex(sky[2])],
        sun: Tone::hex(sun),
        far: Tone::hex(far),
        near: Tone::hex(near),
        accent: Tone::hex(accent),
    }
}

const PALETTES: &[Palette] = &[
    row(Mood::Dawn, [0x6f93bd, 0xe9b7ae, 0xffe4c4], 0xfff6e0, 0xc39bab, 0x39385a, 0xf26b5b),
    row(Mood::Dawn, [0x4d6a9a, 0xc58fa6, 0xffd0b0], 0xfff0d8, 0xa77f9b, 0x2b2b4c, 0xffb35c),
    row(Mood::Day, [0x4f9ac4, 0xa9d3dd, 0xf7efdc], 0xfffaf0, 0x8fb6bb, 0x1e4a54, 0xf08a4b),
    row(Mood::Day, [0x2f7f97, 0x86c5bd, 0xfbeec4], 0xfffbe8, 0x6ea99f, 0x10393f, 0xef6f53),
    row(Mood::Dusk, [0x2b2750, 0x96517f, 0xf7a863], 0xffe7ad, 0xa8607f, 0x1b1730, 0xff8e5e),
    row(Mood::Dusk, [0x39406f, 0xd0697a, 0xffc98f], 0xfff0c4, 0xa95c78, 0x231d3b, 0xffd07a),
    row(Mood::Night, [0x070b1f, 0x17264f, 0x4a5f98], 0xf7f1da, 0x2f4275, 0x070c1c, 0xf7c66b),
    row(Mood::Night, [0x08141f, 0x123a4d, 0x4f8c8c], 0xf2f5dc, 0x245a63, 0x06131b, 0xf2b05e),
    row(Mood::Winter, [0x7ba3c9, 0xbfd5e6, 0xf8ece4], 0xfffaf2, 0xa9bfd6, 0xf1f5fa, 0xd9503f),
    row(Mood::Winter, [0x51658f, 0xa79fc0, 0xf9d5cd], 0xfff2e6, 0x9aa6c6, 0xe9eef7, 0xe0603f),
    row(Mood::Spring, [0x83b9dc, 0xd3e4ea, 0xffe9e4], 0xfffaf0, 0x9dc3ab, 0x2c5a49, 0xf28aa5),
    row(Mood::Spring, [0x9fc6c9, 0xe9e3d6, 0xffd9d2], 0xfff8ea, 0xa5bfa1, 0x35523f, 0xe86f8d),
    row(Mood::Autumn, [0x6a5478, 0xd98b66, 0xfbd9a0], 0xfff1c6, 0xb06a50, 0x3a1c1f, 0xf2a33c),
    row(Mood::Autumn, [0x5a7180, 0xd9ab7c, 0xfae3b8], 0xfff6d8, 0xb5794c, 0x4a2a1c, 0xd9572f),
    row(Mood::Heat, [0x3c7296, 0xf0b98a, 0xfde3b4], 0xfff4d6, 0xdb9468, 0x6b2c2b, 0xf7d070),
    row(Mood::Heat, [0xb5483f, 0xf08c55, 0xfdd28a], 0xffefc0, 0xc9623f, 0x45191f, 0xffe0a0),
    row(Mood::Woods, [0x7fae9d, 0xc9dfc4, 0xf8f1d4], 0xfffbe0, 0x84ab94, 0x12302a, 0xf0a050),
    row(Mood::Woods, [0x2d5a5c, 0x7fae90, 0xf1e2b0], 0xfff5cc, 0x4f8474, 0x0c2325, 0xf29d52),
    row(Mood::Water, [0x1f6f94, 0x7fc0cc, 0xfaeacb], 0xfff6da, 0x4a9bb0, 0x0c3450, 0xf2694f),
    row(Mood::Water, [0x33507f, 0xc48a9c, 0xffd9a8], 0xfff3cd, 0x7a7ba6, 0x1a2450, 0xffb066),
    row(Mood::Storm, [0x232c3a, 0x566778, 0xb3bdbd], 0xeef2ef, 0x667684, 0x131922, 0xf2c14e),
    row(Mood::Neon, [0x12082b, 0x5f1d78, 0xff5f92], 0xffd873, 0x6a2a8a, 0x0b0520, 0x45e0d8),
    row(Mood::Neon, [0x061430, 0x1f3d8f, 0xc65fd6], 0xffe9b0, 0x33368a, 0x050a1e, 0xff5f8f),
];

/// A palette for the mood, or any; slightly toned by chance, so that two pictures of one mood differ.
pub(super) fn choose(mood: Option<Mood>, dice: &mut Dice) -> Palette {
    let fitting: Vec<&Palette> =
        PALETTES.iter().filter(|palette| mood.is_none_or(|mood| mood == palette.mood)).collect();
    let Some(found) = fitting.get(dice.below(fitting.len())) else {
        return PALETTES[0];
    };
    let mut palette = **found;
    let tint = Tone(dice.between(0.2, 1.0), dice.between(0.2, 0.9), dice.between(0.3, 1.0));
    for tone in &mut palette.sky {
        *tone = tone.to(tint, 0.05);
    }
    palette.far = palette.far.to(tint, 0.07);
    palette
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mood_has_a_palette() {
        let moods = [
            Mood::Dawn,
            Mood::Day,
            Mood::Dusk,
            Mood::Night,
            Mood::Winter,
            Mood::Spring,
            Mood::Autumn,
            Mood::Heat,
            Mood::Woods,
            Mood::Water,
            Mood::Storm,
            Mood::Neon,
        ];
        for mood in moods {
            let palette = choose(Some(mood), &mut Dice::new(3, "p"));
            assert_eq!(palette.mood, mood);
        }
    }
}
