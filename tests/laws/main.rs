//! Laws: what holds for any order, any repeats, any size, any schedule. Seeds are fixed, so every run is the same.

mod fleet;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use ratatui::layout::{Rect, Size};
use serde_json::{Map, Value};

use plantain::app::state::Start;
use plantain::app::{Panes, State, Table, panes};
use plantain::config::Allowance;
use plantain::domain::catalogue::{Field, FieldKind, ModelSpec};
use plantain::domain::validate::{Fault, validate};
use plantain::domain::{
    Catalogue, Draft, Failure, Limits, LocalId, Report, Request, Role, Source, Stage, Status, Task, text,
};
use plantain::fleet::budget::{Budget, Kind};
use plantain::fleet::queue::Queue;
use plantain::keys::{Chord, Key};
use plantain::time::{Chance, Mono, Now, Wall};

/// The same cases in every run, and nothing is written beside the sources.
fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[track_caller]
fn law<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    if let Err(why) = runner(cases).run(strategy, test) {
        panic!("{why}");
    }
}

mod status {
    use super::*;

    /// What one task can be reported as in the course of its life: at most one end.
    fn life() -> impl Strategy<Value = Vec<Status>> {
        let running = prop_oneof![
            Just(Status::Queued),
            Just(Status::Handling),
            Just(Status::Archiving),
            "[a-z]{1,8}".prop_map(Status::Unknown),
        ];
        let end = prop_oneof![
            Just(None),
            Just(Some(Status::Success)),
            Just(Some(Status::Failed(Failure { code: Some("TASK_FAILED".into()), message: None }))),
        ];
        (prop::collection::vec(running, 0..8), end).prop_map(|(mut seen, end)| {
            seen.extend(end);
            seen
        })
    }

    fn shuffled() -> impl Strategy<Value = (Vec<Status>, Vec<Status>)> {
        life().prop_flat_map(|life| {
            let longer = if life.is_empty() {
                Just(Vec::new()).boxed()
            } else {
                prop::collection::vec(prop::sample::select(life.clone()), 0..12).boxed()
            };
            let mixed = longer.prop_flat_map({
                let life = life.clone();
                move |more| Just(life.iter().cloned().chain(more).collect::<Vec<_>>()).prop_shuffle()
            });
            (Just(life), mixed)
        })
    }

    #[test]
    fn any_order_and_any_repeats_end_in_the_same_stage() {
        law(500, &shuffled(), |(life, mixed)| {
            let end = |seen: &[Status]| seen.iter().cloned().fold(Status::Queued, Status::join).stage();
            prop_assert_eq!(end(&life), end(&mixed));
            Ok(())
        });
    }

    #[test]
    fn what_ended_never_changes_and_nothing_goes_back() {
        law(500, &shuffled(), |(_, mixed)| {
            let mut now = Status::Saved;
            for seen in mixed {
                let next = now.clone().join(seen);
                prop_assert!(next.stage().rank() >= now.stage().rank());
                prop_assert!(!now.is_final() || next == now);
                now = next;
            }
            Ok(())
        });
    }

    #[test]
    fn a_report_taken_twice_is_taken_once() {
        law(300, &shuffled(), |(_, mixed)| {
            let request = Request::new("m", None, Map::new(), String::new(), String::new(), None);
            let mut task = Task::new(LocalId::from_random(1), Arc::new(request), Wall(0));
            for (n, status) in (0i64..).zip(mixed) {
                let done = status == Status::Success;
                let report = Report {
                    task_id: "tk-1".parse().expect("an id"),
                    model: "m".into(),
                    outputs: if done { vec![kit::support::world::output("x")] } else { Vec::new() },
                    completed: status.is_final().then_some(Wall(77)),
                    status,
                    created: None,
                    source: Source::Page,
                };
                task.observe(&report, Wall(n));
                let once = task.clone();
                prop_assert!(!task.observe(&report, Wall(n + 1)), "the second time nothing is new");
                prop_assert_eq!(&task, &once);
            }
            Ok(())
        });
    }
}

mod allowance {
    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Take(Kind),
        GiveBack,
        Hold(u64),
        Learn(u32, u32),
        Wait(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            8 => prop_oneof![Just(Kind::Look), Just(Kind::Create)].prop_map(Step::Take),
            6 => Just(Step::GiveBack),
            1 => (0u64..100).prop_map(Step::Hold),
            1 => (0u32..200, 0u32..200).prop_map(|(limit, left)| Step::Learn(limit, left)),
            4 => (0u64..5_000).prop_map(Step::Wait),
        ];
        prop::collection::vec(step, 1..400)
    }

    #[test]
    fn never_more_than_allowed_in_any_minute_nor_at_once() {
        law(200, &(steps(), 1u32..12, 2u32..90), |(steps, at_once, per_minute)| {
            let mut budget = Budget::new(Allowance { per_minute, at_once, ..Allowance::default() });
            let mut now = Mono(1_000);
            let (mut taken, mut open, mut held) = (Vec::<Mono>::new(), 0u32, Mono(0));
            for step in steps {
                match step {
                    Step::Take(kind) => {
                        let free = budget.free_at(kind, now);
                        let got = budget.take(kind, now);
                        prop_assert_eq!(got, free == Some(now), "free_at says when, and take agrees");
                        if got {
                            taken.push(now);
                            open += 1;
                            let minute = taken.iter().filter(|at| now.since(**at) < Duration::from_secs(60)).count();
                            prop_assert!(minute <= budget.per_minute() as usize);
                            prop_assert!(open <= at_once);
                            prop_assert!(now >= held, "nobody goes while all wait");
                        }
                    }
                    Step::GiveBack => {
                        if open > 0 {
                            budget.give_back(Kind::Look, now);
                            open -= 1;
                        }
                    }
                    Step::Hold(secs) => {
                        budget.hold(Duration::from_secs(secs), now);
                        held = held.max(now + Duration::from_secs(secs.min(60)));
                    }
                    Step::Learn(limit, remaining) => {
                        let limits = Limits { limit, remaining, reset: None };
                        budget.learn(limits, Now { mono: now, wall: Wall(0) });
                    }
                    Step::Wait(span) => now = now + Duration::from_millis(span),
                }
            }
            Ok(())
        });
    }

    #[test]
    fn what_waits_is_told_a_moment_at_which_it_may_go() {
        law(200, &(steps(), 1u32..12, 2u32..90), |(steps, at_once, per_minute)| {
            let mut budget = Budget::new(Allowance { per_minute, at_once, ..Allowance::default() });
            let mut now = Mono(1_000);
            for step in steps {
                match step {
                    Step::Take(kind) => {
                        budget.take(kind, now);
                        if let Some(at) = budget.free_at(kind, now) {
                            prop_assert!(budget.clone().take(kind, at), "{kind:?} at {at:?}");
                        }
                    }
                    Step::GiveBack => budget.give_back(Kind::Look, now),
                    Step::Hold(secs) => budget.hold(Duration::from_secs(secs), now),
                    Step::Learn(limit, remaining) => {
                        budget.learn(Limits { limit, remaining, reset: None }, Now { mono: now, wall: Wall(0) });
                    }
                    Step::Wait(span) => now = now + Duration::from_millis(span),
                }
            }
            Ok(())
        });
    }
}

mod queue {
    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Push(u128),
        Next,
        MayGo(u128),
        Done(u128),
        Again(u128, u64),
        PutBack(u128),
        Remove(u128),
    }

    #[test]
    fn no_task_is_under_way_twice() {
        let id = 0u128..5;
        let step = prop_oneof![
            id.clone().prop_map(Step::Push),
            Just(Step::Next),
            Just(Step::Next),
            id.clone().prop_map(Step::MayGo),
            id.clone().prop_map(Step::Done),
            (id.clone(), 0u64..50).prop_map(|(id, at)| Step::Again(id, at)),
            id.clone().prop_map(Step::PutBack),
            id.prop_map(Step::Remove),
        ];
        law(300, &prop::collection::vec(step, 1..200), |steps| {
            let name = |n: u128| LocalId::from_random(n << 64);
            let mut queue = Queue::default();
            let (mut under_way, mut gone) = (BTreeSet::new(), BTreeSet::new());
            for (now, step) in (0u64..).zip(steps) {
                match step {
                    Step::Push(n) => queue.push(name(n)),
                    Step::Next => {
                        if let Some(id) = queue.next(3, Mono(now)) {
                            prop_assert!(under_way.insert(id), "{id:?} has its turn already");
                            prop_assert!(under_way.len() <= 3);
                        }
                    }
                    Step::MayGo(n) if queue.may_go(name(n)) => {
                        prop_assert!(under_way.contains(&name(n)));
                        prop_assert!(gone.insert(name(n)), "the bytes go once a turn");
                    }
                    // What the fleet does only with a task whose turn it is.
                    Step::Done(n) if under_way.remove(&name(n)) => {
                        gone.remove(&name(n));
                        queue.done(name(n));
                    }
                    Step::Again(n, wait) if under_way.remove(&name(n)) => {
                        gone.remove(&name(n));
                        queue.again(name(n), Mono(now + wait));
                    }
                    Step::PutBack(n) if !gone.contains(&name(n)) && under_way.remove(&name(n)) => {
                        queue.put_back(name(n));
                    }
                    Step::Remove(n) => {
                        under_way.remove(&name(n));
                        gone.remove(&name(n));
                        queue.remove(name(n));
                        prop_assert!(!queue.holds(name(n)));
                    }
                    _ => {}
                }
                prop_assert!(under_way.iter().all(|id| queue.is_under_way(*id)));
            }
            Ok(())
        });
    }
}

mod words {
    use super::*;

    fn nasty() -> impl Strategy<Value = String> {
        let c = prop_oneof![
            any::<char>(),
            prop::char::range('\0', '\u{ff}'),
            prop::char::range('\u{2000}', '\u{206f}'),
            prop::sample::select(vec!['\u{200d}', '\u{1F468}', '\r', '\n', '\t', '\u{feff}', '\u{e0041}', '\u{61c}']),
        ];
        prop::collection::vec(c, 0..40).prop_map(|chars| chars.into_iter().collect())
    }

    #[test]
    fn no_control_gets_through_and_a_second_cleaning_changes_nothing() {
        let bidi = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
        law(3000, &nasty(), |dirty| {
            let clean = text::one_line(&dirty).into_owned();
            prop_assert!(!clean.chars().any(|c| c.is_control() || bidi(c)), "{:?}", clean);
            prop_assert_eq!(text::one_line(&clean), clean.as_str());
            let clean = text::lines(&dirty).into_owned();
            prop_assert!(!clean.chars().any(|c| c != '\n' && (c.is_control() || bidi(c))), "{:?}", clean);
            prop_assert_eq!(text::lines(&clean), clean.as_str());
            Ok(())
        });
    }

    #[test]
    fn a_cut_text_is_a_beginning() {
        law(1000, &(nasty(), 0usize..60), |(whole, max)| {
            let cut = text::cut(&whole, max).into_owned();
            let head = cut.rsplit_once("… (").map_or(cut.as_str(), |(head, _)| head);
            prop_assert!(whole.starts_with(head) || cut == whole);
            prop_assert!(head.len() <= max || cut == whole);
            Ok(())
        });
    }

    #[test]
    fn chords_survive_their_text() {
        let key = prop_oneof![
            any::<char>().prop_map(Key::Char),
            (1u8..=12).prop_map(Key::F),
            prop::sample::select(vec![
                Key::Enter,
                Key::Esc,
                Key::Tab,
                Key::Backspace,
                Key::Delete,
                Key::Insert,
                Key::Home,
                Key::End,
                Key::PageUp,
                Key::PageDown,
                Key::Up,
                Key::Down,
                Key::Left,
                Key::Right,
                Key::Char(' '),
                Key::Char('-'),
                Key::Char('f'),
            ]),
        ];
        law(2000, &(key, any::<[bool; 3]>()), |(key, [ctrl, alt, shift])| {
            let chord = Chord { key, ctrl, alt, shift };
            prop_assert_eq!(chord.to_string().parse(), Ok(chord));
            Ok(())
        });
    }

    #[test]
    fn no_text_is_a_chord_by_accident_or_panics() {
        law(2000, &nasty(), |text| {
            if let Ok(chord) = text.parse::<Chord>() {
                prop_assert_eq!(chord.to_string().parse(), Ok(chord));
            }
            Ok(())
        });
    }
}

mod requests {
    use super::*;

    fn url(chance: &mut Chance) -> Value {
        format!("https://files.example/{:x}.png", chance.bits() >> 100).into()
    }

    fn letters(count: usize) -> String {
        "a fox, größer 狐 \u{1F98A} \"quoted\"\n".chars().cycle().take(count).collect()
    }

    fn below(chance: &mut Chance, count: usize) -> usize {
        (chance.bits() % count.max(1) as u128) as usize
    }

    /// A value that this field allows.
    fn value(field: &Field, chance: &mut Chance) -> Value {
        if let Some(choices) = &field.choices {
            return choices[below(chance, choices.len())].clone();
        }
        let (least, most) = (field.min.unwrap_or(0.0), field.max.unwrap_or(1000.0));
        match field.kind {
            FieldKind::Text if field.media.is_some() => url(chance),
            FieldKind::Text => {
                let least = field.min_length.unwrap_or(1).max(1);
                let most = field.max_length.unwrap_or(200).min(200).max(least);
                letters(least + below(chance, most - least + 1)).into()
            }
            FieldKind::Integer => {
                let span = (most - least).clamp(0.0, 1_000_000.0) as usize;
                Value::from(least as i64 + below(chance, span + 1) as i64)
            }
            FieldKind::Number => Value::from(least + (most - least) * 0.25),
            FieldKind::Switch => Value::from(chance.unit() < 0.5),
            FieldKind::Texts => {
                let least = field.min_items.unwrap_or(1).max(1);
                let most = field.max_items.unwrap_or(4).max(least);
                (0..least + below(chance, most - least + 1)).map(|_| url(chance)).collect::<Vec<_>>().into()
            }
        }
    }

    fn draft(spec: &ModelSpec, often: f64, chance: &mut Chance) -> Draft {
        let mut fields = Map::new();
        let mut prompt = String::new();
        for field in &spec.fields {
            let wanted = field.required || chance.unit() < often;
            match field.role {
                _ if !wanted => {}
                Some(Role::Prompt) => prompt = value(field, chance).as_str().unwrap_or_default().to_owned(),
                _ => {
                    fields.insert(field.name.clone(), value(field, chance));
                }
            }
        }
        Draft { model: spec.name.clone(), prompt, fields, ..Draft::default() }
    }

    #[test]
    fn a_valid_draft_of_every_model_is_a_body_that_says_the_same() {
        let catalogue = Catalogue::built_in();
        let mut chance = Chance::new(11);
        for spec in catalogue.models() {
            let (mut good, mut tries) = (0, 0);
            while good < 25 {
                tries += 1;
                assert!(tries < 5000, "{}: no valid draft is found", spec.name);
                let draft = draft(spec, if tries % 2 == 0 { 0.5 } else { 0.15 }, &mut chance);
                let request = match validate(&draft, &catalogue, None) {
                    Ok(request) => request,
                    Err(faults) if !spec.is_current() => {
                        assert!(matches!(faults[0].fault, Fault::RetiredModel(_)), "{faults:?}");
                        break;
                    }
                    Err(faults) => {
                        let across = |f: &plantain::domain::Invalid| matches!(f.fault, Fault::Together(_));
                        assert!(faults.iter().all(across), "{}: {draft:?}: {faults:?}", spec.name);
                        continue;
                    }
                };
                good += 1;
                let body: Value = serde_json::from_str(&request.body).expect("JSON");
                let sent = body["input"].as_object().expect("an input");
                assert_eq!(sent, &request.input, "{}", spec.name);
                for (name, value) in &draft.fields {
                    assert_eq!(sent.get(name), Some(value), "{} {name}", spec.name);
                }
                for (name, value) in sent {
                    let field = spec.field(name).expect("nothing is sent that the model does not know");
                    let typed = field.role == Some(Role::Prompt) && value == &Value::from(draft.prompt.clone());
                    let required = field.required && Some(value) == field.default.as_ref();
                    assert!(typed || required || draft.fields.contains_key(name), "{} {name}", spec.name);
                }
                let stored =
                    Request::from_stored(request.body.clone(), request.template.clone(), request.prompt.clone());
                assert_eq!(stored.as_ref(), Ok(&request));
                let again = validate(&request.draft(&catalogue), &catalogue, None).expect("what was valid stays valid");
                assert_eq!(again.body, request.body, "edited again and not changed, it is the same body");
            }
        }
    }
}

mod table {
    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Add(u128),
        Remove(usize),
        Move(isize),
        Jump(bool),
    }

    #[test]
    fn the_window_holds_the_cursor_and_wastes_no_room() {
        let step = prop_oneof![
            4 => (0u128..60).prop_map(Step::Add),
            1 => (0usize..60).prop_map(Step::Remove),
            4 => (-70isize..70).prop_map(Step::Move),
            1 => any::<bool>().prop_map(Step::Jump),
        ];
        law(200, &prop::collection::vec((step, 0usize..40), 1..100), |steps| {
            let request = Request::new("m", None, Map::new(), String::new(), String::new(), None);
            let request = Arc::new(request);
            let mut table = Table::default();
            let mut known = BTreeSet::new();
            for (step, height) in steps {
                let before = (table.cursor(), table.len());
                match step {
                    Step::Add(n) => {
                        let id = LocalId::from_random(n << 64);
                        let created = Wall(i64::try_from(n * 7 % 20).expect("small"));
                        table.add(std::iter::once(&Task::new(id, Arc::clone(&request), created)));
                        known.insert(id);
                        prop_assert!(before.0.is_none() || table.cursor() == before.0, "rows that arrive move nothing");
                    }
                    Step::Remove(n) => {
                        let id = known.iter().nth(n).copied();
                        if let Some(id) = id {
                            known.remove(&id);
                            table.remove(id);
                            prop_assert!(before.0 == Some(id) || table.cursor() == before.0);
                        }
                    }
                    Step::Move(by) => table.step(by),
                    Step::Jump(to_end) => table.jump(to_end),
                }
                prop_assert_eq!(table.len(), known.len());
                prop_assert_eq!(table.cursor().is_none(), known.is_empty());
                table.scroll(height);
                let (rows, cursor) = table.window(height);
                prop_assert_eq!(rows.len(), height.min(known.len()), "a full window, or all there is");
                if height > 0 {
                    prop_assert_eq!(cursor.map(|at| &rows[at]), table.at());
                }
                let top = table.top();
                table.scroll(height);
                prop_assert_eq!(table.top(), top, "nothing moves by itself");
            }
            Ok(())
        });
    }
}

mod layout {
    use super::*;

    fn state() -> State {
        let start = Start {
            catalogue: Catalogue::built_in(),
            allowance: Allowance::default(),
            service: String::new(),
            demo: false,
            area: Size::new(80, 24),
            seed: 1,
        };
        State::new(start, Now::default())
    }

    fn within(inner: Rect, outer: Rect) -> bool {
        inner.is_empty()
            || (inner.x >= outer.x
                && inner.y >= outer.y
                && inner.right() <= outer.right()
                && inner.bottom() <= outer.bottom())
    }

    fn apart(rects: &[Rect]) -> bool {
        let meets = |a: &Rect, b: &Rect| !a.is_empty() && !b.is_empty() && a.intersects(*b);
        rects.iter().enumerate().all(|(n, a)| rects[n + 1..].iter().all(|b| !meets(a, b)))
    }

    fn check(all: &Panes, whole: Rect) {
        let Panes {
            area,
            header,
            table_frame,
            rows,
            editor_frame,
            prompt,
            form,
            preview_frame,
            picture,
            caption,
            footer,
        } = *all;
        let outer: Vec<Rect> = [header, table_frame, editor_frame, footer].into_iter().chain(preview_frame).collect();
        assert_eq!(area, whole);
        assert!(outer.iter().all(|rect| within(*rect, area)), "{all:?}");
        assert!(apart(&outer), "{all:?}");
        assert!(within(rows, table_frame) && within(prompt, editor_frame) && within(form, editor_frame), "{all:?}");
        assert!(apart(&[prompt, form]), "{all:?}");
        let inner: Vec<Rect> = picture.into_iter().chain(caption).collect();
        assert!(inner.iter().all(|rect| within(*rect, preview_frame.unwrap_or_default())), "{all:?}");
        assert!(apart(&inner), "{all:?}");
        assert_eq!(inner.len(), if preview_frame.is_some() { 2 } else { 0 });
    }

    /// E6
    #[test]
    fn at_every_size_everything_has_its_own_place() {
        let mut state = state();
        for height in 0..=80 {
            for width in 0..=250 {
                state.area = Size::new(width, height);
                let all = panes(&state);
                check(&all, Rect::new(0, 0, width, height));
                if !state.too_small() {
                    assert!(all.rows.height > 0 && all.prompt.height > 0 && all.form.height > 0, "{all:?}");
                    assert!(all.rows.width >= 20 && all.prompt.width >= 20, "{all:?}");
                }
            }
        }
    }

    #[test]
    fn for_every_model_too() {
        let mut state = state();
        let names: Vec<String> = state.catalogue.models().iter().map(|m| m.name.clone()).collect();
        let catalogue = state.catalogue.clone();
        for name in names {
            state.editor.set_model(&name, &catalogue, Now::default());
            for (width, height) in [(40, 10), (60, 15), (80, 24), (100, 30), (120, 40), (250, 80), (41, 80), (250, 10)]
            {
                state.area = Size::new(width, height);
                check(&panes(&state), Rect::new(0, 0, width, height));
            }
        }
    }
}

#[test]
fn stages_have_words_of_their_own() {
    let words: BTreeMap<&str, Stage> = Stage::ALL.into_iter().map(|stage| (stage.word(), stage)).collect();
    assert_eq!(words.len(), Stage::ALL.len());
}
