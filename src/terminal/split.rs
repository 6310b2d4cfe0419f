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
mod tests;
