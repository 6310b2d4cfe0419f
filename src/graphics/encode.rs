//! From pixels to a [`Picture`]: how large, in which protocol, for how many bytes.

use ratatui::layout::Size;

use super::budget::{Purpose, Source};
use super::picture::{Body, CellSize, Picture, PictureKey, Protocol, Quality};
use super::resize::Backdrop;
use super::view::{Crop, MAX_FIT, View};
use super::{Decoded, blocks, iterm2, kitty, png, sixel};

/// What a terminal needs of a picture, besides the cells to fit into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// How it is sent.
    pub protocol: Protocol,
    /// Pixels of a cell.
    pub cell: CellSize,
    /// Bytes against looks.
    pub quality: Quality,
    /// tmux stands in between: it draws sixel pictures in a way of its own.
    pub tmux: bool,
}

impl Shape {
    /// The bytes that its quality stands for: what looks like the picture, where a line was not measured.
    fn budget(&self) -> Option<usize> {
        match (self.quality, self.protocol) {
            (Quality::Full, _) => None,
            (Quality::Lean, Protocol::Iterm2) => Some(115_000),
            (Quality::Lean, _) => Some(440_000),
        }
    }
}

/// What is asked for besides the [`Shape`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ask {
    /// Bytes the picture may take on the line, about half a second of it; `None` for a local terminal, where
    /// nothing is spared. Held exactly, but for a floor: a picture of about 8 pixels is made in any case. It does not
    /// hold for half blocks, which are text; they take fewer colours.
    pub budget: Option<usize>,
    /// A first look has a small budget of its own, which this one can only lower.
    pub purpose: Purpose,
    /// The part to be seen; `None` for all of it.
    pub view: Option<View>,
    /// What is behind transparent pixels.
    pub behind: Backdrop,
}

/// Why a picture could not be encoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// No cells, no pixels, or more than can be addressed.
    #[error("there is no room for the picture")]
    Size,
    /// The file encoder failed.
    #[error("the picture could not be prepared")]
    Failed(String),
    /// Pictures are switched off.
    #[error("pictures are switched off")]
    Off,
}

/// How a picture lies in its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fit {
    /// Cells it fills.
    pub cells: Size,
    /// Pixels it has on the screen.
    pub width: u32,
    /// As `width`.
    pub height: u32,
}

/// The cells that a picture of `pixels` fills when it is fitted into `room`, keeping its shape.
pub fn fit(pixels: (u32, u32), room: Size, cell: CellSize) -> Option<Size> {
    fit_pixels(pixels, room, cell).map(|fit| fit.cells)
}

fn fit_pixels(pixels: (u32, u32), room: Size, cell: CellSize) -> Option<Fit> {
    let (width, height) = pixels;
    if width == 0 || height == 0 || room.width == 0 || room.height == 0 {
        return None;
    }
    let most_wide = u32::from(room.width) * u32::from(cell.width);
    let most_high = u32::from(room.height) * u32::from(cell.height);
    let zoom = (f64::from(most_wide) / f64::from(width)).min(f64::from(most_high) / f64::from(height)).min(MAX_FIT);
    sized(pixels, zoom, room, cell)
}

/// A picture of `pixels` at a scale, cut off at the room's edges.
fn sized(pixels: (u32, u32), zoom: f64, room: Size, cell: CellSize) -> Option<Fit> {
    let (width, height) = pixels;
    if width == 0 || height == 0 || room.width == 0 || room.height == 0 {
        return None;
    }
    let most_wide = u32::from(room.width) * u32::from(cell.width);
    let most_high = u32::from(room.height) * u32::from(cell.height);
    let wide = ((f64::from(width) * zoom).round() as u32).clamp(1, most_wide);
    let high = ((f64::from(height) * zoom).round() as u32).clamp(1, most_high);
    let cells = Size::new(wide.div_ceil(u32::from(cell.width)) as u16, high.div_ceil(u32::from(cell.height)) as u16);
    Some(Fit { cells, width: wide, height: high })
}

/// Encodes all of a picture for one terminal, in the bytes that the shape's quality stands for.
///
/// # Errors
/// See [`EncodeError`].
pub fn encode(image: &Decoded, key: PictureKey, shape: &Shape) -> Result<Picture, EncodeError> {
    encode_for(image, key, shape, &Ask { budget: shape.budget(), ..Ask::default() })
}

/// Encodes for one terminal and one budget. The same arguments give the same bytes. Blocking, up to a tenth of a
/// second; call it away from the loop.
///
/// # Errors
/// See [`EncodeError`].
pub fn encode_for(image: &Decoded, key: PictureKey, shape: &Shape, ask: &Ask) -> Result<Picture, EncodeError> {
    let mut room = key.cells;
    if shape.protocol == Protocol::Kitty {
        room = Size::new(room.width.min(kitty::MOST), room.height.min(kitty::MOST));
    }
    let (fit, part) = match ask.view {
        None => {
            let (width, height) = image.size();
            (fit_pixels((width, height), room, shape.cell), Crop { x: 0, y: 0, width, height })
        }
        Some(view) => {
            let part = view.rect.within(image.size());
            let scale = if view.scale.is_finite() { view.scale.max(0.0) } else { 1.0 };
            (sized((part.width, part.height), scale, room, shape.cell), part)
        }
    };
    let fit = fit.ok_or(EncodeError::Size)?;
    let fit = match shape.protocol {
        Protocol::Sixel if shape.tmux => sixel::whole_rows(sixel::whole_bands(fit, shape.cell), shape.cell, room),
        Protocol::Sixel => sixel::whole_bands(fit, shape.cell),
        _ => fit,
    };
    let source = Source { pixels: &image.pixels, part, behind: ask.behind };
    // Where the terminal scales, more pixels than the source has would only cost bytes.
    let most = (fit.width.min(part.width), fit.height.min(part.height));
    let (budget, purpose) = (ask.budget, ask.purpose);
    let body = match shape.protocol {
        Protocol::Off => return Err(EncodeError::Off),
        Protocol::Kitty => Body::Kitty(png::encode(&source, most, budget, purpose)?),
        Protocol::KittyDirect => Body::KittyDirect(png::encode(&source, most, budget, purpose)?),
        Protocol::Iterm2 => Body::Iterm2(iterm2::encode(&source, most, fit.cells, budget, purpose)?),
        Protocol::Sixel => {
            let cut = sixel::Cut::new(fit, shape, ask.behind);
            Body::Sixel(sixel::encode(&source, fit, cut, budget, purpose)?)
        }
        Protocol::Blocks => {
            let (columns, rows) = (u32::from(fit.cells.width), u32::from(fit.cells.height));
            let few = budget.is_some() || purpose == Purpose::FirstLook;
            Body::Blocks(blocks::cells(source.at(columns, rows * 2)?, fit.cells, few)?)
        }
    };
    Ok(Picture::new(key, purpose, fit.cells, body))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use image::DynamicImage;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    use super::*;
    use crate::graphics::{HOLE, Kind, place, placeholder_id};

    fn photo(alpha: bool) -> Decoded {
        let image = image::RgbaImage::from_fn(300, 200, |x, y| {
            image::Rgba([(x * 255 / 299) as u8, (y * 255 / 199) as u8, 60, (x % 256) as u8])
        });
        let image = DynamicImage::ImageRgba8(image);
        let pixels = if alpha { image } else { DynamicImage::ImageRgb8(image.into_rgb8()) };
        Decoded { kind: Kind::Png, pixels }
    }

    #[test]
    fn every_protocol_fills_the_cells_it_says() {
        let protocols = [Protocol::Kitty, Protocol::KittyDirect, Protocol::Sixel, Protocol::Iterm2, Protocol::Blocks];
        for (protocol, quality, alpha) in protocols
            .iter()
            .flat_map(|protocol| [(Quality::Full, false), (Quality::Lean, true)].map(|(q, a)| (*protocol, q, a)))
        {
            let shape = Shape { protocol, cell: CellSize::GUESS, quality, tmux: alpha };
            let key = PictureKey { asset: "fox".into(), cells: Size::new(30, 12) };
            let picture = encode(&photo(alpha), key, &shape).expect("encodes");
            assert_eq!(picture.protocol(), protocol);
            assert_eq!(picture.cells, Size::new(30, 10));
            let mut buffer = Buffer::empty(Rect::new(0, 0, 40, 20));
            let picture = Arc::new(picture);
            let placed = place(&picture, Rect::new(2, 3, 34, 12), &mut buffer).expect("fits");
            assert_eq!(placed.area, Rect::new(4, 4, 30, 10));
            let inside = &buffer[(33, 13)];
            match protocol {
                Protocol::Kitty => assert_eq!(placeholder_id(inside), Some(picture.id)),
                Protocol::Blocks => assert_ne!(inside.bg, ratatui::style::Color::Reset),
                _ => assert_eq!(inside.symbol(), HOLE),
            }
            assert_eq!(buffer[(34, 13)].symbol(), " ");
            assert!(place(&picture, Rect::new(0, 0, 29, 12), &mut buffer).is_none());
        }
    }

    #[test]
    fn no_room_is_an_error() {
        let shape = Shape { protocol: Protocol::Kitty, cell: CellSize::GUESS, quality: Quality::Full, tmux: false };
        let key = PictureKey { asset: String::new(), cells: Size::new(0, 4) };
        assert_eq!(encode(&photo(false), key, &shape).unwrap_err(), EncodeError::Size);
    }

    #[test]
    fn pictures_keep_their_shape_and_their_room() {
        let cell = CellSize::GUESS;
        let room = Size::new(80, 40);
        assert_eq!(fit((1024, 1024), room, cell), Some(Size::new(80, 40)));
        assert_eq!(fit((1600, 900), room, cell), Some(Size::new(80, 23)));
        assert_eq!(fit((900, 1600), room, cell), Some(Size::new(45, 40)));
        assert_eq!(fit((30_000, 1), room, cell), Some(Size::new(80, 1)));
        assert_eq!(fit((10, 10), room, cell), Some(Size::new(4, 2)));
        assert_eq!(fit((10, 10), Size::new(0, 9), cell), None);
        assert_eq!(fit((0, 10), room, cell), None);
    }
}
