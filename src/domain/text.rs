//! Foreign text made harmless. Everything that came from a server, a file or a user passes through here before
//! it reaches a terminal: the screen, the output of commands, the log.

use std::borrow::Cow;

/// Makes every character that could steer a terminal, or hide text, visible instead: controls, C1, line and
/// paragraph separators, bidirectional marks, zero-width and other format characters. Newlines and tabs become
/// one space each.
#[must_use]
pub fn one_line(text: &str) -> Cow<'_, str> {
    clean(text, false)
}

/// Like [`one_line`], but keeps newlines.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    clean(text, true)
}

fn clean(text: &str, keep_newlines: bool) -> Cow<'_, str> {
    if text.chars().all(|c| is_harmless(c) || (keep_newlines && c == '\n')) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' if keep_newlines => out.push('\n'),
            '\r' if keep_newlines => out.push('\n'),
            '\n' | '\r' | '\t' => out.push(' '),
            // The control pictures: U+2400 and up show which control it was.
            '\0'..='\u{1f}' => out.extend(char::from_u32(0x2400 + u32::from(c))),
            '\u{7f}' => out.push('\u{2421}'),
            // A joiner between two emoji is part of one picture; anything else that is invisible is not.
            '\u{200d}' if out.chars().next_back().is_some_and(|p| u32::from(p) > 0x2190) => out.push(c),
            c if is_harmless(c) => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    Cow::Owned(out)
}

/// Whether a character can be shown as it is: it neither steers a terminal nor hides text.
#[must_use]
pub fn is_harmless(c: char) -> bool {
    !matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Cuts text to at most `max` bytes on a character boundary, and says how much was left out.
#[must_use]
pub fn cut(text: &str, max: usize) -> Cow<'_, str> {
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    let end = text.floor_char_boundary(max);
    Cow::Owned(format!("{}… ({} bytes left out)", &text[..end], text.len() - end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_foreign_steers_the_terminal() {
        let nasty = "a\u{1b}[2Jb\u{9b}31mc\u{202e}d\u{7}e\r\nf\u{200b}g\u{1b}]52;c;x\u{7}";
        let safe = one_line(nasty);
        assert!(safe.chars().all(is_harmless), "{safe:?}");
        assert_eq!(one_line("tab\there\nnow"), "tab here now");
        assert_eq!(lines("a\r\nb\rc"), "a\nb\nc");
    }

    #[test]
    fn ordinary_text_is_not_copied() {
        assert!(matches!(one_line("größer 狐 \u{1F98A}"), Cow::Borrowed(_)));
        let family = "\u{1F468}\u{200d}\u{1F469}\u{200d}\u{1F467}";
        assert_eq!(one_line(family), family);
    }

    #[test]
    fn long_text_is_cut_on_a_boundary() {
        assert_eq!(cut("äöü", 3), "ä… (4 bytes left out)");
        assert_eq!(cut("abc", 3), "abc");
    }
}
