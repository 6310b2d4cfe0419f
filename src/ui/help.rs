//! The keys of a place, made from the table of actions.

use ratatui::text::Line;

use crate::keys::actions::here;
use crate::keys::{Action, Place, Spec};

use super::draw::span;
use super::text;
use super::theme::Theme;

/// The groups, in the order they are read.
const GROUPS: [&str; 3] = ["what to do", "moving", "everywhere"];

fn group(action: Action) -> usize {
    use Action as A;
    match action {
        A::Up | A::Down | A::PageUp | A::PageDown | A::Top | A::Bottom => 1,
        A::Left | A::Right | A::NextPicture | A::PreviousPicture | A::NextOutput | A::PreviousOutput => 1,
        A::NextPane | A::PreviousPane | A::Leave | A::NextField | A::PreviousField => 1,
        A::Help | A::Repaint | A::Suspend | A::Quit | A::Close => 2,
        _ => 0,
    }
}

/// What the place is called.
#[must_use]
pub fn title(place: Place) -> &'static str {
    match place {
        Place::Table => "keys in the table",
        Place::Editor => "keys in the prompt",
        Place::Form => "keys in the fields",
        Place::Detail => "keys in the details",
        Place::Viewer => "keys over a picture",
        Place::Picker => "keys in a list",
        Place::Choices => "keys in the values",
        Place::Carried => "keys before it goes to another model",
        Place::Family => "keys in the family",
        Place::Causes => "keys over what failed",
        Place::Snippets => "keys over the snippets",
        Place::Input => "keys in a line",
        Place::Text => "keys in a long text",
        Place::List => "keys in the addresses",
        Place::Confirm => "keys in the question",
        Place::Help => "keys in the help",
        Place::Setup => "keys in the setup",
    }
}

/// Rows that do the same are one line with all their keys.
fn entries(place: Place) -> Vec<(&'static Spec, String)> {
    let mut entries: Vec<(&Spec, Vec<&str>)> = Vec::new();
    for spec in here(place) {
        // `shift-r` and `R` are the same key, said by different terminals.
        let keys = spec.keys.iter().copied().filter(|key| {
            key.strip_prefix("shift-").is_none_or(|rest| !spec.keys.contains(&rest.to_uppercase().as_str()))
        });
        match entries.iter_mut().find(|(seen, _)| seen.action == spec.action) {
            Some((_, all)) => all.extend(keys),
            None => entries.push((spec, keys.collect())),
        }
    }
    entries.into_iter().map(|(spec, keys)| (spec, keys.join("  "))).collect()
}

/// The page, for so many cells of width.
pub fn lines<'a>(place: Place, width: u16, theme: &Theme) -> Vec<Line<'a>> {
    let entries = entries(place);
    let longest = entries.iter().map(|(_, keys)| text::width(keys)).max().unwrap_or(0);
    let room = longest.min(usize::from(width) / 2);
    let mut lines = Vec::new();
    for (index, name) in GROUPS.iter().enumerate() {
        let members: Vec<_> = entries.iter().filter(|(spec, _)| group(spec.action) == index).collect();
        if members.is_empty() {
            continue;
        }
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        lines.push(Line::from(span(*name, theme.dim)));
        for (spec, keys) in members {
            let keys = text::cut(keys, room).into_owned();
            let pad = " ".repeat(room - text::width(&keys) + 3);
            let measure = usize::from(width).saturating_sub(room + 5).max(8);
            let mut parts = text::wrap(spec.help, measure).into_iter();
            let first = parts.next().unwrap_or_default();
            lines.push(Line::from(vec![
                span("  ", theme.text),
                span(keys, theme.key),
                span(pad, theme.text),
                span(first, theme.text),
            ]));
            for part in parts {
                lines.push(Line::from(vec![span(" ".repeat(room + 5), theme.text), span(part, theme.text)]));
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::ColourDepth;

    #[test]
    fn every_action_of_a_place_is_told() {
        let theme = Theme::new(ColourDepth::None, None);
        for place in [
            Place::Table,
            Place::Editor,
            Place::Form,
            Place::Detail,
            Place::Picker,
            Place::Carried,
            Place::Causes,
            Place::Setup,
        ] {
            let page: String = lines(place, 300, &theme).iter().map(|line| line.to_string() + "\n").collect();
            for spec in here(place) {
                assert!(entries(place).iter().any(|(seen, _)| seen.action == spec.action));
                assert!(page.contains(spec.help), "{} in {place:?}", spec.name);
            }
        }
    }
}
