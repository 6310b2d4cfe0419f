//! What a question is worth: the delay to expect from not asking it.
//!
//! Not knowing costs: of a task seen running a while ago, the delay to expect from not having asked grows with the
//! likelihood that it has ended since. A question is worth its price when the expected delay of all tasks it would
//! tell about adds up to that price; and the price rises as the allowance runs low. For steady ends that is the
//! classic rule of inspection: ask at the square root of the hazard.

use std::time::Duration;

use crate::domain::LocalId;
use crate::time::Mono;

use super::plan::Pace;
use super::watch::{Look, Watch};

/// What a question costs while the allowance is idle, in seconds of expected delay.
const PRICE: f64 = 0.2;
/// And when a large allowance is spread evenly.
const EVEN_PRICE: f64 = 0.25;
/// The task the user looks at counts as so many.
const SELECTED: f64 = 3.0;
/// No answer is put off longer than this, in seconds: while nothing was learned and nothing else is to do; and
/// otherwise, from what age on how slowly.
const CURIOUS: (f64, f64) = (2.9, 15.0);
const PATIENT: (f64, f64) = (10.0, 60.0);
/// Between looks at a task whose end a callback will tell: what was not delivered is found within a minute.
const RECONCILE: f64 = 50.0;
/// The price of a question at this pace: a small allowance is spent where it is worth most, and dearer as it runs low;
/// a large one is spread evenly.
pub(super) fn price(pace: Pace) -> f64 {
    if pace.is_even() {
        return EVEN_PRICE;
    }
    let free = 1.0 - f64::from(pace.used) / f64::from(pace.quota.max(1));
    PRICE * (0.6 / free.max(0.02)).max(1.0)
}

impl Watch {
    /// How long news of this task may be put off, in seconds, and how much its delay counts.
    fn patience(&self, id: LocalId, look: &Look, age: f64) -> (f64, f64) {
        if self.callbacks && self.promised.contains(&id) {
            return (RECONCILE, 0.0);
        }
        let weight = if self.selected == Some(id) { SELECTED } else { 1.0 };
        let curious = self.price < 2.0 * PRICE && !self.durations.get(look.curve).is_known();
        let (least, most) = if curious { CURIOUS } else { PATIENT };
        ((age / 3.0).clamp(least, most), weight)
    }

    /// What not having asked about these costs by now, in seconds of expected delay, and when they are due.
    pub(super) fn weigh(&self, ids: impl Iterator<Item = LocalId>, now: Mono) -> (f64, Option<Mono>) {
        let (mut ends, mut delay, mut hazard) = (0.0, 0.0, 0.0);
        let (mut latest, mut young, mut ready) = (f64::INFINITY, f64::INFINITY, None::<Mono>);
        for id in ids {
            let Some(look) = self.looks.get(&id).filter(|look| !look.asked && look.single.is_none()) else { continue };
            if look.ready > now {
                ready = Some(ready.map_or(look.ready, |at| at.min(look.ready)));
                continue;
            }
            let age = look.age(now);
            let curve = self.durations.get(look.curve);
            let (patience, weight) = self.patience(id, look, age);
            latest = latest.min(look.seen + patience - age);
            if weight > 0.0 {
                let (e, d) = curve.unseen(look.seen.max(0.0), age);
                ends += weight * e;
                delay += weight * d;
                hazard += weight * curve.hazard(age);
                young = young.min(age);
            }
        }
        if latest <= 0.0 {
            return (f64::INFINITY, Some(now));
        }
        let lack = self.price - delay;
        let wait = if lack <= 0.0 {
            0.0
        } else if hazard > 1e-9 {
            ((ends * ends + 2.0 * hazard * lack).sqrt() - ends) / hazard
        } else {
            f64::INFINITY
        };
        // Hazards change with age: look into it again before long.
        let wait = wait.min(latest).min((young / 4.0).max(1.0)).min(3600.0);
        let due = (latest.is_finite()).then(|| now + Duration::from_secs_f64(wait));
        (delay, due.into_iter().chain(ready).min())
    }
}
