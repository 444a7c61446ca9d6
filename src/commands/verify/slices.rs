//! Tables that are made of all contacts, or whose rows have no times: asked for by day they would be
//! made anew for each, or not found, and whole they can be more than fits. They are asked for by
//! agents, queues or contacts, some at a time, and the truth is cut into the same pieces once, in
//! files without names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Seek as _, Write as _};
use std::path::PathBuf;

use callboard_datasets::compare::{Found, Row, compare};
use callboard_datasets::simulate::Table;
use serde_json::{Map, Value};

use super::super::Failure;
use super::super::client::Client;
use super::{each, objects, quoted, rows};
use crate::cli::VerifyArgs;

/// Rows of the truth that are held at a time, about.
const AT_A_TIME: u64 = 1_000_000;

/// Names from one on, up to but without another; `None` = no bound.
type Range = (Option<String>, Option<String>);

/// Compares such a table with its truth.
///
/// # Errors
/// When the truth cannot be read or the server gives no answer.
pub(super) async fn held_against(
    client: &Client,
    args: &VerifyArgs,
    (table, letters): (&Table, usize),
    days: &BTreeMap<i64, PathBuf>,
    found: &mut Found,
) -> Result<(), Failure> {
    let Some(name) = table.key.first() else {
        return Err(Failure::failed(format!("{} has no key", table.name)));
    };
    let named = |object: &Map<String, Value>| {
        let value = object.get(*name).and_then(Value::as_str);
        value.unwrap_or("").to_owned()
    };
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    for file in days.values() {
        each(file, |object| {
            let name = named(object);
            *told
                .entry(beginning(&name, letters).to_owned())
                .or_default() += 1;
            Ok(())
        })?;
    }
    let ranges = ranges(&told, AT_A_TIME);
    let pieces = split(days, &ranges, named)?;
    for (range, piece) in ranges.into_iter().zip(pieces) {
        let mut truth = Vec::new();
        objects(piece, &std::env::temp_dir(), |object| {
            truth.push(Row::of(table, object));
            Ok(())
        })?;
        let columns = quoted(table);
        let (bounds, params) = bounds(name, &range);
        let sql = format!("SELECT {columns} FROM {}{bounds}", table.name);
        let ours = rows(client, table, &sql, &params).await?;
        compare(table, truth, ours, args.show, found);
    }
    Ok(())
}

/// The first letters of a name. Names that begin alike stand side by side, so that a range from one
/// beginning to another holds them whole.
fn beginning(name: &str, letters: usize) -> &str {
    match name.char_indices().nth(letters) {
        Some((at, _)) => &name[..at],
        None => name,
    }
}

/// Ranges of names, in order and without gaps, each with about so many rows or one name.
fn ranges(told: &BTreeMap<String, u64>, most: u64) -> Vec<Range> {
    let mut ranges = Vec::new();
    let (mut from, mut held) = (None, 0);
    for (name, rows) in told {
        if held > 0 && held + rows > most {
            ranges.push((from, Some(name.clone())));
            (from, held) = (Some(name.clone()), 0);
        }
        held += rows;
    }
    ranges.push((from, None));
    ranges
}

/// Cuts the truth: a file for the rows of each range, at its beginning.
fn split(
    days: &BTreeMap<i64, PathBuf>,
    ranges: &[Range],
    named: impl Fn(&Map<String, Value>) -> String,
) -> Result<Vec<File>, Failure> {
    let unkept = |e: std::io::Error| {
        Failure::failed(format!(
            "the truth cannot be cut into pieces in {}: {e}; TMPDIR names another folder",
            std::env::temp_dir().display()
        ))
    };
    let mut pieces = Vec::with_capacity(ranges.len());
    for _ in ranges {
        pieces.push(BufWriter::new(tempfile::tempfile().map_err(unkept)?));
    }
    for file in days.values() {
        each(file, |object| {
            let place = place(&named(object), ranges);
            let Some(piece) = pieces.get_mut(place) else {
                return Ok(());
            };
            serde_json::to_writer(&mut *piece, object).map_err(|e| unkept(e.into()))?;
            piece.write_all(b"\n").map_err(unkept)
        })?;
    }
    let begin = |piece: BufWriter<File>| -> std::io::Result<File> {
        let mut file = piece.into_inner().map_err(|e| e.into_error())?;
        file.rewind()?;
        Ok(file)
    };
    pieces
        .into_iter()
        .map(|p| begin(p).map_err(unkept))
        .collect()
}

/// Which of these ranges holds a name.
fn place(name: &str, ranges: &[Range]) -> usize {
    let begun = |(from, _): &Range| from.as_deref().is_none_or(|from| from <= name);
    ranges.partition_point(begun).saturating_sub(1)
}

/// The condition in SQL, and its parameters. Rows without a name belong to the first range.
fn bounds<'a>(column: &str, range: &'a Range) -> (String, Vec<&'a str>) {
    match range {
        (None, None) => (String::new(), Vec::new()),
        (None, Some(to)) => (
            format!(" WHERE \"{column}\" < $1 OR \"{column}\" IS NULL"),
            vec![to],
        ),
        (Some(from), None) => (format!(" WHERE \"{column}\" >= $1"), vec![from]),
        (Some(from), Some(to)) => (
            format!(" WHERE \"{column}\" >= $1 AND \"{column}\" < $2"),
            vec![from, to],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_lies_in_one_range_and_none_is_much_too_large() {
        let names = ["a", "b", "c", "d", "e"].map(str::to_owned);
        let told: BTreeMap<String, u64> = names.iter().cloned().zip([2, 2, 9, 1, 1]).collect();
        let ranges = ranges(&told, 4);
        assert_eq!(ranges.len(), 3);
        for name in names.iter().map(String::as_str).chain(["", "aa", "z"]) {
            let (from, to) = &ranges[place(name, &ranges)];
            assert!(from.as_deref().is_none_or(|from| name >= from), "{name}");
            assert!(to.as_deref().is_none_or(|to| name < to), "{name}");
        }
        assert_eq!(super::ranges(&BTreeMap::new(), 4), [(None, None)]);
    }

    #[test]
    fn names_that_begin_alike_are_in_one_range() {
        let names = [
            "s1-20260307-00001/both",
            "s1-20260307-00002/both",
            "s1-20260308-00001/both",
            "zoë",
            "zoé",
        ];
        let mut told: BTreeMap<String, u64> = BTreeMap::new();
        for name in names {
            *told.entry(beginning(name, 12).to_owned()).or_default() += 1;
        }
        assert_eq!(told.len(), 4);
        let ranges = ranges(&told, 2);
        for name in names {
            let (from, to) = &ranges[place(name, &ranges)];
            assert!(from.as_deref().is_none_or(|from| name >= from), "{name}");
            assert!(to.as_deref().is_none_or(|to| name < to), "{name}");
        }
        assert_eq!(place(names[0], &ranges), place(names[1], &ranges));
        assert_eq!(beginning("zoë", 2), "zo");
        assert_eq!(beginning("zoë", usize::MAX), "zoë");
    }

    #[test]
    fn the_truth_is_cut_by_names_and_nothing_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let mut days = BTreeMap::new();
        for day in 0..2 {
            let file = dir.path().join(day.to_string());
            let row = |name: &str| format!("{{\"agent\":\"{name}\",\"day\":{day}}}\n");
            std::fs::write(&file, ["c", "a", "b"].map(row).concat()).unwrap();
            days.insert(day, file);
        }
        let ranges = [(None, Some("b".to_owned())), (Some("b".to_owned()), None)];
        let named = |o: &Map<String, Value>| o["agent"].as_str().unwrap().to_owned();
        let pieces = split(&days, &ranges, named).unwrap();
        let texts = pieces
            .into_iter()
            .map(|p| std::io::read_to_string(p).unwrap());
        let lines: Vec<Vec<String>> = texts
            .map(|t| t.lines().map(|l| l.replace(['{', '}', '"'], "")).collect())
            .collect();
        assert_eq!(lines[0], ["agent:a,day:0", "agent:a,day:1"]);
        assert_eq!(
            lines[1],
            [
                "agent:c,day:0",
                "agent:b,day:0",
                "agent:c,day:1",
                "agent:b,day:1"
            ]
        );
    }

    #[test]
    fn what_is_asked_has_a_parameter_for_each_bound() {
        let of = |from: Option<&str>, to: Option<&str>| (from.map(Into::into), to.map(Into::into));
        let asked = |range: Range| {
            let (sql, params) = bounds("agent", &range);
            assert_eq!(sql.matches('$').count(), params.len());
            sql
        };
        assert_eq!(asked(of(None, None)), "");
        assert!(asked(of(None, Some("m"))).contains("IS NULL"));
        assert!(asked(of(Some("m"), None)).contains(">= $1"));
        assert!(asked(of(Some("m"), Some("p"))).contains("< $2"));
    }
}
