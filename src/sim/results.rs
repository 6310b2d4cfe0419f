//! What a task will give, by the model's output types and the roles of its fields.

use serde_json::{Map, Value};

use super::call::Call;
use super::catalogue::Target;
use super::media::Media;
use super::pixels::{Format, Picture};
use super::random::{hash, mix};
use super::scenario::{Action, Rule};
use super::shape::{self, Wish};
use super::world::World;

/// Role and contents of each result, in order.
pub(super) fn results(
    world: &World,
    target: &Target<'_>,
    call: &Call,
    rules: &[&Rule],
    number: u64,
) -> Vec<(String, Media)> {
    let input = &call.input;
    let prompt = text(target, "prompt", input).unwrap_or_default();
    let whole = |role: &str| target.by_role(role, input).and_then(Value::as_u64);
    let own = mix(world.config.seed ^ mix(number));
    let seed = whole("seed").map_or(own, |seed| hash(seed, prompt.as_bytes()));
    let (width, height) = shape::pixels(&Wish {
        shape: text(target, "shape", input),
        size: text(target, "size", input),
        width: whole("width"),
        height: whole("height"),
        at_least: world.config.scenario.files.at_least.as_deref(),
        chance: hash(1, prompt.as_bytes()),
        longest: world.config.longest_side,
    });
    let picture = |seed: u64| Picture {
        prompt: prompt.to_owned(),
        seed,
        width,
        height,
        format: text(target, "format", input).map_or(Format::Png, Format::from_word),
    };
    let bomb = rules.iter().any(|rule| rule.action == Action::Bomb);
    let count = rules
        .iter()
        .find(|rule| rule.action == Action::Outputs)
        .and_then(|rule| rule.amount)
        .map_or(1, |amount| amount.clamp(1.0, 16.0) as u64);
    let seconds = whole("seconds").unwrap_or(8).min(60) as u32;
    let mut roles: Vec<&str> = target.output_types.iter().map(String::as_str).collect();
    if roles == ["video"] {
        roles.push("first_frame");
    }
    let mut results = Vec::new();
    for copy in 0..count {
        for role in &roles {
            let seed = seed ^ mix(copy).wrapping_mul(u64::from(copy > 0));
            let media = match *role {
                "video" => Media::Film { seed },
                "audio" => Media::Sound { seed, seconds },
                _ if bomb => Media::Bomb,
                _ => Media::Picture(picture(seed)),
            };
            results.push(((*role).to_owned(), media));
        }
    }
    results
}

/// A field's text by its role.
pub(super) fn text<'v>(target: &'v Target<'_>, role: &str, input: &'v Map<String, Value>) -> Option<&'v str> {
    target.by_role(role, input).and_then(Value::as_str)
}
