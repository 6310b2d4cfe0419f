//! Following tasks to their end: a line for each change, and how it all went.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::IsTerminal as _;
use std::sync::Arc;

use color_eyre::eyre::Report;

use crate::domain::text::one_line;
use crate::domain::{LocalId, OutputState, Problem, Stage, Status, Task};
use crate::fleet::Fleet;
use crate::runtime::Driver;
use crate::time::Now;

use super::{DONE, ERROR, TASK_FAILED, complain, json, say};

/// How far to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// The service has taken it, or will not.
    Accepted,
    /// It has ended and its outputs are here.
    Home,
}

/// What is printed on the way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// JSON instead of words.
    pub json: bool,
    /// A line for every change, not only for the end.
    pub changes: bool,
}

/// Nothing more is to come for this task without a word of the user.
fn settled(task: &Task, until: Until, fleet: &Fleet, now: Now) -> bool {
    match &task.status {
        Status::Refused(_) | Status::GivenUp(_) | Status::Failed(_) | Status::Missing(_) => true,
        Status::Held(_) => !fleet.will_send(task.id),
        // Whoever sends asks no more once the key is too old.
        Status::Unsure(_) => {
            !fleet.will_send(task.id) || fleet.is_undecided(task.id) && !fleet.may_repeat(task.id, now)
        }
        Status::Saved => fleet.rests(task.id),
        Status::Sending => false,
        Status::Success => until == Until::Accepted || task.outputs.iter().all(|o| o.state != OutputState::Away),
        _ => until == Until::Accepted,
    }
}

/// Few enough to be looked through at every turn.
const FEW: usize = 256;

/// The tasks that are followed. What happens is mostly about one of them, so only that one is looked at: with thousands
/// of tasks a walk over all at each message would be most of the work.
struct Flock {
    until: Until,
    style: Style,
    seen: HashMap<LocalId, Arc<Task>>,
    /// Those from which something is still to come.
    open: BTreeSet<LocalId>,
    /// How many are in each stage.
    stages: BTreeMap<Stage, usize>,
    quiet: bool,
}

impl Flock {
    fn new(ids: &[LocalId], until: Until, style: Style) -> Self {
        let quiet = !std::io::stderr().is_terminal();
        let open = ids.iter().copied().collect();
        Self { until, style, seen: HashMap::new(), open, stages: BTreeMap::new(), quiet }
    }

    /// Looks at those that may have changed, and at all when few are left or none was ever seen.
    fn turn(&mut self, fleet: &Fleet, touched: &BTreeSet<LocalId>, now: Now) -> Result<(), Report> {
        let ids: Vec<LocalId> = if self.open.len() <= FEW || self.seen.is_empty() {
            self.open.iter().copied().collect()
        } else {
            touched.iter().filter(|id| self.open.contains(id)).copied().collect()
        };
        ids.into_iter().try_for_each(|id| self.look(id, fleet, now))
    }

    fn look(&mut self, id: LocalId, fleet: &Fleet, now: Now) -> Result<(), Report> {
        // One that is not loaded yet, or was dropped in another window, holds nobody up.
        let Some(task) = fleet.task(id) else { return Ok(()) };
        let done = settled(task, self.until, fleet, now);
        if self.seen.get(&id).is_some_and(|old| Arc::ptr_eq(old, task)) && !done {
            return Ok(());
        }
        let old = self.seen.insert(id, Arc::clone(task));
        if let Some(count) = old.as_ref().and_then(|old| self.stages.get_mut(&old.status.stage())) {
            *count = count.saturating_sub(1);
        }
        *self.stages.entry(task.status.stage()).or_default() += 1;
        let news = old.as_ref().is_none_or(|old| old.status.word() != task.status.word()) || done;
        // A task that is only now read from the store is no change, unless that is all there is to tell.
        let print = if self.style.changes { news && (old.is_some() || done) } else { done };
        if done {
            self.open.remove(&id);
        }
        if print {
            print_task(task, self.style.json)?;
        } else if news && !self.quiet && !self.style.json {
            complain_softly(task);
        }
        Ok(())
    }

    /// Something is still to come. What is not loaded is not waited for.
    fn waits(&self, fleet: &Fleet) -> bool {
        self.open.iter().any(|id| fleet.task(*id).is_some())
    }

    fn any(&self, is: impl Fn(Stage) -> bool) -> bool {
        self.stages.iter().any(|(stage, count)| *count > 0 && is(*stage))
    }
}

/// Follows these tasks and says how it went. Ctrl-C leaves; the tasks go on at the service.
pub(super) async fn follow(mut driver: Driver, ids: &[LocalId], until: Until, style: Style) -> Result<u8, Report> {
    let mut flock = Flock::new(ids, until, style);
    let mut broken: Option<Report> = None;
    let (mut silent, mut said, mut wrong) = (false, None, false);
    let clock = driver.clock();
    let turn = |fleet: &Fleet, touched: &BTreeSet<LocalId>, hitch: Option<&str>| {
        if let Err(why) = flock.turn(fleet, touched, clock.now()) {
            broken = Some(why);
            return false;
        }
        if let Some(silence) = fleet.silence().filter(|_| !silent) {
            // Once: what would otherwise look like a program that hangs.
            silent = true;
            complain(&format!("{}; trying again until it answers, Ctrl-C leaves", silence.problem.sentence()));
        }
        if let Some(text) = fleet.wrong_clock(clock.now()).filter(|_| !wrong) {
            wrong = true;
            complain(&text);
        }
        if let Some(why) = hitch.filter(|why| said.as_deref() != Some(*why)) {
            said = Some(why.to_owned());
            complain(&format!("{why}, Ctrl-C leaves"));
        }
        // An unsendable queue does not move by itself, and watching needs a key that works. What is being sent is
        // waited for: left alone it would be unsure.
        let moving = |stage: Stage| stage == Stage::Sending || stage.is_running();
        let stuck = fleet.blocked().is_some_and(|problem| {
            !flock.any(|stage| if problem.needs_key() { stage == Stage::Sending } else { moving(stage) })
        });
        flock.waits(fleet) && !stuck
    };
    let left = tokio::select! {
        () = driver.run_by(turn) => false,
        _ = tokio::signal::ctrl_c() => true,
    };
    if !style.changes && broken.is_none() {
        // A line for each, also for those that have not ended: their ids are needed to go on with them.
        let fleet = driver.fleet();
        let unfinished =
            ids.iter().filter_map(|id| fleet.task(*id)).filter(|task| !settled(task, until, fleet, clock.now()));
        broken = unfinished.map(|task| print_task(task, style.json)).find_map(Result::err);
    }
    let blocked = driver.fleet().blocked().cloned();
    let code = if left {
        complain("left; the tasks go on at the service, `plantain watch` goes on with them");
        ERROR
    } else {
        verdict(driver.fleet(), ids, blocked.as_ref(), driver.trouble())
    };
    driver.finish().await;
    match broken {
        Some(why) => Err(why),
        None => Ok(code),
    }
}

/// The exit code, and on standard error whatever needs a word of the user.
fn verdict(fleet: &Fleet, ids: &[LocalId], blocked: Option<&Problem>, trouble: Option<&str>) -> u8 {
    let mut code = DONE;
    if let Some(problem) = blocked {
        complain(&format!("{}; {}", problem.sentence(), problem.advice()));
        code = ERROR;
    }
    if let Some(text) = trouble {
        complain(text);
        code = ERROR;
    }
    let count = |stage: Stage| {
        ids.iter().filter(|id| fleet.task(**id).is_some_and(|task| task.status.stage() == stage)).count()
    };
    // What was only saved is held as soon as this program is gone.
    let (held, unsure) = (count(Stage::Held) + count(Stage::Saved), count(Stage::Unsure));
    if held + unsure > 0 {
        complain(&format!("{held} not sent, {unsure} unsure; `plantain send ID` goes on with them, never paid twice"));
        if unsure > 0 {
            complain("where that does not settle it, `plantain settle ID` says what can be decided");
        }
        code = ERROR;
    }
    if ids.iter().any(|id| fleet.rests(*id)) {
        complain("their batch is paused; `plantain batches NAME --resume` lets it go on");
    }
    if ids.iter().any(|id| fleet.task(*id).is_some_and(|task| matches!(task.status, Status::Missing(_)))) {
        complain("the service does not know some of them (any more); `plantain show ID` says what to do");
        code = ERROR;
    }
    let lost = |task: &Arc<Task>| {
        task.status == Status::Success
            && (task.outputs.is_empty() || task.outputs.iter().any(|o| matches!(o.state, OutputState::Lost { .. })))
    };
    if ids.iter().any(|id| fleet.task(*id).is_some_and(lost)) {
        complain("some outputs could not be brought home; `plantain show ID` says why");
        code = ERROR;
    }
    let failed = count(Stage::Failed) + count(Stage::Refused) + count(Stage::GivenUp);
    if failed > 0 { TASK_FAILED } else { code }
}

fn print_task(task: &Task, as_json: bool) -> Result<(), Report> {
    if as_json { say(&json::line(task)) } else { say(&line(task)) }
}

/// A task in one line for people.
pub(super) fn line(task: &Task) -> String {
    let mut parts = vec![task.id.short(), format!("{:<9}", one_line(task.status.word()))];
    match &task.status {
        Status::Failed(failure) => {
            let said = [failure.code.as_deref(), failure.message.as_deref()].into_iter().flatten();
            parts.push(one_line(&said.collect::<Vec<_>>().join(": ")).into_owned());
        }
        Status::Refused(problem) | Status::Held(Some(problem)) | Status::Unsure(Some(problem)) => {
            parts.push(one_line(&problem.sentence()).into_owned());
        }
        Status::Success => {
            for output in &task.outputs {
                parts.push(match &output.state {
                    OutputState::Home(home) => one_line(&home.file).into_owned(),
                    OutputState::Lost { why } => one_line(why).into_owned(),
                    OutputState::Away => "(not fetched yet)".to_owned(),
                });
            }
        }
        _ => parts.extend(task.task_id.as_ref().map(ToString::to_string)),
    }
    parts.join("  ")
}

/// Progress for somebody who looks at a terminal: on standard error, so that it never mixes with results.
fn complain_softly(task: &Task) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{}", line(task));
}
