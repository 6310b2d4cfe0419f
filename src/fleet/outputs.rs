//! Bringing outputs home: what is wanted, and what a download that ended means.

use std::sync::Arc;

use crate::domain::{AssetId, Home, OutputState, Problem, Task};
use crate::time::Now;

use super::fetch::Next;
use super::{Fleet, Order};

impl Fleet {
    pub(super) fn want_outputs(&mut self, task: &Task, now: Now) {
        for (asset, output) in task.assets() {
            if output.state == OutputState::Away {
                self.fetches.want(asset, output.expires, now.mono);
            }
        }
    }

    pub(super) fn fetched(&mut self, asset: AssetId, result: Result<Home, Problem>, now: Now, orders: &mut Vec<Order>) {
        let state = match result {
            Ok(home) => {
                self.fetches.done(asset);
                OutputState::Home(home)
            }
            Err(problem) => {
                let next = self.fetches.failed(asset, &problem, now.mono, &mut self.chance);
                match next {
                    Next::Later => return,
                    Next::Renew => {
                        self.watch.look_now(asset.task, now.mono);
                        return;
                    }
                    Next::Lost => OutputState::Lost { why: lost_words(&problem) },
                }
            }
        };
        let Some(task) = self.tasks.get_mut(&asset.task) else { return };
        if let Some(output) = Arc::make_mut(task).outputs.get_mut(usize::from(asset.index)) {
            output.state = state;
            self.save(asset.task, orders);
        }
    }

    /// Gives out the downloads that may start now.
    pub(super) fn pump_fetches(&mut self, now: Now, orders: &mut Vec<Order>) {
        while let Some(asset) = self.fetches.next(self.allowance.downloads, now.mono) {
            let output = self.tasks.get(&asset.task).and_then(|t| t.outputs.get(usize::from(asset.index)));
            match output {
                Some(output) => {
                    self.fetches.tries(asset, &output.url);
                    orders.push(Order::Fetch { asset, url: output.url.clone() });
                }
                None => self.fetches.done(asset),
            }
        }
    }
}

fn lost_words(problem: &Problem) -> String {
    match problem {
        Problem::Forbidden { .. } | Problem::NotFound { .. } | Problem::Rejected { .. } => {
            "the link has expired; the service keeps outputs for about seven days".to_owned()
        }
        other => other.sentence(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Allowance;
    use crate::domain::{Answer, LocalId, Output, Report, Request, Source, Status, TaskId};
    use crate::fleet::{FleetMsg, News, Question};
    use crate::time::Mono;

    fn report(task_id: &TaskId, link: &str, source: Source) -> Report {
        let output = Output { url: link.into(), role: "image".into(), expires: None, state: OutputState::Away };
        let (status, outputs) = (Status::Success, vec![output]);
        let (task_id, model) = (task_id.clone(), "m".to_owned());
        Report { task_id, model, status, outputs, created: None, completed: None, source }
    }

    /// A13 and B15: an answer that left before the link was refused comes after the one with a fresh link.
    #[test]
    fn a_late_answer_does_not_bring_back_a_refused_link() {
        let (id, name): (_, TaskId) = (LocalId::from_random(1 << 64), "tk-1".parse().expect("a name"));
        let at = |secs: u64| Now { mono: Mono(secs * 1000), ..Now::default() };
        let request = Request::new("m", None, serde_json::Map::new(), "t".into(), "p".into(), None);
        let mut task = Task::new(id, Arc::new(request), at(0).wall);
        task.task_id = Some(name.clone());
        task.observe(&report(&name, "https://old/", Source::Task), at(0).wall);
        let mut fleet = Fleet::new(Allowance::default(), 7);
        let asset = AssetId { task: id, index: 0 };
        let orders = fleet.handle(FleetMsg::Restored(vec![task]), at(1));
        assert_eq!(orders, [Order::Fetch { asset, url: "https://old/".into() }]);
        let gone = || Err(Problem::Forbidden { message: "expired".into() });
        let question = Question::Task(id, name.clone());
        let orders = fleet.handle(FleetMsg::Fetched { asset, result: gone() }, at(2));
        assert_eq!(orders, [Order::Ask(question.clone())]);
        let answer = Answer::bare(Ok(News::Task(report(&name, "https://fresh/", Source::Task))));
        let orders = fleet.handle(FleetMsg::Answered { question, answer }, at(3));
        assert!(orders.contains(&Order::Fetch { asset, url: "https://fresh/".into() }), "{orders:?}");
        fleet.handle(FleetMsg::Report(Box::new(report(&name, "https://old/", Source::Callback))), at(4));
        let link = |fleet: &Fleet| fleet.task(id).map(|task| task.outputs[0].url.clone());
        assert_eq!(link(&fleet).as_deref(), Some("https://fresh/"));
        fleet.handle(FleetMsg::Report(Box::new(report(&name, "https://fresher/", Source::Callback))), at(5));
        assert_eq!(link(&fleet).as_deref(), Some("https://fresher/"), "any other link is news");
    }
}
