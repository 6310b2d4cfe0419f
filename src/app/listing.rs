//! The addresses of a field: those there are, and those that finished tasks have to offer while their links live.

use std::time::Duration;

use crate::domain::{AssetId, Field, Output, Task};
use crate::time::Wall;

use super::line::Line;
use super::state::State;

/// With less than this left, a link may have ended before the service fetches what it leads to.
const SHORT: Duration = Duration::from_secs(3600);

/// The list of a field's addresses, or texts.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// The field.
    pub field: String,
    /// The chosen one.
    pub cursor: usize,
    /// What is being done.
    pub mode: Mode,
    /// Why something was not taken.
    pub fault: Option<String>,
    /// A file is being read.
    pub reading: bool,
}

impl Listing {
    /// The list of a field, with nothing going on.
    #[must_use]
    pub fn new(field: String) -> Self {
        Self { field, cursor: 0, mode: Mode::Look, fault: None, reading: false }
    }
}

/// What is being done with the list.
#[derive(Clone, Debug, PartialEq)]
pub enum Mode {
    /// Looking at it.
    Look,
    /// Typing one.
    Type {
        /// What was typed.
        line: Line,
        /// The one that it replaces; `None` for a new one.
        at: Option<usize>,
    },
    /// Choosing what a task delivered.
    Pick {
        /// The chosen row.
        cursor: usize,
        /// What was typed to narrow the rows.
        query: Line,
    },
}

/// How long a link still works, by the service's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It has ended.
    Over,
    /// It ends soon.
    Short(Duration),
    /// It works for this long.
    Long(Duration),
    /// The service did not say.
    Unknown,
}

/// How long the link of an output still works.
#[must_use]
pub fn life(output: &Output, at_service: Wall) -> Life {
    let Some(end) = output.expires else { return Life::Unknown };
    match u64::try_from(end.0.saturating_sub(at_service.0)) {
        Err(_) | Ok(0) => Life::Over,
        Ok(millis) => match Duration::from_millis(millis) {
            left if left < SHORT => Life::Short(left),
            left => Life::Long(left),
        },
    }
}

/// What a finished task has to offer.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// Which output.
    pub asset: AssetId,
    /// Its link.
    pub url: String,
    /// Its role, in the service's word.
    pub role: String,
    /// What was asked for.
    pub prompt: String,
    /// When the task was made here.
    pub created: Wall,
    /// How long the link works.
    pub life: Life,
}

/// Whether an output of this role is what a field of this kind takes.
fn suits(role: &str, media: &str) -> bool {
    // A frame or thumbnail of a clip is a picture.
    role == media || (media == "image" && matches!(role, "first_frame" | "last_frame" | "thumbnail"))
}

fn offers_of<'a>(task: &'a Task, at_service: Wall) -> impl Iterator<Item = Offer> + 'a {
    task.assets().map(move |(asset, output)| Offer {
        asset,
        url: output.url.clone(),
        role: output.role.clone(),
        prompt: task.request.prompt.clone(),
        created: task.created,
        life: life(output, at_service),
    })
}

/// What tasks have to offer for a field, the newest first; all words of the query are in the prompt or the id.
#[must_use]
pub fn offers(state: &State, field: &Field, query: &str) -> Vec<Offer> {
    const MOST: usize = 500;
    let Some(media) = field.media.as_deref() else { return Vec::new() };
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let now = state.fleet.at_service(state.now);
    let mut tasks: Vec<&Task> =
        state.fleet.tasks().map(AsRef::as_ref).filter(|task| !task.outputs.is_empty()).collect();
    tasks.sort_by_key(|task| std::cmp::Reverse((task.created, task.id)));
    let matches = |task: &&Task| {
        words.is_empty() || {
            let text = format!("{} {}", task.request.prompt, task.id).to_lowercase();
            words.iter().all(|word| text.contains(word))
        }
    };
    let all = tasks.into_iter().filter(matches).flat_map(|task| offers_of(task, now));
    all.filter(|offer| suits(&offer.role, media)).take(MOST).collect()
}

/// The task that delivered what this address leads to, if it is one of ours.
#[must_use]
pub fn origin(state: &State, url: &str) -> Option<Offer> {
    let now = state.fleet.at_service(state.now);
    let task = state.fleet.tasks().find(|task| task.outputs.iter().any(|output| output.url == url))?;
    offers_of(task, now).find(|offer| offer.url == url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::OutputState;

    #[test]
    fn a_link_lives_as_long_as_the_service_said() {
        let output = |expires| Output { url: String::new(), role: String::new(), expires, state: OutputState::Away };
        let at = |millis: i64| life(&output(Some(Wall(millis))), Wall(1_000_000));
        assert_eq!((at(999_999), at(1_000_000)), (Life::Over, Life::Over));
        assert_eq!(at(1_060_000), Life::Short(Duration::from_secs(60)));
        assert_eq!(at(1_000_000 + 7_200_000), Life::Long(Duration::from_secs(7200)));
        assert_eq!(life(&output(None), Wall(0)), Life::Unknown);
        assert_eq!(life(&output(Some(Wall(i64::MIN))), Wall(i64::MAX)), Life::Over);
    }

    #[test]
    fn a_frame_of_a_clip_is_a_picture() {
        assert!(suits("first_frame", "image") && suits("video", "video") && suits("image", "image"));
        assert!(!suits("image", "video") && !suits("audio", "image"));
    }
}
