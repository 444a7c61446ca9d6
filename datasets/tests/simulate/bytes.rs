//! What is written: the same bytes everywhere, in files or as a stream.

use callboard_datasets::simulate::{Disorder, Manifest, run};

use crate::world::{options, simulate};

/// One hash over the hashes of all files.
fn golden(manifest: &Manifest) -> String {
    let mut hasher = blake3::Hasher::new();
    for file in &manifest.files {
        hasher.update(file.path.as_bytes());
        hasher.update(file.blake3.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

#[test]
fn a_seed_gives_the_same_bytes_on_every_machine_and_with_any_number_of_threads() {
    let made = |threads| {
        let dir = tempfile::tempdir().unwrap();
        let mut options = options(dir.path(), 1, 1_000, Disorder::Wild);
        options.threads = threads;
        golden(&simulate(&options))
    };
    // Who changes what is written changes VERSION and this.
    assert_eq!(
        made(1),
        "2bb91285d875e0d9b2f234a3a12032f2f77f5008fcbde5d16f83e50a96626080"
    );
    assert_eq!(made(3), made(1));
}

#[test]
fn a_stream_is_the_same_lines_and_the_same_truth() {
    let dir = tempfile::tempdir().unwrap();
    let files = simulate(&options(&dir.path().join("a"), 5, 3_000, Disorder::Wild));
    let mut stream: Vec<u8> = Vec::new();
    let streamed = run(
        &options(&dir.path().join("b"), 5, 3_000, Disorder::Wild),
        Some(&mut stream),
        &mut |_| (),
    )
    .unwrap();
    let truth = |m: &Manifest| {
        m.files
            .iter()
            .filter(|f| f.path.starts_with("truth/"))
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(truth(&files), truth(&streamed));
    let says = |l: &&[u8]| !l.trim_ascii().is_empty();
    let mut lines: Vec<&[u8]> = stream.split(|b| *b == b'\n').filter(says).collect();
    assert_eq!(lines.len() as u64, files.counts.lines);
    let mut from_files = Vec::new();
    for file in files.files.iter().filter(|f| f.path.starts_with("events/")) {
        from_files.push(std::fs::read(dir.path().join("a").join(&file.path)).unwrap());
    }
    let mut wanted: Vec<&[u8]> = from_files
        .iter()
        .flat_map(|f| f.split(|b| *b == b'\n'))
        .filter(says)
        .collect();
    lines.sort_unstable();
    wanted.sort_unstable();
    assert!(lines == wanted);
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("mine"), "x").unwrap();
    let error = run(
        &options(dir.path(), 1, 10, Disorder::None),
        None,
        &mut |_| (),
    )
    .unwrap_err();
    assert!(error.to_string().contains("is not empty"), "{error}");
}
