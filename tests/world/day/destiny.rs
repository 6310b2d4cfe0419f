//! What the day has in store: what the user does, and what goes wrong when.

use plantain::time::Chance;

use super::super::service::Mood;
use super::{Event, HOUR, MINUTE, SECOND, World};

impl World {
    /// Draws the day: what the user does and what goes wrong when.
    pub(super) fn destiny(&mut self) {
        let day = 40 * MINUTE;
        let moment = |dice: &mut Chance, span: i64| (dice.unit() * span as f64) as i64;
        let batches = 1 + (self.dice.unit() * 4.0) as u32;
        for _ in 0..batches {
            let at = moment(&mut self.dice, day / 2);
            let size = if self.dice.unit() < 0.8 { 1 + (self.dice.unit() * 12.0) as u32 } else { 40 };
            self.later(at, Event::Submit(size));
        }
        for _ in 0..(self.dice.unit() * 4.0) as u32 {
            let at = moment(&mut self.dice, day);
            let (mood, span) = match (self.dice.unit() * 7.0) as u32 {
                0 => (Mood::Down, HOUR),
                1 => (Mood::Down, MINUTE),
                2 => (Mood::Hangs, 3 * MINUTE),
                3 => (Mood::Storm429, 3 * MINUTE),
                4 => (Mood::Storm5xx, 3 * MINUTE),
                5 => (Mood::KeyRevoked, 10 * MINUTE),
                _ => (Mood::NoCredits, 10 * MINUTE),
            };
            self.later(at, Event::Mood(mood));
            let over = at + moment(&mut self.dice, span);
            self.later(over, Event::Mood(Mood::Well));
        }
        for _ in 0..(self.dice.unit() * 3.0) as u32 {
            let at = moment(&mut self.dice, day);
            self.later(at, Event::Crash);
        }
        if self.dice.unit() < 0.4 {
            // In the midst of the first sendings.
            for _ in 0..3 {
                let at = moment(&mut self.dice, day / 2);
                self.later(at, Event::Submit(2));
                let soon = moment(&mut self.dice, 1_500);
                self.later(at + soon, Event::Crash);
            }
        }
        for _ in 0..(self.dice.unit() * 2.0) as u32 {
            let at = moment(&mut self.dice, day);
            self.later(at, Event::DiskFull(true));
            let over = at + moment(&mut self.dice, 3 * MINUTE);
            self.later(over, Event::DiskFull(false));
        }
        for _ in 0..(self.dice.unit() * 3.0) as u32 {
            let at = moment(&mut self.dice, day);
            let by = moment(&mut self.dice, 4 * HOUR) - 2 * HOUR;
            self.later(at, Event::Jump(by));
        }
        if self.dice.unit() < 0.5 {
            for _ in 0..20 {
                let at = moment(&mut self.dice, day);
                let count = 1 + (self.dice.unit() * 30.0) as u32;
                self.later(at, Event::Foreign(count));
            }
        }
        for _ in 0..(self.dice.unit() * 3.0) as u32 {
            let at = moment(&mut self.dice, day);
            self.later(at, Event::Leave);
        }
        if self.slots.len() > 1 {
            // The holder dies with much under way, and perhaps its heir too.
            for _ in 0..(self.dice.unit() * 4.0) as u32 {
                let at = moment(&mut self.dice, day / 2);
                self.later(at, Event::Submit(6));
                let soon = moment(&mut self.dice, 4 * SECOND);
                self.later(at + soon, Event::Crash);
                if self.dice.unit() < 0.3 {
                    let heir = moment(&mut self.dice, SECOND);
                    self.later(at + soon + heir, Event::Crash);
                }
            }
        }
        for n in 1..60 {
            self.later(n * 5 * MINUTE, Event::Care);
        }
    }
}
