//! The contents of results. Pictures are drawn; sound is a real but plain tone; films are a container without a film in it:
//! they have a film's first bytes and type, and no player shows anything.

use std::io::Write;

use super::pixels::{self, Format, Picture};

/// What a result contains; rendered when it is first asked for.
#[derive(Debug, Clone)]
pub(crate) enum Media {
    Picture(Picture),
    Film {
        seed: u64,
    },
    Sound {
        seed: u64,
        seconds: u32,
    },
    /// More than a hundred megapixels in few bytes: what a careful client refuses to decode.
    Bomb,
}

/// Why a result could not be made; a fault of ours, answered with 500.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenderError {
    #[error("drawing: {0}")]
    Draw(#[from] pixels::DrawError),
    #[error("encoding: {0}")]
    Png(#[from] png::EncodingError),
    #[error("writing: {0}")]
    Io(#[from] std::io::Error),
}

impl Media {
    /// The end of the file's name.
    pub(crate) fn extension(&self) -> &'static str {
        match self {
            Self::Picture(picture) => picture.format.extension(),
            Self::Film { .. } => "mp4",
            Self::Sound { .. } => "wav",
            Self::Bomb => Format::Png.extension(),
        }
    }

    /// The `Content-Type`.
    pub(crate) fn content_type(&self) -> &'static str {
        match self {
            Self::Picture(picture) => picture.format.content_type(),
            Self::Film { .. } => "video/mp4",
            Self::Sound { .. } => "audio/wav",
            Self::Bomb => Format::Png.content_type(),
        }
    }

    /// The bytes. Takes its time; belongs on a blocking thread.
    pub(crate) fn render(&self) -> Result<Vec<u8>, RenderError> {
        match self {
            Self::Picture(picture) => Ok(pixels::draw(picture)?),
            Self::Film { seed } => Ok(film(*seed)),
            Self::Sound { seed, seconds } => Ok(tone(*seed, *seconds)),
            Self::Bomb => bomb(),
        }
    }
}

/// An `ftyp` box, a `free` box that says what this is, an empty `mdat`.
fn film(seed: u64) -> Vec<u8> {
    let note = format!("A simulated film: a container without pictures. {seed:016x}");
    let mut bytes = Vec::new();
    let mut add = |kind: &[u8; 4], body: &[u8]| {
        let length = u32::try_from(body.len() + 8).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(kind);
        bytes.extend_from_slice(body);
    };
    add(b"ftyp", b"isom\0\0\x02\0isomiso2mp41");
    add(b"free", note.as_bytes());
    add(b"mdat", &[]);
    bytes
}

/// A soft chord with a slow swell, 16 bit mono; at most a minute of it.
fn tone(seed: u64, seconds: u32) -> Vec<u8> {
    const RATE: u32 = 16_000;
    let samples = seconds.clamp(1, 60) * RATE;
    let base = 110.0 * 2_f32.powf((seed % 12) as f32 / 12.0);
    let chord = [1.0, 1.25, 1.5, 2.0];
    let size = samples * 2;
    let mut bytes = Vec::with_capacity(size as usize + 44);
    bytes.extend_from_slice(b"RIFF");
    bytes.extend_from_slice(&(size + 36).to_le_bytes());
    bytes.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    bytes.extend_from_slice(&RATE.to_le_bytes());
    bytes.extend_from_slice(&(RATE * 2).to_le_bytes());
    bytes.extend_from_slice(b"\x02\0\x10\0data");
    bytes.extend_from_slice(&size.to_le_bytes());
    for at in 0..samples {
        let time = at as f32 / RATE as f32;
        let swell = 0.55 + 0.45 * (time * 0.8).sin();
        let ends = (at.min(samples - at) as f32 / (RATE as f32 * 0.2)).min(1.0);
        let wave: f32 = chord.iter().map(|by| (time * base * by * std::f32::consts::TAU).sin()).sum();
        let sample = wave * 0.15 * swell * ends * f32::from(i16::MAX);
        bytes.extend_from_slice(&(sample as i16).to_le_bytes());
    }
    bytes
}

/// A flat picture of 144 megapixels, written row by row.
fn bomb() -> Result<Vec<u8>, RenderError> {
    const SIDE: u32 = 12_000;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIDE, SIDE);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer()?;
    let row = [0xaa_u8; SIDE as usize / 8];
    for _ in 0..SIDE {
        stream.write_all(&row)?;
    }
    stream.finish()?;
    drop(writer);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_a_wav_of_its_length() {
        let bytes = tone(3, 2);
        assert_eq!(bytes.len(), 44 + 2 * 2 * 16_000);
        assert_eq!(bytes.get(8..12), Some(b"WAVE".as_slice()));
    }

    #[test]
    fn a_film_starts_like_one() {
        assert_eq!(film(1).get(4..8), Some(b"ftyp".as_slice()));
    }

    #[test]
    fn the_bomb_is_small_in_bytes_and_large_in_pixels() {
        let bytes = bomb().expect("encodes");
        assert!(bytes.len() < 2_000_000, "{}", bytes.len());
        let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        let reader = decoder.read_info().expect("a header");
        assert_eq!(reader.info().width, 12_000);
    }
}
