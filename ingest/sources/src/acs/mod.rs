//! Azure Communication Services: Event Grid events of calls, recordings, chats, messages and Job
//! Router, in both schemas; call-backs of Call Automation; hand-off activities of a bot; metadata of
//! recordings; call logs of Azure Monitor.
//!
//! All records of a contact are read together, since none can be trusted alone: events come in any
//! order and in copies, a participant list tells holds only by what changed in it, and a prompt that
//! is played to one participant looks like a hold. Calls, chats and jobs are one contact where the
//! platform's ids say so: a server call id, a correlation id, a call connection, a job's
//! channelReference that is a thread or a call, a thread id that the application carried into a call.

mod call;
mod chat;
mod contact;
pub mod doc;
pub mod ids;
mod logs;
mod message;
mod parts;
mod recording;
mod roster;
mod route;
mod router;
mod split;
mod turns;
mod workers;

use std::collections::BTreeSet;
use std::sync::Arc;

use callboard_model::ids::Key;
use callboard_model::record::{Provenance, Record, Refusal, Routing, rank};
use callboard_model::statement::Statement;
use serde_json::Value;

use crate::adapter::{Adapter, Declared, Handshake};
use crate::lines::NewLine;
use doc::Doc;
use parts::When;

pub use split::validation_answer;

/// The adapter.
#[derive(Debug)]
pub struct Acs;

impl Adapter for Acs {
    fn platform(&self) -> &'static str {
        ids::PLATFORM
    }

    fn split(&self, bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
        split::split(bytes, declared)
    }

    fn handshake(&self, _query: &str, body: &[u8]) -> Option<Handshake> {
        split::validation_answer(body).map(Handshake::Json)
    }

    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        route::route(record)
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        let mut seen = BTreeSet::new();
        let unlike = set
            .iter()
            .filter(|r| seen.insert((r.source.clone(), r.id.clone(), r.content_hash())));
        let mut events: Vec<Event> = unlike.filter_map(|r| parse(r).ok()).collect();
        events.sort_by(|a, b| a.order(b));
        match key {
            Key::Contact(_) => contact::interpret(&events),
            Key::Agent(..) => workers::interpret(&events),
            Key::Recording(_) => recording::interpret(&events),
            _ => Vec::new(),
        }
    }
}

/// What a record is of; the last part of its source and of its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    /// Events of Event Grid, in its own schema or as CloudEvents.
    EventGrid,
    /// Call-backs of Call Automation.
    CallAutomation,
    /// Activities of a bot.
    Bot,
    /// Metadata of a recording's file.
    RecordingMetadata,
    /// Call logs of Azure Monitor.
    Monitor,
}

impl Feed {
    const ALL: [Feed; 5] = [
        Feed::EventGrid,
        Feed::CallAutomation,
        Feed::Bot,
        Feed::RecordingMetadata,
        Feed::Monitor,
    ];

    /// Last part of the source.
    pub const fn name(self) -> &'static str {
        match self {
            Feed::EventGrid => "event-grid",
            Feed::CallAutomation => "call-automation",
            Feed::Bot => "bot",
            Feed::RecordingMetadata => "recording-metadata",
            Feed::Monitor => "monitor",
        }
    }

    /// Format of its records.
    pub const fn format(self) -> &'static str {
        match self {
            Feed::EventGrid => "acs/event-grid",
            Feed::CallAutomation => "acs/call-automation",
            Feed::Bot => "acs/bot",
            Feed::RecordingMetadata => "acs/recording-metadata",
            Feed::Monitor => "acs/monitor",
        }
    }
}

/// A record, read.
#[derive(Debug)]
pub struct Event {
    /// What it is of.
    pub feed: Feed,
    /// Its type without `Microsoft.Communication.`; of an activity its name or type, of a log its
    /// category, of a recording's metadata `RecordingMetadata`.
    pub kind: String,
    /// When.
    pub when: When,
    /// Instance.
    pub instance: String,
    value: Value,
}

impl Event {
    /// The whole document.
    pub fn document(&self) -> Doc<'_> {
        Doc(&self.value)
    }

    /// What an event carries; of everything else the whole document.
    pub fn data(&self) -> Doc<'_> {
        match self.feed {
            Feed::EventGrid | Feed::CallAutomation => self.document().get("data"),
            Feed::Monitor => match self.document().get("properties") {
                inner if inner.is_object() => inner,
                // A row that was exported from Log Analytics is flat.
                _ => self.document(),
            },
            Feed::Bot | Feed::RecordingMetadata => self.document(),
        }
    }

    /// The id of the call connection, where the event is of one; a recorder has one of its own.
    pub fn connection(&self) -> String {
        match self.kind.as_str() {
            "RecordingStateChanged" | "StartRecordingFailed" => String::new(),
            _ => self.data().text("callConnectionId"),
        }
    }

    fn order(&self, other: &Event) -> std::cmp::Ordering {
        let (a, b) = (&self.when, &other.when);
        a.at.cmp(&b.at)
            .then_with(|| stage(&self.kind).cmp(&stage(&other.kind)))
            .then_with(|| self.kind.cmp(&other.kind))
            .then_with(|| a.by.tail_cmp(&b.by))
    }
}

/// Which of two events of one moment comes first.
fn stage(kind: &str) -> u8 {
    match kind {
        "IncomingCall" | "RouterJobReceived" | "ChatThreadCreated" => 0,
        "RouterJobClassified" | "CallStarted" => 1,
        "RouterJobQueued" | "CallConnected" => 2,
        "RouterWorkerOfferIssued" => 3,
        "RouterWorkerOfferAccepted" => 4,
        "RouterJobCompleted" => 8,
        "RouterJobClosed" | "CallDisconnected" => 9,
        "RouterJobDeleted" | "CallEnded" => 10,
        _ => 5,
    }
}

/// Reads a record.
///
/// # Errors
/// A [`Refusal`] when the bytes are no JSON object, or tell no believable time at all.
pub fn parse(record: &Record) -> Result<Event, Refusal> {
    let value: Value = serde_json::from_slice(&record.bytes)
        .map_err(|e| Refusal::new("not_json", format!("the record is no JSON: {e}")))?;
    let d = Doc(&value);
    if !d.is_object() {
        return Err(Refusal::new(
            "not_json",
            "the record is no JSON object; send one event each",
        ));
    }
    let feed = Feed::ALL
        .into_iter()
        .find(|f| f.format() == &*record.format)
        .ok_or_else(|| {
            Refusal::new(
                "unknown_format",
                format!("format {:?} is none of this platform's", record.format),
            )
        })?;
    let data = d.get("data");
    let (kind, time) = match feed {
        Feed::EventGrid | Feed::CallAutomation => {
            let kind = d.first(&["eventType", "type"]).as_text();
            let short = kind.rsplit('.').next().unwrap_or("").to_owned();
            let time = first_time(d, &["eventTime", "time"])
                .or_else(|| first_time(data, &["receivedTimestamp", "composeTime", "time"]));
            (short, time)
        }
        Feed::Bot => {
            let name = d.first(&["name", "type"]).as_text();
            (name, first_time(d, &["timestamp", "localTimestamp"]))
        }
        Feed::RecordingMetadata => (
            "RecordingMetadata".to_owned(),
            first_time(d, &["chunkStartTime"]),
        ),
        Feed::Monitor => {
            let kind = d.first(&["category", "operationName", "type"]).as_text();
            let kind = kind.strip_prefix("ACS").unwrap_or(&kind).to_owned();
            (kind, first_time(d, &["time", "TimeGenerated"]))
        }
    };
    let (at, precision) = time.ok_or_else(|| {
        Refusal::new(
            "no_time",
            "the event has no time between 1990 and 2100; it must have eventTime or time",
        )
    })?;
    let rank = match feed {
        Feed::Monitor | Feed::RecordingMetadata => rank::RECORD,
        _ => rank::LIVE,
    };
    let by: Arc<Provenance> = record.provenance(rank, Some(at));
    Ok(Event {
        feed,
        kind,
        when: When { at, precision, by },
        instance: record.stamp.instance.clone(),
        value,
    })
}

fn first_time(d: Doc<'_>, names: &[&str]) -> Option<(i64, u32)> {
    names.iter().find_map(|n| d.time(n))
}

/// The name of an instance as a source, `/acs/INSTANCE`.
fn instance_source(instance: &str) -> String {
    format!("/acs/{instance}")
}
