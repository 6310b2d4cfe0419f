//! Amounts of money, and how old a list of prices is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Wall;

const MICRO: f64 = 1e6;
const DAY_MS: i64 = 86_400_000;

/// An amount in millionths of a US dollar. Sums saturate instead of wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Usd(pub i64);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The nearest amount; what is no number, negative or beyond all sense is none.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, reason = "checked before")]
    pub fn new(usd: f64) -> Option<Self> {
        let micro = (usd * MICRO).round();
        (0.0..1e18).contains(&micro).then_some(Self(micro as i64))
    }

    /// From what a person types: `2.50`, with or without a dollar sign.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.trim().trim_start_matches('$').parse().ok().and_then(Self::new)
    }

    /// As a floating number of dollars, for showing and for JSON.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "exact below nine thousand million dollars")]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / MICRO
    }

    /// So many times it.
    #[must_use]
    pub fn times(self, count: u128) -> Self {
        Self(self.0.saturating_mul(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Without the other; never below nothing.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(0))
    }
}

/// `$1.20`; small amounts to as many places as they have.
impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, mut rest) = (self.0.unsigned_abs() / 1_000_000, self.0.unsigned_abs() % 1_000_000);
        let sign = if self.0 < 0 { "-" } else { "" };
        if let Some(places) = f.precision().filter(|places| *places <= 2) {
            let cents = (self.0.unsigned_abs() + 5000) / 10_000;
            return match places {
                2 => write!(f, "{sign}${}.{:02}", cents / 100, cents % 100),
                _ => write!(f, "{sign}${}", (cents + 50) / 100),
            };
        }
        let mut places = 6;
        while places > 2 && rest % 10 == 0 {
            rest /= 10;
            places -= 1;
        }
        write!(f, "{sign}${whole}.{rest:0places$}")
    }
}

impl PartialEq<f64> for Usd {
    fn eq(&self, other: &f64) -> bool {
        self.partial_cmp(other) == Some(std::cmp::Ordering::Equal)
    }
}

impl PartialOrd<f64> for Usd {
    fn partial_cmp(&self, other: &f64) -> Option<std::cmp::Ordering> {
        self.dollars().partial_cmp(other)
    }
}

/// What is spent so far: estimates of what was sent and not surely refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Of those whose price is known.
    pub usd: Usd,
    /// How many have a price that nobody knows.
    pub unknown: u64,
}

/// How long ago a price was seen, in words: `12 days ago`; the date as it stands where it is not a whole one.
#[must_use]
pub fn seen(date: &str, now: Wall) -> String {
    match days_ago(date, now) {
        None => format!("in {date}"),
        Some(i64::MIN..=0) => "today".to_owned(),
        Some(1) => "yesterday".to_owned(),
        Some(days @ 2..=89) => format!("{days} days ago"),
        Some(days) => format!("{} months ago", days / 30),
    }
}

/// Whole days since a date `2026-10-05`, by UTC.
#[must_use]
pub fn days_ago(date: &str, now: Wall) -> Option<i64> {
    let mut parts = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let sound = (1970..10_000).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    sound.then(|| now.0.div_euclid(DAY_MS) - days(year, month, day))
}

/// The date of a moment, by UTC.
#[must_use]
pub fn date(now: Wall) -> String {
    let (mut left, mut year) = (now.0.div_euclid(DAY_MS).max(0), 1970);
    while left >= days(year + 1, 1, 1) - days(year, 1, 1) && year < 9999 {
        left -= days(year + 1, 1, 1) - days(year, 1, 1);
        year += 1;
    }
    let day_of_year = days(year, 1, 1) + left;
    let month = (1..=12).rev().find(|month| days(year, *month, 1) <= day_of_year).unwrap_or(1);
    format!("{year:04}-{month:02}-{:02}", day_of_year - days(year, month, 1) + 1)
}

/// Days of the Gregorian calendar since 1970.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March, so that the odd day is their last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_add_up_to_the_millionth() {
        let dime = Usd::new(0.1).expect("an amount");
        let sum = (0..30).fold(Usd::ZERO, |sum, _| sum.plus(dime));
        assert_eq!((sum, dime.times(30)), (Usd(3_000_000), Usd(3_000_000)));
        assert!(sum <= 3.0 && sum > 2.999_999 && sum == 3.0);
        assert_eq!(Usd(i64::MAX).plus(dime), Usd(i64::MAX));
        assert_eq!(dime.less(sum), Usd::ZERO);
        assert_eq!(Usd(7).times(u128::MAX), Usd(i64::MAX));
        for bad in ["", "x", "-1", "nan", "inf", "1e300"] {
            assert_eq!(Usd::parse(bad), None, "{bad}");
        }
        assert_eq!(Usd::parse(" $2.50 "), Some(Usd(2_500_000)));
    }

    #[test]
    fn amounts_are_written_as_people_write_them() {
        let text = |micro| Usd(micro).to_string();
        assert_eq!([text(0), text(1_200_000), text(17_200), text(1)], ["$0.00", "$1.20", "$0.0172", "$0.000001"]);
        assert_eq!([format!("{:.2}", Usd(17_200)), format!("{:.2}", Usd(1_995_000))], ["$0.02", "$2.00"]);
    }

    #[test]
    fn the_age_of_a_price_is_counted_in_days() {
        let now = Wall::from_secs(1_791_158_400); // 2026-10-05
        assert_eq!(date(now), "2026-10-05");
        assert_eq!([date(Wall(0)), date(Wall::from_secs(951_782_400))], ["1970-01-01", "2000-02-29"]);
        assert_eq!(seen("2026-10-05", now), "today");
        assert_eq!(seen("2026-10-04", now), "yesterday");
        assert_eq!(seen("2026-09-23", now), "12 days ago");
        assert_eq!(seen("2026-06-01", now), "4 months ago");
        assert_eq!([seen("2026", now), seen("2026-13-01", now)], ["in 2026", "in 2026-13-01"]);
        assert_eq!(days_ago("2024-02-29", Wall::from_secs(1_709_251_200)), Some(1));
    }
}
