//! What a file is that is not a picture we can decode, in words for people.

use super::decode::DecodeError;

/// Sound, film, a picture of another kind, or nothing we know, by the first bytes.
pub(super) fn instead(bytes: &[u8]) -> DecodeError {
    let at = |from: usize, word: &[u8]| bytes.get(from..from + word.len()) == Some(word);
    let brand = |words: &[&[u8]]| at(4, b"ftyp") && words.iter().any(|word| at(8, word));
    match bytes {
        _ if brand(&[b"avif", b"avis"]) => DecodeError::OtherPicture("AVIF"),
        _ if brand(&[b"heic", b"heix", b"mif1", b"msf1"]) => DecodeError::OtherPicture("HEIF"),
        _ if at(0, b"\xff\x0a") || at(0, b"\0\0\0\x0cJXL ") => DecodeError::OtherPicture("JPEG XL"),
        _ if at(0, b"II*\0") || at(0, b"MM\0*") => DecodeError::OtherPicture("TIFF"),
        _ if at(0, b"BM") && at(6, &[0, 0, 0, 0]) => DecodeError::OtherPicture("BMP"),
        _ if brand(&[b"M4A ", b"M4B "]) => DecodeError::Sound("M4A"),
        _ if at(4, b"ftypqt") => DecodeError::Film("MOV"),
        _ if at(4, b"ftyp") => DecodeError::Film("MP4"),
        _ if at(0, b"\x1a\x45\xdf\xa3") => DecodeError::Film("WebM"),
        _ if at(0, b"RIFF") && at(8, b"AVI ") => DecodeError::Film("AVI"),
        _ if at(0, b"RIFF") && at(8, b"WAVE") => DecodeError::Sound("WAV"),
        _ if at(0, b"OggS") => DecodeError::Sound("Ogg"),
        _ if at(0, b"fLaC") => DecodeError::Sound("FLAC"),
        _ if at(0, b"ID3") => DecodeError::Sound("MP3"),
        // A frame of MPEG audio: eleven bits set, a layer, a bit rate and a rate that exist.
        [0xff, b, c, ..] if b & 0xe0 == 0xe0 && b & 0x06 != 0 && c & 0xf0 != 0xf0 && c & 0x0c != 0x0c => {
            DecodeError::Sound("MP3")
        }
        _ => DecodeError::NotAPicture,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_and_film_are_called_so() {
        for (bytes, meant) in [
            (b"\0\0\0\x18ftypmp42\0\0\0\0".as_slice(), DecodeError::Film("MP4")),
            (b"\0\0\0\x18ftypqt  \0\0\0\0", DecodeError::Film("MOV")),
            (b"\0\0\0\x18ftypM4A \0\0\0\0", DecodeError::Sound("M4A")),
            (b"\0\0\0\x18ftypavif\0\0\0\0", DecodeError::OtherPicture("AVIF")),
            (b"\x1a\x45\xdf\xa3\x01", DecodeError::Film("WebM")),
            (b"RIFF\x10\0\0\0WAVEfmt ", DecodeError::Sound("WAV")),
            (b"ID3\x04\0", DecodeError::Sound("MP3")),
            (b"\xff\xfb\x90\x64", DecodeError::Sound("MP3")),
            (b"<html>", DecodeError::NotAPicture),
            (b"", DecodeError::NotAPicture),
        ] {
            assert_eq!(super::super::decode(bytes).unwrap_err(), meant);
        }
        assert_eq!(DecodeError::Sound("MP3").to_string(), "sound (MP3), not a picture: open it with another program");
    }
}
