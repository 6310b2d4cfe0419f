//! How long tasks of one kind take: learned from every look, with a prior for the start.
//!
//! What is kept is not a list of durations but, per age, how many tasks ended at that age and how long tasks were
//! watched at it. Their quotient is the hazard, and tasks that still run count as what they are: not over yet. (A
//! fit of the finished ones alone would believe, in the first minute of a batch, that all tasks are quick.)

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What kind of thing a model makes. It decides the prior: pictures take seconds, sound a minute or two, video
/// minutes \[B\]\[C\].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Median 12 s.
    #[default]
    Picture,
    /// Median 90 s.
    Sound,
    /// Median 180 s.
    Video,
}

impl Class {
    fn median(self) -> f64 {
        match self {
            Self::Picture => 12.0,
            Self::Sound => 90.0,
            Self::Video => 180.0,
        }
    }
}

/// Ages are told apart in steps of a fifth: from a second to some hours.
const BINS: usize = 52;
const STEP: f64 = 1.2;
/// The prior is wide.
const SIGMA: f64 = 0.8;
/// The prior counts as much as this many tasks of our own.
const WEIGHT: f64 = 3.0;
/// So many ended tasks are remembered; with more, the older ones fade.
const MEMORY: f64 = 256.0;

/// What was learned of one kind of task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    class: Class,
    /// Ends by age.
    ends: Vec<f64>,
    /// Seconds watched by age.
    watched: Vec<f64>,
    /// The hazard by age, per second: kept, because it is read far more often than it changes.
    #[serde(skip)]
    hazard: Vec<f64>,
    #[serde(skip)]
    total: f64,
    /// Ends that were seen in this run.
    #[serde(skip)]
    news: u32,
}

fn edge(bin: usize) -> f64 {
    if bin == 0 { 0.0 } else { STEP.powi(i32::try_from(bin).unwrap_or(i32::MAX) - 1) }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
fn bin(age: f64) -> usize {
    if age < 1.0 { 0 } else { ((age.ln() / STEP.ln()) as usize + 1).min(BINS - 1) }
}

/// The upper tail of the normal distribution (rational approximation, relative error about 1e-7).
fn tail(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * x);
    let series = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let sum = series.iter().rev().fold(0.0, |sum, term| sum * t + term);
    let half = 0.5 * t * (sum - x * x).exp();
    if z >= 0.0 { half } else { 1.0 - half }
}

fn prior(class: Class, age: f64) -> f64 {
    let z = (age.max(0.05) / class.median()).ln() / SIGMA;
    let density = (-z * z / 2.0).exp() / (age.max(0.05) * SIGMA * (2.0 * std::f64::consts::PI).sqrt());
    density / tail(z).max(1e-300)
}

impl Curve {
    /// Nothing learned yet.
    #[must_use]
    pub fn new(class: Class) -> Self {
        let mut curve = Self {
            class,
            ends: vec![0.0; BINS],
            watched: vec![0.0; BINS],
            hazard: vec![0.0; BINS],
            total: 0.0,
            news: 0,
        };
        (0..BINS).for_each(|bin| curve.refresh(bin));
        curve
    }

    fn refresh(&mut self, bin: usize) {
        let (from, to) = (edge(bin), edge(bin + 1));
        let weight = WEIGHT * (to - from);
        let known = prior(self.class, f64::midpoint(from, to));
        self.hazard[bin] = (self.ends[bin] + known * weight) / (self.watched[bin] + weight);
    }

    /// A task was seen to run from one age to another.
    pub fn ran(&mut self, from: Duration, to: Duration) {
        let (from, to) = (from.as_secs_f64(), to.as_secs_f64());
        if to <= from {
            return;
        }
        for n in bin(from)..=bin(to) {
            let upper = if n + 1 == BINS { f64::INFINITY } else { edge(n + 1) };
            let span = to.min(upper) - from.max(edge(n));
            if span > 0.0 {
                self.watched[n] += span;
                self.refresh(n);
            }
        }
    }

    /// A task ended at this age, and was seen running at `from` before.
    pub fn ended(&mut self, from: Duration, at: Duration) {
        self.ran(from.min(at), at);
        let n = bin(at.as_secs_f64());
        self.ends[n] += 1.0;
        self.total += 1.0;
        self.news = self.news.saturating_add(1);
        self.refresh(n);
        if self.total > MEMORY {
            self.total /= 2.0;
            self.ends.iter_mut().chain(&mut self.watched).for_each(|value| *value /= 2.0);
            (0..BINS).for_each(|bin| self.refresh(bin));
        }
    }

    /// Enough was learned to go by it.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.total >= 8.0
    }

    /// How likely a task of this age ends, per second.
    #[must_use]
    pub fn hazard(&self, age: f64) -> f64 {
        self.hazard[bin(age)]
    }

    /// Of a task seen running at one age and not since: how likely it ended by another age (as a sum of hazards),
    /// and the delay to expect from not having asked, in seconds.
    #[must_use]
    pub fn unseen(&self, from: f64, to: f64) -> (f64, f64) {
        let (mut ends, mut delay) = (0.0, 0.0);
        for n in bin(from)..=bin(to) {
            let lower = from.max(edge(n));
            let upper = if n + 1 == BINS { to } else { to.min(edge(n + 1)) };
            if upper > lower {
                let here = self.hazard[n] * (upper - lower);
                ends += here;
                delay += here * (to - f64::midpoint(lower, upper));
            }
        }
        (ends, delay)
    }

    /// For how much longer a task of this age should run: the median.
    #[must_use]
    pub fn left(&self, age: Duration) -> Duration {
        let age = age.as_secs_f64();
        let mut need = std::f64::consts::LN_2;
        for n in bin(age)..BINS {
            let lower = age.max(edge(n));
            let span = edge(n + 1) - lower;
            let here = self.hazard[n] * span;
            if here >= need || n + 1 == BINS {
                let at = lower + need / self.hazard[n].max(1e-9);
                return Duration::from_secs_f64((at - age).clamp(0.0, 86_400.0));
            }
            need -= here;
        }
        Duration::ZERO
    }

    /// Ninety-nine of a hundred tasks have ended by this age.
    #[must_use]
    pub fn is_outlier(&self, age: Duration) -> bool {
        self.unseen(0.0, age.as_secs_f64()).0 > -(0.01_f64.ln())
    }

    /// How many ends it has seen in this run.
    #[must_use]
    pub fn news(&self) -> u32 {
        self.news
    }

    /// Reads a curve that was kept as text; `None` when it is not one.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str::<Self>(text).ok()?.mended()
    }

    fn mended(mut self) -> Option<Self> {
        let sound = |values: &[f64]| values.len() == BINS && values.iter().all(|v| (0.0..1e9).contains(v));
        if !sound(&self.ends) || !sound(&self.watched) {
            return None;
        }
        self.hazard = vec![0.0; BINS];
        self.total = self.ends.iter().sum();
        (0..BINS).for_each(|bin| self.refresh(bin));
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(s: f64) -> Duration {
        Duration::from_secs_f64(s)
    }

    #[test]
    fn the_prior_is_a_lognormal() {
        let curve = Curve::new(Class::Picture);
        let median = curve.left(Duration::ZERO).as_secs_f64();
        assert!((10.5..13.5).contains(&median), "{median}");
        assert!(!curve.is_outlier(secs(40.0)) && curve.is_outlier(secs(120.0)));
    }

    #[test]
    fn what_is_seen_replaces_the_prior() {
        let mut curve = Curve::new(Class::Picture);
        for n in 0..100 {
            curve.ended(Duration::ZERO, secs(100.0 + f64::from(n) / 5.0));
        }
        let median = curve.left(Duration::ZERO).as_secs_f64();
        assert!((95.0..120.0).contains(&median), "{median}");
        assert!(curve.is_known() && curve.is_outlier(secs(200.0)));
        let left = curve.left(secs(100.0)).as_secs_f64();
        assert!(left < 20.0, "{left}");
    }

    /// The first to end are the quick ones; the others, still running, must count too.
    #[test]
    fn tasks_that_still_run_are_not_forgotten() {
        let mut curve = Curve::new(Class::Picture);
        for n in 0..100u32 {
            if n < 10 { curve.ended(Duration::ZERO, secs(30.0)) } else { curve.ran(Duration::ZERO, secs(60.0)) }
        }
        let median = curve.left(Duration::ZERO).as_secs_f64();
        assert!(median > 60.0, "{median}");
    }

    #[test]
    fn what_is_not_a_curve_is_not_read() {
        let good = serde_json::to_string(&Curve::new(Class::Sound)).expect("plain data");
        assert_eq!(Curve::read(&good), Some(Curve::new(Class::Sound)));
        let negative = good.replacen("0.0", "-1.0", 1);
        for text in ["", "{}", "[]", "\u{0}", &good[..good.len() - 1], &negative, &good.replacen("0.0", "1e999", 1)] {
            assert_eq!(Curve::read(text), None, "{text}");
        }
        assert_eq!(Curve::read(&good.replacen("0.0,", "", 1)), None, "too short");
    }
}
