//! What a task's event says of the contact itself: whose it is, by which channel, its attributes.

use std::sync::Arc;

use callboard_model::record::{Provenance, rank};
use callboard_model::statement::{F, Statement, Thing};

use super::Told;
use crate::payload::value::{as_text, tidy};
use crate::twilio::{Seen, attribute, instance_source, legs};

/// No more attributes of a task than these become facts.
const MOST_ATTRIBUTES: usize = 60;

/// What an event says of the contact.
pub(super) fn contact(event: &Seen, told: &mut Told) {
    let (f, at) = (&event.fields, event.at);
    let attributes = f.json("taskattributes");
    let (customers, workers) = legs(&attributes);
    told.customers.extend(customers);
    told.workers.extend(workers);
    let direction = match attribute(&attributes, &["direction"]).to_ascii_lowercase() {
        d if d.starts_with("outbound") => "outbound",
        d if d == "internal" => "internal",
        d if d.starts_with("inbound") => "inbound",
        _ => "",
    };
    let kind = attribute(&attributes, &["channelType", "channel_type"]);
    let channel = match kind.as_str() {
        "" => f.get("taskchanneluniquename"),
        kind => kind,
    };
    let mut s = Statement::new(Thing::Contact, &event.by)
        .text(F::Source, &instance_source(&event.instance))
        .flag(F::EndsAreStated, true)
        .text(F::Channel, channel_word(channel))
        .text(F::Direction, direction);
    let (from, to) = (
        attribute(
            &attributes,
            &["from", "caller", "customerAddress", "customer_address"],
        ),
        attribute(&attributes, &["to", "called", "outbound_to"]),
    );
    let (customer, dialled) = match direction {
        "outbound" if !to.is_empty() => (&to, &to),
        _ => (&from, &to),
    };
    s = s
        .text(F::Customer, customer)
        .text(F::Dialled, dialled)
        .text(
            F::CustomerName,
            &attribute(&attributes, &["customerName", "customer_name", "name"]),
        )
        .text(F::Language, &attribute(&attributes, &["language"]))
        .text(F::Campaign, &attribute(&attributes, &["campaign"]));
    if let Some(map) = attributes.as_object() {
        for (name, value) in map.iter().take(MOST_ATTRIBUTES) {
            let value = as_text(value).unwrap_or_default();
            s = s.text(F::Attr(name.as_str().into()), &value);
        }
    }
    let ended = match f.get("eventtype") {
        "task.completed" => {
            s = s.text(
                F::EndReason,
                &tidy(f.first(&["taskcompletedreason", "reason"])),
            );
            true
        }
        "task.canceled" => {
            s = s.text(F::EndReason, &tidy(f.get("taskcanceledreason")));
            true
        }
        "task.deleted" | "task.system-deleted" => true,
        _ => false,
    };
    told.out.push(s);
    let created = f.get("eventtype") == "task.created";
    if ended || created {
        // A task begins with the queue and lasts until the wrap-up is over: where the customer's
        // call tells its start and end, those are the contact's.
        let by = Arc::new(Provenance {
            rank: rank::INFERRED,
            ..(*event.by).clone()
        });
        let s = Statement::new(Thing::Contact, &by);
        let moment = if created { F::Start } else { F::End };
        told.out.push(s.time(moment, at.0, at.1));
    }
}

fn channel_word(name: &str) -> &'static str {
    match name.to_ascii_lowercase().as_str() {
        "" => "",
        "voice" => "voice",
        "video" => "video",
        "chat" | "web" | "webchat" => "chat",
        "sms" => "sms",
        "whatsapp" => "whatsapp",
        "email" => "email",
        "messenger" | "facebook" | "line" | "instagram" => "social",
        "default" | "task" => "task",
        _ => "other",
    }
}
