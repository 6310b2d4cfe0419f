//! From text to pieces: what stands in a template, before lists are looked up.

use super::error::{Fault, Place, TemplateError};
use super::lists::LONGEST_NAME;
use super::{DEEPEST, LONGEST};

/// What joins several options when nothing else is said.
const BETWEEN: &str = ", ";

/// A part of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Choice(Choice),
    /// A line of a list.
    List {
        name: String,
        at: usize,
    },
}

/// `{…}`
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    /// The byte of its brace.
    pub at: usize,
    /// How many of the options are taken: from, to.
    pub least: usize,
    pub most: usize,
    pub between: String,
    pub options: Vec<Branch>,
}

/// One option.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Branch {
    pub weight: f64,
    pub pieces: Vec<Piece>,
}

/// Reads a template.
pub(super) fn template(text: &str) -> Result<Vec<Piece>, TemplateError> {
    let mut parser = Parser::new(text)?;
    let pieces = parser.pieces(0)?;
    match parser.peek() {
        // Outside of braces the bar is a bar; only this can be left.
        Some(_) => Err(parser.fault(parser.at, Fault::Unopened)),
        None => Ok(pieces),
    }
}

/// Reads one line of a list: a template that may begin with a weight.
pub(super) fn line(text: &str) -> Result<Branch, TemplateError> {
    let mut parser = Parser::new(text)?;
    let weight = parser.weight();
    let pieces = parser.pieces(0)?;
    match parser.peek() {
        Some(_) => Err(parser.fault(parser.at, Fault::Unopened)),
        None => Ok(Branch { weight, pieces }),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, TemplateError> {
        let parser = Self { text, at: 0 };
        if text.len() > LONGEST { Err(parser.fault(LONGEST, Fault::TooLong)) } else { Ok(parser) }
    }

    fn fault(&self, byte: usize, fault: Fault) -> TemplateError {
        TemplateError { at: Place::of(self.text, byte), list: None, fault }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// As far as anything that is looked for may reach: an amount, a weight, the name of a list.
    fn near(&self) -> &'a str {
        let rest = self.rest();
        rest.get(..rest.floor_char_boundary(LONGEST_NAME + 4)).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, token: &str) -> bool {
        let there = self.rest().starts_with(token);
        self.at += if there { token.len() } else { 0 };
        there
    }

    /// Up to the end, to a closing brace, or inside of braces to a bar.
    fn pieces(&mut self, depth: usize) -> Result<Vec<Piece>, TemplateError> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        while let Some(c) = self.peek() {
            match c {
                '}' => break,
                '|' if depth > 0 => break,
                '{' => {
                    put(&mut pieces, &mut text);
                    pieces.push(Piece::Choice(self.choice(depth + 1)?));
                }
                '#' if self.is_comment(&mut text) => {}
                '\\' => text.push(self.escaped()),
                '_' if let Some(name) = self.list() => {
                    put(&mut pieces, &mut text);
                    let at = self.at;
                    self.at += name.len() + 4;
                    pieces.push(Piece::List { name: name.to_owned(), at });
                }
                _ => {
                    // On to the next sign that may mean something; they are all ASCII, so nothing is cut in two.
                    let means = |byte: u8| matches!(byte, b'{' | b'}' | b'|' | b'#' | b'\\' | b'_');
                    let rest = self.rest();
                    let end = rest.bytes().skip(1).position(means).map_or(rest.len(), |run| run + 1);
                    text.push_str(rest.get(..end).unwrap_or_default());
                    self.at += end;
                }
            }
        }
        put(&mut pieces, &mut text);
        Ok(pieces)
    }

    fn choice(&mut self, depth: usize) -> Result<Choice, TemplateError> {
        let open = self.at;
        if depth > DEEPEST {
            return Err(self.fault(open, Fault::TooDeep));
        }
        self.at += 1;
        let (least, most) = self.amount()?.unwrap_or((1, 1));
        let between = self.between(self.at > open + 1);
        let mut options = Vec::new();
        loop {
            let weight = self.weight();
            let pieces = self.pieces(depth)?;
            options.push(Branch { weight, pieces });
            if self.eat("|") {
                continue;
            }
            if self.eat("}") {
                break;
            }
            return Err(self.fault(open, Fault::Unclosed));
        }
        if let [only] = &options[..]
            && only.pieces.is_empty()
        {
            return Err(self.fault(open, Fault::Nothing));
        }
        Ok(Choice { at: open, least, most, between, options })
    }

    /// `2$$`, `1-2$$`.
    fn amount(&mut self) -> Result<Option<(usize, usize)>, TemplateError> {
        let Some((amount, _)) = self.near().split_once("$$") else { return Ok(None) };
        let (least, most) = amount.split_once('-').unwrap_or((amount, amount));
        let number =
            |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<usize>().ok()).flatten();
        let (Some(least), Some(most)) = (number(least), number(most)) else { return Ok(None) };
        if least > most || most == 0 {
            return Err(self.fault(self.at, Fault::Range(least, most)));
        }
        self.at += amount.len() + 2;
        Ok(Some((least, most)))
    }

    /// What stands before a second `$$`, and before anything else with a meaning.
    fn between(&mut self, several: bool) -> String {
        let start = self.at;
        let mut text = String::new();
        while several && let Some(c) = self.peek() {
            match c {
                '{' | '}' | '|' => break,
                '$' if self.eat("$$") => return text,
                '\\' => text.push(self.escaped()),
                c => {
                    text.push(c);
                    self.at += c.len_utf8();
                }
            }
        }
        self.at = start;
        BETWEEN.to_owned()
    }

    /// `0.7::`, with blanks before it that are not kept then.
    fn weight(&mut self) -> f64 {
        let weight = self.near().split_once("::").map(|(weight, _)| weight).filter(|weight| {
            let digits = weight.trim_start_matches([' ', '\t']);
            digits.len() < 16
                && digits.starts_with(|c: char| c.is_ascii_digit())
                && !digits.contains(char::is_whitespace)
        });
        let plain = |text: &&str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let weight = weight.filter(|weight| plain(&weight.trim_start_matches([' ', '\t'])));
        match weight.and_then(|text| Some((text, text.trim_start().parse::<f64>().ok()?))) {
            Some((text, weight)) => {
                self.at += text.len() + 2;
                weight
            }
            None => 1.0,
        }
    }

    /// The name in `__name__`, if that stands here: letters, digits, `-`, `/` and single `_`.
    fn list(&self) -> Option<&'a str> {
        let rest = self.near().strip_prefix("__")?;
        let name = rest.split_once("__").map(|(name, _)| name)?;
        super::lists::is_name(name).then_some(name)
    }

    fn escaped(&mut self) -> char {
        self.at += 1;
        match self.peek() {
            Some(c @ ('{' | '}' | '|' | '#' | '_' | '$' | ':' | '\\')) => {
                self.at += 1;
                c
            }
            _ => '\\',
        }
    }

    /// Passes over a comment: alone in its line, or with blanks on both sides. A `#` in a word is a `#`.
    fn is_comment(&mut self, text: &mut String) -> bool {
        let before = self.text.get(..self.at).unwrap_or_default();
        let blank = |c: char| c == ' ' || c == '\t';
        let bare = before.trim_end_matches(blank);
        let alone = bare.is_empty() || bare.ends_with('\n');
        let apart = bare.len() < before.len() && self.rest()[1..].starts_with([' ', '\t', '\n']);
        if !alone && !apart {
            return false;
        }
        text.truncate(text.trim_end_matches(blank).len());
        self.at = self.rest().find('\n').map_or(self.text.len(), |end| self.at + end + usize::from(alone));
        true
    }
}

fn put(pieces: &mut Vec<Piece>, text: &mut String) {
    if !text.is_empty() {
        pieces.push(Piece::Text(std::mem::take(text)));
    }
}
