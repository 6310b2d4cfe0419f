//! When what was learned of durations is kept: rarely, and never before what was kept earlier is known.

use std::time::Duration;

use crate::domain::Change;
use crate::time::{Mono, Now};

use super::durations::Curve;
use super::{Fleet, Order};

/// After the first thing learned, others are waited for so long. What a crash loses was not worth a write.
const WAIT: Duration = Duration::from_secs(30);

/// What is known of keeping.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lessons {
    /// What was kept earlier has been taken in: now it can be replaced by what is better.
    ready: bool,
    /// When to keep what is new.
    due: Option<Mono>,
}

impl Lessons {
    pub(super) fn due(&self) -> Option<Mono> {
        self.due
    }
}

impl Fleet {
    /// Takes in what was learned in earlier runs; from here on what is new is kept.
    pub(super) fn learned_before(&mut self, learned: Vec<(String, Curve)>) {
        self.learn(learned);
        self.lessons.ready = true;
    }

    pub(super) fn pump_lessons(&mut self, now: Now, orders: &mut Vec<Order>) {
        if self.lessons.due.is_some_and(|due| due <= now.mono) {
            orders.extend(self.keep());
        }
        if self.lessons.ready && self.lessons.due.is_none() && self.watch.durations().has_news() {
            self.lessons.due = Some(now.mono + WAIT);
        }
    }

    /// The program ends: what was learned and not kept is to be kept now.
    pub fn leave(&mut self) -> Option<Order> {
        self.lessons.due.and_then(|_| self.keep())
    }

    fn keep(&mut self) -> Option<Order> {
        self.lessons.due = None;
        let lessons = self.watch.durations_mut().lessons();
        (!lessons.is_empty()).then_some(Order::Save(Change::Learned(lessons)))
    }
}
