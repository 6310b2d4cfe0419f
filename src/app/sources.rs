//! What should be running beside the loop: declared from the state, started and stopped by the runtime.

use std::time::Duration;

use crate::domain::Stage;
use crate::time::Mono;

use super::groups::Group;
use super::state::State;
use super::table::Line;

/// A standing producer of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// `Msg::Woke` at this moment. A moment that is past comes at once.
    Wake(Mono),
}

/// The next moment at which something happens by itself; `None`: the program may sleep for good.
#[must_use]
pub fn sources(state: &State) -> Option<Source> {
    let notice = state.notice.as_ref().map(|notice| notice.until);
    // Running tasks show how long they have been running: one step a second, on the second.
    let ticking = ticking(state).then(|| Mono((state.now.mono.0 / 1000 + 1) * 1000));
    let sending = state.sending.as_ref().and_then(|sending| sending.due());
    let moments = [
        state.fleet.next_due(state.now),
        state.editor.due(),
        state.preview.due(),
        notice,
        ticking,
        countdown(state),
        sending,
    ];
    moments.into_iter().flatten().min().map(Source::Wake)
}

/// Something on the screen counts seconds.
fn ticking(state: &State) -> bool {
    let visible = usize::from(super::layout::panes(state).rows.height);
    let (rows, _) = state.table.window(visible);
    let moving = |stage: Stage| stage.is_running() || matches!(stage, Stage::Sending | Stage::Unsure);
    let detail = state.dialog.is_some().then(|| state.chosen()).flatten().map(Line::Task);
    rows.into_iter().chain(detail).any(|line| match line {
        Line::Task(id) => state.fleet.task(id).is_some_and(|task| moving(task.status.stage())),
        Line::Group(name) => state.table.group(&name).is_some_and(Group::is_running),
    })
}

/// A wait is counted down by the second. The allowance in the header changes when the oldest request leaves its
/// window; coarse steps are enough for that.
fn countdown(state: &State) -> Option<Mono> {
    if state.standing.holds && state.fleet.waits(state.now).is_some() {
        return Some(Mono((state.now.mono.0 / 1000 + 1) * 1000));
    }
    let used = state.fleet.budget().used(state.now.mono);
    (used > 0).then(|| state.now.mono + Duration::from_secs(5))
}
