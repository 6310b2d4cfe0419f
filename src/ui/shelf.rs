//! The history of prompts and the snippets: a list, and the whole text of the chosen one under it.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::app::shelf::{Shelf, ShelfKind};
use crate::domain::text::{cut, lines, one_line};

use super::dialogs::list;
use super::draw::{foreign, frame, put, span};
use super::theme::Theme;
use super::{line, text};

/// Bytes of a text that are looked at for its preview, and for its row.
const SEEN: usize = 16 << 10;
const ROW: usize = 600;

/// How wide and how high it wants to be.
pub fn size(most: u16) -> (u16, u16) {
    (most.min(110), 60)
}

/// Draws it. Returns where the cursor belongs.
pub fn draw(shelf: &Shelf, area: Rect, theme: &Theme, buf: &mut Buffer) -> Option<Position> {
    let (all, found) = shelf.counts();
    let title = match (&shelf.renaming, shelf.kind) {
        (Some(name), _) => format!("another name for {name}"),
        (None, ShelfKind::History) => "what was sent".to_owned(),
        (None, ShelfKind::Snippets) => "snippets".to_owned(),
    };
    let number = format!("{found} of {all}");
    let inner = frame(buf, area, theme, true, &[foreign(&title, theme.title_focus)], &[span(number, theme.dim)]);
    if inner.height < 4 || inner.width < 12 {
        return None;
    }
    let room = inner.width.saturating_sub(5);
    let hint = match shelf.kind {
        ShelfKind::History => "type to search",
        ShelfKind::Snippets => "type to search, or a name: ctrl-s keeps what is selected, or the prompt, under it",
    };
    let place = Position { x: inner.x + 2, y: inner.y };
    let cursor = line::draw(buf, place, inner.width.saturating_sub(3), &shelf.query, hint, theme);
    let body = Rect { y: inner.y + 2, height: inner.height - 2, ..inner };
    // The list has a half, and no more than it needs.
    let rows = u16::try_from(found).unwrap_or(u16::MAX).clamp(1, (body.height / 2).max(1));
    let table = Rect { height: rows, ..body };
    if found == 0 {
        let words = match (shelf.is_loading(), all, shelf.kind) {
            (true, ..) => "…",
            (_, 0, ShelfKind::History) => "nothing was sent yet",
            (_, 0, ShelfKind::Snippets) => "no snippets yet",
            _ => "nothing matches",
        };
        put(buf, table.x + 2, table.y, room, words, theme.dim);
    }
    let wide = usize::from(inner.width.saturating_sub(4));
    list(buf, table, theme, found, shelf.cursor, |row| {
        let Some(item) = shelf.row(row) else { return Vec::new() };
        let name = item.name.as_ref().map(|name| format!("{}  ", text::cut(&one_line(name), 24)));
        let name = name.unwrap_or_default();
        let head = &item.text[..item.text.floor_char_boundary(ROW)];
        let left = wide.saturating_sub(text::width(&name));
        let short = text::cut(&one_line(head), left).into_owned();
        vec![span(name, theme.accent), span(short, if item.made { theme.dim } else { theme.text })]
    });
    if let Some(item) = shelf.chosen() {
        let rule = table.bottom();
        for x in inner.x..inner.right() {
            put(buf, x, rule, 1, "─", theme.frame);
        }
        let whole = cut(&item.text, SEEN);
        let wrapped = text::wrap(&lines(&whole), usize::from(inner.width.saturating_sub(4)));
        for (y, line) in (rule + 1..inner.bottom()).zip(wrapped) {
            put(buf, inner.x + 2, y, inner.width.saturating_sub(4), &one_line(&line), theme.text);
        }
    }
    Some(cursor)
}
