//! What a terminal would show of an encoded picture, and how far that is from what was meant. Readers of their own.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::imageops::FilterType;
use image::{DynamicImage, RgbImage};
use plantain::graphics::{Body, Picture};

/// Decibels between two pictures of one size.
pub fn psnr(a: &RgbImage, b: &RgbImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let sum: f64 = a.iter().zip(b.iter()).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 / (sum / a.as_raw().len() as f64).max(1e-9)).log10()
}

/// The picture as it stands on the screen, `width` x `height` pixels.
pub fn seen(picture: &Picture, width: u32, height: u32) -> RgbImage {
    let small = match &picture.body {
        Body::Kitty(png) | Body::KittyDirect(png) => image::load_from_memory(png).expect("a PNG").into_rgb8(),
        Body::Iterm2(sequence) => iterm2(sequence),
        Body::Sixel(strips) => {
            let mut screen = RgbImage::new(width, height);
            let mut top = 0;
            for strip in strips {
                top += sixel(&strip.data, &mut screen, top);
            }
            return screen;
        }
        Body::Blocks(_) => panic!("half blocks are text"),
    };
    // What terminals do.
    if small.dimensions() == (width, height) { small } else { scaled(&small, width, height, FilterType::Triangle) }
}

/// Scaled by the library's own code, which is optimised in tests too.
pub fn scaled(pixels: &RgbImage, width: u32, height: u32, filter: FilterType) -> RgbImage {
    DynamicImage::ImageRgb8(pixels.clone()).resize_exact(width, height, filter).into_rgb8()
}

/// The file in an iTerm2 sequence.
pub fn iterm2(sequence: &[u8]) -> RgbImage {
    let text = std::str::from_utf8(sequence).expect("ascii");
    let data = text.rsplit_once(':').expect("a colon").1.trim_end_matches(['\u{7}', '\u{1b}', '\\']);
    image::load_from_memory(&STANDARD.decode(data).expect("base64")).expect("a picture").into_rgb8()
}

/// Draws a sixel sequence from `top` on; answers its height in pixels.
pub fn sixel(data: &[u8], screen: &mut RgbImage, top: u32) -> u32 {
    let text = std::str::from_utf8(data).expect("ascii");
    let body = &text[text.find('q').expect("a start") + 1..text.rfind('\u{1b}').expect("an end")];
    let mut at = 0;
    let bytes = body.as_bytes();
    let numbers = |at: &mut usize| -> Vec<u32> {
        let from = *at;
        while *at < bytes.len() && (bytes[*at].is_ascii_digit() || bytes[*at] == b';') {
            *at += 1;
        }
        body[from..*at].split(';').filter_map(|number| number.parse().ok()).collect()
    };
    let mut colours = HashMap::new();
    let (mut pen, mut x, mut y, mut count, mut high) = (image::Rgb([0; 3]), 0, top, 1, 0);
    while at < bytes.len() {
        let letter = bytes[at];
        at += 1;
        match letter {
            b'"' => high = numbers(&mut at)[3],
            b'#' => match numbers(&mut at)[..] {
                [number, 2, r, g, b] => {
                    colours.insert(number, image::Rgb([r, g, b].map(|part| ((part * 255 + 50) / 100) as u8)));
                }
                [number] => pen = colours[&number],
                ref other => panic!("{other:?}"),
            },
            b'!' => count = numbers(&mut at)[0],
            b'$' => x = 0,
            b'-' => (x, y) = (0, y + 6),
            b'?'..=b'~' => {
                for column in x..x + count {
                    for row in (0..6).filter(|row| (letter - b'?') >> row & 1 == 1) {
                        screen.put_pixel(column, y + row, pen);
                    }
                }
                x += count;
                count = 1;
            }
            _ => {}
        }
    }
    high
}
