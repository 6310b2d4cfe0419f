//! From bytes to what they mean to a terminal: letters, controls, sequences, strings. Bytes may come in any pieces.

/// One thing that a terminal acts upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A character to be shown.
    Text(char),
    /// A control character.
    Control(u8),
    /// `ESC` with what stands between, and the last byte.
    Escape(Vec<u8>, u8),
    /// `CSI …`.
    Csi(Csi),
    /// A device control string, without its frame.
    Dcs(Vec<u8>),
    /// An operating system command, without its frame.
    Osc(Vec<u8>),
    /// An application program command, without its frame.
    Apc(Vec<u8>),
    /// A string that another sequence cut short.
    Broken(usize),
}

/// A control sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Csi {
    /// `?`, `>`, `<` or `=`, or nothing.
    pub prefix: Option<u8>,
    /// The numbers; those joined by colons together. A number left out is `None`.
    pub numbers: Vec<Vec<Option<u32>>>,
    /// What stands before the last byte, such as `$`.
    pub between: Vec<u8>,
    /// The last byte.
    pub last: u8,
}

impl Csi {
    fn read(body: &[u8], last: u8) -> Self {
        let prefix = body.first().copied().filter(|byte| (b'<'..=b'?').contains(byte));
        let body = if prefix.is_some() { &body[1..] } else { body };
        let end = body.iter().position(|byte| (b' '..=b'/').contains(byte)).unwrap_or(body.len());
        let (parameters, between) = body.split_at(end);
        let number = |part: &[u8]| std::str::from_utf8(part).ok().and_then(|text| text.parse().ok());
        let numbers = match parameters {
            [] => Vec::new(),
            _ => parameters
                .split(|byte| *byte == b';')
                .map(|part| part.split(|byte| *byte == b':').map(number).collect())
                .collect(),
        };
        Self { prefix, numbers, between: between.to_vec(), last }
    }

    /// Number `at`, or what stands for one left out.
    pub fn number(&self, at: usize, default: u32) -> u32 {
        self.numbers.get(at).and_then(|parts| parts.first().copied().flatten()).unwrap_or(default)
    }

    /// A count: 0 and nothing are 1.
    pub fn count(&self, at: usize) -> u16 {
        u16::try_from(self.number(at, 1).max(1)).unwrap_or(u16::MAX)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Dcs,
    Osc,
    Apc,
    /// PM and SOS: nobody uses them.
    Other,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    Escape(Vec<u8>),
    Csi(Vec<u8>),
    String(Text, Vec<u8>),
    /// An ESC within a string.
    StringEscape(Text, Vec<u8>),
}

/// The reader. tmux reads strings in another way than terminals do.
#[derive(Debug, Default)]
pub struct Parser {
    state: State,
    letter: Vec<u8>,
    quoting: bool,
}

impl Parser {
    /// As tmux reads: within a device control string ESC takes the next byte as it is.
    pub fn of_tmux() -> Self {
        Self { quoting: true, ..Self::default() }
    }

    /// Takes bytes in; `take` gets what they mean.
    pub fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(Piece)) {
        for byte in bytes {
            self.byte(*byte, &mut take);
        }
    }

    /// Nothing is half read.
    pub fn at_rest(&self) -> bool {
        matches!(self.state, State::Ground) && self.letter.is_empty()
    }

    fn byte(&mut self, byte: u8, take: &mut impl FnMut(Piece)) {
        self.state = match std::mem::take(&mut self.state) {
            State::Ground => self.ground(byte, take),
            State::Escape(mut between) => match byte {
                b'[' if between.is_empty() => State::Csi(Vec::new()),
                b']' if between.is_empty() => State::String(Text::Osc, Vec::new()),
                b'P' if between.is_empty() => State::String(Text::Dcs, Vec::new()),
                b'_' if between.is_empty() => State::String(Text::Apc, Vec::new()),
                b'^' | b'X' if between.is_empty() => State::String(Text::Other, Vec::new()),
                0x20..=0x2f => {
                    between.push(byte);
                    State::Escape(between)
                }
                0x1b => State::Escape(Vec::new()),
                0x30..=0x7e => {
                    take(Piece::Escape(between, byte));
                    State::Ground
                }
                _ => State::Ground,
            },
            State::Csi(mut body) => match byte {
                0x20..=0x3f => {
                    body.push(byte);
                    State::Csi(body)
                }
                0x40..=0x7e => {
                    take(Piece::Csi(Csi::read(&body, byte)));
                    State::Ground
                }
                0x1b => State::Escape(Vec::new()),
                0x18 | 0x1a => State::Ground,
                _ => {
                    take(Piece::Control(byte));
                    State::Csi(body)
                }
            },
            State::String(text, mut body) => match byte {
                0x1b => State::StringEscape(text, body),
                0x07 if text == Text::Osc => {
                    take(Piece::Osc(body));
                    State::Ground
                }
                0x18 | 0x1a => {
                    take(Piece::Broken(body.len()));
                    State::Ground
                }
                _ => {
                    body.push(byte);
                    State::String(text, body)
                }
            },
            State::StringEscape(text, mut body) => {
                if byte == b'\\' {
                    match text {
                        Text::Dcs => take(Piece::Dcs(body)),
                        Text::Osc => take(Piece::Osc(body)),
                        Text::Apc => take(Piece::Apc(body)),
                        Text::Other => {}
                    }
                    State::Ground
                } else if text == Text::Dcs && self.quoting {
                    body.push(byte);
                    State::String(text, body)
                } else {
                    // Something new begins: what was there is not whole.
                    take(Piece::Broken(body.len()));
                    self.state = State::Escape(Vec::new());
                    self.byte(byte, take);
                    return;
                }
            }
        };
    }

    fn ground(&mut self, byte: u8, take: &mut impl FnMut(Piece)) -> State {
        if byte < 0x20 || byte == 0x7f {
            if !self.letter.is_empty() {
                self.letter.clear();
                take(Piece::Text('\u{fffd}'));
            }
            if byte == 0x1b {
                return State::Escape(Vec::new());
            }
            take(Piece::Control(byte));
            return State::Ground;
        }
        self.letter.push(byte);
        match std::str::from_utf8(&self.letter) {
            Ok(text) => {
                text.chars().for_each(|letter| take(Piece::Text(letter)));
                self.letter.clear();
            }
            Err(why) if why.error_len().is_some() => {
                self.letter.clear();
                take(Piece::Text('\u{fffd}'));
            }
            Err(_) => {}
        }
        State::Ground
    }
}
