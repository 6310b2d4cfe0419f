//! What is painted is what a terminal shows, and no more bytes than that needs.

use std::num::NonZeroU16;

use proptest::prelude::*;
use ratatui::style::Style;

use super::*;

const AREA: Rect = Rect::new(0, 0, 24, 5);

fn terminal(area: Rect) -> vt100::Parser {
    let side = |side: u16| NonZeroU16::new(side).expect("not empty");
    vt100::Parser::new(side(area.height), side(area.width), 0)
}

fn painter() -> Painter {
    let mut painter = Painter::new();
    painter.depth = Depth::True;
    painter
}

fn paint(painter: &mut Painter, next: &Buffer, cursor: Option<Position>) -> Vec<u8> {
    let mut out = Vec::new();
    painter.paint(next, cursor, &mut out, |_, _| {});
    out
}

fn seen(colour: Color) -> vt100::Color {
    match colour {
        Color::Reset => vt100::Color::Default,
        Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
        Color::Indexed(index) => vt100::Color::Idx(index),
        Color::Red => vt100::Color::Idx(1),
        Color::LightCyan => vt100::Color::Idx(14),
        other => panic!("{other} is not used here"),
    }
}

/// The terminal shows what the buffer holds.
fn compare(terminal: &vt100::Parser, buffer: &Buffer) -> Result<(), TestCaseError> {
    let mut covered = 0;
    for at in buffer.area.positions() {
        let meant = &buffer[at];
        let cell = terminal.screen().cell(at.y, at.x).expect("inside");
        if at.x == 0 {
            covered = 0;
        }
        if covered > 0 {
            covered -= 1;
            continue;
        }
        covered = width(meant) - 1;
        let symbol = if meant.symbol() == HOLE { " " } else { meant.symbol() };
        let shown = if cell.has_contents() { cell.contents() } else { " " };
        prop_assert_eq!(shown, symbol, "at {:?}", at);
        prop_assert_eq!(cell.bgcolor(), seen(meant.bg), "at {:?}", at);
        let has = |modifier| meant.modifier.contains(modifier);
        prop_assert_eq!(cell.inverse(), has(Modifier::REVERSED), "at {:?}", at);
        prop_assert_eq!(cell.underline(), has(Modifier::UNDERLINED), "at {:?}", at);
        if symbol != " " {
            prop_assert_eq!(cell.fgcolor(), seen(meant.fg), "at {:?}", at);
            // The oracle knows one intensity, the last one set.
            if !has(Modifier::BOLD | Modifier::DIM) {
                prop_assert_eq!(cell.bold(), has(Modifier::BOLD), "at {:?}", at);
                prop_assert_eq!(cell.dim(), has(Modifier::DIM), "at {:?}", at);
            }
            prop_assert_eq!(cell.italic(), has(Modifier::ITALIC), "at {:?}", at);
        }
    }
    Ok(())
}

fn style() -> impl Strategy<Value = Style> {
    let colour = || {
        prop_oneof![
            3 => Just(Color::Reset),
            1 => Just(Color::Red),
            1 => Just(Color::LightCyan),
            1 => Just(Color::Indexed(200)),
            1 => Just(Color::Rgb(1, 2, 3)),
        ]
    };
    let modifier = prop::sample::select(vec![
        Modifier::empty(),
        Modifier::BOLD,
        Modifier::DIM,
        Modifier::BOLD | Modifier::DIM,
        Modifier::ITALIC | Modifier::UNDERLINED,
        Modifier::REVERSED,
    ]);
    (colour(), colour(), modifier).prop_map(|(fg, bg, modifier)| Style::new().fg(fg).bg(bg).add_modifier(modifier))
}

fn buffer() -> impl Strategy<Value = Buffer> {
    let text = prop::sample::select(vec![
        "plain text",
        "                        ",
        "            x",
        "wide 漢字 text",
        "e\u{301}tude",
        "\u{a0}\u{a0}\u{a0}",
        "─────────────",
    ]);
    prop::collection::vec((0..AREA.width, 0..AREA.height, text, style()), 0..12).prop_map(|writes| {
        let mut buffer = Buffer::empty(AREA);
        for (x, y, text, style) in writes {
            buffer.set_string(x, y, text, style);
        }
        // As ratatui has it: behind a wide character stands a blank of the same style.
        for y in 0..AREA.height {
            for x in 0..AREA.width {
                if width(&buffer[(x, y)]) == 2 {
                    if x + 1 == AREA.width {
                        buffer[(x, y)].set_symbol(" ");
                    } else {
                        let style = buffer[(x, y)].style();
                        buffer[(x + 1, y)].set_symbol(" ").set_style(style);
                    }
                }
            }
        }
        buffer
    })
}

proptest! {
    #[test]
    fn the_terminal_shows_what_was_meant(
        frames in prop::collection::vec(
            (buffer(), prop::option::of((0..AREA.width, 0..AREA.height))),
            1..5,
        ),
        erase_fills in any::<bool>(),
        forget in prop::option::of((0_u16..20, 0_u16..4, 1_u16..9, 1_u16..4)),
    ) {
        let mut painter = painter();
        painter.erase_fills = erase_fills;
        let mut terminal = terminal(AREA);
        terminal.process(b"rubbish\x1b[31;4mmore");
        for (buffer, cursor) in frames {
            let cursor = cursor.map(Position::from);
            terminal.process(&paint(&mut painter, &buffer, cursor));
            compare(&terminal, &buffer)?;
            prop_assert_eq!(terminal.screen().hide_cursor(), cursor.is_none());
            if let Some(at) = cursor {
                prop_assert_eq!(terminal.screen().cursor_position(), (at.y, at.x));
            }
            prop_assert_eq!(paint(&mut painter, &buffer, cursor), b"", "the same again");
            if let Some((x, y, width, height)) = forget {
                painter.forget(Rect::new(x, y, width, height));
                terminal.process(&paint(&mut painter, &buffer, cursor));
                compare(&terminal, &buffer)?;
            }
        }
    }
}

#[test]
fn small_changes_cost_little() {
    let area = Rect::new(0, 0, 120, 40);
    let row = |buffer: &mut Buffer, y: u16, status: &str, chosen: bool| {
        let style = if chosen { Style::new().bg(Color::Rgb(40, 44, 60)) } else { Style::new() };
        buffer.set_style(Rect::new(1, y, 70, 1), style);
        let text = format!("{status:<12} 12 s  nano-banana    16:9  a red fox in the snow");
        buffer.set_string(2, y, text, style.fg(Color::Rgb(200, 200, 200)));
    };
    let mut painter = painter();
    painter.erase_fills = true;
    let mut first = Buffer::empty(area);
    for y in 2..30 {
        row(&mut first, y, "queued", y == 9);
    }
    paint(&mut painter, &first, None);

    let mut next = first.clone();
    row(&mut next, 12, "handling", false);
    let status = paint(&mut painter, &next, None);
    assert!(status.len() < 30, "{}", status.escape_ascii());

    let mut moved = next.clone();
    row(&mut moved, 9, "queued", false);
    row(&mut moved, 10, "queued", true);
    let cursor = paint(&mut painter, &moved, None);
    assert!(cursor.len() < 200, "{} bytes", cursor.len());

    assert_eq!(paint(&mut painter, &moved, None), b"");
}

#[test]
fn a_new_size_is_drawn_anew() {
    let mut painter = painter();
    for (width, height) in [(10, 3), (1, 1), (200, 60), (0, 0), (5, 2)] {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        if area.area() > 0 {
            buffer.set_string(0, 0, "hello", Style::new());
        }
        let out = paint(&mut painter, &buffer, Some(Position::new(9, 9)));
        assert!(out.starts_with(b"\x1b[m\x1b[2J"));
        if area.area() > 0 {
            let mut terminal = terminal(area);
            terminal.process(&out);
            assert!(compare(&terminal, &buffer).is_ok());
        }
    }
}

#[test]
fn nothing_is_erased_beside_a_picture_in_tmux() {
    let area = Rect::new(0, 0, 80, 3);
    let mut first = Buffer::empty(area);
    for y in 0..3 {
        first.set_string(0, y, "a".repeat(40), Style::new());
    }
    first[(70, 1)].set_symbol(HOLE);
    let mut next = Buffer::empty(area);
    next[(70, 1)].set_symbol(HOLE);
    for (tmux, erased) in [(false, 3), (true, 2)] {
        let mut painter = painter();
        painter.tmux = tmux;
        paint(&mut painter, &first, None);
        let out = paint(&mut painter, &next, None);
        let mut terminal = terminal(area);
        terminal.process(&paint(&mut self::painter(), &first, None));
        terminal.process(&out);
        assert_eq!(terminal.screen().contents().trim(), "");
        assert_eq!(out.windows(4).filter(|bytes| *bytes == b"[40X").count(), erased);
    }
}

#[test]
fn a_cell_cannot_steer_the_terminal() {
    let mut buffer = Buffer::empty(AREA);
    buffer[(0, 0)].set_symbol("\x1b]0;hi\x07");
    buffer[(1, 0)].set_symbol("\u{9b}31m");
    disarm(&mut buffer);
    let out = paint(&mut painter(), &buffer, None);
    let text = String::from_utf8(out).expect("text");
    assert!(text.ends_with("\u{fffd}\u{fffd}"), "{text:?}");
}

#[test]
fn placeholders_keep_their_number_without_colours() {
    let mut buffer = Buffer::empty(AREA);
    buffer[(0, 0)].set_symbol("\u{10EEEE}\u{305}\u{305}").set_fg(Color::Rgb(1, 2, 3));
    let mut painter = painter();
    painter.depth = Depth::None;
    let out = paint(&mut painter, &buffer, None);
    assert!(out.escape_ascii().to_string().contains("38;2;1;2;3m"));
}
