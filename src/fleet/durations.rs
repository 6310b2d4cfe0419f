//! What was learned of how long tasks take, by model and the fields that decide.

use std::collections::{BTreeSet, HashMap};

use crate::domain::{Catalogue, Field, Lesson, ModelSpec, Role};

pub use super::curve::{Class, Curve};

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
        self.touched.iter().filter_map(|index| self.curves.get(*index)).any(|entry| entry.curve.news() != entry.told)
    }

    /// What is worth keeping and was not kept yet.
    pub fn lessons(&mut self) -> Vec<Lesson> {
        let mut lessons = Vec::new();
        for index in std::mem::take(&mut self.touched) {
            let Some(entry) = self.curves.get_mut(index) else { continue };
            if entry.curve.news() == entry.told {
                continue;
            }
            entry.told = entry.curve.news();
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
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_learned_can_be_kept() {
        let mut durations = Durations::default();
        let index = durations.curve("m", &serde_json::Map::new());
        for _ in 0..20 {
            durations.get_mut(index).ended(Duration::ZERO, Duration::from_secs(33));
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
}
