//! Both sides, row by row under the simulator's names: the truth, and what the product made.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::time::{format_rfc3339, parse_rfc3339};
use serde_json::Value;

use crate::compare::{Found, Row, compare};
use crate::day::Told;
use crate::fold::Rows;
use crate::losses::{Losses, Stands};
use crate::tables::COMPARED;

/// A second, milliseconds: what lasts less is brief.
const BRIEF: i64 = 1_000;

/// Both sides by contact and agent.
pub struct Sides {
    pub truth: BTreeMap<&'static str, BTreeMap<String, Vec<Row>>>,
    pub product: BTreeMap<&'static str, BTreeMap<String, Vec<Row>>>,
}

impl Sides {
    pub fn of(day: &Told, rows: &Rows) -> Sides {
        let mut sides = Sides {
            truth: BTreeMap::new(),
            product: BTreeMap::new(),
        };
        sides.read_truth(day);
        sides.read_product(day, rows);
        sides
    }

    pub fn compare(&self, losses: &Losses, found: &mut Found) {
        let none = BTreeMap::new();
        let contacts = &self.truth["contacts"];
        let mut dropped = BTreeMap::new();
        for (id, own) in contacts {
            if let Some(loss) = losses.row("contacts", &Stands::NoRow, &own[0]) {
                loss.needed.set(true);
                dropped.insert(id.clone(), loss);
                found.skip(loss, COMPARED[0].columns.len());
            }
        }
        for table in COMPARED.iter() {
            let truth = self.truth.get(table.name).unwrap_or(&none);
            let product = self.product.get(table.name).unwrap_or(&none);
            let all: BTreeSet<&String> = truth.keys().chain(product.keys()).collect();
            for id in all {
                let side =
                    |of: &BTreeMap<String, Vec<Row>>| of.get(id).cloned().unwrap_or_default();
                if let Some(loss) = dropped.get(id) {
                    for row in truth.get(id).into_iter().flatten() {
                        found.facts.untold(table.name, row);
                    }
                    if table.name != "contacts" {
                        found.skip(loss, side(truth).len() * table.columns.len());
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
            let at = |c: &str| parse_rfc3339(row[c].as_str()?).map(|(us, _)| us / 1_000);
            if let (Some(from), Some(to)) = (at("started_at"), at("ended_at"))
                && to - from < BRIEF
            {
                note(id.clone(), format!("brief.{kind}"));
            }
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
        for table in COMPARED.iter() {
            let mut values: Vec<&Value> = day.truth[table.name].iter().collect();
            if table.name == "segments" {
                values.sort_by_key(|r| (text(r, "contact_id"), r["seq"].as_i64()));
            }
            let all = self.truth.entry(table.name).or_default();
            for value in values {
                let id = text(value, table.of);
                let mut row = Row::default();
                for column in &table.columns {
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
