//! Callbacks: a small sender with the four-attempt schedule, signed afresh each time.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::ledger::Delivery;
use super::task::Task;
use super::world::World;

/// Seconds from one attempt to the next at speed 1: at once, then about 1, 5 and 20 minutes. \[C\]
const SCHEDULE: [u64; 4] = [0, 60, 300, 1200];
/// Time allowed for the receiver's answer; not scaled, receivers are real. \[C\]
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Books the callback of a task, if it has one.
pub(crate) fn schedule(world: &Arc<World>, task: &Arc<Task>, number: u64) {
    let Some(address) = task.callback.clone() else {
        return;
    };
    let rules = &world.config.scenario.callbacks;
    let mut dice = world.dice(number, "callback");
    if dice.chance(rules.lose) {
        return;
    }
    let copies = if dice.chance(rules.duplicate) { 2 } else { 1 };
    let late = world.scaled((rules.late_seconds.clamp(0.0, 86_400.0) * 1000.0) as u64);
    for _ in 0..copies {
        let (worker, task, address) = (Arc::clone(world), Arc::clone(task), address.clone());
        world.spawn(async move {
            let clock = worker.config.clock.clone();
            clock.until(task.timetable.archiving + late).await;
            deliver(&worker, &task, &address).await;
        });
    }
}

async fn deliver(world: &World, task: &Task, address: &str) {
    // The body is the bare task object, without the envelope. [D]
    let view = task.view(task.timetable.archiving, &world.base);
    let Ok(body) = serde_json::to_vec(&view) else {
        return;
    };
    let mut last = world.now_ms();
    for (attempt, wait) in (1..).zip(SCHEDULE) {
        let due = last.saturating_add(world.scaled(wait * 1000));
        world.config.clock.until(due).await;
        last = world.now_ms();
        let timestamp = last / 1000;
        let mut request = world.sender.post(address).header("content-type", "application/json").body(body.clone());
        if let Some(secret) = world.config.webhook_secret.as_deref() {
            // A retry after five minutes would be too old for a receiver unless it is signed afresh. [I]
            request = request
                .header("x-hiapi-timestamp", timestamp.to_string())
                .header("x-hiapi-signature", signature(secret, timestamp, &body));
        }
        let status = request.send().await.ok().map(|answer| answer.status().as_u16());
        world.book().delivered(Delivery { task_id: task.id.clone(), attempt, status });
        if status.is_some_and(|status| (200..300).contains(&status)) {
            return;
        }
    }
}

/// `hex(HMAC-SHA-256(secret, timestamp + "." + body))`, lower case. \[D\]
fn signature(secret: &str, timestamp: u64, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        // HMAC takes keys of every length; an empty signature would simply not verify.
        return String::new();
    };
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let bytes = mac.finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_matches_the_test_vector() {
        let body = br#"{"taskId":"tk-hiapi-TEST","model":"Nano-Banana","status":"success","created":1777282033,"completed":1777282061,"output":[]}"#;
        assert_eq!(
            signature("whsec_test_key_0123456789", 1_777_282_061, body),
            "f1f079d63cbf1c2077f6cd1164fdea8126f478b2766f9e67adb87c70dca560d8"
        );
    }
}
