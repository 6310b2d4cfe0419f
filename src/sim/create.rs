//! `POST /v1/tasks`: the checks in the service's order, idempotency, and what words in the prompt do.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, Response};
use futures_util::stream;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::call::{self, Call, INVALID, Refusal};
use super::callback;
use super::catalogue::{NoTarget, Target};
use super::gate::{CutHere, Visitor, retry_after};
use super::ledger::{CreatedTask, shortened};
use super::random::hash;
use super::results::{results, text};
use super::scenario::{Action, Rule};
use super::task::{Order, Setting, Task};
use super::validate;
use super::wire::{self, Created};
use super::world::{KeyUse, World};

/// `Retry-After` of a 409, in seconds at speed 1. \[C\]
const PROCESSING_SECONDS: u64 = 5;

/// What makes two requests the same: the key, and the raw bytes of the body.
struct Once {
    key: Option<String>,
    digest: [u8; 32],
}

/// Answers a creation.
pub(crate) async fn create(
    State(world): State<Arc<World>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if let Err(refusal) = call::check_type(&parts.headers) {
        return *refusal;
    }
    let Ok(body) = axum::body::to_bytes(body, world.config.scenario.largest_body).await else {
        return wire::flat(413, None, "request body too large");
    };
    match decide(&world, visitor, &parts.headers, &body) {
        Ok(response) => response,
        Err(refusal) => *refusal,
    }
}

/// Everything between the request's bytes and the answer happens in one go, so two requests with one key cannot both create.
fn decide(world: &Arc<World>, visitor: Visitor, headers: &HeaderMap, body: &Bytes) -> Result<Response<Body>, Refusal> {
    let once = Once { key: call::idempotency_key(headers)?, digest: Sha256::digest(body).into() };
    if let Some(answer) = replay(world, visitor, &once) {
        return Ok(answer);
    }
    let call = Call::read(body)?;
    let target = resolve(world, visitor, &call)?;
    validate::check(&target, &call.input).map_err(|message| Box::new(wire::flat(400, INVALID, &message)))?;

    let prompt = text(&target, "prompt", &call.input).unwrap_or_default();
    let rules = world.config.scenario.rules(prompt);
    let tried = {
        let key = once.key.as_ref();
        let same = key.map_or(once.digest.as_slice(), |key| key.as_bytes());
        world.state().attempt(hash(visitor.account, same))
    };
    let active: Vec<&Rule> = rules.into_iter().filter(|rule| rule.times.is_none_or(|times| tried < times)).collect();
    if let Some(refusal) = refusal(world, visitor, &active) {
        return Err(Box::new(refusal));
    }

    let task = match store(world, visitor, &target, &call, &active, &once) {
        Ok(task) => task,
        Err(quicker) => return Ok(same_key(world, visitor, &once, &quicker)),
    };
    let mut response = wire::success(Created { task_id: &task.id });
    if active.iter().any(|rule| matches!(rule.action, Action::Cut | Action::Process)) {
        response.extensions_mut().insert(CutHere);
    }
    if active.iter().any(|rule| rule.action == Action::Truncate) {
        response = truncated(&task.id);
    }
    Ok(response)
}

/// Stores the task, writes it down, sets its callback going. The error is another request with this key that was quicker.
fn store(
    world: &Arc<World>,
    visitor: Visitor,
    target: &Target<'_>,
    call: &Call,
    rules: &[&Rule],
    once: &Once,
) -> Result<Arc<Task>, KeyUse> {
    let now = world.now_ms();
    let speed = world.config.speed;
    let mut state = world.state();
    // Looked up again under the lock that stores it.
    if let Some(key) = &once.key
        && let Some(used) = state.key_use(visitor.account, key, now, speed)
    {
        return Err(used);
    }
    let number = state.next_task();
    let order = Order {
        account: Some(visitor.account),
        model: call.full_name(),
        route: call.route.clone(),
        persistent: call.persistent,
        callback: call.callback.clone(),
        results: results(world, target, call, rules, number),
    };
    let setting = Setting {
        scenario: &world.config.scenario,
        rules,
        now_ms: now,
        speed,
        expire_after_ms: super::clock::millis(world.config.expire_after),
        seed: world.config.seed,
        number,
    };
    let task = state.add(Task::new(order, &setting));
    if let Some(key) = &once.key {
        let processes = rules.iter().any(|rule| rule.action == Action::Process);
        let busy = u64::from(processes) * world.scaled(PROCESSING_SECONDS * 1000);
        state.forget_old_keys(now, speed);
        state.keys.insert(
            (visitor.account, key.clone()),
            KeyUse { body: once.digest, task: task.id.clone(), since_ms: now, busy_until_ms: now + busy },
        );
    }
    drop(state);
    world.book().created(CreatedTask {
        id: task.id.clone(),
        model: task.model.clone(),
        idempotency_key: once.key.clone(),
        replays: 0,
        input: shortened(&Value::Object(call.input.clone())),
    });
    callback::schedule(world, &task, number);
    Ok(task)
}

/// Answers a key that was used before.
fn replay(world: &World, visitor: Visitor, once: &Once) -> Option<Response<Body>> {
    let key = once.key.as_ref()?;
    let now = world.now_ms();
    let speed = world.config.speed;
    let used = world.state().key_use(visitor.account, key, now, speed)?;
    Some(same_key(world, visitor, once, &used))
}

fn same_key(world: &World, visitor: Visitor, once: &Once, used: &KeyUse) -> Response<Body> {
    if used.body != once.digest {
        let message = "Idempotency-Key was used with a different request body";
        return wire::flat(422, Some("IDEMPOTENCY_KEY_MISMATCH"), message);
    }
    if world.now_ms() < used.busy_until_ms {
        // The task's id may be in the body already [C]: here it is for every other body.
        let data = (hash(world.config.seed, &once.digest) & 1 == 0).then_some(Created { task_id: &used.task });
        let message = "the first request with this Idempotency-Key is still being processed";
        let mut response = wire::flat_with(409, Some("IDEMPOTENCY_KEY_PROCESSING"), message, data);
        let mut dice = world.dice(visitor.number, "processing");
        retry_after(world, &mut response, PROCESSING_SECONDS, &mut dice);
        return response;
    }
    world.book().replayed(&used.task);
    let mut response = wire::success(Created { task_id: &used.task });
    wire::set(&mut response, "idempotent-replay", "true");
    response
}

fn resolve<'w>(world: &'w World, visitor: Visitor, call: &Call) -> Result<Target<'w>, Refusal> {
    let found = world.catalogue.resolve(&call.model, call.route.as_deref());
    let refuse = |why: &str| Box::new(wire::flat(400, INVALID, why));
    found.map_err(|why| match why {
        NoTarget::Unknown => {
            let message = format!("The model '{}' does not exist", call.model);
            let number = visitor.number;
            Box::new(wire::gateway(404, "model_not_found", &message, number))
        }
        NoTarget::Route { wrong, valid } => {
            refuse(&format!("unknown route '{wrong}'; valid routes: {}", valid.join(", ")))
        }
        NoTarget::Contradiction => refuse("model and route name different routes"),
    })
}

fn refusal(world: &World, visitor: Visitor, rules: &[&Rule]) -> Option<Response<Body>> {
    let rule = rules.iter().find(|rule| matches!(rule.action, Action::Refuse | Action::Page))?;
    if rule.action == Action::Page {
        return Some(wire::html(rule.status.unwrap_or(502)));
    }
    let message = rule.message.as_deref().unwrap_or("refused");
    let mut response = wire::flat(rule.status.unwrap_or(400), rule.code.as_deref(), message);
    if let Some(seconds) = rule.retry_after {
        let mut dice = world.dice(visitor.number, "refusal");
        retry_after(world, &mut response, u64::from(seconds), &mut dice);
    }
    Some(response)
}

/// A 200 that says how long it is and ends too early.
fn truncated(id: &str) -> Response<Body> {
    let whole = format!(r#"{{"code":200,"message":"success","data":{{"taskId":"{id}"}}}}"#);
    let half = Bytes::copy_from_slice(&whole.as_bytes()[..whole.len() / 2]);
    let body = stream::unfold(Some(half), |left| async {
        match left {
            Some(half) => Some((Ok(half), None)),
            None => {
                // The half must be out before the connection breaks, or the client would see a plain cut.
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                let end = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                Some((Err(end), None))
            }
        }
    });
    let mut response = Response::new(Body::from_stream(body));
    wire::set(&mut response, "content-type", "application/json");
    wire::set(&mut response, "content-length", &whole.len().to_string());
    response
}
