//! Half blocks: two pixels a cell, as text with colours. The cells come from ratatui-image.

use image::{DynamicImage, RgbImage};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::Color;
use ratatui::widgets::Widget;
use ratatui_image::Image;
use ratatui_image::protocol::Protocol;
use ratatui_image::protocol::halfblocks::Halfblocks;

use super::encode::EncodeError;

/// `pixels` is already `cells.width` wide and twice `cells.height` high. `few` takes the 256 colours every
/// terminal has by number: a third fewer bytes, and more cells that are like their neighbour.
pub(super) fn cells(pixels: RgbImage, cells: Size, few: bool) -> Result<Buffer, EncodeError> {
    let area = Rect::new(0, 0, cells.width, cells.height);
    let blocks = Halfblocks::new(DynamicImage::ImageRgb8(pixels), cells)
        .map_err(|error| EncodeError::Failed(error.to_string()))?;
    let mut buffer = Buffer::empty(area);
    Image::new(&Protocol::Halfblocks(blocks)).render(area, &mut buffer);
    if few {
        for cell in &mut buffer.content {
            cell.fg = numbered(cell.fg);
            cell.bg = numbered(cell.bg);
        }
    }
    Ok(buffer)
}

/// The nearest of the 216 colours of the cube and the 24 greys; the first 16 are the user's own.
fn numbered(colour: Color) -> Color {
    let Color::Rgb(red, green, blue) = colour else { return colour };
    let wanted = [red, green, blue];
    let level = |part: u8| match part {
        0..=47 => 0_u8,
        48..=114 => 1,
        _ => (part - 35) / 40,
    };
    let shown = |level: u8| if level == 0 { 0 } else { 55 + level * 40 };
    let cube = wanted.map(level);
    let grey = ((u16::from(red) + u16::from(green) + u16::from(blue)) / 3).saturating_sub(3) / 10;
    let grey = u8::try_from(grey.min(23)).unwrap_or(23);
    let apart = |colour: [u8; 3]| super::colours::apart(colour, &wanted);
    if apart([8 + grey * 10; 3]) < apart(cube.map(shown)) {
        Color::Indexed(232 + grey)
    } else {
        Color::Indexed(16 + 36 * cube[0] + 6 * cube[1] + cube[2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_have_their_numbers() {
        for (colour, number) in [
            ((0, 0, 0), 16),
            ((255, 255, 255), 231),
            ((255, 0, 0), 196),
            ((95, 135, 175), 67),
            ((128, 128, 128), 244),
            ((9, 8, 8), 232),
        ] {
            assert_eq!(numbered(Color::Rgb(colour.0, colour.1, colour.2)), Color::Indexed(number), "{colour:?}");
        }
        assert_eq!(numbered(Color::Reset), Color::Reset);
    }
}
