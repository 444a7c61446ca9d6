//! What a platform says of a story: our events, with what each of them states.

use callboard_model::cloudevents::CloudEvent;
use callboard_model::cloudevents::data::{
    AgentData, ContactData, LinkData, RecordingData, SegmentData, SurveyData, TargetData,
};
use callboard_model::cloudevents::words::{
    Leg, RecordingState, SegmentKind, SurveyKind, Track, Variant,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::SimulateError;
use super::calendar::{TimeForm, Zone, write_time};
use super::story::{Part, Point, Story};
use super::world::{Queue, Site};

/// What an event states, so that what becomes of the event can be held against the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum States {
    /// The beginning of the contact.
    Begin,
    /// The beginning of a part.
    PartBegin(usize),
    /// The end of a part.
    PartEnd(usize),
    /// A part whole, at its end.
    PartWhole(usize),
    /// The end of the contact.
    End,
    /// A link.
    Link(usize),
    /// A recording, beside the contact.
    Recording,
    /// A customer's answer, beside the contact.
    Survey,
    /// A state of an agent.
    Agent,
}

/// An event before it is a line.
#[derive(Debug, Clone)]
pub struct Told {
    /// When.
    pub at: i64,
    /// What it states.
    pub states: States,
    event: CloudEvent<Data>,
    more: bool,
}

/// Data of any entity.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Data {
    Contact(Box<ContactData>),
    Segment(Box<SegmentData>),
    Link(LinkData),
    Agent(AgentData),
    Recording(Box<RecordingData>),
    Survey(Box<SurveyData>),
}

/// A line with fields that no version of the schema knows.
#[derive(Serialize)]
struct More<'a> {
    dataschema: &'a str,
    simtrace: &'a RawValue,
    #[serde(flatten)]
    event: &'a CloudEvent<Data>,
}

impl Told {
    /// The line, without its end.
    pub fn line(&self) -> Result<Vec<u8>, SimulateError> {
        if !self.more {
            return Ok(serde_json::to_vec(&self.event)?);
        }
        let simtrace =
            RawValue::from_string(r#"{"span":[1,2.5,null],"flags":{"a":true}}"#.to_owned())?;
        Ok(serde_json::to_vec(&More {
            dataschema: "https://callboard.invalid/v3",
            simtrace: &simtrace,
            event: &self.event,
        })?)
    }

    /// Its identity within the source.
    pub fn id(&self) -> &str {
        &self.event.id
    }

    /// States where it stands in the source's order.
    pub fn set_sequence(&mut self, n: u64) {
        self.event.sequence = Some(n.to_string());
    }

    /// States when the platform wrote it.
    pub fn set_recorded(&mut self, at: i64) {
        self.event.recordedtime = Some(write_time(at, TimeForm::Utc, Zone::Utc));
    }

    /// Says that it was at another time.
    pub fn set_time(&mut self, at: i64, site: &Site) {
        self.event.time = write_time(at, site.form, site.zone);
    }

    /// Says another customer.
    pub fn set_customer(&mut self, customer: &str) {
        if let Data::Contact(data) = &mut self.event.data {
            data.customer = Some(customer.to_owned());
        }
    }

    /// Says another platform's word for the outcome.
    pub fn set_raw(&mut self, raw: &str) {
        if let Data::Segment(data) = &mut self.event.data {
            data.raw_outcome = Some(raw.to_owned());
        }
    }
}

/// Tells at one site.
pub struct Teller<'a> {
    /// The site.
    pub site: &'a Site,
}

impl Teller<'_> {
    fn told(&self, at: i64, states: States, id: String, kind: &str, data: Data) -> Told {
        let time = write_time(at, self.site.form, self.site.zone);
        let mut event = CloudEvent::new(
            &self.site.source,
            &id,
            &format!("callboard.{kind}"),
            0,
            data,
        );
        event.time = time;
        Told {
            at,
            states,
            event,
            more: self.site.tells_more && at % 7 == 0,
        }
    }

    /// All events of a contact, in the order of their times.
    pub fn story(&self, story: &Story) -> Vec<Told> {
        let mut all = Vec::with_capacity(4 + 2 * story.parts.len());
        let mut n = 0;
        let mut add = |at: i64, states, kind: &str, data| {
            n += 1;
            all.push(self.told(at, states, format!("{}.{n}", story.id), kind, data));
        };
        add(
            story.start,
            States::Begin,
            "contact.started",
            Data::Contact(Box::new(self.beginning(story))),
        );
        for (p, part) in story.parts.iter().enumerate() {
            let refused = part.outcome == "refused";
            let brief = matches!(part.kind, SegmentKind::Offer | SegmentKind::Hold);
            if refused || brief && self.site.tells_at_end {
                let data = self.part(story, p, true, true);
                add(part.end, States::PartWhole(p), "segment.recorded", data);
            } else {
                let data = self.part(story, p, true, false);
                add(part.start, States::PartBegin(p), "segment.started", data);
                let data = self.part(story, p, false, true);
                add(part.end, States::PartEnd(p), "segment.ended", data);
            }
        }
        for (l, link) in story.links.iter().enumerate() {
            let data = LinkData {
                contact_id: Some(story.id.clone()),
                other_id: Some(link.to.clone()),
                kind: Some(link.kind),
                at: None,
            };
            add(link.at, States::Link(l), "link.recorded", Data::Link(data));
        }
        let end = ContactData {
            contact_id: Some(story.id.clone()),
            ended_by: Some(story.ended_by),
            raw_outcome: (!story.raw.is_empty()).then(|| story.raw.to_owned()),
            ..Default::default()
        };
        add(
            story.end,
            States::End,
            "contact.ended",
            Data::Contact(Box::new(end)),
        );
        if story.recorded {
            let data = RecordingData {
                contact_id: Some(story.id.clone()),
                leg: Some(Leg::Both),
                state: Some(RecordingState::Absent),
                reason: Some("not kept by the platform".to_owned()),
                ..Default::default()
            };
            add(
                story.end + 900,
                States::Recording,
                "recording.recorded",
                Data::Recording(Box::new(data)),
            );
        }
        if let Some(value) = story.survey {
            let data = SurveyData {
                survey_id: Some(format!("{}-csat", story.id)),
                contact_id: Some(story.id.clone()),
                kind: Some(SurveyKind::Csat),
                value: Some(value as f64),
                scale_min: Some(1.0),
                scale_max: Some(5.0),
                status: Some("answered".to_owned()),
                ..Default::default()
            };
            add(
                story.end + 61_000,
                States::Survey,
                "survey.recorded",
                Data::Survey(Box::new(data)),
            );
        }
        // Equal times stay in the order in which they were decided.
        all.sort_by_key(|told| told.at);
        all
    }

    fn beginning(&self, story: &Story) -> ContactData {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let less = self.site.tells_less(story);
        ContactData {
            contact_id: Some(story.id.clone()),
            channel: Some(story.channel),
            direction: Some(story.direction),
            customer: some(&story.customer),
            customer_name: some(story.name).filter(|_| !less),
            site: (!less).then(|| self.site.name.clone()),
            ..Default::default()
        }
    }

    /// What is said of a part at its begin, at its end, or of the whole.
    fn part(&self, story: &Story, p: usize, begin: bool, end: bool) -> Data {
        let part = &story.parts[p];
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut data = SegmentData {
            contact_id: Some(story.id.clone()),
            segment_id: Some(segment_id(story, p)),
            ..Default::default()
        };
        if begin {
            data.kind = Some(part.kind);
            data.queue = part
                .queue
                .map(|q| self.site.queue_name(q, story).to_owned());
            data.agent = part.agent.map(|a| self.site.agents[a].name.clone());
            data.parent = part.parent.map(|p| segment_id(story, p));
            data.mode = some(part.mode);
            data.name = some(part.name);
        }
        if end {
            // An outcome is held against its kind, where both are said.
            data.kind = Some(part.kind);
            data.outcome = some(part.outcome);
            data.raw_outcome = some(part.raw);
            data.input = some(part.input);
            if let Some((kind, target)) = &part.target {
                data.target_kind = Some(*kind);
                data.target = some(target);
            }
            if part.kind == SegmentKind::Talk && self.site.states_holds(story) {
                let (ms, count) = holds_of(story, p);
                data.hold_ms = Some(ms);
                data.hold_count = Some(count);
            }
        }
        if begin && end {
            data.start = Some(write_time(part.start, self.site.form, self.site.zone));
            data.end = Some(write_time(part.end, self.site.form, self.site.zone));
        }
        Data::Segment(Box::new(data))
    }

    /// The states of an agent on a day.
    pub fn agent(&self, agent: usize, points: &[Point]) -> Vec<Told> {
        let name = &self.site.agents[agent].name;
        let tell = |point: &Point| {
            let data = AgentData {
                agent: Some(name.clone()),
                track: Some(Track::Presence),
                state: Some(point.state),
                reason: (!point.reason.is_empty()).then(|| point.reason.to_owned()),
                ..Default::default()
            };
            let id = format!("a{}@{}", agent + 1, point.at);
            self.told(
                point.at,
                States::Agent,
                id,
                "agent.changed",
                Data::Agent(data),
            )
        };
        points.iter().map(tell).collect()
    }
}

/// The identity of a part.
pub fn segment_id(story: &Story, p: usize) -> String {
    format!("{}/{}", story.id, p + 1)
}

/// Holds inside a talk, as its end states them: milliseconds and number.
pub fn holds_of(story: &Story, talk: usize) -> (i64, i64) {
    let of = |p: &&Part| p.kind == SegmentKind::Hold && p.parent == Some(talk);
    let holds = story.parts.iter().filter(of);
    holds.fold((0, 0), |(ms, n), p| (ms + p.end - p.start, n + 1))
}

/// The target of a queue, told before anything happens.
pub fn target(source: &str, name: &str, queue: &Queue, at: i64) -> Result<Vec<u8>, SimulateError> {
    let data = TargetData {
        queue: Some(name.to_owned()),
        variant: Some(Variant::Offered),
        threshold_ms: Some(queue.threshold),
        short_ms: Some(queue.short),
        goal: Some(0.8),
        ..Default::default()
    };
    let id = format!("target {name}");
    let mut event = CloudEvent::new(source, &id, "callboard.target.recorded", 0, data);
    event.time = write_time(at, TimeForm::Utc, Zone::Utc);
    Ok(serde_json::to_vec(&event)?)
}
