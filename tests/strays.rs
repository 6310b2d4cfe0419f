//! Journeys through decisions about money and other people's tasks: what is unsure, what is missing, what another
//! program created. Messages in, effects out, virtual time. The letters and numbers name the faults walked through.

use kit::support::{Desk, secs, world::Store};
use plantain::app::settle::{Choice, choices};
use plantain::app::table::Line;
use plantain::app::{Dialog, Msg};
use plantain::domain::{
    Answer, Browse, Change, Found, Holder, LocalId, Output, OutputState, Page, Problem, Report, Source, Stage,
    Standing, Status, Task, TaskId, Wish, explain,
};
use plantain::fleet::{FleetMsg, News, Order};
use plantain::time::Wall;

fn cut_off() -> Problem {
    Problem::Network { sent: true, message: "the connection was reset".into() }
}

fn rejected() -> Problem {
    Problem::Rejected { status: 400, code: Some("INVALID_REQUEST".into()), message: "no such shape".into() }
}

fn unknown() -> Problem {
    Problem::NotFound { message: "unknown".into() }
}

fn named(name: &str) -> TaskId {
    name.parse().expect("an id")
}

/// One task whose first sending had no answer and whose second was refused.
fn unsure() -> Desk {
    let mut desk = Desk::new();
    desk.submit("a fox").stored().stored();
    desk.refused("A", cut_off()).stored().later(secs(2)).stored();
    desk.refused("A", rejected()).stored();
    desk.press("esc").seen();
    desk
}

/// A task of the account as the list shows it.
fn report(desk: &Desk, name: &str, created: Wall, status: Status) -> Report {
    let outputs = vec![Output {
        url: format!("https://cdn.example/{name}"),
        role: "image".into(),
        expires: None,
        state: OutputState::Away,
    }];
    Report {
        task_id: named(name),
        model: desk.state.editor.model().to_owned(),
        outputs: if status == Status::Success { outputs } else { Vec::new() },
        completed: status.is_final().then_some(created),
        status,
        created: Some(created),
        source: Source::Page,
    }
}

/// The list was read: these are on the page, and none of them is in the store.
fn listed(desk: &mut Desk, page: u32, reports: Vec<Report>) {
    let full = Page { page, size: 100, total: 100, reports };
    let answer = Answer::bare(Ok(News::Page(full)));
    desk.fleet(FleetMsg::Browsed { browse: Browse::Page(page), answer });
    desk.fleet(FleetMsg::Sifted(Ok(Vec::new())));
}

/// What the dialog offers.
fn offered(desk: &Desk) -> Vec<Choice> {
    match &desk.state.dialog {
        Some(Dialog::Settle(settling)) => choices(&desk.state, settling),
        other => panic!("{other:?} is open"),
    }
}

fn choose(desk: &mut Desk, choice: &Choice) {
    let at = offered(desk).iter().position(|other| other == choice).expect("it is offered");
    desk.press("home");
    for _ in 0..at {
        desk.press("down");
    }
    desk.press("enter");
}

fn sent(desk: &Desk) -> Wall {
    desk.task("A").times.at(Stage::Sending).expect("it was sent")
}

mod deciding {
    use super::*;

    /// A3, B8: what the answer to a repetition leaves open is not open for ever.
    #[test]
    fn a_refused_repetition_is_for_the_user_to_decide() {
        let mut desk = unsure();
        desk.later(secs(7200)).expect([]);
        assert_eq!(desk.stage("A"), Stage::Unsure);
        let said = explain(desk.task("A"), desk.now.wall, desk.now.wall);
        assert!(said.next.is_some_and(|next| next.contains("Decide")), "it says what to do");
        desk.press("u").expect(["browse page 1"]);
        assert_eq!(offered(&desk), [Choice::Again, Choice::Anew, Choice::GiveUp]);
        desk.press("esc").expect([]);
        assert_eq!(desk.stage("A"), Stage::Unsure, "leaving decides nothing");
    }

    #[test]
    fn a_task_of_the_account_is_adopted_and_goes_on() {
        let mut desk = unsure();
        desk.press("u down").seen();
        let at = sent(&desk);
        let mut other = report(&desk, "tk-other", Wall(at.0 + 1000), Status::Handling);
        other.model = "another".into();
        let old = report(&desk, "tk-old", Wall(at.0 - 3_600_000), Status::Success);
        let late = report(&desk, "tk-late", Wall(at.0 + 60_000), Status::Handling);
        let fits = report(&desk, "tk-fits", Wall(at.0 + 1000), Status::Success);
        listed(&mut desk, 1, vec![late, other, fits, old]);
        desk.expect(["sift tk-late tk-other tk-fits tk-old"]);
        let adopt = |name: &str| Choice::Adopt(named(name));
        assert!(
            matches!(&desk.state.dialog, Some(Dialog::Settle(settling)) if settling.at == Some(Choice::Anew)),
            "what was chosen stays chosen while rows come in"
        );
        assert_eq!(offered(&desk)[1..3], [adopt("tk-fits"), adopt("tk-late")], "the nearest first, the others not");
        choose(&mut desk, &adopt("tk-fits"));
        desk.expect(["save A success"]);
        assert_eq!(desk.task("A").task_id, Some(named("tk-fits")));
        assert!(desk.state.dialog.is_none());
        desk.stored().expect(["fetch A/0"]);
        assert!(desk.state.fleet.candidates(desk.id("A")).is_empty());
    }

    #[test]
    fn one_that_still_runs_is_watched_from_the_disk_on() {
        let mut desk = unsure();
        desk.press("u").seen();
        let fits = report(&desk, "tk-fits", sent(&desk), Status::Handling);
        listed(&mut desk, 1, vec![fits]);
        desk.seen();
        choose(&mut desk, &Choice::Adopt(named("tk-fits")));
        desk.expect(["save A handling"]);
        desk.later(secs(1)).expect_but_drafts([]);
        desk.stored().later(secs(3)).expect(["ask A as tk-fits"]);
        desk.later(secs(3600)).seen();
        assert!(!desk.state.fleet.will_send(desk.id("A")), "it is not sent any more");
    }

    #[test]
    fn anew_is_asked_about_with_its_price_and_is_a_task_of_its_own() {
        let mut desk = unsure();
        desk.press("u").seen();
        choose(&mut desk, &Choice::Anew);
        assert_eq!(offered(&desk), [Choice::Back, Choice::Yes]);
        desk.press("enter").expect([]);
        assert!(offered(&desk).contains(&Choice::Anew), "enter alone goes back");
        choose(&mut desk, &Choice::Anew);
        choose(&mut desk, &Choice::Yes);
        desk.expect(["new B saved", "save A given_up"]);
        assert_eq!(desk.task("B").request, desk.task("A").request);
        assert_ne!(desk.id("A"), desk.id("B"), "the id is the key");
        assert!(explain(desk.task("A"), desk.now.wall, desk.now.wall).what.contains(&desk.id("B").short()));
        desk.stored().expect(["save B sending"]);
        desk.stored().expect(["submit B"]);
        desk.press("up").press("r").later(secs(90_000)).seen();
        assert_eq!(desk.stage("A"), Stage::GivenUp);
    }

    #[test]
    fn what_is_given_up_is_never_sent_again() {
        let mut desk = Desk::new();
        desk.submit("a fox").stored().stored();
        desk.refused("A", cut_off()).stored().press("esc u").seen();
        choose(&mut desk, &Choice::GiveUp);
        choose(&mut desk, &Choice::Yes);
        desk.expect(["save A given_up"]);
        desk.stored().later(secs(600)).expect_but_drafts([]);
        desk.press("r R").later(secs(600)).expect_but_drafts([]);
        let again = desk.killed();
        assert_eq!(again.stage("A"), Stage::GivenUp);
        assert!(!again.state.fleet.will_send(again.id("A")));
    }

    /// B4
    #[test]
    fn a_key_used_for_other_content_is_not_offered_again() {
        let mut desk = Desk::new();
        desk.submit("a fox").stored().stored();
        desk.refused("A", Problem::Mismatch { message: "first used for an owl".into() }).stored();
        desk.press("esc u");
        assert!(!offered(&desk).contains(&Choice::Again));
    }

    /// An answer that is on its way decides first.
    #[test]
    fn nothing_is_decided_while_bytes_are_out() {
        let mut desk = Desk::new();
        desk.submit("a fox").stored().stored();
        desk.refused("A", cut_off()).stored().press("esc u").seen();
        desk.later(secs(2)).stored().seen();
        choose(&mut desk, &Choice::GiveUp);
        choose(&mut desk, &Choice::Yes);
        desk.expect([]);
        desk.accepted("A").expect(["save A queued"]);
        assert!(desk.state.dialog.is_none(), "there is nothing left to decide");
    }

    /// After the key's time only the user can say; a restart changes nothing about that.
    #[test]
    fn an_old_key_leaves_the_decision() {
        let mut desk = unsure().killed();
        desk.later(secs(24 * 3600)).press("esc").seen();
        desk.press("r").expect([]);
        desk.press("u").seen();
        assert_eq!(offered(&desk), [Choice::Anew, Choice::GiveUp]);
    }
}

/// B7
mod missing {
    use super::*;

    fn asked(desk: &mut Desk) -> bool {
        desk.seen().iter().any(|words| words.starts_with("ask "))
    }

    /// Lets the service deny the task until it counts as missing. Says how long that took.
    fn denied(desk: &mut Desk) -> std::time::Duration {
        let since = desk.now.mono;
        while !matches!(desk.task("A").status, Status::Missing(_)) {
            desk.later(secs(1));
            if asked(desk) {
                desk.not_told(unknown());
            }
            assert!(desk.now.mono.since(since) < secs(300), "it never counts as missing");
        }
        desk.now.mono.since(since)
    }

    #[test]
    fn it_takes_three_answers_and_a_minute_and_any_news_brings_it_back() {
        let mut desk = Desk::new();
        desk.running("A");
        assert!(denied(&mut desk) >= secs(60));
        desk.expect(["save A queued"]);
        assert!(!desk.task("A").status.is_final());
        let said = explain(desk.task("A"), desk.now.wall, desk.now.wall);
        assert!(said.what.contains("does not know") && said.next.is_some());
        desk.stored().later(secs(500)).expect_but_drafts([]);
        let mut looks = 0;
        for _ in 0..600 {
            desk.later(secs(10));
            if asked(&mut desk) {
                looks += 1;
                desk.not_told(unknown());
            }
        }
        assert!((2..=4).contains(&looks), "looked for now and then: {looks}");
        desk.press("esc f").expect(["ask A as tk-A"]);
        desk.told(&[("A", Status::Success)]).expect(["save A success", "fetch A/0"]);
    }

    #[test]
    fn a_restart_remembers_it_and_looks_again() {
        let mut desk = Desk::new();
        desk.running("A");
        denied(&mut desk);
        let mut again = desk.stored().killed();
        assert!(matches!(again.task("A").status, Status::Missing(_)));
        again.later(secs(3)).expect(["ask A as tk-A"]);
        again.told(&[("A", Status::Handling)]);
        assert_eq!(again.task("A").status, Status::Handling);
    }

    /// B12: an end stays an end. A link that cannot be renewed is not waited for for ever, but what was paid is not
    /// given up in haste either.
    #[test]
    fn what_ended_is_not_missing() {
        let mut desk = Desk::new();
        desk.running("A").later(secs(3)).told(&[("A", Status::Success)]).stored();
        desk.seen();
        desk.fetched("A", Err(Problem::Forbidden { message: "expired".into() }));
        let deny = |desk: &mut Desk, seconds| {
            for _ in 0..seconds {
                desk.later(secs(1));
                if asked(desk) {
                    desk.not_told(unknown());
                }
            }
        };
        deny(&mut desk, 1500);
        assert_eq!(desk.task("A").outputs[0].state, OutputState::Away);
        deny(&mut desk, 1500);
        assert_eq!(desk.stage("A"), Stage::Success);
        assert!(matches!(desk.task("A").outputs[0].state, OutputState::Lost { .. }));
        assert!(desk.state.fleet.is_idle(), "nothing waits for ever");
    }
}

mod elsewhere {
    use super::*;

    fn rows(desk: &Desk) -> Vec<LocalId> {
        let lines = desk.state.table.window(50).0.into_iter();
        lines.filter_map(|line| if let Line::Task(id) = line { Some(id) } else { None }).collect()
    }

    /// Two tasks of other programs, shown.
    fn shown() -> Desk {
        let mut desk = Desk::new();
        desk.running("A").press("esc o").expect(["browse page 1"]);
        let now = desk.now.wall;
        let ours = Report { task_id: named("tk-A"), ..report(&desk, "tk-A", now, Status::Handling) };
        let runs = report(&desk, "tk-runs", Wall(now.0 - 60_000), Status::Handling);
        let done = report(&desk, "tk-done", Wall(now.0 - 90_000), Status::Success);
        listed(&mut desk, 1, vec![ours, runs, done]);
        desk
    }

    fn stray(desk: &Desk, name: &str) -> LocalId {
        desk.state.fleet.strays().named(&named(name)).expect("it was found").id
    }

    #[test]
    fn they_are_shown_when_asked_for_and_nothing_is_done_about_them() {
        let mut desk = shown();
        assert_eq!(desk.task("A").status, Status::Handling, "what is ours has its news from the same page");
        desk.expect(["save A handling", "sift tk-runs tk-done"]);
        assert_eq!(rows(&desk).len(), 3);
        desk.state.table.choose(stray(&desk, "tk-runs"));
        desk.press("r X e f d R").expect([]);
        desk.stored();
        desk.press("o").expect([]);
        assert_eq!(rows(&desk).len(), 1);
        assert_eq!(desk.state.fleet.tasks().count(), 1, "they are counted nowhere");
    }

    #[test]
    fn the_store_knows_more_of_ours_than_is_loaded() {
        let mut desk = Desk::new();
        desk.press("esc o").seen();
        let old = report(&desk, "tk-old", desk.now.wall, Status::Success);
        let answer = Answer::bare(Ok(News::Page(Page { page: 1, size: 100, total: 1, reports: vec![old] })));
        desk.fleet(FleetMsg::Browsed { browse: Browse::Page(1), answer }).expect(["sift tk-old"]);
        desk.fleet(FleetMsg::Sifted(Ok(vec![named("tk-old")])));
        assert_eq!(rows(&desk).len(), 0);
    }

    #[test]
    fn an_adopted_one_is_watched_and_fetched_after_it_is_on_the_disk() {
        let mut desk = shown();
        desk.stored().seen();
        let (runs, done) = (stray(&desk, "tk-runs"), stray(&desk, "tk-done"));
        desk.state.table.choose(done);
        desk.press("a").expect(["new B success"]);
        desk.stored().expect(["fetch B/0"]);
        desk.state.table.choose(runs);
        desk.press("a").expect(["new C handling"]);
        desk.stored().later(secs(3));
        assert!(desk.seen().iter().any(|words| words.contains('C') || words.contains("tk-runs")), "it is asked about");
        assert_eq!(rows(&desk).len(), 3, "the rows stay where they were");
        desk.press("o").seen();
        assert_eq!(rows(&desk).len(), 3, "they are ours now");
        let again = desk.killed();
        assert!(again.state.fleet.task(runs).is_some_and(|task| task.is_elsewhere()));
        assert!(!again.state.fleet.tasks().any(|task| again.state.fleet.will_send(task.id)));
    }

    #[test]
    fn pages_are_read_on_demand_and_not_for_ever() {
        let mut desk = Desk::new();
        desk.press("esc o").seen();
        for page in 1..=10 {
            let reports = (0..100).map(|n| report(&desk, &format!("tk-{page}-{n}"), desk.now.wall, Status::Success));
            let reports = reports.collect();
            listed(&mut desk, page, reports);
            desk.later(secs(120)).seen();
            desk.press("O");
            let expected: Vec<String> = (page < 10).then(|| format!("browse page {}", page + 1)).into_iter().collect();
            assert_eq!(desk.seen(), expected);
        }
        assert_eq!(desk.state.fleet.strays().iter().count(), 1000);
    }

    #[test]
    fn a_list_that_cannot_be_read_is_said_and_not_asked_again_by_itself() {
        let mut desk = Desk::new();
        desk.press("esc o").seen();
        let answer: Answer<News> = Answer::bare(Err(cut_off()));
        desk.fleet(FleetMsg::Browsed { browse: Browse::Page(1), answer });
        assert!(desk.state.notice.as_ref().is_some_and(|notice| notice.text.contains("cannot be read")));
        desk.later(secs(600)).expect([]);
        desk.press("o o").expect(["browse page 1"]);
    }
}

/// C14
mod windows {
    use super::*;

    fn another() -> Standing {
        let (host, service) = ("here".into(), "http://service/".into());
        let holder = Holder { pid: 4242, host, service, other_key: false, quiet: false };
        Standing { holds: false, holder: Some(holder), ..Standing::default() }
    }

    fn watching(task: Task) -> Desk {
        let mut desk = Desk::bare(100, 30, Store::default(), 8);
        desk.hear(Msg::Stands(another()));
        desk.hear(Msg::Older { tasks: vec![task], last: true }).press("esc").seen();
        desk
    }

    fn wishes(desk: &mut Desk) -> Vec<Order> {
        std::iter::from_fn(|| desk.last_order().cloned().inspect(|_| drop(desk.seen()))).collect()
    }

    /// What a window that only watches decides, the holder does.
    #[test]
    fn a_decision_is_a_wish() {
        let mut holder = unsure();
        let task = holder.task("A").clone();
        let mut desk = watching(task.clone());
        desk.press("u");
        assert_eq!(wishes(&mut desk), [Order::Save(Change::Wish(Wish::Browse(Browse::Page(1))))]);

        holder.hear(Msg::Wished(vec![(Wish::Browse(Browse::Page(1)), None)])).expect(["browse page 1"]);
        let fits = report(&holder, "tk-fits", sent(&holder), Status::Handling);
        listed(&mut holder, 1, vec![fits]);
        let Some(Order::Save(Change::Found(found))) = holder.last_order().cloned() else { panic!("nothing is told") };
        let found: Found = *found;
        desk.fleet(FleetMsg::Found(Box::new(found)));
        choose(&mut desk, &Choice::Adopt(named("tk-fits")));
        let [Order::Save(Change::Wish(wish))] = &wishes(&mut desk)[..] else { panic!("it wishes nothing") };
        assert_eq!(*wish, Wish::Adopt { task: task.id, task_id: named("tk-fits") });
        assert!(desk.state.fleet.will_send(task.id), "it is not over before the holder has done it");
        holder.seen();
        holder.hear(Msg::Wished(vec![(wish.clone(), Some(task.clone()))])).expect(["save A handling"]);
        holder.hear(Msg::Wished(vec![(Wish::GiveUp { task: task.id, anew: None }, Some(task))])).expect([]);
        assert_eq!(holder.stage("A"), Stage::Handling, "the first word counts");
    }

    #[test]
    fn anew_is_an_intent_and_the_old_one_is_given_up() {
        let task = unsure().task("A").clone();
        let mut desk = watching(task.clone());
        desk.press("u").seen();
        choose(&mut desk, &Choice::Anew);
        choose(&mut desk, &Choice::Yes);
        let seen = desk.seen();
        assert!(seen[0].starts_with("intent ") && seen[1].starts_with("wish GiveUp"), "{seen:?}");
        assert!(seen[1].contains("anew: Some"), "{seen:?}");
    }

    #[test]
    fn when_the_holder_is_gone_this_window_looks_itself() {
        let mut desk = watching(unsure().task("A").clone());
        desk.press("o").seen();
        desk.hear(Msg::TookOver(Vec::new()));
        assert!(desk.seen().contains(&"browse page 1".to_owned()));
    }
}
