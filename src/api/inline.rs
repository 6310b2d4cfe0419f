//! A file of this machine as a `data:` URI, for the fields that take one.

use std::io::{self, Read as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::sniff;

/// The largest file that is put into a request, in bytes. The service takes bodies of 10 MB \[D\]; this is less, so
/// that a hundred waiting tasks with a picture each fit into memory.
pub const LARGEST: u64 = 2_000_000;

/// Why a file cannot be put into a request.
#[derive(Debug, thiserror::Error)]
pub enum InlineError {
    /// It cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(String, io::Error),
    /// A folder, a device, a pipe.
    #[error("{0} is no file")]
    NoFile(String),
    /// It is too large.
    #[error("the file has {} kB, at most {} kB go into a request; put it where the service can fetch it", .0 / 1000, LARGEST / 1000)]
    TooLarge(u64),
    /// It is something else than the field takes.
    #[error("this is {0}, the field takes {1}")]
    Kind(String, &'static str),
}

/// What a field of this kind takes, and the MIME types by our word for the format.
fn types(media: &str) -> (&'static str, &'static [(&'static str, &'static str)]) {
    match media {
        "video" => ("MP4, MOV or WebM", &[("mp4", "video/mp4"), ("mov", "video/quicktime"), ("webm", "video/webm")]),
        "audio" => ("MP3 or WAV", &[("mp3", "audio/mpeg"), ("wav", "audio/wav")]),
        // Those that the models name \[C\]; SVG is refused by them all.
        _ => ("PNG, JPEG or WebP", &[("png", "image/png"), ("jpeg", "image/jpeg"), ("webp", "image/webp")]),
    }
}

/// Reads a file for a field that takes this kind of media. Blocks.
///
/// # Errors
/// What is wrong with the file.
pub fn data_uri(path: &Path, media: &str) -> Result<String, InlineError> {
    let name = || path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let unreadable = |why| InlineError::Unreadable(name(), why);
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        return Err(InlineError::NoFile(name()));
    }
    if about.len() > LARGEST {
        return Err(InlineError::TooLarge(about.len()));
    }
    let mut bytes = Vec::new();
    // It may grow while it is read.
    std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(InlineError::TooLarge(bytes.len() as u64));
    }
    let (wanted, types) = types(media);
    let format = sniff::format(&bytes[..bytes.len().min(sniff::HEAD)]);
    let kind = format.map_or_else(str::to_owned, |format| format.name.to_owned());
    let mime = types.iter().find(|(name, _)| *name == kind).map(|(_, mime)| *mime);
    let mime = mime.ok_or(InlineError::Kind(kind, wanted))?;
    Ok(format!("data:{mime};base64,{}", STANDARD.encode(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_becomes_an_address_and_nothing_else_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            path
        };
        let words = |path: &Path, media: &str| data_uri(path, media).map_err(|why| why.to_string());
        let png = put("cat.png", b"\x89PNG\r\n\x1a\nrest");
        assert_eq!(words(&png, "image"), Ok("data:image/png;base64,iVBORw0KGgpyZXN0".into()));
        assert_eq!(words(&png, "video"), Err("this is png, the field takes MP4, MOV or WebM".into()));
        let svg = put("cat.svg", b"<svg xmlns='x'/>");
        assert_eq!(words(&svg, "image"), Err("this is a web page or XML, the field takes PNG, JPEG or WebP".into()));
        let mut large = b"\x89PNG\r\n\x1a\n".to_vec();
        large.resize(2_000_001, 0);
        assert!(words(&put("large.png", &large), "image").is_err_and(|why| why.contains("at most 2000 kB")));
        assert!(words(folder.path(), "image").is_err_and(|why| why.ends_with("is no file")));
        assert!(words(&folder.path().join("none.png"), "image").is_err_and(|why| why.starts_with("none.png cannot")));
    }
}
