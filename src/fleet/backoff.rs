//! How long to wait before trying again.

use std::time::Duration;

use crate::domain::Problem;
use crate::time::Chance;

/// Doubling from half a second up to a minute, with jitter, so that a thousand clients do not return at once.
/// A wait that the service asked for is never undercut.
#[must_use]
pub fn delay(attempt: u32, problem: Option<&Problem>, chance: &mut Chance) -> Duration {
    let base = 0.5 * f64::from(2u32.saturating_pow(attempt.min(16)));
    let jittered = base.min(60.0) * (0.75 + 0.5 * chance.unit());
    let asked = problem.and_then(Problem::retry_after).map_or(0.0, f64::from);
    // A little over what was asked for: clocks differ, and being early costs another refusal.
    Duration::from_secs_f64(if asked > 0.0 { asked.min(3600.0) + chance.unit() } else { jittered })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_to_a_ceiling_and_varies() {
        let mut chance = Chance::new(7);
        let first = delay(0, None, &mut chance);
        assert!(first >= Duration::from_millis(375) && first <= Duration::from_millis(625), "{first:?}");
        let late = delay(40, None, &mut chance);
        assert!(late >= Duration::from_secs(45) && late <= Duration::from_secs(75), "{late:?}");
        assert_ne!(delay(5, None, &mut chance), delay(5, None, &mut chance));
    }

    #[test]
    fn what_the_service_asks_for_is_not_undercut() {
        let mut chance = Chance::new(7);
        let problem = Problem::Limit { retry_after: Some(20) };
        assert!(delay(0, Some(&problem), &mut chance) >= Duration::from_secs(20));
    }
}
