//! What each of our events says: typed data to statements.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::data::{
    AgentData, ContactData, LinkData, SegmentData, SilenceData, SourceData, TargetData,
    TranscriptData,
};
use super::words::{LinkKind, SegmentKind, Track, Variant, outcomes};
use super::{MAX_NAME_BYTES, contact_platform_id, read_time};
use crate::ids::{Key, PlatformId};
use crate::record::{Provenance, Refusal, RouteKey, Routing};
use crate::statement::{F, Statement, Thing, Value};

mod beside;
mod measured;

pub use measured::figures_id;

/// One event's context.
pub(super) struct Says<'a> {
    pub by: Arc<Provenance>,
    pub time: (i64, u32),
    pub precision: Option<u32>,
    pub source: &'a str,
    pub tenant: &'a str,
    pub verb: &'a str,
}

type Said = Result<Routing, Refusal>;

impl Says<'_> {
    /// Reads the data of an entity; `None` when there is no such entity or verb.
    pub fn read(&self, entity: &str, data: &RawValue) -> Option<Said> {
        let timed = matches!(self.verb, "started" | "ended" | "recorded" | "changed");
        let told = matches!(self.verb, "recorded" | "changed");
        let said = match entity {
            "contact" if timed => parse(data).and_then(|d| self.contact(&d)),
            "segment" if timed => parse(data).and_then(|d| self.segment(&d)),
            "link" if told => parse(data).and_then(|d| self.link(&d)),
            "agent" if told => parse(data).and_then(|d| self.agent(&d)),
            "recording" if timed => parse(data).and_then(|d| self.recording(&d)),
            "transcript" if timed => {
                parse(data).and_then(|d: TranscriptData| self.transcript(&d, data.get()))
            }
            "note" if told => parse(data).and_then(|d| self.note(&d)),
            "survey" if told => parse(data).and_then(|d| self.survey(&d)),
            "target" if told => parse(data).and_then(|d| self.target(&d)),
            "source" if told => parse(data).and_then(|d| self.source(&d)),
            "silence" if told => parse(data).and_then(|d| self.silence(&d)),
            "measurement" if told => parse(data).and_then(|d| self.measurement(&d)),
            "figure" if told => parse(data).and_then(|d| self.figure(&d)),
            "evaluation" if told => parse(data).and_then(|d| self.evaluation(&d)),
            "customer" if told => parse(data).and_then(|d| self.customer(&d)),
            "schedule" if told => parse(data).and_then(|d| self.schedule(&d)),
            "lease" if told => parse(data).and_then(|d| self.lease(&d)),
            _ => return None,
        };
        Some(said)
    }

    fn about(&self, thing: Thing) -> Statement {
        Statement::new(thing, &self.by)
    }

    /// A time given in the data; for a start or end that is missing, the event's own time when
    /// the verb says that this is what it marks.
    fn at(
        &self,
        s: Statement,
        f: F,
        field: &str,
        text: Option<&String>,
        verb: &str,
    ) -> Result<Statement, Refusal> {
        Ok(match text {
            Some(t) => {
                let (us, p) = read_time(field, t, self.precision)?;
                s.time(f, us, p)
            }
            None if self.verb == verb => s.time(f, self.time.0, self.time.1),
            None => s,
        })
    }

    fn millis(&self, s: Statement, f: F, ms: Option<i64>) -> Result<Statement, Refusal> {
        match ms {
            Some(ms) if !(0..=10 * 366 * 86_400_000).contains(&ms) => Err(Refusal::new(
                "bad_value",
                format!("a duration of {ms} ms is negative or longer than ten years"),
            )),
            Some(ms) => Ok(s.millis(f, ms, self.precision.unwrap_or(1_000))),
            None => Ok(s),
        }
    }

    fn contact(&self, d: &ContactData) -> Said {
        let id = required("contact_id", d.contact_id.as_deref())?;
        let mut s = self
            .about(Thing::Contact)
            .text(F::Source, self.source)
            .text(F::Tenant, d.tenant.as_deref().unwrap_or(self.tenant))
            .text(F::Channel, d.channel.map_or("", |c| c.as_str()))
            .text(F::Direction, d.direction.map_or("", |c| c.as_str()))
            .text(F::EndedBy, d.ended_by.map_or("", |c| c.as_str()));
        for (f, field, value) in [
            (F::Customer, "customer", &d.customer),
            (F::CustomerName, "customer_name", &d.customer_name),
            (F::Dialled, "dialled", &d.dialled),
            (F::Site, "site", &d.site),
            (F::LineOfBusiness, "line_of_business", &d.line_of_business),
            (F::Campaign, "campaign", &d.campaign),
            (F::Language, "language", &d.language),
            (F::EndReason, "end_reason", &d.end_reason),
            (F::RawOutcome, "raw_outcome", &d.raw_outcome),
        ] {
            s = s.text(f, bounded(field, value.as_deref())?);
        }
        s = self.at(s, F::Start, "start", d.start.as_ref(), "started")?;
        s = self.at(s, F::End, "end", d.end.as_ref(), "ended")?;
        if let Some(yes) = d.ends_are_stated {
            s = s.flag(F::EndsAreStated, yes);
        }
        for (name, value) in d.attributes.iter().flatten().take(200) {
            let text = match value {
                serde_json::Value::String(t) => t.clone(),
                other => other.to_string(),
            };
            s = s.text(F::Attr(name.as_str().into()), &text);
        }
        Ok(contact_routing(id, vec![s]))
    }

    fn segment(&self, d: &SegmentData) -> Said {
        let id = required("contact_id", d.contact_id.as_deref())?;
        let segment = required("segment_id", d.segment_id.as_deref())?;
        if let (Some(kind), Some(outcome)) = (d.kind, d.outcome.as_deref()) {
            check_outcome(kind, outcome)?;
        }
        let mut s = self
            .about(Thing::Segment(segment.into()))
            .text(F::Kind, d.kind.map_or("", |k| k.as_str()))
            .text(F::TargetKind, d.target_kind.map_or("", |k| k.as_str()))
            .text(F::EndedBy, d.ended_by.map_or("", |k| k.as_str()))
            .text(F::InputType, d.input_type.map_or("", |k| k.as_str()));
        for (f, field, value) in [
            (F::Queue, "queue", &d.queue),
            (F::Agent, "agent", &d.agent),
            (F::Outcome, "outcome", &d.outcome),
            (F::RawOutcome, "raw_outcome", &d.raw_outcome),
            (F::Target, "target", &d.target),
            (F::Parent, "parent", &d.parent),
            (F::Name, "name", &d.name),
            (F::Input, "input", &d.input),
            (F::Mode, "mode", &d.mode),
            (F::Reason, "reason", &d.reason),
        ] {
            s = s.text(f, bounded(field, value.as_deref())?);
        }
        s = self.at(s, F::Start, "start", d.start.as_ref(), "started")?;
        s = self.at(s, F::End, "end", d.end.as_ref(), "ended")?;
        s = self.millis(s, F::Duration, d.duration_ms)?;
        s = self.millis(s, F::Ring, d.ring_ms)?;
        s = self.millis(s, F::Hold, d.hold_ms)?;
        for (f, n) in [
            (F::PositionIn, d.position_in),
            (F::PositionOut, d.position_out),
            (F::HoldCount, d.hold_count),
        ] {
            if let Some(n) = n {
                s = s.int(f, n);
            }
        }
        let contact = self.about(Thing::Contact).text(F::Source, self.source);
        Ok(contact_routing(
            id,
            vec![s, contact.text(F::Tenant, self.tenant)],
        ))
    }

    fn link(&self, d: &LinkData) -> Said {
        let id = required("contact_id", d.contact_id.as_deref())?;
        let other = required("other_id", d.other_id.as_deref())?;
        let kind = d.kind.ok_or_else(|| missing("kind"))?;
        if kind == LinkKind::Same {
            let ids = vec![contact_platform_id(id), contact_platform_id(other)];
            let s = self.about(Thing::Contact).text(F::Source, self.source);
            return Ok(Routing {
                keys: vec![RouteKey::Contact(ids)],
                statements: Some(vec![s]),
                time: None,
            });
        }
        let s = self.about(Thing::Link(kind.as_str().into(), other.into()));
        let s = self.at(s, F::At, "at", d.at.as_ref(), self.verb)?;
        Ok(contact_routing(id, vec![s]))
    }

    fn agent(&self, d: &AgentData) -> Said {
        let agent = required("agent", d.agent.as_deref())?;
        let state = d.state.ok_or_else(|| missing("state"))?;
        let track = d.track.unwrap_or(Track::Presence);
        let queue = bounded("queue", d.queue.as_deref())?;
        let (us, p) = match &d.at {
            Some(t) => read_time("at", t, self.precision)?,
            None => self.time,
        };
        let s = self
            .about(Thing::AgentPoint(
                track.as_str().into(),
                queue.into(),
                us.to_string().into(),
            ))
            .time(F::At, us, p)
            .text(F::State, state.as_str())
            .text(
                F::NativeState,
                bounded("native_state", d.native_state.as_deref())?,
            )
            .text(F::Reason, bounded("reason", d.reason.as_deref())?);
        Ok(direct(
            Key::Agent(self.source.into(), agent.into()),
            vec![s],
        ))
    }

    fn target(&self, d: &TargetData) -> Said {
        let queue = required("queue", d.queue.as_deref())?;
        let threshold = d.threshold_ms.ok_or_else(|| missing("threshold_ms"))?;
        let from = d.valid_from.as_deref().unwrap_or("always");
        let id = match d.target_id.as_deref() {
            Some(id) => id.to_owned(),
            None => format!("{queue}@{from}"),
        };
        let mut s = self
            .about(Thing::Target)
            .text(F::Queue, queue)
            .text(F::Metric, "service_level")
            .text(F::Variant, d.variant.unwrap_or(Variant::Offered).as_str());
        s = self.millis(s, F::Threshold, Some(threshold))?;
        s = self.millis(s, F::Short, d.short_ms)?;
        if let Some(goal) = d.goal {
            s = s.with(F::Goal, Value::Float(goal));
        }
        s = self.at(s, F::ValidFrom, "valid_from", d.valid_from.as_ref(), "")?;
        s = self.at(s, F::ValidTo, "valid_to", d.valid_to.as_ref(), "")?;
        Ok(direct(Key::Target(id.as_str().into()), vec![s]))
    }

    fn source(&self, d: &SourceData) -> Said {
        let state = required("state", d.state.as_deref())?;
        let instance = d.instance.as_deref().unwrap_or(self.source);
        let (us, p) = match &d.at {
            Some(t) => read_time("at", t, self.precision)?,
            None => self.time,
        };
        let said = match state {
            "restarted" => vec![self.about(Thing::Restart(us)).time(F::At, us, p)],
            "up" | "down" | "gap" => vec![],
            _ => {
                return Err(Refusal::new(
                    "bad_value",
                    format!("state \"{state}\" is none of up, down, restarted, gap"),
                ));
            }
        };
        Ok(direct(Key::Instance(instance.into()), said))
    }

    fn silence(&self, d: &SilenceData) -> Said {
        let id = required("contact_id", d.contact_id.as_deref())?;
        let until = required("until", d.until.as_deref())?;
        let (us, p) = read_time("until", until, None)?;
        let s = self.about(Thing::Silence(us)).time(F::At, us, p);
        // A platform's contact is named by platform/instance/native, our own by its id.
        let id = match id.matches('/').count() {
            2.. => PlatformId(id.into()),
            _ => contact_platform_id(id),
        };
        Ok(Routing {
            keys: vec![RouteKey::Contact(vec![id])],
            statements: Some(vec![s]),
            time: None,
        })
    }
}

fn parse<T: DeserializeOwned>(data: &RawValue) -> Result<T, Refusal> {
    serde_json::from_str(data.get())
        .map_err(|e| Refusal::new("bad_data", format!("data cannot be read: {e}")))
}

fn missing(field: &str) -> Refusal {
    Refusal::new("missing_field", format!("data.{field} is missing"))
}

fn bounded<'v>(field: &str, value: Option<&'v str>) -> Result<&'v str, Refusal> {
    let value = value.unwrap_or("");
    if value.len() > MAX_NAME_BYTES {
        return Err(Refusal::new(
            "too_long",
            format!(
                "data.{field} has {} bytes; at most {MAX_NAME_BYTES}",
                value.len()
            ),
        ));
    }
    // Nobody sees them, and clients end a text at the first zero: two ids would look like one.
    if value.chars().any(char::is_control) {
        return Err(Refusal::new(
            "bad_value",
            format!("data.{field} holds a control character"),
        ));
    }
    Ok(value)
}

fn required<'v>(field: &str, value: Option<&'v str>) -> Result<&'v str, Refusal> {
    let value = bounded(field, value)?;
    if value.is_empty() {
        Err(missing(field))
    } else {
        Ok(value)
    }
}

fn check_outcome(kind: SegmentKind, outcome: &str) -> Result<(), Refusal> {
    let known = outcomes(kind);
    if known.contains(&outcome) {
        return Ok(());
    }
    let shown: String = outcome.chars().take(40).collect();
    Err(Refusal::new(
        "bad_value",
        format!(
            "outcome \"{shown}\" is none of a {kind}'s: {}; put the platform's own word into raw_outcome",
            known.join(", ")
        ),
    ))
}

fn contact_routing(id: &str, statements: Vec<Statement>) -> Routing {
    Routing {
        keys: vec![RouteKey::Contact(vec![contact_platform_id(id)])],
        statements: Some(statements),
        time: None,
    }
}

fn direct(key: Key, statements: Vec<Statement>) -> Routing {
    Routing {
        keys: vec![RouteKey::Direct(key)],
        statements: Some(statements),
        time: None,
    }
}
