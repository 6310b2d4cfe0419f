//! How far the service's clock is from ours: deadlines are its moments, and ours may be wrong.
//!
//! Each answer is dated. It was dated after the question left and before the answer came, so it says between which two
//! bounds the difference lies; answers that came fast say it best, and together they say it better than one.

use std::borrow::Cow;
use std::time::Duration;

use crate::domain::{Dated, Report};
use crate::time::{Now, Wall};

/// The header tells whole seconds: the truth is up to this much later.
const GRAIN: i64 = 1000;
/// Smaller differences are not worth acting on.
const SMALL: u64 = 2000;
/// Ours jumped when it moved this much against the clock that never does: what was known is void.
const JUMP: u64 = 2000;
/// From here on the user should know.
const FAR: u64 = 180_000;

/// Bounds, in milliseconds, of what is to be added to our clock to get the service's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bounds {
    least: i64,
    most: i64,
    /// Our clock against the one that never jumps, when that was so.
    calendar: i64,
}

/// How far the clocks are apart, as far as is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skew(Option<Bounds>);

fn calendar(now: Now) -> i64 {
    now.wall.0.saturating_sub(i64::try_from(now.mono.0).unwrap_or(i64::MAX))
}

impl Skew {
    /// An answer was dated.
    pub fn heard(&mut self, dated: Dated, now: Now) {
        let least = dated.at.0.saturating_sub(dated.heard.0);
        let most = dated.at.0.saturating_add(GRAIN).saturating_sub(dated.sent.0);
        if least > most {
            // Our clock was set back in between.
            return;
        }
        let fresh = Bounds { least, most, calendar: calendar(now) };
        let both = self.known(now).map(|old| Bounds {
            least: old.least.max(least),
            most: old.most.min(most),
            calendar: fresh.calendar,
        });
        // Clocks drift apart, or one was set right: then only the latest counts.
        self.0 = both.filter(|both| both.least <= both.most).or(Some(fresh));
    }

    fn known(&self, now: Now) -> Option<Bounds> {
        self.0.filter(|bounds| bounds.calendar.abs_diff(calendar(now)) <= JUMP)
    }

    /// What is to be added to our clock to get the service's, in milliseconds; 0 where they agree as far as can be
    /// told.
    #[must_use]
    pub fn offset(&self, now: Now) -> i64 {
        let Some(Bounds { least, most, .. }) = self.known(now) else { return 0 };
        let middle = least.midpoint(most);
        let agree = least <= 0 && most >= 0;
        if agree || middle.unsigned_abs() < SMALL { 0 } else { middle }
    }

    /// This moment by the service's clock.
    #[must_use]
    pub fn service(&self, now: Now) -> Wall {
        Wall(now.wall.0.saturating_add(self.offset(now)))
    }

    /// A moment that the service named, by our clock.
    fn ours(&self, at: Wall, now: Now) -> Wall {
        Wall(at.0.saturating_sub(self.offset(now)))
    }

    /// An observation with the moment of its end by our clock, beside which it is kept. Deadlines stay as they are:
    /// they are compared with [`Self::service`].
    #[must_use]
    pub fn told<'a>(&self, report: &'a Report, now: Now) -> Cow<'a, Report> {
        match report.completed {
            Some(at) if self.offset(now) != 0 => {
                Cow::Owned(Report { completed: Some(self.ours(at, now)), ..report.clone() })
            }
            _ => Cow::Borrowed(report),
        }
    }

    /// By how much our clock is wrong, and whether it is ahead, when that is more than a few minutes.
    #[must_use]
    pub fn far(&self, now: Now) -> Option<(Duration, bool)> {
        let offset = self.offset(now);
        (offset.unsigned_abs() > FAR).then(|| (Duration::from_millis(offset.unsigned_abs()), offset < 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Mono;

    /// Our clock at this moment, in milliseconds since it was started.
    fn at(ms: u64) -> Now {
        Now { wall: Wall(1_000_000_000 + i64::try_from(ms).expect("small")), mono: Mono(ms) }
    }

    /// An answer dated by a clock that is `ahead` of ours, which took so long on its way.
    fn answer(sent: u64, took: u64, ahead: i64) -> Dated {
        let heard = at(sent + took).wall;
        let true_date = at(sent).wall.0 + i64::try_from(took / 2).expect("small") + ahead;
        Dated { at: Wall(true_date / 1000 * 1000), sent: at(sent).wall, heard }
    }

    #[test]
    fn answers_together_know_better_than_one() {
        let mut skew = Skew::default();
        assert_eq!(skew.service(at(0)), at(0).wall, "nobody knows");
        for (sent, took) in [(300, 9_000), (12_500, 400), (14_800, 90), (20_130, 3_000)] {
            skew.heard(answer(sent, took, 95_000), at(sent + took));
        }
        let offset = skew.offset(at(30_000));
        assert!((94_200..=95_800).contains(&offset), "{offset}");
        let there = skew.service(at(30_000));
        assert_eq!(skew.ours(there, at(30_000)), at(30_000).wall);
        assert_eq!(skew.far(at(30_000)), None, "a minute and a half is nothing to bother anybody with");
    }

    #[test]
    fn a_slow_answer_proves_nothing() {
        let mut skew = Skew::default();
        skew.heard(Dated { at: at(100).wall, sent: at(0).wall, heard: at(40_000).wall }, at(40_000));
        assert_eq!(skew.offset(at(40_000)), 0);
    }

    #[test]
    fn small_differences_are_left_alone() {
        let mut skew = Skew::default();
        (0..50).for_each(|n| skew.heard(answer(n * 770, 60, 1_200), at(n * 770 + 60)));
        assert_eq!(skew.offset(at(40_000)), 0);
    }

    #[test]
    fn a_clock_that_is_set_is_learned_anew() {
        let mut skew = Skew::default();
        skew.heard(answer(0, 100, -600_000), at(100));
        assert_eq!(skew.far(at(200)).map(|(by, ahead)| (by.as_secs().abs_diff(600) < 2, ahead)), Some((true, true)));
        // Somebody sets it right: ten minutes back.
        let set = |ms: u64| Now { wall: Wall(at(ms).wall.0 - 600_000), ..at(ms) };
        assert_eq!((skew.offset(set(300)), skew.far(set(300))), (0, None), "void at once");
        let now = set(1_000);
        skew.heard(Dated { at: Wall(now.wall.0 / 1000 * 1000), sent: set(900).wall, heard: now.wall }, now);
        assert_eq!(skew.offset(now), 0);
    }

    #[test]
    fn absurd_dates_do_no_harm() {
        for date in [i64::MIN, i64::MAX, 0, -1] {
            let mut skew = Skew::default();
            skew.heard(Dated { at: Wall(date), sent: at(0).wall, heard: at(5).wall }, at(5));
            let _ = (skew.service(at(9)), skew.ours(Wall(i64::MAX), at(9)), skew.ours(Wall(i64::MIN), at(9)));
            assert!(skew.far(at(9)).is_some());
        }
    }
}
