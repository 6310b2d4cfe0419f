//! The terminal of glass itself: sequences written by hand, and what they must come to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use glass::brand::{self, Brand};
use glass::grid::{Paint, Rect};
use glass::holders::marks;
use glass::look::psnr;
use glass::{Glass, Way};
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

const RED: Rgba<u8> = Rgba([255, 0, 0, 255]);
const BLUE: Rgba<u8> = Rgba([0, 0, 255, 255]);
const BLACK: Rgba<u8> = Rgba([0, 0, 0, 255]);

/// 20 columns and 6 rows of 4x6 pixels.
fn window(brand: &'static Brand) -> Glass {
    Glass::new(brand, 20, 6, (4, 6))
}

fn fed(brand: &'static Brand, bytes: impl AsRef<[u8]>) -> Glass {
    let mut glass = window(brand);
    glass.feed(bytes.as_ref());
    glass
}

fn answers(mut glass: Glass, question: &str) -> String {
    glass.feed(question.as_bytes());
    String::from_utf8(glass.take_answers()).expect("text")
}

fn area(left: u16, top: u16, columns: u16, rows: u16) -> Rect {
    Rect { left, top, columns, rows }
}

/// Which cells show a picture, as text.
fn map(glass: &Glass) -> Vec<String> {
    let digit =
        |owner: Option<usize>| owner.map_or('.', |owner| char::from_digit(owner as u32 % 36, 36).expect("small"));
    glass.owners().into_iter().map(|row| row.into_iter().map(digit).collect::<String>()).collect()
}

fn plain(wide: u32, high: u32, colour: Rgba<u8>) -> RgbaImage {
    RgbaImage::from_pixel(wide, high, colour)
}

fn file(picture: &RgbaImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageRgba8(picture.clone()).to_rgb8().write_to(&mut bytes, format).expect("encodes");
    bytes.into_inner()
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn kitty(keys: &str, data: &[u8]) -> String {
    format!("\x1b_G{keys};{}\x1b\\", base64(data))
}

fn through(sequence: &str) -> String {
    format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"))
}

/// Two by two pixels of red as a whole kitty command.
fn small(keys: &str) -> String {
    kitty(&format!("f=24,s=2,v=2,{keys}"), &[255, 0, 0].repeat(4))
}

#[test]
fn text_goes_where_it_is_sent() {
    let glass = fed(&brand::PLAIN, "one\r\ntwo\x1b[4;3Hx漢y\x1b[1;2H\x1b[31;48;2;1;2;3mN\x1b[m\x1b[3Cz");
    assert_eq!(glass.grid().text().trim_end(), "oNe  z\ntwo\n\n  x漢y");
    let pen = glass.grid().cell(1, 0).pen;
    assert_eq!((pen.fg, pen.bg), (Paint::Index(1), Paint::Rgb([1, 2, 3])));
    assert!(glass.grid().cell(4, 3).tail);
    assert_eq!(glass.grid().find("漢"), Some((3, 3)));
    // Half a wide character is none.
    let glass = fed(&brand::PLAIN, "漢字\x1b[1;2Hx");
    assert_eq!(glass.grid().line(0), " x字");
    // Marks join the character before them, wherever the cursor hangs.
    let glass = fed(&brand::PLAIN, format!("e\u{301}{}u\u{308}\x1b[5n", " ".repeat(18)));
    assert_eq!(glass.grid().cell(0, 0).text, "e\u{301}");
    assert_eq!(glass.grid().cell(19, 0).text, "u\u{308}");
    assert_eq!(glass.grid().cursor, (19, 0));
}

#[test]
fn text_is_erased_and_scrolls() {
    let letters = "abcdef\r\n".repeat(5) + "abcdef";
    let glass = fed(&brand::PLAIN, letters.clone() + "\x1b[2;3H\x1b[2X\x1b[3;3H\x1b[K\x1b[4;3H\x1b[1K\x1b[5;3H\x1b[J");
    assert_eq!(glass.grid().text(), "abcdef\nab  ef\nab\n   def\nab\n\n");
    let glass = fed(&brand::PLAIN, "1\r\n2\r\n3\r\n4\r\n5\r\n6\r\n7");
    assert_eq!(glass.grid().text(), "2\n3\n4\n5\n6\n7\n");
    let glass = fed(&brand::PLAIN, "1\r\n2\r\n3\r\n4\r\n5\r\n6\x1b[2;4r\x1b[2H\x1b[M\x1b[S\x1b[T");
    assert_eq!(glass.grid().text(), "1\n\n4\n\n5\n6\n");
    // Erasing fills with the background.
    let glass = fed(&brand::PLAIN, "\x1b[44m\x1b[2J");
    assert_eq!(glass.pixels(area(19, 5, 1, 1)), plain(4, 6, Rgba([0, 0, 238, 255])));
}

#[test]
fn modes_and_the_other_screen() {
    let mut glass = fed(&brand::PLAIN, "first\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?2026h\x1b[>1u");
    assert!(glass.on_other_screen() && glass.modes.no_cursor && glass.modes.paste && glass.modes.keyboard == 1);
    assert!(!glass.at_rest(), "an update is held back");
    assert_eq!(glass.grid().text().trim_end(), "");
    glass.feed(b"second\x1b[?2026l\x1b[<u\x1b[?2004l\x1b[?1049l\x1b[?25h");
    assert_eq!(glass.grid().line(0), "first");
    assert_eq!(glass.modes, glass::Modes::default());
    assert!(glass.at_rest());
    glass.feed(b"\x1b[3");
    assert!(!glass.at_rest());
}

#[test]
fn each_brand_answers_as_measured() {
    let questions = "\x1b[>q\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\\x1b[16t\x1b[14t\x1b[18t\x1b[?2;1;0S\
                     \x1b]11;?\x1b\\\x1b[?2026$p\x1b[?u\x1b[5n\x1b[6n\x1b[c";
    let sizes = "\x1b[6;6;4t\x1b[4;36;80t\x1b[8;6;20t";
    let (black, end) = ("\x1b]11;rgb:0000/0000/0000\x1b\\", "\x1b[0n\x1b[1;1R");
    let ok = "\x1b_Gi=31;OK\x1b\\";
    let said = |brand| answers(window(brand), questions);
    assert_eq!(
        said(&brand::KITTY),
        format!("\x1bP>|kitty(0.41.1)\x1b\\{ok}{sizes}{black}\x1b[?2026;2$y\x1b[?0u{end}\x1b[?62;c")
    );
    assert_eq!(
        said(&brand::XTERM),
        format!("\x1bP>|XTerm(398)\x1b\\\x1b[?2;0;80;36S{black}\x1b[?2026;0$y{end}\x1b[?63;1;2;4;6;9;15;16;22;28c")
    );
    assert_eq!(
        said(&brand::FOOT),
        format!(
            "\x1bP>|foot(1.21.0)\x1b\\{sizes}\x1b[?2;0;80;36S\x1b]11;rgb:2424/2424/2424\x1b\\\
             \x1b[?2026;2$y\x1b[?0u{end}\x1b[?62;4;22;28c"
        )
    );
    assert_eq!(
        said(&brand::KONSOLE),
        format!("\x1bP>|Konsole 25.04.2\x1b\\{ok}{sizes}\x1b[?2;0;16384;16384S{black}{end}\x1b[?62;1;4c")
    );
    assert_eq!(said(&brand::MUTE), "");
    for brand in brand::ALL {
        assert!(fed(brand, questions).complaints.is_empty(), "questions are welcome in {}", brand.name);
    }
}

#[test]
fn tmux_answers_for_itself_and_passes_the_rest() {
    let tmux = |passes| window(&brand::KITTY).in_tmux(passes);
    assert_eq!(answers(tmux(true), "\x1b[>q\x1b[?2;1;0S\x1b[c"), "\x1bP>|tmux 3.5a\x1b\\\x1b[?2;3;0S\x1b[?1;2;4c");
    assert_eq!(answers(tmux(true), &small("a=q,i=1")), "", "it eats what it does not know");
    assert_eq!(answers(tmux(true), &through("\x1b[>q")), "\x1bP>|kitty(0.41.1)\x1b\\");
    assert_eq!(answers(tmux(true), &through(&small("a=q,i=1"))), "\x1b_Gi=1;OK\x1b\\");
    assert_eq!(answers(tmux(false), &through("\x1b[c")), "");
    let mute = window(&brand::MUTE).in_tmux(true);
    assert_eq!(answers(mute, &("\x1b[c".to_owned() + &through("\x1b[c"))), "\x1b[?1;2;4c");
    // An ESC that is not doubled is lost.
    let mut glass = tmux(true);
    glass.feed(b"\x1bPtmux;\x1b[c\x1b\\");
    assert_eq!(glass.take_answers(), b"");
    assert!(!glass.complaints.is_empty());
    let glass = fed(&brand::KITTY, through("\x1b[c"));
    assert!(!glass.complaints.is_empty(), "there is no tmux");
}

#[test]
fn kitty_pictures_come_in_every_form() {
    let rgb: Vec<u8> = (0..4 * 6 * 3).collect();
    let rgba: Vec<u8> = rgb.chunks(3).flat_map(|pixel| [pixel[0], pixel[1], pixel[2], 255]).collect();
    let meant = RgbaImage::from_raw(4, 6, rgba.clone()).expect("pixels");
    let mut zipped = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut zipped, &rgb).expect("memory");
    let zipped = zipped.finish().expect("memory");
    for command in [
        kitty("a=T,i=7,f=24,s=4,v=6,q=2", &rgb),
        kitty("a=T,i=7,f=32,s=4,v=6,q=2", &rgba),
        kitty("a=T,i=7,s=4,v=6,q=2", &rgba),
        kitty("a=T,i=7,f=24,o=z,s=4,v=6,q=2", &zipped),
        kitty("a=T,i=7,f=100,q=2", &file(&meant, ImageFormat::Png)),
        kitty("a=t,i=7,f=24,s=4,v=6,q=2", &rgb) + "\x1b_Ga=p,i=7,q=2\x1b\\",
    ] {
        let glass = fed(&brand::KITTY, format!("\x1b[2;3H{command}"));
        assert_eq!(glass.complaints, Vec::<String>::new());
        assert_eq!(glass.pixels(area(2, 1, 1, 1)), meant);
        assert_eq!(map(&glass)[1], "..0.................");
        assert_eq!(glass.kept(), [7]);
        assert_eq!((glass.arrived[0].way, glass.arrived[0].size), (Way::Kitty, (4, 6)));
    }
}

#[test]
fn kitty_pictures_come_in_pieces_with_text_between() {
    let data = base64(&[255, 0, 0].repeat(24));
    let (first, rest) = data.split_at(40);
    let (second, third) = rest.split_at(40);
    let begin = format!("\x1b_Ga=T,i=7,f=24,s=4,v=6,q=2,C=1,m=1;{first}\x1b\\text");
    let mut glass = fed(&brand::KITTY, &begin);
    assert!(!glass.at_rest() && glass.kept().is_empty());
    glass.feed(format!("\x1b_Gm=1;{second}\x1b\\\x1b_Gm=0,q=2;{third}\x1b\\").as_bytes());
    assert!(glass.at_rest());
    assert_eq!((glass.kept(), glass.complaints.len()), (vec![7], 0));
    assert_eq!(glass.pixels(area(4, 0, 1, 1)), plain(4, 6, RED), "where the cursor is at the end");
    assert_eq!(glass.grid().line(0), "text");
    // Broken off, in either way; the next picture loads.
    for end in ["\x1b_Gm=0,q=2\x1b\\", "\x1b_Ga=d,d=I,i=7,q=2\x1b\\\x1b_Gm=0,q=2\x1b\\"] {
        let mut glass = fed(&brand::KITTY, begin.clone() + end);
        assert_eq!((glass.kept(), glass.store().broken_off, glass.complaints.len()), (vec![], 1, 0));
        glass.feed(small("a=T,i=8,q=2").as_bytes());
        assert_eq!(glass.kept(), [8]);
    }
    // What real terminals take silently.
    let wrong = |bytes: String| assert_eq!(fed(&brand::KITTY, bytes).complaints.len(), 1);
    wrong(begin.clone() + &small("a=T,i=8,q=2"));
    wrong(format!("\x1b_Ga=T,f=100,m=1;{}\x1b\\", "A".repeat(4100)));
    wrong(begin + "\x1b_Gm=1;AAA\x1b\\");
    wrong("\x1b_Ga=T,f=24,s=9,v=9,q=2;AAAA\x1b\\".into());
    wrong("\x1b_Ga=p,i=9,q=2\x1b\\".into());
    wrong(small("a=T,i=8").replace("\x1b\\", "\x1b[H"));
    assert_eq!(fed(&brand::FOOT, small("a=T,i=8,q=2")).complaints.len(), 1);
}

#[test]
fn kitty_says_ok_or_why_not() {
    let said = |command: &str| answers(window(&brand::KITTY), command);
    assert_eq!(said(&small("a=T,i=5")), "\x1b_Gi=5;OK\x1b\\");
    assert_eq!(said(&small("a=T,I=6")), "\x1b_Gi=0,I=6;OK\x1b\\");
    assert_eq!(said(&small("a=T,i=5,q=1")), "");
    assert_eq!(said(&small("a=T")), "");
    assert!(said("\x1b_Ga=p,i=5,q=1\x1b\\").contains("ENOENT"));
    assert_eq!(said("\x1b_Ga=p,i=5,q=2\x1b\\"), "");
}

#[test]
fn kitty_placements_have_cells_and_a_depth() {
    // Stretched to two by two cells, under the text, and under coloured cells as well.
    let deep = small("a=T,i=1,c=2,r=2,C=1,z=-1073741900,q=2");
    let mut glass = fed(&brand::KITTY, format!("\x1b[2;2H{deep}a\x1b[44m \x1b[m"));
    assert_eq!(map(&glass)[1..3], [".0..................", ".00................."]);
    assert_eq!(glass.pixels(area(2, 2, 1, 1)), plain(4, 6, RED));
    assert_eq!(glass.pixels(area(2, 1, 1, 1)), plain(4, 6, Rgba([0, 0, 238, 255])), "the background is above");
    let letter = glass.pixels(area(1, 1, 1, 1));
    assert!(letter != plain(4, 6, RED) && letter.pixels().any(|pixel| *pixel == RED), "a letter on a picture");
    // A blank without colour lets it through again; nothing was sent.
    glass.feed(b"\x1b[2;3H ");
    assert_eq!(map(&glass)[1], ".00.................");
    // Less deep: above backgrounds. Not deep at all: above text.
    let at = |z: i32| {
        let placed = small(&format!("a=T,i=1,c=1,r=1,C=1,z={z},q=2"));
        fed(&brand::KITTY, format!("{placed}\x1b[44mx")).pixels(area(0, 0, 1, 1))
    };
    assert!(at(-1).pixels().any(|pixel| *pixel == RED));
    assert_eq!(at(0), plain(4, 6, RED));
    // The cursor goes behind it, or stays.
    assert_eq!(fed(&brand::KITTY, small("a=T,i=1,c=3,r=2,q=2")).grid().cursor, (3, 1));
    assert_eq!(fed(&brand::KITTY, small("a=T,i=1,c=3,r=2,C=1,q=2")).grid().cursor, (0, 0));
    // A part of it, pixels from the corner of the cell.
    let two = kitty("a=T,i=2,f=24,s=2,v=1,x=1,y=0,w=1,h=1,X=3,Y=5,q=2", &[255, 0, 0, 0, 0, 255]);
    let shown = fed(&brand::KITTY, two).pixels(area(0, 0, 1, 1));
    assert_eq!((*shown.get_pixel(3, 5), *shown.get_pixel(2, 5)), (BLUE, BLACK));
    // Clearing takes placements, and keeps pictures; scrolling moves them.
    let mut glass = fed(&brand::KITTY, format!("\x1b[3H{}\x1b[6H\n", small("a=T,i=1,c=1,r=1,q=2")));
    assert_eq!(map(&glass)[1], "0...................");
    glass.feed(b"\x1b[2J");
    assert_eq!((glass.around(|_| true), glass.kept()), (None, vec![1]));
}

#[test]
fn placeholders_show_their_part() {
    assert_eq!(marks().len(), 297);
    // Two by one cells, the left one red and the right one blue.
    let mut pixels = plain(8, 6, RED);
    (4..8).for_each(|x| (0..6).for_each(|y| pixels.put_pixel(x, y, BLUE)));
    let id = 0x2a_01_02_03_u32;
    let sent = kitty(&format!("a=T,U=1,i={id},f=100,c=2,r=1,q=2"), &file(&pixels, ImageFormat::Png));
    let (zero, one, high) = (marks()[0], marks()[1], marks()[0x2a]);
    let colour = "\x1b[38;2;1;2;3m";
    let cell = "\u{10eeee}";
    let mut glass = fed(&brand::KITTY, &sent);
    assert_eq!((glass.grid().cursor, glass.around(|_| true)), ((0, 0), None));
    glass.feed(format!("{colour}{cell}{zero}{zero}{high}{cell}\r\n{cell}{zero}{one}{high}\r\n").as_bytes());
    glass.feed(format!("{cell}{zero}{zero}{high}{cell}{zero}\x1b[m{cell}\r\n{colour}{cell}{zero}{zero}").as_bytes());
    assert_eq!(map(&glass)[0], "00..................");
    assert_eq!(glass.pixels(area(0, 0, 1, 1)), plain(4, 6, RED));
    assert_eq!(glass.pixels(area(1, 0, 1, 1)), plain(4, 6, BLUE), "what it does not say its neighbour does");
    assert_eq!(glass.pixels(area(0, 1, 1, 1)), plain(4, 6, BLUE));
    assert_eq!(glass.pixels(area(1, 2, 1, 1)), plain(4, 6, BLUE));
    assert_eq!(glass.boxes(), 2, "another colour and a missing byte are another picture");
    // The picture keeps its shape, in the middle.
    let flat = kitty("a=T,U=1,i=5,f=24,s=1,v=1,c=4,r=1,q=2", &[255, 0, 0]);
    let holders: String = (0..4).map(|x| format!("{cell}{zero}{}", marks()[x])).collect();
    let glass = fed(&brand::KITTY, format!("{flat}\x1b[38;5;5m{holders}"));
    let shown = glass.pixels(area(0, 0, 4, 1));
    let red: Vec<u32> = (0..16).filter(|x| *shown.get_pixel(*x, 3) == RED).collect();
    assert_eq!(red, (5..11).collect::<Vec<_>>());
    // A placement by its own number, in the colour of the line.
    let place = format!("{}\x1b_Ga=p,U=1,i=5,p=9,c=1,r=1,q=2\x1b\\", kitty("a=t,i=5,f=24,s=1,v=1,q=2", &[0, 0, 255]));
    let glass =
        fed(&brand::KITTY, format!("{place}\x1b[38;5;5;58:5:9m{cell}{zero}{zero}\x1b[58:5:8m{cell}{zero}{zero}"));
    assert_eq!((map(&glass)[0].as_str(), glass.boxes()), ("0...................", 1));
    // Who does not know them draws boxes; text over them is text.
    let glass = fed(&brand::KONSOLE, format!("{flat}\x1b[38;5;5m{holders}"));
    assert_eq!((glass.boxes(), glass.around(|_| true)), (4, None));
    let glass = fed(&brand::KITTY, format!("{flat}\x1b[38;5;5m{holders}\x1b[H\x1b[39mab"));
    assert_eq!(map(&glass)[0], "..00................");
    // Through tmux, where the text is tmux's.
    let mut glass = window(&brand::KITTY).in_tmux(true);
    glass.feed(format!("{}\x1b[38;5;5m{holders}", through(&flat)).as_bytes());
    assert_eq!(map(&glass)[0], "0000................");
}

#[test]
fn kitty_deletes_what_is_meant() {
    let place =
        |id: u32, x: u16, z: i32| format!("\x1b[2;{x}H{}", small(&format!("a=T,i={id},p=1,c=2,r=2,C=1,z={z},q=2")));
    let all = place(1, 1, 0) + &place(2, 6, -5) + &place(3, 11, 0) + "\x1b[3;7H";
    let left = |delete: &str| {
        let glass = fed(&brand::KITTY, format!("{all}\x1b_Ga=d,{delete},q=2\x1b\\"));
        assert_eq!(glass.complaints, Vec::<String>::new());
        let shown: Vec<u32> = glass.store().places.iter().map(|place| place.id).collect();
        (shown, glass.kept())
    };
    assert_eq!(left("d=a"), (vec![], vec![1, 2, 3]));
    assert_eq!(left("d=A"), (vec![], vec![]));
    assert_eq!(left("d=i,i=2"), (vec![1, 3], vec![1, 2, 3]));
    assert_eq!(left("d=I,i=2"), (vec![1, 3], vec![1, 3]));
    assert_eq!(left("d=I,i=2,p=7"), (vec![1, 2, 3], vec![1, 2, 3]));
    assert_eq!(left("d=c"), (vec![1, 3], vec![1, 2, 3]));
    assert_eq!(left("d=C"), (vec![1, 3], vec![1, 3]));
    assert_eq!(left("d=p,x=12,y=3"), (vec![1, 2], vec![1, 2, 3]));
    assert_eq!(left("d=x,x=2"), (vec![2, 3], vec![1, 2, 3]));
    assert_eq!(left("d=Y,y=2"), (vec![], vec![]));
    assert_eq!(left("d=z,z=-5"), (vec![1, 3], vec![1, 2, 3]));
    assert_eq!(left("d=R,x=2,y=3"), (vec![1], vec![1]));
    let glass = fed(&brand::KITTY, small("a=T,U=1,i=4,c=1,r=1,q=2") + "\x1b_Ga=d,q=2\x1b\\");
    assert_eq!(glass.store().places.len(), 1, "placeholders are not on the screen");
}

#[test]
fn kitty_forgets_the_oldest_when_it_is_full() {
    let mut glass = window(&brand::KITTY);
    // A picture of two by two pixels is 16 bytes.
    glass.set_quota(40);
    for id in 1..=2 {
        glass.feed(small(&format!("a=t,i={id},q=2")).as_bytes());
    }
    glass.feed(b"\x1b_Ga=p,i=1,q=2\x1b\\");
    glass.feed(small("a=t,i=3,q=2").as_bytes());
    assert_eq!((glass.kept(), glass.store().bytes()), (vec![1, 3], 32));
}

#[test]
fn sixel_is_read_as_it_is_drawn() {
    // Two colours, one by red, green and blue, one by hue; runs, a return, a new line; then nothing of one pixel.
    let data = "\x1bP0;1q\"1;1;4;12#1;2;100;0;0!4N$#2;1;0;50;100!3o-#1~~?~\x1b\\";
    let glass = fed(&brand::XTERM, format!("\x1b[2;2H{data}"));
    assert_eq!(glass.complaints, Vec::<String>::new());
    assert_eq!(map(&glass)[1..4], [".0..................", ".0..................", "...................."]);
    let shown = glass.pixels(area(1, 1, 1, 2));
    let rows: Vec<String> = (0..12)
        .map(|y| {
            (0..4)
                .map(|x| match *shown.get_pixel(x, y) {
                    RED => 'r',
                    BLUE => 'b',
                    BLACK => '.',
                    _ => '?',
                })
                .collect()
        })
        .collect();
    let mut meant = vec!["rrrr"; 4];
    meant.extend(["bbb."; 2]);
    meant.extend(["rr.r"; 6]);
    // N sets the lower four of the first five rows but not the first: written bit by bit.
    meant[0] = "rrrr";
    assert_eq!(rows, meant);
}

#[test]
fn sixel_fills_or_leaves_what_is_not_set() {
    let hole = |brand: &'static Brand, second: &str| {
        let first = "\x1bPq#1;2;100;0;0!4~\x1b\\\x1b[H";
        fed(brand, format!("{first}\x1bP0;{second}q\"1;1;4;6#1;2;0;0;100~\x1b\\")).pixels(area(0, 0, 1, 1))
    };
    let white = Box::leak(Box::new(Brand { colours: Some(([0; 3], [255; 3])), ..brand::XTERM }));
    assert_eq!(*hole(&brand::FOOT, "1").get_pixel(2, 2), RED, "left as it was");
    assert_eq!(*hole(white, "0").get_pixel(2, 2), Rgba([255; 4]), "filled with the background");
    assert_eq!(*hole(&brand::FOOT, "0").get_pixel(2, 2), BLACK, "whatever the background");
    assert_eq!(*hole(&brand::FOOT, "1").get_pixel(0, 0), BLUE);
}

#[test]
fn what_is_no_sixel_is_noticed() {
    for wrong in ["\x1bPq#1;2;0~\x1b\\", "\x1bPq!9\x1b\\", "\x1bPq\x7f\x1b\\", "\x1bPq#999~\x1b\\", "\x1bPq\x1b\\"] {
        assert_eq!(fed(&brand::XTERM, wrong).complaints.len(), 1, "{wrong:?}");
    }
    assert_eq!(fed(&brand::PLAIN, "\x1bPq~\x1b\\").complaints.len(), 1);
    assert!(fed(&brand::XTERM, "\x1bP$qm\x1b\\").complaints.is_empty(), "another kind of string");
}

/// Four by eighteen pixels of red: one column of three rows.
const COLUMN: &str = "\x1bP0;1q\"1;1;4;18#1;2;100;0;0!4~-!4~-!4~\x1b\\";

#[test]
fn pixels_go_with_their_cells() {
    // Text takes them away, erasing too, only where it is.
    let glass = fed(&brand::XTERM, format!("\x1b[2;2H{COLUMN}\x1b[3;1Habc"));
    assert_eq!(map(&glass)[1..4], [".0..................", "....................", ".0.................."]);
    assert_eq!(glass.grid().line(2), "abc");
    let glass = fed(&brand::XTERM, format!("\x1b[2;2H{COLUMN}\x1b[3;1H\x1b[K\x1b[2H\x1b[X"));
    assert_eq!(map(&glass)[1..4], [".0..................", "....................", ".0.................."]);
    // The cursor ends in the last row; at the bottom the screen scrolls, and what was drawn goes along.
    assert_eq!(fed(&brand::XTERM, COLUMN).grid().cursor, (0, 2));
    let glass = fed(&brand::XTERM, format!("top\x1b[2;9H{COLUMN}\x1b[5;3H{COLUMN}"));
    assert_eq!((glass.pushed, glass.grid().line(0)), (1, String::new()));
    assert_eq!(map(&glass)[0], "........0...........");
    assert_eq!(map(&glass)[3..], ["..1.................", "..1.................", "..1................."]);
    let glass = fed(&brand::XTERM, format!("{COLUMN}\x1b[2J"));
    assert_eq!((glass.around(|_| true), glass.clears), (None, 1));
    // Konsole keeps them under the text.
    let mut glass = fed(&brand::KONSOLE, format!("{COLUMN}\x1b[Hab\x1b[2;1H\x1b[44m \x1b[m"));
    assert_eq!(map(&glass)[..3], ["....................", "....................", "0..................."]);
    glass.feed(b"\x1b[H  \x1b[2H\x1b[K");
    assert_eq!(map(&glass)[..3], ["0...................", "0...................", "0..................."]);
    glass.feed(b"\x1b[2J");
    assert_eq!(glass.around(|_| true), None);
}

/// As tmux 3.5a does it with cells of 10x19 pixels: 57 pixel rows, which are three cells, become 60, which are four.
#[test]
fn tmux_rounds_up_to_bands_and_then_to_cells() {
    let after = |high: u32| {
        let mut glass = Glass::new(&brand::FOOT, 20, 12, (10, 19)).in_tmux(true);
        let bands = "#1;2;100;0;0!20~-".repeat(high as usize / 6);
        let rest = format!("!20{}", char::from(b'?' + (1 << (high % 6)) - 1));
        glass.feed(format!("\x1bPq\"1;1;20;{high}{bands}#1{rest}\x1b\\").as_bytes());
        let red = glass.shot().enumerate_pixels().filter(|(x, _, pixel)| *x == 5 && **pixel == RED).count();
        let clear = glass.shot().enumerate_pixels().filter(|(x, _, pixel)| *x == 5 && **pixel == BLACK).count();
        (glass.grid().cursor.1, red, clear)
    };
    // Cells, pixel rows of the picture, and those that became black because they were not set.
    assert_eq!(after(114), (6, 114, 0));
    assert_eq!(after(57), (4, 54, 18));
    assert_eq!(after(72), (4, 69, 3));
    assert_eq!(after(76), (5, 72, 18));
}

#[test]
fn tmux_loses_sixel_when_a_line_is_touched() {
    let tmux = |bytes: String| {
        let mut glass = window(&brand::FOOT).in_tmux(true);
        glass.feed(format!("\x1b[2;5H{COLUMN}").as_bytes());
        glass.feed(bytes.as_bytes());
        glass
    };
    let shown = |bytes: &str| tmux(bytes.into()).around(|_| true);
    let there = Some(area(4, 1, 1, 3));
    assert_eq!(shown(""), there);
    assert_eq!(shown("\x1b[2;1Habcd\x1b[2;6Hef"), there, "text beside it");
    assert_eq!(shown("\x1b[2;1Habcdef"), None, "text over a part takes all of it");
    assert_eq!(shown("\x1b[2;9H\x1b[3X"), None, "erasing anywhere in one of its lines, too");
    assert_eq!(shown("\x1b[1;9H\x1b[3X"), there);
    assert_eq!(shown("\x1b[3;9H\x1b[K"), None);
    assert_eq!(tmux(String::new()).grid().cursor, (0, 4));
    // Another one of the same place comes on top; of ten the first is forgotten and does not come back.
    let again = |many: usize| format!("\x1b[2;5H{COLUMN}").repeat(many);
    let row = |glass: &Glass| map(glass)[1].clone();
    assert_eq!(row(&tmux(again(1) + "\x1b[6H\x1b[X")), "....1...............");
    let other = format!("\x1b[2;9H{COLUMN}");
    assert_eq!(row(&tmux(again(7) + &other)), "....7...8...........");
    assert_eq!(row(&tmux(other.repeat(9))), "....0...9...........", "still to be seen");
    assert_eq!(row(&tmux(other.repeat(9) + "\x1b[2;9Hx")), "....................");
    // Drawn again it is a multiple of six high, so that what it had in the last rows is squeezed.
    let mut glass = Glass::new(&brand::FOOT, 20, 9, (4, 10)).in_tmux(true);
    glass.feed(COLUMN.as_bytes());
    let shot = glass.shot();
    let red = (0..90).filter(|y| *shot.get_pixel(0, *y) == RED).count();
    assert_eq!(red, 17, "18 of 20 pixels came to 17 of 18");
    // Behind it may be somebody who knows no sixel.
    let mut glass = window(&brand::KITTY).in_tmux(true);
    glass.feed(COLUMN.as_bytes());
    assert_eq!((glass.complaints.len(), glass.around(|_| true)), (1, None));
}

fn inline(options: &str, picture: &[u8]) -> String {
    format!("\x1b]1337;File=inline=1;size={};{options}:{}\x07", picture.len(), base64(picture))
}

#[test]
fn iterm2_pictures_are_fitted_into_their_cells() {
    let picture = file(&plain(8, 4, RED), ImageFormat::Png);
    // Two to one: in four by four cells it is 16 wide and 8 high.
    let glass = fed(&brand::ITERM2, format!("\x1b[2;2H{}", inline("width=4;height=4;doNotMoveCursor=1", &picture)));
    assert_eq!(glass.complaints, Vec::<String>::new());
    assert_eq!(glass.grid().cursor, (1, 1));
    assert_eq!(glass.around(|_| true), Some(area(1, 1, 4, 2)));
    assert_eq!(glass.pixels(area(1, 1, 4, 1)), plain(16, 6, RED));
    let stretched = inline("width=4;height=4;preserveAspectRatio=0", &picture);
    let glass = fed(&brand::ITERM2, stretched);
    assert_eq!((glass.around(|_| true), glass.grid().cursor), (Some(area(0, 0, 4, 4)), (4, 3)));
    for (options, cells) in [("width=auto", (2, 1)), ("width=12px", (3, 1)), ("width=50%;height=auto", (10, 4))] {
        let shown = fed(&brand::WEZTERM, inline(options, &picture)).around(|_| true).expect("a picture");
        assert_eq!((shown.columns, shown.rows), cells, "{options}");
    }
    // JPEG is close enough; text over it takes its cells.
    let photo = file(&plain(40, 24, Rgba([200, 100, 50, 255])), ImageFormat::Jpeg);
    let mut glass = fed(&brand::WEZTERM, inline("width=10;height=4;doNotMoveCursor=1", &photo));
    assert!(psnr(&glass.pixels(area(0, 0, 10, 4)), &plain(40, 24, Rgba([200, 100, 50, 255]))) > 35.0);
    glass.feed(b"\x1b[2;2Hhello");
    assert_eq!(map(&glass)[1], "0.....0000..........");
}

#[test]
fn iterm2_pictures_in_parts() {
    let picture = file(&plain(8, 12, BLUE), ImageFormat::Png);
    let data = base64(&picture);
    let (first, second) = data.split_at(37);
    let begin = format!(
        "\x1b]1337;MultipartFile=inline=1;size={};width=2;height=2;doNotMoveCursor=1\x07\x1b]1337;FilePart={first}\x07",
        picture.len()
    );
    let end = format!("\x1b]1337;FilePart={second}\x1b\\\x1b]1337;FileEnd\x07");
    let mut glass = fed(&brand::ITERM2, format!("{begin}text\r"));
    assert!(!glass.at_rest());
    glass.feed(end.as_bytes());
    assert!(glass.at_rest());
    assert_eq!(glass.pixels(area(0, 0, 2, 2)), plain(8, 12, BLUE));
    assert_eq!(glass.complaints, Vec::<String>::new());
    assert!(!fed(&brand::WEZTERM, begin + &end).complaints.is_empty(), "it knows no parts");
    for wrong in [
        end.clone(),
        inline("", &picture).replace("size=", "size=1"),
        inline("", b"no picture"),
        inline("", &picture).replace("inline=1", "inline=0"),
        "\x1b]1337;File=inline=1\x07".into(),
    ] {
        assert!(!fed(&brand::ITERM2, &wrong).complaints.is_empty(), "{wrong:?}");
    }
    assert_eq!(fed(&brand::XTERM, inline("", &picture)).complaints.len(), 1);
}

#[test]
fn changes_are_seen_and_nothing_else() {
    let mut glass = fed(&brand::XTERM, format!("hello\x1b[2;2H{COLUMN}"));
    let mark = glass.mark();
    glass.feed(b"\x1b[1;1Hhello\x1b[?25l\x1b[6;20H");
    assert_eq!(glass.changed_outside(None, &mark), []);
    glass.feed(b"\x1b[1;2HE\x1b[31ml\x1b[m\x1b[3;2H ");
    assert_eq!(glass.changed_outside(None, &mark), [(1, 0), (2, 0), (1, 2)]);
    assert_eq!(glass.changed_outside(Some(area(0, 0, 5, 1)), &mark), [(1, 2)]);
    assert_eq!(glass.bytes.sixel, COLUMN.len());
    // Another size keeps what fits.
    glass.resize(10, 3);
    assert_eq!((glass.grid().line(0), glass.around(|_| true)), ("hEllo".into(), Some(area(1, 1, 1, 1))));
    assert_eq!(psnr(&plain(2, 2, RED), &plain(2, 2, RED)), 99.0);
    assert!((psnr(&plain(2, 2, BLACK), &plain(2, 2, Rgba([1, 1, 1, 255]))) - 48.13).abs() < 0.01);
}

#[test]
fn half_blocks_have_two_colours() {
    let glass = fed(&brand::PLAIN, "\x1b[38;2;255;0;0;48;2;0;0;255m▀▄\x1b[7m▀");
    let shot = glass.shot();
    let at = |x: u32, y: u32| *shot.get_pixel(x, y);
    assert_eq!([at(0, 0), at(0, 5), at(4, 0), at(4, 5), at(8, 0), at(8, 5)], [RED, BLUE, BLUE, RED, BLUE, RED]);
    assert_eq!(glass.around(|_| true), None);
}

#[test]
fn bytes_may_come_in_any_pieces() {
    let all =
        format!("wide 漢\x1b[2;2H{COLUMN}\x1b[1;9Hx{}", inline("width=1", &file(&plain(4, 6, RED), ImageFormat::Png)));
    let whole = fed(&brand::ITERM2, &all);
    let mut pieces = window(&brand::ITERM2);
    all.as_bytes().iter().for_each(|byte| pieces.feed(&[*byte]));
    assert_eq!(pieces.shot(), whole.shot());
    assert_eq!((pieces.arrived.len(), pieces.complaints.len()), (2, 0));
}
