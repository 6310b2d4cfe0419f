//! THE table, with what is beside it in `writing.rs`: every action, where it works, its keys, and what it says in the help
//! and the footer.

use super::chord::Chord;
use super::moves::Move;
use super::place::Place;

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
    Fold,
    FoldAll,
    Shut,
    Pause,
    Settle,
    Others,
    MoreOthers,
    Adopt,
    Submit,
    Undo,
    Redo,
    NewLine,
    /// The cursor goes.
    Go(Move),
    /// The cursor goes, and what it passes is selected.
    Select(Move),
    /// What is selected is removed, or else what the cursor would pass.
    Erase(Move),
    SelectAll,
    Copy,
    Cut,
    PasteBack,
    /// The user's own editor.
    Compose,
    History,
    Earlier,
    Later,
    Snippets,
    KeepSnippet,
    RenameSnippet,
    RemoveSnippet,
    Leave,
    Model,
    Json,
    Add,
    FromTask,
    Remove,
    Raise,
    Lower,
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
    Again,
    Promote,
    Reference,
    Star,
    Family,
    Causes,
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

use Place::{
    Carried, Causes, Choices, Confirm, Detail, Editor, Family, Form, Help, Input, List, Picker, Setup, Snippets, Table,
    Text, Viewer,
};

const EVERYWHERE: &[Place] = &[
    Table, Editor, Form, Detail, Viewer, Picker, Choices, Carried, Family, Causes, Snippets, Input, Text, List,
    Confirm, Help, Setup,
];
const PANES: &[Place] = &[Table, Editor, Form];
/// Where lines are moved through. In a picker letters narrow the list, so there only arrows move.
const LISTS: &[Place] = &[Table, Detail, List, Carried, Family, Causes, Help];
const ARROWS: &[Place] = &[Table, Detail, Picker, Choices, List, Carried, Family, Causes, Snippets, Help];
/// Where a picture of a task is seen.
const SEEN: &[Place] = &[Table, Detail, Viewer];

pub(super) const fn row(
    action: Action,
    name: &'static str,
    places: &'static [Place],
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
) -> Spec {
    Spec { action, name, places, keys, label, help }
}

/// The actions of all places but those of [`super::writing`]. Within a place the order is that of the footer.
const ACTIONS: &[Spec] = &[
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
    row(
        Action::Reuse,
        "reuse",
        &[Table, Detail],
        &["e"],
        "edit again",
        "take it into the editor: to vary it, or to mend a failure where it is about",
    ),
    row(Action::Again, "again", &[Table, Detail], &["."], "", "the same request once more: a new picture, paid again"),
    row(Action::Promote, "promote", &[Table, Detail], &["p"], "", "the same prompt on another model"),
    row(
        Action::Reference,
        "reference",
        &[Table, Detail],
        &["y"],
        "",
        "its output as the input of a model that takes such a file",
    ),
    row(Action::Star, "star", SEEN, &["s"], "", "star it, or take the star away"),
    row(Action::Family, "family", &[Table, Detail], &["F", "shift-f"], "", "what it came from, and what came of it"),
    row(
        Action::Causes,
        "causes",
        &[Table, Detail],
        &["E", "shift-e"],
        "",
        "what failed, by cause: one decision for all",
    ),
    row(
        Action::Accept,
        "send-carried",
        &[Carried],
        &["enter"],
        "send it",
        "send it; what is missing opens in the editor",
    ),
    row(Action::Reuse, "edit-carried", &[Carried], &["e"], "edit it", "open it in the editor first"),
    row(
        Action::Accept,
        "go-to-relative",
        &[Family],
        &["enter", "l", "right"],
        "go there",
        "go to this task in the table",
    ),
    row(
        Action::Send,
        "send-cause",
        &[Causes],
        &["r"],
        "send again",
        "send all of this cause again, where that makes sense",
    ),
    row(Action::Reuse, "mend-cause", &[Causes], &["e"], "mend one", "open the newest of them in the editor"),
    row(Action::Forget, "drop-cause", &[Causes], &["X", "shift-x"], "drop", "drop those that were never sent"),
    row(
        Action::Accept,
        "go-to-failure",
        &[Causes],
        &["enter", "l", "right"],
        "go to one",
        "go to the newest of them in the table",
    ),
    row(
        Action::Send,
        "send",
        &[Table, Detail],
        &["r"],
        "send it",
        "send a held task; settle an unsure one with the same key; on a batch also retry what failed and may work now",
    ),
    row(Action::Resume, "resume", &[Table, Detail], &["shift-r", "R"], "", "go on after the queue was paused"),
    row(Action::Look, "look", &[Table, Detail], &["f"], "", "ask the service for news of the task now"),
    row(Action::Fetch, "fetch", &[Table, Detail], &["d"], "", "fetch its files again if they are gone"),
    row(
        Action::Forget,
        "forget",
        &[Table, Detail],
        &["shift-x", "X"],
        "",
        "drop a task that was never sent; on a batch all of those",
    ),
    row(Action::Fold, "fold", &[Table], &["space"], "fold", "fold the batch here, or unfold it"),
    row(Action::FoldAll, "fold-all", &[Table], &["z"], "", "fold all batches, or unfold them"),
    row(Action::Shut, "shut", &[Table], &["left", "h"], "", "fold the batch here"),
    row(Action::Pause, "pause", &[Table, Detail], &["P", "shift-p"], "pause", "pause the batch here, or let it go on"),
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
    row(Action::Add, "add", &[List], &["a", "insert"], "add", "type or paste an address, or the path of a file"),
    row(Action::FromTask, "from-task", &[List], &["t"], "from a task", "take what a finished task delivered"),
    row(Action::Edit, "edit-item", &[List], &["enter"], "change", "change this one"),
    row(Action::Remove, "remove", &[List], &["d", "delete", "backspace"], "remove", "remove this one"),
    row(Action::Raise, "raise", &[List], &["K", "shift-k", "alt-up", "shift-up"], "move", "move it one up"),
    row(Action::Lower, "lower", &[List], &["J", "shift-j", "alt-down", "shift-down"], "", "move it one down"),
    row(Action::Close, "done", &[Text], &["esc", "ctrl-s"], "done", "back to the fields; the text is kept"),
    row(Action::Close, "done-list", &[List], &["esc", "q"], "done", "back to the fields; the list is kept"),
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
    row(Action::Model, "model", &[Editor, Form, Table], &["ctrl-o", "alt-m"], "model", "choose the model"),
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
    row(
        Action::Json,
        "json",
        &[Editor, Form],
        &["alt-j"],
        "",
        "the input as JSON, to see and to edit; again: prompt and fields",
    ),
    row(Action::Undo, "undo", &[Editor, Text], &["ctrl-u"], "", "undo"),
    row(Action::Redo, "redo", &[Editor, Text], &["ctrl-r"], "", "redo"),
    row(Action::NextPane, "next-pane", PANES, &["tab"], "next pane", "prompt, fields, table, and around again"),
    row(Action::PreviousPane, "previous-pane", PANES, &["shift-tab"], "", "the same backwards"),
    row(Action::Leave, "leave", &[Editor, Form], &["esc"], "table", "back to the table; the text stays"),
    row(Action::Close, "close-picture", &[Viewer], &["esc", "q", "v"], "close", "back"),
    row(
        Action::Close,
        "close",
        &[Detail, Picker, Choices, Carried, Family, Causes, Input, Help, Setup],
        &["esc"],
        "close",
        "close this",
    ),
    row(Action::Close, "back", &[Confirm], &["esc"], "back", "back to the prompt; nothing is sent and nothing lost"),
    row(Action::Close, "close-too", &[Detail, Carried, Family, Causes, Help], &["q", "left", "h"], "", "close this"),
    row(Action::Help, "help", EVERYWHERE, &["f1"], "", "the keys of this place"),
    row(
        Action::Help,
        "help-too",
        &[Table, Form, Detail, Viewer, List, Carried, Family, Causes],
        &["?"],
        "help",
        "the keys of this place",
    ),
    row(Action::Repaint, "repaint", EVERYWHERE, &["ctrl-l"], "", "paint the whole screen again"),
    row(Action::Suspend, "suspend", EVERYWHERE, &["ctrl-z"], "", "back to the shell; fg brings it back"),
    row(Action::Quit, "quit", EVERYWHERE, &["ctrl-q", "ctrl-c"], "", "leave; tasks keep running at the service"),
    row(Action::Quit, "quit-too", &[Table], &["q"], "quit", "leave; tasks keep running at the service"),
];

/// Every action there is.
pub fn all() -> impl Iterator<Item = &'static Spec> {
    ACTIONS.iter().chain(super::writing::ACTIONS)
}

/// What a chord means in a place.
#[must_use]
pub fn resolve(chord: Chord, place: Place) -> Option<Action> {
    let hit = |spec: &&Spec| spec.places.contains(&place) && spec.keys.iter().any(|key| key.parse() == Ok(chord));
    all().find(hit).map(|spec| spec.action)
}

/// The rows that work in a place, in the order of the table.
pub fn here(place: Place) -> impl Iterator<Item = &'static Spec> {
    all().filter(move |spec| spec.places.contains(&place))
}

#[cfg(test)]
mod tests;
