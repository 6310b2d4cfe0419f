//! Our check of a request and the service's own, over every model with random inputs: they say the same. The simulated
//! service reads the shared data with code of its own.

use std::time::Duration;

use plantain::api::{ApiKey, Client, Timeouts, base_url};
use plantain::domain::validate::validate;
use plantain::domain::{Catalogue, Draft, Field, FieldKind, LocalId, ModelSpec, Problem, Request, Role};
use plantain::sim::{self, SimConfig};
use plantain::time::Chance;
use serde_json::{Map, Value, json};

/// Inputs tried for each model.
const TRIES: usize = 60;

struct Dice(Chance);

impl Dice {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    fn below(&mut self, n: usize) -> usize {
        ((self.0.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }

    fn one<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// Mostly what the field allows, sometimes just beyond it, sometimes of another kind.
    fn value(&mut self, field: &Field) -> Value {
        match self.below(14) {
            0 => return self.one(&[json!(7), json!("odd"), json!(true), json!(["x"]), json!(0.5), json!({"a": 1})]),
            1 if field.max_length.is_some() => return "x".repeat(field.max_length.unwrap_or(0) + 1).into(),
            2 if field.max.is_some() => return json!(field.max.unwrap_or(0.0) + 1.0),
            3 if field.max_items.is_some() => {
                return vec!["https://x.example/a.png"; field.max_items.unwrap_or(0) + 1].into();
            }
            _ => {}
        }
        if let Some(choices) = &field.choices {
            return self.one(choices);
        }
        let least = field.min.unwrap_or(1.0);
        #[allow(clippy::cast_possible_truncation, reason = "limits of fields are small")]
        match field.kind {
            FieldKind::Text if field.media.is_some() => "https://x.example/a.png".into(),
            FieldKind::Text => "x".repeat(field.min_length.unwrap_or(1).max(1)).into(),
            FieldKind::Integer => json!(least as i64 + self.one(&[0, 0, 1, -1])),
            FieldKind::Number => json!(least),
            FieldKind::Switch => json!(self.below(2) == 0),
            FieldKind::Texts => vec!["https://x.example/a.png"; field.min_items.unwrap_or(1).max(1)].into(),
        }
    }

    fn draft(&mut self, spec: &ModelSpec) -> Draft {
        let mut fields = Map::new();
        let mut prompt = "a fox".to_owned();
        for field in &spec.fields {
            if field.role == Some(Role::Prompt) {
                let longest = field.max_length.unwrap_or(10);
                prompt = match self.below(12) {
                    0 => String::new(),
                    1 => "\u{1F98A}".repeat(longest + 1),
                    2 => "\u{1F98A}".repeat(longest),
                    _ => prompt,
                };
            } else if field.required && self.below(10) > 0 || self.below(3) == 0 {
                fields.insert(field.name.clone(), self.value(field));
            }
        }
        if self.below(20) == 0 {
            fields.insert("no_such_field".into(), 1.into());
        }
        Draft { model: spec.name.clone(), prompt, fields, ..Draft::default() }
    }
}

/// What would go out if nobody had checked it; what a model requires and has a default for is filled in all the same.
fn unchecked(draft: &Draft, spec: &ModelSpec) -> Request {
    let mut input = Map::new();
    for field in &spec.fields {
        let said = match field.role {
            Some(Role::Prompt) => Some(Value::from(draft.prompt.clone())).filter(|_| !draft.prompt.is_empty()),
            _ => draft.fields.get(&field.name).cloned(),
        };
        if let Some(value) = said.or_else(|| field.default.clone().filter(|_| field.required)) {
            input.insert(field.name.clone(), value);
        }
    }
    for (name, value) in &draft.fields {
        input.entry(name.clone()).or_insert_with(|| value.clone());
    }
    Request::new(&draft.model, None, input, String::new(), String::new(), None)
}

#[tokio::test]
async fn what_we_accept_is_accepted_and_what_we_refuse_is_refused() {
    let config = SimConfig { speed: 1000.0, rate_limit: None, concurrency: None, ..SimConfig::default() };
    let service = sim::start(config).await.expect("a service");
    let answer = Duration::from_secs(20);
    let timeouts = Timeouts { connect: answer, answer, between: answer };
    let key = ApiKey::parse("sk-agree").expect("a key");
    let client = Client::new(base_url(&service.base_url()).expect("a base"), key, timeouts).expect("a client");
    let catalogue = Catalogue::built_in();
    let mut dice = Dice(Chance::new(20_261_122 << 64 | 1));
    let (mut accepted, mut refused) = (0, 0);
    let mut faults = Vec::new();
    for spec in catalogue.models() {
        for _ in 0..TRIES {
            let draft = dice.draft(spec);
            let (ours, body) = match validate(&draft, &catalogue, None) {
                Ok(request) => (Ok(()), request.body),
                Err(why) => (Err(why), unchecked(&draft, spec).body),
            };
            let theirs = client.create(LocalId::from_random(dice.0.bits()), &body).await.result;
            match (&ours, &theirs) {
                (Ok(()), Ok(_)) => accepted += 1,
                (Err(_), Err(Problem::Network { .. } | Problem::Server { .. })) => faults.push(format!("{theirs:?}")),
                (Err(_), Err(_)) => refused += 1,
                (Ok(()), Err(why)) => faults.push(format!("we accept, it says {why:?}: {body:.300}")),
                (Err(why), Ok(_)) => faults.push(format!("it accepts, we say {why:?}: {body:.300}")),
            }
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), accepted + refused + faults.len(), faults.join("\n"));
    assert_eq!(catalogue.models().len(), 37);
    assert!(accepted > 200 && refused > 200, "{accepted} accepted, {refused} refused");
    service.stop().await;
}
