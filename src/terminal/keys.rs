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
