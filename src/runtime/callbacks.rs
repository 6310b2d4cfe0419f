//! From the receiver of callbacks to the fleet, and back with the answer: for the loop with a screen and the one
//! without.

use tokio::sync::mpsc;

use crate::api::webhook::{Delivery, Heard, Receipt, Receiver, WebhookConfig, WebhookError};
use crate::app::Msg;
use crate::domain::{LocalId, Task};
use crate::fleet::{Fleet, FleetMsg};
use crate::store::Store;

use super::hands::{Hands, Note, deliver};

/// What the store knew of a task that a callback is about and the fleet does not know.
#[derive(Debug)]
pub struct Looked {
    task: Option<Box<Task>>,
    delivery: Delivery,
}

/// Starts the receiver; what comes goes into the inbox of the loop.
pub(super) fn receive(config: WebhookConfig, inbox: mpsc::Sender<Note>) -> Result<Receiver, WebhookError> {
    Receiver::start(config, move |delivery| inbox.try_send(Note::Called(delivery)).is_ok())
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

/// Says once that callbacks seem dead, and again after they have lived.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    told: bool,
}

impl Alarm {
    /// The sentence, when it is time for it.
    pub(super) fn ring(&mut self, dead: bool) -> Option<&'static str> {
        let first = dead && !self.told;
        self.told = dead;
        first
            .then_some("no callbacks for 5 minutes while tasks ended; looking goes on, check the tunnel and the secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alarm_rings_once() {
        let mut alarm = Alarm::default();
        let rung: Vec<bool> =
            [false, true, true, false, true].into_iter().map(|dead| alarm.ring(dead).is_some()).collect();
        assert_eq!(rung, [false, true, false, false, true]);
    }
}
