//! Looking at pictures: the one that fills the screen, closer looks, several outputs, what is no picture.

use kit::desk::Desk;
use plantain::app::{AssetMsg, Dialog, Level, LineFacts, Msg, Slot, Want};
use plantain::domain::{AssetId, Home, LocalId, OutputState, Status};
use plantain::fleet::FleetMsg;
use plantain::graphics::{CellSize, Protocol, Quality, Shape, encode};
use plantain::ui::picture_key;

fn busy(width: u16, height: u16) -> Desk {
    let mut desk = Desk::new(width, height);
    desk.busy().press("esc end").pictures();
    desk
}

/// A finished task with these outputs, all of them here.
fn done(desk: &mut Desk, prompt: &str, outputs: &[(&str, &str)]) -> LocalId {
    let id = desk.send(prompt);
    desk.accepted(id);
    let away = outputs.iter().map(|(role, _)| {
        let mut output = desk.output();
        output.role = (*role).to_owned();
        output
    });
    let away = away.collect();
    desk.report(id, Status::Success, away);
    for (index, (role, format)) in outputs.iter().enumerate() {
        let index = u32::try_from(index).expect("few").try_into().expect("few");
        let picture = matches!(*format, "png" | "jpeg");
        let home = Home {
            file: format!("/pictures/{prompt}-{index}-{role}.{format}"),
            sha256: format!("{:064x}", prompt.len() * 100 + usize::from(index)),
            format: (*format).to_owned(),
            width: picture.then_some(2048),
            height: picture.then_some(1024),
            ..Desk::home(prompt)
        };
        desk.hear(Msg::Fleet(FleetMsg::Fetched { asset: AssetId { task: id, index }, result: Ok(home) }));
    }
    desk.press("esc");
    id
}

fn wanted(desk: &Desk) -> Want {
    desk.state.preview.want.clone().expect("a picture is wanted")
}

fn show(desk: &mut Desk, want: &Want) {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbaImage::from_pixel(160, 90, image::Rgba([90, 140, 60, 255]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("written");
    let pixels = plantain::graphics::decode(&bytes.into_inner()).expect("a png");
    let shape = Shape { protocol: Protocol::KittyDirect, cell: CellSize::GUESS, quality: Quality::Full, tmux: false };
    desk.gallery.insert(std::sync::Arc::new(encode(&pixels, picture_key(want), &shape).expect("encoded")));
}

#[test]
fn a_picture_fills_the_screen() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let mut desk = busy(width, height);
        desk.press("v").later(100);
        let want = wanted(&desk);
        assert_eq!((want.cells.width, want.cells.height), (width, height - 1), "all but the line at the bottom");
        show(&mut desk, &want);
        desk.hear(Msg::Asset(AssetMsg::Encoded(want.clone())));
        let (buf, scene) = desk.draw();
        let placed = scene.pictures.first().expect("it is shown");
        assert!(placed.area.bottom() < buf.area.bottom());
        insta::assert_snapshot!(format!("viewer-{width}x{height}"), desk.screen());
        // What is known of it stands beside it, never over it.
        desk.press("i");
        let beside = wanted(&desk);
        assert!(beside.cells.area() < want.cells.area());
        show(&mut desk, &beside);
        insta::assert_snapshot!(format!("viewer-info-{width}x{height}"), desk.screen());
        desk.press("i esc");
        assert!(desk.state.dialog.is_none());
    }
}

#[test]
fn closer_and_around_and_back() {
    let mut desk = Desk::new(120, 40);
    done(&mut desk, "a fox", &[("image", "png")]);
    desk.pictures().press("v");
    assert_eq!(wanted(&desk).view, None);
    desk.press("1");
    let actual = wanted(&desk).view.expect("a part");
    assert_eq!((actual.scale, actual.rect.width, actual.rect.height), (1.0, 1200, 780), "a pixel for a pixel");
    desk.press("l");
    let right = wanted(&desk).view.expect("a part");
    assert_eq!((right.rect.x, right.rect.y), (actual.rect.x + 300, actual.rect.y));
    desk.press("k k k k");
    assert_eq!(wanted(&desk).view.expect("a part").rect.y, 0, "not beyond the edge");
    for _ in 0..20 {
        desk.press("+");
    }
    assert_eq!(wanted(&desk).view.expect("a part").scale, 16.0);
    for _ in 0..20 {
        desk.press("-");
    }
    assert_eq!(wanted(&desk).view, None, "all of it again");
    desk.press("+ 0");
    assert_eq!(wanted(&desk).view, None);
}

#[test]
fn from_picture_to_picture_past_what_has_none() {
    let mut desk = Desk::new(100, 30);
    let first = done(&mut desk, "first", &[("image", "png")]);
    desk.press("i");
    let between = desk.send("nothing yet");
    desk.press("i");
    let last = done(&mut desk, "the last", &[("image", "png")]);
    assert_eq!(desk.state.table.cursor(), Some(last));
    desk.pictures().press("v n");
    assert_eq!(desk.state.chosen(), Some(first), "{between} has no picture");
    desk.press("n");
    assert_eq!(desk.state.chosen(), Some(first));
    assert!(desk.screen().contains("that was the last picture"));
    desk.press("k");
    assert_eq!(desk.state.chosen(), Some(last), "where all is seen, up and down step through the list");
    desk.press("+ k");
    assert_eq!(desk.state.chosen(), Some(last), "where it is not, they move over the picture");
    desk.press("esc");
    assert_eq!(desk.state.table.cursor(), Some(last), "the table has followed");
    desk.press("v i ?");
    assert!(desk.screen().contains("keys over a picture"));
    desk.press("esc");
    assert!(matches!(&desk.state.dialog, Some(Dialog::Viewer(open)) if open.info), "the help was only in between");
    desk.press("esc");
    desk.press("enter v esc");
    assert!(matches!(desk.state.dialog, Some(Dialog::Detail { id, .. }) if id == last), "back to where it came from");
}

#[test]
fn several_outputs_are_stepped_through() {
    let mut desk = Desk::new(120, 40);
    let roles = [("video", "mp4"), ("first_frame", "png"), ("image", "png"), ("audio", "mp3")];
    done(&mut desk, "a film", &roles);
    desk.pictures();
    assert!(desk.screen().contains("3 of 4"), "the image first: {}", desk.screen());
    desk.press("]");
    let screen = desk.later(1000).screen();
    assert!(screen.contains("4 of 4") && screen.contains("sound"), "{screen}");
    assert_eq!(desk.state.preview.want, None);
    desk.press("]");
    let screen = desk.screen();
    assert!(screen.contains("1 of 4") && screen.contains("a film: a terminal cannot play it"), "{screen}");
    desk.press("w");
    assert!(desk.screen().contains("/pictures/a film-0-video.mp4"), "where to find it");
    desk.press("v ]");
    assert!(wanted(&desk).file.ends_with("first_frame.png"));
    desk.later(10_000);
    assert!(desk.screen().contains("2 of 4"), "{}", desk.screen());
    desk.press("esc down");
    assert_eq!(desk.state.looked_at(), Some((1, 4)), "remembered for the task");
}

#[test]
fn a_film_with_a_frame_shows_the_frame() {
    let mut desk = Desk::new(120, 40);
    done(&mut desk, "a film", &[("video", "mp4"), ("first_frame", "png")]);
    desk.pictures();
    assert!(wanted(&desk).file.ends_with("first_frame.png"));
}

#[test]
fn without_a_picture_there_is_nothing_to_fill_the_screen_with() {
    let mut desk = Desk::new(100, 30);
    desk.send("not yet");
    desk.press("esc v");
    assert!(desk.state.dialog.is_none() && desk.screen().contains("no picture to look at yet"));
}

#[test]
fn the_best_there_is_is_shown_with_a_lesser_one_to_stand_in() {
    let mut desk = busy(120, 40);
    desk.hear(Msg::Line(LineFacts { half_second: Some(16_000), rate: Some(32_000), ..LineFacts::default() }));
    desk.later(200);
    let want = wanted(&desk);
    assert_eq!(want.level, Level::Fit);
    assert!(desk.draw().1.pictures.is_empty());
    show(&mut desk, &want.at(Level::First));
    let scene = desk.draw().1;
    assert_eq!(scene.pictures[0].picture.key, picture_key(&want.at(Level::First)));
    assert!(scene.pictures[0].instead.is_none());
    show(&mut desk, &want);
    let scene = desk.draw().1;
    assert_eq!(scene.pictures[0].picture.key, picture_key(&want));
    let instead = scene.pictures[0].instead.as_ref().expect("a stand-in");
    assert_eq!(instead.key, picture_key(&want.at(Level::First)));
}

#[test]
fn full_quality_on_a_key_and_back() {
    let mut desk = busy(120, 40);
    desk.hear(Msg::Line(LineFacts { half_second: Some(16_000), ..LineFacts::default() }));
    assert_eq!(wanted(&desk).level, Level::Fit);
    desk.press("b");
    assert_eq!(wanted(&desk).level, Level::Full);
    assert_eq!(desk.later(50).state.preview.slot, Slot::Resting);
    desk.later(200);
    assert_eq!(desk.state.preview.slot, Slot::Encoding);
    desk.press("b");
    assert_eq!(wanted(&desk).level, Level::Fit);
}

#[test]
fn the_header_tells_of_the_line_on_demand() {
    let mut desk = busy(120, 40);
    let facts = LineFacts {
        rate: Some(32_000),
        round_trip: Some(std::time::Duration::from_millis(150)),
        half_second: Some(16_000),
        ..LineFacts::default()
    };
    desk.hear(Msg::Line(facts));
    assert!(!desk.screen().contains("round trip"));
    desk.press("t");
    let screen = desk.screen();
    assert!(screen.lines().next().is_some_and(|line| line.contains("round trip 150 ms")), "{screen}");
}

/// E6, E9: whatever the size, a picture is inside its pane, and nothing panics.
#[test]
fn a_picture_stays_in_its_place_at_every_size() {
    for keys in ["v", "v i", "v 1 l j", "v i +"] {
        let mut desk = busy(100, 30);
        desk.press(keys);
        for width in (1..=130).step_by(3) {
            for height in (1..=45).step_by(2) {
                desk.resized(width, height);
                if let Some(want) = desk.state.preview.want.clone().filter(|want| want.cells.width < 30) {
                    show(&mut desk, &want);
                }
                let (buf, scene) = desk.draw();
                for placed in scene.pictures {
                    assert!(buf.area.intersection(placed.area) == placed.area, "{:?} in {:?}", placed.area, buf.area);
                }
            }
        }
        desk.press("+ + l 1 i 0 n p ] [ b t w");
    }
}

/// What a service says of a file is text, in the viewer as anywhere.
#[test]
fn foreign_words_steer_nothing_in_the_viewer() {
    const EVIL: &str = "\u{1b}[2J\u{9b}31m\u{202e}gnp.exe\r\n";
    let mut desk = Desk::new(100, 30);
    let id = done(&mut desk, "a fox", &[("image", "png")]);
    let mut task = plantain::domain::Task::clone(desk.state.fleet.task(id).expect("a task"));
    if let OutputState::Home(home) = &mut task.outputs[0].state {
        (home.file, home.format) = (format!("/tmp/{EVIL}"), format!("png{EVIL}"));
    }
    task.id = LocalId::from_random(99);
    task.task_id = None;
    desk.hear(Msg::Unfinished(vec![task]));
    desk.pictures();
    for keys in ["home", "v", "i", "w", "esc", "down", "v"] {
        desk.press(keys);
        let (buf, _) = desk.draw();
        let bad =
            buf.content().iter().flat_map(|cell| cell.symbol().chars()).find(|c| c.is_control() || *c == '\u{202e}');
        assert_eq!(bad, None, "after {keys}");
    }
}
