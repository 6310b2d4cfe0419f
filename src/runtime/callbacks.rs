//! From the receiver of callbacks to the fleet, and back with the answer: for the loop with a screen and the one
//! without.

use std::net::SocketAddr;

use tokio::sync::mpsc;

use crate::api::webhook::{Delivery, Heard, Receipt, Receiver, Tally, WebhookConfig, WebhookError};
use crate::app::Msg;
use crate::domain::{LocalId, Task};
use crate::fleet::{Fleet, FleetMsg};
use crate::store::Store;
use crate::time::Now;

use super::hands::{Hands, Note, deliver};
use super::screen::Program;

/// What the store knew of a task that a callback is about and the fleet does not know.
#[derive(Debug)]
pub struct Looked {
    task: Option<Box<Task>>,
    delivery: Delivery,
}

/// What both loops do with callbacks.
pub(super) trait Listening {
    /// One message through the machine.
    fn give(&mut self, msg: Msg);
    /// The fleet, to look at.
    fn fleet(&self) -> &Fleet;
    /// The hands.
    fn hands(&self) -> &Hands;

    /// A callback came. What it says is true whether or not its task is known here.
    fn called(&mut self, delivery: Delivery) {
        let Some(store) = self.hands().store() else { return };
        match self.fleet().local_id(delivery.heard.task_id()) {
            Some(id) => self.heard(id, delivery),
            None => look(store, delivery, self.hands().inbox()),
        }
    }

    /// The store was asked for a task that the fleet does not know: of another program, or ended long ago.
    fn looked(&mut self, looked: Looked) {
        let Looked { task, delivery: Delivery { heard, receipt } } = looked;
        match (task, heard) {
            // It has ended already, and no end changes.
            (Some(task), _) if task.status.is_final() => receipt.stored(),
            (Some(task), Heard::Report(report)) => {
                let id = task.id;
                // The fleet keeps the report and applies it when the task comes: no look in between.
                self.give(Msg::Fleet(FleetMsg::Report(report)));
                self.give(Msg::Unfinished(vec![*task]));
                self.confirm(id, receipt);
            }
            // Perhaps the answer to its creation is still on its way.
            (None, Heard::Report(report)) => {
                self.give(Msg::Fleet(FleetMsg::Report(report)));
                receipt.stored();
            }
            (Some(task), Heard::Hint(_)) => {
                let id = task.id;
                self.give(Msg::Unfinished(vec![*task]));
                self.give(Msg::Fleet(FleetMsg::Look(id)));
                receipt.stored();
            }
            // Not ours, as far as anybody can prove.
            (None, Heard::Hint(_)) => receipt.stored(),
        }
    }

    /// A callback about a task that the fleet knows.
    fn heard(&mut self, id: LocalId, delivery: Delivery) {
        let Delivery { heard, receipt } = delivery;
        match heard {
            Heard::Report(report) => {
                self.give(Msg::Fleet(FleetMsg::Report(report)));
                self.confirm(id, receipt);
            }
            Heard::Hint(_) => {
                self.give(Msg::Fleet(FleetMsg::Look(id)));
                receipt.stored();
            }
        }
    }

    /// Answers the callback when the end of the task is on the disk. It is read back from there: that holds for
    /// repetitions, for several at once, and for an end that a look found a moment ago, all alike.
    fn confirm(&self, id: LocalId, receipt: Receipt) {
        let Some(store) = self.hands().store() else { return };
        store.task_then(id, move |found| {
            if found.is_ok_and(|task| task.is_some_and(|task| task.status.is_final())) {
                receipt.stored();
            }
        });
    }
}

/// Asks the store for the task; reads come after all changes that were given before.
fn look(store: &Store, delivery: Delivery, inbox: mpsc::Sender<Note>) {
    let task_id = delivery.heard.task_id().clone();
    store.find_then(task_id.clone().as_str(), move |found| {
        // A store that cannot be read drops the receipt, and the service tries again.
        let Ok(found) = found else { return };
        let task = found.into_iter().find(|task| task.task_id.as_ref() == Some(&task_id)).map(Box::new);
        deliver(&inbox, Note::Looked(Looked { task, delivery }));
    });
}

/// The receiver of a loop, and what the user is told of it.
#[derive(Debug, Default)]
pub(super) struct Ear {
    /// What it is to be opened with.
    config: Option<WebhookConfig>,
    receiver: Option<Receiver>,
    /// That callbacks seem dead was said.
    told: bool,
}

impl Ear {
    /// An ear that is still closed.
    pub(super) fn new(config: Option<WebhookConfig>) -> Self {
        Self { config, ..Self::default() }
    }

    /// Receives callbacks from now on, if there is anything to receive them with; what comes goes into the inbox of
    /// the loop.
    pub(super) fn open(
        &mut self,
        inbox: mpsc::Sender<Note>,
        fleet: &mut Fleet,
        now: Now,
    ) -> Result<Option<SocketAddr>, WebhookError> {
        let Some(config) = self.config.take() else { return Ok(None) };
        let receiver = Receiver::start(config, move |delivery| inbox.try_send(Note::Called(delivery)).is_ok())?;
        let address = receiver.address();
        self.receiver = Some(receiver);
        fleet.set_callbacks(true, now);
        Ok(Some(address))
    }

    /// How callbacks were answered, if they are received here.
    pub(super) fn tally(&self) -> Option<Tally> {
        self.receiver.as_ref().map(Receiver::tally)
    }

    /// Says once that callbacks seem dead, and again after they have lived.
    pub(super) fn alarm(&mut self, fleet: &Fleet, now: Now) -> Option<&'static str> {
        self.ring(fleet.callbacks_seem_dead(now))
    }

    fn ring(&mut self, dead: bool) -> Option<&'static str> {
        let first = dead && !self.told;
        self.told = dead;
        first
            .then_some("no callbacks for 5 minutes while tasks ended; looking goes on, check the tunnel and the secret")
    }
}

impl Listening for Program {
    fn give(&mut self, msg: Msg) {
        self.take(msg, false);
    }

    fn fleet(&self) -> &Fleet {
        &self.state.fleet
    }

    fn hands(&self) -> &Hands {
        &self.hands
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alarm_rings_once() {
        let mut ear = Ear::default();
        let rung: Vec<bool> =
            [false, true, true, false, true].into_iter().map(|dead| ear.ring(dead).is_some()).collect();
        assert_eq!(rung, [false, true, false, false, true]);
    }
}
