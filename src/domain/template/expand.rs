//! The prompts a template stands for: each by its number, all in order, or by chance.

use std::sync::Arc;

use super::link::{Linked, Node, Seq, Template};
use crate::time::Chance;

impl Template {
    /// The prompt of this number, from 0; what stands further right changes faster. None: there are not so many.
    #[must_use]
    pub fn at(&self, index: u128) -> Option<String> {
        (index < self.count()).then(|| {
            let mut out = String::new();
            write_seq(&self.seq, index, &mut out);
            out
        })
    }

    /// All of them, in order, each made when it is asked for.
    #[must_use]
    pub fn all(&self) -> Expansions<'_> {
        Expansions { template: self, next: 0 }
    }

    /// One by chance: weights count, and the same chance gives the same prompt.
    #[must_use]
    pub fn draw(&self, chance: &mut Chance) -> String {
        let mut out = String::new();
        draw_seq(&self.seq, chance, &mut out);
        out
    }
}

/// All prompts of a template, in order.
#[derive(Clone, Debug)]
pub struct Expansions<'a> {
    template: &'a Template,
    next: u128,
}

impl Iterator for Expansions<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let prompt = self.template.at(self.next)?;
        self.next += 1;
        Some(prompt)
    }
}

fn write_seq(seq: &Seq, mut index: u128, out: &mut String) {
    let mut digits = Vec::with_capacity(seq.nodes.len());
    for node in seq.nodes.iter().rev() {
        digits.push(match node {
            Node::Text(_) => 0,
            Node::Choice(choice) => {
                let digit = index % choice.count.max(1);
                index /= choice.count.max(1);
                digit
            }
        });
    }
    for (node, digit) in seq.nodes.iter().zip(digits.into_iter().rev()) {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Choice(choice) => write_choice(choice, digit, out),
        }
    }
}

fn write_choice(choice: &Linked, mut index: u128, out: &mut String) {
    let mut take = choice.least;
    while take < choice.most && index >= choice.ways(0, take) {
        index -= choice.ways(0, take);
        take += 1;
    }
    let mut first = true;
    for (i, (_, option)) in choice.options.iter().enumerate() {
        if take == 0 {
            break;
        }
        // With this option, and then what is left of the number among the later ones; or without it.
        let later = choice.ways(i + 1, take - 1);
        let with = option.count.saturating_mul(later);
        if index < with {
            between(choice, &mut first, out);
            write_seq(option, index / later.max(1), out);
            index %= later.max(1);
            take -= 1;
        } else {
            index -= with;
        }
    }
}

fn draw_seq(seq: &Seq, chance: &mut Chance, out: &mut String) {
    for node in &seq.nodes {
        match node {
            Node::Text(text) => out.push_str(text),
            Node::Choice(choice) => draw_choice(choice, chance, out),
        }
    }
}

fn draw_choice(choice: &Linked, chance: &mut Chance, out: &mut String) {
    let span = choice.most - choice.least;
    let take = choice.least + if span == 0 { 0 } else { scaled(chance.unit(), span + 1) };
    let mut taken: Vec<usize> = Vec::with_capacity(take);
    for _ in 0..take {
        let left = || choice.options.iter().enumerate().filter(|(i, _)| !taken.contains(i));
        let total: f64 = left().map(|(_, (weight, _))| weight).sum();
        let mut at = chance.unit() * total;
        let mut pick = None;
        for (i, (weight, _)) in left().filter(|(_, (weight, _))| *weight > 0.0) {
            pick = Some(i);
            at -= weight;
            if at < 0.0 {
                break;
            }
        }
        taken.extend(pick);
    }
    // In the order they are written in, as when all are made.
    taken.sort_unstable();
    let mut first = true;
    for option in taken.iter().filter_map(|i| choice.options.get(*i)) {
        between(choice, &mut first, out);
        let seq: &Arc<Seq> = &option.1;
        draw_seq(seq, chance, out);
    }
}

fn between(choice: &Linked, first: &mut bool, out: &mut String) {
    if !std::mem::take(first) {
        out.push_str(&choice.between);
    }
}

/// A whole number below `below`.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small numbers"
)]
fn scaled(unit: f64, below: usize) -> usize {
    ((unit * below as f64) as usize).min(below - 1)
}
