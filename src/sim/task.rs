//! A task: its timetable is drawn up once, at creation; what it looks like at any moment follows from the clock alone.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::media::Media;
use super::random::{Dice, mix};
use super::scenario::{Action, Rule, Scenario};
use super::wire::{FailureView, OutputView, TaskView, crockford};

/// Nothing lasts longer than this: a stuck task ends in a hundred years.
const FOREVER_MS: u64 = 100 * 365 * 86_400_000;

/// A task of the simulated service.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) id: String,
    /// Whose it is; none = everybody's (a scenario's history).
    pub(crate) account: Option<u64>,
    pub(crate) model: String,
    pub(crate) route: Option<String>,
    pub(crate) storage: &'static str,
    pub(crate) created_ms: u64,
    pub(crate) timetable: Timetable,
    pub(crate) failure: Option<FailureView>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) callback: Option<String>,
    /// Shows a status word that no client knows instead of `handling`.
    pub(crate) strange: bool,
    /// Reads show the task as it was this long ago; callbacks do not.
    pub(crate) reads_behind_ms: u64,
    shown_end: AtomicBool,
}

/// When the steps end, in Unix milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timetable {
    pub(crate) queued: u64,
    pub(crate) handling: u64,
    pub(crate) archiving: u64,
}

/// One result of a task.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) role: String,
    pub(crate) media: Media,
    pub(crate) expire_ms: u64,
    pub(crate) quirks: FileQuirks,
    /// Downloads from the beginning so far, for faults that only hit the first.
    pub(crate) downloads: AtomicU32,
}

/// How a result misbehaves when it is fetched.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct FileQuirks {
    pub(crate) cut_first: bool,
    pub(crate) bytes_per_second: u64,
    /// 404 until this Unix millisecond.
    pub(crate) absent_until: u64,
    pub(crate) broken: bool,
}

/// What a task is made of, before it has times and an id.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) account: Option<u64>,
    pub(crate) model: String,
    pub(crate) route: Option<String>,
    pub(crate) persistent: bool,
    pub(crate) callback: Option<String>,
    /// Role and contents of each result.
    pub(crate) results: Vec<(String, Media)>,
}

/// What a task needs to know about its surroundings to be created.
pub(crate) struct Setting<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) rules: &'a [&'a Rule],
    pub(crate) now_ms: u64,
    pub(crate) speed: f64,
    pub(crate) expire_after_ms: u64,
    pub(crate) seed: u64,
    pub(crate) number: u64,
}

impl Setting<'_> {
    /// A duration of the real service in our time.
    pub(crate) fn scaled(&self, ms: u64) -> u64 {
        (ms as f64 / self.speed) as u64
    }

    fn rule(&self, action: Action) -> Option<&Rule> {
        let mut rules = self.rules.iter();
        rules.find(|rule| rule.action == action).copied()
    }

    fn has(&self, action: Action) -> bool {
        self.rule(action).is_some()
    }
}

impl Task {
    /// Draws up a task. Everything random comes from the simulator's seed and the task's number.
    pub(crate) fn new(order: Order, setting: &Setting<'_>) -> Self {
        let mut dice = Dice::new(setting.seed ^ mix(setting.number), "task");
        let failure = failure(setting, &mut dice);
        let timetable = timetable(&order, setting, &mut dice, failure.as_ref());
        let scenario = setting.scenario;
        let expire_ms = match () {
            () if setting.has(Action::Expired) => timetable.archiving.saturating_sub(1000),
            // Kept until deleted [D]; what `expireAt` says then is not known, a far day is our guess. [I]
            () if order.persistent => timetable.archiving.saturating_add(FOREVER_MS / 10),
            () => timetable.archiving.saturating_add(setting.expire_after_ms),
        };
        let amount = |action| setting.rule(action).and_then(|rule| rule.amount);
        let quirks = FileQuirks {
            cut_first: setting.has(Action::CutFile) || dice.chance(scenario.files.cut),
            bytes_per_second: amount(Action::SlowFile)
                .map_or(scenario.files.bytes_per_second, |rate| rate.max(1.0) as u64),
            absent_until: amount(Action::LateFile).map_or(0, |seconds| {
                timetable.archiving + setting.scaled((seconds.clamp(0.0, 3600.0) * 1000.0) as u64)
            }),
            broken: setting.has(Action::Broken),
        };
        let outputs = order.results.into_iter().map(|(role, media)| Output {
            role,
            media,
            expire_ms,
            quirks,
            downloads: AtomicU32::new(0),
        });
        let early = dice.chance(scenario.callbacks.early);
        Self {
            id: task_id(setting.now_ms, &mut dice),
            account: order.account,
            model: order.model,
            route: order.route,
            storage: if order.persistent { "persistent" } else { "temp" },
            created_ms: setting.now_ms,
            timetable,
            outputs: if failure.is_some() || setting.has(Action::Empty) { Vec::new() } else { outputs.collect() },
            failure,
            callback: order.callback,
            strange: setting.has(Action::Strange),
            reads_behind_ms: if early { setting.scaled(3000) } else { 0 },
            shown_end: AtomicBool::new(false),
        }
    }

    /// The task at a moment, as reads show it. `behind_ms` is the age of a stale read; an end that was shown once stays shown.
    pub(crate) fn seen(&self, now_ms: u64, behind_ms: u64, base: &str) -> TaskView {
        let behind =
            if self.shown_end.load(Ordering::Relaxed) { 0 } else { self.reads_behind_ms.saturating_add(behind_ms) };
        let at = now_ms.saturating_sub(behind).max(self.created_ms);
        if at >= self.timetable.archiving {
            self.shown_end.store(true, Ordering::Relaxed);
        }
        self.view(at, base)
    }

    /// The task exactly as it stands at `at`.
    pub(crate) fn view(&self, at: u64, base: &str) -> TaskView {
        let done = at >= self.timetable.archiving;
        let status = if at < self.timetable.queued {
            "queued"
        } else if at < self.timetable.handling {
            if self.strange { "polishing" } else { "handling" }
        } else if !done {
            "archiving"
        } else if self.failure.is_some() {
            "fail"
        } else {
            "success"
        };
        let outputs = || {
            let items = self.outputs.iter().enumerate();
            items
                .map(|(index, output)| OutputView {
                    url: format!("{base}/files/{}/{index}.{}", self.id, output.media.extension()),
                    kind: output.role.clone(),
                    expire_at: output.expire_ms / 1000,
                })
                .collect()
        };
        TaskView {
            task_id: self.id.clone(),
            model: self.model.clone(),
            route: self.route.clone(),
            status,
            created: self.created_ms / 1000,
            completed: if done { self.timetable.archiving / 1000 } else { 0 },
            storage: (done && self.failure.is_none()).then_some(self.storage),
            output: (done && self.failure.is_none()).then(outputs),
            error: if done { self.failure.clone() } else { None },
        }
    }
}

fn failure(setting: &Setting<'_>, dice: &mut Dice) -> Option<FailureView> {
    let (fails, times_out) = (dice.unit(), dice.unit());
    if let Some(rule) = setting.rule(Action::Fail) {
        return Some(FailureView {
            code: rule.code.clone(),
            message: rule.message.clone().unwrap_or_else(|| "task failed".to_owned()),
        });
    }
    let (code, message) = if fails < setting.scenario.outcomes.fail {
        ("TASK_FAILED", "upstream rejected the prompt")
    } else if times_out < setting.scenario.outcomes.timeout {
        ("TASK_TIMEOUT", "upstream did not answer in time")
    } else {
        return None;
    };
    Some(FailureView { code: Some(code.to_owned()), message: message.to_owned() })
}

fn timetable(order: &Order, setting: &Setting<'_>, dice: &mut Dice, failure: Option<&FailureView>) -> Timetable {
    let steps = &setting.scenario.steps;
    let mut factor = 1.0;
    for (role, _) in &order.results {
        match role.as_str() {
            "video" => factor = f64::max(factor, steps.video_factor),
            "audio" => factor = f64::max(factor, steps.audio_factor),
            _ => {}
        }
    }
    let slow = setting.rule(Action::Slow).and_then(|rule| rule.amount);
    let slow = slow.unwrap_or(1.0).clamp(0.01, 10_000.0);
    let draw = |span: super::scenario::Span, by: f64, dice: &mut Dice| {
        setting.scaled((span.draw(dice) as f64 * by * slow) as u64)
    };
    let queued = setting.now_ms + draw(steps.queued, 1.0, dice);
    let mut handling = queued + draw(steps.handling, factor, dice);
    let stores = draw(steps.archiving, 1.0, dice);
    if setting.has(Action::Stuck) {
        handling = queued.saturating_add(FOREVER_MS);
    }
    // A task that fails has nothing to store, unless storing is what fails.
    let stores_first = setting.rule(Action::Fail).is_some_and(|rule| rule.while_archiving);
    let archiving = if failure.is_some() && !stores_first { handling } else { handling + stores };
    Timetable { queued, handling, archiving }
}

/// `tk-hiapi-` and a ULID: 48 bits of time, 80 of chance. \[D\], the reading as a ULID \[I\]
fn task_id(now_ms: u64, dice: &mut Dice) -> String {
    let chance = (u128::from(dice.next()) << 64 | u128::from(dice.next())) & ((1 << 80) - 1);
    let ulid = (u128::from(now_ms) & ((1 << 48) - 1)) << 80 | chance;
    format!("tk-hiapi-{}", crockford(ulid, 26))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        Order {
            account: None,
            model: "m".to_owned(),
            route: None,
            persistent: false,
            callback: None,
            results: vec![("image".to_owned(), Media::Bomb)],
        }
    }

    fn task(prompt: &str) -> Task {
        let scenario = Scenario::default();
        let setting = Setting {
            scenario: &scenario,
            rules: &scenario.rules(prompt),
            now_ms: 1_777_282_033_000,
            speed: 2.0,
            expire_after_ms: 604_800_000,
            seed: 1,
            number: 1,
        };
        Task::new(order(), &setting)
    }

    #[test]
    fn statuses_follow_the_timetable() {
        let task = task("a fox");
        let times = task.timetable;
        let at = |ms| task.view(ms, "http://x").status;
        assert_eq!(at(task.created_ms), "queued");
        assert_eq!(at(times.queued), "handling");
        assert_eq!(at(times.handling), "archiving");
        assert_eq!(at(times.archiving), "success");
        let end = task.view(times.archiving, "http://x");
        assert_eq!(end.completed, times.archiving / 1000);
        assert_eq!(end.output.map(|output| output.len()), Some(1));
        let before = task.view(times.handling, "http://x");
        assert_eq!((before.completed, before.output.is_none()), (0, true));
    }

    #[test]
    fn a_failed_task_has_an_error_and_no_output() {
        let task = task("[fail]");
        let end = task.view(task.timetable.archiving, "http://x");
        assert_eq!(end.status, "fail");
        assert!(end.output.is_none());
        let error = end.error.expect("error");
        assert_eq!(error.code.as_deref(), Some("TASK_FAILED"));
        assert_eq!(error.message, "upstream rejected the prompt");
    }

    #[test]
    fn a_stale_read_never_takes_an_end_back() {
        let task = task("a fox");
        let end = task.timetable.archiving;
        assert_eq!(task.seen(end + 10, 100, "x").status, "archiving");
        assert_eq!(task.seen(end + 200, 100, "x").status, "success");
        assert_eq!(task.seen(end + 10, 100, "x").status, "success");
    }

    #[test]
    fn ids_are_ulids_in_order_of_time() {
        let mut dice = Dice::new(1, "id");
        let early = task_id(1_777_282_033_000, &mut dice);
        let late = task_id(1_777_282_034_000, &mut dice);
        assert_eq!(early.len(), 35);
        assert!(early < late);
    }
}
