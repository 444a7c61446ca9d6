//! The tables as they are compared: those of the truth, by its own list of columns.

use std::sync::LazyLock;

use callboard_datasets::simulate::TOLD_TABLES;

use crate::compare::Table;

/// In the order in which they are compared: the rows of contacts say what became of the rest.
pub const NAMES: [&str; 6] = [
    "contacts",
    "segments",
    "offers",
    "links",
    "agent_states",
    "recordings",
];

/// All of them.
pub static COMPARED: LazyLock<Vec<Table>> = LazyLock::new(|| NAMES.map(table).into());

fn table(name: &'static str) -> Table {
    let mut all = TOLD_TABLES.iter();
    let truth = all.find(|t| t.name == name).expect("a table of the truth");
    // What it is of is compared first of all, by the names that the simulator keeps aside; the
    // number of a segment follows from those that were told.
    let of = truth.contact.unwrap_or(truth.key[0]);
    let columns = truth.columns.iter().copied();
    Table {
        name,
        of,
        columns: columns.filter(|c| *c != of && *c != "seq").collect(),
        same: match name {
            "segments" => &["kind"],
            "links" => &["to_contact"],
            _ => &[],
        },
    }
}
