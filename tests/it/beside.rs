//! What is told beside a shift (recordings and what was heard in them, notes, measurements, scores,
//! customers, plans, numbers) while the server dies at the commit of each table that holds it, or
//! amid a transcription. Afterwards these tables are those of a server that nobody disturbed, as
//! DuckDB reads them.
//!
//! `make test` takes two commits, `make torture` all. A failure names the line that repeats it.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::erasure::text;
use crate::readers::script;
use crate::support::scene::{Scene, again, setting};
use crate::support::sender::{Sender, event};
use crate::support::{Server, command, shift, until};
use crate::torture::{ONCE, TABLES as OF_A_SHIFT};

/// Tables that a simulated shift leaves empty, whose commits are died at.
const TABLES: [&str; 9] = [
    "turns",
    "tags",
    "notes",
    "measurements",
    "vendor_metrics",
    "evaluations",
    "customer_attributes",
    "schedules",
    "leases",
];
/// Audio has a commit of its own, before the record that names it.
const AUDIO: &str = "audio.committed";
/// Tables whose making has steps of its own, at which the shift's test dies.
const MADE: [&str; 2] = ["agent_intervals", "queue_intervals"];
/// What `make test` takes.
const FEW: [&str; 2] = ["audio.committed:2", "turns:1"];

/// Contacts of which all is told, one after the other, so that each table is written several times.
const CONTACTS: usize = 3;
const PACE: Duration = Duration::from_millis(400);
/// A step comes so soon.
const LONGEST: Duration = Duration::from_secs(120);

fn line(id: &str, kind: &str, data: &str) -> Vec<u8> {
    let event = event("/test/beside", id, kind, "2026-03-07T12:00:00Z", data);
    format!("{event}\n").into_bytes()
}

/// A call that somebody answered.
fn call(n: usize) -> Vec<Vec<u8>> {
    let times = r#""start":"2026-03-07T11:00:00Z","end":"2026-03-07T11:02:00Z""#;
    let contact = format!(r#""contact_id":"beside-{n}","channel":"voice","direction":"inbound""#);
    let talk = format!(
        r#""contact_id":"beside-{n}","segment_id":"t","kind":"talk","agent":"Ann",{times}"#
    );
    vec![
        line(
            &format!("c{n}"),
            "contact.recorded",
            &format!("{contact},{times}"),
        ),
        line(&format!("t{n}"), "segment.recorded", &talk),
    ]
}

/// What is told of it besides.
fn others(n: usize) -> Vec<Vec<u8>> {
    let contact = format!("beside-{n}");
    let told = [
        (
            "transcript.recorded",
            format!(
                r#""recording_id":"{contact}/customer","contact_id":"{contact}","state":"done","duration_ms":4200,"turns":[{{"leg":"customer","start_ms":0,"end_ms":900,"text":"hello {n}","words":[]}}],"tags":[{{"kind":"keyword","name":"greeting","leg":"customer","start_ms":0,"end_ms":900,"evidence":"hello","turn_seq":1}}]"#
            ),
        ),
        (
            "note.recorded",
            format!(r#""note_id":"n-{n}","contact_id":"{contact}","text":"calm","author":"ana""#),
        ),
        (
            "measurement.recorded",
            format!(
                r#""contact_id":"{contact}","participant":"customer","values":{{"jitter":0.012,"mos":4.1}}"#
            ),
        ),
        (
            "evaluation.recorded",
            format!(
                r#""evaluation_id":"e-{n}","contact_id":"{contact}","score":80,"max":100,"answers":[{{"question_id":"q1","score":5,"max":5}}]"#
            ),
        ),
        (
            "customer.recorded",
            format!(
                r#""customer":"+99900{n}","valid_from":"2026-01-01T00:00:00Z","attributes":{{"tier":"gold"}}"#
            ),
        ),
        (
            "lease.recorded",
            format!(
                r#""lease_id":"l-{n}","number":"+4930555900","contact_id":"{contact}","customer":"+99900{n}","allocated_at":"2026-03-07T0{n}:00:00Z","released_at":"2026-03-07T0{n}:00:09Z""#
            ),
        ),
        (
            "figure.recorded",
            format!(
                r#""scope":"queue:elsewhere","start":"2026-03-07T0{n}:15:00Z","end":"2026-03-07T0{n}:30:00Z","values":{{"offered":2}}"#
            ),
        ),
        (
            "schedule.recorded",
            format!(
                r#""schedule_id":"p{n}","agent":"ann","activity":"Phones","start":"2026-03-07T0{n}:00:00Z","end":"2026-03-07T0{n}:45:00Z""#
            ),
        ),
    ];
    let lines = told.iter();
    lines
        .map(|(kind, data)| line(&format!("{kind}-{n}"), kind, data))
        .collect()
}

/// A recording of the shift; the largest.
fn sound() -> PathBuf {
    let all = std::fs::read_dir(shift().join("recordings")).unwrap();
    let all = all.map(|f| f.unwrap().path());
    let of_one = all.filter(|p| text(p).ends_with("tx.flac"));
    of_one.max_by_key(|p| p.metadata().unwrap().len()).unwrap()
}

/// Sends a recording until it is acknowledged.
fn put(url: &str, contact: &str, leg: &str, sound: &Path) {
    let until = Instant::now() + LONGEST;
    let started = ["--started-at", "2026-03-07T11:00:00Z"];
    loop {
        let mut put = command();
        put.args(["recording", "put", "--contact", contact, "--leg", leg]);
        put.args(["--to", url]).args(started).arg(sound);
        let output = put.output().unwrap();
        if output.status.success() {
            return;
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(Instant::now() < until, "not taken: {said}");
        sleep(Duration::from_millis(100));
    }
}

/// Tells everything, however often the server is away.
fn tell(url: &str) {
    let sender = Sender::to(url, "beside");
    let sound = sound();
    for n in 1..=CONTACTS {
        sender.all(1, &call(n), PACE);
        put(url, &format!("beside-{n}"), "customer", &sound);
        sender.all(1, &others(n), PACE);
    }
}

/// What other readers find in the tables that are told here, in the lake of a stopped server.
fn digest(data: &Path) -> Vec<(String, Value)> {
    let all = script("digest.py", &[text(&data.join("lake"))]);
    let tables = all.as_object().unwrap().iter();
    let told = tables.filter(|(name, read)| {
        let of_here = TABLES.contains(&name.as_str()) || name.starts_with("audio");
        if of_here {
            assert!(read["rows"].as_u64() > Some(0), "{name} is empty");
            assert_eq!(read["rows"], read["deltalake"], "{name}: two readers");
        }
        of_here || ["contacts", "segments", "recordings"].contains(&name.as_str())
    });
    told.map(|(name, read)| (name.clone(), read.clone()))
        .collect()
}

/// Every record once, and nothing wrong in the folder of the stopped server.
fn is_whole(scene: &Scene, what: &str) {
    let server = Server::start(scene.serve(""));
    let twice =
        "select count(*) from (select source, id from records group by 1, 2 having count(*) > 1)";
    assert_eq!(server.number(twice), 0, "{what}");
    let contacts = server.number("select count(*) from contacts");
    assert_eq!(contacts, CONTACTS as i64, "{what}");
    server.stop();
    let doctor = command()
        .arg("doctor")
        .arg("--data")
        .arg(scene.data())
        .output();
    let said = String::from_utf8(doctor.unwrap().stdout).unwrap();
    assert!(said.contains("Nothing is wrong."), "{what}: {said}");
}

/// Ends the server at this step, to which it must come; gives what is in the lake in the end.
fn ends_at(step: &str, what: &str) -> Vec<(String, Value)> {
    let scene = Scene::empty();
    let mut serve = scene.serve(step);
    let mut server = serve
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    scope(|s| {
        let telling = s.spawn(|| tell(&scene.url()));
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = server.try_wait().unwrap() {
                break Some(status);
            }
            if begun.elapsed() > LONGEST {
                break None;
            }
            sleep(Duration::from_millis(20));
        };
        if status.is_none() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
        let next = Server::start(scene.serve(""));
        telling.join().unwrap();
        next.stop();
        let status = status.unwrap_or_else(|| panic!("it never came to {step}; {what}"));
        assert_eq!(status.signal(), Some(9), "{what}: {status}");
    });
    is_whole(&scene, what);
    digest(&scene.data())
}

/// The same without a death. Every table of the lake is died at by this test or by the shift's.
fn undisturbed() -> Vec<(String, Value)> {
    let scene = Scene::empty();
    let server = Server::start(scene.serve(""));
    tell(&server.url);
    server.stop();
    is_whole(&scene, "undisturbed");
    let lake = std::fs::read_dir(scene.data().join("lake")).unwrap();
    let names = lake.map(|e| e.unwrap().file_name().into_string().unwrap());
    let tables: BTreeSet<String> = names.filter(|name| !name.starts_with('_')).collect();
    assert!(tables.len() > 20, "{tables:?}");
    let all = [&TABLES[..], &OF_A_SHIFT, &ONCE, &MADE, &["audio"]].concat();
    let forgotten: Vec<&String> = tables
        .iter()
        .filter(|t| !all.contains(&t.as_str()))
        .collect();
    assert!(
        forgotten.is_empty(),
        "nobody dies at the commits of {forgotten:?}"
    );
    digest(&scene.data())
}

#[test]
fn it_dies_at_the_commits_of_what_is_told_beside_a_shift_and_nothing_differs() {
    let steps: Vec<String> = match setting("CALLBOARD_STEPS_BESIDE").as_deref() {
        None => FEW.iter().map(ToString::to_string).collect(),
        Some("all") => {
            let twice = TABLES.into_iter().chain([AUDIO]);
            twice
                .flat_map(|table| [format!("{table}:1"), format!("{table}:2")])
                .collect()
        }
        Some(some) => some.split(',').map(ToOwned::to_owned).collect(),
    };
    let expected = undisturbed();
    for step in steps {
        let what = again(
            &format!("CALLBOARD_STEPS_BESIDE={step}"),
            "it_dies_at_the_commits",
        );
        for (is, was) in ends_at(&step, &what).iter().zip(&expected) {
            assert_eq!(is, was, "{what}");
        }
        println!("{step}: died there, nothing differs");
    }
}

#[test]
fn a_recording_that_takes_the_process_down_twice_is_given_up_and_says_so() {
    let scene = Scene::empty();
    scene.transcribe();
    let attempts = |server: &Server| {
        server.number(
            "select coalesce(max(attempts), 0) from recordings where contact_id = 'beside-1'",
        )
    };
    for attempt in 1..=2 {
        let server = Server::start(scene.serve(""));
        if attempt == 1 {
            let sender = Sender::to(&server.url, "beside");
            sender.all(1, &call(1), PACE);
            put(&server.url, "beside-1", "customer", &sound());
        }
        until("a transcription to begin", || {
            (attempts(&server) == attempt).then_some(())
        });
        let done = "select count(*) from recordings where transcript_state is not null";
        assert_eq!(server.number(done), 0, "it ended before it was killed");
        server.kill();
    }
    let server = Server::start(scene.serve(""));
    let row = until("its end", || {
        let of = "select transcript_state, transcript_reason, attempts from recordings";
        let row = server.sql(of).into_iter().next()?;
        (!row["transcript_state"].is_null()).then_some(row)
    });
    assert_eq!(row["transcript_state"], "failed", "{row}");
    let why = row["transcript_reason"].as_str().unwrap();
    assert!(why.contains("begun 2 times and never ended"), "{row}");
    assert_eq!(attempts(&server), 2);
    server.stop();
}
