//! The list of models to choose from.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Span;

use crate::app::models::Found;
use crate::app::{Line, State, find_models, unknown_name};
use crate::domain::text::one_line;
use crate::domain::{Catalogue, ModelSpec};

use super::dialogs::list;
use super::draw::{foreign, frame, put, span};
use super::theme::Theme;
use super::{line, text};

/// Draws the list. Returns where the cursor belongs.
pub fn draw(
    state: &State,
    query: &Line,
    cursor: usize,
    area: Rect,
    theme: &Theme,
    buf: &mut Buffer,
) -> Option<Position> {
    let rows = find_models(query.text(), &state.catalogue);
    let unknown = unknown_name(query.text(), &state.catalogue);
    let all = state.catalogue.models().len() + state.catalogue.routes().count();
    let number = format!("{} of {all}", rows.len());
    let inner = frame(buf, area, theme, true, &[span("model", theme.title_focus)], &[span(number, theme.dim)]);
    if inner.height < 3 {
        return None;
    }
    let at = Position { x: inner.x + 2, y: inner.y };
    let hint = "letters of its name, in their order; or any name";
    let at = line::draw(buf, at, inner.width.saturating_sub(4), query, hint, theme);
    let body = Rect { y: inner.y + 2, height: inner.height - 2, ..inner };
    if rows.is_empty() && unknown.is_none() {
        put(buf, body.x + 2, body.y, body.width.saturating_sub(3), "no model matches", theme.dim);
    }
    let name_width = rows.iter().map(|found| text::width(&found.spec.name)).max().unwrap_or(0).min(36);
    let width = usize::from(inner.width);
    // Kind and price keep their room; a name may be cut.
    let name_width = name_width.min(width.saturating_sub(28).max(20));
    list(buf, body, theme, rows.len() + usize::from(unknown.is_some()), cursor, |index| {
        match (rows.get(index), unknown) {
            (Some(found), _) => row(found, state, name_width, width, theme),
            (None, Some(name)) => vec![
                span("+ ", theme.key),
                foreign(name, theme.accent),
                span("  not in the catalogue: its input as JSON", theme.dim),
            ],
            (None, None) => Vec::new(),
        }
    });
    Some(Position { x: at.x.min(inner.right().saturating_sub(1)), y: at.y })
}

/// What the model is called, what it makes, what it costs, as far as there is room for it.
fn row<'a>(found: &Found, state: &State, name_width: usize, width: usize, theme: &Theme) -> Vec<Span<'a>> {
    let model = found.spec.as_ref();
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
    let mut spans = vec![span(if now { "✓ " } else { "  " }, theme.key)];
    if text::width(&model.name) > name_width || found.marks.is_empty() {
        spans.push(column(&model.name, name_width, style));
    } else {
        marked(&one_line(&model.name), &found.marks, style, theme, &mut spans);
        spans.push(span(" ".repeat(name_width - text::width(&model.name) + 2), style));
    }
    if width >= name_width + 84 {
        spans.push(column(&model.title, 28, theme.dim));
    }
    spans.push(column(&model.kind, 13, theme.dim));
    if !model.is_current() {
        spans.push(span("retired", theme.warning));
        return spans;
    }
    let Some((least, several, unit, date)) = price(model, &state.catalogue) else {
        spans.push(span(if width < name_width + 60 { "–" } else { "price unknown" }, theme.dim));
        return spans;
    };
    if width < name_width + 60 {
        spans.push(span(format!("${least}{}", if several { "+" } else { "" }), theme.text));
    } else {
        let from = if several { "from " } else { "" };
        spans.push(span(format!("{from}${least}"), theme.text));
        spans.push(foreign(&format!(" per {unit}, seen {date}"), theme.dim));
    }
    spans
}

/// A name with the letters that were typed in another look.
fn marked(name: &str, marks: &[usize], style: Style, theme: &Theme, spans: &mut Vec<Span<'_>>) {
    let hit = theme.key.add_modifier(Modifier::UNDERLINED);
    let mut run = String::new();
    let mut is_hit = false;
    for (at, c) in name.chars().enumerate() {
        if marks.contains(&at) != is_hit {
            spans.push(span(std::mem::take(&mut run), if is_hit { hit } else { style }));
            is_hit = !is_hit;
        }
        run.push(c);
    }
    spans.push(span(run, if is_hit { hit } else { style }));
}

/// The least that it costs, whether there are other prices, for what, and when that was seen. The price of a channel
/// stands with its model.
fn price(model: &ModelSpec, catalogue: &Catalogue) -> Option<(f64, bool, String, String)> {
    let (name, channel) = model.name.split_once('@').map_or((model.name.as_str(), None), |(n, c)| (n, Some(c)));
    if let Some(price) = &model.price {
        let plain = || price.values.iter().filter(|(on, _)| !on.starts_with('@')).map(|(_, usd)| *usd);
        let least = plain().reduce(f64::min).or_else(|| price.values.values().copied().reduce(f64::min))?;
        return Some((least, plain().count() > 1, price.unit.clone(), price.date.clone()));
    }
    let price = catalogue.get(name)?.price.as_ref()?;
    let usd = price.values.get(&format!("@{}", channel?))?;
    Some((*usd, false, price.unit.clone(), price.date.clone()))
}
