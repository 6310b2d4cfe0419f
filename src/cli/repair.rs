//! `plantain repair`: a broken history is set aside, and what can be read of it goes into a new one.

use color_eyre::eyre::Report;

use crate::store::repair;

use super::args::Global;
use super::{DONE, complain, context, say};

pub(super) fn run(global: &Global) -> Result<u8, Report> {
    let places = context::places(global)?;
    let stamp = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S").to_string();
    let repaired = repair::repair(&places.data, &stamp)?;
    say(&format!("{} tasks are in the new history", repaired.tasks))?;
    say(&format!("the old one is kept as {}", repaired.aside.display()))?;
    if repaired.lost > 0 {
        complain(&format!("{} rows could not be taken over", repaired.lost));
    }
    if repaired.torn {
        complain("a part of the old history could not be read: tasks may be missing");
    }
    say("`plantain watch` goes on with what is in flight")?;
    Ok(DONE)
}
