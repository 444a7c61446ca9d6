//! Amazon Connect: contact events and contact records interpreted together, since a call is a chain
//! of contacts there; the agent event stream, flow logs and campaign events each alone; Contact
//! Lens, chat transcripts and recordings under the recording they speak of; evaluations and matched
//! rules as notes.
//!
//! * A record's format says its feed; its stamp the instance; its id what the platform calls it.
//! * `deliver` opens what a request or file holds, `detect` tells what each thing in it is.
//! * `leg` is one contact of the platform, told by its records; `contact` tells the chain.

mod agent;
mod beside;
mod contact;
mod deliver;
mod detect;
mod doc;
mod figures;
mod flow;
mod leg;
mod lens;
mod recording;
mod words;

use std::sync::Arc;

use callboard_model::ids::{Beside, Key, PlatformId};
use callboard_model::record::{Provenance, Record, Refusal, RouteKey, Routing, rank};
use callboard_model::statement::Statement;
use serde_json::Value;

use crate::adapter::{Adapter, Declared};
use crate::lines::NewLine;
use doc::Doc;

/// Name of the platform.
pub const PLATFORM: &str = "amazon-connect";

/// What a record of Amazon Connect is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feed {
    /// Contact event, in its envelope or bare.
    ContactEvent,
    /// Contact record (CTR).
    ContactRecord,
    /// Event of the agent stream, for the agent's own states.
    AgentEvent,
    /// The same event, for one contact whose state it changes.
    AgentContact,
    /// Contact Lens file of a call or a chat.
    Lens,
    /// Contact Lens while the call lasts: a batch of segments.
    LensLive,
    /// Contact Lens failed on a recording.
    LensState,
    /// Transcript of a chat: the file, or one message as it is streamed.
    Chat,
    /// One block of a flow, as it ran.
    FlowLog,
    /// An evaluation that was handed in.
    Evaluation,
    /// A rule that matched.
    Rules,
    /// State of a screen recording.
    ScreenRecording,
    /// Event of an outbound campaign.
    Campaign,
    /// Figures that the platform computed: an answer of GetMetricDataV2.
    Figures,
    /// Any other event of the platform: kept, and nothing is made of it.
    Other,
}

impl Feed {
    /// All of them.
    pub const ALL: [Feed; 15] = [
        Feed::ContactEvent,
        Feed::ContactRecord,
        Feed::AgentEvent,
        Feed::AgentContact,
        Feed::Lens,
        Feed::LensLive,
        Feed::LensState,
        Feed::Chat,
        Feed::FlowLog,
        Feed::Evaluation,
        Feed::Rules,
        Feed::ScreenRecording,
        Feed::Campaign,
        Feed::Figures,
        Feed::Other,
    ];

    /// Format of its records, `amazon-connect/FEED`.
    pub fn format(self) -> &'static str {
        match self {
            Feed::ContactEvent => "amazon-connect/contact-event",
            Feed::ContactRecord => "amazon-connect/contact-record",
            Feed::AgentEvent => "amazon-connect/agent-event",
            Feed::AgentContact => "amazon-connect/agent-contact",
            Feed::Lens => "amazon-connect/contact-lens",
            Feed::LensLive => "amazon-connect/contact-lens-live",
            Feed::LensState => "amazon-connect/contact-lens-state",
            Feed::Chat => "amazon-connect/chat",
            Feed::FlowLog => "amazon-connect/flow-log",
            Feed::Evaluation => "amazon-connect/evaluation",
            Feed::Rules => "amazon-connect/rules",
            Feed::ScreenRecording => "amazon-connect/screen-recording",
            Feed::Campaign => "amazon-connect/campaign",
            Feed::Figures => "amazon-connect/figures",
            Feed::Other => "amazon-connect/other",
        }
    }

    /// The feed of a format.
    pub fn of_format(format: &str) -> Option<Feed> {
        Feed::ALL.into_iter().find(|f| f.format() == format)
    }

    /// Its name: the format without the platform.
    pub fn name(self) -> &'static str {
        self.format().rsplit('/').next().unwrap_or("")
    }
}

/// The adapter.
#[derive(Debug, Default, Clone, Copy)]
pub struct AmazonConnect;

impl Adapter for AmazonConnect {
    fn platform(&self) -> &'static str {
        PLATFORM
    }

    fn split(&self, bytes: &[u8], declared: &Declared) -> Vec<NewLine> {
        deliver::open(bytes, declared)
    }

    fn route(&self, record: &Record) -> Result<Routing, Refusal> {
        let Some(feed) = Feed::of_format(&record.format) else {
            return Err(Refusal::new(
                "unknown_format",
                format!("format {:?} is none of {PLATFORM}'s feeds", record.format),
            ));
        };
        let read = Read::of(record)?;
        match feed {
            Feed::ContactEvent | Feed::ContactRecord => contact::route(feed, &read),
            Feed::AgentEvent => agent::route(&read),
            Feed::AgentContact => agent::route_contact(&read),
            Feed::Lens | Feed::LensLive | Feed::LensState | Feed::Chat => {
                recording::route(feed, &read)
            }
            Feed::FlowLog => flow::route(&read),
            Feed::Evaluation => beside::evaluation(&read),
            Feed::Rules => beside::rule(&read),
            Feed::ScreenRecording => recording::screen(&read),
            Feed::Campaign => beside::campaign(&read),
            Feed::Figures => Ok(figures::route(&read)),
            Feed::Other => Ok(Routing {
                time: read.doc().get("time").time().map(|t| t.0),
                statements: Some(Vec::new()),
                ..Routing::default()
            }),
        }
    }

    fn interpret(&self, key: &Key, set: &[&Record]) -> Vec<Statement> {
        // What cannot be read was refused when it was routed.
        let all: Vec<(Feed, Read<'_>)> = set
            .iter()
            .filter_map(|r| Some((Feed::of_format(&r.format)?, Read::of(r).ok()?)))
            .collect();
        match key {
            Key::Contact(id) => contact::interpret(id, all),
            Key::Recording(id) => recording::interpret(id, &all),
            Key::Beside(Beside::Measurements, id) => recording::measured(id, &all),
            Key::Beside(Beside::Figures, _) => figures::interpret(key, &all),
            _ => Vec::new(),
        }
    }
}

/// A record with its document.
#[derive(Debug)]
struct Read<'a> {
    record: &'a Record,
    body: Value,
}

impl<'a> Read<'a> {
    fn of(record: &'a Record) -> Result<Self, Refusal> {
        match serde_json::from_slice(&record.bytes) {
            Ok(body) => Ok(Read { record, body }),
            Err(e) => Err(Refusal::new(
                "not_json",
                format!("the record is no JSON that can be read: {e}"),
            )),
        }
    }

    /// The document.
    fn doc(&self) -> Doc<'_> {
        Doc::of(&self.body)
    }

    /// The part of an event that says what happened; the whole where there is no envelope.
    fn detail(&self) -> Doc<'_> {
        let detail = self.doc().get("detail");
        if detail.is_there() {
            detail
        } else {
            self.doc()
        }
    }

    /// Instance that it was stamped with.
    fn instance(&self) -> &'a str {
        &self.record.stamp.instance
    }

    /// A contact of the instance.
    fn contact(&self, native: &str) -> PlatformId {
        contact_id(self.instance(), native)
    }

    /// Who says so, as a live event.
    fn live(&self, at: Option<i64>) -> Arc<Provenance> {
        self.record.provenance(rank::LIVE, at)
    }

    /// Who says so, as a record of the whole.
    fn whole(&self, at: Option<i64>) -> Arc<Provenance> {
        self.record.provenance(rank::RECORD, at)
    }
}

/// Identity of a contact of the platform.
fn contact_id(instance: &str, native: &str) -> PlatformId {
    PlatformId::new(PLATFORM, instance, native)
}

/// `/amazon-connect/INSTANCE`.
fn instance_source(instance: &str) -> Arc<str> {
    match instance {
        "" => format!("/{PLATFORM}").into(),
        _ => format!("/{PLATFORM}/{instance}").into(),
    }
}

/// The refusal of a record that lacks what it is known by.
fn missing(what: &str) -> Refusal {
    Refusal::new(
        "missing_attribute",
        format!("{what} is missing or no text; send the record as the platform wrote it"),
    )
}

/// A record that stands alone and speaks of one contact.
fn alone(id: PlatformId, time: Option<i64>, statements: Vec<Statement>) -> Routing {
    Routing {
        keys: vec![RouteKey::Contact(vec![id])],
        statements: Some(statements),
        time,
    }
}
