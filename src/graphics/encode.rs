//! From pixels to a [`Picture`]: how large, and in which protocol.

use image::RgbImage;
use quantette::deps::palette::Srgb;
use quantette::{ImageRef, PaletteSize, Pipeline};
use ratatui::layout::Size;

use super::picture::{Body, CellSize, Picture, PictureKey, Protocol, Quality};
use super::{Decoded, blocks, iterm2, kitty, resize, sixel};

/// Small pictures are not blown up beyond this.
const MAX_ZOOM: f64 = 4.0;

/// What a terminal needs of a picture, besides the cells to fit into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// How it is sent.
    pub protocol: Protocol,
    /// Pixels of a cell.
    pub cell: CellSize,
    /// Bytes against looks.
    pub quality: Quality,
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
    let zoom = (f64::from(most_wide) / f64::from(width)).min(f64::from(most_high) / f64::from(height)).min(MAX_ZOOM);
    let wide = ((f64::from(width) * zoom).round() as u32).clamp(1, most_wide);
    let high = ((f64::from(height) * zoom).round() as u32).clamp(1, most_high);
    let cells = Size::new(wide.div_ceil(u32::from(cell.width)) as u16, high.div_ceil(u32::from(cell.height)) as u16);
    Some(Fit { cells, width: wide, height: high })
}

/// Encodes for one terminal. Blocking, some tens of milliseconds; call it away from the loop.
///
/// # Errors
/// See [`EncodeError`].
pub fn encode(image: &Decoded, key: PictureKey, shape: &Shape) -> Result<Picture, EncodeError> {
    let mut room = key.cells;
    if shape.protocol == Protocol::Kitty {
        room = Size::new(room.width.min(kitty::MOST), room.height.min(kitty::MOST));
    }
    let fit = fit_pixels(image.size(), room, shape.cell).ok_or(EncodeError::Size)?;
    let fit = if shape.protocol == Protocol::Sixel { sixel::whole_bands(fit, shape.cell) } else { fit };
    // Where the terminal scales, more pixels than the source has would only cost bytes.
    let (most_wide, most_high) = image.size();
    let (wide, high) = (fit.width.min(most_wide), fit.height.min(most_high));
    let body = match shape.protocol {
        Protocol::Off => return Err(EncodeError::Off),
        Protocol::Kitty => {
            let pixels = resize::scale(&image.pixels, wide, high)?;
            Body::Kitty(kitty::png(&pixels, shape.quality)?)
        }
        Protocol::KittyDirect => {
            let pixels = resize::scale(&image.pixels, wide, high)?;
            Body::KittyDirect(kitty::png(&pixels, shape.quality)?)
        }
        Protocol::Iterm2 => {
            let pixels = resize::scale(&image.pixels, wide, high)?;
            Body::Iterm2(iterm2::sequence(&pixels, fit.cells, shape.quality)?)
        }
        Protocol::Sixel => {
            let pixels = resize::scale(&image.pixels, fit.width, fit.height)?;
            Body::Sixel(sixel::strips(&pixels, shape.cell, shape.quality)?)
        }
        Protocol::Blocks => {
            let (columns, rows) = (u32::from(fit.cells.width), u32::from(fit.cells.height));
            let pixels = resize::scale(&image.pixels, columns, rows * 2)?;
            Body::Blocks(blocks::cells(pixels, fit.cells)?)
        }
    };
    Ok(Picture::new(key, shape.quality, fit.cells, body))
}

/// A palette of at most `colours` and an index for each pixel, without dithering: dither costs a
/// third more bytes and, by measure, a decibel.
pub(super) fn palette(pixels: &RgbImage, colours: u16) -> Result<(Vec<[u8; 3]>, Vec<u8>), EncodeError> {
    let slice: Vec<Srgb<u8>> = pixels.pixels().map(|pixel| Srgb::new(pixel.0[0], pixel.0[1], pixel.0[2])).collect();
    let image = ImageRef::new(pixels.width(), pixels.height(), slice.as_slice()).map_err(|_| EncodeError::Size)?;
    let size = PaletteSize::try_from(colours).map_err(|_| EncodeError::Size)?;
    let (palette, indices) =
        Pipeline::new().palette_size(size).ditherer(None).input_image(image).output_srgb8_indexed_image().into_parts();
    let palette = palette.iter().map(|colour| [colour.red, colour.green, colour.blue]).collect();
    Ok((palette, indices))
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
            let shape = Shape { protocol, cell: CellSize::GUESS, quality };
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
        let shape = Shape { protocol: Protocol::Kitty, cell: CellSize::GUESS, quality: Quality::Full };
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
