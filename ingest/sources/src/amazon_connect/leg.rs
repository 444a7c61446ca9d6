//! One contact as the platform counts: a leg of what is one contact to the customer. Every agent who
//! takes part has a leg of his own.
//!
//! A contact record is sent whole again whenever anything in it changes: the newest alone stands,
//! and what it withdrew stays withdrawn. Events add milliseconds to its whole seconds, and tell the
//! leg while it lasts.

use std::cmp::Ordering;
use std::sync::Arc;

use callboard_model::record::Provenance;
use serde_json::Value;

use super::doc::{Doc, resource};
use super::{Feed, Read};

/// One record of a leg.
#[derive(Debug)]
pub(super) struct View {
    /// A contact record, not an event.
    pub is_record: bool,
    /// The record, or the event's detail.
    body: Value,
    /// Who says so.
    pub by: Arc<Provenance>,
}

impl View {
    /// Reads it; `None` without the id of its contact.
    pub fn of(feed: Feed, read: Read<'_>) -> Option<(String, View)> {
        let id = read.detail().get("ContactId").owned()?;
        let at = recorded_at(feed, &read);
        let by = match feed {
            Feed::ContactRecord => read.whole(at),
            _ => read.live(at),
        };
        let Read { mut body, .. } = read;
        let detail = detail_name(&body).and_then(|name| body.get_mut(name).map(Value::take));
        let view = View {
            is_record: feed == Feed::ContactRecord,
            body: detail.unwrap_or(body),
            by,
        };
        Some((id, view))
    }

    /// Its document.
    pub fn doc(&self) -> Doc<'_> {
        Doc::of(&self.body)
    }
}

fn detail_name(body: &Value) -> Option<String> {
    let map = body.as_object()?;
    let found = map
        .iter()
        .find(|(k, v)| k.eq_ignore_ascii_case("detail") && !v.is_null());
    found.map(|(k, _)| k.clone())
}

/// When the platform wrote it, as far as it says. An envelope counts whole seconds: what happened in
/// its second tells which of two events came later.
pub(super) fn recorded_at(feed: Feed, read: &Read<'_>) -> Option<i64> {
    let us = |time: Option<(i64, u32)>| time.map(|t| t.0);
    match feed {
        Feed::ContactRecord => {
            us(read.doc().get("LastUpdateTimestamp").time()).or_else(|| last_time(read.detail()))
        }
        _ => us(read.doc().get("time").time()).max(last_time(read.detail())),
    }
}

/// The last time of a contact's life that a document states.
pub(super) fn last_time(doc: Doc<'_>) -> Option<i64> {
    Moment::ALL
        .iter()
        .filter_map(|m| m.of(doc))
        .map(|t| t.0)
        .max()
}

/// Moments in the life of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Initiated,
    ConnectedToSystem,
    Disconnected,
    TransferCompleted,
    Enqueued,
    Dequeued,
    ConnectedToAgent,
    WrapStarted,
    WrapEnded,
    RingStarted,
}

impl Moment {
    const ALL: [Moment; 10] = [
        Moment::Initiated,
        Moment::ConnectedToSystem,
        Moment::Disconnected,
        Moment::TransferCompleted,
        Moment::Enqueued,
        Moment::Dequeued,
        Moment::ConnectedToAgent,
        Moment::WrapStarted,
        Moment::WrapEnded,
        Moment::RingStarted,
    ];

    /// The time that a record gives for it.
    pub fn of(self, doc: Doc<'_>) -> Option<(i64, u32)> {
        let queue = || queue(doc);
        let agent = || agent(doc);
        match self {
            Moment::Initiated => doc.get("InitiationTimestamp"),
            Moment::ConnectedToSystem => doc.get("ConnectedToSystemTimestamp"),
            Moment::Disconnected => doc.get("DisconnectTimestamp"),
            Moment::TransferCompleted => doc.get("TransferCompletedTimestamp"),
            Moment::Enqueued => queue().get("EnqueueTimestamp"),
            Moment::Dequeued => queue().get("DequeueTimestamp"),
            Moment::ConnectedToAgent => agent().get("ConnectedToAgentTimestamp"),
            Moment::WrapStarted => agent().get("AfterContactWorkStartTimestamp"),
            Moment::WrapEnded => agent().get("AfterContactWorkEndTimestamp"),
            Moment::RingStarted => doc.get("RingStartTimestamp"),
        }
        .time()
    }
}

/// The queue of a record, in either spelling.
pub(super) fn queue(doc: Doc<'_>) -> Doc<'_> {
    doc.any(&["Queue", "QueueInfo"])
}

/// The agent of a record, in either spelling.
pub(super) fn agent(doc: Doc<'_>) -> Doc<'_> {
    doc.any(&["Agent", "AgentInfo"])
}

/// A leg with all that is known of it.
#[derive(Debug)]
pub(super) struct Leg {
    /// The platform's id.
    pub id: String,
    /// Its records, the best first: the newest contact record, then events, the latest first.
    views: Vec<View>,
}

impl Leg {
    /// The leg that records tell; they are not empty.
    pub fn of(id: String, mut views: Vec<View>) -> Option<Leg> {
        views.sort_by(|a, b| {
            b.is_record
                .cmp(&a.is_record)
                .then_with(|| later(&b.by, &a.by))
        });
        let mut records = 0;
        views.retain(|v| {
            records += usize::from(v.is_record);
            !v.is_record || records == 1
        });
        (!views.is_empty()).then_some(Leg { id, views })
    }

    /// Whether its contact record is there.
    pub fn has_record(&self) -> bool {
        self.views.first().is_some_and(|v| v.is_record)
    }

    /// Who speaks for it: the record, else the latest event.
    pub fn by(&self) -> Option<&Arc<Provenance>> {
        self.views.first().map(|v| &v.by)
    }

    /// What the best of its records that says it says.
    pub fn find<'a, T>(&'a self, read: impl Fn(Doc<'a>) -> Option<T>) -> Option<T> {
        self.views.iter().find_map(|v| read(v.doc()))
    }

    /// The same, of the record alone where it is there: what it no longer says was taken back.
    pub fn stands<'a, T>(&'a self, read: impl Fn(Doc<'a>) -> Option<T>) -> Option<T> {
        if self.has_record() {
            self.views.first().and_then(|v| read(v.doc()))
        } else {
            self.find(read)
        }
    }

    /// A text by name.
    pub fn text(&self, name: &str) -> Option<String> {
        self.find(|d| d.get(name).owned())
    }

    /// One of the platform's words by name, in capitals.
    pub fn word(&self, name: &str) -> Option<String> {
        self.find(|d| d.get(name).word())
    }

    /// When a moment was, with its precision: the best record's time, refined by the finest that
    /// lies within its own precision.
    pub fn time(&self, moment: Moment) -> Option<(i64, u32)> {
        let (won, precision) = self.find(|d| moment.of(d))?;
        let within = won..won + i64::from(precision.max(1));
        self.views
            .iter()
            .filter_map(|v| moment.of(v.doc()))
            .filter(|(us, p)| *p < precision && within.contains(us))
            .min_by_key(|(us, p)| (*p, *us))
            .or(Some((won, precision)))
    }

    /// The same without the precision.
    pub fn at(&self, moment: Moment) -> Option<i64> {
        self.time(moment).map(|t| t.0)
    }

    /// How it began: INBOUND, TRANSFER, CALLBACK ...
    pub fn method(&self) -> String {
        self.word("InitiationMethod").unwrap_or_default()
    }

    /// How it ended.
    pub fn reason(&self) -> String {
        self.word("DisconnectReason").unwrap_or_default()
    }

    /// The platform's id of its agent.
    pub fn agent(&self) -> Option<String> {
        self.find(|d| {
            let arn = agent(d).any(&["ARN", "AgentArn"]).text()?;
            Some(resource(&arn, "/agent/").to_owned())
        })
    }

    /// The platform's id of its queue.
    pub fn queue(&self) -> Option<String> {
        self.find(|d| {
            let arn = queue(d).any(&["ARN", "QueueArn"]).text()?;
            Some(resource(&arn, "/queue/").to_owned())
        })
    }

    /// Seconds that the record or an event gives for something of the agent's, as milliseconds.
    pub fn agent_ms(&self, names: &[&str]) -> Option<i64> {
        self.find(|d| agent(d).any(names).seconds())
    }

    /// The leg it came from.
    pub fn previous(&self) -> Option<String> {
        self.text("PreviousContactId").filter(|p| *p != self.id)
    }
}

/// Which of two was written later.
fn later(a: &Provenance, b: &Provenance) -> Ordering {
    a.tail_cmp(b)
}
