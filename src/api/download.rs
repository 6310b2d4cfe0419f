//! Fetching what a task delivered. The links are foreign: no key or other header of ours goes with the request,
//! every hop is checked, and only a complete file of a known kind gets a name.

use std::fmt;
use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use reqwest::header::{LOCATION, TRANSFER_ENCODING};
use reqwest::{Response, StatusCode, Version};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use url::{Host, Url};

use super::client::ClientError;
use super::http::{self, Kind, Silence, Timeouts};
use super::key::is_loopback;
use super::place::{Part, hex};
pub use super::place::{sweep_parts, try_folder};
use super::reach::{self, is_public};
use super::sniff::{self, Format};
use crate::domain::{Home, Problem};

/// Redirects followed.
const MAX_HOPS: usize = 5;
/// Bytes gathered before they are written.
const PIECE: usize = 256 * 1024;

/// What a download may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DownloadLimits {
    /// Largest file, in bytes.
    pub max_bytes: u64,
    /// Whether links may lead to this machine, by http too: for the simulated service only.
    pub allow_loopback: bool,
    /// How long to wait for what.
    pub timeouts: Timeouts,
}

impl Default for DownloadLimits {
    fn default() -> Self {
        Self { max_bytes: 512 << 20, allow_loopback: false, timeouts: Timeouts::default() }
    }
}

/// Fetches outputs. It holds no key, so it cannot lose one.
pub struct Fetcher {
    /// Missing only where nothing but this machine can be fetched from.
    open: Result<reqwest::Client, ClientError>,
    /// For http to this machine, past all proxies.
    here: Option<reqwest::Client>,
    limits: DownloadLimits,
}

impl fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Fetcher {
    /// Prepares to fetch.
    ///
    /// # Errors
    /// When the system offers no way to check certificates; with `allow_loopback` that is an error only for the
    /// links that need them.
    pub fn new(limits: DownloadLimits) -> Result<Self, ClientError> {
        let build = |kind| http::build(limits.timeouts, kind).map_err(|error| ClientError::Tls(http::words(&error)));
        if limits.allow_loopback {
            Ok(Self { open: build(Kind::Foreign), here: Some(build(Kind::Plain)?), limits })
        } else {
            Ok(Self { open: Ok(build(Kind::Foreign)?), here: None, limits })
        }
    }

    /// Fetches a link into `dir`, under the name `stem` and the extension of what it turns out to be. The number
    /// of bytes here so far goes to `progress`. Dropping the future stops the download and removes the part.
    ///
    /// A file of that name stays as it is; the result then gets `-2`, `-3`, … unless both are the same.
    ///
    /// # Errors
    /// [`Problem::Forbidden`] and [`Problem::NotFound`] when the link has run out: a fresh one may be asked for.
    /// [`Problem::Odd`] when something else than a file of a known kind came. [`Problem::Network`] when it was cut
    /// off. [`Problem::Local`] for what trying again does not help: the disk, the size, a link that leads to where
    /// it must not.
    pub async fn fetch(
        &self,
        url: &str,
        dir: &Path,
        stem: &str,
        progress: Option<watch::Sender<u64>>,
    ) -> Result<Home, Problem> {
        let mut response = self.open(url).await?;
        let status = response.status().as_u16();
        let expected = response.content_length();
        if expected.is_some_and(|length| length > self.limits.max_bytes) {
            return Err(self.too_large());
        }
        let framed = expected.is_some()
            || response.version() > Version::HTTP_11
            || response.headers().contains_key(TRANSFER_ENCODING);
        // The first piece decides whether the rest is wanted at all.
        let mut pending = Vec::new();
        while pending.len() < sniff::HEAD {
            match self.piece(&mut response, pending.len() as u64, expected).await? {
                Some(piece) => pending.extend_from_slice(&piece),
                None => break,
            }
        }
        let format = sniff::format(&pending[..pending.len().min(sniff::HEAD)])
            .map_err(|what| Problem::Odd { status, message: format!("{what} came instead of a picture or film") })?;

        let (part, file) = in_background(dir, {
            let (dir, stem) = (dir.to_owned(), stem.to_owned());
            move || Part::create(&dir, &stem)
        })
        .await?;
        let mut file = tokio::fs::File::from_std(file);
        let mut digest = Sha256::new();
        let mut bytes = pending.len() as u64;
        loop {
            if bytes > self.limits.max_bytes {
                return Err(self.too_large());
            }
            if let Some(progress) = &progress {
                progress.send_replace(bytes);
            }
            let piece = self.piece(&mut response, bytes, expected).await?;
            if let Some(piece) = &piece {
                bytes += piece.len() as u64;
                pending.extend_from_slice(piece);
            }
            if pending.len() >= PIECE || piece.is_none() {
                digest.update(&pending);
                file.write_all(&pending).await.map_err(|error| disk(dir, &error))?;
                pending.clear();
            }
            if piece.is_none() {
                break;
            }
        }
        if let Some(length) = expected.filter(|length| bytes != *length) {
            return Err(cut(bytes, Some(length)));
        }
        file.flush().await.map_err(|error| disk(dir, &error))?;
        let file = file.into_std().await;
        let sha256 = hex(&digest.finalize());
        let done = Done { part, file, format, bytes, sha256, framed, status };
        let finish = tokio::task::spawn_blocking(move || done.finish());
        finish.await.unwrap_or_else(|_| Err(Problem::Local { message: "finishing a download failed".into() }))
    }

    /// Follows a link to its answer.
    async fn open(&self, url: &str) -> Result<Response, Problem> {
        let mut url = Url::parse(url).map_err(|_| refused("is not a URL"))?;
        for _ in 0..=MAX_HOPS {
            self.check(&url)?;
            let client = match &self.here {
                Some(here) if url.scheme() == "http" => here,
                _ => self.open.as_ref().map_err(|error| Problem::Local { message: error.to_string() })?,
            };
            let request = client.get(url.clone()).send();
            let response = http::within(self.limits.timeouts.answer, request).await.map_err(unreached)?;
            let status = response.status();
            if status.is_success() && status != StatusCode::NO_CONTENT {
                return Ok(response);
            }
            if !status.is_redirection() {
                return Err(refusal(&response));
            }
            let next =
                response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| url.join(to).ok());
            let odd = |message: &str| Problem::Odd { status: status.as_u16(), message: message.to_owned() };
            let next = next.ok_or_else(|| odd("the link leads on, but not where"))?;
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(refused("leads on to an address that is not https"));
            }
            url = next;
        }
        Err(Problem::Odd { status: 302, message: format!("the link leads on more than {MAX_HOPS} times") })
    }

    /// Whether a link may be followed, by its text alone; what its name stands for is checked when it is looked up.
    fn check(&self, url: &Url) -> Result<(), Problem> {
        let host = url.host().ok_or_else(|| refused("names no host"))?;
        let here = is_loopback(&host);
        match url.scheme() {
            "https" => {}
            "http" if here && self.limits.allow_loopback => {}
            _ => return Err(refused("is not https")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("holds a user name"));
        }
        let inside = match host {
            Host::Ipv4(ip) => !is_public(IpAddr::V4(ip)),
            Host::Ipv6(ip) => !is_public(IpAddr::V6(ip)),
            Host::Domain(_) => here,
        };
        if inside && !(here && self.limits.allow_loopback) {
            return Err(refused("leads to a private address"));
        }
        Ok(())
    }

    /// The next piece of a body; none at its end.
    async fn piece(
        &self,
        response: &mut Response,
        so_far: u64,
        expected: Option<u64>,
    ) -> Result<Option<bytes::Bytes>, Problem> {
        match http::within(self.limits.timeouts.between, response.chunk()).await {
            Ok(piece) => Ok(piece),
            Err(Silence::TimedOut) => {
                Err(Problem::Network { sent: true, message: "the download stopped in the middle".into() })
            }
            Err(Silence::Failed(_)) => Err(cut(so_far, expected)),
        }
    }

    fn too_large(&self) -> Problem {
        Problem::Local { message: format!("the file is larger than the limit of {} MiB", self.limits.max_bytes >> 20) }
    }
}

/// A body that is here completely, but has no name yet.
struct Done {
    part: Part,
    file: File,
    format: Format,
    bytes: u64,
    sha256: String,
    framed: bool,
    status: u16,
}

impl Done {
    fn finish(mut self) -> Result<Home, Problem> {
        let damaged = || Problem::Odd { status: self.status, message: "the picture is damaged".into() };
        let pixels = sniff::pixels(self.format, &mut self.file).map_err(|_| damaged())?;
        if !self.framed && !sniff::has_end(self.format, &mut self.file).unwrap_or(false) {
            return Err(cut(self.bytes, None));
        }
        crate::step::step("download: complete, not synced");
        let placed =
            self.file.sync_all().and_then(|()| self.part.place(self.format.extension, self.bytes, &self.sha256));
        let path = placed.map_err(|error| Problem::Local { message: format!("a file could not be kept: {error}") })?;
        let path = std::path::absolute(&path).unwrap_or(path);
        let file = path.into_os_string().into_string().map_err(|path| Problem::Local {
            message: format!("the folder's name is not Unicode: {}", PathBuf::from(path).display()),
        })?;
        let (width, height) = pixels.unzip();
        Ok(Home { file, bytes: self.bytes, sha256: self.sha256, format: self.format.name.into(), width, height })
    }
}

/// Does disk work off the loop.
async fn in_background<T: Send + 'static>(
    dir: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(io::Error::other("it was interrupted")));
    done.map_err(|error| disk(dir, &error))
}

fn disk(dir: &Path, error: &io::Error) -> Problem {
    let why = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
        io::ErrorKind::PermissionDenied => "writing there is not permitted".to_owned(),
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => "a part of the path is not a folder".to_owned(),
        _ => error.to_string(),
    };
    Problem::Local { message: format!("cannot store the file in {}: {why}", dir.display()) }
}

fn unreached(silence: Silence) -> Problem {
    match &silence {
        Silence::Failed(error) if reach::led_inside(error) => refused("leads to a private address"),
        _ => silence.problem(),
    }
}

fn refused(why: &str) -> Problem {
    Problem::Local { message: format!("the link was not followed: it {why}") }
}

fn cut(bytes: u64, expected: Option<u64>) -> Problem {
    let message = match expected {
        Some(length) => format!("the download was cut off after {bytes} of {length} bytes"),
        None => format!("the download was cut off after {bytes} bytes"),
    };
    Problem::Network { sent: true, message }
}

/// What a host of files says with a status; its page is not worth reading.
fn refusal(response: &Response) -> Problem {
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
    fn links_to_the_inside_are_refused() {
        let open =
            Fetcher::new(DownloadLimits { allow_loopback: true, ..DownloadLimits::default() }).expect("a fetcher");
        let shut = Fetcher { open: open.open.clone(), here: None, limits: DownloadLimits::default() };
        let ok = |fetcher: &Fetcher, url: &str| fetcher.check(&Url::parse(url).expect(url)).is_ok();
        for url in ["https://cdn.example/a.png?sig=1", "https://8.8.8.8/a", "https://[2606:4700::1]/a"] {
            assert!(ok(&shut, url) && ok(&open, url), "{url}");
        }
        for url in ["http://127.0.0.1:8/a", "http://localhost/a", "https://[::1]/a", "http://127.1/a"] {
            assert!(!ok(&shut, url) && ok(&open, url), "{url}");
        }
        for url in [
            "http://cdn.example/a.png",
            "ftp://cdn.example/a",
            "file:///etc/passwd",
            "data:image/png;base64,AA",
            "https://user@cdn.example/a",
            "https://u:p@cdn.example/a",
            "https://10.0.0.1/a",
            "https://192.168.1.1/a",
            "https://172.16.0.1/a",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/a",
            "https://0.0.0.0/a",
            "https://255.255.255.255/a",
            "https://0x0a000001/a",
            "https://2852039166/a",
            "https://[fe80::1]/a",
            "https://[fc00::1]/a",
            "https://[::]/a",
            "https://[::ffff:10.0.0.1]/a",
            "https://[64:ff9b::a00:1]/a",
            "https://[2002:a00:1::]/a",
        ] {
            assert!(!ok(&shut, url) && !ok(&open, url), "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_stands_for_the_inside_is_refused() {
        if !reach::looks_up_here() {
            return;
        }
        let fetcher = Fetcher::new(DownloadLimits { allow_loopback: true, ..DownloadLimits::default() }).expect("one");
        // Where no certificates are installed there is nothing to try it with.
        let Ok(client) = &fetcher.open else { return };
        let asked = http::within(fetcher.limits.timeouts.answer, client.get("https://localhost:1/a").send()).await;
        assert_eq!(asked.map(|_| ()).map_err(unreached), Err(refused("leads to a private address")));
    }
}
