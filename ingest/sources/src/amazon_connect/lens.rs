//! Transcripts that the platform makes: Contact Lens files of calls and chats, its segments while a
//! call lasts, the chat's own transcript and its messages. One of them stands: a file before what
//! came live, and of two files the redacted one.

use std::collections::BTreeMap;

use callboard_model::cloudevents::data::{TranscriptData, TurnData};
use callboard_model::statement::{F, Statement, Thing};

use super::doc::Doc;
use super::{Feed, Read, instance_source};

pub(super) mod scores;
mod tags;

/// Turns of one transcript.
const MOST_TURNS: usize = 20_000;

/// One record about a recording.
pub(super) struct Part<'a> {
    pub feed: Feed,
    pub read: &'a Read<'a>,
}

/// A record's own time.
pub(super) fn time(read: &Read<'_>) -> Option<i64> {
    let doc = read.doc();
    let items = doc.get("Transcript").list();
    let last = items.filter_map(|i| i.get("AbsoluteTime").time()).max();
    let own = doc.any(&["AbsoluteTime", "time"]).time();
    own.max(last).map(|t| t.0)
}

/// What they say of the recording.
pub(super) fn interpret(
    id: &str,
    contact: &str,
    name: &str,
    parts: &[Part<'_>],
) -> Option<Statement> {
    let file = parts
        .iter()
        .filter(|p| p.feed == Feed::Lens)
        .max_by_key(|p| {
            (
                redacted(p.read.doc()),
                &p.read.record.id,
                p.read.record.content_hash(),
            )
        });
    let of = |feed| parts.iter().filter(move |p| p.feed == feed);
    let (part, transcript, state) = if let Some(file) = file {
        (file, of_file(file.read.doc()), "ready")
    } else if let Some(last) = of(Feed::LensLive).max_by_key(|p| &p.read.record.id) {
        let docs: Vec<Doc<'_>> = of(Feed::LensLive).map(|p| p.read.detail()).collect();
        let over = docs.iter().any(|d| {
            matches!(
                d.get("EventType").word().as_deref(),
                Some("COMPLETED" | "FAILED")
            )
        });
        (last, live(&docs), if over { "ready" } else { "active" })
    } else if let Some(last) = of(Feed::Chat).max_by_key(|p| (time(p.read), &p.read.record.id)) {
        let docs: Vec<Doc<'_>> = of(Feed::Chat).map(|p| p.read.doc()).collect();
        (last, chat(&docs), "ready")
    } else {
        let last = of(Feed::LensState).max_by_key(|p| (time(p.read), &p.read.record.id))?;
        let failed = TranscriptData {
            state: Some("failed".to_owned()),
            reason: last.read.detail().get("reasonCode").owned(),
            ..TranscriptData::default()
        };
        (last, (failed, None), "")
    };
    let (mut transcript, start) = transcript;
    transcript.recording_id = Some(id.to_owned());
    transcript.contact_id = Some(contact.to_owned());
    let raw = serde_json::to_string(&transcript).ok()?;
    let by = if part.feed == Feed::Lens {
        part.read.whole(start.map(|t| t.0))
    } else {
        part.read.live(time(part.read))
    };
    let mut s = Statement::new(Thing::Recording, &by)
        .text(F::Source, &instance_source(part.read.instance()))
        .text(F::Contact, contact)
        .text(F::Leg, if name == "both" { "both" } else { "mixed" })
        .text(F::State, state)
        .text(F::Transcript, &raw);
    if let Some((us, precision)) = start {
        s = s.time(F::Start, us, precision);
    }
    Some(s)
}

fn redacted(doc: Doc<'_>) -> bool {
    let output = doc.at(&["ContentMetadata", "Output"]).word();
    output.is_some_and(|o| o.starts_with("REDACTED"))
}

type Told = (TranscriptData, Option<(i64, u32)>);

/// A file of Contact Lens.
fn of_file(doc: Doc<'_>) -> Told {
    let version = doc.get("Version").owned().unwrap_or_default();
    let failed = doc.get("JobStatus").word().as_deref() == Some("FAILED");
    let items: Vec<Doc<'_>> = doc.get("Transcript").list().take(MOST_TURNS).collect();
    let roles = roles(doc);
    let (turns, start) = turns(&items, &roles);
    let mut transcript = TranscriptData {
        state: Some(if failed { "failed" } else { "done" }.to_owned()),
        reason: failed.then(|| "Contact Lens says FAILED".to_owned()),
        model: Some(format!("contact-lens {version}")),
        duration_ms: doc
            .at(&[
                "ConversationCharacteristics",
                "TotalConversationDurationMillis",
            ])
            .int(),
        tags: Some(tags::of_file(doc, &turns)),
        ..TranscriptData::default()
    };
    transcript.turns = Some(turns.into_iter().map(|t| t.turn).collect());
    (transcript, start)
}

/// Segments of a call that lasts: finished sentences, each once; what is still guessed is left out.
fn live(docs: &[Doc<'_>]) -> Told {
    let mut sentences: BTreeMap<(i64, String), Doc<'_>> = BTreeMap::new();
    let mut tags = Vec::new();
    for segment in docs.iter().flat_map(|d| d.get("Segments").list()) {
        let said = segment.get("Transcript");
        let at = said.get("BeginOffsetMillis").int().unwrap_or(0);
        if said.is_there() {
            let id = said.get("Id").owned().unwrap_or_default();
            let who = said.get("ParticipantRole").owned().unwrap_or_default();
            sentences.insert((at, format!("{id} {who}")), said);
        }
        tags.extend(tags::categories(segment.get("Categories"), &[]));
        tags.extend(tags::summary(segment.get("PostContactSummary")));
    }
    let items: Vec<Doc<'_>> = sentences.into_values().take(MOST_TURNS).collect();
    let (turns, _) = turns(&items, &BTreeMap::new());
    tags.extend(tags::found_in(&turns));
    tags::each_once(&mut tags);
    let failed = docs
        .iter()
        .any(|d| d.get("EventType").word().as_deref() == Some("FAILED"));
    let transcript = TranscriptData {
        state: Some(if failed { "failed" } else { "done" }.to_owned()),
        reason: failed.then(|| "Contact Lens says FAILED".to_owned()),
        model: Some("contact-lens live".to_owned()),
        turns: Some(turns.into_iter().map(|t| t.turn).collect()),
        tags: Some(tags),
        ..TranscriptData::default()
    };
    (transcript, None)
}

/// A chat's transcript, whole or message by message.
fn chat(docs: &[Doc<'_>]) -> Told {
    let mut messages: BTreeMap<(i64, String), Doc<'_>> = BTreeMap::new();
    for doc in docs {
        let whole = doc.get("Transcript");
        let single = (!whole.is_there()).then_some(*doc);
        for item in whole.list().chain(single) {
            let at = item.get("AbsoluteTime").time().map_or(0, |t| t.0);
            let id = item.get("Id").owned().unwrap_or_default();
            messages.insert((at, id), item);
        }
    }
    let items: Vec<Doc<'_>> = messages.into_values().take(MOST_TURNS).collect();
    let (turns, start) = turns(&items, &BTreeMap::new());
    let transcript = TranscriptData {
        state: Some("done".to_owned()),
        model: Some("amazon-connect chat".to_owned()),
        turns: Some(turns.into_iter().map(|t| t.turn).collect()),
        ..TranscriptData::default()
    };
    (transcript, start)
}

/// Roles of participants by their ids.
fn roles(doc: Doc<'_>) -> BTreeMap<String, String> {
    let people = doc.get("Participants").list();
    people
        .filter_map(|p| {
            Some((
                p.get("ParticipantId").owned()?,
                p.get("ParticipantRole").word()?,
            ))
        })
        .collect()
}

/// A turn with the item from which it was made.
struct Turned<'a> {
    turn: TurnData,
    item: Doc<'a>,
}

/// Turns of items, in order, with the time of the first where items have times. Who joined and who
/// left is no turn.
fn turns<'a>(
    items: &[Doc<'a>],
    roles: &BTreeMap<String, String>,
) -> (Vec<Turned<'a>>, Option<(i64, u32)>) {
    let times = items.iter().filter_map(|i| i.get("AbsoluteTime").time());
    let start = times.min_by_key(|t| t.0);
    let mut out: Vec<Turned<'a>> = Vec::new();
    for item in items {
        let text = item.any(&["Content", "PartialContent"]).long_text();
        let Some(text) = text.filter(|t| !t.trim().is_empty()) else {
            continue;
        };
        let role = item.get("ParticipantRole").word().or_else(|| {
            let id = item.get("ParticipantId").owned()?;
            Some(roles.get(&id).cloned().unwrap_or(id))
        });
        let leg = match role.as_deref() {
            Some("AGENT") => "agent",
            Some("CUSTOMER") => "customer",
            _ => "mixed",
        };
        let at = match (item.get("AbsoluteTime").time(), start) {
            (Some((at, _)), Some((first, _))) => (at - first) / 1_000,
            _ => item.get("BeginOffsetMillis").int().unwrap_or(0).max(0),
        };
        let end = item.get("EndOffsetMillis").int().unwrap_or(at).max(at);
        out.push(Turned {
            turn: TurnData {
                leg: leg.to_owned(),
                start_ms: at,
                end_ms: end,
                text: text.to_owned(),
                sentiment: sentiment(item.get("Sentiment")),
                ..TurnData::default()
            },
            item: *item,
        });
    }
    out.sort_by_key(|t| (t.turn.start_ms, t.turn.end_ms));
    for (turned, n) in out.iter_mut().zip(1..) {
        turned.turn.seq = Some(n);
    }
    (out, start)
}

/// The platform gives a turn a label, no figure.
fn sentiment(label: Doc<'_>) -> Option<f64> {
    match label.word()?.as_str() {
        "POSITIVE" => Some(1.0),
        "NEGATIVE" => Some(-1.0),
        "NEUTRAL" | "MIXED" => Some(0.0),
        _ => None,
    }
}
