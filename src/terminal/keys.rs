//! From the bytes of one key to crossterm's event, through termina's parser.
//!
//! Forms that termina does not know are rewritten into ones it does: keypad keys and modified keys
//! in SS3 form, xterm's `modifyOtherKeys`, rxvt's suffixes.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyEventState, KeyModifiers};
use termina::Parser;
use termina::event as from;

/// The reader of keys. Holds no state between keys.
#[derive(Debug)]
pub(super) struct Keys {
    parser: Parser,
    /// The Backspace key of this terminal sends Ctrl-H.
    backspace_is_ctrl_h: bool,
}

impl Keys {
    pub(super) fn new(backspace_is_ctrl_h: bool) -> Self {
        Self { parser: Parser::default(), backspace_is_ctrl_h }
    }

    /// The key that `bytes` stand for; `None` for unknown ones and for releases.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<KeyEvent> {
        if self.backspace_is_ctrl_h {
            match bytes {
                [0x08] => return Some(KeyEvent::new(KeyCode::Backspace, KeyModifiers::NONE)),
                [0x1b, 0x08] => return Some(KeyEvent::new(KeyCode::Backspace, KeyModifiers::ALT)),
                _ => {}
            }
        }
        match bytes {
            // Alt with a letter that begins other sequences.
            [0x1b, letter @ (b'[' | b']' | b'O' | b'P' | b'_')] => {
                let mut modifiers = KeyModifiers::ALT;
                modifiers.set(KeyModifiers::SHIFT, letter.is_ascii_uppercase());
                Some(KeyEvent::new(KeyCode::Char(char::from(*letter)), modifiers))
            }
            [0x1b, b'O', body @ .., last] => self.ss3(body, *last),
            [0x1b, b'[', body @ .., last] => self.csi(body, *last),
            _ => self.parse(bytes),
        }
    }

    fn ss3(&mut self, body: &[u8], last: u8) -> Option<KeyEvent> {
        if !body.is_empty() {
            // ESC O 5 A, or ESC O 1 ; 5 A: the modifier is what stands last.
            let modifier = body.rsplit(|byte| *byte == b';').next()?;
            return self.parse(&[b"\x1b[1;", modifier, &[last]].concat());
        }
        let code = match last {
            b'M' => KeyCode::Enter,
            b'I' => KeyCode::Tab,
            b'X' => KeyCode::Char('='),
            b'j'..=b'y' => KeyCode::Char(char::from(last - b'j' + b'*')),
            _ => return self.parse(&[0x1b, b'O', last]),
        };
        Some(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn csi(&mut self, body: &[u8], last: u8) -> Option<KeyEvent> {
        let fields: Vec<&[u8]> = body.split(|byte| *byte == b';').collect();
        match (&fields[..], last) {
            ([b"27", modifiers, code], b'~') => self.parse(&[b"\x1b[", *code, b";", modifiers, b"u"].concat()),
            // termina takes it for a cursor position.
            ([b"1", modifiers], b'R') => self.parse(&[b"\x1b[13;", *modifiers, b"~"].concat()),
            ([number], b'^' | b'@') => {
                let modifiers: &[u8] = if last == b'^' { b"5" } else { b"6" };
                self.parse(&[b"\x1b[", *number, b";", modifiers, b"~"].concat())
            }
            ([b""], b'a'..=b'd') => self.parse(&[b"\x1b[1;2", &[last - 32][..]].concat()),
            _ => self.parse(&[b"\x1b[", body, &[last]].concat()),
        }
    }

    fn parse(&mut self, bytes: &[u8]) -> Option<KeyEvent> {
        self.parser.parse(bytes, false);
        let event = self.parser.pop();
        let clean = event.is_some() && self.parser.pop().is_none();
        if !clean {
            // Not understood, or half of it: nothing of it may stick to the next key.
            self.parser = Parser::default();
        }
        match event? {
            termina::Event::Key(key) if clean => convert(key),
            _ => None,
        }
    }
}

fn convert(key: from::KeyEvent) -> Option<KeyEvent> {
    if key.kind == from::KeyEventKind::Release {
        return None;
    }
    let pairs = [
        (from::Modifiers::SHIFT, KeyModifiers::SHIFT),
        (from::Modifiers::ALT, KeyModifiers::ALT),
        (from::Modifiers::CONTROL, KeyModifiers::CONTROL),
        (from::Modifiers::SUPER, KeyModifiers::SUPER),
        (from::Modifiers::HYPER, KeyModifiers::HYPER),
        (from::Modifiers::META, KeyModifiers::META),
    ];
    let mut modifiers = KeyModifiers::NONE;
    for (theirs, ours) in pairs {
        modifiers.set(ours, key.modifiers.contains(theirs));
    }
    let mut state = KeyEventState::NONE;
    state.set(KeyEventState::KEYPAD, key.state.contains(from::KeyEventState::KEYPAD));
    Some(KeyEvent {
        code: code(key.code)?,
        modifiers,
        // Repeats are presses: nothing here asks the terminal to tell them apart.
        kind: KeyEventKind::Press,
        state,
    })
}

fn code(code: from::KeyCode) -> Option<KeyCode> {
    Some(match code {
        from::KeyCode::Char(letter) if letter.is_control() => return None,
        from::KeyCode::Char(letter) => KeyCode::Char(letter),
        from::KeyCode::Enter => KeyCode::Enter,
        from::KeyCode::Backspace => KeyCode::Backspace,
        from::KeyCode::Tab => KeyCode::Tab,
        from::KeyCode::Escape => KeyCode::Esc,
        from::KeyCode::Left => KeyCode::Left,
        from::KeyCode::Right => KeyCode::Right,
        from::KeyCode::Up => KeyCode::Up,
        from::KeyCode::Down => KeyCode::Down,
        from::KeyCode::Home => KeyCode::Home,
        from::KeyCode::End => KeyCode::End,
        from::KeyCode::BackTab => KeyCode::BackTab,
        from::KeyCode::PageUp => KeyCode::PageUp,
        from::KeyCode::PageDown => KeyCode::PageDown,
        from::KeyCode::Insert => KeyCode::Insert,
        from::KeyCode::Delete => KeyCode::Delete,
        from::KeyCode::KeypadBegin => KeyCode::KeypadBegin,
        from::KeyCode::CapsLock => KeyCode::CapsLock,
        from::KeyCode::ScrollLock => KeyCode::ScrollLock,
        from::KeyCode::NumLock => KeyCode::NumLock,
        from::KeyCode::PrintScreen => KeyCode::PrintScreen,
        from::KeyCode::Pause => KeyCode::Pause,
        from::KeyCode::Menu => KeyCode::Menu,
        from::KeyCode::Null => KeyCode::Null,
        from::KeyCode::Function(number) => KeyCode::F(number),
        // Modifiers by themselves and media keys have no use here.
        from::KeyCode::Modifier(_) | from::KeyCode::Media(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: KeyModifiers = KeyModifiers::NONE;
    const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
    const ALT: KeyModifiers = KeyModifiers::ALT;
    const CTRL: KeyModifiers = KeyModifiers::CONTROL;

    #[test]
    fn keys_of_xterm_kitty_and_the_console() {
        use KeyCode::{
            BackTab, Backspace, Char, Delete, Down, End, Enter, Esc, F, Home, Insert, Left, PageDown, PageUp, Right,
            Tab, Up,
        };
        let table: &[(&[u8], KeyCode, KeyModifiers)] = &[
            (b"a", Char('a'), NONE),
            (b"A", Char('A'), SHIFT),
            ("é".as_bytes(), Char('é'), NONE),
            ("🦊".as_bytes(), Char('🦊'), NONE),
            (b"\x01", Char('a'), CTRL),
            (b"\x03", Char('c'), CTRL),
            (b"\0", Char(' '), CTRL),
            (b"\x0a", Char('j'), CTRL),
            (b"\x08", Char('h'), CTRL),
            (b"\x1bx", Char('x'), ALT),
            (b"\x1bX", Char('X'), ALT.union(SHIFT)),
            (b"\x1b[", Char('['), ALT),
            (b"\x1bO", Char('O'), ALT.union(SHIFT)),
            ("\x1bé".as_bytes(), Char('é'), ALT),
            (b"\x1b\x01", Char('a'), ALT.union(CTRL)),
            (b"\r", Enter, NONE),
            (b"\x1b\r", Enter, ALT),
            (b"\x1bOM", Enter, NONE),
            (b"\x1b[13;5u", Enter, CTRL),
            (b"\x1b[13;2u", Enter, SHIFT),
            (b"\x1b[27;5;13~", Enter, CTRL),
            (b"\x1b[27;6;65~", Char('A'), CTRL.union(SHIFT)),
            (b"\x1b[57414;5u", Enter, CTRL),
            (b"\t", Tab, NONE),
            (b"\x1b[Z", BackTab, SHIFT),
            (b"\x1b[9;2u", BackTab, SHIFT),
            (b"\x7f", Backspace, NONE),
            (b"\x1b\x7f", Backspace, ALT),
            (b"\x1b[127;5u", Backspace, CTRL),
            (b"\x1b", Esc, NONE),
            (b"\x1b[27u", Esc, NONE),
            (b"\x1b[97;5u", Char('a'), CTRL),
            (b"\x1b[97;7u", Char('a'), CTRL.union(ALT)),
            (b"\x1b[A", Up, NONE),
            (b"\x1b[B", Down, NONE),
            (b"\x1b[C", Right, NONE),
            (b"\x1b[D", Left, NONE),
            (b"\x1bOA", Up, NONE),
            (b"\x1bOD", Left, NONE),
            (b"\x1b[1;2A", Up, SHIFT),
            (b"\x1b[1;3B", Down, ALT),
            (b"\x1b[1;5C", Right, CTRL),
            (b"\x1b[1;6D", Left, CTRL.union(SHIFT)),
            (b"\x1bO5C", Right, CTRL),
            (b"\x1b[a", Up, SHIFT),
            (b"\x1b[H", Home, NONE),
            (b"\x1b[F", End, NONE),
            (b"\x1bOH", Home, NONE),
            (b"\x1b[1~", Home, NONE),
            (b"\x1b[4~", End, NONE),
            (b"\x1b[7~", Home, NONE),
            (b"\x1b[8~", End, NONE),
            (b"\x1b[1;5H", Home, CTRL),
            (b"\x1b[1;2F", End, SHIFT),
            (b"\x1b[2~", Insert, NONE),
            (b"\x1b[3~", Delete, NONE),
            (b"\x1b[3;5~", Delete, CTRL),
            (b"\x1b[5~", PageUp, NONE),
            (b"\x1b[6~", PageDown, NONE),
            (b"\x1b[5;3~", PageUp, ALT),
            (b"\x1b[6^", PageDown, CTRL),
            (b"\x1bOP", F(1), NONE),
            (b"\x1bOQ", F(2), NONE),
            (b"\x1bOR", F(3), NONE),
            (b"\x1bOS", F(4), NONE),
            (b"\x1b[P", F(1), NONE),
            (b"\x1b[11~", F(1), NONE),
            (b"\x1b[13~", F(3), NONE),
            (b"\x1b[1;2P", F(1), SHIFT),
            (b"\x1b[1;5R", F(3), CTRL),
            (b"\x1b[1;3S", F(4), ALT),
            (b"\x1b[15~", F(5), NONE),
            (b"\x1b[17~", F(6), NONE),
            (b"\x1b[18~", F(7), NONE),
            (b"\x1b[19~", F(8), NONE),
            (b"\x1b[20~", F(9), NONE),
            (b"\x1b[21~", F(10), NONE),
            (b"\x1b[23~", F(11), NONE),
            (b"\x1b[24~", F(12), NONE),
            (b"\x1b[24;5~", F(12), CTRL),
            (b"\x1b[[A", F(1), NONE),
            (b"\x1b[[E", F(5), NONE),
            (b"\x1bOj", Char('*'), NONE),
            (b"\x1bOp", Char('0'), NONE),
            (b"\x1bOy", Char('9'), NONE),
        ];
        let mut keys = Keys::new(false);
        for (bytes, code, modifiers) in table {
            let key = keys.read(bytes);
            let meant = KeyEvent::new(*code, *modifiers);
            let seen = key.map(|key| (key.code, key.modifiers, key.kind));
            let shown = String::from_utf8_lossy(bytes);
            assert_eq!(seen, Some((meant.code, meant.modifiers, meant.kind)), "{shown:?}");
        }
    }

    #[test]
    fn releases_and_nonsense_are_nothing() {
        let mut keys = Keys::new(false);
        let nothing: &[&[u8]] = &[
            b"\x1b[97;1:3u",
            b"\x1b[1;1:3A",
            b"\x1b[57441;2u",
            b"\x1b[999999999u",
            b"\x1b[;A~",
            b"\x1bOz",
            b"\x1b[[z",
            b"\xff",
        ];
        for bytes in nothing {
            assert_eq!(keys.read(bytes), None, "{bytes:?}");
            assert_eq!(keys.read(b"a").map(|key| key.code), Some(KeyCode::Char('a')));
        }
    }

    #[test]
    fn where_backspace_is_ctrl_h_it_is_backspace() {
        let mut keys = Keys::new(true);
        assert_eq!(keys.read(b"\x08").map(|key| key.code), Some(KeyCode::Backspace));
    }
}
