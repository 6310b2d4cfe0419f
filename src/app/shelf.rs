//! Text that was written before, to be written again: the history of prompts, and snippets.

use crate::domain::Remembered;
use crate::domain::text::one_line;
use crate::keys::Place;

use super::line::Line;

/// What of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShelfKind {
    /// What was sent, newest first.
    History,
    /// What was given a name.
    Snippets,
}

/// The dialog with a list of texts; typing narrows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shelf {
    /// What is in it.
    pub kind: ShelfKind,
    /// What was typed.
    pub query: Line,
    /// The chosen row among those that match.
    pub cursor: usize,
    /// The snippet that is given another name.
    pub renaming: Option<String>,
    /// The snippet that is removed at the next press.
    pub sure: Option<String>,
    /// `None`: it is still being read.
    items: Option<Vec<(Remembered, String)>>,
    /// Those that match, best first.
    found: Vec<usize>,
}

impl Shelf {
    /// An empty one, to be filled.
    #[must_use]
    pub fn new(kind: ShelfKind) -> Self {
        Self { kind, query: Line::default(), cursor: 0, renaming: None, sure: None, items: None, found: Vec::new() }
    }

    /// Where the keyboard is while it is open.
    #[must_use]
    pub fn place(&self) -> Place {
        match self.kind {
            ShelfKind::History => Place::Picker,
            ShelfKind::Snippets => Place::Snippets,
        }
    }

    /// It came from the disk.
    pub fn fill(&mut self, items: Vec<Remembered>) {
        let folded = |item: &Remembered| match &item.name {
            Some(name) => format!("{}\n{}", name.to_lowercase(), item.text.to_lowercase()),
            None => item.text.to_lowercase(),
        };
        self.items = Some(items.into_iter().map(|item| (item.clone(), folded(&item))).collect());
        self.narrow();
    }

    /// It is still being read.
    #[must_use]
    pub fn is_loading(&self) -> bool {
        self.items.is_none()
    }

    /// How many there are, and how many match.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.items.as_ref().map_or(0, Vec::len), self.found.len())
    }

    /// The text in a row.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<&Remembered> {
        let items = self.items.as_ref()?;
        self.found.get(row).and_then(|index| items.get(*index)).map(|(item, _)| item)
    }

    /// The chosen one.
    #[must_use]
    pub fn chosen(&self) -> Option<&Remembered> {
        self.row(self.cursor)
    }

    /// Something was typed.
    pub fn narrow(&mut self) {
        let words: Vec<String> = match &self.renaming {
            Some(_) => Vec::new(),
            None => self.query.text().to_lowercase().split_whitespace().map(str::to_owned).collect(),
        };
        let items = self.items.as_deref().unwrap_or_default();
        let mut hits: Vec<(i64, usize)> = items
            .iter()
            .enumerate()
            // What was made from a template is found, but does not hide it.
            .filter(|(_, (item, _))| !item.made || !words.is_empty())
            .filter_map(|(index, (_, folded))| Some((score(folded, &words)?, index)))
            .collect();
        hits.sort_by_key(|(score, index)| (-score, *index));
        self.found = hits.into_iter().map(|(_, index)| index).collect();
        self.cursor = self.cursor.min(self.found.len().saturating_sub(1));
    }
}

/// How far into a text letters are looked for that do not stand together.
const LOOSE: usize = 300;

/// How well a text matches; every word must, as it is or with letters between.
fn score(folded: &str, words: &[String]) -> Option<i64> {
    words.iter().map(|word| whole(folded, word).or_else(|| loose(folded, word))).sum()
}

fn whole(folded: &str, word: &str) -> Option<i64> {
    let at = folded.find(word)?;
    let begins = folded[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
    Some(1000 - i64::try_from(at.min(500)).unwrap_or(500) + if begins { 300 } else { 0 })
}

/// The letters in their order, not too far apart.
fn loose(folded: &str, word: &str) -> Option<i64> {
    let mut wanted = word.chars().peekable();
    let (mut first, mut last) = (None, 0);
    for (at, c) in folded.chars().take(LOOSE).enumerate() {
        if wanted.peek() == Some(&c) {
            wanted.next();
            first.get_or_insert(at);
            last = at;
        }
        if wanted.peek().is_none() {
            break;
        }
    }
    let span = last - first?;
    let near = span <= 3 * word.chars().count() + 6;
    (wanted.peek().is_none() && near).then(|| 200 - i64::try_from(span).unwrap_or(200))
}

/// A name as it is kept: one line, no more than eighty characters.
#[must_use]
pub fn name_of(typed: &str) -> Option<String> {
    let name: String = one_line(typed.trim()).chars().take(80).collect();
    (!name.is_empty()).then_some(name)
}

/// A walk through what was sent, text by text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// Newest first; `None`: not read yet.
    texts: Option<Vec<String>>,
    /// 0 is the text that was being written.
    at: usize,
    own: String,
    /// A step that waits for the reading.
    pub waits: Option<isize>,
}

impl Walk {
    /// What was sent came from the disk.
    pub fn fill(&mut self, items: &[Remembered]) {
        self.texts = Some(items.iter().filter(|item| !item.made).map(|item| item.text.clone()).collect());
    }

    /// It has to be read first.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_none()
    }

    /// The text `by` steps further back, where `present` stands now; `None` at the ends.
    pub fn step(&mut self, by: isize, present: &str) -> Option<String> {
        let texts = self.texts.as_deref()?;
        if self.at == 0 || texts.get(self.at - 1).is_none_or(|text| text != present) {
            // It was changed: from here on it is the text that is being written.
            (self.at, self.own) = (0, present.to_owned());
        }
        let to = self.at.checked_add_signed(by).filter(|to| *to <= texts.len())?;
        self.at = to;
        Some(to.checked_sub(1).and_then(|index| texts.get(index)).cloned().unwrap_or_else(|| self.own.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Wall;

    fn item(text: &str, made: bool) -> Remembered {
        Remembered { name: None, text: text.into(), at: Wall(0), made }
    }

    fn found(query: &str) -> Vec<String> {
        let mut shelf = Shelf::new(ShelfKind::History);
        let texts =
            [("a {red|grey} fox", false), ("a red fox", true), ("an owl in snow", false), ("A Fox In Snow", false)];
        shelf.query = query.into();
        shelf.fill(texts.iter().map(|(text, made)| item(text, *made)).collect());
        (0..shelf.counts().1).filter_map(|row| shelf.row(row)).map(|item| item.text.clone()).collect()
    }

    #[test]
    fn words_are_found_in_any_order_and_with_gaps() {
        assert_eq!(found(""), ["a {red|grey} fox", "an owl in snow", "A Fox In Snow"]);
        assert_eq!(found("snow fox"), ["A Fox In Snow"]);
        assert_eq!(found("rd"), ["a {red|grey} fox", "a red fox"]);
        assert_eq!(found("fox red"), ["a red fox", "a {red|grey} fox"], "nearer to the beginning is better");
        assert_eq!(found("lighthouse"), Vec::<String>::new());
    }

    #[test]
    fn a_walk_goes_back_and_comes_home() {
        let mut walk = Walk::default();
        assert_eq!(walk.step(1, "new"), None);
        walk.fill(&[item("b", false), item("x", true), item("a", false)]);
        assert_eq!(walk.step(-1, "new"), None);
        assert_eq!(walk.step(1, "new").as_deref(), Some("b"));
        assert_eq!(walk.step(1, "b").as_deref(), Some("a"));
        assert_eq!(walk.step(1, "a"), None);
        assert_eq!(walk.step(-1, "a").as_deref(), Some("b"));
        assert_eq!(walk.step(-1, "b").as_deref(), Some("new"));
        assert_eq!(walk.step(1, "new").as_deref(), Some("b"));
        assert_eq!(walk.step(-1, "b changed"), None, "what was changed is the text that is being written");
        assert_eq!(walk.step(1, "b changed").as_deref(), Some("b"));
    }

    #[test]
    fn names_are_lines() {
        assert_eq!(name_of("  a\nb "), Some("a b".into()));
        assert_eq!(name_of(" \n"), None);
        assert_eq!(name_of(&"x".repeat(90)).map(|name| name.len()), Some(80));
    }
}
