//! How a task is sent once more: as it is, changed, or to another model.

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Retry {
    /// Which tasks; a unique prefix is enough
    #[arg(value_name = "ID", required = true)]
    pub ids: Vec<String>,
    /// Set a field; may be given many times. Without a value it is left to the service
    #[arg(long = "set", short, value_name = "FIELD=VALUE")]
    pub fields: Vec<String>,
    /// Another prompt
    #[arg(long, value_name = "TEXT")]
    pub prompt: Option<String>,
    /// Do not ask, however many and however dear; also another picture of what is done
    #[arg(long, short)]
    pub yes: bool,
    /// Wait until the tasks have ended and their outputs are here
    #[arg(long, short)]
    pub wait: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Promote {
    /// Which task; a unique prefix is enough
    pub id: String,
    /// The model to send it to
    #[arg(long, short)]
    pub model: String,
    /// Give that model its output to work on, while the link lives
    #[arg(long)]
    pub reference: bool,
    /// Set a field of that model; may be given many times. Without a value it is left to the service
    #[arg(long = "set", short, value_name = "FIELD=VALUE")]
    pub fields: Vec<String>,
    /// Another prompt
    #[arg(long, value_name = "TEXT")]
    pub prompt: Option<String>,
    /// Show what is carried and the request, and send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Wait until the task has ended and its outputs are here
    #[arg(long, short)]
    pub wait: bool,
    /// One JSON object a line
    #[arg(long)]
    pub json: bool,
}
