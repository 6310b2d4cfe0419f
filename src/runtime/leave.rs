//! Leaving: the terminal first, then what is still under way.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::app::Msg;
use crate::fleet::{FleetMsg, Order};

use super::hands::Note;
use super::screen::{LAST_WORDS, Program};
use super::start::{Exit, RunError};

/// How long leaving waits for creations whose answer has not come.
const FAREWELL: Duration = Duration::from_secs(3);

impl Program {
    /// Gives the terminal back at once; then waits a moment for creations that are under way, so that fewer
    /// tasks are left unsure, and for the store.
    pub(super) async fn leave(mut self, mut inbox: mpsc::Receiver<Note>) -> Result<Exit, RunError> {
        let last_answers = self.last_answers();
        self.recall_terminal();
        // Nothing is asked after this, and our pictures are gone.
        if let Some(output) = self.output.take() {
            output.finish(LAST_WORDS);
        }
        last_answers();
        if let Some(reader) = self.reader.take() {
            reader.stop();
        }
        self.screen.leave();
        let stop = Instant::now() + FAREWELL;
        // Whoever types and leaves before the store is open loses nothing either.
        while self.hands.waits_for_store() && self.failure.is_none() {
            match tokio::time::timeout_at(stop, inbox.recv()).await {
                Ok(Some(Note::Opened(opened))) => match opened.0 {
                    Ok(contents) => {
                        self.drafted(contents.drafts);
                        self.hands.open(contents.store, !contents.standing.holds);
                    }
                    Err(why) => self.failure = Some(why),
                },
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        while self.hands.submissions() > 0 {
            match tokio::time::timeout_at(stop, inbox.recv()).await {
                Ok(Some(Note::Msg(Msg::Fleet(msg @ FleetMsg::Submitted { .. })))) => {
                    self.hands.submission_ended();
                    self.after_leaving(msg);
                }
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        if let Some(store) = self.hands.store() {
            store.flush();
        }
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.exit.unwrap_or(Exit::Quit)),
        }
    }

    /// To be called when the writer is silent and before the terminal is given away: waits a moment for answers that
    /// are still to come, which would be typed into the shell. Blocks, as the writer's end does.
    pub(super) fn last_answers(&self) -> impl FnOnce() + use<> {
        let heard = self.reader.as_ref().and(self.output.as_ref());
        let heard = heard.map(|output| (output.fences(), output.last_answers()));
        move || {
            if let Some((fences, limit)) = heard {
                fences.settle(limit);
            }
        }
    }

    /// The answer of a creation is still made durable; nothing new is begun.
    fn after_leaving(&mut self, msg: FleetMsg) {
        let orders = self.state.fleet.handle(msg, self.clock.now());
        for order in orders {
            if matches!(order, Order::Save(_)) {
                self.hands.order(order, &self.state.fleet);
            }
        }
    }
}
