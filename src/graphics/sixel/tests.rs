//! Sixel pictures: what they look like, and what they cost.

use super::*;
use crate::graphics::{Protocol, Quality};

/// A small reader of sixel, apart from the writer: pixels by colour number.
fn read(data: &[u8], width: usize, height: usize) -> Vec<Option<[u8; 3]>> {
    let text = std::str::from_utf8(data).expect("ascii");
    let body = text.strip_prefix("\x1bP0;1q").expect("start");
    let body = body.strip_suffix("\x1b\\").expect("end");
    let mut colours = std::collections::HashMap::new();
    let mut pixels = vec![None; width * height];
    let (mut x, mut y, mut pen, mut count) = (0, 0, 0_usize, 1);
    let mut chars = body.chars().peekable();
    let number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
        let mut value = 0;
        while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
            value = value * 10 + digit as usize;
            chars.next();
        }
        value
    };
    while let Some(letter) = chars.next() {
        match letter {
            '"' => {
                while chars.peek().is_some_and(|c| c.is_ascii_digit() || *c == ';') {
                    chars.next();
                }
            }
            '#' => {
                pen = number(&mut chars);
                let mut parts = Vec::new();
                while chars.peek() == Some(&';') {
                    chars.next();
                    parts.push(number(&mut chars));
                }
                if let [2, r, g, b] = parts[..] {
                    let colour = [r, g, b].map(|part| (part * 255 / 100) as u8);
                    colours.insert(pen, colour);
                }
            }
            '!' => count = number(&mut chars),
            '$' => x = 0,
            '-' => (x, y) = (0, y + 6),
            mask => {
                for _ in 0..count {
                    for bit in 0..6 {
                        if (mask as u32 - 63) >> bit & 1 == 1 {
                            pixels[(y + bit) * width + x] = Some(colours[&pen]);
                        }
                    }
                    x += 1;
                }
                count = 1;
            }
        }
    }
    pixels
}

fn cut_for(cell: CellSize, (width, height): (u32, u32), tmux: Option<Backdrop>) -> Cut {
    let cells = Size::new(width.div_ceil(u32::from(cell.width)) as u16, height.div_ceil(u32::from(cell.height)) as u16);
    let shape = Shape { protocol: Protocol::Sixel, cell, quality: Quality::Full, tmux: tmux.is_some() };
    let fit = Fit { cells, width, height };
    let fit = if tmux.is_some() { whole_rows(fit, cell, Size::new(80, 80)) } else { fit };
    Cut::new(fit, &shape, tmux.unwrap_or_default())
}

#[test]
fn what_is_written_is_what_was_meant() {
    // Few colours, far apart: the palette is then exact, and only the rounding to hundredths is lost.
    let pixels = RgbImage::from_fn(90, 250, |x, y| {
        let red = (x / 30 * 100) as u8;
        let green = (y / 50 * 60) as u8;
        image::Rgb([red, green, ((x ^ y) & 0x10) as u8 * 8])
    });
    let strips = strips(&pixels, cut_for(CellSize::GUESS, (90, 250), None), RUNGS[0]).expect("encodes");
    assert_eq!(strips.iter().map(|s| s.rows).collect::<Vec<_>>(), [6, 6, 1]);
    assert_eq!(strips.iter().map(|s| s.row).collect::<Vec<_>>(), [0, 6, 12]);
    let mut worst = 0;
    for strip in &strips {
        let top = usize::from(strip.row) * 20;
        let height = (250 - top).min(120);
        for (at, seen) in read(&strip.data, 90, height).iter().enumerate() {
            let meant = pixels.get_pixel((at % 90) as u32, (top + at / 90) as u32);
            let seen = seen.expect("every pixel is set");
            for (a, b) in seen.iter().zip(meant.0) {
                worst = worst.max(a.abs_diff(b));
            }
        }
    }
    assert!(worst <= 4, "colours are off by {worst}");
}

/// Its size as it says itself.
fn size(strip: &Strip) -> (usize, usize) {
    let head = String::from_utf8_lossy(&strip.data[..40]).into_owned();
    let mut numbers = head.split(['#', ';']).skip(3).map_while(|number| number.parse().ok());
    (numbers.next().expect("a width"), numbers.next().expect("a height"))
}

#[test]
fn tmux_can_draw_strips_as_they_are() {
    let behind = [51, 102, 153];
    for (height, many) in (1..=40_u16).zip([90, 198, 402, 600, 1002].iter().cycle()) {
        let cell = CellSize { width: 10, height };
        // So few colours that one more or less is no matter.
        let pixels = RgbImage::from_fn(9, *many, |_, y| image::Rgb([(y % 7 * 36) as u8, (y / 7 % 7 * 36) as u8, 0]));
        let plain = strips(&pixels, cut_for(cell, (9, *many), None), RUNGS[0]).expect("encodes");
        let plain: Vec<_> = plain.iter().flat_map(|strip| read(&strip.data, 9, size(strip).1)).collect();
        for back in [Backdrop::Colour(behind), Backdrop::Checker] {
            let cut = cut_for(cell, (9, *many), Some(back));
            let made = strips(&pixels, cut, RUNGS[0]).expect("encodes");
            assert!(made.len() <= TMUX_STRIPS);
            let mut rows = vec![None; cut.cells];
            for strip in &made {
                let (wide, high) = size(strip);
                assert_eq!((wide, high % BAND, high), (10, 0, usize::from(strip.rows * height)), "whole in both");
                let seen = read(&strip.data, wide, high);
                for (line, seen) in seen.chunks(10).enumerate() {
                    let at = usize::from(strip.row * height) + line;
                    let beside = match back {
                        Backdrop::Colour(_) => Some(behind),
                        Backdrop::Checker => None,
                    };
                    let below = [beside; 9];
                    let meant = plain.get(at * 9..at * 9 + 9).unwrap_or(&below);
                    assert!(seen[..9] == *meant && seen[9] == beside, "line {at}, cells {height}, {many} in all");
                }
                rows[usize::from(strip.row)..usize::from(strip.row + strip.rows)].fill(Some(()));
            }
            assert!(rows.iter().all(Option::is_some), "no row is left out");
        }
    }
}

#[test]
fn a_low_picture_in_tmux_gets_rows_that_are_whole_bands() {
    let low = Fit { cells: Size::new(30, 2), width: 300, height: 30 };
    let rows = |height, room| whole_rows(low, CellSize { width: 10, height }, Size::new(80, room)).cells.height;
    assert_eq!([rows(19, 40), rows(20, 40), rows(24, 40), rows(19, 4)], [6, 3, 2, 4]);
    // In a room too low for that: still whole bands, so that it is not taken for a row more.
    let fit = Fit { cells: Size::new(3, 4), width: 30, height: 76 };
    let cut =
        Cut { cells: 4, rows: 4, ..cut_for(CellSize { width: 10, height: 19 }, (30, 76), Some(Backdrop::Checker)) };
    let made = strips(&RgbImage::new(fit.width, fit.height), cut, RUNGS[5]).expect("encodes");
    assert_eq!((made.len(), made[0].rows, size(&made[0])), (1, 4, (30, 72)));
}

#[test]
fn a_first_look_in_tmux_is_painted_to_its_edges() {
    let image = image::DynamicImage::ImageRgb8(RgbImage::from_fn(130, 266, |x, y| image::Rgb([x as u8, y as u8, 7])));
    let part = super::super::view::Crop { x: 0, y: 0, width: 130, height: 266 };
    let behind = Backdrop::Colour([51, 102, 153]);
    let source = Source { pixels: &image, part, behind };
    let (cell, fit) = (CellSize { width: 9, height: 19 }, Fit { cells: Size::new(15, 14), width: 130, height: 264 });
    let made = rough(&source, fit, cut_for(cell, (130, 264), Some(behind)), FIRST_BYTES).expect("encodes");
    assert_eq!(made.iter().map(|strip| (strip.row, strip.rows)).collect::<Vec<_>>(), [(0, 6), (6, 6), (8, 6)]);
    for strip in &made {
        assert_eq!(size(strip), (135, 114));
        let seen = read(&strip.data, 135, 114);
        assert!(seen.iter().all(Option::is_some));
        for (at, seen) in seen.iter().enumerate() {
            let beside = at % 135 >= 130 || usize::from(strip.row) * 19 + at / 135 >= 264;
            assert_eq!(*seen == Some([51, 102, 153]), beside, "{at}");
        }
    }
}

#[test]
fn strips_are_whole_bands() {
    for height in 1..=40 {
        let cell = CellSize { width: 10, height };
        let fit = Fit { cells: Size::new(30, 20), width: 300, height: u32::from(height) * 20 - 1 };
        let fit = whole_bands(fit, cell);
        assert!(fit.height.is_multiple_of(6));
        let pixels = RgbImage::new(6, fit.height);
        let strips = strips(&pixels, cut_for(cell, (6, fit.height), None), RUNGS[5]).expect("encodes");
        assert_eq!(strips.iter().map(|strip| strip.rows).sum::<u16>(), fit.cells.height);
    }
}
