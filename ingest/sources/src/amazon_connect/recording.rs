//! Recordings: which there are and where the platform keeps them, and what Contact Lens or the
//! chat's own file makes of them. A call's recording is `CONTACT/both`, that of its time in flows
//! `CONTACT/ivr`, a chat's transcript `CONTACT/chat`, a screen's `CONTACT/screen`.

use callboard_model::ids::Key;
use callboard_model::record::{Refusal, RouteKey, Routing, rank};
use callboard_model::statement::{F, Statement, Thing};

use super::doc::{Doc, resource};
use super::leg::{agent, queue, recorded_at};
use super::lens::{self, Part};
use super::{Feed, Read, instance_source, missing};
use crate::payload::measured::key_of;

/// A recording that a contact record lists: its name within the contact.
fn listed(doc: Doc<'_>) -> Vec<(&'static str, Doc<'_>)> {
    let mut all: Vec<(&'static str, Doc<'_>)> = Vec::new();
    // The older single field repeats the first of the list.
    let old = Some(doc.get("Recording")).filter(|r| r.is_there());
    for entry in doc.get("Recordings").list().chain(old) {
        let kind = entry.any(&["MediaStreamType", "Type"]).word();
        let of = entry.get("ParticipantType").word();
        let name = match (kind.as_deref(), of.as_deref()) {
            (Some("CHAT"), _) => "chat",
            (Some("VIDEO"), _) => "screen",
            (_, Some("IVR")) => "ivr",
            _ => "both",
        };
        if !all.iter().any(|(n, _)| *n == name) {
            all.push((name, entry));
        }
    }
    all
}

/// A recording's key. Where no instance is known, the contact is named by the platform's id alone,
/// which its aliases know.
fn key(read: &Read<'_>, contact: &str, name: &str) -> Key {
    Key::Recording(format!("{}/{name}", contact_name(read, contact)).into())
}

fn contact_name(read: &Read<'_>, contact: &str) -> String {
    match read.instance() {
        "" => contact.to_owned(),
        _ => read.contact(contact).contact_id(),
    }
}

/// Keys of the recordings of a contact record.
pub(super) fn of_record<'r>(read: &'r Read<'_>) -> impl Iterator<Item = Key> + use<'r> {
    let contact = read.doc().get("ContactId").owned().unwrap_or_default();
    let names = listed(read.doc()).into_iter().map(|(name, _)| name);
    let names: Vec<&'static str> = names.collect();
    names.into_iter().map(move |name| key(read, &contact, name))
}

/// The contact that a record is of.
fn contact_of(feed: Feed, read: &Read<'_>) -> Option<String> {
    let doc = read.doc();
    match feed {
        Feed::LensState => {
            let arn = read.detail().any(&["contact", "contactArn"]).owned()?;
            Some(resource(&arn, "/contact/").to_owned())
        }
        // A file that does not say it is known by the contact in its name.
        Feed::Lens => Some(read.record.id.split('#').next()?.to_owned()),
        _ => doc.get("ContactId").owned(),
    }
}

/// Keys of Contact Lens and of chats.
pub(super) fn route(feed: Feed, read: &Read<'_>) -> Result<Routing, Refusal> {
    let contact = contact_of(feed, read).ok_or_else(|| missing("ContactId"))?;
    let channel = read.detail().get("Channel").word().unwrap_or_default();
    let name = match &*channel {
        "CHAT" => "chat",
        "EMAIL" => "email",
        _ if feed == Feed::Chat => "chat",
        _ => "both",
    };
    let own = key(read, &contact, name);
    let mut keys = vec![RouteKey::Direct(own)];
    if feed == Feed::Lens && lens::scores::has_any(read.doc()) {
        keys.push(RouteKey::Direct(key_of(&contact_name(read, &contact))));
    }
    Ok(Routing {
        keys,
        statements: None,
        time: lens::time(read),
    })
}

/// What a contact's Contact Lens files measured.
pub(super) fn measured(contact: &str, all: &[(Feed, Read<'_>)]) -> Vec<Statement> {
    let files = all.iter().filter(|(feed, _)| *feed == Feed::Lens);
    files
        .filter(|(feed, read)| {
            contact_of(*feed, read).is_some_and(|c| contact_name(read, &c) == contact)
        })
        .flat_map(|(_, read)| lens::scores::tell(read, contact))
        .collect()
}

/// State of a screen recording.
pub(super) fn screen(read: &Read<'_>) -> Result<Routing, Refusal> {
    let detail = read.detail();
    let contact = detail
        .any(&["contactArn", "contactId", "contact"])
        .owned()
        .ok_or_else(|| missing("detail.contactArn"))?;
    let contact = resource(&contact, "/contact/").to_owned();
    let at = read.doc().get("time").time();
    let by = read.live(at.map(|t| t.0));
    let about = detail.get("recordingInfo");
    let stated = detail.get("recordingStatus").word().unwrap_or_default();
    let kept = about.get("location").owned();
    let state = match &*stated {
        "INITIATED" => "active",
        "FAILED" => "failed",
        _ => "absent",
    };
    let mut s = Statement::new(Thing::Recording, &by)
        .text(F::Source, &instance_source(read.instance()))
        .text(F::Contact, &read.contact(&contact).contact_id())
        .text(F::Leg, "agent")
        .text(F::State, state)
        .text(F::Codec, "video")
        .text(F::Reason, &reason(&stated, kept.as_deref()));
    for (f, name) in [(F::Start, "startTime"), (F::End, "endTime")] {
        if let Some((us, precision)) = about.get(name).time() {
            s = s.time(f, us, precision);
        }
    }
    if let Some(ms) = about.get("durationInMillis").int() {
        s = s.millis(F::Duration, ms, 1_000);
    }
    Ok(Routing {
        keys: vec![RouteKey::Direct(key(read, &contact, "screen"))],
        statements: Some(vec![s]),
        time: at.map(|t| t.0),
    })
}

fn reason(status: &str, kept: Option<&str>) -> String {
    match kept {
        Some(place) => format!("kept by the platform at {place}"),
        None => status.to_ascii_lowercase(),
    }
}

/// What a recording's records say together.
pub(super) fn interpret(id: &str, all: &[(Feed, Read<'_>)]) -> Vec<Statement> {
    let (contact, name) = id.rsplit_once('/').unwrap_or((id, "both"));
    let mut out = Vec::new();
    let records = all.iter().filter(|(feed, _)| *feed == Feed::ContactRecord);
    let newest = records.max_by_key(|(feed, read)| {
        (
            recorded_at(*feed, read),
            &read.record.id,
            read.record.content_hash(),
        )
    });
    if let Some((_, read)) = newest {
        out.extend(from_record(contact, name, read));
    }
    let mut parts: Vec<Part<'_>> = all
        .iter()
        .filter(|(feed, _)| *feed != Feed::ContactRecord)
        .map(|(feed, read)| Part { feed: *feed, read })
        .collect();
    // A set has no order of its own.
    parts.sort_by_key(|p| (&p.read.record.id, p.read.record.content_hash()));
    out.extend(lens::interpret(id, contact, name, &parts));
    out
}

/// What the contact record says of the recording.
fn from_record(contact: &str, name: &str, read: &Read<'_>) -> Vec<Statement> {
    let doc = read.doc();
    let found = listed(doc).into_iter().find(|(n, _)| *n == name);
    let Some((_, entry)) = found else {
        return Vec::new(); // it is no longer listed
    };
    let at = recorded_at(Feed::ContactRecord, read);
    let id_of = |arn: Doc<'_>, marker: &str| {
        let arn = arn.owned().unwrap_or_default();
        if arn.is_empty() {
            arn
        } else {
            resource(&arn, marker).to_owned()
        }
    };
    let mut s = Statement::new(Thing::Recording, &read.whole(at))
        .text(F::Source, &instance_source(read.instance()))
        .text(F::Contact, contact)
        .text(F::Leg, if name == "chat" { "mixed" } else { "both" })
        .text(F::Queue, &id_of(queue(doc).get("ARN"), "/queue/"))
        .text(F::Agent, &id_of(agent(doc).get("ARN"), "/agent/"));
    let start = entry.get("StartTimestamp").time();
    let start = start.or_else(|| match name {
        "ivr" => doc.get("InitiationTimestamp").time(),
        "both" => agent(doc).get("ConnectedToAgentTimestamp").time(),
        _ => None,
    });
    for (f, time) in [
        (F::Start, start),
        (F::End, entry.get("StopTimestamp").time()),
    ] {
        if let Some((us, precision)) = time {
            s = s.time(f, us, precision);
        }
    }
    let status = entry.get("Status").word().unwrap_or_default();
    if status == "DELETED" {
        let why = entry.get("DeletionReason").owned();
        let s = s.text(F::State, "deleted").text(
            F::Reason,
            why.as_deref().unwrap_or("deleted at the platform"),
        );
        return vec![s];
    }
    // The file lies in the platform's bucket, not here: a file that was sent says more.
    let by = read.record.provenance(rank::GAUGE, at);
    let place = entry.get("Location").owned();
    let absent = Statement::new(Thing::Recording, &by)
        .text(F::State, "absent")
        .text(F::Reason, &reason(&status, place.as_deref()));
    vec![s, absent]
}
