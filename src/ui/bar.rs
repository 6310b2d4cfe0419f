//! The line at the top (where tasks stand, what may still be asked) and the line at the bottom (keys, notices).

use std::collections::BTreeMap;
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Span;

use crate::app::notice::Tone;
use crate::app::{Dialog, State};
use crate::domain::{Problem, Stage};
use crate::fleet::Wait;
use crate::keys::actions::here;
use crate::keys::{Action, Place};

use super::draw::{foreign, put, put_spans, span, spans_width};
use super::text;
use super::theme::{Theme, sign};

/// The groups that matter, in the order of a task's life, each under the sign of one of its stages.
pub(super) const GROUPS: &[(Stage, &str, &[Stage])] = &[
    (Stage::Saved, "waiting", &[Stage::Saved, Stage::Sending]),
    (Stage::Handling, "running", &[Stage::Queued, Stage::Handling, Stage::Unknown, Stage::Archiving]),
    (Stage::Success, "done", &[Stage::Success]),
    (Stage::Failed, "failed", &[Stage::Refused, Stage::GivenUp, Stage::Failed]),
    (Stage::Held, "held", &[Stage::Held]),
    (Stage::Unsure, "unsure", &[Stage::Unsure]),
];

/// Draws the top line.
pub fn header(state: &State, counts: &BTreeMap<Stage, u64>, theme: &Theme, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let brand = vec![span("plantain", theme.accent), span("  ", theme.text), foreign(&state.service, theme.dim)];
    let room = usize::from(area.width.saturating_sub(2));
    let lefts = [tallies(counts, theme, true), tallies(counts, theme, false), Vec::new()];
    let rights = right_side(state, theme);
    // The most telling pair that fits; what is wrong is more telling than the counts in words.
    let pairs = rights.iter().flat_map(|right| lefts.iter().map(move |left| (left, right)));
    let fits = |(left, right): &(&Vec<Span<'_>>, &Vec<Span<'_>>)| {
        let with_gap = |spans: &[Span<'_>]| if spans.is_empty() { 0 } else { spans_width(spans) + 3 };
        spans_width(&brand) + with_gap(left) + with_gap(right) <= room
    };
    let order = |(left, right): &(&Vec<Span<'_>>, &Vec<Span<'_>>)| {
        let at = |all: &[Vec<Span<'_>>], one: &Vec<Span<'_>>| all.iter().position(|v| std::ptr::eq(v, one));
        (at(&lefts, left).unwrap_or(0) * rights.len().saturating_sub(1).max(3), at(&rights, right).unwrap_or(0))
    };
    let best = pairs.filter(fits).min_by_key(|pair| {
        let (left, right) = order(pair);
        left + right
    });
    let end = put_spans(buf, area.x + 1, area.y, area.width.saturating_sub(2), &brand);
    if let Some((left, right)) = best {
        put_spans(buf, end + 3, area.y, area.right().saturating_sub(end + 3), left);
        let wide = u16::try_from(spans_width(right)).unwrap_or(0);
        put_spans(buf, area.right().saturating_sub(wide + 1), area.y, wide, right);
    }
}

/// How many tasks stand where; groups without tasks are left out.
fn tallies<'a>(counts: &BTreeMap<Stage, u64>, theme: &Theme, words: bool) -> Vec<Span<'a>> {
    let mut spans = Vec::new();
    for (stage, word, members) in GROUPS {
        let count: u64 = members.iter().filter_map(|member| counts.get(member)).sum();
        if count == 0 {
            continue;
        }
        if !spans.is_empty() {
            spans.push(span(if words { "   " } else { "  " }, theme.text));
        }
        spans.push(span(format!("{} ", sign(*stage)), theme.stage(*stage)));
        spans.push(span(text::number(count), theme.text));
        if words {
            spans.push(span(format!(" {word}"), theme.dim));
        }
    }
    spans
}

/// What stands on the right, from the longest form to the shortest.
fn right_side<'a>(state: &State, theme: &Theme) -> Vec<Vec<Span<'a>>> {
    let now = state.now;
    let budget = state.fleet.budget();
    let (used, limit) = (budget.used(now.mono), budget.per_minute() as usize);
    let style = if used >= limit { theme.warning } else { theme.text };
    let figures = || vec![span(used.to_string(), style), span(format!("/{limit}"), theme.dim)];
    let full = || {
        let mut spans = gauge(used, limit, theme);
        spans.push(span(" ", theme.text));
        spans.extend(figures());
        spans.push(span(" a minute", theme.dim));
        spans
    };
    if let Some(problem) = state.fleet.blocked() {
        let why = match problem {
            Problem::Auth { .. } => "the API key was refused".to_owned(),
            Problem::Balance { .. } => "not enough balance".to_owned(),
            other => other.sentence(),
        };
        let why = text::cut(&crate::domain::text::one_line(&why), 40).into_owned();
        return vec![vec![span(format!("‖ paused: {why}"), theme.error)], vec![span("‖ paused", theme.error)]];
    }
    if let Some(holder) = state.standing.holder.as_ref().filter(|_| !state.standing.holds) {
        if holder.quiet {
            let long = format!("! the window that sends (process {}) does not respond", holder.pid);
            return vec![vec![span(long, theme.warning)], vec![span("! sender stopped", theme.warning)]];
        }
        let long = format!("◇ watches; process {} sends", holder.pid);
        return vec![vec![span(long, theme.dim)], vec![span("◇ watches", theme.dim)], Vec::new()];
    }
    if let Some(silence) = state.fleet.silence() {
        let since = text::clock(silence.since.wall, now.wall, theme.utc_offset);
        let long = format!("! no answer since {since}");
        return vec![vec![span(long, theme.warning)], vec![span("! offline", theme.warning)]];
    }
    if let Some(wait) = state.fleet.waits(now) {
        // Rounded up: it never says 0 while it still waits.
        let secs = wait.until().since(now.mono).as_millis().div_ceil(1000).max(1);
        let left = text::span(Duration::from_secs(u64::try_from(secs).unwrap_or(u64::MAX)));
        let (long, short) = match wait {
            Wait::Asked(_) => (format!("asked to wait {left}"), format!("wait {left}")),
            Wait::Full(_) => (format!("waiting {left}"), format!("wait {left}")),
            Wait::Again(_) => (format!("next try in {left}"), format!("try in {left}")),
        };
        let with_figures = |text: String| {
            let mut spans = vec![waiting(text, theme), span("   ", theme.text)];
            spans.extend(figures());
            spans
        };
        let mut all = Vec::new();
        if !matches!(wait, Wait::Full(_)) {
            all.push(with_figures(format!("{long}; R tries now")));
        }
        all.extend([with_figures(long), with_figures(short.clone()), vec![waiting(short, theme)]]);
        return all;
    }
    if state.show_line {
        let line = line_words(state);
        let short = line.split("   ").next().unwrap_or_default().to_owned();
        return vec![vec![span(line, theme.text)], vec![span(short, theme.text)], Vec::new()];
    }
    let mut middle = gauge(used, limit, theme);
    middle.push(span(" ", theme.text));
    middle.extend(figures());
    let mut all = Vec::new();
    if let Some(left) = state.fleet.all_done_in(now) {
        let words = |text: String| vec![span(text, theme.text), span("   ", theme.text)];
        let long = words(format!("all done in about {}", text::roughly_in_words(left)));
        let short = words(format!("done in ~{}", text::roughly(left)));
        for (eta, figures) in [(&long, full()), (&long, middle.clone()), (&long, figures()), (&short, figures())] {
            all.push(eta.iter().cloned().chain(figures).collect());
        }
    }
    all.extend([full(), middle, figures(), Vec::new()]);
    all
}

/// How good the line to the terminal is, as far as that was learned.
pub fn line_words(state: &State) -> String {
    let line = &state.preview.line;
    let rate = line.rate.map(|rate| format!("line {}/s", text::size(rate)));
    let trip = line.round_trip.map(|trip| match trip.as_millis() {
        0 => "round trip below 1 ms".to_owned(),
        millis => format!("round trip {millis} ms"),
    });
    match (rate, trip) {
        (Some(rate), Some(trip)) => format!("{rate}   {trip}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "line not measured yet".to_owned(),
    }
}

fn waiting<'a>(text: String, theme: &Theme) -> Span<'a> {
    span(text, theme.warning)
}

/// The used part of the allowance as a line that gets heavier.
fn gauge<'a>(used: usize, limit: usize, theme: &Theme) -> Vec<Span<'a>> {
    const CELLS: usize = 8;
    let filled = (used.min(limit) * CELLS).div_ceil(limit.max(1));
    let style = if used >= limit { theme.warning } else { theme.key };
    vec![span("━".repeat(filled), style), span("─".repeat(CELLS - filled), theme.frame)]
}

/// Draws the bottom line: a notice while there is one, else the keys that matter here.
pub fn footer(state: &State, theme: &Theme, area: Rect, buf: &mut Buffer) {
    if area.width < 3 || area.height == 0 {
        return;
    }
    let room = area.width - 2;
    if let Some(notice) = &state.notice {
        let (mark, style) = match notice.tone {
            Tone::Info => ("✓ ", theme.key),
            Tone::Warning => ("! ", theme.warning),
        };
        let text_style = if notice.tone == Tone::Warning { theme.warning } else { theme.text };
        put_spans(buf, area.x + 1, area.y, room, &[span(mark, style), foreign(&notice.text, text_style)]);
        return;
    }
    let place = state.place();
    let help = help_hint(place, theme);
    let help_width = u16::try_from(spans_width(&help)).unwrap_or(0);
    let help_fits = help_width + 20 < room;
    let mut left = if help_fits { room - help_width - 2 } else { room };
    let mut x = area.x + 1;
    for spec in here(place).filter(|spec| !spec.label.is_empty() && spec.action != Action::Help) {
        if !matters(state, spec.action) {
            continue;
        }
        let key = spec.keys.first().copied().unwrap_or_default();
        let wide = u16::try_from(text::width(key) + 1 + text::width(spec.label)).unwrap_or(u16::MAX);
        if wide > left {
            break;
        }
        let end = put_spans(buf, x, area.y, left, &[span(key, theme.key), span(" ", theme.text)]);
        x = put(buf, end, area.y, left, spec.label, theme.dim) + 3;
        left = left.saturating_sub(wide + 3);
    }
    if help_fits {
        put_spans(buf, area.right() - 1 - help_width, area.y, help_width, &help);
    }
}

/// How to get the help here: with `?` where that is no letter being typed.
fn help_hint<'a>(place: Place, theme: &Theme) -> Vec<Span<'a>> {
    let mut specs: Vec<_> = here(place).filter(|spec| spec.action == Action::Help).collect();
    specs.sort_by_key(|spec| spec.label.is_empty());
    let key = specs.first().and_then(|spec| spec.keys.first()).copied().unwrap_or("f1");
    vec![span(key, theme.key), span(" help", theme.dim)]
}

/// Whether a key would do something for what is chosen now: the footer names no dead keys.
fn matters(state: &State, action: Action) -> bool {
    use crate::domain::Status;
    match action {
        Action::Send if state.batch().is_some() => {
            state.batch().and_then(|name| state.table.group(&name)).is_some_and(|group| {
                group.tally().sum_of(&[Stage::Held, Stage::Unsure, Stage::Failed, Stage::Refused]) > 0
            })
        }
        Action::Send => state.task().is_some_and(|task| matches!(task.status, Status::Held(_) | Status::Unsure(_))),
        Action::Open => state.task().is_some() || state.batch().is_some(),
        Action::Reuse => state.task().is_some(),
        Action::Fold => state.table.group_here().is_some(),
        Action::Pause => state.batch().and_then(|name| state.table.group(&name)).is_some_and(|group| group.is_open()),
        Action::View => state.output().is_some_and(|output| output.home().is_some()),
        Action::ZoomIn | Action::Actual => state.room().is_some(),
        Action::WholePicture => matches!(&state.dialog, Some(Dialog::Viewer(open)) if open.view.is_some()),
        Action::Accept | Action::Check => !matches!(state.dialog, None | Some(Dialog::Help { .. })),
        _ => true,
    }
}
