//! Dialogs about where tasks come from and what comes of them.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use crate::app::State;
use crate::app::kin::{KinDialog, Promotion, failures, members, row_of, targets};
use crate::domain::cause::Cause;
use crate::domain::kin::Member;
use crate::domain::promote::{Entry, Fate};
use crate::domain::text::{cut, one_line};
use crate::domain::{How, price, validate};

use super::dialogs::list;
use super::draw::{foreign, frame, put, put_spans, scrolled, span};
use super::table::word;
use super::text;
use super::theme::{STAR, Theme, sign};

/// Longest value of a field that is told whole, in bytes.
const VALUE: usize = 400;

/// How wide and how high the dialog wants to be, where it may be `most` cells wide.
pub fn size(state: &State, dialog: &KinDialog, most: u16, theme: &Theme) -> (u16, u16) {
    let lines = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
    match dialog {
        KinDialog::Target { of, how, .. } => {
            let width = most.min(84);
            (width, lines(targets(state, *of, *how, "").len()).saturating_add(4))
        }
        KinDialog::Carried(promotion) => {
            let width = most.min(96);
            let count = carried_lines(state, promotion, width.saturating_sub(4), theme).len();
            (width, lines(count).saturating_add(2))
        }
        KinDialog::Family { at } => (most.min(100), lines(members(state, *at).len()).saturating_add(2)),
        KinDialog::Causes { .. } => {
            let width = most.min(100);
            let rows: usize = failures(state).len();
            (width, lines(rows).saturating_add(9))
        }
    }
}

/// Draws it. Returns where the cursor belongs, and how far the page can be scrolled.
pub fn draw(
    state: &State,
    dialog: &KinDialog,
    area: Rect,
    theme: &Theme,
    buf: &mut Buffer,
) -> (Option<Position>, Option<u16>) {
    match dialog {
        KinDialog::Target { of, how, query, cursor } => {
            let found = targets(state, *of, *how, query);
            let name = if *how == How::Reference { "use its output with" } else { "same prompt on" };
            let title = [span(name, theme.title_focus)];
            let number = if found.len() == 1 { "1 model".to_owned() } else { format!("{} models", found.len()) };
            let inner = frame(buf, area, theme, true, &title, &[span(number, theme.dim)]);
            if inner.height < 3 {
                return (None, None);
            }
            let room = inner.width.saturating_sub(5);
            let start = put_spans(buf, inner.x + 2, inner.y, 2, &[span("› ", theme.key)]);
            let typed = one_line(query);
            let end = match typed.as_ref() {
                "" => {
                    put(buf, start, inner.y, room, "type to narrow the list", theme.dim);
                    start
                }
                typed => put(buf, start, inner.y, room, typed, theme.strong),
            };
            let body = Rect { y: inner.y + 2, height: inner.height - 2, ..inner };
            if found.is_empty() {
                put(buf, body.x + 2, body.y, room, "no model matches", theme.dim);
            }
            let wide = found.iter().map(|spec| text::width(&spec.name)).max().unwrap_or(0).min(36);
            list(buf, body, theme, found.len(), *cursor, |index| {
                let Some(spec) = found.get(index) else { return Vec::new() };
                let short = text::cut(&one_line(&spec.name), wide).into_owned();
                let pad = " ".repeat(wide.saturating_sub(text::width(&short)) + 2);
                let least = spec.price.iter().flat_map(|price| price.values.values().copied()).reduce(f64::min);
                let cost = least.map(|usd| format!("from ${usd}")).unwrap_or_default();
                let kind = format!("{:<15}", one_line(&spec.kind));
                vec![span(short + &pad, theme.text), span(kind, theme.dim), span(cost, theme.dim)]
            });
            (Some(Position { x: end.min(inner.right().saturating_sub(1)), y: inner.y }), None)
        }
        KinDialog::Carried(promotion) => {
            let lines = carried_lines(state, promotion, area.width.saturating_sub(4), theme);
            let title = [span("to ", theme.title_focus), foreign(&promotion.carried.draft.model, theme.title_focus)];
            (None, Some(scrolled(buf, area, theme, &title, &lines, promotion.scroll)))
        }
        KinDialog::Family { at } => {
            tree(state, *at, area, theme, buf);
            (None, None)
        }
        KinDialog::Causes { at, sure } => {
            let all = failures(state);
            let row = row_of(&all, *at);
            causes(&all, row, sure.as_ref().map(Vec::len), area, theme, buf);
            (None, None)
        }
    }
}

/// What is carried, what changes, what cannot be carried, and whether it can be sent.
fn carried_lines<'a>(state: &State, promotion: &Promotion, width: u16, theme: &Theme) -> Vec<Line<'a>> {
    let carried = &promotion.carried;
    let mut lines = Vec::new();
    let dropped = |entry: &&Entry| matches!(entry.fate, Fate::Dropped { .. });
    let changed = |entry: &&Entry| matches!(entry.fate, Fate::Changed { .. } | Fate::Added { .. });
    let kept = |entry: &&Entry| entry.fate == Fate::Kept;
    let groups: [(&str, Vec<&Entry>); 3] = [
        ("carried", carried.entries.iter().filter(kept).collect()),
        ("changed", carried.entries.iter().filter(changed).collect()),
        ("not carried", carried.entries.iter().filter(dropped).collect()),
    ];
    let named = carried.entries.iter().map(|entry| text::width(&label(entry)));
    let room = named.max().unwrap_or(0).clamp(8, 28);
    for (title, entries) in groups {
        if entries.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::from(span(title, theme.accent)));
        for entry in entries {
            lines.extend(entry_lines(entry, room, usize::from(width), theme));
        }
    }
    lines.push(Line::default());
    let say = |lines: &mut Vec<Line<'a>>, text: &str, style| {
        let parts = text::wrap(&one_line(text), usize::from(width));
        lines.extend(parts.into_iter().map(|part| Line::from(span(part, style))));
    };
    for fault in &carried.faults {
        say(&mut lines, &format!("! {fault}"), theme.warning);
    }
    if let Ok(request) = validate::validate(&carried.draft, &state.catalogue, None) {
        let cost = price::words(price::quote(&request, &state.catalogue).as_ref());
        say(&mut lines, &cost, theme.dim);
    }
    let mut keys = vec![span("enter", theme.key)];
    keys.push(span(if carried.is_whole() { " sends it" } else { " mends it in the editor" }, theme.dim));
    keys.extend([span("   e", theme.key), span(" edits it first", theme.dim)]);
    keys.extend([span("   esc", theme.key), span(" leaves it", theme.dim)]);
    lines.push(Line::from(keys));
    lines
}

fn label(entry: &Entry) -> String {
    let name = |text: &str| one_line(text).replace('_', " ");
    match &entry.renamed {
        Some(there) => format!("{} → {}", name(&entry.field), name(there)),
        None => name(&entry.field),
    }
}

fn entry_lines<'a>(entry: &Entry, room: usize, width: usize, theme: &Theme) -> Vec<Line<'a>> {
    let name = text::cut(&label(entry), room).into_owned();
    let pad = " ".repeat(room.saturating_sub(text::width(&name)) + 2);
    let from = one_line(&cut(&entry.from, VALUE)).into_owned();
    let (value, style) = match &entry.fate {
        Fate::Kept => (from, theme.text),
        Fate::Changed { to } => (format!("{from} → {}", one_line(&cut(to, VALUE))), theme.warning),
        Fate::Added { to } => (one_line(&cut(to, VALUE)).into_owned(), theme.text),
        Fate::Dropped { why } => (format!("{from}   {}", one_line(why)), theme.dim),
    };
    let indent = 2 + room + 2;
    let mut parts = text::wrap(&value, width.saturating_sub(indent).max(8)).into_iter();
    let first = parts.next().unwrap_or_default();
    let mut lines = vec![Line::from(vec![
        span("  ", theme.text),
        span(name, theme.dim),
        span(pad, theme.text),
        span(first, style),
    ])];
    // A prompt may be long; three lines tell which it is.
    lines.extend(parts.take(2).map(|part| Line::from(vec![span(" ".repeat(indent), theme.text), span(part, style)])));
    lines
}

/// The tree of a family.
fn tree(state: &State, at: crate::domain::LocalId, area: Rect, theme: &Theme, buf: &mut Buffer) {
    let members = members(state, at);
    let number = if members.len() == 1 { "no relatives".to_owned() } else { format!("{} tasks", members.len()) };
    let title = [span("family", theme.title_focus)];
    let inner = frame(buf, area, theme, true, &title, &[span(number, theme.dim)]);
    let row = members.iter().position(|member| member.id == at).unwrap_or(0);
    list(buf, inner, theme, members.len(), row, |index| {
        members.get(index).map(|member| member_row(state, member, theme)).unwrap_or_default()
    });
}

fn member_row<'a>(state: &State, member: &Member, theme: &Theme) -> Vec<Span<'a>> {
    let Some(task) = state.fleet.task(member.id) else { return Vec::new() };
    let mut branch = String::new();
    if let Some((last, before)) = member.lines.split_last() {
        // Deep families keep their last steps in sight.
        let skip = before.len().saturating_sub(8);
        before.iter().skip(skip).for_each(|goes_on| branch.push_str(if *goes_on { "│  " } else { "   " }));
        branch.push_str(if *last { "├─ " } else { "└─ " });
    }
    let stage = task.status.stage();
    let mut spans = vec![
        span(branch, theme.frame_focus),
        span(format!("{} ", sign(stage)), theme.stage(stage)),
        span(member.id.short(), theme.strong),
        span("  ", theme.text),
    ];
    if task.starred {
        spans.push(span(format!("{STAR} "), theme.warning));
    }
    if let Some(how) = member.how {
        spans.push(span(format!("{}  ", how.word()), theme.accent));
    }
    spans.push(foreign(word(&task.status), theme.stage(stage)));
    spans.push(span("  ", theme.text));
    spans.push(foreign(&task.request.full_model(), theme.dim));
    spans.push(span("  ", theme.text));
    let start = task.request.prompt.trim_start();
    spans.push(foreign(&start[..start.floor_char_boundary(400)], theme.text));
    spans
}

/// The causes, and what to do about the chosen one.
fn causes(all: &[Cause], row: usize, sure: Option<usize>, area: Rect, theme: &Theme, buf: &mut Buffer) {
    let count: usize = all.iter().map(|cause| cause.tasks.len()).sum();
    let title = [span("what failed, by cause", theme.title_focus)];
    let inner = frame(buf, area, theme, true, &title, &[span(format!("{count} tasks"), theme.dim)]);
    let width = inner.width.saturating_sub(4);
    let mut below = Vec::new();
    if let Some(cause) = all.get(row) {
        let told = |text: &str, most: usize| {
            let mut parts = text::wrap(&one_line(&cut(text, VALUE)), usize::from(width));
            parts.truncate(most);
            parts
        };
        below.extend(told(&cause.what, 3).into_iter().map(|part| (part, theme.text)));
        below.extend(told(cause.next.as_deref().unwrap_or_default(), 3).into_iter().map(|part| (part, theme.dim)));
    }
    below.extend(sure.map(|count| (format!("r sends {count} again as new tasks, each paid for"), theme.warning)));
    let lines = u16::try_from(below.len()).unwrap_or(0) + 1;
    let body = Rect { height: inner.height.saturating_sub(lines).max(1.min(inner.height)), ..inner };
    let most = all.iter().map(|cause| cause.tasks.len()).max().unwrap_or(0).to_string().len();
    let wide = all.iter().map(|cause| text::width(cause.kind.title())).max().unwrap_or(0);
    list(buf, body, theme, all.len(), row, |index| {
        let Some(cause) = all.get(index) else { return Vec::new() };
        vec![
            span(format!("{:>most$} × ", cause.tasks.len()), theme.strong),
            span(format!("{:<wide$}  ", cause.kind.title()), theme.failed),
            foreign(&cause.what[..cause.what.floor_char_boundary(1000)], theme.text),
        ]
    });
    for (y, (line, style)) in (body.bottom() + 1..inner.bottom()).zip(&below) {
        put(buf, inner.x + 2, y, width, line, *style);
    }
}
