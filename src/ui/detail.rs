//! Everything about one task, as a page of text.

use std::time::Duration;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::app::State;
use crate::app::editor::ratio;
use crate::domain::cause;
use crate::domain::text::{cut, lines as clean_lines, one_line};
use crate::domain::{Field, Output, OutputState, Problem, Role, Stage, Status, Task, request};
use crate::fleet::Outlook;

use super::draw::span;
use super::preview::{expiry, figures, keys, said};
use super::text;
use super::theme::{STAR, Theme, sign};

/// More of a prompt than any model takes; what is beyond it is counted, not shown.
const MOST: usize = 32_000;

/// The page in the making.
pub(super) struct Page<'a, 't> {
    pub lines: Vec<Line<'a>>,
    width: usize,
    /// Cells for the names of things, the same all over the page.
    room: usize,
    pub theme: &'t Theme,
}

impl<'a, 't> Page<'a, 't> {
    /// An empty page of so many cells of width.
    pub fn new(width: u16, theme: &'t Theme) -> Self {
        Self { lines: Vec::new(), width: usize::from(width), room: 12, theme }
    }

    pub fn head(&mut self, title: &'static str) {
        self.lines.push(Line::default());
        self.lines.push(Line::from(span(title, self.theme.accent)));
    }

    pub fn line(&mut self, spans: Vec<Span<'a>>) {
        self.lines.push(Line::from(spans));
    }

    /// A paragraph with an indent.
    pub fn prose(&mut self, indent: usize, text: &str, style: Style) {
        for part in text::wrap(&clean_lines(text), self.width.saturating_sub(indent)) {
            self.lines.push(Line::from(vec![Span::raw(" ".repeat(indent)), span(part, style)]));
        }
    }

    /// A name and what it is, broken under itself.
    pub fn entry(&mut self, name: &str, value: &str, style: Style) {
        let room = self.room;
        let indent = 2 + room + 2;
        let mut parts = text::wrap(&one_line(value), self.width.saturating_sub(indent).max(8)).into_iter();
        let name = text::cut(&one_line(name), room).into_owned();
        let pad = " ".repeat(room.saturating_sub(text::width(&name)) + 2);
        let first = parts.next().unwrap_or_default();
        self.line(vec![Span::raw("  "), span(name, self.theme.dim), Span::raw(pad), span(first, style)]);
        for part in parts {
            self.line(vec![Span::raw(" ".repeat(indent)), span(part, style)]);
        }
    }
}

/// The page, for so many cells of width.
pub fn lines<'a>(state: &State, task: &Task, width: u16, theme: &Theme) -> Vec<Line<'a>> {
    let spec = state.catalogue.get(&task.request.full_model());
    let labels = spec.iter().flat_map(|spec| &spec.fields).filter(|field| field.role != Some(Role::Prompt));
    let longest = labels.map(|field| text::width(&field.name)).max().unwrap_or(0);
    let mut page = Page { room: longest.clamp(12, 20), ..Page::new(width, theme) };
    standing(&mut page, state, task);
    page.head("prompt");
    let prompt = match task.request.prompt.as_str() {
        "" if task.is_elsewhere() => "not known: another program created it, and the service does not tell prompts",
        "" => "none",
        prompt => prompt,
    };
    let style = if task.request.prompt.is_empty() { theme.dim } else { theme.text };
    page.prose(2, &cut(prompt, MOST), style);
    if task.request.template != task.request.prompt && !task.request.template.is_empty() {
        page.line(vec![Span::raw("  "), span("expanded from", theme.dim)]);
        page.prose(2, &cut(&task.request.template, MOST), theme.dim);
    }
    fields(&mut page, state, task);
    if matches!(task.status, Status::Unsure(Some(Problem::Mismatch { .. }))) {
        // Beside what the service says of it, so that the two can be compared.
        page.head("sent with this key, byte for byte");
        page.prose(2, &cut(&task.request.body, MOST), theme.text);
    }
    if !task.outputs.is_empty() {
        outputs(&mut page, state, task);
    }
    timeline(&mut page, state, task);
    names(&mut page, task);
    relatives(&mut page, state, task);
    page.lines
}

/// Where it stands, why, and what to do next.
fn standing(page: &mut Page<'_, '_>, state: &State, task: &Task) {
    let theme = page.theme;
    let stage = task.status.stage();
    let said = said(state, task);
    let word = one_line(super::table::word(&task.status)).into_owned();
    let mut first = vec![span(format!("{} ", sign(stage)), theme.stage(stage)), span(word, theme.strong)];
    let so_far = task.status.is_running().then(|| task.accepted().map(|at| state.now.wall.since(at))).flatten();
    match (so_far, task.took()) {
        (Some(since), _) => first.push(span(format!("   {} so far", text::span(since)), theme.dim)),
        (None, Some(took)) => first.push(span(format!("   took {}", text::span(took)), theme.dim)),
        (None, None) => {}
    }
    page.line(first);
    page.prose(2, &said.what, theme.text);
    if let Some(kind) = cause::kind(task) {
        page.entry("kind", kind.title(), theme.failed);
    }
    if let Some(outlook) = state.fleet.outlook(task.id, state.now) {
        let style = if outlook.slow { theme.warning } else { theme.dim };
        page.prose(2, &expected(outlook), style);
    }
    if let Some(next) = &said.next {
        page.prose(2, next, theme.dim);
    }
    if let Some(keys) = keys(state, task, theme) {
        let spans = std::iter::once(Span::raw("  ")).chain(keys.spans).collect();
        page.line(spans);
    }
    raw_error(page, &task.status);
}

/// What to expect of a running task, in a sentence.
#[must_use]
pub fn expected(outlook: Outlook) -> String {
    let usual = match outlook.usual {
        short if short < Duration::from_secs(60) => format!("{} s", short.as_secs().max(1)),
        long => text::roughly_in_words(long),
    };
    if outlook.slow {
        return format!("! slow: usually done after {usual}");
    }
    format!("usually done after {usual}; expected in about {}", text::roughly_in_words(outlook.left))
}

/// The service's own words and codes, as they came.
fn raw_error(page: &mut Page<'_, '_>, status: &Status) {
    let theme = page.theme;
    let mut parts: Vec<(&str, String)> = Vec::new();
    match status {
        Status::Failed(failure) => {
            parts.extend(failure.code.clone().map(|code| ("code", code)));
            parts.extend(failure.message.clone().map(|message| ("message", message)));
        }
        Status::Held(Some(problem)) | Status::Unsure(Some(problem)) | Status::Refused(problem) => {
            let http = match problem {
                Problem::Rejected { status, .. } | Problem::Server { status, .. } | Problem::Odd { status, .. } => {
                    Some(*status)
                }
                _ => None,
            };
            parts.extend(http.map(|status| ("http", status.to_string())));
            parts.extend(problem.code().map(|code| ("code", code.to_owned())));
            parts.extend(problem.message().map(|message| ("message", message.to_owned())));
        }
        _ => {}
    }
    if !parts.is_empty() {
        page.head("in the service's words");
    }
    for (name, value) in parts {
        page.entry(name, &value, theme.failed);
    }
}

/// The model, every field that was sent, and what the service takes for those that were not.
fn fields(page: &mut Page<'_, '_>, state: &State, task: &Task) {
    let theme = page.theme;
    page.head("request");
    let spec = state.catalogue.get(&task.request.full_model());
    let known: &[Field] = spec.map_or(&[], |spec| &spec.fields);
    let name = |field: &str| field.replace('_', " ");
    page.entry("model", &task.request.full_model(), theme.strong);
    for field in known.iter().filter(|field| field.role != Some(Role::Prompt)) {
        let sent = task.request.input.get(&field.name);
        let default = field.default.as_ref().filter(|_| !task.is_elsewhere());
        let Some(value) = sent.or(default).map(request::plain) else { continue };
        let drawn = match ratio(&value).filter(|_| field.role == Some(Role::Shape)) {
            Some(ratio) => format!("{} {value}", text::silhouette(ratio)),
            None => value,
        };
        match sent {
            Some(_) => page.entry(&name(&field.name), &drawn, theme.text),
            None => page.entry(&name(&field.name), &format!("{drawn}   default, not sent"), theme.dim),
        }
    }
    for (field, value) in &task.request.input {
        if !known.iter().any(|known| known.name == *field) && request::plain(value) != task.request.prompt {
            page.entry(&name(field), &request::plain(value), theme.text);
        }
    }
}

fn outputs(page: &mut Page<'_, '_>, state: &State, task: &Task) {
    page.head(if task.outputs.len() == 1 { "output" } else { "outputs" });
    for (id, output) in task.assets() {
        if id.index > 0 {
            page.lines.push(Line::default());
        }
        let fetching = state.fleet.is_fetching(id);
        let gone = state.gone.contains(&id);
        output_lines(page, state, output, fetching, gone);
    }
}

fn output_lines(page: &mut Page<'_, '_>, state: &State, output: &Output, fetching: bool, gone: bool) {
    let theme = page.theme;
    match &output.state {
        OutputState::Home(home) => {
            page.entry(&output.role, &figures(home), theme.text);
            page.entry("file", &home.file, theme.text);
            if gone {
                page.entry("", "file gone; d fetches it again while its link works", theme.warning);
            }
            let short = home.sha256.get(..16).unwrap_or(&home.sha256);
            page.entry("sha256", &format!("{short}…"), theme.dim);
        }
        OutputState::Away if fetching => page.entry(&output.role, "being fetched", theme.running),
        OutputState::Away => page.entry(&output.role, "not on the disk yet", theme.warning),
        OutputState::Lost { why } => page.entry(&output.role, &format!("lost: {why}"), theme.failed),
    }
    if let Some(expires) = output.expires {
        let at = text::clock(expires, state.now.wall, theme.utc_offset);
        page.entry("link", &format!("{} ({at})", expiry(expires, state.fleet.at_service(state.now))), theme.dim);
    }
}

/// When it was seen in which stage, and how long it stayed there.
fn timeline(page: &mut Page<'_, '_>, state: &State, task: &Task) {
    let theme = page.theme;
    page.head("timeline");
    let mut steps: Vec<_> = task.times.iter().collect();
    steps.sort_by_key(|(_, at)| *at);
    for (index, (stage, at)) in steps.iter().enumerate() {
        let word = match stage {
            Stage::Saved => "saved",
            Stage::Failed => "failed",
            Stage::GivenUp => "given up",
            other => other.word(),
        };
        let until = match steps.get(index + 1) {
            Some((_, next)) => Some(next.since(*at)),
            None if stage.is_final() => None,
            None => Some(state.now.wall.since(*at)),
        };
        let clock = text::clock(*at, state.now.wall, theme.utc_offset);
        let lasted = until.map(lasted).unwrap_or_default();
        let room = page.room;
        page.line(vec![
            span(format!("  {clock:<room$}  "), theme.dim),
            span(format!("{} ", sign(*stage)), theme.stage(*stage)),
            span(format!("{word:<10}"), theme.text),
            span(format!("{lasted:>7}"), theme.dim),
        ]);
    }
}

fn lasted(span: Duration) -> String {
    if span < Duration::from_secs(1) { "<1s".to_owned() } else { text::span(span) }
}

fn names(page: &mut Page<'_, '_>, task: &Task) {
    let theme = page.theme;
    page.head("names");
    page.entry("here", &task.id.to_string(), theme.dim);
    match &task.task_id {
        Some(id) => page.entry("at service", id.as_str(), theme.dim),
        None => page.entry("at service", "none yet", theme.dim),
    }
}

/// Where it came from, and what came of it.
fn relatives(page: &mut Page<'_, '_>, state: &State, task: &Task) {
    let theme = page.theme;
    let born = state.fleet.tasks().filter_map(|other| Some((other, other.kin.filter(|kin| kin.parent == task.id)?)));
    let mut born: Vec<_> = born.map(|(other, kin)| (other.created, other.id, kin.how)).collect();
    if task.kin.is_none() && born.is_empty() && !task.starred {
        return;
    }
    born.sort_unstable();
    page.head("family");
    if task.starred {
        page.entry("star", STAR, theme.warning);
    }
    if let Some(kin) = task.kin {
        page.entry("is", &kin.to_string(), theme.text);
    }
    for (_, id, how) in born.iter().take(20) {
        page.entry(how.word(), &id.short(), theme.text);
    }
    if born.len() > 20 {
        page.entry("", &format!("and {} more", born.len() - 20), theme.dim);
    }
}
