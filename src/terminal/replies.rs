//! What a terminal may answer, read from the sequences that are no keys.

/// An answer of the terminal to a question of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Primary device attributes, `CSI ? … c`. 4 among them means sixel. Every terminal answers
    /// this, so it is asked last and closes the round.
    Attributes(Vec<u16>),
    /// Name and version, `DCS > | … ST`; cleaned of control characters.
    Version(String),
    /// The answer to a kitty graphics command.
    Graphics {
        /// The picture's id.
        id: u32,
        /// True for `OK`.
        ok: bool,
    },
    /// Pixels of a cell (width, height), `CSI 6 ; h ; w t`.
    Cell(u16, u16),
    /// Pixels of the text area (width, height), `CSI 4 ; h ; w t`.
    Area(u16, u16),
    /// Cells of the text area (columns, rows), `CSI 8 ; r ; c t`.
    Cells(u16, u16),
    /// `CSI 0 n`: everything before the question has been taken in.
    Ready,
    /// A colour of the terminal, eight bits a channel.
    Colour(Layer, [u8; 3]),
    /// State of a private mode: 0 unknown, 1 set, 2 reset, 3 always set, 4 never.
    Mode(u16, u8),
    /// Size that sixel graphics may have (width, height), `CSI ? 2 ; 0 ; w ; h S`.
    SixelSize(u16, u16),
    /// Flags of the kitty keyboard protocol, thus known to the terminal.
    Keyboard(u16),
}

/// Which colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// Of text.
    Foreground,
    /// Behind text.
    Background,
}

/// What a control sequence turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// To be read as a key.
    Key,
    /// An answer.
    Reply(Reply),
    /// Neither, or of no use.
    Nothing,
    /// The window has the focus, or lost it.
    Focus(bool),
    /// Pasted text follows.
    Paste,
    /// Three raw bytes of an old mouse report follow.
    Mouse,
}

/// Judges `CSI body last`.
pub(super) fn csi(body: &[u8], last: u8) -> Class {
    let reply = |reply: Option<Reply>| reply.map_or(Class::Nothing, Class::Reply);
    match (body.first(), last) {
        (Some(b'?'), b'c') => reply(Some(Reply::Attributes(numbers(&body[1..])))),
        (Some(b'?'), b'u') => reply(match numbers(&body[1..])[..] {
            [flags] => Some(Reply::Keyboard(flags)),
            _ => None,
        }),
        (Some(b'?'), b'y') => {
            let body = body[1..].strip_suffix(b"$").unwrap_or_default();
            reply(match numbers(body)[..] {
                [mode, state] => Some(Reply::Mode(mode, state.min(255) as u8)),
                _ => None,
            })
        }
        (Some(b'?'), b'S') => reply(match numbers(&body[1..])[..] {
            [2, 0, width, height] => Some(Reply::SixelSize(width, height)),
            _ => None,
        }),
        (Some(b'?' | b'>' | b'<' | b'='), _) => Class::Nothing,
        (_, b't') => reply(match numbers(body)[..] {
            [4, height, width] => Some(Reply::Area(width, height)),
            [6, height, width] => Some(Reply::Cell(width, height)),
            [8, rows, columns] => Some(Reply::Cells(columns, rows)),
            _ => None,
        }),
        (_, b'n') => reply((body == b"0").then_some(Reply::Ready)),
        // Shift-F3 of old, or a cursor position: which we never ask for.
        (_, b'R') => match numbers(body)[..] {
            [1, 2..=16] => Class::Key,
            _ => Class::Nothing,
        },
        (None, b'I') => Class::Focus(true),
        (None, b'O') => Class::Focus(false),
        (None, b'M') => Class::Mouse,
        (_, b'~') if body == b"200" => Class::Paste,
        (_, b'M' | b'c' | b'x' | b'y' | b'q' | b'p' | b'w') => Class::Nothing,
        _ => Class::Key,
    }
}

/// Reads the text of a device control string, without its frame.
pub(super) fn dcs(body: &[u8]) -> Option<Reply> {
    let name = body.strip_prefix(b">|")?;
    let name: String = String::from_utf8_lossy(name).chars().filter(|letter| !letter.is_control()).take(100).collect();
    Some(Reply::Version(name))
}

/// Reads the text of an application program command, without its frame.
pub(super) fn apc(body: &[u8]) -> Option<Reply> {
    let text = std::str::from_utf8(body.strip_prefix(b"G")?).ok()?;
    let (keys, message) = text.split_once(';')?;
    let id = keys.split(',').find_map(|key| key.strip_prefix("i="))?;
    Some(Reply::Graphics { id: id.parse().ok()?, ok: message == "OK" })
}

/// Reads the text of an operating system command, without its frame.
pub(super) fn osc(body: &[u8]) -> Option<Reply> {
    let (number, colour) = std::str::from_utf8(body).ok()?.split_once(';')?;
    let layer = match number {
        "10" => Layer::Foreground,
        "11" => Layer::Background,
        _ => return None,
    };
    let parts = colour.strip_prefix("rgb:").or_else(|| colour.strip_prefix("rgba:"))?;
    let mut channels = parts.split('/').map(channel);
    let rgb = [channels.next()??, channels.next()??, channels.next()??];
    Some(Reply::Colour(layer, rgb))
}

/// One to four hexadecimal digits, scaled to eight bits.
fn channel(digits: &str) -> Option<u8> {
    let value = u32::from_str_radix(digits, 16).ok()?;
    let most = match digits.len() {
        1 => 0xf,
        2 => 0xff,
        3 => 0xfff,
        4 => 0xffff,
        _ => return None,
    };
    Some((value * 255 / most) as u8)
}

/// Numbers between semicolons; what is none is left out, what is too large is cut.
fn numbers(body: &[u8]) -> Vec<u16> {
    body.split(|byte| *byte == b';')
        .filter(|part| !part.is_empty() && part.iter().all(u8::is_ascii_digit))
        .map(|part| {
            part.iter().fold(0_u16, |value, digit| value.saturating_mul(10).saturating_add(u16::from(digit - b'0')))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_as_measured() {
        let attributes = vec![63, 1, 2, 4, 6, 9, 15, 16, 22, 28];
        assert_eq!(csi(b"?63;1;2;4;6;9;15;16;22;28", b'c'), Class::Reply(Reply::Attributes(attributes)));
        assert_eq!(csi(b"?62;", b'c'), Class::Reply(Reply::Attributes(vec![62])));
        assert_eq!(csi(b"6;20;10", b't'), Class::Reply(Reply::Cell(10, 20)));
        assert_eq!(csi(b"?2026;2$", b'y'), Class::Reply(Reply::Mode(2026, 2)));
        assert_eq!(csi(b"?2;0;800;600", b'S'), Class::Reply(Reply::SixelSize(800, 600)));
        assert_eq!(csi(b"?2;3;0", b'S'), Class::Nothing);
        assert_eq!(csi(b"0", b'n'), Class::Reply(Reply::Ready));
        assert_eq!(csi(b">1;4000;41", b'c'), Class::Nothing);
        assert_eq!(csi(b"12;40", b'R'), Class::Nothing);
        assert_eq!(csi(b"1;5", b'R'), Class::Key);
        assert_eq!(dcs(b">|kitty(0.41.1)"), Some(Reply::Version("kitty(0.41.1)".into())));
        assert_eq!(apc(b"Gi=31;OK"), Some(Reply::Graphics { id: 31, ok: true }));
        assert_eq!(apc(b"Gi=31;EINVAL:no"), Some(Reply::Graphics { id: 31, ok: false }));
        assert_eq!(osc(b"11;rgb:1e1e/ffff/0000"), Some(Reply::Colour(Layer::Background, [0x1e, 0xff, 0])));
        assert_eq!(osc(b"11;rgb:f/80/zz"), None);
        assert_eq!(osc(b"52;c;aGk="), None);
    }
}
