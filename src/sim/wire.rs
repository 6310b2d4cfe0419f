//! The shapes of the service's answers, written down here once more and on purpose: the client has its own.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

/// The body of a success and of the task service's failures ("flat"). \[D\]
#[derive(Debug, Serialize)]
struct Envelope<'a, T> {
    code: u16,
    message: &'a str,
    data: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<&'a str>,
}

/// The body of the gateway's failures. \[B\]
#[derive(Debug, Serialize)]
struct Gateway<'a> {
    error: GatewayError<'a>,
}

#[derive(Debug, Serialize)]
struct GatewayError<'a> {
    code: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    message: &'a str,
    request_id: &'a str,
}

/// `data` of a creation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Created<'a> {
    pub(crate) task_id: &'a str,
}

/// A task as everybody sees it: `data` of the detail, an item of the list, the body of a callback.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaskView {
    pub(crate) task_id: String,
    pub(crate) model: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) route: Option<String>,
    pub(crate) status: &'static str,
    pub(crate) created: u64,
    pub(crate) completed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) storage: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<Vec<OutputView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<FailureView>,
}

/// One result.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OutputView {
    pub(crate) url: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) expire_at: u64,
}

/// Why a task failed; either part may be missing. \[C\]
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FailureView {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    pub(crate) message: String,
}

/// `data` of the list.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    pub(crate) page: u64,
    pub(crate) size: u64,
    pub(crate) total: usize,
    pub(crate) tasks: Vec<TaskView>,
}

/// The OpenAI-style list of models. \[I\]
#[derive(Debug, Serialize)]
pub(crate) struct ModelList<'a> {
    pub(crate) object: &'static str,
    pub(crate) data: Vec<ModelEntry<'a>>,
}

/// One model.
#[derive(Debug, Serialize)]
pub(crate) struct ModelEntry<'a> {
    pub(crate) id: &'a str,
    pub(crate) object: &'static str,
    pub(crate) created: u64,
    pub(crate) owned_by: &'static str,
}

/// 200 with the payload in the envelope.
pub(crate) fn success<T: Serialize>(data: T) -> Response<Body> {
    let body = Envelope { code: 200, message: "success", data: Some(data), error_code: None };
    json(StatusCode::OK, &body)
}

/// A failure of the task service.
pub(crate) fn flat(status: u16, error_code: Option<&str>, message: &str) -> Response<Body> {
    flat_with(status, error_code, message, None::<()>)
}

/// A failure of the task service that carries data (409 may carry the task's id \[C\]).
pub(crate) fn flat_with<T: Serialize>(
    status: u16,
    error_code: Option<&str>,
    message: &str,
    data: Option<T>,
) -> Response<Body> {
    let body = Envelope { code: status, message, data, error_code };
    json(status_of(status), &body)
}

/// A failure of the gateway in front of the task service.
pub(crate) fn gateway(status: u16, code: &str, message: &str, number: u64) -> Response<Body> {
    let kind = if status == 404 { "invalid_request_error" } else { "hiapi_error" };
    let request_id = format!("req_{}", crockford(u128::from(number), 20));
    let body = Gateway { error: GatewayError { code, kind, message, request_id: &request_id } };
    json(status_of(status), &body)
}

/// The page of a proxy that lost its upstream.
pub(crate) fn html(status: u16) -> Response<Body> {
    let status = status_of(status);
    let page = format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

/// Any JSON answer.
pub(crate) fn json<T: Serialize>(status: StatusCode, body: &T) -> Response<Body> {
    // Our own structs always serialise; were it otherwise the client would see an empty body, which it must survive anyway.
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

/// Adds a header whose value we made ourselves.
pub(crate) fn set(response: &mut Response<Body>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn status_of(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Crockford base 32 of the lowest 5 × `digits` bits.
pub(crate) fn crockford(value: u128, digits: u32) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    (0..digits)
        .rev()
        .map(|at| {
            let five = value.checked_shr(at * 5).unwrap_or(0) & 31;
            char::from(DIGITS[five as usize])
        })
        .collect()
}
