//! The user's own editor: the terminal is given to it and taken back, and the loop goes on working meanwhile.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::app::Msg;
use crate::app::editor::LONGEST_PASTE;
use crate::app::shelf::ShelfKind;
use crate::store::StoreProblem;
use crate::terminal::{Output, Reader};

use super::hands::{Note, deliver};
use super::screen::{LAST_WORDS, Program};

/// What is called where neither `$VISUAL` nor `$EDITOR` is set.
const USUAL: &str = "vi";
/// The key is no business of other programs.
const KEPT_BACK: &str = "HIAPI_API_KEY";
/// How long the editor may take to end when we have to leave.
const ITS_END: Duration = Duration::from_millis(100);

/// An editor that has the terminal.
#[derive(Debug)]
pub(super) struct Composing {
    pid: u32,
}

/// Why there is no new text.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("$VISUAL or $EDITOR cannot be read: a quotation mark is not closed")]
    Words,
    #[error("the text cannot be written for the editor: {0}")]
    Write(io::Error),
    #[error("the editor {name:?} cannot be started: {why}")]
    Start { name: String, why: String },
    #[error("the editor was ended by signal {0}")]
    Killed(i32),
    #[error("the editor failed with code {0}")]
    Failed(i32),
    #[error("the editor left no text file")]
    Gone,
    #[error("the editor left more than 1 MiB")]
    Huge,
    #[error("what the editor left is no text")]
    Binary,
    #[error("what the editor left cannot be read: {0}")]
    Read(io::Error),
}

/// A folder for this user alone, with the text in it. Dropping it removes both, with whatever the editor put beside.
struct Sheet {
    dir: PathBuf,
    file: PathBuf,
}

impl Sheet {
    fn write(text: &str) -> io::Result<Self> {
        let place =
            std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_absolute() && dir.is_dir());
        let place = place.unwrap_or_else(std::env::temp_dir);
        let dir = place.join(format!("plantain-{}", uuid::Uuid::new_v4()));
        // What is there already, or a link, is an error.
        DirBuilder::new().mode(0o700).create(&dir)?;
        let sheet = Self { file: dir.join("prompt.txt"), dir };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&sheet.file)?;
        file.write_all(text.as_bytes())?;
        Ok(sheet)
    }

    /// What stands there now, if it is text of a length that can be taken in.
    fn read(&self) -> Result<String, Fault> {
        let about = fs::symlink_metadata(&self.file).map_err(|_| Fault::Gone)?;
        if !about.is_file() {
            return Err(Fault::Gone);
        }
        let mut bytes = Vec::new();
        let most = LONGEST_PASTE as u64 + 1;
        let file = File::open(&self.file).map_err(Fault::Read)?;
        file.take(most).read_to_end(&mut bytes).map_err(Fault::Read)?;
        if bytes.len() > LONGEST_PASTE {
            return Err(Fault::Huge);
        }
        if bytes.contains(&0) {
            return Err(Fault::Binary);
        }
        String::from_utf8(bytes).map_err(|_| Fault::Binary)
    }
}

impl Drop for Sheet {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.dir) {
            tracing::warn!(%error, "what was written for the editor is not removed");
        }
    }
}

/// The words of a command, without a shell: quotation marks keep words together, a backslash keeps what follows.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().push(chars.next()?),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// The command that the user wants, or the usual one.
fn wanted(env: impl Fn(&str) -> Option<String>) -> Result<Vec<String>, Fault> {
    let said = ["VISUAL", "EDITOR"].into_iter().filter_map(env).find(|line| !line.trim().is_empty());
    words(said.as_deref().unwrap_or(USUAL)).filter(|words| !words.is_empty()).ok_or(Fault::Words)
}

fn start(command: &[String], file: &Path) -> Result<Child, Fault> {
    let (name, rest) = command.split_first().ok_or(Fault::Words)?;
    let fault = |why: String| Fault::Start { name: name.clone(), why };
    let tty = || {
        // Opened anew: ours is non-blocking, which an editor does not expect.
        let tty = OpenOptions::new().read(true).write(true).open("/dev/tty");
        tty.map(Stdio::from).map_err(|error| fault(error.to_string()))
    };
    let mut child = Command::new(name);
    child.args(rest).arg(file).env_remove(KEPT_BACK).stdin(tty()?).stdout(tty()?).stderr(tty()?);
    child.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => fault("there is no such program; set $VISUAL or $EDITOR".to_owned()),
        _ => fault(error.to_string()),
    })
}

/// What comes of an editor that has ended so.
fn ended(status: ExitStatus, sheet: &Sheet) -> Result<String, Fault> {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(0), _) => sheet.read(),
        (Some(code), _) => Err(Fault::Failed(code)),
        (None, signal) => Err(Fault::Killed(signal.unwrap_or_default())),
    }
}

impl Program {
    /// Gives the terminal to the user's own editor with this text. What comes of it is told with `Note::Composed`.
    pub(super) fn compose(&mut self, text: &str) {
        let begun = wanted(|name| std::env::var(name).ok()).and_then(|command| {
            let sheet = Sheet::write(text).map_err(Fault::Write)?;
            let last_answers = self.last_answers();
            if let Some(output) = &self.output {
                output.pause(LAST_WORDS);
            }
            last_answers();
            if let Some(reader) = self.reader.take() {
                reader.stop();
            }
            self.screen.leave();
            Ok((start(&command, &sheet.file)?, sheet))
        });
        match begun {
            Ok((mut child, sheet)) => {
                self.composing = Some(Composing { pid: child.id() });
                let inbox = self.hands.inbox();
                // It may take hours: a thread of its own, not one that others wait for.
                let waiter = std::thread::Builder::new().name("editor".into()).spawn(move || {
                    let result = child.wait().map_err(Fault::Read).and_then(|status| ended(status, &sheet));
                    drop(sheet);
                    deliver(&inbox, Note::Composed(result.map_err(|fault| fault.to_string())));
                });
                if let Err(error) = waiter {
                    self.composed(Err(error.to_string()));
                }
            }
            Err(fault) => self.composed(Err(fault.to_string())),
        }
    }

    /// The editor has ended: the terminal is ours again.
    pub(super) fn composed(&mut self, result: Result<String, String>) {
        self.composing = None;
        if self.exit.is_none() && !self.take_back() {
            return self.take(Msg::InputClosed, true);
        }
        self.take(Msg::Composed(result), true);
    }

    /// Reads text that was written before.
    pub(super) fn recall(&self, kind: ShelfKind) {
        let Some(store) = self.hands.store() else { return };
        let inbox = self.hands.inbox();
        let tell = move |result: Result<_, StoreProblem>| {
            deliver(&inbox, Note::Msg(Msg::Recalled(kind, result.map_err(|why| why.to_string()))));
        };
        match kind {
            ShelfKind::History => store.sent_then(tell),
            ShelfKind::Snippets => store.snippets_then(tell),
        }
    }

    /// Enters again, whatever the editor left behind. Says whether there still is a terminal.
    fn take_back(&mut self) -> bool {
        if self.screen.enter_again().is_err() {
            return false;
        }
        if self.reader.is_none() {
            let fences = self.output.as_ref().map(Output::fences).unwrap_or_default();
            match self.tty.try_clone().and_then(|tty| Reader::start_beside(tty, self.keys.clone(), fences)) {
                Ok(reader) => self.reader = Some(reader),
                Err(_) => return false,
            }
        }
        if let Some(output) = &self.output {
            output.resume();
        }
        self.repaint = true;
        self.resized();
        self.ask_terminal();
        true
    }

    /// We have to leave while the editor has the terminal: it is told to end, and the terminal is put right.
    pub(super) fn recall_terminal(&mut self) {
        let Some(Composing { pid }) = self.composing.take() else { return };
        if let Ok(pid) = i32::try_from(pid) {
            // SAFETY: a signal to our own child, which is waited for only by the thread that reports its end.
            unsafe { libc::kill(pid, libc::SIGTERM) };
            std::thread::sleep(ITS_END);
        }
        let _ = self.screen.enter_again();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_split_without_a_shell() {
        let split = |line| words(line).unwrap_or_default();
        assert_eq!(split("vi"), ["vi"]);
        assert_eq!(split("  code  --wait "), ["code", "--wait"]);
        assert_eq!(split(r#""/opt/my editor/ed" -x 'a b' c\ d"#), ["/opt/my editor/ed", "-x", "a b", "c d"]);
        assert_eq!(split("vi; rm $HOME `x`"), ["vi;", "rm", "$HOME", "`x`"]);
        assert_eq!(split("e ''"), ["e", ""]);
        assert_eq!(words("vi \"x"), None);
        assert_eq!(words("vi \\"), None);
    }

    #[test]
    fn the_visual_editor_comes_first_and_there_is_a_usual_one() {
        let with = |visual: Option<&str>, line: Option<&str>| {
            let (visual, line) = (visual.map(str::to_owned), line.map(str::to_owned));
            wanted(move |name| if name == "VISUAL" { visual.clone() } else { line.clone() }).ok()
        };
        assert_eq!(with(Some("a"), Some("b")), Some(vec!["a".to_owned()]));
        assert_eq!(with(Some(" "), Some("b")), Some(vec!["b".to_owned()]));
        assert_eq!(with(None, None), Some(vec![USUAL.to_owned()]));
        assert_eq!(with(Some("'"), None), None);
    }

    /// I-3: for this user alone, and removed with what the editor put beside it.
    #[test]
    fn the_sheet_is_private_and_goes_away() {
        use std::os::unix::fs::PermissionsExt;
        let sheet = Sheet::write("a fox").expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&sheet.dir), mode(&sheet.file)), (0o700, 0o600));
        assert_eq!(sheet.read().expect("text"), "a fox");
        fs::write(sheet.dir.join("prompt.txt~"), "beside").expect("written");
        let dir = sheet.dir.clone();
        drop(sheet);
        assert!(!dir.exists());
    }

    /// E14: what cannot be a prompt is told from what can.
    #[test]
    fn what_an_editor_may_leave() {
        let left = |make: &dyn Fn(&Path)| {
            let sheet = Sheet::write("a fox").expect("written");
            make(&sheet.file);
            sheet.read().map_err(|fault| fault.to_string())
        };
        let bytes = |bytes: Vec<u8>| left(&move |file| fs::write(file, &bytes).expect("written"));
        assert_eq!(bytes(b"an owl\n".to_vec()), Ok("an owl\n".into()));
        assert_eq!(bytes(vec![b'x'; LONGEST_PASTE + 1]), Err(Fault::Huge.to_string()));
        assert_eq!(bytes(vec![0xff, 0xfe]), Err(Fault::Binary.to_string()));
        assert_eq!(bytes(b"a\0b".to_vec()), Err(Fault::Binary.to_string()));
        assert_eq!(left(&|file| fs::remove_file(file).expect("removed")), Err(Fault::Gone.to_string()));
        assert_eq!(
            left(&|file| {
                fs::remove_file(file).expect("removed");
                std::os::unix::fs::symlink("/etc/hostname", file).expect("linked");
            }),
            Err(Fault::Gone.to_string())
        );
    }
}
