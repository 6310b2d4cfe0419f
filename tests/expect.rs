//! What is learned of durations and of the service's clock, and what comes of it: journeys in virtual time.

use std::time::Duration;

use kit::support::desk::{report, task_id};
use kit::support::{Desk, secs};
use plantain::domain::{Answer, Dated, Output, Problem, Status};
use plantain::fleet::durations::Curve;
use plantain::fleet::{FleetMsg, News, Question, Wait};
use plantain::time::Wall;

/// What the store would hand in at the start.
fn kept(desk: &Desk) -> FleetMsg {
    let curve = |(about, text): (&String, &String)| Some((about.clone(), Curve::read(text)?));
    FleetMsg::Learned(desk.store.learned.iter().filter_map(curve).collect())
}

mod learning {
    use super::*;

    /// So many tasks that took a minute each.
    fn practised(n: usize) -> Desk {
        let mut desk = Desk::new();
        desk.fleet(FleetMsg::Learned(Vec::new())).by_itself();
        desk.service.takes = Some(secs(60));
        for n in 0..n {
            desk.submit(&format!("fox {n}")).later(secs(90));
        }
        desk
    }

    #[test]
    fn what_was_learned_is_kept_once_and_rarely() {
        let mut desk = Desk::new();
        desk.fleet(FleetMsg::Learned(Vec::new()));
        desk.at_home("A").at_home("B").later(secs(20)).expect([]);
        desk.later(secs(10)).expect(["learned 1"]);
        desk.stored().later(secs(600)).expect([]);
        assert_eq!(desk.store.learned.len(), 1);
        desk.at_home("C").later(secs(29)).expect([]);
        desk.later(secs(1)).expect(["learned 1"]);
    }

    #[test]
    fn leaving_keeps_the_rest() {
        let mut desk = Desk::new();
        desk.fleet(FleetMsg::Learned(Vec::new())).at_home("A").press("ctrl-q");
        assert!(desk.seen().contains(&"learned 1".to_owned()));
    }

    /// A program that leaves before it has read what was kept must not put its little in the place of the much.
    #[test]
    fn nothing_is_kept_before_what_was_kept_is_known() {
        let mut desk = Desk::new();
        desk.at_home("A").later(secs(600)).press("ctrl-q");
        assert_eq!(desk.seen(), ["quit"]);
        assert!(desk.store.learned.is_empty());
    }

    #[test]
    fn a_restart_knows_what_was_learned() {
        let mut desk = practised(20);
        let left = |desk: &mut Desk| {
            desk.submit("one more").later(secs(3));
            let id = desk.state.table.cursor().expect("a row");
            desk.state.fleet.outlook(id, desk.now).expect("it runs")
        };
        let before = left(&mut desk);
        assert!((45..75).contains(&before.usual.as_secs()), "{before:?}");
        desk.later(secs(200));
        let mut again = desk.killed();
        again.by_itself();
        let learned = kept(&again);
        again.fleet(learned);
        let after = left(&mut again);
        assert!(after.usual.abs_diff(before.usual) < secs(3), "{before:?} {after:?}");
        let mut ignorant = Desk::new();
        ignorant.by_itself();
        assert!(left(&mut ignorant).usual < secs(20));
    }

    /// The history is in what was kept already: it must not be learned again with every start.
    #[test]
    fn nothing_is_learned_twice() {
        let mut desk = practised(5);
        desk.later(secs(40));
        let first = desk.store.learned.clone();
        for _ in 0..3 {
            let mut again = desk.killed();
            again.by_itself();
            let learned = kept(&again);
            again.fleet(learned);
            again.later(secs(120)).press("ctrl-q");
            desk = again;
        }
        assert_eq!(desk.store.learned, first);
    }
}

mod expecting {
    use super::*;

    #[test]
    fn every_running_task_has_an_expected_end_and_no_other() {
        let mut desk = Desk::new();
        desk.running("A").later(secs(2));
        let outlook = desk.state.fleet.outlook(desk.id("A"), desk.now).expect("it runs");
        assert!(outlook.left > secs(3) && outlook.left <= outlook.usual && !outlook.slow, "{outlook:?}");
        desk.at_home("B");
        assert_eq!(desk.state.fleet.outlook(desk.id("B"), desk.now), None);
        desk.submit("a third");
        assert_eq!(desk.state.fleet.outlook(desk.id("C"), desk.now), None);
    }

    #[test]
    fn a_straggler_is_called_slow() {
        let mut desk = Desk::new();
        desk.by_itself();
        desk.service.takes = Some(secs(3600));
        desk.submit("a fox").later(secs(20));
        assert!(!desk.state.fleet.outlook(desk.id("A"), desk.now).expect("it runs").slow);
        desk.later(secs(600));
        assert!(desk.state.fleet.outlook(desk.id("A"), desk.now).expect("it runs").slow);
        assert_eq!(desk.state.fleet.all_done_in(desk.now), None, "nobody knows");
    }

    #[test]
    fn the_end_of_all_is_later_than_that_of_one_and_comes_nearer() {
        let mut desk = Desk::new();
        desk.by_itself();
        let all = |desk: &Desk| desk.state.fleet.all_done_in(desk.now);
        assert_eq!(all(&desk), None);
        desk.submit("fox").later(secs(1));
        let one = all(&desk).expect("one runs");
        for n in 0..20 {
            desk.submit(&format!("fox {n}"));
        }
        let many = all(&desk).expect("many run");
        assert!(many > one + secs(5), "{one:?} {many:?}");
        desk.later(secs(5));
        assert!(all(&desk).expect("they run") < many);
        desk.later(secs(60));
        assert_eq!(all(&desk), None);
    }

    /// What still has to be sent takes its time: sixty a minute, no more.
    #[test]
    fn the_allowance_counts_in_the_end_of_all() {
        let mut desk = Desk::new();
        desk.by_itself();
        for n in 0..300 {
            desk.submit(&format!("fox {n}"));
        }
        let all = desk.state.fleet.all_done_in(desk.now).expect("much to do");
        assert!((240..420).contains(&all.as_secs()), "{all:?}");
        let mut end = Duration::ZERO;
        while desk.state.fleet.all_done_in(desk.now).is_some() && end < secs(900) {
            desk.later(secs(5));
            end += secs(5);
        }
        assert!(end.abs_diff(all) < all / 4, "said {all:?}, took {end:?}");
    }
}

mod waiting {
    use super::*;

    /// B1: an hour is asked for; it is shown, and one key tries at once.
    #[test]
    fn an_absurd_wait_is_counted_down_and_can_be_cut_short() {
        let mut desk = Desk::new();
        desk.submit("a fox").stored().stored().seen();
        desk.refused("A", Problem::Limit { retry_after: Some(3600) }).stored();
        desk.seen();
        assert!(matches!(desk.state.fleet.waits(desk.now), Some(Wait::Asked(at)) if at <= desk.now.mono + secs(60)));
        desk.later(secs(120)).expect_but_drafts([]);
        let Some(Wait::Again(at)) = desk.state.fleet.waits(desk.now) else {
            panic!("{:?}", desk.state.fleet.waits(desk.now))
        };
        assert!((3470..=3490).contains(&at.since(desk.now.mono).as_secs()));
        desk.press("esc R").expect_but_drafts(["save A sending"]);
        assert_eq!(desk.state.fleet.waits(desk.now), None);
    }

    #[test]
    fn a_full_window_says_until_when() {
        let mut desk = Desk::new();
        desk.by_itself();
        assert_eq!(desk.state.fleet.waits(desk.now), None);
        for n in 0..80 {
            desk.submit(&format!("fox {n}"));
        }
        let Some(Wait::Full(at)) = desk.state.fleet.waits(desk.now) else {
            panic!("{:?}", desk.state.fleet.waits(desk.now))
        };
        assert!(at > desk.now.mono && at <= desk.now.mono + secs(60));
        desk.later(secs(200));
        assert_eq!(desk.state.fleet.waits(desk.now), None);
    }
}

mod clocks {
    use super::*;

    /// A success whose link lives for an hour by the service's clock, which is `ahead` of ours.
    fn told_by(ahead: i64) -> Desk {
        let mut desk = Desk::new();
        desk.running("A").later(secs(10));
        let there = Wall(desk.now.wall.0 + ahead);
        let expires = Some(Wall(there.0 + 3_600_000));
        let mut report = report("A", Status::Success);
        report.completed = Some(Wall(there.0 - 4_000));
        report.outputs = report.outputs.into_iter().map(|output| Output { expires, ..output }).collect();
        let (sent, heard) = (Wall(desk.now.wall.0 - 80), desk.now.wall);
        let date = Some(Dated { at: Wall(there.0 / 1000 * 1000), sent, heard });
        let question = Question::Task(desk.id("A"), task_id("A"));
        let answer = Answer { date, ..Answer::bare(Ok(News::Task(report))) };
        desk.fleet(FleetMsg::Answered { question, answer }).stored();
        desk
    }

    /// F1
    #[test]
    fn deadlines_go_by_the_clock_of_the_service() {
        for ahead in [-86_400_000, -600_000, 0, 600_000, 86_400_000] {
            let mut desk = told_by(ahead);
            let output = desk.task("A").outputs[0].clone();
            let here = |desk: &Desk| desk.state.fleet.at_service(desk.now);
            assert!(output.link_lives(here(&desk)), "{ahead}");
            desk.later(secs(3500));
            assert!(output.link_lives(here(&desk)), "{ahead}");
            desk.later(secs(200));
            assert!(!output.link_lives(here(&desk)), "{ahead}");
        }
    }

    #[test]
    fn what_the_service_dates_is_kept_by_our_clock() {
        for ahead in [-86_400_000, -600_000, 0, 600_000] {
            let desk = told_by(ahead);
            let took = desk.task("A").took().expect("it ended");
            assert!((5..8).contains(&took.as_secs()), "{took:?} with {ahead}");
        }
    }

    /// A file that is gone is fetched again as long as its link works, whatever our clock says.
    #[test]
    fn a_wrong_clock_does_not_end_a_link() {
        let mut desk = told_by(-86_400_000);
        desk.later(secs(1800)).fetched("A", Ok(())).stored().seen();
        let asset = plantain::domain::AssetId { task: desk.id("A"), index: 0 };
        desk.fleet(FleetMsg::Again(vec![asset]));
        assert!(desk.seen().contains(&"fetch A/0".to_owned()));
        let mut ahead = told_by(86_400_000);
        ahead.fetched("A", Ok(())).stored().later(secs(3700)).seen();
        ahead.fleet(FleetMsg::Again(vec![asset]));
        let seen = ahead.seen();
        assert!(!seen.iter().any(|order| order.starts_with("fetch")), "by our clock it would live for a day: {seen:?}");
    }

    #[test]
    fn the_user_is_told_once() {
        let mut desk = told_by(-600_000);
        let words = desk.state.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default();
        assert!(words.contains("clock of this machine is 10 minutes ahead of"), "{words:?}");
        desk.later(secs(120));
        desk.running("B").later(secs(5)).told(&[("B", Status::Handling)]);
        assert_eq!(desk.state.notice, None);
        assert_eq!(told_by(90_000).state.notice, None, "a minute and a half is no trouble");
        let words = told_by(3 * 86_400_000).state.notice.map(|notice| notice.text).unwrap_or_default();
        assert!(words.contains("3 days behind"), "{words:?}");
    }
}
