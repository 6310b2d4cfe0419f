//! Journeys through the pure machine: messages in, effects out, virtual time. No disk, no network, no screen.
//! The letters and numbers in the comments name the fault that a journey walks through.

#[path = "journeys/form.rs"]
mod form;
#[path = "journeys/kin.rs"]
mod kin;
#[path = "journeys/plan.rs"]
mod plan;
#[path = "journeys/writing.rs"]
mod writing;

#[path = "journeys/budget.rs"]
mod budget;
#[path = "journeys/groups.rs"]
mod groups;

use kit::support::{self, Desk, secs, world::Store};
use plantain::app::dialog::{Setup, Test};
use plantain::app::msg::PictureWay;
use plantain::app::{AssetMsg, Dialog, Msg, Pane, Slot, matching_models, sources};
use plantain::domain::{
    Change, Draft, Failure, Holder, LocalId, OutputState, Problem, Stage, Standing, Status, Task, Wish,
};
use plantain::fleet::{FleetMsg, Order};
use plantain::keys::Place;
use plantain::time::Wall;
use std::sync::Arc;
use std::time::Duration;

fn limit(retry_after: Option<u32>) -> Problem {
    Problem::Limit { retry_after }
}

fn cut_off(sent: bool) -> Problem {
    Problem::Network { sent, message: "the connection was reset".into() }
}

fn unpaid() -> Problem {
    Problem::Balance { message: "top up".into() }
}

fn bad_key() -> Problem {
    Problem::Auth { message: "invalid key".into() }
}

fn rejected() -> Problem {
    Problem::Rejected { status: 400, code: Some("bad".into()), message: "no such shape".into() }
}

/// One task whose creation is under way.
fn sending() -> Desk {
    let mut desk = Desk::new();
    desk.submit("a fox").stored().stored().expect_but_drafts(["new A saved", "save A sending", "submit A"]);
    desk
}

mod submitting {
    use super::*;

    #[test]
    fn from_the_key_press_to_the_picture() {
        let mut desk = Desk::new();
        desk.typed("a fox in snow").press("ctrl-s").expect(["new A saved"]);
        assert_eq!(desk.state.table.cursor(), Some(desk.id("A")), "the row is there with the key press");
        assert_eq!(desk.state.editor.prompt(), "");
        desk.stored().expect(["save A sending"]);
        desk.stored().expect(["submit A"]);
        desk.accepted("A").expect(["save A queued"]);
        desk.stored().expect([]);
        desk.later(secs(3)).expect_but_drafts(["ask A as tk-A"]);
        desk.told(&[("A", Status::Handling)]).expect(["save A handling"]);
        desk.stored().later(secs(3)).expect(["ask A as tk-A"]);
        desk.told(&[("A", Status::Success)]).expect(["save A success", "fetch A/0"]);
        desk.stored().fetched("A", Ok(())).expect(["save A success"]);
        assert!(matches!(desk.task("A").outputs[0].state, OutputState::Home(_)));
        desk.stored().later(secs(120)).expect([]);
        assert_eq!(sources(&desk.state), None, "and then there is silence");
    }

    #[test]
    fn nothing_leaves_before_it_is_on_the_disk() {
        let mut desk = Desk::new();
        desk.submit("a fox").later(secs(600)).expect_but_drafts(["new A saved"]);
        desk.stored().later(secs(600)).expect(["save A sending"]);
        desk.stored().expect(["submit A"]);
        desk.later(secs(600)).expect([]);
        assert_eq!(desk.stage("A"), Stage::Sending, "a slow answer is not a lost one");
    }

    #[test]
    fn an_id_is_on_the_disk_before_anything_is_done_with_it() {
        let mut desk = sending();
        desk.accepted("A").later(secs(60)).expect_but_drafts(["save A queued"]);
        desk.not_stored().later(secs(1)).expect([]);
        desk.later(secs(2)).expect(["save A queued"]);
        desk.stored().later(secs(3)).expect(["ask A as tk-A"]);
    }

    /// C5: what cannot be stored is not sent.
    #[test]
    fn a_full_disk_holds_the_task_until_the_user_says_so() {
        let mut desk = Desk::new();
        desk.submit("a fox").not_stored().later(secs(600)).expect_but_drafts(["new A saved"]);
        assert_eq!(desk.stage("A"), Stage::Held);
        assert!(desk.state.notice.is_none(), "the warning has gone by itself");
        desk.press("esc r").expect(["new A saved"]);
        desk.stored().not_stored().expect(["save A sending"]);
        assert_eq!(desk.stage("A"), Stage::Held, "nor when the second step cannot be stored");
        desk.press("r").stored().stored().expect(["save A saved", "save A sending", "submit A"]);
    }

    /// G1
    #[test]
    fn a_second_press_sends_nothing() {
        let mut desk = Desk::new();
        desk.typed("a fox").press("ctrl-s ctrl-s ctrl-s").expect(["new A saved"]);
        assert_eq!(desk.state.table.len(), 1);
        assert!(desk.state.notice.as_ref().is_some_and(|n| n.text.contains("already sent")));
    }

    #[test]
    fn what_the_service_would_refuse_is_refused_here() {
        let mut desk = Desk::new();
        let long = "x".repeat(5001);
        desk.paste(&long).press("ctrl-s").expect([]);
        assert_eq!(desk.state.editor.prompt(), long, "the text stays");
        assert_eq!(desk.state.place(), Place::Editor);
        let field = desk.state.catalogue.default_model().fields.last().expect("a field").name.clone();
        desk.press("ctrl-u").typed("a fox");
        desk.state.editor.set_field(&field, Some("bmp".into()), desk.now);
        desk.press("ctrl-s").expect([]);
        assert_eq!(desk.state.place(), Place::Form, "the cursor goes to the field");
        assert_eq!(desk.state.editor.field(&desk.state.catalogue).map(|f| f.name.clone()), Some(field));
        assert!(desk.state.editor.prompt().contains("a fox"));
        assert!(desk.state.notice.as_ref().is_some_and(|n| n.text.contains("it is one of")));
    }

    #[test]
    fn no_more_creations_at_once_than_allowed() {
        let mut desk = Desk::new();
        for n in 0..8 {
            desk.submit(&format!("fox {n}"));
        }
        desk.stored().seen();
        desk.stored().expect(["submit A", "submit B", "submit C", "submit D"]);
        desk.accepted("B").stored().stored();
        desk.expect(["save B queued", "save E sending", "submit E"]);
        desk.later(secs(600)).seen();
        assert_eq!(desk.stage("F"), Stage::Saved);
    }

    /// E10
    #[test]
    fn a_paste_never_sends() {
        let mut desk = Desk::new();
        desk.paste("a fox\rin snow\n\u{13}\u{1b}[115;5u\r").later(secs(1));
        desk.expect(["draft \"a fox\\nin snow\\n[115;5u\\n\""]);
        desk.press("esc").paste("q\nr\nX\n").expect([]);
        assert_eq!(desk.state.place(), Place::Editor, "what is pasted goes where text goes");
        desk.press("esc ?").paste("q").expect([]);
        assert!(desk.state.editor.prompt().ends_with("q\nr\nX\n"), "the help takes no text");
    }
}

mod refusals {
    use super::*;

    /// B1
    #[test]
    fn too_many_requests_waits_as_long_as_asked() {
        let mut desk = sending();
        desk.refused("A", limit(Some(20))).stored().expect(["save A saved"]);
        desk.later(secs(20)).expect_but_drafts([]);
        desk.later(secs(2)).stored().expect(["save A sending", "submit A"]);
        desk.accepted("A").expect(["save A queued"]);
    }

    /// B1: the wait is for everything that shares the allowance.
    #[test]
    fn too_many_requests_holds_looks_too() {
        let mut desk = Desk::new();
        desk.running("A").submit("another").stored().stored().seen();
        desk.refused("B", limit(Some(30))).stored().seen();
        desk.later(secs(30)).expect_but_drafts([]);
        desk.later(secs(2)).stored();
        desk.expect(["ask A as tk-A", "save B sending", "submit B"]);
    }

    #[test]
    fn a_busy_service_is_asked_again_later_and_later() {
        let mut desk = sending();
        let mut waits = Vec::new();
        for _ in 0..6 {
            desk.refused("A", Problem::Busy { retry_after: None, message: String::new() }).stored().seen();
            let since = desk.now.mono;
            while !desk.seen().contains(&"submit A".to_owned()) {
                desk.later(Duration::from_millis(100)).stored();
            }
            waits.push(desk.now.mono.since(since));
        }
        assert!(waits[5] > waits[0] * 8, "{waits:?}");
        assert!(waits[5] < secs(30), "{waits:?}");
        assert_eq!(desk.stage("A"), Stage::Sending);
    }

    /// A1, A2
    #[test]
    fn no_connection_before_the_first_byte_is_not_sent() {
        let mut desk = sending();
        desk.refused("A", cut_off(false)).expect(["save A saved"]);
        desk.stored().later(secs(2)).stored().expect_but_drafts(["save A sending", "submit A"]);
    }

    /// A3
    #[test]
    fn no_connection_after_the_first_byte_is_unsure() {
        let mut desk = sending();
        let body = desk.task("A").request.body.clone();
        desk.refused("A", cut_off(true)).expect(["save A unsure"]);
        desk.stored().later(secs(2)).expect_but_drafts(["save A unsure"]);
        desk.stored().expect(["submit A"]);
        desk.refused("A", cut_off(false)).expect(["save A unsure"]);
        assert_eq!(desk.stage("A"), Stage::Unsure, "a second attempt that did not leave says nothing of the first");
        desk.stored().later(secs(4)).stored().expect(["save A unsure", "submit A"]);
        assert_eq!(desk.task("A").request.body, body);
        desk.accepted("A").expect(["save A queued"]);
    }

    /// B5, B6
    #[test]
    fn an_empty_account_stops_the_queue_after_the_first() {
        let mut desk = Desk::new();
        for n in 0..6 {
            desk.submit(&format!("fox {n}"));
        }
        desk.stored().stored().seen();
        desk.refused("A", unpaid()).stored().expect(["save A held"]);
        for name in ["B", "C", "D"] {
            desk.refused(name, unpaid()).stored().seen();
        }
        desk.later(secs(600)).expect_but_drafts([]);
        assert_eq!((desk.stage("D"), desk.stage("E"), desk.stage("F")), (Stage::Held, Stage::Saved, Stage::Saved));
        desk.press("esc R").stored().stored().stored();
        let seen = desk.seen();
        let submits = seen.iter().filter(|words| words.starts_with("submit")).count();
        assert_eq!(submits, 4, "it goes on, four at once: {seen:?}");
    }

    /// B5
    #[test]
    fn a_wrong_key_asks_for_another_and_loses_nothing() {
        let mut desk = Desk::new();
        desk.running("A").submit("another").stored().stored().seen();
        desk.refused("B", bad_key()).stored().expect(["save B held"]);
        assert!(matches!(&desk.state.dialog, Some(Dialog::Setup(s)) if s.reason.contains("refused the API key")));
        desk.later(secs(600)).expect_but_drafts([]);
        desk.paste(" sk-new \n").press("enter").expect(["try key"]);
        desk.press("enter").expect([]);
        desk.hear(Msg::KeyChecked(Err(bad_key())));
        assert!(matches!(&desk.state.dialog, Some(Dialog::Setup(Setup { test: Test::Failed(_), .. }))));
        desk.press("enter").expect(["try key"]);
        desk.hear(Msg::KeyChecked(Ok(12)));
        assert_eq!(desk.state.dialog, None);
        desk.stored().stored().expect(["save B saved", "ask A as tk-A", "save B sending", "submit B"]);
    }

    /// B3
    #[test]
    fn still_processing_is_asked_again_and_a_named_task_is_taken() {
        let mut desk = sending();
        desk.refused("A", Problem::Processing { retry_after: Some(5), task_id: None }).expect(["save A unsure"]);
        desk.stored().later(secs(5)).expect_but_drafts([]);
        desk.later(secs(2)).stored().expect(["save A unsure", "submit A"]);
        let named = Problem::Processing { retry_after: Some(5), task_id: Some(support::desk::task_id("A")) };
        desk.refused("A", named).expect(["save A queued"]);
        desk.stored().later(secs(3)).expect(["ask A as tk-A"]);
    }

    /// B4
    #[test]
    fn a_key_used_for_other_bytes_is_never_sent_again() {
        let mut desk = sending();
        desk.refused("A", Problem::Mismatch { message: "other bytes".into() }).stored().expect(["save A unsure"]);
        desk.later(secs(600)).press("esc r").later(secs(600)).expect_but_drafts([]);
        assert_eq!(desk.stage("A"), Stage::Unsure);
    }

    /// B8
    #[test]
    fn a_refused_request_ends_and_can_be_edited() {
        let mut desk = sending();
        desk.refused("A", rejected()).stored().expect(["save A refused"]);
        desk.press("esc r").later(secs(600)).expect_but_drafts([]);
        desk.press("e");
        assert_eq!((desk.state.place(), desk.state.editor.prompt().as_str()), (Place::Editor, "a fox"));
    }

    /// F2: a lid that was closed for a day.
    #[test]
    fn a_key_that_the_service_may_have_forgotten_is_not_used_again() {
        let mut desk = sending();
        desk.refused("A", cut_off(true)).stored().seen();
        desk.now.wall = Wall(desk.now.wall.0 + 30 * 3600 * 1000);
        desk.later(secs(600)).stored().stored().later(secs(600));
        assert!(!desk.seen().contains(&"submit A".to_owned()), "it might be paid twice");
        assert_eq!(desk.stage("A"), Stage::Unsure);
        desk.press("esc r").later(secs(600)).stored();
        assert!(!desk.seen().contains(&"submit A".to_owned()));
    }
}

mod restarting {
    use super::*;

    /// F4: what surely was not sent is held, what may have been is unsure; neither goes out by itself.
    #[test]
    fn a_restart_sends_nothing_by_itself() {
        let mut desk = Desk::new();
        desk.submit("a fox").stored().submit("an owl").stored().later(secs(1)).stored();
        let mut again = desk.killed();
        again.expect([]);
        assert_eq!((again.stage("A"), again.stage("B")), (Stage::Unsure, Stage::Unsure));
        let mut desk = Desk::new();
        desk.submit("a fox");
        assert_eq!(desk.killed().state.table.len(), 0, "it never was on the disk");
        desk.stored();
        let mut again = desk.killed();
        again.later(secs(3600)).stored().expect([]);
        assert_eq!(again.stage("A"), Stage::Held);
        assert!(again.state.notice.is_none());
        again.press("esc r").stored().stored();
        again.expect(["save A saved", "save A sending", "submit A"]);
    }

    /// F3
    #[test]
    fn what_may_have_been_sent_is_settled_with_the_same_key_and_bytes() {
        let mut desk = sending();
        let (id, body) = (desk.id("A"), desk.task("A").request.body.clone());
        desk.service.post(id, &body, desk.now).expect("the service has it");
        let mut again = desk.killed();
        assert!(again.state.notice.as_ref().is_some_and(|n| n.text.contains("never paid twice")));
        again.later(secs(60)).expect([]);
        again.by_itself().press("esc r").later(secs(60));
        assert_eq!(again.stage("A"), Stage::Success);
        assert_eq!(again.service.ledger.len(), 1, "paid once");
        assert_eq!(again.service.bodies[&id], [body.clone(), body]);
    }

    #[test]
    fn watching_goes_on_by_itself() {
        let mut desk = Desk::new();
        desk.by_itself().submit("a fox");
        assert_eq!(desk.stage("A"), Stage::Queued);
        let mut again = desk.killed();
        again.by_itself().later(secs(30));
        assert_eq!(again.stage("A"), Stage::Success);
        assert!(again.task("A").outputs.iter().all(|output| output.home().is_some()));
        assert_eq!(again.service.bodies[&again.id("A")].len(), 1, "sent once, in the first life");
    }

    /// F3: killed while the answer was on its way.
    #[test]
    fn fetching_goes_on_by_itself() {
        let mut desk = Desk::new();
        desk.running("A").later(secs(3));
        desk.told(&[("A", Status::Success)]).stored();
        let mut again = desk.killed();
        again.expect(["fetch A/0"]);
    }

    #[test]
    fn unfinished_tasks_and_the_newest_page_overlap() {
        let mut desk = Desk::new();
        desk.submit("a fox").stored().running("B");
        let tasks: Vec<Task> = desk.store.tasks.values().cloned().collect();
        let count = |stage: Stage| (stage, tasks.iter().filter(|t| t.status.stage() == stage).count() as u64);
        let counts: Vec<_> = Stage::ALL.map(count).into();
        // The counts are of what is on the disk, so they come first.
        for order in [[0, 1, 2], [0, 2, 1]] {
            let mut again = Desk::bare(100, 30, Store::default(), 9);
            for step in order {
                again.hear(match step {
                    0 => Msg::Counted(counts.clone()),
                    1 => Msg::Unfinished(tasks.clone()),
                    _ => Msg::Older { tasks: tasks.clone(), last: true },
                });
            }
            assert_eq!(again.state.table.len(), 2);
            let total: u64 = plantain::app::table::counts(&again.state.fleet, &again.state.table).values().sum();
            assert_eq!(total, 2, "{order:?}");
            assert_eq!(again.seen().len(), 1, "the one that is at the service is asked for, once");
        }
    }

    #[test]
    fn the_draft_is_there_again_but_does_not_push_aside_what_is_typed() {
        let mut desk = Desk::new();
        desk.typed("half a th").later(secs(2)).stored();
        let mut again = desk.killed();
        assert_eq!(again.state.editor.prompt(), "half a th");
        again.expect([]);
        let mut again = Desk::new();
        again.typed("new").hear(Msg::Drafted(Draft { prompt: "old".into(), ..Draft::default() }));
        assert_eq!(again.state.editor.prompt(), "oldnew", "as if it had been typed a moment later");
    }
}

mod watching {
    use super::*;

    #[test]
    fn one_task_is_asked_for_by_name_and_two_by_page() {
        let mut desk = Desk::new();
        desk.running("A").running("B").later(secs(3)).expect_but_drafts(["page 1 for A B"]);
        desk.told(&[("A", Status::Handling), ("B", Status::Success)]);
        desk.expect(["save A handling", "save B success", "fetch B/0"]);
        desk.later(secs(4)).expect_but_drafts(["ask A as tk-A"]);
    }

    /// B13
    #[test]
    fn absence_from_a_page_is_no_news() {
        let mut desk = Desk::new();
        desk.running("A").running("B").later(secs(3)).seen();
        desk.told(&[("B", Status::Handling)]).later(secs(1)).expect_but_drafts(["save B handling", "ask A as tk-A"]);
        assert_eq!(desk.stage("A"), Stage::Queued);
        desk.not_told(Problem::NotFound { message: "unknown".into() });
        assert_eq!(desk.stage("A"), Stage::Queued, "not even a 404 ends a task");
    }

    /// A13, B12
    #[test]
    fn late_answers_do_not_take_anything_back() {
        let mut desk = Desk::new();
        desk.running("A").later(secs(3));
        desk.told(&[("A", Status::Archiving)]).later(secs(3)).told(&[("A", Status::Queued)]);
        assert_eq!(desk.stage("A"), Stage::Archiving);
        let failed = Status::Failed(Failure::default());
        desk.later(secs(5)).told(&[("A", failed.clone())]).expect_but_drafts([
            "ask A as tk-A",
            "save A archiving",
            "ask A as tk-A",
            "ask A as tk-A",
            "save A fail",
        ]);
        desk.later(secs(600)).expect([]);
        assert_eq!(desk.task("A").status, failed);
    }

    /// B10
    #[test]
    fn an_unknown_word_counts_as_running() {
        let mut desk = Desk::new();
        desk.running("A").later(secs(3)).told(&[("A", Status::Unknown("dreaming".into()))]);
        assert_eq!(desk.task("A").status.word(), "dreaming");
        desk.later(secs(3)).told(&[("A", Status::Success)]);
        assert_eq!(desk.stage("A"), Stage::Success);
    }

    /// A5: looks go on for as long as it takes, ever slower, and the state stays what it was.
    #[test]
    fn an_outage_is_waited_out() {
        let mut desk = Desk::new();
        desk.running("A");
        let mut looks = 0;
        for _ in 0..3600 {
            desk.later(secs(1));
            if desk.seen().contains(&"ask A as tk-A".to_owned()) {
                looks += 1;
                desk.not_told(cut_off(false));
            }
        }
        assert!((50..150).contains(&looks), "{looks} looks in an hour of silence");
        assert!(desk.state.fleet.silence().is_some());
        assert_eq!(desk.stage("A"), Stage::Queued);
        desk.later(secs(90)).told(&[("A", Status::Success)]);
        assert_eq!(desk.stage("A"), Stage::Success);
        assert!(desk.state.fleet.silence().is_none());
    }

    /// B15
    #[test]
    fn an_expired_link_is_renewed_once() {
        let mut desk = Desk::new();
        desk.running("A").later(secs(3)).told(&[("A", Status::Success)]).stored().seen();
        let gone = Problem::Forbidden { message: "expired".into() };
        desk.fetched("A", Err(gone.clone())).later(secs(2)).expect_but_drafts(["ask A as tk-A"]);
        desk.told(&[("A", Status::Success)]).expect(["fetch A/0"]);
        desk.fetched("A", Err(gone)).expect(["save A success"]);
        assert!(matches!(&desk.task("A").outputs[0].state, OutputState::Lost { why } if why.contains("expired")));
        desk.stored().later(secs(600)).expect([]);
    }

    /// B15, with a page under way that tells of the same task.
    #[test]
    fn a_page_does_not_swallow_the_renewal() {
        let mut desk = Desk::new();
        desk.running("A").running("B").running("C").later(secs(3));
        desk.told(&[("A", Status::Success), ("B", Status::Queued), ("C", Status::Queued)]).later(secs(3)).stored();
        desk.seen();
        desk.fetched("A", Err(Problem::Forbidden { message: "expired".into() }));
        desk.told(&[("A", Status::Success), ("B", Status::Queued), ("C", Status::Queued)]);
        desk.later(secs(3));
        assert!(desk.seen().contains(&"ask A as tk-A".to_owned()));
    }

    #[test]
    fn a_cut_download_is_tried_again() {
        let mut desk = Desk::new();
        desk.running("A").later(secs(3)).told(&[("A", Status::Success)]).stored().seen();
        desk.fetched("A", Err(cut_off(true))).later(secs(3)).expect_but_drafts(["fetch A/0"]);
        desk.fetched("A", Err(Problem::Local { message: "disk full".into() })).later(secs(29)).expect([]);
        assert!(
            desk.state.notice.is_none() || desk.state.notice.as_ref().is_some_and(|n| n.text.contains("disk full"))
        );
        desk.later(secs(2)).expect(["fetch A/0"]);
    }

    #[test]
    fn a_look_can_be_asked_for() {
        let mut desk = Desk::new();
        desk.running("A").later(secs(3)).told(&[("A", Status::Queued)]).seen();
        desk.later(secs(1)).expect_but_drafts([]);
        desk.press("esc f").expect(["ask A as tk-A"]);
        desk.told(&[("A", Status::Success)]).stored().press("f").later(secs(30)).seen();
        assert_eq!(desk.stage("A"), Stage::Success);
    }

    /// B16
    #[test]
    fn a_hundred_tasks_end_within_the_allowance() {
        let mut desk = Desk::new();
        desk.by_itself();
        for n in 0..100 {
            desk.submit(&format!("fox {n}"));
        }
        for _ in 0..400 {
            desk.later(secs(1));
            assert!(desk.state.fleet.budget().used(desk.now.mono) <= 60);
        }
        assert_eq!(desk.service.ledger.len(), 100);
        assert!(desk.state.fleet.tasks().all(|t| t.status == Status::Success));
        assert!(desk.state.fleet.is_idle());
        assert_eq!(sources(&desk.state), None, "a minute after the last request there is silence");
    }
}

mod screen {
    use super::*;

    #[test]
    fn the_selection_sticks_to_the_task() {
        let mut desk = Desk::new();
        desk.at_home("A").at_home("B").press("esc down");
        assert_eq!(desk.state.table.cursor(), Some(desk.id("A")));
        let request = desk.task("A").request.clone();
        let older = Task::new(LocalId::from_random(1), request.clone(), Wall(5));
        let newer = Task::new(LocalId::from_random(2), request, Wall(i64::MAX));
        desk.hear(Msg::Older { tasks: vec![newer, older], last: true });
        assert_eq!((desk.state.table.cursor(), desk.state.table.index()), (Some(desk.id("A")), Some(2)));
    }

    /// I2: a kill loses less than two seconds, also of somebody who never pauses.
    #[test]
    fn the_draft_is_saved_while_typing_and_on_leaving() {
        let mut desk = Desk::new();
        let mut saved = 0;
        for n in 0..100 {
            desk.typed("x").later(Duration::from_millis(100));
            saved += desk.seen().len();
            desk.stored();
            let on_disk = desk.store.draft.as_ref().map_or(0, |draft| draft.prompt.len());
            assert!(n + 1 - on_disk <= 20, "{on_disk} of {} letters are on the disk", n + 1);
        }
        assert!(saved <= 11, "and no more often than that: {saved}");
        desk.later(secs(5)).seen();
        desk.typed("y").press("ctrl-q");
        let mut seen = desk.seen();
        seen.sort();
        assert_eq!(seen, [format!("draft {:?}", format!("{}y", "x".repeat(100))).as_str(), "quit"]);
        assert!(desk.state.leaving);
    }

    #[test]
    fn the_demonstration_does_not_cost_the_draft() {
        let mut desk = Desk::new();
        desk.fleet(FleetMsg::Block(Problem::NoKey { message: "not set".into() })).press("esc").typed("half");
        desk.press("esc K ctrl-d");
        assert_eq!(desk.seen(), ["demo", "draft \"half\""]);
    }

    #[test]
    fn a_dead_terminal_saves_and_leaves() {
        let mut desk = Desk::new();
        desk.typed("half").hear(Msg::InputClosed);
        assert!(desk.seen().contains(&"draft \"half\"".to_owned()));
        assert!(desk.state.leaving);
    }

    #[test]
    fn a_picture_is_wanted_when_the_selection_rests() {
        let mut desk = Desk::new();
        desk.with_pictures().at_home("A").at_home("BB").at_home("CCC");
        desk.later(secs(1)).seen();
        desk.press("esc down").later(Duration::from_millis(60)).press("up").later(Duration::from_millis(60));
        desk.press("down").expect_but_drafts([]);
        desk.later(Duration::from_millis(100)).expect_but_drafts(["encode /pictures/BB.png"]);
        let want = desk.state.preview.want.clone().expect("wanted");
        desk.press("down");
        desk.hear(Msg::Asset(AssetMsg::Encoded(want.clone())));
        assert_eq!(desk.state.preview.slot, Slot::Resting, "a late answer is for nobody");
        desk.later(Duration::from_millis(100)).expect(["encode /pictures/A.png"]);
        desk.hear(Msg::Asset(AssetMsg::Failed(want, "broken".into())));
        assert_eq!(desk.state.preview.slot, Slot::Encoding);
        let want = desk.state.preview.want.clone().expect("wanted");
        desk.hear(Msg::Asset(AssetMsg::Encoded(want)));
        assert_eq!(desk.state.preview.slot, Slot::Ready);
        desk.later(secs(600)).expect(["ahead 1"]);
        desk.hear(Msg::Resized(ratatui::layout::Size::new(140, 40))).expect([]);
        desk.later(Duration::from_millis(100)).expect(["encode /pictures/A.png"]);
    }

    /// C16: a file that was deleted is noticed, said, and fetched again on request while its link works.
    #[test]
    fn a_file_that_is_gone_is_fetched_again() {
        let mut desk = Desk::new();
        desk.with_pictures().at_home("A").later(secs(1)).seen();
        let id = desk.state.chosen().expect("chosen");
        let asset = plantain::domain::AssetId { task: id, index: 0 };
        let want = desk.state.preview.want.clone().expect("wanted");
        desk.hear(Msg::Asset(AssetMsg::Failed(want, "cannot read the file".into()))).expect(["check 1 of A"]);
        desk.hear(Msg::Checked { task: id, gone: vec![asset], again: false }).expect([]);
        assert!(desk.state.gone.contains(&asset));
        desk.press("esc enter").expect_but_drafts(["check 1 of A"]);
        desk.press("d").expect(["check 1 of A again"]);
        desk.hear(Msg::Checked { task: id, gone: vec![asset], again: true });
        desk.expect(["save A success", "fetch A/0"]);
        assert!(desk.state.gone.is_empty() && desk.state.preview.want.is_none());
        desk.fetched("A", Ok(())).stored().seen();
        desk.press("d").expect(["check 1 of A again"]);
        desk.hear(Msg::Checked { task: id, gone: vec![], again: true }).expect([]);
    }

    #[test]
    fn what_was_made_for_the_terminal_before_is_made_again() {
        let mut desk = Desk::new();
        desk.with_pictures().at_home("A").later(secs(1)).seen();
        let want = desk.state.preview.want.clone().expect("wanted");
        desk.hear(Msg::PicturesKnown(PictureWay { protocol: Some("sixel".into()), cell: (8, 16) }));
        desk.hear(Msg::Asset(AssetMsg::Encoded(want)));
        desk.later(secs(1)).expect_but_drafts(["encode /pictures/A.png"]);
        desk.press("ctrl-l").expect(["repaint"]);
        desk.later(secs(1)).expect(["encode /pictures/A.png"]);
        desk.hear(Msg::PicturesKnown(PictureWay::default())).later(secs(1)).expect([]);
        assert_eq!(desk.state.preview.slot, Slot::Empty, "no pictures at all: nothing is wanted");
    }

    #[test]
    fn a_notice_goes_by_itself() {
        let mut desk = Desk::new();
        desk.hear(Msg::Told("look out".into()));
        desk.later(secs(4));
        assert!(desk.state.notice.is_some());
        desk.later(secs(2));
        assert_eq!(desk.state.notice, None);
        assert_eq!(sources(&desk.state), None);
    }

    #[test]
    fn scrolling_asks_for_older_tasks_once_a_page() {
        let mut desk = Desk::bare(100, 30, Store::default(), 3);
        desk.at_home("A");
        let request = desk.task("A").request.clone();
        let page = |first: u128| -> Vec<Task> {
            (first..first + 200)
                .map(|n| {
                    let mut task = Task::new(
                        LocalId::from_random(n << 64 | 7),
                        Arc::clone(&request),
                        Wall(1_000_000 - i64::try_from(n).expect("small")),
                    );
                    task.status = Status::Failed(Failure::default());
                    task
                })
                .collect()
        };
        desk.hear(Msg::Older { tasks: page(0), last: false }).expect([]);
        desk.press("esc pagedown pagedown pagedown").expect_but_drafts([]);
        desk.press("end down down up").later(secs(60));
        let asked: Vec<String> = desk.seen().into_iter().filter(|words| words.starts_with("older")).collect();
        assert_eq!(asked, [format!("older than {}", page(0)[199].id.short())]);
        desk.hear(Msg::Older { tasks: page(200), last: false }).expect([]);
        assert_eq!(desk.state.table.index(), Some(199), "the cursor stays where it is");
        desk.press("end");
        assert_eq!(desk.seen().len(), 1);
        desk.hear(Msg::Older { tasks: Vec::new(), last: true }).press("end home end").expect([]);
        assert_eq!(desk.state.table.len(), 401);
    }

    #[test]
    fn without_a_key_the_way_out_is_shown() {
        let mut desk = Desk::new();
        desk.fleet(FleetMsg::Block(Problem::NoKey { message: "HIAPI_API_KEY is not set".into() }));
        assert_eq!(desk.state.place(), Place::Setup);
        desk.press("enter").expect([]);
        desk.press("esc");
        desk.submit("a fox").stored().later(secs(60)).expect_but_drafts(["new A saved"]);
        assert_eq!(desk.stage("A"), Stage::Saved);
        desk.press("esc K").press("ctrl-d").expect(["demo"]);
        desk.paste("sk-test-1234").press("enter").hear(Msg::KeyChecked(Ok(0))).stored();
        desk.expect(["try key", "save A sending", "submit A"]);
        let secret = format!("{:?} {:?}", desk.state, Msg::Paste(String::new()));
        assert!(!secret.contains("sk-test"), "the key shows up nowhere");
    }

    #[test]
    fn the_model_picker_narrows() {
        let mut desk = Desk::new();
        let before = desk.state.editor.model().to_owned();
        desk.press("ctrl-o");
        assert_eq!(desk.state.place(), Place::Picker);
        desk.typed("seedream image-to");
        let Some(Dialog::Models { query, cursor: 0 }) = &desk.state.dialog else { panic!("{:?}", desk.state.dialog) };
        let rows = matching_models(query.text(), &desk.state.catalogue);
        assert!(!rows.is_empty() && rows.len() < 5);
        let first = rows[0].name.clone();
        desk.press("down down down down down down up home enter");
        assert_eq!((desk.state.editor.model(), desk.state.dialog.is_none()), (first.as_str(), true));
        desk.press("ctrl-o").typed("zzz zzz").press("enter");
        assert!(desk.state.dialog.is_some(), "nothing matches, nothing is chosen");
        desk.press("esc");
        assert_eq!(desk.state.editor.model(), first);
        assert_ne!(before, first);
    }

    #[test]
    fn a_retired_model_cannot_be_chosen() {
        let mut desk = Desk::new();
        let retired = desk.state.catalogue.models().iter().find(|m| !m.is_current()).expect("one").name.clone();
        let before = desk.state.editor.model().to_owned();
        desk.press("ctrl-o").typed(&retired).press("enter");
        assert_eq!(desk.state.editor.model(), before);
        assert!(desk.state.notice.as_ref().is_some_and(|n| n.text.contains("retired")));
    }

    #[test]
    fn the_form_goes_round() {
        let mut desk = Desk::new();
        desk.press("tab right");
        assert_eq!(desk.state.place(), Place::Form);
        let value = |desk: &Desk| desk.state.editor.chips(&desk.state.catalogue)[1].clone();
        let first = value(&desk);
        desk.press("down");
        assert!(value(&desk).set && !first.set);
        desk.press("up");
        assert_eq!(value(&desk), first);
        desk.press("space space backspace");
        assert_eq!(value(&desk), first);
        desk.press("enter down enter");
        assert!(value(&desk).set);
        desk.press("left down");
        assert_ne!(desk.state.editor.model(), desk.state.catalogue.default_model().name, "the first chip is the model");
        desk.press("tab tab");
        assert_eq!(desk.state.pane, Pane::Editor);
    }

    #[test]
    fn help_and_details_open_and_close() {
        let mut desk = Desk::new();
        desk.at_home("A").press("f1");
        assert!(matches!(desk.state.dialog, Some(Dialog::Help { place: Place::Editor, .. })));
        desk.press("f1");
        assert_eq!(desk.state.dialog, None);
        desk.press("esc enter").expect_but_drafts(["check 1 of A"]);
        assert!(matches!(desk.state.dialog, Some(Dialog::Detail { .. })));
        desk.press("down pagedown G g esc ? q");
        assert_eq!((desk.state.dialog.clone(), desk.state.place()), (None, Place::Table));
        desk.expect_but_drafts([]);
        desk.press("q").expect_but_drafts(["quit"]);
    }

    #[test]
    fn what_was_never_sent_can_be_dropped() {
        let mut desk = Desk::new();
        desk.submit("a fox").not_stored().later(secs(1)).seen();
        desk.running("B").press("esc");
        desk.press("X").expect([]);
        assert_eq!(desk.state.table.len(), 2, "what the service has stays");
        desk.press("down X").expect(["forget A"]);
        assert_eq!((desk.state.table.len(), desk.state.table.cursor()), (1, Some(desk.id("B"))));
    }

    #[test]
    fn a_status_that_says_nothing_new_wants_nothing() {
        let mut desk = Desk::new();
        desk.running("A").later(secs(3)).told(&[("A", Status::Queued)]).expect_but_drafts(["ask A as tk-A"]);
        assert!(sources(&desk.state).is_some(), "a running task counts its seconds");
    }

    #[test]
    fn nothing_moves_nothing_wakes() {
        let mut desk = Desk::new();
        assert_eq!(sources(&desk.state), None);
        desk.press("esc n").typed("a");
        assert!(sources(&desk.state).is_some(), "the draft waits to be saved");
        desk.later(secs(2)).expect(["draft \"a\""]);
        assert_eq!(sources(&desk.state), None);
        desk.hear(Msg::Woke).expect([]);
    }

    #[test]
    fn a_first_batch_is_sent_like_typed() {
        let mut desk = Desk::new();
        let good = Draft { model: desk.state.editor.model().into(), prompt: "an owl".into(), ..Draft::default() };
        let bad = Draft { prompt: String::new(), ..good.clone() };
        desk.hear(Msg::Begin(vec![good, bad])).expect(["new A saved"]);
    }

    #[test]
    fn a_prompt_is_saved_as_it_was_typed() {
        let mut desk = Desk::new();
        desk.typed("größer 狐").press("enter").typed("in snow").press("ctrl-s");
        let Some(Order::Save(Change::New(task))) = desk.last_order() else { panic!("nothing was saved") };
        assert_eq!(task.request.prompt, "größer 狐\nin snow");
    }
}

/// C14: several windows on one history.
mod windows {
    use super::*;

    fn elsewhere() -> Standing {
        let holder = Holder { pid: 4242, host: "here".into(), service: "http://service/".into(), ..Holder::default() };
        Standing { holds: false, holder: Some(holder), ..Standing::default() }
    }

    /// A window that watches through another one, with one task that runs there.
    fn watching() -> (Desk, Task) {
        let mut other = Desk::new();
        let task = other.running("A").task("A").clone();
        let mut desk = Desk::bare(100, 30, Store::default(), 8);
        desk.hear(Msg::Stands(elsewhere())).expect(["wish WatchAll"]);
        desk.hear(Msg::Older { tasks: vec![task.clone()], last: true }).expect([]);
        (desk, task)
    }

    #[test]
    fn a_window_that_watches_asks_nothing_and_sends_nothing() {
        let (mut desk, task) = watching();
        desk.submit("an owl").stored().later(secs(60)).expect_but_drafts(["intent A"]);
        assert_eq!(desk.state.table.len(), 2);
        let mut ended = task.clone();
        ended.set(Status::Success, desk.now.wall);
        desk.hear(Msg::Mirrored { tasks: vec![ended], gone: Vec::new(), standing: elsewhere() }).expect([]);
        assert_eq!(desk.state.fleet.task(task.id).map(|task| task.status.stage()), Some(Stage::Success));
        desk.press("esc R").expect(["wish Resume"]);
        let gone = desk.id("A");
        desk.hear(Msg::Mirrored { tasks: Vec::new(), gone: vec![gone], standing: elsewhere() }).expect([]);
        assert_eq!(desk.state.table.len(), 1, "dropped in the other window");
    }

    #[test]
    fn what_cannot_be_stored_is_held_here_too() {
        let (mut desk, _) = watching();
        desk.submit("an owl").not_stored().expect_but_drafts(["intent A"]);
        assert_eq!(desk.stage("A"), Stage::Held);
    }

    /// The holder is gone: what runs is watched, what this window's user wants is sent, what waited there is held.
    #[test]
    fn the_next_holder_goes_on() {
        let (mut desk, task) = watching();
        desk.submit("an owl").stored().expect_but_drafts(["intent A"]);
        let mine = desk.task("A").clone();
        let mut waited = Task::new(LocalId::from_random(77), Arc::clone(&task.request), desk.now.wall);
        waited.set(Status::Held(None), desk.now.wall);
        desk.hear(Msg::TookOver(vec![task.clone(), mine, waited.clone()]));
        assert!(desk.state.standing.holds);
        let seen = desk.seen();
        assert!(
            seen.contains(&"save A saved".to_owned()) && seen.iter().any(|words| words.starts_with("ask ")),
            "{seen:?}"
        );
        desk.stored().expect(["save A sending"]);
        assert_eq!(desk.state.fleet.task(waited.id).map(|task| task.status.stage()), Some(Stage::Held));
    }

    /// Other windows' wishes are carried out once, however often they come.
    #[test]
    fn the_holder_does_what_others_wish() {
        let mut desk = Desk::new();
        let made = Desk::new().submit("an owl").task("A").clone();
        let wish = Msg::Wished(vec![(Wish::Send(made.id), Some(made.clone()))]);
        desk.hear(wish.clone());
        assert_eq!((desk.state.table.len(), desk.seen().len()), (1, 1), "saved again, to be sent");
        desk.hear(wish).expect([]);
        desk.stored();
        assert_eq!(desk.state.fleet.task(made.id).map(|task| task.status.stage()), Some(Stage::Sending));
        desk.hear(Msg::Wished(vec![(Wish::Forget(made.id), None), (Wish::Resume, None), (Wish::WatchAll, None)]));
        assert_eq!(desk.state.table.len(), 1, "it is being sent: too late to drop it");
    }
}
