//! A long text of a field, in an editor of its own.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Widget;

use crate::app::State;
use crate::app::editor::TextPane;
use crate::domain::Field;
use crate::domain::text::one_line;

use super::dialogs::{about, if_empty};
use super::draw::{foreign, frame, on_lower_edge, span};
use super::editor::{count, harmless};
use super::theme::Theme;

/// Draws the dialog. Returns where the cursor belongs.
pub fn draw(
    state: &State,
    name: &str,
    pane: &TextPane,
    area: Rect,
    theme: &Theme,
    buf: &mut Buffer,
) -> Option<Position> {
    let field = state.editor.spec(&state.catalogue).and_then(|spec| spec.field(name));
    let label = name.replace('_', " ");
    let counter = count(pane.length(), field.and_then(|field| field.max_length), theme);
    let inner = frame(buf, area, theme, true, &[foreign(&label, theme.title_focus)], &counter);
    if let Some(fault) = state.editor.broken(&state.catalogue).filter(|fault| fault.field.as_deref() == Some(name)) {
        on_lower_edge(buf, area, &one_line(&fault.to_string()), theme.warning);
    }
    let words = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), height: inner.height.min(2), ..inner };
    let top = if inner.height >= 6 { about_line(field, words, theme, buf) } else { inner.y };
    let height = inner.bottom().saturating_sub(top);
    let body = Rect { x: inner.x + 1, y: top, width: inner.width.saturating_sub(2), height };
    if body.is_empty() {
        return None;
    }
    pane.widget().render(body, buf);
    harmless(body, buf);
    if pane.length() == 0 {
        super::draw::put(buf, body.x, body.y, body.width, if_empty(field), theme.dim);
    }
    let (cursor, (first, left)) = (pane.widget().screen_cursor(), pane.widget().scroll_offset());
    let at = |base: u16, cursor: usize, scrolled: u16, most: u16| {
        base + u16::try_from(cursor.saturating_sub(usize::from(scrolled))).unwrap_or(most).min(most)
    };
    Some(Position { x: at(body.x, cursor.col, left, body.width), y: at(body.y, cursor.row, first, body.height - 1) })
}

/// What the field is for, and a line of air. Returns the line below.
fn about_line(field: Option<&Field>, area: Rect, theme: &Theme, buf: &mut Buffer) -> u16 {
    let end = about(field, area, theme, buf);
    for x in area.x..area.right() {
        buf.set_span(x, end, &span("─", theme.frame), 1);
    }
    end + 1
}
