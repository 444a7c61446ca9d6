//! The truth is at one with itself: outcomes, sums, agents' time.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use crate::world::{each, lasted, ms, text};

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
        let (mut offered, mut waited, mut talks) = (0, 0, 0);
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
            assert!(n("abandoned_in_target") <= n("abandoned"), "{row}");
            assert!(n("threshold_ms") > 0, "{row}");
            for (count, waits) in [
                ("answered", "wait"),
                ("abandoned", "abandoned"),
                ("timed_out", "timed_out"),
                ("overflowed", "overflowed"),
                ("no_agent", "no_agent"),
                ("left_other", "left_other"),
            ] {
                let (sum, max) = (
                    n(&format!("{waits}_ms_sum")),
                    &row[format!("{waits}_ms_max")],
                );
                assert_eq!(max.is_null(), n(count) == 0, "{row}");
                let max = max.as_u64().unwrap_or(0);
                assert!(max <= sum && sum <= max * n(count), "{row}");
                waited += sum;
            }
            talks += n("talk_count");
            offered += n("offered");
        }
        assert_eq!(offered, stays);
        // All waits of contacts are waits of queues, and so are the talks that came of them.
        let waits = w.truth["contacts"].iter();
        let waits = waits.filter_map(|r| r["wait_ms"].as_u64()).sum::<u64>();
        assert_eq!(waited, waits);
        let ended = w.truth["segments"].iter().filter(|r| {
            text(r, "kind") == "talk" && !r["queue"].is_null() && !r["ended_at"].is_null()
        });
        assert_eq!(talks, ended.count() as u64);
    });
}

#[test]
fn what_is_said_of_a_contact_is_said_of_its_parts() {
    each(|w| {
        let mut parts: HashMap<&str, Vec<&Value>> = HashMap::new();
        for row in &w.truth["segments"] {
            parts.entry(text(row, "contact_id")).or_default().push(row);
        }
        for contact in &w.truth["contacts"] {
            let own = parts
                .remove(text(contact, "contact_id"))
                .unwrap_or_default();
            let of = |kind: &'static str| own.iter().filter(move |p| text(p, "kind") == kind);
            let names = |of: Vec<&str>| Value::from(of);
            let stays = of("queue").filter(|p| text(p, "outcome") != "refused");
            let queues: Vec<&str> = stays.map(|p| text(p, "queue")).collect();
            assert_eq!(contact["queues"], names(queues), "{contact}");
            let talks = of("talk").filter(|p| text(p, "mode") != "internal");
            let agents: Vec<&str> = talks.map(|p| text(p, "agent")).collect();
            assert_eq!(agents.last().copied().unwrap_or(""), text(contact, "agent"));
            assert_eq!(contact["agents"], names(agents), "{contact}");
            let handed = of("talk").filter(|p| text(p, "outcome") == "transferred");
            assert_eq!(
                contact["transfers"],
                Value::from(handed.count()),
                "{contact}"
            );
            for part in &own {
                let lost = text(part, "state") == "lost";
                assert_eq!(lost, part["ended_at"].is_null(), "{part}");
                assert_eq!(lost, text(part, "end_basis") == "timeout", "{part}");
                assert_eq!(part["duration_ms"].as_i64(), lasted(part), "{part}");
                if let Some(parent) = part["parent_seq"].as_u64() {
                    let parent = own[parent as usize - 1];
                    assert!(ms(parent, "started_at") <= ms(part, "started_at"), "{part}");
                    let kind = text(part, "kind");
                    assert!(kind != "hold" || text(parent, "kind") == "talk", "{part}");
                }
                if let (Some(held), "talk") = (part["hold_ms"].as_i64(), text(part, "kind")) {
                    assert!(held <= lasted(part).unwrap_or(i64::MAX), "{part}");
                    assert_eq!(held > 0, part["hold_count"].as_i64() > Some(0), "{part}");
                }
            }
            let stated = contact["end_basis"].is_null();
            assert_eq!(stated, !contact["ended_by"].is_null(), "{contact}");
        }
        let keys = |table: &str, column: &str| -> BTreeSet<String> {
            let rows = w.truth[table].iter();
            rows.map(|r| text(r, column).to_owned()).collect()
        };
        let contacts = keys("contacts", "contact_id");
        for (table, key) in [("surveys", "survey_id"), ("recordings", "recording_id")] {
            assert!(keys(table, "contact_id").is_subset(&contacts), "{table}");
            assert_eq!(keys(table, key).len(), w.truth[table].len(), "{table}");
            assert!(w.truth[table].len() > 50, "{table}");
        }
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
