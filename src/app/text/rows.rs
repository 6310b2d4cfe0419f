//! Soft wrap: where the rows of a text begin, kept up to date with every edit at the cost of the rows around it.

use std::borrow::Cow;
use std::ops::Range;

use ratatui::buffer::CellWidth;
use unicode_segmentation::UnicodeSegmentation;

use crate::domain::text::one_line;

/// Punctuation of wide scripts that may not begin a row.
const CLINGS: &str = "、。，．！？：；）」』】〉》ー…";

/// What is drawn for a grapheme, and the cells it takes: at least one, so that the cursor can be seen on it. What could
/// steer a terminal, or would not be seen at all, is replaced.
#[must_use]
pub fn glyph(grapheme: &str) -> (Cow<'_, str>, usize) {
    if let [byte @ b' '..=b'~'] = grapheme.as_bytes() {
        debug_assert!(byte.is_ascii());
        return (Cow::Borrowed(grapheme), 1);
    }
    let clean = one_line(grapheme);
    if clean != grapheme {
        return (Cow::Borrowed(if grapheme == "\t" { " " } else { "\u{fffd}" }), 1);
    }
    match usize::from(grapheme.cell_width()) {
        // A mark with nothing under it.
        0 => (Cow::Owned(format!("\u{25cc}{grapheme}")), 1),
        wide => (Cow::Borrowed(grapheme), wide),
    }
}

/// Cells of a grapheme.
#[must_use]
pub fn cells(grapheme: &str) -> usize {
    if matches!(grapheme.as_bytes(), [b' '..=b'~']) { 1 } else { glyph(grapheme).1 }
}

/// A row may end between these two.
fn opens(before: &str, after: &str) -> bool {
    if CLINGS.contains(after) {
        return false;
    }
    match before {
        " " | "-" | "/" => after != " ",
        _ => after != " " && (cells(before) > 1 || cells(after) > 1),
    }
}

/// Bytes after which the next row begins; `None`: the rest of the line fits. A blank that does not fit hangs over the
/// edge, and the next row begins behind it, even if nothing stands there yet: the cursor does.
fn next_row(line: &str, width: usize) -> Option<usize> {
    let (mut used, mut last, mut before) = (0, 0, "");
    for (at, grapheme) in Graphemes::of(line) {
        if at > 0 && opens(before, grapheme) {
            last = at;
        }
        let wide = cells(grapheme);
        if used + wide > width {
            return match (grapheme, last, at) {
                (" ", _, 1..) => Some(at + 1),
                (_, 1.., _) => Some(last),
                (_, _, 1..) => Some(at),
                // Wider than a whole row: it has one to itself.
                _ => Some(grapheme.len()).filter(|end| *end < line.len()),
            };
        }
        used += wide;
        before = grapheme;
    }
    None
}

/// The graphemes of a text with their offsets; plain ASCII goes the short way.
struct Graphemes<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Graphemes<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }
}

impl<'a> Iterator for Graphemes<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.text[self.at..];
        let length = match rest.as_bytes() {
            [] => return None,
            // Between two of these there is always a boundary.
            [b' '..=b'~'] | [b' '..=b'~', b' '..=b'~', ..] => 1,
            _ => rest.graphemes(true).next()?.len(),
        };
        let at = self.at;
        self.at += length;
        Some((at, &rest[..length]))
    }
}

/// Where the rows begin. There is always a first one, at 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rows {
    starts: Vec<usize>,
    width: usize,
}

impl Rows {
    /// Lays a text out in rows of so many cells.
    pub(super) fn lay(text: &str, width: usize) -> Self {
        let mut rows = Self { starts: vec![0], width: width.max(1) };
        rows.go_on(text, |_| None);
        rows
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn count(&self) -> usize {
        self.starts.len()
    }

    /// The row that shows what stands at this offset.
    pub(super) fn of(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// The bytes of a row, without the end of its line; empty beyond the last one.
    pub(super) fn range(&self, row: usize, text: &str) -> Range<usize> {
        let start = self.starts.get(row).copied().unwrap_or(text.len());
        let end = self.starts.get(row + 1).copied().unwrap_or(text.len());
        let hard = end > start && text.as_bytes().get(end - 1) == Some(&b'\n');
        start..if hard { end - 1 } else { end }
    }

    /// The line goes on in the next row.
    pub(super) fn is_soft(&self, row: usize, text: &str) -> bool {
        self.starts.get(row + 1).is_some_and(|next| text.as_bytes().get(next - 1) != Some(&b'\n'))
    }

    /// At `at`, `removed` bytes were replaced by `added` ones; `text` is the text after that.
    pub(super) fn edited(&mut self, text: &str, at: usize, removed: usize, added: usize) {
        // What is changed in a row can change where the one before it ends, and where that begins, but no more.
        let first = self.of(at).saturating_sub(2);
        let old = self.starts.split_off(first + 1);
        let fresh = at + added;
        // Behind the change the old rows are right again as soon as one of them begins where a new one does.
        let mut from = 0;
        let met = self.go_on(text, |start| {
            let before = (start >= fresh).then(|| start - added + removed)?;
            from += old[from..].partition_point(|old| *old < before);
            (old.get(from) == Some(&before)).then_some(())
        });
        if met {
            self.starts.extend(old[from + 1..].iter().map(|start| start - removed + added));
        }
    }

    /// Lays out what follows the last row that is known, until `met` knows the rest. Says whether it did.
    fn go_on(&mut self, text: &str, mut met: impl FnMut(usize) -> Option<()>) -> bool {
        let Some(mut at) = self.starts.last().copied() else { return false };
        loop {
            let line = text[at..].find('\n').map_or(text.len(), |end| at + end);
            let mut row = at;
            while let Some(length) = next_row(&text[row..line], self.width) {
                row += length;
                self.starts.push(row);
                if met(row).is_some() {
                    return true;
                }
            }
            if line == text.len() {
                return false;
            }
            at = line + 1;
            self.starts.push(at);
            if met(at).is_some() {
                return true;
            }
        }
    }
}

/// The offset in a row of text at which a column lies, at most at its end.
pub(super) fn at_column(row: &str, column: usize) -> usize {
    let mut used = 0;
    for (at, grapheme) in Graphemes::of(row) {
        used += cells(grapheme);
        if used > column {
            return at;
        }
    }
    row.len()
}

/// Cells of a text.
pub(super) fn width(text: &str) -> usize {
    Graphemes::of(text).map(|(_, grapheme)| cells(grapheme)).sum()
}

/// The graphemes of a row as they are drawn: offset, glyph, cells.
pub fn glyphs(row: &str) -> impl Iterator<Item = (usize, Cow<'_, str>, usize)> {
    Graphemes::of(row).map(|(at, grapheme)| {
        let (glyph, cells) = glyph(grapheme);
        (at, glyph, cells)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(text: &str, width: usize) -> Vec<&str> {
        let rows = Rows::lay(text, width);
        (0..rows.count()).map(|row| &text[rows.range(row, text)]).collect()
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(rows("a fox in snow", 6), ["a fox ", "in ", "snow"]);
        assert_eq!(rows("", 6), [""]);
        assert_eq!(rows("a\n\nb\n", 6), ["a", "", "b", ""]);
        assert_eq!(rows("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(rows("sun-lit a/b", 5), ["sun-", "lit ", "a/b"]);
        assert_eq!(rows("abc ", 3), ["abc ", ""], "the cursor stands in a row of its own");
        assert_eq!(rows("abc", 3), ["abc"]);
    }

    #[test]
    fn wide_and_joined_characters_stay_whole() {
        assert_eq!(rows("雪の中の狐。", 5), ["雪の", "中の", "狐。"]);
        assert_eq!(rows("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 4), ["👩‍👩‍👧👩‍👩‍👧", "👩‍👩‍👧"]);
        assert_eq!(rows("e\u{301}e\u{301}e\u{301}", 2), ["e\u{301}e\u{301}", "e\u{301}"]);
        assert_eq!(rows("狐狐", 1), ["狐", "狐"], "a row that is too narrow for anything still ends");
    }

    #[test]
    fn nothing_is_invisible_and_nothing_steers() {
        assert_eq!(glyph("\u{1b}"), (Cow::Borrowed("\u{fffd}"), 1));
        assert_eq!(glyph("\t"), (Cow::Borrowed(" "), 1));
        assert_eq!(glyph("\u{301}"), (Cow::Owned("\u{25cc}\u{301}".into()), 1));
        assert_eq!(glyph("👩‍👩‍👧").1, 2);
        assert_eq!(at_column("狐a", 1), 0);
        assert_eq!(at_column("狐a", 2), 3);
    }

    proptest! {
        /// What is laid out edit by edit is what would be laid out at once.
        #[test]
        fn edits_and_a_fresh_start_agree(
            width in 1usize..9,
            edits in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..6, "[ab \\-\n狐é\u{301}🦊\u{200d}\u{fe0f}☀]{0,9}"), 1..12),
        ) {
            let mut text = String::new();
            let mut rows = Rows::lay(&text, width);
            for (place, length, added) in edits {
                let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
                let from = place.index(places.len());
                let (at, end) = (places[from], places[(from + length).min(places.len() - 1)]);
                text.replace_range(at..end, &added);
                rows.edited(&text, at, end - at, added.len());
                prop_assert_eq!(&rows, &Rows::lay(&text, width), "{:?}", text);
            }
        }
    }
}
