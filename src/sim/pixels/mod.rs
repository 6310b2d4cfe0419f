//! Pictures the simulator draws: from a prompt to encoded bytes.

mod animals;
mod brush;
mod buildings;
mod encode;
mod land;
mod lettering;
mod nature;
mod palette;
mod scene;
mod things;
mod words;

use std::fmt;

use super::random::{Dice, mix};
use brush::Brush;

/// File formats of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Png,
    Jpeg,
    WebP,
}

impl Format {
    /// The format a request names; PNG for words we do not know.
    pub(crate) fn from_word(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" => Self::Jpeg,
            "webp" => Self::WebP,
            _ => Self::Png,
        }
    }

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::WebP => "webp",
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }
}

/// What to draw. The same values always give the same bytes.
#[derive(Clone)]
pub(crate) struct Picture {
    pub(crate) prompt: String,
    pub(crate) seed: u64,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) format: Format,
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({}x{})", self.width, self.height)
    }
}

/// Why a picture could not be drawn.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DrawError {
    #[error("no canvas of {0}x{1} pixels")]
    Canvas(u32, u32),
    #[error("{0}")]
    Encode(#[from] image::ImageError),
}

/// Draws and encodes a picture.
pub(crate) fn draw(picture: &Picture) -> Result<Vec<u8>, DrawError> {
    let canvas = tiny_skia::Pixmap::new(picture.width, picture.height)
        .ok_or(DrawError::Canvas(picture.width, picture.height))?;
    let ask = words::read(&picture.prompt);
    let mut dice = Dice::new(mix(picture.seed), &picture.prompt);
    let palette = palette::choose(ask.mood, &mut dice);
    let mut brush = Brush::new(canvas);
    let foreground = scene::paint(&mut brush, &ask, &palette, &mut dice);
    lettering::set(&mut brush, &picture.prompt, foreground);
    Ok(encode::encode(&brush.canvas, picture)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(prompt: &str, width: u32, height: u32, format: Format) -> Picture {
        Picture { prompt: prompt.to_owned(), seed: 5, width, height, format }
    }

    #[test]
    fn every_format_decodes_to_the_asked_size() {
        for format in [Format::Png, Format::Jpeg, Format::WebP] {
            let bytes = draw(&picture("a fox", 96, 54, format)).expect("draws");
            let decoded = image::load_from_memory(&bytes).expect("decodes");
            assert_eq!((decoded.width(), decoded.height()), (96, 54));
        }
    }

    #[test]
    fn the_same_request_gives_the_same_bytes_and_another_does_not() {
        let one = |prompt: &str| draw(&picture(prompt, 48, 48, Format::Png)).expect("draws");
        assert_eq!(one("a fox"), one("a fox"));
        assert_ne!(one("a fox"), one("a cat"));
    }

    #[test]
    fn odd_shapes_and_every_word_draw() {
        let all = "fox cat wolf bear rabbit birds whale boat house lighthouse castle balloon rocket tree \
                   snow rain stars moon sun clouds flowers neon";
        for (width, height) in [(1, 1), (1, 200), (200, 1), (160, 20), (20, 160)] {
            draw(&picture(all, width, height, Format::Png)).expect("draws");
        }
        for word in all.split(' ') {
            draw(&picture(word, 64, 48, Format::Jpeg)).expect(word);
        }
    }
}
