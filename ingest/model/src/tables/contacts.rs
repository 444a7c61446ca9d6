//! What a contact is made of: its own row, its segments, the offers to agents, its links to
//! other contacts, and the names under which it was known.

use super::spec::{Instant, table};

table! {
    /// One row per contact: a customer's call, chat, message thread, e-mail or task from first sign to last.
    ContactRow => CONTACTS = "contacts", id "contact_id", sort ["started_at", "contact_id"];
    contact_id: String = "Identity of the contact; former identities stand in aliases",
    source: String = "Platform and instance that told of it first in id order, e.g. /asterisk/pbx1",
    channel: String = "voice, video, chat, sms, whatsapp, email, task, social or unknown",
    direction: Option<String> = "inbound, outbound or internal, seen from the contact centre",
    queue: Option<String> = "Last queue the contact was in",
    agent: Option<String> = "Last agent who talked to the customer",
    customer: Option<String> = "Customer's address as given (number, e-mail, handle)",
    customer_name: Option<String> = "Customer's name as the platform gave it",
    dialled: Option<String> = "Address the customer contacted, or that was dialled",
    tenant: Option<String> = "Tenant, where one installation serves several",
    site: Option<String> = "Site",
    line_of_business: Option<String> = "Line of business",
    campaign: Option<String> = "Campaign of an outbound contact",
    language: Option<String> = "Language, BCP 47",
    started_at: Option<Instant> = "First sign of the contact, UTC",
    ended_at: Option<Instant> = "End of the contact, UTC; NULL while open or lost",
    outcome: Option<String> = "Outcome of the last queue stay, else of the last segment",
    raw_outcome: Option<String> = "The platform's own word for that outcome",
    ended_by: Option<String> = "customer, agent, system, platform or unknown",
    end_reason: Option<String> = "Platform's reason of the end",
    end_basis: Option<String> = "How the end is known: NULL = stated; else computed (that of its last segment), restart, timeout",
    wait_ms: Option<i64> = "Sum of all waits in queues, milliseconds",
    talk_ms: Option<i64> = "Sum of all talks with agents including holds, milliseconds",
    hold_ms: Option<i64> = "Sum of all holds, milliseconds; NULL when the source cannot tell",
    wrap_ms: Option<i64> = "Sum of all wrap-up, milliseconds; NULL when the source cannot tell",
    transfers: i64 = "Talks that ended in a transfer to an agent, a queue or a number",
    queues: Vec<String> = "Queues in order of entry",
    agents: Vec<String> = "Agents who talked, in order",
    state: String = "open, closed or lost (an end that never came)",
    attributes: Option<String> = "Attributes of the platform, JSON object",
    corrected_at: Option<Instant> = "When a late record last changed this row after it had settled",
}

table! {
    /// One row per part of a contact: menu, bot, queue, dial, talk, hold, park, monitor, share, wrapup, voicemail, callback, message. Offers have a table of their own.
    SegmentRow => SEGMENTS = "segments", id "contact_id", sort ["started_at", "contact_id", "seq"];
    contact_id: String = "Contact",
    seq: i64 = "Order in the contact, from 1",
    segment_id: String = "Identity of the segment",
    kind: String = "menu, bot, queue, dial, talk, hold, park, monitor, share, wrapup, voicemail, callback or message",
    queue: Option<String> = "Queue of the stay; for talk, hold and wrap-up the queue it came from",
    agent: Option<String> = "Agent of a talk, hold, wrap-up or monitor",
    started_at: Option<Instant> = "Start, UTC",
    ended_at: Option<Instant> = "End, UTC; NULL while open or lost",
    duration_ms: Option<i64> = "Stated duration where the source's clock is finer than its times, else end minus start, milliseconds",
    outcome: Option<String> = "Outcome, one word of the kind's list",
    raw_outcome: Option<String> = "The platform's own word for the outcome",
    target_kind: Option<String> = "For a redirection: disconnect, person, voice_app, external, shared_voicemail or announcement",
    target: Option<String> = "Queue, person, number or mailbox it was redirected to",
    ended_by: Option<String> = "customer, agent, system, platform or unknown",
    start_basis: Option<String> = "NULL = stated; computed = from a duration",
    end_basis: Option<String> = "NULL = stated; else parent, successor, restart, snapshot, timeout, computed, untold (over, and nobody tells since when)",
    state: String = "open, closed or lost",
    parent_seq: Option<i64> = "seq of the segment it belongs to: hold, monitor and wrap-up to a talk, talk to the stay or dial that it came of",
    position_in: Option<i64> = "Place in the queue at entry, 1 = head",
    position_out: Option<i64> = "Place in the queue at exit",
    hold_ms: Option<i64> = "For talk: holds inside it, milliseconds; NULL when the source cannot tell",
    hold_count: Option<i64> = "For talk: number of holds inside it",
    ring_ms: Option<i64> = "For talk: ringing before the answer, milliseconds",
    name: Option<String> = "Menu step, bot, mailbox, parking slot or campaign",
    input: Option<String> = "What the customer entered or said in a menu",
    input_type: Option<String> = "dtmf, speech or directory",
    mode: Option<String> = "For monitor: listen, whisper or barge; for talk: serve, consult, conference, outbound or internal; for share: screen or video",
    reason: Option<String> = "Reason of a wrap-up code or of a refusal",
}

table! {
    /// One row per offer of a waiting contact to an agent.
    OfferRow => OFFERS = "offers", id "contact_id", sort ["offered_at", "contact_id", "seq"];
    contact_id: String = "Contact",
    seq: i64 = "Order among the contact's offers, from 1",
    segment_id: String = "Identity of the offer",
    queue: Option<String> = "Queue that offered",
    queue_seq: Option<i64> = "seq of the queue stay in segments",
    agent: Option<String> = "Agent",
    offered_at: Option<Instant> = "Start of ringing, UTC",
    ended_at: Option<Instant> = "End of ringing, UTC",
    ring_ms: Option<i64> = "Ringing, milliseconds",
    outcome: Option<String> = "accepted, no_answer (missed), declined, busy, unreachable, caller_left or taken_elsewhere (revoked), error",
    raw_outcome: Option<String> = "The platform's own word for the outcome",
    end_basis: Option<String> = "NULL = stated; else parent, successor, restart, timeout, computed",
}

table! {
    /// One row per link between two contacts: transfer, conference, consult, callback, retry, same.
    LinkRow => LINKS = "links", id "from_contact", sort ["at", "from_contact"];
    from_contact: String = "Contact from which the link leads",
    to_contact: String = "Contact, or platform id, to which it leads",
    kind: String = "transfer, conference, consult, callback, retry or same",
    at: Option<Instant> = "When, UTC",
}

table! {
    /// One row per other name of a thing: a contact's platform ids and former ids, an agent's logins.
    AliasRow => ALIASES = "aliases", id "id", sort ["id", "native"];
    entity: String = "contact, agent or queue",
    platform: String = "Platform and instance that uses the native id",
    native: String = "The other name",
    id: String = "Identity that stands",
    valid_from: Option<Instant> = "From when, UTC; NULL = always",
    valid_to: Option<Instant> = "Until when, UTC; NULL = still",
}
