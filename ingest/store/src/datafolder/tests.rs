//! What opens and what is refused, in words.

use super::*;

#[test]
fn a_folder_opens_again_and_keeps_its_version() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("deep/data");
    drop(DataFolder::open(&root).unwrap());
    let folder = DataFolder::open(&root).unwrap();
    assert_eq!(
        std::fs::read_to_string(folder.root().join("VERSION")).unwrap(),
        "1\n"
    );
    assert!(folder.log().is_dir() && folder.lake().is_dir() && folder.state().is_dir());
}

#[test]
fn a_second_holder_is_told_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let _held = DataFolder::open(dir.path()).unwrap();
    let text = DataFolder::open(dir.path()).unwrap_err().to_string();
    let pid = std::process::id().to_string();
    assert!(text.contains(&format!("process {pid}")), "{text}");
    assert!(text.contains("--data"), "{text}");
}

#[test]
fn a_newer_or_foreign_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(DataFolder::open(dir.path()).unwrap());
    std::fs::write(dir.path().join("VERSION"), "200\n").unwrap();
    let error = DataFolder::open(dir.path()).unwrap_err();
    assert!(matches!(error, DataFolderError::Newer { found: 200, .. }));
    std::fs::write(dir.path().join("VERSION"), "one\n").unwrap();
    let error = DataFolder::open(dir.path()).unwrap_err();
    assert!(matches!(error, DataFolderError::NotOurs { .. }), "{error}");

    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("thesis.txt"), "x").unwrap();
    let error = DataFolder::open(other.path()).unwrap_err().to_string();
    assert!(error.contains("thesis.txt"), "{error}");
    assert!(!other.path().join("LOCK").exists(), "left as it was");
}

#[test]
fn a_folder_that_may_not_be_written_is_named_with_what_to_do() {
    let disk = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
    let error = refused(
        Path::new("/srv/calls"),
        "opening",
        "/srv/calls/LOCK".into(),
        disk,
    );
    let text = error.to_string();
    assert!(
        text.contains("data folder /srv/calls cannot be written"),
        "{text}"
    );
    assert!(text.contains("make it writable"), "{text}");
    let broken = io::Error::from(io::ErrorKind::Other);
    let error = refused(Path::new("/srv"), "opening", "/srv/LOCK".into(), broken);
    assert!(matches!(error, DataFolderError::Io { .. }), "{error}");
}
