//! Microsoft Teams: rows of the voice-application analytics (auto attendants, call queues, agents),
//! Graph call records with their change notifications, rows of the PSTN and Direct Routing reports,
//! presence, and the settings of queues.
//!
//! The analytics' rows, the call records and the telephone reports of one call need each other: a
//! queue's row does not say when the wait began, an agent's row not when the talk did, a call record
//! knows neither the queue's verdict nor its wait, and a talk that both a call record and a telephone
//! report tell is one. So they are read together ([`story`]). All others stand alone.
//!
//! Calls are joined by equal ids and by nothing else: conference, dialog and document of the
//! analytics, the id of the call record, the correlation of Direct Routing.

pub mod callrecord;
pub mod feed;
pub mod identity;
pub mod notify;
pub mod pstn;
pub mod read;
pub mod row;
pub mod side;
mod split;
pub mod story;
pub mod streams;
mod sums;
pub mod voice;
pub mod words;

use std::sync::Arc;

use callboard_model::ids::{Key, PlatformId};
use callboard_model::record::{Record, Refusal, RouteKey, Routing};
use callboard_model::statement::Statement;

use crate::adapter::{Adapter, Declared, Handshake};
use crate::lines::NewLine;
use callrecord::CallRecord;
use feed::Feed;
use voice::VoiceRow;

/// Name of the platform.
const PLATFORM: &str = "teams";

/// Most ids that one record may join: a call has a handful.
const MOST_IDS: usize = 8;

/// Reads Microsoft Teams.
#[derive(Debug, Default, Clone, Copy)]
pub struct Teams;

impl Adapter for Teams {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn split(&self, bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
        split::split(bytes, declared)
    }

    fn handshake(&self, query: &str, _body: &[u8]) -> Option<Handshake> {
        notify::handshake(query).map(Handshake::Text)
    }

    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        let feed = Feed::of_format(&record.format).ok_or_else(|| {
            let known = Feed::ALL.map(Feed::format).join(", ");
            Refusal::new(
                "unknown_format",
                format!("format {:?} is unknown; known are {known}", record.format),
            )
        })?;
        match feed {
            Feed::AutoAttendant | Feed::CallQueue | Feed::AgentTimeline => {
                let row = VoiceRow::of(record, feed)?;
                if !row.is_one_call() {
                    return Ok(nothing(row.time()));
                }
                let mut ids = row.ids.clone();
                if ids.is_empty() {
                    ids.push(format!("row-{}", record.id));
                }
                Ok(together(record, &ids, row.time()))
            }
            Feed::CallRecord | Feed::CallRecordPage => {
                let call = CallRecord::of(record, feed)?;
                Ok(together(
                    record,
                    &[call.id],
                    call.start.or(call.end).map(|t| t.0),
                ))
            }
            Feed::Notification => Ok(nothing(None)),
            Feed::Sums => sums::route(record),
            Feed::Pstn | Feed::DirectRouting => {
                let (ids, time) = pstn::ids(record)?;
                Ok(together(record, &ids, time))
            }
            Feed::Presence => side::presence(record),
            Feed::Recording => side::recording(record),
            Feed::QueueSettings => side::settings(record),
        }
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        match key {
            Key::Contact(_) => story::tell(set),
            _ => Vec::new(),
        }
    }
}

/// A record that is kept and says nothing of any call.
fn nothing(time: Option<i64>) -> Routing {
    Routing {
        keys: Vec::new(),
        statements: Some(Vec::new()),
        time,
    }
}

/// A record that is read together with the others of its call.
fn together(record: &Record, ids: &[String], time: Option<i64>) -> Routing {
    Routing {
        keys: vec![contact(&record.stamp.instance, ids)],
        statements: None,
        time,
    }
}

/// The contact of these ids.
fn contact(instance: &str, ids: &[String]) -> RouteKey {
    let mut all: Vec<PlatformId> = Vec::new();
    for id in ids.iter().take(MOST_IDS) {
        let id = PlatformId::new(PLATFORM, instance, id);
        if !all.contains(&id) {
            all.push(id);
        }
    }
    RouteKey::Contact(all)
}

/// The name of an instance as a source, `/teams/INSTANCE`.
fn instance_source(instance: &str) -> Arc<str> {
    format!("/{PLATFORM}/{instance}").into()
}
