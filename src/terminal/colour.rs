//! Colours, as many as the terminal has. Frames may use all colours; they are mapped here.

use std::io::Write as _;

use ratatui::style::Color;

/// How many colours a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Depth {
    /// No colours, by the user's wish: bold, reverse and the like remain.
    None,
    /// The sixteen of the user's theme.
    Ansi16,
    /// The palette of 256.
    #[default]
    Ansi256,
    /// 24 bits.
    True,
}

/// The colour a terminal of this depth shows for `colour`.
pub(super) fn map(colour: Color, depth: Depth) -> Color {
    match (depth, colour) {
        (Depth::None, _) => Color::Reset,
        (Depth::Ansi256, Color::Rgb(r, g, b)) => Color::Indexed(nearest_256([r, g, b])),
        (Depth::Ansi16, Color::Rgb(r, g, b)) => named(nearest_16([r, g, b])),
        (Depth::Ansi16, Color::Indexed(index)) if index > 15 => named(nearest_16(rgb_of(index))),
        (Depth::Ansi16, Color::Indexed(index)) => named(index),
        _ => colour,
    }
}

/// Appends the parameters that select a colour, without separators. `base` is 30 or 40.
pub(super) fn push(out: &mut Vec<u8>, colour: Color, base: u8) {
    let number = |number: u8| {
        if number < 8 { base + number } else { base + 52 + number }
    };
    let _ = match colour {
        Color::Reset => write!(out, "{}", base + 9),
        Color::Rgb(r, g, b) => write!(out, "{};2;{r};{g};{b}", base + 8),
        Color::Indexed(index) => write!(out, "{};5;{index}", base + 8),
        named => write!(out, "{}", number(index_of(named))),
    };
}

fn index_of(colour: Color) -> u8 {
    NAMED.iter().position(|named| *named == colour).unwrap_or(7) as u8
}

fn named(index: u8) -> Color {
    NAMED.get(usize::from(index)).copied().unwrap_or(Color::Reset)
}

const NAMED: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

/// xterm's own sixteen; themes differ, but none can be asked for cheaply.
const XTERM: [[u8; 3]; 16] = [
    [0, 0, 0],
    [205, 0, 0],
    [0, 205, 0],
    [205, 205, 0],
    [0, 0, 238],
    [205, 0, 205],
    [0, 205, 205],
    [229, 229, 229],
    [127, 127, 127],
    [255, 0, 0],
    [0, 255, 0],
    [255, 255, 0],
    [92, 92, 255],
    [255, 0, 255],
    [0, 255, 255],
    [255, 255, 255],
];

const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

fn rgb_of(index: u8) -> [u8; 3] {
    match index {
        0..=15 => XTERM[usize::from(index)],
        16..=231 => {
            let index = usize::from(index - 16);
            [STEPS[index / 36], STEPS[index / 6 % 6], STEPS[index % 6]]
        }
        _ => [(index - 232) * 10 + 8; 3],
    }
}

fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    // The eye sees green best and blue least.
    let weights = [3, 6, 1];
    a.iter().zip(b).zip(weights).map(|((a, b), weight)| u32::from(a.abs_diff(b)).pow(2) * weight).sum()
}

fn nearest_16(colour: [u8; 3]) -> u8 {
    (0..16_u8).min_by_key(|index| distance(XTERM[usize::from(*index)], colour)).unwrap_or(7)
}

fn nearest_256(colour: [u8; 3]) -> u8 {
    let step = |value: u8| (0..6_u8).min_by_key(|step| STEPS[usize::from(*step)].abs_diff(value)).unwrap_or(0);
    let [r, g, b] = colour.map(step);
    let cube = 16 + 36 * r + 6 * g + b;
    let mean = colour.iter().map(|part| u16::from(*part)).sum::<u16>() / 3;
    let grey = 232 + (mean.saturating_sub(3) / 10).min(23) as u8;
    if distance(rgb_of(grey), colour) < distance(rgb_of(cube), colour) { grey } else { cube }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_their_nearest() {
        assert_eq!(map(Color::Rgb(255, 0, 0), Depth::Ansi256), Color::Indexed(196));
        assert_eq!(map(Color::Rgb(8, 8, 8), Depth::Ansi256), Color::Indexed(232));
        assert_eq!(map(Color::Rgb(250, 250, 250), Depth::Ansi16), Color::White);
        assert_eq!(map(Color::Indexed(196), Depth::Ansi16), Color::LightRed);
        assert_eq!(map(Color::Green, Depth::Ansi256), Color::Green);
        assert_eq!(map(Color::Green, Depth::None), Color::Reset);
        for index in 16..=255 {
            let [r, g, b] = rgb_of(index);
            let Color::Indexed(found) = map(Color::Rgb(r, g, b), Depth::Ansi256) else {
                panic!("not of the palette");
            };
            assert_eq!(rgb_of(found), rgb_of(index));
        }
    }

    #[test]
    fn numbers_are_those_of_the_standard() {
        let text = |colour, base| {
            let mut out = Vec::new();
            push(&mut out, colour, base);
            String::from_utf8(out).expect("ascii")
        };
        assert_eq!(text(Color::Red, 30), "31");
        assert_eq!(text(Color::White, 30), "97");
        assert_eq!(text(Color::DarkGray, 40), "100");
        assert_eq!(text(Color::Reset, 40), "49");
        assert_eq!(text(Color::Indexed(7), 40), "48;5;7");
        assert_eq!(text(Color::Rgb(1, 2, 3), 30), "38;2;1;2;3");
    }
}
