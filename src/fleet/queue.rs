//! Whose turn it is to be sent: order, slots, pauses, second attempts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::domain::{LocalId, Problem};
use crate::time::Mono;

/// The tasks that wait to be sent and those whose sending is under way.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// By turn: who came first, goes first.
    waiting: BTreeMap<i64, LocalId>,
    turns: HashMap<LocalId, i64>,
    /// The next turn at the end, and the next at the front.
    last: i64,
    first: i64,
    /// Slot taken: the status is on its way to the disk (`false`), or the bytes to the service (`true`).
    under_way: BTreeMap<LocalId, bool>,
    /// To be sent again, not before this moment.
    again: HashMap<LocalId, Mono>,
    again_at: BTreeSet<(Mono, LocalId)>,
    /// They keep their turns, but are not sent: their batches rest.
    parked: HashMap<LocalId, i64>,
    /// How often each was tried in this run.
    attempts: HashMap<LocalId, u32>,
    /// Nothing is sent until the user says so.
    blocked: Option<Problem>,
}

impl Queue {
    /// Adds a task at the end.
    pub fn push(&mut self, id: LocalId) {
        if !self.holds(id) && !self.parked.contains_key(&id) {
            self.last += 1;
            self.waiting.insert(self.last, id);
            self.turns.insert(id, self.last);
        }
    }

    /// Takes the next task that may go out now: second attempts first, they are older.
    pub fn next(&mut self, slots: u32, now: Mono) -> Option<LocalId> {
        if self.blocked.is_some() || self.under_way.len() >= slots as usize {
            return None;
        }
        let due = self.again_at.first().filter(|(at, _)| *at <= now).map(|(_, id)| *id);
        let id = match due {
            Some(id) => {
                self.not_again(id);
                id
            }
            None => {
                let (_, id) = self.waiting.pop_first()?;
                self.turns.remove(&id);
                id
            }
        };
        self.under_way.insert(id, false);
        Some(id)
    }

    /// Puts back what [`Queue::next`] gave, unsent.
    pub fn put_back(&mut self, id: LocalId) {
        self.under_way.remove(&id);
        self.first -= 1;
        self.waiting.insert(self.first, id);
        self.turns.insert(id, self.first);
    }

    /// The status is durable: the bytes may go. Says yes once for each turn.
    pub fn may_go(&mut self, id: LocalId) -> bool {
        self.under_way.get_mut(&id).is_some_and(|sent| !std::mem::replace(sent, true))
    }

    /// The sending of this task is over.
    pub fn done(&mut self, id: LocalId) {
        self.under_way.remove(&id);
    }

    fn not_again(&mut self, id: LocalId) {
        if let Some(at) = self.again.remove(&id) {
            self.again_at.remove(&(at, id));
        }
    }

    /// How many wait that could go, were there room in the allowance.
    #[must_use]
    pub fn waiting(&self) -> usize {
        if self.blocked.is_none() { self.waiting.len() } else { 0 }
    }

    /// Books another attempt.
    pub fn again(&mut self, id: LocalId, at: Mono) {
        self.under_way.remove(&id);
        self.not_again(id);
        self.again.insert(id, at);
        self.again_at.insert((at, id));
    }

    /// Counts an attempt and returns how many there were before it.
    pub fn attempt(&mut self, id: LocalId) -> u32 {
        let count = self.attempts.entry(id).or_default();
        *count += 1;
        *count - 1
    }

    /// Forgets everything about a task.
    pub fn remove(&mut self, id: LocalId) {
        if let Some(turn) = self.turns.remove(&id) {
            self.waiting.remove(&turn);
        }
        self.not_again(id);
        self.under_way.remove(&id);
        self.attempts.remove(&id);
        self.parked.remove(&id);
    }

    /// Takes one that waits out of the order until [`Queue::unpark`]; it keeps its turn.
    pub fn park(&mut self, id: LocalId) {
        if let Some(turn) = self.turns.remove(&id) {
            self.waiting.remove(&turn);
            self.parked.insert(id, turn);
        } else if self.again.contains_key(&id) {
            self.not_again(id);
            self.first -= 1;
            self.parked.insert(id, self.first);
        }
    }

    /// It waits again, where it stood.
    pub fn unpark(&mut self, id: LocalId) {
        if let Some(turn) = self.parked.remove(&id) {
            self.waiting.insert(turn, id);
            self.turns.insert(id, turn);
        }
    }

    /// All that wait, in no useful order.
    pub fn ids(&self) -> impl Iterator<Item = LocalId> {
        self.waiting.values().chain(self.again.keys()).copied()
    }

    /// How many go before this one, if it waits for its turn.
    #[must_use]
    pub fn before(&self, id: LocalId) -> Option<usize> {
        let turn = self.turns.get(&id)?;
        Some(self.waiting.range(..turn).count() + self.again.len())
    }

    /// Stops sending: the next task would meet the same refusal.
    pub fn block(&mut self, problem: Problem) {
        self.blocked = Some(problem);
    }

    /// Goes on.
    pub fn unblock(&mut self) {
        self.blocked = None;
    }

    /// Why nothing is sent, if so.
    #[must_use]
    pub fn blocked(&self) -> Option<&Problem> {
        self.blocked.as_ref()
    }

    /// How many wait to be sent, for whatever reason.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.waiting.len() + self.again.len()
    }

    /// The last one that waits to be sent.
    #[must_use]
    pub fn any(&self) -> Option<LocalId> {
        self.waiting.last_key_value().map(|(_, id)| *id).or_else(|| self.again_at.last().map(|(_, id)| *id))
    }

    /// When the next attempt is booked.
    #[must_use]
    pub fn again_at(&self) -> Option<Mono> {
        self.again_at.first().map(|(at, _)| *at)
    }

    /// The user wants all attempts made now.
    pub fn hurry(&mut self, now: Mono) {
        let later: Vec<LocalId> = self.again_at.iter().filter(|(at, _)| *at > now).map(|(_, id)| *id).collect();
        later.into_iter().for_each(|id| self.again(id, now));
    }

    /// When something here becomes due by itself.
    #[must_use]
    pub fn due(&self, slots: u32, now: Mono) -> Option<Mono> {
        if self.blocked.is_some() || self.under_way.len() >= slots as usize {
            return None;
        }
        if !self.waiting.is_empty() {
            return Some(now);
        }
        self.again_at.first().map(|(at, _)| *at)
    }

    /// Its sending is under way right now.
    #[must_use]
    pub fn is_under_way(&self, id: LocalId) -> bool {
        self.under_way.contains_key(&id)
    }

    /// Its bytes have gone, and no answer has come.
    #[must_use]
    pub fn is_out(&self, id: LocalId) -> bool {
        self.under_way.get(&id) == Some(&true)
    }

    /// It will be sent by itself.
    #[must_use]
    pub fn holds(&self, id: LocalId) -> bool {
        self.under_way.contains_key(&id) || self.again.contains_key(&id) || self.turns.contains_key(&id)
    }

    /// Nothing waits, nothing is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty() && self.again.is_empty()
    }
}
