//! The rules of the code as tests: who may import whom, what the pure storey may not see, what must not stand in
//! the sources. It reads the files; it runs none of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use plantain::domain::Catalogue;
use plantain::keys::actions::all;

/// The pure storey.
const PURE: &[&str] = &["domain", "fleet", "keys", "app", "config", "time"];
/// One thing of the world each.
const ADAPTERS: &[&str] = &["api", "store", "ui", "terminal", "graphics", "sim"];
/// Joins the two.
const PROGRAM: &[&str] = &["runtime", "cli", "main", "lib"];

/// Which of our modules each of our modules may name.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("time", &[]),
    ("config", &["domain", "time"]),
    ("step", &[]),
    ("domain", &["time"]),
    ("keys", &["domain", "config", "time"]),
    ("fleet", &["domain", "config", "time"]),
    ("app", &["domain", "fleet", "keys", "config", "time"]),
    ("api", &["domain", "config", "time", "step"]),
    ("store", &["domain", "config", "time", "step"]),
    ("graphics", &["domain", "config", "time"]),
    ("terminal", &["domain", "fleet", "keys", "app", "config", "time", "graphics"]),
    ("ui", &["domain", "fleet", "keys", "app", "config", "time", "graphics"]),
    // A misreading of the protocol must not pass its own test.
    ("sim", &[]),
    (
        "runtime",
        &[
            "domain", "fleet", "keys", "app", "config", "time", "step", "api", "store", "ui", "terminal", "graphics",
            "sim",
        ],
    ),
    (
        "cli",
        &[
            "domain", "fleet", "keys", "app", "config", "time", "step", "api", "store", "ui", "terminal", "graphics",
            "sim", "runtime",
        ],
    ),
    ("main", &["cli"]),
    ("lib", &[]),
];

/// Crates that the pure storey may use: data, text and geometry.
// sha2 is a function of its argument: the row of a batch is named by it, on the screen as in the commands.
const PURE_CRATES: &[&str] = &["serde", "serde_json", "sha2", "strsim", "thiserror", "secrecy", "url", "uuid"];
/// And what only the machine of the screen may: the text area's value, geometry, the width of text.
const APP_CRATES: &[&str] = &["ratatui", "tui_textarea", "unicode_width", "unicode_segmentation"];

/// Words that do IO, read a clock, spawn, or draw a random number.
const IMPURE: &[&str] = &[
    "tokio",
    "reqwest",
    "crossterm",
    "rusqlite",
    "axum",
    "libc",
    "rand",
    "getrandom",
    "tracing",
    "color_eyre",
    "Instant",
    "SystemTime",
    "spawn",
    "spawn_blocking",
    "new_v4",
    "now_v7",
    "jiff",
    "stdout",
    "stderr",
    "stdin",
];
/// Modules of the standard library of the same kind.
const IMPURE_STD: &[&str] = &["fs", "net", "process", "thread", "env", "io", "os"];

/// Files that may be longer than 450 lines without their tests, and why.
const LONG: &[(&str, &str)] = &[];

const LONGEST: usize = 450;

/// A source file, taken apart.
struct Source {
    /// Below `src/`.
    path: PathBuf,
    raw: String,
    /// The code: no comments, no tests, the insides of literals blank. Lines as in the file.
    code: String,
    /// String literals outside tests, with their line.
    literals: Vec<(usize, String)>,
}

impl Source {
    /// The folder or file directly under `src/`.
    fn module(&self) -> String {
        let first = self.path.iter().next().expect("a path").to_string_lossy();
        first.trim_end_matches(".rs").to_owned()
    }

    /// How many modules it lies below the root.
    fn depth(&self) -> usize {
        let count = self.path.iter().count();
        if self.path.ends_with("mod.rs") { count - 1 } else { count }
    }

    fn is_in(&self, modules: &[&str]) -> bool {
        modules.contains(&self.module().as_str())
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if name == "target" || name == ".git" || name == ".venv" {
            continue;
        }
        if path.is_dir() { walk(&path, found) } else { found.push(path) }
    }
    found.sort();
}

/// Every source file but those that are tests as a whole.
fn sources() -> Vec<Source> {
    let mut files = Vec::new();
    walk(&root().join("src"), &mut files);
    let rust = files.into_iter().filter(|f| f.extension().is_some_and(|e| e == "rs") && !f.ends_with("tests.rs"));
    let sources: Vec<Source> = rust
        .map(|file| {
            let raw = fs::read_to_string(&file).expect("a readable source");
            let path = file.strip_prefix(root().join("src")).expect("below src").to_owned();
            let (code, literals) = take_apart(&raw);
            Source { path, raw, code, literals }
        })
        .collect();
    assert!(sources.len() > 50, "the sources are read");
    sources
}

/// Blanks comments, literals and tests; collects the string literals that are left.
fn take_apart(raw: &str) -> (String, Vec<(usize, String)>) {
    let chars: Vec<char> = raw.chars().collect();
    let mut code = String::with_capacity(raw.len());
    let mut literals: Vec<(usize, String)> = Vec::new();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let blank = |code: &mut String, from: usize, to: usize| {
        code.extend(chars[from..to.min(chars.len())].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
    };
    let mut i = 0;
    while i < chars.len() {
        let before_is_word = i > 0 && (at(i - 1).is_alphanumeric() || at(i - 1) == '_');
        let start = i;
        if at(i) == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
            blank(&mut code, start, i);
        } else if at(i) == '/' && at(i + 1) == '*' {
            let mut deep = 0;
            while i < chars.len() {
                match (at(i), at(i + 1)) {
                    ('/', '*') => (deep, i) = (deep + 1, i + 2),
                    ('*', '/') => (deep, i) = (deep - 1, i + 2),
                    _ => i += 1,
                }
                if deep == 0 {
                    break;
                }
            }
            blank(&mut code, start, i);
        } else if at(i) == 'r' && !before_is_word_or_byte(&chars, i) && matches!(at(i + 1), '"' | '#') && {
            let hashes = (i + 1..).take_while(|n| at(*n) == '#').count();
            at(i + 1 + hashes) == '"'
        } {
            let hashes = (i + 1..).take_while(|n| at(*n) == '#').count();
            i += hashes + 2;
            let inside = i;
            while i < chars.len() && !(at(i) == '"' && (1..=hashes).all(|n| at(i + n) == '#')) {
                i += 1;
            }
            literals.push((code.len(), chars[inside..i.min(chars.len())].iter().collect()));
            i += hashes + 1;
            blank(&mut code, start, i);
        } else if at(i) == '"' {
            i += 1;
            while i < chars.len() && at(i) != '"' {
                i += if at(i) == '\\' { 2 } else { 1 };
            }
            literals.push((code.len(), chars[start + 1..i.min(chars.len())].iter().collect()));
            i += 1;
            blank(&mut code, start, i);
        } else if at(i) == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'') && !before_is_word {
            i += if at(i + 1) == '\\' { 3 } else { 2 };
            while i < chars.len() && at(i) != '\'' {
                i += 1;
            }
            i += 1;
            blank(&mut code, start, i);
        } else {
            code.push(at(i));
            i += 1;
        }
    }
    let tests = tests_in(&code);
    let outside = |offset: usize| tests.iter().all(|(from, to)| offset < *from || offset >= *to);
    let line = |offset: usize| code[..offset].matches('\n').count() + 1;
    let literals = literals.into_iter().filter(|(o, _)| outside(*o)).map(|(o, text)| (line(o), text)).collect();
    let kept = code.char_indices().map(|(o, c)| if outside(o) || c == '\n' { c } else { ' ' }).collect();
    (kept, literals)
}

fn before_is_word_or_byte(chars: &[char], i: usize) -> bool {
    i > 0 && (chars[i - 1].is_alphanumeric() || chars[i - 1] == '_') && chars[i - 1] != 'b'
}

/// The stretches of code that are compiled for tests only.
fn tests_in(code: &str) -> Vec<(usize, usize)> {
    let mark = "#[cfg(test)]";
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = code[from..].find(mark).map(|o| o + from) {
        let rest = &code[start..];
        let mut deep = 0usize;
        let mut end = rest.len();
        for (o, c) in rest.char_indices().skip(mark.len()) {
            match c {
                '{' => deep += 1,
                '}' => deep = deep.saturating_sub(1),
                ';' if deep == 0 => {}
                _ => continue,
            }
            if deep == 0 {
                end = o + 1;
                break;
            }
        }
        found.push((start, start + end));
        from = start + end;
    }
    found
}

/// The words of the code with what stands directly before and after each.
fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = 0;
    std::iter::from_fn(move || {
        let start = code[rest..].find(is_word)? + rest;
        let end = code[start..].find(|c| !is_word(c)).map_or(code.len(), |o| o + start);
        rest = end;
        Some((start, &code[start..end]))
    })
}

/// The names at the top of what follows a path: `a` of `a::b`, and `a`, `c` of `{a::b, c}`.
fn heads(rest: &str) -> Vec<String> {
    let rest = rest.trim_start();
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(inside) = rest.strip_prefix('{') else { return vec![word(rest)] };
    let mut deep = 0;
    let mut names = vec![word(inside.trim_start())];
    for (o, c) in inside.char_indices() {
        match c {
            '{' => deep += 1,
            '}' if deep == 0 => break,
            '}' => deep -= 1,
            ',' if deep == 0 => names.push(word(inside[o + 1..].trim_start())),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// What follows each occurrence of this path, such as `std::`.
fn after<'a>(code: &'a str, path: &str) -> Vec<&'a str> {
    let starts = |o: usize| !code[..o].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    code.match_indices(path).filter(|(o, _)| starts(*o)).map(|(o, _)| &code[o + path.len()..]).collect()
}

/// Our own modules that a file names.
fn imports(source: &Source) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in ["crate::", "plantain::"] {
        for rest in after(&source.code, path) {
            found.extend(heads(rest));
        }
    }
    let to_the_root = "super::".repeat(source.depth());
    for rest in after(&source.code, &to_the_root) {
        found.extend(heads(rest));
    }
    found
}

fn complain(faults: Vec<String>) {
    assert!(faults.is_empty(), "\n  {}\n", faults.join("\n  "));
}

#[test]
fn every_module_imports_only_what_it_may() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let all: BTreeSet<&str> = PURE.iter().chain(ADAPTERS).chain(PROGRAM).copied().chain(["step"]).collect();
    let mut faults = Vec::new();
    for source in sources() {
        let module = source.module();
        let Some(may) = allowed.get(module.as_str()) else {
            faults.push(format!("{}: no rule says what it may import", source.path.display()));
            continue;
        };
        for name in imports(&source) {
            if all.contains(name.as_str()) && name != module && !may.contains(&name.as_str()) {
                faults.push(format!("{}: {module} may not import {name}", source.path.display()));
            }
        }
    }
    complain(faults);
}

#[test]
fn the_pure_storey_is_pure() {
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| source.is_in(PURE)) {
        let mut fault = |what: &str| faults.push(format!("{}: {what}", source.path.display()));
        for (_, word) in words(&source.code) {
            if IMPURE.contains(&word) {
                fault(word);
            }
        }
        for rest in after(&source.code, "std::") {
            for name in heads(rest).iter().filter(|name| IMPURE_STD.contains(&name.as_str())) {
                fault(&format!("std::{name}"));
            }
        }
    }
    complain(faults);
}

#[test]
fn the_pure_storey_uses_few_crates() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
    let dependencies = manifest.split("[dependencies]").nth(1).and_then(|rest| rest.split("\n[").next()).expect("some");
    let crates: Vec<String> = dependencies
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| name.trim().replace('-', "_"))
        .collect();
    assert!(crates.len() > 20 && crates.contains(&"tokio".to_owned()));
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| source.is_in(PURE)) {
        for name in &crates {
            let ours = PURE_CRATES.contains(&name.as_str())
                || (source.module() == "app" && APP_CRATES.contains(&name.as_str()));
            if !ours && !after(&source.code, &format!("{name}::")).is_empty() {
                faults.push(format!("{}: {name}", source.path.display()));
            }
        }
    }
    complain(faults);
}

#[test]
fn reports_for_people_are_made_at_the_top_only() {
    let named = |source: &&Source| words(&source.code).any(|(_, word)| word == "color_eyre");
    let sources = sources();
    let faults = sources.iter().filter(named).filter(|s| !s.is_in(&["cli", "main"]));
    complain(faults.map(|source| format!("{}: color_eyre", source.path.display())).collect());
}

/// Nothing unfinished, and nothing that writes to a terminal behind the back of its owner.
#[test]
fn nothing_unfinished_and_nothing_printed() {
    let macros = ["todo", "unimplemented", "dbg", "println", "eprintln", "print", "eprint"];
    let mut faults = Vec::new();
    for source in sources() {
        for (start, word) in words(&source.code) {
            if macros.contains(&word) && source.code[start + word.len()..].starts_with('!') {
                faults.push(format!("{}: {word}!", source.path.display()));
            }
        }
    }
    complain(faults);
}

/// Words that are also the name of some model's field, but here are something else: a column of the database, a
/// key of our own JSON, a role, an option of the command line.
const OTHER_MEANINGS: &[(&str, &[&str])] = &[
    // Paging, and what a deserializer expects.
    ("api/client.rs", &["size"]),
    ("api/wire.rs", &["size", "text"]),
    ("sim/read.rs", &["size"]),
    // The schema of our own JSON.
    ("cli/json.rs", &["prompt", "width", "height", "seed"]),
    ("cli/dry_run.rs", &["prompt", "seed"]),
    ("api/finish.rs", &["format", "width", "height"]),
    ("runtime/about.rs", &["prompt"]),
    // The type of a value.
    ("domain/validate.rs", &["text"]),
    // Roles, as the simulated service calls them.
    ("sim/create.rs", &["prompt"]),
    ("sim/results.rs", &["prompt", "seed", "size", "width", "height", "format"]),
    // The seed of a run.
    ("sim/mod.rs", &["seed"]),
    // Headings.
    ("ui/detail.rs", &["prompt"]),
    ("ui/editor.rs", &["prompt"]),
    ("ui/many.rs", &["seed"]),
    ("ui/table.rs", &["prompt"]),
];

#[test]
fn models_and_their_fields_stand_in_the_data_only() {
    let catalogue = Catalogue::built_in();
    let mut names = BTreeSet::new();
    let mut fields = BTreeSet::new();
    for model in catalogue.models() {
        names.insert(model.name.clone());
        names.extend(model.aliases.iter().cloned());
        let routes = model.routes.iter().flat_map(|route| &route.fields);
        fields.extend(model.fields.iter().chain(routes).map(|field| field.name.clone()));
    }
    let mut faults = Vec::new();
    for source in sources() {
        let path = source.path.to_string_lossy().replace('\\', "/");
        let excused: Vec<&str> =
            OTHER_MEANINGS.iter().filter(|(file, _)| *file == path).flat_map(|(_, words)| *words).copied().collect();
        for (line, text) in &source.literals {
            let is_field = fields.contains(text) && !excused.contains(&text.as_str());
            let has_name = names.iter().any(|name| text.contains(name.as_str()));
            if is_field || has_name {
                faults.push(format!("src/{path}:{line}: {text:?}"));
            }
        }
    }
    complain(faults);
}

#[test]
fn every_file_says_what_it_is_about() {
    let sources = sources();
    let bare = sources.iter().filter(|source| !source.raw.starts_with("//! "));
    complain(bare.map(|source| format!("{}: no module doc", source.path.display())).collect());
}

#[test]
fn no_file_is_too_long() {
    let mut faults = Vec::new();
    for source in sources() {
        let path = source.path.to_string_lossy().replace('\\', "/");
        // Tests stand at the end of a file; what stands before them counts.
        let lines = source.raw.split("\n#[cfg(test)]\nmod tests {").next().map_or(0, |text| text.lines().count());
        let excused = LONG.iter().any(|(file, why)| *file == path && !why.is_empty());
        match (lines > LONGEST, excused) {
            (true, false) => faults.push(format!("src/{path}: {lines} lines")),
            (false, true) => faults.push(format!("src/{path}: {lines} lines, and needs no exception")),
            _ => {}
        }
    }
    complain(faults);
}

#[test]
fn the_manual_knows_every_action() {
    let Ok(manual) = fs::read_to_string(root().join("docs/keys.md")) else { return };
    let missing = all().filter(|spec| !manual.contains(spec.help));
    complain(missing.map(|spec| format!("docs/keys.md does not say: {}", spec.help)).collect());
}

/// Two versions of these would not know each other's types, or would double the binary.
#[test]
fn there_is_one_of_each_great_crate() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("a lock file");
    for name in ["crossterm", "ratatui", "rustls", "tokio", "image"] {
        let heading = format!("name = \"{name}\"\nversion = \"");
        let versions: Vec<&str> = lock.split(&heading).skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(versions.len(), 1, "{name}: {versions:?}");
    }
}

#[test]
fn every_crate_comes_from_the_public_registry() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("a lock file");
    let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
    let others = lock.lines().filter(|line| line.starts_with("source = ") && *line != public);
    complain(others.map(str::to_owned).collect());
}

/// A misreading of the terminals must not pass its own test: what plays them depends on crates of the registry alone.
#[test]
fn the_glass_shares_no_code_with_what_it_checks() {
    let manifest = fs::read_to_string(root().join("tests/glass/Cargo.toml")).expect("a manifest");
    let ours = |line: &&str| ["path", "workspace", "git"].iter().any(|key| line.contains(&format!("{key} =")));
    let mut faults: Vec<String> = manifest.lines().filter(ours).map(str::to_owned).collect();
    let mut files = Vec::new();
    walk(&root().join("tests/glass/src"), &mut files);
    assert!(files.len() > 5, "the sources are read");
    for file in files {
        let text = fs::read_to_string(&file).expect("a readable source");
        let borrows = ["#[path", "include!"].iter().any(|way| text.contains(way));
        faults.extend(borrows.then(|| format!("{}: code from elsewhere", file.display())));
    }
    complain(faults);
}

/// What nobody calls goes; what several test crates share stands in a crate of its own.
#[test]
fn nothing_is_kept_that_nobody_calls() {
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches"] {
        walk(&root().join(folder), &mut files);
    }
    // Put together here, so that this file does not find itself.
    let mark = ["allow(", "dead_code"].concat();
    let kept = files.iter().filter(|file| fs::read_to_string(file).is_ok_and(|text| text.contains(&mark)));
    complain(kept.map(|file| format!("{}: {mark}", file.display())).collect());
}

#[cfg(unix)]
#[test]
fn the_whole_check_can_be_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let Ok(about) = fs::metadata(root().join(".ci/run")) else { return };
    assert!(about.permissions().mode() & 0o111 != 0, ".ci/run is not executable");
}

/// The project is the same wherever it lies.
#[test]
fn nothing_tells_of_the_machine_it_was_written_on() {
    let mut files = Vec::new();
    walk(root(), &mut files);
    let here = root().to_string_lossy().into_owned();
    // Put together here, so that this file does not find itself.
    let mut hints: Vec<String> =
        [["/wo", "rk/"], ["/tmp/", "wt"], ["/ro", "ot/"], ["/Us", "ers/"], ["arti", "factory"], ["dev", "pi"]]
            .map(|parts| parts.concat())
            .into();
    if here.len() > 3 {
        hints.push(here);
    }
    let mut faults = Vec::new();
    for file in files {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for hint in hints.iter().filter(|hint| text.contains(hint.as_str())) {
            faults.push(format!("{}: {hint}", file.strip_prefix(root()).unwrap_or(&file).display()));
        }
    }
    complain(faults);
}

#[test]
fn the_reader_of_sources_reads_them_right() {
    let raw = "//! doc\nuse crate::{api::x, ui};\nlet a = \"crate::sim\"; // crate::sim\nlet q = '\"'; let s: &'static str = r#\"x\"y\"#;\n#[cfg(test)]\nmod tests { fn f() { \"in a test\"; } }\nlet b = \"after\";\n";
    let (code, literals) = take_apart(raw);
    let texts: Vec<&str> = literals.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["crate::sim", "x\"y", "after"]);
    assert!(!code.contains("sim") && !code.contains("tests") && code.contains("let b"), "{code}");
    let source = Source { path: "app/x.rs".into(), raw: raw.into(), code, literals };
    assert_eq!(imports(&source), ["api".to_owned(), "ui".to_owned()].into());
    assert_eq!((source.module().as_str(), source.depth()), ("app", 2));
    assert_eq!(literals_lines(raw), [3, 4, 7]);
}

fn literals_lines(raw: &str) -> Vec<usize> {
    take_apart(raw).1.into_iter().map(|(line, _)| line).collect()
}
