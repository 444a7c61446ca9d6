//! What was measured on contacts, what platforms count themselves, how contacts were judged, what is
//! known of customers, what was planned for agents, and which numbers were taken for hand-overs.

use super::spec::{Instant, table};

table! {
    /// One row per measurement on a contact: quality of a call, sentiment, a score. Identity: source, participant, name, time.
    MeasurementRow => MEASUREMENTS = "measurements", id "set_id", sort ["contact_id", "at", "name"];
    contact_id: String = "Contact",
    participant: Option<String> = "Whose side it was measured on: an agent, customer, or a stream of theirs; NULL = nobody in particular",
    at: Option<Instant> = "When it was measured, or the end of the span that it sums up, UTC; NULL = of the contact as a whole, and its source tells no time",
    name: String = "Name: one of docs/reference/measurements.md, or the source's own",
    value: f64 = "Value in the unit beside it",
    unit: Option<String> = "Unit: ms, ratio, mos, count, score ...; NULL = none was given",
    source: String = "Platform and instance, or client, that measured",
    segment_id: Option<String> = "Segment of the contact that it belongs to",
    client: Option<String> = "Softphone or browser, with its version",
    device: Option<String> = "Headset, microphone or speaker",
    network: Option<String> = "Kind of network: wifi, ethernet, vpn, cellular ...",
    vdi: Option<String> = "Vendor of the virtual desktop that it ran in",
    set_id: String = "Identity of the measurements that are replaced together",
}

table! {
    /// One row per figure that a platform computed itself, in its own name and unit: beside ours, never mixed in.
    VendorMetricRow => VENDOR_METRICS = "vendor_metrics", id "figures_id", sort ["source", "metric", "started_at"];
    source: String = "Platform and instance that computed it",
    metric: String = "The platform's own name of the metric, with its threshold or qualifier",
    scope: String = "What it is of: queue:NAME, agent:NAME, or other words of the platform; empty = all",
    started_at: Option<Instant> = "Start of the span that it is of, UTC; NULL = a picture of one moment",
    ended_at: Option<Instant> = "End of the span, or the moment, UTC",
    value: f64 = "Value as the platform gives it",
    unit: Option<String> = "Unit, where the platform's format or its page tells: percent, s, ms, count",
    figures_id: String = "Identity of the figures that are replaced together",
}

table! {
    /// One row per question of an evaluation, and one for the evaluation as a whole.
    EvaluationRow => EVALUATIONS = "evaluations", id "evaluation_id", sort ["contact_id", "evaluation_id", "question_id"];
    evaluation_id: String = "Identity of the evaluation",
    contact_id: Option<String> = "Contact that was evaluated",
    agent: Option<String> = "Agent who was evaluated",
    evaluator: Option<String> = "Who evaluated, or the platform where it did so itself",
    form: Option<String> = "Form, with its version where the platform tells it",
    section: Option<String> = "Section of the form",
    question_id: Option<String> = "Identity of the question; NULL = the evaluation as a whole",
    question: Option<String> = "Question",
    score: Option<f64> = "Score that was given; NULL = not scored, or not applicable",
    max_score: Option<f64> = "Greatest possible score; 100 where scores are percent",
    answer: Option<String> = "Answer as it was chosen or written",
    remark: Option<String> = "Remark of the evaluator; of the whole also automatic_fail",
    at: Option<Instant> = "When the evaluation was handed in, UTC",
    source: String = "Platform and instance, or who told it",
}

table! {
    /// One row per attribute of a customer and the time for which it holds.
    CustomerAttributeRow => CUSTOMER_ATTRIBUTES = "customer_attributes", id "attribute_id", sort ["customer", "name", "valid_from"];
    customer: String = "The customer's address as contacts have it: number, e-mail, handle",
    name: String = "Name of the attribute",
    value: String = "Value; empty = withdrawn",
    valid_from: Option<Instant> = "From when, UTC; NULL = always",
    valid_to: Option<Instant> = "Until when, UTC, exclusive; NULL = still",
    source: String = "Who told it",
    told_at: Option<Instant> = "When it was told, UTC",
    attribute_id: String = "Identity: customer and start of validity",
}

table! {
    /// One row per planned activity of an agent.
    ScheduleRow => SCHEDULES = "schedules", id "schedule_id", sort ["agent", "started_at"];
    schedule_id: String = "Identity",
    agent: String = "Agent as agent_intervals name him",
    activity: String = "Activity in the planner's own word",
    class: String = "available (for contacts, or with one), paused (break, training, meeting) or offline",
    started_at: Instant = "Start, UTC",
    ended_at: Instant = "End, UTC",
    paid: Option<bool> = "Paid time",
    source: String = "Who planned",
}

table! {
    /// One row per number of a pool that was taken to hand a contact over to another system.
    LeaseRow => LEASES = "leases", id "lease_id", sort ["number", "allocated_at"];
    lease_id: String = "Identity",
    number: String = "The number, as it was told",
    contact_id: Option<String> = "The contact for which it was taken: its id, a former one or a platform's",
    customer: Option<String> = "Address of its customer",
    allocated_at: Instant = "When the number was taken, UTC",
    transferred_at: Option<Instant> = "When the contact was transferred to it, UTC",
    released_at: Option<Instant> = "When the number was free again, UTC; NULL = not told",
    expires_at: Option<Instant> = "When it is free again at the latest, UTC; NULL = not told",
    source: String = "Who told it",
}
