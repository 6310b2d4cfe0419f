//! The task table: a list of columns, and only the rows of the window.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use crate::app::editor::ratio;
use crate::app::table::Line as Row;
use crate::app::{Pane, Panes, State};
use crate::domain::{Output, OutputState, Role, Stage, Status, Task};

use super::draw::{centred, frame, put, scrollbar, span};
use super::text;
use super::theme::{ELSEWHERE, MISSING, STAR, Theme, sign};

/// A link that ends sooner than this is worth a word.
const SOON: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// What a cell says.
struct Cell {
    text: String,
    style: Style,
}

/// One column.
struct Column {
    title: &'static str,
    /// Cells; the last column takes what is left.
    width: u16,
    /// It is left out when the table is narrower than this.
    from: u16,
    /// What the cell says in so many cells.
    cell: fn(&Task, &State, &Theme, usize) -> Cell,
}

/// The columns, in order.
const COLUMNS: &[Column] = &[
    Column { title: "", width: 1, from: 0, cell: sign_cell },
    Column { title: "status", width: 9, from: 34, cell: status_cell },
    Column { title: TIME, width: 10, from: 40, cell: time_cell },
    Column { title: "model", width: 14, from: 82, cell: model_cell },
    Column { title: "shape", width: 8, from: 54, cell: shape_cell },
    Column { title: "prompt", width: 0, from: 0, cell: prompt_cell },
];
/// Over how long a task has run, or took, and how much longer it should run.
const TIME: &str = "time  left";
/// Cells for the second of them, with the gap.
const LEFT: usize = 6;
/// A task that runs unusually long, in the place where the time it has left would stand.
pub const SLOW: &str = "!slow";
/// Wider models from this width of the table on.
const WIDE: u16 = 100;
/// Seconds beside the minutes from this width on.
const ROOMY: u16 = 82;
/// Two cells stand between columns from this width on, one below.
const AIRY: u16 = 54;

/// Draws the table in its frame; `total` counts the tasks that are not loaded, too.
pub fn draw(state: &State, total: u64, panes: &Panes, theme: &Theme, buf: &mut Buffer) {
    let focused = state.dialog.is_none() && state.pane == Pane::Table;
    let total = total.max(state.table.len() as u64);
    let title = if focused { theme.title_focus } else { theme.title };
    let number = match state.table.index() {
        // Folded groups hide tasks: then rows are counted, and tasks beside them.
        Some(index) if state.table.has_groups() => format!(
            "{} of {} · {} tasks",
            text::number(index as u64 + 1),
            text::number(state.table.rows() as u64),
            text::number(total)
        ),
        Some(index) => format!("{} of {}", text::number(index as u64 + 1), text::number(total)),
        None => String::new(),
    };
    let right = if number.is_empty() { vec![] } else { vec![span(number, theme.dim)] };
    frame(buf, panes.table_frame, theme, focused, &[span("tasks", title)], &right);
    let rows = panes.rows;
    if rows.is_empty() {
        return;
    }
    if state.table.is_empty() && state.table.loading {
        return;
    }
    if state.table.is_empty() {
        let area = Rect { y: rows.y.saturating_sub(1), height: rows.height + 1, ..rows };
        return empty(area, theme, buf);
    }
    let columns = columns(rows.width);
    for (column, x, width) in &columns {
        // The heads of the two figures stand over their ends.
        let shift = if column.title == TIME { *width - u16::try_from(TIME.len()).unwrap_or(0) } else { 0 };
        put(buf, *x + rows.x + shift, rows.y - 1, *width, column.title, theme.dim);
    }
    let (lines, cursor) = state.table.window(usize::from(rows.height));
    for (index, line) in lines.iter().enumerate() {
        let y = rows.y + u16::try_from(index).unwrap_or(0);
        match line {
            Row::Group(name) => {
                let Some(group) = state.table.group(name) else { continue };
                super::group::row(state, name, group, Rect { y, height: 1, ..rows }, theme, buf);
            }
            Row::Task(id) => {
                let Some(task) = state.fleet.task(*id) else { continue };
                for (column, x, width) in &columns {
                    let cell = (column.cell)(task, state, theme, usize::from(*width));
                    let short = text::cut(&cell.text, usize::from(*width));
                    put(buf, rows.x + x, y, *width, &short, cell.style);
                }
                if let Some((_, group)) = state.table.group_of(*id).filter(|(_, group)| group.has_row()) {
                    let last = group.members().next_back() == Some(*id);
                    put(buf, rows.x, y, 1, if last { "╰" } else { "│" }, theme.frame);
                }
            }
        }
        if cursor == Some(index) {
            let row = Rect { y, height: 1, ..rows };
            theme.mark(row, focused, buf);
            if focused {
                put(buf, rows.x, y, 1, "▌", theme.key.patch(theme.cursor));
            }
        }
    }
    let track = Rect { x: rows.right(), width: 1, ..rows };
    let style = if focused { theme.frame_focus } else { theme.dim };
    scrollbar(buf, track, state.table.top(), state.table.rows(), style);
}

/// The columns that have room, with their place and width.
fn columns(width: u16) -> Vec<(&'static Column, u16, u16)> {
    let gap = if width >= AIRY { 2 } else { 1 };
    let mut x = 1;
    let mut shown = Vec::new();
    for column in COLUMNS.iter().filter(|column| column.from <= width) {
        let wide = match column.title {
            "prompt" => width.saturating_sub(x + 1),
            "model" if width >= WIDE => 22,
            TIME if width >= ROOMY => 13,
            _ => column.width,
        };
        shown.push((column, x, wide));
        // The sign belongs to its word.
        x += wide + if column.title.is_empty() { 1 } else { gap };
    }
    shown
}

/// What to do when there is nothing yet.
fn empty(area: Rect, theme: &Theme, buf: &mut Buffer) {
    let lines = [
        Line::from(span("no tasks yet", theme.strong)),
        Line::default(),
        Line::from(span("type a prompt below and press", theme.dim)),
        Line::from(vec![span("ctrl-s", theme.key), span(" to send it", theme.dim)]),
    ];
    let skip = if area.height < 4 { 2 } else { 0 };
    centred(buf, area, &lines[skip..]);
}

fn sign_cell(task: &Task, state: &State, theme: &Theme, _: usize) -> Cell {
    let stage = task.status.stage();
    match &task.status {
        _ if state.fleet.is_stray(task.id) => Cell { text: ELSEWHERE.to_owned(), style: theme.dim },
        Status::Missing(_) => Cell { text: MISSING.to_owned(), style: theme.warning },
        _ => Cell { text: sign(stage).to_owned(), style: theme.stage(stage) },
    }
}

/// The word for where a task stands, as people say it.
#[must_use]
pub fn word(status: &Status) -> &str {
    match status {
        Status::Saved => "waiting",
        Status::Failed(_) => "failed",
        Status::GivenUp(_) => "given up",
        other => other.word(),
    }
}

fn status_cell(task: &Task, state: &State, theme: &Theme, _: usize) -> Cell {
    let stage = task.status.stage();
    let say = |text: &str, style| Cell { text: text.to_owned(), style };
    if stage != Stage::Success || state.fleet.is_stray(task.id) {
        let clean = crate::domain::text::one_line(word(&task.status)).into_owned();
        let missing = matches!(task.status, Status::Missing(_));
        return say(&clean, if missing { theme.warning } else { theme.stage(stage) });
    }
    let away = |output: &Output| output.state == OutputState::Away;
    let lost = |output: &Output| matches!(output.state, OutputState::Lost { .. });
    let soon = |output: &Output| output.expires.is_some_and(|at| at.since(state.fleet.at_service(state.now)) < SOON);
    if task.outputs.is_empty() {
        say("no output", theme.warning)
    } else if task.outputs.iter().any(lost) {
        say("lost", theme.warning)
    } else if task.assets().any(|(id, output)| away(output) && state.fleet.is_fetching(id)) {
        say("fetching", theme.running)
    } else if task.outputs.iter().any(|output| away(output) && soon(output)) {
        say("expiring", theme.warning)
    } else if task.outputs.iter().any(away) {
        say("to fetch", theme.running)
    } else if task.assets().any(|(id, output)| output.home().is_some() && state.gone.contains(&id)) {
        say("file gone", theme.warning)
    } else {
        say("success", theme.done)
    }
}

/// How long it has run, and how much longer it should; or how long it took. The figures end in the same two places in
/// every row.
fn time_cell(task: &Task, state: &State, theme: &Theme, width: usize) -> Cell {
    let room = width.saturating_sub(LEFT);
    let running = task.status.is_running().then(|| task.accepted().map(|at| state.now.wall.since(at))).flatten();
    let write = |span| {
        let full = text::span(span);
        if full.len() <= room { full } else { text::short_span(span) }
    };
    let Some(age) = running else {
        // The second place is free: what took long may reach into it.
        let took = task.took().map_or_else(|| "–".to_owned(), text::span);
        return Cell { text: format!("{took:>room$}"), style: theme.dim };
    };
    let age = write(age);
    let outlook = state.fleet.outlook(task.id, state.now);
    let (left, style) = match outlook {
        Some(outlook) if outlook.slow => (SLOW.to_owned(), theme.warning),
        Some(outlook) => (format!("~{}", text::roughly(outlook.left)), theme.text),
        None => (String::new(), theme.text),
    };
    Cell { text: format!("{age:>room$}{left:>LEFT$}"), style }
}

fn model_cell(task: &Task, _: &State, theme: &Theme, _: usize) -> Cell {
    let model = task.request.full_model();
    let clean = crate::domain::text::one_line(&model).into_owned();
    Cell { text: clean, style: theme.dim }
}

fn shape_cell(task: &Task, state: &State, theme: &Theme, _: usize) -> Cell {
    let shape = task.request.value(Role::Shape, &state.catalogue);
    let sent = shape.or_else(|| task.request.value(Role::Size, &state.catalogue));
    let text = sent.map(|value| {
        let clean = crate::domain::text::one_line(&value).into_owned();
        match ratio(&clean) {
            Some(ratio) => format!("{} {clean}", text::silhouette(ratio)),
            None => format!("   {clean}"),
        }
    });
    Cell { text: text.unwrap_or_default(), style: theme.shape }
}

fn prompt_cell(task: &Task, state: &State, theme: &Theme, _: usize) -> Cell {
    if task.is_elsewhere() {
        let word = if state.fleet.is_stray(task.id) { "made elsewhere" } else { "adopted" };
        let name = task.task_id.as_ref().map(|id| id.as_str()).unwrap_or_default();
        return Cell { text: format!("{word}  {name}"), style: theme.dim };
    }
    // What cannot fit need not be cleaned: a prompt may be a megabyte.
    let start = task.request.prompt.trim_start();
    let some = &start[..start.floor_char_boundary(2000)];
    let text = crate::domain::text::one_line(some).into_owned();
    let text = if task.starred { format!("{STAR} {text}") } else { text };
    Cell { text, style: theme.text }
}
