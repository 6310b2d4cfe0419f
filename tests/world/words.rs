//! Messages and orders in a few words, for the trace.

use plantain::domain::{Change, Problem, TaskId};
use plantain::fleet::{FleetMsg, News, Order, Question};
use plantain::store::Heard;

pub fn brief(msg: &FleetMsg) -> String {
    let name = |id: &TaskId| id.to_string();
    match msg {
        FleetMsg::Restored(tasks) => format!("restored {}", tasks.len()),
        FleetMsg::Add(task) => format!("add {:?}", task.id),
        FleetMsg::Stored { id, stage, result } => format!("stored {id:?} {stage:?} {}", result.is_ok()),
        FleetMsg::Submitted { id, answer } => {
            format!("submitted {id:?} {:?}", answer.result.as_ref().map(|a| name(&a.task_id)))
        }
        FleetMsg::Answered { question, answer } => {
            let news = match &answer.result {
                Ok(News::Task(report)) => report.status.word().to_owned(),
                Ok(News::Page(page)) => format!("{} rows", page.reports.len()),
                Err(problem) => problem.sentence(),
            };
            format!("answered {}: {news}", brief_question(question))
        }
        other => format!("{other:?}"),
    }
}

pub fn brief_question(question: &Question) -> String {
    match question {
        Question::Task(id, _) => format!("task {id:?}"),
        Question::Page(page, ids) => format!("page {page} for {}", ids.len()),
    }
}

pub fn brief_order(order: &Order) -> String {
    match order {
        Order::Save(change) => match change {
            Change::New(task) => format!("save new {:?}", task.id),
            Change::Intent(task) => format!("intend {:?}", task.id),
            Change::Progress(task) => format!("save {:?} {:?}", task.id, task.status.stage()),
            other => format!("save {other:?}"),
        },
        Order::Submit(id, _) => format!("submit {id:?}"),
        Order::Ask(question) => format!("ask {}", brief_question(question)),
        Order::Browse(browse) => format!("browse {browse:?}"),
        Order::Sift(names) => format!("sift {}", names.len()),
        Order::Fetch { asset, .. } => format!("fetch {:?}/{}", asset.task, asset.index),
    }
}

pub fn brief_heard(heard: &Heard) -> String {
    match heard {
        Heard::Took { unfinished } => format!("that it holds the lease, {} unfinished", unfinished.len()),
        Heard::News { tasks, gone, standing, .. } => {
            let tasks: Vec<String> =
                tasks.iter().map(|task| format!("{:?} {:?}", task.id, task.status.stage())).collect();
            let paused = standing.paused.as_ref().map(Problem::sentence);
            format!("of {tasks:?}, gone {gone:?}, held by {:?}, {paused:?}", standing.holder.as_ref().map(|h| h.pid))
        }
        Heard::Found(found) => format!("what was found: {}", found.len()),
        Heard::Resting(batches) => format!("that these rest: {batches:?}"),
        Heard::Wishes(wishes) => format!("{:?}", wishes.iter().map(|(wish, _)| wish).collect::<Vec<_>>()),
    }
}
