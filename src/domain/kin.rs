//! Where a task came from: which other one, and how. And the family that makes of tasks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{LocalId, Task};

/// How a task came from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The same request once more, for another picture.
    Again,
    /// The request, changed by hand.
    Vary,
    /// The request of a failure, mended.
    Fix,
    /// The same request once more, for the first time it came to nothing.
    Retry,
    /// The prompt and what could be carried, on another model.
    Promote,
    /// Its output is an input of this one.
    Reference,
}

impl How {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Again, Self::Vary, Self::Fix, Self::Retry, Self::Promote, Self::Reference];

    /// The word for it in the store and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Again => "again",
            Self::Vary => "vary",
            Self::Fix => "fix",
            Self::Retry => "retry",
            Self::Promote => "promote",
            Self::Reference => "reference",
        }
    }

    /// What such a task is to the one it came from, for people: `fix of`.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Again => "again as",
            Self::Vary => "varied from",
            Self::Fix => "fix of",
            Self::Retry => "retry of",
            Self::Promote => "promoted from",
            Self::Reference => "made from the output of",
        }
    }
}

/// A word that is none of [`How`]'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such way to come from a task")]
pub struct NoSuchWay;

impl FromStr for How {
    type Err = NoSuchWay;
    fn from_str(text: &str) -> Result<Self, NoSuchWay> {
        Self::ALL.into_iter().find(|how| how.word() == text).ok_or(NoSuchWay)
    }
}

/// Where a task came from. Written once, with the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Kin {
    /// The task it came from. It may be gone.
    pub parent: LocalId,
    /// How.
    pub how: How,
}

impl fmt::Display for Kin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.how.phrase(), self.parent.short())
    }
}

/// More of a family than this is not shown.
pub const MOST: usize = 500;

/// One member of a family, in the order of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which task.
    pub id: LocalId,
    /// How it came from the one above it.
    pub how: Option<How>,
    /// For each generation between the eldest and this one: whether a younger sister of that line follows below. The
    /// last one is about itself.
    pub lines: Vec<bool>,
}

/// The family of a task among these: the eldest known ancestor first, children below their parent in the order they
/// were made. A parent that is not among them is where the family begins.
#[must_use]
pub fn family<'a>(tasks: impl Iterator<Item = &'a Task>, of: LocalId) -> Vec<Member> {
    let mut parents: BTreeMap<LocalId, Kin> = BTreeMap::new();
    let mut children: BTreeMap<LocalId, Vec<(crate::time::Wall, LocalId)>> = BTreeMap::new();
    let mut known: BTreeSet<LocalId> = BTreeSet::new();
    let mut here = false;
    for task in tasks {
        here |= task.id == of;
        if let Some(kin) = task.kin {
            parents.insert(task.id, kin);
            children.entry(kin.parent).or_default().push((task.created, task.id));
            known.insert(task.id);
        }
        // Only those in some line are worth remembering, and who has no parent is known by its children.
        if task.id == of || task.kin.is_none() {
            known.insert(task.id);
        }
    }
    if !here {
        return Vec::new();
    }
    let mut eldest = of;
    let mut seen = BTreeSet::from([of]);
    while let Some(kin) = parents.get(&eldest).filter(|kin| known.contains(&kin.parent)) {
        // A ring cannot be made here, but what was stored is not believed.
        if !seen.insert(kin.parent) {
            break;
        }
        eldest = kin.parent;
    }
    children.values_mut().for_each(|born| born.sort_unstable());
    let mut members = Vec::new();
    let mut placed = BTreeSet::new();
    let mut waiting = vec![(eldest, Vec::new())];
    while let Some((id, lines)) = waiting.pop() {
        if members.len() >= MOST || !placed.insert(id) {
            continue;
        }
        let born = children.get(&id).map_or(&[][..], Vec::as_slice);
        for (at, (_, child)) in born.iter().enumerate().rev() {
            let mut below: Vec<bool> = lines.clone();
            below.push(at + 1 < born.len());
            waiting.push((*child, below));
        }
        let how = parents.get(&id).filter(|_| id != eldest).map(|kin| kin.how);
        members.push(Member { id, how, lines });
    }
    members
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::Request;
    use crate::time::Wall;

    fn id(n: u128) -> LocalId {
        LocalId::from_random(n << 64)
    }

    fn task(n: u128, parent: Option<u128>) -> Task {
        let request = Request::new("m", None, serde_json::Map::new(), String::new(), String::new(), None);
        let mut task = Task::new(id(n), Arc::new(request), Wall(i64::try_from(n).unwrap_or(0)));
        task.kin = parent.map(|parent| Kin { parent: id(parent), how: How::Vary });
        task
    }

    #[test]
    fn every_way_has_a_word_that_leads_back() {
        for how in How::ALL {
            assert_eq!(how.word().parse(), Ok(how));
            assert_eq!(serde_json::to_value(how).ok(), Some(how.word().into()));
        }
        assert_eq!("melted".parse::<How>(), Err(NoSuchWay));
    }

    #[test]
    fn a_family_is_the_eldest_and_all_that_came_of_it() {
        let tasks =
            [task(1, None), task(2, Some(1)), task(3, Some(1)), task(4, Some(2)), task(9, None), task(5, Some(8))];
        let seen = |of: u128| -> Vec<(LocalId, usize)> {
            family(tasks.iter(), id(of)).into_iter().map(|member| (member.id, member.lines.len())).collect()
        };
        let whole = vec![(id(1), 0), (id(2), 1), (id(4), 2), (id(3), 1)];
        assert_eq!(seen(4), whole);
        assert_eq!(seen(1), whole);
        assert_eq!(seen(9), [(id(9), 0)]);
        assert_eq!(seen(5), [(id(5), 0)], "its parent is gone");
        assert_eq!(seen(77), []);
        let lines: Vec<Vec<bool>> = family(tasks.iter(), id(1)).into_iter().map(|member| member.lines).collect();
        assert_eq!(lines, [vec![], vec![true], vec![true, false], vec![false]]);
    }

    #[test]
    fn a_ring_ends() {
        let tasks = [task(1, Some(2)), task(2, Some(1))];
        assert_eq!(family(tasks.iter(), id(1)).len(), 2);
    }
}
