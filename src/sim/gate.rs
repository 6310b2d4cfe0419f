//! The gateway: who may come in, how often, how many at once, and the faults that strike before a request is looked at.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, Response, header};
use axum::middleware::Next;

use super::door::Scissors;
use super::ledger::Kind;
use super::random::Dice;
use super::scenario::RetryAfter;
use super::wire;
use super::world::{Allowance, World};

/// On a response: nothing of it may reach the client, the connection is cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CutHere;

/// On a request: whose it is, and its number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visitor {
    pub(crate) account: u64,
    pub(crate) number: u64,
}

/// Wraps every request: gate for the API, then the ledger, then the scissors.
pub(crate) async fn pass(State(world): State<Arc<World>>, mut request: Request, next: Next) -> Response<Body> {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let kind = kind(&method, &path);
    let scissors = request.extensions().get::<ConnectInfo<Scissors>>().map(|info| info.0.clone());
    let mut response = if kind == Kind::File {
        if request.headers().contains_key(header::AUTHORIZATION) {
            world.book().ledger.downloads_with_key += 1;
        }
        next.run(request).await
    } else {
        guarded(&world, kind, &mut request, next).await
    };
    let cut = response.extensions_mut().remove::<CutHere>().is_some();
    if cut && let Some(scissors) = scissors {
        scissors.cut();
    }
    let status = if cut { 0 } else { response.status().as_u16() };
    world.book().request(kind, method.as_str(), &path, status);
    response
}

async fn guarded(world: &Arc<World>, kind: Kind, request: &mut Request, next: Next) -> Response<Body> {
    let number = world.state().next_request();
    let Some(key) = bearer(request.headers()).filter(|key| world.accepts(key)) else {
        return wire::gateway(401, "permission_denied", "Invalid API key", number);
    };
    let account = world.account(key);
    let now = world.now_ms();
    let allowance = world.config.rate_limit.map(|limit| {
        let mut state = world.state();
        state.spend(account, limit, now, world.config.speed)
    });
    let mut response = match allowance {
        Some(spent) if !spent.granted => {
            let mut response = wire::gateway(429, "rate_limit_exceeded", "Too many requests", number);
            let wait = spent.ends_ms.saturating_sub(now).div_ceil(1000).max(1);
            wire::set(&mut response, "retry-after", &wait.to_string());
            response
        }
        _ => {
            request.extensions_mut().insert(Visitor { account, number });
            admitted(world, kind, account, number, std::mem::take(request), next).await
        }
    };
    if let Some(allowance) = allowance {
        tell(&mut response, allowance);
    }
    response
}

/// A running request; leaving is certain even if the client goes away and this future is dropped.
struct Inside {
    world: Arc<World>,
    account: u64,
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.world.state().leave(self.account);
    }
}

async fn admitted(
    world: &Arc<World>,
    kind: Kind,
    account: u64,
    number: u64,
    request: Request,
    next: Next,
) -> Response<Body> {
    let entered = world.state().enter(account, world.config.concurrency);
    if !entered {
        let message = "Too many concurrent requests";
        let mut response = wire::gateway(429, "rate_limit_exceeded", message, number);
        wire::set(&mut response, "retry-after", "1");
        return response;
    }
    let _inside = Inside { world: Arc::clone(world), account };
    let mut dice = world.dice(number, "fault");
    let steps = &world.config.scenario.steps;
    let pace = if kind == Kind::Create { steps.accept } else { steps.answer };
    let mut wait = pace.draw(&mut dice);
    let faults = &world.config.scenario.faults;
    // One throw for all faults that exclude each other, so that the rates are what they say.
    let mut throw = dice.unit();
    let mut hits = |rate: f64| {
        let hit = throw >= 0.0 && throw < rate;
        throw -= rate;
        hit
    };
    if hits(faults.too_many) {
        let mut response = wire::gateway(429, "rate_limit_exceeded", "Too many requests", number);
        retry_after(world, &mut response, 2, &mut dice);
        return response;
    }
    if hits(faults.busy) {
        let mut response = wire::flat(503, None, "the platform is busy");
        retry_after(world, &mut response, 3, &mut dice);
        return response;
    }
    if hits(faults.server_error) {
        return wire::flat(500, None, "internal error");
    }
    if hits(faults.html) {
        return wire::html(502);
    }
    let cut = hits(faults.cut);
    if hits(faults.delay) {
        wait += (faults.delay_seconds.clamp(0.0, 600.0) * 1000.0) as u64;
    }
    let mut response = next.run(request).await;
    world.linger(wait).await;
    if cut {
        response.extensions_mut().insert(CutHere);
    }
    response
}

/// Adds a `Retry-After` in the form the scenario wants; `seconds` at speed 1.
pub(crate) fn retry_after(world: &World, response: &mut Response<Body>, seconds: u64, dice: &mut Dice) {
    let seconds = world.scaled(seconds * 1000).div_ceil(1000).max(1);
    let form = match world.config.scenario.faults.retry_after {
        RetryAfter::Mixed => match dice.below(3) {
            0 => RetryAfter::Seconds,
            1 => RetryAfter::Date,
            _ => RetryAfter::None,
        },
        form => form,
    };
    match form {
        RetryAfter::Date => {
            let at = UNIX_EPOCH + Duration::from_millis(world.now_ms() + seconds * 1000);
            wire::set(response, "retry-after", &httpdate::fmt_http_date(at));
        }
        RetryAfter::None => {}
        _ => wire::set(response, "retry-after", &seconds.to_string()),
    }
}

fn tell(response: &mut Response<Body>, allowance: Allowance) {
    let reset = allowance.ends_ms.div_ceil(1000);
    wire::set(response, "x-ratelimit-limit", &allowance.limit.to_string());
    wire::set(response, "x-ratelimit-remaining", &allowance.remaining.to_string());
    wire::set(response, "x-ratelimit-reset", &reset.to_string());
}

/// The key of an `Authorization: Bearer …` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn kind(method: &Method, path: &str) -> Kind {
    if path.starts_with("/files/") {
        return Kind::File;
    }
    match (method.as_str(), path.strip_prefix("/v1/")) {
        ("POST", Some("tasks")) => Kind::Create,
        ("GET", Some("tasks")) => Kind::List,
        ("GET", Some("models")) => Kind::Models,
        ("GET", Some(path)) if path.starts_with("tasks/") => Kind::Get,
        _ => Kind::Other,
    }
}
