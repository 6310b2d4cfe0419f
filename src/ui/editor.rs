//! The prompt and what stands around it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::text::glyphs;
use crate::app::{Pane, Panes, State, Text};

use super::draw::{frame, put, span};
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
    let name = if state.editor.is_raw() { "input as JSON" } else { "prompt" };
    let origin = state.editor.origin().map(|kin| format!("   {kin}")).unwrap_or_default();
    frame(buf, panes.editor_frame, theme, focused, &[span(name, title), span(origin, theme.dim)], &counter);
    if !form::edge(state, panes.editor_frame, theme, buf) {
        many::edge(state, panes.editor_frame, theme, buf);
    }
    let cursor = prompt(state, panes.prompt, theme, buf);
    form::draw(state, panes.form, theme, buf);
    cursor.filter(|_| typing)
}

/// Characters typed, against the most the model takes.
fn counter<'a>(state: &State, theme: &Theme) -> Vec<ratatui::text::Span<'a>> {
    count(state.editor.length(), state.editor.limit(&state.catalogue), theme)
}

/// Characters of a text, against the most that are allowed.
pub(super) fn count<'a>(length: usize, limit: Option<usize>, theme: &Theme) -> Vec<ratatui::text::Span<'a>> {
    match limit {
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
    let laid;
    let editor = match state.editor.text() {
        ready if ready.fits(area.width, area.height) => ready,
        other => {
            let mut fresh = other.clone();
            fresh.lay(area.width, area.height);
            laid = fresh;
            &laid
        }
    };
    if editor.is_empty() {
        let words = match state.editor.spec(&state.catalogue) {
            _ if state.editor.is_raw() => "the input as a JSON object: { … }; ctrl-s sends it",
            Some(spec) if spec.prompt().is_none() => "this model takes no prompt, only the fields below",
            _ => "describe the picture; ctrl-s sends it",
        };
        for (y, line) in (area.y..area.bottom()).zip(text::wrap(words, usize::from(area.width))) {
            put(buf, area.x, y, area.width, &line, theme.dim);
        }
        return Some(area.as_position());
    }
    let cursor = written(editor, area, theme, buf);
    many::mark_mistake(state, editor, area, theme, buf);
    Some(cursor)
}

/// Draws a text that is being written and laid out for this area. Returns where the cursor belongs: behind the last
/// character of a full row there is still a cell of air.
pub fn written(text: &Text, area: Rect, theme: &Theme, buf: &mut Buffer) -> Position {
    let selected = text.selection();
    for (y, row) in (area.y..area.bottom()).zip(text.visible()) {
        let mut x = area.x;
        for (at, glyph, cells) in glyphs(&text.as_str()[row.clone()]) {
            let wide = u16::try_from(cells).unwrap_or(u16::MAX);
            // A blank may hang over the edge.
            if x.saturating_add(wide) > area.right() {
                break;
            }
            let chosen = selected.as_ref().is_some_and(|range| range.contains(&(row.start + at)));
            let style = if chosen { theme.text.patch(theme.cursor) } else { theme.text };
            buf.set_stringn(x, y, glyph, cells, style);
            x += wide;
        }
        // The end of a line that is selected along shows as a cell.
        let hard = text.as_str().as_bytes().get(row.end) == Some(&b'\n');
        if hard && x < area.right() && selected.as_ref().is_some_and(|range| range.contains(&row.end)) {
            buf.set_stringn(x, y, " ", 1, theme.text.patch(theme.cursor));
        }
    }
    let (column, row) = text.cursor_cell();
    let at = |base: u16, offset: usize, most: u16| base + u16::try_from(offset).unwrap_or(most).min(most);
    Position { x: at(area.x, column, area.width), y: at(area.y, row, area.height.saturating_sub(1)) }
}
