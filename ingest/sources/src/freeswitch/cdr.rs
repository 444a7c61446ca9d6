//! Call records of `mod_json_cdr`: a leg from start to end, and what the callcenter left in its
//! variables.

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
    let ended = match cdr.get("sip_hangup_disposition") {
        "recv_bye" | "recv_cancel" => "customer",
        "send_bye" | "send_refuse" => "agent",
        _ => "",
    };
    let mut s = Statement::new(Thing::Contact, by)
        .text(F::Source, &instance_source(instance))
        .text(F::Channel, "voice")
        .text(F::Direction, "inbound")
        .text(F::Customer, &first(&["caller_id_number", "sip_from_user"]))
        .text(F::CustomerName, &first(&["caller_id_name"]))
        .text(F::Dialled, &first(&["destination_number", "sip_req_user"]))
        .text(F::EndedBy, ended)
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
