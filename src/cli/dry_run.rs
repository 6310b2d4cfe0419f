//! `plantain submit --dry-run`: exactly what would be sent, what it may cost, and the same for curl. Nothing is sent.

use color_eyre::eyre::Report;
use serde_json::{Value, json};

use crate::domain::Catalogue;
use crate::domain::batch::{Bill, cost};
use crate::domain::text::one_line;

use super::json::escaped;
use super::prompts::Ready;
use super::say;

/// Prints every request, and then the sum.
pub(super) fn print(
    ready: &[&Ready],
    bill: &Bill,
    seed: Option<u64>,
    address: &str,
    catalogue: &Catalogue,
    as_json: bool,
) -> Result<(), Report> {
    let curl = ready.first().map(|ready| curl(&ready.request.body, address));
    if !as_json {
        for ready in ready {
            say(&one_line(&ready.request.body))?;
        }
        if let Some(curl) = &curl {
            say(&one_line(curl))?;
        }
        let seed = seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
        return say(&format!("{} tasks, {}{seed}; nothing was sent", bill.tasks, bill.price()));
    }
    for Ready { request, mark } in ready {
        let body: Value = serde_json::from_str(&request.body).unwrap_or(Value::Null);
        let cost = cost(request, catalogue);
        let mut line = json!({ "schema": 1, "request": body, "usd": cost.map(|cost| cost.usd.dollars()) });
        if request.template != request.prompt {
            line["template"] = request.template.as_str().into();
        }
        if let Some(mark) = mark {
            line["batch"] = mark.batch.as_str().into();
        }
        say(&escaped(&line))?;
    }
    let sum = json!({
        "schema": 1,
        "tasks": ready.len(),
        "usd": bill.usd.dollars(),
        "at_most": bill.at_most,
        "unknown": u64::try_from(bill.unknown).unwrap_or(u64::MAX),
        "prices_seen": bill.seen,
        "price": bill.price(),
        "seed": seed,
        "curl": curl,
    });
    say(&escaped(&sum))
}

/// The first request for curl. The key stays out of it: the shell puts it in, and another key for each call.
fn curl(body: &str, address: &str) -> String {
    // In a shell nothing has a meaning between single quotes but the end of them.
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let url = quoted(&format!("{}/v1/tasks", address.trim_end_matches('/').trim_end_matches("/v1")));
    let key = r#"-H "Authorization: Bearer $HIAPI_API_KEY" -H "Idempotency-Key: $(uuidgen)""#;
    format!("curl -X POST {url} {key} -H 'Content-Type: application/json' -d {}", quoted(body))
}
