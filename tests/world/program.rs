//! One run after the other of the program: the real fleet, and a store that loses what was not synced.

use std::collections::{BTreeMap, VecDeque};

use plantain::config::Allowance;
use plantain::domain::{Change, LocalId, Stage, Task};
use plantain::fleet::Fleet;
use plantain::time::Mono;

/// What is on the disk, and what is only on its way there.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    pub tasks: BTreeMap<LocalId, Task>,
    pub coming: VecDeque<Change>,
    pub full: bool,
}

impl Disk {
    /// Makes the oldest write durable, or refuses it. Says whom to tell what.
    pub fn sync_one(&mut self) -> Option<(LocalId, Stage, bool)> {
        let works = !self.full;
        match self.coming.pop_front()? {
            Change::New(task) | Change::Progress(task) => {
                let told = (task.id, task.status.stage(), works);
                if works {
                    self.tasks.insert(task.id, *task);
                }
                Some(told)
            }
            Change::Forget(id) => {
                if works {
                    self.tasks.remove(&id);
                }
                None
            }
            // Of several windows there is none here.
            Change::Draft(_) | Change::Intent(_) | Change::Wish(_) | Change::Found(_) | Change::Paused(_) => None,
        }
    }
}

/// A program that runs on a store. (Several programs on one store would be several of these on one [`Disk`].)
#[derive(Debug)]
pub struct Program {
    pub fleet: Fleet,
    /// Which run of the program this is: what was meant for an earlier one is not heard.
    pub life: u32,
    /// When, in true time, its clock said zero.
    pub born_ms: i64,
    /// Which of its alarms is the valid one.
    pub alarm: u64,
    pub alarm_at: Option<Mono>,
    /// True times at which its requests left.
    pub sent: VecDeque<i64>,
    pub creations: usize,
    pub looks: usize,
    pub fetches: usize,
}

impl Program {
    pub fn new(allowance: Allowance, life: u32, born_ms: i64, seed: u128) -> Self {
        Self {
            fleet: Fleet::new(allowance, seed),
            life,
            born_ms,
            alarm: 0,
            alarm_at: None,
            sent: VecDeque::new(),
            creations: 0,
            looks: 0,
            fetches: 0,
        }
    }
}
