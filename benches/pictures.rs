//! What a picture costs on the line, how close it comes to its source, and what encoding it takes; beside it what
//! ratatui-image sends for the same cells.
//!
//! `cargo bench --bench pictures`

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, RgbImage};
use kit::{eye, photo};
use plantain::graphics::{
    Ask, CellSize, Decoded, Kind, Picture, PictureKey, Protocol, Purpose, Quality, Shape, Stage, decode, encode_for,
    show,
};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::widgets::Widget as _;
use ratatui_image::picker::{Picker, ProtocolType};
use ratatui_image::{FilterType, Image, Resize};

const ROOM: Size = Size::new(80, 40);
const PIXELS: u32 = 800;

/// This thread's processor time, ms.
fn now() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call only writes to `time`.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

/// The middle of five.
fn timed<T>(mut work: impl FnMut() -> T) -> (T, f64) {
    let mut last = None;
    let mut times: Vec<f64> = (0..5)
        .map(|_| {
            let start = now();
            last = Some(work());
            now() - start
        })
        .collect();
    times.sort_by(f64::total_cmp);
    (last.expect("five rounds"), times[2])
}

struct Case {
    image: Decoded,
    exact: RgbImage,
    banded: RgbImage,
}

impl Case {
    fn new(pixels: RgbImage) -> Self {
        let exact = lanczos(&pixels, PIXELS);
        let banded = lanczos(&pixels, PIXELS / 6 * 6);
        Self { banded, exact, image: Decoded { kind: Kind::Png, pixels: DynamicImage::ImageRgb8(pixels) } }
    }

    fn encode(&self, protocol: Protocol, ask: &Ask) -> Picture {
        let key = PictureKey { asset: "bench".into(), cells: ROOM };
        let shape = Shape { protocol, cell: CellSize::GUESS, quality: Quality::Full, tmux: false };
        encode_for(&self.image, key, &shape, ask).expect("encodes")
    }

    fn row(&self, name: &str, protocol: Protocol, budget: Option<usize>, purpose: Purpose) {
        let ask = Ask { budget, purpose, ..Ask::default() };
        let (picture, ms) = timed(|| self.encode(protocol, &ask));
        line(name, picture.wire(), self.looks(&picture), ms);
        if let Some(budget) = budget {
            assert!(picture.wire() <= budget, "{name}: over its budget");
        }
    }

    /// Decibels. Sixel has a few pixel rows less: whole bands.
    fn looks(&self, picture: &Picture) -> f64 {
        if picture.protocol() == Protocol::Sixel {
            eye::psnr(&eye::seen(picture, PIXELS, PIXELS / 6 * 6), &self.banded)
        } else {
            eye::psnr(&eye::seen(picture, PIXELS, PIXELS), &self.exact)
        }
    }

    fn theirs(&self, name: &str, kind: ProtocolType) {
        #[allow(deprecated)]
        let mut picker = Picker::from_fontsize(ratatui_image::FontSize::new(10, 20));
        picker.set_protocol_type(kind);
        let (buffer, ms) = timed(|| {
            let fit = Resize::Fit(Some(FilterType::CatmullRom));
            let protocol = picker.new_protocol(self.image.pixels.clone(), ROOM, fit).expect("encodes");
            let area = Rect::new(0, 0, ROOM.width, ROOM.height);
            let mut buffer = Buffer::empty(area);
            Image::new(&protocol).render(area, &mut buffer);
            buffer
        });
        let text: String = buffer.content.iter().map(|cell| cell.symbol()).collect();
        let seen = match kind {
            ProtocolType::Kitty => kitty_raw(&text),
            ProtocolType::Iterm2 => Some(eye::iterm2(
                text[text.find("]1337").unwrap_or(0)..].split('\u{7}').next().unwrap_or("").as_bytes(),
            )),
            ProtocolType::Sixel => {
                let start = text.find("\u{1b}P").expect("sixel");
                let end = start + text[start..].find("\u{1b}\\").expect("its end") + 2;
                let mut screen = RgbImage::new(PIXELS + 60, PIXELS + 60);
                eye::sixel(&text.as_bytes()[start..end], &mut screen, 0);
                Some(image::imageops::crop_imm(&screen, 0, 0, PIXELS, PIXELS).to_image())
            }
            ProtocolType::Halfblocks => None,
        };
        let psnr = seen
            .filter(|seen| seen.dimensions() == self.exact.dimensions())
            .map_or(f64::NAN, |seen| eye::psnr(&seen, &self.exact));
        line(name, text.len(), psnr, ms);
    }
}

fn kitty_raw(text: &str) -> Option<RgbImage> {
    let chunks = text.split("\u{1b}_G").skip(1).filter_map(|part| part.split_once(';')?.1.split('\u{1b}').next());
    let data: Vec<u8> = chunks.flat_map(|chunk| STANDARD.decode(chunk).unwrap_or_default()).collect();
    let side = PIXELS;
    let rgba = image::RgbaImage::from_raw(side, side, data)?;
    Some(DynamicImage::ImageRgba8(rgba).into_rgb8())
}

fn lanczos(pixels: &RgbImage, high: u32) -> RgbImage {
    eye::scaled(pixels, PIXELS, high, image::imageops::FilterType::Lanczos3)
}

fn line(name: &str, bytes: usize, psnr: f64, ms: f64) {
    let text = bytes.to_string();
    let parts: Vec<&str> =
        text.as_bytes().rchunks(3).rev().map(|part| std::str::from_utf8(part).unwrap_or("")).collect();
    println!("| {name:44} | {:>9} | {psnr:5.1} | {ms:5.0} |", parts.join(","));
}

fn head(title: &str) {
    println!("\n{title}\n\n| {:44} | {:>9} | {:>5} | {:>5} |\n| --- | ---: | ---: | ---: |", "", "bytes", "dB", "ms");
}

fn main() {
    println!(
        "1024x1024 pixels in 80x40 cells of 10x20; bytes after base64, without placeholders; processor time of encode and resize"
    );
    let photo = Case::new(photo::photo());
    let flat = Case::new(photo::illustration());
    use Purpose::{FirstLook, Full};
    for (title, case) in [("A photo with grain", &photo), ("An illustration, flat shapes", &flat)] {
        head(title);
        case.theirs("ratatui-image, kitty", ProtocolType::Kitty);
        case.row("kitty, no budget", Protocol::Kitty, None, Full);
        for budget in [640_000, 400_000, 200_000, 64_000, 16_000] {
            case.row(&format!("kitty, budget {budget}"), Protocol::Kitty, Some(budget), Full);
        }
        case.row("kitty, first look", Protocol::Kitty, None, FirstLook);
        case.theirs("ratatui-image, iTerm2", ProtocolType::Iterm2);
        case.row("iTerm2, no budget", Protocol::Iterm2, None, Full);
        for budget in [115_000, 64_000, 16_000] {
            case.row(&format!("iTerm2, budget {budget}"), Protocol::Iterm2, Some(budget), Full);
        }
        case.row("iTerm2, first look", Protocol::Iterm2, None, FirstLook);
        case.theirs("ratatui-image, sixel", ProtocolType::Sixel);
        case.row("sixel, no budget", Protocol::Sixel, None, Full);
        for budget in [730_000, 560_000, 440_000, 350_000, 200_000, 64_000] {
            case.row(&format!("sixel, budget {budget}"), Protocol::Sixel, Some(budget), Full);
        }
        case.row("sixel, first look", Protocol::Sixel, None, FirstLook);
    }
    shown_again(&photo);
    closer(&photo);
    decoding(&photo);
}

fn shown_again(case: &Case) {
    let picture =
        std::sync::Arc::new(case.encode(Protocol::Kitty, &Ask { purpose: Purpose::FirstLook, ..Ask::default() }));
    let area = Rect::new(0, 0, ROOM.width, ROOM.height);
    let mut buffer = Buffer::empty(area);
    plantain::graphics::place(&picture, area, &mut buffer);
    let bytes = |buffer: &Buffer| buffer.content.iter().map(|cell| cell.symbol().len()).sum::<usize>();
    let long = bytes(&buffer);
    plantain::graphics::shorten(&mut buffer);
    println!(
        "\nShown again by kitty: {long} bytes of placeholders, shortened {}, placed directly {}",
        bytes(&buffer),
        show(picture.id, 1, picture.cells, None).len()
    );
}

fn closer(case: &Case) {
    let big = eye::scaled(&case.image.pixels.to_rgb8(), 3840, 3840, image::imageops::FilterType::Triangle);
    let big = Decoded { kind: Kind::Png, pixels: DynamicImage::ImageRgb8(big) };
    let stage = Stage { picture: big.size(), room: ROOM, cell: CellSize::GUESS };
    println!("\nA closer look at 3840x3840 pixels, kitty, budget 200000: bytes, ms");
    let mut view = stage.fit();
    for _ in 0..7 {
        let key = PictureKey { asset: "bench".into(), cells: ROOM };
        let shape = Shape { protocol: Protocol::Kitty, cell: CellSize::GUESS, quality: Quality::Full, tmux: false };
        let ask = Ask { budget: Some(200_000), view: Some(view), ..Ask::default() };
        let (picture, ms) = timed(|| encode_for(&big, key.clone(), &shape, &ask).expect("encodes"));
        println!("{:5.0} %: {:7} {ms:4.0}", view.scale * 100.0, picture.wire());
        view = stage.zoomed(&view, 1);
    }
}

fn decoding(case: &Case) {
    println!("\nDecoding, ms");
    for format in [image::ImageFormat::Png, image::ImageFormat::Jpeg, image::ImageFormat::WebP] {
        let mut file = std::io::Cursor::new(Vec::new());
        case.image.pixels.write_to(&mut file, format).expect("encodes");
        let file = file.into_inner();
        let (decoded, ms) = timed(|| decode(&file).expect("decodes"));
        println!("{:5} {:9} bytes {ms:4.0}", decoded.kind.to_string(), file.len());
    }
}
