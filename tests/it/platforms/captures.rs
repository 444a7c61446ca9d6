//! Every capture of the platforms that `coverage.rs` does not send: taken, or refused with a class
//! and a reason, and as many rows as follow from it.

use std::collections::BTreeMap;

use crate::support::centre::Centre;
use crate::support::{project, until};

/// Platforms, and how many contacts their captures tell of, each capture as a tenant of its own.
const PLATFORMS: [(&str, u64); 7] = [
    ("asterisk", 3),
    ("freeswitch", 15),
    ("genesys", 14),
    // Tables add to contacts of others.
    ("sheet", 0),
    ("siprec", 6),
    ("twilio", 9),
    ("vcon", 27),
];

/// Captures that cannot be records: what an interface answers when it is asked, what lost its ids on
/// the way, what is encrypted, and what its authors made to be refused. With the class of the dead
/// letter, and what its reason says.
const REFUSED: [(&str, &str, &str); 8] = [
    (
        "siprec/multipart-broadworks--drachtio.txt",
        "no_session",
        "its elements were lost on the way",
    ),
    (
        "twilio/taskrouter-task--api-snippets.json",
        "unknown_document",
        "none of: event of TaskRouter",
    ),
    (
        "twilio/taskrouter-worker--api-snippets.json",
        "unknown_document",
        "none of: event of TaskRouter",
    ),
    (
        "vcon/ab--vcon-core-draft.json",
        "missing_attribute",
        "a vCon without uuid",
    ),
    (
        "vcon/ab-call-ext-rec-encrypted--vcon-core-draft.json",
        "encrypted",
        "decrypt it before it is sent",
    ),
    (
        "vcon/invalid-empty-vcon--vcon-server.json",
        "missing_attribute",
        "a vCon without uuid",
    ),
    (
        "vcon/invalid-missing-uuid-and-vcon-version--vcon-server.json",
        "missing_attribute",
        "a vCon without uuid",
    ),
    (
        "vcon/simple-vcon--vcon-core-draft.json",
        "unknown_document",
        "neither parties nor dialog",
    ),
];

/// Names of a platform's captures.
fn of(platform: &str) -> Vec<String> {
    let folder = project().join("ingest/sources/tests/captures");
    let names = std::fs::read_dir(folder.join(platform)).unwrap();
    let names = names.map(|f| f.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|n| n != "README.md").collect();
    names.sort();
    names
}

#[test]
fn every_capture_of_the_others_is_taken_or_says_why_not() {
    let centre = Centre::new();
    let mut refused: BTreeMap<&str, (&str, &str)> = REFUSED
        .iter()
        .map(|(capture, class, reason)| (*capture, (*class, *reason)))
        .collect();
    let mut records = Vec::new();
    for (platform, _) in PLATFORMS {
        let mut taken = 0;
        for file in of(platform) {
            let capture = format!("{platform}/{file}");
            let path = project().join("ingest/sources/tests/captures");
            let bytes = std::fs::read(path.join(&capture)).unwrap();
            let instance = file.split('.').next().unwrap();
            let url = format!("/v1/sources/{platform}?instance={instance}");
            let (status, answer) = centre.server().post(&url, "text/plain", bytes).unwrap();
            assert_eq!(status, 200, "{capture}: {answer}");
            assert_eq!(answer["conflicts"], 0, "{capture}: {answer}");
            let own = answer["taken"].as_u64().unwrap();
            match refused.remove(capture.as_str()) {
                Some((class, reason)) => {
                    assert_eq!(own, 0, "{capture}: {answer}");
                    assert_eq!(answer["refused"], 1, "{capture}: {answer}");
                    let line = &answer["lines"][0];
                    assert_eq!(line["class"], class, "{capture}: {answer}");
                    let said = line["reason"].as_str().unwrap();
                    assert!(said.contains(reason), "{capture}: {answer}");
                }
                None => {
                    assert_eq!(answer["refused"], 0, "{capture}: {answer}");
                    assert!(own > 0, "{capture}: {answer}");
                }
            }
            taken += own;
        }
        records.push(format!("{platform} {taken}"));
    }
    assert!(refused.is_empty(), "no such captures: {refused:?}");
    let listed = PLATFORMS.map(|(platform, _)| format!("'{platform}'"));
    let count = |view: &str| {
        format!(
            "select split_part(source, '/', 2) as platform, count(*) from {view} \
             where split_part(source, '/', 2) in ({}) group by 1 order by 1",
            listed.join(", ")
        )
    };
    // What was taken shows within a second or so.
    until("all records", || {
        (centre.rows(&count("records")) == records).then_some(())
    });
    let told = PLATFORMS.iter().filter(|(_, contacts)| *contacts > 0);
    let told: Vec<String> = told
        .map(|(p, contacts)| format!("{p} {contacts}"))
        .collect();
    assert_eq!(centre.rows(&count("contacts")), told);
    let mut dead: Vec<String> = REFUSED
        .iter()
        .map(|(capture, class, _)| format!("/{} {class}", capture.split('/').next().unwrap()))
        .collect();
    dead.sort();
    let letters = "select source, class from dead_letters where reason <> '' order by 1, 2";
    assert_eq!(centre.rows(letters), dead);
}
