//! stub
use ratatui::{buffer::Buffer, layout::Position};
#[derive(Default, Clone, Copy, Debug)]
pub struct Look;
pub struct Scene { pub cursor: Option<Position>, pub pictures: Vec<crate::graphics::Placed> }
pub fn view(_s: &crate::app::State, _g: &crate::graphics::Gallery, _l: &Look, _b: &mut Buffer) -> Scene { Scene{cursor:None,pictures:vec![]} }
