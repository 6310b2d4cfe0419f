//! What is written from the code stays the same as the code.

use std::path::Path;

/// Compares a page with what the code says; `PLANTAIN_WRITE_DOCS=1` writes it.
fn same(file: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
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
