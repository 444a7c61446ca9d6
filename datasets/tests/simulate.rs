//! The simulator from outside: the same bytes for a seed, and a truth that is at one with itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::LazyLock;

use callboard_datasets::simulate::{Disorder, FIRST_DAY, Manifest, Options, read_date, run};
use serde_json::Value;

fn options(out: &Path, seed: u64, contacts: u64, disorder: Disorder) -> Options {
    Options {
        seed,
        contacts,
        first_day: read_date(FIRST_DAY).unwrap(),
        days: None,
        disorder,
        poison: disorder.poison() * 5,
        skew: if disorder == Disorder::None { 0 } else { 3_000 },
        out: out.to_owned(),
        threads: 2,
    }
}

fn simulate(options: &Options) -> Manifest {
    run(options, None, &mut |_| ()).unwrap()
}

/// A simulation with its truth read back.
struct World {
    manifest: Manifest,
    truth: HashMap<&'static str, Vec<Value>>,
    lines: Vec<Vec<u8>>,
}

fn world(seed: u64, contacts: u64, disorder: Disorder) -> World {
    let dir = tempfile::tempdir().unwrap();
    let manifest = simulate(&options(dir.path(), seed, contacts, disorder));
    let mut truth = HashMap::new();
    for table in callboard_datasets::simulate::TABLES {
        let text = std::fs::read_to_string(dir.path().join(format!("truth/{}.ndjson", table.name)));
        let rows: Vec<Value> = text
            .unwrap()
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        for row in &rows {
            let columns: BTreeSet<&str> = row
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            assert_eq!(
                columns,
                table.columns.iter().copied().collect(),
                "{}",
                table.name
            );
        }
        truth.insert(table.name, rows);
    }
    let mut lines = Vec::new();
    for file in &manifest.files {
        let bytes = std::fs::read(dir.path().join(&file.path)).unwrap();
        assert_eq!(
            blake3::hash(&bytes).to_hex().to_string(),
            file.blake3,
            "{}",
            file.path
        );
        if file.path.starts_with("events/") {
            let found: Vec<_> = bytes
                .split(|b| *b == b'\n')
                .filter(|l| !l.is_empty())
                .collect();
            assert_eq!(found.len() as u64, file.lines);
            lines.extend(found.into_iter().map(<[u8]>::to_vec));
        }
    }
    World {
        manifest,
        truth,
        lines,
    }
}

const ALL: [(u64, Disorder); 3] = [
    (11, Disorder::None),
    (12, Disorder::Mild),
    (13, Disorder::Wild),
];

/// Made once for all tests.
static WORLDS: LazyLock<Vec<World>> = LazyLock::new(|| {
    let made = ALL
        .iter()
        .map(|(seed, disorder)| world(*seed, 3_000, *disorder));
    made.collect()
});

fn each(look: impl Fn(&World)) {
    WORLDS.iter().for_each(look);
}

fn text<'a>(row: &'a Value, column: &str) -> &'a str {
    row[column].as_str().unwrap_or("")
}

fn ms(row: &Value, column: &str) -> Option<i64> {
    row[column].as_str().map(|t| {
        chrono::DateTime::parse_from_rfc3339(t)
            .unwrap()
            .timestamp_millis()
    })
}

fn lasted(row: &Value) -> Option<i64> {
    Some(ms(row, "ended_at")? - ms(row, "started_at")?)
}

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
        "bf130acdd1b6e950edd9f7878f1684a2bec238bd077884e0f974e6e5c7e2f3e9"
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
    let mut lines: Vec<&[u8]> = stream
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .collect();
    assert_eq!(lines.len() as u64, files.counts.lines);
    let mut from_files = Vec::new();
    for file in files.files.iter().filter(|f| f.path.starts_with("events/")) {
        from_files.push(std::fs::read(dir.path().join("a").join(&file.path)).unwrap());
    }
    let mut wanted: Vec<&[u8]> = from_files
        .iter()
        .flat_map(|f| f.split(|b| *b == b'\n'))
        .filter(|l| !l.is_empty())
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

#[test]
fn lines_are_new_or_repeats_or_conflicts_or_dead() {
    each(|w| {
        let counts = &w.manifest.counts;
        assert_eq!(w.lines.len() as u64, counts.lines);
        assert_eq!(
            counts.lines,
            counts.taken + counts.repeated + counts.conflicts + counts.refused
        );
        assert_eq!(w.truth["dead_letters"].len() as u64, counts.refused);
        assert_eq!(counts.dead_letters.values().sum::<u64>(), counts.refused);
        let mut by_id: HashMap<(String, String), Vec<&[u8]>> = HashMap::new();
        let mut dead = 0;
        let poison: BTreeSet<&str> = w.truth["dead_letters"]
            .iter()
            .map(|d| text(d, "sha256"))
            .collect();
        for line in &w.lines {
            use sha2::Digest as _;
            let hash: String = sha2::Sha256::digest(line)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            if poison.contains(hash.as_str()) {
                dead += 1;
                continue;
            }
            let event: Value = serde_json::from_slice(line).unwrap();
            by_id
                .entry((text(&event, "source").into(), text(&event, "id").into()))
                .or_default()
                .push(line);
        }
        assert_eq!(dead, counts.refused);
        assert_eq!(by_id.len() as u64, counts.taken);
        let mut conflicts = 0;
        for lines in by_id.values() {
            let different: BTreeSet<_> = lines.iter().collect();
            conflicts += different.len() as u64 - 1;
        }
        assert_eq!(conflicts, counts.conflicts);
        let disorder = w.manifest.disorder != "none";
        assert_eq!(
            disorder,
            counts.repeated > 0 && counts.conflicts > 0 && counts.refused > 0
        );
    });
}

#[test]
fn every_way_into_and_out_of_a_queue_is_there() {
    let w = world(21, 8_000, Disorder::Wild);
    let mut seen: BTreeMap<(String, String), u64> = BTreeMap::new();
    for row in &w.truth["segments"] {
        *seen
            .entry((text(row, "kind").into(), text(row, "outcome").into()))
            .or_default() += 1;
    }
    for (kind, outcomes) in [
        (
            "queue",
            "answered abandoned timeout no_agents overflow refused key_exit callback voicemail withdrawn",
        ),
        ("talk", "completed transferred left dropped"),
        ("hold", "resumed transferred hangup"),
        ("menu", "selected hangup timeout"),
        ("bot", "escalated contained hangup"),
        ("dial", "answered busy no_answer failed machine"),
        ("callback", "dialled"),
        ("voicemail", "left empty hangup"),
        ("wrapup", "completed timeout"),
    ] {
        for outcome in outcomes.split(' ') {
            assert!(
                seen.contains_key(&(kind.into(), outcome.into())),
                "no {kind} {outcome}: {seen:?}"
            );
        }
    }
    let of = |table: &str, column: &str| {
        w.truth[table]
            .iter()
            .map(|r| text(r, column).to_owned())
            .collect::<BTreeSet<_>>()
    };
    for (table, column, wanted) in [
        ("contacts", "channel", "voice chat whatsapp email"),
        ("contacts", "direction", "inbound outbound internal"),
        ("contacts", "state", "closed lost"),
        ("links", "kind", "transfer consult callback"),
        (
            "offers",
            "outcome",
            "accepted no_answer declined caller_left unreachable",
        ),
        (
            "agent_intervals",
            "state",
            "offline available ringing talk hold wrapup paused unknown",
        ),
        (
            "segments",
            "target_kind",
            "queue external agent shared_voicemail announcement person disconnect",
        ),
    ] {
        let found = of(table, column);
        for word in wanted.split(' ') {
            assert!(
                found.contains(word),
                "{table}.{column} lacks {word}: {found:?}"
            );
        }
    }
}

#[test]
fn every_stay_has_one_outcome_and_every_row_of_a_queue_adds_up() {
    each(|w| {
        let mut stays = 0;
        for row in w.truth["segments"]
            .iter()
            .filter(|r| text(r, "kind") == "queue")
        {
            assert_eq!(row["outcome"].is_null(), row["ended_at"].is_null(), "{row}");
            stays += u64::from(text(row, "outcome") != "refused");
        }
        let mut offered = 0;
        for row in &w.truth["queue_intervals"] {
            let n = |column: &str| row[column].as_u64().unwrap();
            let exits = [
                "answered",
                "abandoned",
                "timed_out",
                "overflowed",
                "no_agent",
                "left_other",
                "lost",
                "waiting",
            ];
            assert_eq!(
                n("offered"),
                exits.iter().map(|c| n(c)).sum::<u64>(),
                "{row}"
            );
            assert!(
                n("answered_in_target") <= n("answered") && n("short_abandoned") <= n("abandoned")
            );
            assert_eq!(row["wait_ms_max"].is_null(), n("answered") == 0, "{row}");
            assert!(row["wait_ms_max"].as_u64().unwrap_or(0) <= n("wait_ms_sum"));
            offered += n("offered");
        }
        assert_eq!(offered, stays);
    });
}

#[test]
fn sums_of_contacts_queues_and_segments_are_the_same() {
    each(|w| {
        let mut by_contact: HashMap<&str, Vec<&Value>> = HashMap::new();
        for row in &w.truth["segments"] {
            by_contact
                .entry(text(row, "contact_id"))
                .or_default()
                .push(row);
        }
        let (mut talked, mut wrapped) = (0, 0);
        for contact in &w.truth["contacts"] {
            let parts = by_contact
                .remove(text(contact, "contact_id"))
                .unwrap_or_default();
            let internal = text(contact, "direction") == "internal";
            let sum = |kind: &str| {
                let of = parts
                    .iter()
                    .filter(|p| text(p, "kind") == kind && text(p, "outcome") != "refused");
                of.filter_map(|p| lasted(p)).reduce(|a, b| a + b)
            };
            assert_eq!(contact["wait_ms"].as_i64(), sum("queue"), "{contact}");
            assert_eq!(contact["wrap_ms"].as_i64(), sum("wrapup"), "{contact}");
            assert_eq!(
                contact["talk_ms"].as_i64(),
                sum("talk").filter(|_| !internal),
                "{contact}"
            );
            if let (Some(hold), Some(known)) = (contact["hold_ms"].as_i64(), sum("hold")) {
                assert_eq!(hold, known, "{contact}");
            }
            for (n, part) in parts.iter().enumerate() {
                assert_eq!(part["seq"].as_u64(), Some(n as u64 + 1));
                assert!(
                    ms(part, "started_at") >= ms(contact, "started_at"),
                    "{part}"
                );
                assert!(lasted(part).is_none_or(|ms| ms >= 0), "{part}");
                if !part["queue"].is_null() {
                    talked += lasted(part)
                        .filter(|_| text(part, "kind") == "talk")
                        .unwrap_or(0);
                    wrapped += lasted(part)
                        .filter(|_| text(part, "kind") == "wrapup")
                        .unwrap_or(0);
                }
            }
            assert_eq!(
                contact["ended_at"].is_null(),
                text(contact, "state") == "lost",
                "{contact}"
            );
        }
        assert!(by_contact.is_empty(), "a segment without its contact");
        let sum = |column: &str| {
            w.truth["queue_intervals"]
                .iter()
                .filter_map(|r| r[column].as_i64())
                .sum::<i64>()
        };
        assert_eq!((sum("talk_ms_sum"), sum("wrap_ms_sum")), (talked, wrapped));
    });
}

#[test]
fn an_agent_is_in_one_state_at_any_moment_and_talks_as_long_as_his_talks_last() {
    each(|w| {
        let mut by_agent: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for row in &w.truth["agent_intervals"] {
            by_agent.entry(text(row, "agent")).or_default().push(row);
        }
        let mut talks: HashMap<&str, Vec<(i64, i64)>> = HashMap::new();
        for part in &w.truth["segments"] {
            let kind = text(part, "kind");
            if let (true, Some(end)) = (kind == "talk" || kind == "hold", ms(part, "ended_at")) {
                talks
                    .entry(text(part, "agent"))
                    .or_default()
                    .push((ms(part, "started_at").unwrap(), end));
            }
        }
        for (agent, mut rows) in by_agent {
            rows.sort_by_key(|r| ms(r, "started_at"));
            for pair in rows.windows(2) {
                assert_eq!(
                    ms(pair[0], "ended_at"),
                    ms(pair[1], "started_at"),
                    "{agent}: no gap, no overlap"
                );
                assert_ne!(
                    (&pair[0]["state"], &pair[0]["reason"]),
                    (&pair[1]["state"], &pair[1]["reason"]),
                    "{agent}"
                );
            }
            assert!(rows.last().unwrap()["ended_at"].is_null(), "{agent}");
            let busy: i64 = rows
                .iter()
                .filter(|r| ["talk", "hold"].contains(&text(r, "state")))
                .filter_map(|r| lasted(r))
                .sum();
            let mut spans = talks.remove(agent).unwrap_or_default();
            spans.sort_unstable();
            let (mut union, mut until) = (0, i64::MIN);
            for (from, to) in spans {
                union += (to - from.max(until)).max(0);
                until = until.max(to);
            }
            assert_eq!(busy, union, "{agent}");
        }
        assert!(talks.is_empty(), "who talks has a state");
    });
}

#[test]
fn offers_belong_to_contacts_and_links_lead_to_contacts() {
    each(|w| {
        let contacts: BTreeSet<&str> = w.truth["contacts"]
            .iter()
            .map(|c| text(c, "contact_id"))
            .collect();
        assert_eq!(contacts.len(), w.truth["contacts"].len());
        for offer in &w.truth["offers"] {
            assert!(contacts.contains(text(offer, "contact_id")));
        }
        for link in &w.truth["links"] {
            assert!(
                contacts.contains(text(link, "from_contact"))
                    && contacts.contains(text(link, "to_contact")),
                "{link}"
            );
        }
    });
}
