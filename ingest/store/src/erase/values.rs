//! The values in a record's bytes, whatever its format: leaves of JSON, fields between bars or
//! commas, JSON inside a field, the name and the number of a caller. Not their meaning.

use std::collections::BTreeSet;

use serde_json::Value;

/// Deepest nesting that is followed.
const DEPTH: usize = 64;

/// Whether one of these texts is a value of the bytes, as a whole.
#[must_use]
pub fn hold(bytes: &[u8], wanted: &BTreeSet<&str>) -> bool {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => in_json(&value, wanted, false, DEPTH),
        Err(_) => in_line(&String::from_utf8_lossy(bytes), wanted),
    }
}

/// `numbers` says that a number may be somebody's: among the platform's own attributes it may, as a
/// duration or a position it is not.
fn in_json(value: &Value, wanted: &BTreeSet<&str>, numbers: bool, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    match value {
        Value::String(text) => in_text(text, wanted),
        Value::Number(number) => numbers && wanted.contains(number.to_string().as_str()),
        Value::Array(all) => all.iter().any(|v| in_json(v, wanted, numbers, depth - 1)),
        Value::Object(all) => all
            .iter()
            .any(|(name, v)| in_json(v, wanted, numbers || name == "attributes", depth - 1)),
        Value::Null | Value::Bool(_) => false,
    }
}

/// A text that may hold more than one value.
fn in_text(text: &str, wanted: &BTreeSet<&str>) -> bool {
    let text = text.trim();
    if wanted.contains(text) {
        return true;
    }
    if text.starts_with(['{', '['])
        && let Ok(inner @ (Value::Array(_) | Value::Object(_))) = serde_json::from_str(text)
    {
        return in_json(&inner, wanted, false, DEPTH);
    }
    // "Anna Weber" <+4930123>
    if let Some((name, rest)) = text.split_once('<')
        && let Some(number) = rest.strip_suffix('>')
    {
        let name = name.trim().trim_matches('"');
        return wanted.contains(name) || wanted.contains(number.trim());
    }
    false
}

/// A line of fields: between bars, or between commas with quotes.
fn in_line(line: &str, wanted: &BTreeSet<&str>) -> bool {
    let line = line.trim_end_matches(['\r', '\n']);
    if line.contains('|') && line.split('|').any(|field| in_text(field, wanted)) {
        return true;
    }
    fields(line).iter().any(|field| in_text(field, wanted))
}

/// Fields between commas; a quote inside quotes is doubled.
fn fields(line: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                push(&mut all, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => all.push(String::new()),
            c => push(&mut all, c),
        }
    }
    all
}

fn push(all: &mut [String], c: char) {
    if let Some(last) = all.last_mut() {
        last.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &str, wanted: &str) -> bool {
        hold(bytes.as_bytes(), &BTreeSet::from([wanted]))
    }

    #[test]
    fn values_are_found_whole_in_every_format() {
        let event =
            r#"{"data":{"customer":"+4930123","name":"J\u00fcrgen","attributes":{"n":[17]}}}"#;
        assert!(found(event, "+4930123"));
        assert!(found(event, "Jürgen"));
        assert!(found(event, "17"));
        assert!(!found(r#"{"data":{"wait_ms":17}}"#, "17"), "a duration");
        assert!(!found(event, "+493012"));
        assert!(!found(event, "customer"), "a name of a field is no value");
        let log = "1795253982|1795253982.23|sales|NONE|ENTERQUEUE||+4930123|1";
        assert!(found(log, "+4930123"));
        assert!(found(log, "1795253982.23"));
        assert!(!found(log, "1795253982.2"));
        let cdr = r#""","+4930123","100","in","""Anna, Weber"" <+4930123>","SIP/a-1""#;
        for wanted in ["+4930123", "Anna, Weber", "SIP/a-1"] {
            assert!(found(cdr, wanted), "{wanted}");
        }
        let cel =
            r#""BLINDTRANSFER","{""extension"":""200"",""transferee_channel_uniqueid"":""17.3""}""#;
        assert!(found(cel, "17.3"));
        assert!(!found(cel, "extension"));
    }
}
