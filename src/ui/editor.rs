//! The prompt and what stands around it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Widget;

use crate::app::{Pane, Panes, State};
use crate::domain::text::one_line;

use super::draw::{frame, on_lower_edge, put, span};
use super::form;
use super::many;
use super::text;
use super::theme::Theme;

/// From this many characters before the limit on, the counter warns.
const NEAR: usize = 250;

/// Draws the editor. Returns where the terminal's cursor belongs, if it is here.
pub fn draw(state: &State, panes: &Panes, theme: &Theme, buf: &mut Buffer) -> Option<Position> {
    let open = state.dialog.is_none();
    let typing = open && state.pane == Pane::Editor;
    let focused = open && matches!(state.pane, Pane::Editor | Pane::Form);
    let title = if focused { theme.title_focus } else { theme.title };
    let counter = counter(state, theme);
    frame(buf, panes.editor_frame, theme, focused, &[span("prompt", title)], &counter);
    if let Some(fault) = state.editor.fault() {
        on_lower_edge(buf, panes.editor_frame, &one_line(&fault.to_string()), theme.error);
    } else {
        many::line(state, panes.editor_frame, theme, buf);
    }
    let cursor = prompt(state, panes.prompt, theme, buf);
    form::draw(state, panes.form, theme, buf);
    cursor.filter(|_| typing)
}

/// Characters typed, against the most the model takes.
fn counter<'a>(state: &State, theme: &Theme) -> Vec<ratatui::text::Span<'a>> {
    let length = state.editor.length();
    match state.editor.limit(&state.catalogue) {
        Some(limit) => {
            let style = match length {
                _ if length > limit => theme.error,
                _ if length + NEAR.min(limit / 10) > limit => theme.warning,
                0 => theme.dim,
                _ => theme.text,
            };
            vec![span(text::number(length as u64), style), span(format!("/{}", text::number(limit as u64)), theme.dim)]
        }
        None if length > 0 => vec![span(text::number(length as u64), theme.dim)],
        None => Vec::new(),
    }
}

fn prompt(state: &State, area: Rect, theme: &Theme, buf: &mut Buffer) -> Option<Position> {
    if area.is_empty() {
        return None;
    }
    let editor = state.editor.text();
    // Drawn even when it is empty: the text area learns its width from it.
    editor.render(area, buf);
    harmless(area, buf);
    many::mark_mistake(state, area, theme, buf);
    if state.editor.length() == 0 {
        let words = match state.editor.spec(&state.catalogue) {
            Some(spec) if spec.prompt().is_none() => "this model takes no prompt, only the fields below",
            _ => "describe the picture; ctrl-s sends it",
        };
        for (y, line) in (area.y..area.bottom()).zip(text::wrap(words, usize::from(area.width))) {
            put(buf, area.x, y, area.width, &line, theme.dim);
        }
        return Some(area.as_position());
    }
    let (cursor, (top, left)) = (editor.screen_cursor(), editor.scroll_offset());
    let at = |base: u16, cursor: usize, scrolled: u16, most: u16| {
        base + u16::try_from(cursor.saturating_sub(usize::from(scrolled))).unwrap_or(most).min(most)
    };
    // Behind the last character of a full line there is still a cell of air.
    Some(Position { x: at(area.x, cursor.col, left, area.width), y: at(area.y, cursor.row, top, area.height - 1) })
}

/// A draft may have come from a file: what the text area let through and could steer a terminal is replaced.
fn harmless(area: Rect, buf: &mut Buffer) {
    for position in area.positions() {
        if let Some(cell) = buf.cell_mut(position)
            && matches!(one_line(cell.symbol()), std::borrow::Cow::Owned(_))
        {
            cell.set_symbol("\u{fffd}");
        }
    }
}
