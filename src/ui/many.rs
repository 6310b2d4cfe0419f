//! Many tasks of one prompt on the screen: the line that says what it comes to, the place of a mistake in a template, the
//! first expansions, and the question before they are sent.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use crate::app::dialog::Number;
use crate::app::editor::Count;
use crate::app::sending::{Example, Sending};
use crate::app::text::glyphs;
use crate::app::{Line as Typed, State, Text};
use crate::domain::Usd;
use crate::domain::batch::{Bill, MOST, Many, Mode};
use crate::domain::template::BEYOND;
use crate::domain::text::one_line;

use super::dialogs::list;
use super::draw::{foreign, frame, on_lower_edge, put, put_spans, span, spans_width};
use super::theme::Theme;
use super::{line, text};

/// Between the parts of a line.
const DOT: &str = " · ";
/// Lines for the chosen expansion as a whole.
const WHOLE: u16 = 4;
/// Lines for each example in the question.
const LINES: usize = 2;

/// The line on the lower edge of the editor: number and price, and how the prompt is taken.
pub fn edge(state: &State, area: Rect, theme: &Theme, buf: &mut Buffer) {
    if area.height < 2 || area.width < 12 {
        return;
    }
    let room = usize::from(area.width - 6);
    let all = variants(state, theme);
    let Some(spans) = all.iter().find(|spans| spans_width(spans) <= room).or(all.last()) else { return };
    let (y, x) = (area.bottom() - 1, area.x + 3);
    put(buf, x - 1, y, 1, " ", theme.text);
    let end = put_spans(buf, x, y, area.width - 6, spans);
    put(buf, end, y, 1, " ", theme.text);
}

/// What can be said, the longest first.
fn variants<'a>(state: &State, theme: &Theme) -> Vec<Vec<Span<'a>>> {
    if let Some(sending) = state.sending.as_ref().filter(|sending| sending.agreed) {
        return vec![vec![span(progress(sending), theme.running)]];
    }
    let many = state.editor.many();
    let Some(outlook) = state.editor.outlook().filter(|_| !many.is_one() || !state.editor.text().is_empty()) else {
        return Vec::new();
    };
    let error = |words: String| vec![vec![foreign(&words, theme.error)]];
    match &outlook.count {
        Count::Broken { at: (line, column), why } => {
            let place = match line {
                0 => format!("character {}", column + 1),
                line => format!("line {}, character {}", line + 1, column + 1),
            };
            // Where it is, is also marked in the text.
            [format!("{place}: {why}"), why.clone()].into_iter().flat_map(error).collect()
        }
        Count::TooMany(count) => {
            let number = tasks(*count);
            let most = text::number(u64::try_from(MOST).unwrap_or(u64::MAX));
            let words = [format!("{number}{DOT}at most {most} are sent at once"), format!("{number}, at most {most}")];
            words.into_iter().flat_map(error).collect()
        }
        Count::Reading => vec![vec![span("reading lists…", theme.dim)]],
        Count::Known(bill) => {
            let limit = state.confirm;
            let dear = bill.tasks > 1 && (bill.usd > limit.usd || bill.tasks > u128::from(limit.tasks));
            let count = span(tasks(bill.tasks), if many.is_one() { theme.dim } else { theme.strong });
            let cost = span(price(bill), if dear { theme.warning } else { theme.dim });
            let seen = bill.seen.as_ref().map(|seen| foreign(&format!("prices as seen {seen}"), theme.dim));
            let how: Vec<Span<'a>> = how(many).into_iter().map(|words| span(words, theme.key)).collect();
            let mut all = Vec::new();
            if outlook.hint {
                let long = span("as typed; alt-x makes a template of it", theme.warning);
                let short = span("as typed; alt-x expands", theme.warning);
                all.push(joined([vec![count.clone(), cost.clone(), long]].concat(), theme));
                all.push(joined(vec![count, short.clone()], theme));
                all.push(vec![short]);
                return all;
            }
            let base = vec![count.clone(), cost.clone()];
            all.push(joined([how.clone(), base.clone(), seen.into_iter().collect()].concat(), theme));
            all.push(joined([how, base.clone()].concat(), theme));
            all.push(joined(base, theme));
            all.push(vec![count]);
            all
        }
    }
}

fn joined<'a>(parts: Vec<Span<'a>>, theme: &Theme) -> Vec<Span<'a>> {
    let mut spans = Vec::with_capacity(2 * parts.len());
    for part in parts {
        if !spans.is_empty() {
            spans.push(span(DOT, theme.dim));
        }
        spans.push(part);
    }
    spans
}

/// How the prompt is taken, where that is not as it stands.
fn how(many: &Many) -> Vec<String> {
    let mode = match many.mode {
        Mode::Off => None,
        Mode::All => Some("all".to_owned()),
        Mode::Random => Some(format!("{} by chance, seed {}", many.each, many.seed)),
    };
    let repeats = (many.repeat > 1).then(|| format!("×{}", many.repeat));
    mode.into_iter().chain(repeats).collect()
}

fn tasks(count: u128) -> String {
    match u64::try_from(count) {
        Ok(1) => "1 task".to_owned(),
        Ok(count) => format!("{} tasks", text::number(count)),
        Err(_) if count == BEYOND => "more tasks than can be counted".to_owned(),
        Err(_) => format!("{count} tasks"),
    }
}

/// What it may cost, without when that was seen.
fn price(bill: &Bill) -> String {
    if bill.tasks > 0 && bill.unknown == bill.tasks {
        return "price unknown".to_owned();
    }
    let most = if bill.at_most { "at most " } else { "" };
    let unknown = match u64::try_from(bill.unknown).unwrap_or(u64::MAX) {
        0 => String::new(),
        some => format!(" and {} of unknown price", text::number(some)),
    };
    format!("{most}{}{unknown}", dollars(bill.usd))
}

/// To the cent, and what is less than a dollar as exactly as it was seen.
fn dollars(usd: Usd) -> String {
    if usd.0 >= 1_000_000 { format!("{usd:.2}") } else { usd.to_string() }
}

fn progress(sending: &Sending) -> String {
    let of = text::number(sending.total as u64);
    if sending.is_checked() {
        format!("adding {} of {of}", text::number(sending.added() as u64))
    } else {
        format!("checking {} of {of}", text::number(sending.checked() as u64))
    }
}

/// Marks the place of a mistake in the prompt, which is laid out for this area.
pub fn mark_mistake(state: &State, laid: &Text, area: Rect, theme: &Theme, buf: &mut Buffer) {
    let Some(Count::Broken { at, .. }) = state.editor.outlook().map(|outlook| &outlook.count) else { return };
    if state.editor.is_raw() {
        return;
    }
    let wrong = state.editor.byte(*at);
    for (y, row) in (area.y..area.bottom()).zip(laid.visible()) {
        let mut x = area.x;
        for (at, _, cells) in glyphs(laid.as_str().get(row.clone()).unwrap_or_default()) {
            if row.start + at == wrong
                && x < area.right()
                && let Some(cell) = buf.cell_mut((x, y))
            {
                cell.set_style(theme.error.add_modifier(Modifier::UNDERLINED | Modifier::REVERSED));
                return;
            }
            x = x.saturating_add(u16::try_from(cells).unwrap_or(u16::MAX));
        }
    }
}

/// Draws the line for a number. Returns where the cursor belongs.
pub fn number(
    what: Number,
    typed: &Typed,
    fault: Option<&str>,
    area: Rect,
    theme: &Theme,
    buf: &mut Buffer,
) -> Option<Position> {
    let (title, words) = match what {
        Number::Repeats => ("repeats", "how often each task is made"),
        Number::Draws => ("prompts by chance", "how many; a seed behind the number makes the same ones again: 4 1234"),
    };
    let inner = frame(buf, area, theme, true, &[span(title, theme.title_focus)], &[]);
    let width = inner.width.saturating_sub(4);
    if inner.height == 0 || width < 4 {
        return None;
    }
    if let Some(fault) = fault {
        on_lower_edge(buf, area, &one_line(fault), theme.error);
    }
    let mut y = inner.y;
    for line in text::wrap(words, usize::from(width)).into_iter().take(usize::from(inner.height.saturating_sub(2))) {
        put(buf, inner.x + 2, y, width, &line, theme.dim);
        y += 1;
    }
    let y = (y + 1).min(inner.bottom() - 1);
    Some(line::draw(buf, Position { x: inner.x + 2, y }, width, typed, "", theme))
}

/// Lines for the list of expansions.
pub fn expansions_height(rows: &[Example]) -> u16 {
    u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(WHOLE + 3)
}

/// Draws the first expansions: one a line, and the chosen one as a whole below.
pub fn expansions(state: &State, rows: &[Example], cursor: usize, area: Rect, theme: &Theme, buf: &mut Buffer) {
    let title = match state.editor.outlook().map(|outlook| &outlook.count) {
        Some(Count::Known(bill)) if bill.tasks > rows.len() as u128 => {
            format!("the first {} of {}", rows.len(), tasks(bill.tasks))
        }
        Some(Count::TooMany(count)) => format!("the first {} of {}", rows.len(), tasks(*count)),
        _ => tasks(rows.len() as u128),
    };
    let cursor = cursor.min(rows.len().saturating_sub(1));
    let inner = frame(buf, area, theme, true, &[span(title, theme.title_focus)], &[]);
    let whole = if inner.height > WHOLE + 3 { WHOLE } else { 0 };
    let body = Rect { height: inner.height - if whole > 0 { whole + 1 } else { 0 }, ..inner };
    let values = rows.iter().map(|row| text::width(&one_line(&row.values))).max().unwrap_or(0).min(24);
    list(buf, body, theme, rows.len(), cursor, |index| {
        let Some(row) = rows.get(index) else { return Vec::new() };
        let mut spans = vec![span(format!("{:>3}  ", index + 1), theme.dim)];
        if values > 0 {
            let short = text::cut(&one_line(&row.values), values).into_owned();
            let pad = " ".repeat(values - text::width(&short) + 2);
            spans.push(span(short + &pad, theme.shape));
        }
        spans.push(foreign(&row.prompt, theme.text));
        spans
    });
    if let Some(row) = rows.get(cursor).filter(|_| whole > 0) {
        let width = inner.width.saturating_sub(4);
        let y = body.bottom() + 1;
        for (y, line) in (y..inner.bottom()).zip(shown(&row.prompt, width, usize::from(whole))) {
            put(buf, inner.x + 2, y, width, &line, theme.strong);
        }
    }
}

/// The beginning of a text in so many lines, with a mark where it goes on.
fn shown(prompt: &str, width: u16, most: usize) -> Vec<String> {
    let mut lines = text::wrap(&one_line(prompt), usize::from(width));
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            *last = text::cut(&format!("{last} …"), usize::from(width)).into_owned();
        }
    }
    lines
}

/// What is said above and below the name in the question.
fn words<'a>(sending: &Sending, width: u16, theme: &Theme) -> (Vec<Line<'a>>, Vec<Line<'a>>) {
    let bill = &sending.bill;
    let mut above = vec![Line::from(joined(
        vec![span(tasks(sending.total as u128), theme.strong), span(price(bill), theme.strong)],
        theme,
    ))];
    if let Some(seen) = &bill.seen {
        above.push(Line::from(foreign(&format!("prices as seen {seen}; what the service charges counts"), theme.dim)));
    }
    if bill.unknown > 0 {
        above.push(Line::from(span("the list of prices does not say what they cost", theme.warning)));
    }
    let fact =
        |name: &str, value: &str| Line::from(vec![span(format!("{name:<7}"), theme.dim), foreign(value, theme.text)]);
    above.push(Line::default());
    above.push(fact("model", &sending.model));
    if let Some(seed) = sending.seed {
        above.push(fact("seed", &seed.to_string()));
    }
    let mut below = vec![Line::default(), Line::from(span("the first of them", theme.dim))];
    for Example { values, prompt } in &sending.examples {
        let whole = if values.is_empty() { prompt.clone() } else { format!("{values}  {prompt}") };
        for (index, line) in shown(&whole, width.saturating_sub(2), LINES).into_iter().enumerate() {
            let mark = if index == 0 { "· " } else { "  " };
            below.push(Line::from(vec![span(mark, theme.key), span(line, theme.text)]));
        }
    }
    (above, below)
}

/// Lines for the question at this width.
pub fn question_height(state: &State, width: u16) -> u16 {
    let theme = Theme::new(super::ColourDepth::None, None);
    let lines = state.sending.as_ref().map_or(0, |sending| {
        let (above, below) = words(sending, width.saturating_sub(6), &theme);
        above.len() + below.len()
    });
    u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(5)
}

/// Draws the question before many tasks are sent. Returns where the cursor belongs: in the name of the batch.
pub fn question(state: &State, fault: Option<&str>, area: Rect, theme: &Theme, buf: &mut Buffer) -> Option<Position> {
    let sending = state.sending.as_ref()?;
    let status = if sending.is_checked() { Vec::new() } else { vec![span(progress(sending), theme.dim)] };
    let inner = frame(buf, area, theme, true, &[span("send them all?", theme.title_focus)], &status);
    let width = inner.width.saturating_sub(4);
    if inner.height == 0 || width < 12 {
        return None;
    }
    if let Some(fault) = fault {
        on_lower_edge(buf, area, &one_line(fault), theme.error);
    } else if sending.agreed {
        on_lower_edge(buf, area, "they are sent when all are checked", theme.dim);
    }
    let (mut above, mut below) = words(sending, width, theme);
    // The number, the sum and the name stay in sight; examples give way first.
    let room = usize::from(inner.height).saturating_sub(2);
    above.truncate(room);
    below.truncate(room.saturating_sub(above.len()));
    let mut y = inner.y + u16::from(usize::from(inner.height) > above.len() + below.len() + 2);
    for line in &above {
        put_spans(buf, inner.x + 2, y, width, &line.spans);
        y += 1;
    }
    let y = y.min(inner.bottom() - 1);
    let label = put(buf, inner.x + 2, y, width, "batch  ", theme.dim);
    let left = inner.right().saturating_sub(label + 2);
    let cursor = line::draw(buf, Position { x: label, y }, left, &sending.name, "", theme);
    for (y, line) in (y + 1..inner.bottom()).zip(&below) {
        put_spans(buf, inner.x + 2, y, width, &line.spans);
    }
    Some(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_as_exact_as_they_are_small() {
        let all = [
            (0.0, "$0.00"),
            (0.039, "$0.039"),
            (0.0039, "$0.0039"),
            (0.5, "$0.50"),
            (1.0, "$1.00"),
            (12.345, "$12.35"),
        ];
        for (usd, words) in all {
            assert_eq!(dollars(Usd::new(usd).expect("an amount")), words);
        }
    }

    #[test]
    fn a_price_says_what_is_not_known() {
        let bill = |tasks, usd, at_most, unknown| Bill { tasks, usd, at_most, unknown, seen: None };
        assert_eq!(price(&bill(24, Usd(960_000), true, 0)), "at most $0.96");
        assert_eq!(price(&bill(24, Usd(500_000), false, 1200)), "$0.50 and 1,200 of unknown price");
        assert_eq!(price(&bill(3, Usd::ZERO, false, 3)), "price unknown");
        assert_eq!(tasks(1_000_000_000_000), "1,000,000,000,000 tasks");
        assert_eq!(tasks(BEYOND), "more tasks than can be counted");
    }
}
