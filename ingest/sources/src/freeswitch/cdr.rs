//! Call records of `mod_json_cdr`: a leg from start to end, and what the callcenter left in its
//! variables. A call that a user makes to somebody outside is two legs, his own and that to the other,
//! whichever of them was made first.

use std::collections::BTreeSet;
use std::sync::Arc;

use callboard_model::record::{Provenance, Routing};
use callboard_model::statement::{F, Statement, Thing};

use super::event::Event;
use super::{contact_of, instance_source, offer};
use crate::payload::value::tidy;

/// The time that a record gives twice, fine or whole.
fn time(cdr: &Event, name: &str) -> Option<(i64, u32)> {
    cdr.time(&format!("{name}_uepoch"))
        .or_else(|| cdr.time(&format!("{name}_epoch")))
}

/// When it was written: at the end of the leg.
pub(super) fn recorded_at(cdr: &Event) -> Option<i64> {
    let all = ["end", "answer", "start"];
    all.iter().find_map(|n| time(cdr, n)).map(|t| t.0)
}

pub(super) fn route(instance: &str, cdr: &Event) -> Routing {
    let ids = [
        cdr.get("uuid"),
        cdr.get("call_uuid"),
        cdr.get("cc_agent_uuid"),
    ];
    let mut routing = contact_of(instance, &ids);
    routing.time = recorded_at(cdr);
    routing
}

/// Whether it is the leg of a customer who called.
pub(super) fn is_inbound(cdr: &Event) -> bool {
    cdr.get("direction") == "inbound" && cdr.get("cc_side") != "agent"
}

/// The user whose leg it is, as the callcenter names agents: of him who calls, who has proved who he
/// is; of him who is called, whom the dialplan called.
fn user(cdr: &Event) -> Option<String> {
    let (names, domains) = match cdr.get("direction") {
        "inbound" => (
            ["user_name", "sip_auth_username"],
            ["domain_name", "sip_auth_realm"],
        ),
        _ => (["dialed_user", ""], ["dialed_domain", "domain_name"]),
    };
    let first = |all: [&str; 2]| all.map(|n| cdr.get(n)).into_iter().find(|v| !v.is_empty());
    let name = tidy(first(names)?);
    Some(match first(domains) {
        Some(domain) if !name.contains('@') => format!("{name}@{}", tidy(domain)),
        _ => name.into_owned(),
    })
}

/// The leg to somebody outside of a call that a user made, and the user; of legs of one call of which
/// no queue tells.
pub(super) fn outward<'r>(legs: &[&'r Event]) -> Option<(&'r Event, String)> {
    let of_queue = |cdr: &&Event| !cdr.get("cc_queue").is_empty() || !cdr.get("cc_side").is_empty();
    let strange = |cdr: &&Event| is_inbound(cdr) && user(cdr).is_none();
    if legs.iter().any(|l| of_queue(l) || strange(l)) {
        return None;
    }
    let out = legs.iter().copied();
    let out = out.filter(|cdr| cdr.get("direction") == "outbound" && user(cdr).is_none());
    // A number that was tried first and did not answer is not whom he spoke with.
    let began = |cdr: &&Event| time(cdr, "start").map(|t| t.0);
    let out = out.max_by_key(|cdr| (time(cdr, "answer").is_some(), began(cdr)))?;
    let mut users: Vec<&Event> = legs.to_vec();
    users.sort_by_key(began);
    let user = users.into_iter().find_map(user)?;
    Some((out, user))
}

/// What the record of the leg to somebody outside says of a call that a user made.
pub(super) fn tell_outward(
    instance: &str,
    cdr: &Event,
    user: &str,
    by: &Arc<Provenance>,
    out: &mut Vec<Statement>,
) {
    let names = ["destination_number", "callee_id_number", "sip_to_user"];
    let number = names
        .map(|n| cdr.get(n))
        .into_iter()
        .find(|v| !v.is_empty());
    let number = tidy(number.unwrap_or_default());
    let mut s = Statement::new(Thing::Contact, by)
        .text(F::Source, &instance_source(instance))
        .text(F::Channel, "voice")
        .text(F::Direction, "outbound")
        .text(F::Customer, &number)
        .text(F::Dialled, &number)
        .text(F::EndedBy, ended_by(cdr))
        .text(F::EndReason, &tidy(cdr.get("hangup_cause")));
    let (start, answer, end) = (time(cdr, "start"), time(cdr, "answer"), time(cdr, "end"));
    for (f, at) in [(F::Start, start), (F::End, end)] {
        if let Some((us, p)) = at {
            s = s.time(f, us, p);
        }
    }
    out.push(s);
    let id = cdr.get("uuid");
    let part = |kind: &str, from: Option<(i64, u32)>, to: Option<(i64, u32)>| {
        let mut s = Statement::new(Thing::Segment(format!("{kind}/{id}").into()), by)
            .text(F::Kind, kind)
            .text(F::Agent, user);
        for (f, at) in [(F::Start, from), (F::End, to)] {
            if let Some((us, p)) = at {
                s = s.time(f, us, p);
            }
        }
        s
    };
    let outcome = match answer {
        Some(_) => "answered",
        None => offer::dialled(cdr.get("hangup_cause")),
    };
    out.push(
        part("dial", start, answer.or(end))
            .text(F::Outcome, outcome)
            .text(F::RawOutcome, &tidy(cdr.get("hangup_cause")))
            .text(F::TargetKind, "external")
            .text(F::Target, &number),
    );
    if answer.is_some() {
        out.push(
            part("talk", answer, end)
                .text(F::Parent, &format!("dial/{id}"))
                .text(F::Mode, "outbound")
                .text(F::Outcome, "completed"),
        );
    }
}

/// Who hung up, as seen from the other end of a leg.
fn ended_by(cdr: &Event) -> &'static str {
    match cdr.get("sip_hangup_disposition") {
        "recv_bye" | "recv_cancel" => "customer",
        "send_bye" | "send_refuse" => "agent",
        _ => "",
    }
}

/// What the record of a customer's leg says. `members` are those of whom events tell.
pub(super) fn tell(
    instance: &str,
    cdr: &Event,
    by: &Arc<Provenance>,
    members: &BTreeSet<String>,
    out: &mut Vec<Statement>,
) {
    let first = |names: &[&str]| {
        let mut all = names.iter().map(|n| cdr.get(n));
        tidy(all.find(|v| !v.is_empty()).unwrap_or("")).into_owned()
    };
    let mut s = Statement::new(Thing::Contact, by)
        .text(F::Source, &instance_source(instance))
        .text(F::Channel, "voice")
        .text(F::Direction, "inbound")
        .text(F::Customer, &first(&["caller_id_number", "sip_from_user"]))
        .text(F::CustomerName, &first(&["caller_id_name"]))
        .text(F::Dialled, &first(&["destination_number", "sip_req_user"]))
        .text(F::EndedBy, ended_by(cdr))
        .text(F::EndReason, &first(&["hangup_cause"]));
    for (f, name) in [(F::Start, "start"), (F::End, "end")] {
        if let Some((us, p)) = time(cdr, name) {
            s = s.time(f, us, p);
        }
    }
    out.push(s);
    let (queue, member) = (cdr.get("cc_queue"), cdr.get("cc_member_uuid"));
    if !queue.is_empty() && !members.contains(member) {
        stay(cdr, by, (queue, member), out);
    }
}

/// The last stay of the call, where no event told of it.
fn stay(
    cdr: &Event,
    by: &Arc<Provenance>,
    (queue, member): (&str, &str),
    out: &mut Vec<Statement>,
) {
    let about = |id: &str, kind: &str| {
        Statement::new(Thing::Segment(id.into()), by)
            .text(F::Kind, kind)
            .text(F::Queue, &tidy(queue))
    };
    let at = |s: Statement, f: F, name: &str| match cdr.time(name) {
        Some((us, p)) => s.time(f, us, p),
        None => s,
    };
    let named = if member.is_empty() {
        cdr.get("uuid")
    } else {
        member
    };
    let id = format!("queue/{named}");
    let mut said = at(about(&id, "queue"), F::Start, "cc_queue_joined_epoch");
    let agent = tidy(cdr.get("cc_agent"));
    if cdr.time("cc_queue_answered_epoch").is_none() {
        let reason = cdr.get("cc_cancel_reason");
        said = at(said, F::End, "cc_queue_canceled_epoch")
            .text(F::Outcome, offer::left(reason))
            .text(F::RawOutcome, &tidy(reason));
        out.push(said);
        return;
    }
    out.push(at(said, F::End, "cc_queue_answered_epoch").text(F::Outcome, "answered"));
    let talk = at(
        about(&format!("talk/{named}"), "talk"),
        F::Start,
        "cc_queue_answered_epoch",
    );
    out.push(
        at(talk, F::End, "cc_queue_terminated_epoch")
            .text(F::Agent, &agent)
            .text(F::Parent, &id)
            .text(F::Mode, "serve")
            .text(F::Outcome, "completed"),
    );
}
