//! The terminal layer on a pseudo-terminal, whose other end the tests hold.
//!
//! Nothing here waits for a duration: tests read until what they await has come, and only a failing
//! one runs into the limit.

use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode};
use plantain::graphics::{CellSize, Decoded, Kind, Picture, PictureKey, Protocol, Quality, Shape, encode, place};
use plantain::terminal::{Frame, Input, Output, Reader, Reply, Screen, Settings};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::Style;

const LIMIT: Duration = Duration::from_secs(20);
const AREA: Rect = Rect::new(0, 0, 60, 20);

/// Both ends of a pseudo-terminal; the program's end in raw mode.
struct Pty {
    ours: std::fs::File,
    theirs: OwnedFd,
    seen: Vec<u8>,
}

impl Pty {
    fn new() -> Self {
        let (mut ours, mut theirs) = (-1, -1);
        // SAFETY: openpty writes the two descriptors; null pointers ask for defaults. cfmakeraw and
        // tcsetattr get a termios that tcgetattr filled. The descriptors are ours alone.
        unsafe {
            let done =
                libc::openpty(&mut ours, &mut theirs, std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut());
            assert_eq!(done, 0, "no pseudo-terminal");
            let mut modes: libc::termios = std::mem::zeroed();
            assert_eq!(libc::tcgetattr(theirs, &mut modes), 0);
            libc::cfmakeraw(&mut modes);
            assert_eq!(libc::tcsetattr(theirs, libc::TCSANOW, &modes), 0);
            Self { ours: std::fs::File::from_raw_fd(ours), theirs: OwnedFd::from_raw_fd(theirs), seen: Vec::new() }
        }
    }

    fn tty(&self) -> OwnedFd {
        self.theirs.try_clone().expect("a descriptor")
    }

    fn send(&self, bytes: &[u8]) {
        use std::io::Write as _;
        (&self.ours).write_all(bytes).expect("the program's end is open");
    }

    /// Reads what there is; false if there is nothing.
    fn drain(&mut self) -> bool {
        let mut poll = libc::pollfd { fd: self.ours.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd, for the duration of the call.
        let many = unsafe { libc::poll(&mut poll, 1, 20) };
        if many <= 0 || poll.revents & libc::POLLIN == 0 {
            return false;
        }
        let mut buffer = [0; 4096];
        let many = self.ours.read(&mut buffer).unwrap_or(0);
        self.seen.extend(&buffer[..many]);
        many > 0
    }

    /// Reads until `enough`, and gives away what was read.
    fn until(&mut self, what: &str, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let end = Instant::now() + LIMIT;
        while !enough(&self.seen) {
            assert!(Instant::now() < end, "{what} did not come, but: {}", self.seen.escape_ascii());
            self.drain();
        }
        std::mem::take(&mut self.seen)
    }

    fn until_text(&mut self, text: &str) -> Vec<u8> {
        self.until(text, |seen| has(seen, text))
    }
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn count(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
}

/// The last sequence of this kind is whole.
fn ended(bytes: &[u8], begin: &str, end: &str) -> bool {
    let last = bytes.windows(begin.len()).rposition(|window| window == begin.as_bytes());
    last.is_some_and(|at| has(&bytes[at + begin.len()..], end))
}

fn start(pty: &Pty, settings: Settings) -> Output {
    Output::start(pty.tty(), settings, None, || {}).expect("a thread")
}

fn frame(text: &str) -> Frame {
    let mut buffer = Buffer::empty(AREA);
    buffer.set_string(0, 0, text, Style::new());
    Frame { buffer, cursor: None, pictures: Vec::new(), repaint: false }
}

fn picture(asset: &str, protocol: Protocol) -> Arc<Picture> {
    // Noise: it does not compress, so that there are many pieces.
    let mut seed = asset.bytes().fold(7_u32, |seed, byte| seed * 31 + u32::from(byte));
    let pixels = image::RgbImage::from_fn(400, 240, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [a, b, c, _] = seed.to_be_bytes();
        image::Rgb([a, b, c])
    });
    let decoded = Decoded { kind: Kind::Png, pixels: image::DynamicImage::ImageRgb8(pixels) };
    let key = PictureKey { asset: asset.to_owned(), cells: Size::new(40, 12) };
    let shape = Shape { protocol, cell: CellSize::GUESS, quality: Quality::Full, tmux: false };
    Arc::new(encode(&decoded, key, &shape).expect("encodes"))
}

fn with_picture(text: &str, picture: &Arc<Picture>) -> Frame {
    let mut frame = frame(text);
    let area = Rect::new(10, 4, 40, 12);
    frame.pictures.extend(place(picture, area, &mut frame.buffer));
    assert_eq!(frame.pictures.len(), 1);
    frame
}

fn events(inputs: &mut tokio::sync::mpsc::Receiver<Input>) -> Vec<Input> {
    let mut all = Vec::new();
    while let Some(input) = inputs.blocking_recv() {
        all.push(input);
    }
    all
}

#[test]
fn keys_and_answers_are_told_apart_until_the_line_is_cut() {
    let pty = Pty::new();
    let (sender, mut inputs) = tokio::sync::mpsc::channel(4);
    let reader = Reader::start(pty.tty(), sender).expect("a thread");
    reader.expect(1);
    let stream = b"a\x1b[A\x1b_Gi=31;OK\x1b\\b\x1b]11;rgb:00/00/00\x07\x1b[200~p\rq\x1b[31m\x1b[201~\x1b[?62;4cc";
    for byte in stream {
        pty.send(&[*byte]);
    }
    let key = |code| Input::Event(Event::Key(crossterm::event::KeyEvent::from(code)));
    let mut seen = Vec::new();
    while seen.last() != Some(&key(KeyCode::Char('c'))) {
        seen.push(inputs.blocking_recv().expect("still open"));
    }
    assert_eq!(
        seen,
        [
            key(KeyCode::Char('a')),
            key(KeyCode::Up),
            Input::Reply(Reply::Graphics { id: 31, ok: true }),
            key(KeyCode::Char('b')),
            Input::Reply(Reply::Colour(plantain::terminal::Layer::Background, [0; 3])),
            Input::Event(Event::Paste("p\nq[31m".into())),
            Input::Reply(Reply::Attributes(vec![62, 4])),
            key(KeyCode::Char('c')),
        ]
    );
    drop(pty);
    // One message, and the thread is gone: its sender was the last.
    assert_eq!(events(&mut inputs), [Input::Closed]);
}

#[test]
fn a_reader_stops_when_told_even_if_nobody_listens() {
    let pty = Pty::new();
    let (sender, inputs) = tokio::sync::mpsc::channel(1);
    let reader = Reader::start(pty.tty(), sender).expect("a thread");
    pty.send(b"abcdef");
    reader.stop();
    drop(inputs);
}

#[test]
fn nothing_is_written_while_nothing_changes() {
    let mut pty = Pty::new();
    let output = start(&pty, Settings::default());
    output.show(frame("hello"));
    let first = pty.until_text("\x1b[?2026l");
    assert!(has(&first, "hello") && first.starts_with(b"\x1b[?2026h"));
    for _ in 0..50 {
        output.show(frame("hello"));
    }
    output.show(frame("hullo"));
    let change = pty.until_text("\x1b[?2026l");
    assert_eq!(change.escape_ascii().to_string(), r"\x1b[?2026h\x1b[1;2Hu\x1b[?2026l");
    assert_eq!(output.finish(LIMIT).written, 2);
    assert!(!pty.drain());
}

#[test]
fn a_blocked_terminal_blocks_nobody_and_gets_the_newest_frame() {
    let mut pty = Pty::new();
    let output = start(&pty, Settings::default());
    for number in 0..2000 {
        let mut full = frame("");
        for y in 0..AREA.height {
            full.buffer.set_string(0, y, format!("{number:>6}").repeat(10), Style::new());
        }
        output.show(full);
    }
    output.show(frame("LAST-FRAME"));
    pty.until_text("LAST-FRAME");
    let stats = output.finish(LIMIT);
    assert_eq!(stats.frames, 2001);
    assert!(stats.written + stats.skipped >= 2001 && stats.skipped > 0, "{stats:?}");
}

#[test]
fn a_kitty_picture_is_sent_once_and_shown_when_it_is_whole() {
    let mut pty = Pty::new();
    let output = start(&pty, Settings::default());
    let fox = picture("fox", Protocol::Kitty);
    output.show(with_picture("one", &fox));
    // 40 x 12 placeholders.
    let all = pty.until("the placeholders", |seen| count(seen, "\u{10EEEE}") == 480);
    let text = all.escape_ascii().to_string();
    let first = text.find(r"\xf4\x8e\xbb\xae").expect("a placeholder");
    let last = text.rfind(r"\x1b_G").expect("a piece");
    assert!(last < first, "placeholders came before the whole picture");
    assert_eq!(count(&all, "a=T,U=1"), 1);
    assert!(count(&all, ",m=1;") == 1 && count(&all, "\x1b_Gm=0,q=2;") == 1);

    output.show(frame("away"));
    pty.until_text("away");
    output.show(with_picture("back", &fox));
    let again = pty.until("the placeholders", |seen| count(seen, "\u{10EEEE}") == 480);
    assert_eq!(count(&again, "\x1b_G"), 0, "it was sent again");

    // A clear takes everything with it: sent again.
    let mut anew = with_picture("back", &fox);
    anew.repaint = true;
    output.show(anew);
    let again = pty.until("the placeholders", |seen| count(seen, "\u{10EEEE}") == 480);
    assert_eq!(count(&again, "a=T,U=1"), 1);
    assert!(has(&again, "a=d,d=I"));

    let id = fox.id;
    output.finish(LIMIT);
    pty.until_text(&format!("a=d,d=I,i={id}"));
}

#[test]
fn a_picture_no_longer_wanted_is_broken_off_between_pieces() {
    let mut pty = Pty::new();
    let output = start(&pty, Settings::default());
    let fox = picture("fox", Protocol::Kitty);
    output.show(with_picture("one", &fox));
    // The other end reads only the beginning: the transfer hangs in the line.
    pty.until_text("a=T,U=1");
    output.show(frame("two"));
    let all = pty.until("the end", |seen| has(seen, &format!("a=d,d=I,i={}", fox.id)));
    assert!(has(&all, "\x1b_Gm=0,q=2\x1b\\"), "no clean end");
    assert!(!has(&all, "\u{10EEEE}"));
    // Every command that began has ended: text is never inside of one.
    let text = String::from_utf8_lossy(&all).into_owned();
    for part in text.split("\x1b_G").skip(1) {
        let (command, _) = part.split_once("\x1b\\").expect("an end");
        assert!(!command.contains('\x1b') && !command.contains("two"));
    }
    assert!(output.stats().picture_bytes < 280_000, "all of it was sent");
}

#[test]
fn in_tmux_every_command_is_passed_through() {
    let mut pty = Pty::new();
    let settings = Settings { tmux: true, ..Settings::default() };
    let output = start(&pty, settings);
    output.show(with_picture("one", &picture("fox", Protocol::Kitty)));
    let all = pty.until("the placeholders", |seen| count(seen, "\u{10EEEE}") == 480);
    let commands = count(&all, "\x1b_G");
    assert!(commands > 10);
    assert_eq!(count(&all, "\x1bPtmux;\x1b\x1b_G"), commands);
    assert_eq!(count(&all, "\x1b\x1b\\\x1b\\"), commands);
}

#[test]
fn sixel_is_drawn_in_strips_and_again_after_a_popup() {
    let mut pty = Pty::new();
    let output = start(&pty, Settings::default());
    let fox = picture("fox", Protocol::Sixel);
    output.show(with_picture("one", &fox));
    let all = pty.until("two strips", |seen| count(seen, "\x1bP0;1q") == 2 && ended(seen, "\x1bP", "\x1b\\"));
    assert!(has(&all, "\x1b[5;11H\x1bP0;1q") && has(&all, "\x1b[11;11H\x1bP0;1q"));

    let mut covered = with_picture("one", &fox);
    covered.buffer.set_string(20, 6, " popup ", Style::new());
    output.show(covered);
    let popup = pty.until_text("popup");
    assert!(!has(&popup, "\x1bP"));

    // Only the strip that was covered.
    output.show(with_picture("two", &fox));
    let again = pty.until("a strip", |seen| ended(seen, "\x1bP", "\x1b\\"));
    assert_eq!(count(&again, "\x1bP0;1q"), 1);
    assert!(has(&again, "\x1b[5;11H\x1bP0;1q"));

    // Away: every cell beneath is written.
    output.show(frame("none"));
    let wiped = pty.until_text("\x1b[?2026l");
    assert_eq!(count(&wiped, &" ".repeat(40)) + count(&wiped, "\x1b[40X"), 12);
    output.finish(LIMIT);
}

#[test]
fn pixels_that_stick_are_cleared_with_the_screen() {
    let mut pty = Pty::new();
    let settings = Settings { pixels_stick: true, ..Settings::default() };
    let output = start(&pty, settings);
    let fox = picture("fox", Protocol::Iterm2);
    output.show(with_picture("one", &fox));
    pty.until("the picture", |seen| ended(seen, "\x1b]1337;", "\x07"));
    let mut covered = with_picture("one", &fox);
    covered.buffer.set_string(20, 6, "popup", Style::new());
    output.show(covered);
    let popup = pty.until_text("popup");
    assert!(has(&popup, "\x1b[2J"));
    output.show(with_picture("one", &fox));
    let again = pty.until("the picture", |seen| ended(seen, "\x1b]1337;", "\x07"));
    assert!(!has(&again, "\x1b[2J"));
    output.show(frame("none"));
    assert!(has(&pty.until_text("none"), "\x1b[2J"));
}

#[test]
fn questions_disturb_nothing() {
    let mut pty = Pty::new();
    let output = start(&pty, Settings::default());
    output.show(frame("title"));
    output.ask(b"\x1b[5n".to_vec());
    let all = pty.until("the title twice", |seen| count(seen, "title") == 2);
    let parts: Vec<_> = all.escape_ascii().to_string().split(r"\x1b[H\x1b[5n").map(str::to_owned).collect();
    assert!(parts.len() == 2 && parts.iter().all(|part| part.contains("title")), "{parts:?}");
    output.ask(b"\x1b[c".to_vec());
    let asked = pty.until_text("title");
    assert!(asked.starts_with(b"\x1b[H\x1b[c"), "{}", asked.escape_ascii());
    output.write_raw(b"\x1b]0;name\x07".to_vec());
    assert_eq!(pty.until_text("name\x07").last(), Some(&7));
}

#[test]
fn a_pause_is_silent_and_ends_with_everything_drawn() {
    let mut pty = Pty::new();
    let output = start(&pty, Settings::default());
    let fox = picture("fox", Protocol::Kitty);
    output.show(with_picture("one", &fox));
    pty.until("the placeholders", |seen| count(seen, "\u{10EEEE}") == 480);
    assert!(output.pause(LIMIT));
    pty.until_text("a=d,d=I");
    while pty.drain() {}
    pty.seen.clear();
    output.show(with_picture("two", &fox));
    assert!(!pty.drain());
    output.resume();
    let all = pty.until("the placeholders", |seen| count(seen, "\u{10EEEE}") == 480);
    assert!(has(&all, "\x1b[2J") && has(&all, "two") && has(&all, "a=T,U=1"));
}

#[test]
fn a_hang_up_is_told_once_and_ends_the_writer() {
    let pty = Pty::new();
    let (tell, told) = mpsc::channel();
    let call = move || {
        let _ = tell.send(());
    };
    let output = Output::start(pty.tty(), Settings::default(), None, call).expect("a thread");
    let tty = pty.tty();
    drop(pty);
    output.show(frame("to nobody"));
    told.recv_timeout(LIMIT).expect("to be told");
    assert!(output.is_hung_up());
    output.show(frame("still nobody"));
    output.finish(LIMIT);
    assert!(told.recv().is_err(), "told twice");
    assert!(plantain::terminal::hung_up(tty.as_fd()));
}

#[test]
fn a_stalled_terminal_does_not_keep_us() {
    let pty = Pty::new();
    let output = start(&pty, Settings::default());
    // SAFETY: sets a flag on a descriptor of ours.
    unsafe { libc::fcntl(pty.theirs.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
    output.show(with_picture("one", &picture("fox", Protocol::Kitty)));
    while output.stats().slices < 3 {
        std::thread::yield_now();
    }
    output.finish(Duration::ZERO);
}

#[test]
fn the_screen_is_given_back_once() {
    let mut pty = Pty::new();
    let modes = |pty: &Pty| {
        // SAFETY: tcgetattr fills the termios it is given.
        unsafe {
            let mut modes: libc::termios = std::mem::zeroed();
            assert_eq!(libc::tcgetattr(pty.theirs.as_raw_fd(), &mut modes), 0);
            modes
        }
    };
    // As a shell has it.
    let mut before = modes(&pty);
    before.c_lflag |= libc::ICANON | libc::ECHO | libc::ISIG;
    before.c_oflag |= libc::OPOST;
    // SAFETY: tcsetattr only reads the termios.
    unsafe { libc::tcsetattr(pty.theirs.as_raw_fd(), libc::TCSANOW, &before) };

    let screen = Screen::enter(pty.tty()).expect("a terminal");
    assert_eq!(modes(&pty).c_lflag & (libc::ICANON | libc::ECHO | libc::ISIG), 0);
    assert!(screen.gate().is_open());
    assert!(has(&pty.until_text("\x1b[?2004h"), "\x1b[?1049h\x1b[?25l"));
    assert_eq!(screen.keyboard_known(), b"\x1b[>1u");
    assert_eq!(screen.keyboard_known(), b"");
    screen.leave();
    let left = pty.until_text("\x1b[?25h");
    assert!(has(&left, "\x1b[<u") && has(&left, "\x1b[?1049l"));
    assert_eq!(modes(&pty).c_lflag, before.c_lflag);
    assert!(!screen.gate().is_open());

    screen.enter_again().expect("a terminal");
    assert!(has(&pty.until_text("\x1b[>1u"), "\x1b[?1049h"));
    let output = Output::start(pty.tty(), Settings::default(), Some(screen.gate()), || {});
    let output = output.expect("a thread");
    let fox = picture("fox", Protocol::Kitty);
    output.show(with_picture("one", &fox));
    pty.until("the placeholders", |seen| count(seen, "\u{10EEEE}") == 480);
    // As in a panic: the writer is not asked, and its pictures go all the same.
    drop(screen);
    let left = pty.until_text("\x1b[?25h");
    assert!(has(&left, &format!("a=d,d=I,i={}", fox.id)));
    output.show(frame("too late"));
    output.finish(LIMIT);
    assert!(!pty.drain());
    assert_eq!(modes(&pty).c_lflag, before.c_lflag);
}

/// One answer comes while somebody leaves, and one that nobody expected: neither is for whoever reads next.
#[test]
fn late_answers_are_not_left_for_the_shell() {
    let mut pty = Pty::new();
    let screen = Screen::enter(pty.tty()).expect("a terminal");
    let output = Output::start(pty.tty(), Settings::default(), Some(screen.gate()), || {}).expect("a thread");
    let (sender, mut inputs) = tokio::sync::mpsc::channel(100);
    let reader = Reader::start_beside(pty.tty(), sender, output.fences()).expect("a thread");
    reader.expect(1);
    output.ask(b"\x1b[c".to_vec());
    pty.until_text("\x1b[c");
    let fences = output.fences();
    output.finish(LIMIT);
    let leaving = std::thread::spawn(move || fences.settle(LIMIT));
    pty.send(b"\x1b[?62;4c");
    assert!(leaving.join().expect("no panic"), "it was answered");
    reader.stop();
    assert_eq!(inputs.try_recv(), Ok(Input::Reply(Reply::Attributes(vec![62, 4]))));
    pty.send(b"\x1b[0n");
    screen.leave();
    let mut waiting: libc::c_int = -1;
    // SAFETY: FIONREAD writes one int.
    unsafe { assert_eq!(libc::ioctl(pty.theirs.as_raw_fd(), libc::FIONREAD, &mut waiting), 0) };
    assert_eq!(waiting, 0);
}

#[test]
fn what_is_no_terminal_is_refused() {
    let null = std::fs::File::open("/dev/null").expect("opens");
    assert!(Screen::enter(null.into()).is_err());
}
