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
mod tests {
    use std::path::PathBuf;

    use image::{DynamicImage, RgbImage};
    use ratatui::layout::Size;

    use super::*;
    use crate::graphics::CellSize;

    struct Bench {
        dir: tempfile::TempDir,
        pictures: Pictures,
        notes: mpsc::Receiver<Note>,
        /// The most that ran at once.
        most: usize,
    }

    impl Bench {
        fn new(protocol: Protocol) -> Self {
            let dir = tempfile::tempdir().expect("a folder");
            let (inbox, notes) = mpsc::channel(64);
            let thumbs = Arc::new(Thumbs::new(dir.path().join("thumbs")));
            let mut pictures = Pictures::new(inbox, Some(thumbs));
            pictures.shape(Shape { protocol, cell: CellSize::GUESS, quality: Quality::Full, tmux: false }, None);
            Self { dir, pictures, notes, most: 0 }
        }

        fn file(&self, name: &str, width: u32, height: u32) -> PathBuf {
            let path = self.dir.path().join(name);
            let image = RgbImage::from_fn(width, height, |x, y| {
                image::Rgb([(x % 251) as u8, (y % 241) as u8, ((x ^ y) % 64) as u8])
            });
            DynamicImage::ImageRgb8(image).save(&path).expect("written");
            path
        }

        fn want(&self, file: &Path, n: usize, level: Level) -> Want {
            Want {
                file: file.display().to_string(),
                sha256: format!("{n:064x}"),
                pixels: image::image_dimensions(file).ok(),
                cells: Size::new(40, 20),
                view: None,
                level,
            }
        }

        /// The next answer to the loop.
        async fn next(&mut self) -> Option<AssetMsg> {
            loop {
                self.most = self.most.max(self.pictures.running.len());
                if self.pictures.running.is_empty() {
                    return None;
                }
                let Some(Note::Picture(made)) = self.notes.recv().await else { panic!("another note") };
                if let Some(Msg::Asset(msg)) = self.pictures.ended(*made) {
                    return Some(msg);
                }
            }
        }
    }

    /// Whatever is looked at, pictures take no more than this: counted are what is kept, decoded and encoded, and what
    /// is being decoded.
    #[tokio::test]
    async fn a_hundred_pictures_of_4k_stay_below_fifty_megabytes() {
        let mut bench = Bench::new(Protocol::KittyDirect);
        let files = [bench.file("a.png", 3840, 2160), bench.file("b.png", 2160, 3840)];
        for n in 0..100 {
            let want = bench.want(&files[n % 2], n, Level::Fit);
            let neighbour = bench.want(&files[(n + 1) % 2], n + 1, Level::Fit);
            bench.pictures.want(want.clone());
            // Every twentieth is looked at; the others are passed, and what was begun for them is not waited for.
            if n % 20 == 0 {
                loop {
                    match bench.next().await {
                        Some(AssetMsg::Encoded(made)) if made == want => break,
                        Some(AssetMsg::Encoded(_)) => {}
                        other => panic!("{other:?}"),
                    }
                }
                bench.pictures.ahead(vec![neighbour]);
            }
            assert!(bench.pictures.running.len() <= AT_ONCE);
        }
        while bench.next().await.is_some() {}
        assert!(bench.pictures.peak > 20 << 20, "they were counted: {}", bench.pictures.peak);
        assert!(bench.pictures.peak <= 50_000_000, "{}", bench.pictures.peak);
        assert_eq!(bench.most, 1, "one of 4K has to be alone");
    }

    #[tokio::test]
    async fn the_newest_wish_comes_first_and_the_stale_never() {
        let mut bench = Bench::new(Protocol::Kitty);
        let file = bench.file("a.png", 320, 200);
        let wants: Vec<Want> = (0..50).map(|n| bench.want(&file, n, Level::Fit)).collect();
        for want in &wants {
            assert_eq!(bench.pictures.want(want.clone()), None);
        }
        let mut made = Vec::new();
        while let Some(AssetMsg::Encoded(want)) = bench.next().await {
            made.push(want);
        }
        assert_eq!(bench.most, 2);
        assert!(made.len() <= 3 && made.last() == wants.last(), "two had begun, and then the newest: {}", made.len());
        assert_eq!(bench.pictures.want(wants[49].clone()), Some(Msg::Asset(AssetMsg::Encoded(wants[49].clone()))));
    }

    #[tokio::test]
    async fn a_first_look_needs_the_file_once() {
        let mut bench = Bench::new(Protocol::Kitty);
        bench.pictures.line(Some(16_000));
        let file = bench.file("a.png", 1200, 900);
        let first = bench.want(&file, 1, Level::First);
        bench.pictures.glance(first.clone());
        assert_eq!(bench.next().await, Some(AssetMsg::NoThumbnail(first.clone())));
        bench.pictures.want(first.clone());
        bench.pictures.want(first.at(Level::Fit));
        let mut levels = Vec::new();
        while let Some(AssetMsg::Encoded(want)) = bench.next().await {
            levels.push(want.level);
        }
        assert_eq!(levels, [Level::First, Level::Fit], "the small one first, and the file is decoded once");
        let size = |level| bench.pictures.gallery.peek(&picture_key(&first.at(level))).expect("there").wire();
        assert!(size(Level::First) <= 3_200 && size(Level::Fit) <= 16_000);
        // The next run has the thumbnail, whatever became of the file.
        std::fs::remove_file(&file).expect("removed");
        let (inbox, notes) = mpsc::channel(8);
        let thumbs = Arc::new(Thumbs::new(bench.dir.path().join("thumbs")));
        let way = bench.pictures.way.clone().expect("a way");
        (bench.pictures, bench.notes) = (Pictures::new(inbox, Some(thumbs)), notes);
        bench.pictures.shape(way.shape, None);
        bench.pictures.glance(first.clone());
        assert_eq!(bench.next().await, Some(AssetMsg::Encoded(first.clone())));
        bench.pictures.want(first.at(Level::Fit));
        let failed = bench.next().await;
        assert!(matches!(&failed, Some(AssetMsg::Failed(_, why)) if why.starts_with("cannot read")), "{failed:?}");
    }

    /// D1, D2: a bomb, damage and what is no picture are words where the picture would be; the next one comes.
    #[tokio::test]
    async fn what_cannot_be_shown_says_why() {
        let mut bench = Bench::new(Protocol::Sixel);
        let good = bench.file("good.png", 64, 64);
        let mut bomb = std::fs::read(&good).expect("read");
        bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        let cut = std::fs::read(&good).expect("read")[..60].to_vec();
        for (n, bytes) in [bomb, cut, b"<html>".to_vec(), Vec::new()].into_iter().enumerate() {
            let bad = bench.dir.path().join("bad.png");
            std::fs::write(&bad, bytes).expect("written");
            let want = Want { pixels: Some((64, 64)), ..bench.want(&good, n, Level::Fit) };
            let want = Want { file: bad.display().to_string(), ..want };
            bench.pictures.want(want.clone());
            let answer = bench.next().await;
            assert!(matches!(&answer, Some(AssetMsg::Failed(of, why)) if *of == want && !why.is_empty()), "{answer:?}");
        }
        let want = bench.want(&good, 9, Level::Fit);
        bench.pictures.want(want.clone());
        assert_eq!(bench.next().await, Some(AssetMsg::Encoded(want)));
    }

    /// D2: whatever panics in there is a message; the place is free again, and the next picture comes.
    #[tokio::test]
    async fn a_panic_while_a_picture_is_made_is_a_message() {
        let mut bench = Bench::new(Protocol::Kitty);
        let file = bench.file("a.png", 64, 64);
        for n in 0..AT_ONCE * 2 {
            let want = Want { file: PANICS.into(), ..bench.want(&file, n, Level::Fit) };
            bench.pictures.want(want.clone());
            let answer = bench.next().await;
            assert_eq!(answer, Some(AssetMsg::Failed(want, "it cannot be prepared".into())));
        }
        let want = bench.want(&file, 9, Level::Fit);
        bench.pictures.want(want.clone());
        assert_eq!(bench.next().await, Some(AssetMsg::Encoded(want)));
    }

    #[tokio::test]
    async fn another_way_makes_what_was_begun_void() {
        let mut bench = Bench::new(Protocol::Kitty);
        let file = bench.file("a.png", 64, 64);
        let want = bench.want(&file, 1, Level::Fit);
        bench.pictures.want(want.clone());
        bench.pictures.shape(
            Shape { protocol: Protocol::Sixel, cell: CellSize::GUESS, quality: Quality::Full, tmux: false },
            None,
        );
        assert_eq!(bench.pictures.want(want.clone()), None, "and it can be wanted again at once");
        assert_eq!(bench.next().await, Some(AssetMsg::Encoded(want.clone())));
        let made = bench.pictures.gallery.peek(&picture_key(&want)).expect("there");
        assert_eq!(made.protocol(), Protocol::Sixel);
    }
}
