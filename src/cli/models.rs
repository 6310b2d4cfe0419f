//! `plantain models`: what can be asked for.

use color_eyre::eyre::Report;

use crate::domain::money;
use crate::domain::request::plain;
use crate::domain::text::one_line;
use crate::domain::{Field, ModelSpec};
use crate::runtime::Clock;

use super::args::{Global, Models};
use super::{DONE, USAGE, complain, context, say};

pub(super) fn run(global: &Global, args: &Models) -> Result<u8, Report> {
    let catalogue = context::catalogue(global)?;
    let Some(name) = &args.name else {
        for model in catalogue.models() {
            if args.json {
                say(&serde_json::to_string(model.as_ref())?)?;
            } else {
                let retired = if model.is_current() { "" } else { "retired  " };
                say(&format!("{:<34}  {:<13}  {retired}{}", model.name, model.kind, model.description))?;
            }
        }
        return Ok(DONE);
    };
    let Some(model) = catalogue.get(name) else {
        let near = catalogue.nearest(name);
        let hint = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) };
        complain(&format!("there is no model {name:?}{hint}"));
        return Ok(USAGE);
    };
    if args.json {
        say(&serde_json::to_string(model.as_ref())?)?;
    } else {
        words(model)?;
    }
    Ok(DONE)
}

fn words(model: &ModelSpec) -> Result<(), Report> {
    say(&format!("{}  ({}{})", model.name, model.kind, if model.is_current() { "" } else { ", retired" }))?;
    say(&model.description)?;
    if let Some(price) = &model.price {
        let seen = money::seen(&price.date, Clock::start().now().wall);
        say(&one_line(&format!("price, as seen {seen}: {}", price.words())))?;
    }
    say("")?;
    for field in &model.fields {
        say(&format!("  {:<22}{}", field.name, about(field)))?;
    }
    for rule in &model.constraints {
        say(&format!("  rule: {}", rule.text))?;
    }
    for route in &model.routes {
        say(&format!("  route: {}@{}", model.name, route.route))?;
    }
    Ok(())
}

fn about(field: &Field) -> String {
    let mut parts = vec![field.description.clone()];
    if field.required {
        parts.push("required".into());
    }
    if let Some(choices) = &field.choices {
        parts.push(choices.iter().map(plain).collect::<Vec<_>>().join(" | "));
    }
    if let Some(max) = field.max_length {
        parts.push(format!("at most {max} characters"));
    }
    if let (Some(min), Some(max)) = (field.min, field.max) {
        parts.push(format!("{min} to {max}"));
    }
    if let Some(default) = field.default.as_ref().map(plain).filter(|text| !text.is_empty()) {
        parts.push(format!("default {default}"));
    }
    parts.join("; ")
}
