//! Cuts the terminal's input into keys, answers and pastes.
//!
//! A state machine fed byte by byte, so that it does not matter how input was cut into reads. It has
//! no clock: whoever feeds it asks [`Splitter::patience`] how long to wait for more, and calls
//! [`Splitter::expire`] when that time has passed.

use std::time::Duration;

use super::replies::{self, Class, Reply};

/// A lone escape byte becomes the Escape key after this.
const ESCAPE: Duration = Duration::from_millis(25);
/// The same while answers are outstanding that may come in pieces, those of fences among them.
const ESCAPE_EXPECTING: Duration = Duration::from_millis(200);
/// `ESC [` may be Alt-[, or an arrow key whose last byte is still on its way.
const PREFIX: Duration = Duration::from_millis(100);
/// A sequence that has begun in earnest is given this long, and then dropped.
const SEQUENCE: Duration = Duration::from_secs(1);
/// A paste whose end does not come. Until then its bytes must not become keys.
const PASTE: Duration = Duration::from_secs(10);

/// Longest control sequence, in bytes.
const MOST_CSI: usize = 256;
/// Longest string (OSC, DCS, APC) kept, in bytes; the rest is swallowed.
const MOST_TEXT: usize = 4096;

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
const PASTE_END: &[u8] = b"\x1b[201~";
/// Bytes beyond the limit that are looked through for the end marker at a time.
const PASTE_TAIL: usize = 4096;

/// A piece of input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// The bytes of one key, complete.
    Key(Vec<u8>),
    /// An answer.
    Reply(Reply),
    /// The window has the focus, or lost it.
    Focus(bool),
    /// Pasted bytes, and how many more there were.
    Paste(Vec<u8>, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Text {
    Osc,
    Dcs,
    Apc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ground,
    Escape,
    Csi,
    /// `ESC [ [`, a function key of the Linux console.
    Console,
    Ss3,
    /// In a string; true after an escape byte within it.
    Text(Text, bool),
    /// Bytes still missing of a character.
    Utf8(u8),
    /// Bytes still missing of an old mouse report.
    Mouse(u8),
    Paste,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Splitter {
    state: State,
    /// Bytes of the token at hand.
    held: Vec<u8>,
    /// Bytes of a paste that were not kept.
    cut: usize,
    /// True if answers are outstanding.
    expecting: bool,
    /// An escape byte was given away as a key though answers are outstanding: what follows may be
    /// the rest of one.
    orphan: bool,
    /// The token at hand began without its escape byte, see `orphan`.
    ghost: bool,
    most_paste: usize,
}

impl Splitter {
    pub(super) fn new(most_paste: usize) -> Self {
        Self {
            state: State::Ground,
            held: Vec::new(),
            cut: 0,
            expecting: false,
            orphan: false,
            ghost: false,
            most_paste,
        }
    }

    /// Tells whether answers are outstanding.
    pub(super) fn expect(&mut self, expecting: bool) {
        self.expecting = expecting;
        self.orphan &= expecting;
    }

    /// How long to wait for the rest of what has begun; `None` if nothing has.
    pub(super) fn patience(&self) -> Option<Duration> {
        let prefix = if self.expecting { SEQUENCE } else { PREFIX };
        match self.state {
            State::Ground => None,
            State::Escape if self.expecting => Some(ESCAPE_EXPECTING),
            State::Escape => Some(ESCAPE),
            State::Csi | State::Ss3 if self.held.len() == 2 => Some(prefix),
            State::Text(_, false) if self.held.len() == 2 => Some(prefix),
            State::Paste => Some(PASTE),
            _ => Some(SEQUENCE),
        }
    }

    /// The rest did not come.
    pub(super) fn expire(&mut self, out: &mut Vec<Token>) {
        match self.state {
            State::Ground => {}
            State::Escape => {
                out.push(Token::Key(vec![ESC]));
                self.orphan = self.expecting;
            }
            State::Csi | State::Ss3 | State::Text(_, false) if self.held.len() == 2 => {
                let from = usize::from(self.ghost);
                out.push(Token::Key(self.held[from..].to_vec()));
            }
            State::Paste => self.finish_paste(out),
            _ => {}
        }
        self.reset();
    }

    /// Takes one byte.
    pub(super) fn feed(&mut self, byte: u8, out: &mut Vec<Token>) {
        match self.state {
            State::Ground => self.ground(byte, out),
            State::Escape => self.escape(byte, out),
            State::Csi => self.csi(byte, out),
            State::Console => {
                self.held.push(byte);
                self.finish_key(out);
            }
            State::Ss3 => match byte {
                ESC => {
                    self.finish_key(out);
                    self.begin();
                }
                b'0'..=b'9' | b';' if self.held.len() < 8 => self.held.push(byte),
                0x20..=0x7e => {
                    self.held.push(byte);
                    self.finish_key(out);
                }
                _ => self.restart(byte, out),
            },
            State::Text(text, false) => match byte {
                ESC => self.state = State::Text(text, true),
                BEL => self.finish_text(text, out),
                0x18 | 0x1a => self.reset(),
                _ if self.held.len() < MOST_TEXT => self.held.push(byte),
                _ => {}
            },
            State::Text(text, true) => {
                if byte == b'\\' {
                    self.finish_text(text, out);
                } else {
                    // The string was broken off by a new sequence.
                    self.begin();
                    self.feed(byte, out);
                }
            }
            State::Utf8(missing) => {
                if byte & 0xc0 != 0x80 {
                    self.restart(byte, out);
                } else {
                    self.held.push(byte);
                    if missing > 1 {
                        self.state = State::Utf8(missing - 1);
                    } else {
                        self.finish_key(out);
                    }
                }
            }
            State::Mouse(missing) => {
                if missing > 1 {
                    self.state = State::Mouse(missing - 1);
                } else {
                    self.reset();
                }
            }
            State::Paste => {
                self.held.push(byte);
                if self.held.ends_with(PASTE_END) {
                    self.held.truncate(self.held.len() - PASTE_END.len());
                    self.finish_paste(out);
                    self.reset();
                } else if self.held.len() > self.most_paste + PASTE_TAIL {
                    // Keep the end of the tail, in which the end marker may be half arrived.
                    let gone = PASTE_TAIL - PASTE_END.len();
                    self.held.drain(self.most_paste..self.most_paste + gone);
                    self.cut += gone;
                }
            }
        }
    }

    fn ground(&mut self, byte: u8, out: &mut Vec<Token>) {
        let orphan = std::mem::take(&mut self.orphan);
        match byte {
            ESC => self.begin(),
            b'[' | b']' | b'P' | b'_' if orphan => {
                self.begin();
                self.ghost = true;
                self.escape(byte, out);
            }
            0x00..=0x7f => out.push(Token::Key(vec![byte])),
            _ => self.character(byte),
        }
    }

    fn escape(&mut self, byte: u8, out: &mut Vec<Token>) {
        self.held.push(byte);
        self.state = match byte {
            b'[' => State::Csi,
            b'O' => State::Ss3,
            b']' => State::Text(Text::Osc, false),
            b'P' => State::Text(Text::Dcs, false),
            b'_' => State::Text(Text::Apc, false),
            ESC => {
                out.push(Token::Key(vec![ESC]));
                self.begin();
                return;
            }
            0x00..=0x7f => {
                self.finish_key(out);
                return;
            }
            _ => {
                self.held.pop();
                self.character(byte);
                return;
            }
        };
    }

    /// The first byte of a character beyond ASCII; what cannot be one is dropped.
    fn character(&mut self, byte: u8) {
        let missing = match byte {
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => return self.reset(),
        };
        self.held.push(byte);
        self.state = State::Utf8(missing);
    }

    fn csi(&mut self, byte: u8, out: &mut Vec<Token>) {
        match byte {
            b'[' if self.held.len() == 2 => {
                self.held.push(byte);
                self.state = State::Console;
            }
            0x20..=0x3f => {
                if self.held.len() < MOST_CSI {
                    self.held.push(byte);
                }
            }
            0x40..=0x7e => {
                let whole = self.held.len() < MOST_CSI;
                let class = replies::csi(&self.held[2..], byte);
                match class {
                    _ if !whole => self.reset(),
                    Class::Key => {
                        self.held.push(byte);
                        self.finish_key(out);
                    }
                    Class::Reply(reply) => {
                        out.push(Token::Reply(reply));
                        self.reset();
                    }
                    Class::Focus(focus) => {
                        out.push(Token::Focus(focus));
                        self.reset();
                    }
                    Class::Nothing => self.reset(),
                    Class::Mouse => self.state = State::Mouse(3),
                    Class::Paste => {
                        self.held.clear();
                        self.cut = 0;
                        self.state = State::Paste;
                    }
                }
            }
            ESC => self.begin(),
            _ => self.restart(byte, out),
        }
    }

    fn finish_key(&mut self, out: &mut Vec<Token>) {
        out.push(Token::Key(std::mem::take(&mut self.held)));
        self.reset();
    }

    fn finish_text(&mut self, text: Text, out: &mut Vec<Token>) {
        let body = &self.held[2..];
        let reply = match text {
            _ if self.held.len() >= MOST_TEXT => None,
            Text::Osc => replies::osc(body),
            Text::Dcs => replies::dcs(body),
            Text::Apc => replies::apc(body),
        };
        out.extend(reply.map(Token::Reply));
        self.reset();
    }

    fn finish_paste(&mut self, out: &mut Vec<Token>) {
        let mut text = std::mem::take(&mut self.held);
        let more = text.len().saturating_sub(self.most_paste);
        text.truncate(self.most_paste);
        out.push(Token::Paste(text, self.cut + more));
        self.cut = 0;
    }

    /// An escape byte came.
    fn begin(&mut self) {
        self.reset();
        self.held.push(ESC);
        self.state = State::Escape;
    }

    /// What was begun is given up, and the byte is looked at afresh.
    fn restart(&mut self, byte: u8, out: &mut Vec<Token>) {
        self.reset();
        self.feed(byte, out);
    }

    fn reset(&mut self) {
        self.state = State::Ground;
        self.held.clear();
        self.ghost = false;
    }
}

#[cfg(test)]
mod tests {
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
}
