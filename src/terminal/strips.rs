//! Sixel and iTerm2 pictures: drawn over blank cells, where nothing covers them, and again where text was.
//!
//! A sixel picture comes in strips, each complete in itself. An iTerm2 picture is one sequence, or several
//! where the terminal takes them (`MultipartFile`, `FilePart`, `FileEnd` \[D\]): only the last one draws.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::lane::{Piece, same};
use crate::graphics::{Body, HOLE, Picture, Placed};

/// What an iTerm2 picture begins with.
const FILE: &[u8] = b"\x1b]1337;File=";

#[derive(Debug)]
struct Drawn {
    placed: Placed,
    /// For each strip, whether it is on the screen in full.
    done: Vec<bool>,
    /// The same of the stand-in, which is only drawn before anything else is.
    before: Vec<bool>,
}

/// A file that is sent in parts.
#[derive(Debug)]
struct Begun {
    picture: Arc<Picture>,
    /// Letters of it that were sent.
    sent: usize,
}

/// Which part of what is to be drawn.
struct Choice {
    at: Position,
    picture: Arc<Picture>,
    strip: usize,
    drawn: usize,
    instead: bool,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Strips {
    drawn: Vec<Drawn>,
    begun: Option<Begun>,
    /// The terminal takes files in parts.
    pub(super) parts: bool,
}

impl Strips {
    /// The frame to come has these pictures. Answers the areas whose pixels must be wiped.
    pub(super) fn want(&mut self, placed: &[Placed]) -> Vec<Rect> {
        let mut wipe = Vec::new();
        let drawings: Vec<&Placed> =
            placed.iter().filter(|placed| matches!(placed.picture.body, Body::Sixel(_) | Body::Iterm2(_))).collect();
        let mut old = std::mem::take(&mut self.drawn);
        let stays = |drawn: &Drawn, placed: &&&Placed| {
            placed.area == drawn.placed.area && same(&placed.picture, &drawn.placed.picture)
        };
        for placed in drawings {
            if let Some(at) = old.iter().position(|drawn| stays(drawn, &&placed)) {
                let mut drawn = old.swap_remove(at);
                drawn.placed.instead.clone_from(&placed.instead);
                drawn.before.resize(placed.instead.as_ref().map_or(0, |instead| strips(instead)), false);
                self.drawn.push(drawn);
                continue;
            }
            let before = match &placed.instead {
                None => Vec::new(),
                Some(instead) => {
                    // What stands there already goes on standing there, and is drawn over.
                    let stood = old
                        .iter()
                        .position(|drawn| drawn.placed.area == placed.area && same(&drawn.placed.picture, instead));
                    stood.map_or_else(|| vec![false; strips(instead)], |at| old.swap_remove(at).done)
                }
            };
            let done = vec![false; strips(&placed.picture)];
            self.drawn.push(Drawn { placed: placed.clone(), done, before });
        }
        for drawn in old {
            wipe.extend(edges(drawn.placed.area));
        }
        if !wipe.is_empty() {
            // What is wiped may be a part of what comes.
            for drawn in self.drawn.iter().filter(|drawn| !drawn.done.contains(&true)) {
                wipe.extend(edges(drawn.placed.area));
            }
        }
        wipe
    }

    /// A cell was written: what was drawn there is gone.
    pub(super) fn touched(&mut self, at: Position, width: u16) {
        let cell = Rect::new(at.x, at.y, width, 1);
        for drawn in &mut self.drawn {
            if !drawn.placed.area.intersects(cell) {
                continue;
            }
            let instead = drawn.placed.instead.as_ref().unwrap_or(&drawn.placed.picture);
            for (picture, all) in [(&drawn.placed.picture, &mut drawn.done), (instead, &mut drawn.before)] {
                for (strip, done) in all.iter_mut().enumerate() {
                    *done &= !strip_area(picture, drawn.placed.area, strip).intersects(cell);
                }
            }
        }
    }

    /// Something that is drawn would have text over it in `next`.
    pub(super) fn covered(&self, next: &Buffer) -> bool {
        self.drawn.iter().any(|drawn| {
            let instead = drawn.placed.instead.as_ref().unwrap_or(&drawn.placed.picture);
            [(&drawn.placed.picture, &drawn.done), (instead, &drawn.before)].into_iter().any(|(picture, all)| {
                let mut shown = all.iter().enumerate().filter(|(_, done)| **done);
                shown.any(|(strip, _)| !free(next, strip_area(picture, drawn.placed.area, strip)))
            })
        })
    }

    /// The screen was cleared.
    pub(super) fn cleared(&mut self) {
        for drawn in &mut self.drawn {
            drawn.done.fill(false);
            drawn.before.fill(false);
        }
    }

    /// The size of the next piece: nothing if there is none, and no number if it can be of any size.
    pub(super) fn pending(&self, screen: &Buffer) -> Option<Option<usize>> {
        let choice = self.choose(screen)?;
        Some(match &choice.picture.body {
            Body::Iterm2(_) if self.parts => None,
            Body::Iterm2(data) => Some(data.len()),
            Body::Sixel(strips) => Some(strips.get(choice.strip).map_or(0, |strip| strip.data.len())),
            _ => Some(0),
        })
    }

    /// The next piece, of about `size` bytes if it can be cut.
    pub(super) fn next(&mut self, screen: &Buffer, size: usize) -> Option<Piece> {
        let choice = self.choose(screen)?;
        let (at, bytes, whole) = match &choice.picture.body {
            Body::Iterm2(data) if self.parts => self.part(&choice, data, size),
            Body::Iterm2(data) => (Some(choice.at), data.clone(), true),
            Body::Sixel(strips) => {
                let data = strips.get(choice.strip).map_or_else(Vec::new, |strip| strip.data.clone());
                (Some(choice.at), data, true)
            }
            _ => (None, Vec::new(), true),
        };
        let drawn = self.drawn.get_mut(choice.drawn)?;
        let all = if choice.instead { &mut drawn.before } else { &mut drawn.done };
        if whole && let Some(done) = all.get_mut(choice.strip) {
            *done = true;
        }
        Some(Piece { end: whole && !all.contains(&false), at, bytes })
    }

    fn choose(&self, screen: &Buffer) -> Option<Choice> {
        for (number, drawn) in self.drawn.iter().enumerate() {
            let area = drawn.placed.area;
            let open = |picture: &Arc<Picture>, all: &[bool]| {
                let strip = |strip: &usize| !all[*strip] && free(screen, strip_area(picture, area, *strip));
                (0..all.len()).find(strip)
            };
            if let Some(instead) = &drawn.placed.instead
                && !drawn.done.contains(&true)
                && let Some(strip) = open(instead, &drawn.before)
            {
                let at = strip_area(instead, area, strip).as_position();
                return Some(Choice { at, picture: Arc::clone(instead), strip, drawn: number, instead: true });
            }
            if let Some(strip) = open(&drawn.placed.picture, &drawn.done) {
                let picture = Arc::clone(&drawn.placed.picture);
                let at = strip_area(&picture, area, strip).as_position();
                return Some(Choice { at, picture, strip, drawn: number, instead: false });
            }
        }
        None
    }

    /// The next part of a file: what is to be known of it, letters, or the end. A file begun before and not ended is
    /// dropped by the terminal when another one begins.
    fn part(&mut self, choice: &Choice, data: &[u8], size: usize) -> (Option<Position>, Vec<u8>, bool) {
        let body = data.strip_prefix(FILE).and_then(|rest| rest.strip_suffix(b"\x07")).unwrap_or_default();
        let colon = body.iter().position(|byte| *byte == b':').unwrap_or(body.len());
        let (about, letters) = (&body[..colon], body.get(colon + 1..).unwrap_or_default());
        let command = |name: &[u8], text: &[u8]| [b"\x1b]1337;", name, text, b"\x07"].concat();
        match &mut self.begun {
            Some(begun) if same(&begun.picture, &choice.picture) => {
                if begun.sent >= letters.len() {
                    self.begun = None;
                    return (Some(choice.at), command(b"FileEnd", b""), true);
                }
                // Whole groups of four, so that each part can be decoded by itself.
                let many = (size.saturating_sub(20) / 4).max(1) * 4;
                let end = letters.len().min(begun.sent + many);
                let part = command(b"FilePart=", &letters[begun.sent..end]);
                begun.sent = end;
                (None, part, false)
            }
            _ => {
                self.begun = Some(Begun { picture: Arc::clone(&choice.picture), sent: 0 });
                (Some(choice.at), command(b"MultipartFile=", about), false)
            }
        }
    }
}

fn strips(picture: &Picture) -> usize {
    match &picture.body {
        Body::Sixel(strips) => strips.len(),
        _ => 1,
    }
}

fn strip_area(picture: &Picture, area: Rect, strip: usize) -> Rect {
    match &picture.body {
        Body::Sixel(strips) => strips.get(strip).map_or(Rect::ZERO, |strip| {
            let rows = Rect { y: area.y.saturating_add(strip.row), height: strip.rows, ..area };
            rows.intersection(area)
        }),
        _ => area,
    }
}

/// Nothing covers the cells, and they are not in the last row, where drawing may scroll.
fn free(screen: &Buffer, area: Rect) -> bool {
    area.bottom() < screen.area.bottom()
        && area.positions().all(|at| screen.cell(at).is_some_and(|cell| cell.symbol() == HOLE))
}

/// The last row and column, which a picture need not fill to the last pixel: what was there before
/// it would show.
fn edges(area: Rect) -> [Rect; 2] {
    let row = Rect::new(area.x, area.bottom().saturating_sub(1), area.width, 1);
    let column = Rect::new(area.right().saturating_sub(1), area.y, 1, area.height);
    [row, column]
}
