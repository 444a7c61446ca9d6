//! The tables of the truth by the product's public names, and which of their columns are compared.

/// A table of the truth.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Name, in SQL and of its file.
    pub name: &'static str,
    /// Columns that are written.
    pub columns: &'static [&'static str],
    /// Columns of which no event says anything: they are not written, and NULL in every row.
    pub never: &'static [&'static str],
    /// Columns that tell two rows apart.
    pub key: &'static [&'static str],
    /// The time by whose UTC day rows stand in one file.
    pub time: Option<&'static str>,
    /// The column that leads to the events of a row: a contact.
    pub contact: Option<&'static str>,
    /// Asked for by pieces of the key's first column, so many characters of which tell two pieces
    /// apart; by days of `time` without, or at once where there is none.
    pub pieces: Option<usize>,
}

impl Table {
    /// All columns that are compared.
    pub fn compared(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().chain(self.never).copied()
    }
}

/// The beginning of a contact's id that contacts of one site and day have in common.
const SITE_AND_DAY: usize = 12;

const CONTACTS: Table = Table {
    name: "contacts",
    columns: &[
        "contact_id",
        "source",
        "channel",
        "direction",
        "queue",
        "agent",
        "customer",
        "customer_name",
        "site",
        "started_at",
        "ended_at",
        "outcome",
        "raw_outcome",
        "ended_by",
        "end_basis",
        "wait_ms",
        "talk_ms",
        "hold_ms",
        "wrap_ms",
        "transfers",
        "queues",
        "agents",
        "state",
    ],
    never: &[
        "dialled",
        "tenant",
        "line_of_business",
        "campaign",
        "language",
        "end_reason",
        "attributes",
    ],
    key: &["contact_id"],
    time: Some("started_at"),
    contact: Some("contact_id"),
    pieces: None,
};

const SEGMENTS: Table = Table {
    name: "segments",
    columns: &[
        "contact_id",
        "seq",
        "segment_id",
        "kind",
        "queue",
        "agent",
        "started_at",
        "ended_at",
        "duration_ms",
        "outcome",
        "raw_outcome",
        "target_kind",
        "target",
        "end_basis",
        "state",
        "parent_seq",
        "hold_ms",
        "hold_count",
        "name",
        "input",
        "mode",
    ],
    never: &[
        "ended_by",
        "start_basis",
        "position_in",
        "position_out",
        "ring_ms",
        "input_type",
        "reason",
    ],
    key: &["contact_id", "seq"],
    time: Some("started_at"),
    contact: Some("contact_id"),
    pieces: None,
};

const OFFERS: Table = Table {
    name: "offers",
    columns: &[
        "contact_id",
        "seq",
        "segment_id",
        "queue",
        "queue_seq",
        "agent",
        "offered_at",
        "ended_at",
        "ring_ms",
        "outcome",
        "raw_outcome",
        "end_basis",
    ],
    never: &[],
    key: &["contact_id", "seq"],
    time: Some("offered_at"),
    contact: Some("contact_id"),
    pieces: None,
};

const LINKS: Table = Table {
    name: "links",
    columns: &["from_contact", "to_contact", "kind", "at"],
    never: &[],
    key: &["from_contact", "to_contact", "kind"],
    time: Some("at"),
    contact: Some("from_contact"),
    pieces: None,
};

const SURVEYS: Table = Table {
    name: "surveys",
    columns: &[
        "survey_id",
        "contact_id",
        "kind",
        "value",
        "scale_min",
        "scale_max",
        "status",
    ],
    never: &[
        "queue",
        "agent",
        "question",
        "text",
        "asked_at",
        "answered_at",
    ],
    key: &["survey_id"],
    time: None,
    contact: Some("contact_id"),
    pieces: Some(SITE_AND_DAY),
};

const RECORDINGS: Table = Table {
    name: "recordings",
    columns: &[
        "recording_id",
        "contact_id",
        "leg",
        "state",
        "reason",
        "voicemail",
        "attempts",
    ],
    never: &[
        "queue",
        "agent",
        "codec",
        "rate",
        "channels",
        "duration_ms",
        "bytes",
        "sha256",
        "started_at",
        "ended_at",
        "gaps",
        "silenced",
        "transcript_state",
        "transcript_reason",
        "transcript_model",
    ],
    key: &["recording_id"],
    time: None,
    contact: Some("contact_id"),
    pieces: Some(SITE_AND_DAY),
};

const QUEUE_INTERVALS: Table = Table {
    name: "queue_intervals",
    columns: &[
        "queue",
        "interval_start",
        "offered",
        "answered",
        "answered_in_target",
        "abandoned",
        "short_abandoned",
        "abandoned_in_target",
        "timed_out",
        "overflowed",
        "no_agent",
        "left_other",
        "lost",
        "waiting",
        "refused",
        "wait_ms_sum",
        "wait_ms_max",
        "abandoned_ms_sum",
        "abandoned_ms_max",
        "timed_out_ms_sum",
        "timed_out_ms_max",
        "overflowed_ms_sum",
        "overflowed_ms_max",
        "no_agent_ms_sum",
        "no_agent_ms_max",
        "left_other_ms_sum",
        "left_other_ms_max",
        "talk_ms_sum",
        "talk_count",
        "hold_ms_sum",
        "wrap_ms_sum",
        "threshold_ms",
    ],
    never: &[],
    key: &["queue", "interval_start"],
    time: Some("interval_start"),
    contact: None,
    pieces: Some(usize::MAX),
};

const AGENT_INTERVALS: Table = Table {
    name: "agent_intervals",
    columns: &["agent", "state", "reason", "started_at", "ended_at"],
    never: &[],
    key: &["agent", "started_at"],
    time: Some("started_at"),
    contact: None,
    pieces: Some(usize::MAX),
};

const DEAD_LETTERS: Table = Table {
    name: "dead_letters",
    columns: &["sha256", "source", "class", "length"],
    never: &[],
    key: &["sha256", "source", "class"],
    time: None,
    contact: None,
    pieces: None,
};

/// All tables, as they are compared.
pub const TABLES: &[Table] = &[
    CONTACTS,
    SEGMENTS,
    OFFERS,
    LINKS,
    SURVEYS,
    RECORDINGS,
    QUEUE_INTERVALS,
    AGENT_INTERVALS,
    DEAD_LETTERS,
];

/// What is compared where a platform tells the day. Of contacts, segments and offers these are the
/// columns that its adapter is held to: platforms have words, ids and parents of their own for the rest.
/// The last two stand in the truth beside the others. What is not said here is as above.
pub const TOLD_TABLES: &[Table] = &[
    Table {
        columns: &[
            "contact_id",
            "source",
            "channel",
            "direction",
            "queue",
            "agent",
            "customer",
            "started_at",
            "ended_at",
            "outcome",
            "raw_outcome",
            "wait_ms",
            "talk_ms",
            "hold_ms",
            "wrap_ms",
            "state",
        ],
        never: &[],
        ..CONTACTS
    },
    Table {
        columns: &[
            "contact_id",
            "seq",
            "kind",
            "queue",
            "agent",
            "started_at",
            "ended_at",
            "outcome",
            "target_kind",
            "target",
        ],
        never: &[],
        ..SEGMENTS
    },
    Table {
        columns: &[
            "contact_id",
            "queue",
            "agent",
            "offered_at",
            "ring_ms",
            "outcome",
        ],
        // The number of an offer is not among these columns.
        key: &["contact_id", "offered_at", "agent"],
        ..OFFERS
    },
    LINKS,
    // Agents' own states are told in the columns of what is made of them.
    Table {
        name: "agent_states",
        pieces: None,
        ..AGENT_INTERVALS
    },
    Table {
        columns: &[
            "contact_id",
            "leg",
            "state",
            "started_at",
            "ended_at",
            "duration_ms",
        ],
        never: &[],
        key: &["contact_id"],
        time: Some("started_at"),
        pieces: None,
        ..RECORDINGS
    },
];
