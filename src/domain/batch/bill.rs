//! What many tasks may cost together, with what is not known said beside the sum.

use crate::domain::catalogue::{Catalogue, Role};
use crate::domain::money::{self, Usd};
use crate::domain::price::quote;
use crate::domain::request::{Request, plain};
use crate::time::Wall;

/// The unit of prices that go by the length.
const BY_TIME: &str = "second";
/// Part of the unit of prices that go by the length of a text.
const BY_TEXT: &str = "characters";

/// Number and price.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bill {
    /// How many tasks; saturating.
    pub tasks: u128,
    /// Of those whose price is known.
    pub usd: Usd,
    /// Some prices are the dearest that can be meant.
    pub at_most: bool,
    /// How many tasks have a price that nobody knows.
    pub unknown: u128,
    /// When the oldest price was seen.
    pub seen: Option<String>,
}

/// What one request may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The amount.
    pub usd: Usd,
    /// It is the dearest that can be meant.
    pub at_most: bool,
    /// When the price was seen.
    pub seen: String,
}

/// What a request may cost as a whole: the price of a unit, times the seconds where it goes by them. None: not known.
#[must_use]
pub fn cost(request: &Request, catalogue: &Catalogue) -> Option<Cost> {
    let quote = quote(request, catalogue)?;
    let times = if quote.unit == BY_TIME {
        let field = catalogue.get(&request.full_model())?.with_role(Role::Seconds)?;
        plain(request.input.get(&field.name).or(field.default.as_ref())?).parse::<f64>().ok()?
    } else if quote.unit.contains(BY_TEXT) {
        return None;
    } else {
        1.0
    };
    Some(Cost { usd: Usd::new(quote.usd * times)?, at_most: quote.at_most, seen: quote.seen })
}

impl Cost {
    /// In words, with the age of the price.
    #[must_use]
    pub fn words(&self, now: Wall) -> String {
        let most = if self.at_most { "at most " } else { "" };
        format!("{most}{}, as seen {}", self.usd, money::seen(&self.seen, now))
    }
}

impl Bill {
    /// Adds so many tasks of the same price.
    pub fn add(&mut self, tasks: u128, cost: Option<&Cost>) {
        self.tasks = self.tasks.saturating_add(tasks);
        match cost {
            None => self.unknown = self.unknown.saturating_add(tasks),
            Some(cost) => {
                self.usd = self.usd.plus(cost.usd.times(tasks));
                self.at_most |= cost.at_most;
                if self.seen.as_ref().is_none_or(|seen| cost.seen < *seen) {
                    self.seen = Some(cost.seen.clone());
                }
            }
        }
    }

    /// The same so many times over.
    #[must_use]
    pub fn times(&self, times: u128) -> Self {
        Self {
            tasks: self.tasks.saturating_mul(times),
            usd: self.usd.times(times),
            unknown: self.unknown.saturating_mul(times),
            ..self.clone()
        }
    }

    /// The price in words.
    #[must_use]
    pub fn price(&self) -> String {
        if self.tasks > 0 && self.unknown == self.tasks {
            return "price unknown".to_owned();
        }
        let most = if self.at_most { "at most " } else { "" };
        let seen = self.seen.as_ref().map(|seen| format!(", prices as seen {seen}")).unwrap_or_default();
        let rest = if self.unknown > 0 { format!(", and {} of unknown price", self.unknown) } else { String::new() };
        format!("{most}{:.2}{rest}{seen}", self.usd)
    }
}
