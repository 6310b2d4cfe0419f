//! What many prompts cost: counting a template, typing one, ten thousand on their way from a file to the disk and from the
//! editor to the queue, and the memory they take while they wait.
//!
//! `cargo bench --bench prompts` prints the table of `docs/benchmarks.md`, and fails where a bound is not held. Times are
//! compared within the run; what is counted is counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::atomic::{AtomicIsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use plantain::app::editor::{Count, Editor};
use plantain::app::state::Start;
use plantain::app::{Effect, Msg, State, update};
use plantain::config::Allowance;
use plantain::domain::batch::{self, Expand, Form, Mark, Mode, Plan, Rows};
use plantain::domain::template::Lists;
use plantain::domain::{Catalogue, Change, Draft, LocalId, Task, validate};
use plantain::fleet::{FleetMsg, Order};
use plantain::graphics::Gallery;
use plantain::store::{FILE, Store};
use plantain::time::{Chance, Mono, Now, Wall};
use plantain::ui::{ColourDepth, Theme, view};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

/// The system's allocator, with the bytes that are in use counted.
struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

fn signed(bytes: usize) -> isize {
    isize::try_from(bytes).unwrap_or(isize::MAX)
}

// SAFETY: every call goes to the system's allocator with the arguments it came with.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(signed(layout.size()), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        LIVE.fetch_sub(signed(layout.size()), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn live() -> isize {
    LIVE.load(Ordering::Relaxed)
}

/// The processor's time of this process, all threads.
fn cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes into the place it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    let secs = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(secs, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The shortest of several runs, per call.
fn time(mut work: impl FnMut()) -> Duration {
    let one = |work: &mut dyn FnMut()| {
        let start = Instant::now();
        (0..20).for_each(|_| work());
        start.elapsed() / 20
    };
    (0..30).map(|_| one(&mut work)).min().unwrap_or_default()
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

fn now(ms: u64) -> Now {
    Now { wall: Wall(1_777_000_000_000 + i64::try_from(ms).unwrap_or(0)), mono: Mono(ms) }
}

fn state() -> State {
    let start = Start {
        catalogue: Catalogue::built_in(),
        allowance: Allowance::default(),
        service: "bench".into(),
        demo: false,
        area: Size::new(120, 40),
        seed: 1,
    };
    let mut state = State::new(start, now(0));
    update(&mut state, Msg::Older { tasks: Vec::new(), last: true }, now(0));
    state
}

fn press(state: &mut State, key: &str, ms: u64) -> Vec<Effect> {
    update(state, Msg::Key(key.parse().expect("a chord")), now(ms))
}

fn draw(state: &State) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, state.area.width, state.area.height));
    let theme = Theme::new(ColourDepth::True, Some(false));
    black_box(view(state, &Gallery::default(), &theme, &mut buffer));
    buffer
}

/// A letter and its undoing, each reckoned.
fn reckoning(text: &str, mode: Mode) -> (Duration, Count) {
    let catalogue = Catalogue::built_in();
    let mut editor = Editor::new(&Draft::default(), &catalogue);
    editor.paste(text, now(0));
    editor.change_many(|many| many.mode = mode, now(0));
    let spent = time(|| {
        // Any change has it reckoned anew.
        editor.change_many(|many| many.each += 1, now(0));
        editor.reckon(black_box(&catalogue));
    });
    (spent, editor.outlook().expect("reckoned").count.clone())
}

fn counting() {
    println!("counting a template at a key press");
    let ten = "{0|1|2|3|4|5|6|7|8|9}";
    let (small, _) = reckoning(&ten.repeat(3), Mode::All);
    let (large, count) = reckoning(&ten.repeat(12), Mode::All);
    assert_eq!(count, Count::TooMany(1_000_000_000_000));
    println!("  1,000 combinations                   {:>8.1} us", small.as_secs_f64() * 1e6);
    println!("  1,000,000,000,000 combinations       {:>8.1} us", large.as_secs_f64() * 1e6);
    let factor = ratio(large, small);
    println!("  four times the text, a thousand million times the combinations: {factor:.2} times as long");
    assert!(factor < 12.0, "counting goes by the text, not by what it stands for: {factor:.2}");
}

fn typing() {
    println!("a letter, its undoing and a frame each, 120x40");
    let run = |text: &str, mode: Mode| {
        let mut state = state();
        update(&mut state, Msg::Paste(text.to_owned()), now(2));
        if mode == Mode::All {
            press(&mut state, "alt-x", 3);
        }
        time(|| {
            press(&mut state, "x", 4);
            draw(&state);
            press(&mut state, "backspace", 4);
            draw(&state);
        })
    };
    let prose = "a red fox in fresh snow ".repeat(208);
    let template = "a {red|blue} fox in fresh snow ".repeat(160);
    let empty = run("", Mode::Off);
    let full = run(&prose, Mode::Off);
    let expanded = run(&template, Mode::All);
    println!("  none                                 {:>8.1} us", empty.as_secs_f64() * 1e6);
    println!("  5,000 characters to none             {:>8.2}", ratio(full, empty));
    assert!(ratio(full, empty) < 2.0, "a key in a long prompt costs as much as in an empty one");
    println!("  a template of 5,000 to none          {:>8.2}", ratio(expanded, empty));
    let (template, _) = reckoning(&template, Mode::All);
    println!("  of that, counting it                 {:>8.1} us", template.as_secs_f64() * 1e6);
    let (mine, _) = reckoning(&prose, Mode::Off);
    let share = 2.0 * mine.as_secs_f64() / full.as_secs_f64();
    println!("  of the first, finding no template    {:>8.1} %", share * 100.0);
    assert!(share < 0.1, "a prompt that is no template pays for it: {share:.3}");
}

/// The lines of a file, checked as `plantain submit --from` does it.
fn checked(text: &str, catalogue: &Catalogue) -> Vec<Task> {
    let base = Draft { model: catalogue.default_model().name.clone(), ..Draft::default() };
    let (rows, bad) = batch::read(text, Form::Lines, &base, catalogue);
    assert!(bad.is_empty());
    let (plan, bad) = Plan::new(rows, Expand::Off, &Lists::default(), &[], 1, catalogue).expect("a plan");
    assert!(bad.is_empty());
    let (mut names, mut chance) = (Rows::default(), Chance::new(1));
    plan.items()
        .map(|item| {
            let mut request = validate::validate(&item.draft, catalogue, None).expect("valid");
            request.template = item.template;
            let row = names.name(&request, false, catalogue);
            let mut task = Task::new(LocalId::from_random(chance.bits()), Arc::new(request), now(0).wall);
            task.mark = Some(Arc::new(Mark { batch: "prompts.txt".into(), row, seed: None }));
            task
        })
        .collect()
}

/// Gives all to a store and waits until each is durable; `told` is called on the store's thread after each.
fn durable(dir: &std::path::Path, tasks: Vec<Task>, told: impl Fn() + Clone + Send + 'static) {
    let store = Store::open(dir).expect("a store");
    let (done, inbox) = mpsc::channel();
    let count = tasks.len();
    for task in tasks {
        let (done, told) = (done.clone(), told.clone());
        store.apply(Change::New(Box::new(task)), move |result| {
            result.expect("stored");
            told();
            let _ = done.send(());
        });
    }
    (0..count).for_each(|_| inbox.recv().expect("an answer"));
}

fn from_a_file() {
    println!("10,000 prompts of a file, checked and durable");
    let catalogue = Catalogue::built_in();
    let text: String =
        (0..10_000).map(|n| format!("a red fox in fresh snow, soft morning light, number {n}\n")).collect();
    let dir = tempfile::tempdir().expect("a folder");
    let before = cpu();
    let start = Instant::now();
    let tasks = checked(&text, &catalogue);
    let spent = cpu() - before;
    durable(dir.path(), tasks, || {});
    let all = cpu() - before;
    println!("  checking                             {:>8.3} s of the processor", spent.as_secs_f64());
    println!("  and making them durable              {:>8.3} s of the processor", all.as_secs_f64());
    println!("  by the clock                         {:>8.3} s", start.elapsed().as_secs_f64());
    assert!(all < Duration::from_secs(1), "{all:?}");
    // Each commit moves the version that another connection sees.
    let dir = tempfile::tempdir().expect("a folder");
    drop(Store::open(dir.path()).expect("a store"));
    let other = rusqlite::Connection::open(dir.path().join(FILE)).expect("opens");
    let (other, seen) = (Arc::new(Mutex::new(other)), Arc::new(Mutex::new(BTreeSet::new())));
    let versions = Arc::clone(&seen);
    durable(dir.path(), checked(&text, &catalogue), move || {
        let conn = other.lock().expect("unbroken");
        let version: i64 = conn.query_row("PRAGMA data_version", [], |row| row.get(0)).expect("a version");
        versions.lock().expect("unbroken").insert(version);
    });
    let transactions = seen.lock().expect("unbroken").len();
    println!("  transactions                         {transactions:>8}");
    assert!((10..=100).contains(&transactions), "one for some hundred: {transactions}");
}

/// Sends ten thousand from the editor, with a store that answers at once. Returns the bytes they keep while they wait, the
/// longest turn, and all turns.
fn from_the_editor(words: &str) -> (isize, Duration, Duration) {
    let mut state = state();
    let ten = "{0|1|2|3|4|5|6|7|8|9}";
    update(&mut state, Msg::Paste(format!("{words} {ten}{ten}{ten}{ten}")), now(1));
    press(&mut state, "alt-x", 1);
    // Nothing leaves the queue: they wait.
    let block = plantain::domain::Problem::NoKey { message: "none".into() };
    update(&mut state, Msg::Fleet(FleetMsg::Block(block)), now(1));
    let before = live();
    let (mut longest, mut all) = (Duration::ZERO, Duration::ZERO);
    let mut ms = 1;
    let mut turn = |state: &mut State, msg: Msg, ms: u64| {
        let start = cpu();
        let effects = update(state, msg, now(ms));
        let spent = cpu() - start;
        longest = longest.max(spent);
        all += spent;
        effects
    };
    let mut effects = turn(&mut state, Msg::Key("esc".parse().expect("a chord")), ms);
    effects.extend(turn(&mut state, Msg::Key("n".parse().expect("a chord")), ms));
    effects.extend(turn(&mut state, Msg::Key("ctrl-s".parse().expect("a chord")), ms));
    effects.extend(turn(&mut state, Msg::Key("enter".parse().expect("a chord")), ms));
    while state.sending.is_some() || !effects.is_empty() {
        for effect in std::mem::take(&mut effects) {
            if let Effect::Fleet(Order::Save(Change::New(task))) = effect {
                let stored = FleetMsg::Stored { id: task.id, stage: task.status.stage(), result: Ok(()) };
                drop(task);
                effects.extend(turn(&mut state, Msg::Fleet(stored), ms));
            }
        }
        ms += 1;
        effects.extend(turn(&mut state, Msg::Woke, ms));
        assert!(ms < 10_000, "it ends");
    }
    assert_eq!(state.table.len(), 10_000);
    (live() - before, longest, all)
}

#[allow(clippy::cast_precision_loss, reason = "one decimal place is shown")]
fn sending() {
    println!("10,000 tasks from the editor, until all wait in the queue");
    let (kept, longest, all) = from_the_editor("a red fox in fresh snow, soft morning light, number");
    println!("  memory, prompts of 60 characters     {:>8.1} MB", kept as f64 / 1e6);
    println!("  all turns of the loop                {:>8.1} ms", all.as_secs_f64() * 1e3);
    println!("  the longest turn                     {:>8.2} ms", longest.as_secs_f64() * 1e3);
    let share = ratio(longest, all);
    println!("  the longest, as a part of all        {:>8.1} %", share * 100.0);
    assert!(kept < 20_000_000, "{kept} bytes");
    assert!(share < 0.1, "no portion holds the loop up: {share:.3}");
    let (kept, ..) = from_the_editor(&"a red fox in fresh snow, soft morning light, ".repeat(10));
    println!("  memory, prompts of 460 characters    {:>8.1} MB", kept as f64 / 1e6);
}

fn main() {
    counting();
    typing();
    from_a_file();
    sending();
}
