//! What can go wrong with a download, in the words of the domain. No URL stands in them: it is a secret.

use std::io;
use std::path::Path;

use reqwest::Response;

use super::http::{self, Silence};
use super::reach;
use crate::domain::Problem;

/// The disk refused. `room` tells how many bytes are missing and how many it could still take.
pub(super) fn disk(dir: &Path, error: &io::Error, room: Option<(u64, u64)>) -> Problem {
    let why = match (error.kind(), room) {
        (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded, Some((missing, room))) => {
            format!("the disk is full; {} more are needed, there is room for {}", size(missing), size(room))
        }
        (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded, None) => "the disk is full".to_owned(),
        (io::ErrorKind::PermissionDenied, _) => "writing there is not permitted".to_owned(),
        (io::ErrorKind::ReadOnlyFilesystem, _) => "the file system is read-only".to_owned(),
        (io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists, _) => {
            "a part of the path is not a folder".to_owned()
        }
        _ if error.raw_os_error() == Some(libc::ELOOP) => "a part of the path is a link".to_owned(),
        _ => error.to_string(),
    };
    Problem::Local { message: format!("cannot store the file in {}: {why}", dir.display()) }
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "one digit behind the point is shown")]
    let mib = bytes as f64 / f64::from(1 << 20);
    format!("{mib:.1} MiB")
}

/// No answer came.
pub(super) fn unreached(silence: Silence) -> Problem {
    match &silence {
        Silence::Failed(error) if reach::led_inside(error) => refused("leads to a private address"),
        _ => silence.problem(),
    }
}

/// The link is not one that we follow.
pub(super) fn refused(why: &str) -> Problem {
    Problem::Local { message: format!("the link was not followed: it {why}") }
}

/// The body ended too early.
pub(super) fn cut(bytes: u64, expected: Option<u64>) -> Problem {
    let message = match expected {
        Some(length) => format!("the download was cut off after {bytes} of {length} bytes"),
        None => format!("the download was cut off after {bytes} bytes"),
    };
    Problem::Network { sent: true, message }
}

/// What a host of files says with a status; its page is not worth reading.
pub(super) fn refusal(response: &Response) -> Problem {
    let status = response.status().as_u16();
    let message = format!("the link answers {status}");
    let retry_after = http::retry_after(response.headers());
    match status {
        401 | 403 => Problem::Forbidden { message },
        404 | 410 => Problem::NotFound { message },
        429 => Problem::Limit { retry_after },
        503 => Problem::Busy { retry_after, message },
        500..=599 | 408 | 425 => Problem::Server { status, message },
        400..=499 => Problem::Rejected { status, code: None, message },
        _ => Problem::Odd { status, message },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_says_where_and_how_much() {
        let words = |kind: io::ErrorKind, room| disk(Path::new("/out"), &kind.into(), room).sentence();
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            let said = words(kind, Some((3_355_443, 1 << 20)));
            assert!(said.contains("/out") && said.contains("3.2 MiB more") && said.contains("for 1.0 MiB"), "{said}");
        }
        let link = disk(Path::new("/out"), &io::Error::from_raw_os_error(libc::ELOOP), None).sentence();
        assert!(link.contains("is a link"), "{link}");
    }
}
