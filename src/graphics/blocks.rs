//! Half blocks: two pixels a cell, as text with colours. The cells come from ratatui-image.

use image::{DynamicImage, RgbImage};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::widgets::Widget;
use ratatui_image::Image;
use ratatui_image::protocol::Protocol;
use ratatui_image::protocol::halfblocks::Halfblocks;

use super::encode::EncodeError;

/// `pixels` is already `cells.width` wide and twice `cells.height` high.
pub(super) fn cells(pixels: RgbImage, cells: Size) -> Result<Buffer, EncodeError> {
    let area = Rect::new(0, 0, cells.width, cells.height);
    let blocks = Halfblocks::new(DynamicImage::ImageRgb8(pixels), cells)
        .map_err(|error| EncodeError::Failed(error.to_string()))?;
    let mut buffer = Buffer::empty(area);
    Image::new(&Protocol::Halfblocks(blocks)).render(area, &mut buffer);
    Ok(buffer)
}
