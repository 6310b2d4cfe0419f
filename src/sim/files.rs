//! Downloads: `/files/{task}/{n}.{ext}`, as a content network serves them. No key is needed.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use futures_util::stream;
use tokio::sync::{OnceCell, Semaphore};

use super::random::hash;
use super::task::{Output, Task};
use super::wire::set;
use super::world::World;

/// Bytes of rendered results that are kept.
const SHELF_BYTES: usize = 96 << 20;
/// Results rendered at the same time: each may need a picture's worth of memory.
const DRAWING: usize = 2;
/// Pieces of a slow or cut download.
const PIECE: usize = 16 << 10;

type Slot = Arc<OnceCell<Bytes>>;

/// Rendered results, the oldest leave first.
pub(crate) struct Shelf {
    slots: Mutex<Slots>,
    drawing: Semaphore,
}

#[derive(Default)]
struct Slots {
    by_name: HashMap<String, Slot>,
    order: VecDeque<String>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { slots: Mutex::default(), drawing: Semaphore::new(DRAWING) }
    }
}

impl Shelf {
    /// The slot of a result; two requests for the same result share one, so it is drawn once.
    fn slot(&self, name: &str) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.by_name.get(name) {
            return Arc::clone(slot);
        }
        let slot = Slot::default();
        slots.by_name.insert(name.to_owned(), Arc::clone(&slot));
        slots.order.push_back(name.to_owned());
        slot
    }

    fn tidy(&self) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let size = |slot: &Slot| slot.get().map_or(0, Bytes::len);
        let mut sum: usize = slots.by_name.values().map(size).sum();
        while sum > SHELF_BYTES && slots.order.len() > 1 {
            let Some(oldest) = slots.order.pop_front() else {
                return;
            };
            if let Some(gone) = slots.by_name.remove(&oldest) {
                sum -= size(&gone).min(sum);
            }
        }
    }

    async fn bytes(&self, task: &Task, index: usize, output: &Output) -> Result<Bytes, String> {
        let name = format!("{}/{index}", task.id);
        let slot = self.slot(&name);
        let rendered = slot.get_or_try_init(|| async {
            let _turn = self.drawing.acquire().await.map_err(|e| e.to_string())?;
            let (media, broken) = (output.media.clone(), output.quirks.broken);
            let drawn = tokio::task::spawn_blocking(move || media.render()).await.map_err(|error| error.to_string())?;
            let mut bytes = drawn.map_err(|error| error.to_string())?;
            if broken {
                spoil(&mut bytes);
            }
            Ok::<_, String>(Bytes::from(bytes))
        });
        let bytes = rendered.await?.clone();
        self.tidy();
        Ok(bytes)
    }
}

/// Leaves the first bytes, by which a file is recognised, and ruins the rest.
fn spoil(bytes: &mut Vec<u8>) {
    let end = bytes.len() / 2;
    bytes.truncate(end.max(64));
    for (at, byte) in bytes.iter_mut().enumerate().skip(40) {
        *byte = byte.wrapping_mul(31) ^ (at as u8);
    }
}

/// Serves one result.
pub(crate) async fn file(
    State(world): State<Arc<World>>,
    Path((id, name)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Response<Body> {
    let now = world.now_ms();
    let task = world.state().task(&id).cloned();
    let Some(task) = task.filter(|task| now >= task.timetable.archiving && task.failure.is_none()) else {
        return refused(StatusCode::NOT_FOUND, "NoSuchKey");
    };
    let found = name.split_once('.').and_then(|(index, extension)| {
        let index: usize = index.parse().ok()?;
        let output = task.outputs.get(index)?;
        (output.media.extension() == extension).then_some((index, output))
    });
    let Some((index, output)) = found else {
        return refused(StatusCode::NOT_FOUND, "NoSuchKey");
    };
    if now < output.quirks.absent_until {
        return refused(StatusCode::NOT_FOUND, "NoSuchKey");
    }
    if now > output.expire_ms {
        return refused(StatusCode::FORBIDDEN, "AccessDenied");
    }
    let bytes = match world.shelf.bytes(&task, index, output).await {
        Ok(bytes) => bytes,
        Err(error) => {
            tracing::warn!(%error, "a result could not be drawn");
            return refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalError");
        }
    };
    let etag = format!("\"{:016x}\"", hash(index as u64, task.id.as_bytes()));
    let modified = UNIX_EPOCH + Duration::from_secs(task.timetable.archiving / 1000);
    let modified = httpdate::fmt_http_date(modified);
    let mut response = respond(&world, output, &method, &headers, &bytes, &etag, &modified);
    set(&mut response, "etag", &etag);
    set(&mut response, "last-modified", &modified);
    set(&mut response, "accept-ranges", "bytes");
    set(&mut response, "cache-control", "public, max-age=604800");
    response
}

fn respond(
    world: &World,
    output: &Output,
    method: &Method,
    headers: &HeaderMap,
    bytes: &Bytes,
    etag: &str,
    modified: &str,
) -> Response<Body> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let mut response = Response::new(Body::empty());
    let known = text(header::IF_NONE_MATCH)
        .is_some_and(|list| list.split(',').any(|one| matches!(one.trim(), "*") || one.trim() == etag));
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    // If-Range with an old tag or date means: the whole thing, please.
    let same = text(header::IF_RANGE).is_none_or(|tag| tag == etag || tag == modified);
    let asked = text(header::RANGE).filter(|_| same);
    let span = match asked.map(|asked| range(asked, bytes.len())) {
        Some(Asked::Part(start, end)) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let value = format!("bytes {start}-{}/{}", end - 1, bytes.len());
            set(&mut response, "content-range", &value);
            start..end
        }
        Some(Asked::Beyond) => {
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            let value = format!("bytes */{}", bytes.len());
            set(&mut response, "content-range", &value);
            return response;
        }
        Some(Asked::Whole) | None => 0..bytes.len(),
    };
    let length = span.len();
    set(&mut response, "content-type", output.media.content_type());
    set(&mut response, "content-length", &length.to_string());
    if *method == Method::HEAD {
        return response;
    }
    let from_start = span.start == 0;
    let part = bytes.slice(span);
    let first = from_start && output.downloads.fetch_add(1, Ordering::Relaxed) == 0;
    let pace = (output.quirks.bytes_per_second as f64 * world.config.speed) as u64;
    let cut_at = (output.quirks.cut_first && first).then_some(length / 2);
    *response.body_mut() = match (cut_at, pace) {
        (None, 0) => Body::from(part),
        _ => in_pieces(part, pace, cut_at),
    };
    response
}

/// A body that comes slowly, or breaks off, or both.
fn in_pieces(bytes: Bytes, pace: u64, cut_at: Option<usize>) -> Body {
    let end = cut_at.unwrap_or(bytes.len());
    let pieces = stream::unfold(0_usize, move |at| {
        let bytes = bytes.clone();
        async move {
            if at >= end {
                cut_at?;
                // What was sent must be out before the connection breaks.
                tokio::time::sleep(Duration::from_millis(20)).await;
                return Some((Err(io::Error::from(io::ErrorKind::ConnectionReset)), at));
            }
            let next = (at + PIECE).min(end);
            if let Some(wait) = ((next - at) as u64 * 1000).checked_div(pace) {
                tokio::time::sleep(Duration::from_millis(wait)).await;
            }
            Some((Ok(bytes.slice(at..next)), next))
        }
    });
    Body::from_stream(pieces)
}

enum Asked {
    Whole,
    Part(usize, usize),
    Beyond,
}

/// One range of bytes; several at once, other units and nonsense give the whole file, as the standard allows.
fn range(header: &str, length: usize) -> Asked {
    let Some((first, last)) = header.strip_prefix("bytes=").and_then(|spec| spec.trim().split_once('-')) else {
        return Asked::Whole;
    };
    match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), _) if first >= length => Asked::Beyond,
        (Ok(first), Ok(last)) if last >= first => Asked::Part(first, last.saturating_add(1).min(length)),
        (Ok(first), Err(_)) if last.is_empty() => Asked::Part(first, length),
        (Err(_), Ok(0)) if first.is_empty() => Asked::Beyond,
        (Err(_), Ok(tail)) if first.is_empty() => Asked::Part(length.saturating_sub(tail), length),
        _ => Asked::Whole,
    }
}

/// What a content network says: neither JSON nor the API's shapes.
fn refused(status: StatusCode, code: &str) -> Response<Body> {
    let page = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>\n");
    let once = stream::once(async { Ok::<_, Infallible>(Bytes::from(page)) });
    let mut response = Response::new(Body::from_stream(once));
    *response.status_mut() = status;
    set(&mut response, "content-type", "application/xml");
    response
}
