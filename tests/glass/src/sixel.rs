//! Reads sixel: from what stands in a device control string to pixels.

use image::{Rgba, RgbaImage};

/// A picture larger than this is refused.
const MOST: u32 = 10_000;

/// The colours of a VT340, in hundredths, for registers that were not set.
const FIRST: [[u32; 3]; 16] = [
    [0, 0, 0],
    [20, 20, 80],
    [80, 13, 13],
    [20, 80, 20],
    [80, 20, 80],
    [20, 80, 80],
    [80, 80, 20],
    [53, 53, 53],
    [26, 26, 26],
    [33, 33, 60],
    [60, 26, 26],
    [33, 60, 33],
    [60, 33, 60],
    [33, 60, 60],
    [60, 60, 33],
    [80, 80, 80],
];

/// What was read.
#[derive(Debug)]
pub struct Sixel {
    /// The pixels; those that were not set are transparent.
    pub pixels: RgbaImage,
    /// Pixels that are not set become the background.
    pub fills: bool,
    /// Pixel rows up to the end of the last band in which something is set.
    pub bands: u32,
}

struct Pen {
    pixels: Vec<Vec<Option<[u8; 3]>>>,
    x: u32,
    top: u32,
    colour: [u8; 3],
    width: u32,
    height: u32,
    bands: u32,
}

impl Pen {
    fn draw(&mut self, bits: u8, times: u32) -> Result<(), String> {
        let end = self.x.checked_add(times).filter(|end| *end <= MOST).ok_or("a sixel row is too long")?;
        for bit in 0..6 {
            if bits >> bit & 1 == 0 {
                continue;
            }
            let y = self.top + bit;
            self.height = self.height.max(y + 1);
            let y = y as usize;
            if self.pixels.len() <= y {
                self.pixels.resize_with(y + 1, Vec::new);
            }
            let row = &mut self.pixels[y];
            if row.len() < end as usize {
                row.resize(end as usize, None);
            }
            row[self.x as usize..end as usize].fill(Some(self.colour));
        }
        if bits != 0 {
            self.width = self.width.max(end);
            self.bands = self.bands.max(self.top + 6);
        }
        self.x = end;
        Ok(())
    }
}

/// Takes the digits and semicolons at the front.
fn numbers(body: &mut &[u8]) -> Vec<u32> {
    let end = body.iter().position(|byte| !byte.is_ascii_digit() && *byte != b';').unwrap_or(body.len());
    let (text, rest) = body.split_at(end);
    *body = rest;
    if text.is_empty() {
        return Vec::new();
    }
    let number = |part: &[u8]| std::str::from_utf8(part).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    text.split(|byte| *byte == b';').map(number).collect()
}

/// What a string begins with if it is sixel: its parameters, and where the data begin.
pub fn head(string: &[u8]) -> Option<(Vec<u32>, &[u8])> {
    let mut rest = string;
    let parameters = numbers(&mut rest);
    Some((parameters, rest.strip_prefix(b"q")?))
}

/// Reads a whole string.
pub fn read(string: &[u8]) -> Result<Sixel, String> {
    let (parameters, mut body) = head(string).ok_or("no sixel")?;
    let fills = !matches!(parameters.get(1), Some(1));
    let mut registers: Vec<[u8; 3]> =
        FIRST.iter().map(|rgb| rgb.map(|part| u8::try_from((part * 255 + 50) / 100).unwrap_or(255))).collect();
    registers.resize(256, [0; 3]);
    let mut pen = Pen { pixels: Vec::new(), x: 0, top: 0, colour: registers[0], width: 0, height: 0, bands: 0 };
    while let Some((first, rest)) = body.split_first() {
        body = rest;
        match *first {
            b'"' => {
                let size = numbers(&mut body);
                let side = |at: usize| size.get(at).copied().unwrap_or(0);
                if side(2).max(side(3)) > MOST {
                    return Err("the sixel picture is too large".into());
                }
                (pen.width, pen.height) = (pen.width.max(side(2)), pen.height.max(side(3)));
            }
            b'#' => {
                let parts = numbers(&mut body);
                let register = parts.first().copied().unwrap_or(0) as usize;
                if register >= registers.len() {
                    return Err(format!("there is no colour register {register}"));
                }
                match parts[..] {
                    [_, 2, r, g, b] => {
                        let channel = |part: u32| u8::try_from((part.min(100) * 255 + 50) / 100).unwrap_or(255);
                        registers[register] = [channel(r), channel(g), channel(b)];
                    }
                    [_, 1, hue, light, strong] => registers[register] = from_hls(hue, light, strong),
                    [_] => {}
                    _ => return Err("a colour is not understood".into()),
                }
                pen.colour = registers[register];
            }
            b'!' => {
                let times = numbers(&mut body).first().copied().unwrap_or(1).max(1);
                let Some((sixel @ b'?'..=b'~', rest)) = body.split_first() else {
                    return Err("nothing is repeated".into());
                };
                body = rest;
                pen.draw(sixel - b'?', times)?;
            }
            b'$' => pen.x = 0,
            b'-' => {
                pen.x = 0;
                pen.top += 6;
                if pen.top > MOST {
                    return Err("the sixel picture is too high".into());
                }
            }
            sixel @ b'?'..=b'~' => pen.draw(sixel - b'?', 1)?,
            b'\r' | b'\n' | b' ' => {}
            other => return Err(format!("byte {other:#x} is no sixel")),
        }
    }
    if pen.width == 0 || pen.height == 0 {
        return Err("the sixel picture is empty".into());
    }
    let mut pixels = RgbaImage::new(pen.width, pen.height);
    for (y, row) in pen.pixels.iter().enumerate() {
        for (x, colour) in row.iter().enumerate() {
            if let Some([r, g, b]) = colour {
                pixels.put_pixel(x as u32, y as u32, Rgba([*r, *g, *b, 255]));
            }
        }
    }
    Ok(Sixel { pixels, fills, bands: pen.bands })
}

/// Hue in degrees with blue at 0, the rest in hundredths.
fn from_hls(hue: u32, light: u32, strong: u32) -> [u8; 3] {
    let hue = f64::from((hue + 240) % 360) / 60.0;
    let (light, strong) = (f64::from(light.min(100)) / 100.0, f64::from(strong.min(100)) / 100.0);
    let chroma = (1.0 - (2.0 * light - 1.0).abs()) * strong;
    let second = chroma * (1.0 - (hue % 2.0 - 1.0).abs());
    let parts = match hue as u32 {
        0 => [chroma, second, 0.0],
        1 => [second, chroma, 0.0],
        2 => [0.0, chroma, second],
        3 => [0.0, second, chroma],
        4 => [second, 0.0, chroma],
        _ => [chroma, 0.0, second],
    };
    parts.map(|part| ((part + light - chroma / 2.0) * 255.0).round() as u8)
}
