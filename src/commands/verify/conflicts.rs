//! The list of conflicts: of each event that was told with two wordings both must be among the records,
//! and of no other event more than one.

use std::collections::{BTreeMap, BTreeSet};

use callboard_datasets::simulate::Written;
use serde_json::{Map, Value};

use super::super::client::Client;
use super::super::sql::ask;
use super::super::{Failure, print};
use super::{each, no_truth};

/// The events of a source of which there is more than one wording.
const DISPUTED: &str = "SELECT id, min(content_hash) AS low, max(content_hash) AS high FROM records WHERE source = $1 GROUP BY id HAVING min(content_hash) <> max(content_hash)";

/// An event with the hashes of its two wordings, the lesser first.
type Disputed = (String, i64, i64);

/// Says whether the records have the wordings that are listed, and gives it; shows some that differ.
///
/// # Errors
/// When the list cannot be read or the server gives no answer.
pub(super) async fn are_there(
    client: &Client,
    written: &Written,
    show: usize,
) -> Result<bool, Failure> {
    let mut listed: BTreeMap<String, BTreeSet<Disputed>> = BTreeMap::new();
    let file = written.conflicts().map_err(|e| no_truth(&e))?;
    each(&file, |row| {
        let own = listed.entry(text(row, "source")).or_default();
        own.insert(disputed(row, "kept", "dropped"));
        Ok(())
    })?;
    // Without one there is nothing to look for: that there are none the counts have shown.
    if listed.is_empty() {
        return Ok(true);
    }
    let (mut rows, mut differing, mut shown) = (0, 0, String::new());
    for (source, must) in &listed {
        let mut there = BTreeSet::new();
        let answer = ask(client, DISPUTED, &[source.as_str()]).await?;
        answer.each(|row| {
            there.insert(disputed(row, "low", "high"));
        })?;
        rows += there.len();
        let lacking = must.difference(&there).map(|one| ("must be", one));
        let others = there.difference(must).map(|one| ("is", one));
        for (what, (id, low, high)) in lacking.chain(others) {
            differing += 1;
            if differing <= show {
                shown += &format!("  {source} {id}: {what} {low} and {high}\n");
            }
        }
    }
    let says = match differing {
        0 => "equal: both wordings of each are there".to_owned(),
        _ => format!("{differing} DIFFER"),
    };
    print(&format!(
        "conflict list    {rows:>10} rows  {says}\n{shown}"
    ))?;
    Ok(differing == 0)
}

fn disputed(row: &Map<String, Value>, one: &str, other: &str) -> Disputed {
    let hash = |name: &str| row.get(name).and_then(Value::as_i64).unwrap_or(0);
    let (one, other) = (hash(one), hash(other));
    (text(row, "id"), one.min(other), one.max(other))
}

fn text(row: &Map<String, Value>, name: &str) -> String {
    let text = row.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wordings_are_told_apart_by_their_hashes_whichever_of_them_holds() {
        let row = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
        let listed = row(r#"{"source":"/s","id":"7","kept":5,"dropped":-9223372036854775808}"#);
        let there = row(r#"{"id":"7","low":-9223372036854775808,"high":5}"#);
        assert_eq!(
            disputed(&listed, "kept", "dropped"),
            disputed(&there, "low", "high")
        );
        assert_eq!(disputed(&there, "low", "high"), ("7".into(), i64::MIN, 5));
    }
}
