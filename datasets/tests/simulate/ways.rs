//! Lines and their fates, and the ways that contacts take.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use callboard_datasets::simulate::{Dials, Disorder};
use serde_json::Value;

use crate::world::{World, each, ms, options, simulate, text, world, world_of};

/// The hash under which a line that is no event is listed.
fn sha256(line: &[u8]) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(line);
    digest.iter().map(|b| format!("{b:02x}")).collect()
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
            if poison.contains(sha256(line).as_str()) {
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
        // A copy with another end of line is a repeat, a blank line is none of these.
        assert_eq!(w.blank, counts.blank);
        assert_eq!(disorder, w.blank > 0 && w.crlf > 0);
        assert!(w.crlf < counts.repeated / 5 + 1);
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

/// Outcomes of stays in queues after which somebody is led elsewhere, with where to.
fn led(seed: u64, contacts: u64) -> BTreeMap<(String, String), u64> {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(dir.path(), seed, contacts, Disorder::None);
    options.days = Some(1);
    simulate(&options);
    let mut found = BTreeMap::new();
    for file in std::fs::read_dir(dir.path().join("truth/segments")).unwrap() {
        let rows = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for row in rows.lines() {
            let row: Value = serde_json::from_str(row).unwrap();
            if text(&row, "kind") == "queue" && !row["target_kind"].is_null() {
                let way = (
                    text(&row, "outcome").into(),
                    text(&row, "target_kind").into(),
                );
                *found.entry(way).or_default() += 1;
            }
        }
    }
    found
}

/// At the smallest scale, whatever the seed, and at four sites as busy as those of a million contacts in
/// thirty days.
#[test]
fn who_waited_too_long_or_found_no_place_or_nobody_is_led_to_every_kind_of_target() {
    for (seed, contacts) in [(1, 1_000), (2, 1_000), (3, 1_000), (1, 16_668)] {
        let led = led(seed, contacts);
        for outcome in ["overflow", "timeout", "no_agents"] {
            for target in [
                "queue",
                "external",
                "shared_voicemail",
                "announcement",
                "person",
                "disconnect",
            ] {
                assert!(
                    led.contains_key(&(outcome.into(), target.into())),
                    "{contacts} contacts, seed {seed}: no {outcome} to {target}: {led:?}"
                );
            }
        }
    }
}

/// An agent has one, in all that is told of him.
#[test]
fn a_name_of_255_bytes_is_there_at_the_smallest_scale() {
    let w = world(1, 1_000, Disorder::None);
    for table in ["agent_intervals", "offers", "segments"] {
        let names = w.truth[table].iter().map(|r| text(r, "agent").len());
        assert_eq!(names.max(), Some(255), "{table}");
    }
}

/// What is listed is what there is of two wordings, and what is said to hold is what the documented order
/// says: written later, then the greater sequence, then the greater hash.
#[test]
fn conflicts_are_listed_with_the_words_that_hold_and_the_others() {
    each(|w| {
        // When it was written, sequence, hash.
        type Wording = (i64, u64, u64);
        let mut by_id: BTreeMap<(String, String), BTreeSet<Wording>> = BTreeMap::new();
        let poison: BTreeSet<&str> = w.truth["dead_letters"]
            .iter()
            .map(|d| text(d, "sha256"))
            .collect();
        for line in &w.lines {
            if poison.contains(sha256(line).as_str()) {
                continue;
            }
            let event: Value = serde_json::from_slice(line).unwrap();
            let id = ["source", "id"].map(|name| text(&event, name).to_owned());
            let written = ms(&event, "recordedtime").or_else(|| ms(&event, "time"));
            let sequence = text(&event, "sequence").parse().unwrap_or(0);
            let hash = xxhash_rust::xxh3::xxh3_64(line);
            let told = (written.unwrap(), sequence, hash);
            by_id.entry(id.into()).or_default().insert(told);
        }
        let of_two = by_id.into_iter().filter(|(_, told)| told.len() > 1);
        let mut wanted: BTreeSet<_> = of_two
            .map(|((source, id), told)| {
                let hash = |told: Option<&Wording>| told.map(|t| t.2 as i64);
                let (dropped, kept) = (hash(told.first()), hash(told.last()));
                (source, id, kept, dropped)
            })
            .collect();
        assert_eq!(wanted.len() as u64, w.manifest.counts.conflicts);
        for row in &w.conflicts {
            let hash = |name: &str| row[name].as_i64();
            let (source, id) = (text(row, "source").to_owned(), text(row, "id").to_owned());
            let listed = (source, id, hash("kept"), hash("dropped"));
            assert!(wanted.remove(&listed), "{row}");
        }
        assert!(wanted.is_empty(), "{wanted:?}");
    });
}

/// Whoever asks for a share of poison gets that share of all lines.
#[test]
fn poison_is_the_share_of_all_lines_that_was_asked_for() {
    for (asked, contacts, disorder) in [
        (20_000, 2_000, Disorder::Wild),
        (100_000, 1_000, Disorder::None),
        (300_000, 500, Disorder::Wild),
        (900_000, 60, Disorder::Mild),
    ] {
        let w = world_of(22, contacts, disorder, |o| o.poison = asked);
        let counts = &w.manifest.counts;
        let found = counts.refused as f64 / counts.lines as f64;
        let share = asked as f64 / 1e6;
        assert!((found / share - 1.0).abs() < 0.06, "{share}: {found}");
    }
}

/// Each rate can be set alone, beside no disorder and beside some.
#[test]
fn a_rate_that_is_set_is_the_one_that_is_met() {
    let share = |n: u64, of: u64| n * 100 / of;
    let with = |disorder, dials| world_of(23, 1_500, disorder, |o| o.dials = dials);
    let repeated = Some(500_000);
    let w = with(
        Disorder::None,
        Dials {
            repeated,
            ..Dials::default()
        },
    );
    let counts = &w.manifest.counts;
    assert!((48..=52).contains(&share(counts.repeated, counts.taken)));
    assert_eq!(counts.conflicts, 0);
    let conflicts = Some(1_000_000);
    let w = with(
        Disorder::None,
        Dials {
            conflicts,
            ..Dials::default()
        },
    );
    assert!(share(w.manifest.counts.conflicts, w.manifest.counts.taken) > 20);
    let lost = |w: &World| {
        let rows = w.truth["segments"].iter();
        rows.filter(|row| row["end_basis"].is_string()).count()
    };
    let none = Dials::default();
    assert_eq!(lost(&with(Disorder::None, none)), 0);
    let some = lost(&with(Disorder::Mild, none));
    let lost_ends = Some(300_000);
    let many = lost(&with(Disorder::Mild, Dials { lost_ends, ..none }));
    assert!(many > 10 * some.max(1), "{some} {many}");
    // As they were sent, the lines of a site; as they arrive, out of order.
    let backwards = |w: &World| {
        let seqs = w.lines.iter().filter_map(|line| {
            let event: Value = serde_json::from_slice(line).ok()?;
            Some((
                text(&event, "source").to_owned(),
                text(&event, "time").to_owned(),
            ))
        });
        let seqs: Vec<_> = seqs.collect();
        let pairs = seqs.windows(2).filter(|p| p[0].0 == p[1].0);
        pairs.filter(|p| p[0].1 > p[1].1).count()
    };
    let before = backwards(&with(Disorder::None, none));
    let late = Some(200_000);
    let w = with(Disorder::None, Dials { late, ..none });
    assert!(
        backwards(&w) > w.lines.len() / 10,
        "{before} {}",
        backwards(&w)
    );
    let w = with(
        Disorder::None,
        Dials {
            shuffle: Some(500),
            ..none
        },
    );
    assert!(
        backwards(&w) > w.lines.len() / 4,
        "{before} {}",
        backwards(&w)
    );
    assert!(before < w.lines.len() / 20, "{before}");
}

/// First words, other words, and the first again: the other way about, and with more between.
#[test]
fn what_was_told_with_other_words_is_told_again() {
    let found = Cell::new(0);
    each(|w| {
        let mut by_id: HashMap<(String, String), Vec<&[u8]>> = HashMap::new();
        for line in &w.lines {
            let Ok(event) = serde_json::from_slice::<Value>(line) else {
                continue;
            };
            let id = (text(&event, "source").into(), text(&event, "id").into());
            by_id.entry(id).or_default().push(line);
        }
        let again = |told: &&Vec<&[u8]>| {
            let other = told.iter().position(|line| *line != told[0]);
            other.is_some_and(|at| told[at..].contains(&told[0]))
        };
        let here = by_id.values().filter(again).count();
        assert_eq!(here > 0, w.manifest.disorder != "none");
        found.set(found.get() + here);
    });
    assert!(found.get() > 20, "{}", found.get());
}
