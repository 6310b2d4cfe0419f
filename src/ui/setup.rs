//! The screen that says how to set an API key. Calm: nothing is broken, something is missing.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use crate::app::dialog::{Setup, Test};

use super::draw::{foreign, frame, put_spans, span};
use super::text;
use super::theme::Theme;

/// The most dots shown for a typed key: its length is nobody's business either.
const DOTS: usize = 32;

/// The page, and which of its lines holds the dots.
pub fn lines<'a>(setup: &Setup, width: u16, theme: &Theme) -> (Vec<Line<'a>>, usize) {
    let measure = usize::from(width).max(10);
    let mut lines: Vec<Line<'a>> = Vec::new();
    let prose = |lines: &mut Vec<Line<'a>>, words: &str, style| {
        lines.extend(text::wrap(words, measure).into_iter().map(|line| Line::from(foreign(&line, style))));
    };
    if !setup.reason.is_empty() {
        prose(&mut lines, &setup.reason, theme.warning);
        lines.push(Line::default());
    }
    prose(
        &mut lines,
        "Plantain needs the API key of your HiAPI account. It is read from HIAPI_API_KEY, never written to disk, \
         never shown, and sent to the service only.",
        theme.text,
    );
    lines.push(Line::default());
    prose(&mut lines, "To have it in every session, put this into your shell profile:", theme.dim);
    lines.push(Line::from(vec![span("  export ", theme.dim), span("HIAPI_API_KEY=sk-…", theme.strong)]));
    lines.push(Line::default());
    prose(&mut lines, "For this run only, paste or type it here:", theme.dim);
    let typed = setup.typed.expose().chars().count().min(DOTS.min(measure.saturating_sub(6)));
    let row = lines.len();
    lines.push(Line::from(vec![span("  › ", theme.key), span("•".repeat(typed), theme.strong)]));
    lines.push(Line::default());
    match &setup.test {
        Test::None if typed == 0 => {}
        Test::None => lines.push(Line::from(vec![
            span("enter", theme.key),
            span(" tests it with one small question that costs nothing", theme.dim),
        ])),
        Test::Asked => lines.push(Line::from(span("◐ asking the service …", theme.running))),
        Test::Failed(problem) => {
            prose(&mut lines, &format!("✗ {}", problem.sentence()), theme.failed);
            prose(&mut lines, "Nothing is lost: correct it and press enter again.", theme.dim);
        }
    }
    if !matches!(setup.test, Test::None) || typed > 0 {
        lines.push(Line::default());
    }
    lines.push(Line::from(vec![
        span("ctrl-d", theme.key),
        span(" shows the demo: simulated, no key, no cost", theme.dim),
    ]));
    lines.push(Line::from(vec![
        span("esc", theme.key),
        span(" looks around without a key   ", theme.dim),
        span("ctrl-q", theme.key),
        span(" leaves", theme.dim),
    ]));
    (lines, row)
}

/// Draws the screen. Returns where the cursor belongs.
pub fn draw(setup: &Setup, area: Rect, theme: &Theme, buf: &mut Buffer) -> Option<Position> {
    let inner = frame(buf, area, theme, true, &[span("API key", theme.title_focus)], &[]);
    let width = inner.width.saturating_sub(4);
    let (lines, row) = lines(setup, width, theme);
    let height = usize::from(inner.height);
    let air = u16::from(lines.len() + 2 <= height);
    // On a small screen the line being typed matters more than the words above it.
    let first = (row + 3).saturating_sub(height).min(lines.len().saturating_sub(height));
    let top = inner.y + air;
    for (y, line) in (top..inner.bottom()).zip(lines.iter().skip(first)) {
        put_spans(buf, inner.x + 2, y, width, &line.spans);
    }
    let typed = lines.get(row).map_or(0, |line| super::draw::spans_width(&line.spans));
    let y = top + u16::try_from(row.saturating_sub(first)).unwrap_or(0);
    let x = (inner.x + 2).saturating_add(u16::try_from(typed).unwrap_or(0));
    (y < inner.bottom() && x < inner.right()).then_some(Position { x, y })
}
