//! Many tasks on their way from the editor to the queue: all are checked before the first is added, some are asked about
//! in between, and both goes in portions, so that ten thousand stop nobody's typing.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::config::Confirm;
use crate::domain::batch::{Bill, Item, Mark, Mode, Plan, Rows, Walk};
use crate::domain::request::plain;
use crate::domain::validate::validate;
use crate::domain::{Catalogue, Draft, Invalid, Kin, LocalId, Request, text};
use crate::time::{Mono, Now, Wall};

use super::line::Line;

/// Tasks that are checked, or added, before something else has its turn.
pub const PORTION: usize = 200;
/// Between two portions.
const PAUSE: Duration = Duration::from_millis(1);
/// Expansions that are shown before sending.
const EXAMPLES: usize = 3;
/// Longest example, in characters.
pub const LONGEST_EXAMPLE: usize = 2000;
/// Words of the prompt in the name of a batch.
const WORDS: usize = 4;
/// Longest name that is made of them, in characters.
const LONGEST_NAME: usize = 40;

/// A task to be, as it is shown: what varies, and the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The values of the fields that vary.
    pub values: String,
    /// Its prompt, if it is very long only its beginning.
    pub prompt: String,
}

impl Example {
    fn new(item: &Item, plan: &Plan) -> Self {
        let values: Vec<String> = plan.varied().filter_map(|name| item.draft.fields.get(name)).map(plain).collect();
        Self { values: values.join(" "), prompt: text::cut(&item.draft.prompt, LONGEST_EXAMPLE).into_owned() }
    }
}

/// The first tasks of a plan, each once however often it is repeated.
#[must_use]
pub fn examples(draft: &Draft, plan: &Plan, most: usize) -> Vec<Example> {
    let again = draft.many.repeat.max(1) as usize;
    plan.items().step_by(again).take(most).map(|item| Example::new(&item, plan)).collect()
}

/// What was checked, and is to be added.
#[derive(Clone, Debug)]
struct Ready {
    request: Arc<Request>,
    row: String,
}

/// Tasks on their way.
#[derive(Clone, Debug)]
pub struct Sending {
    plan: Arc<Plan>,
    walk: Walk,
    /// How many they are.
    pub total: usize,
    /// Their price.
    pub bill: Bill,
    /// The name of their batch.
    pub name: Line,
    /// Their model.
    pub model: String,
    /// The first of them.
    pub examples: Vec<Example>,
    /// What decided their prompts, where chance made them.
    pub seed: Option<u64>,
    /// The task that the prompt was taken from.
    pub origin: Option<Kin>,
    /// The user wants them sent, or need not be asked.
    pub agreed: bool,
    rows: Rows,
    ready: VecDeque<Ready>,
    checked: usize,
    added: usize,
    /// The first that cannot be sent, by its number from 1.
    fault: Option<(usize, Invalid)>,
    due: Mono,
    /// Where the cursor was put when the last portion was added.
    pub put: Option<LocalId>,
}

impl Sending {
    /// What is in the editor, unchecked. The caller has looked at the number.
    #[must_use]
    pub fn new(draft: &Draft, plan: Arc<Plan>, bill: Bill, name: String, now: Now) -> Self {
        let examples = examples(draft, &plan, EXAMPLES);
        Self {
            total: usize::try_from(plan.count()).unwrap_or(usize::MAX),
            plan,
            walk: Walk::default(),
            bill,
            name: Line::new(name),
            model: draft.model.clone(),
            examples,
            seed: (draft.many.mode == Mode::Random).then_some(draft.many.seed),
            origin: draft.origin,
            agreed: false,
            rows: Rows::default(),
            ready: VecDeque::new(),
            checked: 0,
            added: 0,
            fault: None,
            due: now.mono,
            put: None,
        }
    }

    /// So many, or so dear, that the user is asked. One task is never asked about.
    #[must_use]
    pub fn must_ask(&self, confirm: Confirm) -> bool {
        let many = self.total > usize::try_from(confirm.tasks).unwrap_or(usize::MAX);
        let unknown = self.bill.unknown > u128::from(confirm.unknown);
        self.total > 1 && (many || unknown || self.bill.usd > confirm.usd)
    }

    /// Checks some more of them.
    pub fn check(&mut self, catalogue: &Catalogue, callback: Option<&str>) {
        for _ in 0..PORTION {
            if self.fault.is_some() {
                return;
            }
            let Some(Item { template, draft, .. }) = self.plan.next(&mut self.walk) else {
                self.total = self.checked;
                return;
            };
            self.checked += 1;
            match validate(&draft, catalogue, callback) {
                Ok(mut request) => {
                    request.template = template;
                    let row = self.rows.name(&request, self.seed.is_some(), catalogue);
                    self.ready.push_back(Ready { request: Arc::new(request), row });
                }
                Err(faults) => self.fault = faults.into_iter().next().map(|fault| (self.checked, fault)),
            }
        }
    }

    /// All were looked at, or one is wrong.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        self.checked >= self.total || self.fault.is_some()
    }

    /// The first that cannot be sent, by its number from 1. Then none is.
    #[must_use]
    pub fn fault(&self) -> Option<&(usize, Invalid)> {
        self.fault.as_ref()
    }

    /// Some of those that are to be added now.
    pub fn take(&mut self) -> Vec<(Arc<Request>, Arc<Mark>)> {
        if !self.agreed || !self.is_checked() || self.fault.is_some() {
            return Vec::new();
        }
        let portion: Vec<Ready> = self.ready.drain(..self.ready.len().min(PORTION)).collect();
        self.added += portion.len();
        let mark = |row| Arc::new(Mark { batch: self.name.text().to_owned(), row, seed: self.seed });
        portion.into_iter().map(|one| (one.request, mark(one.row))).collect()
    }

    /// How many were added.
    #[must_use]
    pub fn added(&self) -> usize {
        self.added
    }

    /// How many were checked.
    #[must_use]
    pub fn checked(&self) -> usize {
        self.checked
    }

    /// All were added.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_checked() && self.ready.is_empty() && self.agreed
    }

    /// Another portion was done; the next one has to wait a moment.
    pub fn rest(&mut self, now: Now) {
        self.due = now.mono + PAUSE;
    }

    /// When the next portion is due; `None`: nothing goes on by itself.
    #[must_use]
    pub fn due(&self) -> Option<Mono> {
        let goes_on = !self.is_checked() || (self.agreed && self.fault.is_none());
        goes_on.then_some(self.due)
    }
}

/// A name for what is sent together: the first words of it, and the day and hour. `offset` is in seconds east of UTC.
#[must_use]
pub fn batch_name(prompt: &str, model: &str, at: Wall, offset: i32) -> String {
    let clean = text::one_line(prompt);
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '\'');
    let words = clean.split(|c: char| !plain(c)).filter(|word| !word.is_empty());
    let mut name = String::new();
    for word in words.take(WORDS) {
        if name.chars().count() + word.chars().count() + 1 > LONGEST_NAME {
            break;
        }
        name.push_str(if name.is_empty() { "" } else { " " });
        name.push_str(word);
    }
    if name.is_empty() {
        let words = if clean.trim().is_empty() { model } else { clean.trim() };
        name = words.chars().take(LONGEST_NAME).collect();
    }
    format!("{name} {}", moment(at, offset))
}

/// `2026-11-22 18:45`
fn moment(at: Wall, offset: i32) -> String {
    let secs = at.secs().saturating_add(i64::from(offset));
    let (days, of_day) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
    // Days since 1970 to the calendar, in eras of 400 years that begin with March.
    let days = days.saturating_add(719_468);
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month + 2) / 5 + 1;
    let (month, year) = if month < 10 { (month + 3, year) } else { (month - 9, year + 1) };
    format!("{:04}-{month:02}-{date:02} {:02}:{:02}", era * 400 + year, of_day / 3600, of_day / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_named_after_its_words_and_its_time() {
        let at = Wall::from_secs(1_795_373_100);
        assert_eq!(batch_name("a red fox, in {deep|new} snow", "m", at, 0), "a red fox in 2026-11-22 18:45");
        assert_eq!(batch_name("", "m/x", at, 3600), "m/x 2026-11-22 19:45");
        assert_eq!(batch_name("。。", "m", at, 0), "。。 2026-11-22 18:45");
        assert_eq!(batch_name(&"狐".repeat(100), "m", at, 0), format!("{} 2026-11-22 18:45", "狐".repeat(40)));
        assert_eq!(moment(Wall::from_secs(951_782_399), 0), "2000-02-28 23:59");
        assert_eq!(moment(Wall::from_secs(951_782_400), 0), "2000-02-29 00:00");
        assert_eq!(moment(Wall::from_secs(951_868_800), 0), "2000-03-01 00:00");
        assert_eq!(moment(Wall(-1), 0), "1969-12-31 23:59");
        assert_eq!(moment(Wall::from_secs(4_102_444_799), 0), "2099-12-31 23:59");
    }
}
