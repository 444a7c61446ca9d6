//! Statements: one record's claims about one thing, as plain facts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::record::Provenance;

/// The time of a measurement of which its source tells none.
pub const UNTIMED: i64 = i64::MIN;

/// What a statement is about, within its key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Thing {
    /// The contact itself.
    Contact,
    /// A segment of the contact (offers included), by segment id.
    Segment(Arc<str>),
    /// A link to another contact: (kind, other contact or platform id).
    Link(Arc<str>, Arc<str>),
    /// A point at which an agent's own state changed: (track, queue or empty, point id).
    AgentPoint(Arc<str>, Arc<str>, Arc<str>),
    /// The recording of a recording key.
    Recording,
    /// An attempt to transcribe it, by number.
    Attempt(u32),
    /// The note of a note key.
    Note,
    /// The answer of a survey key.
    Survey,
    /// The target of a target key.
    Target,
    /// A restart of an instance, by its time in UTC microseconds.
    Restart(i64),
    /// A statement that nothing was heard of the key until this time, UTC microseconds.
    Silence(i64),
    /// A measurement: source, participant (empty = nobody in particular), name, and its time in UTC
    /// microseconds or [`UNTIMED`]. These four are its identity.
    Measurement(Arc<str>, Arc<str>, Arc<str>, i64),
    /// One of the items of what stands beside contacts: a figure, an attribute, a question; empty
    /// for the whole.
    Item(Arc<str>),
}

/// Names of facts. One list for all things; which fact belongs to which thing is said by the
/// typed events and by the row makers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum F {
    /// Instance that spoke, `/platform/instance`.
    Source,
    /// Channel.
    Channel,
    /// Direction.
    Direction,
    /// Customer's address.
    Customer,
    /// Customer's name.
    CustomerName,
    /// Dialled address.
    Dialled,
    /// Tenant.
    Tenant,
    /// Site.
    Site,
    /// Line of business.
    LineOfBusiness,
    /// Campaign.
    Campaign,
    /// Language.
    Language,
    /// Start.
    Start,
    /// End.
    End,
    /// Stated duration. No (`false`) says that the thing is over and that nobody tells since when.
    Duration,
    /// Who ended it.
    EndedBy,
    /// Reason of the end.
    EndReason,
    /// True: this source states the end of the contact, so that closed segments alone do not close it.
    EndsAreStated,
    /// Kind of a segment.
    Kind,
    /// Queue.
    Queue,
    /// Agent.
    Agent,
    /// Outcome.
    Outcome,
    /// The platform's own outcome.
    RawOutcome,
    /// Kind of a redirection's target.
    TargetKind,
    /// Target of a redirection.
    Target,
    /// Parent segment id.
    Parent,
    /// Place in the queue at entry.
    PositionIn,
    /// Place in the queue at exit.
    PositionOut,
    /// Ringing before the answer.
    Ring,
    /// Holds inside a talk.
    Hold,
    /// Number of holds inside a talk.
    HoldCount,
    /// Menu step, bot, mailbox, slot, campaign.
    Name,
    /// What was entered or said.
    Input,
    /// How it was entered.
    InputType,
    /// Mode of a monitor, talk or share.
    Mode,
    /// Reason.
    Reason,
    /// When a point, link, note or answer was.
    At,
    /// State of an agent, a recording or a survey.
    State,
    /// The platform's own word for a state.
    NativeState,
    /// Contact that a recording, note or survey speaks of.
    Contact,
    /// Leg.
    Leg,
    /// Codec.
    Codec,
    /// Samples per second.
    Rate,
    /// Channels.
    Channels,
    /// Size in bytes.
    Bytes,
    /// SHA-256, hex.
    Sha256,
    /// A voicemail message.
    Voicemail,
    /// Muted spans, JSON.
    Gaps,
    /// The whole transcript of one attempt, JSON; the winner stands as one.
    Transcript,
    /// Outcome of a transcription: done, failed, skipped.
    TranscriptState,
    /// Why.
    TranscriptReason,
    /// Turn number.
    Turn,
    /// Place in a recording, milliseconds.
    Offset,
    /// Author.
    Author,
    /// Text.
    Text,
    /// Metric of a target.
    Metric,
    /// Formula variant.
    Variant,
    /// Threshold.
    Threshold,
    /// Short-abandon threshold.
    Short,
    /// Goal.
    Goal,
    /// Start of validity.
    ValidFrom,
    /// End of validity.
    ValidTo,
    /// Question.
    Question,
    /// Value of an answer.
    Number,
    /// Least possible value.
    ScaleMin,
    /// Greatest possible value.
    ScaleMax,
    /// When answered.
    AnsweredAt,
    /// True: it is over, and its source will not tell since when.
    Over,
    /// Unit of a number.
    Unit,
    /// What a figure is of: `queue:support`, `agent:ann`, or empty for all.
    Scope,
    /// Section of a form.
    Section,
    /// Paid time.
    Paid,
    /// True: it was taken back, or does not apply.
    Withdrawn,
    /// An attribute of the platform, by name.
    Attr(Arc<str>),
}

/// The value of a fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Text.
    Text(Arc<str>),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// A time in UTC microseconds with its precision in microseconds.
    Time(i64, u32),
    /// A duration in milliseconds with its precision in microseconds.
    Millis(i64, u32),
}

impl Value {
    /// Text value.
    pub fn text(s: &str) -> Self {
        Value::Text(s.into())
    }

    /// Precision in microseconds; exact values have 0.
    pub fn precision(&self) -> u32 {
        match self {
            Value::Time(_, p) | Value::Millis(_, p) => *p,
            _ => 0,
        }
    }

    /// A total order over values, so that two claims of one record have a winner too.
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        use Value::{Bool, Float, Int, Millis, Text, Time};
        match (self, other) {
            (Text(a), Text(b)) => a.cmp(b),
            (Int(a), Int(b)) => a.cmp(b),
            (Float(a), Float(b)) => a.total_cmp(b),
            (Bool(a), Bool(b)) => a.cmp(b),
            (Time(a, _), Time(b, _)) | (Millis(a, _), Millis(b, _)) => a.cmp(b),
            _ => self.kind().cmp(&other.kind()),
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Value::Text(_) => 0,
            Value::Int(_) => 1,
            Value::Float(_) => 2,
            Value::Bool(_) => 3,
            Value::Time(..) => 4,
            Value::Millis(..) => 5,
        }
    }
}

/// One record's claims about one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// What it is about.
    pub about: Thing,
    /// The claims.
    pub facts: Vec<(F, Value)>,
    /// Where it stands in the order of the merge.
    pub by: Arc<Provenance>,
}

impl Statement {
    /// A statement without claims yet.
    pub fn new(about: Thing, by: &Arc<Provenance>) -> Self {
        Statement {
            about,
            facts: Vec::new(),
            by: by.clone(),
        }
    }

    /// Adds a claim.
    #[must_use]
    pub fn with(mut self, f: F, value: Value) -> Self {
        self.facts.push((f, value));
        self
    }

    /// Adds a text unless it is empty.
    #[must_use]
    pub fn text(self, f: F, value: &str) -> Self {
        if value.is_empty() {
            self
        } else {
            self.with(f, Value::text(value))
        }
    }

    /// Adds a time with its precision.
    #[must_use]
    pub fn time(self, f: F, us: i64, precision: u32) -> Self {
        self.with(f, Value::Time(us, precision))
    }

    /// Adds a duration in milliseconds with its precision in microseconds.
    #[must_use]
    pub fn millis(self, f: F, ms: i64, precision: u32) -> Self {
        self.with(f, Value::Millis(ms.max(0), precision))
    }

    /// Adds a whole number.
    #[must_use]
    pub fn int(self, f: F, n: i64) -> Self {
        self.with(f, Value::Int(n))
    }

    /// Adds yes or no.
    #[must_use]
    pub fn flag(self, f: F, yes: bool) -> Self {
        self.with(f, Value::Bool(yes))
    }
}
