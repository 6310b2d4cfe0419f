//! What is on the screen: snapshots at the sizes people have, and what must hold at every size.

use kit::desk::Desk;
use plantain::app::dialog::Test;
use plantain::app::{AssetMsg, Dialog, Msg};
use plantain::config::Budgets;
use plantain::domain::batch::Mark;
use plantain::domain::money::Sum;
use plantain::domain::{Answer, Browse, Failure, Page, Problem, Report, Source, Status, Usd};
use plantain::domain::{LocalId, Request, Stage, Task};
use plantain::fleet::{FleetMsg, News, Tallied, Tally};
use plantain::time::Wall;
use plantain::ui::{ColourDepth, Theme, picture_key};

fn busy(width: u16, height: u16) -> Desk {
    let mut desk = Desk::new(width, height);
    desk.busy().press("esc end");
    desk
}

#[test]
fn the_screen_at_three_sizes() {
    insta::assert_snapshot!("80x24", busy(80, 24).screen());
    insta::assert_snapshot!("120x40", busy(120, 40).screen());
    insta::assert_snapshot!("200x60", busy(200, 60).screen());
}

#[test]
fn the_smallest_useful_screens() {
    insta::assert_snapshot!("60x15", busy(60, 15).screen());
    insta::assert_snapshot!("40x10", busy(40, 10).screen());
    insta::assert_snapshot!("too-small", busy(30, 6).screen());
}

#[test]
fn an_empty_table_says_what_to_do() {
    insta::assert_snapshot!("empty", Desk::new(80, 24).screen());
}

#[test]
fn the_details_of_a_success_and_a_failure() {
    insta::assert_snapshot!("detail-of-a-success", busy(120, 40).press("enter").screen());
    insta::assert_snapshot!("detail-of-a-failure", busy(80, 24).press("up enter").screen());
}

#[test]
fn a_running_task_says_when_it_should_end() {
    let mut desk = busy(120, 40);
    desk.press("home enter");
    insta::assert_snapshot!("detail-of-a-running-task", desk.screen());
    desk.press("esc").resized(80, 24).later(600_000);
    let screen = desk.screen();
    let row = screen.lines().find(|line| line.contains("handling")).expect("a row");
    assert!(row.contains(" 10m !slow "), "{row}");
    assert!(screen.contains("! slow: usually"), "the preview says it, too: {screen}");
    assert!(!screen.contains("done in"), "nobody knows: {screen}");
    assert!(desk.press("enter").screen().contains("! slow: usually done after 12 s"));
}

/// What was spent today stands in the header, and what holds a task back in its row and its details.
#[test]
fn a_limit_and_what_it_holds_back_are_shown() {
    let mut desk = Desk::new(120, 40);
    let limits = Budgets { day: Usd::new(5.0), ..Budgets::default() };
    desk.state.fleet.keep_purse(limits);
    desk.hear(Msg::Older { tasks: Vec::new(), last: true });
    desk.press("esc n").typed("a red fox").press("ctrl-s esc home");
    let now = desk.state.now.wall;
    let told = Tallied { sum: Sum { usd: Usd(4_980_000), unknown: 0 }, from: now, until: Wall(now.0 + 3_600_000) };
    let (tally, serial) = (Tally::Day(now), 1);
    desk.hear(Msg::Fleet(FleetMsg::Tallied { tally, serial, result: Ok(told) }));
    let screen = desk.screen();
    assert!(screen.contains("$4.98 of $5.00 today"), "{screen}");
    assert!(screen.contains("Not sent: there is a budget, and nobody"), "{screen}");
    let details = desk.press("enter").screen();
    assert!(details.lines().any(|line| line.contains("price  ") && line.contains("  not known")), "{details}");
}

/// B1: what the service asked for is counted down, however absurd, and one key tries at once.
#[test]
fn a_wait_is_counted_down_in_the_header() {
    let mut desk = Desk::new(120, 30);
    let id = desk.send("a fox");
    desk.submitted(id, Err(Problem::Limit { retry_after: Some(3600) })).later(1);
    let header = |desk: &Desk| desk.screen().lines().next().map(str::to_owned).unwrap_or_default();
    assert!(header(&desk).ends_with("asked to wait 1m 00s; R tries now   1/60"), "{}", header(&desk));
    desk.later(57_500);
    assert!(header(&desk).contains("asked to wait 3s;"), "{}", header(&desk));
    desk.later(20_000);
    assert!(header(&desk).contains("next try in 58m 4"), "{}", header(&desk));
    desk.resized(60, 20);
    assert!(header(&desk).contains("next try in 58m 4") && header(&desk).contains("0/60"), "{}", header(&desk));
    desk.press("esc R");
    assert!(!header(&desk).contains("next try"), "{}", header(&desk));
}

#[test]
fn a_full_window_is_counted_down_in_the_header() {
    let mut desk = Desk::new(120, 30);
    for n in 0..70 {
        desk.send(&format!("fox {n}"));
    }
    let sending = |desk: &Desk| {
        let tasks = desk.state.fleet.tasks();
        tasks.filter(|task| task.status == Status::Sending).map(|task| task.id).collect::<Vec<_>>()
    };
    while let Some(id) = sending(&desk).first().copied() {
        desk.accepted(id);
    }
    let screen = desk.later(5_000).screen();
    let header = screen.lines().next().unwrap_or_default();
    assert!(header.contains("   waiting 55s   5") && header.ends_with("/60"), "{header}");
}

#[test]
fn the_keys_of_the_table() {
    insta::assert_snapshot!("help", busy(120, 40).press("?").screen());
}

#[test]
fn choosing_a_model_a_value_a_line() {
    insta::assert_snapshot!("models", busy(120, 40).press("alt-m").typed("pro").screen());
    insta::assert_snapshot!("choices", busy(80, 24).press("tab tab right enter").screen());
    let mut desk = busy(80, 24);
    desk.press("alt-m").typed("lyria").press("enter");
    desk.press("tab right right enter");
    assert!(matches!(desk.state.dialog, Some(Dialog::Input { .. })), "{:?}", desk.state.dialog);
    insta::assert_snapshot!("input", desk.typed("3").screen());
}

/// A model of the catalogue, chosen by what is asked of it.
fn of_model(width: u16, height: u16, score: impl Fn(&plantain::domain::ModelSpec) -> usize) -> Desk {
    let mut desk = busy(width, height);
    let models = desk.state.catalogue.models().iter().filter(|model| model.is_current());
    let name = models.max_by_key(|model| score(model)).expect("a model").name.clone();
    desk.press("alt-m").typed(&name).press("enter");
    assert_eq!(desk.state.editor.model(), name);
    desk.typed("a lighthouse keeper's cat, asleep on a coil of rope, 灯台の猫");
    desk
}

/// Each at the two sizes that most people have.
fn at_two_sizes(name: &str, make: impl Fn(u16, u16) -> Desk) {
    for (width, height) in [(80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("{name}-{width}"), make(width, height).screen());
    }
}

#[test]
fn the_form_of_the_first_model_and_of_the_one_with_most_fields() {
    at_two_sizes("form", |width, height| {
        let mut desk = busy(width, height);
        desk.press("i").typed("a lighthouse").press("tab right down down");
        desk
    });
    let most = |model: &plantain::domain::ModelSpec| model.fields.len();
    at_two_sizes("form-of-many-fields", |width, height| {
        let mut desk = of_model(width, height, most);
        desk.press("tab right right up up right right right right");
        desk
    });
}

#[test]
fn a_broken_rule_shows_while_typing() {
    at_two_sizes("form-broken", |width, height| {
        let mut desk = of_model(width, height, |model| model.constraints.len());
        let spec = desk.state.editor.spec(&desk.state.catalogue).expect("known").clone();
        let rule = spec.constraints.iter().find(|rule| rule.require.keys().any(|key| key.ends_with("_not")));
        let rule = rule.expect("a rule about shapes");
        for (name, condition) in rule.when.iter().chain(&rule.require) {
            let plantain::domain::catalogue::Condition::OneOf(values) = condition else { continue };
            let name = name.strip_suffix("_not").unwrap_or(name);
            desk.state.editor.set_field(name, values.first().cloned(), desk.now);
        }
        assert!(desk.state.editor.broken(&desk.state.catalogue).is_some());
        desk
    });
}

#[test]
fn the_input_as_json() {
    at_two_sizes("json-of-an-unknown-model", |width, height| {
        let mut desk = busy(width, height);
        desk.press("i").typed("a lighthouse").press("alt-m").typed("new/model-4").press("end enter");
        desk.press("end").typed(",\n  \"strength\": 0.");
        desk
    });
    insta::assert_snapshot!(
        "json-of-a-known-model",
        busy(120, 40).press("i").typed("a lighthouse").press("alt-j").screen()
    );
    insta::assert_snapshot!("models-unknown", busy(80, 24).press("alt-m").typed("nano3").press("end").screen());
    insta::assert_snapshot!("models-80", busy(80, 24).press("alt-m end").screen());
}

#[test]
fn long_texts_and_addresses() {
    use plantain::domain::Field;
    let fields = |wanted: fn(&Field) -> bool| {
        move |model: &plantain::domain::ModelSpec| model.fields.iter().filter(|field| wanted(field)).count()
    };
    let go = |desk: &mut Desk, wanted: fn(&Field) -> bool| {
        desk.press("tab");
        for _ in 0..20 {
            if desk.state.editor.field(&desk.state.catalogue).is_some_and(wanted) {
                return;
            }
            desk.press("right");
        }
        panic!("no such field");
    };
    at_two_sizes("long-text", |width, height| {
        let long: fn(&Field) -> bool = |field| field.is_long() && field.role == Some(plantain::domain::Role::LongText);
        let mut desk = of_model(width, height, |model| fields(long)(model) * model.fields.len());
        go(&mut desk, long);
        desk.press("enter").typed("[verse]\nA cat on the gallery, salt in her fur,\n[chorus]\n灯台の猫よ 👩‍🚀");
        desk
    });
    let several: fn(&Field) -> bool =
        |field| field.media.as_deref() == Some("image") && field.max_items.is_some_and(|most| most > 5);
    let listed = |width, height| {
        let mut desk = of_model(width, height, fields(several));
        go(&mut desk, several);
        desk.press("enter");
        desk
    };
    at_two_sizes("addresses-none", listed);
    at_two_sizes("addresses-of-tasks", |width, height| {
        let mut desk = listed(width, height);
        desk.press("t");
        desk
    });
    at_two_sizes("addresses", |width, height| {
        let mut desk = listed(width, height);
        desk.typed("https://pictures.example/albums/2026/lighthouse-at-dusk.jpg?w=1024\ndata:image/png;base64,AAAA");
        desk.press("t enter a").typed("~/Pictures/cat.png").press("enter");
        desk
    });
}

/// An unsure task, one of the account that may be it, and one that is somebody else's.
fn undecided(width: u16, height: u16) -> Desk {
    let mut desk = Desk::new(width, height);
    let id = desk.send("an isometric cutaway of a lighthouse");
    let reset = Problem::Network { sent: true, message: "the connection was reset".into() };
    desk.later(400).submitted(id, Err(reset));
    desk.press("esc o");
    let sent = desk.state.fleet.task(id).expect("a task").created;
    let found = |name: &str, model: &str, after: i64, status: Status| Report {
        task_id: format!("tk-hiapi-{name}").parse().expect("an id"),
        model: model.to_owned(),
        completed: status.is_final().then_some(sent),
        status,
        outputs: Vec::new(),
        created: Some(Wall(sent.0 + after)),
        source: Source::Page,
    };
    let model = desk.state.editor.model().to_owned();
    let reports = vec![
        found("01HZTQ8BX2N3GM3YFK4Z9D7VQR", &model, 1_000, Status::Handling),
        found("01HZTQ8BX2N3GM3YFK4Z9D7AAA", "another/model", -60_000, Status::Success),
    ];
    let page = Page { page: 1, size: 100, total: 2, reports };
    let answer = Answer::bare(Ok(News::Page(page)));
    desk.hear(Msg::Fleet(FleetMsg::Browsed { browse: Browse::Page(1), answer }));
    desk.hear(Msg::Fleet(FleetMsg::Sifted(Ok(Vec::new()))));
    desk.state.table.choose(id);
    desk
}

#[test]
fn deciding_about_an_unsure_task() {
    let mut desk = undecided(120, 30);
    insta::assert_snapshot!("elsewhere", desk.press("up").screen());
    desk.press("down u");
    insta::assert_snapshot!("settle", desk.screen());
    insta::assert_snapshot!("settle-anew", desk.press("end up enter").screen());
}

#[test]
fn a_missing_key_is_explained() {
    let mut desk = Desk::new(80, 24);
    desk.press("esc K").typed("sk-abcdefgh").press("enter");
    assert!(matches!(&desk.state.dialog, Some(Dialog::Setup(setup)) if setup.test == Test::Asked));
    let problem = Problem::Auth { message: "invalid token".into() };
    desk.hear(Msg::KeyChecked(Err(problem)));
    let screen = desk.screen();
    assert!(!screen.contains("sk-abc"), "a key is never shown");
    insta::assert_snapshot!("setup", screen);
}

#[test]
fn a_refused_field_is_marked_and_explained() {
    let mut desk = Desk::new(80, 24);
    desk.press("ctrl-s");
    insta::assert_snapshot!("nothing-to-send", desk.screen());
}

#[test]
fn a_picture_that_cannot_be_shown_says_why() {
    let mut desk = busy(120, 40);
    desk.pictures().later(100);
    let want = desk.state.preview.want.clone().expect("a picture is wanted");
    assert_eq!(picture_key(&want).cells, want.cells);
    desk.hear(Msg::Asset(AssetMsg::Failed(want, "it has 120 megapixels, at most 100 are decoded".into())));
    let screen = desk.screen();
    assert!(screen.contains("120 megapixels") && screen.contains("3f2a9c1.png"), "{screen}");
}

/// No panic, the cursor on the screen, whatever the size and whatever is open.
#[test]
fn every_size_can_be_drawn() {
    let mut desks: Vec<Desk> = vec![Desk::new(80, 24), busy(80, 24), busy(80, 24), busy(80, 24)];
    desks[1].pictures().press("i").typed(&"a long prompt 長い 👩‍🚀 ".repeat(300)).press("ctrl-s");
    desks[2].press("enter pagedown pagedown");
    desks[3].press("?");
    for keys in ["alt-m", "tab tab right enter", "K"] {
        let mut desk = busy(80, 24);
        desk.press(keys);
        desks.push(desk);
    }
    for keys in ["alt-m n b", "i alt-j", "tab tab right 3"] {
        let mut desk = busy(80, 24);
        desk.press(keys);
        desks.push(desk);
    }
    for wanted in [
        |field: &plantain::domain::Field| field.is_long(),
        |field: &plantain::domain::Field| field.is_list(),
        |field: &plantain::domain::Field| field.step.is_some(),
    ] {
        let mut desk = of_model(80, 24, |model| model.fields.iter().filter(|field| wanted(field)).count());
        desk.press("tab");
        while !desk
            .state
            .editor
            .field(&desk.state.catalogue)
            .is_some_and(|f| wanted(f) && f.role.is_none_or(|r| r != plantain::domain::Role::Prompt))
        {
            desk.press("right");
        }
        desk.press("enter").typed(&"https://x.example/長い/👩‍🚀.png ".repeat(9));
        desks.push(desk);
    }
    for keys in ["u", "u end up enter", "down enter", "enter"] {
        let mut desk = undecided(80, 24);
        desk.press(keys);
        desks.push(desk);
    }
    for keys in ["p", "F", "E"] {
        let mut desk = relatives(80, 24);
        desk.press(keys);
        desks.push(desk);
    }
    let mut desk = relatives(80, 24);
    desk.press("p").typed("image-to-image").press("enter");
    desks.push(desk);
    for keys in ["alt-p", "alt-x", "ctrl-s", "alt-r", "esc tab right enter space"] {
        let mut desk = templated(80, 24, &"a {red|blue|green} fox at dusk, 狐 {a|b} ".repeat(3));
        desk.press("alt-x").press(keys);
        desks.push(desk);
    }
    desks.push(templated(80, 24, &format!("{}狐 {{a|b", "a fox\n".repeat(9))));
    desks.last_mut().expect("a desk").press("alt-x");
    for desk in &mut desks {
        for width in 1..=130 {
            for height in 1..=45 {
                if (width > 42 || height > 12) && (width * 7 + height) % 11 > 0 {
                    continue;
                }
                desk.resized(width, height);
                let (buf, scene) = desk.draw();
                if let Some(cursor) = scene.cursor {
                    assert!(buf.area.contains(cursor), "{cursor:?} at {width}x{height}");
                }
            }
        }
        desk.resized(400, 120).draw();
    }
}

/// Escapes in anything from outside end as harmless signs, in every pane and dialog.
#[test]
fn foreign_text_never_steers_the_terminal() {
    const EVIL: &str = "\u{1b}[2J\u{1b}]52;c;eA==\u{7}\u{9b}31m\u{202e}gnp.exe\u{200b}\r\n\t";
    let mut desk = Desk::new(120, 40);
    desk.state.service = format!("host{EVIL}");
    let ids: Vec<_> = (0..3).map(|n| desk.send(&format!("task {n}"))).collect();
    desk.accepted(ids[0]);
    desk.report(ids[0], Status::Unknown(format!("odd{EVIL}")), vec![]);
    desk.accepted(ids[1]);
    let failure = Failure { code: Some(format!("E{EVIL}")), message: Some(format!("because{EVIL}")) };
    desk.report(ids[1], Status::Failed(failure), vec![]);
    desk.accepted(ids[2]);
    let mut output = desk.output();
    output.role = format!("image{EVIL}");
    desk.report(ids[2], Status::Success, vec![output]);
    let mut home = Desk::home("x");
    (home.file, home.format) = (format!("/tmp/{EVIL}"), format!("png{EVIL}"));
    desk.fetched(ids[2], Ok(home));
    // A prompt from another program reaches the table, the details and, taken up again, the editor.
    let mut task = plantain::domain::Task::clone(desk.state.fleet.task(ids[0]).expect("a task"));
    let mut request = plantain::domain::Request::clone(&task.request);
    request.prompt = format!("prompt{EVIL}");
    request.template.clone_from(&request.prompt);
    request.model = format!("model{EVIL}");
    task.id = plantain::domain::LocalId::from_random(99);
    (task.task_id, task.request) = (None, std::sync::Arc::new(request));
    desk.hear(Msg::Unfinished(vec![task.clone()]));
    desk.hear(Msg::Told(format!("told{EVIL}")));
    let steps = [
        "esc", "home", "enter", "esc", "down", "enter", "esc", "down", "enter", "esc", "home", "E", "down", "esc", "p",
        "enter", "esc", "F", "esc", "end", "s", "p", "enter", "esc", "F", "esc", "enter", "e",
    ];
    for step in steps {
        desk.press(step);
        let (buf, _) = desk.draw();
        for cell in buf.content() {
            let bad =
                cell.symbol().chars().find(|c| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{200b}'));
            assert_eq!(bad, None, "{:?} after {step}", cell.symbol());
        }
    }
}

/// A screen without colours still says everything, and a theme changes no text.
#[test]
fn themes_change_no_text() {
    let mut desk = busy(120, 40);
    let screen = desk.screen();
    for depth in [ColourDepth::None, ColourDepth::Ansi16, ColourDepth::Ansi256, ColourDepth::True] {
        for light in [None, Some(true), Some(false)] {
            desk.theme = Theme::new(depth, light);
            assert_eq!(desk.screen(), screen);
        }
    }
}

/// Behind a dialog there is a whole picture or none.
#[test]
fn a_dialog_never_cuts_a_picture() {
    use plantain::graphics::{CellSize, Protocol, Quality, Shape, encode};
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        for keys in ["", "enter", "?", "alt-m", "K"] {
            let mut desk = busy(width, height);
            desk.pictures().later(100);
            let want = desk.state.preview.want.clone().expect("a picture is wanted");
            let pixels = plantain::graphics::decode(&png()).expect("a png");
            let shape = Shape { protocol: Protocol::Kitty, cell: CellSize::GUESS, quality: Quality::Full, tmux: false };
            let picture = encode(&pixels, picture_key(&want), &shape).expect("encoded");
            desk.gallery.insert(std::sync::Arc::new(picture));
            desk.hear(Msg::Asset(AssetMsg::Encoded(want)));
            if !keys.is_empty() {
                desk.press(keys);
            }
            let (buf, scene) = desk.draw();
            let cells = buf.content().iter().filter(|cell| cell.symbol().contains(plantain::graphics::PLACEHOLDER));
            let placed = scene.pictures.first().map_or(0, |placed| usize::from(placed.area.width * placed.area.height));
            assert_eq!(cells.count(), placed, "{keys:?} at {width}x{height}");
        }
    }
}

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbaImage::from_pixel(160, 90, image::Rgba([90, 140, 60, 255]));
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("written");
    bytes.into_inner()
}

/// At the end of a page one key goes back up: nothing is scrolled beyond it.
#[test]
fn a_page_ends_at_its_end() {
    let mut desk = busy(80, 24);
    desk.press("enter");
    for keys in ["G", "k"] {
        let (_, scene) = desk.draw();
        desk.state.page_end = scene.page_end;
        desk.press(keys);
    }
    let end = desk.draw().1.page_end.expect("a page");
    assert!(end > 0);
    assert!(matches!(desk.state.dialog, Some(Dialog::Detail { scroll, .. }) if scroll == end - 1));
}

/// A desk whose model has a price, with a template in the editor.
fn templated(width: u16, height: u16, prompt: &str) -> Desk {
    let mut desk = Desk::new(width, height);
    let model = desk.state.catalogue.models().iter().find(|model| {
        model.is_current() && model.kind == "text-to-image" && model.price.is_some() && model.fields.len() > 2
    });
    let model = model.expect("a model with a price").name.clone();
    desk.state.editor.set_model(&model, &desk.state.catalogue, desk.now);
    desk.typed(prompt);
    desk
}

/// What is typed says what it comes to, at the edge under it.
#[test]
fn a_template_says_what_it_comes_to() {
    let prompt = "a {red|blue|grey} fox in {snow|rain}, {2$$ and $$soft light|long shadows|film grain}";
    for (width, height) in [(80, 24), (120, 40)] {
        let mut desk = templated(width, height, prompt);
        insta::assert_snapshot!(format!("many-as-typed-{width}x{height}"), desk.screen());
        desk.press("alt-x");
        insta::assert_snapshot!(format!("many-template-{width}x{height}"), desk.screen());
        desk.press("alt-p down down");
        insta::assert_snapshot!(format!("many-expansions-{width}x{height}"), desk.screen());
        desk.press("esc alt-r ctrl-u").typed("2").press("enter ctrl-s");
        insta::assert_snapshot!(format!("many-question-{width}x{height}"), desk.screen());
    }
}

/// The place of a mistake is marked in the text, wherever that is broken into lines and scrolled to.
#[test]
fn a_mistake_in_a_template_is_marked_where_it_is() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut desk = templated(width, height, "a fox in {snow|rain, soft light, film grain, \n狐 at dusk");
        desk.press("alt-x");
        insta::assert_snapshot!(format!("many-mistake-{width}x{height}"), desk.screen());
        assert_eq!(marked(&desk), ["{"]);
    }
    let mut desk = templated(60, 20, &format!("{}\n狐狐 {{a|b", "a fox in fresh snow, ".repeat(40)));
    desk.press("alt-x");
    assert_eq!(marked(&desk), ["{"]);
    desk.typed("c").press("up up up up up up up up");
    assert_eq!(marked(&desk), Vec::<String>::new(), "it is scrolled away, and nothing else is marked");
    desk.press("alt-x");
    assert_eq!(marked(&desk), Vec::<String>::new(), "as typed it is no mistake");
}

/// The cells of the prompt that are marked as a mistake.
fn marked(desk: &Desk) -> Vec<String> {
    let (buf, _) = desk.draw();
    let style = ratatui::style::Modifier::UNDERLINED | ratatui::style::Modifier::REVERSED;
    buf.content().iter().filter(|cell| cell.modifier.contains(style)).map(|cell| cell.symbol().to_owned()).collect()
}

#[test]
fn several_values_are_ticked() {
    let mut desk = templated(80, 24, "a fox");
    desk.press("tab right enter");
    desk.press("down space down space");
    insta::assert_snapshot!("many-ticked-80x24", desk.screen());
    desk.press("enter");
    insta::assert_snapshot!("many-values-80x24", desk.screen());
    desk.press("alt-x alt-x");
    insta::assert_snapshot!("many-number-80x24", desk.screen());
}

/// A failure, its fix that succeeded, another picture of it, and one on another model.
fn relatives(width: u16, height: u16) -> Desk {
    let mut desk = Desk::new(width, height);
    let first = desk.send("portrait of a famous actor as a medieval king");
    desk.accepted(first);
    let failure = Failure { code: Some("TASK_FAILED".into()), message: Some("upstream rejected the prompt".into()) };
    desk.later(11_000).report(first, Status::Failed(failure), vec![]);
    desk.press("esc e").typed(", made of wax").press("ctrl-s");
    let fixed = desk.state.table.cursor().expect("a row");
    desk.accepted(fixed);
    let output = desk.output();
    desk.later(9_000).report(fixed, Status::Success, vec![output]);
    desk.fetched(fixed, Ok(Desk::home("a-king-of-wax-3f2a9c1")));
    desk.press("esc s .").press("up down");
    desk.state.table.choose(fixed);
    desk.press("p").typed("happyhorse-1-0").press("enter enter");
    desk.state.table.choose(first);
    desk.later(20_000).press("esc esc");
    desk.state.table.choose(fixed);
    desk
}

#[test]
fn a_failure_says_what_kind_it_is_and_what_to_do() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut desk = busy(width, height);
        desk.press("up");
        insta::assert_snapshot!(format!("failure-{width}x{height}"), desk.screen());
        insta::assert_snapshot!(format!("failure-detail-{width}x{height}"), desk.press("enter").screen());
        insta::assert_snapshot!(
            format!("failure-in-the-editor-{width}x{height}"),
            desk.press("e").later(30_000).screen()
        );
    }
}

#[test]
fn what_is_carried_to_another_model_is_said_first() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut desk = Desk::new(width, height);
        desk.typed("a red fox in deep snow at dusk, long shadows").press("tab right up right down ctrl-s");
        let id = desk.state.table.cursor().expect("a row");
        desk.accepted(id);
        desk.press("esc p").typed("happyhorse-1-0");
        insta::assert_snapshot!(format!("promote-{width}x{height}"), desk.screen());
        insta::assert_snapshot!(format!("promotion-{width}x{height}"), desk.press("enter").screen());
    }
}

#[test]
fn the_family_of_a_task() {
    for (width, height) in [(80, 24), (120, 40)] {
        insta::assert_snapshot!(format!("family-{width}x{height}"), relatives(width, height).press("F").screen());
    }
}

#[test]
fn failures_of_one_cause_are_one_row() {
    for (width, height) in [(80, 24), (120, 40)] {
        let mut desk = busy(width, height);
        for n in 0..12 {
            let id = desk.send(&format!("owl {n}"));
            desk.accepted(id);
            let failure = Failure {
                code: Some("TASK_TIMEOUT".into()),
                message: Some(format!("upstream did not answer in time (request {n})")),
            };
            desk.later(3_000).report(id, Status::Failed(failure), vec![]);
        }
        let broke = desk.send("a hen");
        desk.submitted(broke, Err(Problem::Balance { message: "insufficient balance".into() }));
        desk.later(30_000).press("esc E");
        desk.press("up up up");
        insta::assert_snapshot!(format!("causes-{width}x{height}"), desk.screen());
        insta::assert_snapshot!(format!("causes-sure-{width}x{height}"), desk.press("r").later(30_000).screen());
    }
}

#[test]
fn writing_long_prompts_and_writing_them_again() {
    use plantain::app::shelf::ShelfKind;
    use plantain::domain::Remembered;
    let text = |name: Option<&str>, text: &str| Remembered {
        name: name.map(str::to_owned),
        text: text.into(),
        at: Wall(0),
        made: false,
    };
    let long =
        "an isometric cutaway of a lighthouse, \u{96ea}\u{306e}\u{4e2d}\u{306e}\u{72d0}, 🦊 in fresh snow\nsoft light";
    let mut desk = busy(120, 40);
    desk.press("n").hear(Msg::Paste(long.into()));
    insta::assert_snapshot!("prompt-selected", desk.press("shift-up ctrl-shift-left").screen());
    desk.press("alt-h").hear(Msg::Recalled(ShelfKind::History, Ok(vec![text(None, "a fox"), text(None, long)])));
    insta::assert_snapshot!("history", desk.typed("snow").screen());
    let kept = vec![text(Some("light"), "soft morning light"), text(Some("style"), long)];
    desk.press("esc alt-s").hear(Msg::Recalled(ShelfKind::Snippets, Ok(kept)));
    insta::assert_snapshot!("snippets", desk.press("down").screen());
}

/// Two batches in different states between tasks on their own.
fn batches(width: u16, height: u16) -> Desk {
    let mut desk = Desk::new(width, height);
    let at = desk.now.wall.0;
    let task = |n: u128, batch: &str, model: &str, status: Status| {
        let request =
            Request::new(model, None, serde_json::Map::new(), String::new(), format!("a fox in the snow, {n}"), None);
        let made = Wall(at - 600_000 + i64::try_from(n).expect("small") * 1000);
        let mut task = Task::new(LocalId::from_random(n << 64), std::sync::Arc::new(request), made);
        let mark = Mark { batch: batch.into(), row: n.to_string(), seed: Some(7) };
        task.mark = (!batch.is_empty()).then(|| std::sync::Arc::new(mark));
        let sent = !matches!(status, Status::Saved | Status::Held(_));
        if sent {
            task.task_id = Some(format!("tk-hiapi-{n}").parse().expect("an id"));
            let running = !status.is_final();
            task.times.note(Stage::Queued, if running { Wall(at - 5_000) } else { made });
        }
        task.set(status, Wall(made.0 + 9_000));
        task
    };
    let failed = |code: &str| {
        Status::Failed(Failure { code: Some(code.into()), message: Some("no answer from upstream".into()) })
    };
    let priced = "seedream-5.0-pro/text-to-image";
    let mut tasks = vec![task(1, "", priced, Status::Success)];
    tasks.extend((10..40).map(|n| {
        let status = match n % 10 {
            0..=4 => Status::Success,
            5 => failed("TASK_TIMEOUT"),
            6 => failed("TASK_FAILED"),
            7 => Status::Handling,
            _ => Status::Held(None),
        };
        task(n, "prompts.csv", priced, status)
    }));
    tasks.extend((50..54).map(|n| task(n, "night owls", "gpt-image-2/text-to-image", Status::Success)));
    tasks.push(task(60, "", priced, Status::Success));
    tasks.reverse();
    desk.hear(Msg::Older { tasks, last: true }).press("esc home");
    desk
}

#[test]
fn batches_folded_and_open() {
    for (width, height) in [(80, 24), (120, 40)] {
        let size = format!("{width}x{height}");
        let mut desk = batches(width, height);
        insta::assert_snapshot!(format!("batches-{size}"), desk.press("down space j").screen());
        desk.press("enter P");
        insta::assert_snapshot!(format!("batches-open-{size}"), desk.later(6_000).screen());
        insta::assert_snapshot!(format!("batch-page-{size}"), desk.press("enter").screen());
        insta::assert_snapshot!(format!("batch-retry-{size}"), desk.press("r").screen());
    }
}
