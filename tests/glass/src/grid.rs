//! The text: cells, pen, cursor, and the sequences that change them. What happens to cells is also noted, for the
//! pictures that lie there.

use unicode_width::UnicodeWidthChar as _;

use super::parse::Csi;

/// A colour of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Paint {
    /// The terminal's own.
    #[default]
    Default,
    /// From its table of 256.
    Index(u8),
    /// Red, green, blue.
    Rgb([u8; 3]),
}

/// How characters are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Pen {
    /// Of the character.
    pub fg: Paint,
    /// Behind it.
    pub bg: Paint,
    /// Of the line under it.
    pub line: Paint,
    /// A bit for each attribute number from 1 to 9.
    pub attributes: u16,
}

impl Pen {
    /// Foreground and background change places.
    pub fn reversed(&self) -> bool {
        self.attributes & 1 << 7 != 0
    }
}

/// One cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cell {
    /// A character with its marks; empty where nothing was written, and in the second half of a wide one.
    pub text: String,
    /// How it was written.
    pub pen: Pen,
    /// The second half of a wide character.
    pub tail: bool,
}

impl Cell {
    /// Shows nothing but its background.
    pub fn is_blank(&self) -> bool {
        !self.tail && matches!(self.text.as_str(), "" | " " | "\u{a0}")
    }
}

/// Cells from `left`, `top` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    /// First column.
    pub left: u16,
    /// First row.
    pub top: u16,
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

impl Rect {
    /// This cell lies in it.
    pub fn has(&self, x: u16, y: u16) -> bool {
        (self.left..self.left + self.columns).contains(&x) && (self.top..self.top + self.rows).contains(&y)
    }

    /// `other` lies in it.
    pub fn holds(&self, other: &Self) -> bool {
        other.left >= self.left
            && other.top >= self.top
            && other.left + other.columns <= self.left + self.columns
            && other.top + other.rows <= self.top + self.rows
    }

    /// Some cell is in both.
    pub fn meets(&self, other: &Self) -> bool {
        self.left < other.left + other.columns
            && other.left < self.left + self.columns
            && self.top < other.top + other.rows
            && other.top < self.top + self.rows
    }

    /// Its cells, row by row.
    pub fn cells(self) -> impl Iterator<Item = (u16, u16)> {
        (self.top..self.top + self.rows).flat_map(move |y| (self.left..self.left + self.columns).map(move |x| (x, y)))
    }
}

/// What happened to cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Characters were written.
    Written(Rect),
    /// Cells were erased by a sequence.
    Erased(Rect),
    /// The whole screen was erased.
    Cleared,
    /// Rows from `top` to before `end` moved up by so many (down, if negative).
    Scrolled(u16, u16, i32),
}

/// A screen of text.
#[derive(Clone, Debug)]
pub struct Grid {
    /// Columns.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
    cells: Vec<Cell>,
    /// Column and row of the cursor.
    pub cursor: (u16, u16),
    /// The cursor hangs behind the last column.
    hanging: bool,
    /// How the next character will look.
    pub pen: Pen,
    /// Scrolling happens between these rows (the second is not in it).
    region: (u16, u16),
    saved: ((u16, u16), Pen),
    /// Not yet asked for.
    pub touched: Vec<Touch>,
}

impl Grid {
    /// An empty screen.
    pub fn new(columns: u16, rows: u16) -> Self {
        Self {
            columns,
            rows,
            cells: vec![Cell::default(); usize::from(columns) * usize::from(rows)],
            cursor: (0, 0),
            hanging: false,
            pen: Pen::default(),
            region: (0, rows),
            saved: ((0, 0), Pen::default()),
            touched: Vec::new(),
        }
    }

    fn at(&self, x: u16, y: u16) -> usize {
        usize::from(y) * usize::from(self.columns) + usize::from(x)
    }

    /// The cell here.
    pub fn cell(&self, x: u16, y: u16) -> &Cell {
        &self.cells[self.at(x, y)]
    }

    /// The text of a row, without blanks at its end.
    pub fn line(&self, y: u16) -> String {
        let text: String = (0..self.columns)
            .map(|x| self.cell(x, y))
            .filter(|cell| !cell.tail)
            .map(|cell| if cell.text.is_empty() { " " } else { &cell.text })
            .collect();
        text.trim_end().to_owned()
    }

    /// All of the text.
    pub fn text(&self) -> String {
        (0..self.rows).map(|y| self.line(y) + "\n").collect()
    }

    /// Where this text begins.
    pub fn find(&self, text: &str) -> Option<(u16, u16)> {
        (0..self.rows).find_map(|y| {
            let line = self.line(y);
            let at = line.find(text)?;
            let before = line[..at].chars().map(|letter| letter.width().unwrap_or(0)).sum::<usize>();
            Some((u16::try_from(before).ok()?, y))
        })
    }

    /// Another size: what no longer fits is lost.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        let mut cells = Vec::with_capacity(usize::from(columns) * usize::from(rows));
        for y in 0..rows {
            for x in 0..columns {
                let inside = x < self.columns && y < self.rows;
                cells.push(if inside { self.cell(x, y).clone() } else { Cell::default() });
            }
        }
        (self.columns, self.rows, self.cells, self.region) = (columns, rows, cells, (0, rows));
        self.go(self.cursor.0, self.cursor.1);
    }

    /// What erasing leaves: a blank of the present background.
    fn blank(&self) -> Cell {
        Cell { text: String::new(), pen: Pen { bg: self.pen.bg, ..Pen::default() }, tail: false }
    }

    /// Moves the cursor, but not off the screen.
    pub fn go(&mut self, x: u16, y: u16) {
        self.cursor = (x.min(self.columns - 1), y.min(self.rows - 1));
        self.hanging = false;
    }

    /// Writes a character.
    pub fn put(&mut self, letter: char) {
        let width = u16::try_from(letter.width().unwrap_or(0)).unwrap_or(0);
        if width == 0 {
            let (x, y) = self.cursor;
            let mut x = if self.hanging { x } else { x.saturating_sub(1) };
            if self.cell(x, y).tail {
                x = x.saturating_sub(1);
            }
            let at = self.at(x, y);
            self.cells[at].text.push(letter);
            return;
        }
        if self.hanging || self.cursor.0 + width > self.columns {
            self.cursor.0 = 0;
            self.hanging = false;
            self.feed_line();
        }
        let (x, y) = self.cursor;
        for x in x..x + width {
            self.split(x, y);
        }
        let at = self.at(x, y);
        self.cells[at] = Cell { text: letter.to_string(), pen: self.pen, tail: false };
        if width == 2 {
            self.cells[at + 1] = Cell { text: String::new(), pen: self.pen, tail: true };
        }
        self.touched.push(Touch::Written(Rect { left: x, top: y, columns: width, rows: 1 }));
        if x + width == self.columns {
            self.cursor.0 = self.columns - 1;
            self.hanging = true;
        } else {
            self.cursor.0 = x + width;
        }
    }

    /// Half a wide character is none.
    fn split(&mut self, x: u16, y: u16) {
        let at = self.at(x, y);
        if self.cells[at].tail && x > 0 {
            self.cells[at - 1].text = " ".into();
            self.cells[at].tail = false;
        } else if x + 1 < self.columns && self.cells[at + 1].tail {
            self.cells[at + 1] = Cell { text: " ".into(), pen: self.cells[at].pen, tail: false };
        }
    }

    /// The next line, scrolling at the end.
    pub fn feed_line(&mut self) {
        if self.cursor.1 + 1 == self.region.1 {
            self.scroll(self.region.0, self.region.1, 1);
        } else if self.cursor.1 + 1 < self.rows {
            self.cursor.1 += 1;
        }
    }

    /// A control character.
    pub fn control(&mut self, byte: u8) {
        match byte {
            b'\r' => self.go(0, self.cursor.1),
            b'\n' | 0x0b | 0x0c => {
                self.hanging = false;
                self.feed_line();
            }
            0x08 => self.go(self.cursor.0.saturating_sub(1), self.cursor.1),
            b'\t' => self.go((self.cursor.0 / 8 + 1) * 8, self.cursor.1),
            _ => {}
        }
    }

    /// `ESC` and a letter.
    pub fn escape(&mut self, last: u8) {
        match last {
            b'7' => self.saved = (self.cursor, self.pen),
            b'8' => {
                let ((x, y), pen) = self.saved;
                self.go(x, y);
                self.pen = pen;
            }
            b'D' => self.feed_line(),
            b'M' if self.cursor.1 == self.region.0 => self.scroll(self.region.0, self.region.1, -1),
            b'M' => self.go(self.cursor.0, self.cursor.1.saturating_sub(1)),
            _ => {}
        }
    }

    fn scroll(&mut self, top: u16, end: u16, by: i32) {
        let blank = self.blank();
        let old = self.cells.clone();
        for y in top..end {
            let from = i32::from(y) + by;
            for x in 0..self.columns {
                let at = self.at(x, y);
                self.cells[at] = match u16::try_from(from) {
                    Ok(from) if (top..end).contains(&from) => old[self.at(x, from)].clone(),
                    _ => blank.clone(),
                };
            }
        }
        self.touched.push(Touch::Scrolled(top, end, by));
    }

    /// Blanks cells without a sequence of the program's.
    pub fn wipe(&mut self, area: Rect) {
        for (x, y) in area.cells() {
            if x < self.columns && y < self.rows {
                self.split(x, y);
                let at = self.at(x, y);
                self.cells[at] = self.blank();
            }
        }
    }

    fn erase(&mut self, area: Rect) {
        self.wipe(area);
        self.touched.push(Touch::Erased(area));
    }

    /// A control sequence about text; false if it is none.
    pub fn csi(&mut self, csi: &Csi) -> bool {
        if csi.prefix.is_some() || !csi.between.is_empty() {
            return false;
        }
        let ((x, y), (columns, rows)) = (self.cursor, (self.columns, self.rows));
        let many = csi.count(0);
        let rest = |left: u16| Rect { left, top: y, columns: columns - left, rows: 1 };
        match csi.last {
            b'A' => self.go(x, y.saturating_sub(many)),
            b'B' => self.go(x, y.saturating_add(many)),
            b'C' => self.go(x.saturating_add(many), y),
            b'D' => self.go(x.saturating_sub(many), y),
            b'G' | b'`' => self.go(many - 1, y),
            b'd' => self.go(x, many - 1),
            b'H' | b'f' => self.go(csi.count(1) - 1, many - 1),
            b'J' => match csi.number(0, 0) {
                0 => {
                    self.erase(rest(x));
                    self.erase(Rect { left: 0, top: y + 1, columns, rows: rows - y - 1 });
                }
                1 => {
                    self.erase(Rect { left: 0, top: 0, columns, rows: y });
                    self.erase(Rect { columns: x + 1, ..rest(0) });
                }
                2 => {
                    self.wipe(Rect { left: 0, top: 0, columns, rows });
                    self.touched.push(Touch::Cleared);
                }
                _ => {}
            },
            b'K' => match csi.number(0, 0) {
                0 => self.erase(rest(x)),
                1 => self.erase(Rect { columns: x + 1, ..rest(0) }),
                _ => self.erase(rest(0)),
            },
            b'X' => self.erase(Rect { columns: many.min(columns - x), ..rest(x) }),
            b'L' | b'M' if (self.region.0..self.region.1).contains(&y) => {
                let by = i32::from(many.min(self.region.1 - y));
                self.scroll(y, self.region.1, if csi.last == b'L' { -by } else { by });
            }
            b'S' | b'T' => {
                let by = i32::from(many.min(rows));
                self.scroll(self.region.0, self.region.1, if csi.last == b'T' { -by } else { by });
            }
            b'r' => {
                let end = u16::try_from(csi.number(1, u32::from(rows))).unwrap_or(rows).min(rows);
                self.region = if many - 1 < end { (many - 1, end) } else { (0, rows) };
                self.go(0, 0);
            }
            b'm' => self.style(csi),
            _ => return false,
        }
        true
    }

    fn style(&mut self, csi: &Csi) {
        if csi.numbers.is_empty() {
            self.pen = Pen::default();
        }
        let mut at = 0;
        while let Some(parts) = csi.numbers.get(at) {
            at += 1;
            let number = parts[0].unwrap_or(0);
            match number {
                0 => self.pen = Pen::default(),
                4 if parts.get(1) == Some(&Some(0)) => self.pen.attributes &= !(1 << 4),
                1..=9 => self.pen.attributes |= 1 << number,
                22 => self.pen.attributes &= !(1 << 1 | 1 << 2),
                23 | 24 | 27 | 28 | 29 => self.pen.attributes &= !(1 << (number - 20)),
                25 => self.pen.attributes &= !(1 << 5 | 1 << 6),
                30..=37 => self.pen.fg = Paint::Index((number - 30) as u8),
                40..=47 => self.pen.bg = Paint::Index((number - 40) as u8),
                90..=97 => self.pen.fg = Paint::Index((number - 82) as u8),
                100..=107 => self.pen.bg = Paint::Index((number - 92) as u8),
                39 => self.pen.fg = Paint::Default,
                49 => self.pen.bg = Paint::Default,
                59 => self.pen.line = Paint::Default,
                38 | 48 | 58 => {
                    let (colour, used) = extended(parts, csi, at);
                    at += used;
                    let Some(colour) = colour else { continue };
                    match number {
                        38 => self.pen.fg = colour,
                        48 => self.pen.bg = colour,
                        _ => self.pen.line = colour,
                    }
                }
                _ => {}
            }
        }
    }
}

/// `38;5;n`, `38;2;r;g;b`, and the same with colons; also how many further numbers were used.
fn extended(parts: &[Option<u32>], csi: &Csi, at: usize) -> (Option<Paint>, usize) {
    let byte = |number: Option<u32>| number.and_then(|number| u8::try_from(number).ok()).unwrap_or(0);
    if parts.len() > 1 {
        let paint = match (parts[1], parts.len()) {
            (Some(5), 3) => Some(Paint::Index(byte(parts[2]))),
            // With or without the name of a colour space.
            (Some(2), 5) => Some(Paint::Rgb([byte(parts[2]), byte(parts[3]), byte(parts[4])])),
            (Some(2), 6) => Some(Paint::Rgb([byte(parts[3]), byte(parts[4]), byte(parts[5])])),
            _ => None,
        };
        return (paint, 0);
    }
    let next = |more: usize| byte(Some(csi.number(at + more, 0)));
    match csi.number(at, 0) {
        5 => (Some(Paint::Index(next(1))), 2),
        2 => (Some(Paint::Rgb([next(1), next(2), next(3)])), 4),
        _ => (None, 1),
    }
}
