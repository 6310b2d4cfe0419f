//! Pictures made ready beside the loop: two at a time, the newest wish first, what is stale forgotten, and never more
//! than a fixed number of bytes.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::app::{AssetMsg, Level, Msg, Want};
use crate::graphics::{Ask, Backdrop, Decoded, Gallery, Picture, Protocol, Purpose, Quality, Shape, Thumbs};
use crate::graphics::{decode_file, encode, encode_for, guarded};
use crate::ui::picture_key;

use super::hands::Note;

/// Encodes at once.
const AT_ONCE: usize = 2;
/// Bytes of encoded pictures that are kept.
const GALLERY: usize = 10 << 20;
/// Bytes of decoded pictures, kept and in the making: one of 4K. A larger one has to be alone.
const SOURCES: usize = 34 << 20;
/// What is assumed of a picture whose size is not known.
const UNKNOWN: usize = 16 << 20;
/// Wishes that may wait: every level of one picture.
const WAITING: usize = 4;

/// Why a picture is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// It is wanted.
    Wanted,
    /// It is wanted if there is a thumbnail.
    Glance,
    /// It may be wanted next.
    Ahead,
}

/// A wish.
#[derive(Clone, Debug)]
struct Job {
    want: Want,
    why: Why,
}

impl Job {
    /// Bytes of its pixels when it is decoded.
    fn weight(&self) -> usize {
        match (self.why, self.want.pixels) {
            (Why::Glance, _) => 256 * 256 * 4,
            (_, Some((width, height))) => (width as usize).saturating_mul(height as usize).saturating_mul(4),
            (_, None) => UNKNOWN,
        }
    }
}

/// What became of a wish.
#[derive(Debug)]
pub struct Made {
    ticket: u64,
    job: Job,
    result: Result<Arc<Picture>, Missed>,
    /// The pixels it was made of.
    source: Option<Arc<Decoded>>,
}

#[derive(Debug)]
enum Missed {
    NoThumbnail,
    Failed(String),
}

/// What every encoding needs.
#[derive(Clone, Debug)]
struct Way {
    shape: Shape,
    behind: Backdrop,
    /// Bytes that the line carries in half a second.
    half_second: Option<u64>,
    thumbs: Option<Arc<Thumbs>>,
}

/// What is encoded, and what is to be.
#[derive(Debug)]
pub struct Pictures {
    gallery: Gallery,
    way: Option<Way>,
    thumbs: Option<Arc<Thumbs>>,
    half_second: Option<u64>,
    /// Counts what was begun.
    ticket: u64,
    /// What was begun for another shape of the terminal has a smaller ticket.
    era: u64,
    running: Vec<(u64, Job)>,
    waiting: Vec<Job>,
    ahead: VecDeque<Want>,
    /// The pixels decoded last, for another look at the same picture.
    kept: Option<(String, Arc<Decoded>)>,
    /// The most bytes held at once so far, by our own count.
    peak: usize,
    inbox: mpsc::Sender<Note>,
}

impl Pictures {
    /// An empty gallery. Without a folder for thumbnails a first look always needs the whole picture.
    #[must_use]
    pub fn new(inbox: mpsc::Sender<Note>, thumbs: Option<Arc<Thumbs>>) -> Self {
        Self {
            gallery: Gallery::new(GALLERY),
            way: None,
            thumbs,
            half_second: None,
            ticket: 0,
            era: 0,
            running: Vec::new(),
            waiting: Vec::new(),
            ahead: VecDeque::new(),
            kept: None,
            peak: 0,
            inbox,
        }
    }

    /// For the view.
    #[must_use]
    pub fn gallery(&self) -> &Gallery {
        &self.gallery
    }

    /// The terminal takes pictures this way from now on. Everything made for another way is void.
    pub fn shape(&mut self, shape: Shape, background: Option<[u8; 3]>) {
        let behind = background.map_or(Backdrop::Checker, Backdrop::Colour);
        if let Some(way) = self.way.as_mut().filter(|way| way.shape == shape) {
            // Told late, it counts for what is made from now on: nothing vanishes for it.
            way.behind = behind;
        } else {
            let (half_second, thumbs) = (self.half_second, self.thumbs.clone());
            self.way = Some(Way { shape, behind, half_second, thumbs });
            self.era = self.ticket;
            self.gallery.clear();
            self.waiting.clear();
            self.ahead.clear();
        }
    }

    /// What the line carries in half a second from now on.
    pub fn line(&mut self, half_second: Option<u64>) {
        self.half_second = half_second;
        if let Some(way) = &mut self.way {
            way.half_second = half_second;
        }
    }

    /// Wants a picture. What is there already is answered at once.
    pub fn want(&mut self, want: Want) -> Option<Msg> {
        self.wish(Job { want, why: Why::Wanted })
    }

    /// Wants a first look, if there is a thumbnail.
    pub fn glance(&mut self, want: Want) -> Option<Msg> {
        self.wish(Job { want, why: Why::Glance })
    }

    /// These may be wanted next.
    pub fn ahead(&mut self, wants: Vec<Want>) {
        self.ahead = wants.into();
        self.start();
    }

    fn has(&mut self, want: &Want) -> bool {
        self.gallery.get(&picture_key(want)).is_some()
    }

    fn wish(&mut self, job: Job) -> Option<Msg> {
        // What was wanted of another picture is stale now, and nothing is done ahead while somebody waits.
        self.waiting.retain(|old| old.want.is_like(&job.want) && old.want != job.want);
        self.ahead.clear();
        if self.has(&job.want) {
            return Some(Msg::Asset(AssetMsg::Encoded(job.want)));
        }
        let under_way = self.running.iter().any(|(ticket, run)| *ticket > self.era && run.want == job.want);
        if !under_way {
            self.waiting.truncate(WAITING - 1);
            self.waiting.push(job);
            self.start();
        } else if let Some((_, run)) = self.running.iter_mut().find(|(_, run)| run.want == job.want)
            && run.why == Why::Ahead
        {
            // Somebody waits for it now.
            run.why = job.why;
        }
        None
    }

    fn weighs(&self) -> usize {
        let kept = self.kept.as_ref().map_or(0, |(_, source)| source.pixels.as_bytes().len());
        // Whoever works from what is kept adds nothing to it.
        let kept_by = self.kept.as_ref().map(|(hash, _)| hash.as_str());
        let running = self.running.iter().filter(|(_, job)| Some(job.want.sha256.as_str()) != kept_by);
        kept + running.map(|(_, job)| job.weight()).sum::<usize>()
    }

    /// Whether this may be begun beside what runs.
    fn may_begin(&mut self, job: &Job) -> bool {
        let same = |(_, run): &(u64, Job)| run.want.sha256 == job.want.sha256;
        if self.kept.as_ref().is_some_and(|(hash, _)| *hash == job.want.sha256) || job.why == Why::Glance {
            return true;
        }
        // The same file is not decoded twice at once.
        if self.running.iter().any(|run| same(run) && run.1.why != Why::Glance) {
            return false;
        }
        if self.weighs() + job.weight() > SOURCES {
            self.kept = None;
        }
        self.running.is_empty() || self.weighs() + job.weight() <= SOURCES
    }

    fn start(&mut self) {
        while self.running.len() < AT_ONCE {
            let Some(way) = self.way.clone() else { return };
            // The smallest level of the newest wish first.
            self.waiting.sort_by_key(|job| job.want.level);
            let mut next = None;
            for at in 0..self.waiting.len() {
                let job = self.waiting[at].clone();
                if self.may_begin(&job) {
                    next = Some(self.waiting.remove(at));
                    break;
                }
            }
            if next.is_none() && self.waiting.is_empty() && self.running.is_empty() {
                next = self.next_ahead();
            }
            let Some(job) = next else { return };
            self.begin(job, way);
        }
    }

    fn next_ahead(&mut self) -> Option<Job> {
        while let Some(want) = self.ahead.pop_front() {
            let job = Job { want, why: Why::Ahead };
            if !self.has(&job.want) && self.may_begin(&job) {
                return Some(job);
            }
        }
        None
    }

    fn begin(&mut self, job: Job, way: Way) {
        self.ticket += 1;
        let (ticket, inbox) = (self.ticket, self.inbox.clone());
        let kept =
            self.kept.as_ref().filter(|(hash, _)| *hash == job.want.sha256).map(|(_, source)| Arc::clone(source));
        self.running.push((ticket, job.clone()));
        self.peak = self.peak.max(self.weighs() + self.gallery.bytes());
        tokio::task::spawn_blocking(move || {
            // Whatever decoder and encoder do, its place is given back.
            let made = guarded(|| make(&job, &way, kept));
            let (result, source) = made.unwrap_or_else(|| (Err(Missed::Failed("it cannot be prepared".into())), None));
            let _ = inbox.blocking_send(Note::Picture(Box::new(Made { ticket, job, result, source })));
        });
    }

    /// An encoding ended.
    pub fn ended(&mut self, made: Made) -> Option<Msg> {
        let Made { ticket, mut job, result, source } = made;
        if let Some(at) = self.running.iter().position(|(running, _)| *running == ticket) {
            job = self.running.swap_remove(at).1;
        }
        if let Some(source) = source
            && source.pixels.as_bytes().len() <= SOURCES
        {
            self.kept = Some((job.want.sha256.clone(), source));
        }
        let current = ticket > self.era;
        let msg = match result {
            Ok(picture) if current => {
                self.gallery.insert(picture);
                Some(AssetMsg::Encoded(job.want))
            }
            Err(Missed::NoThumbnail) if current => Some(AssetMsg::NoThumbnail(job.want)),
            Err(Missed::Failed(why)) if current => Some(AssetMsg::Failed(job.want, why)),
            _ => None,
        };
        self.peak = self.peak.max(self.weighs() + self.gallery.bytes());
        self.start();
        msg.filter(|_| job.why != Why::Ahead).map(Msg::Asset)
    }
}

/// A file whose decoder panics.
#[cfg(test)]
const PANICS: &str = "/a file that makes its decoder panic";

type Outcome = (Result<Arc<Picture>, Missed>, Option<Arc<Decoded>>);

fn make(job: &Job, way: &Way, kept: Option<Arc<Decoded>>) -> Outcome {
    let want = &job.want;
    if kept.is_none() && (job.why == Why::Glance || want.level == Level::First) {
        let thumb = way.thumbs.as_ref().and_then(|thumbs| thumbs.get(&want.sha256));
        match thumb {
            Some(thumb) => return (encoded(&thumb, want, way), None),
            None if job.why == Why::Glance => return (Err(Missed::NoThumbnail), None),
            None => {}
        }
    }
    let source = match kept {
        Some(source) => source,
        #[cfg(test)]
        None if want.file == PANICS => std::panic::resume_unwind(Box::new("a decoder's panic")),
        None => match decode_file(Path::new(&want.file)) {
            Ok(source) => Arc::new(source),
            Err(why) => return (Err(Missed::Failed(why.to_string())), None),
        },
    };
    let made = encoded(&source, want, way);
    if let Some(thumbs) = way.thumbs.as_ref().filter(|thumbs| !thumbs.has(&want.sha256))
        && let Err(why) = thumbs.put(&want.sha256, &source)
    {
        tracing::debug!(%why, "no thumbnail");
    }
    (made, Some(source))
}

fn encoded(source: &Decoded, want: &Want, way: &Way) -> Result<Arc<Picture>, Missed> {
    let bytes = |half: u64| usize::try_from(half).unwrap_or(usize::MAX);
    let half_second = way.half_second.map(bytes);
    let full = Ask { view: want.view, behind: way.behind, ..Ask::default() };
    let key = picture_key(want);
    let picture = match want.level {
        Level::First => {
            let ask = Ask { purpose: Purpose::FirstLook, budget: half_second.map(|bytes| bytes / 5), ..full };
            encode_for(source, key, &way.shape, &ask)
        }
        Level::Fit => encode_for(source, key, &way.shape, &Ask { budget: half_second, ..full }),
        Level::Alike if want.view.is_none() => encode(source, key, &Shape { quality: Quality::Lean, ..way.shape }),
        Level::Alike => encode_for(source, key, &way.shape, &Ask { budget: Some(ALIKE), ..full }),
        Level::Full => encode_for(source, key, &way.shape, &full),
    };
    picture.map(Arc::new).map_err(|why| Missed::Failed(why.to_string()))
}

/// Bytes of a part of a picture that looks like the part itself.
const ALIKE: usize = 440_000;

/// Pictures of this kind are text: they have no first look.
#[must_use]
pub fn is_text(protocol: Protocol) -> bool {
    matches!(protocol, Protocol::Blocks | Protocol::Off)
}

#[cfg(test)]
mod tests;
