//! What lies over the panes: where it lies, and the two kinds of lists and the line for typing.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Span;

use crate::app::editor::{choices, limits, ratio};
use crate::app::layout::{centred, long_text};
use crate::app::{Dialog, Line, Panes, State};
use crate::domain::text::one_line;
use crate::domain::{Field, request};

use super::draw::{foreign, frame, on_lower_edge, put, put_spans, scrollbar, scrolled, span};
use super::theme::Theme;
use super::{detail, group, help, kin, line, listing, many, models, pane, settle, setup, shelf, text};

/// Pages and long lists keep clear of the preview where the panes beside it are at least this wide.
const ENOUGH: u16 = 60;

/// Where this dialog is, and within what: beside the picture if there is room, else over everything but the bars.
pub fn area(state: &State, dialog: &Dialog, panes: &Panes) -> (Rect, Rect) {
    let left = panes.table_frame.union(panes.editor_frame);
    let whole = panes.preview_frame.map_or(left, |preview| left.union(preview));
    let lines = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    let values = |field: &str| field_of(state, field).map(choices).unwrap_or_default();
    let need = match dialog {
        Dialog::Choices { field, .. } => {
            let longest = values(field).iter().map(|value| text::width(&request::plain(value))).max().unwrap_or(0);
            lines(longest + 34)
        }
        Dialog::Input { .. } | Dialog::Number { .. } => 42,
        _ => ENOUGH,
    };
    let within = if left.width >= need { left } else { whole };
    let most = within.width.saturating_sub(2);
    // Only the breaks of the lines count here, not their looks.
    let theme = || Theme::new(super::ColourDepth::None, None);
    let (width, height) = match dialog {
        Dialog::Detail { .. } | Dialog::Batch { .. } | Dialog::Viewer(_) => return (within, within),
        Dialog::Help { place, .. } => {
            let width = most.min(76);
            (width, lines(help::lines(*place, width.saturating_sub(4), &theme()).len()).saturating_add(2))
        }
        Dialog::Models { .. } => (most.min(124), lines(state.catalogue.models().len() + 8)),
        Dialog::Choices { field, .. } => (need.min(most), lines(values(field).len()).saturating_add(3)),
        Dialog::Input { .. } => (most.min(70), 9),
        Dialog::Text { .. } => return (long_text(panes), whole),
        Dialog::List(listing) => (most.min(100), lines(listing::height(state, listing))),
        Dialog::Number { .. } => (most.min(62), 7),
        Dialog::Expansions { rows, .. } => {
            let width = most.min(110);
            (width, many::expansions_height(rows))
        }
        Dialog::Confirm { .. } => {
            let width = most.min(84);
            (width, many::question_height(state, width))
        }
        Dialog::Kin(dialog) => kin::size(state, dialog, most, &theme()),
        Dialog::Shelf(_) => shelf::size(most),
        Dialog::Settle(settling) => {
            let width = most.min(96);
            (width, settle::height(state, settling, width, &theme()))
        }
        Dialog::AskBatch(ask) => {
            let width = most.min(70);
            (width, group::ask_height(state, ask, width.saturating_sub(6)))
        }
        Dialog::Setup(setup) => {
            let width = most.min(74);
            (width, lines(setup::lines(setup, width.saturating_sub(6), &theme()).0.len()).saturating_add(4))
        }
    };
    (centred(within, width, height), within)
}

/// Draws the dialog. Returns where the cursor belongs, and how far a page of text can be scrolled.
pub fn draw(
    state: &State,
    dialog: &Dialog,
    area: Rect,
    theme: &Theme,
    buf: &mut Buffer,
) -> (Option<Position>, Option<u16>) {
    let width = area.width.saturating_sub(4);
    let cursor = match dialog {
        Dialog::Detail { id, scroll } => {
            let lines = state.fleet.task(*id).map(|task| detail::lines(state, task, width, theme)).unwrap_or_default();
            let title = [span("task ", theme.title_focus), span(id.short(), theme.title_focus)];
            return (None, Some(scrolled(buf, area, theme, &title, &lines, *scroll)));
        }
        Dialog::Batch { name, scroll } => {
            let lines = group::page(state, name, width, theme);
            let title = [span("batch ", theme.title_focus), foreign(name, theme.title_focus)];
            return (None, Some(scrolled(buf, area, theme, &title, &lines, *scroll)));
        }
        Dialog::AskBatch(ask) => {
            group::ask(state, ask, area, theme, buf);
            None
        }
        // It is drawn without the panes.
        Dialog::Viewer(_) => None,
        Dialog::Help { place, scroll } => {
            let title = [span(help::title(*place), theme.title_focus)];
            return (None, Some(scrolled(buf, area, theme, &title, &help::lines(*place, width, theme), *scroll)));
        }
        Dialog::Models { query, cursor } => models::draw(state, query, *cursor, area, theme, buf),
        Dialog::Choices { field, cursor, ticked } => {
            values(state, field, *cursor, ticked, area, theme, buf);
            None
        }
        Dialog::Number { what, text, fault } => many::number(*what, text, fault.as_deref(), area, theme, buf),
        Dialog::Expansions { rows, cursor } => {
            many::expansions(state, rows, *cursor, area, theme, buf);
            None
        }
        Dialog::Confirm { fault } => many::question(state, fault.as_deref(), area, theme, buf),
        Dialog::Input { field, text, fault } => input(state, field, text, fault.as_deref(), area, theme, buf),
        Dialog::Shelf(shelf) => shelf::draw(shelf, area, theme, buf),
        Dialog::Text { field, pane } => pane::draw(state, field, pane, area, theme, buf),
        Dialog::List(listing) => listing::draw(state, listing, area, theme, buf),
        Dialog::Kin(dialog) => return kin::draw(state, dialog, area, theme, buf),
        Dialog::Settle(settling) => {
            settle::draw(state, settling, area, theme, buf);
            None
        }
        Dialog::Setup(setup) => setup::draw(setup, area, theme, buf),
    };
    (cursor, None)
}

fn field_of<'a>(state: &'a State, name: &str) -> Option<&'a Field> {
    state.editor.spec(&state.catalogue).and_then(|spec| spec.field(name))
}

/// Draws the rows of a list around the chosen one, which `row` makes.
pub(super) fn list<'a>(
    buf: &mut Buffer,
    area: Rect,
    theme: &Theme,
    count: usize,
    cursor: usize,
    row: impl Fn(usize) -> Vec<Span<'a>>,
) {
    let height = usize::from(area.height);
    let cursor = cursor.min(count.saturating_sub(1));
    let first = cursor.saturating_sub(height / 2).min(count.saturating_sub(height));
    for (y, index) in (area.y..area.bottom()).zip(first..count) {
        put_spans(buf, area.x + 2, y, area.width.saturating_sub(3), &row(index));
        if index == cursor {
            theme.mark(Rect { y, height: 1, ..area }, true, buf);
            put(buf, area.x, y, 1, "▌", theme.key.patch(theme.cursor));
        }
    }
    let track = Rect { x: area.right(), width: 1, ..area };
    scrollbar(buf, track, first, count, theme.frame_focus);
}

fn values(
    state: &State,
    name: &str,
    cursor: usize,
    ticked: &BTreeSet<usize>,
    area: Rect,
    theme: &Theme,
    buf: &mut Buffer,
) {
    let field = field_of(state, name);
    let label = name.replace('_', " ");
    let inner = frame(buf, area, theme, true, &[foreign(&label, theme.title_focus)], &[]);
    let values = field.map(choices).unwrap_or_default();
    let default = field.and_then(|field| field.default.as_ref()).map(request::plain);
    let shaped = values.iter().any(|value| ratio(&request::plain(value)).is_some());
    list(buf, inner, theme, values.len() + 1, cursor, |index| {
        let value = index.checked_sub(1).and_then(|index| values.get(index));
        let now = index.checked_sub(1).map_or(ticked.is_empty(), |index| ticked.contains(&index));
        let mark = span(if now { "✓ " } else { "  " }, theme.key);
        let Some(value) = value else {
            let words = default.as_ref().map(|value| format!(" ({value})")).unwrap_or_default();
            return vec![mark, foreign(&format!("leave it to the service{words}"), theme.dim)];
        };
        let plain = request::plain(value);
        let drawing = match ratio(&plain) {
            Some(ratio) => format!("{}  ", text::silhouette(ratio)),
            None if shaped => "    ".to_owned(),
            None => String::new(),
        };
        vec![mark, span(drawing, theme.shape), foreign(&plain, theme.text)]
    });
}

fn input(
    state: &State,
    name: &str,
    typed: &Line,
    fault: Option<&str>,
    area: Rect,
    theme: &Theme,
    buf: &mut Buffer,
) -> Option<Position> {
    let label = name.replace('_', " ");
    let field = field_of(state, name);
    let inner = frame(buf, area, theme, true, &[foreign(&label, theme.title_focus)], &[]);
    let width = inner.width.saturating_sub(4);
    if inner.height == 0 || width < 4 {
        return None;
    }
    if let Some(fault) = fault {
        on_lower_edge(buf, area, &one_line(fault), theme.error);
    }
    let room = inner.height.saturating_sub(3);
    let mut y = about(field, Rect { x: inner.x + 2, width, height: room, ..inner }, theme, buf);
    y = (y + 1).min(inner.bottom() - 1);
    let hint = if_empty(field);
    let at = line::draw(buf, Position { x: inner.x + 2, y }, width, typed, hint, theme);
    Some(Position { x: at.x.min(inner.right().saturating_sub(1)), y })
}

/// What a field is for and what it allows, in the lines there are. Returns the line below.
pub(super) fn about(field: Option<&Field>, area: Rect, theme: &Theme, buf: &mut Buffer) -> u16 {
    let Some(field) = field else { return area.y };
    let parts = [field.description.clone(), limits(field)];
    let words = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
    let lines = text::wrap(&one_line(&words), usize::from(area.width));
    let mut y = area.y;
    for line in lines.iter().take(usize::from(area.height)) {
        put(buf, area.x, y, area.width, line, theme.dim);
        y += 1;
    }
    y
}

/// What it means to leave a field empty.
pub(super) fn if_empty(field: Option<&Field>) -> &'static str {
    match field {
        Some(field) if field.required && field.default.is_none() => "the service asks for something here",
        _ => "nothing: the service decides",
    }
}
