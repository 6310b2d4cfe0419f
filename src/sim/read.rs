//! The answers to reads: one task, the list, the models.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::Response;

use super::gate::Visitor;
use super::task::Task;
use super::wire::{self, ModelEntry, ModelList, Page};
use super::world::World;

const DEFAULT_SIZE: u64 = 10;
const LARGEST_SIZE: u64 = 100;

/// `GET /v1/tasks/{id}`
pub(crate) async fn one(
    State(world): State<Arc<World>>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
) -> Response<Body> {
    let found = world.state().task(&id).cloned();
    match found.filter(|task| may_see(task, visitor)) {
        Some(task) => {
            let behind = staleness(&world, visitor);
            wire::success(task.seen(world.now_ms(), behind, &world.base))
        }
        // 404 often has no error code. [D]/[C]
        None => wire::flat(404, None, "task not found"),
    }
}

/// `GET /v1/tasks`
pub(crate) async fn list(
    State(world): State<Arc<World>>,
    Extension(visitor): Extension<Visitor>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let query = query.unwrap_or_default();
    let page = number(&query, "page").filter(|page| *page >= 1);
    let size = number(&query, "size").filter(|size| (1..=LARGEST_SIZE).contains(size));
    // Values out of range become the defaults, silently. [D]
    let (page, size) = (page.unwrap_or(1), size.unwrap_or(DEFAULT_SIZE));
    let behind = staleness(&world, visitor);
    let now = world.now_ms();
    let (total, tasks) = {
        let state = world.state();
        let mine = || state.tasks.iter().filter(|task| may_see(task, visitor));
        let skip = usize::try_from((page - 1).saturating_mul(size)).unwrap_or(usize::MAX);
        let slice = mine().rev().skip(skip).take(size as usize);
        (mine().count(), slice.cloned().collect::<Vec<_>>())
    };
    let views = tasks.iter().map(|task| task.seen(now, behind, &world.base)).collect();
    wire::success(Page { page, size, total, tasks: views })
}

/// `GET /v1/models`
pub(crate) async fn models(State(world): State<Arc<World>>) -> Response<Body> {
    let entries =
        world.catalogue.names().map(|id| ModelEntry { id, object: "model", created: 1_735_689_600, owned_by: "hiapi" });
    let list = ModelList { object: "list", data: entries.collect() };
    wire::json(axum::http::StatusCode::OK, &list)
}

/// Every other path.
pub(crate) async fn nothing() -> Response<Body> {
    wire::flat(404, None, "not found")
}

/// A known path with another method.
pub(crate) async fn wrong_method() -> Response<Body> {
    wire::flat(405, None, "method not allowed")
}

fn may_see(task: &Task, visitor: Visitor) -> bool {
    task.account.is_none_or(|account| account == visitor.account)
}

fn staleness(world: &World, visitor: Visitor) -> u64 {
    let faults = &world.config.scenario.faults;
    let mut dice = world.dice(visitor.number, "stale");
    if dice.chance(faults.stale) { world.scaled((faults.stale_seconds.clamp(0.0, 3600.0) * 1000.0) as u64) } else { 0 }
}

fn number(query: &str, name: &str) -> Option<u64> {
    url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).and_then(|(_, value)| value.parse().ok())
}
