//! The screen and its store: what follows when it is open, and what comes from other windows on it.

use crate::app::Msg;
use crate::domain::Draft;
use crate::fleet::FleetMsg;
use crate::store::Heard;

use super::hands::{Note, deliver};
use super::screen::Program;
use super::start::{Contents, caution};

impl Program {
    /// What comes from the other windows.
    pub(super) fn heard(&mut self, heard: Heard) {
        if self.hands.store().is_none() {
            return self.unheard.push(heard);
        }
        match heard {
            Heard::Took { unfinished } => {
                self.hands.hold();
                self.hands.recall();
                self.take(Msg::TookOver(unfinished), false);
            }
            Heard::News { tasks, gone, counts, standing } => {
                self.take(Msg::Mirrored { tasks, gone, standing }, false);
                self.take(Msg::Counted(counts), false);
            }
            Heard::Found(found) => {
                found.into_iter().for_each(|found| self.take(Msg::Fleet(FleetMsg::Found(Box::new(found))), false));
            }
            Heard::Resting(batches) => self.take(Msg::Fleet(FleetMsg::Resting(batches)), false),
            Heard::Wishes(wishes) => self.take(Msg::Wished(wishes), false),
        }
    }

    /// All that the store holds of a batch.
    pub(super) fn read_batch(&self, name: String) {
        let Some(store) = self.hands.store() else { return };
        let (inbox, of) = (self.hands.inbox(), name.clone());
        store.batch_then(&of, &self.state.catalogue, move |result| {
            let msg = match result {
                Ok((members, failed)) => Msg::Batch { name, members, failed },
                Err(why) => Msg::Told(why.to_string()),
            };
            deliver(&inbox, Note::Msg(msg));
        });
    }

    /// Stops, as Ctrl-Z does. A program that is stopped sends nothing: the lease is left to the other windows, and
    /// taken up again, if nobody took it, as if nothing had happened.
    pub(super) fn suspend(&mut self) {
        if let Some(store) = self.hands.store() {
            store.release();
        }
        if self.composing.is_some() {
            // Its editor was stopped, and we with it; it takes up the terminal again by itself.
            crate::terminal::stop();
        } else {
            let last_answers = self.last_answers();
            self.away(|screen| {
                last_answers();
                screen.suspend()
            });
        }
        let Some(store) = self.hands.store() else { return };
        match store.reclaim() {
            Ok(None) => {}
            Ok(Some(standing)) => {
                // What is still to be written is written before this window only watches.
                self.take(Msg::SteppedDown(standing), true);
                self.hands.step_down();
            }
            Err(why) => self.take(Msg::Told(why.to_string()), true),
        }
    }

    /// What was being typed when the program last ended.
    pub(super) fn drafted(&mut self, drafts: Vec<Draft>) {
        if let Some(last) = drafts.first() {
            self.take(Msg::Drafted(last.clone()), true);
            self.take(Msg::Kept(drafts), true);
        }
    }

    /// The first screen is complete; what it does not show is read beside the loop.
    pub(super) fn opened(&mut self, contents: Contents) {
        let watching = !contents.standing.holds;
        let caution = caution(&contents.store, &contents.standing);
        self.hands.open(contents.store, watching);
        if let (true, Some(store), Some(key)) = (watching, self.hands.store(), self.key.clone()) {
            // The key may have come while the store was being opened without one.
            store.want_lease(move |salt| key.name(salt));
        }
        self.take(Msg::Stands(contents.standing), true);
        for heard in std::mem::take(&mut self.unheard) {
            self.heard(heard);
        }
        self.drafted(contents.drafts);
        // Before anything is loaded or begun: what is counted later would be counted twice.
        self.take(Msg::Counted(contents.counts), true);
        self.take(Msg::Older { tasks: contents.newest, last: contents.last }, true);
        if let Some(text) = caution {
            self.take(Msg::Told(text), true);
        }
        if self.state.table.is_empty() && !self.batch.is_empty() {
            let batch = std::mem::take(&mut self.batch);
            self.take(Msg::Begin(batch), true);
        }
        // Where callbacks cannot be received, looking alone must do.
        if let Err(why) = self.ear.open(self.hands.inbox(), &mut self.state.fleet, self.clock.now()) {
            self.take(Msg::Told(why.to_string()), false);
        }
        self.hands.recall();
        let Some(store) = self.hands.store() else { return };
        let inbox = self.hands.inbox();
        store.unfinished_then(move |tasks| {
            let msg = tasks.map_or_else(|why| Msg::Told(why.to_string()), Msg::Unfinished);
            deliver(&inbox, Note::Msg(msg));
        });
    }
}
