//! Voice Insights: the summary of a call, with what each edge of it measured. It comes when the call
//! is over, partial first and complete half an hour later.

use callboard_model::ids::PlatformId;
use callboard_model::record::{Record, Refusal, RouteKey, Routing, rank};
use callboard_model::statement::{F, Statement};
use serde_json::Value;

use super::{PLATFORM, instance_source};
use crate::payload::measured::{Measured, key_of};
use crate::payload::value::{either, field, float, path, text, time};

/// Edges at which the platform measures: carrier, the softphone in a browser, the old client, SIP.
const EDGES: [&str; 4] = ["carrier_edge", "sdk_edge", "client_edge", "sip_edge"];

/// Numbers of a direction: field, name, factor.
const NUMBERS: [(&str, &str, f64); 3] = [
    ("packets_received", "packets_received", 1.0),
    ("packets_lost", "packets_lost", 1.0),
    ("packets_loss_percentage", "packet_loss_ratio", 0.01),
];

/// Numbers that have a mean and an extreme: field, name of the mean, of the extreme, which extreme.
const SPREAD: [(&str, &str, &str, &str); 4] = [
    ("jitter", "jitter_ms", "jitter_max_ms", "max"),
    ("latency", "latency_ms", "latency_max_ms", "max"),
    ("rtt", "round_trip_ms", "round_trip_max_ms", "max"),
    ("mos", "mos", "mos_min", "min"),
];

/// Whether a document is such a summary.
pub(super) fn is_summary(has: impl Fn(&str) -> bool) -> bool {
    (has("call_sid") || has("callSid")) && EDGES.iter().any(|e| has(e) || has(&camel(e)))
}

/// `carrier_edge` as `carrierEdge`.
fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (head, tail) = part.split_at(part.len().min(1));
        out += &head.to_ascii_uppercase();
        out += tail;
    }
    out
}

/// What a summary measured, on the contact of its call.
pub(super) fn route(instance: &str, record: &Record) -> Result<Routing, Refusal> {
    let v: Value = serde_json::from_slice(&record.bytes)
        .map_err(|e| Refusal::new("not_json", format!("the record is no JSON: {e}")))?;
    let get = |name: &str| either(&v, &[name, &camel(name)]);
    let call = get("call_sid").and_then(Value::as_str).unwrap_or_default();
    if call.is_empty() {
        return Err(Refusal::new("missing_attribute", "call_sid is missing"));
    }
    let of = |name: &str| time(&v, name).or_else(|| time(&v, &camel(name)));
    let Some((at, _)) = of("end_time").or(of("start_time")).or(of("created_time")) else {
        return Err(Refusal::new(
            "no_time",
            "the summary has no end_time that can be read",
        ));
    };
    // A complete summary takes the place of a partial one.
    let partial = text(&v, "processing_state").eq_ignore_ascii_case("partial");
    let by = record.provenance(if partial { rank::LIVE } else { rank::RECORD }, Some(at));
    let source = instance_source(instance);
    let contact = PlatformId::new(PLATFORM, instance, call).contact_id();
    let mut said = Vec::new();
    for edge in EDGES {
        let Some(measured) = get(edge) else { continue };
        let client = path(measured, &["properties", "sdk", "version"])
            .or_else(|| path(measured, &["metadata", "sdk_version"]))
            .and_then(crate::payload::value::as_text)
            .unwrap_or_default();
        for direction in ["inbound", "outbound"] {
            let Some(figures) = path(measured, &["metrics", direction]) else {
                continue;
            };
            let who = format!("{} {direction}", edge.trim_end_matches("_edge"));
            let of = Measured {
                source: &source,
                who: &who,
                at,
                by: &by,
            };
            let numbers = NUMBERS.iter().map(|(name, ours, factor)| {
                let n = float(figures, name).or_else(|| float(figures, &camel(name)));
                of.says(ours, n.map(|n| n * factor))
            });
            let spread = SPREAD.iter().flat_map(|(name, mean, most, extreme)| {
                let found = field(figures, name);
                let one = |part: &str| found.and_then(|f| float(f, part));
                let unit = if *name == "mos" { "mos" } else { "ms" };
                [
                    of.says_in(mean, unit, one("avg")),
                    of.says_in(most, unit, one(extreme)),
                ]
            });
            let all: Vec<Statement> = numbers.chain(spread).flatten().collect();
            said.extend(all.into_iter().map(|s| {
                s.text(F::Contact, &contact)
                    .text(F::Attr("client".into()), &client)
            }));
        }
    }
    Ok(Routing {
        keys: vec![RouteKey::Direct(key_of(&contact))],
        statements: Some(said),
        time: Some(at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_known() {
        assert_eq!(camel("carrier_edge"), "carrierEdge");
        assert!(is_summary(|n| ["callSid", "sdkEdge"].contains(&n)));
        assert!(!is_summary(|n| n == "call_sid"));
    }
}
