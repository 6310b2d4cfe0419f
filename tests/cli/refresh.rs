//! `plantain models --refresh`: from the simulated service, and from a stub that says what a test wants.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use kit::service::{KEY, Service};

/// A host with two pages, and what it was asked, head and all.
struct Stub {
    base: String,
    asked: Arc<Mutex<Vec<String>>>,
    list: Arc<Mutex<String>>,
    page: Arc<Mutex<String>>,
}

impl Stub {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let (asked, list, page) = (Arc::default(), Arc::new(Mutex::default()), Arc::new(Mutex::default()));
        let stub = Self { base, asked, list, page };
        let (asked, list, page) = (Arc::clone(&stub.asked), Arc::clone(&stub.list), Arc::clone(&stub.page));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut head = String::new();
                let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
                while reader.read_line(&mut head).is_ok_and(|n| n > 2) {}
                let text = if head.contains("/api/pricing") { list.lock() } else { page.lock() };
                let text = text.expect("unpoisoned").clone();
                asked.lock().expect("unpoisoned").push(head);
                let length = text.len();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(text.as_bytes()));
            }
        });
        stub
    }

    fn says(&self, list: &Value, page: &Value) -> &Self {
        *self.list.lock().expect("unpoisoned") = list.to_string();
        *self.page.lock().expect("unpoisoned") = page.to_string();
        self
    }
}

fn built_in() -> Vec<Value> {
    let text = include_str!("../../src/domain/models.json");
    let file: Value = serde_json::from_str(text).expect("JSON");
    let models = file["models"].as_array().expect("models").iter();
    models.filter(|model| model["status"] == "current").cloned().collect()
}

fn event<'a>(lines: &'a [Value], event: &'a str) -> impl Iterator<Item = &'a Value> {
    lines.iter().filter(move |line| line["event"] == event)
}

/// What the simulated service serves is what the program has built in: nothing is new, and nothing is asked of the task
/// service; afterwards its requests are priced as of today.
#[test]
fn the_simulated_service_tells_nothing_new() {
    let service = Service::start();
    let lines = service.run(&["models", "--refresh", "--json"]).exits(0).json();
    let (sum, news) = lines.split_last().expect("a sum");
    assert!(news.is_empty(), "{news:#?}");
    assert_eq!((&sum["models"], &sum["news"]), (&34.into(), &0.into()), "{sum}");
    let before = service.run(&["models", "--json"]).exits(0).json();
    assert_eq!(before.len(), 37);
    let dear = ["submit", "a blue fox", "-m", "seedream-5.0-pro/text-to-image", "--dry-run", "--json"];
    let sum = service.run(&dear).exits(0).json().pop().expect("a sum");
    assert_eq!((&sum["usd"], &sum["prices_seen"]), (&0.05.into(), &lines[0]["date"]), "{sum}");
    let said = service.run(&["models", "seedream-5.0-pro/text-to-image"]).exits(0);
    assert!(said.out.contains("price, as seen today: basic $0.05, high $0.10 per image"), "{}", said.out);
    // No request of the task service was made, so none was counted.
    assert!(service.ledger().iter().all(|line| line["event"] != "request"), "{:?}", service.ledger());
    service.run(&["submit", "a red fox", "--wait"]).exits(0);
}

/// Models, fields and prices that changed are told, and used; the key goes nowhere.
#[test]
fn what_changed_is_told_and_used() {
    let stub = Stub::start();
    let service = Service::start();
    let mut offers: Vec<Value> = built_in().iter().map(|model| json!({ "model_name": model["name"] })).collect();
    offers.remove(1);
    offers[0]["base_usd_value"] = json!(0.04);
    offers[0]["base_display_unit"] = json!({ "en": "per image" });
    offers.push(json!({ "model_name": "fox-painter/text-to-image", "output_type": "image", "base_usd_value": 0.5,
        "description": "{\"en\":\"Paints foxes.\"}", "supported_endpoint_types": ["task"] }));
    offers.push(json!({ "model_name": "chat-fox", "supported_endpoint_types": ["chat"] }));
    offers.push(json!({ "model_name": "odd-fox", "base_usd_value": -1 }));
    let schema = json!({ "properties": {
        "model": { "type": "string" },
        "prompt": { "type": "string", "maxLength": 77 },
        "aspect_ratio": { "type": "string", "enum": ["1:1", "7:5"], "default": "1:1" },
        "fur": { "type": "integer", "minimum": 1, "maximum": 9 },
    }, "required": ["prompt"] });
    stub.says(&json!({ "data": offers }), &json!({ "data": { "input_schema": schema } }));
    let lines = service.run(&["models", "--refresh", "--json", "--base-url", &stub.base]).exits(0).json();
    let models = |kind| event(&lines, kind).map(|line| line["model"].as_str().unwrap_or_default()).collect::<Vec<_>>();
    assert_eq!((models("new"), models("gone")), (vec!["fox-painter/text-to-image"], vec!["Nano-Banana-2"]));
    assert_eq!(models("kept"), ["odd-fox"]);
    let price = event(&lines, "price").next().expect("a price");
    assert_eq!((&price["was"], &price["is"]), (&"unknown".into(), &"base $0.04 per image".into()));
    let changed: Vec<String> = event(&lines, "changed")
        .filter(|line| line["model"] == "Nano-Banana")
        .map(|line| line["what"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert!(changed.contains(&"a new field: fur".to_owned()), "{changed:?}");
    assert!(changed.iter().any(|what| what.starts_with("aspect_ratio: now 7:5, no more auto")), "{changed:?}");
    assert!(changed.contains(&"prompt: its limits".to_owned()), "{changed:?}");
    for head in stub.asked.lock().expect("unpoisoned").iter() {
        assert!(!head.contains(KEY) && !head.to_lowercase().contains("authorization"), "{head}");
    }
    // A second look finds the same, and what is new works like the rest.
    let again = service.run(&["models", "--refresh", "--base-url", &stub.base]).exits(0);
    assert!(again.out.contains("kept     odd-fox") && again.out.lines().count() == 2, "{}", again.out);
    let new = ["submit", "a fox", "-m", "fox-painter/text-to-image", "--set", "fur=3", "--dry-run", "--json"];
    let sum = service.run(&new).exits(0).json().pop().expect("a sum");
    assert_eq!(sum["usd"], 0.5, "{sum}");
    service.run(&["submit", "a fox", "--set", "aspect_ratio=16:9", "--dry-run"]).exits(2);
}

/// What is broken is kept out: the old catalogue stays, to the byte.
#[test]
fn a_broken_list_leaves_everything_as_it_was() {
    let service = Service::start();
    service.run(&["models", "--refresh"]).exits(0);
    let file = service.path("data").join("catalogue.json");
    let before = std::fs::read(&file).expect("a file");
    let stub = Stub::start();
    let all: Vec<Value> = built_in().iter().map(|model| json!({ "model_name": model["name"] })).collect();
    let good = json!({ "data": { "input_schema": { "properties": { "prompt": { "type": "string" } } } } });
    for (list, page, why) in [
        (json!("<html>"), good.clone(), "no list of prices"),
        (json!({ "data": [] }), good.clone(), "0 of the 34"),
        (json!({ "data": all[..9] }), good.clone(), "9 of the 34"),
        (json!({ "data": all }), json!("<html>"), "no page of a model"),
    ] {
        stub.says(&list, &page);
        let said = service.run(&["models", "--refresh", "--base-url", &stub.base]).exits(1);
        assert!(said.err.contains(why) && said.err.contains("what was known stays"), "{why}: {}", said.err);
        assert_eq!(std::fs::read(&file).expect("a file"), before, "{why}");
    }
    // A page that is not understood keeps that model as it was, and the rest is taken.
    let odd = json!({ "data": { "input_schema": { "properties": { "prompt": { "type": ["string", "null"] } } } } });
    stub.says(&json!({ "data": all }), &odd);
    service.run(&["models", "--refresh", "--base-url", &stub.base]).exits(1);
    assert_eq!(std::fs::read(&file).expect("a file"), before);
    // A file that was broken later is told, and the program goes on with its own.
    std::fs::write(&file, &before[..before.len() / 2]).expect("written");
    let said = service.run(&["submit", "a red fox"]).exits(0);
    assert!(said.err.contains("catalogue.json is not used"), "{}", said.err);
}
