//! The check of one platform: cells compared and skipped, and what differs with its records.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::rows::ContactRows;
use callboard_model::tables::Instant;
use callboard_model::time::{format_rfc3339, parse_rfc3339};
use serde_json::Value;

use crate::compare::{Found, Row, compare};
use crate::day::{Told, disordered, told};
use crate::fold::{Rows, records, rows, show};
use crate::losses::{Losses, Stands};
use crate::table;
use crate::tables::{CONTACTS, LINKS, OFFERS, SEGMENTS, STATES};

/// Differences that are shown in full.
const SHOWN: usize = 4;

/// Tells a day in the platform's format, reads it, and holds it against the truth.
pub fn check(platform: &str) {
    let day = told(platform);
    // A log is a file that grows; all else may come in any order and more than once.
    let arrives = match platform {
        "asterisk" => day.sheets.clone(),
        _ => disordered(&day.sheets),
    };
    let records = records(platform, &arrives);
    let times = day.truth["contacts"].iter();
    let last = times
        .filter_map(|r| parse_rfc3339(r["ended_at"].as_str()?))
        .map(|t| t.0);
    let rows = rows(&records, last.max().unwrap() + 3_600_000_000);
    let losses = Losses::of(platform);
    let mut found = Found::default();
    let stays = day.truth["segments"].iter();
    let queues = stays.filter_map(|r| r["queue"].as_str().map(str::to_owned));
    found.facts.queues = queues.collect();
    let sides = Sides::of(&day, &rows);
    sides.compare(&losses, &mut found);
    println!(
        "{platform}: {} records of {} contacts, {} cells compared, {} skipped",
        records.len(),
        day.truth["contacts"].len(),
        found.compared,
        found.skipped
    );
    for (fact, share) in &found.facts.shares {
        println!(
            "{platform}: {fact}: {} right, {} not",
            share.right, share.wrong
        );
    }
    let mut wrong = table::differs(platform, &records, &found.facts);
    for loss in losses.0.iter().filter(|l| !l.needed.get()) {
        wrong += &format!(
            "listed as lost, and nothing was lost by it: {}\n",
            loss.text
        );
    }
    let mut sorts: BTreeMap<&str, usize> = BTreeMap::new();
    for d in &found.differences {
        *sorts.entry(&d.sort).or_default() += 1;
    }
    for (sort, n) in &sorts {
        wrong += &format!("{n:5} x {sort}\n");
    }
    let mut shown = BTreeSet::new();
    for d in &found.differences {
        if shown.len() < SHOWN && shown.insert(&d.sort) {
            wrong += &format!("\n{} {}\n", d.contact, d.text);
            for bytes in of_contact(&day, &d.contact) {
                wrong += &format!("    record: {}\n", show(bytes));
            }
        }
    }
    assert!(wrong.is_empty(), "{platform}:\n{wrong}");
}

/// What was written of a contact or an agent.
fn of_contact<'d>(day: &'d Told, id: &str) -> Vec<&'d [u8]> {
    let names = day.names.values().flatten();
    let own = names.filter(|(_, simulated)| *simulated == id);
    // A contact's name is that of the platform after the instance's.
    let ids: Vec<&str> = own
        .map(|(n, _)| n.get(n.len().saturating_sub(30)..).unwrap_or(n))
        .collect();
    let told = day.sheets.iter().map(|s| s.bytes.as_slice());
    let of = |b: &&[u8]| {
        let text = String::from_utf8_lossy(b);
        ids.iter().any(|id| text.contains(id))
    };
    told.filter(of).take(12).collect()
}

/// Both sides by contact and agent.
struct Sides {
    truth: BTreeMap<&'static str, BTreeMap<String, Vec<Row>>>,
    product: BTreeMap<&'static str, BTreeMap<String, Vec<Row>>>,
}

impl Sides {
    fn of(day: &Told, rows: &Rows) -> Sides {
        let mut sides = Sides {
            truth: BTreeMap::new(),
            product: BTreeMap::new(),
        };
        sides.read_truth(day);
        sides.read_product(day, rows);
        sides
    }

    fn compare(&self, losses: &Losses, found: &mut Found) {
        let none = BTreeMap::new();
        let contacts = &self.truth["contacts"];
        let mut dropped = BTreeSet::new();
        for (id, own) in contacts {
            if let Some(loss) = losses.row("contacts", &Stands::NoRow, &own[0]) {
                loss.needed.set(true);
                dropped.insert(id.clone());
                found.skipped += CONTACTS.columns.len() as u64;
            }
        }
        for table in [&CONTACTS, &SEGMENTS, &OFFERS, &LINKS, &STATES] {
            let truth = self.truth.get(table.name).unwrap_or(&none);
            let product = self.product.get(table.name).unwrap_or(&none);
            let all: BTreeSet<&String> = truth.keys().chain(product.keys()).collect();
            for id in all {
                let side =
                    |of: &BTreeMap<String, Vec<Row>>| of.get(id).cloned().unwrap_or_default();
                if dropped.contains(id) {
                    for row in truth.get(id).into_iter().flatten() {
                        found.facts.untold(table.name, row);
                    }
                    if table.name != "contacts" {
                        found.skipped += (side(truth).len() * table.columns.len()) as u64;
                    }
                    continue;
                }
                let (truth, mut product) = (side(truth), side(product));
                if let Some(own) = contacts.get(id) {
                    // What is too much is of this contact as well.
                    for row in &mut product {
                        row.has.clone_from(&own[0].has);
                        for column in ["channel", "direction"] {
                            if !row.cells.contains_key(column) {
                                row.set(column, own[0].cells[column].clone());
                            }
                        }
                    }
                }
                compare(table, losses, id, &truth, &product, found);
            }
        }
    }

    fn read_truth(&mut self, day: &Told) {
        let mut has: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let text = |row: &Value, c: &str| row[c].as_str().unwrap_or("").to_owned();
        let mut note = |id: String, token: String| {
            has.entry(id).or_default().insert(token);
        };
        let mut kinds: BTreeMap<(String, String), usize> = BTreeMap::new();
        for row in &day.truth["segments"] {
            let (id, kind) = (text(row, "contact_id"), text(row, "kind"));
            note(id.clone(), format!("{kind}.{}", text(row, "outcome")));
            if row["target_kind"].is_string() {
                note(id.clone(), format!("{kind}>{}", text(row, "target_kind")));
            }
            note(id.clone(), kind.clone());
            *kinds.entry((id, kind)).or_default() += 1;
        }
        for ((id, kind), n) in kinds {
            if n > 1 {
                note(id, format!("many.{kind}"));
            }
        }
        for row in &day.truth["offers"] {
            note(
                text(row, "contact_id"),
                format!("offer.{}", text(row, "outcome")),
            );
        }
        for row in &day.truth["links"] {
            note(
                text(row, "from_contact"),
                format!("link.{}", text(row, "kind")),
            );
            note(
                text(row, "to_contact"),
                format!("from.{}", text(row, "kind")),
            );
        }
        for id in day.names["contact"].values() {
            note(id.clone(), "told".to_owned());
        }
        let of: BTreeMap<String, &Value> = day.truth["contacts"]
            .iter()
            .map(|r| (text(r, "contact_id"), r))
            .collect();
        let mut before: BTreeMap<String, String> = BTreeMap::new();
        for (table, key) in [
            (&CONTACTS, "contact_id"),
            (&SEGMENTS, "contact_id"),
            (&OFFERS, "contact_id"),
            (&LINKS, "from_contact"),
            (&STATES, "agent"),
        ] {
            let mut values: Vec<&Value> = day.truth[table.name].iter().collect();
            if table.name == "segments" {
                values.sort_by_key(|r| (text(r, "contact_id"), r["seq"].as_i64()));
            }
            let all = self.truth.entry(table.name).or_default();
            for value in values {
                let id = text(value, key);
                let mut row = Row::default();
                for column in table.columns {
                    row.set(column, cell(column, &value[*column]));
                }
                if let Some(contact) = of.get(&id) {
                    for column in ["channel", "direction"] {
                        row.set(column, cell(column, &contact[column]));
                    }
                    row.has = has.get(&id).cloned().unwrap_or_default();
                }
                if table.name == "segments" {
                    // What the customer came from.
                    row.set("after", before.get(&id).cloned());
                    if !matches!(&*text(value, "kind"), "hold" | "wrapup") {
                        let to = match row.text("target_kind").as_str() {
                            "NULL" => String::new(),
                            to => format!(">{to}"),
                        };
                        let this = format!("{}.{}{to}", row.text("kind"), row.text("outcome"));
                        before.insert(id.clone(), this);
                    }
                }
                all.entry(id).or_default().push(row);
            }
            if table.name != "segments" {
                let time = match table.name {
                    "links" => "at",
                    "offers" => "offered_at",
                    _ => "started_at",
                };
                for rows in all.values_mut() {
                    rows.sort_by_key(|r| (r.text(time), r.text("agent")));
                }
            }
        }
    }

    fn read_product(&mut self, day: &Told, rows: &Rows) {
        let names = |entity: &str, native: &str| -> String {
            let known = day.names.get(entity).and_then(|n| n.get(native));
            known.cloned().unwrap_or_else(|| native.to_owned())
        };
        for contact in &rows.contacts {
            let own = contact.contact.as_ref().unwrap();
            let natives = std::iter::once(own.contact_id.as_str())
                .chain(contact.aliases.iter().map(|a| a.native.as_str()));
            let known = &day.names["contact"];
            let ids: BTreeSet<&String> = natives.filter_map(|n| known.get(n)).collect();
            assert!(ids.len() <= 1, "one contact of several: {ids:?}");
            let id = ids
                .first()
                .map_or(own.contact_id.clone(), |id| (*id).clone());
            for (table, rows) in product(contact, &names) {
                let all = self.product.entry(table).or_default();
                all.entry(id.clone()).or_default().extend(rows);
            }
        }
        for of in self.product.get_mut("links").into_iter().flatten() {
            of.1.sort_by_key(|r| (r.text("at"), r.text("to_contact")));
        }
        let all = self.product.entry("agent_states").or_default();
        for state in rows.agents.iter().filter(|s| s.track == "presence") {
            let mut row = Row::default();
            row.set("state", Some(state.state.clone()));
            row.set("reason", state.reason.clone());
            row.set("started_at", time(Some(state.started_at)));
            row.set("ended_at", time(state.ended_at));
            all.entry(names("agent", &state.agent))
                .or_default()
                .push(row);
        }
    }
}

/// A value of the truth as text.
fn cell(column: &str, value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(t) if column.ends_with("_at") || column == "at" => {
            parse_rfc3339(t).map(|(us, _)| format_rfc3339(us))
        }
        Value::String(t) => Some(t.clone()),
        other => Some(other.to_string()),
    }
}

fn time(at: Option<Instant>) -> Option<String> {
    at.map(|t| format_rfc3339(t.0))
}

/// The product's rows of a contact, with the simulator's names of queues, agents and contacts.
fn product(
    rows: &ContactRows,
    names: &dyn Fn(&str, &str) -> String,
) -> Vec<(&'static str, Vec<Row>)> {
    let named = |entity: &str, v: &Option<String>| v.as_ref().map(|v| names(entity, v));
    let number = |n: Option<i64>| n.map(|n| n.to_string());
    let row = |cells: Vec<(&str, Option<String>)>| {
        let mut row = Row::default();
        for (column, value) in cells {
            row.set(column, value);
        }
        row
    };
    let own = rows.contact.iter().map(|c| {
        row(vec![
            ("source", Some(names("source", &c.source))),
            ("channel", Some(c.channel.clone())),
            ("direction", c.direction.clone()),
            ("queue", named("queue", &c.queue)),
            ("agent", named("agent", &c.agent)),
            ("customer", c.customer.clone()),
            ("started_at", time(c.started_at)),
            ("ended_at", time(c.ended_at)),
            ("outcome", c.outcome.clone()),
            ("raw_outcome", c.raw_outcome.clone()),
            ("wait_ms", number(c.wait_ms)),
            ("talk_ms", number(c.talk_ms)),
            ("hold_ms", number(c.hold_ms)),
            ("wrap_ms", number(c.wrap_ms)),
            ("state", Some(c.state.clone())),
        ])
    });
    let segments = rows.segments.iter().map(|s| {
        let target = s.target.as_ref().map(|t| match s.target_kind.as_deref() {
            Some("queue") => names("queue", t),
            Some("agent") => names("agent", t),
            _ => t.clone(),
        });
        row(vec![
            ("kind", Some(s.kind.clone())),
            ("queue", named("queue", &s.queue)),
            ("agent", named("agent", &s.agent)),
            ("started_at", time(s.started_at)),
            ("ended_at", time(s.ended_at)),
            ("outcome", s.outcome.clone()),
            ("target_kind", s.target_kind.clone()),
            ("target", target),
        ])
    });
    let offers = rows.offers.iter().map(|o| {
        row(vec![
            ("queue", named("queue", &o.queue)),
            ("agent", named("agent", &o.agent)),
            ("offered_at", time(o.offered_at)),
            ("ring_ms", number(o.ring_ms)),
            ("outcome", o.outcome.clone()),
        ])
    });
    let links = rows.links.iter().map(|l| {
        row(vec![
            ("to_contact", Some(names("contact", &l.to_contact))),
            ("kind", Some(l.kind.clone())),
            ("at", time(l.at)),
        ])
    });
    vec![
        ("contacts", own.collect()),
        ("segments", segments.collect()),
        ("offers", offers.collect()),
        ("links", links.collect()),
    ]
}
