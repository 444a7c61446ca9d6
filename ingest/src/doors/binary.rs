//! CloudEvents' binary mode: attributes in `ce-` headers, data in the body. It becomes the
//! structured form, so that everything after the door knows one form only.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use callboard_model::record::Refusal;
use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// How the media types of structured events and batches begin.
const STRUCTURED: &[u8] = b"application/cloudevents";

/// Attributes of ours that are numbers; headers know only texts.
pub(super) const NUMBERS: [&str; 2] = ["rank", "precision"];

/// Whether these headers are those of the binary mode: those that a structured event may repeat do
/// not make it one.
pub fn is_binary(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).map(|v| v.as_bytes());
    let structured = media.and_then(|m| m.get(..STRUCTURED.len()));
    if structured.is_some_and(|m| m.eq_ignore_ascii_case(STRUCTURED)) {
        return false;
    }
    headers.contains_key("ce-specversion") || headers.contains_key("ce-id")
}

/// The structured JSON of an event in binary mode.
///
/// # Errors
/// A [`Refusal`] that names the header at fault, or says that the body is not the JSON it should
/// be.
pub fn structured(headers: &HeaderMap, body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut event = Map::new();
    for (name, value) in headers {
        let Some(attribute) = name.as_str().strip_prefix("ce-") else {
            continue;
        };
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if attribute.is_empty() || !attribute.bytes().all(allowed) {
            return Err(bad(
                name.as_str(),
                "an attribute's name has a-z and 0-9 only",
            ));
        }
        if ["data", "datacontenttype"].contains(&attribute) {
            return Err(bad(
                name.as_str(),
                "this goes into the body and Content-Type, not into a header",
            ));
        }
        let text = decoded(name.as_str(), value.as_bytes())?;
        let value = match text.parse::<i32>() {
            Ok(number) if NUMBERS.contains(&attribute) => Value::from(number),
            _ => Value::from(text),
        };
        if event.insert(attribute.to_owned(), value).is_some() {
            return Err(bad(name.as_str(), "the header is there twice"));
        }
    }
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    if let Some(content_type) = &content_type {
        event.insert("datacontenttype".into(), content_type.as_str().into());
    }
    write(event, content_type.as_deref(), body)
}

fn bad(name: &str, what: &str) -> Refusal {
    Refusal::new("bad_attribute", format!("header {name}: {what}"))
}

/// Reads a header's value: a quoted text is unquoted, then decoded once.
fn decoded(name: &str, value: &[u8]) -> Result<String, Refusal> {
    let text = std::str::from_utf8(value)
        .map_err(|_| bad(name, "not UTF-8; encode such characters with %"))?
        .trim();
    let unquoted = match text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => text.to_owned(),
    };
    percent_decode_str(&unquoted)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| bad(name, "not UTF-8 after decoding %"))
}

/// Puts attributes and data together; JSON data is taken over byte by byte.
pub(super) fn write(
    event: Map<String, Value>,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Vec<u8>, Refusal> {
    let attributes = Value::Object(event).to_string();
    let mut out = attributes.into_bytes();
    if body.is_empty() {
        return Ok(out);
    }
    let media = content_type
        .and_then(|c| c.split(';').next())
        .unwrap_or("application/json")
        .trim()
        .to_ascii_lowercase();
    out.pop();
    if out.len() > 1 {
        out.push(b',');
    }
    if media.ends_with("/json") || media.ends_with("+json") {
        let raw: &RawValue = serde_json::from_slice(body)
            .map_err(|e| Refusal::new("not_json", format!("the data is not JSON: {e}")))?;
        out.extend_from_slice(b"\"data\":");
        out.extend_from_slice(raw.get().as_bytes());
    } else if let (true, Ok(text)) = (media.starts_with("text/"), std::str::from_utf8(body)) {
        out.extend_from_slice(b"\"data\":");
        out.extend_from_slice(Value::from(text).to_string().as_bytes());
    } else {
        out.extend_from_slice(b"\"data_base64\":\"");
        out.extend_from_slice(
            base64::engine::general_purpose::STANDARD
                .encode(body)
                .as_bytes(),
        );
        out.push(b'"');
    }
    out.push(b'}');
    Ok(out)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(all: &[(&str, &str)]) -> HeaderMap {
        all.iter()
            .map(|(n, v)| {
                (
                    HeaderName::from_bytes(n.as_bytes()).unwrap(),
                    HeaderValue::from_str(v).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn headers_and_body_become_one_event() {
        let out = structured(
            &headers(&[
                ("ce-specversion", "1.0"),
                ("ce-id", "Euro%20%E2%82%AC%20%25"),
                ("ce-source", "\"/a b\""),
                ("ce-rank", "40"),
                ("ce-comexample", "17"),
                ("content-type", "application/json; charset=utf-8"),
            ]),
            br#" {"n": 1.50} "#,
        )
        .unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(r#""data":{"n": 1.50}"#), "{text}");
        let event: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(event["id"], "Euro € %");
        assert_eq!(event["source"], "/a b");
        assert_eq!(event["rank"], 40);
        assert_eq!(event["comexample"], "17");
        assert_eq!(event["datacontenttype"], "application/json; charset=utf-8");
    }

    #[test]
    fn other_data_is_kept_as_text_or_base64() {
        let out = structured(
            &headers(&[("ce-id", "1"), ("content-type", "text/plain")]),
            b"a\"b",
        );
        let event: Value = serde_json::from_slice(&out.unwrap()).unwrap();
        assert_eq!(event["data"], "a\"b");
        let out = structured(
            &headers(&[("ce-id", "1"), ("content-type", "image/png")]),
            b"\xff\x00",
        );
        let event: Value = serde_json::from_slice(&out.unwrap()).unwrap();
        assert_eq!(event["data_base64"], "/wA=");
        let out = structured(&headers(&[("ce-id", "1")]), b"").unwrap();
        assert_eq!(out, br#"{"id":"1"}"#);
    }

    #[test]
    fn a_header_at_fault_is_named() {
        for (name, value) in [("ce-Bad_name", "1"), ("ce-data", "1"), ("ce-id", "%ff")] {
            let refusal = structured(&headers(&[(name, value)]), b"").unwrap_err();
            assert_eq!(refusal.class, "bad_attribute");
            assert!(refusal.reason.contains(&name.to_lowercase()), "{refusal}");
        }
        let refusal = structured(&headers(&[("ce-id", "1")]), b"{").unwrap_err();
        assert_eq!(refusal.class, "not_json");
    }
}
