//! What was learned of durations: from the store to the fleet.

use crate::app::Msg;
use crate::domain::Lesson;
use crate::fleet::FleetMsg;
use crate::fleet::durations::Curve;
use crate::store::Store;

use super::hands::{Hands, Note, deliver};

/// What the fleet is told of it. A lesson that is none is left out: it is learned anew.
pub(super) fn told(lessons: Vec<Lesson>) -> FleetMsg {
    let read = |Lesson { about, text }: Lesson| {
        let curve = Curve::read(&text);
        if curve.is_none() {
            tracing::warn!(about = about.escape_debug().to_string(), "what was learned of durations is damaged");
        }
        curve.map(|curve| (about, curve))
    };
    FleetMsg::Learned(lessons.into_iter().filter_map(read).collect())
}

/// Reads it before anything else is done, for commands.
pub(super) fn read(store: &Store) -> FleetMsg {
    let lessons = store.learned().unwrap_or_else(|problem| {
        tracing::warn!(%problem, "what was learned of durations cannot be read");
        Vec::new()
    });
    told(lessons)
}

impl Hands {
    /// Reads what was learned of durations, beside the loop.
    pub(super) fn recall(&self) {
        let (Some(store), inbox) = (self.store(), self.inbox()) else { return };
        store.learned_then(move |lessons| match lessons {
            Ok(lessons) => deliver(&inbox, Note::Msg(Msg::Fleet(told(lessons)))),
            Err(problem) => tracing::warn!(%problem, "what was learned of durations cannot be read"),
        });
    }
}
