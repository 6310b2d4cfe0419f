//! The table of actions is without contradictions.

use super::*;

#[test]
fn no_chord_means_two_things_in_one_place() {
    for place in EVERYWHERE {
        let mut seen = std::collections::BTreeMap::new();
        for spec in here(*place) {
            for key in spec.keys {
                let chord: Chord = key.parse().expect("a chord");
                assert_eq!(seen.insert(chord, spec.name), None, "{key} in {place:?}");
            }
        }
    }
}

#[test]
fn one_can_leave_and_ask_for_help_from_everywhere() {
    for place in EVERYWHERE {
        for wanted in [Action::Quit, Action::Help] {
            assert!(here(*place).any(|spec| spec.action == wanted), "{wanted:?} in {place:?}");
        }
    }
}

#[test]
fn what_types_text_types_text() {
    for place in [Place::Editor, Place::Input, Place::Text, Place::Setup, Place::Picker, Place::Confirm] {
        for spec in here(place) {
            for key in spec.keys {
                let chord: Chord = key.parse().expect("a chord");
                assert_eq!(chord.typed(), None, "{key} must stay a letter in {place:?}");
            }
        }
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = all().map(|spec| spec.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all().count());
}
