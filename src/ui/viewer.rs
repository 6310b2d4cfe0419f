//! A picture that fills the screen, with what is known of it beside it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::layout::viewer;
use crate::app::{Slot, State, Viewer};
use crate::domain::text::{lines as clean_lines, one_line};
use crate::domain::{Task, request};
use crate::graphics::{Gallery, Placed};

use super::draw::{frame, put_spans, span, spans_width};
use super::preview::{expiry, figures, put_picture, say_instead, which};
use super::theme::Theme;
use super::{bar, text};

/// Draws the screen.
pub fn draw(state: &State, open: &Viewer, gallery: &Gallery, theme: &Theme, buf: &mut Buffer) -> Option<Placed> {
    let places = viewer(state);
    let task = state.fleet.task(open.id)?;
    let placed = put_picture(state, gallery, places.picture, buf);
    if placed.is_none() {
        say_instead(state, task, places.picture, theme, buf);
    }
    if let Some(area) = places.info {
        info(state, task, area, theme, buf);
    }
    if state.notice.is_some() {
        bar::footer(state, theme, places.bar, buf);
    } else {
        strip(state, open, task, places.bar, theme, buf);
    }
    placed
}

/// The line at the bottom: which picture, how close, and the keys.
fn strip(state: &State, open: &Viewer, task: &Task, area: Rect, theme: &Theme, buf: &mut Buffer) {
    let mut left: Vec<Span<'_>> = vec![span(scale(state, open), theme.strong)];
    if let Some(which) = which(state) {
        left.push(span(format!("   {which}"), theme.text));
    }
    if state.preview.full {
        left.push(span("   full quality", theme.dim));
    }
    if state.show_line {
        left.push(span(format!("   {}", bar::line_words(state)), theme.dim));
    }
    let key = |key: &'static str, label: &'static str| [span(key, theme.key), span(format!(" {label}   "), theme.dim)];
    let mut right: Vec<Span<'_>> = Vec::new();
    for (name, label) in [("+ -", "zoom"), ("1", "100 %"), ("n p", "next, before"), ("i", "info"), ("esc", "back")] {
        right.extend(key(name, label));
    }
    right.extend([span("?", theme.key), span(" help", theme.dim)]);
    let room = usize::from(area.width.saturating_sub(2));
    while spans_width(&right) + spans_width(&left) + 6 > room && right.len() > 2 {
        right.drain(..2);
    }
    let wide = u16::try_from(spans_width(&right)).unwrap_or(0);
    let end = put_spans(buf, area.x + 1, area.y, area.width.saturating_sub(2), &left);
    let start = area.right().saturating_sub(wide + 1);
    if start > end + 2 {
        put_spans(buf, start, area.y, wide, &right);
        // What is left between both belongs to the prompt.
        let prompt = one_line(task.request.prompt.trim()).into_owned();
        let middle = start - end;
        if middle > 20 {
            let words = text::cut(&prompt, usize::from(middle - 6)).into_owned();
            put_spans(buf, end + 3, area.y, middle - 6, &[span(words, theme.dim)]);
        }
    }
}

/// How large it is seen: `100 %`, `whole`.
fn scale(state: &State, open: &Viewer) -> String {
    let room = state.room();
    let scale = match (open.view, &room) {
        (Some(view), _) => view.scale,
        (None, Some(room)) => room.fitting(),
        (None, None) => return "whole".to_owned(),
    };
    format!("{:.0} %", scale * 100.0)
}

/// What is known of the picture.
fn info(state: &State, task: &Task, area: Rect, theme: &Theme, buf: &mut Buffer) {
    let inner = frame(buf, area, theme, false, &[span("picture", theme.title)], &[]);
    let width = usize::from(inner.width.saturating_sub(2));
    let mut lines: Vec<Line<'_>> = Vec::new();
    let mut entry = |text: &str, style| {
        lines
            .extend(text::wrap(&clean_lines(text), width.max(4)).into_iter().map(|part| Line::from(span(part, style))));
    };
    if let Some(home) = state.output().and_then(|output| output.home()) {
        entry(&one_line(&figures(home)), theme.strong);
        if let Slot::Failed(why) = &state.preview.slot {
            entry(why, theme.warning);
        }
        entry(&one_line(&home.file), theme.text);
        entry(&format!("sha256 {}…", home.sha256.get(..16).unwrap_or(&home.sha256)), theme.dim);
    }
    if let Some(expires) = state.output().and_then(|output| output.expires) {
        entry(&format!("link {}", expiry(expires, state.fleet.at_service(state.now))), theme.dim);
    }
    entry("", theme.text);
    entry(&one_line(&task.request.full_model()), theme.text);
    let prompt = &task.request.prompt;
    for (name, value) in &task.request.input {
        let value = request::plain(value);
        if value != *prompt && !value.is_empty() {
            entry(&one_line(&format!("{} {value}", name.replace('_', " "))), theme.dim);
        }
    }
    if let Some(took) = task.took() {
        entry(&format!("took {}", text::span(took)), theme.dim);
    }
    entry("", theme.text);
    entry(prompt, theme.text);
    for (y, line) in (inner.y..inner.bottom()).zip(&lines) {
        put_spans(buf, inner.x + 1, y, inner.width.saturating_sub(2), &line.spans);
    }
}
