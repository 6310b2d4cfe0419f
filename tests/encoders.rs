//! Byte budgets and looks of encoded pictures: a photo with grain and a flat illustration, 1024x1024 pixels in
//! 80x40 cells of 10x20. `cargo bench --bench pictures` prints the same figures and more.

use std::sync::{Arc, LazyLock};

use image::imageops::FilterType;
use image::{DynamicImage, RgbImage};
use kit::{eye, photo};
use plantain::graphics::{
    Ask, Body, CellSize, Decoded, Kind, Picture, PictureKey, Protocol, Purpose, Quality, Shape, Stage, encode,
    encode_for, place, shorten, show,
};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

const ROOM: Size = Size::new(80, 40);

static PHOTO: LazyLock<Decoded> = LazyLock::new(|| decoded(photo::photo()));
static FLAT: LazyLock<Decoded> = LazyLock::new(|| decoded(photo::illustration()));

fn decoded(pixels: RgbImage) -> Decoded {
    Decoded { kind: Kind::Png, pixels: DynamicImage::ImageRgb8(pixels) }
}

fn key() -> PictureKey {
    PictureKey { asset: "photo".into(), cells: ROOM }
}

fn shape(protocol: Protocol) -> Shape {
    Shape { protocol, cell: CellSize::GUESS, quality: Quality::Full, tmux: false }
}

fn made(image: &Decoded, protocol: Protocol, ask: &Ask) -> Picture {
    encode_for(image, key(), &shape(protocol), ask).expect("encodes")
}

fn looks(image: &Decoded, picture: &Picture) -> f64 {
    // Sixel has whole bands only.
    let high = if picture.protocol() == Protocol::Sixel { 798 } else { 800 };
    let exact = image.pixels.resize_exact(800, high, FilterType::Lanczos3).into_rgb8();
    eye::psnr(&eye::seen(picture, 800, high), &exact)
}

fn within(image: &Decoded, protocol: Protocol, budget: usize, decibels: f64) {
    let picture = made(image, protocol, &Ask { budget: Some(budget), ..Ask::default() });
    let looks = looks(image, &picture);
    assert!(picture.wire() <= budget, "{protocol:?}: {} of {budget} bytes", picture.wire());
    assert!(looks >= decibels, "{protocol:?}: {looks:.1} dB in {} bytes", picture.wire());
    assert_eq!(picture.cells, ROOM);
}

#[test]
fn kitty_full_pictures_are_small_and_close() {
    within(&PHOTO, Protocol::Kitty, 400_000, 35.0);
    within(&FLAT, Protocol::Kitty, 60_000, 38.0);
}

#[test]
fn iterm2_full_pictures_are_small_and_close() {
    within(&PHOTO, Protocol::Iterm2, 115_000, 35.0);
}

#[test]
fn sixel_full_pictures_are_small_and_close() {
    within(&PHOTO, Protocol::Sixel, 440_000, 32.0);
    within(&PHOTO, Protocol::Sixel, 730_000, 35.0);
    within(&FLAT, Protocol::Sixel, 85_000, 38.0);
}

#[test]
fn a_lean_line_gets_the_same_without_being_measured() {
    for (protocol, most) in [(Protocol::Kitty, 440_000), (Protocol::Iterm2, 115_000)] {
        let picture = encode(&PHOTO, key(), &Shape { quality: Quality::Lean, ..shape(protocol) }).expect("encodes");
        assert!(picture.wire() <= most, "{protocol:?} {}", picture.wire());
    }
}

#[test]
fn first_looks_are_there_at_once() {
    for (protocol, most, decibels) in
        [(Protocol::Kitty, 12_000, 26.0), (Protocol::Iterm2, 8_000, 26.0), (Protocol::Sixel, 30_000, 24.0)]
    {
        let ask = Ask { purpose: Purpose::FirstLook, ..Ask::default() };
        let first = made(&PHOTO, protocol, &ask);
        assert!(first.wire() <= most, "{protocol:?} {}", first.wire());
        assert!(looks(&PHOTO, &first) >= decibels, "{protocol:?} {}", looks(&PHOTO, &first));
        assert_eq!((first.cells, first.purpose), (ROOM, Purpose::FirstLook));
        let lower = made(&PHOTO, protocol, &Ask { budget: Some(most / 3), ..ask });
        assert!(lower.wire() <= most / 3, "{protocol:?} {}", lower.wire());
    }
}

#[test]
fn every_budget_is_held_and_more_of_it_looks_better() {
    for protocol in [Protocol::Kitty, Protocol::Iterm2, Protocol::Sixel] {
        let mut before = 0.0;
        for budget in [8_000, 64_000] {
            let picture = made(&PHOTO, protocol, &Ask { budget: Some(budget), ..Ask::default() });
            assert!(picture.wire() <= budget, "{protocol:?}: {} of {budget}", picture.wire());
            let looks = looks(&PHOTO, &picture);
            assert!(looks > before, "{protocol:?}, {budget}: {looks} after {before}");
            before = looks;
        }
    }
}

#[test]
fn the_same_question_gets_the_same_bytes() {
    for protocol in [Protocol::Kitty, Protocol::Iterm2, Protocol::Sixel, Protocol::Blocks] {
        let ask = Ask { budget: Some(20_000), ..Ask::default() };
        let (one, two) = (made(&FLAT, protocol, &ask), made(&FLAT, protocol, &ask));
        let same = match (&one.body, &two.body) {
            (Body::Kitty(a), Body::Kitty(b)) | (Body::Iterm2(a), Body::Iterm2(b)) => a == b,
            (Body::Sixel(a), Body::Sixel(b)) => a.iter().zip(b).all(|(a, b)| a.data == b.data),
            (Body::Blocks(a), Body::Blocks(b)) => a == b,
            _ => false,
        };
        assert!(same && one.id == two.id, "{protocol:?}");
    }
}

#[test]
fn a_closer_look_costs_no_more() {
    let stage = Stage { picture: PHOTO.size(), room: ROOM, cell: CellSize::GUESS };
    let mut view = stage.fit();
    let mut ids = Vec::new();
    for step in 0..3 {
        let ask = Ask { budget: Some(60_000), view: Some(view), ..Ask::default() };
        let picture = made(&PHOTO, Protocol::Kitty, &ask);
        assert!(picture.wire() <= 60_000, "step {step}: {}", picture.wire());
        assert_eq!(picture.cells, ROOM, "step {step}");
        ids.push(picture.id);
        view = stage.zoomed(&view, 2);
    }
    ids.dedup();
    assert_eq!(ids.len(), 3, "each has a name of its own");
}

#[test]
fn a_part_of_a_picture_is_that_part() {
    let stage = Stage { picture: FLAT.size(), room: ROOM, cell: CellSize::GUESS };
    let view = stage.at(1.0, (400.0, 400.0));
    let exact = image::imageops::crop_imm(&FLAT.pixels.to_rgb8(), 0, 0, 800, 800).to_image();
    let ask = Ask { view: Some(view), ..Ask::default() };
    let picture = made(&FLAT, Protocol::Kitty, &ask);
    assert!(eye::psnr(&eye::seen(&picture, 800, 800), &exact) > 60.0, "at 100 % nothing is lost");
}

#[test]
fn showing_again_is_nearly_free() {
    let ask = Ask { purpose: Purpose::FirstLook, ..Ask::default() };
    let picture = Arc::new(made(&FLAT, Protocol::Kitty, &ask));
    let area = Rect::new(0, 0, 80, 40);
    let mut buffer = Buffer::empty(area);
    place(&picture, area, &mut buffer).expect("fits");
    shorten(&mut buffer);
    // With a move to each row and the colour once a row.
    let bytes: usize = buffer.content.iter().map(|cell| cell.symbol().len()).sum();
    assert!(bytes + 40 * (8 + 19) <= 14_100, "{bytes}");
    assert!(show(picture.id, 1, picture.cells, None).len() <= 200);
}
