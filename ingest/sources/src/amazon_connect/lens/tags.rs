//! What Contact Lens found in a conversation: categories, issues, outcomes, what is left to do,
//! redactions, moods, interruptions, silence, the summary.

use std::collections::BTreeMap;

use callboard_model::cloudevents::data::TagData;

use super::super::doc::Doc;
use super::{Turned, sentiment};

/// Findings of one transcript.
const MOST_TAGS: usize = 5_000;

/// All that a file holds beside its turns.
pub(super) fn of_file(doc: Doc<'_>, turns: &[Turned<'_>]) -> Vec<TagData> {
    let about = doc.get("ConversationCharacteristics");
    let mut all = categories(doc.get("Categories"), turns);
    all.extend(found_in(turns));
    all.extend(moods(about.get("Sentiment")));
    for (role, list) in about
        .at(&["Interruptions", "InterruptionsByInterrupter"])
        .fields()
    {
        all.extend(
            list.list()
                .map(|i| placed("interruption", role, i, Some(role))),
        );
    }
    let quiet = about.at(&["NonTalkTime", "Instances"]).list();
    all.extend(quiet.map(|i| placed("non_talk", "non_talk", i, None)));
    all.extend(measures(about));
    all.extend(summary(about.at(&["ContactSummary", "PostContactSummary"])));
    all.truncate(MOST_TAGS);
    all
}

fn leg(role: &str) -> Option<String> {
    match &*role.to_ascii_uppercase() {
        "AGENT" => Some("agent".to_owned()),
        "CUSTOMER" => Some("customer".to_owned()),
        _ => None,
    }
}

fn tag(kind: &str, name: &str) -> TagData {
    TagData {
        kind: kind.to_owned(),
        name: name.to_owned(),
        rule_version: Some("contact-lens".to_owned()),
        ..TagData::default()
    }
}

/// A finding with its place.
fn placed(kind: &str, name: &str, place: Doc<'_>, role: Option<&str>) -> TagData {
    TagData {
        leg: role.and_then(leg),
        start_ms: place.get("BeginOffsetMillis").int(),
        end_ms: place.get("EndOffsetMillis").int(),
        ..tag(kind, name)
    }
}

/// Categories whose rules matched, with each place where they did; without a place the whole
/// conversation matched.
pub(super) fn categories(doc: Doc<'_>, turns: &[Turned<'_>]) -> Vec<TagData> {
    let mut all = Vec::new();
    let details = doc.get("MatchedDetails");
    for name in doc.get("MatchedCategories").list().filter_map(Doc::owned) {
        let before = all.len();
        for point in details.get(&name).get("PointsOfInterest").list() {
            let mut items = point.get("TranscriptItems").list().peekable();
            if items.peek().is_none() {
                all.push(placed("category", &name, point, None));
            }
            for item in items {
                let id = item.get("Id").owned();
                let turn = turns.iter().find(|t| t.item.get("Id").owned() == id);
                all.push(TagData {
                    turn_seq: turn.and_then(|t| t.turn.seq),
                    start_ms: turn.map(|t| t.turn.start_ms),
                    end_ms: turn.map(|t| t.turn.end_ms),
                    ..tag("category", &name)
                });
            }
        }
        if all.len() == before {
            all.push(tag("category", &name));
        }
    }
    all.truncate(MOST_TAGS);
    all
}

/// What was found in turns.
pub(super) fn found_in(turns: &[Turned<'_>]) -> Vec<TagData> {
    let mut all = Vec::new();
    for Turned { turn, item } in turns {
        let here = |kind: &str, name: &str| TagData {
            leg: leg(&turn.leg),
            start_ms: Some(turn.start_ms),
            end_ms: Some(turn.end_ms),
            turn_seq: turn.seq,
            ..tag(kind, name)
        };
        for (field, name) in [
            ("IssuesDetected", "issue"),
            ("OutcomesDetected", "outcome"),
            ("ActionItemsDetected", "action_item"),
        ] {
            for found in item.get(field).list() {
                all.push(TagData {
                    evidence: found.get("Text").owned().or_else(|| cut(&turn.text, found)),
                    ..here("summary", name)
                });
            }
        }
        for place in item.at(&["Redaction", "RedactedTimestamps"]).list() {
            all.push(TagData {
                start_ms: place.get("BeginOffsetMillis").int(),
                end_ms: place.get("EndOffsetMillis").int(),
                ..here("redaction", "PII")
            });
        }
        let signs = item.at(&["Redaction", "CharacterOffsets"]).list();
        all.extend(signs.map(|_| here("redaction", "PII")));
    }
    all.truncate(MOST_TAGS);
    all
}

/// The characters of a text that a finding names.
fn cut(text: &str, found: Doc<'_>) -> Option<String> {
    let place = found.get("CharacterOffsets");
    let begin = usize::try_from(place.get("BeginOffsetChar").int()?).ok()?;
    let end = usize::try_from(place.get("EndOffsetChar").int()?).ok()?;
    let chosen = text.chars().skip(begin).take(end.checked_sub(begin)?);
    Some(chosen.collect()).filter(|t: &String| !t.is_empty())
}

/// Moods of a call or a chat: the platform's figures from -5 to 5, as -1 to 1.
fn moods(doc: Doc<'_>) -> Vec<TagData> {
    let mut all = Vec::new();
    let mut score = |name: &str, role: &str, value: Option<f64>, place: Option<Doc<'_>>| {
        if let Some(value) = value {
            let at = |field| place.and_then(|p| p.get(field).int());
            all.push(TagData {
                leg: leg(role),
                score: Some(value / 5.0),
                start_ms: at("BeginOffsetMillis"),
                end_ms: at("EndOffsetMillis"),
                ..tag("sentiment", name)
            });
        }
    };
    let overall = doc.get("OverallSentiment");
    let by_role = overall.get("DetailsByParticipantRole");
    for (role, value) in overall.fields().chain(by_role.fields()) {
        score("overall", role, value.float(), None);
    }
    for (role, quarters) in doc.at(&["SentimentByPeriod", "QUARTER"]).fields() {
        for quarter in quarters.list() {
            score("quarter", role, quarter.get("Score").float(), Some(quarter));
        }
    }
    for (role, shift) in doc
        .at(&["SentimentShift", "DetailsByParticipantRole"])
        .fields()
    {
        score("begin", role, shift.get("BeginScore").float(), None);
        score("end", role, shift.get("EndScore").float(), None);
    }
    for group in doc.get("DetailsByTranscriptItemGroup").list() {
        if let Some(value) = sentiment(group.get("Sentiment")) {
            let role = group.get("ParticipantRole").owned().unwrap_or_default();
            score("turns", &role, Some(value * 5.0), None);
        }
    }
    all
}

/// Figures of the whole conversation, in the unit that their names say.
fn measures(about: Doc<'_>) -> Vec<TagData> {
    let mut all = Vec::new();
    let mut put = |name: &str, role: Option<&str>, value: Doc<'_>| {
        if let Some(score) = value.float() {
            all.push(TagData {
                leg: role.and_then(leg),
                score: Some(score),
                ..tag("measure", name)
            });
        }
    };
    put(
        "interruptions",
        None,
        about.at(&["Interruptions", "TotalCount"]),
    );
    put(
        "interruption_ms",
        None,
        about.at(&["Interruptions", "TotalTimeMillis"]),
    );
    put(
        "non_talk_ms",
        None,
        about.at(&["NonTalkTime", "TotalTimeMillis"]),
    );
    put("talk_ms", None, about.at(&["TalkTime", "TotalTimeMillis"]));
    for (role, d) in about.at(&["TalkTime", "DetailsByParticipant"]).fields() {
        put("talk_ms", Some(role), d.get("TotalTimeMillis"));
    }
    for (role, d) in about.at(&["TalkSpeed", "DetailsByParticipant"]).fields() {
        put(
            "words_per_minute",
            Some(role),
            d.get("AverageWordsPerMinute"),
        );
    }
    let answers = about.get("ResponseTime");
    put(
        "greeting_ms",
        Some("AGENT"),
        answers.get("AgentGreetingTimeMillis"),
    );
    for (role, d) in answers.get("DetailsByParticipantRole").fields() {
        put(
            "average_response_ms",
            Some(role),
            d.at(&["Average", "ValueMillis"]),
        );
        put(
            "longest_response_ms",
            Some(role),
            d.at(&["Maximum", "ValueMillis"]),
        );
    }
    all
}

/// The summary that the platform wrote.
pub(super) fn summary(doc: Doc<'_>) -> Option<TagData> {
    let text = doc.get("Content").long_text()?;
    Some(TagData {
        evidence: Some(text.to_owned()),
        ..tag("summary", "contact")
    })
}

/// The same finding told twice is one.
pub(super) fn each_once(tags: &mut Vec<TagData>) {
    let mut seen: BTreeMap<String, ()> = BTreeMap::new();
    tags.retain(|t| {
        let what = serde_json::to_string(t).unwrap_or_default();
        seen.insert(what, ()).is_none()
    });
}
