//! What `items` leaves out of what was sent. A part left out is the choice of whoever wrote the
//! mapping; where it is all of it, a file of another system was sent, or its columns have other
//! names, and that is said.

use serde_json::{Map, Value};

use super::trial::segment;

/// Class of the dead letter of what was sent when nothing of it is an item.
pub(super) const NO_ITEMS: &str = "no_items";

/// Rows or documents whose parts are named.
const LOOKED_AT: usize = 40;

/// Elements of a list whose parts are named.
const ELEMENTS: usize = 3;

/// Most parts that are named.
const MOST_PARTS: usize = 400;

/// Longest name of a part, characters.
const LONGEST: usize = 100;

/// Parts that a reason names.
const TOLD: usize = 20;

/// Rows, or documents that hold some, of which `items` takes nothing.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// How many.
    pub count: usize,
    /// Paths of what stands in the first of them.
    pub parts: Vec<String>,
}

impl LeftOut {
    /// Adds a row of a table.
    pub fn row(&mut self, row: &[u8]) {
        self.count += 1;
        // A long table is looked at in its beginning only: its rows have the same columns.
        if self.count <= LOOKED_AT
            && let Ok(value) = serde_json::from_slice::<Value>(row)
        {
            name(&value, "", &mut self.parts);
        }
    }

    /// Adds a document, unless it says itself that there is nothing in it.
    pub fn document(&mut self, document: &[u8]) {
        let Ok(value) = serde_json::from_slice::<Value>(document) else {
            return;
        };
        if !holds_rows(&value) {
            return;
        }
        self.count += 1;
        if self.count <= LOOKED_AT {
            name(&value, "", &mut self.parts);
        }
    }

    /// Why nothing came of what was sent.
    pub fn reason(&self) -> String {
        let told: Vec<&str> = self.parts.iter().take(TOLD).map(String::as_str).collect();
        let more = match self.parts.len() - told.len() {
            0 => String::new(),
            more => format!(", ... and {more} more"),
        };
        format!(
            "`items` takes nothing of this ({} left out; where that may be, the mapping says mixed = true). Found there: {}{more}",
            self.count,
            told.join(", ")
        )
    }
}

/// Whether a document holds anything that could be an item. The lists that stand nearest to its top
/// tell: one that is empty says that there is nothing new, unless another beside it holds objects. A
/// document without lists is one row.
fn holds_rows(document: &Value) -> bool {
    let mut level = vec![document];
    while !level.is_empty() {
        let lists: Vec<&Vec<Value>> = level.iter().copied().filter_map(Value::as_array).collect();
        if !lists.is_empty() {
            let deep = |v: &Value| v.is_object() || v.is_array();
            return lists.iter().any(|list| list.iter().any(deep))
                || lists.iter().all(|list| !list.is_empty());
        }
        let objects = level.iter().copied().filter_map(Value::as_object);
        level = objects.flat_map(Map::values).collect();
    }
    match document {
        Value::Null => false,
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

/// Adds the paths of what stands in a value; elements of a list share one.
fn name(value: &Value, path: &str, out: &mut Vec<String>) {
    if out.len() >= MOST_PARTS {
        return;
    }
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (field, inner) in fields {
                name(inner, &cut(format!("{path}{}", segment(field))), out);
            }
        }
        Value::Array(all) if !all.is_empty() => {
            for inner in all.iter().take(ELEMENTS) {
                name(inner, &cut(format!("{path}[]")), out);
            }
        }
        _ => {
            let path = if path.is_empty() { "." } else { path };
            if !out.iter().any(|known| known == path) {
                out.push(path.to_owned());
            }
        }
    }
}

/// A path of a length that can be shown, whatever the names in it.
fn cut(path: String) -> String {
    match path.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", path.get(..at).unwrap_or_default()),
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_lists_say_whether_there_is_anything() {
        for (document, holds) in [
            ("{}", false),
            ("null", false),
            ("[]", false),
            (r#"{"calls": [], "total": 0}"#, false),
            (r#"{"rows": [], "columns": ["id", "start"]}"#, false),
            (r#"{"data": [{"id": 1}], "errors": []}"#, true),
            (r#"{"data": {"calls": []}}"#, false),
            (r#"{"calls": [{"legs": []}]}"#, true),
            (r#"{"error": "not allowed"}"#, true),
            (r#"{"calls": [1]}"#, true),
            ("7", true),
        ] {
            let value: Value = serde_json::from_str(document).unwrap();
            assert_eq!(holds_rows(&value), holds, "{document}");
            let mut left = LeftOut::default();
            left.document(document.as_bytes());
            assert_eq!(left.count, usize::from(holds), "{document}");
        }
    }

    #[test]
    fn parts_are_named_once_and_bounded() {
        let mut left = LeftOut::default();
        left.document(br#"{"a": {"b c": 1}, "list": []}"#);
        assert_eq!((left.count, left.parts.len()), (0, 0));
        left.document(br#"{"a": {"b c": 1}, "list": [{"x": 1}, {"x": 2, "y": 3}]}"#);
        assert_eq!(left.parts, [".a.[\"b c\"]", ".list[].x", ".list[].y"]);

        let fields: Map<String, Value> = (0..600)
            .map(|n| (format!("{n}{}", "é".repeat(200)), Value::Null))
            .collect();
        let wide = Value::Object(fields).to_string();
        let mut left = LeftOut::default();
        for _ in 0..LOOKED_AT + 2 {
            left.row(wide.as_bytes());
        }
        assert_eq!(left.count, LOOKED_AT + 2);
        assert_eq!(left.parts.len(), MOST_PARTS);
        assert!(left.parts.iter().all(|p| p.chars().count() <= LONGEST + 1));
        let reason = left.reason();
        assert!(reason.contains("... and 380 more"), "{reason}");
        assert!(reason.len() < 2 * TOLD * (LONGEST + 10) + 200);
    }
}
