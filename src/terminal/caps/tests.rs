//! What terminals answer, and what is made of it.

use super::*;

const WINDOW: WindowSize = WindowSize { cols: 100, rows: 30, width_px: 1000, height_px: 600 };

fn env(term: &str) -> Env {
    Env { term: term.into(), ..Env::default() }
}

fn caps(env: Env, replies: &[Reply]) -> Caps {
    let mut caps = Caps::new(env, WINDOW);
    for reply in replies {
        caps.learn(reply);
    }
    caps
}

fn version(text: &str) -> Reply {
    Reply::Version(text.into())
}

const OK: Reply = Reply::Graphics { id: QUERY_ID, ok: true };

fn da(list: &[u16]) -> Reply {
    Reply::Attributes(list.to_vec())
}

#[test]
fn terminals_as_measured() {
    let inside = || Env { tmux: true, ..env("tmux-256color") };
    let tmux = || [version("tmux 3.5a"), da(&[1, 2, 4])];
    let behind = |more: &[Reply]| [&tmux()[..], more].concat();
    let table = [
        ("mute", env("xterm-256color"), vec![], Protocol::Blocks),
        ("xterm", env("xterm"), vec![version("XTerm(398)"), da(&[63, 1, 2, 4, 6, 9, 15, 16, 22, 28])], Protocol::Sixel),
        ("plain", env("xterm"), vec![version("XTerm(398)"), da(&[64, 1])], Protocol::Blocks),
        ("kitty", env("xterm-kitty"), vec![version("kitty(0.41.1)"), OK, da(&[62])], Protocol::KittyDirect),
        ("foot", env("foot"), vec![version("foot(1.21.0)"), da(&[62, 4, 22, 28])], Protocol::Sixel),
        (
            "konsole",
            env("xterm-256color"),
            vec![version("Konsole 25.04.2"), OK, da(&[62, 1, 4])],
            Protocol::KittyDirect,
        ),
        ("mlterm", env("mlterm"), vec![da(&[63, 4])], Protocol::Sixel),
        (
            "wezterm",
            env("xterm-256color"),
            vec![version("WezTerm 20240203"), OK, da(&[65, 4, 6, 18, 22])],
            Protocol::Iterm2,
        ),
        ("iterm2", env("xterm-256color"), vec![version("iTerm2 3.5.0"), da(&[64, 4])], Protocol::Iterm2),
        ("vs code", env("xterm-256color"), vec![version("xterm.js(5.6.0)"), da(&[62, 4, 9, 22])], Protocol::Iterm2),
        (
            "vs code, no pictures",
            env("xterm-256color"),
            vec![version("xterm.js(5.6.0)"), da(&[1, 2])],
            Protocol::Blocks,
        ),
        ("kitty in tmux", inside(), behind(&[version("kitty(0.41.1)"), OK, da(&[62])]), Protocol::Kitty),
        ("no passthrough", inside(), behind(&[]), Protocol::Blocks),
        ("foot in tmux", inside(), behind(&[version("foot(1.21.0)"), da(&[62, 4, 22])]), Protocol::Sixel),
        ("konsole in tmux", inside(), behind(&[version("Konsole 25.04.2"), OK, da(&[62, 1, 4])]), Protocol::Sixel),
        ("unknown, with kitty graphics", env("xterm"), vec![version("New 1.0"), OK, da(&[62])], Protocol::KittyDirect),
        ("linux console", env("linux"), vec![da(&[6])], Protocol::Blocks),
    ];
    for (name, env, replies, protocol) in table {
        let caps = caps(env, &replies);
        assert_eq!(caps.protocol(Choice::Auto), protocol, "{name}");
        assert_eq!(caps.protocol(Choice::Sixel), Protocol::Sixel, "{name}");
        assert_eq!(caps.protocol(Choice::Off), Protocol::Off, "{name}");
    }
}

#[test]
fn the_size_of_a_cell_comes_from_the_best_source() {
    let mut caps = Caps::new(env("xterm"), WindowSize { cols: 100, rows: 30, ..WindowSize::default() });
    assert_eq!(caps.cell(), (CellSize::GUESS, CellSource::Guess));
    caps.learn(&Reply::SixelSize(16_384, 16_384));
    assert_eq!(caps.cell().1, CellSource::Guess);
    caps.learn(&Reply::SixelSize(900, 540));
    assert_eq!(caps.cell(), (CellSize { width: 9, height: 18 }, CellSource::SixelSize));
    caps.resized(WINDOW);
    assert_eq!(caps.cell(), (CellSize { width: 10, height: 20 }, CellSource::Kernel));
    caps.learn(&Reply::Area(800, 480));
    assert_eq!(caps.cell(), (CellSize { width: 8, height: 16 }, CellSource::Area));
    caps.learn(&Reply::Cell(11, 22));
    assert_eq!(caps.cell(), (CellSize { width: 11, height: 22 }, CellSource::Terminal));
    caps.learn(&Reply::Cell(0, 9000));
    assert_eq!(caps.cell().1, CellSource::Area);
    let windows = WindowSize { cols: 80, rows: 24, width_px: 640, height_px: 480 };
    assert_eq!(Caps::new(env("xterm"), windows).cell().1, CellSource::Guess);
}

#[test]
fn what_was_lost_while_tmux_attached_is_asked_again() {
    let mut caps = caps(Env { tmux: true, ..env("tmux-256color") }, &[version("tmux 3.5a"), da(&[1, 2, 4])]);
    assert_eq!((caps.protocol(Choice::Auto), caps.waits()), (Protocol::Blocks, true));
    caps.asked_again();
    // tmux has now said twice what it can: that is no word of the terminal.
    caps.learn(&da(&[1, 2, 4]));
    assert_eq!((caps.protocol(Choice::Auto), caps.waits()), (Protocol::Blocks, true));
    for reply in [version("foot(1.21.0)"), da(&[62, 4, 22])] {
        caps.learn(&reply);
    }
    assert_eq!((caps.protocol(Choice::Auto), caps.waits()), (Protocol::Sixel, false));
}

#[test]
fn another_terminal_counts_when_it_has_said_all() {
    let inside = Env { tmux: true, ..env("tmux-256color") };
    let tmux = [version("tmux 3.5a"), da(&[1, 2, 4])];
    let kitty = [version("kitty(0.41.1)"), OK, da(&[62])];
    let mut caps = caps(inside, &[&tmux[..], &kitty].concat());
    assert_eq!((caps.protocol(Choice::Auto), caps.waits()), (Protocol::Kitty, false));
    caps.asked_again();
    for reply in [&tmux[..], &[version("foot(1.21.0)")]].concat() {
        caps.learn(&reply);
        assert_eq!((caps.protocol(Choice::Auto), caps.waits()), (Protocol::Kitty, true));
    }
    caps.learn(&da(&[62, 4, 22]));
    assert_eq!((caps.brand, caps.protocol(Choice::Auto), caps.waits()), (Brand::Foot, Protocol::Sixel, false));
    // One that says less than the one before.
    caps.asked_again();
    for reply in [&tmux[..], &[da(&[62])]].concat() {
        caps.learn(&reply);
    }
    assert_eq!((caps.brand, caps.protocol(Choice::Auto)), (Brand::Unknown, Protocol::Blocks));
    // Nobody answers, as while nobody looks: what is known holds, however often it is asked.
    caps.asked_again();
    caps.asked_again();
    caps.learn(&da(&[1, 2, 4]));
    assert_eq!((caps.brand, caps.waits()), (Brand::Unknown, true));
}

#[test]
fn tmux_that_only_says_so_itself_is_asked_for_who_is_behind() {
    let mut caps = caps(env("xterm-256color"), &[version("tmux 3.5a"), da(&[1, 2, 4])]);
    assert_eq!((caps.fences(), caps.waits(), caps.protocol(Choice::Auto)), (2, true, Protocol::Blocks));
    assert!(!questions(&env("xterm-256color")).windows(6).any(|some| some == b"Ptmux;"));
    caps.asked_again();
    assert!(caps.questions().windows(6).any(|some| some == b"Ptmux;"));
}

#[test]
fn parts_by_version() {
    let parts = |text: &str| caps(env("xterm-256color"), &[version(text), da(&[64, 4])]).parts();
    assert!(parts("iTerm2 3.5.0") && parts("iTerm2 3.6.1beta2") && parts("iTerm2 4.0"));
    assert!(!parts("iTerm2 3.4.23") && !parts("iTerm2") && !parts("WezTerm 20240203") && !parts("Konsole 25.04"));
}

#[test]
fn zoom_is_noticed() {
    let mut caps = caps(env("xterm-kitty"), &[Reply::Cell(10, 20)]);
    assert!(!caps.resized(WindowSize { cols: 90, width_px: 900, ..WINDOW }));
    assert!(caps.resized(WindowSize { cols: 50, rows: 15, ..WINDOW }));
    assert_eq!(caps.cell().0, CellSize { width: 20, height: 40 });
}

#[test]
fn colours_by_name() {
    let depth = |term: &str, colorterm: &str, no_color| {
        let env = Env { colorterm: colorterm.into(), no_color, ..env(term) };
        Caps::new(env, WINDOW).depth()
    };
    assert_eq!(depth("xterm-256color", "", false), Depth::Ansi256);
    assert_eq!(depth("xterm-256color", "truecolor", false), Depth::True);
    assert_eq!(depth("xterm-kitty", "", false), Depth::True);
    assert_eq!(depth("linux", "", false), Depth::Ansi16);
    assert_eq!(depth("dumb", "truecolor", false), Depth::None);
    assert_eq!(depth("xterm-kitty", "truecolor", true), Depth::None);
    let caps = Caps::new(Env { no_color: true, ..env("xterm") }, WINDOW);
    assert_eq!(caps.protocol(Choice::Auto), Protocol::Off);
}

#[test]
fn light_and_dark() {
    let background = |rgb| caps(env("x"), &[Reply::Colour(Layer::Background, rgb)]).light();
    assert_eq!(background([255, 255, 240]), Some(true));
    assert_eq!(background([30, 30, 30]), Some(false));
    assert_eq!(Caps::new(env("x"), WINDOW).light(), None);
}

#[test]
fn questions_suit_who_is_asked() {
    assert_eq!(questions(&env("linux")), b"\x1b[c");
    let asked = questions(&env("xterm"));
    assert!(asked.ends_with(b"\x1b[c"));
    let apple = Env { term_program: "Apple_Terminal".into(), ..env("xterm-256color") };
    assert!(!questions(&apple).windows(2).any(|pair| pair == b"\x1b_"));
    let tmux = Env { tmux: true, ..env("screen") };
    assert!(questions(&tmux).ends_with(b"\x1bPtmux;\x1b\x1b[c\x1b\\"));
}
