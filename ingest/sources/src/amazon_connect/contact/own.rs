//! What is said of the contact as a whole: by its first leg how it began and with whom, by its last
//! how it ended, by all of them its attributes. The platform's own facts that have no column of ours
//! are attributes whose names begin with `aws:`; those of the customer's flows keep their names.

use std::collections::BTreeMap;

use super::super::doc::{Doc, clip, region_of};
use super::super::instance_source;
use super::super::leg::{Leg, Moment, agent, queue};
use super::super::words::{self, dials, direction, ended_by};
use super::chain::Chain;
use callboard_model::statement::{F, Statement, Thing};

/// Attributes of one contact; more are not kept as facts.
const MOST_ATTRIBUTES: usize = 300;

/// Facts of a leg that become attributes: name, and where they stand.
const KEPT: &[(&str, &[&str])] = &[
    (
        "aws:answering_machine_detection",
        &["AnsweringMachineDetectionStatus"],
    ),
    ("aws:customer_id", &["CustomerId"]),
    ("aws:related_contact", &["RelatedContactId"]),
    ("aws:thread", &["ContactAssociationId"]),
    ("aws:scheduled", &["ScheduledTimestamp"]),
    ("aws:pauses", &["TotalPauseCount"]),
    ("aws:pause_seconds", &["TotalPauseDurationInSeconds"]),
    ("aws:offers", &["AgentConnectionAttempts"]),
    ("aws:outbound_strategy", &["OutboundStrategy", "Type"]),
    (
        "aws:disconnect_issue",
        &["DisconnectDetails", "PotentialDisconnectIssue"],
    ),
    (
        "aws:agent_audio_score",
        &["QualityMetrics", "Agent", "Audio", "QualityScore"],
    ),
    (
        "aws:agent_audio_issues",
        &["QualityMetrics", "Agent", "Audio", "PotentialQualityIssues"],
    ),
    (
        "aws:customer_audio_score",
        &["QualityMetrics", "Customer", "Audio", "QualityScore"],
    ),
    (
        "aws:customer_audio_issues",
        &[
            "QualityMetrics",
            "Customer",
            "Audio",
            "PotentialQualityIssues",
        ],
    ),
    ("aws:device", &["Agent", "DeviceInfo", "PlatformName"]),
    (
        "aws:device_version",
        &["Agent", "DeviceInfo", "PlatformVersion"],
    ),
    (
        "aws:device_system",
        &["Agent", "DeviceInfo", "OperatingSystem"],
    ),
    ("aws:routing_profile", &["Agent", "RoutingProfile", "Name"]),
    ("aws:accepted", &["Agent", "AcceptedByAgentTimestamp"]),
    ("aws:accepted", &["AgentInfo", "AcceptedByAgentTimestamp"]),
    ("aws:preview_ended", &["Agent", "PreviewEndTimestamp"]),
    ("aws:preview_ended", &["AgentInfo", "PreviewEndTimestamp"]),
    (
        "aws:longest_hold_seconds",
        &["Agent", "LongestHoldDuration"],
    ),
    ("aws:agent_pause_seconds", &["Agent", "AgentPauseDuration"]),
    ("aws:media_streams", &["MediaStreams"]),
    (
        "aws:messages",
        &["ChatMetrics", "ContactMetrics", "TotalMessages"],
    ),
    (
        "aws:bot_messages",
        &["ChatMetrics", "ContactMetrics", "TotalBotMessages"],
    ),
    (
        "aws:turns",
        &["ChatMetrics", "ContactMetrics", "ConversationTurnCount"],
    ),
    (
        "aws:close_ms",
        &[
            "ChatMetrics",
            "ContactMetrics",
            "ConversationCloseTimeInMillis",
        ],
    ),
    (
        "aws:first_response_ms",
        &[
            "ChatMetrics",
            "ContactMetrics",
            "AgentFirstResponseTimeInMillis",
        ],
    ),
    (
        "aws:multi_party",
        &["ChatMetrics", "ContactMetrics", "MultiParty"],
    ),
    (
        "aws:agent_messages",
        &["ChatMetrics", "AgentMetrics", "MessagesSent"],
    ),
    (
        "aws:agent_responses",
        &["ChatMetrics", "AgentMetrics", "NumResponses"],
    ),
    (
        "aws:agent_response_ms",
        &["ChatMetrics", "AgentMetrics", "TotalResponseTimeInMillis"],
    ),
    (
        "aws:agent_longest_response_ms",
        &["ChatMetrics", "AgentMetrics", "MaxResponseTimeInMillis"],
    ),
    (
        "aws:customer_messages",
        &["ChatMetrics", "CustomerMetrics", "MessagesSent"],
    ),
    (
        "aws:customer_responses",
        &["ChatMetrics", "CustomerMetrics", "NumResponses"],
    ),
    (
        "aws:customer_response_ms",
        &[
            "ChatMetrics",
            "CustomerMetrics",
            "TotalResponseTimeInMillis",
        ],
    ),
    (
        "aws:chat_abandoned",
        &["ChatMetrics", "CustomerMetrics", "ConversationAbandon"],
    ),
    ("aws:routing_steps", &["RoutingCriteria"]),
    ("aws:references", &["References"]),
    ("aws:contact_name", &["ContactDetails", "Name"]),
    (
        "aws:origin_region",
        &["GlobalResiliencyMetadata", "OriginRegion"],
    ),
    (
        "aws:active_region",
        &["GlobalResiliencyMetadata", "ActiveRegion"],
    ),
];

/// Channel of a leg in our words; empty while no record tells it.
pub(super) fn channel(leg: &Leg) -> &'static str {
    let subtype = leg.find(|d| segment_attribute(d, "connect:Subtype"));
    let channel = leg.word("Channel").unwrap_or_default();
    words::channel(&channel, &subtype.unwrap_or_default())
}

fn segment_attribute(doc: Doc<'_>, name: &str) -> Option<String> {
    plain_value(doc.get("SegmentAttributes").get(name))
}

/// A segment attribute is one value in a wrapper that names its type.
fn plain_value(value: Doc<'_>) -> Option<String> {
    if let Some(text) = value.owned() {
        return Some(text);
    }
    let (_, inner) = value.fields().next()?;
    inner.owned().or_else(|| json(inner))
}

fn json(value: Doc<'_>) -> Option<String> {
    let text = serde_json::to_string(value.value()?).ok()?;
    (text.len() <= 8_000).then_some(text)
}

/// States the contact itself.
pub(super) fn tell(chain: &Chain<'_>, instance: &str, out: &mut Vec<Statement>) {
    let Some(root) = chain.root() else { return };
    let Some(by) = root.by() else { return };
    let channel = channel(root);
    let method = root.method();
    let stated = root.find(|d| segment_attribute(d, "connect:Direction"));
    let direction = direction(
        &method,
        channel,
        &stated.unwrap_or_default().to_ascii_uppercase(),
    );
    let end = |name: &'static str, field: &'static str| {
        root.stands(move |d| d.get(name).get(field).owned())
            .unwrap_or_default()
    };
    let customer = end("CustomerEndpoint", "Address");
    let system = end("SystemEndpoint", "Address");
    let dialled = if direction == "outbound" {
        &customer
    } else {
        &system
    };
    let language = root.find(|d| {
        let config = d.at(&["ContactLens", "ConversationalAnalytics", "Configuration"]);
        config.get("LanguageLocale").owned()
    });
    let campaign = root.find(|d| d.at(&["Campaign", "CampaignId"]).owned());
    let mut s = Statement::new(Thing::Contact, by)
        .text(F::Source, &instance_source(instance))
        .text(F::Channel, channel)
        .text(F::Direction, direction)
        .text(F::Customer, &customer)
        .text(F::CustomerName, &end("CustomerEndpoint", "DisplayName"))
        .text(F::Dialled, dialled)
        .text(F::Campaign, &campaign.unwrap_or_default())
        .text(F::Language, &language.unwrap_or_default())
        .flag(F::EndsAreStated, true);
    if let Some((us, precision)) = root.time(Moment::Initiated) {
        s = s.time(F::Start, us, precision);
    }
    for (name, value) in attributes(chain, &method, &system) {
        s = s.text(F::Attr(clip(&name).into()), &value);
    }
    out.push(s);
    out.extend(ending(chain));
}

/// The end: of the leg that ended last, once all have. A supervisor who listens keeps nothing open.
fn ending(chain: &Chain<'_>) -> Option<Statement> {
    let legs = || chain.legs.iter().filter(|l| l.method() != "MONITOR");
    if legs().any(|l| l.at(Moment::Disconnected).is_none()) {
        return None;
    }
    let last = legs().max_by_key(|l| (l.at(Moment::Disconnected), &l.id))?;
    let (us, precision) = last.time(Moment::Disconnected)?;
    let reason = last.reason();
    let outbound = dials(&last.method(), channel(last));
    let by = last.by()?;
    Some(
        Statement::new(Thing::Contact, by)
            .time(F::End, us, precision)
            .text(F::EndedBy, ended_by(&reason, outbound))
            .text(F::EndReason, &reason)
            .text(F::RawOutcome, &reason),
    )
}

/// Attributes by name. Those of a later leg stand, since the platform carries a chain's attributes
/// on and back over all its legs.
fn attributes(chain: &Chain<'_>, method: &str, system: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut put = |name: String, value: Option<String>| {
        if let Some(value) = value.filter(|_| all.len() < MOST_ATTRIBUTES) {
            all.insert(name, value);
        }
    };
    put(
        "aws:initiation_method".to_owned(),
        Some(method.to_owned()).filter(|m| !m.is_empty()),
    );
    put(
        "aws:system_endpoint".to_owned(),
        Some(system.to_owned()).filter(|t| !t.is_empty()),
    );
    for leg in chain.legs {
        let region = leg.find(|d| {
            let arn = d.get("InstanceARN").text()?;
            region_of(&arn).map(str::to_owned)
        });
        put("aws:region".to_owned(), region);
        for (name, path) in KEPT {
            let value = leg.find(|d| {
                let value = d.at(path);
                value.owned().or_else(|| json(value))
            });
            put((*name).to_owned(), value);
        }
        // Rows name agents and queues by the platform's ids, which no rename changes.
        if let Some(id) = leg.agent() {
            put(
                format!("aws:agent/{id}"),
                leg.find(|d| agent(d).get("Username").owned()),
            );
            put(format!("aws:team/{id}"), leg.find(team));
        }
        if let Some(id) = leg.queue() {
            put(
                format!("aws:queue/{id}"),
                leg.find(|d| queue(d).get("Name").owned()),
            );
        }
        for (prefix, field) in [
            ("", "Attributes"),
            ("tag:", "Tags"),
            ("segment:", "SegmentAttributes"),
        ] {
            let given = leg.stands(|d| d.get(field).value());
            let fields = given.map(Doc::of);
            for (name, value) in fields.into_iter().flat_map(Doc::fields) {
                let name = match field {
                    "Attributes" => name.to_owned(),
                    _ if name.contains(':') => name.to_owned(),
                    _ => format!("{prefix}{name}"),
                };
                put(name, plain_value(value));
            }
        }
        let contact_lens = leg.find(|d| {
            let config = d.at(&["ContactLens", "ConversationalAnalytics", "Configuration"]);
            json(config.at(&["ChannelConfiguration", "AnalyticsModes"]))
        });
        put("aws:contact_lens".to_owned(), contact_lens);
    }
    all
}

/// Names of the levels of the agent's hierarchy at that time, or their ids where an event names
/// only those.
fn team(doc: Doc<'_>) -> Option<String> {
    let groups = agent(doc).get("HierarchyGroups").value()?;
    let level = |n: usize| {
        let group = Doc::of(groups).get(&format!("Level{n}"));
        let name = group.any(&["GroupName", "Name"]).owned();
        name.or_else(|| {
            let arn = group.get("ARN").owned()?;
            Some(arn.rsplit('/').next().unwrap_or(&arn).to_owned())
        })
    };
    let levels: Vec<String> = (1..=5).filter_map(level).collect();
    (!levels.is_empty()).then(|| levels.join(" / "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_segment_attribute_is_unwrapped() {
        let v = json!({"SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:SMS"}}});
        let found = segment_attribute(Doc::of(&v), "connect:Subtype");
        assert_eq!(found.as_deref(), Some("connect:SMS"));
        let v: Value = json!({"ValueMap": {"a": 1}});
        assert_eq!(plain_value(Doc::of(&v)).as_deref(), Some("{\"a\":1}"));
    }
}
