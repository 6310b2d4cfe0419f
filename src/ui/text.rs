//! Text in cells: how wide it is, how it is cut and wrapped, and how durations, sizes and times are written.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::Offset;
use ratatui::buffer::CellWidth;
use unicode_segmentation::UnicodeSegmentation;

use crate::time::Wall;

/// Cells of one grapheme, as the buffer counts them.
fn cells(grapheme: &str) -> usize {
    if grapheme.contains(char::is_control) { 0 } else { usize::from(grapheme.cell_width()) }
}

/// Cells that this text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.graphemes(true).map(cells).sum()
}

/// The beginning of the text that fits, and its width.
fn head(text: &str, max: usize) -> (&str, usize) {
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        let wide = cells(grapheme);
        if used + wide > max {
            return (&text[..at], used);
        }
        used += wide;
    }
    (text, used)
}

/// Cuts text to `max` cells; the last one is then an ellipsis.
#[must_use]
pub fn cut(text: &str, max: usize) -> Cow<'_, str> {
    if head(text, max).0.len() == text.len() {
        return Cow::Borrowed(text);
    }
    match max {
        0 => Cow::Borrowed(""),
        _ => Cow::Owned(format!("{}…", head(text, max - 1).0.trim_end())),
    }
}

/// Cuts text to `max` cells in its middle: the two ends of a path tell most.
#[must_use]
pub fn cut_middle(text: &str, max: usize) -> Cow<'_, str> {
    if head(text, max).0.len() == text.len() {
        return Cow::Borrowed(text);
    }
    if max < 4 {
        return cut(text, max);
    }
    // The end of a path is its file name: it gets the larger part.
    let front = head(text, (max - 1) / 3);
    let mut back = "";
    let mut used = 0;
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        used += cells(grapheme);
        if used > max - 1 - front.1 {
            break;
        }
        back = &text[at..];
    }
    Cow::Owned(format!("{}…{back}", front.0))
}

/// Punctuation of wide scripts that may not begin a line.
const CLINGS: &str = "、。，．！？：；）」』】〉》ー…";

/// The pieces between which a line may be broken: after spaces, slashes and hyphens, and around wide characters.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut from, mut before) = (0, "");
    for (at, grapheme) in text.grapheme_indices(true) {
        let space = |g: &str| g.chars().all(char::is_whitespace);
        let opens = match before {
            "" => false,
            _ if CLINGS.contains(grapheme) => false,
            " " | "/" | "-" => !space(grapheme),
            _ => space(before) != space(grapheme) || cells(grapheme) > 1 || cells(before) > 1,
        };
        if opens {
            pieces.push(&text[from..at]);
            from = at;
        }
        before = grapheme;
    }
    pieces.push(&text[from..]);
    pieces
}

/// Breaks text into lines of at most `max` cells, between words where that is possible.
#[must_use]
pub fn wrap(text: &str, max: usize) -> Vec<String> {
    let max = max.max(2);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        let end = |line: &mut String, lines: &mut Vec<String>| lines.push(std::mem::take(line).trim_end().to_owned());
        for piece in pieces(paragraph) {
            let wide = width(piece);
            if used + wide <= max {
                line.push_str(piece);
                used += wide;
            } else if piece.trim().is_empty() {
                // Spaces at a break vanish, the next word opens a line.
                used = max;
            } else if wide <= max {
                end(&mut line, &mut lines);
                line.push_str(piece);
                used = wide;
            } else {
                for grapheme in piece.graphemes(true) {
                    let wide = cells(grapheme);
                    if used + wide > max {
                        end(&mut line, &mut lines);
                        used = 0;
                    }
                    line.push_str(grapheme);
                    used += wide;
                }
            }
        }
        end(&mut line, &mut lines);
    }
    lines
}

/// A span of time for people: `12s`, `3m 05s`, `2h 10m`, `5d`.
#[must_use]
pub fn span(span: Duration) -> String {
    let secs = span.as_secs();
    match secs {
        0..60 => format!("{secs}s"),
        60..3600 => format!("{}m {:02}s", secs / 60, secs % 60),
        3600..86_400 => format!("{}h {:02}m", secs / 3600, secs % 3600 / 60),
        _ => format!("{}d", secs / 86_400),
    }
}

/// A span of time in its largest unit only, for what is far away: `6 days`, `3 hours`.
#[must_use]
pub fn about(span: Duration) -> String {
    let secs = span.as_secs();
    let (count, unit) = match secs {
        0..60 => (secs, "second"),
        60..3600 => (secs / 60, "minute"),
        3600..172_800 => (secs / 3600, "hour"),
        _ => (secs / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// A span of time that is only an estimate, so short that it changes rarely: `8s`, `25s`, `4m`, `2h`.
#[must_use]
pub fn roughly(span: Duration) -> String {
    let (count, unit) = rough(span);
    format!("{count}{}", &unit[..1])
}

/// The same in words: `8 s`, `4 min`, `2 hours`.
#[must_use]
pub fn roughly_in_words(span: Duration) -> String {
    let (count, unit) = rough(span);
    let unit = match unit {
        "minute" => "min",
        "second" => "s",
        other if count == 1 => other,
        "hour" => "hours",
        _ => "days",
    };
    format!("{count} {unit}")
}

fn rough(span: Duration) -> (u64, &'static str) {
    let secs = span.as_secs_f64();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small, not negative")]
    let whole = |n: f64| n.round().max(1.0) as u64;
    match secs {
        s if s < 9.5 => (whole(s), "second"),
        s if s < 57.5 => (whole(s / 5.0) * 5, "second"),
        s if s < 3570.0 => (whole(s / 60.0), "minute"),
        s if s < 84_600.0 => (whole(s / 3600.0), "hour"),
        s => (whole(s / 86_400.0), "day"),
    }
}

/// A span of time in its largest unit only, for a narrow column: `12s`, `3m`, `2h`, `5d`.
#[must_use]
pub fn short_span(span: Duration) -> String {
    let secs = span.as_secs();
    match secs {
        0..60 => format!("{secs}s"),
        60..3600 => format!("{}m", secs / 60),
        3600..86_400 => format!("{}h", secs / 3600),
        _ => format!("{}d", secs / 86_400),
    }
}

/// A size in bytes, in decimal units: `1.4 MB`.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "one decimal place is shown")]
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes} B"),
        1000..1_000_000 => format!("{} kB", bytes / 1000),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// A number with its thousands apart: `12,345`.
#[must_use]
pub fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A moment for people: the time of the day, with the date where it is not today's. `offset` is in seconds east.
#[must_use]
pub fn clock(at: Wall, now: Wall, offset: i32) -> String {
    let local = |wall: Wall| {
        let offset = Offset::from_seconds(offset).unwrap_or(Offset::UTC);
        Timestamp::from_millisecond(wall.0).ok().map(|timestamp| offset.to_datetime(timestamp))
    };
    let (Some(then), Some(today)) = (local(at), local(now)) else { return "–".to_owned() };
    let format = match then.date() {
        date if date == today.date() => "%H:%M:%S",
        date if date.year() == today.year() => "%-d %b %H:%M",
        _ => "%-d %b %Y",
    };
    then.strftime(format).to_string()
}

/// A shape as a silhouette of two cells: true to the ratio where a cell is twice as high as wide.
#[must_use]
pub fn silhouette((width, height): (u32, u32)) -> String {
    const RISING: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const GROWING: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
    // Of eight parts, rounded, at least one.
    let parts = |small: u32, large: u32, of: u64| {
        let large = u64::from(large.max(1));
        usize::try_from((u64::from(small) * of + large / 2) / large).unwrap_or(1).max(1)
    };
    if width >= height {
        let glyph = RISING[parts(height, width, 8).min(8) - 1];
        return [glyph, glyph].iter().collect();
    }
    // Two cells across are sixteen parts.
    let wide = parts(width, height, 16).min(16);
    let second = if wide > 8 { GROWING[wide - 9] } else { ' ' };
    [GROWING[wide.min(8) - 1], second].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_never_exceeds_and_never_splits_a_grapheme() {
        let text = "a 狐 👨‍👩‍👧 größer e\u{301}";
        for max in 0..30 {
            for short in [cut(text, max), cut_middle(text, max)] {
                assert!(width(&short) <= max, "{short:?} in {max}");
            }
            assert!(wrap(text, max.max(2)).iter().all(|line| width(line) <= max.max(2)));
        }
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut_middle("/home/ann/pictures/fox.png", 14), "/hom…s/fox.png");
        assert_eq!(wrap("a red fox in snow", 9), ["a red fox", "in snow"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("no 'seed' here", 8), ["no", "'seed'", "here"]);
        assert_eq!(wrap("夜の、東京", 6), ["夜の、", "東京"]);
        assert_eq!(wrap("a\n\nb", 3), ["a", "", "b"]);
    }

    #[test]
    fn figures_are_short() {
        let secs = Duration::from_secs;
        assert_eq!(span(secs(12)), "12s");
        assert_eq!(span(secs(185)), "3m 05s");
        assert_eq!(span(secs(7800)), "2h 10m");
        assert_eq!(span(secs(5 * 86_400)), "5d");
        assert_eq!(about(secs(3600)), "1 hour");
        assert_eq!(about(secs(6 * 86_400)), "6 days");
        for (secs, short, words) in [
            (0.0, "1s", "1 s"),
            (9.4, "9s", "9 s"),
            (9.6, "10s", "10 s"),
            (57.0, "55s", "55 s"),
            (58.0, "1m", "1 min"),
            (3569.0, "59m", "59 min"),
            (3571.0, "1h", "1 hour"),
            (7200.0, "2h", "2 hours"),
            (90_000.0, "1d", "1 day"),
            (1e9, "11574d", "11574 days"),
        ] {
            let span = Duration::from_secs_f64(secs);
            assert_eq!((roughly(span).as_str(), roughly_in_words(span).as_str()), (short, words));
        }
        assert_eq!((short_span(secs(59)).as_str(), short_span(secs(3599)).as_str()), ("59s", "59m"));
        assert_eq!(size(1_440_000), "1.4 MB");
        assert_eq!(size(999), "999 B");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(number(12), "12");
    }

    #[test]
    fn times_are_local() {
        let at = Wall::from_secs(1_777_282_033);
        assert_eq!(clock(at, at, 0), "09:27:13");
        assert_eq!(clock(at, at, 7200), "11:27:13");
        assert_eq!(clock(at, Wall(at.0 + 86_400_000), 0), "27 Apr 09:27");
        assert_eq!(clock(Wall(i64::MAX), at, 0), "–");
    }

    #[test]
    fn shapes_look_like_their_ratio() {
        assert_eq!(silhouette((1, 1)), "██");
        assert_eq!(silhouette((2, 1)), "▄▄");
        assert_eq!(silhouette((16, 9)), "▅▅");
        assert_eq!(silhouette((1, 2)), "█ ");
        assert_eq!(silhouette((9, 16)), "█▏");
        for ratio in [(1, 1000), (1000, 1), (u32::MAX, 1), (1, u32::MAX), (u32::MAX, u32::MAX)] {
            assert_eq!(width(&silhouette(ratio)), 2);
        }
    }
}
