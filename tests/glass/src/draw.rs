//! Strings that carry pictures: what each does to the screen.

use image::RgbaImage;

use super::grid::Rect;
use super::{Arrival, Glass, Way, iterm2, kitty, plane, sixel, tmux};

impl Glass {
    pub(super) fn osc(&mut self, body: &[u8]) {
        if let Some(body) = body.strip_prefix(b"1337;") {
            self.bytes.iterm2 += body.len() + 8;
            let of_pictures = [&b"File="[..], b"MultipartFile=", b"FilePart=", b"FileEnd"];
            if of_pictures.iter().any(|word| body.starts_with(word)) {
                self.iterm2(body);
            }
            return;
        }
        let answer = self.brand.colours.and_then(|(text, back)| {
            let rgb = |[r, g, b]: [u8; 3]| format!("rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}");
            match body {
                b"10;?" => Some(format!("\x1b]10;{}\x1b\\", rgb(text))),
                b"11;?" => Some(format!("\x1b]11;{}\x1b\\", rgb(back))),
                _ => None,
            }
        });
        self.answer(answer, self.brand);
    }

    pub(super) fn kitty(&mut self, body: &[u8]) {
        if !body.starts_with(b"G") {
            return;
        }
        self.bytes.kitty += body.len() + 4;
        if !self.brand.kitty {
            let asks = body
                .split(|byte| *byte == b';')
                .next()
                .is_some_and(|keys| keys.ends_with(b"a=q") || has(keys, b"a=q,"));
            if !asks {
                self.complain("kitty graphics, which this terminal does not know");
            }
            return;
        }
        let around = kitty::Around { cell: self.cell, cursor: self.grid().cursor, serial: self.arrived.len() };
        let outcome = self.screen_mut().store.command(body, around);
        if let Some(size) = outcome.came {
            self.arrived.push(Arrival { way: Way::Kitty, size, at: self.bytes.all });
        }
        if let Some(why) = outcome.complaint {
            self.complain(why);
        }
        self.answer(outcome.answer, self.brand);
        if let Some((columns, rows)) = outcome.moved {
            let grid = &mut self.screen_mut().grid;
            (1..rows).for_each(|_| grid.feed_line());
            let (x, y) = grid.cursor;
            grid.go(x + columns, y);
            self.touched(true);
        }
    }

    /// Makes room for so many rows from the cursor on, and leaves the cursor in the last of them. Answers where the
    /// first is now.
    fn make_room(&mut self, rows: u16) -> (u16, u16) {
        let grid = &mut self.screen_mut().grid;
        let (x, y) = grid.cursor;
        (1..rows).for_each(|_| grid.feed_line());
        let first = grid.cursor.1.saturating_sub(rows - 1);
        self.pushed += usize::from(y.saturating_sub(first));
        self.touched(true);
        (x, first)
    }

    pub(super) fn sixel(&mut self, body: &[u8]) {
        let picture = match sixel::read(body) {
            Ok(picture) => picture,
            Err(why) => return self.complain(why),
        };
        let serial = self.arrived.len();
        let size = picture.pixels.dimensions();
        self.arrived.push(Arrival { way: Way::Sixel, size, at: self.bytes.all });
        let pixels = self.filled(picture);
        let high = if self.brand.pictures_under { size.1.next_multiple_of(6) } else { size.1 };
        let rows = u16::try_from(high.div_ceil(self.cell.1)).unwrap_or(u16::MAX);
        let at = self.make_room(rows);
        let area = Rect { rows, ..plane::cells(&pixels, self.cell, at) };
        let under = self.brand.pictures_under;
        let screen = self.screen_mut();
        if under {
            screen.grid.wipe(area);
        }
        screen.plane.draw(serial, &pixels, at);
    }

    fn filled(&self, picture: sixel::Sixel) -> RgbaImage {
        let mut pixels = picture.pixels;
        if picture.fills {
            let back = self.brand.colours.map_or([0; 3], |(_, back)| back);
            let [r, g, b] = self.brand.sixel_back.unwrap_or(back);
            pixels.pixels_mut().filter(|pixel| pixel.0[3] == 0).for_each(|pixel| pixel.0 = [r, g, b, 255]);
        }
        pixels
    }

    pub(super) fn sixel_in_tmux(&mut self, body: &[u8]) {
        self.bytes.sixel += body.len() + 4;
        let picture = match sixel::read(body) {
            Ok(picture) => picture,
            Err(why) => return self.complain(why),
        };
        let serial = self.arrived.len();
        self.arrived.push(Arrival { way: Way::Sixel, size: picture.pixels.dimensions(), at: self.bytes.all });
        let taken = tmux::taken(&picture.pixels, picture.bands, self.cell);
        let cells = Rect { left: 0, top: 0, columns: taken.0, rows: taken.1 };
        let (columns, rows) = (self.grid().columns, self.grid().rows);
        if cells.columns > columns || cells.rows > rows - 1 {
            return self.complain("the sixel picture does not fit into the pane, tmux cuts it");
        }
        let pixels = tmux::again(&picture.pixels, taken, self.cell);
        let pixels = self.filled(sixel::Sixel { pixels, fills: true, bands: picture.bands });
        if self.grid().cursor.1 + cells.rows > rows {
            let more = self.grid().cursor.1 + cells.rows - rows;
            self.pushed += usize::from(more);
            let grid = &mut self.screen_mut().grid;
            let (x, y) = grid.cursor;
            grid.go(x, rows - 1);
            (0..=more).for_each(|_| grid.feed_line());
            grid.go(x, y.saturating_sub(more + 1));
            self.touched(true);
        }
        let at = self.grid().cursor;
        let area = Rect { left: at.0, top: at.1, ..cells };
        if self.brand.sixel {
            self.screen_mut().plane.draw(serial, &pixels, at);
        } else {
            self.complain("sixel, which the terminal behind tmux does not know");
        }
        if let Some(between) = &mut self.between {
            between.pane.add(tmux::Held { serial, area, pixels });
        }
        self.screen_mut().grid.go(0, at.1 + cells.rows);
    }

    fn iterm2(&mut self, body: &[u8]) {
        if !self.brand.iterm2 {
            return self.complain("an iTerm2 picture, which this terminal does not know");
        }
        let window = iterm2::Window { cell: self.cell, cells: (self.grid().columns, self.grid().rows) };
        let picture = match self.parts.take(body, window, self.brand.multipart) {
            Ok(Some(picture)) => picture,
            Ok(None) => return,
            Err(why) => return self.complain(why),
        };
        let serial = self.arrived.len();
        self.arrived.push(Arrival { way: Way::Iterm2, size: picture.size, at: self.bytes.all });
        let (columns, rows) = picture.cells;
        let at = if picture.stays { self.grid().cursor } else { self.make_room(rows) };
        let screen = self.screen_mut();
        let area = Rect { left: at.0, top: at.1, columns, rows };
        screen.grid.wipe(area);
        screen.plane.erase(area);
        screen.plane.draw(serial, &picture.pixels, at);
        if !picture.stays {
            let (x, y) = screen.grid.cursor;
            screen.grid.go(x + columns, y);
        }
    }
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
