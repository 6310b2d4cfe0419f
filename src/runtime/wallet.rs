//! What the purse of the fleet needs of the world: the limits as they are written now, the calendar day, the sums that
//! the store knows.

use std::path::PathBuf;

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};

use crate::app::Msg;
use crate::config::Budgets;
use crate::domain::{Problem, Usd};
use crate::fleet::{FleetMsg, Tallied, Tally};
use crate::store::Whose;
use crate::time::Wall;

use super::hands::{Hands, Note, deliver};
use super::settings;

/// Where the limits stand, and what the command line says instead.
#[derive(Clone, Debug, Default)]
pub struct Wallet {
    /// The configuration folder, if there is one.
    pub folder: Option<PathBuf>,
    /// Instead of the limit of a day.
    pub day: Option<Usd>,
    /// Instead of the limit of a batch.
    pub batch: Option<Usd>,
}

impl Wallet {
    /// The limits as they are now.
    ///
    /// # Errors
    /// When the settings are not understood.
    pub fn limits(&self) -> Result<Budgets, settings::BadSettings> {
        let read = self.folder.as_deref().map(settings::read).transpose()?;
        Ok(self.instead(read.unwrap_or_default().budgets))
    }

    /// What the command line says counts more.
    #[must_use]
    pub fn instead(&self, limits: Budgets) -> Budgets {
        Budgets { day: self.day.or(limits.day), batch: self.batch.or(limits.batch), ..limits }
    }
}

/// The calendar day, in this zone, that holds a moment: from when, and until when.
#[must_use]
pub fn day(at: Wall, zone: &TimeZone) -> Option<(Wall, Wall)> {
    let start = Timestamp::from_millisecond(at.0).ok()?.to_zoned(zone.clone()).start_of_day().ok()?;
    let next = start.checked_add(1.day()).ok()?.start_of_day().ok()?;
    Some((Wall(start.timestamp().as_millisecond()), Wall(next.timestamp().as_millisecond())))
}

impl Hands {
    /// Says what was spent. The limits are read again with it: the user may have raised one.
    pub(super) fn tally(&self, tally: Tally, serial: u64) {
        let (Some(store), inbox, wallet) = (self.store(), self.inbox(), self.wallet().clone()) else { return };
        let span = match &tally {
            Tally::Batch(_) => Some((Wall(i64::MIN), Wall(i64::MAX))),
            Tally::Day(at) => day(*at, &TimeZone::system()),
        };
        let Some((from, until)) = span else {
            let why = Problem::Local { message: "the clock of this machine shows no day".to_owned() };
            let msg = FleetMsg::Tallied { tally, serial, result: Err(why) };
            return deliver(&inbox, Note::Msg(Msg::Fleet(msg)));
        };
        let whose = match &tally {
            Tally::Batch(name) => Whose::Batch(name.clone()),
            Tally::Day(_) => Whose::Between(from, until),
        };
        store.spent_then(whose, move |sum| {
            match wallet.limits() {
                Ok(limits) => deliver(&inbox, Note::Msg(Msg::Fleet(FleetMsg::Limited(limits)))),
                // Those that were understood last go on to hold.
                Err(why) => deliver(&inbox, Note::Msg(Msg::Told(why.to_string()))),
            }
            let result = sum.map(|sum| Tallied { sum, from, until }).map_err(Problem::from);
            deliver(&inbox, Note::Msg(Msg::Fleet(FleetMsg::Tallied { tally, serial, result })));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_as_long_as_the_calendar_says() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        // 2026-03-29, when the clocks there go forward.
        let noon = Wall::from_secs(1_774_778_400);
        let (from, until) = day(noon, &zone).expect("a day");
        assert_eq!((until.0 - from.0) / 3_600_000, 23);
        assert!(from < noon && noon < until);
        assert_eq!(day(until, &zone).map(|next| next.0), Some(until), "the next begins where it ends");
        assert_eq!(day(Wall(i64::MAX), &zone), None);
    }

    #[test]
    fn the_command_line_counts_more_than_the_file() {
        let wallet = Wallet { day: Some(Usd(1)), ..Wallet::default() };
        let limits = Budgets { day: Some(Usd(5)), batch: Some(Usd(7)), unknown: true };
        assert_eq!(wallet.instead(limits), Budgets { day: Some(Usd(1)), ..limits });
    }
}
