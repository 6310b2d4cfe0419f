//! Answers and keys, told apart however the bytes are cut.

use proptest::prelude::*;

use super::*;

const KEYS: &[&[u8]] = &[
    b"a",
    b"\r",
    b"\x7f",
    b"\x03",
    b"[",
    b"\xc3\xa9",
    b"\xe2\x82\xac",
    b"\xf0\x9f\xa6\x8a",
    b"\x1bx",
    b"\x1b\r",
    b"\x1b\xc3\xa9",
    b"\x1b[A",
    b"\x1b[1;5C",
    b"\x1b[3~",
    b"\x1b[[B",
    b"\x1bOP",
    b"\x1b[13;5u",
    b"\x1b[1;2R",
    b"\x1b[27;5;13~",
];
const ANSWERS: &[&[u8]] = &[
    b"\x1b[?62;4c",
    b"\x1bP>|kitty(0.41.1)\x1b\\",
    b"\x1b_Gi=31;OK\x1b\\",
    b"\x1b_Gi=31;ENOENT:some [text]\x1b\\",
    b"\x1b[6;20;10t",
    b"\x1b[8;40;120t",
    b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
    b"\x1b]10;rgb:ff/ff/ff\x07",
    b"\x1b[?2026;2$y",
    b"\x1b[?2;0;800;600S",
    b"\x1b[?1u",
    b"\x1b[0n",
    b"\x1b[>1;4000;41c",
    b"\x1b[?997;1n",
    b"\x1b[24;80R",
    b"\x1b]52;c;aGVsbG8=\x07",
];

fn keys(tokens: &[Token]) -> Vec<Vec<u8>> {
    let key = |token: &Token| match token {
        Token::Key(bytes) => Some(bytes.clone()),
        _ => None,
    };
    tokens.iter().filter_map(key).collect()
}

/// Feeds `pieces` with a pause of `gap` between them.
fn read<'a>(splitter: &mut Splitter, pieces: impl Iterator<Item = &'a [u8]>, gap: Duration) -> Vec<Token> {
    let mut out = Vec::new();
    for piece in pieces {
        for byte in piece {
            splitter.feed(*byte, &mut out);
        }
        if splitter.patience().is_some_and(|patience| patience <= gap) {
            splitter.expire(&mut out);
        }
    }
    out
}

proptest! {
    #[test]
    fn answers_never_change_the_keys(
        stream in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..40),
        cuts in prop::collection::vec(1_usize..9, 1..40),
        // A question was asked, and the line stutters; or nothing is expected, and it does less.
        (asked, gap) in prop_oneof![Just((true, 150)), Just((false, 20))],
    ) {
        let mut bytes = Vec::new();
        let mut meant = Vec::new();
        for (key, which) in &stream {
            if *key {
                let key = which.get(KEYS);
                meant.push(key.to_vec());
                bytes.extend(*key);
            } else {
                bytes.extend(*which.get(ANSWERS));
            }
        }
        let mut cuts = cuts.iter().cycle();
        let mut pieces = Vec::new();
        let mut left = &bytes[..];
        while !left.is_empty() {
            let (piece, rest) = left.split_at(left.len().min(*cuts.next().unwrap()));
            pieces.push(piece);
            left = rest;
        }
        let mut splitter = Splitter::new(100);
        splitter.expect(asked);
        let tokens = read(&mut splitter, pieces.into_iter(), Duration::from_millis(gap));
        prop_assert_eq!(keys(&tokens), meant);
        prop_assert_eq!(splitter.patience(), None);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut splitter = Splitter::new(100);
        let tokens = read(&mut splitter, bytes.chunks(7), Duration::from_millis(10));
        let mut reader = crate::terminal::keys::Keys::new(false);
        for key in keys(&tokens) {
            let _ = reader.read(&key);
        }
    }

    #[test]
    fn odd_sequences_are_survived(text in "(\x1b(\\[|O|\\[\\[)[0-9;:?<>]{0,8}[ -~]){1,6}") {
        let mut splitter = Splitter::new(100);
        let tokens = read(&mut splitter, std::iter::once(text.as_bytes()), Duration::ZERO);
        let mut reader = crate::terminal::keys::Keys::new(true);
        for key in keys(&tokens) {
            let _ = reader.read(&key);
        }
    }
}

#[test]
fn a_lone_escape_is_a_key_after_a_while() {
    let mut splitter = Splitter::new(100);
    let mut out = Vec::new();
    splitter.feed(ESC, &mut out);
    assert!(out.is_empty());
    assert_eq!(splitter.patience(), Some(Duration::from_millis(25)));
    splitter.expire(&mut out);
    splitter.feed(b'[', &mut out);
    assert_eq!(keys(&out), [b"\x1b", b"["]);
}

#[test]
fn an_answer_torn_after_its_escape_is_swallowed_while_expected() {
    for answer in ANSWERS {
        let mut splitter = Splitter::new(100);
        splitter.expect(true);
        let second = Duration::from_millis(999);
        let tokens = read(&mut splitter, answer.chunks(1), second);
        // The escape byte itself is past help.
        assert!(keys(&tokens).iter().all(|key| key == b"\x1b"), "{answer:?}");
    }
}

#[test]
fn what_only_looked_like_an_answer_is_typed_text() {
    let mut splitter = Splitter::new(100);
    splitter.expect(true);
    let mut out = Vec::new();
    splitter.feed(ESC, &mut out);
    splitter.expire(&mut out);
    splitter.feed(b'_', &mut out);
    splitter.expire(&mut out);
    assert_eq!(keys(&out), [b"\x1b", b"_"]);
}

#[test]
fn alt_with_a_bracket_is_a_key() {
    for letter in [b'[', b']', b'P', b'_', b'O'] {
        let mut splitter = Splitter::new(100);
        let mut out = Vec::new();
        splitter.feed(ESC, &mut out);
        splitter.feed(letter, &mut out);
        splitter.expire(&mut out);
        assert_eq!(keys(&out), [[ESC, letter]]);
    }
}

#[test]
fn an_answer_that_never_ends_is_given_up() {
    for start in [&b"\x1b_Gi=3"[..], b"\x1b[?62;", b"\x1bP>|ki", b"\xe2\x82"] {
        let mut splitter = Splitter::new(100);
        let mut out = Vec::new();
        for byte in start {
            splitter.feed(*byte, &mut out);
        }
        assert!(splitter.patience().is_some_and(|wait| wait >= Duration::from_millis(500)));
        splitter.expire(&mut out);
        splitter.feed(b'q', &mut out);
        assert_eq!(keys(&out), [b"q"], "{start:?}");
    }
    let mut splitter = Splitter::new(100);
    let mut out = Vec::new();
    let endless = [&b"\x1b]0;"[..], &[b'x'; 100_000], b"\x07q"].concat();
    for byte in endless {
        splitter.feed(byte, &mut out);
        assert!(splitter.held.len() <= MOST_TEXT);
    }
    assert_eq!(keys(&out), [b"q"]);
}

#[test]
fn pastes_are_whole_and_bounded() {
    let paste = |text: &[u8], cut: usize| {
        let mut splitter = Splitter::new(10_000);
        let bytes = [b"\x1b[200~", text, b"\x1b[201~q"].concat();
        let tokens = read(&mut splitter, bytes.chunks(cut), Duration::from_millis(20));
        assert_eq!(keys(&tokens), [b"q"]);
        match &tokens[0] {
            Token::Paste(bytes, cut) => (bytes.clone(), *cut),
            other => panic!("{other:?}"),
        }
    };
    for cut in [1, 3, 4096] {
        assert_eq!(paste(b"a\x1b[Ab\x1b[0nc", cut), (b"a\x1b[Ab\x1b[0nc".to_vec(), 0));
        assert_eq!(paste(b"", cut), (Vec::new(), 0));
        for length in [9_999, 10_000, 10_001, 14_090, 14_096, 14_097, 50_000] {
            let (text, more) = paste(&vec![b'x'; length], cut);
            assert_eq!(text.len(), length.min(10_000));
            assert_eq!(more, length.saturating_sub(10_000));
        }
    }
}
