//! One contact centre before and after a change: the same places, other days, a known difference.

use std::collections::BTreeSet;

use callboard_datasets::simulate::{Disorder, Options};
use serde_json::Value;

use crate::world::{options, simulate, text};

/// Rows of a table of the truth.
fn rows(out: &std::path::Path, table: &str) -> Vec<Value> {
    let mut files: Vec<_> = std::fs::read_dir(out.join("truth").join(table))
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    let text = files.iter().map(|f| std::fs::read_to_string(f).unwrap());
    let text: String = text.collect();
    let lines = text.lines();
    lines.map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Mean handle time, queues, and times of contacts.
fn told(change: impl Fn(&mut Options)) -> (f64, BTreeSet<String>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let mut asked = options(dir.path(), 3, 1500, Disorder::None);
    asked.days = Some(4);
    change(&mut asked);
    simulate(&asked);
    let intervals = rows(dir.path(), "queue_intervals");
    let sum = |column: &str| -> f64 { intervals.iter().filter_map(|r| r[column].as_f64()).sum() };
    let handled = (sum("talk_ms_sum") + sum("wrap_ms_sum")) / sum("answered");
    let queues = intervals.iter().map(|r| text(r, "queue").to_owned());
    let contacts = rows(dir.path(), "contacts");
    let times = contacts.iter().map(|r| text(r, "started_at").to_owned());
    (handled, queues.collect(), times.collect())
}

#[test]
fn talks_and_wrap_ups_last_as_much_longer_as_was_asked() {
    let usual = told(|_| ());
    let longer = told(|o| o.handle_permille = 1_200);
    let ratio = longer.0 / usual.0;
    assert!((ratio - 1.2).abs() < 0.03, "{ratio}");
    assert_eq!(usual.1, longer.1);
}

#[test]
fn days_that_were_skipped_are_other_days_of_the_same_place() {
    let first = told(|_| ());
    let later = told(|o| {
        o.skip_days = 4;
        o.first_day += 7;
    });
    assert_eq!(first.1, later.1);
    let clock = |at: &String| at[11..].to_owned();
    let same: BTreeSet<String> = first.2.iter().map(clock).collect();
    let again = later.2.iter().filter(|at| same.contains(&clock(at)));
    assert!(again.count() * 20 < later.2.len());
    // Without it the same days would come again.
    let repeated = told(|o| o.first_day += 7);
    let again = repeated.2.iter().filter(|at| same.contains(&clock(at)));
    assert!(again.count() * 2 > repeated.2.len());
}
