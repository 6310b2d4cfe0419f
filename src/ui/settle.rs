//! The dialog about a creation whose outcome nobody knows: what happened, what can be done, what it may cost.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::State;
use crate::app::settle::{Choice, Settling, choices};
use crate::domain::text::lines as clean_lines;
use crate::domain::{Stage, Task, TaskId, explain, price};

use super::dialogs::list;
use super::draw::{foreign, frame, put_spans, span};
use super::table::word;
use super::text;
use super::theme::{Theme, sign};

/// Lines for a dialog of this width.
pub fn height(state: &State, settling: &Settling, width: u16, theme: &Theme) -> u16 {
    let words = words(state, settling, width.saturating_sub(6), theme).len();
    u16::try_from(words + choices(state, settling).len()).unwrap_or(u16::MAX).saturating_add(5)
}

/// Draws it.
pub fn draw(state: &State, settling: &Settling, area: Rect, theme: &Theme, buf: &mut Buffer) {
    let title = [span("decide about task ", theme.title_focus), span(settling.id.short(), theme.title_focus)];
    let inner = frame(buf, area, theme, true, &title, &[]);
    let rows = choices(state, settling);
    let width = inner.width.saturating_sub(4);
    let mut words = words(state, settling, width, theme);
    // The choices stay in sight, whatever there is to say.
    let room = usize::from(inner.height).saturating_sub(rows.len().min(5) + 2);
    words.truncate(room);
    let mut y = inner.y + 1;
    for line in &words {
        put_spans(buf, inner.x + 2, y, width, &line.spans);
        y += 1;
    }
    y += 1;
    let body = Rect { y, height: inner.bottom().saturating_sub(y), ..inner };
    list(buf, body, theme, rows.len(), settling.row(&rows), |index| {
        rows.get(index).map(|choice| row(state, settling, choice, theme)).unwrap_or_default()
    });
}

fn words<'a>(state: &State, settling: &Settling, width: u16, theme: &Theme) -> Vec<Line<'a>> {
    let Some(task) = state.fleet.task(settling.id) else { return Vec::new() };
    let mut lines = Vec::new();
    let mut say = |text: &str, style| {
        for part in text::wrap(&clean_lines(text), usize::from(width)) {
            lines.push(Line::from(span(part, style)));
        }
    };
    match &settling.confirm {
        Some(Choice::Anew) => {
            say("Send it anew? That is a second task with a key of its own.", theme.strong);
            say(
                &format!("If the first one was accepted after all, both are paid: {}.", cost(state, task)),
                theme.warning,
            );
        }
        Some(_) => {
            say("Give it up? It is never sent again.", theme.strong);
            say("If it was accepted after all, it is paid, and its outputs stay at the service.", theme.warning);
        }
        None => {
            say(&explain(task, state.now.wall, state.fleet.at_service(state.now)).what, theme.text);
            say(&search(state, settling), theme.dim);
        }
    }
    lines
}

fn cost(state: &State, task: &Task) -> String {
    price::words(price::quote(&task.request, &state.catalogue).as_ref())
}

/// What the account's list has shown so far.
fn search(state: &State, settling: &Settling) -> String {
    let strays = state.fleet.strays();
    let fitting = state.fleet.candidates(settling.id).len();
    if strays.is_asking() {
        return "looking into the account's list…".to_owned();
    }
    if let Some(problem) = strays.problem() {
        return format!("the account's list cannot be read: {}", problem.sentence());
    }
    match (strays.pages(), fitting) {
        (0, _) => "the account's list was not read yet".to_owned(),
        (_, 0) => "no task of the account fits its model and time so far".to_owned(),
        (_, 1) => "one task of the account fits its model and time".to_owned(),
        (_, more) => format!("{more} tasks of the account fit its model and time"),
    }
}

fn row<'a>(state: &State, settling: &Settling, choice: &Choice, theme: &Theme) -> Vec<Span<'a>> {
    let with = |text: &str, more: &str| vec![span(text.to_owned(), theme.text), span(format!("   {more}"), theme.dim)];
    match choice {
        Choice::Again => with("ask again with the same key", "never paid twice"),
        Choice::Adopt(task_id) => candidate(state, settling, task_id, theme),
        Choice::Further(page) => with("look further down the account's list", &format!("page {page}")),
        Choice::Anew => {
            let cost = state.fleet.task(settling.id).map(|task| cost(state, task)).unwrap_or_default();
            with("send it anew", &format!("a second task; {cost}"))
        }
        Choice::GiveUp => with("give it up", "never sent again"),
        Choice::Back => vec![span("no, back", theme.text)],
        Choice::Yes => match settling.confirm {
            Some(Choice::Anew) => vec![span("yes, send it anew", theme.text)],
            _ => vec![span("yes, give it up", theme.text)],
        },
    }
}

/// A task that it may have become.
fn candidate<'a>(state: &State, settling: &Settling, task_id: &TaskId, theme: &Theme) -> Vec<Span<'a>> {
    let Some(stray) = state.fleet.strays().named(task_id) else { return Vec::new() };
    let stage = stray.status.stage();
    let at = text::clock(stray.created, state.now.wall, theme.utc_offset);
    let sent = state
        .fleet
        .task(settling.id)
        .map_or(stray.created, |task| task.times.at(Stage::Sending).unwrap_or(task.created));
    let when = if stray.created >= sent {
        format!("{} after it was sent", text::span(stray.created.since(sent)))
    } else {
        format!("{} before it was sent", text::span(sent.since(stray.created)))
    };
    vec![
        span("adopt ", theme.text),
        span(format!("{} ", sign(stage)), theme.stage(stage)),
        foreign(word(&stray.status), theme.text),
        span(format!("   made {at}, {when}"), theme.dim),
        span(format!("   {task_id}"), theme.dim),
    ]
}
