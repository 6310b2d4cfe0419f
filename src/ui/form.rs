//! The form under the prompt.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::app::editor::{Chip, limits};
use crate::app::{Editor, Pane, State};
use crate::domain::Invalid;
use crate::domain::text::one_line;

use super::draw::{on_lower_edge, put_spans, scrollbar, span};
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
    // What is wrong is in sight, also while the text is typed.
    let wrong = chips.iter().position(|chip| chip.fault).and_then(|at| rows.iter().position(|row| row.contains(&at)));
    let anchor = if focused || state.editor.fault().is_some() { chosen_row } else { wrong.unwrap_or(0) };
    let first = (anchor + 1).saturating_sub(height).min(rows.len().saturating_sub(height));
    for (y, row) in (area.y..area.bottom()).zip(rows.iter().skip(first)) {
        let mut x = area.x;
        for index in row {
            let Some(chip) = chips.get(*index) else { continue };
            let room = area.right().saturating_sub(x);
            x = draw_chip(chip, focused && *index == chosen, Rect { x, y, width: room, height: 1 }, theme, buf) + 1;
        }
    }
    let track = Rect { x: area.right(), width: 1, ..area };
    scrollbar(buf, track, first, rows.len(), if focused { theme.frame_focus } else { theme.dim });
}

/// What is to be known now, on the lower edge of the editor: why nothing was sent, which rule is broken, why the JSON
/// cannot be read, or what the chosen field is for.
pub fn edge(state: &State, frame: Rect, theme: &Theme, buf: &mut Buffer) -> bool {
    let editor = &state.editor;
    let say = |words: &str, style, buf: &mut Buffer| {
        on_lower_edge(buf, frame, &one_line(words), style);
        true
    };
    if let Some(fault) = editor.raw_fault() {
        let fault = Invalid { field: None, fault: fault.clone() };
        return say(&fault.to_string(), theme.error, buf);
    }
    if let Some(fault) = editor.fault() {
        return say(&fault.to_string(), theme.error, buf);
    }
    if let Some(fault) = editor.broken(&state.catalogue) {
        return say(&fault.to_string(), theme.warning, buf);
    }
    // Where there will be several tasks, their number says more than what a field is for.
    if state.dialog.is_some() || state.pane != Pane::Form || !editor.many().is_one() {
        return false;
    }
    let words = match (editor.field(&state.catalogue), editor.spec(&state.catalogue)) {
        (Some(field), _) => {
            let parts = [field.description.clone(), limits(field)];
            let required = field.required && field.default.is_none();
            let parts = parts.into_iter().chain(required.then(|| "required".to_owned()));
            parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
        }
        (None, Some(spec)) => spec.description.clone(),
        (None, None) => "not in the catalogue: nothing is known of its fields".to_owned(),
    };
    say(&words, theme.dim, buf)
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
    let mut spans = vec![span(" ", theme.text), span(one_line(&chip.label), label)];
    if chip.missing {
        // Told apart without colours, too.
        spans.push(span("*", theme.warning));
    }
    spans.push(span(" ", theme.text));
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
