//! The check of one platform: cells compared and skipped, and what differs with its records.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use callboard_model::record::Record;
use callboard_model::time::parse_rfc3339;

use crate::compare::Found;
use crate::day::{Told, disordered, told};
use crate::fold::{records, rows, show};
use crate::losses::{Losses, page};
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
    let mut told = counts(&found);
    if !alone {
        told += &untold(platform, &records);
    }
    println!(
        "{platform} ({heading}): {} records of {} contacts. {told}",
        records.len(),
        day.truth["contacts"].len(),
    );
    for (fact, share) in &found.facts.shares {
        println!(
            "{platform}: {fact}: {} right, {} not",
            share.right, share.wrong
        );
    }
    let mut wrong = table::differs(platform, &records, &found.facts, alone);
    wrong += &in_page(platform, heading, &told);
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

/// Cells that were compared and skipped, as the page of the platform says it.
fn counts(found: &Found) -> String {
    format!(
        "In the test's day {} cells are compared and {} skipped: {} that the format cannot tell, {} that the \
         simulated day does not write.",
        found.compared,
        found.cannot + found.not_written,
        found.cannot,
        found.not_written
    )
}

/// What the counts are silent of, since the day has no records of it.
fn untold(platform: &str, records: &[Record]) -> String {
    let all = table::untold(platform, records).join("; ");
    match all.is_empty() {
        true => String::new(),
        false => format!(" Not told in it, and checked by captures alone: {all}."),
    }
}

/// Whether the page says these counts; writes them there with `CALLBOARD_WRITE_DOCS`.
fn in_page(platform: &str, heading: &str, told: &str) -> String {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _held = ONE_AT_A_TIME.lock();
    let path = page(platform);
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, section) = text.split_once(&format!("## {heading}\n")).unwrap();
    let said = section.split("\n## ").next().unwrap();
    let said = said.lines().find(|l| l.starts_with("In the test's day "));
    if said == Some(told) {
        return String::new();
    }
    if std::env::var_os("CALLBOARD_WRITE_DOCS").is_none() {
        return format!(
            "{path} says {said:?} under {heading:?}, not {told:?}: CALLBOARD_WRITE_DOCS=1\n"
        );
    }
    let section = match said {
        Some(said) => section.replacen(said, told, 1),
        None => section.replacen("\n| cells |", &format!("\n{told}\n\n| cells |"), 1),
    };
    std::fs::write(&path, format!("{before}## {heading}\n{section}")).unwrap();
    String::new()
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
