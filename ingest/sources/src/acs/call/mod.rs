//! Calls: who talked to the customer and when, holds, transfers, invitations that failed, and how
//! the call ended. From Event Grid's call events, the call-backs of Call Automation and the call log.

use std::collections::BTreeSet;

use callboard_model::ids::PlatformId;
use callboard_model::statement::{F, Statement};

use super::Event;
use super::doc::Doc;
use super::ids::{self, Who, platform_id, who};
use super::parts::{About, Part, When};
use super::roster::{self, Roster};
use super::{logs, turns};
use parties::{Parties, handed_over, own_talks};
use segments::{bot, holds, invitations, voice_apps};

mod parties;
mod segments;

/// The calls of a contact.
#[derive(Debug, Default)]
pub struct Call {
    /// Menus, holds, invitations, and talks that no job tells.
    pub parts: Vec<Part>,
    /// The end, where it is known.
    pub end: Option<When>,
    /// Who left first, where the platform does not say who ended it.
    pub left_first: Option<(&'static str, When)>,
    /// Calls that the caller's side carried a reference to.
    pub links: Vec<(PlatformId, When)>,
    /// Whether there is any.
    pub any: bool,
    /// Whether more is known of a call than that it came: then its end will be told too.
    pub followed: bool,
}

/// Reads the call events among a contact's. `talks` are those that Job Router tells: a participant
/// who is the worker of one adds no talk of his own, but his holds and transfers are that talk's.
pub fn read(
    events: &[Event],
    about: &mut About,
    talks: &mut [Part],
    of_chat: Option<&str>,
) -> Call {
    let mut call = Call {
        any: events.iter().any(is_call),
        followed: events
            .iter()
            .any(|e| is_call(e) && e.kind != "IncomingCall"),
        ..Call::default()
    };
    if !call.any {
        return call;
    }
    let roster = roster::read(events);
    let parties = Parties::of(events, &roster, of_chat, talks);
    describe(events, &roster, &parties, about);
    let logged = logs::describe(events, about);
    call.end = end(events, &roster, &parties).or(logged);

    call.left_first = left_first(&roster, &parties);
    call.links = links(events);
    let mut own = own_talks(&roster, &parties, talks, call.end.as_ref());
    handed_over(&own, talks);
    let led_on = transfers(events, &mut own, talks);
    let taken: Vec<&Part> = talks.iter().chain(own.iter()).collect();
    let held = holds(&roster, &taken);
    let menus = turns::menus(events);
    let hung_up = matches!(&call.left_first, Some(("customer", _))) || parties.is_gone(&roster);
    let served = menus
        .last()
        .is_none_or(|m| m.get(&F::Outcome) == "selected");
    let alone = if hung_up && !served {
        "hangup"
    } else {
        "contained"
    };
    let bot = bot(events, &own, talks, call.end.as_ref(), alone);
    call.parts.extend(bot);
    call.parts.extend(menus);
    call.parts.extend(invitations(events));
    call.parts.extend(led_on);
    call.parts.extend(voice_apps(&roster));
    call.parts.extend(held);
    call.parts.extend(own);
    call
}

/// What was measured on its media.
pub fn measured(events: &[Event]) -> Vec<Statement> {
    logs::measured(events)
}

/// Whether an event is of a call.
pub fn is_call(event: &Event) -> bool {
    let kind = event.kind.as_str();
    event.connection() != ""
        || matches!(kind, "IncomingCall" | "CallStarted" | "CallEnded")
        || kind.starts_with("CallParticipant")
        || kind == "CallSummary"
        || kind == "CallDiagnostics"
}

/// What the events say of the contact as a whole.
fn describe(events: &[Event], roster: &Roster, parties: &Parties, about: &mut About) {
    for event in events.iter().filter(|e| is_call(e)) {
        let (d, by) = (event.data(), &event.when);
        match event.kind.as_str() {
            "IncomingCall" => {
                about.text(F::Direction, "inbound", by);
                about.text(F::CustomerName, &d.text("callerDisplayName"), by);
                about.text(F::Dialled, ids::address(&ids::raw_id(d.get("to"))), by);
                let behalf = d.first(&["onBehalfOfCallee", "onBehalfOf"]);
                about.attr("on_behalf_of", &ids::raw_id(behalf), by);
                custom_context(d.get("customContext"), by, about);
                about.time(F::Start, by);
            }
            "CallStarted" => {
                about.attr("room", &d.get("room").text("id"), by);
                about.attr("group", &d.get("group").text("id"), by);
                about.time(F::Start, by);
            }
            "CallParticipantAdded" => {
                let agent = d.first(&["userAgent", "endpointType"]).as_text();
                about.attr("user_agent", &agent, by);
            }
            "CreateCallFailed" => about.text(F::Direction, "outbound", by),
            "PlayFailed" | "AnswerFailed" | "ConnectFailed" | "CallTransferFailed" => {
                let said = result_text(d);
                about.attr(&event.kind, &said, by);
            }
            "RecordingStateChanged" => about.attr("recording", &d.text("state"), by),
            _ => {}
        }
        if let "CallConnected" | "CallDisconnected" | "CreateCallFailed" = event.kind.as_str() {
            about.attr("operation_context", &d.text("operationContext"), by);
        }
        if let Some(customer) = &parties.customer {
            about.text(F::Customer, ids::address(customer), by);
            if let Some(name) = roster.names.get(customer) {
                about.text(F::CustomerName, name, by);
            }
        }
    }
    let played = events.iter().filter(|e| e.kind == "PlayCompleted").count();
    if let Some(last) = events.iter().rfind(|e| e.kind == "PlayCompleted") {
        about.attr("prompts_played", &played.to_string(), &last.when);
    }
}

/// Headers that the caller's side sent along, and what Teams Phone knows of the call.
fn custom_context(context: Doc<'_>, by: &When, about: &mut About) {
    for headers in ["sipHeaders", "voipHeaders"] {
        for (name, value) in context.fields(headers).take(50) {
            let name: String = name.chars().filter(|c| !c.is_control()).take(80).collect();
            about.attr(&format!("header.{name}"), &value.as_text(), by);
        }
    }
    let teams = context.get("teamsPhoneCallDetails");
    for name in [
        "intent",
        "callTopic",
        "callContext",
        "callSentiment",
        "transcriptUrl",
    ] {
        about.attr(&format!("teams.{name}"), &teams.text(name), by);
    }
    let source = teams.get("teamsPhoneSourceDetails");
    about.text(F::Language, &source.text("language"), by);
    about.attr("teams.source", &source.text("source"), by);
}

pub fn result_text(d: Doc<'_>) -> String {
    let result = d.first(&["resultInformation", "resultInfo", "reason"]);
    let codes = format!("{}/{}", result.text("code"), result.text("subCode"));
    let said = result.first(&["message", "phrase"]).as_text();
    match (codes.as_str(), said.as_str()) {
        ("/", said) => said.to_owned(),
        (codes, "") => codes.to_owned(),
        (codes, said) => format!("{codes} {said}"),
    }
}

/// When the call ended: stated by CallEnded; else concluded from the application's legs that are all
/// gone, or from the customer, who was there and is not any more.
fn end(events: &[Event], roster: &Roster, parties: &Parties) -> Option<When> {
    let ended = events.iter().rfind(|e| e.kind == "CallEnded");
    let begun = |e: &&Event| matches!(e.kind.as_str(), "CallStarted" | "CallConnected");
    let last_begin = events.iter().rfind(begun).map(|e| e.when.at);
    if let Some(ended) = ended
        && last_begin.is_none_or(|b| b <= ended.when.at)
    {
        return Some(ended.when.clone());
    }
    if let Some(spans) = parties
        .customer
        .as_ref()
        .and_then(|c| roster.present.get(c))
        && let Some(left) = spans.last().and_then(|s| s.end.clone())
    {
        return Some(left.guess());
    }
    let of = |kind: &'static str| events.iter().filter(move |e| e.kind == kind);
    let legs: BTreeSet<String> = of("CallConnected").map(Event::connection).collect();
    let gone: BTreeSet<String> = of("CallDisconnected").map(Event::connection).collect();
    if let Some(last) = of("CallDisconnected").next_back() {
        // Of a leg whose participant was removed no end is told.
        let removed = of("RemoveParticipantSucceeded").next().is_some();
        let over = legs.is_subset(&gone) || removed;
        return over.then(|| last.when.guess());
    }
    let failed = |e: &&Event| {
        let kind = e.kind.as_str();
        matches!(kind, "CreateCallFailed" | "AnswerFailed" | "ConnectFailed")
    };
    let last = events.iter().rfind(failed)?;
    last_begin.is_none().then(|| last.when.guess())
}

/// Who left first: the customer while somebody who served him was still there, or the last of those
/// while the customer was.
fn left_first(roster: &Roster, parties: &Parties) -> Option<(&'static str, When)> {
    let customer = parties.customer.as_ref()?;
    let gone = roster.present.get(customer)?.last()?.end.clone();
    let serving = roster.present.iter().filter(|(raw, _)| parties.serves(raw));
    let mut ends: Vec<Option<When>> = Vec::new();
    for (_, spans) in serving {
        ends.push(spans.last()?.end.clone());
    }
    if ends.is_empty() {
        return None;
    }
    let later = |end: &Option<When>, than: &When| end.as_ref().is_none_or(|e| e.at > than.at);
    match gone {
        Some(gone) if ends.iter().any(|e| later(e, &gone)) => Some(("customer", gone.guess())),
        gone => {
            let last = ends.into_iter().collect::<Option<Vec<When>>>()?;
            let last = last.into_iter().reduce(When::max)?;
            later(&gone, &last).then(|| ("agent", last.guess()))
        }
    }
}

/// Other calls that the caller's side names in its headers: they point to where the call came from.
fn links(events: &[Event]) -> Vec<(PlatformId, When)> {
    let mut out = Vec::new();
    let own: BTreeSet<Option<String>> = events
        .iter()
        .map(|e| ids::call(&e.data().text("serverCallId")))
        .collect();
    for event in events.iter().filter(|e| e.kind == "IncomingCall") {
        let context = event.data().get("customContext");
        for headers in ["sipHeaders", "voipHeaders"] {
            for (_, value) in context.fields(headers) {
                let named = ids::reference(&value.as_text());
                let other =
                    named.filter(|n| n.starts_with("call:") && !own.contains(&Some(n.clone())));
                out.extend(other.map(|n| (platform_id(&event.instance, &n), event.when.clone())));
            }
        }
    }
    out
}

/// Who ended the call and why.
pub fn ending(events: &[Event], customer: Option<&str>, about: &mut About) {
    for event in events {
        let (d, by) = (event.data(), &event.when);
        match event.kind.as_str() {
            "CallEnded" => {
                let ended_by = d.get("endedBy");
                let raw = ids::raw_id(ended_by);
                let kind = ended_by.text("type");
                let word = if kind.eq_ignore_ascii_case("MicrosoftInternal") {
                    "platform"
                } else if raw.is_empty() {
                    ""
                } else if Some(ids::address(&raw)) == customer {
                    "customer"
                } else {
                    "agent"
                };
                about.text(F::EndedBy, word, by);
                about.text(F::EndReason, &result_text(d), by);
            }
            "RemoveParticipantSucceeded" => {
                let raw = ids::raw_id(d.get("participant"));
                if Some(ids::address(&raw)) == customer {
                    about.text(F::EndedBy, "system", by);
                }
            }
            "CallDisconnected" | "CreateCallFailed" | "AnswerFailed" => {
                about.text(F::EndReason, &result_text(d), by);
            }
            _ => {}
        }
    }
}

/// Transfers that were accepted: the talk at that time was handed to somebody. Where nobody talked,
/// the application itself led the caller on.
fn transfers(events: &[Event], own: &mut [Part], routed: &mut [Part]) -> Vec<Part> {
    let mut led_on = Vec::new();
    for event in events.iter().filter(|e| e.kind == "CallTransferAccepted") {
        let d = event.data();
        let raw = ids::raw_id(d.first(&["transferTarget", "targetParticipant"]));
        let kind = match who(&raw) {
            Who::Phone => "external",
            Who::TeamsUser => "person",
            Who::TeamsApp => "voice_app",
            Who::Bot => "bot",
            Who::User => "agent",
            Who::Other => "other",
        };
        let at = event.when.at;
        let mut talks = own.iter_mut().chain(routed.iter_mut());
        if let Some(talk) = talks.find(|t| t.covers(at)) {
            talk.text(F::Outcome, "transferred")
                .text(F::RawOutcome, &event.kind)
                .text(F::TargetKind, kind)
                .text(F::Target, ids::address(&raw));
            let end = talk
                .end
                .take()
                .map_or_else(|| event.when.clone(), |e| When::min(e, event.when.clone()));
            talk.end = Some(end);
        } else {
            let mut dial = Part::new(format!("dial/{}", event.when.by.id), "dial", &event.when);
            dial.start = Some(event.when.clone());
            dial.end = Some(event.when.clone());
            dial.text(F::Outcome, "answered")
                .text(F::RawOutcome, &event.kind)
                .text(F::TargetKind, kind)
                .text(F::Target, ids::address(&raw));
            led_on.push(dial);
        }
    }
    led_on
}

/// Length of the call as the platform states it, milliseconds.
pub fn stated_length(events: &[Event]) -> Option<(When, i64)> {
    let ended = events.iter().rfind(|e| e.kind == "CallEnded")?;
    let d = ended.data();
    let seconds = d
        .float("callDurationInSeconds")
        .or(d.float("durationOfCall"))?;
    let ms = (seconds * 1_000.0).round();
    (0.0..=86_400_000.0 * 366.0)
        .contains(&ms)
        .then(|| (ended.when.clone(), ms as i64))
}
