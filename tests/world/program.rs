//! One run of the program: the real fleet, the thread of its store, and what it has under way.

use std::collections::{BTreeMap, VecDeque};

use plantain::config::Allowance;
use plantain::domain::{Change, LocalId, Problem, Stage, Standing};
use plantain::fleet::{Fleet, FleetMsg};
use plantain::store::Heard;
use plantain::time::Mono;

/// What its store's thread brings it, in order.
#[derive(Clone, Debug)]
pub enum Note {
    Msg(Box<FleetMsg>),
    Heard(Box<Heard>),
}

/// A program that runs on the store, alone or with others.
#[derive(Debug)]
pub struct Program {
    pub fleet: Fleet,
    /// Which run of a program this is, of all: what was meant for another one is not heard.
    pub life: u32,
    /// When, in true time, its clock said zero.
    pub born_ms: i64,
    /// Which of its alarms is the valid one.
    pub alarm: u64,
    pub alarm_at: Option<Mono>,
    /// Its loop knows that it holds the lease.
    pub holds: bool,
    /// Its store's thread does: a little earlier.
    pub took: bool,
    /// It sends what it has begun, and ends.
    pub leaves: bool,
    /// Why nothing is sent, as the others were last told.
    pub paused: Option<Problem>,
    /// How it stands, as it last said to itself.
    pub standing: Standing,
    /// The last change of the store that it has read.
    pub seen: u64,
    /// It will look at the store.
    pub polls: bool,
    /// Writes on their way.
    pub coming: VecDeque<Change>,
    pub syncing: bool,
    /// When the latest note reaches it, and how many are on their way.
    pub note_at: i64,
    pub notes: usize,
    /// True times at which its requests left.
    pub sent: VecDeque<i64>,
    pub creations: usize,
    pub looks: usize,
    pub fetches: usize,
    /// How far it has seen each task.
    pub ranks: BTreeMap<LocalId, Stage>,
}

impl Program {
    pub fn new(allowance: Allowance, life: u32, born_ms: i64, seed: u128) -> Self {
        Self {
            fleet: Fleet::new(allowance, seed),
            life,
            born_ms,
            alarm: 0,
            alarm_at: None,
            holds: false,
            took: false,
            leaves: false,
            paused: None,
            standing: Standing::default(),
            seen: 0,
            polls: false,
            coming: VecDeque::new(),
            syncing: false,
            note_at: 0,
            notes: 0,
            sent: VecDeque::new(),
            creations: 0,
            looks: 0,
            fetches: 0,
            ranks: BTreeMap::new(),
        }
    }

    /// Nothing it has begun is under way.
    pub fn rests(&self) -> bool {
        self.coming.is_empty() && self.notes == 0 && !self.polls && self.creations + self.looks + self.fetches == 0
    }

    /// Something is on its way to the service, or its way there is being written down.
    pub fn is_sending(&self) -> bool {
        self.creations > 0 || self.fleet.tasks().any(|task| task.status.stage() == Stage::Sending)
    }
}
