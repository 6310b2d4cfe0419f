//! The simulated service by raw HTTP: each rule of the protocol once, with nothing of the client in between.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use plantain::sim::{Kind, Scenario, Sim, SimClock, SimConfig};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

const KEY: &str = "sk-test";
const NOW: u64 = 1_800_000_000;

/// A simulator with a clock of its own, and a client.
struct Desk {
    sim: Sim,
    clock: SimClock,
    http: Client,
    base: String,
}

impl Desk {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut SimConfig)) -> Self {
        let clock = SimClock::manual(NOW);
        let mut config = SimConfig {
            clock: clock.clone(),
            key: Some(KEY.to_owned()),
            rate_limit: None,
            concurrency: None,
            longest_side: Some(48),
            ..SimConfig::default()
        };
        change(&mut config);
        let sim = plantain::sim::start(config).await.expect("starts");
        let base = sim.base_url();
        let http = Client::builder().no_proxy().build().expect("a client");
        Self { sim, clock, http, base }
    }

    fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(KEY)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let sent = self.call(Method::GET, path).send().await;
        read(sent.expect("answers")).await
    }

    async fn post(&self, key: Option<&str>, body: &Value) -> reqwest::Result<Response> {
        let mut call = self.call(Method::POST, "/tasks").json(body);
        if let Some(key) = key {
            call = call.header("Idempotency-Key", key);
        }
        call.send().await
    }

    /// Creates with a key and gives the status.
    async fn keyed(&self, key: &str, body: &Value) -> u16 {
        let sent = self.post(Some(key), body).await;
        sent.expect("answers").status().as_u16()
    }

    /// Creates and expects an answer in JSON.
    async fn create(&self, body: &Value) -> (u16, Value) {
        read(self.post(None, body).await.expect("answers")).await
    }

    /// Creates a task and returns its id.
    async fn task(&self, prompt: &str) -> String {
        let (status, answer) = self.create(&wish(prompt)).await;
        assert_eq!(status, 200, "{answer}");
        text(&answer["data"]["taskId"]).to_owned()
    }

    /// Creates a task, lets it end, returns its `data`.
    async fn finished(&self, prompt: &str) -> Value {
        let id = self.task(prompt).await;
        self.clock.advance(Duration::from_secs(3600));
        self.get(&format!("/tasks/{id}")).await.1["data"].take()
    }

    async fn fetch(&self, url: &str) -> Response {
        self.http.get(url).send().await.expect("answers")
    }
}

fn wish(prompt: &str) -> Value {
    json!({"model": "Nano-Banana", "input": {"prompt": prompt, "aspect_ratio": "16:9"}})
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = response.text().await.expect("a body");
    let value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("no JSON: {body}"));
    (status, value)
}

fn replays(response: &Response) -> bool {
    let header = response.headers().get("idempotent-replay");
    header.is_some_and(|value| value == "true")
}

#[tokio::test]
async fn a_task_walks_through_all_statuses() {
    let desk = Desk::new().await;
    let id = desk.task("a red fox in snow").await;
    assert_eq!(id.len(), 35);
    assert!(id.starts_with("tk-hiapi-"));
    let mut seen = Vec::new();
    for _ in 0..2000 {
        let (status, answer) = desk.get(&format!("/tasks/{id}")).await;
        assert_eq!((status, &answer["code"]), (200, &json!(200)));
        let task = &answer["data"];
        assert_eq!(task["created"], json!(NOW));
        let word = text(&task["status"]).to_owned();
        let ended = word == "success";
        assert_eq!(task["completed"] == json!(0), !ended);
        assert_eq!(task.get("output").is_some(), ended);
        assert!(task.get("error").is_none() && task.get("input").is_none());
        if seen.last() != Some(&word) {
            seen.push(word);
        }
        if ended {
            break;
        }
        desk.clock.advance(Duration::from_millis(100));
    }
    assert_eq!(seen, ["queued", "handling", "archiving", "success"]);
}

#[tokio::test]
async fn results_are_pictures_in_the_asked_shape_and_format() {
    let desk = Desk::new().await;
    let body = json!({"model": "Nano-Banana", "input":
        {"prompt": "a boat", "aspect_ratio": "16:9", "output_format": "jpeg"}});
    let (_, answer) = desk.create(&body).await;
    desk.clock.advance(Duration::from_secs(600));
    let path = format!("/tasks/{}", text(&answer["data"]["taskId"]));
    let task = desk.get(&path).await.1["data"].take();
    let output = &task["output"][0];
    assert_eq!(output["type"], json!("image"));
    let completed = task["completed"].as_u64().expect("a number");
    assert_eq!(output["expireAt"], json!(completed + 7 * 86_400));
    let file = desk.fetch(text(&output["url"])).await;
    assert_eq!(file.headers()["content-type"], "image/jpeg");
    let bytes = file.bytes().await.expect("bytes");
    let picture = image::load_from_memory(&bytes).expect("decodes");
    assert_eq!((picture.width(), picture.height()), (48, 27));
}

#[tokio::test]
async fn keys_are_checked_in_the_gateway_shape() {
    let desk = Desk::new().await;
    let url = format!("{}/tasks", desk.base);
    for key in [None, Some("sk-wrong"), Some("")] {
        let mut call = desk.http.get(&url);
        if let Some(key) = key {
            call = call.bearer_auth(key);
        }
        let (status, answer) = read(call.send().await.expect("answers")).await;
        assert_eq!(status, 401);
        assert_eq!(answer["error"]["code"], json!("permission_denied"));
        assert!(answer["error"]["request_id"].is_string());
        assert!(answer.get("code").is_none());
    }
}

#[tokio::test]
async fn every_key_is_an_account_of_its_own_when_any_is_accepted() {
    let desk = Desk::with(|config| config.key = None).await;
    let id = desk.task("mine").await;
    let url = format!("{}/tasks/{id}", desk.base);
    let other = desk.http.get(&url).bearer_auth("sk-other").send().await;
    assert_eq!(read(other.expect("answers")).await.0, 404);
    let odd = desk.http.get(&url).bearer_auth("pk-other").send().await;
    assert_eq!(read(odd.expect("answers")).await.0, 401);
}

#[tokio::test]
async fn bad_requests_are_refused_with_the_documented_words() {
    let desk = Desk::new().await;
    let model = |name: &str| json!({"model": name, "input": {"prompt": "x"}});
    let with = |field: &str, value: Value| {
        let mut body = wish("x");
        body[field] = value;
        body
    };
    let mut extra = wish("x");
    extra["input"]["seed"] = json!(1);
    let mut nested = wish("x");
    nested["input"]["callback"] = json!({"url": "https://example.org"});
    let always = json!({"url": "https://example.org", "when": "always"});
    let cases = [
        (extra, "additional properties 'seed' not allowed"),
        (nested, "additional properties 'callback' not allowed"),
        (json!({"model": "Nano-Banana"}), "'input'"),
        (json!({"input": {"prompt": "x"}}), "'model'"),
        (json!([1]), "JSON object"),
        (with("storage", json!("forever")), "temp, persistent"),
        (with("callback", json!({"url": "ftp://example.org"})), "http(s)"),
        (with("callback", always), "final"),
        (with("callback", json!({})), "callback.url"),
        (with("n", json!(2)), "'n' not allowed"),
        (with("route", json!("ext")), "valid routes: default"),
        (model("gpt-image-2/text-to-image@nope"), "valid routes: default, beta, ext"),
    ];
    for (body, words) in cases {
        let (status, answer) = desk.create(&body).await;
        assert_eq!(status, 400, "{body}");
        assert_eq!(answer["code"], json!(400));
        assert_eq!(answer["error_code"], json!("INVALID_REQUEST"));
        assert_eq!(answer["data"], Value::Null);
        assert!(text(&answer["message"]).contains(words), "{answer}");
    }
    assert!(desk.sim.ledger().created.is_empty());
}

#[tokio::test]
async fn unknown_and_retired_models_are_404_of_the_gateway() {
    let desk = Desk::new().await;
    for name in ["nano-banana", "gpt-image-2-pro", "no-such-model"] {
        let body = json!({"model": name, "input": {"prompt": "x"}});
        let (status, answer) = desk.create(&body).await;
        assert_eq!(status, 404, "{name}");
        assert_eq!(answer["error"]["code"], json!("model_not_found"));
    }
}

#[tokio::test]
async fn routes_and_aliases_show_in_the_task() {
    let desk = Desk::new().await;
    let full = "gpt-image-2/text-to-image";
    let beta = "gpt-image-2/text-to-image@beta";
    let cases = [
        ("gpt-image-2", None, "gpt-image-2", None),
        (full, Some("beta"), beta, Some("beta")),
        (beta, None, beta, None),
        ("Nano-Banana", Some("default"), "Nano-Banana", None),
        ("Nano-Banana", Some(""), "Nano-Banana", None),
    ];
    for (model, route, shown, echoed) in cases {
        let mut body = json!({"model": model, "input": {"prompt": "x"}});
        if let Some(route) = route {
            body["route"] = json!(route);
        }
        let (status, answer) = desk.create(&body).await;
        assert_eq!(status, 200, "{answer}");
        let path = format!("/tasks/{}", text(&answer["data"]["taskId"]));
        let task = desk.get(&path).await.1["data"].take();
        assert_eq!(text(&task["model"]), shown);
        assert_eq!(task.get("route").and_then(Value::as_str), echoed);
    }
}

#[tokio::test]
async fn content_type_and_size_are_checked() {
    let desk = Desk::with(|config| config.scenario.largest_body = 2000).await;
    let send = |kind: Option<&'static str>, body: String| {
        let mut call = desk.call(Method::POST, "/tasks").body(body);
        if let Some(kind) = kind {
            call = call.header("content-type", kind);
        }
        async { read(call.send().await.expect("answers")).await.0 }
    };
    let body = wish("x").to_string();
    let utf8 = "application/json; charset=utf-8";
    assert_eq!(send(Some("text/plain"), body.clone()).await, 415);
    assert_eq!(send(None, body.clone()).await, 200);
    assert_eq!(send(Some(utf8), body).await, 200);
    let long = wish(&"x".repeat(3000)).to_string();
    assert_eq!(send(Some("application/json"), long).await, 413);
}

#[tokio::test]
async fn the_same_key_and_body_create_once() {
    let desk = Desk::new().await;
    let body = wish("once");
    let first = desk.post(Some("k1"), &body).await.expect("answers");
    assert!(!replays(&first));
    let id = read(first).await.1["data"]["taskId"].take();
    let again = desk.post(Some("k1"), &body).await.expect("answers");
    assert!(replays(&again));
    assert_eq!(read(again).await.1["data"]["taskId"], id);

    let other = desk.post(Some("k1"), &wish("other")).await;
    let (status, answer) = read(other.expect("answers")).await;
    assert_eq!(status, 422);
    assert_eq!(answer["error_code"], json!("IDEMPOTENCY_KEY_MISMATCH"));
    // Raw bytes count: the same JSON with a space in it is another body.
    let spaced = body.to_string().replacen(':', ": ", 1);
    let call = desk.call(Method::POST, "/tasks").body(spaced);
    let spaced = call.header("Idempotency-Key", "k1").send().await;
    assert_eq!(read(spaced.expect("answers")).await.0, 422);

    let ledger = desk.sim.ledger();
    assert_eq!(ledger.created.len(), 1);
    assert_eq!(ledger.created[0].replays, 1);
    assert_eq!(ledger.created[0].idempotency_key.as_deref(), Some("k1"));

    desk.clock.advance(Duration::from_secs(25 * 3600));
    let late = desk.post(Some("k1"), &body).await.expect("answers");
    assert!(!replays(&late));
    assert_eq!(desk.sim.ledger().created.len(), 2);
}

#[tokio::test]
async fn a_refused_request_leaves_its_key_free() {
    let desk = Desk::new().await;
    let bad = json!({"model": "Nano-Banana", "input": {}});
    assert_eq!(desk.keyed("k", &bad).await, 400);
    assert_eq!(desk.keyed("k", &wish("x")).await, 200);
}

#[tokio::test]
async fn keys_have_limits() {
    let desk = Desk::new().await;
    assert_eq!(desk.keyed(&"k".repeat(255), &wish("x")).await, 200);
    assert_eq!(desk.keyed(&"k".repeat(256), &wish("x")).await, 400);
    assert_eq!(desk.keyed("a\tb", &wish("x")).await, 400);
}

#[tokio::test]
async fn a_cut_answer_is_paid_once() {
    let desk = Desk::new().await;
    let body = wish("a fox [cut]");
    assert!(desk.post(Some("k"), &body).await.is_err());
    assert_eq!(desk.sim.ledger().created.len(), 1);
    assert_eq!(desk.sim.ledger().count(Kind::Create, 0), 1);
    let again = desk.post(Some("k"), &body).await.expect("answers");
    assert!(replays(&again));
    assert_eq!(desk.sim.ledger().created.len(), 1);
}

#[tokio::test]
async fn a_truncated_answer_has_half_a_body() {
    let desk = Desk::new().await;
    let sent = desk.post(Some("k"), &wish("[truncated]")).await;
    let mut answer = sent.expect("a head");
    assert_eq!(answer.status(), 200);
    let mut got = Vec::new();
    let end = loop {
        match answer.chunk().await {
            Ok(Some(bytes)) => got.extend_from_slice(&bytes),
            other => break other,
        }
    };
    assert!(end.is_err());
    assert!(got.starts_with(b"{\"code\":200"));
    assert!(serde_json::from_slice::<Value>(&got).is_err());
}

#[tokio::test]
async fn a_request_in_process_answers_409_and_then_replays() {
    let desk = Desk::new().await;
    let body = wish("[processing]");
    assert!(desk.post(Some("k"), &body).await.is_err());
    let busy = desk.post(Some("k"), &body).await.expect("answers");
    assert_eq!(busy.headers()["retry-after"], "5");
    let (status, answer) = read(busy).await;
    assert_eq!(status, 409);
    assert_eq!(answer["error_code"], json!("IDEMPOTENCY_KEY_PROCESSING"));
    desk.clock.advance(Duration::from_secs(5));
    let done = desk.post(Some("k"), &body).await.expect("answers");
    assert!(replays(&done));
    assert_eq!(desk.sim.ledger().created.len(), 1);
}

#[tokio::test]
async fn words_refuse_with_their_status() {
    let desk = Desk::new().await;
    let cases = [
        ("[refuse]", 400, json!("INVALID_REQUEST")),
        ("[broke]", 402, json!("INSUFFICIENT_QUOTA")),
        ("[denied]", 403, Value::Null),
        ("[unavailable]", 400, json!("MODEL_UNAVAILABLE")),
        ("[busy]", 503, Value::Null),
        ("[error]", 500, Value::Null),
    ];
    for (word, status, code) in cases {
        let (got, answer) = desk.create(&wish(word)).await;
        let got_code = answer.get("error_code").unwrap_or(&Value::Null);
        assert_eq!((got, got_code), (status, &code), "{word}");
    }
    let page = desk.post(None, &wish("[html]")).await.expect("answers");
    assert_eq!(page.status(), 502);
    assert_eq!(page.headers()["content-type"], "text/html");
    // The second refusal of "[busy]" is the last: who asks again gets through.
    assert_eq!(desk.create(&wish("[busy]")).await.0, 503);
    assert_eq!(desk.create(&wish("[busy]")).await.0, 200);
    let limited = desk.post(None, &wish("[limited]")).await;
    let limited = limited.expect("answers");
    assert_eq!(limited.headers()["retry-after"], "2");
}

#[tokio::test]
async fn failures_are_inside_200() {
    let desk = Desk::new().await;
    let cases = [
        ("a forbidden city", json!("TASK_FAILED")),
        ("[timeout]", json!("TASK_TIMEOUT")),
        ("storage-fault", json!("STORAGE_UNAVAILABLE")),
        ("[fail-bare]", Value::Null),
    ];
    for (prompt, code) in cases {
        let task = desk.finished(prompt).await;
        assert_eq!(task["status"], json!("fail"), "{prompt}");
        assert_ne!(task["completed"], json!(0));
        assert_eq!(task["error"].get("code").unwrap_or(&Value::Null), &code);
        assert!(task["error"]["message"].is_string());
        assert!(task.get("output").is_none());
    }
}

#[tokio::test]
async fn odd_successes() {
    let desk = Desk::new().await;
    assert_eq!(desk.finished("[empty]").await["output"], json!([]));
    let two = desk.finished("[two]").await;
    assert_eq!(two["output"].as_array().map(Vec::len), Some(2));
    let stuck = desk.finished("[stuck]").await;
    assert_eq!(stuck["status"], json!("handling"));
    let strange = desk.finished("[stuck] [strange]").await;
    assert_eq!(strange["status"], json!("polishing"));
    let broken = desk.finished("[broken]").await;
    let file = desk.fetch(text(&broken["output"][0]["url"])).await;
    let bytes = file.bytes().await.expect("bytes");
    assert!(bytes.starts_with(b"\x89PNG"));
    assert!(image::load_from_memory(&bytes).is_err());
}

#[tokio::test]
async fn films_and_sound_have_their_types() {
    let desk = Desk::new().await;
    let film = json!({"model": "happyhorse-1-0", "input": {"prompt": "a sea"}});
    let song = json!({"model": "lyria-3.5", "input": {"prompt": "a song", "length": 1}});
    let cases = [(film, ["video", "first_frame"].as_slice(), "video/mp4"), (song, &["audio"], "audio/wav")];
    for (body, types, content) in cases {
        let (status, answer) = desk.create(&body).await;
        assert_eq!(status, 200, "{answer}");
        desk.clock.advance(Duration::from_secs(7200));
        let path = format!("/tasks/{}", text(&answer["data"]["taskId"]));
        let task = desk.get(&path).await.1["data"].take();
        let outputs = task["output"].as_array().expect("outputs");
        let got: Vec<&str> = outputs.iter().map(|output| text(&output["type"])).collect();
        assert_eq!(got, types);
        let file = desk.fetch(text(&outputs[0]["url"])).await;
        assert_eq!(file.headers()["content-type"], content);
    }
}

#[tokio::test]
async fn the_list_pages_newest_first_and_ignores_nonsense() {
    let desk = Desk::new().await;
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(desk.task(&format!("task {number}")).await);
        desk.clock.advance(Duration::from_secs(1));
    }
    ids.reverse();
    let page = |query: &'static str| {
        let path = format!("/tasks{query}");
        let desk = &desk;
        async move { desk.get(&path).await.1["data"].take() }
    };
    let names = |page: &Value| -> Vec<String> {
        let tasks = page["tasks"].as_array().expect("tasks").iter();
        tasks.map(|task| text(&task["taskId"]).to_owned()).collect()
    };
    let first = page("").await;
    assert_eq!(first["page"], json!(1));
    assert_eq!(first["size"], json!(10));
    assert_eq!(first["total"], json!(12));
    assert_eq!(names(&first), ids[..10]);
    assert_eq!(names(&page("?page=2").await), ids[10..]);
    assert_eq!(names(&page("?page=2&size=5").await), ids[5..10]);
    assert!(names(&page("?page=99").await).is_empty());
    for query in ["?size=500", "?size=0", "?size=x", "?page=0", "?page=-1", "?size=101&page=no"] {
        let got = page(query).await;
        assert_eq!(got["page"], json!(1), "{query}");
        assert_eq!(got["size"], json!(10), "{query}");
    }
    assert_eq!(page("?size=100").await["size"], json!(100));
}

#[tokio::test]
async fn unknown_things_are_404() {
    let desk = Desk::new().await;
    let (status, answer) = desk.get("/tasks/tk-hiapi-00000000000000000000000000").await;
    assert_eq!((status, &answer["code"]), (404, &json!(404)));
    assert_eq!(desk.get("/nothing").await.0, 404);
    let wrong = desk.call(Method::DELETE, "/tasks").send().await;
    assert_eq!(wrong.expect("answers").status(), 405);
}

#[tokio::test]
async fn the_models_are_listed_without_the_retired() {
    let desk = Desk::new().await;
    let (_, answer) = desk.get("/models").await;
    assert_eq!(answer["object"], json!("list"));
    let models = answer["data"].as_array().expect("models");
    let has = |name: &str| models.iter().any(|model| model["id"] == json!(name));
    assert!(has("Nano-Banana"));
    assert!(!has("gpt-image-2-pro"));
}

#[tokio::test]
async fn the_allowance_is_told_used_up_and_given_anew() {
    let desk = Desk::with(|config| config.rate_limit = Some(3)).await;
    let reset = (NOW + 60).to_string();
    for left in ["2", "1", "0"] {
        let sent = desk.call(Method::GET, "/tasks").send().await;
        let answer = sent.expect("answers");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-ratelimit-limit"], "3");
        assert_eq!(answer.headers()["x-ratelimit-remaining"], left);
        assert_eq!(answer.headers()["x-ratelimit-reset"], reset.as_str());
    }
    desk.clock.advance(Duration::from_secs(20));
    let refused = desk.post(Some("k"), &wish("x")).await.expect("answers");
    assert_eq!(refused.headers()["retry-after"], "40");
    let (status, answer) = read(refused).await;
    assert_eq!(status, 429);
    assert_eq!(answer["error"]["code"], json!("rate_limit_exceeded"));
    desk.clock.advance(Duration::from_secs(40));
    assert_eq!(desk.keyed("k", &wish("x")).await, 200);
    let ledger = desk.sim.ledger();
    assert_eq!((ledger.too_many, ledger.created.len()), (1, 1));
}

#[tokio::test]
async fn too_many_requests_at_once_are_refused() {
    let page = "name = 'slow'\n[steps]\nanswer = { median = 600.0 }";
    let desk = Desk::with(|config| {
        config.clock = SimClock::real();
        config.concurrency = Some(1);
        config.scenario = Scenario::parse("slow", page).expect("valid");
    })
    .await;
    // One of these waits for ten minutes; whichever comes second is refused at once.
    let one = desk.call(Method::GET, "/tasks").send();
    let two = desk.call(Method::GET, "/tasks").send();
    let refused = tokio::select! { answer = one => answer, answer = two => answer };
    assert_eq!(refused.expect("answers").status(), 429);
}

#[tokio::test]
async fn downloads_have_ranges_tags_and_an_end() {
    let desk = Desk::new().await;
    let task = desk.finished("a file").await;
    let url = text(&task["output"][0]["url"]).to_owned();
    let get = |headers: &'static [(&'static str, &'static str)]| {
        let mut call = desk.http.get(&url);
        for (name, value) in headers {
            call = call.header(*name, *value);
        }
        async { call.send().await.expect("answers") }
    };
    let whole = get(&[]).await;
    assert_eq!(whole.headers()["content-type"], "image/png");
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    let tag = whole.headers()["etag"].clone();
    let bytes = whole.bytes().await.expect("bytes");
    let length = bytes.len();

    let head = desk.http.head(&url).send().await.expect("answers");
    assert_eq!(head.headers()["content-length"], length.to_string().as_str());

    let part = get(&[("range", "bytes=10-19")]).await;
    assert_eq!(part.status(), 206);
    let said = format!("bytes 10-19/{length}");
    assert_eq!(part.headers()["content-range"], said.as_str());
    assert_eq!(part.bytes().await.expect("bytes"), bytes.slice(10..20));
    let tail = get(&[("range", "bytes=-5")]).await;
    let last = bytes.slice(length - 5..);
    assert_eq!(tail.bytes().await.expect("bytes"), last);
    assert_eq!(get(&[("range", "bytes=99999999-")]).await.status(), 416);
    let changed = get(&[("range", "bytes=5-"), ("if-range", "\"old\"")]).await;
    assert_eq!(changed.status(), 200);
    let same = desk.http.get(&url).header("range", "bytes=5-");
    let same = same.header("if-range", &tag).send().await;
    assert_eq!(same.expect("answers").status(), 206);
    let known = desk.http.get(&url).header("if-none-match", &tag);
    assert_eq!(known.send().await.expect("answers").status(), 304);

    let with_key = desk.http.get(&url).bearer_auth(KEY).send().await;
    assert_eq!(with_key.expect("answers").status(), 200);
    assert_eq!(desk.sim.ledger().downloads_with_key, 1);
    assert_eq!(desk.fetch(&format!("{url}x")).await.status(), 404);
    desk.clock.advance(Duration::from_secs(8 * 86_400));
    assert_eq!(get(&[]).await.status(), 403);
}

#[tokio::test]
async fn file_faults_strike_as_told() {
    let desk = Desk::new().await;
    let expired = desk.finished("[expired]").await;
    let url = text(&expired["output"][0]["url"]);
    assert_eq!(desk.fetch(url).await.status(), 403);

    let cut = desk.finished("[cut-file]").await;
    let url = text(&cut["output"][0]["url"]);
    assert!(desk.fetch(url).await.bytes().await.is_err());
    let second = desk.fetch(url).await.bytes().await.expect("bytes");
    assert!(image::load_from_memory(&second).is_ok());
}

/// One callback as it arrived.
struct Received {
    timestamp: Option<String>,
    signature: Option<String>,
    body: Vec<u8>,
}

/// Receives callbacks and answers with the next status of a list; the last one stays.
async fn receiver(answers: &'static [u16]) -> (String, Arc<Mutex<Vec<Received>>>) {
    let got: Arc<Mutex<Vec<Received>>> = Arc::default();
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let socket = socket.expect("a port");
    let url = format!("http://{}/hook", socket.local_addr().expect("an address"));
    let seen = Arc::clone(&got);
    let take = move |headers: axum::http::HeaderMap, body: axum::body::Bytes| {
        let seen = Arc::clone(&seen);
        async move {
            let header = |name: &str| {
                let value = headers.get(name)?.to_str().ok()?;
                Some(value.to_owned())
            };
            let mut seen = seen.lock().expect("unpoisoned");
            let status = answers.get(seen.len()).or(answers.last());
            seen.push(Received {
                timestamp: header("x-hiapi-timestamp"),
                signature: header("x-hiapi-signature"),
                body: body.to_vec(),
            });
            axum::http::StatusCode::from_u16(*status.unwrap_or(&204)).expect("a status")
        }
    };
    let router = axum::Router::new().route("/hook", axum::routing::post(take));
    tokio::spawn(async move { axum::serve(socket, router).await });
    (url, got)
}

/// Waits for a condition, yielding to everybody else; the bound only ends a test that is broken.
async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(30), waiting).await;
    assert!(ended.is_ok(), "never: {what}");
}

#[tokio::test]
async fn callbacks_are_signed_and_tried_four_times() {
    let secret = "whsec_0123456789abcdef";
    let desk = Desk::with(|config| config.webhook_secret = Some(secret.to_owned())).await;
    let (url, got) = receiver(&[500, 302, 503, 500]).await;
    let mut body = wish("call me");
    body["callback"] = json!({"url": url, "when": "final"});
    let (_, answer) = desk.create(&body).await;
    let attempts = || desk.sim.ledger().deliveries.len();
    let mut due = Vec::new();
    let mut now = NOW;
    for (attempt, wait) in [(1, 600), (2, 60), (3, 300), (4, 1200)] {
        assert_eq!(attempts(), attempt - 1);
        desk.clock.advance(Duration::from_secs(wait));
        now += wait;
        until("delivered", || attempts() == attempt).await;
        due.push(now);
    }
    desk.clock.advance(Duration::from_secs(86_400));
    let got = got.lock().expect("unpoisoned");
    assert_eq!(got.len(), 4);
    let task: Value = serde_json::from_slice(&got[0].body).expect("JSON");
    assert_eq!(task["taskId"], answer["data"]["taskId"]);
    assert_eq!(task["status"], json!("success"));
    assert!(task.get("data").is_none() && task["output"][0]["url"].is_string());
    assert!(got.windows(2).all(|pair| pair[0].body == pair[1].body));
    for (received, due) in got.iter().zip(due) {
        assert_eq!(received.timestamp, Some(due.to_string()));
        assert_eq!(received.signature.as_ref().map(String::len), Some(64));
    }
    assert_ne!(got[0].signature, got[1].signature);
    let ledger = desk.sim.ledger();
    let statuses: Vec<_> = ledger.deliveries.iter().map(|one| one.status).collect();
    assert_eq!(statuses, [Some(500), Some(302), Some(503), Some(500)]);
}

#[tokio::test]
async fn a_taken_callback_is_not_repeated_and_unsigned_without_a_secret() {
    let desk = Desk::new().await;
    let (url, got) = receiver(&[204]).await;
    let mut body = wish("[fail]");
    body["callback"] = json!({ "url": url });
    desk.create(&body).await;
    desk.clock.advance(Duration::from_secs(600));
    until("delivered", || desk.sim.ledger().deliveries.len() == 1).await;
    desk.clock.advance(Duration::from_secs(86_400));
    let got = got.lock().expect("unpoisoned");
    assert!(got[0].signature.is_none() && got[0].timestamp.is_none());
    let task: Value = serde_json::from_slice(&got[0].body).expect("JSON");
    assert_eq!(task["status"], json!("fail"));
    assert_eq!(desk.sim.ledger().deliveries.len(), 1);
}

#[tokio::test]
async fn a_flaky_service_is_flaky_the_same_way_twice() {
    let run = || async {
        let flaky = Scenario::load("flaky").expect("built in");
        let desk = Desk::with(|config| config.scenario = flaky).await;
        let mut seen = Vec::new();
        for _ in 0..200 {
            // A POST without a key is not repeated by the client on its own when the connection is cut.
            let sent = desk.call(Method::POST, "/tasks").body("{}").send().await;
            seen.push(sent.map_or(0, |answer| answer.status().as_u16()));
        }
        seen
    };
    let (one, two) = (run().await, run().await);
    for status in [0, 400, 429, 500, 502, 503] {
        assert!(one.contains(&status), "{status} in {one:?}");
    }
    assert_eq!(one, two);
}

#[tokio::test]
async fn a_history_is_there_from_the_start() {
    let huge = Scenario::load("huge").expect("built in");
    let desk = Desk::with(|config| config.scenario = huge).await;
    let (_, answer) = desk.get("/tasks?size=100&page=50").await;
    assert_eq!(answer["data"]["total"], json!(5000));
    let tasks = answer["data"]["tasks"].as_array().expect("tasks");
    assert_eq!(tasks.len(), 100);
    assert!(tasks.iter().all(|task| task["status"] == json!("success")));
    assert!(desk.sim.ledger().created.is_empty());
}

#[tokio::test]
async fn the_ledger_file_tells_what_happened() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.jsonl");
    let desk = Desk::with(|config| config.ledger_file = Some(path.clone())).await;
    assert_eq!(desk.keyed("k", &wish("x")).await, 200);
    assert_eq!(desk.keyed("k", &wish("x")).await, 200);
    desk.sim.stop().await;
    let text = std::fs::read_to_string(path).expect("a file");
    let lines = text.lines().map(serde_json::from_str::<Value>);
    let events: Vec<Value> = lines.map(|line| line.expect("JSON")).collect();
    let kinds: Vec<_> = events.iter().filter_map(|e| e["event"].as_str()).collect();
    assert_eq!(kinds, ["created", "request", "replayed", "request"]);
    assert!(!text.contains(KEY));
}
