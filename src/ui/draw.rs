//! The few strokes everything is drawn with: text at a place, frames, spans that know their width.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget};

use super::text::{cut, width};
use super::theme::Theme;
use crate::domain::text::one_line;

/// A piece of our own text.
pub fn span<'a>(text: impl Into<Cow<'a, str>>, style: Style) -> Span<'a> {
    Span::styled(text, style)
}

/// A piece of text from outside: made harmless.
pub fn foreign<'a>(text: &str, style: Style) -> Span<'a> {
    Span::styled(one_line(text).into_owned(), style)
}

/// Cells of all spans together.
pub fn spans_width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| width(&span.content)).sum()
}

/// Writes text at a place, cut to `max` cells. Returns the column after it.
pub fn put(buf: &mut Buffer, x: u16, y: u16, max: u16, text: &str, style: Style) -> u16 {
    let inside = y < buf.area.bottom() && x < buf.area.right() && max > 0;
    if !inside {
        return x;
    }
    let end = buf.set_stringn(x, y, cut(text, usize::from(max)), usize::from(max), style).0;
    for at in x..end {
        if let Some(cell) = buf.cell_mut((at, y)) {
            // What was there before, such as a faint frame, leaves nothing behind.
            cell.modifier = style.add_modifier;
        }
    }
    end
}

/// Writes spans one after the other, the last one that does not fit is cut. Returns the column after them.
pub fn put_spans(buf: &mut Buffer, x: u16, y: u16, max: u16, spans: &[Span<'_>]) -> u16 {
    let end = x.saturating_add(max);
    spans.iter().fold(x, |at, span| put(buf, at, y, end.saturating_sub(at), &span.content, span.style))
}

/// A frame with a title on the left and, where there is room for it, one on the right. Returns its inside.
pub fn frame(
    buf: &mut Buffer,
    area: Rect,
    theme: &Theme,
    focused: bool,
    title: &[Span<'_>],
    right: &[Span<'_>],
) -> Rect {
    let style = if focused { theme.frame_focus } else { theme.frame };
    let block = Block::bordered().border_type(BorderType::Rounded).border_style(style);
    let inner = block.inner(area);
    block.render(area, buf);
    if area.height == 0 || area.width < 8 {
        return inner;
    }
    let room = area.width - 4;
    let right_width = u16::try_from(spans_width(right)).unwrap_or(u16::MAX).saturating_add(2);
    let shown = !right.is_empty() && right_width + 8 <= room;
    let left_room = if shown { room - right_width - 1 } else { room };
    if !title.is_empty() {
        let end = put_spans(buf, area.x + 3, area.y, left_room.saturating_sub(2), title);
        put(buf, area.x + 2, area.y, 1, " ", style);
        put(buf, end, area.y, 1, " ", style);
    }
    if shown {
        let x = area.right() - 2 - right_width;
        put(buf, x, area.y, 1, " ", style);
        let end = put_spans(buf, x + 1, area.y, right_width - 2, right);
        put(buf, end, area.y, 1, " ", style);
    }
    inner
}

/// Words on the lower edge of a frame.
pub fn on_lower_edge(buf: &mut Buffer, area: Rect, text: &str, style: Style) {
    if area.height < 2 || area.width < 8 {
        return;
    }
    let (y, room) = (area.bottom() - 1, area.width - 6);
    put(buf, area.x + 2, y, 1, " ", style);
    let end = put(buf, area.x + 3, y, room, text, style);
    put(buf, end, y, 1, " ", style);
}

/// An empty place for a dialog, with a column of air on both sides where `within` has room for it.
pub fn clear(buf: &mut Buffer, area: Rect, within: Rect) {
    let airy = Rect { x: area.x.saturating_sub(1), width: area.width.saturating_add(2), ..area };
    Clear.render(airy.intersection(within).intersection(buf.area), buf);
}

/// The frame of a page of text that may be longer than its window, and the text. Returns how
/// far it can be scrolled.
pub fn scrolled(
    buf: &mut Buffer,
    area: Rect,
    theme: &Theme,
    title: &[Span<'_>],
    lines: &[Line<'_>],
    scroll: u16,
) -> u16 {
    let height = usize::from(area.height.saturating_sub(2));
    let first = usize::from(scroll).min(lines.len().saturating_sub(height));
    let more = lines.len() > height;
    let mark = format!("{}–{} of {}", first + 1, (first + height).min(lines.len()), lines.len());
    let right = if more { vec![span(mark, theme.dim)] } else { Vec::new() };
    let inner = frame(buf, area, theme, true, title, &right);
    for (y, line) in (inner.y..inner.bottom()).zip(lines.iter().skip(first)) {
        put_spans(buf, inner.x + 1, y, inner.width.saturating_sub(2), &line.spans);
    }
    let track = Rect { x: inner.right(), width: 1, ..inner };
    scrollbar(buf, track, first, lines.len(), theme.frame_focus);
    u16::try_from(lines.len().saturating_sub(height)).unwrap_or(u16::MAX)
}

/// A thin mark on the right edge of `track` that shows which part of a longer text is in the window.
pub fn scrollbar(buf: &mut Buffer, track: Rect, first: usize, total: usize, style: Style) {
    let height = usize::from(track.height);
    if height == 0 || total <= height {
        return;
    }
    let thumb = (height * height / total).clamp(1, height);
    let furthest = total - height;
    let top = (first.min(furthest) * (height - thumb) + furthest / 2) / furthest;
    for row in top..top + thumb {
        put(buf, track.x, track.y + u16::try_from(row).unwrap_or(0), 1, "┃", style);
    }
}

/// Lines of words in the middle of an area.
pub fn centred(buf: &mut Buffer, area: Rect, lines: &[Line<'_>]) {
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let top = area.y + area.height.saturating_sub(height) / 2;
    for (y, line) in (top..area.bottom()).zip(lines) {
        let wide = u16::try_from(spans_width(&line.spans)).unwrap_or(u16::MAX).min(area.width);
        put_spans(buf, area.x + (area.width - wide) / 2, y, wide, &line.spans);
    }
}
