//! Scenarios: pages of data that say how the simulated service behaves.

use std::path::PathBuf;

use serde::Deserialize;

use super::random::Dice;

/// Scenarios that are part of the program.
const BUILT_IN: &[(&str, &str)] = &[
    ("realistic", include_str!("scenarios/realistic.toml")),
    ("slow", include_str!("scenarios/slow.toml")),
    ("flaky", include_str!("scenarios/flaky.toml")),
    ("refusing", include_str!("scenarios/refusing.toml")),
    ("out-of-order", include_str!("scenarios/out-of-order.toml")),
    ("huge", include_str!("scenarios/huge.toml")),
];

/// Prompt words every scenario knows unless it says `builtin_words = false`.
const WORDS: &str = include_str!("scenarios/words.toml");

/// How the service behaves: times, faults, and what certain words in a prompt do. All times are seconds at speed 1.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Shown by tools; for built-in scenarios the name they are chosen by.
    pub name: String,
    /// One sentence for people.
    #[serde(default)]
    pub about: String,
    /// Durations of the steps of a task and of the answers themselves.
    #[serde(default)]
    pub steps: Steps,
    /// Faults by rate.
    #[serde(default)]
    pub faults: Faults,
    /// Failures of tasks by rate.
    #[serde(default)]
    pub outcomes: Outcomes,
    /// What happens to callbacks.
    #[serde(default)]
    pub callbacks: Callbacks,
    /// How results are served.
    #[serde(default)]
    pub files: Files,
    /// Tasks that are already on the account when the service starts (at most 50,000).
    #[serde(default)]
    pub history: u32,
    /// Largest accepted request body in bytes; 10 MB is the documented figure.
    #[serde(default = "ten_megabytes")]
    pub largest_body: usize,
    /// Rules of this scenario; they come before the built-in ones.
    #[serde(default)]
    pub words: Vec<Rule>,
    /// Whether the built-in words (`[fail]`, `[cut]`, …) work.
    #[serde(default = "yes")]
    pub builtin_words: bool,
}

/// A duration that varies: log-normal around a median.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Half of the values are below, in seconds.
    pub median: f64,
    /// Sigma of the logarithm; 0 = always the median.
    #[serde(default)]
    pub spread: f64,
}

/// Durations.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Steps {
    /// From the request to the answer of a creation.
    pub accept: Span,
    /// From the request to any other answer.
    pub answer: Span,
    /// Time in `queued`.
    pub queued: Span,
    /// Time in `handling`.
    pub handling: Span,
    /// Time in `archiving`.
    pub archiving: Span,
    /// Factor on `handling` for tasks that give sound.
    pub audio_factor: f64,
    /// Factor on `handling` for tasks that give films.
    pub video_factor: f64,
}

/// Fractions (0 to 1) of requests that meet a fault before they are looked at, unless said otherwise.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// 429 of the gateway although the allowance is not used up.
    pub too_many: f64,
    /// 500 with a flat body.
    pub server_error: f64,
    /// 502 with a proxy's HTML page.
    pub html: f64,
    /// 503, rejected before processing.
    pub busy: f64,
    /// The request is handled, then the connection is cut before the answer.
    pub cut: f64,
    /// The answer comes late.
    pub delay: f64,
    /// How late, in seconds.
    pub delay_seconds: f64,
    /// Reads that show the state of some time ago (a lagging replica). Never a step back from a terminal state that was shown.
    pub stale: f64,
    /// Age of a stale read, in seconds.
    pub stale_seconds: f64,
    /// The form of `Retry-After` on these faults.
    pub retry_after: RetryAfter,
}

/// The form of a `Retry-After` header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetryAfter {
    /// Whole seconds.
    #[default]
    Seconds,
    /// An HTTP date.
    Date,
    /// No header at all.
    None,
    /// One of the three, by chance.
    Mixed,
}

/// Failures of tasks by rate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Outcomes {
    /// Fraction of tasks that end with `TASK_FAILED`.
    pub fail: f64,
    /// Fraction of tasks that end with `TASK_TIMEOUT`.
    pub timeout: f64,
}

/// What happens to callbacks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Callbacks {
    /// Fraction sent twice at the same time.
    pub duplicate: f64,
    /// Fraction never sent.
    pub lose: f64,
    /// Fraction sent before reads show the end of the task.
    pub early: f64,
    /// Delay of the first attempt, in seconds.
    pub late_seconds: f64,
}

/// How results are served.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Files {
    /// Bytes per second; 0 = as fast as possible.
    pub bytes_per_second: u64,
    /// Fraction of first downloads that are cut in the middle.
    pub cut: f64,
    /// Size tier used when a task asks for less ("4K").
    pub at_least: Option<String>,
}

/// A word in a prompt and what it does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A word in brackets matches anywhere, a bare one as a whole word; case does not matter.
    pub word: String,
    /// What it does.
    #[serde(rename = "do")]
    pub action: Action,
    /// HTTP status for `refuse` and `page`.
    #[serde(default)]
    pub status: Option<u16>,
    /// `error_code` for `refuse`, `error.code` for `fail`.
    #[serde(default)]
    pub code: Option<String>,
    /// The sentence that goes with it.
    #[serde(default)]
    pub message: Option<String>,
    /// How many attempts meet it (counted by idempotency key, else by body); absent = all.
    #[serde(default)]
    pub times: Option<u32>,
    /// `slow`: factor on all steps. `outputs`: how many. `slow-file`: bytes per second. `late-file`: seconds.
    #[serde(default)]
    pub amount: Option<f64>,
    /// `refuse`: with this `Retry-After`, in seconds at speed 1.
    #[serde(default)]
    pub retry_after: Option<u32>,
    /// `fail`: after generation, while files are stored.
    #[serde(default)]
    pub while_archiving: bool,
}

/// What a word does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The creation is refused with a status; no task exists.
    Refuse,
    /// The creation is answered by a proxy's HTML page; no task exists.
    Page,
    /// The task is stored, the connection is cut before the answer.
    Cut,
    /// The task is stored, the 200 answer ends in the middle.
    Truncate,
    /// The task is stored, the connection is cut, and the key reads as "in process" for five seconds.
    Process,
    /// The task ends with `fail`.
    Fail,
    /// All steps take longer.
    Slow,
    /// The task never ends.
    Stuck,
    /// Success without any output.
    Empty,
    /// Several outputs.
    Outputs,
    /// Links that have run out already.
    Expired,
    /// Picture files that cannot be decoded.
    Broken,
    /// A picture of more than a hundred megapixels.
    Bomb,
    /// A status word no client knows while the task runs.
    Strange,
    /// The first download breaks off in the middle.
    CutFile,
    /// A slow download.
    SlowFile,
    /// The link answers 404 for a moment after the end.
    LateFile,
}

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Neither a built-in name nor a readable file.
    #[error("no scenario {name:?}: {reason}; built in are {}", Scenario::names().collect::<Vec<_>>().join(", "))]
    NotFound {
        /// What was asked for.
        name: String,
        /// What the file system said.
        reason: std::io::Error,
    },
    /// The page is not valid.
    #[error("scenario {name:?}: {reason}")]
    Invalid {
        /// What was asked for.
        name: String,
        /// Where and why.
        reason: Box<toml::de::Error>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordPage {
    words: Vec<Rule>,
}

impl Scenario {
    /// The names of the built-in scenarios.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// A built-in scenario by name, or a file by path.
    ///
    /// # Errors
    /// [`ScenarioError`] if there is neither, or if the page is invalid.
    pub fn load(name_or_path: &str) -> Result<Self, ScenarioError> {
        if let Some((name, text)) = BUILT_IN.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(name, text);
        }
        let text = std::fs::read_to_string(PathBuf::from(name_or_path))
            .map_err(|reason| ScenarioError::NotFound { name: name_or_path.to_owned(), reason })?;
        Self::parse(name_or_path, &text)
    }

    /// Reads a page of TOML; `name` is for the error.
    ///
    /// # Errors
    /// [`ScenarioError::Invalid`].
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        let invalid = |reason| ScenarioError::Invalid { name: name.to_owned(), reason: Box::new(reason) };
        let mut scenario: Self = toml::from_str(text).map_err(invalid)?;
        if scenario.builtin_words {
            let page: WordPage = toml::from_str(WORDS).map_err(invalid)?;
            scenario.words.extend(page.words);
        }
        Ok(scenario)
    }

    /// The rules whose word stands in the prompt, in order.
    pub(crate) fn rules(&self, prompt: &str) -> Vec<&Rule> {
        let prompt = prompt.to_lowercase();
        let matches = |word: &str| {
            let word = word.to_lowercase();
            if word.starts_with('[') {
                return prompt.contains(&word);
            }
            prompt.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_')).any(|part| part == word)
        };
        self.words.iter().filter(|rule| matches(&rule.word)).collect()
    }
}

impl Default for Scenario {
    /// `realistic`; with no times and no rules at all should the built-in page be unreadable, which a test excludes.
    fn default() -> Self {
        Self::load("realistic").unwrap_or_else(|_| Self {
            name: "bare".to_owned(),
            about: String::new(),
            steps: Steps::default(),
            faults: Faults::default(),
            outcomes: Outcomes::default(),
            callbacks: Callbacks::default(),
            files: Files::default(),
            history: 0,
            largest_body: ten_megabytes(),
            words: Vec::new(),
            builtin_words: false,
        })
    }
}

impl Default for Steps {
    fn default() -> Self {
        let span = |median, spread| Span { median, spread };
        Self {
            accept: span(0.15, 0.4),
            answer: span(0.03, 0.3),
            queued: span(1.5, 0.5),
            handling: span(10.0, 0.4),
            archiving: span(1.0, 0.3),
            audio_factor: 6.0,
            video_factor: 12.0,
        }
    }
}

impl Span {
    /// One duration in milliseconds at speed 1, at most a day.
    pub(crate) fn draw(self, dice: &mut Dice) -> u64 {
        let seconds = dice.log_normal(self.median.max(0.0), self.spread.clamp(0.0, 3.0));
        (seconds.clamp(0.0, 86_400.0) * 1000.0) as u64
    }
}

fn ten_megabytes() -> usize {
    10_000_000
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_scenario_is_valid_and_named_as_it_is_chosen() {
        for name in Scenario::names() {
            let scenario = Scenario::load(name).expect(name);
            assert_eq!(scenario.name, name);
            assert!(!scenario.about.is_empty());
        }
        assert_eq!(Scenario::default().name, "realistic");
    }

    #[test]
    fn a_wrong_name_lists_the_right_ones() {
        let error = Scenario::load("reallistic").expect_err("no such file");
        assert!(error.to_string().contains("out-of-order"), "{error}");
    }

    #[test]
    fn a_misspelt_setting_is_refused() {
        let error = Scenario::parse("x", "name='x'\n[faults]\ncutt=0.5").expect_err("unknown");
        assert!(error.to_string().contains("cutt"), "{error}");
    }

    #[test]
    fn words_match_whole_and_brackets_match_anywhere() {
        let scenario = Scenario::default();
        let found = |prompt: &str| {
            let rules = scenario.rules(prompt);
            rules.iter().map(|rule| rule.action).collect::<Vec<_>>()
        };
        assert_eq!(found("a forbidden city"), [Action::Fail]);
        assert_eq!(found("unforbidden"), []);
        assert_eq!(found("fox[FAIL]"), [Action::Fail]);
        assert_eq!(found("[two] [slow]").len(), 2);
        assert_eq!(found("a red fox in snow"), []);
    }
}
