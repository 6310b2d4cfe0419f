//! Finding a model: by letters of its name in their order, best first, or by a name that nobody here knows.

use std::sync::Arc;

use crate::domain::raw::is_name;
use crate::domain::{Catalogue, ModelSpec};

/// A model that matches what was typed.
#[derive(Clone, Debug)]
pub struct Found {
    /// The model.
    pub spec: Arc<ModelSpec>,
    /// The characters of its name that were typed, by their number from 0.
    pub marks: Vec<usize>,
}

/// The models that match, best first, retired ones behind all others unless it is the very name. Each word must be found in the name, an older
/// name, the title or the kind.
#[must_use]
pub fn find_models(query: &str, catalogue: &Catalogue) -> Vec<Found> {
    let words: Vec<Vec<char>> = query.split_whitespace().map(|word| word.to_lowercase().chars().collect()).collect();
    let all = || {
        catalogue.models().iter().flat_map(|model| {
            let of_it = |route: &&Arc<ModelSpec>| {
                route.name.strip_prefix(model.name.as_str()).is_some_and(|rest| rest.starts_with('@'))
            };
            std::iter::once(model).chain(catalogue.routes().filter(of_it))
        })
    };
    let matching = |loose: bool| {
        let mut rows: Vec<(i32, Found)> = all().filter_map(|spec| rate(spec, &words, loose)).collect();
        // The sort is stable: what is equally good stays in the order of the catalogue.
        let is_it = |found: &Found| found.spec.name.eq_ignore_ascii_case(query.trim());
        rows.sort_by_key(|(score, found)| (!is_it(found), !found.spec.is_current(), -score));
        rows.into_iter().map(|(_, found)| found).collect::<Vec<_>>()
    };
    let rows = matching(false);
    if rows.is_empty() { matching(true) } else { rows }
}

/// The models that match, best first.
#[must_use]
pub fn matching_models(query: &str, catalogue: &Catalogue) -> Vec<Arc<ModelSpec>> {
    find_models(query, catalogue).into_iter().map(|found| found.spec).collect()
}

/// What was typed, if it can be a model that the catalogue does not know.
#[must_use]
pub fn unknown_name<'a>(query: &'a str, catalogue: &Catalogue) -> Option<&'a str> {
    Some(query.trim()).filter(|name| is_name(name) && catalogue.get(name).is_none())
}

/// How well a model matches all words, and which letters of its name they are.
fn rate(spec: &Arc<ModelSpec>, words: &[Vec<char>], loose: bool) -> Option<(i32, Found)> {
    const NAME: i32 = 6;
    let mut found = Found { spec: Arc::clone(spec), marks: Vec::new() };
    let mut score = 0;
    for word in words {
        let name = letters(word, &spec.name, loose).map(|(points, marks)| (points + NAME, Some(marks)));
        let others = spec.aliases.iter().chain([&spec.title]).filter_map(|text| letters(word, text, loose));
        let others = others.map(|(points, _)| (points, None));
        let kind = letters(word, &spec.kind, false).map(|(points, _)| (points, None));
        let (points, marks) = name.into_iter().chain(others).chain(kind).max_by_key(|(points, _)| *points)?;
        score += points;
        found.marks.extend(marks.into_iter().flatten());
    }
    Some((score, found))
}

/// The letters of a word in a text, in their order: each begins a word of the text or follows the one before it;
/// with `loose`, anywhere. Points, and which characters they are.
fn letters(word: &[char], text: &str, loose: bool) -> Option<(i32, Vec<usize>)> {
    const START: i32 = 8;
    const BEGINNING: i32 = 6;
    const NEXT: i32 = 6;
    let chars: Vec<char> = text.chars().collect();
    let lower: Vec<char> = chars.iter().map(|c| c.to_lowercase().next().unwrap_or(*c)).collect();
    let begins = |at: usize| match at.checked_sub(1).and_then(|before| chars.get(before)) {
        None => true,
        Some(before) => {
            let here = chars[at];
            !before.is_alphanumeric()
                || before.is_numeric() != here.is_numeric()
                || (before.is_lowercase() && here.is_uppercase())
        }
    };
    // The best end of the first letters at each place: points and the places before it.
    let mut best: Vec<Option<(i32, Vec<usize>)>> = vec![None; lower.len()];
    for (number, letter) in word.iter().enumerate() {
        let mut next: Vec<Option<(i32, Vec<usize>)>> = vec![None; lower.len()];
        for at in (0..lower.len()).filter(|at| lower[*at] == *letter) {
            let gain = if at == 0 {
                START + BEGINNING
            } else if begins(at) {
                START
            } else {
                0
            };
            let candidates = if number == 0 {
                // The first letter may stand anywhere: what follows it then has to follow closely.
                vec![(gain, Vec::new())]
            } else {
                (0..at)
                    .filter_map(|before| best[before].as_ref().map(|found| (before, found)))
                    .filter(|(before, _)| before + 1 == at || begins(at) || loose)
                    .map(|(before, (points, places))| {
                        let gap = i32::try_from(at - before - 1).unwrap_or(i32::MAX).min(4);
                        (points + if gap == 0 { NEXT.max(gain) } else { gain - gap }, places.clone())
                    })
                    .collect()
            };
            next[at] = candidates.into_iter().max_by_key(|(points, _)| *points).map(|(points, mut places)| {
                places.push(at);
                (points, places)
            });
        }
        best = next;
    }
    if word.is_empty() {
        return Some((0, Vec::new()));
    }
    best.into_iter().flatten().max_by_key(|(points, places)| (*points, std::cmp::Reverse(places.first().copied())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(query: &str) -> Vec<String> {
        find_models(query, &Catalogue::built_in()).into_iter().map(|found| found.spec.name.clone()).collect()
    }

    #[test]
    fn letters_in_their_order_find_a_model() {
        assert_eq!(names("nb2")[0], "Nano-Banana-2");
        assert_eq!(names("nano")[0], "Nano-Banana");
        assert_eq!(names("banana pro"), ["Nano-Banana-Pro"]);
        assert_eq!(names("fluxs")[0], "flux-schnell/text-to-image");
        assert!(
            names("sdream").first().is_some_and(|name| name.starts_with("seedream")),
            "loosely, if nothing else fits"
        );
        assert!(names("video").iter().all(|name| {
            Catalogue::built_in().get(name).is_some_and(|m| m.kind == "video" || m.name.contains("video"))
        }));
        assert!(names("zzzz").is_empty());
        assert_eq!(names("gpt-image-2.5-sunburst@pro")[0], "gpt-image-2.5-sunburst@pro");
    }

    #[test]
    fn everything_is_listed_and_retired_ones_come_last() {
        let catalogue = Catalogue::built_in();
        let all = find_models("", &catalogue);
        assert_eq!(all.len(), catalogue.models().len() + catalogue.routes().count());
        let first_retired = all.iter().position(|found| !found.spec.is_current()).expect("a retired one");
        assert!(all[first_retired..].iter().all(|found| !found.spec.is_current()));
        let found = names("gpt pro");
        assert!(found.last().is_some_and(|name| !catalogue.get(name).expect("known").is_current()), "{found:?}");
    }

    #[test]
    fn the_letters_that_were_typed_are_marked() {
        let found = find_models("nb", &Catalogue::built_in());
        assert_eq!(found[0].marks, [0, 5]);
    }

    #[test]
    fn a_name_that_nobody_knows_can_be_taken() {
        let catalogue = Catalogue::built_in();
        assert_eq!(unknown_name(" new/model@x ", &catalogue), Some("new/model@x"));
        assert_eq!(unknown_name("Nano-Banana", &catalogue), None);
        assert_eq!(unknown_name("two words", &catalogue), None);
        assert_eq!(unknown_name("", &catalogue), None);
    }
}
