//! What a command said, and what may be said of that.

use std::process::{Command, Output};

use serde_json::Value;

use crate::service::KEY;

/// A command that ended by itself. Whatever it says, the key is not in it, and nothing steers a terminal.
#[derive(Debug)]
pub struct Said {
    /// As it exited.
    pub code: i32,
    /// Its results.
    pub out: String,
    /// Its words to the user.
    pub err: String,
}

impl Said {
    /// The results as lines of JSON.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        lines(&self.out)
    }

    /// It exited so.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// It told the user so.
    #[track_caller]
    pub fn complains(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.err.contains(word), "{word:?} is not in {self:#?}");
        }
        self
    }
}

/// Runs a command to its end.
#[track_caller]
pub fn said(command: &mut Command) -> Said {
    Said::from(command.output().expect("it runs"))
}

impl From<Output> for Said {
    #[track_caller]
    fn from(output: Output) -> Self {
        let said = Self {
            code: output.status.code().expect("it ends by itself"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        };
        for text in [&said.out, &said.err] {
            assert!(!text.contains(KEY), "the key is told: {said:#?}");
            let steers = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
            assert!(!text.contains(steers), "something steers the terminal: {said:#?}");
        }
        said
    }
}

/// Lines of JSON.
#[track_caller]
pub fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}
