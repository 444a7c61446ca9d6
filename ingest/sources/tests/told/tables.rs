//! The tables as they are compared.

use crate::compare::Table;

pub const CONTACTS: Table = Table {
    name: "contacts",
    columns: &[
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
    same: &[],
};
pub const SEGMENTS: Table = Table {
    name: "segments",
    columns: &[
        "kind",
        "queue",
        "agent",
        "started_at",
        "ended_at",
        "outcome",
        "target_kind",
        "target",
    ],
    same: &["kind"],
};
pub const OFFERS: Table = Table {
    name: "offers",
    columns: &["queue", "agent", "offered_at", "ring_ms", "outcome"],
    same: &[],
};
pub const LINKS: Table = Table {
    name: "links",
    columns: &["to_contact", "kind", "at"],
    same: &["to_contact"],
};
pub const STATES: Table = Table {
    name: "agent_states",
    columns: &["state", "reason", "started_at", "ended_at"],
    same: &[],
};
