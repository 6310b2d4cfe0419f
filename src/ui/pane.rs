//! A long text of a field, in an editor of its own.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::State;
use crate::app::editor::TextPane;
use crate::app::layout::long_text_body;
use crate::domain::text::one_line;

use super::dialogs::{about, if_empty};
use super::draw::{foreign, frame, on_lower_edge, put, span};
use super::editor::{count, written};
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
    let counter = count(pane.text().chars(), field.and_then(|field| field.max_length), theme);
    let inner = frame(buf, area, theme, true, &[foreign(&label, theme.title_focus)], &counter);
    if let Some(fault) = state.editor.broken(&state.catalogue).filter(|fault| fault.field.as_deref() == Some(name)) {
        on_lower_edge(buf, area, &one_line(&fault.to_string()), theme.warning);
    }
    let body = long_text_body(area);
    if body.is_empty() {
        return None;
    }
    if body.y > inner.y {
        about(field, Rect { height: 1, ..Rect { y: inner.y, ..body } }, theme, buf);
        for x in body.x..body.right() {
            buf.set_span(x, inner.y + 1, &span("─", theme.frame), 1);
        }
    }
    if pane.text().is_empty() {
        put(buf, body.x, body.y, body.width, if_empty(field), theme.dim);
        return Some(body.as_position());
    }
    let cursor = if pane.text().fits(body.width, body.height) {
        written(pane.text(), body, theme, buf)
    } else {
        let mut fresh = pane.clone();
        fresh.lay(body);
        written(fresh.text(), body, theme, buf)
    };
    Some(cursor)
}
