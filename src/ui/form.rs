//! The form under the prompt.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::app::editor::Chip;
use crate::app::{Editor, Pane, State};
use crate::domain::text::one_line;

use super::draw::{put, put_spans, span};
use super::text;
use super::theme::Theme;

/// Draws the form.
pub fn draw(state: &State, area: Rect, theme: &Theme, buf: &mut Buffer) {
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
