//! Genesys Cloud: conversation details (analytics), detail events and topics of notifications,
//! each plain or in an EventBridge envelope; recordings' metadata, users' details.
//!
//! A conversation's records are read as a set: events and topics tell it live, the detail record
//! tells the whole once more, and what a stay became follows from what came next. All of them name
//! the same session, which is the identity of a stay, an offer and a talk.

mod contact;
mod detail;
mod event;
mod figures;
mod recording;
mod split;
mod topic;
mod users;
pub mod words;

use std::sync::Arc;

use callboard_model::ids::{Beside, Key, PlatformId};
use callboard_model::record::{Record, Refusal, RouteKey, Routing};
use callboard_model::statement::Statement;
use serde_json::Value;

use crate::adapter::{Adapter, Declared};
use crate::lines::NewLine;
use crate::payload::value::{items, text};

/// Name of the platform.
const PLATFORM: &str = "genesys";

/// Conversation detail of analytics.
const CONVERSATION: &str = "genesys/conversation";
/// Event or frame of a topic.
const EVENT: &str = "genesys/event";
/// Metadata of a recording.
const RECORDING: &str = "genesys/recording";
/// A user's presence and routing status.
const USER: &str = "genesys/user";
/// An evaluation of the quality service.
const EVALUATION: &str = "genesys/evaluation";
/// One result of an aggregate query.
const FIGURES: &str = "genesys/figures";
/// Answer of a queue observation query.
const OBSERVATION: &str = "genesys/observation";

/// Reads Genesys Cloud.
#[derive(Debug, Clone, Copy)]
pub struct Genesys;

impl Adapter for Genesys {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn split(&self, bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
        split::split(bytes, declared)
    }

    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        let v = parse(record)?;
        let instance = &*record.stamp.instance;
        let mut routing = match &*record.format {
            CONVERSATION => {
                let mut keys = vec![contact(instance, &text(&v, "conversationId"))?];
                keys.extend(detail::surveys(instance, &v).map(RouteKey::Direct));
                keys.extend(detail::evaluations(instance, &v).map(RouteKey::Direct));
                Routing {
                    keys,
                    statements: None,
                    time: detail::recorded_at(&v),
                }
            }
            EVENT => event::route(instance, &v, record)?,
            RECORDING => recording::route(instance, &v, record)?,
            USER => users::detail(instance, &v, record)?,
            EVALUATION => Routing {
                keys: detail::evaluations(instance, &v)
                    .map(RouteKey::Direct)
                    .collect(),
                ..Routing::default()
            },
            FIGURES => figures::route(instance, &v),
            OBSERVATION => Routing::default(),
            other => {
                return Err(Refusal::new(
                    "unknown_format",
                    format!("format {other:?} is none of Genesys'"),
                ));
            }
        };
        routing.keys.dedup();
        Ok(routing)
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        let mut read: Vec<(&Record, Value)> = set
            .iter()
            .filter_map(|r| Some((*r, parse(r).ok()?)))
            .collect();
        read.sort_by(|a, b| (&a.0.source, &a.0.id).cmp(&(&b.0.source, &b.0.id)));
        match key {
            Key::Contact(_) => contact::interpret(&read),
            Key::Survey(id) => read
                .iter()
                .flat_map(|(r, v)| detail::survey(id, r, v))
                .collect(),
            Key::Beside(Beside::Evaluation, _) => read
                .iter()
                .flat_map(|(r, v)| detail::evaluation(key, r, v))
                .collect(),
            Key::Beside(Beside::Figures, _) => read
                .iter()
                .filter(|(r, _)| &*r.format == FIGURES)
                .flat_map(|(r, v)| figures::tell(key, r, v))
                .collect(),
            Key::Recording(id) => read
                .iter()
                .flat_map(|(r, v)| topic::recording(id, r, v))
                .collect(),
            _ => Vec::new(),
        }
    }
}

fn parse(record: &Record) -> Result<Value, Refusal> {
    serde_json::from_slice(&record.bytes)
        .map_err(|e| Refusal::new("not_json", format!("the record is no JSON: {e}")))
}

/// The instance as a source.
fn instance_source(instance: &str) -> Arc<str> {
    match instance {
        "" => format!("/{PLATFORM}").into(),
        _ => format!("/{PLATFORM}/{instance}").into(),
    }
}

fn contact(instance: &str, conversation: &str) -> Result<RouteKey, Refusal> {
    if conversation.is_empty() {
        return Err(Refusal::new(
            "missing_attribute",
            "conversationId is missing, so that nothing tells which conversation this is",
        ));
    }
    let id = PlatformId::new(PLATFORM, instance, conversation);
    Ok(RouteKey::Contact(vec![id]))
}

fn contact_id(instance: &str, conversation: &str) -> String {
    PlatformId::new(PLATFORM, instance, conversation).contact_id()
}

/// All sessions of a detail record with their participant.
fn sessions(v: &Value) -> impl Iterator<Item = (&Value, &Value)> {
    items(v, "participants")
        .iter()
        .flat_map(|p| items(p, "sessions").iter().map(move |s| (p, s)))
}
