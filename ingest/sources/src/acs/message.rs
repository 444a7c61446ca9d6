//! Single messages: SMS, WhatsApp and others of Advanced Messaging, e-mail. Each is a contact, and an
//! answer is of the contact of the message that it answers.

use std::collections::BTreeMap;

use callboard_model::statement::F;

use super::Event;
use super::doc::Doc;
use super::parts::{About, Part, When};
use super::route::is_message;

/// Reads the messages among a contact's events.
pub fn read(events: &[Event], about: &mut About) -> Vec<Part> {
    let mut parts: BTreeMap<String, Part> = BTreeMap::new();
    for event in events.iter().filter(|e| is_message(&e.kind)) {
        let (d, when) = (event.data(), &event.when);
        let id = match d.text("messageId") {
            id if id.is_empty() => event.document().text("id"),
            id => id,
        };
        let inbound = event.kind.ends_with("MessageReceived") || event.kind == "SMSReceived";
        describe(event, d, inbound, about);
        // One e-mail goes to many; each is told of apart.
        let to = d.first(&["recipient"]).as_text();
        let key = [id, to].join(" ").trim().to_owned();
        let part = parts
            .entry(key.clone())
            .or_insert_with(|| Part::new(format!("message/{key}"), "message", when));
        if inbound {
            received(part, d, when);
        } else {
            reported(part, event, d);
        }
    }
    parts.into_values().collect()
}

fn describe(event: &Event, d: Doc<'_>, inbound: bool, about: &mut About) {
    let by = &event.when;
    let channel = match event.kind.as_str() {
        kind if kind.starts_with("SMS") => "sms",
        kind if kind.starts_with("Email") => "email",
        _ => match d.text("channelType").to_ascii_lowercase().as_str() {
            "whatsapp" | "" => "whatsapp",
            _ => "other",
        },
    };
    about.text(F::Channel, channel, by);
    about.attr("channel_type", &d.text("channelType"), by);
    let direction = if inbound { "inbound" } else { "outbound" };
    about.text(F::Direction, direction, by);
    let from = d.first(&["from", "sender"]).as_text();
    let to = d.first(&["to", "recipient"]).as_text();
    about.text(F::Customer, if inbound { &from } else { &to }, by);
    about.text(F::Dialled, &to, by);
    about.attr("tag", &d.text("tag"), by);
    let error = d.get("error");
    let error = [error.text("channelCode"), error.text("channelMessage")].join(" ");
    about.attr("error", error.trim(), by);
}

/// A message of the customer.
fn received(part: &mut Part, d: Doc<'_>, when: &When) {
    let at = d
        .first(&["receivedTimestamp"])
        .is_some()
        .then(|| d.time("receivedTimestamp"))
        .flatten();
    let at = at.map_or_else(|| when.clone(), |t| when.told(t));
    part.end = Some(at.clone());
    part.start = Some(at);
    let kind = d.text("messageType");
    part.text(F::Outcome, "delivered")
        .text(F::RawOutcome, "received")
        .text(F::Name, if kind.is_empty() { "text" } else { &kind });
    let interactive = d.get("interactive");
    let reply = interactive.first(&["buttonReply", "listReply"]);
    let chosen = [
        reply.text("id"),
        d.get("button").first(&["payload", "text"]).as_text(),
        d.get("reaction").text("emoji"),
    ];
    if let Some(chosen) = chosen.iter().find(|c| !c.is_empty()) {
        part.text(F::Input, chosen);
    }
}

/// A report on a message of ours: the farthest that it came counts.
fn reported(part: &mut Part, event: &Event, d: Doc<'_>) {
    let when = &event.when;
    let tried = d
        .list("deliveryAttempts")
        .find_map(|a| a.time("timestamp"))
        .map(|t| when.told(t));
    let start = tried.unwrap_or_else(|| when.clone());
    part.start = Some(match part.start.take() {
        Some(known) => When::min(known, start),
        None => start,
    });
    let raw = d
        .first(&["deliveryStatus", "status", "engagementType"])
        .as_text();
    let outcome = match raw.to_ascii_lowercase().as_str() {
        "sent" | "expanded" => "sent",
        "delivered" => "delivered",
        "read" | "view" | "click" => "read",
        "failed" | "bounced" | "filteredspam" | "quarantined" | "suppressed" => "failed",
        _ => "",
    };
    let far = |word: &str| {
        let order = ["", "sent", "failed", "delivered", "read"];
        order.iter().position(|o| *o == word)
    };
    let names = [
        "receivedTimestamp",
        "deliveryAttemptTimestamp",
        "userActionTimestamp",
    ];
    let at = names.iter().find_map(|n| d.time(n));
    let at = at.map_or_else(|| when.clone(), |t| when.told(t));
    if part.end.is_none() || far(outcome) > far(part.get(&F::Outcome)) {
        let start = part.start.clone().unwrap_or_else(|| at.clone());
        part.end = Some(When::max(at, start));
        part.text(F::Outcome, outcome).text(F::RawOutcome, &raw);
        let details = d.get("deliveryStatusDetails");
        let details = match details.as_text() {
            text if text.is_empty() => details.text("statusMessage"),
            text => text,
        };
        part.text(F::Reason, &details);
    }
    let engaged = d.text("engagementContext");
    part.text(F::Input, &engaged);
    part.text(F::Name, &event.kind);
}
