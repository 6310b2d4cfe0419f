//! From the words of a request ("16:9", "2K", "1536x1024", "720p") to a picture's size in pixels.

/// Sides of the square pictures of each tier.
const TIERS: &[(&str, f64)] = &[("1k", 1024.0), ("2k", 2048.0), ("4k", 4096.0)];
/// A little above the square of the largest tier: rounding to eights may add some pixels.
const MOST_PIXELS: f64 = 4112.0 * 4112.0;
const LONGEST: f64 = 12_000.0;

/// What a request says about size; everything may be missing.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Wish<'a> {
    pub(crate) shape: Option<&'a str>,
    pub(crate) size: Option<&'a str>,
    pub(crate) width: Option<u64>,
    pub(crate) height: Option<u64>,
    /// Size tier below which the scenario does not go.
    pub(crate) at_least: Option<&'a str>,
    /// Chooses the shape when the service may choose.
    pub(crate) chance: u64,
    /// Longest side allowed, for quick tests.
    pub(crate) longest: Option<u32>,
}

/// Width and height in pixels.
pub(crate) fn pixels(wish: &Wish<'_>) -> (u32, u32) {
    let (width, height) = exact(wish).unwrap_or_else(|| by_tier(wish));
    let too_many = (width * height / MOST_PIXELS).sqrt().max(1.0);
    let (width, height) = (width / too_many, height / too_many);
    let longest = wish.longest.map_or(LONGEST, f64::from).min(LONGEST);
    let too_long = (width.max(height) / longest).max(1.0);
    let side = |side: f64| (side / too_long).round().max(1.0) as u32;
    (side(width), side(height))
}

fn exact(wish: &Wish<'_>) -> Option<(f64, f64)> {
    if wish.at_least.is_some() {
        return None;
    }
    let by_fields = match (wish.width, wish.height) {
        (Some(width), Some(height)) if wish.shape.is_none_or(|shape| shape == "custom") => {
            Some((width as f64, height as f64))
        }
        _ => None,
    };
    by_fields
        .or_else(|| wish.shape.and_then(|text| pair(text, &['x', '*'])))
        .or_else(|| wish.size.and_then(|text| pair(text, &['x', '*'])))
}

fn by_tier(wish: &Wish<'_>) -> (f64, f64) {
    let ratio = [wish.shape, wish.size]
        .into_iter()
        .flatten()
        .find_map(|text| pair(text, &[':', 'x', '*']))
        .map(|(width, height)| width / height)
        .unwrap_or_else(|| {
            let own_choice = [1.0, 1.0, 4.0 / 3.0, 3.0 / 2.0, 3.0 / 4.0, 16.0 / 9.0];
            own_choice[(wish.chance % own_choice.len() as u64) as usize]
        });
    let size = wish.at_least.or(wish.size).unwrap_or("1K");
    if let Some(lines) = size.strip_suffix('p').and_then(|n| n.parse::<f64>().ok()) {
        // "720p" names the shorter side.
        let short = lines.clamp(16.0, 4096.0);
        return if ratio >= 1.0 { (eights(short * ratio), short) } else { (short, eights(short / ratio)) };
    }
    let tier = TIERS.iter().find(|(name, _)| size.eq_ignore_ascii_case(name));
    let side = tier.map_or(1024.0, |(_, side)| *side);
    (eights(side * ratio.sqrt()), eights(side / ratio.sqrt()))
}

/// Two positive numbers with one of these signs between them.
fn pair(text: &str, signs: &[char]) -> Option<(f64, f64)> {
    let (a, b) = text.split_once(signs)?;
    let number = |text: &str| text.trim().parse::<u32>().ok().filter(|n| *n > 0);
    Some((f64::from(number(a)?), f64::from(number(b)?)))
}

fn eights(side: f64) -> f64 {
    ((side / 8.0).round() * 8.0).max(8.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(shape: &str, size: &str) -> (u32, u32) {
        pixels(&Wish {
            shape: Some(shape).filter(|text| !text.is_empty()),
            size: Some(size).filter(|text| !text.is_empty()),
            ..Wish::default()
        })
    }

    #[test]
    fn tiers_go_by_area() {
        assert_eq!(of("1:1", "1K"), (1024, 1024));
        assert_eq!(of("16:9", ""), (1368, 768));
        assert_eq!(of("1:1", "2K"), (2048, 2048));
        assert_eq!(of("8:1", "1K"), (2896, 360));
        assert_eq!(of("16:9", "4k"), (5464, 3072));
    }

    #[test]
    fn exact_sizes_and_lines() {
        assert_eq!(of("1536x1024", ""), (1536, 1024));
        assert_eq!(of("", "2688*1536"), (2688, 1536));
        assert_eq!(of("16:9", "720p"), (1280, 720));
        assert_eq!(of("9:16", "1080p"), (1080, 1920));
        let custom = Wish { shape: Some("custom"), width: Some(300), height: Some(500), ..Wish::default() };
        assert_eq!(pixels(&custom), (300, 500));
    }

    #[test]
    fn nonsense_gives_some_picture_and_limits_hold() {
        for text in ["auto", "0:0", "x", "99999x99999", "1:0", "4294967295:1", "-1:2", "🦊"] {
            let (width, height) = of(text, text);
            assert!(width >= 1 && height >= 1, "{text}");
            assert!(f64::from(width) * f64::from(height) < MOST_PIXELS * 1.01, "{text}");
        }
        let small = Wish { shape: Some("16:9"), longest: Some(64), ..Wish::default() };
        assert_eq!(pixels(&small), (64, 36));
    }
}
