//! Functions of the views that SQL does not have: numbers as they are compared, the ids that
//! contacts carry from one system into another, and when a flow handed a contact over.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field};
use callboard_model::time::parse_rfc3339;
use datafusion::common::{Result, internal_datafusion_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::identity::number_key;

/// Names of attributes that carry an id from one system into the next: letters and digits alone,
/// without the `x` of a header.
const CARRIED: [&str; 12] = [
    "callboard",
    "callboardid",
    "callboardjourney",
    "journeyid",
    "journey",
    "leaseid",
    "ucid",
    "avayaucid",
    "uui",
    "usertouser",
    "usertouserinformation",
    "sipusertouser",
];
/// Shortest and longest value that can be an id.
const LENGTHS: std::ops::RangeInclusive<usize> = 6..=200;
/// Longest text of attributes that is looked into, bytes.
const LONGEST: usize = 1 << 20;

/// Attributes that tell of the last block of a flow that handed a contact over.
const BLOCK_AT: &str = "aws:transfer_block_at";
const BLOCK_NUMBER: &str = "aws:transfer_block_number";

/// The functions.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    Word::ALL
        .into_iter()
        .map(|word| {
            Arc::new(ScalarUDF::from(Function {
                word,
                signature: Signature::exact(vec![DataType::Utf8], Volatility::Immutable),
            }))
        })
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Word {
    /// `number_key(address)`: digits, NULL where it is no number.
    NumberKey,
    /// `carried_ids(attributes)`: a list of `name value`.
    CarriedIds,
    /// `transfer_block_at(attributes)`: when a flow handed the contact over, UTC microseconds.
    TransferBlockAt,
    /// `transfer_block_number(attributes)`: the key of the number to which it did.
    TransferBlockNumber,
}

impl Word {
    const ALL: [Word; 4] = [
        Word::NumberKey,
        Word::CarriedIds,
        Word::TransferBlockAt,
        Word::TransferBlockNumber,
    ];
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Function {
    word: Word,
    signature: Signature,
}

fn list_of_texts() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Utf8, true))
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        match self.word {
            Word::NumberKey => "number_key",
            Word::CarriedIds => "carried_ids",
            Word::TransferBlockAt => "transfer_block_at",
            Word::TransferBlockNumber => "transfer_block_number",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _args: &[DataType]) -> Result<DataType> {
        Ok(match self.word {
            Word::NumberKey | Word::TransferBlockNumber => DataType::Utf8,
            Word::TransferBlockAt => DataType::Int64,
            Word::CarriedIds => DataType::List(list_of_texts()),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let columns = ColumnarValue::values_to_arrays(&args.args)?;
        let texts = columns.first().and_then(|c| c.as_string_opt::<i32>());
        let texts = texts.ok_or_else(|| internal_datafusion_err!("a text was expected"))?;
        let told: ArrayRef = match self.word {
            Word::NumberKey => {
                let keys = texts.iter().map(|t| t.and_then(number_key));
                Arc::new(keys.collect::<StringArray>())
            }
            Word::CarriedIds => {
                let mut out = ListBuilder::new(StringBuilder::new()).with_field(list_of_texts());
                for text in texts {
                    for id in text.map(carried).unwrap_or_default() {
                        out.values().append_value(id);
                    }
                    out.append(true);
                }
                Arc::new(out.finish())
            }
            Word::TransferBlockAt => {
                let block = |t| attribute(t, BLOCK_AT).and_then(|at| parse_rfc3339(&at));
                let times = texts.iter().map(|t| t.and_then(block).map(|(us, _)| us));
                Arc::new(times.collect::<Int64Array>())
            }
            Word::TransferBlockNumber => {
                let block = |t| attribute(t, BLOCK_NUMBER).and_then(|n| number_key(&n));
                let keys = texts.iter().map(|t| t.and_then(block));
                Arc::new(keys.collect::<StringArray>())
            }
        };
        // One row of constants is a constant.
        let single = args
            .args
            .iter()
            .all(|a| matches!(a, ColumnarValue::Scalar(_)));
        if single && told.len() == 1 {
            let value = datafusion::common::ScalarValue::try_from_array(&told, 0)?;
            return Ok(ColumnarValue::Scalar(value));
        }
        Ok(ColumnarValue::Array(told))
    }
}

/// A contact's attributes; none where they are no texts by name.
fn named(attributes: &str) -> BTreeMap<String, String> {
    if attributes.len() > LONGEST {
        return BTreeMap::new();
    }
    serde_json::from_str(attributes).unwrap_or_default()
}

/// One of a contact's attributes.
fn attribute(attributes: &str, name: &str) -> Option<String> {
    // Most contacts have none of these.
    attributes
        .contains(name)
        .then(|| named(attributes).remove(name))?
}

/// The ids among a contact's attributes, as `name value`.
fn carried(attributes: &str) -> Vec<String> {
    let all = named(attributes);
    let mut found: Vec<String> = all
        .iter()
        .filter_map(|(name, value)| {
            let name = plain(name);
            let known = CARRIED.contains(&name.as_str());
            // User-to-user information says behind it how it is written.
            let value = value.split(';').next().unwrap_or(value).trim();
            let value = value.to_ascii_lowercase();
            (known && LENGTHS.contains(&value.chars().count())).then(|| {
                let kind = if name.contains("ucid") {
                    "ucid"
                } else {
                    family(&name)
                };
                format!("{kind} {value}")
            })
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The name without prefixes and signs: `header.X-Callboard-Id` is `callboardid`.
fn plain(name: &str) -> String {
    let last = name.rsplit(['.', ':', '/']).next().unwrap_or(name);
    let last = last.to_ascii_lowercase();
    let last = last.strip_prefix("sip_h_").unwrap_or(&last);
    let last = last.strip_prefix("x-").unwrap_or(last);
    last.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Two platforms call the same thing differently.
fn family(name: &str) -> &'static str {
    match name {
        n if n.contains("journey") => "journey",
        "leaseid" => "lease",
        n if n.starts_with("callboard") => "callboard",
        _ => "uui",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_carried_are_found_under_each_platforms_name() {
        for (attributes, told) in [
            (
                r#"{"header.X-Callboard-Id":"J-2026-0001"}"#,
                "callboard j-2026-0001",
            ),
            (
                r#"{"callboard":"J-2026-0001","topic":"J-2026-0001"}"#,
                "callboard j-2026-0001",
            ),
            (
                r#"{"sip_h_X-Avaya-UCID":"00001002341409566690"}"#,
                "ucid 00001002341409566690",
            ),
            (
                r#"{"header.User-to-User":"00FA08002300;encoding=hex"}"#,
                "uui 00fa08002300",
            ),
            (r#"{"handoff.journey_id":"chat-77f1"}"#, "journey chat-77f1"),
        ] {
            assert_eq!(carried(attributes), [told], "{attributes}");
        }
        // No id, too short to be one, no object.
        for attributes in [r#"{"topic":"J-2026-0001"}"#, r#"{"uui":"1"}"#, "[1]", ""] {
            assert!(carried(attributes).is_empty(), "{attributes}");
        }
    }

    #[test]
    fn the_block_of_a_flow_that_handed_over_is_read() {
        let told = r#"{"aws:flow":"Main","aws:transfer_block_at":"2026-03-02T09:00:00.250Z"}"#;
        let at = attribute(told, BLOCK_AT).and_then(|at| parse_rfc3339(&at));
        assert_eq!(at.map(|(us, _)| us), Some(1_772_442_000_250_000));
        assert_eq!(attribute(told, BLOCK_NUMBER), None);
        assert_eq!(attribute("[\"aws:transfer_block_at\"]", BLOCK_AT), None);
    }
}
