//! What is known of the line to the terminal, and what that means for those who make pictures.

use std::time::Duration;

/// Bytes of a slice, at least.
pub(super) const SLICE_LEAST: usize = 512;
/// Bytes a second to a terminal that answers nothing, behind ssh and near.
pub(super) const CAREFUL: [f64; 2] = [128_000.0, 4_000_000.0];

/// What may be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grant {
    /// A piece of about so many bytes.
    Go(usize),
    /// A fence alone: there is no other way to know when the line is free.
    Fence,
    /// Nothing before an answer comes, or this time.
    Wait(Duration),
}

/// Whether the terminal answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answers {
    /// Not asked, or not long enough ago.
    #[default]
    Unknown,
    /// It does.
    Yes,
    /// It never did, or has ceased to.
    No,
}

/// What is known of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineState {
    /// Bytes a second that arrive, as learned. `None` before enough was sent.
    pub rate: Option<u64>,
    /// Of an empty line.
    pub round_trip: Option<Duration>,
    /// Whether the terminal tells.
    pub answers: Answers,
    /// Bytes written that are not known to have arrived.
    pub outstanding: u64,
    /// The other end of an ssh connection.
    pub remote: bool,
}

impl LineState {
    /// Bytes that this line takes in `time`: for an encoder's budget. `None` where nothing has to be
    /// spared: a near terminal that was not found to be slow.
    #[must_use]
    pub fn budget(&self, time: Duration) -> Option<usize> {
        let careful = CAREFUL[usize::from(!self.remote)];
        let rate = match (self.rate, self.remote) {
            (Some(rate), _) => rate as f64,
            (None, true) => careful,
            (None, false) => return None,
        };
        // A near terminal that is asked for little only never shows what it can.
        let near = !self.remote && rate >= careful / 4.0;
        (!near).then_some((rate * time.as_secs_f64()) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_follow_the_line() {
        let half = Duration::from_millis(500);
        let unknown = LineState::default();
        assert_eq!(unknown.budget(half), None);
        assert_eq!(LineState { remote: true, ..unknown }.budget(half), Some(64_000));
        let slow = LineState { rate: Some(32_000), remote: true, ..unknown };
        assert_eq!(slow.budget(half), Some(16_000));
        assert_eq!(LineState { remote: false, rate: Some(2_000_000), ..unknown }.budget(half), None);
        assert_eq!(LineState { remote: false, ..slow }.budget(half), Some(16_000));
    }
}
