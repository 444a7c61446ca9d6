//! No step at which the program can end itself is forgotten by the tests that let it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::project;

/// What stands between this and the next quotation mark, wherever it stands.
fn quoted(text: &str, after: &str) -> BTreeSet<String> {
    let parts = text.split(after).skip(1);
    let names = parts.filter_map(|part| part.split_once('"'));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// All source files of a folder as one text.
fn sources(dir: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all += &sources(&path);
        } else if path.extension().is_some_and(|e| e == "rs") {
            all += &std::fs::read_to_string(&path).unwrap();
        }
    }
    all
}

#[test]
fn the_program_is_killed_at_every_step_that_it_names() {
    let named = quoted(&sources(&project().join("ingest")), "steps::pass(\"");
    assert!(named.len() > 30, "{named:?}");
    let tests = sources(&project().join("tests/it"));
    let died_at = |step: &String| {
        tests.contains(&format!("\"{step}\"")) || tests.contains(&format!("\"{step}:"))
    };
    let forgotten: Vec<&String> = named.iter().filter(|step| !died_at(step)).collect();
    assert!(forgotten.is_empty(), "nobody dies at {forgotten:?}");
}
