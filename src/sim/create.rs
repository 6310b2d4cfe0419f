//! `POST /v1/tasks`: the checks in the service's order, idempotency, and what words in the prompt do.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, Response, header};
use futures_util::stream;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::callback;
use super::catalogue::{NoTarget, Target};
use super::gate::{CutHere, Visitor, retry_after};
use super::ledger::{CreatedTask, shortened};
use super::media::Media;
use super::pixels::{Format, Picture};
use super::random::{hash, mix};
use super::scenario::{Action, Rule};
use super::shape::{self, Wish};
use super::task::{Order, Setting, Task};
use super::validate;
use super::wire::{self, Created};
use super::world::{KeyUse, World};

const INVALID: Option<&str> = Some("INVALID_REQUEST");
/// Longest `Idempotency-Key` in bytes. [C]
const LONGEST_KEY: usize = 255;
/// `Retry-After` of a 409, in seconds at speed 1. [C]
const PROCESSING_SECONDS: u64 = 5;

/// An answer that is not "created".
type Refusal = Response<Body>;

/// Answers a creation.
pub(crate) async fn create(
    State(world): State<Arc<World>>,
    Extension(visitor): Extension<Visitor>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if let Err(refusal) = check_type(&parts.headers) {
        return refusal;
    }
    let Ok(body) = axum::body::to_bytes(body, world.config.scenario.largest_body).await else {
        return wire::flat(413, None, "request body too large");
    };
    match decide(&world, visitor, &parts.headers, &body) {
        Ok(response) | Err(response) => response,
    }
}

/// Everything between the request's bytes and the answer happens in one go, so two requests with one key cannot both create.
fn decide(world: &Arc<World>, visitor: Visitor, headers: &HeaderMap, body: &Bytes) -> Result<Response<Body>, Refusal> {
    let key = idempotency_key(headers)?;
    let digest: [u8; 32] = Sha256::digest(body).into();
    if let Some(key) = &key {
        replay(world, visitor, key, &digest)?;
    }
    let call = Call::read(body)?;
    let target = resolve(world, visitor, &call)?;
    validate::check(&target, &call.input).map_err(|message| wire::flat(400, INVALID, &message))?;

    let prompt = text(&target, "prompt", &call.input).unwrap_or_default();
    let rules = world.config.scenario.rules(prompt);
    let tried = {
        let same = key.as_ref().map_or(digest.as_slice(), |key| key.as_bytes());
        world.state().attempt(hash(visitor.account, same))
    };
    let active: Vec<&Rule> = rules.into_iter().filter(|rule| rule.times.is_none_or(|times| tried < times)).collect();
    if let Some(refusal) = refusal(world, visitor, &active) {
        return Err(refusal);
    }

    let order = Order {
        account: Some(visitor.account),
        model: call.full_name(),
        route: call.route.clone(),
        persistent: call.persistent,
        callback: call.callback.clone(),
        results: Vec::new(),
    };
    let task = store(world, visitor, &target, &call, &active, order, key, digest)?;
    let mut response = wire::success(Created { task_id: &task.id });
    if active.iter().any(|rule| matches!(rule.action, Action::Cut | Action::Process)) {
        response.extensions_mut().insert(CutHere);
    }
    if active.iter().any(|rule| rule.action == Action::Truncate) {
        response = truncated(&task.id);
    }
    Ok(response)
}

/// Stores the task, writes it down, sets its callback going.
#[expect(clippy::too_many_arguments, reason = "the one place where all parts of a creation meet")]
fn store(
    world: &Arc<World>,
    visitor: Visitor,
    target: &Target<'_>,
    call: &Call,
    rules: &[&Rule],
    mut order: Order,
    key: Option<String>,
    digest: [u8; 32],
) -> Result<Arc<Task>, Refusal> {
    let now = world.now_ms();
    let speed = world.config.speed;
    let mut state = world.state();
    // Looked up again under the lock that stores it: another request may have been quicker.
    if let Some(key) = &key
        && let Some(used) = state.key_use(visitor.account, key, now, speed)
    {
        drop(state);
        return Err(same_key(world, visitor, key, &digest, &used));
    }
    let number = state.next_task();
    order.results = results(world, target, call, rules, number);
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
    if let Some(key) = &key {
        let processes = rules.iter().any(|rule| rule.action == Action::Process);
        let busy = if processes { world.scaled(PROCESSING_SECONDS * 1000) } else { 0 };
        state.forget_old_keys(now, speed);
        state.keys.insert(
            (visitor.account, key.clone()),
            KeyUse { body: digest, task: task.id.clone(), since_ms: now, busy_until_ms: now + busy },
        );
    }
    drop(state);
    world.book().created(CreatedTask {
        id: task.id.clone(),
        model: task.model.clone(),
        idempotency_key: key,
        replays: 0,
        input: shortened(&Value::Object(call.input.clone())),
    });
    callback::schedule(world, &task, number);
    Ok(task)
}

/// `application/json` with any parameters, or no header at all. [C]
fn check_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    if essence.trim().eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(wire::flat(415, None, "Content-Type must be application/json"))
}

/// The key, if there is one: at most 255 bytes of UTF-8 without control characters. [C]
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let invalid = |why: &str| wire::flat(400, INVALID, why);
    let key = std::str::from_utf8(value.as_bytes()).map_err(|_| invalid("Idempotency-Key is not valid UTF-8"))?;
    if key.len() > LONGEST_KEY {
        return Err(invalid("Idempotency-Key is longer than 255 bytes"));
    }
    if key.chars().any(char::is_control) {
        return Err(invalid("Idempotency-Key has control characters"));
    }
    Ok(Some(key.to_owned()).filter(|key| !key.is_empty()))
}

/// Answers a key that was used before.
fn replay(world: &World, visitor: Visitor, key: &str, digest: &[u8; 32]) -> Result<(), Refusal> {
    let now = world.now_ms();
    let speed = world.config.speed;
    let used = world.state().key_use(visitor.account, key, now, speed);
    match used {
        Some(used) => Err(same_key(world, visitor, key, digest, &used)),
        None => Ok(()),
    }
}

fn same_key(world: &World, visitor: Visitor, key: &str, digest: &[u8; 32], used: &KeyUse) -> Response<Body> {
    if used.body != *digest {
        let message = "Idempotency-Key was used with a different request body";
        return wire::flat(422, Some("IDEMPOTENCY_KEY_MISMATCH"), message);
    }
    if world.now_ms() < used.busy_until_ms {
        // The task's id may be in the body already [C]: here it is for every other key.
        let data = (hash(world.config.seed, key.as_bytes()) & 1 == 0).then_some(Created { task_id: &used.task });
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

/// The parts of the request's body.
struct Call {
    model: String,
    input: Map<String, Value>,
    /// Only if it says something: `""` and `"default"` count as absent. [C]
    route: Option<String>,
    callback: Option<String>,
    persistent: bool,
}

impl Call {
    fn read(body: &[u8]) -> Result<Self, Refusal> {
        let invalid = |why: &str| wire::flat(400, INVALID, why);
        let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(body) else {
            return Err(invalid("the request body must be a JSON object"));
        };
        let Some(Value::String(model)) = fields.remove("model") else {
            return Err(invalid("missing required property 'model'"));
        };
        let Some(Value::Object(input)) = fields.remove("input") else {
            return Err(invalid("missing required property 'input'"));
        };
        let route = match fields.remove("route") {
            None => None,
            Some(Value::String(route)) => Some(route).filter(|route| !route.is_empty() && route != "default"),
            Some(_) => return Err(invalid("property 'route' must be of type string")),
        };
        let persistent = match fields.remove("storage") {
            None => false,
            Some(Value::String(tier)) if tier == "temp" => false,
            Some(Value::String(tier)) if tier == "persistent" => true,
            Some(_) => {
                return Err(invalid("property 'storage' must be one of: temp, persistent"));
            }
        };
        let callback = match fields.remove("callback") {
            None => None,
            Some(value) => Some(callback_url(value).map_err(invalid)?),
        };
        // Not documented for the top level; strict is what finds mistakes. [I]
        if let Some((name, _)) = fields.iter().next() {
            return Err(invalid(&format!("additional properties '{name}' not allowed")));
        }
        Ok(Self { model, input, route, callback, persistent })
    }

    /// The model as given, or with an explicit route the full name. [C]
    fn full_name(&self) -> String {
        match &self.route {
            Some(route) if !self.model.contains('@') => format!("{}@{route}", self.model),
            _ => self.model.clone(),
        }
    }
}

fn callback_url(value: Value) -> Result<String, &'static str> {
    let Value::Object(mut fields) = value else {
        return Err("property 'callback' must be of type object");
    };
    let Some(Value::String(address)) = fields.remove("url") else {
        return Err("missing required property 'callback.url'");
    };
    match fields.remove("when") {
        None => {}
        Some(Value::String(when)) if when == "final" => {}
        Some(_) => return Err("property 'callback.when' must be one of: final"),
    }
    if !fields.is_empty() {
        return Err("additional properties in 'callback' not allowed");
    }
    let usable = url::Url::parse(&address).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if usable { Ok(address) } else { Err("property 'callback.url' must be a valid http(s) URL") }
}

fn resolve<'w>(world: &'w World, visitor: Visitor, call: &Call) -> Result<Target<'w>, Refusal> {
    let found = world.catalogue.resolve(&call.model, call.route.as_deref());
    found.map_err(|why| match why {
        NoTarget::Unknown => {
            let message = format!("The model '{}' does not exist", call.model);
            wire::gateway(404, "model_not_found", &message, visitor.number)
        }
        NoTarget::Route { wrong, valid } => {
            let message = format!("unknown route '{wrong}'; valid routes: {}", valid.join(", "));
            wire::flat(400, INVALID, &message)
        }
        NoTarget::Contradiction => wire::flat(400, INVALID, "model and route name different routes"),
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

/// What the task will give, by the model's output types and the roles of its fields.
fn results(world: &World, target: &Target<'_>, call: &Call, rules: &[&Rule], number: u64) -> Vec<(String, Media)> {
    let input = &call.input;
    let prompt = text(target, "prompt", input).unwrap_or_default();
    let whole = |role: &str| target.by_role(role, input).and_then(Value::as_u64);
    let own = mix(world.config.seed ^ mix(number));
    let seed = whole("seed").map_or(own, |seed| hash(seed, prompt.as_bytes()));
    let (width, height) = shape::pixels(&Wish {
        shape: text(target, "shape", input),
        size: text(target, "size", input),
        width: whole("width"),
        height: whole("height"),
        at_least: world.config.scenario.files.at_least.as_deref(),
        chance: hash(1, prompt.as_bytes()),
        longest: world.config.longest_side,
    });
    let picture = |seed: u64| Picture {
        prompt: prompt.to_owned(),
        seed,
        width,
        height,
        format: text(target, "format", input).map_or(Format::Png, Format::from_word),
    };
    let bomb = rules.iter().any(|rule| rule.action == Action::Bomb);
    let count = rules
        .iter()
        .find(|rule| rule.action == Action::Outputs)
        .and_then(|rule| rule.amount)
        .map_or(1, |amount| amount.clamp(1.0, 16.0) as u64);
    let seconds = whole("seconds").unwrap_or(8).min(60) as u32;
    let mut roles: Vec<&str> = target.output_types.iter().map(String::as_str).collect();
    if roles == ["video"] {
        roles.push("first_frame");
    }
    let mut results = Vec::new();
    for copy in 0..count {
        for role in &roles {
            let seed = seed ^ mix(copy).wrapping_mul(u64::from(copy > 0));
            let media = match *role {
                "video" => Media::Film { seed },
                "audio" => Media::Sound { seed, seconds },
                _ if bomb => Media::Bomb,
                _ => Media::Picture(picture(seed)),
            };
            results.push(((*role).to_owned(), media));
        }
    }
    results
}

fn text<'v>(target: &'v Target<'_>, role: &str, input: &'v Map<String, Value>) -> Option<&'v str> {
    target.by_role(role, input).and_then(Value::as_str)
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
