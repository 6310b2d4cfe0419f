//! Where the keyboard can be.

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
    /// What is carried to another model, before it is sent.
    Carried,
    /// The family of a task.
    Family,
    /// What failed, by cause.
    Causes,
    /// The list of snippets.
    Snippets,
    /// A line to type a value.
    Input,
    /// A long text of a field.
    Text,
    /// The addresses or texts of a field.
    List,
    /// The question before many tasks are sent.
    Confirm,
    /// The help.
    Help,
    /// The screen that says how to set a key.
    Setup,
}
