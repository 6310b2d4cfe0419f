//! Fetching what a task delivered. The links are foreign: no key or other header of ours goes with the request,
//! every hop is checked, and only a complete file of a known kind gets a name. What was cut off is kept and goes on
//! where it stopped, if the other end can say that the rest belongs to it.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Instant;

use reqwest::header::{HeaderValue, IF_RANGE, LOCATION, RANGE, TRANSFER_ENCODING};
use reqwest::{Response, StatusCode, Version};
use serde_json::{Map, Value};
use tokio::sync::watch;
use url::{Host, Url};

use super::client::ClientError;
use super::finish::{self, Complete};
use super::folder::Folder;
use super::http::{self, Kind, Silence, Timeouts};
use super::key::is_loopback;
use super::mishap::{cut, disk, refusal, refused, unreached};
use super::part::{Part, Unclaimed};
pub use super::place::sweep_parts;
use super::reach::is_public;
pub use super::resume::Pace;
use super::resume::{self, Mark, Throughput};
use super::sniff::{self, Format};
use crate::domain::naming::{Facts, Template};
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
    /// How slow is too slow.
    pub pace: Pace,
    /// Bytes that are left free on the disk.
    pub keep_free: u64,
}

impl Default for DownloadLimits {
    fn default() -> Self {
        Self {
            max_bytes: 512 << 20,
            allow_loopback: false,
            timeouts: Timeouts::default(),
            pace: Pace::default(),
            keep_free: 8 << 20,
        }
    }
}

/// What to fetch, and what to make of it. It cannot be printed, for the link is a secret.
#[derive(Clone, PartialEq)]
pub struct Wanted {
    /// The link: a bearer secret.
    pub url: String,
    /// The output folder. Nothing is written outside it.
    pub dir: PathBuf,
    /// Names the part until it is complete: the same for the same output, and safe in a file's name.
    pub key: String,
    /// What the file will be called.
    pub names: Template,
    /// What fills the template.
    pub facts: Facts,
    /// What is to be noted beside the file; what the file turned out to be is added. Nothing means no note.
    pub about: Option<Map<String, Value>>,
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

    /// Fetches a link. The number of bytes here so far goes to `progress`. Dropping the future stops the download;
    /// what is here already is kept if the rest can be asked for, and taken up by the next call with the same `key`.
    ///
    /// A file of the final name stays as it is; the result then gets `-2`, `-3`, … unless both are the same.
    ///
    /// # Errors
    /// [`Problem::Forbidden`] and [`Problem::NotFound`] when the link has run out: a fresh one may be asked for.
    /// [`Problem::Odd`] when something else than a file of a known kind came. [`Problem::Network`] when it was cut
    /// off, [`Problem::Busy`] when another program is fetching the same. [`Problem::Local`] for what trying again
    /// does not help: the disk, the size, a link that leads to where it must not.
    pub async fn fetch(&self, wanted: &Wanted, progress: Option<watch::Sender<u64>>) -> Result<Home, Problem> {
        let url = Url::parse(&wanted.url).map_err(|_| refused("is not a URL"))?;
        self.check(&url)?;
        let mut part = self.claim(wanted).await?;
        let asked = resume::place_of(&url);
        let known = sniff::format(&part.head);
        if part.mark().is_some_and(|mark| mark.asked != asked || known.is_err()) {
            part = self.on_disk(part, None, Part::restart).await?;
        }
        // Killed between the last byte and the name: nothing is left to ask for.
        if let (Some(mark), Ok(format)) = (part.mark(), known)
            && mark.total == Some(part.length)
        {
            return finish::finish(Complete { part, format, framed: true, status: 200 }, wanted).await;
        }
        let (part, response, total) = self.begin(&url, asked, part).await?;
        let status = response.status().as_u16();
        let framed = total.is_some()
            || response.version() > Version::HTTP_11
            || response.headers().contains_key(TRANSFER_ENCODING);
        let (mut part, format) = self.body(part, response, total, progress.as_ref()).await?;
        match total {
            Some(length) if part.length < length => return Err(cut(part.length, total)),
            // More than there is: what is here cannot be trusted either.
            Some(length) if part.length > length => {
                part.finish();
                return Err(cut(part.length, total));
            }
            _ => {}
        }
        finish::finish(Complete { part, format, framed, status }, wanted).await
    }

    async fn claim(&self, wanted: &Wanted) -> Result<Part, Problem> {
        let (dir, key) = (wanted.dir.clone(), wanted.key.clone());
        let claim = tokio::task::spawn_blocking(move || Part::claim(Folder::open(&dir)?, &key));
        match claim.await {
            Ok(Ok(part)) => Ok(part),
            Ok(Err(Unclaimed::Taken)) => {
                Err(Problem::Busy { retry_after: Some(2), message: "another Plantain is fetching it".to_owned() })
            }
            Ok(Err(Unclaimed::Io(error))) => Err(disk(&wanted.dir, &error, None)),
            Err(_) => Err(disk(&wanted.dir, &io::Error::other("it was interrupted"), None)),
        }
    }

    /// Asks for what is missing: the rest if some is here, else the whole. Says how long the whole is.
    async fn begin(&self, url: &Url, asked: String, mut part: Part) -> Result<(Part, Response, Option<u64>), Problem> {
        let rest = part.mark().and_then(|mark| Some((mark.clone(), HeaderValue::from_str(&mark.validator).ok()?)));
        let mut answer = None;
        if let Some((mark, validator)) = rest {
            let from = part.length;
            match self.open(url, Some((from, validator))).await {
                Ok((response, led)) if response.status() == StatusCode::PARTIAL_CONTENT => {
                    if led == mark.led
                        && let Some(total) = resume::continues(response.headers(), &mark, from)
                    {
                        let part = self.make_room(part, total).await?;
                        return Ok((part, response, total));
                    }
                }
                Ok(whole) => answer = Some(whole),
                Err(Problem::Rejected { status: 416, .. }) => {}
                Err(problem) => return Err(problem),
            }
        }
        // The file changed, or the other end cannot give parts of it.
        part = self.on_disk(part, None, Part::restart).await?;
        let (response, led) = match answer {
            Some(answer) => answer,
            None => self.open(url, None).await?,
        };
        let status = response.status();
        if status == StatusCode::PARTIAL_CONTENT {
            return Err(Problem::Odd { status: status.as_u16(), message: "a part came instead of the whole".into() });
        }
        let total = response.content_length();
        part = self.make_room(part, total).await?;
        if let Some(validator) = resume::validator(response.headers()) {
            let mark = Mark { validator, total, asked, led, synced: 0, boot: None };
            part = self.on_disk(part, total, move |part| part.set_mark(mark)).await?;
        }
        Ok((part, response, total))
    }

    /// Refuses what is too large, and what the disk has no room for, before anything of it comes.
    async fn make_room(&self, mut part: Part, total: Option<u64>) -> Result<Part, Problem> {
        if total.is_some_and(|length| length > self.limits.max_bytes) {
            part.finish();
            return Err(self.too_large());
        }
        let keep = self.limits.keep_free;
        self.on_disk(part, total, move |part| {
            has_room(part, total.map_or(0, |total| total - part.length.min(total)), keep)
        })
        .await
    }

    /// Puts the body behind the part. What came before a fault is kept.
    async fn body(
        &self,
        mut part: Part,
        mut response: Response,
        total: Option<u64>,
        progress: Option<&watch::Sender<u64>>,
    ) -> Result<(Part, Format), Problem> {
        let status = response.status().as_u16();
        let mut format = sniff::format(&part.head).ok();
        let mut throughput = Throughput::new(self.limits.pace, Instant::now());
        let mut pending = Vec::new();
        loop {
            let bytes = part.length + pending.len() as u64;
            if bytes > self.limits.max_bytes {
                part.finish();
                return Err(self.too_large());
            }
            if let Some(progress) = progress {
                progress.send_replace(bytes);
            }
            let piece = self.piece(&mut response, bytes, total, &mut throughput).await;
            if let Ok(Some(piece)) = &piece {
                pending.extend_from_slice(piece);
            }
            let more = matches!(piece, Ok(Some(_)));
            // The first piece decides whether the rest is wanted at all.
            if format.is_none() && (pending.len() >= sniff::HEAD || matches!(piece, Ok(None))) {
                let found = sniff::format(&pending[..pending.len().min(sniff::HEAD)]);
                format = Some(found.map_err(|what| Problem::Odd {
                    status,
                    message: format!("{what} came instead of a picture or film"),
                })?);
            }
            if let Some(format) = format
                && (pending.len() >= PIECE || !more)
            {
                let (bytes, keep) = (std::mem::take(&mut pending), self.limits.keep_free);
                let write = move |part: &mut Part| {
                    has_room(part, bytes.len() as u64, keep)?;
                    part.write(&bytes)
                };
                part = self.on_disk(part, total, write).await?;
                if matches!(piece, Ok(None)) {
                    return Ok((part, format));
                }
            }
            piece?;
        }
    }

    /// Does disk work off the loop. An error says what the whole needs.
    async fn on_disk(
        &self,
        mut part: Part,
        total: Option<u64>,
        work: impl FnOnce(&mut Part) -> io::Result<()> + Send + 'static,
    ) -> Result<Part, Problem> {
        let keep = self.limits.keep_free;
        let dir = part.folder.path().to_owned();
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&mut part);
            let missing = total.map(|total| total.saturating_sub(part.length));
            let room = part.folder.room().ok().map(|room| room.saturating_sub(keep));
            done.map_err(|error| disk(part.folder.path(), &error, missing.zip(room)))?;
            Ok(part)
        });
        done.await.unwrap_or_else(|_| Err(disk(&dir, &io::Error::other("it was interrupted"), None)))
    }

    /// Follows a link to its answer, and says where it led. With a range, only the rest of the file is wanted, and
    /// only if the validator still fits.
    async fn open(&self, url: &Url, rest: Option<(u64, HeaderValue)>) -> Result<(Response, String), Problem> {
        let mut url = url.clone();
        for _ in 0..=MAX_HOPS {
            self.check(&url)?;
            let client = match &self.here {
                Some(here) if url.scheme() == "http" => here,
                _ => self.open.as_ref().map_err(|error| Problem::Local { message: error.to_string() })?,
            };
            let mut request = client.get(url.clone());
            if let Some((from, validator)) = &rest {
                request = request.header(RANGE, format!("bytes={from}-")).header(IF_RANGE, validator.clone());
            }
            let response = http::within(self.limits.timeouts.answer, request.send()).await.map_err(unreached)?;
            let status = response.status();
            if status.is_success() && status != StatusCode::NO_CONTENT {
                return Ok((response, resume::place_of(&url)));
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

    /// The next piece of a body; none at its end. Silence, and a line that only trickles, are faults; a slow one is
    /// none, and there is no limit for the whole.
    async fn piece(
        &self,
        response: &mut Response,
        so_far: u64,
        total: Option<u64>,
        throughput: &mut Throughput,
    ) -> Result<Option<bytes::Bytes>, Problem> {
        let stopped = |message: &str| Problem::Network { sent: true, message: message.to_owned() };
        match http::within(self.limits.timeouts.between, response.chunk()).await {
            Ok(Some(piece)) if !throughput.is_enough(piece.len(), Instant::now()) => {
                Err(stopped("the download all but stopped"))
            }
            Ok(piece) => Ok(piece),
            Err(Silence::TimedOut) => Err(stopped("the download stopped in the middle")),
            Err(Silence::Failed(_)) => Err(cut(so_far, total)),
        }
    }

    fn too_large(&self) -> Problem {
        Problem::Local { message: format!("the file is larger than the limit of {} MiB", self.limits.max_bytes >> 20) }
    }
}

/// Whether this many bytes more leave as much free as is to be left.
fn has_room(part: &Part, more: u64, keep: u64) -> io::Result<()> {
    // Where the room cannot be told, writing tells.
    match part.folder.room() {
        Ok(room) if room < more.saturating_add(keep) => Err(io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::reach;
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
