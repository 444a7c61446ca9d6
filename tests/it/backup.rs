//! A backup that is taken while events come in is a whole data folder of one moment.

use std::path::Path;

use crate::readers::script;
use crate::support::{Server, callboard, command, until};
use crate::truth::{CONFIG, counted, send, simulate, verify};

/// What follows from the events alone, whenever they came.
const TABLES: [&str; 7] = [
    "contacts",
    "segments",
    "offers",
    "links",
    "surveys",
    "recordings",
    "queue_intervals",
];

/// Records of the simulated sources: the server writes some of its own.
fn records(server: &Server) -> u64 {
    server.number("select count(*) from records where source like '/sim/%'") as u64
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_backup_under_load_holds_what_was_acknowledged_and_goes_on_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let config = path("callboard.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let config = ["--config", text(&config)];
    let truth = path("truth");
    // A line without identity is kept again when it is sent again.
    let seed = ["--seed", "77", "--disorder", "mild", "--poison", "0"];
    simulate(&truth, "250", &seed);

    let server = Server::serve(&path("data"), &config);
    let (tape, again) = (path("backup.tar"), path("again"));
    let (before, after) = std::thread::scope(|s| {
        let sending = s.spawn(|| send(&server, &truth, &path("sent")));
        let before = until("the first records", || {
            Some(records(&server)).filter(|n| *n > 200)
        });
        let said = callboard(&["backup", "--to", &server.url, text(&tape)]);
        let after = records(&server);
        assert!(said.contains("read again and whole"), "{said}");
        sending.join().unwrap();
        (before, after)
    });
    let left = std::fs::read_dir(path("data/_backup"));
    assert_eq!(left.map_or(0, Iterator::count), 0, "links are left");
    let refused = command()
        .args(["backup", "--to", &server.url, text(&tape)])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2), "it would be replaced");
    let (equal, said) = verify(&server, &truth, "60");
    assert!(equal, "the server that was copied: {said}");
    server.stop();

    let said = callboard(&["restore", text(&tape), "--data", text(&again)]);
    assert!(said.contains("callboard serve --data"), "{said}");
    let said = callboard(&["doctor", "--data", text(&again)]);
    assert!(!said.contains("DAMAGE"), "{said}");
    let server = Server::serve(&again, &config);
    let kept = records(&server);
    assert!(
        kept >= before,
        "{before} were acknowledged, {kept} are there"
    );
    assert!(kept <= after, "{kept} are there, {after} were sent");
    // The platform sends what it has once more: what is there is known, the rest is taken.
    let said = send(&server, &truth, &path("sent again"));
    assert!(counted(&said, "repeated") >= kept, "{said}");
    let (equal, said) = verify(&server, &truth, "60");
    assert!(equal, "the copy: {said}");
    server.stop();
    // Other readers find the same rows in both. Records were received at other times, and what came
    // before which decides what is a correction.
    let digest = |name: &str| script("digest.py", &[text(&path(name).join("lake"))]);
    let (copied, copy) = (digest("data"), digest("again"));
    for table in TABLES {
        assert!(copy[table]["rows"].as_u64() > Some(0), "{table} is empty");
        assert_eq!(copy[table]["rows"], copy[table]["deltalake"], "{table}");
        assert_eq!(copy[table], copied[table], "{table}");
    }

    // A part of a backup is none.
    let bytes = std::fs::read(&tape).unwrap();
    std::fs::write(&tape, &bytes[..bytes.len() / 2]).unwrap();
    let third = path("third");
    let refused = command()
        .args(["restore", text(&tape), "--data", text(&third)])
        .output()
        .unwrap();
    assert!(!refused.status.success() && !third.exists());
}
