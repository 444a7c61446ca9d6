//! The day in platforms' own formats: the same bytes everywhere, beside the same truth.

use std::collections::BTreeSet;

use callboard_datasets::simulate::{Disorder, Manifest, Platform, SimulateError, run};

use crate::world::{options, simulate};

fn told(platform: Platform, threads: usize) -> Manifest {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(dir.path(), 4, 300, Disorder::None);
    options.platform = Some(platform);
    options.threads = threads;
    simulate(&options)
}

/// Files below a folder with their hashes.
fn below(manifest: &Manifest, folder: &str) -> BTreeSet<(String, String)> {
    let own = manifest.files.iter().filter(|f| f.path.starts_with(folder));
    own.map(|f| (f.path.clone(), f.blake3.clone())).collect()
}

#[test]
fn each_platform_tells_the_same_bytes_with_any_number_of_threads_beside_the_same_truth() {
    let dir = tempfile::tempdir().unwrap();
    let plain = simulate(&options(dir.path(), 4, 300, Disorder::None));
    // What our own events tell beside a contact, a platform tells in its own way or not at all.
    let own = |path: &str| {
        let beside = ["agent_states", "recordings", "surveys"];
        !beside
            .iter()
            .any(|table| path.starts_with(&format!("truth/{table}/")))
    };
    let mut wanted = below(&plain, "truth/");
    wanted.retain(|(path, _)| own(path));
    for platform in Platform::ALL {
        let one = told(*platform, 1);
        assert_eq!(one.files, told(*platform, 3).files, "{platform:?}");
        assert_eq!(one.platform, Some(platform.as_str()));
        assert_eq!(Platform::of(platform.as_str()), Some(*platform));
        assert!(!below(&one, "told/site1/").is_empty(), "{platform:?}");
        assert!(!below(&one, "told/site2/").is_empty(), "{platform:?}");
        assert!(below(&one, "events/").is_empty(), "{platform:?}");
        let mut truth = below(&one, "truth/");
        let recordings = !below(&one, "truth/recordings/").is_empty();
        assert_eq!(recordings, platform.keeps_recordings(), "{platform:?}");
        truth.retain(|(path, _)| own(path));
        assert_eq!(truth, wanted, "{platform:?}");
    }
}

#[test]
fn a_platform_is_told_without_disorder() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(dir.path(), 4, 10, Disorder::Mild);
    options.platform = Some(Platform::AmazonConnect);
    let error = run(&options, None, &mut |_| ()).unwrap_err();
    assert!(matches!(error, SimulateError::NoDisorder), "{error}");
}
