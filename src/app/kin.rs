//! Dialogs about where tasks come from and what comes of them: another model, what is carried there, the family, the
//! causes of failures.

use std::sync::Arc;

use crate::domain::catalogue::ModelSpec;
use crate::domain::cause::{Cause, causes};
use crate::domain::kin::{Member, family};
use crate::domain::promote::{Carried, live_link, takes};
use crate::domain::{How, LocalId, Task};
use crate::keys::Place;

use super::state::State;
use super::update::matching_models;

/// One of these dialogs.
#[derive(Clone, Debug, PartialEq)]
pub enum KinDialog {
    /// A list of models to go on with; typing narrows it.
    Target {
        /// The task to go on from.
        of: LocalId,
        /// With its prompt, or with its output.
        how: How,
        /// What was typed.
        query: String,
        /// The chosen row among those that match.
        cursor: usize,
    },
    /// What is carried to another model, before it is sent.
    Carried(Box<Promotion>),
    /// What a task came from, and what came of it.
    Family {
        /// The chosen member.
        at: LocalId,
    },
    /// What failed, by cause.
    Causes {
        /// A task of the chosen cause.
        at: Option<LocalId>,
        /// These are sent again at the next press.
        sure: Option<Vec<LocalId>>,
    },
}

/// What would be sent to another model.
#[derive(Clone, Debug, PartialEq)]
pub struct Promotion {
    /// The task it comes from.
    pub of: LocalId,
    /// How it comes from it.
    pub how: How,
    /// What is carried.
    pub carried: Carried,
    /// Lines scrolled away at the top.
    pub scroll: u16,
}

impl KinDialog {
    /// Where the keyboard is while this is open.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Target { .. } => Place::Picker,
            Self::Carried(_) => Place::Carried,
            Self::Family { .. } => Place::Family,
            Self::Causes { .. } => Place::Causes,
        }
    }

    /// The task that the preview shows and that keys act on.
    #[must_use]
    pub fn about(&self) -> Option<LocalId> {
        match self {
            Self::Target { of, .. } => Some(*of),
            Self::Carried(promotion) => Some(promotion.of),
            Self::Family { at, .. } => Some(*at),
            Self::Causes { .. } => None,
        }
    }
}

/// The models that a task can go on with.
#[must_use]
pub fn targets(state: &State, of: LocalId, how: How, query: &str) -> Vec<Arc<ModelSpec>> {
    let mut rows = matching_models(query, &state.catalogue);
    let Some(task) = state.fleet.task(of) else { return Vec::new() };
    let own = task.request.full_model();
    let media = output_of(state, task).and_then(|link| link.ok()).map(|(_, media)| media);
    rows.retain(|spec| {
        spec.is_current()
            && match how {
                How::Reference => media.is_some_and(|media| takes(spec, media).is_some()),
                _ => spec.name != own,
            }
    });
    rows
}

/// The link of the output that is looked at, or why it cannot be used; nothing, if there is no output.
#[must_use]
pub fn output_of<'a>(state: &'a State, task: &'a Task) -> Option<Result<(&'a str, &'static str), String>> {
    let at = state.picked.filter(|(id, _)| *id == task.id).map_or(0, |(_, at)| at);
    let output = task.outputs.get(at).or_else(|| task.outputs.first())?;
    Some(live_link(output, state.fleet.at_service(state.now)))
}

/// The family of a task, as far as it is loaded.
#[must_use]
pub fn members(state: &State, of: LocalId) -> Vec<Member> {
    family(state.fleet.tasks().map(AsRef::as_ref), of)
}

/// What failed among the loaded tasks, by cause.
#[must_use]
pub fn failures(state: &State) -> Vec<Cause> {
    let tasks: Vec<&Task> = state.fleet.tasks().map(AsRef::as_ref).collect();
    causes(tasks.into_iter())
}

/// The row of the cause that this task belongs to.
#[must_use]
pub fn row_of(causes: &[Cause], at: Option<LocalId>) -> usize {
    at.and_then(|id| causes.iter().position(|cause| cause.tasks.contains(&id))).unwrap_or(0)
}
