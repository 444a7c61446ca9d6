//! Rows of the truth and of the product side by side: pairs in order, cells one by one.

use std::collections::{BTreeMap, BTreeSet};

use callboard_model::time::parse_rfc3339;

use crate::facts::Facts;
use crate::losses::{Loss, Losses, Stands};

/// A row with what conditions may ask of it.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub cells: BTreeMap<String, Option<String>>,
    /// What its contact went through: `KIND`, `KIND.OUTCOME`, `KIND>TARGET`, `offer.OUTCOME`,
    /// `link.KIND` to another contact, `from.KIND` from one, `many.KIND`; `told` if the platform
    /// tells of it at all.
    pub has: BTreeSet<String>,
}

impl Row {
    pub fn set(&mut self, column: &str, value: Option<String>) {
        self.cells.insert(column.to_owned(), value);
    }

    /// A value; `NULL` for none.
    pub fn text(&self, column: &str) -> String {
        let value = self.cells.get(column).cloned().flatten();
        value.unwrap_or_else(|| "NULL".to_owned())
    }

    pub fn show(&self, columns: &[&str]) -> String {
        let all = columns.iter().map(|c| format!("{c} {}", self.text(c)));
        all.collect::<Vec<_>>().join(", ")
    }
}

/// What differs.
#[derive(Debug)]
pub struct Difference {
    /// Table, column, and what it was about, to count alike ones.
    pub sort: String,
    pub contact: String,
    pub text: String,
}

/// Counts and differences.
#[derive(Default)]
pub struct Found {
    pub compared: u64,
    /// Cells that the format cannot tell.
    pub cannot: u64,
    /// Cells that the format could tell, and the simulated day does not write.
    pub not_written: u64,
    pub differences: Vec<Difference>,
    pub facts: Facts,
}

impl Found {
    /// So many cells are not compared, by this line.
    pub fn skip(&mut self, loss: &Loss, cells: usize) {
        match loss.not_written {
            true => self.not_written += cells as u64,
            false => self.cannot += cells as u64,
        }
    }
}

/// A table as it is compared.
pub struct Table {
    pub name: &'static str,
    /// The column that says which contact or agent a row is of.
    pub of: &'static str,
    pub columns: Vec<&'static str>,
    /// Rows that differ here are different rows.
    pub same: &'static [&'static str],
}

/// Compares the rows of one contact or agent; both lists are in their order. Rows that are nearest
/// to each other are held against each other, each once.
pub fn compare(
    table: &Table,
    losses: &Losses,
    contact: &str,
    truth: &[Row],
    product: &[Row],
    found: &mut Found,
) {
    let mut pairs = Vec::new();
    for (i, t) in truth.iter().enumerate() {
        for (j, p) in product.iter().enumerate() {
            if let Some(cost) = apart(table, losses, t, p) {
                pairs.push((cost, i.abs_diff(j), i, j));
            }
        }
    }
    pairs.sort_unstable();
    let mut of_truth = vec![None; truth.len()];
    let mut taken = vec![false; product.len()];
    for (_, _, i, j) in pairs {
        if of_truth[i].is_none() && !taken[j] {
            of_truth[i] = Some(j);
            taken[j] = true;
        }
    }
    for (t, pair) in truth.iter().zip(of_truth) {
        let product = pair.map(|j| &product[j]);
        found.facts.row(table.name, t, product);
        match product {
            Some(p) => cells(table, losses, contact, t, p, found),
            None => match losses.row(table.name, &Stands::NoRow, t) {
                Some(loss) => {
                    loss.needed.set(true);
                    found.skip(loss, table.columns.len());
                }
                None => one_side(table, contact, "missing", t, found),
            },
        }
    }
    for (p, _) in product.iter().zip(taken).filter(|(_, taken)| !taken) {
        found.facts.more(table.name, p);
        match losses.row(table.name, &Stands::MoreRows, p) {
            Some(loss) => loss.needed.set(true),
            None => one_side(table, contact, "too much", p, found),
        }
    }
}

fn one_side(table: &Table, contact: &str, what: &str, row: &Row, found: &mut Found) {
    let of: Vec<String> = ["kind", "outcome", "state"]
        .iter()
        .filter(|c| row.cells.contains_key(**c))
        .map(|c| row.text(c))
        .collect();
    found.differences.push(Difference {
        sort: format!("{} {what} {}", table.name, of.join(" ")),
        contact: contact.to_owned(),
        text: format!("{} {what}: {}", table.name, row.show(&table.columns)),
    });
}

/// How far two rows are from being told alike; `None` where they are different things.
fn apart(table: &Table, losses: &Losses, truth: &Row, product: &Row) -> Option<(usize, usize)> {
    if table.same.iter().any(|c| truth.text(c) != product.text(c)) {
        return None;
    }
    let wrong = |strictly: bool| {
        let of = table.columns.iter().filter(|c| {
            let loss = losses.cell(table.name, c, truth).filter(|_| !strictly);
            !told(loss.map(|l| &l.stands), &truth.text(c), &product.text(c))
        });
        of.count()
    };
    // Of two that are told alike the one that is more like it without any excuse.
    Some((wrong(false), wrong(true)))
}

/// Whether a cell is told as it should be.
fn told(stands: Option<&Stands>, truth: &str, product: &str) -> bool {
    match stands {
        None | Some(Stands::NoRow | Stands::MoreRows) => truth == product,
        Some(Stands::Other) => true,
        Some(Stands::As(value)) => {
            truth == product || product == value.as_deref().unwrap_or("NULL")
        }
        Some(Stands::Within(ms)) => match (number(truth), number(product)) {
            (Some(a), Some(b)) => (a - b).abs() <= *ms,
            _ => truth == product,
        },
    }
}

/// Milliseconds.
pub fn number(text: &str) -> Option<i64> {
    text.parse()
        .ok()
        .or_else(|| parse_rfc3339(text).map(|(us, _)| us / 1_000))
}

fn cells(
    table: &Table,
    losses: &Losses,
    contact: &str,
    truth: &Row,
    product: &Row,
    found: &mut Found,
) {
    for column in &table.columns {
        let (t, p) = (truth.text(column), product.text(column));
        let loss = losses.cell(table.name, column, truth);
        if let Some(loss) = loss.filter(|_| t != p) {
            loss.needed.set(true);
        }
        if let Some(loss) = loss.filter(|l| l.stands == Stands::Other) {
            found.skip(loss, 1);
            continue;
        }
        found.compared += 1;
        if told(loss.map(|l| &l.stands), &t, &p) {
            continue;
        }
        let kind = truth.text(if table.name == "segments" {
            "kind"
        } else {
            "channel"
        });
        let sort = if number(&t).is_some() && number(&p).is_some() {
            "number or time".to_owned()
        } else {
            let names = ["queue", "agent", "customer", "target"].contains(column);
            let short = |t: &str| match number(t) {
                Some(_) => "some".to_owned(),
                None if names && t != "NULL" => "some".to_owned(),
                None => t.to_owned(),
            };
            format!("{} -> {}", short(&t), short(&p))
        };
        found.differences.push(Difference {
            sort: format!(
                "{}.{column} of {kind} {}: {sort}",
                table.name,
                truth.text("outcome")
            ),
            contact: contact.to_owned(),
            text: format!(
                "{}.{column}: truth {t}, told {p}\n    truth: {}\n    told:  {}",
                table.name,
                truth.show(&table.columns),
                product.show(&table.columns)
            ),
        });
    }
}
