//! What of the product's tables is compared: all of it, or the guide says why not.

use std::collections::BTreeSet;

use callboard_datasets::simulate::{TABLES, TOLD_TABLES};
use callboard_model::tables;

const GUIDE: &str = "../docs/guides/simulate.md";

/// Table and column of the guide's list; no column where the whole table is meant.
fn left_out() -> BTreeSet<(String, String)> {
    let text = std::fs::read_to_string(GUIDE).unwrap();
    let (_, list) = text
        .split_once("| not compared | columns | why |\n")
        .unwrap();
    let mut found = BTreeSet::new();
    for line in list.lines().skip(1).take_while(|l| l.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [names, columns, why] = cells[..] else {
            panic!("{line}")
        };
        assert!(why.len() > 20, "{line}");
        let quoted = |cell: &str| -> Vec<String> {
            let odd = cell.split('`').skip(1).step_by(2);
            odd.map(str::to_owned).collect()
        };
        for name in quoted(names) {
            match columns {
                "all" => assert!(found.insert((name, String::new())), "{line}"),
                columns => {
                    for column in quoted(columns) {
                        assert!(found.insert((name.clone(), column)), "{line}");
                    }
                }
            }
        }
    }
    found
}

#[test]
fn every_column_is_compared_or_the_guide_says_why_not() {
    let mut wanted = BTreeSet::new();
    for spec in tables::TABLES {
        let Some(table) = TABLES.iter().find(|t| t.name == spec.name) else {
            wanted.insert((spec.name.to_owned(), String::new()));
            continue;
        };
        let compared: BTreeSet<&str> = table.compared().collect();
        assert_eq!(compared.len(), table.compared().count(), "{}", table.name);
        // The partition follows from a row's time.
        for column in spec.columns.iter().filter(|c| c.name != "day") {
            if !compared.contains(column.name) {
                wanted.insert((spec.name.to_owned(), column.name.to_owned()));
            }
            let never = table.never.contains(&column.name);
            assert!(!never || column.nullable, "{}.{}", spec.name, column.name);
        }
        let known = |c: &&str| spec.columns.iter().any(|column| column.name == *c);
        assert!(compared.iter().all(known), "{}", table.name);
        assert!(table.key.iter().all(|c| compared.contains(c)));
    }
    assert_eq!(left_out(), wanted);
}

#[test]
fn what_platforms_are_held_to_stands_in_the_truth() {
    for told in TOLD_TABLES {
        let spec = tables::table(told.name).unwrap();
        for column in told.compared() {
            assert!(spec.columns.iter().any(|c| c.name == column), "{column}");
        }
        // Agents' own states and recordings have rows of their own there.
        if !["agent_states", "recordings"].contains(&told.name) {
            let own = TABLES.iter().find(|t| t.name == told.name).unwrap();
            assert!(told.columns.iter().all(|c| own.columns.contains(c)));
        }
    }
}
