//! One prompt, many tasks: typing a template, seeing what it comes to, being asked, and what then is sent.

use plantain::app::dialog::Number;
use plantain::app::editor::{Count, Found, choices};
use plantain::app::{Dialog, Effect, Msg, Pane};
use plantain::domain::batch::Mode;
use plantain::domain::template::lines;
use plantain::domain::{LocalId, Task};
use plantain::keys::Place;

use super::{Desk, secs};

/// A desk with a model whose price is known.
fn priced() -> Desk {
    let mut desk = Desk::new();
    let current = |model: &&std::sync::Arc<plantain::domain::ModelSpec>| {
        let choices = |field: &plantain::domain::Field| field.choices.as_ref().is_some_and(|all| all.len() > 3);
        model.is_current() && model.kind == "text-to-image" && model.price.is_some() && model.fields.iter().any(choices)
    };
    let model = desk.state.catalogue.models().iter().find(current).expect("a model with a price").name.clone();
    desk.state.editor.set_model(&model, &desk.state.catalogue, desk.now);
    desk
}

fn count(desk: &Desk) -> Count {
    desk.state.editor.outlook().expect("reckoned").count.clone()
}

fn tasks(desk: &Desk) -> u128 {
    match count(desk) {
        Count::Known(bill) => bill.tasks,
        other => panic!("{other:?}"),
    }
}

fn notice(desk: &Desk) -> &str {
    desk.state.notice.as_ref().map_or("", |notice| notice.text.as_str())
}

/// All tasks there are, in the order they were made in.
fn made(desk: &Desk) -> Vec<Task> {
    let mut all: Vec<Task> = desk.state.fleet.tasks().map(|task| Task::clone(task)).collect();
    all.sort_by_key(|task| task.created);
    all
}

fn prompts(desk: &Desk) -> Vec<String> {
    made(desk).iter().map(|task| task.request.prompt.clone()).collect()
}

#[test]
fn a_template_is_counted_while_it_is_typed_and_sent_as_a_batch() {
    let mut desk = priced();
    desk.typed("a {red|blue} fox").press("alt-x");
    assert_eq!(tasks(&desk), 2);
    desk.typed(" in {snow|rain|fog}");
    assert_eq!(tasks(&desk), 6);
    desk.seen();
    desk.press("ctrl-s");
    let new: Vec<String> = desk.seen().into_iter().filter(|words| words.starts_with("new ")).collect();
    assert_eq!(new, ["A", "B", "C", "D", "E", "F"].map(|name| format!("new {name} saved")));
    assert_eq!(desk.state.editor.prompt(), "", "the editor is free for the next");
    assert_eq!(desk.state.editor.many().mode, Mode::Off, "and the next is no template");
    let all = made(&desk);
    assert_eq!(all[0].request.prompt, "a red fox in snow");
    assert_eq!(all[5].request.prompt, "a blue fox in fog");
    assert!(all.iter().all(|task| task.request.template == "a {red|blue} fox in {snow|rain|fog}"), "both are kept");
    let marks: Vec<_> = all.iter().map(|task| task.mark.clone().expect("a batch")).collect();
    assert!(marks.iter().all(|mark| mark.batch == marks[0].batch && mark.seed.is_none()));
    assert!(marks[0].batch.starts_with("a red fox in 20"), "{}", marks[0].batch);
    let rows: std::collections::BTreeSet<_> = marks.iter().map(|mark| &mark.row).collect();
    assert_eq!(rows.len(), 6);
    assert_eq!(desk.state.table.cursor(), Some(all[5].id));
    desk.stored().stored();
    assert_eq!(desk.seen().iter().filter(|words| words.starts_with("submit ")).count(), 4, "as many as may at once");
}

#[test]
fn one_task_goes_as_it_ever_went() {
    let mut desk = Desk::new();
    desk.typed(r#"{"a": "b|c"} as it stands"#);
    assert_eq!(tasks(&desk), 1);
    desk.seen();
    desk.press("ctrl-s").expect(["new A saved"]);
    assert_eq!(prompts(&desk), [r#"{"a": "b|c"} as it stands"#]);
    assert!(made(&desk)[0].mark.is_none());
    desk.typed("a fox # a comment").press("alt-x ctrl-s");
    assert_eq!(prompts(&desk)[1], "a fox", "one task of a template is no question");
}

#[test]
fn a_mistake_is_told_at_its_place_and_sends_nothing() {
    let mut desk = priced();
    desk.paste("a fox\nin {snow|rain").press("alt-x");
    assert!(matches!(count(&desk), Count::Broken { at: (1, 3), .. }), "{:?}", count(&desk));
    desk.press("up home ctrl-s");
    assert!(notice(&desk).contains("never closed") && notice(&desk).ends_with("nothing was sent"), "{}", notice(&desk));
    assert_eq!((desk.state.table.len(), desk.state.pane), (0, Pane::Editor));
    let cursor = desk.state.editor.text().cursor();
    assert_eq!(cursor, "a fox\nin ".len(), "the cursor is where it is");
    assert_eq!(desk.state.editor.prompt(), "a fox\nin {snow|rain");
    desk.press("end").typed("}");
    assert_eq!(tasks(&desk), 2);
}

#[test]
fn more_than_twenty_are_asked_about_and_nothing_is_lost_by_a_no() {
    let mut desk = Desk::new();
    desk.typed("a {red|blue} fox").press("alt-x alt-r ctrl-u").typed("12").press("enter");
    assert_eq!(tasks(&desk), 24);
    desk.press("ctrl-s");
    assert_eq!(desk.state.place(), Place::Confirm);
    let sending = desk.state.sending.as_ref().expect("it is asked");
    assert_eq!((sending.total, sending.examples.len()), (24, 2), "repeats are shown once");
    desk.press("f1 esc");
    assert_eq!(desk.state.place(), Place::Confirm, "the help goes back to the question");
    desk.press("esc");
    assert_eq!((desk.state.place(), desk.state.table.len()), (Place::Editor, 0));
    assert!(desk.state.sending.is_none());
    assert_eq!((desk.state.editor.prompt().as_str(), tasks(&desk)), ("a {red|blue} fox", 24));
    desk.press("ctrl-s ctrl-u").typed("foxes").press("enter");
    assert_eq!((desk.state.table.len(), desk.state.editor.prompt().as_str()), (24, ""));
    assert!(made(&desk).iter().all(|task| task.mark.as_ref().is_some_and(|mark| mark.batch == "foxes")));
    let rows: std::collections::BTreeSet<String> =
        made(&desk).iter().filter_map(|task| task.mark.as_ref().map(|mark| mark.row.clone())).collect();
    assert_eq!(rows.len(), 24, "a repeat is a row of its own");
    // The same name again would be the same rows.
    desk.typed("a {red|blue} fox").press("alt-x alt-r ctrl-u").typed("12").press("enter ctrl-s ctrl-u").typed("foxes");
    desk.press("enter");
    assert!(matches!(&desk.state.dialog, Some(Dialog::Confirm { fault: Some(_) })));
    desk.typed(" two").press("enter");
    assert_eq!(desk.state.table.len(), 48);
}

#[test]
fn what_is_dear_is_asked_about_and_so_are_many_of_unknown_price() {
    let mut desk = priced();
    desk.state.confirm.usd = plantain::domain::Usd(100);
    desk.typed("a {red|blue} fox").press("alt-x ctrl-s");
    assert_eq!(desk.state.place(), Place::Confirm);
    let mut desk = Desk::new();
    assert!(desk.state.catalogue.default_model().price.is_none(), "its price is not known");
    desk.typed("a fox").press("alt-r ctrl-u").typed("5").press("enter ctrl-s");
    assert_eq!(desk.state.table.len(), 5, "five are not many");
    desk.typed("a fox").press("alt-r ctrl-u").typed("6").press("enter ctrl-s");
    assert_eq!((desk.state.place(), desk.state.table.len()), (Place::Confirm, 5));
}

#[test]
fn more_than_ten_thousand_are_refused_with_the_number() {
    let mut desk = priced();
    desk.typed(&"{0|1|2|3|4|5|6|7|8|9}".repeat(12)).press("alt-x ctrl-s");
    assert_eq!(notice(&desk), "it would be 1000000000000 tasks; at most 10000 are sent at once");
    assert!(desk.state.sending.is_none() && desk.state.table.is_empty());
    desk.press("alt-p");
    assert!(matches!(&desk.state.dialog, Some(Dialog::Expansions { rows, .. }) if rows.len() == 50));
    desk.press("down down enter");
    assert_eq!(desk.state.editor.prompt(), "000000000002", "one of them can be taken");
    assert!(desk.state.editor.many().is_one());
}

/// The whole batch is looked at before the first of it is added, and the loop has its turn between the portions.
#[test]
fn ten_thousand_go_in_portions_and_one_bad_one_stops_all() {
    let mut desk = Desk::new();
    let ten = "{0|1|2|3|4|5|6|7|8|9}";
    desk.paste(&format!("fox {ten}{ten}{ten}{ten}")).press("alt-x ctrl-s enter");
    assert_eq!(desk.state.table.len(), 0, "not all are checked");
    assert!(matches!(desk.state.dialog, Some(Dialog::Confirm { .. })));
    let mut turns = 0;
    while desk.state.sending.is_some() {
        let before = desk.state.table.len();
        desk.later(std::time::Duration::from_millis(1));
        turns += 1;
        assert!(desk.state.table.len() - before <= 200, "a portion is small");
        if desk.state.table.len() == 1000 {
            desk.typed("next");
        }
        assert!(turns < 500, "it ends");
    }
    assert!(turns > 60, "{turns}");
    assert_eq!(desk.state.table.len(), 10_000);
    assert_eq!(desk.state.editor.prompt(), "next", "what was typed meanwhile is there");
    let all = prompts(&desk);
    assert_eq!((all[0].as_str(), all[9_999].as_str()), ("fox 0000", "fox 9999"));

    // The longest that the model takes, but for one expansion deep inside.
    let most = desk.state.catalogue.default_model().prompt().and_then(|field| field.max_length).expect("a limit");
    let long = "x".repeat(most - 6);
    let mut desk = Desk::new();
    desk.paste(&format!("{{{long}|{long}y}}{ten}{ten}{ten}abc")).press("alt-x");
    assert_eq!(tasks(&desk), 2_000);
    desk.press("ctrl-s");
    for _ in 0..40 {
        desk.later(std::time::Duration::from_millis(1));
    }
    assert!(notice(&desk).ends_with("nothing was sent"), "{}", notice(&desk));
    assert!(desk.state.table.is_empty() && desk.state.sending.is_none() && desk.state.dialog.is_none());
    assert!(desk.state.editor.prompt().ends_with("abc"), "the text stays");
}

/// Who leaves in the middle has said yes to all of them: all are on the disk.
#[test]
fn leaving_in_the_middle_loses_nothing() {
    let mut desk = Desk::new();
    let ten = "{0|1|2|3|4|5|6|7|8|9}";
    desk.paste(&format!("fox {ten}{ten}{ten}")).press("alt-x ctrl-s");
    desk.later(std::time::Duration::from_millis(20)).press("enter");
    assert!(desk.state.table.len() < 1000);
    desk.press("ctrl-q");
    assert_eq!(desk.seen().iter().filter(|words| words.starts_with("new ")).count(), 1000);
}

#[test]
fn the_same_seed_makes_the_same_prompts() {
    let run = |said: &str| {
        let mut desk = Desk::new();
        desk.typed("a {red|blue|green|grey} {fox|hen|cat|dog}").press("alt-x alt-x ctrl-u").typed(said);
        assert!(matches!(&desk.state.dialog, Some(Dialog::Number { what: Number::Draws, .. })));
        desk.press("enter");
        assert_eq!(tasks(&desk), 5);
        desk.press("ctrl-s");
        let seeds: Vec<Option<u64>> = made(&desk).iter().map(|t| t.mark.as_ref().and_then(|mark| mark.seed)).collect();
        (prompts(&desk), seeds)
    };
    let (first, seeds) = run("5 1234");
    assert_eq!(seeds, [Some(1234); 5]);
    assert_eq!(run("5 1234"), (first.clone(), seeds));
    assert_ne!(run("5 99").0, first);
    let (_, drawn) = run("5");
    assert!(drawn[0].is_some_and(|seed| seed != 1234), "a seed is drawn, and kept: {drawn:?}");
    let again = drawn[0].map(|seed| run(&format!("5 {seed}")).0);
    assert_eq!(again, Some(run("5").0), "what was drawn can be had again");
}

#[test]
fn numbers_that_are_none_are_not_taken() {
    let mut desk = Desk::new();
    desk.typed("a fox").press("alt-r");
    for bad in ["0", "x", "10001", "3 4", "-1", "99999999999"] {
        desk.press("ctrl-u").typed(bad).press("enter");
        assert!(matches!(&desk.state.dialog, Some(Dialog::Number { fault: Some(_), .. })), "{bad}");
    }
    desk.press("esc");
    assert_eq!(tasks(&desk), 1);
    desk.press("alt-x alt-x");
    for bad in ["", "4 x", "4 5 6", "0 1", "4 99999999999999999999"] {
        desk.press("ctrl-u").typed(bad).press("enter");
        assert!(matches!(&desk.state.dialog, Some(Dialog::Number { fault: Some(_), .. })), "{bad}");
    }
}

#[test]
fn ticked_values_make_a_matrix() {
    let mut desk = priced();
    desk.typed("a fox");
    let name = {
        let spec = desk.state.editor.spec(&desk.state.catalogue).expect("a model");
        spec.fields.iter().find(|field| choices(field).len() > 3).expect("choices").name.clone()
    };
    desk.press("tab");
    while desk.state.editor.field(&desk.state.catalogue).is_none_or(|field| field.name != name) {
        desk.press("right");
    }
    desk.press("enter");
    assert_eq!(desk.state.place(), Place::Choices);
    desk.press("home down space down space down space space");
    assert_eq!(tasks(&desk), 1, "nothing is taken yet");
    desk.press("enter");
    assert_eq!(tasks(&desk), 2);
    let values = desk.state.editor.values(&name);
    assert_eq!(values.len(), 2);
    desk.press("ctrl-s");
    let sent: Vec<_> = made(&desk).iter().map(|task| task.request.input.get(&name).cloned()).collect();
    assert_eq!(sent, values.iter().cloned().map(Some).collect::<Vec<_>>());
    assert!(made(&desk).iter().all(|task| task.mark.is_some()));
    // The values stay for the next, as those of other fields do, and the list still shows them.
    desk.press("enter");
    assert!(matches!(&desk.state.dialog, Some(Dialog::Choices { ticked, .. }) if ticked.len() == 2));
    desk.press("esc");
    assert_eq!(desk.state.editor.values(&name).len(), 2);
    desk.press("enter home enter");
    assert!(desk.state.editor.values(&name).is_empty(), "the first row is the service's default");
}

#[test]
fn what_makes_many_survives_a_kill() {
    let mut desk = Desk::new();
    desk.typed("a {red|blue} fox").press("alt-x alt-r ctrl-u").typed("3").press("enter").later(secs(2)).stored();
    let draft = desk.store.draft.clone().expect("a draft");
    let again = desk.killed();
    assert_eq!(again.state.editor.many(), &draft.many);
    assert_eq!(tasks(&again), 6);
}

/// G3: a list is read once for a set of names, and what is wrong with it is told where the prompt names it.
#[test]
fn lists_are_read_when_the_prompt_names_others() {
    let mut desk = Desk::new();
    desk.press("alt-x").typed("a __colour");
    assert!(desk.seen().iter().all(|words| !words.starts_with("lists")));
    desk.typed("__ fox");
    let asked: Vec<String> = desk.seen().into_iter().filter(|words| words.starts_with("lists")).collect();
    assert_eq!(asked, ["lists colour"]);
    assert_eq!(count(&desk), Count::Reading);
    desk.press("ctrl-s");
    assert!(desk.state.table.is_empty() && notice(&desk).contains("being read"));
    let names = ["colour".to_owned()].into();
    let found: Found = [("colour".to_owned(), Ok(lines("red\nblue\ngreen")))].into();
    desk.hear(Msg::Lists { names, found });
    assert_eq!(tasks(&desk), 3);
    let names: std::collections::BTreeSet<String> = ["colour".to_owned()].into();
    let found: Found = [("colour".to_owned(), Err("the list is no text".to_owned()))].into();
    desk.hear(Msg::Lists { names: names.clone(), found });
    assert_eq!(count(&desk), Count::Broken { at: (0, 2), why: "the list is no text".into() });
    desk.press("alt-p");
    assert_eq!(notice(&desk), "the list is no text");
    assert!(desk.seen().contains(&"lists colour".to_owned()), "the file may have been mended");
    desk.hear(Msg::Lists { names, found: [("colour".to_owned(), Ok(lines("red")))].into() });
    desk.press("ctrl-s");
    assert_eq!(prompts(&desk), ["a red fox"]);
}

#[test]
fn a_second_batch_waits_for_the_first() {
    let mut desk = Desk::new();
    let ten = "{0|1|2|3|4|5|6|7|8|9}";
    desk.paste(&format!("fox {ten}{ten}{ten}")).press("alt-x ctrl-s");
    desk.later(std::time::Duration::from_millis(20)).press("enter");
    desk.typed("{a|b}").press("alt-x ctrl-s");
    assert!(notice(&desk).contains("is being added"), "{}", notice(&desk));
    assert_eq!(desk.state.editor.prompt(), "{a|b}");
    desk.later(secs(1)).press("ctrl-s");
    assert_eq!(desk.state.table.len(), 1002);
    let ids: std::collections::BTreeSet<LocalId> = desk.state.fleet.tasks().map(|task| task.id).collect();
    assert_eq!(ids.len(), 1002);
}

#[test]
fn lists_that_were_asked_for_are_not_asked_for_again() {
    let mut desk = Desk::new();
    desk.press("alt-x").typed("__a__");
    let effects = plantain::app::update(&mut desk.state, Msg::Woke, desk.now);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Lists(_))), "asked once");
}
