//! Agents' own states, what is made of them and of contacts by interval, and the targets of queues.

use super::spec::{Instant, table};

table! {
    /// One row per span of an agent's own state on one track, cut at UTC midnight.
    AgentStateRow => AGENT_STATES = "agent_states", id "agent_key", sort ["agent", "track", "started_at"];
    agent_key: String = "Identity: source and agent; two platforms may use the same name",
    agent: String = "Agent as the platform names him",
    source: String = "Platform and instance",
    track: String = "presence (logged in, state), membership (in a queue), pause (in a queue), device",
    queue: Option<String> = "For membership and pause: the queue",
    state: String = "offline, available, reserved, busy, wrapup, paused, member, unknown ...",
    native_state: Option<String> = "The platform's own word for the state",
    reason: Option<String> = "Reason given, e.g. of a pause",
    started_at: Instant = "Start, UTC",
    ended_at: Option<Instant> = "End, UTC; NULL while it lasts",
    end_basis: Option<String> = "NULL = stated; else successor, midnight, restart, timeout",
    device: Option<String> = "Device by which calls reach the agent, as the platform names it; NULL when it does not tell",
}

impl AgentStateRow {
    /// The identity of an agent as one source names him.
    pub fn key_of(source: &str, agent: &str) -> String {
        format!("{source} {agent}")
    }
}

table! {
    /// One row per span of an agent in exactly one state; of overlapping ones the first of talk, hold, ringing, wrapup, paused, available.
    AgentIntervalRow => AGENT_INTERVALS = "agent_intervals", id "agent", sort ["agent", "started_at"];
    agent: String = "Agent",
    state: String = "offline, available, ringing, talk, hold, wrapup, paused, unknown",
    reason: Option<String> = "Reason of a pause; NULL otherwise",
    started_at: Instant = "Start, UTC",
    ended_at: Option<Instant> = "End, UTC; NULL while it lasts",
}

table! {
    /// One row per queue and quarter of an hour of queue entry; every count is of stays that entered in it.
    QueueIntervalRow => QUEUE_INTERVALS = "queue_intervals", id "queue", sort ["queue", "interval_start"];
    queue: String = "Queue",
    interval_start: Instant = "Start of the quarter of an hour, UTC",
    offered: i64 = "Stays that entered (refused at the door is outside)",
    answered: i64 = "Answered by an agent",
    answered_in_target: i64 = "Answered within the queue's threshold",
    abandoned: i64 = "Ended by the customer while waiting, short ones included; dropped ones too",
    short_abandoned: i64 = "Abandoned within the queue's short threshold",
    abandoned_in_target: i64 = "Abandoned within the queue's threshold",
    timed_out: i64 = "Left by the queue's maximum wait",
    overflowed: i64 = "Left after waiting because of a size rule",
    no_agent: i64 = "Left because no agent was there",
    left_other: i64 = "Left otherwise: key press, callback, transferred, voicemail, withdrawn",
    lost: i64 = "An end that never came",
    waiting: i64 = "Still waiting",
    refused: i64 = "Refused at the door: outside offered",
    wait_ms_sum: i64 = "Waits of answered stays, milliseconds",
    wait_ms_max: Option<i64> = "Longest wait of an answered stay, milliseconds",
    abandoned_ms_sum: i64 = "Waits of abandoned stays, milliseconds",
    abandoned_ms_max: Option<i64> = "Longest wait of an abandoned stay, milliseconds",
    timed_out_ms_sum: i64 = "Waits of timed-out stays, milliseconds",
    timed_out_ms_max: Option<i64> = "Longest wait of a timed-out stay, milliseconds",
    overflowed_ms_sum: i64 = "Waits of overflowed stays, milliseconds",
    overflowed_ms_max: Option<i64> = "Longest wait of an overflowed stay, milliseconds",
    no_agent_ms_sum: i64 = "Waits of stays that left for want of an agent, milliseconds",
    no_agent_ms_max: Option<i64> = "Longest such wait, milliseconds",
    left_other_ms_sum: i64 = "Waits of stays that left otherwise, milliseconds",
    left_other_ms_max: Option<i64> = "Longest such wait, milliseconds",
    talk_ms_sum: i64 = "Talks that followed these stays, holds included, milliseconds",
    talk_count: i64 = "Talks that followed these stays",
    hold_ms_sum: Option<i64> = "Holds in those talks, milliseconds; NULL when no source can tell",
    wrap_ms_sum: Option<i64> = "Wrap-up after those talks, milliseconds; NULL when no source can tell",
    threshold_ms: Option<i64> = "Service level threshold in force when the interval's first contact entered, milliseconds",
}

table! {
    /// One row per target of a queue, with the time in which it holds; a new target does not restate the past.
    QueueTargetRow => QUEUE_TARGETS = "queue_targets", id "target_id", sort ["queue", "valid_from"];
    target_id: String = "Identity of the target",
    queue: String = "Queue",
    metric: String = "service_level",
    variant: String = "Formula: answered, ans_abn, ans_abn_short, no_abandon, positive_abandon, offered, ans_abn_flow, removed",
    threshold_ms: i64 = "Answered within this wait counts as in target, milliseconds",
    short_ms: i64 = "Abandoned within this wait counts as short, milliseconds",
    goal: Option<f64> = "Share to reach, 0 to 1",
    valid_from: Option<Instant> = "From when, UTC; NULL = always",
    valid_to: Option<Instant> = "Until when, UTC; NULL = still",
    source: Option<String> = "Instance of the platform that says so; NULL = stated by the configuration or an event, which holds before a platform's own",
}
