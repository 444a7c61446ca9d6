//! A simulation is read back whole, as it was written, or not at all.

use std::path::Path;

use callboard_datasets::simulate::{Disorder, Platform, TABLES, Table, VERSION, Written};

use crate::world::{options, simulate};

fn table(name: &str) -> &'static Table {
    TABLES.iter().find(|t| t.name == name).unwrap()
}

fn why(folder: &Path, name: &str) -> String {
    match Written::read(folder) {
        Err(why) => why.to_string(),
        Ok(written) => written.files(table(name)).unwrap_err().to_string(),
    }
}

#[test]
fn what_was_written_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let manifest = simulate(&options(dir.path(), 1, 200, Disorder::Wild));
    let written = Written::read(dir.path()).unwrap();
    let counts = written.counts();
    assert_eq!(counts.taken as u64, manifest.counts.taken);
    assert_eq!(counts.conflicts as u64, manifest.counts.conflicts);
    for table in TABLES {
        let files = written.files(table).unwrap();
        let below = format!("truth/{}", table.name);
        let own = manifest.files.iter().filter(|f| f.path.starts_with(&below));
        assert_eq!(files.len(), own.count(), "{}", table.name);
        assert!(!files.is_empty(), "{}", table.name);
        assert!(files.values().all(|path| path.exists()));
    }
    assert_eq!(written.files(table("dead_letters")).unwrap().len(), 1);
}

#[test]
fn what_is_unfinished_or_changed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    simulate(&options(folder, 1, 100, Disorder::Mild));
    let file = folder.join("truth/dead_letters.ndjson");
    let text = std::fs::read(&file).unwrap();
    let mut other = text.clone();
    other[10] ^= 1;
    std::fs::write(&file, &other).unwrap();
    assert!(why(folder, "dead_letters").contains("has the hash of"));
    assert!(Written::read(folder).unwrap().files(table("links")).is_ok());
    std::fs::write(&file, &text[1..]).unwrap();
    assert!(why(folder, "dead_letters").contains("by manifest.json"));
    std::fs::remove_file(&file).unwrap();
    assert!(why(folder, "dead_letters").contains("dead_letters.ndjson"));

    let manifest = folder.join("manifest.json");
    let said = std::fs::read_to_string(&manifest).unwrap();
    let written_by = format!("\"version\": \"{VERSION}\"");
    std::fs::write(&manifest, said.replace(&written_by, "\"version\": \"1\"")).unwrap();
    assert!(why(folder, "links").contains("version 1 of the simulator"));
    std::fs::write(&manifest, &said[..said.len() - 1]).unwrap();
    assert!(why(folder, "links").contains("was not finished"));
    std::fs::remove_file(&manifest).unwrap();
    assert!(why(folder, "links").contains("was not finished"));
    assert!(why(&folder.join("nowhere"), "links").contains("was not finished"));
}

#[test]
fn a_day_that_a_platform_tells_is_not_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut asked = options(dir.path(), 1, 20, Disorder::None);
    asked.platform = Some(Platform::Teams);
    simulate(&asked);
    assert!(why(dir.path(), "links").contains("told as teams"));
}
