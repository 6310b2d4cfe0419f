//! Two pictures made here: a photo with grain, and an illustration of flat shapes.

use image::{Rgb, RgbImage};

/// Side of both.
pub const SIDE: u32 = 1024;

/// Hills under a cloudy sky, a red thing in front, texture and film grain everywhere. Chosen so that the usual senders
/// need for it what they need for a real photo with grain.
pub fn photo() -> RgbImage {
    let scale = f64::from(SIDE);
    RgbImage::from_fn(SIDE, SIDE, |px, py| {
        let (x, y) = (f64::from(px) / scale, f64::from(py) / scale);
        let horizon = 0.45 + 0.15 * (cloud(x * 3.0, 0.5, 20, 5) - 0.5);
        let near = 0.7 + 0.2 * (cloud(x * 2.0, 3.5, 40, 6) - 0.5);
        let mut colour = if y < horizon {
            let high = y / horizon;
            let white = ((cloud(x * 4.0, y * 6.0, 1, 6) - 0.42) * 4.0).clamp(0.0, 1.0);
            [
                90.0 + 60.0 * high + white * 110.0 * (1.0 - 0.2 * high),
                130.0 + 50.0 * high + white * 70.0,
                200.0 + 10.0 * high + white * 30.0,
            ]
        } else if y < near {
            let leaf = cloud(x * 20.0, y * 30.0, 60, 6);
            [60.0 + 70.0 * leaf + 30.0 * x, 70.0 + 90.0 * leaf, 50.0 + 40.0 * leaf + 40.0 * (1.0 - y)]
        } else {
            let grass = cloud(x * 30.0, y * 50.0, 80, 7);
            let dry = cloud(x * 8.0, y * 8.0, 90, 4);
            [50.0 + 150.0 * grass * dry, 50.0 + 120.0 * grass * (1.0 - dry * 0.4), 20.0 + 60.0 * grass]
        };
        let far = (x - 0.72).hypot(y - 0.6);
        if far < 0.16 {
            let light = 1.0 - far / 0.16;
            let skin = 30.0 * (cloud(x * 40.0, y * 40.0, 70, 5) - 0.5);
            colour = [150.0 + 90.0 * light + skin, 60.0 + 60.0 * light + skin, 40.0 + 30.0 * light + skin];
        }
        for (channel, part) in colour.iter_mut().enumerate() {
            *part += 60.0 * (cloud(x * 2.5, y * 2.5, 200 + 20 * channel as u32, 3) - 0.44);
        }
        let texture = (cloud(x * 100.0, y * 100.0, 300, 3) - 0.44) * 100.0;
        let luma = grain(px, py, 0) * 4.5 + texture;
        let mut channel = 0;
        Rgb(colour.map(|part| {
            channel += 1;
            (part + luma + grain(px, py, channel) * 1.1).clamp(0.0, 255.0) as u8
        }))
    })
}

/// Five shaded discs on a gradient, their edges smooth.
pub fn illustration() -> RgbImage {
    let scale = f64::from(SIDE);
    const DISCS: [(f64, f64, f64, [f64; 3]); 5] = [
        (0.3, 0.35, 0.2, [230.0, 90.0, 70.0]),
        (0.65, 0.3, 0.15, [60.0, 120.0, 200.0]),
        (0.5, 0.7, 0.25, [70.0, 160.0, 110.0]),
        (0.8, 0.75, 0.12, [250.0, 200.0, 60.0]),
        (0.2, 0.8, 0.1, [120.0, 70.0, 150.0]),
    ];
    RgbImage::from_fn(SIDE, SIDE, |px, py| {
        let (x, y) = (f64::from(px) / scale, f64::from(py) / scale);
        let mut colour = [250.0 - 40.0 * y, 225.0 - 60.0 * y, 190.0 + 30.0 * y];
        for (left, top, radius, own) in DISCS {
            let inside = ((radius - (x - left).hypot(y - top)) * scale + 0.5).clamp(0.0, 1.0);
            let shade = 1.0 - 0.25 * (y - top + radius) / (2.0 * radius);
            for (part, own) in colour.iter_mut().zip(own) {
                *part = *part * (1.0 - inside) + own * shade * inside;
            }
        }
        Rgb(colour.map(|part| part.clamp(0.0, 255.0) as u8))
    })
}

/// 0 to 1, always the same for the same place.
fn hash(x: u32, y: u32, seed: u32) -> f64 {
    let mut h = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ seed.wrapping_mul(0xc2b2_ae3d);
    h ^= h >> 15;
    h = h.wrapping_mul(0x2c1b_3c6d);
    h ^= h >> 12;
    h = h.wrapping_mul(0x297a_2d39);
    h ^= h >> 15;
    f64::from(h) / 4_294_967_296.0
}

/// About a normal distribution with deviation 1.
fn grain(x: u32, y: u32, channel: u32) -> f64 {
    let sum: f64 = (0..4).map(|part| hash(x, y, 1000 + channel * 7 + part)).sum();
    (sum - 2.0) * 1.732
}

fn smooth(x: f64, y: f64, seed: u32) -> f64 {
    let (left, top) = (x.floor(), y.floor());
    let ease = |t: f64| t * t * (3.0 - 2.0 * t);
    let (u, v) = (ease(x - left), ease(y - top));
    let (left, top) = (left as u32, top as u32);
    let above = hash(left, top, seed) * (1.0 - u) + hash(left + 1, top, seed) * u;
    let below = hash(left, top + 1, seed) * (1.0 - u) + hash(left + 1, top + 1, seed) * u;
    above * (1.0 - v) + below * v
}

/// Noise of several sizes, each half as strong as the one before.
fn cloud(x: f64, y: f64, seed: u32, sizes: u32) -> f64 {
    let (mut sum, mut strength, mut scale) = (0.0, 0.5, 1.0);
    for size in 0..sizes {
        sum += strength * smooth(x * scale, y * scale, seed + size);
        strength *= 0.5;
        scale *= 2.0;
    }
    sum
}
