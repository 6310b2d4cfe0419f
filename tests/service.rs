//! The client against the simulated service: what one of them sends, the other one understands, in both directions.

use std::time::Duration;

use plantain::api::{ApiKey, Client, DownloadLimits, Fetcher, Timeouts, Wanted, base_url};
use plantain::domain::naming::{Facts, Template};
use plantain::domain::{Catalogue, Draft, FieldKind, LocalId, Outcome, Problem, Role, Status, TaskId, validate};
use plantain::sim::{self, Sim, SimClock, SimConfig};

/// A service whose clock only moves when we say so.
async fn service() -> (Sim, SimClock, Client) {
    let clock = SimClock::manual(1_777_000_000);
    let config = SimConfig {
        rate_limit: None,
        concurrency: None,
        key: Some("sk-service".into()),
        longest_side: Some(64),
        clock: clock.clone(),
        ..SimConfig::default()
    };
    let sim = sim::start(config).await.expect("it starts");
    let client = client(&sim, "sk-service");
    (sim, clock, client)
}

fn client(sim: &Sim, key: &str) -> Client {
    let base = base_url(&sim.base_url()).expect("an address");
    Client::new(base, ApiKey::parse(key).expect("a key"), Timeouts::default()).expect("a client")
}

fn id(n: u128) -> LocalId {
    LocalId::from_random(n << 64 | n)
}

/// What a person would type for this model, with everything that it requires.
fn draft(catalogue: &Catalogue, model: &str, prompt: &str) -> Draft {
    let spec = catalogue.get(model).expect("a model");
    let mut fields = serde_json::Map::new();
    for field in spec.fields.iter().filter(|f| f.required && f.default.is_none() && f.role != Some(Role::Prompt)) {
        let first = field.choices.as_ref().and_then(|choices| choices.first().cloned());
        let url = "https://example.org/picture.png";
        let value = first.unwrap_or_else(|| match field.kind {
            FieldKind::Texts => serde_json::json!([url]),
            FieldKind::Text if field.media.is_some() => url.into(),
            FieldKind::Text => "some words".into(),
            FieldKind::Integer | FieldKind::Number => serde_json::json!(field.min.map_or(5, |min| min as i64)),
            FieldKind::Switch => true.into(),
        });
        fields.insert(field.name.clone(), value);
    }
    Draft { model: model.to_owned(), prompt: prompt.to_owned(), fields, ..Draft::default() }
}

fn body(prompt: &str) -> String {
    let catalogue = Catalogue::built_in();
    let draft = draft(&catalogue, &catalogue.default_model().name, prompt);
    validate::validate(&draft, &catalogue, None).expect("valid").body
}

#[tokio::test]
async fn a_task_walks_from_queued_to_success_and_its_picture_comes_home() {
    let (sim, clock, client) = service().await;
    let made = client.create(id(1), &body("a red fox")).await.result.expect("accepted");
    assert!(!made.replay);
    let mut seen = Vec::new();
    let mut last = client.task(&made.task_id).await.result.expect("known");
    for _ in 0..600 {
        if seen.last() != Some(&last.status) {
            seen.push(last.status.clone());
        }
        if last.status.is_final() {
            break;
        }
        clock.advance(Duration::from_millis(200));
        last = client.task(&made.task_id).await.result.expect("known");
    }
    assert_eq!(seen, [Status::Queued, Status::Handling, Status::Archiving, Status::Success]);
    let page = client.page(1, 100).await.result.expect("a page");
    assert_eq!((page.total, page.reports[0].outputs.len()), (1, 1), "the list tells as much as a look");

    let home = tempfile::tempdir().expect("a directory");
    let limits = DownloadLimits { allow_loopback: true, ..DownloadLimits::default() };
    let fetcher = Fetcher::new(limits).expect("a fetcher");
    let wanted = Wanted {
        url: last.outputs[0].url.clone(),
        dir: home.path().to_owned(),
        key: "fox-0".into(),
        names: Template::default(),
        facts: Facts { id: "fox".into(), number: 1, ..Facts::default() },
        about: None,
    };
    let file = fetcher.fetch(&wanted, None).await.expect("the picture");
    assert_eq!((file.format.as_str(), file.width.is_some()), ("png", true));
    assert_eq!(sim.ledger().downloads_with_key, 0, "the key goes to nobody but the API");
}

#[tokio::test]
async fn a_valid_request_for_any_model_is_accepted_by_the_service() {
    let (_sim, _clock, client) = service().await;
    let catalogue = Catalogue::built_in();
    let routes =
        catalogue.models().iter().flat_map(|m| m.routes.iter().map(move |r| format!("{}@{}", m.name, r.route)));
    let names = catalogue.models().iter().filter(|m| m.is_current()).map(|m| m.name.clone()).chain(routes);
    for (n, name) in names.enumerate() {
        let draft = draft(&catalogue, &name, "a red fox in snow");
        let request = validate::validate(&draft, &catalogue, None).unwrap_or_else(|why| panic!("{name}: {why:?}"));
        let answer = client.create(id(100 + n as u128), &request.body).await;
        assert!(answer.result.is_ok(), "{name}: {:?}\n{}", answer.result, request.body);
    }
}

#[tokio::test]
async fn the_same_key_and_bytes_are_the_same_task() {
    let (sim, _clock, client) = service().await;
    let first = client.create(id(1), &body("a red fox")).await.result.expect("accepted");
    let again = client.create(id(1), &body("a red fox")).await.result.expect("known");
    assert_eq!((again.task_id, again.replay), (first.task_id, true));
    let other = client.create(id(1), &body("a grey fox")).await.result.expect_err("refused");
    assert_eq!(other.outcome(), Outcome::Conflict, "{other:?}");
    assert_eq!(sim.ledger().created.len(), 1);
}

#[tokio::test]
async fn every_refusal_means_what_it_should_for_money() {
    let (sim, _clock, client) = service().await;
    let cases = [
        ("a fox [refuse]", Outcome::Refused),
        ("a fox [broke]", Outcome::Blocked),
        ("a fox [busy]", Outcome::NotCreated),
        ("a fox [limited]", Outcome::NotCreated),
        ("a fox [html]", Outcome::Unknown),
        ("a fox [error]", Outcome::Unknown),
        ("a fox [cut]", Outcome::Unknown),
        ("a fox [truncated]", Outcome::Unknown),
    ];
    for (n, (prompt, outcome)) in cases.into_iter().enumerate() {
        let problem = client.create(id(n as u128 + 1), &body(prompt)).await.result.expect_err(prompt);
        assert_eq!(problem.outcome(), outcome, "{prompt}: {problem:?}");
    }
    let wrong = self::client(&sim, "sk-wrong").create(id(90), &body("a fox")).await.result;
    assert!(matches!(wrong, Err(Problem::Auth { .. })), "{wrong:?}");
    let unknown = r#"{"model":"Nano-Bananas","input":{"prompt":"a fox"}}"#;
    let unknown = client.create(id(91), unknown).await.result;
    assert!(matches!(unknown, Err(Problem::NotFound { .. })), "{unknown:?}");
    let field = r#"{"model":"Nano-Banana","input":{"prompt":"a fox","seed":7}}"#;
    let Err(Problem::Rejected { code, message, .. }) = client.create(id(92), field).await.result else {
        panic!("an unknown field must be refused");
    };
    assert_eq!(code.as_deref(), Some("INVALID_REQUEST"));
    assert_eq!(message, "additional properties 'seed' not allowed");
    let nobody = TaskId::try_from("tk-hiapi-NOBODY".to_owned()).expect("an id");
    assert!(matches!(client.task(&nobody).await.result, Err(Problem::NotFound { .. })));
}

#[tokio::test]
async fn what_was_cut_off_is_settled_by_the_same_key() {
    let (sim, _clock, client) = service().await;
    for prompt in ["a fox [cut]", "a fox [truncated]"] {
        let before = sim.ledger().created.len();
        let key = id(before as u128 + 1);
        assert!(client.create(key, &body(prompt)).await.result.is_err());
        let settled = client.create(key, &body(prompt)).await.result.expect("settled");
        assert!(settled.replay, "{prompt}: it had been accepted the first time");
        assert_eq!(sim.ledger().created.len(), before + 1, "{prompt}: paid once");
    }
}

#[tokio::test]
async fn failures_come_inside_a_good_answer() {
    let (_sim, clock, client) = service().await;
    let made = client.create(id(1), &body("a fox [fail]")).await.result.expect("accepted");
    clock.advance(Duration::from_secs(600));
    let report = client.task(&made.task_id).await.result.expect("known");
    let Status::Failed(failure) = report.status else { panic!("{:?}", report.status) };
    assert_eq!(failure.code.as_deref(), Some("TASK_FAILED"));
    assert!(report.outputs.is_empty() && report.completed.is_some());
}
