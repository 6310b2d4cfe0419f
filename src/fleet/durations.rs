//! How long tasks take: learned from every look, per model and the fields that decide, with a prior for the start.
//!
//! What is kept is not a list of durations but, per age, how many tasks ended at that age and how long tasks were
//! watched at it. Their quotient is the hazard, and tasks that still run count as what they are: not over yet. (A
//! fit of the finished ones alone would believe, in the first minute of a batch, that all tasks are quick.)

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{Catalogue, Field, Lesson, ModelSpec, Role};

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

/// What is known of a model before anything ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kind {
    /// What it makes.
    pub class: Class,
    /// The fields whose values decide how long it takes.
    pub deciding: Vec<String>,
}

/// What the catalogue tells of every model: what it makes, and that size, quality and length decide how long it takes.
#[must_use]
pub fn kinds(catalogue: &Catalogue) -> Vec<(String, Kind)> {
    let decides = |field: &&Field| matches!(field.role, Some(Role::Size | Role::Quality | Role::Seconds));
    let kind = |spec: &ModelSpec| {
        let class = match spec.kind.as_str() {
            "video" => Class::Video,
            "audio" => Class::Sound,
            _ => Class::Picture,
        };
        let deciding = spec.fields.iter().filter(decides).map(|field| field.name.clone()).collect();
        (spec.name.clone(), Kind { class, deciding })
    };
    catalogue.models().iter().map(|spec| kind(spec)).collect()
}

/// A curve and what is to be known of keeping it.
#[derive(Clone, Debug)]
struct Entry {
    about: String,
    curve: Curve,
    /// It came from the disk: the tasks of the history are in it already.
    kept: bool,
    /// What the curve had seen in this run when it was last kept.
    told: u32,
}

/// Everything learned, by model and the values of the fields that decide.
#[derive(Clone, Debug)]
pub struct Durations {
    kinds: HashMap<String, Kind>,
    names: HashMap<String, usize>,
    curves: Vec<Entry>,
    /// Curves that may have learned something since they were last kept.
    touched: BTreeSet<usize>,
    /// Of kinds that nothing is known of.
    priors: [Curve; 3],
}

impl Default for Durations {
    fn default() -> Self {
        let priors = [Class::Picture, Class::Sound, Class::Video].map(Curve::new);
        Self { kinds: HashMap::new(), names: HashMap::new(), curves: Vec::new(), touched: BTreeSet::new(), priors }
    }
}

/// More kinds than this share the last curve: a bound for what strangers' data can make us keep.
pub const MOST: usize = 1000;
/// A kind with a longer name is learned, but not kept.
const LONGEST: usize = 1000;

impl Durations {
    /// Says what the models are.
    pub fn know(&mut self, kinds: impl IntoIterator<Item = (String, Kind)>) {
        self.kinds.extend(kinds);
    }

    /// The kind of a request, as a name, and what it makes.
    fn about(&self, model: &str, input: &serde_json::Map<String, serde_json::Value>) -> (String, Class) {
        let kind = self.kinds.get(model);
        let mut name = model.to_owned();
        for field in kind.iter().flat_map(|kind| &kind.deciding) {
            name.push('\u{1f}');
            if let Some(value) = input.get(field) {
                name.push_str(&value.to_string());
            }
        }
        (name, kind.map_or_else(Class::default, |kind| kind.class))
    }

    /// The curve for a model, given its input: an index that stays valid.
    pub fn curve(&mut self, model: &str, input: &serde_json::Map<String, serde_json::Value>) -> usize {
        let (name, class) = self.about(model, input);
        if let Some(index) = self.names.get(&name) {
            return *index;
        }
        if self.curves.len() >= MOST {
            return MOST - 1;
        }
        self.add(name, Curve::new(class), false)
    }

    fn add(&mut self, about: String, curve: Curve, kept: bool) -> usize {
        let index = self.curves.len();
        self.names.insert(about.clone(), index);
        self.curves.push(Entry { about, curve, kept, told: 0 });
        index
    }

    /// The curve for a model, given its input; the prior, while nothing was learned of it.
    #[must_use]
    pub fn find(&self, model: &str, input: &serde_json::Map<String, serde_json::Value>) -> &Curve {
        let (name, class) = self.about(model, input);
        let learned = self.names.get(&name).and_then(|index| self.curves.get(*index));
        learned.map_or(&self.priors[class as usize], |entry| &entry.curve)
    }

    /// A curve.
    #[must_use]
    pub fn get(&self, index: usize) -> &Curve {
        &self.curves[index].curve
    }

    /// A curve, to learn.
    pub fn get_mut(&mut self, index: usize) -> &mut Curve {
        self.touched.insert(index);
        &mut self.curves[index].curve
    }

    /// The curve came from the disk: what is in the history was learned when it happened.
    #[must_use]
    pub fn is_kept(&self, index: usize) -> bool {
        self.curves[index].kept
    }

    /// What was learned, as plain data.
    #[must_use]
    pub fn export(&self) -> Vec<(String, Curve)> {
        self.curves.iter().map(|entry| (entry.about.clone(), entry.curve.clone())).collect()
    }

    /// Takes in what was learned in an earlier run.
    pub fn import(&mut self, learned: Vec<(String, Curve)>) {
        for (about, curve) in learned {
            match self.names.get(&about) {
                Some(index) => {
                    let entry = &mut self.curves[*index];
                    (entry.curve, entry.kept, entry.told) = (curve, true, 0);
                }
                None if self.curves.len() < MOST => {
                    self.add(about, curve, true);
                }
                None => {}
            }
        }
    }

    /// A task ended since what was learned was last kept.
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.touched.iter().filter_map(|index| self.curves.get(*index)).any(|entry| entry.curve.news != entry.told)
    }

    /// What is worth keeping and was not kept yet.
    pub fn lessons(&mut self) -> Vec<Lesson> {
        let mut lessons = Vec::new();
        for index in std::mem::take(&mut self.touched) {
            let Some(entry) = self.curves.get_mut(index) else { continue };
            if entry.curve.news == entry.told {
                continue;
            }
            entry.told = entry.curve.news;
            if entry.about.len() <= LONGEST
                && let Ok(text) = serde_json::to_string(&entry.curve)
            {
                lessons.push(Lesson { about: entry.about.clone(), text });
            }
        }
        lessons
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
    fn what_was_learned_can_be_kept() {
        let mut durations = Durations::default();
        let index = durations.curve("m", &serde_json::Map::new());
        for _ in 0..20 {
            durations.get_mut(index).ended(Duration::ZERO, secs(33.0));
        }
        assert!(durations.has_news());
        let lessons = durations.lessons();
        assert!(!durations.has_news() && durations.lessons().is_empty(), "it is kept once");
        let mut again = Durations::default();
        again.import(lessons.iter().map(|l| (l.about.clone(), Curve::read(&l.text).expect("a curve"))).collect());
        let index = again.curve("m", &serde_json::Map::new());
        let (left, right) = (again.get(index).left(Duration::ZERO), durations.get(0).left(Duration::ZERO));
        assert!(left.abs_diff(right) < Duration::from_millis(1), "{left:?} {right:?}");
        assert!(again.is_kept(index) && !again.has_news());
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
