//! The picture of the chosen task, or calm words in its place.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use std::sync::Arc;
use std::time::Duration;

use crate::app::{Level, Slot, State, Want};
use crate::domain::Explanation;
use crate::domain::cause::{self, may_repeat};
use crate::domain::text::one_line;
use crate::domain::{Home, Outcome, OutputState, Problem, Stage, Status, Task, explain, request};
use crate::graphics::{Gallery, Picture, PictureKey, Placed, place};

use super::draw::{centred, foreign, frame, put_spans, span};
use super::text;
use super::theme::{ELSEWHERE, MISSING, Theme, sign};

/// Nothing is said of a picture that is this quick to come.
const QUIET: Duration = Duration::from_millis(400);
/// Words in the middle are easiest to read in lines not longer than this.
const MEASURE: usize = 44;

/// The gallery's name for a wanted picture. Whoever encodes it must use the same.
#[must_use]
pub fn picture_key(want: &Want) -> PictureKey {
    let level = match want.level {
        Level::First => "first",
        Level::Fit => "fit",
        Level::Alike => "alike",
        Level::Full => "full",
    };
    let part = want.view.map(|view| {
        let rect = view.rect;
        format!("/{},{},{},{},{:x}", rect.x, rect.y, rect.width, rect.height, view.scale.to_bits())
    });
    let asset = format!("{}/{level}{}", want.sha256, part.unwrap_or_default());
    PictureKey { asset, cells: want.cells }
}

/// Puts the best picture there is into `area`, with the next lesser one to stand in until the terminal has it all.
pub fn put_picture(state: &State, gallery: &Gallery, area: Rect, buf: &mut Buffer) -> Option<Placed> {
    let mut known = state.preview.candidates().filter_map(|want| gallery.peek(&picture_key(&want)).map(Arc::clone));
    let best: Arc<Picture> = known.next()?;
    let instead = known.next();
    place(&best, area, buf).map(|placed| placed.or(instead.as_ref()))
}

/// Some level of the wanted picture can be shown.
fn is_ready(state: &State, gallery: &Gallery) -> bool {
    state.preview.candidates().any(|want| gallery.peek(&picture_key(&want)).is_some())
}

/// The rectangles of the pane.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// The frame.
    pub frame: Rect,
    /// The picture.
    pub picture: Rect,
    /// The lines under it.
    pub caption: Rect,
}

/// Draws the pane. `covered` says that something lies over it: then there is no picture at all rather than a part.
pub fn draw(
    state: &State,
    gallery: &Gallery,
    places: Places,
    covered: bool,
    theme: &Theme,
    buf: &mut Buffer,
) -> Option<Placed> {
    let Some(task) = state.seen() else {
        if let Some(name) = state.batch() {
            frame(buf, places.frame, theme, false, &[foreign(&name, theme.text)], &[]);
            centred(buf, places.picture, &super::group::words(state, &name, theme));
            return None;
        }
        frame(buf, places.frame, theme, false, &[span("preview", theme.title)], &[]);
        let words = Line::from(span("the picture of the chosen task appears here", theme.dim));
        centred(buf, places.picture, &wrapped(&[words], places.picture.width));
        return None;
    };
    let id = [span(task.id.short(), theme.dim)];
    frame(buf, places.frame, theme, false, &title(task, theme), &id);
    caption(state, task, places.caption, theme, buf);
    if is_ready(state, gallery) {
        return if covered { None } else { put_picture(state, gallery, places.picture, buf) };
    }
    say_instead(state, task, places.picture, theme, buf);
    None
}

/// What is said where the picture would be.
pub fn say_instead(state: &State, task: &Task, area: Rect, theme: &Theme, buf: &mut Buffer) {
    let lines = words(state, task, theme);
    centred(buf, area, &wrapped(&lines, area.width));
}

fn title<'a>(task: &Task, theme: &Theme) -> Vec<ratatui::text::Span<'a>> {
    let stage = task.status.stage();
    let prompt = task.request.prompt.trim();
    let some = &prompt[..prompt.floor_char_boundary(400)];
    let name = if some.is_empty() { task.request.full_model() } else { some.to_owned() };
    vec![span(format!("{} ", sign(stage)), theme.stage(stage)), foreign(&name, theme.text)]
}

/// Breaks single-span lines to the width of the pane.
fn wrapped<'a>(lines: &[Line<'a>], width: u16) -> Vec<Line<'a>> {
    let measure = usize::from(width.saturating_sub(2)).min(MEASURE);
    let broken = |line: &Line<'a>| match line.spans.as_slice() {
        [one] if text::width(&one.content) > measure => {
            text::wrap(&one.content, measure).into_iter().map(|part| Line::from(span(part, one.style))).collect()
        }
        _ => vec![line.clone()],
    };
    lines.iter().flat_map(broken).collect()
}

/// What stands where the picture would be.
fn words<'a>(state: &State, task: &Task, theme: &Theme) -> Vec<Line<'a>> {
    let line = |text: &str, style| Line::from(foreign(text, style));
    if let Some(home) = state.picture() {
        let possible = state.pictures.as_ref().is_some_and(|way| way.protocol.is_some());
        let gone = task.assets().any(|(id, output)| output.home() == Some(home) && state.gone.contains(&id));
        return match &state.preview.slot {
            _ if gone => vec![
                line("file gone", theme.warning),
                Line::default(),
                line(&home.file, theme.text),
                Line::default(),
                line("d fetches it again while its link works", theme.dim),
            ],
            Slot::Failed(why) => vec![
                line("this picture cannot be shown", theme.warning),
                Line::default(),
                line(why, theme.text),
                Line::default(),
                line("the file is on the disk, see below", theme.dim),
            ],
            _ if !possible => file_words(home, theme, "this terminal shows no pictures"),
            _ if state.preview.waited(state.now) < QUIET => Vec::new(),
            _ => vec![line("…", theme.dim)],
        };
    }
    if let Some(home) = state.output().and_then(|output| output.home()) {
        let why = match kind(&home.format) {
            Some(kind) => format!("{kind}: a terminal cannot play it; w says where it is"),
            None => "no picture, but a file; w says where it is".to_owned(),
        };
        return file_words(home, theme, &why);
    }
    let stage = task.status.stage();
    let said = said(state, task);
    let style = match stage {
        Stage::Refused | Stage::GivenUp | Stage::Failed => theme.failed,
        Stage::Held | Stage::Unsure => theme.warning,
        _ => theme.text,
    };
    let fetching = task.assets().any(|(id, _)| state.fleet.is_fetching(id));
    let what = if fetching { "finished; the picture is being fetched".to_owned() } else { said.what };
    let (sign, look) = match &task.status {
        _ if state.fleet.is_stray(task.id) => (ELSEWHERE, theme.dim),
        Status::Missing(_) => (MISSING, theme.warning),
        _ => (sign(stage), theme.stage(stage)),
    };
    let mut lines = vec![line(sign, look), Line::default(), line(&capital(&what), style)];
    if let Some(kind) = cause::kind(task).filter(|_| !fetching) {
        lines.push(line(&format!("kind of failure: {}", kind.title()), theme.dim));
    }
    let outlook = state.fleet.outlook(task.id, state.now);
    let slow = outlook.filter(|outlook| outlook.slow);
    if let Some(since) = elapsed(state, task) {
        let left = outlook.filter(|outlook| !outlook.slow).map(|outlook| text::roughly_in_words(outlook.left));
        let left = left.map(|left| format!("; about {left} left")).unwrap_or_default();
        lines.push(line(&format!("{} so far{left}", text::span(since)), theme.dim));
    }
    lines.extend(slow.map(|outlook| line(&super::detail::expected(outlook), theme.warning)));
    if let Some(next) = said.next {
        lines.extend([Line::default(), line(&next, theme.dim)]);
    }
    if let Some(keys) = keys(state, task, theme) {
        lines.extend([Line::default(), keys]);
    }
    lines
}

/// Where a task stands in plain words, and what to do next.
pub fn said(state: &State, task: &Task) -> Explanation {
    if !state.fleet.is_stray(task.id) {
        return explain(task, state.now.wall, state.fleet.at_service(state.now));
    }
    Explanation {
        what: format!("another program of the account created it; {}", super::table::word(&task.status)),
        next: Some("it is not watched here. Adopt it, and it is watched and its outputs are fetched".to_owned()),
    }
}

/// The keys that go on from here.
pub fn keys<'a>(state: &State, task: &Task, theme: &Theme) -> Option<Line<'a>> {
    let keys: &[(&str, &str)] = match &task.status {
        _ if state.fleet.is_stray(task.id) => &[("a", "adopt it"), ("o", "hide those")],
        Status::Refused(_) | Status::GivenUp(_) | Status::Failed(_) if task.is_elsewhere() => return None,
        Status::Held(Some(problem)) if problem.outcome() == Outcome::Blocked => {
            &[("R", "go on with the queue"), ("X", "drop it")]
        }
        Status::Held(_) => &[("r", "send it"), ("X", "drop it")],
        Status::Unsure(Some(Problem::Mismatch { .. })) => &[("u", "decide")],
        Status::Unsure(_) => &[("r", "settle it"), ("u", "decide")],
        Status::Missing(_) => &[("f", "look now")],
        Status::Refused(_) | Status::Failed(_) if may_repeat(task).is_ok() => &[(".", "send again"), ("e", "edit it")],
        Status::Refused(_) | Status::Failed(_) => &[("e", "mend it and send anew")],
        Status::GivenUp(_) => &[("e", "edit and send anew")],
        Status::Success if task.outputs.is_empty() && !task.is_elsewhere() => &[(".", "send it again, paid again")],
        _ => return None,
    };
    let mut spans = Vec::new();
    for (key, label) in keys {
        if !spans.is_empty() {
            spans.push(span("   ", theme.text));
        }
        spans.extend([span(*key, theme.key), span(format!(" {label}"), theme.dim)]);
    }
    Some(Line::from(spans))
}

/// How long it has been where it is, for what moves.
fn elapsed(state: &State, task: &Task) -> Option<Duration> {
    let since = match task.status.stage() {
        stage if stage.is_running() => task.accepted(),
        stage @ (Stage::Sending | Stage::Unsure) => task.times.at(stage),
        _ => None,
    };
    since.map(|at| state.now.wall.since(at))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// What a file is that is no picture.
fn kind(format: &str) -> Option<&'static str> {
    match format {
        "mp4" | "webm" | "mov" | "mkv" | "avi" => Some("a film"),
        "mp3" | "wav" | "ogg" | "flac" | "m4a" | "aac" | "opus" => Some("a sound"),
        _ => None,
    }
}

fn file_words<'a>(home: &Home, theme: &Theme, why: &str) -> Vec<Line<'a>> {
    let name = home.file.rsplit(['/', '\\']).next().unwrap_or(&home.file);
    vec![
        Line::from(foreign(name, theme.strong)),
        Line::from(foreign(&figures(home), theme.text)),
        Line::default(),
        Line::from(span(why.to_owned(), theme.dim)),
    ]
}

/// `1024×1024 png 1.4 MB`.
#[must_use]
pub fn figures(home: &Home) -> String {
    let size = text::size(home.bytes);
    match (home.width, home.height) {
        (Some(width), Some(height)) => format!("{width}×{height}  {}  {size}", home.format),
        _ => format!("{}  {size}", home.format),
    }
}

/// `2 of 4`, where a task has several outputs.
#[must_use]
pub fn which(state: &State) -> Option<String> {
    state.looked_at().filter(|(_, count)| *count > 1).map(|(at, count)| format!("{} of {count}", at + 1))
}

/// How long a link at the service still works.
#[must_use]
pub fn expiry(expires: crate::time::Wall, now: crate::time::Wall) -> String {
    if expires <= now { "expired".to_owned() } else { format!("good for {}", text::about(expires.since(now))) }
}

/// The lines under the picture: what it really is, where it is, how long it can be fetched again.
fn caption(state: &State, task: &Task, area: Rect, theme: &Theme, buf: &mut Buffer) {
    let shown = state.output().and_then(|output| output.home());
    let room = usize::from(area.width.saturating_sub(2));
    let mut lines: Vec<Line<'_>> = Vec::new();
    if let Some(home) = shown {
        let others = which(state).map(|which| format!("   {which}")).unwrap_or_default();
        let took = task.took().map(|took| format!("   took {}", text::span(took))).unwrap_or_default();
        lines.push(Line::from(vec![
            foreign(&figures(home), theme.text),
            span(others, theme.dim),
            span(took, theme.dim),
        ]));
        let file = one_line(&home.file);
        lines.push(Line::from(span(text::cut_middle(&file, room).into_owned(), theme.dim)));
        if let Some(expires) = state.output().and_then(|output| output.expires) {
            let link = format!("link {}", expiry(expires, state.fleet.at_service(state.now)));
            let long = format!("safe on the disk; {link}");
            let words = if text::width(&long) <= room { long } else { link };
            lines.push(Line::from(span(words, theme.dim)));
        }
    } else {
        let away = task.outputs.iter().filter(|output| output.state == OutputState::Away);
        if let Some(expires) = away.filter_map(|output| output.expires).min() {
            let words = format!("not on the disk yet; link {}", expiry(expires, state.fleet.at_service(state.now)));
            lines.push(Line::from(span(words, theme.warning)));
        }
        lines.push(Line::from(foreign(&task.request.full_model(), theme.text)));
        lines.push(Line::from(foreign(&fields(task), theme.dim)));
    }
    // They stand at the bottom: the picture above them has no fixed end.
    let skip = area.height.saturating_sub(u16::try_from(lines.len()).unwrap_or(0));
    for (y, line) in (area.y + skip..area.bottom()).zip(&lines) {
        put_spans(buf, area.x + 1, y, area.width.saturating_sub(2), &line.spans);
    }
}

/// The fields that were sent besides the prompt, in one line.
fn fields(task: &Task) -> String {
    let prompt = &task.request.prompt;
    let plain = task.request.input.values().map(request::plain).filter(|value| value != prompt && !value.is_empty());
    crate::domain::text::cut(&plain.collect::<Vec<_>>().join("  "), 1000).into_owned()
}
