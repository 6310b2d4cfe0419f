//! Wishes for pictures: which come first, what they weigh, and what is said of those that cannot be shown.

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
    // Which of those that had begun ends last is nobody's promise.
    assert!(made.contains(&wants[49]) && made.iter().all(|want| [0, 1, 49].iter().any(|n| wants[*n] == *want)));
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
    bench
        .pictures
        .shape(Shape { protocol: Protocol::Sixel, cell: CellSize::GUESS, quality: Quality::Full, tmux: false }, None);
    assert_eq!(bench.pictures.want(want.clone()), None, "and it can be wanted again at once");
    assert_eq!(bench.next().await, Some(AssetMsg::Encoded(want.clone())));
    let made = bench.pictures.gallery.peek(&picture_key(&want)).expect("there");
    assert_eq!(made.protocol(), Protocol::Sixel);
}
