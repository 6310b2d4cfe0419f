//! What a file is, by its first bytes; how many pixels a picture has, by its header; whether its end is there.
//! Nothing is decoded.

use std::io::{self, Read, Seek, SeekFrom};

/// As many first bytes as [`format()`] wants to see.
pub(super) const HEAD: usize = 64;

/// A kind of file the service delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    /// Our word for it.
    pub(super) name: &'static str,
    /// The extension of its files.
    pub(super) extension: &'static str,
}

const fn kind(name: &'static str, extension: &'static str) -> Format {
    Format { name, extension }
}

/// The format, or what it is instead, for a sentence such as "… came instead of a picture".
pub(super) fn format(head: &[u8]) -> Result<Format, &'static str> {
    let at = |from: usize, bytes: &[u8]| head.get(from..from + bytes.len()) == Some(bytes);
    Ok(match head {
        _ if at(0, b"\x89PNG\r\n\x1a\n") => kind("png", "png"),
        [0xff, 0xd8, 0xff, ..] => kind("jpeg", "jpg"),
        _ if at(0, b"RIFF") && at(8, b"WEBP") => kind("webp", "webp"),
        _ if at(0, b"RIFF") && at(8, b"WAVE") => kind("wav", "wav"),
        _ if at(0, b"GIF87a") || at(0, b"GIF89a") => kind("gif", "gif"),
        _ if at(4, b"ftypavif") || at(4, b"ftypavis") => kind("avif", "avif"),
        _ if at(4, b"ftypqt") => kind("mov", "mov"),
        _ if at(4, b"ftypM4A") => kind("m4a", "m4a"),
        _ if at(4, b"ftyp") => kind("mp4", "mp4"),
        _ if at(0, b"\x1a\x45\xdf\xa3") => kind("webm", "webm"),
        _ if at(0, b"OggS") => kind("ogg", "ogg"),
        _ if at(0, b"fLaC") => kind("flac", "flac"),
        _ if at(0, b"ID3") => kind("mp3", "mp3"),
        // A frame of MPEG audio: eleven bits set, a layer that exists, a bit rate and a rate that exist.
        [0xff, b, c, ..] if b & 0xe0 == 0xe0 && b & 0x06 != 0 && c & 0xf0 != 0xf0 && c & 0x0c != 0x0c => {
            kind("mp3", "mp3")
        }
        _ => return Err(instead(head)),
    })
}

fn instead(head: &[u8]) -> &'static str {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    match text {
        [] => "an empty file",
        [b'<', ..] => "a web page or XML",
        [b'{' | b'[', ..] => "JSON",
        _ if text.iter().all(|b| (b' '..0x7f).contains(b) || b.is_ascii_whitespace()) => "plain text",
        _ => "a file of a kind unknown here",
    }
}

/// Pixels of a picture by its header. `Ok(None)` for what is no picture of a known kind.
///
/// # Errors
/// When the file cannot be read, or its header is damaged (`InvalidData`, `UnexpectedEof`).
pub(super) fn pixels(format: Format, file: &mut (impl Read + Seek)) -> io::Result<Option<(u32, u32)>> {
    file.seek(SeekFrom::Start(0))?;
    let (width, height) = match format.name {
        "png" => png(file)?,
        "jpeg" => jpeg(file)?,
        "webp" => webp(file)?,
        "gif" => gif(file)?,
        _ => return Ok(None),
    };
    if width == 0 || height == 0 { Err(damaged()) } else { Ok(Some((width, height))) }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the picture's header is damaged")
}

fn take<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn png(file: &mut impl Read) -> io::Result<(u32, u32)> {
    let b: [u8; 24] = take(file)?;
    if &b[12..16] != b"IHDR" {
        return Err(damaged());
    }
    Ok((u32::from_be_bytes([b[16], b[17], b[18], b[19]]), u32::from_be_bytes([b[20], b[21], b[22], b[23]])))
}

fn gif(file: &mut impl Read) -> io::Result<(u32, u32)> {
    let b: [u8; 10] = take(file)?;
    Ok((u16::from_le_bytes([b[6], b[7]]).into(), u16::from_le_bytes([b[8], b[9]]).into()))
}

fn webp(file: &mut impl Read) -> io::Result<(u32, u32)> {
    let b: [u8; 30] = take(file)?;
    let three = |at: usize| u32::from_le_bytes([b[at], b[at + 1], b[at + 2], 0]);
    match &b[12..16] {
        b"VP8X" => Ok((three(24) + 1, three(27) + 1)),
        b"VP8 " if b[23..26] == [0x9d, 0x01, 0x2a] => Ok((
            (u16::from_le_bytes([b[26], b[27]]) & 0x3fff).into(),
            (u16::from_le_bytes([b[28], b[29]]) & 0x3fff).into(),
        )),
        b"VP8L" if b[20] == 0x2f => {
            let bits = u32::from_le_bytes([b[21], b[22], b[23], b[24]]);
            Ok(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
        }
        _ => Err(damaged()),
    }
}

/// Walks from marker to marker until the frame's own, past profiles and thumbnails.
fn jpeg(file: &mut (impl Read + Seek)) -> io::Result<(u32, u32)> {
    file.seek(SeekFrom::Start(2))?;
    for _ in 0..4096 {
        let [mut lead, mut marker] = take(file)?;
        while lead == 0xff && marker == 0xff {
            [marker] = take(file)?;
            lead = 0xff;
        }
        if lead != 0xff {
            return Err(damaged());
        }
        match marker {
            0x01 | 0xd0..=0xd7 => {}
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let b: [u8; 7] = take(file)?;
                return Ok((u16::from_be_bytes([b[5], b[6]]).into(), u16::from_be_bytes([b[3], b[4]]).into()));
            }
            // The pixels begin, or the file ends, and no frame was named.
            0xd9 | 0xda => return Err(damaged()),
            _ => {
                let length = u16::from_be_bytes(take(file)?);
                let Some(rest) = length.checked_sub(2) else { return Err(damaged()) };
                file.seek(SeekFrom::Current(rest.into()))?;
            }
        }
    }
    Err(damaged())
}

/// Whether a picture's own end is there. Asked when nothing else tells where the body ended; what has no mark at
/// its end passes.
pub(super) fn has_end(format: Format, file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut tail = [0; 64];
    let many = usize::try_from(length).unwrap_or(tail.len()).min(tail.len());
    file.seek(SeekFrom::Start(length - many as u64))?;
    file.read_exact(&mut tail[..many])?;
    let tail = &tail[..many];
    let holds = |mark: &[u8]| tail.windows(mark.len()).any(|window| window == mark);
    Ok(match format.name {
        "png" => holds(b"IEND\xae\x42\x60\x82"),
        "jpeg" => holds(b"\xff\xd9"),
        "gif" => holds(b"\x3b"),
        "webp" | "wav" => {
            file.seek(SeekFrom::Start(4))?;
            u64::from(u32::from_le_bytes(take(file)?)) + 8 <= length
        }
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, ImageFormat};
    use std::io::Cursor;

    fn picture(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(37, 19).write_to(&mut bytes, format).expect("encodes");
        bytes.into_inner()
    }

    #[test]
    fn pictures_are_known_by_their_bytes() {
        for (kind, name, extension) in
            [(ImageFormat::Png, "png", "png"), (ImageFormat::Jpeg, "jpeg", "jpg"), (ImageFormat::WebP, "webp", "webp")]
        {
            let bytes = picture(kind);
            let format = format(&bytes[..HEAD.min(bytes.len())]).expect(name);
            assert_eq!((format.name, format.extension), (name, extension));
            let mut file = Cursor::new(&bytes);
            assert_eq!(pixels(format, &mut file).expect(name), Some((37, 19)), "{name}");
            assert!(has_end(format, &mut file).expect(name), "{name}");
            for cut in [1, bytes.len() / 2] {
                let short = &bytes[..bytes.len() - cut];
                assert!(!has_end(format, &mut Cursor::new(short)).unwrap_or(false), "{name} without its last {cut}");
            }
            // No header, however it is cut, makes trouble.
            for cut in 0..bytes.len().min(700) {
                let _ = pixels(format, &mut Cursor::new(&bytes[..cut]));
            }
        }
    }

    #[test]
    fn other_kinds_and_what_is_none() {
        for (bytes, name) in [
            (&b"GIF89a\x03\x00\x02\x00"[..], "gif"),
            (b"\0\0\0\x18ftypisom\0\0", "mp4"),
            (b"\0\0\0\x14ftypqt  ", "mov"),
            (b"\0\0\0\x14ftypavif", "avif"),
            (b"\x1a\x45\xdf\xa3\x01", "webm"),
            (b"RIFF\0\0\0\0WAVEfmt ", "wav"),
            (b"ID3\x04\0", "mp3"),
            (b"\xff\xfb\x90\x64", "mp3"),
            (b"OggS\0", "ogg"),
            (b"fLaC\0", "flac"),
        ] {
            assert_eq!(format(bytes).map(|f| f.name), Ok(name));
        }
        for (bytes, what) in [
            (&b""[..], "an empty file"),
            (b"  \n", "an empty file"),
            (b"<!doctype html><p>expired", "a web page or XML"),
            (b"\xef\xbb\xbf<?xml", "a web page or XML"),
            (b"{\"error\":{}}", "JSON"),
            (b"expired", "plain text"),
            (b"\x89PNX", "a file of a kind unknown here"),
            (b"\xff", "a file of a kind unknown here"),
        ] {
            assert_eq!(format(bytes), Err(what));
        }
        assert_eq!(pixels(kind("mp4", "mp4"), &mut Cursor::new(b"x")).expect("no picture"), None);
        let gif = b"GIF89a\x03\x00\x02\x00";
        assert_eq!(pixels(kind("gif", "gif"), &mut Cursor::new(gif)).expect("gif"), Some((3, 2)));
        let empty = b"GIF89a\x00\x00\x02\x00";
        assert!(pixels(kind("gif", "gif"), &mut Cursor::new(empty)).is_err());
    }
}
