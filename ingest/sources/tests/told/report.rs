//! The check of one platform: cells compared and skipped, and what differs with its records.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::time::parse_rfc3339;

use crate::compare::Found;
use crate::day::{Told, disordered, told};
use crate::fold::{records, rows, show};
use crate::losses::Losses;
use crate::sides::Sides;
use crate::table;

/// Differences that are shown in full.
const SHOWN: usize = 4;

/// Tells a day in the platform's format, reads all of it, and holds it against the truth.
pub fn check(platform: &str) {
    hold(platform, "What the simulated day loses", None);
}

/// The same of some of its files: what they alone lose stands under a heading of its own.
pub fn check_alone(platform: &str, heading: &str, files: &[&str]) {
    hold(platform, heading, Some(files));
}

fn hold(platform: &str, heading: &str, files: Option<&[&str]>) {
    let mut day = told(platform);
    let alone = files.is_some();
    day.sheets
        .retain(|sheet| files.is_none_or(|files| files.contains(&&*sheet.file)));
    assert!(!day.sheets.is_empty(), "{platform} writes no such file");
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
    let losses = Losses::of(platform, heading);
    let mut found = Found::default();
    let stays = day.truth["segments"].iter();
    let queues = stays.filter_map(|r| r["queue"].as_str().map(str::to_owned));
    found.facts.queues = queues.collect();
    let sides = Sides::of(&day, &rows);
    sides.compare(&losses, &mut found);
    println!(
        "{platform} ({heading}): {} records of {} contacts, {} cells compared, {} skipped",
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
    let mut wrong = table::differs(platform, &records, &found.facts, alone);
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
