//! What the screen costs: bytes to the terminal, counted, and time as ratios within one run.
//!
//! `cargo bench --bench screen` prints the tables of `docs/benchmarks.md`.

use std::fs::File;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use plantain::app::state::Start;
use plantain::app::{Msg, State, update};
use plantain::config::Allowance;
use plantain::domain::{Catalogue, Draft, LocalId, Report, Source, Status, Task, TaskId, validate};
use plantain::fleet::{FleetMsg, News, Question};
use plantain::graphics::Gallery;
use plantain::terminal::{Frame, Output, Settings};
use plantain::time::{Mono, Now, Wall};
use plantain::ui::{ColourDepth, Theme, view};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

fn now(ms: u64) -> Now {
    Now { wall: Wall(1_777_000_000_000 + i64::try_from(ms).unwrap_or(0)), mono: Mono(ms) }
}

fn task(n: u128, status: Status) -> Task {
    let catalogue = Catalogue::built_in();
    let model = catalogue.default_model().name.clone();
    let prompt = format!("a red fox in fresh snow, soft morning light, number {n}");
    let draft = Draft { model, prompt, ..Draft::default() };
    let request = validate::validate(&draft, &catalogue, None).expect("valid");
    let at = Wall(1_776_000_000_000 + i64::try_from(n).unwrap_or(0) * 1000);
    let mut task = Task::new(LocalId::from_random(n << 64 | n), Arc::new(request), at);
    task.task_id = TaskId::try_from(format!("tk-bench-{n}")).ok();
    task.set(Status::Queued, at);
    task.set(status, at);
    task
}

/// A screen of 120x40 over a history of so many tasks; the newest one is running.
fn state(tasks: u128) -> State {
    let start = Start {
        catalogue: Catalogue::built_in(),
        allowance: Allowance::default(),
        service: "bench".into(),
        demo: false,
        area: Size::new(120, 40),
        seed: 1,
    };
    let mut state = State::new(start, now(0));
    let mut all: Vec<Task> = (1..tasks).map(|n| task(n, Status::Success)).collect();
    all.push(task(tasks, Status::Queued));
    all.reverse();
    update(&mut state, Msg::Older { tasks: all, last: true }, now(0));
    press(&mut state, "esc", 1);
    state
}

fn press(state: &mut State, key: &str, ms: u64) {
    update(state, Msg::Key(key.parse().expect("a chord")), now(ms));
}

fn draw(state: &State) -> Frame {
    let mut buffer = Buffer::empty(Rect::new(0, 0, state.area.width, state.area.height));
    let theme = Theme::new(ColourDepth::True, Some(false));
    let scene = view(state, &Gallery::default(), &theme, &mut buffer);
    Frame { buffer, cursor: scene.cursor, pictures: scene.pictures, repaint: false }
}

fn output() -> Output {
    let null = File::options().write(true).open("/dev/null").expect("/dev/null");
    Output::start(null.into(), Settings::default(), None, || {}).expect("a thread")
}

/// Bytes that a frame costs on an empty screen, or after the frame before it.
fn bytes(before: Option<&Frame>, frame: &Frame) -> u64 {
    let output = output();
    let mut paid = 0;
    if let Some(before) = before {
        output.show(before.clone());
        while output.stats().written == 0 {
            std::thread::yield_now();
        }
        paid = output.stats().text_bytes;
    }
    output.show(frame.clone());
    output.finish(Duration::from_secs(5)).text_bytes - paid
}

/// The shortest of several runs, per call.
fn time(mut work: impl FnMut()) -> Duration {
    let one = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..50).for_each(|_| work());
        start.elapsed() / 50
    };
    (0..20).map(|_| one(&mut work)).min().unwrap_or_default()
}

fn main() {
    let mut small = state(30);
    let first = draw(&small);
    let same = draw(&small);
    press(&mut small, "j", 2);
    let moved = draw(&small);
    let id = LocalId::from_random(30 << 64 | 30);
    let task_id = TaskId::try_from("tk-bench-30".to_owned()).expect("an id");
    let report = Report {
        task_id: task_id.clone(),
        model: String::new(),
        status: Status::Handling,
        outputs: Vec::new(),
        created: None,
        completed: None,
        source: Source::Task,
    };
    let answer = plantain::domain::Answer::bare(Ok(News::Task(report)));
    let question = Question::Task(id, task_id);
    update(&mut small, Msg::Fleet(FleetMsg::Answered { question, answer }), now(3));
    let changed = draw(&small);
    println!("bytes to the terminal, 120x40, 24-bit colours");
    println!("  first frame        {:>6}", bytes(None, &first));
    println!("  nothing changed    {:>6}", bytes(Some(&first), &same));
    println!("  cursor moved       {:>6}", bytes(Some(&first), &moved));
    println!("  a status changed   {:>6}", bytes(Some(&moved), &changed));

    println!("time, as a ratio of the smaller case in the same run");
    let mut large = state(10_000);
    let view_small = time(|| drop(black_box(draw(&small))));
    let view_large = time(|| drop(black_box(draw(&large))));
    println!("  a frame, 10,000 tasks to 30         {:.2}", view_large.as_secs_f64() / view_small.as_secs_f64());
    let mut ms = 10;
    let mut step = |state: &mut State| {
        time(|| {
            ms += 1;
            press(state, "j", ms);
            press(state, "k", ms);
        })
    };
    let (key_small, key_large) = (step(&mut small), step(&mut large));
    println!("  a key, 10,000 tasks to 30           {:.2}", key_large.as_secs_f64() / key_small.as_secs_f64());
    let typing = |text: &str| {
        let mut state = state(30);
        press(&mut state, "n", 1);
        update(&mut state, Msg::Paste(text.to_owned()), now(2));
        time(|| {
            press(&mut state, "x", 3);
            press(&mut state, "backspace", 3);
            drop(black_box(draw(&state)));
        })
    };
    let (empty, full) = (typing(""), typing(&"a red fox in fresh snow ".repeat(208)));
    println!("  a letter and its frame, 5,000 characters to none  {:.2}", full.as_secs_f64() / empty.as_secs_f64());
}
