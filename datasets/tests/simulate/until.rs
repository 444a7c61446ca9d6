//! The first days of a longer simulation, with the truth of them.

use std::path::Path;

use callboard_datasets::simulate::{
    Disorder, Manifest, Options, SimulateError, contacts_until, run, run_until,
};
use serde_json::Value;

use crate::world::{options, simulate, text};

/// Days that are played, of five.
const PLAYED: i64 = 2;

/// Four sites, of which Sydney is the first to begin a day and New York the last to end one.
fn five_days(out: &Path, disorder: Disorder) -> Options {
    let mut options = options(out, 61, 2_500, disorder);
    options.days = Some(5);
    options
}

fn first_days(options: &Options) -> Manifest {
    run_until(options, Some(PLAYED), None, &mut |_| ()).unwrap()
}

/// The files of a manifest below that folder, by path, with their bytes.
fn files(out: &Path, manifest: &Manifest, below: &str) -> Vec<(String, Vec<u8>)> {
    let own = manifest.files.iter().filter(|f| f.path.starts_with(below));
    own.map(|f| (f.path.clone(), std::fs::read(out.join(&f.path)).unwrap()))
        .collect()
}

/// The local day on which what a line tells began; of agents it says nothing.
fn day_of(line: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(line).ok()?;
    let (_, after) = text(&event["data"], "contact_id").split_once('-')?;
    Some(after.get(..8)?.to_owned())
}

#[test]
fn the_first_days_are_those_that_the_whole_begins_with_byte_by_byte() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("whole"), dir.path().join("first"));
    let whole = simulate(&five_days(&a, Disorder::None));
    let first = first_days(&five_days(&b, Disorder::None));
    let (events, of_first) = (files(&a, &whole, "events/"), files(&b, &first, "events/"));
    assert_eq!(events.len(), of_first.len());
    for ((path, all), (same, begin)) in events.iter().zip(&of_first) {
        assert_eq!(path, same);
        let rest = all.strip_prefix(begin.as_slice());
        let rest = rest.unwrap_or_else(|| panic!("{path} begins otherwise"));
        let days = |of: &[u8]| -> Vec<String> {
            let lines = of.split(|b| *b == b'\n');
            lines.filter_map(day_of).collect()
        };
        if path.ends_with("setup.ndjson") {
            assert!(rest.is_empty());
            continue;
        }
        let (played, later) = (days(begin), days(rest));
        assert!(played.len() > 500 && later.len() > 500, "{path}");
        assert!(
            played
                .iter()
                .all(|d| ["20260307", "20260308"].contains(&d.as_str()))
        );
        assert!(later.iter().all(|d| d.as_str() > "20260308"), "{path}");
    }
    // So is the truth of days that no later contact reaches: an agent's night is told in the morning.
    for (path, rows) in files(&b, &first, "truth/") {
        let early = ["2026-03-06", "2026-03-07"]
            .iter()
            .any(|d| path.contains(d));
        if early && !path.contains("agent_intervals") {
            assert_eq!(rows, std::fs::read(a.join(&path)).unwrap(), "{path}");
        }
    }
    // And the counts are those of what was written.
    let lines: u64 = of_first
        .iter()
        .map(|(_, all)| all.split(|b| *b == b'\n').filter(|l| !l.is_empty()).count() as u64)
        .sum();
    assert_eq!((first.counts.taken, first.counts.lines), (lines, lines));
    assert_eq!((first.days, first.until_day), (5, Some(PLAYED)));
    assert_eq!((whole.until_day, first.contacts), (None, whole.contacts));
    let contacts = files(&b, &first, "truth/contacts/");
    let rows = contacts
        .iter()
        .map(|(_, rows)| rows.split(|b| *b == b'\n').count() as u64 - 1);
    assert_eq!(rows.sum::<u64>(), first.counts.contacts);
    let asked = contacts_until(&five_days(&b, Disorder::None), Some(PLAYED));
    assert!(asked < 1_200 && asked < first.counts.contacts, "{asked}");
    assert_eq!(contacts_until(&five_days(&b, Disorder::None), None), 2_500);
}

#[test]
fn the_stream_of_the_first_days_is_what_the_whole_begins_with() {
    let dir = tempfile::tempdir().unwrap();
    let mut streams = Vec::new();
    for (name, until) in [("whole", None), ("first", Some(PLAYED))] {
        let options = five_days(&dir.path().join(name), Disorder::None);
        let mut stream: Vec<u8> = Vec::new();
        run_until(&options, until, Some(&mut stream), &mut |_| ()).unwrap();
        streams.push(stream);
    }
    assert!(streams[0].len() > 2 * streams[1].len());
    assert!(streams[0].starts_with(&streams[1]));
    // With files the truth is the same.
    let out = dir.path().join("files");
    let written = first_days(&five_days(&out, Disorder::None));
    for (path, rows) in files(&out, &written, "truth/") {
        let streamed = std::fs::read(dir.path().join("first").join(&path)).unwrap();
        assert_eq!(rows, streamed, "{path}");
    }
}

/// Late lines of the first days stand between those of others in the whole: the same lines then, in the
/// same order.
#[test]
fn in_disorder_the_first_days_are_the_lines_of_the_whole_without_the_other_days() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (dir.path().join("whole"), dir.path().join("first"));
    let whole = simulate(&five_days(&a, Disorder::Wild));
    let first = first_days(&five_days(&b, Disorder::Wild));
    let of_first = files(&b, &first, "events/");
    for ((path, all), (_, begin)) in files(&a, &whole, "events/").iter().zip(&of_first) {
        let mut all = all.split(|b| *b == b'\n');
        for line in begin.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
            assert!(all.any(|other| other == line), "{path}: {line:?}");
        }
        // None of those days is left out.
        let ours = |line: &&[u8]| day_of(line).is_some_and(|d| d.as_str() <= "20260308");
        let count = |of: &[u8]| of.split(|b| *b == b'\n').filter(ours).count();
        let whole = std::fs::read(a.join(path)).unwrap();
        assert_eq!(count(begin), count(&whole), "{path}");
    }
    let counts = &first.counts;
    assert_eq!(
        counts.lines,
        counts.taken + counts.repeated + counts.conflicts + counts.refused
    );
    assert!(counts.conflicts > 0 && counts.refused > 0);
}

#[test]
fn a_last_day_that_there_is_not_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let options = five_days(&dir.path().join("none"), Disorder::None);
    for day in [-1, 0, 6] {
        let why = run_until(&options, Some(day), None, &mut |_| ()).unwrap_err();
        assert!(matches!(why, SimulateError::Until(5)), "{why}");
    }
    assert!(!options.out.exists(), "nothing was written");
    // All days are the whole.
    let all = run_until(&options, Some(5), None, &mut |_| ()).unwrap();
    let again = five_days(&dir.path().join("again"), Disorder::None);
    let whole = run(&again, None, &mut |_| ()).unwrap();
    assert_eq!(all.files, whole.files);
}
