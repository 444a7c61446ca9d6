//! Days that calendars treat in their own way: a leap day, the turn of the year, the weeks around it.
//! Dates are held against another library's calendar.

use std::collections::{BTreeMap, BTreeSet};

use callboard_datasets::simulate::{Disorder, read_date, write_date};
use chrono::{DateTime, Datelike as _, Days, FixedOffset, NaiveDate, Timelike as _};
use serde_json::Value;

use crate::world::{World, ms, text, world_of};

fn days(first: &str, days: i64) -> World {
    world_of(31, 1_500, Disorder::Mild, |options| {
        options.first_day = read_date(first).unwrap();
        options.days = Some(days);
        // The files' days are then those of the local clocks.
        options.skew = 0;
    })
}

/// Contacts that customers began by the local day and ISO week of their beginning, of a site that is
/// so many hours from UTC.
fn begun(w: &World, source: &str, hours: i32) -> BTreeMap<NaiveDate, (u64, u32)> {
    let zone = FixedOffset::east_opt(hours * 3_600).unwrap();
    let mut found: BTreeMap<NaiveDate, (u64, u32)> = BTreeMap::new();
    for row in &w.truth["contacts"] {
        if text(row, "source") != source {
            continue;
        }
        let at = DateTime::from_timestamp_millis(ms(row, "started_at").unwrap()).unwrap();
        let local = at.with_timezone(&zone).naive_local();
        // Doors close two hours after midnight.
        let day = match local.hour() {
            0..6 => local.date() - Days::new(1),
            _ => local.date(),
        };
        let counted = found.entry(day).or_default();
        *counted = (counted.0 + 1, day.iso_week().week());
    }
    found
}

/// Every time that a line states, as the platform wrote it, with the day's own library.
fn every_time_is_one(w: &World) -> BTreeSet<NaiveDate> {
    let mut written = BTreeSet::new();
    for line in &w.lines {
        let Ok(event) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        let data = &event["data"];
        if event["id"]
            .as_str()
            .is_none_or(|id| id.starts_with("poison"))
        {
            continue;
        }
        for time in [&event["time"], &data["start"], &data["end"]] {
            if let Some(time) = time.as_str() {
                let time = DateTime::parse_from_rfc3339(time);
                written.insert(time.unwrap_or_else(|e| panic!("{e}: {event}")).date_naive());
            }
        }
    }
    written
}

fn dates(of: &[&str]) -> BTreeSet<NaiveDate> {
    of.iter().map(|d| d.parse().unwrap()).collect()
}

#[test]
fn a_leap_day_is_a_day() {
    let w = days("2024-02-28", 3);
    let wanted = dates(&["2024-02-28", "2024-02-29", "2024-03-01"]);
    // Berlin and New York, both in winter.
    for (source, hours) in [("/sim/site1", 1), ("/sim/site2", -5)] {
        let begun = begun(&w, source, hours);
        assert_eq!(begun.keys().copied().collect::<BTreeSet<_>>(), wanted);
        assert!(begun.values().all(|(n, _)| *n > 100), "{begun:?}");
    }
    let written = every_time_is_one(&w);
    assert!(written.is_superset(&wanted), "{written:?}");
    let file = |day: &str| format!("truth/contacts/{day}.ndjson");
    for day in wanted {
        let name = file(&day.to_string());
        assert!(w.manifest.files.iter().any(|f| f.path == name), "{name}");
    }
}

#[test]
fn a_year_ends_in_the_first_week_of_the_next() {
    let w = days("2024-12-30", 3);
    let begun = begun(&w, "/sim/site2", -5);
    let wanted = dates(&["2024-12-30", "2024-12-31", "2025-01-01"]);
    assert_eq!(begun.keys().copied().collect::<BTreeSet<_>>(), wanted);
    assert!(
        begun.values().all(|(n, week)| *n > 100 && *week == 1),
        "{begun:?}"
    );
    // The evening of New Year's Eve in New York is the new year in UTC.
    let eve = |row: &&Value| {
        let at = text(row, "started_at");
        text(row, "source") == "/sim/site2" && at.starts_with("2025-01-01T0")
    };
    assert!(w.truth["contacts"].iter().filter(eve).count() > 0);
    every_time_is_one(&w);
}

#[test]
fn a_week_has_the_number_53() {
    let w = days("2026-12-28", 7);
    let begun = begun(&w, "/sim/site1", 1);
    assert_eq!(begun.len(), 7);
    assert!(begun.values().all(|(_, week)| *week == 53), "{begun:?}");
    // Fewer come at the end of the week, whatever the year.
    let of = |day: &str| begun[&day.parse().unwrap()].0;
    assert!(of("2027-01-02") < of("2026-12-30") && of("2027-01-03") < of("2026-12-30"));
    assert_eq!(
        write_date(read_date("2026-12-28").unwrap() + 6),
        "2027-01-03"
    );
}

/// Contacts that began in each hour of UTC, of a site.
fn hours(w: &World, source: &str) -> BTreeMap<String, u64> {
    let own = w.truth["contacts"].iter();
    let mut found = BTreeMap::new();
    for row in own.filter(|row| text(row, "source") == source) {
        *found
            .entry(text(row, "started_at")[..13].to_owned())
            .or_default() += 1;
    }
    found
}

#[test]
fn contacts_come_while_clocks_change_where_doors_are_open_late() {
    // Of the sites the zone that changes, the day before, hours around the change, and offsets that are
    // written in them where the platform writes any.
    let cases = [
        (
            "/sim/site1",
            "2026-10-24",
            ["2026-10-25T00", "2026-10-25T01"],
            None,
        ),
        (
            "/sim/site1",
            "2026-03-28",
            ["2026-03-29T00", "2026-03-29T01"],
            None,
        ),
        (
            "/sim/site2",
            "2026-10-31",
            ["2026-11-01T05", "2026-11-01T06"],
            Some(["-04:00", "-05:00"]),
        ),
        (
            "/sim/site2",
            "2026-03-07",
            ["2026-03-08T06", "2026-03-08T07"],
            Some(["-05:00", "-04:00"]),
        ),
    ];
    for (source, first, around, offsets) in cases {
        let w = world_of(33, 1_500, Disorder::None, |options| {
            options.first_day = read_date(first).unwrap();
            options.days = Some(2);
            options.open_late = true;
        });
        let began = hours(&w, source);
        for hour in around {
            assert!(began.get(hour) > Some(&4), "{source} {hour}: {began:?}");
        }
        every_time_is_one(&w);
        // An hour before the change and an hour after it are written an hour apart.
        let Some(offsets) = offsets else { continue };
        for (hour, offset) in around.into_iter().zip(offsets) {
            let told = w.lines.iter().any(|line| {
                let event: Value = serde_json::from_slice(line).unwrap();
                let time = event["time"].as_str().unwrap();
                let at = DateTime::parse_from_rfc3339(time).unwrap().to_utc();
                time.ends_with(offset) && at.format("%Y-%m-%dT%H").to_string() == hour
            });
            assert!(told, "{source}: no {offset} in {hour}");
        }
    }
}
