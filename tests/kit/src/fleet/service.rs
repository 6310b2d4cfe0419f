//! A model of the service: an exact window, and a list.

use std::collections::VecDeque;

use plantain::domain::{Limits, LocalId, Output, OutputState, Page, Report, Source, Status, TaskId};
use plantain::time::Wall;

/// In milliseconds.
pub const MINUTE: i64 = 60_000;

/// A task that exists.
pub struct Entry {
    /// Its idempotency key.
    pub key: LocalId,
    /// Milliseconds since 1970.
    pub created: i64,
    /// Milliseconds since 1970.
    pub ends: i64,
}

/// The service.
pub struct Service {
    /// Requests that it allows.
    pub per_minute: usize,
    /// Those of the last minute.
    pub window: VecDeque<i64>,
    /// The tasks, oldest first.
    pub entries: Vec<Entry>,
}

impl Service {
    /// Without tasks.
    pub fn new(per_minute: usize) -> Self {
        Self { per_minute, window: VecDeque::new(), entries: Vec::new() }
    }

    /// Counts a request; or refuses it, for so many seconds.
    pub fn admit(&mut self, now: i64) -> Result<(), u32> {
        while self.window.front().is_some_and(|at| now - at >= MINUTE) {
            self.window.pop_front();
        }
        match self.window.front() {
            Some(first) if self.window.len() >= self.per_minute => Err(((MINUTE - (now - first)) / 1000 + 1) as u32),
            _ => {
                self.window.push_back(now);
                Ok(())
            }
        }
    }

    /// A task that takes so many milliseconds. Its name.
    pub fn create(&mut self, key: LocalId, now: i64, takes: i64) -> TaskId {
        let index = self.entries.len();
        self.entries.push(Entry { key, created: now, ends: now + takes });
        name(index)
    }

    /// What it says of a task.
    pub fn report(&self, index: usize, now: i64, source: Source) -> Report {
        let entry = &self.entries[index];
        let over = now >= entry.ends;
        let output = Output {
            url: format!("https://files.example/{index}.png"),
            role: "image".into(),
            expires: Some(Wall(entry.ends + 7 * 86_400_000)),
            state: OutputState::Away,
        };
        Report {
            task_id: name(index),
            model: "m".into(),
            status: if over { Status::Success } else { Status::Handling },
            outputs: if over { vec![output] } else { Vec::new() },
            // The service tells whole seconds.
            created: Some(Wall(entry.created / 1000 * 1000)),
            completed: over.then_some(Wall(entry.ends / 1000 * 1000)),
            source,
        }
    }

    /// What it says of the allowance.
    pub fn limits(&self) -> Option<Limits> {
        let limit = self.per_minute as u32;
        Some(Limits { limit, remaining: limit.saturating_sub(self.window.len() as u32), reset: None })
    }

    /// A page of its list: newest first, a hundred a page.
    pub fn page(&self, page: u32, now: i64) -> Page {
        let rows = (0..self.entries.len()).rev().skip((page as usize - 1) * 100).take(100);
        let reports = rows.map(|index| self.report(index, now, Source::Page)).collect();
        Page { page, size: 100, total: self.entries.len() as u64, reports }
    }
}

/// What the service calls a task.
pub fn name(index: usize) -> TaskId {
    format!("tk-{index:06}").parse().expect("an id")
}

/// Which task it calls so.
pub fn index(id: &TaskId) -> usize {
    id.as_str()[3..].parse().expect("ours")
}
