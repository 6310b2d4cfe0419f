//! Pictures the simulator draws: from a prompt to encoded bytes.

mod encode;

use std::fmt;

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
    Ok(encode::encode(&canvas, picture)?)
}
