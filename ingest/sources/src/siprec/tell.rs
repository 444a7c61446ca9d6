//! What metadata says of a session: when it was, who took part, and which stream is whose.
//!
//! SIPREC does not say who called. Some senders do by an extension; else the first participant is
//! taken for the caller, and what follows from that is marked as concluded.

use std::sync::Arc;

use callboard_model::record::{Provenance, Record, rank};
use callboard_model::statement::{F, Statement, Thing};
use callboard_model::time::believable;

use super::PLATFORM;
use super::xml::Node;
use crate::asterisk::cdr::local_time;
use crate::payload::value::{read_time, tidy};

/// No more participants than these become talks.
const MOST_PARTICIPANTS: usize = 50;

/// A time; one without a zone is of the source's zone.
fn time(text: &str, zone: &str) -> Option<(i64, u32)> {
    let text = text.trim();
    let clock = text.get(10..).unwrap_or_default();
    let zoned = clock.contains(['Z', 'z', '+', '-']);
    match zoned || zone.is_empty() {
        true => read_time(text),
        false => local_time(&text.replacen('T', " ", 1), zone).filter(|t| believable(t.0)),
    }
}

/// A time with its precision, if it is told.
type Moment = Option<(i64, u32)>;

const TIMES: [&str; 4] = [
    "start-time",
    "stop-time",
    "associate-time",
    "disassociate-time",
];

/// The latest time that it states.
pub(super) fn recorded_at(root: &Node, zone: &str) -> Option<i64> {
    let all = root.children.iter();
    let times = all.flat_map(|n| TIMES.iter().filter_map(|t| time(n.child(t), zone)));
    times.map(|t| t.0).max()
}

/// Someone who took part in the session.
struct Person {
    id: String,
    handle: String,
    name: String,
    calls: Option<bool>,
    from: Option<(i64, u32)>,
    to: Option<(i64, u32)>,
    streams: Vec<String>,
}

/// An address as a number where it is one.
fn handle(aor: &str) -> String {
    let bare = aor
        .strip_prefix("sips:")
        .or_else(|| aor.strip_prefix("sip:"))
        .or_else(|| aor.strip_prefix("tel:"))
        .unwrap_or(aor);
    let bare = bare.split([';', '?', '>']).next().unwrap_or(bare);
    let user = bare.split('@').next().unwrap_or(bare);
    let number = !user.is_empty() && user.chars().all(|c| c.is_ascii_digit() || c == '+');
    tidy(if number { user } else { bare }).into_owned()
}

fn people(session: &str, root: &Node, zone: &str) -> Vec<Person> {
    let mut all = Vec::new();
    for p in root.all("participant").take(MOST_PARTICIPANTS) {
        let id = p.attribute(&["participant_id", "id"]);
        let own = p.attribute(&["session_id", "session"]);
        let here = |n: &&Node| {
            n.attribute(&["participant_id", "participant"]) == id
                && matches!(n.attribute(&["session_id", "session"]), s if s.is_empty() || s == session)
        };
        let assoc: Vec<&Node> = root.all("participantsessionassoc").filter(here).collect();
        let named = |n: &Node| n.attribute(&["participant_id", "participant"]) == id;
        let elsewhere = root.all("participantsessionassoc").any(named) && assoc.is_empty();
        if id.is_empty() || elsewhere || (!own.is_empty() && own != session) {
            continue;
        }
        let name_id = p.all("nameid").next();
        let mut streams: Vec<String> = p.all("send").map(|s| s.text.trim().to_owned()).collect();
        for a in root.all("participantstreamassoc").filter(|n| named(n)) {
            streams.extend(a.all("send").map(|s| s.text.trim().to_owned()));
        }
        let at = |name: &str| {
            let of = assoc.iter().map(|n| n.child(name));
            of.chain([p.child(name)]).find_map(|t| time(t, zone))
        };
        let calls = p.all("extensiondata").flat_map(|e| e.all("callingparty"));
        all.push(Person {
            id: id.to_owned(),
            handle: handle(name_id.map_or("", |n| n.attribute(&["aor"]))),
            name: tidy(name_id.map_or("", |n| n.child("name"))).into_owned(),
            calls: calls.map(|n| n.text.trim() == "true").next(),
            from: at("associate-time"),
            to: at("disassociate-time"),
            streams,
        });
    }
    all
}

/// Whether it names only what changed.
fn is_update(root: &Node) -> bool {
    root.child("datamode").eq_ignore_ascii_case("partial")
}

/// Who called, and whether the metadata says so.
pub(super) struct Caller {
    id: String,
    stated: bool,
}

/// The caller as metadata that names everybody tells: stated by an extension, else the first.
pub(super) fn caller(session: &str, root: &Node) -> Option<Caller> {
    if is_update(root) {
        return None;
    }
    let people = people(session, root, "");
    let stated = people.iter().find(|p| p.calls == Some(true));
    let id = stated.or(people.first())?.id.clone();
    Some(Caller {
        id,
        stated: stated.is_some(),
    })
}

/// What metadata says of one session.
pub(super) fn tell(
    session: &str,
    root: &Node,
    caller: Option<&Caller>,
    record: &Record,
    out: &mut Vec<Statement>,
) {
    let zone = &*record.stamp.zone;
    let of = |n: &&Node| n.attribute(&["session_id", "id"]) == session;
    // An update may tell nothing of the session itself.
    let none = Node::default();
    let node = root.all("session").find(of).unwrap_or(&none);
    let by = record.provenance(rank::LIVE, recorded_at(root, zone));
    let people = people(session, root, zone);
    let recording = root
        .all("sessionrecordingassoc")
        .filter(|n| n.attribute(&["session_id"]) == session);
    let stated = [node.child("start-time"), node.child("associate-time")];
    let start = stated
        .into_iter()
        .chain(recording.map(|n| n.child("associate-time")))
        .find_map(|t| time(t, zone))
        .or_else(|| people.iter().filter_map(|p| p.from).min())
        // An update tells when something changed, not when the session began.
        .filter(|_| !is_update(root) || !node.child("start-time").is_empty());
    let end = time(node.child("stop-time"), zone);
    let source = match &*record.stamp.instance {
        "" => format!("/{PLATFORM}"),
        instance => format!("/{PLATFORM}/{instance}"),
    };
    let mut s = Statement::new(Thing::Contact, &by)
        .text(F::Source, &source)
        .text(F::Channel, "voice")
        .flag(F::EndsAreStated, true)
        .text(F::EndReason, &tidy(node.child("reason")))
        .text(
            F::Attr("sipSessionID".into()),
            &tidy(node.child("sipsessionid")),
        )
        .text(F::Attr("group".into()), &tidy(node.child("group-ref")));
    if let Some((us, p)) = start {
        s = s.time(F::Start, us, p);
    }
    if let Some((us, p)) = end {
        s = s.time(F::End, us, p);
    }
    // Which stream of the SDP is whose voice.
    for stream in root.all("stream") {
        let id = stream.attribute(&["stream_id", "id"]);
        let label = tidy(stream.child("label")).into_owned();
        let whose = people.iter().find(|p| p.streams.iter().any(|s| s == id));
        if let Some(p) = whose.filter(|_| !label.is_empty()) {
            s = s.text(F::Attr(format!("stream {label}").into()), &p.handle);
        }
    }
    out.push(s);
    talks(&people, caller, (start, end), &by, out);
}

fn talks(
    people: &[Person],
    caller: Option<&Caller>,
    (start, end): (Moment, Moment),
    by: &Arc<Provenance>,
    out: &mut Vec<Statement>,
) {
    let who = match caller.is_some_and(|c| c.stated) {
        true => by.clone(),
        false => {
            let mut by = (**by).clone();
            by.rank = rank::INFERRED;
            Arc::new(by)
        }
    };
    for p in people {
        if caller.is_some_and(|c| c.id == p.id) {
            out.push(
                Statement::new(Thing::Contact, &who)
                    .text(F::Customer, &p.handle)
                    .text(F::CustomerName, &p.name),
            );
            continue;
        }
        let thing = || Thing::Segment(format!("talk/{}", p.id).into());
        let mut s = Statement::new(thing(), by)
            .text(F::Kind, "talk")
            .text(F::Mode, "serve");
        // Who is named without a time was there from the beginning, as far as one is told.
        if let Some((us, precision)) = p.from.or(start) {
            s = s.time(F::Start, us, precision);
        }
        if let Some((us, precision)) = p.to.or(end) {
            s = s.time(F::End, us, precision);
            s = s.text(
                F::Outcome,
                if p.to.is_some() && p.to != end {
                    "left"
                } else {
                    "completed"
                },
            );
        }
        out.push(s);
        out.push(Statement::new(thing(), &who).text(F::Agent, &p.handle));
    }
}
