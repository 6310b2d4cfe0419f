//! From a file's bytes to pixels, under limits of pixels, bytes and time.
//!
//! Time: decoders that read as they go (PNG, GIF) are told to stop through their reader. JPEG and WebP are
//! decoded from memory and cannot be told; what they may take is bounded before they begin, by the pixels and,
//! for progressive JPEG, by the number of its scans, each of which goes over all of them. [`decode_file`] runs
//! the whole on a thread of its own and leaves that alone when the time is over; at most [`LOST`] such
//! threads may linger.

use std::fmt;
use std::io::{BufRead, Cursor, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, metadata::Orientation};

use super::{media, profile};

/// Pictures with more pixels are not decoded.
pub const MAX_PIXELS: u64 = 100_000_000;
/// Pictures with a longer side are not decoded.
pub const MAX_SIDE: u32 = 30_000;
/// A decoder may not allocate more.
const MAX_ALLOC: u64 = 512 << 20;
/// Larger files are not read.
const MAX_FILE: u64 = 512 << 20;
/// No decoder may take longer. A picture of [`MAX_PIXELS`] takes two to three seconds.
pub const MAX_TIME: Duration = Duration::from_secs(10);
/// Scans of a JPEG times its pixels; encoders make ten scans at most.
const MAX_SCANNED: u64 = 20 * MAX_PIXELS;
/// Decoders that ran out of time and may still be running.
const LOST: usize = 4;
static RUNNING_LOST: AtomicUsize = AtomicUsize::new(0);

/// The formats we read. Whatever else a file may be, it is not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Portable network graphics.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP, first frame only.
    WebP,
    /// GIF, first frame only.
    Gif,
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
        } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
            Some(Self::Gif)
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
            Self::Gif => "gif",
        }
    }

    fn format(self) -> ImageFormat {
        match self {
            Self::Png => ImageFormat::Png,
            Self::Jpeg => ImageFormat::Jpeg,
            Self::WebP => ImageFormat::WebP,
            Self::Gif => ImageFormat::Gif,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
        })
    }
}

/// Why there are no pixels. The text is meant for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Nothing we know.
    #[error("not a PNG, JPEG, WebP or GIF picture")]
    NotAPicture,
    /// A sound file of this kind.
    #[error("sound ({0}), not a picture: open it with another program")]
    Sound(&'static str),
    /// A film of this kind.
    #[error("film ({0}), not a picture: open it with another program")]
    Film(&'static str),
    /// A picture of a kind that is not decoded here.
    #[error("{0} pictures cannot be shown here: open it with another program")]
    OtherPicture(&'static str),
    /// The decoder ran out of [`MAX_TIME`], or would.
    #[error("the picture takes too long to decode")]
    TooSlow,
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
    /// Eight bits a channel, RGB or RGBA, with the EXIF orientation applied, in sRGB.
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

/// Decodes a whole file that is in memory, on this thread; see the module about time.
///
/// # Errors
/// See [`DecodeError`]. A panic of the decoder is one of them.
pub fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let end = Instant::now() + MAX_TIME;
    decode_while(bytes, &|| Instant::now() < end)
}

/// Reads and decodes a file within [`MAX_TIME`].
///
/// # Errors
/// As [`decode`], and what reading may give.
pub fn decode_file(path: &Path) -> Result<Decoded, DecodeError> {
    decode_file_within(path, MAX_TIME)
}

fn decode_file_within(path: &Path, time: Duration) -> Result<Decoded, DecodeError> {
    let io = |error: std::io::Error| DecodeError::Io(error.kind());
    let file = std::fs::File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    if length > MAX_FILE {
        return Err(DecodeError::TooManyBytes(length));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(io)?;
    if RUNNING_LOST.load(Ordering::Relaxed) >= LOST {
        return Err(DecodeError::TooSlow);
    }
    let end = Instant::now() + time;
    let (answer, answers) = mpsc::sync_channel(1);
    let over = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&over);
    let work = move || {
        let _ = answer.send(decode_while(&bytes, &|| Instant::now() < end));
        if done.swap(true, Ordering::AcqRel) {
            RUNNING_LOST.fetch_sub(1, Ordering::Relaxed);
        }
    };
    std::thread::Builder::new().name("decode".into()).spawn(work).map_err(io)?;
    match answers.recv_timeout(time) {
        Ok(decoded) => decoded,
        Err(mpsc::RecvTimeoutError::Disconnected) => Err(DecodeError::Crashed),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            // Counted before it is told, so that the count never falls below nothing.
            RUNNING_LOST.fetch_add(1, Ordering::Relaxed);
            if over.swap(true, Ordering::AcqRel) {
                RUNNING_LOST.fetch_sub(1, Ordering::Relaxed);
            }
            answers.try_recv().unwrap_or(Err(DecodeError::TooSlow))
        }
    }
}

fn decode_while(bytes: &[u8], go_on: &dyn Fn() -> bool) -> Result<Decoded, DecodeError> {
    let kind = Kind::of(bytes).ok_or_else(|| media::instead(bytes))?;
    match catch_unwind(AssertUnwindSafe(|| decode_as(kind, bytes, go_on))) {
        Ok(Err(DecodeError::Broken(_))) if !go_on() => Err(DecodeError::TooSlow),
        Ok(result) => result,
        Err(_) => Err(DecodeError::Crashed),
    }
}

/// Bytes in memory that run out when the time is over.
struct Patient<'a> {
    bytes: Cursor<&'a [u8]>,
    go_on: &'a dyn Fn() -> bool,
}

/// What a decoder gets at once: small enough that it asks for more many times a second.
const SIP: usize = 16 << 10;

impl Read for Patient<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let from = self.fill_buf()?;
        let many = from.len().min(into.len());
        into[..many].copy_from_slice(&from[..many]);
        self.consume(many);
        Ok(many)
    }
}

impl BufRead for Patient<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if !(self.go_on)() {
            return Err(std::io::Error::from(std::io::ErrorKind::TimedOut));
        }
        let left = self.bytes.fill_buf()?;
        Ok(&left[..left.len().min(SIP)])
    }

    fn consume(&mut self, many: usize) {
        self.bytes.consume(many);
    }
}

impl Seek for Patient<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.bytes.seek(to)
    }
}

/// Beginnings of scans in a JPEG: inside a scan the pair of bytes cannot occur.
fn scans(jpeg: &[u8]) -> u64 {
    jpeg.windows(2).filter(|pair| pair == b"\xff\xda").count() as u64
}

fn decode_as(kind: Kind, bytes: &[u8], go_on: &dyn Fn() -> bool) -> Result<Decoded, DecodeError> {
    let broken = |error: image::ImageError| DecodeError::Broken(error.to_string());
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_ALLOC);
    // The header is judged by us first, so that the message can say the size; what is packed beside it (profiles,
    // texts) has its limit from the start.
    let mut reader = ImageReader::with_format(Patient { bytes: Cursor::new(bytes), go_on }, kind.format());
    let mut first = Limits::no_limits();
    first.max_alloc = Some(MAX_ALLOC);
    reader.limits(first);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width, height) = decoder.dimensions();
    let many = u64::from(width) * u64::from(height);
    if width > MAX_SIDE || height > MAX_SIDE || many > MAX_PIXELS {
        return Err(DecodeError::TooLarge(width, height));
    }
    if kind == Kind::Jpeg && scans(bytes).saturating_mul(many) > MAX_SCANNED {
        return Err(DecodeError::TooSlow);
    }
    decoder.set_limits(limits).map_err(broken)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let image = DynamicImage::from_decoder(decoder).map_err(broken)?;
    let mut pixels = if image.color().has_alpha() {
        DynamicImage::ImageRgba8(image.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(image.into_rgb8())
    };
    if !go_on() {
        return Err(DecodeError::TooSlow);
    }
    if let Some(profile) = profile {
        profile::to_screen(&mut pixels, &profile);
    }
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
mod tests;
