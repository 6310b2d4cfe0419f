//! From the state to cells: pure, it decides nothing and changes nothing.

mod bar;
mod detail;
mod dialogs;
mod draw;
mod editor;
mod form;
mod group;
mod help;
mod kin;
mod line;
mod listing;
mod many;
mod models;
mod pane;
mod preview;
mod settle;
mod setup;
mod shelf;
mod table;
pub mod text;
pub mod theme;
mod viewer;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use crate::app::layout::SMALLEST;
use crate::app::table::counts;
use crate::app::{Dialog, State, panes};
use crate::graphics::{Gallery, Placed};

pub use preview::picture_key;
pub use theme::{ColourDepth, Theme};

/// What a frame needs besides its cells.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// Where the terminal's cursor belongs; `None` hides it.
    pub cursor: Option<Position>,
    /// How far the page in the dialog can be scrolled, for `State::page_end`.
    pub page_end: Option<u16>,
    /// Pictures whose pixels the terminal gets with the frame.
    pub pictures: Vec<Placed>,
}

/// Draws the state into `buf`, which is fresh and as large as the screen of the state.
#[must_use]
pub fn view(state: &State, gallery: &Gallery, theme: &Theme, buf: &mut Buffer) -> Scene {
    if buf.area != Rect::new(0, 0, state.area.width, state.area.height) || buf.area.is_empty() {
        return Scene::default();
    }
    if state.too_small() {
        too_small(state, theme, buf);
        return Scene::default();
    }
    if let Some(Dialog::Viewer(open)) = &state.dialog {
        let pictures = viewer::draw(state, open, gallery, theme, buf).into_iter().collect();
        return Scene { pictures, ..Scene::default() };
    }
    let panes = panes(state);
    let counts = counts(&state.fleet, &state.table);
    bar::header(state, &counts, theme, panes.header, buf);
    table::draw(state, counts.values().sum(), &panes, theme, buf);
    let mut cursor = editor::draw(state, &panes, theme, buf);
    let dialog = state.dialog.as_ref().map(|dialog| (dialog, dialogs::area(state, dialog, &panes)));
    if dialog.is_some() {
        theme.recede(panes.table_frame, buf);
        theme.recede(panes.editor_frame, buf);
    }
    let (mut pictures, mut page_end) = (Vec::new(), None);
    if let (Some(frame), Some(picture), Some(caption)) = (panes.preview_frame, panes.picture, panes.caption) {
        let covered = dialog.is_some_and(|(_, (area, _))| area.intersects(frame));
        let places = preview::Places { frame, picture, caption };
        pictures.extend(preview::draw(state, gallery, places, covered, theme, buf));
        if covered {
            theme.recede(frame, buf);
        }
    }
    if let Some((dialog, (area, within))) = dialog {
        draw::clear(buf, area, within);
        (cursor, page_end) = dialogs::draw(state, dialog, area, theme, buf);
    }
    bar::footer(state, theme, panes.footer, buf);
    Scene { cursor, page_end, pictures }
}

fn too_small(state: &State, theme: &Theme, buf: &mut Buffer) {
    let size = state.area;
    let words =
        format!("plantain needs {} × {} cells, here are {} × {}", SMALLEST.0, SMALLEST.1, size.width, size.height);
    let lines: Vec<Line<'_>> = text::wrap(&words, usize::from(size.width))
        .into_iter()
        .map(|line| Line::from(draw::span(line, theme.text)))
        .collect();
    let area = buf.area;
    draw::centred(buf, area, &lines);
}
