//! From a file's bytes to pixels, under limits.

use std::fmt;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, metadata::Orientation};

/// Pictures with more pixels are not decoded.
pub const MAX_PIXELS: u64 = 100_000_000;
/// Pictures with a longer side are not decoded.
pub const MAX_SIDE: u32 = 30_000;
/// A decoder may not allocate more.
const MAX_ALLOC: u64 = 512 << 20;
/// Larger files are not read.
const MAX_FILE: u64 = 512 << 20;

/// The formats we read. Whatever else a file may be, it is not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Portable network graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP, first frame only.
    WebP,
}

impl Kind {
    /// By the first bytes; a name or a content type is not believed.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            Some(Self::Jpeg)
        } else if bytes.len() >= 12 && bytes.starts_with(b"RIFF") && &bytes[8..12] == b"WEBP" {
            Some(Self::WebP)
        } else {
            None
        }
    }

    /// The usual file name extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::WebP => "webp",
        }
    }

    fn format(self) -> ImageFormat {
        match self {
            Self::Png => ImageFormat::Png,
            Self::Jpeg => ImageFormat::Jpeg,
            Self::WebP => ImageFormat::WebP,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
        })
    }
}

/// Why there are no pixels. The text is meant for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Neither PNG nor JPEG nor WebP.
    #[error("not a PNG, JPEG or WebP picture")]
    NotAPicture,
    /// More than [`MAX_PIXELS`] or [`MAX_SIDE`], by its header.
    #[error("too large to preview: {0}x{1}")]
    TooLarge(u32, u32),
    /// The file has more bytes than we read.
    #[error("too large to preview: {} MB", .0 / 1_000_000)]
    TooManyBytes(u64),
    /// The decoder gave up; its reason is for the log, since it quotes the file.
    #[error("the picture is damaged")]
    Broken(String),
    /// The decoder panicked.
    #[error("the picture is damaged (its decoder failed)")]
    Crashed,
    /// The file could not be read.
    #[error("cannot read the file: {0}")]
    Io(std::io::ErrorKind),
}

/// Pixels, upright.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// The file's format.
    pub kind: Kind,
    /// Eight bits a channel, RGB or RGBA, with the EXIF orientation applied.
    pub pixels: DynamicImage,
}

impl Decoded {
    /// Width and height in pixels, as seen.
    pub fn size(&self) -> (u32, u32) {
        (self.pixels.width(), self.pixels.height())
    }
}

/// Format, width and height as seen, from the header alone. The beginning of a file is enough.
pub fn probe(bytes: &[u8]) -> Option<(Kind, u32, u32)> {
    let kind = Kind::of(bytes)?;
    let sides = catch_unwind(AssertUnwindSafe(|| {
        let mut decoder = ImageReader::with_format(Cursor::new(bytes), kind.format()).into_decoder().ok()?;
        let (width, height) = decoder.dimensions();
        let turned = decoder.orientation().is_ok_and(turns);
        Some(if turned { (height, width) } else { (width, height) })
    }));
    let (width, height) = sides.ok().flatten()?;
    Some((kind, width, height))
}

/// Decodes a whole file that is in memory.
///
/// # Errors
/// See [`DecodeError`]. A panic of the decoder is one of them.
pub fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let kind = Kind::of(bytes).ok_or(DecodeError::NotAPicture)?;
    match catch_unwind(AssertUnwindSafe(|| decode_as(kind, bytes))) {
        Ok(result) => result,
        Err(_) => Err(DecodeError::Crashed),
    }
}

/// Reads and decodes a file.
///
/// # Errors
/// As [`decode`], and what reading may give.
pub fn decode_file(path: &Path) -> Result<Decoded, DecodeError> {
    let io = |error: std::io::Error| DecodeError::Io(error.kind());
    let file = std::fs::File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    if length > MAX_FILE {
        return Err(DecodeError::TooManyBytes(length));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(io)?;
    decode(&bytes)
}

fn decode_as(kind: Kind, bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let broken = |error: image::ImageError| DecodeError::Broken(error.to_string());
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_ALLOC);
    // The header is judged by us first, so that the message can say the size.
    let mut reader = ImageReader::with_format(Cursor::new(bytes), kind.format());
    reader.no_limits();
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    if width > MAX_SIDE || height > MAX_SIDE || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(DecodeError::TooLarge(width, height));
    }
    decoder.set_limits(limits).map_err(broken)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    let mut pixels = if image.color().has_alpha() {
        DynamicImage::ImageRgba8(image.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(image.into_rgb8())
    };
    pixels.apply_orientation(orientation);
    Ok(Decoded { kind, pixels })
}

fn turns(orientation: Orientation) -> bool {
    matches!(
        orientation,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(format: ImageFormat) -> Vec<u8> {
        let image = image::RgbImage::from_fn(40, 20, |x, y| image::Rgb([(x * 6) as u8, (y * 12) as u8, 90]));
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, format).expect("encodes");
        out.into_inner()
    }

    /// A PNG that is nothing but a header.
    fn huge(width: u32, height: u32) -> Vec<u8> {
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut header = b"IHDR".to_vec();
        header.extend(width.to_be_bytes());
        header.extend(height.to_be_bytes());
        header.extend([8, 2, 0, 0, 0]);
        let mut crc = 0xffff_ffff_u32;
        for byte in &header {
            crc ^= u32::from(*byte);
            for _ in 0..8 {
                crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
            }
        }
        out.extend(13_u32.to_be_bytes());
        out.extend(&header);
        out.extend((!crc).to_be_bytes());
        out.extend([0, 0, 0, 0]);
        out.extend(b"IDAT");
        out.extend([0x35, 0xaf, 0x06, 0x1e]);
        out
    }

    #[test]
    fn formats_are_known_by_their_bytes() {
        for (format, kind) in
            [(ImageFormat::Png, Kind::Png), (ImageFormat::Jpeg, Kind::Jpeg), (ImageFormat::WebP, Kind::WebP)]
        {
            let bytes = sample(format);
            assert_eq!(probe(&bytes), Some((kind, 40, 20)));
            let decoded = decode(&bytes).expect("decodes");
            assert_eq!((decoded.kind, decoded.size()), (kind, (40, 20)));
        }
        assert_eq!(probe(b"<html>"), None);
        assert_eq!(decode(b"").unwrap_err(), DecodeError::NotAPicture);
    }

    #[test]
    fn pictures_stand_upright() {
        // Orientation 6: the picture is to be turned a quarter to the right.
        let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        let length = (exif.len() + 2) as u16;
        let mut bytes = sample(ImageFormat::Jpeg);
        let rest = bytes.split_off(2);
        bytes.extend([0xff, 0xe1]);
        bytes.extend(length.to_be_bytes());
        bytes.append(&mut exif);
        bytes.extend(rest);
        assert_eq!(probe(&bytes), Some((Kind::Jpeg, 20, 40)));
        let decoded = decode(&bytes).expect("decodes");
        assert_eq!(decoded.size(), (20, 40));
        // What was at the bottom left (blue-green, little red) is now at the top left.
        let pixel = decoded.pixels.to_rgb8().get_pixel(1, 1).0;
        assert!(pixel[0] < 40 && pixel[1] > 190, "{pixel:?}");
    }

    #[test]
    fn bombs_are_refused_by_their_header() {
        for (width, height) in [(60_000, 60_000), (30_001, 1), (20_000, 20_000)] {
            let error = decode(&huge(width, height)).unwrap_err();
            assert_eq!(error, DecodeError::TooLarge(width, height));
            assert_eq!(error.to_string(), format!("too large to preview: {width}x{height}"));
        }
    }

    #[test]
    fn damage_is_an_error_wherever_it_is() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let bytes = sample(format);
            for cut in 0..bytes.len() {
                let _ = decode(&bytes[..cut]);
                let _ = probe(&bytes[..cut]);
            }
            for at in 0..bytes.len() {
                let mut bent = bytes.clone();
                bent[at] ^= 0x5a;
                let _ = decode(&bent);
            }
        }
    }
}
