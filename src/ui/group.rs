//! A batch on the screen: its row in the table, the page about it, the words where it has no picture, the question before
//! something is done to all of it.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::State;
use crate::app::dialog::{AskBatch, Deed};
use crate::app::groups::Group;
use crate::domain::batch::{Sum, Tally};
use crate::domain::text::one_line;
use crate::domain::{Stage, explain};

use super::bar::GROUPS;
use super::detail::Page;
use super::dialogs::list;
use super::draw::{foreign, frame, put, put_spans, span, spans_width};
use super::text;
use super::theme::{Theme, sign};

/// Before the names of folded and open groups.
const FOLDED: &str = "▸";
const OPEN: &str = "▾";
/// Cells of the bar in a row, and on a page.
const BAR: usize = 8;
const LONG_BAR: usize = 40;
/// A name gets at least so many cells, and at most.
const NAME: (usize, usize) = (10, 30);
/// Most reasons of failures on the page.
const REASONS: usize = 6;

/// The parts of the bar, with a glyph each that tells them apart without colours.
const PARTS: &[(&str, &[Stage])] = &[
    ("█", &[Stage::Success]),
    ("▚", &[Stage::Failed, Stage::Refused, Stage::GivenUp]),
    ("▓", &[Stage::Queued, Stage::Handling, Stage::Unknown, Stage::Archiving]),
    ("▒", &[Stage::Unsure, Stage::Held]),
    ("░", &[Stage::Sending, Stage::Saved]),
];

/// How many of so many cells each part gets: none is lost, and none that there is gets nothing.
fn cells(counts: &[u64], width: usize) -> Vec<usize> {
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return vec![0; counts.len()];
    }
    let share = |count: u64| usize::try_from(u128::from(count) * width as u128 / u128::from(total)).unwrap_or(width);
    let mut cells: Vec<usize> =
        counts.iter().map(|count| share(*count).max(usize::from(*count > 0)).min(width)).collect();
    let mut sum: usize = cells.iter().sum();
    while sum != width {
        // The largest gives what is too much and takes what is left.
        let Some(at) = (0..cells.len()).max_by_key(|at| (cells[*at], counts[*at])) else { break };
        if sum < width {
            cells[at] += width - sum;
        } else if cells[at] > 0 {
            cells[at] -= 1;
        } else {
            break;
        }
        sum = cells.iter().sum();
    }
    cells
}

/// The progress of a batch in so many cells.
fn bar<'a>(tally: &Tally, width: usize, theme: &Theme) -> Vec<Span<'a>> {
    let counts: Vec<u64> = PARTS.iter().map(|(_, stages)| tally.sum_of(stages)).collect();
    let parts = PARTS.iter().zip(cells(&counts, width)).filter(|(_, cells)| *cells > 0);
    parts.map(|((glyph, stages), cells)| span(glyph.repeat(cells), theme.stage(stages[0]))).collect()
}

/// How many stand where; what is none is left out.
fn tallies<'a>(tally: &Tally, theme: &Theme) -> Vec<Span<'a>> {
    let order = [Stage::Success, Stage::Failed, Stage::Handling, Stage::Saved, Stage::Held, Stage::Unsure];
    let mut spans = Vec::new();
    for stage in order {
        let members = GROUPS.iter().find(|(first, ..)| *first == stage).map_or(&[][..], |(_, _, members)| *members);
        let count = tally.sum_of(members);
        if count > 0 {
            let gap = if spans.is_empty() { "" } else { " " };
            spans.push(span(format!("{gap}{}", sign(stage)), theme.stage(stage)));
            spans.push(span(text::number(count), theme.text));
        }
    }
    spans
}

fn money(sum: &Sum) -> String {
    let most = if sum.at_most { "≤" } else { "" };
    let more = if sum.unknown > 0 { "+?" } else { "" };
    format!("{most}${:.2}{more}", sum.usd)
}

/// What it has cost so far of what it may cost.
fn cost(tally: &Tally) -> String {
    let (so_far, total) = (tally.so_far(), tally.total());
    match total.unknown {
        all if all == total.tasks => "price unknown".to_owned(),
        _ if so_far == total => money(&total),
        _ => format!("{} of {}", money(&so_far), money(&total)),
    }
}

/// Draws the row of a group.
pub fn row(state: &State, name: &str, group: &Group, area: Rect, theme: &Theme, buf: &mut Buffer) {
    let tally = group.tally();
    let width = usize::from(area.width.saturating_sub(2));
    let counts = tallies(tally, theme);
    let mut tail: Vec<Vec<Span<'_>>> = Vec::new();
    if state.fleet.resting().contains(name) {
        tail.push(vec![span("‖ paused", theme.warning)]);
    } else if let Some(left) = group.left() {
        tail.push(vec![span(format!("~{}", text::roughly(left)), theme.text)]);
    }
    tail.push(vec![span(cost(tally), theme.dim)]);
    let clean = one_line(name);
    let named = (width / 3).clamp(NAME.0, NAME.1);
    let mut room = width.saturating_sub(2 + named + 1);
    let gap = |spans: &[Span<'_>]| spans_width(spans) + 2;
    let mut shown: Vec<Span<'_>> = Vec::new();
    if room >= BAR + 1 + spans_width(&counts) {
        shown.extend(bar(tally, BAR, theme));
        shown.push(span(" ", theme.text));
        room -= BAR + 1;
    }
    room = room.saturating_sub(spans_width(&counts));
    shown.extend(counts);
    for part in tail {
        if gap(&part) <= room {
            room -= gap(&part);
            shown.push(span("  ", theme.text));
            shown.extend(part);
        }
    }
    let mark = if group.is_folded() { FOLDED } else { OPEN };
    put(buf, area.x + 1, area.y, 1, mark, theme.key);
    let cut = text::cut(&clean, named).into_owned();
    let x = area.x + 3;
    put(buf, x, area.y, area.width.saturating_sub(3), &cut, theme.strong);
    let x = x + u16::try_from(named + 1).unwrap_or(0);
    put_spans(buf, x, area.y, area.right().saturating_sub(x), &shown);
}

/// The page about a batch.
pub fn page<'a>(state: &State, name: &str, width: u16, theme: &Theme) -> Vec<Line<'a>> {
    let Some(group) = state.table.group(name) else { return Vec::new() };
    let tally = group.tally();
    let mut page = Page::new(width, theme);
    let resting = state.fleet.resting().contains(name);
    let count = text::number(tally.tasks());
    page.line(vec![foreign(name, theme.strong), span(format!("   {count} tasks"), theme.dim)]);
    let long = bar(tally, LONG_BAR.min(usize::from(width.saturating_sub(4))), theme);
    page.line(std::iter::once(Span::raw("  ")).chain(long).collect());
    if resting {
        page.prose(2, "paused: nothing of it is sent before P lets it go on", theme.warning);
    } else if let Some(left) = group.left() {
        page.prose(2, &format!("all of it should be done in about {}", text::roughly_in_words(left)), theme.text);
    }
    page.line(keys(tally, resting, theme));
    page.head("where its tasks stand");
    for stage in Stage::ALL.into_iter().rev().filter(|stage| tally.count(*stage) > 0) {
        let word = match stage {
            Stage::Saved => "waiting",
            Stage::Failed => "failed",
            Stage::GivenUp => "given up",
            other => other.word(),
        };
        page.line(vec![
            span(format!("  {} ", sign(stage)), theme.stage(stage)),
            span(format!("{word:<12}"), theme.text),
            span(text::number(tally.count(stage)), theme.text),
        ]);
    }
    page.head("cost");
    page.entry("so far", &tally.so_far().words(), theme.text);
    page.entry("all of it", &tally.total().words(), theme.text);
    page.prose(2, "by the price list, before any discount; whether failures are billed is not known", theme.dim);
    times(&mut page, state, group);
    failures(&mut page, state, group);
    page.lines
}

fn keys<'a>(tally: &Tally, resting: bool, theme: &Theme) -> Vec<Span<'a>> {
    let mut spans = vec![Span::raw("  ")];
    let mut say = |key: &'static str, label: &'static str| {
        spans.extend([span(key, theme.key), span(format!(" {label}   "), theme.dim)]);
    };
    if tally.sum_of(&[Stage::Held, Stage::Unsure, Stage::Failed, Stage::Refused]) > 0 {
        say("r", "send what can be sent");
    }
    if tally.sum_of(&[Stage::Saved, Stage::Held]) > 0 {
        say("X", "drop the unsent");
    }
    if resting || tally.tasks() > tally.sum_of(&[Stage::Success, Stage::Failed, Stage::Refused, Stage::GivenUp]) {
        say("P", if resting { "go on" } else { "pause" });
    }
    spans
}

fn times(page: &mut Page<'_, '_>, state: &State, group: &Group) {
    let theme = page.theme;
    page.head("times and chance");
    let clock = |at| text::clock(at, state.now.wall, theme.utc_offset);
    let tasks = || group.members().filter_map(|id| state.fleet.task(id));
    if let Some(first) = tasks().map(|task| task.created).min() {
        page.entry("made", &clock(first), theme.text);
    }
    let open = tasks().any(|task| !task.status.is_final());
    if let Some(last) = tasks().filter_map(|task| task.ended()).max() {
        page.entry(if open { "last end" } else { "ended" }, &clock(last), theme.text);
    }
    let mut seeds: Vec<u64> = tasks().filter_map(|task| task.mark.as_ref()?.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    if !seeds.is_empty() {
        let some: Vec<String> = seeds.iter().take(4).map(ToString::to_string).collect();
        let more = if seeds.len() > some.len() { ", …" } else { "" };
        page.entry("chance", &format!("{}{more}", some.join(", ")), theme.text);
    }
}

/// Why tasks failed, the commonest reason first.
fn failures(page: &mut Page<'_, '_>, state: &State, group: &Group) {
    let theme = page.theme;
    let mut reasons: BTreeMap<String, (u64, &'static str)> = BTreeMap::new();
    for task in group.members().filter_map(|id| state.fleet.task(id)) {
        if !matches!(task.status.stage(), Stage::Failed | Stage::Refused) {
            continue;
        }
        let what = explain(task, state.now.wall, state.now.wall).what;
        let next = match crate::domain::may_retry(task) {
            Ok(()) if group.is_retried(task.id) => "it was sent once more",
            Ok(()) => "may work unchanged: r sends it once more",
            Err(_) => "needs a change: e on the task takes it into the editor",
        };
        let entry = reasons.entry(crate::domain::text::cut(&what, 300).into_owned()).or_insert((0, next));
        entry.0 += 1;
        if entry.1 != next && next.starts_with("may") {
            entry.1 = next;
        }
    }
    if reasons.is_empty() {
        return;
    }
    page.head("failures");
    let mut all: Vec<_> = reasons.into_iter().collect();
    all.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let more = all.len().saturating_sub(REASONS);
    for (what, (count, next)) in all.into_iter().take(REASONS) {
        page.prose(2, &format!("{} × {what}", text::number(count)), theme.failed);
        page.prose(4, next, theme.dim);
    }
    if more > 0 {
        page.prose(2, &format!("and {more} other reasons"), theme.dim);
    }
}

/// What stands where a picture of it would be.
pub fn words<'a>(state: &State, name: &str, theme: &Theme) -> Vec<Line<'a>> {
    let Some(group) = state.table.group(name) else { return Vec::new() };
    let tally = group.tally();
    let resting = state.fleet.resting().contains(name);
    let mut lines = vec![
        Line::from(foreign(name, theme.strong)),
        Line::default(),
        Line::from(bar(tally, LONG_BAR / 2, theme)),
        Line::from(tallies(tally, theme)),
        Line::from(span(cost(tally), theme.dim)),
    ];
    if resting {
        lines.extend([Line::default(), Line::from(span("paused", theme.warning))]);
    } else if let Some(left) = group.left() {
        let words = format!("done in about {}", text::roughly_in_words(left));
        lines.extend([Line::default(), Line::from(span(words, theme.text))]);
    }
    lines.extend([Line::default(), Line::from(keys(tally, resting, theme))]);
    lines
}

/// Lines for the question at this width.
pub fn ask_height(state: &State, ask: &AskBatch, width: u16) -> u16 {
    let lines: usize = asked(state, ask).iter().map(|text| text::wrap(text, usize::from(width)).len()).sum();
    u16::try_from(lines + 6).unwrap_or(u16::MAX)
}

/// What is asked, and what else is to be known.
fn asked(state: &State, ask: &AskBatch) -> Vec<String> {
    match ask.deed {
        Deed::Drop => {
            let count = state.fleet.unsent_of(&ask.batch).len();
            let price = "They were never sent and cost nothing. They leave the history for good.";
            vec![format!("Drop the {} tasks that were not sent?", text::number(count as u64)), price.to_owned()]
        }
        Deed::Retry => {
            let retry = state.retry_of(&ask.batch);
            let count = text::number(retry.again.len() as u64);
            let mut words = vec![format!("Send {count} failed tasks once more?")];
            words.push(format!("Each is a new task and may be paid again: {}.", retry.price.words()));
            if !retry.held.is_empty() {
                let held = text::number(retry.held.len() as u64);
                words.push(format!("{held} that were held go on, too, with the keys they have."));
            }
            if retry.fixed > 0 {
                let fixed = text::number(retry.fixed as u64);
                words.push(format!("{fixed} others failed for a reason that stays: they need a change."));
            }
            words
        }
    }
}

/// Draws the question.
pub fn ask(state: &State, ask: &AskBatch, area: Rect, theme: &Theme, buf: &mut Buffer) {
    let title = [span("batch ", theme.title_focus), foreign(&ask.batch, theme.title_focus)];
    let inner = frame(buf, area, theme, true, &title, &[]);
    let width = inner.width.saturating_sub(4);
    let mut y = inner.y + 1;
    for (at, words) in asked(state, ask).iter().enumerate() {
        let style = if at == 0 { theme.strong } else { theme.text };
        for part in text::wrap(words, usize::from(width)) {
            if y + 3 < inner.bottom() {
                put(buf, inner.x + 2, y, width, &part, style);
                y += 1;
            }
        }
    }
    let body = Rect { y: y + 1, height: inner.bottom().saturating_sub(y + 1), ..inner };
    let yes = match ask.deed {
        Deed::Drop => "yes, drop them",
        Deed::Retry => "yes, send them",
    };
    list(buf, body, theme, 2, usize::from(ask.yes), |row| vec![span(["no, back", yes][row.min(1)], theme.text)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_gets_a_cell_and_no_cell_is_lost() {
        assert_eq!(cells(&[1, 0, 0, 0, 999], 8), [1, 0, 0, 0, 7]);
        assert_eq!(cells(&[1, 1, 1, 1, 9996], 8), [1, 1, 1, 1, 4]);
        assert_eq!(cells(&[5, 5], 8), [4, 4]);
        assert_eq!(cells(&[0, 0], 8), [0, 0]);
        assert_eq!(cells(&[1, 1, 1, 1, 1], 3).iter().sum::<usize>(), 3);
        for n in 1..200_u64 {
            let counts = [n, n * n % 17, 200 - n, u64::from(n % 3 == 0), 7];
            assert_eq!(cells(&counts, 8).iter().sum::<usize>(), 8, "{counts:?}");
        }
    }

    #[test]
    fn parts_are_told_apart_without_colours() {
        let mut glyphs: Vec<&str> = PARTS.iter().map(|(glyph, _)| *glyph).collect();
        glyphs.sort_unstable();
        glyphs.dedup();
        assert_eq!(glyphs.len(), PARTS.len());
        let all: usize = PARTS.iter().map(|(_, stages)| stages.len()).sum();
        assert_eq!(all, Stage::ALL.len());
    }
}
