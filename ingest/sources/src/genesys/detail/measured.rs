//! What a detail record measured: the least quality of the conversation, and each session's media.

use std::sync::Arc;

use callboard_model::record::Provenance;
use callboard_model::statement::{F, Statement};
use serde_json::Value;

use crate::genesys::{instance_source, sessions};
use crate::payload::measured::Measured;
use crate::payload::value::{float, items, text, time};

/// Fields of a session's media endpoint: field, name, unit.
const FIELDS: [(&str, &str, &str); 9] = [
    ("minMos", "mos_min", "mos"),
    ("minRFactor", "r_factor_min", "r"),
    ("maxLatencyMs", "latency_max_ms", "ms"),
    ("receivedPackets", "packets_received", "count"),
    ("discardedPackets", "packets_discarded", "count"),
    ("invalidPackets", "packets_invalid", "count"),
    ("duplicatePackets", "packets_duplicate", "count"),
    ("overrunPackets", "packets_overrun", "count"),
    ("underrunPackets", "packets_underrun", "count"),
];

/// What is said of a conversation's quality.
pub(super) fn tell(
    instance: &str,
    v: &Value,
    last: Option<i64>,
    by: &Arc<Provenance>,
    out: &mut Vec<Statement>,
) {
    let Some(last) = last else { return };
    let source = instance_source(instance);
    let whole = Measured {
        source: &source,
        who: "",
        at: time(v, "conversationEnd").map_or(last, |t| t.0),
        by,
    };
    out.extend(whole.says("mos_min", float(v, "mediaStatsMinConversationMos")));
    out.extend(whole.says("r_factor_min", float(v, "mediaStatsMinConversationRFactor")));
    for (participant, session) in sessions(v) {
        let id = text(session, "sessionId");
        let user = text(participant, "userId");
        let who = match user.is_empty() {
            true => text(participant, "purpose").to_ascii_lowercase(),
            false => user,
        };
        let ended = items(session, "segments")
            .iter()
            .filter_map(|g| time(g, "segmentEnd").or(time(g, "segmentStart")))
            .map(|t| t.0)
            .max();
        for stat in items(session, "mediaEndpointStats") {
            let at = time(stat, "eventTime").map(|t| t.0).or(ended);
            let of = Measured {
                source: &source,
                who: &who,
                at: at.unwrap_or(last),
                by,
            };
            for (field, name, unit) in FIELDS {
                let s = of.says_in(name, unit, float(stat, field));
                out.extend(s.map(|s| s.text(F::Parent, &format!("talk/{id}"))));
            }
        }
    }
}
