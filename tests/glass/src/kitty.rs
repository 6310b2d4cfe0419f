//! Kitty graphics: pictures that are kept, and where they are placed.

use std::collections::BTreeMap;
use std::io::Read as _;

use base64::Engine as _;
use image::{DynamicImage, RgbImage, RgbaImage};

use super::iterm2::scale;

/// Letters in one piece of a transfer, at most.
const PIECE: usize = 4096;

/// A picture that is kept.
#[derive(Debug)]
pub struct Kept {
    /// Which of all pictures that ever came.
    pub serial: usize,
    /// Its pixels.
    pub pixels: DynamicImage,
    number: u32,
    turn: u64,
}

/// A picture on the screen, or ready for placeholders.
#[derive(Debug)]
pub struct Place {
    /// The picture's id.
    pub id: u32,
    /// The placement's own id, or 0.
    pub place: u32,
    /// Column and row of its first cell; off the screen after scrolling.
    pub at: (i32, i32),
    /// Pixels from there.
    pub offset: (u32, u32),
    /// Columns and rows.
    pub cells: (u16, u16),
    /// Above or below text.
    pub z: i32,
    /// Only shown by placeholders.
    pub virtual_: bool,
    /// Which picture, of all that ever came.
    pub serial: usize,
    /// As shown, from `offset` on.
    pub pixels: RgbaImage,
}

#[derive(Debug)]
struct Loading {
    keys: Keys,
    data: Vec<u8>,
}

/// What a command asks for.
#[derive(Clone, Debug, Default)]
struct Keys(BTreeMap<char, String>);

impl Keys {
    fn read(text: &str) -> Result<Self, String> {
        let mut keys = BTreeMap::new();
        for pair in text.split(',').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(|| format!("{pair:?} is no key"))?;
            let mut letters = key.chars();
            let (Some(letter), None) = (letters.next(), letters.next()) else {
                return Err(format!("{key:?} is no key"));
            };
            if keys.insert(letter, value.to_owned()).is_some() {
                return Err(format!("{key} is there twice"));
            }
        }
        Ok(Self(keys))
    }

    fn letter(&self, key: char, default: char) -> char {
        self.0.get(&key).and_then(|value| value.chars().next()).unwrap_or(default)
    }

    fn number(&self, key: char) -> u32 {
        self.0.get(&key).and_then(|value| value.parse().ok()).unwrap_or(0)
    }

    fn signed(&self, key: char) -> i32 {
        self.0.get(&key).and_then(|value| value.parse().ok()).unwrap_or(0)
    }
}

/// What became of a command.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What the terminal says.
    pub answer: Option<String>,
    /// What is wrong with it.
    pub complaint: Option<String>,
    /// So far does the cursor move.
    pub moved: Option<(u16, u16)>,
    /// A new picture came: its serial number is the one given.
    pub came: Option<(u32, u32)>,
}

/// What the terminal keeps for one of its two screens.
#[derive(Debug)]
pub struct Store {
    kept: BTreeMap<u32, Kept>,
    /// All placements.
    pub places: Vec<Place>,
    loading: Option<Loading>,
    /// Bytes of pixels that are kept.
    pub quota: usize,
    turn: u64,
    /// Transfers that were broken off.
    pub broken_off: usize,
}

impl Default for Store {
    fn default() -> Self {
        Self { kept: BTreeMap::new(), places: Vec::new(), loading: None, quota: 320 << 20, turn: 0, broken_off: 0 }
    }
}

/// What is around a command.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// Pixels of a cell.
    pub cell: (u32, u32),
    /// Column and row.
    pub cursor: (u16, u16),
    /// The number that a picture gets if one comes.
    pub serial: usize,
}

impl Store {
    /// Ids of the pictures that are kept.
    pub fn ids(&self) -> Vec<u32> {
        self.kept.keys().copied().collect()
    }

    /// Bytes of their pixels, four each.
    pub fn bytes(&self) -> usize {
        self.kept.values().map(Kept::bytes).sum()
    }

    /// The picture with this id.
    pub fn get(&self, id: u32) -> Option<&Kept> {
        self.kept.get(&id)
    }

    /// No transfer is under way.
    pub fn at_rest(&self) -> bool {
        self.loading.is_none()
    }

    /// The screen was cleared: what lies on it is gone, what is kept stays.
    pub fn cleared(&mut self) {
        self.places.retain(|place| place.virtual_);
    }

    /// What lies between these rows goes along.
    pub fn scrolled(&mut self, top: u16, end: u16, by: i32) {
        for place in self.places.iter_mut().filter(|place| !place.virtual_) {
            let (first, last) = (place.at.1, place.at.1 + i32::from(place.cells.1));
            if first >= i32::from(top) && last <= i32::from(end) || (top == 0 && last <= i32::from(end)) {
                place.at.1 -= by;
            }
        }
        self.places.retain(|place| place.virtual_ || place.at.1 + i32::from(place.cells.1) > 0);
    }

    /// Takes what stands between `ESC _` and its end.
    pub fn command(&mut self, body: &[u8], around: Around) -> Outcome {
        let complain = |why: String| Outcome { complaint: Some(why), ..Outcome::default() };
        let Some(body) = body.strip_prefix(b"G") else { return Outcome::default() };
        let split = body.iter().position(|byte| *byte == b';').unwrap_or(body.len());
        let data = body.get(split + 1..).unwrap_or_default();
        let keys = match std::str::from_utf8(&body[..split]).map_err(|_| "keys that are no text".to_owned()) {
            Ok(text) => Keys::read(text),
            Err(why) => Err(why),
        };
        let keys = match keys {
            Ok(keys) => keys,
            Err(why) => return complain(why),
        };
        if data.len() > PIECE {
            return complain(format!("a piece of {} letters", data.len()));
        }
        let more = keys.number('m') == 1;
        if let Some(mut loading) = self.loading.take() {
            if keys.letter('a', 't') == 'd' {
                self.broken_off += 1;
                return self.delete(&keys, around);
            }
            if keys.0.keys().any(|key| !matches!(key, 'm' | 'q' | 'a')) {
                return complain("another command within a transfer".into());
            }
            if data.is_empty() && !more {
                self.broken_off += 1;
                return Outcome::default();
            }
            if more && !data.len().is_multiple_of(4) {
                return complain("a piece that is no multiple of four letters".into());
            }
            loading.data.extend(data);
            if more {
                self.loading = Some(loading);
                return Outcome::default();
            }
            return self.whole(&loading.keys, &loading.data, around);
        }
        if keys.0.keys().all(|key| matches!(key, 'm' | 'q')) {
            // The end of a transfer that is no more, for instance after a delete.
            return if data.is_empty() { Outcome::default() } else { complain("a piece of no picture".into()) };
        }
        if more {
            self.loading = Some(Loading { keys, data: data.to_vec() });
            return Outcome::default();
        }
        self.whole(&keys, data, around)
    }

    fn whole(&mut self, keys: &Keys, data: &[u8], around: Around) -> Outcome {
        self.turn += 1;
        let (id, number) = (keys.number('i'), keys.number('I'));
        let action = keys.letter('a', 't');
        let done = match action {
            't' | 'T' | 'q' => self.load(keys, data, around).and_then(|mut outcome| {
                if action == 'T' {
                    outcome.moved = self.place(keys, around)?;
                }
                Ok(outcome)
            }),
            'p' => self.place(keys, around).map(|moved| Outcome { moved, ..Outcome::default() }),
            'd' => return self.delete(keys, around),
            other => Err(format!("EINVAL:action {other}")),
        };
        let quiet = keys.number('q');
        let named = id != 0 || number != 0;
        let name = if number == 0 { format!("i={id}") } else { format!("i={id},I={number}") };
        match done {
            Ok(outcome) => {
                let answer = (named && quiet == 0).then(|| format!("\x1b_G{name};OK\x1b\\"));
                Outcome { answer, ..outcome }
            }
            Err(why) => Outcome {
                answer: (named && quiet < 2).then(|| format!("\x1b_G{name};{why}\x1b\\")),
                complaint: (action != 'q').then_some(why),
                ..Outcome::default()
            },
        }
    }

    fn load(&mut self, keys: &Keys, data: &[u8], around: Around) -> Result<Outcome, String> {
        if keys.letter('t', 'd') != 'd' {
            return Err("EBADF:the file is on another machine".into());
        }
        let mut bytes =
            base64::engine::general_purpose::STANDARD.decode(data).map_err(|why| format!("EINVAL:base64: {why}"))?;
        if keys.letter('o', ' ') == 'z' {
            let mut unpacked = Vec::new();
            flate2::read::ZlibDecoder::new(&bytes[..])
                .read_to_end(&mut unpacked)
                .map_err(|why| format!("EINVAL:zlib: {why}"))?;
            bytes = unpacked;
        }
        let (wide, high) = (keys.number('s'), keys.number('v'));
        let pixels = match keys.0.get(&'f').map_or("32", String::as_str) {
            "100" => image::load_from_memory_with_format(&bytes, image::ImageFormat::Png)
                .map_err(|why| format!("EBADPNG:{why}"))?,
            "24" => raw(&mut bytes, wide, high, 3)
                .and_then(|()| RgbImage::from_raw(wide, high, bytes))
                .map(DynamicImage::ImageRgb8)
                .ok_or("ENODATA:too few pixels")?,
            "32" => raw(&mut bytes, wide, high, 4)
                .and_then(|()| RgbaImage::from_raw(wide, high, bytes))
                .map(DynamicImage::ImageRgba8)
                .ok_or("ENODATA:too few pixels")?,
            other => return Err(format!("EINVAL:format {other}")),
        };
        if keys.letter('a', 't') == 'q' {
            return Ok(Outcome::default());
        }
        let size = (pixels.width(), pixels.height());
        let id = match keys.number('i') {
            0 => 0x7f00_0000 + u32::try_from(around.serial).unwrap_or(0),
            id => id,
        };
        self.places.retain(|place| place.id != id);
        let kept = Kept { serial: around.serial, pixels, number: keys.number('I'), turn: self.turn };
        self.kept.insert(id, kept);
        while self.bytes() > self.quota && self.kept.len() > 1 {
            let oldest = self.kept.iter().min_by_key(|(_, kept)| kept.turn).map(|(id, _)| *id);
            let Some(oldest) = oldest else { break };
            self.kept.remove(&oldest);
            self.places.retain(|place| place.id != oldest);
        }
        Ok(Outcome { came: Some(size), ..Outcome::default() })
    }

    /// Answers how far the cursor moves.
    fn place(&mut self, keys: &Keys, around: Around) -> Result<Option<(u16, u16)>, String> {
        let id = match (keys.number('i'), keys.number('I')) {
            (0, 0) => self.kept.iter().max_by_key(|(_, kept)| kept.serial).map_or(0, |(id, _)| *id),
            (0, number) => self.kept.iter().find(|(_, kept)| kept.number == number).map_or(0, |(id, _)| *id),
            (id, _) => id,
        };
        let turn = self.turn;
        let kept = self.kept.get_mut(&id).ok_or("ENOENT:no such picture")?;
        kept.turn = turn;
        let serial = kept.serial;
        let part = [keys.number('x'), keys.number('y'), keys.number('w'), keys.number('h')];
        let whole = (kept.pixels.width(), kept.pixels.height());
        let picture = if part == [0; 4] {
            kept.pixels.clone()
        } else {
            let [x, y, w, h] = part;
            let rest = (whole.0.saturating_sub(x), whole.1.saturating_sub(y));
            let side = |asked: u32, rest: u32| if asked == 0 { rest } else { asked.min(rest) };
            let (w, h) = (side(w, rest.0), side(h, rest.1));
            if w == 0 || h == 0 {
                return Err("EINVAL:a part outside of the picture".into());
            }
            kept.pixels.crop_imm(x, y, w, h)
        };
        let (cell, virtual_) = (around.cell, keys.number('U') == 1);
        let offset = (keys.number('X').min(cell.0 - 1), keys.number('Y').min(cell.1 - 1));
        let (wide, high) = (picture.width(), picture.height());
        let room = match (keys.number('c'), keys.number('r')) {
            (0, 0) => (wide, high),
            (columns, 0) => (columns * cell.0, (high * columns * cell.0).div_ceil(wide)),
            (0, rows) => ((wide * rows * cell.1).div_ceil(high), rows * cell.1),
            (columns, rows) => (columns * cell.0, rows * cell.1),
        };
        if room.0 > 20_000 || room.1 > 20_000 {
            return Err("EINVAL:too large on the screen".into());
        }
        let side = |pixels: u32, offset: u32, cell: u32| u16::try_from((pixels + offset).div_ceil(cell)).unwrap_or(1);
        let columns = side(room.0, if keys.number('c') == 0 { offset.0 } else { 0 }, cell.0);
        let rows = side(room.1, if keys.number('r') == 0 { offset.1 } else { 0 }, cell.1);
        let pixels = if virtual_ {
            // In placeholders a picture keeps its shape, and lies in the middle.
            let room = (u32::from(columns) * cell.0, u32::from(rows) * cell.1);
            let zoom = (f64::from(room.0) / f64::from(wide)).min(f64::from(room.1) / f64::from(high));
            let fitted = ((f64::from(wide) * zoom).round() as u32, (f64::from(high) * zoom).round() as u32);
            let fitted = (fitted.0.clamp(1, room.0), fitted.1.clamp(1, room.1));
            let mut all = RgbaImage::new(room.0, room.1);
            let (x, y) = ((room.0 - fitted.0) / 2, (room.1 - fitted.1) / 2);
            super::plane::copy(&scale(&picture, fitted), &mut all, (x, y));
            all
        } else {
            scale(&picture, room)
        };
        let place = keys.number('p');
        self.places
            .retain(|other| other.id != id || (other.place != place || place == 0) && !(other.virtual_ && virtual_));
        let at = (i32::from(around.cursor.0), i32::from(around.cursor.1));
        let z = keys.signed('z');
        self.places.push(Place { id, place, at, offset, cells: (columns, rows), z, virtual_, serial, pixels });
        let stays = virtual_ || keys.number('C') == 1;
        Ok((!stays).then_some((columns, rows)))
    }

    fn delete(&mut self, keys: &Keys, around: Around) -> Outcome {
        let what = keys.letter('d', 'a');
        let (id, place) = (keys.number('i'), keys.number('p'));
        let id = match what.to_ascii_lowercase() {
            'n' => self.kept.iter().find(|(_, kept)| kept.number == keys.number('I')).map_or(0, |(id, _)| *id),
            _ => id,
        };
        let on = |at: &Place, x: i32, y: i32| {
            let (columns, rows) = (i32::from(at.cells.0), i32::from(at.cells.1));
            (at.at.0..at.at.0 + columns).contains(&x) && (at.at.1..at.at.1 + rows).contains(&y)
        };
        let (x, y) = (keys.signed('x') - 1, keys.signed('y') - 1);
        let cursor = (i32::from(around.cursor.0), i32::from(around.cursor.1));
        let chosen = |at: &Place| match what.to_ascii_lowercase() {
            'a' => !at.virtual_,
            'i' | 'n' => at.id == id && (place == 0 || at.place == place),
            'c' => !at.virtual_ && on(at, cursor.0, cursor.1),
            'p' => !at.virtual_ && on(at, x, y),
            'q' => !at.virtual_ && on(at, x, y) && at.z == keys.signed('z'),
            'x' => !at.virtual_ && on(at, x, at.at.1),
            'y' => !at.virtual_ && on(at, at.at.0, y),
            'z' => !at.virtual_ && at.z == keys.signed('z'),
            'r' => (keys.number('x')..=keys.number('y')).contains(&at.id),
            _ => false,
        };
        if !"aincpqxyzr".contains(what.to_ascii_lowercase()) {
            return Outcome { complaint: Some(format!("deletes {what:?}")), ..Outcome::default() };
        }
        let mut gone: Vec<u32> = self.places.iter().filter(|at| chosen(at)).map(|at| at.id).collect();
        self.places.retain(|at| !chosen(at));
        if what.is_ascii_uppercase() {
            match what {
                'I' | 'N' if place == 0 => gone.push(id),
                'A' => gone.extend(self.kept.keys()),
                'R' => gone.extend(keys.number('x')..=keys.number('y').min(keys.number('x') + 10_000)),
                _ => {}
            }
            let places = &self.places;
            self.kept.retain(|id, _| !gone.contains(id) || places.iter().any(|at| at.id == *id));
        }
        Outcome::default()
    }
}

impl Kept {
    fn bytes(&self) -> usize {
        self.pixels.width() as usize * self.pixels.height() as usize * 4
    }
}

/// Enough bytes for so many pixels, and no more.
fn raw(bytes: &mut Vec<u8>, wide: u32, high: u32, channels: usize) -> Option<()> {
    let wanted = (wide as usize).checked_mul(high as usize)?.checked_mul(channels)?;
    if wanted == 0 || bytes.len() < wanted {
        return None;
    }
    bytes.truncate(wanted);
    Some(())
}
