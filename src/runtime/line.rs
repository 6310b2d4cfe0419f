//! What the loop knows of the line to the terminal.

use std::time::Duration;

use crate::app::{LineFacts, Msg};
use crate::terminal::LineState;

use super::pictures::is_text;
use super::screen::Program;

/// What a picture may take of the line.
const SHARE: Duration = Duration::from_millis(500);

impl Program {
    /// Tells the state how good the line to the terminal is, if that has changed.
    pub(super) fn look_at_line(&mut self) {
        let Some(output) = &self.output else { return };
        let facts = facts(&output.line(), is_text(self.caps.protocol(self.choice)));
        if self.state.preview.line != facts {
            self.pictures.line(facts.half_second);
            self.take(Msg::Line(facts), false);
        }
    }
}

/// How good the line is, as far as that is known. Coarse: small changes are no news.
fn facts(line: &LineState, text_only: bool) -> LineFacts {
    let budget = line.budget(SHARE).map(|bytes| u64::try_from(bytes).unwrap_or(u64::MAX));
    LineFacts {
        rate: line.rate.map(coarse),
        round_trip: line.round_trip.map(|trip| Duration::from_millis(u64::try_from(trip.as_millis()).unwrap_or(0))),
        half_second: budget.map(coarse),
        busy: line.outstanding > 0,
        text_only,
    }
}

/// Two digits that count.
fn coarse(number: u64) -> u64 {
    let unit = 10_u64.pow(number.checked_ilog10().unwrap_or(0).saturating_sub(1));
    number / unit * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_changes_are_no_news() {
        assert_eq!([0, 7, 99, 123, 128_999].map(coarse), [0, 7, 99, 120, 120_000]);
        let near = LineState { outstanding: 7, ..LineState::default() };
        assert_eq!(facts(&near, false), LineFacts { busy: true, ..LineFacts::default() });
        let far = LineState { rate: Some(32_123), remote: true, ..LineState::default() };
        assert_eq!(facts(&far, false).half_second, Some(16_000));
    }
}
