//! Text and pictures on one line, in virtual time: a [`Scribe`] is asked what to write, and a simulated line says
//! when that arrives and when the terminal's answers are back. Nothing here sleeps, and nothing depends on the
//! machine.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use plantain::graphics::{Body, CellSize, Decoded, Kind, Picture, PictureKey, Protocol, Quality, Shape, encode, place};
use plantain::terminal::{Answers, Frame, Next, Scribe, Settings};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::style::{Color, Style};

const AREA: Rect = Rect::new(0, 0, 100, 30);
const PANE: Rect = Rect::new(50, 2, 40, 20);
const FENCE: &[u8] = b"\x1b[5n";
const FRAME: Duration = Duration::from_millis(33);
const TICK: Duration = Duration::from_millis(1);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn count(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
}

/// A program, a line and a terminal that answers fences when they arrive.
struct Play {
    scribe: Scribe,
    now: Duration,
    /// Bytes a second.
    rate: f64,
    way: Duration,
    /// When all that was written has left this end.
    free: Duration,
    back: VecDeque<Duration>,
    answering: bool,
    /// All that was written.
    wire: Vec<u8>,
    /// Until when the line has to be asked again.
    wait: Option<Duration>,
    idle: bool,
    asked: usize,
}

impl Play {
    fn new(settings: Settings, rate: f64, trip: Duration) -> Self {
        Self {
            scribe: Scribe::new(settings),
            now: ms(1000),
            rate,
            way: trip / 2,
            free: Duration::ZERO,
            back: VecDeque::new(),
            answering: true,
            wire: Vec::new(),
            wait: None,
            idle: false,
            asked: 0,
        }
    }

    fn slow() -> Self {
        let settings = Settings { remote: true, ..Settings::default() };
        Self::new(settings, 32_000.0, ms(150))
    }

    fn near(settings: Settings) -> Self {
        Self::new(settings, 20e6, ms(2))
    }

    /// Answers when the last of these bytes arrives.
    fn write(&mut self, bytes: &[u8]) -> Duration {
        self.wire.extend(bytes);
        let free = self.free.max(self.now);
        let mut sent = 0;
        for (at, window) in bytes.windows(FENCE.len()).enumerate() {
            if window == FENCE && self.answering {
                sent = at + FENCE.len();
                self.back.push_back(free + Duration::from_secs_f64(sent as f64 / self.rate) + self.way * 2);
            }
        }
        assert!(sent <= bytes.len());
        self.free = free + Duration::from_secs_f64(bytes.len() as f64 / self.rate);
        self.free + self.way
    }

    /// Shows a frame; answers when it arrives, and its bytes.
    fn show(&mut self, frame: Frame) -> (Duration, Vec<u8>) {
        let bytes = self.scribe.show(frame, self.now);
        self.idle = false;
        self.wait = None;
        (self.write(&bytes), bytes)
    }

    /// One moment: answers in, pieces out, as the writer's thread does it.
    fn tick(&mut self) {
        while self.back.front().is_some_and(|at| *at <= self.now) {
            self.back.pop_front();
            let bytes = self.scribe.answered(self.now);
            self.write(&bytes);
            self.wait = None;
            // The thread asks again whenever something happens.
            self.idle = false;
        }
        while !self.idle && self.wait.is_none_or(|at| at <= self.now) {
            self.asked += 1;
            match self.scribe.next(self.now) {
                Next::Write(bytes) => {
                    self.write(&bytes);
                }
                Next::Wait(until) => {
                    assert!(until > self.now, "a wait that has passed");
                    self.wait = Some(until);
                }
                Next::Idle => self.idle = true,
            }
        }
        self.now += TICK;
    }

    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.tick();
        }
    }

    /// Until nothing is left to send; answers when the last byte arrives.
    fn settle(&mut self) -> Duration {
        let end = self.now + ms(60_000);
        while !(self.idle && self.back.is_empty()) {
            self.tick();
            assert!(self.now < end, "it does not come to rest");
        }
        self.free + self.way
    }

    fn taken(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.wire)
    }
}

/// Noise, which does not compress, of about so many bytes as a PNG.
fn picture(asset: &str, protocol: Protocol, side: u32) -> Arc<Picture> {
    let mut seed = asset.bytes().fold(7_u32, |seed, byte| seed.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let pixels = image::RgbImage::from_fn(side, side, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [a, b, c, _] = seed.to_be_bytes();
        image::Rgb([a, b, c])
    });
    let decoded = Decoded { kind: Kind::Png, pixels: image::DynamicImage::ImageRgb8(pixels) };
    let key = PictureKey { asset: format!("{asset}{side}"), cells: PANE.as_size() };
    let shape = Shape { protocol, cell: CellSize::GUESS, quality: Quality::Full, tmux: false };
    let made = encode(&decoded, key, &shape).expect("encodes");
    // Small ones are scaled up by the terminal.
    Arc::new(Picture { cells: Size::new(40, 20), ..made })
}

fn frame(text: &str) -> Frame {
    let mut buffer = Buffer::empty(AREA);
    buffer.set_string(0, 0, text, Style::new());
    Frame { buffer, cursor: None, pictures: Vec::new(), repaint: false }
}

fn with(text: &str, picture: &Arc<Picture>, instead: Option<&Arc<Picture>>) -> Frame {
    let mut frame = frame(text);
    let placed = place(picture, PANE, &mut frame.buffer).expect("fits");
    frame.pictures.push(placed.or(instead));
    frame
}

/// A table in which the chosen row moves: about as many bytes as a real one.
fn moved(mut frame: Frame, row: u16) -> Frame {
    for y in 0..25 {
        let style = if y == row % 25 { Style::new().bg(Color::Indexed(24)) } else { Style::new() };
        let text = format!("{:<40}", format!("task {y:>3}, its prompt and its state"));
        frame.buffer.set_string(0, y + 1, text, style);
    }
    for y in 0..4 {
        frame.buffer.set_string(
            50,
            24 + y,
            format!("{:<30}", format!("{:x} about {row}", u64::from(row * 7 + y + 1) * 0x0123_4567_89ab)),
            Style::new(),
        );
    }
    frame
}

#[test]
fn on_a_slow_line_no_key_waits_for_pictures() {
    let mut play = Play::slow();
    play.show(moved(frame(""), 0));
    play.settle();
    // Fifty tasks; each wants its first look as soon as it is chosen.
    let looks: Vec<_> = (0..50).map(|task| picture(&format!("task {task}"), Protocol::KittyDirect, 54)).collect();
    let Body::KittyDirect(data) = &looks[0].body else { panic!() };
    assert!((8_000..9_300).contains(&data.len()), "{} bytes, four thirds of it on the line", data.len());
    play.taken();
    let (mut text, mut latest, mut passed) = (0, Duration::ZERO, Duration::ZERO);
    for (row, look) in looks.iter().enumerate() {
        let (at, bytes) = play.show(moved(with("", look, None), row as u16));
        passed = play.now;
        latest = latest.max(at - play.now);
        text += bytes.len();
        if row + 1 < looks.len() {
            play.run(FRAME);
        }
    }
    let average = text / looks.len();
    assert!((200..700).contains(&average), "frames of {average} bytes");
    assert!(latest <= ms(250) + play.way * 2, "an echo took {latest:?}");
    // What was passed cost no more than a slice each.
    let pieces = count(&play.wire, "\x1b_Ga=t,");
    let more = count(&play.wire, "\x1b_Gm=1,");
    assert!(pieces <= 50 && more == 0, "{pieces} begun, {more} gone on with");
    let pictures = play.wire.len() - text;
    assert!(pictures < 50 * 1400, "{pictures} bytes of pictures in passing");
    // And the last one's first look is there soon.
    let there = play.settle();
    assert!(there - passed < ms(1000), "the first look took {:?}", there - passed);
    assert_eq!(count(&play.wire, "\x1b_Ga=p,"), 1);

    // Its full form takes as long as the line needs, and stands for the first look until then.
    play.taken();
    let full = picture("full", Protocol::KittyDirect, 200);
    let begun = play.now;
    let (at, bytes) = play.show(moved(with("", &full, Some(&looks[49])), 49));
    assert!(bytes.is_empty() && at - begun < ms(200), "the first look goes away: {}", bytes.escape_ascii());
    let mut late = Duration::ZERO;
    for row in 50..100 {
        play.run(FRAME);
        // The same picture: only the text around it changes.
        let (at, _) = play.show(moved(with("", &full, Some(&looks[49])), row));
        late = late.max(at - play.now);
    }
    assert!(late <= ms(250) + play.way * 2, "an echo took {late:?}");
    let there = play.settle() - begun;
    let line = Duration::from_secs_f64(play.wire.len() as f64 / play.rate);
    assert!(there < line.mul_f64(1.25) + play.way * 4, "{there:?} for {line:?} of line");
    play.run(ms(50));
    let state = play.scribe.line(play.now);
    assert_eq!((state.answers, state.outstanding), (Answers::Yes, 0));
    let rate = state.rate.expect("learned") as f64;
    assert!((0.85..1.2).contains(&(rate / play.rate)), "{state:?}");
    assert!(state.round_trip.expect("learned").abs_diff(ms(150)) < ms(15), "{state:?}");
}

#[test]
fn idle_with_a_picture_is_silent() {
    for protocol in [Protocol::Kitty, Protocol::KittyDirect, Protocol::Sixel, Protocol::Iterm2] {
        let mut play = Play::near(Settings::default());
        let fox = picture("fox", protocol, 120);
        play.show(with("one", &fox, None));
        play.settle();
        play.taken();
        let asked = play.asked;
        play.run(ms(60_000));
        assert_eq!((play.taken(), play.asked), (Vec::new(), asked), "{protocol:?}");
        let (_, bytes) = play.show(with("one", &fox, None));
        assert_eq!(bytes, b"", "{protocol:?}");
        play.settle();
        assert_eq!(play.taken(), b"", "{protocol:?}");
    }
}

#[test]
fn a_direct_picture_is_shown_again_for_a_few_bytes() {
    let mut play = Play::near(Settings::default());
    let (fox, owl) = (picture("fox", Protocol::KittyDirect, 120), picture("owl", Protocol::KittyDirect, 120));
    let shows = |id: u32| format!("\x1b_Ga=p,i={id},p=1,c=40,r=20,C=1,z=-1073741900,q=2\x1b\\");
    let hides = |id: u32| format!("\x1b_Ga=d,d=i,i={id},p=1,q=2\x1b\\");
    play.show(with("one", &fox, None));
    play.settle();
    let first = play.taken();
    assert_eq!((count(&first, "\x1b_Ga=t,"), count(&first, &shows(fox.id))), (1, 1));
    assert!(first.windows(9).all(|window| window != b"\xf4\x8e\xbb\xae\xcc\x85\xcc\x85\x1b"));

    // To another one and back: nothing is sent again, and there is no moment without a picture.
    play.show(with("one", &owl, None));
    play.settle();
    play.taken();
    let (_, back) = play.show(with("one", &fox, None));
    assert!(back.len() <= 200, "{} bytes", back.len());
    let text = String::from_utf8(back).expect("text");
    let (comes, goes) = (text.find(&shows(fox.id)), text.find(&hides(owl.id)));
    assert!(comes.is_some() && comes < goes, "{}", text.escape_debug());
    assert!(text.contains("\x1b[3;51H\x1b_Ga=p"));

    // Under a popup with a background it stays, under one without it goes, and comes again.
    let mut popup = with("one", &fox, None);
    popup.buffer.set_style(Rect::new(60, 5, 10, 3), Style::new().bg(Color::Black));
    popup.buffer.set_string(60, 5, "popup     ", Style::new().bg(Color::Black));
    for row in 6..8 {
        popup.buffer.set_string(60, row, " ".repeat(10), Style::new().bg(Color::Black));
    }
    let (_, bytes) = play.show(popup);
    assert_eq!(count(&bytes, "\x1b_G"), 0);
    let mut popup = with("one", &fox, None);
    popup.buffer.set_string(60, 5, "popup", Style::new());
    let (_, bytes) = play.show(popup);
    assert_eq!((count(&bytes, &hides(fox.id)), count(&bytes, "\x1b_G")), (1, 1));
    let (_, bytes) = play.show(with("one", &fox, None));
    assert_eq!((count(&bytes, &shows(fox.id)), count(&bytes, "\x1b_G")), (1, 1));
    play.settle();
    let farewell = play.scribe.farewell();
    assert_eq!((count(&farewell, "\x1b_Ga=d,d=I,i="), count(&farewell, "\x1b_G")), (2, 2));
    assert_eq!(count(&play.taken(), "\x1b_Ga=t,"), 0);

    // A screen that is cleared takes all with it.
    play.show(Frame { repaint: true, ..with("one", &fox, None) });
    play.settle();
    let anew = play.taken();
    assert_eq!((count(&anew, "\x1b[2J"), count(&anew, "\x1b_Ga=t,"), count(&anew, &shows(fox.id))), (1, 1, 1));
    // So does another size of the cells, and doubt.
    play.scribe.configure(Settings { cell: CellSize { width: 12, height: 24 }, ..Settings::default() }, play.now);
    play.idle = false;
    play.settle();
    assert_eq!(count(&play.taken(), "\x1b_Ga=t,"), 1);
    play.scribe.forget(play.now);
    play.idle = false;
    play.settle();
    let anew = play.taken();
    assert_eq!((count(&anew, "\x1b_Ga=t,"), count(&anew, "\x1b[2J"), count(&anew, "d=I")), (1, 0, 1));
    // Leaving takes it away.
    let (bytes, _) = play.scribe.leave(play.now);
    assert_eq!(bytes, format!("\x1b_Ga=d,d=I,i={},q=2\x1b\\", fox.id).as_bytes());
}

#[test]
fn a_first_look_stays_until_the_picture_is_whole() {
    let mut play = Play::slow();
    let (look, full) = (picture("fox", Protocol::Kitty, 24), picture("fox", Protocol::Kitty, 100));
    play.show(with("one", &look, None));
    play.settle();
    assert_eq!(count(&play.taken(), "\u{10EEEE}"), 800);
    // The placeholders go on naming the first look.
    let (_, bytes) = play.show(with("one", &full, Some(&look)));
    assert_eq!(bytes, b"");
    play.run(ms(600));
    let sent = play.taken();
    assert!(count(&sent, "\x1b_G") > 2 && count(&sent, "\u{10EEEE}") == 0);
    play.settle();
    let rest = play.taken();
    let text = rest.escape_ascii().to_string();
    assert_eq!(count(&rest, "\u{10EEEE}"), 800);
    assert!(text.rfind(r"\x1b_G") < text.find(r"\xf4\x8e\xbb\xae"), "before it was whole");
    // Everything gone: the first look comes first.
    play.scribe.forget(play.now);
    play.idle = false;
    play.settle();
    let anew = play.taken();
    let begun = |id: u32| anew.windows(12).count().min(count(&anew, &format!("q=2,i={id},")));
    assert_eq!((begun(look.id), begun(full.id)), (1, 1));
    let text = anew.escape_ascii().to_string();
    assert!(text.find(&format!("q=2,i={},", look.id)) < text.find(&format!("q=2,i={},", full.id)));
}

#[test]
fn a_drawn_first_look_is_drawn_over() {
    for protocol in [Protocol::Sixel, Protocol::Iterm2] {
        let mut play = Play::near(Settings::default());
        let (look, full) = (picture("fox", protocol, 100), picture("owl", protocol, 101));
        play.show(with("one", &look, None));
        play.settle();
        play.taken();
        let (_, bytes) = play.show(with("one", &full, Some(&look)));
        assert_eq!(bytes, b"", "{protocol:?}");
        play.settle();
        let drawn = play.taken();
        let pieces = match &full.body {
            Body::Sixel(strips) => strips.len(),
            _ => 1,
        };
        assert_eq!(count(&drawn, "\x1bP0;1q") + count(&drawn, "\x1b]1337;"), pieces, "{protocol:?}");
        // From nothing both are drawn, the first look first.
        play.show(Frame { repaint: true, ..with("one", &full, Some(&look)) });
        play.settle();
        let drawn = play.taken();
        assert_eq!(count(&drawn, "\x1bP0;1q") + count(&drawn, "\x1b]1337;"), 2 * pieces, "{protocol:?}");
    }
}

#[test]
fn an_iterm2_picture_goes_in_parts_where_that_is_known() {
    let settings = Settings { parts: true, remote: true, ..Settings::default() };
    let mut play = Play::new(settings, 32_000.0, ms(150));
    let (fox, owl) = (picture("fox", Protocol::Iterm2, 120), picture("owl", Protocol::Iterm2, 120));
    let Body::Iterm2(whole) = &fox.body else { panic!() };
    play.show(with("one", &owl, None));
    play.run(ms(400));
    // Not wanted any more: the next one begins, and nothing of the other is drawn.
    play.show(with("two", &fox, None));
    play.settle();
    let all = play.taken();
    assert_eq!((count(&all, "\x1b]1337;MultipartFile="), count(&all, "\x1b]1337;FileEnd\x07")), (2, 1));
    let text = String::from_utf8(all).expect("text");
    let second = &text[text.rfind("\x1b]1337;MultipartFile=").expect("two")..];
    let parts: Vec<&str> = second.split("\x1b]1337;FilePart=").skip(1).collect();
    let letters: String = parts.iter().map(|part| part.split('\x07').next().expect("an end")).collect();
    let about = second["\x1b]1337;MultipartFile=".len()..].split('\x07').next().expect("an end");
    assert_eq!(format!("\x1b]1337;File={about}:{letters}\x07").as_bytes(), whole);
    assert!(parts.len() > 10 && second.contains("\x1b[3;51H\x1b]1337;FileEnd\x07"), "{} parts", parts.len());
}

#[test]
fn through_tmux_the_terminal_itself_is_asked_and_silence_means_loss() {
    let settings = Settings { tmux: true, remote: true, ..Settings::default() };
    let mut play = Play::new(settings, 125_000.0, ms(40));
    let fox = picture("fox", Protocol::Kitty, 60);
    play.show(with("one", &fox, None));
    play.settle();
    let all = play.taken();
    assert_eq!(count(&all, "\x1bPtmux;\x1b\x1b[5n\x1b\\"), count(&all, "\x1b[5n"));
    // The window is hidden: nothing is passed through.
    play.answering = false;
    let owl = picture("owl", Protocol::Kitty, 100);
    play.show(with("one", &owl, None));
    play.run(ms(20_000));
    assert_eq!(play.scribe.line(play.now).answers, Answers::No);
    assert_eq!(count(&play.taken(), "a=T,U=1"), 1);
    // It is seen again; the next picture shows that, and what was sent in vain is sent again.
    play.answering = true;
    let elk = picture("elk", Protocol::Kitty, 60);
    play.show(with("one", &elk, None));
    play.settle();
    play.show(with("one", &owl, None));
    play.settle();
    assert_eq!(play.scribe.line(play.now).answers, Answers::Yes);
    assert_eq!(count(&play.taken(), &format!("a=T,U=1,f=100,t=d,q=2,i={},", owl.id)), 1);
}

#[test]
fn a_mute_terminal_gets_its_pictures_too() {
    let mut play = Play::near(Settings::default());
    play.answering = false;
    let fox = picture("fox", Protocol::KittyDirect, 400);
    play.show(with("one", &fox, None));
    play.settle();
    assert_eq!(count(&play.taken(), "\x1b_Ga=p,"), 1);
    assert!(play.now < ms(3500), "{:?}", play.now);
}
