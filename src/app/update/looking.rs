//! Looking at pictures: opening one, closer, further, the next.

use crate::keys::Action;

use super::super::dialog::Dialog;
use super::super::looking::Viewer;
use super::super::state::State;

/// What a key over a picture does, or one that leads there.
pub(super) fn act(state: &mut State, action: Action) {
    match action {
        Action::View => open(state),
        Action::NextOutput => state.step_output(1),
        Action::PreviousOutput => state.step_output(-1),
        Action::NextPicture => state.step_picture(1),
        Action::PreviousPicture => state.step_picture(-1),
        Action::ZoomIn => state.look(|room, view| room.zoomed(view, 1)),
        Action::ZoomOut => state.look(|room, view| room.zoomed(view, -1)),
        Action::Actual => state.look(|room, view| room.actual(view)),
        Action::WholePicture => state.see(None),
        Action::Right => across(state, 1),
        Action::Left => across(state, -1),
        Action::Info => {
            if let Some(Dialog::Viewer(open)) = &mut state.dialog {
                open.info = !open.info;
            }
        }
        Action::FullQuality => {
            state.preview.full = !state.preview.full;
            let full = state.preview.full;
            state.say(if full { "pictures in full quality, whatever it takes" } else { "pictures to suit the line" });
        }
        Action::Line => state.show_line = !state.show_line,
        Action::Where => match state.output().and_then(|output| output.home()).map(|home| home.file.clone()) {
            Some(file) => state.say(file),
            None => state.say("its file is not here yet"),
        },
        _ => {}
    }
}

fn open(state: &mut State) {
    let from_detail = matches!(state.dialog, Some(Dialog::Detail { .. }));
    match state.seen().map(|task| task.id).filter(|_| state.output().is_some_and(|output| output.home().is_some())) {
        Some(id) => state.dialog = Some(Dialog::Viewer(Viewer { id, info: false, view: None, from_detail })),
        None => state.say("there is no picture to look at yet"),
    }
}

/// Over a close picture, or to another output where all of it is seen.
fn across(state: &mut State, by: i8) {
    if !state.pan(f64::from(by), 0.0) {
        state.step_output(isize::from(by));
    }
}

/// Up or down over a close picture, or to another one of the list where all of it is seen.
pub(super) fn along(state: &mut State, down: bool) {
    let by: i8 = if down { 1 } else { -1 };
    if !state.pan(0.0, f64::from(by)) {
        state.step_picture(isize::from(by));
    }
}
