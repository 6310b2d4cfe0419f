//! THE table: every action, where it works, its keys, and what it says in the help and the footer.

use super::chord::Chord;

/// Where the keyboard is. Derived from the state, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The task table.
    Table,
    /// The prompt editor.
    Editor,
    /// The fields under the prompt.
    Form,
    /// The detail view of a task.
    Detail,
    /// A picture that fills the screen.
    Viewer,
    /// A list to choose from.
    Picker,
    /// The values of a field, to choose one or several.
    Choices,
    /// A line to type a value.
    Input,
    /// The question before many tasks are sent.
    Confirm,
    /// The help.
    Help,
    /// The screen that says how to set a key.
    Setup,
}

/// What a key can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the table below says what each means")]
pub enum Action {
    Quit,
    Suspend,
    Repaint,
    Help,
    NextPane,
    PreviousPane,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Open,
    Write,
    Reuse,
    Send,
    Resume,
    Look,
    Fetch,
    Forget,
    Settle,
    Others,
    MoreOthers,
    Adopt,
    Submit,
    Undo,
    Redo,
    Leave,
    Model,
    NextField,
    PreviousField,
    NextValue,
    PreviousValue,
    Edit,
    Default,
    Expand,
    Repeats,
    Expansions,
    Tick,
    Accept,
    Close,
    Check,
    Key,
    Demo,
    View,
    NextPicture,
    PreviousPicture,
    NextOutput,
    PreviousOutput,
    ZoomIn,
    ZoomOut,
    Actual,
    WholePicture,
    Info,
    Left,
    Right,
    FullQuality,
    Line,
    Where,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// What it does.
    pub action: Action,
    /// Its name, for the manual and later for the configuration.
    pub name: &'static str,
    /// Where it works.
    pub places: &'static [Place],
    /// Its keys, the one to show first.
    pub keys: &'static [&'static str],
    /// One or two words for the footer; empty keeps it out of there.
    pub label: &'static str,
    /// A sentence for the help.
    pub help: &'static str,
}

use Place::{Choices, Confirm, Detail, Editor, Form, Help, Input, Picker, Setup, Table, Viewer};

const EVERYWHERE: &[Place] = &[Table, Editor, Form, Detail, Viewer, Picker, Choices, Input, Confirm, Help, Setup];
const PANES: &[Place] = &[Table, Editor, Form];
/// Where lines are moved through. In a picker letters narrow the list, so there only arrows move.
const LISTS: &[Place] = &[Table, Detail, Help];
const ARROWS: &[Place] = &[Table, Detail, Picker, Choices, Help];
/// Where a picture of a task is seen.
const SEEN: &[Place] = &[Table, Detail, Viewer];

const fn row(
    action: Action,
    name: &'static str,
    places: &'static [Place],
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
) -> Spec {
    Spec { action, name, places, keys, label, help }
}

/// Every action there is. Within a place the order is that of the footer.
pub const ACTIONS: &[Spec] = &[
    row(Action::Submit, "submit", &[Editor, Form], &["ctrl-s", "alt-enter", "ctrl-enter"], "send", "send the prompt"),
    row(Action::Write, "write", &[Table], &["n", "i"], "new prompt", "go to the prompt editor"),
    row(Action::Open, "open", &[Table], &["enter", "l", "right"], "details", "show everything about the task"),
    row(Action::View, "view", &[Table], &["v"], "picture", "fill the screen with the picture"),
    row(Action::View, "view-too", &[Detail], &["v", "enter"], "picture", "fill the screen with the picture"),
    row(
        Action::NextPicture,
        "next-picture",
        &[Viewer],
        &["n", "pagedown", "space"],
        "next",
        "the next picture of the list",
    ),
    row(Action::PreviousPicture, "previous-picture", &[Viewer], &["p", "pageup"], "before", "the picture before it"),
    row(Action::ZoomIn, "zoom-in", &[Viewer], &["+", "="], "closer", "closer"),
    row(Action::ZoomOut, "zoom-out", &[Viewer], &["-"], "", "further away"),
    row(Action::Actual, "actual", &[Viewer], &["1"], "100 %", "a pixel of the picture for a pixel of the screen"),
    row(Action::WholePicture, "whole", &[Viewer], &["0", "home"], "whole", "all of the picture"),
    row(Action::Left, "left", &[Viewer], &["left", "h"], "", "move over a close picture; else the output before"),
    row(Action::Right, "right", &[Viewer], &["right", "l"], "", "move over a close picture; else the next output"),
    row(Action::Up, "picture-up", &[Viewer], &["up", "k"], "", "move over a close picture; else the picture before"),
    row(
        Action::Down,
        "picture-down",
        &[Viewer],
        &["down", "j"],
        "",
        "move over a close picture; else the next picture",
    ),
    row(Action::Info, "info", &[Viewer], &["i"], "info", "what is known of the picture, beside it"),
    row(Action::NextOutput, "next-output", SEEN, &["]"], "", "the next output of the task"),
    row(Action::PreviousOutput, "previous-output", SEEN, &["["], "", "the output before"),
    row(Action::FullQuality, "full-quality", SEEN, &["b"], "", "pictures in full quality, and back"),
    row(Action::Line, "line", SEEN, &["t"], "", "how fast the line to the terminal is, in the header"),
    row(Action::Where, "where", SEEN, &["w"], "", "where its file is, to open it"),
    row(Action::Reuse, "reuse", &[Table, Detail], &["e"], "edit again", "take its prompt and fields into the editor"),
    row(
        Action::Send,
        "send",
        &[Table, Detail],
        &["r"],
        "send it",
        "send a held task; settle an unsure one with the same key",
    ),
    row(Action::Resume, "resume", &[Table, Detail], &["shift-r", "R"], "", "go on after the queue was paused"),
    row(Action::Look, "look", &[Table, Detail], &["f"], "", "ask the service for news of the task now"),
    row(Action::Fetch, "fetch", &[Table, Detail], &["d"], "", "fetch its files again if they are gone"),
    row(Action::Forget, "forget", &[Table, Detail], &["shift-x", "X"], "", "drop a task that was never sent"),
    row(
        Action::Settle,
        "settle",
        &[Table, Detail],
        &["u"],
        "",
        "decide about an unsure task: adopt one of the account's, send it anew, give it up",
    ),
    row(
        Action::Others,
        "others",
        &[Table],
        &["o"],
        "",
        "show, or hide, the account's tasks that other programs created",
    ),
    row(Action::MoreOthers, "more-others", &[Table], &["O", "shift-o"], "", "read one page more of the account's list"),
    row(Action::Adopt, "adopt", &[Table, Detail], &["a"], "", "watch and fetch such a task like ours from now on"),
    row(Action::Accept, "accept", &[Picker, Choices, Input], &["enter"], "choose", "take this one"),
    row(
        Action::Tick,
        "tick",
        &[Choices],
        &["space"],
        "several",
        "tick a value, or take the tick away; each of several ticked ones makes tasks of its own",
    ),
    row(Action::Accept, "agree", &[Confirm], &["enter"], "send them", "send all of them"),
    row(Action::Check, "check", &[Setup], &["enter"], "test the key", "test the API key with a one-row list call"),
    row(
        Action::Demo,
        "demo",
        &[Setup],
        &["ctrl-d"],
        "see the demo",
        "leave and start the demonstration: no key, no cost",
    ),
    row(Action::Key, "key", &[Table], &["K", "shift-k"], "", "enter another API key for this run"),
    row(Action::Up, "up", ARROWS, &["up", "ctrl-p"], "", "one up"),
    row(Action::Up, "up-too", LISTS, &["k"], "", "one up"),
    row(Action::Down, "down", ARROWS, &["down", "ctrl-n"], "", "one down"),
    row(Action::Down, "down-too", LISTS, &["j"], "", "one down"),
    row(Action::PageUp, "page-up", ARROWS, &["pageup", "ctrl-b"], "", "a page up"),
    row(Action::PageDown, "page-down", ARROWS, &["pagedown", "ctrl-f"], "", "a page down"),
    row(Action::Top, "top", ARROWS, &["home"], "", "to the first"),
    row(Action::Top, "top-too", LISTS, &["g"], "", "to the first"),
    row(Action::Bottom, "bottom", ARROWS, &["end"], "", "to the last"),
    row(Action::Bottom, "bottom-too", LISTS, &["G", "shift-g"], "", "to the last"),
    row(Action::NextField, "next-field", &[Form], &["right", "l"], "", "the next field"),
    row(Action::PreviousField, "previous-field", &[Form], &["left", "h"], "", "the field before"),
    row(Action::NextValue, "next-value", &[Form], &["down", "space", "j"], "next value", "the next value"),
    row(Action::PreviousValue, "previous-value", &[Form], &["up", "k"], "", "the value before"),
    row(Action::Edit, "edit", &[Form], &["enter"], "choose", "choose or type the value"),
    row(
        Action::Default,
        "default",
        &[Form],
        &["backspace", "delete"],
        "",
        "leave the field out: the service's default",
    ),
    row(Action::Model, "model", &[Editor, Form, Table], &["alt-m", "ctrl-o"], "model", "choose the model"),
    row(
        Action::Expand,
        "expand",
        &[Editor, Form],
        &["alt-x", "f2"],
        "",
        "the prompt as it stands, as a template for all its prompts, or for some by chance",
    ),
    row(Action::Repeats, "repeats", &[Editor, Form], &["alt-r", "f3"], "", "how often each task is made"),
    row(
        Action::Expansions,
        "expansions",
        &[Editor, Form],
        &["alt-p", "f4"],
        "",
        "show the first tasks that template, values and repeats come to",
    ),
    row(Action::Undo, "undo", &[Editor], &["ctrl-u"], "", "undo"),
    row(Action::Redo, "redo", &[Editor], &["ctrl-r"], "", "redo"),
    row(Action::NextPane, "next-pane", PANES, &["tab"], "next pane", "prompt, fields, table, and around again"),
    row(Action::PreviousPane, "previous-pane", PANES, &["shift-tab"], "", "the same backwards"),
    row(Action::Leave, "leave", &[Editor, Form], &["esc"], "table", "back to the table; the text stays"),
    row(Action::Close, "close-picture", &[Viewer], &["esc", "q", "v"], "close", "back"),
    row(Action::Close, "close", &[Detail, Picker, Choices, Input, Help, Setup], &["esc"], "close", "close this"),
    row(Action::Close, "back", &[Confirm], &["esc"], "back", "back to the prompt; nothing is sent and nothing lost"),
    row(Action::Close, "close-too", &[Detail, Help], &["q", "left", "h"], "", "close this"),
    row(Action::Help, "help", EVERYWHERE, &["f1"], "", "the keys of this place"),
    row(Action::Help, "help-too", &[Table, Form, Detail, Viewer], &["?"], "help", "the keys of this place"),
    row(Action::Repaint, "repaint", EVERYWHERE, &["ctrl-l"], "", "paint the whole screen again"),
    row(Action::Suspend, "suspend", EVERYWHERE, &["ctrl-z"], "", "back to the shell; fg brings it back"),
    row(Action::Quit, "quit", EVERYWHERE, &["ctrl-q", "ctrl-c"], "", "leave; tasks keep running at the service"),
    row(Action::Quit, "quit-too", &[Table], &["q"], "quit", "leave; tasks keep running at the service"),
];

/// What a chord means in a place.
#[must_use]
pub fn resolve(chord: Chord, place: Place) -> Option<Action> {
    let hit = |spec: &&Spec| spec.places.contains(&place) && spec.keys.iter().any(|key| key.parse() == Ok(chord));
    ACTIONS.iter().find(hit).map(|spec| spec.action)
}

/// The rows that work in a place, in the order of the table.
pub fn here(place: Place) -> impl Iterator<Item = &'static Spec> {
    ACTIONS.iter().filter(move |spec| spec.places.contains(&place))
}

#[cfg(test)]
mod tests {
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
        for place in [Place::Editor, Place::Input, Place::Setup, Place::Picker, Place::Confirm] {
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
        let mut names: Vec<_> = ACTIONS.iter().map(|spec| spec.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ACTIONS.len());
    }
}
