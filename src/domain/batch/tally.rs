//! What a batch comes to: how many of its tasks stand where, and what they may cost. Kept up to date a task at a time, so
//! that nobody has to walk through thousands of them to show one line.

use super::bill::Cost;
use crate::domain::{LocalId, Stage};

/// Millionths of a dollar: whole numbers, so that what is added and taken away again leaves nothing behind.
const MICROS: f64 = 1e6;

/// What one task may cost, as far as anybody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Millionths of a dollar; none: not known.
    pub micros: Option<u64>,
    /// It is the dearest that can be meant.
    pub at_most: bool,
}

impl From<Option<Cost>> for Price {
    fn from(cost: Option<Cost>) -> Self {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small sum; the cast saturates")]
        let micros = cost.as_ref().map(|cost| (cost.usd * MICROS).round() as u64);
        Self { micros, at_most: cost.is_some_and(|cost| cost.at_most) }
    }
}

/// A task of a batch, as the store tells of those that are not loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which one.
    pub id: LocalId,
    /// Where it stands.
    pub stage: Stage,
    /// What it may cost.
    pub price: Price,
    /// It failed, and its row was tried again.
    pub retried: bool,
}

/// The tasks of one stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Part {
    tasks: u64,
    micros: u64,
    unknown: u64,
    at_most: u64,
}

/// Some tasks of a batch together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    parts: [Part; Stage::ALL.len()],
}

/// A sum of money.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    /// USD, of the tasks whose price is known.
    pub usd: f64,
    /// Some prices are the dearest that can be meant.
    pub at_most: bool,
    /// How many tasks have a price that nobody knows.
    pub unknown: u64,
    /// How many tasks there are.
    pub tasks: u64,
}

impl Tally {
    /// One task more in this stage.
    pub fn add(&mut self, stage: Stage, price: Price) {
        let part = &mut self.parts[stage as usize];
        part.tasks += 1;
        part.micros += price.micros.unwrap_or(0);
        part.unknown += u64::from(price.micros.is_none());
        part.at_most += u64::from(price.at_most);
    }

    /// One task less. False if there is none: then the tally is not of this task.
    pub fn take(&mut self, stage: Stage, price: Price) -> bool {
        let part = &mut self.parts[stage as usize];
        if part.tasks == 0 {
            return false;
        }
        part.tasks -= 1;
        part.micros = part.micros.saturating_sub(price.micros.unwrap_or(0));
        part.unknown = part.unknown.saturating_sub(u64::from(price.micros.is_none()));
        part.at_most = part.at_most.saturating_sub(u64::from(price.at_most));
        true
    }

    /// How many stand there.
    #[must_use]
    pub fn count(&self, stage: Stage) -> u64 {
        self.parts[stage as usize].tasks
    }

    /// How many stand in any of these.
    #[must_use]
    pub fn sum_of(&self, stages: &[Stage]) -> u64 {
        stages.iter().map(|stage| self.count(*stage)).sum()
    }

    /// All of them.
    #[must_use]
    pub fn tasks(&self) -> u64 {
        self.parts.iter().map(|part| part.tasks).sum()
    }

    /// Both together.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for (mine, part) in all.parts.iter_mut().zip(&other.parts) {
            mine.tasks += part.tasks;
            mine.micros += part.micros;
            mine.unknown += part.unknown;
            mine.at_most += part.at_most;
        }
        all
    }

    /// What all of them may cost together.
    #[must_use]
    pub fn total(&self) -> Sum {
        self.sum(|_| true)
    }

    /// What those may cost that the service has taken, or may have taken. Whether it bills a failure is not known, so
    /// those count.
    #[must_use]
    pub fn so_far(&self) -> Sum {
        self.sum(|stage| !matches!(stage, Stage::Saved | Stage::Held | Stage::Refused))
    }

    fn sum(&self, counts: impl Fn(Stage) -> bool) -> Sum {
        let mut sum = Sum::default();
        let mut micros = 0;
        for (_, part) in Stage::ALL.into_iter().zip(&self.parts).filter(|(stage, _)| counts(*stage)) {
            micros += part.micros;
            sum.unknown += part.unknown;
            sum.tasks += part.tasks;
            sum.at_most |= part.at_most > 0;
        }
        #[allow(clippy::cast_precision_loss, reason = "a sum of money")]
        let usd = micros as f64 / MICROS;
        Sum { usd, ..sum }
    }
}

impl FromIterator<Member> for Tally {
    fn from_iter<T: IntoIterator<Item = Member>>(members: T) -> Self {
        let mut tally = Self::default();
        members.into_iter().for_each(|member| tally.add(member.stage, member.price));
        tally
    }
}

impl Sum {
    /// In words: what is known, and of how many nothing is.
    #[must_use]
    pub fn words(&self) -> String {
        let most = if self.at_most { "at most " } else { "" };
        match self.unknown {
            0 => format!("{most}${:.2}", self.usd),
            all if all == self.tasks => "price unknown".to_owned(),
            some => format!("{most}${:.2}, and {some} of unknown price", self.usd),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(usd: f64) -> Price {
        Price::from(Some(Cost { usd, at_most: false, seen: "2026".into() }))
    }

    #[test]
    fn what_moves_on_is_counted_once() {
        let mut tally = Tally::default();
        for _ in 0..10_000 {
            tally.add(Stage::Saved, price(0.039));
        }
        assert_eq!((tally.tasks(), tally.so_far().usd, tally.total().words().as_str()), (10_000, 0.0, "$390.00"));
        for _ in 0..10_000 {
            assert!(tally.take(Stage::Saved, price(0.039)));
            tally.add(Stage::Success, price(0.039));
        }
        assert!(!tally.take(Stage::Saved, price(0.039)), "there is none left");
        assert_eq!((tally.count(Stage::Success), tally.so_far()), (10_000, tally.total()));
        assert_eq!(tally.with(&tally).tasks(), 20_000);
    }

    #[test]
    fn what_is_not_known_is_said() {
        let mut tally = Tally::default();
        tally.add(Stage::Failed, Price::default());
        assert_eq!((tally.total().words().as_str(), tally.so_far().unknown), ("price unknown", 1));
        tally.add(Stage::Refused, Price { micros: Some(50_000), at_most: true });
        assert_eq!(tally.total().words(), "at most $0.05, and 1 of unknown price");
        assert_eq!(tally.so_far().tasks, 1, "what was refused costs nothing");
    }

    #[test]
    fn every_stage_has_its_place() {
        for (at, stage) in Stage::ALL.into_iter().enumerate() {
            assert_eq!(stage as usize, at);
        }
    }
}
