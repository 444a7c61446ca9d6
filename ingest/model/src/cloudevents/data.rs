//! The data of our events: one type per entity. Times are RFC 3339; durations are integer
//! milliseconds; a missing field says nothing, never "none".

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words::{
    AgentState, Channel, Direction, EndedBy, InputType, Leg, LinkKind, RecordingState, SegmentKind,
    SurveyKind, TargetKind, Track, Variant,
};

mod measured;
mod turns;

pub use measured::{
    AnswerData, CustomerData, EvaluationData, FigureData, LeaseData, MeasurementData, ScheduleData,
};
pub use turns::{TagData, TurnData, WordData};

macro_rules! entity {
    ($(#[doc = $doc:literal])+ $name:ident { $( $(#[doc = $fdoc:literal])+ $field:ident : $type:ty ),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub struct $name {
            $( $(#[doc = $fdoc])+
               #[serde(default, skip_serializing_if = "Option::is_none")]
               pub $field: Option<$type>, )+
        }
    };
}
use entity;

/// Attributes of a platform: names to texts, numbers or truth values.
pub type Attributes = BTreeMap<String, serde_json::Value>;

entity! {
    /// A contact: `callboard.contact.started|ended|recorded|changed`.
    ContactData {
        /// Identity of the contact. Required.
        contact_id: String,
        /// Channel.
        channel: Channel,
        /// Direction.
        direction: Direction,
        /// Customer's address: number, e-mail, handle.
        customer: String,
        /// Customer's name.
        customer_name: String,
        /// Address that the customer contacted, or that was dialled.
        dialled: String,
        /// Tenant.
        tenant: String,
        /// Site.
        site: String,
        /// Line of business.
        line_of_business: String,
        /// Campaign.
        campaign: String,
        /// Language, BCP 47.
        language: String,
        /// Start.
        start: String,
        /// End.
        end: String,
        /// Who ended it.
        ended_by: EndedBy,
        /// Platform's reason of the end.
        end_reason: String,
        /// The platform's own outcome.
        raw_outcome: String,
        /// True when the source states the end of every contact.
        ends_are_stated: bool,
        /// Attributes.
        attributes: Attributes,
    }
}

entity! {
    /// A part of a contact: `callboard.segment.started|ended|recorded|changed`. An offer to an
    /// agent is a segment of kind `offer` whose parent is the queue stay.
    SegmentData {
        /// Contact. Required.
        contact_id: String,
        /// Identity of the segment. Required.
        segment_id: String,
        /// Kind; required once.
        kind: SegmentKind,
        /// Queue.
        queue: String,
        /// Agent.
        agent: String,
        /// Start.
        start: String,
        /// End.
        end: String,
        /// Duration as the platform states it, milliseconds.
        duration_ms: i64,
        /// Outcome: one of the kind's list.
        outcome: String,
        /// The platform's own outcome.
        raw_outcome: String,
        /// Where a redirection leads.
        target_kind: TargetKind,
        /// Queue, person, number or mailbox it leads to.
        target: String,
        /// Who ended it.
        ended_by: EndedBy,
        /// Segment it belongs to (offer to queue; hold, monitor, wrap-up to talk; talk to queue).
        parent: String,
        /// Place in the queue at entry, 1 = head.
        position_in: i64,
        /// Place in the queue at exit.
        position_out: i64,
        /// Ringing before the answer, milliseconds.
        ring_ms: i64,
        /// Holds inside a talk, milliseconds, where the platform gives only a sum.
        hold_ms: i64,
        /// Number of holds inside a talk.
        hold_count: i64,
        /// Menu step, bot, mailbox or parking slot.
        name: String,
        /// What was entered or said.
        input: String,
        /// How it was entered.
        input_type: InputType,
        /// Monitor: listen, whisper, barge. Talk: serve, consult, conference, outbound, internal. Share: screen, video.
        mode: String,
        /// Reason: a wrap-up code, the cause of a refusal.
        reason: String,
    }
}

entity! {
    /// A link between two contacts: `callboard.link.recorded`.
    LinkData {
        /// Contact from which it leads. Required.
        contact_id: String,
        /// Contact to which it leads. Required.
        other_id: String,
        /// Relation. Required. `same` joins both into one contact.
        kind: LinkKind,
        /// When.
        at: String,
    }
}

entity! {
    /// A change of an agent's own state: `callboard.agent.changed`.
    AgentData {
        /// Agent as the platform names him. Required.
        agent: String,
        /// Track; presence when missing.
        track: Track,
        /// Queue, for membership and pause.
        queue: String,
        /// State. Required.
        state: AgentState,
        /// The platform's own word.
        native_state: String,
        /// Reason, e.g. of a pause.
        reason: String,
        /// When; the event's time when missing.
        at: String,
    }
}

entity! {
    /// A recording: `callboard.recording.started|changed|recorded`.
    RecordingData {
        /// Identity; contact and leg when missing.
        recording_id: String,
        /// Contact: its id, a former id or a platform's id. Required.
        contact_id: String,
        /// Leg. Required.
        leg: Leg,
        /// Queue.
        queue: String,
        /// Agent.
        agent: String,
        /// State.
        state: RecordingState,
        /// Why paused, absent or failed.
        reason: String,
        /// Start.
        start: String,
        /// End.
        end: String,
        /// Length of the audio, milliseconds.
        duration_ms: i64,
        /// Codec and container.
        codec: String,
        /// Samples per second.
        rate: i64,
        /// Channels.
        channels: i64,
        /// Size of the original.
        bytes: i64,
        /// SHA-256 of the original, hex.
        sha256: String,
        /// A message left in a mailbox.
        voicemail: bool,
        /// Muted spans.
        gaps: Vec<Gap>,
    }
}

/// A span of a recording without sound, and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// Start, milliseconds from the beginning.
    pub start_ms: i64,
    /// End, milliseconds from the beginning.
    pub end_ms: i64,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

entity! {
    /// What became of a recording's transcription: `callboard.transcript.started|recorded`.
    /// `started` writes an attempt down before it begins.
    TranscriptData {
        /// Recording. Required.
        recording_id: String,
        /// Contact, as the recording names it.
        contact_id: String,
        /// Attempt: any number that no other attempt has. Required for `started`.
        attempt: u32,
        /// done, failed or skipped: required for `recorded`. stopped, for `changed`: that attempt
        /// was stopped with the program and does not count.
        state: String,
        /// Why failed or skipped.
        reason: String,
        /// SHA-256 of the file that was heard, hex: where another stands there now, it tells
        /// nothing of it.
        sha256: String,
        /// Failed, because the file holds no sound that could be had.
        unreadable: bool,
        /// Model and rule versions.
        model: String,
        /// Codec as found in the audio.
        codec: String,
        /// Samples per second as found in the audio.
        rate: i64,
        /// Channels as found in the audio.
        channels: i64,
        /// Length as found in the audio, milliseconds.
        duration_ms: i64,
        /// Turns, redacted.
        turns: Vec<TurnData>,
        /// Tags.
        tags: Vec<TagData>,
        /// Spans to silence in playback.
        silenced: Vec<Gap>,
    }
}

entity! {
    /// A reviewer's note: `callboard.note.recorded`. A later one with the same id replaces it;
    /// an empty text withdraws it.
    NoteData {
        /// Identity. Required.
        note_id: String,
        /// Contact. Required.
        contact_id: String,
        /// Leg of the turn.
        leg: Leg,
        /// Turn.
        turn_seq: i64,
        /// Place in the recording, milliseconds.
        at_ms: i64,
        /// Who wrote it.
        author: String,
        /// The note.
        text: String,
    }
}

entity! {
    /// An answer of a customer: `callboard.survey.recorded`.
    SurveyData {
        /// Identity of the answer. Required.
        survey_id: String,
        /// Contact asked about.
        contact_id: String,
        /// Queue asked about.
        queue: String,
        /// Agent asked about.
        agent: String,
        /// What is asked for. Required.
        kind: SurveyKind,
        /// Question.
        question: String,
        /// Answer as a number.
        value: f64,
        /// Least possible value.
        scale_min: f64,
        /// Greatest possible value.
        scale_max: f64,
        /// Answer as text.
        text: String,
        /// asked, answered, opted_out or expired.
        status: String,
        /// When asked.
        asked_at: String,
        /// When answered.
        answered_at: String,
    }
}

entity! {
    /// A target of a queue: `callboard.target.recorded`.
    TargetData {
        /// Identity; queue and start of validity when missing.
        target_id: String,
        /// Queue. Required.
        queue: String,
        /// Formula variant.
        variant: Variant,
        /// Answered within this wait counts as in target, milliseconds. Required.
        threshold_ms: i64,
        /// Abandoned within this wait counts as short, milliseconds.
        short_ms: i64,
        /// Share to reach, 0 to 1.
        goal: f64,
        /// From when; always when missing.
        valid_from: String,
        /// Until when; still when missing.
        valid_to: String,
    }
}

entity! {
    /// The state of a source: `callboard.source.changed`. `restarted` ends what was open on it.
    SourceData {
        /// Source that restarted; the event's own source when missing.
        instance: String,
        /// up, down, restarted or gap. Required.
        state: String,
        /// When; the event's time when missing.
        at: String,
    }
}

entity! {
    /// Nothing was heard of a contact until a time: `callboard.silence.recorded`.
    SilenceData {
        /// Contact, or `platform/instance/native id` for a platform's. Required.
        contact_id: String,
        /// Until when nothing was heard. Required.
        until: String,
    }
}
