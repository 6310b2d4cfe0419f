//! `config.toml`: read strictly, so that a word that is misspelt is not a limit that does not hold.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

use crate::config::{Budgets, Confirm, Settings};
use crate::domain::Usd;
use crate::domain::text::one_line;

/// The name of the file in the configuration folder.
pub const FILE: &str = "config.toml";
/// Largest file, in bytes.
const LARGEST: u64 = 64 << 10;

/// A file of settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSettings {
    /// It is there and cannot be read.
    #[error("{file} cannot be read: {why}")]
    Unreadable {
        /// Which file.
        file: String,
        /// Why not.
        why: String,
    },
    /// What stands in it is not understood.
    #[error("{file}, line {line}: {why}")]
    Wrong {
        /// Which file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Document {
    budget: BudgetTable,
    confirm: ConfirmTable,
    limits: LimitTable,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct BudgetTable {
    day: Option<Money>,
    batch: Option<Money>,
    unknown: Unknown,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unknown {
    #[default]
    Hold,
    Allow,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ConfirmTable {
    tasks: Option<u32>,
    usd: Option<Money>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LimitTable {
    requests_per_minute: Option<Count>,
    requests_at_once: Option<Count>,
}

/// US dollars, whole or not.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "f64")]
struct Money(Usd);

impl TryFrom<f64> for Money {
    type Error = &'static str;

    fn try_from(usd: f64) -> Result<Self, Self::Error> {
        Usd::new(usd).map(Self).ok_or("an amount in USD is a number from 0 on, such as 2.50")
    }
}

/// A number from 1 on.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "u32")]
struct Count(u32);

impl TryFrom<u32> for Count {
    type Error = &'static str;

    fn try_from(count: u32) -> Result<Self, Self::Error> {
        if (1..=100_000).contains(&count) { Ok(Self(count)) } else { Err("a number from 1 to 100000") }
    }
}

/// Reads the settings; without a file they are the usual ones.
///
/// # Errors
/// When there is a file and it is not understood as a whole.
pub fn read(folder: &Path) -> Result<Settings, BadSettings> {
    let path = folder.join(FILE);
    let file = path.display().to_string();
    let unreadable = |why: String| BadSettings::Unreadable { file: file.clone(), why };
    let mut text = String::new();
    match File::open(&path) {
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Settings::default()),
        Err(why) => return Err(unreadable(why.to_string())),
        Ok(open) => open.take(LARGEST + 1).read_to_string(&mut text).map_err(|why| unreadable(why.to_string()))?,
    };
    if text.len() as u64 > LARGEST {
        return Err(unreadable(format!("it is larger than {LARGEST} bytes")));
    }
    parse(&text).map_err(|(line, why)| BadSettings::Wrong { file, line, why })
}

/// Reads the text of such a file; otherwise the line, counted from 1, and what is wrong with it.
fn parse(text: &str) -> Result<Settings, (usize, String)> {
    let Document { budget, confirm, limits } = toml::from_str(text).map_err(|why: toml::de::Error| {
        let at = why.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        (line, one_line(why.message()).into_owned())
    })?;
    let usual = Settings::default();
    Ok(Settings {
        budgets: Budgets {
            day: budget.day.map(|money| money.0),
            batch: budget.batch.map(|money| money.0),
            unknown: matches!(budget.unknown, Unknown::Allow),
        },
        confirm: Confirm {
            tasks: confirm.tasks.unwrap_or(usual.confirm.tasks),
            usd: confirm.usd.map_or(usual.confirm.usd, |money| money.0),
            ..usual.confirm
        },
        requests_per_minute: limits.requests_per_minute.map(|count| count.0),
        requests_at_once: limits.requests_at_once.map(|count| count.0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_is_the_usual() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(read(folder.path()), Ok(Settings::default()));
        assert_eq!(parse("# nothing\n"), Ok(Settings::default()));
        std::fs::create_dir(folder.path().join(FILE)).expect("made");
        assert!(matches!(read(folder.path()), Err(BadSettings::Unreadable { .. })));
    }

    #[test]
    fn everything_can_be_said() {
        let text = "[budget]\nday = 5\nbatch = 0.25\nunknown = \"allow\"\n[confirm]\ntasks = 3\nusd = 0\n[limits]\n\
            requests_per_minute = 30\nrequests_at_once = 2\n";
        let budgets = Budgets { day: Some(Usd(5_000_000)), batch: Some(Usd(250_000)), unknown: true };
        let all = Settings {
            budgets,
            confirm: Confirm { tasks: 3, usd: Usd::ZERO, ..Confirm::default() },
            requests_per_minute: Some(30),
            requests_at_once: Some(2),
        };
        assert_eq!(parse(text), Ok(all));
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_line() {
        for (text, line, word) in [
            ("[budget]\nday = 5\ndya = 6\n", 3, "dya"),
            ("[budgets]\nday = 5\n", 1, "budgets"),
            ("\n\n[budget]\nday = -1\n", 4, "USD"),
            ("[budget]\nday = \"five\"\n", 2, "string"),
            ("[budget]\nunknown = \"perhaps\"\n", 2, "perhaps"),
            ("[limits]\nrequests_at_once = 0\n", 2, "from 1"),
            ("[confirm]\ntasks = \n", 2, ""),
            ("[budget]\nday = nan\n", 2, "USD"),
        ] {
            let (at, why) = parse(text).expect_err("it is wrong");
            assert!(at == line && why.contains(word), "{text:?}: line {at}: {why}");
        }
    }
}
