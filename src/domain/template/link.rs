//! A template with its lists looked up, and how many prompts it stands for: counted on the way, never by expanding.

use std::sync::Arc;

use super::LONGEST;
use super::error::{Fault, Place, TemplateError};
use super::lists::Lists;
use super::parse::{self, Piece};

/// Most numbers that are kept to count ways of taking several options.
const WIDEST: usize = 1 << 20;

/// A template, ready to be counted and expanded.
#[derive(Clone, Debug)]
pub struct Template {
    text: String,
    pub(super) seq: Seq,
}

/// Things one after the other.
#[derive(Clone, Debug)]
pub(super) struct Seq {
    pub nodes: Vec<Node>,
    pub count: u128,
    pub longest: usize,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Choice(Arc<Linked>),
}

/// A choice, or a list.
#[derive(Clone, Debug)]
pub(super) struct Linked {
    pub least: usize,
    pub most: usize,
    pub between: String,
    pub options: Vec<(f64, Arc<Seq>)>,
    /// How many ways there are to take `j` of the options from `i` on, at `i * (most + 1) + j`.
    ways: Vec<u128>,
    pub count: u128,
    longest: usize,
}

impl Linked {
    /// How many ways there are to take `take` of the options from `from` on.
    pub(super) fn ways(&self, from: usize, take: usize) -> u128 {
        self.ways.get(from * (self.most + 1) + take).copied().unwrap_or(0)
    }
}

impl Template {
    /// Reads a template; the lists it names must be given.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn parse(text: &str, lists: &Lists) -> Result<Self, TemplateError> {
        let placed = |error: TemplateError| TemplateError { at: Place::of(text, error.at.byte), ..error };
        let seq = seq(&parse::template(text)?, lists).map_err(placed)?;
        if seq.longest > LONGEST {
            return Err(TemplateError { at: Place::default(), list: None, fault: Fault::TooLong });
        }
        Ok(Self { text: text.to_owned(), seq })
    }

    /// As it was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many prompts it stands for, equal ones counted each; [`super::BEYOND`] is that or more.
    #[must_use]
    pub fn count(&self) -> u128 {
        self.seq.count
    }
}

pub(super) fn seq(pieces: &[Piece], lists: &Lists) -> Result<Seq, TemplateError> {
    let mut seq = Seq { nodes: Vec::with_capacity(pieces.len()), count: 1, longest: 0 };
    for piece in pieces {
        let node = match piece {
            Piece::Text(text) => {
                seq.longest = seq.longest.saturating_add(text.len());
                Node::Text(text.clone())
            }
            Piece::List { name, at } => Node::Choice(Arc::clone(named(name, *at, lists)?)),
            Piece::Choice(one) => {
                let wrong = |fault| TemplateError { at: byte(one.at), list: None, fault };
                let mut options = Vec::with_capacity(one.options.len());
                for option in &one.options {
                    match &option.pieces[..] {
                        // Several of a list alone: several of its lines.
                        [Piece::List { name, at }] if one.options.len() == 1 => {
                            options.extend(named(name, *at, lists)?.options.iter().cloned());
                        }
                        pieces => options.push((option.weight, Arc::new(self::seq(pieces, lists)?))),
                    }
                }
                Node::Choice(Arc::new(choice(one.least, one.most, one.between.clone(), options).map_err(wrong)?))
            }
        };
        if let Node::Choice(choice) = &node {
            seq.count = seq.count.saturating_mul(choice.count);
            seq.longest = seq.longest.saturating_add(choice.longest);
        }
        seq.nodes.push(node);
    }
    Ok(seq)
}

/// The character is counted by who has the text.
fn byte(byte: usize) -> Place {
    Place { byte, char: 0 }
}

fn named<'a>(name: &str, at: usize, lists: &'a Lists) -> Result<&'a Arc<Linked>, TemplateError> {
    let missing = || TemplateError { at: byte(at), list: None, fault: Fault::NoList(name.to_owned()) };
    lists.get(name).ok_or_else(missing)
}

pub(super) fn choice(
    least: usize,
    most: usize,
    between: String,
    options: Vec<(f64, Arc<Seq>)>,
) -> Result<Linked, Fault> {
    if most > options.len() {
        return Err(Fault::TooFew { wanted: most, there: options.len() });
    }
    if options.iter().filter(|(weight, _)| *weight > 0.0).count() < most {
        return Err(Fault::Weightless);
    }
    let wide = most + 1;
    let size = wide.checked_mul(options.len() + 1).filter(|size| most == 1 || *size <= WIDEST);
    let mut ways = vec![0u128; size.ok_or(Fault::TooWide)?];
    ways[options.len() * wide] = 1;
    for (i, (_, option)) in options.iter().enumerate().rev() {
        for j in 0..wide {
            let without = ways[(i + 1) * wide + j];
            let with = if j == 0 { 0 } else { ways[(i + 1) * wide + j - 1].saturating_mul(option.count) };
            ways[i * wide + j] = without.saturating_add(with);
        }
    }
    let count = (least..=most).fold(0u128, |sum, j| sum.saturating_add(ways[j]));
    let mut lengths: Vec<usize> = options.iter().map(|(_, option)| option.longest).collect();
    lengths.sort_unstable_by(|a, b| b.cmp(a));
    let longest = lengths.iter().take(most).fold(between.len().saturating_mul(most), |sum, n| sum.saturating_add(*n));
    if longest > LONGEST {
        return Err(Fault::TooLong);
    }
    Ok(Linked { least, most, between, options, ways, count, longest })
}
