//! What is written about the code stays true of the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a page with what the code says; `PLANTAIN_WRITE_DOCS=1` writes it.
fn same(file: &str, wanted: &str) {
    let path = root().join(file);
    if std::env::var_os("PLANTAIN_WRITE_DOCS").is_some() {
        std::fs::write(&path, wanted).expect("the page can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, wanted, "{file} is stale: run PLANTAIN_WRITE_DOCS=1 cargo test --test docs");
}

#[test]
fn the_page_about_keys_is_the_table_of_actions() {
    same("docs/keys.md", &plantain::keys::manual::page());
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

/// The names of the functions that are tests, here or anywhere below.
fn tests_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut marked = false;
    for line in text.lines().map(str::trim) {
        let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        match function {
            Some(rest) if marked => {
                names.extend(rest.split('(').next().map(str::to_owned));
                marked = false;
            }
            Some(_) => {}
            None => marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test"),
        }
    }
    names
}

/// Each fault and its tests, as the page says it.
fn faults(page: &str) -> BTreeMap<String, Vec<String>> {
    let mut faults = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let (Some(id), Some(tests)) = (cells.first(), cells.last()) else { continue };
        if id.starts_with(|c: char| c.is_ascii_uppercase()) && id[1..].parse::<u32>().is_ok() {
            let names = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            assert!(faults.insert((*id).to_owned(), names).is_none(), "{id} has two rows");
        }
    }
    faults
}

/// Every fault that Plantain must survive has its row in docs/reliability.md, and every test that a row names is
/// there: a function, or a whole file of tests.
#[test]
fn the_table_of_faults_is_whole_and_names_tests_that_exist() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    sources(&root().join("tests"), &mut files);
    let texts = files.iter().map(|file| std::fs::read_to_string(file).expect("a source"));
    let mut tests: BTreeSet<String> = texts.flat_map(|text| tests_in(&text)).collect();
    let top = root().join("tests");
    let whole = files.iter().filter_map(|file| match file.parent()? {
        folder if folder == top => file.file_stem(),
        folder if folder.parent() == Some(&top) && file.ends_with("main.rs") => folder.file_name(),
        _ => None,
    });
    tests.extend(whole.filter_map(|name| Some(name.to_str()?.to_owned())));
    let page = std::fs::read_to_string(root().join("docs/reliability.md")).expect("the page");
    let faults = faults(&page);
    let ranges = [('A', 1..=13), ('B', 1..=8), ('B', 10..=16), ('B', 18..=18), ('C', 1..=14), ('C', 16..=16)];
    let more = [
        ('D', 1..=3),
        ('E', 1..=2),
        ('E', 6..=9),
        ('E', 12..=12),
        ('E', 14..=14),
        ('F', 3..=4),
        ('F', 6..=6),
        ('G', 1..=3),
        ('G', 5..=5),
        ('G', 7..=7),
        ('H', 1..=7),
    ];
    let wanted =
        ranges.into_iter().chain(more).flat_map(|(letter, numbers)| numbers.map(move |n| format!("{letter}{n}")));
    let missing: Vec<String> = wanted.filter(|id| !faults.contains_key(id)).collect();
    assert!(missing.is_empty(), "without a row: {missing:?}");
    for (id, names) in &faults {
        let bare = page.lines().any(|line| line.starts_with(&format!("| {id} |")) && line.ends_with("| none yet |"));
        assert!(bare == names.is_empty(), "{id} names no test: write one, or say \"none yet\"");
        for name in names {
            assert!(tests.contains(name), "{id}: there is no test {name}");
        }
    }
}
