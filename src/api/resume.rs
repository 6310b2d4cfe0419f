//! When the rest of a file may be put behind the part that is here: validators, ranges, and how slow is too slow.

use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, DATE, ETAG, HeaderMap, LAST_MODIFIED};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::place::hex;

/// A date says that a file is the same only if it is this much older than the answer.
const SURE: Duration = Duration::from_secs(60);
/// Longest validator that is kept, in bytes.
const MAX_VALIDATOR: usize = 1024;

/// What is known about a part, kept in a file beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// A strong `ETag`, or a `Last-Modified` that can stand for one, as it came.
    pub(super) validator: String,
    /// Length of the whole file, if it was told.
    pub(super) total: Option<u64>,
    /// Where the link asked for and where it led, without what is signed: see [`place_of`].
    pub(super) asked: String,
    /// Where it led.
    pub(super) led: String,
    /// As many bytes are surely on the disk.
    pub(super) synced: u64,
    /// The run of the machine that wrote the rest: its memory still has it.
    pub(super) boot: Option<String>,
}

/// A link without its query and user: the same file under a fresh signature. Hashed, for links are secrets.
pub(super) fn place_of(url: &Url) -> String {
    let mut digest = Sha256::new();
    for part in [url.scheme(), url.host_str().unwrap_or_default(), url.path()] {
        digest.update(part);
        digest.update([0]);
    }
    digest.update(url.port_or_known_default().unwrap_or_default().to_be_bytes());
    hex(&digest.finalize())
}

/// This run of the machine, where that can be told.
pub(super) fn boot() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned()).filter(|id| !id.is_empty())
}

fn text<'a>(headers: &'a HeaderMap, name: &reqwest::header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// What to send as `If-Range`: a strong tag, or a date that is old enough to tell versions apart.
pub(super) fn validator(headers: &HeaderMap) -> Option<String> {
    let tag = text(headers, &ETAG).filter(|tag| tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"'));
    let date = || {
        let modified = text(headers, &LAST_MODIFIED)?;
        let at: SystemTime = httpdate::parse_http_date(modified).ok()?;
        let now = httpdate::parse_http_date(text(headers, &DATE)?).ok()?;
        now.duration_since(at).is_ok_and(|age| age >= SURE).then_some(modified)
    };
    tag.or_else(date).filter(|text| text.len() <= MAX_VALIDATOR).map(str::to_owned)
}

/// The length of the whole file, if these are the headers of its rest from `from` on and of nothing else. The outer
/// `None` says that they are not.
pub(super) fn continues(headers: &HeaderMap, mark: &Mark, from: u64) -> Option<Option<u64>> {
    let (first, last, total) = content_range(text(headers, &CONTENT_RANGE)?)?;
    let length = match text(headers, &CONTENT_LENGTH) {
        Some(text) => Some(text.parse::<u64>().ok()?),
        None => None,
    };
    let same = |name, is_tag: bool| match text(headers, name) {
        Some(now) if mark.validator.starts_with('"') == is_tag => now == mark.validator,
        _ => true,
    };
    let fits = first == from
        && length.is_none_or(|length| length == last - first + 1)
        && total.is_none_or(|total| last < total)
        && (total.is_none() || mark.total.is_none() || total == mark.total)
        && text(headers, &CONTENT_ENCODING).is_none_or(|way| way.eq_ignore_ascii_case("identity"))
        && same(&ETAG, true)
        && same(&LAST_MODIFIED, false);
    fits.then_some(total.or(mark.total))
}

/// `bytes 5-9/10` or `bytes 5-9/*`.
fn content_range(text: &str) -> Option<(u64, u64, Option<u64>)> {
    let (unit, rest) = text.split_once(' ')?;
    let (span, total) = rest.trim().split_once('/')?;
    let (first, last) = span.split_once('-')?;
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let total = if total.trim() == "*" { None } else { Some(number(total)?) };
    let (first, last) = (number(first)?, number(last)?);
    // The last byte of all would have no next one; no file is that long.
    (unit.eq_ignore_ascii_case("bytes") && first <= last && last < u64::MAX).then_some((first, last, total))
}

/// How slow is too slow: fewer bytes in a stretch of time than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Bytes.
    pub least: u64,
    /// In this time.
    pub stretch: Duration,
}

impl Default for Pace {
    /// 6 KiB a minute: a line of a kilobyte a second is slow but no fault, a few bytes now and then are one.
    fn default() -> Self {
        Self { least: 6 << 10, stretch: Duration::from_secs(60) }
    }
}

/// Watches a body's pace.
#[derive(Debug)]
pub(super) struct Throughput {
    pace: Pace,
    since: Instant,
    bytes: u64,
}

impl Throughput {
    pub(super) fn new(pace: Pace, now: Instant) -> Self {
        Self { pace, since: now, bytes: 0 }
    }

    /// A piece came. Returns whether the line is still quick enough.
    pub(super) fn is_enough(&mut self, bytes: usize, now: Instant) -> bool {
        self.bytes += bytes as u64;
        if now.saturating_duration_since(self.since) < self.pace.stretch {
            return true;
        }
        let enough = self.bytes >= self.pace.least;
        (self.since, self.bytes) = (now, 0);
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
        };
        pairs.iter().map(pair).collect()
    }

    const DAY: &str = "Mon, 27 Apr 2026 09:27:13 GMT";
    const LATER: &str = "Mon, 27 Apr 2026 09:29:13 GMT";

    #[test]
    fn only_what_tells_versions_apart_is_a_validator() {
        for (pairs, expected) in [
            (&[("etag", "\"a\"")][..], Some("\"a\"")),
            (&[("etag", "W/\"a\"")], None),
            (&[("etag", "a")], None),
            (&[("etag", "\"\"")], None),
            (&[("last-modified", DAY), ("date", LATER)], Some(DAY)),
            (&[("etag", "W/\"a\""), ("last-modified", DAY), ("date", LATER)], Some(DAY)),
            (&[("last-modified", DAY), ("date", DAY)], None),
            (&[("last-modified", LATER), ("date", DAY)], None),
            (&[("last-modified", DAY)], None),
            (&[("last-modified", "yesterday"), ("date", LATER)], None),
            (&[], None),
        ] {
            assert_eq!(validator(&headers(pairs)).as_deref(), expected, "{pairs:?}");
        }
    }

    #[test]
    fn only_the_right_rest_is_taken() {
        let mark = |validator: &str, total| Mark {
            validator: validator.into(),
            total,
            asked: String::new(),
            led: String::new(),
            synced: 0,
            boot: None,
        };
        let tagged = mark("\"a\"", Some(10));
        for pairs in [
            &[("content-range", "bytes 4-9/10")][..],
            &[("content-range", "Bytes 4-9/10"), ("content-length", "6"), ("etag", "\"a\"")],
            &[("content-range", "bytes 4-7/10"), ("content-length", "4")],
            &[("content-range", "bytes 4-9/*"), ("last-modified", LATER)],
        ] {
            assert_eq!(continues(&headers(pairs), &tagged, 4), Some(Some(10)), "{pairs:?}");
        }
        for pairs in [
            &[][..],
            &[("content-range", "bytes 0-9/10")],
            &[("content-range", "bytes 5-9/10")],
            &[("content-range", "bytes 4-9/11")],
            &[("content-range", "bytes 4-10/10")],
            &[("content-range", "bytes 9-4/10")],
            &[("content-range", "bytes */10")],
            &[("content-range", "items 4-9/10")],
            &[("content-range", "bytes 4-18446744073709551615/*")],
            &[("content-range", "bytes 4-9/10"), ("content-length", "10")],
            &[("content-range", "bytes 4-9/10"), ("etag", "\"b\"")],
            &[("content-range", "bytes 4-9/10"), ("content-encoding", "gzip")],
        ] {
            assert_eq!(continues(&headers(pairs), &tagged, 4), None, "{pairs:?}");
        }
        let dated = mark(DAY, None);
        let range = ("content-range", "bytes 4-9/10");
        assert_eq!(continues(&headers(&[range, ("last-modified", LATER)]), &dated, 4), None);
        assert_eq!(continues(&headers(&[range, ("etag", "\"b\"")]), &dated, 4), Some(Some(10)));
    }

    #[test]
    fn a_fresh_signature_is_the_same_place() {
        let place = |text: &str| place_of(&Url::parse(text).expect(text));
        let first = place("https://a.example/x.png?sig=1");
        assert_eq!(first, place("https://a.example:443/x.png?sig=2"));
        for other in ["https://b.example/x.png", "https://a.example/y.png", "https://a.example:8/x.png"] {
            assert_ne!(first, place(other));
        }
    }

    #[test]
    fn slow_is_fine_and_trickling_is_not() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let mut slow = Throughput::new(Pace::default(), start);
        assert!((1..600).all(|second| slow.is_enough(1000, at(second))));
        let mut trickle = Throughput::new(Pace::default(), start);
        assert!(trickle.is_enough(100_000, at(1)), "a start counts for its own stretch only");
        assert!((1..12).all(|n| trickle.is_enough(1, at(n * 10))) && !trickle.is_enough(1, at(120)));
    }
}
