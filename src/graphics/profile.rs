//! Colour profiles: pixels of a picture that says what its colours mean become those of a screen, sRGB.

use image::DynamicImage;
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// Larger profiles are not looked at; those of cameras and printers have up to some megabytes.
const MOST: usize = 4 << 20;

/// Changes the pixels if the profile asks for it. A profile that is damaged or for other than red, green and blue
/// is passed over, as browsers do: the colours are then a little off, which is better than no picture.
pub(super) fn to_screen(pixels: &mut DynamicImage, profile: &[u8]) {
    if profile.is_empty() || profile.len() > MOST {
        return;
    }
    let Ok(from) = ColorProfile::new_from_slice(profile) else { return };
    if from.color_space != DataColorSpace::Rgb {
        return;
    }
    let (layout, raw): (Layout, &mut [u8]) = match pixels {
        DynamicImage::ImageRgb8(image) => (Layout::Rgb, image),
        DynamicImage::ImageRgba8(image) => (Layout::Rgba, image),
        _ => return,
    };
    let screen = ColorProfile::new_srgb();
    let Ok(transform) = from.create_transform_8bit(layout, &screen, layout, TransformOptions::default()) else {
        return;
    };
    // In pieces, so that there is no second copy of a large picture.
    let mut before = Vec::new();
    for piece in raw.chunks_mut(3 * 4 * 16_384) {
        before.clear();
        before.extend_from_slice(piece);
        if transform.transform(&before, piece).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    #[test]
    fn a_wide_colour_is_brought_to_the_screen() {
        let wide = ColorProfile::new_display_p3().encode().expect("encodes");
        let mut pixels = DynamicImage::ImageRgb8(RgbImage::from_pixel(300, 300, Rgb([100, 150, 60])));
        to_screen(&mut pixels, &wide);
        let seen = pixels.to_rgb8();
        // The same numbers mean a stronger green in the wider space.
        let [red, green, blue] = seen.get_pixel(299, 299).0;
        assert!(red < 95 && green >= 149 && blue < 55, "{red} {green} {blue}");
        assert_eq!(seen.get_pixel(0, 0), seen.get_pixel(299, 299));
        let mut clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(30, 30, Rgba([100, 150, 60, 7])));
        to_screen(&mut clear, &wide);
        assert_eq!(clear.to_rgba8().get_pixel(5, 5).0, [red, green, blue, 7]);
    }

    #[test]
    fn screens_and_damage_change_nothing() {
        let mut pixels =
            DynamicImage::ImageRgb8(RgbImage::from_fn(16, 16, |x, y| Rgb([x as u8 * 16, y as u8 * 16, 90])));
        let before = pixels.to_rgb8();
        let screen = ColorProfile::new_srgb().encode().expect("encodes");
        for profile in [&b""[..], b"not a profile", &screen[..screen.len() / 2], &vec![0; MOST + 1]] {
            to_screen(&mut pixels, profile);
        }
        assert_eq!(pixels.to_rgb8(), before);
        to_screen(&mut pixels, &screen);
        let apart = pixels.to_rgb8().iter().zip(before.iter()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(apart <= Some(1), "{apart:?}");
    }
}
