//! The words of the prompt, set like the title of a poster.

use ab_glyph::{Font, FontRef, Glyph, ScaleFont, point};
use tiny_skia::{Pixmap, PremultipliedColorU8};

use super::brush::{Brush, rect};
use super::palette::{Tone, WHITE};

/// Longest title in characters; what is longer ends in an ellipsis.
const LONGEST: usize = 84;

/// The fonts, in the order they are asked for a sign: letters, then emoji, then what is left.
struct Fonts(Vec<FontRef<'static>>);

impl Fonts {
    fn load() -> Self {
        let files = [
            epaint_default_fonts::UBUNTU_LIGHT,
            epaint_default_fonts::NOTO_EMOJI_REGULAR,
            epaint_default_fonts::EMOJI_ICON,
            epaint_default_fonts::HACK_REGULAR,
        ];
        let readable = files.iter().filter_map(|file| FontRef::try_from_slice(file).ok());
        Self(readable.collect())
    }

    fn font_for(&self, sign: char) -> Option<&FontRef<'static>> {
        self.0.iter().find(|font| font.glyph_id(sign).0 != 0)
    }

    /// Only what every sign can be set of: a missing glyph would be a box.
    fn can_set(&self, word: &str) -> bool {
        word.chars().all(|sign| self.font_for(sign).is_some())
    }

    fn width(&self, text: &str, size: f32) -> f32 {
        text.chars()
            .filter_map(|sign| {
                let font = self.font_for(sign)?;
                Some(font.as_scaled(size).h_advance(font.glyph_id(sign)))
            })
            .sum()
    }
}

/// Sets the prompt over the foreground, which begins at `front` and has the colour `near`.
pub(super) fn set(brush: &mut Brush, prompt: &str, (front, near): (f32, Tone)) {
    let fonts = Fonts::load();
    let words = title(&fonts, prompt);
    let margin = brush.unit * 0.07;
    let room = (brush.width - 2.0 * margin, brush.height - front - brush.unit * 0.055 - margin * 0.8);
    if words.is_empty() || room.0 < 24.0 || room.1 < 10.0 {
        return;
    }
    let (size, lines) = fit(&fonts, &words, room, brush.unit);
    if size < 7.0 {
        return;
    }
    let light_ground = near.light() > 0.55;
    let ink = if light_ground { Tone::hex(0x24304a) } else { WHITE.to(near, 0.06) };
    let leading = size * 1.16;
    let block = leading * lines.len() as f32;
    let top = brush.height - margin * 0.9 - block;
    // A veil in the ground's own colour keeps the words legible over flowers, waves and feet.
    let veil = if light_ground { near } else { near.to(Tone(0.0, 0.0, 0.0), 0.3) };
    let edge = top - size * 0.9;
    let shape = rect(0.0, edge, brush.width, brush.height - edge);
    brush.fade(shape, (edge, veil, 0.0), (top + size * 0.6, veil, 0.72));
    let rule = rect(margin, top - size * 0.28, brush.unit * 0.075, (brush.unit * 0.0035).max(1.0));
    brush.fill(rule, ink, 0.85);
    for (at, line) in lines.iter().enumerate() {
        let baseline = top + leading * at as f32 + size * 0.92;
        write(&mut brush.canvas, &fonts, line, size, (margin, baseline), ink);
    }
}

/// The words that can be set, without words in brackets (they are orders to the simulator), shortened at a word's end.
fn title(fonts: &Fonts, prompt: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut length = 0;
    for word in prompt.split_whitespace().take(200) {
        // Joiners and variation selectors have no picture of their own.
        let word: String = word.chars().filter(|c| !matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')).collect();
        let order = word.starts_with('[') && word.ends_with(']');
        if word.is_empty() || order || !fonts.can_set(&word) {
            continue;
        }
        let count = word.chars().count();
        if length + count > LONGEST {
            match words.last_mut() {
                Some(last) => {
                    let end: &mut String = last;
                    end.push('…');
                }
                // A single endless word: its beginning.
                None => words.push(word.chars().take(24).chain(['…']).collect()),
            }
            break;
        }
        length += count + 1;
        words.push(word);
    }
    words
}

/// The largest size at which the words fit the room, and the lines: as few as possible, then as even as possible.
fn fit(fonts: &Fonts, words: &[String], room: (f32, f32), unit: f32) -> (f32, Vec<String>) {
    let mut size = unit * 0.088;
    loop {
        if let Some(lines) = wrap(fonts, words, size, room.0)
            && lines.len() as f32 * size * 1.16 <= room.1
        {
            let mut even = lines;
            let mut narrow = room.0;
            while let Some(next) = wrap(fonts, words, size, narrow * 0.94) {
                if next.len() > even.len() {
                    break;
                }
                narrow *= 0.94;
                even = next;
            }
            return (size, even);
        }
        size *= 0.94;
        if size < 7.0 {
            return (0.0, Vec::new());
        }
    }
}

/// Lines of at most this width; none if a word alone is wider.
fn wrap(fonts: &Fonts, words: &[String], size: f32, width: f32) -> Option<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0.0;
    let space = fonts.width(" ", size);
    for word in words {
        let wide = fonts.width(word, size);
        if wide > width {
            return None;
        }
        match lines.last_mut() {
            Some(line) if used + space + wide <= width => {
                line.push(' ');
                line.push_str(word);
                used += space + wide;
            }
            _ => {
                lines.push(word.clone());
                used = wide;
            }
        }
    }
    Some(lines)
}

fn write(canvas: &mut Pixmap, fonts: &Fonts, line: &str, size: f32, (mut x, baseline): (f32, f32), ink: Tone) {
    for sign in line.chars() {
        let Some(font) = fonts.font_for(sign) else {
            continue;
        };
        let id = font.glyph_id(sign);
        let glyph: Glyph = id.with_scale_and_position(size, point(x, baseline));
        x += font.as_scaled(size).h_advance(id);
        if let Some(outline) = font.outline_glyph(glyph) {
            let bounds = outline.px_bounds();
            let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
            outline.draw(|dx, dy, cover| blend(canvas, left + dx as i32, top + dy as i32, ink, cover));
        }
    }
}

/// Lays ink over an opaque pixel.
fn blend(canvas: &mut Pixmap, x: i32, y: i32, ink: Tone, cover: f32) {
    let (width, height) = (canvas.width() as i32, canvas.height() as i32);
    if x < 0 || y < 0 || x >= width || y >= height {
        return;
    }
    let at = (y * width + x) as usize;
    let Some(pixel) = canvas.pixels_mut().get_mut(at) else {
        return;
    };
    let cover = cover.clamp(0.0, 1.0);
    let mix = |old: u8, new: f32| (f32::from(old) * (1.0 - cover) + new * 255.0 * cover).round() as u8;
    let mixed = PremultipliedColorU8::from_rgba(
        mix(pixel.red(), ink.0),
        mix(pixel.green(), ink.1),
        mix(pixel.blue(), ink.2),
        255,
    );
    if let Some(mixed) = mixed {
        *pixel = mixed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_without_glyphs_and_orders_are_left_out() {
        let fonts = Fonts::load();
        assert_eq!(fonts.0.len(), 4);
        assert_eq!(title(&fonts, "a 狐狸 fox [two] 雪"), ["a", "fox"]);
        assert!(title(&fonts, "狐狸").is_empty());
        assert_eq!(title(&fonts, "☀ é").len(), 2);
    }

    #[test]
    fn long_prompts_end_in_an_ellipsis() {
        let fonts = Fonts::load();
        let words = title(&fonts, &"word ".repeat(500));
        assert!(words.len() < 30);
        assert_eq!(words.last().map(String::as_str), Some("word…"));
        assert_eq!(title(&fonts, &"x".repeat(5000)).len(), 1);
    }

    #[test]
    fn lines_are_even() {
        let fonts = Fonts::load();
        let words: Vec<String> = "one two three four five six".split(' ').map(str::to_owned).collect();
        let (size, lines) = fit(&fonts, &words, (300.0, 200.0), 1000.0);
        assert!(size > 20.0);
        let widths: Vec<f32> = lines.iter().map(|line| fonts.width(line, size)).collect();
        assert!(widths.iter().all(|width| *width <= 300.0));
    }
}
