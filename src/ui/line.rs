//! A line that somebody types, as much of it as there is room for around the cursor.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use unicode_segmentation::UnicodeSegmentation;

use crate::app::Line;
use crate::domain::text::one_line;

use super::draw::{put, put_spans, span};
use super::text;
use super::theme::Theme;

/// Draws a prompt sign and the line behind it, in `width` cells, or what it is for while nothing is typed. Returns
/// where the cursor belongs.
pub fn draw(buf: &mut Buffer, at: Position, width: u16, line: &Line, hint: &str, theme: &Theme) -> Position {
    let Position { x, y } = at;
    let start = put_spans(buf, x, y, width, &[span("› ", theme.key)]);
    // Behind the last letter there is a cell for the cursor.
    let room = usize::from((x + width).saturating_sub(start + 1));
    if line.text().is_empty() {
        put(buf, start, y, (x + width).saturating_sub(start), hint, theme.dim);
        return Position { x: start, y };
    }
    let (clean, before) = (one_line(line.text()), one_line(line.before()));
    let first = hidden(&before, room);
    let shown = clean.get(first..).unwrap_or_default();
    put(buf, start, y, (x + width).saturating_sub(start), shown, theme.strong);
    let column = text::width(before.get(first..).unwrap_or_default());
    Position { x: start + u16::try_from(column.min(room)).unwrap_or(0), y }
}

/// Bytes that have to go at the front so that the rest fits.
fn hidden(before: &str, room: usize) -> usize {
    let mut over = text::width(before).saturating_sub(room);
    let mut first = 0;
    for grapheme in before.graphemes(true) {
        if over == 0 {
            break;
        }
        over = over.saturating_sub(text::width(grapheme));
        first += grapheme.len();
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::ColourDepth;
    use ratatui::layout::Rect;

    #[test]
    fn the_cursor_is_always_in_sight() {
        let theme = Theme::new(ColourDepth::None, None);
        for (text, width) in [("short", 20), ("a long line 長い長い長い👩‍🚀 and on and on", 12), ("", 5), ("abc", 2)]
        {
            let mut buf = Buffer::empty(Rect::new(0, 0, 30, 1));
            let cursor = draw(&mut buf, Position { x: 1, y: 0 }, width, &Line::new(text), "hint", &theme);
            assert!(cursor.x >= 1 && cursor.x <= 1 + width, "{cursor:?} for {text:?} in {width}");
        }
    }
}
