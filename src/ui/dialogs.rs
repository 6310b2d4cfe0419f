//! What lies over the panes: where it lies, and the two kinds of lists and the line for typing.

use std::collections::BTreeSet;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::app::editor::{choices, ratio};
use crate::app::layout::centred;
use crate::app::{Dialog, Panes, State, matching_models};
use crate::domain::text::one_line;
use crate::domain::{Field, ModelSpec, request};

use super::draw::{foreign, frame, on_lower_edge, put, put_spans, scrollbar, scrolled, span, spans_width};
use super::theme::Theme;
use super::{detail, group, help, kin, many, settle, setup, text};

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
        Dialog::Models { .. } => (most.min(124), lines(state.catalogue.models().len()).saturating_add(4)),
        Dialog::Choices { field, .. } => (need.min(most), lines(values(field).len()).saturating_add(3)),
        Dialog::Input { .. } => (most.min(70), 8),
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
        Dialog::Models { query, cursor } => models(state, query, *cursor, area, theme, buf),
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

fn models(state: &State, query: &str, cursor: usize, area: Rect, theme: &Theme, buf: &mut Buffer) -> Option<Position> {
    let rows = matching_models(query, &state.catalogue);
    let number = format!("{} of {}", rows.len(), state.catalogue.models().len());
    let inner = frame(buf, area, theme, true, &[span("model", theme.title_focus)], &[span(number, theme.dim)]);
    if inner.height < 3 {
        return None;
    }
    let typed = one_line(query);
    let room = inner.width.saturating_sub(5);
    let mut end = put_spans(buf, inner.x + 2, inner.y, 2, &[span("› ", theme.key)]);
    let cursor_at = if typed.is_empty() {
        put(buf, end, inner.y, room, "type to narrow the list", theme.dim);
        end
    } else {
        end = put(buf, end, inner.y, room, &typed, theme.strong);
        end
    };
    let body = Rect { y: inner.y + 2, height: inner.height - 2, ..inner };
    if rows.is_empty() {
        let words = Line::from(span("no model matches", theme.dim));
        put_spans(buf, body.x + 2, body.y, body.width.saturating_sub(3), &words.spans);
    }
    let name_width = rows.iter().map(|model| text::width(&model.name)).max().unwrap_or(0).min(36);
    let width = usize::from(inner.width);
    // Kind and price keep their room; a name may be cut.
    let name_width = name_width.min(width.saturating_sub(28).max(20));
    list(buf, body, theme, rows.len(), cursor, |index| {
        rows.get(index).map(|model| model_row(model, state, name_width, width, theme)).unwrap_or_default()
    });
    Some(Position { x: cursor_at.min(inner.right().saturating_sub(1)), y: inner.y })
}

/// What the model is called, what it makes, what it costs, as far as there is room for it.
fn model_row<'a>(model: &ModelSpec, state: &State, name_width: usize, width: usize, theme: &Theme) -> Vec<Span<'a>> {
    let now = model.name == state.editor.model();
    let style = match model {
        model if !model.is_current() => theme.dim,
        _ if now => theme.accent,
        _ => theme.text,
    };
    let column = |words: &str, width: usize, style| {
        let short = text::cut(&one_line(words), width).into_owned();
        let pad = " ".repeat(width.saturating_sub(text::width(&short)) + 2);
        span(short + &pad, style)
    };
    let mut spans = vec![span(if now { "✓ " } else { "  " }, theme.key), column(&model.name, name_width, style)];
    if width >= name_width + 84 {
        spans.push(column(&model.title, 28, theme.dim));
    }
    spans.push(column(&model.kind, 13, theme.dim));
    if !model.is_current() {
        spans.push(span("retired", theme.warning));
    } else if let Some(price) = &model.price
        && let Some(least) = price.values.values().copied().reduce(f64::min)
    {
        let several = price.values.len() > 1;
        if width < name_width + 60 {
            spans.push(span(format!("${least}{}", if several { "+" } else { "" }), theme.text));
        } else {
            let from = if several { "from " } else { "" };
            spans.push(span(format!("{from}${least}"), theme.text));
            spans.push(foreign(&format!(" per {}, seen {}", price.unit, price.date), theme.dim));
        }
    }
    spans
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
    typed: &str,
    fault: Option<&str>,
    area: Rect,
    theme: &Theme,
    buf: &mut Buffer,
) -> Option<Position> {
    let label = name.replace('_', " ");
    let inner = frame(buf, area, theme, true, &[foreign(&label, theme.title_focus)], &[]);
    let width = inner.width.saturating_sub(4);
    if inner.height == 0 || width < 4 {
        return None;
    }
    if let Some(fault) = fault {
        on_lower_edge(buf, area, &one_line(fault), theme.error);
    }
    let words = field_of(state, name).map(|field| one_line(&field.description).into_owned()).unwrap_or_default();
    let mut about = text::wrap(&words, usize::from(width));
    let room = usize::from(inner.height.saturating_sub(3));
    about.truncate(room);
    let mut y = inner.y;
    for line in about {
        put(buf, inner.x + 2, y, width, &line, theme.dim);
        y += 1;
    }
    y = (y + 1).min(inner.bottom() - 1);
    Some(typing(typed, Rect { x: inner.x + 2, y, width, height: 1 }, theme, buf))
}

/// A line that is being typed. Returns where the cursor belongs.
pub(super) fn typing(typed: &str, area: Rect, theme: &Theme, buf: &mut Buffer) -> Position {
    let start = put_spans(buf, area.x, area.y, area.width, &[span("› ", theme.key)]);
    // The end of what is typed stays in sight.
    let room = usize::from(area.width.saturating_sub(3));
    let clean = one_line(typed);
    let mut shown = clean.as_ref();
    while text::width(shown) > room {
        let mut chars = shown.chars();
        chars.next();
        shown = chars.as_str();
    }
    let spans = [span(shown, theme.strong)];
    put_spans(buf, start, area.y, area.width, &spans);
    let x = start + u16::try_from(spans_width(&spans)).unwrap_or(0);
    Position { x: x.min(area.right().saturating_add(1)), y: area.y }
}
