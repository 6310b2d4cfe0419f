//! The page of the manual about keys, written from the table.

use super::Place;
use super::actions::here;

/// The places in the order of the manual, with their headings.
pub const PLACES: &[(Place, &str)] = &[
    (Place::Editor, "The prompt"),
    (Place::Form, "The fields under it"),
    (Place::Table, "The task table"),
    (Place::Detail, "The details of a task"),
    (Place::Viewer, "A picture that fills the screen"),
    (Place::Picker, "A list to choose from"),
    (Place::Choices, "The values of a field"),
    (Place::Carried, "What is carried to another model"),
    (Place::Family, "The family of a task"),
    (Place::Causes, "What failed, by cause"),
    (Place::Snippets, "The snippets"),
    (Place::Input, "A line to type a value"),
    (Place::Text, "A long text of a field"),
    (Place::List, "The addresses of a field"),
    (Place::Confirm, "The question before many tasks are sent"),
    (Place::Help, "The help"),
    (Place::Setup, "The screen about the API key"),
];

/// The whole page, in Markdown.
#[must_use]
pub fn page() -> String {
    let mut out = String::from(
        "# Keys\n\nWritten from the table in `src/keys/actions.rs`; `tests/docs.rs` keeps both the same.\n",
    );
    for (place, heading) in PLACES {
        out.push_str(&format!("\n## {heading}\n\n| keys | does |\n|---|---|\n"));
        let mut rows: Vec<(Vec<&str>, &str)> = Vec::new();
        for spec in here(*place) {
            match rows.iter_mut().find(|(_, help)| *help == spec.help) {
                Some((keys, _)) => keys.extend(spec.keys),
                None => rows.push((spec.keys.to_vec(), spec.help)),
            }
        }
        for (keys, help) in rows {
            let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
            out.push_str(&format!("| {} | {help} |\n", keys.join(" ")));
        }
    }
    out
}
