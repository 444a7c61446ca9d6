//! Call logs of Azure Monitor: who took part in a call, and what he thought of it afterwards.

use std::collections::BTreeMap;

use callboard_model::ids::Key;
use callboard_model::statement::{F, Statement, Thing, Value};

use super::doc::Doc;
use super::ids::{self, platform_id};
use super::parts::{About, When};
use super::roster::{Span, Spans};
use super::{Event, Feed, instance_source};
use crate::payload::measured::Measured;

/// The native id of the call that a row is of.
pub fn correlation(event: &Event) -> Option<String> {
    ids::unique("correlation", &event.document().text("correlationId"))
}

fn rows<'a>(events: &'a [Event], kind: &'a str) -> impl Iterator<Item = (&'a Event, Doc<'a>)> {
    let of_kind = move |e: &&Event| e.feed == Feed::Monitor && e.kind == kind;
    events.iter().filter(of_kind).map(|e| (e, e.data()))
}

/// Who took part, from the rows of the call summary: one row each, with start and length in whole
/// seconds.
pub fn presence(events: &[Event]) -> Spans {
    let mut spans: Spans = BTreeMap::new();
    for (event, d) in rows(events, "CallSummary") {
        let mut raw = ids::raw_id(d.get("identifier"));
        if raw.is_empty() {
            raw = d.first(&["participantId", "endpointId"]).as_text();
        }
        let Some(start) = d.time("participantStartTime") else {
            continue;
        };
        let end = d.int("participantDuration").and_then(|s| after(start, s));
        spans.entry(raw).or_default().push(Span {
            start: event.when.told(start),
            end: end.map(|e| event.when.told(e)),
        });
    }
    spans
}

/// The time so many whole seconds after another.
fn after((at, _): (i64, u32), seconds: i64) -> Option<(i64, u32)> {
    let us = seconds.checked_mul(1_000_000)?;
    let end = at.checked_add(us)?;
    (seconds >= 0).then_some((end, 1_000_000))
}

/// What the rows say of the call as a whole; gives its end.
pub fn describe(events: &[Event], about: &mut About) -> Option<When> {
    let (mut begun, mut end): (Option<When>, Option<When>) = (None, None);
    for (event, d) in rows(events, "CallSummary") {
        let by = &event.when;
        about.attr("call_type", &d.text("callType"), by);
        about.attr(
            "participant_end_reason",
            &d.text("participantEndReason"),
            by,
        );
        about.attr("result_category", &d.text("resultCategory"), by);
        about.attr("pstn_call_type", &d.text("pstnParticipantCallType"), by);
        about.attr("teams_thread", &d.text("teamsThreadId"), by);
        if let Some(start) = d.time("callStartTime") {
            // The rows of one call differ by fractions of a second.
            let start_of = by.told(start);
            begun =
                Some(begun.map_or_else(|| start_of.clone(), |b| When::min(b, start_of.clone())));
            let ended = d.int("callDuration").and_then(|s| after(start, s));
            if let Some(ended) = ended.map(|e| by.told(e)) {
                end = Some(end.map_or_else(|| ended.clone(), |e| When::max(e, ended.clone())));
            }
        }
    }
    if let Some(begun) = begun {
        about.time(F::Start, &begun);
    }
    let mut media: Vec<String> = Vec::new();
    for (event, d) in rows(events, "CallDiagnostics") {
        let kind = d.text("mediaType");
        if !kind.is_empty() && !media.contains(&kind) {
            media.push(kind);
        }
        for name in ["roundTripTimeMax", "jitterMax", "packetLossRateAvg"] {
            about.attr(name, &d.text(name), &event.when);
        }
    }
    media.sort();
    if let Some((event, _)) = rows(events, "CallDiagnostics").next() {
        about.attr("media", &media.join(","), &event.when);
    }
    end
}

/// Figures of a row of the call diagnostics: field, name.
const FIGURES: [(&str, &str); 9] = [
    ("roundTripTimeAvg", "round_trip_ms"),
    ("roundTripTimeMax", "round_trip_max_ms"),
    ("jitterAvg", "jitter_ms"),
    ("jitterMax", "jitter_max_ms"),
    ("packetLossRateAvg", "packet_loss_ratio"),
    ("packetLossRateMax", "packet_loss_max_ratio"),
    ("healedDataRatioAvg", "concealed_ratio"),
    ("jitterBufferSizeAvg", "jitter_buffer_ms"),
    ("videoFrameRateAvg", "video_frame_rate"),
];

/// What the diagnostics measured: a row for each participant, kind of media and direction.
pub fn measured(events: &[Event]) -> Vec<Statement> {
    let mut out = Vec::new();
    for (event, d) in rows(events, "CallDiagnostics") {
        let mut who = ids::raw_id(d.get("identifier"));
        if who.is_empty() {
            who = d.first(&["participantId", "endpointId"]).as_text();
        }
        for word in [d.text("mediaType"), d.text("streamDirection")] {
            if !matches!(word.as_str(), "" | "Audio") {
                who = format!("{who} {word}");
            }
        }
        let source = instance_source(&event.instance);
        let of = Measured {
            source: &source,
            who: who.trim(),
            at: event.when.at,
            by: &event.when.by,
        };
        for (field, name) in FIGURES {
            out.extend(of.says(name, d.float(field)));
        }
    }
    out
}

/// The answer to an end-of-call survey: the overall rating, with its scale and the issues named.
pub fn survey(event: &Event) -> Option<(Key, Vec<Statement>)> {
    let is = event.feed == Feed::Monitor && event.kind.contains("Survey");
    if !is {
        return None;
    }
    let d = event.data();
    let id = d.text("SurveyId");
    if id.is_empty() {
        return None;
    }
    let call = match d.text("CallId") {
        id if id.is_empty() => event.document().text("correlationId"),
        id => id,
    };
    let contact = ids::native("correlation", &call);
    let contact = contact.map(|n| platform_id(&event.instance, &n).contact_id());
    let when = &event.when;
    let mut said = Statement::new(Thing::Survey, &when.by)
        .text(F::Source, &instance_source(&event.instance))
        .text(F::Kind, "csat")
        .text(F::Contact, contact.as_deref().unwrap_or(""))
        .text(F::Question, "OverallRating")
        .text(F::Text, &d.text("OverallCallIssues"))
        .text(F::State, "answered")
        .time(F::AnsweredAt, when.at, when.precision);
    for (f, name) in [
        (F::Number, "OverallRatingScore"),
        (F::ScaleMin, "OverallRatingScoreLowerBound"),
        (F::ScaleMax, "OverallRatingScoreUpperBound"),
    ] {
        if let Some(n) = d.float(name) {
            said = said.with(f, Value::Float(n));
        }
    }
    let key = Key::Survey(format!("{}-{id}", event.instance).as_str().into());
    Some((key, vec![said]))
}
