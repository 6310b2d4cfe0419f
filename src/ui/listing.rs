//! The addresses of a field, and what tasks have to offer for it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Span;

use crate::app::editor::media;
use crate::app::listing::{Life, Listing, Mode, Offer, offers, origin};
use crate::app::{Line, State};
use crate::domain::text::one_line;
use crate::domain::{Field, FieldKind};

use super::dialogs::{about, list};
use super::draw::{foreign, frame, on_lower_edge, put, span};
use super::theme::Theme;
use super::{line, text};

fn field<'a>(state: &'a State, listing: &Listing) -> Option<&'a Field> {
    state.editor.spec(&state.catalogue)?.field(&listing.field)
}

fn items<'a>(state: &'a State, listing: &Listing) -> Vec<&'a str> {
    state.editor.value(&listing.field).map(media::items).unwrap_or_default()
}

/// Lines that the dialog would like to have.
pub fn height(state: &State, listing: &Listing) -> usize {
    const FRAME: usize = 7;
    let rows = match (&listing.mode, field(state, listing)) {
        (Mode::Pick { query, .. }, Some(field)) => offers(state, field, query.text()).len(),
        _ => items(state, listing).len(),
    };
    rows.max(5) + FRAME
}

/// Draws the dialog. Returns where the cursor belongs.
pub fn draw(state: &State, listing: &Listing, area: Rect, theme: &Theme, buf: &mut Buffer) -> Option<Position> {
    let field = field(state, listing)?;
    let items = items(state, listing);
    let label = one_line(&field.name.replace('_', " ")).into_owned();
    let count = match field.max_items {
        _ if field.kind != FieldKind::Texts => "one address".to_owned(),
        Some(most) => format!("{} of at most {most}", items.len()),
        None => items.len().to_string(),
    };
    let too_many = field.max_items.is_some_and(|most| items.len() > most);
    let right = [span(count, if too_many { theme.error } else { theme.dim })];
    let inner = frame(buf, area, theme, true, &[span(label, theme.title_focus)], &right);
    if inner.height < 3 || inner.width < 12 {
        return None;
    }
    if listing.reading {
        on_lower_edge(buf, area, "reading the file…", theme.dim);
    } else {
        let broken = state.editor.broken(&state.catalogue);
        if let Some(fault) = broken.filter(|fault| fault.field.as_deref() == Some(field.name.as_str())) {
            on_lower_edge(buf, area, &one_line(&fault.to_string()), theme.warning);
        }
    }
    let inner = refusal(listing.fault.as_deref(), inner, theme, buf);
    if let Mode::Pick { cursor, query } = &listing.mode {
        return pick(state, field, *cursor, query, inner, theme, buf);
    }
    let words = Rect { x: inner.x + 2, width: inner.width.saturating_sub(4), height: 2.min(inner.height / 3), ..inner };
    let mut top = about(Some(field), words, theme, buf);
    top += u16::from(top > inner.y && inner.height > 6);
    // While one is typed, the line has the place at the bottom.
    let typing = matches!(listing.mode, Mode::Type { .. });
    let bottom = inner.bottom() - if typing { 2 } else { 0 };
    let body = Rect { y: top, height: bottom.saturating_sub(top), ..inner };
    if items.is_empty() && !typing {
        let hint = match &field.media {
            Some(_) if field.data_uri => "none yet: a types one or the path of a file, t takes what a task delivered",
            Some(_) => "none yet: a types one, t takes what a task delivered, or paste some",
            None => "none yet: a types one",
        };
        for (y, words) in (body.y..body.bottom()).zip(text::wrap(hint, usize::from(body.width.saturating_sub(4)))) {
            put(buf, body.x + 2, y, body.width.saturating_sub(4), &words, theme.dim);
        }
    }
    if !items.is_empty() {
        let width = usize::from(body.width.saturating_sub(3));
        list(buf, body, theme, items.len(), listing.cursor, |index| {
            items.get(index).map(|item| row(state, field, index, item, width, theme)).unwrap_or_default()
        });
    }
    let Mode::Type { line, at } = &listing.mode else { return None };
    let hint = match (at, field.data_uri) {
        (Some(_), _) => "another one instead",
        (None, true) => "an address, or the path of a file",
        (None, false) if field.media.is_some() => "an http or https address",
        (None, false) => "a word",
    };
    let place = Position { x: inner.x + 2, y: inner.bottom() - 1 };
    Some(line::draw(buf, place, inner.width.saturating_sub(4), line, hint, theme))
}

/// Why something was not taken, in whole, at the bottom. Returns what is left above it.
fn refusal(fault: Option<&str>, inner: Rect, theme: &Theme, buf: &mut Buffer) -> Rect {
    let Some(fault) = fault else { return inner };
    let width = inner.width.saturating_sub(4);
    let lines = text::wrap(&one_line(fault), usize::from(width));
    let count = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(inner.height.saturating_sub(3));
    let top = inner.bottom() - count;
    for (y, words) in (top..inner.bottom()).zip(&lines) {
        put(buf, inner.x + 2, y, width, words, theme.error);
    }
    Rect { height: inner.height - count, ..inner }
}

/// One of the list: which, from where, and how long it still works.
fn row<'a>(state: &State, field: &Field, index: usize, item: &str, width: usize, theme: &Theme) -> Vec<Span<'a>> {
    let number = format!("{:>2}  ", index + 1);
    if field.media.is_none() {
        return vec![span(number, theme.dim), foreign(item, theme.text)];
    }
    let mut spans = vec![span(number, theme.dim)];
    let Some(offer) = origin(state, item) else {
        spans.push(foreign(&media::short(item), theme.text));
        if !item.starts_with("data:") {
            spans.push(foreign(&format!("  {item}"), theme.dim));
        }
        return spans;
    };
    let (words, style) = life(offer.life, theme);
    let room = width.saturating_sub(4 + text::width(&words) + 2 + 10);
    let name = text::cut(&one_line(&media::short(item)), room / 2).into_owned();
    let prompt = text::cut(&one_line(&offer.prompt), room.saturating_sub(text::width(&name) + 2)).into_owned();
    spans.push(span(name, theme.text));
    spans.push(span("  ", theme.text));
    spans.push(span(prompt, theme.dim));
    spans.push(span("  ", theme.text));
    spans.push(span(words, style));
    spans
}

/// How long a link works, in words, and how worrying that is.
fn life(life: Life, theme: &Theme) -> (String, Style) {
    match life {
        Life::Over => ("link has ended".to_owned(), theme.error),
        Life::Short(left) => (format!("link for {} only", text::about(left)), theme.warning),
        Life::Long(left) => (format!("link for {}", text::about(left)), theme.dim),
        Life::Unknown => ("nobody knows for how long".to_owned(), theme.dim),
    }
}

/// What finished tasks have to offer.
fn pick(
    state: &State,
    field: &Field,
    cursor: usize,
    query: &Line,
    inner: Rect,
    theme: &Theme,
    buf: &mut Buffer,
) -> Option<Position> {
    let rows = offers(state, field, query.text());
    let noun = media::noun(field.media.as_deref(), true);
    let hint = format!("type to narrow the {noun} of finished tasks");
    let place = Position { x: inner.x + 2, y: inner.y };
    let at = line::draw(buf, place, inner.width.saturating_sub(4), query, &hint, theme);
    let body = Rect { y: inner.y + 2, height: inner.height - 2, ..inner };
    if rows.is_empty() {
        put(buf, body.x + 2, body.y, body.width.saturating_sub(3), &format!("there are no {noun} to take"), theme.dim);
    }
    let width = usize::from(body.width.saturating_sub(3));
    list(buf, body, theme, rows.len(), cursor, |index| {
        rows.get(index).map(|offer| offered(state, offer, width, theme)).unwrap_or_default()
    });
    Some(at)
}

fn offered<'a>(state: &State, offer: &Offer, width: usize, theme: &Theme) -> Vec<Span<'a>> {
    let (words, style) = life(offer.life, theme);
    let when = text::clock(offer.created, state.now.wall, theme.utc_offset);
    let role = one_line(&offer.role).into_owned();
    let fixed = text::width(&when) + text::width(&words) + 6;
    let room = width.saturating_sub(fixed + 12).max(8);
    let prompt = text::cut(&one_line(&offer.prompt), room).into_owned();
    let pad = " ".repeat(room.saturating_sub(text::width(&prompt)));
    let dead = offer.life == Life::Over;
    vec![
        span(format!("{when}  "), theme.dim),
        span(prompt + &pad, if dead { theme.dim } else { theme.text }),
        span(format!("  {:<11} ", text::cut(&role, 11)), theme.dim),
        span(words, style),
    ]
}
