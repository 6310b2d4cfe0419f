//! Where everything is on the screen: a pure function of the size and the state, called by update and by view.

use ratatui::layout::Rect;

use super::dialog::Dialog;
use super::state::{Pane, State};

/// Below this nothing useful fits.
pub const SMALLEST: (u16, u16) = (40, 10);

/// The rectangles of the panes. `None`: there is no room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panes {
    /// The whole screen.
    pub area: Rect,
    /// Counts and allowance.
    pub header: Rect,
    /// The frame of the task table.
    pub table_frame: Rect,
    /// The rows of the table, without frame and titles of the columns.
    pub rows: Rect,
    /// The frame of the editor.
    pub editor_frame: Rect,
    /// The text of the prompt.
    pub prompt: Rect,
    /// The fields under it.
    pub form: Rect,
    /// The frame of the preview.
    pub preview_frame: Option<Rect>,
    /// The cells a picture may fill.
    pub picture: Option<Rect>,
    /// The lines under the picture: size, format, file.
    pub caption: Option<Rect>,
    /// Keys and notices.
    pub footer: Rect,
}

/// Inside of a frame one cell wide.
fn inside(frame: Rect) -> Rect {
    let (width, height) = (frame.width.saturating_sub(2), frame.height.saturating_sub(2));
    Rect { x: frame.x + 1.min(frame.width), y: frame.y + 1.min(frame.height), width, height }
}

/// Lays out the screen.
#[must_use]
pub fn panes(state: &State) -> Panes {
    let area = Rect::new(0, 0, state.area.width, state.area.height);
    let (w, h) = (area.width, area.height);
    let header = Rect { height: 1.min(h), ..area };
    let footer = Rect { y: h.saturating_sub(1), height: 1.min(h.saturating_sub(1)), ..area };
    let body = Rect { y: 1.min(h), height: h.saturating_sub(2), ..area };

    let preview_width = if w >= 76 && body.height >= 12 { (u32::from(w) * 9 / 20).min(120) } else { 0 };
    let preview_width = u16::try_from(preview_width).unwrap_or(0);
    let left = Rect { width: w - preview_width, ..body };
    let preview_frame = (preview_width > 0).then_some(Rect { x: left.width, width: preview_width, ..body });

    // A line of JSON says little.
    let wanted = if state.editor.is_raw() { (body.height / 2).clamp(5, 20) } else { (body.height / 3).clamp(5, 13) };
    let editor_height = wanted.min(body.height.saturating_sub(4).max(3));
    let table_frame = Rect { height: left.height.saturating_sub(editor_height), ..left };
    let editor_frame = Rect { y: left.y + table_frame.height, height: left.height - table_frame.height, ..left };

    let in_table = inside(table_frame);
    let rows = Rect { y: in_table.y + 1.min(in_table.height), height: in_table.height.saturating_sub(1), ..in_table };
    let in_editor = inside(editor_frame);
    let lines = state.editor.form_lines(in_editor.width, &state.catalogue);
    let most = match in_editor.height {
        // Whoever chooses fields sees them; a line of the prompt stays.
        _ if state.pane == Pane::Form => in_editor.height.saturating_sub(1),
        // Nothing but the model stands there: the JSON gets the room.
        _ if state.editor.is_raw() => in_editor.height / 3,
        7.. => in_editor.height / 2,
        4..7 => 2,
        _ => 1,
    };
    let form_height = lines.clamp(1, most.max(1)).min(in_editor.height.saturating_sub(1));
    let text_height = in_editor.height - form_height;
    // A cell of air on both sides; the chips bring their own.
    let prompt = Rect {
        x: in_editor.x + 1.min(in_editor.width),
        y: in_editor.y,
        width: in_editor.width.saturating_sub(2),
        height: text_height,
    };
    let form = Rect { y: in_editor.y + text_height, height: form_height, ..in_editor };

    let in_preview = preview_frame.map(inside);
    let caption_height = |frame: Rect| if frame.height >= 16 { 3 } else { 2 };
    let picture = in_preview.map(|r| Rect { height: r.height.saturating_sub(caption_height(r)), ..r });
    let caption = in_preview.map(|r| {
        let height = caption_height(r).min(r.height);
        Rect { y: r.y + r.height - height, height, ..r }
    });
    Panes { area, header, table_frame, rows, editor_frame, prompt, form, preview_frame, picture, caption, footer }
}

/// Where the editor of a field's long text lies: beside the picture if there is room, else over everything.
#[must_use]
pub fn long_text(panes: &Panes) -> Rect {
    const ENOUGH: u16 = 60;
    let left = panes.table_frame.union(panes.editor_frame);
    let whole = panes.preview_frame.map_or(left, |preview| left.union(preview));
    let within = if left.width >= ENOUGH { left } else { whole };
    centred(within, within.width.saturating_sub(2).min(100), within.height.saturating_sub(2))
}

/// The text in it: below a line about the field and a rule, where there is room for them.
#[must_use]
pub fn long_text_body(area: Rect) -> Rect {
    let inner = inside(area);
    let head = if inner.height >= 6 { 2 } else { 0 };
    Rect {
        x: inner.x + 1.min(inner.width),
        y: inner.y + head,
        width: inner.width.saturating_sub(2),
        height: inner.height - head,
    }
}

/// Where a dialog of the wished size lies: centred, never larger than the screen.
#[must_use]
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

/// The rectangles while a picture fills the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewerPlaces {
    /// The cells the picture may fill.
    pub picture: Rect,
    /// What is known of it, if that is wanted and there is room.
    pub info: Option<Rect>,
    /// The line at the bottom.
    pub bar: Rect,
}

/// Cells across of what stands beside the picture.
const INFO_WIDTH: u16 = 38;
/// Rows of what stands under it where that is not possible.
const INFO_ROWS: u16 = 7;

/// Lays out the screen for the picture that fills it.
#[must_use]
pub fn viewer(state: &State) -> ViewerPlaces {
    let area = Rect::new(0, 0, state.area.width, state.area.height);
    let bar = Rect { y: area.height.saturating_sub(1), height: 1.min(area.height), ..area };
    let room = Rect { height: area.height - bar.height, ..area };
    let info = matches!(&state.dialog, Some(Dialog::Viewer(open)) if open.info);
    if !info {
        return ViewerPlaces { picture: room, info: None, bar };
    }
    // What is said lies beside the picture, never over it: so nothing has to be cut out of it.
    if room.width >= 2 * INFO_WIDTH {
        let picture = Rect { width: room.width - INFO_WIDTH, ..room };
        let info = Rect { x: picture.width, width: INFO_WIDTH, ..room };
        ViewerPlaces { picture, info: Some(info), bar }
    } else if room.height >= 2 * INFO_ROWS {
        let picture = Rect { height: room.height - INFO_ROWS, ..room };
        let info = Rect { y: picture.height, height: INFO_ROWS, ..room };
        ViewerPlaces { picture, info: Some(info), bar }
    } else {
        ViewerPlaces { picture: Rect { height: 0, ..room }, info: Some(room), bar }
    }
}
