//! Files that are damaged, hostile, turned, or large.

use super::*;

fn sample(format: ImageFormat) -> Vec<u8> {
    let image = image::RgbImage::from_fn(40, 20, |x, y| image::Rgb([(x * 6) as u8, (y * 12) as u8, 90]));
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).expect("encodes");
    out.into_inner()
}

/// A PNG that is nothing but a header.
fn huge(width: u32, height: u32) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut crc = 0xffff_ffff_u32;
    for byte in &header {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
        }
    }
    out.extend(13_u32.to_be_bytes());
    out.extend(&header);
    out.extend((!crc).to_be_bytes());
    out.extend([0, 0, 0, 0]);
    out.extend(b"IDAT");
    out.extend([0x35, 0xaf, 0x06, 0x1e]);
    out
}

#[test]
fn formats_are_known_by_their_bytes() {
    for (format, kind) in [
        (ImageFormat::Png, Kind::Png),
        (ImageFormat::Jpeg, Kind::Jpeg),
        (ImageFormat::WebP, Kind::WebP),
        (ImageFormat::Gif, Kind::Gif),
    ] {
        let bytes = sample(format);
        assert_eq!(probe(&bytes), Some((kind, 40, 20)));
        let decoded = decode(&bytes).expect("decodes");
        assert_eq!((decoded.kind, decoded.size()), (kind, (40, 20)));
    }
    assert_eq!(probe(b"<html>"), None);
    assert_eq!(decode(b"").unwrap_err(), DecodeError::NotAPicture);
}

#[test]
fn pictures_stand_upright() {
    // Orientation 6: the picture is to be turned a quarter to the right.
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    let length = (exif.len() + 2) as u16;
    let mut bytes = sample(ImageFormat::Jpeg);
    let rest = bytes.split_off(2);
    bytes.extend([0xff, 0xe1]);
    bytes.extend(length.to_be_bytes());
    bytes.append(&mut exif);
    bytes.extend(rest);
    assert_eq!(probe(&bytes), Some((Kind::Jpeg, 20, 40)));
    let decoded = decode(&bytes).expect("decodes");
    assert_eq!(decoded.size(), (20, 40));
    // What was at the bottom left (blue-green, little red) is now at the top left.
    let pixel = decoded.pixels.to_rgb8().get_pixel(1, 1).0;
    assert!(pixel[0] < 40 && pixel[1] > 190, "{pixel:?}");
}

#[test]
fn bombs_are_refused_by_their_header() {
    for (width, height) in [(60_000, 60_000), (30_001, 1), (20_000, 20_000)] {
        let error = decode(&huge(width, height)).unwrap_err();
        assert_eq!(error, DecodeError::TooLarge(width, height));
        assert_eq!(error.to_string(), format!("too large to preview: {width}x{height}"));
    }
}

#[test]
fn damage_is_an_error_wherever_it_is() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif] {
        let bytes = sample(format);
        for cut in 0..bytes.len() {
            let _ = decode(&bytes[..cut]);
            let _ = probe(&bytes[..cut]);
        }
        for at in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[at] ^= 0x5a;
            let _ = decode(&bent);
        }
    }
}

#[test]
fn a_decoder_is_stopped_when_its_time_is_over() {
    let noise =
        image::RgbImage::from_fn(300, 300, |x, y| image::Rgb([(x * y) as u8, (x * 7 + y * 13) as u8, (x ^ y) as u8]));
    let mut png = Cursor::new(Vec::new());
    noise.write_to(&mut png, ImageFormat::Png).expect("encodes");
    let png = png.into_inner();
    assert!(png.len() > 4 * SIP);
    // It reads as it goes: after some sips there is no more.
    let asked = std::cell::Cell::new(0);
    let some = || {
        asked.set(asked.get() + 1);
        asked.get() < 6
    };
    assert_eq!(decode_while(&png, &some).unwrap_err(), DecodeError::TooSlow);
    assert!(decode_while(&png, &|| true).is_ok());
}

#[test]
fn a_file_that_takes_too_long_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.png");
    std::fs::write(&path, sample(ImageFormat::Png)).expect("writes");
    assert_eq!(decode_file_within(&path, Duration::ZERO).unwrap_err(), DecodeError::TooSlow);
    assert_eq!(decode_file(&path).expect("decodes").size(), (40, 20));
}

#[test]
fn a_jpeg_of_endless_scans_is_refused() {
    let mut jpeg = sample(ImageFormat::Jpeg);
    let many = 40 * 20;
    let end = jpeg.len() - 2;
    let scans = (MAX_SCANNED / many + 1) as usize;
    jpeg.splice(end..end, b"\xff\xda".repeat(scans));
    assert_eq!(decode(&jpeg).unwrap_err(), DecodeError::TooSlow);
}

#[test]
fn of_a_moving_picture_the_first_frame_is_seen() {
    use image::codecs::gif::GifEncoder;
    let mut gif = Vec::new();
    let mut encoder = GifEncoder::new(&mut gif);
    for shade in [[250, 10, 10], [10, 250, 10]] {
        let frame = image::RgbaImage::from_pixel(8, 8, image::Rgba([shade[0], shade[1], shade[2], 255]));
        encoder.encode_frame(image::Frame::new(frame)).expect("encodes");
    }
    drop(encoder);
    let decoded = decode(&gif).expect("decodes");
    let pixel = decoded.pixels.to_rgb8().get_pixel(4, 4).0;
    assert!(pixel[0] > 200 && pixel[1] < 60, "{pixel:?}");
}

#[test]
fn a_profile_in_the_file_is_honoured() {
    use image::ImageEncoder as _;
    let pixels = image::RgbImage::from_pixel(16, 16, image::Rgb([100, 150, 60]));
    let mut png = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut png);
    let wide = moxcms::ColorProfile::new_display_p3().encode().expect("encodes");
    encoder.set_icc_profile(wide).expect("takes a profile");
    encoder.write_image(&pixels, 16, 16, image::ExtendedColorType::Rgb8).expect("encodes");
    let pixel = decode(&png).expect("decodes").pixels.to_rgb8().get_pixel(3, 3).0;
    assert!(pixel[0] < 95 && pixel[2] < 55, "{pixel:?}");
}
