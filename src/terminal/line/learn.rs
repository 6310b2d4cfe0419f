//! What the answers to fences teach: the round trip, and the largest rate of late.

use std::time::Duration;

use super::{FIRST, FULL, Fence, Line, MOST, QUEUE_MOST, RATE_WINDOW, SLICE_LEAST, TRAIN, TRIPS, Time};

impl Line {
    pub(super) fn learn_trip(&mut self, fence: &Fence, trip: Duration, now: Time) {
        if fence.clean {
            self.probed_at = Some(now);
        }
        if fence.clean || self.base().is_none_or(|base| trip < base) {
            if self.trips.len() >= TRIPS {
                self.trips.pop_front();
            }
            self.trips.push_back(trip);
        }
    }

    pub(super) fn learn_rate(&mut self, fence: &Fence, trip: Duration, now: Time) {
        let arrived = fence.total - fence.delivered;
        let took = now.saturating_sub(fence.delivered_at).max(fence.at.saturating_sub(fence.first_sent_at));
        let news = fence.total.saturating_sub(self.delivered);
        self.delivered = self.delivered.max(fence.total);
        self.backlog = (self.sent - self.delivered) as f64;
        self.backlog_at = now;
        // As long as more was under way whenever an answer came, the time between answers is the line's own.
        match self.train {
            Some((at, total)) if fence.at <= self.answered_at => {
                let span = now.saturating_sub(at);
                if span >= TRAIN && self.growing.is_some() {
                    self.push_rate((self.delivered - total) as f64 / span.as_secs_f64(), true, now);
                }
            }
            _ => self.train = Some((now, self.delivered)),
        }
        self.delivered_at = now;
        self.first_sent_at = fence.at;
        if arrived as usize >= SLICE_LEAST / 2 && took > Duration::ZERO {
            // What waited as long as this was held up by the line, not by us.
            let slow = self.base().is_some_and(|base| trip > base * 2 + QUEUE_MOST);
            self.push_rate(arrived as f64 / took.as_secs_f64(), fence.limited && !slow, now);
        }
        let full = !self.rates.is_empty() && self.base().is_some_and(|base| trip > base + FULL);
        let most = (self.model() * 2.0).max(FIRST[usize::from(!self.remote)]);
        self.growing = self.growing.filter(|_| !full).map(|window| (window + news as f64).min(most));
    }

    fn push_rate(&mut self, rate: f64, limited: bool, now: Time) {
        if limited && self.rate().is_some_and(|before| rate <= before) {
            return;
        }
        if !limited {
            let window = RATE_WINDOW.max(self.base().unwrap_or_default() * 4);
            while self.rates.front().is_some_and(|(at, _)| now.saturating_sub(*at) > window) {
                self.rates.pop_front();
            }
        }
        if self.rates.len() >= MOST {
            self.rates.pop_front();
        }
        self.rates.push_back((now, rate.min(1e9)));
    }

    pub(super) fn retire(&mut self) {
        self.late.extend(self.open.drain(..).map(|fence| fence.at));
        while self.late.len() > MOST {
            self.late.pop_front();
        }
    }
}
