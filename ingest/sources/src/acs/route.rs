//! To which keys a record belongs.

use callboard_model::ids::{Key, PlatformId};
use callboard_model::record::{Record, Refusal, RouteKey, Routing};

use super::doc::Doc;
use super::ids::{self, platform_id};
use super::{Event, Feed, instance_source, logs, parse, recording};

/// What a record speaks of. Records that change no row (a typing sign, a user who was disconnected,
/// types that are not known yet) have no keys; they are kept as records.
///
/// # Errors
/// A [`Refusal`] when the record cannot be read.
pub fn route(record: &Record) -> Result<Routing, Refusal> {
    let event = parse(record)?;
    let time = Some(event.when.at);
    if let Some((key, said)) = logs::survey(&event) {
        return Ok(Routing {
            keys: vec![RouteKey::Direct(key)],
            statements: Some(said),
            time,
        });
    }
    let mut keys = Vec::new();
    if let Some(id) = recording::key(&event) {
        keys.push(RouteKey::Direct(id));
    } else if let Some(worker) = worker(&event) {
        let source = instance_source(&event.instance);
        keys.push(RouteKey::Direct(Key::Agent(
            source.into(),
            worker.as_str().into(),
        )));
    } else {
        let ids = contact_ids(&event);
        if !ids.is_empty() {
            keys.push(RouteKey::Contact(ids));
        }
    }
    Ok(Routing {
        keys,
        statements: None,
        time,
    })
}

/// The worker whose own state an event tells.
fn worker(event: &Event) -> Option<String> {
    let own = matches!(
        event.kind.as_str(),
        "RouterWorkerRegistered"
            | "RouterWorkerUpdated"
            | "RouterWorkerDeregistered"
            | "RouterWorkerDeleted"
    );
    let id = event.data().text("workerId");
    (own && !id.is_empty()).then_some(id)
}

/// The ids by which an event is of a contact.
fn contact_ids(event: &Event) -> Vec<PlatformId> {
    let d = event.data();
    let mut natives: Vec<Option<String>> = Vec::new();
    match event.feed {
        Feed::Bot => {
            natives.push(ids::conversation(&d.get("conversation").text("id")));
            let related = d.get("relatesTo").get("conversation").text("id");
            natives.push(ids::conversation(&related));
        }
        Feed::Monitor => natives.push(logs::correlation(event)),
        Feed::RecordingMetadata => {}
        Feed::CallAutomation => call(event, &mut natives),
        Feed::EventGrid => match event.kind.as_str() {
            kind if kind.starts_with("Router") => {
                natives.push(ids::native("job", &d.text("jobId")));
                natives.push(ids::reference(&d.text("channelReference")));
            }
            "ChatTypingIndicatorReceivedInThread" => {}
            kind if kind.starts_with("Chat") => {
                natives.push(ids::native("thread", &d.text("threadId")));
            }
            kind if is_message(kind) => message(event, d, &mut natives),
            kind if kind.contains("Call") => call(event, &mut natives),
            _ => {}
        },
    }
    let mut all: Vec<PlatformId> = Vec::new();
    for native in natives.into_iter().flatten() {
        let id = platform_id(&event.instance, &native);
        if !all.contains(&id) {
            all.push(id);
        }
    }
    all
}

/// Whether events of this type are of a single message.
pub fn is_message(kind: &str) -> bool {
    matches!(
        kind,
        "SMSReceived"
            | "SMSDeliveryReportReceived"
            | "AdvancedMessageReceived"
            | "AdvancedMessageDeliveryStatusUpdated"
            | "EmailDeliveryReportReceived"
            | "EmailEngagementTrackingReportReceived"
    )
}

/// A message is a contact; an answer and a reaction are of the contact of what they answer.
fn message(event: &Event, d: Doc<'_>, natives: &mut Vec<Option<String>>) {
    let own = d.text("messageId");
    let own = if own.is_empty() {
        event.document().text("id")
    } else {
        own
    };
    natives.push(ids::native("message", &own));
    natives.push(ids::native("message", &d.get("context").text("id")));
    natives.push(ids::native("message", &d.get("reaction").text("messageId")));
}

fn call(event: &Event, natives: &mut Vec<Option<String>>) {
    let d = event.data();
    natives.push(ids::call(&d.text("serverCallId")));
    natives.push(ids::unique("connection", &event.connection()));
    natives.push(ids::unique("correlation", &d.text("correlationId")));
    let context = d.get("customContext");
    let teams = context.get("teamsPhoneCallDetails").text("sessionId");
    natives.push(ids::unique("session", &teams));
    // The application carried the chat along from which the call came.
    let mut carried = vec![d.text("operationContext")];
    for headers in ["sipHeaders", "voipHeaders"] {
        carried.extend(context.fields(headers).map(|(_, value)| value.as_text()));
    }
    for text in carried {
        natives.extend(ids::threads_in(&text).into_iter().map(Some));
    }
}
