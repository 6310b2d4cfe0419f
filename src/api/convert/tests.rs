//! Every sample of the protocol reference, and what else may come.

use reqwest::header::{HeaderName, HeaderValue};

use super::*;

const ID: &str = "tk-hiapi-01HZTQ8BX2N3GM3YFK4Z9D7VQR";

fn id() -> TaskId {
    ID.parse().expect("an id")
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))).collect()
}

fn with<T>(status: u16, pairs: &[(&'static str, &'static str)], body: &str, f: impl Fn(&Reply<'_>) -> T) -> T {
    f(&Reply { status, headers: &headers(pairs), body: body.as_bytes() })
}

fn ok(data: &str) -> String {
    format!(r#"{{ "code": 200, "message": "success", "data": {data} }}"#)
}

fn reported(data: &str) -> Result<Report, Problem> {
    with(200, &[], &ok(data), |r| r.report(&id()))
}

fn failed(status: u16, pairs: &[(&'static str, &'static str)], body: &str) -> Problem {
    with(status, pairs, body, |r| r.accepted()).expect_err("a problem")
}

#[test]
fn a_creation_is_accepted() {
    let body = ok(&format!(r#"{{ "taskId": "{ID}" }}"#));
    let expected = Accepted { task_id: id(), replay: false };
    assert_eq!(with(200, &[], &body, |r| r.accepted()), Ok(expected.clone()));
    let replay = [("idempotent-replay", "true")];
    assert_eq!(with(200, &replay, &body, |r| r.accepted()), Ok(Accepted { replay: true, ..expected.clone() }));
    for data in [
        format!(r#"{{"taskId":"{ID}","status":"queued"}}"#),
        format!(r#"{{"task_id":"{ID}"}}"#),
        format!(r#"{{"taskId":null,"id":"{ID}"}}"#),
    ] {
        assert_eq!(with(201, &[], &ok(&data), |r| r.accepted()), Ok(expected.clone()), "{data}");
    }
}

#[test]
fn an_answer_without_a_task_leaves_the_outcome_open() {
    let whole = ok(&format!(r#"{{ "taskId": "{ID}" }}"#));
    for end in 0..whole.len() - 1 {
        let problem = failed(200, &[], &whole[..end]);
        assert!(matches!(problem, Problem::Odd { status: 200, .. }), "{problem:?}");
    }
    for body in
        ["{}", "[]", r#"{"code":200,"data":null}"#, &ok(r#"{"taskId":"../x"}"#), &ok("{}"), "<html>login</html>"]
    {
        assert_eq!(failed(200, &[], body).outcome(), crate::domain::Outcome::Unknown, "{body}");
    }
    let page = failed(200, &[("content-type", "text/html")], "hello");
    assert!(page.sentence().contains("web page"), "{page:?}");
}

#[test]
fn a_task_under_way() {
    let report = reported(&format!(
        r#"{{ "taskId": "{ID}", "model": "Nano-Banana-2", "status": "handling", "created": 1777282033, "completed": 0 }}"#
    ));
    let expected = Report {
        task_id: id(),
        model: "Nano-Banana-2".into(),
        status: Status::Handling,
        outputs: vec![],
        created: Some(Wall(1_777_282_033_000)),
        completed: None,
        source: Source::Task,
    };
    assert_eq!(report, Ok(expected));
}

#[test]
fn a_task_that_succeeded() {
    let report = reported(&format!(
        r#"{{ "taskId": "{ID}", "model": "Nano-Banana-2", "status": "success", "created": 1777282033,
        "completed": 1777282061, "storage": "temp", "output": [ {{ "url": "https://cdn.hiapi.ai/tasks/{ID}/0.png",
        "type": "image", "expireAt": 1777886861 }}, null, {{"type":"video"}}, {{"url":"https://x.example/1"}} ] }}"#
    ))
    .expect("a report");
    assert_eq!((report.status, report.completed), (Status::Success, Some(Wall(1_777_282_061_000))));
    let outputs = [
        Output {
            url: format!("https://cdn.hiapi.ai/tasks/{ID}/0.png"),
            role: "image".into(),
            expires: Some(Wall(1_777_886_861_000)),
            state: OutputState::Away,
        },
        Output { url: "https://x.example/1".into(), role: "file".into(), expires: None, state: OutputState::Away },
    ];
    assert_eq!(report.outputs, outputs);
}

#[test]
fn a_task_that_failed_is_no_problem_of_the_exchange() {
    let failure = |data: &str| {
        let report = reported(&format!(r#"{{"taskId":"{ID}","model":"m","created":1,"completed":2,{data}}}"#));
        match report.expect("a report").status {
            Status::Failed(Failure { code, message }) => (code, message),
            other => panic!("{other:?}"),
        }
    };
    let text = |s: &str| Some(s.to_owned());
    for (data, expected) in [
        (
            r#""status":"fail","error":{"code":"TASK_FAILED","message":"upstream rejected the prompt"}"#,
            (text("TASK_FAILED"), text("upstream rejected the prompt")),
        ),
        (r#""status":"fail","error":{"message":"task failed"}"#, (None, text("task failed"))),
        (r#""status":"fail","error":{"code":17}"#, (text("17"), None)),
        (r#""status":"fail","error":null"#, (None, None)),
        (r#""status":"fail""#, (None, None)),
        (r#""status":"fail","error":"it broke""#, (None, text("it broke"))),
        (r#""status":"failed","fail_reason":"too hot""#, (None, text("too hot"))),
        (r#""status":"cancelled""#, (None, text("cancelled"))),
    ] {
        assert_eq!(failure(data), expected, "{data}");
    }
}

#[test]
fn status_words() {
    let long = "w".repeat(100);
    for (word, expected) in [
        ("queued", Status::Queued),
        ("handling", Status::Handling),
        ("archiving", Status::Archiving),
        ("success", Status::Success),
        ("succeeded", Status::Success),
        ("completed", Status::Success),
        ("pending", Status::Unknown("pending".into())),
        ("Success", Status::Unknown("Success".into())),
        (&long, Status::Unknown("w".repeat(64))),
    ] {
        let report = reported(&format!(r#"{{"taskId":"{ID}","status":"{word}"}}"#));
        assert_eq!(report.map(|r| r.status), Ok(expected), "{word}");
    }
}

#[test]
fn an_answer_that_is_not_about_the_task_is_none() {
    for data in [
        r#"{"taskId":"tk-hiapi-other","status":"success"}"#.to_owned(),
        format!(r#"{{"taskId":"{ID}"}}"#),
        format!(r#"{{"taskId":"{ID}","status":null}}"#),
        r#"{"status":"success"}"#.to_owned(),
        "null".to_owned(),
    ] {
        assert!(matches!(reported(&data), Err(Problem::Odd { status: 200, .. })), "{data}");
    }
}

#[test]
fn times_and_outputs_only_where_they_belong() {
    let report = reported(&format!(
        r#"{{"taskId":"{ID}","status":"archiving","created":"1777282033","completed":5,"output":[{{"url":"u"}}]}}"#
    ))
    .expect("a report");
    assert_eq!((report.completed, report.outputs.len()), (None, 0));
    assert_eq!(report.created, Some(Wall(1_777_282_033_000)));
}

#[test]
fn a_page_of_the_list() {
    let body = ok(&format!(
        r#"{{ "page": 1, "size": 10, "total": 42, "tasks": [
        {{ "taskId": "tk-hiapi-01J", "model": "Nano-Banana", "status": "archiving", "created": 1777282010, "completed": 0 }},
        {{ "taskId": "{ID}", "model": "happyhorse-1-0", "status": "success", "created": 1777281000, "completed": 1777281066,
        "output": [ {{ "url": "https://cdn.hiapi.ai/tasks/x/0.mp4", "type": "video", "expireAt": 1777885866 }} ] }},
        null, {{"taskId":"no status"}}, 7 ] }}"#
    ));
    let page = with(200, &[], &body, |r| r.page(1, 100)).expect("a page");
    assert_eq!((page.page, page.size, page.total, page.reports.len()), (1, 10, 42, 2));
    assert_eq!(page.reports[1].outputs[0].role, "video");
    assert!(page.reports.iter().all(|r| r.source == Source::Page));
    let empty = with(200, &[], &ok(r#"{"tasks":null,"total":"0"}"#), |r| r.page(3, 50)).expect("a page");
    assert_eq!((empty.page, empty.size, empty.total, empty.reports.len()), (3, 50, 0, 0));
    assert!(with(200, &[], &ok("null"), |r| r.page(1, 1)).is_err());
}

#[test]
fn errors_in_both_shapes() {
    let flat = r#"{ "code": 400, "message": "additional properties 'seed' not allowed", "data": null, "error_code": "INVALID_REQUEST" }"#;
    assert_eq!(
        failed(400, &[], flat),
        Problem::Rejected {
            status: 400,
            code: Some("INVALID_REQUEST".into()),
            message: "additional properties 'seed' not allowed".into()
        }
    );
    // A proxy that hides the status: the code in the body counts.
    assert_eq!(failed(200, &[], flat), failed(400, &[], flat));
    let nested = r#"{ "error": { "code": "rate_limit_exceeded", "type": "hiapi_error", "message": "Too many requests", "request_id": "req_01HX" } }"#;
    assert_eq!(failed(429, &[], nested), Problem::Limit { retry_after: None });
    assert_eq!(failed(429, &[("retry-after", "7")], nested), Problem::Limit { retry_after: Some(7) });
    assert_eq!(failed(401, &[], nested), Problem::Auth { message: "Too many requests (request req_01HX)".into() });
    assert!(matches!(failed(200, &[], nested), Problem::Odd { status: 200, .. }));
    let gone = r#"{"error":{"code":"model_not_found","type":"invalid_request_error","message":"no such model"}}"#;
    assert_eq!(failed(404, &[], gone), Problem::NotFound { message: "no such model".into() });
}

#[test]
fn each_status_has_its_problem() {
    let m = || "no".to_owned();
    let body = |code: &str| format!(r#"{{"code":1,"message":"no","data":null,"error_code":"{code}"}}"#);
    let coded = |code: &str| Some(code.to_owned());
    for (status, code, expected) in [
        (400, "MODEL_UNAVAILABLE", Problem::Rejected { status: 400, code: coded("MODEL_UNAVAILABLE"), message: m() }),
        (401, "", Problem::Auth { message: m() }),
        (402, "INSUFFICIENT_QUOTA", Problem::Balance { message: m() }),
        (402, "", Problem::Balance { message: m() }),
        (403, "insufficient_quota", Problem::Balance { message: m() }),
        (403, "permission_denied", Problem::Forbidden { message: m() }),
        (404, "", Problem::NotFound { message: m() }),
        (408, "", Problem::Server { status: 408, message: m() }),
        (409, "IDEMPOTENCY_KEY_PROCESSING", Problem::Processing { retry_after: Some(5), task_id: None }),
        (413, "", Problem::Rejected { status: 413, code: None, message: m() }),
        (415, "", Problem::Rejected { status: 415, code: None, message: m() }),
        (418, "", Problem::Rejected { status: 418, code: None, message: m() }),
        (422, "IDEMPOTENCY_KEY_MISMATCH", Problem::Mismatch { message: m() }),
        (422, "", Problem::Mismatch { message: m() }),
        (422, "INVALID_REQUEST", Problem::Rejected { status: 422, code: coded("INVALID_REQUEST"), message: m() }),
        (425, "", Problem::Server { status: 425, message: m() }),
        (429, "", Problem::Limit { retry_after: Some(5) }),
        (500, "TASK_TIMEOUT", Problem::Server { status: 500, message: m() }),
        (502, "", Problem::Server { status: 502, message: m() }),
        (503, "", Problem::Busy { retry_after: Some(5), message: m() }),
        (504, "", Problem::Server { status: 504, message: m() }),
    ] {
        assert_eq!(failed(status, &[("retry-after", "5")], &body(code)), expected, "{status} {code}");
    }
    let with_id = format!(r#"{{"code":409,"data":{{"taskId":"{ID}"}},"error_code":"IDEMPOTENCY_KEY_PROCESSING"}}"#);
    assert_eq!(failed(409, &[], &with_id), Problem::Processing { retry_after: None, task_id: Some(id()) });
    assert!(matches!(failed(302, &[("location", "https://x.example")], ""), Problem::Odd { status: 302, .. }));
    assert!(matches!(failed(407, &[], ""), Problem::Network { sent: false, .. }));
}

#[test]
fn answers_of_proxies() {
    assert_eq!(
        failed(502, &[], "<html><h1>Bad Gateway</h1></html>"),
        Problem::Server { status: 502, message: "HTTP 502, with a web page".into() }
    );
    assert_eq!(failed(500, &[], ""), Problem::Server { status: 500, message: "HTTP 500".into() });
    assert_eq!(failed(500, &[], " oh no\n"), Problem::Server { status: 500, message: "oh no".into() });
    // Whether a proxy's 503 came before or after the service took the request, nobody knows.
    assert_eq!(failed(503, &[], "<html>").outcome(), crate::domain::Outcome::Unknown);
    assert_eq!(failed(503, &[("retry-after", "3")], "<html>").retry_after(), Some(3));
}

#[test]
fn huge_messages_are_cut() {
    let huge = "x".repeat(100_000);
    for body in [format!(r#"{{"code":400,"message":"{huge}"}}"#), huge.clone()] {
        let Problem::Rejected { message, .. } = failed(400, &[], &body) else { panic!("not rejected") };
        assert!(message.len() < MAX_MESSAGE + 64 && message.contains("left out"), "{}", message.len());
    }
}
