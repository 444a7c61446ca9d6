//! Rows of CSV as JSON objects of texts.

use serde_json::{Map, Value};

use super::file::Csv;
use super::item::Found;

/// Most columns of a row.
const MOST_COLUMNS: usize = 1_000;

/// The rows. One with more fields than names, or that is no text, cannot be read.
pub(super) fn read(bytes: &[u8], how: &Csv) -> Vec<Found> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut rest = bytes;
    for _ in 0..how.skip {
        let end = rest
            .iter()
            .position(|b| *b == b'\n')
            .map_or(rest.len(), |n| n + 1);
        rest = rest.get(end..).unwrap_or_default();
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(u8::try_from(how.separator).unwrap_or(b','))
        .from_reader(rest);
    let mut names: Option<Vec<String>> = match how.columns.is_empty() {
        true => None,
        false => Some(how.columns.clone()),
    };
    let mut out = Vec::new();
    for row in reader.byte_records() {
        let row = match row {
            Ok(row) => row,
            Err(e) => {
                out.push(Err(("bad_row", format!("no CSV: {e}"), Vec::new())));
                continue;
            }
        };
        if row.iter().all(|field| field.trim_ascii().is_empty()) {
            continue;
        }
        let line = row.position().map_or(0, csv::Position::line) + how.skip as u64;
        let texts: Vec<String> = row
            .iter()
            .map(|field| String::from_utf8_lossy(field).into_owned())
            .collect();
        let Some(names) = &names else {
            names = Some(texts.iter().map(|t| t.trim().to_owned()).collect());
            continue;
        };
        if texts.len() > names.len() || texts.len() > MOST_COLUMNS {
            let reason = format!(
                "line {line} has {} fields, but there are {} columns; is a separator not quoted?",
                texts.len(),
                names.len()
            );
            let fields: Vec<&[u8]> = row.iter().collect();
            out.push(Err(("bad_row", reason, fields.join(&b", "[..]))));
            continue;
        }
        let fields: Map<String, Value> = names
            .iter()
            .cloned()
            .zip(texts.into_iter().map(Value::String))
            .collect();
        out.push(Ok(Value::Object(fields).to_string().into_bytes()));
    }
    out
}
