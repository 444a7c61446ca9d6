//! Twilio: events of TaskRouter (Flex too) as call-backs, as the REST list and as Event Streams;
//! status call-backs of voice calls and conferences; call-backs of recordings.
//!
//! TaskRouter tells moments with whole seconds and in no sure order, and has no id for a stay in a
//! queue. So a contact's records are read as a set: task by task in the order that causes demand.

mod call;
mod fields;
mod insights;
mod recording;
mod split;
mod task;
mod worker;

use std::sync::Arc;

use callboard_model::ids::{Key, PlatformId};
use callboard_model::record::{Provenance, Record, Refusal, RouteKey, Routing, rank};
use callboard_model::statement::Statement;
use serde_json::Value;

use crate::adapter::{Adapter, Declared};
use crate::lines::NewLine;
use crate::payload::value::{path, text};
use fields::Fields;

/// Name of the platform.
const PLATFORM: &str = "twilio";

/// Event of TaskRouter.
const TASKROUTER: &str = "twilio/taskrouter";
/// Status call-back of a call.
const VOICE: &str = "twilio/voice";
/// Status call-back of a conference.
const CONFERENCE: &str = "twilio/conference";
/// Summary of a call by Voice Insights.
const INSIGHTS: &str = "twilio/insights";
/// Call-back of a recording.
const RECORDING: &str = "twilio/recording";

/// Reads Twilio.
#[derive(Debug, Clone, Copy)]
pub struct Twilio;

impl Adapter for Twilio {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn split(&self, bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
        split::split(bytes, declared)
    }

    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        let instance = &*record.stamp.instance;
        if &*record.format == INSIGHTS {
            return insights::route(instance, record);
        }
        let fields = Fields::of(record)?;
        let time = fields.at().map(|t| t.0);
        let ids: Vec<String> = match &*record.format {
            TASKROUTER => {
                let kind = fields.get("eventtype");
                if kind.starts_with("worker.") {
                    return worker::route(instance, &fields, record);
                }
                if time.is_none() && fields.get("tasksid").starts_with("WT") {
                    return Err(Refusal::new(
                        "no_time",
                        format!("event {kind:?} has no Timestamp that can be read"),
                    ));
                }
                task::ids(&fields)
            }
            VOICE => own(&[fields.get("callsid"), fields.get("parentcallsid")]),
            CONFERENCE => own(&[fields.get("callsid"), fields.get("conferencesid")]),
            RECORDING => return recording::route(instance, &fields, record),
            other => {
                return Err(Refusal::new(
                    "unknown_format",
                    format!("format {other:?} is none of Twilio's"),
                ));
            }
        };
        let ids: Vec<PlatformId> = ids
            .iter()
            .map(|id| PlatformId::new(PLATFORM, instance, id))
            .collect();
        let keys = match ids.is_empty() {
            // A queue that was made, a workflow: no row follows.
            true => Vec::new(),
            false => vec![RouteKey::Contact(ids)],
        };
        Ok(Routing {
            keys,
            statements: None,
            time,
        })
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        if !matches!(key, Key::Contact(_)) {
            return Vec::new();
        }
        let mut tasks = Vec::new();
        let mut calls = Vec::new();
        for record in set {
            let Ok(fields) = Fields::of(record) else {
                continue;
            };
            let Some(at) = fields.at() else { continue };
            let seen = Seen {
                at,
                by: record.provenance(rank::LIVE, Some(at.0)),
                instance: record.stamp.instance.clone(),
                conference: &*record.format == CONFERENCE,
                fields,
            };
            match &*record.format {
                TASKROUTER => tasks.push(seen),
                _ => calls.push(seen),
            }
        }
        let told = task::tell(tasks);
        call::tell(calls, told)
    }
}

/// A record of a contact, read.
struct Seen {
    at: (i64, u32),
    by: Arc<Provenance>,
    instance: String,
    conference: bool,
    fields: Fields,
}

/// What is not empty, once each.
fn own(ids: &[&str]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for id in ids.iter().map(|id| id.trim()).filter(|id| !id.is_empty()) {
        if !all.iter().any(|known| known == id) {
            all.push(id.to_owned());
        }
    }
    all
}

/// The instance as a source.
fn instance_source(instance: &str) -> Arc<str> {
    match instance {
        "" => format!("/{PLATFORM}").into(),
        _ => format!("/{PLATFORM}/{instance}").into(),
    }
}

/// Call legs in a task's attributes: the customer's and the workers'.
fn legs(attributes: &Value) -> (Vec<String>, Vec<String>) {
    let of = |names: &[&str]| {
        path(attributes, names)
            .and_then(crate::payload::value::as_text)
            .filter(|sid| sid.starts_with("CA"))
    };
    let customer = [
        of(&["call_sid"]),
        of(&["callSid"]),
        of(&["conference", "participants", "customer"]),
    ];
    let workers = [
        of(&["conference", "participants", "worker"]),
        of(&["worker_call_sid"]),
    ];
    (
        customer.into_iter().flatten().collect(),
        workers.into_iter().flatten().collect(),
    )
}

/// A text of a task's attributes, by the first name that is there.
fn attribute(attributes: &Value, names: &[&str]) -> String {
    let mut all = names.iter().map(|n| text(attributes, n));
    all.find(|t| !t.is_empty()).unwrap_or_default()
}
