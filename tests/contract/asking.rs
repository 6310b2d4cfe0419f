//! Creating, asking, paging: what goes out, what comes of each answer, and of none.

use std::time::Duration;

use plantain::api::{ApiKey, Client, Timeouts, base_url};
use plantain::domain::{Accepted, LocalId, Outcome, Problem, Status, TaskId};
use plantain::time::Wall;
use tokio::net::TcpListener;

use kit::raw::{Reply, Server, answer, json};

const KEY: &str = "sk-canary-0123";
const ID: &str = "tk-hiapi-01HZTQ8BX2N3GM3YFK4Z9D7VQR";

fn client(base: &str, answer: Duration) -> Client {
    let timeouts = Timeouts { connect: Duration::from_secs(5), answer, between: answer };
    Client::new(base_url(base).expect("a base"), ApiKey::parse(KEY).expect("a key"), timeouts).expect("a client")
}

fn patient(server: &Server) -> Client {
    client(&server.url("/v1"), Duration::from_secs(20))
}

fn key() -> LocalId {
    LocalId::from_random(7)
}

fn task_id() -> TaskId {
    ID.parse().expect("an id")
}

fn created() -> String {
    format!(r#"{{"code":200,"message":"success","data":{{"taskId":"{ID}"}}}}"#)
}

#[tokio::test]
async fn a_creation_sends_the_bytes_and_the_key() {
    let headers = "idempotent-replay: true\r\nx-ratelimit-limit: 60\r\nx-ratelimit-remaining: 59\r\n\
                   x-ratelimit-reset: 1777282060\r\ndate: Mon, 27 Apr 2026 09:27:13 GMT\r\n";
    let server = Server::new(vec![json("200 OK", headers, &created())]).await;
    let body = r#"{"model":"m","input":{"prompt":"a  fox \u00e9 é"}}"#;
    let said = patient(&server).create(key(), body).await;
    assert_eq!(said.result, Ok(Accepted { task_id: task_id(), replay: true }));
    assert_eq!(said.limits.map(|l| (l.limit, l.remaining, l.reset)), Some((60, 59, Some(Wall(1_777_282_060_000)))));
    let dated = said.date.expect("a date");
    assert_eq!(dated.at, Wall(1_777_282_033_000));
    assert!(dated.sent <= dated.heard);
    let asked = server.asked().join("");
    assert!(asked.starts_with("POST /v1/tasks HTTP/1.1\r\n"), "{asked}");
    assert!(asked.ends_with(body), "{asked}");
    for header in [
        format!("idempotency-key: {}", key()),
        format!("authorization: Bearer {KEY}"),
        "content-type: application/json".into(),
        "accept: application/json".into(),
        format!("user-agent: plantain/{}", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(asked.contains(&format!("\r\n{header}\r\n")), "{header} in {asked}");
    }
}

#[tokio::test]
async fn a_task_and_a_page_are_read() {
    let task = format!(r#"{{"taskId":"{ID}","model":"m","status":"handling","created":1,"completed":0}}"#);
    let server = Server::new(vec![
        json("200 OK", "", &format!(r#"{{"code":200,"message":"success","data":{task}}}"#)),
        json("200 OK", "", &format!(r#"{{"code":200,"data":{{"page":2,"size":100,"total":101,"tasks":[{task}]}}}}"#)),
        json("200 OK", "", r#"{"code":200,"data":{"page":1,"size":1,"total":0,"tasks":[]}}"#),
        json("200 OK", "", &format!(r#"{{"data":{}}}"#, task.replace(ID, "tk-hiapi-other"))),
    ])
    .await;
    let client = patient(&server);
    let report = client.task(&task_id()).await.result.expect("a report");
    assert_eq!((report.task_id, report.status), (task_id(), Status::Handling));
    let page = client.page(2, 100).await.result.expect("a page");
    assert_eq!((page.total, page.reports.len()), (101, 1));
    assert_eq!(client.check_key().await.result.map(|page| page.total), Ok(0));
    // A12: an answer about another task is none.
    let mixed_up = client.task(&task_id()).await.result;
    assert!(matches!(mixed_up, Err(Problem::Odd { status: 200, .. })), "{mixed_up:?}");
    let lines: Vec<_> = server.asked().iter().filter_map(|r| r.lines().next().map(str::to_owned)).collect();
    let expected = [
        &format!("GET /v1/tasks/{ID} HTTP/1.1"),
        "GET /v1/tasks?page=2&size=100 HTTP/1.1",
        "GET /v1/tasks?page=1&size=1 HTTP/1.1",
        &format!("GET /v1/tasks/{ID} HTTP/1.1"),
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_base_with_a_path_keeps_it() {
    let server = Server::new(vec![json("200 OK", "", &created())]).await;
    let client = client(&server.url("/hiapi/v1/"), Duration::from_secs(20));
    assert!(client.create(key(), "{}").await.result.is_ok());
    assert!(server.asked()[0].starts_with("POST /hiapi/v1/tasks "), "{:?}", server.asked());
}

/// What comes of a creation when the server does this.
async fn outcome(reply: Reply, wait: Duration) -> Problem {
    let server = Server::new(vec![reply]).await;
    let problem = client(&server.url(""), wait).create(key(), "{}").await.result.expect_err("a problem");
    assert!(!format!("{problem:?}{}", problem.sentence()).contains("127.0.0.1"), "no address: {problem:?}");
    problem
}

/// A3, A4: whatever happens once bytes have left, the creation may have happened.
#[tokio::test]
async fn a_creation_without_a_whole_answer_is_unknown() {
    let long = Duration::from_secs(20);
    let short = Duration::from_millis(150);
    let whole = answer("200 OK", "content-type: application/json\r\n", created().as_bytes());
    for (reply, wait) in [
        (Reply::Bytes(vec![]), long),
        (Reply::Reset(vec![]), long),
        (Reply::Hang(vec![]), short),
        (Reply::Hang(whole[..whole.len() - 5].to_vec()), short),
        (Reply::Bytes(b"SSH-2.0-x\r\n".to_vec()), long),
    ] {
        let problem = outcome(reply, wait).await;
        assert!(matches!(problem, Problem::Network { sent: true, .. }), "{problem:?}");
    }
    for cut in (1..whole.len()).step_by(17) {
        let problem = outcome(Reply::Bytes(whole[..cut].to_vec()), long).await;
        assert_eq!(problem.outcome(), Outcome::Unknown, "cut at {cut}: {problem:?}");
    }
}

/// A1, A2: what fails before the first byte is surely not sent.
#[tokio::test]
async fn what_never_left_is_known_not_to_have() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        listener.local_addr().expect("an address")
    };
    let long = Duration::from_secs(20);
    let refused = client(&format!("http://{closed}"), long).create(key(), "{}").await.result;
    assert_eq!(refused, Err(Problem::Network { sent: false, message: "the connection was refused".into() }));
    // A server that does not speak TLS.
    let server = Server::new(vec![Reply::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())]).await;
    let client = Client::new(
        base_url(&format!("https://{}", server.addr)).expect("a base"),
        ApiKey::parse(KEY).expect("a key"),
        Timeouts::default(),
    );
    // Where no certificates are installed, that is said at once.
    if let Ok(client) = client {
        let problem = client.create(key(), "{}").await.result.expect_err("no TLS");
        assert!(matches!(problem, Problem::Network { sent: false, .. }), "{problem:?}");
    }
}

/// A9, A10: a web page is not the API, and nothing follows a redirect with the key.
#[tokio::test]
async fn pages_and_redirects_are_not_answers() {
    let other = Server::new(vec![json("200 OK", "", &created())]).await;
    let redirect = format!("location: {}\r\n", other.url("/v1/tasks"));
    let server = Server::new(vec![
        Reply::Bytes(answer("200 OK", "content-type: text/html\r\n", b"<html>Please log in")),
        Reply::Bytes(answer("307 Temporary Redirect", &redirect, b"")),
        Reply::Bytes(answer("502 Bad Gateway", "content-type: text/html\r\n", b"<html>")),
    ])
    .await;
    let client = patient(&server);
    for status in [200, 307] {
        let problem = client.create(key(), "{}").await.result.expect_err("a problem");
        assert!(matches!(problem, Problem::Odd { status: s, .. } if s == status), "{problem:?}");
    }
    let problem = client.create(key(), "{}").await.result.expect_err("a problem");
    assert!(matches!(problem, Problem::Server { status: 502, .. }), "{problem:?}");
    assert!(other.asked().is_empty());
}

/// D3: what does not end is not read to its end.
#[tokio::test]
async fn an_endless_answer_is_cut() {
    let mut body = b"{\"message\":\"".to_vec();
    body.resize((16 << 20) + 100, b'x');
    let server = Server::new(vec![
        Reply::Bytes(answer("200 OK", "", &body)),
        Reply::Bytes(answer("400 Bad Request", "", &body)),
    ])
    .await;
    let client = patient(&server);
    let problem = client.check_key().await.result.expect_err("too large");
    assert!(problem.sentence().contains("larger than 16 MiB"), "{problem:?}");
    let problem = client.check_key().await.result.expect_err("refused");
    assert!(matches!(&problem, Problem::Rejected { message, .. } if message.len() < 5000));
}

/// I-1: the key is in no text that is made of the client or of a failure.
#[tokio::test]
async fn the_key_stays_hidden() {
    let server = Server::new(vec![json("401 Unauthorized", "", r#"{"message":"bad key"}"#)]).await;
    let client = patient(&server);
    let said = client.check_key().await;
    assert_eq!(said.result, Err(Problem::Auth { message: "bad key".into() }));
    assert!(!format!("{client:?}{said:?}").contains("canary"));
}
