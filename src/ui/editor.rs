//! The prompt and the form under it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use ratatui::widgets::Widget;

use crate::app::editor::Chip;
use crate::app::{Editor, Pane, Panes, State};
use crate::domain::text::one_line;

use super::draw::{frame, on_lower_edge, put, put_spans, span};
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
    }
    let cursor = prompt(state, panes.prompt, theme, buf);
    form(state, panes.form, theme, buf);
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

fn form(state: &State, area: Rect, theme: &Theme, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let focused = state.dialog.is_none() && state.pane == Pane::Form;
    let chips = state.editor.chips(&state.catalogue);
    let rows = Editor::form_rows(&chips, area.width);
    let chosen = state.editor.chip().min(chips.len().saturating_sub(1));
    let height = usize::from(area.height);
    let chosen_row = rows.iter().position(|row| row.contains(&chosen)).unwrap_or(0);
    let anchor = if focused || state.editor.fault().is_some() { chosen_row } else { 0 };
    let first = (anchor + 1).saturating_sub(height).min(rows.len().saturating_sub(height));
    for (y, row) in (area.y..area.bottom()).zip(rows.iter().skip(first)) {
        let mut x = area.x;
        for index in row {
            let Some(chip) = chips.get(*index) else { continue };
            let room = area.right().saturating_sub(x);
            x = draw_chip(chip, focused && *index == chosen, Rect { x, y, width: room, height: 1 }, theme, buf) + 1;
        }
    }
    let hidden = rows.len().saturating_sub(first + height);
    if hidden > 0 && area.width > 12 {
        put(buf, area.right() - 2, area.bottom() - 1, 1, "…", theme.dim);
    }
}

/// Draws one chip. Returns the column after it.
fn draw_chip(chip: &Chip, chosen: bool, area: Rect, theme: &Theme, buf: &mut Buffer) -> u16 {
    let (label, value) = match chip {
        Chip { fault: true, .. } => (theme.error, theme.error),
        Chip { missing: true, .. } => (theme.warning, theme.warning.add_modifier(Modifier::UNDERLINED)),
        Chip { set: true, .. } => (theme.dim, theme.strong),
        _ if chosen => (theme.dim, theme.text),
        _ => (theme.dim, theme.dim),
    };
    let mut spans = vec![span(" ", theme.text), span(one_line(&chip.label), label), span(" ", theme.text)];
    if let Some(ratio) = chip.shape {
        spans.push(span(text::silhouette(ratio), if chip.set { theme.key } else { theme.shape }));
        spans.push(span(" ", theme.text));
    }
    spans.push(span(chip.value.as_str(), value));
    spans.push(span(" ", theme.text));
    let end = put_spans(buf, area.x, area.y, area.width, &spans);
    if chosen {
        theme.mark(Rect { width: end - area.x, ..area }, true, buf);
    }
    end
}
