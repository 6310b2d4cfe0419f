//! Reads iTerm2's pictures, whole and in parts, and says which cells they fill.

use base64::Engine as _;
use image::{DynamicImage, RgbaImage};

/// A picture to be drawn at the cursor.
#[derive(Debug)]
pub struct Inline {
    /// Scaled as the terminal does it.
    pub pixels: RgbaImage,
    /// Pixels of the file.
    pub size: (u32, u32),
    /// Columns and rows.
    pub cells: (u16, u16),
    /// The cursor stays.
    pub stays: bool,
}

/// A transfer in parts.
#[derive(Debug, Default)]
pub struct Parts {
    begun: Option<(Vec<u8>, Vec<u8>)>,
}

/// What the window is like.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Pixels of a cell.
    pub cell: (u32, u32),
    /// Columns and rows.
    pub cells: (u16, u16),
}

impl Parts {
    /// Takes what follows `1337;`. Nothing, unless a picture is complete now.
    pub fn take(&mut self, body: &[u8], window: Window, multipart: bool) -> Result<Option<Inline>, String> {
        if let Some(rest) = body.strip_prefix(b"File=") {
            let colon = rest.iter().position(|byte| *byte == b':').ok_or("a picture without data")?;
            return read(&rest[..colon], &rest[colon + 1..], window).map(Some);
        }
        if !multipart {
            return Err("this terminal knows no pictures in parts".into());
        }
        if let Some(options) = body.strip_prefix(b"MultipartFile=") {
            self.begun = Some((options.to_vec(), Vec::new()));
            return Ok(None);
        }
        if let Some(part) = body.strip_prefix(b"FilePart=") {
            let (_, data) = self.begun.as_mut().ok_or("a part of no picture")?;
            data.extend(part);
            return Ok(None);
        }
        if body == b"FileEnd" {
            let (options, data) = self.begun.take().ok_or("the end of no picture")?;
            return read(&options, &data, window).map(Some);
        }
        Ok(None)
    }

    /// Is any transfer under way?
    pub fn at_rest(&self) -> bool {
        self.begun.is_none()
    }
}

fn read(options: &[u8], data: &[u8], window: Window) -> Result<Inline, String> {
    let options = std::str::from_utf8(options).map_err(|_| "options that are no text")?;
    let option = |name: &str| {
        options.split(';').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    if option("inline") != Some("1") {
        return Err("a file to be saved, not shown".into());
    }
    let file = base64::engine::general_purpose::STANDARD.decode(data).map_err(|why| format!("base64: {why}"))?;
    if option("size").is_some_and(|size| size.parse() != Ok(file.len())) {
        return Err(format!("{} bytes, but size={}", file.len(), option("size").unwrap_or_default()));
    }
    let picture = image::load_from_memory(&file).map_err(|why| why.to_string())?;
    let size = (picture.width(), picture.height());
    let across = side(option("width"), window.cell.0, window.cells.0)?;
    let down = side(option("height"), window.cell.1, window.cells.1)?;
    let keep = option("preserveAspectRatio") != Some("0");
    let (wide, high) = (f64::from(size.0), f64::from(size.1));
    let zoom = match (across, down) {
        (None, None) => (1.0, 1.0),
        (Some(across), None) => (f64::from(across) / wide, f64::from(across) / wide),
        (None, Some(down)) => (f64::from(down) / high, f64::from(down) / high),
        (Some(across), Some(down)) => {
            let zoom = (f64::from(across) / wide, f64::from(down) / high);
            if keep { (zoom.0.min(zoom.1), zoom.0.min(zoom.1)) } else { zoom }
        }
    };
    let scaled = (((wide * zoom.0).round() as u32).max(1), ((high * zoom.1).round() as u32).max(1));
    let cells = |asked: Option<u32>, scaled: u32, cell: u32| {
        u16::try_from(asked.unwrap_or(scaled).div_ceil(cell)).map_err(|_| "too many cells".to_owned())
    };
    Ok(Inline {
        pixels: scale(&picture, scaled),
        size,
        cells: (cells(across, scaled.0, window.cell.0)?, cells(down, scaled.1, window.cell.1)?),
        stays: option("doNotMoveCursor") == Some("1"),
    })
}

/// A side in pixels, if it is given: cells, pixels, or hundredths of the window.
fn side(text: Option<&str>, cell: u32, cells: u16) -> Result<Option<u32>, String> {
    let number = |text: &str| text.parse::<u32>().map_err(|_| format!("a side of {text:?}"));
    Ok(match text {
        None | Some("auto") => None,
        Some(text) => Some(if let Some(pixels) = text.strip_suffix("px") {
            number(pixels)?
        } else if let Some(part) = text.strip_suffix('%') {
            number(part)? * cell * u32::from(cells) / 100
        } else {
            number(text)? * cell
        }),
    })
}

/// Terminals scale smoothly, and not too well.
pub fn scale(picture: &DynamicImage, size: (u32, u32)) -> RgbaImage {
    if (picture.width(), picture.height()) == size {
        return picture.to_rgba8();
    }
    picture.resize_exact(size.0, size.1, image::imageops::FilterType::Triangle).into_rgba8()
}
